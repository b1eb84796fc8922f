"""What does not carry a derivative, beside what does."""

from __future__ import annotations

import math

import numpy as np

from corpus import program

X = np.array([0.7, -1.2, 0.4, 1.9])
TABLE = np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])


@program(0.7)
def independent_of_the_argument(x):
    return 2.0


@program(X)
def array_independent_of_the_argument(x):
    y = np.ones(4)
    return np.sum(y)


@program(X)
def depends_on_the_shape_only(x):
    return float(x.shape[0] * x.size + len(x) + x.ndim)


@program(X, 0.3, argnums=(0, 1))
def second_argument_unused(x, y):
    return np.sum(x**2)


@program(X)
def mean_by_the_shape(x):
    n = x.shape[0]
    return np.sum(x**2) / n + x[n // 2] * (n - 1)


@program(X)
def integer_counters(x):
    count = 0
    for item in x:
        if item > 0.0:
            count += 1
    return np.sum(x**2) * count


@program(X)
def count_nonzero_and_comparisons(x):
    positive = np.sum(x > 0.0)
    return np.sum(x**2) * positive / np.count_nonzero(x)


@program(X)
def argmax_as_index(x):
    i = np.argmax(x)
    return x[i] ** 2 + x[np.argmin(x)] * x[0]


@program(X)
def argsort_as_index(x):
    order = np.argsort(x)
    return np.sum(x[order] ** 2 * np.arange(4.0))


@program(X)
def integer_arrays(x):
    n = np.arange(4)
    n = n * 2 + 1
    n[0] = 5
    return np.sum(x**2 * n)


@program(X, np.array([1, 3]))
def integer_array_as_index(x, index):
    index = (index + 1) % 4
    return np.sum(x[index] ** 3)


@program(X, numba=False)
def random_constants(x):
    noise = np.random.default_rng(0).normal(size=4)
    return np.sum(np.sin(x + noise))


@program(X, numba=False)
def random_generator_in_a_loop(x):
    generator = np.random.default_rng(3)
    total = 0.0
    for _ in range(3):
        total += np.sum(np.sin(x * generator.normal(size=4)))
    return total


@program(X)
def rounded_values(x):
    return np.sum(np.floor(x) * x + np.sign(x) * x + np.round(x))


@program(X)
def inactive_loop_beside_an_active_one(x):
    table = np.zeros(4)
    for i in range(4):
        table[i] = math.sqrt(i + 1.0)
    total = 0.0
    for i in range(4):
        total += table[i] * x[i] ** 2
    return total


@program(X)
def inactive_recurrence_in_an_active_loop(x):
    weight, total = 1.0, 0.0
    for item in x:
        weight = weight * 0.5 + 0.1
        total = total * weight + item**2
    return total


@program(X)
def active_value_dropped(x):
    y = np.exp(x)
    y = x * x
    z = np.sin(y)
    z = 1.0
    return np.sum(y) * z


@program(X)
def becomes_inactive_then_active(x):
    y = x[0] * x[1]
    y = 2.0
    for i in range(3):
        y = y * x[i]
    return y


@program(X)
def table_lookup_by_active_comparison(x):
    row = 1 if x[0] > 0.5 else 2
    return np.sum(TABLE[row] * x[:2] ** 2)


@program(X)
def conversion_to_int(x):
    n = int(np.sum(np.abs(x)))
    return np.sum(x**n)


@program(X)
def conversion_to_float(x):
    y = float(x[0])
    z = x[1].item() if hasattr(x[1], "item") else x[1]
    return y * z * float(np.sum(x))


@program(X)
def zeros_like_and_ones_like(x):
    return np.sum(x**2 + np.zeros_like(x) * x) * np.ones_like(x)[0]


@program(X)
def dtype_and_shape_attributes(x):
    y = np.zeros(x.shape, dtype=x.dtype)
    y[:] = x * x
    return np.sum(y) * x.itemsize * 0.1


@program(X)
def linear_space(x):
    t = np.linspace(0.0, 1.0, 4)
    return np.sum(np.sin(x * t))


@program(X)
def linear_space_to_an_active_end(x):
    t = x[0] * np.linspace(0.0, 1.0, 4)
    return np.sum(np.sin(t)) * x[1]


@program(X)
def is_and_in_tests(x):
    if x is not None and 3 in (1, 2, 3):
        return np.sum(x**2)
    return 0.0


@program(X)
def isinstance_test(x):
    if isinstance(x, np.ndarray):
        return np.sum(x**2)
    return x
