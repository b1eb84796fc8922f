"""Simulations in time: the state is carried, and is nonlinear in itself."""

from __future__ import annotations

import numpy as np

from benchmarks.workloads import Workload, sized


def _lorenz(x, forcing):
    return (np.roll(x, -1) - np.roll(x, 2)) * np.roll(x, 1) - x + forcing


def lorenz96(x, forcing, steps, dt):
    """A chaotic model of weather, by the Runge-Kutta method of fourth order."""
    for _ in range(steps):
        k1 = _lorenz(x, forcing)
        k2 = _lorenz(x + 0.5 * dt * k1, forcing)
        k3 = _lorenz(x + 0.5 * dt * k2, forcing)
        k4 = _lorenz(x + dt * k3, forcing)
        x = x + dt / 6.0 * (k1 + 2.0 * k2 + 2.0 * k3 + k4)
    return np.sum(x**2)


def nbody(position, velocity, mass, steps, dt):
    """Gravity between all pairs of bodies."""
    for _ in range(steps):
        apart = position[None, :, :] - position[:, None, :]
        squared = np.sum(apart**2, axis=2) + 0.01
        pull = mass * squared**-1.5
        velocity = velocity + dt * np.sum(apart * pull[:, :, None], axis=1)
        position = position + dt * velocity
    return np.sum(position**2)


def _weather(random, size):
    n, steps = size
    return 8.0 + 0.1 * random.normal(size=n), 8.0, steps, 0.002


def _bodies(random, size):
    n, steps = size
    return (
        random.normal(size=(n, 3)),
        random.normal(size=(n, 3)),
        random.random(n),
        steps,
        0.001,
    )


WORKLOADS = (
    Workload(lorenz96, (0, 1), _weather, sized((10, 20), (40, 200), (10_000, 100))),
    Workload(nbody, (0, 1, 2), _bodies, sized((5, 10), (50, 50), (200, 50))),
)
