"""Adding up contributions to adjoints: the chain rule's sums, once for all operators.

Note [Ownership].  An adjoint array may be accumulated into in place only if nothing
else refers to its buffer.  `z = x + y` hands one adjoint to both operands: it is
*borrowed*, and the next contribution makes a new array.  What an operation has made
anew is *owned*.  An adjoint list is owned if the list itself is; what is in it is
referred to from nowhere else, or nothing is ever written into it (`as_item`).
"""

from __future__ import annotations

import operator
from dataclasses import dataclass
from typing import Any

import numpy as np

from autograd_compiler import ir, runtime
from autograd_compiler.analysis.forms import makes_new_memory
from autograd_compiler.builder import Builder
from autograd_compiler.names import adjoint_name
from autograd_compiler.operands import type_of_operand
from autograd_compiler.passes.masks import Masked
from autograd_compiler.passes.storage import copier
from autograd_compiler.types import (
    CONTAINERS,
    Array,
    Bottom,
    DictOf,
    ListOf,
    Nested,
    Opaque,
    Scalar,
    TupleOf,
    Type,
    Unknown,
    is_complex,
    is_inexact,
    same_size,
)

# Views that cannot be written, whatever they are of.
_READ_ONLY = {np.broadcast_to, np.diagonal, np.real, np.imag}


@dataclass(eq=False)
class Adjoint:
    """The adjoint of one value so far; see Note [Ownership]."""

    value: ir.Operand
    owned: bool


Scope = dict[ir.Var, Adjoint]


