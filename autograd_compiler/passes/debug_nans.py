"""After each operation that can make a NaN or an infinity: a check that says where."""

from __future__ import annotations

import math
import operator
import os
from collections.abc import Collection, Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from autograd_compiler import ir, runtime
from autograd_compiler.names import public_name
from autograd_compiler.nonfinite import check_finite, check_result, not_finite_in
from autograd_compiler.operands import identity
from autograd_compiler.printer import BINARY
from autograd_compiler.types import Opaque, Scalar, is_inexact

# What makes finite numbers of finite ones, and a NaN of a NaN only.
_HARMLESS: tuple[Any, ...] = (
    *(operator.neg, operator.pos, operator.abs, operator.getitem, abs, float, identity),
    *(getattr, len, list, tuple, max, min, np.negative, np.positive, np.abs, np.sign),
    *(np.tanh, np.arctan, np.maximum, np.minimum, np.clip, np.max, np.min, np.where),
    *(np.copy, np.array, np.asarray, np.ascontiguousarray, np.reshape, np.ravel),
    *(np.transpose, np.swapaxes, np.moveaxis, np.squeeze, np.expand_dims, np.flip),
    *(np.broadcast_to, np.concatenate, np.stack, np.take, np.sort, np.real, np.imag),
    *(np.conj, np.diag, np.tril, np.triu, np.roll, np.repeat, np.tile, np.linspace),
    *(np.zeros, np.zeros_like, np.ones, np.ones_like, np.full, np.full_like, np.eye),
    *(np.empty, np.empty_like, np.arange),  # what an empty array holds is written later
    *(runtime.zeros_like, runtime.copied, runtime.deep_copy),
)
_HARMLESS_IDS = frozenset(map(id, _HARMLESS))
_HARMLESS_METHODS = ("copy", "astype", "reshape", "ravel", "item")


def check_nans(
    module: ir.Module, entries: Collection[str], outside: Collection[str] = ()
) -> ir.Module:
    """Check what operations make, and what the entries give.

    What only `np.where` comes to read is not checked, but what that gives: a NaN that is
    thrown away does no harm.

    Parameters
    ----------
    module
        A derivative, in its final form: a check keeps what it looks at.
    entries
        The functions that are called from outside.
    outside
        The names of parameters that the primal reads from outside, and does not take.

    Examples
    --------
    Before: `y = np.log(x)`.
    After: `y = np.log(x); check_finite(y, "`y`", "np.log", "in model.py:3: y = …", x)`

    >>> x, y = ir.Var("x"), ir.Var("y")
    >>> body = ir.Block((ir.Apply(ir.NOWHERE, (y,), np.log, (x,)),), (y,))
    >>> function = ir.Function("f", (ir.Param("x", x),), body, ir.NOWHERE)
    >>> checked = check_nans(ir.Module((function,)), ())
    >>> [type(op).__name__ for op in checked.entry.body.ops]
    ['Apply', 'Effect']
    """
    return ir.Module(
        tuple(
            _checked(function, function.name in entries, outside)
            for function in module.functions
        )
    )


def _checked(
    function: ir.Function, called: bool, outside: Collection[str]
) -> ir.Function:
    body = _Checks(function.body).block(function.body)
    if called:
        opening, came_in = _given(function, outside)
        closing = _check_results(function, came_in)
        body = ir.Block((*opening, *body.ops, *closing), body.results)
    return replace(function, body=body)


