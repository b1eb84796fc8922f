"""Adjoints of programs on numbers; the same text serves Python and Numba."""

from __future__ import annotations

import math

import numpy as np


def kepler(anomalies, eccentricity):
    n = len(anomalies)
    d_anomalies = np.empty(n)
    d_eccentricity = 0.0
    states = np.empty(100)
    for i in range(n):
        anomaly = anomalies[i]
        x = anomaly
        step = 1.0
        trips = 0
        while abs(step) > 1e-10:
            states[trips] = x
            step = (x - eccentricity * math.sin(x) - anomaly) / (
                1.0 - eccentricity * math.cos(x)
            )
            x -= step
            trips += 1
        d_x = 2.0 * x
        d_anomaly = 0.0
        for t in range(trips - 1, -1, -1):
            x = states[t]
            sine, cosine = math.sin(x), math.cos(x)
            slope = 1.0 - eccentricity * cosine
            step = (x - eccentricity * sine - anomaly) / slope
            d_top = -d_x / slope
            d_slope = -d_top * step
            d_anomaly -= d_top
            d_eccentricity -= d_top * sine + d_slope * cosine
            d_x += d_top * slope + d_slope * eccentricity * sine
        d_anomalies[i] = d_anomaly + d_x
    return d_anomalies, d_eccentricity


def pendulum(angle, length, steps, dt):
    angles = np.empty(steps)
    speed = 0.0
    for t in range(steps):
        angles[t] = angle
        speed -= dt * (9.81 / length * math.sin(angle) + 0.1 * speed)
        angle += dt * speed
    d_angle = 2.0 * angle
    d_speed = 0.0
    d_length = 0.0
    for t in range(steps - 1, -1, -1):
        d_speed += dt * d_angle
        d_angle -= dt * d_speed * 9.81 / length * math.cos(angles[t])
        d_length += dt * d_speed * 9.81 / (length * length) * math.sin(angles[t])
        d_speed -= 0.1 * dt * d_speed
    return d_angle, d_length


def barrier_option(spot, strike, rate, volatility, time, barrier):
    root = math.sqrt(time)
    deviation = volatility * root
    variance = volatility * volatility
    drift = (rate + 0.5 * variance) * time
    d1 = (math.log(spot / strike) + drift) / deviation
    d2 = d1 - deviation
    normal1 = 0.5 * (1.0 + math.erf(d1 / math.sqrt(2.0)))
    normal2 = 0.5 * (1.0 + math.erf(d2 / math.sqrt(2.0)))
    discount = math.exp(-rate * time)
    density = 1.0 / math.sqrt(2.0 * math.pi)
    d_d1 = spot * density * math.exp(-0.5 * d1 * d1)
    d_d2 = -strike * discount * density * math.exp(-0.5 * d2 * d2)
    d_spot = normal1
    d_strike = -discount * normal2
    d_discount = -strike * normal2
    d_deviation = -d_d2
    d_d1 += d_d2
    d_logs = d_d1 / deviation  # of both logarithms' sums with the drift
    d_deviation -= d_logs * d1
    d_drift = d_logs
    d_spot += d_logs / spot
    d_strike -= d_logs / strike
    d_rate = d_volatility = d_barrier = 0.0
    if barrier > 0.0:
        exponent = (rate + 0.5 * variance) / variance
        ratio = barrier / spot
        reflected = (math.log(barrier * barrier / (spot * strike)) + drift) / deviation
        normal3 = 0.5 * (1.0 + math.erf(reflected / math.sqrt(2.0)))
        normal4 = 0.5 * (1.0 + math.erf((reflected - deviation) / math.sqrt(2.0)))
        power1 = ratio ** (2.0 * exponent)
        power2 = power1 / (ratio * ratio)
        first = spot * power1 * normal3
        second = strike * discount * power2 * normal4
        tail = reflected - deviation
        d_reflected = -spot * power1 * density * math.exp(-0.5 * reflected * reflected)
        d_tail = strike * discount * power2 * density * math.exp(-0.5 * tail * tail)
        d_spot -= power1 * normal3
        d_strike += discount * power2 * normal4
        d_discount += strike * power2 * normal4
        d_ratio = (-first * 2.0 * exponent + second * (2.0 * exponent - 2.0)) / ratio
        d_exponent = 2.0 * math.log(ratio) * (second - first)
        d_reflected += d_tail
        d_deviation -= d_tail
        d_logs = d_reflected / deviation
        d_deviation -= d_logs * reflected
        d_drift += d_logs
        d_barrier = d_logs * 2.0 / barrier + d_ratio / spot
        d_spot -= d_logs / spot + d_ratio * ratio / spot
        d_strike -= d_logs / strike
        d_rate = d_exponent / variance
        d_volatility = -2.0 * d_exponent * rate / (variance * volatility)
    d_rate += d_drift * time - d_discount * discount * time
    d_volatility += d_drift * volatility * time + d_deviation * root
    d_time = (
        d_drift * (rate + 0.5 * variance)
        - d_discount * discount * rate
        + 0.5 * d_deviation * volatility / root
    )
    return d_spot, d_strike, d_rate, d_volatility, d_time, d_barrier
