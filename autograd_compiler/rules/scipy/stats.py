"""Probability distributions: `scipy.stats`.

A distribution is one row: how the logarithm of its standard density changes with `z`
and with each shape parameter, and how its standard distribution function changes with
each shape parameter.  The densities are those of SciPy's documentation; the rest is
calculus.  What the methods make of it, `loc` and `scale` included, stands once, in
`continuous` and `discrete`.

Outside of the support the density has derivative zero, and its logarithm, -inf, too.
"""

from __future__ import annotations

import re
from typing import Any

import numpy as np
from scipy import special, stats

from autograd_compiler.rules.linalg import hermitian_of
from autograd_compiler.rules.registry import Partial, composed, partials_with
from autograd_compiler.rules.scipy.incomplete import IN_DF
from autograd_compiler.rules.scipy.parameters import (
    beta_moment,
    gamma_moment,
    von_mises_moment,
)
from autograd_compiler.rules.scipy.special import normal_hazard


def hazard(u: Any) -> Any:
    """The density of the normal distribution by its distribution function."""
    return normal_hazard(u, special.log_ndtr(u))


_NAMES = {
    "special": special,
    "stats": stats,
    "hazard": hazard,
    "gamma_moment": gamma_moment,
    "beta_moment": beta_moment,
    "von_mises_moment": von_mises_moment,
}
partials = partials_with(_NAMES, {"loc": 0, "scale": 1})


def _put(text: str, **names: str) -> str:
    """The text with other expressions for some of its names."""
    pattern = rf"(?<![\w.])({'|'.join(names)})\b"
    return re.sub(pattern, lambda found: names[found[0]], text)


def continuous(
    name: str,
    z: str,
    shapes: dict[str, str] | None = None,
    cdf: dict[str, str] | None = None,
    bounded: bool = True,
) -> None:
    """Declare the methods of a continuous distribution.

    Parameters
    ----------
    name
        What the distribution is called in `scipy.stats`.
    z
        The derivative of the logarithm of the standard density in its argument `z`.
    shapes
        Its derivatives in the shape parameters, in their order.
    cdf
        The derivatives of the standard distribution function in those shape parameters
        where a formula is known; `f` is the standard density.
    bounded
        Whether the density is zero somewhere.
    """
    distribution = getattr(stats, name, None)
    if distribution is None:  # in this version of SciPy
        return
    shapes, cdf = shapes or {}, cdf or {}
    given = "".join(f"{shape}, " for shape in shapes) + "loc, scale"

    def standard(text: str, at: str = "x") -> str:
        density = f"scale * stats.{name}.pdf({at}, {given})"
        return _put(text, z=f"(({at} - loc) / scale)", f=f"({density})")

    def inside(condition: str, text: str) -> str:
        return f"where({condition}, {text}, 0)" if bounded else f"({text})"

    def density(factor: str, support: str) -> dict[str, Partial]:
        slope = inside(support, standard(z))
        return {
            "x": f"{factor}{slope} / scale",
            **{
                shape: factor + inside(support, standard(text))
                for shape, text in shapes.items()
            },
            "loc": f"-{factor}{slope} / scale",
            "scale": f"-{factor}"
            + inside(support, standard(f"z * ({z}) + 1"))
            + " / scale",
        }

    def probability(sign: str, weight: str, shape_weight: str) -> dict[str, Partial]:
        opposite = "" if sign else "-"
        return {
            "x": sign + weight,
            **{
                shape: (
                    f"{sign}{shape_weight}({standard(cdf[shape])})"
                    if shape in cdf
                    else ...
                )
                for shape in shapes
            },
            "loc": opposite + weight,
            "scale": f"{opposite}(x - loc) / scale * {weight}",
        }

    def quantile(sign: str) -> dict[str, Partial]:
        here = f"stats.{name}.pdf(y, {given})"
        return {
            "q": f"{sign}1 / {here}",
            **{
                shape: (
                    f"-({standard(cdf[shape], 'y')}) / {here}" if shape in cdf else ...
                )
                for shape in shapes
            },
            "loc": "1",
            "scale": "(y - loc) / scale",
        }

    here = f"stats.{name}.pdf(x, {given})"
    share = f"exp(stats.{name}.logpdf(x, {given}) - nan_to_num(y))"
    partials(distribution.logpdf, **density("", "isfinite(y)"))
    partials(distribution.pdf, **density("y * ", "y > 0"))
    partials(distribution.cdf, **probability("", here, ""))
    partials(distribution.sf, **probability("-", here, ""))
    partials(distribution.logcdf, **probability("", share, "exp(-y) * "))
    partials(distribution.logsf, **probability("-", share, "exp(-y) * "))
    partials(distribution.ppf, **quantile(""))
    partials(distribution.isf, **quantile("-"))


