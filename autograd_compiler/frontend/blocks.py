"""`with` and `try`: statements that hold a block and run it in a way of their own."""

from __future__ import annotations

import ast
import contextlib
import inspect
import operator
import types
from typing import TYPE_CHECKING, Any

import numpy as np

from autograd_compiler import ir
from autograd_compiler.frontend import adjusting, assignment, branches, calls, classes
from autograd_compiler.frontend.normalise.refuse import TRY_HINT
from autograd_compiler.frontend.values import Failure, Value
from autograd_compiler.surgery import grad_of

if TYPE_CHECKING:
    from autograd_compiler.frontend.lower import Lowering

# ---------------------------------------------------------------- with


def lower_with(low: Lowering, node: ast.With) -> None:
    """The body inside of the same context managers, from the first to the last."""
    _with(low, node, list(node.items))


def _with(low: Lowering, node: ast.With, items: list[ast.withitem]) -> None:
    if not items:
        low.statements(node.body)
        return
    item, *rest = items
    if _is_grad_of(low, item.context_expr):
        adjusting.lower_grad_of(low, node, item)
        return
    context, entered = _entered(low, item)
    if item.optional_vars is not None:
        if entered is None and not _is_unused(item.optional_vars):
            raise low.refuse(
                item.optional_vars,
                "what this context manager gives is not known here",
                "leave out `as`, or make the object before the `with`",
            )
        assignment.assign(low, item.optional_vars, entered or ir.Const(None))
    leave = classes.special(low, context, "__exit__")
    if leave is not None and entered is not None:
        _with(low, node, rest)
        nothing = (ir.Const(None),) * 3
        calls.call(low, leave, nothing, {}, item.context_expr)
        return
    if isinstance(context, ir.Const) and context.value is None:  # a nullcontext
        _with(low, node, rest)
        return
    _inside(low, node, low.operand(context, item.context_expr), rest)


def _is_grad_of(low: Lowering, node: ast.expr) -> bool:
    if not isinstance(node, ast.Call):
        return False
    function = low.expression(node.func)
    return isinstance(function, ir.Const) and function.value is grad_of


def _is_unused(target: ast.expr) -> bool:
    return isinstance(target, ast.Name) and target.id.startswith("_")


def _entered(low: Lowering, item: ast.withitem) -> tuple[Value, Value | None]:
    """A context manager, and what `as` names, where that is known."""
    node = item.context_expr
    made: Any = None
    if isinstance(node, ast.Call):
        function = low.expression(node.func)
        made = function.value if isinstance(function, ir.Const) else None
    if made is contextlib.nullcontext and isinstance(node, ast.Call):
        given = low.expression(node.args[0]) if node.args else ir.Const(None)
        return ir.Const(None), given
    if made is contextlib.suppress:
        raise low.refuse(
            node, "`contextlib.suppress` hides exceptions, as `try` does", TRY_HINT
        )
    context: Value
    if _is_opaque(made) and isinstance(node, ast.Call):
        args = [low.operand(low.expression(arg), arg) for arg in node.args]
        named: dict[str, Any] = {
            str(keyword.arg): low.operand(low.expression(keyword.value), node)
            for keyword in node.keywords
        }
        context = low.builder.apply(made, *args, **named)
    else:
        context = low.expression(node)
    if made is np.errstate:
        return context, ir.Const(None)
    enter = classes.special(low, context, "__enter__")
    if enter is None or isinstance(context, ir.Var):
        return context, None
    return context, calls.call(low, enter, (), {}, node)


def _is_opaque(made: Any) -> bool:
    """Context managers that are not looked into: Python's, and those of generators."""
    if isinstance(made, type):
        return not classes.is_plain(made) and hasattr(made, "__enter__")
    wrapped = getattr(made, "__wrapped__", None)
    return isinstance(made, types.FunctionType) and inspect.isgeneratorfunction(wrapped)


def _inside(
    low: Lowering, node: ast.With, context: ir.Operand, rest: list[ast.withitem]
) -> None:
    span = low.builder.span
    before = low.state.copy()
    with low.builder.block() as ops:
        _with(low, node, rest)
    merge = branches.Merge(low, (ops, []))
    dead = before.copy()
    dead.dead = True
    merge.states = (low.state, dead)
    after = branches.merged_state(low, merge, before, low.state, dead)
    after.dead = low.state.dead
    low.state = after
    block = ir.Block(tuple(ops), tuple(merge.results[0]))
    targets = tuple(merge.targets)
    low.builder.append(
        ir.With(span, targets, context, block, adjoint=low.builder.adjoint)
    )


# ---------------------------------------------------------------- try

# Calls that never fail, so that no handler is waiting for them.
_SAFE = (len, getattr, operator.is_, operator.is_not, isinstance)


def lower_try(low: Lowering, node: ast.Try) -> None:
    """A `try` whose body is done when compiling: an import, an option looked up.

    Whether a body fails that computes something, only run time knows.
    """
    before, trying = low.state.copy(), low.trying
    low.trying = True
    failure: Exception | None = None
    with low.builder.block() as ops:
        try:
            low.statements(node.body)
        except Failure as stop:
            failure = stop.error
        finally:
            low.trying = trying
    if any(not _is_safe(op) for op in ops):
        raise low.refuse(node, "`try` around a computation is not supported", TRY_HINT)
    if failure is None:
        low.builder.ops.extend(ops)
        low.statements([*node.orelse, *node.finalbody])
        return
    low.state = before
    for handler in node.handlers:
        if _catches(low, handler, failure):
            low.statements([*handler.body, *node.finalbody])
            return
    low.statements(node.finalbody)
    raise low.failure(node, failure)


def _is_safe(op: ir.Operation) -> bool:
    return isinstance(op, ir.Apply) and op.fn in _SAFE


def _catches(low: Lowering, handler: ast.ExceptHandler, error: Exception) -> bool:
    if handler.name is not None:
        names = {part.id for part in ast.walk(handler) if isinstance(part, ast.Name)}
        if handler.name in names:
            raise low.refuse(handler, "the exception is used in its handler", TRY_HINT)
    if handler.type is None:
        return True
    kinds = low.expression(handler.type)
    items = kinds.items if isinstance(kinds, ir.Pack) else (kinds,)
    classes_of = [kind.value for kind in items if isinstance(kind, ir.Const)]
    return isinstance(error, tuple(classes_of))
