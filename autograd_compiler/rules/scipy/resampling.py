"""Images at places between their elements: `scipy.ndimage`.

There an image is linear along each axis: a sum over the corners of the cell around a
place.
"""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
from scipy import ndimage

from autograd_compiler.rules.registry import composed
from autograd_compiler.rules.static import static


@static
def corners(ndim: int, order: int) -> tuple[tuple[int, ...], ...]:
    """The corners of a cell, each 0 or 1 along an axis; the first alone for order 0.

    Examples
    --------
    >>> corners(2, 1), corners(2, 0)
    (((0, 0), (0, 1), (1, 0), (1, 1)), ((0, 0),))
    """
    return tuple(itertools.product(range(order + 1), repeat=ndim))


def element(k: Any, size: Any, mode: Any) -> Any:
    """The element that the image has at a whole number, beyond its border, too."""
    if mode in ("reflect", "grid-mirror"):
        around = k % (2 * size)
        return np.minimum(around, 2 * size - 1 - around)
    if mode == "mirror":
        around = k % np.maximum(2 * size - 2, 1)
        return np.minimum(around, 2 * size - 2 - around)
    if mode == "grid-wrap":
        return k % size
    if mode in ("nearest", "constant", "grid-constant"):
        return np.clip(k, 0, size - 1)
    raise TypeError(
        f"scipy.ndimage.map_coordinates: mode={mode!r} is not differentiated; write "
        "mode='grid-wrap', or one that does not repeat the image"
    )


def at_corner(
    input: Any, coordinates: Any, corner: Any, order: Any, mode: Any, cval: Any
) -> Any:
    """The element at a corner of the cells, by its weight in the places."""
    weight, inside, index = 1.0, True, []
    for k, step in enumerate(corner):
        size, place = np.shape(input)[k], coordinates[k]
        start = np.floor(place) if order == 1 else np.floor(place + 0.5)
        if order == 1:
            weight = weight * (place - start if step == 1 else 1 - (place - start))
        whole = start.astype(int) + step
        index.append(element(whole, size, mode))
        if mode == "grid-constant":
            inside = inside & (whole >= 0) & (whole < size)
        if mode == "constant":
            inside = inside & (place >= 0) & (place <= size - 1)
    value = input[tuple(index)]
    if mode in ("constant", "grid-constant"):
        value = np.where(inside, value, cval)
    return weight * value


@composed(ndimage.map_coordinates)
def map_coordinates(
    input: Any,
    coordinates: Any,
    output: Any = None,
    order: Any = 3,
    mode: Any = "constant",
    cval: Any = 0.0,
    prefilter: Any = True,
) -> Any:
    if order not in (0, 1):
        raise TypeError(
            "scipy.ndimage.map_coordinates: splines are not differentiated; write order=1"
        )
    total = 0.0
    for corner in corners(np.ndim(input), order):
        total = total + at_corner(input, coordinates, corner, order, mode, cval)
    return total
