"""Functions inside of PyTensor graphs: one run for value and gradient."""

from __future__ import annotations

import importlib

import numpy as np
import pytest
from scipy.optimize import minimize

from autograd_compiler.errors import ArgumentError

pytensor = pytest.importorskip(
    "pytensor",
    reason='PyTensor is not installed: pip install "autograd_compiler[interop]"',
)
adapter = importlib.import_module("autograd_compiler.interop.pytensor")
pt = pytensor.tensor

MODE = "FAST_COMPILE"  # no C compiler is needed
X = np.array([0.5, -1.0, 2.0])
COUNTS = np.array([3.0, 1.0, 9.0])


def log_likelihood(beta, x, counts, power):
    rates = np.exp(beta[0] + beta[1] * x) ** power
    return np.sum(counts * np.log(rates) - rates)


def test_value_and_gradient_are_one_run_and_reach_the_optimum() -> None:
    runs = []
    inner = adapter.ValueAndGradient.perform

    class Counted(adapter.ValueAndGradient):
        def perform(self, *args):
            runs.append(1)
            inner(self, *args)

    beta = pt.dvector("beta")
    out = -Counted(log_likelihood, "python")(2.0 * beta, X, COUNTS, 1)[0]
    both = pytensor.function([beta], [out, pytensor.grad(out, beta)], mode=MODE)

    def fun(point):
        value, gradient = both(point)
        return float(value), gradient

    result = minimize(fun, np.zeros(2), jac=True)
    rates = np.exp(2.0 * result.x[0] + 2.0 * result.x[1] * X)
    # Where the likelihood is largest, the residuals are orthogonal to the design.
    np.testing.assert_allclose((COUNTS - rates) @ np.ones(3), 0.0, atol=1e-4)
    np.testing.assert_allclose((COUNTS - rates) @ X, 0.0, atol=1e-4)
    assert len(runs) == result.nfev


def test_gradients_in_several_arguments() -> None:
    wrapped = adapter.pytensor_function(lambda a, b, n: np.sum(a * b**n))
    a, b = pt.dvector("a"), pt.dscalar("b")
    out = wrapped(a, b, 3)
    compiled = pytensor.function([a, b], [out, *pytensor.grad(out, [a, b])], mode=MODE)
    value, d_a, d_b = compiled(X, 2.0)
    assert value == pytest.approx(8.0 * X.sum())
    np.testing.assert_allclose(d_a, np.full(3, 8.0))
    assert d_b == pytest.approx(12.0 * X.sum())


def test_equal_calls_are_one() -> None:
    a = pt.dvector("a")
    first = adapter.ValueAndGradient(log_likelihood, "python")
    second = adapter.ValueAndGradient(log_likelihood, "python")
    assert first == second and hash(first) == hash(second)
    assert first != adapter.ValueAndGradient(np.sum, "python")
    out = first(a, X, COUNTS, 1)[0]
    assert out.type == pt.dscalar().type


def test_second_derivative_is_refused() -> None:
    a = pt.dvector("a")
    out = adapter.pytensor_function(lambda a: np.sum(a**3))(a)
    gradient = pytensor.grad(out, a)
    with pytest.raises(ArgumentError, match="once only"):
        pytensor.grad(gradient.sum() + a.sum(), a)


def test_argument_of_floats_is_needed() -> None:
    with pytest.raises(ArgumentError, match="needs an argument of floats"):
        adapter.pytensor_function(lambda n: n)(2)
