"""Rules of products: dot, matmul, einsum and their relatives.

No adjoint of a holomorphic product conjugates: for complex operands the transpose
stands where a textbook on unitary spaces has the conjugate transpose.
"""

from __future__ import annotations

import operator
from typing import Any

import numpy as np

from autograd_compiler.rules.registry import multilinear
from autograd_compiler.rules.static import (
    as_tuple,
    axes_range,
    existing,
    inverse_permutation,
    other_axes,
    static,
)


def transposed(a: Any) -> Any:
    """A matrix, or each matrix of a stack, with rows and columns exchanged."""
    if np.ndim(a) == 2:
        return a.T
    return np.swapaxes(a, -1, -2)


def conjugate(a: Any) -> Any:
    """The complex conjugate; real numbers as they are."""
    if np.iscomplexobj(a):
        return np.conj(a)
    return a


# ---------------------------------------------------------------- matrices


@multilinear((np.matmul, operator.matmul, *existing("linalg.matmul")), wrt="a b")
def matmul_adjoint(d_y: Any, a: Any, b: Any) -> Any:
    return matmul_left(d_y, a, b), matmul_right(d_y, a, b)


def matmul_left(d_y: Any, a: Any, b: Any) -> Any:
    """The adjoint of `a` in `a @ b`."""
    if np.ndim(a) == 1:
        if np.ndim(b) == 1:
            return d_y * b
        if np.ndim(b) == 2:
            return b @ d_y
        return np.squeeze(b @ np.expand_dims(d_y, -1), -1)
    if np.ndim(b) == 1:
        if np.ndim(a) == 2:
            return np.outer(d_y, b)
        return np.expand_dims(d_y, -1) * b
    if np.ndim(a) == 2 and np.ndim(b) > 2:
        summed = other_axes(-2, np.ndim(b))
        return np.tensordot(d_y, b, (summed, summed))
    return d_y @ transposed(b)


def matmul_right(d_y: Any, a: Any, b: Any) -> Any:
    """The adjoint of `b` in `a @ b`."""
    if np.ndim(a) == 1:
        if np.ndim(b) == 1:
            return d_y * a
        if np.ndim(b) == 2:
            return np.outer(a, d_y)
        return np.expand_dims(a, -1) * np.expand_dims(d_y, -2)
    if np.ndim(b) == 1:
        if np.ndim(a) == 2:
            return a.T @ d_y
        return np.tensordot(d_y, a, np.ndim(d_y))
    if np.ndim(b) == 2 and np.ndim(a) > 2:
        summed = axes_range(0, np.ndim(a) - 1)
        return np.tensordot(a, d_y, (summed, summed))
    return transposed(a) @ d_y


@multilinear(np.dot, wrt="a b")
def dot_adjoint(d_y: Any, a: Any, b: Any, out: Any = None) -> Any:
    return dot_left(d_y, a, b), dot_right(d_y, a, b)


def dot_left(d_y: Any, a: Any, b: Any) -> Any:
    """The adjoint of `a` in `np.dot(a, b)`."""
    if np.ndim(a) == 0 or np.ndim(b) == 0:
        return d_y * b
    if np.ndim(a) <= 2 and np.ndim(b) <= 2:
        return matmul_left(d_y, a, b)
    if np.ndim(b) == 1:
        return np.expand_dims(d_y, -1) * b
    return np.tensordot(d_y, np.moveaxis(b, -2, -1), np.ndim(b) - 1)


def dot_right(d_y: Any, a: Any, b: Any) -> Any:
    """The adjoint of `b` in `np.dot(a, b)`."""
    if np.ndim(a) == 0 or np.ndim(b) == 0:
        return d_y * a
    if np.ndim(a) <= 2 and np.ndim(b) <= 2:
        return matmul_right(d_y, a, b)
    if np.ndim(b) == 1:
        return np.tensordot(d_y, a, np.ndim(d_y))
    return np.moveaxis(np.tensordot(np.moveaxis(a, -1, 0), d_y, np.ndim(a) - 1), 0, -2)


