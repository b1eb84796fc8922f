"""Legal IR means what the IR that it replaces means, and stays in what Numba has."""

from __future__ import annotations

import math
import operator

import numpy as np
import pytest
from ir_interpreter import run

from autograd_compiler import grad, ir
from autograd_compiler.backend.legalise import legalise
from autograd_compiler.builder import Builder
from autograd_compiler.errors import BackendError
from autograd_compiler.frontend import program
from autograd_compiler.types import type_of

SPAN = ir.Span("model.py", 3, 4, statement="y = f(x)")
ALL = ir.Slice(ir.Const(None), ir.Const(None), ir.Const(None))

A = np.arange(12.0).reshape(3, 4) / 7 - 0.5
B = np.cos(np.arange(12.0)).reshape(4, 3)
T = np.sin(np.arange(24.0)).reshape(2, 3, 4)
S = np.cos(np.arange(24.0)).reshape(2, 4, 3)
X = np.array([0.5, -1.0, 2.0, 0.25])
Z = X + 1j * X[::-1]
ONE = A[:, None]


def operand(value):
    if isinstance(value, (ir.Var, ir.Const, ir.Pack, ir.Slice)):
        return value
    if isinstance(value, tuple):
        return ir.Pack(tuple(map(operand, value)))
    if isinstance(value, list):
        return ir.Pack(tuple(map(operand, value)), ir.LIST)
    if isinstance(value, slice):
        return ir.Slice(*map(ir.Const, (value.start, value.stop, value.step)))
    return ir.Const(value)


def of_any_size(value, sizes):
    return program.of_any_size(program.Argument(type_of(value, sizes))).type


def function_of(build, *args):
    """The function whose body `build` appends; arguments have the types of `args`."""
    sizes: dict = {}
    params = [
        ir.Var(f"x{k}", of_any_size(arg, sizes)) if not isinstance(arg, list) else arg
        for k, arg in enumerate(args)
    ]
    builder = Builder(SPAN)
    result = build(builder, *params)
    return ir.Function(
        "f",
        tuple(ir.Param(var.name, var) for var in params),
        ir.Block(tuple(builder.ops), (operand(result),)),
        SPAN,
    )


def legal(function):
    return legalise(ir.Module((function,))).entry


def calls_of(function):
    return [op.fn for op in ir.walk(function.body) if isinstance(op, ir.Apply)]


def copies(args):
    return [np.copy(arg) if isinstance(arg, np.ndarray) else arg for arg in args]


def agree(function, *args):
    expected = run(function, *copies(args))
    actual = run(legal(function), *copies(args))
    assert np.shape(actual) == np.shape(expected)
    np.testing.assert_allclose(actual, expected, rtol=1e-12)
    assert np.asarray(actual).dtype == np.asarray(expected).dtype


# ---------------------------------------------------------------- calls

REDUCTIONS = [np.sum, np.mean, np.max, np.min, np.prod, np.var, np.std, np.ptp]


@pytest.mark.parametrize("keepdims", [False, True])
@pytest.mark.parametrize("axis", [None, 0, -1, (0, 2), (0, 1, 2)], ids=str)
@pytest.mark.parametrize("fn", [*REDUCTIONS, np.any, np.all], ids=lambda f: f.__name__)
def test_reductions(fn, axis, keepdims):
    function = function_of(
        lambda b, x: b.apply(fn, x, axis=operand(axis), keepdims=ir.Const(keepdims)), T
    )
    agree(function, T)
    for op in ir.walk(legal(function).body):
        if isinstance(op, ir.Apply):
            keywords = dict(op.kwargs)
            assert "keepdims" not in keywords
            assert op.fn is np.sum or "axis" not in keywords


@pytest.mark.parametrize("fn", REDUCTIONS, ids=lambda f: f.__name__)
def test_reductions_of_vectors(fn):
    agree(function_of(lambda b, x: b.apply(fn, x, ir.Const(0)), X), X)


@pytest.mark.parametrize("axis", [None, 1])
@pytest.mark.parametrize("fn", [np.var, np.std], ids=lambda f: f.__name__)
def test_variance_with_ddof(fn, axis):
    function = function_of(
        lambda b, x: b.apply(fn, x, axis=operand(axis), ddof=ir.Const(1)), A
    )
    agree(function, A)


