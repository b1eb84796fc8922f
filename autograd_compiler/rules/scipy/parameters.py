"""Derivatives in the parameters of distributions: gamma, beta and von Mises.

They have no closed formula.  Differentiating under the integral gives moments: with the
density f of the gamma distribution, df/da is (log t - psi(a)) * f, so that

    dP(a, x)/da = integral from 0 to x of (log t - psi(a)) * f(t) dt,

and likewise for the others.  The derivatives of moments are moments, of one
order more, so that one operator for each is enough for all orders.

The integrals are computed by Fejer's rule in the logarithm of t, on the
side of x where the factor has one sign, and lose no digits by cancellation.  The error
is a few units of 1e-14, and up to 1e-16 times the parameters where these are large: the
tests find less than 1e-10 for parameters between 1e-3 and 1e5.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from scipy import special

from autograd_compiler.rules.registry import partials_with

# Where the integrand is smaller than its largest value by more than exp(-40), it is left
# out; farther than 40 away, exp(-w) is nothing beside 1.
FAR = 40.0
SMALL, LARGE = 1e-300, 1e300


def gamma_moment(n: int, a: Any, x: Any) -> Any:
    """The integral up to `x` of `(log(t) - psi(a))**n` with the gamma density.

    Examples
    --------
    >>> np.isclose(gamma_moment(0, 2.0, 3.0), special.gammainc(2.0, 3.0))
    np.True_
    """
    turn = np.maximum(np.exp(special.psi(a)), SMALL)
    total = central_moment(n, 0, lambda k, _: special.polygamma(k - 1, a))
    lower = gamma_below(n, a, np.minimum(np.maximum(x, SMALL), turn))
    upper = total - gamma_above(n, a, np.minimum(np.maximum(x, turn), LARGE))
    found = np.where(x <= turn, lower, np.where(np.isinf(x), total, upper))
    return np.where(x > 0, found, 0.0)[()]


def gamma_below(n: int, a: Any, x: Any) -> Any:
    """The integral from 0 to `x`, by `t = x * exp(-w)`."""
    start, scale = np.log(x) - special.psi(a), gamma_scale(a, x)

    def falling(w: Any) -> Any:
        return a * w + x * np.expm1(-w)

    end = root_of(falling, lambda w: a - x * np.exp(-w), (FAR + x) / a)
    inner = integral(
        lambda w: (start - w) ** n * np.exp(-falling(w)), np.minimum(end, FAR)
    )
    return scale * (inner + exponential_tail(n, a, start, FAR, x))


def gamma_above(n: int, a: Any, x: Any) -> Any:
    """The integral from `x` to infinity, by `t = x * exp(w)`."""
    start, scale = np.log(x) - special.psi(a), gamma_scale(a, x)

    def falling(w: Any) -> Any:
        return x * np.expm1(w) - a * w

    guess = np.minimum(np.sqrt(2 * FAR / x) + 1 / x, np.log1p(FAR / x) + 3)
    end = root_of(falling, lambda w: x * np.exp(w) - a, guess)
    return scale * integral(lambda w: (start + w) ** n * np.exp(-falling(w)), end)


def gamma_scale(a: Any, x: Any) -> Any:
    return np.exp(a * np.log(x) - x - special.gammaln(a))


def beta_moment(m: int, n: int, a: Any, b: Any, x: Any, rest: Any) -> Any:
    """The integral up to `x` of powers of logarithms with the beta density.

    These are the powers `m` of `log(t)` and `n` of `log(1 - t)`, each less its mean;
    `rest` is `1 - x`, which may have more digits.

    Examples
    --------
    >>> np.isclose(beta_moment(0, 0, 2.0, 3.0, 0.4, 0.6), special.betainc(2.0, 3.0, 0.4))
    np.True_
    """
    both = special.psi(a + b)
    if m >= n:
        log_turn = special.psi(a) - both
        turn, beyond = np.exp(log_turn), -np.expm1(log_turn)
    else:
        log_turn = special.psi(b) - both
        turn, beyond = -np.expm1(log_turn), np.exp(log_turn)
    x, rest, turn, beyond = (
        np.maximum(place, SMALL) for place in (x, rest, turn, beyond)
    )
    lower = beta_below(m, n, a, b, np.minimum(x, turn), np.maximum(rest, beyond))
    upper = beta_below(n, m, b, a, np.minimum(rest, beyond), np.maximum(x, turn))
    total = central_moment(
        m,
        n,
        lambda j, k: (special.polygamma(j - 1, a) if k == 0 else 0)
        + (special.polygamma(k - 1, b) if j == 0 else 0)
        - special.polygamma(j + k - 1, a + b),
    )
    return np.where(x <= turn, lower, total - upper)[()]


def beta_below(m: int, n: int, a: Any, b: Any, x: Any, y: Any) -> Any:
    """The integral from 0 to `x`, by `t / (1 - t) = x / y * exp(-w)`."""
    both = special.psi(a + b)
    mean, beside = special.psi(a) - both, special.psi(b) - both

    def shared(w: Any) -> Any:
        small = np.log1p(np.minimum(x, 0.5) * np.expm1(-w))
        return np.where(x < 0.5, small, np.log(y + x * np.exp(-w)))

    def falling(w: Any) -> Any:
        return a * w + (a + b) * shared(w)

    def slope(w: Any) -> Any:
        return a - (a + b) * x * np.exp(-w) / (y + x * np.exp(-w))

    def integrand(w: Any) -> Any:
        first, second = np.log(x) - w - shared(w), np.log(y) - shared(w)
        return (first - mean) ** m * (second - beside) ** n * np.exp(-falling(w))

    far = FAR - np.log(y)
    end = root_of(falling, slope, (FAR - (a + b) * np.log(y)) / a)
    inner = integral(integrand, np.minimum(end, far))
    last = -(a + b) * np.log(y)
    tail = exponential_tail(m, a, np.log(x) - np.log(y) - mean, far, last)
    scale = np.exp(a * np.log(x) + b * np.log(y) - special.betaln(a, b))
    return scale * (inner + tail * (-beside) ** n)


def von_mises_moment(n: int, kappa: Any, z: Any) -> Any:
    """The integral from 0 to `z` of `(cos(t) - mean)**n` with von Mises's density.

    Examples
    --------
    >>> np.isclose(von_mises_moment(0, 2.0, np.pi), 0.5)
    np.True_
    """
    mean = special.i1e(kappa) / special.i0e(kappa)
    place = np.arccos(np.cos(z))  # the distance from a multiple of 2 * pi
    side = np.sign(np.sin(z))

    def between(start: Any, end: Any) -> Any:
        return integral(
            lambda w: (np.cos(start + w) - mean) ** n
            * np.exp(kappa * (np.cos(start + w) - 1)),
            end - start,
        )

    def end(start: Any) -> Any:
        return np.arccos(np.maximum(np.cos(start) - FAR / kappa, -1.0))

    turn = np.arccos(mean)
    inside, outside = np.minimum(place, turn), np.maximum(place, turn)
    half = 0.0 if n == 1 else between(0.0, turn) + between(turn, end(turn))
    beyond = half - between(outside, end(outside))
    scale = side / (2 * np.pi * special.i0e(kappa))
    return (scale * np.where(place <= turn, between(0.0, inside), beyond))[()]


# ---------------------------------------------------------------- integrals


def integral(function: Callable[[Any], Any], end: Any) -> Any:
    """The integral from 0 to `end`, by Fejer's first rule in 100 places."""
    angles = (np.arange(100) + 0.5) * (np.pi / 100)
    k = np.arange(1, 51)
    terms = np.cos(np.outer(2 * angles, k)) / (4 * k**2 - 1)
    weights = (1 - 2 * np.sum(terms, axis=1)) / 100
    total = 0.0
    for angle, weight in zip(angles, weights, strict=True):
        total = total + weight * function(end * (np.cos(angle) + 1) / 2)
    return total * end


