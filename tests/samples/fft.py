"""Samples of Fourier transforms: real and complex, even and odd, padded and cut."""

from __future__ import annotations

from typing import Any

import numpy as np

from samples import Sample, spread

EVEN = spread(6)
ODD = spread(5, seed=2)
MATRIX = spread(4, 3, seed=1)
CUBE = spread(2, 3, 4, seed=3)


def complex_of(array: Any) -> Any:
    return array + 1j * np.cos(3.0 * array)


def one_axis(function: Any, numbers: Any) -> list[Sample]:
    """Sizes even and odd, padded and cut, along each axis, in each normalisation."""
    return [
        Sample(function, (numbers(EVEN),)),
        Sample(function, (numbers(ODD),)),
        Sample(function, (numbers(ODD), 8)),
        Sample(function, (numbers(EVEN), 3)),
        Sample(function, (numbers(MATRIX),), {"axis": 0, "norm": "ortho"}),
        Sample(function, (numbers(MATRIX),), {"norm": "forward"}),
        Sample(function, (numbers(CUBE), 4, 1, "backward")),
    ]


def several_axes(function: Any, numbers: Any) -> list[Sample]:
    return [
        Sample(function, (numbers(MATRIX),)),
        Sample(function, (numbers(MATRIX),), {"norm": "ortho"}),
        Sample(function, (numbers(CUBE),), {"axes": (0, 2)}),
        Sample(function, (numbers(CUBE), (5, 2), (-1, 1), "forward")),
        Sample(function, (numbers(CUBE),), {"axes": (1,)}),
    ]


SAMPLES: list[Sample] = [
    *one_axis(np.fft.fft, complex_of),
    *one_axis(np.fft.ifft, complex_of),
    Sample(np.fft.fft, (EVEN,)),
    Sample(np.fft.ifft, (ODD,)),
    *one_axis(np.fft.rfft, np.array),
    *one_axis(np.fft.ihfft, np.array),
    *one_axis(np.fft.irfft, complex_of),
    *one_axis(np.fft.hfft, complex_of),
    Sample(np.fft.irfft, (EVEN,)),
    *[
        sample
        for function in (np.fft.fft2, np.fft.ifft2, np.fft.fftn, np.fft.ifftn)
        for sample in several_axes(function, complex_of)
    ],
    *[
        sample
        for function in (np.fft.rfft2, np.fft.rfftn)
        for sample in several_axes(function, np.array)
    ],
    *[
        sample
        for function in (np.fft.irfft2, np.fft.irfftn)
        for sample in several_axes(function, complex_of)
    ],
    Sample(np.fft.fftn, (complex_of(CUBE),)),
    *[
        sample
        for function in (np.fft.fftshift, np.fft.ifftshift)
        for sample in (
            Sample(function, (ODD,)),
            Sample(function, (CUBE,), {"axes": (0, 1)}),
            Sample(function, (MATRIX, -1)),
        )
    ],
    Sample(np.fft.fftfreq, (5, 0.3)),
    Sample(np.fft.rfftfreq, (6,), {"d": 0.3}, wrt=()),
    Sample(np.fft.rfftfreq, (6, 0.3)),
]
