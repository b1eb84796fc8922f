"""Matrices with a structure, made of vectors, and solving with them: `scipy.linalg`."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import linalg

from autograd_compiler.rules.registry import composed, linear, zero_derivative
from autograd_compiler.rules.scipy.linalg import moved, only_real
from autograd_compiler.rules.static import static


def antidiagonal_sums(a: Any) -> Any:
    """The sums of the elements with equal i + j: rows of one more, read as one row less."""
    m, n = np.shape(a)
    apart = np.ravel(np.concatenate((a, np.zeros((m, m), dtype=a.dtype)), axis=1))
    return np.sum(np.reshape(apart[:-m], (m, m + n - 1)), axis=0)


def without_first(v: Any) -> Any:
    """A vector that begins with a zero: the first element comes from elsewhere."""
    return np.concatenate((np.zeros_like(v[:1]), v[1:]))


@linear(linalg.toeplitz, wrt="c r")
def toeplitz_adjoint(d_y: Any, c: Any, r: Any = None) -> Any:
    m = np.shape(d_y)[0]
    by_diagonal = antidiagonal_sums(d_y[::-1])
    d_c = by_diagonal[m - 1 :: -1]
    d_r = without_first(by_diagonal[m - 1 :])
    if r is None:
        if np.iscomplexobj(c):
            raise TypeError("scipy.linalg.toeplitz: of complex numbers, give r too")
        return d_c + d_r, 0.0
    return d_c, d_r


@linear(linalg.hankel, wrt="c r")
def hankel_adjoint(d_y: Any, c: Any, r: Any = None) -> Any:
    m = np.shape(d_y)[0]
    sums = antidiagonal_sums(d_y)
    if r is None:
        return sums[:m], 0.0
    return sums[:m], without_first(sums[m - 1 :])


@linear(linalg.circulant, wrt="c")
def circulant_adjoint(d_y: Any, c: Any) -> Any:
    m = np.shape(d_y)[0]
    by_diagonal = antidiagonal_sums(d_y[::-1])
    wrapped = np.concatenate((np.zeros_like(d_y[0, :1]), by_diagonal[: m - 1 : -1]))
    return by_diagonal[m - 1 :: -1] + wrapped


@linear(linalg.block_diag, wrt="arrs")
def block_diag_adjoint(d_y: Any, *arrs: Any) -> Any:
    row, column = 0, 0
    blocks = []
    for arr in arrs:
        if np.ndim(arr) == 0:
            blocks.append(d_y[row, column])
            row, column = row + 1, column + 1
        elif np.ndim(arr) == 1:
            blocks.append(d_y[row, column : column + np.size(arr)])
            row, column = row + 1, column + np.size(arr)
        else:
            m, n = np.shape(arr)
            blocks.append(d_y[row : row + m, column : column + n])
            row, column = row + m, column + n
    return tuple(blocks)


# ---------------------------------------------------------------- by their definitions


@composed(linalg.companion)
def companion(a: Any) -> Any:
    n = np.size(a) - 1
    return np.concatenate(
        (-np.expand_dims(a[1:] / a[0], 0), np.eye(n - 1, n, dtype=a.dtype))
    )


@composed(linalg.leslie)
def leslie(f: Any, s: Any) -> Any:
    n = np.size(s)
    below = np.concatenate((np.diag(s), np.zeros((n, 1), dtype=s.dtype)), axis=1)
    return np.concatenate((np.expand_dims(f, 0), below))


@composed(linalg.fiedler)
def fiedler(a: Any) -> Any:
    return np.abs(np.expand_dims(a, 1) - a)


@composed(linalg.diagsvd)
def diagsvd(s: Any, M: Any, N: Any) -> Any:
    n = np.size(s)
    return np.pad(np.diag(s), ((0, M - n), (0, N - n)))


@composed(linalg.khatri_rao)
def khatri_rao(a: Any, b: Any) -> Any:
    rows, columns = np.shape(a)[0] * np.shape(b)[0], np.shape(a)[1]
    products = np.expand_dims(a, 1) * np.expand_dims(b, 0)
    return np.reshape(products, (rows, columns))


@composed(linalg.convolution_matrix)
def convolution_matrix(a: Any, n: Any, mode: Any = "full") -> Any:
    size = np.size(a)
    column = np.concatenate((a, np.zeros(n - 1, dtype=a.dtype)))
    row = np.concatenate((a[:1], np.zeros(n - 1, dtype=a.dtype)))
    start, stop = kept_rows(size, n, mode)
    return linalg.toeplitz(column, row)[start:stop]


@static
def kept_rows(size: int, n: int, mode: str) -> tuple[int, int]:
    """Which elements of the full convolution a mode keeps.

    Examples
    --------
    >>> kept_rows(3, 5, "same"), kept_rows(3, 5, "valid")
    ((1, 6), (2, 5))
    """
    if mode == "full":
        return 0, size + n - 1
    if mode == "same":
        start = (min(size, n) - 1) // 2
        return start, start + max(size, n)
    return min(size, n) - 1, max(size, n)


# SciPy solves these in the square of the size; their derivatives take the whole matrix.


def double(array: Any) -> Any:
    """What SciPy computes with."""
    if array.dtype == np.float32:
        return array.astype(np.float64)
    return array


def toeplitz_of(c_or_cr: Any) -> Any:
    if isinstance(c_or_cr, tuple):
        return linalg.toeplitz(c_or_cr[0], c_or_cr[1])
    return linalg.toeplitz(c_or_cr)


@composed(linalg.solve_toeplitz)
def solve_toeplitz(c_or_cr: Any, b: Any, check_finite: Any = True) -> Any:
    return linalg.solve(toeplitz_of(c_or_cr), double(b))


@composed(linalg.matmul_toeplitz)
def matmul_toeplitz(
    c_or_cr: Any, x: Any, check_finite: Any = False, workers: Any = None
) -> Any:
    return toeplitz_of(c_or_cr) @ double(x)


@composed(linalg.solve_circulant)
def solve_circulant(c: Any, b: Any) -> Any:
    if np.ndim(c) > 1:
        raise TypeError("scipy.linalg.solve_circulant: of one system at a time")
    return linalg.solve(linalg.circulant(c), b)


@composed(linalg.solveh_banded)
def solveh_banded(
    ab: Any,
    b: Any,
    overwrite_ab: Any = False,
    overwrite_b: Any = False,
    lower: Any = False,
    check_finite: Any = True,
) -> Any:
    n = np.shape(only_real(ab))[0] - 1
    if lower:
        bands = [moved(ab[k], -k) for k in range(n, 0, -1)]
        bands = bands + [ab[k] for k in range(n + 1)]
    else:
        bands = [ab[n - k] for k in range(n, -1, -1)]
        bands = bands + [moved(ab[n - k], k) for k in range(1, n + 1)]
    return linalg.solve_banded((n, n), np.stack(bands), b)


def tridiagonal(d: Any, e: Any) -> Any:
    return np.diag(d) + np.diag(e, -1)


@composed(linalg.eigvalsh_tridiagonal)
def eigvalsh_tridiagonal(d: Any, e: Any) -> Any:
    return linalg.eigvalsh(tridiagonal(d, e))


@composed(linalg.eigh_tridiagonal)
def eigh_tridiagonal(d: Any, e: Any, eigvals_only: Any = False) -> Any:
    return linalg.eigh(tridiagonal(d, e), eigvals_only=eigvals_only)


# Of whole numbers, and questions.
zero_derivative(linalg.dft, linalg.hadamard, linalg.helmert, linalg.hilbert)
zero_derivative(linalg.invhilbert, linalg.pascal, linalg.invpascal)
zero_derivative(linalg.bandwidth, linalg.issymmetric, linalg.ishermitian)
zero_derivative(linalg.find_best_blas_type, linalg.get_blas_funcs)
zero_derivative(linalg.get_lapack_funcs)
