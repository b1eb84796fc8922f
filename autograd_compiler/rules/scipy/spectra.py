"""Spectra of signals in time, and filters in sections: `scipy.signal`, by definitions."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import signal

from autograd_compiler.rules.registry import composed


@composed(signal.sosfilt)
def sosfilt(sos: Any, x: Any, axis: Any = -1) -> Any:
    y = x
    for k in range(np.shape(sos)[0]):
        y = signal.lfilter(sos[k, :3], sos[k, 3:], y, axis)
    return y


@composed(signal.hilbert)
def hilbert(x: Any, N: Any = None, axis: Any = -1) -> Any:
    if axis != -1:
        raise TypeError("scipy.signal.hilbert: along the last axis only")
    count = np.shape(x)[-1] if N is None else N
    k = np.arange(count)
    # The positive frequencies twice, the negative ones not at all.
    once = (k == 0) | (2 * k == count)
    weights = np.where(once, 1.0, np.where(2 * k < count, 2.0, 0.0))
    return np.fft.ifft(np.fft.fft(x, N) * weights)


@composed(signal.stft)
def stft(
    x: Any,
    fs: Any = 1.0,
    window: Any = "hann",
    nperseg: Any = 256,
    noverlap: Any = None,
    nfft: Any = None,
    detrend: Any = False,
    return_onesided: Any = True,
    boundary: Any = "zeros",
    padded: Any = True,
    axis: Any = -1,
    scaling: Any = "spectrum",
) -> Any:
    if detrend or not return_onesided or axis != -1 or boundary not in ("zeros", None):
        raise TypeError(
            "scipy.signal.stft: one-sided, along the last axis, with boundary='zeros' "
            "or None, and without detrend"
        )
    size = np.minimum(nperseg, np.shape(x)[-1])
    step = size - (size // 2 if noverlap is None else noverlap)
    weights = window
    if isinstance(window, (str, tuple)):
        weights = signal.get_window(window, size)
    rows, begin = x, 0.5 * size
    if boundary == "zeros":
        rows, begin = with_zeros(rows, size // 2, size // 2), 0.0
    if padded:
        rows = with_zeros(rows, 0, (-(np.shape(rows)[-1] - size) % step) % size)
    starts = np.arange(0, np.shape(rows)[-1] - size + 1, step)
    frames = rows[..., np.expand_dims(starts, 1) + np.arange(size)] * weights
    if scaling == "psd":
        scale = 1 / np.sqrt(fs * np.sum(weights**2))
    else:
        scale = 1 / np.abs(np.sum(weights))
    spectra = np.fft.rfft(frames, size if nfft is None else nfft) * scale
    frequencies = np.fft.rfftfreq(size if nfft is None else nfft, 1 / fs)
    return frequencies, (starts + begin) / fs, np.swapaxes(spectra, -1, -2)


def with_zeros(x: Any, before: Any, after: Any) -> Any:
    """An array with zeros around its last axis."""
    zeros = np.zeros_like(x[..., :1])
    left, right = np.repeat(zeros, before, -1), np.repeat(zeros, after, -1)
    return np.concatenate((left, x, right), -1)
