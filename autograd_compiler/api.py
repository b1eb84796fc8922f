"""The public transformations: grad, value_and_grad, vjp, jvp.

Names and meaning are JAX's where JAX has them.  There is no compiler logic here: a
transformation binds arguments, asks for compiled code of their kind, and hands out
results that are the caller's own.
"""

from __future__ import annotations

import functools
import sys
import weakref
from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from autograd_compiler import ir, nested, tree
from autograd_compiler.errors import ArgumentError
from autograd_compiler.frontend.builtin_calls import handles
from autograd_compiler.frontend.program import describe
from autograd_compiler.pipeline import Lowered
from autograd_compiler.specialise import Specialised, Specialiser, selected
from autograd_compiler.types import Dim

Argnums = int | str | tuple[int | str, ...]


class Gradient:
    """A function's gradient; made by `grad` and `value_and_grad`.

    Calling it gives the derivative of `primal` in the selected arguments.

    Attributes
    ----------
    primal : callable
        The original function.
    source : str
        The generated Python: for the argument types of the last call, or without
        knowledge of types before any call, which is long and for some operators not
        complete.
    """

    def __init__(
        self,
        fun: Callable[..., Any],
        argnums: Argnums = 0,
        *,
        has_aux: bool = False,
        backend: str = "python",
        with_value: bool = False,
        simplify: bool = True,
    ) -> None:
        options: Any = {"has_aux": has_aux, "backend": backend, "simplify": simplify}
        self.primal = fun
        self._gradient = Specialiser(fun, "grad", **options)
        self._both = Specialiser(fun, "value_and_grad", **options)
        self._with_value = with_value
        self._has_aux = has_aux
        self._backend = backend
        self._simplify = simplify
        self._argnums = argnums
        self._wrt = self._gradient.wrt(argnums)
        self._alone = not isinstance(argnums, (tuple, list))
        self._method_of: tuple[Gradient, Any] | None = None
        functools.update_wrapper(self, fun, updated=())
        self.__dict__.pop("__wrapped__", None)
        self.__signature__ = self._gradient.signature

    def __repr__(self) -> str:
        kind = "value and gradient" if self._with_value else "gradient"
        return f"<{kind} of {self._gradient.name} in {', '.join(self._wrt)}>"

    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        """As a method, the gradient is bound to its object."""
        if instance is None:
            return self
        return _bound_gradient(self, instance)

    # ------------------------------------------------------------ calling

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """The gradient (and with `value_and_grad` the value in front of it)."""
        if self._with_value:
            return self.value_and_grad(*args, **kwargs)
        result, values = self._run(self._gradient, args, kwargs)
        if self._has_aux:
            gradient, aux = result
            return self._finish(gradient, values), aux
        return self._finish(result, values)

    def value_and_grad(self, *args: Any, **kwargs: Any) -> Any:
        """The value and the gradient: `(value, gradient)`.

        With `has_aux`, the value is the pair `(value, aux)`.
        """
        (value, gradient), values = self._run(self._both, args, kwargs)
        if self._has_aux:
            value = (_plain_value(value[0]), value[1])
        else:
            value = _plain_value(value)
        return value, self._finish(gradient, values)

    def _run(
        self, specialiser: Specialiser, args: Any, kwargs: Any
    ) -> tuple[Any, dict[str, Any]]:
        values = specialiser.bind(args, kwargs)
        specialiser.check_selected(self._wrt, values)
        found = specialiser.specialise(self._wrt, values)
        return run(found, values), values

    def _finish(self, gradient: Any, values: Mapping[str, Any]) -> Any:
        if self._alone:
            return owned(gradient, selected(values, self._wrt[0]))
        parts = (gradient,) if len(self._wrt) == 1 else gradient
        return tuple(
            owned(part, selected(values, name))
            for part, name in zip(parts, self._wrt, strict=True)
        )

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
                if found is other:
                    return self._main.lower(self._wrt, specialiser.arguments[key])
        return other.lowered

    def lower(self, *args: Any, **kwargs: Any) -> Lowered:
        """The gradient specialised to the types of these arguments."""
        main = self._main
        values = main.bind(args, kwargs)
        main.check_selected(self._wrt, values)
        return main.specialise(self._wrt, values).lowered

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
        if self._backend != "python":  # generated Python is what can be read again
            specialiser = Specialiser(
                self.primal,
                specialiser.mode,
                has_aux=self._has_aux,
                simplify=self._simplify,
            )
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

    @property
    def kind(self) -> str:
        return "value_and_grad" if self._with_value else "grad"

    @property
    def signature(self) -> Any:
        return self._main.signature

    def __reduce__(self) -> Any:
        if self._method_of is not None:
            method, instance = self._method_of
            return getattr, (instance, method._gradient.name)
        if _named(self) is self:  # `@grad def f`: the name means this object
            return self.__qualname__
        options = {
            "has_aux": self._has_aux,
            "backend": self._backend,
            "with_value": self._with_value,
            "simplify": self._simplify,
        }
        return _rebuild, (self.primal, self._argnums, options)


