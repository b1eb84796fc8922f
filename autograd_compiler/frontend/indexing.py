"""Subscripts: `x[i]` of arrays, of containers, and of what only run time knows."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any

import numpy as np

from autograd_compiler import ir
from autograd_compiler.frontend import (
    branches,
    calls,
    classes,
    expressions,
    stores,
    ways,
)
from autograd_compiler.frontend.values import (
    Iterable,
    Object,
    Ref,
    Value,
)
from autograd_compiler.operands import constant_value, operand_of
from autograd_compiler.types import (
    ListOf,
    Opaque,
    TupleOf,
    Unknown,
    is_inexact,
)

if TYPE_CHECKING:
    from autograd_compiler.frontend.lower import Lowering


def lower_index(low: Lowering, node: ast.expr) -> Value:
    """The inside of `x[…]`: slices may stand in it, alone or in a tuple."""
    match node:
        case ast.Slice(start, stop, step):

            def part(bound: ast.expr | None) -> ir.Operand:
                if bound is None:
                    return ir.Const(None)
                return low.operand(expressions.lower(low, bound), bound)

            return ir.Slice(part(start), part(stop), part(step))
        case ast.Tuple(items):
            parts = [lower_index(low, item) for item in items]
            return ir.Pack(tuple(low.operand(part, node) for part in parts))
    return expressions.lower(low, node)


def subscript(low: Lowering, base: Value, index: Value, node: ast.AST) -> Value:
    """`base[index]`."""
    by_method = classes.item(low, base, index, node)
    if by_method is not None:
        return by_method
    match base:
        case Object(value) if value is np.r_ or value is np.c_:
            return _joined(low, value is np.c_, index, node)
        case Ref():
            if base.cell in low.factories:
                _make_missing(low, base, index, node)
            return _container_item(low, base, index, node)
        case ir.Pack(items, form):
            return _pack_item(low, items, form, index, node)
        case ir.Const(value):
            key = constant_value(low.operand(index, node))
            if key is not None and not isinstance(value, np.ndarray):
                try:
                    return operand_of(value[key.value])
                except (LookupError, TypeError) as error:
                    raise low.failure(node, error) from None
            if isinstance(value, (tuple, list)):
                packed = operand_of(value)
                holder = low.builder.as_var(packed)
                return stores.load(low, holder, index, node)
        case ir.Var(type=TupleOf(items)):
            key = constant_value(low.operand(index, node))
            if key is not None and isinstance(key.value, int):
                return stores.load(low, low.fresh(base), index, node)
        case Iterable("range", args) if isinstance(index, ir.Slice):
            given = [low.operand(arg, node) for arg in args]
            base = low.builder.as_var(low.apply(range, *given))
        case Iterable():
            return ways.item_at(low, base, low.operand(index, node), node)
    owner = low.operand(base, node)
    if not isinstance(owner, ir.Var):
        owner = low.builder.as_var(owner)
    if isinstance(owner.type, ListOf) and isinstance(index, ir.Slice):
        return expressions.list_slice(low, owner, index, node)
    if isinstance(owner.type, Opaque) and _has_floats(low, index, node):
        raise low.refuse(
            node,
            "a subscript of this object, whose derivative in the index is not known",
            "write what it computes with functions of NumPy",
        )
    return stores.load(low, owner, index, node)


def _has_floats(low: Lowering, index: Value, node: ast.AST) -> bool:
    leaves = ir.leaves(low.operand(index, node))
    return any(is_inexact(leaf.type) for leaf in leaves)


def _joined(low: Lowering, columns: bool, index: Value, node: ast.AST) -> Value:
    """`np.r_[…]` and `np.c_[…]` as the functions of NumPy that do the same."""
    items = index.items if isinstance(index, ir.Pack) else (index,)
    parts = tuple(_joined_part(low, low.read(item), node) for item in items)
    kinds = [getattr(low.operand(part, node), "type", None) for part in parts]
    dimensions = [getattr(kind, "ndim", 0) for kind in kinds]
    if None in dimensions or any(isinstance(kind, Unknown) for kind in kinds):
        raise low.refuse(
            node,
            "how arrays are joined here depends on types that are not known",
            "give the types: `lower(*args)`, or an annotation",
        )
    operands = [low.operand(part, node) for part in parts]
    if max(dimensions) < (3 if columns else 2):
        function = np.column_stack if columns else np.hstack
        return low.apply(function, ir.Pack(tuple(operands)))
    if columns:
        return low.apply(np.concatenate, ir.Pack(tuple(operands)), ir.Const(-1))
    return low.apply(np.concatenate, ir.Pack(tuple(operands)))


def _joined_part(low: Lowering, part: Value, node: ast.AST) -> Value:
    if isinstance(part, ir.Slice):
        start = ir.Const(0) if _is_none(part.start) else part.start
        step = ir.Const(1) if _is_none(part.step) else part.step
        known = constant_value(step)
        if known is not None and isinstance(known.value, complex):
            count = ir.Const(int(abs(known.value)))
            return low.apply(np.linspace, start, part.stop, count)
        return low.apply(np.arange, start, part.stop, step)
    known = constant_value(low.operand(part, node))
    if known is not None and isinstance(known.value, str):
        raise low.refuse(
            node,
            "a string that says how the parts are joined",
            "write np.concatenate or np.stack with the axis",
        )
    return part


def _is_none(operand: ir.Operand) -> bool:
    known = constant_value(operand)
    return known is not None and known.value is None


def _make_missing(low: Lowering, base: Ref, index: Value, node: ast.AST) -> None:
    """Give a `defaultdict` an item under a key that it has not."""

    def make() -> None:
        value = calls.call(low, low.factories[base.cell], (), {}, node)
        stores.store_item(low, base, index, value, node)

    there = low.operand(expressions.contains(low, base, index, node))
    branches.branch(low, there, lambda: None, make)


def _pack_item(
    low: Lowering,
    items: tuple[Any, ...],
    form: ir.Form,
    index: Value,
    node: ast.AST,
) -> Value:
    if isinstance(index, ir.Slice):
        bounds = [constant_value(b) for b in (index.start, index.stop, index.step)]
        if all(bound is not None for bound in bounds):
            cut = slice(*(bound.value for bound in bounds if bound is not None))
            return ir.Pack(tuple(items[cut]), form if form.kind == "list" else ir.TUPLE)
    key = constant_value(low.operand(index, node))
    if key is not None:
        if form.kind == "dict":
            if key.value not in form.keys:
                raise low.failure(node, KeyError(key.value))
            return _item(low, items[form.keys.index(key.value)])
        try:
            found = list(items) if form.kind == "list" else items
            return _item(low, found[key.value])
        except (IndexError, TypeError) as error:
            raise low.failure(node, error) from None
    pack = low.operand(ir.Pack(items, form), node)
    return stores.load(low, low.builder.as_var(_as_list(pack)), index, node)


def _as_list(pack: ir.Operand) -> ir.Operand:
    """A tuple indexed by a run-time number must be a list: its items share a type."""
    if isinstance(pack, ir.Pack) and pack.form.kind == "tuple":
        return ir.Pack(pack.items, ir.LIST)
    return pack


def _item(low: Lowering, value: Value) -> Value:
    return low.read(value)


def _container_item(low: Lowering, ref: Ref, index: Value, node: ast.AST) -> Value:
    content = low.content(ref)
    if isinstance(content, ir.Var):
        if isinstance(content.type, ListOf) and isinstance(index, ir.Slice):
            return expressions.list_slice(low, content, index, node)
        return stores.load(low, content, index, node)
    if content.form.kind == "list" and isinstance(index, ir.Slice):
        bounds = [constant_value(b) for b in (index.start, index.stop, index.step)]
        if all(bound is not None for bound in bounds):
            cut = slice(*(bound.value for bound in bounds if bound is not None))
            return low.new_ref(ir.LIST, content.items[cut])
    elif constant_value(low.operand(index, node)) is not None:
        return _pack_item(low, content.items, content.form, index, node)
    owner = low.materialise(ref)
    if isinstance(index, ir.Slice):
        return expressions.list_slice(low, owner, index, node)
    return stores.load(low, owner, index, node)
