"""How the arguments of a call are passed to a function that is compiled once."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from autograd_compiler import ir
from autograd_compiler.frontend import results
from autograd_compiler.frontend.results import Inline
from autograd_compiler.frontend.values import (
    Items,
    Object,
    Ref,
    Value,
)
from autograd_compiler.operands import type_of_operand
from autograd_compiler.types import (
    Array,
    Bottom,
    DictOf,
    Dim,
    ListOf,
    Scalar,
    TupleOf,
    Type,
)

if TYPE_CHECKING:
    from autograd_compiler.frontend.lower import Lowering


class Passing:
    """The arguments of one call: what is passed, and what is known of it inside.

    Sizes of the caller get names of their own inside: `n0, n1, …` for those known not
    to be 1, `q0, q1, …` for others.  A recursive function is to be the same function
    at each level, so there no size is taken to be known.
    """

    def __init__(self, low: Lowering, recursive: bool) -> None:
        self.low = low
        self.recursive = recursive
        self.args: list[ir.Operand] = []
        self._inside: dict[Any, Dim] = {}
        self._outside: dict[str, Dim] = {}

    def describe(self, value: Value, name: str) -> Any:
        """What a callee is specialised to; the leaves of the value are collected."""
        low = self.low
        value = low.read(value)
        match value:
            case ir.Var(type=kind):
                if not self._may_pass(kind):
                    raise Inline(name)
                self.args.append(value)
                return self.type(kind)
            case ir.Const(constant):
                if isinstance(constant, (float, complex, np.inexact)) or (
                    self.recursive and is_number(constant)
                ):
                    self.args.append(value)
                    return self.type(type_of_operand(value))
                return self._fixed(constant)
            case ir.Pack(items, form):
                if form.kind in ("list", "dict") and not self.recursive:
                    raise Inline(name)
                return (form, tuple(self.describe(item, name) for item in items))
            case Ref() if self.recursive:
                content = low.content(value)
                if isinstance(content, ir.Var):
                    return self.describe(content, name)
                return (
                    "cell",
                    content.form,
                    tuple(self.describe(item, name) for item in content.items),
                )
            case Object(owner, capture) if self.recursive:
                return ("object", _Kept(owner), capture.name, capture.path)
        raise Inline(name)

    def _may_pass(self, kind: Type) -> bool:
        if self.recursive:
            return not isinstance(kind, Bottom)
        return isinstance(kind, (Array, Scalar))

    def _fixed(self, constant: Any) -> Any:
        if isinstance(constant, (bool, int, str, bytes, type(None), np.dtype, type)):
            return ("fixed", type(constant), constant)
        if self.recursive:
            return ("fixed", _Kept(constant))
        raise Inline

    # ------------------------------------------------------------ sizes

    def type(self, kind: Type) -> Type:
        match kind:
            case Array(dtype, dims, contiguous):
                found = tuple(map(self._dim, dims))
                return Array(dtype, found, contiguous and not self.recursive)
            case Scalar(size=size):
                known = None if self.recursive else self._dim(size)
                return replace(kind, size=known)
            case ListOf(item):
                return ListOf(results.without_sizes(item))
            case DictOf(item, key):
                return DictOf(results.without_sizes(item), key)
            case TupleOf(items):
                return TupleOf(tuple(map(self.type, items)))
        return kind

    def _dim(self, dim: Dim | None) -> Dim | None:
        if dim is None:
            return None
        if self.recursive:
            if dim not in self._inside:
                self._inside[dim] = Dim(f"q{len(self._inside)}")
                self._outside[self._inside[dim].symbol] = dim
            return self._inside[dim]
        if not dim.symbol:
            return dim
        if dim.symbol not in self._inside:
            letter = "n" if dim.symbol.startswith("n") else "q"
            number = sum(name.startswith(letter) for name in self._outside)
            base = dim.plus(-dim.offset)
            self._inside[dim.symbol] = replace(base, symbol=f"{letter}{number}")
            self._outside[f"{letter}{number}"] = base
        return self._inside[dim.symbol].plus(dim.offset)

    def known_outside(self, kind: Type) -> Type:
        """A type of the callee, with the sizes left out that only the callee knows."""
        match kind:
            case Array(dtype, dims, contiguous):
                known = tuple(
                    (
                        dim
                        if dim is not None
                        and (not dim.symbol or dim.symbol in self._outside)
                        else None
                    )
                    for dim in dims
                )
                return Array(dtype, known, contiguous)
        return results.without_sizes(kind)

    def outside(self, kind: Type) -> Type:
        """A type of the callee in the sizes of the caller."""
        match kind:
            case Array(dtype, dims, contiguous):
                found = tuple(
                    (
                        dim
                        if dim is None or not dim.symbol
                        else self._outside[dim.symbol].plus(dim.offset)
                    )
                    for dim in dims
                )
                return Array(dtype, found, contiguous)
        return kind

    # ------------------------------------------------------------ inside

    def inside(
        self, low: Lowering, value: Value, name: str, params: list[ir.Var]
    ) -> Value:
        """The argument as the callee sees it; its parameters are collected."""
        value = self.low.read(value)
        match value:
            case ir.Var(type=kind):
                params.append(ir.Var(name, self.type(kind)))
                return params[-1]
            case ir.Const(constant):
                if isinstance(constant, (float, complex, np.inexact)) or (
                    self.recursive and is_number(constant)
                ):
                    params.append(ir.Var(name, self.type(type_of_operand(value))))
                    return params[-1]
                return value
            case ir.Pack(items, form):
                return ir.Pack(self._items(low, items, form, name, params), form)
            case Ref():
                content = self.low.content(value)
                if isinstance(content, Items):
                    return low.new_ref(
                        content.form,
                        self._items(low, content.items, content.form, name, params),
                    )
                return self.inside(low, content, name, params)
        return value

    def _items(
        self, low: Lowering, items: Any, form: ir.Form, name: str, params: list[ir.Var]
    ) -> Any:
        keys = form.keys or range(len(items))
        return tuple(
            self.inside(low, item, f"{name}_{key}", params)
            for key, item in zip(keys, items, strict=True)
        )


class _Kept:
    """An object that is compared by identity, and kept alive so that this means something."""

    def __init__(self, value: Any) -> None:
        self.value = value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Kept) and other.value is self.value

    def __hash__(self) -> int:
        return id(self.value)


def is_number(value: Any) -> bool:
    return isinstance(value, (int, float, complex, np.number)) and not isinstance(
        value, bool
    )
