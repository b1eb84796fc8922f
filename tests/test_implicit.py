"""Derivatives of what solvers find: by the implicit function theorem."""

from __future__ import annotations

import numpy as np
import pytest

from autograd_compiler import (
    check_grads,
    check_rule,
    fixed_point,
    grad,
    implicit_root,
    jacfwd,
    jacobian,
    jacrev,
    value_and_grad,
)
from autograd_compiler.errors import ArgumentError, UnsupportedError

A = np.eye(3) * 2 + np.arange(9).reshape(3, 3) / 10
B = np.array([1.0, 2.0, 3.0])


def kepler(anomaly, mean, eccentricity):
    return anomaly - eccentricity * np.sin(anomaly) - mean


@implicit_root(kepler)
def newton_for_kepler(start, mean, eccentricity, steps=20):
    x = start
    for _ in range(steps):
        slope = 1 - eccentricity * np.cos(x)
        x = x - kepler(x, mean, eccentricity) / slope
    return x


def test_root_of_a_number_in_both_modes():
    def program(mean, eccentricity):
        return newton_for_kepler(0.5, mean, eccentricity) ** 2

    check_grads(program, (1.0, 0.5), order=3)
    check_rule(newton_for_kepler, 0.5, 1.0, 0.5, order=2)
    x = newton_for_kepler(0.5, 1.0, 0.5)
    found = grad(newton_for_kepler, argnums=(1, 2))(0.5, 1.0, 0.5)
    assert np.allclose(found, np.array([1.0, np.sin(x)]) / (1 - 0.5 * np.cos(x)))


def test_the_source_is_a_division_and_the_solver_is_called():
    source = grad(newton_for_kepler, argnums=1).lower(0.5, 1.0, 0.5).source
    assert "newton_for_kepler(start, mean, eccentricity, steps)" in source
    assert "d_mean = 1.0 / (1.0 - eccentricity * " in source
    assert "    for " not in source


def cubic(x, matrix, right):
    return matrix @ x + 0.1 * x**3 - right


@implicit_root(cubic)
def newton_for_cubic(matrix, right):
    x = np.zeros_like(right)
    for _ in range(50):
        slope = matrix + np.diag(0.3 * x**2)
        x = x - np.linalg.solve(slope, cubic(x, matrix, right))
    return x


def test_root_of_a_system_in_both_modes():
    def program(matrix, right):
        return np.sum(newton_for_cubic(matrix, right) ** 2)

    check_grads(program, (A, B), order=2)
    check_rule(newton_for_cubic, A, B)
    x = newton_for_cubic(A, B)
    wanted = np.linalg.inv(A + np.diag(0.3 * x**2))
    for take in (jacobian, jacrev, jacfwd):
        assert np.allclose(take(newton_for_cubic, 1)(A, B), wanted)
    assert "np.linalg.solve" in grad(program).lower(A, B).source


def test_root_in_single_precision():
    def program(matrix, right):
        return np.sum(newton_for_cubic(matrix, right) ** 2)

    found = grad(program)(A.astype("f"), B.astype("f"))
    assert found.dtype == np.float32
    assert np.allclose(found, grad(program)(A, B), rtol=1e-4, atol=1e-5)


def test_root_that_is_a_matrix():
    def residual(x, right):
        return A @ x + 0.1 * x**3 - right

    @implicit_root(residual)
    def solve(right):
        x = np.zeros_like(right)
        for _ in range(200):
            x = x - 0.3 * residual(x, right)
        return x

    right = np.stack([B, 2 * B - 3], axis=1)
    check_grads(lambda right: np.sum(solve(right) ** 2), (right,), order=2)


def test_root_without_types():
    def program(matrix, right):
        return np.sum(newton_for_cubic(matrix, right) ** 2)

    text = grad(program).source
    assert "newton_for_cubic(matrix, right)" in text
    namespace = {
        "newton_for_cubic": newton_for_cubic,
        "newton_for_cubic_adjoint": newton_for_cubic.rule.adjoint,
    }
    exec(text, namespace)
    assert np.allclose(namespace["program_grad"](A, B), grad(program)(A, B))


def test_solver_that_cannot_be_read():
    @implicit_root(cubic)
    def solve(matrix, right):
        try:
            return newton_for_cubic.primal(matrix, right)
        finally:
            pass

    def program(matrix, right):
        return np.sum(solve(matrix, right) ** 2)

    check_grads(program, (A, B))
    with pytest.raises(UnsupportedError, match="called as it is") as error:
        check_grads(program, (A, B), order=2)
    assert "result=" in error.value.hint

    told = implicit_root(cubic, result="right")(solve.primal)
    check_grads(lambda a, b: np.sum(told(a, b) ** 2), (A, B), order=2)


def test_first_guess_and_options_have_no_derivative():
    with pytest.raises(UnsupportedError, match="no derivative in `start`"):
        grad(lambda x: newton_for_kepler(x, 1.0, 0.5))(0.5)
    with pytest.raises(UnsupportedError, match="no derivative in `start`"):
        jacfwd(lambda x: newton_for_kepler(x, 1.0, 0.5))(0.5)


def test_names_of_the_residual_must_be_those_of_the_solver():
    with pytest.raises(ArgumentError, match="parameter `mean`.*`solve\\(m, eccen"):

        @implicit_root(kepler)
        def solve(m, eccentricity):
            return m

    with pytest.raises(ArgumentError, match="nothing but the unknown"):
        implicit_root(lambda x: x)(lambda a: a)


