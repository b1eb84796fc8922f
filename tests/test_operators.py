"""Every operator through the whole compiler: from source text to derivatives.

Each sample becomes a function with source text, `def f(x0, x1): return op(x0, x1)`.
Complex arguments come as two real ones, and complex results are given back as two, so
that central differences judge all of them alike.
"""

from __future__ import annotations

import copy
import functools
import operator
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from harness import define
from numeric import (
    arrays,
    assert_close,
    assert_same_form,
    directional_difference,
    flatten,
    gradient_by_differences,
    random_like,
    unflatten,
)
from samples import ALL, SPECIAL, Sample, Special, full_name, is_inexact

from autograd_compiler import jvp, vjp
from autograd_compiler.rules import registry
from autograd_compiler.specialise import Specialiser

SYMBOLS = {
    operator.add: "{} + {}",
    operator.sub: "{} - {}",
    operator.mul: "{} * {}",
    operator.truediv: "{} / {}",
    operator.mod: "{} % {}",
    operator.pow: "{} ** {}",
    operator.matmul: "{} @ {}",
    operator.neg: "-{}",
    operator.pos: "+{}",
}

# These round what they are given: differences cannot judge them.
COARSE = {np.float16, np.float32, np.complex64}


class Case:
    """A call as a function of its differentiated numbers and arrays.

    Attributes
    ----------
    text
        The source of the function.
    args
        Its arguments: floats and arrays of floats.
    """

    def __init__(
        self,
        function: Callable[..., Any],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        positions: tuple[int, ...],
        spelling: str = "",
    ) -> None:
        self.args: tuple[Any, ...] = ()
        self.scope: dict[str, Any] = {"np": np, "op": function}
        spelled = [
            self._spell(arg, k in positions) for k, arg in enumerate(args)
        ]
        named = [f"{key}={self._spell(arg, False)}" for key, arg in kwargs.items()]
        if spelling:
            call = spelling.format(*spelled)
        elif function in SYMBOLS:
            call = SYMBOLS[function].format(*spelled)
        else:
            call = f"op({', '.join([*spelled, *named])})"
        result = function(*copy.deepcopy(args), **kwargs)
        parameters = ", ".join(f"x{k}" for k in range(len(self.args)))
        self.text = (
            f"def f({parameters}):\n    y = {call}\n    return {_real('y', result)}\n"
        )
        name = f"<operator {full_name(function)} {id(self)}>"
        self.function = define(self.text, name, self.scope)["f"]

    def _spell(self, value: Any, active: bool) -> str:
        if isinstance(value, (list, tuple)) and not _is_fixed(value):
            inner = ", ".join(self._spell(item, active) for item in value)
            if isinstance(value, list):
                return f"[{inner}]"
            return f"({inner},)"
        if active and is_inexact(value):
            if np.iscomplexobj(value):
                real, imag = self._parameter(value.real), self._parameter(value.imag)
                return f"({real} + 1j * {imag})"
            return self._parameter(value)
        if isinstance(value, (int, str, tuple, list, type(None))):
            return repr(value)
        if isinstance(value, float):
            return repr(value) if np.isfinite(value) else f"np.{value}"
        name = f"c{len(self.scope)}"
        self.scope[name] = value
        return name

    def _parameter(self, value: Any) -> str:
        self.args += (copy.deepcopy(value),)
        return f"x{len(self.args) - 1}"


def _is_fixed(value: Any) -> bool:
    """Whether a container holds integers and the like only: an axis, a shape."""
    return all(
        _is_fixed(item)
        if isinstance(item, (list, tuple))
        else isinstance(item, (int, str, type(None)))
        for item in value
    )


def _real(name: str, result: Any) -> str:
    """The text of a result in real numbers."""
    if isinstance(result, (tuple, list)):
        if not any(map(np.iscomplexobj, result)):
            return name
        parts = [_real(f"{name}[{k}]", item) for k, item in enumerate(result)]
        return ", ".join(parts)
    if np.iscomplexobj(result):
        return f"np.real({name}), np.imag({name})"
    return name


