"""Linear algebra: `scipy.linalg`.

What NumPy has too is differentiated by NumPy's rules.  The formulas of the rest are in
M. Giles, "Collected matrix derivative results for forward and reverse mode algorithmic
differentiation" (2008), and N. Higham, "Functions of Matrices" (2008).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import linalg

from autograd_compiler.rules import decompositions, norms
from autograd_compiler.rules import linalg as of_numpy
from autograd_compiler.rules.linalg import (
    folded,
    halved_diagonal,
    unfolded,
)
from autograd_compiler.rules.products import transposed
from autograd_compiler.rules.registry import Operator, general, linear, refused
from autograd_compiler.rules.static import static


def product_of(left: Any, right: Any, b: Any) -> Any:
    """`left @ right.T`, the outer product for vectors."""
    if np.ndim(b) == 1:
        return np.outer(left, right)
    return left @ transposed(right)


# ---------------------------------------------------------------- solving


@static
def reads_triangle(assume_a: str | None) -> bool:
    """Whether a solver takes a matrix as symmetric, and reads one triangle of it."""
    if assume_a in (None, "gen", "general"):
        return False
    if assume_a in ("sym", "symmetric", "pos", "positive definite"):
        return True
    raise TypeError(f"scipy.linalg: assume_a={assume_a!r} is not differentiated")


def read_matrix(a: Any, lower: Any, assume_a: Any) -> Any:
    """The matrix that a solver reads."""
    if reads_triangle(assume_a):
        if np.iscomplexobj(a):
            raise TypeError("scipy.linalg: complex symmetric matrices: leave assume_a")
        return unfolded(a, halved_diagonal(a), lower)
    return a


def read_adjoint(d_a: Any, a: Any, lower: Any, assume_a: Any) -> Any:
    """The adjoint of what a solver reads of a matrix."""
    if reads_triangle(assume_a):
        return folded(d_a, halved_diagonal(a), lower)
    return d_a


def solve_tangent(
    y: Any,
    a: Any,
    b: Any,
    lower: Any,
    check_finite: Any,
    assume_a: Any,
    d_a: Any,
    d_b: Any,
) -> Any:
    change = read_matrix(d_a, lower, assume_a) @ y
    return linalg.solve(a, d_b - change, lower=lower, assume_a=assume_a)


@general(linalg.solve, wrt="a b", tangent=solve_tangent)
def solve_adjoint(
    d_y: Any,
    y: Any,
    a: Any,
    b: Any,
    lower: Any = False,
    *,
    check_finite: Any = True,
    assume_a: Any = None,
) -> Any:
    if np.ndim(b) == 1 and np.ndim(a) > 2:
        raise TypeError("scipy.linalg.solve: of a stack with a vector; add an axis")
    if reads_triangle(assume_a):
        d_b = linalg.solve(a, d_y, lower=lower, assume_a=assume_a)
    else:
        d_b = linalg.solve(transposed(a), d_y)
    return read_adjoint(-product_of(d_b, y, b), a, lower, assume_a), d_b


@static
def is_transposed(trans: int | str) -> bool:
    if trans in (0, "N"):
        return False
    if trans in (1, "T"):
        return True
    raise TypeError("scipy.linalg: trans=2 (the conjugate) is not differentiated")


def triangle(a: Any, lower: Any, unit_diagonal: Any) -> Any:
    """What of a matrix is read as a triangle."""
    if lower:
        return np.tril(a, -1) if unit_diagonal else np.tril(a)
    return np.triu(a, 1) if unit_diagonal else np.triu(a)


def solve_triangular_tangent(
    y: Any,
    a: Any,
    b: Any,
    trans: Any,
    lower: Any,
    unit_diagonal: Any,
    check_finite: Any,
    d_a: Any,
    d_b: Any,
) -> Any:
    change = triangle(d_a, lower, unit_diagonal)
    if is_transposed(trans):
        right = d_b - transposed(change) @ y
    else:
        right = d_b - change @ y
    return linalg.solve_triangular(
        a, right, trans=trans, lower=lower, unit_diagonal=unit_diagonal
    )


@general(linalg.solve_triangular, wrt="a b", tangent=solve_triangular_tangent)
def solve_triangular_adjoint(
    d_y: Any,
    y: Any,
    a: Any,
    b: Any,
    trans: Any = 0,
    lower: Any = False,
    unit_diagonal: Any = False,
    *,
    check_finite: Any = True,
) -> Any:
    if is_transposed(trans):
        d_b = linalg.solve_triangular(a, d_y, lower=lower, unit_diagonal=unit_diagonal)
        d_a = -product_of(y, d_b, b)
    else:
        d_b = linalg.solve_triangular(
            a, d_y, trans=1, lower=lower, unit_diagonal=unit_diagonal
        )
        d_a = -product_of(d_b, y, b)
    return triangle(d_a, lower, unit_diagonal), d_b


def solve_sylvester_tangent(
    y: Any, a: Any, b: Any, q: Any, d_a: Any, d_b: Any, d_q: Any
) -> Any:
    return linalg.solve_sylvester(a, b, d_q - d_a @ y - y @ d_b)


@general(linalg.solve_sylvester, wrt="a b q", tangent=solve_sylvester_tangent)
def solve_sylvester_adjoint(d_y: Any, y: Any, a: Any, b: Any, q: Any) -> Any:
    d_q = linalg.solve_sylvester(a.T, b.T, d_y)
    return -d_q @ y.T, -y.T @ d_q, d_q


def only_real(a: Any) -> Any:
    if np.iscomplexobj(a):
        raise TypeError("this is differentiated for real matrices only")
    return a


def continuous_lyapunov_tangent(y: Any, a: Any, q: Any, d_a: Any, d_q: Any) -> Any:
    return linalg.solve_continuous_lyapunov(only_real(a), d_q - d_a @ y - y @ d_a.T)


@general(
    linalg.solve_continuous_lyapunov, wrt="a q", tangent=continuous_lyapunov_tangent
)
def continuous_lyapunov_adjoint(d_y: Any, y: Any, a: Any, q: Any) -> Any:
    d_q = linalg.solve_continuous_lyapunov(only_real(a).T, d_y)
    return -d_q @ y.T - d_q.T @ y, d_q


def discrete_lyapunov_tangent(
    y: Any, a: Any, q: Any, method: Any, d_a: Any, d_q: Any
) -> Any:
    change = d_q + d_a @ y @ a.T + a @ y @ d_a.T
    return linalg.solve_discrete_lyapunov(only_real(a), change, method)


@general(linalg.solve_discrete_lyapunov, wrt="a q", tangent=discrete_lyapunov_tangent)
def discrete_lyapunov_adjoint(
    d_y: Any, y: Any, a: Any, q: Any, method: Any = None
) -> Any:
    d_q = linalg.solve_discrete_lyapunov(only_real(a).T, d_y, method)
    return d_q @ a @ y.T + d_q.T @ a @ y, d_q


# ---------------------------------------------------------------- bands

# A band is a row of `ab`: the diagonal k of the matrix is row u - k, and the element in
# column j stands in place j.


def moved(band: Any, k: Any) -> Any:
    """A diagonal by the rows of its elements instead of their columns."""
    if k >= 0:
        return np.concatenate((band[k:], np.zeros_like(band[:k])))
    return np.concatenate((np.zeros_like(band[k:]), band[:k]))


def solve_banded_tangent(
    y: Any, l_and_u: Any, ab: Any, b: Any, check_finite: Any, d_ab: Any, d_b: Any
) -> Any:
    l, u = l_and_u
    for k in range(-l, u + 1):
        band = d_ab[u - k] if np.ndim(b) == 1 else np.expand_dims(d_ab[u - k], 1)
        d_b = d_b - moved(band * y, k)
    return linalg.solve_banded(l_and_u, ab, d_b)


@general(linalg.solve_banded, wrt="ab b", tangent=solve_banded_tangent)
def solve_banded_adjoint(
    d_y: Any, y: Any, l_and_u: Any, ab: Any, b: Any, *, check_finite: Any = True
) -> Any:
    l, u = l_and_u
    flipped = np.stack([moved(ab[u - k], k) for k in range(-l, u + 1)])
    d_b = linalg.solve_banded((u, l), flipped, d_y)
    bands = [moved(d_b, k) * y for k in range(-u, l + 1)]
    if np.ndim(b) == 2:
        bands = [np.sum(band, axis=1) for band in bands]
    return -np.stack(bands), d_b


# ---------------------------------------------------------------- factors, to solve with


def cholesky_tangent(y: Any, a: Any, lower: Any, check_finite: Any, d_a: Any) -> Any:
    return of_numpy.cholesky_tangent(y, a, not lower, d_a)


@general(linalg.cholesky, wrt="a", tangent=cholesky_tangent)
def cholesky_adjoint(
    d_y: Any, y: Any, a: Any, lower: Any = False, *, check_finite: Any = True
) -> Any:
    return of_numpy.cholesky_adjoint(d_y, y, a, upper=not lower)


# What `cho_factor` leaves in the other triangle is that of its argument.


def cho_factor_tangent(y: Any, a: Any, lower: Any, check_finite: Any, d_a: Any) -> Any:
    c, _ = y
    d_c = of_numpy.cholesky_tangent(triangle(c, lower, False), a, not lower, d_a)
    return d_c + triangle(d_a, not lower, True), 0


@general(linalg.cho_factor, wrt="a", tangent=cho_factor_tangent)
def cho_factor_adjoint(
    d_y: Any, y: Any, a: Any, lower: Any = False, *, check_finite: Any = True
) -> Any:
    c, _ = y
    factor = triangle(c, lower, False)
    d_c = triangle(d_y[0], lower, False)
    d_a = of_numpy.cholesky_adjoint(d_c, factor, a, upper=not lower)
    return d_a + triangle(d_y[0], not lower, True)


def cho_solve_tangent(
    y: Any, c_and_lower: Any, b: Any, check_finite: Any, d_c_and_lower: Any, d_b: Any
) -> Any:
    c, lower = c_and_lower
    if lower:
        factor, change = np.tril(only_real(c)), np.tril(d_c_and_lower[0])
        d_b = d_b - change @ (factor.T @ y) - factor @ (change.T @ y)
    else:
        factor, change = np.triu(only_real(c)), np.triu(d_c_and_lower[0])
        d_b = d_b - change.T @ (factor @ y) - factor.T @ (change @ y)
    return linalg.cho_solve((c, lower), d_b)


@general(linalg.cho_solve, wrt="c_and_lower b", tangent=cho_solve_tangent)
def cho_solve_adjoint(
    d_y: Any, y: Any, c_and_lower: Any, b: Any, *, check_finite: Any = True
) -> Any:
    c, lower = c_and_lower
    d_b = linalg.cho_solve((c, lower), d_y)
    d_a = product_of(d_b, y, b)
    if lower:
        d_c = -np.tril((d_a + d_a.T) @ np.tril(only_real(c)))
    else:
        d_c = -np.triu(np.triu(only_real(c)) @ (d_a + d_a.T))
    return (d_c, 0), d_b


# `lu_factor` gives both triangles in one array, the unit diagonal of the lower one left
# out, and rows exchanged; solving with all of it says what the exchange does.


def lu_factor_tangent(y: Any, a: Any, check_finite: Any, d_a: Any) -> Any:
    lu, piv = y
    upper = np.triu(lu)
    inner = upper @ linalg.lu_solve((lu, piv), d_a)
    inner = linalg.solve_triangular(upper, inner.T, trans=1).T
    lower = np.tril(lu, -1)
    below = np.tril(inner, -1)
    return below + lower @ below + np.triu(inner) @ upper, np.zeros_like(piv)


@general(linalg.lu_factor, wrt="a", tangent=lu_factor_tangent)
def lu_factor_adjoint(d_y: Any, y: Any, a: Any, *, check_finite: Any = True) -> Any:
    lu, piv = y
    upper = np.triu(lu)
    below = np.tril(d_y[0], -1)
    inner = np.tril(below + np.tril(lu, -1).T @ below, -1)
    inner = inner + np.triu(np.triu(d_y[0]) @ upper.T)
    d_x = upper.T @ linalg.solve_triangular(upper, inner.T).T
    return linalg.lu_solve((lu, piv), d_x, trans=1)


def lu_solve_tangent(
    y: Any,
    lu_and_piv: Any,
    b: Any,
    trans: Any,
    check_finite: Any,
    d_lu_and_piv: Any,
    d_b: Any,
) -> Any:
    lu, piv = lu_and_piv
    upper = np.triu(lu)
    d_lower = np.tril(d_lu_and_piv[0], -1)
    d_upper = np.triu(d_lu_and_piv[0])
    if is_transposed(trans):
        v = linalg.solve_triangular(upper, b, trans=1)
        w = linalg.solve_triangular(lu, v, trans=1, lower=True, unit_diagonal=True)
        change = d_upper.T @ v + upper.T @ (d_lower.T @ w)
        return linalg.lu_solve((lu, piv), d_b - change, trans=1)
    below = linalg.solve_triangular(
        lu, d_lower @ (upper @ y), lower=True, unit_diagonal=True
    )
    change = linalg.solve_triangular(upper, below + d_upper @ y)
    return linalg.lu_solve((lu, piv), d_b) - change


@general(linalg.lu_solve, wrt="lu_and_piv b", tangent=lu_solve_tangent)
def lu_solve_adjoint(
    d_y: Any,
    y: Any,
    lu_and_piv: Any,
    b: Any,
    trans: Any = 0,
    *,
    check_finite: Any = True,
) -> Any:
    lu, piv = lu_and_piv
    upper = np.triu(lu)
    if is_transposed(trans):
        d_b = linalg.lu_solve((lu, piv), d_y)
        left, right = b, d_b
    else:
        d_b = linalg.lu_solve((lu, piv), d_y, trans=1)
        left, right = d_y, y
    v = linalg.solve_triangular(upper, left, trans=1)
    w = linalg.solve_triangular(lu, v, trans=1, lower=True, unit_diagonal=True)
    d_lower = np.tril(product_of(w, upper @ right, b), -1)
    return (-d_lower - np.triu(product_of(v, right, b)), 0), d_b


# ---------------------------------------------------------------- factors


def lu_tangent(y: Any, a: Any, permute_l: Any, check_finite: Any, d_a: Any) -> Any:
    p, l, u = y
    inner = linalg.solve_triangular(l, p.T @ d_a, lower=True, unit_diagonal=True)
    inner = linalg.solve_triangular(u, inner.T, trans=1).T
    return np.zeros_like(p), l @ np.tril(inner, -1), np.triu(inner) @ u


@general(linalg.lu, wrt="a", tangent=lu_tangent)
def lu_adjoint(
    d_y: Any, y: Any, a: Any, permute_l: Any = False, *, check_finite: Any = True
) -> Any:
    if permute_l:
        raise TypeError("scipy.linalg.lu: permute_l=True is not differentiated")
    p, l, u = y
    inner = np.tril(l.T @ d_y[1], -1) + np.triu(d_y[2] @ u.T)
    inner = linalg.solve_triangular(l, inner, trans=1, lower=True, unit_diagonal=True)
    return p @ linalg.solve_triangular(u, inner.T).T


@static
def numpy_mode(mode: str) -> str:
    """NumPy's word for a mode of the QR decomposition."""
    if mode != "economic":
        raise TypeError("scipy.linalg.qr: only mode='economic' is differentiated")
    return "reduced"


