"""`check_grads`: derivatives against finite differences, for tests of users and ours."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from autograd_compiler.errors import ArgumentError, GradientCheckError
from autograd_compiler.tree import (
    Structure,
    flatten,
    leaf_paths,
    path_text,
    unflatten,
)

Jvp = Callable[..., tuple[Any, Any]]
Vjp = Callable[..., tuple[Any, Callable[[Any], Any]]]


def check_grads(
    fun: Callable[..., Any],
    args: Sequence[Any],
    order: int = 1,
    modes: Sequence[str] = ("fwd", "rev"),
    *,
    atol: float | None = None,
    rtol: float | None = None,
    eps: float | None = None,
    argnums: int | Sequence[int] | None = None,
    seed: int = 0,
) -> None:
    """Check the derivatives of a function at one point against finite differences.

    Forward mode is compared with central differences in a random direction; reverse
    mode by the inner product `<ct, J t> = <J^T ct, t>` with random `ct` and `t`.

    Parameters
    ----------
    fun : callable
        The function; its result may be a container.
    args : sequence
        Its positional arguments; they may be containers.  Only floating-point and
        complex leaves are varied.
    order : int
        With 2, the derivatives themselves are differentiated and checked as well,
        and so on.
    modes : sequence of "fwd", "rev"
        Which modes are checked.
    atol, rtol : float, optional
        Tolerances; by default they follow from the coarsest dtype that takes part.
    eps : float, optional
        The step of the differences, by default the cube root of the precision.
    argnums : int or sequence of int, optional
        The arguments to vary; by default all.
    seed : int
        The seed of the random directions.

    Raises
    ------
    GradientCheckError
        With the mode, the path to the argument or result that is wrong, and the two
        numbers.

    Examples
    --------
    >>> check_grads(np.sin, (0.5,), order=2)  # doctest: +SKIP
    """
    from autograd_compiler.transforms.products import jvp, vjp

    _check(
        fun,
        tuple(args),
        jvp,
        vjp,
        order=order,
        modes=modes,
        tolerance=_Tolerance(atol, rtol, eps),
        argnums=argnums,
        generator=np.random.default_rng(seed),
    )


@dataclass(frozen=True)
class _Tolerance:
    """What the caller asks for; None where it follows from the dtypes."""

    atol: float | None = None
    rtol: float | None = None
    eps: float | None = None

    def step(self, precision: float) -> float:
        return precision ** (1 / 3) if self.eps is None else self.eps

    def close(self, got: Any, wanted: Any, precision: float) -> bool:
        # Central differences are good to precision**(2/3); what is left is room for
        # the third derivative and for sums of many terms: 1e-6 in double precision,
        # 1e-2 in single.
        default = min(0.1, 10 * precision**0.45)
        atol = default if self.atol is None else self.atol
        rtol = default if self.rtol is None else self.rtol
        got, wanted = np.asarray(got), np.asarray(wanted)
        scale = np.max(np.abs(wanted), initial=0.0)
        if not np.isfinite(scale):
            return bool(np.allclose(got, wanted, rtol, atol, equal_nan=False))
        # Relative to the largest element: small ones beside it are its rounding.
        return bool(np.all(np.abs(got - wanted) <= atol + rtol * scale))


def _check(
    fun: Callable[..., Any],
    args: tuple[Any, ...],
    jvp: Jvp,
    vjp: Vjp,
    *,
    order: int = 1,
    modes: Sequence[str] = ("fwd", "rev"),
    tolerance: _Tolerance = _Tolerance(),
    argnums: int | Sequence[int] | None = None,
    generator: np.random.Generator | None = None,
    context: str = "",
) -> None:
    """`check_grads` with the `jvp` and `vjp` that it checks."""
    if not set(modes) <= {"fwd", "rev"} or not modes:
        raise ArgumentError(f'modes are "fwd" and "rev", not {modes!r}')
    if order < 1:
        raise ArgumentError(f"order must be at least 1, not {order}")
    generator = generator or np.random.default_rng(0)
    point = _Point(fun, args, _selected(argnums, len(args)), tolerance)
    tangents = point.direction(generator)
    if "fwd" in modes:
        _check_forward(point, jvp, tangents, context)
    if "rev" in modes:
        cotangent = _random_like(point.result, generator)
        _check_reverse(point, vjp, tangents, cotangent, context)
    if order == 1:
        return

    # The next order: the derivative in a fixed direction is a function like any other.
    def again(function: Callable[..., Any], mode: str) -> None:
        _check(
            function,
            args,
            jvp,
            vjp,
            order=order - 1,
            modes=modes,
            tolerance=tolerance,
            argnums=argnums,
            generator=generator,
            context=f"{context}derivative of {mode}, ",
        )

    if "fwd" in modes:
        directions = point.arguments(tangents)

        def tangent(*primals: Any) -> Any:
            return jvp(fun, primals, directions)[1]

        again(tangent, "jvp")
    if "rev" in modes:

        def adjoint(*primals: Any) -> Any:
            return vjp(fun, *primals)[1](cotangent)

        again(adjoint, "vjp")


class _Point:
    """A function at the arguments where it is checked, seen as a map of leaves."""

    def __init__(
        self,
        fun: Callable[..., Any],
        args: tuple[Any, ...],
        selected: frozenset[int],
        tolerance: _Tolerance,
    ) -> None:
        self.fun = fun
        self.args = args
        self.tolerance = tolerance
        self.leaves, self.structure = flatten(args)
        paths = list(leaf_paths(self.structure))
        self.names = [path_text(path, "args") for path in paths]
        self.varied = [
            index
            for index, (path, leaf) in enumerate(zip(paths, self.leaves, strict=True))
            if path[0].key in selected and _is_inexact(leaf)
        ]
        if not self.varied:
            raise ArgumentError("no argument that is varied holds a float")
        self.result = fun(*self.arguments(self.leaves))
        outputs = flatten(self.result)[0]
        self.precision = max(
            _precision(leaf)
            for leaf in (*(self.leaves[index] for index in self.varied), *outputs)
        )
        self.eps = tolerance.step(self.precision)

    def arguments(self, leaves: list[Any]) -> tuple[Any, ...]:
        # Arrays are copied, since the function is allowed to write into its arguments.
        copies = [np.copy(x) if isinstance(x, np.ndarray) else x for x in leaves]
        arguments: tuple[Any, ...] = unflatten(self.structure, copies)
        return arguments

    def direction(self, generator: np.random.Generator) -> list[Any]:
        """A random tangent for each leaf; zeros for what is not varied."""
        return [
            _normal(leaf, generator) if index in self.varied else _zero(leaf)
            for index, leaf in enumerate(self.leaves)
        ]

    def alone(self, tangents: list[Any], kept: int) -> list[Any]:
        """The direction with only one leaf moving."""
        return [
            tangent if index == kept else _zero(leaf)
            for index, (leaf, tangent) in enumerate(
                zip(self.leaves, tangents, strict=True)
            )
        ]

    def difference(self, tangents: list[Any]) -> list[Any]:
        """The central difference of each leaf of the result."""
        sides = []
        for step in (self.eps, -self.eps):
            moved = list(self.leaves)
            for index in self.varied:
                moved[index] = _moved(self.leaves[index], step, tangents[index])
            sides.append(flatten(self.fun(*self.arguments(moved)))[0])
        return [
            (np.asarray(after) - before) / (2 * self.eps) if _is_inexact(after) else 0.0
            for after, before in zip(*sides, strict=True)
        ]


def _check_forward(point: _Point, jvp: Jvp, tangents: list[Any], context: str) -> None:
    primals = point.arguments(point.leaves)
    result, tangent = jvp(point.fun, primals, point.arguments(tangents))
    _check_result(point, result, f"{context}jvp")
    found = _leaves_like(tangent, point.result, f"{context}jvp")
    wanted = point.difference(tangents)
    for name, got, want in zip(_output_names(point), found, wanted, strict=True):
        got = 0.0 if got is None else got
        if point.tolerance.close(got, want, point.precision):
            continue
        raise GradientCheckError(
            f"{context}forward mode (jvp) disagrees with finite differences: {name} "
            f"{_compare(got, want)}{_culprit_forward(point, jvp, tangents)}"
        )


def _culprit_forward(point: _Point, jvp: Jvp, tangents: list[Any]) -> str:
    """Which argument alone gives a wrong tangent, for the message."""
    for index in point.varied:
        alone = point.alone(tangents, index)
        primals = point.arguments(point.leaves)
        found = flatten(jvp(point.fun, primals, point.arguments(alone))[1])[0]
        for got, want in zip(found, point.difference(alone), strict=True):
            got = 0.0 if got is None else got
            if not point.tolerance.close(got, want, point.precision):
                return f", in the direction of {point.names[index]}"
    return ""


def _check_reverse(
    point: _Point, vjp: Vjp, tangents: list[Any], cotangent: Any, context: str
) -> None:
    result, pullback = vjp(point.fun, *point.arguments(point.leaves))
    _check_result(point, result, f"{context}vjp")
    # A program gives a plain tuple where NumPy's own function names the items.
    cotangent = unflatten(flatten(result)[1], flatten(cotangent)[0])
    adjoints = pullback(cotangent)
    found = _leaves_like(adjoints, point.args, f"{context}vjp")
    weights = flatten(cotangent)[0]

    def sides(moving: list[Any], indices: list[int]) -> tuple[float, float]:
        by_difference = sum(map(_inner, weights, point.difference(moving)))
        by_adjoint = sum(_inner(found[i], moving[i]) for i in indices)
        return by_adjoint, by_difference

    for index in point.varied:
        got, leaf = found[index], point.leaves[index]
        if got is not None and np.shape(got) != np.shape(leaf):
            raise GradientCheckError(
                f"{context}reverse mode (vjp): the adjoint of {point.names[index]} has "
                f"shape {np.shape(got)}, its argument {np.shape(leaf)}"
            )
    if point.tolerance.close(*sides(tangents, point.varied), point.precision):
        return
    culprit, got, want = "the arguments", *sides(tangents, point.varied)
    for index in point.varied:
        pair = sides(point.alone(tangents, index), [index])
        if not point.tolerance.close(*pair, point.precision):
            culprit, (got, want) = point.names[index], pair
            break
    raise GradientCheckError(
        f"{context}reverse mode (vjp) disagrees with finite differences: "
        f"the adjoint of {culprit}, in a random direction, {_compare(got, want)}"
    )


# ---------------------------------------------------------------- comparing


def _check_result(point: _Point, result: Any, mode: str) -> None:
    """The value that comes along with a derivative must be the function's own."""
    found = _leaves_like(result, point.result, mode)
    wanted = flatten(point.result)[0]
    for name, got, want in zip(_output_names(point), found, wanted, strict=True):
        if not _is_inexact(want):
            continue
        if np.shape(got) != np.shape(want):
            raise GradientCheckError(
                f"{mode}: {name} has shape {np.shape(got)}, the function's own "
                f"{np.shape(want)}"
            )
        rtol = 1e4 * point.precision
        atol = rtol * np.max(np.abs(want), initial=0.0) / 100
        same = np.allclose(got, want, rtol, atol, equal_nan=True)
        if not same:
            raise GradientCheckError(
                f"{mode} changes the value of the function: {name} "
                f"{_compare(got, want)}"
            )


