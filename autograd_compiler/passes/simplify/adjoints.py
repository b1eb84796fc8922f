"""What is simpler in derivative code, where the numbers may be computed otherwise."""

from __future__ import annotations

import math
import operator
from dataclasses import replace

import numpy as np

from autograd_compiler import ir
from autograd_compiler.analysis.effects import Fact, is_fresh
from autograd_compiler.passes.simplify.facts import (
    MERGED,
    arithmetic_of,
    dtype_kind,
    equal_calls,
    fills,
    is_dimensionless,
    is_number,
    is_single,
    known_type,
    only_two,
    same_type,
)
from autograd_compiler.passes.simplify.work import Work
from autograd_compiler.types import Array, Scalar, dtype_of


def adjoint_sign(work: Work, op: ir.Apply) -> ir.Apply | None:
    """`-a * b` is `-(a * b)`: the sign moves out, to become that of a sum."""
    if dtype_kind(op.target.type) not in ("f", "c"):
        return None
    if arithmetic_of(op) == "neg":
        return absorbed(work, op)
    if not (
        arithmetic_of(op) in ("mul", "truediv") or op.fn in (operator.matmul, np.sum)
    ):
        return None
    for position, arg in enumerate(op.args):
        positive = without_sign(work, arg)
        if positive is not None:
            args = list(op.args)
            args[position] = positive
            product = work.new(op, *args)
            return replace(
                op, fn=operator.neg, args=(product,), kwargs=(), style="function"
            )
    return None


def without_sign(work: Work, operand: ir.Operand) -> ir.Var | None:
    """y, where the operand is a temporary -y, and y.T where it is (-y).T."""
    if not isinstance(operand, ir.Var) or operand.name or is_single(operand.type):
        return None
    op = work.definition(operand)
    if op is not None and op.fn is np.transpose and len(op.args) == 1:
        inner = without_sign(work, op.args[0])
        if inner is None or not op.adjoint or op.kwargs:
            return None
        view = work.new(op, inner)
        work.memory.aliases.join(inner, view)
        work.memory.versions.mark(view, Fact.HELD)
        return view
    positive = work.negated(operand)
    if positive is None or dtype_kind(positive.type) not in ("f", "c"):
        return None
    return positive


def absorbed(work: Work, op: ir.Apply) -> ir.Apply | None:
    """`-(2 * x * y)` as `-2 * x * y`, unless a sum takes the sign away."""
    for reader in work.readers.get(op.target, ()):
        if isinstance(reader, ir.Store) and reader.mode == "add":
            return None
        if isinstance(reader, ir.Apply) and (
            arithmetic_of(reader)
            or reader.fn in (operator.matmul, np.sum, np.transpose)
        ):
            return None
    opposite = opposite_of(work, op.args[0])
    if opposite is None:
        return None
    return replace(opposite, targets=op.targets, span=op.span)


def opposite_of(work: Work, operand: ir.Operand) -> ir.Apply | None:
    """The operation that gives minus the operand, a number in it changing sign."""
    if not isinstance(operand, ir.Var) or operand.name:
        return None
    op = work.definition(operand)
    if op is None or not op.adjoint or len(work.readers.get(operand, ())) > 1:
        return None
    kind = arithmetic_of(op)
    if kind == "sub":
        return replace(op, args=op.args[::-1])
    if kind not in ("mul", "truediv"):
        return None
    for position, arg in enumerate(op.args):
        if isinstance(arg, ir.Const) and is_number(arg.value) and arg.value:
            args = list(op.args)
            args[position] = ir.Const(-arg.value)
            return replace(op, args=tuple(args))
    inner = opposite_of(work, op.args[0])
    if inner is None or arithmetic_of(inner) == "sub":
        return None
    made = work.new(inner, *inner.args)
    return replace(op, args=(made, op.args[1]))


def products(work: Work, op: ir.Apply) -> ir.Apply | None:
    """Twice the same is `2 * x`; numbers stand in front and are multiplied."""
    if dtype_kind(op.target.type) not in ("f", "c"):
        return None
    match arithmetic_of(op), op.args:
        case "add", (ir.Var() as x, y) if x is y and same_type(x, op.target):
            return replace(op, fn=operator.mul, args=(ir.Const(2), x))
        case "mul", (ir.Var() as x, ir.Const(number)) if is_number(number):
            inner = work.definition(x)
            product = inner is not None and arithmetic_of(inner) in ("mul", "truediv")
            if not product or x.name or len({*work.readers.get(x, ())}) > 1:
                return replace(op, args=(op.args[1], x))
        case "mul", (ir.Const(number), ir.Var() as x) if is_number(number):
            if number == 1 and isinstance(x.type, Array) and same_type(x, op.target):
                return replace(op, fn=np.copy, args=(x,), style="function")
            return scaled_product(work, op, x, number)
    return None


