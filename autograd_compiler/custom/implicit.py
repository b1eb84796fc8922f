"""`implicit_root` and `fixed_point`: the derivative of what a solver finds.

For x*(p) with r(x*, p) = 0, the implicit function theorem gives, where the Jacobian
J = dr/dx is regular,

    J dx = -dr/dp dp

(Krantz and Parks, "The Implicit Function Theorem", 2002).  So the tangent is one linear
solve with J, and the adjoint one with its transpose; how the solver came to x* does not
matter.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np

from autograd_compiler.custom.operators import CustomOperator, as_rule
from autograd_compiler.errors import ArgumentError
from autograd_compiler.rules.registry import Operator, Rule
from autograd_compiler.transforms.jacobian import jacobian
from autograd_compiler.transforms.products import jvp, vjp


class ImplicitRoot(CustomOperator):
    """A solver with the derivative of a root, made by `implicit_root`."""

    decorator = "implicit_root"

    def __init__(
        self,
        solve: Callable[..., Any],
        residual: Callable[..., Any],
        result: Operator | str | None = None,
    ) -> None:
        super().__init__(solve)
        self.residual = residual
        self.rule = self._made_rule(result)

    def _positions_of_parameters(self) -> tuple[int, ...]:
        """Where the solver has the parameters of the residual, after the unknown."""
        own = [parameter.name for parameter in self.parameters]
        _, *wanted = _parameters_of(self.residual, self.decorator)
        missing = [name for name in wanted if name not in own]
        if missing:
            raise ArgumentError(
                f"{self.decorator}: the residual `{_name_of(self.residual)}` has the "
                f"parameter `{missing[0]}`, which `{self.name}({', '.join(own)})` has "
                "not: after the unknown, its parameters must be some of the solver's, "
                "by name"
            )
        if not wanted:
            raise ArgumentError(
                f"{self.decorator}: the residual `{_name_of(self.residual)}` depends on "
                "nothing but the unknown"
            )
        return tuple(own.index(name) for name in wanted)

    def _made_rule(self, result: Operator | str | None) -> Rule:
        places = self._positions_of_parameters()
        alone = len(places) == 1
        residual = self.residual
        count = len(self.parameters)

        def adjoint(d_y: Any, y: Any, *args: Any) -> Any:
            given = tuple([args[k] for k in places])
            weight = -solve_transposed(jacobian(residual)(y, *given), d_y)
            _, pullback = vjp(residual, y, *given)
            cotangents = pullback(weight)[1:]
            return cotangents[0] if alone else cotangents

        def tangent(y: Any, *args: Any) -> Any:
            given = tuple([args[k] for k in places])
            along = (np.zeros_like(y), *args[count:])
            _, d_residual = jvp(residual, (y, *given), along)
            return -solve_linear(jacobian(residual)(y, *given), d_residual)

        parameters = self.rule_parameters("y")
        names = [parameter.name for parameter in parameters]
        wrt = tuple(names[k] for k in places)
        as_rule(adjoint, f"{self.name}_adjoint", ("d_y", "y", *names))
        tangents = (f"d_{name}" for name in wrt)
        as_rule(tangent, f"{self.name}_tangent", ("y", *names, *tangents))
        return Rule(
            "general",
            self,
            parameters,
            wrt,
            adjoint=adjoint,
            tangent=tangent,
            result=result,
        )


def solve_linear(matrix: Any, right: Any) -> Any:
    """The solution of `matrix @ x = right`, with x in the shape of `right`."""
    if np.ndim(right) == 0:
        return right / matrix
    if np.ndim(right) == 1:
        return np.linalg.solve(matrix, right)
    square = np.reshape(matrix, (np.size(right), np.size(right)))
    return np.reshape(np.linalg.solve(square, np.ravel(right)), np.shape(right))


def solve_transposed(matrix: Any, right: Any) -> Any:
    """The solution of `matrix.T @ x = right`, with x in the shape of `right`."""
    if np.ndim(right) == 0:
        return right / matrix
    if np.ndim(right) == 1:
        return np.linalg.solve(matrix.T, right)
    square = np.reshape(matrix, (np.size(right), np.size(right)))
    return np.reshape(np.linalg.solve(square.T, np.ravel(right)), np.shape(right))


def implicit_root(
    residual: Callable[..., Any], *, result: Operator | str | None = None
) -> Callable[[Callable[..., Any]], ImplicitRoot]:
    """Differentiate a solver by the equation that its result satisfies.

    Parameters
    ----------
    residual : callable
        `residual(x, *params)`, of the shape of `x`; it is zero at the result of the
        solver.  It is differentiated, the solver is not: that may be any code.
        The names of `params` are parameters of the solver, too; what else the solver
        takes (a first guess, a tolerance) has no derivative.
    result : str or callable, optional
        What has the form of the result, as in `custom.general`: often `"x0"`.  It makes
        the generated source shorter where the solver cannot be read.

    Returns
    -------
    callable
        A decorator for the solver.

    Raises
    ------
    ArgumentError
        If the solver lacks a parameter of the residual.
    UnsupportedError
        When another argument of the solver depends on the differentiated input.

    Examples
    --------
    >>> from scipy.optimize import brentq
    >>> from autograd_compiler import grad
    >>> def kepler(anomaly, mean, eccentricity):
    ...     return anomaly - eccentricity * np.sin(anomaly) - mean
    >>> @implicit_root(kepler)
    ... def solve_kepler(mean, eccentricity):
    ...     return brentq(kepler, 0.0, np.pi, args=(mean, eccentricity))
    >>> round(grad(solve_kepler)(1.0, 0.5), 6)
    1.037362
    """

    def decorate(solve: Callable[..., Any]) -> ImplicitRoot:
        return ImplicitRoot(solve, residual, result)

    return decorate


class FixedPoint(ImplicitRoot):
    """A solver with the derivative of a fixed point, made by `fixed_point`."""

    decorator = "fixed_point"

    def __init__(
        self,
        solve: Callable[..., Any],
        step: Callable[..., Any],
        result: Operator | str | None = None,
    ) -> None:
        def residual(x: Any, *params: Any) -> Any:
            return x - step(x, *params)

        as_rule(
            residual, f"{_name_of(step)}_residual", _parameters_of(step, "fixed_point")
        )
        super().__init__(solve, residual, result)


def fixed_point(
    step: Callable[..., Any], *, result: Operator | str | None = None
) -> Callable[[Callable[..., Any]], FixedPoint]:
    """Differentiate an iteration by the fixed point that it comes to.

    As `implicit_root` for `x - step(x, *params)`: nothing is kept of the iteration, and
    nothing is lost by the first guess.

    Parameters
    ----------
    step : callable
        `step(x, *params)`, which gives back the result of the solver when it gets it.
    result : str or callable, optional
        What has the form of the result, as in `implicit_root`.

    Returns
    -------
    callable
        A decorator for the function that iterates.

    Examples
    --------
    >>> from autograd_compiler import grad
    >>> def babylonian(x, a):
    ...     return (x + a / x) / 2
    >>> @fixed_point(babylonian)
    ... def root(a):
    ...     x = a
    ...     for _ in range(50):
    ...         x = babylonian(x, a)
    ...     return x
    >>> grad(root)(4.0)
    0.25
    """

    def decorate(solve: Callable[..., Any]) -> FixedPoint:
        return FixedPoint(solve, step, result)

    return decorate


def _parameters_of(function: Callable[..., Any], decorator: str) -> list[str]:
    if not callable(function):
        raise ArgumentError(f"{decorator} takes a function, not {function!r}")
    parameters = inspect.signature(function).parameters
    if not parameters or any(p.kind is p.VAR_POSITIONAL for p in parameters.values()):
        raise ArgumentError(
            f"{decorator}: `{_name_of(function)}` must have the unknown as its first "
            "parameter, and then parameters with names"
        )
    return list(parameters)


def _name_of(function: Any) -> str:
    return str(getattr(function, "__name__", type(function).__name__))
