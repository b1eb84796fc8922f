"""Discrete Fourier transforms.

The matrix of `fft` is symmetric, and so is that of `ifft`: each is its own adjoint (no
rule of a holomorphic operator conjugates).  `norm` scales an operator and its adjoint
alike.  The real transforms hold one half of a spectrum whose other half is its mirror
image: what is left out counts in the adjoint, as a factor 2.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd_compiler.rules.joining import part
from autograd_compiler.rules.registry import general, linear
from autograd_compiler.rules.static import as_tuple, axes_range, static


def fitted(d_x: Any, a: Any, axis: Any) -> Any:
    """What a transform with `n=` has cut off an axis is zero, its padding is dropped."""
    size = np.shape(a)[axis]
    kept = part(d_x, 0, size, axis)
    missing = np.maximum(size - np.shape(d_x)[axis], 0)
    return np.pad(kept, padding_after(missing, axis, np.ndim(a)))


def padding_after(count: Any, axis: Any, ndim: Any) -> Any:
    """The widths for `np.pad`."""
    return tuple([(0, count if is_axis(k, axis, ndim) else 0) for k in range(ndim)])


@static
def is_axis(k: int, axis: int, ndim: int) -> bool:
    return k == axis % ndim


def fitted_to_all(d_x: Any, a: Any, axes: Any) -> Any:
    for axis in axes:
        d_x = fitted(d_x, a, axis)
    return d_x


# ---------------------------------------------------------------- one axis


@linear(np.fft.fft, wrt="a")
def fft_adjoint(
    d_y: Any, a: Any, n: Any = None, axis: Any = -1, norm: Any = None
) -> Any:
    d_x = np.fft.fft(d_y, axis=axis, norm=norm)
    return d_x if n is None else fitted(d_x, a, axis)


@linear(np.fft.ifft, wrt="a")
def ifft_adjoint(
    d_y: Any, a: Any, n: Any = None, axis: Any = -1, norm: Any = None
) -> Any:
    d_x = np.fft.ifft(d_y, axis=axis, norm=norm)
    return d_x if n is None else fitted(d_x, a, axis)


@linear(np.fft.rfft, wrt="a")
def rfft_adjoint(
    d_y: Any, a: Any, n: Any = None, axis: Any = -1, norm: Any = None
) -> Any:
    # The frequencies that were left out are zero in the adjoint.
    if n is None:
        return np.real(np.fft.fft(d_y, np.shape(a)[axis], axis, norm))
    return fitted(np.real(np.fft.fft(d_y, n, axis, norm)), a, axis)


@linear(np.fft.ihfft, wrt="a")
def ihfft_adjoint(
    d_y: Any, a: Any, n: Any = None, axis: Any = -1, norm: Any = None
) -> Any:
    if n is None:
        return np.real(np.fft.ifft(d_y, np.shape(a)[axis], axis, norm))
    return fitted(np.real(np.fft.ifft(d_y, n, axis, norm)), a, axis)


@linear(np.fft.irfft, wrt="a")
def irfft_adjoint(
    d_y: Any, a: Any, n: Any = None, axis: Any = -1, norm: Any = None
) -> Any:
    d_x = mirrored_twice(np.fft.ihfft(d_y, axis=axis, norm=norm), d_y, axis)
    return d_x if n is None else fitted(d_x, a, axis)


@linear(np.fft.hfft, wrt="a")
def hfft_adjoint(
    d_y: Any, a: Any, n: Any = None, axis: Any = -1, norm: Any = None
) -> Any:
    d_x = mirrored_twice(np.fft.rfft(d_y, axis=axis, norm=norm), d_y, axis)
    return d_x if n is None else fitted(d_x, a, axis)


def mirrored_twice(half: Any, whole: Any, axis: Any) -> Any:
    """Half of a spectrum, doubled where it has a mirror image in the other half.

    Frequency zero has none, and for an even size the highest one has none.
    """
    stop = (np.shape(whole)[axis] + 1) // 2
    if is_axis(np.ndim(half) - 1, axis, np.ndim(half)):
        half[..., 1:stop] *= 2
        return half
    rows = np.copy(np.moveaxis(half, axis, 0))
    rows[1:stop] *= 2
    return np.moveaxis(rows, 0, axis)


# ---------------------------------------------------------------- several axes


@static
def transformed_axes(s: Any, axes: Any, ndim: int) -> tuple[int, ...]:
    """The axes that a transform of several axes goes along.

    Examples
    --------
    >>> transformed_axes((4, 4), None, 3)
    (1, 2)
    """
    if axes is not None:
        return as_tuple(axes)
    return axes_range(0 if s is None else ndim - len(s), ndim)


@static
def distinct(axes: tuple[int, ...], ndim: int) -> bool:
    return len({axis % ndim for axis in axes}) == len(axes)


def checked_axes(s: Any, axes: Any, ndim: Any) -> Any:
    found = transformed_axes(s, axes, ndim)
    if not distinct(found, ndim):
        raise TypeError("np.fft: an axis that is given twice is not differentiated")
    return found


@linear(np.fft.fftn, wrt="a")
def fftn_adjoint(
    d_y: Any, a: Any, s: Any = None, axes: Any = None, norm: Any = None
) -> Any:
    along = checked_axes(s, axes, np.ndim(a))
    d_x = np.fft.fftn(d_y, axes=along, norm=norm)
    return d_x if s is None else fitted_to_all(d_x, a, along)


@linear(np.fft.ifftn, wrt="a")
def ifftn_adjoint(
    d_y: Any, a: Any, s: Any = None, axes: Any = None, norm: Any = None
) -> Any:
    along = checked_axes(s, axes, np.ndim(a))
    d_x = np.fft.ifftn(d_y, axes=along, norm=norm)
    return d_x if s is None else fitted_to_all(d_x, a, along)


@linear(np.fft.rfftn, wrt="a")
def rfftn_adjoint(
    d_y: Any, a: Any, s: Any = None, axes: Any = None, norm: Any = None
) -> Any:
    along = checked_axes(s, axes, np.ndim(a))
    last = along[-1]
    if s is None or s[-1] == -1:
        n = np.shape(a)[last]
    else:
        n = s[-1]
    d_x = np.fft.fft(d_y, n, last, norm)
    if len(along) > 1:
        d_x = np.fft.fftn(d_x, axes=along[:-1], norm=norm)
    d_x = np.real(d_x)
    return d_x if s is None else fitted_to_all(d_x, a, along)


@linear(np.fft.irfftn, wrt="a")
def irfftn_adjoint(
    d_y: Any, a: Any, s: Any = None, axes: Any = None, norm: Any = None
) -> Any:
    along = checked_axes(s, axes, np.ndim(a))
    last = along[-1]
    d_x = mirrored_twice(np.fft.ihfft(d_y, axis=last, norm=norm), d_y, last)
    if len(along) > 1:
        d_x = np.fft.ifftn(d_x, axes=along[:-1], norm=norm)
    return d_x if s is None else fitted_to_all(d_x, a, along)


@linear(np.fft.fft2, wrt="a")
def fft2_adjoint(
    d_y: Any, a: Any, s: Any = None, axes: Any = (-2, -1), norm: Any = None
) -> Any:
    return fftn_adjoint(d_y, a, s, axes, norm)


@linear(np.fft.ifft2, wrt="a")
def ifft2_adjoint(
    d_y: Any, a: Any, s: Any = None, axes: Any = (-2, -1), norm: Any = None
) -> Any:
    return ifftn_adjoint(d_y, a, s, axes, norm)


@linear(np.fft.rfft2, wrt="a")
def rfft2_adjoint(
    d_y: Any, a: Any, s: Any = None, axes: Any = (-2, -1), norm: Any = None
) -> Any:
    return rfftn_adjoint(d_y, a, s, axes, norm)


@linear(np.fft.irfft2, wrt="a")
def irfft2_adjoint(
    d_y: Any, a: Any, s: Any = None, axes: Any = (-2, -1), norm: Any = None
) -> Any:
    return irfftn_adjoint(d_y, a, s, axes, norm)


# ---------------------------------------------------------------- order, frequencies


@linear(np.fft.fftshift, wrt="x")
def fftshift_adjoint(d_y: Any, x: Any, axes: Any = None) -> Any:
    return np.fft.ifftshift(d_y, axes)


@linear(np.fft.ifftshift, wrt="x")
def ifftshift_adjoint(d_y: Any, x: Any, axes: Any = None) -> Any:
    return np.fft.fftshift(d_y, axes)


def fftfreq_tangent(y: Any, n: Any, d: Any = 1.0, d_d: Any = 0.0) -> Any:
    return -y * d_d / d


@general((np.fft.fftfreq, np.fft.rfftfreq), wrt="d", tangent=fftfreq_tangent)
def fftfreq_adjoint(d_y: Any, y: Any, n: Any, d: Any = 1.0) -> Any:
    return -np.dot(d_y, y) / d
