"""Loops: find what is carried, and lower the body until its types are stable.

A first pass over the body shows which names and buffers change and with which types;
when a type widens (`s = 0` and then `s += x`), or a list grows, the body is lowered
again from the wider start.  Each pass lowers into a block of its own that is thrown
away, so nothing of a failed pass is left behind.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from autograd_compiler import ir
from autograd_compiler.errors import MutationError, UnsupportedError
from autograd_compiler.frontend import (
    assignment,
    branches,
    carrying,
    iteration,
    settling,
    ways,
)
from autograd_compiler.frontend.carrying import Carried, Widen
from autograd_compiler.frontend.memory import State
from autograd_compiler.frontend.resolve import local_names
from autograd_compiler.frontend.values import (
    Items,
    Iterable,
    Ref,
    Value,
)
from autograd_compiler.types import (
    Array,
    ListOf,
    Scalar,
    Type,
    found_size,
)

if TYPE_CHECKING:
    from autograd_compiler.frontend.lower import Lowering


MAX_PASSES = 12
# A tuple or short list of known structure is gone through item by item.
MAX_UNROLL = 8


class _TestAssigns(Exception):
    """The test of a `while` changes what its body sees: `:=`, or a write."""


# ---------------------------------------------------------------- the three loops


def lower_for(low: Lowering, node: ast.For) -> None:
    body = _without_break(node.body)
    flag = _break_flag(node.body)
    source = ways.source(low, node.iter)

    items = ways.items_to_unroll(low, source)
    if items is not None:
        _unroll(low, node, items, body, flag)
        return
    before = Before(low)
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
    backwards = ways.reversed_range(source) if flag is None else None
    start, stop, step, get = ways.way_through(low, backwards or source, node.iter)

    def run(index: ir.Var) -> None:
        assignment.assign(low, node.target, get(index))
        low.statements(body)

    name = node.target.id if isinstance(node.target, ast.Name) else ""
    whole = backwards or source
    if not isinstance(whole, Iterable) or whole.kind != "range":
        name = ""
    assigned = _rebound(low, node.body) | target_names(node.target)
    bounds = (start, stop, step)
    reverse = backwards is not None
    loop(low, run, assigned, flag, bounds=bounds, reverse=reverse, index_name=name)


class Before:
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
        loop(low, lambda _: low.statements(body), assigned, flag, test=node.test)
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
    loop(low, run, assigned, flag, test=ast.Name(goes_on, ast.Load()))
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


def target_names(target: ast.expr) -> set[str]:
    return {n.id for n in ast.walk(target) if isinstance(n, ast.Name)}


def _walrus_names(node: ast.expr) -> set[str]:
    return {n.target.id for n in ast.walk(node) if isinstance(n, ast.NamedExpr)}


# ---------------------------------------------------------------- carrying


def loop(
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
        carried = carrying.start(low, assigned - dropped, types, extra, rebuilt, stale)
        inside = before.copy()
        carrying.enter(low, inside, carried, related, stale)
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
            stable = settling.compare(
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
        except Widen:
            continue
        outside = low.reachable()
        stable &= settling.relate(low, carried, related, before, after, stale, outside)
        stable &= settling.relate_items(items, after, views)
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
    carrying.leave(low, carried, targets, after, inner, stale)


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


def _as_run_time_lists(low: Lowering, carried: list[Carried], before: State) -> None:
    """A list that the body makes ends as one of run time, where the loop carries such."""
    for item in carried:
        kind, name, *part = item.key
        if kind != "name" or part or not isinstance(item.param.type, ListOf):
            continue
        value = low.state.names.get(name)
        if isinstance(value, Ref) and not low.state.dead:
            content = low.content(value)
            known = isinstance(content, Items) and content.form.kind == "list"
            own = value.cell not in before.cells and not carrying.held_elsewhere(
                low, before, low.state, name, (value.cell,)
            )
            if known and own:
                low.state.names[name] = low.materialise(value, name)


def _refuse_two_names(low: Lowering, carried: list[Carried]) -> None:
    """One buffer cannot be two carried values when the loop writes it."""
    arrays = [item for item in carried if carrying.is_memory(item.param)]
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
        assignment.assign(low, node.target, low.read(items[position]))
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
