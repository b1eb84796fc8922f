"""Calls: of operators, of builtins, and of the user's own functions."""

from __future__ import annotations

import ast
import functools
import inspect
import os
import types
from typing import TYPE_CHECKING, Any

import numpy as np

from autograd_compiler import ir, runtime
from autograd_compiler.analysis.infer import is_sparse
from autograd_compiler.errors import (
    CompileError,
)
from autograd_compiler.frontend import (
    branches,
    builtin_calls,
    classes,
    distributions,
    expressions,
    iteration,
    methods,
    names,
    operator_calls,
    user_calls,
)
from autograd_compiler.frontend.handlers import HANDLERS, Keywords
from autograd_compiler.frontend.values import (
    Bound,
    Capture,
    Choice,
    Closure,
    Iterable,
    MethodOf,
    Object,
    Ref,
    Undecided,
    Value,
)
from autograd_compiler.rules.registry import hashable, rule_of, stand_in_for
from autograd_compiler.types import (
    Array,
    DictOf,
    ListOf,
    Opaque,
    Scalar,
    is_inexact,
)

if TYPE_CHECKING:
    from autograd_compiler.frontend.lower import Lowering


FUNCTIONS = (Closure, Bound, MethodOf, Choice, Iterable)
# Builtins that go through none of the iterators that are passed to them.
_LEAVE_ITERATORS = (iter, next, isinstance, callable)
_STANDARD = os.path.dirname(os.__file__)
_LIBRARIES = ("numpy", "scipy", "math", "builtins", "cmath", "operator", "numba")


# ---------------------------------------------------------------- the call expression


def lower_call(low: Lowering, node: ast.Call) -> Value:
    function = low.expression(node.func)
    handled = builtin_calls.unevaluated(low, function, node)
    if handled is not None:
        return handled
    called = function.value if isinstance(function, ir.Const) else None
    formal = called is not getattr and runtime.looks_at_form(called)
    args: list[Value] = []
    for arg in node.args:
        if isinstance(arg, ast.Starred):
            items = expressions.starred_items(low, arg)
            if items is None:
                raise low.refuse(
                    arg,
                    "`*` passes a sequence whose length only run time knows",
                    "pass the sequence itself, or index its items",
                )
            args.extend(low.read(item) for item in items)
        elif formal:
            args.append(expressions.form_of(low, arg))
        else:
            args.append(low.expression(arg))
    kwargs: Keywords = {}
    for keyword in node.keywords:
        value = low.expression(keyword.value)
        if keyword.arg == "dtype" and getattr(value, "value", None) is object:
            raise low.refuse(
                keyword,
                "an array of objects (`dtype=object`) has no derivative",
                "keep arrays of different shapes in a list",
            )
        if keyword.arg is not None:
            kwargs[keyword.arg] = value
            continue
        content: Any = low.content(value) if isinstance(value, Ref) else value
        if not hasattr(content, "form"):
            raise low.refuse(node, "`**` passes a dict whose keys only run time knows")
        kwargs.update(zip(content.form.keys, content.items, strict=True))
    outer = low.builder.span
    if not low.in_rule:
        low.builder.span = low.span(node)
    try:
        with low.asking_form(args[0] if formal and args else None):
            return call(low, function, tuple(args), kwargs, node)
    finally:
        low.builder.span = outer


def call(
    low: Lowering,
    function: Value,
    args: tuple[Value, ...],
    kwargs: Keywords,
    node: ast.AST,
) -> Value:
    """The value of `function(*args, **kwargs)`."""
    match function:
        case Bound(inner, first, named):
            return call(low, inner, (*first, *args), {**dict(named), **kwargs}, node)
        case Choice(condition, then, orelse):
            result = branches.branch(
                low,
                condition,
                lambda: call(low, then, args, dict(kwargs), node),
                lambda: call(low, orelse, args, dict(kwargs), node),
            )
            assert result is not None
            return result
        case Closure():
            return user_calls.call_closure(low, function, args, kwargs, node)
        case MethodOf(owner, name):
            return methods.call_method(low, owner, name, args, kwargs, node)
        case Object(value):
            return _call_object(low, function, value, args, kwargs, node)
        case ir.Const(value):
            return _call_constant(low, value, args, kwargs, node)
        case ir.Var():
            return _call_value(low, function, args, kwargs, node)
    method = classes.special(low, function, "__call__")
    if method is not None:
        return call(low, method, args, kwargs, node)
    raise low.refuse(node, "this value cannot be called", "call a function")


