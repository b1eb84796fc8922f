"""Find the source of a function: its syntax tree, where it stands, what it captures.

The tree is looked for in the file that the code object names, at the line it names.
What is found is compiled and compared with the code object, so that neither a file
edited since its import nor the wrong one of two lambdas on a line gives a gradient of
something else.
"""

from __future__ import annotations

import ast
import copy
import functools
import inspect
import io
import linecache
import tokenize
import types
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import gast

from autograd_compiler.errors import ArgumentError, SourceError, UnsupportedError
from autograd_compiler.frontend import definitions
from autograd_compiler.frontend.definitions import Found, FunctionNode
from autograd_compiler.ir import Span


@dataclass(frozen=True, eq=False)
class FunctionSource:
    """A Python function as the compiler sees it.

    Attributes
    ----------
    function
        The plain function at the bottom of methods, partials and callable objects.
    node
        Its definition, located as in the file and without decorators; a lambda is
        made a definition with one return.
    filename, name
        The file of the definition, and the name (of a lambda: what it is assigned to).
    globals
        The global variables it sees.
    closure
        The cells of the variables it captures, to be read at each call.
    defaults, kwdefaults
        The values of the defaults, which are evaluated once, as Python does.
    signature
        What a caller may pass: bound arguments are left out, decorators not followed.
    bound_self
        The object of a bound method or callable object, or None.
    bound_args
        The positional arguments bound by `functools.partial`; they follow `bound_self`.
    bound_kwargs
        The keyword arguments bound by `functools.partial`; a call can override them.
    """

    function: types.FunctionType
    node: ast.FunctionDef
    filename: str
    name: str
    globals: dict[str, Any]
    closure: dict[str, types.CellType]
    defaults: tuple[Any, ...]
    kwdefaults: dict[str, Any]
    signature: inspect.Signature
    bound_self: Any = None
    bound_args: tuple[Any, ...] = ()
    bound_kwargs: dict[str, Any] = field(default_factory=dict)


def read_source(fun: Callable[..., Any]) -> FunctionSource:
    """Find the source of a function, method, partial or callable object.

    Parameters
    ----------
    fun : callable
        A wrapper made by a decorator stands for itself, not for what it wraps.

    Returns
    -------
    FunctionSource

    Raises
    ------
    SourceError
        If there is no source, or it is not what the function was made from.
    UnsupportedError
        For a generator or an asynchronous function.

    Examples
    --------
    >>> square = lambda x: x * x
    >>> source = read_source(square)
    >>> source.name
    'square'
    >>> print(unparse(source.node))
    def square(x):
        return x * x
    """
    function, bound_self, bound_args, bound_kwargs = _unbound(fun)
    code = function.__code__
    found = definitions.definition(function)
    _refuse_generators(code, found.node)
    node = _as_function(found, function.__name__)
    return FunctionSource(
        function=function,
        node=node,
        filename=code.co_filename,
        name=node.name,
        globals=function.__globals__,
        closure=dict(zip(code.co_freevars, function.__closure__ or (), strict=True)),
        defaults=function.__defaults__ or (),
        kwdefaults=dict(function.__kwdefaults__ or {}),
        signature=_signature(function, bound_self, bound_args, bound_kwargs),
        bound_self=bound_self,
        bound_args=bound_args,
        bound_kwargs=bound_kwargs,
    )


def is_written_in(text: str, code: types.CodeType) -> bool:
    """Whether a function was compiled from a definition in a text."""
    return definitions.search(text, code) is not None


def unparse(node: ast.AST) -> str:
    """The tree as Python text, written by gast: the same for all versions of Python."""
    tree = ast.fix_missing_locations(definitions.copied(node))
    return str(gast.unparse(gast.ast_to_gast(tree)))


def span_of(node: ast.AST, filename: str, statement: ast.stmt | None = None) -> Span:
    """The place of a node in the user's file.

    Parameters
    ----------
    node : ast.AST
        A located node.
    filename : str
        The file, or the name under which `linecache` knows its text.
    statement : ast.stmt, optional
        The statement around an expression; its text goes with the span.

    Returns
    -------
    Span
        Columns count characters.  `statement` is one line: the head of a compound
        statement, without comments.
    """
    line = getattr(node, "lineno", 0)
    if not line:
        return Span(filename, 0, 0)
    column = getattr(node, "col_offset", 0)
    end_line = getattr(node, "end_lineno", None) or line
    end_column = getattr(node, "end_col_offset", None) or column
    return Span(
        filename,
        line,
        _character(filename, line, column),
        end_line,
        _character(filename, end_line, end_column),
        _statement_text(statement or node, filename),
    )


