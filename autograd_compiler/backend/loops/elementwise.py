"""Which calls work element by element, and mean the same on numbers in Numba."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np

from autograd_compiler import ir
from autograd_compiler.types import Array, Scalar, Type, dtype_of

_ARITHMETIC = (operator.add, operator.sub, operator.mul, operator.neg)
_COMPARISONS = (
    operator.lt,
    operator.le,
    operator.gt,
    operator.ge,
    operator.eq,
    operator.ne,
)
_UFUNCS = [
    "add",
    "subtract",
    "multiply",
    "negative",
    "divide",
    "true_divide",
    "sqrt",
    "square",
    "abs",
    "absolute",
    "fabs",
    "exp",
    "exp2",
    "expm1",
    "log",
    "log2",
    "log10",
    "log1p",
    "sin",
    "cos",
    "tan",
    "arcsin",
    "arccos",
    "arctan",
    "sinh",
    "cosh",
    "tanh",
    "arcsinh",
    "arccosh",
    "arctanh",
    "maximum",
    "minimum",
    "fmax",
    "fmin",
    "arctan2",
    "hypot",
    "floor",
    "ceil",
    "trunc",
    "sign",
    "less",
    "less_equal",
    "greater",
    "greater_equal",
    "equal",
    "not_equal",
    "isnan",
    "isinf",
    "isfinite",
]

# Additions that a call is worth; what is not here is worth as much as an exponential.
_COSTS = {
    id(fn): cost
    for cost, fns in {
        1: (*_ARITHMETIC, *_COMPARISONS, np.copy, np.square, np.where),
        4: (operator.truediv, np.sqrt),
    }.items()
    for fn in fns
}
EXPENSIVE = 10

_KNOWN = (
    {id(fn) for fn in (*_ARITHMETIC, *_COMPARISONS, operator.truediv)}
    | {id(getattr(np, name)) for name in _UFUNCS}
    | {id(np.copy), id(np.where), id(operator.pow), id(np.power), id(np.astype)}
)


def cost(fn: Any) -> int:
    return _COSTS.get(id(fn), EXPENSIVE)


def is_elementwise(op: ir.Apply) -> bool:
    """Whether each element of the result is the call on elements of the arguments."""
    if id(op.fn) not in _KNOWN or len(op.targets) != 1:
        return False
    kinds = [_kind(arg) for arg in _values(op)]
    result = _dtype(op.target.type)
    if op.kwargs or result is None or not all(kinds):
        return False
    if op.fn is np.astype:
        return result == "float64"
    if op.fn in (operator.pow, np.power):
        # Integers to a negative power are an error; halves of the plane differ.
        return kinds[0] == "float64" and result == "float64"
    if op.fn is np.where:
        return len(op.args) == 3 and kinds[0] == "bool"
    if op.fn in _COMPARISONS or result == "float64":
        return True
    if result == "int64":
        return op.fn in _ARITHMETIC and set(kinds) == {"int64"}
    return op.fn is np.copy or getattr(op.fn, "__name__", "").startswith("is")


def operands_of(op: ir.Apply) -> tuple[ir.Operand, ...]:
    """The arguments that are values: the others choose what is computed."""
    return op.args[:1] if op.fn in (np.astype, np.copy) else op.args


_values = operands_of


def _kind(operand: ir.Operand) -> str | None:
    match operand:
        case ir.Const(value):
            for kind, name in ((bool, "bool"), (int, "int64"), (float, "float64")):
                if type(value) is kind:
                    return name
            return "float64" if type(value) is np.float64 else None
        case ir.Var():
            return _dtype(operand.type)
    return None


def _dtype(kind: Type) -> str | None:
    dtype = dtype_of(kind) if isinstance(kind, (Array, Scalar)) else None
    return dtype if dtype in ("float64", "int64", "bool") else None
