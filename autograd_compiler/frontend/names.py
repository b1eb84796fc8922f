"""What a free name means: locals first, then closures, globals and builtins.

Functions, modules and other fixed things are taken as they are now, under a *guard*:
the compiled code is used again only while the name still means the same object.
Numbers and arrays are *captures*: they become arguments of the generated function and
are read anew at each call, as Python does.
"""

from __future__ import annotations

import ast
import builtins
import dataclasses
import enum
import functools
import types
from typing import TYPE_CHECKING, Any
from weakref import WeakValueDictionary

import numpy as np

from autograd_compiler import ir
from autograd_compiler.errors import ArgumentError
from autograd_compiler.frontend.values import (
    Capture,
    Frame,
    Object,
    Value,
    pack,
)
from autograd_compiler.rules.registry import HasRule, Rule, rule_of
from autograd_compiler.types import BOTTOM, ListOf, Scalar, Type, join, type_of

if TYPE_CHECKING:
    from autograd_compiler.frontend.lower import Lowering

_MISSING = object()

# Values that programs branch on: known when compiling, guarded.
FIXED = (
    str,
    bytes,
    bool,
    type(None),
    type,
    np.dtype,
    range,
    type(Ellipsis),
    slice,
    enum.Enum,
)
FUNCTIONS = (
    types.FunctionType,
    types.BuiltinFunctionType,
    types.ModuleType,
    types.MethodType,
    functools.partial,
    np.ufunc,
    type(np.mean),  # NumPy functions that dispatch on __array_function__
    type,
)


def lookup(low: Lowering, name: str, node: ast.AST) -> Value:
    """The value of a name where it is read."""
    names = low.state.names
    if name in names:
        return low.read(names[name])
    frame = low.frame
    assert frame is not None
    if name in frame.local_names:
        raise low.refuse(
            node,
            f"`{name}` may be read before it has a value",
            f"give `{name}` a value before the branch or loop that assigns it",
        )
    parent = frame.parent
    while parent is not None:
        if name in parent.names:
            return low.read(parent.names[name])
        frame, parent = parent, parent.parent
    return _free(low, frame, name, node)


def _free(low: Lowering, frame: Frame, name: str, node: ast.AST) -> Value:
    if name in frame.cells:
        cell = frame.cells[name]
        try:
            value = cell.cell_contents
        except ValueError:
            raise low.refuse(node, f"`{name}` has no value yet") from None
        return captured(low, Capture(name, cell, id(cell)), value, node)
    if name in frame.globals:
        return captured(
            low,
            Capture(name, frame.globals, id(frame.globals)),
            frame.globals[name],
            node,
        )
    found = getattr(builtins, name, _MISSING)
    if found is _MISSING:
        raise low.refuse(
            node,
            f"the name `{name}` is not defined",
            "define it before the function is differentiated",
        )
    return ir.Const(found)


def refuse_subclass(value: np.ndarray) -> None:
    """Refuse arrays whose operators mean something else than those of arrays."""
    if type(value) not in (np.ndarray, np.memmap):
        raise ArgumentError(
            f"{type(value).__module__}.{type(value).__name__} is a kind of array whose "
            "operators may mean something else; pass np.asarray(x), or fill in what is "
            "masked"
        )


class Reader(HasRule):
    """What a rule of the user reads from outside; generated code calls it for that."""

    def __init__(self, capture: Capture, value: Any) -> None:
        self.capture = capture
        self.form = _form_of(value)
        self.__name__ = capture.name if capture.name.isidentifier() else "captured"
        self.rule = Rule("zero", self, result=lambda: value)

    def __call__(self) -> Any:
        """The value as it is now, which must have the form that it had."""
        value = self.capture.fetch()
        if _form_of(value) != self.form:
            raise ArgumentError(
                f"`{self.capture.name}`, which a rule reads from outside, has another "
                "type or shape than when it was compiled: pass it as an argument"
            )
        return value


_READERS: WeakValueDictionary[Any, Reader] = WeakValueDictionary()


