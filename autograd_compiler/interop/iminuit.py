"""iminuit: a cost function with its gradient, for `Minuit`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from autograd_compiler.flat import FlatArray, Unflatten
from autograd_compiler.interop.flat_functions import FlatObjective, start_of
from autograd_compiler.interop.library import require

require("iminuit")


class Cost(FlatObjective):
    """What `Minuit` takes: a function with the attributes `grad` and `errordef`.

    Made by `cost`.

    Attributes
    ----------
    errordef : float
        How much the cost grows at one standard error.
    names : list of str
        A name for each parameter, for `Minuit(..., name=...)`.
    """

    errordef: float = 1.0

    @property
    def names(self) -> list[str]:
        return self._unflatten.names

    def __call__(self, x: Any) -> float:
        """The value alone: `Minuit` asks for several values per gradient."""
        return self.value(x)

    def grad(self, x: Any) -> FlatArray:
        """The flat gradient; `Minuit` finds it by this name."""
        return self.gradient(x)


def cost(
    f: Callable[..., Any],
    x0: Any,
    *args: Any,
    errordef: float = 1.0,
    backend: str | None = None,
) -> tuple[Cost, FlatArray, Unflatten]:
    """A cost function and its start, for `Minuit(fun, x0, name=fun.names)`.

    Parameters
    ----------
    f : callable
        A function of a container of parameters that gives one number; `@grad` or not.
    x0
        The parameters to start from.
    *args
        What `f` takes after the parameters.
    errordef : float
        1 for a sum of squares divided by their variances, 0.5 for a negative
        log-likelihood.
    backend : {"python", "numba", "auto"}, optional
        What runs the generated code.

    Returns
    -------
    fun : Cost
        The cost of a flat array; `fun.grad` is the gradient.
    x0 : ndarray
        The start as a flat array.
    unflatten : Unflatten
        Makes parameters of `minuit.values`.

    Raises
    ------
    ArgumentError
        If the parameters are not real floats.

    Examples
    --------
    >>> from iminuit import Minuit
    >>> fun, x0, unflatten = cost(
    ...     lambda p: (p["a"] - 2.0) ** 2 + (p["b"] - p["a"]) ** 2, {"a": 0.0, "b": 0.0}
    ... )
    >>> minuit = Minuit(fun, x0, name=fun.names).migrad()
    >>> {name: round(value, 4) for name, value in unflatten(minuit.values).items()}
    {'a': 2.0, 'b': 2.0}
    """
    start, unflatten = start_of(x0)
    fun = Cost(f, unflatten, args, backend)
    fun.errordef = errordef
    return fun, start, unflatten
