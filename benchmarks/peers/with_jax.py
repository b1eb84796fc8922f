"""JAX, compiled: `lax.scan` for loops, `.at[]` for writes."""

from __future__ import annotations

import jax
import jax.numpy as jnp
from jax import lax
from jax.scipy.special import erf, logsumexp

jax.config.update("jax_enable_x64", True)


def _repeat(step, state, steps):
    return lax.scan(lambda state, _: (step(state), None), state, None, length=steps)[0]


def jacobi_2d(u, steps):
    def average(new, old):
        return new.at[1:-1, 1:-1].set(
            0.2
            * (
                old[1:-1, 1:-1]
                + old[1:-1, :-2]
                + old[1:-1, 2:]
                + old[2:, 1:-1]
                + old[:-2, 1:-1]
            )
        )

    def step(state):
        a, b = state
        b = average(b, a)
        return average(a, b), b

    return jnp.sum(_repeat(step, (u, u), steps)[0] ** 2)


def heat_3d(u, steps):
    def diffuse(new, old):
        middle = old[1:-1, 1:-1, 1:-1]
        return new.at[1:-1, 1:-1, 1:-1].set(
            0.125 * (old[2:, 1:-1, 1:-1] - 2.0 * middle + old[:-2, 1:-1, 1:-1])
            + 0.125 * (old[1:-1, 2:, 1:-1] - 2.0 * middle + old[1:-1, :-2, 1:-1])
            + 0.125 * (old[1:-1, 1:-1, 2:] - 2.0 * middle + old[1:-1, 1:-1, :-2])
            + middle
        )

    def step(state):
        a, b = state
        b = diffuse(b, a)
        return diffuse(a, b), b

    return jnp.sum(_repeat(step, (u, u), steps)[0] ** 2)


def fdtd_2d(ex, ey, hz, source):
    def step(state, value):
        ex, ey, hz = state
        ey = ey.at[0, :].set(value)
        ey = ey.at[1:, :].add(-0.5 * (hz[1:, :] - hz[:-1, :]))
        ex = ex.at[:, 1:].add(-0.5 * (hz[:, 1:] - hz[:, :-1]))
        hz = hz.at[:-1, :-1].add(
            -0.7 * (ex[:-1, 1:] - ex[:-1, :-1] + ey[1:, :-1] - ey[:-1, :-1])
        )
        return (ex, ey, hz), None

    (_, _, hz), _ = lax.scan(step, (ex, ey, hz), source)
    return jnp.sum(hz**2)


def seidel_2d(a, steps):
    n = len(a)

    def row(a, i):
        above, own, below = a[i - 1], a[i], a[i + 1]
        sums = own[1:-1] + (
            above[:-2]
            + above[1:-1]
            + above[2:]
            + own[2:]
            + below[:-2]
            + below[1:-1]
            + below[2:]
        )

        def place(left, value):
            value = (value + left) / 9.0
            return value, value

        _, new = lax.scan(place, own[0], sums)
        return a.at[i, 1:-1].set(new), None

    def step(a):
        return lax.scan(row, a, jnp.arange(1, n - 1))[0]

    return jnp.sum(_repeat(step, a, steps) ** 2)


def burgers(u, steps):
    def step(u):
        flux = 0.5 * u**2
        return u - 0.1 * (flux - jnp.roll(flux, 1))

    return jnp.sum(_repeat(step, u, steps) ** 2)


def logistic_regression(w, x, y):
    z = x @ w
    return jnp.mean(jnp.log1p(jnp.exp(-y * z))) + 0.01 * jnp.sum(w**2)


def multilayer_perceptron(w1, b1, w2, b2, x, labels):
    hidden = jnp.tanh(x @ w1 + b1)
    log_probabilities = jax.nn.log_softmax(hidden @ w2 + b2, axis=1)
    return -jnp.mean(jnp.sum(labels * log_probabilities, axis=1))


def lstm(w, b, xs, targets):
    size = len(b) // 4

    def step(state, given):
        h, c = state
        x, target = given
        z = w @ jnp.concatenate((x, h)) + b
        add, keep, show = (
            1.0 / (1.0 + jnp.exp(-z[k * size : (k + 1) * size])) for k in range(3)
        )
        c = keep * c + add * jnp.tanh(z[3 * size :])
        h = show * jnp.tanh(c)
        return (h, c), jnp.sum((h - target) ** 2)

    start = (jnp.zeros(size), jnp.zeros(size))
    return jnp.sum(lax.scan(step, start, (xs, targets))[1])