class Adjoints:
    """The adjoint of each value so far, and the operations that add to them.

    Attributes
    ----------
    active
        The values that have an adjoint; contributions to others are dropped.
    """

    def __init__(self, active: set[ir.Var]) -> None:
        self.builder = Builder()
        self.builder.adjoint = self.builder.deriving = True
        self.active = active
        # The values that are subscripted somewhere, and those that may have no value.
        self.indexed: set[ir.Var] = set()
        self.unassigned: set[ir.Var] = set()
        # What loops have accumulated in memory of its own.
        self.own_targets: set[ir.Var] = set()
        self.adjoints: Scope = {}
        # What adjoints were chosen from, of the block at hand; see Note [Masks].
        self.masked: dict[ir.Operand, Masked] = {}
        # Contributions that are computed and not yet added.
        self.pending: list[Adjoint] = []

    def take(self, var: ir.Var) -> Adjoint | None:
        entry = self.adjoints.pop(var, None)
        if entry is not None:
            self.builder.forms.declare_like(entry.value, var)
        return entry

    def items_written(self, var: ir.Var) -> bool:
        """Whether arrays in a container, and so in its adjoint, are written in place."""
        raise TypeError("only the worker of the reverse pass knows the primal")

    def as_item(self, entry: Adjoint, container: ir.Var) -> ir.Operand:
        """An adjoint that goes into the adjoint of a container.

        See Note [Ownership]: what is in a container cannot be followed any more, so it
        must be nothing that is written into under another name.
        """
        value = entry.value
        if entry.owned or isinstance(type_of_operand(value), (Scalar, Opaque)):
            return value
        if not self.items_written(container) and not self._is_held(value):
            return value
        return self._copied(value, deep=True)

    def as_items(
        self, parts: ir.Operand, whole: Adjoint | None, container: ir.Var
    ) -> ir.Operand:
        """The adjoint of a container, which a rule has made of parts of another one."""
        held = whole is not None and not whole.owned and self._is_held(whole.value)
        if not isinstance(parts, ir.Var) or not (held or self.items_written(container)):
            return parts
        return self.typed(copier(container.type, True), container.type, parts)

    def _copied(self, value: ir.Operand, deep: bool) -> ir.Var:
        kind = type_of_operand(value)
        copy = copier(kind, deep)
        if copy is np.copy:
            return self.builder.var(np.copy, value)
        return self.typed(copy, kind, value)

    def _is_held(self, value: ir.Operand) -> bool:
        """Whether another adjoint is, or shares memory with, one that was taken."""
        roots = {root for leaf in ir.leaves(value) for root in self._roots(leaf)}
        return any(
            not roots.isdisjoint(self._roots(leaf))
            for entry in [*self.adjoints.values(), *self.pending]
            for leaf in ir.leaves(entry.value)
            if not isinstance(leaf.type, Scalar)
        )

    def _roots(self, var: ir.Var) -> set[ir.Var]:
        """A value and all that it is a view of."""
        found = {var}
        for other in self.builder.shares.get(var, ()):
            found |= self._roots(other)
        return found

    def contribute_all(
        self, contributions: list[tuple[ir.Operand, ir.Operand, bool]]
    ) -> None:
        """Add several contributions, none of which may see what another one adds."""
        waiting = [Adjoint(value, owned) for _, value, owned in contributions]
        self.pending.extend(waiting)
        for (operand, _, _), entry in zip(contributions, waiting, strict=True):
            self.pending.remove(entry)
            self.contribute(operand, entry.value, entry.owned)

    def contribute(self, operand: ir.Operand, value: ir.Operand, owned: bool) -> None:
        """Add a contribution to the adjoint of an operand."""
        match operand:
            case ir.Var():
                if operand in self.active and not _is_zero(value):
                    self._accumulate(operand, value, owned)
            case ir.Pack(items, form):
                for k, item in enumerate(items):
                    if any(leaf in self.active for leaf in ir.leaves(item)):
                        self.contribute(item, self._item(value, k, form), False)

    def _item(self, value: ir.Operand, position: int, form: ir.Form) -> ir.Operand:
        if isinstance(value, ir.Pack):
            return value.items[position]
        key = form.keys[position] if form.kind == "dict" else position
        return self.builder.load(value, (ir.Index(ir.Const(key)),))

    def _accumulate(self, var: ir.Var, value: ir.Operand, owned: bool) -> None:
        value, fitted = self._fit(value, var)
        owned = owned or fitted
        so_far = self.adjoints.get(var)
        if so_far is None:
            if isinstance(value, ir.Var) and not value.name and var.name:
                # A temporary of the primal may serve as an adjoint; it stays unnamed.
                if any(value in ir.targets(op) for op in self.builder.ops[-40:]):
                    value.name = adjoint_name(var.name)
            self.adjoints[var] = Adjoint(value, owned)
            return
        if isinstance(var.type, CONTAINERS):
            total: ir.Operand = self.typed(runtime.add, var.type, so_far.value, value)
        elif (
            isinstance(var.type, Array)
            and so_far.owned
            and isinstance(so_far.value, ir.Var)
            and isinstance(so_far.value.type, Array)
        ):
            total = self.update(var, so_far.value, (), value, "add")
        else:
            total = self.builder.apply(operator.add, so_far.value, value)
        if isinstance(total, ir.Var):
            total.type = _adjoint_type(total.type, var.type)
            if var.name:
                total.name = adjoint_name(var.name)
        self.adjoints[var] = Adjoint(total, True)

    def update(
        self, owner: ir.Var, base: ir.Var, path: ir.Path, value: ir.Operand, mode: str
    ) -> ir.Var:
        """Write into an owned adjoint, once those that borrow from it have a copy."""
        self.settle_borrowers(owner, base)
        if mode == "add":  # which broadcasts by itself
            value = self.builder.broadcast_source(value) or value
        return self.builder.store(base, path, value, mode)

    def settle_borrowers(self, owner: ir.Var, base: ir.Var) -> None:
        if isinstance(base.type, Scalar):  # numbers are not written into
            return
        for key, masked in list(self.masked.items()):
            held = masked.value
            if isinstance(held, ir.Var) and (held is base or self._views(held, base)):
                del self.masked[key]
        others = [entry for var, entry in self.adjoints.items() if var is not owner]
        for entry in [*others, *self.pending]:
            held = entry.value
            if isinstance(held, ir.Var) and (held is base or self._views(held, base)):
                if isinstance(held.type, Scalar):
                    continue
                entry.value = self._copied(held, deep=True)
                entry.value.name = held.name
                entry.owned = True

    def _views(self, var: ir.Var, base: ir.Var) -> bool:
        shared = self.builder.shares.get(var, ())
        return any(other is base or self._views(other, base) for other in shared)

    def _fit(self, value: ir.Operand, var: ir.Var) -> tuple[ir.Operand, bool]:
        """A contribution in the shape and kind of the value that it is for.

        The second result says whether a new array was made.
        """
        kind, given = var.type, type_of_operand(value)
        if is_complex(given) and not is_complex(kind) and not isinstance(kind, Unknown):
            value = self.builder.apply(np.real, value)
            given = type_of_operand(value)
        match kind, given:
            case Scalar(), Scalar():
                return value, False
            case Scalar(), Array():
                return self.builder.apply(np.sum, value), True
            case Array(), Scalar() if kind.ndim == 0:
                return value, False
            case Array(), Scalar():
                shape = self.builder.apply(getattr, var, ir.Const("shape"))
                return self.builder.apply(np.broadcast_to, value, shape), False
            case Array(), Array():
                return self._fit_array(value, kind, given, var)
            case (ListOf() | DictOf() | TupleOf() | Nested() | Opaque()), _:
                return value, False
        return self._fit_unknown(value, var), False

    def _fit_unknown(self, value: ir.Operand, var: ir.Var) -> ir.Operand:
        forms = self.builder.forms
        if forms.no_more_complex(value, var):
            if forms.same_shape(value, var):
                return value
            if forms.shape(value) < forms.shape(var):
                shape = self.builder.apply(np.shape, var)
                return self.builder.apply(np.broadcast_to, value, shape)
        return self.builder.apply(runtime.unbroadcast, value, var)

    def _fit_array(
        self, value: ir.Operand, kind: Array, given: Array, var: ir.Var
    ) -> tuple[ir.Operand, bool]:
        extra = given.ndim - kind.ndim
        if extra < 0:
            shape = self.builder.apply(getattr, var, ir.Const("shape"))
            return self.builder.apply(np.broadcast_to, value, shape), False
        kept = given.dims[extra:]
        stretched: list[int] = []
        for axis, (own, dim) in enumerate(zip(kind.dims, kept, strict=True)):
            if own is None or dim is None:
                return self.builder.apply(runtime.unbroadcast, value, var), False
            if own.is_not_one or same_size(own, dim):
                continue
            if own.is_one:
                stretched.append(axis)
            else:
                return self.builder.apply(runtime.unbroadcast, value, var), False
        fitted = False
        if extra:
            axes: Any = tuple(range(extra)) if extra > 1 else 0
            value = self.builder.apply(np.sum, value, axis=_constant(axes))
            fitted = True
        if stretched:
            axes = tuple(stretched) if len(stretched) > 1 else stretched[0]
            value = self.builder.apply(
                np.sum, value, axis=_constant(axes), keepdims=ir.Const(True)
            )
            fitted = True
        return value, fitted

    def by_value(self, var: ir.Var) -> bool:
        """Whether nothing is written into the adjoint of a variable."""
        if isinstance(var.type, Unknown):
            return var not in self.indexed
        return isinstance(var.type, (Scalar, Bottom))

    def zeros(self, var: ir.Var) -> ir.Operand:
        match var.type:
            case Scalar():
                return ir.Const(0.0)
            case Unknown() if var in self.unassigned or (
                self.by_value(var) and self.builder.forms.is_number(var)
            ):
                return ir.Const(0.0)
            case Array(_, _, contiguous):
                made = (
                    self.builder.var(np.zeros_like, var)
                    if contiguous
                    else self.builder.var(np.zeros_like, var, order=ir.Const("C"))
                )
            case _:
                made = self.typed(runtime.zeros_like, var.type, var)
        made.name = adjoint_name(var.name) if var.name else ""
        return made

    def typed(self, fn: Any, kind: Type, *args: ir.Operand) -> ir.Var:
        """A call whose result type is known, and not to be found by trying."""
        made = ir.Var("", kind)
        self.builder.append(
            ir.Apply(self.builder.span, (made,), fn, args, adjoint=True)
        )
        return made

    def owned(self, var: ir.Var) -> ir.Var:
        """The adjoint of an array or list, as a buffer that may be written into."""
        entry = self.adjoints.get(var)
        if entry is None:
            value = self.zeros(var)
        elif entry.owned and isinstance(entry.value, ir.Var):
            return entry.value
        else:
            copy = copier(var.type, self.items_written(var))
            value = self.typed(copy, var.type, entry.value)
            value.name = adjoint_name(var.name) if var.name else ""
        value = self.builder.as_var(value)
        self.adjoints[var] = Adjoint(value, True)
        return value

    def full(self, var: ir.Var) -> ir.Operand:
        """The adjoint of a value, or zero."""
        entry = self.adjoints.get(var)
        return self.zeros(var) if entry is None else entry.value

    def gradient(self, var: ir.Var) -> ir.Operand:
        """What is returned for an input: its own, contiguous, of the input's dtype."""
        if not is_inexact(var.type):
            return ir.Const(None)
        entry = self.adjoints.get(var)
        if entry is None:
            return self.zeros(var)
        value = entry.value
        kind, given = var.type, type_of_operand(value)
        if isinstance(kind, (ListOf, DictOf, Nested)):
            return value
        if isinstance(kind, Array):
            if isinstance(given, Array) and given.dtype != kind.dtype:
                return self._named(
                    self.builder.var(
                        np.astype,
                        value,
                        _constant(np.dtype(kind.dtype)),
                        style="method",
                    ),
                    var,
                )
            if not entry.owned or not isinstance(given, Array) or not given.contiguous:
                if not isinstance(value, ir.Var) or not self._made_fresh(value, given):
                    return self._named(self.builder.var(np.copy, value), var)
        if isinstance(kind, Unknown) and not entry.owned:
            if self._is_new(value):
                return value
            if isinstance(value, ir.Var) or not self.builder.forms.is_number(var):
                if isinstance(value, ir.Var) and self._made_last(value):
                    value.name = ""
                return self._named(self.builder.var(runtime.copied, value), var)
        return value

    def _made_last(self, value: ir.Var) -> bool:
        """Whether a value is what the last call gave: then it needs no name."""
        last = self.builder.ops[-1] if self.builder.ops else None
        return isinstance(last, ir.Apply) and value in last.targets

    def _is_new(self, value: ir.Operand) -> bool:
        """Whether a value of unknown type is surely in memory that is all its own."""
        if not isinstance(value, ir.Var) or value in self.builder.shares:
            return False
        if sum(1 for entry in self.adjoints.values() if entry.value is value) != 1:
            return False
        return value in self.own_targets or any(
            isinstance(op, ir.Apply) and makes_new_memory(op.fn)
            for op in self.builder.ops
            if value in ir.targets(op)
        )

    def _made_fresh(self, value: ir.Var, given: Type) -> bool:
        return (
            isinstance(given, Array)
            and given.contiguous
            and value not in self.builder.shares
            and any(
                isinstance(op, (ir.Apply, ir.For, ir.While)) and value in ir.targets(op)
                for op in self.builder.ops
            )
            and sum(1 for e in self.adjoints.values() if e.value is value) == 1
        )

    @staticmethod
    def _named(value: ir.Var, var: ir.Var) -> ir.Var:
        if var.name:
            value.name = adjoint_name(var.name)
        return value

    def is_fresh(self, value: ir.Operand, since: int) -> bool:
        """Whether the value is a new array, made by the operations from `since` on.

        Simplification may give a value that was there before, such as the adjoint of
        something else for `-(-d)`, or an argument of the user for `1.0 * y`.
        """
        if not isinstance(value, ir.Var) or value in self.builder.shares:
            return False
        for made in reversed(self.builder.ops[since:]):
            if value in ir.targets(made):
                if isinstance(made, ir.Apply):
                    return made.fn not in _READ_ONLY
                return not isinstance(made, ir.If)
        return False

    def put(self, var: ir.Var, adjoint: ir.Var) -> None:
        if var.name and not adjoint.name:
            adjoint.name = adjoint_name(var.name)
        self.adjoints[var] = Adjoint(adjoint, True)


def _is_zero(value: ir.Operand) -> bool:
    if not isinstance(value, ir.Const):
        return False
    if value.value is None:  # as a rule of the user may say it
        return True
    return isinstance(value.value, (int, float)) and value.value == 0


def _constant(value: Any) -> ir.Operand:
    if isinstance(value, tuple):
        return ir.Pack(tuple(map(ir.Const, value)))
    return ir.Const(value)


def _adjoint_type(found: Type, primal: Type) -> Type:
    return found if not isinstance(found, Unknown) else primal
