"""Reductions with `where=`, `initial=` and the like, and those that pass over nan."""

from __future__ import annotations

import numpy as np

from autograd_compiler.rules.static import existing
from samples import Sample, Special, spread

VECTOR = spread(5, low=0.3, high=1.8, seed=1)
MATRIX = spread(3, 4, low=-1.2, high=1.5, seed=3)
MASK = MATRIX > -0.5
CUBE = spread(2, 3, 4, low=0.3, high=1.8)
HOLES = np.where(np.arange(12).reshape(3, 4) % 5 == 2, np.nan, MATRIX)


def holed(function, options, **others):
    return Sample(function, (HOLES,), options, name=f"holes,{options}", **others)


SAMPLES: list[Sample] = [
    *[
        Sample(function, (MATRIX,), {"where": MASK, "initial": 0.5, **options})
        for function in (np.sum, np.prod, np.max, np.min, np.nanmax, np.nanmin)
        for options in ({}, {"axis": 1}, {"axis": (0, 1), "keepdims": True})
    ],
    *[
        Sample(
            function,
            (MATRIX,),
            {"where": MASK, **options},
            # Of one column, one number is chosen: its deviation has a kink.
            smooth=function is not np.std
            or "axis" not in options
            or "keepdims" in options,
        )
        for function in (np.prod, np.mean, np.var, np.std, np.nansum, np.nanmean)
        for options in ({}, {"axis": 0}, {"axis": -1, "keepdims": True})
    ],
    Sample(np.max, (MATRIX,), {"initial": 9.0}),
    Sample(np.amin, (MATRIX,), {"axis": 0, "initial": -9.0}),
    Sample(np.amax, (CUBE,), {"axis": 0, "initial": 0.1}),
    Sample(np.sum, (MATRIX,), {"axis": 1, "initial": 2.0}),
    Sample(np.prod, (MATRIX,), {"axis": 1, "initial": 2.0}),
    Sample(np.var, (MATRIX,), {"correction": 1}),
    Sample(np.std, (MATRIX,), {"axis": 0, "correction": 1}),
    Sample(np.var, (MATRIX,), {"axis": 0, "mean": np.full((1, 4), 0.3)}),
    Sample(np.std, (MATRIX,), {"mean": np.full((1, 1), 0.3), "ddof": 1}),
    Sample(np.average, (MATRIX,), {"returned": True}),
    Sample(np.average, (MATRIX, 0, np.array([0.3, 1.2, 0.7]), True), name="returned"),
    Sample(np.nanprod, (MATRIX,)),
    Sample(np.nanprod, (CUBE,), {"axis": (0, 2), "keepdims": True}),
    Sample(np.nanvar, (MATRIX,), {"axis": 1}),
    Sample(np.nanstd, (MATRIX,), {"axis": 1}),
    Sample(np.nancumsum, (MATRIX,)),
    Sample(np.nancumsum, (CUBE,), {"axis": 1}),
    Sample(np.nancumprod, (VECTOR,)),
    Sample(np.nancumprod, (CUBE,), {"axis": -1}),
    *[
        holed(function, options)
        for function in (np.nanprod, np.nanvar, np.nanstd)
        for options in ({}, {"axis": 0}, {"axis": 1, "keepdims": True})
    ],
    holed(np.nanvar, {"ddof": 1}),
    holed(np.nanstd, {"correction": 1}),
    holed(np.nanvar, {"where": MASK}),
    holed(np.nancumsum, {"axis": 1}),
    holed(np.nancumprod, {"axis": 0}),
    Sample(np.diff, (VECTOR,), {"prepend": 0.3, "append": 0.9}),
    Sample(np.diff, (MATRIX, 2, 0), {"prepend": np.ones((2, 4))}),
    Sample(np.diff, (MATRIX,), {"append": 2.0}),
    Sample(np.ediff1d, (VECTOR,), {"to_begin": 0.3}),
    Sample(np.ediff1d, (MATRIX, spread(2), spread(3))),
]
for _operator in existing("cumulative_sum", "cumulative_prod"):
    SAMPLES += [
        Sample(_operator, (VECTOR,)),
        Sample(_operator, (CUBE,), {"axis": 1}),
        Sample(_operator, (CUBE,), {"axis": -1, "include_initial": True}),
    ]

SPECIAL: list[Special] = [
    Special(
        "std of equal numbers that were chosen",
        lambda x: np.std(x, where=x < 5),
        (np.array([2.0, 2.0, 7.0]),),
        (np.zeros(3),),
    ),
    Special(
        "nanvar passes over nan",
        lambda x: np.nanvar(x),
        (np.array([1.0, np.nan, 3.0]),),
        (np.array([-1.0, 0.0, 1.0]),),
    ),
]
