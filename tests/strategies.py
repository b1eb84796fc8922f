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


def push(items, value):
    items.append(value)
    items[0] = items[-1] * 0.5


def spread(table, key, value=0.1):
    table[key] = math.sin(value)
    table.setdefault("extra", value)
    return table[key] + table.get("missing", value)


class Box:
    def __init__(self, value, part):
        self.value = value
        self.part = part

    def __add__(self, other):
        return Box(self.value + math.tanh(other), self.part)

    def move(self, step):
        self.value = self.value * 0.5 + step
        self.part[0] += step
        return self.value

    def size_of(self):
        return math.tanh(self.value)

    size = property(size_of)
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
    dicts: dict[str, list[str]] = field(default_factory=dict)
    boxes: list[str] = field(default_factory=list)
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
            {name: list(keys) for name, keys in self.dicts.items()},
            list(self.boxes),
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
        kind = self.number(0, 7)
        if kind == 6 and scope.dicts:
            name = self.pick(list(scope.dicts))
            return f'{name}["{self.pick(scope.dicts[name])}"]'
        if kind == 7 and scope.boxes:
            name = self.pick(scope.boxes)
            return self.pick((f"{name}.value", f"{name}.part[1]", f"{name}.size"))
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
            self.dict_operation,
            self.comprehension,
            self.box_operation,
            self.rows,
            self.starred,
            self.nested_function,
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

    def dict_operation(self, scope: Scope) -> list[str]:
        value = self.scalar(scope, 1)
        if not scope.dicts or (not scope.conditional and self.number(0, 2) == 0):
            name = self.fresh("table")
            line = f'{name} = {{"p": {value}, "q": {self.atom(scope)}}}'
            scope.dicts[name] = ["p", "q"]
            return [line]
        name = self.pick(list(scope.dicts))
        keys = scope.dicts[name]
        kind = self.number(0, 5)
        if kind == 0 and not scope.conditional:
            keys.append(self.fresh("k"))
            return [f'{name}["{keys[-1]}"] = {value}']
        if kind == 1 and not scope.conditional:
            given, target = self.atom(scope), self.fresh("s")
            scope.scalars.append(target)
            keys += ["p", "extra"]
            return [f'{target} = spread({name}, "p", {given})']
        if kind == 2:
            target = self.fresh("s")
            scope.scalars.append(target)
            return [f"{target} = sum(t * 0.3 for t in {name}.values())"]
        if kind == 3:
            local = [name for name in scope.scalars if name not in scope.index]
            target = self.pick(local)
            return [
                f"for key, t in {name}.items():",
                f"    {target} = math.tanh({target} + t * len(key))",
            ]
        operator = self.pick(("=", "+=", "*="))
        return [f'{name}["{self.pick(keys)}"] {operator} {value}']

    def comprehension(self, scope: Scope) -> list[str]:
        kind = self.number(0, 4)
        source = self.pick(list(scope.arrays))
        part = self.atom(scope)
        if kind <= 1:
            name = self.fresh("v")
            line = f"{name} = np.array([math.sin(t * {part}) for t in {source}])"
            scope.arrays[name] = scope.arrays[source]
            scope.owned.append(name)
            return [line]
        name = self.fresh("s")
        scope.scalars.append(name)
        filled = [name for name, length in scope.lists.items() if length]
        if kind == 2 and filled:
            source = self.pick(filled)
        keep = f" if @t > {self.pick(THRESHOLDS)}@" if kind == 3 else ""
        return [f"{name} = sum(t * {part} for t in {source}{keep}) * 0.5"]

    def box_operation(self, scope: Scope) -> list[str]:
        if not scope.boxes or (not scope.conditional and self.number(0, 2) == 0):
            part = self.target(scope)
            if part is None or scope.arrays[part] != SIZE:
                return []
            self.aliases = True
            name = self.fresh("box")
            line = f"{name} = Box({self.scalar(scope, 1)}, {part})"
            scope.boxes.append(name)
            return [line]
        name = self.pick(scope.boxes)
        value = self.scalar(scope, 1)
        return self.pick(
            (
                (f"{name}.value = {value}",),
                (f"{name}.value += {value}",),
                (f"{name}.part[1] *= {value}",),
                (f"{name}.move({value})",),
                (f"{name} = {name} + {value}",),
            )
        )

    def rows(self, scope: Scope) -> list[str]:
        """A loop over rows: of a list, which shares them, or of an array."""
        owned = [name for name in scope.owned if scope.arrays[name] == SIZE]
        if not owned:
            return []
        self.aliases = True
        one, two = self.pick(owned), self.pick(list(scope.arrays))
        if scope.arrays[two] != SIZE:
            two = one
        local = [name for name in scope.scalars if name not in scope.index]
        target = self.pick(local)
        kind = self.number(0, 3)
        name, value = self.fresh("m"), self.atom(scope)
        if kind == 0:
            return [
                f"for row in np.array([{one}, {two}]):",
                f"    {target} = math.tanh({target} + row[1] * {value})",
            ]
        if kind == 1:
            return [
                f"{name} = np.array([{one}, {two}])",
                f"for row in {name}:",
                f"    row[0] = math.sin(row[1] * {value})",
                f"{one} = {name}[{self.number(0, 1)}]",
            ]
        if kind == 2:
            return [
                f"for row in [{one}, {one} * 0.5]:",
                f"    row[2] = math.sin(row[1] * {value})",
                f"    {target} = math.tanh({target} + row[2])",
            ]
        return [
            f"for t, u in zip({one}, {two}):",
            f"    {target} = math.tanh({target} * t + u)",
        ]

    def starred(self, scope: Scope) -> list[str]:
        one, two = self.fresh("s"), self.fresh("s")
        source = self.pick([*scope.arrays, *(n for n, k in scope.lists.items() if k)])
        scope.scalars += [one, two]
        target = self.pick((f"{one}, *others", f"*others, {one}"))
        return [f"{target} = {source}", f"{two} = {one} + 0.5 * sum(others)"]

    def nested_function(self, scope: Scope) -> list[str]:
        owned = [name for name in scope.owned if scope.arrays[name] > 1]
        if not owned:
            return []
        name, local, target = self.fresh("f"), self.pick(owned), self.fresh("s")
        value, factor = self.atom(scope), self.atom(scope)
        scope.scalars.append(target)
        return [
            f"def {name}(t, scale=0.5):",
            f"    {local}[1] = math.sin(t) * scale",
            f"    return {local}[0] * t + math.tanh({factor})",
            f"{target} = {name}({value}) + {name}(0.3, scale={factor})",
        ]

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
        terms += [f"sum({name}) * 0.5" for name, n in scope.lists.items() if n]
        terms += [f"sum(math.sin(t) for t in {name}.values())" for name in scope.dicts]
        terms += [f"{name}.value * {name}.part[1]" for name in scope.boxes]
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
