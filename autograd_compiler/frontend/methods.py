"""Methods of arrays, numbers, lists, dicts and strings, as the functions they are."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any

import numpy as np

from autograd_compiler import ir
from autograd_compiler.frontend import (
    attributes,
    branches,
    calls,
    classes,
    expressions,
    indexing,
    iteration,
    operator_calls,
    prelude,
    stores,
    user_calls,
)
from autograd_compiler.frontend.values import (
    Bound,
    Items,
    Iterable,
    Object,
    Ref,
    Value,
    pack,
)
from autograd_compiler.operands import constant_value
from autograd_compiler.types import Array, DictOf, ListOf, Opaque, Scalar, Unknown

if TYPE_CHECKING:
    from autograd_compiler.frontend.lower import Lowering

Keywords = dict[str, Value]

# Methods that are a NumPy function of the array with the same arguments.
AS_FUNCTION: dict[str, Any] = {
    name: getattr(np, name)
    for name in [
        "sum",
        "prod",
        "mean",
        "std",
        "var",
        "max",
        "min",
        "argmax",
        "argmin",
        "cumsum",
        "cumprod",
        "any",
        "all",
        "trace",
        "diagonal",
        "transpose",
        "swapaxes",
        "squeeze",
        "repeat",
        "take",
        "clip",
        "round",
        "dot",
        "argsort",
        "nonzero",
        "searchsorted",
        "conj",
        "conjugate",
        "ravel",
        "copy",
        "choose",
        "argpartition",
        "astype",
    ]
}
AS_FUNCTION["flatten"] = np.ravel

# Methods that change an object that the compiler does not look into.
MUTATORS = {
    "shuffle",
    "partial_fit",
    "fit",
    "append",
    "appendleft",
    "extend",
    "extendleft",
    "insert",
    "remove",
    "pop",
    "popleft",
    "popitem",
    "add",
    "discard",
    "clear",
    "update",
    "setdefault",
    "sort",
    "reverse",
    "rotate",
    "put",
    "write",
}
# Methods whose result says nothing about the value's derivative.
INACTIVE_NUMBER_METHODS = {"is_integer", "as_integer_ratio", "hex", "bit_length"}


def call_method(
    low: Lowering,
    owner: Value,
    name: str,
    args: tuple[Value, ...],
    kwargs: Keywords,
    node: ast.AST,
) -> Value:
    """`owner.name(*args, **kwargs)`."""
    if isinstance(owner, Bound):  # of a distribution with its parameters given
        method = attributes.attribute(low, owner.function, name, node)
        named = {**kwargs, **dict(owner.kwargs)}
        return calls.call(low, method, (*args, *owner.args), named, node)
    if isinstance(owner, Ref):
        content = low.content(owner)
        kind = content.form.kind if isinstance(content, Items) else None
        if kind is None:
            assert isinstance(content, ir.Var)
            kind = "list" if isinstance(content.type, ListOf) else "dict"
        return _container(low, owner, kind, name, args, kwargs, node)
    if isinstance(owner, ir.Pack):
        return _container(low, owner, owner.form.kind, name, args, kwargs, node)
    if isinstance(owner, ir.Var):
        owner = low.fresh(owner)
        if isinstance(owner.type, ListOf):
            return _container(low, owner, "list", name, args, kwargs, node)
        if isinstance(owner.type, DictOf):
            return _container(low, owner, "dict", name, args, kwargs, node)
        if isinstance(owner.type, (Array, Scalar, Unknown)):
            return _array(low, owner, name, args, kwargs, node)
    if isinstance(owner, ir.Const) and isinstance(
        owner.value, (float, int, np.generic)
    ):
        return _array(low, owner, name, args, kwargs, node)
    return opaque(low, owner, name, args, kwargs, node)


def opaque(
    low: Lowering,
    owner: Value,
    name: str,
    args: tuple[Value, ...],
    kwargs: Keywords,
    node: ast.AST,
) -> Value:
    """A method of an object that the compiler does not look into."""
    if name in MUTATORS:
        raise low.refuse(
            node,
            f"`.{name}` writes into its argument or object",
            "use what returns a new value (`permutation` for `shuffle`), or a list",
        )
    given = (low.operand(owner, node), *(low.operand(arg, node) for arg in args))
    named: dict[str, Any] = {
        key: low.operand(value, node) for key, value in kwargs.items()
    }
    if operator_calls.is_statement(low, node):
        harmless = isinstance(owner, Object) and operator_calls.reports(
            type(owner.value)
        )
        rest = given[1:]
        operator_calls.effect(
            low, ir.Method(name), rest, named, node, harmless, owner=given[0]
        )
        return ir.Const(None)
    result = low.builder.apply(ir.Method(name), *given, **named)
    var = low.builder.as_var(result)
    if isinstance(owner, (Object, ir.Const)):
        var.type = _tried(owner.value, name, args, kwargs)
    elif isinstance(owner, ir.Var) and owner.type == Opaque(np.random.Generator):
        var.type = _tried(np.random.default_rng(0), name, args, kwargs)
    return var


def _tried(owner: Any, name: str, args: tuple[Value, ...], kwargs: Keywords) -> Any:
    """The type of an opaque call's result: random numbers are tried on a copy."""
    import copy

    from autograd_compiler.analysis.infer import infer_call

    operands = (ir.Var, ir.Const, ir.Pack)
    if not all(isinstance(arg, operands) for arg in (*args, *kwargs.values())):
        return Unknown()
    if not isinstance(owner, (np.random.Generator, np.random.RandomState, str)):
        return Unknown()
    result = infer_call(
        lambda *a, **k: getattr(copy.deepcopy(owner), name)(*a, **k),
        args,  # type: ignore[arg-type]
        tuple(kwargs.items()),  # type: ignore[arg-type]
    )
    return result.types[0] if not result.unpacks else Unknown()


