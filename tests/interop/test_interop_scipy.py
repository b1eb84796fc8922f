"""SciPy's optimisers and solvers, run to known results with our derivatives."""

from __future__ import annotations

import pickle
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from scipy import optimize, sparse
from scipy.integrate import solve_ivp
from scipy.sparse.linalg import LinearOperator

from autograd_compiler import grad, value_and_grad
from autograd_compiler.errors import ArgumentError
from autograd_compiler.interop.scipy import (
    bounds,
    constraint,
    constraint_dict,
    curve_fit_jac,
    objective,
    residuals,
    solve_ivp_jac,
)


@dataclass
class Counted:
    """A function, and how often it was called."""

    fun: Any
    calls: int = 0

    def __call__(self, *args: Any) -> Any:
        self.calls += 1
        return self.fun(*args)


def rosenbrock(p):
    return 100.0 * (p["y"] - p["x"] ** 2) ** 2 + (1.0 - p["x"]) ** 2


def line(p, x, y):
    return np.mean((x @ p["slopes"] + p["offset"] - y) ** 2)


START = {"x": -1.2, "y": 1.0}
X = np.random.default_rng(0).normal(size=(30, 2))
Y = X @ np.array([2.0, -1.0]) + 0.5
LINE = {"slopes": np.zeros(2), "offset": 0.0}


# ---------------------------------------------------------------- minimize


@pytest.mark.parametrize("method", ["BFGS", "L-BFGS-B", "CG", "TNC", "SLSQP"])
def test_gradient_methods_reach_the_optimum(method: str) -> None:
    fun, x0, unflatten = objective(rosenbrock, START)
    result = optimize.minimize(fun, x0, jac=True, method=method, tol=1e-10)
    found = unflatten(result.x)
    assert found["x"] == pytest.approx(1.0, abs=1e-3)
    assert found["y"] == pytest.approx(1.0, abs=1e-3)


@pytest.mark.parametrize(
    "method", ["Newton-CG", "trust-ncg", "trust-krylov", "trust-constr"]
)
def test_methods_with_products_reach_the_optimum(method: str) -> None:
    fun, x0, _ = objective(rosenbrock, START)
    result = optimize.minimize(fun, x0, jac=True, hessp=fun.hessp, method=method)
    np.testing.assert_allclose(result.x, [1.0, 1.0], atol=1e-3)


@pytest.mark.parametrize("method", ["dogleg", "trust-exact", "Newton-CG"])
def test_methods_with_the_hessian_reach_the_optimum(method: str) -> None:
    fun, x0, _ = objective(line, LINE, X, Y)
    result = optimize.minimize(fun, x0, jac=True, hess=fun.hess, method=method)
    np.testing.assert_allclose(result.x, [2.0, -1.0, 0.5], atol=1e-6)
    assert result.nit <= 8


def test_value_and_gradient_are_one_call() -> None:
    fun, x0, _ = objective(rosenbrock, START)
    counted, runs = Counted(fun), Counted(fun._value_and_grad)
    fun._value_and_grad = runs
    result = optimize.minimize(counted, x0, jac=True, method="L-BFGS-B")
    assert result.nfev == counted.calls == runs.calls


def test_arrays_that_are_given_are_not_given_again() -> None:
    fun, x0, _ = objective(lambda x: np.sum(x * x), np.ones(3))
    first, second = fun(x0)[1], fun(x0)[1]
    assert not np.shares_memory(first, second)
    assert first.flags.writeable and not np.shares_memory(first, x0)
    assert not np.shares_memory(fun.hessp(x0, x0), x0)


def test_arguments_are_bound_or_passed_by_the_optimiser() -> None:
    fun, x0, _ = objective(line, LINE, X, Y)
    bound = optimize.minimize(fun, x0, jac=True)
    fun, x0, _ = objective(line, LINE)
    passed = optimize.minimize(fun, x0, args=(X, Y), jac=True)
    np.testing.assert_allclose(bound.x, passed.x, atol=1e-5)


def test_decorated_function_and_its_backend_are_taken() -> None:
    pytest.importorskip("numba")

    @grad(backend="numba")
    def decorated(p):
        return 100.0 * (p[1] - p[0] ** 2) ** 2 + (1.0 - p[0]) ** 2

    fun, x0, _ = objective(decorated, np.array([-1.2, 1.0]))
    assert fun._value_and_grad._backend == "numba"
    assert fun.value(x0) == pytest.approx(24.2)
    result = optimize.minimize(fun, x0, jac=True)
    np.testing.assert_allclose(result.x, [1.0, 1.0], atol=1e-3)


