"""The entry of the frontend: a Python function and argument types to an IR function."""

from __future__ import annotations

import dataclasses
import enum
import inspect
from collections.abc import Callable, Collection, Iterable, Mapping
from contextvars import ContextVar
from typing import Any, TypeVar

import numpy as np

from autograd_compiler import ir
from autograd_compiler.errors import UnsupportedError
from autograd_compiler.frontend import calls, names, user_calls
from autograd_compiler.frontend.functions import Program
from autograd_compiler.frontend.lower import Lowering
from autograd_compiler.frontend.source import FunctionSource, read_source, span_of
from autograd_compiler.frontend.values import (
    Capture,
    Object,
    Value,
    pack,
)
from autograd_compiler.rules.registry import rule_of
from autograd_compiler.types import (
    BOTTOM,
    UNKNOWN,
    Array,
    Bottom,
    DictOf,
    Dim,
    ListOf,
    Opaque,
    Scalar,
    SizesCoincide,
    TupleOf,
    Type,
    Unknown,
    join,
    type_of,
)

# Longer lists of one type are gone through at run time, not item by item.
LONG_LIST = 8


@dataclasses.dataclass(frozen=True)
class Argument:
    """What is known of one argument: a leaf's type, a fixed value, or a container."""

    type: Type | None = None
    fixed: Any = None
    form: ir.Form | None = None
    items: tuple[Argument, ...] = ()

    @property
    def key(self) -> Any:
        """A hashable description; fixed values count by identity where they must."""
        if self.form is not None:
            return (self.form, tuple(item.key for item in self.items))
        if self.type is not None:
            return self.type
        fixed = self.fixed
        if isinstance(fixed, (str, bool, type(None), bytes)):
            return (type(fixed), fixed)
        return ("object", id(fixed))


def describe(value: Any, sizes: dict[int, Dim]) -> Argument:
    """The description of a run-time argument."""
    if isinstance(value, np.ndarray):
        names.refuse_subclass(value)
    if isinstance(
        value, (float, int, complex, np.generic, np.ndarray)
    ) and not isinstance(value, (bool, enum.Enum)):
        return Argument(type_of(value, sizes))
    if isinstance(value, (names.FIXED, names.FUNCTIONS)):
        return Argument(fixed=value)
    if isinstance(value, tuple):
        form = ir.TUPLE
        if hasattr(value, "_fields"):
            form = ir.Form("record", tuple(value._fields), type(value))
        return Argument(form=form, items=tuple(describe(item, sizes) for item in value))
    if isinstance(value, list):
        return _list(value, sizes)
    if isinstance(value, dict):
        form = ir.Form("dict", tuple(value))
        items = tuple(describe(item, sizes) for item in value.values())
        return Argument(form=form, items=items)
    fields = getattr(value, "__dict__", None)
    if isinstance(fields, dict) and not callable(value) and _is_plain(type(value)):
        form = ir.Form("record", tuple(fields), type(value))
        items = tuple(describe(item, sizes) for item in fields.values())
        return Argument(form=form, items=items)
    if callable(value):
        return Argument(fixed=value)
    return Argument(Opaque(type(value)))


def _is_plain(cls: type) -> bool:
    module = cls.__module__.split(".")[0]
    return module not in ("numpy", "scipy", "builtins", "random", "io", "logging")


def _list(value: list[Any], sizes: dict[int, Dim]) -> Argument:
    items = tuple(describe(item, sizes) for item in value)
    if len(items) > LONG_LIST:
        kind: Type = BOTTOM
        for item in items:
            kind = join(kind, _as_type(item))
        if not isinstance(kind, (Unknown, Bottom, Opaque)):
            return Argument(ListOf(kind))
    return Argument(form=ir.LIST, items=items)


def _as_type(argument: Argument) -> Type:
    if argument.type is not None:
        return argument.type
    if argument.form is not None and argument.form.kind == "tuple":
        return TupleOf(tuple(_as_type(item) for item in argument.items))
    return UNKNOWN


