"""Products of arrays, reduced to products of matrices."""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING, Any

import numpy as np

from autograd_compiler import ir
from autograd_compiler.backend.legal.arguments import (
    Given,
    constant,
    keep_axes,
    sum_along,
    type_of,
)
from autograd_compiler.types import Array, dtype_of, ndim

if TYPE_CHECKING:
    from autograd_compiler.backend.legalise import Legaliser


def matmul(low: Legaliser, op: ir.Apply, given: Given) -> ir.Operand | None:
    """Numba's `@` is that of vectors and matrices of one dtype."""
    first, second = given["x1"], given["x2"]
    ranks = ndim(type_of(first)), ndim(type_of(second))
    if ranks[0] is None or ranks[1] is None:
        return low.call(operator.matmul, first, second)
    first, second = same_dtype(low, first, second)
    if ranks[0] <= 2 and ranks[1] <= 2:
        if op.fn is operator.matmul and first is given["x1"] and second is given["x2"]:
            return None
        return low.call(operator.matmul, first, second)
    return _stacked_matmul(low, first, second)


def _stacked_matmul(low: Legaliser, first: ir.Var, second: ir.Var) -> ir.Operand:
    ranks = ndim(first.type) or 0, ndim(second.type) or 0
    if max(ranks) > 3 or min(ranks) < 2:
        raise low.refuse("this product of stacks of matrices", "loop over the matrices")
    stacked = first if ranks[0] == 3 else second
    count = low.size(stacked, 0)
    if ranks == (3, 3):
        sizes = [_dim(first, 0), _dim(second, 0)]
        if sizes[0] is None or not sizes[0].same(sizes[1]):
            other = low.size(second, 0)
            low.ensure(
                low.call(operator.eq, count, other), "stacks of different lengths"
            )
    shape = (count, low.size(first, -2), low.size(second, -1))
    dtype = np.dtype(dtype_of(first.type) or "float64").type
    out = low.call(np.empty, shape, dtype=dtype)

    def one(k: ir.Var, out: ir.Var) -> ir.Operand:
        left = low.load(first, k) if ranks[0] == 3 else first
        right = low.load(second, k) if ranks[1] == 3 else second
        return low.store(out, low.call(operator.matmul, left, right), k)

    return low.loop(count, out, one)


def _dim(array: ir.Var, axis: int) -> Any:
    return array.type.dims[axis] if isinstance(array.type, Array) else None


def same_dtype(
    low: Legaliser, first: ir.Operand, second: ir.Operand
) -> tuple[Any, Any]:
    names = dtype_of(type_of(first)), dtype_of(type_of(second))
    if None in names or (names[0] == names[1] and np.dtype(names[0]).kind in "fc"):
        return first, second
    wanted = np.result_type(*(np.dtype(name) for name in names))
    if wanted.kind not in "fc":
        raise low.refuse("products of integer matrices", "convert them to float")

    def widen(operand: ir.Operand, name: str | None) -> ir.Operand:
        if name == wanted.name:
            return operand
        one = low.call(wanted.type, 1.0)
        return low.call(operator.mul, operand, one)

    return widen(first, names[0]), widen(second, names[1])


def dot(low: Legaliser, op: ir.Apply, given: Given) -> ir.Operand | None:
    first, second = given["a"], given["b"]
    ranks = ndim(type_of(first)), ndim(type_of(second))
    if ranks[0] is None or ranks[1] is None:
        return None
    if 0 in ranks:
        return low.call(operator.mul, first, second)
    first, second = same_dtype(low, first, second)
    if ranks[0] <= 2 and ranks[1] <= 2:
        return low.call(operator.matmul, first, second)
    return _contract(low, first, second, (ranks[0] - 1,), (max(ranks[1] - 2, 0),))


def inner(low: Legaliser, op: ir.Apply, given: Given) -> ir.Operand | None:
    first, second = given["a"], given["b"]
    ranks = ndim(type_of(first)), ndim(type_of(second))
    if ranks[0] is None or ranks[1] is None:
        raise low.refuse("np.inner of values whose rank is not known", "use `@`")
    if 0 in ranks:
        return low.call(operator.mul, first, second)
    first, second = same_dtype(low, first, second)
    if ranks == (1, 1):
        return low.call(operator.matmul, first, second)
    return _contract(low, first, second, (ranks[0] - 1,), (ranks[1] - 1,))


def tensordot(low: Legaliser, op: ir.Apply, given: Given) -> ir.Operand | None:
    first, second = given["a"], given["b"]
    ranks = ndim(type_of(first)), ndim(type_of(second))
    axes = constant(given.get("axes"), 2)
    if ranks[0] is None or ranks[1] is None or axes is ...:
        raise low.refuse("this np.tensordot", "give constant axes")
    if isinstance(axes, int):
        of_first = tuple(range(ranks[0] - axes, ranks[0]))
        of_second = tuple(range(axes))
    else:
        both = [each if isinstance(each, tuple) else (each,) for each in axes]
        of_first = tuple(axis % ranks[0] for axis in both[0])
        of_second = tuple(axis % ranks[1] for axis in both[1])
    first, second = same_dtype(low, first, second)
    return _contract(low, first, second, of_first, of_second)


