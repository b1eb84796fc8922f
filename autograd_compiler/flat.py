"""`flatten`: a container of floats as one flat array, and back.

Optimisers, samplers and solvers know one array; models have parameters with names.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from autograd_compiler import ir, nested, tree
from autograd_compiler.errors import ArgumentError
from autograd_compiler.frontend import calls
from autograd_compiler.operands import type_of_operand
from autograd_compiler.types import Array

FlatArray = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True)
class Leaf:
    """One number or array of a container: where it stands, and what it must become.

    `cls` is the type of a number, and None for an array.
    """

    path: str
    name: str
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    cls: type | None

    @property
    def size(self) -> int:
        return math.prod(self.shape)

    def made(self, part: FlatArray) -> Any:
        """The leaf with these numbers."""
        if part.dtype.kind == "c" and self.dtype.kind != "c":
            if part.imag.any():
                raise ArgumentError(
                    f"the array is complex where `tree{self.path}` is real; "
                    "take the real part of it"
                )
            part = part.real
        if self.cls is not None:
            return self.cls(part[0])
        return np.array(part, self.dtype).reshape(self.shape)


@dataclass(frozen=True)
class Unflatten:
    """Gives flat arrays the structure of the container that was flattened.

    Made by `flatten`.  It may be called in functions that are differentiated.

    Attributes
    ----------
    structure : Structure
        The container without its leaves.
    leaves : tuple of Leaf
        The numbers and arrays in it, in the order of the flat array.
    dtype : numpy.dtype
        That of the flat array.
    """

    structure: tree.Structure
    leaves: tuple[Leaf, ...]
    dtype: np.dtype[Any]

    @property
    def size(self) -> int:
        """How many numbers the flat array has."""
        return sum(leaf.size for leaf in self.leaves)

    @property
    def names(self) -> list[str]:
        """A name for each number of the flat array: `w[0, 1]`, `scale`."""
        return [
            leaf.name + (str(list(index)) if index else "")
            for leaf in self.leaves
            for index in np.ndindex(leaf.shape)
        ]

    def __call__(self, flat: Any) -> Any:
        """The container with the numbers of a flat array, in memory of its own."""
        array = np.asarray(flat)
        if array.shape != (self.size,):
            raise ArgumentError(
                f"unflatten takes an array of shape ({self.size},), "
                f"and its shape is {array.shape}"
            )
        if array.dtype.kind not in "biufc":
            raise ArgumentError(f"unflatten takes numbers, not {array.dtype}")
        parts = []
        start = 0
        for leaf in self.leaves:
            stop = start + leaf.size
            parts.append(leaf.made(array[start:stop]))
            start = stop
        return tree.unflatten(self.structure, parts)

    def flatten(self, container: Any) -> FlatArray:
        """The flat array of another container of the same structure and shapes."""
        found, structure = tree.flatten(container)
        if structure != self.structure:
            model = tree.outline(
                tree.unflatten(self.structure, [0.0] * len(self.leaves))
            )
            raise ArgumentError(
                f"the containers differ: {model} was flattened, and "
                f"{tree.outline(container)} is given"
            )
        flat = np.empty(self.size, self.dtype)
        start = 0
        for leaf, value in zip(self.leaves, found, strict=True):
            shape, kind = np.shape(value), np.asarray(value).dtype.kind
            if shape != leaf.shape or kind not in "iufc":
                what = f"has shape {shape}" if kind in "iufc" else f"is {value!r}"
                raise ArgumentError(
                    f"`tree{leaf.path}` had shape {leaf.shape} when it was flattened, "
                    f"and now {what}"
                )
            if kind == "c" and self.dtype.kind != "c":
                raise ArgumentError(
                    f"`tree{leaf.path}` is complex, and it was real when it was flattened"
                )
            flat[start : start + leaf.size] = np.ravel(value)
            start += leaf.size
        return flat

    def __autograd_compiler_call__(
        self, low: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any], node: Any
    ) -> Any:
        """In a program that is being lowered: slices, put together again."""
        if kwargs or len(args) != 1:
            raise low.refuse(node, "this call of `unflatten`", "write `unflatten(x)`")
        flat = low.operand(args[0], node)
        kind = type_of_operand(flat)
        if not isinstance(kind, Array) or kind.ndim != 1:
            raise low.refuse(
                node, "`unflatten` of what is not an array of one dimension"
            )
        text = self._text(kind.dtype)
        taken: Any = calls.call(low, ir.Const(text), (flat,), {}, node)
        return _together(low, self.structure, iter(taken.items))

    def _text(self, dtype: str | None) -> Any:
        """The leaves in the language that is differentiated."""
        parts = []
        start = 0
        for leaf in self.leaves:
            same = dtype == leaf.dtype.name
            cast = "" if same else f".astype(np.{leaf.dtype.name})"
            if leaf.cls is not None:
                parts.append(f"flat[{start}]{cast}")
            else:
                shaped = f".reshape({leaf.shape})" if len(leaf.shape) != 1 else ""
                stop = start + leaf.size
                parts.append(f"flat[{start}:{stop}]{shaped}{cast or '.copy()'}")
            start += leaf.size
        message = f"unflatten takes an array of shape ({start},)"
        return nested.defined(
            "unflatten",
            "def unflatten(flat):\n"
            f"    assert flat.size == {start}, {message!r}\n"
            f"    return ({', '.join(parts)},)\n",
        )


def flatten(container: Any) -> tuple[FlatArray, Unflatten]:
    """The numbers of a container in one array, and the function that puts them back.

    Parameters
    ----------
    container
        Floats and arrays of floats (complex ones too), alone or in tuples, lists,
        dicts, named tuples and dataclasses.

    Returns
    -------
    flat : ndarray
        A new array of one dimension, of the dtype that holds all leaves.
    unflatten : Unflatten
        `unflatten(flat)` has the structure, shapes and dtypes of the container.
        `unflatten.flatten(other)` is the flat array of a container that is like it, a
        gradient for example.

    Raises
    ------
    ArgumentError
        If a leaf is not of floats; from `unflatten`, if the array has another size.

    Examples
    --------
    >>> import numpy as np
    >>> flat, unflatten = flatten({"w": np.array([1.0, 2.0]), "b": 0.5})
    >>> flat
    array([1. , 2. , 0.5])
    >>> unflatten(10.0 * flat)
    {'w': array([10., 20.]), 'b': 5.0}
    """
    values, structure = tree.flatten(container)
    leaves = tuple(map(_leaf, tree.leaf_paths(structure), values))
    dtype = (
        np.result_type(*[leaf.dtype for leaf in leaves]) if leaves else np.dtype("f8")
    )
    unflatten = Unflatten(structure, leaves, dtype)
    return unflatten.flatten(container), unflatten


def _leaf(path: tree.Path, value: Any) -> Leaf:
    array = np.asarray(value)
    text = tree.path_text(path)
    if array.dtype.kind not in "fc":
        what = type(value).__name__
        hint = ""
        if array.dtype.kind in "iu":
            number = not isinstance(value, np.ndarray)
            hint = (
                f": write `{value}.0`" if number else ": convert it, `x.astype(float)`"
            )
            what = f"of {array.dtype}" if not number else what
        raise ArgumentError(f"flatten takes floats, and `tree{text}` is {what}{hint}")
    is_array = isinstance(value, np.ndarray)
    return Leaf(
        text, _name(path), array.shape, array.dtype, None if is_array else type(value)
    )


def _name(path: tree.Path) -> str:
    """How a leaf is called without its container, which is `x` if it must have a name."""
    if path and str(path[0].key).isidentifier():
        return tree.path_text(path[1:], str(path[0].key))
    return tree.path_text(path, "x")


def _together(low: Any, structure: tree.Structure, leaves: Iterator[Any]) -> Any:
    """A container in a program that is being lowered."""
    if structure.kind == "leaf":
        return next(leaves)
    parts = tuple(_together(low, child, leaves) for child in structure.children)
    cls = structure.cls if structure.kind == "record" else None
    form = ir.Form(structure.kind, structure.keys, cls)
    if structure.kind in ("list", "dict"):
        return low.new_ref(form, parts)
    return ir.Pack(parts, form)
