"""Convolutions and filters: `scipy.signal`.

Every mode of a convolution is a part of the full one: the adjoint of the result, with
zeros around it, convolved with one operand turned round, is the adjoint of the other.
No rule conjugates; so `correlate`, which does, is for real numbers.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import signal

from autograd_compiler.rules.registry import general, linear, multilinear


def in_full(d_y: Any, in1: Any, in2: Any, mode: Any) -> Any:
    """The adjoint of the full convolution."""
    if mode == "full":
        return d_y
    widths = [
        margins(np.shape(in1)[k], np.shape(in2)[k], mode) for k in range(np.ndim(in1))
    ]
    return np.pad(d_y, widths)


def margins(size: Any, other: Any, mode: Any) -> Any:
    """How much of the full convolution along an axis a mode leaves out on each side."""
    if mode == "same":
        return (other - 1) // 2, other // 2
    return min(size, other) - 1, min(size, other) - 1


# ---------------------------------------------------------------- convolutions


@multilinear(signal.convolve, wrt="in1 in2")
def convolve_adjoint(
    d_y: Any, in1: Any, in2: Any, mode: Any = "full", method: Any = "auto"
) -> Any:
    d_full = in_full(d_y, in1, in2, mode)
    d_in1 = signal.convolve(d_full, np.flip(in2), "valid", method)
    return d_in1, signal.convolve(d_full, np.flip(in1), "valid", method)


@multilinear(signal.fftconvolve, wrt="in1 in2")
def fftconvolve_adjoint(d_y: Any, in1: Any, in2: Any, mode: Any = "full") -> Any:
    d_full = in_full(d_y, in1, in2, mode)
    d_in1 = signal.fftconvolve(d_full, np.flip(in2), "valid")
    return d_in1, signal.fftconvolve(d_full, np.flip(in1), "valid")


@multilinear(signal.oaconvolve, wrt="in1 in2")
def oaconvolve_adjoint(d_y: Any, in1: Any, in2: Any, mode: Any = "full") -> Any:
    d_full = in_full(d_y, in1, in2, mode)
    d_in1 = signal.oaconvolve(d_full, np.flip(in2), "valid")
    return d_in1, signal.oaconvolve(d_full, np.flip(in1), "valid")


@multilinear(signal.convolve2d, wrt="in1 in2")
def convolve2d_adjoint(d_y: Any, in1: Any, in2: Any, mode: Any = "full") -> Any:
    d_full = in_full(d_y, in1, in2, mode)
    d_in1 = signal.convolve2d(d_full, np.flip(in2), "valid")
    return d_in1, signal.convolve2d(d_full, np.flip(in1), "valid")


def only_real(x: Any) -> Any:
    if np.iscomplexobj(x):
        raise TypeError(
            "scipy.signal.correlate is differentiated for real numbers only"
        )
    return x


@multilinear(signal.correlate, wrt="in1 in2")
def correlate_adjoint(
    d_y: Any, in1: Any, in2: Any, mode: Any = "full", method: Any = "auto"
) -> Any:
    d_full = in_full(d_y, only_real(in1), only_real(in2), mode)
    d_in1 = signal.convolve(d_full, in2, "valid", method)
    return d_in1, np.flip(signal.convolve(d_full, np.flip(in1), "valid", method))


@multilinear(signal.correlate2d, wrt="in1 in2")
def correlate2d_adjoint(d_y: Any, in1: Any, in2: Any, mode: Any = "full") -> Any:
    if mode == "same":  # an even size has its middle on the other side here
        widths = [(size // 2, (size - 1) // 2) for size in np.shape(in2)]
        d_full = np.pad(d_y, widths)
    else:
        d_full = in_full(d_y, only_real(in1), only_real(in2), mode)
    d_in1 = signal.convolve2d(d_full, in2, "valid")
    return d_in1, np.flip(signal.convolve2d(d_full, np.flip(in1), "valid"))


# ---------------------------------------------------------------- filters

# A filter is a quotient of polynomials in the delay: y = b(z) / a(z) * x.


def backwards(x: Any, b: Any, a: Any, axis: Any) -> Any:
    """The adjoint of a filter: the filter on reversed time."""
    return np.flip(signal.lfilter(b, a, np.flip(x, axis), axis), axis)


def delayed_products(weights: Any, x: Any, like: Any, axis: Any) -> Any:
    """The sums of `weights[t] * x[t - k]` for the powers k of a polynomial."""
    weights, x = np.moveaxis(weights, axis, -1), np.moveaxis(x, axis, -1)
    sums = np.zeros(np.size(like))
    for k in range(min(np.size(like), np.shape(x)[-1])):
        sums[k] = np.sum(weights[..., k:] * x[..., : np.shape(x)[-1] - k])
    return sums


def lfilter_tangent(
    y: Any, b: Any, a: Any, x: Any, axis: Any, d_b: Any, d_a: Any, d_x: Any
) -> Any:
    change = signal.lfilter(d_b, a, x, axis) - signal.lfilter(d_a, a, y, axis)
    return change + signal.lfilter(b, a, d_x, axis)


@general(signal.lfilter, wrt="b a x", tangent=lfilter_tangent)
def lfilter_adjoint(d_y: Any, y: Any, b: Any, a: Any, x: Any, axis: Any = -1) -> Any:
    weights = backwards(d_y, [1.0], a, axis)
    return (
        delayed_products(weights, x, b, axis),
        -delayed_products(weights, y, a, axis),
        backwards(d_y, b, a, axis),
    )


@linear(signal.detrend, wrt="data")
def detrend_adjoint(
    d_y: Any, data: Any, axis: Any = -1, type: Any = "linear", bp: Any = 0
) -> Any:
    # A projection is its own adjoint.
    return signal.detrend(d_y, axis, type, bp)
