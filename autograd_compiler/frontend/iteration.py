"""Iterators, and the functions of Python that make, join and sort them.

Note [Iterators].  An iterator is a cell, as a list is, that holds what it goes through
and how far it has gone; `next` moves it on.  What goes through the rest of it at once
(`for`, `sum`, `list`) uses it up, and whatever comes after that is refused: in Python
it would find nothing there, which is hardly ever meant.

What only moves items about (`chain`, `product`) is done when compiling where the items
are known.  All else is a function of `prelude.py`.
"""

from __future__ import annotations

import ast
import functools
import itertools
import operator
from typing import TYPE_CHECKING, Any, TypeGuard

import numpy as np

from autograd_compiler import ir
from autograd_compiler.frontend import (
    branches,
    calls,
    expressions,
    loops,
    prelude,
    user_calls,
    ways,
)
from autograd_compiler.frontend.handlers import Handler, Keywords, handles
from autograd_compiler.frontend.values import (
    Items,
    Iterable,
    Ref,
    Value,
    pack,
)
from autograd_compiler.operands import constant_value, type_of_operand
from autograd_compiler.types import Array, ListOf, Scalar, Unknown

if TYPE_CHECKING:
    from autograd_compiler.frontend.lower import Lowering


class Iterator:
    """The form of a cell that is an iterator."""


FORM = ir.Form("record", ("source", "position", "used_up"), Iterator)


# ---------------------------------------------------------------- iter and next


def is_iterator(low: Lowering, value: Value) -> bool:
    if not isinstance(value, Ref):
        return False
    content = low.state.cells[value.cell]
    return isinstance(content, Items) and content.form.cls is Iterator


def iterator(low: Lowering, source: Value) -> Ref:
    return low.new_ref(FORM, (source, ir.Const(0), ir.Const(False)))


def used_up(low: Lowering, value: Value, node: ast.AST | None) -> Value:
    """What is left of an iterator, which is then used up; other values as they are."""
    if not is_iterator(low, value):
        return value
    source, position = _state(low, value, node)
    _move(low, value, source, position, used_up=True)
    if isinstance(position, ir.Const) and position.value == 0:
        return source
    items = ways.known_items(low, source)
    if items is not None and isinstance(position, ir.Const):
        return pack(items[position.value :])
    return Iterable("rest", (source, position))


def listed(low: Lowering, value: Value, node: ast.AST | None) -> Value:
    """A list of what can be gone through."""
    return calls.call(low, ir.Const(list), (value,), {}, node or ast.Pass())


def _state(
    low: Lowering, value: Value, node: ast.AST | None
) -> tuple[Value, ir.Operand]:
    assert isinstance(value, Ref)
    content = low.content(value)
    assert isinstance(content, Items)
    source, position, used = content.items
    if not (isinstance(used, ir.Const) and not used.value):  # or may be used up
        raise low.refuse(
            node,
            "this iterator has been gone through already",
            "make a list of it first: `list(...)` can be gone through many times",
        )
    return low.read(source), low.operand(position)


def _move(
    low: Lowering,
    value: Value,
    source: Value,
    position: ir.Operand,
    used_up: bool = False,
) -> None:
    assert isinstance(value, Ref)
    items = (source, position, ir.Const(used_up))
    low.state.cells[value.cell] = Items(FORM, items)


@handles(iter)
def _iter(low: Lowering, args: Any, kwargs: Keywords, node: ast.AST) -> Value:
    if len(args) != 1:
        raise low.refuse(node, "`iter` with a sentinel", "write a `while` loop")
    (source,) = args
    return source if is_iterator(low, source) else iterator(low, source)


@handles(next)
def _next(
    low: Lowering, args: tuple[Value, ...], kwargs: Keywords, node: ast.AST
) -> Value:
    value, *default = args
    if not is_iterator(low, value):
        raise low.refuse(node, "`next` of what is no iterator", "write `next(iter(x))`")
    source, position = _state(low, value, node)
    items = ways.known_items(low, source)
    if items is not None and isinstance(position, ir.Const):
        if position.value < len(items):
            _move(low, value, source, ir.Const(position.value + 1))
            return low.read(items[position.value])
        if default:
            return default[0]
        raise low.failure(node, StopIteration())
    count, get = ways.counted(low, source, node)

    def take() -> Value:
        item = get(position)
        following = low.apply(operator.add, position, ir.Const(1))
        _move(low, value, source, following)
        return item

    if not default:
        return take()
    there = low.apply(operator.lt, position, count)
    result = branches.branch(low, there, take, lambda: default[0])
    assert result is not None
    return result


# ---------------------------------------------------------------- through the prelude


def _stand_in(*functions: Any, by: Any) -> None:
    """Let a function of the prelude stand for a function of Python."""

    def handler(
        low: Lowering, args: tuple[Value, ...], kwargs: Keywords, node: ast.AST
    ) -> Value:
        return user_calls.inline_prelude(low, by, args, kwargs, node)

    handles(*functions)(handler)


