"""Lists that one loop fills and a later one empties: read by index instead.

Generated code is full of them: what the forward sweep appends, the reverse sweep pops.
When such code is differentiated again, a value that was popped is gone, and would have
to be kept a second time; one that was read by index is still there.
"""

from __future__ import annotations

import operator
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TypeVar

from autograd_compiler import ir
from autograd_compiler.operands import identity
from autograd_compiler.types import Scalar

_T = TypeVar("_T")

Bounds = tuple[ir.Operand, ir.Operand, ir.Operand]


@dataclass(frozen=True)
class Filled:
    """A list to which a loop appends one item in each iteration, and nothing else.

    Attributes
    ----------
    value
        What each iteration appends.
    bounds, reverse
        The range that the iterations are numbered by; see `numbers`.
    length
        How many items the list has before.
    target
        The list after the loop.
    """

    loop: ir.For | ir.While
    value: ir.Operand
    append: ir.Append
    bounds: Bounds
    reverse: bool
    length: int
    target: ir.Var

    def position(
        self, index: ir.Operand
    ) -> tuple[tuple[ir.Operation, ...], ir.Operand]:
        """Where the item of an iteration is, by the iteration's number."""
        first = self.bounds[0]
        if self.reverse:  # the last item is that of the lowest number
            assert isinstance(first, ir.Const)
            return _arithmetic(operator.sub, ir.Const(first.value - 1), index)
        if isinstance(first, ir.Const):
            shift = self.length - first.value
            if not shift:
                return (), index
            fn = operator.add if shift > 0 else operator.sub
            return _arithmetic(fn, index, ir.Const(abs(shift)))
        return _arithmetic(operator.sub, index, first)


def _arithmetic(
    fn: object, first: ir.Operand, second: ir.Operand
) -> tuple[tuple[ir.Operation, ...], ir.Operand]:
    made = ir.Var("", Scalar("int64"))
    op = ir.Apply(ir.NOWHERE, (made,), fn, (first, second), adjoint=True)
    return (op,), made


def filled_lists(block: ir.Block) -> Iterator[Filled]:
    """The lists that loops of a block fill; what happens to them later is not asked."""
    lengths = {
        op.target: len(op.args[0].items)
        for op in block.ops
        if isinstance(op, ir.Apply)
        and op.fn is identity
        and isinstance(op.args[0], ir.Pack)
        and op.args[0].form == ir.LIST
    }
    for loop in block.ops:
        found = numbers(loop)
        if found is None or not isinstance(loop, (ir.For, ir.While)):
            continue
        bounds, reverse = found
        plain = isinstance(bounds[0], ir.Const)
        for k, init in enumerate(loop.inits):
            length = lengths.get(init) if isinstance(init, ir.Var) else None
            if length is None or not plain and (length or reverse):
                continue
            append = _only_user(loop, loop.params[k])
            if isinstance(append, ir.Append) and _goes_on(loop, k, append.target):
                if loop.params[k] not in ir.leaves(append.value):
                    yield Filled(
                        loop,
                        append.value,
                        append,
                        bounds,
                        reverse,
                        length,
                        loop.targets[k],
                    )


def numbers(loop: ir.Operation) -> tuple[Bounds, bool] | None:
    """The range, in steps of one, that numbers the iterations, and whether backwards.

    Of a loop that is not counted it is that of a counter, if the loop has one.
    """
    match loop:
        case ir.For(breaks=False, step=ir.Const(1)):
            return (loop.start, loop.stop, loop.step), loop.reverse
        case ir.For() | ir.While():
            k = counter(loop)
            if k is not None:
                return (ir.Const(0), loop.targets[k], ir.Const(1)), False
    return None


def counter(loop: ir.For | ir.While) -> int | None:
    """Which carried value counts the iterations from zero, if one does."""
    results = loop.body.results[loop.breaks :]
    made = {
        op.target: op
        for op in loop.body.ops
        if isinstance(op, ir.Apply) and op.fn is operator.add
    }
    for k, (param, init) in enumerate(zip(loop.params, loop.inits, strict=True)):
        result = results[k]
        op = made.get(result) if isinstance(result, ir.Var) else None
        if op is None or not isinstance(init, ir.Const) or type(init.value) is not int:
            continue
        first, second = op.args
        if first is param and isinstance(second, ir.Const) and init.value == 0:
            if type(second.value) is int and second.value == 1:
                return k
    return None


