"""What is known of an operand from its own looks: its type, its constant, its dimensions."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd_compiler import ir
from autograd_compiler.types import (
    BOTTOM,
    Array,
    DictOf,
    Dim,
    ListOf,
    Opaque,
    Scalar,
    TupleOf,
    Type,
    Unknown,
    dtype_of,
    is_array,
    join,
    key_type,
    ndim,
)


def type_of_operand(operand: ir.Operand) -> Type:
    """The type of an operand; packs are tuples of their items' types."""
    match operand:
        case ir.Var():
            return operand.type
        case ir.Const(value):
            if isinstance(value, np.generic):
                return Scalar(value.dtype.name, weak=False)
            if isinstance(value, bool):
                return Scalar("bool")
            if isinstance(value, int):
                return Scalar("int64", size=Dim("", value) if value >= 0 else None)
            if isinstance(value, float):
                return Scalar("float64")
            if isinstance(value, complex):
                return Scalar("complex128")
            return Opaque(type(value))
        case ir.Pack(items, form):
            if form.kind == "dict":
                return Opaque(dict)
            return TupleOf(tuple(type_of_operand(item) for item in items))
    return Opaque(slice)


def identity(value: Any) -> Any:
    """`y = x`: prints as its argument."""
    return value


def unpack(value: Any) -> Any:
    """`x, y = value`: prints as its argument, with several targets."""
    return value


def constant_value(operand: ir.Operand) -> ir.Const | None:
    """The operand as one constant, if all of it is known."""
    match operand:
        case ir.Const():
            return operand
        case ir.Pack(items, form) if form.kind in ("tuple", "list"):
            values = [constant_value(item) for item in items]
            if all(value is not None for value in values):
                plain = [value.value for value in values if value is not None]
                return ir.Const(tuple(plain) if form.kind == "tuple" else plain)
    return None


def operand_of(value: Any) -> ir.Operand:
    """A Python value as an operand: tuples and lists become packs."""
    if type(value) is tuple:
        return ir.Pack(tuple(map(operand_of, value)))
    if type(value) is list:
        return ir.Pack(tuple(map(operand_of, value)), ir.LIST)
    return ir.Const(value)


def list_type(pack: ir.Pack) -> ListOf:
    item: Type = BOTTOM
    for operand in pack.items:
        item = join(item, type_of_operand(operand))
    return ListOf(item)


def dict_type(pack: ir.Pack) -> DictOf:
    key: Type = BOTTOM
    for constant in pack.form.keys:
        key = key_type(join(key, type_of_operand(ir.Const(constant))))
    return DictOf(list_type(pack).item, key)


def ndim_of(operand: ir.Operand) -> int | None:
    """The number of dimensions, also of nested lists of numbers and arrays."""
    if not isinstance(operand, ir.Pack):
        return ndim(type_of_operand(operand))
    if operand.form.kind not in ("tuple", "list"):
        return None
    if not operand.items:
        return 1
    inner = ndim_of(operand.items[0])
    return None if inner is None else inner + 1


def has_dimensions(operand: ir.Operand) -> bool:
    kind = type_of_operand(operand)
    return is_array(kind) and ndim(kind) != 0


def is_value(operand: ir.Operand, value: object) -> bool:
    return isinstance(operand, ir.Const) and operand.value == value


def class_of(kind: Scalar) -> type:
    """The Python or NumPy class of a number."""
    if kind.weak:
        return {"f": float, "i": int, "u": int, "b": bool, "c": complex}[
            np.dtype(kind.dtype).kind
        ]
    return np.dtype(kind.dtype).type


def is_zero(value: object) -> bool:
    return isinstance(value, (int, float)) and value == 0


def is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def inexact(operand: ir.Operand) -> bool:
    """Whether an operand is a float; in derivatives, what is not known is one."""
    kind = type_of_operand(operand)
    if isinstance(kind, Unknown):
        return True
    dtype = dtype_of(kind)
    return dtype is not None and np.dtype(dtype).kind in "fc"


def hashable(value: object) -> bool:
    try:
        hash(value)
    except TypeError:
        return False
    return True


def same_object(first: ir.Operand, second: ir.Operand) -> bool | None:
    """Whether `first is second`, where that is known: comparisons with None."""
    for one, other in ((first, second), (second, first)):
        if isinstance(other, ir.Const) and (
            other.value is None or isinstance(other.value, bool)
        ):
            if isinstance(one, ir.Const):
                return one.value is other.value
            if isinstance(one, (ir.Pack, ir.Slice)):
                return False
            if other.value is None and isinstance(
                one.type, (Scalar, Array, ListOf, DictOf, TupleOf)
            ):
                return False
    return None