def qr_tangent(y: Any, a: Any, mode: Any, check_finite: Any, d_a: Any) -> Any:
    return decompositions.qr_tangent(y, a, numpy_mode(mode), d_a)


@general(linalg.qr, wrt="a", tangent=qr_tangent)
def qr_adjoint(
    d_y: Any, y: Any, a: Any, *, mode: Any = "full", check_finite: Any = True
) -> Any:
    return decompositions.qr_adjoint(d_y, y, a, numpy_mode(mode))


def svd_tangent(
    y: Any, a: Any, full_matrices: Any, compute_uv: Any, check_finite: Any, d_a: Any
) -> Any:
    return decompositions.svd_tangent(y, a, full_matrices, compute_uv, d_a)


@general(linalg.svd, wrt="a", tangent=svd_tangent)
def svd_adjoint(
    d_y: Any,
    y: Any,
    a: Any,
    full_matrices: Any = True,
    compute_uv: Any = True,
    *,
    check_finite: Any = True,
) -> Any:
    return decompositions.svd_adjoint(d_y, y, a, full_matrices, compute_uv)


def svdvals_tangent(a: Any, check_finite: Any, d_a: Any) -> Any:
    return decompositions.svdvals_tangent(a, d_a)


@general(linalg.svdvals, wrt="a", tangent=svdvals_tangent)
def svdvals_adjoint(d_y: Any, a: Any, *, check_finite: Any = True) -> Any:
    return decompositions.svdvals_adjoint(d_y, a)


