"""Where a derivative would be lost without a word: through text, or through objects."""

from __future__ import annotations

from collections.abc import Iterable

from autograd_compiler import ir
from autograd_compiler.analysis.activity import is_text, useful_vars, varied_vars
from autograd_compiler.errors import UnsupportedError
from autograd_compiler.rules.registry import rule_of
from autograd_compiler.types import DictOf, Opaque, is_inexact


def refuse_lost_derivatives(
    body: ir.Block, inputs: Iterable[ir.Var], outputs: Iterable[ir.Var]
) -> None:
    """Refuse calls that turn values with derivatives into ones without.

    `print(f"{x}")` is fine, and `float(f"{x}")` is not: it gives a number that depends
    on `x` and would have no derivative.
    """
    varied = varied_vars(body, inputs)
    useful = useful_vars(body, outputs)
    text = varied_vars(body, inputs, through_text=True) - varied
    for op in ir.walk(body):
        if not isinstance(op, ir.Apply) or op.fn is getattr:
            continue
        leaves = [leaf for operand in ir.operands(op) for leaf in ir.leaves(operand)]
        from_text = any(leaf in text for leaf in leaves)
        if not from_text and not any(leaf in varied for leaf in leaves):
            continue
        for target in op.targets:
            kind = target.type
            if target not in useful or is_text(kind):
                continue
            if from_text and is_inexact(kind):
                raise UnsupportedError(
                    "a number is made from text (`str`) that depends on the input, "
                    "which loses its derivative",
                    op.span,
                    "use the number itself",
                )
            if isinstance(kind, Opaque) and not _is_harmless(op):
                raise UnsupportedError(
                    f"there is no derivative rule for `{_name(op.fn)}`: it gives "
                    "objects, which have no derivative",
                    op.span,
                    "write it with NumPy's functions of floats",
                )


def _is_harmless(op: ir.Apply) -> bool:
    """Whether what a call gives says nothing of the numbers: the keys of a dict."""
    if op.fn is list:
        return any(isinstance(var.type, DictOf) for var in ir.leaves(op.args[0]))
    return rule_of(op.fn) is not None


def _name(fn: object) -> str:
    name = getattr(fn, "__name__", None) or getattr(fn, "name", None)
    return str(name) if name else "this function"
