"""Which statements share loops, and which arrays are then needed no longer.

Statements over the same space are put into one nest of loops as long as each element is
still read and written in the right order.  If two of them may not share the innermost
loop, they share the outer ones: then a temporary between them is a row that stays in
the cache.  Several `+=` at shifted places of one array, as in the adjoint of a stencil,
get an innermost loop each: apart they vectorise, and together they do not.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from autograd_compiler import ir
from autograd_compiler.analysis.effects import changes_state
from autograd_compiler.backend.loops import access
from autograd_compiler.backend.loops.expressions import Map, elements, numbers
from autograd_compiler.backend.loops.plan import Item, Planner, Statement
from autograd_compiler.types import Array, Dim, Scalar


@dataclass(eq=False)
class Nest:
    """Statements in loops over one space.

    `rows` are runs of statements that share the innermost loop.
    """

    dims: tuple[Dim, ...]
    rows: list[list[Statement]] = field(default_factory=list)

    @property
    def statements(self) -> list[Statement]:
        return [statement for row in self.rows for statement in row]


def nests(items: Iterable[Item], planner: Planner) -> Iterator[Nest | ir.Operation]:
    """Group statements; operations in between move to the front where they can."""
    current: Nest | None = None
    waiting: list[ir.Operation] = []
    for item in items:
        if not isinstance(item, Statement):
            if current is not None and _may_go_before(item, current, planner):
                waiting.append(item)
                continue
            yield from waiting
            if current is not None:
                yield current
            current, waiting = None, []
            yield item
            continue
        if current is not None and _joins(item, current, planner):
            continue
        yield from waiting
        if current is not None:
            yield current
        current, waiting = Nest(item.dims, [[item]]), []
    yield from waiting
    if current is not None:
        yield current


def _joins(new: Statement, nest: Nest, planner: Planner) -> bool:
    """Put a statement into a nest, if it may be there."""
    rank = len(nest.dims)
    same = len(new.dims) == rank and all(
        a.same(b) for a, b in zip(new.dims, nest.dims, strict=True)
    )
    if not same or _needs_sum(new, nest.statements):
        return False
    if rank > 1 and not all(
        _share(old, new, rank - 1, planner) for old in nest.statements
    ):
        return False
    inner = [row for row in nest.rows]
    if all(_share(old, new, rank, planner) for old in inner[-1]):
        nest.rows[-1].append(new)
        return True
    if rank > 1:
        nest.rows.append([new])
    return rank > 1


def _needs_sum(new: Statement, statements: list[Statement]) -> bool:
    sums = {old.target for old in statements if old.base is None}
    found = set(numbers(new.expr))
    for place in new.at:
        if place.fixed is not None:
            found.update(ir.leaves(place.fixed))
    return not sums.isdisjoint(found)


def _share(first: Statement, second: Statement, depth: int, planner: Planner) -> bool:
    """Whether two statements, in this order, may share the outer loops."""
    rank = len(first.dims)

    def apart(one: tuple[ir.Var, Map], other: tuple[ir.Var, Map]) -> bool:
        if one[0] is not other[0]:
            return not planner.may_share(one[0], other[0])
        return not access.meets_later(one[1], other[1], depth)

    reads = [_reads(first, planner), _reads(second, planner)]
    writes = [_write(first), _write(second)]
    if writes[0] is not None:
        if not all(apart(writes[0], read) for read in reads[1]):
            return False
    if writes[1] is not None:
        if not all(apart(read, writes[1]) for read in reads[0]):
            return False
    if writes[0] is not None and writes[1] is not None:
        if first.mode == second.mode == "add" and writes[0][0] is writes[1][0]:
            # Sums may change their order; shifted ones do not vectorise together.
            return depth < rank or access.same_place(writes[0][1], writes[1][1], rank)
        return apart(writes[0], writes[1])
    return True


def _reads(statement: Statement, planner: Planner) -> list[tuple[ir.Var, Map]]:
    return [(planner.first(e.base), e.at) for e in elements(statement.expr)]


def _write(statement: Statement) -> tuple[ir.Var, Map] | None:
    return None if statement.base is None else (statement.base, statement.at)


def _may_go_before(op: ir.Operation, nest: Nest, planner: Planner) -> bool:
    """Whether an operation computes numbers, or makes an array, that loops can follow."""
    if not isinstance(op, (ir.Apply, ir.Load)):
        return False
    if isinstance(op, ir.Apply) and changes_state(op):
        return False
    made = {statement.target for statement in nest.statements}
    if not made.isdisjoint(ir.uses(op)):
        return False
    written = [s.base for s in nest.statements if s.base is not None and not s.fresh]
    return not any(
        planner.may_share(var, base)
        for var in (*ir.uses(op), *ir.targets(op))
        if isinstance(var.type, Array)
        for base in written
    ) and all(isinstance(var.type, (Scalar, Array)) for var in ir.targets(op))


Place: TypeAlias = Literal["number", "row"]


def contracted(
    groups: list[Nest | ir.Operation], results: Iterable[ir.Operand], planner: Planner
) -> dict[ir.Var, Place]:
    """Arrays that need not exist: only one nest has them, each element where it is made.

    Within one innermost loop such an array is a number, else one row.
    """
    needed = {planner.first(var) for operand in results for var in ir.leaves(operand)}
    for group in groups:
        if not isinstance(group, Nest):
            needed.update(map(planner.first, ir.uses(group)))
            for block in ir.blocks(group):
                needed.update(map(planner.first, ir.free_vars(block)))
    found: dict[ir.Var, Place] = {}
    readers: dict[ir.Var, set[Nest]] = {}
    nests = [group for group in groups if isinstance(group, Nest)]
    for nest in nests:
        for statement in nest.statements:
            for base, _ in _touched(statement, planner):
                readers.setdefault(base, set()).add(nest)
    for nest in nests:
        for made in nest.statements:
            base = made.base
            if not made.fresh or base is None or made.mode == "add":
                continue
            if base in needed or readers[base] != {nest}:
                continue
            rows = [
                (row, at)
                for row in nest.rows
                for statement in row
                for touched, at in _touched(statement, planner)
                if touched is base
            ]
            if all(access.same_place(at, made.at, len(nest.dims)) for _, at in rows):
                alone = all(row is rows[0][0] for row, _ in rows)
                found[base] = "number" if alone else "row"
    return found


def _touched(
    statement: Statement, planner: Planner
) -> Iterator[tuple[ir.Var, Map]]:
    yield from _reads(statement, planner)
    if statement.base is not None:
        yield statement.base, statement.at
