"""Statements that are there for what they do: print, assert, raise, errstate."""

from __future__ import annotations

import logging
import math
import warnings

import numpy as np

from corpus import program

X = np.array([0.7, -1.2, 0.4, 1.9])
logger = logging.getLogger(__name__)


@program(0.7)
def printing(x):
    y = x * x
    print("y =", y)
    return y * x


@program(0.7, numba=False)
def printing_formatted(x):
    y = math.sin(x)
    print(f"{y:.3f} after {x!r}", end="\n")
    return y


@program(0.7)
def assertion(x):
    assert x > 0.0
    y = math.log(x)
    assert y < 1.0, "too large"
    return y * y


@program(0.7, numba=False)
def assertion_with_formatted_message(x):
    assert x > 0.0, f"x is {x}"
    return x**2


@program(0.7)
def raise_not_reached(x):
    if x < 0.0:
        raise ValueError("x must be positive")
    return math.sqrt(x)


@program(0.7, "square")
def raise_in_the_last_branch(x, kind):
    if kind == "square":
        y = x * x
    elif kind == "cube":
        y = x**3
    else:
        raise ValueError(f"unknown kind {kind}")
    return y * 2.0


@program(X)
def raise_in_a_loop_not_reached(x):
    total = 0.0
    for item in x:
        if math.isnan(item):
            raise ValueError
        total += item**2
    return total


@program(X)
def error_state(x):
    with np.errstate(divide="ignore", invalid="ignore"):
        y = np.sin(x) / x
        z = np.sum(y**2)
    return z * x[0]


@program(X)
def write_under_an_error_state(x):
    y = np.zeros(4)
    for i in range(4):
        with np.errstate(all="ignore"):
            y[i] = x[i] ** 2
            y[i] *= x[0]
    return np.sum(y)


@program(X)
def return_under_an_error_state(x):
    with np.errstate(all="ignore"):
        if x[0] > 0.0:
            return np.sum(x**2)
    return 0.0


@program(0.7)
def pass_and_docstring(x):
    """Nothing of this is differentiated."""
    pass
    "a string on its own"
    ...
    return x * x


@program(0.7)
def expression_statement(x):
    x * x
    math.sin(x)
    return x**3


@program(0.7, numba=False)
def logging_a_value(x):
    y = x * x
    logger.debug("y is %s", y)
    return y * x


@program(0.7, numba=False)
def warning_not_given(x):
    if x > 5.0:
        warnings.warn("x is large", stacklevel=1)
    return x * math.cos(x)


@program(X, numba=False)
def printing_in_a_loop(x):
    y = 1.0
    for i, item in enumerate(x):
        y = y * math.cos(item)
        if i == 2:
            print(i, y, sep=": ")
    return y


@program(X)
def helper_that_prints(x):
    def report(name, value):
        print(name, value)

    y = np.sum(x**2)
    report("y", y)
    return y * y
