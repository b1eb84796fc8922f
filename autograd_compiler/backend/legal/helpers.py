"""The helpers of generated code: Numba compiles what they do for known types.

A helper asks at run time what its arguments are.  Here their types are known, so each
call becomes the few statements that it would have come to.
"""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING, Any

import numpy as np

from autograd_compiler import ir
from autograd_compiler.backend.legal.arguments import Given, sum_along, type_of
from autograd_compiler.types import Array, ListOf, Scalar, Type, dtype_of, ndim

if TYPE_CHECKING:
    from autograd_compiler.backend.legalise import Legaliser

_HINT = 'use backend="python" for this function'


def unbroadcast(low: Legaliser, op: ir.Apply, given: Given) -> ir.Operand | None:
    """Add up all entries of the adjoint that one entry of the value was spread over."""
    adjoint, value = given["adjoint"], given["value"]
    wide, kind = type_of(adjoint), type_of(value)
    rank = ndim(kind)
    if rank is None or ndim(wide) is None:
        raise low.refuse("an adjoint whose rank is not known", _HINT)
    if isinstance(wide, Scalar) or isinstance(kind, Scalar):
        if isinstance(wide, Array):
            return low.call(np.sum, adjoint)
        if isinstance(kind, Array) and rank:
            return low.call(np.full, low.call(np.shape, value), adjoint)
        return adjoint
    assert isinstance(wide, Array) and isinstance(kind, Array)
    if wide.ndim > rank:
        adjoint = sum_along(low, adjoint, tuple(range(wide.ndim - rank)))
        wide = type_of(adjoint)
    if not rank or not isinstance(wide, Array):
        return adjoint
    if all(
        own is not None and (own.same(dim) or own.is_not_one)
        for own, dim in zip(kind.dims, wide.dims, strict=True)
    ):
        return adjoint
    dtype = np.dtype(wide.dtype).type
    out = low.call(np.zeros, low.call(np.shape, value), dtype=dtype)
    sizes = [low.size(adjoint, axis) for axis in range(rank)]
    # An entry is added at 0 along each axis where the value has size 1.
    steps = [
        low.call(min, low.minus(low.size(value, axis), 1), 1) for axis in range(rank)
    ]

    def spread(counters: tuple[ir.Var, ...], out: ir.Var) -> ir.Operand:
        if len(counters) < rank:
            size = sizes[len(counters)]
            return low.loop(size, out, lambda k, held: spread((*counters, k), held))
        places = [
            low.call(operator.mul, k, step)
            for k, step in zip(counters, steps, strict=True)
        ]
        return low.store(out, low.load(adjoint, *counters), *places, mode="add")

    return spread((), out)


def zeros_like(low: Legaliser, op: ir.Apply, given: Given) -> ir.Operand | None:
    """Zeros of a known type; a list gets as many as it is long."""
    return _zeros(low, given["value"])


def _zeros(low: Legaliser, value: ir.Operand) -> ir.Operand:
    match type_of(value):
        case Scalar(dtype):
            return ir.Const(0j if np.dtype(dtype).kind == "c" else 0.0)
        case Array():
            return zeros_of_array(low, value)
        case ListOf(item):
            return _list(
                low, item, value, lambda k: _zeros_of_item(low, value, k, item)
            )
    raise low.refuse("zeros in the form of this value", _HINT)


def _zeros_of_item(
    low: Legaliser, values: ir.Operand, k: ir.Operand, item: Type
) -> ir.Operand:
    if isinstance(item, Scalar):
        return _zeros(low, ir.Var("", item))
    return _zeros(low, _item(low, values, k, item))


def zeros_of_array(low: Legaliser, value: ir.Operand) -> ir.Operand:
    dtype = np.dtype(dtype_of(type_of(value)) or "float64").type
    return low.call(np.zeros, low.call(np.shape, value), dtype=dtype)


def stop_gradient(low: Legaliser, op: ir.Apply, given: Given) -> ir.Operand | None:
    """The derivative has been taken: what is left is the value."""
    return given["value"]


def add(low: Legaliser, op: ir.Apply, given: Given) -> ir.Operand | None:
    return _add(low, given["first"], given["second"])


def _add(low: Legaliser, first: ir.Operand, second: ir.Operand) -> ir.Operand:
    kind = type_of(first)
    if not isinstance(kind, ListOf):
        if ndim(kind) is None or ndim(type_of(second)) is None:
            raise low.refuse("this addition of adjoints", _HINT)
        return low.call(operator.add, first, second)
    item = kind.item
    return _list(
        low,
        item,
        first,
        lambda k: _add(low, _item(low, first, k, item), _item(low, second, k, item)),
    )


def _list(low: Legaliser, item: Type, like: ir.Operand, make: Any) -> ir.Operand:
    """`[make(k) for k in range(len(like))]`."""
    made = low.new_list(item)
    return low.loop(
        low.call(len, like), made, lambda k, items: low.append(items, make(k))
    )


def _item(low: Legaliser, values: ir.Operand, k: ir.Operand, kind: Type) -> ir.Operand:
    found = low.load(values, k)
    found.type = kind
    return found


def last_writes(low: Legaliser, op: ir.Apply, given: Given) -> ir.Operand | None:
    """Along a vector: note the last write to each place, and zero all others."""
    adjoint, index = given["adjoint"], low.as_index(given["index"])
    if ndim(type_of(adjoint)) != 1 or ndim(type_of(index)) != 1:
        raise low.refuse("writes at an index of arrays of several dimensions", _HINT)
    count = low.size(index, 0)
    dtype = np.dtype(dtype_of(type_of(adjoint)) or "float64").type
    winner = low.loop(
        count,
        low.call(np.zeros, low.call(np.shape, adjoint), dtype=np.int64),
        lambda k, held: low.store(held, k, low.load(index, k)),
    )

    def pick(k: ir.Var, held: ir.Var) -> ir.Operand:
        place = low.load(index, k)
        wins = low.call(operator.eq, low.load(winner, place), k)
        value = low.call(operator.mul, low.load(adjoint, place), wins)
        return low.store(held, value, k)

    return low.loop(count, low.call(np.zeros, (count,), dtype=dtype), pick)
