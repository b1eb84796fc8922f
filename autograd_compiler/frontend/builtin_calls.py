"""Python's builtins, class construction, and NumPy calls that write."""

from __future__ import annotations

import ast
import builtins
import collections
import copy
import functools
import operator
import types
from typing import TYPE_CHECKING, Any

import numpy as np

from autograd_compiler import ir, runtime
from autograd_compiler.frontend import (
    attributes,
    branches,
    calls,
    classes,
    comprehensions,
    expressions,
    iteration,
    operator_calls,
    stores,
    ways,
)
from autograd_compiler.frontend.handlers import HANDLERS, Handler, Keywords, handles
from autograd_compiler.frontend.values import (
    Bound,
    Closure,
    Items,
    Iterable,
    Object,
    Ref,
    Value,
    pack,
)
from autograd_compiler.operands import (
    class_of,
    constant_value,
    identity,
    type_of_operand,
)
from autograd_compiler.types import (
    Array,
    DictOf,
    Opaque,
    Scalar,
    is_inexact,
)

if TYPE_CHECKING:
    from autograd_compiler.frontend.lower import Lowering

# ---------------------------------------------------------------- generators


def unevaluated(low: Lowering, function: Value, node: ast.Call) -> Value | None:
    """`sum(… for …)` and the like, before the generator would be evaluated."""
    if not isinstance(function, ir.Const) or not node.args:
        return None
    generator = node.args[0]
    if not isinstance(generator, ast.GeneratorExp):
        return None
    fn = function.value
    if fn is builtins.sum:
        start: Value = ir.Const(0)
        if len(node.args) > 1:
            start = low.expression(node.args[1])
        for keyword in node.keywords:
            start = low.expression(keyword.value)
        return _accumulate(low, generator, start, operator.add, node)
    if fn in (builtins.any, builtins.all):
        return _quantify(low, generator, fn is builtins.any, node)
    if fn in (builtins.list, builtins.tuple, builtins.min, builtins.max, np.array):
        listed = ast.copy_location(
            ast.ListComp(generator.elt, generator.generators), generator
        )
        items = comprehensions.comprehension(low, listed)
        if fn is builtins.list:
            return items
        rest = tuple(low.expression(arg) for arg in node.args[1:])
        return calls.call(low, function, (items, *rest), {}, node)
    return None


def _accumulate(
    low: Lowering, node: ast.GeneratorExp, start: Value, fn: Any, whole: ast.AST
) -> Value:
    name = f"%total{len(low.hidden_names)}"
    low.state.names[name] = start
    low.hidden_names.add(name)

    def add() -> None:
        value = low.expression(node.elt)
        low.state.names[name] = expressions.binary(
            low, fn, low.read(low.state.names[name]), value, whole
        )

    comprehensions.generate(low, node.generators, add)
    low.hidden_names.discard(name)
    return low.read(low.state.names.pop(name))


def _quantify(
    low: Lowering, node: ast.GeneratorExp, exists: bool, whole: ast.AST
) -> Value:
    """`any`/`all`: later items are not evaluated once the answer is known."""
    name = f"%found{len(low.hidden_names)}"
    low.state.names[name] = low.builder.as_var(ir.Const(not exists))
    low.hidden_names.add(name)

    def test() -> None:
        known = low.operand(low.state.names[name])

        def look() -> Value:
            return low.apply(bool, low.condition(node.elt))

        if exists:
            result = branches.branch(low, known, lambda: ir.Const(True), look)
        else:
            result = branches.branch(low, known, look, lambda: ir.Const(False))
        assert result is not None
        low.state.names[name] = result

    low.state.names[name] = low.builder.as_var(ir.Const(not exists))
    comprehensions.generate(low, node.generators, test)
    low.hidden_names.discard(name)
    return low.read(low.state.names.pop(name))


# ---------------------------------------------------------------- builtins

_REVERSIBLE = ("range", "items", "values")


@handles(range)
def _range(low: Lowering, args: Any, kwargs: Keywords, node: ast.AST) -> Value:
    return Iterable("range", args)


@handles(enumerate)
def _enumerate(low: Lowering, args: Any, kwargs: Keywords, node: ast.AST) -> Value:
    start = kwargs.get("start")
    source = iteration.used_up(low, classes.iterated(low, args[0], node), node)
    given = (source, *args[1:], *([start] if start else []))
    return iteration.iterator(low, Iterable("enumerate", given))


