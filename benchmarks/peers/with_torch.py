"""PyTorch, eager: in-place writes on clones, `torch.autograd.grad`."""

from __future__ import annotations

import torch

torch.set_num_threads(1)
torch.set_default_dtype(torch.float64)


def jacobi_2d(u, steps):
    a, b = u.clone(), u.clone()

    def average(old):
        return 0.2 * (
            old[1:-1, 1:-1]
            + old[1:-1, :-2]
            + old[1:-1, 2:]
            + old[2:, 1:-1]
            + old[:-2, 1:-1]
        )

    for _ in range(steps):
        b[1:-1, 1:-1] = average(a)
        a[1:-1, 1:-1] = average(b)
    return torch.sum(a**2)


def heat_3d(u, steps):
    a, b = u.clone(), u.clone()

    def diffuse(old):
        middle = old[1:-1, 1:-1, 1:-1]
        return (
            0.125 * (old[2:, 1:-1, 1:-1] - 2.0 * middle + old[:-2, 1:-1, 1:-1])
            + 0.125 * (old[1:-1, 2:, 1:-1] - 2.0 * middle + old[1:-1, :-2, 1:-1])
            + 0.125 * (old[1:-1, 1:-1, 2:] - 2.0 * middle + old[1:-1, 1:-1, :-2])
            + middle
        )

    for _ in range(steps):
        b[1:-1, 1:-1, 1:-1] = diffuse(a)
        a[1:-1, 1:-1, 1:-1] = diffuse(b)
    return torch.sum(a**2)


def fdtd_2d(ex, ey, hz, source):
    ex, ey, hz = ex.clone(), ey.clone(), hz.clone()
    for value in source:
        ey[0, :] = value
        ey[1:, :] -= 0.5 * (hz[1:, :] - hz[:-1, :])
        ex[:, 1:] -= 0.5 * (hz[:, 1:] - hz[:, :-1])
        hz[:-1, :-1] -= 0.7 * (ex[:-1, 1:] - ex[:-1, :-1] + ey[1:, :-1] - ey[:-1, :-1])
    return torch.sum(hz**2)


def burgers(u, steps):
    for _ in range(steps):
        flux = 0.5 * u**2
        u = u - 0.1 * (flux - torch.roll(flux, 1))
    return torch.sum(u**2)


def logistic_regression(w, x, y):
    z = x @ w
    return torch.mean(torch.log1p(torch.exp(-y * z))) + 0.01 * torch.sum(w**2)


def multilayer_perceptron(w1, b1, w2, b2, x, labels):
    hidden = torch.tanh(x @ w1 + b1)
    log_probabilities = torch.log_softmax(hidden @ w2 + b2, dim=1)
    return -torch.mean(torch.sum(labels * log_probabilities, dim=1))


def lstm(w, b, xs, targets):
    size = len(b) // 4
    h, c = torch.zeros(size), torch.zeros(size)
    loss = torch.zeros(())
    for x, target in zip(xs, targets, strict=True):
        z = w @ torch.cat((x, h)) + b
        add, keep, show = torch.sigmoid(z[: 3 * size]).chunk(3)
        c = keep * c + add * torch.tanh(z[3 * size :])
        h = show * torch.tanh(c)
        loss = loss + torch.sum((h - target) ** 2)
    return loss


def gaussian_mixture(alphas, means, log_diagonals, lowers, x):
    centred = x[None] - means[:, None, :]
    lower = torch.tril(lowers, -1)
    scaled = torch.exp(log_diagonals)[:, None, :] * centred + centred @ lower.mT
    terms = (alphas + log_diagonals.sum(1))[:, None] - 0.5 * torch.sum(scaled**2, 2)
    likelihood = torch.sum(torch.logsumexp(terms, 0))
    likelihood = likelihood - len(x) * torch.logsumexp(alphas, 0)
    prior = 0.5 * torch.sum(torch.exp(log_diagonals) ** 2) - torch.sum(log_diagonals)
    return likelihood - prior - 0.5 * torch.sum(lower**2)


def lorenz96(x, forcing, steps, dt):
    def slope(x):
        return (torch.roll(x, -1) - torch.roll(x, 2)) * torch.roll(x, 1) - x + forcing

    for _ in range(steps):
        k1 = slope(x)
        k2 = slope(x + 0.5 * dt * k1)
        k3 = slope(x + 0.5 * dt * k2)
        k4 = slope(x + dt * k3)
        x = x + dt / 6.0 * (k1 + 2.0 * k2 + 2.0 * k3 + k4)
    return torch.sum(x**2)


def nbody(position, velocity, mass, steps, dt):
    for _ in range(steps):
        apart = position[None, :, :] - position[:, None, :]
        squared = torch.sum(apart**2, dim=2) + 0.01
        pull = mass * squared**-1.5
        velocity = velocity + dt * torch.sum(apart * pull[:, :, None], dim=1)
        position = position + dt * velocity
    return torch.sum(position**2)


def pendulum(angle, length, steps, dt):
    speed = torch.zeros(())
    for _ in range(steps):
        speed = speed - dt * (9.81 / length * torch.sin(angle) + 0.1 * speed)
        angle = angle + dt * speed
    return angle * angle


def kepler(anomalies, eccentricity):
    # The points together; those that have converged are held.
    x = anomalies
    running = torch.ones_like(x, dtype=torch.bool)
    while running.any():
        step = (x - eccentricity * torch.sin(x) - anomalies) / (
            1.0 - eccentricity * torch.cos(x)
        )
        x = torch.where(running, x - step, x)
        running = running & (step.abs() > 1e-10)
    return torch.sum(x**2)


def barrier_option(spot, strike, rate, volatility, time, barrier):
    deviation = volatility * torch.sqrt(time)
    drift = (rate + 0.5 * volatility * volatility) * time
    d1 = (torch.log(spot / strike) + drift) / deviation
    discount = torch.exp(-rate * time)

    def normal(x):
        return 0.5 * (1.0 + torch.erf(x / 2.0**0.5))

    vanilla = spot * normal(d1) - strike * discount * normal(d1 - deviation)
    if barrier <= 0.0:
        return vanilla
    exponent = (rate + 0.5 * volatility * volatility) / (volatility * volatility)
    ratio = barrier / spot
    reflected = (torch.log(barrier * barrier / (spot * strike)) + drift) / deviation
    knocked = spot * ratio ** (2.0 * exponent) * normal(reflected)
    return vanilla - (
        knocked
        - strike
        * discount
        * ratio ** (2.0 * exponent - 2.0)
        * normal(reflected - deviation)
    )


def gradient(name, argnums, args):
    """A call without arguments that computes the gradient, or None."""
    function = globals().get(name)
    if function is None:
        return None
    given = [arg if isinstance(arg, int) else torch.tensor(arg) for arg in args]
    wrt = [given[k].requires_grad_() for k in argnums]
    return lambda: [part.numpy() for part in torch.autograd.grad(function(*given), wrt)]
