"""NLopt reaches known optima, and one call serves for value and gradient."""

from __future__ import annotations

import importlib

import numpy as np
import pytest

nlopt = pytest.importorskip(
    "nlopt", reason='nlopt is not installed: pip install "autograd_compiler[interop]"'
)
adapter = importlib.import_module("autograd_compiler.interop.nlopt")

START = {"x": -1.2, "y": np.array([1.0])}


def rosenbrock(p):
    return 100.0 * (p["y"][0] - p["x"] ** 2) ** 2 + (1.0 - p["x"]) ** 2


@pytest.mark.parametrize("name", ["LD_LBFGS", "LD_MMA", "LD_TNEWTON"])
def test_optimum_is_reached_by_one_call_per_point(name: str) -> None:
    fun, x0, unflatten = adapter.objective(rosenbrock, START)
    calls = gradients = 0

    def counted(x, gradient):
        nonlocal calls, gradients
        calls, gradients = calls + 1, gradients + bool(gradient.size)
        return fun(x, gradient)

    opt = nlopt.opt(getattr(nlopt, name), x0.size)
    opt.set_min_objective(counted)
    opt.set_xtol_rel(1e-8)
    found = unflatten(opt.optimize(x0))
    assert found["x"] == pytest.approx(1.0, abs=1e-3)
    np.testing.assert_allclose(found["y"], [1.0], atol=2e-3)
    assert opt.get_numevals() == calls
    assert gradients == calls


def test_gradient_is_written_in_place_and_not_computed_without_need() -> None:
    fun, x0, _ = adapter.objective(rosenbrock, START)
    gradient = np.full(2, np.nan)
    value = fun(x0, gradient)
    assert value == pytest.approx(24.2) == fun(x0, np.empty(0))
    np.testing.assert_allclose(gradient, [-215.6, -88.0])


def test_constraints_one_by_one_and_together() -> None:
    def distance(x):
        return (x[0] - 2.0) ** 2 + (x[1] - 2.0) ** 2

    def circle(x):
        return x[0] ** 2 + x[1] ** 2 - 1.0

    def both(x):
        return [circle(x), x[0] - 0.5]

    start = np.array([0.1, 0.2])
    fun, x0, _ = adapter.objective(distance, start)
    inequality, _, _ = adapter.objective(circle, start)
    opt = nlopt.opt(nlopt.LD_SLSQP, 2)
    opt.set_min_objective(fun)
    opt.add_inequality_constraint(inequality, 1e-9)
    opt.set_xtol_rel(1e-9)
    np.testing.assert_allclose(opt.optimize(x0), np.sqrt([0.5, 0.5]), atol=1e-6)

    opt = nlopt.opt(nlopt.LD_SLSQP, 2)
    opt.set_min_objective(fun)
    opt.add_inequality_mconstraint(adapter.constraints(both, start), [1e-9, 1e-9])
    opt.set_xtol_rel(1e-9)
    expected = [0.5, np.sqrt(0.75)]
    np.testing.assert_allclose(opt.optimize(x0), expected, atol=1e-6)
