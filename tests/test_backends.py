"""`grad(…, backend=…)` from the call down to compiled code."""

from __future__ import annotations

import logging
import threading

import numpy as np
import pytest

pytest.importorskip("numba")

from autograd_compiler import grad, value_and_grad
from autograd_compiler.errors import AutogradCompilerError, BackendError

pytestmark = pytest.mark.numba

X = np.array([0.3, -0.8, 1.2, 0.5])


def cubes(x, n):
    total = 0.0
    for i in range(n):
        total += x[i] ** 3
    return total


def sorted_columns(m):
    first = m[0, 0]
    columns = np.sort(m, axis=0)
    return np.sum(columns[0] ** 2) + first


def compiled_once(gradient):
    """The signatures that Numba compiled, one per specialisation."""
    found = []
    for specialised in gradient._gradient._known.values():
        run = specialised.run
        cells = [cell.cell_contents for cell in run.__closure__ or ()]
        (call,) = [c for c in (run, *cells) if hasattr(c, "dispatcher")]
        found.append(len(call.dispatcher.signatures))
    return found


def test_threads_that_call_first_get_the_same_and_compile_once():
    gradient = grad(cubes, backend="numba")
    barrier = threading.Barrier(4)
    results = []

    def call():
        barrier.wait()
        results.append(gradient(X, 4))

    threads = [threading.Thread(target=call) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 4
    for result in results:
        np.testing.assert_allclose(result, 3.0 * X**2)
    assert compiled_once(gradient) == [1]


def test_arrays_of_every_layout_are_taken():
    gradient = grad(cubes, backend="numba")
    wide = np.repeat(X, 2)
    frozen = X.copy()
    frozen.setflags(write=False)
    for x in (X, wide[::2], X[::-1], frozen, X.astype(np.float32)):
        result = gradient(x, 4)
        np.testing.assert_allclose(result, 3.0 * x**2, rtol=1e-6)
        assert result.dtype == x.dtype
        assert result.flags.c_contiguous and result.flags.writeable


def test_other_values_and_sizes_compile_nothing_anew():
    def fourth_powers(x, n):
        return np.sum(x[:n] ** 4)

    gradient = grad(fourth_powers, backend="numba")
    for size in (4, 3, 7):
        gradient(np.ones(size), size - 1)
    assert compiled_once(gradient) == [1]


def test_what_numba_cannot_do_names_the_line():
    gradient = grad(sorted_columns, backend="numba")
    line = sorted_columns.__code__.co_firstlineno + 2
    with pytest.raises(BackendError, match=rf"test_backends\.py:{line}:15") as caught:
        gradient(np.eye(3))
    assert "np.sort(m, axis=0)" in str(caught.value)


def test_auto_falls_back_to_python_and_logs_why(caplog):
    gradient = grad(sorted_columns, backend="auto")
    m = np.array([[0.1, 2.0], [0.4, -1.0]])
    with caplog.at_level(logging.INFO, logger="autograd_compiler"):
        actual = gradient(m)
    np.testing.assert_allclose(actual, grad(sorted_columns)(m))
    assert "the Python backend is used" in caplog.text
    assert "sort" in caplog.text


def test_auto_uses_numba_where_it_can():
    gradient = grad(cubes, backend="auto")
    np.testing.assert_allclose(gradient(X, 4), 3.0 * X**2)
    (found,) = gradient._gradient._known.values()
    assert found.lowered.request.backend == "numba"


def test_auto_falls_back_when_only_the_call_shows_it():
    def text_inside(x, label):
        if label.upper() == "A":
            return x**2
        return x**3

    gradient = grad(text_inside, backend="auto")
    assert gradient(2.0, "a") == 4.0
    assert gradient(2.0, "b") == 12.0


def test_whole_numbers_and_numbers_of_numpy_are_taken():
    def scaled(x, n, k):
        return k * x**n

    gradient = value_and_grad(scaled, backend="numba")
    for n, k in ((3, 2), (3, 2.0), (np.int64(3), np.float64(2.0))):
        value, slope = gradient(0.5, n, k)
        assert value == pytest.approx(0.25)
        assert slope == pytest.approx(1.5)


def test_division_by_zero_is_infinite_as_in_numpy():
    def quotient(x, y):
        return np.sum(x / y)

    y = np.array([1.0, 0.0])
    with np.errstate(divide="ignore", invalid="ignore"):
        expected = grad(quotient)(np.ones(2), y)
    np.testing.assert_array_equal(
        grad(quotient, backend="numba")(np.ones(2), y), expected
    )


def test_captures_are_read_at_each_call():
    scale = 2.0

    def scaled(x):
        return np.sum(scale * x**2)

    gradient = grad(scaled, backend="numba")
    np.testing.assert_allclose(gradient(X), 4.0 * X)
    scale = 3.0
    np.testing.assert_allclose(gradient(X), 6.0 * X)


def test_arguments_are_left_alone_and_not_given_back():
    def first(x):
        y = x
        return np.sum(y)

    x = X.copy()
    result = grad(first, backend="numba")(x)
    assert not np.shares_memory(result, x)
    result[...] = 7.0
    np.testing.assert_array_equal(x, X)


def test_functions_and_names_given_by_the_caller_are_constants():
    def applied(f, x, kind):
        return f(x) if kind == "plain" else f(f(x))

    gradient = grad(applied, "x", backend="numba")
    assert gradient(np.sin, 0.5, "plain") == pytest.approx(np.cos(0.5))
    assert gradient(np.sin, 0.5, "twice") == pytest.approx(
        np.cos(np.sin(0.5)) * np.cos(0.5)
    )
    assert gradient(np.cos, 0.5, "plain") == pytest.approx(-np.sin(0.5))


def halved(x):
    return x * x if x < 1.0 else halved(x / 2.0) * x


def test_recursion_is_for_python():
    expected = 4.0 * 3.0**3 / 32.0
    assert grad(halved)(3.0) == pytest.approx(expected)
    assert grad(halved, backend="auto")(3.0) == pytest.approx(expected)
    with pytest.raises(
        AutogradCompilerError, match=r"test_backends\.py:\d+(.|\n)*recursi"
    ):
        grad(halved, backend="numba")(3.0)


def test_an_error_without_a_statement_names_the_function():
    def shouted(x, label):
        return x**2 if label.swapcase() == "A" else x**3

    line = shouted.__code__.co_firstlineno
    with pytest.raises(BackendError, match=rf"test_backends\.py:({line}|{line + 1}):"):
        grad(shouted, backend="numba")(2.0, object())
