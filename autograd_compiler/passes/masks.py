"""Keeping what an untaken branch of `np.where` computes out of the derivative.

Note [Masks].  In `np.where(x > 0, np.sqrt(x), 0)` the square root is taken of everything,
and its derivative is infinite at 0.  The adjoint of the root is zero there, as it is not
chosen; but the chain rule would multiply: `0 * inf` is nan.  So the choice is made last:
an elementwise operator is reversed with the adjoint before the choice, and the choice is
made of the product,

    d_x = np.where(x > 0, d_y * 0.5 / np.sqrt(x), 0)

rather than `np.where(x > 0, d_y, 0) * 0.5 / np.sqrt(x)`.  It is the same number of
operations, equal wherever both are finite, and 0 where nothing was chosen.  The choice
stays where something mixes elements (a sum, a product of matrices, a subscript), or where
several contributions are added.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from autograd_compiler import ir
from autograd_compiler.builder import Builder
from autograd_compiler.rules.registry import Rule

# Elementwise and no ufuncs.
_ELEMENTWISE = frozenset({abs, np.where, np.real, np.imag, np.nan_to_num, np.copy})


@dataclass(frozen=True)
class Choice:
    """`np.where(condition, value, 0)`, or with value and 0 the other way round."""

    condition: ir.Operand
    if_true: bool

    def of(self, builder: Builder, value: ir.Operand) -> ir.Operand:
        zero = ir.Const(0)
        sides = (value, zero) if self.if_true else (zero, value)
        return builder.apply(np.where, self.condition, *sides)


@dataclass(frozen=True)
class Masked:
    """An adjoint as the choices, outermost first, that were made of another one."""

    choices: tuple[Choice, ...]
    value: ir.Operand

    def remade(self, builder: Builder) -> ir.Operand:
        value = self.value
        for choice in reversed(self.choices):
            value = choice.of(builder, value)
        return value


def commutes(op: ir.Apply, rule: Rule) -> bool:
    """Whether a choice among elements may be made after the operator's adjoint."""
    if len(op.targets) != 1:
        return False
    elementwise = rule.kind == "partials" or isinstance(op.fn, np.ufunc)
    return elementwise and op.fn is not np.matmul or _in(op.fn, _ELEMENTWISE)


def _in(fn: object, known: frozenset[object]) -> bool:
    return any(fn is other for other in known)


def unmasked(value: ir.Operand, ops: Sequence[ir.Operation]) -> Masked | None:
    """What a value chose from, if one of the operations made it with a choice."""
    choices: list[Choice] = []
    for op in reversed(ops):
        if not isinstance(op, ir.Apply) or op.fn is not np.where:
            continue
        if op.target is value and len(op.args) == 3:
            condition, first, second = op.args
            if _is_zero(second):
                choices.append(Choice(condition, True))
                value = first
            elif _is_zero(first):
                choices.append(Choice(condition, False))
                value = second
    return Masked(tuple(choices), value) if choices else None


def _is_zero(operand: ir.Operand) -> bool:
    return isinstance(operand, ir.Const) and operand.value == 0
