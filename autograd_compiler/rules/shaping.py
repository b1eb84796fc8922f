"""Rules that move elements without arithmetic: shape, order, diagonals, copies."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd_compiler.rules.registry import linear
from autograd_compiler.rules.static import (
    existing,
    inverse_permutation,
    other_axes,
    static,
)

# ---------------------------------------------------------------- shape


@linear(np.reshape, wrt="a")
def reshape_adjoint(
    d_y: Any, a: Any, shape: Any, order: Any = "C", *, copy: Any = None
) -> Any:
    if order == "C":
        return np.reshape(d_y, np.shape(a))
    if order == "F":
        return np.reshape(d_y, np.shape(a), order="F")
    raise TypeError("np.reshape: only order='C' and order='F' are differentiated")


@linear(np.ravel, wrt="a")
def ravel_adjoint(d_y: Any, a: Any, order: Any = "C") -> Any:
    if order == "C":
        return np.reshape(d_y, np.shape(a))
    if order == "F":
        return np.reshape(d_y, np.shape(a), order="F")
    raise TypeError("np.ravel: only order='C' and order='F' are differentiated")


@linear(np.transpose, wrt="a")
def transpose_adjoint(d_y: Any, a: Any, axes: Any = None) -> Any:
    if axes is None:
        return d_y.T
    return np.transpose(d_y, inverse_permutation(axes))


@linear(existing("matrix_transpose", "linalg.matrix_transpose"), wrt="x")
def matrix_transpose_adjoint(d_y: Any, x: Any) -> Any:
    if np.ndim(x) == 2:
        return d_y.T
    return np.swapaxes(d_y, -1, -2)


@linear(np.swapaxes, wrt="a")
def swapaxes_adjoint(d_y: Any, a: Any, axis1: Any, axis2: Any) -> Any:
    return np.swapaxes(d_y, axis1, axis2)


@linear(np.moveaxis, wrt="a")
def moveaxis_adjoint(d_y: Any, a: Any, source: Any, destination: Any) -> Any:
    return np.moveaxis(d_y, destination, source)


@static
def rolled_to(axis: int, start: int, ndim: int) -> int:
    """Where `np.rollaxis` puts the axis."""
    axis = axis % ndim
    start = start + ndim if start < 0 else start
    return start - 1 if axis < start else start


@linear(np.rollaxis, wrt="a")
def rollaxis_adjoint(d_y: Any, a: Any, axis: Any, start: Any = 0) -> Any:
    return np.moveaxis(d_y, rolled_to(axis, start, np.ndim(a)), axis)


@linear(np.expand_dims, wrt="a")
def expand_dims_adjoint(d_y: Any, a: Any, axis: Any) -> Any:
    return np.squeeze(d_y, axis)


@linear(np.squeeze, wrt="a")
def squeeze_adjoint(d_y: Any, a: Any, axis: Any = None) -> Any:
    if axis is None:
        return np.reshape(d_y, np.shape(a))
    return np.expand_dims(d_y, axis)


@linear((np.atleast_1d, np.atleast_2d, np.atleast_3d), wrt="arys")
def atleast_adjoint(d_y: Any, *arys: Any) -> Any:
    if len(arys) == 1:
        return [in_shape_of(d_y, arys[0], np.ndim(d_y))]
    return [in_shape_of(d_y[k], arys[k], np.ndim(d_y[k])) for k in range(len(arys))]


def in_shape_of(part: Any, array: Any, ndim: Any) -> Any:
    """Drop the axes of size 1 that an array of fewer dimensions was given."""
    if np.ndim(array) == ndim:
        return part
    return np.reshape(part, np.shape(array))


@linear(np.broadcast_to, wrt="array")
def broadcast_to_adjoint(d_y: Any, array: Any, shape: Any, subok: Any = False) -> Any:
    return d_y


@linear(np.broadcast_arrays, wrt="args")
def broadcast_arrays_adjoint(d_y: Any, *args: Any, subok: Any = False) -> Any:
    return [d_y[k] for k in range(len(args))]


@linear(np.meshgrid, wrt="xi")
def meshgrid_adjoint(
    d_y: Any, *xi: Any, copy: Any = True, sparse: Any = False, indexing: Any = "xy"
) -> Any:
    return [
        in_shape_of(np.sum(d_y[k], grid_axes(k, len(xi), indexing)), xi[k], 1)
        for k in range(len(xi))
    ]


@static
def grid_axes(k: int, count: int, indexing: str) -> tuple[int, ...]:
    """The axes along which the `k`-th grid repeats itself."""
    own = 1 - k if indexing == "xy" and k < 2 <= count else k
    return other_axes(own, count)


# ---------------------------------------------------------------- order


@linear(np.roll, wrt="a")
def roll_adjoint(d_y: Any, a: Any, shift: Any, axis: Any = None) -> Any:
    if isinstance(shift, (tuple, list)):
        return np.roll(d_y, [-step for step in shift], axis)
    return np.roll(d_y, -shift, axis)


@linear(np.flip, wrt="m")
def flip_adjoint(d_y: Any, m: Any, axis: Any = None) -> Any:
    return np.flip(d_y, axis)


@linear(np.fliplr, wrt="m")
def fliplr_adjoint(d_y: Any, m: Any) -> Any:
    return np.fliplr(d_y)


@linear(np.flipud, wrt="m")
def flipud_adjoint(d_y: Any, m: Any) -> Any:
    return np.flipud(d_y)


@linear(np.rot90, wrt="m")
def rot90_adjoint(d_y: Any, m: Any, k: Any = 1, axes: Any = (0, 1)) -> Any:
    return np.rot90(d_y, -k, axes)


# ---------------------------------------------------------------- diagonals


@linear(np.diag, wrt="v")
def diag_adjoint(d_y: Any, v: Any, k: Any = 0) -> Any:
    if np.ndim(v) == 1:
        return np.diag(d_y, k)
    d_v = np.zeros_like(v)
    along = np.arange(np.shape(d_y)[0])
    if k == 0:
        d_v[along, along] = d_y
    else:
        d_v[along + max(-k, 0), along + max(k, 0)] = d_y
    return d_v


@linear(np.diagonal, wrt="a")
def diagonal_adjoint(
    d_y: Any, a: Any, offset: Any = 0, axis1: Any = 0, axis2: Any = 1
) -> Any:
    if np.ndim(a) == 2 and axis1 == 0 and axis2 == 1:
        return on_diagonal(d_y, a, offset)
    matrices = np.moveaxis(a, (axis1, axis2), (-2, -1))
    return np.moveaxis(on_diagonal(d_y, matrices, offset), (-2, -1), (axis1, axis2))


@linear(existing("linalg.diagonal"), wrt="x")
def linalg_diagonal_adjoint(d_y: Any, x: Any, *, offset: Any = 0) -> Any:
    return on_diagonal(d_y, x, offset)


def on_diagonal(d_y: Any, matrices: Any, offset: Any) -> Any:
    """Zeros in the shape of the matrices, with `d_y` on their diagonals."""
    filled = np.zeros_like(matrices)
    along = np.arange(np.shape(d_y)[-1])
    if offset == 0:
        filled[..., along, along] = d_y
    else:
        filled[..., along + max(-offset, 0), along + max(offset, 0)] = d_y
    return filled


@linear(np.diagflat, wrt="v")
def diagflat_adjoint(d_y: Any, v: Any, k: Any = 0) -> Any:
    return np.reshape(np.diag(d_y, k), np.shape(v))


@linear(np.tril, wrt="m")
def tril_adjoint(d_y: Any, m: Any, k: Any = 0) -> Any:
    return np.tril(d_y, k)


@linear(np.triu, wrt="m")
def triu_adjoint(d_y: Any, m: Any, k: Any = 0) -> Any:
    return np.triu(d_y, k)


@linear(existing("linalg.trace"), wrt="x")
def linalg_trace_adjoint(
    d_y: Any, x: Any, *, offset: Any = 0, dtype: Any = None
) -> Any:
    ones = np.eye(np.shape(x)[-2], np.shape(x)[-1], offset, dtype=x.dtype)
    if np.ndim(x) == 2:
        return d_y * ones
    return np.expand_dims(d_y, (-2, -1)) * ones


# ---------------------------------------------------------------- copies


@linear(np.array, wrt="object")
def array_adjoint(
    d_y: Any,
    object: Any,
    dtype: Any = None,
    *,
    copy: Any = True,
    order: Any = "K",
    subok: Any = False,
    ndmin: Any = 0,
    ndmax: Any = 0,
    like: Any = None,
) -> Any:
    return taken_apart(d_y, object, dtype)


@linear((np.asarray, np.asanyarray, np.asarray_chkfinite), wrt="a")
def asarray_adjoint(
    d_y: Any,
    a: Any,
    dtype: Any = None,
    order: Any = None,
    *,
    device: Any = None,
    copy: Any = None,
    like: Any = None,
) -> Any:
    return taken_apart(d_y, a, dtype)


@linear((np.ascontiguousarray, np.asfortranarray), wrt="a")
def ascontiguousarray_adjoint(
    d_y: Any, a: Any, dtype: Any = None, *, like: Any = None
) -> Any:
    return taken_apart(d_y, a, dtype)


def taken_apart(d_y: Any, item: Any, dtype: Any) -> Any:
    """What belongs to each number or array in nested lists."""
    if isinstance(item, (tuple, list)):
        return [taken_apart(d_y[k], item[k], dtype) for k in range(len(item))]
    if dtype is not None and isinstance(item, np.ndarray):
        return d_y.astype(item.dtype)
    return d_y


@linear(np.require, wrt="a")
def require_adjoint(
    d_y: Any, a: Any, dtype: Any = None, requirements: Any = None, *, like: Any = None
) -> Any:
    return taken_apart(d_y, a, dtype)


@linear(np.copy, wrt="a")
def copy_adjoint(d_y: Any, a: Any, order: Any = "K", subok: Any = False) -> Any:
    return d_y


@linear(existing("astype"), wrt="x")
def astype_adjoint(
    d_y: Any, x: Any, dtype: Any, *, copy: Any = True, device: Any = None
) -> Any:
    if np.ndim(x) == 0:
        return d_y
    return d_y.astype(x.dtype)
