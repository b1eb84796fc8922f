"""Rules that move elements without arithmetic: shape, order, joining, copying."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd_compiler.rules.indexing import positions_in, scattered
from autograd_compiler.rules.registry import general, linear
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


# ---------------------------------------------------------------- joining

# A list built at run time goes the same way as one that is written out, so these
# rules ask for `len(arrays)` and not for what the items are called.


@linear(np.concatenate, wrt="arrays")
def concatenate_adjoint(
    d_y: Any,
    arrays: Any,
    axis: Any = 0,
    out: Any = None,
    *,
    dtype: Any = None,
    casting: Any = "same_kind",
) -> Any:
    if isinstance(arrays, np.ndarray):
        return unjoined_array(d_y, arrays, axis)
    if axis is None:
        return unjoined(d_y, arrays, [np.size(array) for array in arrays], 0)
    return unjoined(d_y, arrays, [np.shape(array)[axis] for array in arrays], axis)


def unjoined(d_y: Any, arrays: Any, sizes: Any, axis: Any) -> Any:
    """The parts of these sizes along an axis, in the shapes of the arrays."""
    parts = []
    start = 0
    for k in range(len(arrays)):
        stop = start + sizes[k]
        piece = part(d_y, start, stop, axis)
        parts.append(in_shape_of(piece, arrays[k], np.ndim(d_y)))
        start = stop
    return parts


def part(d_y: Any, start: Any, stop: Any, axis: Any) -> Any:
    """The elements from `start` to `stop` along an axis."""
    if axis == 0:
        return d_y[start:stop]
    if axis == 1:
        return d_y[:, start:stop]
    if axis == -1:
        return d_y[..., start:stop]
    if axis == -2:
        return d_y[..., start:stop, :]
    return np.moveaxis(np.moveaxis(d_y, axis, 0)[start:stop], 0, axis)


def unjoined_array(d_y: Any, array: Any, axis: Any) -> Any:
    """Undo the concatenation of the items of one array."""
    if axis is None or axis == 0:
        return np.reshape(d_y, np.shape(array))
    # The items' axis is made of the number of items and their own size.
    sizes = np.shape(array)
    after = axis_after(axis, np.ndim(array) - 1)
    parts = np.reshape(d_y, sizes[1:after] + sizes[:1] + sizes[after:])
    return np.moveaxis(parts, after - 1, 0)


@static
def axis_after(axis: int, ndim: int) -> int:
    return axis % ndim + 1


@linear(np.stack, wrt="arrays")
def stack_adjoint(
    d_y: Any,
    arrays: Any,
    axis: Any = 0,
    out: Any = None,
    *,
    dtype: Any = None,
    casting: Any = "same_kind",
) -> Any:
    if isinstance(arrays, np.ndarray):
        return np.moveaxis(d_y, axis, 0)
    if axis == 0:
        return [d_y[k] for k in range(len(arrays))]
    if axis == -1:
        return [d_y[..., k] for k in range(len(arrays))]
    rows = np.moveaxis(d_y, axis, 0)
    return [rows[k] for k in range(len(arrays))]


@linear(existing("unstack"), wrt="x")
def unstack_adjoint(d_y: Any, x: Any, *, axis: Any = 0) -> Any:
    return np.stack(d_y, axis)


@linear(np.vstack, wrt="tup")
def vstack_adjoint(
    d_y: Any, tup: Any, *, dtype: Any = None, casting: Any = "same_kind"
) -> Any:
    if isinstance(tup, np.ndarray):
        return np.reshape(d_y, np.shape(tup))
    return unjoined(d_y, tup, [row_count(array) for array in tup], 0)


def row_count(array: Any) -> Any:
    if np.ndim(array) < 2:
        return 1
    return np.shape(array)[0]


@linear(np.hstack, wrt="tup")
def hstack_adjoint(
    d_y: Any, tup: Any, *, dtype: Any = None, casting: Any = "same_kind"
) -> Any:
    if isinstance(tup, np.ndarray):
        return unjoined_array(d_y, tup, 0 if np.ndim(tup) < 3 else 1)
    if np.ndim(tup[0]) < 2:
        return unjoined(d_y, tup, [np.size(array) for array in tup], 0)
    return unjoined(d_y, tup, [np.shape(array)[1] for array in tup], 1)


@linear(np.dstack, wrt="tup")
def dstack_adjoint(d_y: Any, tup: Any) -> Any:
    if isinstance(tup, np.ndarray):
        raise TypeError("np.dstack of one array: pass a list of arrays")
    return unjoined(d_y, tup, [depth(array) for array in tup], 2)


def depth(array: Any) -> Any:
    if np.ndim(array) < 3:
        return 1
    return np.shape(array)[2]


@linear(np.column_stack, wrt="tup")
def column_stack_adjoint(d_y: Any, tup: Any) -> Any:
    if isinstance(tup, np.ndarray):
        raise TypeError("np.column_stack of one array: pass a list of arrays")
    return unjoined(d_y, tup, [column_count(array) for array in tup], 1)


def column_count(array: Any) -> Any:
    if np.ndim(array) < 2:
        return 1
    return np.shape(array)[1]


@linear(np.block, wrt="arrays")
def block_adjoint(d_y: Any, arrays: Any) -> Any:
    return unjoined_blocks(d_y, arrays, -nesting(arrays), np.ndim(d_y))


def nesting(item: Any) -> Any:
    """How many lists are around the arrays."""
    if isinstance(item, list):
        return 1 + nesting(item[0])
    return 0


def unjoined_blocks(d_y: Any, item: Any, axis: Any, ndim: Any) -> Any:
    if isinstance(item, list):
        parts = []
        start = 0
        for k in range(len(item)):
            stop = start + extent(item[k], axis)
            piece = part(d_y, start, stop, axis)
            parts.append(unjoined_blocks(piece, item[k], axis + 1, ndim))
            start = stop
        return parts
    return in_shape_of(d_y, item, ndim)


def extent(item: Any, axis: Any) -> Any:
    """The size of a block along an axis that is counted from the end."""
    if isinstance(item, list):
        return extent(item[0], axis)
    if np.ndim(item) < -axis:
        return 1
    return np.shape(item)[axis]


@linear(np.append, wrt="arr values")
def append_adjoint(d_y: Any, arr: Any, values: Any, axis: Any = None) -> Any:
    if axis is None:
        d_arr = np.reshape(d_y[: np.size(arr)], np.shape(arr))
        return d_arr, np.reshape(d_y[np.size(arr) :], np.shape(values))
    own = np.shape(arr)[axis]
    return part(d_y, 0, own, axis), part(d_y, own, np.shape(d_y)[axis], axis)


@linear(np.insert, wrt="arr values")
def insert_adjoint(d_y: Any, arr: Any, obj: Any, values: Any, axis: Any = None) -> Any:
    # Insert the positions of the values instead of the values, among -1: it shows
    # where each went, whatever was broadcast, and where the array's elements are.
    sources = np.insert(np.full(np.shape(arr), -1), obj, positions_in(values), axis)
    d_arr = np.reshape(d_y[sources < 0], np.shape(arr))
    return d_arr, scattered(d_y[sources >= 0], sources[sources >= 0], values)


@linear(np.delete, wrt="arr")
def delete_adjoint(d_y: Any, arr: Any, obj: Any, axis: Any = None) -> Any:
    return scattered(d_y, np.delete(positions_in(arr), obj, axis), arr)


# ---------------------------------------------------------------- splitting


@linear((np.split, np.array_split), wrt="ary")
def split_adjoint(d_y: Any, ary: Any, indices_or_sections: Any, axis: Any = 0) -> Any:
    return np.concatenate(d_y, axis)


@linear(np.hsplit, wrt="ary")
def hsplit_adjoint(d_y: Any, ary: Any, indices_or_sections: Any) -> Any:
    if np.ndim(ary) == 1:
        return np.concatenate(d_y)
    return np.concatenate(d_y, 1)


@linear(np.vsplit, wrt="ary")
def vsplit_adjoint(d_y: Any, ary: Any, indices_or_sections: Any) -> Any:
    return np.concatenate(d_y)


@linear(np.dsplit, wrt="ary")
def dsplit_adjoint(d_y: Any, ary: Any, indices_or_sections: Any) -> Any:
    return np.concatenate(d_y, 2)


# ---------------------------------------------------------------- repetition


@linear(np.tile, wrt="A")
def tile_adjoint(d_y: Any, A: Any, reps: Any) -> Any:
    if not isinstance(reps, (tuple, list)):
        if np.ndim(A) == 0:
            return np.sum(d_y)
        if np.ndim(A) == 1:
            return np.sum(np.reshape(d_y, (reps, np.shape(A)[0])), 0)
        return untiled(d_y, A, [reps])
    return untiled(d_y, A, reps)


def untiled(d_y: Any, A: Any, reps: Any) -> Any:
    # Each axis of the result is an axis of copies and one of A, the outer one first.
    parts = [
        tile_size(A, reps, half // 2 - np.ndim(d_y), half % 2)
        for half in range(2 * np.ndim(d_y))
    ]
    copies = np.reshape(d_y, parts)
    return np.reshape(np.sum(copies, even_axes(np.ndim(d_y))), np.shape(A))


def tile_size(A: Any, reps: Any, axis: Any, inner: Any) -> Any:
    """The number of copies along an axis counted from the end, or A's own size."""
    if inner:
        if -axis > np.ndim(A):
            return 1
        return np.shape(A)[axis]
    if -axis > len(reps):
        return 1
    return reps[axis]