@static
def triangle_name(lower: bool) -> str:
    return "L" if lower else "U"


def eigh_tangent(
    y: Any, a: Any, b: Any, lower: Any, eigvals_only: Any, check_finite: Any, d_a: Any
) -> Any:
    if eigvals_only:
        return decompositions.eigvalsh_tangent(a, triangle_name(lower), d_a)
    return decompositions.eigh_tangent(y, a, triangle_name(lower), d_a)


@general(linalg.eigh, wrt="a", tangent=eigh_tangent)
def eigh_adjoint(
    d_y: Any,
    y: Any,
    a: Any,
    b: Any = None,
    *,
    lower: Any = True,
    eigvals_only: Any = False,
    check_finite: Any = True,
) -> Any:
    if b is not None:
        raise TypeError("scipy.linalg.eigh: the generalised problem has no rule")
    if eigvals_only:
        return decompositions.eigvalsh_adjoint(d_y, a, triangle_name(lower))
    return decompositions.eigh_adjoint(d_y, y, a, triangle_name(lower))


def eigvalsh_tangent(a: Any, b: Any, lower: Any, check_finite: Any, d_a: Any) -> Any:
    return decompositions.eigvalsh_tangent(a, triangle_name(lower), d_a)


@general(linalg.eigvalsh, wrt="a", tangent=eigvalsh_tangent)
def eigvalsh_adjoint(
    d_y: Any, a: Any, b: Any = None, *, lower: Any = True, check_finite: Any = True
) -> Any:
    if b is not None:
        raise TypeError("scipy.linalg.eigvalsh: the generalised problem has no rule")
    return decompositions.eigvalsh_adjoint(d_y, a, triangle_name(lower))


