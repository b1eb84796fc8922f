"""Derivatives of derivatives: nested, in any mix of modes, of generated code."""

from __future__ import annotations

import math
from collections import namedtuple

import numpy as np
import pytest

from autograd_compiler import grad, ir, jvp, value_and_grad, vjp
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


def in_place_of_a_number(x):
    a = np.zeros(4)
    a[0] = x
    for i in range(1, 4):
        a[i] = a[i - 1] * np.sin(x) + 0.5
        a[i - 1] *= x
    return np.sum(a**2)


def with_a_list_that_grows(x):
    values = [x]
    for _ in range(3):
        values.append(np.sin(values[-1]) * x)
    return sum(values) ** 2


def matrix_of_a_number(x):
    m = np.outer(V, np.cos(x * V))
    return np.sum((m @ V) ** 2)


def bent(a, b):
    c = a * b
    return math.sin(c) + c


def with_helpers(x):
    y = bent(x, 2.0)
    return bent(y, x) * y


def power(x, n):
    if n == 0:
        return 1.0
    half = power(x, n // 2)
    if n % 2 == 0:
        return half * half
    return half * half * x


def with_recursion(x):
    return power(math.sin(x), 5)


def with_recursion_and_a_loop(x, n=2):
    if n == 0:
        return x * x
    s = 0.5
    for i in range(2):
        s = s * math.sin(x + i * s)
    return s * with_recursion_and_a_loop(0.5 * x, n - 1)


def with_a_dict(x):
    parts = {}
    for i in range(3):
        parts[i] = x ** (i + 1)
    for i in range(3):
        parts[i] = parts[i] * np.sin(x)
    total = 0.0
    for key, part in parts.items():
        total += key * part
    return total


def slope(f, x, h=1e-5):
    return (f(x + h) - f(x - h)) / (2 * h)


def hessian_times(f, v, d, h=1e-5):
    g = grad(f)
    return (g(v + h * d) - g(v - h * d)) / (2 * h)


SCALARS = [scalar, with_a_loop, with_a_while, with_a_branch]
ARRAYS = [in_place, matrix_product, with_a_list]


@pytest.mark.parametrize(
    "f",
    [
        *SCALARS,
        in_place_of_a_number,
        with_a_list_that_grows,
        matrix_of_a_number,
        with_helpers,
        with_recursion,
        with_recursion_and_a_loop,
        with_a_dict,
    ],
)
def test_gradients_of_gradients_up_to_order_4(f) -> None:
    for _ in range(4):
        gradient = grad(f)
        expected = slope(f, 0.7)
        assert gradient(0.7) == pytest.approx(expected, rel=1e-6, abs=1e-6)
        f = gradient


def test_fourth_derivative_is_exact() -> None:
    fourth = with_a_while
    for _ in range(4):
        fourth = grad(fourth)
    # The loop runs twice at 0.9: 0.9 * (1.5 + 0.9) ** 2 > 5.
    x = np.polynomial.Polynomial([0.0, 1.0])
    assert fourth(0.9) == pytest.approx((x * (x + 1.5) ** 2).deriv(4)(0.9), abs=1e-12)
    assert grad(grad(grad(with_a_while)))(0.9) == pytest.approx(6.0)


def operations(lowered) -> int:
    return sum(
        1 for function in lowered.module.functions for _ in ir.walk(function.body)
    )


@pytest.mark.parametrize(
    "f", [with_a_loop, in_place_of_a_number, with_a_list_that_grows]
)
def test_code_of_each_order_is_no_more_than_three_times_that_of_the_one_before(
    f,
) -> None:
    counts = []
    for _ in range(4):
        f = grad(f)
        counts.append(operations(f.lower(0.7)))
    assert all(b < 3.1 * a for a, b in zip(counts, counts[1:], strict=False)), counts


def test_what_a_tape_holds_is_kept_once() -> None:
    assert statements(grad(grad(with_a_loop)).lower(0.7)).count(".append(y)") == 1


def statements(lowered) -> str:
    """The source without comments."""
    lines = lowered.source.splitlines()
    return "\n".join(line for line in lines if not line.strip().startswith("#"))


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


# ---------------------------------------------------------------- learning to learn

DATA = np.array([[0.5, 1.0], [1.5, -0.5], [0.2, 0.8]])
TARGET = np.array([0.3, -0.2, 0.9])
FLAT = {
    "w": np.array([[0.1, -0.3], [0.4, 0.2]]),
    "b": np.zeros(2),
    "v": np.array([0.5, -0.7]),
}
DEEP = {"hidden": {"w": FLAT["w"], "b": FLAT["b"]}, "v": FLAT["v"]}
Line = namedtuple("Line", "slope shift")


def flat_loss(params):
    hidden = np.tanh(DATA @ params["w"] + params["b"])
    return np.mean((hidden @ params["v"] - TARGET) ** 2)


def meta_learning_step(rate, params):
    gradient = grad(flat_loss)(params)
    adapted = {key: params[key] - rate * gradient[key] for key in params}
    return flat_loss(adapted)


def unrolled_steps(rate, params):
    for _ in range(3):
        gradient = grad(flat_loss)(params)
        params = {key: params[key] - rate * gradient[key] for key in params}
    return flat_loss(params)


def unrolled_steps_of_a_closure(decay, params):
    def regularised(p):
        return flat_loss(p) + decay * sum(np.sum(v**2) for v in p.values())

    for _ in range(3):
        _, gradient = value_and_grad(regularised)(params)
        params = {key: value - 0.1 * gradient[key] for key, value in params.items()}
    return regularised(params)


def unrolled_steps_of_nested_dicts(rate, params):
    def loss(p):
        hidden = np.tanh(DATA @ p["hidden"]["w"] + p["hidden"]["b"])
        return np.mean((hidden @ p["v"] - TARGET) ** 2)

    for _ in range(2):
        d = grad(loss)(params)
        hidden = params["hidden"]
        params = {
            "hidden": {key: hidden[key] - rate * d["hidden"][key] for key in hidden},
            "v": params["v"] - rate * d["v"],
        }
    return loss(params)


def unrolled_steps_of_a_named_tuple(rate, line):
    def loss(p):
        return np.mean((np.tanh(DATA @ p.slope) + p.shift - TARGET) ** 2)

    for _ in range(3):
        d = grad(loss)(line)
        line = Line(line.slope - rate * d.slope, line.shift - rate * d.shift)
    return loss(line)


def momentum_of_arrays_in_a_list(log_rate, start):
    def objective(w):
        return np.sum((w - DATA[:, 0]) ** 2 * TARGET**2) + 0.1 * np.sum(w**2)

    w, velocity, seen = start, np.zeros(3), []
    gradient = grad(objective)
    for _ in range(4):
        velocity = 0.9 * velocity - np.exp(log_rate) * gradient(w)
        w = w + velocity
        seen.append(objective(w))
    return sum(seen)


def newton_steps_inside(a):
    def potential(y):
        return 0.25 * y**4 - a * y

    slope_of = grad(potential)
    curvature_of = grad(slope_of)
    y = a
    for _ in range(6):
        y = y - slope_of(y) / curvature_of(y)
    return y


@pytest.mark.parametrize(
    ("f", "args"),
    [
        (meta_learning_step, (0.3, FLAT)),
        (unrolled_steps, (0.3, FLAT)),
        (unrolled_steps_of_a_closure, (0.3, FLAT)),
        (unrolled_steps_of_nested_dicts, (0.3, DEEP)),
        (unrolled_steps_of_a_named_tuple, (0.3, Line(np.array([0.1, 0.2]), 0.3))),
        (momentum_of_arrays_in_a_list, (-1.0, np.array([0.1, 0.2, 0.3]))),
        (newton_steps_inside, (2.0,)),
    ],
    ids=lambda item: getattr(item, "__name__", ""),
)
def test_optimisers_are_differentiated(f, args) -> None:
    check_grads(f, args, order=2)


def test_newton_steps_give_the_derivative_of_the_root() -> None:
    assert grad(newton_steps_inside)(2.0) == pytest.approx(2.0 ** (-2 / 3) / 3)


def test_argument_that_a_loop_replaces_is_not_written() -> None:
    def f(rate, params):
        for _ in range(2):
            params["w"] = params["w"] * rate
            params = {key: params[key] * 1.0 for key in params}
        return np.sum(params["w"])

    with pytest.raises(UnsupportedError, match="written"):
        grad(f)(0.5, FLAT)


# ---------------------------------------------------------------- what is kept


def test_value_kept_of_a_branch_that_was_not_taken() -> None:
    def f(x):
        if x[0] > 0:
            z = np.sin(x) * 2
        s = x[1] ** 2
        if x[0] > 0:
            s = s + (z * z).sum()
            z[0] = s
            s = s * z[1] + z[0]
        return s

    for point in (V, -V):
        check_grads(f, (point,), order=2)


def test_user_list_is_read_instead_of_a_tape() -> None:
    def f(x):
        seen = []
        h = x
        for _ in range(5):
            seen.append(h)
            h = np.sin(h) * x
        return h + seen[2]

    assert statements(grad(f).lower(0.7)).count(".append(h)") == 1
    check_grads(f, (0.7,), order=2)


def test_array_that_is_kept_for_its_shape_is_not_held() -> None:
    def f(x):
        s = 0.0
        for i in range(1, 4):
            b = np.sin(x[:i])
            b[0] = x[1]
            s += b.sum()
        return s

    lowered = grad(f).lower(V)
    assert not any("array" in item.type for item in lowered.plan if item.name == "b")
    check_grads(f, (V,), order=2)


def test_gradient_does_not_write_into_an_array_that_a_list_was_stacked_with() -> None:
    def f(x, u):
        xs = []
        for i in range(2):
            xs.append(x * (i + 1))
        for i in range(2):
            xs[i][0] = x[1]
        return np.sum(np.array(xs) * u)

    u = np.arange(8.0).reshape(2, 4)
    grad(f)(V, u)
    np.testing.assert_array_equal(u, np.arange(8.0).reshape(2, 4))
