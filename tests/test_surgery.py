"""`with grad_of(h) as d_h:`: a block of the program that runs in the reverse sweep."""

from __future__ import annotations

import math
import sys
from typing import Any

import numpy as np
import pytest
from numeric import assert_close, directional_difference, flatten, unflatten

from autograd_compiler import grad, grad_of, hessian, jvp, value_and_grad, vjp
from autograd_compiler.errors import UnsupportedError

X = np.array([0.7, -1.2, 0.4])
limit = 0.5


def halved(d):
    return 0.5 * d


def zero_first(d):
    d[0] = 0.0
    return d


def cubed(x):
    y = x**3
    with grad_of(y) as d_y:
        d_y = min(d_y, 1.0)
    return 100.0 * y


def test_the_block_changes_the_gradient_and_not_the_value():
    assert cubed(2.0) == 800.0
    assert grad(cubed)(2.0) == 12.0
    assert value_and_grad(cubed)(2.0) == (800.0, 12.0)


def test_the_block_is_read_in_the_source():
    text = grad(cubed).lower(-2.0).source
    assert "grad_of" not in text.replace("# with grad_of(y) as d_y:", "")

    def scaled(x, c):
        with grad_of(x) as d_x:
            d_x = np.clip(d_x, -c, c)
        return np.sum(x * x)

    text = grad(scaled).lower(X, 0.3).source
    assert "d_x = np.clip(d_x, -c, c)" in text
    np.testing.assert_allclose(grad(scaled)(X, 0.3), np.clip(2 * X, -0.3, 0.3))


def test_forward_mode_passes_the_block_by():
    value, tangent = jvp(cubed, (2.0,), (1.0,))
    assert (value, tangent) == (800.0, 1200.0)


def recurrent(w, xs, h):
    for x in xs:
        h = np.tanh(w * h + x)
        with grad_of(h) as d_h:
            norm = np.linalg.norm(d_h)
            if norm > limit:
                d_h = d_h * (limit / norm)
    return np.sum(h)


def by_hand(w, xs, h):
    kept = []
    for x in xs:
        kept.append(h)
        h = np.tanh(w * h + x)
    d_h, d_w = np.ones_like(h), 0.0
    for before in reversed(kept):
        norm = np.linalg.norm(d_h)
        if norm > limit:
            d_h = d_h * (limit / norm)
        t = d_h * (1 - h**2)
        d_w += np.sum(t * before)
        d_h = w * t
        h = before
    return d_w


@pytest.mark.parametrize(
    "backend", ["python", pytest.param("numba", marks=pytest.mark.numba)]
)
def test_clipping_in_a_recurrent_loop(backend: str) -> None:
    xs = np.array([[0.1, 0.4], [-0.3, 0.2], [0.5, 0.6]])
    gradient = grad(recurrent, backend=backend)
    arguments = 1.7, xs, np.array([0.2, -0.1])
    assert_close(gradient(*arguments), by_hand(*arguments), 1e-12)
    assert (
        abs(
            by_hand(*arguments) - jvp(recurrent, arguments, (1.0, 0 * xs, 0 * X[:2]))[1]
        )
        > 0.01
    )