# ---------------------------------------------------------------- on the whole line

continuous("norm", "-z", bounded=False)
continuous("logistic", "-tanh(z / 2)", bounded=False)
continuous("laplace", "-sign(z)", bounded=False)
continuous("cauchy", "-2 * z / (1 + z**2)", bounded=False)
continuous("hypsecant", "-tanh(z)", bounded=False)
continuous("gumbel_r", "exp(-z) - 1", bounded=False)
continuous("gumbel_l", "1 - exp(z)", bounded=False)
continuous("moyal", "(exp(-z) - 1) / 2", bounded=False)
continuous(
    "t",
    "-(df + 1) * z / (df + z**2)",
    {
        "df": "(special.psi((df + 1) / 2) - special.psi(df / 2) - 1 / df"
        " - log1p(z**2 / df) + (df + 1) * z**2 / (df * (df + z**2))) / 2"
    },
    {"df": IN_DF.format("z", "f")},
    bounded=False,
)
continuous(
    "genlogistic",
    "(c + 1) * special.expit(-z) - 1",
    {"c": "1 / c + special.log_expit(z)"},
    {"c": "exp(c * special.log_expit(z)) * special.log_expit(z)"},
    bounded=False,
)
continuous(
    "gennorm",
    "-beta * sign(z) * abs(z) ** (beta - 1)",
    {
        "beta": "1 / beta + special.psi(1 / beta) / beta**2"
        " - special.xlogy(abs(z) ** beta, abs(z))"
    },
    {
        "beta": "special.xlogy(f * z, abs(z)) / beta"
        " - sign(z) * gamma_moment(1, 1 / beta, abs(z) ** beta) / (2 * beta**2)"
    },
    bounded=False,
)
continuous(
    "skewnorm",
    "a * hazard(a * z) - z",
    {"a": "z * hazard(a * z)"},
    {"a": "-exp(-(z**2) * (1 + a**2) / 2) / (np.pi * (1 + a**2))"},
    bounded=False,
)
continuous(
    "johnsonsu",
    "-z / (z**2 + 1) - b * (a + b * arcsinh(z)) / sqrt(z**2 + 1)",
    {
        "a": "-(a + b * arcsinh(z))",
        "b": "1 / b - (a + b * arcsinh(z)) * arcsinh(z)",
    },
    {"a": "f * sqrt(z**2 + 1) / b", "b": "f * sqrt(z**2 + 1) * arcsinh(z) / b"},
    bounded=False,
)
continuous(
    "vonmises",
    "-kappa * sin(z)",
    {"kappa": "cos(z) - special.i1e(kappa) / special.i0e(kappa)"},
    {"kappa": "von_mises_moment(1, kappa, z)"},
    bounded=False,
)

# ---------------------------------------------------------------- on a half line

continuous("expon", "-1")
continuous("rayleigh", "1 / z - z")
continuous("maxwell", "2 / z - z")
continuous("halfnorm", "-z")
continuous("halfcauchy", "-2 * z / (1 + z**2)")
continuous("halflogistic", "-tanh(z / 2)")
continuous("levy", "(0.5 / z - 1.5) / z")
for _name in ("gamma", "erlang"):
    continuous(
        _name,
        "(a - 1) / z - 1",
        {"a": "log(z) - special.psi(a)"},
        {"a": "gamma_moment(1, a, z)"},
    )
