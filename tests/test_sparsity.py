"""Sparse Jacobians and Hessians: compressed, and never wrong for a wrong pattern."""

from __future__ import annotations

import numpy as np
import pytest

from autograd_compiler import grad, hessian, jacobian
from autograd_compiler.errors import ArgumentError, UnsupportedError

sparse = pytest.importorskip("scipy.sparse")

X = np.linspace(0.0, 1.0, 30)


def banded(x):
    y = np.zeros(len(x) + 1)
    y[1:-1] = x[1:] * x[:-1]
    y[0] = x[0] ** 2
    y[-1] = np.sin(x[-1])
    return y


def with_a_full_row(x):
    return np.concatenate((x[1:] ** 2, np.array([np.sum(x**2)])))


def rosenbrock(p):
    return np.sum(100.0 * (p[1:] - p[:-1] ** 2) ** 2 + (1.0 - p[:-1]) ** 2)


def compression(made):
    (found,) = made._detected.values()
    return found


@pytest.mark.parametrize("f", [banded, with_a_full_row])
def test_detected_pattern_gives_the_dense_jacobian(f) -> None:
    result = jacobian(f, sparsity="detect")(X)
    assert isinstance(result, sparse.csr_array)
    np.testing.assert_allclose(result.toarray(), jacobian(f)(X))


def test_few_products_are_enough() -> None:
    made = jacobian(banded, sparsity="detect")
    made(X)
    assert len(compression(made).seeds(float)) <= 4  # the last one is the check
    made = hessian(rosenbrock, sparsity="detect")
    made(X)
    assert len(compression(made).seeds(float)) <= 6


def test_rows_are_grouped_where_that_needs_fewer_products() -> None:
    made = jacobian(with_a_full_row, sparsity="detect")
    made(X)
    assert compression(made).mode == "rev"
    assert len(compression(made).seeds(float)) == 3


@pytest.mark.parametrize("form", [np.asarray, sparse.csr_array, sparse.coo_matrix])
def test_given_pattern(form) -> None:
    pattern = (jacobian(banded)(X) != 0) | (np.eye(31, 30) != 0)
    made = jacobian(banded, sparsity=form(pattern))
    result = made(X)
    np.testing.assert_allclose(result.toarray(), jacobian(banded)(X))
    assert result.nnz == np.count_nonzero(pattern)
    assert made.pattern(X).nnz == result.nnz


def test_sparse_hessian() -> None:
    result = hessian(rosenbrock, sparsity="detect")(X)
    np.testing.assert_allclose(result.toarray(), hessian(rosenbrock)(X), atol=1e-12)


def test_entry_that_a_given_pattern_lacks_is_an_error() -> None:
    with pytest.raises(ArgumentError, match="lacks an entry"):
        jacobian(banded, sparsity=np.eye(31, 30))(X)


def test_pattern_that_grows_is_detected_anew() -> None:
    def f(x, sign):
        if sign > 0:
            return x**2
        return x * x[::-1]

    made = jacobian(f, sparsity="detect")
    assert made(X, 1.0).nnz == 30
    for sign in (-1.0, 1.0):
        result = made(X, sign)
        np.testing.assert_allclose(result.toarray(), jacobian(f)(X, sign))


def test_arrays_of_more_dimensions_are_seen_flat() -> None:
    x = np.arange(1.0, 7.0).reshape(2, 3)

    def f(x):
        return np.outer(x[0], x[1])

    result = jacobian(f, sparsity="detect")(x)
    np.testing.assert_allclose(result.toarray(), jacobian(f)(x).reshape(9, 6))


def test_single_precision_and_further_arguments() -> None:
    def f(a, x):
        return a * x[1:] * x[:-1]

    x = X.astype(np.float32)
    result = jacobian(f, "x", sparsity="detect")(np.float32(2.0), x)
    assert result.dtype == np.float32
    dense = jacobian(f, "x")(np.float32(2.0), x)
    np.testing.assert_allclose(result.toarray(), dense, rtol=1e-6)


@pytest.mark.numba
def test_sparse_jacobian_on_numba() -> None:
    pytest.importorskip("numba")
    result = jacobian(banded, sparsity="detect", backend="numba")(X)
    np.testing.assert_allclose(result.toarray(), jacobian(banded)(X))


def test_what_patterns_need() -> None:
    for sparsity, message in [
        (np.eye(3), "has 3 columns"),
        (np.eye(29, 30), "has 29 rows"),
    ]:
        with pytest.raises(ArgumentError, match=message):
            jacobian(banded, sparsity=sparsity)(X)
    with pytest.raises(ArgumentError, match='"detect"'):
        jacobian(banded, sparsity="guess")
    with pytest.raises(ArgumentError, match="is a matrix"):
        jacobian(banded, sparsity=np.ones(3))
    with pytest.raises(ArgumentError, match="one argument"):
        jacobian(banded, (0, 1), sparsity="detect")
    with pytest.raises(ArgumentError, match="array of floats"):
        jacobian(lambda x: x * np.ones(3), sparsity="detect")(2.0)
    with pytest.raises(ArgumentError, match="has_aux"):
        jacobian(banded, has_aux=True, sparsity="detect")


def test_sparse_matrix_in_a_differentiated_function_is_refused_with_its_place() -> None:
    def f(x):
        return np.sum(jacobian(banded, sparsity="detect")(x))

    with pytest.raises(UnsupportedError, match="sparse matrix") as found:
        grad(f)(X)
    assert "banded" in str(found.value)