def test_variance_of_complex_numbers_is_real():
    z = np.stack([Z, 2 * Z])
    agree(function_of(lambda b, x: b.apply(np.var, x, axis=ir.Const(0)), z), z)


def test_an_empty_maximum_fails_as_in_numpy():
    function = legal(function_of(lambda b, x: b.apply(np.max, x, axis=ir.Const(1)), A))
    with pytest.raises(AssertionError, match="zero-size"):
        run(function, np.zeros((3, 0)))


CALLS = [
    (np.reshape, (A, (2, -1)), {}),
    (np.reshape, (A, (2, 6)), {"order": "F"}),
    (np.ravel, (A,), {"order": "F"}),
    (np.squeeze, (ONE,), {}),
    (np.squeeze, (ONE,), {"axis": 1}),
    (np.squeeze, (A[None, :, None],), {"axis": (0, -2)}),
    (np.expand_dims, (A, (0, 2)), {}),
    (np.flip, (A,), {"axis": 1}),
    (np.flip, (A,), {}),
    (np.roll, (X, 1), {}),
    (np.roll, (A, 1), {"axis": 0}),
    (np.roll, (A, -3), {"axis": 1}),
    (np.repeat, (A, 2), {"axis": 1}),
    (np.repeat, (A, 3), {"axis": 0}),
    (np.tile, (X, 2), {}),
    (np.tile, (A, (2, 1)), {}),
    (np.tile, (X, (2, 3)), {}),
    (np.tile, (A, 2), {}),
    (np.pad, (X, 1), {}),
    (np.pad, (A, ((1, 0), (0, 2))), {"mode": "constant"}),
    (np.diagonal, (B[:3],), {}),
    (np.diagonal, (A,), {"offset": 1}),
    (np.diff, (X,), {}),
    (np.diff, (A,), {"axis": 0}),
    (np.diff, (A,), {"n": 2}),
    (np.sort, (X,), {"axis": -1}),
    (np.array, ([X, X],), {}),
    (np.array, (A,), {}),
    (np.asarray, (A,), {}),
    (np.concatenate, ([A, A],), {"axis": 1}),
    (np.matmul, (A, B), {}),
    (np.matmul, (A, X), {}),
    (np.matmul, (T, S), {}),
    (np.matmul, (T, B), {}),
    (np.matmul, (A, S), {}),
    (operator.matmul, (T, S), {}),
    (operator.matmul, (A.astype(np.float32), B), {}),
    (operator.matmul, (A, B.astype(complex)), {}),
    (np.dot, (2.0, A), {}),
    (np.dot, (A, B), {}),
    (np.dot, (T, X), {}),
    (np.dot, (T, B), {}),
    (np.dot, (A, S), {}),
    (np.inner, (X, X), {}),
    (np.inner, (A, A), {}),
    (np.inner, (A, X), {}),
    (np.tensordot, (A, B), {"axes": 1}),
    (np.tensordot, (A, A), {}),
    (np.tensordot, (T, S), {"axes": ([0, 1], [0, 2])}),
    (np.tensordot, (X, X), {"axes": 0}),
    (np.einsum, ("ij,jk->ik", A, B), {}),
    (np.einsum, ("ij,j->i", A, X), {}),
    (np.einsum, ("ij,ij", A, A), {}),
    (np.einsum, ("ij->ji", A), {}),
    (np.einsum, ("ij->", A), {}),
    (np.einsum, ("ij->j", A), {}),
    (np.einsum, ("bij,bjk->bik", T, S), {}),
    (np.einsum, ("i,j->ij", X, X), {}),
    (np.einsum, ("ij,j->ij", A, X), {}),
    (np.einsum, ("ij,jk,k->i", A, B, X[:3]), {}),
    (np.einsum, ("ijk,kl->jl", T, B), {}),
    (np.einsum, ("i,i", X, X), {}),
    (np.linalg.norm, (A,), {"axis": 1}),
    (np.linalg.norm, (A,), {"axis": 1, "keepdims": True}),
    (np.linalg.norm, (A,), {"axis": (0, 1)}),
    (np.linalg.norm, (np.stack([Z, Z]),), {"axis": 0}),
    (np.linalg.multi_dot, ([A, B, A],), {}),
    (np.heaviside, (X - X[0], 0.5), {}),
    (np.fix, (X,), {}),
    (abs, (X,), {}),
    (abs, (-2.0,), {}),
    (math.log, (2.0, 3.0), {}),
    (math.fmod, (2.0, 0.75), {}),
]


