"""A program of the corpus as a function of its differentiated arguments alone."""

from __future__ import annotations

import copy
import functools
import inspect
import linecache
from collections.abc import Callable
from typing import Any

import numpy as np
from corpus import Program
from numeric import flatten, leaves


def positions(program: Program) -> tuple[int, ...]:
    """The positions of the differentiated arguments, in the order of `argnums`."""
    argnums = program.argnums
    chosen = argnums if isinstance(argnums, tuple) else (argnums,)
    names = list(inspect.signature(program.function).parameters)
    return tuple(
        names.index(item) if isinstance(item, str) else item % len(program.args)
        for item in chosen
    )


def primals(program: Program) -> tuple[Any, ...]:
    """Fresh copies of the differentiated arguments."""
    return tuple(copy.deepcopy(program.args[i]) for i in positions(program))


@functools.lru_cache(maxsize=None)
def select(program: Program) -> Callable[..., Any]:
    """The program as a function of its differentiated arguments.

    The rest are captured; the function has source text, as if written by hand.
    """
    chosen = positions(program)
    if chosen == tuple(range(len(program.args))) and not program.kwargs:
        return program.function
    scope: dict[str, Any] = {"function": program.function}
    arguments = []
    written = mutates(program)
    for i, value in enumerate(program.args):
        given = f"given_{i}"
        if written and isinstance(value, np.ndarray):
            given += ".copy()"  # what is captured cannot be written
        arguments.append(f"x{i}" if i in chosen else given)
        if i not in chosen:
            scope[f"given_{i}"] = copy.deepcopy(value)
    for name, value in program.kwargs.items():
        arguments.append(f"{name}=given_{name}")
        scope[f"given_{name}"] = value
    parameters = ", ".join(f"x{i}" for i in chosen)
    text = f"def selected({parameters}):\n    return function({', '.join(arguments)})\n"
    return define(text, f"<selected from {program.name}>", scope)["selected"]


def define(text: str, filename: str, scope: dict[str, Any]) -> dict[str, Any]:
    """Run source text so that `inspect` finds it again; gives its names."""
    linecache.cache[filename] = (len(text), None, text.splitlines(True), filename)
    scope.setdefault("__name__", "defined_by_tests")
    exec(compile(text, filename, "exec"), scope)
    return scope


def run(program: Program) -> Any:
    """What the plain function gives."""
    return program.function(*copy.deepcopy(program.args), **program.kwargs)


def is_scalar(result: Any) -> bool:
    """Whether the function has a gradient (rather than a Jacobian)."""
    return isinstance(result, (int, float, np.number)) or (
        isinstance(result, np.ndarray) and result.ndim == 0
    )


def is_single_precision(program: Program) -> bool:
    return any(
        array.dtype == np.float32 for array in map(np.asarray, leaves(primals(program)))
    )


def mutates(program: Program) -> bool:
    """Whether the plain function changes its arguments."""
    args = copy.deepcopy(program.args)
    program.function(*args, **program.kwargs)
    return not np.array_equal(flatten(args), flatten(program.args), equal_nan=True)
