"""Containers of arrays: take them apart into leaves and put leaves back together.

Tuples, lists, dicts, namedtuples and dataclass instances are containers, nested as
they like; everything else is a leaf, `None` too.  The structure that is left when the
leaves are taken out is hashable, so that it can be part of a cache key.
"""

from __future__ import annotations

import dataclasses
from collections import OrderedDict, defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np

from autograd_compiler.errors import ArgumentError

Kind: TypeAlias = Literal["leaf", "tuple", "list", "dict", "record"]


@dataclass(frozen=True, slots=True)
class Structure:
    """The shape of a container without its leaves.

    `keys` are dict keys in their order or the field names of a record (namedtuple or
    dataclass); `cls` is the class that `unflatten` builds; `factory` is what a
    defaultdict makes missing values with.
    """

    kind: Kind
    children: tuple[Structure, ...] = ()
    keys: tuple[Hashable, ...] = ()
    cls: type | None = None
    factory: Any = None

    @property
    def leaf_count(self) -> int:
        if self.kind == "leaf":
            return 1
        return sum(child.leaf_count for child in self.children)


LEAF = Structure("leaf")


@dataclass(frozen=True, slots=True)
class Step:
    """One step from a container to a part of it: `[key]`, or `.key` for a record."""

    key: Hashable
    attribute: bool = False

    def __str__(self) -> str:
        return f".{self.key}" if self.attribute else f"[{self.key!r}]"


Path: TypeAlias = tuple[Step, ...]

# What nearly every argument is; looked up first because calls wait for it.
_LEAF_TYPES = frozenset({np.ndarray, float, int, bool, complex, str, type(None)})


def flatten(value: Any) -> tuple[list[Any], Structure]:
    """The leaves of a container, in order, and its structure.

    Examples
    --------
    >>> leaves, structure = flatten({"w": 1.0, "b": (2.0, 3.0)})
    >>> leaves
    [1.0, 2.0, 3.0]
    >>> unflatten(structure, [10.0, 20.0, 30.0])
    {'w': 10.0, 'b': (20.0, 30.0)}
    """
    if type(value) in _LEAF_TYPES:
        return [value], LEAF
    leaves: list[Any] = []
    return leaves, _take_apart(value, leaves, ())


def structure_of(value: Any) -> Structure:
    """The structure of a container alone."""
    if type(value) in _LEAF_TYPES:
        return LEAF
    return _take_apart(value, [], ())


def unflatten(structure: Structure, leaves: Iterable[Any]) -> Any:
    """The container with the structure and the leaves given; inverse of `flatten`."""
    rest = iter(leaves)
    try:
        value = _put_together(structure, rest)
    except StopIteration:
        raise ArgumentError(
            f"too few leaves for a structure of {structure.leaf_count}"
        ) from None
    if next(rest, rest) is not rest:
        raise ArgumentError(
            f"too many leaves for a structure of {structure.leaf_count}"
        )
    return value


def outline(value: Any) -> str:
    """A container with `*` for its leaves, for messages.

    Examples
    --------
    >>> outline({"w": 1.0, "b": (2.0, [3.0])})
    "{'w': *, 'b': (*, [*])}"
    """
    if isinstance(value, dict):
        items = ", ".join(f"{key!r}: {outline(item)}" for key, item in value.items())
        return f"{{{items}}}"
    if isinstance(value, list):
        return f"[{', '.join(map(outline, value))}]"
    if isinstance(value, tuple):
        items = ", ".join(map(outline, value))
        return f"({items},)" if len(value) == 1 else f"({items})"
    return "*" if structure_of(value) == LEAF else type(value).__name__


def same_structure(first: Any, second: Any) -> bool:
    """Whether two containers have the same structure."""
    return structure_of(first) == structure_of(second)


def map_leaves(function: Callable[..., Any], tree: Any, *others: Any) -> Any:
    """The container with each leaf replaced by `function(leaf, ...)`.

    Further containers must have the structure of the first one; their leaves are the
    further arguments of the function.
    """
    leaves, structure = flatten(tree)
    columns = [leaves]
    for other in others:
        found, its_structure = flatten(other)
        if its_structure != structure:
            raise ArgumentError("the containers differ in structure")
        columns.append(found)
    return unflatten(structure, [function(*row) for row in zip(*columns, strict=True)])


