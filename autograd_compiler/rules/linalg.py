"""Rules of linear algebra, for single matrices and for stacks of them.

NumPy reads one triangle only of what it takes as symmetric (`cholesky`, `eigh`), and
so the adjoint is zero in the other triangle: it is the derivative of the program as it
runs.  A symmetric matrix that is computed, such as `b @ b.T`, gets the same gradient
either way.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd_compiler.rules.products import conjugate, transposed
from autograd_compiler.rules.registry import general, multilinear, refused
from autograd_compiler.rules.static import as_tuple, existing, numpy_major, static


def as_column(vector: Any) -> Any:
    return np.expand_dims(vector, -1)


def as_row(vector: Any) -> Any:
    return np.expand_dims(vector, -2)


def conjugate_transposed(a: Any) -> Any:
    """The conjugate transpose; for real numbers the transpose."""
    return conjugate(transposed(a))


# ---------------------------------------------------------------- solving


def solve_tangent(y: Any, a: Any, b: Any, d_a: Any, d_b: Any) -> Any:
    if np.ndim(b) == 1 and np.ndim(a) > 2:
        change = as_column(d_b) - d_a @ as_column(y)
        return np.squeeze(np.linalg.solve(a, change), -1)
    return np.linalg.solve(a, d_b - d_a @ y)


@general(np.linalg.solve, wrt="a b", tangent=solve_tangent)
def solve_adjoint(d_y: Any, y: Any, a: Any, b: Any) -> Any:
    if np.ndim(b) == 1:
        if np.ndim(a) == 2:
            d_b = np.linalg.solve(a.T, d_y)
            return -np.outer(d_b, y), d_b
        d_column = np.linalg.solve(transposed(a), as_column(d_y))
        return -d_column * as_row(y), np.squeeze(d_column, -1)
    if numpy_major() < 2 and np.ndim(b) == np.ndim(a) - 1:
        raise TypeError("np.linalg.solve: NumPy 1 takes this b as vectors; add an axis")
    d_matrix = np.linalg.solve(transposed(a), d_y)
    return -d_matrix @ transposed(y), d_matrix


def inv_tangent(y: Any, a: Any, d_a: Any) -> Any:
    return -y @ d_a @ y


@general(np.linalg.inv, wrt="a", tangent=inv_tangent)
def inv_adjoint(d_y: Any, y: Any, a: Any) -> Any:
    return -transposed(y) @ d_y @ transposed(y)


def pinv_tangent(
    y: Any, a: Any, rcond: Any, hermitian: Any, rtol: Any, d_a: Any
) -> Any:
    if hermitian:
        raise TypeError("np.linalg.pinv: hermitian=True is not differentiated")
    d_a_h = conjugate_transposed(d_a)
    y_h = conjugate_transposed(y)
    left = y @ y_h @ (d_a_h - d_a_h @ a @ y)
    right = (d_a_h - y @ a @ d_a_h) @ y_h @ y
    return left + right - y @ d_a @ y


@general(np.linalg.pinv, wrt="a", tangent=pinv_tangent)
def pinv_adjoint(
    d_y: Any,
    y: Any,
    a: Any,
    rcond: Any = None,
    hermitian: Any = False,
    *,
    rtol: Any = None,
) -> Any:
    if hermitian:
        raise TypeError("np.linalg.pinv: hermitian=True is not differentiated")
    d_y_t = transposed(d_y)
    y_h = conjugate_transposed(y)
    left = (d_y_t - a @ y @ d_y_t) @ y @ y_h
    right = y_h @ y @ (d_y_t - d_y_t @ y @ a)
    # The third term is that of an invertible matrix.
    return conjugate(left + right) - transposed(y @ d_y_t @ y)


# ---------------------------------------------------------------- determinants


def det_tangent(y: Any, a: Any, d_a: Any) -> Any:
    return y * np.trace(np.linalg.solve(a, d_a), axis1=-2, axis2=-1)


@general(np.linalg.det, wrt="a", tangent=det_tangent)
def det_adjoint(d_y: Any, y: Any, a: Any) -> Any:
    if np.ndim(a) == 2:
        return d_y * y * np.linalg.inv(a).T
    return np.expand_dims(d_y * y, (-2, -1)) * transposed(np.linalg.inv(a))


def slogdet_tangent(y: Any, a: Any, d_a: Any) -> Any:
    d_log = np.trace(np.linalg.solve(a, d_a), axis1=-2, axis2=-1)
    if np.iscomplexobj(a):
        return y[0] * 1j * np.imag(d_log), np.real(d_log)
    return np.zeros_like(d_log), d_log


@general(np.linalg.slogdet, wrt="a", tangent=slogdet_tangent)
def slogdet_adjoint(d_y: Any, y: Any, a: Any) -> Any:
    if np.iscomplexobj(a):
        # The logarithm of det(a) is log(abs(det)) + 1j * phase, sign = exp(1j * phase).
        d_log = np.real(d_y[1]) - 1j * np.real(1j * d_y[0] * y[0])
        return np.expand_dims(d_log, (-2, -1)) * transposed(np.linalg.inv(a))
    if np.ndim(a) == 2:
        return d_y[1] * np.linalg.inv(a).T
    return np.expand_dims(d_y[1], (-2, -1)) * transposed(np.linalg.inv(a))


# ---------------------------------------------------------------- triangles


def halved_diagonal(a: Any) -> Any:
    """Ones to weigh the elements of a matrix with, one half on the diagonal."""
    return 1 - np.eye(np.shape(a)[-1], dtype=a.dtype) / 2


def folded(s: Any, halved: Any, lower: Any) -> Any:
    """The adjoint of one triangle that stands for the other one too."""
    both = s + conjugate_transposed(s)
    if lower:
        return np.tril(both) * halved
    return np.triu(both) * halved


def unfolded(a: Any, halved: Any, lower: Any) -> Any:
    """The symmetric (Hermitian) matrix that NumPy reads from one triangle."""
    if lower:
        half = np.tril(a) * halved
    else:
        half = np.triu(a) * halved
    return half + conjugate_transposed(half)


def cholesky_tangent(y: Any, a: Any, upper: Any, d_a: Any) -> Any:
    if np.iscomplexobj(a):
        raise TypeError("np.linalg.cholesky of a complex matrix is not differentiated")
    halved = halved_diagonal(a)
    if upper:
        change = unfolded(d_a, halved, False)
        return transposed(cholesky_change(transposed(y), change, halved))
    return cholesky_change(y, unfolded(d_a, halved, True), halved)


def cholesky_change(factor: Any, d_a: Any, halved: Any) -> Any:
    left = np.linalg.solve(factor, d_a)
    inner = np.linalg.solve(factor, transposed(left))
    return factor @ (np.tril(inner) * halved)


@general(np.linalg.cholesky, wrt="a", tangent=cholesky_tangent)
def cholesky_adjoint(d_y: Any, y: Any, a: Any, *, upper: Any = False) -> Any:
    if np.iscomplexobj(a):
        raise TypeError("np.linalg.cholesky of a complex matrix is not differentiated")
    halved = halved_diagonal(a)
    if upper:
        d_full = cholesky_cotangent(transposed(d_y), y, halved)
        return folded(d_full, halved, False)
    return folded(cholesky_cotangent(d_y, transposed(y), halved), halved, True)


def cholesky_cotangent(d_factor: Any, factor_t: Any, halved: Any) -> Any:
    """The adjoint of a symmetric matrix from that of its lower Cholesky factor."""
    inner = np.tril(factor_t @ d_factor) * halved
    left = np.linalg.solve(factor_t, inner)
    return np.linalg.solve(factor_t, transposed(left))


# ---------------------------------------------------------------- eigenvalues


def reciprocal_or_zero(x: Any) -> Any:
    zero = x == 0
    return np.where(zero, 0, 1 / np.where(zero, 1, x))


def reciprocal_gaps(values: Any) -> Any:
    """`1 / (values[j] - values[i])`, zero where the two are equal.

    The eigenvectors of equal eigenvalues are not unique; what does not depend on the
    choice among them gets the right derivative with zeros here.
    """
    return reciprocal_or_zero(as_row(values) - as_column(values))


def eigh_tangent(y: Any, a: Any, UPLO: Any, d_a: Any) -> Any:
    w, v = y
    d_full = unfolded(d_a, halved_diagonal(a), UPLO == "L")
    change = conjugate_transposed(v) @ d_full @ v
    d_w = np.real(np.diagonal(change, axis1=-2, axis2=-1))
    return d_w, v @ (reciprocal_gaps(w) * change)


@general(np.linalg.eigh, wrt="a", tangent=eigh_tangent)
def eigh_adjoint(d_y: Any, y: Any, a: Any, UPLO: Any = "L") -> Any:
    d_w, d_v = d_y
    w, v = y
    inner = reciprocal_gaps(w) * (transposed(v) @ d_v)
    d_full = (conjugate(v) * as_row(d_w) + conjugate(v) @ inner) @ transposed(v)
    return folded(d_full, halved_diagonal(a), UPLO == "L")


def eigvalsh_tangent(a: Any, UPLO: Any, d_a: Any) -> Any:
    w, v = np.linalg.eigh(a, UPLO)
    d_full = unfolded(d_a, halved_diagonal(a), UPLO == "L")
    change = conjugate_transposed(v) @ d_full @ v
    return np.real(np.diagonal(change, axis1=-2, axis2=-1))


@general(np.linalg.eigvalsh, wrt="a", tangent=eigvalsh_tangent)
def eigvalsh_adjoint(d_y: Any, a: Any, UPLO: Any = "L") -> Any:
    w, v = np.linalg.eigh(a, UPLO)
    d_full = (conjugate(v) * as_row(d_y)) @ transposed(v)
    return folded(d_full, halved_diagonal(a), UPLO == "L")


refused(
    (np.linalg.eig, np.linalg.eigvals),
    "the eigenvalues of a general matrix are complex and in no fixed order; for a "
    "symmetric matrix write np.linalg.eigh",
)
refused(
    np.linalg.lstsq,
    "its results depend on the rank; write np.linalg.pinv(a) @ b, or "
    "np.linalg.solve(a.T @ a, a.T @ b) for full rank",
)
refused(
    np.linalg.cond,
    "it has no rule; write the ratio of the singular values, "
    "np.linalg.svd(x, compute_uv=False)",
)


# ---------------------------------------------------------------- singular values


def svd_tangent(
    y: Any, a: Any, full_matrices: Any, compute_uv: Any, hermitian: Any, d_a: Any
) -> Any:
    if hermitian:
        raise TypeError("np.linalg.svd: hermitian=True is not differentiated")
    if not compute_uv:
        return svdvals_tangent(a, d_a)
    if full_matrices:
        raise TypeError("np.linalg.svd: write full_matrices=False")
    if np.iscomplexobj(a):
        raise TypeError("np.linalg.svd of a complex matrix: only compute_uv=False")
    u, s, vt = y
    v = transposed(vt)
    change = transposed(u) @ d_a @ v
    d_s = np.diagonal(change, axis1=-2, axis2=-1)
    gaps = reciprocal_gaps(s * s)
    by_column = change * as_row(s)
    by_row = as_column(s) * change
    d_u = u @ (gaps * (by_column + transposed(by_column)))
    d_v = v @ (gaps * (by_row + transposed(by_row)))
    inverse = as_row(reciprocal_or_zero(s))
    # What leaves the spaces that u and v span; nothing for a square matrix.
    d_u_out = (d_a @ v - u @ change) * inverse
    d_v_out = (transposed(d_a) @ u - v @ transposed(change)) * inverse
    return d_u + d_u_out, d_s, transposed(d_v + d_v_out)


@general(np.linalg.svd, wrt="a", tangent=svd_tangent)
def svd_adjoint(
    d_y: Any,
    y: Any,
    a: Any,
    full_matrices: Any = True,
    compute_uv: Any = True,
    hermitian: Any = False,
) -> Any:
    if hermitian:
        raise TypeError("np.linalg.svd: hermitian=True is not differentiated")
    if not compute_uv:
        return svdvals_adjoint(d_y, a)
    if full_matrices:
        raise TypeError("np.linalg.svd: write full_matrices=False")
    if np.iscomplexobj(a):
        raise TypeError("np.linalg.svd of a complex matrix: only compute_uv=False")
    u, s, vt = y
    d_u, d_s, d_vt = d_y
    v = transposed(vt)
    d_v = transposed(d_vt)
    u_inner = transposed(u) @ d_u
    v_inner = transposed(v) @ d_v
    gaps = reciprocal_gaps(s * s)
    u_turn = gaps * (u_inner - transposed(u_inner)) * as_row(s)
    v_turn = as_column(s) * (gaps * (v_inner - transposed(v_inner)))
    inverse = as_row(reciprocal_or_zero(s))
    # What leaves the spaces that u and v span; nothing for a square matrix.
    u_out = (d_u - u @ u_inner) * inverse
    v_out = (d_v - v @ v_inner) * inverse
    inside = (u * as_row(d_s) + u @ (u_turn + v_turn)) @ vt
    return inside + u_out @ vt + u @ transposed(v_out)


def svdvals_tangent(x: Any, d_x: Any) -> Any:
    u, s, vh = np.linalg.svd(x, full_matrices=False)
    change = conjugate_transposed(u) @ d_x @ conjugate_transposed(vh)
    return np.real(np.diagonal(change, axis1=-2, axis2=-1))


@general(existing("linalg.svdvals"), wrt="x", tangent=svdvals_tangent)
def svdvals_adjoint(d_y: Any, x: Any) -> Any:
    u, s, vh = np.linalg.svd(x, full_matrices=False)
    return conjugate((u * as_row(d_y)) @ vh)


# ---------------------------------------------------------------- qr


def qr_tangent(y: Any, a: Any, mode: Any, d_a: Any) -> Any:
    if mode != "reduced":
        raise TypeError("np.linalg.qr: only mode='reduced' is differentiated")
    if np.iscomplexobj(a):
        raise TypeError("np.linalg.qr of a complex matrix is not differentiated")
    q, r = y
    # A wide matrix is [x, rest] with x square; for others the rest is empty.
    m = np.shape(a)[-2]
    d_x = d_a[..., :m]
    change = transposed(np.linalg.solve(transposed(r[..., :m]), transposed(d_x)))
    inner = transposed(q) @ change
    turn = np.tril(inner, -1) - transposed(np.tril(inner, -1))
    d_q = q @ turn + change - q @ inner
    d_r = transposed(q) @ d_a + transposed(d_q) @ a
    return d_q, np.triu(d_r)


@general(np.linalg.qr, wrt="a", tangent=qr_tangent)
def qr_adjoint(d_y: Any, y: Any, a: Any, mode: Any = "reduced") -> Any:
    if mode != "reduced":
        raise TypeError("np.linalg.qr: only mode='reduced' is differentiated")
    if np.iscomplexobj(a):
        raise TypeError("np.linalg.qr of a complex matrix is not differentiated")
    d_q, d_r = d_y
    q, r = y
    # A wide matrix is [x, rest] with x square; for others the rest is empty.
    m = np.shape(a)[-2]
    d_rest = q @ d_r[..., m:]
    d_basis = d_q + a[..., m:] @ transposed(d_r[..., m:])
    d_upper = np.triu(d_r[..., :m])
    inner = r[..., :m] @ transposed(d_upper) - transposed(d_basis) @ q
    lower = np.tril(inner)
    turn = lower + transposed(np.tril(inner, -1))
    d_x_t = np.linalg.solve(r[..., :m], transposed(d_basis + q @ turn))
    return np.concatenate((transposed(d_x_t), d_rest), -1)


# ---------------------------------------------------------------- norms

# The norm of zero has the gradient zero, the subgradient of least norm; where several
# elements, rows or singular values tie for an extreme, they share it evenly.


def norm_tangent(y: Any, x: Any, ord: Any, axis: Any, keepdims: Any, d_x: Any) -> Any:
    if axis is None or keepdims:
        slope = norm_slope(y, x, ord, axis)
    else:
        slope = norm_slope(np.expand_dims(y, axis), x, ord, axis)
    return summed(real_part(slope * d_x), axis, keepdims)


@general(np.linalg.norm, wrt="x", tangent=norm_tangent)
def norm_adjoint(
    d_y: Any, y: Any, x: Any, ord: Any = None, axis: Any = None, keepdims: Any = False
) -> Any:
    if axis is None or keepdims:
        return d_y * norm_slope(y, x, ord, axis)
    slope = norm_slope(np.expand_dims(y, axis), x, ord, axis)
    return np.expand_dims(d_y, axis) * slope


def vector_norm_tangent(
    y: Any, x: Any, axis: Any, keepdims: Any, ord: Any, d_x: Any
) -> Any:
    if axis is None or keepdims:
        slope = vector_slope(y, x, ord, axis)
    else:
        slope = vector_slope(np.expand_dims(y, axis), x, ord, axis)
    return summed(real_part(slope * d_x), axis, keepdims)


@general(existing("linalg.vector_norm"), wrt="x", tangent=vector_norm_tangent)
def vector_norm_adjoint(
    d_y: Any,
    y: Any,
    x: Any,
    *,
    axis: Any = None,
    keepdims: Any = False,
    ord: Any = 2,
) -> Any:
    if axis is None or keepdims:
        return d_y * vector_slope(y, x, ord, axis)
    slope = vector_slope(np.expand_dims(y, axis), x, ord, axis)
    return np.expand_dims(d_y, axis) * slope


def matrix_norm_tangent(y: Any, x: Any, keepdims: Any, ord: Any, d_x: Any) -> Any:
    return norm_tangent(y, x, ord, (-2, -1), keepdims, d_x)


@general(existing("linalg.matrix_norm"), wrt="x", tangent=matrix_norm_tangent)
def matrix_norm_adjoint(
    d_y: Any, y: Any, x: Any, *, keepdims: Any = False, ord: Any = "fro"
) -> Any:
    return norm_adjoint(d_y, y, x, ord, (-2, -1), keepdims)


def norm_slope(y: Any, x: Any, ord: Any, axis: Any) -> Any:
    """The derivative of a norm in each element; `y` has the axes kept."""
    if norm_is_of_elements(ord):
        return vector_slope(y, x, 2, axis)
    if norm_is_of_vectors(axis, np.ndim(x)):
        return vector_slope(y, x, ord, axis)
    return matrix_slope(x, ord, matrix_axes(axis))


@static
def norm_is_of_elements(ord: Any) -> bool:
    return ord is None or ord in ("fro", "f")


@static
def norm_is_of_vectors(axis: Any, ndim: int) -> bool:
    return ndim == 1 if axis is None else len(as_tuple(axis)) == 1


@static
def matrix_axes(axis: Any) -> tuple[int, int]:
    return (0, 1) if axis is None else (axis[0], axis[1])


def vector_slope(y: Any, x: Any, ord: Any, axis: Any) -> Any:
    if ord == 2:
        return conjugate(x) / np.where(y == 0, 1, y)
    if ord == 1:
        return unit(x)
    if ord == 0:
        return np.zeros_like(x)
    if abs(ord) == np.inf:
        extreme = np.abs(x) == y
        return unit(x) * extreme / np.sum(extreme, axis, keepdims=True)
    return unit(x) * (np.abs(x) / np.where(y == 0, 1, y)) ** (ord - 1)


def unit(x: Any) -> Any:
    """The derivative of `abs(x)`."""
    if np.iscomplexobj(x):
        return np.conj(x) * reciprocal_or_zero(np.abs(x))
    return np.sign(x)


def matrix_slope(x: Any, ord: Any, axes: Any) -> Any:
    if ord == "nuc" or abs(ord) == 2:
        if np.ndim(x) == 2:
            return singular_slope(x, ord)
        moved = np.moveaxis(x, axes, (-2, -1))
        return np.moveaxis(singular_slope(moved, ord), (-2, -1), axes)
    if abs(ord) == 1:
        return line_slope(x, ord, axes[0], axes[1])
    return line_slope(x, ord, axes[1], axes[0])


def line_slope(x: Any, ord: Any, along: Any, across: Any) -> Any:
    """The derivative of the largest (smallest) sum of a line of absolute values."""
    sums = np.sum(np.abs(x), along, keepdims=True)
    if ord > 0:
        extreme = sums == np.max(sums, across, keepdims=True)
    else:
        extreme = sums == np.min(sums, across, keepdims=True)
    return unit(x) * extreme / np.sum(extreme, across, keepdims=True)


def singular_slope(x: Any, ord: Any) -> Any:
    u, s, vh = np.linalg.svd(x, full_matrices=False)
    # The sign leaves out singular values of zero.
    if ord == "nuc":
        weights = np.sign(s)
    elif ord > 0:
        extreme = s == s[..., :1]
        weights = np.sign(s) * extreme / np.sum(extreme, -1, keepdims=True)
    else:
        extreme = s == s[..., -1:]
        weights = np.sign(s) * extreme / np.sum(extreme, -1, keepdims=True)
    return conjugate((u * as_row(weights)) @ vh)


def summed(x: Any, axis: Any, keepdims: Any) -> Any:
    if keepdims:
        return np.sum(x, axis, keepdims=True)
    if axis is None:
        return np.sum(x)
    return np.sum(x, axis)


def real_part(x: Any) -> Any:
    if np.iscomplexobj(x):
        return np.real(x)
    return x


# ---------------------------------------------------------------- powers and chains


def matrix_power_tangent(a: Any, n: Any, d_a: Any) -> Any:
    if n < 0:
        inverse = np.linalg.inv(a)
        return power_change(inverse, -n, -inverse @ d_a @ inverse)
    return power_change(a, n, d_a)


@general(np.linalg.matrix_power, wrt="a", tangent=matrix_power_tangent)
def matrix_power_adjoint(d_y: Any, a: Any, n: Any) -> Any:
    # The sum is the same from both ends, with transposes.
    if n < 0:
        inverse = transposed(np.linalg.inv(a))
        return -inverse @ power_change(inverse, -n, d_y) @ inverse
    return power_change(transposed(a), n, d_y)


def power_change(a: Any, n: Any, d_a: Any) -> Any:
    """The sum of `a**k @ d_a @ a**(n - 1 - k)` over k."""
    if n == 0:
        return np.zeros_like(d_a)
    total = d_a
    term = d_a
    for _ in range(1, n):
        term = a @ term
        total = total @ a + term
    return total


@multilinear(np.linalg.multi_dot, wrt="arrays")
def multi_dot_adjoint(d_y: Any, arrays: Any, *, out: Any = None) -> Any:
    return [chain_part(d_y, arrays, k) for k in range(len(arrays))]


def chain_part(d_y: Any, arrays: Any, k: Any) -> Any:
    if np.ndim(arrays[k]) == 1 or np.ndim(d_y) != 2:
        raise TypeError("np.linalg.multi_dot: only matrices are differentiated; use @")
    if k == 0:
        return d_y @ chain(arrays[1:]).T
    if k == len(arrays) - 1:
        return chain(arrays[:-1]).T @ d_y
    return np.linalg.multi_dot([chain(arrays[:k]).T, d_y, chain(arrays[k + 1 :]).T])


def chain(arrays: Any) -> Any:
    if len(arrays) == 1:
        return arrays[0]
    return np.linalg.multi_dot(arrays)
