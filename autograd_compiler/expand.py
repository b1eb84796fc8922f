"""Putting the text of a rule into the program: its names become the operands.

A rule's text is Python, and goes through the same frontend as the user's program; the
builder folds what is known, so that no test of a literal argument is left behind.
"""

from __future__ import annotations

import ast
import functools
import inspect
import math
import operator
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from autograd_compiler import ir
from autograd_compiler.builder import Builder
from autograd_compiler.errors import UnsupportedError
from autograd_compiler.frontend import calls, rule_calls
from autograd_compiler.frontend.lower import Lowering
from autograd_compiler.frontend.values import Frame, Value
from autograd_compiler.names import public_name
from autograd_compiler.operands import type_of_operand
from autograd_compiler.rules.registry import Rule
from autograd_compiler.runtime import i0_derivative, polygamma
from autograd_compiler.types import dtype_of


def log(x: Any) -> Any:
    """`np.log`, which of a Python number gives Python's: it leaves float32 as it is."""
    if np.ndim(x) == 0 and not np.iscomplexobj(x):
        return float(np.log(x))
    return np.log(x)


_HELPERS = {"polygamma": polygamma, "i0_derivative": i0_derivative}
_NUMPY = {**vars(math), **vars(np), "np": np, **_HELPERS}
_SINGLE = {**_NUMPY, "log": log}
_MATH = {**_NUMPY, **vars(math), "abs": abs, "pow": math.pow}


@functools.cache
def _parsed(text: str) -> ast.expr:
    return ast.parse(text, mode="eval").body


def partial(
    builder: Builder, rule: Rule, name: str, values: dict[str, ir.Operand]
) -> ir.Operand:
    """The partial derivative of an elementwise operator in one parameter."""
    text = _text(builder, rule, name)
    low = Lowering(builder=builder, in_rule=True)
    module = getattr(rule.operator, "__module__", "")
    result = values.get("y")
    dtype = None if result is None else dtype_of(type_of_operand(result))
    single = dtype in ("float16", "float32", "complex64")
    namespace = _MATH if module == "math" else _SINGLE if single else _NUMPY
    if rule.names:
        namespace = {**namespace, **rule.names}
    low.state.names = dict(values)
    low.frame = Frame(low.state.names, namespace, {}, "<rule>", frozenset())
    return low.operand(low.expression(_parsed(text)))


def _text(builder: Builder, rule: Rule, name: str) -> str:
    """The text of a partial derivative that is not zero."""
    text = rule.partials[name]
    if isinstance(text, str):
        return text
    raise UnsupportedError(
        f"`{spelling(rule.operator)}` is not differentiated in `{name}`",
        builder.span,
        f"no formula is known for it; make `{name}` independent of the "
        "differentiated input",
    )


def function(
    builder: Builder, fn: Any, args: Sequence[Value], kwargs: dict[str, Value]
) -> ir.Operand:
    """Inline a rule's function with the given operands; give its result."""
    low = Lowering(builder=builder, in_rule=True)
    low.frame = Frame({}, vars(np), {}, "<rule>", frozenset())
    node = ast.Pass()
    result = rule_calls.call_in_rule(low, fn, tuple(args), kwargs, node)
    return low.operand(result)


def adjusted(builder: Builder, op: ir.Apply, adjoint: ir.Operand) -> ir.Operand:
    """What the block of a `with grad_of(…)` makes of an adjoint.

    The block is the user's; in the generated code it is one step of the reverse sweep.
    """
    assert isinstance(op.fn, ir.GradOf)
    low = Lowering(builder=builder, in_rule=True)
    low.defining = True
    low.frame = Frame({}, vars(np), {}, "<rule>", frozenset())
    span = builder.span
    with builder.block() as ops:
        result = calls.call(low, op.fn.adjust, (adjoint, *op.args[1:]), {}, ast.Pass())
        found = low.operand(result)
    for made in ops:
        builder.append(ir.at_span(made, span))
    return found


def bound_arguments(
    rule: Rule, op: ir.Apply
) -> tuple[dict[str, ir.Operand], frozenset[str]]:
    """An operation's operands by the parameter names of its rule.

    The second result names the parameters that were given (not filled by a default).
    """
    found: dict[str, ir.Operand] = {}
    names = [p.name for p in rule.parameters if p.kind is not p.KEYWORD_ONLY]
    starred = [p.name for p in rule.parameters if p.kind is p.VAR_POSITIONAL]
    if starred:
        position = names.index(starred[0])
        found[starred[0]] = ir.Pack(op.args[position:])
        names = names[:position]
    elif len(op.args) > len(names):
        raise UnsupportedError(
            f"`{spelling(op.fn)}` is differentiated with at most {len(names)} "
            f"positional arguments",
            op.span,
            "leave out the arguments that it does not need",
        )
    found.update(zip(names, op.args, strict=False))
    known = {p.name for p in rule.parameters}
    for key, value in op.kwargs:
        if key not in known:
            raise UnsupportedError(
                f"`{spelling(op.fn)}` is not differentiated with the argument `{key}=`",
                op.span,
                f"leave `{key}` out and write its effect as a separate expression",
            )
        found[key] = value
    given = frozenset(found)
    for parameter in rule.parameters:
        default = parameter.default
        if parameter.name not in found and default is not inspect.Parameter.empty:
            found[parameter.name] = (
                ir.Pack(tuple(map(ir.Const, default)))
                if isinstance(default, tuple)
                else ir.Const(default)
            )
    return found, given