def _leaves_like(value: Any, model: Any, mode: str) -> list[Any]:
    leaves, structure = flatten(value)
    wanted = _outline(flatten(model)[1])
    if _outline(structure) != wanted:
        raise GradientCheckError(
            f"{mode} gives a result of another structure: {structure} for {wanted}"
        )
    return leaves


def _outline(structure: Structure) -> Any:
    """A structure up to tuples and lists, which are the same to a check."""
    keys = structure.keys if structure.kind == "dict" else ()
    return (keys, tuple(map(_outline, structure.children)))


def _output_names(point: _Point) -> list[str]:
    structure = flatten(point.result)[1]
    return [path_text(path, "result") for path in leaf_paths(structure)]


def _compare(got: Any, wanted: Any) -> str:
    """Both numbers; of arrays, those at the place where they differ most."""
    got, wanted = np.asarray(got), np.asarray(wanted)
    if got.shape != wanted.shape:
        return f"has shape {got.shape} instead of {wanted.shape}"
    if not got.shape:
        return f"is {got:.10g} instead of {wanted:.10g}"
    distance = np.nan_to_num(np.abs(got - wanted), nan=np.inf)
    worst = np.unravel_index(np.argmax(distance), got.shape)
    place = ", ".join(map(str, worst))
    return f"at [{place}] is {got[worst]:.10g} instead of {wanted[worst]:.10g}"


