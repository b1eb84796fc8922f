"""Assignment to names, targets and parts of them, plain and augmented."""

from __future__ import annotations

import ast
import operator
from typing import TYPE_CHECKING, Any

import numpy as np

from autograd_compiler import ir
from autograd_compiler.frontend import (
    branches,
    calls,
    classes,
    expressions,
    indexing,
    iteration,
    prelude,
    stores,
    user_calls,
    ways,
)
from autograd_compiler.frontend.values import Iterable, Ref, Value
from autograd_compiler.types import (
    Array,
    ListOf,
    Nested,
    Scalar,
    TupleOf,
    Unknown,
    is_array,
)

if TYPE_CHECKING:
    from autograd_compiler.frontend.lower import Lowering


# ---------------------------------------------------------------- targets


def assign(low: Lowering, target: ast.expr, value: Value) -> None:
    """Assign to a name, a subscript, an attribute or a tuple of these."""
    match target:
        case ast.Name(name):
            if isinstance(value, ir.Pack) and value.form.kind in ("list", "dict"):
                # A list or dict from outside: the name refers to it, unwritable.
                pass
            low.bind(name, value)
        case ast.Subscript(base, index):
            owner = low.expression(base)
            if isinstance(owner, ir.Var) and _is_scalar_like(owner):
                raise low.refuse(target, "a number cannot be written into")
            stores.store_item(
                low, owner, indexing.lower_index(low, index), value, target
            )
        case ast.Tuple(parts) | ast.List(parts):
            _unpack(low, parts, value, target)
        case ast.Starred(inner):
            assign(low, inner, value)
        case ast.Attribute(base, name):
            _assign_attribute(low, base, name, value, target)
        case _:
            raise low.refuse(target, "this cannot be assigned to")


def _is_scalar_like(var: ir.Var) -> bool:
    return isinstance(var.type, Scalar)


def _assign_attribute(
    low: Lowering, base: ast.expr, name: str, value: Value, target: ast.expr
) -> None:
    owner = low.expression(base)
    if classes.set_attribute(low, owner, name, value, target):
        return
    raise low.refuse(
        target,
        f"the attribute `{name}` of an object is written",
        "keep the value in a local variable and return it",
    )


def _unpack(
    low: Lowering, parts: list[ast.expr], value: Value, target: ast.expr
) -> None:
    value = iteration.used_up(low, classes.iterated(low, value, target), target)
    items = ways.known_items(low, value)
    starred = [k for k, part in enumerate(parts) if isinstance(part, ast.Starred)]
    if items is None:
        if starred and not isinstance(getattr(value, "type", None), TupleOf):
            _around_the_rest(low, parts, value, starred[0], target)
            return
        items = _run_time_items(low, parts, value, target)
    if starred:
        position = starred[0]
        after = len(parts) - position - 1
        if len(items) < len(parts) - 1:
            raise low.refuse(
                target, "not enough values to unpack", "unpack fewer names"
            )
        middle = low.new_ref(ir.LIST, items[position : len(items) - after])
        items = (*items[:position], middle, *items[len(items) - after :])
    if len(items) != len(parts):
        raise low.refuse(
            target,
            f"{len(items)} values are unpacked into {len(parts)} targets",
            "give each value a name, or take the rest with `*rest`",
        )
    for part, item in zip(parts, [low.read(item) for item in items], strict=True):
        assign(low, part, item)


def _as_variable(low: Lowering, value: Value, target: ast.expr) -> ir.Var:
    """A value to take items from by number."""
    if isinstance(value, Iterable):
        value = calls.call(low, ir.Const(list), (value,), {}, target)
    return low.builder.as_var(low.operand(value, target))


def _run_time_items(
    low: Lowering, parts: list[ast.expr], value: Value, target: ast.expr
) -> tuple[Value, ...]:
    owner = _as_variable(low, value, target)
    count = len(parts)
    if isinstance(owner.type, (TupleOf, Nested)):
        count = len(owner.type.items)
    return tuple(stores.load(low, owner, ir.Const(k), target) for k in range(count))


def _around_the_rest(
    low: Lowering,
    parts: list[ast.expr],
    value: Value,
    position: int,
    target: ast.expr,
) -> None:
    """`first, *rest, last = x`: `rest` is a list of what only run time can count."""
    owner = _as_variable(low, value, target)
    after = len(parts) - position - 1
    count = low.apply(len, owner)
    enough = low.apply(operator.ge, count, ir.Const(len(parts) - 1))
    few = ValueError(f"not enough values to unpack (expected {len(parts) - 1} or more)")
    branches.branch(low, enough, lambda: None, lambda: low.fail(few))
    before = [stores.load(low, owner, ir.Const(k), target) for k in range(position)]
    behind = [
        stores.load(low, owner, ir.Const(k - after), target) for k in range(after)
    ]
    stop = low.apply(operator.sub, count, ir.Const(after))
    given = (owner, ir.Const(position), stop)
    rest = user_calls.inline_prelude(low, prelude.items_between, given, {}, target)
    found = (*before, rest, *behind)
    for part, item in zip(parts, found, strict=True):
        assign(low, part, low.read(item))


