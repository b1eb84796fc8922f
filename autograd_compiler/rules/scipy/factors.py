"""Decompositions of matrices, and solving with them: `scipy.linalg`, continued."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import linalg

from autograd_compiler.rules import decompositions
from autograd_compiler.rules import linalg as of_numpy
from autograd_compiler.rules.registry import composed, general
from autograd_compiler.rules.scipy.linalg import (
    is_transposed,
    of_matrix,
    only_real,
    product_of,
    triangle,
)
from autograd_compiler.rules.static import static

# ---------------------------------------------------------------- factors, to solve with


def cholesky_tangent(y: Any, a: Any, lower: Any, check_finite: Any, d_a: Any) -> Any:
    return of_numpy.cholesky_tangent(y, of_matrix(a), not lower, d_a)


@general(linalg.cholesky, wrt="a", tangent=cholesky_tangent)
def cholesky_adjoint(
    d_y: Any, y: Any, a: Any, lower: Any = False, *, check_finite: Any = True
) -> Any:
    return of_numpy.cholesky_adjoint(d_y, y, of_matrix(a), upper=not lower)


# What `cho_factor` leaves in the other triangle is that of its argument.


def cho_factor_tangent(y: Any, a: Any, lower: Any, check_finite: Any, d_a: Any) -> Any:
    c, a = y[0], of_matrix(a)
    d_c = of_numpy.cholesky_tangent(triangle(c, lower, False), a, not lower, d_a)
    return d_c + triangle(d_a, not lower, True), 0


@general(linalg.cho_factor, wrt="a", tangent=cho_factor_tangent)
def cho_factor_adjoint(
    d_y: Any, y: Any, a: Any, lower: Any = False, *, check_finite: Any = True
) -> Any:
    c, a = y[0], of_matrix(a)
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
    a = of_matrix(a)
    upper = np.triu(lu)
    inner = upper @ linalg.lu_solve((lu, piv), d_a)
    inner = linalg.solve_triangular(upper, inner.T, trans=1).T
    lower = np.tril(lu, -1)
    below = np.tril(inner, -1)
    return below + lower @ below + np.triu(inner) @ upper, np.zeros_like(piv)


@general(linalg.lu_factor, wrt="a", tangent=lu_factor_tangent)
def lu_factor_adjoint(d_y: Any, y: Any, a: Any, *, check_finite: Any = True) -> Any:
    lu, piv = y
    a = of_matrix(a)
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


# With the factors `a = u @ p` (side "right"): `u.T @ d_a` less its transpose is
# `w @ p + p @ w` for the turning `w = u.T @ d_u`; for side "left" of the transpose.


def turning(p: Any, change: Any) -> Any:
    """The solution w of `w @ p + p @ w = change - change.T`."""
    return linalg.solve_sylvester(p, p, change - change.T)


def polar_tangent(y: Any, a: Any, side: Any, d_a: Any) -> Any:
    if side == "left":
        d_u, d_p = polar_tangent((y[0].T, y[1]), a.T, "right", d_a.T)
        return d_u.T, d_p
    u, p = y
    change = u.T @ d_a
    d_p = change - turning(p, change) @ p
    return linalg.solve(p, (d_a - u @ d_p).T).T, d_p


@general(linalg.polar, wrt="a", tangent=polar_tangent)
def polar_adjoint(d_y: Any, y: Any, a: Any, side: Any = "right") -> Any:
    if side == "left":
        return polar_adjoint((d_y[0].T, d_y[1]), (y[0].T, y[1]), a.T, "right").T
    u, p = y
    if np.shape(only_real(a))[0] < np.shape(a)[1]:
        raise TypeError("scipy.linalg.polar: of a singular factor; write side='left'")
    d_a = linalg.solve(p, d_y[0].T).T
    d_p = d_y[1] - u.T @ d_a
    return d_a + u @ (d_p - turning(p, d_p @ p))


@composed(linalg.pinvh)
def pinvh(
    a: Any,
    atol: Any = None,
    rtol: Any = None,
    lower: Any = True,
    return_rank: Any = False,
    check_finite: Any = True,
) -> Any:
    if return_rank or not lower or atol is not None:
        raise TypeError("scipy.linalg.pinvh: with `a` and `rtol` only")
    return np.linalg.pinv(a, rtol, hermitian=True)


@composed(linalg.eigvals)
def eigvals(
    a: Any, b: Any = None, overwrite_a: Any = False, check_finite: Any = True
) -> Any:
    if b is not None:
        raise TypeError("scipy.linalg.eigvals: the generalised problem has no rule")
    return np.linalg.eigvals(a)
