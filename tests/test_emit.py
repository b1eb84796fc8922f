"""The emitter on IR built by hand: exact texts, and the values of all of them."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autograd_compiler import ir
from autograd_compiler.backend.emit import emit, required_objects
from autograd_compiler.operands import identity
from autograd_compiler.printer import print_function
from autograd_compiler.types import Array, ListOf, Scalar
from autograd_compiler.verify import verify_function

REAL = Scalar("float64")
WHOLE = Scalar("int64")
TRUTH = Scalar("bool")
VECTOR = Array("float64", (None,))
MATRIX = Array("float64", (None, None))
NONE = ir.Const(None)


def real(name: str = "") -> ir.Var:
    return ir.Var(name, REAL)


def whole(name: str = "") -> ir.Var:
    return ir.Var(name, WHOLE)


def vector(name: str = "") -> ir.Var:
    return ir.Var(name, VECTOR)


def const(value: Any) -> ir.Operand:
    if isinstance(value, (ir.Var, ir.Const, ir.Pack, ir.Slice)):
        return value
    return ir.Const(value)


def apply(target: ir.Var, fn: Any, *args: Any, **kwargs: Any) -> ir.Apply:
    style = kwargs.pop("style", "function")
    named = tuple((key, const(value)) for key, value in kwargs.items())
    return ir.Apply(
        ir.NOWHERE, (target,), fn, tuple(map(const, args)), named, style=style
    )


def at(*indices: Any) -> tuple[ir.Index, ...]:
    return tuple(ir.Index(const(index)) for index in indices)


def load(target: ir.Var, base: ir.Var, *indices: Any) -> ir.Load:
    return ir.Load(ir.NOWHERE, target, base, at(*indices))


def store(
    target: ir.Var, base: ir.Var, path: Any, value: Any, mode: Any = "set"
) -> ir.Store:
    return ir.Store(ir.NOWHERE, target, base, path, const(value), mode)


def block(*ops: ir.Operation, gives: Any = ()) -> ir.Block:
    return ir.Block(ops, tuple(map(const, gives)))


def branch(
    targets: Any, cond: Any, then: ir.Block, orelse: ir.Block, **more: Any
) -> ir.If:
    return ir.If(ir.NOWHERE, tuple(targets), const(cond), then, orelse, **more)


def loop(
    targets: Any,
    index: ir.Var,
    bounds: Any,
    params: Any,
    inits: Any,
    body: ir.Block,
    **more: Any,
) -> ir.For:
    start, stop, step = map(const, bounds)
    return ir.For(
        ir.NOWHERE,
        tuple(targets),
        index,
        start,
        stop,
        step,
        tuple(params),
        tuple(map(const, inits)),
        body,
        **more,
    )


def repeat(
    targets: Any, params: Any, inits: Any, cond: ir.Block, body: ir.Block, **more: Any
) -> ir.While:
    return ir.While(
        ir.NOWHERE,
        tuple(targets),
        tuple(params),
        tuple(map(const, inits)),
        cond,
        body,
        **more,
    )


def function(
    params: Any, *ops: ir.Operation, gives: Any = None, name: str = "f", doc: str = ""
) -> ir.Function:
    trees = tuple(
        param if isinstance(param, ir.Param) else ir.Param(param.name, param)
        for param in params
    )
    results = () if gives is None else (const(gives),)
    return ir.Function(name, trees, ir.Block(ops, results), ir.NOWHERE, doc)


def text_of(*functions: ir.Function) -> str:
    for one in functions:
        verify_function(one)
        assert print_function(one) == print_function(one)
    module = ir.Module(functions)
    text = emit(module)
    assert text == emit(module), "the same module must give the same text"
    return text


def compiled(*functions: ir.Function) -> Callable[..., Any]:
    module = ir.Module(functions)
    namespace: dict[str, Any] = dict(required_objects(module))
    exec(compile(text_of(*functions), "<generated>", "exec"), namespace)
    found = namespace[functions[-1].name]
    assert callable(found)
    return found


def check(one: ir.Function, expected: str) -> Callable[..., Any]:
    assert text_of(one) == expected.lstrip("\n")
    return compiled(one)


# ---------------------------------------------------------------- folding


def test_temporaries_go_back_into_expressions() -> None:
    x, w, b, z = ir.Var("X", MATRIX), vector("w"), vector("b"), vector("z")
    t, u, total = vector(), vector(), real()
    one = function(
        (x, w, b),
        apply(t, operator.matmul, x, w),
        apply(u, operator.add, t, b),
        apply(z, np.tanh, u),
        apply(total, np.sum, z, axis=0),
        gives=total,
    )
    found = check(
        one,
        """
import numpy as np


def f(X, w, b):
    z = np.tanh(X @ w + b)
    return np.sum(z, axis=0)
""",
    )
    assert found(np.eye(2), np.ones(2), np.zeros(2)) == pytest.approx(
        2 * math.tanh(1.0)
    )


def test_parentheses_only_where_precedence_asks() -> None:
    a, b, c = real("a"), real("b"), real("c")
    t = [real() for _ in range(8)]
    one = function(
        (a, b, c),
        apply(t[0], operator.sub, b, c),
        apply(t[1], operator.sub, a, t[0]),
        apply(t[2], operator.neg, a),
        apply(t[3], operator.pow, t[2], 2),
        apply(t[4], operator.pow, a, ir.Const(-1)),
        apply(t[5], operator.mul, t[1], t[3]),
        apply(t[6], operator.truediv, t[5], t[4]),
        apply(t[7], operator.neg, t[6]),
        gives=t[7],
    )
    found = check(
        one,
        """
def f(a, b, c):
    return -((a - (b - c)) * (-a) ** 2 / a**-1)
""",
    )
    assert found(2.0, 5.0, 1.0) == 16.0


def test_a_load_stays_before_the_store_that_changes_it() -> None:
    x, i = vector("x"), whole("i")
    old, x1, total = real(), vector("x"), real()
    one = function(
        (x, i),
        load(old, x, i),
        store(x1, x, at(i), 0.0),
        apply(total, operator.add, old, 1.0),
        gives=ir.Pack((total, x1)),
    )
    found = check(
        one,
        """
