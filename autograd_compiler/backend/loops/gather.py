"""The adjoint of a stencil as a gather.

`b[1:-1] = c * (a[:-2] + a[1:-1] + a[2:])` has an adjoint that adds one array to `d_a` at
three shifted places, by a loop for each.  Here each place of `d_a` collects what it is
owed instead, in one loop.  The array that is added has zeros around it, so that no
place is an exception:

    for i in range(1, n - 1):
        t[i + 1] = c * d_b[i]          # t is n + 2 long, and zero at its ends
    for i in range(n):
        d_a[i] += t[i + 2] + t[i + 1] + t[i]

Gathers for adjoints of stencils are due to J. C. Hückelheim et al., "Automatic
Differentiation for Adjoint Stencil Loops" (2019), who peel the boundary off.
"""

from __future__ import annotations

import math
import operator
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import TypeGuard

from autograd_compiler import ir
from autograd_compiler.backend.loops.expressions import (
    At,
    Element,
    Expr,
    Node,
    elements,
    own_axes,
    rewritten,
)
from autograd_compiler.backend.loops.plan import Item, Planner, Statement
from autograd_compiler.types import Array, Dim

FEWEST = 3  # shifted places that are worth an array of their own


def gather(
    items: list[Item], results: Iterable[ir.Operand], planner: Planner
) -> list[Item]:
    """The items of a block, with gathers."""
    done: list[Item] = []
    reads = _reads(items, results, planner)
    for group in _groups(items, planner):
        stencil = _stencil(group)
        if stencil is None:
            done += group
            continue
        # What only this stencil reads is written into its array in the first place.
        own = _maker(stencil, done, reads, planner)
        writing, collecting = _gathered(stencil, own, planner)
        if own is None:
            done.append(writing)
        else:
            done[done.index(own)] = writing
        done.append(collecting)
    return done


@dataclass(frozen=True)
class _Stencil:
    """Additions of multiples of one element to shifted places of one array."""

    additions: list[Statement]
    element: Element
    alike: bool  # whether all add the same

    def reach(self, axis: int) -> tuple[int, int]:
        """The least and the largest shift along an axis."""
        offsets = [addition.at[axis].offset for addition in self.additions]
        return min(offsets), max(offsets)


# ------------------------------------------------------------ which additions


def _groups(items: Iterable[Item], planner: Planner) -> Iterator[list[Item]]:
    """Neighbouring additions to one array together; all else by itself, in its order."""
    run: list[Statement] = []
    for item in items:
        if _is_shifted(item):
            if not _commute(item, run, planner):
                yield from _by_base(run)
                run = []
            run.append(item)
            continue
        yield from _by_base(run)
        run = []
        yield [item]
    yield from _by_base(run)


def _by_base(run: list[Statement]) -> Iterator[list[Item]]:
    groups: dict[ir.Var | None, list[Item]] = {}
    for statement in run:
        groups.setdefault(statement.base, []).append(statement)
    yield from groups.values()


def _is_shifted(item: Item) -> TypeGuard[Statement]:
    """Whether an item adds to the places of an array that lie at a fixed distance."""
    return (
        isinstance(item, Statement)
        and item.base is not None
        and item.mode == "add"
        and not item.fresh
        and len(item.at) == len(item.dims)
        and all(place == At(axis, place.offset) for axis, place in enumerate(item.at))
    )


def _commute(new: Statement, run: list[Statement], planner: Planner) -> bool:
    """Whether none reads, and none but itself shares, what another adds to."""
    every = [*run, new]
    written = {s.base for s in every if s.base is not None}
    reads = {element.base for s in every for element in elements(s.expr)}
    return not any(
        planner.may_share(base, other)
        for base in written
        for other in (*reads, *written - {base})
    )


def _stencil(group: list[Item]) -> _Stencil | None:
    additions = [item for item in group if isinstance(item, Statement)]
    if len(additions) < FEWEST or len({a.at for a in additions}) < FEWEST:
        return None
    first = additions[0]
    element = _multiplied(first.expr)
    if element is None or not isinstance(element.base.type, Array):
        return None
    if element.base.type.dtype != "float64":
        return None
    for other in additions[1:]:
        found = _multiplied(other.expr)
        if found is None or not _is_same(found, element):
            return None
        if not all(a.same(b) for a, b in zip(other.dims, first.dims, strict=True)):
            return None
    alike = all(_is_same(first.expr, other.expr) for other in additions[1:])
    return _Stencil(additions, element, alike)


def _multiplied(expr: Expr) -> Element | None:
    """The element of which an expression is a multiple: zero where that is."""
    match expr:
        case Element():
            return expr
        case Node(op=ir.Apply(fn=operator.neg), args=(inner,)):
            return _multiplied(inner)
        case Node(op=ir.Apply(fn=operator.mul), args=(number, inner)) if _is_finite(
            number
        ):
            return _multiplied(inner)
        case Node(
            op=ir.Apply(fn=operator.mul | operator.truediv), args=(inner, number)
        ) if _is_finite(number):
            return _multiplied(inner)
        case Node(op=ir.Apply(fn=operator.add | operator.sub), args=(left, right)):
            one, other = _multiplied(left), _multiplied(right)
            if one is not None and other is not None and _is_same(one, other):
                return one
    return None