def test_single_precision_parameters_keep_their_dtype() -> None:
    start = {"x": np.float32(-1.2), "y": np.float32(1.0)}
    fun, x0, unflatten = objective(rosenbrock, start)
    assert x0.dtype == np.float64 and fun(x0)[1].dtype == np.float64
    assert type(unflatten(x0)["x"]) is np.float32


def test_derivatives_are_those_of_the_container() -> None:
    fun, x0, unflatten = objective(line, LINE, X, Y)
    x0 = x0 + 0.3
    value, gradient = fun(x0)
    expected = value_and_grad(line)(unflatten(x0), X, Y)
    assert value == expected[0] == fun.value(x0)
    np.testing.assert_array_equal(gradient, unflatten.flatten(expected[1]))
    np.testing.assert_array_equal(gradient, fun.gradient(x0))
    design = np.column_stack([X, np.ones(len(X))])
    hessian = 2.0 * design.T @ design / len(X)
    np.testing.assert_allclose(fun.hess(x0), hessian)
    np.testing.assert_allclose(fun.hessp(x0, x0), hessian @ x0)


# ---------------------------------------------------------------- bounds, constraints


def test_bounds_of_a_container_hold() -> None:
    fun, x0, _ = objective(line, LINE, X, Y)
    limits = bounds(LINE, upper={"slopes": np.array([1.0, np.inf]), "offset": None})
    np.testing.assert_array_equal(limits.lb, [-np.inf] * 3)
    np.testing.assert_array_equal(limits.ub, [1.0, np.inf, np.inf])
    result = optimize.minimize(fun, x0, jac=True, bounds=limits)
    assert result.x[0] == pytest.approx(1.0)


def test_bounds_of_another_form_are_refused() -> None:
    with pytest.raises(ArgumentError, match="is not like it"):
        bounds(LINE, lower={"slopes": 0.0})
    with pytest.raises(ArgumentError, match="a number, or a container"):
        bounds(LINE, lower=np.zeros(3))
    with pytest.raises(ArgumentError, match="does not fit"):
        bounds(LINE, lower={"slopes": np.zeros(3), "offset": 0.0})


def distance(p):
    return (p["x"] - 1.0) ** 2 + (p["y"] - 2.5) ** 2


def limits_of(p, factor):
    return [
        p["x"] - factor * p["y"] + 2.0,
        6.0 - p["x"] - factor * p["y"] - p["x"] ** 2,
    ]


def on_circle(p, radius):
    return p["x"] ** 2 + p["y"] ** 2 - radius**2


POINT = {"x": 2.0, "y": 0.5}


def test_inequalities_as_a_dict() -> None:
    fun, x0, _ = objective(distance, POINT)
    with_jac = constraint_dict("ineq", limits_of, POINT, 2.0)
    result = optimize.minimize(fun, x0, jac=True, constraints=[with_jac])
    without = {"type": "ineq", "fun": with_jac["fun"]}
    expected = optimize.minimize(fun, x0, jac=True, constraints=[without])
    assert result.success
    np.testing.assert_allclose(result.x, expected.x, atol=1e-5)
    np.testing.assert_allclose(
        with_jac["jac"](x0), [[1.0, -2.0], [-1.0 - 2.0 * 2.0, -2.0]]
    )


def test_equality_with_its_hessian() -> None:
    fun, x0, _ = objective(distance, POINT)
    circle = constraint(on_circle, POINT, 0.0, 0.0, 1.5)
    result = optimize.minimize(
        fun,
        x0,
        jac=True,
        hessp=fun.hessp,
        method="trust-constr",
        constraints=circle,
    )
    nearest = 1.5 * np.array([1.0, 2.5]) / np.hypot(1.0, 2.5)
    np.testing.assert_allclose(result.x, nearest, atol=1e-5)
    np.testing.assert_allclose(
        circle.hess(x0, np.array([3.0])) @ np.eye(2), 6.0 * np.eye(2)
    )


def test_hessian_of_several_constraints_is_the_weighted_sum() -> None:
    several = constraint(limits_of, POINT, 0.0, np.inf, 2.0)
    operator = several.hess(np.array([2.0, 0.5]), np.array([5.0, 3.0]))
    np.testing.assert_allclose(operator @ np.eye(2), [[-6.0, 0.0], [0.0, 0.0]])


