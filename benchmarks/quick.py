"""How much a gradient costs, as a multiple of the function in plain NumPy.

Run with `python -m benchmarks.quick`; takes less than a minute.  A ratio of 3 says that
the gradient takes three times as long as the function; below 1, compiling pays for it.
Times are medians of several runs, after one that compiles.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from autograd_compiler import grad

REPEATS = 7
SECONDS = 0.15  # the least that one repeat measures


def heat_in_place(u, steps):
    """The heat equation, written into one array."""
    u = u.copy()
    for _ in range(steps):
        u[1:-1] += 0.2 * (u[2:] - 2.0 * u[1:-1] + u[:-2])
    return np.sum(u**2)


def heat_by_elements(u, steps):
    """The same by a loop over elements, as one writes it for a compiler."""
    u = u.copy()
    for _ in range(steps):
        left = u[0]
        for i in range(1, len(u) - 1):
            middle = u[i]
            u[i] = middle + 0.2 * (u[i + 1] - 2.0 * middle + left)
            left = middle
    return np.sum(u**2)


def burgers(u, steps):
    """A nonlinear stencil: the old state is needed to go back."""
    for _ in range(steps):
        flux = 0.5 * u**2
        u = u - 0.1 * (flux - np.roll(flux, 1))
    return np.sum(u**2)


def newton(a):
    """Square roots by a loop that ends when it has converged."""
    total = 0.0
    for k in range(100):
        target = a + k
        x = target
        while abs(x * x - target) > 1e-10 * target:
            x = 0.5 * (x + target / x)
        total += x
    return total


def logistic_regression(w, x, y):
    """Whole-array expressions: two products with a matrix."""
    z = x @ w
    return np.mean(np.log1p(np.exp(-y * z))) + 0.01 * np.sum(w**2)


def recurrence(h, w, steps):
    """A small recurrent network."""
    for _ in range(steps):
        h = np.tanh(w @ h)
    return np.sum(h)


def programs() -> list[tuple[Callable[..., Any], tuple[Any, ...]]]:
    random = np.random.default_rng(0)
    u = np.sin(np.linspace(0.0, 3.0, 200))
    x = random.normal(size=(2000, 50))
    y = np.sign(random.normal(size=2000))
    w = random.normal(size=(16, 16)) / 4.0
    return [
        (heat_in_place, (u, 200)),
        (heat_by_elements, (u, 20)),
        (burgers, (u, 100)),
        (newton, (2.0,)),
        (logistic_regression, (random.normal(size=50), x, y)),
        (recurrence, (random.normal(size=16), w, 100)),
    ]


def seconds(
    functions: tuple[Callable[..., Any], ...], args: tuple[Any, ...]
) -> list[float]:
    """The median time of a call of each; they take turns, so that all see the same."""
    counts = []
    for function in functions:
        start = time.perf_counter()
        function(*args)
        once = max(time.perf_counter() - start, 1e-7)
        counts.append(max(1, round(SECONDS / REPEATS / once)))
    found: list[list[float]] = [[] for _ in functions]
    for _ in range(REPEATS):
        for function, count, times in zip(functions, counts, found, strict=True):
            start = time.perf_counter()
            for _ in range(count):
                function(*args)
            times.append((time.perf_counter() - start) / count)
    return [statistics.median(times) for times in found]


def check(function: Callable[..., Any], args: tuple[Any, ...], *gradients: Any) -> None:
    """The gradients agree with each other, and along a line with differences."""
    first, *rest = gradients
    for other in rest:
        np.testing.assert_allclose(other, first, rtol=1e-9, atol=1e-12)
    direction = np.cos(np.arange(np.size(args[0]))).reshape(np.shape(args[0]))
    step = 1e-5

    def along(distance: float) -> float:
        return float(function(args[0] + distance * direction, *args[1:]))

    slope = (along(step) - along(-step)) / (2.0 * step)
    np.testing.assert_allclose(np.sum(first * direction), slope, rtol=1e-5)


def main() -> None:
    """Print the table."""
    print(f"{'':22}{'primal':>10}{'gradient: Python':>20}{'Numba':>10}")
    for function, args in programs():
        python = grad(function)
        compiled = grad(function, backend="numba")
        check(function, args, python(*args), compiled(*args))
        primal, *others = seconds((function, python, compiled), args)
        print(
            f"{function.__name__:22}{primal * 1e6:7.0f} µs"
            f"{others[0] / primal:19.1f}×{others[1] / primal:9.2f}×",
            flush=True,
        )


if __name__ == "__main__":
    main()
