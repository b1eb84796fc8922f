"""Ways through what a loop runs over: how many items there are, and which is next."""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable
from typing import TYPE_CHECKING

from autograd_compiler import ir
from autograd_compiler.frontend import (
    classes,
    expressions,
    iteration,
    stores,
)
from autograd_compiler.frontend.loops import MAX_UNROLL
from autograd_compiler.frontend.values import (
    Iterable,
    Ref,
    Value,
    pack,
)
from autograd_compiler.operands import constant_value, type_of_operand
from autograd_compiler.types import (
    DictOf,
    ListOf,
    Opaque,
    Scalar,
    Unknown,
)

if TYPE_CHECKING:
    from autograd_compiler.frontend.lower import Lowering


def reversed_range(source: Value) -> Iterable | None:
    """The range that `reversed(range(…))` goes through backwards."""
    match source:
        case Iterable("reversed", (Iterable("range") as whole,)):
            return whole
    return None


# ---------------------------------------------------------------- ways through values


def way_through(
    low: Lowering, source: Value, node: ast.AST
) -> tuple[ir.Operand, ir.Operand, ir.Operand, Callable[[ir.Operand], Value]]:
    """How to go through an iterable: range bounds, and the item at an index."""
    if isinstance(source, ir.Const) and isinstance(source.value, range):
        source = Iterable(
            "range",
            tuple(
                ir.Const(part)
                for part in (source.value.start, source.value.stop, source.value.step)
            ),
        )
    if isinstance(source, Iterable) and source.kind == "range":
        start, stop, step = _range_bounds(low, source, node)
        return start, stop, step, lambda index: index
    count, get = counted(low, source, node)
    return ir.Const(0), count, ir.Const(1), get


def _range_bounds(
    low: Lowering, source: Iterable, node: ast.AST
) -> tuple[ir.Operand, ir.Operand, ir.Operand]:
    args = [low.operand(arg, node) for arg in source.args]
    if len(args) == 1:
        return ir.Const(0), args[0], ir.Const(1)
    if len(args) == 2:
        return args[0], args[1], ir.Const(1)
    return args[0], args[1], args[2]


def counted(
    low: Lowering, source: Value, node: ast.AST
) -> tuple[ir.Operand, Callable[[ir.Operand], Value]]:
    """The number of items, and a function from an index to the item."""
    if isinstance(source, Iterable):
        return _counted_iterable(low, source, node)
    if isinstance(source, Ref):
        content = low.content(source)
        if not isinstance(content, ir.Var) and content.form.kind == "dict":
            keys = ir.Pack(tuple(ir.Const(key) for key in content.form.keys))
            return counted(low, keys, node)
        source = low.materialise(source)
    value = low.operand(source, node)
    if isinstance(value, ir.Pack):
        value = low.builder.as_var(ir.Pack(value.items, ir.LIST))
    if isinstance(value, ir.Const):
        value = low.builder.as_var(
            ir.Const(value.value)
            if hasattr(value.value, "__getitem__")
            else ir.Const(list(value.value))
        )
    if isinstance(value, ir.Var) and isinstance(value.type, (Opaque, DictOf)):
        value = low.builder.as_var(low.apply(list, value))
        if isinstance(value.type, Unknown):
            value.type = Opaque(list)
    if isinstance(value, ir.Var) and isinstance(value.type, Scalar):
        raise low.refuse(node, "a number is not iterable")
    count = low.apply(len, value)
    return count, lambda index: stores.load(low, low.operand(value), index, node)


