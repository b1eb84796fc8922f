"""Differences, integrals and polynomials of sampled functions; convolutions."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd_compiler.rules.products import conjugate
from autograd_compiler.rules.registry import composed, general, multilinear
from autograd_compiler.rules.static import as_tuple, existing, static

# ---------------------------------------------------------------- slopes


@static
def axes_of_gradient(axis: Any, ndim: int) -> tuple[int, ...]:
    if axis is None:
        return tuple(range(ndim))
    return tuple(own % ndim for own in as_tuple(axis))


@composed(np.gradient)
def gradient(f: Any, *varargs: Any, axis: Any = None, edge_order: Any = 1) -> Any:
    axes = axes_of_gradient(axis, np.ndim(f))
    if len(varargs) > 1 and len(varargs) != len(axes):
        raise TypeError("np.gradient: one spacing for each axis, or one for all")
    slopes = [
        slope_along(f, spacing(varargs, k), axes[k], edge_order)
        for k in range(len(axes))
    ]
    if len(slopes) == 1:
        return slopes[0]
    return tuple(slopes)


def spacing(varargs: Any, k: Any) -> Any:
    if len(varargs) == 0:
        return 1.0
    if len(varargs) == 1:
        return varargs[0]
    return varargs[k]


def slope_along(f: Any, h: Any, axis: Any, edge_order: Any) -> Any:
    if axis == 0:
        return slope(f, h, edge_order)
    return np.moveaxis(slope(np.moveaxis(f, axis, 0), h, edge_order), 0, axis)


def slope(f: Any, h: Any, edge_order: Any) -> Any:
    """The slope along the first axis, of parabolas through three neighbours."""
    if np.ndim(h) == 0:
        inner = (f[2:] - f[:-2]) / (2 * h)
        first = (f[1:2] - f[:1]) / h
        last = (f[-1:] - f[-2:-1]) / h
        if edge_order == 2:
            first = (-1.5 * f[:1] + 2 * f[1:2] - 0.5 * f[2:3]) / h
            last = (1.5 * f[-1:] - 2 * f[-2:-1] + 0.5 * f[-3:-2]) / h
        return np.concatenate((first, inner, last))
    steps = np.diff(h)
    before = column(steps[:-1], f)
    after = column(steps[1:], f)
    rises = np.diff(f, axis=0)
    slopes = rises / column(steps, f)
    inner = (after * slopes[:-1] + before * slopes[1:]) / (before + after)
    if edge_order == 2:
        bend = (slopes[1:] - slopes[:-1]) / (before + after)
        first = slopes[:1] - before[:1] * bend[:1]
        last = slopes[-1:] + after[-1:] * bend[-1:]
        return np.concatenate((first, inner, last))
    return np.concatenate((slopes[:1], inner, slopes[-1:]))


def column(steps: Any, f: Any) -> Any:
    """One number for each row of `f`."""
    return np.reshape(steps, (-1, *[1 for _ in range(np.ndim(f) - 1)]))


@composed(existing("trapezoid"))
def trapezoid(y: Any, x: Any = None, dx: Any = 1.0, axis: Any = -1) -> Any:
    rows = np.moveaxis(y, axis, 0) if np.ndim(y) > 1 else np.asarray(y)
    if x is None:
        widths = dx
    elif np.ndim(x) == 1:
        widths = column(np.diff(x), rows)
    else:
        widths = np.diff(np.moveaxis(x, axis, 0), axis=0)
    return np.sum(widths * (rows[1:] + rows[:-1]) / 2, 0)


# ---------------------------------------------------------------- convolutions


@multilinear(np.convolve, wrt="a v")
def convolve_adjoint(d_y: Any, a: Any, v: Any, mode: Any = "full") -> Any:
    n, m = np.size(a), np.size(v)
    if mode == "full":
        d_full = d_y
    else:
        shorter = np.minimum(n, m)
        start = shorter - 1 if mode == "valid" else (shorter - 1) // 2
        d_full = np.pad(d_y, (start, n + m - 1 - start - np.size(d_y)))
    d_a = np.correlate(d_full, conjugate(v), "valid")
    return d_a, np.correlate(d_full, conjugate(a), "valid")


@composed(np.correlate)
def correlate(a: Any, v: Any, mode: Any = "valid") -> Any:
    full = np.convolve(a, conjugate(v)[::-1])
    if mode == "full":
        return full
    n, m = np.size(a), np.size(v)
    shorter, longer = np.minimum(n, m), np.maximum(n, m)
    if mode == "valid":
        return full[shorter - 1 : longer]
    if mode != "same":
        raise TypeError("np.correlate: the mode is 'valid', 'same' or 'full'")
    # Of an even number of places, the one in the middle depends on which is longer.
    start = np.where(n >= m, (m - 1) // 2, n // 2)
    return full[start : start + longer]


# ---------------------------------------------------------------- polynomials


@composed(np.vander)
def vander(x: Any, N: Any = None, increasing: Any = False) -> Any:
    count = np.shape(x)[0] if N is None else N
    exponents = np.arange(count)
    if not increasing:
        exponents = exponents[::-1]
    return x[:, None] ** exponents


@composed(np.polyval)
def polyval(p: Any, x: Any) -> Any:
    coefficients = np.asarray(p)
    value = np.zeros_like(x) + coefficients[0]
    for k in range(1, np.shape(coefficients)[0]):
        value = value * x + coefficients[k]
    return value


def as_long_as(a: Any, other: Any) -> Any:
    """With zeros in front for the powers that only the other polynomial has."""
    return np.pad(a, (np.maximum(np.size(other) - np.size(a), 0), 0))


@composed(np.polyadd)
def polyadd(a1: Any, a2: Any) -> Any:
    return as_long_as(a1, a2) + as_long_as(a2, a1)


@composed(np.polysub)
def polysub(a1: Any, a2: Any) -> Any:
    return as_long_as(a1, a2) - as_long_as(a2, a1)


# NumPy leaves out zeros in front, which are not always there: the result is the end of
# the convolution.


def polymul_tangent(y: Any, a1: Any, a2: Any, d_a1: Any, d_a2: Any) -> Any:
    whole = np.convolve(d_a1, a2) + np.convolve(a1, d_a2)
    return whole[np.size(whole) - np.size(y) :]


@general(np.polymul, wrt="a1 a2", tangent=polymul_tangent)
def polymul_adjoint(d_y: Any, a1: Any, a2: Any) -> Any:
    missing = np.size(a1) + np.size(a2) - 1 - np.size(d_y)
    return convolve_adjoint(np.pad(d_y, (missing, 0)), a1, a2)


@composed(np.polyder)
def polyder(p: Any, m: Any = 1) -> Any:
    slopes = np.asarray(p)
    for _ in range(m):
        slopes = slopes[:-1] * np.arange(np.shape(slopes)[0] - 1, 0, -1)
    return slopes


@composed(np.polyint)
def polyint(p: Any, m: Any = 1, k: Any = None) -> Any:
    integral = np.asarray(p)
    for j in range(m):
        terms = integral / np.arange(np.shape(integral)[0], 0, -1)
        integral = np.append(terms, constant_of(k, j))
    return integral


def constant_of(k: Any, j: Any) -> Any:
    """The constant of integration: none, one for all, or one for each."""
    if k is None:
        return 0.0
    return k if np.ndim(k) == 0 else k[j]


@composed(np.polyfit)
def polyfit(
    x: Any,
    y: Any,
    deg: Any,
    rcond: Any = None,
    full: Any = False,
    w: Any = None,
    cov: Any = False,
) -> Any:
    if full or cov:
        raise TypeError("np.polyfit: only the coefficients are differentiated")
    powers = np.vander(x, deg + 1)
    values = y
    if w is not None:
        powers = powers * w[:, None]
        values = y * w if np.ndim(y) == 1 else y * w[:, None]
    scale = np.sqrt(np.sum(powers * powers, 0))
    scaled = np.linalg.lstsq(powers / scale, values, rcond)[0]
    return scaled / scale if np.ndim(y) == 1 else scaled / scale[:, None]


def poly_tangent(y: Any, seq_of_zeros: Any, d_seq_of_zeros: Any) -> Any:
    d_y = np.zeros_like(y)
    others = np.ones_like(seq_of_zeros)
    d_y[1] = -np.sum(d_seq_of_zeros)
    for k in range(1, np.size(y) - 1):
        others = y[k] + seq_of_zeros * others
        d_y[k + 1] = -np.sum(others * d_seq_of_zeros)
    return d_y


@general(np.poly, wrt="seq_of_zeros", tangent=poly_tangent)
def poly_adjoint(d_y: Any, y: Any, seq_of_zeros: Any) -> Any:
    if np.ndim(seq_of_zeros) != 1:
        raise TypeError("np.poly: write np.poly(np.linalg.eigvals(matrix))")
    # The polynomial of all other zeros, one coefficient after the other.
    others = np.ones_like(seq_of_zeros)
    total = d_y[1] * others
    for k in range(1, np.size(y) - 1):
        others = y[k] + seq_of_zeros * others
        total = total + d_y[k + 1] * others
    return -total


@static
def real_type(dtype: Any) -> Any:
    return np.zeros(0, dtype).real.dtype


def slope_at(y: Any, p: Any) -> Any:
    """The derivative of the polynomial at its roots."""
    powers = np.arange(np.size(p) - 1, 0, -1, dtype=real_type(p.dtype))
    return np.polyval(p[:-1] * powers, y)


def roots_tangent(y: Any, p: Any, d_p: Any) -> Any:
    return -np.polyval(d_p, y) / slope_at(y, p)


@general(np.roots, wrt="p", tangent=roots_tangent)
def roots_adjoint(d_y: Any, y: Any, p: Any) -> Any:
    share = d_y / slope_at(y, p)
    exponents = np.arange(np.size(p) - 1, -1, -1, dtype=real_type(p.dtype))
    d_p = -share @ y[:, None] ** exponents
    return d_p if np.iscomplexobj(p) else np.real(d_p)
