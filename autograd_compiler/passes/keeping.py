"""Making primal values available to the reverse sweep, as `storage.py` decides."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from types import MappingProxyType
from typing import Any

import numpy as np

from autograd_compiler import ir
from autograd_compiler.names import result_name
from autograd_compiler.passes.forms import shape_from, shape_of, with_shape
from autograd_compiler.passes.recompute import retarget
from autograd_compiler.passes.storage import (
    Buffers,
    Stored,
    always_defined,
    copier,
    is_cheap,
    needed,
)
from autograd_compiler.passes.unstack import Filled, filled_lists
from autograd_compiler.types import (
    WRITABLE_CONTAINERS,
    Array,
    ListOf,
    Opaque,
    Scalar,
    TupleOf,
    Type,
    is_inexact,
    ndim,
)


class Keeper:
    """What is kept for the reverse sweep: tapes, copies, and values computed again."""

    def __init__(
        self,
        body: ir.Block,
        shares: dict[ir.Var, tuple[ir.Var, ...]],
        compiled: bool = False,
    ) -> None:
        self.compiled = compiled
        self.buffers = Buffers(body, shares)
        self.definitions: dict[ir.Var, ir.Operation] = {
            target: op for op in ir.walk(body) for target in ir.targets(op)
        }
        # What is still there, as it was, when the reverse sweep begins.
        self.unwritten = [
            var
            for var in (
                *ir.free_vars(body),
                *(v for op in body.ops for v in ir.targets(op)),
            )
            if not self.buffers.ever_written(var)
        ]
        # Arguments that stay as they are: their sizes can be asked for anywhere.
        self.constant_arrays = [
            var
            for var in ir.free_vars(body)
            if isinstance(var.type, Array) and not self.buffers.ever_written(var)
        ]
        # In the body itself: what an inner loop fills is gone when it is needed.
        self._filled = list(filled_lists(body))
        # What is read in the forward sweep only to be kept: it must have a value there.
        self.read: set[ir.Var] = set()
        self.tapes: dict[ir.Var, None] = {}
        self.stored: list[Stored] = []

    def is_copied(self, var: ir.Var) -> bool:
        """Whether a value must be copied to be kept: its buffer is written later."""
        return not isinstance(var.type, Opaque) and self.buffers.written_after(var)

    def copier(self, var: ir.Var) -> Any:
        """What copies a value: whole, if what a container holds is written, too."""
        return copier(var.type, self.buffers.items_written(var))

    def outside(self, var: ir.Var, own: set[ir.Var]) -> ir.Var | None:
        """The list that a branch has changed, as it is where the branch is not taken."""
        if not isinstance(var.type, WRITABLE_CONTAINERS):
            return None
        while var in own:
            match self.definitions.get(var):
                case ir.Append(base=base) | ir.Pop(base=base) | ir.Store(base=base):
                    var = base
                case ir.For() | ir.While() as loop:
                    init = loop.inits[loop.targets.index(var)]
                    if not isinstance(init, ir.Var):
                        return None
                    var = init
                case _:
                    return None
        return var

    def kept(self, var: ir.Var, content: bool, forward: list[ir.Operation]) -> ir.Var:
        """The variable, or a copy of it if its buffer is written later."""
        if not content or not self.is_copied(var):
            return var
        saved = ir.Var(var.name, var.type)
        self.note(var, "snapshot", "its array is written later")
        self.read.add(var)
        copy = ir.Apply(ir.NOWHERE, (saved,), self.copier(var), (var,))
        insert_after(forward, var, copy)
        return saved

    def tape(
        self,
        wanted: dict[ir.Var, bool],
        forward: list[ir.Operation],
        backward: list[ir.Operation],
        span: ir.Span,
        known: dict[ir.Var, ir.Var] | None = None,
        inner: Iterable[ir.Var] = (),
        history: Mapping[ir.Var, tuple[Filled, ir.Var]] = MappingProxyType({}),
    ) -> dict[ir.Var, ir.Var]:
        """Keep what the reverse body needs: compute it again, or push and pop it.

        `inner` are the parameters and index of the loop whose body this is, and `known`
        those that the reverse body has already; `history` has values that a list of the
        program holds anyway, and the number of the iteration.  What gives the values is
        put in front of `backward`.
        """
        change: dict[ir.Var, ir.Var] = dict(known or {})
        own = defined_at(forward) | set(inner)
        again: list[ir.Operation] = []
        for var in wanted:
            if var in history and var not in change and wanted[var]:
                listed, number = history[var]
                if not number.name.strip("_"):
                    number.name = ""  # `_` is for what nobody reads
                place_ops, place = listed.position(number)
                change[var] = ir.Var(var.name, var.type)
                path = (ir.Index(place),)
                read = ir.Load(span, change[var], listed.target, path, adjoint=True)
                again += [*place_ops, read]
        again_anyway = {
            var for var in wanted if self._steps(var, own, set(change)) is not None
        }
        wanted = self.by_shape(wanted, forward, backward, again_anyway)
        every = {var: content for var, content in wanted.items() if var not in change}
        kept = self._least(every, {}, own, set(change))
        if self.compiled:
            state = {
                var: True
                for var in inner
                if var not in every and var not in change and is_inexact(var.type)
            }
            more = self._least(every, state, own, set(change))
            if _size(more) < _size(kept):
                kept = more
        for var in every:
            if var in change or var in kept:
                continue
            for op in self._steps(var, own, set(kept) | set(change)) or ():
                (target,) = ir.targets(op)
                if target in change:  # two of its values need it
                    continue
                change[target] = ir.Var(target.name, target.type)
                again.append(retarget(op, change[target]))
        pops: list[ir.Operation] = []
        for var, content in kept.items():
            self.give_name(var)
            tape = ir.Var(f"{var.name or 'shape'}_tape", ListOf(var.type))
            self.tapes[tape] = None
            self.read.add(var)
            if content and self.is_copied(var):
                pushed = ir.Var("", var.type)
                copy = ir.Apply(ir.NOWHERE, (pushed,), self.copier(var), (var,))
                push = ir.Append(ir.NOWHERE, ir.Var(), tape, pushed)
                insert_after(forward, var, copy, push)
            else:
                insert_after(forward, var, ir.Append(ir.NOWHERE, ir.Var(), tape, var))
            popped = ir.Var(var.name, var.type)
            pops.append(ir.Pop(span, ir.Var(), popped, tape, adjoint=True))
            change[var] = popped
            self.note(var, "tape", "it changes in each iteration")
        backward[:0] = [*pops, *(substitute(op, change) for op in again)]
        return change

    def give_name(self, var: ir.Var) -> None:
        """Name a temporary after what gives it, to be the same in both sweeps.

        A shape stays without a name: where the text is differentiated again, a loop must
        not carry a tuple of numbers from one sweep to the other.
        """
        if not var.name and not isinstance(var.type, TupleOf):
            var.name = _name_of(self.definitions.get(var)) or "value"

    def cheap(
        self, wanted: Iterable[ir.Var], own: set[ir.Var], known: Iterable[ir.Var]
    ) -> dict[ir.Var, list[ir.Operation]]:
        """The wanted values that need not be kept, and what computes them again.

        They follow from the others that are wanted, from what is `known`, and from what
        is not of the sweep's `own`.
        """
        known = set(known)
        every = dict.fromkeys((var for var in wanted if var not in known), True)
        kept = self._least(every, {}, own, known)
        return {
            var: self._steps(var, own, {*kept, *known}) or []
            for var in every
            if var not in kept
        }

    def _least(
        self,
        wanted: dict[ir.Var, bool],
        state: dict[ir.Var, bool],
        own: set[ir.Var],
        known: set[ir.Var],
    ) -> dict[ir.Var, bool]:
        """What to keep so that all that is wanted can be had; `state` may be kept too."""
        kept = {**state, **wanted}
        for var in reversed(wanted):
            others = {other for other in kept if other is not var} | known
            if self._steps(var, own, others) is not None:
                del kept[var]
        read: set[ir.Var] = set()
        for var in wanted:
            if var not in kept:
                for op in self._steps(var, own, set(kept) | known) or ():
                    read.update(ir.uses(op))
        return {var: kept[var] for var in kept if var in wanted or var in read}

    def by_shape(
        self,
        wanted: dict[ir.Var, bool],
        forward: list[ir.Operation],
        backward: list[ir.Operation],
        available: Collection[ir.Var] = (),
    ) -> dict[ir.Var, bool]:
        """What is wanted, with the shapes of arrays of which only the form is needed."""
        found: dict[ir.Var, bool] = {}
        for var, content in wanted.items():
            if content or var in available or not isinstance(var.type, Array):
                found[var] = content
                continue
            known = shape_from(var, self.constant_arrays)
            if known is not None:
                ops, sizes = known
                backward[:] = [*ops, *with_shape(backward, var, sizes)]
                continue
            shape, size = shape_of(var, adjoint=False)
            self.read.add(var)
            insert_after(forward, var, size)
            found[shape] = True
            backward[:] = with_shape(backward, var, shape)
        return found

    def _steps(
        self, var: ir.Var, own: set[ir.Var], available: set[ir.Var]
    ) -> list[ir.Operation] | None:
        """The cheap operations that compute a value from what is available, or None."""
        if var in available:
            return []
        op = self.definitions.get(var)
        if op is None or not is_cheap(op, self.compiled) or len(ir.targets(op)) != 1:
            return None
        steps: list[ir.Operation] = []
        for leaf in ir.uses(op):
            reads = not (isinstance(op, ir.Apply) and op.fn in (getattr, len))
            if reads and self.buffers.written_after(leaf):
                return None
            if leaf not in own:
                continue
            before = self._steps(leaf, own, available)
            if before is None:
                return None
            available = available | {leaf}
            steps.extend(before)
        return [*steps, op]

    def history(
        self, loop: ir.For | ir.While, number: ir.Var
    ) -> dict[ir.Var, tuple[Filled, ir.Var]]:
        """Values of a loop that a list of the program holds, one of each iteration."""
        return {
            found.value: (found, number)
            for found in self._filled
            if found.loop is loop
            and isinstance(found.value, ir.Var)
            and not self.buffers.written_after(found.value)
            and self.buffers.written_only_by(found.append.target, found.target)
        }

    # ------------------------------------------------------------ snapshots

    def snapshots(
        self,
        forward: list[ir.Operation],
        backward: tuple[ir.Operation, ...],
        gradients: dict[ir.Var, ir.Operand],
    ) -> tuple[Any, Any, dict[ir.Var, ir.Operand]]:
        """Copy, before they are written, values outside of loops that are needed."""
        change: dict[ir.Var, ir.Var] = {}
        front: list[ir.Operation] = []
        defined = defined_at(forward)
        for var, content in needed(list(backward), tuple(gradients.values())).items():
            if not content or not self.buffers.written_after(var):
                continue
            if isinstance(var.type, (Opaque,)):
                continue
            saved = ir.Var(var.name, var.type)
            copy = ir.Apply(ir.NOWHERE, (saved,), self.copier(var), (var,))
            if var in defined:
                insert_after(forward, var, copy)
            elif not any(var in ir.targets(op) for op in backward):
                front.append(copy)
            change[var] = saved
            self.read.add(var)
            self.note(var, "snapshot", "its array is written later")
        done = tuple(substitute(op, change) for op in backward)
        return (
            always_defined((*front, *forward), self.read),
            done,
            {var: swap(value, change) for var, value in gradients.items()},
        )

    def note(self, var: ir.Var, kind: str, why: str) -> None:
        op = self.definitions.get(var)
        line = op.span.line if op is not None else 0
        text = describe_type(var.type)
        if size := describe_bytes(var.type):
            each = " in each iteration" if kind == "tape" else ""
            text = f"{text} ({size} bytes{each})"
        self.stored.append(Stored(var.name or "(temporary)", line, kind, text, why))


def describe_bytes(kind: Type) -> str:
    """How many bytes a value takes, in terms of the sizes: `8·n0·n1`."""
    if isinstance(kind, Scalar):
        return str(np.dtype(kind.dtype).itemsize)
    if not isinstance(kind, Array) or None in kind.dims:
        return ""
    number = np.dtype(kind.dtype).itemsize
    factors = []
    for dim in kind.dims:
        if dim is None or dim.symbol.startswith("m"):
            return ""
        if not dim.symbol:
            number *= dim.offset
        elif dim.offset:
            sign = "+" if dim.offset > 0 else "-"
            factors.append(f"({dim.symbol} {sign} {abs(dim.offset)})")
        else:
            factors.append(dim.symbol)
    return "·".join([str(number), *factors])


def _name_of(op: ir.Operation | None) -> str:
    match op:
        case ir.Apply(fn=fn, args=args):
            first = args[0].name if args and isinstance(args[0], ir.Var) else ""
            return result_name(fn, first, words=True)
        case ir.Load(base=ir.Var(name=base), path=(ir.Index(index), *_)) if base:
            return _item_name(base, index)
    return ""


def _item_name(base: str, index: ir.Operand) -> str:
    match index:
        case ir.Const(int() as number) if number >= 0:
            return f"{base}_{number}"
        case ir.Var(name=name) if name:
            return f"{base}_{name}"
        case ir.Slice():
            return f"{base}_part"
    return f"{base}_item"


def _size(kept: dict[ir.Var, bool]) -> int:
    """How much it is to keep, in a rough order: an array is more than many numbers."""
    return sum(10 ** (ndim(var.type) or 0) for var in kept)


def describe_type(kind: Type) -> str:
    match kind:
        case Array(dtype, dims):
            # Sizes found on the way have a number that says nothing.
            sizes = (
                (
                    "?"
                    if d is None or d.symbol.startswith("m")
                    else f"{d.symbol or d.offset}"
                )
                for d in dims
            )
            return f"{dtype}[{', '.join(sizes)}]"
        case Scalar(dtype):
            return dtype
        case ListOf(item):
            return f"list of {describe_type(item)}"
    return type(kind).__name__.lower()


def defined_in(block: ir.Block) -> set[ir.Var]:
    found: set[ir.Var] = set()
    for op in ir.walk(block):
        found.update(ir.targets(op))
        found.update(ir.inner_vars(op))
    return found


def defined_at(ops: Iterable[ir.Operation]) -> set[ir.Var]:
    return {target for op in ops for target in ir.targets(op)}


def swap(operand: ir.Operand, change: dict[ir.Var, ir.Var]) -> ir.Operand:
    return ir.rebuild(operand, lambda var: change.get(var, var))


def substitute(op: ir.Operation, change: dict[ir.Var, ir.Var]) -> ir.Operation:
    if not change:
        return op
    return ir.rebuild_op(op, lambda var: change.get(var, var))


def insert_after(ops: list[ir.Operation], var: ir.Var, *new: ir.Operation) -> None:
    """Put operations behind the one that defines a variable (in front: a parameter)."""
    for position, op in enumerate(ops):
        if var in ir.targets(op):
            ops[position + 1 : position + 1] = new
            return
    ops[0:0] = new