@static
def even_axes(count: int) -> tuple[int, ...]:
    return tuple(range(0, 2 * count, 2))


@linear(np.repeat, wrt="a")
def repeat_adjoint(d_y: Any, a: Any, repeats: Any, axis: Any = None) -> Any:
    if isinstance(repeats, (tuple, list)) or np.ndim(repeats) > 0:
        return scattered(d_y, np.repeat(positions_in(a), repeats, axis), a)
    if axis is None:
        copies = np.reshape(d_y, (np.size(a), repeats))
        return in_shape_of(np.sum(copies, 1), a, 1)
    if np.ndim(a) == 1:
        return np.sum(np.reshape(d_y, (np.shape(a)[0], repeats)), 1)
    after = axis_after(axis, np.ndim(a))
    shape = np.shape(a)[:after] + (repeats,) + np.shape(a)[after:]
    return np.sum(np.reshape(d_y, shape), after)


@linear(np.resize, wrt="a")
def resize_adjoint(d_y: Any, a: Any, new_shape: Any) -> Any:
    return scattered(d_y, np.resize(np.arange(np.size(a)), new_shape), a)


# ---------------------------------------------------------------- padding


def pad_tangent(
    array: Any,
    pad_width: Any,
    mode: Any,
    constant_values: Any,
    reflect_type: Any,
    d_array: Any,
) -> Any:
    if mode == "constant":
        return np.pad(d_array, pad_width)
    if pads_with_copies(mode, reflect_type):
        return np.pad(d_array, pad_width, mode)
    raise TypeError(
        "np.pad: only the modes 'constant', 'edge', 'wrap', and 'reflect' and "
        "'symmetric' of even type are differentiated"
    )