def _reader_of(capture: Capture, value: Any) -> Reader:
    # A reader keeps what the identity is of alive.
    key = (capture.identity, capture.name, capture.path, _form_of(value))
    found = _READERS.get(key)
    if found is None:
        found = _READERS[key] = Reader(capture, value)
    return found


def _form_of(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return (np.ndarray, value.dtype, value.shape)
    return type(value)


def _is_of_a_built_in_rule(low: Lowering) -> bool:
    module = str(low.frame.globals.get("__name__")) if low.frame is not None else ""
    built_in = ("autograd_compiler.rules", "autograd_compiler.runtime")
    return module.startswith((*built_in, "numpy", "math"))


def captured(low: Lowering, capture: Capture, value: Any, node: ast.AST) -> Value:
    """A value from outside of the function as a value of the program."""
    if low.in_rule:
        varies = isinstance(value, (float, complex, np.inexact, np.ndarray))
        if varies and not _is_of_a_built_in_rule(low):
            return low.apply(_reader_of(capture, value))
        return ir.Const(value)
    known = callable(value) and rule_of(value) is not None  # whatever its type
    if known or isinstance(value, (FIXED, FUNCTIONS)):
        low.guards[(capture.identity, capture.name, capture.path)] = (capture, value)
        return ir.Const(value)
    if isinstance(value, (int, float, complex, np.generic, np.ndarray)):
        if isinstance(value, np.ndarray):
            try:
                refuse_subclass(value)
            except ArgumentError as error:
                raise low.refuse(node, f"`{capture.name}`: {error}") from None
        return capture_leaf(low, capture, type_of(value, low.sizes))
    if isinstance(value, (tuple, list, dict)) or dataclasses.is_dataclass(value):
        return _captured_container(low, capture, value, node)
    if callable(value) and not hasattr(value, "__dict__"):
        low.guards[(capture.identity, capture.name, capture.path)] = (capture, value)
        return ir.Const(value)
    return Object(value, capture)


def capture_leaf(low: Lowering, capture: Capture, kind: Type) -> ir.Var:
    """The variable that a captured number, array or opaque object is passed in as."""
    key = (capture.identity, capture.name, capture.path)
    if key not in low.captures:
        steps = [str(step) for _, step in capture.path]
        name = "_".join([capture.name, *steps]) if steps else capture.name
        if capture.path and capture.path[-1][0] == "attribute":
            name = str(capture.path[-1][1])
        var = ir.Var(name if name.isidentifier() else "captured", kind)
        low.captures[key] = (capture, var)
        low.captured_origins[var] = name
    return low.fresh(low.captures[key][1])


def _captured_container(
    low: Lowering, capture: Capture, value: Any, node: ast.AST
) -> Value:
    low.guards[(capture.identity, capture.name, capture.path, "structure")] = (
        capture,
        Structure.of(value),
    )
    if isinstance(value, list) and value:
        item: Type = BOTTOM
        for element in value:
            item = join(item, type_of(element, low.sizes))
        if isinstance(item, Scalar) and len(value) > 8:
            return capture_leaf(low, capture, ListOf(item))
    if isinstance(value, dict):
        items = tuple(
            captured(low, capture.step("item", key), value[key], node) for key in value
        )
        return pack(items, ir.Form("dict", tuple(value)))
    if isinstance(value, (tuple, list)) and not hasattr(value, "_fields"):
        items = tuple(
            captured(low, capture.step("item", k), element, node)
            for k, element in enumerate(value)
        )
        form = ir.TUPLE if isinstance(value, tuple) else ir.LIST
        return pack(items, form)
    return Object(value, capture)


@dataclasses.dataclass(frozen=True)
class Structure:
    """The keys or length of a captured container: what a guard compares."""

    cls: type
    keys: tuple[Any, ...]

    @classmethod
    def of(cls, value: Any) -> Structure:
        if isinstance(value, dict):
            return cls(type(value), tuple(value))
        if isinstance(value, (tuple, list)):
            return cls(type(value), (len(value),))
        return cls(type(value), ())
