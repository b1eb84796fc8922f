"""Branches: lower both sides on copies of the state, then merge what differs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from autograd_compiler import ir
from autograd_compiler.frontend.memory import State
from autograd_compiler.frontend.values import (
    Bound,
    Choice,
    Closure,
    Items,
    MethodOf,
    NoResultYet,
    Ref,
    Undecided,
    Value,
    pack,
)
from autograd_compiler.operands import type_of_operand
from autograd_compiler.types import (
    MEMORY,
    Nested,
    Scalar,
    TupleOf,
    Type,
    join,
)

if TYPE_CHECKING:
    from autograd_compiler.frontend.lower import Lowering

Side = Callable[[], Value | None]


class Merge:
    """Collects the results that the two blocks of a branch give."""

    def __init__(
        self, low: Lowering, sides: tuple[list[ir.Operation], list[ir.Operation]]
    ) -> None:
        self.low = low
        self.sides = sides
        self.targets: list[ir.Var] = []
        self.results: tuple[list[ir.Operand], list[ir.Operand]] = ([], [])
        self.made: dict[tuple[Any, Any], ir.Var] = {}
        # Containers as they are after the branch, where that is found with a name.
        self.cells: dict[int, Items | ir.Var] = {}
        self.chosen: dict[tuple[int, int], Value] = {}

    def operand(
        self,
        first: ir.Operand,
        second: ir.Operand,
        name: str,
        origin: ir.Var | None = None,
    ) -> ir.Operand:
        """One operand for both; `origin` is the buffer that both are versions of."""
        if first is second:
            return first
        if (
            isinstance(first, ir.Const)
            and isinstance(second, ir.Const)
            and first is not ir.UNDEFINED
            and second is not ir.UNDEFINED
            and type(first.value) is type(second.value)
            and not hasattr(first.value, "shape")
            and first.value == second.value
        ):
            return first
        for one in (first, second):
            if isinstance(one, ir.Slice):
                raise self.low.refuse(None, "a slice object that depends on a branch")
        key = (_key(first), _key(second))
        if key in self.made:
            return self.made[key]
        target = ir.Var(name, _join(first, second))
        self.targets.append(target)
        self.results[0].append(first)
        self.results[1].append(second)
        self.made[key] = target
        if origin is not None:
            self.low.memory.new_version(target, origin)
        for one in (first, second):
            if isinstance(one, ir.Var) and _is_memory(target.type):
                self.low.memory.add_hazard(target, one)
        return target

    def value(self, first: Value, second: Value, name: str) -> Value | None:
        """The value after the branch; None where the two cannot be told apart later."""
        if first is second:
            return first
        first, second = self._refreshed(0, first), self._refreshed(1, second)
        if isinstance(first, Ref) and isinstance(second, Ref):
            if first.cell == second.cell:
                return first
            pair = (first.cell, second.cell)
            if pair not in self.chosen:
                self.chosen[pair] = self._container(first, second, name)
            return self.chosen[pair]
        if isinstance(first, ir.Pack) and isinstance(second, ir.Pack):
            if first.form == second.form and len(first.items) == len(second.items):
                items = _all_of(
                    self.value(a, b, name)
                    for a, b in zip(first.items, second.items, strict=True)
                )
                return None if items is None else pack(items, first.form)
        if first is ir.UNDEFINED or second is ir.UNDEFINED:
            return self._exported(first, second, name)
        if _is_function(first) and _is_function(second):
            if isinstance(first, ir.Const) and isinstance(second, ir.Const):
                if first.value is second.value:
                    return first
            return Choice(self.condition, first, second)
        sides = [
            self._materialised(k, value, name) if isinstance(value, Ref) else value
            for k, value in enumerate((first, second))
        ]
        simple = [isinstance(side, (ir.Var, ir.Const)) for side in sides]
        if all(simple) or _are_tuples(*sides) or _are_tuples(*reversed(sides)):
            return self.operand(sides[0], sides[1], name)  # type: ignore[arg-type]
        return None

    def _container(self, first: Ref, second: Ref, name: str) -> Value:
        """One of two containers; no other name may go on to mean just one of them."""
        pair = (first.cell, second.cell)
        if self._held_apart(*pair):
            raise self.low.refuse(
                None,
                "a branch chooses a list or dict that has another name, too",
                "choose between copies (`list(xs)`), or between the results",
            )
        a, b = (s.cells[cell] for s, cell in zip(self.states, pair, strict=True))
        if isinstance(a, Items) and isinstance(b, Items) and a.form == b.form:
            if len(a.items) == len(b.items):
                items = _all_of(
                    self.value(x, y, "") for x, y in zip(a.items, b.items, strict=True)
                )
                if items is not None:
                    ref = self.low.new_cell()
                    self.cells[ref.cell] = Items(a.form, items)
                    return ref
        return self.operand(
            self._materialised(0, first, name),
            self._materialised(1, second, name),
            name,
        )

    def _held_apart(self, first: int, second: int) -> bool:
        cells = (first, second)
        if any(holds(scope, cell) for scope in self.low.callers for cell in cells):
            return True
        for state, cell in zip(self.states, cells, strict=True):
            for content in state.cells.values():
                if isinstance(content, Items):
                    if any(is_or_holds(item, cell) for item in content.items):
                        return True
        one, other = (state.names for state in self.states)
        return any(
            is_or_holds(one[name], first) != is_or_holds(other[name], second)
            for name in one.keys() & other.keys()
        )

    def _exported(self, first: Value, second: Value, name: str) -> Value | None:
        """A value that only one side has; the other leaves the name unassigned."""
        value = second if first is ir.UNDEFINED else first
        match value:
            case ir.Var():
                return self.operand(first, second, name)  # type: ignore[arg-type]
            case ir.Const():
                return value
            case ir.Pack(items, form):
                parts = _all_of(
                    (
                        self._exported(ir.UNDEFINED, item, name)
                        if first is ir.UNDEFINED
                        else self._exported(item, ir.UNDEFINED, name)
                    )
                    for item in items
                )
                return None if parts is None else pack(parts, form)
            case Ref(cell) if cell not in self.cells:
                side = 1 if first is ir.UNDEFINED else 0
                content = self.states[side].cells[cell]
                self.cells[cell] = _export_cell(self, content, side)
        return value

    @contextmanager
    def _at_end_of(self, side: int) -> Iterator[None]:
        low = self.low
        state, ops = low.state, low.builder.ops
        low.state, low.builder.ops = self.states[side], self.sides[side]
        try:
            yield
        finally:
            low.state, low.builder.ops = state, ops

    def _materialised(self, side: int, ref: Ref, name: str) -> ir.Var:
        with self._at_end_of(side):
            return self.low.materialise(ref, name)

    def _refreshed(self, side: int, value: Value) -> Value:
        """A view as it is at the end of its side: its base may have been written."""
        if self.states[side].dead:
            return value
        with self._at_end_of(side):
            return self.low.refreshed(value)

    states: tuple[State, State]
    condition: ir.Operand


def _are_tuples(first: Value, second: Value) -> bool:
    """Whether the second value is a tuple written out, of the form of the first one.

    That is the end of a nest of tuples, or numbers for those of a shape.
    """
    if not isinstance(first, ir.Var) or not isinstance(second, ir.Pack):
        return False
    match first.type:
        case Nested():
            return not second.items
        case TupleOf(items):
            alike = second.form == ir.TUPLE and len(items) == len(second.items)
            return alike and all(isinstance(kind, Scalar) for kind in items)
    return False


def _all_of(items: Iterable[Value | None]) -> tuple[Value, ...] | None:
    """The items, if there is none missing."""
    found = list(items)
    there = tuple(item for item in found if item is not None)
    return there if len(there) == len(found) else None


def _is_function(value: Value) -> bool:
    if isinstance(value, ir.Const):
        return callable(value.value) and not isinstance(value.value, type)
    return isinstance(value, (Bound, Choice, Closure))


def _key(operand: ir.Operand) -> Any:
    if isinstance(operand, ir.Const):
        return ("const", type(operand.value), repr(operand.value))
    return operand


def _join(first: ir.Operand, second: ir.Operand) -> Type:
    if first is ir.UNDEFINED:
        return _without_size(type_of_operand(second))
    if second is ir.UNDEFINED:
        return _without_size(type_of_operand(first))
    return join(type_of_operand(first), type_of_operand(second))


def _without_size(type: Type) -> Type:
    return type


def _is_memory(type: Type) -> bool:
    return isinstance(type, MEMORY)


def branch(
    low: Lowering, condition: ir.Operand, then: Side, orelse: Side
) -> Value | None:
    """Lower `then() if condition else orelse()`, statements and all."""
    if isinstance(condition, ir.Const):
        return then() if condition.value else orelse()
    if low.may_call:
        raise Undecided
    span = low.builder.span
    before = low.state
    outcomes: list[tuple[Value | None, State, list[ir.Operation]]] = []
    for side in (then, orelse):
        low.state = before.copy()
        with low.builder.block() as ops:
            low.choices += 1
            try:
                value = side()
            except NoResultYet as stop:
                value = None
                low.abandon(stop)
            finally:
                low.choices -= 1
            if isinstance(value, (ir.Var, ir.Pack)):
                value = low.read(value)
        outcomes.append((value, low.state, ops))
    (value_1, state_1, ops_1), (value_2, state_2, ops_2) = outcomes
    merge = Merge(low, (ops_1, ops_2))
    merge.states = (state_1, state_2)
    merge.condition = condition
    low.state = merged_state(low, merge, before, state_1, state_2)
    value = _merged_value(low, merge, value_1, value_2, state_1.dead, state_2.dead)
    low.state.cells.update(merge.cells)
    low.builder.append(
        ir.If(
            span,
            tuple(merge.targets),
            condition,
            ir.Block(tuple(ops_1), tuple(merge.results[0])),
            ir.Block(tuple(ops_2), tuple(merge.results[1])),
            adjoint=low.builder.adjoint,
        )
    )
    return value


def _merged_value(
    low: Lowering,
    merge: Merge,
    first: Value | None,
    second: Value | None,
    first_dead: bool,
    second_dead: bool,
) -> Value | None:
    if first is None and second is None:
        return None
    result = merge.value(
        ir.UNDEFINED if first_dead or first is None else first,
        ir.UNDEFINED if second_dead or second is None else second,
        "",
    )
    if result is None:
        raise low.refuse(
            None,
            "the two sides of a choice are containers or functions of different form",
            "give both sides the same form, or choose between the results of calls",
        )
    return result


def merged_state(
    low: Lowering, merge: Merge, before: State, first: State, second: State
) -> State:
    after = before.copy()
    after.dead = first.dead and second.dead
    after.stale = {**first.stale, **second.stale}
    after.moved = {**first.moved, **second.moved}
    after.outdated = {**first.outdated, **second.outdated}
    for view in after.moved.keys() & after.outdated.keys():
        after.stale.setdefault(view, after.moved[view])
    # Cells first: a cell that one side turns into a run-time list is one in both.
    for cell in {**first.cells, **second.cells}:
        a, b = first.cells.get(cell), second.cells.get(cell)
        if a is None or b is None:
            content = a if b is None else b
            assert content is not None
            after.cells[cell] = content
            dead = second if b is None else first
            if not dead.dead:
                continue
            # Made on the living side only: its parts must leave the block.
        living = b if first.dead else a if second.dead else None
        if living is not None and living is before.cells.get(cell):
            continue
        after.cells[cell] = _merged_cell(low, merge, cell, a, b, first, second)
    inside = _defined(merge.sides)
    for origin in {**first.current, **second.current}:
        a_var = first.current.get(origin, origin)
        b_var = second.current.get(origin, origin)
        if a_var is b_var or low.memory.view(origin) is not None:
            continue
        if origin not in before.current and origin in inside:
            continue  # a buffer that was made inside of the branch
        living_var = b_var if first.dead else a_var if second.dead else None
        if living_var is before.current.get(origin, origin):
            continue
        target = merge.operand(
            ir.UNDEFINED if first.dead else a_var,
            ir.UNDEFINED if second.dead else b_var,
            a_var.name,
            origin,
        )
        assert isinstance(target, ir.Var)
        after.current[origin] = target
    after.names = {}
    for name in {**first.names, **second.names}:
        a_value = _at_end(low, first, name)
        b_value = _at_end(low, second, name)
        if first.names.get(name) is second.names.get(name) and not (
            first.dead or second.dead
        ):
            after.names[name] = first.names[name]
            continue
        if first.dead and name in before.names and b_value is not ir.UNDEFINED:
            if second.names.get(name) is before.names[name]:
                after.names[name] = before.names[name]
                continue
        if second.dead and name in before.names and a_value is not ir.UNDEFINED:
            if first.names.get(name) is before.names[name]:
                after.names[name] = before.names[name]
                continue
        merged = merge.value(
            ir.UNDEFINED if first.dead else a_value,
            ir.UNDEFINED if second.dead else b_value,
            name,
        )
        if merged is not None and merged is not ir.UNDEFINED:
            after.names[name] = merged
    after.cells.update(merge.cells)
    return after


def holds(scope: Mapping[str, Value], cell: int) -> bool:
    """Whether a name means a container, itself or inside of a tuple."""
    return any(is_or_holds(value, cell) for value in scope.values())


def is_or_holds(value: Value, cell: int) -> bool:
    match value:
        case Ref():
            return value.cell == cell
        case ir.Pack(items) | Bound(args=items):
            return any(is_or_holds(item, cell) for item in items)
        case MethodOf(owner):
            return is_or_holds(owner, cell)
    return False


def _at_end(low: Lowering, state: State, name: str) -> Value:
    """The value of a name at the end of a side, versions resolved in that side."""
    value = state.names.get(name, ir.UNDEFINED)

    def now(value: Value) -> Value:
        if isinstance(value, ir.Var) and low.memory.view(value) is None:
            origin = low.memory.origin(value)
            return state.current.get(origin, value)
        if isinstance(value, ir.Pack):
            return pack(tuple(now(item) for item in value.items), value.form)
        return value

    if isinstance(value, ir.Pack):
        changed = now(value)
        assert isinstance(changed, ir.Pack)
        if all(a is b for a, b in zip(changed.items, value.items, strict=True)):
            return value
        return changed
    return now(value)


def _defined(sides: tuple[list[ir.Operation], list[ir.Operation]]) -> set[ir.Var]:
    found: set[ir.Var] = set()
    for ops in sides:
        for op in ir.walk(ir.Block(tuple(ops))):
            found.update(ir.targets(op))
            found.update(ir.inner_vars(op))
    return found


def _merged_cell(
    low: Lowering,
    merge: Merge,
    cell: int,
    first: Items | ir.Var | None,
    second: Items | ir.Var | None,
    state_1: State,
    state_2: State,
) -> Items | ir.Var:
    if first is second and first is not None:
        return first
    if isinstance(first, ir.Var):
        first = state_1.current.get(low.memory.origin(first), first)
    if isinstance(second, ir.Var):
        second = state_2.current.get(low.memory.origin(second), second)
    if state_1.dead or first is None:
        assert second is not None
        return _export_cell(merge, second, 1)
    if state_2.dead or second is None:
        return _export_cell(merge, first, 0)
    if isinstance(first, Items) and isinstance(second, Items):
        if first.form == second.form and len(first.items) == len(second.items):
            items = _all_of(
                merge.value(a, b, "")
                for a, b in zip(first.items, second.items, strict=True)
            )
            if items is not None:
                return Items(first.form, items)
    a = first if isinstance(first, ir.Var) else merge._materialised(0, Ref(cell), "")
    b = second if isinstance(second, ir.Var) else merge._materialised(1, Ref(cell), "")
    target = merge.operand(a, b, a.name or b.name)
    assert isinstance(target, ir.Var)
    return target


def _export_cell(merge: Merge, content: Items | ir.Var, side: int) -> Items | ir.Var:
    def export(value: Value) -> Value:
        pair = (value, ir.UNDEFINED) if side == 0 else (ir.UNDEFINED, value)
        result = merge._exported(pair[0], pair[1], "")
        return value if result is None else result

    if isinstance(content, ir.Var):
        origin = merge.low.memory.origin(content)
        exported = export(merge.states[side].current.get(origin, content))
        assert isinstance(exported, ir.Var)
        return exported
    return Items(content.form, tuple(export(item) for item in content.items))