@static
def pads_with_copies(mode: str, reflect_type: str) -> bool:
    """Whether what is put around an array are copies of its elements."""
    copying = mode in ("edge", "wrap", "reflect", "symmetric")
    return copying and reflect_type == "even"


@general(np.pad, wrt="array", tangent=pad_tangent)
def pad_adjoint(
    d_y: Any,
    array: Any,
    pad_width: Any,
    mode: Any = "constant",
    *,
    constant_values: Any = 0,
    reflect_type: Any = "even",
) -> Any:
    if mode == "constant":
        return unpadded(d_y, array, pad_width)
    if pads_with_copies(mode, reflect_type):
        # Pad the positions: what each element of the result is a copy of.
        return scattered(d_y, np.pad(positions_in(array), pad_width, mode), array)
    raise TypeError(
        "np.pad: only the modes 'constant', 'edge', 'wrap', and 'reflect' and "
        "'symmetric' of even type are differentiated"
    )


def unpadded(d_y: Any, array: Any, pad_width: Any) -> Any:
    if np.ndim(array) == 1:
        start = pad_before(pad_width, 0)
        return d_y[start : start + np.shape(array)[0]]
    if np.ndim(array) == 2:
        top = pad_before(pad_width, 0)
        left = pad_before(pad_width, 1)
        height = np.shape(array)[0]
        width = np.shape(array)[1]
        return d_y[top : top + height, left : left + width]
    return d_y[
        tuple(
            [
                slice(
                    pad_before(pad_width, axis),
                    pad_before(pad_width, axis) + np.shape(array)[axis],
                )
                for axis in range(np.ndim(array))
            ]
        )
    ]


def pad_before(pad_width: Any, axis: Any) -> Any:
    """How many elements are put before those of an axis."""
    if isinstance(pad_width, dict):
        raise TypeError("np.pad: write pad_width as a tuple of pairs, not as a dict")
    if isinstance(pad_width, (tuple, list)):
        if isinstance(pad_width[0], (tuple, list)):
            if len(pad_width) == 1:
                return pad_width[0][0]
            return pad_width[axis][0]
        return pad_width[0]
    if np.ndim(pad_width) > 0:
        raise TypeError("np.pad: write pad_width as a tuple of pairs, not as an array")
    return pad_width


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
