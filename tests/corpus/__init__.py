"""Tiny programs, each showing one thing, that everything is run through.

A program is an ordinary function with example arguments.  The arguments lie away from
kinks and from the edges of domains, so that central differences are a fair judge.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

F = TypeVar("F", bound=Callable[..., Any])


@dataclass(frozen=True, eq=False)
class Program:
    """A function with example arguments, and what may be expected of it.

    Attributes
    ----------
    smooth
        Second derivatives are checked too; false only where they have a kink.
    numba
        Numba could be expected to compile it.
    forward
        The forward mode is checked too.
    """

    function: Callable[..., Any]
    args: tuple[Any, ...]
    argnums: int | str | tuple[int, ...] | tuple[str, ...] = 0
    smooth: bool = True
    numba: bool = True
    kwargs: dict[str, Any] = field(default_factory=dict)
    forward: bool = True

    @property
    def name(self) -> str:
        module = self.function.__module__.rpartition(".")[2]
        return f"{module}.{self.function.__name__}"


ALL: list[Program] = []


def program(*args: Any, **options: Any) -> Callable[[F], F]:
    """Register the decorated function with these arguments; it stays as it is."""

    def register(function: F) -> F:
        ALL.append(Program(function, args, **options))
        return function

    return register


for _module in pkgutil.iter_modules(__path__):
    importlib.import_module(f"{__name__}.{_module.name}")
