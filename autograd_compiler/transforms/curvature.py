"""Products with matrices of second derivatives, which are never formed.

`hvp` and `vhp` multiply by the Hessian (B. A. Pearlmutter, Fast exact multiplication by
the Hessian, Neural Computation 6, 1994), `gauss_newton` by its positive part for a sum
of squares or another convex loss (N. N. Schraudolph, Fast curvature matrix-vector
products for second-order gradient descent, Neural Computation 14, 2002), `fisher` by
the empirical Fisher matrix.  All have the signature `(x, v, *args)`.
"""

from __future__ import annotations

import abc
import inspect
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from autograd_compiler import ir, nested, tree
from autograd_compiler.contract import owned
from autograd_compiler.errors import ArgumentError
from autograd_compiler.frontend import calls
from autograd_compiler.specialise import Specialised
from autograd_compiler.transforms.base import (
    Compiled,
    inside_of_programs,
    specialiser_of,
)
from autograd_compiler.transforms.gradient import Gradient
from autograd_compiler.transforms.products import (
    pullback_at,
    pullback_in,
    tangent_at,
    tangent_in,
)
from autograd_compiler.transforms.repeated import again, refuse_effects
from autograd_compiler.transforms.results import copied, like

Values = Mapping[str, Any]


class Product(Compiled):
    """The product of a matrix of second derivatives at `x` and a vector `v`.

    Made by `hvp`, `vhp`, `gauss_newton` and `fisher`.

    Attributes
    ----------
    primal : callable
        The original function.
    source : str
        The generated Python, for the argument types of the last call.
    """

    def __init__(
        self, fun: Callable[..., Any], backend: str = "python", **options: Any
    ) -> None:
        super().__init__(fun, {"backend": backend, **options}, backend)
        self._gradient = Gradient(fun, self._first)

    @property
    def _value(self) -> Any:
        return specialiser_of(self.primal, "value")

    def _signature(self) -> inspect.Signature:
        """That of the function, with `v` after its first argument."""
        signature: inspect.Signature = self._value.signature
        parameters = list(signature.parameters.values())
        positional = (
            inspect.Parameter.POSITIONAL_ONLY,
            inspect.Parameter.POSITIONAL_OR_KEYWORD,
        )
        if not parameters or parameters[0].kind not in positional:
            raise ArgumentError(
                f"`{self._function_name}` has no first argument to differentiate in"
            )
        first, *rest = parameters
        taken = set(signature.parameters)
        name = "v"
        while name in taken:
            name = f"{name}_"
        self._first, self._vector = first.name, name
        first = first.replace(default=inspect.Parameter.empty)
        vector = inspect.Parameter(name, first.kind)
        return signature.replace(parameters=[first, vector, *rest])

    def _check(self, values: Values) -> None:
        point = {name: item for name, item in values.items() if name != self._vector}
        self._value.check_selected((self._first,), point)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """The product, in the form of `x`."""
        bound = self._program.bind(args, kwargs)
        self._check(bound)
        point = bound[self._first]
        bound[self._vector] = like(bound[self._vector], point, "vector")
        found = self._readable(bound)
        if found is None:
            vector = bound.pop(self._vector)
            return owned(self._by_calls(bound, vector), point)
        return owned(found.call(bound), point)

    @abc.abstractmethod
    def _by_calls(self, values: dict[str, Any], vector: Any) -> Any:
        """The product without a program around the parts that it is made of."""

    def __autograd_compiler_call__(
        self, low: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any], node: Any
    ) -> Any:
        values = nested.bind(low, self.signature, args, kwargs, node)
        vector = values.pop(self._vector)
        point = values[self._first]
        nested.check_floats(low, point, self._function_name, self._first, node)
        nested.check_like(low, vector, point, "vector", node)
        product = self._product(low, values, vector, node)
        taken = nested.arrays_of(low, {**values, self._vector: vector}, node)
        return nested.owned(low, product, point, taken, node)

    @abc.abstractmethod
    def _product(self, low: Any, values: Values, vector: Any, node: Any) -> Any:
        """The product, in the program that is being lowered."""


