"""Which values are read or written in parts, under a name or another one."""

from __future__ import annotations

from autograd_compiler import ir


def indexed_vars(body: ir.Block) -> set[ir.Var]:
    """The variables that are subscripted, or become what is, or come from what was.

    The adjoints of these are written in parts, and so must be buffers of their own;
    those of others are values that nothing is written into.
    """
    group: dict[ir.Var, ir.Var] = {}

    def find(var: ir.Var) -> ir.Var:
        while var in group:
            var = group[var]
        return var

    def unite(*operands: ir.Operand) -> None:
        first, *rest = [find(leaf) for item in operands for leaf in ir.leaves(item)]
        for other in rest:
            if find(other) is not find(first):
                group[find(other)] = find(first)

    parts: list[ir.Var] = []
    for op in ir.walk(body):
        match op:
            case ir.Load(base=base):
                parts.append(base)
            case ir.Store(target=target, base=base):
                parts += (target, base)
                unite(target, base)
            case ir.Append(target=target, base=base) | ir.Pop(target=target, base=base):
                parts += (target, base)
            case ir.If(targets=targets, then=then, orelse=orelse):
                for row in zip(targets, then.results, orelse.results, strict=True):
                    unite(*row)
            case ir.With(targets=targets, body=inner):
                for pair in zip(targets, inner.results, strict=True):
                    unite(*pair)
            case ir.For() | ir.While():
                nexts = op.body.results[1:] if op.breaks else op.body.results
                for carried in zip(op.targets, op.params, op.inits, nexts, strict=True):
                    unite(*carried)
    roots = {find(var) for var in parts}
    every = {*group, *roots}
    return {var for var in every if find(var) in roots}


def unassigned_vars(body: ir.Block) -> set[ir.Var]:
    """The variables that may have no value: a loop or branch need not give them one."""
    found: set[ir.Var] = set()
    size = -1
    while size != len(found):
        size = len(found)
        for op in ir.walk(body):
            rows: list[tuple[ir.Operand, ...]] = []
            match op:
                case ir.If(targets=targets, then=then, orelse=orelse):
                    rows = list(zip(then.results, orelse.results, strict=True))
                case ir.For(targets=targets, inits=inits):
                    rows = [(init,) for init in inits]
                case ir.While(targets=targets, inits=inits):
                    rows = [(init,) for init in inits]
                case _:
                    continue
            for k, row in enumerate(rows):
                if any(item is ir.UNDEFINED or item in found for item in row):
                    found.add(targets[k])
                    if isinstance(op, (ir.For, ir.While)):
                        found.add(op.params[k])
    return found
