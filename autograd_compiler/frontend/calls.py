"""Calls: of operators, of builtins, and of the user's own functions."""

from __future__ import annotations

import ast
import functools
import inspect
import os
import types
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from autograd_compiler import ir, rules, runtime
from autograd_compiler.analysis.infer import is_sparse
from autograd_compiler.errors import (
    AutogradCompilerError,
    CompileError,
    UnsupportedError,
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
    rule_calls,
    stores,
)
from autograd_compiler.frontend import lower as lowering_module
from autograd_compiler.frontend.handlers import HANDLERS
from autograd_compiler.frontend.normalise import normalise
from autograd_compiler.frontend.resolve import local_names
from autograd_compiler.frontend.source import FunctionSource, read_source
from autograd_compiler.frontend.values import (
    Bound,
    Capture,
    Choice,
    Closure,
    Frame,
    Iterable,
    MethodOf,
    Object,
    Ref,
    Undecided,
    Value,
    pack,
)
from autograd_compiler.rules.registry import Rule, hashable, rule_of
from autograd_compiler.types import (
    MEMORY,
    Array,
    DictOf,
    ListOf,
    Opaque,
    Scalar,
    is_inexact,
)

if TYPE_CHECKING:
    from autograd_compiler.frontend.lower import Lowering

Keywords = dict[str, Value]
FUNCTIONS = (Closure, Bound, MethodOf, Choice, Iterable)

# Modules whose calls tell of values: kept for their effect, not looked into.
_REPORTING = ("logging", "warnings", "_warnings", "traceback", "pprint", "sys", "time")
# Builtins that go through none of the iterators that are passed to them.
_LEAVE_ITERATORS = (iter, next, isinstance, callable)
_STANDARD = os.path.dirname(os.__file__)
# Functions for which a list is a sequence of arrays, or a list.
_TAKE_LISTS = {
    np.array,
    np.asarray,
    np.asanyarray,
    np.block,
    np.column_stack,
    np.concatenate,
    np.dstack,
    np.hstack,
    np.linalg.multi_dot,
    np.stack,
    np.vstack,
    np.broadcast_arrays,
    # Containers of adjoints are theirs to go through.
    runtime.add,
    runtime.deep_copy,
    runtime.zeros_like,
    np.choose,
    np.einsum,
    np.meshgrid,
    np.piecewise,
    np.select,
    len,
    list,
    tuple,
    bool,
    getattr,
}
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
            return _call_closure(low, function, args, kwargs, node)
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
            return primitive(low, called, (function, *args), kwargs, node)
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
        return primitive(low, found, (owner, *args), kwargs, node)
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
    if rule_of(fn) is not None:
        args = tuple(iteration.used_up(low, arg, node) for arg in args)
        return primitive(low, fn, args, kwargs, node)
    if getattr(fn, "__static__", False):
        result = primitive(low, fn, args, kwargs, node)
        if low.may_call and isinstance(result, ir.Var):
            raise Undecided
        return result
    called = _call_with_rule(type(fn))
    if called is not None:
        return primitive(low, called, (ir.Const(fn), *args), kwargs, node)
    if isinstance(fn, functools.partial):
        bound = tuple(operand_or_const(item) for item in fn.args)
        named = {key: operand_or_const(item) for key, item in fn.keywords.items()}
        return call(low, ir.Const(fn.func), (*bound, *args), {**named, **kwargs}, node)
    if isinstance(fn, types.MethodType) and not is_library(fn.__func__):
        owner = Object(fn.__self__, Capture("self", fn.__self__, id(fn.__self__)))
        return call(low, ir.Const(fn.__func__), (owner, *args), kwargs, node)
    if isinstance(fn, types.FunctionType) and reports(fn):
        if args and isinstance(args[0], Object):  # a method: `logger.info(...)`
            return methods.opaque(low, args[0], fn.__name__, args[1:], kwargs, node)
        return primitive(low, fn, args, kwargs, node)
    if isinstance(fn, types.FunctionType) and _is_standard(fn):
        return _call_standard(low, fn, args, kwargs, node)
    if isinstance(fn, types.FunctionType) and not is_library(fn):
        return _call_function(low, fn, args, kwargs, node)
    if isinstance(fn, type) and not is_library(fn):
        return classes.construct(low, fn, args, kwargs, node)
    if _wrapped(fn) is not None:
        # functools.lru_cache and the like: the same values as what they wrap.
        return call(low, ir.Const(_wrapped(fn)), args, kwargs, node)
    return primitive(low, fn, args, kwargs, node)


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
            return primitive(low, fn, args, kwargs, node)
    try:
        return _call_function(low, fn, args, kwargs, node)
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


# ---------------------------------------------------------------- operators