# ---------------------------------------------------------------- arrays


def _array(
    low: Lowering,
    owner: ir.Operand,
    name: str,
    args: tuple[Value, ...],
    kwargs: Keywords,
    node: ast.AST,
) -> Value:

    if name == "fill":
        stores.write(low, owner, (), low.operand(args[0], node), node=node)
        return ir.Const(None)
    if name == "sort":
        given: dict[str, Any] = {
            key: low.operand(value, node) for key, value in kwargs.items()
        }
        operands = [low.operand(arg, node) for arg in args]
        stores.write(
            low, owner, (), low.apply(np.sort, owner, *operands, **given), node=node
        )
        return ir.Const(None)
    if name in (
        "partition",
        "put",
        "resize",
        "setflags",
        "byteswap",
        "itemset",
        "setfield",
    ):
        raise low.refuse(
            node, f"`.{name}` writes into the array", "write with a subscript instead"
        )
    if name == "item":
        return _item(low, owner, args, node)
    if name == "compress":
        return operator_calls.primitive(
            low, np.compress, (args[0], owner, *args[1:]), kwargs, node
        )
    if name == "tolist":
        raise low.refuse(node, "`.tolist()`", "index or loop over the array itself")
    if name == "reshape":
        shape = args
        if len(args) == 1:
            shape_operand = low.operand(args[0], node)
        else:
            shape_operand = ir.Pack(tuple(low.operand(arg, node) for arg in shape))
        named = {key: low.operand(value, node) for key, value in kwargs.items()}
        return low.apply(np.reshape, owner, shape_operand, **named, style="method")
    if name == "transpose" and len(args) > 1:
        axes = ir.Pack(tuple(low.operand(arg, node) for arg in args))
        return low.apply(np.transpose, owner, axes)
    if name == "view":
        raise low.refuse(node, "`.view` with another dtype")
    if name == "astype":
        if len(args) + len(kwargs) > 1:
            raise low.refuse(
                node, "`.astype` with more than a dtype", "write `.astype(dtype)`"
            )
        dtype = low.operand(args[0] if args else kwargs["dtype"], node)
        return low.apply(np.astype, owner, dtype, style="method")
    if name == "flatten":
        return low.apply(
            np.copy, operator_calls.plain(low, np.ravel, (owner, *args), kwargs, node)
        )
    if name == "compress":
        condition, *rest = args
        return operator_calls.primitive(
            low, np.compress, (condition, owner, *rest), kwargs, node
        )
    if name in INACTIVE_NUMBER_METHODS or name.startswith("__"):
        return opaque(low, owner, name, args, kwargs, node)
    if name in AS_FUNCTION:
        return operator_calls.primitive(
            low, AS_FUNCTION[name], (owner, *args), kwargs, node, style="method"
        )
    if isinstance(owner, ir.Var) and isinstance(owner.type, Unknown):
        return opaque(low, owner, name, args, kwargs, node)
    raise low.refuse(
        node,
        f"the array method `.{name}` is not supported",
        (
            f"write it with NumPy's functions, as `np.{name}(x)`"
            if hasattr(np, name)
            else ""
        ),
    )


