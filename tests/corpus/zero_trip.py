"""Loops that do not run, variables that may be missing, empty and size-1 arrays."""

from __future__ import annotations

import numpy as np

from corpus import program

X = np.array([0.7, -1.2, 0.4, 1.9])


@program(0.7, 0)
def for_loop_not_entered(x, n):
    y = x * x
    for i in range(n):
        y = y * x + i
    return y


@program(0.7)
def while_loop_not_entered(x):
    y = x * x
    while y > 2.0:
        y = y * 0.5
    return y * x


@program(0.7, 0)
def variable_defined_in_a_loop_that_may_not_run(x, n):
    for i in range(n):
        y = x * i
    if n > 0:
        return y
    return x**3


@program(0.7, 3)
def variable_defined_in_a_loop_that_runs(x, n):
    for i in range(n):
        y = x**i
    return y * x


@program(0.7)
def variable_defined_in_one_branch(x):
    if x > 0.5:
        y = x * x
    if x > 0.6:
        return y * x
    return x


@program(-0.7)
def variable_defined_in_the_branch_not_taken(x):
    if x > 0.5:
        y = x * x
    if x > 0.6:
        return y * x
    return np.exp(x)


@program(X)
def array_defined_in_one_branch(x):
    if x[0] > 0.5:
        y = np.sin(x)
        scale = 2.0
    else:
        scale = 1.0
    return np.sum(y * y) * scale


@program(X, 0)
def list_left_empty(x, n):
    items = []
    for i in range(n):
        items.append(x[i])
    return sum(items) + np.sum(x**2)


@program(X)
def empty_slice(x):
    return np.sum(x[4:] ** 2) + np.sum(x[:0]) + x[0] ** 2


@program(np.zeros((0,)), X, argnums=(0, 1))
def empty_array(e, x):
    return np.sum(e**2) + np.sum(x**2)


@program(X, np.zeros((0, 4)))
def loop_over_an_empty_array(x, rows):
    total = np.sum(x)
    for row in rows:
        total = total * np.sum(row * x)
    return total**2


@program(np.array([0.6]), X, argnums=(0, 1))
def size_one_broadcasts(a, x):
    return np.sum((a * x) ** 2)


@program(np.array([[0.6], [0.2]]), np.array([[0.3, 0.9, 0.4]]), argnums=(0, 1))
def outer_product_by_broadcasting(a, b):
    return np.sum(np.sin(a * b) + a)


@program(0.6, X, argnums=(0, 1))
def scalar_broadcasts(a, x):
    return np.sum(np.exp(a * x) / (a + 3.0))


@program(np.array([0.6]))
def store_of_size_one(a):
    y = np.ones(3)
    y[:] = a
    y[1:] *= a
    return np.sum(y**2)


@program(np.array([0.6]), X, argnums=(0, 1))
def size_one_in_a_branch(a, x):
    y = a if x[0] > 5.0 else x
    z = y * a
    return np.sum(z**2)


@program(0.7, 0)
def inner_loop_not_entered(x, n):
    total = 0.0
    for i in range(3):
        y = x * (i + 1)
        for _ in range(n):
            y = y * y
        total += y**2
    return total


@program(X)
def inner_loop_empty_at_first(x):
    total = 1.0
    for i in range(4):
        for j in range(i):
            total = total * (1.0 + 0.1 * x[i] * x[j])
    return total


@program(0.7)
def range_that_is_empty_by_its_step(x):
    for i in range(0, 5, -1):
        x = x * i
    return x**2


@program(0.7, 0)
def else_of_an_empty_loop(x, n):
    for _ in range(n):
        x = 0.0
    else:
        x = x * x
    return x


@program(X, 1, 2)
def slice_that_turns_out_to_hold_one(x, start, stop):
    return np.sum(x[start:stop] * x**2)


@program(np.array([0.7]), 3)
def size_one_beside_a_range_of_given_length(x, n):
    return np.sum(np.arange(n) * x**2)
