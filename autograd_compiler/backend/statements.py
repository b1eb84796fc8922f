"""SSA becomes statements: every value that control flow carries is an explicit copy.

Note [Copies].  A loop parameter gets a value from two places, a target of an `If` from
two branches, and a `Store` gives the buffer that it was given a new name.  Here each of
these is a `Copy`.  Most disappear again: `naming` gives both sides the same name where
their lifetimes allow it.  What remains is printed, and so a loop that swaps two
variables is right without anybody thinking of it.

The copies of one place happen at once, as in `a, b = b, a`.
"""

from __future__ import annotations

import operator
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias, TypeVar

from autograd_compiler import ir
from autograd_compiler.backend.folding import Folding
from autograd_compiler.printer import is_identity
from autograd_compiler.types import Scalar


@dataclass(frozen=True, eq=False)
class Do:
    """An operation that is one statement; a write finds `target` holding `base`."""

    op: ir.Operation


@dataclass(frozen=True, eq=False)
class Copy:
    """`targets = sources`, all at once; a target without a source ends its life."""

    op: ir.Operation
    pairs: tuple[tuple[ir.Var, ir.Operand], ...]
    undefined: tuple[ir.Var, ...] = ()


@dataclass(frozen=True, eq=False)
class Branch:
    op: ir.Operation
    cond: ir.Operand
    then: tuple[Statement, ...]
    orelse: tuple[Statement, ...] = ()


@dataclass(frozen=True, eq=False)
class Loop:
    """`for op.index in range(...)`; `used` tells whether the body reads the index.

    With `items` it is `for item in base`, or `for index, item in enumerate(base)`: that
    read stands in the head, and not in the body.
    """

    op: ir.For
    body: tuple[Statement, ...]
    used: bool
    items: Do | None = None


@dataclass(frozen=True, eq=False)
class Repeat:
    op: ir.While
    cond: ir.Operand
    body: tuple[Statement, ...]


@dataclass(frozen=True, eq=False)
class Scope:
    op: ir.With
    body: tuple[Statement, ...]


@dataclass(frozen=True, eq=False)
class Break:
    op: ir.Operation


@dataclass(frozen=True, eq=False)
class Return:
    value: ir.Operand


_Item = TypeVar("_Item")
Statement: TypeAlias = Do | Copy | Branch | Loop | Repeat | Scope | Break | Return


@dataclass(frozen=True)
class Body:
    """A function as statements.

    Attributes
    ----------
    params
        One variable for each parameter, the name of a container included.
    folded
        The variables that are written as the operation that gives them.
    read
        The variables that something reads.
    """

    params: tuple[ir.Var, ...]
    statements: tuple[Statement, ...]
    folded: Mapping[ir.Var, ir.Operation]
    read: frozenset[ir.Var] = field(repr=False)


def statements_of(
    function: ir.Function, folding: Folding, over_items: bool = True
) -> Body:
    """The statements of a function, with the copies that leaving SSA asks for.

    `over_items` allows loops over the items of an array.
    """
    builder = _Builder(function, folding, over_items)
    statements = builder.last_block(function.body)
    return Body(folding.params, tuple(statements), builder.folded, builder.read)


