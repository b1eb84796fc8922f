from __future__ import annotations

import numpy as np
import pytest

from autograd_compiler.errors import ArgumentError, GradientCheckError
from autograd_compiler.testing import _check, _Tolerance
from autograd_compiler.tree import flatten, map_leaves


def modes_of(value, push, pull):
    """`jvp` and `vjp` of one function, written by hand."""

    def jvp(fun, primals, tangents):
        return value(*primals), push(primals, tangents)

    def vjp(fun, *primals):
        return value(*primals), lambda ct: pull(primals, ct)

    return jvp, vjp


def product(x, y):
    return np.sum(x * y)


product_modes = modes_of(
    product,
    lambda p, t: np.sum(t[0] * p[1] + p[0] * t[1]),
    lambda p, ct: (ct * p[1], ct * p[0]),
)
X, Y = np.array([1.0, 2.0, -3.0]), np.array([0.5, -1.0, 2.0])


def test_right_derivatives_pass():
    _check(product, (X, Y), *product_modes)


@pytest.mark.parametrize("mode", ["fwd", "rev"])
def test_a_wrong_derivative_is_named_with_its_argument(mode):
    jvp, vjp = modes_of(
        product,
        lambda p, t: np.sum(t[0] * p[1] + 1.01 * p[0] * t[1]),
        lambda p, ct: (ct * p[1], 1.01 * ct * p[0]),
    )
    with pytest.raises(GradientCheckError, match=r"args\[1\]") as caught:
        _check(product, (X, Y), jvp, vjp, modes=[mode])
    assert {"fwd": "forward", "rev": "reverse"}[mode] in str(caught.value)
    assert "instead of" in str(caught.value)


def test_argnums_leave_out_what_is_wrong():
    jvp, vjp = modes_of(
        product,
        lambda p, t: np.sum(t[0] * p[1] + 7 * p[0] * t[1]),
        lambda p, ct: (ct * p[1], 7 * ct * p[0]),
    )
    _check(product, (X, Y), jvp, vjp, argnums=0)
    _check(product, (X, Y), jvp, vjp, argnums=[-2])
    with pytest.raises(GradientCheckError):
        _check(product, (X, Y), jvp, vjp, argnums=1)
    with pytest.raises(ArgumentError):
        _check(product, (X, Y), jvp, vjp, argnums=2)


def test_containers_and_leaves_that_are_not_varied():
    def value(params, n):
        return {"loss": params["w"] ** n, "name": "loss", "n": n}

    jvp, vjp = modes_of(
        value,
        lambda p, t: {
            "loss": p[1] * p[0]["w"] ** (p[1] - 1) * t[0]["w"],
            "name": None,
            "n": None,
        },
        lambda p, ct: (
            {"w": ct["loss"] * p[1] * p[0]["w"] ** (p[1] - 1), "label": None},
            None,
        ),
    )
    _check(value, ({"w": 1.5, "label": "a"}, 3), jvp, vjp)


def test_the_path_of_a_wrong_leaf():
    def value(params):
        return params["w"][0] * params["w"][1]

    jvp, vjp = modes_of(
        value,
        lambda p, t: t[0]["w"][0] * p[0]["w"][1] + p[0]["w"][0] * t[0]["w"][1],
        lambda p, ct: ({"w": [ct * p[0]["w"][1], -ct * p[0]["w"][0]]},),
    )
    with pytest.raises(GradientCheckError, match=r"args\[0\]\['w'\]\[1\]"):
        _check(value, ({"w": [2.0, 3.0]},), jvp, vjp)


def test_errors_that_cancel_in_one_sum_do_not_pass():
    def value(x):
        return x.copy()

    jvp, vjp = modes_of(value, lambda p, t: t[0], lambda p, ct: (ct[::-1],))
    with pytest.raises(GradientCheckError, match="reverse"):
        _check(value, (X,), jvp, vjp)


def test_nan_is_wrong():
    jvp, vjp = modes_of(
        product, lambda p, t: np.nan, lambda p, ct: (np.nan * p[0], ct * p[0])
    )
    for mode in ("fwd", "rev"):
        with pytest.raises(GradientCheckError, match="nan"):
            _check(product, (X, Y), jvp, vjp, modes=[mode])


def test_a_changed_value_is_found():
    jvp, vjp = modes_of(
        lambda x: 2 * product(x, x), lambda p, t: 0.0, lambda p, ct: (0.0,)
    )
    with pytest.raises(GradientCheckError, match="changes the value"):
        _check(lambda x: product(x, x), (X,), jvp, vjp)


def test_a_wrong_shape_is_found():
    def value(x):
        return np.sum(x)

    jvp, vjp = modes_of(value, lambda p, t: np.sum(t[0]), lambda p, ct: (ct,))
    with pytest.raises(GradientCheckError, match="shape"):
        _check(value, (X,), jvp, vjp)


