"""Calls of the operators that select by position, sort and interpolate."""

from __future__ import annotations

import numpy as np

from samples import Sample, Special, spread

VECTOR = spread(6)
MATRIX = spread(3, 4)
CUBE = spread(2, 3, 4)
GRID = np.array([0.0, 0.5, 1.5, 2.0])
POINTS = np.array([-0.5, 0.2, 0.7, 1.1, 1.9, 2.6])

SAMPLES = [
    Sample(np.partition, (VECTOR, 2)),
    Sample(np.partition, (MATRIX, 1)),
    Sample(np.partition, (MATRIX, 4, None)),
    Sample(np.partition, (CUBE, (0, 2)), {"axis": 1}),
    Sample(np.take, (VECTOR, 3)),
    Sample(np.take, (VECTOR, np.array([0, 5, 0, -1]))),
    Sample(np.take, (VECTOR, [1, 2])),
    Sample(np.take, (MATRIX, np.array([[0, 5], [5, 11]]))),
    Sample(np.take, (MATRIX, 1, 0)),
    Sample(np.take, (MATRIX, np.array([0, 2, 2]), 0)),
    Sample(np.take, (MATRIX, np.array([[0, 3], [3, 1]]), -1)),
    Sample(np.take, (CUBE, np.array([[0, 2], [2, 2]]), 1)),
    Sample(np.take, (CUBE, 2, 1)),
    Sample(np.take, (VECTOR, np.array([7, -2])), {"mode": "wrap"}),
    Sample(np.take, (VECTOR, np.array([7, -2])), {"mode": "clip"}),
    Sample(np.take_along_axis, (VECTOR, np.array([0, 0, 4]), 0)),
    Sample(np.take_along_axis, (MATRIX, np.array([[0], [3], [3]]), 1)),
    Sample(np.take_along_axis, (MATRIX, np.array([[2, 0, 1, 1]]), 0)),
    Sample(np.compress, ([True, False, True], MATRIX, 0)),
    Sample(np.compress, (np.array([True, False, True]), MATRIX)),
    Sample(np.extract, (VECTOR > 0, VECTOR), wrt=(1,)),
    Sample(np.extract, (MATRIX > 0, MATRIX), wrt=(1,)),
    Sample(
        np.choose,
        (np.array([0, 1, 1, 0, 1, 0]), [VECTOR, spread(6, seed=1)]),
        wrt=(1,),
    ),
    Sample(
        np.choose,
        (np.array([[0, 3], [1, -1]]), [0.5, spread(2)], None, "wrap"),
        wrt=(1,),
    ),
    Sample(
        np.select,
        ([VECTOR > 0.5, VECTOR > 0.0], [spread(6, seed=1), spread(6, seed=2)], 1.5),
        wrt=(1, 2),
    ),
    Sample(
        np.select,
        ([MATRIX > 0.5, MATRIX < 0.0], [spread(4), 2.5]),
        wrt=(1,),
    ),
    Sample(np.sort, (VECTOR,)),
    Sample(np.sort, (MATRIX,)),
    Sample(np.sort, (MATRIX, 0)),
    Sample(np.sort, (CUBE, 1)),
    Sample(np.sort, (MATRIX, None)),
    Sample(np.interp, (POINTS, GRID, spread(4))),
    Sample(np.interp, (0.7, GRID, spread(4))),
    Sample(np.interp, (spread(2, 3), GRID, spread(4)), wrt=(0, 2)),
]


def _taken_twice(x):
    return np.take(x, np.array([1, 1, 0]))


def _largest_two(x):
    return np.sort(x)[-2:]


SPECIAL = [
    Special("an element taken twice", _taken_twice, (spread(3),), ([1.0, 2.0, 0.0],)),
    Special(
        "the largest of a sort",
        _largest_two,
        (np.array([3.0, 1.0, 2.0]),),
        ([1.0, 0.0, 1.0],),
    ),
]