class _Builder:
    def __init__(
        self, function: ir.Function, folding: Folding, over_items: bool
    ) -> None:
        self._over_items = over_items
        self.folded: dict[ir.Var, ir.Operation] = dict(folding.folded)
        self.read = _read_vars(function)
        self._expressions = folding.expressions
        self._count = folding.count

    def block(self, ops: Iterable[ir.Operation]) -> list[Statement]:
        ordered = _sunk(tuple(ops))
        return [statement for op in ordered for statement in self.operation(op)]

    def operation(self, op: ir.Operation) -> Iterator[Statement]:
        found = ir.targets(op)
        if found and found[0] in self.folded and not _writes(op):
            return
        match op:
            case ir.Store() | ir.Append() | ir.Pop():
                if op.base in self.folded:  # a part of a parameter has no other name
                    self.folded[op.target] = self.folded[op.base]
                else:
                    yield from self.copy(op, (op.target,), (op.base,))
                if not (isinstance(op, ir.Pop) and op.value in self.folded):
                    yield Do(op)
            case ir.Apply(fn=fn) if is_identity(fn):
                yield from self.copy(op, op.targets, op.args[:1])
            case ir.If() if op not in self._expressions:
                then = [*self.block(op.then.ops), *self.results(op, op.then)]
                orelse = [*self.block(op.orelse.ops), *self.results(op, op.orelse)]
                yield Branch(op, op.cond, tuple(then), tuple(orelse))
            case ir.For():
                yield from self.copy(op, op.params, op.inits)
                body = self.iteration(op)
                uses = sum(var is op.index for var in ir.block_uses(op.body))
                items = self.items(op, body)
                if items is not None:
                    body.remove(items)
                    uses -= 1
                yield Loop(op, tuple(body), uses > 0, items)
                yield from self.copy(op, op.targets, op.params)
            case ir.While():
                yield from self.copy(op, op.params, op.inits)
                yield from self.repeat(op)
                yield from self.copy(op, op.targets, op.params)
            case ir.With():
                body = [*self.block(op.body.ops), *self.results(op, op.body)]
                yield Scope(op, tuple(body))
            case _:
                yield Do(op)

    def copy(
        self,
        op: ir.Operation,
        targets: Iterable[ir.Var],
        sources: Iterable[ir.Operand],
    ) -> Iterator[Copy]:
        pairs: list[tuple[ir.Var, ir.Operand]] = []
        undefined: list[ir.Var] = []
        for target, source in zip(targets, sources, strict=True):
            if source is ir.UNDEFINED:
                undefined.append(target)
            elif self.matters(target, source):
                pairs.append((target, source))
        if pairs or undefined:
            yield Copy(op, tuple(pairs), tuple(undefined))

    def matters(self, target: ir.Var, source: ir.Operand) -> bool:
        """Whether a copy must be made: its target is read, or its source is a call."""
        if source is target:
            return False
        return target in self.read or any(
            var in self.folded for var in ir.leaves(source)
        )

    def results(self, op: ir.If | ir.With, block: ir.Block) -> Iterator[Copy]:
        return self.copy(op, op.targets, block.results)

    # ------------------------------------------------------------ loops

    def items(self, op: ir.For, body: list[Statement]) -> Do | None:
        """The read `x = xs[i]` that a loop over `range(len(xs))` begins with."""
        length = self.folded.get(op.stop) if isinstance(op.stop, ir.Var) else None
        if not self._over_items or op.reverse or not isinstance(length, ir.Apply):
            return None
        counts = [getattr(count, "value", None) for count in (op.start, op.step)]
        if length.fn is not len or counts != [0, 1]:
            return None
        for statement in body:
            match statement:
                case Do(ir.Append()) | Copy(ir.Append()):
                    continue  # to a tape
                case Do(ir.Load(base=base, path=(ir.Index(index),), adjoint=False)):
                    whole = base is length.args[0] and base not in self.folded
                    return statement if whole and index is op.index else None
            return None
        return None

    def iteration(self, op: ir.For | ir.While) -> list[Statement]:
        """The body, then the copies to the next iteration, then the way out."""
        results = op.body.results
        if not op.breaks:
            return [*self.block(op.body.ops), *self.copy(op, op.params, results)]
        copies = [*self.copy(op, op.params, results[1:])]
        return self.leaving(op, op.body.ops, results[0], copies)

    def leaving(
        self,
        op: ir.For | ir.While,
        ops: tuple[ir.Operation, ...],
        flag: ir.Operand,
        copies: list[Copy],
    ) -> list[Statement]:
        """The end of an iteration that leaves the loop where `flag` is true.

        A flag that a last `If` sets to a constant is not kept in a variable: the
        branch leaves by itself, and what follows it is the other branch.
        """
        if isinstance(flag, ir.Const):
            return [*self.block(ops), *copies, *([Break(op)] if flag.value else [])]
        last = ops[-1] if ops else None
        position = self.flag_position(last, flag)
        if isinstance(last, ir.If) and position is not None:
            ends = []
            for block in (last.then, last.orelse):
                end = _without(block.results, position)
                given = self.copy(last, _without(last.targets, position), end)
                ends.append(
                    self.leaving(
                        op, block.ops, block.results[position], [*given, *copies]
                    )
                )
            then, orelse = ends
            before = self.block(ops[:-1])
            if then and isinstance(then[-1], Break):
                return [*before, Branch(last, last.cond, tuple(then)), *orelse]
            if orelse and isinstance(orelse[-1], Break):
                negated = self.negated(last.cond)
                return [*before, Branch(last, negated, tuple(orelse)), *then]
            return [*before, Branch(last, last.cond, tuple(then), tuple(orelse))]
        if self.outlives(flag, copies):
            return [*self.block(ops), *copies, Branch(op, flag, (Break(op),))]
        return [*self.block(ops), Branch(op, flag, (*copies, Break(op))), *copies]

    def outlives(self, operand: ir.Operand, copies: list[Copy]) -> bool:
        """Whether an operand means the same after the copies as before them."""
        changed = {target for copy in copies for target, _ in copy.pairs}
        return changed.isdisjoint(expanded(operand, self.folded))

    def flag_position(self, op: ir.Operation | None, flag: ir.Operand) -> int | None:
        """Which target of an `If` is a flag that it sets to a constant, if so."""
        if not isinstance(op, ir.If) or not isinstance(flag, ir.Var):
            return None
        if flag not in op.targets or self._count.get(flag, 0) != 1:
            return None
        if op in self._expressions:
            return None
        position = op.targets.index(flag)
        known = (isinstance(b.results[position], ir.Const) for b in ir.blocks(op))
        return position if any(known) else None

    def repeat(self, op: ir.While) -> Iterator[Statement]:
        condition = op.cond.results[0]
        if isinstance(condition, ir.Const) and condition.value and op.breaks:
            yield from self.until(op)
            return
        # What the condition cannot hold as an expression is computed before the loop
        # and again after each iteration.
        yield from self.block(op.cond.ops)
        body = [*self.iteration(op), *self.block(op.cond.ops)]
        yield Repeat(op, condition, tuple(body))

    def until(self, op: ir.While) -> Iterator[Statement]:
        """`while True` that only a break leaves: its flag becomes the condition.

        Numba 0.68 miscompiles the other shape: a variable assigned on the way out and
        elsewhere in the body keeps its first value.
        """
        flag = op.body.results[0]
        done = ir.Var("done", Scalar("bool"))
        if isinstance(flag, ir.Var) and flag.name:
            done.name = flag.name
        going = ir.Var("", Scalar("bool"))
        self.folded[going] = ir.Apply(op.span, (going,), operator.not_, (done,))
        yield Copy(op, ((done, ir.Const(False)),))
        pairs = [
            pair
            for copy in self.copy(op, op.params, op.body.results[1:])
            for pair in copy.pairs
        ]
        body = [*self.block(op.body.ops), Copy(op, ((done, flag), *pairs))]
        yield Repeat(op, going, tuple(body))

    def negated(self, cond: ir.Operand) -> ir.Operand:
        negation = ir.Var("", Scalar("bool"))
        self.folded[negation] = ir.Apply(
            ir.NOWHERE, (negation,), operator.not_, (cond,)
        )
        return negation

    # ------------------------------------------------------------ return

    def last_block(self, block: ir.Block) -> list[Statement]:
        """A block whose result the function returns.

        The result of a last `If` without a name of its own is returned in the branches.
        """
        if not block.results:
            return self.block(block.ops)
        value = block.results[0]
        last = block.ops[-1] if block.ops else None
        if isinstance(last, ir.If) and self.returns(last, value):
            then = self.last_block(last.then)
            orelse = self.last_block(last.orelse)
            branch = Branch(last, last.cond, tuple(then))
            return [*self.block(block.ops[:-1]), branch, *orelse]
        returned = [] if value is ir.UNDEFINED else [Return(value)]
        return [*self.block(block.ops), *returned]

    def returns(self, op: ir.If, value: ir.Operand) -> bool:
        (target,) = op.targets if len(op.targets) == 1 else (None,)
        if target is None or target is not value or target.name:
            return False
        if op in self._expressions or target in self.folded:
            return False
        return all(
            block.results[0] is not ir.UNDEFINED or _raises(block)
            for block in ir.blocks(op)
        )


