"""Adjoints of the simulations by loops: the states are kept, the rest computed again."""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(error_model="numpy")
def _slope(x, forcing, k):
    n = len(x)
    k[0] = (x[1] - x[n - 2]) * x[n - 1] - x[0] + forcing
    k[1] = (x[2] - x[n - 1]) * x[0] - x[1] + forcing
    for i in range(2, n - 1):
        k[i] = (x[i + 1] - x[i - 2]) * x[i - 1] - x[i] + forcing
    k[n - 1] = (x[0] - x[n - 3]) * x[n - 2] - x[n - 1] + forcing


@njit(error_model="numpy")
def _transposed(x, d, d_x):
    """`d_x` becomes the adjoint of x in `_slope`."""
    n = len(x)
    for i in range(2, n - 2):
        d_x[i] = (
            d[i - 1] * x[i - 2]
            - d[i + 2] * x[i + 1]
            + d[i + 1] * (x[i + 2] - x[i - 1])
            - d[i]
        )
    for i in (0, 1, n - 2, n - 1):
        following, second = (i + 1) % n, (i + 2) % n
        d_x[i] = (
            d[i - 1] * x[i - 2]
            - d[second] * x[following]
            + d[following] * (x[second] - x[i - 1])
            - d[i]
        )


@njit(error_model="numpy")
def _moved(x, amount, k, out):
    for i in range(len(x)):
        out[i] = x[i] + amount * k[i]


@njit(error_model="numpy")
def lorenz96(x, forcing, steps, dt):
    n = len(x)
    states = np.empty((steps + 1, n))
    states[0] = x
    k1, k2, k3, k4 = np.empty(n), np.empty(n), np.empty(n), np.empty(n)
    x2, x3, x4 = np.empty(n), np.empty(n), np.empty(n)
    for t in range(steps):
        x = states[t]
        _slope(x, forcing, k1)
        _moved(x, 0.5 * dt, k1, x2)
        _slope(x2, forcing, k2)
        _moved(x, 0.5 * dt, k2, x3)
        _slope(x3, forcing, k3)
        _moved(x, dt, k3, x4)
        _slope(x4, forcing, k4)
        for i in range(n):
            states[t + 1, i] = x[i] + dt / 6.0 * (
                k1[i] + 2.0 * k2[i] + 2.0 * k3[i] + k4[i]
            )
    d_x = 2.0 * states[steps]
    d_forcing = 0.0
    d2, d3, d4 = np.empty(n), np.empty(n), np.empty(n)
    for t in range(steps - 1, -1, -1):
        x = states[t]
        _slope(x, forcing, k1)
        _moved(x, 0.5 * dt, k1, x2)
        _slope(x2, forcing, k2)
        _moved(x, 0.5 * dt, k2, x3)
        _slope(x3, forcing, k3)
        _moved(x, dt, k3, x4)
        for i in range(n):
            k4[i] = dt / 6.0 * d_x[i]
            d_forcing += k4[i]
        _transposed(x4, k4, d4)
        for i in range(n):
            k3[i] = 2.0 * k4[i] + dt * d4[i]
            d_forcing += k3[i]
        _transposed(x3, k3, d3)
        for i in range(n):
            k2[i] = 2.0 * k4[i] + 0.5 * dt * d3[i]
            d_forcing += k2[i]
        _transposed(x2, k2, d2)
        for i in range(n):
            k1[i] = k4[i] + 0.5 * dt * d2[i]
            d_forcing += k1[i]
            d_x[i] += d2[i] + d3[i] + d4[i]
        _transposed(x, k1, d2)
        for i in range(n):
            d_x[i] += d2[i]
    return d_x, d_forcing


@njit(error_model="numpy")
def nbody(position, velocity, mass, steps, dt):
    n = len(mass)
    positions = np.empty((steps + 1, n, 3))
    positions[0] = position
    velocity = velocity.copy()
    for t in range(steps):
        now, following = positions[t], positions[t + 1]
        for i in range(n):
            fx = fy = fz = 0.0
            for j in range(n):
                x, y, z = (
                    now[j, 0] - now[i, 0],
                    now[j, 1] - now[i, 1],
                    now[j, 2] - now[i, 2],
                )
                squared = x * x + y * y + z * z + 0.01
                pull = mass[j] / (squared * np.sqrt(squared))
                fx += x * pull
                fy += y * pull
                fz += z * pull
            velocity[i, 0] += dt * fx
            velocity[i, 1] += dt * fy
            velocity[i, 2] += dt * fz
            for k in range(3):
                following[i, k] = now[i, k] + dt * velocity[i, k]
    d_position = 2.0 * positions[steps]
    d_velocity = np.zeros_like(velocity)
    d_mass = np.zeros_like(mass)
    for t in range(steps - 1, -1, -1):
        now = positions[t]
        for i in range(n):
            for k in range(3):
                d_velocity[i, k] += dt * d_position[i, k]
        for i in range(n):
            dx, dy, dz = (
                dt * d_velocity[i, 0],
                dt * d_velocity[i, 1],
                dt * d_velocity[i, 2],
            )
            for j in range(n):
                x, y, z = (
                    now[j, 0] - now[i, 0],
                    now[j, 1] - now[i, 1],
                    now[j, 2] - now[i, 2],
                )
                squared = x * x + y * y + z * z + 0.01
                cubed = 1.0 / (squared * np.sqrt(squared))
                along = dx * x + dy * y + dz * z
                d_mass[j] += along * cubed
                pull = mass[j] * cubed
                d_squared = -3.0 * along * pull / squared
                gx, gy, gz = (
                    pull * dx + d_squared * x,
                    pull * dy + d_squared * y,
                    pull * dz + d_squared * z,
                )
                d_position[j, 0] += gx
                d_position[j, 1] += gy
                d_position[j, 2] += gz
                d_position[i, 0] -= gx
                d_position[i, 1] -= gy
                d_position[i, 2] -= gz
    return d_position, d_velocity, d_mass
