"""Reverse mode: the adjoint of a function, by reversing its structured SSA.

Each operation is reversed by one case below; a block by reversing its operations from
last to first; a loop by a loop that runs backwards.  What a derivative
is, stands in `rules/`; how contributions add up, in `adjoints.py`; what is kept for
the reverse sweep, in `storage.py` and `keeping.py`.

See A. Griewank, A. Walther, "Evaluating Derivatives", 2nd ed., SIAM 2008, ch. 3 and 6;
L. Hascoët, V. Pascual, "The Tapenade automatic differentiation tool", ACM TOMS 39(3),
2013, for to-be-recorded values.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from autograd_compiler import expand, ir, runtime
from autograd_compiler.analysis.activity import active_vars, is_differentiable
from autograd_compiler.analysis.indexed import indexed_vars, unassigned_vars
from autograd_compiler.builder import Builder
from autograd_compiler.errors import MutationError
from autograd_compiler.names import adjoint_name
from autograd_compiler.operands import identity, type_of_operand
from autograd_compiler.passes.adjoints import Adjoint, Scope
from autograd_compiler.passes.keeping import (
    Keeper,
    defined_at,
    defined_in,
    substitute,
    swap,
)
from autograd_compiler.passes.masks import Masked, commutes, unmasked
from autograd_compiler.passes.recompute import compute_again
from autograd_compiler.passes.reverse_loop import Worker, reverse_loop
from autograd_compiler.passes.storage import Stored, needed
from autograd_compiler.rules.registry import Rule, rule_of
from autograd_compiler.subscripts import load_type
from autograd_compiler.types import (
    CONTAINERS,
    WRITABLE_CONTAINERS,
    Array,
    Bottom,
    DictOf,
    ListOf,
    Scalar,
    Type,
    Unknown,
    is_inexact,
    same_form,
)


@dataclass(frozen=True)
class Sweeps:
    """The result of reversing a body, before it is put into one function or two."""

    forward: tuple[ir.Operation, ...]
    backward: tuple[ir.Operation, ...]
    gradients: dict[ir.Var, ir.Operand]
    tapes: frozenset[ir.Var]
    stored: tuple[Stored, ...]
    keeper: Keeper
    owned: dict[ir.Var, bool]  # whether a gradient is an array of its own
    held: dict[ir.Var, tuple[ir.Var, ...]]  # what residuals of calls may refer to


def reverse_body(
    body: ir.Block,
    wrt: tuple[ir.Var, ...],
    seeds: dict[ir.Var, ir.Operand],
    shares: dict[ir.Var, tuple[ir.Var, ...]],
    calls: CallReverser | None = None,
    for_caller: bool = False,
    compiled: bool = False,
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
    calls
        Gives the derivative of a call of another function.
    for_caller
        Whether the gradients go to a reverse sweep, which may be given a borrowed array.
    compiled
        Whether machine code will run it: see Note [What is cheap] in `storage.py`.
    """
    worker = _Reverse(body, wrt, tuple(seeds), shares, calls, compiled)
    return worker.run(body, wrt, seeds, for_caller)


@dataclass(frozen=True)
class Pair:
    """The forward and the backward function of a callee.

    Attributes
    ----------
    inputs
        The positions of the arguments that `backward` gives adjoints of.
    owned, types
        For each of these, whether the adjoint is an array of its own, and its type.
    outputs
        The positions of the results whose adjoints `backward` takes.
    residuals
        The type of what `forward` keeps for `backward`; None where it keeps nothing.
    held_arguments, held_results
        The positions of arrays that the residuals may refer to.
    """

    forward: str
    backward: str
    inputs: tuple[int, ...]
    owned: tuple[bool, ...]
    types: tuple[Type, ...]
    outputs: tuple[int, ...]
    residuals: Type | None
    held_arguments: tuple[int, ...] = ()
    held_results: tuple[int, ...] = ()