def unknown() -> Argument:
    return Argument(UNKNOWN)


@dataclasses.dataclass(frozen=True)
class Primal:
    """A lowered function, and what it takes from outside.

    Attributes
    ----------
    function
        Its parameters are the user's, then one per capture.
    captures
        Where the trailing parameters are fetched from at each call.
    guards
        What was taken as fixed: (where it was found, the value).
    written
        The leaves of parameters that the program writes into.
    shares
        Which variables may share memory, those of the helpers included.
    helpers
        The functions that the program calls and that are not inlined.
    """

    function: ir.Function
    arguments: dict[str, ir.Operand]
    captures: tuple[Capture, ...]
    guards: tuple[tuple[Capture, Any], ...]
    written: tuple[ir.Var, ...]
    source: FunctionSource
    shares: dict[ir.Var, tuple[ir.Var, ...]]
    helpers: tuple[ir.Function, ...] = ()


_Made = TypeVar("_Made")


def fixing_sizes(
    arguments: Mapping[str, Argument],
    lower: Callable[[Mapping[str, Argument], frozenset[int]], _Made],
) -> _Made:
    """`lower(arguments, fixed)`, again each time that it asks for sizes to be fixed."""
    fixed: frozenset[int] = frozenset()
    while True:
        given = {
            name: with_fixed_sizes(argument, fixed)
            for name, argument in arguments.items()
        }
        outer = _FIXED.set(fixed)
        try:
            return lower(given, fixed)
        except SizesCoincide as found:
            assert not found.sizes <= fixed, "sizes that are fixed are asked for again"
            fixed |= found.sizes
        finally:
            _FIXED.reset(outer)


# Of the program that is being made, for the text of rules, which is of no program.
_FIXED: ContextVar[frozenset[int]] = ContextVar("fixed_sizes", default=frozenset())


def sizes_fixed_now() -> frozenset[int]:
    """The sizes that are fixed in the program that is being made."""
    return _FIXED.get()


def with_fixed_sizes(argument: Argument, fixed: Collection[int]) -> Argument:
    """The description with some sizes as plain numbers: Note [Fixed sizes], `types.py`."""

    def change(size: Dim) -> Dim:
        if size.now is None or not size.due_to <= set(fixed):
            return size
        if size.symbol.startswith("n"):
            return Dim("", size.now)
        return Dim(size.symbol, size.offset)  # `now` is a guess, which did not help

    return _with_sizes(argument, change)


def of_any_size(argument: Argument) -> Argument:
    """The description without what the sizes are now: nothing is fixed for it."""
    return _with_sizes(argument, lambda size: Dim(size.symbol, size.offset))


def _with_sizes(argument: Argument, change: Callable[[Dim], Dim]) -> Argument:
    def visit(kind: Type) -> Type:
        match kind:
            case Array(dtype, dims, contiguous):
                found = tuple(None if dim is None else change(dim) for dim in dims)
                return Array(dtype, found, contiguous)
            case Scalar(size=Dim() as size):
                return dataclasses.replace(kind, size=change(size))
            case ListOf(item) | DictOf(item):
                return dataclasses.replace(kind, item=visit(item))
            case TupleOf(items):
                return TupleOf(tuple(map(visit, items)))
        return kind

    if argument.type is not None:
        return dataclasses.replace(argument, type=visit(argument.type))
    items = tuple(_with_sizes(item, change) for item in argument.items)
    return dataclasses.replace(argument, items=items)


def sizes_now(arguments: Iterable[Argument]) -> dict[str, int]:
    """The size that each symbol of the arguments stands for."""
    found: dict[str, int] = {}

    def visit(kind: Type | None) -> None:
        match kind:
            case Array(dims=dims):
                for dim in dims:
                    if dim is not None and dim.now is not None:
                        found[dim.symbol] = dim.now - dim.offset
            case ListOf(item) | DictOf(item):
                visit(item)
            case TupleOf(items):
                for inner in items:
                    visit(inner)

    for argument in arguments:
        visit(argument.type)
        found.update(sizes_now(argument.items))
    return found


