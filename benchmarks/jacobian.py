"""Whole Jacobians, next to JAX where it is installed.

Run with `python -m benchmarks.jacobian`.  Times are medians after a first call that
compiles; JAX's are of jitted functions in double precision.  The Jacobians are checked
against each other first.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import autograd_compiler
from benchmarks.quick import seconds

SIZE = 100


def two_layers(np: Any) -> Callable[..., Any]:
    """Products with matrices: 100 results of 100 arguments."""

    def function(x, first, second):
        return np.tanh(second @ np.tanh(first @ x))

    return function


def stencil(np: Any) -> Callable[..., Any]:
    """One step of a nonlinear stencil."""

    def function(x, *_):
        left, right = np.roll(x, 1), np.roll(x, -1)
        return x + 0.1 * (left - 2.0 * x + right) - 0.05 * x * (right - left)

    return function


def elementwise(np: Any) -> Callable[..., Any]:
    """Each result depends on one argument."""

    def function(x, *_):
        return np.sin(x) * np.exp(-(x**2))

    return function


def jax_transform(name: str, make: Any) -> Callable[..., Any] | None:
    try:
        import jax
    except ImportError:
        return None
    jax.config.update("jax_enable_x64", True)
    compiled = jax.jit(getattr(jax, name)(make(jax.numpy)))
    return lambda *args: compiled(*args).block_until_ready()


def main() -> None:
    """Print the table."""
    random = np.random.default_rng(0)
    matrices = random.normal(size=(2, SIZE, SIZE)) / 10.0
    args = (random.normal(size=SIZE), *matrices)
    heading = ("JAX", "Python", "Numba", "Python/JAX", "Numba/JAX")
    print(f"{'':22}" + "".join(f"{title:>12}" for title in heading))
    for make in (two_layers, stencil, elementwise):
        for name in ("jacrev", "jacfwd"):
            transform = getattr(autograd_compiler, name)
            function = make(np)
            python, numba = transform(function), transform(function, backend="numba")
            wanted = python(*args)
            np.testing.assert_allclose(numba(*args), wanted, rtol=1e-8, atol=1e-12)
            other = jax_transform(name, make)
            timed = (python, numba)
            if other is not None:
                np.testing.assert_allclose(other(*args), wanted, rtol=1e-8, atol=1e-12)
                timed = (*timed, other)
            ours, compiled, *jax = seconds(timed, args)
            row = f"{make.__name__:14}{name:8}"
            row += f"{jax[0] * 1e6:9.0f} µs" if jax else f"{'missing':>12}"
            row += f"{ours * 1e6:9.0f} µs{compiled * 1e6:9.0f} µs"
            if jax:
                row += f"{ours / jax[0]:11.1f}×{compiled / jax[0]:11.2f}×"
            print(row, flush=True)


if __name__ == "__main__":
    main()