@functools.lru_cache(maxsize=None)
def case_of(sample: Sample) -> Case:
    return Case(sample.operator, sample.args, sample.kwargs, sample.positions)


def identifiers(samples: list[Sample]) -> list[str]:
    """Distinct names, in an order that does not depend on what is installed."""
    seen: dict[str, int] = {}
    names = []
    for sample in samples:
        name = str(sample)
        seen[name] = seen.get(name, 0) + 1
        names.append(name if seen[name] == 1 else f"{name}-{seen[name]}")
    return names


def parametrized(samples: list[Sample]) -> Any:
    return pytest.mark.parametrize("sample", samples, ids=identifiers(samples))


def one_of_each(samples: list[Sample]) -> list[Sample]:
    """For each operator its sample with the most dimensions."""

    def dimensions(sample: Sample) -> int:
        return sum(array.ndim for array in arrays(sample.args))

    found: dict[int, Sample] = {}
    for sample in samples:
        best = found.get(id(sample.operator))
        if best is None or dimensions(sample) > dimensions(best):
            found[id(sample.operator)] = sample
    return list(found.values())


def plain(value: Any) -> Any:
    """Numbers instead of arrays without dimensions, as the compiler gives them."""
    if isinstance(value, tuple):
        return tuple(map(plain, value))
    return value[()] if isinstance(value, np.ndarray) and value.ndim == 0 else value


def check(case: Case) -> None:
    """Value, pullback and tangent of a case."""
    args = copy.deepcopy(case.args)
    expected = case.function(*copy.deepcopy(case.args))
    out, pullback = vjp(case.function, *args)
    assert_close(flatten(out), flatten(expected), 1e-14)
    cotangent = random_like(out, 1)
    gradient = pullback(cotangent)
    for mine, theirs in zip(gradient, args, strict=True):
        assert_same_form(mine, theirs)
        assert not any(np.shares_memory(mine, array) for array in arrays(args))
    assert_close(
        flatten(gradient), gradient_by_differences(case.function, args, cotangent), 1e-7
    )

    direction = random_like(args, 2)
    again, tangent = jvp(case.function, args, direction)
    assert_close(flatten(again), flatten(expected), 1e-14)
    along = flatten(cotangent) @ flatten(tangent)
    against = flatten(gradient) @ flatten(direction)
    assert along == pytest.approx(against, rel=1e-10, abs=1e-10)
    assert_same(args, case.args)


def assert_same(given: Any, expected: Any) -> None:
    assert np.array_equal(flatten(given), flatten(expected), equal_nan=True)


def has_holes(sample: Sample) -> bool:
    return any(np.isnan(leaf).any() for leaf in arrays(sample.args) if leaf.dtype.kind in "fc")


FIRST_ORDER = [s for s in ALL if s.positions and s.operator not in COARSE]


@parametrized(FIRST_ORDER)
def test_derivatives_of(sample: Sample) -> None:
    check(case_of(sample))


SECOND_ORDER = [s for s in FIRST_ORDER if s.smooth]


@parametrized(SECOND_ORDER)
def test_second_derivatives_of(sample: Sample) -> None:
    """The pullback of the tangent, against differences of the pullback."""
    case = case_of(sample)
    args = copy.deepcopy(case.args)
    direction = random_like(args, 2)
    out, pullback = vjp(case.function, *args)
    cotangent = random_like(out, 1)

    specialiser = Specialiser(case.function, "jvp")
    values = specialiser.bind(args, {})
    names = tuple(values)
    found = specialiser.specialise(names, values)
    given = (*values.values(), *found.captured(), *direction)
    pair, second = vjp(found.run, *given)
    zero = unflatten(0.0 * flatten(out), out, True)
    gradient = second((zero, cotangent))[: len(args)]

    def pulled(x: np.ndarray) -> np.ndarray:
        _, pull = vjp(case.function, *unflatten(x, args))
        return flatten(pull(cotangent))

    expected = directional_difference(pulled, flatten(args), flatten(direction))
    assert_close(flatten(gradient), expected, 1e-6)