# ---------------------------------------------------------------- numbers, inverses


def inv_tangent(y: Any, a: Any, check_finite: Any, d_a: Any) -> Any:
    return of_numpy.inv_tangent(y, a, d_a)


@general(linalg.inv, wrt="a", tangent=inv_tangent)
def inv_adjoint(d_y: Any, y: Any, a: Any, *, check_finite: Any = True) -> Any:
    return of_numpy.inv_adjoint(d_y, y, a)


def pinv_tangent(
    y: Any, a: Any, atol: Any, rtol: Any, check_finite: Any, d_a: Any
) -> Any:
    return of_numpy.pinv_tangent(y, a, None, None, d_a)


@general(linalg.pinv, wrt="a", tangent=pinv_tangent)
def pinv_adjoint(
    d_y: Any,
    y: Any,
    a: Any,
    *,
    atol: Any = None,
    rtol: Any = None,
    check_finite: Any = True,
) -> Any:
    return of_numpy.pinv_adjoint(d_y, y, a)


def det_tangent(y: Any, a: Any, check_finite: Any, d_a: Any) -> Any:
    return of_numpy.det_tangent(y, a, d_a)


@general(linalg.det, wrt="a", tangent=det_tangent)
def det_adjoint(d_y: Any, y: Any, a: Any, *, check_finite: Any = True) -> Any:
    return of_numpy.det_adjoint(d_y, y, a)


