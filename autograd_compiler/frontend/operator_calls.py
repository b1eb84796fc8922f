"""Calls of operators: functions of libraries, with a rule or without."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from autograd_compiler import ir, runtime
from autograd_compiler.errors import (
    UnsupportedError,
)
from autograd_compiler.frontend import (
    rule_calls,
    stores,
    user_calls,
)
from autograd_compiler.frontend.handlers import Keywords
from autograd_compiler.frontend.values import (
    Undecided,
    Value,
)
from autograd_compiler.rules.registry import Rule, rule_of
from autograd_compiler.types import (
    MEMORY,
    Array,
    ListOf,
    Scalar,
    is_inexact,
)

if TYPE_CHECKING:
    from autograd_compiler.frontend.lower import Lowering


# Modules whose calls tell of values: kept for their effect, not looked into.
_REPORTING = ("logging", "warnings", "_warnings", "traceback", "pprint", "sys", "time")
# Functions for which a list is a sequence of arrays, or a list.
_TAKE_LISTS = {
    np.array,
    np.asarray,
    np.asanyarray,
    np.block,
    np.column_stack,
    np.concatenate,
    np.dstack,
    np.hstack,
    np.linalg.multi_dot,
    np.stack,
    np.vstack,
    np.broadcast_arrays,
    # Containers of adjoints are theirs to go through.
    runtime.add,
    runtime.deep_copy,
    runtime.zeros_like,
    np.choose,
    np.einsum,
    np.meshgrid,
    np.piecewise,
    np.select,
    len,
    list,
    tuple,
    bool,
    getattr,
}


# ---------------------------------------------------------------- operators


def plain(
    low: Lowering, fn: Any, args: tuple[Value, ...], kwargs: Keywords, node: ast.AST
) -> ir.Var:
    return low.builder.as_var(low.operand(primitive(low, fn, args, kwargs, node)))


def primitive(
    low: Lowering,
    fn: Any,
    args: tuple[Value, ...],
    kwargs: Keywords,
    node: ast.AST,
    style: str = "function",
) -> Value:
    """A call of an operator; `out=` becomes a write."""
    rule = rule_of(fn)
    out = kwargs.pop("out", None) if "out" in kwargs else None
    if isinstance(fn, np.ufunc) and len(args) == fn.nin + 1 and out is None:
        args, out = args[:-1], args[-1]
    if isinstance(fn, np.ufunc) and out is not None and "where" in kwargs:
        mask, kept = kwargs.pop("where"), low.operand(out)
        found = low.operand(primitive(low, fn, args, kwargs, node, style))
        chosen = low.apply(np.where, low.operand(mask), found, kept)
        return _written(low, out, chosen, node)
    if rule is not None and rule.definition is not None:
        if rule.kind == "composed" or not rule.takes(len(args), kwargs):
            return _written(low, out, define(low, rule, args, kwargs, node), node)
    given = tuple(low.operand(arg, node) for arg in args)
    if fn not in _TAKE_LISTS and rule_of(fn) is not None:
        given = tuple(as_array(low, operand) for operand in given)
    named = {key: low.operand(value, node) for key, value in kwargs.items()}
    if out is None and is_statement(low, node) and not _only_computes(rule):
        return effect(low, fn, given, named, node, harmless=reports(fn))
    result: Value = low.apply(fn, *given, style=style, **named)
    if isinstance(result, ir.Pack) and _gives_list(fn):
        result = low.new_ref(ir.LIST, result.items)
    return _written(low, out, result, node)


def define(
    low: Lowering,
    rule: Rule,
    args: tuple[Value, ...],
    kwargs: Keywords,
    node: ast.AST,
) -> Value:
    """The definition of an operator, lowered in its place like the text of a rule."""
    assert rule.definition is not None
    return lowered_as(low, rule.definition, args, kwargs, node)


def lowered_as(
    low: Lowering,
    definition: Any,
    args: tuple[Value, ...],
    kwargs: Keywords,
    node: ast.AST,
) -> Value:
    """The body of a function of ours, lowered in the place of a call."""
    outer = low.in_rule, low.defining
    low.in_rule = low.defining = True
    try:
        return user_calls.inline(low, user_calls.source(definition), args, kwargs, node)
    except (Undecided, UnsupportedError) as error:
        if not any(map(rule_calls.is_open, (*args, *kwargs.values()))):
            raise
        raise low.refuse(
            node,
            "what this operator computes depends on types that are not known here",
            "give the types: `lower(*args)`, or an annotation",
        ) from error
    finally:
        low.in_rule, low.defining = outer


@contextmanager
def outside_of_rules(low: Lowering) -> Iterator[None]:
    """For the user's functions that a definition calls, as `np.piecewise` does."""
    outer = low.in_rule
    low.in_rule = outer and not low.defining
    try:
        yield
    finally:
        low.in_rule = outer


