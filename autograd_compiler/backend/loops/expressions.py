"""Array expressions by element: what is computed at one place of an iteration space."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import numpy as np

from autograd_compiler import ir
from autograd_compiler.types import Array, Dim, Type, dtype_of


@dataclass(frozen=True)
class At:
    """One index: the counter of an axis, or a fixed operand, plus a number.

    With `wraps`, an index beyond one end is taken from the other, as `np.roll` does.
    """

    axis: int | None
    offset: int = 0
    fixed: ir.Operand | None = None
    wraps: bool = False


Map: TypeAlias = tuple[At, ...]


@dataclass(frozen=True, eq=False)
class Element:
    """`base[at]`; `base` is the version of the array that is read."""

    base: ir.Var
    at: Map


@dataclass(frozen=True, eq=False)
class Node:
    """An elementwise call; `op` is the operation on whole arrays that it came from."""

    op: ir.Apply
    args: tuple[Expr, ...]
    dtype: str


Expr: TypeAlias = "Element | Node | ir.Operand"  # an operand is a number


@dataclass(frozen=True, eq=False)
class Value:
    """An array as an expression over its own axes."""

    expr: Expr
    dims: tuple[Dim, ...]


def elements(expr: Expr) -> Iterator[Element]:
    match expr:
        case Element():
            yield expr
        case Node(args=args):
            for arg in args:
                yield from elements(arg)


def numbers(expr: Expr) -> Iterator[ir.Var]:
    """The scalar variables that an expression reads, in indices too."""
    match expr:
        case Element(at=at):
            for place in at:
                if place.fixed is not None:
                    yield from ir.leaves(place.fixed)
        case Node(args=args):
            for arg in args:
                yield from numbers(arg)
        case ir.Var():
            yield expr


def moved(expr: Expr, places: Map) -> Expr:
    """The expression with axis k of its space replaced by `places[k]`."""
    match expr:
        case Element(base, at):
            return Element(base, tuple(_through(place, places) for place in at))
        case Node(args=args):
            return replace(expr, args=tuple(moved(arg, places) for arg in args))
    return expr


def through(at: Map, places: Map) -> Map:
    return tuple(_through(place, places) for place in at)


def _through(place: At, places: Map) -> At:
    if place.axis is None:
        return place
    given = places[place.axis]
    offset = given.offset + place.offset
    return replace(given, offset=offset, wraps=given.wraps or place.wraps)


def wraps(expr: Expr) -> bool:
    return any(place.wraps for element in elements(expr) for place in element.at)


def rolled(expr: Expr, shift: int) -> Expr | None:
    """`np.roll` of a vector; None where it is already shifted."""
    for element in elements(expr):
        if any(place.axis == 0 and place.offset or place.wraps for place in element.at):
            return None
    return moved(expr, (At(0, -shift, wraps=True),))


def own_axes(rank: int) -> Map:
    return tuple(At(axis) for axis in range(rank))


def broadcast(value: Value, dims: tuple[Dim, ...]) -> Expr | None:
    """The value in a larger space: axes from the right, sizes of 1 repeated."""
    missing = len(dims) - len(value.dims)
    if missing < 0:
        return None
    places = []
    for axis, (own, wanted) in enumerate(
        zip(value.dims, dims[missing:], strict=True), missing
    ):
        if own.same(wanted):
            places.append(At(axis))
        elif own.is_one:
            places.append(At(None))
        else:
            return None
    return moved(value.expr, tuple(places))


def rewritten(expr: Expr, change: Callable[[Element], Expr]) -> Expr:
    match expr:
        case Element():
            return change(expr)
        case Node(args=args):
            return replace(expr, args=tuple(rewritten(arg, change) for arg in args))
    return expr


def known_dims(kind: Type) -> tuple[Dim, ...] | None:
    """The sizes of an array of a type that is lowered, if all are known."""
    if not isinstance(kind, Array) or kind.dtype not in DTYPES or not kind.ndim:
        return None
    dims = tuple(dim for dim in kind.dims if dim is not None)
    return dims if len(dims) == kind.ndim else None


DTYPES = ("float64", "int64", "bool")


def weight(expr: Expr, cost: Callable[[Any], int]) -> int:
    """About how many additions it takes to compute an element."""
    if isinstance(expr, Node):
        return cost(expr.op.fn) + sum(weight(arg, cost) for arg in expr.args)
    return 0


def expr_dtype(expr: Expr) -> str:
    match expr:
        case Element(base):
            return dtype_of(base.type) or ""
        case Node(dtype=dtype):
            return dtype
        case ir.Var():
            return dtype_of(expr.type) or ""
        case ir.Const(value):
            return str(np.asarray(value).dtype)
    raise TypeError(f"{expr!r} is no number")
