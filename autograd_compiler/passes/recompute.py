"""Cheap values are computed again where the reverse sweep needs them, and not kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from autograd_compiler import ir


def compute_again(
    block: ir.Block, steps: Mapping[ir.Var, Sequence[ir.Operation]]
) -> ir.Block:
    """Put operations in front of what needs their results.

    They stand in the branch that needs them: what they read may have no value in the
    other.  A loop is given the values from outside.

    Parameters
    ----------
    block
        Operations of the reverse sweep.
    steps
        For each value the operations that give it, the last one itself.

    Examples
    --------
    Before: `if n > 2: d_x = d_y * t`, where the forward sweep computed `t = 3 * x`.
    After: `if n > 2: t = 3 * x; d_x = d_y * t`.

    >>> import operator
    >>> x, t, d_y, d_x = (ir.Var(name) for name in ("x", "t", "d_y", "d_x"))
    >>> made = ir.Apply(ir.NOWHERE, (t,), operator.mul, (ir.Const(3), x))
    >>> use = ir.Apply(ir.NOWHERE, (d_x,), operator.mul, (d_y, t), adjoint=True)
    >>> changed = compute_again(ir.Block((use,), (d_x,)), {t: [made]})
    >>> list(ir.free_vars(changed))
    [%x, %d_y]
    """
    return _block(block, steps, {}) if steps else block


def _block(
    block: ir.Block,
    steps: Mapping[ir.Var, Sequence[ir.Operation]],
    known: Mapping[ir.Var, ir.Var],
) -> ir.Block:
    known = dict(known)
    ops: list[ir.Operation] = []

    def current(var: ir.Var) -> ir.Var:
        return known.get(var, var)

    def provide(var: ir.Var) -> None:
        if var in known or var not in steps:
            return
        for step in steps[var]:
            (target,) = ir.targets(step)
            if target in known:
                continue
            known[target] = ir.Var(target.name, target.type)
            made = ir.rebuild_op(step, current)
            ops.append(retarget(made, known[target]))

    def inside(inner: ir.Block) -> ir.Block:
        return _block(inner, steps, known)

    for op in block.ops:
        held = ir.blocks(op)
        reads = dict.fromkeys(ir.uses(op))
        if isinstance(op, (ir.For, ir.While)):
            for inner in held:
                reads.update(ir.free_vars(inner))
        for var in reads:
            provide(var)
        ops.append(ir.rebuild_op(op, current, inside if held else None))
    for result in block.results:
        for var in ir.leaves(result):
            provide(var)
    results = tuple(ir.rebuild(result, current) for result in block.results)
    return ir.Block(tuple(ops), results)


def retarget(op: ir.Operation, target: ir.Var) -> ir.Operation:
    """An operation of the forward sweep as one of the reverse sweep."""
    if isinstance(op, ir.Apply):
        return replace(op, targets=(target,), adjoint=True)
    assert isinstance(op, ir.Load)
    return replace(op, target=target, adjoint=True)
