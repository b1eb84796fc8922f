"""Finite differences on grids: linear, written in place, by slices or by loops."""

from __future__ import annotations

import numpy as np

from benchmarks.workloads import Workload, sized


def jacobi_2d(u, steps):
    """Averages of neighbours, from one array to another and back."""
    a = u.copy()
    b = u.copy()
    for _ in range(steps):
        b[1:-1, 1:-1] = 0.2 * (
            a[1:-1, 1:-1] + a[1:-1, :-2] + a[1:-1, 2:] + a[2:, 1:-1] + a[:-2, 1:-1]
        )
        a[1:-1, 1:-1] = 0.2 * (
            b[1:-1, 1:-1] + b[1:-1, :-2] + b[1:-1, 2:] + b[2:, 1:-1] + b[:-2, 1:-1]
        )
    return np.sum(a**2)


def heat_3d(u, steps):
    """The heat equation in three dimensions."""
    a = u.copy()
    b = u.copy()
    for _ in range(steps):
        b[1:-1, 1:-1, 1:-1] = (
            0.125 * (a[2:, 1:-1, 1:-1] - 2.0 * a[1:-1, 1:-1, 1:-1] + a[:-2, 1:-1, 1:-1])
            + 0.125
            * (a[1:-1, 2:, 1:-1] - 2.0 * a[1:-1, 1:-1, 1:-1] + a[1:-1, :-2, 1:-1])
            + 0.125
            * (a[1:-1, 1:-1, 2:] - 2.0 * a[1:-1, 1:-1, 1:-1] + a[1:-1, 1:-1, :-2])
            + a[1:-1, 1:-1, 1:-1]
        )
        a[1:-1, 1:-1, 1:-1] = (
            0.125 * (b[2:, 1:-1, 1:-1] - 2.0 * b[1:-1, 1:-1, 1:-1] + b[:-2, 1:-1, 1:-1])
            + 0.125
            * (b[1:-1, 2:, 1:-1] - 2.0 * b[1:-1, 1:-1, 1:-1] + b[1:-1, :-2, 1:-1])
            + 0.125
            * (b[1:-1, 1:-1, 2:] - 2.0 * b[1:-1, 1:-1, 1:-1] + b[1:-1, 1:-1, :-2])
            + b[1:-1, 1:-1, 1:-1]
        )
    return np.sum(a**2)


def fdtd_2d(ex, ey, hz, source):
    """Maxwell's equations: three fields that update each other."""
    ex = ex.copy()
    ey = ey.copy()
    hz = hz.copy()
    for t in range(len(source)):
        ey[0, :] = source[t]
        ey[1:, :] -= 0.5 * (hz[1:, :] - hz[:-1, :])
        ex[:, 1:] -= 0.5 * (hz[:, 1:] - hz[:, :-1])
        hz[:-1, :-1] -= 0.7 * (ex[:-1, 1:] - ex[:-1, :-1] + ey[1:, :-1] - ey[:-1, :-1])
    return np.sum(hz**2)


def seidel_2d(a, steps):
    """Averages that use what was just computed: half slices, half a loop."""
    a = a.copy()
    n = len(a)
    for _ in range(steps):
        for i in range(1, n - 1):
            a[i, 1:-1] += (
                a[i - 1, :-2]
                + a[i - 1, 1:-1]
                + a[i - 1, 2:]
                + a[i, 2:]
                + a[i + 1, :-2]
                + a[i + 1, 1:-1]
                + a[i + 1, 2:]
            )
            for j in range(1, n - 1):
                a[i, j] += a[i, j - 1]
                a[i, j] /= 9.0
    return np.sum(a**2)


def burgers(u, steps):
    """A nonlinear stencil: the old state is needed to go back."""
    for _ in range(steps):
        flux = 0.5 * u**2
        u = u - 0.1 * (flux - np.roll(flux, 1))
    return np.sum(u**2)


def _square_grid(random, size):
    n, steps = size
    return random.random((n, n)), steps


def _cubic_grid(random, size):
    n, steps = size
    return random.random((n, n, n)), steps


def _fields(random, size):
    n, steps = size
    ex, ey, hz = (random.random((n, n)) for _ in range(3))
    return ex, ey, hz, np.sin(np.arange(steps) / 5.0)


WORKLOADS = (
    Workload(
        jacobi_2d, (0,), _square_grid, sized((30, 20), (150, 50), (700, 50)), False
    ),
    Workload(heat_3d, (0,), _cubic_grid, sized((10, 10), (40, 25), (100, 25)), False),
    Workload(fdtd_2d, (0, 1, 2), _fields, sized((30, 20), (200, 50), (700, 50)), False),
    Workload(seidel_2d, (0,), _square_grid, sized((20, 5), (60, 10), (200, 20)), False),
    Workload(
        burgers,
        (0,),
        lambda random, size: (0.5 + 0.2 * random.random(size[0]), size[1]),
        sized((50, 50), (1000, 200), (100_000, 50)),
    ),
)
