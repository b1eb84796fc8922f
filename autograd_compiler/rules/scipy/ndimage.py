"""Linear filters of images: `scipy.ndimage`.

A filter is `y[i] = sum of w[j] * x[i + j - middle]`, where `x` goes on beyond its border
as `mode` says.  It is linear in the image and in the weights, so that three operators
are each other's derivatives: the filter, its transpose in the image (`spread_out`), and
the one that gives the weights (`taps`).  All filters of fixed shape are made of it.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import ndimage

from autograd_compiler.rules.registry import composed, general, multilinear
from autograd_compiler.rules.static import other_axes, static


def padding(mode: str) -> Any:
    """What `np.pad` calls the way in which an image goes on.

    Examples
    --------
    >>> padding("reflect"), padding("mirror")
    ('symmetric', 'reflect')
    """
    if mode in ("reflect", "grid-mirror"):
        return "symmetric"
    if mode in ("constant", "grid-constant"):
        return "constant"
    if mode in ("wrap", "grid-wrap"):
        return "wrap"
    return "edge" if mode == "nearest" else "reflect"


def widths_of(shape: Any, origin: Any) -> list[tuple[int, int]]:
    """How far a filter of this shape reaches on each side.

    Examples
    --------
    >>> widths_of((3, 4), 0)
    [(1, 1), (2, 1)]
    """
    origins = origin if isinstance(origin, (tuple, list)) else [origin] * len(shape)
    found = []
    for size, shift in zip(shape, origins, strict=True):
        before = size // 2 + shift
        found.append((before, size - 1 - before))
    return found


def window(place: Any, shape: Any) -> tuple[slice, ...]:
    """Where an image of this shape lies in a larger one, from a place on."""
    return tuple(slice(p, p + n) for p, n in zip(place, shape, strict=True))


def spread_out(d_y: Any, weights: Any, mode: Any, origin: Any) -> Any:
    """The transpose of `correlate` in the image.

    Examples
    --------
    >>> spread_out(np.array([1.0, 0.0, 0.0]), np.array([1.0, 2.0, 3.0]), "reflect", 0)
    array([3., 3., 0.])
    """
    widths = widths_of(weights.shape, origin)
    if d_y.size == 0:
        return np.zeros_like(d_y)
    padded = np.pad(np.zeros_like(d_y), widths)
    for place in np.ndindex(weights.shape):
        padded[window(place, d_y.shape)] += weights[place] * d_y
    for axis, width in enumerate(widths):
        size = d_y.shape[axis]
        rows = np.moveaxis(padded, axis, 0)
        if padding(mode) == "constant":
            inner = rows[width[0] : width[0] + size]
        else:
            inner = np.zeros_like(rows[:size])
            sources = np.pad(np.arange(size), width, mode=padding(mode))
            np.add.at(inner, sources, rows)
        padded = np.moveaxis(inner, 0, axis)
    return padded


def taps(x: Any, d_y: Any, shape: Any, mode: Any, cval: Any, origin: Any) -> Any:
    """The sums of products of a moved image and `d_y`, one for each weight.

    Examples
    --------
    >>> x = np.array([1.0, 2.0, 3.0])
    >>> taps(x, np.array([1.0, 0.0, 0.0]), (3,), "nearest", 0.0, 0)
    array([1., 1., 2.])
    """
    if d_y.size == 0:
        return np.zeros(shape)
    known = {"constant_values": cval} if padding(mode) == "constant" else {}
    padded = np.pad(x, widths_of(shape, origin), mode=padding(mode), **known)
    sums = np.zeros(shape, dtype=np.result_type(x, d_y))
    for place in np.ndindex(*shape):
        sums[place] = np.sum(padded[window(place, d_y.shape)] * d_y)
    return sums


def correlate_tangent(
    input: Any,
    weights: Any,
    output: Any,
    mode: Any,
    cval: Any,
    origin: Any,
    d_input: Any,
    d_weights: Any,
) -> Any:
    change = ndimage.correlate(d_input, weights, None, mode, 0.0, origin)
    return change + ndimage.correlate(input, d_weights, None, mode, cval, origin)


@general(
    ndimage.correlate, wrt="input weights", tangent=correlate_tangent, result="input"
)
def correlate_adjoint(
    d_y: Any,
    input: Any,
    weights: Any,
    output: Any = None,
    mode: Any = "reflect",
    cval: Any = 0.0,
    origin: Any = 0,
) -> Any:
    d_input = spread_out(d_y, weights, mode, origin)
    return d_input, taps(input, d_y, np.shape(weights), mode, cval, origin)


@multilinear(spread_out, wrt="d_image weights", result="d_image")
def spread_out_adjoint(
    d_y: Any, d_image: Any, weights: Any, mode: Any, origin: Any
) -> Any:
    back = ndimage.correlate(d_y, weights, None, mode, 0.0, origin)
    return back, taps(d_y, d_image, np.shape(weights), mode, 0.0, origin)


def taps_tangent(
    x: Any,
    d_image: Any,
    shape: Any,
    mode: Any,
    cval: Any,
    origin: Any,
    d_x: Any,
    d_d_image: Any,
) -> Any:
    change = taps(d_x, d_image, shape, mode, 0.0, origin)
    return change + taps(x, d_d_image, shape, mode, cval, origin)


@general(taps, wrt="x d_image", tangent=taps_tangent)
def taps_adjoint(
    d_y: Any, x: Any, d_image: Any, shape: Any, mode: Any, cval: Any, origin: Any
) -> Any:
    d_x = spread_out(d_image, d_y, mode, origin)
    return d_x, ndimage.correlate(x, d_y, None, mode, cval, origin)


# ---------------------------------------------------------------- filters made of it


@static
def turned(origin: Any, shape: Any) -> Any:
    """The origin for weights that are turned round.

    Examples
    --------
    >>> turned(0, (3, 4))
    [0, -1]
    """
    origins = origin if isinstance(origin, (tuple, list)) else [origin] * len(shape)
    return [
        -shift - (size % 2 == 0) for shift, size in zip(origins, shape, strict=True)
    ]


@composed(ndimage.convolve)
def convolve(
    input: Any,
    weights: Any,
    output: Any = None,
    mode: Any = "reflect",
    cval: Any = 0.0,
    origin: Any = 0,
) -> Any:
    origins = turned(origin, np.shape(weights))
    return ndimage.correlate(input, np.flip(weights), None, mode, cval, origins)


@static
def shape_along(axis: int, ndim: int) -> tuple[int, ...]:
    """The shape of weights along one axis."""
    return tuple(-1 if k == axis % ndim else 1 for k in range(ndim))


@static
def origin_along(origin: int, axis: int, ndim: int) -> list[int]:
    return [origin if k == axis % ndim else 0 for k in range(ndim)]


@composed(ndimage.correlate1d)
def correlate1d(
    input: Any,
    weights: Any,
    axis: Any = -1,
    output: Any = None,
    mode: Any = "reflect",
    cval: Any = 0.0,
    origin: Any = 0,
) -> Any:
    along = np.reshape(weights, shape_along(axis, np.ndim(input)))
    origins = origin_along(origin, axis, np.ndim(input))
    return ndimage.correlate(input, along, None, mode, cval, origins)


@composed(ndimage.convolve1d)
def convolve1d(
    input: Any,
    weights: Any,
    axis: Any = -1,
    output: Any = None,
    mode: Any = "reflect",
    cval: Any = 0.0,
    origin: Any = 0,
) -> Any:
    along = np.reshape(weights, shape_along(axis, np.ndim(input)))
    origins = origin_along(origin, axis, np.ndim(input))
    return ndimage.convolve(input, along, None, mode, cval, origins)


# ---------------------------------------------------------------- filters along each axis


@static
def each_axis(given: Any, ndim: int) -> tuple[Any, ...]:
    """One value for each axis, of what may be one for all.

    Examples
    --------
    >>> each_axis("wrap", 2), each_axis((1, 3), 2)
    (('wrap', 'wrap'), (1, 3))
    """
    return tuple(given) if isinstance(given, (tuple, list)) else (given,) * ndim


def gaussian_weights(sigma: Any, order: Any, truncate: Any) -> Any:
    """The Gaussian at whole numbers, with sum 1, or a derivative of it."""
    reach = int(truncate * sigma + 0.5)
    x = np.arange(-reach, reach + 1)
    bell = np.exp(-0.5 * (x / sigma) ** 2)
    weights = bell / np.sum(bell)
    if order == 0:
        return weights
    if order == 1:  # turned round, as a convolution takes it
        return weights * x / sigma**2
    if order == 2:
        return weights * ((x / sigma) ** 2 - 1) / sigma**2
    raise TypeError("scipy.ndimage: derivatives of the Gaussian: order 0, 1 and 2 only")


@static
def is_own_transpose(modes: Any) -> bool:
    """Whether a filter with symmetric weights is a symmetric matrix.

    At the other borders some elements count more often than others.
    """
    return all(mode not in ("nearest", "mirror") for mode in each_axis(modes, 1))


@static
def is_zero(order: Any) -> bool:
    return order == 0 or (isinstance(order, (tuple, list)) and not any(order))


@static
def is_odd(size: Any) -> bool:
    return all(one % 2 == 1 for one in each_axis(size, 1))


def spread_out_along(d_y: Any, weights: Any, axis: Any, mode: Any, origin: Any) -> Any:
    ndim = np.ndim(d_y)
    along = np.reshape(weights, shape_along(axis, ndim))
    return spread_out(d_y, along, mode, origin_along(origin, axis, ndim))


@composed(ndimage.gaussian_filter1d)
def gaussian_filter1d(
    input: Any,
    sigma: Any,
    axis: Any = -1,
    order: Any = 0,
    output: Any = None,
    mode: Any = "reflect",
    cval: Any = 0.0,
    truncate: Any = 4.0,
) -> Any:
    weights = gaussian_weights(sigma, order, truncate)
    return ndimage.correlate1d(input, weights, axis, None, mode, cval)


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
    return ndimage.gaussian_filter(d_input, sigma, order, None, mode, 0.0, truncate)


@general(ndimage.gaussian_filter, wrt="input", tangent=gaussian_tangent, result="input")
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
    if is_own_transpose(mode) and is_zero(order):
        return ndimage.gaussian_filter(d_y, sigma, order, None, mode, 0.0, truncate)
    ndim = np.ndim(input)
    sigmas, orders = each_axis(sigma, ndim), each_axis(order, ndim)
    modes = each_axis(mode, ndim)
    for k in range(ndim):
        weights = gaussian_weights(sigmas[k], orders[k], truncate)
        d_y = spread_out_along(d_y, weights, k, modes[k], 0)
    return d_y


@composed(ndimage.uniform_filter1d)
def uniform_filter1d(
    input: Any,
    size: Any,
    axis: Any = -1,
    output: Any = None,
    mode: Any = "reflect",
    cval: Any = 0.0,
    origin: Any = 0,
) -> Any:
    weights = np.full(size, 1 / size)
    return ndimage.correlate1d(input, weights, axis, None, mode, cval, origin)


def uniform_tangent(
    input: Any, size: Any, output: Any, mode: Any, cval: Any, origin: Any, d_input: Any
) -> Any:
    return ndimage.uniform_filter(d_input, size, None, mode, 0.0, origin)


@general(ndimage.uniform_filter, wrt="input", tangent=uniform_tangent, result="input")
def uniform_adjoint(
    d_y: Any,
    input: Any,
    size: Any = 3,
    output: Any = None,
    mode: Any = "reflect",
    cval: Any = 0.0,
    origin: Any = 0,
) -> Any:
    if is_own_transpose(mode) and is_odd(size) and is_zero(origin):
        return ndimage.uniform_filter(d_y, size, None, mode, 0.0)
    ndim = np.ndim(input)
    sizes, modes = each_axis(size, ndim), each_axis(mode, ndim)
    origins = each_axis(origin, ndim)
    for k in range(ndim):
        weights = np.full(sizes[k], 1 / sizes[k])
        d_y = spread_out_along(d_y, weights, k, modes[k], origins[k])
    return d_y


@composed(ndimage.sobel)
def sobel(
    input: Any,
    axis: Any = -1,
    output: Any = None,
    mode: Any = "reflect",
    cval: Any = 0.0,
) -> Any:
    modes = each_axis(mode, np.ndim(input))
    y = ndimage.correlate1d(input, np.array([-1, 0, 1]), axis, None, modes[axis], cval)
    for other in other_axes(axis, np.ndim(input)):
        y = ndimage.correlate1d(y, np.array([1, 2, 1]), other, None, modes[other], cval)
    return y


@composed(ndimage.prewitt)
def prewitt(
    input: Any,
    axis: Any = -1,
    output: Any = None,
    mode: Any = "reflect",
    cval: Any = 0.0,
) -> Any:
    modes = each_axis(mode, np.ndim(input))
    y = ndimage.correlate1d(input, np.array([-1, 0, 1]), axis, None, modes[axis], cval)
    for other in other_axes(axis, np.ndim(input)):
        y = ndimage.correlate1d(y, np.array([1, 1, 1]), other, None, modes[other], cval)
    return y


@composed(ndimage.laplace)
def laplace(
    input: Any, output: Any = None, mode: Any = "reflect", cval: Any = 0.0
) -> Any:
    modes = each_axis(mode, np.ndim(input))
    weights = np.array([1, -2, 1])
    y = ndimage.correlate1d(input, weights, 0, None, modes[0], cval)
    for k in range(1, np.ndim(input)):
        y = y + ndimage.correlate1d(input, weights, k, None, modes[k], cval)
    return y
