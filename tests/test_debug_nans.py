"""`debug_nans=True` says where the first NaN or infinity appears, and only then."""

from __future__ import annotations

import copy
import inspect
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from corpus import ALL, Program
from harness import is_scalar, run
from numeric import assert_same

from autograd_compiler import AutogradCompilerError, grad, jvp, value_and_grad, vjp
from autograd_compiler.errors import ArgumentError, NonFiniteError
from autograd_compiler.verify import verify_module

pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")


def log_loss(w: Any, x: Any) -> Any:
    z = x @ w
    y = np.log(z)
    return np.mean(y**2)


def norm(x: Any) -> Any:
    return np.sqrt(np.sum(x**2))


def squared_again(x: Any, steps: Any) -> Any:
    for _ in range(steps):
        x = x * x
    return x


def line_of(fun: Callable[..., Any], text: str) -> int:
    lines, first = inspect.getsourcelines(fun)
    return first + next(n for n, line in enumerate(lines) if text in line)


def message(derivative: Callable[..., Any], *args: Any) -> str:
    with pytest.raises(NonFiniteError) as caught:
        derivative(*args)
    assert isinstance(caught.value, FloatingPointError)
    assert isinstance(caught.value, AutogradCompilerError)
    return str(caught.value)


W, X = np.ones(2), np.ones((3, 2))


def test_the_forward_sweep_names_line_variable_and_operation() -> None:
    checked = grad(log_loss, debug_nans=True)
    line = line_of(log_loss, "np.log")
    place = f"in test_debug_nans.py:{line}: y = np.log(z)"
    assert message(checked, -W, X) == f"a NaN appears in `y`, made by np.log, {place}"
    told = message(checked, 0 * W, X)
    assert told == f"an infinity appears in `y`, made by np.log, {place}"
    assert_same(checked(W, X), grad(log_loss)(W, X))


def test_the_reverse_sweep_names_the_statement_that_it_reverses() -> None:
    told = message(grad(norm, debug_nans=True), np.zeros(3))
    line = line_of(norm, "np.sqrt")
    assert "made by /, in the reverse of " in told
    assert told.endswith(f"test_debug_nans.py:{line}: return np.sqrt(np.sum(x**2))")


def test_a_loop_overflows() -> None:
    for x in (1e10, np.float64(1e10)):
        told = message(value_and_grad(squared_again, debug_nans=True), x, 10)
        assert told.startswith("an infinity appears in `x`, made by *, in ")


def test_products_with_the_jacobian_are_checked() -> None:
    x = np.zeros(3)
    told = message(lambda: jvp(norm, (x,), (np.ones(3),), debug_nans=True))
    assert "np.sqrt(np.sum(x**2))" in told
    _, pullback = vjp(norm, x, debug_nans=True)
    assert "in the reverse of" in message(pullback, 1.0)
    _, pullback = vjp(norm, np.ones(3), debug_nans=True)
    assert "came in with the argument `d_out`" in message(pullback, np.nan)
    assert_same(pullback(2.0)[0], vjp(norm, np.ones(3))[1](2.0)[0])


def test_a_helper_that_is_called_is_checked() -> None:
    def recursive(x: Any, n: int) -> Any:
        return np.sum(np.log(x)) if n == 0 else 2.0 * recursive(x, n - 1)

    told = message(value_and_grad(recursive, debug_nans=True), np.zeros(2), 2)
    assert "made by np.log" in told


def test_what_came_in_with_an_argument_was_made_by_no_operation() -> None:
    checked = grad(log_loss, debug_nans=True)
    told = message(checked, np.array([np.nan, 1.0]), X)
    assert told == (
        "a NaN or an infinity is in `d_w`; it came in with the argument `w`"
    )
    scale = np.array([1.0, np.nan])

    def scaled(w: Any) -> Any:
        return np.sum(w * scale)

    told = message(grad(scaled, debug_nans=True), W)
    assert told.endswith("it came in with `scale`")

    def of_params(params: Any) -> Any:
        return np.sum(params["w"] ** 3) * params["b"]

    told = message(grad(of_params, debug_nans=True), {"w": W, "b": np.nan})
    assert told.endswith("it came in with the argument `params`")