def f(x, i):
    t = x[i]
    x[i] = 0.0
    return t + 1.0, x
""",
    )
    assert found([3.0, 4.0], 1)[0] == 5.0


def test_a_view_of_a_stored_array_is_in_the_way_too() -> None:
    x, row, total, x1 = ir.Var("x", MATRIX), vector("row"), real(), ir.Var("x", MATRIX)
    one = function(
        (x,),
        load(row, x, 0),
        apply(total, np.sum, row),
        store(x1, x, at(ir.Pack((const(0), const(0)))), 9.0),
        gives=ir.Pack((total, x1)),
    )
    found = compiled(one)
    assert found(np.ones((2, 2)))[0] == 2.0


def test_two_arguments_may_be_one_array() -> None:
    a, b, b1, t = vector("a"), vector("b"), vector("b"), real()
    one = function(
        (a, b),
        load(t, a, 0),
        store(b1, b, at(0), 5.0),
        gives=ir.Pack((t, b1)),
    )
    x = np.ones(2)
    assert compiled(one)(x, x)[0] == 1.0


def _combined(fn, count: int) -> ir.Function:
    """All arguments, doubled after the first, combined by one operator."""
    names = [vector(f"quite_a_long_name_{n}") for n in range(count)]
    total = names[0]
    ops = []
    for name in names[1:]:
        product, following = vector(), vector()
        ops.append(apply(product, np.add, name, name))
        ops.append(apply(following, fn, total, product))
        total = following
    return function(names, *ops, gives=total)


def test_long_expressions_keep_their_parts() -> None:
    one = _combined(operator.mul, 6)
    text = text_of(one)
    assert "t = " in text
    assert max(map(len, text.splitlines())) <= 110
    assert compiled(one)(*range(1, 7)) == 720 * 32


def test_each_term_of_a_long_sum_has_a_line() -> None:
    one = _combined(operator.add, 5)
    text = text_of(one)
    assert "t = " not in text
    assert "\n        + np.add(quite_a_long_name_4, quite_a_long_name_4)\n" in text
    assert compiled(one)(*range(5)) == 20


def test_draws_keep_their_order() -> None:
    rng, a, b, t = ir.Var("rng"), real(), real(), real()
    one = function(
        (rng,),
        apply(a, ir.Method("uniform"), rng),
        apply(b, ir.Method("normal"), rng),
        apply(t, operator.sub, b, a),
        gives=t,
    )
    found = check(
        one,
        """
def f(rng):
    t = rng.uniform()
    return rng.normal() - t
""",
    )
    other = np.random.default_rng(3)
    first, second = other.uniform(), other.normal()
    assert found(np.random.default_rng(3)) == second - first


# ---------------------------------------------------------------- versions


def test_versions_share_the_name_unless_both_are_needed() -> None:
    x, x1, x2, y = real("x"), real("x"), real("x"), real("y")
    one = function(
        (x,),
        apply(x1, operator.mul, x, 2.0),
        apply(x2, operator.add, x1, 1.0),
        apply(y, operator.mul, x1, x2),
        gives=y,
    )
    found = check(
        one,
        """
def f(x):
    x *= 2.0
    x_1 = x + 1.0
    y = x * x_1
    return y
""",
    )
    assert found(3.0) == 42.0


def test_arrays_are_not_changed_by_augmented_assignment() -> None:
    x, x1 = vector("x"), vector("x")
    one = function((x,), apply(x1, operator.add, x, 1.0), gives=x1)
    found = check(
        one,
        """
def f(x):
    x = x + 1.0
    return x
""",
    )
    argument = np.zeros(2)
    found(argument)
    assert argument.tolist() == [0.0, 0.0]


def test_numbered_names_avoid_those_of_the_user() -> None:
    x, x1, other, y = real("x"), real("x"), real("x_1"), real("y")
    one = function(
        (x,),
        apply(x1, operator.mul, x, 2.0),
        apply(other, operator.add, x, x1),
        apply(y, max, x, x1, other),
        gives=y,
    )
    assert "x_2 = x * 2.0" in text_of(one)
    assert compiled(one)(1.0) == 3.0


def test_names_that_mean_something_else_get_a_number() -> None:
    x, named = real("x"), real("len")
    one = function(
        (x,),
        apply(named, operator.mul, x, 2.0),
        gives=ir.Pack((named, named)),
    )
    assert "len_1 = x * 2.0" in text_of(one)


def test_a_parameter_gives_way_to_a_builtin_that_is_called() -> None:
    hidden, y = vector("len"), whole("y")
    one = function((hidden,), apply(y, len, hidden), gives=y)
    assert "def f(len_1):\n    y = len(len_1)" in text_of(one)


# ---------------------------------------------------------------- branches


def test_branches_assign_the_users_variable() -> None:
    x, y, a, b, c = real("x"), real("y"), real(), real(), ir.Var("", TRUTH)
    one = function(
        (x,),
        apply(c, operator.gt, x, 0.0),
        branch(
            (y,),
            c,
            block(apply(a, operator.mul, x, 2.0), gives=(a,)),
            block(apply(b, operator.neg, x), gives=(b,)),
        ),
        gives=y,
    )
    found = check(
        one,
        """
def f(x):
    if x > 0.0:
        y = x * 2.0
    else:
        y = -x
    return y
""",
    )
    assert (found(2.0), found(-3.0)) == (4.0, 3.0)


def test_a_branch_that_changes_nothing_is_not_written() -> None:
    x, x1, x2, c = real("x"), real("x"), real("x"), ir.Var("", TRUTH)
    one = function(
        (x,),
        apply(c, operator.is_, x, None),
        branch(
            (x2,),
            c,
            block(gives=(x,)),
            block(apply(x1, operator.mul, x, 2.0), gives=(x1,)),
        ),
        gives=x2,
    )
    found = check(
        one,
        """
def f(x):
    if x is not None:
        x *= 2.0
    return x
