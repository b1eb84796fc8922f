"""Common subexpressions: what is computed twice is computed once."""

from __future__ import annotations

import operator
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

from autograd_compiler import ir
from autograd_compiler.analysis.effects import (
    Memory,
    WriteClock,
    changes_state,
    is_exact_view,
    memory_of,
)
from autograd_compiler.operands import identity
from autograd_compiler.types import Opaque, Scalar

# Equal keys: the same function of the same values.
Key: TypeAlias = tuple[Any, ...]


def share_common_subexpressions(function: ir.Function) -> ir.Function:
    """Let equal pure operations share the result of the first, where it is in scope.

    Not shared: what is written in place later, what the caller would get twice as one
    buffer, what is read again after a write, calls on opaque objects, two results to
    which the user gave different names, and arithmetic on indices (`i - 1` reads
    better than a name for it).  Where only the second result has a name, a copy
    `y = t` stays, which `simplify` resolves in favour of the name.

    Examples
    --------
    Before: `a = np.sin(x); b = np.sin(x); y = a * b`.  After:
    `a = np.sin(x); y = a * a`.

    >>> import numpy as np
    >>> x, a, b, y = ir.Var("x"), ir.Var("a"), ir.Var(), ir.Var("y")
    >>> ops = (
    ...     ir.Apply(ir.NOWHERE, (a,), np.sin, (x,)),
    ...     ir.Apply(ir.NOWHERE, (b,), np.sin, (x,)),
    ...     ir.Apply(ir.NOWHERE, (y,), operator.mul, (a, b)),
    ... )
    >>> function = ir.Function(
    ...     "f", (ir.Param("x", x),), ir.Block(ops, (y,)), ir.NOWHERE
    ... )
    >>> [op.args for op in share_common_subexpressions(function).body.ops]
    [(%x,), (%a, %a)]
    """
    sharing = _Sharing(memory_of(function))
    body = sharing.block(function.body)
    return replace(function, body=body) if sharing.changed else function


@dataclass(frozen=True)
class _Known:
    """An operation seen before, and the state of the memory that it read."""

    targets: tuple[ir.Var, ...]
    stamp: tuple[int, ...]


