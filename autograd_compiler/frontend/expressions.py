"""Lowering of expressions: one case per kind of node."""

from __future__ import annotations

import ast
import operator
from typing import TYPE_CHECKING, Any

import numpy as np

from autograd_compiler import ir
from autograd_compiler.builder import constant_value, operand_of
from autograd_compiler.frontend import attributes, branches, calls, loops, names, stores
from autograd_compiler.frontend.values import Items, Iterable, Ref, Value
from autograd_compiler.types import (
    Array,
    Bottom,
    DictOf,
    ListOf,
    Opaque,
    Scalar,
    TupleOf,
    Unknown,
)

if TYPE_CHECKING:
    from autograd_compiler.frontend.lower import Lowering

BINARY: dict[type[ast.operator], Any] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.Pow: operator.pow,
    ast.MatMult: operator.matmul,
    ast.BitAnd: operator.and_,
    ast.BitOr: operator.or_,
    ast.BitXor: operator.xor,
    ast.LShift: operator.lshift,
    ast.RShift: operator.rshift,
}
UNARY: dict[type[ast.unaryop], Any] = {
    ast.USub: operator.neg,
    ast.UAdd: operator.pos,
    ast.Not: operator.not_,
    ast.Invert: operator.invert,
}
COMPARE: dict[type[ast.cmpop], Any] = {
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Is: operator.is_,
    ast.IsNot: operator.is_not,
    ast.In: operator.contains,
    ast.NotIn: operator.contains,
}


def lower(low: Lowering, node: ast.expr) -> Value:
    """The value of an expression; its operations are appended to the block."""
    match node:
        case ast.Constant(value):
            return ir.Const(value)
        case ast.Name(name):
            return names.lookup(low, name, node)
        case ast.BinOp(left, op, right):
            return binary(
                low, BINARY[type(op)], lower(low, left), lower(low, right), node
            )
        case ast.UnaryOp(op, value):
            return _unary(low, UNARY[type(op)], value, node)
        case ast.Compare():
            return _compare(low, node)
        case ast.BoolOp(op, values):
            return _boolean(low, isinstance(op, ast.And), values)
        case ast.IfExp(test, then, orelse):
            result = branches.branch(
                low,
                low.condition(test),
                lambda: lower(low, then),
                lambda: lower(low, orelse),
            )
            assert result is not None
            return result
        case ast.Tuple(items):
            return _sequence(low, items, ir.TUPLE)
        case ast.List(items):
            packed = _sequence(low, items, ir.LIST)
            return low.new_ref(ir.LIST, packed.items)
        case ast.Dict(keys, values):
            return _dictionary(low, keys, values, node)
        case ast.Set(items):
            constants = [
                constant_value(low.operand(lower(low, item))) for item in items
            ]
            if all(constant is not None for constant in constants):
                return ir.Const({c.value for c in constants if c is not None})
            raise low.refuse(
                node,
                "a set of values that only run time knows",
                "use a list or a tuple",
            )
        case ast.Attribute(value, name):
            return attributes.attribute(low, lower(low, value), name, node)
        case ast.Subscript(value, index):
            return subscript(low, lower(low, value), lower_index(low, index), node)
        case ast.Slice():
            return lower_index(low, node)
        case ast.Call():
            return calls.lower_call(low, node)
        case ast.Lambda():
            return calls.closure(low, node)
        case ast.NamedExpr(target, value):
            result = lower(low, value)
            stores.assign(low, target, result)
            return result
        case ast.ListComp() | ast.DictComp():
            return loops.comprehension(low, node)
        case ast.SetComp():
            raise low.refuse(node, "set comprehensions", "build a list instead")
        case ast.GeneratorExp():
            raise low.refuse(
                node,
                "a generator expression outside of sum, min, max, any and all",
                "write a list comprehension",
            )
        case ast.JoinedStr():
            return _format(low, node)
        case ast.Starred():
            raise low.refuse(node, "a starred expression here")
    raise low.refuse(node, f"`{type(node).__name__}` expressions are not supported")