""",
    )
    assert (found(2.0), found(None)) == (4.0, None)


def test_elif() -> None:
    x, y, z = real("x"), real("y"), real("y")
    c, d = ir.Var("", TRUTH), ir.Var("", TRUTH)
    one = function(
        (x,),
        apply(c, operator.gt, x, 1.0),
        branch(
            (y,),
            c,
            block(gives=(1.0,)),
            block(
                apply(d, operator.lt, x, -1.0),
                branch((z,), d, block(gives=(-1.0,)), block(gives=(x,))),
                gives=(z,),
            ),
        ),
        gives=y,
    )
    found = check(
        one,
        """
def f(x):
    if x > 1.0:
        y = 1.0
    elif x < -1.0:
        y = -1.0
    else:
        y = x
    return y
""",
    )
    assert [found(x) for x in (3.0, -3.0, 0.5)] == [1.0, -1.0, 0.5]


def test_early_return() -> None:
    x, out, t, c = real("x"), real(), real(), ir.Var("", TRUTH)
    y, z = real("y"), real()
    one = function(
        (x,),
        apply(c, operator.lt, x, 0.0),
        branch(
            (out,),
            c,
            block(apply(t, operator.neg, x), gives=(t,)),
            block(apply(y, math.sqrt, x), apply(z, operator.mul, y, 2.0), gives=(z,)),
        ),
        gives=out,
    )
    found = check(
        one,
        """
import math


def f(x):
    if x < 0.0:
        return -x
    y = math.sqrt(x)
    return y * 2.0
""",
    )
    assert (found(-2.0), found(9.0)) == (2.0, 6.0)


def test_conditional_and_short_circuit_expressions() -> None:
    x, y = real("x"), real("y")
    c, d, both = (ir.Var("", TRUTH) for _ in range(3))
    value = real()
    one = function(
        (x, y),
        apply(c, operator.gt, x, 0.0),
        branch(
            (both,),
            c,
            block(apply(d, operator.lt, y, x), gives=(d,)),
            block(gives=(False,)),
        ),
        branch((value,), both, block(gives=(x,)), block(gives=(y,))),
        gives=value,
    )
    found = check(
        one,
        """
def f(x, y):
    return x if x > 0.0 and y < x else y
""",
    )
    assert (found(2.0, 1.0), found(-1.0, -2.0)) == (2.0, -2.0)


def test_undefined_results_assign_nothing() -> None:
    x, c, y, message = real("x"), ir.Var("", TRUTH), real("y"), ir.Var()
    one = function(
        (x,),
        apply(c, operator.lt, x, 0.0),
        branch(
            (y,),
            c,
            block(
                apply(message, ValueError, "negative"),
                ir.Effect(ir.NOWHERE, "raise", (message,)),
                gives=(ir.UNDEFINED,),
            ),
            block(gives=(x,)),
        ),
        gives=y,
    )
    found = check(
        one,
        """
def f(x):
    if x < 0.0:
        raise ValueError("negative")
    else:
        y = x
    return y
""",
    )
    assert found(1.0) == 1.0


# ---------------------------------------------------------------- loops


def test_sum_over_a_loop() -> None:
    x, n, s, s1, s2 = vector("x"), whole(), real("s"), real("s"), real("s")
    i, t = ir.Var("i"), real()
    shape = ir.Var()
    body = block(load(t, x, i), apply(s1, operator.add, s, t), gives=(s1,))
    one = function(
        (x,),
        apply(shape, getattr, x, "shape"),
        load(n, shape, 0),
        loop((s2,), i, (0, n, 1), (s,), (0.0,), body),
        gives=s2,
    )
    found = check(
        one,
        """
def f(x):
    s = 0.0
    for i in range(x.shape[0]):
        s += x[i]
    return s
""",
    )
    assert found(np.arange(4.0)) == 6.0
    assert found(np.zeros(0)) == 0.0


def fibonacci(second: ir.Var) -> ir.Function:
    n, i = whole("n"), whole("i")
    a, b, a2, b2 = whole("a"), whole("b"), whole("a"), whole("b")
    body = block(apply(second, operator.add, a, b), gives=(b, second))
    return function(
        (n,),
        loop((a2, b2), i, (0, n, 1), (a, b), (0, 1), body),
        gives=a2,
    )


@pytest.mark.parametrize("name", ["", "b"])
def test_values_that_change_at_once(name: str) -> None:
    found = check(
        fibonacci(whole(name)),
        """
def f(n):
    a = 0
    b = 1
    for _ in range(n):
        a, b = b, a + b
    return a
""",
    )
    assert [found(n) for n in range(7)] == [0, 1, 1, 2, 3, 5, 8]


def test_a_swap_in_a_loop() -> None:
    x, y, n, i = real("x"), real("y"), whole("n"), whole("i")
    a, b, a2, b2 = (real(name) for name in "abab")
    one = function(
        (x, y, n),
        loop((a2, b2), i, (0, n, 1), (a, b), (x, y), block(gives=(b, a))),
        gives=ir.Pack((a2, b2)),
    )
    found = check(
        one,
        """
def f(x, y, n):
    a = x
    b = y
    for _ in range(n):
        a, b = b, a
    return a, b
""",
    )
    assert [found(1, 2, n) for n in range(3)] == [(1, 2), (2, 1), (1, 2)]


def test_a_first_value_that_is_needed_later_keeps_its_name() -> None:
    x, n, i, y, y1, y2 = real("x"), whole("n"), whole("i"), *map(real, ("x",) * 3)
    out = real()
    body = block(apply(y1, operator.mul, y, 2.0), gives=(y1,))
    one = function(
        (x, n),
        loop((y2,), i, (0, n, 1), (y,), (x,), body),
        apply(out, operator.sub, y2, x),
        gives=out,
    )
    found = check(
        one,
        """
def f(x, n):
    x_1 = x
    for _ in range(n):
        x_1 *= 2.0
    return x_1 - x
