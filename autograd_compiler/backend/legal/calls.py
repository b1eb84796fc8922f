"""Calls that Numba lacks, written with calls that it has.

One function per family; each takes the legaliser to append to, the arguments by name,
and gives the operand that stands for the result, or None to leave the call as it is.
"""

from __future__ import annotations

import inspect
import math
import operator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from autograd_compiler import ir, runtime
from autograd_compiler.backend.legal import helpers, products, reductions, shapes
from autograd_compiler.backend.legal.arguments import (
    Given,
    Rewrite,
    name_of,
    type_of,
)
from autograd_compiler.names import public_name
from autograd_compiler.types import Scalar, dtype_of

if TYPE_CHECKING:
    from autograd_compiler.backend.legalise import Legaliser

_DTYPES = {
    float: np.float64,
    int: np.int64,
    complex: np.complex128,
    bool: np.bool_,
}

# Numba has nothing of these; better to say so than to show its own message.
_ABSENT_MODULES = ("scipy.", "numpy.fft", "numpy.polynomial")
_ABSENT = frozenset(
    id(getattr(np, name))
    for name in (
        *("apply_along_axis", "choose", "compress", "gradient", "i0", "ix_"),
        *("modf", "frexp", "piecewise", "block", "unstack"),
        *("poly", "polyadd", "polyder", "polyfit", "polyint", "polymul", "roots"),
    )
    if hasattr(np, name)
)


def rewrite(low: Legaliser, op: ir.Apply) -> ir.Operand | None:
    """What stands for the call's result; None where the call can stay."""
    module = getattr(op.fn, "__module__", None) or ""
    if isinstance(op.fn, np.ufunc):  # which do not say where they are from
        module = (public_name(op.fn) or ("", ""))[1]
    if f"{module}.".startswith(_ABSENT_MODULES) or id(op.fn) in _ABSENT:
        raise low.refuse(
            f"`{name_of(op.fn)}`", 'use backend="python" for this function'
        )
    found = _CALLS.get(id(op.fn))
    if found is None:
        return None
    function, parameters = found
    given = _bind(op, parameters)
    return None if given is None else function(low, op, given)


def with_plain_arguments(op: ir.Apply) -> ir.Apply:
    """The call as Numba likes it written: functions, tuples, dtypes that are classes."""
    numpy = getattr(np, getattr(op.fn, "__name__", ""), None) is op.fn
    keeps_lists = op.fn in (np.array, np.asarray)
    style = op.style
    if numpy:
        style = "method" if op.fn is getattr(np, "astype", None) else "function"

    def plain(argument: ir.Operand) -> ir.Operand:
        match argument:
            case ir.Const(np.dtype() as value):
                return ir.Const(value.type)
            case ir.Const(list() as value) if numpy and not keeps_lists:
                return ir.Pack(tuple(map(ir.Const, value)))
            case ir.Pack(items, form) if numpy and form.kind == "list":
                return ir.Pack(
                    tuple(map(plain, items)), form if keeps_lists else ir.TUPLE
                )
            case ir.Pack(items, form):
                return ir.Pack(tuple(map(plain, items)), form)
        return argument

    def keyword(key: str, value: ir.Operand) -> ir.Operand:
        if key == "dtype" and isinstance(value, ir.Const):
            if isinstance(value.value, type):
                return ir.Const(_DTYPES.get(value.value, value.value))
            if isinstance(value.value, str):
                return ir.Const(np.dtype(value.value).type)
        return plain(value)

    return replace(
        op,
        args=tuple(map(plain, op.args)),
        kwargs=tuple((key, keyword(key, value)) for key, value in op.kwargs),
        style=style,
    )


def _bind(op: ir.Apply, parameters: tuple[str, ...]) -> Given | None:
    """Operands by parameter name; None if the call does not fit (numba will say)."""
    if len(op.args) > len(parameters):
        return None
    given: Given = dict(zip(parameters, op.args, strict=False))
    given.update(op.kwargs)
    return given


def _abs(low: Legaliser, op: ir.Apply, given: Given) -> ir.Operand | None:
    return (
        None
        if isinstance(type_of(given["x"]), Scalar)
        else low.call(np.abs, given["x"])
    )


# Up to which exponents a power is written as products: as many as pay.
_LARGEST_HALVES = 7


