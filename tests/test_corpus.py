"""Every program of the corpus through everything, on the Python backend."""

from __future__ import annotations

import copy
import functools
from collections.abc import Callable
from typing import Any

import black
import corpus.calls
import numpy as np
import pytest
from corpus import ALL, Program
from harness import (
    define,
    is_scalar,
    is_single_precision,
    mutates,
    primals,
    run,
    select,
)
from numeric import (
    arrays,
    assert_close,
    assert_same_form,
    directional_difference,
    flatten,
    gradient_by_differences,
    random_like,
    unflatten,
)

from autograd_compiler import grad, jvp, vjp


def each(programs: list[Program]) -> Callable[[Any], Any]:
    return pytest.mark.parametrize("program", programs, ids=lambda item: item.name)


def scalar_output(program: Program) -> bool:
    return is_scalar(run(program))


SCALAR = [program for program in ALL if scalar_output(program)]
FORWARD = [program for program in ALL if program.forward]
SMOOTH = [program for program in SCALAR if program.smooth]


@functools.lru_cache(maxsize=None)
def gradient_of(program: Program) -> Any:
    return grad(program.function, program.argnums)


def tolerance(program: Program, double: float) -> float:
    return 2e-3 if is_single_precision(program) else double


def reverse(program: Program, cotangent: Any) -> tuple[Any, ...]:
    """The adjoints of the differentiated arguments, one for each."""
    if scalar_output(program):
        gradient = gradient_of(program)(*copy.deepcopy(program.args), **program.kwargs)
        return gradient if isinstance(program.argnums, tuple) else (gradient,)
    _, pullback = vjp(select(program), *primals(program))
    return tuple(pullback(cotangent))


def cotangent_of(program: Program) -> Any:
    result = run(program)
    return 1.0 if is_scalar(result) else random_like(result, seed=1)


def plain(program: Program) -> Callable[..., Any]:
    """The function of its differentiated arguments, with floats for its numbers."""
    function = select(program)

    def call(*arguments: Any) -> Any:
        result = function(*arguments)
        return float(result) if is_scalar(result) else result

    return call


def test_names_of_programs_are_unique() -> None:
    names = [program.name for program in ALL]
    assert len(set(names)) == len(names)


@each(SCALAR)
def test_value(program: Program) -> None:
    gradient = gradient_of(program)
    value, _ = gradient.value_and_grad(*copy.deepcopy(program.args), **program.kwargs)
    np.testing.assert_allclose(
        value, run(program), rtol=1e-5 if is_single_precision(program) else 1e-12
    )
    assert np.shape(value) == np.shape(run(program))


@each(ALL)
def test_reverse_against_differences(program: Program) -> None:
    cotangent = cotangent_of(program)
    expected = gradient_by_differences(plain(program), primals(program), cotangent)
    actual = flatten(reverse(program, cotangent))
    assert_close(actual, expected, tolerance(program, 1e-6))


@each(FORWARD)
def test_forward_against_reverse(program: Program) -> None:
    cotangent = cotangent_of(program)
    adjoints = flatten(reverse(program, cotangent))
    function = select(program)
    for seed in range(2):
        tangents = random_like(primals(program), seed)
        value, tangent = jvp(function, primals(program), tangents)
        if is_scalar(value):
            value, tangent = float(value), float(tangent)
        forward = flatten(cotangent) @ flatten(tangent)
        backward = adjoints @ flatten(tangents)
        assert_close(forward, backward, tolerance(program, 1e-10))
        assert_close(flatten(value), flatten(plain(program)(*primals(program))), 1e-6)


@each(ALL)
def test_gradient_has_the_form_of_the_argument(program: Program) -> None:
    for mine, theirs in zip(
        reverse(program, cotangent_of(program)), primals(program), strict=True
    ):
        assert_same_form(mine, theirs)


@each(SCALAR)
def test_arguments_are_left_alone(program: Program) -> None:
    args = copy.deepcopy(program.args)
    gradient_of(program)(*args, **program.kwargs)
    expected = copy.deepcopy(program.args)
    if mutates(program):
        program.function(*expected, **program.kwargs)
    np.testing.assert_array_equal(flatten(args), flatten(expected))


@each(SCALAR)
def test_results_belong_to_the_caller(program: Program) -> None:
    args = copy.deepcopy(program.args)
    gradient = gradient_of(program)
    found = arrays(gradient(*args, **program.kwargs))
    for i, array in enumerate(found):
        assert array.flags.owndata or array.base is None
        assert array.flags.writeable
        assert array.flags.c_contiguous
        others = arrays(args) + found[:i]
        assert not any(np.shares_memory(array, other) for other in others)


@each(SCALAR)
def test_calls_do_not_share_results(program: Program) -> None:
    gradient = gradient_of(program)
    first = gradient(*copy.deepcopy(program.args), **program.kwargs)
    expected = flatten(first)
    for array in arrays(first):
        array[...] = np.nan
    second = gradient(*copy.deepcopy(program.args), **program.kwargs)
    np.testing.assert_array_equal(flatten(second), expected)
    assert flatten(run(program)).tolist() == flatten(run(program)).tolist()


@each(SCALAR)
def test_simplification_changes_nothing(program: Program) -> None:
    unsimplified = grad(program.function, program.argnums, _simplify=False)
    expected = gradient_of(program)(*copy.deepcopy(program.args), **program.kwargs)
    actual = unsimplified(*copy.deepcopy(program.args), **program.kwargs)
    assert_close(flatten(actual), flatten(expected), tolerance(program, 1e-9))