@handles(zip)
def _zip(low: Lowering, args: Any, kwargs: Keywords, node: ast.AST) -> Value:
    args = tuple(classes.iterated(low, arg, node) for arg in args)
    args = tuple(iteration.used_up(low, arg, node) for arg in args)
    if not args:
        return ir.Pack(())
    strict = constant_value(low.operand(kwargs.get("strict", ir.Const(False)), node))
    if strict is None or strict.value:
        _check_lengths(low, args, node)
    return iteration.iterator(low, Iterable("zip", args))


def _check_lengths(low: Lowering, args: tuple[Value, ...], node: ast.AST) -> None:
    """`strict=True`: as Python, but before the first item and not after the last."""
    counts = [low.operand(_len(low, (arg,), {}, node)) for arg in args]
    for position, count in enumerate(counts[1:], 2):
        if ways.same_size(counts[0], count):
            continue
        same = low.apply(operator.eq, counts[0], count)
        text = f"zip() argument {position} is shorter or longer than argument 1"
        error = ValueError(text)
        branches.branch(low, same, lambda: None, functools.partial(low.fail, error))


@handles(reversed)
def _reversed(low: Lowering, args: Any, kwargs: Keywords, node: ast.AST) -> Value:
    if isinstance(args[0], Iterable) and args[0].kind not in _REVERSIBLE:
        raise low.refuse(
            node, "`reversed` of an iterator", "make a list of it first: `list(...)`"
        )
    return iteration.iterator(low, Iterable("reversed", args))


@handles(map)
def _map(low: Lowering, args: Any, kwargs: Keywords, node: ast.AST) -> Value:
    """`map` is done at once: its functions have no side effects here."""
    return iteration.iterator(low, _mapped(low, args, node))


def _mapped(low: Lowering, args: tuple[Value, ...], node: ast.AST) -> Value:
    function, *sources = args
    sources = [classes.iterated(low, source, node) for source in sources]
    sources = [iteration.used_up(low, source, node) for source in sources]
    result = low.new_ref(ir.LIST, ())
    rows = [ways.known_items(low, source) for source in sources]
    if all(row is not None for row in rows):
        for row in zip(*(row for row in rows if row is not None), strict=False):
            value = calls.call(low, function, tuple(map(low.read, row)), {}, node)
            stores.append(low, result, value, node)
        return result
    source = sources[0] if len(sources) == 1 else Iterable("zip", tuple(sources))
    low.state.names["%mapped"] = source
    target = ast.copy_location(ast.Name("%item", ast.Store()), node)
    clause = ast.comprehension(
        target, ast.copy_location(ast.Name("%mapped", ast.Load()), node), [], 0
    )

    def add() -> None:
        item = low.state.names["%item"]
        given: tuple[Value, ...] = (item,)
        if len(sources) > 1 and isinstance(item, ir.Pack):
            given = item.items
        stores.append(low, result, calls.call(low, function, given, {}, node), node)

    comprehensions.generate(low, [clause], add)
    low.state.names.pop("%mapped", None)
    return result


@handles(len)
def _len(low: Lowering, args: Any, kwargs: Keywords, node: ast.AST) -> Value:
    (value,) = args
    by_method = classes.unary(low, len, value, node)
    if by_method is not None:
        return by_method
    if isinstance(value, Ref):
        content = low.content(value)
        if isinstance(content, Items):
            return ir.Const(len(content.items))
    if isinstance(value, Iterable):
        count, _ = ways.counted(low, value, node)
        return low.apply(max, ir.Const(0), count)
    if isinstance(value, Object):
        raise low.refuse(node, "`len` of this object")
    return low.apply(len, low.operand(value, node))


@handles(list)
def _list(low: Lowering, args: Any, kwargs: Keywords, node: ast.AST) -> Value:
    return _sequence(low, args, node)


def _sequence(low: Lowering, args: tuple[Value, ...], node: ast.AST) -> Value:
    if not args:
        return low.new_ref(ir.LIST, ())
    items = ways.known_items(low, args[0])
    if items is not None:
        return low.new_ref(ir.LIST, [low.read(item) for item in items])
    value = args[0]
    if isinstance(value, Iterable):
        result = low.new_ref(ir.LIST, ())
        stores.extend(low, result, value, node)
        return result
    if expressions.is_list(low, value):
        return expressions.joined(low, (value,))
    whole = low.operand(value, node)
    listed = low.apply(list, whole)
    if isinstance(whole, ir.Var) and isinstance(listed, ir.Var):
        if isinstance(whole.type, DictOf):
            return listed  # the keys
        if not isinstance(whole.type, Array) or whole.type.ndim > 1:
            low.memory.put(listed, whole)  # the items are views
    return listed