def expanded(
    operand: ir.Operand, folded: Mapping[ir.Var, ir.Operation]
) -> Iterator[ir.Var]:
    """The variables that stand in the text of an operand."""
    for var in ir.leaves(operand):
        if var in folded:
            yield from expanded_uses(folded[var], folded)
        else:
            yield var


def expanded_uses(
    op: ir.Operation, folded: Mapping[ir.Var, ir.Operation]
) -> Iterator[ir.Var]:
    """The variables that stand in the text of an expression or simple statement."""
    for operand in ir.operands(op):
        yield from expanded(operand, folded)
    for block in ir.blocks(op):  # those of an `If` that is an expression
        for result in block.results:
            yield from expanded(result, folded)


def _read_vars(function: ir.Function) -> frozenset[ir.Var]:
    read = set(ir.block_uses(function.body))
    for op in ir.walk(function.body):
        if isinstance(op, (ir.Store, ir.Append, ir.Pop)):
            read.add(op.target)  # a write goes through its own name, read later or not
        if isinstance(op, (ir.For, ir.While)):
            slots = zip(op.params, op.targets, strict=True)
            read.update(param for param, target in slots if target in read)
    return frozenset(read)


def _sunk(ops: tuple[ir.Operation, ...]) -> list[ir.Operation]:
    """The operations, each tape made just before it is first used."""
    ordered = list(ops)
    for tape in [op for op in ops if _makes_tape(op)]:
        (target,) = ir.targets(tape)
        start = ordered.index(tape)
        following = range(start + 1, len(ordered))
        first = next((k for k in following if _mentions(ordered[k], target)), None)
        if first is not None:
            ordered.insert(first - 1, ordered.pop(start))
    return ordered


def _makes_tape(op: ir.Operation) -> bool:
    """Whether the compiler, and not the user, makes an empty list."""
    match op:
        case ir.Apply(fn=fn, args=(ir.Pack((), form),)) if is_identity(fn):
            return form.kind == "list" and op.span is ir.NOWHERE and not op.adjoint
    return False


def _mentions(op: ir.Operation, var: ir.Var) -> bool:
    return any(var is used for used in ir.uses(op)) or any(
        var in ir.free_vars(block) for block in ir.blocks(op)
    )


def _raises(block: ir.Block) -> bool:
    last = block.ops[-1] if block.ops else None
    return isinstance(last, ir.Effect) and last.kind == "raise"


def _without(items: tuple[_Item, ...], position: int) -> tuple[_Item, ...]:
    return items[:position] + items[position + 1 :]


def _writes(op: ir.Operation) -> bool:
    return isinstance(op, (ir.Store, ir.Append, ir.Pop))
