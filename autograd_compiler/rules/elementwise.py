"""Python's arithmetic and NumPy's elementwise functions.

Conventions at kinks: `abs` has derivative 0 at 0; `maximum` and its like share a tie
evenly; `clip` passes the derivative at its bounds; a quotient that is 0/0 where the
limit does not exist (`hypot`, `arctan2` at the origin) gives 0.

The literals are Python's, which leave float32 alone; `np.log(2)` would not.  For the
same reason a zero in a denominator is replaced by adding the comparison to it
(`x + (x == 0)`), which unlike `np.where` keeps a Python number a Python number.

Functions here give each operand a contribution in the shape of the result; summing
over what was broadcast is the compiler's business, as it is for partials.
"""

from __future__ import annotations

import operator
from typing import Any

import numpy as np

from autograd_compiler import runtime
from autograd_compiler.rules.registry import general, linear, partials

# ---------------------------------------------------------------- arithmetic

partials((operator.add, np.add), x1="1", x2="1")
partials((operator.sub, np.subtract), x1="1", x2="-1")
partials((operator.mul, np.multiply), x1="x2", x2="x1")
partials((operator.truediv, np.divide), x1="1 / x2", x2="-y / x2")
partials((operator.mod, np.remainder), x1="1", x2="-(x1 // x2)")
partials(np.fmod, x1="1", x2="(y - x1) / x2")
partials((operator.neg, np.negative), x="-1")
partials((operator.pos, np.positive), x="1")
partials(np.reciprocal, x="-(y**2)")
partials(np.square, x="2 * x")
# The base is moved off zero only where the exponent is zero, too: 0 * 0**-1 is 0, and
# second derivatives, mixed ones too, stay right.  In the exponent, 0**x2 * log(0) is 0.
partials(
    (operator.pow, pow, np.power, np.float_power),
    x1="x2 * (x1 + ((x1 == 0) & (x2 == 0))) ** (x2 - 1)",
    x2="y * log(x1 + (x1 == 0))",
)


def divmod_tangent(y: Any, x1: Any, x2: Any, d_x1: Any, d_x2: Any) -> Any:
    return np.zeros_like(y[0]), d_x1 - y[0] * d_x2


@general((divmod, np.divmod), wrt="x1 x2", tangent=divmod_tangent)
def divmod_adjoint(d_y: Any, y: Any, x1: Any, x2: Any) -> Any:
    return d_y[1], -y[0] * d_y[1]


# ---------------------------------------------------------------- exponentials

partials(np.exp, x="y")
partials(np.exp2, x="0.6931471805599453 * y")
partials(np.expm1, x="y + 1")
partials(np.log, x="1 / x")
partials(np.log2, x="1 / (0.6931471805599453 * x)")
partials(np.log10, x="1 / (2.302585092994046 * x)")
partials(np.log1p, x="1 / (1 + x)")
# Two probabilities of zero, at -inf, have derivative 0 and not the nan of -inf - -inf.
partials(np.logaddexp, x1="exp(x1 - nan_to_num(y))", x2="exp(x2 - nan_to_num(y))")
partials(np.logaddexp2, x1="exp2(x1 - nan_to_num(y))", x2="exp2(x2 - nan_to_num(y))")
partials(np.sqrt, x="0.5 / y")
partials(np.cbrt, x="1 / (3 * y**2)")

# ---------------------------------------------------------------- trigonometry

