"""What a function gives that is compiled once: its form, joined over its calls."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeAlias

from autograd_compiler import ir
from autograd_compiler.frontend.values import (
    Value,
    pack,
)
from autograd_compiler.operands import type_of_operand
from autograd_compiler.types import (
    Array,
    Scalar,
    Type,
    join,
)

if TYPE_CHECKING:
    from autograd_compiler.frontend.lower import Lowering


class Inline(Exception):
    """An argument or a result that a call cannot pass."""


@dataclass(frozen=True)
class Leaf:
    """One result: its type in the sizes of the callee, and what it may share."""

    type: Type


@dataclass(frozen=True)
class Container:
    """A container of results; `fresh` where the callee made it (it may be changed)."""

    form: ir.Form
    items: tuple[Result, ...]
    fresh: bool = False


Result: TypeAlias = Leaf | Container | ir.Const


def leaves(result: Result) -> Iterator[Leaf]:
    match result:
        case Leaf():
            yield result
        case Container(items=items):
            for item in items:
                yield from leaves(item)


def operands(result: Result, tree: ir.Operand) -> Iterator[ir.Operand]:
    """What a body returns in the places of the leaves."""
    match result:
        case Leaf():
            yield tree
        case Container(items=items):
            assert isinstance(tree, ir.Pack)
            for item, part in zip(items, tree.items, strict=True):
                yield from operands(item, part)


def joined(first: Result, second: Result) -> Result:
    """What covers the results of two rounds."""
    match first, second:
        case Container(), Container() if first.form == second.form and len(
            first.items
        ) == len(second.items):
            return Container(
                first.form,
                tuple(map(joined, first.items, second.items)),
                first.fresh and second.fresh,
            )
        case ir.Const(), ir.Const() if first.value is second.value:
            return first
        case (Leaf() | ir.Const()), (Leaf() | ir.Const()):
            return Leaf(join(_type_of(first), _type_of(second)))
    raise Inline("it returns containers of different form")


def _type_of(result: Leaf | ir.Const) -> Type:
    if isinstance(result, Leaf):
        return result.type
    return without_sizes(type_of_operand(result))


def same(first: Result | None, second: Result | None) -> bool:
    match first, second:
        case ir.Const(), ir.Const():
            return first.value is second.value
        case Container(), Container():
            return (
                first.form == second.form
                and first.fresh == second.fresh
                and len(first.items) == len(second.items)
                and all(map(same, first.items, second.items))
            )
    return first == second


def without_sizes(kind: Type) -> Type:
    match kind:
        case Scalar():
            return replace(kind, size=None)
        case Array(dtype, dims, contiguous):
            return Array(dtype, (None,) * len(dims), contiguous)
    return kind


def rebuilt(low: Lowering, result: Result, targets: Iterator[ir.Var]) -> Value:
    match result:
        case Leaf():
            return next(targets)
        case Container(form, items, fresh):
            found = tuple(rebuilt(low, item, targets) for item in items)
            if fresh:
                return low.new_ref(form, found)
            return pack(found, form)
    return result
