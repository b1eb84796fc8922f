"""Which elements a subscript or a view picks, and when two accesses can meet."""

from __future__ import annotations

import operator

import numpy as np

from autograd_compiler import ir
from autograd_compiler.analysis.infer import infer_call
from autograd_compiler.analysis.slices import SMALLEST
from autograd_compiler.backend.loops.expressions import (
    At,
    Map,
    known_dims,
    own_axes,
    through,
)
from autograd_compiler.types import Array, Dim, Scalar, Type


def region(base: ir.Var, path: ir.Path) -> tuple[Map, tuple[Dim, ...]] | None:
    """Where `base[path]` lies in its base, and its sizes; None if that is not known."""
    kind: Type = base.type
    if not isinstance(kind, Array):
        return None
    at = own_axes(kind.ndim)
    for step in path:
        if not isinstance(step, ir.Index) or step.attribute:
            return None
        if not isinstance(kind, Array):
            return None
        places = _places(step.index, kind.ndim)
        if places is None:
            return None
        at = through(at, places)
        holder = ir.Var("", kind)
        kind = infer_call(operator.getitem, (holder, step.index)).types[0]
    dims = known_dims(kind)
    return None if dims is None else (at, dims)


def _places(index: ir.Operand, rank: int) -> Map | None:
    """For each axis of what is indexed, the axis of the result that runs along it."""
    parts = index.items if isinstance(index, ir.Pack) else (index,)
    if isinstance(index, ir.Pack) and index.form.kind != "tuple":
        return None
    places: list[At] = []
    axis = 0
    for part in parts:
        match part:
            case ir.Const(None):
                axis += 1
            case ir.Slice(start, _, step):
                if not _is(step, None) and not _is(step, 1):
                    return None
                first = 0 if _is(start, None) else _number(start)
                if first is None or first < 0:
                    return None
                places.append(At(axis, first))
                axis += 1
            case ir.Const(value) if type(value) is int:
                places.append(At(None, value))
            case ir.Var(type=Scalar("int64")):
                places.append(At(None, 0, part))
            case _:
                return None
    while len(places) < rank:
        places.append(At(axis))
        axis += 1
    return tuple(places) if len(places) == rank else None


def view(op: ir.Apply) -> Map | None:
    """For each axis of the argument of a view, the axis of the result that it is."""
    source, *others = op.args
    kind = source.type if isinstance(source, ir.Var) else None
    result = op.targets[0].type
    if not isinstance(kind, Array) or not isinstance(result, Array):
        return None
    if op.fn is np.expand_dims:
        axis = _number(dict(op.kwargs).get("axis", others[0] if others else None))
        if axis is None:
            return None
        axis %= kind.ndim + 1
        return tuple(At(k + (k >= axis)) for k in range(kind.ndim))
    if op.fn is np.transpose and not others and not op.kwargs:
        return tuple(At(kind.ndim - 1 - k) for k in range(kind.ndim))
    if op.fn is np.broadcast_to and not op.kwargs:
        missing = result.ndim - kind.ndim
        return tuple(
            At(None) if dim is not None and dim.is_one else At(missing + k)
            for k, dim in enumerate(kind.dims)
        )
    return None


def roll(op: ir.Apply) -> int | None:
    """The shift of a roll of a vector that is longer than it."""
    given = dict(zip(("a", "shift", "axis"), op.args, strict=False)) | dict(op.kwargs)
    axis, shift = given.get("axis", ir.Const(None)), _number(given.get("shift"))
    result = op.targets[0].type
    if op.fn is not np.roll or not isinstance(result, Array) or shift is None:
        return None
    dim = result.dims[0] if result.ndim == 1 else None
    if dim is None or not (_is(axis, None) or _is(axis, 0)):
        return None
    if not dim.symbol:
        least = dim.offset
    else:
        least = SMALLEST if dim.symbol.startswith("n") and not dim.offset else 0
    return shift if 0 < abs(shift) <= least else None


def _is(operand: ir.Operand, value: object) -> bool:
    if not isinstance(operand, ir.Const):
        return False
    return operand.value is None if value is None else operand.value == value


def _number(operand: ir.Operand | None) -> int | None:
    if isinstance(operand, ir.Const) and type(operand.value) is int:
        return operand.value
    return None


def meets_later(first: Map, second: Map, depth: int) -> bool:
    """Whether `second`, at some iteration, touches what `first` does at a later one.

    Then the two statements cannot share the outer `depth` loops.  Both are indices into
    the same array.
    """
    distance: dict[int, int] = {}
    for one, other in zip(first, second, strict=True):
        if one.axis is None and other.axis is None:
            both = one.fixed is None and other.fixed is None
            alike = (one.offset < 0) == (other.offset < 0)
            if both and alike and one.offset != other.offset:
                return False  # never the same element
            continue
        if one.axis != other.axis or one.axis is None:
            return True
        if (one.wraps or other.wraps) and one != other:
            return True
        apart = other.offset - one.offset
        if distance.setdefault(one.axis, apart) != apart:
            return False
    for axis in range(depth):
        if axis not in distance:
            return True
        if distance[axis]:
            return distance[axis] > 0
    return False


def same_place(first: Map, second: Map, rank: int) -> bool:
    """Whether both touch the same element in each iteration, and no other one."""
    if len(first) != len(second):
        return False
    axes = {place.axis for place in first}
    if not axes.issuperset(range(rank)):
        return False
    return all(
        one.axis == other.axis
        and one.wraps == other.wraps
        and one.offset == other.offset
        and one.fixed is other.fixed
        for one, other in zip(first, second, strict=True)
    )
