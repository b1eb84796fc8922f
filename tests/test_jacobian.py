"""Jacobians and Hessians: values, forms, choices, refusals, and use inside of programs."""

from __future__ import annotations

import logging
from collections import namedtuple

import numpy as np
import pytest
from corpus import ALL
from harness import primals, select

from autograd_compiler import (
    elementwise_grad,
    grad,
    hessian,
    jacfwd,
    jacobian,
    jacrev,
    jvp,
    vjp,
)
from autograd_compiler.errors import ArgumentError, MutationError, UnsupportedError
from autograd_compiler.tree import flatten

A = np.random.default_rng(0).normal(size=(4, 3))
X = np.array([0.1, 0.2, 0.3])
MODES = [jacrev, jacfwd, jacobian]
each_mode = pytest.mark.parametrize("transform", MODES, ids=lambda t: t.__name__)

Pair = namedtuple("Pair", "first second")


def layer(x):
    return np.tanh(A @ x)


def in_place(x):
    y = x.copy()
    for _ in range(3):
        y[1:] = y[1:] * np.sin(y[:-1])
    return y


def growing(x):
    y = x
    while np.sum(y) < 5.0:
        y = y * (1.5 + x)
    return y


def energy(x):
    return np.sum(layer(x) ** 2) * x[0]


def slopes(f, x, step=1e-6):
    """The Jacobian by central differences."""
    columns = []
    for unit in np.eye(x.size):
        move = step * unit.reshape(x.shape)
        columns.append((f(x + move) - f(x - move)) / (2 * step))
    return np.stack(columns, axis=-1).reshape(np.shape(f(x)) + x.shape)


# ---------------------------------------------------------------- values


@each_mode
@pytest.mark.parametrize("f", [layer, in_place, growing])
def test_jacobian_is_that_of_differences(f, transform) -> None:
    made = transform(f)
    np.testing.assert_allclose(made(X), slopes(f, X), rtol=1e-6, atol=1e-8)
    assert not made._unreadable


@each_mode
def test_shape_is_that_of_the_result_then_that_of_the_argument(transform) -> None:
    def f(x):
        return np.outer(x[0], np.sin(x[1]))

    x = np.arange(1.0, 7.0).reshape(2, 3)
    result = transform(f)(x)
    assert result.shape == (3, 3, 2, 3)
    np.testing.assert_allclose(result, slopes(f, x), rtol=1e-6, atol=1e-8)


@each_mode
def test_numbers_in_and_out(transform) -> None:
    assert transform(lambda x: x**3)(2.0) == 12.0
    np.testing.assert_array_equal(transform(lambda x: x * np.ones(2))(2.0), [1.0, 1.0])
    np.testing.assert_array_equal(transform(lambda x: np.sum(x * x))(X), 2 * X)


@each_mode
def test_empty_arrays(transform) -> None:
    assert transform(lambda x: 2.0 * x)(np.zeros(0)).shape == (0, 0)


@each_mode
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_dtype_is_kept(transform, dtype) -> None:
    assert transform(lambda x: x * x)(np.ones(3, dtype)).dtype == dtype


@each_mode
def test_result_that_does_not_depend_on_the_argument(transform) -> None:
    f = transform(lambda x: (np.ones(2), x * 2.0))
    first, second = f(X)
    np.testing.assert_array_equal(first, np.zeros((2, 3)))
    np.testing.assert_array_equal(second, 2.0 * np.eye(3))


@each_mode
def test_results_own_their_memory(transform) -> None:
    matrix = np.ones((2, 3))
    first, second = transform(lambda x: (matrix @ x, matrix @ x))(X)
    assert not np.shares_memory(first, second)
    for result in (first, second):
        assert result.flags.writeable and result.flags.c_contiguous
        assert not np.shares_memory(result, matrix)