def binary(low: Lowering, fn: Any, left: Value, right: Value, node: ast.AST) -> Value:
    """`left fn right` for numbers, arrays, tuples and lists."""
    structured = _concatenate(low, fn, left, right)
    if structured is not None:
        return structured
    if (
        fn is operator.mod
        and isinstance(left, ir.Const)
        and isinstance(left.value, str)
    ):
        return low.apply(fn, left, low.operand(right, node))
    first, second = low.operand(left, node), low.operand(right, node)
    if fn in (operator.mul, operator.pow, operator.truediv):
        sparse = [_is_sparse(first), _is_sparse(second)]
        other = second if sparse[0] else first
        if any(sparse) and not isinstance(other, ir.Const):
            raise low.refuse(
                node,
                "this is a product of matrices for some sparse matrices, and of their "
                "elements for others",
                "write `A @ x` for the product of matrices",
            )
    return low.apply(fn, first, second)


def _is_sparse(operand: ir.Operand) -> bool:
    kind = operand.type if isinstance(operand, ir.Var) else None
    return isinstance(kind, Opaque) and kind.cls.__module__.startswith("scipy.sparse.")


def _concatenate(low: Lowering, fn: Any, left: Value, right: Value) -> Value | None:
    """Tuples and lists of known structure: `a + b`, `a * 3`."""
    first, second = static_items(low, left), static_items(low, right)
    if fn is operator.add and first is not None and second is not None:
        items = first + second
        if isinstance(left, ir.Pack):
            return ir.Pack(tuple(low.operand(item) for item in items))
        return low.new_ref(ir.LIST, items)
    if fn is operator.mul:
        for known, count in ((first, right), (second, left)):
            if known is not None and isinstance(count, ir.Const):
                repeated = known * count.value
                if isinstance(left, ir.Pack) or isinstance(right, ir.Pack):
                    return ir.Pack(tuple(low.operand(item) for item in repeated))
                return low.new_ref(ir.LIST, repeated)
        for value, count in ((left, right), (right, left)):
            if is_list(low, value):
                times = constant_value(low.operand(count))
                if times is None or not isinstance(times.value, int):
                    raise low.refuse(
                        None, "a list times a number that only run time knows"
                    )
                return joined(low, (value,) * times.value)
    if fn is operator.add and is_list(low, left) and is_list(low, right):
        return joined(low, (left, right))
    if fn is operator.add and (isinstance(left, Ref) or isinstance(right, Ref)):
        sides = [
            low.materialise(side) if isinstance(side, Ref) else low.operand(side)
            for side in (left, right)
        ]
        return low.apply(fn, *sides)
    return None


def is_list(low: Lowering, value: Value) -> bool:
    if isinstance(value, Ref):
        content = low.content(value)
        if not isinstance(content, ir.Var):
            return content.form.kind == "list"
        value = content
    return isinstance(value, ir.Var) and isinstance(value.type, ListOf)


def joined(low: Lowering, lists: tuple[Value, ...]) -> Value:
    """A new list with the items of run-time lists, copied one by one."""
    result = low.new_ref(ir.LIST, ())
    for part in lists:
        stores.extend(low, result, part, ast.Pass())
    return result


def list_slice(low: Lowering, owner: ir.Var, index: ir.Slice, node: ast.AST) -> Value:
    """`xs[1:]` of a run-time list: a new list, as in Python, and no view."""
    positions = low.builder.var(range, low.apply(len, owner))
    chosen = low.builder.load(positions, (ir.Index(index),))
    chosen.type = ListOf(Scalar("int64"))
    result = low.new_ref(ir.LIST, ())
    low.state.names["%positions"], low.state.names["%owner"] = chosen, owner
    item = ast.Name("%position", ast.Store())
    source = ast.Name("%positions", ast.Load())

    def add() -> None:
        names_now = low.state.names
        position = low.operand(names_now["%position"])
        item = stores.load(low, low.operand(names_now["%owner"]), position, node)
        stores.append(low, result, item, node)

    loops.generate(low, [ast.comprehension(item, source, [], 0)], add)
    for name in ("%positions", "%owner"):
        low.state.names.pop(name)
    return result


