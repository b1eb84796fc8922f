"""Sizes and shapes are asked of what has a name."""

from __future__ import annotations

import operator
from dataclasses import replace

import numpy as np

from autograd_compiler import ir
from autograd_compiler.analysis.effects import Fact
from autograd_compiler.passes.simplify.facts import (
    fills,
)
from autograd_compiler.passes.simplify.work import Work
from autograd_compiler.types import Array, Dim, Scalar, TupleOf


def of_a_named_value(work: Work, op: ir.Apply) -> ir.Apply | None:
    """The size of a temporary, asked of an operand of the same shape instead."""
    asked = op.fn is getattr and len(op.args) == 2 and isinstance(op.args[1], ir.Const)
    if asked and op.args[1].value not in ("shape", "size"):  # type: ignore[union-attr]
        return None
    if not asked and not (op.fn in (np.shape, np.size) and len(op.args) == 1):
        return None
    var = op.args[0]
    if not isinstance(var, ir.Var) or var.name:
        return None
    source = same_shape(work, var, 6)
    if source is not None:
        return replace(op, args=(source, *op.args[1:]))
    if op.fn is np.size and isinstance(var.type, Array) and var.type.ndim == 1:
        return length_of(work, op, var, var.type.dims[0])
    return None


def length_of(
    work: Work, op: ir.Apply, var: ir.Var, dim: Dim | None
) -> ir.Apply | None:
    """The length of a vector, as that of an axis of what it is made from."""
    waiting = [var]
    while waiting and dim is not None:
        made, _ = work.made.get(waiting.pop(0), (None, ()))
        for arg in made.args if made is not None else ():
            if not isinstance(arg, ir.Var) or not isinstance(arg.type, Array):
                continue
            waiting.append(arg)
            axes = [k for k, size in enumerate(arg.type.dims) if dim.same(size)]
            written = work.memory.aliases.has(arg, Fact.WRITTEN)
            if arg.name and axes and not written:
                lengths = TupleOf((Scalar("int64"),) * arg.type.ndim)
                shape = replace(
                    op,
                    targets=(ir.Var("", lengths),),
                    fn=getattr,
                    args=(arg, ir.Const("shape")),
                )
                work.before.append(shape)
                return replace(
                    op, fn=operator.getitem, args=(shape.target, ir.Const(axes[0]))
                )
    return None


def same_shape(work: Work, var: ir.Var, depth: int) -> ir.Var | None:
    """A variable with a name and the shape of a temporary that is made from it."""
    if var not in work.made or not depth:
        return None
    op, _ = work.made[var]
    for arg in op.args:
        if not isinstance(arg, ir.Var) or not fills(arg.type, var.type):
            continue
        if arg.name and not work.memory.aliases.has(arg, Fact.WRITTEN):
            return arg
        found = same_shape(work, arg, depth - 1)
        if found is not None:
            return found
    return None
