"""`break` in one place: the end of the loop body."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from itertools import takewhile

from autograd_compiler.frontend.normalise.sinking import Jump, sink
from autograd_compiler.frontend.normalise.statements import (
    Body,
    Loop,
    filled,
    fresh,
    is_endless,
    is_flag,
    jumps,
    names_in,
    place,
    rebuilt,
    set_flag,
    with_bodies,
)


def canonical_breaks(node: ast.FunctionDef) -> ast.FunctionDef:
    """Leave a loop only at the end of its body, or by its condition.

    Examples
    --------
    >>> def show(source):
    ...     print(ast.unparse(canonical_breaks(ast.parse(source).body[0])))
    >>> show('''
    ... def f(x):
    ...     for i in range(9):
    ...         if x > 1:
    ...             break
    ...         x = 2 * x
    ...     return x
    ... ''')
    def f(x):
        for i in range(9):
            stop = False
            if x > 1:
                stop = True
            else:
                x = 2 * x
            if stop:
                break
        return x

    An endless loop gets a condition instead:

    >>> show('''
    ... def f(x):
    ...     while True:
    ...         x = 2 * x
    ...         if x > 1:
    ...             break
    ...     return x
    ... ''')
    def f(x):
        stop = False
        while not stop:
            x = 2 * x
            if x > 1:
                stop = True
        return x
    """
    return rebuilt(node, body=_statements(node.body, names_in(node)))


def _statements(body: Body, taken: set[str]) -> Body:
    done: Body = []
    for stmt in body:
        if isinstance(stmt, ast.For | ast.While) and any(jumps(stmt.body, ast.Break)):
            loop = _loop(stmt, taken)
            if done and is_flag(done[-1], None, False) and _same(done[-1], loop[0]):
                del loop[0]
            done.extend(loop)
        else:
            done.append(with_bodies(stmt, lambda inner: _statements(inner, taken)))
    return done


def _loop(loop: Loop, taken: set[str]) -> Body:
    """The loop, with `flag = False` before it if its condition reads the flag."""
    first = next(jumps(loop.body, ast.Break))
    own = _own_flag(loop.body)
    flag = own or fresh("stop", taken)
    # A flag of its own is true at each break already.
    jump = Jump(
        ast.Break, flag, lambda at, _: [] if own else [set_flag(flag, True, at)]
    )
    body = sink(loop.body, jump, flagged=True, ready=True)
    # Loops inside this one must not touch its flag.
    body = _statements(body, taken | {flag})
    start = set_flag(flag, False, first)
    if is_endless(loop):
        assert isinstance(loop, ast.While)
        body = [s for n, s in enumerate(body) if not _is_start(body, n, flag)]
        test = ast.UnaryOp(ast.Not(), ast.Name(flag, ast.Load()))
        test = place(test, loop.test)
        return [start, rebuilt(loop, test=test, body=filled(body, first))]
    leave = ast.If(ast.Name(flag, ast.Load()), [ast.Break()], [])
    body = [*([] if own else [start]), *body, place(leave, first)]
    return [rebuilt(loop, body=body)]


def _same(first: ast.AST, second: ast.AST) -> bool:
    return ast.dump(first) == ast.dump(second)


def _start_of(body: Sequence[ast.stmt]) -> list[ast.stmt]:
    """The assignments of False that a body begins with."""
    return list(takewhile(lambda stmt: is_flag(stmt, None, False), body))


def _is_start(body: Body, index: int, flag: str) -> bool:
    return index < len(_start_of(body)) and is_flag(body[index], flag, False)


def _own_flag(body: Body) -> str | None:
    """A variable that says already what our flag would say, if there is one.

    The other passes, and many users, write `found = True` before `break`.
    """
    for stmt in _start_of(body):
        assert isinstance(stmt, ast.Assign) and isinstance(stmt.targets[0], ast.Name)
        flag = stmt.targets[0].id
        if _only_flag(body, flag) and _tells(body, flag):
            return flag
    return None


def _only_flag(body: Body, name: str) -> bool:
    """Whether True and False are all that a variable is ever assigned."""
    parts = [part for stmt in body for part in ast.walk(stmt)]
    writes = [
        part
        for part in parts
        if isinstance(part, ast.Name)
        and part.id == name
        and not isinstance(part.ctx, ast.Load)
    ]
    flags = [
        part
        for part in parts
        if isinstance(part, ast.stmt)
        and (is_flag(part, name, True) or is_flag(part, name, False))
    ]
    return len(writes) == len(flags)


class _Unclear(Exception):
    """A flag that is not true exactly where a loop is left."""


_LEFT = object()  # the value of a flag where control does not get to


def _tells(body: Body, flag: str) -> bool:
    """Whether a flag is true at each break, and false where the loop goes on."""
    try:
        return _after(body, flag, None) in (False, _LEFT)
    except _Unclear:
        return False


def _after(body: Body, flag: str, value: object) -> object:
    """What a flag is after statements: True, False, unknown (None) or `_LEFT`."""
    for stmt in body:
        value = _after_statement(stmt, flag, value)
    return value


def _after_statement(stmt: ast.stmt, flag: str, value: object) -> object:
    match stmt:
        case ast.Assign() if is_flag(stmt, flag, True):
            return True
        case ast.Assign() if is_flag(stmt, flag, False):
            return False
        case ast.Break():
            if value is not True:
                raise _Unclear
            return _LEFT
        case ast.If(test=test, body=then, orelse=orelse):
            asked = isinstance(test, ast.Name) and test.id == flag
            first = _after(then, flag, True if asked else value)
            second = _after(orelse, flag, False if asked else value)
            value = _joined(first, second)
        case ast.With(body=inner):
            value = _after(inner, flag, value)
        case ast.For() | ast.While():
            if any(
                isinstance(part, ast.Name) and part.id == flag
                for part in ast.walk(stmt)
            ):
                return None
    # Where a statement may break and did not, the flag decides about the rest.
    if any(jumps([stmt], ast.Break)) and value not in (False, _LEFT):
        raise _Unclear
    return value


def _joined(first: object, second: object) -> object:
    if first is _LEFT:
        return second
    return first if second is _LEFT or first is second else None
