"""Helpers of the rules that run when compiling.

A function marked `static` works on facts known when compiling: subscripts, axes,
numbers of dimensions.  The compiler calls it and puts what it returns in its place.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np

Helper = TypeVar("Helper", bound=Callable[..., Any])


def static(function: Helper) -> Helper:
    """Mark a function of constants that is called when compiling."""
    function.__static__ = True  # type: ignore[attr-defined]
    return function


def existing(*names: str) -> tuple[Callable[..., Any], ...]:
    """The NumPy functions of these names that the installed version has.

    Examples
    --------
    >>> existing("linalg.inv", "no_such_function") == (np.linalg.inv,)
    True
    """
    found = []
    for name in names:
        owner: Any = np
        for part in name.split("."):
            owner = getattr(owner, part, None)
        if owner is not None:
            found.append(owner)
    return tuple(found)


def those_of(module: Any, names: str) -> tuple[Callable[..., Any], ...]:
    """The functions of these names that the installed version of a module has.

    Examples
    --------
    >>> those_of(np.linalg, "inv no_such_function") == (np.linalg.inv,)
    True
    """
    found = [getattr(module, name, None) for name in names.split()]
    return tuple(function for function in found if function is not None)


@static
def numpy_major() -> int:
    """The major version of NumPy."""
    return int(np.__version__.split(".")[0])


@static
def as_tuple(axes: int | tuple[int, ...] | list[int]) -> tuple[int, ...]:
    """One axis or several, as a tuple."""
    return tuple(axes) if isinstance(axes, (tuple, list)) else (axes,)


@static
def axes_range(start: int, stop: int) -> tuple[int, ...]:
    """The axes from `start` up to `stop`.

    Examples
    --------
    >>> axes_range(1, 3)
    (1, 2)
    """
    return tuple(range(start, stop))


@static
def other_axes(axis: int | tuple[int, ...], ndim: int) -> tuple[int, ...]:
    """All axes but one, or but some.

    Examples
    --------
    >>> other_axes(-2, 3)
    (0, 2)
    """
    left_out = [own % ndim for own in as_tuple(axis)]
    return tuple(axis for axis in range(ndim) if axis not in left_out)


@static
def inverse_permutation(axes: tuple[int, ...]) -> tuple[int, ...]:
    """The order of axes that undoes a transposition.

    Examples
    --------
    >>> inverse_permutation((1, 2, 0))
    (2, 0, 1)
    """
    normal = [axis % len(axes) for axis in axes]
    return tuple(normal.index(axis) for axis in range(len(axes)))
