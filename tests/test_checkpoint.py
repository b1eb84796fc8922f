"""`checkpoint`: a function that the reverse sweep runs again."""

from __future__ import annotations

import numpy as np
import pytest

from autograd_compiler import check_grads, checkpoint, grad, jvp, value_and_grad, vjp
from autograd_compiler.errors import ArgumentError, UnsupportedError

H = np.array([1.0, 0.3, -0.7])
SHIFT = 0.1


@checkpoint
def step(h, w, scale=0.5):
    a = np.tanh(w * h + SHIFT)
    return np.sin(a) * h * scale + a


@checkpoint
def halves(x):
    s = 0.0
    for i in range(len(x)):
        s = s * x[i] + np.sin(x[i])
    return s, x * s


def last(w, h):
    for _ in range(4):
        h = step(h, w)
    return np.sum(h)


def with_several_results(x):
    s, y = halves(x)
    x = x * 2.0
    _, z = halves(x)
    return s * np.sum(y) + np.sum(z * x)


def of_a_buffer_that_is_written(x):
    y = x.copy()
    s = 0.0
    for i in range(3):
        s += np.sum(step(y, x[0]))
        y[i] = s * 0.1
    return s


def in_a_branch(x):
    if x[0] > 0.0:
        x = step(x, x[1])
    return np.sum(x**2)


PROGRAMS = [
    (last, (0.5, H)),
    (with_several_results, (H,)),
    (of_a_buffer_that_is_written, (H,)),
    (in_a_branch, (H,)),
]


@pytest.mark.parametrize(
    ("function", "args"), PROGRAMS, ids=lambda item: getattr(item, "__name__", "")
)
def test_derivatives_are_those_of_the_function(function, args):
    check_grads(function, args, order=2)


def test_only_the_state_is_kept():
    lowered = grad(last, argnums=(0, 1)).lower(0.5, H)
    assert [item.name for item in lowered.plan if item.kind == "tape"] == ["h"]
    assert "step_backward(h, w, 0.5, SHIFT, d_h)" in lowered.source


def plain_step(h, w):
    a = np.tanh(w * h + SHIFT)
    return np.sin(a) * h + a


def test_the_function_itself_is_as_it_was():
    marked = checkpoint(plain_step)
    assert marked is not plain_step
    assert marked.__name__ == "plain_step"
    np.testing.assert_array_equal(marked(H, 0.5), plain_step(H, 0.5))
    np.testing.assert_array_equal(step(H, w=0.5, scale=0.2), step(H, 0.5, 0.2))


def test_captured_numbers_are_read_at_each_call(monkeypatch):
    gradient = grad(last)
    before = gradient(0.5, H)
    monkeypatch.setitem(globals(), "SHIFT", 0.4)
    after = gradient(0.5, H)
    assert after != before
    assert after == pytest.approx(grad(last)(0.5, H))
    check_grads(last, (0.5, H))


@pytest.mark.numba
def test_numba_runs_it_again_too():
    expected = value_and_grad(last, (0, 1))(0.5, H)
    found = value_and_grad(last, (0, 1), backend="numba")(0.5, H)
    assert found[0] == pytest.approx(expected[0])
    np.testing.assert_allclose(found[1][1], expected[1][1])


def test_pullbacks_and_tangents_agree():
    _, pullback = vjp(last, 0.5, H)
    d_w, d_h = pullback(1.0)
    _, tangent = jvp(last, (0.5, H), (0.3, 2.0 * H))
    assert tangent == pytest.approx(0.3 * d_w + 2.0 * d_h @ H)
    assert pullback(2.0)[0] == pytest.approx(2.0 * d_w)


def test_text_without_types_keeps_what_it_needs():
    assert "backward" not in grad(last).source


def test_what_it_prints_is_printed_twice(capsys):
    @checkpoint
    def loud(x):
        print("here")
        return x * x

    assert grad(lambda x: loud(x) * 3.0)(2.0) == 12.0
    assert capsys.readouterr().out == "here\nhere\n"


def test_random_numbers_are_refused():
    @checkpoint
    def noisy(x):
        return x * np.random.normal()

    with pytest.raises(UnsupportedError, match="another result") as raised:
        grad(lambda x: noisy(x) * 2.0)(1.0)
    assert "pass them" in str(raised.value)


def test_arguments_that_it_writes_are_refused():
    @checkpoint
    def writes(x):
        x[0] = 0.0
        return np.sum(x * x)

    def f(x):
        y = x * 1.0
        return writes(y)

    with pytest.raises(UnsupportedError, match="cannot be a checkpoint"):
        grad(f)(H)


def test_what_is_no_function_is_refused():
    with pytest.raises(ArgumentError, match="Python functions"):
        checkpoint(np.sin)
