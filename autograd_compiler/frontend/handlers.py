"""The table of calls that are lowered in a way of their own, by the function called."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from autograd_compiler.frontend.values import Value

if TYPE_CHECKING:
    from autograd_compiler.frontend.lower import Lowering

Keywords = dict[str, Value]
Handler = Callable[["Lowering", tuple[Value, ...], Keywords, ast.AST], Value]

HANDLERS: dict[Any, Handler] = {}


def handles(*functions: Any) -> Callable[[Handler], Handler]:
    """Register the decorated function for the calls of these."""

    def add(handler: Handler) -> Handler:
        HANDLERS.update(dict.fromkeys(functions, handler))
        return handler

    return add
