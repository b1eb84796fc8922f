"""Products with Hessians, Gauss-Newton and Fisher matrices; tangents kept at a point."""

from __future__ import annotations

import numpy as np
import pytest

from autograd_compiler import (
    fisher,
    gauss_newton,
    grad,
    hessian,
    hvp,
    jacobian,
    jvp,
    linearize,
    value_and_grad,
    vhp,
    vjp,
)
from autograd_compiler.errors import ArgumentError, UnsupportedError
from autograd_compiler.transforms import base

A = np.random.default_rng(1).normal(size=(4, 3))
X = np.array([0.1, 0.2, 0.3])
V = np.array([1.0, -2.0, 0.5])


def layer(x):
    return np.tanh(A @ x)


def energy(x, scale=1.0):
    return np.sum(layer(x) ** 2) * x[0] * scale


def rosenbrock(p):
    return np.sum(100.0 * (p[1:] - p[:-1] ** 2) ** 2 + (1.0 - p[:-1]) ** 2)


def in_place(x):
    y = x.copy()
    for i in range(1, len(x)):
        y[i] = y[i - 1] * np.sin(x[i]) + y[i]
    return np.sum(y**2)


# ---------------------------------------------------------------- Hessians


@pytest.mark.parametrize("transform", [hvp, vhp])
@pytest.mark.parametrize("f", [energy, in_place])
def test_product_is_that_with_the_whole_matrix(transform, f) -> None:
    np.testing.assert_allclose(transform(f)(X, V), hessian(f)(X) @ V)


def test_further_arguments_follow_the_vector() -> None:
    product = hvp(energy)
    assert str(product.signature) == "(x, v, scale=1.0)"
    expected = 2.0 * hvp(energy)(X, V)
    np.testing.assert_allclose(product(X, V, 2.0), expected)
    np.testing.assert_allclose(product(X, v=V, scale=2.0), expected)
    assert str(hvp(lambda v, v_: v * v_).signature) == "(v, v__, v_)"


def test_products_of_containers() -> None:
    def f(p):
        return np.sum(p["w"] ** 2) * p["s"]

    result = hvp(f)({"w": X, "s": 3.0}, {"w": V, "s": 1.0})
    np.testing.assert_allclose(result["w"], 6.0 * V + 2.0 * X)
    assert result["s"] == pytest.approx(2.0 * X @ V)


def test_products_of_numbers() -> None:
    assert hvp(lambda x: x**3)(2.0, 1.0) == 12.0


def test_vector_of_another_form_is_refused() -> None:
    with pytest.raises(ArgumentError, match="vector must have shape"):
        hvp(energy)(X, np.ones(4))
    with pytest.raises(ArgumentError, match="vector must have the structure"):
        hvp(lambda p: p["a"] ** 2)({"a": 1.0}, 1.0)


def test_product_of_an_array_valued_function_names_jacobian_and_vjp() -> None:
    with pytest.raises(ArgumentError, match="`jacobian`.*`vjp`"):
        hvp(layer)(X, V)


def test_product_is_what_scipy_takes() -> None:
    optimize = pytest.importorskip("scipy.optimize")
    result = optimize.minimize(
        value_and_grad(rosenbrock),
        np.zeros(5),
        jac=True,
        hessp=hvp(rosenbrock),
        method="trust-ncg",
    )
    np.testing.assert_allclose(result.x, np.ones(5), rtol=1e-4)


def test_product_in_a_differentiated_function() -> None:
    def f(x):
        return hvp(energy)(x, x) @ x

    def differences(step=1e-6):
        return [(f(X + step * e) - f(X - step * e)) / (2 * step) for e in np.eye(3)]

    np.testing.assert_allclose(grad(f)(X), differences(), rtol=1e-6)


@pytest.mark.parametrize("made", [hvp(energy), vhp(energy), hvp(in_place)])
def test_direct_way_gives_the_same(made) -> None:
    values = made._program.bind((X, V), {})
    vector = values.pop("v")
    np.testing.assert_allclose(made._by_calls(values, vector), made(X, V))
    assert not made._unreadable


def test_direct_way_of_gauss_newton_and_fisher_gives_the_same() -> None:
    for made in (
        gauss_newton(layer),
        gauss_newton(layer, lambda y: np.sum(y**4)),
        fisher(layer),
    ):
        values = {"x": X}
        np.testing.assert_allclose(made._by_calls(values, V), made(X, V))


@pytest.mark.numba
def test_products_on_numba() -> None:
    pytest.importorskip("numba")
    np.testing.assert_allclose(
        hvp(in_place, backend="numba")(X, V), hessian(in_place)(X) @ V
    )


# ---------------------------------------------------------------- Gauss-Newton, Fisher


def test_gauss_newton_is_the_matrix_of_jacobians() -> None:
    jac = jacobian(layer)(X)
    np.testing.assert_allclose(gauss_newton(layer)(X, V), jac.T @ (jac @ V))


