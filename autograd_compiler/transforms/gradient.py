"""`grad` and `value_and_grad`.

Names and meaning are JAX's where JAX has them.  There is no compiler logic here: a
transformation binds arguments, asks for compiled code of their kind, and hands out
results that are the caller's own.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import Any

from autograd_compiler import ir, nested
from autograd_compiler.contract import as_float, owned
from autograd_compiler.export import files
from autograd_compiler.frontend.handlers import handles
from autograd_compiler.pipeline import Lowered
from autograd_compiler.specialise import Specialised, Specialiser, selected
from autograd_compiler.transforms.base import (
    Argnums,
    Transformation,
    inside_of_programs,
)
from autograd_compiler.transforms.exporting import exported, try_compiled
from autograd_compiler.transforms.results import check_holomorphic


class Gradient(Transformation):
    """A function's gradient; made by `grad` and `value_and_grad`.

    Calling it gives the derivative of `primal` in the selected arguments.

    Attributes
    ----------
    primal : callable
        The original function.
    source : str
        The generated Python: for the argument types of the last call, and before any
        call for numbers and arrays of any dimensions alike.  What annotations and
        defaults tell of the arguments is then taken for granted, and the docstring
        says so; calls never go by it.
    """

    def __init__(
        self,
        fun: Callable[..., Any],
        argnums: Argnums = 0,
        *,
        has_aux: bool = False,
        holomorphic: bool = False,
        backend: str = "python",
        with_value: bool = False,
        simplify: bool = True,
        debug_nans: bool = False,
        fastmath: bool = False,
    ) -> None:
        options: Any = {
            "has_aux": has_aux,
            "holomorphic": holomorphic,
            "backend": backend,
            "simplify": simplify,
            "debug_nans": debug_nans,
            "fastmath": fastmath,
        }
        self._gradient = Specialiser(fun, "grad", **options)
        self._both = Specialiser(fun, "value_and_grad", **options)
        options |= {"argnums": argnums, "with_value": with_value}
        super().__init__(fun, options)
        self.kind = "value_and_grad" if with_value else "grad"
        self.title = "Value and gradient" if with_value else "Gradient"
        self._with_value = with_value
        self._has_aux = has_aux
        self._holomorphic = holomorphic
        self._backend = backend
        self._wrt = self._gradient.wrt(argnums)
        parameters = list(self._gradient.signature.parameters)
        # Of starred arguments there is none: these are always called by name.
        self._positions = [parameters.index(n) for n in self._wrt if n in parameters]
        self._alone = not isinstance(argnums, (tuple, list))
        self.__signature__ = self._gradient.signature

    def __repr__(self) -> str:
        return f"{super().__repr__()[:-1]} in {', '.join(self._wrt)}>"

    # ------------------------------------------------------------ calling

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """The gradient (and with `value_and_grad` the value in front of it)."""
        if self._with_value:
            return self.value_and_grad(*args, **kwargs)
        result, values = self._run(self._gradient, args, kwargs)
        if self._has_aux:
            gradient, aux = result
            return self._finish(gradient, args, values), aux
        return self._finish(result, args, values)

    def value_and_grad(self, *args: Any, **kwargs: Any) -> Any:
        """The value and the gradient: `(value, gradient)`.

        With `has_aux`, the value is the pair `(value, aux)`.
        """
        (value, gradient), values = self._run(self._both, args, kwargs)
        if self._has_aux:
            value = (as_float(value[0]), value[1])
        else:
            value = as_float(value)
        return value, self._finish(gradient, args, values)

    def _run(
        self, specialiser: Specialiser, args: Any, kwargs: Any
    ) -> tuple[Any, Mapping[str, Any] | None]:
        if self._holomorphic:
            values = specialiser.bind(args, kwargs)
            check_holomorphic(specialiser, self._wrt, values)
        return specialiser.run(self._wrt, args, kwargs)

    def _finish(
        self, gradient: Any, args: tuple[Any, ...], values: Mapping[str, Any] | None
    ) -> Any:
        """The gradient in the form of the arguments, which have names or positions."""
        if values is not None:
            given = [selected(values, name) for name in self._wrt]
        elif self._alone:
            return owned(gradient, args[self._positions[0]])
        else:
            given = [args[position] for position in self._positions]
        if self._alone:
            return owned(gradient, given[0])
        parts = (gradient,) if len(given) == 1 else gradient
        return tuple(map(owned, parts, given))

    # ------------------------------------------------------------ inspecting

    @property
    def _main(self) -> Specialiser:
        return self._both if self._with_value else self._gradient

    @property
    def source(self) -> str:
        """The generated source; see the class."""
        last = self._main.last
        if last is None:
            last = (
                self._both.last if self._main is self._gradient else self._gradient.last
            )
        if last is None:
            return self._main.generic(self._wrt).source
        if last is not self._main.last:
            return self._relowered(last).source
        return last.lowered.source

    def _relowered(self, other: Specialised) -> Lowered:
        """This derivative for the argument types that the other one was called with."""
        for specialiser in (self._both, self._gradient):
            for key, found in specialiser._known.items():
                if other in found:
                    return self._main.lower(self._wrt, specialiser.arguments[key])
        return other.lowered

    def lower(self, *args: Any, **kwargs: Any) -> Lowered:
        """The gradient specialised to the types of these arguments."""
        main = self._main
        values = main.bind(args, kwargs)
        main.check_selected(self._wrt, values)
        return main.specialise(self._wrt, values).lowered

    def export(
        self,
        path: str | os.PathLike[str],
        /,
        *args: Any,
        value: bool | None = None,
        name: str = "",
        **kwargs: Any,
    ) -> None:
        """Write the derivative as a module that needs NumPy and not this package.

        Parameters
        ----------
        path : path
            The file, which is overwritten.
        *args, **kwargs
            Example arguments: the code is then for arguments of their kinds, and
            refuses others.  Without any it is what `source` is before a call.
        value : bool
            Whether the exported function gives `(value, gradient)`; by default it gives
            what this object gives.
        name : str
            What the exported function is called; by default `loss_grad` or
            `loss_value_and_grad` for a function `loss`.

        Raises
        ------
        ExportError
            If the file cannot be written, or the function needs an object that can
            neither be written down nor imported.
        """
        called = self._call_text("export", repr(os.fspath(path)), bool(args or kwargs))
        text = self.exported(*args, value=value, name=name, again=called, **kwargs)
        files.write(path, text)

    def exported(
        self,
        *args: Any,
        value: bool | None = None,
        name: str = "",
        again: str = "",
        **kwargs: Any,
    ) -> str:
        """The text that `export` writes; `again` is how its header says to renew it."""
        main = self._main if value is None else self._both if value else self._gradient
        values = main.bind(args, kwargs) if args or kwargs else None
        text = exported(main, self._wrt, values, again, alone=self._alone, name=name)
        if values is not None and main.backend == "numba":
            try_compiled(main.specialise(self._wrt, values), self._wrt, values)
        return text

    # ------------------------------------------------------------ being differentiated

    def __autograd_compiler_call__(
        self, low: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any], node: Any
    ) -> Any:
        """A call of this derivative in a function that is differentiated itself."""
        return self._lower_call(low, args, kwargs, node, self._with_value)

    def _lower_call(
        self, low: Any, args: Any, kwargs: Any, node: Any, with_value: bool
    ) -> Any:
        specialiser = self._both if with_value else self._gradient
        checks = self._options["debug_nans"]  # of the program around, or of none
        if (
            self._backend != "python" or checks
        ):  # generated Python is what can be read again
            kept = ("has_aux", "holomorphic", "simplify")
            options = {name: self._options[name] for name in kept}
            specialiser = Specialiser(self.primal, specialiser.mode, **options)
        result, values = nested.call_gradient(
            low, specialiser, self._wrt, args, kwargs, node
        )
        first: Any
        second: Any
        first, second = result.items if with_value or self._has_aux else (None, result)
        if self._has_aux and not with_value:
            first, second = second, first
        taken = nested.arrays_of(low, values, node)
        parts = second.items if len(self._wrt) > 1 else (second,)
        made = tuple(
            nested.owned(low, part, nested.selected(low, values, name), taken, node)
            for part, name in zip(parts, self._wrt, strict=True)
        )
        gradient = made[0] if self._alone else ir.Pack(made)
        if with_value:
            return ir.Pack((first, gradient))
        return ir.Pack((gradient, first)) if self._has_aux else gradient


# ---------------------------------------------------------------- grad


def grad(
    fun: Callable[..., Any] | None = None,
    argnums: Argnums = 0,
    *,
    has_aux: bool = False,
    holomorphic: bool = False,
    backend: str = "python",
    debug_nans: bool = False,
    fastmath: bool = False,
    _simplify: bool = True,
) -> Any:
    """Make the gradient of a function that returns one number.

    Parameters
    ----------
    fun : callable
        A function of numbers, arrays and containers of them.
    argnums : int, str or tuple of these
        The arguments to differentiate in, by position or name.
    has_aux : bool
        Whether `fun` returns `(value, aux)`; the gradient is then `(gradient, aux)`.
    holomorphic : bool
        Whether `fun` is a complex function of complex numbers that has a complex
        derivative, which is then the result.
    backend : {"python", "numba", "auto"}
        What runs the generated code.
    debug_nans : bool
        Whether the generated code checks what it computes, and raises `NonFiniteError`
        where a NaN or an infinity appears first, in either sweep.
    fastmath : bool
        Whether Numba may compile what is right for real numbers only: sums in any order,
        and no care for NaN and infinities.

    Returns
    -------
    Gradient
        A callable; its result has the structure, shapes and dtypes of the selected
        argument (a tuple of such for several).

    Raises
    ------
    ArgumentError
        If an argument that is selected is not of floats, or the result is not one real
        number: `jacobian` and `vjp` take functions with other results.
    UnsupportedError
        If the function cannot be differentiated; it names the line.

    Examples
    --------
    >>> import numpy as np
    >>> gradient = grad(lambda x: np.sum(x**2))
    >>> gradient(np.array([1.0, 2.0]))
    array([2., 4.])
    """
    options: Any = {
        "has_aux": has_aux,
        "holomorphic": holomorphic,
        "backend": backend,
        "simplify": _simplify,
        "debug_nans": debug_nans,
        "fastmath": fastmath,
    }
    if fun is None:
        return lambda found: Gradient(found, argnums, **options)
    return Gradient(fun, argnums, **options)


def value_and_grad(
    fun: Callable[..., Any] | None = None,
    argnums: Argnums = 0,
    *,
    has_aux: bool = False,
    holomorphic: bool = False,
    backend: str = "python",
    debug_nans: bool = False,
    fastmath: bool = False,
    _simplify: bool = True,
) -> Any:
    """Make a function that gives `(value, gradient)`; the parameters are `grad`'s.

    Examples
    --------
    >>> value_and_grad(lambda x: x**3)(2.0)
    (8.0, 12.0)
    """
    options: Any = {
        "has_aux": has_aux,
        "holomorphic": holomorphic,
        "backend": backend,
        "with_value": True,
        "simplify": _simplify,
        "debug_nans": debug_nans,
        "fastmath": fastmath,
    }
    if fun is None:
        return lambda found: Gradient(found, argnums, **options)
    return Gradient(fun, argnums, **options)


# ---------------------------------------------------------------- inside of derivatives


inside_of_programs(grad)
inside_of_programs(value_and_grad)


@handles(Gradient.value_and_grad)
def _method_value_and_grad(low: Any, args: Any, kwargs: Any, node: Any) -> Any:
    gradient, *rest = args
    found = nested.function_of(low, gradient, node)
    assert isinstance(found, Gradient)
    return found._lower_call(low, tuple(rest), kwargs, node, with_value=True)
