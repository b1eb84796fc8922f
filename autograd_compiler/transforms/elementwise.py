"""`elementwise_grad`: the derivative of a function that works on each element alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from autograd_compiler import ir, nested
from autograd_compiler.contract import owned
from autograd_compiler.errors import ArgumentError
from autograd_compiler.operands import type_of_operand
from autograd_compiler.specialise import selected
from autograd_compiler.transforms.base import (
    Compiled,
    inside_of_programs,
    specialiser_of,
)
from autograd_compiler.transforms.products import tangent_in
from autograd_compiler.transforms.repeated import refusal
from autograd_compiler.types import Array, is_complex, is_inexact


class Elementwise(Compiled):
    """The derivative of each element of the result in the same element of `x`.

    Made by `elementwise_grad`.
    """

    def __init__(
        self,
        fun: Callable[..., Any],
        order: int = 1,
        argnums: int | str = 0,
        *,
        backend: str = "python",
    ) -> None:
        if isinstance(order, bool) or not isinstance(order, int) or order < 1:
            raise ArgumentError(f"order must be a number from 1 on, and is {order!r}")
        if isinstance(argnums, (tuple, list)):
            raise ArgumentError("elementwise_grad takes one argument in argnums")
        self.kind = "elementwise_grad" if order == 1 else f"elementwise_grad_{order}"
        self.title = "Elementwise derivative"
        options = {"order": order, "argnums": argnums, "backend": backend}
        super().__init__(fun, options, backend)
        self._function = fun if order == 1 else Elementwise(fun, order - 1, argnums)
        (self._wrt,) = self._value.wrt(argnums)

    @property
    def _value(self) -> Any:
        return specialiser_of(self.primal, "value")

    def _check(self, values: Mapping[str, Any]) -> None:
        self._value.check_selected((self._wrt,), values)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """The derivatives, in the shape of the argument."""
        found, values = self._specialised(args, kwargs)
        return owned(found.call(values), selected(values, self._wrt))

    def __autograd_compiler_call__(
        self, low: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any], node: Any
    ) -> Any:
        values = nested.bind(low, self.signature, args, kwargs, node)
        argument = low.operand(nested.selected(low, values, self._wrt), node)
        name = self._function_name
        nested.check_floats(low, argument, name, self._wrt, node)
        if isinstance(argument, ir.Pack):
            raise refusal(
                low,
                node,
                f"`{self._wrt}` is a container, and elementwise_grad needs an array",
                "use `jacobian`",
            )
        ones: ir.Operand = ir.Const(1.0)
        if _ndim(argument):
            ones = low.apply(np.ones_like, argument)
        out, tangent = tangent_in(
            low, self._function, (self._wrt,), values, (ones,), node
        ).items
        out = low.operand(out, node)
        if (
            isinstance(out, ir.Pack)
            or not is_inexact(type_of_operand(out))
            or is_complex(type_of_operand(out)) > is_complex(type_of_operand(argument))
            or _ndim(out) != _ndim(argument)
        ):
            raise refusal(
                low,
                node,
                f"`{name}` does not give one number of the same kind for each element of `{self._wrt}`",
                "use `jacobian`",
            )
        taken = nested.arrays_of(low, values, node)
        found = nested.owned(low, tangent, argument, taken, node)
        return nested.filled(low, found, argument, node)


def _ndim(operand: ir.Operand) -> int:
    found = type_of_operand(operand)
    return found.ndim if isinstance(found, Array) else 0


def elementwise_grad(
    fun: Callable[..., Any] | None = None,
    order: int = 1,
    argnums: int | str = 0,
    *,
    backend: str = "python",
) -> Any:
    """Make the derivative of a function that works on each element alone.

    All elements cost one tangent.  What the function does must be elementwise: if a
    result depends on several elements, the sum of its derivatives in them is given.

    Parameters
    ----------
    fun : callable
        A function whose result has the shape of the selected argument.
    order : int
        Which derivative: 1 is the first.
    argnums : int or str
        The argument to differentiate in, by position or name.
    backend : {"python", "numba", "auto"}
        What runs the generated code.

    Returns
    -------
    Elementwise
        A callable, that gives an array of the shape of the argument (a number for a
        number).

    Raises
    ------
    ArgumentError
        If the argument is not of floats, or the result has another number of
        dimensions.
    UnsupportedError
        If the function cannot be differentiated; it names the line.

    Examples
    --------
    >>> import numpy as np
    >>> elementwise_grad(lambda x: x**3)(np.array([1.0, 2.0]))
    array([ 3., 12.])
    >>> elementwise_grad(lambda x: x**3, 2)(np.array([1.0, 2.0]))
    array([ 6., 12.])
    """
    options: Any = {"order": order, "argnums": argnums, "backend": backend}
    if fun is None:
        return lambda found: Elementwise(found, **options)
    return Elementwise(fun, **options)


inside_of_programs(elementwise_grad)
