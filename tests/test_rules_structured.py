"""Adjoints and tangents of the structured operators, called as plain functions.

The compiler takes no part: a rule must be right as Python, on numbers.  An adjoint is
right if `sum(adjoint * v)` is `sum(d_y * jv)` for the directional derivative `jv` by
central differences; of complex numbers the real part counts.
"""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose
from samples import Sample, Special
from samples import indexing as indexing_samples
from samples import linalg as linalg_samples
from samples import products as products_samples
from samples import shaping as shaping_samples

from autograd_compiler.rules import (
    decompositions,
    indexing,
    joining,
    linalg,
    norms,
    products,
    registry,
    shaping,
)


def has_adjoint(sample: Sample) -> bool:
    """Whether the call is not one that the operator's definition is for."""
    rule = registry.rule_of(sample.operator)
    assert rule is not None
    takes = rule.takes(len(sample.args), sample.kwargs)
    return rule.adjoint is not None and takes


MODULES = (decompositions, indexing, joining, linalg, norms, products, shaping)
FAMILIES = (indexing_samples, linalg_samples, products_samples, shaping_samples)
SAMPLES: list[Sample] = [
    sample for family in FAMILIES for sample in family.SAMPLES if has_adjoint(sample)
]
SPECIAL: list[Special] = [special for family in FAMILIES for special in family.SPECIAL]
RULES = [
    rule
    for rule in registry.all_rules()
    if rule.adjoint is not None
    and rule.adjoint.__module__ in {module.__name__ for module in MODULES}
]
STEP = 1e-6


def identifiers(samples: list[Sample]) -> list[str]:
    return [f"{number}-{sample}" for number, sample in enumerate(samples)]


def is_container(value: Any) -> bool:
    return isinstance(value, (tuple, list))


def leaves(value: Any) -> list[Any]:
    """The numbers and arrays in nested lists, as arrays."""
    if is_container(value):
        return [leaf for item in value for leaf in leaves(item)]
    return [np.asarray(value)]


def rebuilt(value: Any, numbers: list[Any]) -> Any:
    """Nested lists like `value` with other leaves, which are taken from `numbers`."""
    if is_container(value):
        return type(value)(rebuilt(item, numbers) for item in value)
    return numbers.pop(0)


def unbroadcast(adjoint: Any, shape: tuple[int, ...]) -> Any:
    """What the compiler does: sum over what the operator has broadcast."""
    adjoint = np.asarray(adjoint)
    adjoint = adjoint.sum(tuple(range(adjoint.ndim - len(shape))))
    stretched = tuple(
        axis
        for axis, (has, wants) in enumerate(zip(adjoint.shape, shape, strict=True))
        if wants == 1 and has > 1
    )
    adjoint = adjoint.sum(stretched, keepdims=True)
    assert adjoint.shape == shape
    return adjoint


