"""Reversal of branches and of `with`: each side backwards, and what it needs kept."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from autograd_compiler import ir
from autograd_compiler.builder import Builder
from autograd_compiler.names import adjoint_name
from autograd_compiler.passes.adjoints import Adjoint, Scope
from autograd_compiler.passes.keeping import (
    defined_at,
    defined_in,
    substitute,
    swap,
)
from autograd_compiler.passes.recompute import compute_again
from autograd_compiler.passes.storage import needed
from autograd_compiler.passes.worker import Worker
from autograd_compiler.types import (
    ListOf,
)


def reverse_if(worker: Worker, op: ir.If, in_loop: bool) -> ir.Operation:
    for target in op.targets:
        if target in worker.active and isinstance(target.type, ListOf):
            worker.owned(target)  # its length may differ from that before
    entries = [worker.take(target) for target in op.targets]
    seeds = [
        [
            (result, entry)
            for result, entry in zip(block.results, entries, strict=True)
            if entry is not None and result is not ir.UNDEFINED
        ]
        for block in (op.then, op.orelse)
    ]
    before = dict(worker.adjoints)
    sides = [
        _branch(
            worker,
            block.ops,
            given,
            in_loop,
            zip(op.targets, block.results, strict=True),
        )
        for block, given in zip((op.then, op.orelse), seeds, strict=True)
    ]
    inner = [set(defined_in(block)) for block in (op.then, op.orelse)]
    changed = [
        var
        for var in {**sides[0][2], **sides[1][2]}
        if var not in inner[0]
        and var not in inner[1]
        and any(
            side[2].get(var) is not None
            and (var not in before or side[2][var].value is not before[var].value)
            for side in sides
        )
    ]
    results: list[list[ir.Operand]] = [[], []]
    for k, (_, ops, scope) in enumerate(sides):
        for var in changed:
            if var in scope:
                value = scope[var].value
            else:
                with _Into(worker.builder, ops):
                    value = worker.zeros(var)
                scope[var] = Adjoint(value, True)
            results[k].append(value)
    targets = tuple(
        ir.Var(adjoint_name(var.name) if var.name else "", var.type) for var in changed
    )
    for var, target in zip(changed, targets, strict=True):
        owned = all(side[2][var].owned for side in sides)
        worker.adjoints[var] = Adjoint(target, owned)
    forward, then, orelse = _kept_in_branch(worker, op, sides, results, in_loop)
    if changed or then or orelse:
        worker.builder.append(
            ir.If(
                worker.builder.span,
                targets,
                op.cond,
                ir.Block(tuple(then), tuple(results[0])),
                ir.Block(tuple(orelse), tuple(results[1])),
                adjoint=True,
            )
        )
    return forward


def reverse_with(worker: Worker, op: ir.With, in_loop: bool) -> ir.Operation:
    for target, result in zip(op.targets, op.body.results, strict=True):
        if target in worker.active and isinstance(target.type, ListOf):
            worker.owned(target)
        entry = worker.take(target)
        if entry is not None:
            worker.contribute(result, entry.value, entry.owned)
    with worker.builder.block() as backward:
        forward = worker.sweep(op.body.ops, in_loop)
    own = defined_at(forward)
    targets = list(op.targets)
    exports = list(op.body.results)
    change: dict[ir.Var, ir.Var] = {}
    values = tuple(entry.value for entry in worker.adjoints.values())
    wanted = needed(backward, values)
    wanted = {var: content for var, content in wanted.items() if var in own}
    for var, content in worker.keeper.by_shape(wanted, forward, backward).items():
        out = ir.Var(var.name, var.type)
        targets.append(out)
        exports.append(worker.keeper.kept(var, content, forward))
        change[var] = out
    worker.builder.ops.extend(substitute(made, change) for made in backward)
    for entry in worker.adjoints.values():
        entry.value = swap(entry.value, change)
    return replace(
        op, targets=tuple(targets), body=ir.Block(tuple(forward), tuple(exports))
    )


def _branch(
    worker: Worker,
    ops: tuple[ir.Operation, ...],
    seeds: list[tuple[ir.Operand, Adjoint]],
    in_loop: bool,
    same: Iterable[tuple[ir.Operand, ir.Operand]],
) -> tuple[list[ir.Operation], list[ir.Operation], Scope]:
    """Reverse one side of a branch from a copy of the scope."""
    outer = worker.adjoints
    worker.adjoints = {var: replace(entry) for var, entry in outer.items()}
    with worker.builder.block() as backward, worker.builder.forms.in_branch(same):
        for operand, entry in seeds:
            worker.contribute(operand, entry.value, False)
        forward = worker.sweep(ops, in_loop)
    scope, worker.adjoints = worker.adjoints, outer
    return forward, backward, scope


def _kept_in_branch(
    worker: Worker,
    op: ir.If,
    sides: list[Any],
    results: list[list[ir.Operand]],
    in_loop: bool,
) -> tuple[ir.If, list[ir.Operation], list[ir.Operation]]:
    """Make what the reverse branches need of the forward branches available."""
    targets = list(op.targets)
    blocks = [op.then, op.orelse]
    forwards = [list(side[0]) for side in sides]
    exports: list[list[ir.Operand]] = [list(block.results) for block in blocks]
    reverses: list[list[ir.Operation]] = []
    for k, (_, ops, _) in enumerate(sides):
        own = defined_at(forwards[k])
        change: dict[ir.Var, ir.Var] = {}
        if not in_loop:
            ops, results[k] = _computed_again(worker, ops, results[k], own)
        wanted = {
            var: content
            for var, content in needed(ops, tuple(results[k])).items()
            if var in own
        }
        if in_loop:
            change = worker.keeper.tape(wanted, forwards[k], ops, op.span)
        else:
            wanted = worker.keeper.by_shape(wanted, forwards[k], ops)
            for var, content in wanted.items():
                kept = worker.keeper.kept(var, content, forwards[k])
                out = ir.Var(var.name, var.type)
                targets.append(out)
                exports[k].append(kept)
                other = worker.keeper.outside(var, own) if kept is var else None
                exports[1 - k].append(other or ir.UNDEFINED)
                change[var] = out
        reverses.append([substitute(made, change) for made in ops])
        results[k][:] = [swap(value, change) for value in results[k]]
    forward = replace(
        op,
        targets=tuple(targets),
        then=ir.Block(tuple(forwards[0]), tuple(exports[0])),
        orelse=ir.Block(tuple(forwards[1]), tuple(exports[1])),
    )
    return forward, reverses[0], reverses[1]


def _computed_again(
    worker: Worker,
    ops: list[ir.Operation],
    results: list[ir.Operand],
    own: set[ir.Var],
) -> tuple[list[ir.Operation], list[ir.Operand]]:
    """The reverse of a branch, with what is cheap computed where it is needed."""
    wanted = [var for var in needed(ops, tuple(results)) if var in own]
    steps = worker.keeper.cheap(wanted, own, ())
    block = compute_again(ir.Block(tuple(ops), tuple(results)), steps)
    return list(block.ops), list(block.results)


class _Into:
    """Append to a block that was closed already."""

    def __init__(self, builder: Builder, ops: list[ir.Operation]) -> None:
        self.builder, self.ops = builder, ops

    def __enter__(self) -> None:
        self.outer, self.builder.ops = self.builder.ops, self.ops

    def __exit__(self, *_: object) -> None:
        self.builder.ops = self.outer
