"""One return, at the end."""

from __future__ import annotations

import ast
from collections.abc import Callable

from autograd_compiler.frontend.normalise.sinking import Jump, sink
from autograd_compiler.frontend.normalise.statements import (
    Body,
    Loop,
    assign,
    exits,
    fresh,
    jumps,
    names_in,
    place,
    rebuilt,
    set_flag,
    with_bodies,
)


def single_return(node: ast.FunctionDef) -> ast.FunctionDef:
    """Give the function one `return`, as its last statement.

    A return in a loop becomes a `break`; what follows the loop asks a flag where it
    must not run after that.  A function without a return gets `return None`; if it
    always raises, that return stands behind the `raise`.

    Examples
    --------
    >>> def show(source):
    ...     print(ast.unparse(single_return(ast.parse(source).body[0])))
    >>> show('''
    ... def f(x):
    ...     if x < 0:
    ...         return 0
    ...     y = x * x
    ...     return y + 1
    ... ''')
    def f(x):
        if x < 0:
            result = 0
        else:
            y = x * x
            result = y + 1
        return result

    Where every return gives the same variable, no other is needed:

    >>> show('''
    ... def f(x):
    ...     for i in range(9):
    ...         x = x * x
    ...         if x > 9:
    ...             return x
    ...     return x
    ... ''')
    def f(x):
        for i in range(9):
            x = x * x
            if x > 9:
                break
        return x
    """
    body = node.body
    if not exits(body):
        body = [*body, place(ast.Return(ast.Constant(None)), body[-1])]
    returns = [stmt for stmt in jumps(body, ast.Return) if isinstance(stmt, ast.Return)]
    if not returns:
        body = [*body, place(ast.Return(ast.Constant(None)), body[-1])]
        return rebuilt(node, body=body)
    last = returns[-1]
    if len(returns) == 1 and body[-1] is last:
        value = last.value or place(ast.Constant(None), last)
        return rebuilt(node, body=[*body[:-1], rebuilt(last, value=value)])

    taken = names_in(node)
    common = _common_value([stmt.value for stmt in returns])
    result = common or ast.Name(fresh("result", taken), ast.Load())
    flag = fresh("returned", taken)

    def effect(stmt: ast.stmt, flagged: bool) -> Body:
        assert isinstance(stmt, ast.Return)
        done: Body = []
        if common is None:
            assert isinstance(result, ast.Name)
            value = stmt.value or place(ast.Constant(None), stmt)
            done.append(assign(result.id, value, stmt))
        if flagged:
            done.append(set_flag(flag, True, stmt))
        return done

    jump = Jump(ast.Return, flag, effect, lambda loop, f: [_leave(loop, f, jump)])
    body = sink(body, jump, flagged=False, ready=False)
    return rebuilt(node, body=[*body, place(ast.Return(result), last)])


def _common_value(values: list[ast.expr | None]) -> ast.expr | None:
    """The variable (or None) that all returns give, newly made; else Python's None."""
    match values[0]:
        case None | ast.Constant(value=None):
            if all(_is_none(value) for value in values):
                return ast.Constant(None)
        case ast.Name(id=name):
            if all(isinstance(v, ast.Name) and v.id == name for v in values):
                return ast.Name(name, ast.Load())
    return None


def _is_none(value: ast.expr | None) -> bool:
    return value is None or isinstance(value, ast.Constant) and value.value is None


def _leave(loop: Loop, flagged: bool, jump: Jump) -> Loop:
    """The loop, left by `break` where it was left by a return.

    The flag is reset at the start of the body, as `canonical_breaks` does it for its
    own flags; this one then serves as both.
    """
    # Around an inner loop that may return, the flag decides about going on.
    flagged = flagged or any(
        next(jumps(part.body, ast.Return), None) is not None
        for outer in loop.body
        for part in ast.walk(outer)
        if isinstance(part, ast.For | ast.While)
    )
    body = _with_breaks(loop.body, jump, flagged)
    if flagged:
        first = next(jumps(loop.body, ast.Return))
        body = [set_flag(jump.flag, False, first), *body]
    return rebuilt(loop, body=body)


def _with_breaks(body: Body, jump: Jump, flagged: bool) -> Body:
    change: Callable[[Body], Body] = lambda inner: _with_breaks(inner, jump, flagged)
    done: Body = []
    for stmt in body:
        first = next(jumps([stmt], ast.Return), None)
        match stmt:
            case ast.Return():
                done += [*jump.effect(stmt, flagged), place(ast.Break(), stmt)]
            case ast.For() | ast.While() if first is not None:
                test = ast.Name(jump.flag, ast.Load())
                leave = ast.If(test, [ast.Break()], [])
                done += [_leave(stmt, True, jump), place(leave, first)]
            case ast.If() | ast.With():
                done.append(with_bodies(stmt, change))
            case _:
                done.append(stmt)
    return done
