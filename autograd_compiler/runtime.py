"""The few helpers that generated code may call; they are emitted along with it.

They serve what is not known when compiling: whether a value was broadcast, whether it
is a number or an array.  Where types are known, generated code has none of them.
"""

from __future__ import annotations

from typing import Any

import numpy as np


def zeros_like(value: Any) -> Any:
    """Zeros in the form of a value: the adjoint of something nothing depends on yet."""
    if isinstance(value, (list, tuple)):
        return [zeros_like(item) for item in value]
    if isinstance(value, dict):
        return {key: zeros_like(item) for key, item in value.items()}
    if isinstance(value, np.ndarray) and value.ndim:
        return np.zeros_like(value)
    return 0.0


def unbroadcast(adjoint: Any, value: Any) -> Any:
    """Sum an adjoint over the axes along which a value was broadcast."""
    if np.iscomplexobj(adjoint) and not np.iscomplexobj(value):
        adjoint = np.real(adjoint)
    shape = np.shape(value)
    if np.shape(adjoint) == shape:
        return adjoint
    extra = np.ndim(adjoint) - len(shape)
    adjoint = np.sum(adjoint, axis=tuple(range(extra)))
    for axis in range(len(shape)):
        if shape[axis] == 1:
            adjoint = np.sum(adjoint, axis=axis, keepdims=True)
    return adjoint


def copied(value: Any) -> Any:
    """A copy of an array, which nothing else refers to; a number as it is."""
    return np.copy(value) if np.ndim(value) else value + 0.0


def add(first: Any, second: Any) -> Any:
    """Add adjoints of any form."""
    if isinstance(first, list):
        return [add(a, b) for a, b in zip(first, second, strict=True)]
    if isinstance(first, dict):
        return {key: add(first[key], second[key]) for key in first}
    return first + second


def last_writes(adjoint: Any, index: Any) -> Any:
    """The adjoint of the value in `a[index] = value`, where places may repeat.

    NumPy lets the last write to a place win, so earlier ones get zero.
    """
    picked = adjoint[index]
    if isinstance(adjoint, (list, dict)):
        return picked
    order = np.arange(1, np.size(picked) + 1).reshape(np.shape(picked))
    winner = np.zeros(np.shape(adjoint), dtype=int)
    winner[index] = order
    return picked * (winner[index] == order)


zeros_like.__form_only__ = True  # type: ignore[attr-defined]
