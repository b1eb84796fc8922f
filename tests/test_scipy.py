"""Programs that use SciPy: what a sample of one call does not show."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import numpy as np
import pytest
from scipy import fft, integrate, interpolate, linalg, signal, sparse, special, stats
from scipy.sparse.linalg import spsolve
from scipy.special import logsumexp
from scipy.stats import norm

from autograd_compiler import check_grads, grad, jvp, rules, vjp
from autograd_compiler.backend.helpers import is_helper
from autograd_compiler.errors import BackendError, UnsupportedError
from autograd_compiler.rules.registry import all_rules

X = np.array([0.3, 0.9, 1.7])
SYMMETRIC = np.array([[4.0, 1.0, 0.5], [1.0, 3.0, 0.2], [0.5, 0.2, 2.0]])

spline = interpolate.CubicSpline(
    np.linspace(0.0, 2.0, 6), np.linspace(0.0, 2.0, 6) ** 2
)
frozen = stats.norm(loc=0.3, scale=2.0)
matrix = sparse.csr_array(np.array([[4.0, 2.0, 0.0], [0.0, 3.0, 3.0], [1.0, 0.0, 5.0]]))


# ---------------------------------------------------------------- programs


def classification(w: Any, x: Any) -> Any:
    scores = x * w
    return (
        -special.log_softmax(scores)[0] + logsumexp(scores) + np.sum(special.expit(w))
    )


def gaussian_process(log_scale: Any, x: Any) -> Any:
    distances = (x[:, None] - x[None, :]) ** 2
    kernel = np.exp(-distances / np.exp(log_scale)) + 0.1 * np.eye(len(x))
    factor = linalg.cho_factor(kernel, lower=True)
    half_log_det = np.sum(np.log(np.diag(factor[0])))
    return 0.5 * x @ linalg.cho_solve(factor, x) + half_log_det


def linear_systems(a: Any, b: Any) -> Any:
    factors = linalg.lu_factor(a)
    return np.sum(linalg.lu_solve(factors, b) ** 2) + np.sum(linalg.solve(a, b))


def eigenvectors(a: Any) -> Any:
    w, v = linalg.eigh(a)
    return np.sum(np.sin(w)) + np.sum(((v * w**2) @ v.T) ** 2)


def lower_eigenvectors(a: Any) -> Any:
    w, v = linalg.eigh(a, lower=False)
    return np.sum((v * np.exp(-w)) @ v.T)


def posterior(x: Any, loc: Any, scale: Any) -> Any:
    prior = stats.gamma(2.5, scale=scale)
    likelihood = norm(loc, scale=scale)
    return np.sum(likelihood.logpdf(x)) + prior.logpdf(scale) + np.sum(frozen.cdf(x))


def mixture(logits: Any, alpha: Any, mean: Any) -> Any:
    weights = special.softmax(logits)
    normal = stats.multivariate_normal.logpdf(logits, mean, SYMMETRIC)
    return stats.dirichlet.logpdf(weights, alpha) + normal


def spectrum(x: Any) -> Any:
    filtered = signal.lfilter(np.array([0.5, 0.2]), np.array([1.0, -0.3]), x)
    return np.sum(np.abs(fft.rfft(filtered)) ** 2) + integrate.simpson(fft.dct(x) ** 2)


def splines(x: Any) -> Any:
    return np.sum(spline(x) ** 2)


def sparse_products(x: Any) -> Any:
    y = matrix @ x + matrix.T @ (x**2) + matrix.dot(x)
    return np.sum(spsolve(matrix, y) ** 2) / matrix.shape[0]


PROGRAMS = [
    (classification, (X, X[::-1] + 0.5)),
    (gaussian_process, (0.4, X)),
    (linear_systems, (SYMMETRIC, X)),
    (eigenvectors, (SYMMETRIC,)),
    (lower_eigenvectors, (SYMMETRIC,)),
    (posterior, (X, 0.4, 1.3)),
    (mixture, (X, X + 0.5, X[::-1])),
    (spectrum, (np.append(X, X * 0.5),)),
    (splines, (X,)),
    (sparse_products, (X,)),
]


@pytest.mark.parametrize(
    ("function", "args"), PROGRAMS, ids=[f.__name__ for f, _ in PROGRAMS]
)
def test_derivatives_of_both_orders(function: Any, args: Any) -> None:
    check_grads(function, args, order=2)


def test_sparse_matrix_as_an_argument() -> None:
    def product(a: Any, x: Any) -> Any:
        return np.sum((a @ x) ** 2)

    _, pullback = vjp(product, matrix, X)
    dense = matrix.toarray()
    np.testing.assert_allclose(pullback(1.0)[1], 2.0 * dense.T @ (dense @ X))


def test_parameters_of_a_captured_distribution_are_read_anew() -> None:
    global frozen

    def density(x: Any) -> Any:
        return frozen.logpdf(x)

    derivative = grad(density)
    before = frozen
    try:
        for scale in (2.0, 4.0):
            frozen = stats.norm(loc=0.3, scale=scale)
            assert derivative(1.3) == pytest.approx(-1.0 / scale**2)
    finally:
        frozen = before


def test_replaced_spline_is_used() -> None:
    global spline
    derivative, before = grad(splines), spline
    first = derivative(X)
    try:
        spline = interpolate.CubicSpline(before.x, 3.0 * before(before.x))
        np.testing.assert_allclose(derivative(X), 9.0 * first)
    finally:
        spline = before


# ---------------------------------------------------------------- accuracy

# The derivatives by mpmath, with 40 digits.
ACCURATE: list[tuple[Any, float, float]] = [
    (lambda x: special.erfcx(x), 24.9, -0.0009077758482472252),
    (lambda x: special.dawsn(x), 25.1, -0.00079553532116815598),
    (lambda x: special.log_ndtr(x), -100.0, 100.00999800099926),
    (lambda x: special.ellipk(x), 1e-12, 0.39269908169916594),
    (lambda m: special.ellipkinc(5.0, m), 0.3, 1.9894874341762362),
    (lambda x: special.spence(x), 1.0 + 1e-9, -0.99999999949999996),
    (lambda x: special.exprel(x), -1e-9, 0.49999999966666667),
    (lambda x: special.i1e(x), 1e3, -6.300731294301514e-6),
]


@pytest.mark.parametrize(
    ("function", "x", "expected"), ACCURATE, ids=[str(x) for _, x, _ in ACCURATE]
)
def test_digits_are_kept(function: Any, x: float, expected: float) -> None:
    assert grad(function)(x) == pytest.approx(expected, rel=1e-12)


# ---------------------------------------------------------------- refusals


def refusal(function: Any, *args: Any, **options: Any) -> str:
    with pytest.raises((UnsupportedError, BackendError)) as caught:
        grad(function, **options)(*args)
    return str(caught.value)


def test_order_without_a_formula_is_refused_by_name() -> None:
    def bessel(v: Any) -> Any:
        return special.jv(v, 2.0) + special.jv(1.0, v)

    assert "`scipy.special.jv` is not differentiated in `v`" in refusal(bessel, 1.5)
    with pytest.raises(UnsupportedError, match="in `v`"):
        jvp(bessel, (1.5,), (1.0,))


def test_one_of_two_arguments_without_a_derivative_is_refused() -> None:
    def power(x: Any) -> Any:
        return np.linalg.norm(x, ord=x[0])

    assert "has no derivative in `ord`" in refusal(power, X)
    with pytest.raises(UnsupportedError, match="has no derivative in `ord`"):
        jvp(power, (X,), (X,))


def test_unknown_function_is_refused_by_its_public_name() -> None:
    def f(x: Any) -> Any:
        return special.mathieu_a(1, x)

    message = refusal(f, 0.5)
    assert "cannot differentiate `scipy.special.mathieu_a`" in message
    assert "declare one with `custom.partials`" in message


def test_elementwise_product_with_a_sparse_matrix_is_refused() -> None:
    def f(x: Any) -> Any:
        return np.sum(matrix * x)

    assert "write `A @ x`" in refusal(f, X)


@pytest.mark.numba
@pytest.mark.parametrize(
    ("expression", "name"),
    [
        (lambda x: np.sum(special.erf(x) ** 2), "scipy.special.erf"),
        (lambda x: special.logsumexp(x) ** 2, "scipy.special.logsumexp"),
        (lambda x: np.sum(norm.cdf(x) ** 2), "scipy.stats.norm.cdf"),
    ],
)
def test_numba_refuses_by_name(expression: Any, name: str) -> None:
    pytest.importorskip("numba")
    assert f"Numba cannot compile `{name}`" in refusal(expression, X, backend="numba")


# ---------------------------------------------------------------- generated code


def test_generated_text_imports_what_it_uses(tmp_path: Any) -> None:
    lowered = grad(posterior, argnums=(0, 1, 2)).lower(X, 0.4, 1.3)
    assert "import scipy.stats\n" in lowered.source
    assert "scipy.stats.norm.pdf(" in lowered.source
    again: dict[str, Any] = {}
    exec(compile(lowered.source, "<exported>", "exec"), again)
    found = again["posterior_grad"](X, 0.4, 1.3, 0.3, 2.0)
    expected = grad(posterior, argnums=(0, 1, 2))(X, 0.4, 1.3)
    for mine, theirs in zip(found, expected):
        np.testing.assert_allclose(mine, theirs)


def test_operators_of_the_rules_can_be_written_down() -> None:
    """Else a generated text would call a function that it does not define."""
    own = [
        rule.operator
        for rule in all_rules()
        if getattr(rule.operator, "__module__", "").startswith(rules.__name__)
    ]
    assert len(own) > 5
    assert [fn.__name__ for fn in own if not is_helper(fn)] == []


def test_spline_is_called_as_in_the_program() -> None:
    source = grad(splines).lower(X).source
    assert "2 * spline(x) * spline(x, 1)" in source


def test_sparse_product_stays_one() -> None:
    def f(x: Any) -> Any:
        return np.sum((matrix @ x) ** 2)

    assert "d_x = matrix.T @ (2 * (matrix @ x))" in grad(f).lower(X).source


def test_scipy_is_not_imported_without_need() -> None:
    text = """
