"""Programs that Numba's nopython mode compiles, and with NumPy's meaning.

The result is IR as before and prints as plain NumPy, so a legalised module can be run
by Python too.  Calls that Numba lacks are written with calls that it has
(`legal`); this file sees to the rest:

* `for i in reversed(range(...))` counts down instead;
* `a[1:] += a[:-1]` gets a copy on its right-hand side, since Numba adds in place as it
  goes, and reads what it has just written;
* accumulating at fancy indices becomes a loop: Numba has no `np.add.at`, and its `+=`
  counts repeated indices once;
* a Python number beside float32 values is made float32, where Numba would widen;
* `with np.errstate(...)` goes: compiled code does not warn.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Literal

import numpy as np

from autograd_compiler import ir
from autograd_compiler.analysis.effects import Memory, memory_of
from autograd_compiler.analysis.infer import infer_call
from autograd_compiler.backend.legal import calls
from autograd_compiler.backend.legal.arguments import ALL, operand, type_of
from autograd_compiler.errors import BackendError
from autograd_compiler.operands import identity
from autograd_compiler.types import (
    Array,
    ListOf,
    Scalar,
    TupleOf,
    Type,
    dtype_of,
    ndim,
)

_ARITHMETIC = frozenset(
    {
        operator.add,
        operator.sub,
        operator.mul,
        operator.truediv,
        operator.pow,
        operator.mod,
        operator.floordiv,
    }
)
_SINGLE = {"float32": np.float32, "complex64": np.float32}


def legalise(module: ir.Module) -> ir.Module:
    """The module in the part of Python and NumPy that Numba compiles.

    Examples
    --------
    `d_x[i] += …` for `i` in `reversed(range(n))` becomes::

        for i in range(n - 1, -1, -1):
            d_x[i] += …

    Raises
    ------
    BackendError
        For what Numba cannot do, at the place in the user's source.
    """
    _refuse_recursion(module)
    return ir.Module(tuple(map(_legal_function, module.functions)))


def _refuse_recursion(module: ir.Module) -> None:
    """What a recursive call keeps for its reverse has a type that contains itself."""
    calls = {
        function.name: [op for op in ir.walk(function.body) if isinstance(op, ir.Call)]
        for function in module.functions
    }

    def visit(name: str, above: tuple[str, ...]) -> None:
        for call in calls.get(name, ()):
            if call.function in (*above, name):
                raise BackendError(
                    "Numba cannot compile the derivative of a recursive function",
                    call.span,
                    'write a loop, or use backend="python" for this function',
                )
            visit(call.function, (*above, name))

    visit(module.entry.name, ())


def _legal_function(function: ir.Function) -> ir.Function:
    low = Legaliser(memory_of(function))
    return replace(function, body=low.block(function.body))


class Legaliser:
    """Rewrites one function; appends to the block under construction.

    Attributes
    ----------
    span, adjoint
        What new operations get: those of the operation that they replace.
    """

    def __init__(self, memory: Memory) -> None:
        self.memory = memory
        self.span = ir.NOWHERE
        self.adjoint = False
        self._ops: list[ir.Operation] = []
        self._changed: dict[ir.Var, ir.Operand] = {}
        self._quiet: set[ir.Var] = set()  # contexts that compiled code does without

    # -------------------------------------------------------------- the walk

    def block(self, block: ir.Block) -> ir.Block:
        outer, self._ops = self._ops, []
        try:
            for op in block.ops:
                self._operation(op)
            results = tuple(
                ir.rebuild(result, self._change) for result in block.results
            )
            return ir.Block(tuple(self._ops), results)
        finally:
            self._ops = outer

    def _change(self, var: ir.Var) -> ir.Operand:
        return self._changed.get(var, var)

    def _operation(self, old: ir.Operation) -> None:
        op = ir.rebuild_op(old, self._change, self.block)
        self.span, self.adjoint = op.span, op.adjoint
        match op:
            case ir.Apply():
                self._apply(op)
            case ir.Load():
                self._load(op)
            case ir.Store():
                assert isinstance(old, ir.Store)
                self._store(op, self._overlaps(old))
            case ir.For(reverse=True):
                self._ops.append(self._counting_down(op))
            case ir.With():
                self._with(op)
            case _:
                self._ops.append(op)

    def _apply(self, op: ir.Apply) -> None:
        if op.fn is np.errstate:
            self._quiet.update(op.targets)
            return
        op = calls.with_plain_arguments(op)
        if len(op.targets) == 1:
            result = calls.rewrite(self, op)
            if result is not None:
                self._define(op.target, result)
                return
        self._append_call(op)

    def _load(self, op: ir.Load) -> None:
        ranks = [ndim(op.base.type), *(None for _ in op.path[1:])]
        path = tuple(map(self._legal_index, op.path, ranks))
        self._ops.append(replace(op, path=path))

    def _define(self, target: ir.Var, result: ir.Operand) -> None:
        if isinstance(result, ir.Var) and not result.name:
            result.name = target.name
        self._changed[target] = result

    def _append_call(self, op: ir.Apply) -> None:
        single = _SINGLE.get(dtype_of(op.targets[0].type) or "")
        if single and (op.fn in _ARITHMETIC or isinstance(op.fn, np.ufunc)):
            op = replace(op, args=tuple(self._narrow(arg, single) for arg in op.args))
        self._ops.append(op)

    def _narrow(self, operand: ir.Operand, single: type) -> ir.Operand:
        kind = type_of(operand)
        if kind == Scalar("float64", weak=True):
            return self.call(single, operand)
        return operand

    # -------------------------------------------------------------- statements

    def _with(self, op: ir.With) -> None:
        if op.context not in self._quiet:
            raise self.refuse(
                "this context manager", "move it out of the compiled function"
            )
        self._ops.extend(op.body.ops)
        for target, result in zip(op.targets, op.body.results, strict=True):
            self._changed[target] = result

    def _counting_down(self, op: ir.For) -> ir.For:
        start, stop, step = op.start, op.stop, op.step
        size = step.value if isinstance(step, ir.Const) else None
        if size in (1, -1):
            last, end = self.minus(stop, size), self.minus(start, size)
            down: ir.Operand = ir.Const(-size)
        else:
            # The last value is what the loop reaches, not what stops it.
            count = self.call(len, self.call(range, start, stop, step))
            steps = self.call(operator.mul, self.minus(count, 1), step)
            last = self.call(operator.add, start, steps)
            end = self.call(operator.sub, start, step)
            down = self.call(operator.neg, step)
        return replace(op, start=last, stop=end, step=down, reverse=False)

    def _overlaps(self, op: ir.Store) -> bool:
        """Whether the value may lie in the memory that is written."""
        memory = self.memory
        if not memory.has_buffer(op.base):
            return False
        root = memory.aliases.find(op.base)
        return any(
            memory.aliases.find(var) is root for var in memory.buffers((op.value,))
        )

    def _store(self, op: ir.Store, overlaps: bool) -> None:
        if not isinstance(op.base.type, Array):
            self._ops.append(op)
            return
        path = tuple(
            self._legal_index(step) if isinstance(step, ir.Index) else step
            for step in op.path
        )
        value = op.value
        if op.mode == "add" and overlaps:
            value = self.call(np.copy, value)
        if not path or (len(path) == 1 and _is_ellipsis(path[0])):
            path = (ir.Index(ALL if op.base.type.ndim else ir.Pack(())),)
        op = replace(op, path=path, value=value)
        if op.mode == "add" and isinstance(path[-1], ir.Index):
            parts = index_parts(path[-1].index)
            if any(_is_array(part) for part in parts):
                self._accumulate(op, parts)
                return
        self._ops.append(op)

    def _legal_index(self, step: ir.Index, rank: int | None = None) -> ir.Index:
        """Lists become arrays, and masks of matrices the places that they pick.

        `rank` is that of what is indexed, where it is known.
        """

        if _is_ellipsis(step) and rank is not None:
            return replace(step, index=ALL if rank else ir.Pack(()))
        if isinstance(step.index, ir.Pack) and step.index.form.kind == "tuple":
            parts = tuple(map(self.as_index, step.index.items))
            return replace(step, index=ir.Pack(parts))
        if _is_mask(step.index) and (ndim(type_of(step.index)) or 0) > 1:
            return replace(step, index=ir.Pack(self._places(step.index)))
        return replace(step, index=self.as_index(step.index))

    def as_index(self, part: ir.Operand) -> ir.Operand:
        """A part of an index; a list becomes an array."""
        if isinstance(part, ir.Const) and isinstance(part.value, list):
            part = ir.Pack(tuple(map(ir.Const, part.value)), ir.LIST)
        if isinstance(part, ir.Pack) and part.form.kind == "list":
            return self.call(np.array, part)
        return part

    def _places(self, mask: ir.Operand) -> tuple[ir.Var, ...]:
        kind = Array("int64", (None,))
        found = tuple(ir.Var("", kind) for _ in range(ndim(type_of(mask)) or 0))
        self._ops.append(
            ir.Apply(self.span, found, np.nonzero, (mask,), adjoint=self.adjoint)
        )
        return found

    # -------------------------------------------------------------- accumulation

    def _accumulate(self, op: ir.Store, parts: tuple[ir.Operand, ...]) -> None:
        """`base[index] += value` one element at a time, so that repeats count."""
        arrays = [part for part in parts if _is_array(part)]
        if any(map(_is_mask, arrays)):
            self._add_at_mask(op, parts)
            return
        if len(op.path) > 1 or any(_is_ellipsis(ir.Index(part)) for part in parts):
            raise self.refuse(
                "accumulation at this index",
                "index the array in one step, without `...`",
            )
        depth = max(ndim(type_of(array)) or 0 for array in arrays)
        # All of these are counted over the index arrays' common shape; the longest in
        # each dimension says how far.
        sizes = [self._extent(arrays, depth, axis) for axis in range(depth)]
        if any(isinstance(size, ir.Const) and size.value == 0 for size in sizes):
            self._define(op.target, op.base)
            return
        position = _broadcast_position(parts)
        gathered = _result_ndim(op.base, parts, depth)

        def body(counters: tuple[ir.Var, ...], base: ir.Var) -> ir.Var:
            index = tuple(
                self._element(part, counters) if _is_array(part) else part
                for part in parts
            )
            value = self._part_of_value(op.value, counters, position, gathered)
            target = ir.Var(op.target.name, op.target.type)
            path = (ir.Index(index[0] if len(index) == 1 else ir.Pack(index)),)
            self._ops.append(
                replace(op, target=target, base=base, path=path, value=value)
            )
            return target

        self._changed[op.target] = self._nest(sizes, (), op.base, body)

    def _nest(
        self,
        sizes: list[ir.Operand],
        counters: tuple[ir.Var, ...],
        base: ir.Var,
        body: Callable[[tuple[ir.Var, ...], ir.Var], ir.Var],
    ) -> ir.Var:
        """Loops over `sizes` around `body`, which carry `base`."""
        if not sizes:
            return body(counters, base)
        return self.loop(
            sizes[0],
            base,
            lambda k, carried: self._nest(sizes[1:], (*counters, k), carried, body),
        )

    def _extent(self, arrays: list[ir.Operand], depth: int, axis: int) -> ir.Operand:
        found: ir.Operand = ir.Const(1)
        for array in arrays:
            kind = type_of(array)
            if not isinstance(kind, Array) or (own := axis - depth + kind.ndim) < 0:
                continue
            dim = kind.dims[own]
            if dim is None or not dim.is_not_one and not dim.is_one:
                size = self.size(array, own)
                if isinstance(found, ir.Const) and found.value == 1:
                    found = size
                else:
                    found = self.call(max, found, size)
            elif dim.is_not_one:
                return self.size(array, own)
        return found

    def _element(self, array: ir.Operand, counters: tuple[ir.Var, ...]) -> ir.Operand:
        kind = type_of(array)
        assert isinstance(kind, Array)
        own = counters[len(counters) - kind.ndim :]
        places = [self._within(array, axis, k) for axis, k in enumerate(own)]
        return self.load(array, *places) if places else array

    def _within(self, array: ir.Operand, axis: int, counter: ir.Var) -> ir.Operand:
        """The counter, held at 0 where the dimension is 1 and broadcasts."""
        kind = type_of(array)
        dim = kind.dims[axis] if isinstance(kind, Array) else None
        if dim is not None and dim.is_one:
            return ir.Const(0)
        if dim is not None and dim.is_not_one:
            return counter
        return self.call(operator.mod, counter, self.size(array, axis))

    def _part_of_value(
        self,
        value: ir.Operand,
        counters: tuple[ir.Var, ...],
        position: int,
        gathered: int | None,
    ) -> ir.Operand:
        kind = type_of(value)
        if isinstance(kind, Scalar) or not isinstance(kind, Array) or not kind.ndim:
            if not isinstance(kind, Scalar) and not isinstance(kind, Array):
                raise self.refuse("accumulation of a value whose rank is not known", "")
            return value
        if gathered is None:
            raise self.refuse("accumulation at an index whose rank is not known", "")
        missing = gathered - kind.ndim  # leading dimensions that broadcasting supplies
        places: list[ir.Operand] = [ALL] * kind.ndim
        for offset, counter in enumerate(counters):
            axis = position + offset - missing
            if axis >= 0:
                places[axis] = self._within(value, axis, counter)
        while places and places[-1] is ALL:
            places.pop()
        return self.load(value, *places) if places else value

    def _add_at_mask(self, op: ir.Store, parts: tuple[ir.Operand, ...]) -> None:
        """A mask picks every place once: read, add and write back."""
        if len(parts) > 1 or len(op.path) > 1:
            raise self.refuse("a mask beside other indices", "use np.where, or a loop")
        before = self.load(op.base, parts[0])
        after = self.call(operator.add, before, op.value)
        self._ops.append(replace(op, value=after, mode="set"))

    # -------------------------------------------------------------- building

    def call(self, fn: Any, *args: Any, **kwargs: Any) -> ir.Var:
        """Append `fn(*args, **kwargs)`; plain values are constants."""
        given = tuple(map(operand, args))
        named = tuple((key, operand(value)) for key, value in kwargs.items())
        if fn is getattr:
            attribute = args[1]
            result = infer_call(lambda x: getattr(x, attribute), given[:1])
        else:
            result = infer_call(fn, given, named)
        kind: Type = TupleOf(result.types) if result.unpacks else result.types[0]
        target = ir.Var("", kind)
        op = ir.Apply(self.span, (target,), fn, given, named, adjoint=self.adjoint)
        self._append_call(calls.with_plain_arguments(op))
        return target

    def load(self, base: ir.Operand, *parts: Any) -> ir.Var:
        """Append `base[parts]`."""
        if not isinstance(base, ir.Var):
            base = self.call(np.asarray, base)
        items = tuple(map(operand, parts))
        index = items[0] if len(items) == 1 else ir.Pack(items)
        kind = infer_call(operator.getitem, (base, index)).types[0]
        if isinstance(kind, Array) and any(map(_is_mask, items)):
            # Stand-ins of masks are all true: how many are, is not known.
            kind = replace(kind, dims=(None,) * kind.ndim)
        target = ir.Var("", kind)
        path = (ir.Index(index),)
        self._ops.append(ir.Load(self.span, target, base, path, adjoint=self.adjoint))
        return target

    def store(
        self,
        base: ir.Var,
        value: ir.Operand,
        *parts: Any,
        mode: Literal["set", "add"] = "set",
    ) -> ir.Var:
        """Append `base[parts] = value`, or `+=`; the new version of `base`."""
        items = tuple(map(operand, parts))
        index = items[0] if len(items) == 1 else ir.Pack(items)
        target = ir.Var("", base.type)
        self._ops.append(
            ir.Store(
                self.span,
                target,
                base,
                (ir.Index(index),),
                value,
                mode,
                adjoint=self.adjoint,
            )
        )
        return target

    def new_list(self, item: Type) -> ir.Var:
        """Append `[]`, a list of items of a type."""
        target = ir.Var("", ListOf(item))
        empty = ir.Pack((), ir.LIST)
        self._ops.append(
            ir.Apply(self.span, (target,), identity, (empty,), adjoint=self.adjoint)
        )
        return target

    def append(self, base: ir.Var, value: ir.Operand) -> ir.Var:
        """Append `base.append(value)`; the new version of `base`."""
        target = ir.Var(base.name, base.type)
        self._ops.append(
            ir.Append(self.span, target, base, value, adjoint=self.adjoint)
        )
        return target

    def size(self, array: ir.Operand, axis: int) -> ir.Operand:
        """`array.shape[axis]`, as a number where it is known."""
        kind = type_of(array)
        if isinstance(kind, Array):
            axis %= kind.ndim
            dim = kind.dims[axis]
            if dim is not None and not dim.symbol:
                return ir.Const(dim.offset)
            shape = ir.Var(
                "", TupleOf(tuple(Scalar("int64", size=each) for each in kind.dims))
            )
        else:
            shape = ir.Var()
        known = kind.dims[axis] if isinstance(kind, Array) else None
        self._ops.append(
            ir.Apply(
                self.span,
                (shape,),
                getattr,
                (array, ir.Const("shape")),
                adjoint=self.adjoint,
            )
        )
        target = ir.Var("", Scalar("int64", size=known))
        path = (ir.Index(ir.Const(axis)),)
        self._ops.append(ir.Load(self.span, target, shape, path, adjoint=self.adjoint))
        return target

    def minus(self, value: ir.Operand, amount: int) -> ir.Operand:
        """`value - amount`, folded and with the sign that reads better."""
        if isinstance(value, ir.Const):
            return ir.Const(value.value - amount)
        if amount < 0:
            return self.call(operator.add, value, -amount)
        return self.call(operator.sub, value, amount)

    def loop(
        self,
        count: ir.Operand,
        init: ir.Operand,
        body: Callable[[ir.Var, ir.Var], ir.Operand],
        start: int = 0,
    ) -> ir.Var:
        """Append `for k in range(start, count)` that carries one value."""
        kind = type_of(init)
        index = ir.Var("k", Scalar("int64"))
        name = init.name if isinstance(init, ir.Var) else ""
        carried, target = ir.Var(name, kind), ir.Var(name, kind)
        outer, self._ops = self._ops, []
        result = body(index, carried)
        inner, self._ops = ir.Block(tuple(self._ops), (result,)), outer
        self._ops.append(
            ir.For(
                self.span,
                (target,),
                index,
                ir.Const(start),
                count,
                ir.Const(1),
                (carried,),
                (init,),
                inner,
                adjoint=self.adjoint,
            )
        )
        return target

    def ensure(self, condition: ir.Operand, message: str) -> None:
        """Append an assertion."""
        self._ops.append(
            ir.Effect(
                self.span,
                "assert",
                (condition, ir.Const(message)),
                adjoint=self.adjoint,
            )
        )

    def refuse(self, what: str, hint: str) -> BackendError:
        return BackendError(f"Numba cannot compile {what}", self.span, hint)


# ---------------------------------------------------------------- operands


def index_parts(index: ir.Operand) -> tuple[ir.Operand, ...]:
    if isinstance(index, ir.Pack) and index.form.kind == "tuple":
        return index.items
    return (index,)


def _is_array(part: ir.Operand) -> bool:
    kind = type_of(part)
    return isinstance(kind, (Array, ListOf))


def _is_mask(part: ir.Operand) -> bool:
    kind = type_of(part)
    return isinstance(kind, Array) and kind.dtype == "bool"


def _is_ellipsis(step: ir.Index | ir.View) -> bool:
    return (
        isinstance(step, ir.Index)
        and isinstance(step.index, ir.Const)
        and step.index.value is Ellipsis
    )


def _is_advanced(part: ir.Operand) -> bool:
    return not isinstance(part, ir.Slice) and not _is_new_axis(part)


def _is_new_axis(part: ir.Operand) -> bool:
    return isinstance(part, ir.Const) and part.value is None


def _broadcast_position(parts: tuple[ir.Operand, ...]) -> int:
    """Where the dimensions of the index arrays stand in the result.

    Beside an index array, integers count as index arrays; if slices part them, their
    common dimensions come first.
    """
    advanced = [place for place, part in enumerate(parts) if _is_advanced(part)]
    adjacent = advanced[-1] - advanced[0] + 1 == len(advanced)
    return advanced[0] if adjacent else 0


def _result_ndim(base: ir.Var, parts: tuple[ir.Operand, ...], depth: int) -> int | None:
    kind = base.type
    if not isinstance(kind, Array):
        return None
    new_axes = sum(map(_is_new_axis, parts))
    consumed = len(parts) - new_axes
    slices = sum(isinstance(part, ir.Slice) for part in parts)
    return kind.ndim - consumed + slices + new_axes + depth