@handles(tuple)
def _tuple(
    low: Lowering, args: tuple[Value, ...], kwargs: Keywords, node: ast.AST
) -> Value:
    if not args:
        return ir.Pack(())
    items = ways.known_items(low, args[0])
    if items is not None:
        return pack(tuple(low.read(item) for item in items))
    value: Value = args[0]
    if not expressions.is_list(low, value):
        value = _sequence(low, args, node)
    return low.apply(tuple, low.operand(value, node))


@handles(collections.defaultdict)
def _defaultdict(low: Lowering, args: Any, kwargs: Keywords, node: ast.AST) -> Value:
    factory, *rest = args or (ir.Const(None),)
    made = _dict(low, tuple(rest), kwargs, node)
    assert isinstance(made, Ref)
    low.factories[made.cell] = factory
    return made


@handles(collections.deque)
def _deque(low: Lowering, args: Any, kwargs: Keywords, node: ast.AST) -> Value:
    if kwargs or len(args) > 1:
        raise low.refuse(
            node, "a deque of limited length", "use a list, and drop its first item"
        )
    return _list(low, args, {}, node)


@handles(copy.copy)
def _copy(low: Lowering, args: Any, kwargs: Keywords, node: ast.AST) -> Value:
    return _copied(low, args[0], False, node)


@handles(copy.deepcopy)
def _deepcopy(low: Lowering, args: Any, kwargs: Keywords, node: ast.AST) -> Value:
    return _copied(low, args[0], True, node)


def _copied(low: Lowering, value: Value, deep: bool, node: ast.AST) -> Value:
    if isinstance(value, (Ref, ir.Pack)):
        content: Any = low.content(value) if isinstance(value, Ref) else value
        if isinstance(content, ir.Var):
            if isinstance(content.type, DictOf) or deep:
                raise low.refuse(
                    node, "this copy of a container that only run time knows"
                )
            return expressions.joined(low, (value,))
        items = tuple(low.read(item) for item in content.items)
        if deep:
            items = tuple(_copied(low, item, True, node) for item in items)
        if content.form.kind == "tuple" or isinstance(value, ir.Pack) and not deep:
            return pack(items, content.form)
        return low.new_ref(content.form, items)
    if isinstance(value, ir.Var) and isinstance(value.type, Array):
        return low.apply(np.copy, low.fresh(value))
    if isinstance(value, (ir.Const, Closure, Bound)) or (
        isinstance(value, ir.Var) and isinstance(value.type, Scalar)
    ):
        return value
    raise low.refuse(node, "a copy of this value", "copy the arrays in it")


@handles(dict, collections.OrderedDict)
def _dict(low: Lowering, args: Any, kwargs: Keywords, node: ast.AST) -> Value:
    found: dict[Any, Value] = {}
    if args:
        content: Any = low.content(args[0]) if isinstance(args[0], Ref) else args[0]
        if isinstance(content, (Items, ir.Pack)) and content.form.kind == "dict":
            found.update(zip(content.form.keys, content.items, strict=True))
        else:
            pairs = ways.known_items(low, args[0])
            if pairs is None:
                raise low.refuse(node, "`dict` of pairs that only run time knows")
            for pair in pairs:
                key, value = expressions.static_items(low, pair) or (None, None)
                known = constant_value(low.operand(key)) if key is not None else None
                if known is None or value is None:
                    raise low.refuse(node, "`dict` with keys that only run time knows")
                found[known.value] = value
    found.update(kwargs)
    return low.new_ref(ir.Form("dict", tuple(found)), tuple(found.values()))


