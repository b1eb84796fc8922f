"""Integrals of samples: `scipy.integrate`."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import integrate

from autograd_compiler.rules.registry import composed, refused

# Their definitions, which NumPy's rules differentiate in the samples `y` and places `x`.


def steps(x: Any, dx: Any) -> Any:
    """The distances of the places, along the last axis."""
    return dx if x is None else np.diff(x)


def last(y: Any, axis: Any) -> Any:
    """With an axis moved to the end."""
    if axis == -1 or np.ndim(y) == 1:
        return y
    return np.moveaxis(y, axis, -1)


def places(x: Any, axis: Any) -> Any:
    return None if x is None else last(x, axis)


@composed(integrate.trapezoid)
def trapezoid(y: Any, x: Any = None, dx: Any = 1.0, axis: Any = -1) -> Any:
    rows = last(y, axis)
    areas = steps(places(x, axis), dx) * (rows[..., 1:] + rows[..., :-1]) / 2
    return np.sum(areas, axis=-1)


@composed(integrate.cumulative_trapezoid)
def cumulative_trapezoid(
    y: Any, x: Any = None, dx: Any = 1.0, axis: Any = -1, initial: Any = None
) -> Any:
    rows = last(y, axis)
    areas = steps(places(x, axis), dx) * (rows[..., 1:] + rows[..., :-1]) / 2
    sums = np.cumsum(areas, axis=-1)
    if initial is not None:
        sums = np.concatenate((np.zeros_like(rows[..., :1]), sums), axis=-1)
    return sums if axis == -1 or np.ndim(y) == 1 else np.moveaxis(sums, -1, axis)


@composed(integrate.simpson)
def simpson(y: Any, x: Any = None, *, dx: Any = 1.0, axis: Any = -1) -> Any:
    rows = last(y, axis)
    count = np.shape(rows)[-1]
    if x is None and count % 2 == 1:
        return (
            dx
            / 3
            * np.sum(rows[..., :-2:2] + 4 * rows[..., 1::2] + rows[..., 2::2], -1)
        )
    # SciPy divides steps in double precision.
    h = np.full(count - 1, dx) if x is None else np.diff(last(x, axis)).astype(float)
    if count == 2:
        return h[..., 0] * (rows[..., 0] + rows[..., 1]) / 2
    if count % 2 == 1:
        return of_pairs(rows, h)
    # An even number of samples: the last interval by the parabola through three of
    # them (K. Cartwright, "Simpson's rule cumulative integration with MS Excel and
    # irregularly-spaced data", 2017).
    a, b = h[..., -2], h[..., -1]
    end = rows[..., -1] * (2 * b**2 + 3 * a * b) / (6 * (a + b))
    middle = rows[..., -2] * (b**2 + 3 * a * b) / (6 * a)
    start = rows[..., -3] * b**3 / (6 * a * (a + b))
    return of_pairs(rows[..., :-1], h[..., :-1]) + end + middle - start


def of_pairs(rows: Any, h: Any) -> Any:
    """Simpson's rule over pairs of intervals of widths `a` and `b`."""
    a, b = h[..., ::2], h[..., 1::2]
    first, middle, end = rows[..., :-2:2], rows[..., 1:-1:2], rows[..., 2::2]
    areas = first * (2 - b / a) + middle * (a + b) ** 2 / (a * b) + end * (2 - a / b)
    return np.sum((a + b) / 6 * areas, axis=-1)


refused(
    (integrate.quad, integrate.odeint, integrate.solve_ivp),
    "the function that it calls is not differentiated; write the steps of the method as "
    "a loop, or put the call into a function with a `custom_vjp`",
)