def static_items(low: Lowering, value: Value) -> tuple[Value, ...] | None:
    """The items of a tuple or list of known structure."""
    if isinstance(value, ir.Pack) and value.form.kind in ("tuple", "list"):
        return value.items
    if isinstance(value, ir.Pack) and value.form.kind == "record":
        return value.items
    if isinstance(value, Ref):
        content = low.content(value)
        if not isinstance(content, ir.Var) and content.form.kind == "list":
            return content.items
    if isinstance(value, ir.Const) and isinstance(value.value, (tuple, list)):
        return tuple(ir.Const(item) for item in value.value)
    return None


def _unary(low: Lowering, fn: Any, node: ast.expr, whole: ast.AST) -> Value:
    if fn is operator.not_:
        condition = low.condition(node)
        return low.apply(fn, condition)
    value = low.operand(lower(low, node), whole)
    return low.apply(fn, value)


def _compare(low: Lowering, node: ast.Compare) -> Value:
    left = lower(low, node.left)

    def rest(position: int, left: Value) -> Value:
        right = lower(low, node.comparators[position])
        result = compare(low, node.ops[position], left, right, node)
        if position + 1 == len(node.ops):
            return result
        found = branches.branch(
            low,
            low.operand(result, node),
            lambda: rest(position + 1, right),
            lambda: result if not isinstance(result, ir.Var) else ir.Const(False),
        )
        assert found is not None
        return found

    return rest(0, left)


def compare(
    low: Lowering, op: ast.cmpop, left: Value, right: Value, node: ast.AST
) -> Value:
    fn = COMPARE[type(op)]
    if fn in (operator.is_, operator.is_not) and not (
        isinstance(left, (ir.Var, ir.Const)) and isinstance(right, (ir.Var, ir.Const))
    ):
        return ir.Const((left is right) == (fn is operator.is_))
    if fn is operator.contains:
        found = _contains(low, left, right, node)
        if isinstance(op, ast.NotIn):
            return low.apply(operator.not_, low.operand(found, node))
        return found
    return low.apply(fn, low.operand(left, node), low.operand(right, node))


def _contains(low: Lowering, item: Value, container: Value, node: ast.AST) -> Value:
    if isinstance(container, Ref):
        content = low.content(container)
        if not isinstance(content, ir.Var) and content.form.kind == "dict":
            key = low.operand(item, node)
            if isinstance(key, ir.Const):
                return ir.Const(key.value in content.form.keys)
    return low.apply(
        operator.contains, low.operand(container, node), low.operand(item, node)
    )


def _boolean(low: Lowering, conjunction: bool, values: list[ast.expr]) -> Value:
    first = lower(low, values[0])
    if len(values) == 1:
        return first
    if not isinstance(first, (ir.Var, ir.Const)):
        truth = low.truth(first)
        if isinstance(truth, ir.Const):  # a container whose length is known, a function
            decided = bool(truth.value) != conjunction
            return first if decided else _boolean(low, conjunction, values[1:])
        first = truth
    test = low.operand(first)

    def more() -> Value:
        return _boolean(low, conjunction, values[1:])

    def known() -> Value:
        if isinstance(first, ir.Var) and isinstance(first.type, Scalar):
            if first.type.dtype == "bool":
                return ir.Const(not conjunction)
        return first

    if conjunction:
        result = branches.branch(low, test, more, known)
    else:
        result = branches.branch(low, test, known, more)
    assert result is not None
    return result


def _sequence(low: Lowering, items: list[ast.expr], form: ir.Form) -> ir.Pack:
    values: list[Value] = []
    for item in items:
        if isinstance(item, ast.Starred):
            inner = static_items(low, lower(low, item.value))
            if inner is None:
                raise low.refuse(
                    item,
                    "`*` unpacks a sequence whose length only run time knows",
                    "index its items, or concatenate lists with `+`",
                )
            values.extend(inner)
        else:
            values.append(lower(low, item))
    # A tuple may hold anything, functions and lists too; operands only when it is used.
    return ir.Pack(tuple(values), form)  # type: ignore[arg-type]


