"""Calls of SciPy's Fourier transforms."""

from __future__ import annotations

from scipy import fft

from samples import Sample, spread

signal = spread(2, 6)
waves = spread(2, 4) + 1j * spread(2, 4, seed=3)


def each(names, *args, **kwargs):
    return [Sample(getattr(fft, name), args, kwargs) for name in names.split()]


SAMPLES = [
    *each("fft ifft", waves),
    *each("fft", signal, 4, axis=0, norm="ortho"),
    *each("rfft ihfft", signal),
    *each("irfft hfft", waves),
    *each("fft2 ifftn irfft2 irfftn", waves),
    *each("ifft2 fftn rfft2 rfftn", signal),
    *each("fftshift ifftshift", signal),
    *each("fftshift", signal, axes=1),
    *each("dct idct dst idst", signal),
    *each("dct idct dst idst", signal, 1, norm="forward"),
    *each("dct idct dst idst", signal, 2, axis=0, norm="ortho"),
    *each("dct idct dst idst", signal, 3),
    *each("dct idct dst idst", signal, 4, norm="forward"),
    *each("dctn idctn dstn idstn", signal),
    *each("dctn idstn", signal, 3, axes=0, norm="ortho"),
]
