"""The primal as lowered: well-formed, and it does what the Python function does."""

from __future__ import annotations

import copy
import inspect
from collections.abc import Callable
from typing import Any

import ir_interpreter
import numpy as np
import pytest
from corpus import ALL, Program
from harness import run
from numeric import assert_close, flatten

from autograd_compiler import ir
from autograd_compiler.backend.emit import emit, required_objects
from autograd_compiler.backend.load import load_module
from autograd_compiler.frontend.program import (
    Primal,
    describe,
    fixing_sizes,
    lower_function,
)
from autograd_compiler.pipeline import clean
from autograd_compiler.verify import verify_function

STAGES = {"lowered": lambda function: function, "cleaned": clean}


def lowered(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Primal:
    bound = inspect.signature(function).bind(*args, **kwargs)
    bound.apply_defaults()
    sizes: dict[Any, Any] = {}
    given = {name: describe(item, sizes) for name, item in bound.arguments.items()}
    return fixing_sizes(
        given, lambda given, fixed: lower_function(function, given, True, fixed)
    )


def interpret(
    primal: Primal,
    function: ir.Function,
    original: Callable[..., Any],
    *args: Any,
    **kwargs: Any,
) -> Any:
    """The result of the IR for the given arguments, which it may write."""
    bound = inspect.signature(original).bind(*args, **kwargs)
    bound.apply_defaults()
    captured = [capture.fetch() for capture in primal.captures]
    module = ir.Module((*primal.helpers, function))
    given = (*bound.arguments.values(), *captured)
    return ir_interpreter.run(function, *given, module=module)


def numbers(value: Any) -> np.ndarray:
    """All numbers in a result, complex ones included."""
    return flatten(value)


def each_stage(test: Any) -> Any:
    # What is lowered is what is cleaned up, so that one stage says much of the other.
    stages = [pytest.param("lowered", marks=pytest.mark.slow), "cleaned"]
    return pytest.mark.parametrize("stage", stages)(test)


def each_program(test: Any) -> Any:
    return pytest.mark.parametrize("program", ALL, ids=lambda item: item.name)(test)


@each_program
@each_stage
def test_lowered_program_does_what_the_function_does(
    program: Program, stage: str
) -> None:
    primal = lowered(program.function, *program.args, **program.kwargs)
    function = STAGES[stage](primal.function)
    verify_function(function)
    args = copy.deepcopy(program.args)
    actual = interpret(primal, function, program.function, *args, **program.kwargs)
    expected_args = copy.deepcopy(program.args)
    expected = program.function(*expected_args, **program.kwargs)
    tolerance = 1e-5 if _is_single(program) else 1e-12
    assert_close(numbers(actual), numbers(expected), tolerance)
    np.testing.assert_array_equal(numbers(args), numbers(expected_args))


@each_program
@each_stage
def test_emitted_program_does_what_the_function_does(
    program: Program, stage: str
) -> None:
    primal = lowered(program.function, *program.args, **program.kwargs)
    functions = (*primal.helpers, primal.function)
    module = ir.Module(tuple(map(STAGES[stage], functions)))
    loaded = load_module(
        emit(module), module.entry.name, objects=required_objects(module)
    )
    args = copy.deepcopy(program.args)
    bound = inspect.signature(program.function).bind(*args, **program.kwargs)
    bound.apply_defaults()
    captured = [capture.fetch() for capture in primal.captures]
    actual = getattr(loaded, module.entry.name)(*bound.arguments.values(), *captured)
    tolerance = 1e-5 if _is_single(program) else 1e-12
    assert_close(numbers(actual), numbers(run(program)), tolerance)


def _is_single(program: Program) -> bool:
    return any(
        getattr(item, "dtype", None) in (np.float32, np.complex64)
        for item in program.args
    )
