"""Linear algebra: `scipy.linalg`.

What NumPy has too is differentiated by NumPy's rules.  The formulas of the rest are in
M. Giles, "Collected matrix derivative results for forward and reverse mode algorithmic
differentiation" (2008), and N. Higham, "Functions of Matrices" (2008).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import linalg

from autograd_compiler.rules import linalg as of_numpy
from autograd_compiler.rules import norms
from autograd_compiler.rules.linalg import (
    folded,
    halved_diagonal,
    unfolded,
)
from autograd_compiler.rules.products import transposed
from autograd_compiler.rules.registry import Operator, general
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
    top = np.concatenate((a, e), axis=-1)
    bottom = np.concatenate((np.zeros_like(a), a), axis=-1)
    return np.concatenate((top, bottom), axis=-2)


def direction_of(block: Any, a: Any) -> Any:
    """The block on the right above."""
    n = np.shape(a)[-1]
    return block[..., :n, n:]


def matrix_function(function: Operator) -> None:
    """Declare a function of matrices that is a power series in the matrix.

    Of the block matrix `[[a, e], [0, a]]` it has the derivative in the direction `e` as
    the block on the right above (Higham, theorem 3.6); the adjoint is the derivative at
    the transpose.
    """

    def tangent(A: Any, d_A: Any) -> Any:
        A = of_matrix(A)
        return direction_of(function(with_direction(A, d_A)), A)

    @general(function, wrt="A", tangent=tangent)
    def adjoint(d_y: Any, A: Any) -> Any:
        A = of_matrix(A)
        return direction_of(function(with_direction(A.T, d_y)), A)


for _function in (linalg.logm, linalg.cosm, linalg.sinm, linalg.tanm):
    matrix_function(_function)
for _function in (linalg.coshm, linalg.sinhm, linalg.tanhm):
    matrix_function(_function)


def of_matrix(A: Any) -> Any:
    """A matrix as it is; SciPy takes a number, too, and gives a matrix for it."""
    if np.ndim(A) < 2:
        raise TypeError("scipy.linalg: of a matrix, not of a number")
    return A


def expm_slope(A: Any, E: Any) -> Any:
    """The derivative of `expm` in the direction `E`; SciPy has it for single matrices."""
    if np.ndim(A) > 2:
        return direction_of(linalg.expm(with_direction(A, E)), A)
    return linalg.expm_frechet(A, E, compute_expm=False)


def expm_tangent(A: Any, d_A: Any) -> Any:
    return expm_slope(of_matrix(A), d_A)


@general(linalg.expm, wrt="A", tangent=expm_tangent)
def expm_adjoint(d_y: Any, A: Any) -> Any:
    return expm_slope(transposed(of_matrix(A)), d_y)


def frechet_tangent(A: Any, E: Any, d_A: Any, d_E: Any) -> Any:
    change = linalg.expm_frechet(
        with_direction(A, E), with_direction(d_A, d_E), compute_expm=False
    )
    return direction_of(change, A)


def expm_frechet_tangent(
    A: Any,
    E: Any,
    method: Any,
    compute_expm: Any,
    check_finite: Any,
    d_A: Any,
    d_E: Any,
) -> Any:
    change = frechet_tangent(A, E, d_A, d_E)
    if compute_expm:
        return linalg.expm_frechet(A, d_A, compute_expm=False), change
    return change


@general(linalg.expm_frechet, wrt="A E", tangent=expm_frechet_tangent)
def expm_frechet_adjoint(
    d_y: Any,
    A: Any,
    E: Any,
    method: Any = None,
    compute_expm: Any = True,
    check_finite: Any = True,
) -> Any:
    n = np.shape(A)[0]
    zero = np.zeros_like(A)
    d_frechet = d_y[1] if compute_expm else d_y
    # The adjoint of what is taken of the block matrix: in its block on the right above.
    d_block = linalg.expm_frechet(
        with_direction(A, E).T,
        np.concatenate(
            (
                np.concatenate((zero, d_frechet), axis=1),
                np.concatenate((zero, zero), axis=1),
            )
        ),
        compute_expm=False,
    )
    d_A = d_block[:n, :n] + d_block[n:, n:]
    if compute_expm:
        d_A = d_A + linalg.expm_frechet(A.T, d_y[0], compute_expm=False)
    return d_A, d_block[:n, n:]


def sqrtm_tangent(y: Any, A: Any, d_A: Any) -> Any:
    A = of_matrix(A)
    return linalg.solve_sylvester(y, y, d_A)


@general(linalg.sqrtm, wrt="A", tangent=sqrtm_tangent)
def sqrtm_adjoint(d_y: Any, y: Any, A: Any) -> Any:
    A = of_matrix(A)
    return linalg.solve_sylvester(y.T, y.T, d_y)
