"""The types of subscripts: what `x[i]`, `x[1:n]` and `x[mask]` are."""

from __future__ import annotations

import operator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from autograd_compiler import ir
from autograd_compiler.analysis.infer import (
    infer_call,
)
from autograd_compiler.operands import is_value, type_of_operand
from autograd_compiler.types import (
    BOTTOM,
    UNKNOWN,
    Array,
    Bottom,
    DictOf,
    Dim,
    ListOf,
    Nested,
    Scalar,
    TupleOf,
    Type,
    Unknown,
    found_size,
)

if TYPE_CHECKING:
    from autograd_compiler.builder import Builder


def is_copy_index(path: tuple[ir.Index, ...]) -> bool:
    """Whether reading through the path copies: some index is an array or a list."""
    return any(is_advanced(step.index) for step in path)


def is_advanced(index: ir.Operand) -> bool:
    """Whether NumPy's advanced indexing applies (the result is a copy)."""
    match index:
        case ir.Pack(items, form):
            if form.kind == "list":
                return True
            return any(is_advanced(item) for item in items)
        case ir.Var():
            return isinstance(index.type, (Array, ListOf)) or (
                isinstance(index.type, Scalar) and index.type.dtype == "bool"
            )
        case ir.Const(value):
            return isinstance(value, (bool, list, np.ndarray))
    return False


def is_slicing(index: ir.Operand) -> bool:
    """Whether reading an array under an index is sure to give a view, an array."""
    parts = index.items if isinstance(index, ir.Pack) else (index,)
    basic = all(
        isinstance(part, (ir.Slice, ir.Const))
        or isinstance(type_of_operand(part), Scalar)
        for part in parts
    )
    slices = any(isinstance(part, ir.Slice) for part in parts)
    return basic and slices and not any(map(is_advanced, parts))


def load_type(base: Type, path: tuple[ir.Index, ...], builder: Builder) -> Type:
    for step in path:
        base = _index_type(base, step.index, builder)
    return base


def _index_type(base: Type, index: ir.Operand, builder: Builder) -> Type:
    match base:
        case ListOf(item):
            return base if isinstance(index, ir.Slice) else item
        case DictOf(item):
            return item
        case TupleOf(items) | Nested(items):
            if isinstance(index, ir.Const) and isinstance(index.value, int):
                return items[index.value]
            return UNKNOWN
        case Bottom():
            return BOTTOM
        case Array():
            return _array_index_type(base, index, builder)
        case Unknown(array=True) if is_slicing(index):
            return base
    return UNKNOWN


def _array_index_type(base: Array, index: ir.Operand, builder: Builder) -> Type:
    parts = (
        index.items
        if isinstance(index, ir.Pack) and index.form.kind == "tuple"
        else (index,)
    )
    if any(is_advanced(part) for part in parts):
        return _advanced_type(base, index, builder)
    consumed = sum(
        1 for part in parts if not _is_new_axis(part) and not _is_ellipsis(part)
    )
    dims: list[Dim | None] = []
    source = iter(base.dims)
    whole = True
    for part in parts:
        if _is_new_axis(part):
            dims.append(Dim("", 1))
        elif _is_ellipsis(part):
            dims.extend(next(source) for _ in range(base.ndim - consumed))
        elif isinstance(part, ir.Slice):
            dim = next(source, None)
            sliced = _slice_dim(dim, part, builder)
            whole = whole and sliced is not None and sliced.same(dim)
            dims.append(sliced)
        elif isinstance(type_of_operand(part), (Scalar, Unknown)):
            next(source, None)
            if dims and any(not d.is_one if d else True for d in dims):
                whole = False
        else:
            return UNKNOWN
    dims.extend(source)
    if not dims and not any(_is_ellipsis(part) for part in parts):
        return Scalar(base.dtype, weak=False)
    # A leading slice of a contiguous array is contiguous, too.
    leading = (
        len(parts) == 1 and isinstance(parts[0], ir.Slice) and _step(parts[0]) == 1
    )
    return Array(base.dtype, tuple(dims), base.contiguous and (whole or leading))


def shape_type(base: Array) -> TupleOf:
    return TupleOf(tuple(Scalar("int64", size=dim) for dim in base.dims))


def _step(part: ir.Slice) -> int | None:
    if isinstance(part.step, ir.Const):
        return 1 if part.step.value is None else int(part.step.value)
    return None


def _has_step(index: ir.Operand) -> bool:
    parts = index.items if isinstance(index, ir.Pack) else (index,)
    return any(isinstance(part, ir.Slice) and _step(part) != 1 for part in parts)


def _is_new_axis(part: ir.Operand) -> bool:
    return isinstance(part, ir.Const) and part.value is None


def _is_ellipsis(part: ir.Operand) -> bool:
    return isinstance(part, ir.Const) and part.value is Ellipsis