def root_of(function: Any, slope: Any, guess: Any) -> Any:
    """Where a convex function reaches `FAR`, by Newton's method from above."""
    for _ in range(12):
        step = np.maximum(function(guess) - FAR, 0) / np.maximum(slope(guess), SMALL)
        guess = guess - step
    return guess


def exponential_tail(n: int, a: Any, start: Any, far: Any, last: Any) -> Any:
    """The integral from `far` on of `(start - w)**n * exp(last - a * w)`."""
    total = 0.0
    for k in range(n + 1):
        power = (start - far) ** (n - k)
        total = total + (-1) ** k * math.perm(n, k) * power / a ** (k + 1)
    return total * np.exp(last - a * far)


def central_moment(m: int, n: int, cumulant: Callable[[int, int], Any]) -> Any:
    """The central moment of two variables by their cumulants."""
    if m == n == 0:
        return 1.0
    if m == 0:
        return central_moment(n, m, lambda j, k: cumulant(k, j))
    total = 0.0
    for j in range(m):
        for k in range(n + 1):
            if j + k > 0:  # the first cumulants are zero
                count = math.comb(m - 1, j) * math.comb(n, k)
                rest = central_moment(m - 1 - j, n - k, cumulant)
                total = total + count * cumulant(j + 1, k) * rest
    return total


