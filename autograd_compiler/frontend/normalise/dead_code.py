"""Drop what is never reached."""

from __future__ import annotations

import ast

from autograd_compiler.frontend.normalise.statements import (
    Body,
    exits,
    filled,
    rebuilt,
    with_bodies,
)


def without_dead_code(node: ast.FunctionDef) -> ast.FunctionDef:
    """Drop statements after a jump, and declarations of names that are only read.

    Examples
    --------
    >>> source = '''
    ... def f(x):
    ...     global scale
    ...     if x > 0:
    ...         return scale * x
    ...         x = 0
    ...     else:
    ...         raise ValueError
    ...     return x
    ... '''
    >>> print(ast.unparse(without_dead_code(ast.parse(source).body[0])))
    def f(x):
        if x > 0:
            return scale * x
        else:
            raise ValueError
    """
    return rebuilt(node, body=filled(_reached(node.body), node))


def _reached(body: Body) -> Body:
    done: Body = []
    for stmt in body:
        # Writes to such names were refused; reads need no declaration.
        if not isinstance(stmt, ast.Global | ast.Nonlocal):
            done.append(with_bodies(stmt, _reached))
        # A break that is never reached does not make an endless loop end.
        if done and exits(done[-1:]):
            break
    return done
