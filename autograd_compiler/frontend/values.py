"""What a name of the user's program stands for while the program is being lowered.

Numbers and arrays are operands of the IR.  What Python decides at run time but is
known here (which function, which container structure) stays on this side: a list of
two arrays is a `Ref` to a cell that holds their variables, and never an operation.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable as Several
from dataclasses import dataclass, field
from types import CellType
from typing import Any, TypeAlias

from autograd_compiler import ir


class Undecided(Exception):
    """The text of a rule asks for what is not known of its operands."""


@dataclass(frozen=True, eq=False)
class Ref:
    """A mutable container of known structure; `cell` is its identity."""

    cell: int


@dataclass(frozen=True, eq=False)
class Closure:
    """A nested function or lambda, with the frame that its free names are read from."""

    node: ast.FunctionDef
    frame: Frame
    defaults: tuple[Value, ...] = ()
    keyword_defaults: tuple[tuple[str, Value], ...] = ()
    # Of the derivative of a nested function: the derivative, as a function of what is
    # free in it too, the nested function, and the names that are free in it.
    derived: tuple[Any, Closure, tuple[str, ...]] | None = None


@dataclass(frozen=True, eq=False)
class Bound:
    """`function` with its first argument(s) given: a method, a partial."""

    function: Value
    args: tuple[Value, ...] = ()
    kwargs: tuple[tuple[str, Value], ...] = ()


@dataclass(frozen=True, eq=False)
class MethodOf:
    """`owner.name` before it is called, where `owner` is an array, list or dict."""

    owner: Value
    name: str


@dataclass(frozen=True)
class Capture:
    """A value from outside of the function, read anew at each call.

    `root` is the namespace (globals or a cell) and `path` the attributes and items that
    lead from it to a number or an array.
    """

    name: str
    namespace: dict[str, Any] | CellType | object = field(compare=False)
    identity: int
    path: tuple[tuple[str, Any], ...] = ()

    def fetch(self) -> Any:
        value: Any
        if isinstance(self.namespace, dict):
            value = self.namespace[self.name]
        elif isinstance(self.namespace, CellType):
            value = self.namespace.cell_contents
        else:
            value = self.namespace
        for kind, key in self.path:
            value = getattr(value, key) if kind == "attribute" else value[key]
        return value

    def step(self, kind: str, key: Any) -> Capture:
        return Capture(
            self.name, self.namespace, self.identity, (*self.path, (kind, key))
        )


@dataclass(frozen=True, eq=False)
class Object:
    """An object from outside whose attributes are read when they are used."""

    value: Any
    capture: Capture


@dataclass(frozen=True, eq=False)
class Choice:
    """One of two functions, which only run time chooses; called under a branch."""

    condition: ir.Operand
    then: Value
    orelse: Value


@dataclass(frozen=True, eq=False)
class Iterable:
    """`range`, `enumerate`, `zip`, `reversed`, `items`: a loop's way through values.

    `rest` goes through what is left of an iterator from a position on.
    """

    kind: str
    args: tuple[Value, ...]


@dataclass(frozen=True, eq=False)
class Super:
    """`super()`: an object, or its class, seen from behind one of its classes."""

    owner: Value
    cls: type
    instance: type


Value: TypeAlias = (
    ir.Operand | Ref | Closure | Bound | MethodOf | Object | Choice | Iterable | Super
)


def pack(items: Several[Value], form: ir.Form = ir.TUPLE) -> ir.Pack:
    """A container of what is known here; `Lowering.operand` gives one of operands.

    On this side a `Pack` may hold any values, in the IR it holds operands.
    """
    return ir.Pack(tuple(items), form)  # type: ignore[arg-type]


@dataclass(frozen=True, eq=False)
class Items:
    """The contents of a cell: items by key; a list's keys are its positions."""

    form: ir.Form
    items: tuple[Value, ...]


@dataclass(eq=False)
class Frame:
    """One activation of a function: its names, and where its free names are."""

    names: dict[str, Value]
    globals: dict[str, Any]
    cells: dict[str, CellType]
    filename: str
    local_names: frozenset[str]
    parent: Frame | None = None
    # Where the call stands that a function of the prelude is lowered for.
    place: ir.Span | None = None
    first: str | None = None  # the first parameter: `self` of a method


class NoResultYet(Exception):
    """A recursive call in the first round: what follows it is dead code so far."""


class Failure(NoResultYet):
    """An expression that fails whenever it is reached, as Python finds at run time."""

    def __init__(self, error: Exception) -> None:
        super().__init__(str(error))
        self.error = error


OPERANDS = (ir.Var, ir.Const, ir.Pack, ir.Slice)
