"""Writes that are updates: `a[s] = a[s] + e` is `a[s] += e`.

The reverse of a write is longer than that of an update: the adjoint of what was written
is copied, cleared and partly added back.  So what the user spells as a write is made an
update before it is reversed, and what is left of clearing and adding is made a write.

Only basic indices count, which name each element once; see Note [Buffers] in
`analysis/effects.py` for what may share memory.
"""

from __future__ import annotations

import operator
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from autograd_compiler import ir
from autograd_compiler.analysis.effects import (
    Memory,
    is_exact_view,
    is_fresh,
    memory_of,
)
from autograd_compiler.operands import type_of_operand
from autograd_compiler.types import Array, Scalar, dtype_of

_Place = tuple[object, ...]


def merge_updates(function: ir.Function) -> ir.Function:
    """Make writes of a sum with what was there updates, and the other way round.

    Before::

        t = u[1:-1]
        t_1 = t + e
        u[1:-1] = t_1

    After::

        u[1:-1] += e

    and in the reverse sweep `d_u[s] = 0.0; d_u[s] += e` becomes `d_u[s] = e`.

    >>> import operator
    >>> u, e, t, total, new = (ir.Var(n, Array("float64", (None,))) for n in "uetsu")
    >>> s = (ir.Index(ir.Slice(ir.Const(1), ir.Const(-1), ir.Const(None))),)
    >>> ops = (
    ...     ir.Load(ir.NOWHERE, t, u, s),
    ...     ir.Apply(ir.NOWHERE, (total,), operator.add, (t, e)),
    ...     ir.Store(ir.NOWHERE, new, u, s, total),
    ... )
    >>> params = (ir.Param("u", u), ir.Param("e", e))
    >>> function = ir.Function("f", params, ir.Block(ops, (new,)), ir.NOWHERE)
    >>> merge_updates(function).body.ops[-1].mode
    'add'
    """
    work = _Merger(memory_of(function), Counter(ir.block_uses(function.body)))
    body = work.block(function.body)
    return function if body is function.body else replace(function, body=body)