def _call_name(value):
    return getattr(value, "__name__", None) or (
        value[0] if isinstance(value, tuple) and isinstance(value[0], str) else None
    )


@pytest.mark.parametrize("fn, args, kwargs", CALLS, ids=_call_name)
def test_calls(fn, args, kwargs):
    function, arrays = call_function(fn, args, kwargs)
    agree(function, *arrays)


def call_function(fn, args, kwargs):
    """The function of the arrays among the arguments that makes one call."""
    arrays: list = []

    def collect(value):
        if isinstance(value, np.ndarray):
            arrays.append(value)
            return len(arrays) - 1, None
        if isinstance(value, (tuple, list)):
            return type(value)(collect(item) for item in value), "items"
        return value, "plain"

    shaped = [collect(arg) for arg in args]

    def build(b, *params):
        def fill(item):
            value, kind = item
            if kind is None:
                return params[value]
            if kind == "items":
                return operand(type(value)(fill(part) for part in value))
            return operand(value)

        named = {key: operand(value) for key, value in kwargs.items()}
        return b.apply(fn, *map(fill, shaped), **named)

    return function_of(build, *arrays), arrays


def test_methods_that_numba_lacks_are_functions():
    function = function_of(
        lambda b, x: b.apply(np.swapaxes, x, ir.Const(0), ir.Const(1), style="method"),
        A,
    )
    (op,) = legal(function).body.ops
    assert op.style == "function"


def test_dtypes_are_classes():
    function = function_of(
        lambda b: b.apply(np.zeros, ir.Const(3), dtype=ir.Const(np.dtype("float32")))
    )
    (op,) = legal(function).body.ops
    assert dict(op.kwargs)["dtype"].value is np.float32
    agree(function)


def test_numbers_beside_single_precision_are_narrowed():
    x = X.astype(np.float32)
    function = function_of(lambda b, x: b.apply(operator.mul, x, ir.Const(0.5)), x)
    assert np.float32 in calls_of(legal(function))
    agree(function, x)
    double = function_of(lambda b, x: b.apply(operator.mul, x, ir.Const(0.5)), X)
    assert calls_of(legal(double)) == [operator.mul]


@pytest.mark.parametrize(
    "fn, args, kwargs",
    [
        (np.fft.fft, (X,), {}),
        (np.einsum, ("...i->...", X), {}),
        (np.einsum, ("ii->i", A[:, :3]), {}),
        (np.sort, (A,), {}),
        (np.cumprod, (A,), {"axis": 0}),
        (np.sum, (A,), {"where": True, "axis": 0}),
        (np.gradient, (X,), {}),
    ],
    ids=_call_name,
)
def test_what_numba_lacks_is_refused_at_the_users_line(fn, args, kwargs):
    function, _ = call_function(fn, args, kwargs)
    with pytest.raises(BackendError) as caught:
        legal(function)
    assert caught.value.span is SPAN
    assert "model.py:3:5" in str(caught.value)


# ---------------------------------------------------------------- loops


@pytest.mark.parametrize(
    "bounds",
    [
        (0, 5, 1),
        (2, 7, 1),
        (5, 0, -1),
        (0, 7, 2),
        (1, 8, 3),
        (10, 0, -3),
        (3, 3, 1),
        (5, 2, 1),
        (5, 2, 2),
        (0, 0, -2),
    ],
    ids=str,
)
@pytest.mark.parametrize("constant", [True, False])
def test_reversed_loops_count_down(bounds, constant):
    def build(b, x, *variables):
        start, stop, step = map(ir.Const, bounds) if constant else variables
        index, carried = ir.Var("i", type_of(1)), ir.Var("s", type_of(1.0))
        target = ir.Var("s", type_of(1.0))
        with b.block() as ops:
            scaled = b.apply(operator.mul, carried, ir.Const(10.0))
            total = b.apply(operator.add, scaled, index)
        b.append(
            ir.For(
                SPAN,
                (target,),
                index,
                start,
                stop,
                step,
                (carried,),
                (x,),
                ir.Block(tuple(ops), (total,)),
                reverse=True,
            )
        )
        return target

    args = (1.0,) if constant else (1.0, *bounds)
    function = function_of(build, *args)
    agree(function, *args)
    (loop,) = [op for op in legal(function).body.ops if isinstance(op, ir.For)]
    assert not loop.reverse
    if constant and bounds[2] in (1, -1):
        assert all(isinstance(b, ir.Const) for b in (loop.start, loop.stop, loop.step))


