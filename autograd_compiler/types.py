"""Abstract values: what is known of a value when compiling.

A size is symbolic (`Dim`): the sizes of the arguments get one symbol per distinct
number, `n`, and a slice `u[1:-1]` of such an array has size `n - 2`.  Equal symbols
are equal sizes, which is what tells the chain rule that nothing was broadcast.

Note [Fixed sizes].  `h = np.zeros(3)` and `w @ h`, where `w` is an argument of shape
(n, n), are equal sizes in every call that does not fail, and the compiler cannot know
it: 3 and `n` may as well be a broadcast.  So a size remembers what it is in the call
that is compiled for.  Where two sizes meet that are equal in this call and not known to
be equal in all (`same_size`), `SizesCoincide` tells on which sizes of arguments that
depends, and the function is lowered once more with these sizes as plain numbers.  The
code then holds for calls with the same numbers there, and others get code of their own.
Nothing is taken on trust: lowering with a number in the place of `n` either shows that
the sizes are equal, or it does not.
An integer that is computed from sizes, `len(b) // 4`, remembers in the same way.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import count
from typing import Any, TypeAlias

import numpy as np


@dataclass(frozen=True)
class Dim:
    """A size `symbol + offset`; a plain number where `symbol` is "".

    Symbols `n0, n1, …` are sizes of arguments: a call specialises on which of them are
    0 or 1, so these are known to be larger.  Symbols `m0, m1, …` are sizes found on the way,
    about which nothing is known.

    `now` is the size in the call that is compiled for, where that is known, and
    `due_to` the sizes of arguments that it follows from; see Note [Fixed sizes].
    """

    symbol: str
    offset: int = 0
    now: int | None = field(default=None, compare=False, repr=False)
    due_to: frozenset[int] = field(default=frozenset(), compare=False, repr=False)

    def plus(self, amount: int) -> Dim:
        now = None if self.now is None else self.now + amount
        return Dim(self.symbol, self.offset + amount, now, self.due_to)

    @property
    def number(self) -> int | None:
        """The size in the call that is compiled for, if it is known."""
        return self.now if self.symbol else self.offset

    def same(self, other: Dim | None) -> bool:
        return (
            other is not None
            and self.symbol == other.symbol
            and self.offset == other.offset
        )

    @property
    def is_one(self) -> bool:
        return not self.symbol and self.offset == 1

    @property
    def is_not_one(self) -> bool:
        if not self.symbol:
            return self.offset != 1
        return self.symbol.startswith("n") and self.offset == 0


ONE = Dim("", 1)

_FOUND = count()


def argument_size(size: int, position: int) -> Dim:
    """The size of an argument: a symbol of its own."""
    return Dim(f"n{position}", 0, size, frozenset((size,)))


def found_size(now: int | None = None, due_to: frozenset[int] = frozenset()) -> Dim:
    """A size that is like no other, in the primal or in any derivative of it."""
    return Dim(f"m{next(_FOUND)}", 0, now, due_to)


class SizesCoincide(Exception):
    """Sizes are equal in the call that is compiled for: see Note [Fixed sizes].

    Attributes
    ----------
    sizes
        The sizes of arguments that must be fixed for them to be known as equal.
    """

    def __init__(self, sizes: frozenset[int]) -> None:
        super().__init__(f"sizes to fix: {sorted(sizes)}")
        self.sizes = sizes


def same_size(first: Dim | None, second: Dim | None) -> bool:
    """Whether two sizes are known to be equal.

    Raises
    ------
    SizesCoincide
        If they are equal in the call that is compiled for, and that can be known.
    """
    if first is None or second is None:
        return False
    if first.same(second):
        return True
    if first.number is not None and first.number == second.number:
        if sizes := first.due_to | second.due_to:
            raise SizesCoincide(sizes)
    return False


@dataclass(frozen=True)
class Scalar:
    """A number without dimensions; `weak` for Python's own (NumPy's NEP 50)."""

    dtype: str  # NumPy's name: "float64", "float32", "complex128", "int64", "bool"
    weak: bool = True
    # An integer that is known to be a size (`n = x.shape[0]`) or a size plus a number.
    size: Dim | None = None


@dataclass(frozen=True)
class Array:
    """An ndarray; a size that is not known is None."""

    dtype: str
    dims: tuple[Dim | None, ...]
    contiguous: bool = False  # known to be C-contiguous

    @property
    def ndim(self) -> int:
        return len(self.dims)


@dataclass(frozen=True)
class ListOf:
    """A list whose length is known at run time only, of items of one type."""

    item: Type


@dataclass(frozen=True)
class LongTuple(ListOf):
    """A tuple whose length is known at run time only; it is never written."""


@dataclass(frozen=True)
class DictOf:
    """A dict whose keys are known at run time only, of values of one type."""

    item: Type
    key: Type  # a whole number, a string, or `Opaque(object)`


@dataclass(frozen=True)
class TupleOf:
    """A tuple inside a list or dict."""

    items: tuple[Type, ...]


@dataclass(eq=False)
class Nested:
    """A tuple that a recursive function returns, which may hold one like itself.

    It is known by identity; the types of its items are found while the function is
    lowered.  Where the recursion ends, it is the empty tuple.
    """

    items: tuple[Type, ...] = ()


@dataclass(frozen=True)
class Opaque:
    """A value that is never differentiated: a string, None, an object, a dtype.

    `example` stands in for the object where the type of a result is found by a call.
    """

    cls: type
    example: object = field(default=None, compare=False, repr=False)


@dataclass(frozen=True)
class Unknown:
    """Nothing is known but what the fields say; taken to be a number or an array."""

    array: bool = False  # an array of one or more dimensions
    real: bool = False  # not complex


UNKNOWN = Unknown()

# What holds other values, and what may be written while it has several names.
CONTAINERS = (ListOf, DictOf, TupleOf, Nested)
WRITABLE_CONTAINERS = (ListOf, DictOf, Nested)
MEMORY = (Array, *WRITABLE_CONTAINERS, Unknown)


@dataclass(frozen=True)
class Bottom:
    """No value yet: the result of a recursive call whose type is being found."""


BOTTOM = Bottom()

Type: TypeAlias = (
    Scalar | Array | ListOf | DictOf | TupleOf | Nested | Opaque | Unknown | Bottom
)


def key_type(kind: Type) -> Type:
    """What is known of keys of a type: they carry no derivative, even if they are floats."""
    match kind:
        case Scalar("int64", weak=True):
            return Scalar("int64")
        case Opaque(cls) if cls is str:
            return kind
        case Bottom():
            return kind
    return Opaque(object)


def is_inexact(type: Type) -> bool:
    """Whether values of the type can carry a derivative (floats, complex numbers)."""
    match type:
        case Scalar(dtype) | Array(dtype):
            return np.dtype(dtype).kind in "fc"
        case ListOf(item) | DictOf(item):
            return is_inexact(item)
        case TupleOf(items):
            return any(is_inexact(item) for item in items)
        case Nested(items):
            return any(is_inexact(item) for item in items if item is not type)
        case Unknown() | Bottom():
            return True
    return False


def is_complex(type: Type) -> bool:
    match type:
        case Scalar(dtype) | Array(dtype):
            return np.dtype(dtype).kind == "c"
    return False


def is_array(type: Type) -> bool:
    """Whether a value is sure to be an array, which writes change in place."""
    return isinstance(type, Array) or isinstance(type, Unknown) and type.array


def ndim(type: Type) -> int | None:
    """The number of dimensions, if it is known."""
    match type:
        case Scalar():
            return 0
        case Array():
            return type.ndim
        case Opaque(cls, example):  # a sparse matrix has dimensions
            matrix = cls.__module__.startswith("scipy.sparse.")
            return getattr(example, "ndim", 2 if matrix else None)
    return None


def dtype_of(type: Type) -> str | None:
    match type:
        case Scalar(dtype) | Array(dtype):
            return dtype
    return None


def join(first: Type, second: Type) -> Type:
    """The least type that covers both: what a variable has after a branch."""
    if first == second or isinstance(second, Bottom):
        return first
    if isinstance(first, Bottom):
        return second
    match first, second:
        case Scalar(), Scalar():
            dtype = np.result_type(first.dtype, second.dtype).name
            return Scalar(dtype, first.weak and second.weak)
        case Array(), Array() if first.ndim == second.ndim:
            dims = tuple(
                a if same_size(a, b) else None
                for a, b in zip(first.dims, second.dims, strict=True)
            )
            dtype = np.result_type(first.dtype, second.dtype).name
            return Array(dtype, dims, first.contiguous and second.contiguous)
        case ListOf(a), ListOf(b):
            return ListOf(join(a, b))
        case DictOf(a, key), DictOf(b, other):
            return DictOf(join(a, b), key_type(join(key, other)))
        case TupleOf(a), TupleOf(b) if len(a) == len(b):
            return TupleOf(tuple(map(join, a, b)))
        case (Nested() as nested, TupleOf(())) | (TupleOf(()), Nested() as nested):
            return nested
        case Opaque(), Opaque():
            return Opaque(object)
    return UNKNOWN


def same_form(first: Type, second: Type) -> bool:
    """Whether values surely have one shape, or one structure and shapes."""
    match first, second:
        case Scalar(), Scalar():
            return True
        case Array(), Array() if first.ndim == second.ndim:
            return all(
                a is not None and a.same(b)
                for a, b in zip(first.dims, second.dims, strict=True)
            )
        case TupleOf(a), TupleOf(b) if len(a) == len(b):
            return all(map(same_form, a, b))
    return False


def type_of(value: Any, sizes: dict[int, Dim] | None = None) -> Type:
    """The type of a run-time leaf (not of a container).

    `sizes` maps a size to its symbol and is shared by the arguments of one call, so
    that equal sizes get equal symbols.
    """
    if sizes is None:
        sizes = {}
    if isinstance(value, np.ndarray):
        if value.dtype.kind not in "fciub":
            return Opaque(np.ndarray)
        dims = tuple(Dim("", n) if n < 2 else _size_in(sizes, n) for n in value.shape)
        return Array(value.dtype.name, dims, value.flags.c_contiguous)
    if isinstance(value, np.generic) and value.dtype.kind in "fciub":
        return Scalar(value.dtype.name, weak=False)
    if isinstance(value, bool):
        return Scalar("bool")
    if isinstance(value, int):
        return Scalar("int64")
    if isinstance(value, float):
        return Scalar("float64")
    if isinstance(value, complex):
        return Scalar("complex128")
    return Opaque(type(value))


def _size_in(sizes: dict[int, Dim], size: int) -> Dim:
    found = sizes.get(size)
    if found is None:
        found = sizes[size] = argument_size(size, len(sizes))
    return found
