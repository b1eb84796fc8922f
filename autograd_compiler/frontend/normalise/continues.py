"""`continue` as a branch."""

from __future__ import annotations

import ast

from autograd_compiler.frontend.normalise.sinking import Jump, sink
from autograd_compiler.frontend.normalise.statements import (
    Body,
    filled,
    fresh,
    names_in,
    rebuilt,
    set_flag,
    with_bodies,
)


def without_continue(node: ast.FunctionDef) -> ast.FunctionDef:
    """Put what a `continue` skips into the other branch.

    Examples
    --------
    >>> source = '''
    ... def f(x):
    ...     for i in range(9):
    ...         if i == 3:
    ...             continue
    ...         x = 2 * x
    ...     return x
    ... '''
    >>> print(ast.unparse(without_continue(ast.parse(source).body[0])))
    def f(x):
        for i in range(9):
            if i == 3:
                pass
            else:
                x = 2 * x
        return x
    """
    return rebuilt(node, body=_statements(node.body, names_in(node)))


def _statements(body: Body, taken: set[str]) -> Body:
    return [_statement(stmt, taken) for stmt in body]


def _statement(stmt: ast.stmt, taken: set[str]) -> ast.stmt:
    if isinstance(stmt, ast.For | ast.While):
        # Loops inside this one must not touch its flag.
        flag = fresh("skip", taken)
        jump = Jump(ast.Continue, flag, lambda at, needed: _effect(flag, at, needed))
        body = sink(stmt.body, jump, flagged=False, ready=False)
        stmt = rebuilt(stmt, body=filled(body, stmt.body[0]))
        taken = taken | {flag}
    return with_bodies(stmt, lambda inner: _statements(inner, taken))


def _effect(flag: str, at: ast.stmt, needed: bool) -> Body:
    return [set_flag(flag, True, at)] if needed else []
