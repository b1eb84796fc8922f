"""The pass: calls in loops become functions that vectorise."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeAlias

import numpy as np

from autograd_compiler import ir
from autograd_compiler.backend.vector import exponentials, logarithms, trigonometric
from autograd_compiler.types import Array, Scalar, dtype_of

Table: TypeAlias = "dict[int, Callable[..., Any]]"  # by the id of what is replaced


def _table(pairs: dict[Callable[..., Any], tuple[Callable[..., Any], ...]]) -> Table:
    return {id(fn): ours for ours, fns in pairs.items() for fn in fns}


_FUNCTIONS = _table(
    {
        exponentials.vector_exp: (np.exp, math.exp),
        exponentials.vector_exp2: (np.exp2,),
        exponentials.vector_expm1: (np.expm1, math.expm1),
        exponentials.vector_tanh: (np.tanh, math.tanh),
        exponentials.vector_sinh: (np.sinh, math.sinh),
        exponentials.vector_cosh: (np.cosh, math.cosh),
        logarithms.vector_log: (np.log, math.log),
        logarithms.vector_log1p: (np.log1p, math.log1p),
        logarithms.vector_log2: (np.log2, math.log2),
        logarithms.vector_log10: (np.log10, math.log10),
        trigonometric.vector_arctan: (np.arctan, math.atan),
    }
)
# Right for all numbers but the largest.
_FAST = _FUNCTIONS | _table(
    {
        trigonometric.vector_sin: (np.sin, math.sin),
        trigonometric.vector_cos: (np.cos, math.cos),
    }
)

_WORTH = 4  # iterations: fewer than these fill no vector


def vectorise(module: ir.Module, fastmath: bool = False) -> ir.Module:
    """Exponentials and the like in innermost loops as functions that LLVM inlines.

    Before::

        for i in range(n):
            y[i] = np.exp(x[i])

    After::

        for i in range(n):
            y[i] = vector_exp(x[i])

    A number at a time, the C library's functions are the faster ones.  They stay outside
    of loops, and in loops where an argument depends on the iteration before.  So do
    those whose replacement does not hold for all numbers, but for `fastmath`.
    """
    table = _FAST if fastmath else _FUNCTIONS
    functions = (replace(f, body=_block(f.body, table)) for f in module.functions)
    return ir.Module(tuple(functions))


def _block(block: ir.Block, table: Table) -> ir.Block:
    def change(block: ir.Block) -> ir.Block:
        ops = tuple(ir.rebuild_op(op, _same, change) for op in block.ops)
        return ir.Block(tuple(map(changed, ops)), block.results)

    def changed(op: ir.Operation) -> ir.Operation:
        if isinstance(op, ir.For) and _is_innermost(op):
            return _loop(op, table)
        return op

    return change(block)


def _same(var: ir.Var) -> ir.Var:
    return var


def _is_innermost(loop: ir.For) -> bool:
    if isinstance(loop.start, ir.Const) and isinstance(loop.stop, ir.Const):
        if abs(loop.stop.value - loop.start.value) < _WORTH:
            return False
    plain = (ir.Apply, ir.Load, ir.Store, ir.If)
    return not loop.breaks and all(isinstance(op, plain) for op in ir.walk(loop.body))


def _loop(loop: ir.For, table: Table) -> ir.For:
    if not any(_ours(op, table) for op in ir.walk(loop.body)):
        return loop
    bound = _Recurrence(loop).bound

    def change(block: ir.Block) -> ir.Block:
        ops = tuple(ir.rebuild_op(op, _same, change) for op in block.ops)
        return ir.Block(tuple(map(changed, ops)), block.results)

    def changed(op: ir.Operation) -> ir.Operation:
        ours = _ours(op, table)
        if ours is None or bound.intersection(ir.uses(op)):
            return op
        assert isinstance(op, ir.Apply)
        return replace(op, fn=ours, style="function")

    return replace(loop, body=change(loop.body))


def _ours(op: ir.Operation, table: Table) -> Callable[..., Any] | None:
    """What stands for a call, if it is one of a number in double precision."""
    if not isinstance(op, ir.Apply) or len(op.args) != 1 or op.kwargs:
        return None
    (arg,) = op.args
    if not isinstance(arg, ir.Var) or not isinstance(arg.type, Scalar):
        return None
    if dtype_of(arg.type) != "float64":
        return None
    return table.get(id(op.fn))


class _Recurrence:
    """Which variables of a loop's body depend on the iteration before.

    Attributes
    ----------
    bound : set
        These variables.  What is read from an array that the loop writes is one of them,
        unless it is read at the place that this iteration writes.
    """

    def __init__(self, loop: ir.For) -> None:
        self._made: dict[ir.Var, ir.Operation] = {}
        self._origin = {p: p for p in loop.params if isinstance(p.type, Array)}
        self._written: dict[ir.Var, set[object]] = {}
        self.bound = {p for p in loop.params if not isinstance(p.type, Array)}
        ops = list(ir.walk(loop.body))
        for op in ops:
            self._made.update((target, op) for target in ir.targets(op))
            if isinstance(op, ir.Store) and op.base in self._origin:
                origin = self._origin[op.target] = self._origin[op.base]
                self._written.setdefault(origin, set()).add(self._place(op.path))
        for op in ops:
            self._follow(op)

    def _follow(self, op: ir.Operation) -> None:
        bound = bool(self.bound.intersection(ir.uses(op)))
        match op:
            case ir.Load(base=base) if base in self._origin:
                written = self._written.get(self._origin[base], set())
                bound |= bool(written - {self._place(op.path)})
            case ir.If():
                bound |= any(
                    self.bound.intersection(ir.block_uses(block))
                    for block in ir.blocks(op)
                )
        if bound:
            self.bound.update(ir.targets(op))

    def _place(self, path: ir.Path) -> object:
        return tuple(map(self._key, ir.path_operands(path)))

    def _key(self, operand: ir.Operand) -> object:
        """Equal for operands that are computed alike."""
        match operand:
            case ir.Const(value):
                return type(value), repr(value)
            case ir.Pack(items):
                return tuple(map(self._key, items))
            case ir.Var() if isinstance(made := self._made.get(operand), ir.Apply):
                return id(made.fn), *map(self._key, made.args)
        return operand
