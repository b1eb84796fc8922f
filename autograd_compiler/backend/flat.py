"""Functions of leaves: what Numba takes instead of functions of containers.

Nopython code takes no dictionaries of arrays, lists of different types or dataclass
instances.  A container whose structure is known is passed leaf by leaf and put together
again on the way out; inside of a function nothing changes, because the parts of a
`Pack` are variables there already.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from autograd_compiler import ir
from autograd_compiler.errors import BackendError
from autograd_compiler.tree import LEAF, Structure, unflatten
from autograd_compiler.types import Array, Opaque, Scalar, Type


@dataclass(frozen=True, eq=False)
class Recipe:
    """How to call a flat function as the function of containers that it was."""

    params: tuple[ir.Operand, ...]
    result: ir.Operand

    def arguments(self, args: Sequence[Any]) -> list[Any]:
        """The leaves of the arguments, in the order of the flat parameters."""
        leaves: list[Any] = []
        for tree, value in zip(self.params, args, strict=True):
            _collect(tree, value, leaves)
        return leaves

    def rebuild(self, result: Any) -> Any:
        """The result as the function of containers gives it.

        Numbers get their NumPy type back: compiled code returns Python's.
        """
        parts = list(result) if isinstance(self.result, ir.Pack) else [result]
        leaves = list(map(_as_type, _leaves(self.result), parts))
        return unflatten(_structure(self.result), leaves)

    def wrap(self, flat: Callable[..., Any]) -> Callable[..., Any]:
        """The flat function with containers in and out."""
        finish = self._finisher()
        if all(isinstance(tree, ir.Var) for tree in self.params):
            if finish is None:
                return flat

            def with_leaves(*args: Any) -> Any:
                return finish(flat(*args))

            return with_leaves
        rebuild = finish or (lambda result: result)

        def with_containers(*args: Any) -> Any:
            return rebuild(flat(*self.arguments(args)))

        return with_containers

    def _finisher(self) -> Callable[[Any], Any] | None:
        """What is to be done with a result; None if it is as it should be."""
        if any(_needs_type(leaf) for leaf in _leaves(self.result)):
            return self.rebuild
        if (
            not isinstance(self.result, ir.Pack)
            or self.result.form.kind == "tuple"
            and (not any(isinstance(item, ir.Pack) for item in self.result.items))
        ):
            return None
        return self.rebuild


def flat_signature(function: ir.Function) -> tuple[ir.Function, Recipe]:
    """The function with one parameter per leaf and a tuple of leaves as its result.

    Parts that are known when compiling, such as a function that is passed, are no
    parameters at all.

    Examples
    --------
    `def f(params): return {"W": …}` with `params["W"]` and `params["b"]` becomes
    `def f(params_W, params_b): return (…,)`.
    """
    result, *_ = function.body.results or (ir.Const(None),)
    read = set(ir.block_uses(function.body))

    def passed(var: ir.Var) -> ir.Operand:
        return (
            var if var in read or not isinstance(var.type, Opaque) else ir.Const(None)
        )

    trees = tuple(ir.rebuild(param.tree, passed) for param in function.params)
    recipe = Recipe(trees, result)
    changed: dict[ir.Var, ir.Operand] = {}
    params: list[ir.Param] = []
    taken = {param.name for param in function.params if isinstance(param.tree, ir.Var)}
    for param, tree in zip(function.params, trees, strict=True):
        if isinstance(tree, ir.Var):
            params.append(param)
            continue
        for path, leaf in _named_leaves(tree, param.name):
            if isinstance(leaf, ir.Var):
                var = ir.Var(_unused(path, taken), leaf.type)
                changed[leaf] = var
                params.append(ir.Param(var.name, var))
    body = ir.rebuild_block(function.body, lambda var: changed.get(var, var))
    if isinstance(result, ir.Pack):
        leaves = tuple(_leaves(body.results[0]))
        body = ir.Block(body.ops, (ir.Pack(leaves), *body.results[1:]))
    return replace(function, params=tuple(params), body=body), recipe


def flat_module(module: ir.Module) -> tuple[ir.Module, Recipe]:
    """The module with all functions flat, and the recipe of its entry.

    Calls inside of the module pass leaves, too.
    """
    flat = {function.name: flat_signature(function) for function in module.functions}
    functions = tuple(
        replace(function, body=_flat_calls(function.body, flat))
        for function, _ in flat.values()
    )
    return ir.Module(functions), flat[module.entry.name][1]


def _flat_calls(
    block: ir.Block, flat: dict[str, tuple[ir.Function, Recipe]]
) -> ir.Block:
    def calls(block: ir.Block) -> ir.Block:
        return ir.Block(tuple(map(one, block.ops)), block.results)

    def one(op: ir.Operation) -> ir.Operation:
        op = ir.rebuild_op(op, lambda var: var, calls)
        if not isinstance(op, ir.Call) or op.function not in flat:
            return op
        recipe = flat[op.function][1]
        args: list[ir.Operand] = []
        for tree, arg in zip(recipe.params, op.args, strict=True):
            args.extend(_matching(op, tree, arg))
        result = recipe.result
        if isinstance(result, ir.Pack) and any(
            isinstance(item, ir.Pack) for item in result.items
        ):
            raise BackendError(
                "Numba cannot compile a call that returns containers in containers",
                op.span,
                'use backend="python" for this function',
            )
        return replace(op, args=tuple(args))

    return calls(block)


def _matching(op: ir.Call, tree: ir.Operand, arg: ir.Operand) -> tuple[ir.Operand, ...]:
    """The leaves of an argument for the leaves of a parameter."""
    if not isinstance(tree, ir.Pack):
        return (arg,) if isinstance(tree, ir.Var) else ()
    if not isinstance(arg, ir.Pack) or len(arg.items) != len(tree.items):
        raise BackendError(
            "Numba cannot compile a call with a container of unknown structure",
            op.span,
            'use backend="python" for this function',
        )
    found: list[ir.Operand] = []
    for inner, item in zip(tree.items, arg.items, strict=True):
        found.extend(_matching(op, inner, item))
    return tuple(found)


# ---------------------------------------------------------------- trees of operands


def _leaves(operand: ir.Operand) -> list[ir.Operand]:
    if isinstance(operand, ir.Pack):
        return [leaf for item in operand.items for leaf in _leaves(item)]
    return [operand]


def _named_leaves(operand: ir.Operand, name: str) -> list[tuple[str, ir.Operand]]:
    if not isinstance(operand, ir.Pack):
        return [(name, operand)]
    keys = operand.form.keys or range(len(operand.items))
    return [
        found
        for key, item in zip(keys, operand.items, strict=True)
        for found in _named_leaves(item, f"{name}_{key}")
    ]


def _unused(path: str, taken: set[str]) -> str:
    name = candidate = re.sub(r"\W", "_", path)
    number = 1
    while candidate in taken:
        number += 1
        candidate = f"{name}_{number}"
    taken.add(candidate)
    return candidate


def _structure(operand: ir.Operand) -> Structure:
    if not isinstance(operand, ir.Pack):
        return LEAF
    form = operand.form
    classes = {"tuple": tuple, "list": list, "dict": dict}
    return Structure(
        form.kind,
        tuple(map(_structure, operand.items)),
        form.keys,
        form.cls or classes.get(form.kind),
    )


def _collect(tree: ir.Operand, value: Any, leaves: list[Any]) -> None:
    """The leaves that are variables; what is known when compiling is not passed."""
    if not isinstance(tree, ir.Pack):
        if isinstance(tree, ir.Var):
            leaves.append(value)
        return
    form = tree.form
    if form.kind == "record":
        parts = [getattr(value, key) for key in form.keys]
    elif form.kind == "dict":
        parts = [value[key] for key in form.keys]
    else:
        parts = value
    for item, part in zip(tree.items, parts, strict=True):
        _collect(item, part, leaves)


def _needs_type(operand: ir.Operand) -> bool:
    """Whether compiled code gives a Python number for a NumPy one."""
    return isinstance(operand, ir.Var) and not _is_plain(operand.type)


def _is_plain(kind: Type) -> bool:
    return isinstance(kind, Array) or (isinstance(kind, Scalar) and kind.weak)


def _as_type(operand: ir.Operand, value: Any) -> Any:
    if not isinstance(operand, ir.Var) or isinstance(value, np.ndarray):
        return value
    match operand.type:
        case Scalar(dtype, weak=False):
            return np.dtype(dtype).type(value)
    return value
