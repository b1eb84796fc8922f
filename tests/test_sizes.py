"""Sizes that inference may claim, and sizes that it may not."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np
import pytest

from autograd_compiler import check_grads, ir
from autograd_compiler.analysis.infer import infer_call
from autograd_compiler.types import Array, Dim, ListOf, Scalar, TupleOf, type_of

N = Dim("n0")
VECTOR = ir.Var("u", Array("float64", (N,), True))


def size_of(fn: Any, *args: ir.Operand) -> Dim | None:
    kind = infer_call(fn, args).types[0]
    assert isinstance(kind, Array)
    return kind.dims[0]


def part(start: int | None, stop: int | None, step: int | None = None) -> ir.Slice:
    return ir.Slice(*map(ir.Const, (start, stop, step)))


@pytest.mark.parametrize(
    "index, expected",
    [
        (part(1, -1), Dim("n0", -2)),
        (part(9, None), Dim("n0", -9)),
        (part(None, None, -1), N),
        (part(0, 1), Dim("", 1)),
        (part(-1, None), Dim("", 1)),
        (part(None, 5), None),
        (part(3, 6), None),
        (part(None, None, 2), None),
    ],
    ids=str,
)
def test_slices(index: ir.Slice, expected: Dim | None) -> None:
    assert size_of(operator.getitem, VECTOR, index) == expected


def test_slices_of_an_array_of_known_size() -> None:
    known = ir.Var("v", Array("float64", (Dim("", 4),), True))
    assert size_of(operator.getitem, known, part(None, 5)) == Dim("", 4)
    assert size_of(operator.getitem, known, part(None, None, 2)) == Dim("", 2)


def test_what_is_taken_off_a_size_leaves_something_in_stand_ins() -> None:
    late = ir.Var("late", Array("float64", (Dim("n0", -7),), True))
    assert size_of(operator.truediv, late, late) == Dim("n0", -7)


def test_a_list_has_no_known_length() -> None:
    assert size_of(np.array, ir.Var("x", ListOf(Scalar("float64")))) is None


def test_a_shape_of_unknown_sizes_gives_an_array_of_unknown_size() -> None:
    shape = ir.Var("shape", TupleOf((Scalar("int64"),)))
    assert size_of(np.zeros, shape) is None


def test_arguments_without_elements_have_a_known_size() -> None:
    kind = type_of(np.zeros(0))
    assert isinstance(kind, Array) and kind.dims == (Dim("", 0),)


COUNTS, MASK = np.array([2, 0, 1]), np.array([True, False, True])
# What has a size that depends on numbers and not on sizes.
SIZED_BY_NUMBERS: dict[str, Any] = {
    "repeat": lambda x: np.repeat(x, COUNTS),
    "mask": lambda x: x[MASK],
    "compress": lambda x: np.compress(MASK, x),
    "extract": lambda x: np.extract(MASK, x),
    "nonzero": lambda x: x[np.nonzero(MASK)[0]],
    "flatnonzero": lambda x: x[np.flatnonzero(COUNTS)],
    "argwhere": lambda x: x[np.argwhere(MASK)[:, 0]],
    "delete": lambda x: np.delete(x, MASK),
    "bincount": lambda x: np.bincount(COUNTS, x),
    "split": lambda x: np.split(x, COUNTS[2:])[0],
    "insert": lambda x: np.insert(x, COUNTS[:2], 1.0),
}


@pytest.mark.parametrize("name", SIZED_BY_NUMBERS)
def test_size_that_depends_on_numbers_is_not_claimed(name: str) -> None:
    """The sizes of what is joined say where the parts of its adjoint begin."""
    sized = SIZED_BY_NUMBERS[name]

    def cubes(x: Any) -> Any:
        return np.sum(np.concatenate((sized(x), x)) ** 3)

    check_grads(cubes, (np.array([0.3, 1.1, 2.2]),), order=2)