def _is_finite(expr: Expr) -> bool:
    return (
        isinstance(expr, ir.Const)
        and isinstance(expr.value, (int, float))
        and math.isfinite(expr.value)
        and expr.value != 0
    )


def _is_same(first: Expr, second: Expr) -> bool:
    match first, second:
        case Element(), Element():
            return first.base is second.base and first.at == second.at
        case Node(), Node():
            return (
                first.op.fn is second.op.fn
                and len(first.args) == len(second.args)
                and all(map(_is_same, first.args, second.args))
            )
        case ir.Const(), ir.Const():
            return type(first.value) is type(second.value) and (
                first.value == second.value
            )
    return first is second


# ------------------------------------------------------------ what they become


def _reads(
    items: Iterable[Item], results: Iterable[ir.Operand], planner: Planner
) -> Counter[ir.Var]:
    """How often each array is read, or written again, by its first name."""
    found = Counter(var for operand in results for var in ir.leaves(operand))
    for item in items:
        if isinstance(item, Statement):
            found.update(element.base for element in elements(item.expr))
            if item.base is not None and not item.fresh:
                found.update([item.base])
        else:
            found.update(ir.uses(item))
            for block in ir.blocks(item):
                found.update(list(ir.free_vars(block)))
    reads: Counter[ir.Var] = Counter()
    for var, times in found.items():
        reads[planner.first(var)] += times
    return reads


def _maker(
    stencil: _Stencil, done: list[Item], reads: Counter[ir.Var], planner: Planner
) -> Statement | None:
    """The statement that makes the array for this stencil alone."""
    array = planner.first(stencil.element.base)
    own = sum(1 for a in stencil.additions for _ in elements(a.expr))
    if reads[array] != own:
        return None
    for item in done:
        if isinstance(item, Statement) and item.base is array:
            whole = own_axes(len(item.dims))
            plain = item.at == whole == stencil.element.at and item.mode == "set"
            return item if item.fresh and plain else None
    return None


def _gathered(
    stencil: _Stencil, own: Statement | None, planner: Planner
) -> tuple[Statement, Statement]:
    """The write into the array with zeros around it, and the gather."""
    first, *_, last = stencil.additions
    reaches = [stencil.reach(axis) for axis in range(len(first.dims))]
    margins = tuple(most - least for least, most in reaches)
    wide = _widened(_widened(first.dims, margins), margins)
    array = ir.Var("padded", Array("float64", wide, True))
    target = ir.Var(array.name, array.type)
    planner.follow(target, array)

    value: Expr = first.expr if stencil.alike else stencil.element
    if own is not None:
        value = _put(value, own.expr)
    at = tuple(At(axis, margin) for axis, margin in enumerate(margins))
    op = first.op if own is None else own.op
    writing = Statement(
        op, target, array, at, "set", value, first.dims, fresh=True, padded=True
    )

    terms = []
    for addition in sorted(stencil.additions, key=_shifts, reverse=True):
        places = tuple(
            At(axis, most - place.offset)
            for axis, (place, (_, most)) in enumerate(
                zip(addition.at, reaches, strict=True)
            )
        )
        element = Element(target, places)
        terms.append(element if stencil.alike else _put(addition.expr, element))
    total, *rest = terms
    for term in rest:
        total = _sum(total, term, last.op)
    collecting = replace(
        last,
        at=tuple(At(axis, least) for axis, (least, _) in enumerate(reaches)),
        expr=total,
        dims=_widened(first.dims, margins),
    )
    return writing, collecting


def _shifts(addition: Statement) -> tuple[int, ...]:
    return tuple(place.offset for place in addition.at)


def _put(expr: Expr, element: Expr) -> Expr:
    return rewritten(expr, lambda _: element)


def _widened(dims: tuple[Dim, ...], margins: Iterable[int]) -> tuple[Dim, ...]:
    return tuple(dim.plus(more) for dim, more in zip(dims, margins, strict=True))


def _sum(first: Expr, second: Expr, like: ir.Operation) -> Node:
    """A sum by element; of a negated term, a difference."""
    fn = operator.add
    if isinstance(second, Node) and second.op.fn is operator.neg:
        fn, (second,) = operator.sub, second.args
    operands = (ir.Const(0.0), ir.Const(0.0))  # `Node` has the arguments by element
    made = ir.Var("", Array("float64", (None,), True))
    return Node(
        ir.Apply(like.span, (made,), fn, operands, adjoint=like.adjoint),
        (first, second),
        "float64",
    )