# ---------------------------------------------------------------- binding


def _unbound(
    fun: Any,
) -> tuple[types.FunctionType, Any, tuple[Any, ...], dict[str, Any]]:
    """The plain function in a callable: with its self, and all that is bound to it."""
    given = fun
    bound_self: Any = None  # Python itself binds no method to None
    bound_args: tuple[Any, ...] = ()
    bound_kwargs: dict[str, Any] = {}
    while not isinstance(fun, types.FunctionType):
        if isinstance(fun, functools.partial):
            # What is bound further inside comes first; keywords further outside win.
            # The object of a method whose function is a partial comes after both.
            bound_args = (*fun.args, *_front(bound_self), *bound_args)
            bound_self = None
            bound_kwargs = {**fun.keywords, **bound_kwargs}
            fun = fun.func
        elif isinstance(fun, types.MethodType):
            bound_args = (*_front(bound_self), *bound_args)
            bound_self = fun.__self__
            fun = fun.__func__
        elif isinstance(fun, staticmethod):
            fun = fun.__func__
        elif isinstance(fun, (type, classmethod)) or not callable(fun):
            raise UnsupportedError(
                f"{definitions.describe(given)} is not a function",
                hint="pass a function, a bound method or an object with `__call__`",
            )
        elif isinstance(fun, functools._lru_cache_wrapper):
            fun = fun.__wrapped__  # gives the same values
        elif type(fun).__module__.startswith("numba.") and hasattr(fun, "py_func"):
            fun = fun.py_func  # a compiled function keeps what it was made from
        else:
            call = inspect.getattr_static(type(fun), "__call__")
            bind = getattr(call, "__get__", None)
            call = bind(fun, type(fun)) if bind else call
            library = type(fun).__module__.partition(".")[0] in ("numpy", "scipy")
            if isinstance(call, types.MethodWrapperType) or call is fun or library:
                raise SourceError(
                    f"{definitions.describe(given)} has no source: it is not written in Python; "
                    "write a function that calls it, as in "
                    f"`lambda x: {getattr(given, '__name__', 'f')}(x)`"
                )
            fun = call
    return fun, bound_self, bound_args, bound_kwargs


def _front(bound_self: Any) -> tuple[Any, ...]:
    return () if bound_self is None else (bound_self,)


def _signature(
    function: types.FunctionType,
    bound_self: Any,
    bound_args: tuple[Any, ...],
    bound_kwargs: dict[str, Any],
) -> inspect.Signature:
    """What may be passed to the function itself.

    `inspect.signature` believes `__wrapped__` and `__signature__`; the code that is
    compiled does not, so ask it about a copy that has neither.
    """
    bare = types.FunctionType(
        function.__code__,
        function.__globals__,
        function.__name__,
        function.__defaults__,
        function.__closure__,
    )
    bare.__kwdefaults__ = function.__kwdefaults__
    try:
        bare.__annotations__ = function.__annotations__
    except NameError:  # evaluated late, and naming what exists for type checkers only
        bare.__annotations__ = {}
    given = (*_front(bound_self), *bound_args)
    if not given and not bound_kwargs:
        return inspect.signature(bare)
    try:
        return inspect.signature(functools.partial(bare, *given, **bound_kwargs))
    except ValueError as error:
        raise ArgumentError(
            f"{definitions.describe(function)} does not take the arguments bound to it"
        ) from error


def _refuse_generators(code: types.CodeType, node: FunctionNode) -> None:
    asynchronous = inspect.CO_COROUTINE | inspect.CO_ASYNC_GENERATOR
    span = span_of(node, code.co_filename)
    if code.co_flags & (asynchronous | inspect.CO_ITERABLE_COROUTINE):
        raise UnsupportedError(
            "an asynchronous function cannot be differentiated",
            span,
            "await first, and call the differentiated function with the results",
        )
    if code.co_flags & inspect.CO_GENERATOR:
        for part in ast.walk(node):  # the first is enough, nested ones come later
            if isinstance(part, ast.Yield | ast.YieldFrom):
                span = span_of(part, code.co_filename)
                break
        raise UnsupportedError(
            "a generator cannot be differentiated",
            span,
            "collect the values in a list and return it",
        )


