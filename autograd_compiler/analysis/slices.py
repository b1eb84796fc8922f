"""The sizes of slices, computed rather than tried out.

Stand-ins of a few sizes cannot tell `u[:5]`, which is shorter where `u` is, from an
array of 5.
"""

from __future__ import annotations

from autograd_compiler import ir
from autograd_compiler.types import Array, Dim

SMALLEST = 2  # what a symbol of an argument's size stands for, at least


def with_slices(kind: Array, base: Array, index: ir.Operand) -> Array:
    """`kind`, the type of `base[index]`, with exact sizes where numbers slice it."""
    parts = index.items if isinstance(index, ir.Pack) else (index,)
    dims = list(kind.dims)
    axis = position = 0
    for part in parts:
        match part:
            case ir.Const(None):
                position += 1
            case ir.Slice():
                if position >= len(dims) or axis >= base.ndim:
                    return kind
                if _is_constant(part):
                    dims[position] = _size(part, base.dims[axis])
                axis += 1
                position += 1
            case ir.Const(value) if type(value) is int:
                axis += 1
            case _:
                break  # what follows an array or an ellipsis stands elsewhere
    return Array(kind.dtype, tuple(dims), kind.contiguous)


def _is_constant(part: ir.Slice) -> bool:
    return all(
        isinstance(bound, ir.Const) and type(bound.value) in (int, type(None))
        for bound in (part.start, part.stop, part.step)
    )


def _size(part: ir.Slice, dim: Dim | None) -> Dim | None:
    start, stop, step = (
        bound.value if isinstance(bound, ir.Const) else None
        for bound in (part.start, part.stop, part.step)
    )
    if (start, stop, step) == (None, None, None):
        return dim
    if dim is None:
        return None
    if not dim.symbol:
        return Dim("", len(range(*slice(start, stop, step).indices(dim.offset))))
    if step in (None, 1):
        first = start or 0
        if first >= 0 and (stop is None or stop < 0):
            return dim.plus((stop or 0) - first)
        if dim.symbol.startswith("n") and dim.offset >= 0:
            least = SMALLEST + dim.offset
            inside = [bound for bound in (start, stop) if bound is not None]
            if all(-least <= bound <= least for bound in inside):
                # The same for every size from the least one on, or else not known.
                sizes = {
                    len(range(*slice(start, stop).indices(size)))
                    for size in (least, least + 1, 2 * least + 1)
                }
                return Dim("", sizes.pop()) if len(sizes) == 1 else None
    if step == -1 and start is None and stop is None:
        return dim
    return None
