"""Sizes that are equal in a call, though not in every call: Note [Fixed sizes]."""

from __future__ import annotations

import numpy as np
import pytest

from autograd_compiler import check_grads, grad, value_and_grad
from autograd_compiler.specialise import MAX_FIXED

OFFSETS = np.array([1.0, -2.0, 0.5])


def recurrent(w, inputs):
    h = np.zeros(3)
    for x in inputs:
        h = np.tanh(w @ np.concatenate((h, x)))
    return np.sum(h**2)


def shifted(x):
    return np.sum((x + np.ones(3)) ** 2)


def with_captured(x):
    return np.sum((x - OFFSETS) ** 3)


def first_four(x):
    return np.sum(x[:4] * np.arange(4.0)) + np.sum(x**2)


def inner_gradient(x):
    return np.sum(grad(shifted)(x) ** 2)


def differences(function, x):
    step = 1e-6
    basis = np.eye(x.size)
    return np.array(
        [(function(x + step * e) - function(x - step * e)) / (2 * step) for e in basis]
    )


def test_sizes_given_as_numbers_are_known_to_be_those_of_arguments() -> None:
    rng = np.random.default_rng(0)
    gradient = grad(recurrent)
    w, inputs = rng.normal(size=(3, 5)), rng.normal(size=(4, 2))
    assert "unbroadcast" not in gradient.lower(w, inputs).source
    expected = differences(
        lambda flat: recurrent(flat.reshape(3, 5), inputs), w.ravel()
    )
    np.testing.assert_allclose(gradient(w, inputs).ravel(), expected, rtol=1e-6)
    longer = rng.normal(size=(7, 2))  # this size was not fixed: the same code
    assert gradient.lower(w, longer) is gradient.lower(w, inputs)


@pytest.mark.parametrize("sizes", [(3, 1, 3), (1, 3, 1)])
def test_a_size_that_was_fixed_may_be_another_in_the_next_call(sizes) -> None:
    gradient = grad(shifted)
    for size in sizes:
        x = np.linspace(0.5, 1.0, size)
        expected = differences(shifted, x)
        np.testing.assert_allclose(gradient(x), expected, rtol=1e-6)


def test_a_captured_array_may_change_its_size(monkeypatch) -> None:
    gradient = grad(with_captured)
    x = np.array([0.3, 0.7, -0.2])
    assert "unbroadcast" not in gradient.lower(x).source
    for offsets in (OFFSETS, np.array([0.5]), np.ones((2, 3)), OFFSETS):
        monkeypatch.setitem(globals(), "OFFSETS", offsets)
        expected = differences(with_captured, x)
        np.testing.assert_allclose(gradient(x), expected, rtol=1e-6)


def test_code_for_fixed_sizes_is_made_a_few_times_only() -> None:
    gradient = value_and_grad(first_four)
    for size in (*range(4, 30), 4, 5):
        x = np.linspace(0.0, 1.0, size)
        expected = 2 * x + np.pad(np.arange(4.0), (0, size - 4))
        np.testing.assert_allclose(gradient(x)[1], expected)
    ((known,),) = [gradient._both._known.values()]
    assert len(known) == MAX_FIXED + 1


def test_sizes_fixed_for_an_inner_gradient_are_fixed_around_it() -> None:
    gradient = grad(inner_gradient)
    for size in (3, 1, 3):
        x = np.linspace(0.5, 1.0, size)
        expected = differences(inner_gradient, x)
        np.testing.assert_allclose(gradient(x), expected, rtol=1e-6)
    assert "unbroadcast" not in gradient.lower(np.ones(3)).source


def halves(b):
    size = len(b) // 2
    state = np.zeros(size)
    for _ in range(3):
        state = np.tanh(b[:size]) * state + b[size : 2 * size]
    return np.sum(state**2)


def test_sizes_that_are_computed_from_others_are_followed():
    for n in (6, 8, 7, 2, 1, 0):
        x = 0.3 + np.sin(np.arange(float(n)))
        assert "unbroadcast" not in grad(halves).lower(x).source
        check_grads(halves, (x,), order=2)
    gradient = grad(halves)
    for n in (4, 10, 4, 6):
        x = 0.3 + np.sin(np.arange(float(n)))
        np.testing.assert_allclose(gradient(x), grad(halves)(x))


def test_sizes_below_zero_are_not_sizes():
    def shortened(x, y):
        n = len(y) - 3 * len(x)
        return np.sum(x[n:] * y[: len(x)][n:])

    x, y = np.array([0.3, -0.4, 0.9]), np.array([1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0])
    check_grads(shortened, (x, y))
