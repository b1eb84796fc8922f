"""Each refused program gives its error, at the right place, with what to do."""

from __future__ import annotations

import copy
import re

import numpy as np
import pytest
from refused import ALL, Refused

from autograd_compiler import errors, grad


def case(refused: Refused) -> str:
    return refused.function.__name__


def caught(refused: Refused) -> errors.AutogradCompilerError:
    with pytest.raises(errors.AutogradCompilerError) as found:
        # One call, so that arguments that overlap still do.
        grad(refused.function, refused.argnums)(*copy_args(refused.args))
    return found.value


def copy_args(args: tuple[object, ...]) -> tuple[object, ...]:
    """Copies, except of arrays that are views: those belong together."""
    shared = any(isinstance(arg, np.ndarray) and arg.base is not None for arg in args)
    return args if shared else copy.deepcopy(args)


@pytest.mark.parametrize("refused", ALL, ids=case)
def test_type_and_text(refused: Refused) -> None:
    error = caught(refused)
    assert isinstance(error, refused.error), f"{type(error).__name__}: {error}"
    text = str(error).lower()
    missing = [part for part in refused.fragments if part.lower() not in text]
    assert not missing, f"{missing} not in\n{error}"


@pytest.mark.parametrize("refused", [item for item in ALL if item.marks], ids=case)
def test_place(refused: Refused) -> None:
    assert marked(str(caught(refused))).startswith(refused.marks)


@pytest.mark.parametrize("refused", [item for item in ALL if item.marks], ids=case)
def test_first_line_names_the_file(refused: Refused) -> None:
    first, *_ = str(caught(refused)).splitlines()
    assert re.match(r".*refused\.py:\d+:\d+: \S", first)


@pytest.mark.parametrize("refused", [item for item in ALL if item.marks], ids=case)
def test_says_what_to_write_instead(refused: Refused) -> None:
    assert "\nhint: " in str(caught(refused))


def marked(text: str) -> str:
    """The source line from the first caret on."""
    lines = text.splitlines()
    for source, carets in zip(lines, lines[1:], strict=False):
        found = re.fullmatch(r"[ |]*?(\s*)(\^+)", carets)
        if found:
            return source[found.start(2) :]
    raise AssertionError(f"no carets in\n{text}")


def test_marked_reads_what_the_carets_stand_under() -> None:
    text = (
        "f.py:3:9: no\n  3 |     y = cube(x)\n    |         ^^^^^^^\nhint: write x**3"
    )
    assert marked(text) == "cube(x)"


def test_wrong_argnums_are_found_without_a_call() -> None:
    def f(x):
        return x * x

    with pytest.raises(errors.ArgumentError):
        grad(f, argnums=1.5)


def test_unknown_backend() -> None:
    def f(x):
        return x * x

    with pytest.raises(errors.ArgumentError, match="fortran"):
        grad(f, backend="fortran")(1.0)


def test_not_a_function() -> None:
    with pytest.raises(errors.AutogradCompilerError):
        grad(3.0)


def test_disjoint_parts_of_one_array_may_be_written() -> None:
    def f(x, y):
        x[1] = x[0] * 2.0
        return np.sum(x * y)

    whole = np.array([1.0, 2.0, 3.0, 4.0])
    np.testing.assert_allclose(grad(f)(whole[:2], whole[2:]), [11.0, 0.0])


def test_write_through_asarray_is_followed() -> None:
    """`np.asarray` of an array is the array itself."""

    def f(x):
        z = x * x
        y = np.asarray(z)
        y[0] = x[1]
        return np.sum(z * y)

    x = np.array([0.7, -1.2, 0.4, 1.9])
    expected = 4.0 * x**3
    expected[0] = 0.0
    expected[1] += 2.0 * x[1]
    np.testing.assert_allclose(grad(f)(x), expected)


@pytest.mark.parametrize("order", ["C", "F"])
def test_ravel_of_a_transpose_is_a_copy_or_a_view(order: str) -> None:
    """Refused or right, in either order of memory."""

    def f(m):
        z = m * m
        y = z.T.ravel()
        y[0] = m[1, 1]
        return np.sum(y) * np.sum(z)

    m = np.array([[0.3, 0.8], [-0.5, 0.9]], order=order)
    try:
        result = grad(f)(m)
    except errors.MutationError:
        return
    step = 1e-6
    for index in np.ndindex(2, 2):
        d = np.zeros((2, 2))
        d[index] = step
        plus, minus = np.array(m, order=order), np.array(m, order=order)
        plus += d
        minus -= d
        assert result[index] == pytest.approx((f(plus) - f(minus)) / (2 * step))


def test_same_argument_twice_may_be_read() -> None:
    def f(x, y):
        return np.sum(x * y)

    x = np.array([1.0, 2.0])
    np.testing.assert_allclose(grad(f)(x, x), x)


def test_try_around_inactive_code_is_no_matter_of_ours() -> None:
    """Refused or right, never wrong."""

    def f(x):
        try:
            n = int("3")
        except ValueError:
            n = 0
        return x**n

    try:
        result = grad(f)(2.0)
    except errors.UnsupportedError:
        return
    assert result == pytest.approx(12.0)


def test_error_in_a_helper_names_the_helper_line() -> None:
    def helper(y):
        return cube(y)

    cube = np.frompyfunc(lambda item: item**3, 1, 1)

    def f(x):
        return np.sum(helper(x))

    with pytest.raises(errors.UnsupportedError) as found:
        grad(f)(np.ones(2))
    assert marked(str(found.value)).startswith("cube(y)")


# ---------------------------------------------------------------- lost derivatives


def test_text_of_a_value_is_fine_where_no_number_is_made_of_it(
    capsys: pytest.CaptureFixture[str],
) -> None:
    def f(x):
        print(f"{x:.2f}".rjust(6))
        return x * x

    assert grad(f)(3.0) == 6.0
    assert capsys.readouterr().out == "  3.00\n"


def test_number_from_str_is_refused() -> None:
    def f(x):
        return float(str(x)) * x

    with pytest.raises(errors.UnsupportedError, match="loses its derivative"):
        grad(f)(2.0)


def test_function_that_shuffles_its_argument_is_refused() -> None:
    def f(x):
        np.random.shuffle(x)
        return x[0]

    with pytest.raises(errors.UnsupportedError, match="may write"):
        grad(f)(np.ones(3))


def test_constant_subscript_fails_only_where_it_is_reached() -> None:
    def f(x):
        items = (x,)
        if x > 5.0:
            return items[3]
        return items[0] ** 2

    gradient = grad(f)
    assert gradient(3.0) == 6.0
    with pytest.raises(IndexError):
        gradient(6.0)


def test_second_operand_is_dead_where_the_first_decides() -> None:
    def f(x):
        items = []
        if items and items[0] > x:
            return x
        return x**2

    assert grad(f)(3.0) == 6.0


def test_result_that_may_be_none_shows_the_return() -> None:
    def f(x):
        if x < 0.0:
            return x * x

    with pytest.raises(errors.ArgumentError) as found:
        grad(f)(1.0)
    assert marked(str(found.value)).startswith("return x * x")
