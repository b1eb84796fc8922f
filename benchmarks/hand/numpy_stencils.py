"""Adjoints of the stencils by array operations."""

from __future__ import annotations

import numpy as np


def jacobi_2d(u, steps):
    a, b = u.copy(), u.copy()

    def average(new, old):
        inner = new[1:-1, 1:-1]
        np.add(old[1:-1, 1:-1], old[1:-1, :-2], out=inner)
        inner += old[1:-1, 2:]
        inner += old[2:, 1:-1]
        inner += old[:-2, 1:-1]
        inner *= 0.2

    def transposed(d_new, d_old):
        t = 0.2 * d_new[1:-1, 1:-1]
        d_new[1:-1, 1:-1] = 0.0
        d_old[1:-1, 1:-1] += t
        d_old[1:-1, :-2] += t
        d_old[1:-1, 2:] += t
        d_old[2:, 1:-1] += t
        d_old[:-2, 1:-1] += t

    for _ in range(steps):
        average(b, a)
        average(a, b)
    d_a, d_b = 2.0 * a, np.zeros_like(a)
    for _ in range(steps):
        transposed(d_a, d_b)
        transposed(d_b, d_a)
    return d_a + d_b


def heat_3d(u, steps):
    inner = (slice(1, -1),) * 3
    shifted = [
        tuple(
            slice(1 + move, -1 + move or None) if k == axis else slice(1, -1)
            for k in range(3)
        )
        for axis in range(3)
        for move in (-1, 1)
    ]
    a, b = u.copy(), u.copy()

    def step(new, old):
        total = 2.0 * old[inner]
        for part in shifted:
            total += old[part]
        np.multiply(total, 0.125, out=new[inner])

    def transposed(d_new, d_old):
        t = 0.125 * d_new[inner]
        d_new[inner] = 0.0
        for part in shifted:
            d_old[part] += t
        t *= 2.0
        d_old[inner] += t

    for _ in range(steps):
        step(b, a)
        step(a, b)
    d_a, d_b = 2.0 * a, np.zeros_like(a)
    for _ in range(steps):
        transposed(d_a, d_b)
        transposed(d_b, d_a)
    return d_a + d_b


def fdtd_2d(ex, ey, hz, source):
    ex, ey, hz = ex.copy(), ey.copy(), hz.copy()
    for value in source:
        ey[0, :] = value
        ey[1:, :] -= 0.5 * (hz[1:, :] - hz[:-1, :])
        ex[:, 1:] -= 0.5 * (hz[:, 1:] - hz[:, :-1])
        hz[:-1, :-1] -= 0.7 * (ex[:-1, 1:] - ex[:-1, :-1] + ey[1:, :-1] - ey[:-1, :-1])
    d_hz = 2.0 * hz
    d_ex, d_ey = np.zeros_like(ex), np.zeros_like(ey)
    for _ in source:
        t = 0.7 * d_hz[:-1, :-1]
        d_ex[:-1, 1:] -= t
        d_ex[:-1, :-1] += t
        d_ey[1:, :-1] -= t
        d_ey[:-1, :-1] += t
        t = 0.5 * d_ex[:, 1:]
        d_hz[:, 1:] -= t
        d_hz[:, :-1] += t
        t = 0.5 * d_ey[1:, :]
        d_hz[1:, :] -= t
        d_hz[:-1, :] += t
        d_ey[0, :] = 0.0
    return d_ex, d_ey, d_hz


def burgers(u, steps):
    states = np.empty((steps, *u.shape))
    for t in range(steps):
        states[t] = u
        flux = 0.5 * u**2
        u = u - 0.1 * (flux - np.roll(flux, 1))
    d_u = 2.0 * u
    for t in reversed(range(steps)):
        d_flux = 0.1 * (np.roll(d_u, -1) - d_u)
        d_flux *= states[t]
        d_u += d_flux
    return d_u
