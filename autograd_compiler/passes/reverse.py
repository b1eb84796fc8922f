"""Reverse mode: the adjoint of a function, by reversing its structured SSA.

Each operation is reversed by one case below; a block by reversing its operations from
last to first; a loop by a loop that runs backwards.  The chain rule, un-broadcasting
and accumulation stand here once; what a derivative is, stands in `rules/`.

Note [Ownership].  An adjoint array may be accumulated into in place only if nothing
else refers to its buffer.  `z = x + y` hands one adjoint to both operands: it is
*borrowed*, and the next contribution makes a new array.  What an operation has made
anew is *owned*.

See A. Griewank, A. Walther, "Evaluating Derivatives", 2nd ed., SIAM 2008, ch. 3 and 6;
L. Hascoët, V. Pascual, "The Tapenade automatic differentiation tool", ACM TOMS 39(3),
2013, for to-be-recorded values.
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from autograd_compiler import expand, ir, runtime
from autograd_compiler.analysis.activity import active_vars, is_differentiable
from autograd_compiler.builder import Builder, identity, is_advanced, type_of_operand
from autograd_compiler.errors import UnsupportedError
from autograd_compiler.names import adjoint_name
from autograd_compiler.passes.storage import (
    Buffers,
    Stored,
    is_cheap,
    is_memory,
    needed,
    thread,
)
from autograd_compiler.rules.registry import Rule, rule_of
from autograd_compiler.types import (
    Array,
    Bottom,
    DictOf,
    ListOf,
    Opaque,
    Scalar,
    TupleOf,
    Type,
    Unknown,
    is_complex,
    is_inexact,
)


@dataclass
class _Adjoint:
    """The adjoint of one value so far; see Note [Ownership]."""

    value: ir.Operand
    owned: bool


_Scope = dict[ir.Var, _Adjoint]


@dataclass(frozen=True)
class Sweeps:
    """The result of reversing a body, before it is put into one function or two."""

    forward: tuple[ir.Operation, ...]
    backward: tuple[ir.Operation, ...]
    gradients: dict[ir.Var, ir.Operand]
    tapes: frozenset[ir.Var]
    stored: tuple[Stored, ...]


def reverse_body(
    body: ir.Block,
    wrt: tuple[ir.Var, ...],
    seeds: dict[ir.Var, ir.Operand],
    shares: dict[ir.Var, tuple[ir.Var, ...]],
    calls: CallReverser | None = None,
) -> Sweeps:
    """Reverse a function body.

    Parameters
    ----------
    body
        The primal.
    wrt
        The variables to give gradients of.
    seeds
        The adjoint of each output.
    shares
        Which variables may share memory, from the builder of the primal.
    """
    worker = _Reverse(body, wrt, tuple(seeds), shares, calls)
    return worker.run(body, wrt, seeds)


CallReverser = Callable[[ir.Call, set[ir.Var]], Any]


class _Reverse:
    def __init__(
        self,
        body: ir.Block,
        wrt: tuple[ir.Var, ...],
        outputs: tuple[ir.Var, ...],
        shares: dict[ir.Var, tuple[ir.Var, ...]],
        calls: CallReverser | None,
    ) -> None:
        self.builder = Builder()
        self.builder.adjoint = self.builder.deriving = True
        self.active = active_vars(body, wrt, outputs)
        self.buffers = Buffers(body, shares)
        self.adjoints: _Scope = {}
        self.tapes: dict[ir.Var, None] = {}
        self.stored: list[Stored] = []
        self.calls = calls
        self.definitions: dict[ir.Var, ir.Operation] = {
            target: op for op in ir.walk(body) for target in ir.targets(op)
        }

    def run(
        self,
        body: ir.Block,
        wrt: tuple[ir.Var, ...],
        seeds: dict[ir.Var, ir.Operand],
    ) -> Sweeps:
        for var, seed in seeds.items():
            self.adjoints[var] = _Adjoint(seed, False)
        with self.builder.block() as ops:
            forward = self.sweep(body.ops, in_loop=False)
            gradients = {var: self._gradient(var) for var in wrt}
        backward = tuple(ops)
        forward, backward, gradients = self._snapshots(forward, backward, gradients)
        created = [self._new_tape(tape) for tape in self.tapes]
        return Sweeps(
            (*created, *forward),
            backward,
            gradients,
            frozenset(self.tapes),
            tuple(self.stored),
        )

    @staticmethod
    def _new_tape(tape: ir.Var) -> ir.Operation:
        return ir.Apply(
            ir.NOWHERE, (tape,), identity, (ir.Pack((), ir.LIST),)
        )

    # ------------------------------------------------------------ blocks

    def sweep(self, ops: tuple[ir.Operation, ...], in_loop: bool) -> list[ir.Operation]:
        """Emit the reverse of operations; give the operations of the forward sweep."""
        forward: list[list[ir.Operation]] = []
        for op in reversed(ops):
            with self.builder.at(op.span):
                forward.append(self.reverse(op, in_loop))
        return [op for group in reversed(forward) for op in group]

    def reverse(self, op: ir.Operation, in_loop: bool) -> list[ir.Operation]:
        match op:
            case ir.Apply():
                self._apply(op)
            case ir.Load():
                self._load(op)
            case ir.Store():
                self._store(op)
            case ir.Append():
                self._append(op)
            case ir.Pop():
                self._pop(op)
            case ir.Call():
                return self._call(op)
            case ir.If():
                return [self._if(op, in_loop)]
            case ir.For() | ir.While():
                return self._loop(op, in_loop)
            case ir.With():
                return [self._with(op, in_loop)]
        return [op]

    # ------------------------------------------------------------ contributions

    def take(self, var: ir.Var) -> _Adjoint | None:
        return self.adjoints.pop(var, None)

    def contribute(self, operand: ir.Operand, value: ir.Operand, owned: bool) -> None:
        """Add a contribution to the adjoint of an operand."""
        match operand:
            case ir.Var():
                if operand in self.active and not _is_zero(value):
                    self._accumulate(operand, value, owned)
            case ir.Pack(items):
                for k, item in enumerate(items):
                    if any(leaf in self.active for leaf in ir.leaves(item)):
                        self.contribute(item, self._item(value, k), False)

    def _item(self, value: ir.Operand, position: int) -> ir.Operand:
        if isinstance(value, ir.Pack):
            return value.items[position]
        return self.builder.load(value, (ir.Index(ir.Const(position)),))

    def _accumulate(self, var: ir.Var, value: ir.Operand, owned: bool) -> None:
        value, fitted = self._fit(value, var)
        owned = owned or fitted
        so_far = self.adjoints.get(var)
        if so_far is None:
            if isinstance(value, ir.Var) and not value.name and var.name:
                value.name = adjoint_name(var.name)
            self.adjoints[var] = _Adjoint(value, owned)
            return
        if isinstance(var.type, (ListOf, DictOf, TupleOf)):
            total: ir.Operand = self._typed(
                runtime.add, var.type, so_far.value, value
            )
        elif (
            isinstance(var.type, Array)
            and so_far.owned
            and isinstance(so_far.value, ir.Var)
            and isinstance(so_far.value.type, Array)
        ):
            total = self._update(var, so_far.value, (), value, "add")
        else:
            total = self.builder.apply(operator.add, so_far.value, value)
        if isinstance(total, ir.Var):
            total.type = _adjoint_type(total.type, var.type)
            if var.name:
                total.name = adjoint_name(var.name)
        self.adjoints[var] = _Adjoint(total, True)

    def _update(
        self, owner: ir.Var, base: ir.Var, path: ir.Path, value: ir.Operand, mode: str
    ) -> ir.Var:
        """Write into an owned adjoint, once those that borrow from it have a copy."""
        self._settle_borrowers(owner, base)
        return self.builder.store(base, path, value, mode)

    def _settle_borrowers(self, owner: ir.Var, base: ir.Var) -> None:
        for var, entry in self.adjoints.items():
            held = entry.value
            if (
                var is not owner
                and isinstance(held, ir.Var)
                and (held is base or self._views(held, base))
            ):
                entry.value = self.builder.var(np.copy, held)
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
            case (ListOf() | DictOf() | TupleOf() | Opaque()), _:
                return value, False
        return self.builder.apply(runtime.unbroadcast, value, var), False

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
            if own.same(dim) or own.is_not_one:
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

    def zeros(self, var: ir.Var) -> ir.Operand:
        match var.type:
            case Scalar():
                return ir.Const(0.0)
            case Array(_, _, contiguous):
                made = (
                    self.builder.var(np.zeros_like, var)
                    if contiguous
                    else self.builder.var(np.zeros_like, var, order=ir.Const("C"))
                )
            case _:
                made = self._typed(runtime.zeros_like, var.type, var)
        made.name = adjoint_name(var.name) if var.name else ""
        return made

    def _typed(self, fn: Any, kind: Type, *args: ir.Operand) -> ir.Var:
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
            copy: Any = np.copy
            if isinstance(var.type, (ListOf, TupleOf)):
                copy = list
            if isinstance(var.type, DictOf):
                copy = dict
            value = self._typed(copy, var.type, entry.value)
            value.name = adjoint_name(var.name) if var.name else ""
        value = self.builder.as_var(value)
        self.adjoints[var] = _Adjoint(value, True)
        return value

    def full(self, var: ir.Var) -> ir.Operand:
        """The adjoint of a value, or zero."""
        entry = self.adjoints.get(var)
        return self.zeros(var) if entry is None else entry.value

    def _gradient(self, var: ir.Var) -> ir.Operand:
        """What is returned for an input: its own, contiguous, of the input's dtype."""
        if not is_inexact(var.type):
            return ir.Const(None)
        entry = self.adjoints.get(var)
        if entry is None:
            return self.zeros(var)
        value = entry.value
        kind, given = var.type, type_of_operand(value)
        if isinstance(kind, (ListOf, DictOf)):
            return value
        if isinstance(kind, Array):
            if isinstance(given, Array) and given.dtype != kind.dtype:
                return self._named(self.builder.var(
                    np.astype, value, _constant(np.dtype(kind.dtype)), style="method"
                ), var)
            if not entry.owned or not isinstance(given, Array) or not given.contiguous:
                if not isinstance(value, ir.Var) or not self._made_fresh(value, given):
                    return self._named(self.builder.var(np.copy, value), var)
        if isinstance(kind, Unknown) and not entry.owned:
            return self._named(self.builder.var(np.copy, value), var)
        return value

    def _made_fresh(self, value: ir.Var, given: Type) -> bool:
        return (
            isinstance(given, Array)
            and given.contiguous
            and value not in self.builder.shares
            and any(
                isinstance(op, (ir.Apply, ir.For, ir.While, ir.If)) and value in ir.targets(op)
                for op in self.builder.ops
            )
            and sum(1 for e in self.adjoints.values() if e.value is value) == 1
        )

    @staticmethod
    def _named(value: ir.Var, var: ir.Var) -> ir.Var:
        if var.name:
            value.name = adjoint_name(var.name)
        return value

    # ------------------------------------------------------------ calls of operators

    def _apply(self, op: ir.Apply) -> None:
        taken = [self.take(target) for target in op.targets]
        if not is_differentiable(op) or all(entry is None for entry in taken):
            return
        if not any(leaf in self.active for leaf in ir.uses(op)):
            return
        if op.fn is identity:
            entry = taken[0]
            assert entry is not None
            self.contribute(op.args[0], entry.value, entry.owned)
            return
        rule = rule_of(op.fn)
        if rule is None or rule.kind == "refused":
            raise expand.refusal(op, rule)
        if rule.kind == "partials":
            assert taken[0] is not None
            self._partials(op, rule, taken[0])
        else:
            self._adjoint_function(op, rule, taken)

    def _partials(self, op: ir.Apply, rule: Rule, d_y: _Adjoint) -> None:
        bound, _ = expand.bound_arguments(rule, op)
        values = {**bound, "y": op.target}
        alone = sum(
            1 for leaf in ir.uses(op) if leaf in self.active
        ) == 1
        contributions = []
        for parameter in rule.parameters:
            operand = bound.get(parameter.name)
            if operand is None or rule.partials.get(parameter.name) is None:
                continue
            if not any(leaf in self.active for leaf in ir.leaves(operand)):
                continue
            value = expand.weighted(self.builder, rule, parameter.name, values, d_y.value)
            contributions.append((operand, value))
        for operand, value in contributions:
            passed_on = value is d_y.value
            self.contribute(operand, value, d_y.owned and alone if passed_on else True)

    def _adjoint_function(
        self, op: ir.Apply, rule: Rule, taken: list[_Adjoint | None]
    ) -> None:
        bound, _ = expand.bound_arguments(rule, op)
        wanted = [
            name
            for name in rule.wrt
            if name in bound and any(leaf in self.active for leaf in ir.leaves(bound[name]))
        ]
        if not wanted:
            names = [n for n, v in bound.items() if any(x in self.active for x in ir.leaves(v))]
            raise UnsupportedError(
                f"`{expand.spelling(op.fn)}` has no derivative in `{', '.join(names)}`",
                op.span,
                "make the argument independent of the differentiated input",
            )
        d_y: ir.Operand
        y: ir.Operand
        if len(op.targets) == 1 and not _unpacks(op):
            assert taken[0] is not None
            d_y, y = taken[0].value, op.target
        else:
            d_y = ir.Pack(
                tuple(
                    self.zeros(target) if entry is None else entry.value
                    for target, entry in zip(op.targets, taken, strict=True)
                )
            )
            y = ir.Pack(op.targets)
        result = expand.rule_call(self.builder, rule.adjoint, {"d_y": d_y, "y": y, **bound})
        parts = (
            result.items
            if isinstance(result, ir.Pack) and len(rule.wrt) > 1
            else (result,)
        )
        values = dict(zip(rule.wrt, parts, strict=True))
        seen: set[ir.Operand] = set()
        for name in wanted:
            value = values[name]
            fresh = value not in seen and self._is_fresh(value)
            seen.add(value)
            self.contribute(bound[name], value, fresh)

    def _is_fresh(self, value: ir.Operand) -> bool:
        """Whether the value is a new array that was made just now."""
        if not isinstance(value, ir.Var) or value in self.builder.shares:
            return False
        for made in reversed(self.builder.ops[-40:]):
            if value in ir.targets(made):
                return not isinstance(made, ir.Apply) or made.fn not in _READ_ONLY
        return False

    # ------------------------------------------------------------ memory

    def _load(self, op: ir.Load) -> None:
        entry = self.take(op.target)
        if entry is None or op.base not in self.active:
            return
        base = self.owned(op.base)
        if isinstance(base.type, (ListOf, DictOf, TupleOf)) and not _is_number_type(
            op.target.type
        ):
            # Items may be containers or arrays that others hold: no `+=` on them.
            so_far = self.builder.load(base, op.path)
            total = self._typed(
                runtime.add, op.target.type, so_far, entry.value
            )
            changed = self._update(op.base, base, op.path, total, "set")
        else:
            changed = self._update(op.base, base, op.path, entry.value, "add")
        self._put(op.base, changed)

    def _put(self, var: ir.Var, adjoint: ir.Var) -> None:
        if var.name and not adjoint.name:
            adjoint.name = adjoint_name(var.name)
        self.adjoints[var] = _Adjoint(adjoint, True)

    def _store(self, op: ir.Store) -> None:
        value_active = any(leaf in self.active for leaf in ir.leaves(op.value))
        if value_active and not is_inexact(op.base.type):
            raise UnsupportedError(
                "a value that depends on the input is written into an array of integers",
                op.span,
                "make the array one of floats: dtype=float",
            )
        if op.target not in self.adjoints:
            return
        base = self.owned(op.target)
        self.take(op.target)
        if op.mode == "add":
            self.adjoints[op.base] = _Adjoint(base, True)
            if value_active:
                part = self._read(base, op.path)
                self._give(op.value, part)
            return
        if value_active:
            picked = self._picked(base, op.path)
            self._give(op.value, picked, copied=True)
        zero: ir.Operand = ir.Const(0.0)
        if isinstance(op.base.type, (ListOf, DictOf)) and value_active:
            zero = self._zero_item(op.value)
        cleared = self._update(op.target, base, op.path, zero, "set")
        self._put(op.base, cleared)

    def _zero_item(self, value: ir.Operand) -> ir.Operand:
        if isinstance(value, ir.Var):
            return self.zeros(value)
        return ir.Const(0.0)

    def _give(self, operand: ir.Operand, value: ir.Operand, copied: bool = False) -> None:
        self.contribute(operand, value, copied)

    def _read(self, base: ir.Var, path: ir.Path) -> ir.Operand:
        current: ir.Operand = base
        for step in path:
            if isinstance(step, ir.Index):
                current = self.builder.load(current, (step,))
            else:
                current = self.builder.apply(
                    step.fn, current, *step.args, **dict(step.kwargs)
                )
        return current

    def _picked(self, base: ir.Var, path: ir.Path) -> ir.Operand:
        """A copy of the adjoint of what was written."""
        last = path[-1] if path else None
        if isinstance(last, ir.Index) and _may_repeat(last.index):
            holder = self._read(base, path[:-1])
            return self.builder.apply(runtime.last_writes, holder, last.index)
        part = self._read(base, path)
        if isinstance(part, ir.Var) and isinstance(part.type, (Array, Unknown)):
            if part in self.builder.shares or part is base:
                return self.builder.apply(np.copy, part)
        return part

    def _append(self, op: ir.Append) -> None:
        if op.target not in self.adjoints:
            return
        base = self.owned(op.target)
        self.take(op.target)
        rest, value = self._popped(base, op)
        self.adjoints[op.base] = _Adjoint(rest, True)
        self.contribute(op.value, value, False)

    def _popped(self, base: ir.Var, op: ir.Append) -> tuple[ir.Var, ir.Var]:
        kind = type_of_operand(op.value)
        rest = ir.Var(base.name, base.type)
        value = ir.Var("", kind)
        if isinstance(op.value, ir.Var) and op.value.name:
            value.name = adjoint_name(op.value.name)
        self.builder.append(
            ir.Pop(self.builder.span, rest, value, base, adjoint=True)
        )
        return rest, value

    def _pop(self, op: ir.Pop) -> None:
        entry = self.take(op.value)
        if entry is None and op.target not in self.adjoints:
            return
        base = self.owned(op.target)
        self.take(op.target)
        value = self.zeros(op.value) if entry is None else entry.value
        longer = ir.Var(base.name, base.type)
        self.builder.append(
            ir.Append(self.builder.span, longer, base, value, adjoint=True)
        )
        self._put(op.base, longer)

    # ------------------------------------------------------------ calls of functions

    def _call(self, op: ir.Call) -> list[ir.Operation]:
        if self.calls is None or not any(target in self.adjoints for target in op.targets):
            for target in op.targets:
                self.take(target)
            return [op]
        pair = self.calls(op, self.active)
        residuals = ir.Var(f"{op.function}_residuals", Opaque(tuple))
        forward = replace(
            op, function=pair.forward, targets=(*op.targets, residuals)
        )
        incoming = tuple(
            self.full(target) for target in op.targets if target in pair.outputs(op)
        )
        for target in op.targets:
            self.take(target)
        d_args = tuple(
            ir.Var(adjoint_name(_name(op.args[k])), type_of_operand(op.args[k]))
            for k in pair.inputs
        )
        self.builder.append(
            ir.Call(
                self.builder.span,
                d_args,
                pair.backward,
                (residuals, *incoming),
                adjoint=True,
            )
        )
        for k, d_arg in zip(pair.inputs, d_args, strict=True):
            self.contribute(op.args[k], d_arg, True)
        return [forward]

    # ------------------------------------------------------------ control flow

    def _branch(
        self, ops: tuple[ir.Operation, ...], seeds: list[tuple[ir.Operand, _Adjoint]], in_loop: bool
    ) -> tuple[list[ir.Operation], list[ir.Operation], _Scope]:
        """Reverse one side of a branch from a copy of the scope."""
        outer = self.adjoints
        self.adjoints = {var: replace(entry) for var, entry in outer.items()}
        with self.builder.block() as backward:
            for operand, entry in seeds:
                self.contribute(operand, entry.value, False)
            forward = self.sweep(ops, in_loop)
        scope, self.adjoints = self.adjoints, outer
        return forward, backward, scope

    def _if(self, op: ir.If, in_loop: bool) -> ir.Operation:
        entries = [self.take(target) for target in op.targets]
        seeds = [
            [
                (result, entry)
                for result, entry in zip(block.results, entries, strict=True)
                if entry is not None and result is not ir.UNDEFINED
            ]
            for block in (op.then, op.orelse)
        ]
        before = dict(self.adjoints)
        sides = [
            self._branch(block.ops, given, in_loop)
            for block, given in zip((op.then, op.orelse), seeds, strict=True)
        ]
        inner = [set(_defined_in(block)) for block in (op.then, op.orelse)]
        changed = [
            var
            for var in {**sides[0][2], **sides[1][2]}
            if var not in inner[0]
            and var not in inner[1]
            and any(
                side[2].get(var) is not None
                and (var not in before or side[2][var].value is not before[var].value)
                for side in sides
            )
        ]
        results: list[list[ir.Operand]] = [[], []]
        for k, (_, ops, scope) in enumerate(sides):
            for var in changed:
                if var in scope:
                    value = scope[var].value
                else:
                    with self._into(ops):
                        value = self.zeros(var)
                    scope[var] = _Adjoint(value, True)
                results[k].append(value)
        targets = tuple(
            ir.Var(adjoint_name(var.name) if var.name else "", var.type) for var in changed
        )
        for var, target in zip(changed, targets, strict=True):
            owned = all(side[2][var].owned for side in sides)
            self.adjoints[var] = _Adjoint(target, owned)
        forward, then, orelse = self._kept_in_branch(op, sides, results, in_loop)
        if changed or then or orelse:
            self.builder.append(
                ir.If(
                    self.builder.span,
                    targets,
                    op.cond,
                    ir.Block(tuple(then), tuple(results[0])),
                    ir.Block(tuple(orelse), tuple(results[1])),
                    adjoint=True,
                )
            )
        return forward

    def _into(self, ops: list[ir.Operation]) -> Any:
        return _Into(self.builder, ops)

    def _kept_in_branch(
        self,
        op: ir.If,
        sides: list[Any],
        results: list[list[ir.Operand]],
        in_loop: bool,
    ) -> tuple[ir.If, list[ir.Operation], list[ir.Operation]]:
        """Make what the reverse branches need of the forward branches available."""
        targets = list(op.targets)
        blocks = [op.then, op.orelse]
        forwards = [list(side[0]) for side in sides]
        exports: list[list[ir.Operand]] = [list(block.results) for block in blocks]
        reverses: list[list[ir.Operation]] = []
        for k, (_, ops, _) in enumerate(sides):
            own = _defined_at(forwards[k])
            wanted = {
                var: content
                for var, content in needed(ops, tuple(results[k])).items()
                if var in own
            }
            if in_loop:
                change = self._tape(wanted, forwards[k], ops)
            else:
                change = {}
                for var, content in wanted.items():
                    kept = self._kept(var, content, forwards[k])
                    out = ir.Var(var.name, var.type)
                    targets.append(out)
                    exports[k].append(kept)
                    exports[1 - k].append(ir.UNDEFINED)
                    change[var] = out
            reverses.append([_substitute(made, change) for made in ops])
            results[k][:] = [_swap(value, change) for value in results[k]]
        forward = replace(
            op,
            targets=tuple(targets),
            then=ir.Block(tuple(forwards[0]), tuple(exports[0])),
            orelse=ir.Block(tuple(forwards[1]), tuple(exports[1])),
        )
        return forward, reverses[0], reverses[1]

    def _kept(self, var: ir.Var, content: bool, forward: list[ir.Operation]) -> ir.Var:
        """The variable, or a copy of it if its buffer is written later."""
        if not content or not self.buffers.written_after(var):
            return var
        saved = ir.Var(var.name, var.type)
        self._note(var, "snapshot", "its array is written later")
        copy = ir.Apply(ir.NOWHERE, (saved,), np.copy, (var,))
        _insert_after(forward, var, copy)
        return saved

    def _with(self, op: ir.With, in_loop: bool) -> ir.Operation:
        for target, result in zip(op.targets, op.body.results, strict=True):
            entry = self.take(target)
            if entry is not None:
                self.contribute(result, entry.value, entry.owned)
        with self.builder.block() as backward:
            forward = self.sweep(op.body.ops, in_loop)
        own = _defined_at(forward)
        targets = list(op.targets)
        exports = list(op.body.results)
        change: dict[ir.Var, ir.Var] = {}
        values = tuple(entry.value for entry in self.adjoints.values())
        for var, content in needed(backward, values).items():
            if var in own:
                out = ir.Var(var.name, var.type)
                targets.append(out)
                exports.append(self._kept(var, content, forward))
                change[var] = out
        self.builder.ops.extend(_substitute(made, change) for made in backward)
        for entry in self.adjoints.values():
            entry.value = _swap(entry.value, change)
        return replace(
            op, targets=tuple(targets), body=ir.Block(tuple(forward), tuple(exports))
        )

    # ------------------------------------------------------------ loops

    def _loop(self, op: ir.For | ir.While, in_loop: bool) -> list[ir.Operation]:
        nexts = op.body.results[1:] if op.breaks else op.body.results
        carried = [
            k
            for k, param in enumerate(op.params)
            if param in self.active or op.targets[k] in self.adjoints
        ]
        entries = {k: self.take(op.targets[k]) for k in carried}
        outside = [
            var
            for var in ir.free_vars(op.body)
            if var in self.active
            and is_inexact(var.type)
            and var not in ir.inner_vars(op)
        ]
        if not carried and not outside:
            return [op]
        if not any(entries.values()) and not any(var in self.adjoints for var in outside):
            if not any(entries[k] is not None for k in carried):
                return [op]

        params: list[ir.Var] = []
        inits: list[ir.Operand] = []
        for k in carried:
            inits.append(self._loop_start(op.targets[k], entries[k]))
            params.append(_adjoint_var(op.params[k]))
        for var in outside:
            inits.append(self._accumulator(var))
            params.append(_adjoint_var(var))

        for position, init in enumerate(inits):
            if isinstance(init, ir.Var) and position < len(carried):
                self._settle_borrowers(op.targets[carried[position]], init)
            elif isinstance(init, ir.Var):
                self._settle_borrowers(outside[position - len(carried)], init)
        outer, self.adjoints = self.adjoints, {}
        for var, param in zip(outside, params[len(carried) :], strict=True):
            self.adjoints[var] = _Adjoint(param, True)
        with self.builder.block() as backward:
            for k, param in zip(carried, params, strict=False):
                self.contribute(nexts[k], param, True)
            forward = self.sweep(op.body.ops, in_loop=True)
            results = [self._iteration_end(op.params[k]) for k in carried]
            results += [self._iteration_end(var) for var in outside]
            results = self._distinct(results)
        self.adjoints = outer

        wanted = needed(backward, tuple(results))
        own = _defined_at(forward) | set(op.params)
        change: dict[ir.Var, ir.Var] = {}
        index = ir.Var("", Scalar("int64"))
        if isinstance(op, ir.For):
            index = ir.Var(op.index.name, op.index.type)
            change[op.index] = index
        following = self._kept_as_state(op, nexts, wanted)
        change.update({value: var for value, (_, var) in following.items()})
        change.update(
            self._tape(
                {var: content for var, content in wanted.items() if var in own},
                forward,
                backward,
                change,
            )
        )
        for k, var in following.values():
            params.append(var)
            inits.append(op.targets[k])
            results.append(op.params[k])
        body_ops = [_substitute(made, change) for made in backward]
        results = [_swap(result, change) for result in results]

        targets = tuple(_adjoint_var(op.params[k]) for k in carried) + tuple(
            _adjoint_var(var) for var in outside
        )
        targets += tuple(ir.Var(var.name, var.type) for _, var in following.values())
        looped, bounds, reverse = self._counted(op, forward)
        block = ir.Block(tuple(body_ops), tuple(results))
        if isinstance(op, ir.For) and op.breaks and not reverse:
            block = self._index_from_count(op, index, bounds, block)
        self.builder.append(
            ir.For(
                self.builder.span,
                targets,
                index,
                *bounds,
                tuple(params),
                tuple(inits),
                block,
                reverse=not (isinstance(op, ir.For) and op.reverse),
                adjoint=True,
            )
        )
        for var, target in zip(outside, targets[len(carried) :], strict=False):
            self.adjoints[var] = _Adjoint(target, True)
        for k, target in zip(carried, targets, strict=False):
            self.contribute(op.inits[k], target, True)
        return [looped]

    def _kept_as_state(
        self,
        op: ir.For | ir.While,
        nexts: tuple[ir.Operand, ...],
        wanted: dict[ir.Var, bool],
    ) -> dict[ir.Var, tuple[int, ir.Var]]:
        """Next values that need no tape of their own.

        Where a carried value is needed both before and after an iteration, the value
        after it is the value before the next one, which the reverse loop has just had:
        `h` and `h_next` of a recurrence need one tape.
        """
        found: dict[ir.Var, tuple[int, ir.Var]] = {}
        for k, param in enumerate(op.params):
            value = nexts[k]
            if (
                isinstance(value, ir.Var)
                and value is not param
                and value in wanted
                and param in wanted
                and value not in found
                and value in self.definitions
                and op.inits[k] is not ir.UNDEFINED
                and not self.buffers.ever_written(value)
            ):
                found[value] = (k, ir.Var(value.name, value.type))
        return found

    def _loop_start(self, target: ir.Var, entry: _Adjoint | None) -> ir.Operand:
        if entry is None:
            return self.zeros(target)
        value = entry.value
        if not isinstance(target.type, (Scalar, Bottom)) and not entry.owned:
            self.adjoints[target] = entry
            value = self.owned(target)
            self.take(target)
        return value

    def _accumulator(self, var: ir.Var) -> ir.Operand:
        if isinstance(var.type, (Scalar, Bottom)):
            return self.full(var)
        return self.owned(var)

    def _iteration_end(self, var: ir.Var) -> ir.Operand:
        entry = self.adjoints.get(var)
        if entry is None:
            return self.zeros(var)
        if isinstance(var.type, (Scalar, Bottom)) or entry.owned:
            return entry.value
        return self.owned(var)

    def _distinct(self, results: list[ir.Operand]) -> list[ir.Operand]:
        """No two carried adjoints may be one buffer."""
        seen: set[ir.Operand] = set()
        done: list[ir.Operand] = []
        for result in results:
            if (
                isinstance(result, ir.Var)
                and result in seen
                and not isinstance(result.type, Scalar)
            ):
                copy = self.builder.var(np.copy, result)
                copy.type = result.type
                result = copy
            seen.add(result)
            done.append(result)
        return done

    def _counted(
        self, op: ir.For | ir.While, forward: list[ir.Operation]
    ) -> tuple[ir.Operation, tuple[ir.Operand, ir.Operand, ir.Operand], bool]:
        """The forward loop, and the range that the reverse loop runs through."""
        if isinstance(op, ir.For) and not op.breaks:
            body = ir.Block(tuple(forward), op.body.results)
            return replace(op, body=body), (op.start, op.stop, op.step), True
        count = ir.Var("trips", Scalar("int64"))
        inside = ir.Var("trips", Scalar("int64"))
        following = ir.Var("trips", Scalar("int64"))
        add = ir.Apply(
            ir.NOWHERE, (following,), operator.add, (inside, ir.Const(1))
        )
        looped = replace(
            op,
            targets=(*op.targets, count),
            params=(*op.params, inside),
            inits=(*op.inits, ir.Const(0)),
            body=ir.Block((*forward, add), (*op.body.results, following)),
        )
        return looped, (ir.Const(0), count, ir.Const(1)), False

    def _index_from_count(
        self,
        op: ir.For,
        index: ir.Var,
        bounds: tuple[ir.Operand, ir.Operand, ir.Operand],
        block: ir.Block,
    ) -> ir.Block:
        """Where the loop could break, its index is computed from the trip number."""
        if _is_const(op.start, 0) and _is_const(op.step, 1):
            return block
        number = ir.Var(op.index.name, op.index.type)
        builder = Builder(self.builder.span)
        builder.adjoint = builder.deriving = True
        scaled = builder.apply(operator.mul, op.step, index) if not _is_const(op.step, 1) else index
        made = builder.as_var(
            builder.apply(operator.add, op.start, scaled)
            if not _is_const(op.start, 0)
            else scaled
        )
        made.name = number.name
        change = {index: made}
        ops = [_substitute(item, change) for item in block.ops]
        results = tuple(_swap(result, change) for result in block.results)
        return ir.Block((*builder.ops, *ops), results)

    def _tape(
        self,
        wanted: dict[ir.Var, bool],
        forward: list[ir.Operation],
        backward: list[ir.Operation],
        known: dict[ir.Var, ir.Var] | None = None,
    ) -> dict[ir.Var, ir.Var]:
        """Keep what the reverse body needs: compute it again, or push and pop it.

        The pops are put in front of `backward`, in the reverse order of the pushes.
        """
        change: dict[ir.Var, ir.Var] = dict(known or {})
        own = _defined_at(forward) | self.loop_params
        # What cannot be computed again from what is kept anyway is kept itself.
        kept = {var: content for var, content in wanted.items() if var not in change}
        for var in sorted(kept, key=list(kept).index, reverse=True):
            others = {other for other in kept if other is not var} | set(change)
            if self._steps(var, own, others) is not None:
                del kept[var]
        again: list[ir.Operation] = []
        for var in wanted:
            if var in change or var in kept:
                continue
            for op in self._steps(var, own, set(kept) | set(change)) or ():
                (target,) = ir.targets(op)
                change[target] = ir.Var(target.name, target.type)
                again.append(replace(_retarget(op, change[target]), adjoint=True))
        pops: list[ir.Operation] = []
        for var, content in kept.items():
            tape = ir.Var(f"{var.name or 'value'}_tape", ListOf(var.type))
            self.tapes[tape] = None
            if content and self.buffers.written_after(var):
                pushed = ir.Var("", var.type)
                copy = ir.Apply(ir.NOWHERE, (pushed,), np.copy, (var,))
                push = ir.Append(ir.NOWHERE, ir.Var(), tape, pushed)
                _insert_after(forward, var, copy, push)
            else:
                _insert_after(forward, var, ir.Append(ir.NOWHERE, ir.Var(), tape, var))
            popped = ir.Var(var.name, var.type)
            pops.append(ir.Pop(self.builder.span, ir.Var(), popped, tape, adjoint=True))
            change[var] = popped
            self._note(var, "tape", "it changes in each iteration")
        backward[:0] = [*pops, *(_substitute(op, change) for op in again)]
        return change

    def _steps(
        self, var: ir.Var, own: set[ir.Var], available: set[ir.Var]
    ) -> list[ir.Operation] | None:
        """The cheap operations that compute a value from what is available, or None."""
        if var in available:
            return []
        op = self.definitions.get(var)
        if op is None or not is_cheap(op) or len(ir.targets(op)) != 1:
            return None
        steps: list[ir.Operation] = []
        for leaf in ir.uses(op):
            if isinstance(op, ir.Load) and is_memory(leaf):
                if self.buffers.written_after(leaf):
                    return None
            if leaf not in own:
                continue
            before = self._steps(leaf, own, available)
            if before is None:
                return None
            available = available | {leaf}
            steps.extend(before)
        return [*steps, op]

    @property
    def loop_params(self) -> set[ir.Var]:
        found = getattr(self, "_params", None)
        if found is None:
            found = {
                var
                for op in self.definitions.values()
                for var in ir.inner_vars(op)
            }
            self._params = found
        return found

    # ------------------------------------------------------------ snapshots

    def _snapshots(
        self,
        forward: list[ir.Operation],
        backward: tuple[ir.Operation, ...],
        gradients: dict[ir.Var, ir.Operand],
    ) -> tuple[Any, Any, dict[ir.Var, ir.Operand]]:
        """Copy, before they are written, values outside of loops that are needed."""
        change: dict[ir.Var, ir.Var] = {}
        front: list[ir.Operation] = []
        defined = _defined_at(forward)
        for var, content in needed(list(backward), tuple(gradients.values())).items():
            if not content or not self.buffers.written_after(var):
                continue
            if isinstance(var.type, (Opaque,)):
                continue
            saved = ir.Var(var.name, var.type)
            fn: Any = list if isinstance(var.type, ListOf) else np.copy
            copy = ir.Apply(ir.NOWHERE, (saved,), fn, (var,))
            if var in defined:
                _insert_after(forward, var, copy)
            elif not any(var in ir.targets(op) for op in backward):
                front.append(copy)
            change[var] = saved
            self._note(var, "snapshot", "its array is written later")
        done = tuple(_substitute(op, change) for op in backward)
        return (
            (*front, *forward),
            done,
            {var: _swap(value, change) for var, value in gradients.items()},
        )

    def _note(self, var: ir.Var, kind: str, why: str) -> None:
        op = self.definitions.get(var)
        line = op.span.line if op is not None else 0
        self.stored.append(
            Stored(var.name or "(temporary)", line, kind, describe_type(var.type), why)
        )


