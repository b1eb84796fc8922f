"""Derivatives of elementwise operators and reductions, without the compiler.

Partials are evaluated as Python, adjoints and tangents are called.  The adjoint pairs
with a tangent as the real part of the sum of their products.
"""

from __future__ import annotations

import builtins
import inspect
import math
import operator
from typing import Any

import numpy as np
import pytest
from numeric import directional_difference
from samples import Sample, Special, full_name, is_inexact
from samples import elementwise as elementwise_samples
from samples import reductions as reductions_samples
from samples import scalars as scalars_samples
from samples import zero as zero_samples

from autograd_compiler import runtime
from autograd_compiler.rules import elementwise, reductions, registry, scalars, zero
from autograd_compiler.rules.registry import Rule, rule_of

FAMILIES = (elementwise_samples, scalars_samples, reductions_samples, zero_samples)
SAMPLES = [sample for family in FAMILIES for sample in family.SAMPLES]
SPECIAL = [special for family in FAMILIES for special in getattr(family, "SPECIAL", [])]


def random_like(value: Any, random: np.random.Generator) -> Any:
    """Numbers between -1 and 1, complex where `value` is."""
    if not is_inexact(value) and not isinstance(value, list):
        return np.zeros(np.shape(value))
    numbers = random.uniform(-1, 1, np.shape(value))
    if np.iscomplexobj(value):
        numbers = numbers + 1j * random.uniform(-1, 1, np.shape(value))
    return numbers if np.ndim(value) else numbers[()]


def zero_like(value: Any) -> Any:
    """No change: zeros in an array's own precision, Python's zero for a number."""
    return np.zeros_like(value) if np.ndim(value) else 0.0


def moved(value: Any, change: Any) -> Any:
    """`value + change`, as the same kind of number or container."""
    if isinstance(value, list):
        return [a + b for a, b in zip(value, change)]
    if isinstance(value, (float, complex)) and not isinstance(value, np.generic):
        return type(value)(value + change)
    return value + change


def flat(result: Any) -> np.ndarray:
    """All numbers of a result, or of several, in one vector of real numbers."""
    parts = result if isinstance(result, tuple) else (result,)
    vectors = []
    for part in parts:
        vector = np.ravel(part)
        if np.iscomplexobj(vector):
            vectors += [vector.real, vector.imag]
        else:
            vectors.append(vector.astype(float))
    return np.concatenate(vectors)


def pairing(adjoint: Any, tangent: Any) -> float:
    if isinstance(adjoint, tuple):
        return sum(map(pairing, adjoint, tangent))
    return float(np.real(np.sum(np.asarray(adjoint) * np.asarray(tangent))))


def summed_to(contribution: Any, shape: tuple[int, ...]) -> Any:
    """What the compiler does to an operand that was broadcast."""
    contribution = np.asarray(contribution)
    leading = contribution.ndim - len(shape)
    contribution = contribution.sum(axis=tuple(range(leading)))
    stretched = tuple(axis for axis, size in enumerate(shape) if size == 1)
    contribution = contribution.sum(axis=stretched, keepdims=True)
    return np.broadcast_to(contribution, shape)


