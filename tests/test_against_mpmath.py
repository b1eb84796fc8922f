"""Derivatives of special functions against mpmath, out to the ends of their domains.

Central differences in double precision see eight digits, and nothing where a function is
large, small or flat.  mpmath differentiates with forty digits.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import mpmath as mp
import numpy as np
import pytest
from scipy import special, stats

from autograd_compiler import vjp

Function = Callable[..., Any]


@dataclass(frozen=True)
class Known:
    """A function, the same one in mpmath, and where they are compared.

    Attributes
    ----------
    points
        Rows of arguments.
    wrt
        The positions of the arguments to differentiate in; by default all of them.
    error
        The largest relative error, where rounding of the arguments leaves no less.
    """

    function: Function
    exact: Function
    points: list[tuple[float, ...]]
    wrt: tuple[int, ...] = ()
    error: float = 2e-13

    def __str__(self) -> str:
        owner = getattr(getattr(self.function, "__self__", None), "name", "")
        return f"{owner}.{self.function.__name__}".lstrip(".")


def along(*places: float) -> list[tuple[float, ...]]:
    return [(place,) for place in places]


def crossed(*axes: tuple[float, ...]) -> list[tuple[float, ...]]:
    return [
        tuple(map(float, row))
        for row in np.stack(np.meshgrid(*axes), -1).reshape(-1, len(axes))
    ]


UNIT = along(1e-12, 1e-4, 0.2, 0.5, 0.8, 0.9999)


def lower_gamma(a: Any, x: Any) -> Any:
    """P(a, x) but for a constant: mpmath keeps the digits of the smaller tail."""
    if x < a + 5:
        return mp.gammainc(a, 0, x, regularized=True)
    return -mp.gammainc(a, x, mp.inf, regularized=True)


def lower_beta(a: Any, b: Any, x: Any) -> Any:
    if x < a / (a + b):
        return mp.betainc(a, b, 0, x, regularized=True)
    return -mp.betainc(b, a, 0, 1 - x, regularized=True)


def student(df: Any, t: Any) -> Any:
    tail = mp.betainc(df / 2, mp.mpf(1) / 2, 0, df / (df + t**2), regularized=True) / 2
    return tail if t < 0 else -tail


def von_mises(z: Any, kappa: Any) -> Any:
    whole = 2 * mp.pi * mp.besseli(0, kappa)
    return mp.quad(lambda t: mp.exp(kappa * mp.cos(t)), [0, z / 2, z]) / whole


def fisher(x: Any, dfn: Any, dfd: Any) -> Any:
    return lower_beta(dfn / 2, dfd / 2, dfn * x / (dfn * x + dfd))


SHAPES = (1e-3, 0.3, 2.5, 40.0)

KNOWN = [
    # the error functions
    Known(special.erf, mp.erf, along(-5.0, -1.0, 0.0, 1e-9, 2.0, 6.0)),
    Known(special.erfc, mp.erfc, along(-5.0, -1.0, 0.0, 1e-9, 2.0, 25.0)),
    Known(special.erfi, mp.erfi, along(-5.0, 0.0, 2.0, 25.0)),
    Known(
        special.erfcx,
        lambda x: mp.exp(x**2) * mp.erfc(x),
        along(-5.0, 0.0, 1.0, 10.0, 24.9, 25.1, 200.0),
        error=1e-12,
    ),
    Known(special.erfinv, mp.erfinv, along(-0.999999, -0.2, 0.0, 0.5, 0.99999)),
    Known(special.ndtr, mp.ncdf, along(-37.0, -5.0, 0.0, 2.0, 9.0)),
    Known(
        special.log_ndtr,
        lambda x: mp.log(mp.ncdf(x)) if x < 3 else mp.log1p(-mp.ncdf(-x)),
        along(-35.0, -5.0, -0.1, 0.0, 0.3, 3.0, 8.0),
        error=1e-12,
    ),
    # the gamma function and its kin
    Known(special.gamma, mp.gamma, along(-4.3, -0.5, 1e-6, 0.5, 1.4, 9.0, 160.0)),
    Known(special.rgamma, mp.rgamma, along(-4.3, -0.5, 0.5, 9.0, 150.0)),
    Known(special.gammaln, mp.loggamma, along(1e-10, 0.5, 1.4, 1e3, 1e8)),
    Known(
        special.psi,
        lambda x: mp.psi(0, x),
        along(1e-5, 0.4, 1.4, 30.0, 1e6),
    ),
    Known(
        special.beta, mp.beta, crossed((1e-3, 0.7, 9.0), (0.2, 3.0, 20.0)), error=1e-11
    ),
    Known(special.zeta, mp.zeta, crossed((1.2, 2.0, 9.0), (0.1, 1.0, 12.0)), wrt=(1,)),
    Known(
        special.gammainc,
        lower_gamma,
        crossed(SHAPES, (1e-6, 0.2, 1.0, 2.4, 9.0, 70.0)),
        error=1e-10,
    ),
    Known(
        special.gammainc, lower_gamma, crossed((1e4,), (9.7e3, 1e4, 1.1e4)), error=1e-10
    ),
    Known(
        special.betainc,
        lower_beta,
        [
            (a, b, x)
            for a, b, x in crossed(SHAPES, (0.2, 3.0, 200.0), (1e-4, 0.3, 0.99))
        ],
        error=1e-9,
    ),
    # integrals
    Known(special.expi, mp.ei, along(-5.0, 1e-5, 0.5, 40.0)),
    Known(special.exp1, mp.e1, along(1e-5, 0.5, 40.0, 600.0)),
    Known(
        special.spence,
        lambda z: mp.polylog(2, 1 - z),
        along(1e-5, 0.3, 1 - 1e-9, 1.0, 1.4, 7.0),
    ),
    Known(special.ellipk, mp.ellipk, along(-50.0, -1e-9, 1e-9, 0.4, 0.999)),
    Known(special.ellipe, mp.ellipe, along(-50.0, -1e-9, 1e-9, 0.4, 0.999)),
    # Bessel functions in their argument
    *(
        Known(
            mine,
            lambda x, f=f, n=n: f(n, x),
            along(1e-6, 0.3, 2.0, 15.0, 80.0),
            error=2e-12,
        )
        for mine, f, n in (
            (special.j0, mp.besselj, 0),
            (special.j1, mp.besselj, 1),
            (special.y0, mp.bessely, 0),
            (special.y1, mp.bessely, 1),
            (special.i0, mp.besseli, 0),
            (special.i1, mp.besseli, 1),
            (special.k0, mp.besselk, 0),
            (special.k1, mp.besselk, 1),
        )
    ),
    # the logistic function
    Known(
        special.expit,
        lambda x: 1 / (1 + mp.exp(-x)),
        along(-700.0, -30.0, 0.0, 3.0, 700.0),
    ),
    Known(special.logit, lambda x: mp.log(x / (1 - x)), UNIT),
    Known(
        special.exprel, lambda x: mp.expm1(x) / x, along(-30.0, -1e-9, 1e-9, 0.5, 30.0)
    ),
    Known(special.lambertw, mp.lambertw, along(0.0, 1e-6, 1.0, 1e6)),
    # distributions in their parameters
    Known(
        special.stdtr,
        student,
        crossed((0.3, 1.0, 4.5, 60.0), (-30.0, -1.2, 0.01, 3.0)),
        error=1e-9,
    ),
    Known(
        stats.gamma.cdf,
        lambda x, a: lower_gamma(a, x),
        crossed((0.2, 2.0, 30.0), SHAPES),
        error=1e-10,
    ),
    Known(
        stats.chi2.cdf,
        lambda x, v: lower_gamma(v / 2, x / 2),
        crossed((0.2, 2.0, 30.0), SHAPES),
        error=1e-10,
    ),
    Known(
        stats.beta.cdf,
        lambda x, a, b: lower_beta(a, b, x),
        crossed((0.01, 0.4, 0.98), (0.3, 2.5), (0.6, 12.0)),
        error=1e-10,
    ),
    Known(
        stats.f.cdf,
        fisher,
        crossed((0.1, 1.3, 9.0), (0.7, 5.0), (2.0, 30.0)),
        error=1e-10,
    ),
    Known(
        stats.vonmises.cdf,
        von_mises,
        crossed((0.2, 1.5, 3.1), (0.1, 1.3, 9.0, 40.0)),
        error=1e-9,
    ),
]


def slopes(function: Function, points: list[tuple[float, ...]], wrt: Any) -> Any:
    """The derivatives in some arguments at all points, by one pullback."""
    columns = tuple(np.array(points).T)
    known = {k: column for k, column in enumerate(columns) if k not in wrt}
    first = known.get(0)

    def of_all(*args: Any) -> Any:
        return function(*args) if first is None else function(first, *args)

    out, pullback = vjp(of_all, *(columns[k] for k in wrt))
    return pullback(np.ones_like(out))


@pytest.mark.parametrize("known", KNOWN, ids=str)
def test_derivative_agrees_with_mpmath(known: Known) -> None:
    with mp.workdps(40):
        wrt = known.wrt or tuple(range(len(known.points[0])))
        for k, found in zip(
            wrt, slopes(known.function, known.points, wrt), strict=True
        ):
            for point, mine in zip(known.points, found, strict=True):
                given = list(map(mp.mpf, point))

                def at(x: Any, given: Any = given, k: int = k) -> Any:
                    return known.exact(*given[:k], x, *given[k + 1 :])

                exact = float(mp.re(mp.diff(at, given[k])))
                assert mine == pytest.approx(exact, rel=known.error, abs=1e-300), point