def test_a_nan_that_does_not_reach_the_result_is_none_of_ours() -> None:
    def of_what_is_there(w: Any, x: Any) -> Any:
        return np.sum(np.where(np.isnan(x), 0.0, w * x))

    x = np.array([1.0, np.nan])
    assert_same(grad(of_what_is_there, debug_nans=True)(W, x), np.array([1.0, 0.0]))


def test_what_where_throws_away_is_not_reported() -> None:
    def entropy(x: Any) -> Any:
        return np.sum(np.where(x > 0.0, x * np.log(x), 0.0))

    checked = value_and_grad(entropy, debug_nans=True)
    value, slope = checked(np.array([0.0, 1.0]))
    assert value == 0.0
    assert_same(slope, np.array([0.0, 1.0]))

    def wrong_side(x: Any) -> Any:
        return np.sum(np.where(x < 1.0, np.log(x), 0.0))

    told = message(value_and_grad(wrong_side, debug_nans=True), np.zeros(2))
    assert "made by np.log" in told


def test_an_overflow_in_a_write_in_place_is_found_at_the_end() -> None:
    def summed(x: Any) -> Any:
        total = np.zeros(2)
        for i in range(2):
            total[0] += x[i]
        return total[0]

    checked = value_and_grad(summed, debug_nans=True)
    assert "write in place" in message(checked, np.array([1.5e308, 1.5e308]))
    assert_same(checked(W)[1], W)


def test_an_infinite_constant_is_not_reported() -> None:
    def largest(x: Any) -> Any:
        best = -np.inf
        for i in range(len(x)):
            if x[i] > best:
                best = x[i]
        return best

    checked = value_and_grad(largest, debug_nans=True)
    assert checked(np.array([1.0, 3.0]))[0] == 3.0


def test_integer_arrays_can_be_zero() -> None:
    def shared(x: Any, counts: Any) -> Any:
        weights = 1.0 / counts
        return np.sum(weights * x)

    told = message(grad(shared, debug_nans=True), W, np.array([1, 0]))
    assert "an infinity appears in `weights`, made by /" in told


def test_without_the_option_nothing_changes() -> None:
    assert "check" not in grad(log_loss).lower(W, X).source
    source = grad(log_loss, debug_nans=True).lower(W, X).source
    assert 'check_finite(y, "`y`", "np.log", ' in source


def test_numba_is_refused() -> None:
    with pytest.raises(ArgumentError, match="debug_nans"):
        grad(norm, debug_nans=True, backend="numba")


def test_a_checked_gradient_inside_of_a_program_is_lowered_without_checks() -> None:
    inner = grad(norm, debug_nans=True)

    def outer(x: Any) -> Any:
        return np.sum(inner(x) * x)

    checked, plain = grad(outer, debug_nans=True), grad(outer)
    assert_same(checked(W), plain(W))
    assert "made by /" in message(checked, np.zeros(2))


SCALAR = [program for program in ALL if is_scalar(run(program))]


def check_program(program: Program) -> None:
    """Checks change nothing and report nothing where all is finite."""
    args, kwargs = program.args, program.kwargs
    plain = value_and_grad(program.function, program.argnums)
    checked = value_and_grad(program.function, program.argnums, debug_nans=True)
    want = plain(*copy.deepcopy(args), **copy.deepcopy(kwargs))
    got = checked(*copy.deepcopy(args), **copy.deepcopy(kwargs))
    assert_same(got, want)
    lowered = checked.lower(*copy.deepcopy(args), **copy.deepcopy(kwargs))
    verify_module(lowered.module, linear=False)


@pytest.mark.parametrize("program", SCALAR[5::25], ids=lambda item: item.name)
def test_checks_report_nothing_where_all_is_finite(program: Program) -> None:
    check_program(program)


@pytest.mark.slow
@pytest.mark.parametrize("program", SCALAR, ids=lambda item: item.name)
def test_checks_report_nothing_in_any_program(program: Program) -> None:
    check_program(program)
