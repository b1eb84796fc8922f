"""Splines that the function makes of values `y` with a derivative: `scipy.interpolate`.

Splines through given places are linear in their values: what they give is a matrix of
the splines of the unit vectors, times `y`.  That matrix is what is differentiated in the
places where they are called.  The knots are fixed.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import interpolate

from autograd_compiler.rules.registry import general, refused, stands_in
from autograd_compiler.rules.scipy.interpolate import interpolant_slope
from autograd_compiler.types import Array

# ---------------------------------------------------------------- the matrix


def spline_basis(kind: str, knots: Any, option: Any, x: Any, nu: Any) -> Any:
    """A derivative of the splines of the unit vectors, in some places.

    Examples
    --------
    >>> spline_basis("interp1d", np.array([0.0, 1.0, 3.0]), "linear", np.array([0.5]), 0)
    array([[0.5, 0.5, 0. ]])
    """
    if kind == "BSpline":
        one = np.eye(len(knots) - option - 1)
        return interpolate.BSpline(knots, one, option)(x, nu)
    one = np.eye(len(knots))
    if kind == "CubicSpline":
        return interpolate.CubicSpline(knots, one, 0, option)(x, nu)
    if kind == "make_interp_spline":
        return interpolate.make_interp_spline(knots, one, option)(x, nu)
    spline = interpolate.interp1d(knots, one, option, axis=0)
    return spline(x) if nu == 0 else interpolant_slope(spline, x, nu)


def form_of_basis(kind: str, knots: Any, option: Any, x: Any, nu: Any) -> Any:
    count = np.size(knots) - (option + 1 if kind == "BSpline" else 0)
    return np.zeros((*np.shape(x), count))


def basis_tangent(kind: Any, knots: Any, option: Any, x: Any, nu: Any, d_x: Any) -> Any:
    return spline_basis(kind, knots, option, x, nu + 1) * np.expand_dims(d_x, -1)


@general(spline_basis, wrt="x", tangent=basis_tangent, result=form_of_basis)
def basis_adjoint(d_y: Any, kind: Any, knots: Any, option: Any, x: Any, nu: Any) -> Any:
    return np.sum(d_y * spline_basis(kind, knots, option, x, nu + 1), axis=-1)


# ---------------------------------------------------------------- the splines


def of_values(x: Any, y: Any = None, *others: Any) -> bool:
    return isinstance(y, Array) and y.dtype.startswith("float")


@stands_in((), of_values)
class Spline:
    """A spline through values `y`, one for each knot, or for each unit spline."""

    def __init__(self, kind: str, knots: Any, option: Any, y: Any) -> None:
        self.kind = kind
        self.knots = knots
        self.option = option
        self.y = y

    def __call__(self, x: Any, nu: Any = 0) -> Any:
        basis = spline_basis(self.kind, self.knots, self.option, x, nu)
        return np.tensordot(basis, self.y, 1)


def first_axis(axis: Any, y: Any) -> None:
    if axis % np.ndim(y) != 0:
        raise TypeError("scipy.interpolate: of values along the first axis only")


@stands_in(interpolate.CubicSpline, of_values)
def cubic_spline(x: Any, y: Any, axis: Any = 0, bc_type: Any = "not-a-knot") -> Any:
    first_axis(axis, y)
    if bc_type not in ("not-a-knot", "natural", "clamped"):
        raise TypeError(
            "scipy.interpolate.CubicSpline: of values with a derivative: bc_type "
            "'not-a-knot', 'natural' or 'clamped'"
        )
    return Spline("CubicSpline", x, bc_type, y)


@stands_in(interpolate.make_interp_spline, of_values)
def interp_spline(x: Any, y: Any, k: Any = 3) -> Any:
    return Spline("make_interp_spline", x, k, y)


@stands_in(interpolate.BSpline, of_values)
def b_spline(t: Any, c: Any, k: Any) -> Any:
    return Spline("BSpline", t, k, c)


@stands_in(interpolate.interp1d, of_values)
def interp1d(x: Any, y: Any, kind: Any = "linear", axis: Any = -1) -> Any:
    first_axis(axis, y)
    return Spline("interp1d", x, kind, y)


# ---------------------------------------------------------------- monotone splines


@stands_in(interpolate.PchipInterpolator, of_values)
class Pchip:
    """The cubic Hermite spline whose slopes are means of neighbours (Fritsch, Butland)."""

    def __init__(self, x: Any, y: Any) -> None:
        if np.ndim(y) != 1:
            raise TypeError(
                "scipy.interpolate.PchipInterpolator: of one vector of values"
            )
        self.x = x
        self.y = y
        h = x[1:] - x[:-1]
        self.slopes = pchip_slopes(h, (y[1:] - y[:-1]) / h)

    def __call__(self, x: Any) -> Any:
        last = np.size(self.x) - 2
        k = np.clip(np.searchsorted(self.x, x, side="right") - 1, 0, last)
        h = self.x[k + 1] - self.x[k]
        t = (x - self.x[k]) / h
        rise = t**2 * (3 - 2 * t)
        ends = (1 - rise) * self.y[k] + rise * self.y[k + 1]
        turned = (1 - t) * self.slopes[k] - t * self.slopes[k + 1]
        return ends + h * t * (1 - t) * turned


def pchip_slopes(h: Any, m: Any) -> Any:
    """The slopes in the knots, by the widths and the slopes of the intervals."""
    if np.size(m) < 2:
        return np.concatenate((m, m))
    same = m[1:] * m[:-1] > 0
    before, after = np.where(same, m[:-1], 1), np.where(same, m[1:], 1)
    left, right = 2 * h[1:] + h[:-1], h[1:] + 2 * h[:-1]
    means = np.where(same, (left + right) / (left / before + right / after), 0)
    first, last = end_slope(h[0], h[1], m[0], m[1]), end_slope(
        h[-1], h[-2], m[-1], m[-2]
    )
    return np.concatenate((np.array([first]), means, np.array([last])))


def end_slope(h: Any, h_next: Any, m: Any, m_next: Any) -> Any:
    """The slope of the parabola through three points, as far as it keeps the shape."""
    slope = ((2 * h + h_next) * m - h * m_next) / (h + h_next)
    steep = (m * m_next <= 0) & (np.abs(slope) > 3 * np.abs(m))
    return np.where(slope * m <= 0, 0, np.where(steep, 3 * m, slope))


refused(
    interpolate.Akima1DInterpolator,
    "its slopes have no rule; write scipy.interpolate.PchipInterpolator",
)