""",
    )
    assert found(1.0, 3) == 7.0


def test_reversed_loop() -> None:
    x, i = vector("x"), whole("i")
    s, s1, s2, t, u = (real(name) for name in ("s", "s", "s", "", ""))
    body = block(
        load(t, x, i),
        apply(u, operator.mul, s, 0.5),
        apply(s1, operator.add, u, t),
        gives=(s1,),
    )
    one = function(
        (x,), loop((s2,), i, (1, 4, 2), (s,), (0.0,), body, reverse=True), gives=s2
    )
    found = check(
        one,
        """
def f(x):
    s = 0.0
    for i in reversed(range(1, 4, 2)):
        s = s * 0.5 + x[i]
    return s
""",
    )
    assert found([1.0, 2.0, 3.0, 4.0]) == 4.0


def test_break_from_a_last_branch() -> None:
    x, n, i = real("x"), whole("n"), whole("i")
    y, y1, y2, after, done, c = (*map(real, "yyyy"), ir.Var("done"), ir.Var("", TRUTH))
    body = block(
        apply(c, operator.gt, y, 10.0),
        branch(
            (done, after),
            c,
            block(gives=(True, y)),
            block(apply(y1, operator.mul, y, 2.0), gives=(False, y1)),
        ),
        gives=(done, after),
    )
    one = function(
        (x, n),
        loop((y2,), i, (0, n, 1), (y,), (x,), body, breaks=True),
        gives=y2,
    )
    found = check(
        one,
        """
def f(x, n):
    y = x
    for _ in range(n):
        if y > 10.0:
            break
        y *= 2.0
    return y
""",
    )
    assert (found(3.0, 9), found(3.0, 1), found(30.0, 5)) == (12.0, 6.0, 30.0)


def test_break_by_a_flag_reads_the_value_before_the_copies() -> None:
    x, n, i = real("x"), whole("n"), whole("i")
    y, y1, y2, done = real("y"), real("y"), real("y"), ir.Var("", TRUTH)
    body = block(
        apply(y1, operator.mul, y, 2.0),
        apply(done, operator.gt, y, 3.0),  # the old y
        gives=(done, y1),
    )
    one = function(
        (x, n),
        loop((y2,), i, (0, n, 1), (y,), (x,), body, breaks=True),
        gives=y2,
    )
    found = compiled(one)
    assert (found(1.0, 9), found(1.0, 1)) == (8.0, 2.0)


def test_while_with_an_expression_for_its_condition() -> None:
    x, y, y1, y2, c = *map(real, "xyyy"), ir.Var("", TRUTH)
    one = function(
        (x,),
        repeat(
            (y2,),
            (y,),
            (x,),
            block(apply(c, operator.lt, y, 10.0), gives=(c,)),
            block(apply(y1, operator.mul, y, 2.0), gives=(y1,)),
        ),
        gives=y2,
    )
    found = check(
        one,
        """
def f(x):
    y = x
    while y < 10.0:
        y *= 2.0
    return y
""",
    )
    assert found(3.0) == 12.0


def test_while_with_statements_in_its_condition() -> None:
    x, y, y1, y2, z, c = *map(real, "xyyyz"), ir.Var("", TRUTH)
    one = function(
        (x,),
        repeat(
            (y2,),
            (y,),
            (x,),
            block(
                apply(z, operator.mul, y, y),
                apply(c, operator.lt, z, 10.0),
                gives=(c,),
            ),
            block(apply(y1, operator.mul, y, 2.0), gives=(y1,)),
        ),
        gives=y2,
    )
    found = check(
        one,
        """
def f(x):
    y = x
    z = y * y
    while z < 10.0:
        y *= 2.0
        z = y * y
    return y
""",
    )
    assert found(1.0) == 4.0


def test_an_endless_loop_with_a_break_gets_a_condition() -> None:
    x, y, y1, y2, done = *map(real, "xyyy"), ir.Var("", TRUTH)
    one = function(
        (x,),
        repeat(
            (y2,),
            (y,),
            (x,),
            block(gives=(True,)),
            block(
                apply(y1, operator.mul, y, 2.0),
                apply(done, operator.gt, y1, 10.0),
                gives=(done, y1),
            ),
            breaks=True,
        ),
        gives=y2,
    )
    text = text_of(one)
    assert "while True" not in text
    assert "while not done:" in text
    assert (compiled(one)(3.0), compiled(one)(30.0)) == (12.0, 60.0)


# ---------------------------------------------------------------- writes


def test_stores_in_a_loop_are_one_array() -> None:
    n, i, u, u1, u2 = whole("n"), whole("i"), *map(vector, "uuu")
    made, t, v = vector(), real(), real()
    one = function(
        (n,),
        apply(made, np.zeros, n),
        loop(
            (u2,),
            i,
            (1, n, 1),
            (u,),
            (made,),
            block(
                apply(t, operator.sub, i, 1),
                load(v, u, t),
                store(u1, u, at(i), v),
                gives=(u1,),
            ),
        ),
        gives=u2,
    )
    found = check(
        one,
        """
import numpy as np


def f(n):
    u = np.zeros(n)
    for i in range(1, n):
        u[i] = u[i - 1]
    return u
