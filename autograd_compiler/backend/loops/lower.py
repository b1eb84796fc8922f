"""The pass: array statements of a module become loops."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from autograd_compiler import ir
from autograd_compiler.analysis.effects import memory_of
from autograd_compiler.backend.loops.build import NestBuilder
from autograd_compiler.backend.loops.gather import gather
from autograd_compiler.backend.loops.nests import Nest, contracted, nests
from autograd_compiler.backend.loops.plan import Planner
from autograd_compiler.backend.loops.sizes import Sizes


def lower_loops(module: ir.Module) -> ir.Module:
    """Elementwise array code as loops, where shapes are known.

    Before::

        b[1:-1] = 0.5 * (a[2:] + a[:-2])

    After::

        n = a.shape[0]
        for i in range(1, n - 1):
            b[i] = 0.5 * (a[i + 1] + a[i - 1])

    An expression that reads what its statement writes is computed in full before it is
    written, as NumPy does, unless no element is read after it was written.
    """
    return ir.Module(tuple(map(_lower_function, module.functions)))


def _lower_function(function: ir.Function) -> ir.Function:
    lowerer = _Lowerer(function)
    body = lowerer.block(function.body)
    opening = tuple(lowerer.sizes.opening)
    return replace(function, body=ir.Block((*opening, *body.ops), body.results))


class _Lowerer:
    def __init__(self, function: ir.Function) -> None:
        self.memory = memory_of(function)
        self.count = Counter(ir.block_uses(function.body))
        self.sizes = Sizes(function)
        self._versions: dict[ir.Var, ir.Var] = {}
        self._first: dict[ir.Var, ir.Var] = {}

    def change(self, var: ir.Var) -> ir.Var:
        """The variable that holds the value now."""
        first = self._first.get(var, var)
        return self._versions.get(first, var)

    def block(self, block: ir.Block) -> ir.Block:
        self.sizes.enter()
        outer = dict(self._versions)
        planner = Planner(self.memory, self.count)
        items = planner.plan(block, self.sizes.symbols())
        groups = list(nests(gather(items, block.results, planner), planner))
        for var in planner.known():
            self._first[var] = planner.first(var)
        places = contracted(groups, block.results, planner)
        ops: list[ir.Operation] = []
        for group in groups:
            if isinstance(group, Nest):
                builder = NestBuilder(group, places, planner, self.sizes, self.change)
                ops += builder.build()
                self._versions.update(builder.finished)
                for var in builder.finished.values():
                    self.sizes.saw(var)
                continue
            self.sizes.enter()
            for var in ir.inner_vars(group):
                self.sizes.saw(var)
            op = ir.rebuild_op(group, self.change, self.block)
            self.sizes.leave()
            ops.append(op)
            for target in ir.targets(op):
                self.sizes.saw(target)
            if isinstance(op, ir.Store | ir.Append | ir.Pop):
                self._versions[planner.first(op.target)] = op.target
        results = tuple(ir.rebuild(result, self.change) for result in block.results)
        self.sizes.leave()
        self._versions = outer  # the results say what goes on outside
        return ir.Block(tuple(ops), results)
