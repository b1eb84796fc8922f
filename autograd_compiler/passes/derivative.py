"""Derivative functions: a primal's sweeps put together behind a signature."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from autograd_compiler import ir
from autograd_compiler.analysis.lost import refuse_lost_derivatives
from autograd_compiler.errors import ArgumentError, render
from autograd_compiler.frontend.program import Primal
from autograd_compiler.frontend.source import span_of
from autograd_compiler.names import Names, adjoint_name
from autograd_compiler.operands import identity, unpack
from autograd_compiler.passes.forward import forward_body
from autograd_compiler.passes.pairs import Derivatives
from autograd_compiler.passes.reverse import Sweeps, reverse_body
from autograd_compiler.passes.storage import Stored, always_defined, thread
from autograd_compiler.types import Array, ListOf, Opaque, Scalar, Type, is_inexact


@dataclass(frozen=True)
class Derivative:
    """A module whose entry computes a derivative.

    For a pullback the entry gives (result, residuals), and `pullback` names the
    function that takes the residuals and a cotangent.
    """

    module: ir.Module
    stored: tuple[Stored, ...] = ()
    pullback: str = ""


def reverse_derivative(
    primal: Primal,
    function: ir.Function,
    wrt: tuple[str, ...],
    mode: str,
    has_aux: bool = False,
    helpers: tuple[ir.Function, ...] = (),
    holomorphic: bool = False,
    compiled: bool = False,
) -> Derivative:
    """The gradient, value and gradient, or pullback of a function."""
    result, aux = _result_and_aux(primal, function, has_aux)
    trees = [_tree(function, name) for name in wrt]
    inputs = tuple(leaf for tree in trees for leaf in ir.leaves(tree))
    seeds: dict[ir.Var, ir.Operand] = {}
    d_result: ir.Operand = ir.Const(None)
    if mode in ("grad", "value_and_grad"):
        _check_scalar(function, result, _return_span(primal, function), holomorphic)
        if isinstance(result, ir.Var):
            seeds[result] = ir.Const(1.0)
        elif isinstance(result, ir.Pack):
            (leaf,) = ir.leaves(result)
            seeds[leaf] = ir.Const(1.0)
    else:
        d_result = ir.rebuild(result, _cotangent)
        pairs = zip(_positions(result), _positions(d_result), strict=True)
        body = function.body
        copies: list[ir.Operation] = []
        for output, cotangent in pairs:
            if not isinstance(output, ir.Var) or not isinstance(cotangent, ir.Var):
                continue
            if output in seeds:  # one value returned twice: name the second
                again = ir.Var(output.name, output.type)
                copies.append(ir.Apply(function.span, (again,), identity, (output,)))
                output = again
            seeds[output] = cotangent
        if copies:
            function = replace(
                function, body=ir.Block((*body.ops, *copies), body.results)
            )
    refuse_lost_derivatives(function.body, inputs, seeds)
    calls = _derivatives_of_helpers(primal, helpers, function, mode)
    sweeps = reverse_body(
        function.body, inputs, seeds, primal.shares, calls.pair, compiled=compiled
    )
    gradients = [
        ir.rebuild(tree, lambda leaf: sweeps.gradients[leaf]) for tree in trees
    ]
    if mode == "pullback":
        found = _pullback(function, sweeps, gradients, result, aux, d_result)
        return _with_helpers(found, calls)
    gradient = gradients[0] if len(gradients) == 1 else ir.Pack(tuple(gradients))
    returned: ir.Operand = gradient
    if mode == "value_and_grad":
        value = result if aux is None else ir.Pack((result, aux))
        returned = ir.Pack((value, gradient))
    elif aux is not None:
        returned = ir.Pack((gradient, aux))
    params = function.params
    if mode == "vjp":
        names = Names(param.name for param in params)
        params = (*params, ir.Param(names.fresh("d_out"), d_result))
        returned = ir.Pack((result, ir.Pack(tuple(gradients))))
    block = ir.Block((*sweeps.forward, *sweeps.backward), (returned,))
    block = thread(block, set(sweeps.tapes))
    made = ir.Function(
        f"{_identifier(function.name)}_{mode}",
        params,
        block,
        function.span,
        f"{_TITLES[mode]} of {function.name}.",
    )
    return _with_helpers(Derivative(ir.Module((made,)), sweeps.stored), calls)


def _result_and_aux(
    primal: Primal, function: ir.Function, has_aux: bool
) -> tuple[ir.Operand, ir.Operand | None]:
    """What is differentiated of what the function returns, and what is passed on."""
    result = function.body.results[0]
    if not has_aux:
        return result, None
    if not isinstance(result, ir.Pack) or len(result.items) != 2:
        message = f"`{function.name}` must return (value, aux) for has_aux=True"
        raise ArgumentError(render(message, _return_span(primal, function)))
    value, aux = result.items
    return value, aux


def _derivatives_of_helpers(
    primal: Primal, helpers: tuple[ir.Function, ...], function: ir.Function, mode: str
) -> Derivatives:
    name = _identifier(function.name)
    taken = [f"{name}_{mode}"]
    if mode == "pullback":
        taken.append(f"{name}_forward")
    return Derivatives(helpers, primal.shares, taken, reusable=mode == "pullback")


def _with_helpers(derivative: Derivative, calls: Derivatives) -> Derivative:
    functions = derivative.module.functions
    return replace(
        derivative,
        module=ir.Module((*calls.functions(functions), *functions)),
        stored=(*derivative.stored, *calls.stored),
    )


_TITLES = {
    "grad": "Gradient",
    "value_and_grad": "Value and gradient",
    "vjp": "Value and vector-Jacobian product",
}


def _identifier(name: str) -> str:
    return name if name.isidentifier() else "function"


def _tree(function: ir.Function, name: str) -> ir.Operand:
    if name.endswith("]"):  # one of the starred arguments
        starred, position = name[:-1].split("[")
        packed = _tree(function, starred)
        assert isinstance(packed, ir.Pack)
        if int(position) >= len(packed.items):
            raise ArgumentError(f"argnums selects `{name}`, which is not given")
        return packed.items[int(position)]
    for param in function.params:
        if param.name == name:
            return param.tree
    raise ArgumentError(f"`{function.name}` has no argument `{name}`")


def _positions(operand: ir.Operand) -> Iterable[ir.Operand]:
    if isinstance(operand, ir.Pack):
        for item in operand.items:
            yield from _positions(item)
    else:
        yield operand


def _cotangent(var: ir.Var) -> ir.Operand:
    if not is_inexact(var.type):
        return ir.Var(adjoint_name(var.name or "out"), Opaque(object))
    return ir.Var(adjoint_name(var.name or "out"), _plain(var))


def _plain(var: ir.Var) -> Type:
    if isinstance(var.type, Array):
        return Array(var.type.dtype, var.type.dims, False)
    return var.type


def _return_span(primal: Primal, function: ir.Function) -> ir.Span:
    """The place of the last `return` of the user's function."""
    returns = [
        node
        for statement in primal.source.node.body
        for node in _own_nodes(statement)
        if isinstance(node, ast.Return)
    ]
    if not returns:
        return function.span
    return span_of(max(returns, key=lambda node: node.lineno), primal.source.filename)


