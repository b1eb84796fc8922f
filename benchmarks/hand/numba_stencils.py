"""Adjoints of the stencils by loops: each place gathers what it contributed to."""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(error_model="numpy")
def _average(new, old):
    n, m = old.shape
    for i in range(1, n - 1):
        for j in range(1, m - 1):
            new[i, j] = 0.2 * (
                old[i, j]
                + old[i, j - 1]
                + old[i, j + 1]
                + old[i + 1, j]
                + old[i - 1, j]
            )


@njit(error_model="numpy")
def _average_edges(d_edges, d_inner):
    """What the edges contributed; inside, averaging is its own transpose."""
    n, m = d_inner.shape
    for j in range(1, m - 1):
        d_edges[0, j] += 0.2 * d_inner[1, j]
        d_edges[n - 1, j] += 0.2 * d_inner[n - 2, j]
    for i in range(1, n - 1):
        d_edges[i, 0] += 0.2 * d_inner[i, 1]
        d_edges[i, m - 1] += 0.2 * d_inner[i, m - 2]


@njit(error_model="numpy")
def jacobi_2d(u, steps):
    a, b = u.copy(), u.copy()
    for _ in range(steps):
        _average(b, a)
        _average(a, b)
    d_u = 2.0 * a
    d_a, d_b = np.zeros_like(u), np.zeros_like(u)
    n, m = u.shape
    d_a[1 : n - 1, 1 : m - 1] = d_u[1 : n - 1, 1 : m - 1]
    for _ in range(steps):
        _average_edges(d_u, d_a)
        _average(d_b, d_a)
        _average_edges(d_u, d_b)
        _average(d_a, d_b)
    d_u[1 : n - 1, 1 : m - 1] = d_a[1 : n - 1, 1 : m - 1]
    return d_u


@njit(error_model="numpy")
def _diffuse(new, old):
    n, m, p = old.shape
    for i in range(1, n - 1):
        for j in range(1, m - 1):
            for k in range(1, p - 1):
                new[i, j, k] = 0.125 * (
                    2.0 * old[i, j, k]
                    + old[i - 1, j, k]
                    + old[i + 1, j, k]
                    + old[i, j - 1, k]
                    + old[i, j + 1, k]
                    + old[i, j, k - 1]
                    + old[i, j, k + 1]
                )


@njit(error_model="numpy")
def _diffuse_faces(d_faces, d_inner):
    n, m, p = d_inner.shape
    for j in range(1, m - 1):
        for k in range(1, p - 1):
            d_faces[0, j, k] += 0.125 * d_inner[1, j, k]
            d_faces[n - 1, j, k] += 0.125 * d_inner[n - 2, j, k]
    for i in range(1, n - 1):
        for k in range(1, p - 1):
            d_faces[i, 0, k] += 0.125 * d_inner[i, 1, k]
            d_faces[i, m - 1, k] += 0.125 * d_inner[i, m - 2, k]
    for i in range(1, n - 1):
        for j in range(1, m - 1):
            d_faces[i, j, 0] += 0.125 * d_inner[i, j, 1]
            d_faces[i, j, p - 1] += 0.125 * d_inner[i, j, p - 2]


@njit(error_model="numpy")
def heat_3d(u, steps):
    a, b = u.copy(), u.copy()
    for _ in range(steps):
        _diffuse(b, a)
        _diffuse(a, b)
    d_u = 2.0 * a
    d_a, d_b = np.zeros_like(u), np.zeros_like(u)
    d_a[1:-1, 1:-1, 1:-1] = d_u[1:-1, 1:-1, 1:-1]
    for _ in range(steps):
        _diffuse_faces(d_u, d_a)
        _diffuse(d_b, d_a)
        _diffuse_faces(d_u, d_b)
        _diffuse(d_a, d_b)
    d_u[1:-1, 1:-1, 1:-1] = d_a[1:-1, 1:-1, 1:-1]
    return d_u


