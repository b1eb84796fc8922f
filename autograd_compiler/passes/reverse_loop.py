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
from autograd_compiler.passes.adjoints import Adjoint
from autograd_compiler.passes.keeping import defined_at, substitute, swap
from autograd_compiler.passes.storage import copier, needed, of_same_form
from autograd_compiler.passes.unstack import counter
from autograd_compiler.passes.worker import Worker
from autograd_compiler.types import ListOf, Scalar, is_inexact


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

    owners = [*(op.targets[k] for k in carried), *outside]
    inside = [*(op.params[k] for k in carried), *outside]
    starts = [
        *(_loop_start(worker, op.targets[k], entries[k]) for k in carried),
        *(_accumulator(worker, var) for var in outside),
    ]
    inits = [start.value for start in starts]
    params = [_adjoint_var(var) for var in inside]
    for owner, init in zip(owners, inits, strict=True):
        if isinstance(init, ir.Var) and not worker.by_value(owner):
            worker.settle_borrowers(owner, init)
    buffers = [not worker.by_value(owner) for owner in owners]
    for k, param in zip(carried, params, strict=False):
        worker.builder.forms.declare_like(param, nexts[k])
    for var, param in zip(outside, params[len(carried) :], strict=True):
        worker.builder.forms.declare_like(param, var)
    outer, worker.adjoints = worker.adjoints, {}
    for k, var in enumerate(outside, len(carried)):
        worker.adjoints[var] = Adjoint(params[k], buffers[k])
    steps = list(zip(op.targets, op.params, nexts, strict=True))
    with worker.builder.block() as backward, worker.builder.forms.in_loop(steps):
        for k, param, owned in zip(carried, params, buffers, strict=False):
            worker.contribute(nexts[k], param, owned)
        forward = worker.sweep(op.body.ops, in_loop=True)
        ends = [_iteration_end(worker, var) for var in inside]
        results = _distinct(worker, [end.value for end in ends], buffers)
    worker.adjoints = outer
    owns = [
        start.owned
        and results.count(result) == 1
        and (end.owned or result is param)
        or is_buffer
        for start, end, result, param, is_buffer in zip(
            starts, ends, results, params, buffers, strict=True
        )
    ]

    own = defined_at(forward) | set(op.params)
    wanted = needed(backward, tuple(results))
    kept = [var for var, content in wanted.items() if content and var in own]
    if forms := of_same_form(wanted, [*kept, *worker.keeper.unwritten]):
        backward[:] = [substitute(made, forms) for made in backward]
        wanted = needed(backward, tuple(results))
    change: dict[ir.Var, ir.Var] = {}
    # What numbers the iterations of the reverse loop; the index of the loop, mostly.
    number = ir.Var("", Scalar("int64"))
    index_ops: tuple[ir.Operation, ...] = ()
    if isinstance(op, ir.For):
        if op.breaks and not _counts_trips(op):
            index_ops, index = _index_of_trip(worker, op, number)
        else:
            number = index = ir.Var(op.index.name, op.index.type)
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
            worker.keeper.history(op, number),
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
    looped, bounds = _counted(worker, op, forward)
    block = ir.Block((*index_ops, *body_ops), tuple(results))
    worker.builder.append(
        ir.For(
            worker.builder.span,
            targets,
            number,
            *bounds,
            tuple(params),
            tuple(inits),
            block,
            reverse=not (isinstance(op, ir.For) and op.reverse),
            adjoint=True,
        )
    )
    worker.own_targets |= {
        target for target, own in zip(targets, owns, strict=False) if own
    }
    for k, var in enumerate(outside, len(carried)):
        worker.builder.forms.declare_like(targets[k], var)
        worker.adjoints[var] = Adjoint(targets[k], owns[k])
    for k, target, owned in zip(carried, targets, owns, strict=False):
        worker.builder.forms.declare_like(target, op.inits[k])
        worker.contribute(op.inits[k], target, owned)
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
        made = (
            worker.keeper.definitions.get(value) if isinstance(value, ir.Var) else None
        )
        if isinstance(made, ir.Apply) and isinstance(made.fn, ir.GradOf):
            value = made.args[0]
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


def _loop_start(worker: Worker, target: ir.Var, entry: Adjoint | None) -> Adjoint:
    if entry is None:
        return Adjoint(worker.zeros(target), True)
    if not worker.by_value(target) and not entry.owned:
        worker.adjoints[target] = entry
        value = worker.owned(target)
        worker.take(target)
        return Adjoint(value, True)
    return entry


def _accumulator(worker: Worker, var: ir.Var) -> Adjoint:
    if worker.by_value(var):
        return worker.adjoints.get(var) or Adjoint(worker.zeros(var), True)
    return Adjoint(worker.owned(var), True)


def _iteration_end(worker: Worker, var: ir.Var) -> Adjoint:
    entry = worker.adjoints.get(var)
    if entry is None:
        return Adjoint(worker.zeros(var), True)
    if worker.by_value(var) or entry.owned:
        return entry
    return Adjoint(worker.owned(var), True)


def _distinct(
    worker: Worker, results: list[ir.Operand], buffers: list[bool]
) -> list[ir.Operand]:
    """No two carried adjoints may be one buffer."""
    seen: set[ir.Operand] = set()
    done: list[ir.Operand] = []
    for result, is_buffer in zip(results, buffers, strict=True):
        if isinstance(result, ir.Var) and result in seen and is_buffer:
            result = worker.typed(copier(result.type, True), result.type, result)
        seen.add(result)
        done.append(result)
    return done


def _counted(
    worker: Worker, op: ir.For | ir.While, forward: list[ir.Operation]
) -> tuple[ir.Operation, tuple[ir.Operand, ir.Operand, ir.Operand]]:
    """The forward loop, and the range that the reverse loop runs through."""
    if isinstance(op, ir.For) and not op.breaks:
        body = ir.Block(tuple(forward), op.body.results)
        return replace(op, body=body), (op.start, op.stop, op.step)
    known = counter(op)
    if known is not None:
        body = ir.Block(tuple(forward), op.body.results)
        bounds = (ir.Const(0), op.targets[known], ir.Const(1))
        return replace(op, body=body), bounds
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
    return looped, (ir.Const(0), count, ir.Const(1))


def _counts_trips(op: ir.For) -> bool:
    return _is_const(op.start, 0) and _is_const(op.step, 1)


def _index_of_trip(
    worker: Worker, op: ir.For, trip: ir.Var
) -> tuple[tuple[ir.Operation, ...], ir.Var]:
    """The index that a loop had in its trip of some number, and what computes it."""
    builder = Builder(worker.builder.span)
    builder.adjoint = builder.deriving = True
    made: ir.Operand = trip
    if not _is_const(op.step, 1):
        made = builder.apply(operator.mul, op.step, made)
    if not _is_const(op.start, 0):
        made = builder.apply(operator.add, op.start, made)
    index = builder.as_var(made)
    index.name = op.index.name
    return tuple(builder.ops), index


def _is_const(operand: ir.Operand, value: int) -> bool:
    return isinstance(operand, ir.Const) and operand.value == value


def _adjoint_var(var: ir.Var) -> ir.Var:
    return ir.Var(adjoint_name(var.name) if var.name else "d_value", var.type)
