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
from autograd_compiler.rules.registry import composed, general, multilinear
from autograd_compiler.rules.static import axes_range, numpy_major, static


def as_column(vector: Any) -> Any:
    return np.expand_dims(vector, -1)


def as_row(vector: Any) -> Any:
    return np.expand_dims(vector, -2)


def conjugate_transposed(a: Any) -> Any:
    """The conjugate transpose; for real numbers the transpose."""
    return conjugate(transposed(a))


def reciprocal_or_zero(x: Any) -> Any:
    zero = x == 0
    return np.where(zero, 0, 1 / np.where(zero, 1, x))


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


def pinv_tangent(y: Any, a: Any, rcond: Any, rtol: Any, d_a: Any) -> Any:
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
    *,
    rtol: Any = None,
) -> Any:
    d_y_t = transposed(d_y)
    y_h = conjugate_transposed(y)
    left = (d_y_t - a @ y @ d_y_t) @ y @ y_h
    right = y_h @ y @ (d_y_t - d_y_t @ y @ a)
    # The third term is that of an invertible matrix.
    return conjugate(left + right) - transposed(y @ d_y_t @ y)


@composed(np.linalg.pinv)
def pinv_of_hermitian(
    a: Any, rcond: Any = None, hermitian: Any = False, *, rtol: Any = None
) -> Any:
    matrix = hermitian_of(a) if hermitian else a
    if rtol is None:
        return np.linalg.pinv(matrix, rcond)
    return np.linalg.pinv(matrix, rcond, rtol=rtol)


@static
def machine_epsilon(dtype: Any) -> float:
    return float(np.finfo(dtype).eps)


# Of the least squares the rank is taken as fixed, as for the pseudoinverse.


def smallest_ratio(a: Any, rcond: Any) -> Any:
    """The singular values that count as zero, as a part of the largest."""
    if rcond is None:
        return max(np.shape(a)) * machine_epsilon(a.dtype)
    return rcond


def residual_of(x: Any, a: Any, b: Any) -> Any:
    return conjugate(b - a @ x)


def lstsq_tangent(y: Any, a: Any, b: Any, rcond: Any, d_a: Any, d_b: Any) -> Any:
    if np.ndim(b) == 1:
        columns = y[0][:, None], y[1], y[2], y[3]
        d_columns = d_b[:, None]
        d_x, d_sums, d_rank, d_s = lstsq_tangent(
            columns, a, b[:, None], rcond, d_a, d_columns
        )
        return d_x[:, 0], d_sums, d_rank, d_s
    x = y[0]
    inverse = np.linalg.pinv(a, smallest_ratio(a, rcond))
    residual = residual_of(x, a, b)
    d_residual = d_b - d_a @ x
    d_a_h = conjugate_transposed(d_a)
    in_range = inverse @ conjugate_transposed(inverse) @ d_a_h @ conjugate(residual)
    turned = d_a_h @ conjugate_transposed(inverse) @ x
    d_x = inverse @ d_residual + in_range + turned - inverse @ (a @ turned)
    d_sums = 2 * np.sum(np.real(residual * d_residual), 0)
    u, s, vh = np.linalg.svd(a, full_matrices=False)
    change = conjugate_transposed(u) @ d_a @ conjugate_transposed(vh)
    return d_x, d_sums[: np.size(y[1])], 0, np.real(np.diagonal(change))


@general(np.linalg.lstsq, wrt="a b", tangent=lstsq_tangent)
def lstsq_adjoint(d_y: Any, y: Any, a: Any, b: Any, rcond: Any = None) -> Any:
    if np.ndim(b) == 1:
        columns = y[0][:, None], y[1], y[2], y[3]
        d_columns = d_y[0][:, None], d_y[1], d_y[2], d_y[3]
        d_a, d_b = lstsq_adjoint(d_columns, columns, a, b[:, None], rcond)
        return d_a, d_b[:, 0]
    x = y[0]
    inverse = np.linalg.pinv(a, smallest_ratio(a, rcond))
    residual = residual_of(x, a, b)
    # There are sums of squares for overdetermined systems of full rank only.
    count = np.shape(x)[1]
    d_sums = np.concatenate((d_y[1], np.zeros(count, a.dtype)))[:count]
    d_b = transposed(inverse) @ d_y[0] + 2 * residual * d_sums
    d_x_t = transposed(d_y[0])
    outside = d_x_t - d_x_t @ inverse @ a
    across = (
        conjugate(residual) @ d_x_t @ inverse @ conjugate_transposed(inverse)
        + conjugate_transposed(inverse) @ x @ outside
    )
    u, s, vh = np.linalg.svd(a, full_matrices=False)
    values = (u * as_row(d_y[3])) @ vh
    return conjugate(across + values) - d_b @ transposed(x), d_b