def test_root_inside_of_a_loop():
    def program(mean, eccentricity):
        total = 0.0
        for k in range(4):
            total = total + newton_for_kepler(0.5, mean + 0.1 * k, eccentricity) ** 2
        return total

    check_grads(program, (1.0, 0.5), order=2)


# ---------------------------------------------------------------- fixed points


def babylonian(x, a):
    return (x + a / x) / 2


@fixed_point(babylonian)
def square_root(a):
    x = a
    for _ in range(50):
        x = babylonian(x, a)
    return x


@pytest.mark.parametrize("a", [4.0, B])
def test_fixed_point(a):
    check_grads(lambda a: np.sum(square_root(a) * a), (a,), order=2)
    value, slope = value_and_grad(lambda a: np.sum(square_root(a)))(a)
    assert np.allclose(value, np.sum(np.sqrt(a)))
    assert np.allclose(slope, 0.5 / np.sqrt(a))


def test_fixed_point_of_a_map():
    weights = np.array([[0.2, -0.3, 0.1], [0.1, 0.2, 0.3], [-0.2, 0.1, 0.1]])

    def step(z, w, x):
        return np.tanh(w @ z + x)

    @fixed_point(step)
    def equilibrium(w, x):
        z = np.zeros_like(x)
        for _ in range(100):
            z = step(z, w, x)
        return z

    check_grads(lambda w, x: np.sum(equilibrium(w, x) ** 2), (weights, B), order=2)
    check_rule(equilibrium, weights, B)


# ---------------------------------------------------------------- SciPy's solvers


def test_solvers_of_scipy_inside_of_an_implicit_root():
    optimize = pytest.importorskip("scipy.optimize")

    @implicit_root(kepler)
    def by_brentq(mean, eccentricity):
        return optimize.brentq(
            kepler, 0.0, np.pi, args=(mean, eccentricity), xtol=1e-13
        )

    @implicit_root(cubic)
    def by_fsolve(x0, matrix, right):
        return optimize.fsolve(cubic, x0, args=(matrix, right), xtol=1e-12)

    @implicit_root(cubic, result="x0")
    def by_root(x0, matrix, right):
        return optimize.root(cubic, x0, args=(matrix, right), tol=1e-12).x

    check_grads(lambda m, e: by_brentq(m, e) ** 2, (1.0, 0.5), order=2)
    start = np.zeros(3)
    for solve in (by_fsolve, by_root):
        check_grads(lambda a, b: np.sum(solve(start, a, b) ** 2), (A, B), order=2)
        assert "np.linalg.solve" in (
            grad(lambda a, b: np.sum(solve(start, a, b) ** 2)).lower(A, B).source
        )


def test_minimum_by_the_root_of_its_gradient():
    optimize = pytest.importorskip("scipy.optimize")

    def objective(x, target, weight):
        return np.sum((x - target) ** 2) + weight * np.sum(x**4)

    slope = grad(objective)

    @implicit_root(lambda x, target, weight: slope(x, target, weight), result="x0")
    def ridge(x0, target, weight):
        found = optimize.minimize(
            objective, x0, args=(target, weight), jac=slope, method="BFGS", tol=1e-12
        )
        return found.x

    def program(target, weight):
        return np.sum(ridge(np.zeros(3), target, weight) ** 2)

    check_grads(program, (B, 0.3), atol=1e-5)


def test_residual_that_reads_an_array_from_outside():
    def residual(x, rate):
        return A @ x + rate * x**3 - B

    @implicit_root(residual)
    def solve(rate):
        x = np.zeros_like(B)
        for _ in range(50):
            slope = A + np.diag(3 * rate * x**2)
            x = x - np.linalg.solve(slope, residual(x, rate))
        return x

    check_grads(lambda rate: np.sum(solve(rate) ** 2), (0.1,), order=2)
    gradient = grad(lambda x, rate: np.sum((x - B) ** 2) / 2 + rate * np.sum(x**4))

    @implicit_root(lambda x, rate: gradient(x, rate))
    def least(rate):
        x = np.zeros_like(B)
        for _ in range(50):
            x = x - (x - B + 4 * rate * x**3) / (1 + 12 * rate * x**2)
        return x

    check_grads(lambda rate: np.sum(least(rate) ** 2), (0.1,))


@pytest.mark.parametrize("name", ["brentq", "newton", "fsolve", "root", "minimize"])
def test_solvers_of_scipy_are_refused_with_a_hint(name):
    optimize = pytest.importorskip("scipy.optimize")
    solver = getattr(optimize, name)

    def program(a):
        if name == "brentq":
            return solver(kepler, 0.0, 3.0, (a, 0.5))
        return np.sum(solver(kepler, 0.5, (a, 0.5)))

    with pytest.raises(UnsupportedError, match=f"scipy.optimize.{name}") as error:
        grad(program)(1.0)
    assert "@implicit_root" in error.value.hint


def test_differential_equations_are_refused_with_a_hint():
    integrate = pytest.importorskip("scipy.integrate")

    def decay(y, t, rate):
        return -rate * y

    def program(rate):
        return integrate.odeint(decay, 1.0, [0.0, 1.0], args=(rate,))[-1, 0]

    with pytest.raises(UnsupportedError, match="scipy.integrate.odeint") as error:
        grad(program)(1.0)
    assert "as a loop" in error.value.hint