# ---------------------------------------------------------------- the definition


def _as_function(found: Found, name: str) -> ast.FunctionDef:
    """The definition as a tree of its own, without decorators."""
    node = definitions.copied(found.node)
    if isinstance(node, ast.Lambda):
        fields: Any = {
            "name": found.target or (name if name.isidentifier() else "function"),
            "args": node.args,
            "body": [ast.copy_location(ast.Return(node.body), node.body)],
            "decorator_list": [],
            "returns": None,
            "type_comment": None,
            "type_params": [],
        }
        known = {key: fields[key] for key in ast.FunctionDef._fields}
        node = ast.copy_location(ast.FunctionDef(**known), node)
    assert isinstance(node, ast.FunctionDef)
    node.decorator_list = []
    _spell_out_private_names(node, found.owner.lstrip("_"))
    return node


def _spell_out_private_names(node: ast.FunctionDef, owner: str) -> None:
    """`self.__x` in a class `C` is `self._C__x`: say so, as the class is left."""
    if not owner:
        return
    for part in ast.walk(node):
        if part is node:
            continue
        for field_name in ("id", "attr", "arg", "name"):
            text = getattr(part, field_name, None)
            if isinstance(text, str) and _is_private(text):
                setattr(part, field_name, f"_{owner}{text}")


def _is_private(name: str) -> bool:
    return name.startswith("__") and not name.endswith("__") and "." not in name


# ---------------------------------------------------------------- spans


def _character(filename: str, line: int, offset: int) -> int:
    """The column in characters; the syntax tree counts bytes of UTF-8."""
    text = linecache.getline(filename, line)
    if text.isascii():
        return offset
    return len(text.encode()[:offset].decode(errors="replace"))


def _statement_text(node: ast.AST, filename: str) -> str:
    """A statement on one line, as the user wrote it where that was one line."""
    if not isinstance(node, ast.stmt):
        return ""
    line = linecache.getline(filename, node.lineno)
    start = _character(filename, node.lineno, node.col_offset)
    head = _head_end(node)
    if head is not None:
        end = line.find(":", _character(filename, head[0], head[1])) + 1
        if head[0] == node.lineno and end and start < end <= len(line):
            return _collapsed(line[start:end])
        return _head(node)
    end = _character(filename, node.lineno, node.end_col_offset or 0)
    if node.end_lineno == node.lineno and start < end <= len(line):
        return _collapsed(line[start:end])
    return _head(node)


def _head_end(node: ast.stmt) -> tuple[int, int] | None:
    """Where the head of a compound statement ends, but for brackets and the colon.

    A branch that a desugaring made stands where the jump stands that it is for, and
    its condition there too: it has no head in the file.
    """
    match node:
        case ast.If(test=last) | ast.While(test=last) | ast.For(iter=last):
            pass
        case ast.With(items=[*_, item]):
            last = item.optional_vars or item.context_expr
        case _:
            return None
    if (last.lineno, last.col_offset) <= (node.lineno, node.col_offset):
        return None
    return last.end_lineno or last.lineno, last.end_col_offset or last.col_offset


def _head(node: ast.stmt) -> str:
    """The first line of a statement in our own formatting, without its decorators."""
    bare = copy.copy(node)
    for name in ("decorator_list", "orelse"):
        if hasattr(bare, name):
            setattr(bare, name, [])
    if hasattr(bare, "body"):
        bare.body = [ast.Pass()]
    return unparse(bare).partition("\n")[0]


def _collapsed(text: str) -> str:
    """The text with runs of blanks made one, except in strings."""
    try:
        tokens = list(tokenize.generate_tokens(io.StringIO(text).readline))
    except (tokenize.TokenError, SyntaxError):
        return " ".join(text.split())
    parts: list[str] = []
    end = 0
    for token in tokens:
        if token.start[0] == 1 and token.string.strip():
            parts.append(" " if parts and token.start[1] > end else "")
            parts.append(token.string)
            end = token.end[1]
    return "".join(parts)