@multilinear(np.inner, wrt="a b")
def inner_adjoint(d_y: Any, a: Any, b: Any) -> Any:
    return inner_left(d_y, a, b), inner_right(d_y, a, b)


def inner_left(d_y: Any, a: Any, b: Any) -> Any:
    """The adjoint of `a` in `np.inner(a, b)`."""
    if np.ndim(a) == 0 or np.ndim(b) <= 1 and np.ndim(a) <= 1:
        return d_y * b
    if np.ndim(b) == 0:
        return d_y * b
    if np.ndim(b) == 1:
        return np.outer(d_y, b) if np.ndim(a) == 2 else np.expand_dims(d_y, -1) * b
    if np.ndim(b) == 2:
        return d_y @ b
    return np.tensordot(d_y, b, np.ndim(b) - 1)


def inner_right(d_y: Any, a: Any, b: Any) -> Any:
    """The adjoint of `b` in `np.inner(a, b)`."""
    if np.ndim(b) == 0 or np.ndim(a) <= 1 and np.ndim(b) <= 1:
        return d_y * a
    if np.ndim(a) == 0:
        return d_y * a
    if np.ndim(a) == 1:
        return np.outer(d_y, a) if np.ndim(b) == 2 else np.expand_dims(d_y, -1) * a
    if np.ndim(b) == 1:
        return np.tensordot(d_y, a, np.ndim(d_y)) if np.ndim(a) > 2 else d_y @ a
    if np.ndim(a) == 2:
        return d_y.T @ a if np.ndim(b) == 2 else np.moveaxis(d_y, 0, -1) @ a
    # The axes of `a` come first in the result, those of `b` last.
    rows = np.tensordot(np.moveaxis(a, -1, 0), d_y, np.ndim(a) - 1)
    return np.moveaxis(rows, 0, -1)


@multilinear(np.outer, wrt="a b")
def outer_adjoint(d_y: Any, a: Any, b: Any, out: Any = None) -> Any:
    return outer_left(d_y, a, b), outer_right(d_y, a, b)


@multilinear(existing("linalg.outer"), wrt="x1 x2")
def linalg_outer_adjoint(d_y: Any, x1: Any, x2: Any) -> Any:
    return d_y @ x2, x1 @ d_y


def outer_left(d_y: Any, a: Any, b: Any) -> Any:
    if np.ndim(a) == 1 and np.ndim(b) == 1:
        return d_y @ b
    return np.reshape(d_y @ np.ravel(b), np.shape(a))


def outer_right(d_y: Any, a: Any, b: Any) -> Any:
    if np.ndim(a) == 1 and np.ndim(b) == 1:
        return a @ d_y
    return np.reshape(np.ravel(a) @ d_y, np.shape(b))


@multilinear(existing("matvec"), wrt="x1 x2")
def matvec_adjoint(d_y: Any, x1: Any, x2: Any) -> Any:
    d_x2 = np.squeeze(transposed(x1) @ np.expand_dims(d_y, -1), -1)
    return np.expand_dims(d_y, -1) * np.expand_dims(x2, -2), d_x2


