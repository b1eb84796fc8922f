"""The source of runtime helpers, emitted along with the code that calls them."""

from __future__ import annotations

import ast
import inspect
import types
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from autograd_compiler.names import RUNTIME, Namespace
from autograd_compiler.printer import Expressions


def helper_sources(helpers: Mapping[str, Any], namespace: Namespace) -> list[str]:
    """The source of helpers and of what they use, in the order of their definition.

    Modules that they use are added to the imports of the namespace.
    """
    constants: dict[str, Any] = {}
    found: dict[str, Any] = {}
    waiting = list(helpers.items())
    while waiting:
        name, helper = waiting.pop()
        if name in found:
            continue
        found[name] = helper
        for inner, value in _globals_used(helper):
            if getattr(value, "__module__", None) == RUNTIME:
                waiting.append((inner, value))
            elif isinstance(value, types.ModuleType):
                namespace.module(value.__name__)
            else:
                constants[inner] = value
    write = Expressions(lambda var: var.name, namespace, {})
    texts = [
        f"{name} = {write.constant(value).text}"
        for name, value in sorted(constants.items())
    ]
    ordered = sorted(found.values(), key=_line)
    return texts + [_plain_source(helper) for helper in ordered]


def _plain_source(helper: Any) -> str:
    """The source without annotations, which would need imports of their own."""
    text = inspect.getsource(helper)
    if isinstance(helper, type):
        return text
    (definition,) = ast.parse(text).body
    assert isinstance(definition, ast.FunctionDef)
    definition.returns = None
    arguments = definition.args
    for argument in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs):
        argument.annotation = None
    head = ast.unparse(ast.fix_missing_locations(definition)).split("\n")[0]
    first = definition.body[0].lineno - 1
    return "\n".join([head, *text.splitlines()[first:]]) + "\n"


def _line(helper: Any) -> int:
    return inspect.getsourcelines(helper)[1]


def _globals_used(helper: Any) -> Iterator[tuple[str, Any]]:
    """The global names that a function or the methods of a class read."""
    if isinstance(helper, type):
        for member in vars(helper).values():
            function = getattr(member, "fget", None) or getattr(
                member, "__func__", member
            )
            if isinstance(function, types.FunctionType):
                yield from _globals_used(function)
        return
    function = inspect.unwrap(helper)
    for name in _names_read(function.__code__):
        if name in function.__globals__:
            yield name, function.__globals__[name]


def _names_read(code: types.CodeType) -> Iterable[str]:
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from _names_read(constant)
