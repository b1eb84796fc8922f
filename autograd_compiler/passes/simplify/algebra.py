"""Identities of arithmetic and of views, which hold in the primal as well."""

from __future__ import annotations

import math
import operator
from dataclasses import replace

import numpy as np

from autograd_compiler import ir
from autograd_compiler.passes.simplify.facts import (
    are_functions,
    arithmetic_of,
    dtype_kind,
    fills,
    is_dimensionless,
    is_number,
    is_single,
    keeps_type,
    known_type,
    literal_axis,
    only_two,
    permutation,
    same_dtype,
)
from autograd_compiler.passes.simplify.work import Work
from autograd_compiler.types import Array, Scalar


def arithmetic(work: Work, op: ir.Apply) -> ir.Apply | ir.Operand | None:
    """Arithmetic with one constant: 1, 0 or -1."""
    match arithmetic_of(op), op.args:
        case "mul", (ir.Const(number), ir.Var() as x) if is_number(number):
            return times(work, op, x, number)
        case "mul", (ir.Var() as x, ir.Const(number)) if is_number(number):
            return times(work, op, x, number)
        case "pow", (ir.Var() as x, ir.Const(number)) if is_number(number):
            if number == 1:
                return unchanged(work, op, x, number)
        case "truediv", (ir.Var() as x, ir.Const(number)) if is_number(number):
            # A division of integers gives a float.
            if number == 1 and dtype_kind(x.type) == "f":
                return unchanged(work, op, x, number)
        case "add", (ir.Const(number), ir.Var() as x) if is_number(number):
            if number == 0 and adds_nothing(work, op, x):
                return unchanged(work, op, x, number)
        case "add", (ir.Var() as x, ir.Const(number)) if is_number(number):
            if number == 0 and adds_nothing(work, op, x):
                return unchanged(work, op, x, number)
        case "sub", (ir.Var() as x, ir.Const(number)) if is_number(number):
            if number == 0 and math.copysign(1, number) > 0:
                return unchanged(work, op, x, number)
    return None


def times(
    work: Work, op: ir.Apply, x: ir.Var, number: int | float
) -> ir.Apply | ir.Operand | None:
    if number == 1:
        return unchanged(work, op, x, number)
    if not keeps_type(x.type, number):
        return None
    kind = dtype_kind(x.type)
    if number == -1 and kind != "u":
        return replace(op, fn=operator.neg, args=(x,), style="function")
    if number == 0 and isinstance(x.type, Scalar) and x.type.weak:
        if kind == "i":
            return ir.Const(0)
        if op.adjoint:
            return ir.Const(0.0)
    return None


def unchanged(
    work: Work, op: ir.Apply, x: ir.Var, number: int | float
) -> ir.Operand | None:
    if keeps_type(x.type, number) and work.memory.may_stand_for(x, op.target):
        return x
    return None


def adds_nothing(work: Work, op: ir.Apply, x: ir.Var) -> bool:
    return op.adjoint or dtype_kind(x.type) != "f"


def signs(work: Work, op: ir.Apply) -> ir.Apply | ir.Operand | None:
    match arithmetic_of(op), op.args:
        case "neg", (x,):
            y = work.negated(x)
            if y is not None and not is_single(y.type):
                return y if work.memory.may_stand_for(y, op.target) else None
        case "add", (x, y):
            if (negated := work.negated(y)) is not None:
                return replace(op, fn=operator.sub, args=(x, negated))
            if (negated := work.negated(x)) is not None:
                return replace(op, fn=operator.sub, args=(y, negated))
        case "sub", (x, y):
            if (negated := work.negated(y)) is not None:
                return replace(op, fn=operator.add, args=(x, negated))
    return None


def views(work: Work, op: ir.Apply) -> ir.Apply | ir.Operand | None:
    """Views of views: the same memory, so that nothing else can change."""
    inner = work.definition(op.args[0]) if op.args else None
    if inner is None or not inner.args or not isinstance(inner.args[0], ir.Var):
        return None
    x = inner.args[0]
    if not isinstance(x.type, Array) or not x.type.ndim:
        return None
    first, second = permutation(inner, x.type.ndim), permutation(op, x.type.ndim)
    if first is not None and second is not None:
        undone = tuple(first[axis] for axis in second) == tuple(range(x.type.ndim))
        return x if undone else None
    axis = literal_axis(op)
    fns = (op.fn, inner.fn)
    if are_functions(fns, np.expand_dims, np.squeeze) or are_functions(
        fns, np.squeeze, np.expand_dims
    ):
        return x if axis is not None and axis == literal_axis(inner) else None
    # The inner reshape may be a copy, of which the outer one then is a view.
    reshapes = are_functions(fns, np.reshape, np.reshape)
    if not reshapes or not only_two(op) or not only_two(inner):
        return None
    same = work.memory.may_stand_for(x, op.target)
    return replace(op, args=(x, op.args[1])) if same else None


def broadcasts(work: Work, op: ir.Apply) -> ir.Apply | None:
    """`broadcast_to(s, shape) * p` is `s * p` where p has that shape already."""
    if arithmetic_of(op) not in ("add", "sub", "mul", "truediv") or len(op.args) != 2:
        return None
    for position, other in ((0, op.args[1]), (1, op.args[0])):
        inner = work.definition(op.args[position])
        spread = op.args[position]
        while inner is not None and inner.fn is np.expand_dims:
            spread, inner = inner.args[0], work.definition(inner.args[0])
        if inner is None or inner.fn is not np.broadcast_to or len(inner.args) != 2:
            continue
        small, full = inner.args[0], known_type(other)
        if spread is not op.args[position] and not is_dimensionless(small):
            continue
        shape = op.target.type if is_dimensionless(small) else inner.target.type
        if fills(full, shape) and same_dtype(small, full):
            args = list(op.args)
            args[position] = small
            return replace(op, args=tuple(args))
    return None
