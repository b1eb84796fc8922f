"""Functions of `scipy.interpolate` that are known and not differentiated."""

from __future__ import annotations

import scipy.interpolate

from autograd_compiler.rules.registry import refused
from autograd_compiler.rules.static import those_of

refused(
    those_of(scipy.interpolate, "insert test"),
    "it is not about numbers that have a derivative here",
)
refused(
    those_of(scipy.interpolate, "griddata interpn"),
    "write scipy.ndimage.map_coordinates with order=1",
)
refused(
    those_of(
        scipy.interpolate,
        "approximate_taylor_polynomial barycentric_interpolate "
        "bisplev bisplrep generate_knots krogh_interpolate "
        "lagrange make_interp_spline make_lsq_spline "
        "make_smoothing_spline make_splprep make_splrep pade "
        "pchip_interpolate spalde splantider splder splev "
        "splint splprep splrep sproot",
    ),
    "write scipy.interpolate.CubicSpline, make_interp_spline or BSpline",
)
