"""Calls of the user's functions: arguments are bound, and the body is lowered in place."""

from __future__ import annotations

import ast
import functools
import inspect
import types
from typing import TYPE_CHECKING, Any

import numpy as np

from autograd_compiler import ir, rules, runtime
from autograd_compiler.errors import (
    AutogradCompilerError,
    UnsupportedError,
)
from autograd_compiler.frontend import (
    calls,
    names,
    operator_calls,
    rule_calls,
)
from autograd_compiler.frontend import lower as lowering_module
from autograd_compiler.frontend.handlers import Keywords
from autograd_compiler.frontend.normalise import normalise
from autograd_compiler.frontend.resolve import local_names
from autograd_compiler.frontend.source import FunctionSource, read_source
from autograd_compiler.frontend.values import (
    Capture,
    Closure,
    Frame,
    Ref,
    Value,
    pack,
)
from autograd_compiler.rules.registry import is_of_stand_in, rule_of
from autograd_compiler.types import (
    Array,
    Scalar,
)

if TYPE_CHECKING:
    from autograd_compiler.frontend.lower import Lowering


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


def call_closure(
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
    with operator_calls.outside_of_rules(low):
        return lowering_module.lower_body(low, function.node, bound, frame)


def _is_ours(globals: dict[str, Any]) -> bool:
    """Whether functions with these globals are part of a rule."""
    return str(globals.get("__name__")).startswith(rules.__name__)


def call_function(
    low: Lowering,
    fn: types.FunctionType,
    args: tuple[Value, ...],
    kwargs: Keywords,
    node: ast.AST,
) -> Value:
    if is_of_stand_in(fn):
        return operator_calls.lowered_as(low, fn, args, kwargs, node)
    if low.defining and not _is_ours(fn.__globals__):
        with operator_calls.outside_of_rules(low):
            return _call_source(low, fn, args, kwargs, node)
    if low.in_rule or rule_calls.is_of_rule(fn):
        return rule_calls.call_in_rule(low, fn, args, kwargs, node)
    original = rule_calls.original_of(fn)
    if original is not None and hasattr(original, "__static__"):
        return calls.call(low, ir.Const(original), args, kwargs, node)
    if original is not None and rule_of(original) is None:
        fn = original
    elif original in (runtime.add, runtime.stop_gradient) or (
        original is not None
        and (_has_formula(original) or any(_is_open(low, value) for value in args))
    ):
        return calls.call(low, ir.Const(original), args, kwargs, node)
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
    """Whether its derivative is its rule's, and not that of how it is computed."""
    rule = rule_of(helper)
    if rule is None:
        return False
    return rule.kind == "partials" or helper.__module__.startswith(rules.__name__)


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
def source(fn: types.FunctionType) -> tuple[FunctionSource, ast.FunctionDef]:
    source = read_source(fn)
    return source, normalise(source.node, source.filename)


def source_of(
    low: Lowering, fn: types.FunctionType, node: ast.AST
) -> tuple[FunctionSource, ast.FunctionDef]:
    """The source and normal form of a function, with errors placed at the call."""
    try:
        return source(fn)
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
    return inline(low, source(fn), args, kwargs, node, place=low.span(node))


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