""",
    )
    assert found(3).tolist() == [0.0, 0.0, 0.0]


def stored(base: ir.Var, path: Any, value: Any = 1.0, mode: Any = "add") -> str:
    target = ir.Var(base.name, base.type)
    extra = [var for step in path for var in _vars(step)]
    one = function((base, *extra), store(target, base, path, value, mode), gives=target)
    return text_of(one).splitlines()[-2].strip()


def _vars(step: Any) -> list[ir.Var]:
    return list(ir.leaves(step.index)) if isinstance(step, ir.Index) else []


def test_spelling_of_writes() -> None:
    x, rows, mask = vector("x"), ir.Var("k", Array("int64", (None,))), ir.Var("m")
    mask.type = Array("bool", (None,))
    inner = ir.Slice(const(1), const(-1), NONE)
    assert stored(x, at(inner)) == "x[1:-1] += 1.0"
    assert stored(x, at(whole("i"))) == "x[i] += 1.0"
    assert stored(x, at(rows)) == "np.add.at(x, k, 1.0)"
    assert stored(x, at(ir.Var("j"))) == "np.add.at(x, j, 1.0)"
    assert stored(x, at(mask)) == "x[m] += 1.0"
    assert stored(x, at(ir.Pack((inner, rows)))) == (
        "np.add.at(x, (slice(1, -1, None), k), 1.0)"
    )
    assert stored(x, ()) == "x += 1.0"
    assert stored(x, (), mode="set") == "x[...] = 1.0"
    assert stored(ir.Var("xs", ListOf(VECTOR)), at(0)) == "xs[0] = xs[0] + 1.0"
    assert stored(ir.Var("xs", ListOf(VECTOR)), at(0, 1)) == "xs[0][1] += 1.0"
    transposed = (ir.View(np.transpose), *at(0))
    assert stored(ir.Var("a", MATRIX), transposed) == "a.T[0] += 1.0"
    swapped = (ir.View(np.swapaxes, (const(0), const(1))), *at(0))
    assert stored(ir.Var("a", MATRIX), swapped) == "np.swapaxes(a, 0, 1)[0] += 1.0"


def test_tapes() -> None:
    x, n, i, j = real("x"), whole("n"), whole("i"), whole("i")
    tape, tape1, tape2, tape3, tape4, tape5 = (
        ir.Var("tape", ListOf(REAL)) for _ in range(6)
    )
    y, y1, y2, popped, s, s1, s2 = *map(real, "yyy"), real(), *map(real, "sss")
    forward = block(
        ir.Append(ir.NOWHERE, tape1, tape, y),
        apply(y1, operator.mul, y, 2.0),
        gives=(tape1, y1),
    )
    backward = block(
        ir.Pop(ir.NOWHERE, tape4, popped, tape3),
        apply(s1, operator.add, s, popped),
        gives=(tape4, s1),
    )
    one = function(
        (x, n),
        loop((tape2, y2), i, (0, n, 1), (tape, y), (ir.Pack((), ir.LIST), x), forward),
        loop(
            (tape5, s2), j, (0, n, 1), (tape3, s), (tape2, 0.0), backward, reverse=True
        ),
        gives=ir.Pack((y2, s2)),
    )
    found = check(
        one,
        """
def f(x, n):
    tape = []
    y = x
    for _ in range(n):
        tape.append(y)
        y *= 2.0
    s = 0.0
    for _ in reversed(range(n)):
        t = tape.pop()
        s += t
    return y, s
""",
    )
    assert found(1.0, 3) == (8.0, 7.0)


# ---------------------------------------------------------------- packs, calls, effects


class Point(NamedTuple):
    x: float
    y: float


@dataclass
class Layer:
    weight: float


def test_parts_of_parameters_are_written_as_paths() -> None:
    w, v, z, point = vector("W1"), vector("v"), real("z"), real("px")
    w1, t, u = vector("W1"), real(), real()
    tree = ir.Pack((w, ir.Pack((v, z))), ir.Form("dict", ("W1", "rest")))
    record = ir.Pack((point,), ir.Form("record", ("weight",), Layer))
    one = function(
        (ir.Param("params", tree), ir.Param("layer", record)),
        store(w1, w, at(0), z),
        load(t, v, 1),
        apply(u, operator.add, t, point),
        gives=ir.Pack((w1, u), ir.Form("dict", ("W1", "u"))),
    )
    found = check(
        one,
        """
def f(params, layer):
    params["W1"][0] = params["rest"][1]
    return {"W1": params["W1"], "u": params["rest"][0][1] + layer.weight}
""",
    )
    result = found({"W1": [1.0, 2.0], "rest": ([3.0, 4.0], 5.0)}, Layer(1.0))
    assert result == {"W1": [5.0, 2.0], "u": 5.0}


def test_records_are_asked_for() -> None:
    x = real("x")
    form = ir.Form("record", ("x", "y"), Point)
    one = function((x,), gives=ir.Pack((x, const(1.0)), form))
    assert text_of(one) == "def f(x):\n    return Point(x=x, y=1.0)\n"
    assert required_objects(ir.Module((one,))) == {"Point": Point}
    assert compiled(one)(2.0) == Point(2.0, 1.0)


def test_calls_of_the_module() -> None:
    x, a, b, y, square = real("x"), real("a"), real("b"), real("y"), real()
    inner = function(
        (x,),
        apply(square, operator.mul, x, x),
        gives=ir.Pack((square, x)),
        name="square",
    )
    one = function(
        (y,),
        ir.Call(ir.NOWHERE, (a, b), "square", (y,)),
        gives=a,
        doc="The square of y.",
    )
    assert compiled(inner, one)(3.0) == 9.0
    text = text_of(inner, one)
    assert "a, _ = square(y)" in text
    assert '"""The square of y."""' in text


def test_effects_and_contexts() -> None:
    x, c, y, context = real("x"), ir.Var("", TRUTH), real("y"), ir.Var()
    y1 = real("y")
    one = function(
        (x,),
        apply(c, operator.ge, x, 0.0),
        ir.Effect(ir.NOWHERE, "assert", (c, const("x must not be negative"))),
        ir.Effect(ir.NOWHERE, "call", (const("x is"), x), print),
        apply(context, np.errstate, all="ignore"),
        ir.With(
            ir.NOWHERE,
            (y,),
            context,
            block(apply(y1, np.log, x), gives=(y1,)),
        ),
        gives=y,
    )
    found = check(
        one,
        """
import numpy as np


def f(x):
    assert x >= 0.0, "x must not be negative"
    print("x is", x)
    with np.errstate(all="ignore"):
        y = np.log(x)
    return y