class _Into:
    """Append to a block that was closed already."""

    def __init__(self, builder: Builder, ops: list[ir.Operation]) -> None:
        self.builder, self.ops = builder, ops

    def __enter__(self) -> None:
        self.outer, self.builder.ops = self.builder.ops, self.ops

    def __exit__(self, *_: object) -> None:
        self.builder.ops = self.outer


def describe_type(kind: Type) -> str:
    match kind:
        case Array(dtype, dims):
            return f"{dtype}[{', '.join('?' if d is None else str(d.symbol or d.offset) for d in dims)}]"
        case Scalar(dtype):
            return dtype
        case ListOf(item):
            return f"list of {describe_type(item)}"
    return type(kind).__name__.lower()


# ---------------------------------------------------------------- small helpers

# Views that cannot be written, whatever they are of.
_READ_ONLY = {np.broadcast_to, np.diagonal, np.real, np.imag}


def _unpacks(op: ir.Apply) -> bool:
    return len(op.targets) != 1


def _is_number_type(kind: Type) -> bool:
    return isinstance(kind, (Scalar, Array))


def _is_zero(value: ir.Operand) -> bool:
    return (
        isinstance(value, ir.Const)
        and isinstance(value.value, (int, float))
        and value.value == 0
    )


def _is_const(operand: ir.Operand, value: int) -> bool:
    return isinstance(operand, ir.Const) and operand.value == value


