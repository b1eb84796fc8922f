"""Pymanopt reaches known optima with our gradients and Hessians."""

from __future__ import annotations

import importlib

import numpy as np
import pytest

pymanopt = pytest.importorskip(
    "pymanopt",
    reason='Pymanopt is not installed: pip install "autograd_compiler[interop]"',
)
adapter = importlib.import_module("autograd_compiler.interop.pymanopt")

RANDOM = np.random.default_rng(0)
BASIS, _ = np.linalg.qr(RANDOM.normal(size=(5, 5)))
MATRIX = (BASIS * np.array([1.0, 2.0, 3.0, 5.0, 8.0])) @ BASIS.T


@pytest.mark.parametrize("name", ["ConjugateGradient", "TrustRegions"])
def test_dominant_subspace_is_found(name: str) -> None:
    manifold = pymanopt.manifolds.Grassmann(5, 2)

    @adapter.function(manifold)
    def cost(x):
        return -np.trace(x.T @ MATRIX @ x)

    assert "autograd_compiler" in str(cost)
    optimizer = getattr(pymanopt.optimizers, name)(verbosity=0, max_iterations=500)
    start, _ = np.linalg.qr(RANDOM.normal(size=(5, 2)))
    result = optimizer.run(pymanopt.Problem(manifold, cost), initial_point=start)
    assert result.cost == pytest.approx(-13.0, rel=1e-6)
    projector = result.point @ result.point.T
    np.testing.assert_allclose(projector, BASIS[:, 3:] @ BASIS[:, 3:].T, atol=1e-3)


def test_product_of_manifolds_by_both_orders() -> None:
    manifold = pymanopt.manifolds.Product(
        [pymanopt.manifolds.Sphere(5), pymanopt.manifolds.Sphere(5)]
    )

    @adapter.function(manifold)
    def cost(*points):
        u, v = points
        return -u @ MATRIX @ v

    start = [RANDOM.normal(size=5) for _ in range(2)]
    start = [x / np.linalg.norm(x) for x in start]
    problem = pymanopt.Problem(manifold, cost)
    optimizer = pymanopt.optimizers.TrustRegions(verbosity=0)
    result = optimizer.run(problem, initial_point=start)
    assert result.cost == pytest.approx(-8.0, rel=1e-6)


def test_gradient_and_hessian_are_right() -> None:
    manifold = pymanopt.manifolds.Sphere(5)

    @adapter.function(manifold)
    def cost(x):
        return np.sum(np.sin(MATRIX @ x))

    x, v = RANDOM.normal(size=(2, 5))
    y = MATRIX @ x
    np.testing.assert_allclose(
        cost.get_gradient_operator()(x), MATRIX.T @ np.cos(y), rtol=1e-10
    )
    np.testing.assert_allclose(
        cost.get_hessian_operator()(x, v), -MATRIX.T @ (np.sin(y) * (MATRIX @ v))
    )


def test_complex_gradient_is_the_direction_of_ascent() -> None:
    manifold = pymanopt.manifolds.ComplexCircle(3)
    target = np.exp(1j * np.array([0.3, 1.0, -2.0]))

    @adapter.function(manifold)
    def cost(z):
        return np.sum(np.abs(z - target) ** 2)

    problem = pymanopt.Problem(manifold, cost)
    optimizer = pymanopt.optimizers.SteepestDescent(verbosity=0)
    result = optimizer.run(problem, initial_point=np.ones(3, complex))
    np.testing.assert_allclose(result.point, target, atol=1e-4)