def test_an_error_state_is_left_out():
    def build(b, x):
        context = b.apply(np.errstate, divide=ir.Const("ignore"))
        with b.block() as ops:
            inner = b.apply(np.log, x)
        target = ir.Var("y", inner.type)
        b.append(ir.With(SPAN, (target,), context, ir.Block(tuple(ops), (inner,))))
        return b.apply(operator.mul, target, ir.Const(2.0))

    function = function_of(build, np.abs(X))
    agree(function, np.abs(X))
    assert calls_of(legal(function)) == [np.log, operator.mul]


# ---------------------------------------------------------------- writes


def accumulation(index, value, base=None):
    """`base[index] += value` on a copy; index arrays and the value are parameters."""
    base = A if base is None else base
    parts = index if isinstance(index, tuple) else (index,)
    arrays = [part for part in parts if isinstance(part, np.ndarray)]

    def build(b, x, v, *given):
        rest = iter(given)
        own = [next(rest) if isinstance(p, np.ndarray) else operand(p) for p in parts]
        fresh = b.apply(np.copy, x)
        path = (ir.Index(ir.Pack(tuple(own)) if isinstance(index, tuple) else own[0]),)
        return b.store(fresh, path, v, "add")

    return function_of(build, base, value, *arrays), (base, value, *arrays)


I1 = np.array([0, 2, 0, 0])
J1 = np.array([1, 3, 1, 0])
I2 = np.array([[0, 2], [0, 1]])
ROWS = np.cos(np.arange(16.0)).reshape(4, 4)