# ---------------------------------------------------------------- their derivatives

partials = partials_with(
    {
        "special": special,
        "gamma_moment": gamma_moment,
        "beta_moment": beta_moment,
        "von_mises_moment": von_mises_moment,
    }
)

# Their results have the form of sums; the moments of high order are not to be computed
# for that.
partials(
    gamma_moment,
    result=lambda n, a, x: a + x,
    n=None,
    a="gamma_moment(n + 1, a, x)"
    " - n * special.zeta(2, a) * gamma_moment(max(n - 1, 0), a, x)",
    x="(log(x) - special.psi(a)) ** n"
    " * exp(special.xlogy(a - 1, x) - x - special.gammaln(a))",
)
# As a function of `x` alone: `rest` follows it, and its derivative is none of its own.
partials(
    beta_moment,
    result=lambda m, n, a, b, x, rest: a + b + x + rest,
    m=None,
    n=None,
    a="beta_moment(m + 1, n, a, b, x, rest)"
    " - m * (special.zeta(2, a) - special.zeta(2, a + b))"
    " * beta_moment(max(m - 1, 0), n, a, b, x, rest)"
    " + n * special.zeta(2, a + b) * beta_moment(m, max(n - 1, 0), a, b, x, rest)",
    b="beta_moment(m, n + 1, a, b, x, rest)"
    " - n * (special.zeta(2, b) - special.zeta(2, a + b))"
    " * beta_moment(m, max(n - 1, 0), a, b, x, rest)"
    " + m * special.zeta(2, a + b) * beta_moment(max(m - 1, 0), n, a, b, x, rest)",
    x="(log(x) - special.psi(a) + special.psi(a + b)) ** m"
    " * (log(rest) - special.psi(b) + special.psi(a + b)) ** n"
    " * exp(special.xlogy(a - 1, x) + special.xlogy(b - 1, rest) - special.betaln(a, b))",
    rest=None,
)
_MEAN = "special.i1e(kappa) / special.i0e(kappa)"
partials(
    von_mises_moment,
    result=lambda n, kappa, z: kappa + z,
    n=None,
    kappa="von_mises_moment(n + 1, kappa, z)"
    f" - n * (1 - {_MEAN} / kappa - ({_MEAN}) ** 2)"
    " * von_mises_moment(max(n - 1, 0), kappa, z)",
    z=f"(cos(z) - {_MEAN}) ** n"
    " * exp(kappa * (cos(z) - 1)) / (2 * np.pi * special.i0e(kappa))",
)