def _own_nodes(node: ast.AST) -> Iterator[ast.AST]:
    yield node
    if not isinstance(node, (ast.FunctionDef, ast.Lambda)):
        for child in ast.iter_child_nodes(node):
            yield from _own_nodes(child)


def _may_be_none(function: ir.Function, result: ir.Operand) -> bool:
    """Whether some path through the function returns None."""
    made = {
        target: op
        for op in ir.walk(function.body)
        if isinstance(op, ir.If)
        for target in op.targets
    }

    def look(operand: ir.Operand) -> bool:
        if isinstance(operand, ir.Const):
            return operand.value is None
        op = made.get(operand) if isinstance(operand, ir.Var) else None
        if op is None:
            return False
        position = op.targets.index(operand)
        return any(look(block.results[position]) for block in (op.then, op.orelse))

    return look(result)


def _check_scalar(
    function: ir.Function, result: ir.Operand, span: ir.Span, holomorphic: bool
) -> None:
    hint = (
        "use `jacobian` for all derivatives of the result, or `vjp` for a weighted sum"
    )

    def refuse(message: str, hint: str = hint) -> ArgumentError:
        name = "the function" if function.name == "function" else f"`{function.name}`"
        return ArgumentError(render(f"{name} {message}", span, hint))

    last = function.body.ops[-1] if function.body.ops else None
    if isinstance(last, ir.Effect) and last.kind == "raise":
        raise refuse("never returns: it raises an exception", "return a number")
    if _may_be_none(function, result):
        raise refuse(
            "returns None on some path, and a gradient needs a scalar",
            "return a number, or raise an exception, at the end of every path",
        )
    if isinstance(result, ir.Const):
        if isinstance(result.value, (float, int, np.floating)) and not isinstance(
            result.value, bool
        ):
            return
        raise refuse(f"returns {result.value!r}, and a gradient needs a scalar")
    if isinstance(result, ir.Pack):
        raise refuse(
            "returns several values, and a gradient needs one scalar",
            f"{hint}, or has_aux=True for values that are only passed on",
        )
    kind = result.type if isinstance(result, ir.Var) else None
    if isinstance(kind, Array) and kind.ndim:
        shape = "array" if kind.ndim == 1 else f"array of {kind.ndim} dimensions"
        raise refuse(f"returns an {shape}, and a gradient needs a scalar")
    is_complex = isinstance(kind, (Scalar, Array)) and np.dtype(kind.dtype).kind == "c"
    if is_complex and not holomorphic:
        raise refuse(
            "returns a complex number, and a gradient needs a real scalar",
            "return its real part or absolute value, or pass holomorphic=True for the "
            "complex derivative",
        )
    if holomorphic and not is_complex:
        raise refuse(
            "returns a real number, and holomorphic=True needs a complex one",
            "leave holomorphic=True out",
        )
    if isinstance(kind, (Scalar, Array)) and kind.dtype == "bool":
        raise refuse(
            "returns a boolean, which has no derivative",
            "return a number, or use has_aux=True for values that are only passed on",
        )
    if isinstance(kind, (Opaque, ListOf)):
        raise refuse("does not return a number, and a gradient needs a scalar")


