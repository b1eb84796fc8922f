"""What has no derivative: rounding, comparing, counting, asking about shapes.

And arrays made from nothing, of which only the numbers that fill them can carry a
derivative: `np.full`, `np.linspace`, `np.arange`.
"""

from __future__ import annotations

import math
import operator
from typing import Any

import numpy as np

from autograd_compiler.rules.registry import general, linear, zero_derivative
from autograd_compiler.rules.static import existing


def _from_math(*names: str) -> tuple[Any, ...]:
    return tuple(getattr(math, name) for name in names if hasattr(math, name))


# ---------------------------------------------------------------- steps

zero_derivative(int, bool, round, operator.floordiv, operator.index)
zero_derivative(
    *_from_math("floor", "ceil", "trunc", "isqrt", "ulp"),
    *_from_math("comb", "perm", "factorial", "gcd", "lcm"),
    *_from_math("isfinite", "isinf", "isnan", "isclose"),
)
zero_derivative(
    *existing("sign", "rint", "floor", "ceil", "trunc", "fix", "round", "around"),
    *existing("floor_divide", "spacing", "gcd", "lcm"),
)
zero_derivative(
    *existing("int8", "int16", "int32", "int64", "intp", "bool_"),
    *existing("uint8", "uint16", "uint32", "uint64"),
)

# ---------------------------------------------------------------- comparisons, bits

zero_derivative(
    *(operator.lt, operator.le, operator.eq, operator.ne, operator.ge, operator.gt),
    *(operator.not_, operator.truth, operator.is_, operator.is_not),
    *(operator.and_, operator.or_, operator.xor, operator.inv, operator.invert),
    *(operator.lshift, operator.rshift, operator.contains),
)
zero_derivative(
    *existing("less", "less_equal", "equal", "not_equal", "greater_equal", "greater"),
    *existing("logical_and", "logical_or", "logical_not", "logical_xor"),
    *existing("bitwise_and", "bitwise_or", "bitwise_xor", "bitwise_not", "invert"),
    *existing("left_shift", "right_shift", "bitwise_count"),
    *existing("isnan", "isinf", "isfinite", "isneginf", "isposinf", "signbit"),
    *existing("isreal", "iscomplex", "isclose", "allclose", "isin"),
    *existing("array_equal", "array_equiv", "any", "all", "count_nonzero"),
)
zero_derivative(any, all)

# ---------------------------------------------------------------- positions

zero_derivative(
    *existing("argmax", "argmin", "nanargmax", "nanargmin", "argsort", "argpartition"),
    *existing("argwhere", "nonzero", "flatnonzero", "lexsort"),
    *existing("searchsorted", "digitize", "ravel_multi_index", "unravel_index"),
    *existing("tril_indices", "triu_indices", "diag_indices", "indices", "ix_"),
    *existing("tril_indices_from", "triu_indices_from", "diag_indices_from"),
)

# ---------------------------------------------------------------- facts about values

zero_derivative(
    *existing("shape", "ndim", "size", "broadcast_shapes", "isscalar"),
    *existing("iscomplexobj", "isrealobj", "shares_memory", "may_share_memory"),
    *existing("result_type", "promote_types", "common_type", "can_cast"),
    *existing("min_scalar_type", "issubdtype", "finfo", "iinfo", "dtype"),
)
zero_derivative(len, range, isinstance, issubclass, callable, type, id, hash, hasattr)
zero_derivative(str, repr, format)

# ---------------------------------------------------------------- new arrays

zero_derivative(
    *existing("zeros", "ones", "empty", "zeros_like", "ones_like", "empty_like"),
    *existing("eye", "identity", "tri"),
    *existing("bartlett", "blackman", "hamming", "hanning"),
)


@linear(np.full, wrt="fill_value")
def full_adjoint(
    d_y: Any,
    shape: Any,
    fill_value: Any,
    dtype: Any = None,
    order: Any = "C",
    *,
    device: Any = None,
    like: Any = None,
) -> Any:
    # An array that fills is broadcast; the sum over that is the compiler's business.
    return np.sum(d_y) if np.ndim(fill_value) == 0 else d_y


@linear(np.full_like, wrt="a fill_value")
def full_like_adjoint(
    d_y: Any,
    a: Any,
    fill_value: Any,
    dtype: Any = None,
    order: Any = "K",
    subok: Any = True,
    shape: Any = None,
    *,
    device: Any = None,
) -> Any:
    # Of `a` only the shape and dtype count.
    return 0.0, np.sum(d_y) if np.ndim(fill_value) == 0 else d_y


def arange_tangent(
    y: Any,
    start: Any,
    stop: Any = None,
    step: Any = 1,
    dtype: Any = None,
    d_start: Any = 0.0,
    d_stop: Any = 0.0,
    d_step: Any = 0.0,
) -> Any:
    if stop is None:
        return np.zeros_like(y)
    return d_start + d_step * np.arange(np.size(y))


@general(np.arange, wrt="start stop step", tangent=arange_tangent)
def arange_adjoint(
    d_y: Any, start: Any, stop: Any = None, step: Any = 1, dtype: Any = None
) -> Any:
    # Where the array ends decides about its size only.
    if stop is None:
        return 0.0, 0.0, 0.0
    return np.sum(d_y), 0.0, np.dot(d_y, np.arange(np.size(d_y)))