_stand_in(filter, by=prelude.filtered)
_stand_in(itertools.chain.from_iterable, by=prelude.chain_from_iterable)
_stand_in(itertools.starmap, by=prelude.starmap)
_stand_in(itertools.takewhile, by=prelude.takewhile)
_stand_in(itertools.dropwhile, by=prelude.dropwhile)
_stand_in(itertools.accumulate, by=prelude.accumulate)
_stand_in(np.ndenumerate, by=prelude.ndenumerate)
_stand_in(np.ndindex, by=prelude.ndindex)


@handles(functools.reduce)
def _reduce(low: Lowering, args: Any, kwargs: Keywords, node: ast.AST) -> Value:
    by = prelude.reduce if len(args) < 3 else prelude.reduce_from
    return user_calls.inline_prelude(low, by, args, kwargs, node)


@handles(itertools.chain)
def _chain(low: Lowering, args: Any, kwargs: Keywords, node: ast.AST) -> Value:
    return _structural(low, itertools.chain, args, (), prelude.chain, node)


@handles(itertools.pairwise)
def _pairwise(low: Lowering, args: Any, kwargs: Keywords, node: ast.AST) -> Value:
    return _structural(low, itertools.pairwise, args, (), prelude.pairwise, node)


@handles(itertools.product)
def _product(low: Lowering, args: Any, kwargs: Keywords, node: ast.AST) -> Value:
    times = constant_value(low.operand(kwargs.get("repeat", ir.Const(1)), node))
    if times is None:
        raise low.refuse(node, "`repeat` must be known when compiling")
    sources = args * times.value
    by = {2: prelude.product, 3: prelude.product_of_three}.get(len(sources))
    return _structural(low, itertools.product, sources, (), by, node)


def _choice(fn: Any, by_count: dict[int, Any]) -> None:
    """A function that chooses `r` of its items."""

    def handler(
        low: Lowering, args: tuple[Value, ...], kwargs: Keywords, node: ast.AST
    ) -> Value:
        given = args[1] if len(args) > 1 else kwargs.get("r", ir.Const(None))
        count = constant_value(low.operand(given, node))
        if count is None:
            raise low.refuse(node, "how many are chosen must be known when compiling")
        by = by_count.get(count.value)
        return _structural(low, fn, args[:1], (count.value,), by, node)

    handles(fn)(handler)


_choice(
    itertools.combinations,
    {2: prelude.combinations, 3: prelude.combinations_of_three},
)
_choice(itertools.permutations, {2: prelude.permutations})
_choice(
    itertools.combinations_with_replacement,
    {2: prelude.combinations_with_replacement},
)


@handles(itertools.islice)
def _islice(low: Lowering, args: Any, kwargs: Keywords, node: ast.AST) -> Value:
    source, *bounds = args
    bounds = [low.operand(bound, node) for bound in bounds]
    start, stop, step = slice_bounds(bounds)
    cut = ir.Slice(start, stop, step)
    return user_calls.inline_prelude(low, prelude.islice, (source, cut), {}, node)


def slice_bounds(given: list[ir.Operand]) -> list[ir.Operand]:
    """The bounds of `slice(stop)` and `slice(start, stop, step)`."""
    nothing = ir.Const(None)
    if len(given) == 1:
        return [nothing, given[0], nothing]
    return [*given, nothing][:3]


def _structural(
    low: Lowering,
    fn: Any,
    sources: tuple[Value, ...],
    rest: tuple[Any, ...],
    by: Any,
    node: ast.AST,
) -> Value:
    """What moves items about: done now if they are known, else by the prelude."""
    rows = [numbers_or_items(low, used_up(low, source, node)) for source in sources]
    if all(row is not None for row in rows):
        found = [
            ir.Pack(item) if isinstance(item, tuple) else item
            for item in fn(*rows, *rest)
        ]
        return low.new_ref(ir.LIST, [low.read(item) for item in found])
    if by is None:
        raise low.refuse(
            node,
            f"`itertools.{fn.__name__}` of this many items that only run time knows",
            "write it as nested loops",
        )
    return user_calls.inline_prelude(low, by, sources, {}, node)


def numbers_or_items(low: Lowering, source: Value) -> tuple[Value, ...] | None:
    """The items of what is known; those of a range, too, that is not long."""
    if isinstance(source, Iterable) and source.kind == "range":
        return numbers_of_range(low, source)
    return ways.known_items(low, source)


def numbers_of_range(low: Lowering, source: Value) -> tuple[Value, ...] | None:
    """The numbers of a range that is short and known when compiling."""
    numbers = None
    if isinstance(source, Iterable) and source.kind == "range":
        bounds = [constant_value(low.operand(arg)) for arg in source.args]
        if all(bound is not None for bound in bounds):
            numbers = range(*(bound.value for bound in bounds if bound is not None))
    elif isinstance(source, ir.Const) and isinstance(source.value, range):
        numbers = source.value
    if numbers is None or len(numbers) > loops.MAX_UNROLL:
        return None
    return tuple(ir.Const(number) for number in numbers)


