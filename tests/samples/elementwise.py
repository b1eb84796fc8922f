"""Samples of Python's arithmetic and of NumPy's elementwise functions."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np

from autograd_compiler import runtime
from samples import Sample, Special, spread

INF = np.inf


def unary(function: Any, low: float, high: float, **options: Any) -> list[Sample]:
    """A number, a vector and a matrix from the function's domain."""
    return [
        Sample(function, (spread(low=low, high=high),), **options),
        Sample(function, (spread(5, low=low, high=high, seed=1),), **options),
        Sample(function, (spread(2, 3, low=low, high=high, seed=2),), **options),
    ]


def binary(
    function: Any,
    first: tuple[float, float],
    second: tuple[float, float],
    **options: Any,
) -> list[Sample]:
    """Numbers, vectors, and all that broadcasts."""

    def pair(shape: tuple[int, ...], other: tuple[int, ...]) -> Sample:
        x1 = spread(*shape, low=first[0], high=first[1], seed=1)
        x2 = spread(*other, low=second[0], high=second[1], seed=5)
        return Sample(function, (x1, x2), **options)

    shapes: list[tuple[tuple[int, ...], tuple[int, ...]]] = [
        ((), ()),
        ((4,), (4,)),
        ((), (3,)),
        ((3,), ()),
        ((2, 3), (3,)),
        ((3, 1), (4,)),
        ((2, 1, 3), (4, 1)),
    ]
    return [pair(*shape) for shape in shapes]


def complex_spread(*shape: int, seed: int = 0) -> Any:
    values = spread(*shape, low=0.3, high=1.2, seed=seed)
    return values + 1j * spread(*shape, low=-0.9, high=0.9, seed=seed + 3)


EVERYWHERE = (-1.3, 1.7)
POSITIVE = (0.3, 2.5)
INSIDE_ONE = (-0.85, 0.9)

