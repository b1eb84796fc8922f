"""Abstract values: what is known of a value when compiling.

A size is symbolic (`Dim`): the sizes of the arguments get one symbol per distinct
number, `n`, and a slice `u[1:-1]` of such an array has size `n - 2`.  Equal symbols
are equal sizes, which is what tells the chain rule that nothing was broadcast.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np


@dataclass(frozen=True)
class Dim:
    """A size `symbol + offset`; a plain number where `symbol` is "".

    Symbols `n0, n1, …` are sizes of arguments: a call specialises on which of them are
    1, so these are known not to be.  Symbols `m0, m1, …` are sizes found on the way,
    about which nothing is known.
    """

    symbol: str
    offset: int = 0

    def plus(self, amount: int) -> Dim:
        return Dim(self.symbol, self.offset + amount)

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


@dataclass(frozen=True)
class TupleOf:
    """A tuple inside a list or dict."""

    items: tuple[Type, ...]


@dataclass(frozen=True)
class Opaque:
    """A value that is never differentiated: a string, None, an object, a dtype."""

    cls: type


@dataclass(frozen=True)
class Unknown:
    """Nothing is known but what the fields say; taken to be a number or an array."""

    array: bool = False  # an array of one or more dimensions
    real: bool = False  # not complex


UNKNOWN = Unknown()


@dataclass(frozen=True)
class Bottom:
    """No value yet: the result of a recursive call whose type is being found."""


BOTTOM = Bottom()

Type: TypeAlias = Scalar | Array | ListOf | DictOf | TupleOf | Opaque | Unknown | Bottom


def is_inexact(type: Type) -> bool:
    """Whether values of the type can carry a derivative (floats, complex numbers)."""
    match type:
        case Scalar(dtype) | Array(dtype):
            return np.dtype(dtype).kind in "fc"
        case ListOf(item) | DictOf(item):
            return is_inexact(item)
        case TupleOf(items):
            return any(is_inexact(item) for item in items)
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
                a if a is not None and a.same(b) else None
                for a, b in zip(first.dims, second.dims, strict=True)
            )
            dtype = np.result_type(first.dtype, second.dtype).name
            return Array(dtype, dims, first.contiguous and second.contiguous)
        case ListOf(a), ListOf(b):
            return ListOf(join(a, b))
        case DictOf(a), DictOf(b):
            return DictOf(join(a, b))
        case TupleOf(a), TupleOf(b) if len(a) == len(b):
            return TupleOf(tuple(map(join, a, b)))
        case Opaque(), Opaque():
            return Opaque(object)
    return UNKNOWN


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
        dims = tuple(
            ONE if size == 1 else sizes.setdefault(size, Dim(f"n{len(sizes)}"))
            for size in value.shape
        )
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
