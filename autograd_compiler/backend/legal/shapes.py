"""Shapes: what Numba lacks is written with indices, broadcasts and reshapes."""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING, Any

import numpy as np

from autograd_compiler import ir
from autograd_compiler.backend.legal.arguments import (
    ALL,
    Given,
    at_axis,
    axes_of,
    constant,
    is_array,
    is_integer,
    keep_axes,
    name_of,
    only,
    type_of,
)
from autograd_compiler.types import Array, ListOf, Scalar, dtype_of, ndim

if TYPE_CHECKING:
    from autograd_compiler.backend.legalise import Legaliser

_REVERSED = ir.Slice(ir.Const(None), ir.Const(None), ir.Const(-1))


def reshape(low: Legaliser, op: ir.Apply, given: Given) -> ir.Operand | None:
    """Numba reshapes contiguous arrays in C order only."""
    array = given["a"]
    shape = given.get("shape", given.get("newshape"))
    if shape is None:
        return None
    order = constant(given.get("order"), "C")
    rank = ndim(type_of(array))
    if isinstance(type_of(array), Scalar):
        return low.call(np.full, shape, array)
    if order == "C":
        return low.call(np.reshape, low.call(np.ascontiguousarray, array), shape)
    if order != "F" or rank is None:
        raise low.refuse(f"reshape with order={order!r}", "use order='C' or 'F'")
    parts = shape.items if isinstance(shape, ir.Pack) else (shape,)
    backwards = low.call(np.ascontiguousarray, low.call(np.transpose, array))
    turned = low.call(np.reshape, backwards, ir.Pack(tuple(reversed(parts))))
    return low.call(np.transpose, turned)


def ravel(low: Legaliser, op: ir.Apply, given: Given) -> ir.Operand | None:
    order = constant(given.get("order"), "C")
    if order == "C":
        return low.call(np.ravel, given["a"])
    if order == "F":
        return low.call(np.ravel, low.call(np.transpose, given["a"]))
    raise low.refuse(f"ravel with order={order!r}", "use order='C' or 'F'")


def squeeze(low: Legaliser, op: ir.Apply, given: Given) -> ir.Operand | None:
    array, kind = given["a"], type_of(given["a"])
    if isinstance(kind, Scalar):
        return array
    if not isinstance(kind, Array):
        raise low.refuse(
            "squeeze of a value whose rank is not known", "index it instead"
        )
    if constant(given.get("axis")) is None:
        if any(d is None or not (d.is_one or d.is_not_one) for d in kind.dims):
            raise low.refuse("squeeze of sizes known at run time only", "give the axis")
        axes = tuple(k for k, d in enumerate(kind.dims) if d and d.is_one)
    else:
        found = axes_of(low, given["axis"], kind.ndim)
        if found is None:
            raise low.refuse("squeeze of a computed axis", "write the number")
        axes = found
        for axis in axes:
            size = low.size(array, axis)
            if not isinstance(size, ir.Const):
                message = "cannot squeeze an axis whose size is not 1"
                low.ensure(low.call(operator.eq, size, 1), message)
    if not axes:
        return array
    parts = tuple(0 if axis in axes else ALL for axis in range(max(axes) + 1))
    return low.load(array, *parts)


def expand_dims(low: Legaliser, op: ir.Apply, given: Given) -> ir.Operand | None:
    array, axis = given["a"], constant(given.get("axis"))
    rank = ndim(type_of(array))
    if isinstance(axis, tuple) and rank is not None:
        axes = axes_of(low, given["axis"], rank + len(axis))
        assert axes is not None
        if rank == 0:
            return low.call(np.full, (1,) * len(axes), array)
        return keep_axes(low, array, axes)
    if rank == 0:
        return low.call(np.full, (1,), array)
    return None


def transpose_last(low: Legaliser, op: ir.Apply, given: Given) -> ir.Operand | None:
    return low.call(np.swapaxes, given["x"], -1, -2)


def flip(low: Legaliser, op: ir.Apply, given: Given) -> ir.Operand | None:
    rank = ndim(type_of(given["m"]))
    axes = None if rank is None else axes_of(low, given.get("axis"), rank)
    if axes is None:
        return None
    parts = (_REVERSED if axis in axes else ALL for axis in range(max(axes) + 1))
    return low.load(given["m"], *parts)