@handles(sum)
def _sum(low: Lowering, args: Any, kwargs: Keywords, node: ast.AST) -> Value:
    start = args[1] if len(args) > 1 else kwargs.get("start", ir.Const(0))
    items = ways.known_items(low, args[0])
    if items is not None:
        total: Value = start
        for position, item in enumerate(items):
            if position == 0 and isinstance(start, ir.Const) and start.value == 0:
                total = low.read(item)
            else:
                total = expressions.binary(
                    low, operator.add, total, low.read(item), node
                )
        return total
    name = f"%total{len(low.hidden_names)}"
    low.state.names[name] = start
    low.state.names["%summed"] = args[0]
    low.hidden_names.add(name)
    target = ast.copy_location(ast.Name("%item", ast.Store()), node)
    source = ast.copy_location(ast.Name("%summed", ast.Load()), node)

    def add() -> None:
        low.state.names[name] = expressions.binary(
            low,
            operator.add,
            low.read(low.state.names[name]),
            low.state.names["%item"],
            node,
        )

    comprehensions.generate(low, [ast.comprehension(target, source, [], 0)], add)
    low.hidden_names.discard(name)
    low.state.names.pop("%summed", None)
    return low.read(low.state.names.pop(name))


@handles(any)
def _any(low: Lowering, args: Any, kwargs: Keywords, node: ast.AST) -> Value:
    return _all_or_any(low, args, operator.or_, np.any, node)


@handles(all)
def _all(low: Lowering, args: Any, kwargs: Keywords, node: ast.AST) -> Value:
    return _all_or_any(low, args, operator.and_, np.all, node)


def _all_or_any(
    low: Lowering, args: tuple[Value, ...], fn: Any, whole: Any, node: ast.AST
) -> Value:
    items = ways.known_items(low, args[0])
    if items is None:
        return low.apply(whole, low.operand(args[0], node))
    result: ir.Operand = ir.Const(whole is np.all)
    for item in items:
        truth = low.apply(bool, low.operand(item, node))
        result = low.apply(fn, result, truth)
    return result


@handles(print)
def _print(low: Lowering, args: Any, kwargs: Keywords, node: ast.AST) -> Value:
    given = tuple(low.operand(arg, node) for arg in args)
    named = tuple((key, low.operand(value, node)) for key, value in kwargs.items())
    low.builder.append(
        ir.Effect(
            low.builder.span, "call", given, print, named, adjoint=low.builder.adjoint
        )
    )
    return ir.Const(None)


@handles(float)
def _float(low: Lowering, args: Any, kwargs: Keywords, node: ast.AST) -> Value:
    if not args:
        return ir.Const(0.0)
    by_method = classes.unary(low, float, args[0], node)
    if by_method is not None:
        return by_method
    value = low.operand(args[0], node)
    if isinstance(value, ir.Const):
        return ir.Const(float(value.value))
    return low.apply(float, value)


def _number(fn: Any) -> Handler:
    """`abs(x)` and the like: of numbers and arrays, or of an object with the method."""

    def handler(
        low: Lowering, args: tuple[Value, ...], kwargs: Keywords, node: ast.AST
    ) -> Value:
        if args and not kwargs:
            by_method = classes.unary(low, fn, args[0], node)
            if by_method is not None:
                return by_method
        return operator_calls.primitive(low, fn, args, kwargs, node)

    return handler


for _fn in (abs, int, round):
    handles(_fn)(_number(_fn))


@handles(bool)
def _bool(low: Lowering, args: Any, kwargs: Keywords, node: ast.AST) -> Value:
    return low.apply(bool, low.truth(args[0])) if args else ir.Const(False)


@handles(isinstance)
def _isinstance(low: Lowering, args: Any, kwargs: Keywords, node: ast.AST) -> Value:
    value, kinds = args
    known = constant_value(low.operand(kinds, node))
    if known is not None:
        if iteration.is_iterator(low, value):
            raise low.refuse(node, "`isinstance` of an iterator")
        if isinstance(value, Iterable) and value.kind == "range":
            return ir.Const(issubclass(range, known.value))
        if isinstance(value, Ref):
            content = low.content(value)
            kind: Any = list
            if isinstance(content, Items):
                kind = {"list": list, "dict": dict}.get(
                    content.form.kind, content.form.cls
                )
            return ir.Const(issubclass(kind, known.value))
        if isinstance(value, Object):
            return ir.Const(isinstance(value.value, known.value))
        if isinstance(value, (Closure, Bound)):
            return ir.Const(issubclass(types.FunctionType, known.value))
    return low.apply(isinstance, low.operand(value, node), low.operand(kinds, node))


@handles(callable)
def _callable(low: Lowering, args: Any, kwargs: Keywords, node: ast.AST) -> Value:
    (value,) = args
    if isinstance(value, (Closure, Bound)):
        return ir.Const(True)
    if isinstance(value, Object):
        return ir.Const(callable(value.value))
    return ir.Const(isinstance(value, ir.Const) and callable(value.value))