# Gives the pair for a call, the arguments to derive in and the results that count.
CallReverser = Callable[[ir.Call, tuple[int, ...], tuple[int, ...]], Pair]


class _Reverse(Worker):
    def __init__(
        self,
        body: ir.Block,
        wrt: tuple[ir.Var, ...],
        outputs: tuple[ir.Var, ...],
        shares: dict[ir.Var, tuple[ir.Var, ...]],
        calls: CallReverser | None,
        compiled: bool = False,
    ) -> None:
        super().__init__(active_vars(body, wrt, outputs))
        self.indexed = indexed_vars(body)
        self.unassigned = unassigned_vars(body)
        self.keeper = Keeper(body, shares, compiled)
        self.calls = calls
        self.held: dict[ir.Var, tuple[ir.Var, ...]] = {}

    def run(
        self,
        body: ir.Block,
        wrt: tuple[ir.Var, ...],
        seeds: dict[ir.Var, ir.Operand],
        for_caller: bool,
    ) -> Sweeps:
        forms = self.builder.forms
        forms.learn(body)
        for var, seed in seeds.items():
            if isinstance(seed, ir.Const):  # a gradient is that of a real number
                forms.declare_number(var)
                forms.declare_real(var)
            self.adjoints[var] = Adjoint(seed, False)
        with self.builder.block() as ops:
            forward = self.sweep(body.ops, in_loop=False)
            gradients = {
                var: self._handed_back(var) if for_caller else self.gradient(var)
                for var in wrt
            }
        values = list(gradients.values())
        owned = {
            var: values.count(gradients[var]) == 1
            and (var not in self.adjoints or self.adjoints[var].owned)
            for var in wrt
        }
        backward = tuple(ops)
        forward, backward, gradients = self.keeper.snapshots(
            forward, backward, gradients
        )
        created = [self._new_tape(tape) for tape in self.keeper.tapes]
        return Sweeps(
            (*created, *forward),
            backward,
            gradients,
            frozenset(self.keeper.tapes),
            tuple(self.keeper.stored),
            self.keeper,
            owned,
            self.held,
        )

    def _handed_back(self, var: ir.Var) -> ir.Operand:
        """The adjoint of a parameter as it is, if it has the parameter's type."""
        entry = self.adjoints.get(var)
        if entry is not None and isinstance(var.type, Array):
            given = type_of_operand(entry.value)
            if isinstance(given, Array) and given.dtype == var.type.dtype:
                return entry.value
        return self.gradient(var)

    def items_written(self, var: ir.Var) -> bool:
        return self.keeper.buffers.items_written(var)

    @staticmethod
    def _new_tape(tape: ir.Var) -> ir.Operation:
        return ir.Apply(ir.NOWHERE, (tape,), identity, (ir.Pack((), ir.LIST),))

    # ------------------------------------------------------------ blocks

    def sweep(self, ops: tuple[ir.Operation, ...], in_loop: bool) -> list[ir.Operation]:
        """Emit the reverse of operations; give the operations of the forward sweep."""
        forward: list[list[ir.Operation]] = []
        outer, self.masked = self.masked, {}
        for op in reversed(ops):
            with self.builder.at(op.span):
                forward.append(self.reverse(op, in_loop))
        self.masked = outer
        return [op for group in reversed(forward) for op in group]

    def reverse(self, op: ir.Operation, in_loop: bool) -> list[ir.Operation]:
        match op:
            case ir.Apply():
                self._apply(op)
            case ir.Load():
                self._load(op)
            case ir.Store():
                return self._store(op)
            case ir.Append():
                self._append(op)
            case ir.Pop():
                self._pop(op)
            case ir.Call():
                return self._call(op)
            case ir.If():
                return [self._if(op, in_loop)]
            case ir.For() | ir.While():
                return reverse_loop(self, op, in_loop)
            case ir.With():
                return [self._with(op, in_loop)]
        return [op]

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
        if rule is None or rule.kind in ("refused", "zero"):
            raise expand.refusal(op, rule)
        entry = taken[0]
        masked = None
        if entry is not None and commutes(op, rule):
            masked = self.masked.get(entry.value)
        if masked is not None:  # see Note [Masks]
            taken = [Adjoint(masked.value, False)]
        start = len(self.builder.ops)
        if rule.kind == "partials":
            assert taken[0] is not None
            contributions = self._partials(op, rule, taken[0])
        else:
            contributions = self._adjoint_function(op, rule, taken)
        contributions = [each for whole in contributions for each in _items(*whole)]
        made = self.builder.ops[start:]
        for k, (operand, value, _) in enumerate(contributions):
            chosen = unmasked(value, made)
            if masked is not None and isinstance(value, (ir.Var, ir.Const)):
                inner = chosen or Masked((), value)
                chosen = Masked((*masked.choices, *inner.choices), inner.value)
                value = chosen.remade(self.builder)
                contributions[k] = operand, value, True
            if chosen is not None:
                self.masked[value] = chosen
        self.contribute_all(contributions)
        for operand, value, _ in contributions:
            if value in self.masked and isinstance(operand, ir.Var):
                self._keep_masked(operand, value)

    def _keep_masked(self, operand: ir.Var, value: ir.Operand) -> None:
        """An array without dimensions becomes a number: the choice is the same."""
        entry = self.adjoints.get(operand)
        kind = type_of_operand(value)
        if entry is None or not isinstance(kind, Array) or kind.ndim:
            return
        for made in self.builder.ops[-1:]:
            if isinstance(made, ir.Apply) and made.fn is np.sum:
                if made.target is entry.value and made.args[0] is value:
                    self.masked[entry.value] = self.masked[value]

    def _partials(
        self, op: ir.Apply, rule: Rule, d_y: Adjoint
    ) -> list[tuple[ir.Operand, ir.Operand, bool]]:
        bound, _ = expand.bound_arguments(rule, op)
        values = {**bound, "y": op.target}
        alone = sum(1 for leaf in ir.uses(op) if leaf in self.active) == 1
        contributions = []
        start = len(self.builder.ops)
        for parameter in rule.parameters:
            operand = bound.get(parameter.name)
            if operand is None or rule.partials.get(parameter.name) is None:
                continue
            if not any(leaf in self.active for leaf in ir.leaves(operand)):
                continue
            value = expand.weighted(
                self.builder, rule, parameter.name, values, d_y.value
            )
            if value is d_y.value:
                owned = d_y.owned and alone
            else:
                owned = self.is_fresh(value, start)
            contributions.append((operand, value, owned))
        return contributions

    def _adjoint_function(
        self, op: ir.Apply, rule: Rule, taken: list[Adjoint | None]
    ) -> list[tuple[ir.Operand, ir.Operand, bool]]:
        bound, _ = expand.bound_arguments(rule, op)
        expand.check_dropped(rule, op, bound, self._is_active)
        wanted = [
            name for name in rule.wrt if name in bound and self._is_active(bound[name])
        ]
        if not wanted:
            return []
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
        start = len(self.builder.ops)
        result = expand.rule_call(
            self.builder, rule.adjoint, {"d_y": d_y, "y": y, **bound}
        )
        parts: tuple[ir.Operand, ...] = (result,)
        if len(rule.wrt) > 1 and isinstance(result, ir.Pack):
            parts = result.items
        elif len(rule.wrt) > 1:  # a function that is called as it is
            keys = map(ir.Const, range(len(rule.wrt)))
            parts = tuple(self.builder.load(result, (ir.Index(key),)) for key in keys)
        values = dict(zip(rule.wrt, parts, strict=True))
        seen: set[ir.Operand] = set()
        contributions = []
        for name in wanted:
            value = values[name]
            operand = bound[name]
            if isinstance(operand, ir.Var) and _is_container(operand.type):
                value = self.as_items(value, taken[0], operand)
            fresh = value not in seen and self.is_fresh(value, start)
            seen.add(value)
            contributions.append((bound[name], value, fresh))
        return contributions

    def _is_active(self, operand: ir.Operand) -> bool:
        return any(leaf in self.active for leaf in ir.leaves(operand))

    # ------------------------------------------------------------ memory

    def _load(self, op: ir.Load) -> None:
        entry = self.take(op.target)
        if entry is None or op.base not in self.active:
            return
        base = self.owned(op.base)
        if self._may_be_container(base.type, op.target):
            # Items may be containers or arrays that others hold: no `+=` on them.
            so_far = self.builder.load(base, op.path)
            total = self.typed(runtime.add, op.target.type, so_far, entry.value)
            changed = self.update(op.base, base, op.path, total, "set")
        else:
            changed = self.update(op.base, base, op.path, entry.value, "add")
        self.put(op.base, changed)

    def _may_be_container(self, base: Type, item: ir.Var) -> bool:
        """Whether an item may be a list, or an array that is held elsewhere, too."""
        if isinstance(base, Unknown):
            return isinstance(item.type, Unknown) and item in self.indexed
        return _is_container(base) and not _is_number_type(item.type)

    def _store(self, op: ir.Store) -> list[ir.Operation]:
        value_active = any(leaf in self.active for leaf in ir.leaves(op.value))
        if value_active and not is_inexact(op.base.type):
            raise MutationError(
                "a value that depends on the input is written into an array of integers",
                op.span,
                "make the array one of floats: dtype=float",
            )
        if op.target not in self.adjoints:
            if not _changes_form(op) or not self._has_adjoint(op.target, op.base):
                return [op]
        base = self.owned(op.target)
        self.take(op.target)
        if op.mode == "add":
            self.adjoints[op.base] = Adjoint(base, True)
            if value_active:
                part = self._read(base, op.path)
                self._give(op.value, part)
            return [op]
        picked: ir.Operand = op.value
        if value_active:
            picked = self._picked(base, op.path)
            self._give(op.value, picked, copied=True)
        zero: ir.Operand = ir.Const(0.0)
        before: list[ir.Operation] = []
        if isinstance(op.base.type, WRITABLE_CONTAINERS):
            zero = self._zero_item(op, picked, before)
        cleared = self.update(op.target, base, op.path, zero, "set")
        self.put(op.base, cleared)
        return [*before, op]

    def _zero_item(
        self, op: ir.Store, like: ir.Operand, before: list[ir.Operation]
    ) -> ir.Operand:
        """The adjoint of the item that a store replaces: nothing depends on it yet.

        The item may have another shape than what replaces it, whose shape `like` has.
        """
        path = tuple(step for step in op.path if isinstance(step, ir.Index))
        kind = load_type(op.base.type, path, self.builder)
        if len(path) < len(op.path) or isinstance(kind, (Scalar, Bottom)):
            return ir.Const(0.0)
        if not _into_container(op.base.type, path):
            return ir.Const(0.0)
        if same_form(kind, type_of_operand(op.value)):
            return self.zeros(self.builder.as_var(like))
        old = ir.Var("", kind)
        read = ir.Load(op.span, old, op.base, path)
        if not isinstance(op.base.type, DictOf) or len(path) != 1:
            before.append(read)
            return self.zeros(old)
        # There may be none.
        found, known = ir.Var("", kind), ir.Var("", Scalar("bool"))
        inside = (op.base, path[0].index)
        before += [
            ir.Apply(op.span, (known,), operator.contains, inside),
            ir.If(
                op.span,
                (found,),
                known,
                ir.Block((read,), (old,)),
                ir.Block((), (op.value,)),
            ),
        ]
        return self.zeros(found)

    def _give(
        self, operand: ir.Operand, value: ir.Operand, copied: bool = False
    ) -> None:
        self.contribute(operand, value, copied)

    def _read(self, base: ir.Var, path: ir.Path) -> ir.Operand:
        current: ir.Operand = base
        for step in path:
            if isinstance(step, ir.Index):
                current = self.builder.load(current, (step,))
            else:
                kwargs: dict[str, Any] = dict(step.kwargs)
                current = self.builder.apply(step.fn, current, *step.args, **kwargs)
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

    def _has_adjoint(self, target: ir.Var, base: ir.Var) -> bool:
        """Whether a list has an adjoint after it was changed, and so before.

        If only what it was before has a use, its adjoint is begun here: a list that has
        grown, or holds arrays of other shapes, would not give zeros of the right form.
        """
        if target not in self.adjoints and base in self.active:
            if isinstance(base.type, ListOf):
                self.owned(target)
        return target in self.adjoints

    def _append(self, op: ir.Append) -> None:
        if not self._has_adjoint(op.target, op.base):
            return
        base = self.owned(op.target)
        self.take(op.target)
        rest, value = self._popped(base, op)
        self.adjoints[op.base] = Adjoint(rest, True)
        self.contribute(op.value, value, False)

    def _popped(self, base: ir.Var, op: ir.Append) -> tuple[ir.Var, ir.Var]:
        kind = type_of_operand(op.value)
        rest = ir.Var(base.name, base.type)
        value = ir.Var("", kind)
        if isinstance(op.value, ir.Var) and op.value.name:
            value.name = adjoint_name(op.value.name)
        self.builder.append(ir.Pop(self.builder.span, rest, value, base, adjoint=True))
        return rest, value

    def _pop(self, op: ir.Pop) -> None:
        entry = self.take(op.value)
        if entry is None and not self._has_adjoint(op.target, op.base):
            return
        base = self.owned(op.target)
        self.take(op.target)
        value = (
            self.zeros(op.value) if entry is None else self.as_item(entry, op.target)
        )
        longer = ir.Var(base.name, base.type)
        self.builder.append(
            ir.Append(self.builder.span, longer, base, value, adjoint=True)
        )
        self.put(op.base, longer)

    # ------------------------------------------------------------ calls of functions

    def _call(self, op: ir.Call) -> list[ir.Operation]:
        """A call becomes a call of the forward function, reversed by one of the other."""
        outputs = tuple(
            k for k, target in enumerate(op.targets) if target in self.adjoints
        )
        entries = {k: self.take(op.targets[k]) for k in outputs}
        inputs = tuple(
            k
            for k, arg in enumerate(op.args)
            if isinstance(arg, ir.Var) and arg in self.active
        )
        if not outputs or not inputs or self.calls is None:
            return [op]
        pair = self.calls(op, inputs, outputs)
        if not pair.inputs:
            return [op]
        before, forward, after, residuals = self._forward_call(op, pair)
        incoming = tuple(
            entry.value for k in pair.outputs if (entry := entries[k]) is not None
        )
        d_args = tuple(
            ir.Var(adjoint_name(_name(op.args[k])), self._outside(kind, op.args[k]))
            for k, kind in zip(pair.inputs, pair.types, strict=True)
        )
        given = (*((residuals,) if residuals is not None else ()), *incoming)
        self.builder.append(
            ir.Call(self.builder.span, d_args, pair.backward, given, adjoint=True)
        )
        handed_on = tuple(leaf for value in incoming for leaf in ir.leaves(value))
        for k, d_arg, owned in zip(pair.inputs, d_args, pair.owned, strict=True):
            if not owned:
                self.builder.shares[d_arg] = handed_on
            self.contribute(op.args[k], d_arg, owned)
        return [*before, forward, *after]

    @staticmethod
    def _outside(kind: Type, arg: ir.Operand) -> Type:
        """The type of an adjoint from a callee, with the sizes that the caller knows."""
        known = type_of_operand(arg)
        if isinstance(kind, Array) and isinstance(known, Array):
            return replace(kind, dims=known.dims)
        return kind

    def _forward_call(
        self, op: ir.Call, pair: Pair
    ) -> tuple[list[ir.Operation], ir.Operation, list[ir.Operation], ir.Var | None]:
        """The forward call, with copies where its residuals could be written later."""
        before: list[ir.Operation] = []
        after: list[ir.Operation] = []
        args, targets = list(op.args), list(op.targets)
        for k in pair.held_arguments:
            arg = args[k]
            if isinstance(arg, ir.Var) and self.keeper.buffers.written_after(arg):
                saved = ir.Var(arg.name, arg.type)
                copy = self.keeper.copier(arg)
                before.append(ir.Apply(op.span, (saved,), copy, (arg,)))
                args[k] = saved
        for k in pair.held_results:
            target = targets[k]
            if self.keeper.buffers.written_after(target):
                saved = ir.Var(target.name, target.type)
                copy = self.keeper.copier(target)
                after.append(ir.Apply(op.span, (target,), copy, (saved,)))
                targets[k] = saved
        residuals = None
        if pair.residuals is not None:
            residuals = ir.Var(f"{op.function}_residuals", pair.residuals)
            referred = [args[k] for k in pair.held_arguments]
            referred += [targets[k] for k in pair.held_results]
            self.held[residuals] = tuple(
                leaf for value in referred for leaf in ir.leaves(value)
            )
            targets.append(residuals)
        forward = replace(
            op, function=pair.forward, targets=tuple(targets), args=tuple(args)
        )
        return before, forward, after, residuals

    # ------------------------------------------------------------ control flow

    def _branch(
        self,
        ops: tuple[ir.Operation, ...],
        seeds: list[tuple[ir.Operand, Adjoint]],
        in_loop: bool,
        same: Iterable[tuple[ir.Operand, ir.Operand]],
    ) -> tuple[list[ir.Operation], list[ir.Operation], Scope]:
        """Reverse one side of a branch from a copy of the scope."""
        outer = self.adjoints
        self.adjoints = {var: replace(entry) for var, entry in outer.items()}
        with self.builder.block() as backward, self.builder.forms.in_branch(same):
            for operand, entry in seeds:
                self.contribute(operand, entry.value, False)
            forward = self.sweep(ops, in_loop)
        scope, self.adjoints = self.adjoints, outer
        return forward, backward, scope

    def _if(self, op: ir.If, in_loop: bool) -> ir.Operation:
        for target in op.targets:
            if target in self.active and isinstance(target.type, ListOf):
                self.owned(target)  # its length may differ from that before
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
            self._branch(
                block.ops,
                given,
                in_loop,
                zip(op.targets, block.results, strict=True),
            )
            for block, given in zip((op.then, op.orelse), seeds, strict=True)
        ]
        inner = [set(defined_in(block)) for block in (op.then, op.orelse)]
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
                    scope[var] = Adjoint(value, True)
                results[k].append(value)
        targets = tuple(
            ir.Var(adjoint_name(var.name) if var.name else "", var.type)
            for var in changed
        )
        for var, target in zip(changed, targets, strict=True):
            owned = all(side[2][var].owned for side in sides)
            self.adjoints[var] = Adjoint(target, owned)
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
            own = defined_at(forwards[k])
            change: dict[ir.Var, ir.Var] = {}
            if not in_loop:
                ops, results[k] = self._computed_again(ops, results[k], own)
            wanted = {
                var: content
                for var, content in needed(ops, tuple(results[k])).items()
                if var in own
            }
            if in_loop:
                change = self.keeper.tape(wanted, forwards[k], ops, op.span)
            else:
                wanted = self.keeper.by_shape(wanted, forwards[k], ops)
                for var, content in wanted.items():
                    kept = self.keeper.kept(var, content, forwards[k])
                    out = ir.Var(var.name, var.type)
                    targets.append(out)
                    exports[k].append(kept)
                    other = self.keeper.outside(var, own) if kept is var else None
                    exports[1 - k].append(other or ir.UNDEFINED)
                    change[var] = out
            reverses.append([substitute(made, change) for made in ops])
            results[k][:] = [swap(value, change) for value in results[k]]
        forward = replace(
            op,
            targets=tuple(targets),
            then=ir.Block(tuple(forwards[0]), tuple(exports[0])),
            orelse=ir.Block(tuple(forwards[1]), tuple(exports[1])),
        )
        return forward, reverses[0], reverses[1]

    def _computed_again(
        self,
        ops: list[ir.Operation],
        results: list[ir.Operand],
        own: set[ir.Var],
    ) -> tuple[list[ir.Operation], list[ir.Operand]]:
        """The reverse of a branch, with what is cheap computed where it is needed."""
        wanted = [var for var in needed(ops, tuple(results)) if var in own]
        steps = self.keeper.cheap(wanted, own, ())
        block = compute_again(ir.Block(tuple(ops), tuple(results)), steps)
        return list(block.ops), list(block.results)

    def _with(self, op: ir.With, in_loop: bool) -> ir.Operation:
        for target, result in zip(op.targets, op.body.results, strict=True):
            if target in self.active and isinstance(target.type, ListOf):
                self.owned(target)
            entry = self.take(target)
            if entry is not None:
                self.contribute(result, entry.value, entry.owned)
        with self.builder.block() as backward:
            forward = self.sweep(op.body.ops, in_loop)
        own = defined_at(forward)
        targets = list(op.targets)
        exports = list(op.body.results)
        change: dict[ir.Var, ir.Var] = {}
        values = tuple(entry.value for entry in self.adjoints.values())
        wanted = needed(backward, values)
        wanted = {var: content for var, content in wanted.items() if var in own}
        for var, content in self.keeper.by_shape(wanted, forward, backward).items():
            out = ir.Var(var.name, var.type)
            targets.append(out)
            exports.append(self.keeper.kept(var, content, forward))
            change[var] = out
        self.builder.ops.extend(substitute(made, change) for made in backward)
        for entry in self.adjoints.values():
            entry.value = swap(entry.value, change)
        return replace(
            op, targets=tuple(targets), body=ir.Block(tuple(forward), tuple(exports))
        )