def test_captured_numbers_are_read_at_each_call(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def f(x):
        with grad_of(x) as d_x:
            d_x = limit * d_x
        return x * x

    gradient = grad(f)
    assert gradient(3.0) == pytest.approx(3.0)
    monkeypatch.setitem(globals(), "limit", 2.0)
    assert gradient(3.0) == pytest.approx(12.0)
    factor = 1.0

    def g(x):
        with grad_of(x) as d_x:
            d_x = factor * d_x
        return x * x

    gradient = grad(g)
    assert gradient(3.0) == pytest.approx(6.0)
    factor = 3.0
    assert gradient(3.0) == pytest.approx(18.0)


def test_the_block_sees_the_values_of_its_place():
    def f(x):
        y = x * x
        with grad_of(y) as d_y:
            d_y = d_y * y + x
        y = y * y
        return y

    # d_y is 2 * y there; it becomes 2 * y**2 + x.
    assert grad(f)(2.0) == pytest.approx((2 * 16.0 + 2.0) * 4.0)


def test_writes_into_the_gradient_stay_in_it():
    def f(x):
        y = x * 1.0
        z = y + y
        with grad_of(z) as d_z:
            d_z[0] = 0.0
            d_z *= 2.0
        return np.sum(z * z) + np.sum(y)

    expected = 2.0 * np.array([0.0, 1.0, 1.0]) * 2 * (2 * X) * 2 + 1.0
    np.testing.assert_allclose(grad(f)(X), expected)

    def g(x):
        z = 2.0 * x
        with grad_of(z) as d_z:
            d_z = zero_first(halved(d_z))
        return np.sum(z * z)

    np.testing.assert_allclose(grad(g)(X), 4.0 * X * [0.0, 1.0, 1.0])


def test_all_names_of_an_array_are_meant():
    def f(x):
        y = np.zeros(3)
        y[:] = x
        part = y[:2]
        with grad_of(y) as d_y:
            d_y = halved(d_y)
        y[2] = 3.0 * y[2]
        return np.sum(part**2) + np.sum(y)

    np.testing.assert_allclose(
        grad(f)(X), 0.5 * np.array([2 * X[0] + 1, 2 * X[1] + 1, 3.0])
    )


def test_what_is_printed_comes_from_the_reverse_sweep(
    capsys: pytest.CaptureFixture[str],
) -> None:
    def f(x):
        y = x * x
        with grad_of(y) as d_y:
            print("back", d_y)
        print("forward", y)
        return 3.0 * y

    f(2.0)
    assert capsys.readouterr().out == "forward 4.0\n"
    assert grad(f)(2.0) == 12.0
    assert capsys.readouterr().out == "forward 4.0\nback 3.0\n"


def test_second_derivatives_are_those_of_the_changed_gradient():
    def f(x):
        y = np.sin(x)
        with grad_of(y) as d_y:
            d_y = d_y * y**2
        return np.sum(y * y * y)

    gradient = grad(f)
    direction = np.array([0.3, 0.5, -0.2])
    expected = directional_difference(
        lambda v: flatten(gradient(unflatten(v, X))), X, direction
    )
    _, tangent = jvp(gradient, (X,), (direction,))
    assert_close(tangent, expected, 1e-6)
    _, pullback = vjp(gradient, X)
    symmetric = np.diag(np.diag(hessian(f)(X)))
    np.testing.assert_allclose(hessian(f)(X), symmetric)
    np.testing.assert_allclose(pullback(direction)[0], symmetric @ direction)


def test_a_gradient_that_is_not_there_is_not_looked_at():
    def f(x):
        y = x * x
        with grad_of(y) as d_y:
            d_y = math.sqrt(-1.0) * d_y
        return 3.0 * x

    assert f(2.0) == 6.0
    assert grad(f)(2.0) == 3.0


def test_the_text_without_types_has_the_block():
    gradient = grad(recurrent)
    assert "norm" in gradient.source


def test_a_tracing_debugger_stays_where_it_is():
    lines: list[int] = []

    def trace(frame: Any, event: str, arg: Any) -> Any:
        if event == "line":
            lines.append(frame.f_lineno - cubed.__code__.co_firstlineno)
        return trace if frame.f_code is cubed.__code__ else None

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        assert cubed(2.0) == 800.0
    finally:
        sys.settrace(before)
    assert sys.gettrace() is before
    assert lines == [1, 2, 4] or lines == [
        1,
        2,
        2,
        4,
    ]  # the end of `with` is a line, too


def test_exceptions_in_an_earlier_line_are_not_hidden():
    def f(x):
        with grad_of(math.sqrt(x)) as d_x:
            d_x = 2.0 * d_x
        return x

    with pytest.raises(ValueError, match="math domain|nonnegative"):
        f(-1.0)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("with grad_of(x * 2) as d_x:\n        pass", "use of `grad_of`"),
        ("with grad_of(x):\n        pass", "use of `grad_of`"),
        ("with grad_of([x, x]) as d_x:\n        pass", "use of `grad_of`"),
        ("xs = [x]\n    with grad_of(xs) as d_x:\n        pass", "no number or array"),
        ("with grad_of(x) as d_x:\n        return x", "out of the block of `grad_of`"),
    ],
)
def test_what_cannot_be_is_refused_where_it_stands(
    body: str, message: str, tmp_path: Any
) -> None:
    from harness import define

    text = f"def f(x):\n    {body}\n    return x * x\n"
    function = define(text, f"<surgery {message}{len(body)}>", {"grad_of": grad_of})[
        "f"
    ]
    with pytest.raises(UnsupportedError, match=message) as raised:
        grad(function)(2.0)
    assert "^" in str(raised.value)


def test_an_error_in_the_block_is_located_there():
    def f(x):
        y = x * x
        with grad_of(y) as d_y:
            d_y = d_y.missing()
        return y

    with pytest.raises(UnsupportedError, match=r"test_surgery.py:\d+:19") as raised:
        grad(f)(2.0)
    assert "d_y = d_y.missing()" in str(raised.value)


def test_a_breakpoint_stops_in_the_reverse_sweep(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stops = []
    monkeypatch.setattr(sys, "breakpointhook", lambda: stops.append(1))

    def f(x):
        y = x * x
        with grad_of(y) as d_y:
            breakpoint()
            d_y = d_y + 0.0
        return y

    f(2.0)
    assert not stops
    assert grad(f)(2.0) == 4.0
    assert stops == [1]
