"""Calls of the user's functions: a pair of functions each, recursion included."""

from __future__ import annotations

import math
from collections.abc import Callable
from types import FunctionType
from typing import Any

import corpus.helpers_one as one
import numpy as np
import pytest
from corpus import helpers_two as two
from harness import define
from numeric import assert_close, flatten, gradient_by_differences

from autograd_compiler import grad, jvp, vjp
from autograd_compiler.errors import MutationError, UnsupportedError
from autograd_compiler.verify import verify_module

X = np.array([0.7, -1.2, 0.4, 1.9])
WEIGHTS = np.array([0.5, 1.5, -0.5, 1.0])


def check(function: Callable[..., Any], *args: Any) -> str:
    """Compare both modes with differences; give the generated source."""

    def of_first(x: Any) -> Any:
        return function(x, *args[1:])

    expected = gradient_by_differences(of_first, (args[0],), 1.0)
    gradient = grad(function)
    verify_module(gradient.lower(*args).module)
    assert_close(flatten(gradient(*args)), expected, 1e-6)

    direction = np.cos(np.arange(np.size(args[0]))).reshape(np.shape(args[0]))[()]
    zeros = tuple(0.0 if isinstance(a, float) else None for a in args[1:])
    _, tangent = jvp(function, args, (direction, *zeros))
    assert_close(np.array([tangent]), [expected @ flatten(direction)], 1e-6)

    _, pullback = vjp(function, *args)
    for _ in range(2):  # the residuals serve any number of calls
        assert_close(flatten(pullback(1.0)[0]), expected, 1e-6)
    return gradient.lower(*args).source


# ---------------------------------------------------------------- recursion


def factorial_like(x, n):
    if n == 0:
        return 1.0
    return x * n * factorial_like(x, n - 1)


def tree_sum(x):
    if len(x) == 1:
        return x[0] * x[0]
    half = len(x) // 2
    return tree_sum(x[:half]) * 0.5 + math.sin(tree_sum(x[half:]))


def even_steps(x, n):
    return x if n == 0 else odd_steps(x * WEIGHTS, n - 1)


def odd_steps(x, n):
    shift = 0.1 * n
    return x if n == 0 else even_steps(np.sin(x) + shift, n - 1)


def pair(x, n):
    if n == 0:
        return x, 1.0
    a, b = pair(x * 0.5, n - 1)
    return a * b + x, b * math.cos(x)


def same_after(x, n):
    if n == 0:
        return x
    return same_after(x, n - 1)


def looping(x, n):
    if n == 0:
        return x
    y = x
    for _ in range(2):
        y = math.sin(y) * looping(y, n - 1)
    return y


def branching(x, depth):
    if depth == 0:
        return x * x
    left = branching(x * 0.5, depth - 1)
    if x > 0.6:
        return left
    return left * branching(x + 1.0, depth - 1)


def writing(x, n):
    if n > 0:
        x[0] = x[0] * 2.0
        writing(x, n - 1)
    return x[0]


def endless(x, n):
    return endless(x, n + 1)


def both(x, n):
    a, b = pair(x, n)
    return a * b


def sum_of_steps(x, n):
    return np.sum(even_steps(x, n) * x)


@pytest.mark.parametrize(
    "function, args",
    [
        (factorial_like, (0.9, 5)),
        (tree_sum, (X,)),
        (sum_of_steps, (X, 3)),
        (both, (0.7, 3)),
        (looping, (0.7, 3)),
        (branching, (0.7, 3)),
    ],
    ids=lambda item: getattr(item, "__name__", ""),
)
def test_recursion(function: Callable[..., Any], args: tuple[Any, ...]) -> None:
    source = check(function, *args)
    assert "_backward(" in source


def test_functions_that_call_each_other_pass_on_what_either_captures() -> None:
    source = check(sum_of_steps, X, 2)
    assert "even_steps_forward(x, n, WEIGHTS)" in source
    assert "odd_steps_forward(x, n, WEIGHTS)" in source


def test_depth_of_a_recursion_is_free_at_run_time() -> None:
    gradient = grad(factorial_like)
    for n in (1, 4, 12):
        assert gradient(0.9, n) == pytest.approx(math.factorial(n) * n * 0.9 ** (n - 1))
    assert gradient(0.9, 0) == 0.0


def test_result_that_is_an_argument_may_be_written() -> None:
    def function(x, n):
        y = x * x
        z = same_after(y, n)
        z[0] = z[1] * 3.0
        return np.sum(z * x)

    check(function, X, 2)


def test_recursive_function_that_writes_its_argument_is_refused() -> None:
    def function(x, n):
        return writing(x * 1.0, n)

    with pytest.raises(MutationError, match="recursive") as caught:
        grad(function)(X, 3)
    assert caught.value.span.line


def test_recursion_without_an_end_is_refused() -> None:
    with pytest.raises(UnsupportedError, match="recursion"):
        grad(endless)(0.7, 1)


# ---------------------------------------------------------------- helpers


def clipped(x):
    y = x * x
    if y > 1.0:
        return math.log(y)
    return y * x


def weighted(x):
    y = np.sin(x) * WEIGHTS
    return y * y + x


def two_results(x):
    s = np.sin(x)
    return s, s * np.cos(x)


def cumulated(x):
    total = 0.0
    for item in x:
        total = math.sin(total) + item * total + item
    return total


def view_of(x):
    y = x
    return y[1:]


def add_to(target, source):
    target[0] = target[0] + source[1]
    target[1] = target[0] * source[0]


def linear(x):
    y = x * 2.0
    return y + x