def map_with_path(function: Callable[[Path, Any], Any], tree: Any) -> Any:
    """The container with each leaf replaced by `function(path, leaf)`."""
    leaves, structure = flatten(tree)
    return unflatten(structure, map(function, leaf_paths(structure), leaves))


def leaf_paths(structure: Structure) -> Iterator[Path]:
    """The path to each leaf, in the order of the leaves."""
    if structure.kind == "leaf":
        yield ()
        return
    keys = structure.keys or range(len(structure.children))
    attribute = structure.kind == "record"
    for key, child in zip(keys, structure.children, strict=True):
        for path in leaf_paths(child):
            yield (Step(key, attribute), *path)


def path_text(path: Path, name: str = "") -> str:
    """How one writes a path in Python, as an argument `name` leads to it.

    Examples
    --------
    >>> path_text((Step("W1"), Step(0)), "params")
    "params['W1'][0]"
    """
    return name + "".join(map(str, path))


# ---------------------------------------------------------------- the two recursions


def _take_apart(value: Any, leaves: list[Any], inside: tuple[int, ...]) -> Structure:
    """Append the leaves of `value`; `inside` are the ids of the containers around."""
    if type(value) in _LEAF_TYPES:
        leaves.append(value)
        return LEAF
    kind, cls = _kind_of(value)
    if kind == "leaf":
        leaves.append(value)
        return LEAF
    if id(value) in inside:
        raise ArgumentError(f"a {type(value).__name__} contains itself")
    inside = (*inside, id(value))
    keys: tuple[Hashable, ...] = ()
    parts: Iterable[Any] = value
    factory = None
    if kind == "dict":
        keys, parts = tuple(value), value.values()
        factory = value.default_factory if cls is defaultdict else None
    elif kind == "record":
        keys = field_names(value)
        parts = [getattr(value, str(key)) for key in keys]
    children = tuple(_take_apart(part, leaves, inside) for part in parts)
    return Structure(kind, children, keys, cls, factory)


def _kind_of(value: Any) -> tuple[Kind, type]:
    """Which container a value is, and the class to build it again with.

    A subclass counts as a container if calling it with the parts rebuilds it; of
    other subclasses, dicts come back as plain dicts and sequences are leaves.
    """
    cls = type(value)
    if cls is tuple:
        return "tuple", cls
    if cls is list:
        return "list", cls
    if cls is dict:
        return "dict", cls
    if isinstance(value, tuple):
        if hasattr(cls, "_fields") and hasattr(cls, "_make"):
            return "record", cls
        new: Any = cls.__new__
        simple = new is tuple.__new__ and cls.__init__ is object.__init__
        return ("tuple", cls) if simple else ("leaf", cls)
    if isinstance(value, list):
        return ("list", cls) if cls.__init__ is list.__init__ else ("leaf", cls)
    if isinstance(value, dict):
        return "dict", cls if _is_simple_dict(cls) else dict
    if dataclasses.is_dataclass(cls):
        return "record", cls
    return "leaf", cls


def _is_simple_dict(cls: type) -> bool:
    init: Any = cls.__init__  # type: ignore[misc]
    return cls is defaultdict or init in (dict.__init__, OrderedDict.__init__)


def is_record(value: Any) -> bool:
    """Whether a value is a named tuple, or an object of a dataclass."""
    return not isinstance(value, type) and _kind_of(value)[0] == "record"


def field_names(value: Any) -> tuple[str, ...]:
    if isinstance(value, tuple):
        return tuple(type(value)._fields)  # type: ignore[attr-defined]
    return tuple(field.name for field in dataclasses.fields(value))


def _put_together(structure: Structure, leaves: Iterator[Any]) -> Any:
    if structure.kind == "leaf":
        return next(leaves)
    parts = [_put_together(child, leaves) for child in structure.children]
    cls: Any = structure.cls
    match structure.kind:
        case "tuple":
            return cls(parts)
        case "list":
            return parts if cls is list else cls(parts)
        case "dict":
            pairs = zip(structure.keys, parts, strict=True)
            return cls(structure.factory, pairs) if cls is defaultdict else cls(pairs)
    if issubclass(cls, tuple):
        return cls._make(parts)
    # `__init__` and `__post_init__` are passed by: what they check and convert is true
    # of the parameters of a model and need not be true of their gradients.
    value = object.__new__(cls)
    for key, part in zip(structure.keys, parts, strict=True):
        object.__setattr__(value, str(key), part)
    return value
