"""Loops from nests."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial

import numpy as np

from autograd_compiler import ir
from autograd_compiler.backend.loops.elementwise import operands_of
from autograd_compiler.backend.loops.expressions import (
    At,
    Element,
    Expr,
    Map,
    Node,
    elements,
    expr_dtype,
)
from autograd_compiler.backend.loops.nests import Nest, Place
from autograd_compiler.backend.loops.plan import Planner, Statement
from autograd_compiler.backend.loops.sizes import Sizes
from autograd_compiler.backend.vector.sums import plus
from autograd_compiler.operands import identity
from autograd_compiler.types import Array, Dim, Scalar, Type

_COUNTERS = ("i", "j", "k", "l")


class NestBuilder:
    """Writes one nest.

    Attributes
    ----------
    change
        From a variable of the program to what holds its value now.
    finished
        The new versions of what the nest wrote, by the variables that had them before.
    """

    def __init__(
        self,
        nest: Nest,
        places: dict[ir.Var, Place],
        planner: Planner,
        sizes: Sizes,
        change: Callable[[ir.Var], ir.Operand],
    ) -> None:
        self.nest = nest
        self.places = places
        self.planner = planner
        self.sizes = sizes
        self.change = change
        self.ops: list[ir.Operation] = []
        self.finished: dict[ir.Var, ir.Var] = {}
        self._now: dict[ir.Var, ir.Var] = (
            {}
        )  # arrays, rows, numbers and sums, by first name
        self._shift = self._shifts()
        self._counters: tuple[ir.Var, ...] = ()
        self._wrapping = False
        self._outer: list[ir.Operand] = []
        self._inner: list[ir.Operand | None] = []
        self._adjoint = all(s.op.adjoint for s in nest.statements)
        self._span = nest.statements[0].op.span
        self._cells: dict[tuple[object, ...], ir.Operand] = {}

    def build(self) -> list[ir.Operation]:
        for statement in self.nest.statements:
            self._prepare(statement)
        self._outer = [
            self._stop(axis, dim)
            for axis, dim in enumerate(self.nest.rows[0][0].dims[: self.nest.depth])
        ]
        self._inner = [
            (
                self._stop(self.nest.depth, row[0].dims[-1])
                if len(row[0].dims) > self.nest.depth
                else None
            )
            for row in self.nest.rows
        ]
        self._loops(0)
        for statement in self.nest.statements:
            self._finish(statement)
        return self.ops

    # ------------------------------------------------------------ around the loops

    def _prepare(self, statement: Statement) -> None:
        base = statement.base
        if base is None:
            start = ir.Const(0.0)
            self._now[statement.target] = self._constant(statement.target, start)
        elif statement.fresh and self.places.get(base) != "number":
            self._now[base] = self._allocated(statement, base)
        elif not statement.fresh and base not in self._now:
            held = self.change(base)
            assert isinstance(held, ir.Var)
            self._now[base] = held

    def _stop(self, axis: int, dim: Dim) -> ir.Operand:
        return self.sizes.of(dim, self._shift[axis], self.ops)

    def _constant(self, like: ir.Var, value: ir.Operand) -> ir.Var:
        made = ir.Var(like.name, like.type)
        self._add(ir.Apply(self._span, (made,), identity, (value,)))
        return made

    def _allocated(self, statement: Statement, base: ir.Var) -> ir.Var:
        kind = base.type
        assert isinstance(kind, Array)
        if self.places.get(base) == "row":
            sizes = [self._size(statement.dims[-1], self._shift[self.nest.depth])]
            kind = Array(kind.dtype, (None,), True)
        else:
            dims = [dim for dim in kind.dims if dim is not None]
            sizes = [self._size(dim, 0) for dim in dims]
        shape = sizes[0] if len(sizes) == 1 else ir.Pack(tuple(sizes))
        made = ir.Var(base.name, kind)
        zeros = statement.mode == "add" or statement.padded
        fn = np.zeros if zeros else np.empty
        given: tuple[tuple[str, ir.Operand], ...] = ()
        if kind.dtype != "float64":
            given = (("dtype", ir.Const(np.dtype(kind.dtype).type)),)
        self._add(ir.Apply(self._span, (made,), fn, (shape,), given))
        return made

    def _size(self, dim: Dim, more: int) -> ir.Operand:
        """A size to allocate: of nothing where the array has fewer than are left out."""
        size = self.sizes.of(dim, more, self.ops)
        if not dim.symbol or dim.offset + more >= 0:
            return size
        made = ir.Var("", Scalar("int64"))
        self._add(ir.Apply(self._span, (made,), max, (size, ir.Const(0))))
        return made

    def _finish(self, statement: Statement) -> None:
        base = statement.base
        if base is None:
            total = self._now[statement.target]
            if statement.mean:
                total = self._over_count(total, statement.dims)
            self.finished[statement.target] = total
        elif base in self._now and base not in self.places:
            self.finished[base] = self._now[base]

    def _over_count(self, total: ir.Var, dims: tuple[Dim, ...]) -> ir.Var:
        count: ir.Operand = self.sizes.of(dims[0], 0, self.ops)
        for dim in dims[1:]:
            size = self.sizes.of(dim, 0, self.ops)
            made = ir.Var("", Scalar("int64"))
            self._add(ir.Apply(self._span, (made,), operator.mul, (count, size)))
            count = made
        mean = ir.Var(total.name, total.type)
        self._add(ir.Apply(self._span, (mean,), operator.truediv, (total, count)))
        return mean

    def _shifts(self) -> tuple[int, ...]:
        """What the counters start at, so that the writes have plain indices."""
        shifts: dict[int, int] = {}
        for statement in self.nest.statements:
            if statement.base is not None and not statement.fresh:
                for place in statement.at:
                    if place.axis is not None:
                        shifts.setdefault(place.axis, place.offset)
        return tuple(shifts.get(axis, 0) for axis in range(self.nest.depth + 1))

    # ------------------------------------------------------------ loops

    def _loops(self, depth: int) -> None:
        if depth < self.nest.depth:
            every = self.nest.statements
            for start, stop in self._ranges(depth):
                self._loop(depth, start, stop, every, partial(self._loops, depth + 1))
            return
        for row, end in zip(self.nest.rows, self._inner, strict=True):
            for statement in row:
                if self._is_inner_sum(statement):
                    assert statement.base is not None
                    zero = self._constant(statement.base, ir.Const(0.0))
                    zero.type = Scalar("float64", weak=False)
                    self._now[statement.base] = zero
            if end is None:
                self._row(row)
            else:
                start = ir.Const(self._shift[depth])
                self._loop(depth, start, end, row, partial(self._row, row))

    def _ranges(self, depth: int) -> Iterator[tuple[ir.Operand, ir.Operand]]:
        """The ranges of an outer loop: three of them where rolled vectors are read.

        In the first and the last an index may wrap around, and so the middle, which is
        nearly everything, vectorises.
        """
        shift = self._shift[depth]
        start, stop = ir.Const(shift), self._outer[depth]
        offsets = [
            place.offset
            for statement in self.nest.statements
            for element in elements(statement.expr)
            for place in element.at
            if place.wraps
        ]
        if depth or not offsets:
            yield start, stop
            return
        before, after = max(0, -min(offsets)), max(0, max(offsets))
        first = ir.Const(shift + before)
        last = self._plus(stop, -after)
        self._wrapping = True
        if before:
            yield start, first
        self._wrapping = False
        yield first, last
        self._wrapping = True
        if after:
            if before:
                made = ir.Var("", Scalar("int64"))
                self._add(ir.Apply(self._span, (made,), max, (last, first)))
                last = made
            yield last, stop
        self._wrapping = False

    def _is_inner_sum(self, statement: Statement) -> bool:
        base = statement.base
        if base is None or not statement.fresh or statement.mode != "add":
            return False
        return self.places.get(base) == "number"

    def _loop(
        self,
        depth: int,
        start: ir.Operand,
        stop: ir.Operand,
        statements: list[Statement],
        inside: Callable[[], None],
    ) -> None:
        if depth < self.nest.depth:
            self._forget_numbers()
        carried = list(
            dict.fromkeys(
                key
                for statement in statements
                if (key := self._key(statement)) in self._now
            )
        )
        inits = tuple(self._now[key] for key in carried)
        params = tuple(ir.Var(var.name, var.type) for var in inits)
        targets = tuple(ir.Var(var.name, var.type) for var in inits)
        counter = ir.Var(_COUNTERS[depth % 4], Scalar("int64"))
        outer, self.ops = self.ops, []
        self._counters = (*self._counters, counter)
        self._now.update(zip(carried, params, strict=True))
        self._cells = {}
        inside()
        results = tuple(self._now[key] for key in carried)
        if depth < self.nest.depth:
            self._forget_numbers()
        body = ir.Block(tuple(self.ops), results)
        self.ops = outer
        self._counters = self._counters[:-1]
        self._now.update(zip(carried, targets, strict=True))
        self._cells = {}
        self._add(
            ir.For(
                self._span,
                targets,
                counter,
                start,
                stop,
                ir.Const(1),
                params,
                inits,
                body,
            )
        )

    def _forget_numbers(self) -> None:
        """What an iteration makes and uses up is not carried to the next."""
        for base, place in self.places.items():
            if place == "number":
                self._now.pop(base, None)

    def _key(self, statement: Statement) -> ir.Var:
        return statement.target if statement.base is None else statement.base

    def _row(self, row: list[Statement]) -> None:
        for statement in row:
            self._span, span = statement.op.span, self._span
            self._adjoint, adjoint = statement.op.adjoint, self._adjoint
            self._statement(statement)
            self._span, self._adjoint = span, adjoint

    def _statement(self, statement: Statement) -> None:
        key = self._key(statement)
        name = statement.target.name
        value = self._value(statement.expr)
        if statement.base is None:
            self._now[key] = self._sum(self._now[key], value, name)
            return
        if self.places.get(key) == "number":
            if statement.mode == "add":
                value = self._sum(self._now[key], value, name)
            elif not isinstance(value, ir.Var):
                value = self._constant(ir.Var(name, Scalar(expr_dtype(value))), value)
            if isinstance(value, ir.Var) and not value.name:
                value.name = name
            self._now[key] = value
            return
        array = self._now[key]
        target = ir.Var(array.name, array.type)
        index = self._index(array, key, statement.at)
        path = (ir.Index(index),)
        self._add(ir.Store(self._span, target, array, path, value, statement.mode))
        self._now[key] = target
        self._cells = {
            cell: held
            for cell, held in self._cells.items()
            if not self.planner.may_share(cell[0], key)  # type: ignore[arg-type]
        }

    def _sum(self, total: ir.Var, value: ir.Operand, name: str) -> ir.Var:
        made = ir.Var(total.name or name, total.type)
        self._add(ir.Apply(self._span, (made,), plus, (total, value)))
        return made

    # ------------------------------------------------------------ elements

    def _value(self, expr: Expr) -> ir.Operand:
        match expr:
            case Element():
                return self._element(expr)
            case Node(op=op, args=args, dtype=dtype):
                values = tuple(map(self._value, args))
                return self._call(op, values, dtype)
            case ir.Var():
                return self.change(expr)
        return expr

    def _call(self, op: ir.Apply, values: tuple[ir.Operand, ...], dtype: str) -> ir.Var:
        made = ir.Var("", Scalar(dtype, weak=False))
        if op.fn is np.where:  # of numbers, it gives Numba an array
            cond, *sides = values
            then, orelse = (ir.Block((), (side,)) for side in sides)
            self._add(ir.If(self._span, (made,), cond, then, orelse))
            return made
        fn, rest = op.fn, op.args[len(operands_of(op)) :]
        if fn is np.astype:
            fn, rest = np.float64, ()
        self._add(
            replace(op, targets=(made,), fn=fn, args=(*values, *rest), style="function")
        )
        return made

    def _element(self, element: Element) -> ir.Operand:
        first = self.planner.first(element.base)
        if self.places.get(first) == "number" and first in self._now:
            return self._now[first]
        array = self._now.get(first)
        if array is None:
            held = self.change(element.base)
            assert isinstance(held, ir.Var)
            array = held
        cell = (first, *((p.axis, p.offset, p.fixed) for p in element.at))
        if cell in self._cells:
            return self._cells[cell]
        index = self._index(array, first, element.at)
        assert isinstance(element.base.type, Array)
        kind: Type = Scalar(element.base.type.dtype, weak=False)
        made = ir.Var("", kind)
        self._add(ir.Load(self._span, made, array, (ir.Index(index),)))
        self._cells[cell] = made
        return made

    def _index(self, array: ir.Var, first: ir.Var, at: Map) -> ir.Operand:
        if self.places.get(first) == "row":
            return self._counters[-1]
        parts = tuple(map(self._place, at))
        return parts[0] if len(parts) == 1 else ir.Pack(parts)

    def _place(self, place: At) -> ir.Operand:
        if place.axis is None:
            if place.fixed is None:
                return ir.Const(place.offset)
            return self._plus(self.change_number(place.fixed), place.offset)
        offset = place.offset - self._shift[place.axis]
        index = self._plus(self._counters[place.axis], offset)
        if place.wraps and self._wrapping and place.offset > 0:
            made = ir.Var("", Scalar("int64"))
            # Counted from the end, as negative indices are.
            size = self.sizes.of(self.nest.rows[0][0].dims[place.axis], 0, self.ops)
            self._add(ir.Apply(self._span, (made,), operator.sub, (index, size)))
            return made
        return index

    def change_number(self, operand: ir.Operand) -> ir.Operand:
        return self.change(operand) if isinstance(operand, ir.Var) else operand

    def _plus(self, operand: ir.Operand, offset: int) -> ir.Operand:
        if not offset:
            return operand
        fn = operator.add if offset > 0 else operator.sub
        made = ir.Var("", Scalar("int64"))
        args = (operand, ir.Const(abs(offset)))
        self._add(ir.Apply(self._span, (made,), fn, args))
        return made

    def _add(self, op: ir.Operation) -> None:
        self.ops.append(replace(op, span=self._span, adjoint=self._adjoint))