def _dictionary(
    low: Lowering,
    keys: list[ast.expr | None],
    values: list[ast.expr],
    node: ast.AST,
) -> Value:
    found: dict[Any, Value] = {}
    for key, value in zip(keys, values, strict=True):
        if key is None:
            other = lower(low, value)
            content = low.content(other) if isinstance(other, Ref) else other
            if not isinstance(content, (Items, ir.Pack)):
                raise low.refuse(node, "`**` of a dict whose keys only run time knows")
            found.update(zip(content.form.keys, content.items, strict=True))
            continue
        name = constant_value(low.operand(lower(low, key), key))
        if name is None:
            return _dynamic_dictionary(low, keys, values, node)
        found[name.value] = lower(low, value)
    return low.new_ref(ir.Form("dict", tuple(found)), tuple(found.values()))


def _dynamic_dictionary(
    low: Lowering, keys: list[ast.expr | None], values: list[ast.expr], node: ast.AST
) -> Value:
    ref = low.new_ref(ir.Form("dict", ()), ())
    for key, value in zip(keys, values, strict=True):
        if key is None:
            raise low.refuse(node, "`**` beside keys that only run time knows")
        stores.store_item(low, ref, lower(low, key), lower(low, value), node)
    return ref


def _format(low: Lowering, node: ast.JoinedStr) -> Value:
    """An f-string: text for `print` or an error, without a derivative."""
    parts: list[ir.Operand] = []
    template = ""
    for piece in node.values:
        match piece:
            case ast.Constant(value):
                template += str(value).replace("{", "{{").replace("}", "}}")
            case ast.FormattedValue(value, conversion, spec):
                parts.append(low.operand(lower(low, value), value))
                mark = f"!{chr(conversion)}" if conversion > 0 else ""
                text = ""
                if isinstance(spec, ast.JoinedStr):
                    if not all(isinstance(v, ast.Constant) for v in spec.values):
                        raise low.refuse(node, "a computed format specification")
                    text = "".join(str(v.value) for v in spec.values)  # type: ignore[attr-defined]
                template += f"{{{mark}{':' + text if text else ''}}}"
    result = ir.Var("", Opaque(str))
    low.builder.append(
        ir.Apply(
            low.builder.span,
            (result,),
            str.format,
            (ir.Const(template), *parts),
            style="method",
            adjoint=low.builder.adjoint,
        )
    )
    return result


# ---------------------------------------------------------------- subscripts


def lower_index(low: Lowering, node: ast.expr) -> Value:
    """The inside of `x[…]`: slices may stand in it, alone or in a tuple."""
    match node:
        case ast.Slice(start, stop, step):

            def part(bound: ast.expr | None) -> ir.Operand:
                if bound is None:
                    return ir.Const(None)
                return low.operand(lower(low, bound), bound)

            return ir.Slice(part(start), part(stop), part(step))
        case ast.Tuple(items):
            parts = [lower_index(low, item) for item in items]
            return ir.Pack(tuple(low.operand(part, node) for part in parts))
    return lower(low, node)


def subscript(low: Lowering, base: Value, index: Value, node: ast.AST) -> Value:
    """`base[index]`."""
    match base:
        case Ref():
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
            return loops.item_at(low, base, low.operand(index, node), node)
    owner = low.operand(base, node)
    if not isinstance(owner, ir.Var):
        owner = low.builder.as_var(owner)
    if isinstance(owner.type, ListOf) and isinstance(index, ir.Slice):
        return list_slice(low, owner, index, node)
    return stores.load(low, owner, index, node)


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
            return _item(low, items[key.value])
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
            return list_slice(low, content, index, node)
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
        return list_slice(low, owner, index, node)
    return stores.load(low, owner, index, node)


__all__ = ["Array", "Bottom", "DictOf", "ListOf", "Unknown", "binary", "lower"]
