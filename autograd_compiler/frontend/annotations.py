"""What the annotations and defaults of a function tell of its arguments.

They are taken for facts only where nothing better is known: for the source that is
shown before any call.  Calls go by the arguments themselves.
"""

from __future__ import annotations

import ast
import builtins
import dataclasses
import inspect
import types
import typing
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np

from autograd_compiler import ir
from autograd_compiler.frontend.program import Argument, unknown
from autograd_compiler.types import (
    DictOf,
    ListOf,
    LongTuple,
    Opaque,
    Scalar,
    TupleOf,
    Type,
    Unknown,
    key_type,
    type_of,
)

_PLAIN: dict[Any, Type] = {
    float: Scalar("float64"),
    int: Scalar("int64"),
    bool: Scalar("bool"),
    complex: Scalar("complex128"),
    str: Opaque(str),
}
# Subscripting anything else might run code of the user.
_GENERIC_FROM = ("builtins", "typing", "collections.abc", "numpy", "numpy._typing")


def described(
    fun: Callable[..., Any], signature: inspect.Signature, wrt: Iterable[str]
) -> dict[str, Argument]:
    """What is known of each argument before any call; `wrt` is differentiated in."""
    chosen = tuple(wrt)
    namespace = {**vars(builtins), **getattr(inspect.unwrap(fun), "__globals__", {})}
    found: dict[str, Argument] = {}
    for name, parameter in signature.parameters.items():
        if parameter.kind is parameter.VAR_POSITIONAL:
            starred = [item for item in chosen if item.startswith(f"{name}[")]
            numbers = [int(item[len(name) + 1 : -1]) for item in starred]
            count = max(numbers, default=-1) + 1
            items = tuple(unknown() for _ in range(count))
            found[name] = Argument(form=ir.TUPLE, items=items)
        elif parameter.kind is parameter.VAR_KEYWORD:
            found[name] = Argument(form=ir.Form("dict"))
        else:
            found[name] = _of_parameter(parameter, namespace, name in chosen)
    return found


def _of_parameter(
    parameter: inspect.Parameter, namespace: Mapping[str, Any], selected: bool
) -> Argument:
    annotation, default = parameter.annotation, parameter.default
    told = None
    if annotation is not parameter.empty:
        told = argument_of(annotation, namespace)
    if told is None and default is not parameter.empty:
        if isinstance(default, (int, float, complex, np.number)):
            told = Argument(type_of(default))
        if isinstance(default, (str, bool, type(None))) or callable(default):
            told = Argument(fixed=default)
    if told is None:
        return unknown()
    if selected and told.form is None:
        # Derivatives are taken in floats, whatever an annotation may say.
        match told.type:
            case Scalar(dtype) if np.dtype(dtype).kind in "iub":
                return Argument(Scalar("float64"))
            case None | Opaque():
                return unknown()
    return told


def argument_of(annotation: Any, namespace: Mapping[str, Any]) -> Argument | None:
    """What an annotation tells, or None.

    Examples
    --------
    >>> argument_of("list[float]", vars(builtins)).type.item
    Scalar(dtype='float64', weak=True, size=None)
    >>> argument_of("open('a file')", vars(builtins)) is None
    True
    """
    if isinstance(annotation, str):
        annotation = _resolved(annotation, namespace)
    if isinstance(annotation, typing.NewType):
        return argument_of(annotation.__supertype__, namespace)
    try:
        if annotation in _PLAIN:
            return Argument(_PLAIN[annotation])
    except TypeError:
        return None
    if annotation is np.ndarray:
        return Argument(Unknown(array=True))
    if isinstance(annotation, type) and issubclass(annotation, np.number):
        try:
            return Argument(Scalar(np.dtype(annotation).name, weak=False))
        except TypeError:  # np.floating and the like
            return None
    origin, args = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is typing.Annotated:
        return argument_of(args[0], namespace)
    if origin is np.ndarray:
        kind = _kind_of(args)
        return Argument(Unknown(array=True, real=kind not in ("", "c")))
    if origin in (list, tuple, dict):
        return _container(origin, args, namespace)
    if isinstance(annotation, type):
        return _record(annotation)
    return None


def _kind_of(args: tuple[Any, ...]) -> str:
    """The kind of dtype that `np.ndarray[shape, np.dtype[scalar]]` names."""
    scalars = typing.get_args(args[1]) if len(args) == 2 else ()
    scalar = scalars[0] if scalars else None
    if isinstance(scalar, type) and issubclass(scalar, np.complexfloating):
        return "c"
    if isinstance(scalar, type) and issubclass(
        scalar, (np.floating, np.integer, np.bool_)
    ):
        return "f"
    return ""


