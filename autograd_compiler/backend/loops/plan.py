"""From the operations of a block to statements on regions of arrays.

Note [Pending values].  An elementwise call is not computed where it stands but where its
result is used, as a part of a larger statement.  So it waits until then, and must not
wait too long: before something writes what it reads, and before something needs the
array itself, it is computed, by a statement of its own.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

import numpy as np

from autograd_compiler import ir
from autograd_compiler.analysis.effects import Memory, writes
from autograd_compiler.backend.loops import access
from autograd_compiler.backend.loops.elementwise import (
    cost,
    is_elementwise,
    operands_of,
)
from autograd_compiler.backend.loops.expressions import (
    At,
    Element,
    Expr,
    Map,
    Node,
    Value,
    broadcast,
    elements,
    expr_dtype,
    known_dims,
    moved,
    own_axes,
    rolled,
    through,
    weight,
    wraps,
)
from autograd_compiler.types import Array, Dim, Scalar, dtype_of

MOST_AGAIN = 1  # additions per element that may be done again instead of kept


@dataclass(frozen=True, eq=False)
class Statement:
    """`base[at] = expr` for each place of a space, or a sum of `expr` over it.

    Attributes
    ----------
    target
        The array after the statement, or the number that a sum gives.
    base
        The array that is written, under its first name; None for a sum.
    fresh
        Whether the array is made here, and written in full.
    padded
        Whether it is written in full but for zeros around.
    mean
        Whether a sum is divided by the number of its terms.
    """

    op: ir.Operation
    target: ir.Var
    base: ir.Var | None
    at: Map
    mode: Literal["set", "add"]
    expr: Expr
    dims: tuple[Dim, ...]
    fresh: bool = False
    padded: bool = False
    mean: bool = False


Item: TypeAlias = Statement | ir.Operation


class Planner:
    """Plans the blocks of one function."""

    def __init__(self, memory: Memory, count: dict[ir.Var, int]) -> None:
        self.memory = memory
        self.count = count
        self._first: dict[ir.Var, ir.Var] = {}
        self._pending: dict[ir.Var, tuple[Value, ir.Operation]] = {}
        self._uses_left: dict[ir.Var, int] = {}
        self._items: list[Item] = []

    def first(self, var: ir.Var) -> ir.Var:
        """The first name of the buffer within its block."""
        while var in self._first:
            var = self._first[var]
        return var

    def follow(self, later: ir.Var, earlier: ir.Var) -> None:
        """Note a later name of a buffer."""
        self._first[later] = earlier

    def known(self) -> list[ir.Var]:
        """The later names of buffers."""
        return list(self._first)

    def plan(self, block: ir.Block, symbols: set[str]) -> list[Item]:
        """The statements of a block; `symbols` are the sizes that are known before it."""
        self._items, self._pending = [], {}
        symbols = set(symbols)
        lowered: dict[ir.Operation, bool] = {}
        for op in block.ops:
            lowered[op] = symbols.issuperset(_symbols(op)) and self._is_lowered(op)
            if not lowered[op]:
                symbols.update(*(bare_symbols(var) for var in ir.targets(op)))
        users: dict[ir.Var, list[ir.Operation]] = {}
        for op in block.ops:
            for var in ir.uses(op):
                users.setdefault(var, []).append(op)
        for op in reversed(block.ops):
            # A view that is needed as an array is one, and so is what it is a view of.
            if lowered[op] and _is_view(op):
                (target,) = ir.targets(op)
                lowered[op] = self._all_lowered(target, lowered, users)
        for op in block.ops:
            self._operation(op, lowered, users)
        for result in block.results:
            self._settle(ir.leaves(result))
        return self._items

    # ------------------------------------------------------------ what is lowered

    def _is_lowered(self, op: ir.Operation) -> bool:
        match op:
            case ir.Load(base=base, path=path, target=target):
                return known_dims(target.type) is not None and (
                    access.region(base, path) is not None
                )
            case ir.Store(base=base, path=path, value=value):
                if known_dims(base.type) is None or not _is_number_or_array(value):
                    return False
                found = access.region(base, path)
                if found is None or not found[1]:
                    return False
                dims = known_dims(value.type) if isinstance(value, ir.Var) else None
                kind = value.type if isinstance(value, ir.Var) else None
                if isinstance(kind, Array) and dims is None:
                    return False
                own = dims or ()
                return broadcast(Value(ir.Const(0.0), own), found[1]) is not None
            case ir.Apply(targets=(target,)) if _is_view(op):
                source = op.args[0].type if isinstance(op.args[0], ir.Var) else None
                return (
                    source is not None
                    and known_dims(source) is not None
                    and known_dims(target.type) is not None
                    and access.view(op) is not None
                )
            case ir.Apply(targets=(target,)) if is_elementwise(op):
                dims = known_dims(target.type)
                return dims is not None and all(
                    self._fits(arg, dims) for arg in operands_of(op)
                )
            case ir.Apply() if op.fn in (np.sum, np.mean):
                return _sum_axes(op) is not None
            case ir.Apply() if op.fn is np.roll:
                source = op.args[0].type if isinstance(op.args[0], ir.Var) else None
                return (
                    source is not None
                    and known_dims(source) is not None
                    and (access.roll(op) is not None)
                )
        return False

    def _fits(self, operand: ir.Operand, dims: tuple[Dim, ...]) -> bool:
        if not isinstance(operand, ir.Var) or isinstance(operand.type, Scalar):
            return True
        own = known_dims(operand.type)
        return own is not None and (
            broadcast(Value(ir.Const(0.0), own), dims) is not None
        )

    # ------------------------------------------------------------ one operation

    def _operation(
        self,
        op: ir.Operation,
        lowered: dict[ir.Operation, bool],
        users: dict[ir.Var, list[ir.Operation]],
    ) -> None:
        if not lowered[op]:
            self._as_it_is(op)
            return
        match op:
            case ir.Store():
                self._store(op)
            case ir.Load(target=target, base=base, path=path):
                found = access.region(base, path)
                assert found is not None
                self._unwrapped(base)
                self._wait(target, self._taken(base), found[0], found[1], op)
            case ir.Apply(targets=(target,)) if _is_view(op):
                dims, places = known_dims(target.type), access.view(op)
                source = op.args[0]
                assert dims is not None and places is not None
                assert isinstance(source, ir.Var)
                self._unwrapped(source)
                self._wait(target, self._taken(source), places, dims, op)
            case ir.Apply() if op.fn in (np.sum, np.mean):
                self._sum(op)
            case ir.Apply() if op.fn is np.roll:
                self._roll(op, lowered, users)
            case ir.Apply():
                self._elementwise(op, lowered, users)

    def _all_lowered(
        self,
        var: ir.Var,
        lowered: dict[ir.Operation, bool],
        users: dict[ir.Var, list[ir.Operation]],
    ) -> bool:
        """Whether only statements of this block read it, as a value."""
        found = users.get(var, [])
        return len(found) == self.count[var] and all(
            lowered[user] and not (isinstance(user, ir.Store) and user.base is var)
            for user in found
        )

    def _unwrapped(self, source: ir.Var) -> None:
        """Only whole vectors are rolled within loops."""
        if wraps(self._value(source).expr):
            self._settle((source,))

    def _wait(
        self,
        target: ir.Var,
        source: Value,
        places: Map,
        dims: tuple[Dim, ...],
        op: ir.Operation,
    ) -> None:
        self._hold(target, Value(moved(source.expr, places), dims), op)

    def _hold(self, target: ir.Var, value: Value, op: ir.Operation) -> None:
        self._pending[target] = (value, op)
        self._uses_left[target] = self.count[target]

    def _value(self, operand: ir.Operand) -> Value:
        if isinstance(operand, ir.Var) and operand in self._pending:
            return self._pending[operand][0]
        dims = known_dims(operand.type) if isinstance(operand, ir.Var) else None
        if isinstance(operand, ir.Var) and dims is not None:
            return Value(Element(operand, own_axes(len(dims))), dims)
        return Value(operand, ())

    def _roll(
        self,
        op: ir.Apply,
        lowered: dict[ir.Operation, bool],
        users: dict[ir.Var, list[ir.Operation]],
    ) -> None:
        source, shift = op.args[0], access.roll(op)
        assert isinstance(source, ir.Var) and shift is not None
        if rolled(self._value(source).expr, shift) is None:
            self._settle((source,))
        value = self._taken(source)
        expr = rolled(value.expr, shift)
        if expr is None:  # of a slice, which is read where it lies
            whole = self._computed(op, value.expr, value.dims)
            expr = rolled(whole, shift)
        assert expr is not None
        self._hold(op.target, Value(expr, value.dims), op)
        once = self.count[op.target] == 1 or weight(expr, cost) <= MOST_AGAIN
        if not once or not self._all_lowered(op.target, lowered, users):
            self._settle((op.target,))

    def _taken(self, operand: ir.Operand) -> Value:
        """The value for one of its uses; what has no other use waits no longer."""
        value = self._value(operand)
        if isinstance(operand, ir.Var) and operand in self._pending:
            self._uses_left[operand] -= 1
            if not self._uses_left[operand]:
                del self._pending[operand]
        return value

    def _operand(self, operand: ir.Operand, dims: tuple[Dim, ...]) -> Expr:
        """An operand by element, computed before if it would be computed repeatedly."""
        value = self._value(operand)
        if len(value.dims) < len(dims) or _repeats(value.dims, dims):
            much = weight(value.expr, cost) > MOST_AGAIN or wraps(value.expr)
            if much and isinstance(operand, ir.Var):
                self._settle((operand,))
        expr = broadcast(self._taken(operand), dims)
        assert expr is not None
        return expr

    def _elementwise(
        self,
        op: ir.Apply,
        lowered: dict[ir.Operation, bool],
        users: dict[ir.Var, list[ir.Operation]],
    ) -> None:
        target = op.target
        dims = known_dims(target.type)
        assert dims is not None
        args = tuple(self._operand(arg, dims) for arg in operands_of(op))
        expr: Expr = Node(op, args, dtype_of(target.type) or "")
        if op.fn is np.copy:
            expr = args[0]
        self._hold(target, Value(expr, dims), op)
        once = self.count[target] == 1 or weight(expr, cost) <= MOST_AGAIN
        if isinstance(expr, Element) and self.count[target] > 1:
            once = False  # a copy of what is about to be written
        if not once or not self._all_lowered(target, lowered, users):
            self._settle((target,))

    def _store(self, op: ir.Store) -> None:
        found = access.region(op.base, op.path)
        assert found is not None
        at, dims = found
        expr = self._operand(op.value, dims)
        base = self.first(op.base)
        if self._meets(expr, base, at, len(dims)):
            expr = self._computed(op, expr, dims)
        self._before_write(op.base)
        self._add(Statement(op, op.target, base, at, op.mode, expr, dims))
        self._first[op.target] = op.base

    def _meets(self, expr: Expr, base: ir.Var, at: Map, rank: int) -> bool:
        """Whether the value reads what is written before it is read."""
        for element in elements(expr):
            if self.first(element.base) is base:
                if access.meets_later(element.at, at, rank):
                    return True
            elif self.may_share(element.base, base):
                return True
        return False

    def may_share(self, first: ir.Var, second: ir.Var) -> bool:
        find = self.memory.aliases.find
        return find(first) is find(second)

    def _sum(self, op: ir.Apply) -> None:
        axes = _sum_axes(op)
        source = op.args[0]
        assert axes is not None and isinstance(source, ir.Var)
        value = self._taken(source)
        dims = value.dims
        if isinstance(op.target.type, Scalar):
            mean = op.fn is np.mean
            self._add(
                Statement(op, op.target, None, (), "add", value.expr, dims, mean=mean)
            )
            return
        kept = [axis for axis in range(len(dims)) if axis not in axes]
        at = tuple(At(axis) for axis in kept)
        name = op.target.name
        zeros, total = ir.Var(name, op.target.type), ir.Var(name, op.target.type)
        if axes == (len(dims) - 1,):
            # A number per element that is kept, which the loop along the axis adds to.
            zeros.name = total.name = ""
        self._add(Statement(op, total, zeros, at, "add", value.expr, dims, fresh=True))
        self._first[total] = zeros
        if axes == (len(dims) - 1,):
            own = own_axes(len(kept))
            result = ir.Var(name, op.target.type)
            sizes = tuple(dims[axis] for axis in kept)
            self._made(op, op.target, result, Element(total, own), sizes)
        else:
            self._first[op.target] = zeros

    def _add(self, statement: Statement) -> None:
        """A new statement, without loops along sizes of 1."""
        dims = statement.dims
        kept = [axis for axis, dim in enumerate(dims) if not dim.is_one] or [0]
        if len(kept) < len(dims):
            places = tuple(
                At(kept.index(axis)) if axis in kept else At(None)
                for axis in range(len(dims))
            )
            statement = replace(
                statement,
                at=through(statement.at, places),
                expr=moved(statement.expr, places),
                dims=tuple(dims[axis] for axis in kept),
            )
        self._items.append(statement)

    # ------------------------------------------------------------ what cannot wait

    def _as_it_is(self, op: ir.Operation) -> None:
        if ir.blocks(op):
            self._settle(tuple(self._pending))
        self._settle(ir.uses(op))
        for var in writes(op):
            self._before_write(var)
        self._items.append(op)
        if isinstance(op, ir.Store):
            self._first[op.target] = op.base

    def _before_write(self, written: ir.Var) -> None:
        late = [
            var
            for var, (value, _) in self._pending.items()
            if any(self.may_share(e.base, written) for e in elements(value.expr))
        ]
        self._settle(late)

    def _settle(self, found: Iterable[ir.Var]) -> None:
        """Compute pending values; a view goes on, as it is read when it is used."""
        for var in tuple(found):
            if var not in self._pending:
                continue
            value, op = self._pending[var]
            if _is_view(op) and isinstance(value.expr, Element):
                continue
            del self._pending[var]
            if isinstance(op, ir.Apply) and op.fn is np.copy and _is_whole(value):
                assert isinstance(value.expr, Element)
                self._items.append(replace(op, args=(value.expr.base,)))
                continue
            base = ir.Var(var.name, Array(dtype_of(var.type) or "", value.dims, True))
            self._made(op, var, base, value.expr, value.dims)

    def _computed(self, op: ir.Operation, expr: Expr, dims: tuple[Dim, ...]) -> Element:
        """An array of the values of an expression, as an expression."""
        base = ir.Var("", Array(expr_dtype(expr), dims, True))
        target = ir.Var("", base.type)
        self._made(op, target, base, expr, dims)
        return Element(target, own_axes(len(dims)))

    def _made(
        self,
        op: ir.Operation,
        target: ir.Var,
        base: ir.Var,
        expr: Expr,
        dims: tuple[Dim, ...],
    ) -> None:
        at = own_axes(len(dims))
        self._add(Statement(op, target, base, at, "set", expr, dims, True))
        self._first[target] = base


def bare_symbols(var: ir.Var) -> set[str]:
    """The symbols that are the size of an axis of an array."""
    if not isinstance(var.type, Array):
        return set()
    return {d.symbol for d in var.type.dims if d is not None and not d.offset}


def _symbols(op: ir.Operation) -> set[str]:
    """The symbols of the sizes of all arrays of an operation."""
    return {
        dim.symbol
        for var in (*ir.uses(op), *ir.targets(op))
        if isinstance(var.type, Array)
        for dim in var.type.dims
        if dim is not None and dim.symbol
    }


def _is_view(op: ir.Operation) -> bool:
    if isinstance(op, ir.Load):
        return True
    return isinstance(op, ir.Apply) and op.fn in (
        np.expand_dims,
        np.transpose,
        np.broadcast_to,
    )


def _is_whole(value: Value) -> bool:
    expr = value.expr
    return (
        isinstance(expr, Element)
        and expr.at == own_axes(len(value.dims))
        and known_dims(expr.base.type) == value.dims
    )


def _is_number_or_array(operand: ir.Operand) -> bool:
    match operand:
        case ir.Const(value):
            return type(value) in (int, float, bool, np.float64)
        case ir.Var(type=Scalar(dtype) | Array(dtype)):
            return dtype in ("float64", "int64", "bool")
    return False


def _repeats(own: tuple[Dim, ...], dims: tuple[Dim, ...]) -> bool:
    return any(
        a.is_one and not b.is_one
        for a, b in zip(reversed(own), reversed(dims), strict=False)
    )


def _sum_axes(op: ir.Apply) -> tuple[int, ...] | None:
    """The axes that are summed, of a sum that is lowered."""
    given = dict(zip(("a", "axis"), op.args, strict=False)) | dict(op.kwargs)
    source = given.pop("a", None)
    axis = given.pop("axis", ir.Const(None))
    if given or not isinstance(source, ir.Var) or dtype_of(source.type) != "float64":
        return None
    dims = known_dims(source.type)
    if dims is None or dtype_of(op.target.type) != "float64":
        return None
    match axis:
        case ir.Const(None):
            axes = tuple(range(len(dims)))
        case ir.Const(int() as number):
            axes = (number % len(dims),)
        case ir.Pack(items) if all(_is_axis(item) for item in items):
            axes = tuple(item.value % len(dims) for item in items)  # type: ignore[union-attr]
        case _:
            return None
    if len(axes) == len(dims):
        return axes if isinstance(op.target.type, Scalar) else None
    if op.fn is np.mean or known_dims(op.target.type) is None:
        return None
    return axes


def _is_axis(operand: ir.Operand) -> bool:
    return isinstance(operand, ir.Const) and type(operand.value) is int
