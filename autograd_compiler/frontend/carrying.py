"""What a loop carries from one iteration to the next, and the state around it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from autograd_compiler import ir
from autograd_compiler.frontend import (
    branches,
)
from autograd_compiler.frontend.memory import State
from autograd_compiler.frontend.values import (
    Items,
    Ref,
    Value,
    pack,
)
from autograd_compiler.operands import type_of_operand
from autograd_compiler.types import (
    BOTTOM,
    MEMORY,
    Bottom,
    Opaque,
    Scalar,
    Type,
)

if TYPE_CHECKING:
    from autograd_compiler.frontend.lower import Lowering


@dataclass
class Carried:
    """One carried value: its key, where it starts, and its parameter in the loop."""

    key: Any
    init: ir.Operand
    param: ir.Var
    next: ir.Operand = field(default_factory=lambda: ir.UNDEFINED)


class Widen(Exception):
    """The loop must be lowered again: something changed its form."""


def start(
    low: Lowering,
    assigned: set[str],
    types: dict[Any, Type],
    extra: dict[Any, None],
    rebuilt: set[str],
    stale: dict[Any, ir.Span],
) -> list[Carried]:
    """The carried values at the loop's entry."""
    carried: list[Carried] = []
    for name in sorted(assigned):
        value = low.state.names.get(name, ir.UNDEFINED)
        if isinstance(value, (ir.Var, ir.Pack)):
            written = low.stale_since(value)
            if written is None:
                value = low.read(value)
            else:  # an error only if it is read before the loop assigns it
                value = ir.UNDEFINED
                stale["name", name] = written
        if isinstance(value, Ref) and name in rebuilt:
            content = low.state.cells[value.cell]
            assert isinstance(content, Items)
            for k, item in enumerate(content.items):
                if isinstance(item, (ir.Var, ir.Pack)):
                    item = low.read(item)
                _carry_tree(
                    carried, ("name", name, k), item, _item_name(content.form, k), types
                )
            continue
        # The digits of a hidden name only tell it from others.
        shown = name.strip("%0123456789") if name.startswith("%") else name
        _carry_tree(carried, ("name", name), value, shown, types)
    for key in extra:
        kind, what = key[:2]
        if kind == "origin":
            init = low.fresh(what)
            param = ir.Var(init.name, types.get(key, init.type))
            carried.append(Carried(key, init, param))
        else:
            content = low.state.cells[what]
            if isinstance(content, ir.Var):
                content = low.fresh(content)
                param = ir.Var(content.name, types.get(key, content.type))
                carried.append(Carried(key, content, param))
            else:
                item = content.items[key[2]]
                if isinstance(item, (ir.Var, ir.Pack)):
                    item = low.read(item)
                name = _item_name(content.form, key[2])
                _carry_tree(carried, key, item, name, types)
    return carried


def _item_name(form: ir.Form, position: int) -> str:
    name = str(form.keys[position]) if form.keys else ""
    return name if name.isidentifier() else ""


def _carry_tree(
    carried: list[Carried],
    key: Any,
    value: Value,
    name: str,
    types: dict[Any, Type],
) -> None:
    match value:
        case ir.Pack(items):
            for k, item in enumerate(items):
                _carry_tree(carried, (*key, k), item, name, types)
        case ir.Var():
            kind = types.get(key, loose(value.type))
            carried.append(Carried(key, value, ir.Var(name or value.name, kind)))
        case ir.Const():
            if _is_fixed(value) and key not in types:
                return
            kind = types.get(key, loose(type_of_operand(value)))
            carried.append(Carried(key, value, ir.Var(name, kind)))


def _is_fixed(value: ir.Const) -> bool:
    """Constants that are not numbers are carried only when they are seen to change."""
    if value is ir.UNDEFINED:
        return False
    return (
        isinstance(value.value, bool)
        or not isinstance(value.value, (int, float, complex))
        or hasattr(value.value, "shape")
    )


