"""Tapes of loops with a known number of iterations become arrays.

The reverse pass keeps values on lists: Python appends a reference in no time.  Compiled
code does better with an array that is allocated once and indexed by the counter; it
copies the values, and so needs no copy of what is written later either.
"""

from __future__ import annotations

import operator
from collections import Counter
from dataclasses import dataclass, replace

import numpy as np

from autograd_compiler import ir
from autograd_compiler.backend.loops.sizes import Sizes
from autograd_compiler.operands import identity
from autograd_compiler.types import Array, ListOf, Scalar, TupleOf

_INTEGER = Scalar("int64")


def preallocate_tapes(module: ir.Module) -> ir.Module:
    """Arrays for the lists that one loop fills and another, backwards, uses up.

    Before::

        h_tape = []
        for t in range(steps):
            h_tape.append(h)
            h = np.tanh(w @ h)
        for t in reversed(range(steps)):
            h = h_tape.pop()

    After::

        h_tape = np.empty((max(steps, 0), n))
        for t in range(steps):
            h_tape[t] = h
            h = np.tanh(w @ h)
        for t in reversed(range(steps)):
            h = h_tape[t]
    """
    return ir.Module(tuple(map(_in_function, module.functions)))


@dataclass(frozen=True, eq=False)
class _Tape:
    """A list, and its place among what the two loops carry."""

    made: ir.Apply
    forward: ir.For
    filled: int
    backward: ir.For
    used: int
    item: Array | Scalar
    array: ir.Var  # before the first loop
    full: ir.Var  # and after it


def _in_function(function: ir.Function) -> ir.Function:
    sizes = Sizes(function)
    block = function.body
    found = _tapes(block, sizes)
    if not found:
        return function
    loops: dict[ir.Operation, list[_Tape]] = {}
    for tape in found:
        loops.setdefault(tape.forward, []).append(tape)
        loops.setdefault(tape.backward, []).append(tape)
    made = {tape.made for tape in found}
    ops: list[ir.Operation] = []
    for op in block.ops:
        if op in made:
            continue
        for tape in loops.get(op, ()):
            assert isinstance(op, ir.For)
            if tape.forward is op:
                ops += _allocation(tape, sizes)
        if op in loops:
            assert isinstance(op, ir.For)
            op = _rewritten(op, loops[op])
        ops.append(op)
    return replace(function, body=ir.Block((*sizes.opening, *ops), block.results))


# ---------------------------------------------------------------- finding


def _tapes(block: ir.Block, sizes: Sizes) -> list[_Tape]:
    count = Counter(ir.block_uses(block))
    made = {
        op.target: op
        for op in block.ops
        if isinstance(op, ir.Apply) and _is_new_list(op)
    }
    users = {
        init: (op, place)
        for op in block.ops
        if isinstance(op, ir.For)
        for place, init in enumerate(op.inits)
        if isinstance(init, ir.Var)
    }
    found = []
    for tape, op in made.items():
        if count[tape] != 1 or tape not in users:
            continue
        forward, filled = users[tape]
        full = forward.targets[filled]
        if count[full] != 1 or full not in users:
            continue
        backward, used = users[full]
        item = tape.type.item if isinstance(tape.type, ListOf) else None
        if (
            isinstance(item, Array | Scalar)
            and _runs_back(forward, backward)
            and _only(forward, filled, count, ir.Append)
            and _only(backward, used, count, ir.Pop)
            and count[backward.targets[used]] == 0
            and _is_known(item, sizes)
        ):
            array, after = (ir.Var(tape.name, _type(item)) for _ in range(2))
            found.append(_Tape(op, forward, filled, backward, used, item, array, after))
    return found


def _is_new_list(op: ir.Apply) -> bool:
    if op.fn is not identity:
        return False
    content = op.args[0]
    return (
        isinstance(content, ir.Pack)
        and not content.items
        and (content.form.kind == "list")
    )


def _runs_back(forward: ir.For, backward: ir.For) -> bool:
    return (
        not forward.breaks
        and not backward.breaks
        and forward.reverse != backward.reverse
        and _is_same(forward.start, backward.start)
        and _is_same(forward.stop, backward.stop)
        and _is_same(forward.step, backward.step)
    )


def _is_same(first: ir.Operand, second: ir.Operand) -> bool:
    if isinstance(first, ir.Const) and isinstance(second, ir.Const):
        return bool(first.value == second.value)
    return first is second


def _only(
    loop: ir.For, place: int, count: Counter[ir.Var], kind: type[ir.Append | ir.Pop]
) -> bool:
    """Whether each iteration does one thing with a list: append to it, or pop."""
    param = loop.params[place]
    if count[param] != 1:
        return False
    return any(
        isinstance(op, kind)
        and op.base is param
        and op.target is loop.body.results[place]
        and count[op.target] == 1
        and (not isinstance(op, ir.Append) or isinstance(op.value, ir.Var))
        for op in loop.body.ops
    )