def _container(
    origin: type, args: tuple[Any, ...], namespace: Mapping[str, Any]
) -> Argument | None:
    if origin is tuple and args and args[-1] is not Ellipsis:
        items = tuple(argument_of(arg, namespace) or unknown() for arg in args)
        return Argument(form=ir.TUPLE, items=items)
    item = argument_of(args[1 if origin is dict else 0], namespace)
    kind = None if item is None else _type(item)
    if kind is None:
        return None
    if origin is tuple:
        return Argument(LongTuple(kind))
    if origin is list:
        return Argument(ListOf(kind))
    key = argument_of(args[0], namespace)
    found = None if key is None else _type(key)
    return Argument(DictOf(kind, key_type(found or Opaque(object))))


def _type(argument: Argument) -> Type | None:
    """A description as the type of a container's items."""
    if argument.type is not None:
        return argument.type
    if argument.form is not None and argument.form.kind == "tuple":
        items = tuple(map(_type, argument.items))
        if all(item is not None for item in items):
            return TupleOf(tuple(item for item in items if item is not None))
    return None


def _record(cls: type) -> Argument | None:
    """A dataclass or named tuple, by the annotations of its fields."""
    names: tuple[str, ...] = ()
    if dataclasses.is_dataclass(cls):
        names = tuple(item.name for item in dataclasses.fields(cls))
    elif issubclass(cls, tuple):
        names = tuple(getattr(cls, "_fields", ()))
    if not names:
        return None
    module = inspect.getmodule(cls)
    namespace = {**vars(builtins), **(vars(module) if module is not None else {})}
    told = inspect.get_annotations(cls)
    items = tuple(argument_of(told.get(name), namespace) or unknown() for name in names)
    return Argument(form=ir.Form("record", names, cls), items=items)


# ---------------------------------------------------------------- strings


def _resolved(text: str, namespace: Mapping[str, Any]) -> Any:
    """The object that an annotation written as a string names; no code is run."""
    try:
        return _of_node(ast.parse(text.strip(), mode="eval").body, namespace)
    except (SyntaxError, LookupError, AttributeError, TypeError, ValueError):
        return None


def _of_node(node: ast.expr, namespace: Mapping[str, Any]) -> Any:
    match node:
        case ast.Name(name):
            return namespace[name]
        case ast.Constant(str() as text):
            return _resolved(text, namespace)
        case ast.Constant(value):
            return value
        case ast.Tuple(items):
            return tuple(_of_node(item, namespace) for item in items)
        case ast.Attribute(owner, name):
            found = _of_node(owner, namespace)
            if isinstance(found, (types.ModuleType, type)):
                return getattr(found, name)
        case ast.Subscript(owner, index):
            generic = _of_node(owner, namespace)
            if getattr(generic, "__module__", "") in _GENERIC_FROM:
                return generic[_of_node(index, namespace)]
    raise LookupError(ast.unparse(node))


# ---------------------------------------------------------------- in words


def assumptions(arguments: Mapping[str, Argument]) -> str:
    """What is taken for granted of arguments, as a sentence; "" if nothing is.

    Examples
    --------
    >>> assumptions({"x": unknown(), "rate": Argument(Scalar("float64"))})
    'Assumed: rate: float.'
    """
    told = [
        f"{name}: {spelled}" if argument.type or argument.form else f"{name}={spelled}"
        for name, argument in arguments.items()
        if (spelled := _spelled(argument))
    ]
    return f"Assumed: {', '.join(told)}." if told else ""


def _spelled(argument: Argument) -> str:
    if argument.type is not None:
        return _spelled_type(argument.type)
    if argument.form is None:
        fixed = argument.fixed
        return getattr(fixed, "__name__", None) or repr(fixed)
    if argument.form.cls is not None:
        return argument.form.cls.__name__
    if argument.form.kind != "tuple" or not argument.items:
        return ""
    items = [_spelled(item) or "Any" for item in argument.items]
    return f"tuple[{', '.join(items)}]"


def _spelled_type(kind: Type) -> str:
    match kind:
        case Scalar(dtype, weak):
            plain = {"f": "float", "i": "int", "b": "bool", "c": "complex"}
            return plain.get(np.dtype(dtype).kind, dtype) if weak else f"np.{dtype}"
        case Unknown(array, real):
            return ("np.ndarray of reals" if real else "np.ndarray") if array else ""
        case LongTuple(item):
            return f"tuple[{_spelled_type(item) or 'Any'}, ...]"
        case ListOf(item):
            return f"list[{_spelled_type(item) or 'Any'}]"
        case DictOf(item):
            return f"dict[..., {_spelled_type(item) or 'Any'}]"
        case TupleOf(items):
            return f"tuple[{', '.join(_spelled_type(item) or 'Any' for item in items)}]"
        case Opaque(cls):
            return cls.__name__
    return ""
