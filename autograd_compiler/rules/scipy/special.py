"""Special functions: `scipy.special`.

The formulas are those of the NIST Digital Library of Mathematical Functions (DLMF) and
of Abramowitz and Stegun, in a form that keeps its digits: hypergeometric functions and
Carlson's integrals where the textbook divides one small difference by another.

A parameter is `...` where no formula for its derivative is known, and None where it is a
whole number.  Functions with an order or a degree are in `orders.py`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import special

from autograd_compiler.rules.reductions import restored
from autograd_compiler.rules.registry import (
    Operator,
    general,
    partials_with,
    zero_derivative,
)


def existing(*names: str) -> tuple[Operator, ...]:
    """The functions of these names that the installed SciPy has."""
    return tuple(getattr(special, name) for name in names if hasattr(special, name))


def dawsn_slope(x: Any, y: Any) -> Any:
    """`1 - 2 * x * y`; far out, where that is a small difference, its series (DLMF 7.12.1)."""
    far = abs(x) > 25
    t = np.where(far, 2 * x**2, 1250)
    tail = -(1 + 3 / t * (1 + 5 / t * (1 + 7 / t * (1 + 9 / t * (1 + 11 / t))))) / t
    return np.where(far, tail, 1 - 2 * x * np.where(far, 0, y))


def erfcx_slope(x: Any, y: Any) -> Any:
    """`2 * x * y - 2 / sqrt(pi)`; far out its series (DLMF 7.12.1)."""
    far = x > 25
    t = np.where(far, 2 * x**2, 1250)
    tail = -(1 - 3 / t * (1 - 5 / t * (1 - 7 / t * (1 - 9 / t * (1 - 11 / t))))) / t
    near = 2 * x * np.where(far, 0, y) - 1.1283791670955126
    return np.where(far, 1.1283791670955126 * tail, near)


def normal_hazard(x: Any, y: Any) -> Any:
    """The density of the normal distribution by its distribution function, `exp(y)`."""
    left = 0.7978845608028654 / special.erfcx(-0.7071067811865476 * np.minimum(x, 0))
    right = 0.3989422804014327 * np.exp(-(x**2) / 2 - y)
    return np.where(x > 0, right, left)


def spence_slope(x: Any) -> Any:
    """`log(x) / (1 - x)`; the series around 1."""
    near = abs(x - 1) < 0.5
    series = special.hyp2f1(1.0, 1.0, 2.0, np.where(near, 1 - x, 0))
    far = np.where(near, 2, x)
    return np.where(near, -series, np.log(far) / (1 - far))


def ellipkinc_slope(phi: Any, m: Any) -> Any:
    """The derivative of F in m by Carlson's integral (DLMF 19.25.5, 19.18.1)."""
    turns = np.round(phi / np.pi)
    s = np.sin(phi - np.pi * turns)
    part = s**3 * special.elliprd(np.cos(phi) ** 2, 1, 1 - m * s**2) / 6
    return part + turns * 0.7853981633974483 * special.hyp2f1(1.5, 1.5, 2.0, m)


def ellipeinc_slope(phi: Any, m: Any) -> Any:
    """The derivative of E in m by Carlson's integral (DLMF 19.25.10, 19.4.6)."""
    turns = np.round(phi / np.pi)
    s = np.sin(phi - np.pi * turns)
    part = s**3 * special.elliprd(np.cos(phi) ** 2, 1 - m * s**2, 1) / 6
    return -part - turns * 0.7853981633974483 * special.hyp2f1(0.5, 1.5, 2.0, m)


def multigammaln_slope(a: Any, d: Any) -> Any:
    total = special.psi(a)
    for k in range(1, d):
        total = total + special.psi(a - k / 2)
    return total


def lower_order_expn(n: Any, x: Any, y: Any) -> Any:
    """`expn(n - 1, x)`, which SciPy has not for n = 0 (DLMF 8.19.12)."""
    return np.where(n > 0, special.expn(np.maximum(n - 1, 0), x), (np.exp(-x) + y) / x)


def real_argument(z: Any) -> Any:
    """The argument, where the derivative holds, or SciPy has it, for real numbers only."""
    if np.iscomplexobj(z):
        raise TypeError("this derivative is known for real arguments only")
    return z


# What the text of the partial derivatives may name besides NumPy's functions.
partials = partials_with(
    {
        "special": special,
        "dawsn_slope": dawsn_slope,
        "erfcx_slope": erfcx_slope,
        "normal_hazard": normal_hazard,
        "spence_slope": spence_slope,
        "ellipkinc_slope": ellipkinc_slope,
        "ellipeinc_slope": ellipeinc_slope,
        "multigammaln_slope": multigammaln_slope,
        "lower_order_expn": lower_order_expn,
        "real_argument": real_argument,
    }
)