def scaled_product(
    work: Work, op: ir.Apply, x: ir.Var, number: int | float
) -> ir.Apply | None:
    """`2 * (0.5 * x)` is `1.0 * x`: with a power of two no digit is lost."""
    inner = work.definition(x)
    if inner is None or arithmetic_of(inner) != "mul" or not inner.adjoint or x.name:
        return None
    if len(work.readers.get(x, ())) > 1 or math.frexp(number)[0] not in (
        0.5,
        -0.5,
    ):
        return None
    first, second = inner.args
    if isinstance(first, ir.Const) and is_number(first.value):
        return replace(op, args=(ir.Const(number * first.value), second))
    if not isinstance(first, ir.Var) or not same_type(first, op.target):
        return None
    return replace(op, args=(work.new(op, op.args[0], first), second))


def finite(work: Work, op: ir.Apply) -> ir.Var | None:
    """`logaddexp` of a finite number is not minus infinity."""
    if op.fn is not np.nan_to_num or len(op.args) != 1 or op.kwargs:
        return None
    inner = work.definition(op.args[0])
    if inner is None or inner.fn not in (np.logaddexp, np.logaddexp2):
        return None
    for arg in inner.args:
        if isinstance(arg, ir.Const) and is_number(arg.value):
            same = work.memory.may_stand_for(inner.target, op.target)
            return inner.target if same and math.isfinite(arg.value) else None
    return None


def filled(work: Work, op: ir.Apply) -> ir.Apply | None:
    """A copy of a number that was broadcast is an array filled with it."""
    if op.fn is not np.copy or len(op.args) != 1 or op.kwargs:
        return None
    inner = work.definition(op.args[0])
    if inner is None or inner.fn is not np.broadcast_to or not only_two(inner):
        return None
    number, shape = inner.args
    if not is_dimensionless(number):
        return None
    asked = work.definition(shape)
    if isinstance(number, ir.Const) and number.value == 1 and asked is not None:
        match asked.args[0]:
            case ir.Var(type=Array("float64", contiguous=True)) as like if (
                asked.fn is np.shape or asked.fn is getattr
            ):
                return replace(op, fn=np.ones_like, args=(like,), style="function")
    return replace(op, fn=np.full, args=(shape, number), style="function")


def choices(work: Work, op: ir.Apply) -> ir.Apply | None:
    """`where(mask, broadcast_to(s, shape), 0)` is `where(mask, s, 0)`."""
    if op.fn is not np.where or len(op.args) != 3 or op.kwargs:
        return None
    if not fills(known_type(op.args[0]), op.target.type):
        return None
    if dtype_of(op.target.type) != "float64":
        return None
    for position in (1, 2):
        inner = work.definition(op.args[position])
        if inner is None or inner.fn is not np.broadcast_to or not only_two(inner):
            continue
        if is_dimensionless(inner.args[0]):
            args = list(op.args)
            args[position] = inner.args[0]
            return replace(op, args=tuple(args))
    return None


def take_name(work: Work, op: ir.Apply) -> None:
    """Take the name from `d = a` before `d = d + b` of the same statement."""
    for var in ir.uses(op):
        if var.name != op.target.name or work.readers.get(var) is None:
            continue
        made = work.definition(var)
        if made is None or not made.adjoint or not isinstance(var.type, Scalar):
            continue
        alone = len({*work.readers[var]}) == 1
        same = made.span.statement == op.span.statement
        if alone and same and sum(map(work.weight, op.args)) < MERGED:
            work.names[var] = ir.Var("", var.type)
            work.changed = True


def merged(work: Work, op: ir.Store) -> ir.Apply | None:
    """`d = a; d += b` as `d = a + b`, where one statement asks for both."""
    if op.mode != "add" or op.path or not op.adjoint:
        return None
    first = work.definition(op.base)
    if first is None or not first.adjoint or not is_fresh(first):
        return None
    if len(work.readers.get(op.base, ())) != 1 or not isinstance(op.value, ir.Var):
        return None
    second = work.definition(op.value)
    if second is None or not same_type(op.base, op.value):
        return None
    if first.span.statement != op.span.statement:
        return None
    made = ir.Apply(
        op.span, (op.target,), operator.add, (op.base, op.value), adjoint=True
    )
    if equal_calls(first, second):
        return replace(made, args=(op.value, op.value))
    if work.weight(op.base) + work.weight(op.value) > MERGED:
        return None
    work.names[op.base] = ir.Var("", op.base.type)
    return made