@each_mode
def test_function_that_writes_its_argument(transform) -> None:
    def f(x):
        x[0] = x[0] * x[1]
        return x * x[0]

    def copying(x):
        return f(x.copy())

    np.testing.assert_allclose(transform(f)(X.copy()), slopes(copying, X), rtol=1e-6)


@each_mode
def test_captured_values_are_read_at_each_call(transform) -> None:
    scale = 2.0

    def f(x):
        return scale * x

    made = transform(f)
    np.testing.assert_array_equal(made(X), 2.0 * np.eye(3))
    scale = 3.0
    np.testing.assert_array_equal(made(X), 3.0 * np.eye(3))


# ---------------------------------------------------------------- containers, arguments


def of_containers(params, factor):
    return {
        "a": params["w"] * factor,
        "b": [np.sum(params["w"]) * params["s"], factor * 2.0],
    }


@each_mode
def test_containers_in_and_out(transform) -> None:
    params = {"w": np.array([1.0, 2.0]), "s": 3.0}
    result = transform(of_containers, (0, "factor"))(params, 2.0)
    assert list(result) == ["a", "b"]
    d_params, d_factor = result["a"]
    np.testing.assert_array_equal(d_params["w"], 2.0 * np.eye(2))
    np.testing.assert_array_equal(d_params["s"], np.zeros(2))
    np.testing.assert_array_equal(d_factor, [1.0, 2.0])
    d_params, d_factor = result["b"][0]
    np.testing.assert_array_equal(d_params["w"], [3.0, 3.0])
    assert (d_params["s"], d_factor) == (3.0, 0.0)
    assert result["b"][1][1] == 2.0


@each_mode
def test_namedtuples_keep_their_type(transform) -> None:
    result = transform(lambda p: Pair(p.first * p.second, p.first))(Pair(2.0, 3.0))
    assert result == Pair(Pair(3.0, 2.0), Pair(1.0, 0.0))
    assert isinstance(result, Pair) and isinstance(result.first, Pair)


@each_mode
def test_forms_of_argnums(transform) -> None:
    def f(x, y):
        return x * y**2

    assert transform(f, "y")(3.0, 2.0) == 12.0
    assert transform(f, -1)(3.0, 2.0) == 12.0
    assert transform(f, (1,))(3.0, 2.0) == (12.0,)
    assert transform(f, ("y", 0))(y=2.0, x=3.0) == (12.0, 4.0)
    assert transform(argnums=1)(f)(3.0, 2.0) == 12.0
    with pytest.raises(ArgumentError, match="no argument of that name"):
        transform(f, "z")


@each_mode
def test_starred_arguments_and_keywords(transform) -> None:
    def f(x, *others, scale=1.0):
        return x * others[1] ** 2 * scale

    assert transform(f, 2)(3.0, 1.0, 2.0, scale=2.0) == 24.0
    assert transform(f, "scale")(3.0, 1.0, 2.0) == 12.0
    assert elementwise_grad(f, 1, 2)(3.0, 1.0, 2.0) == 12.0


@each_mode
def test_aux_is_passed_on(transform) -> None:
    def f(x):
        return x * x, {"x": x[0], "name": "f"}

    result, aux = transform(f, has_aux=True)(X)
    np.testing.assert_allclose(result, np.diag(2 * X))
    assert aux == {"x": X[0], "name": "f"}
    with pytest.raises(ArgumentError, match="has_aux"):
        jacrev(lambda x: x * x, has_aux=True)(X)


@each_mode
def test_methods_and_decorators(transform) -> None:
    class Model:
        def __init__(self, factor):
            self.factor = factor

        @transform
        def slope(self, x):
            return self.factor * x * x

    assert Model(2.0).slope(3.0) == 12.0

    @transform
    def cube(x):
        """The third power."""
        return x**3

    class Cubic:
        @jacfwd
        @grad
        def curvature(self, x):
            return x**3

    assert Cubic().curvature(2.0) == 12.0
    assert cube.__name__ == "cube" and cube.primal(2.0) == 8.0
    assert "jacobian of cube" in repr(cube)


