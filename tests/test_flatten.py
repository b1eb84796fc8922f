"""`flatten`: a container of floats as one array, and back."""

from __future__ import annotations

import pickle
from collections import OrderedDict, namedtuple
from dataclasses import dataclass

import numpy as np
import pytest

from autograd_compiler import check_grads, flatten, grad
from autograd_compiler.errors import ArgumentError, UnsupportedError
from autograd_compiler.tree import flatten as leaves_of
from autograd_compiler.tree import map_leaves, structure_of

Layer = namedtuple("Layer", "w b")


@dataclass
class Model:
    scale: float
    layers: list


TREE = {
    "w": np.arange(6.0).reshape(2, 3),
    "b": 0.5,
    "layers": [Layer(np.ones(2), 2.0), Model(1.5, [np.array(3.0)])],
}


def network(p, x):
    p["w"][0, 0] *= 2.0
    layer, model = p["layers"]
    hidden = np.tanh(x @ p["w"] + p["b"] * model.layers[0])
    return np.sum(hidden**2) * model.scale + layer.w @ layer.w * layer.b


# ---------------------------------------------------------------- there and back


@pytest.mark.parametrize(
    "container",
    [
        TREE,
        2.0,
        np.float32(2.0),
        1.0 + 2.0j,
        np.zeros((2, 0)),
        np.array(1.0),
        (np.ones(2, np.float32), [np.ones(3, complex)]),
        OrderedDict(a=1.0, b=()),
        {},
    ],
    ids=repr,
)
def test_structure_shapes_and_dtypes_come_back(container) -> None:
    flat, unflatten = flatten(container)
    found = unflatten(flat)
    assert structure_of(found) == structure_of(container)
    assert flat.ndim == 1 and flat.size == unflatten.size == len(unflatten.names)
    for got, wanted in zip(leaves_of(found)[0], leaves_of(container)[0], strict=True):
        assert type(got) is type(wanted)
        assert np.asarray(got).dtype == np.asarray(wanted).dtype
        np.testing.assert_array_equal(got, wanted)
    np.testing.assert_array_equal(unflatten.flatten(found), flat)


def test_flat_dtype_holds_all_leaves() -> None:
    assert flatten((np.float32(1.0), np.ones(2, np.float32)))[0].dtype == np.float32
    assert flatten((np.float32(1.0), 1.0))[0].dtype == np.float64
    assert flatten((1.0, 1j))[0].dtype == np.complex128


def test_memory_is_not_shared() -> None:
    array = np.ones(3)
    flat, unflatten = flatten(array)
    assert not np.shares_memory(flat, array)
    assert not np.shares_memory(unflatten(flat), flat)


def test_names_say_where_each_number_stands() -> None:
    names = flatten({"w": np.ones((1, 2)), "b": Layer(1.0, np.ones(1))})[1].names
    assert names == ["w[0, 0]", "w[0, 1]", "b.w", "b.b[0]"]
    assert flatten((1.0, np.ones(1)))[1].names == ["x[0]", "x[1][0]"]
    assert flatten(1.0)[1].names == ["x"]


def test_unflatten_pickles() -> None:
    flat, unflatten = flatten(TREE)
    again = pickle.loads(pickle.dumps(unflatten))
    np.testing.assert_array_equal(again(flat)["w"], TREE["w"])


# ---------------------------------------------------------------- inside of programs


def test_unflatten_in_a_differentiated_function() -> None:
    flat, unflatten = flatten(TREE)
    before = flat.copy()

    def loss(v, x):
        return network(unflatten(v), x)

    x = np.array([0.3, -0.2])
    expected = grad(network)(map_leaves(np.copy, unflatten(flat)), x)
    np.testing.assert_allclose(grad(loss)(flat, x), unflatten.flatten(expected))
    check_grads(loss, (flat, x), order=2)
    np.testing.assert_array_equal(flat, before)


@pytest.mark.numba
def test_unflatten_under_numba() -> None:
    pytest.importorskip("numba")
    flat, unflatten = flatten({"w": np.arange(6.0).reshape(2, 3), "b": 0.5})

    def loss(v, x):
        p = unflatten(v)
        return np.sum((x @ p["w"] + p["b"]) ** 2)

    x = np.array([0.3, -0.2])
    fast = grad(loss, backend="numba")(flat, x)
    np.testing.assert_allclose(fast, grad(loss)(flat, x))


def test_another_unflatten_of_the_same_name_is_used() -> None:
    _, unflatten = flatten((1.0, np.ones(2)))

    def loss(v):
        return unflatten(v)[0] * 2.0

    derivative = grad(loss)
    np.testing.assert_array_equal(derivative(np.ones(3)), [2.0, 0.0, 0.0])
    _, unflatten = flatten((1.0, 1.0, 1.0))
    np.testing.assert_array_equal(derivative(np.ones(3)), [2.0, 0.0, 0.0])
    _, unflatten = flatten([0.0] * 4)
    np.testing.assert_array_equal(derivative(np.ones(4)), [2.0, 0.0, 0.0, 0.0])


def test_dtypes_are_those_of_the_container_in_a_differentiated_function() -> None:
    flat, unflatten = flatten({"a": np.ones(2, np.float32), "b": 1.0})

    def loss(v):
        p = unflatten(v)
        assert p["a"].dtype == np.float32
        return np.sum(p["a"] * 3.0) + p["b"]

    gradient = grad(loss)(flat)
    assert gradient.dtype == flat.dtype
    np.testing.assert_array_equal(gradient, [3.0, 3.0, 1.0])


def test_wrong_size_in_a_differentiated_function_is_an_error() -> None:
    _, unflatten = flatten(TREE)
    with pytest.raises(AssertionError, match=r"takes an array of shape \(12,\)"):
        grad(lambda v: unflatten(v)["b"])(np.ones(13))


def test_unflatten_of_a_matrix_in_a_differentiated_function_is_refused() -> None:
    _, unflatten = flatten(TREE)
    with pytest.raises(UnsupportedError, match="not an array of one dimension"):
        grad(lambda v: unflatten(v)["b"])(np.ones((3, 4)))


# ---------------------------------------------------------------- refusals


@pytest.mark.parametrize(
    ("container", "message"),
    [
        ({"n": 1}, r"`tree\['n'\]` is int: write `1.0`"),
        ([np.ones(2, int)], r"`tree\[0\]` is of int64: convert it"),
        ({"bias": None}, r"`tree\['bias'\]` is NoneType"),
        (Layer("tanh", 1.0), r"`tree.w` is str"),
    ],
)
def test_what_is_not_of_floats_is_refused(container, message: str) -> None:
    with pytest.raises(ArgumentError, match=message):
        flatten(container)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (np.ones(3), r"shape \(12,\), and its shape is \(3,\)"),
        (np.ones(12) * 1j, r"complex where `tree\['w'\]` is real"),
        (np.array(["a"] * 12), "takes numbers"),
    ],
)
def test_unflatten_refuses(given, message: str) -> None:
    with pytest.raises(ArgumentError, match=message):
        flatten(TREE)[1](given)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"w": 1.0}, "the containers differ"),
        ({**TREE, "b": np.ones(2)}, r"`tree\['b'\]` had shape \(\).* shape \(2,\)"),
        ({**TREE, "b": None}, r"`tree\['b'\]`.* is None"),
        ({**TREE, "b": 1j}, r"`tree\['b'\]` is complex"),
    ],
)
def test_flatten_of_another_container_refuses(given, message: str) -> None:
    with pytest.raises(ArgumentError, match=message):
        flatten(TREE)[1].flatten(given)
