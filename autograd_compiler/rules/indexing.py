"""Rules that select elements by position; subscripts are the compiler's own."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd_compiler.rules.registry import general, linear
from autograd_compiler.rules.static import axes_range


def positions_in(a: Any) -> Any:
    """An array in the shape of `a` that numbers its elements."""
    return np.reshape(np.arange(np.size(a)), np.shape(a))


def scattered(d_y: Any, positions: Any, a: Any) -> Any:
    """The adjoint of `np.ravel(a)[positions]`, which may repeat elements."""
    if np.ndim(a) == 0:
        return np.sum(d_y)
    if np.ndim(a) == 1:
        d_a = np.zeros_like(a)
        np.add.at(d_a, positions, d_y)
        return d_a
    d_flat = np.zeros(np.size(a), a.dtype)
    np.add.at(d_flat, positions, d_y)
    return np.reshape(d_flat, np.shape(a))


@linear(np.take, wrt="a")
def take_adjoint(
    d_y: Any,
    a: Any,
    indices: Any,
    axis: Any = None,
    out: Any = None,
    mode: Any = "raise",
) -> Any:
    if axis is None:
        return scattered(d_y, within(indices, np.size(a), mode), a)
    inside = within(indices, np.shape(a)[axis], mode)
    if axis == 0:
        d_a = np.zeros_like(a)
        np.add.at(d_a, inside, d_y)
        return d_a
    if axis == -1:
        d_a = np.zeros_like(a)
        np.add.at(d_a, (..., inside), d_y)  # type: ignore[arg-type]
        return d_a
    # The indexed axis goes to the front, in `d_y` all axes of the indices.
    d_moved = np.zeros_like(np.moveaxis(a, axis, 0))
    first = axis % np.ndim(a)
    source = axes_range(first, first + np.ndim(indices))
    d_rows = np.moveaxis(d_y, source, axes_range(0, np.ndim(indices)))
    np.add.at(d_moved, inside, d_rows)
    return np.moveaxis(d_moved, 0, axis)


def within(indices: Any, size: Any, mode: Any) -> Any:
    """The indices that `np.take` uses for these, by its mode."""
    if mode == "raise":
        return indices
    if mode == "wrap":
        return np.mod(indices, size)
    return np.clip(indices, 0, size - 1)


@linear(np.take_along_axis, wrt="arr")
def take_along_axis_adjoint(d_y: Any, arr: Any, indices: Any, axis: Any = -1) -> Any:
    if np.ndim(arr) == 1:
        return scattered(d_y, indices, arr)
    return scattered(d_y, np.take_along_axis(positions_in(arr), indices, axis), arr)


@linear(np.compress, wrt="a")
def compress_adjoint(
    d_y: Any, condition: Any, a: Any, axis: Any = None, out: Any = None
) -> Any:
    return scattered(d_y, np.compress(condition, positions_in(a), axis), a)


@linear(np.extract, wrt="arr")
def extract_adjoint(d_y: Any, condition: Any, arr: Any) -> Any:
    return scattered(d_y, np.flatnonzero(condition), arr)


@linear(np.choose, wrt="choices")
def choose_adjoint(
    d_y: Any, a: Any, choices: Any, out: Any = None, mode: Any = "raise"
) -> Any:
    if isinstance(choices, np.ndarray):
        raise TypeError("np.choose: pass the choices as a list of arrays")
    chosen = within(a, len(choices), mode)
    return [np.where(chosen == k, d_y, 0) for k in range(len(choices))]


@linear(np.select, wrt="choicelist default")
def select_adjoint(d_y: Any, condlist: Any, choicelist: Any, default: Any = 0) -> Any:
    count = len(choicelist)
    chosen = np.select(condlist, list(range(count)), count)
    d_choices = [np.where(chosen == k, d_y, 0) for k in range(count)]
    return d_choices, np.where(chosen == count, d_y, 0)


# ---------------------------------------------------------------- sorting


def sort_tangent(
    a: Any, axis: Any, kind: Any, order: Any, stable: Any, d_a: Any
) -> Any:
    if np.ndim(a) == 1:
        return d_a[np.argsort(a)]
    if axis is None:
        return np.ravel(d_a)[np.argsort(a, axis=None)]
    return np.take_along_axis(d_a, np.argsort(a, axis), axis)


@general(np.sort, wrt="a", tangent=sort_tangent)
def sort_adjoint(
    d_y: Any,
    a: Any,
    axis: Any = -1,
    kind: Any = None,
    order: Any = None,
    *,
    stable: Any = None,
) -> Any:
    if np.ndim(a) == 1:
        d_a = np.zeros_like(a)
        d_a[np.argsort(a)] = d_y
        return d_a
    if axis is None:
        return np.reshape(d_y[np.argsort(np.argsort(a, axis=None))], np.shape(a))
    ranks = np.argsort(np.argsort(a, axis), axis)
    return np.take_along_axis(d_y, ranks, axis)


# What `np.partition` leaves unspecified is read off its result: both are the same numbers
# in some order, and each is sorted by an order of its own.


def partition_tangent(y: Any, a: Any, kth: Any, axis: Any, kind: Any, d_a: Any) -> Any:
    if axis is None:
        return partition_tangent(y, np.ravel(a), kth, -1, kind, np.ravel(d_a))
    ranks = np.argsort(np.argsort(y, axis), axis)
    return np.take_along_axis(
        d_a, np.take_along_axis(np.argsort(a, axis), ranks, axis), axis
    )


@general(np.partition, wrt="a", tangent=partition_tangent)
def partition_adjoint(
    d_y: Any, y: Any, a: Any, kth: Any, axis: Any = -1, kind: Any = "introselect"
) -> Any:
    if axis is None:
        d_flat = partition_adjoint(d_y, y, np.ravel(a), kth)
        return np.reshape(d_flat, np.shape(a))
    ranks = np.argsort(np.argsort(a, axis), axis)
    return np.take_along_axis(
        d_y, np.take_along_axis(np.argsort(y, axis), ranks, axis), axis
    )
