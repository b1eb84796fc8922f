"""Reductions along axes and with `keepdims`, which Numba has for sums alone."""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING, Any

import numpy as np

from autograd_compiler import ir
from autograd_compiler.backend.legal.arguments import (
    Given,
    Rewrite,
    at_axis,
    axes_of,
    constant,
    keep_axes,
    name_of,
    only,
    sum_along,
    type_of,
)
from autograd_compiler.types import Scalar, dtype_of, ndim

if TYPE_CHECKING:
    from autograd_compiler.backend.legalise import Legaliser


def reduction(kind: str) -> Rewrite:
    def reduce(low: Legaliser, op: ir.Apply, given: Given) -> ir.Operand | None:
        array = given["a"]
        rank = ndim(type_of(array))
        keepdims = bool(constant(given.get("keepdims"), False))
        extra = ("ddof", "correction") if kind in ("var", "std") else ()
        if kind == "sum" and "dtype" in given:
            array = _converted(low, op, array)
            given = {key: item for key, item in given.items() if key != "dtype"}
        only(low, op, given, "a", "axis", "keepdims", *extra)
        ddof = constant(given.get("ddof", given.get("correction")), 0)
        whole = constant(given.get("axis")) is None
        if isinstance(type_of(array), Scalar) and kind in ("sum", "max", "min", "prod"):
            return array
        if whole and not keepdims and not ddof:
            return low.call(op.fn, array)
        if rank is None:
            raise low.refuse(
                f"`{name_of(op.fn)}` along an axis of a value whose rank is not known",
                'use backend="python" for this function',
            )
        axes = axes_of(low, given.get("axis"), rank)
        if axes is None:
            raise low.refuse(
                f"`{name_of(op.fn)}` along a computed axis", "write the number"
            )
        if len(axes) == rank:
            result = _reduce_all(low, op, kind, array, rank, ddof)
            if keepdims:
                return low.call(np.full, (1,) * rank, result)
            return result
        reduced = _reduce_along(low, kind, array, axes, ddof)
        return keep_axes(low, reduced, axes) if keepdims else reduced

    return reduce


def _converted(low: Legaliser, op: ir.Apply, array: Any) -> Any:
    """The array in the dtype of the result."""
    wanted, own = dtype_of(op.target.type), dtype_of(type_of(array))
    if wanted is None:
        raise low.refuse("a sum in a dtype that is not known", "leave `dtype=` out")
    if wanted == own:
        return array
    return low.call(np.astype, array, np.dtype(wanted).type)


def _reduce_all(
    low: Legaliser, op: ir.Apply, kind: str, array: Any, rank: int, ddof: int
) -> ir.Operand:
    if kind in ("var", "std") and ddof:
        count = low.call(getattr, array, "size")
        factor = low.call(operator.truediv, count, low.minus(count, ddof))
        variance = low.call(operator.mul, low.call(np.var, array), factor)
        return low.call(np.sqrt, variance) if kind == "std" else variance
    return low.call(op.fn, array)


def _reduce_along(
    low: Legaliser, kind: str, array: Any, axes: tuple[int, ...], ddof: int
) -> Any:
    match kind:
        case "sum":
            return sum_along(low, array, axes)
        case "mean":
            return _over_count(low, sum_along(low, array, axes), array, axes, 0)
        case "var" | "std":
            mean = _over_count(low, sum_along(low, array, axes), array, axes, 0)
            centred = low.call(operator.sub, array, keep_axes(low, mean, axes))
            squares = _squares(low, centred)
            variance = _over_count(
                low, sum_along(low, squares, axes), array, axes, ddof
            )
            return low.call(np.sqrt, variance) if kind == "std" else variance
        case "ptp":
            return low.call(
                operator.sub,
                _fold(low, array, axes, np.maximum),
                _fold(low, array, axes, np.minimum),
            )
        case "any":
            found = low.call(operator.ne, array, 0)
            return low.call(operator.gt, sum_along(low, found, axes), 0)
        case "all":
            missing = low.call(operator.eq, array, 0)
            return low.call(operator.eq, sum_along(low, missing, axes), 0)
        case "count_nonzero":
            return sum_along(low, low.call(operator.ne, array, 0), axes)
    pairwise = {"max": np.maximum, "min": np.minimum, "prod": np.multiply}[kind]
    return _fold(low, array, axes, pairwise)


def _over_count(
    low: Legaliser, total: ir.Var, array: Any, axes: tuple[int, ...], ddof: int
) -> ir.Var:
    count = low.size(array, axes[0])
    for axis in axes[1:]:
        count = low.call(operator.mul, count, low.size(array, axis))
    if ddof:
        count = low.minus(count, ddof)
    return low.call(operator.truediv, total, count)


def _squares(low: Legaliser, array: ir.Operand) -> ir.Operand:
    if np.dtype(dtype_of(type_of(array)) or "complex128").kind == "c":
        square = low.call(operator.mul, array, low.call(np.conj, array))
        return low.call(np.real, square)
    return low.call(operator.mul, array, array)


def _fold(low: Legaliser, array: Any, axes: tuple[int, ...], pairwise: Any) -> Any:
    """Combine slices along one axis after the other, the last axis first."""
    for axis in reversed(axes):
        array = _fold_one(low, array, axis, pairwise)
    return array


def _fold_one(low: Legaliser, array: Any, axis: int, pairwise: Any) -> ir.Var:
    count = low.size(array, axis)
    if pairwise is np.multiply:
        first, start = low.call(np.ones_like, low.call(np.sum, array, axis=axis)), 0
    else:
        if not isinstance(count, ir.Const) or not count.value:
            nonempty = low.call(operator.gt, count, 0)
            low.ensure(nonempty, "zero-size array to a reduction without an identity")
        first, start = low.call(np.copy, low.load(array, *at_axis(axis, 0))), 1
    return low.loop(
        count,
        first,
        lambda k, best: low.call(pairwise, best, low.load(array, *at_axis(axis, k))),
        start,
    )


def norm(low: Legaliser, op: ir.Apply, given: Given) -> ir.Operand | None:
    axis = given.get("axis")
    keepdims = bool(constant(given.get("keepdims"), False))
    rank = ndim(type_of(given["x"]))
    if constant(axis) is None and not keepdims:
        return None
    if constant(given.get("ord")) not in (None, 2) or rank is None:
        raise low.refuse("this norm", "write it with np.sum and np.sqrt")
    axes = axes_of(low, axis, rank)
    if axes is None or (len(axes) > 1 and constant(given.get("ord")) == 2):
        raise low.refuse("this norm", "write it with np.sum and np.sqrt")
    squares = _squares(low, given["x"])
    if len(axes) == rank:
        root = low.call(np.sqrt, low.call(np.sum, squares))
        return low.call(np.full, (1,) * rank, root) if keepdims else root
    result = low.call(np.sqrt, sum_along(low, squares, axes))
    return keep_axes(low, result, axes) if keepdims else result
