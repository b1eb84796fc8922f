from __future__ import annotations

from collections import OrderedDict, defaultdict, namedtuple
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograd_compiler.errors import ArgumentError
from autograd_compiler.tree import (
    LEAF,
    flatten,
    leaf_paths,
    map_leaves,
    map_with_path,
    path_text,
    same_structure,
    structure_of,
    unflatten,
)

Layer = namedtuple("Layer", "w b")


@dataclass(frozen=True)
class Model:
    scale: float
    layers: list

    def __post_init__(self):
        if isinstance(self.scale, float) and self.scale <= 0:
            raise ValueError("scale must be positive")


@dataclass(slots=True)
class Point:
    x: float
    y: float


class Attributes(dict):
    pass


class Counted(dict):
    def __init__(self, count):
        super().__init__()
        self.count = count


class Pair(list):
    def __init__(self, first, second):
        super().__init__([first, second])


VALUES = [
    1.0,
    None,
    np.ones(3),
    "text",
    (),
    [],
    {},
    (1.0, (2.0, [3.0])),
    {"w": 1.0, "b": [2.0, {3: 4.0}]},
    Layer(1.0, (2.0, 3.0)),
    Model(2.0, [Layer(1.0, None), Point(3.0, 4.0)]),
    OrderedDict(b=1.0, a=2.0),
    defaultdict(list, a=1.0),
    Attributes(a=1.0),
]


@pytest.mark.parametrize("value", VALUES, ids=repr)
def test_round_trip(value):
    leaves, structure = flatten(value)
    again = unflatten(structure, leaves)
    assert type(again) is type(value)
    assert again == value if not isinstance(value, np.ndarray) else again is value
    assert structure_of(value) == structure
    assert hash(structure_of(value)) == hash(structure)
    assert structure.leaf_count == len(leaves)


trees = st.recursive(
    st.floats(allow_nan=False) | st.none(),
    lambda inner: st.lists(inner, max_size=3)
    | st.tuples(inner, inner)
    | st.dictionaries(st.text(max_size=2) | st.integers(), inner, max_size=3),
    max_leaves=12,
)


@given(trees)
def test_round_trip_of_any_tree(value):
    leaves, structure = flatten(value)
    assert unflatten(structure, leaves) == value
    assert len(list(leaf_paths(structure))) == len(leaves)


@given(trees)
def test_a_path_written_out_leads_to_its_leaf(tree):
    leaves, structure = flatten(tree)
    for path, leaf in zip(leaf_paths(structure), leaves, strict=True):
        assert eval(path_text(path, "tree")) is leaf


def test_a_bare_value_is_a_leaf():
    assert structure_of(1.0) is LEAF
    assert structure_of(np.float32(1.0)) is LEAF
    assert structure_of(Point) is LEAF


def test_dict_order_is_kept_and_is_part_of_the_structure():
    assert flatten({"b": 1.0, "a": 2.0})[0] == [1.0, 2.0]
    assert structure_of({"b": 1.0, "a": 2.0}) != structure_of({"a": 1.0, "b": 2.0})


def test_structures_tell_containers_apart():
    values = [(1.0,), [1.0], {"x": 1.0}, {"y": 1.0}, OrderedDict(x=1.0), ((1.0,),)]
    assert len({structure_of(value) for value in values}) == len(values)


def test_defaultdict_keeps_its_factory():
    leaves, structure = flatten(defaultdict(list, a=1.0))
    assert unflatten(structure, leaves)["missing"] == []


def test_subclasses_with_their_own_constructor():
    assert structure_of(Pair(1.0, 2.0)) is LEAF
    leaves, structure = flatten(Counted(3))
    assert type(unflatten(structure, leaves)) is dict


def test_gradients_of_a_dataclass_need_not_pass_its_validation():
    model = Model(2.0, [1.0])
    assert map_leaves(lambda x: -x, model).scale == -2.0


def test_map_leaves_of_several_trees():
    assert map_leaves(lambda a, b: a + b, {"x": (1, 2)}, {"x": (10, 20)}) == {
        "x": (11, 22)
    }
    with pytest.raises(ArgumentError, match="structure"):
        map_leaves(max, (1, 2), [1, 2])


def test_paths_read_as_python():
    params = {"W1": [1.0, 2.0], 3: Layer(4.0, Point(5.0, 6.0))}
    texts = map_with_path(lambda path, leaf: path_text(path, "params"), params)
    assert flatten(texts)[0] == [
        "params['W1'][0]",
        "params['W1'][1]",
        "params[3].w",
        "params[3].b.x",
        "params[3].b.y",
    ]


def test_same_structure():
    assert same_structure((1.0, {"a": 2}), (np.ones(2), {"a": None}))
    assert not same_structure((1.0,), [1.0])


@pytest.mark.parametrize("leaves", [[], [1.0], [1.0, 2.0, 3.0]])
def test_the_number_of_leaves_must_fit(leaves):
    with pytest.raises(ArgumentError, match="too (few|many)"):
        unflatten(structure_of((0.0, 0.0)), leaves)


def test_a_container_in_itself_is_refused_and_twice_the_same_is_not():
    loop: list = [1.0]
    loop.append({"again": loop})
    with pytest.raises(ArgumentError, match="contains itself"):
        flatten(loop)
    shared = [1.0]
    assert flatten((shared, shared))[0] == [1.0, 1.0]
