"""What the reverse sweep needs from the forward sweep, and where it is kept.

The reverse pass first refers to every primal value as if it were still there.  This
module then decides for each: it is there (a variable outside of all loops); it is
cheap, and computed again (an index, a read from an array that stays as it is); it is
pushed on a tape in each iteration; or its buffer is written later, and it is copied
before that.  A copy costs no more than the operation that read the whole value.
"""

from __future__ import annotations

import operator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from autograd_compiler import ir
from autograd_compiler.types import Array, DictOf, ListOf, Opaque, Scalar, Unknown

# Calls that look at the form of a value only, never at its numbers.
FORM_ONLY = {
    np.zeros_like,
    np.ones_like,
    np.empty_like,
    np.shape,
    np.ndim,
    np.size,
    len,
}

_ARITHMETIC = {operator.add, operator.sub, operator.mul, operator.truediv, operator.neg}

_CHEAP = {
    operator.add,
    operator.sub,
    operator.mul,
    operator.floordiv,
    operator.mod,
    operator.neg,
    len,
    np.transpose,
}


@dataclass(frozen=True)
class Stored:
    """One entry of the storage plan, for people to read."""

    name: str
    line: int
    kind: str  # "tape", "snapshot", "recomputed"
    type: str
    why: str


class Buffers:
    """Which variables share a buffer, and when each buffer is written."""

    def __init__(
        self, body: ir.Block, shares: dict[ir.Var, tuple[ir.Var, ...]]
    ) -> None:
        self._parent: dict[ir.Var, ir.Var] = {}
        self._defined: dict[ir.Var, tuple[int, tuple[int, ...]]] = {}
        self._writes: list[tuple[ir.Var, int, tuple[int, ...]]] = []
        self._shares = shares
        self._clock = 0
        self._visit(body, ())

    def _find(self, var: ir.Var) -> ir.Var:
        while var in self._parent:
            var = self._parent[var]
        return var

    def _join(self, first: ir.Var, second: ir.Operand) -> None:
        for leaf in ir.leaves(second):
            if is_memory(leaf) and is_memory(first):
                a, b = self._find(first), self._find(leaf)
                if a is not b:
                    self._parent[a] = b

    def _visit(self, block: ir.Block, loops: tuple[int, ...]) -> None:
        for op in block.ops:
            self._clock += 1
            for target in ir.targets(op):
                self._defined[target] = (self._clock, loops)
            match op:
                case ir.Apply(targets=targets) | ir.Call(targets=targets):
                    for target in targets:
                        for shared in self._shares.get(target, ()):
                            self._join(target, shared)
                case ir.Load(target=target, base=base):
                    self._join(target, base)
                case ir.Store(target=target, base=base):
                    self._join(target, base)
                    self._writes.append((target, self._clock, loops))
                case ir.Append(target=target, base=base):
                    self._join(target, base)
                    self._writes.append((target, self._clock, loops))
                case ir.Pop(target=target, base=base):
                    self._join(target, base)
                    self._writes.append((target, self._clock, loops))
                case ir.If(targets=targets, then=then, orelse=orelse):
                    self._visit(then, loops)
                    self._visit(orelse, loops)
                    for side in (then.results, orelse.results):
                        for target, result in zip(targets, side, strict=True):
                            self._join(target, result)
                case ir.For() | ir.While():
                    inner = (*loops, self._clock)
                    inside = (self._clock, inner)
                    for var in ir.inner_vars(op):
                        self._defined[var] = inside
                    for held in ir.blocks(op):
                        self._visit(held, inner)
                    results = op.body.results[1:] if op.breaks else op.body.results
                    for k, target in enumerate(op.targets):
                        for other in (op.inits[k], op.params[k], results[k]):
                            self._join(target, other)
                    # The targets exist only after the loop.
                    self._clock += 1
                    for target in op.targets:
                        self._defined[target] = (self._clock, loops)
                case ir.With(targets=targets, body=held):
                    self._visit(held, loops)
                    for target, result in zip(targets, held.results, strict=True):
                        self._join(target, result)

    def may_share(self, first: ir.Var, second: ir.Var) -> bool:
        """Whether two values may be one buffer, or views of one."""
        if not is_memory(first) or not is_memory(second):
            return False
        return self._find(first) is self._find(second)

    def ever_written(self, var: ir.Var) -> bool:
        """Whether the buffer of a value is written anywhere."""
        if not is_memory(var):
            return False
        root = self._find(var)
        return any(self._find(written) is root for written, _, _ in self._writes)

    def written_after(self, var: ir.Var) -> bool:
        """Whether the buffer of a value may be written once the value exists."""
        if not is_memory(var):
            return False
        root = self._find(var)
        born, loops = self._defined.get(var, (0, ()))
        for written, time, around in self._writes:
            if self._find(written) is not root:
                continue
            if written is var and not loops:
                continue  # in a loop, it is written again by the next iteration
            common = sum(1 for a, b in zip(loops, around, strict=False) if a == b)
            if time > born or common:
                return True
        return False


