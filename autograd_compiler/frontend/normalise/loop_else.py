"""`for … else` and `while … else` as a flag and a branch."""

from __future__ import annotations

import ast

from autograd_compiler.frontend.normalise.statements import (
    Body,
    Loop,
    fresh,
    is_endless,
    jumps,
    names_in,
    rebuilt,
    set_flag,
    unless,
    with_bodies,
)


def without_loop_else(node: ast.FunctionDef) -> ast.FunctionDef:
    """Move the `else` of a loop behind it.

    Examples
    --------
    >>> source = '''
    ... def f(x):
    ...     for i in range(9):
    ...         if x > 1:
    ...             break
    ...         x = 2 * x
    ...     else:
    ...         x = 0
    ...     return x
    ... '''
    >>> print(ast.unparse(without_loop_else(ast.parse(source).body[0])))
    def f(x):
        stop = False
        for i in range(9):
            stop = False
            if x > 1:
                stop = True
                break
            x = 2 * x
        if stop:
            pass
        else:
            x = 0
        return x
    """
    return rebuilt(node, body=_statements(node.body, names_in(node)))


def _statements(body: Body, taken: set[str]) -> Body:
    done: Body = []
    for stmt in body:
        if isinstance(stmt, ast.For | ast.While) and stmt.orelse:
            done.extend(_loop(stmt, taken))
        else:
            done.append(with_bodies(stmt, lambda inner: _statements(inner, taken)))
    return done


def _loop(loop: Loop, taken: set[str]) -> Body:
    orelse = _statements(loop.orelse, taken)
    first = next(jumps(loop.body, ast.Break), None)
    if first is None or is_endless(loop):
        # Without a break the else always follows; `while True` never gets there.
        bare = rebuilt(loop, body=_statements(loop.body, taken), orelse=[])
        return [bare] if is_endless(loop) else [bare, *orelse]
    flag = fresh("stop", taken)
    body = _statements(_marked(loop.body, flag), taken | {flag})
    start = set_flag(flag, False, first)
    bare = rebuilt(loop, body=[start, *body], orelse=[])
    return [start, bare, unless(flag, orelse, first)]


def _marked(body: Body, flag: str) -> Body:
    """The body of a loop with the flag set before each of its breaks."""
    done: Body = []
    for stmt in body:
        match stmt:
            case ast.Break():
                done += [set_flag(flag, True, stmt), stmt]
            case ast.For(orelse=orelse) | ast.While(orelse=orelse):
                done.append(rebuilt(stmt, orelse=_marked(orelse, flag)))
            case _:
                done.append(with_bodies(stmt, lambda inner: _marked(inner, flag)))
    return done
