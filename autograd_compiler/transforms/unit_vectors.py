"""The loops over unit vectors that make Jacobians of pullbacks and tangents.

Their text is written for the shapes at hand, in the language that the compiler reads,
and lowered into the program like any other helper.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from math import prod
from typing import Any

import numpy as np

from autograd_compiler import ir, nested
from autograd_compiler.frontend import calls
from autograd_compiler.nested import positions
from autograd_compiler.operands import type_of_operand
from autograd_compiler.specialise import Specialised
from autograd_compiler.types import Array, Scalar


@dataclass(frozen=True)
class Kind:
    """What the text of a loop depends on."""

    ndim: int
    dtype: str

    def shape(self, name: str) -> list[str]:
        if self.ndim == 1:
            return [f"{name}.size"]
        return [f"{name}.shape[{axis}]" for axis in range(self.ndim)]

    def allocate(self, shape: list[str]) -> str:
        dtype = "" if self.dtype == "float64" else f", dtype=np.{self.dtype}"
        return f"np.empty({_tuple(shape)}{dtype})"

    def seed(self, name: str, index: str) -> list[str]:
        """A unit vector, in the shape of the array of that name."""
        dtype = "" if self.dtype == "float64" else f", dtype=np.{self.dtype}"
        return [
            f"        seed = np.zeros({name}.size{dtype})",
            f"        seed[{index}] = 1.0",
        ]

    def shaped(self, name: str) -> str:
        return "seed" if self.ndim == 1 else f"seed.reshape({_tuple(self.shape(name))})"


def _tuple(items: list[str]) -> str:
    return f"({items[0]},)" if len(items) == 1 else f"({', '.join(items)})"


@lru_cache(maxsize=256)
def rows_text(out: Kind, inputs: tuple[Kind, ...]) -> Callable[..., Any]:
    """The loop over the elements of a result: one pullback for each.

    >>> import inspect
    >>> print(inspect.getsource(rows_text(Kind(1, "float64"), (Kind(1, "float64"),))))
    def rows(pullback, out, x):
        jac = np.empty((out.size, x.size))
        for i in range(out.size):
            seed = np.zeros(out.size)
            seed[i] = 1.0
            (jac[i],) = pullback(seed)
        return (jac,)
    <BLANKLINE>
    """
    names = _numbered("x", inputs)
    jacs = _numbered("jac", inputs)
    lines = [f"def rows(pullback, out, {', '.join(names)}):"]
    for jac, x, kind in zip(jacs, names, inputs, strict=True):
        lines.append(f"    {jac} = {kind.allocate(['out.size', *kind.shape(x)])}")
    lines.append("    for i in range(out.size):")
    lines += out.seed("out", "i")
    parts = _tuple([f"{jac}[i]" for jac in jacs])
    lines.append(f"        {parts} = pullback({out.shaped('out')})")
    results = [
        (
            jac
            if out.ndim == 1
            else f"{jac}.reshape({_tuple(out.shape('out') + kind.shape(x))})"
        )
        for jac, x, kind in zip(jacs, names, inputs, strict=True)
    ]
    lines.append(f"    return {_tuple(results)}")
    made: Callable[..., Any] = nested.defined("rows", "\n".join(lines) + "\n")
    return made


@lru_cache(maxsize=256)
def columns_text(x: Kind, outputs: tuple[Kind, ...]) -> Callable[..., Any]:
    """The loop over the elements of an argument: one tangent for each.

    >>> import inspect
    >>> print(inspect.getsource(columns_text(Kind(1, "float64"), (Kind(1, "float64"),))))
    def columns(tangent, x, out):
        jac = np.empty((out.size, x.size))
        for j in range(x.size):
            seed = np.zeros(x.size)
            seed[j] = 1.0
            (jac[:, j],) = tangent(seed)
        return (jac,)
    <BLANKLINE>
    """
    names = _numbered("out", outputs)
    jacs = _numbered("jac", outputs)
    lines = [f"def columns(tangent, x, {', '.join(names)}):"]
    for jac, out, kind in zip(jacs, names, outputs, strict=True):
        lines.append(f"    {jac} = {kind.allocate([*kind.shape(out), 'x.size'])}")
    lines.append("    for j in range(x.size):")
    lines += x.seed("x", "j")
    parts = [
        f"{jac}[{':, ' * kind.ndim}j]" for jac, kind in zip(jacs, outputs, strict=True)
    ]
    lines.append(f"        {_tuple(parts)} = tangent({x.shaped('x')})")
    results = [
        (
            jac
            if x.ndim == 1
            else f"{jac}.reshape({_tuple(kind.shape(out) + x.shape('x'))})"
        )
        for jac, out, kind in zip(jacs, names, outputs, strict=True)
    ]
    lines.append(f"    return {_tuple(results)}")
    made: Callable[..., Any] = nested.defined("columns", "\n".join(lines) + "\n")
    return made


def looped(low: Any, template: Any, given: Any, node: Any) -> tuple[Any, ...]:
    result = calls.call(low, ir.Const(template), given, {}, node)
    assert isinstance(result, ir.Pack)
    return result.items


def _numbered(name: str, items: tuple[Any, ...]) -> list[str]:
    if len(items) == 1:
        return [name]
    return [f"{name}_{number}" for number in range(len(items))]


@dataclass(eq=False)
class Row:
    """The pullback of one leaf of a result: a tuple of the leaves of the arguments."""

    pullback: nested.Pullback
    out: ir.Operand
    number: int

    def __autograd_compiler_call__(
        self, low: Any, args: Any, kwargs: Any, node: Any
    ) -> Any:
        cotangent = _one_of(low, self.out, self.number, args[0], node)
        adjoints = self.pullback.adjoints(low, cotangent, node, inline=True)
        return ir.Pack(tuple(positions(low.operand(adjoints, node))))

    def own(self, low: Any, cotangent: Any, node: Any) -> tuple[Any, ...]:
        """The adjoints in memory of their own, and in the shapes of the arguments."""
        cotangent = _one_of(low, self.out, self.number, cotangent, node)
        found = calls.call(low, ir.Const(self.pullback), (cotangent,), {}, node)
        return tuple(positions(low.operand(found, node)))


@dataclass(eq=False)
class Column:
    """The tangent along one leaf of an argument: a tuple of the leaves of the result."""

    along: Callable[[Any, Any, Any], Any]
    argument: ir.Operand
    number: int

    def __autograd_compiler_call__(
        self, low: Any, args: Any, kwargs: Any, node: Any
    ) -> Any:
        seed = _one_of(low, self.argument, self.number, args[0], node)
        return ir.Pack(tuple(positions(low.operand(self.along(low, seed, node), node))))

    def own(
        self, low: Any, seed: Any, outputs: list[ir.Operand], node: Any
    ) -> tuple[Any, ...]:
        """The tangents in memory of their own, and in the shapes of the results."""
        found = self.__autograd_compiler_call__(low, (seed,), {}, node).items
        taken: list[ir.Var] = [var for leaf in outputs for var in ir.leaves(leaf)]
        return tuple(
            nested.filled(low, nested.owned(low, part, leaf, taken, node), leaf, node)
            for part, leaf in zip(found, outputs, strict=True)
        )


# ---------------------------------------------------------------- small things


def first_of(value: Specialised, has_aux: bool) -> ir.Operand:
    """What the function returns, without aux."""
    result: ir.Operand = value.lowered.primal.function.body.results[0]
    if has_aux and isinstance(result, ir.Pack) and result.items:
        return result.items[0]
    return result


def size_of(leaf: ir.Operand, numbers: Mapping[str, int]) -> int | None:
    found = type_of_operand(leaf)
    if isinstance(found, Scalar):
        return 1
    if not isinstance(found, Array):
        return None
    sizes = []
    for dim in found.dims:
        if dim is None or dim.symbol and dim.symbol not in numbers:
            return None
        sizes.append(numbers.get(dim.symbol, 0) + dim.offset)
    return prod(sizes)


def ndim_of(leaf: ir.Operand) -> int:
    found = type_of_operand(leaf)
    return found.ndim if isinstance(found, Array) else 0


def kind_of(leaf: ir.Operand) -> Kind:
    found = type_of_operand(leaf)
    assert isinstance(found, (Scalar, Array))
    return Kind(ndim_of(leaf), found.dtype)


def one_for(leaf: ir.Operand) -> ir.Operand:
    """The unit tangent of a number."""
    found = type_of_operand(leaf)
    if isinstance(found, Scalar) and not found.weak:
        return ir.Const(np.dtype(found.dtype).type(1.0))
    return ir.Const(1.0)


def _one_of(low: Any, model: ir.Operand, number: int, seed: Any, node: Any) -> Any:
    """A (co)tangent that is a seed at one leaf and zero at the others."""
    leaves: list[Any] = []
    for position, leaf in enumerate(positions(model)):
        if position == number:
            leaves.append(seed)
        elif ndim_of(leaf):
            leaves.append(low.apply(np.zeros_like, leaf))
        else:
            leaves.append(ir.Const(0.0))
    return packed(low, model, iter(leaves))


def packed(low: Any, model: ir.Operand, leaves: Any) -> Any:
    """A container of the form of another one, with other leaves."""
    if not isinstance(model, ir.Pack):
        return next(leaves)
    items = tuple(packed(low, item, leaves) for item in model.items)
    if model.form.kind in ("list", "dict"):
        return low.new_ref(model.form, items)
    return ir.Pack(items, model.form)
