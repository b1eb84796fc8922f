"""Reversal of loops: a loop backwards, which carries adjoints instead of values.

The adjoint of each carried value, and of each value from outside that the body reads,
is carried by the reverse loop.  A counted loop runs through its range backwards; of
others the iterations are counted.
"""

from __future__ import annotations

import operator
from dataclasses import replace

from autograd_compiler import ir
from autograd_compiler.builder import Builder
from autograd_compiler.names import adjoint_name
from autograd_compiler.passes.adjoints import Adjoint, Adjoints
from autograd_compiler.passes.keeping import Keeper, defined_at, substitute, swap
from autograd_compiler.passes.storage import copier, needed
from autograd_compiler.passes.unstack import counter
from autograd_compiler.types import Bottom, ListOf, Scalar, is_inexact


class Worker(Adjoints):
    """What reverses a block; `reverse.py` has the one there is."""

    keeper: Keeper

    def sweep(self, ops: tuple[ir.Operation, ...], in_loop: bool) -> list[ir.Operation]:
        """Emit the reverse of operations; give the operations of the forward sweep."""
        raise TypeError("only the worker of the reverse pass sweeps")


def reverse_loop(
    worker: Worker, op: ir.For | ir.While, in_loop: bool
) -> list[ir.Operation]:
    nexts = op.body.results[1:] if op.breaks else op.body.results
    carried = [
        k
        for k, param in enumerate(op.params)
        if param in worker.active or op.targets[k] in worker.adjoints
    ]
    for k in carried:
        if isinstance(op.targets[k].type, ListOf) and op.inits[k] in worker.active:
            worker.owned(op.targets[k])  # its length may differ from that before
    entries = {k: worker.take(op.targets[k]) for k in carried}
    outside = [
        var
        for var in ir.free_vars(op.body)
        if var in worker.active
        and is_inexact(var.type)
        and var not in ir.inner_vars(op)
    ]
    if not carried and not outside:
        return [op]
    if not any(entries.values()) and not any(var in worker.adjoints for var in outside):
        if not any(entries[k] is not None for k in carried):
            return [op]

    params: list[ir.Var] = []
    inits: list[ir.Operand] = []
    for k in carried:
        inits.append(_loop_start(worker, op.targets[k], entries[k]))
        params.append(_adjoint_var(op.params[k]))
    for var in outside:
        inits.append(_accumulator(worker, var))
        params.append(_adjoint_var(var))

    for position, init in enumerate(inits):
        if isinstance(init, ir.Var) and position < len(carried):
            worker.settle_borrowers(op.targets[carried[position]], init)
        elif isinstance(init, ir.Var):
            worker.settle_borrowers(outside[position - len(carried)], init)
    outer, worker.adjoints = worker.adjoints, {}
    for var, param in zip(outside, params[len(carried) :], strict=True):
        worker.adjoints[var] = Adjoint(param, True)
    with worker.builder.block() as backward:
        for k, param in zip(carried, params, strict=False):
            worker.contribute(nexts[k], param, True)
        forward = worker.sweep(op.body.ops, in_loop=True)
        results = [_iteration_end(worker, op.params[k]) for k in carried]
        results += [_iteration_end(worker, var) for var in outside]
        results = _distinct(worker, results)
    worker.adjoints = outer

    wanted = needed(backward, tuple(results))
    own = defined_at(forward) | set(op.params)
    change: dict[ir.Var, ir.Var] = {}
    index = ir.Var("", Scalar("int64"))
    if isinstance(op, ir.For):
        index = ir.Var(op.index.name, op.index.type)
        change[op.index] = index
    following = _kept_as_state(worker, op, nexts, wanted)
    change.update({value: var for value, (_, var) in following.items()})
    change.update(
        worker.keeper.tape(
            {var: content for var, content in wanted.items() if var in own},
            forward,
            backward,
            worker.builder.span,
            change,
            ir.inner_vars(op),
            worker.keeper.history(op, index),
        )
    )
    for k, var in following.values():
        params.append(var)
        inits.append(op.targets[k])
        results.append(op.params[k])
    body_ops = [substitute(made, change) for made in backward]
    results = [swap(result, change) for result in results]

    targets = tuple(_adjoint_var(op.params[k]) for k in carried) + tuple(
        _adjoint_var(var) for var in outside
    )
    targets += tuple(ir.Var(var.name, var.type) for _, var in following.values())
    looped, bounds, reverse = _counted(worker, op, forward)
    block = ir.Block(tuple(body_ops), tuple(results))
    if isinstance(op, ir.For) and op.breaks and not reverse:
        block = _index_from_count(worker, op, index, bounds, block)
    worker.builder.append(
        ir.For(
            worker.builder.span,
            targets,
            index,
            *bounds,
            tuple(params),
            tuple(inits),
            block,
            reverse=not (isinstance(op, ir.For) and op.reverse),
            adjoint=True,
        )
    )
    for var, target in zip(outside, targets[len(carried) :], strict=False):
        worker.adjoints[var] = Adjoint(target, True)
    for k, target in zip(carried, targets, strict=False):
        worker.contribute(op.inits[k], target, True)
    return [looped]


