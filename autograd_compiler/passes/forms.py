"""Values of which the reverse sweep needs the form only.

`np.zeros_like(row)` asks for the shape of `row`, not for its numbers.  To keep the array
itself for that would hold on to memory, and to a view that is written later.  So the
shape is kept instead: as the sizes of an argument, where they are known to be the same
(nothing needs to be kept then), or else as a tuple.

Before: `t = row_tape.pop(); d_row = np.zeros_like(t); n = t.shape`.
After: `shape = row_shape_tape.pop(); d_row = np.zeros(shape); n = shape`.
"""

from __future__ import annotations

import operator
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from autograd_compiler import ir
from autograd_compiler.operands import identity
from autograd_compiler.types import Array, Dim, Scalar, TupleOf

# What gives an array in the form of another one, and the same of a shape.
_MADE = {np.zeros_like: np.zeros, np.ones_like: np.ones, np.empty_like: np.empty}


def shape_from(
    var: ir.Var, arrays: Iterable[ir.Var]
) -> tuple[list[ir.Operation], ir.Operand] | None:
    """Operations that give the shape of an array by the sizes of others, if they do."""
    if not isinstance(var.type, Array):
        return None
    known = dict(_sizes(arrays))
    ops: list[ir.Operation] = []
    sizes: list[ir.Operand] = []
    for dim in var.type.dims:
        if dim is None or dim.symbol and dim.symbol not in known:
            return None
        sizes.append(_size(dim, known, ops))
    return ops, ir.Pack(tuple(sizes))


def _sizes(arrays: Iterable[ir.Var]) -> Iterator[tuple[str, tuple[ir.Var, int, int]]]:
    for array in reversed(list(arrays)):
        if isinstance(array.type, Array):
            for axis, dim in reversed(list(enumerate(array.type.dims))):
                if dim is not None and dim.symbol:
                    yield dim.symbol, (array, axis, dim.offset)


def _size(
    dim: Dim, known: dict[str, tuple[ir.Var, int, int]], ops: list[ir.Operation]
) -> ir.Operand:
    if not dim.symbol:
        return ir.Const(dim.offset)
    array, axis, offset = known[dim.symbol]
    shape, size = shape_of(array)
    ops.append(size)
    found = ir.Var("", Scalar("int64", size=Dim(dim.symbol, offset)))
    ops.append(_adjoint(ir.Load, found, shape, (ir.Index(ir.Const(axis)),)))
    if dim.offset == offset:
        return found
    total = ir.Var("", Scalar("int64", size=dim))
    change = ir.Const(abs(dim.offset - offset))
    fn = operator.add if dim.offset > offset else operator.sub
    ops.append(_adjoint(ir.Apply, (total,), fn, (found, change)))
    return total


def shape_of(var: ir.Var, adjoint: bool = True) -> tuple[ir.Var, ir.Operation]:
    """A variable for the shape of an array, and what computes it."""
    assert isinstance(var.type, Array)
    sizes = tuple(Scalar("int64", size=dim) for dim in var.type.dims)
    shape = ir.Var("", TupleOf(sizes))
    args = (var, ir.Const("shape"))
    return shape, ir.Apply(ir.NOWHERE, (shape,), getattr, args, adjoint=adjoint)


def with_shape(
    ops: list[ir.Operation], var: ir.Var, shape: ir.Operand
) -> list[ir.Operation]:
    """The operations with a shape in the place of an array whose form they look at."""
    assert isinstance(var.type, Array)
    dtype = np.dtype(var.type.dtype)
    stand_in = ir.Var(var.name, Array(dtype.name, var.type.dims, True))
    needed = False

    def change(op: ir.Operation) -> ir.Operation:
        nonlocal needed
        if isinstance(op, ir.Apply) and op.args and op.args[0] is var:
            if _asks_for_shape(op):
                return replace(op, fn=identity, args=(shape,), style="function")
            made = _MADE.get(op.fn) if _hashable(op.fn) else None
            if made is not None and len(op.args) == 1:
                given = _dtype(op.kwargs, dtype)
                return replace(op, fn=made, args=(_short(shape),), kwargs=given)
        if any(leaf is var for leaf in ir.uses(op)):
            needed = True
        return ir.rebuild_op(op, lambda v: stand_in if v is var else v, inside)

    def inside(block: ir.Block) -> ir.Block:
        return ir.Block(tuple(map(change, block.ops)), block.results)

    done = list(map(change, ops))
    if needed:
        empty = _adjoint(ir.Apply, (stand_in,), np.empty, (shape,), _dtype((), dtype))
        return [empty, *done]
    return done


def _short(shape: ir.Operand) -> ir.Operand:
    """`n` for `(n,)`, where NumPy takes either."""
    if isinstance(shape, ir.Pack) and len(shape.items) == 1:
        return shape.items[0]
    return shape


def _asks_for_shape(op: ir.Apply) -> bool:
    if op.fn is getattr:
        return isinstance(op.args[1], ir.Const) and op.args[1].value == "shape"
    return op.fn is np.shape and len(op.args) == 1 and not op.kwargs


def _dtype(given: tuple[tuple[str, ir.Operand], ...], dtype: np.dtype[Any]) -> Any:
    named = dict(given)
    named.pop("order", None)  # what is made of a shape is contiguous
    if "dtype" not in named and dtype != np.float64:
        named["dtype"] = ir.Const(dtype.type)
    return tuple(named.items())


def _adjoint(kind: Any, *parts: Any) -> Any:
    return kind(ir.NOWHERE, *parts, adjoint=True)


def _hashable(value: object) -> bool:
    try:
        hash(value)
    except TypeError:
        return False
    return True