def _only_computes(rule: Rule | None) -> bool:
    """Whether a call has no effect but its result; what is refused may save a file."""
    return rule is not None and rule.kind != "refused"


def _written(low: Lowering, out: Value | None, result: Value, node: ast.AST) -> Value:
    """A result, written to `out` where that is given."""
    if out is None or (isinstance(out, ir.Const) and out.value is None):
        return result
    if isinstance(out, ir.Pack) and len(out.items) == 1:
        out = out.items[0]
    stores.write(low, out, (), low.operand(result, node), node=node)
    return low.read(out)


def as_array(low: Lowering, operand: ir.Operand) -> ir.Operand:
    """A list or tuple of floats as NumPy takes it: through `np.array`, with a rule."""
    match operand:
        case ir.Var(type=ListOf(Scalar() | Array() as item)) if is_inexact(item):
            return low.apply(np.array, operand)
        case ir.Pack(form=form) if form.kind != "dict" and _are_floats(operand):
            return low.apply(np.array, _listed(operand))
    return operand


def _are_floats(pack: ir.Pack) -> bool:
    """Whether an array is meant: numbers in rows, some of which may have derivatives."""
    kinds = [var.type for var in ir.leaves(pack)]
    return any(map(is_inexact, kinds)) and all(
        isinstance(kind, Scalar) for kind in kinds
    )


def _listed(operand: ir.Operand) -> ir.Operand:
    if isinstance(operand, ir.Pack):
        return ir.Pack(tuple(map(_listed, operand.items)), ir.LIST)
    return operand


def reports(fn: Any) -> bool:
    """Whether a function tells of values and leaves them as they are."""
    module = getattr(fn, "__module__", None) or ""
    return module.split(".")[0] in _REPORTING


def is_statement(low: Lowering, node: ast.AST) -> bool:
    """Whether a call stands alone, for what it does."""
    current = low.current_statement
    return isinstance(current, ast.Expr) and current.value is node and not low.in_rule


def effect(
    low: Lowering,
    fn: Any,
    args: tuple[ir.Operand, ...],
    kwargs: dict[str, ir.Operand],
    node: ast.AST,
    harmless: bool,
    owner: ir.Operand | None = None,
) -> Value:
    """A call whose result is not used, kept in the forward sweep."""
    every = (*args, *kwargs.values())
    arrays = [
        leaf
        for operand in every
        for leaf in ir.leaves(operand)
        if isinstance(leaf.type, MEMORY)
    ]
    if arrays and not harmless:
        raise low.refuse(
            node,
            "the result of this call is not used, so it may write into its arguments",
            "use a function that returns a new value",
        )
    named = tuple(kwargs.items())
    if owner is not None:
        args = (owner, *args)
    low.builder.append(
        ir.Effect(
            low.builder.span, "call", args, fn, named, adjoint=low.builder.adjoint
        )
    )
    return ir.Const(None)


def _gives_list(fn: Any) -> bool:
    return fn in (np.split, np.array_split, np.hsplit, np.vsplit, np.dsplit)