def _constant(value: Any) -> ir.Operand:
    if isinstance(value, tuple):
        return ir.Pack(tuple(map(ir.Const, value)))
    return ir.Const(value)


def _name(operand: ir.Operand) -> str:
    return operand.name if isinstance(operand, ir.Var) else ""


def _adjoint_var(var: ir.Var) -> ir.Var:
    return ir.Var(adjoint_name(var.name) if var.name else "d_value", var.type)


def _adjoint_type(found: Type, primal: Type) -> Type:
    return found if not isinstance(found, Unknown) else primal


def _may_repeat(index: ir.Operand) -> bool:
    """Whether an index may name one place twice."""
    match index:
        case ir.Var(type=Array(dtype)):
            return dtype != "bool"
        case ir.Var(type=Unknown() | ListOf()):
            return True
        case ir.Pack(items, form):
            return form.kind == "list" or any(_may_repeat(item) for item in items)
        case ir.Const(value):
            return isinstance(value, (list, np.ndarray))
    return False


def _defined_in(block: ir.Block) -> set[ir.Var]:
    found: set[ir.Var] = set()
    for op in ir.walk(block):
        found.update(ir.targets(op))
        found.update(ir.inner_vars(op))
    return found


def _defined_at(ops: list[ir.Operation] | tuple[ir.Operation, ...]) -> set[ir.Var]:
    return {target for op in ops for target in ir.targets(op)}


def _swap(operand: ir.Operand, change: dict[ir.Var, ir.Var]) -> ir.Operand:
    return ir.rebuild(operand, lambda var: change.get(var, var))


def _substitute(op: ir.Operation, change: dict[ir.Var, ir.Var]) -> ir.Operation:
    if not change:
        return op
    return ir.rebuild_op(op, lambda var: change.get(var, var))


def _retarget(op: ir.Operation, target: ir.Var) -> ir.Operation:
    if isinstance(op, ir.Apply):
        return replace(op, targets=(target,))
    assert isinstance(op, ir.Load)
    return replace(op, target=target)


def _insert_after(ops: list[ir.Operation], var: ir.Var, *new: ir.Operation) -> None:
    """Put operations behind the one that defines a variable (in front: a parameter)."""
    for position, op in enumerate(ops):
        if var in ir.targets(op):
            ops[position + 1 : position + 1] = new
            return
    ops[0:0] = new


