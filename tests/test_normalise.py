"""Normalised functions do the same, in the same order, without the jumps."""

from __future__ import annotations

import ast
import contextlib
import linecache
import textwrap
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autograd_compiler.errors import UnsupportedError
from autograd_compiler.frontend.normalise import PASSES, normalise

# ---------------------------------------------------------------- what must hold


class OutOfTime(Exception):
    """Ends a program that does not end by itself."""


class World:
    """What the programs of this file may call; keeps a record of all that happens."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.trace: list[Any] = []

    def tick(self, label: object) -> None:
        self.trace.append(label)
        if len(self.trace) > 150:
            raise OutOfTime

    def ask(self, label: object) -> bool:
        """A condition: true or false in a way that only the record so far decides."""
        self.tick(("ask", label))
        return hash((self.seed, len(self.trace), 7)) % 3 == 0

    @contextlib.contextmanager
    def context(self) -> Iterator[None]:
        self.tick("enter")
        try:
            yield
        finally:
            self.tick("exit")


def parsed(text: str) -> ast.FunctionDef:
    node = ast.parse(textwrap.dedent(text)).body[0]
    assert isinstance(node, ast.FunctionDef)
    return node


def outcome(node: ast.FunctionDef, seed: int, arguments: tuple[int, ...]) -> Any:
    """What a function returns or raises, and all that it did until then."""
    world = World(seed)
    names = {name: getattr(world, name) for name in ("tick", "ask", "context")}
    # Compiled from text: the tree must mean what it prints as.
    text = ast.unparse(ast.fix_missing_locations(ast.Module([node], [])))
    exec(compile(text, "<test>", "exec"), names)
    try:
        result: Any = names[node.name](*arguments)
    except (OutOfTime, ValueError, UnboundLocalError) as error:
        result = type(error)
    return result, world.trace


def loops_of(node: ast.AST) -> Iterator[ast.For | ast.While]:
    return (part for part in ast.walk(node) if isinstance(part, ast.For | ast.While))


def assert_canonical(node: ast.FunctionDef) -> None:
    text = ast.unparse(node)
    parts = list(ast.walk(node))
    returns = [part for part in parts if isinstance(part, ast.Return)]
    assert returns == [node.body[-1]], text
    assert returns[0].value is not None
    assert not any(isinstance(part, ast.Continue) for part in parts), text
    allowed = set()
    for loop in loops_of(node):
        assert not loop.orelse, text
        match loop.body[-1]:
            case ast.If(test=ast.Name(id=flag), body=[ast.Break() as leave]):
                allowed.add(leave)
                starts = [ast.unparse(stmt) for stmt in loop.body]
                assert f"{flag} = False" in starts[:3], text
    breaks = {part for part in parts if isinstance(part, ast.Break)}
    assert breaks == allowed, text
    for part in parts:
        for body in (getattr(part, "body", None), getattr(part, "orelse", None)):
            if isinstance(body, list) and part is not node:
                jumps = (ast.Return, ast.Break, ast.Raise)
                assert not any(isinstance(stmt, jumps) for stmt in body[:-1]), text
    for part in parts:
        if isinstance(part, ast.expr | ast.stmt):
            assert part.lineno and part.end_lineno is not None, ast.dump(part)


def check(text: str, arguments: tuple[int, ...] = (), seeds: int = 40) -> None:
    node = parsed(text)
    before = ast.dump(node, include_attributes=True)
    result = normalise(node, "<test>")
    assert ast.dump(node, include_attributes=True) == before, "the input was modified"
    assert_canonical(result)
    again = normalise(result, "<test>")
    assert ast.unparse(again) == ast.unparse(result)
    for seed in range(seeds):
        assert outcome(result, seed, arguments) == outcome(
            node, seed, arguments
        ), ast.unparse(result)


# ---------------------------------------------------------------- programs

PROGRAMS = {
    "straight": """
        def f():
            x = 1
            return x
    """,
    "no return": """
        def f():
            tick(1)
    """,
    "only a docstring": '''
        def f():
            """Nothing."""
    ''',
    "bare return": """
        def f():
            if ask(1):
                return
            tick(2)
    """,
    "bare return and a value": """
        def f():
            if ask(1):
                return
            return 2
    """,
    "always raises": """
        def f():
            tick(1)
            raise ValueError
    """,
    "guard that returns": """
        def f():
            if ask(1):
                return 1
            tick(2)
            return 3
    """,
    "guards in a row": """
        def f():
            if ask(1):
                return 1
            if ask(2):
                return 2
            tick(3)
            if ask(4):
                return 4
            return 5
    """,
    "guard that raises": """
        def f():
            if ask(1):
                raise ValueError("no")
            tick(2)
            return 3
    """,
    "raise or return": """
        def f():
            if ask(1):
                return 1
            elif ask(2):
                raise ValueError
            tick(3)
            return 4
    """,
    "ends in a raise": """
        def f():
            if ask(1):
                return 1
            if ask(2):
                return 2
            raise ValueError
    """,
    "elif chain": """
        def f():
            if ask(1):
                return 1
            elif ask(2):
                x = 2
            elif ask(3):
                return 3
            else:
                x = 4
            tick(x)
            return x + 1
    """,
    "both branches return": """
        def f():
            if ask(1):
                return 1
            else:
                return 2
    """,
    "dead code": """
        def f():
            if ask(1):
                return 1
                tick(2)
            else:
                return 3
            tick(4)
            return 5
    """,
    "return in a nested branch": """
        def f():
            x = 0
            if ask(1):
                if ask(2):
                    return 1
                x = 2
            return x
    """,
    "return in a nested branch, much follows": """
        def f():
            x = 0
            if ask(1):
                if ask(2):
                    return 1
                tick(3)
            tick(4)
            if ask(5):
                if ask(6):
                    return 6
                tick(7)
            tick(8)
            return x
    """,
    "same variable returned": """
        def f():
            x = 0
            if ask(1):
                return x
            x = 2
            if ask(2):
                return x
            x = 3
            return x
    """,
    "return in a with": """
        def f():
            with context():
                return 1
    """,
    "return in part of a with": """
        def f():
            with context():
                if ask(1):
                    return 1
                tick(2)
            tick(3)
            return 4
    """,
    "return in a loop": """
        def f():
            for i in range(5):
                if ask(i):
                    return i
                tick(i)
            return -1
    """,
    "return in a loop, nothing to return after": """
        def f():
            for i in range(5):
                if ask(i):
                    return
                tick(i)
    """,
    "return in a loop, much follows": """
        def f():
            for i in range(5):
                if ask(i):
                    return i
            tick("after")
            for j in range(3):
                if ask(j):
                    return j
            return 7
    """,
    "return in nested loops": """
        def f():
            for i in range(4):
                tick(i)
                for j in range(3):
                    if ask(j):
                        return i * j
                    tick(j)
                tick("after")
            return -1
    """,
    "return in three loops": """
        def f():
            for i in range(3):
                for j in range(3):
                    while ask(1):
                        if ask(2):
                            return i
                        if ask(3):
                            break
                    else:
                        continue
                    tick(4)
                if ask(5):
                    return j
            return -1
    """,
    "return always in the first iteration": """
        def f():
            for i in range(3):
                return i
            return -1
    """,
    "return in a branch with a loop": """
        def f():
            if ask(1):
                for i in range(3):
                    if ask(i):
                        return i
                tick(2)
            tick(3)
            return 4
    """,
    "break": """
        def f():
            for i in range(5):
                if ask(i):
                    break
                tick(i)
            return i
    """,
    "break at the end": """
        def f():
            for i in range(5):
                tick(i)
                if ask(i):
                    break
            return i
    """,
    "two breaks": """
        def f():
            for i in range(5):
                if ask(1):
                    break
                tick(1)
                if ask(2):
                    tick(2)
                    break
                tick(3)
            return i
    """,
    "break in an else": """
        def f():
            for i in range(5):
                if ask(1):
                    tick(1)
                else:
                    break
                tick(2)
            return i
    """,
    "break in both branches": """
        def f():
            for i in range(5):
                if ask(1):
                    break
                else:
                    tick(1)
                    break
                tick(2)
            return i
    """,
    "break in an if in a with": """
        def f():
            for i in range(5):
                with context():
                    if ask(i):
                        if ask(1):
                            break
                        tick(1)
                    tick(2)
                tick(3)
            return i
    """,
    "break in nested branches": """
        def f():
            for i in range(5):
                if ask(1):
                    if ask(2):
                        break
                    elif ask(3):
                        tick(3)
                    tick(4)
                tick(5)
            return i
    """,
    "unconditional break": """
        def f():
            for i in range(5):
                tick(i)
                break
            return 1
    """,
    "break or raise": """
        def f():
            for i in range(5):
                if ask(1):
                    break
                elif ask(2):
                    raise ValueError
                tick(3)
            return i
    """,
    "breaks in nested loops": """
        def f():
            for i in range(4):
                for j in range(4):
                    if ask(1):
                        break
                    tick(1)
                if ask(2):
                    break
                tick(2)
            return i
    """,
    "continue": """
        def f():
            for i in range(5):
                if ask(i):
                    continue
                tick(i)
            return i
    """,
    "continue at the end": """
        def f():
            for i in range(3):
                tick(i)
                continue
            return i
    """,
    "only a continue": """
        def f():
            for i in range(3):
                continue
            return i
    """,
    "continue in nested branches": """
        def f():
            for i in range(5):
                if ask(1):
                    if ask(2):
                        continue
                    tick(2)
                tick(3)
                if ask(4):
                    tick(4)
                else:
                    continue
                tick(5)
            return i
    """,
    "continue in nested loops": """
        def f():
            for i in range(3):
                if ask(0):
                    for j in range(3):
                        if ask(1):
                            if ask(2):
                                continue
                            tick(2)
                        tick(3)
                    if ask(4):
                        continue
                    tick(4)
                tick(5)
            return i
    """,
    "continue and break": """
        def f():
            for i in range(6):
                if ask(1):
                    if ask(2):
                        break
                    continue
                tick(3)
                if ask(4):
                    continue
                elif ask(5):
                    break
                tick(6)
            return i
    """,
    "for else": """
        def f():
            for i in range(3):
                if ask(i):
                    break
                tick(i)
            else:
                tick("else")
            return i
    """,
    "for else over nothing": """
        def f():
            for i in range(0):
                if ask(i):
                    break
            else:
                tick("else")
            return 1
    """,
    "else without break": """
        def f():
            for i in range(3):
                tick(i)
            else:
                tick("else")
            return i
    """,
    "while else": """
        def f():
            while ask(1):
                if ask(2):
                    break
                tick(2)
            else:
                return 3
            return 4
    """,
    "else that breaks the outer loop": """
        def f():
            for i in range(4):
                for j in range(2):
                    if ask(1):
                        break
                else:
                    break
                tick(2)
            else:
                tick(3)
            return i
    """,
    "else that continues the outer loop": """
        def f():
            for i in range(4):
                while ask(0):
                    if ask(1):
                        break
                else:
                    continue
                tick(2)
            return i
    """,
    "else with break and return": """
        def f():
            for i in range(4):
                if ask(1):
                    break
                if ask(2):
                    return i
                tick(2)
            else:
                tick(3)
            tick(4)
            return -1
    """,
    "endless with break": """
        def f():
            while True:
                tick(1)
                if ask(2):
                    break
                tick(3)
            return 4
    """,
    "endless with return": """
        def f():
            while True:
                tick(1)
                if ask(2):
                    return 2
                tick(3)
    """,
    "endless with break and return": """
        def f():
            while 1:
                if ask(1):
                    break
                tick(1)
                if ask(2):
                    return 2
            tick(3)
            return 4
    """,
    "endless with else": """
        def f():
            while True:
                if ask(1):
                    break
            else:
                tick("never")
            return 4
    """,
    "endless in endless": """
        def f():
            while True:
                while True:
                    if ask(1):
                        break
                    if ask(2):
                        return 2
                    if ask(3):
                        continue
                    tick(3)
                if ask(4):
                    break
            return 5
    """,
    "endless in a with that returns": """
        def f():
            with context():
                while True:
                    if ask(1):
                        return 1
    """,
    "endless without end": """
        def f():
            while True:
                tick(1)
    """,
    "a flag of the user": """
        def f():
            found = False
            for i in range(5):
                found = False
                if ask(i):
                    found = True
                    break
                tick(i)
            if found:
                tick("found")
            return i
    """,
    "a flag that lies": """
        def f():
            for i in range(5):
                found = False
                if ask(1):
                    found = True
                    if ask(2):
                        break
                    tick(1)
                found = False
                tick(2)
            return found
    """,
    "a flag that is true and goes on": """
        def f():
            for i in range(5):
                done = False
                if ask(1):
                    done = True
                    break
                if ask(2):
                    done = True
                tick(done)
            return done
    """,
    "a canonical loop": """
        def f():
            for i in range(5):
                stop = False
                if ask(1):
                    stop = True
                else:
                    tick(1)
                if stop:
                    break
            return i
    """,
    "names that are taken": """
        def f():
            result, stop, returned, skip = 1, 2, 3, 4
            for stop_1 in range(5):
                if ask(1):
                    if ask(2):
                        continue
                    tick(2)
                tick(result + stop + returned + skip)
                if ask(3):
                    return result
                if ask(4):
                    break
            return stop
    """,
    "functions inside": """
        def f():
            def g(n):
                for k in range(n):
                    if k == 2:
                        return k
                return n
            if ask(1):
                return g(1)
            h = lambda: g(5)
            return h()
    """,
    "global that is read": """
        def f():
            global tick
            if ask(1):
                global context
            tick(2)
            return 1
    """,
    "deleted variable": """
        def f():
            x = 1
            if ask(1):
                del x
                return 2
            return x
    """,
}


@pytest.mark.parametrize("name", [n for n in PROGRAMS if n != "functions inside"])
def test_program(name: str) -> None:
    check(PROGRAMS[name])


def test_functions_inside_are_left_alone() -> None:
    node = parsed(PROGRAMS["functions inside"])
    result = normalise(node, "<test>")
    inner = [part for part in ast.walk(result) if isinstance(part, ast.FunctionDef)][1]
    assert inner is node.body[0]
    for seed in range(20):
        assert outcome(result, seed, ()) == outcome(node, seed, ())


# ---------------------------------------------------------------- generated programs


@st.composite
def bodies(draw: Any, depth: int, in_loop: bool) -> list[str]:
    """The lines of some statements; each has a label of its own kind."""
    lines: list[str] = []
    for _ in range(draw(st.integers(1, 3))):
        kinds = ["tick", "assign", "return"]
        kinds += ["break", "continue", "flag break"] if in_loop else []
        kinds += ["if", "if else", "for", "while", "endless", "with"] * (depth > 0)
        kinds += ["for else", "while else", "raise"] * (depth > 0)
        kind = draw(st.sampled_from(kinds))
        label = draw(st.integers(0, 9))
        inner = bodies(depth - 1, in_loop)
        looped = bodies(depth - 1, True)
        match kind:
            case "tick":
                lines.append(f"tick(({label}, x))")
            case "assign":
                lines.append(f"x = x * 3 + {label}")
            case "return":
                lines.append(
                    "return" + draw(st.sampled_from([" x", " -x", "", " ask(0)"]))
                )
            case "break" | "continue" | "raise":
                lines.append(kind if kind != "raise" else "raise ValueError")
            case "flag break":
                lines += ["stop = True", "break"]
            case "if" | "if else":
                lines += block(f"if ask({label}):", draw(inner))
                if kind == "if else":
                    lines += block("else:", draw(inner))
            case "for" | "for else":
                flag = draw(st.sampled_from([[], ["stop = False"]]))
                lines += block("for i in range(3):", flag + draw(looped))
            case "while" | "while else":
                lines += block(f"while ask({label}):", draw(looped))
            case "endless":
                lines += block("while True:", ["tick(0)", *draw(looped)])
            case "with":
                lines += block("with context():", draw(inner))
        if kind in ("for else", "while else"):
            lines += block("else:", draw(inner))
    return lines


def block(head: str, body: list[str]) -> list[str]:
    return [head, *(f"    {line}" for line in body)]


@settings(max_examples=300, deadline=None)
@given(bodies(3, False))
def test_generated_programs(body: list[str]) -> None:
    lines = block("def f(x, stop):", [*body, "tick((x, stop))"])
    check("\n".join(lines), (1, 0), seeds=12)


# ---------------------------------------------------------------- how it reads

READS = {
    "guards become one chain": (
        """
        def f(x):
            if x < 0:
                return 0
            if x > 9:
                return 9
            y = x * x
            return y
        """,
        """
        def f(x):
            if x < 0:
                result = 0
            elif x > 9:
                result = 9
            else:
                y = x * x
                result = y
            return result
        """,
    ),
    "a short rest is repeated rather than flagged": (
        """
        def f(x):
            if x < 0:
                if x < -1:
                    return 1
                x = 2
            return x
        """,
        """
        def f(x):
            if x < 0:
                if x < -1:
                    result = 1
                else:
                    x = 2
                    result = x
            else:
                result = x
            return result
        """,
    ),
    "a guard that raises stays a guard": (
        """
        def f(x):
            if x < 0:
                raise ValueError
            return x
        """,
        """
        def f(x):
            if x < 0:
                raise ValueError
            return x
        """,
    ),
    "nested loops share one flag": (
        """
        def f(m):
            for row in m:
                for item in row:
                    if item > 1:
                        return item
                m = row
            return 0
        """,
        """
        def f(m):
            returned = False
            for row in m:
                returned = False
                for item in row:
                    returned = False
                    if item > 1:
                        result = item
                        returned = True
                    if returned:
                        break
                if returned:
                    pass
                else:
                    m = row
                if returned:
                    break
            if returned:
                pass
            else:
                result = 0
            return result
        """,
    ),
    "an endless loop that returns": (
        """
        def f(x):
            while True:
                y = x / 2
                if y < 1:
                    return y
                x = y
        """,
        """
        def f(x):
            stop = False
            while not stop:
                y = x / 2
                if y < 1:
                    stop = True
                else:
                    x = y
            return y
        """,
    ),
    "a flag of the user serves": (
        """
        def f(xs):
            while True:
                done = False
                x = xs.pop()
                if x > 1:
                    done = True
                    break
                xs.append(x + 1)
            return done
        """,
        """
        def f(xs):
            done = False
            while not done:
                x = xs.pop()
                if x > 1:
                    done = True
                else:
                    xs.append(x + 1)
            return done
        """,
    ),
    "nested breaks have flags of their own": (
        """
        def f(x):
            for i in range(3):
                for j in range(3):
                    if x > j:
                        break
                if x > i:
                    break
            return x
        """,
        """
        def f(x):
            for i in range(3):
                stop = False
                for j in range(3):
                    stop_1 = False
                    if x > j:
                        stop_1 = True
                    if stop_1:
                        break
                if x > i:
                    stop = True
                if stop:
                    break
            return x
        """,
    ),
    "a return in a with": (
        """
        def f(x):
            with lock:
                return x * x
        """,
        """
        def f(x):
            with lock:
                result = x * x
            return result
        """,
    ),
}


@pytest.mark.parametrize("name", READS)
def test_reads(name: str) -> None:
    given, expected = READS[name]
    result = normalise(parsed(given), "<test>")
    assert ast.unparse(result) == textwrap.dedent(expected).strip()


def test_invented_statements_stand_where_the_jump_stands() -> None:
    result = normalise(parsed(PROGRAMS["return in a loop"]), "<test>")
    line = 5  # of `return i`; the text begins with an empty line
    flag, loop, after = result.body[0], result.body[1], result.body[2]
    assert isinstance(loop, ast.For)
    assert [flag.lineno, loop.lineno, loop.body[-1].lineno, after.lineno] == [
        line,
        3,
        line,
        line,
    ]


@pytest.mark.parametrize("rewrite", PASSES)
def test_passes_leave_straight_code_as_it_is(
    rewrite: Callable[[ast.FunctionDef], ast.FunctionDef],
) -> None:
    node = parsed("def f(x):\n    with g():\n        y = x\n    return y")
    assert ast.dump(rewrite(node)) == ast.dump(node)


# ---------------------------------------------------------------- refused

REFUSED = {
    "x = yield": "generator",
    "yield from x": "generator",
    "await x": "asynchronous",
    "async with x: pass": "asynchronous",
    "async for y in x: pass": "asynchronous",
    "y = [k async for k in x]": "asynchronous",
    "async def g(): pass": "asynchronous",
    "try: return x\nfinally: pass": "`return` inside of `try`",
    "for y in x:\n    try: break\n    except ValueError: pass": "`break` inside of `try`",
    "class C: pass": "class",
    "match x:\n    case {1: y, **rest}: pass": "pattern",
    "global g; g = x": "`g`",
    "global g\ng += x": "`g`",
    "nonlocal n\nfor n in x: pass": "`n`",
}


@pytest.mark.parametrize("statement", REFUSED)
def test_refused(statement: str) -> None:
    body = textwrap.indent(statement, "        ")
    keyword = "async " if "async" in statement or "await" in statement else ""
    # A name of the function around it, for `nonlocal`.
    text = (
        f"def outer(n):\n    {keyword}def f(x):\n        x = 1\n{body}\n    return f\n"
    )
    outer = ast.parse(text).body[0]
    assert isinstance(outer, ast.FunctionDef)
    node = outer.body[0]
    if isinstance(node, ast.AsyncFunctionDef):
        fields = {name: getattr(node, name) for name in node._fields}
        node = ast.copy_location(ast.FunctionDef(**fields), node)
    assert isinstance(node, ast.FunctionDef)
    name = f"<refused {statement}>"
    linecache.cache[name] = (len(text), None, text.splitlines(True), name)
    with pytest.raises(UnsupportedError, match=REFUSED[statement]) as caught:
        normalise(node, name)
    assert caught.value.span is not None and caught.value.span.line >= 4
    assert caught.value.hint
    assert "^" in str(caught.value)


def test_try_star_is_refused() -> None:
    if not hasattr(ast, "TryStar"):
        pytest.skip("Python 3.11 and later")
    node = parsed(
        "def f(x):\n    try:\n        pass\n    except* ValueError:\n        pass"
    )
    with pytest.raises(UnsupportedError, match="`try`"):
        normalise(node, "<test>")


def test_functions_inside_may_hold_what_is_refused() -> None:
    node = parsed("""
        def f(x):
            def g():
                try:
                    yield x
                finally:
                    pass
            return x
    """)
    assert ast.dump(normalise(node, "<test>")) == ast.dump(node)