def roll(low: Legaliser, op: ir.Apply, given: Given) -> ir.Operand | None:
    array, shift = given["a"], given["shift"]
    rank = ndim(type_of(array))
    axis = constant(given.get("axis"))
    if axis is None:
        return low.call(np.roll, array, shift)
    if not isinstance(axis, int) or rank is None or isinstance(shift, ir.Pack):
        raise low.refuse("this np.roll", "roll along one constant axis at a time")
    axis %= rank
    size = low.size(array, axis)
    # The modulus of 0 elements is not defined; nothing moves then.
    split = low.call(
        operator.mod, low.call(operator.neg, shift), low.call(max, size, 1)
    )
    none = ir.Const(None)
    tail = low.load(array, *at_axis(axis, ir.Slice(split, none, none)))
    head = low.load(array, *at_axis(axis, ir.Slice(none, split, none)))
    return low.call(np.concatenate, (tail, head), axis=axis)


def repeat(low: Legaliser, op: ir.Apply, given: Given) -> ir.Operand | None:
    array, repeats = given["a"], given["repeats"]
    rank = ndim(type_of(array))
    axis = constant(given.get("axis"))
    if axis is None:
        return low.call(np.repeat, array, repeats)
    if not isinstance(axis, int) or rank is None or not is_integer(repeats):
        raise low.refuse("this np.repeat", "repeat a constant number of times")
    axis %= rank
    sizes = [low.size(array, each) for each in range(rank)]
    wide = low.call(np.expand_dims, array, axis + 1)
    shape = (*sizes[: axis + 1], repeats, *sizes[axis + 1 :])
    copies = low.call(np.ascontiguousarray, low.call(np.broadcast_to, wide, shape))
    longer = low.call(operator.mul, sizes[axis], repeats)
    return low.call(np.reshape, copies, (*sizes[:axis], longer, *sizes[axis + 1 :]))


def tile(low: Legaliser, op: ir.Apply, given: Given) -> ir.Operand | None:
    array, reps = given["A"], given["reps"]
    rank = ndim(type_of(array))
    counts = list(reps.items) if isinstance(reps, ir.Pack) else [reps]
    if not rank or not all(map(is_integer, counts)):
        raise low.refuse("this np.tile", "use np.broadcast_to and np.reshape")
    while len(counts) < rank:
        counts.insert(0, ir.Const(1))
    for _ in range(len(counts) - rank):
        array = low.call(np.expand_dims, array, 0)
    sizes = [low.size(array, axis) for axis in range(len(counts))]
    wide = array
    for axis in range(len(counts)):
        wide = low.call(np.expand_dims, wide, 2 * axis)
    shape = tuple(each for pair in zip(counts, sizes, strict=True) for each in pair)
    copies = low.call(np.ascontiguousarray, low.call(np.broadcast_to, wide, shape))
    return low.call(
        np.reshape,
        copies,
        tuple(
            low.call(operator.mul, count, size)
            for count, size in zip(counts, sizes, strict=True)
        ),
    )


def pad(low: Legaliser, op: ir.Apply, given: Given) -> ir.Operand | None:
    array = given["array"]
    rank = ndim(type_of(array))
    only(low, op, given, "array", "pad_width", "mode", "constant_values")
    fill = constant(given.get("constant_values"), 0)
    width = constant(given["pad_width"])
    filled = constant(given.get("mode"), "constant") == "constant"
    if not rank or width is ... or not filled or isinstance(fill, tuple):
        raise low.refuse("this np.pad", "write into an array of zeros instead")
    widths = [(int(a), int(b)) for a, b in np.broadcast_to(width, (rank, 2))]
    sizes = [low.size(array, axis) for axis in range(rank)]
    shape = tuple(
        low.minus(size, -(before + after)) if before + after else size
        for size, (before, after) in zip(sizes, widths, strict=True)
    )
    dtype = np.dtype(dtype_of(type_of(array)) or "float64").type
    out = low.call(np.full, shape, given.get("constant_values", fill), dtype=dtype)
    parts = (
        ir.Slice(
            ir.Const(before),
            low.minus(size, -before) if before else size,
            ir.Const(None),
        )
        for size, (before, _) in zip(sizes, widths, strict=True)
    )
    return low.store(out, array, *parts)


def diagonal(low: Legaliser, op: ir.Apply, given: Given) -> ir.Operand | None:
    array = given["a"] if "a" in given else given["x"]
    only(low, op, given, "a", "x", "offset")
    if ndim(type_of(array)) != 2:
        raise low.refuse("the diagonal of more than a matrix", "loop over the matrices")
    return low.call(np.diag, array, given.get("offset", 0))


