"""Adjoints of the simulations by array operations."""

from __future__ import annotations

import numpy as np


def _slope(x, forcing):
    return (np.roll(x, -1) - np.roll(x, 2)) * np.roll(x, 1) - x + forcing


def _slope_transposed(x, d):
    carried = d * np.roll(x, 1)
    change = d * (np.roll(x, -1) - np.roll(x, 2))
    return np.roll(carried, 1) - np.roll(carried, -2) + np.roll(change, -1) - d


def lorenz96(x, forcing, steps, dt):
    states = np.empty((steps, len(x)))
    for t in range(steps):
        states[t] = x
        k1 = _slope(x, forcing)
        k2 = _slope(x + 0.5 * dt * k1, forcing)
        k3 = _slope(x + 0.5 * dt * k2, forcing)
        k4 = _slope(x + dt * k3, forcing)
        x = x + dt / 6.0 * (k1 + 2.0 * k2 + 2.0 * k3 + k4)
    d_x = 2.0 * x
    d_forcing = 0.0
    for t in reversed(range(steps)):
        x = states[t]
        x2 = x + 0.5 * dt * _slope(x, forcing)
        x3 = x + 0.5 * dt * _slope(x2, forcing)
        x4 = x + dt * _slope(x3, forcing)
        d_k4 = dt / 6.0 * d_x
        d_x4 = _slope_transposed(x4, d_k4)
        d_k3 = 2.0 * d_k4 + dt * d_x4
        d_x3 = _slope_transposed(x3, d_k3)
        d_k2 = 2.0 * d_k4 + 0.5 * dt * d_x3
        d_x2 = _slope_transposed(x2, d_k2)
        d_k1 = d_k4 + 0.5 * dt * d_x2
        d_x = d_x + d_x4 + d_x3 + d_x2 + _slope_transposed(x, d_k1)
        d_forcing += np.sum(d_k1 + d_k2 + d_k3 + d_k4)
    return d_x, d_forcing


def nbody(position, velocity, mass, steps, dt):
    positions = np.empty((steps, *position.shape))
    for t in range(steps):
        positions[t] = position
        apart = position[None, :, :] - position[:, None, :]
        pull = mass * (np.sum(apart**2, axis=2) + 0.01) ** -1.5
        velocity = velocity + dt * np.sum(apart * pull[:, :, None], axis=1)
        position = position + dt * velocity
    d_position = 2.0 * position
    d_velocity = np.zeros_like(velocity)
    d_mass = np.zeros_like(mass)
    for t in reversed(range(steps)):
        position = positions[t]
        apart = position[None, :, :] - position[:, None, :]
        squared = np.sum(apart**2, axis=2) + 0.01
        cubed = squared**-1.5
        d_velocity += dt * d_position
        d_force = dt * d_velocity
        d_pull = np.sum(apart * d_force[:, None, :], axis=2)
        d_mass += np.sum(d_pull * cubed, axis=0)
        d_squared = -1.5 * d_pull * mass * cubed / squared
        d_apart = (mass * cubed)[:, :, None] * d_force[:, None, :]
        d_apart += 2.0 * d_squared[:, :, None] * apart
        d_position = d_position + d_apart.sum(axis=0) - d_apart.sum(axis=1)
    return d_position, d_velocity, d_mass