def norm_tangent(
    y: Any, a: Any, ord: Any, axis: Any, keepdims: Any, check_finite: Any, d_a: Any
) -> Any:
    return norms.norm_tangent(y, a, ord, axis, keepdims, d_a)


@general(linalg.norm, wrt="a", tangent=norm_tangent)
def norm_adjoint(
    d_y: Any,
    y: Any,
    a: Any,
    ord: Any = None,
    axis: Any = None,
    keepdims: Any = False,
    *,
    check_finite: Any = True,
) -> Any:
    return norms.norm_adjoint(d_y, y, a, ord, axis, keepdims)


# ---------------------------------------------------------------- functions of matrices


def with_direction(a: Any, e: Any) -> Any:
    """The block matrix `[[a, e], [0, a]]`."""
    top = np.concatenate((a, e), axis=1)
    return np.concatenate((top, np.concatenate((np.zeros_like(a), a), axis=1)))


def direction_of(block: Any, a: Any) -> Any:
    """The block on the right above."""
    n = np.shape(a)[0]
    return block[:n, n:]


def matrix_function(function: Operator) -> None:
    """Declare a function of matrices that is a power series in the matrix.

    Of the block matrix `[[a, e], [0, a]]` it has the derivative in the direction `e` as
    the block on the right above (Higham, theorem 3.6); the adjoint is the derivative at
    the transpose.
    """

    def tangent(A: Any, d_A: Any) -> Any:
        return direction_of(function(with_direction(A, d_A)), A)

    @general(function, wrt="A", tangent=tangent)
    def adjoint(d_y: Any, A: Any) -> Any:
        return direction_of(function(with_direction(A.T, d_y)), A)