# ---------------------------------------------------------------- powers, logarithms

partials(special.cbrt, x="1 / (3 * y**2)")
partials(special.exp2, x="0.6931471805599453 * y")
partials(special.exp10, x="2.302585092994046 * y")
partials(special.expm1, x="y + 1")
partials(special.log1p, x="1 / (1 + x)")
# exprel is Kummer's M(1, 2, x); the derivative of M is DLMF 13.3.15.
partials(special.exprel, x="special.hyp1f1(2.0, 3.0, x) / 2")
partials(special.powm1, x1="x2 * x1 ** (x2 - 1)", x2="(y + 1) * log(x1 + (x1 == 0))")
partials(special.xlogy, x1="log(x2)", x2="x1 / (x2 + ((x1 == 0) & (x2 == 0)))")
partials(special.xlog1py, x1="log1p(x2)", x2="x1 / (1 + x2 + ((x1 == 0) & (x2 == -1)))")
partials(special.entr, x="-1 - log(x)")
partials(special.rel_entr, x1="log(x1 / x2) + 1", x2="-x1 / x2")
partials(special.kl_div, x1="log(x1 / x2)", x2="1 - x1 / x2")
partials(special.huber, delta="maximum(abs(r) - delta, 0)", r="clip(r, -delta, delta)")
partials(
    special.pseudo_huber,
    delta="y**2 / (delta**3 * sqrt(1 + (r / delta) ** 2))",
    r="r / sqrt(1 + (r / delta) ** 2)",
)
# (x**lmbda - 1) / lmbda is log(x) * exprel(lmbda * log(x)), regular at lmbda = 0.
partials(
    special.boxcox,
    x="x ** (lmbda - 1)",
    lmbda="log(x) ** 2 * special.hyp1f1(2.0, 3.0, lmbda * log(x)) / 2",
)
partials(
    special.boxcox1p,
    x="(1 + x) ** (lmbda - 1)",
    lmbda="log1p(x) ** 2 * special.hyp1f1(2.0, 3.0, lmbda * log1p(x)) / 2",
)
# log1p(u) / u is Gauss's F(1, 1; 2; -u); the derivative of F is DLMF 15.5.1.
partials(
    special.inv_boxcox,
    x="y / (1 + lmbda * x)",
    lmbda="-y * x**2 * special.hyp2f1(2.0, 2.0, 3.0, -lmbda * x) / 2",
)
partials(
    special.inv_boxcox1p,
    x="(y + 1) / (1 + lmbda * x)",
    lmbda="-(y + 1) * x**2 * special.hyp2f1(2.0, 2.0, 3.0, -lmbda * x) / 2",
)

# ---------------------------------------------------------------- the logistic function

partials(special.expit, x="y * special.expit(-x)")
partials(existing("log_expit"), x="special.expit(-x)")
partials(existing("softplus"), x="special.expit(x)")
partials(special.logit, x="1 / (x * (1 - x))")

# ---------------------------------------------------------------- degrees

partials(special.sindg, x="0.017453292519943295 * special.cosdg(x)")
partials(special.cosdg, x="-0.017453292519943295 * special.sindg(x)")
partials(special.tandg, x="0.017453292519943295 * (1 + y**2)")
partials(special.cotdg, x="-0.017453292519943295 * (1 + y**2)")
partials(special.cosm1, x="-sin(x)")
partials(
    special.radian,
    d="0.017453292519943295",
    m="0.0002908882086657216",
    s="4.84813681109536e-06",
)

# ---------------------------------------------------------------- error functions

# DLMF 7.2; 2 / sqrt(pi) is 1.128…, 1 / sqrt(2 * pi) is 0.398….
partials(special.erf, x="1.1283791670955126 * exp(-(x**2))")
partials(special.erfc, x="-1.1283791670955126 * exp(-(x**2))")
partials(special.erfi, x="1.1283791670955126 * exp(x**2)")
partials(special.erfcx, x="erfcx_slope(x, y)")
partials(special.dawsn, x="dawsn_slope(x, y)")
partials(special.wofz, z="1.1283791670955126j - 2 * z * y")
partials(special.erfinv, x="0.886226925452758 * exp(y**2)")
partials(special.erfcinv, x="-0.886226925452758 * exp(y**2)")
partials(special.ndtr, x="0.3989422804014327 * exp(-(x**2) / 2)")
partials(special.log_ndtr, x="normal_hazard(x, y)")
partials(special.ndtri, x="2.5066282746310002 * exp(y**2 / 2)")
partials(
    existing("ndtri_exp"),
    x="1.2533141373155001 * special.erfcx(-0.7071067811865476 * y)",
)
partials(
    special.owens_t,
    h="-0.19947114020071635 * exp(-(h**2) / 2) * special.erf(0.7071067811865476 * a * h)",
    a="0.15915494309189535 * exp(-(h**2) * (1 + a**2) / 2) / (1 + a**2)",
)


