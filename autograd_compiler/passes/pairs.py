"""Derivatives of the functions that a program calls: a pair, or a tangent function.

In reverse mode a call of `f` becomes a call of `f_forward`, which gives the results and
what the reverse sweep needs, and that is reversed by a call of `f_backward`.  The pair
is made once for each choice of arguments to derive in and results that count.  In
forward mode it is `f_tangent`, which gives results and tangents.

A recursive function calls its own pair.  While that is being made nothing is known of
it, and the most is assumed: all adjoints are given, none is an array of its own, and
the residuals may refer to every array.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from autograd_compiler import ir
from autograd_compiler.analysis.activity import active_vars
from autograd_compiler.analysis.lost import refuse_lost_derivatives
from autograd_compiler.names import adjoint_name
from autograd_compiler.operands import identity, type_of_operand, unpack
from autograd_compiler.passes.forward import Tangent, forward_body
from autograd_compiler.passes.keeping import defined_in
from autograd_compiler.passes.recompute import compute_again
from autograd_compiler.passes.reverse import Pair, Sweeps, reverse_body
from autograd_compiler.passes.storage import (
    Buffers,
    Stored,
    always_defined,
    needed,
    of_same_form,
    thread,
)
from autograd_compiler.types import (
    MEMORY,
    Array,
    ListOf,
    Opaque,
    Scalar,
    TupleOf,
    Type,
    is_inexact,
)

Shares = dict[ir.Var, tuple[ir.Var, ...]]
_Key = tuple[str, tuple[int, ...], tuple[int, ...]]


class Derivatives:
    """The derivatives of helpers, made when they are first asked for.

    Parameters
    ----------
    helpers
        The functions that are called.
    shares
        Which of their variables may share memory.
    taken
        Names of functions that are in the module already.
    reusable
        Whether the reverse sweep may run several times on one set of residuals.
    """

    def __init__(
        self,
        helpers: Iterable[ir.Function],
        shares: Shares,
        taken: Iterable[str],
        reusable: bool = False,
    ) -> None:
        self._helpers = {helper.name: helper for helper in helpers}
        self._shares = shares
        self._names = {*taken, *self._helpers}
        self._reusable = reusable
        self._pairs: dict[_Key, Pair] = {}
        self._tangents: dict[_Key, Tangent] = {}
        self._made: list[ir.Function] = []
        self.stored: list[Stored] = []

    def functions(self, called_by: Iterable[ir.Function]) -> tuple[ir.Function, ...]:
        """The functions that the given ones call, directly or not, callees first."""
        every = {f.name: f for f in (*self._helpers.values(), *self._made)}
        found: set[str] = set()
        waiting = list(called_by)
        while waiting:
            for op in ir.walk(waiting.pop().body):
                if isinstance(op, ir.Call) and op.function not in found:
                    found.add(op.function)
                    if op.function in every:
                        waiting.append(every[op.function])
        return tuple(f for name, f in every.items() if name in found)

    def _name(self, wanted: str) -> str:
        name, number = wanted, 0
        while name in self._names:
            number += 1
            name = f"{wanted}_{number}"
        self._names.add(name)
        return name

    # ------------------------------------------------------------ reverse mode

    def pair(
        self, op: ir.Call, inputs: tuple[int, ...], outputs: tuple[int, ...]
    ) -> Pair:
        """The forward and backward functions for a call."""
        function = self._helpers[op.function]
        params = _params(function)
        results = _results(function)
        inputs = tuple(k for k in inputs if is_inexact(params[k].type))
        outputs = tuple(k for k in outputs if _can_vary(results[k]))
        active = active_vars(
            function.body,
            [params[k] for k in inputs],
            [leaf for k in outputs for leaf in ir.leaves(results[k])],
        )
        inputs = tuple(k for k in inputs if params[k] in active)
        key = (op.function, inputs, outputs)
        if key not in self._pairs:
            self._make_pair(key, function)
        return self._pairs[key]

    def _make_pair(self, key: _Key, function: ir.Function) -> None:
        _, inputs, outputs = key
        params, results = _params(function), _results(function)
        arrays = tuple(k for k, var in enumerate(params) if _is_buffer(var))
        pending = Pair(
            self._name(f"{function.name}_forward"),
            self._name(f"{function.name}_backward"),
            inputs,
            (False,) * len(inputs),
            tuple(_plain(params[k].type) for k in inputs),
            outputs,
            Opaque(tuple),
            arrays,
            tuple(k for k, result in enumerate(results) if _is_buffer(result)),
        )
        self._pairs[key] = pending
        if not inputs:
            return
        again = function.checkpoint
        results, body = _distinct(function, results, outputs)
        seeds: dict[ir.Var, ir.Operand] = {}
        for k in outputs:
            result = results[k]
            assert isinstance(result, ir.Var)
            name = adjoint_name(result.name) or "d_out"
            seeds[result] = ir.Var(name, _plain(result.type))
        wrt = tuple(params[k] for k in inputs)
        refuse_lost_derivatives(body, wrt, seeds)
        sweeps = reverse_body(
            body, wrt, seeds, self._shares, self.pair, for_caller=True
        )
        if again:
            self._run_again(key, function, sweeps, seeds, pending)
            return
        self.stored.extend(sweeps.stored)
        self._put_together(
            key,
            function,
            sweeps,
            seeds,
            results,
            pending,
            packed=self._is_recursive(function),
        )

    def _run_again(
        self,
        key: _Key,
        function: ir.Function,
        sweeps: Sweeps,
        seeds: dict[ir.Var, ir.Operand],
        pending: Pair,
    ) -> None:
        """Of a checkpoint, the forward function is the function; backward is both sweeps."""
        params = _params(function)
        wrt = [params[k] for k in pending.inputs]
        gradients = tuple(sweeps.gradients[var] for var in wrt)
        cotangents = [leaf for seed in seeds.values() for leaf in ir.leaves(seed)]
        block = ir.Block((*sweeps.forward, *sweeps.backward), (_returned(gradients),))
        taken = _distinct_names(cotangents, function.params)
        self._made.append(
            ir.Function(
                pending.backward,
                (*function.params, *map(ir.Param, taken, cotangents)),
                thread(block, set(sweeps.tapes)),
                function.span,
                f"Adjoints of the arguments of {function.name}, which is run again.",
            )
        )
        self._pairs[key] = replace(
            pending,
            forward=function.name,
            owned=tuple(sweeps.owned[var] for var in wrt),
            types=tuple(map(_gradient_type, wrt, gradients)),
            residuals=None,
            held_arguments=(),
            held_results=(),
            again=True,
        )

    def _is_recursive(self, function: ir.Function) -> bool:
        """Whether calls in the function lead back to it."""
        seen: set[str] = set()
        waiting = [function]
        while waiting:
            for op in ir.walk(waiting.pop().body):
                if isinstance(op, ir.Call) and op.function not in seen:
                    if op.function == function.name:
                        return True
                    seen.add(op.function)
                    waiting.append(self._helpers[op.function])
        return False

    def _put_together(
        self,
        key: _Key,
        function: ir.Function,
        sweeps: Sweeps,
        seeds: dict[ir.Var, ir.Operand],
        results: tuple[ir.Operand, ...],
        pending: Pair,
        packed: bool,
    ) -> None:
        params = _params(function)
        wrt = [params[k] for k in pending.inputs]
        gradients = tuple(sweeps.gradients[var] for var in wrt)
        cotangents = tuple(leaf for seed in seeds.values() for leaf in ir.leaves(seed))
        backward = _asking_for_forms(
            ir.Block(sweeps.backward, (_returned(gradients),)), (*params, *cotangents)
        )
        wanted = [var for var in ir.free_vars(backward) if var not in set(cotangents)]
        own = {*params, *defined_in(ir.Block(sweeps.forward))}
        numbers = [var for var in params if isinstance(var.type, Scalar)]
        steps = sweeps.keeper.cheap(wanted, own, numbers)
        backward = compute_again(backward, steps)
        residuals = tuple(
            var for var in ir.free_vars(backward) if var not in set(cotangents)
        )
        for var in residuals:
            sweeps.keeper.give_name(var)
        kept, opening, given = self._residuals(function, sweeps, residuals, packed)
        fresh = {var: ir.Var(var.name, var.type) for var in residuals}
        whole, first = self._opened(function, sweeps, kept, residuals, fresh, packed)
        renamed = ir.rebuild_block(backward, lambda var: fresh.get(var, var))
        block = ir.Block((*first, *renamed.ops), renamed.results)
        block = thread(
            block, {fresh[tape] for tape in residuals if tape in sweeps.tapes}
        )
        self._made.append(
            ir.Function(
                pending.forward,
                function.params,
                self._forward(sweeps, residuals, opening, results, given),
                function.span,
                f"Result of {function.name}, and what its reverse sweep needs.",
            )
        )
        taken = [*([whole] if whole is not None else []), *cotangents]
        self._made.append(
            ir.Function(
                pending.backward,
                tuple(
                    ir.Param(name, var)
                    for name, var in zip(_distinct_names(taken), taken, strict=True)
                ),
                block,
                function.span,
                f"Adjoints of the arguments of {function.name}.",
            )
        )
        self._pairs[key] = self._known_pair(
            pending, function, sweeps, residuals, kept, results, gradients
        )

    def _residuals(
        self,
        function: ir.Function,
        sweeps: Sweeps,
        residuals: tuple[ir.Var, ...],
        packed: bool,
    ) -> tuple[Type | None, tuple[ir.Operation, ...], tuple[ir.Operand, ...]]:
        """The type of what is kept, how it is made, and how it is returned."""
        if len(residuals) == 1 and not packed:
            return residuals[0].type, (), residuals
        if not residuals and not packed:
            return None, (), ()
        kind: Type = TupleOf(tuple(var.type for var in residuals))
        if packed:
            kind = Opaque(tuple)
        whole = ir.Var("residuals", kind)
        made = ir.Apply(function.span, (whole,), identity, (ir.Pack(residuals),))
        return kind, (made,), (whole,)

    def _opened(
        self,
        function: ir.Function,
        sweeps: Sweeps,
        kept: Type | None,
        residuals: tuple[ir.Var, ...],
        fresh: dict[ir.Var, ir.Var],
        packed: bool,
    ) -> tuple[ir.Var | None, tuple[ir.Operation, ...]]:
        """The parameter that the residuals come in as, and how they are taken out."""
        if kept is None:
            return None, ()
        ops: list[ir.Operation] = []
        alone = len(residuals) == 1 and not packed
        given = {var: fresh[var] for var in residuals}
        if self._reusable or packed:
            for tape in residuals:
                if tape in sweeps.tapes:
                    # The sweep uses the tape up, and may run again; or it may itself
                    # be differentiated, and look at what it was given.
                    given[tape] = ir.Var(tape.name, tape.type)
                    ops.append(
                        ir.Apply(function.span, (fresh[tape],), list, (given[tape],))
                    )
        if alone:
            return given[residuals[0]], tuple(ops)
        whole = ir.Var("residuals", kept)
        taken_out = tuple(given.values())
        if len(taken_out) == 1:
            first = ir.Index(ir.Const(0))
            ops.insert(0, ir.Load(function.span, taken_out[0], whole, (first,)))
        elif taken_out:
            ops.insert(0, ir.Apply(function.span, taken_out, unpack, (whole,)))
        return whole, tuple(ops)

    def _forward(
        self,
        sweeps: Sweeps,
        residuals: tuple[ir.Var, ...],
        opening: tuple[ir.Operation, ...],
        results: tuple[ir.Operand, ...],
        given: tuple[ir.Operand, ...],
    ) -> ir.Block:
        ops = always_defined(sweeps.forward, residuals)
        block = ir.Block((*ops, *opening), (_returned((*results, *given)),))
        return thread(block, set(sweeps.tapes))

    def _known_pair(
        self,
        pending: Pair,
        function: ir.Function,
        sweeps: Sweeps,
        residuals: tuple[ir.Var, ...],
        kept: Type | None,
        results: tuple[ir.Operand, ...],
        gradients: tuple[ir.Operand, ...],
    ) -> Pair:
        params = _params(function)
        buffers = Buffers(ir.Block(sweeps.forward), {**self._shares, **sweeps.held})

        def held(operand: ir.Operand) -> bool:
            if not isinstance(operand, ir.Var) or not _is_buffer(operand):
                return False
            return any(_holds(buffers, kept_var, operand) for kept_var in residuals)

        return Pair(
            pending.forward,
            pending.backward,
            pending.inputs,
            tuple(sweeps.owned[params[k]] for k in pending.inputs),
            tuple(
                _gradient_type(params[k], gradient)
                for k, gradient in zip(pending.inputs, gradients, strict=True)
            ),
            pending.outputs,
            kept,
            tuple(k for k, var in enumerate(params) if held(var)),
            tuple(k for k, result in enumerate(results) if held(result)),
        )

    # ------------------------------------------------------------ forward mode

    def tangent(self, op: ir.Call, inputs: tuple[int, ...]) -> Tangent:
        """The function of results and tangents for a call."""
        function = self._helpers[op.function]
        params, results = _params(function), _results(function)
        inputs = tuple(k for k in inputs if is_inexact(params[k].type))
        key = (op.function, inputs, ())
        if key in self._tangents:
            return self._tangents[key]
        outputs = tuple(k for k, result in enumerate(results) if _can_vary(result))
        found = Tangent(self._name(f"{function.name}_tangent"), inputs, outputs)
        self._tangents[key] = found
        seeds = {
            params[k]: ir.Var(
                adjoint_name(params[k].name) or "tangent", _plain(params[k].type)
            )
            for k in inputs
        }
        moving = ir.Pack(tuple(results[k] for k in outputs))
        refuse_lost_derivatives(function.body, seeds, ir.leaves(moving))
        body, d_results = forward_body(
            function.body, dict(seeds), moving, self._shares, self.tangent
        )
        assert isinstance(d_results, ir.Pack)
        returned = _returned((*results, *d_results.items))
        tangents = list(seeds.values())
        given = tuple(
            ir.Param(name, var)
            for name, var in zip(
                _distinct_names(tangents, function.params), tangents, strict=True
            )
        )
        self._made.append(
            ir.Function(
                found.name,
                (*function.params, *given),
                ir.Block(body, (returned,)),
                function.span,
                f"Results of {function.name}, and their tangents.",
            )
        )
        return found


# ---------------------------------------------------------------- small helpers


def _asking_for_forms(backward: ir.Block, others: tuple[ir.Var, ...]) -> ir.Block:
    """The backward body, with no residual that serves for its shape or size alone."""
    wanted = needed(list(backward.ops), backward.results)
    kept = [var for var, content in wanted.items() if content]
    forms = of_same_form(wanted, [*kept, *others])
    return ir.rebuild_block(backward, lambda var: forms.get(var, var))


def _params(function: ir.Function) -> tuple[ir.Var, ...]:
    found = [param.tree for param in function.params]
    return tuple(var for var in found if isinstance(var, ir.Var))


def _results(function: ir.Function) -> tuple[ir.Operand, ...]:
    result = function.body.results[0]
    return result.items if isinstance(result, ir.Pack) else (result,)


def _returned(values: tuple[ir.Operand, ...]) -> ir.Operand:
    return values[0] if len(values) == 1 else ir.Pack(values)


def _can_vary(result: ir.Operand) -> bool:
    return isinstance(result, ir.Var) and is_inexact(result.type)


def _is_buffer(operand: ir.Operand) -> bool:
    return isinstance(operand, ir.Var) and isinstance(operand.type, MEMORY)


def _holds(buffers: Buffers, kept: ir.Var, other: ir.Var) -> bool:
    """Whether a residual may refer to a buffer: be it, view it, or contain it."""
    match kept.type:
        case Scalar():
            return False
        case ListOf(Scalar()):
            return kept is other
        case Array():
            return kept is other or buffers.may_share(kept, other)
    return True


def _plain(kind: Type) -> Type:
    if isinstance(kind, Array):
        return Array(kind.dtype, kind.dims, False)
    return kind


def _gradient_type(var: ir.Var, gradient: ir.Operand) -> Type:
    found = type_of_operand(gradient)
    if isinstance(var.type, Array) and isinstance(found, Array):
        return Array(var.type.dtype, var.type.dims, found.contiguous)
    return _plain(var.type)


def _distinct(
    function: ir.Function, results: tuple[ir.Operand, ...], outputs: tuple[int, ...]
) -> tuple[tuple[ir.Operand, ...], ir.Block]:
    """The body with a variable of its own for each result: each has its own adjoint."""
    done: list[ir.Operand] = []
    copies: list[ir.Operation] = []
    for k, result in enumerate(results):
        if k in outputs and isinstance(result, ir.Var) and result in done:
            again = ir.Var(result.name, result.type)
            copies.append(ir.Apply(function.span, (again,), identity, (result,)))
            result = again
        done.append(result)
    body = ir.Block((*function.body.ops, *copies), (_returned(tuple(done)),))
    return tuple(done), body


def _distinct_names(
    variables: list[ir.Var], beside: tuple[ir.Param, ...] = ()
) -> list[str]:
    names: list[str] = []
    taken = [param.name for param in beside]
    for var in variables:
        name, number = var.name or "value", 0
        while name in names or name in taken:
            number += 1
            name = f"{var.name or 'value'}_{number}"
        names.append(name)
    return names
