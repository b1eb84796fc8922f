"""Refuse the statements that are not in the supported language."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from itertools import chain

from autograd_compiler.errors import UnsupportedError
from autograd_compiler.frontend.resolve import nonlocal_or_global_writes
from autograd_compiler.frontend.source import span_of

TRY_HINT = "move it outside, around the call of the differentiated function"

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
    (ast.TryStar,) if hasattr(ast, "TryStar") else (): (
        "`try` with `except*` is not supported in a differentiated function",
        TRY_HINT,
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
    ...     for i in range(3):
    ...         yield x * i
    ... '''
    >>> refuse_unsupported(ast.parse(source).body[0], "f.py")
    Traceback (most recent call last):
        ...
    autograd_compiler.errors.UnsupportedError: f.py:4:9: a generator cannot be differentiated
    hint: collect the values in a list and return it
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


def mark_jumps(node: ast.FunctionDef) -> None:
    """Note at each `with` that a jump leaves it: the passes rewrite jumps away.

    Whether the block of the `with` is one that may hold jumps, only its object tells.
    """
    for part in chain.from_iterable(map(_parts, node.body)):
        if isinstance(part, ast.With) and any(map(_jumps, part.body)):
            setattr(part.items[0].context_expr, JUMPS, True)


JUMPS = "holds_a_jump"


def _jumps(node: ast.AST) -> bool:
    if isinstance(node, ast.Return | ast.Break | ast.Continue):
        return True
    if isinstance(node, ast.FunctionDef | ast.Lambda | ast.For | ast.While):
        # The jumps of an inner loop stay inside of it, except for `return`.
        inner = () if isinstance(node, ast.FunctionDef | ast.Lambda) else ast.walk(node)
        return any(isinstance(part, ast.Return) for part in inner)
    return any(map(_jumps, ast.iter_child_nodes(node)))


def _parts(node: ast.AST) -> Iterator[ast.AST]:
    """The nodes of a function, without those of functions inside it."""
    yield node
    if not isinstance(node, ast.FunctionDef | ast.Lambda | ast.ClassDef):
        for child in ast.iter_child_nodes(node):
            yield from _parts(child)


def _check(node: ast.AST, filename: str) -> None:
    if isinstance(node, ast.Try):
        for part in ast.walk(node):
            if isinstance(part, ast.Return | ast.Break | ast.Continue):
                raise UnsupportedError(
                    f"`{type(part).__name__.lower()}` inside of `try`",
                    span_of(part, filename),
                    TRY_HINT,
                )
    if isinstance(node, ast.MatchMapping) and node.rest is not None:
        raise UnsupportedError(
            "`**` in a pattern",
            span_of(node, filename),
            "name the keys that are needed",
        )
    for kinds, (message, hint) in REFUSED.items():
        if isinstance(node, kinds):
            raise UnsupportedError(message, span_of(node, filename), hint)
    if isinstance(node, ast.comprehension) and node.is_async:
        message, hint = next(
            texts for kinds, texts in REFUSED.items() if ast.Await in kinds
        )
        raise UnsupportedError(message, span_of(node.iter, filename), hint)