# ---------------------------------------------------------------- tensors as matrices


def size_of(shape: Any) -> Any:
    """The number of elements of an array of this shape."""
    size = 1
    for extent in shape:
        size = size * extent
    return size


@composed(np.linalg.tensorsolve)
def tensorsolve(a: Any, b: Any, axes: Any = None) -> Any:
    if axes is not None:
        return tensorsolve(np.moveaxis(a, axes, axes_range(-len(axes), 0)), b)
    unknowns = np.shape(a)[np.ndim(b) :]
    matrix = np.reshape(a, (np.size(b), size_of(unknowns)))
    return np.reshape(np.linalg.solve(matrix, np.ravel(b)), unknowns)


@composed(np.linalg.tensorinv)
def tensorinv(a: Any, ind: Any = 2) -> Any:
    rows, columns = np.shape(a)[:ind], np.shape(a)[ind:]
    matrix = np.reshape(a, (size_of(rows), size_of(columns)))
    return np.reshape(np.linalg.inv(matrix), columns + rows)


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


def hermitian_of(a: Any) -> Any:
    """What NumPy takes a matrix for that it reads the lower triangle of."""
    return unfolded(a, halved_diagonal(a), True)


def cholesky_tangent(y: Any, a: Any, upper: Any, d_a: Any) -> Any:
    halved = halved_diagonal(a)
    if upper:
        change = unfolded(d_a, halved, False)
        return conjugate_transposed(
            cholesky_change(conjugate_transposed(y), change, halved)
        )
    return cholesky_change(y, unfolded(d_a, halved, True), halved)


def cholesky_change(factor: Any, d_a: Any, halved: Any) -> Any:
    left = np.linalg.solve(factor, d_a)
    inner = np.linalg.solve(factor, conjugate_transposed(left))
    return factor @ (np.tril(inner) * halved)


@general(np.linalg.cholesky, wrt="a", tangent=cholesky_tangent)
def cholesky_adjoint(d_y: Any, y: Any, a: Any, *, upper: Any = False) -> Any:
    halved = halved_diagonal(a)
    if upper:
        d_lower = conjugate_transposed(d_y)
        d_full = cholesky_cotangent(d_lower, conjugate(y), halved)
        return folded(d_full, halved, False)
    return folded(cholesky_cotangent(d_y, transposed(y), halved), halved, True)


def cholesky_cotangent(d_factor: Any, factor_t: Any, halved: Any) -> Any:
    """The adjoint of a symmetric matrix from that of its lower Cholesky factor."""
    inner = np.tril(factor_t @ d_factor) * halved
    left = np.linalg.solve(factor_t, inner)
    right = np.linalg.solve(conjugate(factor_t), transposed(left))
    return right if np.isrealobj(right) else transposed(right)


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
    last = len(arrays) - 1
    if np.ndim(arrays[0]) == 1:
        d_rows = multi_dot_adjoint(
            np.expand_dims(d_y, 0), [as_row(arrays[0]), *arrays[1:]]
        )
        return [d_rows[0][0], *d_rows[1:]]
    if np.ndim(arrays[last]) == 1:
        d_columns = multi_dot_adjoint(
            as_column(d_y), [*arrays[:last], as_column(arrays[last])]
        )
        return [*d_columns[:last], d_columns[last][:, 0]]
    return [chain_part(d_y, arrays, k) for k in range(len(arrays))]


def chain_part(d_y: Any, arrays: Any, k: Any) -> Any:
    if k == 0:
        return d_y @ chain(arrays[1:]).T
    if k == len(arrays) - 1:
        return chain(arrays[:-1]).T @ d_y
    return np.linalg.multi_dot([chain(arrays[:k]).T, d_y, chain(arrays[k + 1 :]).T])


def chain(arrays: Any) -> Any:
    if len(arrays) == 1:
        return arrays[0]
    return np.linalg.multi_dot(arrays)
