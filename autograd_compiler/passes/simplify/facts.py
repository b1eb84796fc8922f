"""What is known of operations and operands, without looking around."""

from __future__ import annotations

import math
import operator
from typing import Any

import numpy as np

from autograd_compiler import ir
from autograd_compiler.types import Array, Dim, Scalar, Type

TESTS = (operator.lt, operator.le, operator.gt, operator.ge, operator.eq, operator.ne)


def numbers_of(names: str) -> dict[int, str]:
    table = {id(getattr(operator, name)): name for name in names.split()}
    ufuncs = {
        "add": np.add,
        "sub": np.subtract,
        "mul": np.multiply,
        "truediv": np.true_divide,
        "pow": np.power,
        "neg": np.negative,
    }
    return table | {id(ufunc): name for name, ufunc in ufuncs.items()}


KINDS = numbers_of("add sub mul truediv pow neg")

MERGED = 6  # operators in a sum that is worth one line

FOLDABLE = {
    id(fn)
    for fn in (
        *(operator.add, operator.sub, operator.mul, operator.truediv, operator.mod),
        *(operator.floordiv, operator.pow, operator.neg, operator.pos, operator.not_),
        *(operator.lt, operator.le, operator.eq, operator.ne, operator.gt, operator.ge),
        *(operator.is_, operator.is_not),
    )
}


def arithmetic_of(op: ir.Apply) -> str:
    """The arithmetic that a call does, by operator or by NumPy function; "" if none.

    NumPy's functions of Python numbers give NumPy's numbers, which promote otherwise
    than the operators' results do: with them, the result must be an array.
    """
    kind = KINDS.get(id(op.fn), "")
    if op.kwargs or (
        isinstance(op.fn, np.ufunc) and not isinstance(op.target.type, Array)
    ):
        return ""
    return kind if len(op.args) == (1 if kind == "neg" else 2) else ""


def folded(op: ir.Apply) -> ir.Const | None:
    """The value of a call of Python operators on literals, where it reads as well."""
    if id(op.fn) not in FOLDABLE or op.kwargs:
        return None
    values = [arg.value for arg in op.args if isinstance(arg, ir.Const)]
    if len(values) < len(op.args) or any(map(is_undefined, op.args)):
        return None
    if op.fn not in (operator.is_, operator.is_not):
        if not all(type(value) in (int, float, bool) for value in values):
            return None
        if op.fn is operator.pow and any(abs(value) > 64 for value in values):
            return None
    elif not all(value is None or isinstance(value, bool) for value in values):
        return None
    try:
        result = op.fn(*values)
    except ArithmeticError:
        return None  # at run time, where it belongs
    if type(result) not in (int, float, bool) or not math.isfinite(result):
        return None
    # `1 / 6` says more than 0.16666666666666666.
    return ir.Const(result) if len(repr(result)) <= 8 else None


def is_undefined(operand: ir.Operand) -> bool:
    return operand is ir.UNDEFINED


def is_literal(operand: ir.Const) -> bool:
    """Whether each mention of the constant is the same: not of a list or an array."""
    mutable = (list, dict, set, np.ndarray)
    return operand is not ir.UNDEFINED and not isinstance(operand.value, mutable)


def is_number(value: object) -> bool:
    return type(value) in (int, float)


def known_type(operand: ir.Operand) -> Type | None:
    return operand.type if isinstance(operand, ir.Var) else None


def dtype_kind(kind: Type) -> str:
    match kind:
        case Scalar(dtype) | Array(dtype):
            return np.dtype(dtype).kind
    return ""


def keeps_type(kind: Type, number: int | float) -> bool:
    """Whether arithmetic with the literal gives the operand's own type and shape."""
    if is_single(kind):
        return False
    letter = dtype_kind(kind)
    return letter == "f" or (letter in ("i", "u") and type(number) is int)


def is_single(kind: Type) -> bool:
    """An array without dimensions, of which arithmetic makes a number."""
    return isinstance(kind, Array) and not kind.dims


def are_functions(fns: tuple[Any, Any], first: Any, second: Any) -> bool:
    return fns[0] is first and fns[1] is second


def only_two(op: ir.Apply) -> bool:
    return len(op.args) == 2 and not op.kwargs


def permutation(op: ir.Apply, ndim: int) -> tuple[int, ...] | None:
    """The axes of a transposition, None for other calls."""
    match op.fn, op.args, op.kwargs:
        case (fn, (_, ir.Const("T")), ()) if fn is getattr:
            return tuple(reversed(range(ndim)))
        case (np.transpose, (_,), ()):
            return tuple(reversed(range(ndim)))
        case (np.transpose, (_, axes), ()) | (np.transpose, (_,), (("axes", axes),)):
            return literal_axes(axes, ndim)
    return None


def literal_axes(axes: ir.Operand, ndim: int) -> tuple[int, ...] | None:
    found: list[Any] = []
    match axes:
        case ir.Const(value) if isinstance(value, (tuple, list)):
            found = list(value)
        case ir.Pack(items):
            found = [item.value for item in items if isinstance(item, ir.Const)]
    if len(found) != ndim or not all(type(axis) is int for axis in found):
        return None
    return tuple(axis % ndim for axis in found)


def literal_axis(op: ir.Apply) -> int | None:
    match op.args, op.kwargs:
        case ((_, ir.Const(axis)), ()) | ((_,), (("axis", ir.Const(axis)),)):
            return axis if type(axis) is int else None
    return None


def is_real_number(operand: ir.Operand) -> bool:
    match operand:
        case ir.Const(value):
            return is_number(value)
        case ir.Var(type=Scalar(dtype)):
            return np.dtype(dtype).kind in "fiu"
    return False


def equal_calls(first: ir.Apply, second: ir.Apply) -> bool:
    same = first.fn is second.fn and not first.kwargs and not second.kwargs
    return (
        same
        and len(first.args) == len(second.args)
        and all(map(same_operand, first.args, second.args))
    )


def same_type(first: ir.Var, second: ir.Var) -> bool:
    """Whether two variables surely have one dtype and one shape."""
    if dtype_kind(first.type) != dtype_kind(second.type):
        return False
    match first.type, second.type:
        case Scalar(a), Scalar(b):
            return a == b
        case Array(a), Array(b):
            return a == b and fills(first.type, second.type)
    return False


def is_dimensionless(operand: ir.Operand) -> bool:
    match operand:
        case ir.Const(value):
            return is_number(value)
        case ir.Var(type=Scalar()):
            return True
    return False


def fills(full: Type | None, result: Type) -> bool:
    if not isinstance(full, Array) or not isinstance(result, Array) or not full.dims:
        return False
    return full.ndim == result.ndim and all(
        isinstance(dim, Dim) and dim.same(other)
        for dim, other in zip(full.dims, result.dims, strict=True)
    )


def same_dtype(small: ir.Operand, full: Type | None) -> bool:
    """Whether the dtype of the result is the same without the broadcast.

    A Python number becomes a float64 array by it, and would not be one without.
    """
    match small:
        case ir.Var(type=Array() | Scalar(weak=False)):
            return True
        case ir.Pack() | ir.Slice():
            return False
    return isinstance(full, Array) and full.dtype in ("float64", "complex128")


def same_operand(first: ir.Operand, second: ir.Operand) -> bool:
    match first, second:
        case ir.Const(a), ir.Const(b):
            if first is ir.UNDEFINED or second is ir.UNDEFINED:
                return False
            return a is b or (is_plain(a) and type(a) is type(b) and repr(a) == repr(b))
    return first is second


def is_plain(value: object) -> bool:
    return type(value) in (int, float, bool, str, type(None))
