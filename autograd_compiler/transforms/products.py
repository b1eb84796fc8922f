"""Products with a Jacobian: `vjp`, `jvp` and `linearize`.

The functions `pullback_in` and `tangent_in` are the same two products in a program that
is being lowered; all other transformations are made of them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from autograd_compiler import ir, nested
from autograd_compiler.contract import arrays_in, owned, plain_value
from autograd_compiler.errors import ArgumentError
from autograd_compiler.frontend.handlers import handles
from autograd_compiler.specialise import Specialised, Specialiser, selected
from autograd_compiler.transforms.base import specialiser_of
from autograd_compiler.transforms.results import (
    copied,
    detached,
    like,
    tangent_like,
)


def vjp(
    fun: Callable[..., Any],
    *primals: Any,
    has_aux: bool = False,
    debug_nans: bool = False,
) -> tuple[Any, ...]:
    """The value of a function, and its vector-Jacobian product as a function.

    Parameters
    ----------
    fun : callable
        A function whose result is numbers, arrays, or containers of them.
    *primals
        Its arguments.
    has_aux : bool
        Whether `fun` returns `(value, aux)`; aux is then the third result.
    debug_nans : bool
        Whether to raise `NonFiniteError` where a NaN or an infinity appears first.

    Returns
    -------
    out
        `fun(*primals)`.
    vjp_fun : callable
        Takes a cotangent of the form of `out` and gives a tuple with one cotangent per
        argument (None for leaves that are not floats).  May be called many times.

    Raises
    ------
    ArgumentError
        If a cotangent has another form than `out`.
    UnsupportedError
        If the function cannot be differentiated; it names the line.

    Examples
    --------
    >>> out, pullback = vjp(lambda x, y: x * y, 2.0, 3.0)
    >>> out, pullback(1.0)
    (6.0, (3.0, 2.0))
    """
    specialiser = specialiser_of(
        fun, "pullback", has_aux=has_aux, debug_nans=debug_nans
    )
    values = specialiser.bind(primals, {})
    out, vjp_fun, aux = pullback_at(specialiser, _all_of(specialiser, primals), values)
    return out, vjp_fun, *aux


def pullback_at(
    specialiser: Specialiser, wrt: tuple[str, ...], values: dict[str, Any]
) -> tuple[Any, Callable[[Any], tuple[Any, ...]], list[Any]]:
    """The value of a function, its pullback to the selected arguments, and aux."""
    found = specialiser.specialise(wrt, values)
    out, residuals, *aux = found.call(values)
    # The caller may write into the arguments and the result before the pullback runs.
    theirs = arrays_in((*values.values(), *found.captured(), out, *aux))
    residuals = detached(residuals, theirs)
    pull = found.pullback()

    def vjp_fun(cotangent: Any) -> Any:
        """Cotangents of the arguments for a cotangent of the result."""
        checked = like(cotangent, out, "cotangent")
        gradients = pull(residuals, checked)
        return tuple(
            owned(part, selected(values, name))
            for part, name in zip(gradients, wrt, strict=True)
        )

    return plain_value(out), vjp_fun, aux


def jvp(
    fun: Callable[..., Any],
    primals: tuple[Any, ...],
    tangents: tuple[Any, ...],
    *,
    has_aux: bool = False,
    backend: str = "python",
    debug_nans: bool = False,
) -> tuple[Any, ...]:
    """The value of a function and its Jacobian-vector product.

    Parameters
    ----------
    fun : callable
        A function of numbers, arrays, or containers of them.
    primals : tuple
        Its arguments.
    tangents : tuple
        One tangent per argument, of the same form (ignored where not floats).
    has_aux : bool
        Whether `fun` returns `(value, aux)`; aux is then the third result.
    backend : {"python", "numba", "auto"}
        What runs the generated code.
    debug_nans : bool
        Whether to raise `NonFiniteError` where a NaN or an infinity appears first.

    Returns
    -------
    out, tangent
        `fun(*primals)`, and the directional derivative in the form of `out`.

    Raises
    ------
    ArgumentError
        If a tangent has another form than its argument.
    UnsupportedError
        If the function cannot be differentiated; it names the line.

    Examples
    --------
    >>> jvp(lambda x: x**2, (3.0,), (1.0,))
    (9.0, 6.0)
    """
    if not isinstance(primals, (tuple, list)) or not isinstance(
        tangents, (tuple, list)
    ):
        raise ArgumentError("jvp takes tuples: jvp(fun, (x, y), (d_x, d_y))")
    if len(primals) != len(tangents):
        raise ArgumentError(
            f"jvp needs one tangent per argument: {len(primals)} arguments and "
            f"{len(tangents)} tangents are given"
        )
    specialiser = specialiser_of(
        fun, "jvp", has_aux=has_aux, backend=backend, debug_nans=debug_nans
    )
    values = specialiser.bind(tuple(primals), {})
    given = [
        like(tangent, primal, "tangent")
        for tangent, primal in zip(tangents, primals, strict=True)
    ]
    wrt = _all_of(specialiser, primals)
    out, tangent, aux = tangent_at(specialiser, wrt, values, given)
    return out, tangent, *aux


def tangent_at(
    specialiser: Specialiser,
    wrt: tuple[str, ...],
    values: dict[str, Any],
    tangents: list[Any],
) -> tuple[Any, Any, list[Any]]:
    """The value of a function, its tangent along the selected arguments, and aux."""
    found = specialiser.specialise(wrt, values)
    found.check_overlap(values)
    out, tangent, *aux = found.run(*values.values(), *found.captured(), *tangents)
    return plain_value(out), tangent_like(tangent, out), aux


def linearize(fun: Callable[..., Any], *primals: Any) -> tuple[Any, Callable[..., Any]]:
    """The value of a function, and its Jacobian-vector product as a function.

    The function that it gives stays at the point where it was made: it does not see
    what is written later into the arguments or into what `fun` reads from outside.  It
    computes the values of `fun` anew in each call.

    Parameters
    ----------
    fun : callable
        A function of numbers, arrays, or containers of them.
    *primals
        Its arguments.

    Returns
    -------
    out
        `fun(*primals)`.
    jvp_fun : callable
        Takes one tangent per argument and gives the tangent of `out`.

    Raises
    ------
    ArgumentError
        From `jvp_fun`, if a tangent has another form than its argument.
    UnsupportedError
        If the function cannot be differentiated; it names the line.

    Examples
    --------
    >>> out, along = linearize(lambda x, y: x * y, 2.0, 3.0)
    >>> out, along(1.0, 0.0), along(0.0, 1.0)
    (6.0, 3.0, 2.0)
    """
    specialiser = specialiser_of(fun, "jvp", has_aux=False, backend="python")
    # A copy is kept: the caller may write into the arguments before `jvp_fun` runs.
    point = copied(primals)
    values = specialiser.bind(point, {})
    found = specialiser.specialise(_all_of(specialiser, point), values)
    captured = copied(found.captured())
    found.check_overlap(values)
    out = plain_value(fun(*primals))
    model = copied(out)

    def jvp_fun(*tangents: Any) -> Any:
        """The tangent of the result for tangents of the arguments."""
        if len(tangents) != len(point):
            raise ArgumentError(
                f"one tangent per argument is needed: {len(point)} arguments and "
                f"{len(tangents)} tangents are given"
            )
        given = [
            like(tangent, primal, "tangent")
            for tangent, primal in zip(tangents, point, strict=True)
        ]
        arguments = list(values.values())
        if found.lowered.primal.written:
            arguments = copied(arguments)
        _, tangent = found.run(*arguments, *captured, *given)
        return tangent_like(tangent, model)

    return out, jvp_fun


def _all_of(specialiser: Specialiser, primals: Any) -> tuple[str, ...]:
    """The names of all the arguments that are given by position."""
    return specialiser.wrt(tuple(range(len(primals)))) if primals else ()


# ---------------------------------------------------------------- inside of programs


def pullback_in(
    low: Any,
    fun: Any,
    wrt: tuple[str, ...],
    values: Mapping[str, Any],
    node: Any,
    has_aux: bool = False,
) -> tuple[Any, nested.Pullback, tuple[Any, ...]]:
    """The value, the pullback and the aux of a function of values of a program."""
    specialiser = specialiser_of(fun, "pullback", has_aux=has_aux)
    found = nested.specialise(low, specialiser, wrt, values, node)
    result = nested.run(low, found, values, (), node)
    out, residuals, *aux = (low.operand(item, node) for item in result.items)
    arguments = tuple(nested.selected(low, values, name) for name in wrt)
    return out, nested.Pullback(found, residuals, out, arguments), tuple(aux)


def tangent_in(
    low: Any,
    fun: Any,
    wrt: tuple[str, ...],
    values: Mapping[str, Any],
    tangents: tuple[Any, ...],
    node: Any,
    has_aux: bool = False,
    inline: bool = False,
) -> Any:
    """The value, the tangent and the aux of a function of values of a program."""
    for tangent, name in zip(tangents, wrt, strict=True):
        primal = nested.selected(low, values, name)
        nested.check_like(low, tangent, primal, "tangent", node)
    found = tangent_specialised(low, fun, wrt, values, node, has_aux)
    return nested.run(low, found, values, tangents, node, inline)


def tangent_specialised(
    low: Any,
    fun: Any,
    wrt: tuple[str, ...],
    values: Mapping[str, Any],
    node: Any,
    has_aux: bool = False,
) -> Specialised:
    specialiser = specialiser_of(fun, "jvp", has_aux=has_aux, backend="python")
    return nested.specialise(low, specialiser, wrt, values, node)


@handles(vjp)
def _vjp(low: Any, args: Any, kwargs: Any, node: Any) -> Any:
    """`vjp(f, x)` written in a function that is differentiated."""
    options = dict(kwargs)
    options.pop("debug_nans", None)  # the program around is checked, or is not
    aux = options.pop("has_aux", ir.Const(False))
    if options or not args:
        raise low.refuse(node, "this call of `vjp`", "write `vjp(f, x, y)`")
    has_aux = bool(nested.constant(low, aux, node))
    function, *given = args
    primals = [nested.in_leaves(low, value, node) for value in given]

    def lower(low: Any, fun: Any, primals: Any, named: Any, node: Any) -> Any:
        specialiser = specialiser_of(fun, "pullback", has_aux=has_aux)
        values = nested.bind(low, specialiser.signature, primals, named, node)
        wrt = _all_of(specialiser, primals)
        out, pullback, rest = pullback_in(low, fun, wrt, values, node, has_aux)
        return ir.Pack((out, ir.Const(pullback), *rest))

    return nested.call_on_function(low, function, tuple(primals), lower, node)


@handles(jvp)
def _jvp(low: Any, args: Any, kwargs: Any, node: Any) -> Any:
    """`jvp(f, (x,), (v,))` written in a function that is differentiated."""
    given = dict(zip(("fun", "primals", "tangents"), args, strict=False)) | kwargs
    given.pop("backend", None)  # the program has a backend already
    given.pop("debug_nans", None)
    aux = given.pop("has_aux", ir.Const(False))
    if set(given) != {"fun", "primals", "tangents"}:
        raise low.refuse(node, "this call of `jvp`", "write `jvp(f, (x,), (v,))`")
    has_aux = bool(nested.constant(low, aux, node))
    primals = nested.items_of(low, given["primals"], node)
    tangents = nested.items_of(low, given["tangents"], node)
    if len(primals) != len(tangents):
        raise low.refuse(node, "`jvp` needs one tangent per argument")

    def lower(low: Any, fun: Any, primals: Any, named: Any, node: Any) -> Any:
        specialiser = specialiser_of(fun, "jvp", has_aux=has_aux, backend="python")
        values = nested.bind(low, specialiser.signature, primals, named, node)
        wrt = _all_of(specialiser, primals)
        return tangent_in(low, fun, wrt, values, tangents, node, has_aux)

    return nested.call_on_function(low, given["fun"], primals, lower, node)


@handles(linearize)
def _linearize(low: Any, args: Any, kwargs: Any, node: Any) -> Any:
    raise low.refuse(
        node,
        "`linearize` inside of a function that is differentiated",
        "write `jvp(f, (x,), (v,))` for each direction",
    )
