"""PyTensor, and so PyMC: a NumPy function as an operation with its own gradient."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from autograd_compiler.errors import ArgumentError
from autograd_compiler.interop.library import require
from autograd_compiler.transforms import value_and_grad

_op: Any = require("pytensor.graph.op")
_basic: Any = require("pytensor.graph.basic")
_tensor: Any = require("pytensor.tensor")
_gradient: Any = require("pytensor.gradient")


class ValueAndGradient(_op.Op):
    """The value of a function, and after it the gradient in each argument of floats.

    PyTensor merges equal operations: a compiled function that gives both the value and
    the gradient runs it once.
    """

    __props__ = ("function", "backend")

    def __init__(self, function: Callable[..., Any], backend: str) -> None:
        self.function = function
        self.backend = backend
        self._derivatives: dict[tuple[int, ...], Any] = {}

    def make_node(self, *inputs: Any) -> Any:
        variables = [_tensor.as_tensor_variable(item) for item in inputs]
        gradients = [variables[place].type() for place in _floats(variables)]
        if not gradients:
            raise ArgumentError(f"`{self}` needs an argument of floats")
        return _basic.Apply(self, variables, [_tensor.dscalar(), *gradients])

    def perform(self, node: Any, inputs: Any, outputs: Any) -> None:
        selected = _floats(node.inputs)
        if selected not in self._derivatives:
            made = value_and_grad(self.function, selected, backend=self.backend)
            self._derivatives[selected] = made
        point = [np.array(item)[()] for item in inputs]
        value, gradients = self._derivatives[selected](*point)
        outputs[0][0] = np.asarray(value, float)
        for place, cell, gradient in zip(selected, outputs[1:], gradients, strict=True):
            cell[0] = np.asarray(gradient, node.inputs[place].dtype)

    def infer_shape(self, fgraph: Any, node: Any, shapes: Any) -> Any:
        return [(), *[shapes[place] for place in _floats(node.inputs)]]

    def pullback(self, inputs: Any, outputs: Any, cotangents: Any) -> Any:
        disconnected = _gradient.DisconnectedType
        first, *others = cotangents
        if not all(isinstance(item.type, disconnected) for item in others):
            raise ArgumentError("PyTensor differentiates a NumPy function once only")
        found = [disconnected()() for _ in inputs]
        for place, gradient in zip(_floats(inputs), outputs[1:], strict=True):
            found[place] = first * gradient
        return found

    L_op = pullback  # its name in PyTensor 2

    def connection_pattern(self, node: Any) -> list[list[bool]]:
        floats = _floats(node.inputs)
        return [
            [place in floats] * len(node.outputs) for place in range(len(node.inputs))
        ]

    def __str__(self) -> str:
        return getattr(self.function, "__name__", "function")


def _floats(variables: Any) -> tuple[int, ...]:
    return tuple(
        i for i, item in enumerate(variables) if item.dtype.startswith("float")
    )


def pytensor_function(
    f: Callable[..., Any], *, backend: str = "python"
) -> Callable[..., Any]:
    """The function of PyTensor variables that a NumPy function is.

    For `pymc.Potential`, `pymc.CustomDist` and their kin: a log-likelihood with its
    gradient.  Value and gradient come from one run of generated code.

    Parameters
    ----------
    f : callable
        A function of numbers and arrays that gives one number.
    backend : {"python", "numba", "auto"}
        What runs the generated code.

    Returns
    -------
    callable
        It takes variables where `f` takes numbers and arrays, and gives a scalar.

    Examples
    --------
    >>> import numpy as np
    >>> import pytensor
    >>> import pytensor.tensor as pt
    >>> log_density = pytensor_function(lambda x, scale: -np.sum((x / scale) ** 2))
    >>> x = pt.dvector()
    >>> out = log_density(x, 2.0)
    >>> compiled = pytensor.function([x], [out, pytensor.grad(out, x)], mode="FAST_COMPILE")
    >>> compiled(np.array([2.0, 4.0]))
    [array(-5.), array([-1., -2.])]
    """
    op = ValueAndGradient(f, backend)
    return lambda *args: op(*args)[0]
