"""Reversal of what reads and writes arrays, lists and dicts."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np

from autograd_compiler import ir, runtime
from autograd_compiler.builder import Builder
from autograd_compiler.errors import MutationError
from autograd_compiler.names import adjoint_name
from autograd_compiler.operands import type_of_operand
from autograd_compiler.passes.adjoints import Adjoint
from autograd_compiler.passes.worker import Worker
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


def reverse_load(worker: Worker, op: ir.Load) -> None:
    entry = worker.take(op.target)
    if entry is None or op.base not in worker.active:
        return
    base = worker.owned(op.base)
    if _may_be_container(worker, base.type, op.target):
        # Items may be containers or arrays that others hold: no `+=` on them.
        so_far = worker.builder.load(base, op.path)
        total = worker.typed(runtime.add, op.target.type, so_far, entry.value)
        changed = worker.update(op.base, base, op.path, total, "set")
    else:
        changed = worker.update(op.base, base, op.path, entry.value, "add")
    worker.put(op.base, changed)


def reverse_store(worker: Worker, op: ir.Store) -> list[ir.Operation]:
    value_active = any(leaf in worker.active for leaf in ir.leaves(op.value))
    if value_active and not is_inexact(op.base.type):
        raise MutationError(
            "a value that depends on the input is written into an array of integers",
            op.span,
            "make the array one of floats: dtype=float",
        )
    if op.target not in worker.adjoints:
        if not _changes_form(op) or not _has_adjoint(worker, op.target, op.base):
            return [op]
    base = worker.owned(op.target)
    worker.take(op.target)
    if op.mode == "add":
        worker.adjoints[op.base] = Adjoint(base, True)
        if value_active:
            part = _read(worker, base, op.path)
            worker.contribute(op.value, part, False)
        return [op]
    picked: ir.Operand = op.value
    if value_active:
        picked = _picked(worker, base, op.path)
        worker.contribute(op.value, picked, True)
    zero: ir.Operand = ir.Const(0.0)
    before: list[ir.Operation] = []
    if isinstance(op.base.type, WRITABLE_CONTAINERS):
        zero = _zero_item(worker, op, picked, before)
    cleared = worker.update(op.target, base, op.path, zero, "set")
    worker.put(op.base, cleared)
    return [*before, op]


def reverse_append(worker: Worker, op: ir.Append) -> None:
    if not _has_adjoint(worker, op.target, op.base):
        return
    base = worker.owned(op.target)
    worker.take(op.target)
    rest, value = _popped(worker, base, op)
    worker.adjoints[op.base] = Adjoint(rest, True)
    worker.contribute(op.value, value, False)


def reverse_pop(worker: Worker, op: ir.Pop) -> None:
    entry = worker.take(op.value)
    if entry is None and not _has_adjoint(worker, op.target, op.base):
        return
    base = worker.owned(op.target)
    worker.take(op.target)
    value = (
        worker.zeros(op.value) if entry is None else worker.as_item(entry, op.target)
    )
    longer = ir.Var(base.name, base.type)
    worker.builder.append(
        ir.Append(worker.builder.span, longer, base, value, adjoint=True)
    )
    worker.put(op.base, longer)


def _may_be_container(worker: Worker, base: Type, item: ir.Var) -> bool:
    """Whether an item may be a list, or an array that is held elsewhere, too."""
    if isinstance(base, Unknown):
        return isinstance(item.type, Unknown) and item in worker.indexed
    return _is_container(base) and not _is_number_type(item.type)


def _zero_item(
    worker: Worker, op: ir.Store, like: ir.Operand, before: list[ir.Operation]
) -> ir.Operand:
    """The adjoint of the item that a store replaces: nothing depends on it yet.

    The item may have another shape than what replaces it, whose shape `like` has.
    """
    path = tuple(step for step in op.path if isinstance(step, ir.Index))
    kind = load_type(op.base.type, path, worker.builder)
    if len(path) < len(op.path) or isinstance(kind, (Scalar, Bottom)):
        return ir.Const(0.0)
    if not _into_container(op.base.type, path):
        return ir.Const(0.0)
    if same_form(kind, type_of_operand(op.value)):
        return worker.zeros(worker.builder.as_var(like))
    old = ir.Var("", kind)
    read = ir.Load(op.span, old, op.base, path)
    if not isinstance(op.base.type, DictOf) or len(path) != 1:
        before.append(read)
        return worker.zeros(old)
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
    return worker.zeros(found)


def _read(worker: Worker, base: ir.Var, path: ir.Path) -> ir.Operand:
    current: ir.Operand = base
    for step in path:
        if isinstance(step, ir.Index):
            current = worker.builder.load(current, (step,))
        else:
            kwargs: dict[str, Any] = dict(step.kwargs)
            current = worker.builder.apply(step.fn, current, *step.args, **kwargs)
    return current


def _picked(worker: Worker, base: ir.Var, path: ir.Path) -> ir.Operand:
    """A copy of the adjoint of what was written."""
    last = path[-1] if path else None
    if isinstance(last, ir.Index) and _may_repeat(last.index):
        holder = _read(worker, base, path[:-1])
        return worker.builder.apply(runtime.last_writes, holder, last.index)
    part = _read(worker, base, path)
    if isinstance(part, ir.Var) and isinstance(part.type, (Array, Unknown)):
        if part in worker.builder.shares or part is base:
            return worker.builder.apply(np.copy, part)
    return part


def _has_adjoint(worker: Worker, target: ir.Var, base: ir.Var) -> bool:
    """Whether a list has an adjoint after it was changed, and so before.

    If only what it was before has a use, its adjoint is begun here: a list that has
    grown, or holds arrays of other shapes, would not give zeros of the right form.
    """
    if target not in worker.adjoints and base in worker.active:
        if isinstance(base.type, ListOf):
            worker.owned(target)
    return target in worker.adjoints


def _popped(worker: Worker, base: ir.Var, op: ir.Append) -> tuple[ir.Var, ir.Var]:
    kind = type_of_operand(op.value)
    rest = ir.Var(base.name, base.type)
    value = ir.Var("", kind)
    if isinstance(op.value, ir.Var) and op.value.name:
        value.name = adjoint_name(op.value.name)
    worker.builder.append(ir.Pop(worker.builder.span, rest, value, base, adjoint=True))
    return rest, value


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
