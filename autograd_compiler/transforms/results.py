"""What goes into compiled derivatives and comes out: checked, and the caller's own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from autograd_compiler import tree
from autograd_compiler.contract import items_of, owned, plain_value, rebuilt
from autograd_compiler.errors import ArgumentError
from autograd_compiler.specialise import Specialiser, selected


def check_holomorphic(
    specialiser: Specialiser, wrt: tuple[str, ...], values: Mapping[str, Any]
) -> None:
    """Refuse selected arguments that are not complex."""
    for name in wrt:

        def check(path: tree.Path, leaf: Any, name: str = name) -> Any:
            if np.asarray(leaf).dtype.kind != "c":
                raise ArgumentError(
                    f"{specialiser.name}: holomorphic=True needs complex arguments, "
                    f"and `{tree.path_text(path, name)}` is real; convert it with "
                    "complex(x) or x.astype(complex)"
                )
            return leaf

        tree.map_with_path(check, selected(values, name))


def copied(value: Any) -> Any:
    """The value with a copy of every array in it."""
    return tree.map_leaves(
        lambda leaf: leaf.copy() if isinstance(leaf, np.ndarray) else leaf, value
    )


def detached(value: Any, others: list[np.ndarray[Any, Any]]) -> Any:
    """The value with copies of the arrays that share memory with others."""
    if isinstance(value, np.ndarray):
        shared = any(np.may_share_memory(value, other) for other in others)
        return value.copy() if shared else value
    if type(value) in (tuple, list):
        return type(value)(detached(item, others) for item in value)
    if type(value) is dict:
        return {key: detached(item, others) for key, item in value.items()}
    return value


def like(given: Any, model: Any, what: str) -> Any:
    """A tangent or cotangent, checked against the value that it belongs to."""
    leaves, structure = tree.flatten(model)
    if structure == tree.LEAF:
        return _leaf_like(given, model, what)
    found, form = tree.flatten(given)
    if form != structure:
        raise ArgumentError(
            f"the {what} must have the structure of the value it belongs to: "
            f"{tree.outline(model)} is needed and {tree.outline(given)} is given"
        )
    return tree.unflatten(
        structure,
        [
            _leaf_like(item, leaf, what)
            for item, leaf in zip(found, leaves, strict=True)
        ],
    )


def _leaf_like(given: Any, model: Any, what: str) -> Any:
    if isinstance(model, np.ndarray) and model.dtype.kind in "fc":
        array = np.asarray(
            given, dtype=np.result_type(model.dtype, np.asarray(given).dtype)
        )
        if array.shape != model.shape:
            raise ArgumentError(
                f"the {what} must have shape {model.shape}, and {array.shape} is given"
            )
        return (
            array.astype(model.dtype, copy=False) if array.dtype.kind != "c" else array
        )
    if isinstance(model, (float, complex, np.inexact)):
        if np.ndim(given) == 0:
            return given if not isinstance(given, np.ndarray) else given[()]
        raise ArgumentError(
            f"the {what} of a number must be a number, and has shape {np.shape(given)}"
        )
    return given


def tangent_like(tangent: Any, out: Any) -> Any:
    """A tangent in the form of the result: its shape and dtype, in memory of its own."""
    if tree.structure_of(out) == tree.LEAF:
        if isinstance(out, np.ndarray) and out.dtype.kind in "fc":
            return (
                owned(0.0 if tangent is None else tangent, out)
                if out.ndim
                else (np.asarray(tangent)[()])
            )
        if isinstance(out, (float, np.floating)):
            zero = 0.0 if tangent is None else tangent
            return (
                type(out)(zero) if isinstance(out, np.floating) else plain_value(zero)
            )
        return tangent
    parts, items = items_of(tangent), items_of(out)
    return rebuilt(out, {key: tangent_like(parts[key], items[key]) for key in items})
