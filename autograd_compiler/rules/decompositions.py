"""Rules of decompositions: eigenvalues, singular values, QR.

The vectors of a decomposition are fixed only up to a choice: a sign, a phase, a rotation
among those of equal values.  These rules hold the choice still as the matrix moves; the
derivative of what does not depend on the choice is right, and of nothing else is there
a derivative.  The formulas are those of M. Giles, "Collected matrix derivative results
for forward and reverse mode algorithmic differentiation" (2008), and of Z.-Q. Wan and
S.-X. Zhang, "Automatic differentiation for complex valued SVD" (2019).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd_compiler.rules.linalg import (
    as_column,
    as_row,
    conjugate_transposed,
    folded,
    halved_diagonal,
    reciprocal_or_zero,
    unfolded,
)
from autograd_compiler.rules.products import conjugate, transposed
from autograd_compiler.rules.registry import composed, general
from autograd_compiler.rules.static import existing

# ---------------------------------------------------------------- eigenvalues


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


# NumPy gives eigenvectors of length one whose largest element is real: what holds an
# eigenvector still.


def largest(x: Any, v: Any) -> Any:
    """The element of each column of `x` where that of `v` is largest."""
    return np.take_along_axis(x, np.argmax(np.abs(v), -2, keepdims=True), -2)


def eig_tangent(y: Any, a: Any, d_a: Any) -> Any:
    w, v = y
    change = np.linalg.solve(v, d_a @ v)
    turned = v @ (reciprocal_gaps(w) * change)
    length = np.real(np.sum(np.conj(v) * turned, -2, keepdims=True))
    phase = np.imag(largest(turned, v) / largest(v, v))
    d_w = np.diagonal(change, axis1=-2, axis2=-1)
    d_v = turned - v * length
    if np.iscomplexobj(v):
        d_v = d_v - 1j * v * phase
    return d_w, d_v


@general(np.linalg.eig, wrt="a", tangent=eig_tangent)
def eig_adjoint(d_y: Any, y: Any, a: Any) -> Any:
    d_w, d_v = d_y
    w, v = y
    d_scale = np.sum(d_v * v, -2, keepdims=True)
    rows = as_column(np.arange(np.shape(a)[-1]))
    at_largest = rows == np.argmax(np.abs(v), -2, keepdims=True)
    d_length = np.real(d_scale) * np.conj(v)
    d_phase = 1j * np.imag(d_scale) * at_largest / largest(v, v)
    d_turned = d_v - d_length - d_phase
    d_change = np.eye(np.shape(a)[-1]) * as_row(d_w)
    d_change = d_change + reciprocal_gaps(w) * (np.swapaxes(v, -1, -2) @ d_turned)
    d_a = np.linalg.solve(np.swapaxes(v, -1, -2), d_change @ np.swapaxes(v, -1, -2))
    return d_a if np.iscomplexobj(a) else np.real(d_a)


@composed(np.linalg.eigvals)
def eigvals(a: Any) -> Any:
    return np.linalg.eig(a)[0]


# ---------------------------------------------------------------- singular values


def svd_tangent(y: Any, a: Any, full_matrices: Any, compute_uv: Any, d_a: Any) -> Any:
    if not compute_uv:
        return svdvals_tangent(a, d_a)
    count = min(np.shape(a)[-2], np.shape(a)[-1])
    u, s, vh = y
    if full_matrices:
        d_u, d_s, d_vh = thin_svd_tangent(u[..., :count], s, vh[..., :count, :], d_a)
        # The vectors beyond turn with those that push them, and not among themselves.
        rest_u, rest_vh = u[..., count:], vh[..., count:, :]
        d_rest_u = -u[..., :count] @ conjugate_transposed(d_u) @ rest_u
        d_rest_vh = -rest_vh @ conjugate_transposed(d_vh) @ vh[..., :count, :]
        d_u = np.concatenate((d_u, d_rest_u), -1)
        return d_u, d_s, np.concatenate((d_vh, d_rest_vh), -2)
    return thin_svd_tangent(u, s, vh, d_a)


def thin_svd_tangent(u: Any, s: Any, vh: Any, d_a: Any) -> Any:
    v = conjugate_transposed(vh)
    change = conjugate_transposed(u) @ d_a @ v
    d_s = np.diagonal(change, axis1=-2, axis2=-1)
    gaps = reciprocal_gaps(s * s)
    inverse = as_row(reciprocal_or_zero(s))
    by_column = change * as_row(s)
    by_row = as_column(s) * change
    u_turn = gaps * (by_column + conjugate_transposed(by_column))
    v_turn = gaps * (by_row + conjugate_transposed(by_row))
    if np.iscomplexobj(change):
        u_turn = u_turn + 1j * np.imag(change) * np.eye(np.shape(s)[-1]) * inverse
        d_s = np.real(d_s)
    # What leaves the spaces that u and v span; nothing for a square matrix.
    d_u_out = (d_a @ v - u @ change) * inverse
    d_v_out = (
        conjugate_transposed(d_a) @ u - v @ conjugate_transposed(change)
    ) * inverse
    d_v = v @ v_turn + d_v_out
    return u @ u_turn + d_u_out, d_s, conjugate_transposed(d_v)


@general(np.linalg.svd, wrt="a", tangent=svd_tangent)
def svd_adjoint(
    d_y: Any, y: Any, a: Any, full_matrices: Any = True, compute_uv: Any = True
) -> Any:
    if not compute_uv:
        return svdvals_adjoint(d_y, a)
    u, s, vh = y
    d_u, d_s, d_vh = d_y
    if full_matrices:
        count = min(np.shape(a)[-2], np.shape(a)[-1])
        thin_u, thin_vh = u[..., :count], vh[..., :count, :]
        turned_u = u[..., count:] @ transposed(d_u[..., count:]) @ thin_u
        turned_vh = thin_vh @ transposed(d_vh[..., count:, :]) @ vh[..., count:, :]
        d_u = d_u[..., :count] - conjugate(turned_u)
        d_vh = d_vh[..., :count, :] - conjugate(turned_vh)
        return thin_svd_adjoint(d_u, d_s, d_vh, thin_u, s, thin_vh)
    return thin_svd_adjoint(d_u, d_s, d_vh, u, s, vh)


def thin_svd_adjoint(d_u: Any, d_s: Any, d_vh: Any, u: Any, s: Any, vh: Any) -> Any:
    v = conjugate_transposed(vh)
    d_v = conjugate_transposed(d_vh)
    u_inner = transposed(u) @ d_u
    v_inner = transposed(v) @ d_v
    gaps = reciprocal_gaps(s * s)
    inverse = as_row(reciprocal_or_zero(s))
    u_turn = gaps * (u_inner - conjugate_transposed(u_inner)) * as_row(s)
    v_turn = as_column(s) * (gaps * (v_inner - conjugate_transposed(v_inner)))
    turn = u_turn + v_turn
    if np.iscomplexobj(turn):
        turn = turn + 1j * np.imag(u_inner) * np.eye(np.shape(s)[-1]) * inverse
    # What leaves the spaces that u and v span; nothing for a square matrix.
    u_out = (d_u - conjugate(u) @ u_inner) * inverse
    v_out = conjugate((d_v - conjugate(v) @ v_inner) * inverse)
    inside = (conjugate(u) * as_row(d_s) + conjugate(u) @ turn) @ conjugate(vh)
    return inside + u_out @ conjugate(vh) + conjugate(u) @ transposed(v_out)


@composed(np.linalg.svd)
def svd_of_hermitian(
    a: Any, full_matrices: Any = True, compute_uv: Any = True, hermitian: Any = False
) -> Any:
    if not hermitian:
        return np.linalg.svd(a, full_matrices, compute_uv)
    if not compute_uv:
        return np.sort(np.abs(np.linalg.eigvalsh(a)))[..., ::-1]
    # Signs go to the right singular vectors, and the largest value first.
    w, v = np.linalg.eigh(a)
    order = np.argsort(-np.abs(w), -1)
    w = np.take_along_axis(w, order, -1)
    u = np.take_along_axis(v, as_row(order), -1)
    return u, np.abs(w), conjugate_transposed(u * as_row(np.sign(w)))


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
    if mode == "r":
        return qr_tangent(np.linalg.qr(a), a, "reduced", d_a)[1]
    if mode != "reduced":
        raise TypeError("np.linalg.qr: only 'reduced' and 'r' are differentiated")
    q, r = y
    # A wide matrix is [x, rest] with x square; for others the rest is empty.
    m = np.shape(a)[-2]
    d_x = d_a[..., :m]
    change = transposed(np.linalg.solve(transposed(r[..., :m]), transposed(d_x)))
    inner = conjugate_transposed(q) @ change
    turn = np.tril(inner, -1) - conjugate_transposed(np.tril(inner, -1))
    if np.iscomplexobj(a):  # the diagonal of r is real
        turn = turn + 1j * np.imag(inner) * np.eye(np.shape(r)[-2])
    d_q = q @ turn + change - q @ inner
    d_r = conjugate_transposed(q) @ d_a + conjugate_transposed(d_q) @ a
    return d_q, np.triu(d_r)


@general(np.linalg.qr, wrt="a", tangent=qr_tangent)
def qr_adjoint(d_y: Any, y: Any, a: Any, mode: Any = "reduced") -> Any:
    if mode == "r":
        q, r = np.linalg.qr(a)
        return qr_adjoint((np.zeros_like(q), d_y), (q, r), a)
    if mode != "reduced":
        raise TypeError("np.linalg.qr: only 'reduced' and 'r' are differentiated")
    d_q, d_r = d_y
    q, r = y
    # A wide matrix is [x, rest] with x square; for others the rest is empty.
    m = np.shape(a)[-2]
    d_rest = conjugate(q) @ d_r[..., m:]
    d_basis = d_q + conjugate(a[..., m:] @ transposed(d_r[..., m:]))
    d_upper = np.triu(d_r[..., :m])
    inner = r[..., :m] @ transposed(d_upper) - transposed(d_basis) @ q
    turn = conjugate(np.tril(inner)) + transposed(np.tril(inner, -1))
    if np.iscomplexobj(a):  # the diagonal of r is real
        turn = turn + 1j * np.imag(inner) * np.eye(np.shape(r)[-2])
    d_x_t = np.linalg.solve(r[..., :m], transposed(d_basis + conjugate(q) @ turn))
    return np.concatenate((transposed(d_x_t), d_rest), -1)