def _is_known(item: Array | Scalar, sizes: Sizes) -> bool:
    if np.dtype(item.dtype).kind not in "fcib":
        return False
    if isinstance(item, Scalar):
        return True
    known = sizes.symbols() | {""}
    return all(dim is not None and dim.symbol in known for dim in item.dims)


# ---------------------------------------------------------------- rewriting


def _allocation(tape: _Tape, sizes: Sizes) -> list[ir.Operation]:
    ops: list[ir.Operation] = []
    shape = [_trips(tape.forward, ops)]
    if isinstance(tape.item, Array):
        shape += [sizes.of(dim, 0, ops) for dim in tape.item.dims if dim is not None]
    kwargs: tuple[tuple[str, ir.Operand], ...] = ()
    if tape.item.dtype != "float64":
        kwargs = (("dtype", ir.Const(np.dtype(tape.item.dtype).type)),)
    arg = shape[0] if len(shape) == 1 else ir.Pack(tuple(shape))
    ops.append(ir.Apply(tape.made.span, (tape.array,), np.empty, (arg,), kwargs))
    return ops


def _type(item: Array | Scalar) -> Array:
    rest = item.dims if isinstance(item, Array) else ()
    return Array(item.dtype, (None, *rest), True)


def _trips(loop: ir.For, ops: list[ir.Operation]) -> ir.Operand:
    """How often a loop runs."""
    if _is_same(loop.start, ir.Const(0)) and _is_same(loop.step, ir.Const(1)):
        stop = loop.stop
        if isinstance(stop, ir.Const):
            return ir.Const(max(stop.value, 0))
        if isinstance(stop, ir.Var) and isinstance(stop.type, Scalar):
            size = stop.type.size
            if size is not None and size.offset >= 0:
                return stop
        return _call(max, (stop, ir.Const(0)), ops)
    steps = ir.Var("", TupleOf(()))
    bounds = (loop.start, loop.stop, loop.step)
    ops.append(ir.Apply(ir.NOWHERE, (steps,), range, bounds))
    return _call(len, (steps,), ops)


def _number(loop: ir.For, counter: ir.Var, ops: list[ir.Operation]) -> ir.Operand:
    """Which iteration this is."""
    number: ir.Operand = counter
    if not _is_same(loop.start, ir.Const(0)):
        number = _call(operator.sub, (number, loop.start), ops)
    if not _is_same(loop.step, ir.Const(1)):
        number = _call(operator.floordiv, (number, loop.step), ops)
    return number


def _call(fn: object, args: tuple[ir.Operand, ...], ops: list[ir.Operation]) -> ir.Var:
    target = ir.Var("", _INTEGER)
    ops.append(ir.Apply(ir.NOWHERE, (target,), fn, args))
    return target


def _rewritten(loop: ir.For, tapes: list[_Tape]) -> ir.For:
    ops: list[ir.Operation] = []
    counter = loop.index
    if counter.name in ("", "_") and not any(
        var is counter for var in ir.block_uses(loop.body)
    ):
        counter = ir.Var("step", counter.type)
    index = (ir.Index(_number(loop, counter, ops)),)
    filled = {tape.filled: tape for tape in tapes if tape.forward is loop}
    used = {tape.used: tape for tape in tapes if tape.backward is loop}
    params, targets = list(loop.params), list(loop.targets)
    inits, results = list(loop.inits), list(loop.body.results)
    for place, tape in filled.items():
        inits[place], targets[place] = tape.array, tape.full
        params[place] = ir.Var(tape.array.name, tape.array.type)
        results[place] = ir.Var(tape.array.name, tape.array.type)
    pushes = {loop.params[place]: place for place in filled}
    pops = {loop.params[place]: tape for place, tape in used.items()}
    for op in loop.body.ops:
        match op:
            case ir.Append(base=base, value=value) if base in pushes:
                last = ops[-1] if ops else None
                if isinstance(last, ir.Apply) and last.fn is np.copy:
                    if last.targets == (value,) and not last.target.name:
                        ops.pop()  # writing to the tape makes the copy
                        value = last.args[0]
                place = pushes[base]
                target, held = results[place], params[place]
                assert isinstance(target, ir.Var)
                ops.append(
                    ir.Store(op.span, target, held, index, value, adjoint=op.adjoint)
                )
            case ir.Pop(base=base, value=value) if base in pops:
                full = pops[base].full
                ops.append(ir.Load(op.span, value, full, index, adjoint=op.adjoint))
            case _:
                ops.append(op)
    keep = [place for place in range(len(params)) if place not in used]
    return replace(
        loop,
        index=counter,
        targets=tuple(targets[k] for k in keep),
        params=tuple(params[k] for k in keep),
        inits=tuple(inits[k] for k in keep),
        body=ir.Block(tuple(ops), tuple(results[k] for k in keep)),
    )
