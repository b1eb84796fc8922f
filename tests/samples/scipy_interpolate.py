"""Calls of SciPy's splines, as their classes' `__call__`."""

from __future__ import annotations

import numpy as np
from scipy import interpolate

from autograd_compiler.rules.scipy.interpolate import interpolant_slope as slope
from autograd_compiler.rules.scipy.splines import spline_basis
from samples import Sample, spread

knots = np.linspace(0.0, 3.0, 8)
places = spread(2, 3, low=0.2, high=2.8)
cubic = interpolate.CubicSpline(knots, np.sin(knots))
vectors = interpolate.CubicSpline(knots, np.stack([np.sin(knots), knots**2], axis=1))
b_spline = interpolate.make_interp_spline(knots, np.cos(knots))
linear = interpolate.interp1d(knots, np.sin(knots))
univariate = interpolate.UnivariateSpline(knots, np.sin(knots))

# The derivatives jump at the knots, which are close to none of the places.
SAMPLES = [
    Sample(interpolate.PPoly.__call__, (cubic, places), wrt=(1,), name="cubic"),
    Sample(interpolate.PPoly.__call__, (cubic, places, 1), wrt=(1,), name="slope"),
    Sample(interpolate.PPoly.__call__, (vectors, places), wrt=(1,), name="vectors"),
    Sample(interpolate.BSpline.__call__, (b_spline, places), wrt=(1,), name="b-spline"),
    Sample(
        interpolate.UnivariateSpline.__call__,
        (univariate, places),
        wrt=(1,),
        name="univariate",
    ),
    Sample(interpolate.interp1d.__call__, (linear, places), wrt=(1,), name="interp1d"),
    Sample(slope, (linear, places, 1), wrt=(1,), name="slope of interp1d"),
    Sample(
        spline_basis,
        ("CubicSpline", knots, "natural", places, 0),
        wrt=(3,),
        smooth=False,
    ),
]