def is_memory(var: ir.Var) -> bool:
    return isinstance(var.type, (Array, ListOf, DictOf, Unknown, Opaque))


def needed(
    ops: list[ir.Operation], results: tuple[ir.Operand, ...]
) -> dict[ir.Var, bool]:
    """The free variables of operations; True where more than the form is needed."""
    block = ir.Block(tuple(ops), results)
    found = dict.fromkeys(ir.free_vars(block), False)
    for var in _content_uses(block):
        if var in found:
            found[var] = True
    return found


def _content_uses(block: ir.Block) -> set[ir.Var]:
    uses: set[ir.Var] = set()
    for op in ir.walk(block):
        if isinstance(op, ir.Apply) and _looks_at_form(op):
            continue
        uses.update(ir.uses(op))
        for inner in ir.blocks(op):
            for result in inner.results:
                uses.update(ir.leaves(result))
    for result in block.results:
        uses.update(ir.leaves(result))
    return uses


def _looks_at_form(op: ir.Apply) -> bool:
    if op.fn is getattr:
        return True
    try:
        return op.fn in FORM_ONLY or getattr(op.fn, "__form_only__", False)
    except TypeError:
        return False


def is_cheap(op: ir.Operation) -> bool:
    """Whether computing the operation again is better than keeping its result."""
    match op:
        case ir.Apply(targets=(ir.Var(type=Scalar()),), fn=fn) if _is_in(
            fn, _ARITHMETIC
        ):
            return True
        case ir.Load(target=target, base=base):
            return isinstance(base.type, (Array, ListOf, Opaque, Unknown))
        case ir.Apply(targets=(target,), fn=fn):
            if fn is getattr:
                return True
            if isinstance(target.type, Scalar) and target.type.dtype in (
                "int64",
                "bool",
            ):
                return _is_in(fn, _CHEAP)
            return fn is np.transpose
    return False


def _is_in(fn: object, functions: set[Any]) -> bool:
    try:
        return fn in functions
    except TypeError:
        return False


def always_defined(
    ops: tuple[ir.Operation, ...], kept: tuple[ir.Var, ...]
) -> tuple[ir.Operation, ...]:
    """Operations after which the kept variables have a value on every path.

    A pullback is a function of its own: what it is given must exist, also where a
    branch that was not taken, or a loop without iterations, left it unassigned.
    """
    wanted = set(kept)
    size = -1
    whole = ir.Block(ops)
    while size != len(wanted):
        size = len(wanted)
        for op in ir.walk(whole):
            for target, sources in _sources(op):
                if target in wanted:
                    wanted.update(leaf for s in sources for leaf in ir.leaves(s))

    def fill(targets: tuple[ir.Var, ...], values: tuple[ir.Operand, ...]) -> Any:
        return tuple(
            ir.Const(None) if value is ir.UNDEFINED and target in wanted else value
            for target, value in zip(targets, values, strict=True)
        )

    def visit(block: ir.Block, results: tuple[ir.Operand, ...]) -> ir.Block:
        return ir.Block(tuple(change(op) for op in block.ops), results)

    def change(op: ir.Operation) -> ir.Operation:
        match op:
            case ir.If(targets=targets, then=then, orelse=orelse):
                return replace(
                    op,
                    then=visit(then, fill(targets, then.results)),
                    orelse=visit(orelse, fill(targets, orelse.results)),
                )
            case ir.For() | ir.While():
                # A parameter stands for its target here: both are the same variable.
                inits = tuple(
                    (
                        ir.Const(None)
                        if init is ir.UNDEFINED
                        and (target in wanted or param in wanted)
                        else init
                    )
                    for init, target, param in zip(
                        op.inits, op.targets, op.params, strict=True
                    )
                )
                return replace(op, inits=inits, body=visit(op.body, op.body.results))
            case ir.With(body=body):
                return replace(op, body=visit(body, body.results))
        return op

    return visit(whole, ()).ops


