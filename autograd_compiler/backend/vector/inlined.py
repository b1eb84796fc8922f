"""How Numba compiles the functions of this folder: into the loop that calls them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

F = TypeVar("F", bound=Callable[..., Any])

OPTIONS = "numba_options"


def inlined(*flags: str) -> Callable[[F], F]:
    """Have LLVM inline a function, and compile its arithmetic under some fast-math flags.

    The flags hold for the function alone and not for what it is inlined into.
    "contract" lets a product and a sum become one instruction where the machine has it:
    what a kernel computes is right either way.
    """

    def mark(function: F) -> F:
        allowed = ", ".join(f'"{flag}"' for flag in flags)
        setattr(
            function,
            OPTIONS,
            f'error_model="numpy", fastmath={{{allowed}}}, forceinline=True',
        )
        return function

    return mark