# Conditions choose, and have no derivative whatever they are made of.
_CONDITIONS = frozenset({"condition", "condlist", "where"})


def check_dropped(
    rule: Rule,
    op: ir.Apply,
    bound: dict[str, ir.Operand],
    varies: Callable[[ir.Operand], bool],
) -> None:
    """Refuse an argument that depends on the input and that the rule has no part for."""
    declared = {*rule.wrt, *rule.partials, *_CONDITIONS}
    for name, operand in bound.items():
        if name not in declared and varies(operand):
            raise UnsupportedError(
                f"`{spelling(op.fn)}` has no derivative in `{name}`",
                op.span,
                "make the argument independent of the differentiated input",
            )


def weighted(
    builder: Builder,
    rule: Rule,
    name: str,
    values: dict[str, ir.Operand],
    weight: ir.Operand,
) -> ir.Operand:
    """`weight * partial`, written as a division where the partial is `number / …`."""
    tree = _parsed(_text(builder, rule, name))
    above = _numerator(tree)
    if above is not None and isinstance(tree, ast.BinOp):
        divisor = replace(rule, partials={name: ast.unparse(tree.right)})
        below = partial(builder, divisor, name, values)
        scaled = builder.apply(operator.mul, ir.Const(above), weight)
        return builder.apply(operator.truediv, scaled, below)
    return builder.apply(operator.mul, weight, partial(builder, rule, name, values))


def _numerator(tree: ast.expr) -> int | float | None:
    """The number 1, -1 or 0.5 that a text divides: no digit is lost with it."""
    match tree:
        case ast.BinOp(ast.Constant(1), ast.Div()):
            return 1
        case ast.BinOp(ast.Constant(0.5), ast.Div()):
            return 0.5
        case ast.BinOp(ast.UnaryOp(ast.USub(), ast.Constant(1)), ast.Div()):
            return -1
    return None


def rule_call(builder: Builder, fn: Any, values: dict[str, ir.Operand]) -> ir.Operand:
    """Inline a rule's function; it is given those of the values that it names."""
    args: list[Any] = []
    kwargs: dict[str, Any] = {}
    for name, parameter in inspect.signature(fn).parameters.items():
        if name not in values:
            continue
        if parameter.kind is parameter.VAR_POSITIONAL:
            packed = values[name]
            assert isinstance(packed, ir.Pack)
            args.extend(packed.items)
        elif (
            parameter.kind is parameter.KEYWORD_ONLY
            or kwargs
            and parameter.kind is not parameter.POSITIONAL_ONLY
        ):
            kwargs[name] = values[name]
        else:
            args.append(values[name])
    return function(builder, fn, args, kwargs)


def refusal(op: ir.Apply, rule: Rule | None) -> UnsupportedError:
    """The error for an operator that a derivative would have to go through."""
    name = spelling(op.fn)
    if isinstance(op.fn, ir.CallValue):
        return UnsupportedError(
            "a function that only run time knows is called",
            op.span,
            "choose between the calls with `if`, so that each is known; a foreign "
            "function needs a rule",
        )
    if rule_calls.is_of_rule(op.fn):
        return UnsupportedError(
            f"`{op.fn.__name__}` is called as it is, and cannot be differentiated "
            "again: the form of the result that it is for is not known",
            op.span,
            "tell it by `result=`, which custom_vjp, custom_jvp, implicit_root and "
            "fixed_point take",
        )
    if rule is not None and rule.kind == "zero":
        return UnsupportedError(
            f"`{name}` of complex numbers is not differentiated",
            op.span,
            "write `z / np.abs(z)`",
        )
    if rule is not None:
        return UnsupportedError(f"cannot differentiate `{name}`", op.span, rule.reason)
    return UnsupportedError(
        f"there is no derivative rule for `{name}`",
        op.span,
        "write it with operators that have one, or declare a rule for it",
    )


def spelling(fn: Any) -> str:
    """How a function is called in messages: `np.linalg.solve`."""
    if isinstance(fn, ir.Method):
        return f".{fn.name}"
    if isinstance(fn, ir.CallValue):
        return "this function"
    public = public_name(fn)
    if public is not None and public[1].startswith("scipy."):
        return public[1]
    module = (getattr(fn, "__module__", "") or "").replace("numpy", "np")
    name = getattr(fn, "__name__", str(fn))
    if isinstance(fn, np.ufunc):  # of NumPy or not, which only NumPy can tell
        return f"np.{name}" if getattr(np, name, None) is fn else name
    if module in ("builtins", "_operator", ""):
        return name
    return f"{module}.{name}"