continuous(
    "chi2",
    "(df / 2 - 1) / z - 0.5",
    {"df": "(log(z / 2) - special.psi(df / 2)) / 2"},
    {"df": "gamma_moment(1, df / 2, z / 2) / 2"},
)
continuous(
    "chi",
    "(df - 1) / z - z",
    {"df": "log(z) - (0.6931471805599453 + special.psi(df / 2)) / 2"},
    {"df": "gamma_moment(1, df / 2, z**2 / 2) / 2"},
)
continuous(
    "invgamma",
    "(1 / z - a - 1) / z",
    {"a": "-log(z) - special.psi(a)"},
    {"a": "-gamma_moment(1, a, 1 / z)"},
)
_F = "dfn / 2, dfd / 2, dfn * z / (dfd + dfn * z), dfd / (dfd + dfn * z)"
continuous(
    "f",
    "(dfn / 2 - 1) / z - (dfn + dfd) / 2 * dfn / (dfd + dfn * z)",
    {
        "dfn": "(log(dfn * z / (dfd + dfn * z)) + 1 - (dfn + dfd) * z / (dfd + dfn * z)"
        " - special.psi(dfn / 2) + special.psi((dfn + dfd) / 2)) / 2",
        "dfd": "(log(dfd / (dfd + dfn * z)) + 1 - (dfn + dfd) / (dfd + dfn * z)"
        " - special.psi(dfd / 2) + special.psi((dfn + dfd) / 2)) / 2",
    },
    {
        "dfn": f"beta_moment(1, 0, {_F}) / 2 + f * z / dfn",
        "dfd": f"beta_moment(0, 1, {_F}) / 2 - f * z / dfd",
    },
)
continuous(
    "betaprime",
    "(a - 1) / z - (a + b) / (1 + z)",
    {
        "a": "log(z) - log1p(z) - special.psi(a) + special.psi(a + b)",
        "b": "-log1p(z) - special.psi(b) + special.psi(a + b)",
    },
    {
        "a": "beta_moment(1, 0, a, b, z / (1 + z), 1 / (1 + z))",
        "b": "beta_moment(0, 1, a, b, z / (1 + z), 1 / (1 + z))",
    },
)
continuous(
    "lognorm",
    "-(1 + log(z) / s**2) / z",
    {"s": "(log(z) ** 2 / s**2 - 1) / s"},
    {"s": "-special.xlogy(f * z, z) / s"},
)
continuous(
    "weibull_min",
    "(c - 1 - c * z**c) / z",
    {"c": "1 / c + log(z) * (1 - z**c)"},
    {"c": "special.xlogy(f * z, z) / c"},
)
continuous(
    "weibull_max",
    "(c - 1 - c * (-z) ** c) / z",
    {"c": "1 / c + log(-z) * (1 - (-z) ** c)"},
    {"c": "special.xlogy(f * z, -z) / c"},
)
continuous(
    "fisk",
    "(c - 1 - 2 * c / (1 + z**-c)) / z",
    {"c": "1 / c + log(z) * (1 - 2 / (1 + z**-c))"},
    {"c": "special.xlogy(f * z, z) / c"},
)
continuous(
    "loglaplace",
    "(where(z < 1, c, -c) - 1) / z",
    {"c": "1 / c - abs(log(z))"},
    {"c": "special.xlogy(f * z, z) / c"},
)
continuous(
    "lomax",
    "-(c + 1) / (1 + z)",
    {"c": "1 / c - log1p(z)"},
    {"c": "f * (1 + z) * log1p(z) / c"},
)
continuous(
    "pareto", "-(b + 1) / z", {"b": "1 / b - log(z)"}, {"b": "f * z * log(z) / b"}
)
continuous(
    "gompertz",
    "1 - c * exp(z)",
    {"c": "1 / c - expm1(z)"},
    {"c": "expm1(z) * exp(-c * expm1(z))"},
)
continuous(
    "invgauss",
    "-1.5 / z - (1 / mu**2 - 1 / z**2) / 2",
    {"mu": "(z / mu - 1) / mu**2"},
    {"mu": "-2 / mu**2 * exp(2 / mu + special.log_ndtr(-(z / mu + 1) / sqrt(z)))"},
)
# log1p(u) / u is Gauss's F(1, 1; 2; -u): no division by c, which may be zero.
continuous(
    "genpareto",
    "-(1 + c) / (1 + c * z)",
    {
        "c": "z**2 * special.hyp2f1(2.0, 2.0, 3.0, -c * z) / 2 - z / (1 + c * z)",
    },
    {"c": "-f * (1 + c * z) * z**2 * special.hyp2f1(2.0, 2.0, 3.0, -c * z) / 2"},
)
_T = "exp(-z * special.hyp2f1(1.0, 1.0, 2.0, c * z))"
_H = "z**2 * special.hyp2f1(2.0, 2.0, 3.0, c * z) / 2"
continuous(
    "genextreme",
    f"({_T} - 1 + c) / (1 - c * z)",
    {"c": f"({_T} - 1 + c) * {_H} + z * special.hyp2f1(1.0, 1.0, 2.0, c * z)"},
    {"c": f"f * (1 - c * z) * {_H}"},
)