@each(SCALAR[::8])
def test_text_is_formatted(program: Program) -> None:
    """The emitter asks black only where lines are long, and writes the same."""
    gradient = gradient_of(program)
    args = copy.deepcopy(program.args)
    text = gradient.lower(*args, **program.kwargs).source
    assert black.format_str(text, mode=black.Mode()) == text


@each(SMOOTH)
def test_second_order(program: Program) -> None:
    """The Hessian times a direction, in both modes, against differences."""
    arguments = primals(program)
    gradient = grad(select(program), tuple(range(len(arguments))))
    direction = random_like(arguments, seed=2)

    def of_vector(vector: np.ndarray) -> np.ndarray:
        return flatten(gradient(*unflatten(vector, arguments, keep_dtype=True)))

    x = flatten(arguments)
    expected = directional_difference(of_vector, x, flatten(direction))
    _, forward = jvp(gradient, primals(program), direction)
    assert_close(flatten(forward), expected, tolerance(program, 1e-6))
    _, pullback = vjp(gradient, *primals(program))
    backward = pullback(direction)
    assert_close(flatten(backward), expected, tolerance(program, 1e-6))


def test_gradient_of_a_function_that_calls_a_gradient() -> None:
    inner = grad(corpus.calls.square)

    def outer(x):
        return inner(x) * x

    assert grad(outer)(3.0) == pytest.approx(12.0)


def test_captured_globals_are_read_at_each_call() -> None:
    text = "def f(x):\n    return factor * x * x\n"
    scope = define(text, "<captured global>", {"factor": 1.0})
    gradient = grad(scope["f"])
    assert gradient(3.0) == pytest.approx(6.0)
    scope["factor"] = 2.0
    assert gradient(3.0) == pytest.approx(12.0)
    scope["factor"] = np.float64(0.5)
    assert gradient(3.0) == pytest.approx(3.0)


def test_captured_globals_may_become_arrays() -> None:
    text = "def f(x):\n    return (factor * x * x).sum()\n"
    scope = define(text, "<captured array>", {"factor": np.ones(3)})
    gradient = grad(scope["f"])
    x = np.array([1.0, 2.0, 3.0])
    np.testing.assert_allclose(gradient(x), 2.0 * x)
    scope["factor"] = np.array([1.0, 0.0, 2.0])
    np.testing.assert_allclose(gradient(x), 2.0 * x * scope["factor"])
    scope["factor"][1] = 5.0
    np.testing.assert_allclose(gradient(x), 2.0 * x * scope["factor"])


def test_closure_cells_are_read_at_each_call() -> None:
    factor = 1.0

    def f(x):
        return factor * x * x

    gradient = grad(f)
    assert gradient(3.0) == pytest.approx(6.0)
    factor = 2.0
    assert gradient(3.0) == pytest.approx(12.0)


def test_attributes_of_captured_objects_are_read_at_each_call() -> None:
    model = corpus.calls.Model(0.8)

    def f(x):
        return model.scale * x * x

    gradient = grad(f)
    assert gradient(3.0) == pytest.approx(4.8)
    model.scale = 2.0
    assert gradient(3.0) == pytest.approx(12.0)


def test_rebound_helpers_are_called() -> None:
    text = "def f(x):\n    return helper(x)\n"
    scope = define(text, "<rebound helper>", {"helper": corpus.calls.square})
    gradient = grad(scope["f"])
    assert gradient(3.0) == pytest.approx(6.0)
    scope["helper"] = corpus.calls.affine
    assert gradient(3.0) == pytest.approx(2.0)


def test_one_gradient_serves_arguments_of_many_types() -> None:
    def f(x):
        return np.sum(x * x * x)

    gradient = grad(f)
    assert gradient(2.0) == pytest.approx(12.0)
    for shape in [(3,), (1,), (2, 3), (0,), ()]:
        x = np.full(shape, 2.0)
        result = gradient(x)
        assert np.shape(result) == shape
        np.testing.assert_allclose(result, 3.0 * x**2)
    single = gradient(np.ones(2, dtype=np.float32))
    assert single.dtype == np.float32


def test_effects_happen_once(capsys: pytest.CaptureFixture[str]) -> None:
    def f(x):
        print("called")
        return x * x

    grad(f)(2.0)
    assert capsys.readouterr().out == "called\n"


def test_exceptions_of_the_function_reach_the_caller() -> None:
    def f(x):
        if x < 0.0:
            raise ValueError("x must be positive")
        assert x < 10.0, "x is too large"
        return x * x

    gradient = grad(f)
    assert gradient(2.0) == pytest.approx(4.0)
    with pytest.raises(ValueError, match="x must be positive"):
        gradient(-1.0)
    with pytest.raises(AssertionError, match="x is too large"):
        gradient(11.0)


def test_variable_that_is_not_assigned_is_an_error_as_in_the_primal() -> None:
    def f(x, n):
        for i in range(n):
            y = x * i
        return y * y

    gradient = grad(f)
    assert gradient(3.0, 3) == pytest.approx(24.0)
    with pytest.raises((UnboundLocalError, NameError)):
        gradient(3.0, 0)


def test_list_of_a_dict_has_its_keys_in_both_modes() -> None:
    def f(x):
        parts = {}
        for i in range(3):
            parts[i] = x[i] ** 2
        total = 0.0
        for i in list(parts):
            total += parts[i] * (i + 1)
        return total

    x = np.array([1.0, 2.0, 3.0])
    np.testing.assert_allclose(grad(f)(x), [2.0, 8.0, 18.0])
    _, tangent = jvp(f, (x,), (np.ones(3),))
    assert tangent == pytest.approx(28.0)
