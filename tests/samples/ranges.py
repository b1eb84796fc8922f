"""Samples of ranges of numbers, and of interpolation on them."""

from __future__ import annotations

import numpy as np

from samples import Sample, spread

GRID = np.array([0.0, 0.5, 1.5, 2.0])
POINTS = np.array([-0.5, 0.2, 0.7, 1.1, 1.9, 2.6])

SAMPLES: list[Sample] = [
    Sample(np.linspace, (0.3, 1.7), {"num": 4, "retstep": True}),
    Sample(np.linspace, (spread(3), 1.7, 4)),
    Sample(np.linspace, (spread(3), spread(2, 1, seed=2), 4), {"endpoint": False}),
    Sample(np.linspace, (spread(3), spread(3, seed=2), 4), {"axis": -1}),
    Sample(np.logspace, (0.3, 1.7, 4)),
    Sample(np.logspace, (0.3, 1.7, 4, False, 2.5)),
    Sample(np.logspace, (spread(3), 1.7), {"num": 4, "axis": 1}),
    Sample(np.geomspace, (0.3, 1.7, 4)),
    Sample(np.geomspace, (0.3, 1.7, 4, False)),
    Sample(np.geomspace, (spread(3, low=0.2, high=2.0), 1.7), {"num": 4, "axis": -1}),
    Sample(np.geomspace, (0.3 + 0.2j, 1.0 - 0.4j, 4)),
    Sample(np.interp, (POINTS, GRID, spread(4)), {"left": 0.3, "right": 0.7}),
    Sample(np.interp, (POINTS, GRID, spread(4)), {"right": 0.7}),
    Sample(np.interp, (POINTS, GRID, spread(4)), {"period": 2.3}),
    Sample(np.kaiser, (5, 2.3), wrt=(1,)),
    Sample(np.kaiser, (1, 2.3), wrt=(1,)),
]