def _only_user(loop: ir.For | ir.While, param: ir.Var) -> ir.Operation | None:
    """The one operation of a loop's body that reads a parameter, if there is one."""
    uses = [var for block in ir.blocks(loop) for var in ir.block_uses(block)]
    if sum(var is param for var in uses) != 1:
        return None
    return next((op for op in loop.body.ops if param in ir.uses(op)), None)


def _goes_on(loop: ir.For | ir.While, position: int, version: ir.Var) -> bool:
    """Whether a version of a list is what the next iteration gets, and nothing else."""
    if loop.body.results[loop.breaks :][position] is not version:
        return False
    return sum(var is version for var in ir.block_uses(loop.body)) == 1


# ---------------------------------------------------------------- the pass


def read_by_index(function: ir.Function) -> ir.Function:
    """Read a list by index where a loop pops, in reverse, all that another one appended.

    Before: `for i in range(n): xs.append(f(i))`, `for i in reversed(range(n)): y =
    xs.pop()`.  After: the second loop reads `y = xs[i]`.
    """
    used: dict[ir.Var, int] = {}
    for var in ir.block_uses(function.body):
        used[var] = used.get(var, 0) + 1
    body = _block(function.body, used)
    return function if body is function.body else replace(function, body=body)


def _block(block: ir.Block, used: dict[ir.Var, int]) -> ir.Block:
    ops = tuple(_inside(op, used) for op in block.ops)
    if any(a is not b for a, b in zip(ops, block.ops, strict=True)):
        block = ir.Block(ops, block.results)
    for found in list(filled_lists(block)):
        for number, op in enumerate(block.ops):
            changed = _read(op, found, used) if isinstance(op, ir.For) else None
            if changed is not None:
                ops = (*block.ops[:number], changed, *block.ops[number + 1 :])
                block = ir.Block(ops, block.results)
    return block


def _inside(op: ir.Operation, used: dict[ir.Var, int]) -> ir.Operation:
    match op:
        case ir.If(then=then, orelse=orelse):
            blocks = _block(then, used), _block(orelse, used)
            if blocks[0] is then and blocks[1] is orelse:
                return op
            return replace(op, then=blocks[0], orelse=blocks[1])
        case ir.For(body=body) | ir.While(body=body) | ir.With(body=body):
            inner = _block(body, used)
            return op if inner is body else replace(op, body=inner)
    return op


def _read(loop: ir.For, found: Filled, used: dict[ir.Var, int]) -> ir.For | None:
    """The loop with reads by index, if it is one that empties the list."""
    if found.target not in loop.inits or loop.breaks:
        return None
    same = map(_same, (loop.start, loop.stop, loop.step), found.bounds)
    if loop.reverse == found.reverse or not all(same):
        return None
    k = loop.inits.index(found.target)
    pop = _only_user(loop, loop.params[k])
    if not isinstance(pop, ir.Pop) or not _goes_on(loop, k, pop.target):
        return None
    if used.get(loop.targets[k], 0) or loop.inits.count(found.target) != 1:
        return None
    before, place = found.position(loop.index)
    read = ir.Load(
        pop.span, pop.value, found.target, (ir.Index(place),), adjoint=pop.adjoint
    )
    number = loop.body.ops.index(pop)
    body = (*loop.body.ops[:number], *before, read, *loop.body.ops[number + 1 :])
    return replace(
        loop,
        targets=_without(loop.targets, k),
        params=_without(loop.params, k),
        inits=_without(loop.inits, k),
        body=ir.Block(body, _without(loop.body.results, k)),
    )


def _same(first: ir.Operand, second: ir.Operand) -> bool:
    match first, second:
        case ir.Const(a), ir.Const(b):
            return type(a) is type(b) and a == b
    return first is second


def _without(items: tuple[_T, ...], position: int) -> tuple[_T, ...]:
    return (*items[:position], *items[position + 1 :])
