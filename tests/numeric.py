"""Numbers in containers as one vector, central differences, comparisons."""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

STEP = 1e-3


def is_leaf(value: Any) -> bool:
    """Whether a value can carry a derivative: a float or an array of floats."""
    if isinstance(value, (np.ndarray, np.generic)):
        return value.dtype.kind == "f"
    return isinstance(value, float)


def map_leaves(function: Callable[..., Any], tree: Any, *others: Any) -> Any:
    """The container with its leaves changed; what is not a leaf stays."""
    if is_leaf(tree):
        return function(tree, *others)
    if dataclasses.is_dataclass(tree) and not isinstance(tree, type):
        changed = {
            item.name: map_leaves(
                function,
                getattr(tree, item.name),
                *(getattr(other, item.name) for other in others),
            )
            for item in dataclasses.fields(tree)
        }
        return dataclasses.replace(tree, **changed)
    if isinstance(tree, dict):
        return {
            key: map_leaves(function, value, *(other[key] for other in others))
            for key, value in tree.items()
        }
    if isinstance(tree, (tuple, list)):
        items = [
            map_leaves(function, *parts) for parts in zip(tree, *others, strict=True)
        ]
        if hasattr(tree, "_fields"):
            return type(tree)(*items)
        return type(tree)(items)
    return tree


def leaves(tree: Any) -> list[Any]:
    """The floats and float arrays in a container, in order."""
    found: list[Any] = []
    map_leaves(found.append, tree)
    return found


def flatten(tree: Any) -> np.ndarray:
    """All numbers of a container in one vector of double precision."""
    parts = [np.asarray(leaf, dtype=float).ravel() for leaf in leaves(tree)]
    return np.concatenate(parts) if parts else np.zeros(0)


def unflatten(vector: np.ndarray, like: Any, keep_dtype: bool = False) -> Any:
    """A container like another one, with the numbers of the vector in it.

    Without `keep_dtype`, everything is of double precision.
    """
    position = 0

    def take(leaf: Any) -> Any:
        nonlocal position
        size = np.size(leaf)
        part = vector[position : position + size]
        position += size
        if not isinstance(leaf, (np.ndarray, np.generic)):
            return float(part[0])
        dtype = leaf.dtype if keep_dtype else np.dtype(np.float64)
        if isinstance(leaf, np.ndarray):
            return part.reshape(leaf.shape).astype(dtype)
        return dtype.type(part[0])

    return map_leaves(take, like)


def random_like(tree: Any, seed: int = 0) -> Any:
    """A container like another one with numbers between -1 and 1, none near zero."""
    size = flatten(tree).size
    random = np.random.default_rng(seed)
    signs = random.choice([-1.0, 1.0], size=size)
    return unflatten(signs * random.uniform(0.2, 1.0, size=size), tree, True)


def directional_difference(
    function: Callable[[np.ndarray], np.ndarray],
    x: np.ndarray,
    v: np.ndarray,
    step: float = STEP,
) -> np.ndarray:
    """The derivative along `v` by central differences, once extrapolated."""

    def difference(h: float) -> np.ndarray:
        return (function(x + h * v) - function(x - h * v)) / (2.0 * h)

    return (4.0 * difference(step / 2.0) - difference(step)) / 3.0


def jacobian_by_differences(
    function: Callable[[np.ndarray], np.ndarray], x: np.ndarray, step: float = STEP
) -> np.ndarray:
    """The matrix of all derivatives, one column for each number of `x`."""
    columns = [
        directional_difference(function, x, unit, step) for unit in np.eye(x.size)
    ]
    if columns:
        return np.stack(columns, axis=-1)
    return np.zeros((function(x).size, 0))


def gradient_by_differences(
    function: Callable[..., Any], primals: tuple[Any, ...], cotangent: Any
) -> np.ndarray:
    """The gradient of `<cotangent, function(*primals)>` as a vector."""
    weights = flatten(cotangent)

    def weighted(x: np.ndarray) -> np.ndarray:
        result = function(*copy.deepcopy(unflatten(x, primals)))
        return np.array([weights @ flatten(result)])

    return jacobian_by_differences(weighted, flatten(primals))[0]


def assert_close(actual: Any, expected: Any, tolerance: float) -> None:
    """Vectors that agree relative to the largest number in them (at least 1)."""
    actual, expected = np.asarray(actual), np.asarray(expected)
    assert actual.shape == expected.shape
    scale = max(1.0, np.max(np.abs(expected), initial=0.0))
    np.testing.assert_allclose(actual, expected, rtol=0.0, atol=tolerance * scale)


def assert_same(first: Any, second: Any) -> None:
    """Equal in value, type, dtype and structure."""
    assert type(first) is type(second) or {type(first), type(second)} <= {
        float,
        np.float64,
    }
    if isinstance(first, dict):
        assert list(first) == list(second)
        first, second = list(first.values()), list(second.values())
    if isinstance(first, (tuple, list)):
        for a, b in zip(first, second, strict=True):
            assert_same(a, b)
    elif isinstance(first, np.ndarray):
        assert (first.shape, first.dtype) == (second.shape, second.dtype)
        np.testing.assert_allclose(first, second, rtol=1e-9, atol=1e-12)
    elif dataclasses.is_dataclass(first):
        assert_same(vars(first), vars(second))
    elif first is None or isinstance(first, str):
        assert first == second
    else:
        np.testing.assert_allclose(first, second, rtol=1e-9, atol=1e-12)


def assert_same_form(actual: Any, expected: Any) -> None:
    """Containers of the same types and keys, leaves of the same shape and dtype."""
    if is_leaf(expected):
        assert np.shape(actual) == np.shape(expected)
        assert np.asarray(actual).dtype == np.asarray(expected).dtype
        assert isinstance(actual, np.ndarray) == isinstance(expected, np.ndarray)
        return
    for mine, theirs in zip(parts(actual), parts(expected), strict=True):
        assert_same_form(mine, theirs)
    assert type(actual) is type(expected)
    if isinstance(expected, dict):
        assert list(actual) == list(expected)


def parts(tree: Any) -> Iterator[Any]:
    """What a container holds directly."""
    if isinstance(tree, dict):
        yield from tree.values()
    elif isinstance(tree, (tuple, list)):
        yield from tree
    elif dataclasses.is_dataclass(tree) and not isinstance(tree, type):
        yield from (getattr(tree, item.name) for item in dataclasses.fields(tree))


def arrays(tree: Any) -> list[np.ndarray]:
    """The arrays of any dtype in a container."""
    if isinstance(tree, np.ndarray):
        return [tree]
    return [array for part in parts(tree) for array in arrays(part)]
