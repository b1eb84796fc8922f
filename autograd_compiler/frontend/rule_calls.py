"""Calls of the functions that rules are made of: inlined, or called as they are.

The body of a rule's function is inlined where it is used, and the choices in it are
decided by what is known: `if np.ndim(a) == 1` leaves no trace.  Where the types of the
operands are not known, nothing decides.  Then the function itself is called, and its
source is emitted along: one call in the place of all cases.
"""

from __future__ import annotations

import ast
import inspect
import sys
import types
from functools import cache
from typing import TYPE_CHECKING, Any

from autograd_compiler import ir, runtime
from autograd_compiler.errors import AutogradCompilerError
from autograd_compiler.frontend import lower as lowering_module
from autograd_compiler.frontend import user_calls
from autograd_compiler.frontend.values import Undecided, Value
from autograd_compiler.types import Unknown

if TYPE_CHECKING:
    from autograd_compiler.frontend.lower import Lowering


def call_in_rule(
    low: Lowering,
    fn: types.FunctionType,
    args: tuple[Value, ...],
    kwargs: dict[str, Value],
    node: ast.AST,
) -> Value:
    """The value of a call of a rule's function."""
    outer = low.in_rule
    low.in_rule = True
    try:
        return _in_rule(low, fn, args, kwargs, node)
    finally:
        low.in_rule = outer


def is_of_rule(fn: Any) -> bool:
    """Whether a function is a part of a rule that a user's object carries."""
    return getattr(fn, "__autograd_compiler_rule__", False) is True


def _in_rule(
    low: Lowering,
    fn: types.FunctionType,
    args: tuple[Value, ...],
    kwargs: dict[str, Value],
    node: ast.AST,
) -> Value:
    source = user_calls.source_of(low, fn, node)
    if not any(map(is_open, (*args, *kwargs.values()))):
        return user_calls.inline(low, source, args, kwargs, node)
    ops, made = low.builder.ops, len(low.builder.ops)
    state, outer = low.state.copy(), low.may_call
    low.may_call = True
    try:
        return low.read(user_calls.inline(low, source, args, dict(kwargs), node))
    except lowering_module.RuleRefusal:
        raise
    except (Undecided, AutogradCompilerError, *lowering_module.INTERNAL):
        if low.defining:  # the primal, and no rule's function could stand for it
            raise
        low.builder.ops = ops
        del ops[made:]
        low.state = state
        return _called(low, fn, args, kwargs, node)
    finally:
        low.may_call = outer


def is_open(value: Value) -> bool:
    """Whether the types in a value leave something to be asked."""
    if isinstance(value, (ir.Var, ir.Pack, ir.Slice)):
        return any(isinstance(leaf.type, Unknown) for leaf in ir.leaves(value))
    return False


def _called(
    low: Lowering,
    fn: types.FunctionType,
    args: tuple[Value, ...],
    kwargs: dict[str, Value],
    node: ast.AST,
) -> Value:
    defaults = {
        name: parameter.default
        for name, parameter in inspect.signature(fn).parameters.items()
        if parameter.default is not parameter.empty
    }
    given = [low.operand(arg, node) for arg in args]
    named: dict[str, Any] = {
        key: operand
        for key, value in kwargs.items()
        if not _is(operand := low.operand(value, node), defaults.get(key, low))
    }
    names = list(inspect.signature(fn).parameters)
    while given and len(given) <= len(names):
        if not _is(given[-1], defaults.get(names[len(given) - 1], low)):
            break
        given.pop()
    fn = original_of(fn) or fn  # of a helper in generated code
    count = results_of(fn)
    if count == 1:
        return low.builder.apply(fn, *given, **named)
    return low.builder.apply_several(fn, count, tuple(given), named)


def _is(operand: ir.Operand, default: object) -> bool:
    """Whether an operand is the default of its parameter, and need not be written."""
    if not isinstance(operand, ir.Const) or type(operand.value) is not type(default):
        return False
    return isinstance(default, (bool, int, str, type(None))) and (
        operand.value == default
    )


@cache
def results_of(fn: types.FunctionType) -> int:
    """How many results a function returns as a tuple, as its text tells; else 1.

    Examples
    --------
    >>> from autograd_compiler.rules.products import matmul_adjoint, matmul_left
    >>> results_of(matmul_adjoint), results_of(matmul_left)
    (2, 1)
    """
    (definition,) = ast.parse(inspect.cleandoc("\n" + inspect.getsource(fn))).body
    returned = [
        node.value for node in ast.walk(definition) if isinstance(node, ast.Return)
    ]
    counts = {_count(value, fn) for value in returned} - {0}
    return counts.pop() if len(counts) == 1 else 1


def original_of(fn: types.FunctionType) -> types.FunctionType | None:
    """The function of ours that one in a generated text is a copy of."""
    return _original(fn.__code__)


@cache
def _original(code: types.CodeType) -> types.FunctionType | None:
    owners = [runtime] + [
        module
        for name, module in sorted(sys.modules.items())
        if name.startswith("autograd_compiler.rules.")
    ]
    for owner in owners:
        found = vars(owner).get(code.co_name)
        if isinstance(found, types.FunctionType) and _same(found.__code__, code):
            return found
    return None


def _same(first: types.CodeType, second: types.CodeType) -> bool:
    """Whether two functions do the same, whatever their docstrings say.

    In a generated text the modules of SciPy have their full names, which makes other
    code of the same names in the same order.
    """
    names = tuple(name for name in second.co_names if name != "scipy")
    return (
        (first.co_code == second.co_code or "scipy" in second.co_names)
        and first.co_names in (names, second.co_names)
        and first.co_varnames == second.co_varnames
        and len(first.co_consts) == len(second.co_consts)
        and all(
            (
                _same(a, b)
                if isinstance(a, types.CodeType) and isinstance(b, types.CodeType)
                else a == b or isinstance(a, str) and k == 0
            )
            for k, (a, b) in enumerate(
                zip(first.co_consts, second.co_consts, strict=True)
            )
        )
    )


def _count(value: ast.expr | None, fn: types.FunctionType) -> int:
    match value:
        case ast.Tuple(items):
            return len(items)
        case ast.Call(ast.Name(name)):
            called: Any = fn.__globals__.get(name)
            if isinstance(called, types.FunctionType) and called is not fn:
                return results_of(called)
            return 0 if called is fn else 1  # a recursion tells nothing
    return 1
