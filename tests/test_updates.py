"""Writes of sums as updates, and what their reverse looks like."""

from __future__ import annotations

import numpy as np
import pytest
from numeric import gradient_by_differences

from autograd_compiler import grad


def adds_to_the_interior(u):
    u = u.copy()
    u[1:-1] = u[1:-1] + 0.1 * (u[2:] - u[:-2]) ** 2
    return np.sum(u**2)


def subtracts_a_number(u):
    u = u.copy()
    u[2] = u[2] - 3.0
    u[1] -= u[0] * u[3]
    return np.sum(u**3)


def adds_a_view_of_itself(u):
    u = u.copy()
    u[1:] = u[1:] + u[:-1]
    u[:-1] = u[:-1] - u[1:]
    return np.sum(u**3)


def subtracts_a_mask(u):
    u = u.copy()
    u[1:] = u[1:] - (u[1:] > 0.0).astype(np.uint8)
    return np.sum(u**3)


def adds_at_repeated_places(u):
    u = u.copy()
    rows = np.array([0, 0, 2])
    u[rows] = u[rows] + u[1:4] ** 2
    return np.sum(u**3)


def scales_in_place(u):
    u = u.copy()
    for i in range(1, len(u)):
        u[i] = u[i - 1] * np.sin(u[i])
    return np.sum(u**2)


def multiplies_and_adds(u):
    u = u.copy()
    u[1:3] = u[1:3] * u[1:3] + u[1:3]
    return np.sum(u**2)


PROGRAMS = [
    adds_to_the_interior,
    subtracts_a_number,
    adds_a_view_of_itself,
    subtracts_a_mask,
    adds_at_repeated_places,
    scales_in_place,
    multiplies_and_adds,
]


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.__name__)
@pytest.mark.parametrize("backend", ["python", "numba"])
def test_gradients(program, backend) -> None:
    u = np.array([0.4, -0.8, 1.1, 0.7, -0.3])
    if backend == "numba" and program is subtracts_a_mask:
        backend = "auto"
    expected = gradient_by_differences(program, (u,), 1.0)
    np.testing.assert_allclose(grad(program, backend=backend)(u), expected, rtol=1e-6)


def test_an_update_is_reversed_without_a_copy() -> None:
    source = grad(adds_to_the_interior).lower(np.ones(5)).source
    assert "u[1:-1] += " in source
    assert "d_u[1:-1] = 0.0" not in source


def test_what_was_cleared_is_written_not_added_to() -> None:
    source = grad(scales_in_place).lower(np.ones(5)).source
    assert "= 0.0" not in source.split("return")[0]


def test_an_update_with_a_view_of_the_same_array_stays_a_write() -> None:
    source = grad(adds_a_view_of_itself).lower(np.ones(5)).source
    assert "u[1:] = u[1:] + u[:-1]" in source