def _kept_as_state(
    worker: Worker,
    op: ir.For | ir.While,
    nexts: tuple[ir.Operand, ...],
    wanted: dict[ir.Var, bool],
) -> dict[ir.Var, tuple[int, ir.Var]]:
    """Next values that need no tape of their own.

    Where a carried value is needed both before and after an iteration, the value
    after it is the value before the next one, which the reverse loop has just had:
    `h` and `h_next` of a recurrence need one tape.
    """
    found: dict[ir.Var, tuple[int, ir.Var]] = {}
    for k, param in enumerate(op.params):
        value = nexts[k]
        if (
            isinstance(value, ir.Var)
            and value is not param
            and wanted.get(value)
            and param in wanted
            and value not in found
            and value in worker.keeper.definitions
            and op.inits[k] is not ir.UNDEFINED
            and not worker.keeper.buffers.ever_written(value)
        ):
            found[value] = (k, ir.Var(value.name, value.type))
            wanted[param] = True
    return found


def _loop_start(worker: Worker, target: ir.Var, entry: Adjoint | None) -> ir.Operand:
    if entry is None:
        return worker.zeros(target)
    value = entry.value
    if not isinstance(target.type, (Scalar, Bottom)) and not entry.owned:
        worker.adjoints[target] = entry
        value = worker.owned(target)
        worker.take(target)
    return value


def _accumulator(worker: Worker, var: ir.Var) -> ir.Operand:
    if isinstance(var.type, (Scalar, Bottom)):
        return worker.full(var)
    return worker.owned(var)


def _iteration_end(worker: Worker, var: ir.Var) -> ir.Operand:
    entry = worker.adjoints.get(var)
    if entry is None:
        return worker.zeros(var)
    if isinstance(var.type, (Scalar, Bottom)) or entry.owned:
        return entry.value
    return worker.owned(var)


def _distinct(worker: Worker, results: list[ir.Operand]) -> list[ir.Operand]:
    """No two carried adjoints may be one buffer."""
    seen: set[ir.Operand] = set()
    done: list[ir.Operand] = []
    for result in results:
        if (
            isinstance(result, ir.Var)
            and result in seen
            and not isinstance(result.type, Scalar)
        ):
            result = worker.typed(copier(result.type, True), result.type, result)
        seen.add(result)
        done.append(result)
    return done


def _counted(
    worker: Worker, op: ir.For | ir.While, forward: list[ir.Operation]
) -> tuple[ir.Operation, tuple[ir.Operand, ir.Operand, ir.Operand], bool]:
    """The forward loop, and the range that the reverse loop runs through."""
    if isinstance(op, ir.For) and not op.breaks:
        body = ir.Block(tuple(forward), op.body.results)
        return replace(op, body=body), (op.start, op.stop, op.step), True
    known = counter(op)
    if known is not None:
        body = ir.Block(tuple(forward), op.body.results)
        bounds = (ir.Const(0), op.targets[known], ir.Const(1))
        return replace(op, body=body), bounds, False
    count = ir.Var("trips", Scalar("int64"))
    inside = ir.Var("trips", Scalar("int64"))
    following = ir.Var("trips", Scalar("int64"))
    add = ir.Apply(ir.NOWHERE, (following,), operator.add, (inside, ir.Const(1)))
    looped = replace(
        op,
        targets=(*op.targets, count),
        params=(*op.params, inside),
        inits=(*op.inits, ir.Const(0)),
        body=ir.Block((*forward, add), (*op.body.results, following)),
    )
    return looped, (ir.Const(0), count, ir.Const(1)), False


def _index_from_count(
    worker: Worker,
    op: ir.For,
    index: ir.Var,
    bounds: tuple[ir.Operand, ir.Operand, ir.Operand],
    block: ir.Block,
) -> ir.Block:
    """Where the loop could break, its index is computed from the trip number."""
    if _is_const(op.start, 0) and _is_const(op.step, 1):
        return block
    number = ir.Var(op.index.name, op.index.type)
    builder = Builder(worker.builder.span)
    builder.adjoint = builder.deriving = True
    scaled = (
        builder.apply(operator.mul, op.step, index)
        if not _is_const(op.step, 1)
        else index
    )
    made = builder.as_var(
        builder.apply(operator.add, op.start, scaled)
        if not _is_const(op.start, 0)
        else scaled
    )
    made.name = number.name
    change = {index: made}
    ops = [substitute(item, change) for item in block.ops]
    results = tuple(swap(result, change) for result in block.results)
    return ir.Block((*builder.ops, *ops), results)


def _is_const(operand: ir.Operand, value: int) -> bool:
    return isinstance(operand, ir.Const) and operand.value == value


def _adjoint_var(var: ir.Var) -> ir.Var:
    return ir.Var(adjoint_name(var.name) if var.name else "d_value", var.type)
