"""Interpolation: calls of the splines of `scipy.interpolate`, in the place `x`.

The class of a spline says how it is called; the operator is its `__call__`, of which
the spline is the first argument.
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
