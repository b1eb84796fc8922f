"""Derivatives of derivatives: nested, in any mix of modes, of generated code."""

from __future__ import annotations

import numpy as np
import pytest

from autograd_compiler import grad, jvp, value_and_grad, vjp
from autograd_compiler.errors import MutationError, UnsupportedError
from autograd_compiler.testing import check_grads

V = np.array([0.3, 0.5, -0.2, 1.0])
D = np.array([1.0, 0.2, 0.3, -0.4])


def scalar(x):
    return np.sin(x) * x**3


def with_a_loop(x):
    y = x
    for i in range(3):
        y = y * np.cos(x) + i * x
    return y


def with_a_while(x):
    y = x
    while y < 5.0:
        y = y * (1.5 + x)
    return y


def with_a_branch(x):
    if x > 0.5:
        return x**4
    return np.exp(x)


def in_place(v):
    a = v.copy()
    for i in range(1, len(v)):
        a[i] = a[i - 1] * np.sin(v[i]) + a[i]
    return np.sum(a**2)


def matrix_product(v):
    m = np.outer(v, np.cos(v))
    return np.sum((m @ v) ** 2)


def with_a_list(v):
    values = []
    for item in v:
        values.append(np.sin(item) * item)
    return np.sum(np.array(values) ** 2)


def slope(f, x, h=1e-5):
    return (f(x + h) - f(x - h)) / (2 * h)


def hessian_times(f, v, d, h=1e-5):
    g = grad(f)
    return (g(v + h * d) - g(v - h * d)) / (2 * h)


SCALARS = [scalar, with_a_loop, with_a_while, with_a_branch]
ARRAYS = [in_place, matrix_product, with_a_list]


@pytest.mark.parametrize("f", SCALARS)
def test_gradients_of_gradients(f) -> None:
    first = grad(f)
    second = grad(first)
    third = grad(second)
    assert first(0.7) == pytest.approx(slope(f, 0.7), rel=1e-7)
    assert second(0.7) == pytest.approx(slope(first, 0.7), rel=1e-7)
    assert third(0.7) == pytest.approx(slope(second, 0.7), rel=1e-7)