# ---------------------------------------------------------------- on an interval

continuous("uniform", "0")
continuous("semicircular", "-z / (1 - z**2)")
continuous("arcsine", "(2 * z - 1) / (2 * z * (1 - z))")
continuous("cosine", "-tan(z / 2)")
continuous("anglit", "-2 * tan(2 * z)")
continuous(
    "beta",
    "(a - 1) / z - (b - 1) / (1 - z)",
    {
        "a": "log(z) - special.psi(a) + special.psi(a + b)",
        "b": "log1p(-z) - special.psi(b) + special.psi(a + b)",
    },
    {
        "a": "beta_moment(1, 0, a, b, z, 1 - z)",
        "b": "beta_moment(0, 1, a, b, z, 1 - z)",
    },
)
continuous(
    "powerlaw",
    "(a - 1) / z",
    {"a": "1 / a + log(z)"},
    {"a": "special.xlogy(f * z, z) / a"},
)
for _name in ("loguniform", "reciprocal"):
    continuous(
        _name,
        "-1 / z",
        {"a": "1 / (a * log(b / a))", "b": "-1 / (b * log(b / a))"},
        {
            "a": "-log(b / z) / (a * log(b / a) ** 2)",
            "b": "-log(z / a) / (b * log(b / a) ** 2)",
        },
    )
continuous(
    "truncnorm",
    "-z",
    {"a": "stats.truncnorm.pdf(a, a, b)", "b": "-stats.truncnorm.pdf(b, a, b)"},
    {
        "a": "-stats.truncnorm.pdf(a, a, b) * stats.truncnorm.sf(z, a, b)",
        "b": "-stats.truncnorm.pdf(b, a, b) * stats.truncnorm.cdf(z, a, b)",
    },
)
continuous(
    "wrapcauchy",
    "-2 * c * sin(z) / (1 + c**2 - 2 * c * cos(z))",
    {"c": "-2 * c / (1 - c**2) - 2 * (c - cos(z)) / (1 + c**2 - 2 * c * cos(z))"},
    {"c": "sin(z) / (np.pi * (1 + c**2 - 2 * c * cos(z)))"},
)

# ---------------------------------------------------------------- whole numbers


