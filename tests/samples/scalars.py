"""Samples of the functions of Python's numbers."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from autograd_compiler import runtime
from samples import Sample, Special, spread


def from_math(name: str, *cases: tuple[Any, ...]) -> list[Sample]:
    """Samples of a function of `math`, if this version of Python has it."""
    function = getattr(math, name, None)
    return [Sample(function, case) for case in cases] if function else []


SAMPLES: list[Sample] = [
    Sample(float, (1.3,)),
    Sample(complex, (1.3,)),
    Sample(complex, (1.3, -0.4)),
    Sample(complex, (0.2 + 0.7j,)),
    *[Sample(cast, (1.3,)) for cast in (np.float64, np.longdouble, np.complex128)],
    # Too coarse for differences of a small step.
    *[
        Sample(cast, (1.25,), wrt=(), smooth=False)
        for cast in (np.float16, np.float32, np.complex64)
    ],
    Sample(list, ([0.7, 1.3],), wrt=(0,)),
    Sample(list, (spread(3),)),
    Sample(tuple, (spread(2, 3),)),
    Sample(max, (1.3, 0.7)),
    Sample(max, (0.7, 1.3)),
    Sample(min, (1.3, 0.7)),
    Sample(min, (0.7, 1.3)),
    *from_math("sqrt", (1.7,)),
    *from_math("cbrt", (1.7,), (-0.6,)),
    *from_math("pow", (1.7, 2.3), (0.4, -1.2), (1.3, 1.0)),
    *from_math("exp", (0.7,)),
    *from_math("exp2", (0.7,)),
    *from_math("expm1", (0.7,)),
    *from_math("log", (1.7,), (1.7, 3.1), (0.4, 0.2)),
    *from_math("log2", (1.7,)),
    *from_math("log10", (1.7,)),
    *from_math("log1p", (0.7,)),
    *from_math("sin", (0.7,)),
    *from_math("cos", (0.7,)),
    *from_math("tan", (0.7,)),
    *from_math("asin", (0.7,)),
    *from_math("acos", (0.7,)),
    *from_math("atan", (0.7,)),
    *from_math("atan2", (0.7, -0.4), (0.7, 1.1), (-0.2, -1.3)),
    *from_math("hypot", (0.7, -0.4), (0.7, -0.4, 1.3), (0.3, 0.4, 0.5, 0.6)),
    *from_math("sinh", (0.7,)),
    *from_math("cosh", (0.7,)),
    *from_math("tanh", (0.7,)),
    *from_math("asinh", (0.7,)),
    *from_math("acosh", (1.7,)),
    *from_math("atanh", (0.7,)),
    *from_math("radians", (0.7,)),
    *from_math("degrees", (0.7,)),
    *from_math("erf", (0.7,)),
    *from_math("erfc", (0.7,)),
    *from_math("gamma", (0.3,), (4.2,), (-1.4,)),
    *from_math("lgamma", (0.3,), (17.5,), (-2.6,)),
    Sample(runtime.polygamma, (1, 0.7)),
    *from_math("fabs", (0.7,), (-0.7,)),
    *from_math("copysign", (0.7, -0.2), (-0.7, -0.2), (-0.7, 0.2)),
    *from_math("fmod", (5.3, 1.2), (-5.3, 1.2)),
    *from_math("remainder", (5.3, 1.2), (5.8, 1.2)),
    Sample(math.nextafter, (0.7, 9.0), wrt=(0,)),
    *from_math("fma", (0.7, 1.3, -0.4)),
    *from_math("modf", (1.3,), (-2.4,)),
    *from_math("frexp", (1.3,), (-5.4,)),
    *from_math("ldexp", (1.3, 3), (1.3, -2)),
    Sample(math.fsum, ([0.7, 1.3, -0.4],), wrt=(0,)),
    Sample(math.prod, ([0.7, 1.3, -0.4],), wrt=(0,)),
    Sample(math.prod, ([0.7, 1.3],), {"start": 2.5}, wrt=(0,)),
    Sample(math.dist, ([0.7, 1.3], [-0.4, 0.2]), wrt=(0, 1)),
]

if hasattr(math, "sumprod"):
    SAMPLES.append(Sample(math.sumprod, ([0.7, 1.3], [-0.4, 0.2]), wrt=(0, 1)))

SPECIAL: list[Special] = [
    Special("max of a tie", max, (2.0, 2.0), (0.5, 0.5)),
    Special("min of a tie", min, (2.0, 2.0), (0.5, 0.5)),
    Special("math.fabs at zero", math.fabs, (0.0,), (0.0,)),
    Special("math.copysign at zero", math.copysign, (0.0, -1.0), (0.0, 0.0)),
    Special("math.hypot at the origin", math.hypot, (0.0, 0.0, 0.0), (0.0, 0.0, 0.0)),
    Special("math.atan2 at the origin", math.atan2, (0.0, 0.0), (0.0, 0.0)),
    Special("math.atan2 on an axis", math.atan2, (0.0, 2.0), (0.5, 0.0)),
    Special("math.pow, zero to the zero", math.pow, (0.0, 0.0), (0.0, 0.0)),
    Special("math.pow, zero to the two", math.pow, (0.0, 2.0), (0.0, 0.0)),
    Special("math.pow, zero to the one", math.pow, (0.0, 1.0), (1.0, 0.0)),
]
