"""What the reverse sweep needs from the forward sweep, and where it is kept.

The reverse pass first refers to every primal value as if it were still there.  This
module then decides for each: it is there (a variable outside of all loops); it is
cheap, and computed again (an index, a read from an array that stays as it is); it is
pushed on a tape in each iteration; or its buffer is written later, and it is copied
before that.  A copy costs no more than the operation that read the whole value.

Note [What is cheap].  Python keeps an array by keeping a reference, which costs less
than any operation on it.  Compiled code copies the array to a tape, and arithmetic in
loops costs less than that; so there the carried state is kept, and what is arithmetic
on it is computed again.  Powers, exponentials and products of matrices never are.
"""

from __future__ import annotations

import operator
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from autograd_compiler import ir, runtime
from autograd_compiler.types import (
    CONTAINERS,
    MEMORY,
    Array,
    DictOf,
    Dim,
    ListOf,
    Nested,
    Opaque,
    Scalar,
    TupleOf,
    Type,
    Unknown,
)

_ARITHMETIC = {operator.add, operator.sub, operator.mul, operator.truediv, operator.neg}


_CHEAP = {
    operator.lt,
    operator.le,
    operator.gt,
    operator.ge,
    operator.eq,
    operator.ne,
    operator.add,
    operator.sub,
    operator.mul,
    operator.floordiv,
    operator.mod,
    operator.neg,
    len,
    np.transpose,
}


