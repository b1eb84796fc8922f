"""Local algebra: operations that their operands make simpler or superfluous.

Note [What may be folded].  A rewrite must give the same numbers of the same dtype and
shape, and it must not change which buffers are whose.  So `x * 1` is `x` only where the
types say that x is a float, or an integer multiplied by an integer; where x is an array
it is a *copy* of x, and is dropped only if neither is written and the caller cannot tell
(`Memory.may_stand_for`).  Where an operand of an operand is read later than it was, as y
is in `x + (-y) -> x - y`, nothing may have written it in between (`WriteClock`).
`x + 0` turns -0.0 into 0.0 and `x * 0` keeps infinities: for floats they are folded in
derivative code alone.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from autograd_compiler import ir
from autograd_compiler.operands import identity
from autograd_compiler.passes.simplify.adjoints import (
    adjoint_sign,
    choices,
    filled,
    finite,
    merged,
    products,
    take_name,
)
from autograd_compiler.passes.simplify.algebra import (
    arithmetic,
    broadcasts,
    signs,
    views,
)
from autograd_compiler.passes.simplify.facts import (
    TESTS,
    folded,
    is_plain,
    is_real_number,
    same_operand,
)
from autograd_compiler.passes.simplify.sizes import of_a_named_value
from autograd_compiler.passes.simplify.work import Work


def simplify(function: ir.Function) -> ir.Function:
    """Fold constants, apply identities of algebra, and undo what control flow hides.

    Covered: arithmetic with 1, 0 and -1; double negation; sums with negatives; views
    that cancel; broadcasts that the other operand makes superfluous; copies `y = x`;
    branches on constants; loops that never run; carried variables that do not change.

    Examples
    --------
    Before: `t = -y; z = x + t; return z * 1`.  After: `t = -y; z = x - y; return z`.

    >>> import operator
    >>> from autograd_compiler.types import Scalar
    >>> number = Scalar("float64")
    >>> x, y, t, z, r = (ir.Var(name, number) for name in "xytzr")
    >>> ops = (
    ...     ir.Apply(ir.NOWHERE, (t,), operator.neg, (y,)),
    ...     ir.Apply(ir.NOWHERE, (z,), operator.add, (x, t)),
    ...     ir.Apply(ir.NOWHERE, (r,), operator.mul, (z, ir.Const(1))),
    ... )
    >>> params = (ir.Param("x", x), ir.Param("y", y))
    >>> function = ir.Function("f", params, ir.Block(ops, (r,)), ir.NOWHERE)
    >>> body = simplify(function).body
    >>> [op.fn.__name__ for op in body.ops], body.results
    (['neg', 'sub'], (%z,))
    """
    work = Simplifier(function)
    body = work.block(function.body)
    if not work.changed:
        return function
    if work.names:
        body = renamed(body, work.names)
    return replace(function, body=body)


Rule = Callable[[Work, ir.Apply], ir.Apply | ir.Operand | None]

ALWAYS: tuple[Rule, ...] = (arithmetic, signs, views, broadcasts)
IN_DERIVATIVES: tuple[Rule, ...] = (
    adjoint_sign,
    products,
    of_a_named_value,
    filled,
    finite,
    choices,
)


class Simplifier(Work):
    """Work that goes through blocks."""

    def block(self, block: ir.Block) -> ir.Block:
        ops: list[ir.Operation] = []
        for old in block.ops:
            self.operation(old, ops)
        return ir.Block(tuple(ops), tuple(map(self.current, block.results)))

    def operation(self, old: ir.Operation, ops: list[ir.Operation]) -> None:
        op = old
        if self.replaced:
            op = ir.rebuild_op(old, self.current_var, lambda inner: inner)
        match op:
            case ir.Apply() if len(op.targets) == 1:
                self.apply(op, ops)
            case ir.If():
                branch(self, op, ops)
            case ir.For() | ir.While():
                loop(self, op, ops)
            case ir.With():
                ops.append(replace(op, body=self.block(op.body)))
            case ir.Store() if (sum_ := merged(self, op)) is not None:
                self.changed = True
                self.apply(sum_, ops)
            case _:
                if isinstance(op, ir.Load) and not op.target.name:
                    self.nameless.add(op.target)
                    if not op.adjoint:
                        self.primal.add(op.target)
                ops.append(op)
        self.clock.passed(op)

    def apply(self, op: ir.Apply, ops: list[ir.Operation]) -> None:
        for _ in range(8):  # each rewrite is simpler; the bound is for safety alone
            better = rewrite(self, op)
            for extra in self.before:
                self.append(extra, ops)
            self.before = []
            if better is None:
                break
            if not isinstance(better, ir.Apply):
                if self.can_replace(op.target, better):
                    self.replace(op.target, better)
                    return
                break
            op, self.changed = better, True
        if op.adjoint and op.target.name:
            take_name(self, op)
        self.append(op, ops)


def rewrite(work: Work, op: ir.Apply) -> ir.Apply | ir.Operand | None:
    if op.fn is identity and not op.kwargs:
        return op.args[0]
    constant = folded(op)
    if constant is not None:
        return constant
    for rule in (*ALWAYS, *(IN_DERIVATIVES if op.adjoint else ())):
        better = rule(work, op)
        if better is not None:
            return better
    return None


def branch(work: Simplifier, op: ir.If, ops: list[ir.Operation]) -> None:
    then, orelse = work.block(op.then), work.block(op.orelse)
    if isinstance(op.cond, ir.Const) and is_plain(op.cond.value):
        taken = then if op.cond.value else orelse
        if work.can_replace_all(op.targets, taken.results):
            ops.extend(taken.ops)
            work.changed = True
            for target, result in zip(op.targets, taken.results, strict=True):
                work.replace(target, result)
            return
    if not then.ops and not orelse.ops and not op.targets:
        work.changed = True
        return
    keep = []
    again: list[ir.Apply] = []
    for position, target in enumerate(op.targets):
        first, second = then.results[position], orelse.results[position]
        if same_operand(first, second) and work.can_replace(target, first):
            work.replace(target, first)
        elif (
            test := tested_again(work, target, first, second, then, orelse)
        ) is not None:
            again.append(test)
            work.changed = True
        else:
            keep.append(position)
    ops.append(
        replace(
            op,
            targets=tuple(op.targets[k] for k in keep),
            then=ir.Block(then.ops, tuple(then.results[k] for k in keep)),
            orelse=ir.Block(orelse.ops, tuple(orelse.results[k] for k in keep)),
        )
    )
    for test in again:
        work.append(test, ops)


def tested_again(
    work: Work,
    target: ir.Var,
    first: ir.Operand,
    second: ir.Operand,
    *branches: ir.Block,
) -> ir.Apply | None:
    """A comparison that one branch made and the reverse sweep asks for again.

    `x < 1` reads better than a variable for it, and numbers compare at no cost.
    """
    found = second if first is ir.UNDEFINED else first
    if (first is ir.UNDEFINED) == (second is ir.UNDEFINED) or target.name:
        return None
    op = work.definition(found)
    if op is None or op.fn not in TESTS or not all(map(is_real_number, op.args)):
        return None
    inside = {
        var for block in branches for made in ir.walk(block) for var in ir.targets(made)
    }
    if not inside.isdisjoint(ir.uses(op)):
        return None
    return replace(op, targets=(target,))


def loop(work: Simplifier, op: ir.For | ir.While, ops: list[ir.Operation]) -> None:
    if never_runs(op) and work.can_replace_all(op.targets, op.inits):
        work.changed = True
        for target, init in zip(op.targets, op.inits, strict=True):
            work.replace(target, init)
        return
    results = op.body.results[op.breaks :]
    keep = []
    for position, (param, result) in enumerate(zip(op.params, results, strict=True)):
        init, target = op.inits[position], op.targets[position]
        constant = result is param or same_operand(work.current(result), init)
        if constant and work.can_replace_all((param, target), (init, init)):
            work.replace(param, init)
            work.replace(target, init)
        else:
            keep.append(position)
    work.clock.enters(op)
    kept = tuple(results[k] for k in keep)
    body = ir.Block(op.body.ops, (*op.body.results[: op.breaks], *kept))
    changed = replace(
        op,
        targets=tuple(op.targets[k] for k in keep),
        params=tuple(op.params[k] for k in keep),
        inits=tuple(op.inits[k] for k in keep),
    )
    if isinstance(changed, ir.While):
        # In the order in which they run, for what the clock counts.
        cond = work.block(changed.cond)
        ops.append(replace(changed, cond=cond, body=work.block(body)))
    else:
        ops.append(replace(changed, body=work.block(body)))


def never_runs(op: ir.For | ir.While) -> bool:
    match op:
        case ir.For(
            start=ir.Const(start), stop=ir.Const(stop), step=ir.Const(step)
        ) if (all(type(bound) is int for bound in (start, stop, step)) and step):
            return not range(start, stop, step)
        case ir.While(cond=ir.Block(ops=(), results=(ir.Const(value),))):
            return not value
    return False


def renamed(block: ir.Block, names: dict[ir.Var, ir.Var]) -> ir.Block:
    """The block with calls and loads giving, and all reading, the renamed variables."""
    change: Callable[[ir.Var], ir.Operand] = lambda var: names.get(var, var)

    def rebuilt(old: ir.Operation) -> ir.Operation:
        op = ir.rebuild_op(old, change, lambda inner: renamed(inner, names))
        match op:
            case ir.Apply(targets=targets):
                return replace(
                    op, targets=tuple(names.get(var, var) for var in targets)
                )
            case ir.Load(target=target):
                return replace(op, target=names.get(target, target))
        return op

    return ir.Block(
        tuple(map(rebuilt, block.ops)),
        tuple(ir.rebuild(result, change) for result in block.results),
    )
