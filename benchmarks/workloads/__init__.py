"""The programs that are measured, written as a NumPy user writes them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

SIZES = ("small", "medium", "large")


@dataclass(frozen=True)
class Workload:
    """A function of one number to differentiate, with arguments in three sizes.

    Attributes
    ----------
    primal : callable
        The function.
    argnums : tuple of int
        The arguments it is differentiated in.
    arguments : callable
        From a random generator and one of `sizes` to the arguments.
    sizes : mapping
        What "small", "medium" and "large" mean here.
    traceable : bool
        Whether a tool that traces NumPy calls can follow it: no array is written, no
        function of `math` called.
    """

    primal: Callable[..., Any]
    argnums: tuple[int, ...]
    arguments: Callable[[np.random.Generator, Any], tuple[Any, ...]]
    sizes: Mapping[str, Any]
    traceable: bool = True

    @property
    def name(self) -> str:
        return self.primal.__name__

    def make(self, size: str) -> tuple[Any, ...]:
        return self.arguments(np.random.default_rng(0), self.sizes[size])


def sized(small: Any, medium: Any, large: Any) -> Mapping[str, Any]:
    return dict(zip(SIZES, (small, medium, large), strict=True))