def plain(
    low: Lowering, fn: Any, args: tuple[Value, ...], kwargs: Keywords, node: ast.AST
) -> ir.Var:
    return low.builder.as_var(low.operand(primitive(low, fn, args, kwargs, node)))


def primitive(
    low: Lowering,
    fn: Any,
    args: tuple[Value, ...],
    kwargs: Keywords,
    node: ast.AST,
    style: str = "function",
) -> Value:
    """A call of an operator; `out=` becomes a write."""
    rule = rule_of(fn)
    out = kwargs.pop("out", None) if "out" in kwargs else None
    if isinstance(fn, np.ufunc) and len(args) == fn.nin + 1 and out is None:
        args, out = args[:-1], args[-1]
    if rule is not None and rule.definition is not None:
        if rule.kind == "composed" or not rule.takes(len(args), kwargs):
            return _written(low, out, define(low, rule, args, kwargs, node), node)
    given = tuple(low.operand(arg, node) for arg in args)
    if fn not in _TAKE_LISTS and rule_of(fn) is not None:
        given = tuple(as_array(low, operand) for operand in given)
    named = {key: low.operand(value, node) for key, value in kwargs.items()}
    if out is None and is_statement(low, node) and not _only_computes(rule):
        return effect(low, fn, given, named, node, harmless=reports(fn))
    result: Value = low.apply(fn, *given, style=style, **named)
    if isinstance(result, ir.Pack) and _gives_list(fn):
        result = low.new_ref(ir.LIST, result.items)
    return _written(low, out, result, node)


def define(
    low: Lowering,
    rule: Rule,
    args: tuple[Value, ...],
    kwargs: Keywords,
    node: ast.AST,
) -> Value:
    """The definition of an operator, lowered in its place like the text of a rule."""
    assert rule.definition is not None
    outer = low.in_rule, low.defining
    low.in_rule = low.defining = True
    try:
        return inline(low, _source(rule.definition), args, kwargs, node)
    except (Undecided, UnsupportedError) as error:
        if not any(map(rule_calls.is_open, (*args, *kwargs.values()))):
            raise
        raise low.refuse(
            node,
            "what this operator computes depends on types that are not known here",
            "give the types: `lower(*args)`, or an annotation",
        ) from error
    finally:
        low.in_rule, low.defining = outer


@contextmanager
def outside_of_rules(low: Lowering) -> Iterator[None]:
    """For the user's functions that a definition calls, as `np.piecewise` does."""
    outer = low.in_rule
    low.in_rule = outer and not low.defining
    try:
        yield
    finally:
        low.in_rule = outer


def _only_computes(rule: Rule | None) -> bool:
    """Whether a call has no effect but its result; what is refused may save a file."""
    return rule is not None and rule.kind != "refused"


def _written(low: Lowering, out: Value | None, result: Value, node: ast.AST) -> Value:
    """A result, written to `out` where that is given."""
    if out is None or (isinstance(out, ir.Const) and out.value is None):
        return result
    if isinstance(out, ir.Pack) and len(out.items) == 1:
        out = out.items[0]
    stores.write(low, out, (), low.operand(result, node), node=node)
    return low.read(out)


def as_array(low: Lowering, operand: ir.Operand) -> ir.Operand:
    """A list or tuple of floats as NumPy takes it: through `np.array`, with a rule."""
    match operand:
        case ir.Var(type=ListOf(Scalar() | Array() as item)) if is_inexact(item):
            return low.apply(np.array, operand)
        case ir.Pack(form=form) if form.kind != "dict" and _are_floats(operand):
            return low.apply(np.array, _listed(operand))
    return operand


def _are_floats(pack: ir.Pack) -> bool:
    """Whether an array is meant: numbers in rows, some of which may have derivatives."""
    kinds = [var.type for var in ir.leaves(pack)]
    return any(map(is_inexact, kinds)) and all(
        isinstance(kind, Scalar) for kind in kinds
    )


def _listed(operand: ir.Operand) -> ir.Operand:
    if isinstance(operand, ir.Pack):
        return ir.Pack(tuple(map(_listed, operand.items)), ir.LIST)
    return operand


def reports(fn: Any) -> bool:
    """Whether a function tells of values and leaves them as they are."""
    module = getattr(fn, "__module__", None) or ""
    return module.split(".")[0] in _REPORTING


def is_statement(low: Lowering, node: ast.AST) -> bool:
    """Whether a call stands alone, for what it does."""
    current = low.current_statement
    return isinstance(current, ast.Expr) and current.value is node and not low.in_rule