class Calculus:
    """The derivatives of one call, by its rule."""

    def __init__(self, function: Any, args: tuple[Any, ...], kwargs: Any) -> None:
        rule = rule_of(function)
        assert rule is not None, f"{full_name(function)} has no rule"
        self.rule: Rule = rule
        self.args, self.kwargs = args, kwargs
        self.names = [parameter.name for parameter in rule.parameters]
        self.bound = {**dict(zip(self.names, args)), **kwargs}
        self.y = function(*args, **kwargs)

    def partial(self, name: str) -> Any:
        libraries: dict[str, Any] = {
            **vars(runtime),
            **vars(math),
            **vars(np),
            "np": np,
        }
        if full_name(self.rule.operator).startswith("math."):
            libraries = {**libraries, **vars(math)}
        text = self.rule.partials[name]
        if text is None:
            return 0.0
        # The logarithm of a negative base, of which no sample asks the derivative.
        with np.errstate(invalid="ignore"):
            return eval(text, {**libraries, **self.bound, "y": self.y})

    def with_result(self, function: Any) -> dict[str, Any]:
        takes_y = "y" in inspect.signature(function).parameters
        return {**self.bound, **({"y": self.y} if takes_y else {})}

    def adjoints(self, d_y: Any) -> dict[str, Any]:
        """The contribution to each parameter, in its own shape."""
        if self.rule.kind == "partials":
            found = {
                name: d_y * self.partial(name)
                for name in self.rule.wrt
                if name in self.bound and self.bound[name] is not None
            }
        else:
            assert self.rule.adjoint is not None
            given = self.rule.adjoint(d_y, **self.with_result(self.rule.adjoint))
            several = len(self.rule.wrt) > 1
            found = dict(zip(self.rule.wrt, given if several else (given,)))
        return found

    def tangent(self, tangents: dict[str, Any]) -> Any:
        """The tangent of the result."""
        rule = self.rule
        if rule.kind == "partials":
            return sum(
                (
                    self.partial(name) * change
                    for name, change in tangents.items()
                    if name in rule.wrt
                ),
                zero_like(self.y),
            )
        if rule.kind == "linear":
            zeros = {name: zero_like(self.bound[name]) for name in rule.wrt}
            return self.call({**zeros, **tangents})
        if rule.kind == "multilinear":
            return sum(self.call({name: change}) for name, change in tangents.items())
        assert rule.tangent is not None
        changes = {
            f"d_{name}": tangents.get(name, zero_like(self.bound.get(name)))
            for name in rule.wrt
        }
        return rule.tangent(**self.with_result(rule.tangent), **changes)

    def call(self, replaced: dict[str, Any]) -> Any:
        names = self.names[: len(self.args)]
        args = [replaced.get(name, arg) for name, arg in zip(names, self.args)]
        kwargs = {key: replaced.get(key, arg) for key, arg in self.kwargs.items()}
        return self.rule.operator(*args, **kwargs)


@pytest.mark.parametrize("sample", SAMPLES, ids=str)
def test_sample_agrees_with_central_differences(sample: Sample) -> None:
    random = np.random.default_rng(1)
    here = Calculus(sample.operator, sample.args, sample.kwargs)
    for _ in range(2):
        changes = {k: random_like(sample.args[k], random) for k in sample.positions}

        def along(step: np.ndarray) -> np.ndarray:
            args = [
                moved(arg, step[0] * changes[k]) if k in changes else arg
                for k, arg in enumerate(sample.args)
            ]
            return flat(sample.operator(*args, **sample.kwargs))

        expected = directional_difference(along, np.zeros(1), np.ones(1))
        tangents = {here.names[k]: change for k, change in changes.items()}
        if tangents:
            tangent = here.tangent(tangents)
            if np.iscomplexobj(here.y):
                tangent = tangent + 0j
            np.testing.assert_allclose(flat(tangent), expected, rtol=1e-8, atol=1e-8)

        if isinstance(here.y, tuple):
            d_y: Any = tuple(random_like(part, random) for part in here.y)
        else:
            d_y = random_like(here.y, random)
        answer = pairing(d_y, tangent) if tangents else 0.0
        adjoints = here.adjoints(d_y)
        found = 0.0
        for name, change in tangents.items():
            if name in adjoints:
                contribution = summed_to(adjoints[name], np.shape(here.bound[name]))
                found += pairing(contribution, change)
        assert found == pytest.approx(answer, rel=1e-10, abs=1e-10)


# Elementwise: the contributions have the shape of the result, and are summed to that of
# the operand by the compiler.  All other rules give the operand's shape themselves.
REDUCING = [
    sample
    for sample in SAMPLES
    if full_name(sample.operator).startswith("numpy")
    and not isinstance(sample.operator, (np.ufunc, type))
    and sample.operator not in (np.where, np.clip, np.full, np.full_like)
]


@pytest.mark.parametrize("sample", REDUCING, ids=str)
def test_contribution_has_the_shape_of_its_operand(sample: Sample) -> None:
    here = Calculus(sample.operator, sample.args, sample.kwargs)
    for name, contribution in here.adjoints(np.ones_like(here.y)).items():
        if name in here.bound:
            assert np.shape(contribution) == np.shape(here.bound[name])


def is_number_to(sample: Sample) -> bool:
    """Whether the base is a number: its logarithm is `math.log` in compiled code."""
    return np.ndim(sample.args[0]) == 0


SINGLE = [
    sample
    for sample in SAMPLES
    if any(isinstance(sample.args[k], np.ndarray) for k in sample.positions)
    and not (sample.operator in (operator.pow, pow, np.power) and is_number_to(sample))
]