partials(np.sin, x="cos(x)")
partials(np.cos, x="-sin(x)")
partials(np.tan, x="1 + y**2")
# Factors instead of 1 - x**2: no digits are lost near the ends of the domain.
partials(np.arcsin, x="1 / sqrt((1 - x) * (1 + x))")
partials(np.arccos, x="-1 / sqrt((1 - x) * (1 + x))")
partials(np.arctan, x="1 / (1 + x**2)")
partials(
    np.arctan2,
    x1="x2 / (x1**2 + x2**2 + ((x1 == 0) & (x2 == 0)))",
    x2="-x1 / (x1**2 + x2**2 + ((x1 == 0) & (x2 == 0)))",
)
partials(np.hypot, x1="x1 / (y + (y == 0))", x2="x2 / (y + (y == 0))")
partials(np.sinh, x="cosh(x)")
partials(np.cosh, x="sinh(x)")
partials(np.tanh, x="1 - y**2")
partials(np.arcsinh, x="1 / sqrt(1 + x**2)")
# Two roots, not the root of the product, which has another branch in the complex plane.
partials(np.arccosh, x="1 / (sqrt(x - 1) * sqrt(x + 1))")
partials(np.arctanh, x="1 / ((1 - x) * (1 + x))")
partials(np.i0, x="i0_derivative(1, x)")
partials(runtime.i0_derivative, k=None, x="i0_derivative(k + 1, x)")
# The series near zero, where the difference loses all digits, and then its own
# derivative, too.
partials(
    np.sinc,
    x="where(abs(x) < 0.001, "
    "np.pi**2 * x * ((np.pi * x) ** 2 / 30 - 1 / 3), "
    "(cos(np.pi * x) - y) / (x + (x == 0)))",
)


@linear((np.deg2rad, np.radians), wrt="x")
def radians_adjoint(d_y: Any, x: Any) -> Any:
    return np.radians(d_y)


@linear((np.rad2deg, np.degrees), wrt="x")
def degrees_adjoint(d_y: Any, x: Any) -> Any:
    return np.degrees(d_y)


def unwrap_tangent(
    p: Any,
    discont: Any = None,
    axis: Any = -1,
    period: Any = 6.283185307179586,
    d_p: Any = 0.0,
) -> Any:
    return d_p


@general(np.unwrap, wrt="p", tangent=unwrap_tangent)
def unwrap_adjoint(
    d_y: Any,
    p: Any,
    discont: Any = None,
    axis: Any = -1,
    *,
    period: Any = 6.283185307179586,
) -> Any:
    return d_y


# ---------------------------------------------------------------- signs, choices


def absolute_tangent(y: Any, x: Any, d_x: Any) -> Any:
    if np.iscomplexobj(x):
        return np.real(np.conj(x) * d_x) / (y + (y == 0))
    return np.sign(x) * d_x


@general((abs, operator.abs, np.absolute), wrt="x", tangent=absolute_tangent)
def absolute_adjoint(d_y: Any, y: Any, x: Any) -> Any:
    if np.iscomplexobj(x):
        return d_y * np.conj(x) / (y + (y == 0))
    return d_y * np.sign(x)


partials(np.fabs, x="sign(x)")
partials(np.copysign, x1="y / (x1 + (x1 == 0))", x2=None)
partials(np.heaviside, x1=None, x2="x1 == 0")
partials(np.nextafter, x1="1", x2=None)
partials(
    np.clip,
    a="y == a",
    a_min="(a < a_min) & (y == a_min)",
    a_max="a > a_max",
    min="(a < min) & (y == min)",
    max="a > max",
)


def nan_to_num_tangent(
    x: Any,
    copy: Any = True,
    nan: Any = 0.0,
    posinf: Any = None,
    neginf: Any = None,
    d_x: Any = 0.0,
) -> Any:
    return np.where(np.isfinite(x), d_x, 0)


@general(np.nan_to_num, wrt="x", tangent=nan_to_num_tangent)
def nan_to_num_adjoint(
    d_y: Any,
    x: Any,
    copy: Any = True,
    nan: Any = 0.0,
    posinf: Any = None,
    neginf: Any = None,
) -> Any:
    return np.where(np.isfinite(x), d_y, 0)


# A choice selects derivatives and does not multiply them by 0 or 1: what is infinite
# or nan in the branch that was not taken stays there.


@linear(np.where, wrt="x1 x2")
def where_adjoint(d_y: Any, condition: Any, x1: Any, x2: Any) -> Any:
    return np.where(condition, d_y, 0), np.where(condition, 0, d_y)


def maximum_tangent(x1: Any, x2: Any, d_x1: Any, d_x2: Any) -> Any:
    return np.where(x1 == x2, (d_x1 + d_x2) / 2, np.where(x1 > x2, d_x1, d_x2))


@general(np.maximum, wrt="x1 x2", tangent=maximum_tangent)
def maximum_adjoint(d_y: Any, x1: Any, x2: Any) -> Any:
    d_x1 = np.where(x1 == x2, d_y / 2, np.where(x1 > x2, d_y, 0))
    d_x2 = np.where(x1 == x2, d_y / 2, np.where(x1 < x2, d_y, 0))
    return d_x1, d_x2


