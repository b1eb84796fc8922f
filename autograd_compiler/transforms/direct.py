"""A Jacobian by calls of the compiled pullback or tangent, one for each unit vector.

A Jacobian is a program around generated code (see `jacobian`), and that code must be in
the language to be read again.  Of some functions it is not, although it runs: what it
keeps for the reverse sweep may be aliased in a way that cannot be followed twice.  Here
nothing is read again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from autograd_compiler import tree
from autograd_compiler.specialise import selected
from autograd_compiler.transforms.base import specialiser_of
from autograd_compiler.transforms.products import pullback_at, tangent_at
from autograd_compiler.transforms.results import copied, like

Values = Mapping[str, Any]


def rows(
    fun: Any,
    wrt: tuple[str, ...],
    alone: bool,
    has_aux: bool,
    values: Values,
    check: Callable[[Any], None],
) -> tuple[Any, list[Any]]:
    """The Jacobian in reverse mode, and aux; `check` refuses leaves of the result."""
    specialiser = specialiser_of(fun, "pullback", has_aux=has_aux)
    out, pullback, aux = pullback_at(specialiser, wrt, dict(values))
    arguments = tuple(selected(values, name) for name in wrt)

    def block(number: int) -> Any:
        made = _stacked(out, number, arguments, pullback, axis=0)
        return made[0] if alone else made

    leaves, structure = tree.flatten(out)
    for leaf in leaves:
        check(leaf)
    return tree.unflatten(structure, [block(k) for k in range(len(leaves))]), aux


def columns(
    fun: Any,
    wrt: tuple[str, ...],
    alone: bool,
    has_aux: bool,
    values: Values,
    check: Callable[[Any], None],
) -> tuple[Any, list[Any]]:
    """The Jacobian in forward mode, and aux."""
    specialiser = specialiser_of(fun, "jvp", has_aux=has_aux, backend="python")
    by_argument: list[list[Any]] = []  # for each argument, one block per leaf of out
    aux: list[Any] = []
    structure = tree.LEAF
    for name in wrt:
        argument = selected(values, name)

        def along(seed: Any, name: str = name) -> Any:
            given = [like(seed, selected(values, name), "tangent")]
            return tangent_at(specialiser, (name,), copied(dict(values)), given)

        zero = tree.map_leaves(np.zeros_like, argument)
        out, _, aux = along(zero)
        outputs, structure = tree.flatten(out)
        for leaf in outputs:
            check(leaf)
        blocks: list[list[Any]] = [[] for _ in outputs]
        leaves, inner = tree.flatten(argument)
        for number in range(len(leaves)):
            parts = _stacked(
                argument,
                number,
                tuple(outputs),
                lambda seed: _leaves(along(seed)[1]),
                -1,
            )
            for found, part in zip(blocks, parts, strict=True):
                found.append(part)
        by_argument.append([tree.unflatten(inner, found) for found in blocks])
    made = [
        column[0] if alone else tuple(column)
        for column in zip(*by_argument, strict=True)
    ]
    return tree.unflatten(structure, made), aux


def _leaves(value: Any) -> tuple[Any, ...]:
    return tuple(tree.flatten(value)[0])


def _stacked(
    model: Any,
    number: int,
    others: tuple[Any, ...],
    product: Callable[[Any], Any],
    axis: int,
) -> Any:
    """The products with unit vectors of one leaf, in the form of `others`."""
    leaves, structure = tree.flatten(model)
    leaf = np.asarray(leaves[number])
    found, form = tree.flatten(others)
    made = [
        np.empty((leaf.size, *np.shape(item)), np.asarray(item).dtype) for item in found
    ]
    zeros = [np.zeros_like(item) for item in leaves]
    for position in range(leaf.size):
        seed = np.zeros(leaf.size, leaf.dtype)
        seed[position] = 1.0
        given = [*zeros]
        given[number] = seed.reshape(leaf.shape)
        parts = tree.flatten(product(tree.unflatten(structure, given)))[0]
        for block, part in zip(made, parts, strict=True):
            block[position] = part
    shaped = []
    for block, item in zip(made, found, strict=True):
        if axis:
            block = np.moveaxis(block, 0, -1)
            shape = (*np.shape(item), *leaf.shape)
        else:
            shape = (*leaf.shape, *np.shape(item))
        shaped.append(np.ascontiguousarray(block).reshape(shape)[()])
    return tree.unflatten(form, shaped)
