"""Loops: find what is carried, and lower the body until its types are stable.

A first pass over the body shows which names and buffers change and with which types;
when a type widens (`s = 0` and then `s += x`), or a list grows, the body is lowered
again from the wider start.  Each pass lowers into a block of its own that is thrown
away, so nothing of a failed pass is left behind.
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Collection
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from autograd_compiler import ir
from autograd_compiler.builder import constant_value, type_of_operand
from autograd_compiler.errors import MutationError, UnsupportedError
from autograd_compiler.frontend import (
    branches,
    classes,
    expressions,
    iteration,
    stores,
)
from autograd_compiler.frontend.memory import State
from autograd_compiler.frontend.resolve import local_names
from autograd_compiler.frontend.values import (
    Items,
    Iterable,
    Ref,
    Value,
    pack,
)
from autograd_compiler.types import (
    BOTTOM,
    MEMORY,
    Array,
    Bottom,
    DictOf,
    ListOf,
    Opaque,
    Scalar,
    TupleOf,
    Type,
    Unknown,
    found_size,
    join,
)

if TYPE_CHECKING:
    from autograd_compiler.frontend.lower import Lowering

MAX_PASSES = 12
# A tuple or short list of known structure is gone through item by item.
MAX_UNROLL = 8


@dataclass
class _Carried:
    """One carried value: its key, where it starts, and its parameter in the loop."""

    key: Any
    init: ir.Operand
    param: ir.Var
    next: ir.Operand = field(default_factory=lambda: ir.UNDEFINED)


class _Widen(Exception):
    """The loop must be lowered again: something changed its form."""


class _TestAssigns(Exception):
    """The test of a `while` changes what its body sees: `:=`, or a write."""


# ---------------------------------------------------------------- the three loops


def lower_for(low: Lowering, node: ast.For) -> None:
    body = _without_break(node.body)
    flag = _break_flag(node.body)
    source = _source(low, node.iter)

    items = _items_to_unroll(low, source)
    if items is not None:
        _unroll(low, node, items, body, flag)
        return
    before = _Before(low)
    try:
        _run_time_for(low, node, source, body, flag)
    except UnsupportedError:
        items = before.short_range(source)
        if items is None:
            raise
        before.restore()
        _unroll(low, node, items, body, flag)


def _run_time_for(
    low: Lowering, node: ast.For, source: Value, body: list[ast.stmt], flag: str | None
) -> None:
    backwards = _reversed_range(source) if flag is None else None
    start, stop, step, get = way_through(low, backwards or source, node.iter)

    def run(index: ir.Var) -> None:
        stores.assign(low, node.target, get(index))
        low.statements(body)

    name = node.target.id if isinstance(node.target, ast.Name) else ""
    whole = backwards or source
    if not isinstance(whole, Iterable) or whole.kind != "range":
        name = ""
    assigned = _rebound(low, node.body) | _target_names(node.target)
    bounds = (start, stop, step)
    reverse = backwards is not None
    _loop(low, run, assigned, flag, bounds=bounds, reverse=reverse, index_name=name)


def _reversed_range(source: Value) -> Iterable | None:
    """The range that `reversed(range(…))` goes through backwards."""
    match source:
        case Iterable("reversed", (Iterable("range") as whole,)):
            return whole
    return None


class _Before:
    """The state before a loop, to lower it in another way from there.

    A loop over a short range whose body is not the same code each time, such as
    `params[f"w{k}"]` or a list of functions, is written out, as one over a tuple is.
    """

    def __init__(self, low: Lowering) -> None:
        self._low = low
        self._state = low.state.copy()
        self._length = len(low.builder.ops)
        self._views = low.memory.views()
        self._mutated = dict(low.mutated)

    def short_range(self, source: Value) -> tuple[Value, ...] | None:
        if self._low.in_rule:
            return None
        return iteration.numbers_of_range(self._low, source)

    def restore(self) -> None:
        low = self._low
        low.state = self._state
        del low.builder.ops[self._length :]
        low.memory.forget_views(self._views)
        low.mutated = self._mutated


def lower_while(low: Lowering, node: ast.While) -> None:
    body = _without_break(node.body)
    flag = _break_flag(node.body)
    assigned = _rebound(low, node.body)
    before = low.state.copy()
    try:
        _loop(low, lambda _: low.statements(body), assigned, flag, test=node.test)
    except _TestAssigns:
        low.state = before
        _while_with_flag(low, node, body, flag)


def _while_with_flag(
    low: Lowering, node: ast.While, body: list[ast.stmt], flag: str | None
) -> None:
    """`while (y := f(x)) > 0`: the test is done before the loop and after each pass."""
    goes_on = f"%goes_on{node.lineno}"
    test = ast.copy_location(
        ast.Assign([ast.Name(goes_on, ast.Store())], node.test), node.test
    )
    low.statement(test)

    def run(_: ir.Var) -> None:
        low.statements(body)
        if flag is None or low.state.dead:
            low.statements([test])
            return
        broken = low.operand(low.state.names[flag])
        branches.branch(low, broken, lambda: None, lambda: low.statement(test))

    assigned = _rebound(low, node.body) | _walrus_names(node.test) | {goes_on}
    _loop(low, run, assigned, flag, test=ast.Name(goes_on, ast.Load()))
    low.state.names.pop(goes_on, None)


def _without_break(body: list[ast.stmt]) -> list[ast.stmt]:
    return body[:-1] if _break_flag(body) else body


def _break_flag(body: list[ast.stmt]) -> str | None:
    """The flag of the canonical last statement `if flag: break`."""
    match body[-1]:
        case ast.If(ast.Name(flag), [ast.Break()], []):
            return flag
    return None


def _assigned(body: list[ast.stmt]) -> set[str]:
    holder = ast.FunctionDef(
        name="body",
        args=ast.arguments(
            posonlyargs=[], args=[], kwonlyargs=[], kw_defaults=[], defaults=[]
        ),
        body=body,
        decorator_list=[],
    )
    return set(local_names(holder))


def _rebound(low: Lowering, body: list[ast.stmt]) -> set[str]:
    """The names that the body binds anew; `a += x` writes into an array or list."""
    nodes = [node for stmt in body for node in ast.walk(stmt)]
    updates = {
        id(node.target): node.target.id
        for node in nodes
        if isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Name)
    }
    bound = {
        node.id
        for node in nodes
        if isinstance(node, ast.Name)
        and isinstance(node.ctx, ast.Store)
        and id(node) not in updates
    }
    written = {
        name
        for name in set(updates.values()) - bound
        if isinstance(value := low.state.names.get(name), ir.Var)
        and isinstance(value.type, (Array, ListOf))
    }
    return _assigned(body) - written


def _target_names(target: ast.expr) -> set[str]:
    return {n.id for n in ast.walk(target) if isinstance(n, ast.Name)}


def _walrus_names(node: ast.expr) -> set[str]:
    return {n.target.id for n in ast.walk(node) if isinstance(n, ast.NamedExpr)}


# ---------------------------------------------------------------- carrying


def _loop(
    low: Lowering,
    run: Callable[[ir.Var], None],
    assigned: set[str],
    flag: str | None,
    *,
    bounds: tuple[ir.Operand, ir.Operand, ir.Operand] | None = None,
    reverse: bool = False,
    index_name: str = "",
    test: ast.expr | None = None,
) -> None:
    types: dict[Any, Type] = {}
    extra: dict[Any, None] = {}  # buffers and cells found to change
    related: dict[tuple[Any, Any], bool] = {}
    stale: dict[Any, ir.Span] = {}
    dropped: set[str] = set()
    rebuilt: set[str] = set()  # names of containers that the body makes anew
    span = low.builder.span
    inner: set[ir.Var] = set()  # variables of this pass, and of those thrown away
    views = low.memory.views()
    items: tuple[dict[ir.Var, ir.Span], ...] = ({}, {})  # moved and outdated views
    for _ in range(MAX_PASSES):
        low.memory.forget_views(dict(views))
        before = low.state
        carried = _start(low, assigned - dropped, types, extra, rebuilt, stale)
        inside = before.copy()
        _enter(low, inside, carried, related, stale)
        inside.moved.update(items[0])
        inside.outdated.update(items[1])
        index = ir.Var(index_name, Scalar("int64", size=found_size()))
        low.state = inside
        condition: ir.Operand = ir.Const(True)
        with low.builder.block() as test_ops:
            if test is not None:
                start = low.state.copy()
                condition = low.condition(test)
                if _changed(start, low.state, test_ops):
                    raise _TestAssigns
                low.state.stale = dict(low.state.stale)
        with low.builder.block() as body_ops:
            run(index)
            _refresh(low, assigned)
            _as_run_time_lists(low, carried, before)
            stop_flag = _flag_value(low, flag)
        after = low.state
        low.state = before
        inner |= branches._defined((test_ops, body_ops))
        inner.update(item.param for item in carried)
        inner.add(index)
        try:
            stable = _compare(
                low,
                carried,
                before,
                after,
                types,
                extra,
                dropped,
                assigned,
                inner,
                rebuilt,
            )
        except _Widen:
            continue
        outside = low.reachable()
        stable &= _relate(low, carried, related, before, after, stale, outside)
        stable &= _relate_items(items, after, views)
        if stable:
            break
    else:
        raise low.refuse(
            None,
            "the type of a variable does not settle in this loop",
            "give the variable its final type before the loop, as in `s = 0.0`",
        )
    _refuse_two_names(low, carried)
    dead = after.dead
    nexts = tuple(ir.UNDEFINED if dead else item.next for item in carried)
    targets = tuple(ir.Var(item.param.name, item.param.type) for item in carried)
    params = tuple(item.param for item in carried)
    inits = tuple(item.init for item in carried)
    results = nexts if flag is None else (stop_flag, *nexts)
    body = ir.Block(tuple(body_ops), results)
    adjoint = low.builder.adjoint
    if bounds is not None:
        low.builder.append(
            ir.For(
                span,
                targets,
                index,
                *bounds,
                params,
                inits,
                body,
                breaks=flag is not None,
                reverse=reverse,
                adjoint=adjoint,
            )
        )
    else:
        low.builder.append(
            ir.While(
                span,
                targets,
                params,
                inits,
                ir.Block(tuple(test_ops), (condition,)),
                body,
                breaks=flag is not None,
                adjoint=adjoint,
            )
        )
    _leave(low, carried, targets, after, inner, stale)


def _changed(before: State, after: State, ops: list[ir.Operation]) -> bool:
    """Whether operations change what names mean, or what is in memory."""
    names = {**before.names, **after.names}
    if any(after.names.get(name) is not before.names.get(name) for name in names):
        return True
    inner = branches._defined((ops, []))
    return any(
        var is not before.current.get(origin, origin)
        for origin, var in after.current.items()
        if origin not in inner
    )


def _refresh(low: Lowering, assigned: set[str]) -> None:
    """Read views again at the end of the body: their base may have been written."""
    if low.state.dead:
        return
    for name in assigned:
        if name in low.state.names:
            low.state.names[name] = low.refreshed(low.state.names[name])
    for cell, content in low.state.cells.items():
        if isinstance(content, Items):
            items = tuple(low.refreshed(item) for item in content.items)
            if any(a is not b for a, b in zip(items, content.items, strict=True)):
                low.state.cells[cell] = Items(content.form, items)


def _as_run_time_lists(low: Lowering, carried: list[_Carried], before: State) -> None:
    """A list that the body makes ends as one of run time, where the loop carries such."""
    for item in carried:
        kind, name, *part = item.key
        if kind != "name" or part or not isinstance(item.param.type, ListOf):
            continue
        value = low.state.names.get(name)
        if isinstance(value, Ref) and not low.state.dead:
            content = low.content(value)
            known = isinstance(content, Items) and content.form.kind == "list"
            own = value.cell not in before.cells and not _held_elsewhere(
                low, before, low.state, name, (value.cell,)
            )
            if known and own:
                low.state.names[name] = low.materialise(value, name)


def _refuse_two_names(low: Lowering, carried: list[_Carried]) -> None:
    """One buffer cannot be two carried values when the loop writes it."""
    arrays = [item for item in carried if _is_memory(item.param)]
    for position, first in enumerate(arrays):
        for second in arrays[position + 1 :]:
            for item, other in ((first, second), (second, first)):
                origin = low.memory.root(item.param)[0]
                if first.init is second.init and origin in low.mutated:
                    raise MutationError(
                        f"`{item.param.name}` is written in this loop, and "
                        f"`{other.param.name}` is the same array at its start",
                        low.builder.span,
                        "take a copy before the loop (`.copy()`), so that the two are "
                        "distinct",
                    )


def _flag_value(low: Lowering, flag: str | None) -> ir.Operand:
    if flag is None or low.state.dead:
        return ir.Const(False)
    return low.operand(low.state.names[flag])


def _start(
    low: Lowering,
    assigned: set[str],
    types: dict[Any, Type],
    extra: dict[Any, None],
    rebuilt: set[str],
    stale: dict[Any, ir.Span],
) -> list[_Carried]:
    """The carried values at the loop's entry."""
    carried: list[_Carried] = []
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
            carried.append(_Carried(key, init, param))
        else:
            content = low.state.cells[what]
            if isinstance(content, ir.Var):
                content = low.fresh(content)
                param = ir.Var(content.name, types.get(key, content.type))
                carried.append(_Carried(key, content, param))
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
    carried: list[_Carried],
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
            kind = types.get(key, _loose(value.type))
            carried.append(_Carried(key, value, ir.Var(name or value.name, kind)))
        case ir.Const():
            if _is_fixed(value) and key not in types:
                return
            kind = types.get(key, _loose(type_of_operand(value)))
            carried.append(_Carried(key, value, ir.Var(name, kind)))