@handles(getattr)
def _getattr(
    low: Lowering, args: tuple[Value, ...], kwargs: Keywords, node: ast.AST
) -> Value:
    name = constant_value(low.operand(args[1], node))
    if name is None:
        raise low.refuse(node, "`getattr` with a name that only run time knows")
    if len(args) > 2:
        there = calls.call(low, ir.Const(hasattr), (args[0], args[1]), {}, node)
        if isinstance(there, ir.Const) and not there.value:
            return args[2]
    return attributes.attribute(low, args[0], name.value, node)


def _container_class(low: Lowering, value: Ref | ir.Pack) -> type:
    content: Any = low.content(value) if isinstance(value, Ref) else value
    if isinstance(content, ir.Var):
        return dict if isinstance(content.type, DictOf) else list
    return {"list": list, "dict": dict}.get(content.form.kind, tuple)


@handles(hasattr)
def _hasattr(low: Lowering, args: Any, kwargs: Keywords, node: ast.AST) -> Value:
    owner, name = args
    known = constant_value(low.operand(name, node))
    if known is not None and isinstance(owner, Object):
        return ir.Const(hasattr(owner.value, known.value))
    if known is not None and isinstance(owner, ir.Const):
        return ir.Const(hasattr(owner.value, known.value))
    if known is not None and isinstance(owner, ir.Var):
        kind = owner.type
        if isinstance(kind, Array):
            return ir.Const(hasattr(np.ndarray, known.value))
        if isinstance(kind, Scalar):
            return ir.Const(hasattr(class_of(kind), known.value))
        if isinstance(kind, Opaque):
            return low.apply(hasattr, owner, known)
    found = classes.class_of(low, owner)
    if known is not None and found is not None:
        content: Any = low.content(owner) if isinstance(owner, Ref) else owner
        return ir.Const(known.value in content.form.keys or hasattr(found, known.value))
    if known is not None and isinstance(owner, (Ref, ir.Pack)):
        return ir.Const(hasattr(_container_class(low, owner), known.value))
    raise low.refuse(
        node, "`hasattr` of this value", "decide by an argument or its type instead"
    )


@handles(delattr, exec, eval, globals, locals, vars, input, open)
def _forbidden(low: Lowering, args: Any, kwargs: Keywords, node: ast.AST) -> Value:
    raise low.refuse(
        node,
        "this builtin is not supported in a differentiated function",
        "use it outside, and pass what it gives as an argument",
    )


@handles(pow)
def _pow(low: Lowering, args: Any, kwargs: Keywords, node: ast.AST) -> Value:
    if len(args) == 3:
        raise low.refuse(node, "`pow` with a modulus")
    return expressions.binary(low, operator.pow, args[0], args[1], node)


@handles(divmod)
def _divmod(low: Lowering, args: Any, kwargs: Keywords, node: ast.AST) -> Value:
    quotient = expressions.binary(low, operator.floordiv, args[0], args[1], node)
    remainder = expressions.binary(low, operator.mod, args[0], args[1], node)
    return ir.Pack((low.operand(quotient), low.operand(remainder)))


@handles(functools.partial)
def _partial(low: Lowering, args: Any, kwargs: Keywords, node: ast.AST) -> Value:
    return Bound(args[0], tuple(args[1:]), tuple(kwargs.items()))


@handles(functools.wraps)
def _wraps(low: Lowering, args: Any, kwargs: Keywords, node: ast.AST) -> Value:
    """A decorator that changes names and docstrings only."""
    return ir.Const(identity)


@handles(identity)
def _identity(
    low: Lowering, args: tuple[Value, ...], kwargs: Keywords, node: ast.AST
) -> Value:
    return args[0]


@handles(runtime.stop_gradient)
def _stop_gradient(
    low: Lowering, args: tuple[Value, ...], kwargs: Keywords, node: ast.AST
) -> Value:
    (value,) = (*args, *kwargs.values())

    def stopped(leaf: ir.Var) -> ir.Operand:
        stops = is_inexact(leaf.type)
        return low.apply(runtime.stop_gradient, leaf) if stops else leaf

    return ir.rebuild(low.operand(value, node), stopped)


# ---------------------------------------------------------------- NumPy calls that write


