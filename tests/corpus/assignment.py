"""Unpacking, stars, chains, annotations, augmented assignment, walrus, swaps."""

from __future__ import annotations

import math

import numpy as np

from corpus import program

X = np.array([0.7, -1.2, 0.4, 1.9])


@program(0.4, 0.7, argnums=(0, 1))
def swap(x, y):
    x, y = y, x * x
    return x * math.sin(y)


@program(0.4, 0.7, argnums=(0, 1))
def rotation_of_three(x, y):
    z = x * y
    x, y, z = z, x, y
    return x * y**2 * z**3


@program(X)
def unpack_an_array(x):
    a, b, c, d = x
    return a * b + math.sin(c) * d


@program(X)
def unpack_with_a_star(x):
    first, *middle, last = x[0], x[1], x[2], x[3]
    return first * last + middle[0] * middle[1] ** 2


@program(0.4, 0.7, argnums=(0, 1))
def unpack_nested(x, y):
    (a, b), [c, d] = (x, y), [x * y, 2.0]
    return a * c + b**2 * d


@program(0.4)
def chained(x):
    y = z = math.sin(x)
    y = y * 2.0
    return y * z


@program(0.4)
def annotated(x: float) -> float:
    y: float = x * x
    z: float
    z = y + x
    return z * y


@program(0.4)
def augmented_scalars(x):
    y = x
    y += x
    y *= y
    y -= 0.3 * x
    y /= 1.0 + x
    y **= 2
    return y


@program(X)
def augmented_fresh_array(x):
    y = x * 1.0
    y += x
    y *= y
    y -= 0.3
    y /= 2.0
    return np.sum(y**2)


@program(0.4)
def augmented_scalar_keeps_the_old_binding(x):
    y = x * x
    z = y
    y += 1.0
    return y * z


@program(X)
def augmented_array_changes_the_other_binding(x):
    y = x * x
    z = y
    y += 1.0
    return np.sum(y * z)


@program(0.4)
def walrus(x):
    if (y := math.sin(x)) > 0.1:
        return y * x
    return y


@program(0.4)
def walrus_in_an_expression(x):
    return (y := x * x) + math.sin(y) * y


@program(0.4)
def rebinding_with_other_types(x):
    y = 3
    y = y * x
    y = (y, y * y)
    y = y[0] * y[1]
    return y


@program(0.4)
def name_used_for_number_then_array(x):
    y = x * 2.0
    y = np.array([y, y * y, 1.0])
    y = np.sum(y**2)
    return y


@program(0.4, 0.7, argnums=(0, 1))
def swap_of_tuple_items(x, y):
    pair = (x, y)
    a, b = pair[1], pair[0]
    return a * a + b


@program(X)
def swap_of_elements(x):
    y = x.copy()
    y[0], y[1] = y[1], y[0] * y[0]
    return np.sum(y**3)


@program(X)
def augmented_subscript(x):
    y = np.ones(4)
    y[1] += x[1]
    y[1] *= x[0]
    y[2] -= x[3] ** 2
    y[0] /= 2.0 + x[2]
    return np.sum(y**2)


@program(0.4)
def names_like_those_invented_by_compilers(x):
    d_x = x * x
    x_1 = d_x + x
    t_0 = math.sin(x_1)
    return t_0 * d_x


@program(0.4)
def names_of_builtins_and_modules(x):
    sum = x * x
    numpy = sum + 1.0
    range = math.sin(numpy)
    return range * sum


@program(X)
def tuple_index_and_slice(x):
    items = (x[0], x[1] ** 2, x[2], x[3])
    return items[-1] * sum(items[1:3]) * len(items)


@program(0.4, 0.7, argnums=(0, 1))
def tuple_concatenation(x, y):
    pair = (x, y) + (x * y,)
    a, b, c = pair
    return a * b + c**2
