"""Calls of SciPy's convolutions and filters."""

from __future__ import annotations

import numpy as np
from scipy import signal

from samples import Sample, spread

long, short, even = spread(7), spread(3, seed=2), spread(4, seed=2)
image, stencil = spread(4, 5), spread(3, 2, seed=2)
waves = spread(5) + 1j * spread(5, seed=3)


def each(names, *args, single=True, wrt=None, **kwargs):
    return [
        Sample(getattr(signal, name), args, kwargs, wrt=wrt, single=single)
        for name in names.split()
    ]


SAMPLES = [
    *each("convolve fftconvolve oaconvolve correlate", long, short),
    *each("convolve fftconvolve correlate", long, even, "same"),
    *each("convolve correlate", long, short, "same"),
    *each("convolve correlate", long, short, mode="valid"),
    *each("convolve correlate", short, long, mode="valid"),
    *each("convolve", waves, short),
    *each("convolve correlate", image, stencil, mode="same"),
    *each("convolve2d correlate2d", image, stencil),
    *each("convolve2d correlate2d", image, stencil, mode="valid"),
    *each("convolve2d correlate2d", image, stencil, mode="same"),
    Sample(
        signal.lfilter, (spread(3) + 1.5, spread(2, seed=1) + 1.6, long), single=False
    ),
    Sample(
        signal.lfilter,
        (spread(2) + 1.5, spread(3, seed=1) + 1.6, image, 0),
        single=False,
    ),
    *each("detrend", long),
    *each("detrend", image, 0, "constant"),
    *each("detrend", long, bp=3),
    Sample(
        signal.sosfilt,
        (
            np.array([[1.0, 0.4, 0.3, 1.0, 0.2, 0.1], [0.7, 0.1, 0.2, 1.0, -0.3, 0.2]]),
            long,
        ),
        wrt=(1,),
        single=False,
    ),
    *each("hilbert", long, single=False),
    *each("hilbert", image, single=False),
    *each("stft", spread(20), nperseg=8, wrt=(0,), single=False),
    *each(
        "stft",
        spread(2, 19),
        2.0,
        "boxcar",
        6,
        4,
        8,
        wrt=(0,),
        single=False,
        scaling="psd",
        boundary=None,
    ),
]