# ---------------------------------------------------------------- the choice


def test_choice_of_the_mode() -> None:
    def repeated(x):
        return np.concatenate((x, x))

    def shortened(x):
        return x[1:] * x[:-1]

    assert "range(x.size)" in jacobian(repeated).lower(X).source
    assert "range(x.size)" not in jacobian(shortened).lower(X).source
    assert "range" not in jacobian(lambda x: np.sum(x)).lower(X).source


def test_rows_share_one_forward_sweep() -> None:
    source = jacrev(lambda x: np.sin(np.exp(x))).lower(X).source
    before, _, loop = source.partition("for i in")
    assert "np.exp" in before and "np.exp" not in loop


def test_what_all_rows_or_columns_need_is_computed_before_the_loop() -> None:
    for transform in (jacrev, jacfwd):
        source = transform(lambda x, matrix: np.tanh(matrix @ x)).lower(X, A).source
        before, _, loop = source.partition("    for ")
        assert "1 - " in before and "1 - " not in loop


# ---------------------------------------------------------------- what is refused


def test_integers_are_refused() -> None:
    with pytest.raises(ArgumentError, match="floats only"):
        jacobian(lambda x: x * x)(np.arange(3))
    with pytest.raises(ArgumentError, match="of int64.*\n.*\n.*\nhint: has_aux=True"):
        jacrev(lambda x: (x * x, np.argmax(x)))(X)


@each_mode
def test_results_that_are_no_numbers_are_refused(transform) -> None:
    for f in (lambda x: "text", lambda x: None):
        with pytest.raises((ArgumentError, UnsupportedError)):
            transform(f)(X)


def test_random_functions_have_rows_and_no_columns() -> None:
    def noisy(x):
        return x * np.random.normal(size=3)

    for transform in (jacrev, jacobian):
        result = transform(noisy)(X)
        np.testing.assert_array_equal(result, np.diag(np.diag(result)))
    with pytest.raises(ArgumentError, match="may give another result each time"):
        jacfwd(noisy)(X)


def test_gradient_of_an_array_names_jacobian_and_vjp() -> None:
    with pytest.raises(ArgumentError, match="`jacobian`.*`vjp`"):
        grad(layer)(X)


def test_source_before_a_call_says_what_to_do() -> None:
    with pytest.raises(ArgumentError, match="call it"):
        jacobian(layer).source


# ---------------------------------------------------------------- complex

Z = np.array([1.0 + 2.0j, 0.5j])


def holomorphic(z):
    return np.exp(z) * z[0]


@each_mode
def test_holomorphic_functions(transform) -> None:
    expected = np.diag(np.exp(Z) * Z[0])
    expected[:, 0] += np.exp(Z)
    np.testing.assert_allclose(transform(holomorphic, holomorphic=True)(Z), expected)


def test_holomorphic_gradients_and_hessians() -> None:
    def f(z):
        return np.sum(z**3)

    np.testing.assert_allclose(grad(f, holomorphic=True)(Z), 3 * Z**2)
    np.testing.assert_allclose(hessian(f, holomorphic=True)(Z), np.diag(6 * Z))
    assert grad(lambda z: z * z, holomorphic=True)(2.0 + 1.0j) == 4.0 + 2.0j


@each_mode
def test_what_holomorphic_needs(transform) -> None:
    with pytest.raises(ArgumentError, match="is real, and holomorphic=True needs"):
        transform(holomorphic, holomorphic=True)(X)
    with pytest.raises(ArgumentError, match="is real, and holomorphic=True needs"):
        transform(lambda z: np.abs(z), holomorphic=True)(Z)


def test_what_holomorphic_gradients_need() -> None:
    with pytest.raises(ArgumentError, match="pass holomorphic=True"):
        grad(lambda z: np.sum(z))(Z)
    with pytest.raises(ArgumentError, match="is real"):
        grad(lambda z: np.sum(z), holomorphic=True)(X)
    with pytest.raises(ArgumentError, match="returns a real number"):
        grad(lambda z: np.sum(np.abs(z)), holomorphic=True)(Z)