def fresnel_tangent(z: Any, d_z: Any) -> Any:
    half_square = 1.5707963267948966 * z**2
    return np.sin(half_square) * d_z, np.cos(half_square) * d_z


@general(special.fresnel, wrt="z", tangent=fresnel_tangent)
def fresnel_adjoint(d_y: Any, z: Any) -> Any:
    half_square = 1.5707963267948966 * z**2
    return d_y[0] * np.sin(half_square) + d_y[1] * np.cos(half_square)


# ---------------------------------------------------------------- the gamma function

partials(special.gamma, x="y * special.psi(x)")
partials(special.rgamma, x="-y * special.psi(x)")
partials((special.gammaln, special.loggamma), x="special.psi(x)")
# The trigamma function; SciPy has it for real numbers only (DLMF 25.11.12).
partials(special.psi, x="special.zeta(2, real_argument(x))")
partials(special.polygamma, n=None, x="special.polygamma(n + 1, x)")
partials(special.multigammaln, a="multigammaln_slope(a, d)", d=None)
partials(special.factorial, n="y * special.psi(n + 1)")
partials(
    special.poch,
    z="y * (special.psi(z + m) - special.psi(z))",
    m="y * special.psi(z + m)",
)
partials(
    (special.binom, special.comb),
    N="y * (special.psi(N + 1) - special.psi(N - k + 1))",
    k="y * (special.psi(N - k + 1) - special.psi(k + 1))",
)
partials(
    special.perm,
    N="y * (special.psi(N + 1) - special.psi(N - k + 1))",
    k="y * special.psi(N - k + 1)",
)
partials(
    special.beta,
    a="y * (special.psi(a) - special.psi(a + b))",
    b="y * (special.psi(b) - special.psi(a + b))",
)
partials(
    special.betaln,
    a="special.psi(a) - special.psi(a + b)",
    b="special.psi(b) - special.psi(a + b)",
)
# DLMF 25.11.17; in s there is no formula.
partials(special.zeta, x=..., q="-x * special.zeta(x + 1, q)")

# ---------------------------------------------------------------- integrals

# DLMF 6.2, 8.19.13, 25.12.2.
partials(special.exp1, z="-exp(-z) / z")
partials(special.expi, x="exp(x) / x")
partials(special.expn, n=None, x="-lower_order_expn(n, x, y)")
partials(special.spence, z="spence_slope(z)")


def sici_tangent(x: Any, d_x: Any) -> Any:
    return np.sinc(x / np.pi) * d_x, np.cos(x) / x * d_x


@general(special.sici, wrt="x", tangent=sici_tangent)
def sici_adjoint(d_y: Any, x: Any) -> Any:
    return d_y[0] * np.sinc(x / np.pi) + d_y[1] * np.cos(x) / x


def shichi_tangent(x: Any, d_x: Any) -> Any:
    return np.sinc(1j * x / np.pi).real * d_x, np.cosh(x) / x * d_x


@general(special.shichi, wrt="x", tangent=shichi_tangent)
def shichi_adjoint(d_y: Any, x: Any) -> Any:
    if np.iscomplexobj(x):
        raise TypeError("scipy.special.shichi is differentiated for real numbers only")
    return d_y[0] * np.sinc(1j * x / np.pi).real + d_y[1] * np.cosh(x) / x


# ---------------------------------------------------------------- elliptic integrals

# DLMF 19.5: K is pi/2 * F(1/2, 1/2; 1; m), and E is pi/2 * F(-1/2, 1/2; 1; m).
partials(special.ellipk, m="0.39269908169872414 * special.hyp2f1(1.5, 1.5, 2.0, m)")
partials(
    special.ellipkm1, p="-0.39269908169872414 * special.hyp2f1(1.5, 1.5, 2.0, 1 - p)"
)
partials(special.ellipe, m="-0.39269908169872414 * special.hyp2f1(0.5, 1.5, 2.0, m)")
partials(
    special.ellipkinc,
    phi="1 / sqrt(1 - m * sin(phi) ** 2)",
    m="ellipkinc_slope(phi, m)",
)
partials(
    special.ellipeinc,
    phi="sqrt(1 - m * sin(phi) ** 2)",
    m="ellipeinc_slope(phi, m)",
)


