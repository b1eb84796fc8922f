"""Which statements share loops, and which arrays are then needed no longer.

Statements are put into one nest of loops as long as each element is still read and
written in the right order.  They share the outer loops; within these, a *row* is a run
of statements with or without a loop of its own:

    for i in range(n):
        total = 0.0
        for j in range(m):            # a row with a loop: over (n, m)
            total += a[i, j] * b[j]
        c[i] = total                  # a row without: over (n,)

What a temporary holds from one row to the next is a number or one row that stays in the
cache.  Several `+=` at shifted places of one array, as in the adjoint of a stencil, get
a loop each: apart they vectorise, and together they do not.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from autograd_compiler import ir
from autograd_compiler.analysis.effects import changes_state
from autograd_compiler.backend.loops import access
from autograd_compiler.backend.loops.expressions import (
    Map,
    elements,
    numbers,
    wraps,
)
from autograd_compiler.backend.loops.plan import Item, Planner, Statement
from autograd_compiler.types import Array, Dim, Scalar


@dataclass(eq=False)
class Nest:
    """Rows of statements inside of `depth` loops."""

    depth: int
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
        current, waiting = Nest(len(item.dims), [[item]]), []
    yield from waiting
    if current is not None:
        yield current


def _joins(new: Statement, nest: Nest, planner: Planner) -> bool:
    """Put a statement into a nest, if it may be there."""
    if _needs_sum(new, nest.statements):
        return False
    if _is_same(new.dims, nest.rows[-1][0].dims) and _shares(
        nest.rows[-1], new, len(new.dims), planner
    ):
        earlier = [old for row in nest.rows[:-1] for old in row]
        if _shares(earlier, new, nest.depth, planner):
            nest.rows[-1].append(new)
            return True
    if any(wraps(statement.expr) for statement in (new, *nest.statements)):
        return False
    for depth in _depths(new, nest):
        if _shares(nest.statements, new, depth, planner):
            nest.depth = depth
            nest.rows.append([new])
            return True
    return False


def _depths(new: Statement, nest: Nest) -> Iterator[int]:
    """How many loops a nest and a new row may share: most first."""
    rank = len(new.dims)
    fixed = len(nest.rows) > 1
    for depth in (nest.depth,) if fixed else (nest.depth, nest.depth - 1):
        if depth < 1 or rank not in (depth, depth + 1):
            continue
        if all(_is_same(new.dims[:depth], row[0].dims[:depth]) for row in nest.rows):
            yield depth


def _is_same(first: tuple[Dim, ...], second: tuple[Dim, ...]) -> bool:
    return len(first) == len(second) and all(
        a.same(b) for a, b in zip(first, second, strict=True)
    )


def _shares(
    statements: Iterable[Statement], new: Statement, depth: int, planner: Planner
) -> bool:
    return all(_share(old, new, depth, planner) for old in statements)


def _needs_sum(new: Statement, statements: list[Statement]) -> bool:
    sums = {old.target for old in statements if old.base is None}
    found = set(numbers(new.expr))
    for place in new.at:
        if place.fixed is not None:
            found.update(ir.leaves(place.fixed))
    return not sums.isdisjoint(found)


def _share(first: Statement, second: Statement, depth: int, planner: Planner) -> bool:
    """Whether two statements, in this order, may share the outer loops."""

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
            innermost = depth == len(second.dims)
            return not innermost or access.same_place(writes[0][1], writes[1][1], depth)
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
    made = {planner.first(statement.target) for statement in nest.statements}
    if not made.isdisjoint(map(planner.first, ir.uses(op))):
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
    every = [group for group in groups if isinstance(group, Nest)]
    for nest in every:
        for statement in nest.statements:
            for touched, _ in _touched(statement, planner):
                readers.setdefault(touched, set()).add(nest)
    for nest in every:
        for made in nest.statements:
            base = made.base
            if not made.fresh or base is None or base in needed:
                continue
            if readers[base] == {nest} and (place := _place(made, nest, planner)):
                found[base] = place
    return found


def _place(made: Statement, nest: Nest, planner: Planner) -> Place | None:
    """What can hold an array that one nest makes and reads."""
    touched = [
        (number, at)
        for number, row in enumerate(nest.rows)
        for statement in row
        for base, at in _touched(statement, planner)
        if base is made.base
    ]
    rank = len(made.dims)
    if made.mode == "add":  # a sum along the loop of its row
        if rank != nest.depth + 1:
            return None
        rank -= 1
    if any(len(at) != len(made.at) for _, at in touched):
        return None
    if not all(access.same_place(at, made.at, rank) for _, at in touched):
        return None
    if any(place.axis is not None and place.axis >= rank for place in made.at):
        return None
    if rank == nest.depth or all(number == touched[0][0] for number, _ in touched):
        return "number"
    return "row"


def _touched(statement: Statement, planner: Planner) -> Iterator[tuple[ir.Var, Map]]:
    yield from _reads(statement, planner)
    if statement.base is not None:
        yield statement.base, statement.at