def gaussian_mixture(alphas, means, log_diagonals, lowers, x):
    def one(alpha, mean, log_diagonal, lower):
        centred = x - mean
        scaled = jnp.exp(log_diagonal) * centred + centred @ jnp.tril(lower, -1).T
        return alpha + jnp.sum(log_diagonal) - 0.5 * jnp.sum(scaled**2, axis=1)

    terms = jax.vmap(one)(alphas, means, log_diagonals, lowers)
    likelihood = jnp.sum(logsumexp(terms, axis=0)) - len(x) * logsumexp(alphas)
    prior = 0.5 * jnp.sum(jnp.exp(log_diagonals) ** 2) - jnp.sum(log_diagonals)
    prior += 0.5 * jnp.sum(jnp.tril(lowers, -1) ** 2)
    return likelihood - prior


def lorenz96(x, forcing, steps, dt):
    def slope(x):
        return (jnp.roll(x, -1) - jnp.roll(x, 2)) * jnp.roll(x, 1) - x + forcing

    def step(x):
        k1 = slope(x)
        k2 = slope(x + 0.5 * dt * k1)
        k3 = slope(x + 0.5 * dt * k2)
        k4 = slope(x + dt * k3)
        return x + dt / 6.0 * (k1 + 2.0 * k2 + 2.0 * k3 + k4)

    return jnp.sum(_repeat(step, x, steps) ** 2)


def nbody(position, velocity, mass, steps, dt):
    def step(state):
        position, velocity = state
        apart = position[None, :, :] - position[:, None, :]
        squared = jnp.sum(apart**2, axis=2) + 0.01
        pull = mass * squared**-1.5
        velocity = velocity + dt * jnp.sum(apart * pull[:, :, None], axis=1)
        return position + dt * velocity, velocity

    return jnp.sum(_repeat(step, (position, velocity), steps)[0] ** 2)


def kepler(anomalies, eccentricity):
    # Reverse mode cannot pass a while_loop; the iterations of the slowest point, with
    # those that have converged held, give the same derivative.
    def solve(anomaly):
        def iterate(state):
            x, step = state
            running = jnp.abs(step) > 1e-10
            following = (x - eccentricity * jnp.sin(x) - anomaly) / (
                1.0 - eccentricity * jnp.cos(x)
            )
            x = jnp.where(running, x - following, x)
            return x, jnp.where(running, following, step)

        return _repeat(iterate, (anomaly, jnp.ones_like(anomaly)), 8)[0]

    return jnp.sum(solve(anomalies) ** 2)


def pendulum(angle, length, steps, dt):
    def step(state):
        angle, speed = state
        speed = speed - dt * (9.81 / length * jnp.sin(angle) + 0.1 * speed)
        return angle + dt * speed, speed

    angle, _ = _repeat(step, (angle, jnp.zeros_like(angle)), steps)
    return angle * angle


def barrier_option(spot, strike, rate, volatility, time, barrier):
    deviation = volatility * jnp.sqrt(time)
    drift = (rate + 0.5 * volatility * volatility) * time
    d1 = (jnp.log(spot / strike) + drift) / deviation
    discount = jnp.exp(-rate * time)

    def normal(x):
        return 0.5 * (1.0 + erf(x / jnp.sqrt(2.0)))

    vanilla = spot * normal(d1) - strike * discount * normal(d1 - deviation)
    exponent = (rate + 0.5 * volatility * volatility) / (volatility * volatility)
    ratio = barrier / spot
    reflected = (jnp.log(barrier * barrier / (spot * strike)) + drift) / deviation
    knocked = spot * ratio ** (2.0 * exponent) * normal(reflected)
    knocked -= (
        strike
        * discount
        * ratio ** (2.0 * exponent - 2.0)
        * normal(reflected - deviation)
    )
    return jnp.where(barrier <= 0.0, vanilla, vanilla - knocked)


def gradient(name, argnums, args):
    """A call without arguments that computes the gradient, or None."""
    function = globals().get(name)
    if function is None:
        return None
    steps = tuple(k for k, arg in enumerate(args) if isinstance(arg, int))
    compiled = jax.jit(jax.grad(function, argnums), static_argnums=steps)
    given = [arg if k in steps else jnp.asarray(arg) for k, arg in enumerate(args)]
    return lambda: jax.block_until_ready(compiled(*given))