def effect(
    low: Lowering,
    fn: Any,
    args: tuple[ir.Operand, ...],
    kwargs: dict[str, ir.Operand],
    node: ast.AST,
    harmless: bool,
    owner: ir.Operand | None = None,
) -> Value:
    """A call whose result is not used, kept in the forward sweep."""
    every = (*args, *kwargs.values())
    arrays = [
        leaf
        for operand in every
        for leaf in ir.leaves(operand)
        if isinstance(leaf.type, MEMORY)
    ]
    if arrays and not harmless:
        raise low.refuse(
            node,
            "the result of this call is not used, so it may write into its arguments",
            "use a function that returns a new value",
        )
    named = tuple(kwargs.items())
    if owner is not None:
        args = (owner, *args)
    low.builder.append(
        ir.Effect(
            low.builder.span, "call", args, fn, named, adjoint=low.builder.adjoint
        )
    )
    return ir.Const(None)


def _gives_list(fn: Any) -> bool:
    return fn in (np.split, np.array_split, np.hsplit, np.vsplit, np.dsplit)


# ---------------------------------------------------------------- user functions


def closure(low: Lowering, node: ast.FunctionDef | ast.Lambda) -> Closure:
    """A nested function or lambda, with the defaults that it has now."""
    arguments = node.args
    defaults = tuple(low.expression(default) for default in arguments.defaults)
    keyword_defaults = tuple(
        (arg.arg, low.expression(default))
        for arg, default in zip(
            arguments.kwonlyargs, arguments.kw_defaults, strict=True
        )
        if default is not None
    )
    if isinstance(node, ast.Lambda):
        body = ast.copy_location(ast.Return(node.body), node.body)
        definition = ast.FunctionDef(
            name="<lambda>",
            args=arguments,
            body=[body],
            decorator_list=[],
            returns=None,
        )
        ast.copy_location(definition, node)
    else:
        definition = node
    assert low.frame is not None
    return Closure(
        normalise(definition, low.filename), low.frame, defaults, keyword_defaults
    )


def _call_closure(
    low: Lowering,
    function: Closure,
    args: tuple[Value, ...],
    kwargs: Keywords,
    node: ast.AST,
) -> Value:
    defaults = dict(function.keyword_defaults)
    positional = [
        a.arg for a in (*function.node.args.posonlyargs, *function.node.args.args)
    ]
    if function.defaults:
        tail = positional[-len(function.defaults) :]
        defaults.update(zip(tail, function.defaults, strict=True))
    bound = bind(low, function.node, defaults, args, kwargs, node)
    outer = function.frame
    frame = Frame(
        bound,
        outer.globals,
        outer.cells,
        outer.filename,
        frozenset(local_names(function.node)),
        outer,
        outer.place,
        first_parameter(function.node),
    )
    if low.frame is outer:
        outer.names = low.state.names
    if _is_ours(outer.globals):
        return lowering_module.lower_body(low, function.node, bound, frame)
    with outside_of_rules(low):
        return lowering_module.lower_body(low, function.node, bound, frame)


def _is_ours(globals: dict[str, Any]) -> bool:
    """Whether functions with these globals are part of a rule."""
    return str(globals.get("__name__")).startswith(rules.__name__)


def _call_function(
    low: Lowering,
    fn: types.FunctionType,
    args: tuple[Value, ...],
    kwargs: Keywords,
    node: ast.AST,
) -> Value:
    if low.defining and not _is_ours(fn.__globals__):
        with outside_of_rules(low):
            return _call_source(low, fn, args, kwargs, node)
    if low.in_rule or rule_calls.is_of_rule(fn):
        return rule_calls.call_in_rule(low, fn, args, kwargs, node)
    original = rule_calls.original_of(fn)
    if original is not None and hasattr(original, "__static__"):
        return call(low, ir.Const(original), args, kwargs, node)
    if original is not None and rule_of(original) is None:
        fn = original
    elif original in (runtime.add, runtime.stop_gradient) or (
        original is not None
        and (_has_formula(original) or any(_is_open(low, value) for value in args))
    ):
        return call(low, ir.Const(original), args, kwargs, node)
    return _call_source(low, fn, args, kwargs, node)


def _call_source(
    low: Lowering,
    fn: types.FunctionType,
    args: tuple[Value, ...],
    kwargs: Keywords,
    node: ast.AST,
) -> Value:
    source = source_of(low, fn, node)
    if low.program is not None:
        result: Value | None = low.program.call(low, fn, source, args, kwargs, node)
        if result is not None:
            return result
    return inline(low, source, args, kwargs, node)


def _has_formula(helper: Any) -> bool:
    """Whether its derivative is a formula, and not that of how it is computed."""
    rule = rule_of(helper)
    return rule is not None and rule.kind == "partials"


def _is_open(low: Lowering, value: Value) -> bool:
    """Whether the type of a value decides nothing when compiling."""
    if isinstance(value, Ref):
        return isinstance(low.content(value), ir.Var)
    if not isinstance(value, ir.Var) or isinstance(value.type, Scalar):
        return False
    return (
        not isinstance(value.type, Array)
        or None in value.type.dims
        or any(not dim.is_not_one and not dim.is_one for dim in value.type.dims if dim)
    )


