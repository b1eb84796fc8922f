"""Samples of differences, integrals, convolutions and polynomials."""

from __future__ import annotations

import numpy as np

from autograd_compiler.rules.static import existing
from samples import Sample, spread

VECTOR = spread(5, seed=1)
EVEN = spread(4, seed=2)
MATRIX = spread(3, 4, seed=3)
CUBE = spread(2, 3, 4)
GRID = np.array([0.0, 0.4, 1.1, 1.3, 2.2])
COMPLEX = VECTOR + 1j * VECTOR[::-1] ** 2

SAMPLES: list[Sample] = [
    Sample(np.gradient, (VECTOR,)),
    Sample(np.gradient, (VECTOR, 0.3)),
    Sample(np.gradient, (VECTOR, GRID)),
    Sample(np.gradient, (VECTOR,), {"edge_order": 2}),
    Sample(np.gradient, (VECTOR, GRID), {"edge_order": 2}),
    Sample(np.gradient, (MATRIX,)),
    Sample(np.gradient, (MATRIX, 0.3)),
    Sample(np.gradient, (MATRIX, 0.3, GRID[:4])),
    Sample(np.gradient, (MATRIX,), {"axis": 1}),
    Sample(np.gradient, (MATRIX, GRID[:3]), {"axis": 0, "edge_order": 2}),
    *[
        sample
        for function in existing("trapezoid")
        for sample in (
            Sample(function, (VECTOR,)),
            Sample(function, (VECTOR, GRID)),
            Sample(function, (MATRIX,), {"dx": 0.3}),
            Sample(function, (MATRIX, GRID[:3], 1.0, 0)),
            Sample(function, (CUBE, spread(2, 3, 4, seed=4)), {"axis": 1}),
        )
    ],
    *[
        Sample(
            function, pair, {"mode": mode}, name=f"{len(pair[0])},{len(pair[1])},{mode}"
        )
        for function in (np.convolve, np.correlate)
        for mode in ("full", "same", "valid")
        for pair in (
            (VECTOR, EVEN),
            (EVEN, VECTOR),
            (VECTOR, EVEN[:3]),
            (EVEN[:2], VECTOR),
            (EVEN, EVEN[:2]),
            (EVEN, EVEN[::-1]),
        )
    ],
    Sample(np.convolve, (COMPLEX, COMPLEX[:3])),
    Sample(np.correlate, (COMPLEX, COMPLEX[:3])),
    Sample(np.correlate, (COMPLEX, COMPLEX[:2], "same")),
    Sample(np.vander, (VECTOR,)),
    Sample(np.vander, (VECTOR, 3)),
    Sample(np.vander, (VECTOR, 4, True)),
    Sample(np.polyval, (VECTOR, 0.4)),
    Sample(np.polyval, (VECTOR, MATRIX)),
    Sample(np.polyval, ([0.3, -1.0, 0.5], VECTOR), wrt=(1,)),
    *[
        Sample(function, pair)
        for function in (np.polyadd, np.polysub, np.polymul)
        for pair in ((VECTOR, EVEN), (EVEN, VECTOR))
    ],
    Sample(np.polyder, (VECTOR,)),
    Sample(np.polyder, (VECTOR, 2)),
    Sample(np.polyint, (VECTOR,)),
    Sample(np.polyint, (VECTOR, 2)),
    Sample(np.polyint, (VECTOR, 2, [0.3, 0.4]), wrt=(0,)),
    Sample(np.polyint, (VECTOR,), {"k": 0.7}),
    Sample(np.polyfit, (GRID, VECTOR, 2)),
    Sample(np.polyfit, (GRID, VECTOR, 1), {"w": np.array([1.0, 0.5, 2.0, 1.0, 0.3])}),
    Sample(np.polyfit, (GRID, spread(5, 2), 2)),
    Sample(np.poly, (VECTOR,)),
    Sample(np.poly, (COMPLEX[:3],)),
    Sample(np.roots, (np.array([1.0, -0.3, -2.0, 0.4]),)),
    Sample(np.roots, (np.array([1.0, 0.3, 2.0]),)),
    Sample(np.roots, (COMPLEX[:4],)),
]