def _named(gradient: Gradient) -> Any:
    """What the module of a gradient has under its name."""
    found: Any = sys.modules.get(getattr(gradient, "__module__", ""))
    for name in getattr(gradient, "__qualname__", "").split("."):
        found = getattr(found, name, None)
    return found


def _rebuild(fun: Any, argnums: Any, options: Any) -> Gradient:
    return Gradient(fun, argnums, **options)


# Gradients of methods, by gradient and object: both are kept alive, so that their
# identities stay theirs, and the oldest are dropped.
_BOUND: OrderedDict[tuple[int, int], Gradient] = OrderedDict()
MAX_BOUND = 256


def _bound_gradient(gradient: Gradient, instance: Any) -> Gradient:
    """The gradient of a method of one object; argnums count after `self`."""
    key = (id(gradient), id(instance))
    found = _BOUND.get(key)
    if found is None:
        found = Gradient(
            gradient.primal.__get__(instance),
            gradient._argnums,
            has_aux=gradient._has_aux,
            backend=gradient._backend,
            with_value=gradient._with_value,
            simplify=gradient._simplify,
        )
        found._method_of = (gradient, instance)
        _BOUND[key] = found
        while len(_BOUND) > MAX_BOUND:
            _BOUND.popitem(last=False)
    return found


# ---------------------------------------------------------------- grad