for _function in (linalg.logm, linalg.cosm, linalg.sinm, linalg.tanm):
    matrix_function(_function)
for _function in (linalg.coshm, linalg.sinhm, linalg.tanhm):
    matrix_function(_function)


def expm_tangent(A: Any, d_A: Any) -> Any:
    return linalg.expm_frechet(A, d_A, compute_expm=False)


@general(linalg.expm, wrt="A", tangent=expm_tangent)
def expm_adjoint(d_y: Any, A: Any) -> Any:
    if np.ndim(A) > 2:
        raise TypeError("scipy.linalg.expm: of single matrices only; loop over them")
    return linalg.expm_frechet(A.T, d_y, compute_expm=False)


def expm_frechet_tangent(
    A: Any, E: Any, method: Any, compute_expm: Any, d_A: Any, d_E: Any
) -> Any:
    change = linalg.expm_frechet(
        with_direction(A, E), with_direction(d_A, d_E), compute_expm=False
    )
    return direction_of(change, A)


@general(linalg.expm_frechet, wrt="A E", tangent=expm_frechet_tangent)
def expm_frechet_adjoint(
    d_y: Any, A: Any, E: Any, method: Any = None, compute_expm: Any = True
) -> Any:
    if compute_expm:
        raise TypeError("scipy.linalg.expm_frechet: write compute_expm=False")
    n = np.shape(A)[0]
    zero = np.zeros_like(A)
    direction = np.concatenate(
        (np.concatenate((zero, d_y), axis=1), np.concatenate((zero, zero), axis=1))
    )
    d_block = linalg.expm_frechet(with_direction(A, E).T, direction, compute_expm=False)
    return d_block[:n, :n] + d_block[n:, n:], d_block[:n, n:]


def sqrtm_tangent(y: Any, A: Any, d_A: Any) -> Any:
    return linalg.solve_sylvester(y, y, d_A)


@general(linalg.sqrtm, wrt="A", tangent=sqrtm_tangent)
def sqrtm_adjoint(d_y: Any, y: Any, A: Any) -> Any:
    return linalg.solve_sylvester(y.T, y.T, d_y)


# ---------------------------------------------------------------- special matrices


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


# ---------------------------------------------------------------- refused

refused(
    (linalg.eig, linalg.eigvals, linalg.lstsq),
    "it has no rule; write np.linalg.eig or np.linalg.lstsq, which have",
)
refused(linalg.schur, "it has no rule; for a symmetric matrix write scipy.linalg.eigh")
