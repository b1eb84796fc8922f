"""Samples of arrays made from nothing but the numbers that fill them."""

from __future__ import annotations

import numpy as np

from samples import Sample, spread

SAMPLES: list[Sample] = [
    Sample(np.full, (3, 0.7)),
    Sample(np.full, ((2, 3), 0.7)),
    Sample(np.full, ((2, 3), spread(3))),
    Sample(np.full, ((2, 3), spread(2, 1))),
    Sample(np.full_like, (spread(2, 3), 0.7)),
    Sample(np.full_like, (spread(2, 3), spread(3))),
    Sample(np.full, (3, 0.7), {"order": "F"}),
    Sample(np.full_like, (spread(3), 0.7), {"shape": (2, 2)}),
    Sample(np.linspace, (0.3, 1.7)),
    Sample(np.linspace, (0.3, 1.7, 5)),
    Sample(np.linspace, (0.3, 1.7, 5), {"endpoint": False}),
    Sample(np.arange, (0.35, 2.0)),
    Sample(np.arange, (0.35, 2.0, 0.4)),
    Sample(np.arange, (1.7,)),
]