# Calls on arrays that compiled code computes again rather than keeps the results of.
_ARITHMETIC_OF_ARRAYS = {
    id(fn)
    for fn in (
        *(operator.add, operator.sub, operator.mul, operator.truediv, operator.neg),
        *(operator.lt, operator.le, operator.gt, operator.ge, operator.eq, operator.ne),
        *(np.add, np.subtract, np.multiply, np.negative, np.square, np.abs, np.where),
        *(np.roll, np.expand_dims, np.transpose, np.maximum, np.minimum),
    )
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
    """Which variables share a buffer, and when each buffer is written.

    Note [Containers].  A list and the arrays in it are distinct buffers: `append` or
    `xs[i] = v` leaves the arrays as they are.  But `xs[i][0] = v` writes an array that
    may have other names.  So there are two partitions: `_buffer` has together what is
    one buffer, or a view of it; `_reach` also what a container holds.  A write counts
    for all of the first, and if it goes into an array, for all of the second.
    """

    def __init__(
        self, body: ir.Block, shares: dict[ir.Var, tuple[ir.Var, ...]]
    ) -> None:
        self._buffer = _Partition()
        self._reach = _Partition()
        self._defined: dict[ir.Var, tuple[int, tuple[int, ...]]] = {}
        self._writes: list[_Write] = []
        self._item_writes: list[ir.Var] = []
        self._shares = shares
        self._clock = 0
        self._visit(body, ())

    def _join(self, first: ir.Var, second: ir.Operand) -> None:
        for leaf in ir.leaves(second):
            self._reach.join(first, leaf)
            if is_memory(leaf) and is_memory(first):
                if _is_container(leaf) == _is_container(first):
                    self._buffer.join(first, leaf)

    def _hold(self, container: ir.Var, item: ir.Operand) -> None:
        for leaf in ir.leaves(item):
            self._reach.join(container, leaf)

    def _write(
        self, target: ir.Var, loops: tuple[int, ...], into_items: bool = False
    ) -> None:
        in_array = into_items or not _is_container(target)
        self._writes.append(_Write(target, self._clock, loops, in_array))

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
                        if _is_container(target):
                            for operand in ir.operands(op):
                                self._hold(target, operand)
                case ir.Load(target=target, base=base, path=path):
                    self._join(target, base)
                    self._note_item(base, path)
                case ir.Store(target=target, base=base, path=path, value=value):
                    self._join(target, base)
                    into_items = _is_container(base) and (
                        len(path) > 1 or op.mode == "add"
                    )
                    self._write(target, loops, into_items)
                    self._note_item(base, path)
                    if _is_container(base):
                        self._hold(target, value)
                case ir.Append(target=target, base=base, value=value):
                    self._join(target, base)
                    self._write(target, loops)
                    self._hold(target, value)
                case ir.Pop(target=target, value=value, base=base):
                    self._join(target, base)
                    self._write(target, loops)
                    self._hold(base, value)
                case ir.If(targets=targets, then=then, orelse=orelse):
                    self._visit(then, loops)
                    self._visit(orelse, loops)
                    for side in (then.results, orelse.results):
                        for target, result in zip(targets, side, strict=True):
                            self._join(target, result)
                    self._define(targets, loops)
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
                    self._define(op.targets, loops)
                case ir.With(targets=targets, body=held):
                    self._visit(held, loops)
                    for target, result in zip(targets, held.results, strict=True):
                        self._join(target, result)
                    self._define(targets, loops)

    def _define(self, targets: tuple[ir.Var, ...], loops: tuple[int, ...]) -> None:
        """The targets of a branch or loop exist only after it."""
        self._clock += 1
        for target in targets:
            self._defined[target] = (self._clock, loops)

    def _note_item(self, base: ir.Var, path: ir.Path) -> None:
        """Where an item of a container is read or written, so is that of its adjoint."""
        if not isinstance(base.type, Array) and len(path) > 1:
            self._item_writes.append(base)

    def items_written(self, var: ir.Var) -> bool:
        """Whether arrays or lists in a container, or in its adjoint, are written."""
        same = self._buffer.same
        return any(same(base, var) for base in self._item_writes)

    def may_share(self, first: ir.Var, second: ir.Var) -> bool:
        """Whether two values may be one buffer, or views of one."""
        if not is_memory(first) or not is_memory(second):
            return False
        return self._buffer.same(first, second)

    def _changes(self, write: _Write, var: ir.Var) -> bool:
        """Whether a write may be one of the buffer of a value, or of what it holds."""
        if self._buffer.same(write.target, var):
            return True
        return write.in_array and self._reach.same(write.target, var)

    def ever_written(self, var: ir.Var) -> bool:
        """Whether the buffer of a value is written anywhere."""
        return is_memory(var) and any(self._changes(w, var) for w in self._writes)

    def written_only_by(self, writer: ir.Var, var: ir.Var) -> bool:
        """Whether one operation alone, by the version it gives, writes a buffer."""
        return all(
            write.target is writer
            for write in self._writes
            if self._changes(write, var)
        )

    def written_after(self, var: ir.Var) -> bool:
        """Whether the buffer of a value may be written once the value exists."""
        if not is_memory(var):
            return False
        born, loops = self._defined.get(var, (0, ()))
        for write in self._writes:
            if not self._changes(write, var):
                continue
            if write.target is var and not loops:
                continue  # in a loop, it is written again by the next iteration
            common = sum(1 for a, b in zip(loops, write.loops, strict=False) if a == b)
            if write.time > born or common:
                return True
        return False


@dataclass(frozen=True)
class _Write:
    target: ir.Var
    time: int
    loops: tuple[int, ...]
    in_array: bool


class _Partition:
    """Disjoint groups of variables."""

    def __init__(self) -> None:
        self._parent: dict[ir.Var, ir.Var] = {}

    def _root(self, var: ir.Var) -> ir.Var:
        while var in self._parent:
            var = self._parent[var]
        return var

    def join(self, first: ir.Var, second: ir.Var) -> None:
        if isinstance(first.type, Scalar) or isinstance(second.type, Scalar):
            return
        a, b = self._root(first), self._root(second)
        if a is not b:
            self._parent[a] = b

    def same(self, first: ir.Var, second: ir.Var) -> bool:
        return self._root(first) is self._root(second)


def _is_container(var: ir.Var) -> bool:
    return isinstance(var.type, CONTAINERS)


def copier(kind: Type, deep: bool) -> Any:
    """What copies a value: of a container only the items, unless the copy is deep."""
    if isinstance(kind, Unknown):
        return runtime.deep_copy  # it may be a number or the key of a dict
    if not isinstance(kind, CONTAINERS):
        return np.copy
    if deep and _holds_arrays(kind):
        return runtime.deep_copy
    return dict if isinstance(kind, DictOf) else list


def _holds_arrays(kind: Type) -> bool:
    match kind:
        case ListOf(item) | DictOf(item):
            return _holds_arrays(item)
        case TupleOf(items):
            return any(map(_holds_arrays, items))
    return not isinstance(kind, Scalar)


def is_memory(var: ir.Var) -> bool:
    return isinstance(var.type, (*MEMORY, Opaque))


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


def of_same_form(
    wanted: Mapping[ir.Var, bool], others: Iterable[ir.Var]
) -> dict[ir.Var, ir.Var]:
    """For arrays of which the form alone is needed, others to ask for it instead.

    `wanted` is what `needed` gives.  Of `others`, those that are needed whole come first.
    """
    others = sorted(others, key=lambda v: (not wanted.get(v, False), not v.name))
    found: dict[ir.Var, ir.Var] = {}
    for var, content in wanted.items():
        if content or not isinstance(var.type, Array) or None in var.type.dims:
            continue
        for other in others:
            if _has_form_of(other.type, var.type):
                found[var] = other
                break
    return found


def _has_form_of(other: Type, kind: Array) -> bool:
    if not isinstance(other, Array) or other.ndim != kind.ndim:
        return False
    if other.dtype != kind.dtype or kind.contiguous and not other.contiguous:
        return False
    return all(
        a is not None and a.same(b) for a, b in zip(kind.dims, other.dims, strict=True)
    )


def _content_uses(block: ir.Block) -> set[ir.Var]:
    uses: set[ir.Var] = set()
    for op in ir.walk(block):
        if isinstance(op, ir.Apply) and runtime.looks_at_form(op.fn):
            continue
        uses.update(ir.uses(op))
        for inner in ir.blocks(op):
            for result in inner.results:
                uses.update(ir.leaves(result))
    for result in block.results:
        uses.update(ir.leaves(result))
    return uses


def is_cheap(op: ir.Operation, compiled: bool = False) -> bool:
    """Whether computing the operation again is better than keeping its result.

    See Note [What is cheap].
    """
    match op:
        case ir.Apply(targets=(ir.Var(type=Array()),), fn=fn) if compiled and (
            id(fn) in _ARITHMETIC_OF_ARRAYS
        ):
            return True
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
    ops: Iterable[ir.Operation], kept: Iterable[ir.Var]
) -> tuple[ir.Operation, ...]:
    """Operations after which the kept variables have a value on every path.

    What is copied, pushed on a tape or returned must exist, also where a branch that
    was not taken, or a loop without iterations, left it unassigned.  What it is then
    does not matter; it is of the same type, since this may be differentiated again.
    """
    wanted = set(kept)
    size = -1
    whole = ir.Block(tuple(ops))
    while size != len(wanted):
        size = len(wanted)
        for op in ir.walk(whole):
            for target, sources in _sources(op):
                if target in wanted:
                    wanted.update(leaf for s in sources for leaf in ir.leaves(s))

    def fill(
        before: list[ir.Operation],
        targets: tuple[ir.Var, ...],
        values: tuple[ir.Operand, ...],
    ) -> tuple[ir.Operand, ...]:
        return tuple(
            (
                _stand_in(target.type, before)
                if value is ir.UNDEFINED and target in wanted
                else value
            )
            for target, value in zip(targets, values, strict=True)
        )

    def visit(block: ir.Block, targets: tuple[ir.Var, ...]) -> ir.Block:
        done = list(inside(block).ops)
        results = block.results
        if not (done and isinstance(done[-1], ir.Effect) and done[-1].kind == "raise"):
            results = fill(done, targets, results)
        return ir.Block(tuple(done), results)

    def change(op: ir.Operation, before: list[ir.Operation]) -> ir.Operation:
        match op:
            case ir.If(targets=targets, then=then, orelse=orelse):
                return replace(
                    op, then=visit(then, targets), orelse=visit(orelse, targets)
                )
            case ir.For() | ir.While():
                # A parameter stands for its target here: both are the same variable.
                either = tuple(
                    param if param in wanted else target
                    for target, param in zip(op.targets, op.params, strict=True)
                )
                inits = fill(before, either, op.inits)
                return replace(op, inits=inits, body=inside(op.body))
            case ir.With(body=body):
                return replace(op, body=inside(body))
        return op

    def inside(block: ir.Block) -> ir.Block:
        done: list[ir.Operation] = []
        for op in block.ops:
            done.append(change(op, done))
        return ir.Block(tuple(done), block.results)

    return inside(whole).ops


def _stand_in(kind: Type, before: list[ir.Operation]) -> ir.Operand:
    """Any value of a type; `before` gets what makes it."""
    match kind:
        case Scalar(dtype):
            return ir.Const(np.dtype(dtype).type(0).item())
        case Array(dtype, dims):
            shape = ir.Const((0,) * len(dims) if len(dims) != 1 else 0)
            made = ir.Var("", Array(dtype, (Dim("", 0),) * len(dims), True))
            given = (
                ()
                if dtype == "float64"
                else (("dtype", ir.Const(np.dtype(dtype).type)),)
            )
            before.append(ir.Apply(ir.NOWHERE, (made,), np.zeros, (shape,), given))
            return made
        case TupleOf(items):
            return ir.Pack(tuple(_stand_in(item, before) for item in items))
        case ListOf():
            return ir.Pack((), ir.LIST)
        case DictOf():
            return ir.Pack((), ir.Form("dict"))
        case Unknown():
            return ir.Const(0.0)
        case Nested():
            return ir.Pack(())
        case Opaque(cls) if cls is tuple:
            return ir.Pack(())
    return ir.Const(None)


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
