"""Generator expressions given to `sum`, `min`, `max`, `any`, `all`, `list`."""

from __future__ import annotations

import math

import numpy as np

from corpus import program

X = np.array([0.7, -1.2, 0.4, 1.9])


@program(X)
def sum_of_a_generator(x):
    return sum(item**3 for item in x)


@program(X)
def sum_with_a_start(x):
    return sum((item * item for item in x), x[0])


@program(X)
def sum_with_a_condition(x):
    return sum(math.exp(item) for item in x if item > 0.0)


@program(X)
def sum_of_two_loops(x):
    return sum(x[i] * x[j] ** 2 for i in range(4) for j in range(i))


@program(X, numba=False)
def sum_of_arrays(x):
    return np.sum(sum(x**k / k for k in range(1, 4)) ** 2)


@program(X)
def maximum_of_a_generator(x):
    return max(math.sin(item) for item in x) * x[0]


@program(X)
def minimum_of_a_generator(x):
    return min(item * item for item in x) + x[0]


@program(X)
def any_of_a_generator(x):
    if any(item < -1.0 for item in x):
        return np.sum(x**2)
    return 0.0


@program(X)
def all_of_a_generator(x):
    if all(abs(item) < 3.0 for item in x):
        return np.sum(x**3)
    return 0.0


@program(X)
def list_of_a_generator(x):
    items = list(item * item for item in x)
    return items[0] * items[3]


@program(X, numba=False)
def array_of_a_tuple_of_a_generator(x):
    y = np.array(tuple(math.sin(item) for item in x))
    return np.sum(y**2)


@program(X)
def name_of_the_generator_is_local(x):
    item = 2.0
    total = sum(item * item for item in x)
    return total * item * x[0]


@program(X)
def sum_over_zip_and_enumerate(x):
    return sum((i + 1) * a * b for i, (a, b) in enumerate(zip(x, x[1:])))
