"""`custom_vjp` and `custom_jvp`: a function with a derivative that the user writes.

Both are rules of the general form.  The user's functions are inlined by the frontend
like those of any rule, so generated code has their statements.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from autograd_compiler.custom.operators import CustomOperator, as_rule
from autograd_compiler.errors import ArgumentError
from autograd_compiler.frontend.handlers import handles
from autograd_compiler.rules.registry import Operator, Rule, new_generation
from autograd_compiler.transforms.base import specialiser_of
from autograd_compiler.transforms.products import pullback_at, pullback_in


class _Declared(CustomOperator):
    """A function whose derivative is declared once it is there."""

    how = ""  # to declare it

    def __init__(
        self,
        fun: Callable[..., Any],
        nondiff_argnums: int | Sequence[int] = (),
        result: Operator | str | None = None,
    ) -> None:
        super().__init__(fun)
        self._fixed = self.positions(nondiff_argnums)
        self._result = result
        self._rule: Rule | None = None

    # Others have their rule from the start; this one is given it by `defvjp` and its kin.
    @property
    def rule(self) -> Rule:  # type: ignore[override]
        if self._rule is None:
            raise ArgumentError(
                f"`{self.name}` is a {self.decorator} without a derivative: {self.how}"
            )
        return self._rule

    def _declare(
        self, adjoint: Operator, tangent: Operator | None, reason: str = ""
    ) -> None:
        parameters = self.rule_parameters()
        names = tuple(parameter.name for parameter in parameters)
        wrt = tuple(name for k, name in enumerate(names) if k not in self._fixed)
        as_rule(adjoint, f"{self.name}_adjoint", ("d_y", *names))
        if tangent is not None:
            tangents = (f"d_{name}" for name in wrt)
            as_rule(tangent, f"{self.name}_tangent", (*names, *tangents))
        self._rule = Rule(
            "general",
            self,
            parameters,
            wrt,
            adjoint=adjoint,
            tangent=tangent,
            reason=reason,
            result=self._result,
        )
        new_generation()


def _alternately(
    fixed: tuple[int, ...], count: int
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """The positions that are fixed, and those that are differentiated."""
    return fixed, tuple(k for k in range(count) if k not in fixed)


# ---------------------------------------------------------------- reverse mode


class CustomVjp(_Declared):
    """A function with an adjoint of its own, made by `custom_vjp`."""

    decorator = "custom_vjp"
    how = "call `f.defvjp(fwd, bwd)`"

    def defvjp(self, fwd: Callable[..., Any], bwd: Callable[..., Any]) -> None:
        """Declare the derivative.

        Parameters
        ----------
        fwd : callable
            Takes the arguments of the function, and gives `(result, residuals)`.
        bwd : callable
            Takes the arguments in `nondiff_argnums`, the residuals and the cotangent of
            the result, and gives a tuple with one cotangent for each other argument;
            None stands for zero.
        """
        fixed, varied = _alternately(self._fixed, len(self.parameters))
        count = len(varied)
        name = self.name

        def adjoint(d_y: Any, *args: Any) -> Any:
            _, residuals = fwd(*args)
            given = [args[k] for k in fixed]
            cotangents = bwd(*given, residuals, d_y)
            if not isinstance(cotangents, (tuple, list)) or len(cotangents) != count:
                raise TypeError(
                    f"the backward function of `{name}` must give a tuple of {count}, "
                    "one cotangent for each differentiated argument"
                )
            return cotangents[0] if count == 1 else cotangents

        self._declare(
            adjoint,
            None,
            f"`{name}` has a custom_vjp, which is for reverse mode: use grad, vjp or "
            "jacrev (twice for second derivatives), or declare a custom_jvp",
        )


def custom_vjp(
    fun: Callable[..., Any] | None = None,
    *,
    nondiff_argnums: int | Sequence[int] = (),
    result: Operator | str | None = None,
) -> Any:
    """Give a function a derivative of its own for reverse mode, as in JAX.

    Parameters
    ----------
    fun : callable, optional
        The function; without it, a decorator is made.
    nondiff_argnums : int or sequence of int
        Arguments that are not differentiated; `bwd` takes them first.
    result : str or callable, optional
        What has the form of the result, as in `custom.general`; for a function that the
        compiler cannot read.

    Returns
    -------
    CustomVjp
        The function, with the method `defvjp(fwd, bwd)`.

    Raises
    ------
    UnsupportedError
        When forward mode comes to a call of it.

    Examples
    --------
    >>> from autograd_compiler import grad
    >>> @custom_vjp
    ... def clipped(x):
    ...     return x
    >>> def clipped_fwd(x):
    ...     return clipped(x), None
    >>> def clipped_bwd(residuals, d_y):
    ...     return (min(max(d_y, -1.0), 1.0),)
    >>> clipped.defvjp(clipped_fwd, clipped_bwd)
    >>> grad(lambda x: clipped(x) ** 2)(3.0)
    1.0
    """

    def make(fun: Callable[..., Any]) -> CustomVjp:
        return CustomVjp(fun, nondiff_argnums, result)

    return make if fun is None else make(fun)


# ---------------------------------------------------------------- both modes


class CustomJvp(_Declared):
    """A function with a tangent of its own, made by `custom_jvp`."""

    decorator = "custom_jvp"
    how = "call `f.defjvp(jvp)` or `f.defjvps(...)`"

    def defjvp(self, jvp: Callable[..., Any]) -> Callable[..., Any]:
        """Declare the derivative; can be used as a decorator.

        Parameters
        ----------
        jvp : callable
            Takes the arguments in `nondiff_argnums`, a tuple of the other arguments and
            a tuple of their tangents, and gives `(result, tangent)`.  The tangent must
            be linear in the tangents: reverse mode transposes it.
        """
        count = len(self.parameters)
        fixed, varied = _alternately(self._fixed, count)

        def along(tangents: Any, args: Any) -> Any:
            given = [args[k] for k in fixed]
            primals = tuple([args[k] for k in varied])
            _, d_y = jvp(*given, primals, tangents)
            return d_y

        def tangent(*args: Any) -> Any:
            return along(args[count:], args[:count])

        alone = len(varied) == 1

        def adjoint(d_y: Any, *args: Any) -> Any:
            # A linear map has one derivative, that at any point: here at the arguments,
            # which are of the tangents' form.
            point = tuple([args[k] for k in varied])
            cotangents = transposed(along, point, args, d_y)
            return cotangents[0] if alone else cotangents

        self._declare(adjoint, tangent)
        return jvp

    def defjvps(self, *jvps: Callable[..., Any] | None) -> None:
        """Declare the derivative in each argument by a function of its own.

        Parameters
        ----------
        *jvps : callable or None
            For each argument a function of its tangent, the result and the arguments,
            which gives its part of the tangent; None where that is zero.
        """
        if self._fixed:
            raise ArgumentError("defjvps is for functions without nondiff_argnums")
        if len(jvps) != len(self.parameters):
            raise ArgumentError(
                f"defjvps takes one function for each of the {len(self.parameters)} "
                f"arguments of `{self.name}`, and {len(jvps)} are given"
            )
        terms = [(k, jvp) for k, jvp in enumerate(jvps) if jvp is not None]
        if not terms:
            raise ArgumentError(
                "defjvps without a derivative: see `zero_derivative` and `stop_gradient`"
            )
        (place, jvp), *rest = terms
        total = _term(place, jvp)
        for place, jvp in rest:
            total = _sum(total, _term(place, jvp))
        function = self

        def jvp_of_all(primals: Any, tangents: Any) -> Any:
            y = function(*primals)
            return y, total(tangents, y, primals)

        self.defjvp(jvp_of_all)


def _term(place: int, jvp: Operator) -> Operator:
    def term(tangents: Any, y: Any, primals: Any) -> Any:
        return jvp(tangents[place], y, *primals)

    return term


def _sum(first: Operator, second: Operator) -> Operator:
    def total(tangents: Any, y: Any, primals: Any) -> Any:
        return first(tangents, y, primals) + second(tangents, y, primals)

    return total


def transposed(along: Operator, point: Any, args: Any, d_y: Any) -> Any:
    """The adjoints of the tangents, of which `along(tangents, args)` is linear."""
    specialiser = specialiser_of(along, "pullback", has_aux=False)
    values = specialiser.bind((point, args), {})
    _, pull, _ = pullback_at(specialiser, ("tangents",), values)
    return pull(d_y)[0]


@handles(transposed)
def _transposed(low: Any, args: Any, kwargs: Any, node: Any) -> Any:
    along, point, arguments, d_y = args
    given = {"tangents": point, "args": arguments}
    _, pullback, _ = pullback_in(low, along.value, ("tangents",), given, node)
    return pullback.adjoints(low, d_y, node).items[0]


def custom_jvp(
    fun: Callable[..., Any] | None = None,
    *,
    nondiff_argnums: int | Sequence[int] = (),
    result: Operator | str | None = None,
) -> Any:
    """Give a function a derivative of its own for both modes, as in JAX.

    Parameters
    ----------
    fun : callable, optional
        The function; without it, a decorator is made.
    nondiff_argnums : int or sequence of int
        Arguments that are not differentiated; the derivative takes them first.
    result : str or callable, optional
        What has the form of the result, as in `custom.general`; for a function that the
        compiler cannot read.

    Returns
    -------
    CustomJvp
        The function, with the methods `defjvp(jvp)` and `defjvps(...)`.

    Examples
    --------
    >>> import numpy as np
    >>> from autograd_compiler import grad
    >>> @custom_jvp
    ... def log1pexp(x):
    ...     return np.log(1.0 + np.exp(x))
    >>> @log1pexp.defjvp
    ... def log1pexp_jvp(primals, tangents):
    ...     (x,), (d_x,) = primals, tangents
    ...     return log1pexp(x), d_x * (1.0 - 1.0 / (1.0 + np.exp(x)))
    >>> grad(log1pexp)(100.0)
    1.0
    """

    def make(fun: Callable[..., Any]) -> CustomJvp:
        return CustomJvp(fun, nondiff_argnums, result)

    return make if fun is None else make(fun)
