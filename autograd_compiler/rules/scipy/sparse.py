"""Sparse matrices and systems of equations: `scipy.sparse`.

The product `A @ x` with a fixed matrix needs no rule of its own: it is that of dense
matrices.  A matrix that the function makes, of numbers with a derivative, is lowered as
its elements and their places.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import sparse
from scipy.sparse import linalg

from autograd_compiler.rules.registry import general, linear, multilinear, stands_in
from autograd_compiler.types import Array


@linear(linalg.spsolve, wrt="b")
def spsolve_adjoint(d_y: Any, A: Any, b: Any) -> Any:
    return linalg.spsolve(A.T, d_y)


# ---------------------------------------------------------------- products by elements


def sparse_product(data: Any, rows: Any, columns: Any, count: int, x: Any) -> Any:
    """The product of a matrix of `count` rows, by its elements, with an array.

    Examples
    --------
    >>> sparse_product(np.array([2.0, 3.0]), [0, 0], [0, 2], 2, np.array([1.0, 1.0, 1.0]))
    array([5., 0.])
    """
    places = (np.asarray(rows), np.asarray(columns))
    return sparse.csr_array((data, places), shape=(count, x.shape[0])) @ x


def form_of_product(data: Any, rows: Any, columns: Any, count: int, x: Any) -> Any:
    return np.zeros((count, *np.shape(x)[1:]), np.result_type(data, x))


@multilinear(sparse_product, wrt="data x", result=form_of_product)
def sparse_product_adjoint(
    d_y: Any, data: Any, rows: Any, columns: Any, count: Any, x: Any
) -> Any:
    d_x = sparse_product(data, columns, rows, np.shape(x)[0], d_y)
    return products_at(d_y, x, rows, columns), d_x


def products_at(left: Any, right: Any, rows: Any, columns: Any) -> Any:
    """The elements of `left @ right.T` in some places."""
    if np.ndim(right) == 1:
        return left[rows] * right[columns]
    return np.sum(left[rows] * right[columns], axis=1)


def sparse_solution(data: Any, rows: Any, columns: Any, b: Any) -> Any:
    """The solution of a system with a matrix that is given by its elements.

    Examples
    --------
    >>> sparse_solution(np.array([2.0, 4.0]), [0, 1], [1, 0], np.array([1.0, 1.0]))
    array([0.25, 0.5 ])
    """
    places = (np.asarray(rows), np.asarray(columns))
    matrix = sparse.csc_array((data, places), shape=(b.shape[0], b.shape[0]))
    return linalg.spsolve(matrix, b)


def sparse_solution_tangent(
    y: Any, data: Any, rows: Any, columns: Any, b: Any, d_data: Any, d_b: Any
) -> Any:
    change = sparse_product(d_data, rows, columns, np.shape(b)[0], y)
    return sparse_solution(data, rows, columns, d_b - change)


@general(sparse_solution, wrt="data b", tangent=sparse_solution_tangent, result="b")
def sparse_solution_adjoint(
    d_y: Any, y: Any, data: Any, rows: Any, columns: Any, b: Any
) -> Any:
    d_b = sparse_solution(data, columns, rows, d_y)
    return -products_at(d_b, y, rows, columns), d_b


# ---------------------------------------------------------------- matrices by elements


@stands_in((), lambda *args: False)
class Entries:
    """A sparse matrix as its elements and their places; those in one place are added."""

    def __init__(self, data: Any, rows: Any, columns: Any, shape: Any) -> None:
        self.data = data
        self.rows = rows
        self.columns = columns
        self.shape = shape

    def __matmul__(self, x: Any) -> Any:
        return sparse_product(self.data, self.rows, self.columns, self.shape[0], x)

    def __rmatmul__(self, x: Any) -> Any:
        return (self.T @ x.T).T

    def __mul__(self, factor: float) -> Any:
        if np.ndim(factor) > 0:
            raise TypeError("a sparse matrix times an array: write `A @ x`")
        return Entries(self.data * factor, self.rows, self.columns, self.shape)

    def __rmul__(self, factor: float) -> Any:
        return self * factor

    def __truediv__(self, factor: float) -> Any:
        return self * (1 / factor)

    def __neg__(self) -> Any:
        return self * -1

    def __add__(self, other: Any) -> Any:
        return Entries(
            np.concatenate((self.data, other.data)),
            np.concatenate((self.rows, other.rows)),
            np.concatenate((self.columns, other.columns)),
            self.shape,
        )

    def __sub__(self, other: Any) -> Any:
        return self + other * -1

    @property
    def T(self) -> Any:
        return Entries(
            self.data, self.columns, self.rows, (self.shape[1], self.shape[0])
        )

    def transpose(self) -> Any:
        return self.T

    def dot(self, x: Any) -> Any:
        return self @ x

    def tocsr(self) -> Any:
        return self

    def tocsc(self) -> Any:
        return self

    def toarray(self) -> Any:
        return self @ np.eye(self.shape[1])


def has_floats(kind: Any) -> bool:
    return isinstance(kind, Array) and kind.dtype.startswith(("float", "complex"))


def are_elements(first: Any, *others: Any) -> bool:
    """Whether a matrix is given by a tuple of its elements and their places."""
    return isinstance(first, tuple) and len(first) > 1 and has_floats(first[0])


def known_shape(shape: Any) -> Any:
    if shape is None:
        raise TypeError("scipy.sparse: of elements with a derivative: give `shape=`")
    return shape


def repeated(starts: Any) -> Any:
    """The row of each element, of compressed rows that start in these places."""
    return np.repeat(np.arange(np.size(starts) - 1), np.diff(starts))


@stands_in((sparse.csr_array, sparse.csr_matrix), are_elements)
def by_rows(arg1: Any, shape: Any = None) -> Any:
    if len(arg1) == 2:
        return by_places(arg1, shape)
    return Entries(arg1[0], repeated(arg1[2]), arg1[1], known_shape(shape))


@stands_in((sparse.csc_array, sparse.csc_matrix), are_elements)
def by_columns(arg1: Any, shape: Any = None) -> Any:
    if len(arg1) == 2:
        return by_places(arg1, shape)
    return Entries(arg1[0], arg1[1], repeated(arg1[2]), known_shape(shape))


@stands_in((sparse.coo_array, sparse.coo_matrix), are_elements)
def by_places(arg1: Any, shape: Any = None) -> Any:
    rows, columns = arg1[1]
    return Entries(arg1[0], np.array(rows), np.array(columns), known_shape(shape))


def are_diagonals(first: Any, *others: Any) -> bool:
    return has_floats(first) or isinstance(first, tuple) and all(map(has_floats, first))


@stands_in((sparse.diags, sparse.diags_array), are_diagonals)
def of_diagonals(diagonals: Any, offsets: Any = 0, *, format: Any = None) -> Any:
    if not isinstance(diagonals, (list, tuple)):
        return of_diagonals([diagonals], [offsets])
    size = np.size(diagonals[0]) + abs(offsets[0])
    rows, columns = [], []
    for diagonal, k in zip(diagonals, offsets, strict=True):
        rows.append(np.arange(np.size(diagonal)) + max(-k, 0))
        columns.append(np.arange(np.size(diagonal)) + max(k, 0))
    return Entries(
        np.concatenate(diagonals),
        np.concatenate(rows),
        np.concatenate(columns),
        (size, size),
    )


@stands_in(linalg.spsolve, lambda first, *others: first is Entries)
def solved(A: Any, b: Any) -> Any:
    return sparse_solution(A.data, A.rows, A.columns, b)