def _slice_dim(dim: Dim | None, part: ir.Slice, builder: Builder) -> Dim | None:
    """The size of `x[start:stop:step]`, where simple arithmetic on symbols gives it.

    Bounds that the compiler reads as `size + c` are clipped by NumPy to [0, size]; two
    slices with the same bounds get the same symbol in any case.
    """
    if dim is None or _step(part) not in (1, -1):
        return _same_slice(dim, part, builder)
    if _step(part) == -1:
        if is_value(part.start, None) and is_value(part.stop, None):
            return dim
        return _same_slice(dim, part, builder)
    start = _bound(part.start, dim, Dim("", 0))
    stop = _bound(part.stop, dim, dim)
    if start is None or stop is None:
        return _same_slice(dim, part, builder)
    if not dim.symbol and not start.symbol and not stop.symbol:
        # A plain number: the bounds are known, clipped as NumPy clips them.
        first, last = (min(max(b.offset, 0), dim.offset) for b in (start, stop))
        return Dim("", max(0, last - first))
    if not start.symbol and start.offset >= 0 and stop.symbol == dim.symbol:
        if stop.offset <= dim.offset:
            return stop.plus(-start.offset)
    return _same_slice(dim, part, builder)


def _bound(bound: ir.Operand, dim: Dim, default: Dim) -> Dim | None:
    if isinstance(bound, ir.Const):
        if bound.value is None:
            return default
        if isinstance(bound.value, (int, np.integer)):
            return (
                Dim("", int(bound.value))
                if bound.value >= 0
                else dim.plus(int(bound.value))
            )
        return None
    kind = type_of_operand(bound)
    if isinstance(kind, Scalar) and kind.size is not None:
        size = kind.size
        if size.symbol.startswith("n") or not size.symbol and size.offset >= 0:
            return size
    return None


def _same_slice(dim: Dim | None, part: ir.Slice, builder: Builder) -> Dim:
    """A size of its own for slices with these bounds, in all sweeps the same."""
    bounds = (part.start, part.stop, part.step)
    said = [_said(bound) for bound in bounds]
    now, due_to = _size_now(dim, part)
    if dim is not None and None not in said:
        size = f"{dim.symbol}{dim.offset:+d}"
        return Dim(f"m{size}[{':'.join(map(str, said))}]", 0, now, due_to)
    key = (dim, *(_bound_key(bound) for bound in bounds))
    if key not in builder.slice_sizes:
        builder.slice_sizes[key] = found_size(now, due_to)
    return builder.slice_sizes[key]


def _said(bound: ir.Operand) -> str | None:
    """A bound in words: equal words are equal numbers."""
    if isinstance(bound, ir.Const):
        return "" if bound.value is None else f"{bound.value}"
    kind = type_of_operand(bound)
    if not isinstance(kind, Scalar) or kind.size is None:
        return None
    return f"{kind.size.symbol}{kind.size.offset:+d}"


def _size_now(dim: Dim | None, part: ir.Slice) -> tuple[int | None, frozenset[int]]:
    """The size of a slice in the call that is compiled for, and what it follows from."""
    if dim is None or dim.number is None:
        return None, frozenset()
    due_to = set(dim.due_to)
    bounds: list[int | None] = []
    for bound in (part.start, part.stop, part.step):
        kind = type_of_operand(bound)
        if isinstance(bound, ir.Const):
            bounds.append(bound.value)
        elif isinstance(kind, Scalar) and kind.size is not None:
            if kind.size.number is None:
                return None, frozenset()
            bounds.append(kind.size.number)
            due_to |= kind.size.due_to
        else:
            return None, frozenset()
    return len(range(dim.number)[slice(*bounds)]), frozenset(due_to)


def _bound_key(bound: ir.Operand) -> Any:
    return ("const", bound.value) if isinstance(bound, ir.Const) else bound


def _advanced_type(base: Array, index: ir.Operand, builder: Builder) -> Type:
    masks = [
        var
        for var in ir.leaves(index)
        if isinstance(var.type, Array) and var.type.dtype == "bool"
    ]
    if not masks:
        holder = ir.Var("", base)
        result = infer_call(operator.getitem, (holder, index), fix_sizes=True)
        kind = result.types[0] if not result.unpacks else UNKNOWN
        if isinstance(kind, Array) and _has_step(index):
            # `x[::10, rows]` has one row of the small stand-ins, and more of others.
            dims = tuple(None if d is None or d.is_one else d for d in kind.dims)
            return replace(kind, dims=dims)
        return kind
    if index is masks[0] and isinstance(masks[0].type, Array):
        key = ("mask", masks[0])
        size = builder.slice_sizes.setdefault(key, found_size())
        return Array(base.dtype, (size, *base.dims[masks[0].type.ndim :]), True)
    return UNKNOWN
