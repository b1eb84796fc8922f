"""Whether a loop's carried values have settled: what one pass through the body changed."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import TYPE_CHECKING, Any

from autograd_compiler import ir
from autograd_compiler.errors import UnsupportedError
from autograd_compiler.frontend import (
    branches,
    carrying,
)
from autograd_compiler.frontend.carrying import Carried, Widen
from autograd_compiler.frontend.memory import State
from autograd_compiler.frontend.values import (
    Items,
    Ref,
    Value,
)
from autograd_compiler.operands import type_of_operand
from autograd_compiler.types import (
    Type,
    join,
)

if TYPE_CHECKING:
    from autograd_compiler.frontend.lower import Lowering


def compare(
    low: Lowering,
    carried: list[Carried],
    before: State,
    after: State,
    types: dict[Any, Type],
    extra: dict[Any, None],
    dropped: set[str],
    assigned: set[str],
    inner: set[ir.Var],
    rebuilt: set[str],
) -> bool:
    """Fill in the next values; False when a type or the set of carried values grew."""
    if after.dead:
        return True
    stable = True
    by_key = {item.key: item for item in carried}

    def settle(key: Any, value: Value, start: Value) -> None:
        nonlocal stable
        if isinstance(start, ir.Pack) and isinstance(value, Ref):
            value = carrying.written_out(low, after, value) or value
        if isinstance(start, ir.Pack) and isinstance(value, ir.Pack):
            if start.form == value.form and len(start.items) == len(value.items):
                for k, (a, b) in enumerate(zip(value.items, start.items, strict=True)):
                    settle((*key, k), a, b)
                return
        if key in by_key and isinstance(value, (ir.Var, ir.Const)):
            item = by_key[key]
            item.next = value
            widened = join(item.param.type, carrying.loose(type_of_operand(value)))
            if value is ir.UNDEFINED:
                widened = item.param.type
            if widened != item.param.type:
                types[key] = widened
                stable = False
            return
        if key in by_key:
            _drop(key, value)
            return
        if value is start or (
            isinstance(value, ir.Const)
            and isinstance(start, ir.Const)
            and type(value.value) is type(start.value)
            and value.value == start.value
        ):
            return
        if (
            isinstance(start, Ref)
            and isinstance(value, Ref)
            and start.cell == value.cell
        ):
            return
        if isinstance(start, ir.Const) and isinstance(value, (ir.Var, ir.Const)):
            types[key] = join(
                type_of_operand(start), carrying.loose(type_of_operand(value))
            )
            raise Widen
        if isinstance(start, Ref) and isinstance(value, Ref):
            if _nested(key, value, start) or _rebuilt(key, value, start):
                return
        if isinstance(start, Ref) and isinstance(value, (Ref, ir.Var)):
            _materialise_start(key, start)
        _drop(key, value)

    def _nested(key: Any, value: Ref, start: Ref) -> bool:
        """Carry the parts of containers in containers, which the loop only makes anew."""
        content = before.cells[start.cell]
        if key[0] != "name" or len(key) != 2 or not isinstance(content, Items):
            return False
        if not any(isinstance(item, Ref) for item in content.items):
            return False
        first, last = (
            carrying.written_out(low, state, ref)
            for state, ref in ((before, start), (after, value))
        )
        if first is None or last is None or not carrying.same_structure(first, last):
            return False
        if carrying.held_elsewhere(
            low, before, after, key[1], (start.cell, value.cell)
        ):
            return False
        low.state.names[key[1]] = first
        raise Widen

    def _rebuilt(key: Any, value: Ref, start: Ref) -> bool:
        first, last = before.cells[start.cell], after.cells[value.cell]
        if not isinstance(first, Items) or not isinstance(last, Items):
            return False
        if first.form != last.form or len(first.items) != len(last.items):
            return False
        if key[0] != "name" or len(key) != 2:
            return False
        if key[1] not in rebuilt:
            if carrying.held_elsewhere(
                low, before, after, key[1], (start.cell, value.cell)
            ):
                return False
            rebuilt.add(key[1])
            raise Widen
        for k, (a, b) in enumerate(zip(last.items, first.items, strict=True)):
            if isinstance(a, ir.Var):
                a = carrying.now(low, after, a)
            settle((*key, k), a, b)
        return True

    def _materialise_start(key: Any, start: Ref) -> None:
        content = before.cells[start.cell]
        if key[0] == "name" and isinstance(content, Items):
            var = low.materialise(start, key[1])
            low.state.names[key[1]] = var
            raise Widen
        if key[0] == "name" and isinstance(content, ir.Var):
            low.state.names[key[1]] = content
            raise Widen

    def forget(name: str) -> None:
        """A container that each iteration makes for itself is not carried."""
        before.names.pop(name, None)
        dropped.add(name)
        raise Widen

    def _drop(key: Any, value: Value) -> None:
        if key[0] == "name" and carrying.is_unset(
            before.names.get(key[1], ir.UNDEFINED)
        ):
            forget(key[1])
        raise low.refuse(
            None,
            "a container or function changes its form in this loop",
            "use arrays, numbers or lists whose items have one type",
        )

    def settle_name(name: str) -> None:
        if name not in after.names:
            if carrying.is_unset(before.names.get(name, ir.UNDEFINED)):
                forget(name)
            if ("name", name) in by_key:
                item = by_key[("name", name)]
                item.next = item.param
            return
        start = before.names.get(name, ir.UNDEFINED)
        value = branches._at_end(low, after, name)
        if isinstance(value, ir.Var):
            value = carrying.now(low, after, value)
        if isinstance(value, Ref) and isinstance(start, ir.Var):
            value = carrying.as_list(low, after, value)
        settle(("name", name), value, start)

    def settle_origin(origin: ir.Var) -> None:
        key, var = ("origin", origin), after.current[origin]
        if key in by_key:
            settle(key, var, by_key[key].init)
        elif (
            before.current.get(origin, origin) is not var
            and low.memory.view(origin) is None
            and origin not in inner
        ):
            extra[key] = None
            raise Widen

    def settle_cell(cell: int) -> None:
        content = after.cells[cell]
        _settle_cell(low, cell, content, before, after, by_key, extra, settle)

    _settle_all(settle_name, sorted(assigned - dropped))
    _settle_all(settle_origin, after.current)
    _settle_all(settle_cell, [cell for cell in after.cells if cell in before.cells])
    return stable


def _settle_all(settle: Callable[[Any], None], keys: Collection[Any]) -> None:
    """Find all that must widen in one pass: there may be dozens of tapes."""
    widens = False
    for key in list(keys):
        try:
            settle(key)
        except Widen:
            widens = True
        except UnsupportedError:
            if not widens:
                raise
    if widens:
        raise Widen


def _settle_cell(
    low: Lowering,
    cell: int,
    content: Items | ir.Var,
    before: State,
    after: State,
    by_key: dict[Any, Carried],
    extra: dict[Any, None],
    settle: Callable[[Any, Value, Value], None],
) -> None:
    start = before.cells[cell]
    if isinstance(start, ir.Var):
        key: Any = ("cell", cell)
        if not isinstance(content, ir.Var):
            raise Widen  # just made a run-time list along with another one
        if low.memory.origin(content) is low.memory.origin(start):
            return  # carried by its origin
        value = carrying.now(low, after, content)
        if key in by_key:
            settle(key, value, start)
        elif value is not carrying.now(low, before, start):
            extra[key] = None
            raise Widen
        return
    if (
        isinstance(content, ir.Var)
        or content.form != start.form
        or len(content.items) != len(start.items)
    ):
        low.materialise(Ref(cell))
        raise Widen
    for k, (a, b) in enumerate(zip(content.items, start.items, strict=True)):
        key = ("cell", cell, k)
        if key in extra:
            settle(key, carrying.now(low, after, a) if isinstance(a, ir.Var) else a, b)
        elif carrying.differs(a, b):
            extra[key] = None
            raise Widen


def relate(
    low: Lowering,
    carried: list[Carried],
    related: dict[tuple[Any, Any], bool],
    before: State,
    after: State,
    stale: dict[Any, ir.Span],
    outside: set[ir.Var],
) -> bool:
    """Which carried arrays may share memory in the next iteration; False if it grew."""
    if after.dead:
        return True
    known = (dict(related), len(stale))

    def relate(key: Any, other: Any, items_only: bool) -> None:
        """See `related` in `loops.loop`: whether two share no more than their items."""
        related[key, other] = related.get((key, other), True) and items_only

    arrays = [
        item
        for item in carried
        if item.key[0] != "origin" and carrying.is_memory(item.param)
    ]
    memory = low.memory
    for item in arrays:
        if isinstance(item.next, ir.Var):
            root = memory.root(item.next)[0]
            sharing = {root, *memory.hazards(root)} & outside
            for var in sharing:
                relate(item.key, var, memory.share_items_only(root, var))
    for position, first in enumerate(arrays):
        for second in arrays[position + 1 :]:
            for a, b in ((first.init, second.init), (first.next, second.next)):
                if (
                    isinstance(a, ir.Var)
                    and isinstance(b, ir.Var)
                    and memory.may_share(a, b)
                ):
                    relate(first.key, second.key, memory.share_items_only(a, b))
    for item in arrays:
        if isinstance(item.next, ir.Var):
            for origin in (memory.origin(item.next), memory.root(item.next)[0]):
                if origin in after.stale:
                    stale[item.key] = after.stale[origin]
    for origin, span in after.stale.items():
        if origin not in before.stale and origin in outside:
            stale[origin] = span
    return known == (related, len(stale))


def relate_items(
    items: tuple[dict[ir.Var, ir.Span], ...],
    after: State,
    views: dict[ir.Var, tuple[ir.Var, ir.Path]],
) -> bool:
    """Which views of items the next iteration finds changed; False if more than now."""
    size = sum(map(len, items))
    for found, now in zip(items, (after.moved, after.outdated), strict=True):
        found.update((view, span) for view, span in now.items() if view in views)
    return size == sum(map(len, items))