def grad(
    fun: Callable[..., Any] | None = None,
    argnums: Argnums = 0,
    *,
    has_aux: bool = False,
    backend: str = "python",
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
    backend : {"python", "numba", "auto"}
        What runs the generated code.

    Returns
    -------
    Gradient
        A callable; its result has the structure, shapes and dtypes of the selected
        argument (a tuple of such for several).

    Raises
    ------
    ArgumentError
        If an argument that is selected is not of floats, or the result is no number.
    UnsupportedError
        If the function cannot be differentiated; it names the line.

    Examples
    --------
    >>> import numpy as np
    >>> gradient = grad(lambda x: np.sum(x**2))
    >>> gradient(np.array([1.0, 2.0]))
    array([2., 4.])
    """
    options: Any = {"has_aux": has_aux, "backend": backend, "simplify": _simplify}
    if fun is None:
        return lambda found: Gradient(found, argnums, **options)
    return Gradient(fun, argnums, **options)


def value_and_grad(
    fun: Callable[..., Any] | None = None,
    argnums: Argnums = 0,
    *,
    has_aux: bool = False,
    backend: str = "python",
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
        "backend": backend,
        "with_value": True,
        "simplify": _simplify,
    }
    if fun is None:
        return lambda found: Gradient(found, argnums, **options)
    return Gradient(fun, argnums, **options)


# ---------------------------------------------------------------- inside of derivatives


def _lower_grad(low: Any, args: Any, kwargs: Any, node: Any, with_value: bool) -> Any:
    """`grad(f)` written in a function that is differentiated."""
    if not args:
        raise low.refuse(node, "`grad` without a function", "write `grad(f)`")
    function, *rest = args
    options = dict(zip(("argnums",), rest, strict=False)) | kwargs
    known = {name: nested.constant(low, item, node) for name, item in options.items()}
    known["with_value"] = with_value
    if "_simplify" in known:
        known["simplify"] = known.pop("_simplify")
    return nested.on_function(low, function, lambda fun: Gradient(fun, **known), node)


@handles(grad)
def _grad(low: Any, args: Any, kwargs: Any, node: Any) -> Any:
    return _lower_grad(low, args, kwargs, node, with_value=False)


@handles(value_and_grad)
def _value_and_grad(low: Any, args: Any, kwargs: Any, node: Any) -> Any:
    return _lower_grad(low, args, kwargs, node, with_value=True)


@handles(Gradient.value_and_grad)
def _method_value_and_grad(low: Any, args: Any, kwargs: Any, node: Any) -> Any:
    gradient, *rest = args
    found = nested.function_of(low, gradient, node)
    assert isinstance(found, Gradient)
    return found._lower_call(low, tuple(rest), kwargs, node, with_value=True)


# ---------------------------------------------------------------- vjp and jvp

_SPECIALISERS: weakref.WeakKeyDictionary[Any, dict[str, Specialiser]] = (
    weakref.WeakKeyDictionary()
)


def _specialiser(fun: Callable[..., Any], mode: Any, backend: str) -> Specialiser:
    try:
        known = _SPECIALISERS.setdefault(fun, {})
    except TypeError:
        return Specialiser(fun, mode, backend=backend)
    key = f"{mode}:{backend}"
    if key not in known:
        known[key] = Specialiser(fun, mode, backend=backend)
    return known[key]


def vjp(fun: Callable[..., Any], *primals: Any) -> tuple[Any, Callable[[Any], Any]]:
    """The value of a function, and its vector-Jacobian product as a function.

    Parameters
    ----------
    fun : callable
        A function whose result is numbers, arrays, or containers of them.
    *primals
        Its arguments.

    Returns
    -------
    out
        `fun(*primals)`.
    vjp_fun : callable
        Takes a cotangent of the form of `out` and gives a tuple with one cotangent per
        argument (None for leaves that are not floats).  May be called many times.

    Examples
    --------
    >>> out, pullback = vjp(lambda x, y: x * y, 2.0, 3.0)
    >>> out, pullback(1.0)
    (6.0, (3.0, 2.0))
    """
    specialiser = _specialiser(fun, "pullback", "python")
    values = specialiser.bind(primals, {})
    wrt = tuple(specialiser._selected(k) for k in range(len(primals)))
    found = specialiser.specialise(wrt, values)
    out, residuals = run(found, values)
    # The caller may write into the arguments and the result before the pullback runs.
    theirs = _arrays((*values.values(), *found.captured(), out))
    residuals = _detached(residuals, theirs)
    pull = found.pullback()

    def vjp_fun(cotangent: Any) -> Any:
        """Cotangents of the arguments for a cotangent of the result."""
        checked = _like(cotangent, out, "cotangent")
        gradients = pull(residuals, checked)
        return tuple(
            owned(part, selected(values, name))
            for part, name in zip(gradients, wrt, strict=True)
        )

    return _plain_value(out), vjp_fun


def jvp(
    fun: Callable[..., Any], primals: tuple[Any, ...], tangents: tuple[Any, ...]
) -> tuple[Any, Any]:
    """The value of a function and its Jacobian-vector product.

    Parameters
    ----------
    fun : callable
        A function of numbers, arrays, or containers of them.
    primals : tuple
        Its arguments.
    tangents : tuple
        One tangent per argument, of the same form (ignored where not floats).

    Returns
    -------
    out, tangent
        `fun(*primals)`, and the directional derivative in the form of `out`.

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
    specialiser = _specialiser(fun, "jvp", "python")
    values = specialiser.bind(tuple(primals), {})
    wrt = tuple(specialiser._selected(k) for k in range(len(primals)))
    found = specialiser.specialise(wrt, values)
    given = [
        _like(tangent, primal, "tangent")
        for tangent, primal in zip(tangents, primals, strict=True)
    ]
    out, tangent = found.run(*values.values(), *found.captured(), *given)
    return _plain_value(out), _tangent_like(tangent, out)


@handles(vjp)
def _vjp(low: Any, args: Any, kwargs: Any, node: Any) -> Any:
    """`vjp(f, x)` written in a function that is differentiated."""
    if kwargs or not args:
        raise low.refuse(node, "this call of `vjp`", "write `vjp(f, x, y)`")
    function, *given = args
    primals = [nested.in_leaves(low, value, node) for value in given]
    return nested.call_on_function(low, function, tuple(primals), _lower_vjp, node)


def _lower_vjp(low: Any, fun: Any, primals: Any, named: Any, node: Any) -> Any:
    specialiser = _specialiser(fun, "pullback", "python")
    values = nested.bind(low, specialiser.signature, primals, named, node)
    wrt = tuple(specialiser._selected(k) for k in range(len(primals)))
    found = nested.specialise(low, specialiser, wrt, values, node)
    result = nested.run(low, found, values, (), node)
    out, residuals = (low.operand(item, node) for item in result.items)
    pullback = nested.Pullback(found, residuals, out, primals)
    return ir.Pack((out, ir.Const(pullback)))


@handles(jvp)
def _jvp(low: Any, args: Any, kwargs: Any, node: Any) -> Any:
    """`jvp(f, (x,), (v,))` written in a function that is differentiated."""
    given = dict(zip(("fun", "primals", "tangents"), args, strict=False)) | kwargs
    if set(given) != {"fun", "primals", "tangents"}:
        raise low.refuse(node, "this call of `jvp`", "write `jvp(f, (x,), (v,))`")
    primals = nested.items_of(low, given["primals"], node)
    tangents = nested.items_of(low, given["tangents"], node)
    if len(primals) != len(tangents):
        raise low.refuse(node, "`jvp` needs one tangent per argument")

    def lower(low: Any, fun: Any, primals: Any, named: Any, node: Any) -> Any:
        specialiser = _specialiser(fun, "jvp", "python")
        values = nested.bind(low, specialiser.signature, primals, named, node)
        wrt = tuple(specialiser._selected(k) for k in range(len(primals)))
        for tangent, primal in zip(tangents, primals, strict=True):
            nested.check_like(low, tangent, primal, "tangent", node)
        found = nested.specialise(low, specialiser, wrt, values, node)
        return nested.run(low, found, values, tangents, node)

    return nested.call_on_function(low, given["fun"], primals, lower, node)


# ---------------------------------------------------------------- results


def run(found: Specialised, values: Mapping[str, Any]) -> Any:
    """Call compiled code with arguments and captures."""
    found.check_overlap(values)
    return found.run(*values.values(), *found.captured())


def owned(gradient: Any, argument: Any) -> Any:
    """A gradient in the form of its argument, in memory of its own."""
    if isinstance(argument, np.ndarray):
        if (
            type(gradient) is np.ndarray
            and gradient.dtype == argument.dtype
            and gradient.shape == argument.shape
            and gradient.flags.owndata
            and gradient.flags.c_contiguous
            and gradient.flags.writeable
            and gradient is not argument
        ):
            return gradient
        if argument.dtype.kind not in "fc":
            return None
        made = np.empty(argument.shape, argument.dtype)
        made[...] = gradient
        return made
    if isinstance(argument, np.generic):
        return argument.dtype.type(gradient) if argument.dtype.kind in "fc" else None
    if isinstance(argument, (bool, int)):
        return None
    if isinstance(argument, float):
        return gradient if type(gradient) is float else np.float64(gradient)
    if isinstance(argument, complex):
        return complex(gradient)
    leaves, structure = tree.flatten(argument)
    if structure == tree.LEAF:
        return None
    parts = _parts(gradient, argument)
    return tree.unflatten(
        structure, [owned(part, leaf) for part, leaf in zip(parts, leaves, strict=True)]
    )


def _parts(gradient: Any, argument: Any) -> list[Any]:
    """The leaves of a gradient, in the order of the argument's."""
    if isinstance(argument, dict):
        return [
            leaf
            for key, item in argument.items()
            for leaf in _parts(gradient[key], item)
        ]
    if isinstance(argument, (tuple, list)):
        return [
            leaf
            for part, item in zip(gradient, argument, strict=True)
            for leaf in _parts(part, item)
        ]
    if tree.structure_of(argument) == tree.LEAF:
        return [gradient]
    return [
        leaf
        for name, item in vars(argument).items()
        for leaf in _parts(getattr(gradient, name), item)
    ]


def _arrays(value: Any) -> list[np.ndarray[Any, Any]]:
    leaves, _ = tree.flatten(value)
    return [leaf for leaf in leaves if isinstance(leaf, np.ndarray)]


def _detached(value: Any, others: list[np.ndarray[Any, Any]]) -> Any:
    """The value with copies of the arrays that share memory with others."""
    if isinstance(value, np.ndarray):
        shared = any(np.may_share_memory(value, other) for other in others)
        return value.copy() if shared else value
    if type(value) in (tuple, list):
        return type(value)(_detached(item, others) for item in value)
    if type(value) is dict:
        return {key: _detached(item, others) for key, item in value.items()}
    return value


def _plain_value(value: Any) -> Any:
    """A number instead of an array without dimensions."""
    if isinstance(value, np.ndarray) and value.ndim == 0:
        return value[()]
    return value


def _like(given: Any, model: Any, what: str) -> Any:
    """A tangent or cotangent, checked against the value that it belongs to."""
    leaves, structure = tree.flatten(model)
    if structure == tree.LEAF:
        return _leaf_like(given, model, what)
    found, form = tree.flatten(given)
    if form != structure:
        raise ArgumentError(
            f"the {what} must have the structure of the value it belongs to: "
            f"{structure} is needed and {form} is given"
        )
    return tree.unflatten(
        structure,
        [
            _leaf_like(item, leaf, what)
            for item, leaf in zip(found, leaves, strict=True)
        ],
    )


def _leaf_like(given: Any, model: Any, what: str) -> Any:
    if isinstance(model, np.ndarray) and model.dtype.kind in "fc":
        array = np.asarray(
            given, dtype=np.result_type(model.dtype, np.asarray(given).dtype)
        )
        if array.shape != model.shape:
            raise ArgumentError(
                f"the {what} must have shape {model.shape}, and {array.shape} is given"
            )
        return (
            array.astype(model.dtype, copy=False) if array.dtype.kind != "c" else array
        )
    if isinstance(model, (float, np.floating)) and np.ndim(given) == 0:
        return given if not isinstance(given, np.ndarray) else given[()]
    if isinstance(model, (float, np.floating)):
        raise ArgumentError(
            f"the {what} of a number must be a number, and has shape {np.shape(given)}"
        )
    return given


def _tangent_like(tangent: Any, out: Any) -> Any:
    """A tangent in the form of the result: its shape and dtype, in memory of its own."""
    leaves, structure = tree.flatten(out)
    if structure == tree.LEAF:
        if isinstance(out, np.ndarray) and out.dtype.kind in "fc":
            return (
                owned(0.0 if tangent is None else tangent, out)
                if out.ndim
                else (np.asarray(tangent)[()])
            )
        if isinstance(out, (float, np.floating)):
            zero = 0.0 if tangent is None else tangent
            return (
                type(out)(zero) if isinstance(out, np.floating) else _plain_value(zero)
            )
        return tangent
    parts = _parts(tangent, out)
    return tree.unflatten(
        structure,
        [_tangent_like(part, leaf) for part, leaf in zip(parts, leaves, strict=True)],
    )


__all__ = ["Dim", "Gradient", "describe", "grad", "jvp", "value_and_grad", "vjp"]
