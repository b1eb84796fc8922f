"""Sums whose order is open, as that of NumPy's is."""

from __future__ import annotations

from typing import Any

from autograd_compiler.backend.vector.inlined import inlined


@inlined("reassoc")
def plus(total: Any, term: Any) -> Any:
    """total + term; terms may be added in any order, so several at a time."""
    return total + term
