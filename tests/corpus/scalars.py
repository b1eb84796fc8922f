"""Programs on Python floats with `math`."""

from __future__ import annotations

import math
from math import pi

from corpus import program


@program(0.7)
def elementary_functions(x):
    y = math.sin(x) + math.cos(x) * math.tan(x) + math.exp(-x) * math.log(x)
    return y + math.sqrt(x) * math.log1p(x) + math.expm1(x) * math.log2(x)


@program(0.7)
def inverse_functions(x):
    return math.asin(x) * math.acos(x) + math.atan(x) + math.atan2(x, 2.0)


@program(0.7)
def hyperbolic_functions(x):
    y = math.sinh(x) * math.cosh(x) + math.tanh(x) + math.asinh(x)
    return y + math.acosh(x + 1.0) * math.atanh(x)


@program(0.7, 1.3, argnums=(0, 1))
def powers(x, y):
    return x**y + x**-2 + 2.0**x + math.pow(x, y) + x**0.5 + pow(x, 3)


@program(0.7, 1.3, argnums=(0, 1))
def hypotenuse_and_angle(x, y):
    return math.hypot(x, y) * math.atan2(y, x)


@program(0.7)
def error_function(x):
    return math.erf(x) * math.erfc(-x)


@program(0.7)
def constants(x):
    return math.sin(pi * x) * math.e + math.tau * x


@program(2.7)
def rounding_is_flat(x):
    return math.floor(x) * x + (x % 1.0) * round(x) + int(x) * x


@program(2.7, 1.1, argnums=(0, 1))
def remainder_and_floor_division(x, y):
    return x % y + (x // y) * y * y


@program(-0.7)
def unary_minus_and_plus(x):
    return -x * +x * -(-x)


@program(2.0)
def square_root_by_newton(a):
    x = a
    while abs(x * x - a) > 1e-13:
        x = 0.5 * (x + a / x)
    return x


@program(0.3)
def kepler_equation(m):
    e = m
    for _ in range(6):
        e = e - (e - 0.4 * math.sin(e) - m) / (1.0 - 0.4 * math.cos(e))
    return e


@program(0.7)
def horner(x):
    y = 0.0
    for coefficient in (1.0, -2.0, 0.5, 3.0):
        y = y * x + coefficient
    return y


@program(0.7)
def continued_fraction(x):
    y = 0.0
    for i in range(6, 0, -1):
        y = i * x / (1.0 + y)
    return y


@program(1.0, 0.6, argnums=(0, 1))
def arithmetic_geometric_mean(a, b):
    while abs(a - b) > 1e-12:
        a, b = 0.5 * (a + b), math.sqrt(a * b)
    return a


@program(0.7, 27)
def collatz_steps(x, n):
    while n != 1:
        if n % 2 == 0:
            n, x = n // 2, math.sin(x) + 0.1
        else:
            n, x = 3 * n + 1, x * 0.99
    return x


@program(0.7)
def taylor_series_until_small(x):
    term, total, n = 1.0, 1.0, 0
    while abs(term) > 1e-14:
        n += 1
        term = term * x / n
        total += term
    return total


@program(0.7)
def logistic_map(x):
    for _ in range(6):
        x = 3.3 * x * (1.0 - x)
    return x


@program(0.7)
def simpson_rule(a):
    total, n = 0.0, 8
    h = a / n
    for i in range(n + 1):
        weight = 1 if i in (0, n) else (4 if i % 2 else 2)
        total += weight * math.exp(-((i * h) ** 2))
    return total * h / 3.0


@program(0.4)
def bisection_then_newton(c):
    low, high = 0.0, 2.0
    for _ in range(5):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if middle**3 < c else (low, middle)
    for _ in range(5):
        middle = middle - (middle**3 - c) / (3.0 * middle**2)
    return middle


@program(0.4, 0.2, argnums=(0, 1))
def runge_kutta_of_a_pendulum(angle, speed):
    for _ in range(5):
        middle = angle + 0.05 * speed
        half = speed - 0.05 * math.sin(angle)
        angle, speed = angle + 0.1 * half, speed - 0.1 * math.sin(middle)
    return angle**2 + speed**2


@program(1.2, 0.7, argnums=(0, 1))
def euclid_like_control(a, b):
    count = 0
    while b > 0.05:
        a, b = b, (a - b) ** 2
        count += 1
    return a * count + b


@program(0.7)
def repeated_use_of_one_value(x):
    return x * x * x + x / x + x - x + (x + x) ** x


@program(0.7, 0.4, -1.1, argnums=(0, 1, 2))
def quadratic_formula(a, b, c):
    root = math.sqrt(b * b - 4.0 * a * c)
    return (-b + root) / (2.0 * a)


@program(0.7)
def integers_mixed_with_floats(x):
    n = 3
    m = n // 2 + 1
    return n * x**m / (m + x) + (1 << n) * x
