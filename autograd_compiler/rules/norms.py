"""Rules of norms of vectors and matrices.

The norm of zero has the gradient zero, the subgradient of least norm; where several
elements, rows or singular values tie for an extreme, they share it evenly.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd_compiler.rules.linalg import as_row, reciprocal_or_zero
from autograd_compiler.rules.products import conjugate
from autograd_compiler.rules.registry import composed, general
from autograd_compiler.rules.static import as_tuple, existing, static


def norm_tangent(y: Any, x: Any, ord: Any, axis: Any, keepdims: Any, d_x: Any) -> Any:
    if axis is None or keepdims:
        slope = norm_slope(y, x, ord, axis)
    else:
        slope = norm_slope(np.expand_dims(y, axis), x, ord, axis)
    return summed(real_part(slope * d_x), axis, keepdims)


@general(np.linalg.norm, wrt="x", tangent=norm_tangent)
def norm_adjoint(
    d_y: Any, y: Any, x: Any, ord: Any = None, axis: Any = None, keepdims: Any = False
) -> Any:
    if axis is None or keepdims:
        return d_y * norm_slope(y, x, ord, axis)
    slope = norm_slope(np.expand_dims(y, axis), x, ord, axis)
    return np.expand_dims(d_y, axis) * slope


def vector_norm_tangent(
    y: Any, x: Any, axis: Any, keepdims: Any, ord: Any, d_x: Any
) -> Any:
    if axis is None or keepdims:
        slope = vector_slope(y, x, ord, axis)
    else:
        slope = vector_slope(np.expand_dims(y, axis), x, ord, axis)
    return summed(real_part(slope * d_x), axis, keepdims)


@general(existing("linalg.vector_norm"), wrt="x", tangent=vector_norm_tangent)
def vector_norm_adjoint(
    d_y: Any,
    y: Any,
    x: Any,
    *,
    axis: Any = None,
    keepdims: Any = False,
    ord: Any = 2,
) -> Any:
    if axis is None or keepdims:
        return d_y * vector_slope(y, x, ord, axis)
    slope = vector_slope(np.expand_dims(y, axis), x, ord, axis)
    return np.expand_dims(d_y, axis) * slope


def matrix_norm_tangent(y: Any, x: Any, keepdims: Any, ord: Any, d_x: Any) -> Any:
    return norm_tangent(y, x, ord, (-2, -1), keepdims, d_x)


@general(existing("linalg.matrix_norm"), wrt="x", tangent=matrix_norm_tangent)
def matrix_norm_adjoint(
    d_y: Any, y: Any, x: Any, *, keepdims: Any = False, ord: Any = "fro"
) -> Any:
    return norm_adjoint(d_y, y, x, ord, (-2, -1), keepdims)


def norm_slope(y: Any, x: Any, ord: Any, axis: Any) -> Any:
    """The derivative of a norm in each element; `y` has the axes kept."""
    if norm_is_of_elements(ord):
        return vector_slope(y, x, 2, axis)
    if norm_is_of_vectors(axis, np.ndim(x)):
        return vector_slope(y, x, ord, axis)
    return matrix_slope(x, ord, matrix_axes(axis))


@static
def norm_is_of_elements(ord: Any) -> bool:
    return ord is None or ord in ("fro", "f")


@static
def norm_is_of_vectors(axis: Any, ndim: int) -> bool:
    return ndim == 1 if axis is None else len(as_tuple(axis)) == 1


@static
def matrix_axes(axis: Any) -> tuple[int, int]:
    return (0, 1) if axis is None else (axis[0], axis[1])


def vector_slope(y: Any, x: Any, ord: Any, axis: Any) -> Any:
    if ord == 2:
        return conjugate(x) / np.where(y == 0, 1, y)
    if ord == 1:
        return unit(x)
    if ord == 0:
        return np.zeros_like(x)
    if abs(ord) == np.inf:
        extreme = np.abs(x) == y
        return unit(x) * extreme / np.sum(extreme, axis, dtype=y.dtype, keepdims=True)
    return unit(x) * (np.abs(x) / np.where(y == 0, 1, y)) ** (ord - 1)


def unit(x: Any) -> Any:
    """The derivative of `abs(x)`."""
    if np.iscomplexobj(x):
        return np.conj(x) * reciprocal_or_zero(np.abs(x))
    return np.sign(x)


def matrix_slope(x: Any, ord: Any, axes: Any) -> Any:
    if ord == "nuc" or abs(ord) == 2:
        if np.ndim(x) == 2:
            return singular_slope(x, ord)
        moved = np.moveaxis(x, axes, (-2, -1))
        return np.moveaxis(singular_slope(moved, ord), (-2, -1), axes)
    if abs(ord) == 1:
        return line_slope(x, ord, axes[0], axes[1])
    return line_slope(x, ord, axes[1], axes[0])


def line_slope(x: Any, ord: Any, along: Any, across: Any) -> Any:
    """The derivative of the largest (smallest) sum of a line of absolute values."""
    sums = np.sum(np.abs(x), along, keepdims=True)
    if ord > 0:
        extreme = sums == np.max(sums, across, keepdims=True)
    else:
        extreme = sums == np.min(sums, across, keepdims=True)
    return unit(x) * extreme / np.sum(extreme, across, dtype=sums.dtype, keepdims=True)


def singular_slope(x: Any, ord: Any) -> Any:
    u, s, vh = np.linalg.svd(x, full_matrices=False)
    # The sign leaves out singular values of zero.
    if ord == "nuc":
        weights = np.sign(s)
    elif ord > 0:
        extreme = s == s[..., :1]
        weights = (
            np.sign(s) * extreme / np.sum(extreme, -1, dtype=s.dtype, keepdims=True)
        )
    else:
        extreme = s == s[..., -1:]
        weights = (
            np.sign(s) * extreme / np.sum(extreme, -1, dtype=s.dtype, keepdims=True)
        )
    return conjugate((u * as_row(weights)) @ vh)


def summed(x: Any, axis: Any, keepdims: Any) -> Any:
    if keepdims:
        return np.sum(x, axis, keepdims=True)
    if axis is None:
        return np.sum(x)
    return np.sum(x, axis)


def real_part(x: Any) -> Any:
    if np.iscomplexobj(x):
        return np.real(x)
    return x


@composed(np.linalg.cond)
def cond(x: Any, p: Any = None) -> Any:
    if p is None or p == 2:
        s = np.linalg.svd(x, compute_uv=False)
        return s[..., 0] / s[..., -1]
    if p == -2:
        s = np.linalg.svd(x, compute_uv=False)
        return s[..., -1] / s[..., 0]
    of_inverse = np.linalg.norm(np.linalg.inv(x), p, (-2, -1))
    return np.linalg.norm(x, p, (-2, -1)) * of_inverse