# ---------------------------------------------------------------- leaves


def _selected(argnums: int | Sequence[int] | None, count: int) -> frozenset[int]:
    if argnums is None:
        return frozenset(range(count))
    numbers = [argnums] if isinstance(argnums, int) else list(argnums)
    for number in numbers:
        if not -count <= number < count:
            raise ArgumentError(f"argnums {number} for {count} arguments")
    return frozenset(number % count for number in numbers)


def _is_inexact(leaf: Any) -> bool:
    if isinstance(leaf, (np.ndarray, np.generic)):
        return leaf.dtype.kind in "fc"
    return isinstance(leaf, (float, complex))


def _precision(leaf: Any) -> float:
    if not _is_inexact(leaf):
        return 0.0
    return float(np.finfo(np.result_type(leaf)).eps)


def _normal(leaf: Any, generator: np.random.Generator) -> Any:
    """A random direction of the leaf's own shape, dtype and kind."""
    value = generator.standard_normal(np.shape(leaf))
    if np.iscomplexobj(leaf):
        value = value + 1j * generator.standard_normal(np.shape(leaf))
    return _as_kind_of(leaf, value)


def _random_like(tree: Any, generator: np.random.Generator) -> Any:
    leaves, structure = flatten(tree)
    if not any(map(_is_inexact, leaves)):
        raise ArgumentError("the function returns no float")
    return unflatten(
        structure,
        [_normal(x, generator) if _is_inexact(x) else _zero(x) for x in leaves],
    )


def _zero(leaf: Any) -> Any:
    if isinstance(leaf, np.ndarray) and leaf.dtype.kind in "fciub":
        return np.zeros_like(leaf)
    if isinstance(leaf, (bool, int, float, complex, np.number, np.bool_)):
        return type(leaf)(0)
    return None


def _moved(leaf: Any, step: float, tangent: Any) -> Any:
    return _as_kind_of(leaf, leaf + step * np.asarray(tangent))


def _as_kind_of(leaf: Any, value: Any) -> Any:
    if isinstance(leaf, np.ndarray):
        return np.asarray(value, leaf.dtype)
    return type(leaf)(value)


def _inner(first: Any, second: Any) -> float:
    """The real part of the bilinear product: complex adjoints are not conjugated."""
    if first is None or second is None or not np.size(first):
        return 0.0
    if not _is_inexact(first):
        return 0.0
    return float(np.real(np.sum(np.asarray(first) * np.asarray(second))))