def _call_value(
    low: Lowering,
    function: ir.Var,
    args: tuple[Value, ...],
    kwargs: Keywords,
    node: ast.AST,
) -> Value:
    if isinstance(function.type, Opaque):
        called = _call_with_rule(function.type.cls)
        if called is not None:
            return operator_calls.primitive(
                low, called, (function, *args), kwargs, node
            )
    if isinstance(function.type, (Scalar, Array, ListOf, DictOf)):
        raise low.refuse(node, "this value cannot be called", "call a function")
    given = tuple(low.operand(arg, node) for arg in args)
    named: dict[str, Any] = {
        key: low.operand(value, node) for key, value in kwargs.items()
    }
    return low.builder.apply(ir.CallValue(), function, *given, **named)


def _call_object(
    low: Lowering,
    function: Object,
    value: Any,
    args: tuple[Value, ...],
    kwargs: Keywords,
    node: ast.AST,
) -> Value:
    if _wrapped(value) is not None:
        return call(low, ir.Const(_wrapped(value)), args, kwargs, node)
    if hasattr(value, "__autograd_compiler_call__"):
        capture = function.capture
        low.guards[(capture.identity, capture.name, capture.path)] = (capture, value)
        return _call_generated(low, value, args, kwargs, node)
    if distributions.can_freeze(value):
        return Bound(function, args, tuple(kwargs.items()))
    found = _call_with_rule(type(value))
    if found is not None:
        # A spline: what a call of it gives depends on the object, which is looked at.
        capture = function.capture
        low.guards[(capture.identity, capture.name, capture.path)] = (capture, value)
        owner = names.capture_leaf(low, capture, Opaque(type(value), value))
        return operator_calls.primitive(low, found, (owner, *args), kwargs, node)
    found = inspect.getattr_static(type(value), "__call__", None)
    if isinstance(found, types.FunctionType):
        return call(low, ir.Const(found), (function, *args), kwargs, node)
    return _call_value(low, capture_whole(low, function), args, kwargs, node)


def _call_with_rule(cls: type) -> Any:
    """What calls of a class's objects are, if there is a rule for them."""
    found = inspect.getattr_static(cls, "__call__", None)
    known = isinstance(found, types.FunctionType) and rule_of(found) is not None
    return found if known else None


def _call_generated(
    low: Lowering, value: Any, args: tuple[Value, ...], kwargs: Keywords, node: ast.AST
) -> Value:
    """A derivative inside of a differentiated function lowers its own call."""
    result: Value = value.__autograd_compiler_call__(low, args, kwargs, node)
    return result


def capture_whole(low: Lowering, value: Object) -> ir.Var:
    if is_sparse(value.value):  # whose dimensions are looked at
        capture = value.capture
        low.guards[(capture.identity, capture.name, capture.path)] = (
            capture,
            value.value,
        )
        kind = Opaque(type(value.value), value.value)
        return names.capture_leaf(low, capture, kind)
    return names.capture_leaf(low, value.capture, Opaque(type(value.value)))


