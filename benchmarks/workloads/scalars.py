"""Programs on numbers: loops that end when they have converged, long recurrences."""

from __future__ import annotations

import math

from benchmarks.workloads import Workload, sized


def kepler(anomalies, eccentricity):
    """Newton's method for Kepler's equation, point by point."""
    total = 0.0
    for i in range(len(anomalies)):
        anomaly = anomalies[i]
        x = anomaly
        step = 1.0
        while abs(step) > 1e-10:
            step = (x - eccentricity * math.sin(x) - anomaly) / (
                1.0 - eccentricity * math.cos(x)
            )
            x -= step
        total += x * x
    return total


def pendulum(angle, length, steps, dt):
    """A damped pendulum: a recurrence of many steps on two numbers."""
    speed = 0.0
    for _ in range(steps):
        speed -= dt * (9.81 / length * math.sin(angle) + 0.1 * speed)
        angle += dt * speed
    return angle * angle


def barrier_option(spot, strike, rate, volatility, time, barrier):
    """The price of a down-and-out call, in closed form."""
    deviation = volatility * math.sqrt(time)
    drift = (rate + 0.5 * volatility * volatility) * time
    d1 = (math.log(spot / strike) + drift) / deviation
    d2 = d1 - deviation
    normal1 = 0.5 * (1.0 + math.erf(d1 / math.sqrt(2.0)))
    normal2 = 0.5 * (1.0 + math.erf(d2 / math.sqrt(2.0)))
    discount = math.exp(-rate * time)
    vanilla = spot * normal1 - strike * discount * normal2
    if barrier <= 0.0:
        return vanilla
    exponent = (rate + 0.5 * volatility * volatility) / (volatility * volatility)
    ratio = barrier / spot
    reflected = (math.log(barrier * barrier / (spot * strike)) + drift) / deviation
    normal3 = 0.5 * (1.0 + math.erf(reflected / math.sqrt(2.0)))
    normal4 = 0.5 * (1.0 + math.erf((reflected - deviation) / math.sqrt(2.0)))
    knocked = spot * ratio ** (2.0 * exponent) * normal3
    knocked -= strike * discount * ratio ** (2.0 * exponent - 2.0) * normal4
    return vanilla - knocked


WORKLOADS = (
    Workload(
        kepler,
        (0, 1),
        lambda random, n: (6.0 * random.random(n), 0.5),
        sized(100, 3000, 300_000),
        False,
    ),
    Workload(
        pendulum,
        (0, 1),
        lambda random, steps: (1.0, 0.5, steps, 0.001),
        sized(100, 10_000, 1_000_000),
        False,
    ),
    Workload(
        barrier_option,
        (0, 1, 2, 3, 4, 5),
        lambda random, size: (100.0, 95.0, 0.03, 0.2, 1.5, 80.0),
        sized(1, 1, 1),
        False,
    ),
)
