"""Every program of the corpus that Numba can be expected to compile."""

from __future__ import annotations

import copy

import pytest
from corpus import ALL, Program
from harness import is_scalar, is_single_precision, run
from numeric import assert_close, assert_same_form, flatten

pytest.importorskip("numba")

from autograd_compiler import grad

pytestmark = [pytest.mark.numba, pytest.mark.slow]

PROGRAMS = [program for program in ALL if program.numba and is_scalar(run(program))]


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda item: item.name)
def test_numba_agrees_with_python(program: Program) -> None:
    compiled = grad(program.function, program.argnums, backend="numba")
    value, actual = compiled.value_and_grad(
        *copy.deepcopy(program.args), **program.kwargs
    )
    python = grad(program.function, program.argnums)
    expected = python(*copy.deepcopy(program.args), **program.kwargs)
    tolerance = 2e-3 if is_single_precision(program) else 1e-9
    assert_close(flatten(actual), flatten(expected), tolerance)
    assert_close(float(value), float(run(program)), tolerance)
    assert_same_form(actual, expected)