@pytest.mark.skipif(
    np.lib.NumpyVersion(np.__version__) < "2.0.0",
    reason="NumPy 1 makes double precision of a scalar and a number",
)
@pytest.mark.parametrize("sample", SINGLE, ids=str)
def test_single_precision_stays(sample: Sample) -> None:
    args = tuple(map(in_single_precision, sample.args))
    kwargs = {key: in_single_precision(arg) for key, arg in sample.kwargs.items()}
    here = Calculus(sample.operator, args, kwargs)
    precision = max(map(precision_of, parts(here.y)))
    d_y = tuple(map(np.ones_like, parts(here.y)))
    adjoints = here.adjoints(d_y if isinstance(here.y, tuple) else d_y[0])
    arrays = [k for k in sample.positions if isinstance(args[k], np.ndarray)]
    tangents = {here.names[k]: np.ones_like(args[k]) for k in arrays}
    for name in tangents:
        if name in adjoints:
            assert precision_of(adjoints[name]) <= precision
    assert precision_of(parts(here.tangent(tangents))[0]) <= precision


def parts(result: Any) -> tuple[Any, ...]:
    return result if isinstance(result, tuple) else (result,)


def precision_of(value: Any) -> int:
    """The bytes of a real number, or of the real part of a complex one.

    Python's numbers take the precision of what they meet.
    """
    if type(value) in (int, float, complex):
        return 0
    return int(np.real(value).dtype.itemsize)


def in_single_precision(value: Any) -> Any:
    if isinstance(value, np.ndarray) and value.dtype.char in "dD":
        return value.astype({"d": "f", "D": "F"}[value.dtype.char])
    return value


@pytest.mark.parametrize(
    "special", [each for each in SPECIAL if rule_of(each.function)], ids=str
)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_special_point(special: Special) -> None:
    here = Calculus(special.function, special.args, {})
    adjoints = here.adjoints(np.ones_like(here.y))
    active = [k for k, arg in enumerate(special.args) if is_inexact(arg)]
    assert len(active) == len(special.expected)
    for k, expected in zip(active, special.expected):
        contribution = adjoints.get(here.names[k], 0.0)
        found = summed_to(contribution, np.shape(special.args[k]))
        np.testing.assert_allclose(found, expected, rtol=1e-10, atol=1e-15)


def rules_of_our_modules() -> list[Rule]:
    """The rules with a derivative that are declared in the modules under test."""
    names = {module.__name__ for module in (elementwise, reductions, scalars, zero)}
    libraries = (np, math, operator, builtins)
    known = {id(value) for library in libraries for value in vars(library).values()}
    return [
        rule
        for rule in registry.all_rules()
        if (rule.kind == "partials" and id(rule.operator) in known)
        or (rule.adjoint is not None and rule.adjoint.__module__ in names)
    ]


@pytest.mark.parametrize(
    "rule", rules_of_our_modules(), ids=lambda rule: full_name(rule.operator)
)
def test_each_rule_has_a_sample(rule: Rule) -> None:
    assert rule.operator in [sample.operator for sample in SAMPLES]


@pytest.mark.parametrize(
    "rule",
    [rule for rule in rules_of_our_modules() if rule.kind == "general"],
    ids=lambda rule: full_name(rule.operator),
)
def test_tangent_takes_what_the_adjoint_takes(rule: Rule) -> None:
    assert rule.tangent is not None
    taken = [name for name in inspect.signature(rule.tangent).parameters if name != "y"]
    parameters = [parameter.name for parameter in rule.parameters]
    assert taken == [*parameters, *(f"d_{name}" for name in rule.wrt)]


def test_newer_functions_of_math_are_left_out_where_they_are_missing() -> None:
    for name in ("cbrt", "exp2", "fma", "sumprod"):
        function = getattr(math, name, None)
        assert function is None or rule_of(function) is not None


@pytest.mark.parametrize(
    "function", [np.floor, np.round, np.argmax, int, round, math.floor, len, np.shape]
)
def test_steps_and_questions_have_zero_derivative(function: Any) -> None:
    rule = rule_of(function)
    assert rule is not None
    assert rule.kind == "zero"


def test_refusal_says_what_to_write() -> None:
    rule = rule_of(np.histogram)
    assert rule is not None
    assert rule.kind == "refused"
    assert "np.bincount" in rule.reason
