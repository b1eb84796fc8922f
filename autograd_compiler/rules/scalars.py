"""Functions of Python's numbers: the module `math`, and builtins that make numbers.

Python's arithmetic is in `elementwise.py`: it is the same on numbers and arrays.
Unlike NumPy, Python raises an error where a derivative is infinite (`math.sqrt` at 0).
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from autograd_compiler import runtime
from autograd_compiler.rules.registry import (
    general,
    linear,
    multilinear,
    partials,
)


def _known(*names: str) -> tuple[Any, ...]:
    """The functions of `math` with these names that this version of Python has."""
    return tuple(getattr(math, name) for name in names if hasattr(math, name))


# ---------------------------------------------------------------- builtins

partials(
    (float, np.float16, np.float32, np.float64, np.longdouble),
    x="1",
)
partials((complex, np.complex64, np.complex128), real="1", imag="1j")
# `max(a, b, c)` is folded into two of these.
partials(
    max,
    x1="0.5 if x1 == x2 else 1.0 if x1 > x2 else 0.0",
    x2="0.5 if x1 == x2 else 1.0 if x1 < x2 else 0.0",
)
partials(
    min,
    x1="0.5 if x1 == x2 else 1.0 if x1 < x2 else 0.0",
    x2="0.5 if x1 == x2 else 1.0 if x1 > x2 else 0.0",
)


@linear((list, tuple), wrt="iterable")
def list_adjoint(d_y: Any, iterable: Any) -> Any:
    """A list with the same items, or one of an array's."""
    if isinstance(iterable, np.ndarray):
        return np.array(d_y)
    return d_y


# ---------------------------------------------------------------- powers

partials(math.sqrt, x="0.5 / y")
partials(_known("cbrt"), x="1 / (3 * y**2)")
# Zero to the power of zero: the derivative in the base is 0.
partials(
    math.pow,
    x1="x2 * pow(x1, x2 - 1) if x1 or x2 else 0.0",
    x2="y * log(x1) if x1 else 0.0",
)
partials(math.exp, x="y")
partials(_known("exp2"), x="0.6931471805599453 * y")
partials(math.expm1, x="y + 1")
partials(math.log2, x="1 / (0.6931471805599453 * x)")
partials(math.log10, x="1 / (2.302585092994046 * x)")
partials(math.log1p, x="1 / (1 + x)")


def log_tangent(
    y: Any, x: Any, base: Any = None, d_x: Any = 0.0, d_base: Any = 0.0
) -> Any:
    if base is None:
        return d_x / x
    return (d_x / x - y * d_base / base) / math.log(base)


@general(math.log, wrt="x base", tangent=log_tangent)
def log_adjoint(d_y: Any, y: Any, x: Any, base: Any = None) -> Any:
    if base is None:
        return d_y / x, 0.0
    return d_y / (x * math.log(base)), -d_y * y / (base * math.log(base))


# ---------------------------------------------------------------- trigonometry

partials(math.sin, x="cos(x)")
partials(math.cos, x="-sin(x)")
partials(math.tan, x="1 + y**2")
partials(math.asin, x="1 / sqrt((1 - x) * (1 + x))")
partials(math.acos, x="-1 / sqrt((1 - x) * (1 + x))")
partials(math.atan, x="1 / (1 + x**2)")
partials(
    math.atan2,
    x1="x2 / (x1**2 + x2**2) if x1 or x2 else 0.0",
    x2="-x1 / (x1**2 + x2**2) if x1 or x2 else 0.0",
)
# As many coordinates as anyone writes out one by one.
partials(math.hypot, **{f"x{k}": f"x{k} / y if y else 0.0" for k in range(1, 9)})
partials(math.sinh, x="cosh(x)")
partials(math.cosh, x="sinh(x)")
partials(math.tanh, x="1 - y**2")
partials(math.asinh, x="1 / sqrt(1 + x**2)")
partials(math.acosh, x="1 / sqrt((x - 1) * (x + 1))")
partials(math.atanh, x="1 / ((1 - x) * (1 + x))")


