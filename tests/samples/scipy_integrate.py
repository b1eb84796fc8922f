"""Calls of SciPy's integrals of samples."""

from __future__ import annotations

import numpy as np
from scipy import integrate

from samples import Sample, spread

places = np.cumsum(spread(6, low=0.2, high=1.0))
grids = np.cumsum(spread(2, 5, low=0.2, high=1.0), axis=1)


def each(functions, *args, **kwargs):
    return [Sample(f, args, kwargs) for f in functions]


every = (integrate.trapezoid, integrate.simpson, integrate.cumulative_trapezoid)

SAMPLES = [
    *each(every, spread(6)),
    *each(every, spread(5), places[:5]),
    *each(every, spread(2, 6), places),
    *each(every, spread(2, 5), grids),
    *each(every, spread(3, 2), dx=0.3, axis=0),
    Sample(integrate.simpson, (spread(2),)),
    Sample(integrate.cumulative_trapezoid, (spread(2, 4),), {"initial": 0}),
    Sample(integrate.cumulative_trapezoid, (spread(4), 1.0 * places[:4], 1.0, -1, 0)),
]
