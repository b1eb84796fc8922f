"""Samples of operators that call a function of the user."""

from __future__ import annotations

import numpy as np

from samples import Sample, spread

VECTOR = spread(6)
CUBE = spread(2, 3, 4)


def weighted_sum(row, power=2):
    return np.sum(row**power * np.arange(len(row)))


def outer_edges(row):
    return np.stack([row[0] * row[-1], row[-1]])


def damped(x, rate=0.5):
    return np.exp(-rate * x)


SAMPLES: list[Sample] = [
    Sample(np.apply_along_axis, (weighted_sum, 1, CUBE), wrt=(2,)),
    Sample(np.apply_along_axis, (weighted_sum, -1, CUBE, 3), wrt=(2,)),
    Sample(np.apply_along_axis, (outer_edges, 1, CUBE), wrt=(2,)),
    Sample(np.apply_along_axis, (weighted_sum, 0, VECTOR), wrt=(2,)),
    Sample(np.apply_over_axes, (np.sum, CUBE, (0, 2)), wrt=(1,)),
    Sample(np.apply_over_axes, (np.prod, CUBE, [1]), wrt=(1,)),
    Sample(
        np.piecewise,
        (VECTOR, [VECTOR < -0.3, VECTOR > 0.4], [damped, np.sin, 0.5]),
        wrt=(0,),
    ),
    Sample(np.piecewise, (CUBE, [CUBE > 0], [np.square, np.exp]), wrt=(0,)),
    Sample(np.fromfunction, (lambda i, j: i - j**2, (2, 3)), wrt=()),
]