class Case:
    """A sample with directions `v` for its arguments and weights `d_y` for its result."""

    def __init__(self, sample: Sample) -> None:
        found = registry.rule_of(sample.operator)
        assert found is not None
        self.rule = found
        self.operator = sample.operator
        self.signature = inspect.Signature(self.rule.parameters)
        self.kwargs = sample.kwargs
        self.args = list(sample.args)
        self.chosen = sample.positions
        self.rng = np.random.default_rng(3)
        self.directions = {
            k: rebuilt(
                self.args[k], [self.random(leaf) for leaf in leaves(self.args[k])]
            )
            for k in self.chosen
        }
        self.y = self.operator(*self.args, **self.kwargs)
        self.d_y = rebuilt(
            tuple(self.y) if is_container(self.y) else self.y,
            [self.random(leaf) for leaf in leaves(self.y)],
        )

    def random(self, like: Any) -> Any:
        if like.dtype.kind == "c":
            both = self.rng.normal(size=(2, *like.shape))
            return both[0] + 1j * both[1]
        return self.rng.normal(size=like.shape)

    def moved(self, step: float) -> Any:
        args = list(self.args)
        for k in self.chosen:
            pairs = zip(leaves(args[k]), leaves(self.directions[k]), strict=True)
            args[k] = rebuilt(args[k], [leaf + step * change for leaf, change in pairs])
        return self.operator(*args, **self.kwargs)

    def differences(self) -> list[Any]:
        ahead, behind = leaves(self.moved(STEP)), leaves(self.moved(-STEP))
        return [(a - b) / (2 * STEP) for a, b in zip(ahead, behind, strict=True)]

    def bound(self, args: list[Any]) -> dict[str, Any]:
        found = self.signature.bind(*args, **self.kwargs)
        found.apply_defaults()
        return dict(found.arguments)

    def adjoints(self) -> dict[str, Any]:
        """The adjoints by the names of the rule's parameters."""
        assert self.rule.adjoint is not None
        given = [self.d_y]
        if "y" in inspect.signature(self.rule.adjoint).parameters:
            given.append(self.y)
        result = self.rule.adjoint(*given, *self.args, **self.kwargs)
        if len(self.rule.wrt) == 1:
            result = (result,)
        return dict(zip(self.rule.wrt, result, strict=True))

    def tangents(self) -> Any:
        zeros = [
            rebuilt(arg, [np.zeros(leaf.shape, leaf.dtype) for leaf in leaves(arg)])
            for arg in self.args
        ]
        moving = [self.directions.get(k, zero) for k, zero in enumerate(zeros)]
        if self.rule.kind == "linear":
            names = [self.name(k) for k in range(len(self.args))]
            args = [
                change if name in self.rule.wrt else arg
                for name, change, arg in zip(names, moving, self.args, strict=True)
            ]
            return self.operator(*args, **self.kwargs)
        if self.rule.kind == "multilinear":
            return self.product_rule()
        values = self.bound(self.args)
        changes = self.bound(moving)
        assert self.rule.tangent is not None
        if "y" in inspect.signature(self.rule.tangent).parameters:
            values["y"] = self.y
        varying = {self.name(k) for k in range(len(self.args))}
        values.update(
            (f"d_{name}", changes[name] if name in varying else 0.0)
            for name in self.rule.wrt
        )
        return self.rule.tangent(**values)

    def name(self, position: int) -> str:
        """The parameter that a positional argument is for."""
        parameters = list(self.rule.parameters)
        for k, parameter in enumerate(parameters):
            if parameter.kind is parameter.VAR_POSITIONAL and position >= k:
                return parameter.name
        return parameters[position].name

    def product_rule(self) -> Any:
        """One factor at a time is replaced by its direction, items of lists too."""
        total: Any = 0
        for k in self.chosen:
            whole, change = self.args[k], self.directions[k]
            if not is_container(whole):
                whole, change = (whole,), (change,)
            for j in range(len(whole)):
                item: Any = [*whole[:j], change[j], *whole[j + 1 :]]
                args = list(self.args)
                args[k] = item if is_container(self.args[k]) else item[0]
                total = total + self.operator(*args, **self.kwargs)
        return total


@pytest.mark.parametrize("sample", SAMPLES, ids=identifiers(SAMPLES))
def test_adjoint(sample: Sample) -> None:
    case = Case(sample)
    expected = sum(
        np.real(np.sum(weight * change))
        for weight, change in zip(leaves(case.d_y), case.differences(), strict=True)
    )
    adjoints = case.adjoints()
    bound = case.bound(case.args)
    directions = case.bound(
        [case.directions.get(k, arg) for k, arg in enumerate(case.args)]
    )
    active = {case.name(k) for k in case.chosen}
    found = 0.0
    for name in active:
        parts = leaves_of_adjoint(adjoints[name], bound[name])
        for part, leaf, change in zip(
            parts, leaves(bound[name]), leaves(directions[name]), strict=True
        ):
            found += np.real(np.sum(unbroadcast(part, leaf.shape) * change))
    assert_allclose(found, expected, rtol=2e-6, atol=1e-7)


def leaves_of_adjoint(adjoint: Any, value: Any) -> list[Any]:
    """The adjoints of the leaves of a value; they may be rows of one array."""
    if is_container(value):
        assert len(adjoint) == len(value)
        return [
            leaf
            for part, item in zip(adjoint, value, strict=True)
            for leaf in leaves_of_adjoint(part, item)
        ]
    return [adjoint]


@pytest.mark.parametrize("sample", SAMPLES, ids=identifiers(SAMPLES))
def test_tangent(sample: Sample) -> None:
    case = Case(sample)
    found = leaves(case.tangents())
    for tangent, change, value in zip(
        found, case.differences(), leaves(case.y), strict=True
    ):
        assert tangent.shape == value.shape
        assert_allclose(tangent, change, rtol=2e-6, atol=1e-7)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.operator.__name__)
def test_every_rule_has_a_sample(rule: registry.Rule) -> None:
    assert any(sample.operator is rule.operator for sample in SAMPLES)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.operator.__name__)
