"""Fourier transforms: `scipy.fft`.

Those that NumPy has are NumPy's in derivative code and before it: the same algorithm.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import fft

from autograd_compiler.rules.registry import composed, linear, zero_derivative
from autograd_compiler.rules.static import as_tuple, static

zero_derivative(fft.fftfreq, fft.rfftfreq, fft.next_fast_len)


def along_one_axis(name: str) -> None:
    """Declare a transform along one axis, which is NumPy's of the same name."""
    function = getattr(np.fft, name)

    @composed(getattr(fft, name))
    def definition(
        x: Any,
        n: Any = None,
        axis: Any = -1,
        norm: Any = None,
        overwrite_x: Any = False,
        workers: Any = None,
    ) -> Any:
        return function(x, n, axis, norm)


for _name in ("fft", "ifft", "rfft", "irfft", "hfft", "ihfft"):
    along_one_axis(_name)


def along_axes(name: str, last_two: bool) -> None:
    """Declare a transform along several axes; `fft2` goes along the last two."""
    function = getattr(np.fft, name)
    every: Any = (-2, -1) if last_two else None

    @composed(getattr(fft, name))
    def definition(
        x: Any,
        s: Any = None,
        axes: Any = every,
        norm: Any = None,
        overwrite_x: Any = False,
        workers: Any = None,
    ) -> Any:
        return function(x, s, axes, norm)


for _name in ("fft", "ifft", "rfft", "irfft"):
    along_axes(f"{_name}2", True)
    along_axes(f"{_name}n", False)


@linear(fft.fftshift, wrt="x")
def fftshift_adjoint(d_y: Any, x: Any, axes: Any = None) -> Any:
    return fft.ifftshift(d_y, axes)


@linear(fft.ifftshift, wrt="x")
def ifftshift_adjoint(d_y: Any, x: Any, axes: Any = None) -> Any:
    return fft.fftshift(d_y, axes)


# ---------------------------------------------------------------- cosines and sines

# The transpose of type 2 is type 3 and the other way, those of types 1 and 4 are
# themselves; but for the ends, which count half in the definitions of `scipy.fft`.


@static
def transposed_type(type: int) -> int:
    return {1: 1, 2: 3, 3: 2, 4: 4}[type]


@static
def reversed_norm(norm: str | None) -> str:
    """The scaling that makes the inverse transform of type 2 one of type 3."""
    return {None: "forward", "backward": "forward", "forward": "backward"}.get(
        norm, "ortho"
    )


def scaled_ends(x: Any, first: Any, last: Any, axis: Any) -> Any:
    """With the first and the last element along an axis multiplied."""
    rows = np.copy(np.moveaxis(x, axis, 0))
    if first != 1:
        rows[0] *= first
    if last != 1:
        rows[-1] *= last
    return np.moveaxis(rows, 0, axis)


def cosine_adjoint(d_y: Any, type: Any, axis: Any, norm: Any) -> Any:
    if norm == "ortho":
        return fft.idct(d_y, type, axis=axis, norm=norm)
    if type == 1:
        d_x = fft.dct(scaled_ends(d_y, 2, 2, axis), 1, axis=axis, norm=norm)
        return scaled_ends(d_x, 0.5, 0.5, axis)
    if type == 2:
        return fft.dct(scaled_ends(d_y, 2, 1, axis), 3, axis=axis, norm=norm)
    if type == 3:
        return scaled_ends(fft.dct(d_y, 2, axis=axis, norm=norm), 0.5, 1, axis)
    return fft.dct(d_y, 4, axis=axis, norm=norm)


def sine_adjoint(d_y: Any, type: Any, axis: Any, norm: Any) -> Any:
    if norm == "ortho":
        return fft.idst(d_y, type, axis=axis, norm=norm)
    if type == 2:
        return fft.dst(scaled_ends(d_y, 1, 2, axis), 3, axis=axis, norm=norm)
    if type == 3:
        return scaled_ends(fft.dst(d_y, 2, axis=axis, norm=norm), 1, 0.5, axis)
    return fft.dst(d_y, type, axis=axis, norm=norm)


def of_whole_axis(n: Any) -> None:
    if n is not None:
        raise TypeError(
            "scipy.fft: cosine and sine transforms with n=: pad or cut before"
        )


@linear(fft.dct, wrt="x")
def dct_adjoint(
    d_y: Any, x: Any, type: Any = 2, n: Any = None, axis: Any = -1, norm: Any = None
) -> Any:
    of_whole_axis(n)
    return cosine_adjoint(d_y, type, axis, norm)


@linear(fft.idct, wrt="x")
def idct_adjoint(
    d_y: Any, x: Any, type: Any = 2, n: Any = None, axis: Any = -1, norm: Any = None
) -> Any:
    of_whole_axis(n)
    return cosine_adjoint(d_y, transposed_type(type), axis, reversed_norm(norm))


@linear(fft.dst, wrt="x")
def dst_adjoint(
    d_y: Any, x: Any, type: Any = 2, n: Any = None, axis: Any = -1, norm: Any = None
) -> Any:
    of_whole_axis(n)
    return sine_adjoint(d_y, type, axis, norm)


@linear(fft.idst, wrt="x")
def idst_adjoint(
    d_y: Any, x: Any, type: Any = 2, n: Any = None, axis: Any = -1, norm: Any = None
) -> Any:
    of_whole_axis(n)
    return sine_adjoint(d_y, transposed_type(type), axis, reversed_norm(norm))


def along_each_axis(name: str) -> None:
    """Declare a transform along several axes, one after the other."""
    function = getattr(fft, name)

    @composed(getattr(fft, f"{name}n"))
    def definition(
        x: Any, type: Any = 2, s: Any = None, axes: Any = None, norm: Any = None
    ) -> Any:
        of_whole_axis(s)
        y = x
        for axis in each_axis(axes, np.ndim(x)):
            y = function(y, type, axis=axis, norm=norm)
        return y


@static
def each_axis(axes: Any, ndim: int) -> tuple[int, ...]:
    """The axes of a transform.

    Examples
    --------
    >>> each_axis(None, 2), each_axis(1, 2)
    ((0, 1), (1,))
    """
    return tuple(range(ndim)) if axes is None else as_tuple(axes)


for _name in ("dct", "idct", "dst", "idst"):
    along_each_axis(_name)
