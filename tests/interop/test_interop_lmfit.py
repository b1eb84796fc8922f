"""lmfit finds the parameters with our Jacobian; bounds and fixed ones included."""

from __future__ import annotations

import importlib

import numpy as np
import pytest

from autograd_compiler.errors import ArgumentError

lmfit = pytest.importorskip(
    "lmfit", reason='lmfit is not installed: pip install "autograd_compiler[interop]"'
)
adapter = importlib.import_module("autograd_compiler.interop.lmfit")

X = np.linspace(0.0, 3.0, 40)
Y = 3.0 * np.exp(-0.7 * X) + 0.2


def decay(p, x, y):
    return p["height"] * np.exp(-p["rate"] * x) + p["floor"] - y


def parameters(**floor):
    made = lmfit.Parameters()
    made.add("height", value=1.0, min=0.0, max=10.0)
    made.add("floor", **(floor or {"value": 0.0}))
    made.add("rate", value=1.0, min=0.1)
    return made


@pytest.mark.parametrize("method", ["leastsq", "least_squares"])
def test_bounded_parameters_are_found(method: str) -> None:
    fun = adapter.residuals(decay)
    result = lmfit.minimize(fun, parameters(), method, args=(X, Y), Dfun=fun.jac)
    without = lmfit.minimize(fun, parameters(), method, args=(X, Y))
    found = result.params.valuesdict()
    assert found["height"] == pytest.approx(3.0, rel=1e-5)
    assert found["rate"] == pytest.approx(0.7, rel=1e-5)
    assert found["floor"] == pytest.approx(0.2, rel=1e-5)
    if method == "leastsq":  # lmfit counts the calls of finite differences there
        assert result.nfev < without.nfev


def test_fixed_parameters_have_no_column() -> None:
    fun = adapter.residuals(decay)
    fixed = parameters(value=0.2, vary=False)
    jac = fun.jac(fixed, X, Y)
    assert jac.shape == (40, 2) and jac.flags.writeable
    np.testing.assert_allclose(jac[:, 0], np.exp(-X))
    result = lmfit.minimize(fun, fixed, args=(X, Y), Dfun=fun.jac)
    assert result.params["rate"].value == pytest.approx(0.7, rel=1e-6)


def test_results_that_are_the_same_for_all_elements_can_be_scaled_in_place() -> None:
    fun = adapter.residuals(lambda p, x: p["a"] + 0.0 * x)
    made = lmfit.create_params(a={"value": 1.0, "min": -3.0, "max": 3.0})
    result = lmfit.minimize(fun, made, args=(X,), Dfun=fun.jac)
    assert result.params["a"].value == pytest.approx(0.0, abs=1e-6)


def test_several_arrays_of_residuals() -> None:
    fun = adapter.residuals(lambda p: [p["a"] * X, p["b"] - 1.0])
    made = lmfit.create_params(a=2.0, b=3.0)
    jac = fun.jac(made)
    assert fun(made).shape == (41,) and jac.shape == (41, 2)
    np.testing.assert_allclose(jac[:, 0], [*X, 0.0])
    np.testing.assert_allclose(jac[:, 1], [*np.zeros(40), 1.0])


def test_tied_parameters_are_refused() -> None:
    fun = adapter.residuals(decay)
    with pytest.raises(ArgumentError, match="'floor' follows others"):
        fun.jac(parameters(expr="height / 15"), X, Y)
