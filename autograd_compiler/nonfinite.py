"""The checks of `debug_nans`, which generated code calls; they are emitted along with it."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd_compiler.errors import NonFiniteError


def check_finite(
    value: Any, name: str, operation: str, place: str, *inputs: Any
) -> None:
    """Refuse a NaN or an infinity that the operation has made of other numbers."""
    kind = ""
    if holds(np.isnan, value) and not holds(np.isnan, inputs):
        kind = "a NaN"
    elif holds(np.isinf, value) and not holds(is_not_finite, inputs):
        kind = "an infinity"
    if kind:
        raise NonFiniteError(f"{kind} appears in {name}, made by {operation}, {place}")


def not_finite_in(given: dict[str, Any]) -> list[str]:
    """The names of those that hold a NaN or an infinity."""
    return [name for name, value in given.items() if holds(is_not_finite, value)]


def check_result(value: Any, name: str, came_in: list[str], place: str) -> None:
    """Refuse a result that holds a NaN or an infinity which no operation has made."""
    if holds(is_not_finite, value):
        source = f"appeared in a write in place, {place}"
        if came_in:
            source = f"came in with {' and '.join(came_in)}"
        raise NonFiniteError(f"a NaN or an infinity is in {name}; it {source}")


def is_not_finite(array: Any) -> Any:
    """Where an array has a NaN or an infinity."""
    return ~np.isfinite(array)


def holds(test: Any, value: Any) -> bool:
    """Whether a number, or one in an array or container, passes a test."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, (list, tuple)):
        return any(holds(test, item) for item in value)
    if not isinstance(value, (float, complex, np.inexact, np.ndarray)):
        return False
    found = np.asarray(value)
    return found.dtype.kind in "fc" and bool(np.any(test(found)))