class _Sharing:
    def __init__(self, memory: Memory) -> None:
        self._memory = memory
        self._clock = WriteClock(memory)
        self._known: dict[Key, _Known] = {}
        self._replaced: dict[ir.Var, ir.Var] = {}
        # One representative for values that are equal, shared or not.
        self._equal: dict[ir.Var, ir.Var] = {}
        # The names that copies give to what had none.
        self._names: dict[ir.Var, str] = {}
        self.changed = False

    def block(self, block: ir.Block) -> ir.Block:
        ops: list[ir.Operation] = []
        hidden: list[tuple[Key, _Known | None]] = []
        for old in block.ops:
            op = old
            if self._replaced:
                op = ir.rebuild_op(old, self._current, lambda inner: inner)
            match op:
                case ir.Apply() | ir.Load():
                    shared = self._share(op, hidden)
                    if shared is not None:
                        ops.append(shared)
                case ir.For():
                    self._clock.enters(op)
                    ops.append(replace(op, body=self.block(op.body)))
                case ir.While():
                    self._clock.enters(op)
                    cond, body = self.block(op.cond), self.block(op.body)
                    ops.append(replace(op, cond=cond, body=body))
                case _:
                    ops.append(ir.rebuild_op(op, _same, self.block))
            self._clock.passed(op)
        results = tuple(ir.rebuild(result, self._current) for result in block.results)
        # What a block computes is not in scope after it.
        for key, before in reversed(hidden):
            if before is None:
                del self._known[key]
            else:
                self._known[key] = before
        return ir.Block(tuple(ops), results)

    def _current(self, var: ir.Var) -> ir.Var:
        return self._replaced.get(var, var)

    def _share(
        self, op: ir.Apply | ir.Load, hidden: list[tuple[Key, _Known | None]]
    ) -> ir.Operation | None:
        """The operation, a copy of an earlier result, or nothing if that will do."""
        if isinstance(op, ir.Apply) and (op.fn is identity or changes_state(op)):
            return op
        key, targets = self._key(op), ir.targets(op)
        if any(map(_is_context, targets)):
            return op
        known = self._known.get(key)
        stamp = self._clock.stamp(ir.operands(op))
        if known is None or known.stamp != stamp:
            hidden.append((key, known))
            self._known[key] = _Known(targets, stamp)
            return op
        pairs = list(zip(known.targets, targets, strict=True))
        if not any(self._memory.has_buffer(second) for second in targets):
            self._equal.update((second, self._number(first)) for first, second in pairs)
        if _is_index_arithmetic(op):
            return op
        if not all(self._may_share(op, first, second) for first, second in pairs):
            return op
        self.changed = True
        for first, second in pairs:
            self._memory.aliases.join(first, second)
            self._memory.versions.join(first, second)
        (first, second), *more = pairs
        if not more and second.name and not self._name(first):
            self._names[first] = second.name
            assert isinstance(op, (ir.Apply, ir.Load))
            return ir.Apply(op.span, (second,), identity, (first,), adjoint=op.adjoint)
        self._replaced.update((second, first) for first, second in pairs)
        return None

    def _name(self, var: ir.Var) -> str:
        return var.name or self._names.get(var, "")

    def _may_share(self, op: ir.Apply | ir.Load, first: ir.Var, second: ir.Var) -> bool:
        if second.name and self._name(first) not in ("", second.name):
            return False
        memory = self._memory
        if not memory.has_buffer(first) and not memory.has_buffer(second):
            return True
        # Two views of the same memory are one whatever happens to it.
        return is_exact_view(op) or memory.may_stand_for(first, second)

    # ---------------------------------------------------------------- keys

    def _number(self, var: ir.Var) -> ir.Var:
        return self._equal.get(var, var)

    def _key(self, op: ir.Apply | ir.Load) -> Key:
        match op:
            case ir.Load():
                steps = ((step.attribute, step.index) for step in op.path)
                path = tuple((named, self._operand_key(at)) for named, at in steps)
                return ("load", self._number(op.base), path)
        return (
            id(op.fn),
            len(op.targets),
            op.style,
            self._operand_keys(op.args),
            tuple((name, self._operand_key(value)) for name, value in op.kwargs),
        )

    def _operand_keys(self, operands: Iterable[ir.Operand]) -> Key:
        return tuple(map(self._operand_key, operands))

    def _operand_key(self, operand: ir.Operand) -> Key:
        match operand:
            case ir.Var():
                return ("var", self._number(operand))
            case ir.Pack(items, form):
                cls, keys = id(form.cls), _value_key(form.keys)
                return ("pack", form.kind, keys, cls, self._operand_keys(items))
            case ir.Slice(start, stop, step):
                return ("slice", self._operand_keys((start, stop, step)))
            case ir.Const(value):
                return ("const", _value_key(value))
        raise AssertionError(operand)


def _value_key(value: Any) -> Key:
    """Equal for equal values of equal type: 1, 1.0 and True differ, as do 0.0, -0.0."""
    if isinstance(value, tuple):
        return (type(value), tuple(map(_value_key, value)))
    if type(value) in (bool, int, float, complex, str, bytes, type(None)):
        return (type(value), repr(value))
    return (type(value), id(value))


def _same(var: ir.Var) -> ir.Var:
    return var


def _is_context(var: ir.Var) -> bool:
    """Whether a value is for a `with`: most can be entered only once."""
    return isinstance(var.type, Opaque) and hasattr(var.type.cls, "__enter__")


def _is_index_arithmetic(op: ir.Apply | ir.Load) -> bool:
    if not isinstance(op, ir.Apply) or len(op.targets) != 1 or op.target.name:
        return False
    if op.fn is getattr:
        return True  # `x.shape`, `x.T`
    integer = isinstance(op.target.type, Scalar) and op.target.type.dtype == "int64"
    return integer and op.fn in (operator.add, operator.sub, operator.mul, operator.neg)