import sys
import numpy as np
import autograd_compiler
from autograd_compiler.rules import registry
registry.all_rules()
assert registry.rule_of(np.sin) and registry.rule_of(print) is None
sys.exit(any(name.split(".")[0] == "scipy" for name in sys.modules))
"""
    assert subprocess.run([sys.executable, "-c", text]).returncode == 0


# ---------------------------------------------------------------- objects made inside

COLUMNS, STARTS = np.array([0, 2, 1]), np.array([0, 2, 2, 3])


def by_places(x: Any) -> Any:
    a = sparse.csr_matrix((x, ([0, 1, 2], [1, 2, 0])), shape=(3, 3))
    return np.sum((a.T @ x) ** 2) + np.sum(spsolve(a.tocsc(), x**2) ** 2)


def by_compressed_rows(x: Any) -> Any:
    a = sparse.csr_array((x, COLUMNS, STARTS), shape=(3, 3))
    products = np.sum((a @ np.outer(x, x)) ** 2) + np.sum((x @ a) ** 3)
    return products + np.sum((2.0 * a - a.T).toarray() ** 3) + np.sum(a.dot(x))


def by_diagonals(x: Any) -> Any:
    a = sparse.diags([x, 0.1 * x[:2]], [0, 1], format="csc") / 2.0
    b = sparse.csc_array((x, COLUMNS, STARTS), shape=(3, 3)) + sparse.diags(-x)
    return np.sum(spsolve(a, np.outer(x, x)) ** 2) * np.sum((b @ x) ** 2)


@pytest.mark.parametrize("function", [by_places, by_compressed_rows, by_diagonals])
def test_sparse_matrix_of_numbers_with_a_derivative(function: Any) -> None:
    check_grads(function, (X,), order=2)
    value, _ = vjp(function, X)
    assert value == pytest.approx(function(X), rel=1e-13)


def test_sparse_matrix_of_unknown_size_is_refused() -> None:
    def f(x: Any) -> Any:
        return np.sum(sparse.csr_array((x, COLUMNS, STARTS)) @ x)

    assert "give `shape=`" in refusal(f, X)


KNOTS = np.linspace(0.0, 3.0, 8)
VALUES = np.cos(2.0 * KNOTS) * np.array([1.0, 2.0, 1.0, 0.5, 1.0, 1.0, 1.0, 3.0])
PAIRS = np.stack([VALUES, KNOTS**2], axis=1)
CLAMPED = np.array([0.0, 0.0, 0.0, 0.0, 0.8, 1.2, 2.1, 2.5, 3.0, 3.0, 3.0, 3.0])


def of_cubic_spline(y: Any, x: Any) -> Any:
    spline = interpolate.CubicSpline(KNOTS, y, bc_type="natural")
    return np.sum(spline(x) ** 2) + np.sum(spline(x, 1)) + spline(0.7)


def of_vectors(y: Any, x: Any) -> Any:
    return np.sum(interpolate.CubicSpline(KNOTS, np.stack([y, y * y], 1))(x) ** 2)


def of_interp_spline(y: Any, x: Any) -> Any:
    return np.sum(interpolate.make_interp_spline(KNOTS, y, k=2)(x) ** 2)


def of_coefficients(y: Any, x: Any) -> Any:
    return np.sum(interpolate.BSpline(CLAMPED, y, 3)(x) ** 2)


def of_interp1d(y: Any, x: Any) -> Any:
    linear = interpolate.interp1d(KNOTS, y)(x)
    return np.sum(linear * interpolate.interp1d(KNOTS, y, kind="cubic")(x))


def of_nearest(y: Any, x: Any) -> Any:
    return np.sum(interpolate.interp1d(KNOTS, y, kind="nearest")(x) ** 2)


def of_pchip(y: Any, x: Any) -> Any:
    return np.sum(interpolate.PchipInterpolator(KNOTS, y)(x) ** 2)


@pytest.mark.parametrize(
    "function",
    [
        *(of_cubic_spline, of_vectors, of_interp_spline, of_coefficients),
        *(of_interp1d, of_nearest, of_pchip),
    ],
)
def test_spline_of_values_with_a_derivative(function: Any) -> None:
    check_grads(function, (VALUES, X), order=2)
    value, _ = vjp(function, VALUES, X)
    assert value == pytest.approx(function(VALUES, X), rel=1e-13)


linear = interpolate.interp1d(KNOTS, VALUES, bounds_error=False, fill_value=2.0)
cubic_pairs = interpolate.interp1d(KNOTS, PAIRS, "cubic", axis=0)
polynomial = interpolate.KroghInterpolator(KNOTS, VALUES)


def test_interpolants_are_differentiated_in_the_place() -> None:
    def f(x: Any) -> Any:
        beyond = np.sum(linear(x + 2.0) ** 2)
        return beyond + np.sum(cubic_pairs(x) ** 3) + np.sum(polynomial(x))

    check_grads(f, (X,), order=2)


def test_spline_of_moving_knots_is_refused() -> None:
    def f(x: Any) -> Any:
        return interpolate.CubicSpline(x, X)(0.5) + interpolate.CubicSpline(x, x)(0.5)

    assert "`knots`" in refusal(f, X)