def diff(low: Legaliser, op: ir.Apply, given: Given) -> ir.Operand | None:
    array = given["a"]
    rank = ndim(type_of(array))
    times = constant(given.get("n"), 1)
    axis = constant(given.get("axis"), -1)
    only(low, op, given, "a", "n", "axis")
    if rank is None or not isinstance(times, int) or not isinstance(axis, int):
        return None
    none = ir.Const(None)
    for _ in range(times):
        later = low.load(
            array, *at_axis(axis % rank, ir.Slice(ir.Const(1), none, none))
        )
        sooner = low.load(
            array, *at_axis(axis % rank, ir.Slice(none, ir.Const(-1), none))
        )
        array = low.call(operator.sub, later, sooner)
    return array


def sort(low: Legaliser, op: ir.Apply, given: Given) -> ir.Operand | None:
    if ndim(type_of(given["a"])) != 1:
        raise low.refuse("sorting along an axis of a matrix", "loop over the rows")
    return low.call(op.fn, given["a"])


def without_axis(low: Legaliser, op: ir.Apply, given: Given) -> ir.Operand | None:
    """`np.cumprod` and the like: without an axis only."""
    axis = constant(given.get("axis"))
    if axis is None or ndim(type_of(given["a"])) == 1:
        return low.call(op.fn, given["a"])
    raise low.refuse(f"`{name_of(op.fn)}` along an axis", "loop over the other axes")


def array(low: Legaliser, op: ir.Apply, given: Given) -> ir.Operand | None:
    value = given["object"]
    dtype = constant(given.get("dtype"))
    if isinstance(value, ir.Pack):
        if value.items and all(map(is_array, value.items)):
            stacked = low.call(np.stack, ir.Pack(value.items))
            return _as_dtype(low, stacked, dtype)
        return None
    kind = type_of(value)
    if isinstance(kind, ListOf) and isinstance(kind.item, Array):
        return _as_dtype(low, _stacked(low, value, kind.item), dtype)
    if isinstance(kind, Array):
        # `np.array` copies; the others give the array itself.
        same = value if op.fn is not np.array else low.call(np.copy, value)
        return _as_dtype(low, same, dtype)
    return None


def stack(low: Legaliser, op: ir.Apply, given: Given) -> ir.Operand | None:
    """Numba stacks the items of a tuple, and not those of a list."""
    kind = type_of(given["arrays"])
    if not isinstance(kind, ListOf):
        return None
    only(low, op, given, "arrays", "axis")
    if constant(given.get("axis"), 0) != 0 or not isinstance(kind.item, Array):
        raise low.refuse("this np.stack of a list", "stack along the first axis")
    return _stacked(low, given["arrays"], kind.item)


def _stacked(low: Legaliser, items: ir.Operand, kind: Array) -> ir.Var:
    count = low.call(len, items)
    message = "need at least one array to stack"
    low.ensure(low.call(operator.gt, count, 0), message)
    first = low.load(items, 0)
    first.type = kind
    sizes = (low.size(first, axis) for axis in range(kind.ndim))
    out = low.call(np.empty, (count, *sizes), dtype=np.dtype(kind.dtype).type)

    def put(k: ir.Var, held: ir.Var) -> ir.Operand:
        item = low.load(items, k)
        item.type = kind
        return low.store(held, item, k)

    return low.loop(count, out, put)


def _as_dtype(low: Legaliser, array: ir.Operand, dtype: Any) -> ir.Operand:
    if dtype is None or np.dtype(dtype).name == dtype_of(type_of(array)):
        return array
    raise low.refuse("this conversion of an array", "write `.astype(…)` on the array")


def zeros_like(low: Legaliser, op: ir.Apply, given: Given) -> ir.Operand | None:
    """Without `order`, which Numba does not know; `np.zeros` makes the C order."""
    if "order" not in given:
        return None
    dtype = constant(given.get("dtype")) or dtype_of(type_of(given["a"]))
    if dtype is None or constant(given["order"]) != "C":
        raise low.refuse("this np.zeros_like", "use np.zeros")
    shape = low.call(np.shape, given["a"])
    return low.call(np.zeros, shape, dtype=np.dtype(dtype).type)


def number_of_dimensions(
    low: Legaliser, op: ir.Apply, given: Given
) -> ir.Operand | None:
    rank = ndim(type_of(given["a"]))
    return None if rank is None else ir.Const(rank)