def _power(low: Legaliser, op: ir.Apply, given: Given) -> ir.Operand | None:
    """`x**-1.5` as `1 / (x * sqrt(x))`: a root costs a tenth of what a power does.

    The results are equal but for rounding, and for the powers of minus zero.
    """
    base, exponent = given["base"], given["exponent"]
    if not isinstance(exponent, ir.Const) or type(exponent.value) is not float:
        return None
    if dtype_of(type_of(base)) not in ("float32", "float64"):
        return None
    halves = int(2 * exponent.value)
    if halves != 2 * exponent.value or abs(halves) > _LARGEST_HALVES:
        return None
    if halves % 2 == 0:  # LLVM knows whole numbers
        return None
    product = low.call(np.sqrt, base)
    for _ in range(abs(halves) // 2):
        product = low.call(operator.mul, base, product)
    return product if halves > 0 else low.call(operator.truediv, 1.0, product)


def _log(low: Legaliser, op: ir.Apply, given: Given) -> ir.Operand | None:
    if "base" not in given:
        return None
    return low.call(
        operator.truediv,
        low.call(math.log, given["x"]),
        low.call(math.log, given["base"]),
    )


def _renamed(fn: Any) -> Rewrite:
    def rename(low: Legaliser, op: ir.Apply, given: Given) -> ir.Operand | None:
        return low.call(fn, *given.values())

    return rename


def _heaviside(low: Legaliser, op: ir.Apply, given: Given) -> ir.Operand | None:
    x, middle = given["x1"], given["x2"]
    one_or_zero = low.call(operator.mul, low.call(operator.gt, x, 0), 1.0)
    at_zero = low.call(operator.eq, x, 0)
    step = low.call(np.where, at_zero, middle, one_or_zero)
    return low.call(np.where, low.call(np.isnan, x), x, step)


# ---------------------------------------------------------------- the table


_CALLS: dict[int, tuple[Rewrite, tuple[str, ...]]] = {}


def _parameters(fn: Any) -> tuple[str, ...]:
    try:
        return tuple(inspect.signature(fn).parameters)
    except (TypeError, ValueError):
        return ()


def _for(rewrite: Rewrite, fns: Any, names: str, parameters: str = "") -> None:
    """Enter the functions of a module that this NumPy and Python have."""
    for name in names.split():
        fn = getattr(fns, name, None)
        if fn is not None:
            _CALLS[id(fn)] = (rewrite, tuple(parameters.split()) or _parameters(fn))


for _kind, _names in {
    "sum": "sum",
    "prod": "prod",
    "mean": "mean",
    "var": "var",
    "std": "std",
    "max": "max amax",
    "min": "min amin",
    "ptp": "ptp",
    "any": "any",
    "all": "all",
    "count_nonzero": "count_nonzero",
}.items():
    _for(reductions.reduction(_kind), np, _names)
_for(reductions.norm, np.linalg, "norm")
_for(reductions.norm, np.linalg, "vector_norm", "x axis keepdims ord")
_for(shapes.reshape, np, "reshape", "a shape order")
_for(shapes.ravel, np, "ravel")
_for(shapes.squeeze, np, "squeeze")
_for(shapes.expand_dims, np, "expand_dims")
_for(shapes.transpose_last, np, "matrix_transpose")
_for(shapes.transpose_last, np.linalg, "matrix_transpose")
_for(shapes.flip, np, "flip")
_for(shapes.roll, np, "roll")
_for(shapes.repeat, np, "repeat")
_for(shapes.tile, np, "tile")
_for(shapes.pad, np, "pad")
_for(shapes.diagonal, np, "diagonal")
_for(shapes.diagonal, np.linalg, "diagonal")
_for(shapes.diff, np, "diff")
_for(shapes.sort, np, "sort", "a axis kind order")
_for(shapes.without_axis, np, "cumprod median", "a axis")
_for(shapes.stack, np, "stack", "arrays axis")
_for(shapes.array, np, "array asarray asanyarray", "object dtype")
_for(shapes.number_of_dimensions, np, "ndim")
_for(products.matmul, operator, "matmul", "x1 x2")
_for(products.matmul, np, "matmul", "x1 x2")
_for(products.matmul, np.linalg, "matmul", "x1 x2")
_for(products.dot, np, "dot", "a b")
_for(products.inner, np, "inner", "a b")
_for(products.tensordot, np, "tensordot", "a b axes")
_for(products.tensordot, np.linalg, "tensordot", "a b axes")
_for(products.einsum, np, "einsum", " ".join(f"x{k}" for k in range(20)))
_for(products.multi_dot, np.linalg, "multi_dot", "arrays")
_for(shapes.zeros_like, np, "zeros_like", "a dtype order")
_for(helpers.unbroadcast, runtime, "unbroadcast")
_for(helpers.zeros_like, runtime, "zeros_like")
_for(helpers.stop_gradient, runtime, "stop_gradient")
_for(helpers.add, runtime, "add")
_for(helpers.last_writes, runtime, "last_writes")
_for(_renamed(np.trace), np.linalg, "trace", "x")
_for(_renamed(np.outer), np.linalg, "outer", "a b")
_for(_renamed(np.cross), np.linalg, "cross", "a b")
_for(_renamed(np.trunc), np, "fix", "x")
_for(_renamed(np.cbrt), math, "cbrt", "x")
_for(_renamed(np.fmod), math, "fmod", "x y")
_for(_heaviside, np, "heaviside", "x1 x2")
_for(_abs, operator, "abs", "x")
_CALLS[id(operator.pow)] = (_power, ("base", "exponent"))
_CALLS[id(np.power)] = (_power, ("base", "exponent"))
_CALLS[id(abs)] = (_abs, ("x",))
# A range that is kept, rather than gone through: Numba takes no slices of it.
_CALLS[id(range)] = (_renamed(np.arange), ("start", "stop", "step"))
_CALLS[id(math.log)] = (_log, ("x", "base"))