""",
    )
    assert found(0.0) == -np.inf


def test_empty_functions() -> None:
    assert text_of(function(())) == "def f():\n    pass\n"
    assert text_of(function((), gives=None)) == "def f():\n    pass\n"
    assert text_of(function((), gives=NONE)) == "def f():\n    return None\n"


def helper_inner(x: Any) -> Any:
    return np.sum(x)


def helper(x: Any) -> Any:
    return helper_inner(x) + 1.0


def test_runtime_helpers_come_along(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(helper, "__module__", "autograd_compiler.runtime")
    monkeypatch.setattr(helper_inner, "__module__", "autograd_compiler.runtime")
    x, named, y = vector("x"), real("helper"), real("y")
    one = function(
        (x,), apply(named, helper, x), apply(y, operator.mul, named, named), gives=y
    )
    text = text_of(one)
    assert text.index("def helper_inner") < text.index("def helper(")
    assert "helper_1 = helper(x)" in text
    assert text.startswith("import numpy as np\n")
    assert compiled(one)(np.ones(2)) == 9.0


# ---------------------------------------------------------------- comments


def test_adjoints_stand_under_what_they_reverse() -> None:
    def spanned(op: ir.Operation, statement: str) -> ir.Operation:
        span = ir.Span("f.py", 1, 0, statement=statement)
        return replace(op, span=span, adjoint=True)

    x, w, z, d_z, d_w, t = map(vector, ("x", "w", "z", "d_z", "d_w", ""))
    one = function(
        (x, w),
        apply(z, operator.mul, x, w),
        spanned(apply(d_z, np.cos, z), "return np.sum(np.sin(z))"),
        spanned(apply(t, operator.mul, d_z, 2.0), "z = x * w"),
        spanned(apply(d_w, operator.mul, t, x), "z = x * w"),
        gives=d_w,
    )
    check(
        one,
        """
import numpy as np


def f(x, w):
    z = x * w

    # return np.sum(np.sin(z))
    d_z = np.cos(z)
    # z = x * w
    d_w = d_z * 2.0 * x
    return d_w