# ---------------------------------------------------------------- augmented


def augmented(low: Lowering, node: ast.AugAssign) -> None:
    """`target op= value`: arrays are written, numbers and tuples rebound."""
    fn = expressions.BINARY[type(node.op)]
    match node.target:
        case ast.Name(name):
            current = low.expression(
                ast.copy_location(ast.Name(name, ast.Load()), node.target)
            )
            value = low.expression(node.value)
            by_method = classes.in_place(low, fn, current, value, node)
            if by_method is not None:
                low.bind(name, by_method)
            elif _is_list_cell(low, current) and fn is operator.add:
                stores.extend(low, current, value, node)
            elif isinstance(current, ir.Var) and is_array(current.type):
                _update(low, current, (), fn, low.operand(value, node), node)
            elif isinstance(current, ir.Var) and isinstance(current.type, ListOf):
                stores.extend(low, current, value, node)
            else:
                low.bind(name, _updated(low, current, fn, value, node))
        case ast.Subscript(base, index):
            owner = low.expression(base)
            key = indexing.lower_index(low, index)
            value = low.expression(node.value)
            _augment_item(low, owner, key, fn, value, node)
        case ast.Attribute(base, name):
            current = low.expression(
                ast.copy_location(ast.Attribute(base, name, ast.Load()), node.target)
            )
            value = low.expression(node.value)
            if isinstance(current, ir.Var) and is_array(current.type):
                _update(low, current, (), fn, low.operand(value, node), node)
            else:
                result = _updated(low, current, fn, value, node)
                assign(low, node.target, result)
        case _:
            raise low.refuse(node, "this cannot be assigned to")


def _is_list_cell(low: Lowering, value: Value) -> bool:
    return isinstance(value, Ref) and expressions.is_list(low, value)


def _augment_item(
    low: Lowering, owner: Value, key: Value, fn: Any, value: Value, node: ast.AST
) -> None:
    if isinstance(owner, ir.Var) and is_array(owner.type):
        index = low.operand(key, node)
        _update(low, owner, (ir.Index(index),), fn, low.operand(value, node), node)
        return
    current = indexing.subscript(low, owner, key, node)
    if isinstance(current, ir.Var) and is_array(current.type):
        _update(low, current, (), fn, low.operand(value, node), node)
        return
    updated = _updated(low, current, fn, value, node, owner)
    stores.store_item(low, owner, key, updated, node)


def _updated(
    low: Lowering,
    current: Value,
    fn: Any,
    value: Value,
    node: ast.AST,
    owner: Value | None = None,
) -> Value:
    """The value of `x op= value` where `x` is no array, or may be one or not.

    If it is an array, every other name of it sees the change: none may be read again.
    That does not hold for the owner of an item, into which the value is then stored.
    """
    result = expressions.binary(low, fn, current, value, node)
    if isinstance(current, ir.Var) and isinstance(current.type, Unknown):
        origin, root = low.memory.origin(current), low.memory.root(current)[0]
        changed = {origin, root, *low.memory.hazards(root)}
        if isinstance(owner, ir.Var):
            changed.discard(low.memory.root(owner)[0])
        for other in changed:
            low.state.stale[other] = low.builder.span
    return result


def _update(
    low: Lowering,
    base: ir.Var,
    path: tuple[ir.Index, ...],
    fn: Any,
    value: ir.Operand,
    node: ast.AST,
) -> None:
    """`base[path] fn= value` for an array."""
    repeats = any(_may_repeat(step.index) for step in path)
    value = stores.array_item(low, value)
    if fn is operator.add and not repeats:
        stores.write(low, base, path, value, "add", node)
        return
    current: ir.Operand = low.fresh(base)
    if path:
        assert isinstance(current, ir.Var)
        current = low.builder.load(current, path)
    result = low.apply(fn, current, value)
    stores.write(low, base, path, result, "set", node)


def _may_repeat(index: ir.Operand) -> bool:
    """Whether an index may name one place twice (then `+=` writes it once)."""
    match index:
        case ir.Pack(items, form):
            return form.kind == "list" or any(_may_repeat(item) for item in items)
        case ir.Var(type=Array(dtype)):
            return dtype != "bool"
        case ir.Var(type=ListOf() | Unknown()):
            return True
        case ir.Const(value):
            return isinstance(value, (list, np.ndarray))
    return False