def _contract(
    low: Legaliser,
    first: ir.Var,
    second: ir.Var,
    of_first: tuple[int, ...],
    of_second: tuple[int, ...],
) -> ir.Var:
    """Sum over pairs of axes, by one product of matrices."""
    free_first = [k for k in range(ndim(first.type) or 0) if k not in of_first]
    free_second = [k for k in range(ndim(second.type) or 0) if k not in of_second]
    shape = (
        *(low.size(first, axis) for axis in free_first),
        *(low.size(second, axis) for axis in free_second),
    )
    inner = _product(low, [low.size(first, axis) for axis in of_first])
    rows = _product(low, [low.size(first, axis) for axis in free_first])
    columns = _product(low, [low.size(second, axis) for axis in free_second])
    left = _matrix(low, first, (*free_first, *of_first), rows, inner)
    right = _matrix(low, second, (*of_second, *free_second), inner, columns)
    product = low.call(operator.matmul, left, right)
    if not shape:
        return low.load(product, 0, 0)
    return low.call(np.reshape, product, shape)


def _product(low: Legaliser, sizes: list[ir.Operand]) -> ir.Operand:
    result: ir.Operand = ir.Const(1)
    for size in sizes:
        if isinstance(result, ir.Const) and result.value == 1:
            result = size
        else:
            result = low.call(operator.mul, result, size)
    return result


def _matrix(
    low: Legaliser, array: ir.Var, order: tuple[int, ...], *shape: ir.Operand
) -> ir.Var:
    turned = _transposed(low, array, order)
    return low.call(np.reshape, low.call(np.ascontiguousarray, turned), shape)


def _transposed(low: Legaliser, array: ir.Var, order: tuple[int, ...]) -> ir.Var:
    if order == tuple(range(len(order))):
        return array
    return low.call(np.transpose, array, order)


def einsum(low: Legaliser, op: ir.Apply, given: Given) -> ir.Operand | None:
    """One contraction after the other, left to right."""
    text = constant(op.args[0])
    operands = list(op.args[1:])
    if not isinstance(text, str) or "..." in text:
        raise low.refuse("this np.einsum", "write the subscripts out, without `...`")
    inputs, _, output = text.replace(" ", "").partition("->")
    letters = inputs.split(",")
    if "->" not in text:
        every = inputs.replace(",", "")
        output = "".join(sorted(c for c in set(every) if every.count(c) == 1))
    if any(len(set(term)) < len(term) for term in letters):
        raise low.refuse(
            "np.einsum with a repeated index", "use np.diag or np.trace first"
        )
    if any(
        ndim(type_of(each)) != len(t) for each, t in zip(operands, letters, strict=True)
    ):
        raise low.refuse(
            "np.einsum of values whose rank is not known", "use `@` or np.sum"
        )
    array, term = operands[0], letters[0]
    for position in range(1, len(operands)):
        later = set(output).union(*letters[position + 1 :])
        array, term = _einsum_pair(
            low, array, term, operands[position], letters[position], later
        )
    array, term = _sum_letters(low, array, term, set(output))
    return _transposed(low, array, tuple(term.index(letter) for letter in output))


def _sum_letters(
    low: Legaliser, array: Any, term: str, kept: set[str]
) -> tuple[Any, str]:
    axes = tuple(axis for axis, letter in enumerate(term) if letter not in kept)
    if not axes:
        return array, term
    rest = "".join(letter for letter in term if letter in kept)
    return (sum_along(low, array, axes) if rest else low.call(np.sum, array)), rest


def _einsum_pair(
    low: Legaliser, first: Any, one: str, second: Any, two: str, later: set[str]
) -> tuple[Any, str]:
    first, one = _sum_letters(low, first, one, later | set(two))
    second, two = _sum_letters(low, second, two, later | set(one))
    if not one or not two:
        return low.call(operator.mul, first, second), one + two
    shared = [letter for letter in one if letter in two]
    if shared and not any(letter in later for letter in shared):
        first, second = same_dtype(low, first, second)
        product = _contract(
            low,
            first,
            second,
            tuple(map(one.index, shared)),
            tuple(map(two.index, shared)),
        )
        return product, "".join(c for c in one + two if c not in shared)
    # Some letter runs along: align all letters, multiply, then sum what is done.
    term = one + "".join(letter for letter in two if letter not in one)
    product = low.call(
        operator.mul, _aligned(low, first, one, term), _aligned(low, second, two, term)
    )
    return _sum_letters(low, product, term, later)


def _aligned(low: Legaliser, array: Any, own: str, term: str) -> ir.Operand:
    order = tuple(own.index(letter) for letter in term if letter in own)
    array = _transposed(low, array, order)
    absent = tuple(axis for axis, letter in enumerate(term) if letter not in own)
    return keep_axes(low, array, absent)


def multi_dot(low: Legaliser, op: ir.Apply, given: Given) -> ir.Operand | None:
    arrays = given["arrays"]
    if not isinstance(arrays, ir.Pack):
        return None
    result, *rest = arrays.items
    for array in rest:
        result = low.call(operator.matmul, result, array)
    return result