def test_gauss_newton_with_a_loss() -> None:
    def loss(y):
        return np.sum(y**4)

    jac = jacobian(layer)(X)
    expected = jac.T @ (12.0 * layer(X) ** 2 * (jac @ V))
    np.testing.assert_allclose(gauss_newton(layer, loss)(X, V), expected)


def test_gauss_newton_is_the_hessian_of_linear_residuals() -> None:
    def residuals(x, y):
        return A @ x - y

    y = np.ones(4)
    expected = hvp(lambda x: 0.5 * np.sum(residuals(x, y) ** 2))(X, V)
    np.testing.assert_allclose(gauss_newton(residuals)(X, V, y), expected)


def test_fisher_is_the_mean_of_the_scores() -> None:
    def log_likelihood(p, data):
        return -0.5 * ((data - p[0]) * np.exp(-p[1])) ** 2 - p[1]

    data = np.array([0.3, -1.2, 2.0, 0.5])
    p, v = np.array([0.2, -0.1]), np.array([1.0, 0.5])
    scores = jacobian(log_likelihood)(p, data)
    expected = scores.T @ (scores @ v) / len(data)
    np.testing.assert_allclose(fisher(log_likelihood)(p, v, data), expected)


def test_random_residuals_are_refused() -> None:
    with pytest.raises(ArgumentError, match="may give another result"):
        gauss_newton(lambda x: x * np.random.normal(size=3))(X, V)


# ---------------------------------------------------------------- vjp, jvp, linearize


def test_linearize_gives_the_tangent_at_its_point() -> None:
    x = X.copy()
    out, along = linearize(layer, x)
    x[:] = 5.0
    np.testing.assert_allclose(out, layer(X))
    jac = jacobian(layer)(X)
    np.testing.assert_allclose(along(V), jac @ V)
    np.testing.assert_allclose(along(2 * V), 2 * jac @ V)


def test_linearize_keeps_what_the_function_reads_from_outside() -> None:
    scale = np.array([1.0, 2.0, 3.0])
    _, along = linearize(lambda x: scale * x, X)
    scale[:] = 0.0
    np.testing.assert_array_equal(along(np.ones(3)), [1.0, 2.0, 3.0])


def test_linearize_of_a_function_that_writes_its_argument() -> None:
    def f(x):
        x[0] = x[0] * x[1]
        return x * 1.0

    _, along = linearize(f, X.copy())
    for _ in range(2):
        np.testing.assert_allclose(along(np.ones(3)), [0.3, 1.0, 1.0])


def test_linearize_of_several_arguments_and_containers() -> None:
    out, along = linearize(lambda p, y: {"z": p["a"] * y}, {"a": 3.0}, 2.0)
    assert out == {"z": 6.0}
    assert along({"a": 1.0}, 0.0) == {"z": 2.0}
    assert along({"a": 0.0}, 1.0) == {"z": 3.0}
    with pytest.raises(ArgumentError, match="one tangent per argument"):
        along(1.0)


def test_linearize_in_a_differentiated_function_is_refused_with_its_place() -> None:
    def f(x):
        out, along = linearize(layer, x)
        return np.sum(along(x))

    with pytest.raises(UnsupportedError, match="write `jvp") as found:
        grad(f)(X)
    assert "linearize(layer, x)" in str(found.value)


def with_aux(x):
    return x * x, {"first": x[0], "name": "f"}


def test_aux_of_vjp_and_jvp() -> None:
    out, pullback, aux = vjp(with_aux, X, has_aux=True)
    np.testing.assert_array_equal(out, X * X)
    np.testing.assert_allclose(pullback(V)[0], 2 * X * V)
    assert aux == {"first": X[0], "name": "f"}
    out, tangent, aux = jvp(with_aux, (X,), (V,), has_aux=True)
    np.testing.assert_allclose(tangent, 2 * X * V)
    assert aux == {"first": X[0], "name": "f"}


def test_aux_of_vjp_and_jvp_in_a_differentiated_function() -> None:
    def f(x):
        _, pullback, aux = vjp(with_aux, x, has_aux=True)
        _, tangent, other = jvp(with_aux, (x,), (x,), has_aux=True)
        return np.sum(pullback(x)[0]) * aux["first"] + np.sum(tangent) * other["first"]

    # 4 * sum(x**2) * x[0]
    expected = 8 * X * X[0]
    expected[0] += 4 * np.sum(X**2)
    np.testing.assert_allclose(grad(f)(X), expected)


@pytest.mark.numba
def test_tangents_on_numba() -> None:
    pytest.importorskip("numba")
    out, tangent = jvp(in_place, (X,), (V,), backend="numba")
    np.testing.assert_allclose(tangent, grad(in_place)(X) @ V)


def test_compiled_code_of_functions_that_are_made_anew_is_bounded(monkeypatch) -> None:
    monkeypatch.setattr(base, "_SPECIALISERS", base.Recent(2))
    for factor in range(4):
        _, tangent = jvp(lambda x: factor * x, (1.0,), (1.0,))
        assert tangent == factor
    assert len(base._SPECIALISERS._found) == 2