def test_gradient_as_a_constraint_is_refused() -> None:
    with pytest.raises(ArgumentError, match="write `.primal`"):
        constraint(grad(distance), POINT, 0.0, 0.0)
    with pytest.raises(ArgumentError, match='"eq" or "ineq"'):
        constraint_dict("equal", distance, POINT)


# ---------------------------------------------------------------- least_squares, root


def decay(p, x, y):
    return p["height"] * np.exp(-p["rates"][0] * x) + p["rates"][1] * x - y


TIMES = np.linspace(0.0, 3.0, 25)
DECAY = {"height": 1.0, "rates": np.array([1.0, 0.0])}
VALUES = 3.0 * np.exp(-0.7 * TIMES) + 0.2 * TIMES


@pytest.mark.parametrize("kind", ["jac", "jac_sparse", "jac_operator"])
def test_least_squares_reaches_the_optimum(kind: str) -> None:
    fun, x0, unflatten = residuals(decay, DECAY, TIMES, VALUES)
    jac = Counted(getattr(fun, kind))
    result = optimize.least_squares(fun, x0, jac=jac, xtol=1e-12)
    found = unflatten(result.x)
    assert found["height"] == pytest.approx(3.0, rel=1e-6)
    np.testing.assert_allclose(found["rates"], [0.7, 0.2], rtol=1e-6)
    assert jac.calls == result.njev


def test_three_kinds_of_jacobian_agree() -> None:
    fun, x0, _ = residuals(decay, DECAY, TIMES, VALUES)
    dense, operator = fun.jac(x0), fun.jac_operator(x0)
    found = fun.jac_sparse(x0)
    assert sparse.issparse(found) and isinstance(operator, LinearOperator)
    assert dense.shape == operator.shape == found.shape == (25, 3)
    np.testing.assert_allclose(found.toarray(), dense)
    np.testing.assert_allclose(operator @ np.eye(3), dense)
    np.testing.assert_allclose(operator.T @ np.eye(25), dense.T)
    difference = optimize.approx_fprime(x0, fun)
    np.testing.assert_allclose(dense, difference, atol=1e-6)


def test_jacobian_of_results_in_a_container() -> None:
    def several(p):
        return {
            "a": p["w"] * 2.0,
            "b": [np.sum(p["w"]) * p["s"], np.outer(p["w"], p["w"])],
        }

    fun, x0, _ = residuals(several, {"w": np.array([1.0, 2.0]), "s": 3.0})
    assert fun(x0).shape == (7,)
    dense, operator = fun.jac(x0), fun.jac_operator(x0)
    np.testing.assert_allclose(dense, optimize.approx_fprime(x0, fun), atol=1e-6)
    np.testing.assert_allclose(operator @ np.eye(3), dense)
    np.testing.assert_allclose(operator.T @ np.eye(7), dense.T)


def test_operator_does_not_see_later_writes() -> None:
    fun, x0, _ = residuals(decay, DECAY, TIMES, VALUES)
    operator, dense = fun.jac_operator(x0), fun.jac(x0)
    x0[:] = 7.0
    np.testing.assert_allclose(operator @ np.eye(3), dense)
    np.testing.assert_allclose(operator.T @ np.eye(25), dense.T)


def test_operator_of_a_function_that_writes_into_its_argument() -> None:
    def cumulated(x):
        for i in range(len(x) - 1):
            x[i + 1] += x[i] ** 2
        return x * 2.0

    fun, x0, _ = residuals(cumulated, np.array([0.5, 1.0, -0.3]))
    operator, dense = fun.jac_operator(x0), fun.jac(x0)
    np.testing.assert_allclose(operator @ np.eye(3), dense)
    np.testing.assert_allclose(operator @ np.eye(3), dense)
    np.testing.assert_allclose(operator.T @ np.eye(3), dense.T)
    np.testing.assert_allclose(dense, optimize.approx_fprime(x0, fun), atol=1e-6)


def test_operator_of_a_gradient_is_the_hessian() -> None:
    fun, x0, _ = residuals(grad(rosenbrock), START)
    hessian = objective(rosenbrock, START)[0].hess(x0)
    np.testing.assert_allclose(fun.jac_operator(x0) @ np.eye(2), hessian)
    np.testing.assert_allclose(fun.jac_operator(x0).T @ np.eye(2), hessian.T)


