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

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from autograd_compiler import expand, ir
from autograd_compiler.analysis.activity import active_vars, is_differentiable
from autograd_compiler.analysis.indexed import indexed_vars, unassigned_vars
from autograd_compiler.names import adjoint_name
from autograd_compiler.operands import identity, type_of_operand
from autograd_compiler.passes.adjoints import Adjoint
from autograd_compiler.passes.keeping import (
    Keeper,
)
from autograd_compiler.passes.masks import Masked, commutes, unmasked
from autograd_compiler.passes.reverse_branch import reverse_if, reverse_with
from autograd_compiler.passes.reverse_loop import reverse_loop
from autograd_compiler.passes.reverse_memory import (
    reverse_append,
    reverse_load,
    reverse_pop,
    reverse_store,
)
from autograd_compiler.passes.storage import Stored
from autograd_compiler.passes.worker import Worker
from autograd_compiler.rules.registry import Rule, rule_of
from autograd_compiler.types import (
    CONTAINERS,
    Array,
    Type,
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
    again
        Whether `backward` runs the callee again: it takes the arguments, too.
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
    again: bool = False


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
            case ir.Apply(fn=ir.GradOf()):
                self._apply(op)
                return [replace(op, fn=identity, args=op.args[:1])]
            case ir.Apply():
                self._apply(op)
            case ir.Load():
                reverse_load(self, op)
            case ir.Store():
                return reverse_store(self, op)
            case ir.Append():
                reverse_append(self, op)
            case ir.Pop():
                reverse_pop(self, op)
            case ir.Call():
                return self._call(op)
            case ir.If():
                return [reverse_if(self, op, in_loop)]
            case ir.For() | ir.While():
                return reverse_loop(self, op, in_loop)
            case ir.With():
                return [reverse_with(self, op, in_loop)]
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
        if isinstance(op.fn, ir.GradOf):
            entry = taken[0]
            assert entry is not None
            start = len(self.builder.ops)
            adjusted = expand.adjusted(self.builder, op, entry.value)
            owned = adjusted is entry.value and entry.owned
            fresh = self.is_fresh(adjusted, start)
            self.contribute(op.args[0], adjusted, owned or fresh)
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
            if isinstance(operand, ir.Var) and isinstance(operand.type, CONTAINERS):
                value = self.as_items(value, taken[0], operand)
            fresh = value not in seen and self.is_fresh(value, start)
            seen.add(value)
            contributions.append((bound[name], value, fresh))
        return contributions

    def _is_active(self, operand: ir.Operand) -> bool:
        return any(leaf in self.active for leaf in ir.leaves(operand))

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
        kept = op.args if pair.again else (residuals,) if residuals is not None else ()
        given = (*kept, *incoming)
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


def _items(
    operand: ir.Operand, value: ir.Operand, owned: bool
) -> list[tuple[ir.Operand, ir.Operand, bool]]:
    """A contribution to a list that is written out as one to each item."""
    if not isinstance(operand, ir.Pack) or not isinstance(value, ir.Pack):
        return [(operand, value, owned)]
    pairs = zip(operand.items, value.items, strict=True)
    return [each for item, part in pairs for each in _items(item, part, False)]


# ---------------------------------------------------------------- small helpers


def _unpacks(op: ir.Apply) -> bool:
    return len(op.targets) != 1


def _name(operand: ir.Operand) -> str:
    return operand.name if isinstance(operand, ir.Var) else ""