def minimum_tangent(x1: Any, x2: Any, d_x1: Any, d_x2: Any) -> Any:
    return np.where(x1 == x2, (d_x1 + d_x2) / 2, np.where(x1 < x2, d_x1, d_x2))


@general(np.minimum, wrt="x1 x2", tangent=minimum_tangent)
def minimum_adjoint(d_y: Any, x1: Any, x2: Any) -> Any:
    d_x1 = np.where(x1 == x2, d_y / 2, np.where(x1 < x2, d_y, 0))
    d_x2 = np.where(x1 == x2, d_y / 2, np.where(x1 > x2, d_y, 0))
    return d_x1, d_x2


# `fmax` and `fmin` pass over nan, so that only the result says which one was chosen.


def fmax_tangent(y: Any, x1: Any, x2: Any, d_x1: Any, d_x2: Any) -> Any:
    return np.where(x1 == x2, (d_x1 + d_x2) / 2, np.where(x1 == y, d_x1, d_x2))


@general((np.fmax, np.fmin), wrt="x1 x2", tangent=fmax_tangent)
def fmax_adjoint(d_y: Any, y: Any, x1: Any, x2: Any) -> Any:
    d_x1 = np.where(x1 == x2, d_y / 2, np.where(x1 == y, d_y, 0))
    d_x2 = np.where(x1 == x2, d_y / 2, np.where(x2 == y, d_y, 0))
    return d_x1, d_x2


# ---------------------------------------------------------------- parts of numbers


def modf_tangent(y: Any, x: Any, d_x: Any) -> Any:
    return d_x, np.zeros_like(y[1])


@general(np.modf, wrt="x", tangent=modf_tangent)
def modf_adjoint(d_y: Any, x: Any) -> Any:
    return d_y[0]


def frexp_tangent(y: Any, x: Any, d_x: Any) -> Any:
    return np.ldexp(d_x, -y[1]), np.zeros_like(y[1])


@general(np.frexp, wrt="x", tangent=frexp_tangent)
def frexp_adjoint(d_y: Any, y: Any, x: Any) -> Any:
    return np.ldexp(d_y[0], -y[1])


@linear(np.ldexp, wrt="x1")
def ldexp_adjoint(d_y: Any, x1: Any, x2: Any) -> Any:
    return np.ldexp(d_y, x2)


# ---------------------------------------------------------------- complex numbers

# The adjoint `d_z` of a complex `z` pairs with a change `dz` as the real part of
# `d_z * dz`; so holomorphic functions need no conjugates.


@linear(np.real, wrt="val")
def real_adjoint(d_y: Any, val: Any) -> Any:
    return d_y


@linear(np.imag, wrt="val")
def imag_adjoint(d_y: Any, val: Any) -> Any:
    return -1j * d_y


@linear(np.conjugate, wrt="x")
def conjugate_adjoint(d_y: Any, x: Any) -> Any:
    return np.conj(d_y)


def angle_tangent(z: Any, deg: Any = False, d_z: Any = 0.0) -> Any:
    if deg:
        return np.degrees(turned(z, d_z))
    return turned(z, d_z)


def turned(z: Any, d_z: Any) -> Any:
    """The change of the angle of `z`: the imaginary part of `d_z / z`, 0 at zero."""
    return np.imag(d_z / (z + (z == 0))) * (z != 0)


@general(np.angle, wrt="z", tangent=angle_tangent)
def angle_adjoint(d_y: Any, z: Any, deg: Any = False) -> Any:
    if deg:
        d_y = np.degrees(d_y)
    return -1j * d_y / (z + (z == 0)) * (z != 0)


def real_if_close_tangent(y: Any, a: Any, tol: Any = 100, d_a: Any = 0.0) -> Any:
    return d_a if np.iscomplexobj(y) else np.real(d_a)


@general(np.real_if_close, wrt="a", tangent=real_if_close_tangent)
def real_if_close_adjoint(d_y: Any, a: Any, tol: Any = 100) -> Any:
    return d_y