def discrete(name: str, pmf: dict[str, Partial], cdf: dict[str, str]) -> None:
    """Declare the methods of a discrete distribution.

    Parameters
    ----------
    name
        What the distribution is called in `scipy.stats`.
    pmf
        The derivatives of the logarithm of the probability of `k` in the parameters.
    cdf
        Those of the distribution function, with `f` for the probability of `k`.
    """
    distribution = getattr(stats, name)
    here = f"stats.{name}.pmf(floor(k), {', '.join(pmf)}, loc)"

    def mass(factor: str, support: str) -> dict[str, Partial]:
        found: dict[str, Partial] = {"k": None}
        for shape, text in pmf.items():
            found[shape] = (
                f"{factor}where({support}, {_put(text, k='(k - loc)')}, 0)"
                if isinstance(text, str)
                else text
            )
        return found | {"loc": None}

    def probability(sign: str) -> dict[str, Partial]:
        found: dict[str, Partial] = {"k": None}
        for shape in pmf:
            text = _put(cdf.get(shape, ""), k="(floor(k) - loc)", f=here)
            found[shape] = f"{sign}where((y > 0) & (y < 1), {text}, 0)" if text else ...
        return found | {"loc": None}

    partials(distribution.logpmf, **mass("", "isfinite(y)"))
    partials(distribution.pmf, **mass("y * ", "y > 0"))
    partials(distribution.cdf, **probability(""))
    partials(distribution.sf, **probability("-"))


discrete("poisson", {"mu": "k / mu - 1"}, {"mu": "-f"})
discrete("bernoulli", {"p": "(k - p) / (p * (1 - p))"}, {"p": "-1"})
discrete("geom", {"p": "1 / p - (k - 1) / (1 - p)"}, {"p": "k * f / p"})
discrete(
    "binom",
    {"n": ..., "p": "(k - n * p) / (p * (1 - p))"},
    {"p": "-(n - k) * f / (1 - p)"},
)
discrete(
    "nbinom",
    {
        "n": "special.psi(k + n) - special.psi(n) + log(p)",
        "p": "n / p - k / (1 - p)",
    },
    {"n": "beta_moment(1, 0, n, k + 1, p, 1 - p)", "p": "(n + k) * f / p"},
)


# ---------------------------------------------------------------- several variables

# Their definitions; NumPy's rules differentiate them.


def double(array: Any) -> Any:
    """What SciPy computes with."""
    return array if array.dtype == np.float64 else array.astype(np.float64)


@composed(stats.multivariate_normal.logpdf)
def normal_logpdf(x: Any, mean: Any = None, cov: Any = 1) -> Any:
    if np.ndim(cov) != 2 or np.ndim(x) not in (1, 2):
        raise TypeError(
            "scipy.stats.multivariate_normal: with a matrix `cov`, and one or two axes"
        )
    d = double(x) if mean is None else double(x) - mean
    read = double(hermitian_of(cov))
    z = np.linalg.solve(read, d) if np.ndim(d) == 1 else np.linalg.solve(read, d.T).T
    constant = 1.8378770664093453 * np.shape(cov)[0] + np.linalg.slogdet(read)[1]
    return -(np.sum(d * z, axis=-1) + constant) / 2


@composed(stats.multivariate_normal.pdf)
def normal_pdf(x: Any, mean: Any = None, cov: Any = 1) -> Any:
    return np.exp(normal_logpdf(x, mean, cov))


@composed(stats.multivariate_normal.entropy)
def normal_entropy(mean: Any = None, cov: Any = 1) -> Any:
    log_det = np.linalg.slogdet(hermitian_of(cov))[1]
    return (2.8378770664093453 * np.shape(cov)[0] + log_det) / 2


@composed(stats.dirichlet.logpdf)
def dirichlet_logpdf(x: Any, alpha: Any) -> Any:
    if np.ndim(x) != 1:
        raise TypeError("scipy.stats.dirichlet: of one point at a time")
    norm = special.gammaln(np.sum(alpha)) - np.sum(special.gammaln(alpha))
    return norm + np.sum(special.xlogy(alpha - 1, x))


@composed(stats.dirichlet.pdf)
def dirichlet_pdf(x: Any, alpha: Any) -> Any:
    return np.exp(dirichlet_logpdf(x, alpha))
