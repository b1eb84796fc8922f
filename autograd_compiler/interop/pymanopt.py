"""Pymanopt: cost functions in plain NumPy, with gradients and Hessians of ours."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from autograd_compiler.interop.library import require
from autograd_compiler.transforms import grad, hvp

_autodiff: Any = require("pymanopt.autodiff")
_Backend: Any = require("pymanopt.autodiff.backends._backend").Backend


class Backend(_Backend):
    """What Pymanopt asks for derivatives of functions made by `function`."""

    def __init__(self) -> None:
        super().__init__("autograd_compiler")

    @staticmethod
    def is_available() -> bool:
        return True

    def prepare_function(self, function: Callable[..., Any]) -> Callable[..., Any]:
        return function

    def generate_gradient_operator(
        self, function: Callable[..., Any], num_arguments: int
    ) -> Callable[..., Any]:
        """The gradient in all arguments: an array, or a list for several."""
        derivative = grad(_of_one_point(function))
        return lambda *point: _result(derivative(point))

    def generate_hessian_operator(
        self, function: Callable[..., Any], num_arguments: int
    ) -> Callable[..., Any]:
        """The product of the Hessian and vectors, which come after the point."""
        product = hvp(_of_one_point(function))
        return lambda *given: _result(
            product(given[:num_arguments], given[num_arguments:])
        )


def _of_one_point(function: Callable[..., Any]) -> Callable[[Any], Any]:
    return lambda point: function(*point)


def _result(gradients: tuple[Any, ...]) -> Any:
    """As Pymanopt steps: along the conjugate, for complex arguments."""
    found = [np.conj(part) for part in gradients]
    return found[0] if len(found) == 1 else found


def function(manifold: Any) -> Callable[[Callable[..., Any]], Any]:
    """The decorator of cost functions on a manifold, as `pymanopt.function.numpy` is.

    That one takes gradients from the user; here they are generated, and so is the
    product with the Hessian.

    Parameters
    ----------
    manifold : pymanopt.manifolds.manifold.Manifold
        Where the arguments of the cost function live.

    Examples
    --------
    >>> import numpy as np
    >>> import pymanopt
    >>> sphere = pymanopt.manifolds.Sphere(3)
    >>> matrix = np.diag([1.0, 2.0, 3.0])
    >>> @function(sphere)
    ... def cost(x):
    ...     return -x @ matrix @ x
    >>> problem = pymanopt.Problem(sphere, cost)
    >>> optimizer = pymanopt.optimizers.TrustRegions(verbosity=0)
    >>> found = optimizer.run(problem, initial_point=np.array([0.6, 0.0, 0.8]))
    >>> round(float(found.cost), 6)
    -3.0
    """
    decorator: Any = _autodiff.backend_decorator_factory(Backend)
    made: Callable[[Callable[..., Any]], Any] = decorator(manifold)
    return made
