"""Malformed IR is found, and the message names the variable and the operation."""

from __future__ import annotations

import operator
from typing import Any

import pytest

from autograd_compiler import ir
from autograd_compiler.errors import AutogradCompilerError
from autograd_compiler.verify import VerifyError, verify_function, verify_module

SPAN = ir.Span("model.py", 3, 0, statement="x[i] = v")
ONE = ir.Const(1)


def add(target: ir.Var, first: ir.Operand, second: ir.Operand = ONE) -> ir.Apply:
    return ir.Apply(SPAN, (target,), operator.add, (first, second))


def store(target: ir.Var, base: ir.Var, value: ir.Operand = ONE) -> ir.Store:
    return ir.Store(SPAN, target, base, (ir.Index(ONE),), value)


def loop(
    targets: Any, params: Any, inits: Any, *ops: ir.Operation, gives: Any
) -> ir.For:
    body = ir.Block(ops, tuple(gives))
    return ir.For(
        SPAN,
        tuple(targets),
        ir.Var("i"),
        ONE,
        ONE,
        ONE,
        tuple(params),
        tuple(inits),
        body,
    )


def function(params: Any, *ops: ir.Operation, gives: Any = ()) -> ir.Function:
    trees = tuple(ir.Param(var.name, var) for var in params)
    return ir.Function("f", trees, ir.Block(ops, tuple(gives)), ir.NOWHERE)


def variables(*names: str) -> list[ir.Var]:
    return [ir.Var(name) for name in names]


def test_the_error_is_one_of_ours() -> None:
    assert issubclass(VerifyError, AutogradCompilerError)


def test_well_formed() -> None:
    x, y, p, q, out = variables("x", "y", "p", "q", "out")
    verify_function(
        function(
            (x,),
            add(y, x),
            loop((out,), (p,), (x,), store(q, p, y), gives=(q,)),
            gives=(ir.Pack((y, out)),),
        )
    )


def test_use_before_definition() -> None:
    x, y = variables("x", "y")
    with pytest.raises(VerifyError, match=r"%y is not defined in Apply at model.py:3"):
        verify_function(function((x,), add(x, y)))


def test_second_definition() -> None:
    x, y = variables("x", "y")
    with pytest.raises(VerifyError, match="%y is defined a second time"):
        verify_function(function((x,), add(y, x), add(y, x)))


def test_a_variable_of_a_branch_ends_with_it() -> None:
    x, y = variables("x", "y")
    branch = ir.If(SPAN, (), x, ir.Block((add(y, x),)), ir.Block(()))
    with pytest.raises(VerifyError, match="%y is out of scope in the results"):
        verify_function(function((x,), branch, gives=(y,)))


def test_a_loop_parameter_ends_with_the_loop() -> None:
    x, p, out = variables("x", "p", "out")
    with pytest.raises(VerifyError, match="%p is out of scope"):
        verify_function(
            function((x,), loop((out,), (p,), (x,), gives=(p,)), gives=(p,))
        )


def test_counts() -> None:
    x, p, out, y = variables("x", "p", "out", "y")
    with pytest.raises(VerifyError, match="gives 0 results where 1 are wanted"):
        verify_function(function((x,), loop((out,), (p,), (x,), gives=())))
    with pytest.raises(VerifyError, match="2 first values"):
        verify_function(function((x,), loop((out,), (p,), (x, x), gives=(p,))))
    branch = ir.If(SPAN, (y,), x, ir.Block((), (x,)), ir.Block(()))
    with pytest.raises(VerifyError, match="gives 0 results where 1"):
        verify_function(function((x,), branch))


def test_undefined_only_as_a_result() -> None:
    x, y = variables("x", "y")
    with pytest.raises(VerifyError, match="undefined"):
        verify_function(function((x,), add(y, ir.UNDEFINED)))
    branch = ir.If(SPAN, (y,), x, ir.Block((), (x,)), ir.Block((), (ir.UNDEFINED,)))
    verify_function(function((x,), branch))


def test_modules() -> None:
    x, y = variables("x", "y")
    call = ir.Call(SPAN, (y,), "g", (x,))
    with pytest.raises(VerifyError, match="calls g, which is not there"):
        verify_module(ir.Module((function((x,), call),)))


# ---------------------------------------------------------------- linearity


def test_use_after_a_write() -> None:
    x, x1, y = variables("x", "x", "y")
    broken = function((x,), store(x1, x), add(y, x), gives=(y,))
    with pytest.raises(VerifyError, match=r"%x is used in Apply .* after Store"):
        verify_function(broken)
    verify_function(broken, linear=False)


def test_two_writes_of_one_version() -> None:
    x, x1, x2 = variables("x", "x", "x")
    with pytest.raises(VerifyError, match="%x is used in Store"):
        verify_function(function((x,), store(x1, x), store(x2, x)))


def test_a_write_in_a_loop_must_be_carried() -> None:
    x, x1 = variables("x", "x")
    with pytest.raises(VerifyError, match="does not carry it"):
        verify_function(function((x,), loop((), (), (), store(x1, x), gives=())))


def test_the_first_value_of_a_written_parameter_is_gone() -> None:
    x, p, p1, out, y = variables("x", "p", "p", "out", "y")
    written = loop((out,), (p,), (x,), store(p1, p), gives=(p1,))
    with pytest.raises(VerifyError, match="%x is used"):
        verify_function(function((x,), written, add(y, x)))


def test_reading_it_in_the_loop_reads_the_next_iteration() -> None:
    x, p, p1, out, y = variables("x", "p", "p", "out", "y")
    written = loop((out,), (p,), (x,), add(y, x), store(p1, p), gives=(p1,))
    with pytest.raises(VerifyError, match="next iteration"):
        verify_function(function((x,), written))


def test_one_buffer_carried_twice() -> None:
    x, p, q, p1, out, other = variables("x", "p", "q", "p", "out", "other")
    written = loop((out, other), (p, q), (x, x), store(p1, p), gives=(p1, q))
    with pytest.raises(VerifyError, match="first value of two variables"):
        verify_function(function((x,), written))


def test_a_write_after_a_loop_and_between_branches() -> None:
    x, p, p1, out, again, c, y, x1, x2 = variables(*"x p p out again c y x x".split())
    verify_function(
        function(
            (x,),
            loop((out,), (p,), (x,), store(p1, p), gives=(p1,)),
            store(again, out),
            gives=(again,),
        )
    )
    then = ir.Block((store(x1, x),), (x1,))
    orelse = ir.Block((add(y, x),), (x,))
    joined = ir.If(SPAN, (x2,), c, then, orelse)
    verify_function(function((x, c), joined, gives=(x2,)))
    with pytest.raises(VerifyError, match="%x is used"):
        verify_function(function((x, c), joined, gives=(x,)))