def lower_function(
    fun: Any,
    arguments: Mapping[str, Argument],
    recursion: bool = True,
    fixed_sizes: Collection[int] = (),
) -> Primal:
    """Lower `fun` for arguments of the given description.

    `recursion` says whether the code may have functions that call themselves, and
    `fixed_sizes` which sizes of captured arrays are taken as plain numbers.
    """
    plain = fun
    while hasattr(
        plain, "__autograd_compiler_call__"
    ):  # the derivative of a derivative
        plain = plain.primal
    source = read_source(plain)
    program = Program(recursion, fixed_sizes)
    low = Lowering(program)
    low.filename = source.filename
    trees: dict[str, ir.Operand] = {}
    values: dict[str, Value] = {}
    for name, argument in arguments.items():
        value, tree = _parameter(argument, name)
        trees[name] = tree
        values[name] = value
    for argument_tree in trees.values():
        for leaf in ir.leaves(argument_tree):
            low.learn_sizes(leaf.type)
    span = span_of(source.node, source.filename)
    low.builder.span = span
    try:
        if plain is fun and rule_of(fun) is None:
            result = _call(low, plain, source, values)
        else:
            result = _call_as_object(low, fun, source, values)
    except RecursionError:
        raise _endless(low, program, source) from None
    returned = low.operand(result, source.node)
    captured = list(low.captures.values())
    params = [ir.Param(name, tree) for name, tree in trees.items()]
    taken = set(trees)
    for _, var in captured:
        name = var.name
        number = 1
        while name in taken:
            name = f"{var.name}_{number}"
            number += 1
        taken.add(name)
        var.name = name
        params.append(ir.Param(name, var))
    body = ir.Block(tuple(low.builder.ops), (returned,))
    doc = inspect.getdoc(source.function) or ""
    kind = "" if plain is fun else fun.kind  # what a derivative is
    name = f"{source.name}_{kind}" if kind else source.name
    name = _unlike(name, {callee.function.name for callee in program.callees})
    function = ir.Function(name, tuple(params), body, span, doc.split("\n")[0])
    leaves = {leaf for tree in trees.values() for leaf in ir.leaves(tree)}
    written = tuple(origin for origin in low.mutated if origin in leaves)
    return Primal(
        function,
        trees,
        tuple(capture for capture, _ in captured),
        tuple(low.guards.values()),
        written,
        source,
        {
            **low.builder.shares,
            **{k: v for callee in program.callees for k, v in callee.shares.items()},
        },
        tuple(callee.function for callee in program.callees),
    )


# What a derivative adds to the name of its function.
SUFFIXES = (
    "_grad",
    "_value_and_grad",
    "_vjp",
    "_forward",
    "_pullback",
    "_jvp",
    "_value",
)


def _unlike(name: str, helpers: set[str]) -> str:
    """The name, or another: no derivative of the function may be called like a helper."""
    found, number = name, 0
    while any(f"{found}{suffix}" in helpers for suffix in SUFFIXES):
        number += 1
        found = f"{name}_{number}"
    return found


def _endless(low: Lowering, program: Program, source: FunctionSource) -> Exception:
    """Why inlining does not end: the recursion could not be made a call."""
    if program.failure is not None:
        return program.failure
    return UnsupportedError(
        "the recursion in this function cannot be compiled: it does not end for what "
        "is known here",
        span_of(source.node, source.filename),
        "a recursive function must be defined outside of others, be one of numbers, "
        "arrays and tuples of them, have a case without recursion, and needs "
        'backend="python"',
    )


