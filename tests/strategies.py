"""Hypothesis strategies that write programs.

A program is source text: straight lines, branches, loops, stores into arrays, views,
aliases, lists and calls of helpers over two numbers `x`, `y` and two arrays `a`, `b` of
length 4.  All operators are smooth and bounded; what a branch tests is marked in the
text, so that the same program can be run plainly and with its decisions recorded.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from hypothesis import strategies as st

SIZE = 4

# Irrational, so that a value is hardly ever equal to one.
THRESHOLDS = ("0.3183098861837907", "-0.4142135623730951", "0.7320508075688772")

HELPERS = """
import math

import numpy as np


def damp(p, q=0.5):
    return math.tanh(p) * q


def bend(p, n):
    if @p > 0.2718281828459045@:
        return math.sin(p) + 0.1 * n
    r = p * p
    return r / (2.0 + r)


def fall(p, n):
    if n == 0:
        return p
    return math.sin(fall(p, n - 1)) + 0.3 * p


def soften(v, s):
    return np.tanh(v * s) + v[0]


def stir(v, s):
    v[1] = v[0] * math.sin(s)
    v *= 0.7
    v[-1] += s


def ends(v):
    return v[0] * 0.5, np.sin(v[-1])
""".lstrip()


@dataclass(frozen=True)
class Generated:
    """A program: its text, with marks around what its branches test."""

    marked: str
    aliases: bool

    @property
    def text(self) -> str:
        return self.marked.replace("@", "")

    @property
    def traced(self) -> str:
        """The text in which every test goes through `record`."""
        pieces = self.marked.split("@")
        out = [pieces[0]]
        for i, piece in enumerate(pieces[1:]):
            out.append(("record(" if i % 2 == 0 else ")") + piece)
        return "".join(out)


@dataclass
class Scope:
    """The names that may be read at a place of the program."""

    scalars: list[str]
    arrays: dict[str, int]
    owned: list[str] = field(default_factory=list)
    lists: dict[str, int] = field(default_factory=dict)
    index: list[str] = field(default_factory=list)
    in_loop: bool = False
    # Inside blocks that may not run, lists keep their length.
    conditional: bool = False

    def inner(self, **changes: bool) -> Scope:
        """The scope of a block: what the block defines stays inside."""
        return Scope(
            list(self.scalars),
            dict(self.arrays),
            list(self.owned),
            dict(self.lists),
            list(self.index),
            changes.get("in_loop", self.in_loop),
            True,
        )


class Writer:
    """Draws one program, line by line."""

    def __init__(self, draw: Callable[..., object], budget: int) -> None:
        self.draw = draw
        self.budget = budget
        self.counter = 0
        self.aliases = False

    def pick(self, options: list[str] | tuple[str, ...]) -> str:
        return self.draw(st.sampled_from(options))  # type: ignore[return-value]

    def number(self, low: int, high: int) -> int:
        return self.draw(st.integers(low, high))  # type: ignore[return-value]

    def fresh(self, stem: str) -> str:
        self.counter += 1
        return f"{stem}{self.counter}"

    # ------------------------------------------------------------ expressions

    def position(self, scope: Scope, size: int) -> str:
        if scope.index and self.number(0, 1):
            return f"{self.pick(scope.index)} % {size}"
        return str(self.number(-size, size - 1))

    def atom(self, scope: Scope) -> str:
        kind = self.number(0, 5)
        if kind == 0:
            return self.pick(("0.5", "1.25", "-0.75"))
        if kind == 1 and scope.arrays:
            name = self.pick(list(scope.arrays))
            return f"{name}[{self.position(scope, scope.arrays[name])}]"
        filled = [name for name, length in scope.lists.items() if length]
        if kind == 2 and filled:
            name = self.pick(filled)
            return f"{name}[{self.number(-scope.lists[name], scope.lists[name] - 1)}]"
        return self.pick(scope.scalars)

    def scalar(self, scope: Scope, depth: int = 2) -> str:
        if depth == 0:
            return self.atom(scope)
        one = self.scalar(scope, depth - 1)
        kind = self.number(0, 11)
        if kind <= 3:
            return one
        if kind == 4:
            return f"math.sin({one})"
        if kind == 5:
            return f"math.exp(-math.tanh({one}))"
        if kind == 6:
            return f"{one} / (2.0 + {self.atom(scope)} ** 2)"
        if kind == 7:
            return f"({one} + {self.atom(scope)})"
        if kind == 8:
            return f"math.tanh({one} * {self.atom(scope)})"
        if kind == 9 and scope.arrays:
            return f"np.sum(np.tanh({self.pick(list(scope.arrays))})) * 0.5"
        if kind == 10:
            return f"({one} if {self.test(scope)} else {self.atom(scope)})"
        return self.call(scope)

    def call(self, scope: Scope) -> str:
        kind = self.number(0, 3)
        if kind == 0:
            return f"damp({self.atom(scope)})"
        if kind == 1:
            return f"damp({self.atom(scope)}, q={self.atom(scope)})"
        if kind == 2:
            return f"bend({self.atom(scope)}, {self.number(0, 3)})"
        return f"fall({self.atom(scope)}, {self.number(0, 3)})"

    def array(self, scope: Scope, size: int, depth: int = 1) -> str:
        """An expression for an array of a length (or a number, which broadcasts)."""
        names = [name for name, length in scope.arrays.items() if length == size]
        longer = [name for name, length in scope.arrays.items() if length > size]
        if longer and (not names or self.number(0, 3) == 0):
            name = self.pick(longer)
            start = self.number(0, scope.arrays[name] - size)
            names = [f"{name}[{start}:{start + size}]"]
        if not names:
            return f"np.full({size}, {self.scalar(scope, 1)})"
        one, two = self.pick(names), self.pick(names)
        if depth == 0:
            return one
        return self.pick(
            (
                f"np.sin({one})",
                f"{one} * np.tanh({two})",
                f"{one} + {two} * {self.atom(scope)}",
                f"{one} / (2.0 + {two} ** 2)",
                f"np.exp(-np.tanh({one}))",
                f"{one}[::-1] * 0.5",
                f"{one} - 0.5 * {self.atom(scope)}",
                f"soften({one}, {self.atom(scope)})",
            )
        )

    def test(self, scope: Scope) -> str:
        operator = self.pick(("<", ">"))
        value = self.pick([*scope.scalars, *(f"{name}[0]" for name in scope.arrays)])
        return f"@{value} {operator} {self.pick(THRESHOLDS)}@"

    def condition(self, scope: Scope) -> str:
        kind = self.number(0, 5)
        if kind == 0:
            return f"{self.test(scope)} and {self.test(scope)}"
        if kind == 1:
            return f"not {self.test(scope)} or {self.test(scope)}"
        if kind == 2 and scope.index:
            return f"{self.pick(scope.index)} % 2 == 0"
        return self.test(scope)

    # ------------------------------------------------------------ statements

    def block(self, scope: Scope, depth: int, most: int = 4) -> list[str]:
        lines: list[str] = []
        for _ in range(self.number(1, most)):
            if self.budget <= 0 and lines:
                break
            self.budget -= 1
            lines += self.statement(scope, depth)
        return lines

    def nested(self, scope: Scope, depth: int) -> list[str]:
        return ["    " + line for line in self.block(scope, depth, 3)]

    def statement(self, scope: Scope, depth: int) -> list[str]:
        simple = [
            self.assign_scalar,
            self.assign_scalar,
            self.assign_array,
            self.store,
            self.store,
            self.augment,
            self.alias,
            self.alias,
            self.list_operation,
            self.swap,
            self.unpack,
            self.stir,
        ]
        compound = [self.branch, self.branch, self.for_loop, self.while_loop]
        write = self.draw(st.sampled_from(simple + compound * (depth > 0)))
        lines = write(scope, depth) if write in compound else write(scope)  # type: ignore[operator]
        return lines or self.assign_scalar(scope)

    def assign_scalar(self, scope: Scope) -> list[str]:
        value = self.scalar(scope)
        local = [name for name in scope.scalars if name not in scope.index]
        if self.number(0, 2):
            name = self.pick(local)
            if self.number(0, 2) == 0:
                return [f"{name} += {value}"]
            return [f"{name} = {value}"]
        name = self.fresh("s")
        scope.scalars.append(name)
        return [f"{name} = {value}"]

    def assign_array(self, scope: Scope) -> list[str]:
        same = [name for name in scope.owned if scope.arrays[name] == SIZE]
        value = self.array(scope, SIZE)
        if same and self.number(0, 1):
            return [f"{self.pick(same)} = {value}"]
        name = self.fresh("v")
        scope.arrays[name] = SIZE
        scope.owned.append(name)
        if self.number(0, 3) == 0:
            return [f"{name} = np.zeros({SIZE})"]
        return [f"{name} = {value}"]

    def target(self, scope: Scope) -> str | None:
        return self.pick(scope.owned) if scope.owned else None

    def store(self, scope: Scope) -> list[str]:
        name = self.target(scope)
        if name is None:
            return []
        size = scope.arrays[name]
        operator = self.pick(("=", "=", "+=", "*="))
        if self.number(0, 1):
            place = self.position(scope, size)
            return [f"{name}[{place}] {operator} {self.scalar(scope)}"]
        start = self.number(0, size - 1)
        stop = self.number(start + 1, size)
        if self.number(0, 2) == 0:
            value = self.scalar(scope, 1)
        else:
            value = self.array(scope, stop - start)
        return [f"{name}[{start}:{stop}] {operator} {value}"]

    def augment(self, scope: Scope) -> list[str]:
        name = self.target(scope)
        if name is None:
            return []
        if self.number(0, 1):
            return [f"{name} += {self.array(scope, scope.arrays[name])}"]
        return [f"{name} *= {self.scalar(scope, 1)}"]

    def alias(self, scope: Scope) -> list[str]:
        name = self.target(scope)
        if name is None:
            return []
        self.aliases = True
        other = self.fresh("w")
        size = scope.arrays[name]
        scope.owned.append(other)
        kind = self.number(0, 3)
        scope.arrays[other] = size - 1 if kind <= 1 and size > 1 else size
        if kind <= 1 and size > 1:
            return [f"{other} = {name}[{'1:' if kind else ':-1'}]"]
        return [f"{other} = {name}{'[::-1]' if kind == 2 else ''}"]

    def list_operation(self, scope: Scope) -> list[str]:
        if not scope.lists or (not scope.conditional and self.number(0, 2) == 0):
            name, value = self.fresh("items"), self.scalar(scope, 1)
            scope.lists[name] = 1
            return [f"{name} = [{value}]"]
        name = self.pick(list(scope.lists))
        if not scope.conditional and scope.lists[name] and self.number(0, 2) == 0:
            target = self.fresh("s")
            scope.lists[name] -= 1
            scope.scalars.append(target)
            return [f"{target} = {name}.pop()"]
        if not scope.conditional:
            value = self.scalar(scope, 1)
            scope.lists[name] += 1
            return [f"{name}.append({value})"]
        target = self.fresh("s")
        lines = [
            f"{name}.append({self.scalar(scope, 1)})",
            f"{target} = {name}.pop() * {self.atom(scope)}",
        ]
        scope.scalars.append(target)
        return lines

    def swap(self, scope: Scope) -> list[str]:
        same = [name for name in scope.owned if scope.arrays[name] == SIZE]
        if len(same) > 1 and self.number(0, 1):
            one, two = self.pick(same), self.pick(same)
            if one == two:
                return []
            self.aliases = True
            return [f"{one}, {two} = {two}, {one}"]
        local = [name for name in scope.scalars if name not in scope.index]
        one, two = self.pick(local), self.pick(local)
        return [] if one == two else [f"{one}, {two} = {two}, {self.scalar(scope, 1)}"]

    def unpack(self, scope: Scope) -> list[str]:
        one, two = self.fresh("s"), self.fresh("s")
        line = f"{one}, {two} = ends({self.pick(list(scope.arrays))})"
        scope.scalars += [one, two]
        return [line]

    def stir(self, scope: Scope) -> list[str]:
        owned = [name for name in scope.owned if scope.arrays[name] > 1]
        if not owned:
            return []
        name = self.pick(owned)
        part = "[1:]" if scope.arrays[name] == SIZE and self.number(0, 3) == 0 else ""
        return [f"stir({name}{part}, {self.atom(scope)})"]

    def branch(self, scope: Scope, depth: int) -> list[str]:
        lines = [f"if {self.condition(scope)}:"]
        lines += self.nested(scope.inner(), depth - 1)
        if scope.in_loop and self.number(0, 1):
            lines.append("    " + self.pick(("break", "continue")))
        elif self.number(0, 9) == 0:
            lines.append(f"    return {self.scalar(scope)}")
        if self.number(0, 3) == 0:
            lines.append(f"elif {self.condition(scope)}:")
            lines += self.nested(scope.inner(), depth - 1)
        if self.number(0, 1):
            lines.append("else:")
            lines += self.nested(scope.inner(), depth - 1)
        return lines

    def loop_body(self, scope: Scope, depth: int) -> list[str]:
        lines = self.nested(scope, depth)
        if self.number(0, 2) == 0:
            escape = self.pick(("break", "continue", f"return {self.scalar(scope)}"))
            lines += [f"    if {self.condition(scope)}:", f"        {escape}"]
            lines += self.nested(scope, depth)
        return lines

    def for_loop(self, scope: Scope, depth: int) -> list[str]:
        inner = scope.inner(in_loop=True)
        kind = self.number(0, 6)
        index, item = self.fresh("i"), self.fresh("e")
        name = self.pick(list(scope.arrays))
        if kind in (3, 4):
            inner.scalars.append(item)
            # The loop goes on with this array, whatever its name comes to mean.
            self.aliases = True
        if kind != 3:
            inner.index.append(index)
        header = (
            f"for {index} in range({self.number(0, 4)}):",
            f"for {index} in range({self.number(1, 4)}, -1, -{self.number(1, 2)}):",
            f"for {index} in reversed(range({self.number(1, 3)})):",
            f"for {item} in {name}:",
            f"for {index}, {item} in enumerate({name}):",
            f"for {index} in range(1, {self.number(2, 6)}, 2):",
            f"for {index} in range(len({name})):",
        )[kind]
        lines = [header, *self.loop_body(inner, depth - 1)]
        if self.number(0, 7) == 0:
            lines += ["else:", *self.nested(scope.inner(), depth - 1)]
        return lines

    def while_loop(self, scope: Scope, depth: int) -> list[str]:
        inner = scope.inner(in_loop=True)
        counter = self.fresh("k")
        inner.index.append(counter)
        test = f" and {self.test(scope)}" if self.number(0, 1) else ""
        return [
            f"{counter} = 0",
            f"while {counter} < {self.number(0, 4)}{test}:",
            f"    {counter} += 1",
            *self.loop_body(inner, depth - 1),
        ]

    def program(self) -> str:
        scope = Scope(["x", "y"], {"a": SIZE, "b": SIZE})
        lines = self.assign_array(scope) if self.number(0, 3) else []
        while self.budget > 0:
            lines += self.block(scope, 2)
        terms = [f"math.sin({name})" for name in scope.scalars]
        terms += [f"np.sum(np.sin({name}))" for name in scope.arrays]
        lines.append("return " + " + ".join(terms))
        body = "".join(f"    {line}\n" for line in lines)
        return f"{HELPERS}\n\ndef program(x, y, a, b):\n{body}"


@st.composite
def programs(draw: Callable[..., object], most: int = 14) -> Generated:
    """A program of about so many statements at most."""
    writer = Writer(draw, draw(st.integers(3, most)))  # type: ignore[arg-type]
    return Generated(writer.program(), writer.aliases)


def arguments() -> st.SearchStrategy[tuple[int, float]]:
    """A seed and a scale, from which the arguments are made."""
    return st.tuples(st.integers(0, 2**16), st.sampled_from((0.3, 1.0, 1.7)))
