"""SciPy: what `minimize`, `least_squares`, `root`, `curve_fit` and `solve_ivp` take.

The functions here give SciPy one flat array where the function that is differentiated
has a container of parameters; `unflatten` makes the container of the result.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import numpy as np

from autograd_compiler import tree
from autograd_compiler.errors import ArgumentError
from autograd_compiler.flat import FlatArray, Unflatten
from autograd_compiler.interop.flat_functions import (
    FlatObjective,
    FlatVector,
    constraints_of,
    start_of,
    vector_of,
)
from autograd_compiler.interop.library import require
from autograd_compiler.transforms import hvp, jacobian

_optimize: Any = require("scipy.optimize")
_sparse_linalg: Any = require("scipy.sparse.linalg")


class Objective(FlatObjective):
    """What `minimize(..., jac=True)` takes: `fun(x)` gives the value and the gradient.

    Made by `objective`.  Besides it has the methods `value`, `gradient`, `hessp` and
    `hess`, of flat arrays too.
    """

    def __call__(self, x: Any, *args: Any) -> tuple[float, FlatArray]:
        """The value and the flat gradient, by one run of the generated code."""
        return self.value_and_gradient(x, *args)


class Residuals(FlatVector):
    """What `least_squares` and `root` take: `fun(x)` gives an array.

    Made by `residuals`.  Its Jacobian is `jac` (a matrix), `jac_sparse` or
    `jac_operator`.
    """

    def jac_operator(self, x: Any, *args: Any) -> Any:
        """The Jacobian as a `LinearOperator`: its products, no matrix."""
        rows, along, back = self.products(x, *args)
        return _sparse_linalg.LinearOperator(
            (rows, np.size(x)), matvec=along, rmatvec=back, dtype=float
        )


def objective(
    f: Callable[..., Any], x0: Any, *args: Any, backend: str | None = None
) -> tuple[Objective, FlatArray, Unflatten]:
    """A function and its start, for `scipy.optimize.minimize` with `jac=True`.

    Parameters
    ----------
    f : callable
        A function of a container of parameters that gives one number; `@grad` or not.
    x0
        The parameters to start from.  A list is a container of numbers, no array.
    *args
        What `f` takes after the parameters.
    backend : {"python", "numba", "auto"}, optional
        What runs the generated code.

    Returns
    -------
    fun : Objective
        `fun(x)` is the value and the flat gradient; `fun.hessp(x, v)` the product of
        the Hessian and `v`; `fun.hess(x)` the Hessian.
    x0 : ndarray
        The start as a flat array.
    unflatten : Unflatten
        Makes parameters of `result.x`.

    Raises
    ------
    ArgumentError
        If the parameters are not real floats.

    Examples
    --------
    >>> import numpy as np
    >>> from scipy.optimize import minimize
    >>> def loss(p, x, y):
    ...     return np.mean((p["slope"] * x + p["offset"] - y) ** 2)
    >>> x = np.linspace(0.0, 1.0, 9)
    >>> fun, x0, unflatten = objective(loss, {"slope": 0.0, "offset": 0.0}, x, 2 * x + 1)
    >>> result = minimize(fun, x0, jac=True, hessp=fun.hessp, method="trust-ncg")
    >>> {name: round(value, 4) for name, value in unflatten(result.x).items()}
    {'slope': 2.0, 'offset': 1.0}
    """
    start, unflatten = start_of(x0)
    return Objective(f, unflatten, args, backend), start, unflatten


def residuals(
    f: Callable[..., Any],
    x0: Any,
    *args: Any,
    backend: str = "python",
    sparsity: Any = "detect",
) -> tuple[Residuals, FlatArray, Unflatten]:
    """A function and its start, for `scipy.optimize.least_squares` and `root`.

    Parameters
    ----------
    f : callable
        A function of a container of parameters; what it gives is to become small.
    x0
        The parameters to start from.
    *args
        What `f` takes after the parameters.
    backend : {"python", "numba", "auto"}
        What runs the generated code.
    sparsity : matrix or "detect"
        Where the Jacobian may be other than zero; for `fun.jac_sparse`, as in
        `jacobian`.

    Returns
    -------
    fun : Residuals
        `fun(x)` is a flat array; `jac=` is one of `fun.jac`, `fun.jac_sparse` and
        `fun.jac_operator`.
    x0 : ndarray
        The start as a flat array.
    unflatten : Unflatten
        Makes parameters of `result.x`.

    Raises
    ------
    ArgumentError
        If the parameters are not real floats.

    Examples
    --------
    >>> from scipy.optimize import least_squares
    >>> def rosenbrock(p):
    ...     return [10.0 * (p["y"] - p["x"] ** 2), 1.0 - p["x"]]
    >>> fun, x0, unflatten = residuals(rosenbrock, {"x": -1.2, "y": 1.0})
    >>> result = least_squares(fun, x0, jac=fun.jac)
    >>> {name: round(value, 4) for name, value in unflatten(result.x).items()}
    {'x': 1.0, 'y': 1.0}
    """
    start, unflatten = start_of(x0)
    return Residuals(f, unflatten, args, backend, sparsity), start, unflatten


def bounds(x0: Any, lower: Any = None, upper: Any = None) -> Any:
    """`scipy.optimize.Bounds` for parameters in a container.

    Parameters
    ----------
    x0
        The parameters.
    lower, upper
        The bounds: None for none, a number for all parameters, or a container like
        `x0` of numbers, None, and arrays.

    Examples
    --------
    >>> import numpy as np
    >>> x0 = {"w": np.zeros(2), "scale": 1.0}
    >>> bounds(x0, lower={"w": None, "scale": 0.0}, upper=5.0)
    Bounds(array([-inf, -inf,   0.]), array([5., 5., 5.]))
    """
    _, unflatten = start_of(x0)
    return _optimize.Bounds(
        _bound(lower, unflatten, -np.inf), _bound(upper, unflatten, np.inf)
    )


def _bound(bound: Any, unflatten: Unflatten, none: float) -> FlatArray:
    found, structure = tree.flatten(bound)
    if structure == tree.LEAF != unflatten.structure and np.ndim(bound) == 0:
        found = found * len(unflatten.leaves)
    elif structure != unflatten.structure:
        raise ArgumentError(
            "bounds are a number, or a container like the start; "
            f"{tree.outline(bound)} is not like it"
        )
    parts = []
    for part, leaf in zip(found, unflatten.leaves, strict=True):
        part = none if part is None else part
        if np.shape(part) not in ((), leaf.shape):
            raise ArgumentError(
                f"a bound of shape {np.shape(part)} does not fit `x0{leaf.path}` of "
                f"shape {leaf.shape}"
            )
        parts.append(np.broadcast_to(part, leaf.shape))
    return vector_of(parts)


def constraint(
    g: Callable[..., Any],
    x0: Any,
    lower: Any,
    upper: Any,
    *args: Any,
    backend: str = "python",
) -> Any:
    """A `NonlinearConstraint`, `lower <= g(parameters) <= upper`, with derivatives.

    The Jacobian is a matrix, the Hessian a `LinearOperator`: exact, both.  They are for
    `minimize(method="trust-constr")`; for "SLSQP" take `constraint_dict`.

    Parameters
    ----------
    g : callable
        A function of a container of parameters that gives a number, an array of one
        dimension, or a list of numbers.
    x0
        The parameters to start from.
    lower, upper
        Numbers or arrays; equal for an equality, infinite for no bound.
    *args
        What `g` takes after the parameters.
    backend : {"python", "numba", "auto"}
        What runs the generated code.

    Examples
    --------
    >>> import numpy as np
    >>> from scipy.optimize import minimize
    >>> fun, x0, _ = objective(lambda p: p[0] + 2.0 * p[1], np.array([0.5, -0.5]))
    >>> on_circle = constraint(lambda p: p[0] ** 2 + p[1] ** 2, x0, 1.0, 1.0)
    >>> result = minimize(
    ...     fun, x0, jac=True, hessp=fun.hessp, method="trust-constr",
    ...     constraints=on_circle,
    ... )
    >>> np.round(result.x, 3)
    array([-0.447, -0.894])
    """
    start, unflatten = start_of(x0)
    fun = constraints_of(g, unflatten, args, backend)

    def weighted(x: Any, v: Any, *args: Any) -> Any:
        return np.ravel(g(x, *args)) @ v

    product = hvp(weighted, backend=backend)

    def hess(x: Any, v: Any) -> Any:
        weights = np.array(v, float)

        def along(direction: Any) -> FlatArray:
            vector = unflatten(np.ravel(direction))
            return vector_of(product(unflatten(x), vector, weights, *args))

        shape = (start.size, start.size)
        return _sparse_linalg.LinearOperator(
            shape, matvec=along, rmatvec=along, dtype=float
        )

    return _optimize.NonlinearConstraint(fun, lower, upper, jac=fun.jac, hess=hess)


def constraint_dict(
    kind: Literal["eq", "ineq"],
    g: Callable[..., Any],
    x0: Any,
    *args: Any,
    backend: str = "python",
) -> dict[str, Any]:
    """A constraint as `minimize(method="SLSQP")` takes it: `g == 0` or `g >= 0`.

    Examples
    --------
    >>> constraint_dict("ineq", lambda p: p["a"] - 1.0, {"a": 2.0, "b": 3.0})["jac"](
    ...     [2.0, 3.0]
    ... )
    array([[1., 0.]])
    """
    if kind not in ("eq", "ineq"):
        raise ArgumentError(f'the kind of a constraint is "eq" or "ineq", not {kind!r}')
    fun = constraints_of(g, start_of(x0)[1], args, backend)
    return {"type": kind, "fun": fun, "jac": fun.jac}


def curve_fit_jac(
    model: Callable[..., Any], *, backend: str = "python"
) -> Callable[..., FlatArray]:
    """The derivatives of a model, for `curve_fit(model, x, y, jac=...)`.

    Parameters
    ----------
    model : callable
        `model(x, a, b, ...)`: the values at `x` for parameters that are numbers.
    backend : {"python", "numba", "auto"}
        What runs the generated code.

    Examples
    --------
    >>> import numpy as np
    >>> from scipy.optimize import curve_fit
    >>> def decay(x, height, rate):
    ...     return height * np.exp(-rate * x)
    >>> x = np.linspace(0.0, 2.0, 20)
    >>> found, _ = curve_fit(decay, x, decay(x, 3.0, 1.5), jac=curve_fit_jac(decay))
    >>> np.round(found, 4)
    array([3. , 1.5])
    """
    made: dict[int, Any] = {}

    def jac(xdata: Any, *parameters: Any) -> FlatArray:
        count = len(parameters)
        if count not in made:
            argnums = tuple(range(1, count + 1))
            made[count] = jacobian(model, argnums, backend=backend)
        columns = made[count](xdata, *map(float, parameters))
        return np.stack([np.ravel(column) for column in columns], axis=1)

    return jac


def solve_ivp_jac(
    rhs: Callable[..., Any], *, backend: str = "python"
) -> Callable[..., FlatArray]:
    """The Jacobian of a right-hand side, for `solve_ivp(rhs, ..., jac=...)`.

    Parameters
    ----------
    rhs : callable
        `rhs(t, y, *args)`: the derivatives of `y` as an array or a list.
    backend : {"python", "numba", "auto"}
        What runs the generated code.

    Examples
    --------
    >>> import numpy as np
    >>> def predator_prey(t, y):
    ...     return [y[0] - y[0] * y[1], y[0] * y[1] - y[1]]
    >>> solve_ivp_jac(predator_prey)(0.0, np.array([2.0, 0.5]))
    array([[ 0.5, -2. ],
           [ 0.5,  1. ]])
    """
    derivative = jacobian(rhs, 1, backend=backend)

    def jac(t: Any, y: Any, *args: Any) -> FlatArray:
        rows, _ = tree.flatten(derivative(t, np.asarray(y), *args))
        return np.concatenate([np.reshape(row, (-1, np.size(y))) for row in rows])

    return jac