def _parameter(argument: Argument, name: str) -> tuple[Value, ir.Operand]:
    """A parameter as the program sees it, and as the tree that it is passed in as."""
    if argument.form is not None:
        pairs = [
            _parameter(item, _leaf_name(name, argument.form, position))
            for position, item in enumerate(argument.items)
        ]
        tree = ir.Pack(tuple(tree for _, tree in pairs), argument.form)
        value = pack(tuple(value for value, _ in pairs), argument.form)
        return value, tree
    if argument.type is not None:
        var = ir.Var(name, argument.type)
        return var, var
    placeholder = ir.Var(name, Opaque(type(argument.fixed)))
    fixed = argument.fixed
    if isinstance(fixed, (*names.FIXED, *names.FUNCTIONS)):
        return ir.Const(fixed), placeholder
    return Object(fixed, Capture(name, fixed, id(fixed))), placeholder


def _leaf_name(name: str, form: ir.Form, position: int) -> str:
    key = form.keys[position] if form.keys else position
    text = str(key)
    if form.kind in ("dict", "record") and text.isidentifier():
        return text
    return f"{name}_{text}" if text.isidentifier() or text.isdigit() else name


def _call_as_object(
    low: Lowering, fun: Any, source: FunctionSource, values: dict[str, Value]
) -> Value:
    """A program whose only statement is a call: of a derivative, or by a rule."""
    signature = getattr(fun, "signature", None) or source.signature
    given, kwargs = _placed(signature, values)
    return calls.call(low, ir.Const(fun), tuple(given), kwargs, source.node)


def _placed(
    signature: inspect.Signature, values: dict[str, Value], by_name: bool = False
) -> tuple[list[Value], dict[str, Value]]:
    """Values of parameters as a call passes them: by position, and by keyword."""
    given: list[Value] = []
    kwargs: dict[str, Value] = {}
    for name, parameter in signature.parameters.items():
        if name not in values:
            continue
        value = values[name]
        match parameter.kind:
            case inspect.Parameter.VAR_POSITIONAL:
                assert isinstance(value, ir.Pack)
                given.extend(value.items)
            case inspect.Parameter.VAR_KEYWORD:
                assert isinstance(value, ir.Pack)
                kwargs.update(zip(value.form.keys, value.items, strict=True))
            case inspect.Parameter.KEYWORD_ONLY:
                kwargs[name] = value
            case _ if by_name:
                kwargs[name] = value
            case _:
                given.append(value)
    return given, kwargs


def _call(
    low: Lowering, plain: Any, source: FunctionSource, values: dict[str, Value]
) -> Value:
    first: tuple[Value, ...] = ()
    if source.bound_self is not None:
        owner = source.bound_self
        if isinstance(owner, type):
            first = (ir.Const(owner),)
        else:
            first = (Object(owner, Capture("self", owner, id(owner))),)
    given: list[Value] = list(first)
    for item in source.bound_args:
        given.append(_fixed(low, item, source))
    kwargs: dict[str, Value] = {
        key: _fixed(low, item, source) for key, item in source.bound_kwargs.items()
    }
    bound = bool(source.bound_kwargs)
    signature = source.signature
    if not values.keys() <= signature.parameters.keys():
        signature = inspect.signature(plain)  # what a wrapper says that it takes
    placed, named = _placed(signature, values, by_name=bound)
    given += placed
    kwargs.update(named)
    definition = user_calls.source_of(low, source.function, source.node)
    if low.program.is_recursive(source.function):
        result = low.program.call(
            low, source.function, definition, tuple(given), kwargs, source.node
        )
        if result is not None:
            return result  # type: ignore[no-any-return]
    return user_calls.inline(low, definition, tuple(given), kwargs, source.node)


def _fixed(low: Lowering, value: Any, source: FunctionSource) -> Value:
    """An argument that a partial or method binds: read at each call like a capture."""
    if isinstance(value, (float, int, np.generic, np.ndarray)) and not isinstance(
        value, bool
    ):
        capture = Capture(f"bound_{len(low.captures)}", value, id(value))
        return names.captured(low, capture, value, source.node)
    if isinstance(value, names.FIXED) or callable(value):
        return ir.Const(value)
    return names.captured(low, Capture("bound", value, id(value)), value, source.node)