@functools.lru_cache(maxsize=512)
def _source(fn: types.FunctionType) -> tuple[FunctionSource, ast.FunctionDef]:
    source = read_source(fn)
    return source, normalise(source.node, source.filename)


def source_of(
    low: Lowering, fn: types.FunctionType, node: ast.AST
) -> tuple[FunctionSource, ast.FunctionDef]:
    """The source and normal form of a function, with errors placed at the call."""
    try:
        return _source(fn)
    except UnsupportedError:
        raise
    except AutogradCompilerError as error:
        raise low.refuse(
            node,
            f"the source of `{fn.__qualname__}` is needed and cannot be read: {error}",
            "give it a rule, or define it in a file",
        ) from None


def inline_prelude(
    low: Lowering,
    fn: Any,
    args: tuple[Value, ...],
    kwargs: Keywords,
    node: ast.AST,
) -> Value:
    """A function of the prelude; all in it has the place of the call."""
    return inline(low, _source(fn), args, kwargs, node, place=low.span(node))


def inline(
    low: Lowering,
    source: tuple[FunctionSource, ast.FunctionDef],
    args: tuple[Value, ...],
    kwargs: Keywords,
    node: ast.AST,
    place: ir.Span | None = None,
) -> Value:
    """Lower the body of a function at the place where it is called."""
    found, definition = source
    bound = bind(low, definition, defaults_of(low, found, node), args, kwargs, node)
    frame = Frame(
        bound,
        found.globals,
        found.closure,
        found.filename,
        frozenset(local_names(definition)),
        place=place,
        first=first_parameter(definition),
    )
    return lowering_module.lower_body(low, definition, bound, frame)


def first_parameter(definition: ast.FunctionDef) -> str | None:
    parameters = (*definition.args.posonlyargs, *definition.args.args)
    return parameters[0].arg if parameters else None


def defaults_of(
    low: Lowering, source: FunctionSource, node: ast.AST
) -> dict[str, Value]:
    """Default values by parameter name; numbers are constants, arrays captures."""
    found: dict[str, Value] = {}
    for name, parameter in inspect.signature(source.function).parameters.items():
        if parameter.default is inspect.Parameter.empty:
            continue
        value = parameter.default
        if isinstance(value, np.ndarray):
            capture = Capture(name, value, id(value))
            found[name] = names.captured(low, capture, value, node)
        elif type(value) is tuple:
            found[name] = ir.Pack(tuple(ir.Const(item) for item in value))
        elif isinstance(value, (list, dict, set)):
            # The same object at each call; writes to it are refused.
            capture = Capture(name, value, id(value))
            found[name] = names.captured(low, capture, value, node)
        else:
            found[name] = ir.Const(value)
    return found


def bind(
    low: Lowering,
    definition: ast.FunctionDef,
    defaults: dict[str, Value],
    args: tuple[Value, ...],
    kwargs: Keywords,
    node: ast.AST,
) -> dict[str, Value]:
    """Arguments to parameters, as Python binds them."""
    spec = definition.args
    positional = [arg.arg for arg in (*spec.posonlyargs, *spec.args)]
    only_positional = {arg.arg for arg in spec.posonlyargs}
    bound: dict[str, Value] = {}
    rest = dict(kwargs)
    for name, value in zip(positional, args, strict=False):
        bound[name] = value
    extra = args[len(positional) :]
    if spec.vararg is not None:
        bound[spec.vararg.arg] = pack(tuple(extra))
    elif extra:
        raise low.refuse(
            node,
            f"`{definition.name}` takes {len(positional)} positional arguments "
            f"and {len(args)} are given",
            f"its parameters are {_signature_text(spec)}",
        )
    for name in (*positional, *(arg.arg for arg in spec.kwonlyargs)):
        if name in rest and name not in only_positional:
            if name in bound:
                raise low.refuse(
                    node,
                    f"two values are given for `{name}`",
                    f"its parameters are {_signature_text(spec)}",
                )
            bound[name] = rest.pop(name)
        elif name not in bound:
            if name not in defaults:
                raise low.refuse(
                    node,
                    f"`{definition.name}` needs a value for `{name}`",
                    f"its parameters are {_signature_text(spec)}",
                )
            bound[name] = defaults[name]
    if spec.kwarg is not None:
        bound[spec.kwarg.arg] = low.new_ref(
            ir.Form("dict", tuple(rest)), tuple(rest.values())
        )
    elif rest:
        name = next(iter(rest))
        raise low.refuse(
            node,
            f"`{definition.name}` has no parameter `{name}`",
            f"its parameters are {_signature_text(spec)}",
        )
    return bound


def _signature_text(spec: ast.arguments) -> str:
    return f"({ast.unparse(spec)})"
