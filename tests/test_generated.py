"""Generated programs: reverse mode against differences, forward against reverse.

Second derivatives are checked against differences of the gradient, in both modes.
"""

from __future__ import annotations

import copy
import itertools
import warnings
from typing import Any

import numpy as np
import pytest
from harness import define
from hypothesis import assume, event, given, note, settings
from numeric import (
    STEP,
    assert_close,
    directional_difference,
    flatten,
    jacobian_by_differences,
    random_like,
    unflatten,
)
from strategies import SIZE, Generated, arguments, programs

from autograd_compiler import grad, jvp, vjp
from autograd_compiler.errors import MutationError

ALL_ARGUMENTS = (0, 1, 2, 3)

_count = itertools.count()


def make_arguments(seed: int, scale: float) -> tuple[Any, ...]:
    random = np.random.default_rng(seed)
    numbers = (float(random.normal() * scale) for _ in range(2))
    return (*numbers, *(random.normal(size=SIZE) * scale for _ in range(2)))


def differences(generated: Generated, args: tuple[Any, ...]) -> np.ndarray:
    """The gradient by differences; only where no branch is decided otherwise nearby."""
    trace: list[bool] = []

    def record(test: Any) -> Any:
        trace.append(bool(test))
        return test

    scope = define(generated.traced, "<traced program>", {"record": record})
    traces = set()

    def of_vector(vector: np.ndarray) -> np.ndarray:
        trace.clear()
        value = scope["program"](*copy.deepcopy(unflatten(vector, args)))
        traces.add(tuple(trace))
        return np.array([float(value)])

    x = flatten(args)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            of_vector(x)
            gradient = jacobian_by_differences(of_vector, x)[0]
            coarse = jacobian_by_differences(of_vector, x, 3.0 * STEP)[0]
            # Along a mixture of all directions, too, and further out.
            of_vector(x + 2.0 * STEP * random_like(x, 1))
            of_vector(x - 2.0 * STEP * random_like(x, 1))
        except (OverflowError, RuntimeWarning):
            assume(False)
    assume(len(traces) == 1)
    # Where the function bends much, differences are no judge: let them judge this.
    scale = max(1.0, float(np.max(np.abs(gradient))))
    assume(float(np.max(np.abs(gradient - coarse))) < 1e-5 * scale)
    return gradient


def check(generated: Generated, args: tuple[Any, ...], **options: Any) -> None:
    note(generated.text)
    expected = differences(generated, args)
    filename = f"<generated program {next(_count)}>"
    function = define(generated.text, filename, {})["program"]
    gradient = grad(function, ALL_ARGUMENTS, **options)
    before = copy.deepcopy(args)
    try:
        value, result = gradient.value_and_grad(*args)
    except MutationError as error:
        # A write that cannot be tracked may be refused, but only where there is an
        # alias to track.
        assert generated.aliases, f"refused without an alias: {error}"
        event("refused")
        assume(False)
    event("checked")
    np.testing.assert_allclose(value, function(*copy.deepcopy(args)), rtol=1e-9)
    np.testing.assert_array_equal(flatten(args), flatten(before))
    assert_close(flatten(result), expected, 1e-5)
    tangents = random_like(args, 3)
    _, tangent = jvp(function, copy.deepcopy(args), tangents)
    assert_close(float(tangent), flatten(result) @ flatten(tangents), 1e-9)


def check_second_order(generated: Generated, args: tuple[Any, ...]) -> None:
    note(generated.text)
    differences(generated, args)  # only where no branch is decided otherwise nearby
    filename = f"<generated program {next(_count)}>"
    function = define(generated.text, filename, {})["program"]
    gradient = grad(function, ALL_ARGUMENTS)
    direction = random_like(args, 5)

    def of_vector(vector: np.ndarray) -> np.ndarray:
        return flatten(gradient(*unflatten(vector, args)))

    x, along = flatten(args), flatten(direction)
    try:
        of_vector(x)
    except MutationError:
        event("refused")
        assume(False)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            expected = directional_difference(of_vector, x, along)
            coarse = directional_difference(of_vector, x, along, 3.0 * STEP)
        except (OverflowError, RuntimeWarning):
            assume(False)
    scale = max(1.0, float(np.max(np.abs(expected))))
    assume(float(np.max(np.abs(expected - coarse))) < 1e-5 * scale)
    event("checked")
    # A program whose gradient is accepted has a second derivative, too.
    _, tangent = jvp(gradient, copy.deepcopy(args), direction)
    assert_close(flatten(tangent), expected, 1e-5)
    _, pullback = vjp(gradient, *copy.deepcopy(args))
    assert_close(flatten(pullback(direction)), flatten(tangent), 1e-9)


@given(programs(), arguments())
def test_generated_programs(generated: Generated, seed: tuple[int, float]) -> None:
    check(generated, make_arguments(*seed))


@given(programs(most=8), arguments())
def test_generated_programs_without_simplification(
    generated: Generated, seed: tuple[int, float]
) -> None:
    check(generated, make_arguments(*seed), _simplify=False)


@settings(max_examples=10)
@given(programs(most=8), arguments())
def test_second_order_of_generated_programs(
    generated: Generated, seed: tuple[int, float]
) -> None:
    check_second_order(generated, make_arguments(*seed))


@pytest.mark.slow
@given(programs(most=30), arguments())
def test_long_generated_programs(generated: Generated, seed: tuple[int, float]) -> None:
    check(generated, make_arguments(*seed))