def loose(type: Type) -> Type:
    """A carried integer is not a fixed size."""
    if isinstance(type, Scalar) and type.size is not None:
        return replace(type, size=None)
    if type == Opaque(str):  # the stand-in for "undefined"
        return BOTTOM
    return type


def enter(
    low: Lowering,
    state: State,
    carried: list[Carried],
    related: dict[tuple[Any, Any], bool],
    stale: dict[Any, ir.Span],
) -> None:
    """Put the parameters into the state that the body starts from."""
    by_key = {item.key: item for item in carried}
    memory = low.memory
    for item in carried:
        kind = item.key[0]
        if kind == "origin":
            memory.new_version(item.param, item.key[1])
            state.current[item.key[1]] = item.param
        elif kind == "cell" and len(item.key) == 2:
            if isinstance(item.init, ir.Var):
                memory.new_version(item.param, item.init)
                state.current[memory.origin(item.init)] = item.param
        if isinstance(item.init, ir.Var) and is_memory(item.param):
            memory.add_hazard(item.param, item.init)
    for (key, other), items_only in related.items():
        sharing = other if isinstance(other, ir.Var) else None
        if other in by_key:
            sharing = by_key[other].param
        if key in by_key and sharing is not None:
            memory.add_hazard(by_key[key].param, sharing, items_only)
    for key, span in stale.items():
        if key in by_key:
            state.stale[by_key[key].param] = span
        elif isinstance(key, ir.Var):
            state.stale[key] = span
    _put_parameters(low, state, by_key)


def _put_parameters(low: Lowering, state: State, by_key: dict[Any, Carried]) -> None:
    """Names and cells stand for what the loop carries."""
    for name in {key[1] for key in by_key if key[0] == "name"}:
        state.names[name] = _put_name(low, state, name, by_key)
    for cell in {key[1] for key in by_key if key[0] == "cell"}:
        content = state.cells[cell]
        if isinstance(content, ir.Var):
            state.cells[cell] = by_key[("cell", cell)].param
        else:
            state.cells[cell] = Items(
                content.form,
                tuple(
                    _put(item, ("cell", cell, k), by_key)
                    for k, item in enumerate(content.items)
                ),
            )


def _put_name(
    low: Lowering, state: State, name: str, by_key: dict[Any, Carried]
) -> Value:
    value = state.names.get(name, ir.UNDEFINED)
    if isinstance(value, Ref) and ("name", name) not in by_key:
        content = state.cells[value.cell]
        assert isinstance(content, Items)
        ref = low.new_cell()
        state.cells[ref.cell] = Items(
            content.form,
            tuple(
                _put(item, ("name", name, k), by_key)
                for k, item in enumerate(content.items)
            ),
        )
        return ref
    return _put(value, ("name", name), by_key)


def _put(value: Value, key: Any, by_key: dict[Any, Carried]) -> Value:
    if key in by_key:
        return by_key[key].param
    if isinstance(value, ir.Pack):
        items = tuple(
            _put(item, (*key, k), by_key) for k, item in enumerate(value.items)
        )
        return pack(items, value.form)
    return value


def is_memory(var: ir.Var) -> bool:
    return isinstance(var.type, MEMORY)


def written_out(low: Lowering, state: State, value: Value) -> ir.Pack | None:
    """A container of known structure, and those in it, as what they hold."""
    match value:
        case Ref(cell):
            content = state.cells[cell]
            if not isinstance(content, Items):
                return None
            items, form = content.items, content.form
        case ir.Pack(items, form):
            pass
        case _:
            return None
    parts: list[ir.Operand] = []
    for item in items:
        if isinstance(item, (Ref, ir.Pack)):
            inner = written_out(low, state, item)
            if inner is None:
                return None
            parts.append(inner)
        elif isinstance(item, ir.Var):
            parts.append(now(low, state, item))
        elif isinstance(item, ir.Const):
            parts.append(item)
        else:
            return None
    return ir.Pack(tuple(parts), form)


