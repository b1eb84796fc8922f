"""Reads and writes through subscripts, and assignment to targets of any form."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any

import numpy as np

from autograd_compiler import ir
from autograd_compiler.errors import CompileError, MutationError
from autograd_compiler.frontend import (
    classes,
    comprehensions,
    expressions,
    methods,
)
from autograd_compiler.frontend.values import Items, Object, Ref, Value
from autograd_compiler.operands import constant_value, type_of_operand
from autograd_compiler.subscripts import is_advanced
from autograd_compiler.types import (
    MEMORY,
    WRITABLE_CONTAINERS,
    Array,
    Bottom,
    DictOf,
    ListOf,
    Opaque,
    Scalar,
    TupleOf,
    Unknown,
    is_array,
    join,
    key_type,
)

if TYPE_CHECKING:
    from autograd_compiler.frontend.lower import Lowering


# Calls whose result is always a view of the first argument.
VIEWS = {
    np.transpose,
    np.matrix_transpose,
    np.swapaxes,
    np.moveaxis,
    np.rollaxis,
    np.expand_dims,
    np.squeeze,
    np.flip,
    np.fliplr,
    np.flipud,
    np.atleast_1d,
    np.atleast_2d,
    np.atleast_3d,
}
# Views of a contiguous array, copies of others.
VIEWS_OF_CONTIGUOUS = {np.reshape, np.ravel}


# ---------------------------------------------------------------- reading


def load(low: Lowering, base: ir.Operand, index: Value, node: ast.AST) -> Value:
    """`base[index]`; views and items of lists remember where they come from."""
    key = low.operand(index, node)
    if not isinstance(base, ir.Var):
        base = low.builder.as_var(base)
    if isinstance(base.type, Scalar) and not _is_whole(key):
        raise low.refuse(node, "a number cannot be subscripted", "use the number")
    step = ir.Index(key)
    target = low.builder.load(base, (step,))
    _remember(low, target, base, step)
    if isinstance(target.type, TupleOf):
        return unpacked(low, target)
    return target


def _is_whole(key: ir.Operand) -> bool:
    """Whether an index takes all of a NumPy number: `x[()]`, `x[...]`, `x[None]`."""
    found = constant_value(key)
    return found is not None and (
        found.value is None or found.value is Ellipsis or found.value == ()
    )


def _remember(low: Lowering, target: ir.Var, base: ir.Var, step: ir.Index) -> None:
    if isinstance(target.type, (Scalar, Opaque, Bottom)):
        return
    if isinstance(base.type, Array) and is_advanced(step.index):
        return
    if isinstance(base.type, Unknown) and not is_array(target.type):
        _may_be_view(low, target, base)
        return
    if isinstance(base.type, Opaque):
        return
    low.memory.add_view(target, base, (step,))


def unpacked(low: Lowering, var: ir.Var) -> ir.Operand:
    """The items of a tuple that came out of a list, as separate values."""
    assert isinstance(var.type, TupleOf)
    if all(isinstance(item, Scalar) for item in var.type.items) and not _in_list(
        low, var
    ):
        return var
    items = []
    for k in range(len(var.type.items)):
        step = ir.Index(ir.Const(k))
        item = low.builder.load(var, (step,))
        _remember(low, item, var, step)
        items.append(unpacked(low, item) if isinstance(item.type, TupleOf) else item)
    return ir.Pack(tuple(items))


def _in_list(low: Lowering, var: ir.Var) -> bool:
    return True


def read_path(low: Lowering, base: ir.Var, path: ir.Path, of: ir.Var) -> ir.Var:
    """Read a view again from the current version of its base."""
    current: ir.Operand = base
    for step in path:
        if isinstance(step, ir.Index):
            current = low.builder.load(current, (step,))
        else:
            kwargs: dict[str, Any] = dict(step.kwargs)
            current = low.builder.apply(step.fn, current, *step.args, **kwargs)
    assert isinstance(current, ir.Var)
    low.memory.new_version(current, of)
    return current


def note_view(
    low: Lowering,
    view: ir.Var,
    fn: Any,
    args: tuple[ir.Operand, ...],
    kwargs: tuple[tuple[str, ir.Operand], ...],
) -> None:
    """Remember that the result of a call is, or may be, a view of its argument."""
    base = args[0] if args else None
    if isinstance(base, ir.Var):
        sure = fn in VIEWS or (
            fn in VIEWS_OF_CONTIGUOUS
            and isinstance(base.type, Array)
            and base.type.contiguous
        )
        if sure and not kwargs or sure and fn is not np.reshape:
            low.memory.add_view(view, base, (ir.View(fn, args[1:], kwargs),))
            return
    for var in low.builder.shares[view]:
        _may_be_view(low, view, var)


def _may_be_view(low: Lowering, view: ir.Var, base: ir.Var) -> None:
    """A value may share memory with another one, and so with all views of that one."""
    others = low.memory.hazards(low.memory.root(base)[0])
    for other in (base, *others):
        low.memory.add_hazard(view, other)


# ---------------------------------------------------------------- writing


def write(
    low: Lowering,
    base: Value,
    path: ir.Path,
    value: ir.Operand,
    mode: str = "set",
    node: ast.AST | None = None,
) -> None:
    """Write into the memory of `base`, seen by all names that share it."""
    if isinstance(base, Object) or (
        isinstance(base, ir.Var) and low.memory.root(base)[0] in low.captured_origins
    ):
        raise _refuse_capture(low, base, node)
    if not isinstance(base, ir.Var):
        raise low.refuse(node, "this value cannot be written into")
    if isinstance(base.type, (Scalar, Opaque, TupleOf)):
        raise low.refuse(node, "numbers, strings and tuples cannot be written into")
    origin, prefix = low.memory.root(base)
    if origin in low.state.stale:
        raise low._stale(base, low.state.stale[origin])
    now = low.state.current.get(origin, origin)
    if isinstance(now.type, WRITABLE_CONTAINERS):
        _write_items(low, base, origin, (*prefix, *path), isinstance(base.type, Array))
    if value is now and isinstance(now.type, (Array, Unknown)):
        # `a[::-1] = a`: the value is the array as it was, not its next version.
        value = low.apply(np.copy, now)
    version = low.builder.store(now, (*prefix, *path), value, mode)
    if isinstance(now.type, (ListOf, DictOf)) and not prefix:
        item = join(now.type.item, type_of_operand(value))
        version.type = ListOf(item)
        if isinstance(now.type, DictOf):
            (step,) = path[:1]
            assert isinstance(step, ir.Index)
            key = join(now.type.key, key_type(type_of_operand(step.index)))
            version.type = DictOf(item, key_type(key))
    # Another item in its place is no change of the arrays that were items.
    replaced = isinstance(base.type, WRITABLE_CONTAINERS) and not prefix
    slot = replaced and len(path) == 1 and mode == "set"
    _written(low, origin, version, items_only=slot)
    if isinstance(base.type, WRITABLE_CONTAINERS):
        for var in ir.leaves(value):
            if isinstance(var.type, MEMORY):
                low.memory.put(origin, var)


def _write_items(
    low: Lowering, base: ir.Var, origin: ir.Var, path: ir.Path, in_array: bool
) -> None:
    """A write through a run-time list: which views of its items still hold?

    See Note [Items] in memory.py.
    """
    memory, state, span = low.memory, low.state, low.builder.span
    if memory.is_mixed(origin) and len(path) > 1:
        raise MutationError(
            "an array or list inside of a list is written, and the list may hold it "
            "twice",
            span,
            "put copies into the list (`.copy()`)",
        )
    if _is_moved(low, base):
        raise MutationError(
            f"`{base.name}` was an item of a list that has changed since, and is "
            "written here",
            span,
            "take a copy of the item (`.copy()`) and write into that",
        )
    for view, where in memory.views_of(origin):
        if not in_array and len(where) >= len(path):
            _move(low, view)
        elif view in state.moved:
            state.stale[view] = span
        else:
            state.outdated[view] = span


def _move(low: Lowering, view: ir.Var) -> None:
    state, span = low.state, low.builder.span
    if view in state.outdated:
        state.stale[view] = span
    else:
        state.moved[view] = span


def _is_moved(low: Lowering, var: ir.Var) -> bool:
    view = low.memory.view(var)
    while view is not None:
        if low.memory.origin(var) in low.state.moved:
            return True
        var = view[0]
        view = low.memory.view(var)
    return False


def _resized(low: Lowering, origin: ir.Var) -> None:
    """A list grows or shrinks: `xs[-1]` is another item now, `xs[0]` is not."""
    for view, path in low.memory.views_of(origin):
        first = path[0].index if isinstance(path[0], ir.Index) else None
        known = constant_value(first) if first is not None else None
        if known is None or not isinstance(known.value, int) or known.value < 0:
            _move(low, view)


def _written(
    low: Lowering, origin: ir.Var, version: ir.Var, items_only: bool = False
) -> None:
    """A new version; a list that only grows leaves what it refers to as it is."""
    low.memory.new_version(version, origin)
    low.state.current[origin] = version
    low.mutated.setdefault(origin, low.builder.span)
    for other in low.memory.hazards(origin):
        # A list that grows or shrinks is no change of the arrays in it.
        kept = (
            isinstance(other.type, (Array, Unknown))
            or low.memory.holds(origin, other)
            or low.memory.share_items_only(origin, other)
        )
        if not (items_only and kept):
            low.state.stale[other] = low.builder.span


def _refuse_capture(low: Lowering, base: Value, node: ast.AST | None) -> MutationError:
    name = "this value"
    if isinstance(base, ir.Var):
        root = low.memory.root(base)[0]
        name = f"`{low.captured_origins.get(root, 'a captured value')}`"
    span = low.span(node) if node is not None else low.builder.span
    return MutationError(
        f"{name} comes from outside of the function (a global or closure variable) "
        "and is written here",
        span,
        "pass it as an argument, or work on a copy",
    )


def store_item(
    low: Lowering,
    base: Value,
    index: Value,
    value: Value,
    node: ast.AST,
    mode: str = "set",
) -> None:
    """`base[index] = value`."""
    if classes.store_item(low, base, index, value, node):
        return
    key = low.operand(index, node)
    if isinstance(base, Ref):
        content = low.content(base)
        if isinstance(content, Items):
            if _store_in_cell(low, base, content, key, value, node):
                return
            base = low.materialise(base)
        else:
            base = content
    if isinstance(base, ir.Pack):
        if base.form.kind in ("list", "dict"):
            raise low.refuse(
                node,
                "a container from outside of the function, or an argument, is written",
                "build a new list or dict and return it",
            )
        raise low.refuse(node, "tuples cannot be written into")
    if isinstance(base, ir.Var) and isinstance(base.type, WRITABLE_CONTAINERS):
        if isinstance(key, ir.Slice):
            raise low.refuse(
                node, "a slice of a list is written", "write its items one by one"
            )
        given = _shared_operand(low, value, node)
    else:
        given = low.operand(value, node)
    if isinstance(base, ir.Var) and isinstance(base.type, Array):
        given = array_item(low, given)
    write(low, base, (ir.Index(key),), given, mode, node)


def _shared_operand(low: Lowering, value: Value, node: ast.AST) -> ir.Operand:
    """An item for a run-time container; a list in it stays the list that it is."""
    if isinstance(value, Ref):
        content = low.content(value)
        if isinstance(content, Items) and content.form.kind in ("list", "dict"):
            return low.materialise(value)
    if isinstance(value, ir.Pack):
        items = tuple(_shared_operand(low, item, node) for item in value.items)
        return ir.Pack(items, value.form)
    return low.operand(value, node)


def array_item(low: Lowering, value: ir.Operand) -> ir.Operand:
    """A sequence written into an array goes through `np.array`, which has a rule."""
    if isinstance(value, ir.Pack) and value.items:
        return low.apply(np.array, ir.Pack(value.items, ir.LIST))
    return value


def _store_in_cell(
    low: Lowering,
    ref: Ref,
    content: Items,
    key: ir.Operand,
    value: Value,
    node: ast.AST,
) -> bool:
    known = constant_value(key)
    if known is None:
        return False
    items = list(content.items)
    if content.form.kind == "dict":
        keys = list(content.form.keys)
        if known.value in keys:
            items[keys.index(known.value)] = value
        else:
            keys.append(known.value)
            items.append(value)
        form = ir.Form("dict", tuple(keys))
    else:
        if not isinstance(known.value, int):
            return False
        try:
            items[known.value] = value
        except IndexError as error:
            raise low.failure(node, error) from None
        form = content.form
    low.state.cells[ref.cell] = Items(form, tuple(items))
    return True


def append(low: Lowering, base: Value, value: Value, node: ast.AST) -> None:
    """`base.append(value)`."""
    if isinstance(base, Ref):
        content = low.content(base)
        if isinstance(content, Items):
            low.state.cells[base.cell] = Items(content.form, (*content.items, value))
            return
        base = content
    if not isinstance(base, ir.Var):
        raise _refuse_growth(low, node)
    given = _shared_operand(low, value, node)
    origin, prefix = low.memory.root(base)
    if prefix:
        raise low.refuse(node, "append to a list that is inside of another container")
    if origin in low.captured_origins:
        raise _refuse_capture(low, base, node)
    now = low.fresh(base)
    kind = now.type
    if isinstance(kind, ListOf):
        kind = ListOf(join(kind.item, type_of_operand(given)))
    if isinstance(kind, Opaque):
        low.builder.append(
            ir.Effect(low.builder.span, "call", (now, given), ir.Method("append"))
        )
        return
    target = ir.Var(now.name, kind)
    low.builder.append(
        ir.Append(low.builder.span, target, now, given, adjoint=low.builder.adjoint)
    )
    _resized(low, origin)
    _written(low, origin, target, items_only=True)
    for var in ir.leaves(given):
        if isinstance(var.type, MEMORY):
            low.memory.put(origin, var)


def _refuse_growth(low: Lowering, node: ast.AST) -> CompileError:
    """A list that the function did not make must not grow in it."""
    match node:
        case ast.Call(ast.Attribute(ast.Name(name))):
            if low.frame is not None and name not in low.frame.local_names:
                return MutationError(
                    f"`{name}` comes from outside of the function (a global or closure "
                    "variable) and grows here",
                    low.span(node),
                    "return the values instead, or collect them in a list made here",
                )
    return low.refuse(
        node,
        "a list from outside, or an argument of known structure, is appended to",
        "copy it first: `xs = list(xs)`",
    )


def pop(low: Lowering, base: Value, index: Value | None, node: ast.AST) -> Value:
    """`base.pop()`, from the end."""
    known = constant_value(low.operand(index)) if index is not None else ir.Const(-1)
    if isinstance(base, Ref):
        content = low.content(base)
        if isinstance(content, Items) and known is not None:
            items = list(content.items)
            keys = list(content.form.keys)
            try:
                if content.form.kind == "dict":
                    position = dict(zip(keys, range(len(keys)), strict=True))[
                        known.value
                    ]
                    keys.pop(position)
                else:
                    position = known.value
                value = items.pop(position)
            except LookupError as error:
                raise low.failure(node, error) from None
            form = ir.Form(content.form.kind, tuple(keys))
            low.state.cells[base.cell] = Items(form, tuple(items))
            return low.read(value)
        base = low.materialise(base)
    if known is None or known.value != -1 or not isinstance(base, ir.Var):
        raise low.refuse(node, "`pop` from anywhere but the end of a list")
    now = low.fresh(base)
    origin = low.memory.root(now)[0]
    item = now.type.item if isinstance(now.type, ListOf) else Unknown()
    target, value = ir.Var(now.name, now.type), ir.Var("", item)
    low.builder.append(
        ir.Pop(low.builder.span, target, value, now, adjoint=low.builder.adjoint)
    )
    _resized(low, origin)
    _written(low, origin, target, items_only=True)
    if low.memory.is_mixed(origin):
        low.memory.add_hazard(value, origin)
    return unpacked(low, value) if isinstance(item, TupleOf) else value


def delete(low: Lowering, target: ast.expr) -> None:
    """`del x, xs[k], d[key]`."""
    match target:
        case ast.Name(name):
            low.state.names.pop(name, None)
        case ast.Tuple(parts) | ast.List(parts):
            for part in parts:
                delete(low, part)
        case ast.Subscript(base, index) if not isinstance(index, ast.Slice):
            owner, key = low.expression(base), low.expression(index)
            if not isinstance(owner, (Ref, ir.Var)):
                raise _refuse_growth(low, target)
            call = ast.copy_location(ast.Call(base, [index], []), target)
            methods.call_method(low, owner, "pop", (key,), {}, call)
        case _:
            raise low.refuse(
                target,
                "`del` of a slice or attribute",
                "build a list or object without it instead",
            )


def extend(low: Lowering, base: Value, other: Value, node: ast.AST) -> None:
    """`base.extend(other)`, `base += other`."""
    items = expressions.static_items(low, other)
    if items is not None:
        for item in items:
            append(low, base, low.read(item), node)
        return
    holder = ast.Name("%item", ast.Store())
    ast.copy_location(holder, node)
    generator = ast.comprehension(
        target=holder, iter=ast.Name("%source", ast.Load()), ifs=[], is_async=0
    )
    low.state.names["%source"] = other

    def add() -> None:
        append(low, base, low.state.names["%item"], node)

    comprehensions.generate(low, [generator], add)
    low.state.names.pop("%source", None)