@njit(error_model="numpy")
def fdtd_2d(ex, ey, hz, source):
    ex, ey, hz = ex.copy(), ey.copy(), hz.copy()
    n, m = hz.shape
    for t in range(len(source)):
        for j in range(m):
            ey[0, j] = source[t]
        for i in range(1, n):
            for j in range(m):
                ey[i, j] -= 0.5 * (hz[i, j] - hz[i - 1, j])
        for i in range(n):
            for j in range(1, m):
                ex[i, j] -= 0.5 * (hz[i, j] - hz[i, j - 1])
        for i in range(n - 1):
            for j in range(m - 1):
                hz[i, j] -= 0.7 * (ex[i, j + 1] - ex[i, j] + ey[i + 1, j] - ey[i, j])
    d_hz = 2.0 * hz
    d_ex, d_ey = np.zeros_like(ex), np.zeros_like(ey)
    for _ in range(len(source)):
        for i in range(n - 1):
            d_ex[i, 0] += 0.7 * d_hz[i, 0]
            for j in range(1, m - 1):
                d_ex[i, j] += 0.7 * (d_hz[i, j] - d_hz[i, j - 1])
            d_ex[i, m - 1] -= 0.7 * d_hz[i, m - 2]
        for j in range(m - 1):
            d_ey[0, j] += 0.7 * d_hz[0, j]
        for i in range(1, n - 1):
            for j in range(m - 1):
                d_ey[i, j] += 0.7 * (d_hz[i, j] - d_hz[i - 1, j])
        for j in range(m - 1):
            d_ey[n - 1, j] -= 0.7 * d_hz[n - 2, j]
        for i in range(n):
            d_hz[i, 0] += 0.5 * d_ex[i, 1]
            for j in range(1, m - 1):
                d_hz[i, j] += 0.5 * (d_ex[i, j + 1] - d_ex[i, j])
            d_hz[i, m - 1] -= 0.5 * d_ex[i, m - 1]
        for j in range(m):
            d_hz[0, j] += 0.5 * d_ey[1, j]
            d_hz[n - 1, j] -= 0.5 * d_ey[n - 1, j]
        for i in range(1, n - 1):
            for j in range(m):
                d_hz[i, j] += 0.5 * (d_ey[i + 1, j] - d_ey[i, j])
        for j in range(m):
            d_ey[0, j] = 0.0
    return d_ex, d_ey, d_hz


@njit(error_model="numpy")
def seidel_2d(a, steps):
    a = a.copy()
    n, m = a.shape
    for _ in range(steps):
        for i in range(1, n - 1):
            left = a[i, 0]
            for j in range(1, m - 1):
                left = (
                    a[i - 1, j - 1]
                    + a[i - 1, j]
                    + a[i - 1, j + 1]
                    + left
                    + a[i, j]
                    + a[i, j + 1]
                    + a[i + 1, j - 1]
                    + a[i + 1, j]
                    + a[i + 1, j + 1]
                ) / 9.0
                a[i, j] = left
    d = 2.0 * a
    for _ in range(steps):
        for i in range(n - 2, 0, -1):
            for j in range(m - 2, 0, -1):
                d[i, j] /= 9.0
                d[i, j - 1] += d[i, j]
            for j in range(1, m - 1):
                d[i - 1, j - 1] += d[i, j]
                d[i - 1, j] += d[i, j]
                d[i - 1, j + 1] += d[i, j]
                d[i + 1, j - 1] += d[i, j]
                d[i + 1, j] += d[i, j]
                d[i + 1, j + 1] += d[i, j]
            for j in range(m - 2, 0, -1):
                d[i, j + 1] += d[i, j]
    return d


@njit(error_model="numpy")
def burgers(u, steps):
    n = len(u)
    states = np.empty((steps + 1, n))
    states[0] = u
    for t in range(steps):
        old, new = states[t], states[t + 1]
        new[0] = old[0] - 0.05 * (old[0] * old[0] - old[n - 1] * old[n - 1])
        for i in range(1, n):
            new[i] = old[i] - 0.05 * (old[i] * old[i] - old[i - 1] * old[i - 1])
    d_u = 2.0 * states[steps]
    for t in range(steps - 1, -1, -1):
        old = states[t]
        first = d_u[0]
        for i in range(n - 1):
            d_u[i] += 0.1 * (d_u[i + 1] - d_u[i]) * old[i]
        d_u[n - 1] += 0.1 * (first - d_u[n - 1]) * old[n - 1]
    return d_u
