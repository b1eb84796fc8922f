"""Calls of SciPy's filters of images."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from samples import Sample, spread

image, weights = spread(4, 5), spread(3, 2, seed=2)


def each(names, *args, **kwargs):
    # The test of second derivatives takes captured arrays, as weights, as arguments.
    smooth = not any(isinstance(arg, np.ndarray) for arg in args)
    return [
        Sample(getattr(ndimage, name), (image, *args), kwargs, wrt=(0,), smooth=smooth)
        for name in names.split()
    ]


SAMPLES = [
    *each("gaussian_filter", 0.8),
    *each("gaussian_filter", (0.8, 0.3), mode="wrap"),
    *each("gaussian_filter", 0.8, mode="constant", cval=2.0),
    *each("uniform_filter"),
    *each("uniform_filter", (3, 5), mode="constant"),
    *each("convolve correlate", weights, mode="constant"),
    *each("convolve correlate", weights[:, :1], mode="wrap"),
]