class HessianVector(Product):
    """Forward over reverse: the tangent of the gradient along `v`."""

    kind = "hvp"
    title = "Hessian-vector product"

    def _product(self, low: Any, values: Values, vector: Any, node: Any) -> Any:
        gradient = self._gradient
        found = tangent_in(low, gradient, (self._first,), values, (vector,), node)
        return found.items[1]

    def _by_calls(self, values: dict[str, Any], vector: Any) -> Any:
        return _tangent(self._gradient, self._first, values, vector)


class VectorHessian(Product):
    """Reverse over reverse: the pullback of the gradient at `v`."""

    kind = "vhp"
    title = "Vector-Hessian product"

    def _product(self, low: Any, values: Values, vector: Any, node: Any) -> Any:
        gradient = self._gradient
        _, pullback, _ = pullback_in(low, gradient, (self._first,), values, node)
        return pullback.adjoints(low, vector, node).items[0]

    def _by_calls(self, values: dict[str, Any], vector: Any) -> Any:
        pullback = specialiser_of(self._gradient, "pullback", has_aux=False)
        return pullback_at(pullback, (self._first,), values)[1](vector)[0]


class GaussNewton(Product):
    """Tangent of the function, Hessian of the loss, pullback of the function."""

    kind = "gauss_newton"
    title = "Gauss-Newton-vector product"

    def __init__(
        self,
        fun: Callable[..., Any],
        loss: Callable[..., Any] | None = None,
        backend: str = "python",
    ) -> None:
        self._loss = loss
        super().__init__(fun, backend, loss=loss)

    def _product(self, low: Any, values: Values, vector: Any, node: Any) -> Any:
        fun, wrt = self.primal, (self._first,)
        value: Specialised = nested.specialise(low, self._value, (), values, node)
        refuse_effects(low, value, self._function_name, "twice", node)
        fresh = again(low, value, node)
        out, tangent = tangent_in(low, fun, wrt, fresh(values), (vector,), node).items
        _, pullback, _ = pullback_in(low, fun, wrt, values, node)
        weighted = self._weighted(low, out, tangent, node)
        return pullback.adjoints(low, weighted, node).items[0]

    def _weighted(self, low: Any, out: Any, tangent: Any, node: Any) -> Any:
        if self._loss is None:
            return tangent
        product = HessianVector(self._loss)
        return calls.call(low, ir.Const(product), (out, tangent), {}, node)

    def _by_calls(self, values: dict[str, Any], vector: Any) -> Any:
        tangent = _tangent(self.primal, self._first, copied(values), vector)
        pullback = specialiser_of(self.primal, "pullback", has_aux=False)
        out, pull, _ = pullback_at(pullback, (self._first,), values)
        return pull(self._weight(out, tangent))[0]

    def _weight(self, out: Any, tangent: Any) -> Any:
        return (
            tangent if self._loss is None else HessianVector(self._loss)(out, tangent)
        )


class Fisher(GaussNewton):
    """Tangent and pullback of a log-likelihood, divided by the number of samples."""

    kind = "fisher"
    title = "Fisher-vector product"

    def __init__(self, fun: Callable[..., Any], backend: str = "python") -> None:
        super().__init__(fun, None, backend)
        self._options = {"backend": backend}

    def _weighted(self, low: Any, out: Any, tangent: Any, node: Any) -> Any:
        mean = nested.defined(
            "mean",
            "def mean(out, tangent):\n    return tangent / np.size(out)\n",
        )
        return calls.call(low, ir.Const(mean), (out, tangent), {}, node)

    def _weight(self, out: Any, tangent: Any) -> Any:
        return tree.map_leaves(lambda leaf: leaf / np.size(out), tangent)


def _tangent(fun: Any, wrt: str, values: dict[str, Any], vector: Any) -> Any:
    specialiser = specialiser_of(fun, "jvp", has_aux=False, backend="python")
    return tangent_at(specialiser, (wrt,), values, [vector])[1]