# ---------------------------------------------------------------- the largest, sorting


def _extreme(fn: Any) -> Handler:
    def handler(
        low: Lowering, args: tuple[Value, ...], kwargs: Keywords, node: ast.AST
    ) -> Value:
        if "default" in kwargs:
            return _or_default(low, fn, args[0], dict(kwargs), node)
        source = args[0] if len(args) == 1 else low.new_ref(ir.LIST, args)
        if "key" in kwargs:
            by = prelude.largest if fn is max else prelude.smallest
            return user_calls.inline_prelude(low, by, (source, kwargs["key"]), {}, node)
        source = used_up(low, source, node)
        items = ways.known_items(low, source)
        if items is None:
            return _extreme_of_many(low, fn, source, node)
        if not items:
            raise low.failure(node, ValueError(f"{fn.__name__}() arg is empty"))
        operands = [low.operand(item, node) for item in items]
        result = operands[0]
        for other in operands[1:]:
            result = low.apply(fn, result, other)
        return result

    return handler


handles(min)(_extreme(min))
handles(max)(_extreme(max))


def _extreme_of_many(low: Lowering, fn: Any, source: Value, node: ast.AST) -> Value:
    if isinstance(source, Iterable):
        source = calls.call(low, ir.Const(list), (source,), {}, node)
    value = low.operand(source, node)
    if isinstance(value, ir.Var) and isinstance(value.type, ListOf):
        value = low.apply(np.array, value)
    return low.apply(np.max if fn is max else np.min, value)


def _or_default(
    low: Lowering, fn: Any, source: Value, kwargs: Keywords, node: ast.AST
) -> Value:
    default = kwargs.pop("default")
    items = calls.call(low, ir.Const(list), (source,), {}, node)
    count = low.operand(calls.call(low, ir.Const(len), (items,), {}, node))
    result = branches.branch(
        low,
        low.apply(operator.gt, count, ir.Const(0)),
        lambda: calls.call(low, ir.Const(fn), (items,), kwargs, node),
        lambda: default,
    )
    assert result is not None
    return result


@handles(sorted)
def _sorted(low: Lowering, args: Any, kwargs: Keywords, node: ast.AST) -> Value:
    items = calls.call(low, ir.Const(list), args, {}, node)
    return in_order(low, items, kwargs, node)


def in_order(low: Lowering, items: Value, kwargs: Keywords, node: ast.AST) -> Value:
    """A new list with the items of a list, sorted."""
    key = kwargs.get("key", ir.Const(None))
    falling = constant_value(low.operand(kwargs.get("reverse", ir.Const(False)), node))
    if falling is None:
        raise low.refuse(node, "`reverse=` must be known when compiling")
    keys = items
    if not (isinstance(key, ir.Const) and key.value is None):
        mapped = calls.call(low, ir.Const(map), (key, items), {}, node)
        keys = used_up(low, mapped, node)
    known = expressions.static_items(low, keys)
    values = expressions.static_items(low, items)
    if known is not None and values is not None:
        places = _places(known, bool(falling.value))
        if places is not None:
            return low.new_ref(ir.LIST, [low.read(values[place]) for place in places])
    if not _are_numbers(low, keys):
        raise low.refuse(
            node,
            "`sorted` by what is neither a number nor known when compiling",
            "sort by a number: `sorted(items, key=lambda item: ...)`",
        )
    by = prelude.in_falling_order if falling.value else prelude.in_order
    return user_calls.inline_prelude(low, by, (items, keys), {}, node)


def _places(keys: tuple[Value, ...], falling: bool) -> list[int] | None:
    """The order of keys that are known, as far as is needed to tell them apart."""
    known = [constant_value(key) if _is_operand(key) else None for key in keys]
    if any(key is None for key in known):
        firsts = [key.items[0] for key in keys if isinstance(key, ir.Pack)]
        known = [constant_value(first) for first in firsts if _is_operand(first)]
        values = [first.value for first in known if first is not None]
        if len(values) < len(keys) or len(set(values)) < len(keys):
            return None
    plain = [key.value for key in known if key is not None]
    try:
        return sorted(range(len(plain)), key=plain.__getitem__, reverse=falling)
    except TypeError:
        return None


def _is_operand(value: Value) -> TypeGuard[ir.Const | ir.Pack]:
    if isinstance(value, ir.Pack):
        return all(map(_is_operand, value.items))
    return isinstance(value, ir.Const)


def _are_numbers(low: Lowering, keys: Value) -> bool:
    items = expressions.static_items(low, keys)
    if items is not None:
        kinds = [type_of_operand(low.operand(item)) for item in items]
        return all(isinstance(kind, (Scalar, Unknown)) for kind in kinds)
    kind = type_of_operand(low.operand(keys))
    item = kind.item if isinstance(kind, ListOf) else kind
    if isinstance(kind, Array):
        return kind.ndim == 1
    return isinstance(item, (Scalar, Unknown))