def _call_constant(
    low: Lowering, fn: Any, args: tuple[Value, ...], kwargs: Keywords, node: ast.AST
) -> Value:
    owner = getattr(fn, "__self__", None)
    if isinstance(owner, (list, dict, set)) and fn.__name__ in methods.MUTATORS:
        raise low.refuse(
            node,
            f"`.{fn.__name__}` changes a container that is known when compiling",
            "build a new one with an expression",
        )
    if not callable(fn) and not hasattr(fn, "__autograd_compiler_call__"):
        raise low.refuse(node, "this value cannot be called", "call a function")
    fn = hashable(fn)
    builtin = HANDLERS.get(fn)
    if builtin is not None:
        if fn not in _LEAVE_ITERATORS:
            args = tuple(iteration.used_up(low, arg, node) for arg in args)
        return builtin(low, args, kwargs, node)
    if hasattr(fn, "__autograd_compiler_call__"):
        return _call_generated(low, fn, args, kwargs, node)
    stand_in = stand_in_for(fn)
    if stand_in is not None and stand_in.applies(*(kind(low, arg) for arg in args)):
        if isinstance(stand_in.replacement, type):
            return classes.construct(low, stand_in.replacement, args, kwargs, node)
        return call(low, ir.Const(stand_in.replacement), args, kwargs, node)
    if rule_of(fn) is not None:
        args = tuple(iteration.used_up(low, arg, node) for arg in args)
        return operator_calls.primitive(low, fn, args, kwargs, node)
    if getattr(fn, "__static__", False):
        result = operator_calls.primitive(low, fn, args, kwargs, node)
        if low.may_call and isinstance(result, ir.Var):
            raise Undecided
        return result
    called = _call_with_rule(type(fn))
    if called is not None:
        return operator_calls.primitive(
            low, called, (ir.Const(fn), *args), kwargs, node
        )
    if isinstance(fn, functools.partial):
        bound = tuple(operand_or_const(item) for item in fn.args)
        named = {key: operand_or_const(item) for key, item in fn.keywords.items()}
        return call(low, ir.Const(fn.func), (*bound, *args), {**named, **kwargs}, node)
    if isinstance(fn, types.MethodType) and not is_library(fn.__func__):
        owner = Object(fn.__self__, Capture("self", fn.__self__, id(fn.__self__)))
        return call(low, ir.Const(fn.__func__), (owner, *args), kwargs, node)
    if isinstance(fn, types.FunctionType) and operator_calls.reports(fn):
        if args and isinstance(args[0], Object):  # a method: `logger.info(...)`
            return methods.opaque(low, args[0], fn.__name__, args[1:], kwargs, node)
        return operator_calls.primitive(low, fn, args, kwargs, node)
    if isinstance(fn, types.FunctionType) and _is_standard(fn):
        return _call_standard(low, fn, args, kwargs, node)
    if isinstance(fn, types.FunctionType) and not is_library(fn):
        return user_calls.call_function(low, fn, args, kwargs, node)
    if isinstance(fn, type) and not is_library(fn):
        return classes.construct(low, fn, args, kwargs, node)
    if _wrapped(fn) is not None:
        # functools.lru_cache and the like: the same values as what they wrap.
        return call(low, ir.Const(_wrapped(fn)), args, kwargs, node)
    return operator_calls.primitive(low, fn, args, kwargs, node)


def kind(low: Lowering, value: Value) -> Any:
    """What a stand-in asks about an argument."""
    cls = classes.class_of(low, value)
    if cls is not None:
        return cls
    if isinstance(value, Ref):
        value = low.read(low.operand(value))
    match value:
        case ir.Pack(items):
            return tuple(kind(low, item) for item in items)
        case ir.Var(type=found):
            return found
        case ir.Const(known):
            return known
    return None


def _is_standard(fn: types.FunctionType) -> bool:
    """Whether a function of Python's own library is meant, by the file that it is in."""
    filename = fn.__code__.co_filename
    if filename.startswith("<frozen "):
        return True
    return os.path.dirname(filename).startswith(_STANDARD) and not any(
        part in filename for part in ("site-packages", "dist-packages")
    )


def _call_standard(
    low: Lowering,
    fn: types.FunctionType,
    args: tuple[Value, ...],
    kwargs: Keywords,
    node: ast.AST,
) -> Value:
    """A function of Python's own library: looked into only if it gets our values."""
    if not any(isinstance(value, FUNCTIONS) for value in (*args, *kwargs.values())):
        given = [low.operand(value, node) for value in (*args, *kwargs.values())]
        kinds = [leaf.type for operand in given for leaf in ir.leaves(operand)]
        if not any(map(is_inexact, kinds)):
            return operator_calls.primitive(low, fn, args, kwargs, node)
    try:
        return user_calls.call_function(low, fn, args, kwargs, node)
    except CompileError:
        raise low.refuse(
            node,
            f"there is no derivative rule for `{fn.__module__}.{fn.__qualname__}`",
            "write it with operators that have one",
        ) from None


def _wrapped(fn: Any) -> Any:
    if isinstance(fn, functools._lru_cache_wrapper):
        return fn.__wrapped__
    return None


def operand_or_const(value: Any) -> Value:
    if isinstance(value, (np.ndarray, float, int)) and not isinstance(value, bool):
        if not isinstance(value, np.ndarray):
            return ir.Const(value)
    return ir.Const(value)


def is_library(fn: Any) -> bool:
    module = getattr(fn, "__module__", None) or ""
    return module.split(".")[0] in _LIBRARIES