@linear(math.radians, wrt="x")
def radians_adjoint(d_y: Any, x: Any) -> Any:
    return math.radians(d_y)


@linear(math.degrees, wrt="x")
def degrees_adjoint(d_y: Any, x: Any) -> Any:
    return math.degrees(d_y)


# ---------------------------------------------------------------- special functions

partials(math.erf, x="2 / sqrt(np.pi) * exp(-(x**2))")
partials(math.erfc, x="-2 / sqrt(np.pi) * exp(-(x**2))")
partials(math.gamma, x="y * polygamma(0, x)")
partials(math.lgamma, x="polygamma(0, x)")
partials(runtime.polygamma, n=None, x="polygamma(n + 1, x)")

# ---------------------------------------------------------------- signs and parts

partials(math.fabs, x="copysign(1.0, x) if x else 0.0")
partials(math.copysign, x1="y / x1 if x1 else 0.0", x2=None)
partials(math.fmod, x1="1", x2="(y - x1) / x2")
partials(math.remainder, x1="1", x2="(y - x1) / x2")
partials(math.nextafter, x1="1", x2=None)
partials(_known("fma"), x1="x2", x2="x1", x3="1")


def modf_tangent(x: Any, d_x: Any) -> Any:
    return d_x, 0.0


@general(math.modf, wrt="x", tangent=modf_tangent)
def modf_adjoint(d_y: Any, x: Any) -> Any:
    return d_y[0]


def frexp_tangent(y: Any, x: Any, d_x: Any) -> Any:
    return math.ldexp(d_x, -y[1]), 0


@general(math.frexp, wrt="x", tangent=frexp_tangent)
def frexp_adjoint(d_y: Any, y: Any, x: Any) -> Any:
    return math.ldexp(d_y[0], -y[1])


@linear(math.ldexp, wrt="x")
def ldexp_adjoint(d_y: Any, x: Any, i: Any) -> Any:
    return math.ldexp(d_y, i)


# ---------------------------------------------------------------- sums and products

# The adjoint of a list of numbers is an array of as many.


@linear(math.fsum, wrt="seq")
def fsum_adjoint(d_y: Any, seq: Any) -> Any:
    return np.full(len(seq), d_y)


@multilinear(_known("sumprod"), wrt="p q")
def sumprod_adjoint(d_y: Any, p: Any, q: Any) -> Any:
    return d_y * np.asarray(q), d_y * np.asarray(p)


def prod_tangent(
    iterable: Any, start: Any = 1, d_iterable: Any = 0.0, d_start: Any = 0.0
) -> Any:
    others = products_of_others(np.asarray(iterable))
    change = np.dot(others, np.asarray(d_iterable))
    return start * change + d_start * math.prod(iterable)


@general(math.prod, wrt="iterable start", tangent=prod_tangent)
def prod_adjoint(d_y: Any, iterable: Any, *, start: Any = 1) -> Any:
    others = products_of_others(np.asarray(iterable))
    return d_y * start * others, d_y * math.prod(iterable)


def products_of_others(a: Any) -> Any:
    """For each number the product of all others, zeros among them or not."""
    before = np.cumprod(np.concatenate((np.ones_like(a[:1]), a[:-1])))
    after = np.cumprod(np.concatenate((np.ones_like(a[:1]), a[:0:-1])))
    return before * after[::-1]


def dist_tangent(y: Any, p: Any, q: Any, d_p: Any, d_q: Any) -> Any:
    apart = np.subtract(p, q)
    return np.dot(apart, np.subtract(d_p, d_q)) / y if y else 0.0


@general(math.dist, wrt="p q", tangent=dist_tangent)
def dist_adjoint(d_y: Any, y: Any, p: Any, q: Any) -> Any:
    d_p = np.subtract(p, q) * (d_y / y if y else 0.0)
    return d_p, -d_p