def _counted_iterable(
    low: Lowering, source: Iterable, node: ast.AST
) -> tuple[ir.Operand, Callable[[ir.Operand], Value]]:
    args = source.args
    if source.kind == "range":
        start, stop, step = _range_bounds(low, source, node)
        difference = low.apply(operator.sub, stop, start)
        whole = constant_value(step)
        if whole is not None and whole.value == 1:
            known = constant_value(start)
            if known is not None and known.value == 0:
                count = stop
            else:
                count = low.apply(max, ir.Const(0), difference)
        else:
            count = low.apply(len, low.apply(range, start, stop, step))
        return count, lambda index: low.apply(
            operator.add, start, low.apply(operator.mul, index, step)
        )
    if source.kind == "enumerate":
        count, get = counted(low, args[0], node)
        first = low.operand(args[1]) if len(args) > 1 else ir.Const(0)

        def numbered(index: ir.Operand) -> Value:
            number = (
                index
                if isinstance(first, ir.Const) and first.value == 0
                else low.apply(operator.add, index, first)
            )
            return pack((number, get(index)))

        return count, numbered
    if source.kind == "zip":
        parts = [counted(low, arg, node) for arg in args]
        count = parts[0][0]
        for other, _ in parts[1:]:
            if not same_size(count, other):
                count = low.apply(min, count, other)
        return count, lambda index: pack(get(index) for _, get in parts)
    if source.kind == "reversed":
        count, get = counted(low, args[0], node)

        def from_the_end(index: ir.Operand) -> Value:
            last = low.apply(operator.sub, count, ir.Const(1))
            return get(low.apply(operator.sub, last, index))

        return count, from_the_end
    if source.kind == "rest":
        count, get = counted(low, args[0], node)
        begin = low.operand(args[1])
        return low.apply(operator.sub, count, begin), lambda index: get(
            low.apply(operator.add, index, begin)
        )
    if source.kind in ("items", "values"):
        owner = low.operand(args[0], node)
        assert isinstance(owner, ir.Var)
        keys = low.builder.as_var(low.apply(list, owner))
        if not isinstance(keys.type, ListOf):
            keys.type = Opaque(list)
        count = low.apply(len, keys)

        def entry(index: ir.Operand) -> Value:
            key = stores.load(low, keys, index, node)
            if isinstance(key, ir.Var) and isinstance(key.type, Unknown):
                key.type = Opaque(object)  # a key has no derivative and is no array
            value = stores.load(low, low.operand(args[0], node), key, node)
            if source.kind == "values":
                return value
            return pack((key, value))

        return count, entry
    raise low.refuse(node, f"`{source.kind}` cannot be gone through here")


def same_size(first: ir.Operand, second: ir.Operand) -> bool:
    a, b = type_of_operand(first), type_of_operand(second)
    return (
        isinstance(a, Scalar)
        and isinstance(b, Scalar)
        and a.size is not None
        and a.size.same(b.size)
    )


def item_at(low: Lowering, source: Iterable, index: ir.Operand, node: ast.AST) -> Value:
    if source.kind == "range":
        _, get = _counted_iterable(low, source, node)
        return get(index)
    raise low.refuse(node, f"`{source.kind}` has no items by number")


def source(low: Lowering, node: ast.expr) -> Value:
    """What a loop goes through; an iterator is used up by it."""
    value = classes.iterated(low, low.expression(node), node)
    return iteration.used_up(low, value, node)


# ---------------------------------------------------------------- unrolling


def items_to_unroll(low: Lowering, source: Value) -> tuple[Value, ...] | None:
    """The items one by one, where they are few or of different kinds."""
    items = known_items(low, source)
    if items is None:
        return None
    if len(items) <= MAX_UNROLL or low.in_rule:
        return items
    kinds = {
        type_of_operand(item) if isinstance(item, (ir.Var, ir.Const)) else object()
        for item in items
    }
    return items if len(kinds) > 1 else None


def known_items(low: Lowering, source: Value) -> tuple[Value, ...] | None:
    """The items of an iterable whose structure is known when compiling."""
    if isinstance(source, Iterable):
        if source.kind == "range":
            bounds = [constant_value(low.operand(arg)) for arg in source.args]
            if low.in_rule and all(bound is not None for bound in bounds):
                numbers = range(*(b.value for b in bounds if b is not None))
                return tuple(ir.Const(number) for number in numbers)
            return None
        if source.kind == "rest":
            return None
        parts = [known_items(low, arg) for arg in source.args[:1]]
        if source.kind == "zip":
            parts = [known_items(low, arg) for arg in source.args]
        if any(part is None for part in parts) or not parts:
            return None
        known = [part for part in parts if part is not None]
        if source.kind == "zip":
            return tuple(ir.Pack(row) for row in zip(*known, strict=False))
        if source.kind == "enumerate":
            begin = low.operand(source.args[1]) if len(source.args) > 1 else ir.Const(0)
            return tuple(
                pack((low.apply(operator.add, ir.Const(k), begin), item))
                for k, item in enumerate(known[0])
            )
        if source.kind == "reversed":
            return known[0][::-1]
        return known[0]
    if isinstance(source, Ref):
        content = low.content(source)
        if not isinstance(content, ir.Var) and content.form.kind == "dict":
            return tuple(ir.Const(key) for key in content.form.keys)
    if isinstance(source, ir.Pack) and source.form.kind == "dict":
        return tuple(ir.Const(key) for key in source.form.keys)
    if isinstance(source, ir.Const) and isinstance(source.value, str):
        return tuple(ir.Const(letter) for letter in source.value)
    return expressions.static_items(low, source)
