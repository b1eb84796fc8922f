"""Functions of containers as functions of one flat array, with their derivatives.

Optimisers call with arrays that they write into later, and keep what they are given:
nothing here shares memory with an argument, or gives the same array twice.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from autograd_compiler import tree
from autograd_compiler.errors import ArgumentError
from autograd_compiler.flat import FlatArray, Unflatten, flatten
from autograd_compiler.transforms import (
    Gradient,
    hessian,
    hvp,
    jacobian,
    value_and_grad,
)
from autograd_compiler.transforms.base import specialiser_of
from autograd_compiler.transforms.products import pullback_at, tangent_at


def _plain_function(f: Callable[..., Any]) -> Callable[..., Any]:
    """The function itself, of what may have been decorated with `@grad`."""
    if isinstance(f, Gradient) and f._options["has_aux"]:
        raise ArgumentError(f"{f!r} has an aux; pass a function that returns a number")
    return f.primal if isinstance(f, Gradient) else f


def start_of(x0: Any) -> tuple[FlatArray, Unflatten]:
    """The flat array to start from, in double precision, and the way back."""
    flat, unflatten = flatten(x0)
    if flat.dtype.kind == "c":
        raise ArgumentError(
            "optimisers take real numbers, and the start is complex; "
            "pass the real and the imaginary part as two arrays"
        )
    return flat.astype(float), unflatten


class FlatObjective:
    """A function with one number as its result, of a flat array.

    Parameters
    ----------
    f : callable
        The function of a container, and of `args` after it; may be made by `@grad`.
    unflatten : Unflatten
        What makes the container.
    args : tuple
        Further arguments, fixed; those of a call come after them.
    backend : str, optional
        What runs the generated code; that of the `@grad`, or "python".
    """

    def __init__(
        self,
        f: Callable[..., Any],
        unflatten: Unflatten,
        args: tuple[Any, ...] = (),
        backend: str | None = None,
    ) -> None:
        self._function = _plain_function(f)
        if backend is None:
            backend = f._options["backend"] if isinstance(f, Gradient) else "python"
        self._unflatten = unflatten
        self._args = args
        self._value_and_grad = value_and_grad(self._function, backend=backend)
        self._hvp = hvp(self._function, backend=backend)
        self._hessian = hessian(self._function, backend=backend)

    def value(self, x: Any, *args: Any) -> float:
        """The value alone."""
        value = self._function(self._unflatten(x), *self._args, *args)
        if np.ndim(value) != 0 or np.iscomplexobj(value):
            raise ArgumentError(
                f"{self._function!r} must give one real number, and gives {value!r}"
            )
        return float(value)

    def value_and_gradient(self, x: Any, *args: Any) -> tuple[float, FlatArray]:
        """The value and the flat gradient, by one run of the generated code."""
        value, gradient = self._value_and_grad(self._unflatten(x), *self._args, *args)
        return float(value), self._flat(gradient)

    def gradient(self, x: Any, *args: Any) -> FlatArray:
        """The flat gradient."""
        return self.value_and_gradient(x, *args)[1]

    def hessp(self, x: Any, v: Any, *args: Any) -> FlatArray:
        """The product of the Hessian at `x` and `v`; the matrix is not formed."""
        vector = self._unflatten(np.ravel(v))
        return self._flat(self._hvp(self._unflatten(x), vector, *self._args, *args))

    def hess(self, x: Any, *args: Any) -> FlatArray:
        """The Hessian as a matrix."""
        found = self._hessian(self._unflatten(x), *self._args, *args)
        return matrix_of(found, self._unflatten)

    def _flat(self, gradient: Any) -> FlatArray:
        return self._unflatten.flatten(gradient).astype(float, copy=False)


class FlatVector:
    """A function with any number of results, of a flat array.

    The results are numbers or arrays, alone or in a list or another container; they
    come as one flat array.  The parameters are those of `FlatObjective`, but that a
    gradient made by `grad` stands for itself.
    """

    def __init__(
        self,
        f: Callable[..., Any],
        unflatten: Unflatten,
        args: tuple[Any, ...] = (),
        backend: str = "python",
        sparsity: Any = "detect",
    ) -> None:
        self._function = f
        self._unflatten = unflatten
        self._args = args
        self._backend = backend
        self._sparsity = sparsity
        self._jacobian = jacobian(self._function, backend=backend)
        self._sparse: Any = None

    def __call__(self, x: Any, *args: Any) -> FlatArray:
        """The results."""
        out = self._function(self._unflatten(x), *self._args, *args)
        return vector_of(out)

    def jac(self, x: Any, *args: Any) -> FlatArray:
        """The Jacobian as a matrix, with one row per result."""
        found = self._jacobian(self._unflatten(x), *self._args, *args)
        return matrix_of(found, self._unflatten)

    def jac_sparse(self, x: Any, *args: Any) -> Any:
        """The Jacobian as a `scipy.sparse` matrix, from few products with it."""
        if self._sparse is None:
            function, unflatten = self._function, self._unflatten

            def flat_function(x: Any, *args: Any) -> Any:
                return function(unflatten(x), *args)

            self._sparse = jacobian(
                flat_function, sparsity=self._sparsity, backend=self._backend
            )
        return self._sparse(np.array(x, float), *self._args, *args)

    def products(
        self, x: Any, *args: Any
    ) -> tuple[int, Callable[[Any], FlatArray], Callable[[Any], FlatArray]]:
        """How many results there are, and the products `J @ v` and `J.T @ w`."""
        unflatten, point = self._unflatten, np.array(x, float)
        pullback = specialiser_of(self._function, "pullback", has_aux=False)
        values = pullback.bind((unflatten(x), *self._args, *args), {})
        wrt = pullback.wrt(0)
        pullback.check_selected(wrt, values)
        tangent = specialiser_of(
            self._function, "jvp", has_aux=False, backend=self._backend
        )
        out, pull, _ = pullback_at(pullback, wrt, values)
        results = _Results(out)

        def along(v: Any) -> FlatArray:
            direction = unflatten(np.ravel(v))
            here = values | {wrt[0]: unflatten(point)}  # the function may write into it
            return vector_of(tangent_at(tangent, wrt, here, [direction])[1])

        def back(w: Any) -> FlatArray:
            (found,) = pull(results(np.ravel(w)))
            return unflatten.flatten(found).astype(float, copy=False)

        return results.size, along, back


def constraints_of(
    g: Callable[..., Any], unflatten: Unflatten, args: tuple[Any, ...], backend: str
) -> FlatVector:
    """A function of constraints; one made by `@grad` would constrain the gradient."""
    if isinstance(g, Gradient):
        raise ArgumentError(
            f"a constraint takes a function, and is given the {g!r}; write `.primal`"
        )
    return FlatVector(g, unflatten, args, backend)


class _Results:
    """Gives flat cotangents the form of a result."""

    def __init__(self, out: Any) -> None:
        self._leaves, self._structure = tree.flatten(out)
        self.size = sum(map(np.size, self._leaves))

    def __call__(self, flat: FlatArray) -> Any:
        parts: list[Any] = []
        start = 0
        for leaf in self._leaves:
            part = flat[start : start + np.size(leaf)]
            is_array = isinstance(leaf, np.ndarray)
            parts.append(part.reshape(leaf.shape) if is_array else part[0])
            start += np.size(leaf)
        return tree.unflatten(self._structure, parts)


def vector_of(out: Any) -> FlatArray:
    """The numbers of a result in one array, which is new."""
    leaves, _ = tree.flatten(out)
    parts = [np.ravel(leaf) for leaf in leaves]
    for part in parts:
        if part.dtype.kind not in "biuf":
            raise ArgumentError(
                f"the results must be real numbers, and one is of {part.dtype}"
            )
    return np.concatenate(parts, dtype=float) if parts else np.empty(0)


def matrix_of(jacobian: Any, unflatten: Unflatten) -> FlatArray:
    """One matrix of the parts of a Jacobian: result by result, argument by argument."""
    parts, _ = tree.flatten(jacobian)
    sizes = [leaf.size for leaf in unflatten.leaves]
    rows = []
    for start in range(0, len(parts), len(sizes)):
        row = [
            np.reshape(part, (-1, size))
            for part, size in zip(parts[start:], sizes, strict=False)
            if size
        ]
        rows.append(np.concatenate(row, axis=1, dtype=float))
    return np.concatenate(rows)