class _Merger:
    def __init__(self, memory: Memory, count: Mapping[ir.Var, int]) -> None:
        self._memory = memory
        self._count = count
        self._made: dict[ir.Var, ir.Operation] = {}

    def block(self, block: ir.Block) -> ir.Block:
        ops: list[ir.Operation] = []
        for op in block.ops:
            op = self._inside(op)
            if isinstance(op, ir.Store):
                op = self._cleared(op, ops) if op.adjoint else self._update(op, ops)
            ops.append(op)
            for target in ir.targets(op):
                self._made[target] = op
        same = len(ops) == len(block.ops) and all(map(operator.is_, ops, block.ops))
        return block if same else ir.Block(tuple(ops), block.results)

    def _inside(self, op: ir.Operation) -> ir.Operation:
        changed = {inner: self.block(inner) for inner in ir.blocks(op)}
        if all(before is after for before, after in changed.items()):
            return op
        return ir.rebuild_op(op, lambda var: var, lambda inner: changed[inner])

    # ------------------------------------------------------------ updates

    def _update(self, op: ir.Store, ops: list[ir.Operation]) -> ir.Store:
        """`a[s] = a[s] + e` and `a[s] = a[s] - e` as updates."""
        made = self._made.get(op.value) if isinstance(op.value, ir.Var) else None
        if op.mode != "set" or not isinstance(made, ir.Apply) or len(made.args) != 2:
            return op
        if made.fn not in (operator.add, operator.sub, np.add, np.subtract):
            return op
        if made.kwargs or not self._is_place(op) or not self._keeps_type(op, made):
            return op
        if self._count[made.target] != 1 or made not in ops:
            return op
        first, second = made.args
        subtracts = made.fn in (operator.sub, np.subtract)
        if self._reads(first, op) and self._is_apart(second, op):
            added = second
        elif self._reads(second, op) and self._is_apart(first, op) and not subtracts:
            added = first
        else:
            return op
        if subtracts and not _has_sign(added):
            return op
        position = ops.index(made)
        if not subtracts:
            del ops[position]
            return replace(op, mode="add", value=added)
        negated = ir.Var("", type_of_operand(added))
        ops[position] = replace(
            made, fn=operator.neg, args=(added,), targets=(negated,), style="function"
        )
        return replace(op, mode="add", value=negated)

    @staticmethod
    def _is_place(op: ir.Store) -> bool:
        """Whether the path is one basic index into an array."""
        if len(op.path) != 1 or not isinstance(op.path[0], ir.Index):
            return False
        whole = ir.Load(op.span, ir.Var(), op.base, (op.path[0],))
        return isinstance(op.base.type, Array) and is_exact_view(whole)

    @staticmethod
    def _keeps_type(op: ir.Store, made: ir.Apply) -> bool:
        """Whether the sum has the type of the elements, and these have a sign."""
        found = dtype_of(made.target.type)
        if not isinstance(op.base.type, Array) or found != op.base.type.dtype:
            return False
        return np.dtype(found).kind in "fc"

    def _reads(self, operand: ir.Operand, op: ir.Store) -> bool:
        """Whether an operand is what the place holds before the write."""
        made = self._made.get(operand) if isinstance(operand, ir.Var) else None
        if not isinstance(made, ir.Load) or made.base is not op.base:
            return False
        return place(made.path) == place(op.path)

    def _is_apart(self, operand: ir.Operand, op: ir.Store) -> bool:
        """Whether an operand shares no memory with what is written."""
        if not isinstance(operand, ir.Var) or isinstance(operand.type, Scalar):
            return True
        if not isinstance(operand.type, Array):
            return False
        aliases = self._memory.aliases
        return aliases.find(operand) is not aliases.find(op.base)

    # ------------------------------------------------------------ clearing

    def _cleared(self, op: ir.Store, ops: list[ir.Operation]) -> ir.Store:
        """`d[s] = 0.0; d[s] += e` as `d[s] = e`, at the place of the second."""
        if op.mode != "add" or not self._is_place(op):
            return op
        for position in range(len(ops) - 1, -1, -1):
            other = ops[position]
            if isinstance(other, ir.Store) and other.target is op.base:
                if not self._clears(other, op):
                    return op
                del ops[position]
                return replace(op, base=other.base, mode="set")
            if not self._leaves_alone(other, op):
                return op
        return op

    @staticmethod
    def _clears(other: ir.Store, op: ir.Store) -> bool:
        if other.mode != "set" or not isinstance(other.value, ir.Const):
            return False
        zero = isinstance(other.value.value, float) and other.value.value == 0.0
        return zero and place(other.path) == place(op.path)

    def _leaves_alone(self, other: ir.Operation, op: ir.Store) -> bool:
        """Whether an operation neither reads nor writes the buffer of a write."""
        if not isinstance(other, (ir.Apply, ir.Load)):
            return False
        if isinstance(other, ir.Apply) and not is_fresh(other):
            return False
        aliases = self._memory.aliases
        own = aliases.find(op.base)
        return all(
            aliases.find(v) is not own for v in self._memory.buffers(ir.operands(other))
        )


def _has_sign(operand: ir.Operand) -> bool:
    dtype = dtype_of(type_of_operand(operand))
    return dtype is not None and np.dtype(dtype).kind in "ifc"


def place(path: ir.Path) -> _Place:
    """A path as something to compare: equal ones name the same elements."""
    return tuple(_compared(operand) for operand in ir.path_operands(path))


def _compared(operand: ir.Operand) -> object:
    match operand:
        case ir.Const(value):
            return ("const", type(value), value)
        case ir.Pack(items, form):
            return (form, tuple(map(_compared, items)))
        case ir.Slice(start, stop, step):
            return ("slice", *map(_compared, (start, stop, step)))
    return operand