def _pullback(
    function: ir.Function,
    sweeps: Sweeps,
    gradients: list[ir.Operand],
    result: ir.Operand,
    aux: ir.Operand | None,
    d_result: ir.Operand,
) -> Derivative:
    """Two functions: one forward, and one backward that may be called many times."""
    returned = ir.Pack(tuple(gradients))
    backward = ir.Block(sweeps.backward, (returned,))
    cotangents = set(ir.leaves(d_result))
    residuals = tuple(var for var in ir.free_vars(backward) if var not in cotangents)
    # A tape is used up by the reverse sweep: each call works on its own copy.
    renamed = {
        tape: ir.Var(tape.name, tape.type) for tape in residuals if tape in sweeps.tapes
    }
    copies = tuple(
        ir.Apply(function.span, (fresh,), list, (tape,))
        for tape, fresh in renamed.items()
    )
    swapped = ir.rebuild_block(backward, lambda var: renamed.get(var, var))
    block = ir.Block((*copies, *swapped.ops), swapped.results)
    block = thread(block, set(renamed.values()))
    forward_ops = always_defined(sweeps.forward, residuals)
    returned = ir.Pack((result, ir.Pack(residuals), *(() if aux is None else (aux,))))
    forward_block = ir.Block(forward_ops, (returned,))
    forward_block = thread(forward_block, set(sweeps.tapes))
    name = _identifier(function.name)
    pull = ir.Function(
        f"{name}_pullback",
        (ir.Param("residuals", ir.Pack(residuals)), ir.Param("d_out", d_result)),
        block,
        function.span,
        f"Cotangents of the arguments of {function.name}.",
    )
    forward = ir.Function(
        f"{name}_forward",
        function.params,
        forward_block,
        function.span,
        f"Result of {function.name}, and what its pullback needs.",
    )
    return Derivative(
        ir.Module((_renewed(pull, residuals), forward)), sweeps.stored, pull.name
    )


def _renewed(pull: ir.Function, residuals: tuple[ir.Var, ...]) -> ir.Function:
    """The function with residuals of its own: no variable is in two functions."""
    fresh = {var: ir.Var(var.name, var.type) for var in residuals}
    given, *others = pull.params
    packed = ir.Var("residuals", Opaque(tuple))
    body = ir.rebuild_block(pull.body, lambda var: fresh.get(var, var))
    opening: tuple[ir.Operation, ...] = ()
    if len(residuals) > 1:
        opening = (ir.Apply(pull.span, tuple(fresh.values()), unpack, (packed,)),)
    elif residuals:
        (only,) = fresh.values()
        opening = (ir.Load(pull.span, only, packed, (ir.Index(ir.Const(0)),)),)
    return replace(
        pull,
        params=(ir.Param(given.name, packed), *others),
        body=ir.Block((*opening, *body.ops), body.results),
    )


def forward_derivative(
    primal: Primal,
    function: ir.Function,
    wrt: tuple[str, ...],
    has_aux: bool = False,
    helpers: tuple[ir.Function, ...] = (),
) -> Derivative:
    """The Jacobian-vector product: results and tangents, computed side by side."""
    result, aux = _result_and_aux(primal, function, has_aux)
    trees = [_tree(function, name) for name in wrt]
    tangents = [ir.rebuild(tree, _tangent) for tree in trees]
    seeds: dict[ir.Var, ir.Operand] = {}
    for tree, tangent in zip(trees, tangents, strict=True):
        for leaf, d_leaf in zip(ir.leaves(tree), ir.leaves(tangent), strict=True):
            if is_inexact(leaf.type):
                seeds[leaf] = d_leaf
    refuse_lost_derivatives(function.body, seeds, ir.leaves(result))
    calls = _derivatives_of_helpers(primal, helpers, function, "jvp")
    body, d_result = forward_body(
        function.body, seeds, result, primal.shares, calls.tangent
    )
    # The function may have a `d_x` of its own: it can be a derivative itself.
    names = Names(param.name for param in function.params)
    params = (
        *function.params,
        *(
            ir.Param(names.fresh(adjoint_name(name)), tangent)
            for name, tangent in zip(wrt, tangents, strict=True)
        ),
    )
    made = ir.Function(
        f"{_identifier(function.name)}_jvp",
        params,
        ir.Block(
            body, (ir.Pack((result, d_result, *(() if aux is None else (aux,)))),)
        ),
        function.span,
        f"Value and Jacobian-vector product of {function.name}.",
    )
    return _with_helpers(Derivative(ir.Module((made,))), calls)


def _tangent(var: ir.Var) -> ir.Operand:
    return ir.Var(adjoint_name(var.name or "tangent"), _plain(var))
