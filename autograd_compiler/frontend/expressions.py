"""Lowering of expressions: one case per kind of node."""

from __future__ import annotations

import ast
import operator
from typing import TYPE_CHECKING, Any

import numpy as np

from autograd_compiler import ir
from autograd_compiler.frontend import (
    assignment,
    attributes,
    branches,
    calls,
    classes,
    comprehensions,
    indexing,
    iteration,
    names,
    operator_calls,
    prelude,
    stores,
    user_calls,
    ways,
)
from autograd_compiler.frontend.values import (
    Items,
    Ref,
    Value,
    pack,
)
from autograd_compiler.operands import constant_value, type_of_operand
from autograd_compiler.types import (
    Array,
    ListOf,
    Opaque,
    Scalar,
    TupleOf,
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
            if name not in attributes.FACTS:
                return attributes.attribute(low, lower(low, value), name, node)
            with low.asking_form(form_of(low, value)) as owner:
                return attributes.attribute(low, owner, name, node)
        case ast.Subscript(value, index):
            return indexing.subscript(
                low, lower(low, value), indexing.lower_index(low, index), node
            )
        case ast.Slice():
            return indexing.lower_index(low, node)
        case ast.Call():
            return calls.lower_call(low, node)
        case ast.Lambda():
            return user_calls.closure(low, node)
        case ast.NamedExpr(target, value):
            result = lower(low, value)
            assignment.assign(low, target, result)
            return result
        case ast.ListComp() | ast.DictComp():
            return comprehensions.comprehension(low, node)
        case ast.SetComp():
            raise low.refuse(node, "set comprehensions", "build a list instead")
        case ast.GeneratorExp():
            listed = ast.copy_location(ast.ListComp(node.elt, node.generators), node)
            return iteration.iterator(low, comprehensions.comprehension(low, listed))
        case ast.JoinedStr():
            return _format(low, node)
        case ast.Starred():
            raise low.refuse(node, "a starred expression here")
    raise low.refuse(node, f"`{type(node).__name__}` expressions are not supported")


def binary(low: Lowering, fn: Any, left: Value, right: Value, node: ast.AST) -> Value:
    """`left fn right` for numbers, arrays, tuples and lists."""
    by_method = classes.binary(low, fn, left, right, node)
    if by_method is not None:
        return by_method
    structured = _concatenate(low, fn, left, right, node)
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
    kinds = [type_of_operand(operand) for operand in (first, second)]
    if any(isinstance(kind, Array) for kind in kinds):
        first, second = operator_calls.as_array(low, first), operator_calls.as_array(
            low, second
        )
    _check_operands(low, fn, (first, second), node)
    return low.apply(fn, first, second)


def _is_sparse(operand: ir.Operand) -> bool:
    kind = operand.type if isinstance(operand, ir.Var) else None
    return isinstance(kind, Opaque) and kind.cls.__module__.startswith("scipy.sparse.")


def form_of(low: Lowering, node: ast.expr) -> Value:
    """The value of an expression of which no number is read, only shape and dtype.

    A write that may have changed the numbers of an array does not matter then.
    """
    value = low.state.names.get(node.id) if isinstance(node, ast.Name) else None
    if isinstance(value, ir.Var) and isinstance(value.type, Array):
        if low.stale_since(value) is not None:
            return value
    return lower(low, node)


def _check_operands(
    low: Lowering, fn: Any, operands: tuple[ir.Operand, ...], node: ast.AST
) -> None:
    """Find an operator that Python has not for such numbers, as `x + None`."""
    if low.in_rule:
        return
    samples: list[Any] = []
    for operand in operands:
        if isinstance(operand, ir.Const):
            samples.append(operand.value)
        elif isinstance(operand, ir.Var) and isinstance(operand.type, Scalar):
            kind = np.dtype(operand.type.dtype).type(1)
            samples.append(kind.item() if operand.type.weak else kind)
        elif isinstance(operand, ir.Var) and isinstance(operand.type, Array):
            samples.append(np.ones((1,) * operand.type.ndim, operand.type.dtype))
        else:
            return
    try:
        with np.errstate(all="ignore"):
            fn(*samples)
    except TypeError as error:
        raise low.failure(node, error) from None
    except (ArithmeticError, ValueError):  # of these numbers, not of their kinds
        return


def _concatenate(
    low: Lowering, fn: Any, left: Value, right: Value, node: ast.AST
) -> Value | None:
    """Tuples, lists and dicts: `a + b`, `a * 3`, `a | b`."""
    if fn is operator.or_:
        both = [known_fields(low, side) for side in (left, right)]
        if all(fields is not None for fields in both):
            merged = {k: v for fields in both if fields for k, v in fields.items()}
            return low.new_ref(ir.Form("dict", tuple(merged)), tuple(merged.values()))
    first, second = static_items(low, left), static_items(low, right)
    if fn is operator.add and first is not None and second is not None:
        items = first + second
        if isinstance(left, ir.Pack):
            return ir.Pack(tuple(low.operand(item) for item in items))
        return low.new_ref(ir.LIST, items)
    if fn is operator.mul:
        for known, count in ((first, right), (second, left)):
            if known is not None and _is_count(low, count):
                if not isinstance(count, ir.Const):
                    return _repeated(low, known, count, node)
                repeated = known * count.value
                if isinstance(left, ir.Pack) or isinstance(right, ir.Pack):
                    return ir.Pack(tuple(low.operand(item) for item in repeated))
                return low.new_ref(ir.LIST, repeated)
        for value, count in ((left, right), (right, left)):
            if is_list(low, value) and _is_count(low, count):
                given = (value, count)
                return user_calls.inline_prelude(low, prelude.repeated, given, {}, node)
    if fn is operator.add and is_list(low, left) and is_list(low, right):
        return joined(low, (left, right))
    if fn is operator.add and (isinstance(left, Ref) or isinstance(right, Ref)):
        sides = [
            low.materialise(side) if isinstance(side, Ref) else low.operand(side)
            for side in (left, right)
        ]
        return low.apply(fn, *sides)
    return None


def _is_count(low: Lowering, value: Value) -> bool:
    if isinstance(value, ir.Const):
        return isinstance(value.value, (int, np.integer))
    return (
        isinstance(value, ir.Var)
        and isinstance(value.type, Scalar)
        and np.dtype(value.type.dtype).kind in "iu"
    )


def _repeated(
    low: Lowering, items: tuple[Value, ...], count: Value, node: ast.AST
) -> Value:
    """`[0.0] * n`; each item is there once for each repetition, as the same object."""
    for item in items:
        kind = type_of_operand(item) if isinstance(item, (ir.Var, ir.Const)) else None
        if not isinstance(kind, (Scalar, Opaque)):
            raise low.refuse(
                node,
                "a list that repeats one array or container any number of times",
                "write `[x.copy() for _ in range(n)]`",
            )
    given = (pack(items, ir.LIST), count)
    return user_calls.inline_prelude(low, prelude.repeated, given, {}, node)


def known_fields(low: Lowering, value: Value) -> dict[Any, Value] | None:
    """The items of a dict whose keys are known."""
    content = low.content(value) if isinstance(value, Ref) else value
    if isinstance(content, (Items, ir.Pack)) and content.form.kind == "dict":
        return dict(zip(content.form.keys, content.items, strict=True))
    return None


def starred_items(low: Lowering, node: ast.Starred) -> tuple[Value, ...] | None:
    """The items that `*value` stands for, in a call or display, if they are known."""
    value = classes.iterated(low, lower(low, node.value), node)
    value = iteration.used_up(low, value, node)
    items = ways.known_items(low, value)
    if items is None and isinstance(value, ir.Var):
        items = _sizes_of(low, value)
    return items


def _sizes_of(low: Lowering, value: ir.Var) -> tuple[Value, ...] | None:
    """The items of a shape: a tuple of a known number of integers."""
    if not isinstance(value.type, TupleOf):
        return None
    return tuple(
        stores.load(low, low.fresh(value), ir.Const(k), ast.Pass())
        for k in range(len(value.type.items))
    )


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

    comprehensions.generate(low, [ast.comprehension(item, source, [], 0)], add)
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
    value = lower(low, node)
    by_method = classes.unary(low, fn, value, whole)
    if by_method is not None:
        return by_method
    operand = low.operand(value, whole)
    _check_operands(low, fn, (operand,), whole)
    return low.apply(fn, operand)


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
        same = left is right
        if isinstance(left, Ref) and isinstance(right, Ref):
            same = left.cell == right.cell
        return ir.Const(same == (fn is operator.is_))
    if fn is operator.contains:
        found = contains(low, right, left, node)
        if isinstance(op, ast.NotIn):
            return low.apply(operator.not_, low.operand(found, node))
        return found
    by_method = classes.compare(low, fn, left, right, node)
    if by_method is not None:
        return by_method
    return low.apply(fn, low.operand(left, node), low.operand(right, node))


def contains(low: Lowering, container: Value, item: Value, node: ast.AST) -> Value:
    """`item in container`."""
    by_method = classes.contains(low, container, item, node)
    if by_method is not None:
        return by_method
    fields = known_fields(low, container)
    if fields is not None:
        key = constant_value(low.operand(item, node))
        if key is not None:
            return ir.Const(key.value in fields)
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
            inner = starred_items(low, item)
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
    return pack(tuple(values), form)


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
                for inner in spec.values if isinstance(spec, ast.JoinedStr) else ():
                    if isinstance(inner, ast.Constant):
                        text += str(inner.value)
                    elif isinstance(inner, ast.FormattedValue):
                        parts.append(low.operand(lower(low, inner.value), inner))
                        text += "{}"
                template += f"{{{mark}{':' + text if text else ''}}}"
    known = [constant_value(part) for part in parts]
    if all(part is not None for part in known):
        return ir.Const(template.format(*(part.value for part in known if part)))
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