""",
    )


# ---------------------------------------------------------------- constants


@pytest.mark.parametrize(
    "value",
    [
        *(0, -3, True, None, "it's", b"x", 1.5, -0.0, 1e300, math.pi, 2j, 1 - 2j),
        *(complex(-0.0, -2.0), complex(1, -0.0), complex(math.inf, 1), math.inf),
        *((1, 2.0), (), (3,), [1, [2]], {"a": 1}, slice(1, None), range(3), ...),
        *(np.float32, np.dtype("float32"), float, len, np.linalg.solve, np.add.at),
        *(np.float64(1.5), np.int32(3), np.bool_(True), np.float32(np.inf)),
    ],
    ids=lambda value: getattr(value, "__name__", repr(value)),
)
def test_constants_are_read_back(value: Any) -> None:
    found = compiled(function((), gives=const(value)))()
    assert repr(found) == repr(value)
    assert type(found) is type(value)


def test_constants_that_equality_does_not_tell() -> None:
    assert math.isnan(compiled(function((), gives=const(math.nan)))())
    array = np.array([[1.0, np.inf]], dtype=np.float32)
    found = compiled(function((), gives=const(array)))()
    assert found.dtype == array.dtype
    np.testing.assert_array_equal(found, array)
    marker = object()
    assert compiled(function((), gives=const(marker)))() is marker


def test_subscripts() -> None:
    x, i, t = ir.Var("x"), whole("i"), ir.Var()
    whole_axis = ir.Slice(NONE, NONE, NONE)
    index = ir.Pack((i, whole_axis, NONE, const(...), ir.Slice(NONE, NONE, const(-2))))
    one = function((x, i), load(t, x, index), gives=t)
    assert "return x[i, :, None, ..., ::-2]" in text_of(one)
    one = function((x, i), load(t, x, const((0, slice(1, 3))), ir.Pack((i,))), gives=t)
    assert "return x[0, 1:3][i,]" in text_of(one)


# ---------------------------------------------------------------- generated programs


def interpret(one: ir.Function, args: tuple[Any, ...]) -> Any:
    """What a function means: every write makes a new array or list."""
    values: dict[ir.Var, Any] = {}
    for param, arg in zip(one.params, args, strict=True):
        assert isinstance(param.tree, ir.Var)
        values[param.tree] = arg

    def read(operand: Any) -> Any:
        match operand:
            case ir.Var():
                return values[operand]
            case ir.Const(value):
                return value
            case ir.Pack(items):
                return tuple(map(read, items))
        raise AssertionError(operand)

    def run(block: ir.Block) -> list[Any]:
        for op in block.ops:
            step(op)
        return [read(r) if r is not ir.UNDEFINED else None for r in block.results]

    def give(targets: Any, results: Any) -> None:
        values.update(zip(targets, results, strict=True))

    def step(op: ir.Operation) -> None:
        match op:
            case ir.Apply(targets=(target,), fn=fn, args=args):
                values[target] = fn(*map(read, args))
            case ir.Load(target=target, base=base, path=(ir.Index(index),)):
                values[target] = read(base)[read(index)]
            case ir.Store(target=target, base=base, path=(ir.Index(index),)):
                array = read(base).copy()
                value = read(op.value)
                array[read(index)] = (
                    value if op.mode == "set" else array[read(index)] + value
                )
                values[target] = array
            case ir.Append(target=target, base=base, value=value):
                values[target] = [*read(base), read(value)]
            case ir.If(targets=targets, cond=cond, then=then, orelse=orelse):
                give(targets, run(then if read(cond) else orelse))
            case ir.For():
                numbers = range(read(op.start), read(op.stop), read(op.step))
                give(op.params, map(read, op.inits))
                for number in reversed(numbers) if op.reverse else numbers:
                    values[op.index] = number
                    if iterate(op):
                        break
                give(op.targets, map(read, op.params))
            case ir.While():
                give(op.params, map(read, op.inits))
                while run(op.cond)[0]:
                    if iterate(op):
                        break
                give(op.targets, map(read, op.params))
            case _:
                raise AssertionError(op)

    def iterate(op: ir.For | ir.While) -> bool:
        results = run(op.body)
        leave = bool(results.pop(0)) if op.breaks else False
        give(op.params, results)
        return leave

    return run(one.body)[0]


WRAP = 10007


class Programs:
    """Draws programs over whole numbers, an array and a list."""

    def __init__(self, data: Any) -> None:
        self.data = data
        self.left = 14

    def choose(self, options: Any) -> Any:
        return self.data.draw(st.sampled_from(list(options)))

    def name(self) -> str:
        return self.choose(("", "", "a", "b", "c"))

    def operand(self, scope: list[ir.Var]) -> ir.Operand:
        numbers = [var for var in scope if var.type == WHOLE]
        return self.choose([*numbers, ir.Const(1), ir.Const(7)])

    def arithmetic(self, ops: list[ir.Operation], scope: list[ir.Var]) -> ir.Var:
        fn = self.choose((operator.add, operator.sub, operator.mul))
        value, target = whole(), whole(self.name())
        ops.append(apply(value, fn, self.operand(scope), self.operand(scope)))
        ops.append(apply(target, operator.mod, value, WRAP))
        return target

    def condition(self, ops: list[ir.Operation], scope: list[ir.Var]) -> ir.Var:
        target = ir.Var(self.choose(("", "flag")), TRUTH)
        left, right = self.operand(scope), self.operand(scope)
        ops.append(apply(target, operator.lt, left, right))
        return target

    def block(
        self, scope: list[ir.Var], array: ir.Var, depth: int
    ) -> tuple[list[ir.Operation], list[ir.Var], ir.Var]:
        ops: list[ir.Operation] = []
        scope = list(scope)
        for _ in range(self.data.draw(st.integers(0, 4))):
            if self.left <= 0:
                break
            self.left -= 1
            kinds = ["arithmetic", "arithmetic", "load", "store"]
            if depth < 3:
                kinds += ["if", "for", "while"]
            match self.choose(kinds):
                case "arithmetic":
                    scope.append(self.arithmetic(ops, scope))
                case "load":
                    target = whole(self.name())
                    ops.append(load(target, array, self.position(ops, scope)))
                    scope.append(target)
                case "store":
                    following = ir.Var(
                        self.choose(("u", "v", "")), Array("int64", (None,))
                    )
                    ops.append(
                        store(
                            following,
                            array,
                            at(self.position(ops, scope)),
                            self.operand(scope),
                            self.choose(("set", "add")),
                        )
                    )
                    array = following
                case "if":
                    scope, array = self.branch(ops, scope, array, depth)
                case kind:
                    scope, array = self.loop(ops, scope, array, depth, kind)
        return ops, scope, array

    def position(self, ops: list[ir.Operation], scope: list[ir.Var]) -> ir.Operand:
        target = whole()
        ops.append(apply(target, operator.mod, self.operand(scope), 3))
        return target

    def slots(self, scope: list[ir.Var], count: int) -> list[ir.Operand]:
        return [self.operand(scope) for _ in range(count)]

    def branch(
        self, ops: list[ir.Operation], scope: list[ir.Var], array: ir.Var, depth: int
    ) -> tuple[list[ir.Var], ir.Var]:
        count = self.data.draw(st.integers(0, 2))
        cond = self.condition(ops, scope)
        blocks = []
        for _ in range(2):
            inner, found, last = self.block(scope, array, depth + 1)
            blocks.append(block(*inner, gives=(*self.slots(found, count), last)))
        targets = [whole(self.name()) for _ in range(count)]
        after = ir.Var(array.name, array.type)
        ops.append(branch((*targets, after), cond, *blocks))
        return [*scope, *targets], after

    def loop(
        self,
        ops: list[ir.Operation],
        scope: list[ir.Var],
        array: ir.Var,
        depth: int,
        kind: str,
    ) -> tuple[list[ir.Var], ir.Var]:
        names = [self.name() for _ in range(self.data.draw(st.integers(1, 3)))]
        params, targets = [list(map(whole, names)) for _ in range(2)]
        inits = self.slots(scope, len(names))
        inner_array, after = (ir.Var(array.name, array.type) for _ in range(2))
        breaks = self.data.draw(st.booleans())
        counter = whole(self.choose(("i", "i", "a")))
        if kind == "while":
            params.append(whole("k"))
            targets.append(whole("k"))
            inits.append(ir.Const(0))
            inside = [*scope, *params]
        else:
            inside = [*scope, *params, counter]
        inner, found, last = self.block(inside, inner_array, depth + 1)
        results = self.slots(found, len(names))
        if kind == "while":
            advanced = whole(self.choose(("", "k")))
            inner.append(apply(advanced, operator.add, params[-1], 1))
            results.append(advanced)
        results.append(last)
        flags: tuple[ir.Operand, ...] = ()
        if breaks:
            flags = (self.flag(inner, found, results),)
        body = block(*inner, gives=(*flags, *results))
        carried = (*params, inner_array)
        given, first = (*targets, after), (*inits, array)
        if kind == "for":
            bounds = (0, self.data.draw(st.integers(0, 3)), 1)
            ops.append(
                loop(
                    given,
                    counter,
                    bounds,
                    carried,
                    first,
                    body,
                    breaks=breaks,
                    reverse=self.data.draw(st.booleans()),
                )
            )
        else:
            going = ir.Var(self.choose(("", "going")), TRUTH)
            cond = block(apply(going, operator.lt, params[-1], 3), gives=(going,))
            ops.append(repeat(given, carried, first, cond, body, breaks=breaks))
        return [*scope, *targets], after

    def flag(
        self, ops: list[ir.Operation], scope: list[ir.Var], results: list[ir.Operand]
    ) -> ir.Operand:
        """A plain condition, or a branch that sets the flag and the results."""
        cond = self.condition(ops, scope)
        if self.data.draw(st.booleans()):
            return cond
        flag = ir.Var("done", TRUTH)
        other, value = whole("b"), whole("b")
        then = block(gives=(True, results[0]))
        orelse = block(
            apply(value, operator.add, results[0], 1),
            apply(other, operator.mod, value, WRAP),
            gives=(False, other),
        )
        if self.data.draw(st.booleans()):
            then, orelse = orelse, then
        after = whole("b")
        ops.append(branch((flag, after), cond, then, orelse))
        results[0] = after
        return flag


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_generated_programs_keep_their_meaning(data: Any) -> None:
    a, b = whole("a"), whole("b")
    u = ir.Var("u", Array("int64", (None,)))
    programs = Programs(data)
    ops, scope, array = programs.block([a, b], u, 0)
    results = ir.Pack((*programs.slots(scope, 3), array))
    one = function((a, b, u), *ops, gives=results)
    verify_function(one)
    expected = interpret(one, (3, 5, np.array([2, 4, 6])))
    text = emit(ir.Module((one,)))
    namespace: dict[str, Any] = {}
    exec(text, namespace)
    found = namespace["f"](3, 5, np.array([2, 4, 6]))
    assert found[:-1] == expected[:-1], f"{print_function(one)}\n{text}"
    assert found[-1].tolist() == expected[-1].tolist(), f"{print_function(one)}\n{text}"


# ---------------------------------------------------------------- derivative code


def adjoint(op: Any, statement: str = "") -> Any:
    return replace(op, adjoint=True, span=replace(ir.NOWHERE, statement=statement))


def test_negative_contribution_is_subtracted() -> None:
    x, d_x, new, minus = (vector(name) for name in ("x", "d_x", "d_x", ""))
    check(
        function(
            (x, d_x),
            apply(minus, operator.neg, x),
            store(new, d_x, at(ir.Slice(const(1), NONE, NONE)), minus, "add"),
            gives=new,
        ),
        """
