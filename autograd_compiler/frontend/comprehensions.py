"""Comprehensions and generator expressions."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import TYPE_CHECKING

from autograd_compiler import ir
from autograd_compiler.errors import UnsupportedError
from autograd_compiler.frontend import (
    assignment,
    branches,
    loops,
    stores,
    ways,
)
from autograd_compiler.frontend.loops import Before
from autograd_compiler.frontend.values import (
    Iterable,
    Value,
)

if TYPE_CHECKING:
    from autograd_compiler.frontend.lower import Lowering


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
        name
        for generator in generators
        for name in loops.target_names(generator.target)
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
    source = ways.source(low, first.iter)

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

    items = ways.items_to_unroll(low, source)
    if items is not None:
        for item in items:
            assignment.assign(low, first.target, low.read(item))
            inside()
        return
    before = Before(low)
    try:
        _run_time_generate(low, first, source, inside)
    except UnsupportedError:
        items = before.short_range(source)
        if items is None:
            raise
        before.restore()
        for item in items:
            assignment.assign(low, first.target, item)
            inside()


def _run_time_generate(
    low: Lowering, first: ast.comprehension, source: Value, inside: Callable[[], None]
) -> None:
    start, stop, step, get = ways.way_through(low, source, first.iter)

    def run(index: ir.Var) -> None:
        assignment.assign(low, first.target, get(index))
        inside()

    name = first.target.id if isinstance(first.target, ast.Name) else ""
    if not isinstance(source, Iterable) or source.kind != "range":
        name = ""
    assigned = loops.target_names(first.target) | low.hidden_names
    loops.loop(low, run, assigned, None, bounds=(start, stop, step), index_name=name)