def same_structure(first: ir.Operand, second: ir.Operand) -> bool:
    if isinstance(first, ir.Pack) and isinstance(second, ir.Pack):
        return (
            first.form == second.form
            and len(first.items) == len(second.items)
            and all(map(same_structure, first.items, second.items))
        )
    return not isinstance(first, ir.Pack) and not isinstance(second, ir.Pack)


def is_unset(value: Value) -> bool:
    """Whether a name has no value yet, here or in the loop around."""
    return value is ir.UNDEFINED or (
        isinstance(value, ir.Var) and isinstance(value.type, Bottom)
    )


def held_elsewhere(
    low: Lowering, before: State, after: State, name: str, cells: tuple[int, ...]
) -> bool:
    """Whether another name or container means one of these containers, too."""
    scopes: list[dict[str, Value]] = [*low.callers]
    for state in (before, after):
        scopes.append({key: item for key, item in state.names.items() if key != name})
        for content in state.cells.values():
            if isinstance(content, Items):
                scopes.append({str(k): item for k, item in enumerate(content.items)})
    return any(branches.holds(scope, cell) for scope in scopes for cell in cells)


def as_list(low: Lowering, after: State, ref: Ref) -> Value:
    content = after.cells[ref.cell]
    return now(low, after, content) if isinstance(content, ir.Var) else ref


def now(low: Lowering, state: State, var: ir.Var) -> ir.Var:
    if low.memory.view(var) is not None:
        return var
    origin = low.memory.origin(var)
    return state.current.get(origin, var)


def differs(now: Value, start: Value) -> bool:
    if now is start:
        return False
    if isinstance(now, Ref) and isinstance(start, Ref):
        return now.cell != start.cell
    if isinstance(now, ir.Const) and isinstance(start, ir.Const):
        return not (type(now.value) is type(start.value) and now.value == start.value)
    return True


def leave(
    low: Lowering,
    carried: list[Carried],
    targets: tuple[ir.Var, ...],
    after: State,
    inner: set[ir.Var],
    stale: dict[Any, ir.Span],
) -> None:
    """The state after the loop: targets in the place of parameters."""
    state = low.state
    by_key = {
        item.key: replace(item, param=target)
        for item, target in zip(carried, targets, strict=True)
    }
    memory = low.memory
    _enter_after(low, state, by_key)
    for item, target in zip(carried, targets, strict=True):
        if is_memory(target):
            for other in (item.init, item.next, item.param):
                if isinstance(other, ir.Var):
                    memory.add_hazard(target, other)
    pairs = [
        (item, target)
        for item, target in zip(carried, targets, strict=True)
        if is_memory(target)
    ]
    for position, (first, target) in enumerate(pairs):
        for second, other in pairs[position + 1 :]:
            if memory.may_share(first.param, second.param):
                memory.add_hazard(
                    target, other, memory.share_items_only(first.param, second.param)
                )
    for origin, span in after.stale.items():
        if origin not in inner:
            state.stale[origin] = span
    for found, now in (
        (after.moved, state.moved),
        (after.outdated, state.outdated),
    ):
        now.update((view, span) for view, span in found.items() if view not in inner)
    for item, target in zip(carried, targets, strict=True):
        if item.init is ir.UNDEFINED and item.key in stale:
            state.stale[target] = stale[item.key]
        if isinstance(item.next, ir.Var):
            for origin in (memory.origin(item.next), memory.root(item.next)[0]):
                if origin in after.stale and item.key[0] != "origin":
                    state.stale[target] = after.stale[origin]


def _enter_after(low: Lowering, state: State, by_key: dict[Any, Carried]) -> None:
    for key, item in by_key.items():
        if key[0] == "origin":
            low.memory.new_version(item.param, key[1])
            state.current[key[1]] = item.param
        elif key[0] == "cell" and len(key) == 2 and isinstance(item.init, ir.Var):
            low.memory.new_version(item.param, item.init)
            state.current[low.memory.origin(item.init)] = item.param
    _put_parameters(low, state, by_key)
