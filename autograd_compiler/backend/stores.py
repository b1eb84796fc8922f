"""How a write is spelled: in place, by `np.add.at`, or by binding anew."""

from __future__ import annotations

import operator
from typing import Literal

import numpy as np

from autograd_compiler import ir
from autograd_compiler.types import (
    CONTAINERS,
    Array,
    DictOf,
    ListOf,
    Scalar,
    TupleOf,
    Type,
    Unknown,
)

Spelling = Literal["set", "add", "scatter", "rebind"]

_ARITHMETIC = (
    operator.add,
    operator.sub,
    operator.mul,
    operator.floordiv,
    operator.mod,
)
_COUNTS = (len, int)


def spelling(op: ir.Store, numbers: frozenset[ir.Var]) -> Spelling:
    """How to write a store.

    Parameters
    ----------
    op : Store
    numbers : frozenset of Var
        Variables that are known to be single integers, as `whole_numbers` finds them.

    Returns
    -------
    "set"
        `x[i] = v`.
    "add"
        `x[i] += v`: right where no element is written twice.
    "scatter"
        `np.add.at(x, i, v)`: repeated indices accumulate.
    "rebind"
        `x[i] = x[i] + v`: the item of a list or dict may be known by another name, and
        must not change there.
    """
    if op.mode == "set":
        return "set"
    if not op.path:
        return "add"
    holder: Type = op.base.type
    for step in op.path[:-1]:
        holder = _item(holder, step)
    last = op.path[-1]
    if isinstance(last, ir.View):
        return "add"
    keyed = isinstance(last.index, ir.Const) and isinstance(last.index.value, str)
    if isinstance(_item(holder, last), Scalar) and isinstance(holder, (ListOf, DictOf)):
        return "add"  # a number is what it is under any name
    if last.attribute or keyed or isinstance(holder, CONTAINERS):
        return "rebind"
    return "add" if _writes_once(last.index, numbers) else "scatter"


def _item(holder: Type, step: ir.Index | ir.View) -> Type:
    match holder, step:
        case (ListOf(item) | DictOf(item)), ir.Index():
            return item
        case TupleOf(items), ir.Index(ir.Const(int() as position)):
            return items[position]
        case Array(), _:
            return holder
    return Unknown()


def _writes_once(index: ir.Operand, numbers: frozenset[ir.Var]) -> bool:
    """Whether an index names each element once: numbers, slices, a mask."""
    match index:
        case ir.Slice():
            return True
        case ir.Pack(items, form):
            return form.kind == "tuple" and all(_writes_once(i, numbers) for i in items)
        case ir.Var(type=Scalar()):
            return True
        case ir.Var(type=Array("bool")):
            return True
        case ir.Var():
            return index in numbers
        case ir.Const(value):
            return _constant_writes_once(value)
    return False


def _constant_writes_once(value: object) -> bool:
    if isinstance(value, tuple):
        return all(map(_constant_writes_once, value))
    if isinstance(value, np.ndarray):
        return bool(value.dtype.kind == "b")
    single = isinstance(value, (int, np.integer, np.bool_, slice))
    return single or value is None or value is Ellipsis


def whole_numbers(function: ir.Function) -> frozenset[ir.Var]:
    """Variables that are single integers, also where types are not known.

    Loop counters, lengths, and sums and products of these.
    """
    found: set[ir.Var] = set()
    shapes: set[ir.Var] = set()

    def is_number(operand: ir.Operand) -> bool:
        match operand:
            case ir.Const(value):
                return isinstance(value, int)
            case ir.Var(type=Scalar(dtype)):
                return np.dtype(dtype).kind in "iu"
        return operand in found

    for op in ir.walk(function.body):
        match op:
            case ir.For(index=index):
                found.add(index)
            case ir.Apply(targets=(target,)) if _gives_shape(op):
                shapes.add(target)
            case ir.Apply(fn=fn, args=args, targets=(target,)):
                arithmetic = any(fn is known for known in _ARITHMETIC)
                counts = any(fn is known for known in _COUNTS)
                if counts or (arithmetic and all(map(is_number, args))):
                    found.add(target)
            case ir.Load(target=target, base=base) if base in shapes:
                found.add(target)
    return frozenset(found)


def _gives_shape(op: ir.Apply) -> bool:
    match op:
        case ir.Apply(fn=fn, args=(_, ir.Const("shape"))) if fn is getattr:
            return True
    return op.fn is np.shape