class _Checks:
    """Puts checks behind the operations of a function."""

    def __init__(self, body: ir.Block) -> None:
        self._readers: dict[ir.Var, list[ir.Operation | None]] = {}
        self._made_by: dict[ir.Var, ir.Apply] = {}
        self._note(body)
        self._masked: dict[ir.Var, bool] = {}

    def _note(self, block: ir.Block) -> None:
        for op in block.ops:
            for var in ir.uses(op):
                self._readers.setdefault(var, []).append(op)
            if isinstance(op, ir.Apply):
                self._made_by.update((target, op) for target in op.targets)
            for inner in ir.blocks(op):
                self._note(inner)
        for result in block.results:
            for var in ir.leaves(result):
                self._readers.setdefault(var, []).append(None)

    def is_masked(self, var: ir.Var) -> bool:
        """Whether only `np.where` reads the value, or what is made of it."""
        if var not in self._masked:
            readers = self._readers.get(var, [])
            self._masked[var] = var in self._made_by and all(
                isinstance(op, ir.Apply)
                and (op.fn is np.where or all(map(self.is_masked, op.targets)))
                for op in readers
            )
        return self._masked[var]

    def _checked_inputs(self, op: ir.Apply) -> Iterator[ir.Var]:
        """What the operation reads; for what is not checked, what that was made of."""
        for operand in (*op.args, *(value for _, value in op.kwargs)):
            for var in ir.leaves(operand):
                if self.is_masked(var):
                    yield from self._checked_inputs(self._made_by[var])
                else:
                    yield var

    def block(self, block: ir.Block) -> ir.Block:
        ops: list[ir.Operation] = []
        for op in block.ops:
            match op:
                case ir.If(then=then, orelse=orelse):
                    op = replace(op, then=self.block(then), orelse=self.block(orelse))
                case ir.For(body=body) | ir.While(body=body) | ir.With(body=body):
                    op = replace(op, body=self.block(body))
            ops.append(op)
            if isinstance(op, ir.Apply):
                ops += self.checks(op)
        return ir.Block(tuple(ops), block.results)

    def checks(self, op: ir.Apply) -> Iterator[ir.Effect]:
        inputs = (*op.args, *(value for _, value in op.kwargs))
        leaves = dict.fromkeys(leaf for item in inputs for leaf in ir.leaves(item))
        hidden = [v for v in filter(_may_hold, leaves) if self.is_masked(v)]
        maker = self._made_by[hidden[0]] if hidden and op.fn is np.where else op
        if not _can_make(maker) or all(map(_is_python_integer, leaves)):
            return
        known = dict.fromkeys(filter(_may_hold, self._checked_inputs(op)))
        fixed = [item for item in inputs if _is_not_finite(item)]
        for target in op.targets:
            if _may_hold(target) and not self.is_masked(target):
                name = f"`{target.name}`" if target.name else "an intermediate value"
                words = (name, _operation(maker.fn), _place(op))
                args = (target, *map(ir.Const, words), *known, *fixed)
                yield ir.Effect(op.span, "call", args, check_finite, adjoint=op.adjoint)


def _can_make(op: ir.Apply) -> bool:
    if isinstance(op.fn, ir.Method):
        return op.fn.name not in _HARMLESS_METHODS
    return id(op.fn) not in _HARMLESS_IDS


def _is_python_integer(var: ir.Var) -> bool:
    """Such are divided with an exception for zero, and never infinite."""
    kind = var.type
    return isinstance(kind, Scalar) and kind.weak and not is_inexact(kind)


def _may_hold(var: ir.Var) -> bool:
    return is_inexact(var.type)


def _is_not_finite(operand: ir.Operand) -> bool:
    if not isinstance(operand, ir.Const) or not isinstance(operand.value, float):
        return False
    return not math.isfinite(operand.value)


def _operation(fn: Any) -> str:
    """`np.log`, `/`, `.sum`, or the name of a function of the user."""
    if isinstance(fn, ir.Method):
        return f".{fn.name}"
    try:
        sign, _ = BINARY.get(fn, ("", 0))
    except TypeError:  # not hashable
        sign = ""
    public = public_name(fn)
    if sign or public is None:
        return sign or str(getattr(fn, "__name__", "a function"))
    return public[1]


def _place(op: ir.Operation) -> str:
    where = f"{os.path.basename(op.span.filename)}:{op.span.line}"
    statement = " ".join(op.span.statement.split())
    sweep = "in the reverse of" if op.adjoint else "in"
    return f"{sweep} {where}: {statement}" if statement else f"{sweep} {where}"


# ---------------------------------------------------------------- arguments, results


def _given(
    function: ir.Function, outside: Collection[str]
) -> tuple[list[ir.Operation], ir.Operand]:
    """What finds the parameters that are not finite, before anything is written."""
    found: dict[str, ir.Operand] = {}
    for param in function.params:
        leaves = tuple(filter(_may_hold, ir.leaves(param.tree)))
        if leaves:
            said = "" if param.name in outside else "the argument "
            name = f"{said}`{param.name}`"
            found[name] = leaves[0] if len(leaves) == 1 else ir.Pack(leaves)
    if not found:
        return [], ir.Pack((), ir.LIST)
    given = ir.Pack(tuple(found.values()), ir.Form("dict", tuple(found)))
    came_in = ir.Var("came_in", Opaque(list))
    return [ir.Apply(function.span, (came_in,), not_finite_in, (given,))], came_in


def _check_results(function: ir.Function, came_in: ir.Operand) -> Iterator[ir.Effect]:
    place = f"in {os.path.basename(function.span.filename)}:{function.span.line}"
    for leaf in dict.fromkeys(_results(function.body.results)):
        if _may_hold(leaf):
            said = ir.Const(f"`{leaf.name}`" if leaf.name else "the result")
            args = (leaf, said, came_in, ir.Const(place))
            yield ir.Effect(function.span, "call", args, check_result)


def _results(results: tuple[ir.Operand, ...]) -> Iterator[ir.Var]:
    for result in results:
        yield from ir.leaves(result)
