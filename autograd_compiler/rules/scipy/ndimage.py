"""Linear filters of images: `scipy.ndimage`.

A filter with symmetric weights is its own adjoint where the image goes on beyond its
border as its mirror image ("reflect"), again ("wrap") or as a constant.  The other
borders count some elements more often than others, and are refused.
"""

from __future__ import annotations

from typing import Any

from scipy import ndimage

from autograd_compiler.rules.registry import general
from autograd_compiler.rules.static import static

_SYMMETRIC = (
    "reflect",
    "grid-mirror",
    "wrap",
    "grid-wrap",
    "constant",
    "grid-constant",
)


@static
def symmetric(mode: Any) -> str:
    """The mode, if with it symmetric filters are symmetric matrices."""
    if mode not in _SYMMETRIC:
        raise TypeError(f"scipy.ndimage: mode={mode!r} is not differentiated")
    return str(mode)


@static
def even(order: Any) -> int:
    """The order of a derivative of the Gaussian, which has none here."""
    if order != 0:
        raise TypeError("scipy.ndimage: derivatives of the Gaussian: order=0 only")
    return 0


@static
def odd(size: Any) -> Any:
    """The sizes of a filter, if it has a middle."""
    sizes = size if isinstance(size, (tuple, list)) else (size,)
    if any(one % 2 == 0 for one in sizes):
        raise TypeError(
            "scipy.ndimage: a filter of even size has no middle; make it odd"
        )
    return size


def gaussian_tangent(
    input: Any,
    sigma: Any,
    order: Any,
    output: Any,
    mode: Any,
    cval: Any,
    truncate: Any,
    d_input: Any,
) -> Any:
    return ndimage.gaussian_filter(
        d_input, sigma, even(order), None, symmetric(mode), 0.0, truncate
    )


@general(ndimage.gaussian_filter, wrt="input", tangent=gaussian_tangent)
def gaussian_adjoint(
    d_y: Any,
    input: Any,
    sigma: Any,
    order: Any = 0,
    output: Any = None,
    mode: Any = "reflect",
    cval: Any = 0.0,
    truncate: Any = 4.0,
) -> Any:
    return ndimage.gaussian_filter(
        d_y, sigma, even(order), None, symmetric(mode), 0.0, truncate
    )


def uniform_tangent(
    input: Any, size: Any, output: Any, mode: Any, cval: Any, d_input: Any
) -> Any:
    return ndimage.uniform_filter(d_input, odd(size), None, symmetric(mode), 0.0)


@general(ndimage.uniform_filter, wrt="input", tangent=uniform_tangent)
def uniform_adjoint(
    d_y: Any,
    input: Any,
    size: Any = 3,
    output: Any = None,
    mode: Any = "reflect",
    cval: Any = 0.0,
) -> Any:
    return ndimage.uniform_filter(d_y, odd(size), None, symmetric(mode), 0.0)


# With weights of any kind, a filter and its adjoint are a convolution and a correlation
# where nothing is reflected.


@static
def not_reflected(mode: Any) -> str:
    if mode not in ("constant", "grid-constant", "wrap", "grid-wrap"):
        raise TypeError(
            f"scipy.ndimage: mode={mode!r} with any weights is not differentiated; "
            "write mode='constant' or mode='wrap'"
        )
    return str(mode)


def convolve_tangent(
    input: Any, weights: Any, output: Any, mode: Any, cval: Any, d_input: Any
) -> Any:
    return ndimage.convolve(d_input, weights, None, not_reflected(mode), 0.0)


@general(ndimage.convolve, wrt="input", tangent=convolve_tangent)
def convolve_adjoint(
    d_y: Any,
    input: Any,
    weights: Any,
    output: Any = None,
    mode: Any = "reflect",
    cval: Any = 0.0,
) -> Any:
    return ndimage.correlate(d_y, weights, None, not_reflected(mode), 0.0)


def correlate_tangent(
    input: Any, weights: Any, output: Any, mode: Any, cval: Any, d_input: Any
) -> Any:
    return ndimage.correlate(d_input, weights, None, not_reflected(mode), 0.0)


@general(ndimage.correlate, wrt="input", tangent=correlate_tangent)
def correlate_adjoint(
    d_y: Any,
    input: Any,
    weights: Any,
    output: Any = None,
    mode: Any = "reflect",
    cval: Any = 0.0,
) -> Any:
    return ndimage.convolve(d_y, weights, None, not_reflected(mode), 0.0)