def test_sparse_jacobian_of_a_chain_takes_few_products() -> None:
    def chain(x):
        return 10.0 * (x[1:] - x[:-1] ** 2)

    fun, x0, _ = residuals(chain, np.linspace(0.5, 1.5, 40))
    found = fun.jac_sparse(x0)
    assert found.nnz == 2 * 39
    np.testing.assert_allclose(found.toarray(), fun.jac(x0))


@pytest.mark.parametrize("method", ["hybr", "lm"])
def test_root_is_found(method: str) -> None:
    def equations(p):
        x, y = p
        return [x + 0.5 * (x - y) ** 3 - 1.0, 0.5 * (y - x) ** 3 + y]

    fun, x0, unflatten = residuals(equations, (0.0, 0.0))
    result = optimize.root(fun, x0, jac=fun.jac, method=method)
    assert result.success
    np.testing.assert_allclose(unflatten(result.x), (0.8411639, 0.1588361), atol=1e-6)


def test_root_of_a_gradient_is_a_stationary_point() -> None:
    fun, x0, _ = residuals(grad(rosenbrock), {"x": 0.8, "y": 0.9})
    result = optimize.root(fun, x0, jac=fun.jac)
    np.testing.assert_allclose(result.x, [1.0, 1.0], atol=1e-8)


# ---------------------------------------------------------------- curve_fit, solve_ivp


def peak(x, height, place, width):
    return height * np.exp(-(((x - place) / width) ** 2))


@pytest.mark.parametrize(
    ("method", "sigma"), [("lm", None), ("trf", None), ("lm", 0.1), ("trf", 0.1)]
)
def test_curve_fit(method: str, sigma: float | None) -> None:
    x = np.linspace(-1.0, 3.0, 60)
    y = peak(x, 2.0, 1.2, 0.7)
    jac = Counted(curve_fit_jac(peak))
    found, _ = optimize.curve_fit(
        peak,
        x,
        y,
        p0=[1, 1, 1],
        jac=jac,
        method=method,
        sigma=None if sigma is None else np.full(60, sigma),
    )
    np.testing.assert_allclose(found, [2.0, 1.2, 0.7], rtol=1e-6)
    assert jac.calls > 0


@pytest.mark.parametrize("method", ["BDF", "Radau", "LSODA"])
def test_stiff_equations_take_the_jacobian(method: str) -> None:
    def van_der_pol(t, y, mu):
        return [y[1], mu * (1.0 - y[0] ** 2) * y[1] - y[0]]

    jac = Counted(solve_ivp_jac(van_der_pol))
    span, start = (0.0, 60.0), [2.0, 0.0]
    options: dict[str, Any] = {"args": (50.0,), "method": method, "rtol": 1e-7}
    with_jac = solve_ivp(van_der_pol, span, start, jac=jac, **options)
    without = solve_ivp(van_der_pol, span, start, **options)
    assert with_jac.success and 0 < jac.calls
    np.testing.assert_allclose(with_jac.y[:, -1], without.y[:, -1], rtol=1e-3)


# ---------------------------------------------------------------- refusals


def test_start_that_is_not_of_real_floats_is_refused() -> None:
    with pytest.raises(ArgumentError, match="write `1.0`"):
        objective(line, {"slopes": np.zeros(2), "offset": 1})
    with pytest.raises(ArgumentError, match="pass the real and the imaginary part"):
        objective(line, np.zeros(2, complex))


def test_results_of_another_kind_are_refused() -> None:
    fun, x0, _ = objective(lambda x: x, np.ones(2))
    with pytest.raises(ArgumentError, match="one real number"):
        fun.value(x0)
    with pytest.raises(ArgumentError):
        fun(x0)
    fun, x0, _ = residuals(lambda x: [x, None], np.ones(2))
    with pytest.raises(ArgumentError, match="one is of object"):
        fun(x0)


def test_functions_that_are_given_pickle() -> None:
    fun, x0, _ = pickle.loads(pickle.dumps(objective(line, LINE, X, Y)))
    assert fun(x0)[0] == line(LINE, X, Y)
    fun, x0, _ = pickle.loads(pickle.dumps(residuals(decay, DECAY, TIMES, VALUES)))
    assert fun.jac(x0).shape == (25, 3)


def test_gradient_with_an_aux_is_refused() -> None:
    with pytest.raises(ArgumentError, match="has an aux"):
        objective(grad(lambda x: (x, x), has_aux=True), 1.0)