def test_complex_and_real_mixed_go_in_one_mode_only() -> None:
    def to_complex(x):
        return np.exp(1j * x)

    def to_real(z):
        return np.abs(z) ** 2

    for transform in (jacfwd, jacobian):
        np.testing.assert_allclose(
            transform(to_complex)(X), np.diag(1j * np.exp(1j * X))
        )
    for transform in (jacrev, jacobian):
        np.testing.assert_allclose(transform(to_real)(Z), np.diag(2 * np.conj(Z)))
    with pytest.raises(ArgumentError, match="jacrev needs real ones"):
        jacrev(to_complex)(X)
    with pytest.raises(ArgumentError, match="jacfwd needs real arguments"):
        jacfwd(to_real)(Z)


# ---------------------------------------------------------------- Hessians, orders


@pytest.mark.parametrize("f", [energy, lambda x: np.sum(in_place(x))])
def test_hessian_is_that_of_differences(f) -> None:
    expected = slopes(grad(f), X)
    np.testing.assert_allclose(hessian(f)(X), expected, rtol=1e-6, atol=1e-8)


def test_hessian_of_several_arguments() -> None:
    def f(x, y):
        return np.sum(x**2 * y) + y**3

    (xx, xy), (yx, yy) = hessian(f, (0, 1))(X, 2.0)
    np.testing.assert_allclose(xx, 4.0 * np.eye(3))
    np.testing.assert_allclose(xy, 2 * X)
    np.testing.assert_allclose(yx, 2 * X)
    assert yy == 12.0


def test_hessian_of_containers() -> None:
    result = hessian(lambda p: np.sum(p["w"] ** 2) * p["s"])({"w": X, "s": 3.0})
    np.testing.assert_allclose(result["w"]["w"], 6.0 * np.eye(3))
    np.testing.assert_allclose(result["w"]["s"], 2 * X)
    np.testing.assert_allclose(result["s"]["w"], 2 * X)
    assert result["s"]["s"] == 0.0


def test_hessian_with_aux() -> None:
    result, aux = hessian(lambda x: (x**3, "aux"), has_aux=True)(2.0)
    assert (result, aux) == (12.0, "aux")


def test_all_mixes_of_modes_agree_on_an_array_of_hessians() -> None:
    expected = np.stack([slopes(grad(lambda y: layer(y)[k]), X) for k in range(4)])
    np.testing.assert_allclose(hessian(layer)(X), expected, rtol=1e-6, atol=1e-8)
    for outer, inner in [(jacrev, jacfwd), (jacrev, jacrev)]:
        result = outer(inner(layer))(X)
        np.testing.assert_allclose(result, expected, rtol=1e-6, atol=1e-8)


def test_derivatives_up_to_the_fourth() -> None:
    def f(x):
        return np.sin(2.0 * x) * x

    fourth = 16 * np.sin(1.4) * 0.7 - 32 * np.cos(1.4)
    assert grad(grad(grad(grad(f))))(0.7) == pytest.approx(fourth)
    assert jacfwd(jacfwd(jacfwd(jacfwd(f))))(0.7) == pytest.approx(fourth)
    assert hessian(hessian(f))(0.7) == pytest.approx(fourth)
    assert elementwise_grad(f, 4)(0.7) == pytest.approx(fourth)


@pytest.mark.slow
def test_fourth_derivatives_of_an_array() -> None:
    result = hessian(hessian(lambda v: np.sum(np.sin(2.0 * v) * v)))(X)
    assert result.shape == (3, 3, 3, 3)
    diagonal = 16 * np.sin(2 * X) * X - 32 * np.cos(2 * X)
    np.testing.assert_allclose(np.einsum("iiii->i", result), diagonal)
    assert np.count_nonzero(np.abs(result) > 1e-9) == 3


