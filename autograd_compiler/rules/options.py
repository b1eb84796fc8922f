"""Reductions with the arguments that they seldom have: `where=`, `initial=` and others.

Each is the definition of the operator with these arguments by the operator without them.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd_compiler.rules.reductions import aligned
from autograd_compiler.rules.registry import composed
from autograd_compiler.rules.static import existing, static


def chosen(a: Any, where: Any, other: Any) -> Any:
    """The elements that count, and something without effect in the place of others."""
    if all_count(where):
        return a
    return np.where(where, a, other)


def all_count(where: Any) -> Any:
    return isinstance(where, bool) and where


def number_chosen(a: Any, axis: Any, where: Any, keepdims: Any, dtype: Any) -> Any:
    counted = np.broadcast_to(where, np.shape(a))
    return np.sum(counted, axis, dtype, keepdims=keepdims)


# ---------------------------------------------------------------- sums and products


@composed(np.sum)
def sum_of_chosen(
    a: Any,
    axis: Any = None,
    dtype: Any = None,
    *,
    keepdims: Any = False,
    initial: Any = 0,
    where: Any = True,
) -> Any:
    return initial + np.sum(chosen(a, where, 0), axis, dtype, keepdims=keepdims)


@composed(np.nansum)
def nansum_of_chosen(
    a: Any,
    axis: Any = None,
    dtype: Any = None,
    *,
    keepdims: Any = False,
    initial: Any = 0,
    where: Any = True,
) -> Any:
    return initial + np.nansum(chosen(a, where, 0), axis, dtype, keepdims=keepdims)


@composed(np.prod)
def prod_of_chosen(
    a: Any,
    axis: Any = None,
    dtype: Any = None,
    *,
    keepdims: Any = False,
    initial: Any = 1,
    where: Any = True,
) -> Any:
    return initial * np.prod(chosen(a, where, 1), axis, dtype, keepdims=keepdims)


@composed(np.nanprod)
def nanprod(
    a: Any,
    axis: Any = None,
    dtype: Any = None,
    *,
    keepdims: Any = False,
    initial: Any = 1,
    where: Any = True,
) -> Any:
    there = np.where(np.isnan(a), 1, a)
    return initial * np.prod(chosen(there, where, 1), axis, dtype, keepdims=keepdims)


@composed(existing("max", "amax"))
def max_of_chosen(
    a: Any, axis: Any = None, *, keepdims: Any = False, initial: Any, where: Any = True
) -> Any:
    return np.maximum(
        np.max(chosen(a, where, initial), axis, keepdims=keepdims), initial
    )


@composed(existing("min", "amin"))
def min_of_chosen(
    a: Any, axis: Any = None, *, keepdims: Any = False, initial: Any, where: Any = True
) -> Any:
    return np.minimum(
        np.min(chosen(a, where, initial), axis, keepdims=keepdims), initial
    )


@composed(np.nanmax)
def nanmax_of_chosen(
    a: Any, axis: Any = None, *, keepdims: Any = False, initial: Any, where: Any = True
) -> Any:
    return np.fmax(
        np.nanmax(chosen(a, where, initial), axis, keepdims=keepdims), initial
    )


@composed(np.nanmin)
def nanmin_of_chosen(
    a: Any, axis: Any = None, *, keepdims: Any = False, initial: Any, where: Any = True
) -> Any:
    return np.fmin(
        np.nanmin(chosen(a, where, initial), axis, keepdims=keepdims), initial
    )


# ---------------------------------------------------------------- means and spread


@composed(np.mean)
def mean_of_chosen(
    a: Any,
    axis: Any = None,
    dtype: Any = None,
    *,
    keepdims: Any = False,
    where: Any = True,
) -> Any:
    total = np.sum(chosen(a, where, 0), axis, dtype, keepdims=keepdims)
    return total / number_chosen(a, axis, where, keepdims, total.dtype)


@composed(np.nanmean)
def nanmean_of_chosen(
    a: Any,
    axis: Any = None,
    dtype: Any = None,
    *,
    keepdims: Any = False,
    where: Any = True,
) -> Any:
    there = ~np.isnan(a) & where
    return mean_of_chosen(a, axis, dtype, keepdims=keepdims, where=there)


@composed(np.average)
def average_and_weight(
    a: Any,
    axis: Any = None,
    weights: Any = None,
    returned: Any = False,
    *,
    keepdims: Any = False,
) -> Any:
    average = np.average(a, axis, weights, keepdims=keepdims)
    if not returned:
        return average
    if weights is None:
        all_one = np.ones_like(a)
        return average, np.sum(all_one, axis, keepdims=keepdims)
    spread_out = np.broadcast_to(aligned(weights, a, axis), np.shape(a))
    return average, np.sum(spread_out, axis, keepdims=keepdims)


@composed(np.var)
def var_of_chosen(
    a: Any,
    axis: Any = None,
    dtype: Any = None,
    *,
    ddof: Any = 0,
    keepdims: Any = False,
    where: Any = True,
    mean: Any = None,
    correction: Any = None,
) -> Any:
    if correction is not None:
        return var_of_chosen(
            a, axis, dtype, ddof=correction, keepdims=keepdims, where=where, mean=mean
        )
    if mean is None and all_count(where):
        return np.var(a, axis, dtype, ddof=ddof, keepdims=keepdims)
    if mean is None:
        centre = mean_of_chosen(a, axis, dtype, keepdims=True, where=where)
    else:
        centre = mean
    if np.iscomplexobj(a):
        squares = np.abs(a - centre) ** 2
    else:
        squares = (a - centre) ** 2
    total = np.sum(chosen(squares, where, 0), axis, dtype, keepdims=keepdims)
    return total / (number_chosen(a, axis, where, keepdims, total.dtype) - ddof)


@composed(np.std)
def std_of_chosen(
    a: Any,
    axis: Any = None,
    dtype: Any = None,
    *,
    ddof: Any = 0,
    keepdims: Any = False,
    where: Any = True,
    mean: Any = None,
    correction: Any = None,
) -> Any:
    if mean is None and all_count(where):
        return np.std(a, axis, dtype, ddof=correction, keepdims=keepdims)
    return root_or_zero(
        var_of_chosen(
            a,
            axis,
            dtype,
            ddof=ddof,
            keepdims=keepdims,
            where=where,
            mean=mean,
            correction=correction,
        )
    )


def root_or_zero(variance: Any) -> Any:
    """The square root, whose derivative is 0 at 0 as that of `np.std` is."""
    return np.where(variance == 0, 0, np.sqrt(variance))


@composed(np.nanvar)
def nanvar(
    a: Any,
    axis: Any = None,
    dtype: Any = None,
    ddof: Any = 0,
    keepdims: Any = False,
    *,
    where: Any = True,
    mean: Any = None,
    correction: Any = None,
) -> Any:
    return var_of_chosen(
        a,
        axis,
        dtype,
        ddof=ddof,
        keepdims=keepdims,
        where=~np.isnan(a) & where,
        mean=mean,
        correction=correction,
    )


@composed(np.nanstd)
def nanstd(
    a: Any,
    axis: Any = None,
    dtype: Any = None,
    ddof: Any = 0,
    keepdims: Any = False,
    *,
    where: Any = True,
    mean: Any = None,
    correction: Any = None,
) -> Any:
    return root_or_zero(
        nanvar(
            a,
            axis,
            dtype,
            ddof,
            keepdims,
            where=where,
            mean=mean,
            correction=correction,
        )
    )


# ---------------------------------------------------------------- running forms


@composed(np.nancumsum)
def nancumsum(a: Any, axis: Any = None, dtype: Any = None) -> Any:
    return np.cumsum(np.where(np.isnan(a), 0, a), axis, dtype)


@composed(np.nancumprod)
def nancumprod(a: Any, axis: Any = None, dtype: Any = None) -> Any:
    return np.cumprod(np.where(np.isnan(a), 1, a), axis, dtype)


@composed(existing("cumulative_sum"))
def cumulative_sum(
    x: Any, *, axis: Any = None, dtype: Any = None, include_initial: Any = False
) -> Any:
    along = 0 if axis is None else axis
    sums = np.cumsum(x, along, dtype)
    if not include_initial:
        return sums
    return np.pad(sums, one_before(along, np.ndim(x)))


@composed(existing("cumulative_prod"))
def cumulative_prod(
    x: Any, *, axis: Any = None, dtype: Any = None, include_initial: Any = False
) -> Any:
    along = 0 if axis is None else axis
    products = np.cumprod(x, along, dtype)
    if not include_initial:
        return products
    return np.pad(products, one_before(along, np.ndim(x)), constant_values=1)


@static
def one_before(axis: int, ndim: int) -> tuple[tuple[int, int], ...]:
    """The widths for `np.pad` to put one element before all others.

    Examples
    --------
    >>> one_before(-1, 2)
    ((0, 0), (1, 0))
    """
    return tuple((int(k == axis % ndim), 0) for k in range(ndim))


@composed(np.diff)
def diff_between(
    a: Any, n: Any = 1, axis: Any = -1, prepend: Any = None, append: Any = None
) -> Any:
    longer = a
    if prepend is not None:
        longer = np.concatenate((edge(prepend, a, axis), longer), axis)
    if append is not None:
        longer = np.concatenate((longer, edge(append, a, axis)), axis)
    return np.diff(longer, n, axis)


def edge(values: Any, a: Any, axis: Any) -> Any:
    """Values to join to an array; one number stands for a whole slice."""
    if np.ndim(values) > 0:
        return values
    return np.zeros_like(np.take(a, [0], axis)) + values


@composed(np.ediff1d)
def ediff1d_between(ary: Any, to_end: Any = None, to_begin: Any = None) -> Any:
    parts = [np.diff(np.ravel(ary))]
    if to_begin is not None:
        parts = [np.ravel(to_begin), *parts]
    if to_end is not None:
        parts = [*parts, np.ravel(to_end)]
    return np.concatenate(parts)