def ellipj_slopes(y: Any, u: Any, m: Any) -> Any:
    """The derivatives of sn, cn, dn and the amplitude in m, from `u = F(ph, m)`."""
    sn, cn, dn, ph = y
    slope = -dn * ellipkinc_slope(ph, m)
    return (
        cn * slope,
        -sn * slope,
        -(sn**2 + 2 * m * sn * cn * slope) / (2 * dn),
        slope,
    )


def ellipj_tangent(y: Any, u: Any, m: Any, d_u: Any, d_m: Any) -> Any:
    sn, cn, dn, ph = y
    d_sn, d_cn, d_dn, d_ph = ellipj_slopes(y, u, m)
    return (
        cn * dn * d_u + d_sn * d_m,
        -sn * dn * d_u + d_cn * d_m,
        -m * sn * cn * d_u + d_dn * d_m,
        dn * d_u + d_ph * d_m,
    )


@general(special.ellipj, wrt="u m", tangent=ellipj_tangent)
def ellipj_adjoint(d_y: Any, y: Any, u: Any, m: Any) -> Any:
    sn, cn, dn, ph = y
    d_sn, d_cn, d_dn, d_ph = ellipj_slopes(y, u, m)
    d_u = cn * dn * d_y[0] - sn * dn * d_y[1] - m * sn * cn * d_y[2] + dn * d_y[3]
    return d_u, d_sn * d_y[0] + d_cn * d_y[1] + d_dn * d_y[2] + d_ph * d_y[3]


# Carlson's integrals, DLMF 19.18.1 and, for two derivatives of R_F in the places x and
# z, 19.18.5; hence no value where two places of R_D are equal that are not both z.
partials(
    existing("elliprf"),
    x="-special.elliprd(v, z, x) / 6",
    v="-special.elliprd(x, z, v) / 6",
    z="-special.elliprd(x, v, z) / 6",
)
partials(
    existing("elliprd"),
    x="(special.elliprd(v, z, x) - y) / (2 * (x - z))",
    v="(special.elliprd(x, z, v) - y) / (2 * (v - z))",
    z="-1.5 * y / z - (x * (special.elliprd(v, z, x) - y) / (x - z)"
    " + v * (special.elliprd(x, z, v) - y) / (v - z)) / (2 * z)",
)

# ---------------------------------------------------------------- inverse functions

partials(special.wrightomega, z="y / (1 + y)")
partials(special.lambertw, z="1 / (exp(y) * (1 + y))", k=None)

# ---------------------------------------------------------------- sums of exponentials

# Where all terms are zero (`a` is -inf), the derivative is zero and not nan.


def logsumexp_tangent(
    y: Any, a: Any, axis: Any, b: Any, keepdims: Any, d_a: Any, d_b: Any
) -> Any:
    share = np.exp(a - np.nan_to_num(restored(y, axis, keepdims)))
    if b is None:
        return np.sum(share * d_a, axis=axis, keepdims=keepdims)
    return np.sum(share * (b * d_a + d_b), axis=axis, keepdims=keepdims)


@general(special.logsumexp, wrt="a b", tangent=logsumexp_tangent)
def logsumexp_adjoint(
    d_y: Any, y: Any, a: Any, axis: Any = None, b: Any = None, keepdims: Any = False
) -> Any:
    share = restored(d_y, axis, keepdims) * np.exp(
        a - np.nan_to_num(restored(y, axis, keepdims))
    )
    if b is None:
        return share, 0.0
    return share * b, share


def softmax_tangent(y: Any, x: Any, axis: Any, d_x: Any) -> Any:
    return y * (d_x - np.sum(y * d_x, axis=axis, keepdims=True))


@general(special.softmax, wrt="x", tangent=softmax_tangent)
def softmax_adjoint(d_y: Any, y: Any, x: Any, axis: Any = None) -> Any:
    return y * (d_y - np.sum(y * d_y, axis=axis, keepdims=True))


def log_softmax_tangent(y: Any, x: Any, axis: Any, d_x: Any) -> Any:
    return d_x - np.sum(np.exp(y) * d_x, axis=axis, keepdims=True)


@general(special.log_softmax, wrt="x", tangent=log_softmax_tangent)
def log_softmax_adjoint(d_y: Any, y: Any, x: Any, axis: Any = None) -> Any:
    return d_y - np.exp(y) * np.sum(d_y, axis=axis, keepdims=True)


# ---------------------------------------------------------------- known, without a rule

zero_derivative(special.gammasgn, special.round, special.bernoulli, special.euler)
zero_derivative(
    *(getattr(special, name) for name in special.__all__ if name.startswith("roots_"))
)
