"""iminuit finds the minimum with our gradient, and the errors with it."""

from __future__ import annotations

import importlib

import numpy as np
import pytest

iminuit = pytest.importorskip(
    "iminuit",
    reason='iminuit is not installed: pip install "autograd_compiler[interop]"',
)
adapter = importlib.import_module("autograd_compiler.interop.iminuit")

X = np.linspace(0.0, 1.0, 20)
Y = 2.0 * X - 1.0
SIGMA = 0.1


def chi_square(p, x, y):
    return (
        np.sum(((p["line"][0] * x + p["line"][1] - y) / p["sigma"]) ** 2)
        + ((p["sigma"] - SIGMA) / 0.01) ** 2
    )


START = {"line": np.zeros(2), "sigma": SIGMA}


def test_minimum_and_errors() -> None:
    fun, x0, unflatten = adapter.cost(chi_square, START, X, Y)
    minuit = iminuit.Minuit(fun, x0, name=fun.names)
    minuit.migrad()
    minuit.hesse()
    found = unflatten(minuit.values)
    np.testing.assert_allclose(found["line"], [2.0, -1.0], atol=1e-4)
    assert minuit.valid and minuit.parameters == ("line[0]", "line[1]", "sigma")
    design = np.column_stack([X, np.ones_like(X)]) / SIGMA
    covariance = np.linalg.inv(design.T @ design)
    expected = np.sqrt(np.diag(covariance))
    np.testing.assert_allclose(np.array(minuit.errors)[:2], expected, rtol=1e-3)


def test_gradient_is_found_and_values_alone_are_cheap() -> None:
    fun, x0, _ = adapter.cost(chi_square, START, X, Y, errordef=0.5)
    runs = 0
    inner = fun._value_and_grad

    def counted(*args):
        nonlocal runs
        runs += 1
        return inner(*args)

    fun._value_and_grad = counted
    minuit = iminuit.Minuit(fun, x0).migrad()
    # The reverse sweep runs when a gradient is asked for, and only then.
    assert minuit.ngrad == runs > 0
    assert minuit.errordef == 0.5