def test_parameters_are_those_of_numpy(rule: registry.Rule) -> None:
    """Names, order and defaults; what a rule leaves out can only be at the end."""
    try:
        theirs = inspect.signature(rule.operator).parameters
    except ValueError:
        pytest.skip("the operator has no signature")
    if rule.operator is np.einsum:  # its subscripts are the first of `*operands`
        return
    own = {parameter.name: parameter for parameter in rule.parameters}
    assert set(rule.wrt) <= set(own)
    positional = [p for p in theirs.values() if p.kind is not p.KEYWORD_ONLY]
    for ours, parameter in zip(rule.parameters, positional, strict=False):
        if ours.kind is ours.KEYWORD_ONLY or parameter.kind is parameter.VAR_KEYWORD:
            break
        if parameter.kind is not parameter.POSITIONAL_ONLY:
            assert ours.name == parameter.name
            assert (
                ours.default is parameter.default or ours.default == parameter.default
            )


@pytest.mark.parametrize("special", SPECIAL, ids=str)
def test_special_points_are_written_down_right(special: Special) -> None:
    """The expected gradients fit the arguments; the compiler's tests compare them."""
    assert len(special.expected) == len(special.args)
    for expected, arg in zip(special.expected, special.args, strict=True):
        assert np.shape(expected) == np.shape(arg)
    assert np.all(np.isfinite(special.function(*special.args)))


REFUSED = [
    (shaping.reshape_adjoint, (np.ones(4), np.ones((2, 2)), 4, "A"), "order='C'"),
    (joining.pad_adjoint, (np.ones(4), np.ones(2), 1, "maximum"), "modes"),
    (products.einsum_adjoint, (1.0, np.ones(2), [0], np.ones(2), [0]), "string"),
    (decompositions.qr_adjoint, ((), (), np.ones((2, 2)), "complete"), "reduced"),
]


@pytest.mark.parametrize(("adjoint", "args", "message"), REFUSED)
def test_argument_values_that_are_refused(
    adjoint: Any, args: Any, message: str
) -> None:
    with pytest.raises(TypeError, match=message):
        adjoint(*args)


def test_refused_operators_say_what_to_write() -> None:
    for operator in (np.unique,):
        rule = registry.rule_of(operator)
        assert rule is not None and rule.kind == "refused" and "write" in rule.reason


def test_norm_of_zero_has_gradient_zero() -> None:
    zero = np.zeros((2, 3))
    for ord in (None, "fro", "nuc", 2, 1):
        assert_allclose(norms.norm_adjoint(1.0, np.float64(0), zero, ord), zero)
    assert_allclose(norms.norm_adjoint(np.ones(2), np.zeros(2), zero, axis=1), zero)


def test_ties_of_an_extreme_share_evenly() -> None:
    x = np.array([2.0, 1.0, -2.0])
    found = norms.norm_adjoint(1.0, np.float64(2.0), x, np.inf)
    assert_allclose(found, [0.5, 0.0, -0.5])


def test_equal_eigenvalues_and_singular_values_without_use_of_vectors() -> None:
    eye, weights = np.eye(3), np.array([1.0, 1.0, 1.0])
    zero = np.zeros((3, 3))
    found = decompositions.eigh_adjoint((weights, zero), np.linalg.eigh(eye), eye)
    assert_allclose(found, eye)
    d_y = (zero, weights, zero)
    found = decompositions.svd_adjoint(
        d_y, np.linalg.svd(eye), eye, full_matrices=False
    )
    assert_allclose(found, eye)


def test_eigenvectors_of_a_hermitian_matrix() -> None:
    """Their phase is free: what does not depend on it has the right derivative."""
    a = linalg_samples.hermitian(3)
    rng = np.random.default_rng(5)
    weights = rng.normal(size=(3, 3)) + 1j * rng.normal(size=(3, 3))
    change = rng.normal(size=(3, 3)) + 1j * rng.normal(size=(3, 3))

    def projector(matrix: Any) -> Any:
        vector = np.linalg.eigh(matrix)[1][:, 0]
        return np.real(np.sum(weights * np.outer(vector, np.conj(vector))))

    w, v = np.linalg.eigh(a)
    d_v = np.zeros_like(v)
    # The pairing is without conj: the adjoint of conj(v) counts conjugated.
    d_v[:, 0] = weights @ np.conj(v[:, 0]) + np.conj(weights.T @ v[:, 0])
    d_a = decompositions.eigh_adjoint((np.zeros(3), d_v), (w, v), a)
    expected = (projector(a + STEP * change) - projector(a - STEP * change)) / (
        2 * STEP
    )
    assert_allclose(np.real(np.sum(d_a * change)), expected, rtol=1e-6)
