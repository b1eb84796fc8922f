"""Functions that are run more than once in one derivative, as for each column.

What runs again must give the same result again: effects are refused, and arguments that
the function writes are copied for it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from autograd_compiler import ir, nested
from autograd_compiler.analysis.effects import changes_state
from autograd_compiler.errors import ArgumentError, render
from autograd_compiler.operands import type_of_operand
from autograd_compiler.specialise import Specialised
from autograd_compiler.types import Opaque

Values = Mapping[str, Any]


def first_effect(value: Specialised) -> ir.Apply | None:
    """An operation whose result may be another one when the function is run again."""
    primal = value.lowered.primal
    for function in (*primal.helpers, primal.function):
        for op in ir.walk(function.body):
            if isinstance(op, ir.Apply) and changes_state(op) and not _of_text(op):
                return op
    return None


def _of_text(op: ir.Apply) -> bool:
    """Whether this is a method of a string, which changes nothing."""
    owner = type_of_operand(op.args[0]) if op.args else None
    return isinstance(op.fn, ir.Method) and owner == Opaque(str)


def refuse_effects(
    low: Any, value: Specialised, function: str, how_often: str, node: Any
) -> None:
    effect = first_effect(value)
    if effect is not None:
        raise refusal(
            low,
            node,
            f"`{function}` is run {how_often}, and line {effect.span.line} of it "
            f"(`{effect.span.statement}`) may give another result each time",
            "use `jacrev`, which runs it once, or pass the value in as an argument",
        )


def again(low: Any, value: Specialised, node: Any) -> Callable[[Values], Values]:
    """What makes the arguments ready for one more run of the function."""
    if not value.lowered.primal.written:
        return lambda values: values
    return lambda values: {
        name: nested.copied(low, item, node) for name, item in values.items()
    }


def refusal(low: Any, node: Any, message: str, hint: str) -> ArgumentError:
    return ArgumentError(render(message, low.span(node), hint))
