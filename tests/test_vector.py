"""Vectorised mathematics: its accuracy, where it is used, and that it vectorises."""

from __future__ import annotations

import functools
import platform
from collections.abc import Callable
from typing import Any

import mpmath
import numpy as np
import pytest

from autograd_compiler import grad
from autograd_compiler.backend.helpers import helper_sources, is_helper
from autograd_compiler.backend.numba import decorate
from autograd_compiler.backend.vector import (
    exponentials,
    logarithms,
    sums,
    trigonometric,
)
from autograd_compiler.errors import ArgumentError
from autograd_compiler.names import Namespace

pytestmark = pytest.mark.numba

UNITS = 2.0  # in the last place: what the functions promise

FUNCTIONS: dict[str, tuple[Callable[..., Any], Callable[..., Any]]] = {
    "exp": (exponentials.vector_exp, mpmath.exp),
    "exp2": (exponentials.vector_exp2, lambda x: mpmath.mpf(2) ** x),
    "expm1": (exponentials.vector_expm1, mpmath.expm1),
    "tanh": (exponentials.vector_tanh, mpmath.tanh),
    "sinh": (exponentials.vector_sinh, mpmath.sinh),
    "cosh": (exponentials.vector_cosh, mpmath.cosh),
    "log": (logarithms.vector_log, mpmath.log),
    "log1p": (logarithms.vector_log1p, mpmath.log1p),
    "log2": (logarithms.vector_log2, lambda x: mpmath.log(x) / mpmath.log(2)),
    "log10": (logarithms.vector_log10, lambda x: mpmath.log(x) / mpmath.log(10)),
    "arctan": (trigonometric.vector_arctan, mpmath.atan),
    "sin": (trigonometric.vector_sin, mpmath.sin),
    "cos": (trigonometric.vector_cos, mpmath.cos),
}
LOGARITHMS = ("log", "log1p", "log2", "log10")
CIRCULAR = ("sin", "cos")  # which promise this up to a million

LIMITS = [0.0, 5e-324, 1e-310, 2.2250738585072014e-308, 1e-17, 1.0, 2.0, 22.0, 1e22]
LIMITS += [
    np.nextafter(1.0, 0.0),
    np.nextafter(1.0, 2.0),
    708.4,
    709.78,
    709.79,
    710.47,
]
LIMITS += [710.48, 745.13, 745.14, 1023.9, 1024.0, 1074.0, 1075.5, 1.7e308, np.inf]
SPECIAL = np.array([*LIMITS, *(-x for x in LIMITS), np.nan])


@functools.cache
def over_arrays(name: str, contract: bool = True) -> Any:
    """A loop over the function as it is emitted, compiled.

    Without `contract` as it is on a machine that has no fused multiplication and
    addition.
    """
    text = over(FUNCTIONS[name][0])
    if not contract:
        assert '{"contract"}' in text
        text = text.replace('{"contract"}', "False")
    defined: dict[str, Any] = {}
    exec(decorate(text, cache=False), defined)
    return defined["loop"]


def over(function: Callable[..., Any]) -> str:
    namespace = Namespace((), is_helper)
    call = namespace.spell(function)
    helpers = helper_sources(namespace.helpers, namespace)
    loop = (
        "def loop(x):\n"
        "    y = np.empty(x.shape[0])\n"
        "    for i in range(x.shape[0]):\n"
        f"        y[i] = {call}(x[i])\n"
        "    return y\n"
    )
    return "\n\n\n".join(["\n".join(namespace.imports), *helpers, loop])


@functools.cache
def arguments(name: str) -> np.ndarray:
    rng = np.random.default_rng(7)
    patterns = rng.integers(-(2**63), 2**63 - 1, 400, dtype=np.int64).view(np.float64)
    scales = rng.choice([-1.0, 1.0], 400) * 10.0 ** rng.uniform(-20.0, 2.5, 400)
    if name in LOGARITHMS:
        near_one = 1.0 + rng.choice([-1.0, 1.0], 400) * 10.0 ** rng.uniform(-16, 0, 400)
        more = [np.abs(patterns), np.abs(scales), near_one, near_one - 1.0]
    else:
        more = [rng.uniform(-750.0, 720.0, 400), rng.uniform(-3.0, 3.0, 400)]
        more += [rng.uniform(-40.0, 40.0, 400)]
    if name in CIRCULAR:
        zeros = rng.integers(-600_000, 600_000, 400) * (np.pi / 2)
        every = np.concatenate([SPECIAL, scales, *more, zeros, zeros / 2])
        return every[~(np.abs(every) > 1e6) | np.isinf(every)]
    return np.concatenate([SPECIAL, patterns, scales, *more])