SAMPLES: list[Sample] = [
    *binary(operator.add, EVERYWHERE, EVERYWHERE),
    *binary(operator.sub, EVERYWHERE, EVERYWHERE),
    *binary(operator.mul, EVERYWHERE, EVERYWHERE),
    *binary(operator.truediv, EVERYWHERE, POSITIVE),
    *binary(operator.mod, (5.1, 5.4), (1.1, 1.2)),
    *binary(operator.pow, POSITIVE, EVERYWHERE),
    *unary(operator.neg, *EVERYWHERE),
    *unary(operator.pos, *EVERYWHERE),
    *unary(operator.abs, *EVERYWHERE),
    *unary(abs, *EVERYWHERE),
    *binary(pow, POSITIVE, EVERYWHERE),
    Sample(divmod, (5.3, 1.2)),
    Sample(divmod, (spread(3, low=5.1, high=5.4), 1.2)),
    *binary(np.add, EVERYWHERE, EVERYWHERE),
    *binary(np.subtract, EVERYWHERE, EVERYWHERE),
    *binary(np.multiply, EVERYWHERE, EVERYWHERE),
    *binary(np.divide, EVERYWHERE, POSITIVE),
    *binary(np.remainder, (-5.4, -5.1), (1.1, 1.2)),
    *binary(np.fmod, (-5.4, -5.1), (1.1, 1.2)),
    *binary(np.divmod, (5.1, 5.4), (1.1, 1.2)),
    *binary(np.power, POSITIVE, EVERYWHERE),
    *binary(np.float_power, POSITIVE, EVERYWHERE),
    *unary(np.negative, *EVERYWHERE),
    *unary(np.positive, *EVERYWHERE),
    *unary(np.reciprocal, *POSITIVE),
    *unary(np.square, *EVERYWHERE),
    *[
        Sample(operator.pow, (spread(3, low=-1.2, high=1.3), exponent), wrt=(0,))
        for exponent in (0, 1, 2, 3, -1, 2.0)
    ],
    Sample(operator.pow, (spread(4, low=0.3, high=2.0), 0.5), wrt=(0,)),
    Sample(operator.pow, (2.0, spread(4)), wrt=(1,)),
    Sample(np.power, (spread(4, low=-1.2, high=1.3), np.array([0, 1, 2, 5]))),
    # exponentials
    *unary(np.exp, *EVERYWHERE),
    *unary(np.exp2, *EVERYWHERE),
    *unary(np.expm1, *EVERYWHERE),
    *unary(np.log, *POSITIVE),
    *unary(np.log2, *POSITIVE),
    *unary(np.log10, *POSITIVE),
    *unary(np.log1p, -0.6, 2.0),
    *binary(np.logaddexp, EVERYWHERE, EVERYWHERE),
    *binary(np.logaddexp2, EVERYWHERE, EVERYWHERE),
    *unary(np.sqrt, *POSITIVE),
    *unary(np.cbrt, *POSITIVE),
    # trigonometry
    *unary(np.sin, *EVERYWHERE),
    *unary(np.cos, *EVERYWHERE),
    *unary(np.tan, -1.1, 1.1),
    *unary(np.arcsin, *INSIDE_ONE),
    *unary(np.arccos, *INSIDE_ONE),
    *unary(np.arctan, *EVERYWHERE),
    *binary(np.arctan2, EVERYWHERE, POSITIVE),
    *binary(np.hypot, EVERYWHERE, POSITIVE),
    *unary(np.sinh, *EVERYWHERE),
    *unary(np.cosh, *EVERYWHERE),
    *unary(np.tanh, *EVERYWHERE),
    *unary(np.arcsinh, *EVERYWHERE),
    *unary(np.arccosh, 1.4, 3.0),
    *unary(np.arctanh, *INSIDE_ONE),
    *unary(np.sinc, *EVERYWHERE),
    *unary(np.i0, *EVERYWHERE),
    Sample(runtime.i0_derivative, (1, spread(3))),
    *unary(np.deg2rad, *EVERYWHERE),
    *unary(np.radians, *EVERYWHERE),
    *unary(np.rad2deg, *EVERYWHERE),
    *unary(np.degrees, *EVERYWHERE),
    Sample(np.unwrap, (np.array([0.3, 1.2, 5.1, 6.0, 0.4]),)),
    Sample(np.unwrap, (spread(3, 4, low=0.0, high=6.0),), {"axis": 0}),
    # signs, choices
    *unary(np.absolute, *EVERYWHERE),
    *unary(np.fabs, *EVERYWHERE),
    *binary(np.copysign, EVERYWHERE, EVERYWHERE),
    *binary(np.heaviside, EVERYWHERE, POSITIVE),
    Sample(np.nextafter, (spread(3), 9.0), wrt=(0,)),
    *unary(np.nan_to_num, *EVERYWHERE),
    *binary(np.maximum, EVERYWHERE, EVERYWHERE),
    *binary(np.minimum, EVERYWHERE, EVERYWHERE),
    *binary(np.fmax, EVERYWHERE, EVERYWHERE),
    *binary(np.fmin, EVERYWHERE, EVERYWHERE),
    Sample(np.clip, (spread(6), -0.31, 0.42)),
    Sample(np.clip, (spread(6), -0.31, None), wrt=(0, 1)),
    Sample(np.clip, (spread(6), None, 0.42), wrt=(0, 2)),
    Sample(np.clip, (spread(2, 3), spread(3, low=-0.6, high=-0.2), 0.5)),
    Sample(np.clip, (spread(3, 1), -0.5, spread(4, low=0.2, high=0.6))),
    Sample(np.where, (np.array([True, False, True]), spread(3), spread(3, seed=2))),
    Sample(np.where, (spread(3, 1) > 0, spread(4), spread(seed=2))),
    Sample(np.where, (np.array([True, False]), spread(), spread(3, 1, seed=2))),
    # parts of numbers
    Sample(np.modf, (np.array([1.3, -2.4, 0.7]),)),
    Sample(np.frexp, (np.array([1.3, -2.4, 0.7]),)),
    Sample(np.ldexp, (spread(3), 4)),
    Sample(np.ldexp, (spread(3, 1), np.array([2, -1]))),
    # complex numbers
    *[
        Sample(function, (complex_spread(3),))
        for function in (
            *(np.exp, np.exp2, np.expm1, np.log, np.log2, np.log10, np.log1p, np.sqrt),
            *(np.sin, np.cos, np.tan, np.sinh, np.cosh, np.tanh, np.square),
            *(np.arcsin, np.arccos, np.arctan, np.arcsinh, np.arccosh, np.arctanh),
            *(np.reciprocal, np.negative, np.absolute, np.conjugate, np.sinc),
            *(np.real, np.imag, np.angle, np.real_if_close),
        )
    ],
    Sample(np.arccosh, (-complex_spread(3),), name="left half plane"),
    Sample(np.arcsin, (2.0 * complex_spread(3),), name="outside of the circle"),
    Sample(abs, (0.4 - 0.3j,)),
    Sample(np.multiply, (complex_spread(3), complex_spread(2, 1, seed=4))),
    Sample(np.multiply, (spread(3), complex_spread(2, 1, seed=4))),
    Sample(np.divide, (spread(3), complex_spread(3, seed=4))),
    Sample(np.power, (complex_spread(3), complex_spread(3, seed=4))),
    Sample(np.power, (complex_spread(3), 3), wrt=(0,)),
    Sample(np.angle, (complex_spread(3), True)),
    Sample(np.angle, (spread(3, low=0.3, high=2.0),)),
    Sample(np.real, (spread(3),)),
    Sample(np.imag, (spread(3),)),
    Sample(np.conjugate, (spread(3),)),
    Sample(np.real_if_close, (spread(3),)),
    Sample(np.where, (spread(3) > 0, complex_spread(3), spread(3, seed=2))),
]