def f(x, d_x):
    d_x[1:] -= x
    return d_x
""",
    )


def test_update_of_an_element_is_written_in_place() -> None:
    a, new, element, product = vector("a"), vector("a"), real(), real()
    s, i = real("s"), whole("i")
    check(
        function(
            (a, s, i),
            load(element, a, i),
            apply(product, operator.mul, element, s),
            store(new, a, at(i), product),
            gives=new,
        ),
        """
def f(a, s, i):
    a[i] *= s
    return a
""",
    )


def test_update_that_changes_the_dtype_is_written_out() -> None:
    numbers = Array("int64", (None,))
    a, new = ir.Var("a", numbers), ir.Var("a", numbers)
    element, product, s, i = whole(), real(), real("s"), whole("i")
    text = text_of(
        function(
            (a, s, i),
            load(element, a, i),
            apply(product, operator.mul, element, s),
            store(new, a, at(i), product),
            gives=new,
        )
    )
    assert "a[i] = a[i] * s" in text


def test_short_reads_are_written_as_often_as_they_are_used() -> None:
    u, view, twice, total = vector("u"), vector(), vector(), vector()
    check(
        function(
            (u,),
            load(view, u, ir.Slice(const(1), const(-1), NONE)),
            apply(twice, operator.mul, 2.0, view),
            apply(total, operator.add, view, twice),
            gives=total,
        ),
        """
def f(u):
    return u[1:-1] + 2.0 * u[1:-1]
""",
    )


def test_short_read_before_a_write_keeps_its_variable() -> None:
    u, new, element, total = vector("u"), vector("u"), real(), real()
    check(
        function(
            (u,),
            load(element, u, 0),
            apply(first := real(), operator.mul, element, 2.0),
            store(new, u, at(0), first),
            apply(total, operator.add, element, 1.0),
            gives=(ir.Pack((total, new))),
        ),
        """
def f(u):
    t = u[0]
    u[0] = t * 2.0
    return (t + 1.0, u)
""".replace("(t + 1.0, u)", "t + 1.0, u"),
    )


def test_temporaries_are_called_after_their_function() -> None:
    z, e, s, product = vector("z"), vector(), vector(), vector()
    check(
        function(
            (z,),
            apply(e, np.exp, z),
            apply(s, operator.add, e, 1.0),
            apply(product, operator.mul, s, s),
            apply(last := vector(), operator.mul, product, e),
            gives=last,
        ),
        """
def f(z):
    exp_z = np.exp(z)
    t = exp_z + 1.0
    return t * t * exp_z
""".replace("\ndef", "\nimport numpy as np\n\n\ndef", 1),
    )


def test_temporary_does_not_take_a_name_of_the_user() -> None:
    x, t, total = real("x"), real(), real()
    user = real("t")
    text = text_of(
        function(
            (x,),
            apply(t, operator.mul, x, x),
            apply(user, operator.add, t, t),
            apply(total, operator.add, user, t),
            gives=total,
        )
    )
    assert "temp = x * x" in text and "    t = temp + temp" in text


def test_comment_that_repeats_the_next_line_is_left_out() -> None:
    x, d = real("x"), real("d_x")
    cond = ir.Var("", TRUTH)
    text = text_of(
        function(
            (x,),
            apply(cond, operator.gt, x, 0.0),
            adjoint(
                branch((d,), cond, block(gives=(1.0,)), block(gives=(2.0,))),
                "if x > 0.0:",
            ),
            gives=d,
        )
    )
    assert "#" not in text


def test_tape_is_made_just_before_it_is_used() -> None:
    x, y, tape, longer = real("x"), real("y"), ir.Var("x_tape"), ir.Var("x_tape")
    tape.type = longer.type = ListOf(REAL)
    made = apply(tape, identity, ir.Pack((), ir.LIST))
    text = text_of(
        function(
            (x,),
            made,
            apply(y, np.sin, x),
            ir.Append(ir.NOWHERE, longer, tape, x),
            gives=ir.Pack((y, longer)),
        )
    )
    assert text.index("y = np.sin(x)") < text.index("x_tape = []")


def test_adjoint_popped_from_a_list_is_used_where_it_is_popped() -> None:
    x, total, d_x = real("x"), real("d_x"), real("d_x")
    items, rest = (ir.Var("d_xs", ListOf(REAL)) for _ in range(2))
    pop = adjoint(ir.Pop(ir.NOWHERE, rest, d_x, items))
    check(
        function(
            (x, items),
            pop,
            adjoint(apply(total, operator.add, x, d_x)),
            gives=ir.Pack((total, rest)),
        ),
        """
def f(x, d_xs):
    d_x = x + d_xs.pop()
    return d_x, d_xs
""",
    )