def _ufunc_at(fn: Any) -> Handler:
    def handler(
        low: Lowering, args: tuple[Value, ...], kwargs: Keywords, node: ast.AST
    ) -> Value:
        if fn not in (np.add, np.subtract) or len(args) != 3:
            raise low.refuse(
                node,
                f"`np.{fn.__name__}.at`",
                "np.add.at and np.subtract.at are supported",
            )
        base, index, value = args
        given = low.operand(value, node)
        if fn is np.subtract:
            given = low.apply(operator.neg, given)
        if isinstance(given, ir.Pack):
            given = low.apply(np.array, given)
        path = (ir.Index(low.operand(index, node)),)
        stores.write(low, base, path, given, "add", node)
        return ir.Const(None)

    return handler


for _name in dir(np):
    _ufunc = getattr(np, _name)
    if isinstance(_ufunc, np.ufunc):
        handles(_ufunc.at)(_ufunc_at(_ufunc))


# The reductions of ufuncs are functions of their own, along the first axis by default.
_REDUCED = {
    np.add: np.sum,
    np.multiply: np.prod,
    np.maximum: np.max,
    np.minimum: np.min,
}
_ACCUMULATED = {np.add: np.cumsum, np.multiply: np.cumprod}


def _along_axis(fn: Any) -> Handler:
    def handler(
        low: Lowering, args: tuple[Value, ...], kwargs: Keywords, node: ast.AST
    ) -> Value:
        array, *rest = args
        named = dict(zip(("axis", "dtype", "out", "keepdims"), rest, strict=False))
        options: Keywords = {"axis": ir.Const(0), **named, **kwargs}
        return operator_calls.primitive(low, fn, (array,), options, node)

    return handler


def _outer(fn: Any) -> Handler:
    def handler(
        low: Lowering, args: tuple[Value, ...], kwargs: Keywords, node: ast.AST
    ) -> Value:
        first, second = (low.operand(arg, node) for arg in args)
        kind = type_of_operand(second)
        if not isinstance(kind, (Array, Scalar)):
            raise low.refuse(
                node,
                f"`np.{fn.__name__}.outer` of what only run time knows",
                "write `a[:, None]` and the operator",
            )
        if isinstance(kind, Array) and kind.ndim:
            axes = ir.Pack(tuple(map(ir.Const, range(-kind.ndim, 0))))
            first = low.apply(np.expand_dims, first, axes)
        return operator_calls.primitive(low, fn, (first, second), kwargs, node)

    return handler


for _ufunc, _function in _REDUCED.items():
    HANDLERS[_ufunc.reduce] = _along_axis(_function)
for _ufunc, _function in _ACCUMULATED.items():
    HANDLERS[_ufunc.accumulate] = _along_axis(_function)
for _name in dir(np):
    _ufunc = getattr(np, _name)
    if isinstance(_ufunc, np.ufunc) and (_ufunc.nin, _ufunc.nout) == (2, 1):
        HANDLERS[_ufunc.outer] = _outer(_ufunc)


@handles(np.copyto)
def _copyto(low: Lowering, args: Any, kwargs: Keywords, node: ast.AST) -> Value:
    if kwargs:
        raise low.refuse(node, "`np.copyto` with where= or casting=")
    stores.write(low, args[0], (), low.operand(args[1], node), node=node)
    return ir.Const(None)


@handles(np.astype)
def _astype(low: Lowering, args: Any, kwargs: Keywords, node: ast.AST) -> Value:
    if kwargs:
        raise low.refuse(
            node, "`np.astype` with more than a dtype", "write `np.astype(x, dtype)`"
        )
    return operator_calls.primitive(low, np.astype, args, kwargs, node)


@handles(np.put, np.place, np.putmask, np.fill_diagonal, np.put_along_axis)
def _writers(low: Lowering, args: Any, kwargs: Keywords, node: ast.AST) -> Value:
    raise low.refuse(
        node,
        "this function writes into its argument in a way that is not followed",
        "write with a subscript instead: `a[index] = value`",
    )


@handles(np.asarray, np.asanyarray)
def _asarray(low: Lowering, args: Any, kwargs: Keywords, node: ast.AST) -> Value:
    """`np.asarray(x)` of an array is the array itself."""
    value, *rest = args
    if isinstance(value, ir.Var) and isinstance(value.type, Array) and not rest:
        dtype = kwargs.get("dtype")
        if dtype is None and not kwargs:
            return low.fresh(value)
        if isinstance(dtype, ir.Const) and len(kwargs) == 1:
            if np.dtype(dtype.value) == np.dtype(value.type.dtype):
                return low.fresh(value)
    return operator_calls.primitive(low, np.asarray, args, kwargs, node)