def test_float32_is_judged_by_its_own_precision():
    x, y = X.astype(np.float32), Y.astype(np.float32)
    _check(product, (x, y), *product_modes)
    close = modes_of(
        product,
        lambda p, t: 1.0001 * np.sum(t[0] * p[1] + p[0] * t[1]),
        lambda p, ct: (1.0001 * ct * p[1], 1.0001 * ct * p[0]),
    )
    _check(product, (x, y), *close)
    with pytest.raises(GradientCheckError):
        _check(product, (X, Y), *close)
    _check(product, (X, Y), *close, tolerance=_Tolerance(atol=1e-2, rtol=1e-2))


def test_complex_adjoints_are_not_conjugated():
    def value(z):
        return z**2

    z = np.array([1.0 + 2.0j, -0.5j])
    right = modes_of(
        value, lambda p, t: 2 * p[0] * t[0], lambda p, ct: (2 * p[0] * ct,)
    )
    _check(value, (z,), *right)
    conjugated = modes_of(
        value, lambda p, t: 2 * p[0] * t[0], lambda p, ct: (2 * np.conj(p[0]) * ct,)
    )
    with pytest.raises(GradientCheckError):
        _check(value, (z,), *conjugated)


def test_arguments_are_not_modified():
    def value(x):
        x *= 2.0
        return np.sum(x)

    jvp, vjp = modes_of(
        value, lambda p, t: 2 * np.sum(t[0]), lambda p, ct: (2 * ct * np.ones(3),)
    )
    x = X.copy()
    _check(value, (x,), jvp, vjp)
    assert np.array_equal(x, X)


def complex_step_modes(wrong_second=1.0):
    """Modes of scalar functions by nested differences, as good as exact for cubes."""

    def derivative(fun, x):
        h = 1e-3
        return (fun(x + h) - fun(x - h)) / (2 * h) - (
            fun(x + 2 * h) - 2 * fun(x + h) + 2 * fun(x - h) - fun(x - 2 * h)
        ) / (12 * h)

    def factor(fun):
        return wrong_second if fun.__name__ in ("tangent", "adjoint") else 1.0

    def jvp(fun, primals, tangents):
        (x,), (t,) = primals, tangents
        return fun(x), factor(fun) * derivative(fun, x) * t

    def vjp(fun, *primals):
        (x,) = primals

        def pull(ct):
            # The pullback of `vjp` gives a tuple, which is what is differentiated next.
            first = ct if not isinstance(ct, tuple) else ct[0]
            inner = lambda x: flatten(fun(x))[0][0]
            return (factor(fun) * derivative(inner, x) * first,)

        return fun(x), pull

    def lifted(fun, primals, tangents):
        if isinstance(fun(*primals), tuple):
            value, tangent = jvp(lambda x: fun(x)[0], primals, tangents)
            return (value,), (factor(fun) * tangent,)
        return jvp(fun, primals, tangents)

    return lifted, vjp


def cube(x):
    return x**3


def test_second_order_passes():
    loose = _Tolerance(atol=1e-3, rtol=1e-3, eps=1e-3)
    _check(cube, (1.5,), *complex_step_modes(), order=2, tolerance=loose)


@pytest.mark.parametrize("mode", ["fwd", "rev"])
def test_a_wrong_second_derivative_is_named(mode):
    loose = _Tolerance(atol=1e-3, rtol=1e-3, eps=1e-3)
    modes = complex_step_modes(wrong_second=1.5)
    _check(cube, (1.5,), *modes, modes=[mode], tolerance=loose)
    with pytest.raises(GradientCheckError, match="derivative of (jvp|vjp)"):
        _check(cube, (1.5,), *modes, order=2, modes=[mode], tolerance=loose)


def test_nothing_to_vary_or_unknown_modes():
    with pytest.raises(ArgumentError, match="float"):
        _check(abs, (1,), *product_modes)
    with pytest.raises(ArgumentError, match="modes"):
        _check(abs, (1.0,), *product_modes, modes=["forward"])
    with pytest.raises(ArgumentError, match="order"):
        _check(abs, (1.0,), *product_modes, order=0)


def test_leaves_keep_their_kind():
    kinds = []

    def value(params):
        kinds.append(map_leaves(type, params))
        return params["a"] * 2 + np.sum(params["b"])

    jvp, vjp = modes_of(
        value,
        lambda p, t: t[0]["a"] * 2 + np.sum(t[0]["b"]),
        lambda p, ct: ({"a": 2 * ct, "b": ct * np.ones(3, np.float32)},),
    )
    _check(value, ({"a": 1.0, "b": np.ones(3, np.float32)},), jvp, vjp)
    assert all(kind == {"a": float, "b": np.ndarray} for kind in kinds)
