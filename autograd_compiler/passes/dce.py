"""Dead code: operations whose results nothing needs."""

from __future__ import annotations

from dataclasses import replace
from typing import TypeAlias

from autograd_compiler import ir
from autograd_compiler.analysis.effects import Fact, Memory, changes_state, memory_of

# A carried variable lives or dies as a whole: its place in the loop's tuples.
Slot: TypeAlias = tuple[ir.Operation, int]


def eliminate_dead_code(
    function: ir.Function, pure_calls: frozenset[str] = frozenset()
) -> ir.Function:
    """Remove what neither the result nor a visible effect depends on.

    Also removed are carried variables that only compute themselves, results of
    branches that are not read, and writes to a local buffer whose later versions are
    not read.  A write of the primal to a buffer that the caller can see stays.

    Parameters
    ----------
    pure_calls
        The functions of the module whose calls may be dropped.

    Examples
    --------
    Before: `unused = -x; y = x + x; return y`.  After: `y = x + x; return y`.

    >>> import operator
    >>> x, unused, y = ir.Var("x"), ir.Var("unused"), ir.Var("y")
    >>> ops = (
    ...     ir.Apply(ir.NOWHERE, (unused,), operator.neg, (x,)),
    ...     ir.Apply(ir.NOWHERE, (y,), operator.add, (x, x)),
    ... )
    >>> function = ir.Function(
    ...     "f", (ir.Param("x", x),), ir.Block(ops, (y,)), ir.NOWHERE
    ... )
    >>> [op.targets for op in eliminate_dead_code(function).body.ops]
    [(%y,)]
    """
    live = _Liveness(function, pure_calls)
    body = live.prune(function.body)
    return replace(function, body=body) if live.removed else function


class _Liveness:
    """What is needed, found from what must stay, backwards through definitions."""

    def __init__(self, function: ir.Function, pure_calls: frozenset[str]) -> None:
        self._memory = memory_of(function)
        self._pure_calls = pure_calls
        self._defining: dict[ir.Var, tuple[ir.Operation, int]] = {}
        self._around: dict[ir.Operation, ir.Operation] = {}
        self._vars: set[ir.Var] = set()
        self._ops: set[ir.Operation] = set()
        self._slots: set[Slot] = set()
        self._waiting: list[ir.Operation | ir.Var] = []
        self.removed = False

        roots = self._enter(function.body)
        self._waiting += roots
        self._need(function.body.results)
        while self._waiting:
            found = self._waiting.pop()
            if isinstance(found, ir.Var):
                self._keep_var(found)
            else:
                self._keep_op(found)

    def _enter(self, body: ir.Block) -> list[ir.Operation]:
        """Tabulate definitions; give the operations that stay whatever happens."""
        roots = []
        for op in ir.walk(body):
            for inner in ir.blocks(op):
                self._around.update((child, op) for child in inner.ops)
            for position, var in enumerate(ir.targets(op)):
                self._defining[var] = (op, position)
            if isinstance(op, (ir.For, ir.While)):
                for position, var in enumerate(op.params):
                    self._defining[var] = (op, position)
            if isinstance(op, ir.For):
                self._defining[op.index] = (op, -1)
            if _has_effect(op, self._memory, self._pure_calls):
                roots.append(op)
        return roots

    def _need(self, operands: tuple[ir.Operand, ...]) -> None:
        for operand in operands:
            self._waiting.extend(ir.leaves(operand))

    def _keep_var(self, var: ir.Var) -> None:
        if var in self._vars or var not in self._defining:
            return
        self._vars.add(var)
        op, position = self._defining[var]
        self._waiting.append(op)
        match op:
            case ir.If() | ir.With():
                for block in ir.blocks(op):
                    self._need(block.results[position : position + 1])
            case ir.For() | ir.While() if position >= 0:
                if (op, position) not in self._slots:
                    self._slots.add((op, position))
                    self._need(
                        (op.inits[position], op.body.results[position + op.breaks])
                    )

    def _keep_op(self, op: ir.Operation) -> None:
        if op in self._ops:
            return
        self._ops.add(op)
        if op in self._around:
            self._waiting.append(self._around[op])
        match op:
            case ir.For():
                self._need((op.start, op.stop, op.step))
                self._need(op.body.results[: op.breaks])
            case ir.While():
                self._need(op.cond.results)
                self._need(op.body.results[: op.breaks])
            case _:
                self._waiting.extend(ir.uses(op))

    # ---------------------------------------------------------- rebuilding

    def prune(self, block: ir.Block) -> ir.Block:
        ops = tuple(self._prune_op(op) for op in block.ops if op in self._ops)
        self.removed = self.removed or len(ops) < len(block.ops)
        return ir.Block(ops, block.results)

    def _prune_op(self, op: ir.Operation) -> ir.Operation:
        match op:
            case ir.If(targets=targets):
                keep = [k for k, var in enumerate(targets) if var in self._vars]
                return replace(
                    op,
                    targets=self._some(targets, keep),
                    then=self._prune_held(op.then, keep),
                    orelse=self._prune_held(op.orelse, keep),
                )
            case ir.With(targets=targets):
                keep = [k for k, var in enumerate(targets) if var in self._vars]
                return replace(
                    op,
                    targets=self._some(targets, keep),
                    body=self._prune_held(op.body, keep),
                )
            case ir.For() | ir.While():
                return self._prune_loop(op)
        return op

    def _prune_loop(self, op: ir.For | ir.While) -> ir.Operation:
        keep = [k for k in range(len(op.params)) if (op, k) in self._slots]
        results = [k + op.breaks for k in keep]
        changed = replace(
            op,
            targets=self._some(op.targets, keep),
            params=self._some(op.params, keep),
            inits=tuple(op.inits[k] for k in keep),
            body=self._prune_held(op.body, [0, *results] if op.breaks else results),
        )
        if isinstance(changed, ir.While):
            return replace(changed, cond=self.prune(changed.cond))
        return changed

    def _some(self, found: tuple[ir.Var, ...], keep: list[int]) -> tuple[ir.Var, ...]:
        self.removed = self.removed or len(keep) < len(found)
        return tuple(found[k] for k in keep)

    def _prune_held(self, block: ir.Block, keep: list[int]) -> ir.Block:
        pruned = self.prune(block)
        return ir.Block(pruned.ops, tuple(block.results[k] for k in keep))


def _has_effect(op: ir.Operation, memory: Memory, pure_calls: frozenset[str]) -> bool:
    """Whether an operation must stay even if nothing reads its results."""
    match op:
        case ir.Effect():
            return True
        case ir.Call(function=name):
            return name not in pure_calls
        case ir.Apply():
            return not op.adjoint and changes_state(op)
        case ir.Store(base=base) | ir.Append(base=base) | ir.Pop(base=base):
            if memory.versions.has(base, Fact.HELD):
                return True
            return not op.adjoint and memory.versions.has(base, Fact.EXTERNAL)
    return False
