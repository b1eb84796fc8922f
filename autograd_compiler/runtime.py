"""The few helpers that generated code may call; they are emitted along with it.

They serve what is not known when compiling: whether a value was broadcast, whether it
is a number or an array.  Where types are known, generated code has none of them.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np


def zeros_like(value: Any) -> Any:
    """Zeros in the form of a value: the adjoint of something nothing depends on yet."""
    if isinstance(value, (list, tuple)):
        return [zeros_like(item) for item in value]
    if isinstance(value, dict):
        return {key: zeros_like(item) for key, item in value.items()}
    if isinstance(value, np.ndarray) and value.ndim:
        return np.zeros_like(value)
    return 0.0


def unbroadcast(adjoint: Any, value: Any) -> Any:
    """Sum an adjoint over the axes along which a value was broadcast."""
    if np.iscomplexobj(adjoint) and not np.iscomplexobj(value):
        adjoint = np.real(adjoint)
    shape = np.shape(value)
    if np.shape(adjoint) == shape:
        return adjoint
    extra = np.ndim(adjoint) - len(shape)
    adjoint = np.sum(adjoint, axis=tuple(range(extra)))
    for axis in range(len(shape)):
        if shape[axis] == 1:
            adjoint = np.sum(adjoint, axis=axis, keepdims=True)
    return adjoint


def copied(value: Any) -> Any:
    """A copy of an array, which nothing else refers to; a number as it is."""
    return np.copy(value) if np.ndim(value) else value + 0.0


def stop_gradient(value: Any) -> Any:
    """The value itself, whose derivative is taken to be zero.

    In generated code the call stays where it is, so that derivatives of the derivative
    stop there, too.

    Parameters
    ----------
    value : number, array or container
        What is taken for constant.

    Examples
    --------
    >>> from autograd_compiler import grad
    >>> grad(lambda x: x * stop_gradient(x))(3.0)
    3.0
    """
    return value


def add(first: Any, second: Any) -> Any:
    """Add adjoints of any form."""
    if isinstance(first, (list, tuple)):
        return [add(a, b) for a, b in zip(first, second, strict=True)]
    if isinstance(first, dict):
        return {key: add(first[key], second[key]) for key in first}
    return first + second


def deep_copy(value: Any) -> Any:
    """A copy that shares no array with the value, however it is nested."""
    if isinstance(value, (list, tuple)):
        return [deep_copy(item) for item in value]
    if isinstance(value, dict):
        return {key: deep_copy(item) for key, item in value.items()}
    if isinstance(value, np.ndarray):
        return value.copy()
    return value


def last_writes(adjoint: Any, index: Any) -> Any:
    """The adjoint of the value in `a[index] = value`, where places may repeat.

    NumPy lets the last write to a place win, so earlier ones get zero.
    """
    picked = adjoint[index]
    if isinstance(adjoint, (list, dict)):
        return picked
    order = np.arange(1, np.size(picked) + 1).reshape(np.shape(picked))
    winner = np.zeros(np.shape(adjoint), dtype=int)
    winner[index] = order
    return picked * (winner[index] == order)


def polygamma(n: int, x: float) -> float:
    """The derivative number `n` of the digamma function, the slope of `math.lgamma`.

    Small arguments are shifted by the recurrence to where the asymptotic series is exact
    to the last digits; for digamma itself, negative ones are reflected.  Abramowitz and Stegun, 6.4.
    """
    total = 0.0
    sign = -1.0 if n % 2 == 0 else 1.0
    if n == 0 and x < 0.5:
        # From psi(1 - x) - psi(x) = pi / tan(pi x).
        total = -math.pi / math.tan(math.pi * (x - math.floor(x)))
        x = 1.0 - x
    while x < 12.0 + n:
        if n == 0:
            total -= 1.0 / x
        else:
            total += sign * math.factorial(n) / x ** (n + 1)
        x += 1.0
    bernoulli = (
        1 / 6,
        -1 / 30,
        1 / 42,
        -1 / 30,
        5 / 66,
        -691 / 2730,
        7 / 6,
        -3617 / 510,
    )
    if n == 0:
        series = math.log(x) - 0.5 / x
        for k in range(8):
            series -= bernoulli[k] / ((2 * k + 2) * x ** (2 * k + 2))
        return total + series
    series = math.factorial(n - 1) / x**n + math.factorial(n) / (2 * x ** (n + 1))
    for k in range(8):
        rising = math.factorial(2 * k + 1 + n) / math.factorial(2 * k + 2)
        series += bernoulli[k] * rising / x ** (2 * k + 2 + n)
    return total + sign * series


def i0_derivative(k: int, x: Any) -> Any:
    """The derivative number `k` of the modified Bessel function `np.i0`.

    It is the mean of `cos(t)**k * exp(x * cos(t))` over a circle, of which equal steps
    give all digits; opposite points are paired, so that nothing cancels.
    """
    cosine = np.cos((np.arange(128) + 0.5) * (np.pi / 256))
    product = np.multiply.outer(x, cosine.astype(np.asarray(x).dtype))
    pair = np.sinh(product) if k % 2 else np.cosh(product)
    return np.mean(pair * cosine.astype(pair.dtype) ** k, axis=-1)


# Calls that look at the form of a value only, never at its numbers.
_OF_FORM = {
    np.zeros_like,
    np.ones_like,
    np.empty_like,
    np.shape,
    np.ndim,
    np.size,
    len,
    getattr,  # as the IR has it: for `.shape` and the like
    zeros_like,
}


def looks_at_form(fn: Any) -> bool:
    """Whether a call looks at the form of its argument only."""
    try:
        return fn in _OF_FORM
    except TypeError:  # what cannot be hashed
        return False