ACCUMULATIONS = [
    (I1, X, X),
    (I1, 1.5, X),
    (I1, ROWS, A),
    (I1, X, A),  # one row for all
    (I1, 1.5, A),
    (I1, ROWS[:1], A),
    (I2, ROWS[:2, :2], X),
    (I2, T[:1, :2].repeat(2, 0), A),
    ((I1, J1), X, A),
    ((I1, 2), X, A),
    ((1, I1), X, A),
    ((slice(None), J1), ROWS[:3], A),
    ((slice(1, None), J1), ROWS[:2], A),
    ((slice(None), I1, J1), np.ones((2, 4)), T),
    ((slice(None), I1), np.ones((2, 4, 4)) * X, T),
    ((I1 // 2, slice(None), J1), np.ones((4, 3)), T),
    ((0, slice(None), J1), np.ones((4, 3)), T),
    ((I1[:, None], J1[None, :3]), ROWS[:, :3], A),
    (A[:, 0] > 0, ROWS[:2], A),
    (A > 0, 1.5, A),
    (A > 0, np.arange(float((A > 0).sum())), A),
    (I1[:1], X[:1], X),
    (I1[:0], X[:0], X),
]


@pytest.mark.parametrize("index, value, base", ACCUMULATIONS)
def test_accumulation_counts_repeats(index, value, base):
    function, args = accumulation(index, value, base)
    agree(function, *args)
    for op in ir.walk(legal(function).body):
        if isinstance(op, ir.Store) and op.mode == "add":
            for step in op.path:
                assert all(
                    type(v.type).__name__ != "Array" for v in ir.leaves(step.index)
                )


def test_masks_of_matrices_are_places():
    def build(b, x, m):
        fresh = b.apply(np.copy, x)
        read = b.load(fresh, (ir.Index(m),))
        doubled = b.apply(operator.mul, read, ir.Const(2.0))
        return b.store(fresh, (ir.Index(m),), doubled)

    function = function_of(build, A, A > 0)
    assert np.nonzero in calls_of(legal(function))
    agree(function, A, A > 0)


def overlapping(viewed):
    def build(b, x):
        fresh = b.apply(np.copy, x)
        tail = ir.Index(ir.Slice(ir.Const(1), ir.Const(None), ir.Const(None)))
        head = ir.Index(ir.Slice(ir.Const(None), ir.Const(-1), ir.Const(None)))
        value = b.load(fresh, (head,))
        if not viewed:
            value = b.apply(operator.mul, value, ir.Const(2.0))
        return b.store(fresh, (tail,), value, "add")

    return function_of(build, X)


def test_an_overlapping_right_hand_side_is_copied():
    function = overlapping(viewed=True)
    assert calls_of(legal(function)) == [np.copy, np.copy]
    agree(function, X)
    assert calls_of(legal(overlapping(viewed=False))) == [np.copy, operator.mul]


def test_a_transpose_of_the_target_is_copied():
    square = A[:, :3]

    def build(b, x):
        fresh = b.apply(np.copy, x)
        return b.store(fresh, (), b.apply(np.transpose, fresh), "add")

    function = function_of(build, square)
    assert calls_of(legal(function)).count(np.copy) == 2
    agree(function, square)


def test_another_array_is_not_copied():
    def build(b, x, y):
        fresh = b.apply(np.copy, x)
        return b.store(fresh, (ir.Index(ALL),), y, "add")

    function = function_of(build, X, X)
    assert calls_of(legal(function)) == [np.copy]


# ---------------------------------------------------------------- through Numba


def compiled_agrees(function, args):
    """Numba compiles the legal function, and gives what the IR means."""
    pytest.importorskip("numba")
    from autograd_compiler.backend.emit import emit, required_objects
    from autograd_compiler.backend.numba import compile_numba

    module = legalise(ir.Module((function,)))
    compiled = compile_numba(
        module, emit(module), function.name, objects=required_objects(module)
    )
    expected, actual = run(function, *copies(args)), compiled(*copies(args))
    assert np.shape(actual) == np.shape(expected)
    np.testing.assert_allclose(actual, expected, rtol=1e-6, atol=1e-12)
    if np.ndim(expected):
        assert actual.dtype == expected.dtype


@pytest.mark.numba
@pytest.mark.slow
@pytest.mark.parametrize("fn, args, kwargs", CALLS, ids=_call_name)
def test_numba_compiles_calls(fn, args, kwargs):
    compiled_agrees(*call_function(fn, args, kwargs))


@pytest.mark.numba
@pytest.mark.slow
@pytest.mark.parametrize("fn", [*REDUCTIONS, np.any, np.all], ids=lambda f: f.__name__)
def test_numba_compiles_reductions(fn):
    for axis, keepdims in ((None, False), (0, False), (-1, True), ((0, 2), True)):
        axes, keep = operand(axis), ir.Const(keepdims)
        function = function_of(
            lambda b, x, a=axes, k=keep: b.apply(fn, x, axis=a, keepdims=k), T
        )
        compiled_agrees(function, (T,))


@pytest.mark.numba
@pytest.mark.slow
@pytest.mark.parametrize("index, value, base", ACCUMULATIONS)
def test_numba_compiles_accumulations(index, value, base):
    compiled_agrees(*accumulation(index, value, base))


@pytest.mark.numba
@pytest.mark.parametrize("viewed", [True, False])
def test_numba_adds_what_was_there_before(viewed):
    compiled_agrees(overlapping(viewed), (X,))


@pytest.mark.parametrize("exponent", [-3.5, -1.5, -0.5, 0.5, 2.5])
def test_powers_of_halves_are_products_of_a_root(exponent):
    def power(builder, x):
        return builder.apply(operator.pow, x, ir.Const(exponent))

    for x in (2.7, X + 2.0):
        function = function_of(power, x)
        agree(function, x)
        assert operator.pow not in calls_of(legal(function))
        assert np.sqrt in calls_of(legal(function))


@pytest.mark.parametrize("exponent", [2.0, 0.3, 4.5, 2])
def test_other_powers_stay(exponent):
    def power(builder, x):
        return builder.apply(operator.pow, x, ir.Const(exponent))

    assert operator.pow in calls_of(legal(function_of(power, 2.7)))


@pytest.mark.numba
def test_numba_takes_powers_of_halves_as_numpy_does():
    x = np.array([0.0, 1e-200, 0.3, 1.7, 4.0, 1e200, np.inf])

    def f(x):
        return np.sum(x**-1.5 * 1e-3 + x**2.5 + x**0.5 + x**-0.5)

    with np.errstate(all="ignore"):
        expected = grad(f)(x)
        found = grad(f, backend="numba")(x)
        np.testing.assert_allclose(found, expected, rtol=1e-14)
        single = grad(f, backend="numba")(x[2:5].astype(np.float32))
    assert single.dtype == np.float32
    np.testing.assert_allclose(single, expected[2:5], rtol=1e-5)
