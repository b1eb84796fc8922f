"""Interpolation: calls of the splines of `scipy.interpolate`, in the place `x`.

The class of a spline says how it is called; the operator is its `__call__`, of which
the spline is the first argument.  Splines that the function makes are in `splines.py`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import interpolate

from autograd_compiler.rules.registry import general
from autograd_compiler.rules.static import axes_range


def in_places(slope: Any, x: Any) -> Any:
    """The derivatives in the places, with axes for each value of a spline of vectors."""
    if np.ndim(slope) == np.ndim(x):
        return slope
    return np.sum(slope, axes_range(np.ndim(x), np.ndim(slope)))


def of_places(d_x: Any, slope: Any) -> Any:
    """The tangents of the places, to be multiplied with each value."""
    if np.ndim(slope) == np.ndim(d_x):
        return d_x
    return np.expand_dims(d_x, axes_range(np.ndim(d_x), np.ndim(slope)))


def piecewise_tangent(self: Any, x: Any, nu: Any, extrapolate: Any, d_x: Any) -> Any:
    slope = interpolate.PPoly.__call__(self, x, nu + 1, extrapolate=extrapolate)
    return slope * of_places(d_x, slope)


# Of `CubicSpline`, `PchipInterpolator` and `Akima1DInterpolator`, too.
@general(interpolate.PPoly.__call__, wrt="x", tangent=piecewise_tangent)
def piecewise_adjoint(
    d_y: Any, self: Any, x: Any, nu: Any = 0, extrapolate: Any = None
) -> Any:
    slope = interpolate.PPoly.__call__(self, x, nu + 1, extrapolate=extrapolate)
    return in_places(d_y * slope, x)


def b_spline_tangent(self: Any, x: Any, nu: Any, extrapolate: Any, d_x: Any) -> Any:
    slope = interpolate.BSpline.__call__(self, x, nu + 1, extrapolate=extrapolate)
    return slope * of_places(d_x, slope)


@general(interpolate.BSpline.__call__, wrt="x", tangent=b_spline_tangent)
def b_spline_adjoint(
    d_y: Any, self: Any, x: Any, nu: Any = 0, extrapolate: Any = None
) -> Any:
    slope = interpolate.BSpline.__call__(self, x, nu + 1, extrapolate=extrapolate)
    return in_places(d_y * slope, x)


def univariate_tangent(self: Any, x: Any, nu: Any, ext: Any, d_x: Any) -> Any:
    return interpolate.UnivariateSpline.__call__(self, x, nu + 1, ext=ext) * d_x


@general(interpolate.UnivariateSpline.__call__, wrt="x", tangent=univariate_tangent)
def univariate_adjoint(
    d_y: Any, self: Any, x: Any, nu: Any = 0, ext: Any = None
) -> Any:
    return d_y * interpolate.UnivariateSpline.__call__(self, x, nu + 1, ext=ext)


def interpolant_slope(self: Any, x: Any, nu: Any) -> Any:
    """A derivative of an interpolant that has no knots of its own to tell.

    Examples
    --------
    >>> f = interpolate.interp1d([0.0, 1.0, 3.0], [0.0, 2.0, 3.0])
    >>> interpolant_slope(f, np.array([0.5, 2.0]), 1)
    array([2. , 0.5])
    """
    if not isinstance(self, interpolate.interp1d):
        return self.derivative(x, nu)
    degree = self._spline.k if self._kind == "spline" else int(self._kind == "linear")
    if degree == 0:  # steps
        return np.zeros_like(self(x))
    spline = interpolate.make_interp_spline(self.x, self.y, degree, axis=self.axis)
    if self._extrapolate:
        return spline(x, nu)
    inside = (np.asarray(x) >= self.x[0]) & (np.asarray(x) <= self.x[-1])
    found = spline(x, nu)
    if np.ndim(found) > np.ndim(x):  # of vectors
        inside = np.expand_dims(inside, tuple(range(np.ndim(x), np.ndim(found))))
    return np.where(inside, found, 0.0)


def interpolant_tangent(self: Any, x: Any, d_x: Any) -> Any:
    slope = interpolant_slope(self, x, 1)
    return slope * of_places(d_x, slope)


@general(interpolate.interp1d.__call__, wrt="x", tangent=interpolant_tangent)
def interpolant_adjoint(d_y: Any, self: Any, x: Any) -> Any:
    return in_places(d_y * interpolant_slope(self, x, 1), x)


def interpolant_slope_tangent(self: Any, x: Any, nu: Any, d_x: Any) -> Any:
    slope = interpolant_slope(self, x, nu + 1)
    return slope * of_places(d_x, slope)


@general(interpolant_slope, wrt="x", tangent=interpolant_slope_tangent)
def interpolant_slope_adjoint(d_y: Any, self: Any, x: Any, nu: Any) -> Any:
    return in_places(d_y * interpolant_slope(self, x, nu + 1), x)