def _item(
    low: Lowering, owner: ir.Operand, args: tuple[Value, ...], node: ast.AST
) -> Value:
    """`x.item()`, `x.item(k)` in the flat order, `x.item(i, j)`, `x.item((i, j))`."""
    if not isinstance(owner, ir.Var) or isinstance(owner.type, Scalar):
        return owner
    given = [low.operand(arg, node) for arg in args] or [ir.Const(0)]
    index = ir.Pack(tuple(given)) if len(given) > 1 else given[0]
    if not isinstance(index, ir.Pack):
        owner = low.builder.as_var(low.apply(np.ravel, owner))
    value = stores.load(low, owner, index, node)
    if isinstance(value, ir.Var) and value.type == Scalar("float32", weak=False):
        return low.apply(float, value)  # Python's own has double precision
    return value


# ---------------------------------------------------------------- containers


def _container(
    low: Lowering,
    owner: Value,
    kind: str,
    name: str,
    args: tuple[Value, ...],
    kwargs: Keywords,
    node: ast.AST,
) -> Value:
    if kind == "dict":
        return _dict(low, owner, name, args, kwargs, node)
    if kind in ("list", "tuple"):
        return _list(low, owner, name, args, kwargs, node)
    raise low.refuse(node, f"the method `.{name}` of this object is not known")


def _list(
    low: Lowering,
    owner: Value,
    name: str,
    args: tuple[Value, ...],
    kwargs: Keywords,
    node: ast.AST,
) -> Value:
    match name, args:
        case "append", (value,):
            stores.append(low, owner, value, node)
            return ir.Const(None)
        case "extend", (other,):
            other = iteration.used_up(low, classes.iterated(low, other, node), node)
            stores.extend(low, owner, other, node)
            return ir.Const(None)
        case "pop", ():
            return stores.pop(low, owner, None, node)
        case "pop", (index,):
            return _pop_at(low, owner, index, node)
        case "popleft", ():
            return _pop_at(low, owner, ir.Const(0), node)
        case "appendleft", (value,):
            first = ir.Const(0)
            return _list(low, owner, "insert", (first, value), kwargs, node)
        case "copy", ():
            items = expressions.static_items(low, owner)
            if items is not None:
                return low.new_ref(ir.LIST, items)
            return expressions.joined(low, (owner,))
        case "sort", ():
            ordered = iteration.in_order(low, owner, kwargs, node)
            return _overwrite(low, owner, ordered, node)
        case "index" | "count", _:
            return opaque(low, owner, name, args, kwargs, node)
    items = expressions.static_items(low, owner)
    if items is not None and isinstance(owner, Ref):
        changed = list(items)
        match name, args:
            case "insert", (ir.Const(position), value):
                changed.insert(position, value)
                return _overwrite(low, owner, tuple(changed), node)
            case "reverse", ():
                return _overwrite(low, owner, tuple(changed[::-1]), node)
            case "clear", ():
                return _overwrite(low, owner, (), node)
            case "remove", (ir.Const() as value,):
                known = [constant_value(low.operand(item)) for item in items]
                for position, item in enumerate(known):
                    if item is not None and item.value == value.value:
                        del changed[position]
                        return _overwrite(low, owner, tuple(changed), node)
    by = _THROUGH_PRELUDE.get(name)
    if by is None or isinstance(owner, ir.Pack):
        raise low.refuse(
            node,
            f"the list method `.{name}` of this list",
            "build the list in the order you need with append",
        )
    return user_calls.inline_prelude(low, by, (owner, *args), {}, node)


