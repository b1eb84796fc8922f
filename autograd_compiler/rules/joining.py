"""Rules that make arrays of the elements of others: joined, split, repeated, padded."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np

from autograd_compiler.rules.indexing import positions_in, scattered
from autograd_compiler.rules.registry import general, linear
from autograd_compiler.rules.shaping import in_shape_of
from autograd_compiler.rules.static import existing, static

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
    return unjoined(d_y, tup, [size_along(2, array) for array in tup], 2)


def size_along(axis: Any, array: Any) -> Any:
    if np.ndim(array) <= axis:
        return 1
    return np.shape(array)[axis]


@linear(np.column_stack, wrt="tup")
def column_stack_adjoint(d_y: Any, tup: Any) -> Any:
    if isinstance(tup, np.ndarray):
        raise TypeError("np.column_stack of one array: pass a list of arrays")
    return unjoined(d_y, tup, [size_along(1, array) for array in tup], 1)


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
    if isinstance(reps, np.ndarray) and np.ndim(reps) > 0:
        raise TypeError("np.tile: write reps as a tuple, not as an array")
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
    d_array: Any = 0.0,
    d_constant_values: Any = 0.0,
) -> Any:
    if mode == "constant":
        return np.pad(d_array, pad_width, constant_values=d_constant_values)
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


@general(np.pad, wrt="array constant_values", tangent=pad_tangent)
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
        d_array = unpadded(d_y, array, pad_width)
        return d_array, d_constants(d_y, d_array, array, pad_width, constant_values)
    if pads_with_copies(mode, reflect_type):
        # Pad the positions: what each element of the result is a copy of.
        copied = np.pad(positions_in(array), pad_width, mode)
        return scattered(d_y, copied, array), 0.0
    raise TypeError(
        "np.pad: only the modes 'constant', 'edge', 'wrap', and 'reflect' and "
        "'symmetric' of even type are differentiated"
    )


def d_constants(
    d_y: Any, d_array: Any, array: Any, pad_width: Any, constant_values: Any
) -> Any:
    """The sum over where each constant is, which numbers in their place tell."""
    if not isinstance(constant_values, (tuple, list)):
        return np.sum(d_y) - np.sum(d_array)
    numbers = numbered(constant_values, 1)
    places = np.pad(np.zeros(np.shape(array), int), pad_width, constant_values=numbers)
    return sums_at(d_y, places, numbers)


@static
def numbered(form: Any, first: int) -> Any:
    """Nested tuples with their numbers counted: 1, 2 and so on."""
    count = itertools.count(first)

    def number(item: Any) -> Any:
        if isinstance(item, (tuple, list)):
            return tuple(number(part) for part in item)
        return next(count)

    return number(form)


def sums_at(d_y: Any, places: Any, numbers: Any) -> Any:
    if isinstance(numbers, (tuple, list)):
        return [sums_at(d_y, places, numbers[k]) for k in range(len(numbers))]
    return np.sum(np.where(places == numbers, d_y, 0))


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
