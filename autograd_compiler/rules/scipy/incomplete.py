"""The incomplete gamma and beta functions, and the distributions that are made of them.

In the argument the derivative is a density; in a parameter it is a moment of
`parameters.py`; and that of an inverse function is the one by the other.
"""

from __future__ import annotations

from typing import Any

from scipy import special

from autograd_compiler.rules.registry import composed, partials_with
from autograd_compiler.rules.scipy.parameters import beta_moment, gamma_moment
from autograd_compiler.rules.scipy.special import existing

partials = partials_with(
    {"special": special, "gamma_moment": gamma_moment, "beta_moment": beta_moment}
)

# ---------------------------------------------------------------- the gamma distribution

_GAMMA = "exp(special.xlogy(a - 1, {0}) - {0} - special.gammaln(a))"
_BY_GAMMA = "exp(special.gammaln(a) + y - special.xlogy(a - 1, y))"
partials(special.gammainc, a="gamma_moment(1, a, x)", x=_GAMMA.format("x"))
partials(special.gammaincc, a="-gamma_moment(1, a, x)", x="-" + _GAMMA.format("x"))
partials(special.gammaincinv, a=f"-gamma_moment(1, a, y) * {_BY_GAMMA}", p=_BY_GAMMA)
partials(
    special.gammainccinv, a=f"-gamma_moment(1, a, y) * {_BY_GAMMA}", p="-" + _BY_GAMMA
)

_CHI2 = "exp(special.xlogy(v / 2 - 1, {0} / 2) - {0} / 2 - special.gammaln(v / 2)) / 2"
_IN_V = "gamma_moment(1, v / 2, {0} / 2) / 2"
partials(special.chdtr, v=_IN_V.format("x"), x=_CHI2.format("x"))
partials(special.chdtrc, v="-" + _IN_V.format("x"), x="-" + _CHI2.format("x"))
partials(
    special.chdtri,
    v=f"-{_IN_V.format('y')} / ({_CHI2.format('y')})",
    p=f"-1 / ({_CHI2.format('y')})",
)

# The sums of whole numbers of terms of Poisson's distribution.
_POISSON = "exp(special.xlogy(floor(k), m) - m - special.gammaln(floor(k) + 1))"
partials(special.pdtr, k=None, m="-" + _POISSON)
partials(special.pdtrc, k=None, m=_POISSON)

# ---------------------------------------------------------------- the beta distribution

_BETA = "exp(special.xlogy(a - 1, {0}) + special.xlog1py(b - 1, -{0}) - special.betaln(a, b))"
_IN_A, _IN_B = (
    f"beta_moment({powers}, a, b, {{0}}, 1 - {{0}})" for powers in ("1, 0", "0, 1")
)


def _at(text: str, place: str) -> str:
    return text.format(place)


partials(special.betainc, a=_at(_IN_A, "x"), b=_at(_IN_B, "x"), x=_at(_BETA, "x"))
partials(
    existing("betaincc"),
    a="-" + _at(_IN_A, "x"),
    b="-" + _at(_IN_B, "x"),
    x="-" + _at(_BETA, "x"),
)
for _sign, _inverse in (("", special.betaincinv), ("-", existing("betainccinv"))):
    partials(
        _inverse,
        a=f"-{_at(_IN_A, 'y')} / {_at(_BETA, 'y')}",
        b=f"-{_at(_IN_B, 'y')} / {_at(_BETA, 'y')}",
        p=f"{_sign}1 / {_at(_BETA, 'y')}",
    )

# Student's distribution; its function is that of beta at df / (df + t**2) (DLMF 8.17).
_T = "exp(-(df + 1) / 2 * log1p({0}**2 / df) - special.betaln(df / 2, 0.5)) / sqrt(df)"
IN_DF = (
    "(-sign({0}) / 4"
    " * beta_moment(1, 0, df / 2, 0.5, df / (df + {0}**2), {0}**2 / (df + {0}**2))"
    " - {0} * {1} / (2 * df))"
)
partials(special.stdtr, df=IN_DF.format("t", _at(_T, "t")), t=_at(_T, "t"))
partials(
    special.stdtrit,
    df=f"-{IN_DF.format('y', _at(_T, 'y'))} / ({_at(_T, 'y')})",
    p=f"1 / ({_at(_T, 'y')})",
)

# ---------------------------------------------------------------- others by these


@composed(special.gdtr)
def gdtr(a: Any, b: Any, x: Any) -> Any:
    return special.gammainc(b, a * x)


@composed(special.gdtrc)
def gdtrc(a: Any, b: Any, x: Any) -> Any:
    return special.gammaincc(b, a * x)


@composed(special.fdtr)
def fdtr(dfn: Any, dfd: Any, x: Any) -> Any:
    return special.betainc(dfn / 2, dfd / 2, dfn * x / (dfd + dfn * x))


@composed(special.fdtrc)
def fdtrc(dfn: Any, dfd: Any, x: Any) -> Any:
    return special.betainc(dfd / 2, dfn / 2, dfd / (dfd + dfn * x))