@functools.cache
def exact(name: str) -> list[Any]:
    """What mpmath gives where it is a number; None at poles and outside the domain."""
    values = []
    with mpmath.workprec(200):
        for x in arguments(name).tolist():
            outside = name in LOGARITHMS and x <= (-1.0 if name == "log1p" else 0.0)
            large = abs(x) > 1e4 and name not in (*LOGARITHMS, *CIRCULAR, "arctan")
            if not np.isfinite(x) or outside or large:
                values.append(None)
            else:
                values.append(FUNCTIONS[name][1](mpmath.mpf(x)))
    return values


@pytest.mark.parametrize("contract", [True, False])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_values_are_within_two_units_in_the_last_place(
    name: str, contract: bool
) -> None:
    x = arguments(name)
    actual = over_arrays(name, contract)(x)
    with np.errstate(all="ignore"):
        numpys = getattr(np, name)(x)
    for given, value, wanted, numpy in zip(
        x.tolist(), actual.tolist(), exact(name), numpys.tolist(), strict=True
    ):
        if wanted is None or not np.isfinite(numpy):
            # Poles, infinities and NaN.
            assert value == numpy or value != value and numpy != numpy, given
            continue
        unit = float(np.spacing(abs(numpy)))
        assert abs(mpmath.mpf(value) - wanted) <= UNITS * unit, given


@pytest.mark.parametrize("name", FUNCTIONS)
def test_zeros_have_the_sign_that_numpy_gives_them(name: str) -> None:
    x = np.array([0.0, -0.0, 1e-320, -1e-320, 1.0])
    with np.errstate(all="ignore"):
        expected = getattr(np, name)(x)
    actual = over_arrays(name)(x)
    zero = expected == 0.0
    np.testing.assert_array_equal(actual[zero], expected[zero])
    np.testing.assert_array_equal(np.signbit(actual[zero]), np.signbit(expected[zero]))


def test_whole_powers_of_two_are_exact() -> None:
    k = np.arange(-1074.0, 1024.0)
    powers = np.ldexp(1.0, k.astype(int))
    np.testing.assert_array_equal(over_arrays("exp2")(k), powers)
    np.testing.assert_array_equal(over_arrays("log2")(powers), k)


@pytest.mark.parametrize("name", CIRCULAR)
def test_sine_of_the_largest_numbers_is_that_of_neighbours(name: str) -> None:
    x = np.random.default_rng(3).uniform(1e6, 1e12, 400)
    x = np.concatenate([x, 10.0 ** np.arange(13.0, 300.0)])
    actual = over_arrays(name)(x)
    assert np.all(np.abs(actual) <= 1.0)
    assert np.all(np.abs(actual - getattr(np, name)(x)) <= 2.0 * np.spacing(x))


@pytest.mark.parametrize("name", ["tanh", "sinh", "expm1", "arctan", "sin"])
def test_numbers_near_zero_are_their_own_value(name: str) -> None:
    x = np.array([1e-17, 3e-100, 5e-324, 2.5e-308])
    np.testing.assert_array_equal(over_arrays(name)(x), x)
    np.testing.assert_array_equal(over_arrays(name)(-x), -x)


# ---------------------------------------------------------------- where it is used


def numba_text(function: Callable[..., Any], *args: Any) -> str:
    return grad(function, backend="numba").lower(*args).ir("numba")


U = np.linspace(0.1, 0.9, 8)


def test_calls_in_loops_vectorise_and_others_are_the_librarys() -> None:
    def loss(u, a):
        return np.sum(np.exp(a * u)) * np.exp(a)

    text = numba_text(loss, U, 0.5)
    assert "vector_exp(a * u[i])" in text and "np.exp(a)" in text
    assert text.count("def vector_exp(") == 1


def test_a_recurrence_keeps_the_function_of_the_library() -> None:
    def loss(u):
        x = 0.0
        for i in range(len(u)):
            x = np.tanh(x + u[i])
        return x

    assert "vector_tanh" not in numba_text(loss, U)


