"""Loop-invariant motion: what every iteration computes alike moves before the loop."""

from __future__ import annotations

import operator
from dataclasses import replace
from typing import Any

import numpy as np

from autograd_compiler import ir
from autograd_compiler.analysis.effects import Fact, Memory, memory_of
from autograd_compiler.types import Array, Dim, Scalar, Type

# Cheap and never an error, so that a loop that does not run is none the worse.
_SAFE = (operator.add, operator.sub, operator.mul, operator.neg)
_SAFE_UFUNCS = (np.sin, np.cos, np.tanh)


def hoist_invariants(function: ir.Function, everything: bool = False) -> ir.Function:
    """Move invariant arithmetic of derivative code, or of all code, out of its loops.

    Only unnamed temporaries move, computed from numbers and from arrays of known equal
    shape that nobody writes; never reads, which can fail, and never a view, which costs
    nothing.

    Examples
    --------
    Before: `for i in range(n): t = a * a; d = d + t`.  After:
    `t = a * a`, then `for i in range(n): d = d + t`.

    >>> from autograd_compiler.types import Scalar
    >>> a, n, t, d, last = (ir.Var(name, Scalar("float64")) for name in ("a", "n", "", "d", "d"))
    >>> i, total = ir.Var("i"), ir.Var("d", Scalar("float64"))
    >>> body = ir.Block(
    ...     (
    ...         ir.Apply(ir.NOWHERE, (t,), operator.mul, (a, a), adjoint=True),
    ...         ir.Apply(ir.NOWHERE, (total,), operator.add, (d, t), adjoint=True),
    ...     ),
    ...     (total,),
    ... )
    >>> zero, one = ir.Const(0), ir.Const(1)
    >>> loop = ir.For(
    ...     ir.NOWHERE, (last,), i, zero, n, one, (d,), (zero,), body, adjoint=True
    ... )
    >>> params = (ir.Param("a", a), ir.Param("n", n))
    >>> function = ir.Function("f", params, ir.Block((loop,), (last,)), ir.NOWHERE)
    >>> [type(op).__name__ for op in hoist_invariants(function).body.ops]
    ['Apply', 'For']
    """
    body = _block(function.body, memory_of(function), everything)
    return function if body is function.body else replace(function, body=body)


def _block(block: ir.Block, memory: Memory, everything: bool) -> ir.Block:
    ops: list[ir.Operation] = []
    for op in block.ops:
        if ir.blocks(op):
            op = _inside(op, memory, everything)
        if isinstance(op, (ir.For, ir.While)):
            moved, op = _split(op, memory, everything)
            ops += moved
        ops.append(op)
    same = len(ops) == len(block.ops) and all(map(operator.is_, ops, block.ops))
    return block if same else ir.Block(tuple(ops), block.results)


def _inside(op: ir.Operation, memory: Memory, everything: bool) -> ir.Operation:
    changed = {block: _block(block, memory, everything) for block in ir.blocks(op)}
    if all(before is after for before, after in changed.items()):
        return op
    return ir.rebuild_op(op, lambda var: var, lambda block: changed[block])


def _split(
    loop: ir.For | ir.While, memory: Memory, everything: bool
) -> tuple[list[ir.Operation], ir.For | ir.While]:
    """The operations of a loop's body that may stand before it, and the rest."""
    varying = set(ir.inner_vars(loop))
    if isinstance(loop, ir.While):
        varying.update(var for op in loop.cond.ops for var in ir.targets(op))
    moved: list[ir.Operation] = []
    kept: list[ir.Operation] = []
    for op in loop.body.ops:
        invariant = varying.isdisjoint(ir.uses(op)) and _may_move(
            op, memory, everything
        )
        (moved if invariant else kept).append(op)
        if not invariant:
            varying.update(ir.targets(op))
    if not moved:
        return [], loop
    return moved, replace(loop, body=ir.Block(tuple(kept), loop.body.results))


def _may_move(op: ir.Operation, memory: Memory, everything: bool) -> bool:
    if not isinstance(op, ir.Apply) or op.kwargs or not (op.adjoint or everything):
        return False
    if not (_is_safe(op.fn) or _is_power(op)) or any(
        target.name or _is_count(target.type) for target in op.targets
    ):
        return False
    touched = (*op.targets, *memory.buffers(op.args))
    if any(memory.aliases.has(var, Fact.WRITTEN) for var in touched):
        return False
    if any(memory.aliases.has(target, Fact.ESCAPES) for target in op.targets):
        return False  # each iteration may owe the caller a buffer of its own
    shapes = {_shape(arg) for arg in op.args} - {()}
    return None not in shapes and len(shapes) <= 1


def _is_safe(fn: Any) -> bool:
    return any(fn is safe for safe in (*_SAFE, *_SAFE_UFUNCS))


def _is_power(op: ir.Apply) -> bool:
    """Whether this is a fixed power of an array: of a number it may overflow."""
    if op.fn is not operator.pow or not isinstance(op.args[1], ir.Const):
        return False
    base, exponent = op.args[0], op.args[1].value
    return (
        isinstance(base, ir.Var)
        and isinstance(base.type, Array)
        and np.dtype(base.type.dtype).kind == "f"
        and type(exponent) is int
        and exponent >= 0
    )


def _shape(operand: ir.Operand) -> tuple[tuple[str, int], ...] | None:
    """The known sizes of a float or integer, none for a number; None if not known."""
    match operand:
        case ir.Const(value):
            return () if type(value) in (int, float) else None
        case ir.Var(type=Scalar() as kind) if _is_real(kind):
            return ()
        case ir.Var(type=Array(dims=dims) as kind) if _is_real(kind):
            sizes = [(dim.symbol, dim.offset) for dim in dims if isinstance(dim, Dim)]
            return tuple(sizes) if len(sizes) == len(dims) else None
    return None


def _is_count(kind: Type) -> bool:
    """Whether this is an integer, which reads best where it is an index."""
    return isinstance(kind, Scalar) and np.dtype(kind.dtype).kind == "i"


def _is_real(kind: Type) -> bool:
    return isinstance(kind, (Scalar, Array)) and np.dtype(kind.dtype).kind in "fi"