def _is_fixed(value: ir.Const) -> bool:
    """Constants that are not numbers are carried only when they are seen to change."""
    if value is ir.UNDEFINED:
        return False
    return (
        isinstance(value.value, bool)
        or not isinstance(value.value, (int, float, complex))
        or hasattr(value.value, "shape")
    )


def _loose(type: Type) -> Type:
    """A carried integer is not a fixed size."""
    if isinstance(type, Scalar) and type.size is not None:
        return replace(type, size=None)
    if type == Opaque(str):  # the stand-in for "undefined"
        return BOTTOM
    return type


def _enter(
    low: Lowering,
    state: State,
    carried: list[_Carried],
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
        if isinstance(item.init, ir.Var) and _is_memory(item.param):
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
    for name in {item.key[1] for item in carried if item.key[0] == "name"}:
        state.names[name] = _put_name(low, state, name, by_key)
    for cell in {item.key[1] for item in carried if item.key[0] == "cell"}:
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
    low: Lowering, state: State, name: str, by_key: dict[Any, _Carried]
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


def _put(value: Value, key: Any, by_key: dict[Any, _Carried]) -> Value:
    if key in by_key:
        return by_key[key].param
    if isinstance(value, ir.Pack):
        items = tuple(
            _put(item, (*key, k), by_key) for k, item in enumerate(value.items)
        )
        return pack(items, value.form)
    return value


def _is_memory(var: ir.Var) -> bool:
    return isinstance(var.type, MEMORY)


# ---------------------------------------------------------------- after a pass


def _compare(
    low: Lowering,
    carried: list[_Carried],
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
            value = _written_out(low, after, value) or value
        if isinstance(start, ir.Pack) and isinstance(value, ir.Pack):
            if start.form == value.form and len(start.items) == len(value.items):
                for k, (a, b) in enumerate(zip(value.items, start.items, strict=True)):
                    settle((*key, k), a, b)
                return
        if key in by_key and isinstance(value, (ir.Var, ir.Const)):
            item = by_key[key]
            item.next = value
            widened = join(item.param.type, _loose(type_of_operand(value)))
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
            types[key] = join(type_of_operand(start), _loose(type_of_operand(value)))
            raise _Widen
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
            _written_out(low, state, ref)
            for state, ref in ((before, start), (after, value))
        )
        if first is None or last is None or not _same_structure(first, last):
            return False
        if _held_elsewhere(low, before, after, key[1], (start.cell, value.cell)):
            return False
        low.state.names[key[1]] = first
        raise _Widen

    def _rebuilt(key: Any, value: Ref, start: Ref) -> bool:
        first, last = before.cells[start.cell], after.cells[value.cell]
        if not isinstance(first, Items) or not isinstance(last, Items):
            return False
        if first.form != last.form or len(first.items) != len(last.items):
            return False
        if key[0] != "name" or len(key) != 2:
            return False
        if key[1] not in rebuilt:
            if _held_elsewhere(low, before, after, key[1], (start.cell, value.cell)):
                return False
            rebuilt.add(key[1])
            raise _Widen
        for k, (a, b) in enumerate(zip(last.items, first.items, strict=True)):
            if isinstance(a, ir.Var):
                a = _now(low, after, a)
            settle((*key, k), a, b)
        return True

    def _materialise_start(key: Any, start: Ref) -> None:
        content = before.cells[start.cell]
        if key[0] == "name" and isinstance(content, Items):
            var = low.materialise(start, key[1])
            low.state.names[key[1]] = var
            raise _Widen
        if key[0] == "name" and isinstance(content, ir.Var):
            low.state.names[key[1]] = content
            raise _Widen

    def forget(name: str) -> None:
        """A container that each iteration makes for itself is not carried."""
        before.names.pop(name, None)
        dropped.add(name)
        raise _Widen

    def _drop(key: Any, value: Value) -> None:
        if key[0] == "name" and _is_unset(before.names.get(key[1], ir.UNDEFINED)):
            forget(key[1])
        raise low.refuse(
            None,
            "a container or function changes its form in this loop",
            "use arrays, numbers or lists whose items have one type",
        )

    def settle_name(name: str) -> None:
        if name not in after.names:
            if _is_unset(before.names.get(name, ir.UNDEFINED)):
                forget(name)
            if ("name", name) in by_key:
                item = by_key[("name", name)]
                item.next = item.param
            return
        start = before.names.get(name, ir.UNDEFINED)
        value = branches._at_end(low, after, name)
        if isinstance(value, ir.Var):
            value = _now(low, after, value)
        if isinstance(value, Ref) and isinstance(start, ir.Var):
            value = _as_list(low, after, value)
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
            raise _Widen

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
        except _Widen:
            widens = True
        except UnsupportedError:
            if not widens:
                raise
    if widens:
        raise _Widen


def _written_out(low: Lowering, state: State, value: Value) -> ir.Pack | None:
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
            inner = _written_out(low, state, item)
            if inner is None:
                return None
            parts.append(inner)
        elif isinstance(item, ir.Var):
            parts.append(_now(low, state, item))
        elif isinstance(item, ir.Const):
            parts.append(item)
        else:
            return None
    return ir.Pack(tuple(parts), form)


def _same_structure(first: ir.Operand, second: ir.Operand) -> bool:
    if isinstance(first, ir.Pack) and isinstance(second, ir.Pack):
        return (
            first.form == second.form
            and len(first.items) == len(second.items)
            and all(map(_same_structure, first.items, second.items))
        )
    return not isinstance(first, ir.Pack) and not isinstance(second, ir.Pack)


def _is_unset(value: Value) -> bool:
    """Whether a name has no value yet, here or in the loop around."""
    return value is ir.UNDEFINED or (
        isinstance(value, ir.Var) and isinstance(value.type, Bottom)
    )


def _held_elsewhere(
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


def _as_list(low: Lowering, after: State, ref: Ref) -> Value:
    content = after.cells[ref.cell]
    return _now(low, after, content) if isinstance(content, ir.Var) else ref


def _now(low: Lowering, state: State, var: ir.Var) -> ir.Var:
    if low.memory.view(var) is not None:
        return var
    origin = low.memory.origin(var)
    return state.current.get(origin, var)


def _settle_cell(
    low: Lowering,
    cell: int,
    content: Items | ir.Var,
    before: State,
    after: State,
    by_key: dict[Any, _Carried],
    extra: dict[Any, None],
    settle: Callable[[Any, Value, Value], None],
) -> None:
    start = before.cells[cell]
    if isinstance(start, ir.Var):
        key: Any = ("cell", cell)
        if not isinstance(content, ir.Var):
            raise _Widen  # just made a run-time list along with another one
        if low.memory.origin(content) is low.memory.origin(start):
            return  # carried by its origin
        value = _now(low, after, content)
        if key in by_key:
            settle(key, value, start)
        elif value is not _now(low, before, start):
            extra[key] = None
            raise _Widen
        return
    if (
        isinstance(content, ir.Var)
        or content.form != start.form
        or len(content.items) != len(start.items)
    ):
        low.materialise(Ref(cell))
        raise _Widen
    for k, (a, b) in enumerate(zip(content.items, start.items, strict=True)):
        key = ("cell", cell, k)
        if key in extra:
            settle(key, _now(low, after, a) if isinstance(a, ir.Var) else a, b)
        elif _differs(a, b):
            extra[key] = None
            raise _Widen


def _differs(now: Value, start: Value) -> bool:
    if now is start:
        return False
    if isinstance(now, Ref) and isinstance(start, Ref):
        return now.cell != start.cell
    if isinstance(now, ir.Const) and isinstance(start, ir.Const):
        return not (type(now.value) is type(start.value) and now.value == start.value)
    return True


def _relate(
    low: Lowering,
    carried: list[_Carried],
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
        """See `related` in `_loop`: whether two share no more than their items."""
        related[key, other] = related.get((key, other), True) and items_only

    arrays = [
        item for item in carried if item.key[0] != "origin" and _is_memory(item.param)
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


def _relate_items(
    items: tuple[dict[ir.Var, ir.Span], ...],
    after: State,
    views: dict[ir.Var, tuple[ir.Var, ir.Path]],
) -> bool:
    """Which views of items the next iteration finds changed; False if more than now."""
    size = sum(map(len, items))
    for found, now in zip(items, (after.moved, after.outdated), strict=True):
        found.update((view, span) for view, span in now.items() if view in views)
    return size == sum(map(len, items))


def _leave(
    low: Lowering,
    carried: list[_Carried],
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
        if _is_memory(target):
            for other in (item.init, item.next, item.param):
                if isinstance(other, ir.Var):
                    memory.add_hazard(target, other)
    pairs = [
        (item, target)
        for item, target in zip(carried, targets, strict=True)
        if _is_memory(target)
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


def _enter_after(low: Lowering, state: State, by_key: dict[Any, _Carried]) -> None:
    for key, item in by_key.items():
        if key[0] == "origin":
            low.memory.new_version(item.param, key[1])
            state.current[key[1]] = item.param
        elif key[0] == "cell" and len(key) == 2 and isinstance(item.init, ir.Var):
            low.memory.new_version(item.param, item.init)
            state.current[low.memory.origin(item.init)] = item.param
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


# ---------------------------------------------------------------- ways through values


def way_through(
    low: Lowering, source: Value, node: ast.AST
) -> tuple[ir.Operand, ir.Operand, ir.Operand, Callable[[ir.Operand], Value]]:
    """How to go through an iterable: range bounds, and the item at an index."""
    if isinstance(source, ir.Const) and isinstance(source.value, range):
        source = Iterable(
            "range",
            tuple(
                ir.Const(part)
                for part in (source.value.start, source.value.stop, source.value.step)
            ),
        )
    if isinstance(source, Iterable) and source.kind == "range":
        start, stop, step = _range_bounds(low, source, node)
        return start, stop, step, lambda index: index
    count, get = _counted(low, source, node)
    return ir.Const(0), count, ir.Const(1), get


def _range_bounds(
    low: Lowering, source: Iterable, node: ast.AST
) -> tuple[ir.Operand, ir.Operand, ir.Operand]:
    args = [low.operand(arg, node) for arg in source.args]
    if len(args) == 1:
        return ir.Const(0), args[0], ir.Const(1)
    if len(args) == 2:
        return args[0], args[1], ir.Const(1)
    return args[0], args[1], args[2]


def _counted(
    low: Lowering, source: Value, node: ast.AST
) -> tuple[ir.Operand, Callable[[ir.Operand], Value]]:
    """The number of items, and a function from an index to the item."""
    if isinstance(source, Iterable):
        return _counted_iterable(low, source, node)
    if isinstance(source, Ref):
        content = low.content(source)
        if not isinstance(content, ir.Var) and content.form.kind == "dict":
            keys = ir.Pack(tuple(ir.Const(key) for key in content.form.keys))
            return _counted(low, keys, node)
        source = low.materialise(source)
    value = low.operand(source, node)
    if isinstance(value, ir.Pack):
        value = low.builder.as_var(ir.Pack(value.items, ir.LIST))
    if isinstance(value, ir.Const):
        value = low.builder.as_var(
            ir.Const(value.value)
            if hasattr(value.value, "__getitem__")
            else ir.Const(list(value.value))
        )
    if isinstance(value, ir.Var) and isinstance(value.type, (Opaque, DictOf)):
        value = low.builder.as_var(low.apply(list, value))
        if isinstance(value.type, Unknown):
            value.type = Opaque(list)
    if isinstance(value, ir.Var) and isinstance(value.type, Scalar):
        raise low.refuse(node, "a number is not iterable")
    count = low.apply(len, value)
    return count, lambda index: stores.load(low, low.operand(value), index, node)


def _counted_iterable(
    low: Lowering, source: Iterable, node: ast.AST
) -> tuple[ir.Operand, Callable[[ir.Operand], Value]]:
    args = source.args
    if source.kind == "range":
        start, stop, step = _range_bounds(low, source, node)
        difference = low.apply(operator.sub, stop, start)
        whole = constant_value(step)
        if whole is not None and whole.value == 1:
            known = constant_value(start)
            if known is not None and known.value == 0:
                count = stop
            else:
                count = low.apply(max, ir.Const(0), difference)
        else:
            count = low.apply(len, low.apply(range, start, stop, step))
        return count, lambda index: low.apply(
            operator.add, start, low.apply(operator.mul, index, step)
        )
    if source.kind == "enumerate":
        count, get = _counted(low, args[0], node)
        first = low.operand(args[1]) if len(args) > 1 else ir.Const(0)

        def numbered(index: ir.Operand) -> Value:
            number = (
                index
                if isinstance(first, ir.Const) and first.value == 0
                else low.apply(operator.add, index, first)
            )
            return pack((number, get(index)))

        return count, numbered
    if source.kind == "zip":
        parts = [_counted(low, arg, node) for arg in args]
        count = parts[0][0]
        for other, _ in parts[1:]:
            if not _same_size(count, other):
                count = low.apply(min, count, other)
        return count, lambda index: ir.Pack(
            tuple(get(index) for _, get in parts)  # type: ignore[misc]
        )
    if source.kind == "reversed":
        count, get = _counted(low, args[0], node)

        def from_the_end(index: ir.Operand) -> Value:
            last = low.apply(operator.sub, count, ir.Const(1))
            return get(low.apply(operator.sub, last, index))

        return count, from_the_end
    if source.kind == "rest":
        count, get = _counted(low, args[0], node)
        begin = low.operand(args[1])
        return low.apply(operator.sub, count, begin), lambda index: get(
            low.apply(operator.add, index, begin)
        )
    if source.kind in ("items", "values"):
        owner = low.operand(args[0], node)
        assert isinstance(owner, ir.Var)
        keys = low.builder.as_var(low.apply(list, owner))
        if not isinstance(keys.type, ListOf):
            keys.type = Opaque(list)
        count = low.apply(len, keys)

        def entry(index: ir.Operand) -> Value:
            key = stores.load(low, keys, index, node)
            if isinstance(key, ir.Var) and isinstance(key.type, Unknown):
                key.type = Opaque(object)  # a key has no derivative and is no array
            value = stores.load(low, low.operand(args[0], node), key, node)
            if source.kind == "values":
                return value
            return pack((key, value))

        return count, entry
    raise low.refuse(node, f"`{source.kind}` cannot be gone through here")


def _same_size(first: ir.Operand, second: ir.Operand) -> bool:
    a, b = type_of_operand(first), type_of_operand(second)
    return (
        isinstance(a, Scalar)
        and isinstance(b, Scalar)
        and a.size is not None
        and a.size.same(b.size)
    )


def item_at(low: Lowering, source: Iterable, index: ir.Operand, node: ast.AST) -> Value:
    if source.kind == "range":
        _, get = _counted_iterable(low, source, node)
        return get(index)
    raise low.refuse(node, f"`{source.kind}` has no items by number")


def _source(low: Lowering, node: ast.expr) -> Value:
    """What a loop goes through; an iterator is used up by it."""
    value = classes.iterated(low, low.expression(node), node)
    return iteration.used_up(low, value, node)


# ---------------------------------------------------------------- unrolling


def _items_to_unroll(low: Lowering, source: Value) -> tuple[Value, ...] | None:
    """The items one by one, where they are few or of different kinds."""
    items = known_items(low, source)
    if items is None:
        return None
    if len(items) <= MAX_UNROLL or low.in_rule:
        return items
    kinds = {
        type_of_operand(item) if isinstance(item, (ir.Var, ir.Const)) else object()
        for item in items
    }
    return items if len(kinds) > 1 else None


def known_items(low: Lowering, source: Value) -> tuple[Value, ...] | None:
    """The items of an iterable whose structure is known when compiling."""
    if isinstance(source, Iterable):
        if source.kind == "range":
            bounds = [constant_value(low.operand(arg)) for arg in source.args]
            if low.in_rule and all(bound is not None for bound in bounds):
                numbers = range(*(b.value for b in bounds if b is not None))
                return tuple(ir.Const(number) for number in numbers)
            return None
        if source.kind == "rest":
            return None
        parts = [known_items(low, arg) for arg in source.args[:1]]
        if source.kind == "zip":
            parts = [known_items(low, arg) for arg in source.args]
        if any(part is None for part in parts) or not parts:
            return None
        known = [part for part in parts if part is not None]
        if source.kind == "zip":
            return tuple(ir.Pack(row) for row in zip(*known, strict=False))
        if source.kind == "enumerate":
            begin = low.operand(source.args[1]) if len(source.args) > 1 else ir.Const(0)
            return tuple(
                pack((low.apply(operator.add, ir.Const(k), begin), item))
                for k, item in enumerate(known[0])
            )
        if source.kind == "reversed":
            return known[0][::-1]
        return known[0]
    if isinstance(source, Ref):
        content = low.content(source)
        if not isinstance(content, ir.Var) and content.form.kind == "dict":
            return tuple(ir.Const(key) for key in content.form.keys)
    if isinstance(source, ir.Pack) and source.form.kind == "dict":
        return tuple(ir.Const(key) for key in source.form.keys)
    if isinstance(source, ir.Const) and isinstance(source.value, str):
        return tuple(ir.Const(letter) for letter in source.value)
    return expressions.static_items(low, source)


def _unroll(
    low: Lowering,
    node: ast.For,
    items: tuple[Value, ...],
    body: list[ast.stmt],
    flag: str | None,
) -> None:
    def go(position: int) -> None:
        if position == len(items) or low.state.dead:
            return
        stores.assign(low, node.target, low.read(items[position]))
        low.statements(body)
        if flag is None or low.state.dead:
            go(position + 1)
            return
        branches.branch(
            low,
            low.operand(low.state.names[flag]),
            lambda: None,
            lambda: go(position + 1),
        )

    go(0)


# ---------------------------------------------------------------- comprehensions


def comprehension(low: Lowering, node: ast.ListComp | ast.DictComp) -> Value:
    """A comprehension as the loop that it stands for."""
    if isinstance(node, ast.ListComp):
        result: Value = low.new_ref(ir.LIST, ())
    else:
        result = low.new_ref(ir.Form("dict"), ())

    def add() -> None:
        if isinstance(node, ast.ListComp):
            value = low.expression(node.elt)
            stores.append(low, result, value, node)
        else:
            key, value = low.expression(node.key), low.expression(node.value)
            stores.store_item(low, result, key, value, node)

    generate(low, node.generators, add)
    return result


def generate(
    low: Lowering, generators: list[ast.comprehension], body: Callable[[], None]
) -> None:
    """Run `body` for each item of nested `for … if …` clauses, in a scope of its own."""
    hidden = {
        name for generator in generators for name in _target_names(generator.target)
    }
    kept = {name: low.state.names[name] for name in hidden if name in low.state.names}
    frame = low.frame
    assert frame is not None
    outer_locals = frame.local_names
    frame.local_names = outer_locals | hidden
    try:
        _generate(low, generators, body)
    finally:
        frame.local_names = outer_locals
        for name in hidden:
            low.state.names.pop(name, None)
        low.state.names.update(kept)


def _generate(
    low: Lowering, generators: list[ast.comprehension], body: Callable[[], None]
) -> None:
    first, *rest = generators
    if first.is_async:
        raise low.refuse(first.target, "asynchronous comprehensions")
    source = _source(low, first.iter)

    def inside() -> None:
        def go(tests: list[ast.expr]) -> None:
            if tests:
                branches.branch(
                    low, low.condition(tests[0]), lambda: go(tests[1:]), lambda: None
                )
            elif rest:
                _generate(low, rest, body)
            else:
                body()

        go(first.ifs)

    items = _items_to_unroll(low, source)
    if items is not None:
        for item in items:
            stores.assign(low, first.target, low.read(item))
            inside()
        return
    before = _Before(low)
    try:
        _run_time_generate(low, first, source, inside)
    except UnsupportedError:
        items = before.short_range(source)
        if items is None:
            raise
        before.restore()
        for item in items:
            stores.assign(low, first.target, item)
            inside()


def _run_time_generate(
    low: Lowering, first: ast.comprehension, source: Value, inside: Callable[[], None]
) -> None:
    start, stop, step, get = way_through(low, source, first.iter)

    def run(index: ir.Var) -> None:
        stores.assign(low, first.target, get(index))
        inside()

    name = first.target.id if isinstance(first.target, ast.Name) else ""
    if not isinstance(source, Iterable) or source.kind != "range":
        name = ""
    assigned = _target_names(first.target) | low.hidden_names
    _loop(low, run, assigned, None, bounds=(start, stop, step), index_name=name)


__all__ = ["Bottom", "TupleOf", "comprehension", "generate", "lower_for", "lower_while"]
