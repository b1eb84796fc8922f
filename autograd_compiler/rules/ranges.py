"""Ranges of numbers between two, and interpolation on them."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd_compiler.rules.registry import composed, general, linear
from autograd_compiler.rules.static import axes_range


@linear(np.linspace, wrt="start stop")
def linspace_adjoint(
    d_y: Any,
    start: Any,
    stop: Any,
    num: Any = 50,
    endpoint: Any = True,
    *,
    dtype: Any = None,
) -> Any:
    if np.ndim(d_y) == 1:
        t = np.linspace(0, 1, num, endpoint=endpoint)
        return np.dot(d_y, 1 - t), np.dot(d_y, t)
    t = np.linspace(0, 1, num, endpoint=endpoint, dtype=d_y.dtype)
    return np.tensordot(1 - t, d_y, 1), np.tensordot(t, d_y, 1)


@composed(np.linspace)
def linspace_along_axis(
    start: Any,
    stop: Any,
    num: Any = 50,
    endpoint: Any = True,
    retstep: Any = False,
    dtype: Any = None,
    axis: Any = 0,
) -> Any:
    numbers = np.linspace(start, stop, num, endpoint, dtype=dtype)
    if np.ndim(numbers) > 1:
        numbers = np.moveaxis(numbers, 0, axis)
    if not retstep:
        return numbers
    return numbers, (stop - start) / (num - 1 if endpoint else num)


@composed(np.logspace)
def logspace(
    start: Any,
    stop: Any,
    num: Any = 50,
    endpoint: Any = True,
    base: Any = 10.0,
    dtype: Any = None,
    axis: Any = 0,
) -> Any:
    if np.ndim(base) > 0:
        raise TypeError("np.logspace: the base is one number")
    numbers = base ** linspace_along_axis(start, stop, num, endpoint, axis=axis)
    return numbers if dtype is None else numbers.astype(dtype)


@composed(np.geomspace)
def geomspace(
    start: Any,
    stop: Any,
    num: Any = 50,
    endpoint: Any = True,
    dtype: Any = None,
    axis: Any = 0,
) -> Any:
    t = np.linspace(0, 1, num, endpoint=endpoint)
    ratio = stop / start
    if np.ndim(ratio) > 0:
        t = np.expand_dims(t, axes_range(1, 1 + np.ndim(ratio)))
    numbers = start * ratio**t
    if np.ndim(ratio) > 0:
        numbers = np.moveaxis(numbers, 0, axis)
    return numbers if dtype is None else numbers.astype(dtype)


# ---------------------------------------------------------------- interpolation


def cell(x: Any, xp: Any) -> Any:
    """The interval of the grid that each point is interpolated in."""
    return np.clip(np.searchsorted(xp, x, "right") - 1, 0, np.shape(xp)[0] - 2)


def interp_tangent(x: Any, xp: Any, fp: Any, d_x: Any, d_xp: Any, d_fp: Any) -> Any:
    k = cell(x, xp)
    width = xp[k + 1] - xp[k]
    weight = (np.clip(x, xp[0], xp[-1]) - xp[k]) / width
    slope = np.where((x < xp[0]) | (x > xp[-1]), 0, (fp[k + 1] - fp[k]) / width)
    d_position = d_x - (1 - weight) * d_xp[k] - weight * d_xp[k + 1]
    return slope * d_position + (1 - weight) * d_fp[k] + weight * d_fp[k + 1]


@general(np.interp, wrt="x xp fp", tangent=interp_tangent)
def interp_adjoint(d_y: Any, x: Any, xp: Any, fp: Any) -> Any:
    k = cell(x, xp)
    width = xp[k + 1] - xp[k]
    weight = (np.clip(x, xp[0], xp[-1]) - xp[k]) / width
    # Beyond the ends of the grid the value is that of the end.
    slope = np.where((x < xp[0]) | (x > xp[-1]), 0, (fp[k + 1] - fp[k]) / width)
    d_x = d_y * slope
    d_xp = np.zeros_like(xp)
    np.add.at(d_xp, k, -d_x * (1 - weight))
    np.add.at(d_xp, k + 1, -d_x * weight)
    d_fp = np.zeros_like(fp)
    np.add.at(d_fp, k, d_y * (1 - weight))
    np.add.at(d_fp, k + 1, d_y * weight)
    return d_x, d_xp, d_fp


@composed(np.interp)
def interp_beyond(
    x: Any,
    xp: Any,
    fp: Any,
    left: Any = None,
    right: Any = None,
    period: Any = None,
) -> Any:
    if period is not None:
        # One point of the period before and after, so that the ends meet.
        places = np.mod(xp, np.abs(period))
        order = np.argsort(places)
        grid, values = places[order], np.asarray(fp)[order]
        grid = np.concatenate((grid[-1:] - period, grid, grid[:1] + period))
        values = np.concatenate((values[-1:], values, values[:1]))
        return np.interp(np.mod(x, np.abs(period)), grid, values)
    inside = np.interp(x, xp, fp)
    if left is not None:
        inside = np.where(x < xp[0], left, inside)
    if right is not None:
        inside = np.where(x > xp[-1], right, inside)
    return inside


@composed(np.kaiser)
def kaiser(M: Any, beta: Any) -> Any:
    middle = (M - 1) / 2
    if M == 1:
        return np.ones(1)
    from_middle = (np.arange(M) - middle) / middle
    return np.i0(beta * np.sqrt(1 - from_middle**2)) / np.i0(beta)
