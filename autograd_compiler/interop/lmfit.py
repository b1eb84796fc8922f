"""lmfit: residuals with their Jacobian, for `lmfit.minimize`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from autograd_compiler import tree
from autograd_compiler.errors import ArgumentError
from autograd_compiler.flat import FlatArray
from autograd_compiler.interop.flat_functions import vector_of
from autograd_compiler.interop.library import require
from autograd_compiler.transforms import jacobian

require("lmfit")


class Residuals:
    """What `lmfit.minimize` takes as its function, and `jac` as its `Dfun`.

    Made by `residuals`.
    """

    def __init__(self, f: Callable[..., Any], backend: str) -> None:
        self._function = f
        self._jacobian = jacobian(f, backend=backend)

    def __call__(self, parameters: Any, *args: Any, **kwargs: Any) -> FlatArray:
        """The residuals for an `lmfit.Parameters`."""
        return vector_of(self._function(_values(parameters), *args, **kwargs))

    def jac(self, parameters: Any, *args: Any, **kwargs: Any) -> FlatArray:
        """The Jacobian, with one column for each parameter that varies."""
        for name, parameter in parameters.items():
            if parameter.expr:
                raise ArgumentError(
                    f"parameter {name!r} follows others by the expression "
                    f"{parameter.expr!r}, which is not differentiated; write it into "
                    "the function"
                )
        values = _values(parameters)
        parts, _ = tree.flatten(self._jacobian(values, *args, **kwargs))
        columns = [
            vector_of(parts[number :: len(values)])
            for number, parameter in enumerate(parameters.values())
            if parameter.vary
        ]
        return np.stack(columns, axis=1)  # lmfit scales it in place


def _values(parameters: Any) -> dict[str, float]:
    return {name: float(value) for name, value in parameters.valuesdict().items()}


def residuals(f: Callable[..., Any], *, backend: str = "python") -> Residuals:
    """Residuals for `lmfit.minimize(fun, params, args=..., Dfun=fun.jac)`.

    For the methods "leastsq" and "least_squares".  Bounds and parameters that are fixed
    are lmfit's affair; expressions that tie parameters are refused.

    Parameters
    ----------
    f : callable
        `f(p, *args)`: the residuals for a dict of parameters; a number, an array, or a
        container of these.
    backend : {"python", "numba", "auto"}
        What runs the generated code.

    Raises
    ------
    ArgumentError
        From `jac`, if a parameter is given by an expression.

    Examples
    --------
    >>> import lmfit
    >>> import numpy as np
    >>> x = np.linspace(0.0, 2.0, 20)
    >>> fun = residuals(lambda p, x, y: p["height"] * np.exp(-p["rate"] * x) - y)
    >>> params = lmfit.create_params(height=1.0, rate=1.0)
    >>> y = 3.0 * np.exp(-1.5 * x)
    >>> found = lmfit.minimize(fun, params, args=(x, y), Dfun=fun.jac).params
    >>> {name: round(value, 4) for name, value in found.valuesdict().items()}
    {'height': 3.0, 'rate': 1.5}
    """
    return Residuals(f, backend)