@pytest.mark.parametrize("f", ARRAYS)
def test_hessian_times_a_direction_in_each_mix_of_modes(f) -> None:
    expected = hessian_times(f, V, D)

    def forward_over_reverse(v):
        return jvp(grad(f), (v,), (D,))[1]

    def reverse_over_reverse(v):
        return vjp(grad(f), v)[1](D)[0]

    def gradient_of_a_product(v):
        return grad(lambda u: np.dot(grad(f)(u), D))(v)

    def reverse_over_forward(v):
        return grad(lambda u: jvp(f, (u,), (D,))[1])(v)

    for method in (
        forward_over_reverse,
        reverse_over_reverse,
        gradient_of_a_product,
        reverse_over_forward,
    ):
        np.testing.assert_allclose(method(V), expected, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("f", [*SCALARS, *ARRAYS])
def test_generated_functions_are_differentiated_like_any_other(f) -> None:
    x = 0.7 if f in SCALARS else V
    direction = 1.0 if f in SCALARS else D
    run = grad(f).lower(x).compile()
    expected = hessian_times(f, x, direction)
    _, pullback = vjp(run, x)
    np.testing.assert_allclose(pullback(direction)[0], expected, rtol=1e-6, atol=1e-7)
    _, tangent = jvp(run, (x,), (direction,))
    np.testing.assert_allclose(tangent, expected, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("f", SCALARS)
def test_check_grads_of_third_order(f) -> None:
    check_grads(f, (0.7,), order=3)


@pytest.mark.parametrize("f", ARRAYS)
def test_check_grads_of_second_order(f) -> None:
    check_grads(f, (V,), order=2)


# ---------------------------------------------------------------- nested in programs


def test_gradient_object_called_in_a_function() -> None:
    inner = grad(scalar)

    def f(x):
        return inner(x) ** 2 + x

    assert grad(f)(0.7) == pytest.approx(slope(f, 0.7), rel=1e-7)


def test_rebound_gradient_object_is_the_one_called() -> None:
    inner = grad(scalar)

    def f(x):
        return inner(x) * x

    outer = grad(f)
    outer(0.7)
    inner = grad(with_a_loop)
    assert outer(0.7) == pytest.approx(slope(f, 0.7), rel=1e-7)


def test_value_and_grad_in_a_function() -> None:
    both = value_and_grad(scalar)
    gradient = grad(scalar)

    def f(x):
        value, first = both(x)
        again, second = gradient.value_and_grad(x)
        third, fourth = value_and_grad(scalar)(x)
        return value * first + again * second + third * fourth

    assert grad(f)(0.7) == pytest.approx(slope(f, 0.7), rel=1e-7)


def test_gradient_of_a_nested_function_sees_what_is_around_it() -> None:
    def f(x):
        def helper(y):
            return x * y

        def inner(y):
            return helper(y) ** 2 * x

        return grad(inner)(x)

    assert grad(f)(0.7) == pytest.approx(8 * 0.7**3)


def test_gradient_of_a_nested_function_reads_variables_when_it_is_called() -> None:
    def f(x):
        scale = x

        def inner(y):
            return scale * y * y

        derivative = grad(inner)
        scale = x * x
        return derivative(x)

    assert f(2.0) == 16.0
    assert grad(f)(2.0) == pytest.approx(24.0)


def test_pullback_in_a_function() -> None:
    def f(x):
        out, pullback = vjp(scalar, x)
        return out * pullback(1.5 * x)[0] + pullback(1.0)[0]

    assert grad(f)(0.7) == pytest.approx(slope(f, 0.7), rel=1e-7)


def test_jvp_in_a_function() -> None:
    def f(x):
        out, tangent = jvp(lambda y: x * scalar(y), (x,), (x,))
        return out * tangent

    assert grad(f)(0.7) == pytest.approx(slope(f, 0.7), rel=1e-7)


def test_newton_step_with_a_gradient_in_a_loop() -> None:
    def solve(a):
        def residual(y):
            return y**3 - a

        y = a
        for _ in range(20):
            y = y - residual(y) / grad(residual)(y)
        return y

    assert grad(solve)(2.0) == pytest.approx(2.0 ** (-2 / 3) / 3)


def test_gradient_steps_in_a_loop() -> None:
    def loss(w, data):
        return np.sum((w - data) ** 2 * data)

    def trained(rate, data):
        w = np.zeros(3)
        for _ in range(4):
            w = w - rate * grad(loss)(w, data)
        return loss(w, data)

    data = np.array([1.0, 2.0, 0.5])
    expected = slope(lambda rate: trained(rate, data), 0.05)
    assert grad(trained)(0.05, data) == pytest.approx(expected, rel=1e-6)


def test_gradient_that_is_an_argument_is_a_copy_of_it() -> None:
    def f(x):
        d = grad(lambda w: np.sum(w * x))(x * 1.0)
        d[0] = 5.0
        return np.sum(d * x)

    np.testing.assert_allclose(f(V), 1.0 * (V[0] * 5 + np.sum(V[1:] ** 2)))
    expected = 2.0 * V
    expected[0] = 5.0
    np.testing.assert_allclose(grad(f)(V), expected)


def test_write_between_vjp_and_its_pullback_is_refused_or_right() -> None:
    def f(x):
        y = x * 1.0
        _, pullback = vjp(lambda w: np.sum(w**3), y)
        y[0] = 7.0
        return np.sum(pullback(1.0)[0])

    try:
        result = grad(f)(V)
    except (MutationError, UnsupportedError):
        return
    np.testing.assert_allclose(result, 6.0 * V)


def test_gradient_of_an_integer_is_refused_with_its_place() -> None:
    def f(x):
        return x * grad(scalar)(3)

    with pytest.raises(UnsupportedError, match="not of floats") as found:
        grad(f)(1.0)
    assert "grad(scalar)(3)" in str(found.value)


def test_several_arguments_and_containers_in_a_nested_gradient() -> None:
    def loss(params, x):
        return params["a"] * x**2 + params["b"][0] * x

    def f(x):
        d_params, d_x = grad(loss, (0, 1))({"a": x, "b": [x * x]}, x)
        return d_params["a"] * d_params["b"][0] + d_x

    assert grad(f)(0.7) == pytest.approx(slope(f, 0.7), rel=1e-7)


def test_aux_in_a_nested_gradient() -> None:
    def loss(x):
        return x**3, x * 2.0

    def f(x):
        gradient, aux = grad(loss, has_aux=True)(x)
        return gradient * aux

    assert grad(f)(0.7) == pytest.approx(18 * 0.7**2)


def test_nested_gradient_may_have_the_name_of_the_outer_one() -> None:
    def slope():
        return grad(lambda x: x**3)(2.0)

    # Both gradients are called `function_grad` if nothing is done about it.
    assert grad(lambda x: slope() * x)(1.0) == 12.0
