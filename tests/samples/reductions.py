"""Samples of sums, means, extremes and products along axes."""

from __future__ import annotations

from typing import Any

import numpy as np

from samples import Sample, Special, spread

CUBE = spread(2, 3, 4, low=0.3, high=1.8)
MATRIX = spread(3, 4, low=-1.2, high=1.5, seed=3)
VECTOR = spread(5, low=-1.2, high=1.5, seed=1)
COMPLEX = VECTOR[:4] + 1j * MATRIX
HOLES = np.where(np.arange(12).reshape(3, 4) % 5 == 2, np.nan, MATRIX)


def along_axes(function: Any, *, tuples: bool = True, **options: Any) -> list[Sample]:
    """All ways to name the axes."""
    samples = [
        Sample(function, (VECTOR,), **options),
        Sample(function, (MATRIX,), **options),
        Sample(function, (MATRIX,), {"axis": 0}, **options),
        Sample(function, (MATRIX, 1), **options),
        Sample(function, (CUBE,), {"axis": -2}, **options),
        Sample(function, (MATRIX,), {"axis": -1, "keepdims": True}, **options),
        Sample(function, (MATRIX,), {"keepdims": True}, **options),
    ]
    if tuples:
        samples += [
            Sample(function, (CUBE,), {"axis": (0, 2)}, **options),
            Sample(function, (CUBE,), {"axis": (2, 0)}, **options),
            Sample(function, (CUBE,), {"axis": (1,)}, **options),
            Sample(function, (CUBE,), {"axis": (-1, 1), "keepdims": True}, **options),
            Sample(function, (CUBE,), {"axis": (0, 1, 2)}, **options),
        ]
    return samples


def along_one_axis(function: Any) -> list[Sample]:
    return [
        Sample(function, (VECTOR,)),
        Sample(function, (VECTOR, 0)),
        Sample(function, (MATRIX,)),
        Sample(function, (MATRIX,), {"axis": 0}),
        Sample(function, (CUBE,), {"axis": -2}),
        Sample(function, (CUBE,), {"axis": 2}),
    ]


SAMPLES: list[Sample] = [
    *along_axes(np.sum),
    Sample(np.sum, (COMPLEX,), {"axis": 0}),
    Sample(np.sum, (MATRIX,), {"axis": 1, "where": MATRIX > 0}),
    Sample(np.sum, (MATRIX,), {"where": np.array([True, False, True, True])}),
    *along_axes(np.mean),
    Sample(np.mean, (COMPLEX,), {"axis": 0}),
    *along_axes(np.nansum),
    *along_axes(np.nanmean),
    *[
        Sample(function, (HOLES,), options, name=f"holes,{options}", smooth=smooth)
        for function, smooth in (
            (np.nansum, True),
            (np.nanmean, True),
            (np.nanmax, False),
            (np.nanmin, False),
        )
        for options in ({}, {"axis": 0}, {"axis": 1, "keepdims": True})
    ],
    *along_axes(np.var),
    *along_axes(np.std),
    Sample(np.var, (MATRIX,), {"axis": 0, "ddof": 1}),
    Sample(np.std, (MATRIX,), {"axis": 0, "ddof": 1}),
    Sample(np.std, (VECTOR,), {"ddof": 1.5}),
    Sample(np.var, (COMPLEX,)),
    Sample(np.var, (COMPLEX,), {"axis": 0}),
    Sample(np.std, (COMPLEX,), {"axis": -1, "keepdims": True}),
    *[
        sample
        for function in (np.max, np.min, np.amax, np.amin, np.nanmax, np.nanmin, np.ptp)
        for sample in along_axes(function)
    ],
    *along_axes(np.prod),
    Sample(np.prod, (np.array([1.3, 0.0, -0.7]),)),
    Sample(np.prod, (COMPLEX,), {"axis": 0}),
    *along_axes(np.average, tuples=False),
    Sample(np.average, (VECTOR,), {"weights": VECTOR**2}, name="weights"),
    Sample(np.average, (VECTOR, None, VECTOR**2), name="weights"),
    Sample(np.average, (MATRIX, None, MATRIX**2), name="weights"),
    Sample(np.average, (MATRIX, 0, MATRIX**2), name="weights,axis=0"),
    Sample(np.average, (MATRIX, 0, np.array([0.3, 1.2, 0.7])), name="row of weights"),
    Sample(np.average, (CUBE, -2, np.array([0.3, 1.2, 0.7])), name="weights,axis=-2"),
    Sample(
        np.average,
        (MATRIX, -1, MATRIX**2),
        {"keepdims": True},
        name="weights,keepdims",
    ),
    *along_one_axis(np.cumsum),
    *along_one_axis(np.cumprod),
    Sample(np.cumprod, (np.array([1.3, 0.0, -0.7, 0.0, 2.0]),)),
    Sample(np.cumprod, (np.array([1.3]),)),
    *along_one_axis(np.diff)[::2],
    Sample(np.diff, (VECTOR,), {"n": 2}),
    Sample(np.diff, (CUBE, 2, 1)),
    Sample(np.ediff1d, (VECTOR,)),
    Sample(np.ediff1d, (MATRIX,)),
    Sample(np.trace, (MATRIX,)),
    Sample(np.trace, (MATRIX,), {"offset": 1}),
    Sample(np.trace, (MATRIX,), {"offset": -1}),
    Sample(np.trace, (MATRIX, 1, 1, 0)),
    Sample(np.trace, (CUBE,)),
    Sample(np.trace, (CUBE,), {"offset": 1, "axis1": 1, "axis2": 2}),
    Sample(np.trace, (CUBE,), {"axis1": 2, "axis2": 0}),
]


def ties(function: Any, name: str, values: Any, expected: Any) -> Special:
    return Special(f"{name} of ties", function, (np.array(values),), (expected,))


SPECIAL: list[Special] = [
    ties(np.max, "max", [1.0, 3.0, 3.0], [0, 0.5, 0.5]),
    ties(np.min, "min", [[2.0, 2.0], [2.0, 3.0]], [[1 / 3, 1 / 3], [1 / 3, 0]]),
    ties(np.max, "max of infinities", [-np.inf, -np.inf], [0.5, 0.5]),
    ties(np.ptp, "ptp", [1.0, 3.0, 3.0], [-1, 0.5, 0.5]),
    ties(np.ptp, "ptp of one number", [2.0, 2.0], [0, 0]),
    ties(np.std, "std", [2.0, 2.0, 2.0], [0, 0, 0]),
    ties(np.prod, "prod with a zero", [2.0, 0.0, 3.0], [0, 6, 0]),
    ties(np.prod, "prod with zeros", [2.0, 0.0, 0.0], [0, 0, 0]),
    ties(np.cumprod, "cumprod with a zero", [2.0, 0.0, 3.0], [1, 8, 0]),
    ties(np.sum, "sum of nothing", [], []),
    ties(np.prod, "prod of nothing", [], []),
]
