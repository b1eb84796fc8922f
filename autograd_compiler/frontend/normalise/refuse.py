"""Refuse the statements that are not in the supported language."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from itertools import chain

from autograd_compiler.errors import UnsupportedError
from autograd_compiler.frontend.resolve import nonlocal_or_global_writes
from autograd_compiler.frontend.source import span_of

# What is wrong, and what to write instead.
REFUSED: dict[tuple[type[ast.AST], ...], tuple[str, str]] = {
    (ast.Yield, ast.YieldFrom): (
        "a generator cannot be differentiated",
        "collect the values in a list and return it",
    ),
    (ast.Await, ast.AsyncFor, ast.AsyncWith, ast.AsyncFunctionDef): (
        "asynchronous code cannot be differentiated",
        "await first, and call the differentiated function with the results",
    ),
    (ast.Try, *([ast.TryStar] if hasattr(ast, "TryStar") else [])): (
        "`try` is not supported in a differentiated function",
        "move it outside, around the call of the differentiated function",
    ),
    (ast.Match,): (
        "`match` is not supported in a differentiated function",
        "write the cases as `if` and `elif`",
    ),
    (ast.ClassDef,): (
        "a class cannot be defined in a differentiated function",
        "define the class outside the function",
    ),
}


def refuse_unsupported(node: ast.FunctionDef, filename: str) -> None:
    """Raise a located error for the first unsupported construct of a function.

    Functions and lambdas inside it are not looked at: they are checked when they are
    compiled themselves.

    Examples
    --------
    >>> source = '''
    ... def f(x):
    ...     try:
    ...         return 1 / x
    ...     finally:
    ...         print(x)
    ... '''
    >>> refuse_unsupported(ast.parse(source).body[0], "f.py")
    Traceback (most recent call last):
        ...
    autograd_compiler.errors.UnsupportedError: f.py:3:5: `try` is not supported in a differentiated function
    hint: move it outside, around the call of the differentiated function
    """
    if isinstance(node, ast.AsyncFunctionDef):
        _check(node, filename)
    for part in chain.from_iterable(map(_parts, node.body)):
        _check(part, filename)
    for write in nonlocal_or_global_writes(node):
        declared = next(
            part
            for part in chain.from_iterable(map(_parts, node.body))
            if isinstance(part, ast.Global | ast.Nonlocal) and write.id in part.names
        )
        word = type(declared).__name__.lower()
        raise UnsupportedError(
            f"`{write.id}` is declared {word}, and is assigned in the function",
            span_of(declared, filename),
            "return the new value and assign it where the function is called",
        )


def _parts(node: ast.AST) -> Iterator[ast.AST]:
    """The nodes of a function, without those of functions inside it."""
    yield node
    if not isinstance(node, ast.FunctionDef | ast.Lambda | ast.ClassDef):
        for child in ast.iter_child_nodes(node):
            yield from _parts(child)


def _check(node: ast.AST, filename: str) -> None:
    for kinds, (message, hint) in REFUSED.items():
        if isinstance(node, kinds):
            raise UnsupportedError(message, span_of(node, filename), hint)
    if isinstance(node, ast.comprehension) and node.is_async:
        message, hint = next(
            texts for kinds, texts in REFUSED.items() if ast.Await in kinds
        )
        raise UnsupportedError(message, span_of(node.iter, filename), hint)
    if isinstance(node, ast.Delete) and not all(map(_is_name, node.targets)):
        raise UnsupportedError(
            "`del` of a part of an object is not supported",
            span_of(node, filename),
            "make a new object without that part, or delete a whole variable",
        )


def _is_name(target: ast.expr) -> bool:
    if isinstance(target, ast.Tuple | ast.List):
        return all(map(_is_name, target.elts))
    return isinstance(target, ast.Name)