def test_a_recurrence_through_an_array_keeps_the_function_of_the_library() -> None:
    def loss(u):
        x = np.zeros(len(u) + 1)
        for i in range(len(u)):
            x[i + 1] = np.tanh(x[i] + u[i])
        return np.sum(x)

    assert "vector_tanh" not in numba_text(loss, U)


def test_a_loop_of_the_user_over_elements_vectorises() -> None:
    def loss(u):
        x = np.zeros(len(u))
        for i in range(len(u)):
            x[i] = np.log1p(u[i])
            x[i] = np.tanh(x[i])
        return np.sum(x * x)

    text = numba_text(loss, U)
    assert "vector_log1p(u[i])" in text and "vector_tanh(x[i])" in text
    np.testing.assert_allclose(
        grad(loss, backend="numba")(U), grad(loss)(U), rtol=1e-13
    )


def test_sums_of_arrays_are_in_any_order_and_those_of_the_user_in_his() -> None:
    def loss(u):
        total = 0.0
        for i in range(len(u)):
            total += u[i] * u[i]
        return total * np.sum(u * u)

    text = numba_text(loss, U)
    assert "plus(t" in text and "total += u[i] * u[i]" in text


def test_a_sum_of_infinities_and_nan_is_what_numpy_gives() -> None:
    def total(u, v):
        return np.sum(u * v) * np.sum(v)

    gradient = grad(total, backend="numba")
    for value in (np.inf, -np.inf, np.nan, -0.0):
        u = np.full(37, value)
        np.testing.assert_array_equal(gradient(u, U[:1]), grad(total)(u, U[:1]))


# ---------------------------------------------------------------- fastmath


def norm(u):
    total = 0.0
    for i in range(len(u)):
        total += u[i] * u[i]
    return np.sqrt(total) + np.sum(np.tanh(u))


def test_fastmath_gives_the_same_up_to_rounding() -> None:
    fast = grad(norm, backend="numba", fastmath=True)
    np.testing.assert_allclose(fast(U), grad(norm)(U), rtol=1e-13)
    value, gradient = fast.value_and_grad(U)
    np.testing.assert_allclose(value, norm(U), rtol=1e-13)
    np.testing.assert_allclose(gradient, grad(norm)(U), rtol=1e-13)


def test_fastmath_is_numbas_option_for_all_but_the_functions_here(tmp_path) -> None:
    path = tmp_path / "exported.py"
    grad(norm, backend="numba", fastmath=True).export(path, U)
    text = path.read_text(encoding="utf-8")
    assert text.count("fastmath=True") == 1 and "def vector_tanh(" in text
    grad(norm, backend="numba").export(path, U)
    assert "fastmath=True" not in path.read_text(encoding="utf-8")


def test_sine_and_cosine_vectorise_where_large_numbers_need_not_be_right() -> None:
    def loss(u):
        return np.sum(np.sin(u))

    assert "np.cos(" in numba_text(loss, U)
    fast = grad(loss, backend="numba", fastmath=True)
    assert "vector_cos(" in fast.lower(U).ir("numba")
    np.testing.assert_allclose(fast(1e5 * U), np.cos(1e5 * U), rtol=1e-12)


def test_fastmath_under_python_is_refused() -> None:
    with pytest.raises(ArgumentError, match="fastmath=True is for what Numba compiles"):
        grad(norm, fastmath=True)


# ---------------------------------------------------------------- that it vectorises

PACKED = ("vmulpd", "vfmadd213pd", "vfmadd231pd", "mulpd")


def assembly(function: Any, *args: Any) -> str:
    function(*args)
    return "\n".join(function.inspect_asm().values())


needs_x86 = pytest.mark.skipif(
    platform.machine().lower() not in ("x86_64", "amd64"),
    reason="looks for instructions of x86-64",
)


@needs_x86
@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_loop_becomes_vector_instructions(name: str) -> None:
    text = assembly(over_arrays(name), np.ones(8))
    assert any(instruction in text for instruction in PACKED)


@needs_x86
def test_a_sum_becomes_vector_instructions() -> None:
    def total(x):
        t = 0.0
        for i in range(x.shape[0]):
            t = plus(t, x[i])
        return t

    import numba

    plus = numba.njit(fastmath={"reassoc"}, forceinline=True)(sums.plus)
    text = assembly(numba.njit(total), np.ones(8))
    assert "addpd" in text