def hvp(fun: Callable[..., Any] | None = None, *, backend: str = "python") -> Any:
    """Make the product of a function's Hessian and a vector.

    It costs about as much as two gradients, however long the vector is, and is what
    `scipy.optimize.minimize` takes as `hessp`.

    Parameters
    ----------
    fun : callable
        A function of `x` (a number, an array or a container) and further arguments,
        that returns one number.
    backend : {"python", "numba", "auto"}
        What runs the generated code.

    Returns
    -------
    Product
        A callable: `(x, v, *args)`, where `v` has the form of `x`, gives `H(x) v` in
        the form of `x`.

    Raises
    ------
    ArgumentError
        If `x` is not of floats, `v` has another form, or the result is not a number.
    UnsupportedError
        If the function cannot be differentiated twice; it names the line.

    Examples
    --------
    >>> import numpy as np
    >>> product = hvp(lambda x: x[0] ** 2 * x[1])
    >>> product(np.array([1.0, 2.0]), np.array([1.0, 0.0]))
    array([4., 2.])
    """
    return _made(HessianVector, fun, backend=backend)


def vhp(fun: Callable[..., Any] | None = None, *, backend: str = "python") -> Any:
    """Make the product of a vector and a function's Hessian, reverse over reverse.

    As the Hessian is symmetric, this is what `hvp` gives; the way to it differs, and
    usually costs more.  Parameters, result and errors are those of `hvp`.

    Examples
    --------
    >>> import numpy as np
    >>> product = vhp(lambda x: x[0] ** 2 * x[1])
    >>> product(np.array([1.0, 2.0]), np.array([1.0, 0.0]))
    array([4., 2.])
    """
    return _made(VectorHessian, fun, backend=backend)


def gauss_newton(
    fun: Callable[..., Any] | None = None,
    loss: Callable[..., Any] | None = None,
    *,
    backend: str = "python",
) -> Any:
    """Make the product of a Gauss-Newton matrix and a vector.

    With `J` the Jacobian of `fun` in its first argument, it is `J.T @ J @ v`: the
    Hessian of `0.5 * sum(fun(x)**2)` without the second derivatives of `fun`.  With a
    loss, it is `J.T @ H @ J @ v`, where `H` is the Hessian of `loss` at `fun(x)`.

    Parameters
    ----------
    fun : callable
        The residuals, or the model: a function of `x` and further arguments, that
        returns a number, an array or a container.
    loss : callable, optional
        A function of what `fun` returns, that returns one number.
    backend : {"python", "numba", "auto"}
        What runs the generated code.

    Returns
    -------
    Product
        A callable: `(x, v, *args)`, where `v` has the form of `x`, gives the product in
        the form of `x`.

    Raises
    ------
    ArgumentError
        If `x` is not of floats, `v` has another form, or `fun` may give another result
        each time that it is run.
    UnsupportedError
        If the function cannot be differentiated; it names the line.

    Examples
    --------
    >>> import numpy as np
    >>> product = gauss_newton(lambda x: x**2)
    >>> product(np.array([1.0, 2.0]), np.array([1.0, 1.0]))
    array([ 4., 16.])
    """
    return _made(GaussNewton, fun, loss=loss, backend=backend)


def fisher(fun: Callable[..., Any] | None = None, *, backend: str = "python") -> Any:
    """Make the product of the empirical Fisher matrix and a vector.

    `fun` gives the log-likelihood of each sample; with `s` the gradients of these
    (the scores), the matrix is the mean of `outer(s, s)`.

    Parameters
    ----------
    fun : callable
        A function of the parameters `x` and further arguments, that returns an array
        with one log-likelihood per sample.
    backend : {"python", "numba", "auto"}
        What runs the generated code.

    Returns
    -------
    Product
        A callable: `(x, v, *args)`, where `v` has the form of `x`, gives the product in
        the form of `x`.

    Raises
    ------
    ArgumentError
        If `x` is not of floats, `v` has another form, or `fun` may give another result
        each time that it is run.
    UnsupportedError
        If the function cannot be differentiated; it names the line.

    Examples
    --------
    >>> import numpy as np
    >>> data = np.array([1.0, 2.0, 3.0, 4.0])
    >>> product = fisher(lambda mean, data: -0.5 * (data - mean) ** 2)
    >>> print(product(2.0, 1.0, data))
    1.5
    """
    return _made(Fisher, fun, backend=backend)


def _made(cls: Any, fun: Any, **options: Any) -> Any:
    if fun is None:
        return lambda found: cls(found, **options)
    return cls(fun, **options)


for _maker in (hvp, vhp, gauss_newton, fisher):
    inside_of_programs(_maker)
