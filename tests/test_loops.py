"""Array statements as loops: what is fused, what is not, and that it means the same."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from corpus import ALL, Program
from harness import is_scalar, is_single_precision, run
from numeric import assert_close, flatten

from autograd_compiler import grad
from autograd_compiler.backend.emit import emit, required_objects
from autograd_compiler.backend.load import load_module
from autograd_compiler.pipeline import legal_module
from autograd_compiler.verify import verify_module

U = np.array([0.3, -0.7, 1.1, 0.4, -0.2, 0.9])
M = np.arange(12.0).reshape(3, 4) / 7.0 - 0.6


def lowered(function: Callable[..., Any], argnums: Any = 0, *args: Any) -> str:
    """The text that Numba compiles, once it is seen that it is right."""
    gradient = grad(function, argnums, backend="numba")
    found = gradient.lower(*args)
    module, recipe = legal_module(found.module)
    verify_module(module)
    text = emit(module)
    loaded = load_module(text, module.entry.name, objects=required_objects(module))
    actual = recipe.wrap(getattr(loaded, module.entry.name))(*copy.deepcopy(args))
    expected = grad(function, argnums)(*copy.deepcopy(args))
    assert_close(flatten(actual), flatten(expected), 1e-12)
    return text


def code(text: str) -> str:
    """The text without comments."""
    lines = text.split("\n")
    return "\n".join(line for line in lines if not line.lstrip().startswith("#"))


def test_an_expression_is_one_loop() -> None:
    def loss(u):
        return np.sum(np.sin(u[1:] - u[:-1]) ** 2)

    text = lowered(loss, 0, U)
    assert "np.cos(u[i + 1] - u[i])" in text
    assert "[1:]" not in code(text) and "[:-1]" not in code(text)


def test_a_stencil_writes_in_place_and_its_adjoint_gathers() -> None:
    def loss(u):
        a = u.copy()
        b = np.zeros_like(u)
        b[1:-1, 1:-1] = a[2:, 1:-1] + a[:-2, 1:-1] - 2.0 * a[1:-1, 2:]
        return np.sum(b**2)

    text = lowered(loss, 0, np.outer(U, U))
    assert "b[i, j] = a[i + 1, j] + a[i - 1, j] - 2.0 * a[i, j + 1]" in text
    assert text.count("padded[") == 4


@pytest.mark.parametrize("shift", [-1, 1])
def test_what_is_read_after_it_is_written_is_computed_before(shift: int) -> None:
    def forwards(u):
        a = u * 1.0
        a[1:] = a[:-1] * 2.0
        return np.sum(a**2)

    def backwards(u):
        a = u * 1.0
        a[:-1] = a[1:] * 2.0
        return np.sum(a**2)

    text = lowered(forwards if shift > 0 else backwards, 0, U)
    in_place = "a[i] = a[i + 1] * 2.0" in text
    assert in_place == (shift < 0)


def test_a_window_that_overlaps_itself_is_added_from_a_copy() -> None:
    def loss(u):
        a = u * 1.0
        a[1:-1] += 0.1 * (a[2:] + a[:-2])
        return np.sum(a**3)

    lowered(loss, 0, U)


def test_views_of_one_array_under_two_names_are_not_taken_apart() -> None:
    def loss(u):
        a, b = u * 1.0, u * 2.0
        for _ in range(3):
            a[1:] = b[:-1] + a[1:]
            a, b = b, a
        return np.sum(a * b)

    lowered(loss, 0, U)


def test_a_sum_along_the_last_axis_is_a_number_in_its_row() -> None:
    def loss(a):
        e = np.exp(a - np.max(a))
        return np.sum(a * (e / np.sum(e, axis=1, keepdims=True)))

    text = lowered(loss, 0, M)
    assert "axis=1" not in code(text)
    assert "= 0.0\n        for j in range(m):" in text


def test_sums_along_other_axes_and_broadcasts() -> None:
    def loss(m, v, w):
        a = m * v + w[:, None]
        return np.sum(np.sum(a**2, axis=0) * v) + np.mean(a)

    lowered(loss, (0, 1, 2), M, U[:4], U[:3])


def test_a_choice_by_element_is_a_conditional() -> None:
    def loss(u, v):
        return np.sum(np.where(u > 0.1, u**2, 3.0 * v) * v)

    text = lowered(loss, (0, 1), U, U[::-1].copy())
    assert "np.where" not in code(text) and " if " in code(text)


def test_rolled_vectors_wrap_at_the_ends_only() -> None:
    def loss(u):
        return np.sum((np.roll(u, -1) - np.roll(u, 2)) * u)

    text = lowered(loss, 0, U)
    assert "np.roll" not in code(text)
    assert "for i in range(2):" in text


@pytest.mark.parametrize("size", [2, 3])
def test_rolls_of_vectors_as_short_as_the_shift(size: int) -> None:
    def loss(u):
        return np.sum((np.roll(u, -1) - np.roll(u, 2)) * np.roll(u, 1) ** 2)

    lowered(loss, 0, U[:size])


@pytest.mark.parametrize("size", [0, 1, 2, 3])
def test_stencils_on_grids_that_are_too_small(size: int) -> None:
    def loss(u):
        a = u.copy()
        for _ in range(2):
            t = a[2:] - a[:-2]
            a[1:-1] += 0.1 * t
        return np.sum(a**2)

    lowered(loss, 0, U[:size])


def test_sizes_that_values_decide_are_left_to_whole_array_code() -> None:
    def loss(u):
        picked = u[u > 0.0]
        return np.sum(picked * picked[0])

    lowered(loss, 0, U)


def test_a_slice_beyond_the_end_is_not_read() -> None:
    def loss(u):
        return np.sum(u[:5] * 2.0) + np.sum(u[4:] ** 2)

    lowered(loss, 0, U[:3])


def test_the_state_of_a_counted_loop_is_kept_in_an_array() -> None:
    def loss(u, steps):
        for _ in range(steps):
            u = u - 0.1 * (u**2 - np.roll(u, 1) ** 2)
        return np.sum(u)

    text = lowered(loss, 0, U, 4)
    assert "u_tape = np.empty((max(steps, 0), n))" in text
    assert text.count("_tape = ") == 1 and "pop" not in text


def test_arithmetic_is_computed_again_and_exponentials_are_kept() -> None:
    def loss(u, steps):
        for _ in range(steps):
            half = 0.5 * u
            grown = half * np.exp(-half)
            u = u + 0.1 * grown * grown
        return np.sum(u)

    text = lowered(loss, 0, U, 3)
    assert text.count("np.empty((max(steps, 0), n))") == 2


@pytest.mark.parametrize("bounds", [(2, 7, 1), (7, 1, -2), (3, 3, 1), (0, 5, 3)])
def test_tapes_of_ranges_of_any_kind(bounds: tuple[int, int, int]) -> None:
    def loss(x, start, stop, step):
        for k in range(start, stop, step):
            x = np.sin(x) * (1.0 + 0.1 * k)
        return x

    assert "_tape = np.empty" in lowered(loss, 0, 0.7, *bounds)


def test_loops_that_end_by_themselves_keep_lists() -> None:
    def loss(x):
        while x > 1.0:
            x = 0.5 * x * np.cos(0.1 * x)
        return x

    assert ".pop()" in lowered(loss, 0, 9.0)


def test_what_is_written_later_is_kept_by_value() -> None:
    def loss(u, steps):
        a = u.copy()
        for k in range(steps):
            a[1:] = a[1:] * a[:-1]
            a[0] = np.sin(a[0])
        return np.sum(a)

    lowered(loss, 0, U, 3)


def test_the_python_backend_keeps_lists() -> None:
    def loss(u, steps):
        for _ in range(steps):
            u = u * np.roll(u, 1)
        return np.sum(u)

    source = grad(loss).lower(U, 3).source
    assert "np.empty" not in source and ".append(" in source


@pytest.mark.slow
@pytest.mark.parametrize(
    "program", [p for p in ALL if p.numba and is_scalar(run(p))], ids=lambda p: p.name
)
def test_lowered_programs_mean_the_same_under_python(program: Program) -> None:
    args = copy.deepcopy(program.args)
    gradient = grad(program.function, program.argnums, backend="numba")
    module, recipe = legal_module(gradient.lower(*args, **program.kwargs).module)
    verify_module(module)
    loaded = load_module(
        emit(module), module.entry.name, objects=required_objects(module)
    )
    found = gradient.lower(*args, **program.kwargs)
    values = gradient._gradient.bind(args, program.kwargs)
    last = gradient._gradient.last
    assert last is not None and found is last.lowered
    function = recipe.wrap(getattr(loaded, module.entry.name))
    actual = function(*values.values(), *last.captured())
    expected = grad(program.function, program.argnums)(
        *copy.deepcopy(program.args), **program.kwargs
    )
    tolerance = 2e-3 if is_single_precision(program) else 1e-9
    assert_close(flatten(actual), flatten(expected), tolerance)