def test_generated_code_of_higher_orders_grows_by_a_factor_per_order() -> None:
    def f(x):
        y = np.sin(x) * x
        return np.exp(y) / (1.0 + x * x)

    lengths = []
    made = f
    for _ in range(4):
        made = grad(made)
        lengths.append(len(made.lower(0.7).source))
    assert all(after < 4 * before for before, after in zip(lengths, lengths[1:]))


# ---------------------------------------------------------------- inside of programs


@each_mode
def test_jacobians_in_a_differentiated_function(transform) -> None:
    def f(x):
        return np.sum(transform(layer)(x) ** 2)

    np.testing.assert_allclose(grad(f)(X), slopes(f, X), rtol=1e-6)


def test_hessian_in_a_differentiated_function() -> None:
    def f(x):
        return np.sum(hessian(lambda y: y[0] ** 2 * np.sin(y[1]))(x) ** 2)

    expected = slopes(f, X)
    np.testing.assert_allclose(grad(f)(X), expected, rtol=1e-6, atol=1e-8)
    _, tangent = jvp(f, (X,), (np.ones(3),))
    np.testing.assert_allclose(tangent, np.sum(expected), rtol=1e-6)


@pytest.mark.slow
def test_newton_step_of_a_nested_function_is_differentiated() -> None:
    def minimum(a):
        def cost(x):
            return np.sum((x**2 - a) ** 2) + np.sum(x)

        x = np.sqrt(a)
        for _ in range(2):
            x = x - np.linalg.solve(hessian(cost)(x), grad(cost)(x))
        return np.sum(x**2)

    a = np.array([2.0, 3.0])
    expected = slopes(minimum, a, step=1e-5)
    np.testing.assert_allclose(grad(minimum)(a), expected, rtol=1e-6)


def test_jacobian_of_a_nested_function_by_name() -> None:
    def f(x):
        def inner(a, b):
            return a * b * x

        return np.sum(jacobian(inner, argnums="b")(x, x * x))

    # The Jacobian is diag(x * x).
    np.testing.assert_allclose(grad(f)(X), 2 * X)


def test_option_that_only_run_time_knows_is_refused_with_its_place() -> None:
    def f(x, number):
        return np.sum(jacobian(lambda a, b: a * b, number)(x, x))

    with pytest.raises(UnsupportedError, match="only run time knows"):
        grad(f)(X, 1)


# ---------------------------------------------------------------- code read once only


def aliased(x):
    a = np.zeros(4)
    rows = [a[:2], a[2:]]
    for i in range(2):
        rows[i][0] = x[i] * x[0]
        a[1] = a[1] + a[0]
    return a * x[1]


def recursive(x, n):
    return x if n == 0 else recursive(x * x, n - 1) + x


@each_mode
@pytest.mark.parametrize(
    "f, args", [(recursive, (X, 2)), (recursive, (0.5, 3)), (layer, (X,))]
)
def test_direct_way_gives_the_same(f, args, transform) -> None:
    made = transform(f)
    values = made._program.bind(args, {})
    expected = slopes(lambda x: f(x, *args[1:]), np.asarray(args[0]))
    np.testing.assert_allclose(made._by_calls(values), expected, rtol=1e-6, atol=1e-8)
    np.testing.assert_allclose(made(*args), expected, rtol=1e-6, atol=1e-8)


def test_direct_way_has_the_same_form() -> None:
    params = {"w": np.array([1.0, 2.0]), "s": 3.0}
    for transform in (jacrev, jacfwd):
        made = transform(of_containers, (0, 1))
        values = made._program.bind((params, 2.0), {})
        first, form = flatten(made._by_calls(values))
        second, same = flatten(made(params, 2.0))
        assert form == same
        for one, other in zip(first, second):
            np.testing.assert_array_equal(one, other)