@multilinear(np.kron, wrt="a b")
def kron_adjoint(d_y: Any, a: Any, b: Any) -> Any:
    if np.ndim(a) == 0 or np.ndim(b) == 0:
        return d_y * b, d_y * a
    if np.ndim(a) == 1 and np.ndim(b) == 1:
        blocks = np.reshape(d_y, (np.shape(a)[0], np.shape(b)[0]))
        return blocks @ b, a @ blocks
    # Each axis of the result is an axis of a and one of b, that of a the outer one.
    parts = [
        kron_size(a, b, half // 2 - np.ndim(d_y), half % 2)
        for half in range(2 * np.ndim(d_y))
    ]
    blocks = np.reshape(d_y, parts)
    d_a = np.tensordot(blocks, b, (kron_axes(1, np.ndim(b), np.ndim(d_y)), all_axes(b)))
    d_b = np.tensordot(a, blocks, (all_axes(a), kron_axes(0, np.ndim(a), np.ndim(d_y))))
    return np.reshape(d_a, np.shape(a)), np.reshape(d_b, np.shape(b))


def kron_size(a: Any, b: Any, axis: Any, inner: Any) -> Any:
    """The size of a's part of an axis counted from the end, or of b's."""
    if inner:
        return size_or_one(b, axis)
    return size_or_one(a, axis)


def size_or_one(a: Any, axis: Any) -> Any:
    if -axis > np.ndim(a):
        return 1
    return np.shape(a)[axis]


def all_axes(a: Any) -> Any:
    return axes_range(0, np.ndim(a))


@static
def kron_axes(inner: int, count: int, ndim: int) -> tuple[int, ...]:
    """Where the last `count` outer or inner halves of the axes are."""
    return tuple(2 * axis + inner for axis in range(ndim - count, ndim))


# ---------------------------------------------------------------- vectors


@multilinear(np.vdot, wrt="a b")
def vdot_adjoint(d_y: Any, a: Any, b: Any) -> Any:
    if np.ndim(a) == np.ndim(b):
        return conjugate(d_y * b), d_y * conjugate(a)
    d_a = np.reshape(conjugate(d_y * b), np.shape(a))
    return d_a, np.reshape(d_y * conjugate(a), np.shape(b))


@multilinear(existing("vecdot", "linalg.vecdot"), wrt="x1 x2")
def vecdot_adjoint(d_y: Any, x1: Any, x2: Any, *, axis: Any = -1) -> Any:
    if axis >= 0 and np.ndim(x1) != np.ndim(x2):
        raise TypeError("np.vecdot: count the axis from the end, as in axis=-1")
    d_sum = np.expand_dims(d_y, axis)
    return conjugate(d_sum * x2), d_sum * conjugate(x1)


@multilinear(existing("vecmat"), wrt="x1 x2")
def vecmat_adjoint(d_y: Any, x1: Any, x2: Any) -> Any:
    d_x1 = np.squeeze(x2 @ np.expand_dims(d_y, -1), -1)
    d_x2 = np.expand_dims(conjugate(x1), -1) * np.expand_dims(d_y, -2)
    return conjugate(d_x1), d_x2


@multilinear(np.cross, wrt="a b")
def cross_adjoint(
    d_y: Any,
    a: Any,
    b: Any,
    axisa: Any = -1,
    axisb: Any = -1,
    axisc: Any = -1,
    axis: Any = None,
) -> Any:
    if axis is not None:
        return cross_adjoint(d_y, a, b, axis, axis, axis)
    if axisa == -1 and axisb == -1 and axisc == -1:
        return np.cross(b, d_y), np.cross(d_y, a)
    # Axes from the end, so that they stay right where the operands are broadcast.
    own_a = from_end(axisa, np.ndim(a))
    own_b = from_end(axisb, np.ndim(b))
    own_y = from_end(axisc, np.ndim(d_y))
    return np.cross(b, d_y, own_b, own_y, own_a), np.cross(d_y, a, own_y, own_a, own_b)


@static
def from_end(axis: int, ndim: int) -> int:
    return axis % ndim - ndim


@multilinear(existing("linalg.cross"), wrt="x1 x2")
def linalg_cross_adjoint(d_y: Any, x1: Any, x2: Any, *, axis: Any = -1) -> Any:
    return cross_adjoint(d_y, x1, x2, axis, axis, axis)


# ---------------------------------------------------------------- tensors


@multilinear((np.tensordot, *existing("linalg.tensordot")), wrt="a b")
def tensordot_adjoint(d_y: Any, a: Any, b: Any, axes: Any = 2) -> Any:
    return tensordot_left(d_y, a, b, axes), tensordot_right(d_y, a, b, axes)


def tensordot_left(d_y: Any, a: Any, b: Any, axes: Any) -> Any:
    """The adjoint of `a` in `np.tensordot(a, b, axes)`."""
    summed, order = contraction_of_left(axes, np.ndim(a), np.ndim(b))
    return in_order(np.tensordot(d_y, b, summed), order)


def tensordot_right(d_y: Any, a: Any, b: Any, axes: Any) -> Any:
    """The adjoint of `b` in `np.tensordot(a, b, axes)`."""
    summed, order = contraction_of_right(axes, np.ndim(a), np.ndim(b))
    return in_order(np.tensordot(a, d_y, summed), order)


def in_order(array: Any, order: Any) -> Any:
    if order is None:
        return array
    return np.transpose(array, order)


Axes = tuple[int, ...]
Contraction = tuple[tuple[Axes, Axes], Axes | None]


@static
def contracted_axes(
    axes: Any, ndim_a: int, ndim_b: int
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """The axes that `np.tensordot` sums over, in both operands.

    Examples
    --------
    >>> contracted_axes(1, 2, 3)
    ((1,), (0,))
    >>> contracted_axes((-1, -2), 2, 3)
    ((1,), (1,))
    """
    if not isinstance(axes, (tuple, list)):
        return tuple(range(ndim_a - axes, ndim_a)), tuple(range(axes))
    return (
        tuple(axis % ndim_a for axis in as_tuple(axes[0])),
        tuple(axis % ndim_b for axis in as_tuple(axes[1])),
    )


@static
def contraction_of_left(axes: Any, ndim_a: int, ndim_b: int) -> Contraction:
    """How `d_y` and `b` make the adjoint of `a`: axes to sum, then order of axes."""
    own, others = contracted_axes(axes, ndim_a, ndim_b)
    kept = other_axes(own, ndim_a)
    free = other_axes(others, ndim_b)
    matched = tuple(own[others.index(axis)] for axis in sorted(others))
    in_y = tuple(range(len(kept), len(kept) + len(free)))
    return (in_y, free), order_of(kept + matched)


@static
def contraction_of_right(axes: Any, ndim_a: int, ndim_b: int) -> Contraction:
    """How `a` and `d_y` make the adjoint of `b`: axes to sum, then order of axes."""
    others, own = contracted_axes(axes, ndim_a, ndim_b)
    kept = other_axes(own, ndim_b)
    free = other_axes(others, ndim_a)
    matched = tuple(own[others.index(axis)] for axis in sorted(others))
    return (free, tuple(range(len(free)))), order_of(matched + kept)


def order_of(labels: tuple[int, ...]) -> tuple[int, ...] | None:
    """The transposition that sorts the axes, None if they are in order."""
    order = inverse_permutation(labels) if labels else ()
    return None if order == tuple(range(len(labels))) else order


# ---------------------------------------------------------------- einsum

LOWER, UPPER = "abcdefghijklmnopqrstuvwxyz", "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


@multilinear(np.einsum, wrt="operands")
def einsum_adjoint(
    d_y: Any, subscripts: Any, *operands: Any, out: Any = None, optimize: Any = False
) -> Any:
    if not isinstance(subscripts, str):
        raise TypeError("np.einsum: write the subscripts as a string, first")
    if has_ellipsis(subscripts):
        ndims = tuple([np.ndim(operand) for operand in operands])
        named = without_ellipsis(subscripts, ndims)
        return [
            einsum_part(d_y, named, operands, k, optimize) for k in range(len(operands))
        ]
    return [
        einsum_part(d_y, subscripts, operands, k, optimize)
        for k in range(len(operands))
    ]


def einsum_part(d_y: Any, subscripts: Any, operands: Any, k: Any, optimize: Any) -> Any:
    """The adjoint of one operand: another einsum."""
    partner = only_factor(subscripts, k)
    if partner is not None:
        return d_y * operands[partner]
    sizes = np.shape(operands[k])
    dtype = operand_dtype(operands[k])
    factors = [
        *[operands[j] for j in other_axes(k, len(operands))],
        *[np.eye(sizes[axis], dtype=dtype) for axis in repeated_axes(subscripts, k)],
        *[np.ones(sizes[axis], dtype) for axis in lone_axes(subscripts, k)],
    ]
    if optimize is False:
        return np.einsum(adjoint_subscripts(subscripts, k), d_y, *factors)
    return np.einsum(adjoint_subscripts(subscripts, k), d_y, *factors, optimize=True)


def operand_dtype(operand: Any) -> Any:
    return operand.dtype if np.ndim(operand) > 0 else None


@static
def has_ellipsis(subscripts: str) -> bool:
    return "..." in subscripts


@static
def without_ellipsis(subscripts: str, ndims: tuple[int, ...]) -> str:
    """The subscripts with a letter for each axis that the ellipsis stands for.

    Examples
    --------
    >>> without_ellipsis("...ij,...j", (3, 2))
    'Aij,Aj->Ai'
    """
    inputs, output = einsum_terms(subscripts)
    lengths = [
        ndim - len(term.replace("...", ""))
        for term, ndim in zip(inputs, ndims, strict=True)
        if "..." in term
    ]
    free = [letter for letter in UPPER if letter not in subscripts]
    letters = "".join(free[: max(lengths, default=0)])

    def named(term: str, count: int) -> str:
        return term.replace("...", letters[len(letters) - count :])

    terms = [
        named(term, ndim - len(term.replace("...", "")))
        for term, ndim in zip(inputs, ndims, strict=True)
    ]
    return ",".join(terms) + "->" + named(output, len(letters))


@static
def einsum_terms(subscripts: str) -> tuple[list[str], str]:
    """The subscripts of the operands and of the result.

    Examples
    --------
    >>> einsum_terms("ij, jk")
    (['ij', 'jk'], 'ik')
    """
    inputs, arrow, output = subscripts.replace(" ", "").partition("->")
    if not arrow:
        letters = inputs.replace("...", "").replace(",", "")
        once = [letter for letter in sorted(letters) if letters.count(letter) == 1]
        output = ("..." if "..." in inputs else "") + "".join(once)
    return inputs.split(","), output


@static
def distinct_axes(subscripts: str, k: int) -> str:
    """The subscripts of an operand, with new letters where one is repeated.

    Examples
    --------
    >>> distinct_axes("iij,j->i", 0)
    'iaj'
    """
    inputs, _ = einsum_terms(subscripts)
    free = [letter for letter in LOWER + UPPER if letter not in subscripts]
    seen = ""
    for letter in inputs[k]:
        seen += free.pop(0) if letter in seen else letter
    return seen


@static
def repeated_axes(subscripts: str, k: int) -> tuple[int, ...]:
    """The axes of an operand whose letter an earlier one has: its diagonals."""
    own = einsum_terms(subscripts)[0][k]
    return tuple(axis for axis, letter in enumerate(own) if letter in own[:axis])


@static
def lone_axes(subscripts: str, k: int) -> tuple[int, ...]:
    """The axes of an operand that the operator sums over in it alone."""
    inputs, output = einsum_terms(subscripts)
    own = inputs[k]
    elsewhere = output + "".join(inputs[:k] + inputs[k + 1 :])
    return tuple(
        axis
        for axis, letter in enumerate(own)
        if letter not in elsewhere and own.count(letter) == 1
    )


@static
def adjoint_subscripts(subscripts: str, k: int) -> str:
    """The einsum of `d_y`, the other operands, and eyes and ones where needed.

    Examples
    --------
    >>> adjoint_subscripts("ij,jk->ik", 0)
    'ik,jk->ij'
    >>> adjoint_subscripts("ii->", 0)
    ',ia->ia'
    """
    inputs, output = einsum_terms(subscripts)
    distinct = distinct_axes(subscripts, k)
    eyes = [inputs[k][axis] + distinct[axis] for axis in repeated_axes(subscripts, k)]
    ones = [inputs[k][axis] for axis in lone_axes(subscripts, k)]
    factors = [output, *inputs[:k], *inputs[k + 1 :], *eyes, *ones]
    return ",".join(factors) + "->" + distinct


@static
def only_factor(subscripts: str, k: int) -> int | None:
    """The other operand, where the result is the sum of all products of elements."""
    inputs, output = einsum_terms(subscripts)
    if output or len(inputs) != 2 or inputs[0] != inputs[1]:
        return None
    return 1 - k if len(set(inputs[0])) == len(inputs[0]) else None
