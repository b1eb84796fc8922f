"""Adjoints of stencils under Numba: gathers, which agree with what Python computes."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from autograd_compiler import grad

pytestmark = pytest.mark.numba


def average(u, steps):
    a, b = u.copy(), u.copy()
    for _ in range(steps):
        b[1:-1] = 0.5 * (a[:-2] + a[1:-1] + a[2:])
        a[1:-1] = 0.5 * (b[:-2] + b[1:-1] + b[2:])
    return np.sum(a**2)


def weighted(u, steps):
    for _ in range(steps):
        new = u.copy()
        new[2:-1, 1:-1] = (
            0.25 * u[1:-2, 1:-1] - u[3:, 1:-1] / 3.0 + 2.0 * u[2:-1, 2:] - u[:-3, :-2]
        )
        u = new
    return np.sum(u**3)


def once(u, steps):
    inner = u[:-3] + u[1:-2] - 2.0 * u[2:-1] + u[3:]
    return steps * np.sum(inner**2)


def heat(u, steps):
    for _ in range(steps):
        u[1:-1] = u[1:-1] + 0.5 * (u[2:] - 2.0 * u[1:-1] + u[:-2])
    return np.sum(u**2)


def diffused(u, steps):
    return heat(u.copy(), steps)


@pytest.mark.parametrize("size", [2, 3, 4, 5, 9])
@pytest.mark.parametrize(
    "fun, rank", [(average, 1), (weighted, 2), (once, 1), (diffused, 1)]
)
def test_both_backends_agree(fun, rank, size):
    u = np.random.default_rng(size).normal(size=(size,) * rank)
    expected = grad(fun)(u, 3)
    found = grad(fun, backend="numba")(u, 3)
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-14)


def test_each_place_collects_from_an_array_with_zeros_around():
    steps = grad(average, backend="numba").lower(np.ones(9), 2).ir("numba")
    assert "padded = np.zeros(n + 2)" in steps
    assert "d_b[i] += padded[i] + padded[i + 1] + padded[i + 2]" in steps
    assert "d_a[i] += padded[i] + padded[i + 1] + padded[i + 2]" in steps


@pytest.mark.parametrize("fun, rank", [(weighted, 2), (once, 1)])
def test_sums_of_multiples_are_multiples(fun, rank):
    u = np.random.default_rng(0).normal(size=(9,) * rank)
    text = grad(fun, backend="numba").lower(u, 2).ir("numba")
    assert text.count("padded = np.zeros(") == 1


def test_two_shifts_stay_additions():
    def difference(u):
        return np.sum((u[1:] - u[:-1]) ** 2)

    assert "padded" not in grad(difference, backend="numba").lower(np.ones(5)).ir(
        "numba"
    )


def test_what_is_not_a_number_reaches_its_neighbours_alone():
    u = np.ones(12)
    u[5] = np.nan
    found = [np.isnan(grad(average, backend=b)(u, 1)) for b in ("python", "numba")]
    assert np.array_equal(*found)
    assert [len(list(g)) for k, g in itertools.groupby(found[1]) if k] == [9]