def test_direct_way_is_told_in_the_log(caplog) -> None:
    made = jacrev(recursive)
    with caplog.at_level(logging.INFO, logger="autograd_compiler"):
        made(X, 2)
        made(X, 2)
    told = [item for item in caplog.records if "called one by one" in item.message]
    assert len(told) == len(made._unreadable)


# ---------------------------------------------------------------- elementwise


def test_elementwise_derivatives() -> None:
    def f(x):
        return np.sin(x) * x

    x = np.linspace(-1.0, 2.0, 6).reshape(2, 3)
    np.testing.assert_allclose(elementwise_grad(f)(x), np.cos(x) * x + np.sin(x))
    second = 2 * np.cos(x) - np.sin(x) * x
    np.testing.assert_allclose(elementwise_grad(f, 2)(x), second)
    np.testing.assert_allclose(elementwise_grad(elementwise_grad(f))(x), second)
    assert elementwise_grad(lambda a, x: a * x**2, argnums="x")(3.0, 2.0) == 12.0


def test_elementwise_derivatives_of_loops_and_in_programs() -> None:
    def f(x):
        y = x
        for _ in range(3):
            y = y * np.cos(x)
        return y

    expected = np.diag(jacobian(f)(X))
    np.testing.assert_allclose(elementwise_grad(f)(X), expected)

    def total(x):
        return np.sum(elementwise_grad(f)(x) ** 2)

    np.testing.assert_allclose(grad(total)(X), slopes(total, X), rtol=1e-6)


def test_what_elementwise_derivatives_need() -> None:
    with pytest.raises(ArgumentError, match="order must be"):
        elementwise_grad(layer, 0)
    with pytest.raises(ArgumentError, match="one number of the same kind for each"):
        elementwise_grad(lambda x: np.sum(x))(X)
    with pytest.raises(ArgumentError, match="use `jacobian`"):
        elementwise_grad(lambda p: p["a"])({"a": X})


# ---------------------------------------------------------------- Numba


@pytest.mark.numba
@each_mode
def test_jacobians_on_numba(transform) -> None:
    pytest.importorskip("numba")

    def f(x, matrix):
        y = np.tanh(matrix @ x)
        for i in range(1, len(y)):
            y[i] = y[i] * y[i - 1]
        return y

    expected = slopes(lambda x: f(x, A), X)
    result = transform(f, backend="numba")(X, A)
    np.testing.assert_allclose(result, expected, rtol=1e-6, atol=1e-8)


@pytest.mark.numba
def test_hessians_on_numba() -> None:
    pytest.importorskip("numba")

    def f(x):
        total = 0.0
        for i in range(len(x)):
            total += np.sin(x[i]) * x[i - 1]
        return total

    np.testing.assert_allclose(hessian(f, backend="numba")(X), hessian(f)(X))


def test_pullback_of_a_jacobian() -> None:
    jac, pullback = vjp(jacrev(layer), X)
    weights = np.arange(12.0).reshape(4, 3)
    (result,) = pullback(weights)
    expected = np.einsum("ij,ijk->k", weights, hessian(layer)(X))
    np.testing.assert_allclose(result, expected)
    np.testing.assert_allclose(jac, jacrev(layer)(X))


# ---------------------------------------------------------------- the corpus

REFUSED_FORWARD = ("activity.random_",)


@pytest.mark.slow
@pytest.mark.parametrize("program", ALL, ids=lambda item: item.name)
def test_rows_and_columns_of_the_corpus_agree(program) -> None:
    f = select(program)
    argnums = tuple(range(len(primals(program))))
    try:
        rows, form = flatten(jacrev(f, argnums)(*primals(program)))
    except MutationError:
        return  # what is given is captured here, and captured arrays are not written
    if program.name.startswith(REFUSED_FORWARD):
        return
    columns, same = flatten(jacfwd(f, argnums)(*primals(program)))
    assert form == same
    for one, other in zip(rows, columns):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-6)