def _items(
    operand: ir.Operand, value: ir.Operand, owned: bool
) -> list[tuple[ir.Operand, ir.Operand, bool]]:
    """A contribution to a list that is written out as one to each item."""
    if not isinstance(operand, ir.Pack) or not isinstance(value, ir.Pack):
        return [(operand, value, owned)]
    pairs = zip(operand.items, value.items, strict=True)
    return [each for item, part in pairs for each in _items(item, part, False)]


class _Into:
    """Append to a block that was closed already."""

    def __init__(self, builder: Builder, ops: list[ir.Operation]) -> None:
        self.builder, self.ops = builder, ops

    def __enter__(self) -> None:
        self.outer, self.builder.ops = self.builder.ops, self.ops

    def __exit__(self, *_: object) -> None:
        self.builder.ops = self.outer


# ---------------------------------------------------------------- small helpers


def _unpacks(op: ir.Apply) -> bool:
    return len(op.targets) != 1


def _changes_form(op: ir.Store) -> bool:
    """Whether an item of a list is replaced by one that may have another shape."""
    path = tuple(step for step in op.path if isinstance(step, ir.Index))
    if not _is_container(op.base.type) or not _into_container(op.base.type, path):
        return False
    kind = load_type(op.base.type, path, Builder())
    return not same_form(kind, type_of_operand(op.value))


def _into_container(base: Type, path: tuple[ir.Index, ...]) -> bool:
    """Whether a write puts an item into a container, rather than into an array."""
    for step in path[:-1]:
        if not _is_container(base):
            return False
        base = load_type(base, (step,), Builder())
    return _is_container(base)


def _is_container(kind: Type) -> bool:
    return isinstance(kind, CONTAINERS)


def _is_number_type(kind: Type) -> bool:
    return isinstance(kind, (Scalar, Array))


def _name(operand: ir.Operand) -> str:
    return operand.name if isinstance(operand, ir.Var) else ""


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
