"""Samples of order statistics, covariances and counts."""

from __future__ import annotations

import numpy as np

from samples import Sample, Special, spread

VECTOR = spread(5, seed=1)
EVEN = spread(6, seed=2)
MATRIX = spread(3, 4, seed=3)
CUBE = spread(2, 3, 4)
HOLES = np.where(np.arange(12).reshape(3, 4) % 5 == 2, np.nan, MATRIX)

METHODS = (
    *("linear", "interpolated_inverted_cdf", "hazen", "weibull", "median_unbiased"),
    *("normal_unbiased", "lower", "higher", "midpoint", "nearest"),
)

SAMPLES: list[Sample] = [
    *[
        Sample(function, (array, *options), named)
        for function, options in (
            (np.median, ()),
            (np.nanmedian, ()),
            (np.quantile, (0.3,)),
            (np.percentile, (37.0,)),
            (np.nanquantile, (0.3,)),
            (np.nanpercentile, (37.0,)),
        )
        for array, named in (
            (VECTOR, {}),
            (EVEN, {}),
            (MATRIX, {}),
            (MATRIX, {"axis": 0}),
            (CUBE, {"axis": -1, "keepdims": True}),
            (CUBE, {"axis": (0, 2)}),
        )
    ],
    *[
        Sample(function, (array, [0.2, 0.55, 1.0]), options, wrt=(0,))
        for function in (np.quantile, np.nanquantile)
        for array, options in (
            (VECTOR, {}),
            (MATRIX, {"axis": 1}),
            (MATRIX, {"axis": 0, "keepdims": True}),
        )
    ],
    Sample(np.quantile, (VECTOR, np.array([[0.2], [0.7]]))),
    Sample(np.percentile, (MATRIX, np.array([10.0, 60.0]), 1)),
    *[
        Sample(np.quantile, (EVEN, 0.37), {"method": method}, wrt=(0,))
        for method in METHODS
    ],
    *[
        Sample(function, (HOLES, *options), named, name=f"holes,{named}")
        for function, options in (
            (np.nanmedian, ()),
            (np.nanquantile, (0.3,)),
            (np.nanpercentile, ([20.0, 60.0],)),
        )
        for named in ({}, {"axis": 0}, {"axis": 1, "keepdims": True})
    ],
    *[
        sample
        for function in (np.cov, np.corrcoef)
        for sample in (
            Sample(function, (MATRIX,)),
            Sample(function, (MATRIX,), {"rowvar": False}),
            Sample(function, (VECTOR, VECTOR**2)),
            Sample(function, (MATRIX, MATRIX[::-1] ** 2)),
            Sample(function, (MATRIX + 1j * MATRIX[:, ::-1] ** 2,)),
        )
    ],
    Sample(np.cov, (VECTOR,)),
    Sample(np.cov, (MATRIX,), {"bias": True}),
    Sample(np.cov, (MATRIX,), {"ddof": 0}),
    Sample(np.cov, (MATRIX,), {"aweights": [0.4, 1.0, 0.3, 0.2]}),
    Sample(np.cov, (MATRIX,), {"fweights": [1, 2, 1, 3]}),
    Sample(
        np.cov,
        (MATRIX,),
        {"fweights": [1, 2, 1, 3], "aweights": [0.4, 1.0, 0.3, 0.2]},
    ),
    Sample(np.bincount, (np.array([0, 2, 1, 2, 2]), VECTOR)),
    Sample(np.bincount, (np.array([0, 2, 1, 2, 2]), VECTOR, 5)),
]

SPECIAL: list[Special] = [
    Special(
        "median among equal numbers",
        lambda x: np.median(x),
        (np.array([2.0, 3.0, 1.0]),),
        (np.array([1.0, 0.0, 0.0]),),
    ),
]
