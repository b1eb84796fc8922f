"""JAX: a NumPy function with its own gradient, as a `custom_vjp`."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from autograd_compiler import tree
from autograd_compiler.errors import ArgumentError
from autograd_compiler.interop.library import require
from autograd_compiler.transforms.base import specialiser_of
from autograd_compiler.transforms.products import pullback_at

jax: Any = require("jax")


def jax_function(f: Callable[..., Any], result: Any = 0.0) -> Callable[..., Any]:
    """The function of JAX arrays that a function of numbers and arrays is.

    It may be used under `jax.jit`, `jax.grad` and `jax.vmap`; the computation is done
    by NumPy, in a callback.  For a result that is one number, the gradient is computed
    together with the value; for others the function is run again for the pullback.
    JAX differentiates it in reverse mode, once.

    Parameters
    ----------
    f : callable
        A function of numbers and arrays, or containers of them.
    result
        An example of what `f` gives: JAX must know shapes and dtypes beforehand.  They
        are those of the example, in single precision if JAX is set so.

    Returns
    -------
    callable
        It takes the arguments of `f`, by position.

    Raises
    ------
    ArgumentError
        In the callback, if the result has another shape than the example.

    Examples
    --------
    >>> import jax
    >>> import numpy as np
    >>> energy = jax_function(lambda p: np.sum(p["w"] ** 2) * p["scale"])
    >>> jax.jit(jax.grad(energy))({"w": jax.numpy.ones(2), "scale": 3.0})["w"].tolist()
    [6.0, 6.0]
    """
    expected = jax.tree.map(_form, result)
    is_number = jax.tree.leaves(expected) == [expected] and expected.shape == ()
    specialiser = specialiser_of(f, "pullback", has_aux=False)

    def value(*args: Any) -> Any:
        return _checked(f(*_arrays(args)), expected)

    def pulled(args: Any) -> tuple[Any, Callable[[Any], Any]]:
        """The value, and the pullback with None for what has no derivative."""
        args = _arrays(args)
        selected = [i for i, arg in enumerate(args) if any(_floats(arg))]
        values = specialiser.bind(args, {})
        wrt = specialiser.wrt(tuple(selected))
        out, pullback, _ = pullback_at(specialiser, wrt, values)

        def pull(cotangent: Any) -> tuple[Any, ...]:
            parts: list[Any] = [jax.tree.map(lambda leaf: None, arg) for arg in args]
            found = pullback(_in_order_of(out, _arrays(cotangent)))
            for number, part in zip(selected, found, strict=True):
                parts[number] = part
            return tuple(parts)

        return out, pull

    def value_and_gradients(*args: Any) -> Any:
        out, pull = pulled(args)
        return _checked(out, expected), pull(np.ones_like(out)[()])

    def gradients(args: Any, cotangent: Any) -> Any:
        return pulled(args)[1](cotangent)

    call = jax.custom_vjp(lambda *args: _callback(value, expected, *args))

    def forward(*args: Any) -> Any:
        forms = tuple(jax.tree.map(_form_of_gradient, arg) for arg in args)
        if not is_number:
            return call(*args), (args, forms)
        return _callback(value_and_gradients, (expected, forms), *args)

    def backward(kept: Any, cotangent: Any) -> Any:
        if is_number:
            return jax.tree.map(
                lambda leaf: (cotangent * leaf).astype(leaf.dtype), kept
            )
        args, forms = kept
        return _callback(gradients, forms, args, cotangent)

    call.defvjp(forward, backward)
    found: Callable[..., Any] = functools.wraps(f)(call)
    return found


def _callback(function: Callable[..., Any], expected: Any, *args: Any) -> Any:
    return jax.pure_callback(function, expected, *args, vmap_method="sequential")


def _form(leaf: Any) -> Any:
    """The shape and dtype of a leaf, as far as JAX is set to keep it."""
    dtype = jax.dtypes.canonicalize_dtype(np.asarray(leaf).dtype)
    return jax.ShapeDtypeStruct(np.shape(leaf), dtype)


def _form_of_gradient(leaf: Any) -> Any:
    form = jax.ShapeDtypeStruct(jax.numpy.shape(leaf), jax.numpy.result_type(leaf))
    return form if form.dtype.kind in "fc" else None


def _floats(arg: Any) -> list[bool]:
    return [np.asarray(leaf).dtype.kind in "fc" for leaf in jax.tree.leaves(arg)]


def _arrays(container: Any) -> Any:
    """Copies, which the function may write into; numbers for what has no dimensions."""
    return jax.tree.map(lambda leaf: np.array(leaf)[()], container)


def _checked(out: Any, expected: Any) -> Any:
    """The result in the dtypes that were promised."""

    def one(form: Any, leaf: Any) -> Any:
        if np.shape(leaf) != form.shape:
            raise ArgumentError(
                f"the example of the result has shape {form.shape}, and the result "
                f"{np.shape(leaf)}"
            )
        return np.asarray(leaf, form.dtype)

    if jax.tree.structure(out) != jax.tree.structure(expected):
        raise ArgumentError("the example of the result is another container than it")
    return jax.tree.map(one, expected, out)


def _in_order_of(out: Any, given: Any) -> Any:
    """A container like `out`: JAX sorts the keys of dicts."""
    leaves, structure = tree.flatten(out)
    places = jax.tree.leaves(tree.unflatten(structure, range(len(leaves))))
    parts = list(leaves)
    for place, part in zip(places, jax.tree.leaves(given), strict=True):
        parts[place] = part
    return tree.unflatten(structure, parts)
