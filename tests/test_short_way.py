"""Calls like an earlier one: the short way to the compiled code gives what the long does."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from autograd_compiler import grad
from autograd_compiler.errors import ArgumentError
from autograd_compiler.specialise import MAX_EXACT, exact_key


def test_what_tells_calls_apart() -> None:
    wide, tall = np.zeros((2, 3)), np.zeros((3, 2))
    keys = [
        exact_key(args)
        for args in (
            (1.0, 2),
            (1.0, 2.0),
            (1.0, True),
            (1.0, False),
            (1.0, "a"),
            (1.0, np.float64(1.0)),
            (1.0, wide),
            (1.0, tall),
            (1.0, tall.T),
            (1.0, tall.astype("float32")),
            (1.0, {"a": 1.0}),
            (1.0, {"b": 1.0}),
            (1.0, [1.0]),
            (1.0, (1.0,)),
        )
    ]
    assert None not in keys and len(set(keys)) == len(keys)
    assert exact_key((object(),)) is None


def test_the_second_call_is_like_the_first() -> None:
    @grad
    def loss(w, x, squared=True):
        return np.sum(x @ w) ** 2 if squared else np.sum(x @ w)

    w, x = np.array([0.1, 0.2]), np.ones((3, 2))
    for _ in range(2):
        np.testing.assert_allclose(loss(w, x, True), [5.4, 5.4])
        np.testing.assert_allclose(loss(w, x, False), [3.0, 3.0])
        np.testing.assert_allclose(loss(w, x), [5.4, 5.4])
        np.testing.assert_allclose(loss(w, x=x, squared=False), [3.0, 3.0])


def test_results_are_the_callers_own() -> None:
    @grad
    def loss(params, x):
        return np.sum(params["w"] * x) + params["b"]

    params: dict[str, Any] = {"w": np.ones(3), "b": 1.0}
    x = np.arange(3.0)
    loss(params, x)
    found = loss(params, x)
    found["w"][0] = 7.0
    assert x[0] == 0.0 and loss(params, x)["w"][0] == 0.0
    assert type(found["b"]) is float


factor = 2.0


def scaled(x: float) -> float:
    return factor * x


def test_a_captured_number_is_read_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    gradient = grad(lambda x: scaled(x) * x)
    assert gradient(3.0) == gradient(3.0) == 12.0
    monkeypatch.setitem(globals(), "factor", 5.0)
    assert gradient(3.0) == 30.0


def test_a_replaced_helper_is_compiled_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    gradient = grad(lambda x: scaled(x) * x)
    assert gradient(3.0) == gradient(3.0) == 12.0
    monkeypatch.setitem(globals(), "scaled", lambda x: x * x)
    assert gradient(3.0) == 27.0


def test_arguments_that_overlap_are_refused_each_time() -> None:
    @grad
    def loss(x, y):
        y[0] = x[0] * 2.0
        return np.sum(x * y)

    x = np.ones(3)
    loss(x, np.ones(3))
    for _ in range(2):
        with pytest.raises(ArgumentError, match="overlaps"):
            loss(x, x[:])


def test_many_sizes_are_forgotten_again() -> None:
    gradient = grad(lambda x: np.sum(x * x))
    for size in range(2, MAX_EXACT + 20):
        assert gradient(np.ones(size)).shape == (size,)
    assert len(gradient._gradient._exact) <= MAX_EXACT
