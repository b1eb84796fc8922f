"""Operators that call a function of the user, as the loops that they stand for."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd_compiler.rules.calculus import axes_of_gradient
from autograd_compiler.rules.registry import composed


@composed(np.apply_along_axis)
def apply_along_axis(
    func1d: Any, axis: Any, arr: Any, *args: Any, **kwargs: Any
) -> Any:
    rows = np.moveaxis(arr, axis, -1)
    flat = np.reshape(rows, (-1, np.shape(rows)[-1]))
    results = []
    for k in range(np.shape(flat)[0]):
        results.append(func1d(flat[k], *args, **kwargs))
    joined = np.array(results)
    shaped = np.reshape(joined, np.shape(rows)[:-1] + np.shape(joined)[1:])
    if np.ndim(joined) == 1:
        return shaped
    if np.ndim(joined) > 2:
        raise TypeError("np.apply_along_axis: the function gives a number or a vector")
    return np.moveaxis(shaped, -1, axis)


@composed(np.apply_over_axes)
def apply_over_axes(func: Any, a: Any, axes: Any) -> Any:
    value = a
    for axis in axes_of_gradient(axes, np.ndim(a)):
        reduced = func(value, axis)
        if np.ndim(reduced) < np.ndim(value):
            value = np.expand_dims(reduced, axis)
        else:
            value = reduced
    return value


@composed(np.fromfunction)
def fromfunction(
    function: Any, shape: Any, *, dtype: Any = float, **kwargs: Any
) -> Any:
    grids = np.indices(shape, dtype)
    return function(*[grids[k] for k in range(len(shape))], **kwargs)


@composed(np.piecewise)
def piecewise(x: Any, condlist: Any, funclist: Any, *args: Any, **kwargs: Any) -> Any:
    if np.ndim(x) == 0:
        raise TypeError("np.piecewise of a number: write `if` and `else`")
    if not isinstance(condlist, (list, tuple)) and np.ndim(condlist) == 1:
        return piecewise(x, [condlist], funclist, *args, **kwargs)
    value = np.zeros_like(x)
    if len(funclist) > len(condlist):
        rest = ~np.any(np.array(condlist), 0)
        value[rest] = part_of(x[rest], funclist[len(condlist)], args, kwargs)
    for k in range(len(condlist)):
        mask = condlist[k]
        value[mask] = part_of(x[mask], funclist[k], args, kwargs)
    return value


def part_of(x: Any, function: Any, args: Any, kwargs: Any) -> Any:
    if callable(function):
        return function(x, *args, **kwargs)
    return function