if np.lib.NumpyVersion(np.__version__) >= "2.1.0":
    SAMPLES += [
        Sample(np.clip, (spread(6),), {"min": -0.31}),
        Sample(np.clip, (spread(6),), {"min": -0.31, "max": 0.42}),
    ]


def vector(*numbers: float) -> Any:
    return np.array(numbers)


SPECIAL: list[Special] = [
    Special("abs at zero", abs, (0.0,), (0.0,)),
    Special("absolute at zero", np.absolute, (vector(0.0, -2.0),), (vector(0, -1),)),
    Special("fabs at zero", np.fabs, (0.0,), (0.0,)),
    Special("copysign at zero", np.copysign, (0.0, -1.0), (0.0, 0.0)),
    Special(
        "maximum of ties",
        np.maximum,
        (vector(1.0, -INF, 3.0), vector(1.0, -INF, 2.0)),
        (vector(0.5, 0.5, 1.0), vector(0.5, 0.5, 0.0)),
    ),
    Special(
        "minimum of ties",
        np.minimum,
        (vector(1.0, INF, 3.0), vector(1.0, INF, 2.0)),
        (vector(0.5, 0.5, 0.0), vector(0.5, 0.5, 1.0)),
    ),
    Special("rectifier at zero", np.maximum, (vector(0.0), 0), (vector(0.5),)),
    Special("fmax of nan", np.fmax, (1.0, np.nan), (1.0, 0.0)),
    Special("fmin of a tie", np.fmin, (2.0, 2.0), (0.5, 0.5)),
    Special(
        "clip at its bounds",
        np.clip,
        (vector(0.0, 1.0, -1.0, 2.0), 0.0, 1.0),
        (vector(1, 1, 0, 0), 1.0, 1.0),
    ),
    Special(
        "clip to one number", np.clip, (vector(-1.0, 2.0), 0.5, 0.5), ([0, 0], 1, 1)
    ),
    Special(
        "where away from an infinity",
        np.where,
        (vector(1.0, 0.0) > 0, vector(INF, INF), vector(1.0, 1.0)),
        (vector(1, 0), vector(0, 1)),
    ),
    Special(
        "root where positive",
        lambda x: np.where(x > 0, np.sqrt(x), 0),
        (vector(0.0, -1.0, 4.0),),
        (vector(0, 0, 0.25),),
    ),
    Special(
        "root of a number where positive",
        lambda x: np.where(x > 0, 3 * np.sqrt(x), 0),
        (0.0,),
        (0.0,),
    ),
    Special(
        "entropy where positive",
        lambda x: -np.where(x > 0, x * np.log(x), 0),
        (vector(0.0, 1.0, 2.0),),
        (vector(0, -1, -1 - np.log(2.0)),),
    ),
    Special(
        "choice in a choice",
        lambda x: np.where(
            x > 0, np.where(x < 4, 1 / np.log(x), x), np.where(x < 0, (-x) ** 0.5, 0)
        ),
        (vector(0.0, 1.0, 2.0, 9.0, -4.0),),
        (vector(0, -INF, -0.5 / np.log(2.0) ** 2, 1, -0.25),),
    ),
    Special(
        "safe division by select",
        lambda x, y: np.select([y != 0], [x / y], 1.0),
        (vector(1.0, 3.0), vector(0.0, 2.0)),
        (vector(0, 0.5), vector(0, -0.75)),
    ),
    Special(
        "power where positive, beside a sum",
        lambda x: np.sum(x) + np.where(x > 0, x**-1.5 + np.log(x), x),
        (vector(0.0, 1.0),),
        (vector(3, 1.5),),
    ),
    Special("zero to the zero", operator.pow, (vector(0.0), 0), (vector(0.0),)),
    Special("zero to the zero, both", np.power, (0.0, 0.0), (0.0, 0.0)),
    Special("zero to the one", operator.pow, (vector(0.0), 1), (vector(1.0),)),
    Special("zero to the two", operator.pow, (0.0, 2), (0.0,)),
    Special("zero to a power", operator.pow, (0, vector(1.5, 2.0)), (vector(0, 0),)),
    Special("negative to the two", operator.pow, (vector(-3.0), 2), (vector(-6.0),)),
    Special("hypot at the origin", np.hypot, (0.0, 0.0), (0.0, 0.0)),
    Special("arctan2 at the origin", np.arctan2, (0.0, 0.0), (0.0, 0.0)),
    Special("arctan2 on an axis", np.arctan2, (0.0, 2.0), (0.5, 0.0)),
    Special("sqrt at zero", np.sqrt, (vector(0.0),), (vector(INF),)),
    Special("sinc at zero", np.sinc, (0.0,), (0.0,)),
    Special("sinc near zero", np.sinc, (1e-9,), (-1e-9 * np.pi**2 / 3,)),
    Special(
        "logaddexp of minus infinities",
        np.logaddexp,
        (vector(-INF, -INF, 800.0), vector(-INF, 1.0, -800.0)),
        (vector(0, 0, 1), vector(0, 1, 0)),
    ),
    Special("logaddexp2 of minus infinities", np.logaddexp2, (-INF, -INF), (0.0, 0.0)),
    Special("heaviside at zero", np.heaviside, (0.0, 0.5), (0.0, 1.0)),
    Special(
        "nan_to_num of what is not a number",
        np.nan_to_num,
        (vector(np.nan, INF, 1.0),),
        (vector(0, 0, 1),),
    ),
    Special("fmod by infinity", np.fmod, (1.5, INF), (1.0, 0.0)),
    Special("tanh far out", np.tanh, (400.0,), (0.0,)),
    Special(
        "arcsin near one",
        np.arcsin,
        (1 - 2.0**-50,),
        (2.0**25 / (2.0 - 2.0**-50) ** 0.5,),
    ),
]
