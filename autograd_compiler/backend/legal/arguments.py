"""Operands as what the rewriting of calls asks of them: types, constants, axes."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from autograd_compiler import ir
from autograd_compiler.names import public_name
from autograd_compiler.types import (
    UNKNOWN,
    Array,
    Dim,
    Scalar,
    TupleOf,
    Type,
)

if TYPE_CHECKING:
    from autograd_compiler.backend.legalise import Legaliser

Given: TypeAlias = dict[str, ir.Operand]
Rewrite: TypeAlias = "Callable[[Legaliser, ir.Apply, Given], ir.Operand | None]"

ALL = ir.Slice(ir.Const(None), ir.Const(None), ir.Const(None))


def operand(value: Any) -> ir.Operand:
    """A value as an operand, operands inside of tuples included."""
    if isinstance(value, (ir.Var, ir.Const, ir.Pack, ir.Slice)):
        return value
    if isinstance(value, tuple):
        return ir.Pack(tuple(map(operand, value)))
    return ir.Const(value)


def type_of(operand: ir.Operand) -> Type:
    match operand:
        case ir.Var():
            return operand.type
        case ir.Const(np.ndarray() as value):
            dims = tuple(Dim("", size) for size in value.shape)
            return Array(value.dtype.name, dims)
        case ir.Const(bool()):
            return Scalar("bool")
        case ir.Const(int()):
            return Scalar("int64")
        case ir.Const(float()):
            return Scalar("float64")
        case ir.Const(complex()):
            return Scalar("complex128")
        case ir.Const(np.generic() as value):
            return Scalar(value.dtype.name, weak=False)
        case ir.Pack(items, form) if form.kind == "tuple":
            return TupleOf(tuple(map(type_of, items)))
    return UNKNOWN


def is_array(operand: ir.Operand) -> bool:
    return isinstance(type_of(operand), Array)


def constant(operand: Any, default: Any = None) -> Any:
    """A constant argument as a Python value; `...` where it is not a constant."""
    if operand is None:
        return default
    match operand:
        case ir.Const(value):
            return value
        case ir.Pack(items):
            values = tuple(constant(item) for item in items)
            return ... if ... in values else values
    return ...


def axes_of(low: Legaliser, axis: Any, rank: int) -> tuple[int, ...] | None:
    """Positive axes in ascending order; all for None; None where not a constant."""
    value = constant(axis)
    if value is None:
        return tuple(range(rank))
    if value is ...:
        return None
    numbers = value if isinstance(value, tuple) else (value,)
    return tuple(sorted(int(number) % rank for number in numbers))


def at_axis(axis: int, part: Any) -> tuple[Any, ...]:
    """The index that has `part` at one axis and all of the axes before it."""
    return (*(ALL,) * axis, part)


def only(low: Legaliser, op: ir.Apply, given: Given, *allowed: str) -> None:
    """Refuse arguments that would silently be dropped."""
    for key, value in given.items():
        if key in allowed or constant(value, None) is None:
            continue
        raise low.refuse(f"`{key}=` of `{name_of(op.fn)}`", "leave the argument out")


def name_of(fn: Any) -> str:
    public = public_name(fn)
    if public is not None and public[1].startswith("scipy."):
        return public[1]
    module = (getattr(fn, "__module__", None) or "").replace("numpy", "np")
    return f"{module}.{getattr(fn, '__name__', fn)}".lstrip(".")


def sum_along(low: Legaliser, array: Any, axes: tuple[int, ...]) -> ir.Var:
    axis: Any = axes[0] if len(axes) == 1 else axes
    return low.call(np.sum, array, axis=axis)


def keep_axes(low: Legaliser, array: ir.Operand, axes: tuple[int, ...]) -> ir.Operand:
    for axis in axes:
        array = low.call(np.expand_dims, array, axis)
    return array


def is_integer(operand: ir.Operand) -> bool:
    kind = type_of(operand)
    return isinstance(kind, Scalar) and np.dtype(kind.dtype).kind in "iu"
