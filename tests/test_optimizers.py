"""`sgd`, `momentum` and `adam`: their first steps by hand, and a known optimum."""

from __future__ import annotations

from collections import namedtuple

import numpy as np
import pytest

from autograd_compiler import grad
from autograd_compiler.errors import ArgumentError
from autograd_compiler.optimizers import adam, momentum, sgd

Line = namedtuple("Line", "slopes offset")
X = np.random.default_rng(0).normal(size=(40, 2))
Y = X @ np.array([2.0, -1.0]) + 0.5


@grad
def batch_loss(p, i):
    rows = slice(10 * (i % 4), 10 * (i % 4) + 10)
    return np.mean((X[rows] @ p.slopes + p.offset - Y[rows]) ** 2)


@pytest.mark.parametrize(
    ("optimizer", "options"),
    [
        (sgd, {"num_iters": 400}),
        (momentum, {"num_iters": 400, "step_size": 0.2}),
        (adam, {"num_iters": 600, "step_size": 0.05}),
    ],
)
def test_optimum_is_reached_by_batches(optimizer, options) -> None:
    start = Line(np.zeros(2), 0.0)
    found = optimizer(batch_loss, start, **options)
    assert type(found) is Line and type(found.offset) is float
    np.testing.assert_allclose(found.slopes, [2.0, -1.0], atol=1e-3)
    assert found.offset == pytest.approx(0.5, abs=1e-3)
    np.testing.assert_array_equal(start.slopes, 0.0)


def steps(optimizer, **options) -> list[float]:
    """The points of the first steps on x**2 from 1, of which the gradient is 2 * x."""
    points: list[float] = []
    last = optimizer(
        lambda x, i: 2.0 * x,
        1.0,
        lambda x, i, gradient: points.append(x),
        num_iters=2,
        **options,
    )
    return [*points, last]


def test_first_steps_of_sgd() -> None:
    assert steps(sgd, step_size=0.1) == pytest.approx([1.0, 0.8, 0.64])


def test_first_steps_of_momentum() -> None:
    # Velocities: -0.1 * 2, then 0.9 * -0.2 - 0.1 * 1.96.
    assert steps(momentum, step_size=0.1) == pytest.approx([1.0, 0.98, 0.9424])


def test_first_steps_of_adam() -> None:
    # The first step is the step size. Gradients are 2 and 1.8: the means are
    # (0.9 * 0.2 + 0.18) / 0.19 and (0.999 * 0.004 + 0.00324) / 0.001999.
    second = 0.36 / 0.19 / np.sqrt(0.007236 / 0.001999)
    expected = [1.0, 0.9, 0.9 - 0.1 * second]
    assert steps(adam, step_size=0.1) == pytest.approx(expected, rel=1e-7)


def test_callback_sees_the_point_the_step_and_the_gradient() -> None:
    seen = []
    sgd(
        lambda x, i: {"w": 2.0 * x["w"]},
        {"w": np.ones(2)},
        callback=lambda x, i, g: seen.append((x["w"][0], i, g["w"][0])),
        num_iters=2,
    )
    assert seen == [(1.0, 0, 2.0), (0.8, 1, 1.6)]


def test_dtype_is_kept() -> None:
    for optimizer in (sgd, momentum, adam):
        found = optimizer(lambda x, i: 2.0 * x, np.ones(2, np.float32), num_iters=3)
        assert found.dtype == np.float32


def test_gradient_of_another_form_is_refused() -> None:
    with pytest.raises(ArgumentError, match="the containers differ"):
        sgd(lambda x, i: 1.0, {"w": 1.0})
    with pytest.raises(ArgumentError, match="had shape"):
        adam(lambda x, i: np.ones(2), np.ones(3))
    with pytest.raises(ArgumentError, match="take real numbers"):
        momentum(lambda x, i: x, 1j)
