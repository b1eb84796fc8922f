"""Sums, means, extremes and products along axes, and their running forms.

Conventions at kinks: tied extremes share the derivative evenly; the standard deviation
of equal numbers has derivative 0.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd_compiler.rules.registry import general, linear
from autograd_compiler.rules.static import axes_range, existing, other_axes, static


def restored(reduced: Any, axis: Any, keepdims: Any) -> Any:
    """With the axes back that a reduction dropped, to broadcast against its operand."""
    if axis is None or keepdims:
        return reduced
    return np.expand_dims(reduced, axis)


def spread_out(reduced: Any, a: Any, axis: Any, keepdims: Any) -> Any:
    return np.broadcast_to(restored(reduced, axis, keepdims), np.shape(a))


def count(a: Any, axis: Any) -> Any:
    """How many elements of `a` are reduced to one."""
    if axis is None:
        return np.size(a)
    if isinstance(axis, tuple):
        if len(axis) == 0:
            return 1
        if len(axis) == 1:
            return np.shape(a)[axis[0]]
        return np.shape(a)[axis[0]] * count(a, axis[1:])
    return np.shape(a)[axis]


def number_true(mask: Any, axis: Any, dtype: Any) -> Any:
    """How many are true, to divide what was restored; a float, to keep float32."""
    if axis is None:
        return np.sum(mask, dtype=dtype)
    return np.sum(mask, axis=axis, dtype=dtype, keepdims=True)


# ---------------------------------------------------------------- sums


@linear(np.sum, wrt="a")
def sum_adjoint(
    d_y: Any,
    a: Any,
    axis: Any = None,
    dtype: Any = None,
    *,
    keepdims: Any = False,
    where: Any = None,
) -> Any:
    if where is None:
        return spread_out(d_y, a, axis, keepdims)
    return np.where(where, spread_out(d_y, a, axis, keepdims), 0)


def nansum_tangent(
    a: Any, axis: Any = None, dtype: Any = None, keepdims: Any = False, d_a: Any = 0.0
) -> Any:
    return np.sum(np.where(np.isnan(a), 0, d_a), axis=axis, keepdims=keepdims)


@general(np.nansum, wrt="a", tangent=nansum_tangent)
def nansum_adjoint(
    d_y: Any, a: Any, axis: Any = None, dtype: Any = None, *, keepdims: Any = False
) -> Any:
    return np.where(np.isnan(a), 0, restored(d_y, axis, keepdims))


@linear(np.mean, wrt="a")
def mean_adjoint(
    d_y: Any, a: Any, axis: Any = None, dtype: Any = None, *, keepdims: Any = False
) -> Any:
    return spread_out(d_y / count(a, axis), a, axis, keepdims)


def nanmean_tangent(
    y: Any,
    a: Any,
    axis: Any = None,
    dtype: Any = None,
    keepdims: Any = False,
    d_a: Any = 0.0,
) -> Any:
    there = ~np.isnan(a)
    total = np.sum(np.where(there, d_a, 0), axis=axis, keepdims=keepdims)
    return total / np.sum(there, axis=axis, dtype=y.dtype, keepdims=keepdims)


@general(np.nanmean, wrt="a", tangent=nanmean_tangent)
def nanmean_adjoint(
    d_y: Any,
    y: Any,
    a: Any,
    axis: Any = None,
    dtype: Any = None,
    *,
    keepdims: Any = False,
) -> Any:
    there = ~np.isnan(a)
    share = restored(d_y, axis, keepdims) / number_true(there, axis, y.dtype)
    return np.where(there, share, 0)


def average_tangent(
    y: Any,
    a: Any,
    axis: Any = None,
    weights: Any = None,
    keepdims: Any = False,
    d_a: Any = 0.0,
    d_weights: Any = 0.0,
) -> Any:
    if weights is None:
        return np.mean(d_a, axis=axis, keepdims=keepdims)
    w = aligned(weights, a, axis)
    d_w = aligned(d_weights, a, axis)
    change = w * d_a + d_w * (a - restored(y, axis, keepdims))
    total = np.sum(np.broadcast_to(w, np.shape(a)), axis=axis, keepdims=keepdims)
    return np.sum(change, axis=axis, keepdims=keepdims) / total


@general(np.average, wrt="a weights", tangent=average_tangent)
def average_adjoint(
    d_y: Any,
    y: Any,
    a: Any,
    axis: Any = None,
    weights: Any = None,
    *,
    keepdims: Any = False,
) -> Any:
    if weights is None:
        return mean_adjoint(d_y, a, axis, keepdims=keepdims), 0.0
    w = aligned(weights, a, axis)
    total = np.sum(np.broadcast_to(w, np.shape(a)), axis=axis, keepdims=keepdims)
    share = restored(d_y / total, axis, keepdims)
    d_w = share * (a - restored(y, axis, keepdims))
    if np.ndim(weights) == np.ndim(a):
        return share * w, d_w
    return share * w, np.sum(d_w, axis=other_axes(axis, np.ndim(a)))


def aligned(weights: Any, a: Any, axis: Any) -> Any:
    """Weights for one axis, in a shape that broadcasts against `a`."""
    if np.ndim(weights) == np.ndim(a) or np.ndim(weights) == 0:
        return weights
    if isinstance(axis, tuple):
        raise TypeError("np.average: give the weights the shape of the array")
    return np.expand_dims(weights, other_axes(axis, np.ndim(a)))


# ---------------------------------------------------------------- spread


def deviation(a: Any, axis: Any) -> Any:
    """The distance from the mean, conjugate for complex numbers."""
    if np.iscomplexobj(a):
        return np.conj(centred(a, axis))
    return centred(a, axis)


def centred(a: Any, axis: Any) -> Any:
    if axis is None:
        return a - np.mean(a)
    return a - np.mean(a, axis=axis, keepdims=True)


def inner(deviations: Any, d_a: Any, axis: Any, keepdims: Any) -> Any:
    if np.iscomplexobj(deviations):
        return np.sum(np.real(deviations * d_a), axis=axis, keepdims=keepdims)
    return np.sum(deviations * d_a, axis=axis, keepdims=keepdims)


def var_tangent(
    a: Any,
    axis: Any = None,
    dtype: Any = None,
    ddof: Any = 0,
    keepdims: Any = False,
    d_a: Any = 0.0,
) -> Any:
    change = inner(deviation(a, axis), d_a, axis, keepdims)
    return 2 * change / (count(a, axis) - ddof)


@general(np.var, wrt="a", tangent=var_tangent)
def var_adjoint(
    d_y: Any,
    a: Any,
    axis: Any = None,
    dtype: Any = None,
    *,
    ddof: Any = 0,
    keepdims: Any = False,
) -> Any:
    share = 2 * d_y / (count(a, axis) - ddof)
    return restored(share, axis, keepdims) * deviation(a, axis)


def std_tangent(
    y: Any,
    a: Any,
    axis: Any = None,
    dtype: Any = None,
    ddof: Any = 0,
    keepdims: Any = False,
    d_a: Any = 0.0,
) -> Any:
    change = inner(deviation(a, axis), d_a, axis, keepdims)
    return change / ((y + (y == 0)) * (count(a, axis) - ddof))


@general(np.std, wrt="a", tangent=std_tangent)
def std_adjoint(
    d_y: Any,
    y: Any,
    a: Any,
    axis: Any = None,
    dtype: Any = None,
    *,
    ddof: Any = 0,
    keepdims: Any = False,
) -> Any:
    # Where `y` is 0 so are all deviations, and any other divisor will do.
    share = d_y / ((y + (y == 0)) * (count(a, axis) - ddof))
    return restored(share, axis, keepdims) * deviation(a, axis)


# ---------------------------------------------------------------- extremes


def extreme_tangent(
    y: Any, a: Any, axis: Any = None, keepdims: Any = False, d_a: Any = 0.0
) -> Any:
    ties = a == restored(y, axis, keepdims)
    total = np.sum(np.where(ties, d_a, 0), axis=axis, keepdims=keepdims)
    return total / np.sum(ties, axis=axis, dtype=y.dtype, keepdims=keepdims)


@general(
    (*existing("max", "amax", "min", "amin"), np.nanmax, np.nanmin),
    wrt="a",
    tangent=extreme_tangent,
)
def extreme_adjoint(
    d_y: Any, y: Any, a: Any, axis: Any = None, *, keepdims: Any = False
) -> Any:
    ties = a == restored(y, axis, keepdims)
    share = restored(d_y, axis, keepdims) / number_true(ties, axis, y.dtype)
    return share * ties


def ptp_tangent(a: Any, axis: Any = None, keepdims: Any = False, d_a: Any = 0.0) -> Any:
    high = np.max(a, axis=axis, keepdims=keepdims)
    low = np.min(a, axis=axis, keepdims=keepdims)
    d_high = extreme_tangent(high, a, axis, keepdims, d_a)
    return d_high - extreme_tangent(low, a, axis, keepdims, d_a)


@general(np.ptp, wrt="a", tangent=ptp_tangent)
def ptp_adjoint(d_y: Any, a: Any, axis: Any = None, *, keepdims: Any = False) -> Any:
    high = np.max(a, axis=axis, keepdims=keepdims)
    low = np.min(a, axis=axis, keepdims=keepdims)
    d_high = extreme_adjoint(d_y, high, a, axis, keepdims=keepdims)
    return d_high - extreme_adjoint(d_y, low, a, axis, keepdims=keepdims)


# ---------------------------------------------------------------- products


def prod_tangent(
    a: Any, axis: Any = None, dtype: Any = None, keepdims: Any = False, d_a: Any = 0.0
) -> Any:
    return np.sum(products_of_others(a, axis) * d_a, axis=axis, keepdims=keepdims)


@general(np.prod, wrt="a", tangent=prod_tangent)
def prod_adjoint(
    d_y: Any, a: Any, axis: Any = None, dtype: Any = None, *, keepdims: Any = False
) -> Any:
    return restored(d_y, axis, keepdims) * products_of_others(a, axis)


def products_of_others(a: Any, axis: Any) -> Any:
    """For each element the product of all others along the axis or axes."""
    if axis is None:
        if np.ndim(a) == 1:
            return others_along_last(a)
        return np.reshape(others_along_last(np.ravel(a)), np.shape(a))
    if isinstance(axis, tuple):
        if len(axis) == 0:
            return np.ones_like(a)
        last = axes_range(-len(axis), 0)
        moved = np.moveaxis(a, axis, last)
        rows = np.reshape(moved, np.shape(moved)[: -len(axis)] + (count(a, axis),))
        others = np.reshape(others_along_last(rows), np.shape(moved))
        return np.moveaxis(others, last, axis)
    if is_last(axis, np.ndim(a)):
        return others_along_last(a)
    return np.moveaxis(others_along_last(np.moveaxis(a, axis, -1)), -1, axis)


@static
def is_last(axis: int, ndim: int) -> bool:
    return axis % ndim == ndim - 1


def others_along_last(a: Any) -> Any:
    # All before times all after: dividing the product by the element fails at zeros.
    one = np.ones_like(a[..., :1])
    before = np.cumprod(np.concatenate((one, a[..., :-1]), axis=-1), axis=-1)
    after = np.cumprod(np.concatenate((one, a[..., :0:-1]), axis=-1), axis=-1)
    return before * after[..., ::-1]


# ---------------------------------------------------------------- running forms


@linear(np.cumsum, wrt="a")
def cumsum_adjoint(d_y: Any, a: Any, axis: Any = None, dtype: Any = None) -> Any:
    if np.ndim(a) == 1:
        return np.cumsum(d_y[::-1])[::-1]
    if axis is None:
        return np.reshape(np.cumsum(d_y[::-1])[::-1], np.shape(a))
    return np.flip(np.cumsum(np.flip(d_y, axis), axis), axis)


def cumprod_tangent(
    y: Any, a: Any, axis: Any = None, dtype: Any = None, d_a: Any = 0.0
) -> Any:
    if np.ndim(a) == 1:
        return cumprod_forward(y, a, d_a)
    if axis is None:
        return cumprod_forward(y, np.ravel(a), np.ravel(d_a))
    rows = cumprod_forward(
        np.moveaxis(y, axis, 0), np.moveaxis(a, axis, 0), np.moveaxis(d_a, axis, 0)
    )
    return np.moveaxis(rows, 0, axis)


@general(np.cumprod, wrt="a", tangent=cumprod_tangent)
def cumprod_adjoint(
    d_y: Any, y: Any, a: Any, axis: Any = None, dtype: Any = None
) -> Any:
    if np.ndim(a) == 1:
        return cumprod_backward(d_y, y, a)
    if axis is None:
        return np.reshape(cumprod_backward(d_y, y, np.ravel(a)), np.shape(a))
    rows = cumprod_backward(
        np.moveaxis(d_y, axis, 0), np.moveaxis(y, axis, 0), np.moveaxis(a, axis, 0)
    )
    return np.moveaxis(rows, 0, axis)


# The recurrence itself, along the first axis: it needs no division, so that zeros do
# no harm, to second derivatives neither.


def cumprod_backward(d_y: Any, y: Any, a: Any) -> Any:
    d_a = np.copy(d_y)
    for k in range(np.shape(a)[0] - 2, -1, -1):
        d_a[k] += a[k + 1] * d_a[k + 1]
    d_a[1:] *= y[:-1]
    return d_a


def cumprod_forward(y: Any, a: Any, d_a: Any) -> Any:
    d_y = np.copy(d_a)
    d_y[1:] *= y[:-1]
    for k in range(1, np.shape(a)[0]):
        d_y[k] += a[k] * d_y[k - 1]
    return d_y


@linear(np.diff, wrt="a")
def diff_adjoint(d_y: Any, a: Any, n: Any = 1, axis: Any = -1) -> Any:
    # The adjoint of a difference is minus the difference between zeros.
    if np.ndim(a) == 1:
        return (-1) ** n * np.diff(np.pad(d_y, n), n)
    rows = np.moveaxis(d_y, axis, 0)
    between_zeros = np.pad(rows, ((n, n),) + ((0, 0),) * (np.ndim(a) - 1))
    return (-1) ** n * np.moveaxis(np.diff(between_zeros, n, 0), 0, axis)


@linear(np.ediff1d, wrt="ary")
def ediff1d_adjoint(d_y: Any, ary: Any) -> Any:
    return np.reshape(-np.diff(np.pad(d_y, 1)), np.shape(ary))


# ---------------------------------------------------------------- diagonals


@linear(np.trace, wrt="a")
def trace_adjoint(
    d_y: Any,
    a: Any,
    offset: Any = 0,
    axis1: Any = 0,
    axis2: Any = 1,
    dtype: Any = None,
) -> Any:
    diagonal = np.eye(np.shape(a)[axis1], np.shape(a)[axis2], offset, dtype=a.dtype)
    if np.ndim(a) == 2 and axis1 == 0 and axis2 == 1:
        return d_y * diagonal
    matrices = np.expand_dims(d_y, (-2, -1)) * diagonal
    return np.moveaxis(matrices, (-2, -1), (axis1, axis2))
