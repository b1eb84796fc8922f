"""`with grad_of(h) as d_h:`: its block becomes a function of the reverse sweep."""

from __future__ import annotations

import ast
import builtins
from typing import TYPE_CHECKING

from autograd_compiler import ir
from autograd_compiler.frontend import names
from autograd_compiler.frontend.normalise.refuse import JUMPS
from autograd_compiler.frontend.values import Closure, Frame, Value
from autograd_compiler.types import MEMORY, Array, Scalar, Unknown

if TYPE_CHECKING:
    from autograd_compiler.frontend.lower import Lowering

_HINT = "write `with grad_of(h) as d_h:`, where `h` is the name of a number or an array"


def lower_grad_of(low: Lowering, node: ast.With, item: ast.withitem) -> None:
    """`h` becomes a new `h`, whose adjoint goes through the block."""
    match item:
        case ast.withitem(
            ast.Call(args=[ast.Name(name)], keywords=[]), ast.Name(adjoint)
        ) if (len(node.items) == 1):
            pass
        case _:
            raise low.refuse(item.context_expr, "this use of `grad_of`", _HINT)
    value = low.expression(ast.Name(name, ast.Load()))
    if isinstance(value, ir.Const):  # nothing depends on it
        return
    kinds = (Scalar, Array, Unknown)
    if not isinstance(value, ir.Var) or not isinstance(value.type, kinds):
        raise low.refuse(
            item.context_expr, f"`grad_of({name})` of what is no number or array", _HINT
        )
    others = _free_names(low, node, adjoint)
    given = [low.operand(each, node) for each in others.values()]
    adjust = _block(low, node, adjoint, value, list(others))
    changed = ir.Var(name, value.type)
    low.builder.append(
        ir.Apply(low.builder.span, (changed,), ir.GradOf(adjust), (value, *given))
    )
    low.builder.shares[changed] = (value,)
    if isinstance(value.type, MEMORY):
        origin = low.memory.origin(value)
        low.memory.new_version(changed, origin)
        low.state.current[origin] = changed
    low.state.names[name] = changed


def _free_names(low: Lowering, node: ast.With, adjoint: str) -> dict[str, Value]:
    """The values that the block reads, by name; modules and functions are not such."""
    found: dict[str, Value] = {}
    own = {adjoint}
    for part in [each for statement in node.body for each in ast.walk(statement)]:
        if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store):
            own.add(part.id)
    if getattr(node.items[0].context_expr, JUMPS, False):
        raise low.refuse(
            node.items[0].context_expr,
            "a jump (`return`, `break`, `continue`) out of the block of `grad_of`",
            "the block changes a derivative, and nothing else",
        )
    for part in [each for statement in node.body for each in ast.walk(statement)]:
        if not isinstance(part, ast.Name) or part.id in own or part.id in found:
            continue
        if not _is_known(low, part.id) and hasattr(builtins, part.id):
            continue
        value = names.lookup(low, part.id, part)
        callee = isinstance(value, ir.Const) and isinstance(
            value.value, (type, *names.FUNCTIONS)
        )
        if callee and not _is_local(low, part.id):
            continue
        found[part.id] = value
    return found


def _is_local(low: Lowering, name: str) -> bool:
    frame = low.frame
    return name in low.state.names or frame is not None and name in frame.cells


def _is_known(low: Lowering, name: str) -> bool:
    frame = low.frame
    return _is_local(low, name) or frame is not None and name in frame.globals


def _block(
    low: Lowering, node: ast.With, adjoint: str, value: ir.Var, others: list[str]
) -> Closure:
    """`def adjust(d_h, *others)`: the block, which gives what goes on."""
    params = [ast.arg(name) for name in (adjoint, *others)]
    body: list[ast.stmt] = [*node.body, ast.Return(ast.Name(adjoint, ast.Load()))]
    if _writes_into(node, adjoint):
        copy = "{0}.copy()" if isinstance(value.type, Array) else "{0} + 0.0"
        body.insert(0, ast.parse(f"{adjoint} = {copy.format(adjoint)}").body[0])
    for statement in (body[0], body[-1]):
        ast.copy_location(statement, node)
    arguments = ast.arguments([], params, None, [], [], None, [])
    definition = ast.FunctionDef("adjust", arguments, body, [])
    ast.fix_missing_locations(ast.copy_location(definition, node))
    frame = low.frame
    assert frame is not None
    return Closure(
        definition, Frame({}, frame.globals, {}, frame.filename, frozenset())
    )


def _writes_into(node: ast.With, adjoint: str) -> bool:
    """Whether the block may change the array of the adjoint, instead of the name."""

    def is_adjoint(part: ast.AST) -> bool:
        while isinstance(part, (ast.Subscript, ast.Attribute)):
            part = part.value
        return isinstance(part, ast.Name) and part.id == adjoint

    for part in ast.walk(node):
        match part:
            case ast.AugAssign(target=target) if is_adjoint(target):
                return True
            case ast.Subscript(ctx=ast.Store()) if is_adjoint(part):
                return True
            case ast.Call(func=ast.Attribute(value=owner)) if is_adjoint(owner):
                return True
            case ast.Call(args=args, keywords=keywords):
                # NumPy's functions and `print` write nothing, unless told to.
                if any(keyword.arg == "out" for keyword in keywords):
                    return True
                known = isinstance(part.func, ast.Attribute) or (
                    isinstance(part.func, ast.Name) and hasattr(builtins, part.func.id)
                )
                if not known and any(map(is_adjoint, args)):
                    return True
    return False