_THROUGH_PRELUDE = {
    "insert": prelude.insert,
    "reverse": prelude.reverse,
    "clear": prelude.clear,
}


def _pop_at(low: Lowering, owner: Value, index: Value, node: ast.AST) -> Value:
    known = constant_value(low.operand(index, node))
    is_last = known is not None and known.value == -1
    if is_last or known is not None and not isinstance(_content(low, owner), ir.Var):
        return stores.pop(low, owner, index, node)
    return user_calls.inline_prelude(low, prelude.pop_at, (owner, index), {}, node)


def _content(low: Lowering, owner: Value) -> Any:
    return low.content(owner) if isinstance(owner, Ref) else owner


def _overwrite(
    low: Lowering, owner: Value, items: Value | tuple[Value, ...], node: ast.AST
) -> Value:
    """Give a list other items, in the list that it is."""
    known = items if isinstance(items, tuple) else None
    if not isinstance(items, tuple):
        known = expressions.static_items(low, items)
    if isinstance(owner, Ref) and isinstance(low.content(owner), Items):
        if isinstance(known, tuple):
            low.state.cells[owner.cell] = Items(ir.LIST, known)
            return ir.Const(None)
    if isinstance(owner, ir.Pack):
        raise low.refuse(
            node,
            "a list from outside, or an argument of known structure, is changed",
            "copy it first: `xs = list(xs)`",
        )
    whole = pack(items, ir.LIST) if isinstance(items, tuple) else items
    return user_calls.inline_prelude(low, prelude.overwrite, (owner, whole), {}, node)


def _dict(
    low: Lowering,
    owner: Value,
    name: str,
    args: tuple[Value, ...],
    kwargs: Keywords,
    node: ast.AST,
) -> Value:
    content: Any = _content(low, owner)
    known = isinstance(content, (Items, ir.Pack))
    match name, args:
        case "items", ():
            if known:
                return ir.Pack(
                    tuple(
                        ir.Pack((ir.Const(key), item))
                        for key, item in zip(
                            content.form.keys, content.items, strict=True
                        )
                    )
                )
            return Iterable("items", (owner,))
        case "keys", ():
            if known:
                return ir.Pack(tuple(ir.Const(key) for key in content.form.keys))
            return low.apply(list, low.operand(owner, node))
        case "values", ():
            if known:
                return ir.Pack(tuple(content.items))
            return Iterable("values", (owner,))
        case "get", (key, *default):
            there = expressions.contains(low, owner, key, node)
            result = branches.branch(
                low,
                low.operand(there),
                lambda: indexing.subscript(low, owner, key, node),
                lambda: default[0] if default else ir.Const(None),
            )
            assert result is not None
            return result
        case "pop", (key, *default) if isinstance(content, Items):
            found = constant_value(low.operand(key, node))
            if default and found is not None and found.value not in content.form.keys:
                return default[0]
            return stores.pop(low, owner, key, node)
        case "popitem", () if isinstance(content, Items) and content.items:
            key = ir.Const(content.form.keys[-1])
            return pack((key, stores.pop(low, owner, key, node)))
        case "clear", () if isinstance(content, Items):
            assert isinstance(owner, Ref)
            low.state.cells[owner.cell] = Items(ir.Form("dict"), ())
            return ir.Const(None)
        case "copy", () if known:
            return low.new_ref(content.form, content.items)
        case "update", _ if len(args) < 2:
            given = calls.call(low, ir.Const(dict), args, kwargs, node)
            for key_name, item in (expressions.known_fields(low, given) or {}).items():
                stores.store_item(low, owner, ir.Const(key_name), item, node)
            return ir.Const(None)
        case "setdefault", (key, *default):
            there = expressions.contains(low, owner, key, node)
            branches.branch(
                low,
                low.operand(there),
                lambda: None,
                lambda: stores.store_item(
                    low, owner, key, default[0] if default else ir.Const(None), node
                ),
            )
            return indexing.subscript(low, owner, key, node)
    raise low.refuse(node, f"the dict method `.{name}` here", "use subscripts")
