"""What the passes share: questions about statements, and statements to build."""

from __future__ import annotations

import ast
import copy
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeAlias, TypeVar

Node = TypeVar("Node", bound=ast.AST)
Body: TypeAlias = list[ast.stmt]
Loop: TypeAlias = ast.For | ast.While


# ---------------------------------------------------------------- questions


def is_endless(loop: ast.stmt) -> bool:
    """Whether the condition of a loop never ends it: `while True`."""
    return (
        isinstance(loop, ast.While)
        and isinstance(loop.test, ast.Constant)
        and bool(loop.test.value)
    )


def jumps(body: Sequence[ast.stmt], kind: type[ast.stmt]) -> Iterator[ast.stmt]:
    """The jumps of one kind that leave these statements, in order.

    A `break` or `continue` inside a loop stays in that loop and is left out.
    """
    for stmt in body:
        match stmt:
            case ast.If(body=then, orelse=orelse):
                yield from jumps(then, kind)
                yield from jumps(orelse, kind)
            case ast.With(body=inner):
                yield from jumps(inner, kind)
            case ast.For(body=inner, orelse=orelse) | ast.While(
                body=inner, orelse=orelse
            ):
                if kind is ast.Return:
                    yield from jumps(inner, kind)
                yield from jumps(orelse, kind)
            case _ if isinstance(stmt, kind):
                yield stmt


def exits(body: Sequence[ast.stmt], raising: bool = True) -> bool:
    """Whether the end of the statements is never reached.

    `raising` says whether an exception counts; in a `with` it may be swallowed.
    """
    return any(_exits(stmt, raising) for stmt in body)


def _exits(stmt: ast.stmt, raising: bool) -> bool:
    match stmt:
        case ast.Return() | ast.Break() | ast.Continue():
            return True
        case ast.Raise():
            return raising
        case ast.If(body=then, orelse=orelse):
            return exits(then, raising) and exits(orelse, raising)
        case ast.With(body=inner):
            return exits(inner, raising=False)
        case ast.For() | ast.While() if any(jumps(stmt.body, ast.Break)):
            return False
        case ast.While() if is_endless(stmt):
            # A raise inside a nested loop counts as well, so look everywhere.
            may_raise = any(isinstance(part, ast.Raise) for part in ast.walk(stmt))
            return raising or not may_raise
        case ast.For(orelse=orelse) | ast.While(orelse=orelse):
            return exits(orelse, raising)
    return False


def names_in(node: ast.AST) -> set[str]:
    """Every identifier in a tree that an invented name must not repeat."""
    found: set[str] = set()
    for part in ast.walk(node):
        match part:
            case ast.Name(id=name) | ast.arg(arg=name):
                found.add(name)
            case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
                found.add(name)
            case ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)):
                found.add(name)
            case ast.alias(name=name, asname=asname):
                found.add(asname or name.partition(".")[0])
    return found


def fresh(base: str, taken: set[str]) -> str:
    """`base`, or `base_1`, `base_2`, … where that is taken."""
    name, count = base, 0
    while name in taken:
        count += 1
        name = f"{base}_{count}"
    return name


# ---------------------------------------------------------------- building


def rebuilt(node: Node, **changes: Any) -> Node:
    """A copy of a node with some fields changed."""
    new = copy.copy(node)
    for name, value in changes.items():
        setattr(new, name, value)
    return new


def place(node: Node, at: ast.AST) -> Node:
    """A newly built node, located where `at` stands, with all its parts."""
    for part in ast.walk(node):
        if "lineno" in part._attributes and not hasattr(part, "lineno"):
            ast.copy_location(part, at)
    return node


def filled(body: Body, at: ast.AST) -> Body:
    """The statements, or `pass` where there are none."""
    return body or [place(ast.Pass(), at)]


def assign(name: str, value: ast.expr, at: ast.AST) -> ast.stmt:
    target = ast.Name(name, ast.Store())
    return place(ast.Assign([target], value, type_comment=None), at)


def set_flag(name: str, value: bool, at: ast.AST) -> ast.stmt:
    return assign(name, ast.Constant(value), at)


def is_flag(stmt: ast.stmt, name: str | None, value: bool) -> bool:
    """Whether a statement is `name = value`; any name if it is None."""
    match stmt:
        case ast.Assign(targets=[ast.Name(id=found)], value=ast.Constant(value=given)):
            return given is value and name in (None, found)
    return False


def unless(flag: str, body: Body, at: ast.AST) -> ast.stmt:
    """`if flag: pass` and the statements in its `else`."""
    return place(ast.If(ast.Name(flag, ast.Load()), [ast.Pass()], body), at)


def with_bodies(stmt: ast.stmt, change: Callable[[Body], Body]) -> ast.stmt:
    """A statement with the lists of statements that it holds changed."""
    match stmt:
        case ast.If() | ast.For() | ast.While():
            orelse = change(stmt.orelse) if stmt.orelse else []
            return rebuilt(stmt, body=filled(change(stmt.body), stmt), orelse=orelse)
        case ast.With():
            return rebuilt(stmt, body=filled(change(stmt.body), stmt))
    return stmt