def test_helper_of_two_statements_becomes_a_pair() -> None:
    def function(x):
        return np.sum(weighted(x) * weighted(x * x))

    source = check(function, X)
    assert source.count("def weighted_forward(") == 1
    assert source.count("def weighted_backward(") == 1


def test_helper_in_a_loop_keeps_its_residuals_on_a_tape() -> None:
    def function(x):
        y = 0.5
        for item in x:
            y = clipped(y * item + 0.3)
        return y

    assert "clipped_residuals_tape" in check(function, X)


def test_helper_in_a_branch() -> None:
    def function(x):
        y = weighted(x) if x[0] > 0.0 else x
        return np.sum(y * x)

    check(function, X)
    check(function, -X)


def test_helper_with_a_tape_of_its_own() -> None:
    def function(x):
        y = cumulated(x)
        return y * cumulated(x * y)

    check(function, X)


def test_helper_in_a_loop_with_a_tape_of_its_own() -> None:
    def function(x):
        y = 0.2
        for _ in range(3):
            y = cumulated(x * y)
        return y

    check(function, X)


def test_helper_gives_several_results() -> None:
    def function(x):
        s, c = two_results(x)
        return np.sum(s * c**2) + np.sum(two_results(x)[0])

    check(function, X)


def test_argument_that_is_written_after_the_call() -> None:
    def function(x):
        y = x * 2.0
        z = weighted(y)
        y[0] = z[1]
        y[1:] = y[:-1] * z[1:]
        return np.sum(y * z)

    check(function, X)


def test_result_that_is_written_after_the_call() -> None:
    def function(x):
        z = np.sin(x)
        for k in range(3):
            z = weighted(z)
            z[k] = z[k + 1] * x[k]
        return np.sum(z)

    check(function, X)


def test_argument_that_only_a_helper_of_a_helper_keeps() -> None:
    def function(x):
        y = x * 2.0
        z = outer(y)
        y[0] = z[1]
        return np.sum(y * z)

    check(function, X)


def inner(x):
    y = x
    return np.sin(y)


def outer(x):
    y = inner(x)
    return y * 3.0


def test_adjoint_that_a_helper_hands_back_is_not_written_through() -> None:
    def function(x):
        y = linear(x)
        z = linear(y) + y
        y[0] = z[1]
        z[1:] += y[1:] * x[:-1]
        return np.sum(linear(z) * y) + np.sum(z)

    check(function, X)


def test_helpers_that_write_or_give_views_are_inlined() -> None:
    def function(x):
        y = np.sin(x)
        add_to(y, x)
        z = view_of(y)
        z[0] = 2.0 * x[0]
        return np.sum(y * x)

    source = check(function, X)
    assert "_forward" not in source


def test_captured_array_is_read_anew_at_each_call() -> None:
    scope = define(
        "import numpy as np\n"
        "gain = np.array([1.0, 2.0])\n"
        "def helper(x):\n    y = x * gain\n    return y * x\n"
        "def function(x):\n    return np.sum(helper(x))\n",
        "<captured>",
        {"__name__": "captured"},
    )
    gradient = grad(scope["function"])
    x = np.array([0.5, 3.0])
    np.testing.assert_allclose(gradient(x), 2 * x * [1.0, 2.0])
    scope["gain"] = np.array([3.0, 5.0])
    np.testing.assert_allclose(gradient(x), 2 * x * [3.0, 5.0])


def test_helper_that_is_bound_anew_is_compiled_anew() -> None:
    scope = define(
        "def helper(x):\n    y = x * x\n    return y\n"
        "def other(x):\n    y = x * x\n    return y * x\n"
        "def function(x):\n    return helper(x)\n",
        "<rebound>",
        {"__name__": "rebound"},
    )
    gradient = grad(scope["function"])
    assert gradient(2.0) == 4.0
    scope["helper"] = scope["other"]
    assert gradient(2.0) == 12.0


def test_two_helpers_of_one_name() -> None:
    helpers: list[FunctionType] = []
    for body in ("y = x * x\n    return y * 3.0", "y = np.sin(x)\n    return y * y"):
        text = f"import numpy as np\ndef helper(x):\n    {body}\n"
        helpers.append(define(text, f"<{len(helpers)}>", {"__name__": "m"})["helper"])
    first, second = helpers

    def function(x):
        return np.sum(first(x) * second(x) * one.transform(x) * two.transform(x))

    source = check(function, X)
    assert "def helper_forward(" in source
    assert "def helper_1_forward(" in source


def test_helper_is_lowered_once_for_each_kind_of_arguments() -> None:
    def function(x):
        return np.sum(linear(x)) + linear(x[0]) * linear(x[1]) + linear(2)

    source = check(function, X)
    assert source.count("def linear_backward(") == 1  # of arrays
    assert source.count("def linear_1_backward(") == 1  # of numbers
    assert "linear_2" not in source


def test_helper_that_prints_is_kept(capsys: pytest.CaptureFixture[str]) -> None:
    def function(x):
        report(x)
        return x * x

    assert grad(function)(3.0) == 6.0
    assert capsys.readouterr().out == "at 3.0\n"


def report(x):
    y = x
    print("at", y)
    return y


def test_second_order_through_helpers() -> None:
    def function(x):
        return np.sum(weighted(x) ** 2) + cumulated(x)

    def slope(x):
        return np.sum(grad(function)(x) * WEIGHTS)

    check(slope, X)
    check(grad(grad(lambda x: clipped(x) * clipped(x * 3.0))), 0.4)
