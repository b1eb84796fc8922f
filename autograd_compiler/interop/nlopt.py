"""NLopt: objectives and constraints that write their gradient where it is wanted."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from autograd_compiler.flat import FlatArray, Unflatten
from autograd_compiler.interop.flat_functions import (
    FlatObjective,
    constraints_of,
    start_of,
)
from autograd_compiler.interop.library import require

require("nlopt")


def objective(
    f: Callable[..., Any], x0: Any, *args: Any, backend: str | None = None
) -> tuple[Callable[[FlatArray, FlatArray], float], FlatArray, Unflatten]:
    """A function and its start, for `opt.set_min_objective(fun)` and `opt.optimize(x0)`.

    It serves for `opt.add_inequality_constraint(fun)` and its kin, too.

    Parameters
    ----------
    f : callable
        A function of a container of parameters that gives one number; `@grad` or not.
    x0
        The parameters to start from.
    *args
        What `f` takes after the parameters.
    backend : {"python", "numba", "auto"}, optional
        What runs the generated code.

    Returns
    -------
    fun : callable
        `fun(x, gradient)` gives the value, and writes the gradient into its argument;
        if that is empty, no gradient is computed.
    x0 : ndarray
        The start as a flat array.
    unflatten : Unflatten
        Makes parameters of the result.

    Raises
    ------
    ArgumentError
        If the parameters are not real floats.

    Examples
    --------
    >>> import nlopt
    >>> import numpy as np
    >>> fun, x0, unflatten = objective(
    ...     lambda p: (p["a"] - 2.0) ** 2 + (p["b"] - p["a"]) ** 2, {"a": 0.0, "b": 0.0}
    ... )
    >>> opt = nlopt.opt(nlopt.LD_LBFGS, x0.size)
    >>> opt.set_min_objective(fun)
    >>> opt.set_xtol_rel(1e-9)
    >>> np.round(opt.optimize(x0), 4)
    array([2., 2.])
    """
    start, unflatten = start_of(x0)
    flat = FlatObjective(f, unflatten, args, backend)

    def fun(x: FlatArray, gradient: FlatArray) -> float:
        if not gradient.size:
            return flat.value(x)
        value, gradient[:] = flat.value_and_gradient(x)
        return value

    return fun, start, unflatten


def constraints(
    g: Callable[..., Any], x0: Any, *args: Any, backend: str = "python"
) -> Callable[[FlatArray, FlatArray, FlatArray], None]:
    """Several constraints, for `opt.add_inequality_mconstraint(fun, tolerances)`.

    Parameters
    ----------
    g : callable
        A function of a container of parameters that gives an array or a list.
    x0
        The parameters to start from.
    *args
        What `g` takes after the parameters.
    backend : {"python", "numba", "auto"}
        What runs the generated code.

    Returns
    -------
    fun : callable
        `fun(values, x, jacobian)` writes into its first and last argument.

    Examples
    --------
    >>> import numpy as np
    >>> fun = constraints(lambda x: [x[0] + x[1] - 1.0, x[0] * x[1]], np.zeros(2))
    >>> values, jacobian = np.empty(2), np.empty((2, 2))
    >>> fun(values, np.array([2.0, 3.0]), jacobian)
    >>> values, jacobian
    (array([4., 6.]), array([[1., 1.],
           [3., 2.]]))
    """
    flat = constraints_of(g, start_of(x0)[1], args, backend)

    def fun(values: FlatArray, x: FlatArray, jacobian: FlatArray) -> None:
        values[:] = flat(x)
        if jacobian.size:
            jacobian[:] = flat.jac(x)

    return fun
