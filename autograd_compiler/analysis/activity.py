"""Activity: which values depend on a differentiated input *and* matter for the output.

Only these get an adjoint.  Varied flows forward from the inputs, useful flows backward
from the outputs; loops are gone through until nothing changes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import numpy as np

from autograd_compiler import ir
from autograd_compiler.rules.registry import rule_of
from autograd_compiler.types import (
    DictOf,
    ListOf,
    Opaque,
    TupleOf,
    Type,
    is_complex,
    is_inexact,
)

CallFacts = Callable[[ir.Call], bool]


def active_vars(
    body: ir.Block, inputs: Iterable[ir.Var], outputs: Iterable[ir.Var]
) -> set[ir.Var]:
    """The variables of a block that carry a derivative from inputs to outputs."""
    varied = varied_vars(body, inputs)
    active = varied & useful_vars(body, outputs)
    _add_later_lists(body, active)
    return active


def _add_later_lists(body: ir.Block, active: set[ir.Var]) -> None:
    """Add what becomes of active lists.

    The adjoint of a list has the list's length.  So it is begun where the list has its
    last length, even if nothing reads the list then.
    """
    size = -1
    while size != len(active):
        size = len(active)
        for op in ir.walk(body):
            match op:
                case ir.Append(target=target, base=base):
                    _follow(active, (target,), (base,))
                case ir.Pop(target=target, base=base):
                    _follow(active, (target,), (base,))
                case ir.Store(target=target, base=base):
                    _follow(active, (target,), (base,))
                case ir.If() | ir.With():
                    for block in ir.blocks(op):
                        _follow(active, op.targets, block.results)
                case ir.For() | ir.While():
                    results = op.body.results[op.breaks :]
                    _follow(active, op.params, op.inits)
                    _follow(active, op.params, results)
                    _follow(active, op.targets, results)
                    _follow(active, op.targets, op.inits)


def _follow(
    active: set[ir.Var], later: tuple[ir.Var, ...], sources: tuple[ir.Operand, ...]
) -> None:
    for target, source in zip(later, sources, strict=True):
        if source in active and isinstance(target.type, ListOf):
            active.add(target)


def is_differentiable(op: ir.Apply) -> bool:
    """Whether a derivative can flow through the call (unknown callees: yes, to refuse)."""
    if op.fn is getattr:
        return False
    if op.fn is np.sign and any(is_complex(leaf.type) for leaf in ir.uses(op)):
        return True  # the direction of a complex number, which is not constant: refused
    rule = rule_of(op.fn)
    return rule is None or rule.kind != "zero"


def differentiated(op: ir.Apply) -> Iterator[ir.Operand]:
    """The operands that the result's derivative can flow through.

    A partial that is declared zero (the sign in `np.copysign(x, sign)`) lets nothing
    through.  Operands of other rules are all given: those without a derivative are
    refused later, should they be active.
    """
    if isinstance(op.fn, ir.GradOf):
        yield op.args[0]
        return
    rule = rule_of(op.fn)
    if rule is None or rule.kind != "partials":
        yield from ir.operands(op)
        return
    zero = {name for name, text in rule.partials.items() if text is None}
    for position, operand in enumerate(op.args):
        if (
            position >= len(rule.parameters)
            or rule.parameters[position].name not in zero
        ):
            yield operand
    yield from (value for key, value in op.kwargs if key not in zero)


def is_text(kind: Type) -> bool:
    """Whether values of the type are text, or hold some."""
    match kind:
        case Opaque(cls):
            return issubclass(cls, (str, bytes))
        case ListOf(item) | DictOf(item):
            return is_text(item)
        case TupleOf(items):
            return any(map(is_text, items))
    return False


def varied_vars(
    body: ir.Block, inputs: Iterable[ir.Var], through_text: bool = False
) -> set[ir.Var]:
    """The variables that depend on the inputs through operations with derivatives.

    With `through_text`, also those that depend on text that was made of the inputs.
    """
    varied = {var for var in inputs if is_inexact(var.type)}

    def depends(operands: Iterable[ir.Operand]) -> bool:
        return any(
            leaf in varied for operand in operands for leaf in ir.leaves(operand)
        )

    def mark(var: ir.Var) -> None:
        if is_inexact(var.type) or through_text and is_text(var.type):
            varied.add(var)

    def join(targets: tuple[ir.Var, ...], *sides: tuple[ir.Operand, ...]) -> None:
        for side in sides:
            for target, operand in zip(targets, side, strict=True):
                if depends([operand]):
                    mark(target)

    def visit(block: ir.Block) -> None:
        for op in block.ops:
            match op:
                case ir.Apply() if through_text and any(
                    is_text(target.type) for target in op.targets
                ):
                    if depends(ir.operands(op)):
                        varied.update(op.targets)
                case ir.Apply() if is_differentiable(op):
                    if depends(differentiated(op)):
                        for target in op.targets:
                            mark(target)
                case ir.Load(target=target, base=base):
                    if base in varied:
                        mark(target)
                case ir.Store(target=target, base=base, value=value):
                    if depends([base, value]):
                        varied.add(target)
                case ir.Append(target=target, base=base, value=value):
                    if depends([base, value]):
                        varied.add(target)
                case ir.Pop(target=target, value=value, base=base):
                    if base in varied:
                        mark(target)
                        mark(value)
                case ir.Call(targets=targets, args=args):
                    if depends(args):
                        for target in targets:
                            mark(target)
                case ir.If(targets=targets, then=then, orelse=orelse):
                    visit(then)
                    visit(orelse)
                    join(targets, then.results, orelse.results)
                case ir.For() | ir.While():
                    results = op.body.results[1:] if op.breaks else op.body.results
                    join(op.params, op.inits)
                    while True:
                        before = len(varied)
                        for inner in ir.blocks(op):
                            visit(inner)
                        join(op.params, results)
                        if len(varied) == before:
                            break
                    join(op.targets, op.inits, results)
                case ir.With(targets=targets, body=inner):
                    visit(inner)
                    join(targets, inner.results)

    visit(body)
    return varied


def useful_vars(body: ir.Block, outputs: Iterable[ir.Var]) -> set[ir.Var]:
    """The variables that the outputs depend on through operations with derivatives."""
    useful = set(outputs)

    def use(operands: Iterable[ir.Operand]) -> None:
        for operand in operands:
            useful.update(ir.leaves(operand))

    def back(targets: tuple[ir.Var, ...], *sides: tuple[ir.Operand, ...]) -> None:
        for side in sides:
            for target, operand in zip(targets, side, strict=True):
                if target in useful:
                    use([operand])

    def visit(block: ir.Block) -> None:
        for op in reversed(block.ops):
            match op:
                case ir.Apply() if is_differentiable(op):
                    if any(target in useful for target in op.targets):
                        use(differentiated(op))
                case ir.Load(target=target, base=base):
                    if target in useful:
                        useful.add(base)
                case ir.Store(target=target, base=base, value=value):
                    if target in useful:
                        use([base, value])
                case ir.Append(target=target, base=base, value=value):
                    if target in useful:
                        use([base, value])
                case ir.Pop(target=target, value=value, base=base):
                    if target in useful or value in useful:
                        useful.add(base)
                case ir.Call(targets=targets, args=args):
                    if any(target in useful for target in targets):
                        use(args)
                case ir.If(targets=targets, then=then, orelse=orelse):
                    back(targets, then.results, orelse.results)
                    visit(then)
                    visit(orelse)
                case ir.For() | ir.While():
                    results = op.body.results[1:] if op.breaks else op.body.results
                    back(op.targets, op.inits, results)
                    while True:
                        before = len(useful)
                        visit(op.body)
                        back(op.params, op.inits, results)
                        if len(useful) == before:
                            break
                case ir.With(targets=targets, body=inner):
                    back(targets, inner.results)
                    visit(inner)

    visit(body)
    return useful
