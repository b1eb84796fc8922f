"""Forward mode: each operation is followed by the tangent of its result.

The same rules as in reverse mode serve here: a partial weights the tangent of its
operand, a linear operator is applied to tangents, a multilinear one gives a sum with
one operand after the other replaced.  Tangents take the path of their primals through
branches, loops and memory: `a[i] = v` is followed by `d_a[i] = d_v`.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from autograd_compiler import expand, ir, runtime
from autograd_compiler.analysis.activity import is_differentiable, varied_vars
from autograd_compiler.builder import Builder
from autograd_compiler.errors import MutationError, UnsupportedError
from autograd_compiler.names import adjoint_name
from autograd_compiler.operands import identity, type_of_operand
from autograd_compiler.passes.storage import Buffers
from autograd_compiler.rules.registry import Rule, rule_of
from autograd_compiler.types import (
    Array,
    DictOf,
    ListOf,
    Scalar,
    TupleOf,
    Unknown,
    is_inexact,
)


def forward_body(
    body: ir.Block,
    seeds: dict[ir.Var, ir.Operand],
    result: ir.Operand,
    shares: dict[ir.Var, tuple[ir.Var, ...]],
    calls: CallForwarder | None = None,
) -> tuple[tuple[ir.Operation, ...], ir.Operand]:
    """The operations that compute a body and its tangents, and the result's tangent.

    `shares` says which values of the primal may share memory; `calls` gives the
    tangent function for a call of another function.
    """
    worker = _Forward(varied_vars(body, seeds), Buffers(body, shares), shares, calls)
    worker.builder.forms.learn(body)
    with worker.builder.block() as ops:
        for var, seed in seeds.items():
            worker.builder.forms.declare_like(seed, var)
            worker.tangents[var] = worker.own_seed(var, seed)
        worker.sweep(body.ops)
        d_result = worker.tangent_tree(result)
    return tuple(ops), d_result


@dataclass(frozen=True)
class Tangent:
    """The tangent function of a callee.

    It takes the arguments and the tangents of those at `inputs`, and gives the results
    and the tangents of those at `outputs`.
    """

    name: str
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]


CallForwarder = Callable[[ir.Call, tuple[int, ...]], Tangent]


class _Forward:
    def __init__(
        self,
        varied: set[ir.Var],
        buffers: Buffers,
        shares: dict[ir.Var, tuple[ir.Var, ...]],
        calls: CallForwarder | None,
    ) -> None:
        self.builder = Builder()
        self.calls = calls
        self.buffers = buffers
        self.shares = shares
        self.builder.deriving = True
        self.varied = varied
        self.tangents: dict[ir.Var, ir.Operand] = {}

    # ------------------------------------------------------------ tangents

    def is_varied(self, operand: ir.Operand) -> bool:
        return any(leaf in self.tangents for leaf in ir.leaves(operand))

    def zeros(self, operand: ir.Operand) -> ir.Operand:
        match operand:
            case ir.Var(type=Scalar()):
                return ir.Const(0.0)
            case ir.Var(type=Array()):
                made = self.builder.var(np.zeros_like, operand)
            case ir.Var():
                made = ir.Var("", operand.type)
                self.builder.append(
                    ir.Apply(self.builder.span, (made,), runtime.zeros_like, (operand,))
                )
            case ir.Pack(items, form):
                return ir.Pack(tuple(self.zeros(item) for item in items), form)
            case _:
                return ir.Const(0.0)
        made.name = adjoint_name(operand.name) if operand.name else ""
        return made

    def tangent(self, operand: ir.Operand) -> ir.Operand:
        """The tangent of an operand; zeros where it does not vary."""
        match operand:
            case ir.Var():
                if operand in self.tangents:
                    return self.tangents[operand]
                return self.zeros(operand)
            case ir.Pack(items, form):
                return ir.Pack(tuple(self.tangent(item) for item in items), form)
        return ir.Const(0.0)

    def tangent_tree(self, operand: ir.Operand) -> ir.Operand:
        """The tangent of a result, of its structure and dtype."""
        match operand:
            case ir.Pack(items, form):
                return ir.Pack(tuple(self.tangent_tree(item) for item in items), form)
            case ir.Var() if not is_inexact(operand.type):
                return ir.Const(None)
        return self.tangent(operand)

    def own_seed(self, var: ir.Var, seed: ir.Operand) -> ir.Operand:
        """The given tangent of an argument: a copy, where the argument is written."""
        if isinstance(var.type, Array) and self.buffers.ever_written(var):
            made = self.builder.var(np.copy, seed)
            made.name = adjoint_name(var.name) if var.name else ""
            return made
        return seed

    def apart(
        self, var: ir.Var, value: ir.Operand, operands: list[ir.Var]
    ) -> ir.Operand:
        """The tangent of a new array, in memory of its own where that matters.

        The tangent of `x + 1` is that of `x`; once either is written, the two must be
        distinct, as their primals are.
        """
        if not isinstance(var.type, (Array, Unknown)):
            return value
        if not isinstance(value, ir.Var) or isinstance(value.type, Scalar):
            return value
        if var in self.shares and not self._is_broadcast(value):
            return value  # as its primal is; a broadcast tangent cannot be written
        written = self.buffers.ever_written(var) or any(
            self.buffers.ever_written(operand) for operand in operands
        )
        borrowed = value in self.builder.shares or any(
            value is tangent for tangent in self.tangents.values()
        )
        if written and (borrowed or self._is_broadcast(value)):
            return self.builder.var(np.copy, value)
        return value

    def _is_broadcast(self, value: ir.Var) -> bool:
        made = self.builder._definition(value)
        return made is not None and made.fn is np.broadcast_to

    def set(self, var: ir.Var, value: ir.Operand) -> None:
        if isinstance(value, ir.Var) and not value.name and var.name:
            value.name = adjoint_name(var.name)
        self.builder.forms.declare_like(value, var)
        self.tangents[var] = value

    def fit(self, value: ir.Operand, var: ir.Var) -> ir.Operand:
        """A tangent in the shape of its primal: it may need broadcasting."""
        kind, given = var.type, type_of_operand(value)
        if isinstance(kind, Array) and kind.ndim:
            same = (
                isinstance(given, Array)
                and given.ndim == kind.ndim
                and all(
                    d is not None and d.same(own)
                    for d, own in zip(given.dims, kind.dims, strict=True)
                )
            )
            if not same:
                shape = self.builder.apply(getattr, var, ir.Const("shape"))
                return self.builder.apply(np.broadcast_to, value, shape)
        forms = self.builder.forms
        if isinstance(kind, Unknown) and forms.shape(value) < forms.shape(var):
            shape = self.builder.apply(np.shape, var)
            return self.builder.apply(np.broadcast_to, value, shape)
        return value

    # ------------------------------------------------------------ operations

    def sweep(self, ops: tuple[ir.Operation, ...]) -> None:
        for op in ops:
            with self.builder.at(op.span):
                self.forward(op)

    def forward(self, op: ir.Operation) -> None:
        match op:
            case ir.Apply(fn=ir.GradOf()):
                self.forward(replace(op, fn=identity, args=op.args[:1]))
            case ir.Apply():
                self.builder.append(op)
                if is_differentiable(op) and any(
                    target in self.varied for target in op.targets
                ):
                    self._apply(op)
            case ir.Load():
                self.builder.append(op)
                if op.base in self.tangents and is_inexact(op.target.type):
                    base = self.builder.as_var(self.tangents[op.base])
                    self.set(op.target, self.builder.load(base, op.path))
            case ir.Store():
                self._store(op)
            case ir.Append():
                self._append(op)
            case ir.Pop():
                self._pop(op)
            case ir.Call():
                self._call(op)
            case ir.If():
                self._if(op)
            case ir.For() | ir.While():
                self._loop(op)
            case ir.With():
                self._with(op)
            case _:
                self.builder.append(op)

    def _apply(self, op: ir.Apply) -> None:
        if not any(self.is_varied(operand) for operand in ir.operands(op)):
            return
        if op.fn is identity:
            tangent = self.tangent(op.args[0])
            self.set(op.target, self.builder.as_var(tangent))
            return
        rule = rule_of(op.fn)
        if rule is None or rule.kind in ("refused", "zero"):
            raise expand.refusal(op, rule)
        bound, _ = expand.bound_arguments(rule, op)
        expand.check_dropped(rule, op, bound, self.is_varied)
        wanted = [
            name for name in rule.wrt if name in bound and self.is_varied(bound[name])
        ]
        if not wanted:
            return
        match rule.kind:
            case "partials":
                self._partials(op, rule, bound, wanted)
            case "linear":
                self._linear(op, rule, bound)
            case "multilinear":
                self._multilinear(op, rule, bound, wanted)
            case _:
                self._general(op, rule, bound)

    def _partials(
        self, op: ir.Apply, rule: Rule, bound: dict[str, ir.Operand], wanted: list[str]
    ) -> None:
        values = {**bound, "y": op.target}
        total: ir.Operand | None = None
        for name in wanted:
            term = expand.weighted(
                self.builder, rule, name, values, self.tangent(bound[name])
            )
            kind = type_of_operand(term)
            real = isinstance(op.target.type, (Scalar, Array)) and "complex" not in (
                op.target.type.dtype
            )
            if real and isinstance(kind, (Scalar, Array)) and "complex" in kind.dtype:
                term = self.builder.apply(np.real, term)
            total = (
                term if total is None else self.builder.apply(operator.add, total, term)
            )
        assert total is not None
        fitted = self.fit(total, op.target)
        self.set(op.target, self.apart(op.target, fitted, list(ir.uses(op))))

    def _again(
        self, op: ir.Apply, rule: Rule, values: dict[str, ir.Operand]
    ) -> ir.Operand:
        """The operator applied to other operands, spelled as it was."""
        names = [p.name for p in rule.parameters if p.kind is not p.KEYWORD_ONLY]
        starred = [p.name for p in rule.parameters if p.kind is p.VAR_POSITIONAL]
        args: list[ir.Operand] = []
        for position, arg in enumerate(op.args):
            if starred and position >= names.index(starred[0]):
                packed = values[starred[0]]
                assert isinstance(packed, ir.Pack)
                args.append(packed.items[position - names.index(starred[0])])
            else:
                args.append(values.get(names[position], arg))
        kwargs: dict[str, Any] = {
            key: values.get(key, value) for key, value in op.kwargs
        }
        return self.builder.apply(op.fn, *args, style=op.style, **kwargs)

    def _linear(self, op: ir.Apply, rule: Rule, bound: dict[str, ir.Operand]) -> None:
        values = dict(bound)
        for name in rule.wrt:
            if name in bound:
                values[name] = self.tangent(bound[name])
        self._results(op, self._again(op, rule, values))

    def _multilinear(
        self, op: ir.Apply, rule: Rule, bound: dict[str, ir.Operand], wanted: list[str]
    ) -> None:
        total: ir.Operand | None = None
        for name in wanted:
            operand = bound[name]
            if isinstance(operand, ir.Pack):
                terms = [
                    {
                        **bound,
                        name: ir.Pack(
                            tuple(
                                self.tangent(item) if k == position else item
                                for k, item in enumerate(operand.items)
                            ),
                            operand.form,
                        ),
                    }
                    for position, item in enumerate(operand.items)
                    if self.is_varied(item)
                ]
            else:
                terms = [{**bound, name: self.tangent(operand)}]
            for values in terms:
                term = self._again(op, rule, values)
                total = (
                    term
                    if total is None
                    else self.builder.apply(operator.add, total, term)
                )
        assert total is not None
        self._results(op, total)

    def _general(self, op: ir.Apply, rule: Rule, bound: dict[str, ir.Operand]) -> None:
        if rule.tangent is None:
            raise UnsupportedError(
                f"forward mode cannot go through `{expand.spelling(op.fn)}`, which has "
                "an adjoint and no tangent",
                op.span,
                rule.reason,
            )
        y = op.target if len(op.targets) == 1 else ir.Pack(op.targets)
        values: dict[str, ir.Operand] = {"y": y, **bound}
        for name in rule.wrt:
            if name in bound:
                values[f"d_{name}"] = self.tangent(bound[name])
        self._results(op, expand.rule_call(self.builder, rule.tangent, values))

    def _results(self, op: ir.Apply, value: ir.Operand) -> None:
        if len(op.targets) == 1:
            if isinstance(value, ir.Pack) and isinstance(
                op.target.type, (Array, Unknown)
            ):
                several = value.form.kind == "tuple"  # the results of `np.linalg.qr`
                value = (
                    self.builder.as_var(value)
                    if several
                    else self.builder.apply(np.array, value)
                )
            fitted = self.fit(value, op.target)
            self.set(op.target, self.apart(op.target, fitted, list(ir.uses(op))))
            return
        for k, target in enumerate(op.targets):
            if target not in self.varied:
                continue
            if isinstance(value, ir.Pack):
                part = value.items[k]
            else:
                part = self.builder.load(
                    self.builder.as_var(value), (ir.Index(ir.Const(k)),)
                )
            self.set(target, self.fit(part, target))

    # ------------------------------------------------------------ memory

    def _buffer(self, var: ir.Var) -> ir.Var:
        """The tangent of an array or list that is going to be written."""
        return self.builder.as_var(self.tangent(var))

    def _store(self, op: ir.Store) -> None:
        varies = op.target in self.varied
        if varies and self.is_varied(op.value) and not is_inexact(op.base.type):
            raise MutationError(
                "a value that depends on the input is written into an array of integers",
                op.span,
                "make the array one of floats: dtype=float",
            )
        if not varies:
            self.builder.append(op)
            return
        self._written_alike(op)

    def _append(self, op: ir.Append) -> None:
        if op.target not in self.varied:
            self.builder.append(op)
            return
        self._written_alike(op)

    def _written_alike(self, op: ir.Store | ir.Append) -> None:
        """What is written into a value, its tangent is written into that of the value."""
        d_base, d_value = self._buffer(op.base), self.tangent(op.value)
        self.builder.append(op)
        made = ir.Var(d_base.name, d_base.type)
        self.builder.append(replace(op, target=made, base=d_base, value=d_value))
        self.set(op.target, made)

    def _pop(self, op: ir.Pop) -> None:
        if op.base not in self.tangents:
            self.builder.append(op)
            return
        d_base = self._buffer(op.base)
        self.builder.append(op)
        made = ir.Var(d_base.name, d_base.type)
        d_value = ir.Var(
            adjoint_name(op.value.name) if op.value.name else "", op.value.type
        )
        self.builder.append(replace(op, target=made, value=d_value, base=d_base))
        self.set(op.target, made)
        self.set(op.value, d_value)

    def _call(self, op: ir.Call) -> None:
        inputs = tuple(k for k, arg in enumerate(op.args) if self.is_varied(arg))
        if self.calls is None or not any(var in self.varied for var in op.targets):
            self.builder.append(op)
            return
        tangent = self.calls(op, inputs)
        given = tuple(
            self.builder.as_var(self.fit(self.tangent(op.args[k]), op.args[k]))  # type: ignore[arg-type]
            for k in tangent.inputs
        )
        d_targets = tuple(self._tangent_var(op.targets[k]) for k in tangent.outputs)
        self.builder.append(
            replace(
                op,
                function=tangent.name,
                targets=(*op.targets, *d_targets),
                args=(*op.args, *given),
            )
        )
        operands = [leaf for arg in op.args for leaf in ir.leaves(arg)]
        for k, d_target in zip(tangent.outputs, d_targets, strict=True):
            if isinstance(d_target.type, Array):
                self.builder.shares[d_target] = given
            if op.targets[k] in self.varied:
                self.set(op.targets[k], self.apart(op.targets[k], d_target, operands))

    # ------------------------------------------------------------ control flow

    def _if(self, op: ir.If) -> None:
        moving = [k for k, target in enumerate(op.targets) if target in self.varied]
        outer = dict(self.tangents)
        blocks: list[ir.Block] = []
        for block in (op.then, op.orelse):
            self.tangents = dict(outer)
            with self.builder.block() as ops:
                self.sweep(block.ops)
                extra = [
                    (
                        ir.UNDEFINED
                        if block.results[k] is ir.UNDEFINED
                        else self.tangent(block.results[k])
                    )
                    for k in moving
                ]
            blocks.append(ir.Block(tuple(ops), (*block.results, *extra)))
        self.tangents = outer
        d_targets = tuple(self._tangent_var(op.targets[k]) for k in moving)
        self.builder.append(
            replace(
                op,
                targets=(*op.targets, *d_targets),
                then=blocks[0],
                orelse=blocks[1],
            )
        )
        for k, d_target in zip(moving, d_targets, strict=True):
            self.tangents[op.targets[k]] = d_target

    @staticmethod
    def _tangent_var(var: ir.Var) -> ir.Var:
        return ir.Var(adjoint_name(var.name) if var.name else "d_value", var.type)

    def _loop(self, op: ir.For | ir.While) -> None:
        moving = [k for k, param in enumerate(op.params) if param in self.varied]
        inits = tuple(
            (
                ir.UNDEFINED
                if op.inits[k] is ir.UNDEFINED
                else self._initial(op.inits[k], op.params[k])
            )
            for k in moving
        )
        d_params = tuple(self._tangent_var(op.params[k]) for k in moving)
        outer = dict(self.tangents)
        for k, d_param in zip(moving, d_params, strict=True):
            self.tangents[op.params[k]] = d_param
        nexts = op.body.results[1:] if op.breaks else op.body.results
        changes: dict[str, Any] = {}
        if isinstance(op, ir.While):
            inside = dict(self.tangents)
            with self.builder.block() as test_ops:
                self.sweep(op.cond.ops)
            changes["cond"] = ir.Block(tuple(test_ops), op.cond.results)
            self.tangents = inside
        with self.builder.block() as ops:
            self.sweep(op.body.ops)
            extra = tuple(self._next(nexts[k], op.params[k]) for k in moving)
        self.tangents = outer
        d_targets = tuple(self._tangent_var(op.targets[k]) for k in moving)
        self.builder.append(
            replace(
                op,
                targets=(*op.targets, *d_targets),
                params=(*op.params, *d_params),
                inits=(*op.inits, *inits),
                body=ir.Block(tuple(ops), (*op.body.results, *extra)),
                **changes,
            )
        )
        for k, d_target in zip(moving, d_targets, strict=True):
            self.tangents[op.targets[k]] = d_target

    def _initial(self, init: ir.Operand, param: ir.Var) -> ir.Operand:
        if self.is_varied(init) or not isinstance(init, ir.Const):
            return self._own(init, self.tangent(init))
        return ir.Const(0.0)

    def _own(self, primal: ir.Operand, tangent: ir.Operand) -> ir.Operand:
        return tangent

    def _next(self, value: ir.Operand, param: ir.Var) -> ir.Operand:
        if value is ir.UNDEFINED:
            return ir.UNDEFINED
        return self.tangent(value)

    def _with(self, op: ir.With) -> None:
        with self.builder.block() as ops:
            self.sweep(op.body.ops)
            moving = [k for k, target in enumerate(op.targets) if target in self.varied]
            extra = tuple(self.tangent(op.body.results[k]) for k in moving)
        d_targets = tuple(self._tangent_var(op.targets[k]) for k in moving)
        body = ir.Block(tuple(ops), (*op.body.results, *extra))
        self.builder.append(replace(op, targets=(*op.targets, *d_targets), body=body))
        for k, d_target in zip(moving, d_targets, strict=True):
            self.tangents[op.targets[k]] = d_target


__all__ = ["DictOf", "ListOf", "TupleOf", "forward_body"]
