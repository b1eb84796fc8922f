"""The state of simplification: what was replaced, what made what, what reads what."""

from __future__ import annotations

from dataclasses import replace

from autograd_compiler import ir
from autograd_compiler.analysis.effects import WriteClock, memory_of
from autograd_compiler.passes.simplify.facts import (
    arithmetic_of,
    dtype_kind,
    is_literal,
)
from autograd_compiler.types import Unknown


class Work:
    """One walk over a function."""

    def __init__(self, function: ir.Function) -> None:
        self.memory = memory_of(function)
        self.clock = WriteClock(self.memory)
        self.replaced: dict[ir.Var, ir.Operand] = {}
        self.made: dict[ir.Var, tuple[ir.Apply, tuple[int, ...]]] = {}
        # Variables that are read from or written to, which a constant cannot be.
        self.bases = {
            op.base
            for op in ir.walk(function.body)
            if isinstance(op, (ir.Load, ir.Store, ir.Append, ir.Pop))
        }
        # What reads each variable: operations, and None for the results of blocks.
        self.readers: dict[ir.Var, list[ir.Operation | None]] = readers_of(
            function.body
        )
        # Operations that a rewrite asks for in front of its own.
        self.before: list[ir.Apply] = []
        # Temporaries, and those that the forward sweep computes.
        self.nameless: set[ir.Var] = set()
        self.primal: set[ir.Var] = set()
        self.names: dict[ir.Var, ir.Var] = {}
        self.changed = False

    def current_var(self, var: ir.Var) -> ir.Operand:
        return self.replaced.get(var, var)

    def current(self, operand: ir.Operand) -> ir.Operand:
        return ir.rebuild(operand, self.current_var)

    def can_replace(self, var: ir.Var, operand: ir.Operand) -> bool:
        match operand:
            case ir.Var():
                return True
            case ir.Const():
                return var not in self.bases and is_literal(operand)
        return False  # a container written out once would be written out again

    def replace(self, var: ir.Var, operand: ir.Operand) -> None:
        self.replaced[var] = operand
        self.changed = True
        if not isinstance(operand, ir.Var):
            return
        if var in self.bases:
            self.bases.add(operand)
        self.readers.setdefault(operand, []).extend(self.readers.get(var, ()))
        memory = self.memory
        if memory.has_buffer(var) and memory.has_buffer(operand):
            memory.aliases.join(operand, var)
            memory.versions.join(operand, var)
        if operand in self.primal and var.name.startswith("d_"):
            return  # the forward sweep shall not speak of adjoints
        if var.name and operand in self.nameless:
            self.nameless.remove(operand)
            self.names[operand] = ir.Var(var.name, operand.type)

    def append(self, op: ir.Apply, ops: list[ir.Operation]) -> None:
        stamp = self.clock.stamp((*op.args, *(value for _, value in op.kwargs)))
        self.made[op.target] = (op, stamp)
        if not op.adjoint:
            self.primal.add(op.target)
        if not op.target.name:
            self.nameless.add(op.target)
        ops.append(op)

    def definition(self, operand: ir.Operand) -> ir.Apply | None:
        """The call that made the operand, if what it read is still the same."""
        if not isinstance(operand, ir.Var) or operand not in self.made:
            return None
        op, stamp = self.made[operand]
        operands = (*op.args, *(value for _, value in op.kwargs))
        return op if self.clock.stamp(operands) == stamp else None

    def negated(self, operand: ir.Operand) -> ir.Var | None:
        """y, where the operand is -y."""
        op = self.definition(operand)
        if (
            op is None
            or arithmetic_of(op) != "neg"
            or not isinstance(op.args[0], ir.Var)
        ):
            return None
        # Minus True is an integer, and adds otherwise than True does.
        numeric = isinstance(op.args[0].type, Unknown)
        numeric = numeric or dtype_kind(op.args[0].type) in tuple("iufc")
        return op.args[0] if numeric else None

    def new(self, op: ir.Apply, *args: ir.Operand) -> ir.Var:
        """The result of an operation like `op` of other arguments, put before it."""
        made = ir.Var("", op.target.type)
        self.before.append(replace(op, targets=(made,), args=args))
        return made

    def weight(self, operand: ir.Operand, depth: int = 8) -> int:
        """About how many operators the text of an operand will have."""
        op = self.definition(operand)
        if op is None or not depth or len(self.readers.get(op.target, ())) > 1:
            return 0
        return 1 + sum(self.weight(arg, depth - 1) for arg in op.args)

    def can_replace_all(
        self, found: tuple[ir.Var, ...], operands: tuple[ir.Operand, ...]
    ) -> bool:
        return all(map(self.can_replace, found, operands))


def readers_of(block: ir.Block) -> dict[ir.Var, list[ir.Operation | None]]:
    found: dict[ir.Var, list[ir.Operation | None]] = {}

    def visit(block: ir.Block) -> None:
        for op in block.ops:
            for var in ir.uses(op):
                found.setdefault(var, []).append(op)
            for inner in ir.blocks(op):
                visit(inner)
        for result in block.results:
            for var in ir.leaves(result):
                found.setdefault(var, []).append(None)

    visit(block)
    return found
