"""Rules that the user gives: for operators, foreign functions, and functions of theirs."""

from __future__ import annotations

import ctypes
import ctypes.util
import math
import pickle

import numpy as np
import pytest

from autograd_compiler import (
    check_grads,
    check_rule,
    custom,
    custom_jvp,
    custom_vjp,
    grad,
    hessian,
    hvp,
    jacfwd,
    jacrev,
    jvp,
    stop_gradient,
    vjp,
)
from autograd_compiler.errors import ArgumentError, RuleCheckError, UnsupportedError
from autograd_compiler.rules import registry

X = np.array([0.1, 0.4, 0.7])
Y = np.array([1.5, -0.5, 2.0])


@pytest.fixture(autouse=True)
def own_table(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a test adds to the table of rules stays with the test."""
    registry.all_rules()
    monkeypatch.setattr(registry, "_RULES", dict(registry._RULES))


def opaque(function):
    """A function that no compiler can look into."""

    class Callee:
        __name__ = function.__name__

        def __call__(self, *args, **kwargs):
            try:
                return function(*args, **kwargs)
            finally:
                pass

    return Callee()


# ---------------------------------------------------------------- operators


def wave(x, k=2.0, *, scale=1.0):
    raise_if = [x]  # would be seen in the source if the body were looked into
    return scale * np.sin(k * raise_if[0])


def declare_wave():
    def tangent(x, d_x, k=2.0, *, scale=1.0):
        return scale * k * np.cos(k * x) * d_x

    @custom.general(wave, wrt="x", tangent=tangent)
    def adjoint(d_y, x, k=2.0, *, scale=1.0):
        return scale * k * np.cos(k * x) * d_y


def energy(x):
    return np.sum(wave(x, 3.0, scale=0.5) ** 2)


def test_operator_is_called_and_not_looked_into():
    declare_wave()
    derivative = grad(energy)
    assert np.allclose(derivative(X), 1.5 * np.cos(3.0 * X) * np.sin(3.0 * X))
    for source in (derivative.lower(X).source, derivative.source):
        assert "wave(x, 3.0, scale=0.5)" in source
        assert "raise_if" not in source


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_operator_in_both_modes_and_second_order(dtype):
    declare_wave()
    check_grads(energy, (X.astype(dtype),), order=2)
    assert grad(energy)(X.astype(dtype)).dtype == dtype


def test_second_derivatives_use_the_rule_and_not_a_copy_of_the_operator():
    def cheating(x):
        return x**2

    def tangent(x, d_x):
        return 10.0 * cheating(x) * d_x

    @custom.general(cheating, wrt="x", tangent=tangent)
    def adjoint(d_y, x):
        return 10.0 * cheating(x) * d_y

    first = grad(lambda x: cheating(x))
    assert first(2.0) == 40.0
    assert grad(lambda x: first(x))(2.0) == 400.0
    assert grad(grad(cheating))(2.0) == 400.0


def polar(x, y):
    return np.hypot(x, y), np.arctan2(y, x)


def declare_polar():
    def tangent(y, a, b, d_a, d_b):
        radius, _ = y
        return (a * d_a + b * d_b) / radius, (a * d_b - b * d_a) / radius**2

    @custom.general(polar, wrt="a b", tangent=tangent)
    def adjoint(d_y, y, a, b):
        d_radius, d_angle = d_y
        along, across = d_radius / y[0], d_angle / y[0] ** 2
        return a * along - b * across, b * along + a * across


def test_operator_with_several_results():
    declare_polar()

    def program(x, y):
        radius, angle = polar(x, y)
        return np.sum(radius * np.sin(angle) ** 2 + radius**2)

    check_grads(program, (X, Y), order=2)
    check_grads(lambda x, y: polar(x, y), (X, Y))
    assert "polar(x, y)" in grad(program).source


def test_partials_of_a_function_of_ctypes():
    erf = ctypes.CDLL(ctypes.util.find_library("m")).erf
    erf.restype, erf.argtypes = ctypes.c_double, [ctypes.c_double]
    custom.partials(erf, x="2 / np.sqrt(np.pi) * np.exp(-x**2)")

    def program(x):
        return erf(x) * x

    check_grads(program, (0.5,), order=2)
    wanted = math.erf(0.5) + 1 / math.sqrt(math.pi) * math.exp(-0.25)
    assert math.isclose(grad(program)(0.5), wanted)
    assert "erf(x)" in grad(program).source


def test_function_of_ctypes_without_a_rule_is_refused_where_it_is_called():
    cbrt = ctypes.CDLL(ctypes.util.find_library("m")).cbrt
    with pytest.raises(UnsupportedError, match="only run time knows") as error:
        grad(lambda x: cbrt(x) * x)(0.5)
    assert "a rule" in error.value.hint and "cbrt(x) * x" in str(error.value)


def test_rule_that_is_declared_anew_is_used_at_the_next_call():
    def cube(x):
        return x**3

    derivative = grad(lambda x: cube(x))
    assert derivative(1.0) == 3.0
    custom.partials(cube, x="5.0")
    assert derivative(1.0) == 5.0
    custom.partials(cube, x="7.0")
    assert derivative(1.0) == 7.0


def test_partials_of_cython_special():
    special = pytest.importorskip("scipy.special")
    cython_special = pytest.importorskip("scipy.special.cython_special")
    declare = custom.partials_with({"special": special})
    declare(cython_special.j0, z="-special.j1(z)")
    check_grads(lambda x: cython_special.j0(x) ** 2, (0.7,), order=2)


def test_linear_and_multilinear_foreign_operators():
    smooth = opaque(lambda m: np.cumsum(m) / 2)
    product = opaque(lambda a, b: a @ b)

    @custom.linear(smooth, wrt="m")
    def smooth_adjoint(d_y, m):
        return np.cumsum(d_y[::-1])[::-1] / 2

    @custom.multilinear(product, wrt="a b")
    def product_adjoint(d_y, a, b):
        return d_y * b, d_y * a

    check_grads(lambda x, y: product(smooth(x), y) ** 2, (X, Y), order=2)


# ---------------------------------------------------------------- forms of results


def simulated(x, steps):
    simulated.runs += 1
    return np.outer(np.arange(1.0, steps + 1), x)


@pytest.mark.parametrize(
    "result", ["x", lambda x, steps: np.zeros((steps, np.size(x)))]
)
def test_operator_with_a_declared_form_is_not_run_when_compiling(result):
    if result == "x":

        def program(x):
            return np.sum(simulated(x, 1)[0] ** 2)

        def adjoint(d_y, x, steps):
            return d_y[0]

    else:

        def program(x):
            return np.sum(simulated(x, 3) ** 2)

        def adjoint(d_y, x, steps):
            return np.sum(np.arange(1.0, steps + 1)[:, np.newaxis] * d_y, axis=0)

    custom.linear(simulated, wrt="x", result=result)(adjoint)
    x = X[np.newaxis] if result == "x" else X
    simulated.runs = 0
    lowered = grad(program).lower(x)
    assert not simulated.runs
    assert "unbroadcast" not in lowered.source
    if result != "x":
        check_grads(program, (x,))


def test_operator_that_stand_ins_break_has_a_result_of_unknown_form():
    def picky(x):
        if np.size(x) != 3:
            raise ValueError("three numbers, please")
        return x * np.array([1.0, 2.0, 3.0])

    @custom.linear(picky, wrt="x")
    def adjoint(d_y, x):
        return d_y * np.array([1.0, 2.0, 3.0])

    check_grads(lambda x: np.sum(picky(x) ** 2), (X,), order=2)


def test_what_a_declaration_gets_wrong_is_said_at_once():
    with pytest.raises(ArgumentError, match="not an expression"):
        custom.partials(wave, x="2 *")
    with pytest.raises(ArgumentError, match="`y` is the result"):
        custom.partials(wave, x="y", y="x")
    with pytest.raises(ArgumentError, match="wrt='z' is no parameter"):
        custom.linear(wave, wrt="z")(lambda d_y, x: d_y)
    with pytest.raises(ArgumentError, match="result='z' is no parameter"):
        custom.linear(wave, wrt="x", result="z")(lambda d_y, x: d_y)


def test_general_rule_without_a_tangent_refuses_forward_mode():
    @custom.general(wave, wrt="x")
    def adjoint(d_y, x, k=2.0, *, scale=1.0):
        return scale * k * np.cos(k * x) * d_y

    check_grads(energy, (X,), modes=["rev"])
    with pytest.raises(UnsupportedError, match="forward mode cannot go through") as e:
        jvp(energy, (X,), (X,))
    assert "wave(x, 3.0, scale=0.5)" in str(e.value)
    assert "tangent=" in e.value.hint


FACTOR = 2.0
WEIGHTS = np.array([1.0, 2.0, 3.0])


def test_rule_reads_what_is_outside_at_each_call(monkeypatch: pytest.MonkeyPatch):
    def weighted(x):
        return FACTOR * WEIGHTS * x

    @custom.linear(weighted, wrt="x")
    def adjoint(d_y, x):
        return FACTOR * WEIGHTS * d_y

    derivative = grad(lambda x: np.sum(weighted(x) ** 2))
    assert np.allclose(derivative(X), 2 * (2.0 * WEIGHTS) ** 2 * X)
    check_grads(lambda x: np.sum(weighted(x) ** 2), (X,), order=2)
    monkeypatch.setitem(globals(), "FACTOR", 3.0)
    monkeypatch.setitem(globals(), "WEIGHTS", WEIGHTS + 1.0)
    assert np.allclose(derivative(X), 2 * (3.0 * WEIGHTS) ** 2 * X)
    monkeypatch.setitem(globals(), "WEIGHTS", np.array(2.0))
    with pytest.raises(ArgumentError, match="`WEIGHTS`.*another type or shape"):
        derivative(X)


# ---------------------------------------------------------------- stop_gradient


def test_stop_gradient_is_zero_in_both_modes_and_all_orders():
    def program(x):
        return np.sum(x * stop_gradient(np.sin(x)))

    assert np.allclose(grad(program)(X), np.sin(X))
    assert np.allclose(jvp(program, (X,), (Y,))[1], np.sin(X) @ Y)
    assert not hessian(program)(X).any()
    assert not grad(grad(lambda x: x * stop_gradient(x)))(3.0)
    assert "stop_gradient(np.sin(x))" in grad(program).lower(X).source


def test_stop_gradient_of_containers():
    def program(p):
        q = stop_gradient(p)
        return np.sum(p["a"] * q["a"]) * q["b"][0]

    found = grad(program)({"a": X, "b": (2.0, 1.0)})
    assert np.allclose(found["a"], 2.0 * X)
    assert found["b"][0] == 0.0


def test_stop_gradient_with_numba():
    pytest.importorskip("numba")

    def program(x):
        total = 0.0
        for _ in range(3):
            total = total + x * stop_gradient(x + total)
        return total

    assert grad(program, backend="numba")(0.5) == grad(program)(0.5) == 2.375


# ---------------------------------------------------------------- custom_vjp


@custom_vjp
def scaled_sine(x, y):
    return np.sin(x) * y


def scaled_sine_fwd(x, y):
    return scaled_sine(x, y), (np.cos(x), np.sin(x), y)


def scaled_sine_bwd(residuals, d_out):
    cos_x, sin_x, y = residuals
    return cos_x * d_out * y, sin_x * d_out


scaled_sine.defvjp(scaled_sine_fwd, scaled_sine_bwd)


def test_custom_vjp_in_reverse_mode():
    def program(x, y):
        return np.sum(scaled_sine(x, y) ** 2)

    assert np.allclose(scaled_sine(X, Y), np.sin(X) * Y)
    check_grads(program, (X, Y), modes=["rev"], order=2)
    check_grads(program, (X.astype("f"), Y.astype("f")), modes=["rev"])
    assert "np.cos(x)" in grad(program).lower(X, Y).source
    assert np.isclose(grad(scaled_sine)(0.5, 2.0), 2.0 * np.cos(0.5))
    assert np.isclose(grad(grad(scaled_sine))(0.5, 2.0), -2.0 * np.sin(0.5))


def test_custom_vjp_without_types():
    def program(x, y):
        return np.sum(scaled_sine(x, y) ** 2)

    namespace = {"scaled_sine": scaled_sine}
    exec(grad(program, argnums=(0, 1)).source, namespace)
    d_x, d_y = namespace["program_grad"](X, Y)
    assert np.allclose(d_x, 2 * np.sin(X) * Y**2 * np.cos(X))
    assert np.allclose(d_y, 2 * np.sin(X) ** 2 * Y)


def test_custom_vjp_in_forward_mode_is_refused_with_the_place():
    def program(x):
        return scaled_sine(x, 2.0) + 1.0

    with pytest.raises(UnsupportedError) as error:
        jvp(program, (0.5,), (1.0,))
    assert "scaled_sine(x, 2.0)" in str(error.value)
    assert "custom_vjp" in error.value.hint and "custom_jvp" in error.value.hint
    with pytest.raises(UnsupportedError, match="custom_vjp"):
        jacfwd(program)(0.5)


def test_custom_vjp_of_a_function_that_cannot_be_read():
    @custom_vjp
    def solved(x):
        try:
            return np.exp(x)
        finally:
            pass

    def bwd(y, d_y):
        return (y * d_y,)

    solved.defvjp(lambda x: (solved(x),) * 2, bwd)
    check_grads(lambda x: np.sum(solved(x) ** 2), (X,), modes=["rev"], order=2)


def test_custom_vjp_with_fixed_arguments_and_none():
    @custom_vjp(nondiff_argnums=(0, 3))
    def apply(function, x, y, count):
        return count * function(x) * y

    def fwd(function, x, y, count):
        return apply(function, x, y, count), (x, y)

    def bwd(function, count, residuals, d_out):
        x, y = residuals
        return count * d_out * np.cos(x) * y, None

    apply.defvjp(fwd, bwd)
    d_x, d_y = grad(lambda x, y: apply(np.sin, x, y, 3), argnums=(0, 1))(0.5, 2.0)
    assert np.isclose(d_x, 6.0 * np.cos(0.5)) and d_y == 0.0
    with pytest.raises(UnsupportedError, match="no derivative in `count`"):
        grad(lambda c: apply(np.sin, 0.5, 2.0, c))(3.0)


def test_custom_vjp_with_containers():
    @custom_vjp
    def norm(p):
        return np.sqrt(p["a"] ** 2 + p["b"][0] ** 2)

    def fwd(p):
        value = norm(p)
        return value, (p, value)

    def bwd(residuals, d_out):
        p, value = residuals
        scale = d_out / value
        return ({"a": p["a"] * scale, "b": (p["b"][0] * scale,)},)

    norm.defvjp(fwd, bwd)
    found = grad(lambda p: norm(p) * 2.0)({"a": 3.0, "b": (4.0,)})
    assert np.isclose(found["a"], 1.2) and np.isclose(found["b"][0], 1.6)


def test_custom_vjp_with_several_results():
    @custom_vjp
    def both(x):
        return np.sin(x), x**2

    def bwd(x, d_out):
        d_sine, d_square = d_out
        return (np.cos(x) * d_sine + 2 * x * d_square,)

    both.defvjp(lambda x: (both(x), x), bwd)

    def program(x):
        sine, square = both(x)
        return np.sum(sine * square)

    check_grads(program, (X,), modes=["rev"], order=2)


def test_backward_function_that_gives_too_little():
    @custom_vjp
    def product(x, y):
        return x * y

    product.defvjp(lambda x, y: (product(x, y), y), lambda y, d: (y * d,))
    with pytest.raises(UnsupportedError, match="`product` must give a tuple of 2"):
        grad(lambda x: product(x, x))(2.0)


def test_argument_that_is_written_after_the_call():
    def program(x):
        u = x * 1.0
        total = np.sum(scaled_sine(u, u))
        u[0] = 3.0
        return total + np.sum(u * x)

    check_grads(program, (X,), modes=["rev"])


def test_custom_functions_without_a_derivative_say_how_to_give_it():
    @custom_vjp
    def lonely(x):
        return x

    with pytest.raises(ArgumentError, match="defvjp"):
        grad(lambda x: lonely(x))(1.0)


def test_custom_functions_refuse_starred_parameters():
    with pytest.raises(ArgumentError, match="fixed number of parameters"):
        custom_vjp(lambda *args: args[0])
    with pytest.raises(ArgumentError, match="no argument 3"):
        custom_vjp(lambda x: x, nondiff_argnums=3)


def test_custom_functions_pickle_by_name():
    assert pickle.loads(pickle.dumps(scaled_sine)) is scaled_sine


def test_function_that_writes_into_its_argument_is_refused():
    @custom_vjp
    def doubled(x):
        x *= 2.0
        return x

    doubled.defvjp(lambda x: (doubled(x), None), lambda _, d: (2.0 * d,))
    with pytest.raises(UnsupportedError, match="writes into its argument"):
        grad(lambda x: np.sum(doubled(x + 1.0)))(X)


# ---------------------------------------------------------------- custom_jvp


@custom_jvp
def tilted(x, y):
    return np.sin(x) * y


@tilted.defjvp
def tilted_jvp(primals, tangents):
    x, y = primals
    d_x, d_y = tangents
    return tilted(x, y), np.cos(x) * d_x * y + np.sin(x) * d_y


def test_custom_jvp_in_both_modes_to_third_order():
    def program(x, y):
        return np.sum(tilted(x, y) ** 2)

    check_grads(program, (X, Y), order=3)
    check_grads(program, (X.astype("f"), Y.astype("f")))
    check_grads(lambda x, y: tilted(x, y), (X, Y), order=2)
    assert np.allclose(hvp(program)(X, X, Y), hessian(program)(X, Y) @ X)


def test_custom_jvp_is_transposed_in_the_source():
    source = grad(lambda x, y: np.sum(tilted(x, y) ** 2)).lower(X, Y).source
    assert "tilted(x, y)" in source and "np.cos(x)" in source
    assert "jvp" not in source


def test_custom_jvp_is_used_instead_of_the_function():
    @custom_jvp
    def f(x):
        return x**2

    f.defjvp(lambda primals, tangents: (f(primals[0]), 10.0 * tangents[0]))
    assert grad(f)(3.0) == 10.0
    assert jvp(f, (3.0,), (2.0,))[1] == 20.0
    assert np.allclose(jacrev(f)(X), 10.0 * np.eye(3))
    assert np.allclose(jacfwd(f)(X), 10.0 * np.eye(3))


def test_defjvps_gives_one_function_for_each_argument():
    @custom_jvp
    def f(x, y, z):
        return x**2 * y

    f.defjvps(
        lambda d_x, out, x, y, z: 2 * x * y * d_x,
        lambda d_y, out, x, y, z: out / y * d_y,
        None,
    )
    check_grads(lambda x, y: f(x, y, 3.0) ** 2, (0.5, 2.0), order=2)
    with pytest.raises(ArgumentError, match="one function for each of the 3"):
        f.defjvps(None)


def test_custom_jvp_with_fixed_arguments():
    @custom_jvp(nondiff_argnums=0)
    def power(n, x):
        return x**n

    @power.defjvp
    def power_jvp(n, primals, tangents):
        (x,), (d_x,) = primals, tangents
        return power(n, x), n * power(n - 1, x) * d_x

    check_grads(lambda x: np.sum(power(3, x)), (X,), order=2)


def test_custom_jvp_of_a_function_that_cannot_be_read():
    erf = ctypes.CDLL(ctypes.util.find_library("m")).erf
    erf.restype, erf.argtypes = ctypes.c_double, [ctypes.c_double]

    @custom_jvp
    def error_function(x):
        return erf(x)

    @error_function.defjvp
    def derivative(primals, tangents):
        (x,), (d_x,) = primals, tangents
        return error_function(x), 2 / np.sqrt(np.pi) * np.exp(-(x**2)) * d_x

    check_grads(lambda x: error_function(x) * x, (0.5,), order=2)


def test_pullback_of_a_custom_function_runs_many_times():
    out, pullback = vjp(lambda x, y: tilted(x, y), X, Y)
    for weight in (np.ones(3), X):
        d_x, d_y = pullback(weight)
        assert np.allclose(d_x, weight * np.cos(X) * Y)
        assert np.allclose(d_y, weight * np.sin(X))
    assert np.allclose(out, np.sin(X) * Y)


# ---------------------------------------------------------------- check_rule


def test_check_rule_passes_what_is_right():
    declare_wave()
    check_rule(wave, X, 3.0, scale=0.5, order=2)
    declare_polar()
    check_rule(polar, X, Y, order=2)
    check_rule(np.hypot, X, Y[:, np.newaxis])
    check_rule(np.linalg.solve, np.eye(3) + 0.1, Y, order=2)
    check_rule(np.linalg.qr, np.eye(3) + 0.1)
    check_rule(np.concatenate, (X, Y))
    check_rule(np.sign, X)
    check_rule(scaled_sine, X, Y)
    check_rule(tilted, X, Y, order=2)


def wrong_partials(x, w):
    return x * w


@pytest.mark.parametrize("mode", ["fwd", "rev"])
def test_check_rule_names_operator_parameter_and_mode(mode):
    custom.partials(wrong_partials, x="w", w="2 * x")
    with pytest.raises(RuleCheckError) as error:
        check_rule(wrong_partials, X, Y, modes=[mode])
    message = str(error.value)
    assert "wrong_partials" in message and "`w`" in message and "instead of" in message
    assert {"fwd": "forward mode", "rev": "reverse mode"}[mode] in message


def test_check_rule_compares_the_modes_with_each_other():
    def operator(x, w):
        return x * w

    def tangent(x, w, d_x, d_w):
        return d_x * w + x * d_w

    @custom.general(operator, wrt="x w", tangent=tangent)
    def adjoint(d_y, x, w):
        return d_y * w, d_y * x * (1 + 1e-7)

    with pytest.raises(RuleCheckError, match="modes? disagree in `w`: <ct, J t> is"):
        check_rule(operator, X, Y)


def test_check_rule_looks_at_shapes_and_dtypes_of_adjoints():
    def total(x):
        return np.sum(x)

    custom.linear(total, wrt="x")(lambda d_y, x: np.full(5, d_y))
    with pytest.raises(RuleCheckError, match=r"adjoint of `x` has shape \(5,\)"):
        check_rule(total, X)

    def doubled(x):
        return 2 * x

    custom.linear(doubled, wrt="x")(lambda d_y, x: np.full(3, 2.0) * d_y)
    with pytest.raises(RuleCheckError, match="in single precision: .* of float64"):
        check_rule(doubled, X)


def test_check_rule_tries_operands_that_are_broadcast():
    def scaled(x, w):
        return x * w

    custom.partials(scaled, x="w", w="x if np.ndim(w) else 2 * x")
    with pytest.raises(RuleCheckError, match=r"`w` broadcast from shape \(\)"):
        check_rule(scaled, X, Y)


def test_check_rule_looks_at_the_declared_form():
    def halved(x):
        return x[:2]

    @custom.linear(halved, wrt="x", result="x")
    def adjoint(d_y, x):
        return np.append(d_y, 0.0)

    with pytest.raises(RuleCheckError, match=r"declared to be .* of shape \(3,\)"):
        check_rule(halved, X)


def test_check_rule_needs_a_rule_and_a_float():
    with pytest.raises(ArgumentError, match="no derivative rule"):
        check_rule(np.unique, X)
    with pytest.raises(ArgumentError, match="no argument of `np.sin` is a float"):
        check_rule(np.sin, 3)
