"""Calls of SciPy's filters of images."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from autograd_compiler.rules.scipy import ndimage as rules
from samples import Sample, spread

image, weights = spread(4, 5), spread(3, 2, seed=2)


places = np.stack(
    [spread(6, low=-1.5, high=4.5), spread(6, low=-2.0, high=5.5, seed=1)]
)


def each(names, *args, wrt=(0,), **kwargs):
    # The test of second derivatives takes captured arrays, as weights, as arguments.
    smooth = wrt != (0,) or not any(isinstance(arg, np.ndarray) for arg in args)
    return [
        Sample(getattr(ndimage, name), (image, *args), kwargs, wrt=wrt, smooth=smooth)
        for name in names.split()
    ]


SAMPLES = [
    *each("gaussian_filter", 0.8),
    *each("gaussian_filter", (0.8, 0.3), mode="wrap"),
    *each("gaussian_filter", 0.8, mode="constant", cval=2.0),
    *each("gaussian_filter", 0.8, (1, 2), mode="nearest"),
    *each("gaussian_filter", 0.4, mode=("mirror", "wrap")),
    *each("gaussian_filter1d", 0.8, axis=0, order=1, wrt=(0, 1)),
    *each("uniform_filter"),
    *each("uniform_filter", (3, 5), mode="constant"),
    *each("uniform_filter", (2, 3), mode="nearest", origin=(0, 1)),
    *each("uniform_filter1d", 4, mode="mirror"),
    *each("convolve correlate", weights, wrt=(0, 1)),
    *each("convolve correlate", weights, mode="constant", cval=0.5, wrt=(0, 1)),
    *each("convolve correlate", weights, mode="nearest", origin=(1, -1), wrt=(0, 1)),
    *each("convolve correlate", weights[:, :1], mode="wrap"),
    *each("convolve1d correlate1d", spread(3), 0, wrt=(0, 1)),
    *each("convolve1d correlate1d", spread(4), mode="mirror", wrt=(0, 1)),
    *each("sobel prewitt laplace"),
    *each("sobel prewitt", 0, mode="nearest"),
    *each("laplace", mode=("wrap", "mirror")),
    *each("map_coordinates", places, order=1, wrt=(0, 1)),
    *(
        sample
        for mode in ("nearest", "mirror", "reflect", "grid-wrap", "grid-constant")
        for sample in each(
            "map_coordinates", places, order=1, mode=mode, cval=0.3, wrt=(0, 1)
        )
    ),
    *each("map_coordinates", places, order=0, mode="nearest"),
    # what the filters are made of
    Sample(rules.spread_out, (image, weights, "nearest", 0)),
    Sample(rules.taps, (image, 0.5 * image, (3, 2), "reflect", 0.0, 0), wrt=(0, 1)),
]
