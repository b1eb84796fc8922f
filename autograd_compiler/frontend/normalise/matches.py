"""`match` as the `if` and `elif` that it stands for."""

from __future__ import annotations

import ast
from collections.abc import Callable

from autograd_compiler.frontend.normalise.statements import (
    Body,
    assign,
    filled,
    fresh,
    names_in,
    place,
    rebuilt,
    with_bodies,
)

# Classes whose pattern takes the value itself: `case float(x)`.
_WHOLE = {"bool", "bytes", "dict", "float", "int", "list", "str", "tuple"}


def without_match(node: ast.FunctionDef) -> ast.FunctionDef:
    """Ask the patterns of each `match` one after the other.

    Examples
    --------
    >>> def show(source):
    ...     print(ast.unparse(without_match(ast.parse(source).body[0])))
    >>> show('''
    ... def f(x, kind):
    ...     match kind:
    ...         case "square":
    ...             return x * x
    ...         case "power", n if n > 2:
    ...             return x**n
    ...         case _:
    ...             return x
    ... ''')
    def f(x, kind):
        if kind == 'square':
            return x * x
        elif isinstance(kind, (tuple, list)) and len(kind) == 2 and (kind[0] == 'power') and [(n := kind[1])] and (n > 2):
            return x ** n
        else:
            return x
    """
    taken = names_in(node)
    return rebuilt(node, body=_statements(node.body, taken))


def _statements(body: Body, taken: set[str]) -> Body:
    change: Callable[[Body], Body] = lambda inner: _statements(inner, taken)
    done: Body = []
    for stmt in body:
        if isinstance(stmt, ast.Match):
            done += _chain(stmt, taken)
        else:
            done.append(with_bodies(stmt, change))
    return done


def _chain(node: ast.Match, taken: set[str]) -> Body:
    before: Body = []
    subject = node.subject
    if not isinstance(subject, ast.Name):
        name = fresh("subject", taken)
        taken.add(name)
        before = [assign(name, subject, subject)]
        subject = place(ast.Name(name, ast.Load()), subject)
    chain: Body = []
    for case in reversed(node.cases):
        tests = [place(test, case.pattern) for test in _tests(case.pattern, subject)]
        tests += [case.guard] if case.guard is not None else []
        body = filled(_statements(case.body, taken), node)
        if not tests:
            chain = body
            continue
        whole = tests[0] if len(tests) == 1 else ast.BoolOp(ast.And(), tests)
        chain = [place(ast.If(place(whole, case.pattern), body, chain), case.pattern)]
    return [*before, *chain]


def _tests(pattern: ast.pattern, subject: ast.expr) -> list[ast.expr]:
    """What must hold for a pattern, in order; names are bound on the way."""
    match pattern:
        case ast.MatchValue(value):
            return [ast.Compare(subject, [ast.Eq()], [value])]
        case ast.MatchSingleton(value):
            return [ast.Compare(subject, [ast.Is()], [ast.Constant(value)])]
        case ast.MatchAs(pattern=inner, name=name):
            tests = _tests(inner, subject) if inner is not None else []
            return [*tests, *([_bound(name, subject)] if name is not None else [])]
        case ast.MatchOr(patterns):
            sides = [_all(_tests(part, subject)) for part in patterns]
            return [ast.BoolOp(ast.Or(), sides)]
        case ast.MatchSequence(patterns):
            return _sequence(patterns, subject)
        case ast.MatchMapping(keys, patterns):
            tests = [_is_a(subject, [ast.Name("dict", ast.Load())])]
            for key, part in zip(keys, patterns, strict=True):
                tests.append(ast.Compare(key, [ast.In()], [subject]))
                tests += _tests(part, ast.Subscript(subject, key, ast.Load()))
            return tests
        case ast.MatchClass(cls, patterns, names, parts):
            return _class(cls, patterns, names, parts, subject)
    raise AssertionError(type(pattern).__name__)


def _all(tests: list[ast.expr]) -> ast.expr:
    if len(tests) < 2:
        return tests[0] if tests else ast.Constant(True)
    return ast.BoolOp(ast.And(), tests)


def _bound(name: str, value: ast.expr) -> ast.expr:
    """An expression that gives a name a value, and is true."""
    return ast.List([ast.NamedExpr(ast.Name(name, ast.Store()), value)], ast.Load())


def _is_a(subject: ast.expr, classes: list[ast.expr]) -> ast.expr:
    kind = classes[0] if len(classes) == 1 else ast.Tuple(classes, ast.Load())
    return ast.Call(ast.Name("isinstance", ast.Load()), [subject, kind], [])


def _sequence(patterns: list[ast.pattern], subject: ast.expr) -> list[ast.expr]:
    stars = [k for k, part in enumerate(patterns) if isinstance(part, ast.MatchStar)]
    least = len(patterns) - len(stars)
    count = ast.Call(ast.Name("len", ast.Load()), [subject], [])
    enough = ast.GtE() if stars else ast.Eq()
    tests = [
        _is_a(subject, [ast.Name(name, ast.Load()) for name in ("tuple", "list")]),
        ast.Compare(count, [enough], [ast.Constant(least)]),
    ]
    for k, part in enumerate(patterns):
        behind = len(patterns) - k - 1
        if isinstance(part, ast.MatchStar):
            if part.name is not None:
                stop = ast.Constant(-behind) if behind else None
                cut = ast.Subscript(
                    subject, ast.Slice(ast.Constant(k), stop), ast.Load()
                )
                rest = ast.Call(ast.Name("list", ast.Load()), [cut], [])
                tests.append(_bound(part.name, rest))
            continue
        place_of = k if not stars or k < stars[0] else -behind - 1
        item = ast.Subscript(subject, ast.Constant(place_of), ast.Load())
        tests += _tests(part, item)
    return tests


def _class(
    cls: ast.expr,
    patterns: list[ast.pattern],
    names: list[str],
    parts: list[ast.pattern],
    subject: ast.expr,
) -> list[ast.expr]:
    tests = [_is_a(subject, [cls])]
    for k, part in enumerate(patterns):
        inner = subject
        if not (isinstance(cls, ast.Name) and cls.id in _WHOLE):
            fields = ast.Attribute(cls, "__match_args__", ast.Load())
            field = ast.Subscript(fields, ast.Constant(k), ast.Load())
            inner = ast.Call(ast.Name("getattr", ast.Load()), [subject, field], [])
        tests += _tests(part, inner)
    for name, part in zip(names, parts, strict=True):
        tests += _tests(part, ast.Attribute(subject, name, ast.Load()))
    return tests