def _sources(op: ir.Operation) -> list[tuple[ir.Var, tuple[ir.Operand, ...]]]:
    """What each target of a branch or loop may be."""
    match op:
        case ir.If(targets=targets, then=then, orelse=orelse):
            return [
                (target, (then.results[k], orelse.results[k]))
                for k, target in enumerate(targets)
            ]
        case ir.For() | ir.While():
            results = op.body.results[1:] if op.breaks else op.body.results
            return [
                (var, (op.inits[k], results[k]))
                for variables in (op.targets, op.params)
                for k, var in enumerate(variables)
            ]
        case ir.With(targets=targets, body=body):
            return [(target, (body.results[k],)) for k, target in enumerate(targets)]
    return []


# ---------------------------------------------------------------- tapes


def thread(body: ir.Block, tapes: set[ir.Var]) -> ir.Block:
    """Give each push and pop its own version of the tape, carried through all blocks.

    The reverse pass writes `append tape` on one handle wherever a value is kept; this
    makes that proper SSA: loops and branches that touch a tape carry it.
    """
    block, _ = _thread(body, {tape: tape for tape in tapes})
    return block


def _touched(block: ir.Block, tapes: dict[ir.Var, ir.Var]) -> list[ir.Var]:
    found: dict[ir.Var, None] = {}
    for op in ir.walk(block):
        if isinstance(op, (ir.Append, ir.Pop)) and op.base in tapes:
            found[op.base] = None
    return list(found)


def _thread(
    block: ir.Block, current: dict[ir.Var, ir.Var]
) -> tuple[ir.Block, dict[ir.Var, ir.Var]]:
    current = dict(current)
    ops: list[ir.Operation] = []

    def now(var: ir.Var) -> ir.Operand:
        return current.get(var, var)

    def versions(tapes: list[ir.Var]) -> tuple[ir.Var, ...]:
        return tuple(ir.Var(tape.name, tape.type) for tape in tapes)

    def held(
        inner: ir.Block, start: dict[ir.Var, ir.Var], tapes: list[ir.Var]
    ) -> ir.Block:
        done, end = _thread(inner, start)
        return ir.Block(done.ops, (*done.results, *(end[tape] for tape in tapes)))

    for op in block.ops:
        match op:
            case ir.Append(base=base) if base in current:
                target = ir.Var(base.name, base.type)
                ops.append(replace(op, target=target, base=current[base]))
                current[base] = target
            case ir.Pop(base=base) if base in current:
                target = ir.Var(base.name, base.type)
                ops.append(replace(op, target=target, base=current[base]))
                current[base] = target
            case ir.If(then=then, orelse=orelse):
                tapes = list(
                    dict.fromkeys(
                        [*_touched(then, current), *_touched(orelse, current)]
                    )
                )
                targets = versions(tapes)
                ops.append(
                    replace(
                        op,
                        targets=(*op.targets, *targets),
                        then=held(then, current, tapes),
                        orelse=held(orelse, current, tapes),
                    )
                )
                current.update(zip(tapes, targets, strict=True))
            case ir.For() | ir.While():
                tapes = _touched(op.body, current)
                targets, params = versions(tapes), versions(tapes)
                inside = {**current, **dict(zip(tapes, params, strict=True))}
                ops.append(
                    replace(
                        op,
                        targets=(*op.targets, *targets),
                        params=(*op.params, *params),
                        inits=(*op.inits, *(current[tape] for tape in tapes)),
                        body=held(op.body, inside, tapes),
                    )
                )
                current.update(zip(tapes, targets, strict=True))
            case ir.With(body=body):
                tapes = _touched(body, current)
                targets = versions(tapes)
                ops.append(
                    replace(
                        op,
                        targets=(*op.targets, *targets),
                        body=held(body, current, tapes),
                    )
                )
                current.update(zip(tapes, targets, strict=True))
            case _:
                ops.append(ir.rebuild_op(op, now))
    results = tuple(ir.rebuild(result, now) for result in block.results)
    return ir.Block(tuple(ops), results), current
