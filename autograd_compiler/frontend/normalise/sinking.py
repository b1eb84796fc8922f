"""The one idea behind the rewriting of jumps: sink what follows a jump.

When control falls off the end of a list of statements to the very place where a jump
in the list would go, the jump can be dropped as soon as nothing is left to skip.  So
the statements after `if c: <jump>` sink into its `else`.  Where neither branch always
jumps they cannot sink without being repeated, and a flag says whether to skip them.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import dataclass

from autograd_compiler.frontend.normalise.statements import (
    Body,
    Loop,
    exits,
    filled,
    jumps,
    rebuilt,
    set_flag,
    unless,
)


@dataclass(frozen=True)
class Jump:
    """How one kind of jump is rewritten.

    Attributes
    ----------
    kind
        `ast.Return`, `ast.Break` or `ast.Continue`.
    flag
        The variable that is true once the jump was taken.
    effect
        What stands for the jump: takes the statement, and whether the flag must be
        set for statements that follow.
    loop
        The same for a loop that holds such jumps (a `return` only).
    """

    kind: type[ast.stmt]
    flag: str
    effect: Callable[[ast.stmt, bool], Body]
    loop: Callable[[Loop, bool], Body] | None = None


def sink(body: Body, jump: Jump, flagged: bool, ready: bool) -> Body:
    """The statements without the jump.

    Parameters
    ----------
    body
        Statements whose end is where the jump goes.
    jump
        The jump to remove.
    flagged
        Whether somebody reads the flag afterwards.
    ready
        Whether the flag is known to be false already.
    """
    done: Body = []
    for index, stmt in enumerate(body):
        first = next(jumps([stmt], jump.kind), None)
        if first is None:
            done.append(stmt)
            continue
        if isinstance(stmt, jump.kind):
            return done + jump.effect(stmt, flagged)
        rest = body[index + 1 :]
        if isinstance(stmt, ast.If) and _can_sink(stmt, rest):
            stmt, rest = _with_rest(stmt, rest), []
        tail = sink(rest, jump, flagged, ready=True)
        needed = flagged or bool(tail)
        if needed and not ready:
            done.append(set_flag(jump.flag, False, first))
        done.extend(_inside(stmt, jump, needed, ready or needed))
        if tail:
            done.append(unless(jump.flag, tail, first))
        return done
    return done


def _inside(stmt: ast.stmt, jump: Jump, flagged: bool, ready: bool) -> Body:
    match stmt:
        case ast.If(test=test):
            then = sink(stmt.body, jump, flagged, ready)
            orelse = sink(stmt.orelse, jump, flagged, ready)
            if not then and not orelse and _is_name(test, jump.flag):
                return []
            then = filled(then, stmt.body[0])
            return [rebuilt(stmt, body=then, orelse=orelse)]
        case ast.With(body=inner):
            inner = filled(sink(inner, jump, flagged, ready), inner[0])
            return [rebuilt(stmt, body=inner)]
        case ast.For() | ast.While() if jump.loop:
            return jump.loop(stmt, flagged)
    raise AssertionError(f"no jump is expected in {type(stmt).__name__}")


def _is_name(node: ast.expr, name: str) -> bool:
    return isinstance(node, ast.Name) and node.id == name


def _can_sink(stmt: ast.If, rest: Body) -> bool:
    """Whether what follows a branch can go into it without repeating much."""
    return exits(stmt.body) or exits(stmt.orelse) or _is_short(rest)


def _is_short(rest: Body) -> bool:
    """Whether statements are a return of a name or the like: shorter than a flag."""
    match rest:
        case [ast.Return(value=value)]:
            parts = value.elts if isinstance(value, ast.Tuple) else [value]
            return all(isinstance(p, ast.Name | ast.Constant | None) for p in parts)
    return False


def _with_rest(stmt: ast.If, rest: Body) -> ast.If:
    """The branch, with what follows it put where control gets there."""
    then = stmt.body if exits(stmt.body) else stmt.body + rest
    orelse = stmt.orelse if exits(stmt.orelse) else stmt.orelse + rest
    return rebuilt(stmt, body=then, orelse=orelse)
