"""`for` over everything that the language lets it run over."""

from __future__ import annotations

import math

import numpy as np

from corpus import program

X = np.array([0.7, -1.2, 0.4, 1.9])
M = np.array([[0.3, 0.8], [-0.5, 0.9], [1.1, -0.4]])


@program(0.9)
def range_with_stop(x):
    y = 1.0
    for i in range(4):
        y = y * x + i
    return y


@program(0.9)
def range_with_start(x):
    y = x
    for i in range(2, 5):
        y = math.sin(y * i)
    return y


@program(0.9)
def range_with_step(x):
    y = 0.0
    for i in range(1, 8, 3):
        y += x**i
    return y


@program(X)
def range_with_negative_step(x):
    y = 0.3
    for i in range(len(x) - 1, -1, -1):
        y = y * x[i] + 1.0
    return y


@program(X)
def range_with_negative_step_of_two(x):
    y = 1.0
    for i in range(3, -1, -2):
        y = y * math.exp(x[i]) + y
    return y


@program(0.9, 5)
def range_over_an_argument(x, n):
    y = x
    for _ in range(n):
        y = math.cos(y)
    return y


@program(0.9)
def range_kept_in_a_variable(x):
    steps = range(3)
    y = x
    for _ in steps:
        y = y * math.sin(y)
    return y


@program(X)
def over_an_array(x):
    total = 0.0
    for item in x:
        total = total * 0.5 + item * item
    return total


@program(M)
def over_rows(m):
    total = 0.0
    for row in m:
        total = total + np.sum(row**3) * row[0]
    return total


@program(M)
def over_rows_unpacked(m):
    total = 0.0
    for a, b in m:
        total += a * b * b
    return total


@program(0.9)
def over_a_tuple(x):
    y = x
    for weight in (0.5, 1.5, 2.5):
        y = math.sin(weight * y)
    return y


@program(0.9, 0.4, argnums=(0, 1))
def over_a_tuple_of_active_values(x, y):
    total = 1.0
    for item in (x, y, x * y):
        total = total * (1.0 + item)
    return total


@program(0.9)
def over_a_list(x):
    total = 0.0
    for item in [x, x * x, 2.0]:
        total += math.sin(item)
    return total


@program(X)
def over_dict_items(x):
    powers = {"a": 2, "b": 3}
    total = 0.0
    for name, power in powers.items():
        total += np.sum(x**power) * len(name)
    return total


@program({"w": X, "b": 0.5 * X})
def over_items_of_an_active_dict(params):
    total = 1.0
    for _, value in params.items():
        total = total * np.sum(np.sin(value))
    return total


@program({"w": 0.3, "b": 0.8})
def over_keys_and_values(params):
    total = 0.0
    for key in params:
        total += params[key] ** 2
    for value in params.values():
        total *= value
    return total


@program(X)
def with_enumerate(x):
    y = 0.0
    for i, item in enumerate(x):
        y += item ** (i + 1)
    return y


@program(X)
def with_enumerate_from_one(x):
    y = 0.0
    for i, item in enumerate(x, start=1):
        y += math.sin(i * item)
    return y


@program(X, np.array([0.2, 0.9, -0.6, 0.5]), argnums=(0, 1))
def with_zip(x, y):
    total = 0.0
    for a, b in zip(x, y, strict=True):
        total = math.tanh(total + a * b)
    return total


@program(X, M, argnums=(0, 1))
def with_zip_of_different_lengths(x, m):
    total = 0.0
    for a, row in zip(x, m):
        total += a * a * row.sum()
    return total


@program(X)
def with_enumerate_of_zip(x):
    total = 0.0
    for i, (a, b) in enumerate(zip(x[:-1], x[1:], strict=True)):
        total += (a - b) ** 2 * (i + 1)
    return total


@program(X)
def with_reversed_array(x):
    y = 0.2
    for item in reversed(x):
        y = y * item + 0.5
    return y


@program(0.9)
def with_reversed_range(x):
    y = x
    for i in reversed(range(1, 4)):
        y = math.sin(y) * i
    return y


@program(X)
def with_reversed_list(x):
    items = [x[0], x[1], x[2]]
    y = 0.3
    for item in reversed(items):
        y = math.sin(y + item)
    return y


@program(M)
def nested_loops(m):
    total = 0.0
    for i in range(m.shape[0]):
        for j in range(m.shape[1]):
            total = math.sin(total + m[i, j] * (i + j + 1))
    return total


@program(M)
def triangular_loops(m):
    total = 0.0
    for i in range(3):
        for j in range(i):
            total += m[i, 0] * m[j, 1] ** 2
    return total


@program(0.9)
def inner_loop_reset(x):
    total = 0.0
    for i in range(3):
        y = x
        for _ in range(i + 1):
            y = y * y * 0.9
        total += y
    return total


@program(X)
def array_carried(x):
    state = np.zeros(4)
    for i in range(3):
        state = np.tanh(state * 0.5 + x * (i + 1))
    return np.sum(state**2)


@program(0.4, 0.7, argnums=(0, 1))
def two_carried_values(x, y):
    for _ in range(4):
        x, y = y, math.sin(x) + 0.5 * y
    return x * y


@program(0.9)
def branch_in_a_loop(x):
    y = x
    for i in range(5):
        if i % 2 == 0:
            y = math.sin(y)
        else:
            y = y * y + x
    return y


@program(X)
def data_dependent_branch_in_a_loop(x):
    y = 0.0
    for item in x:
        if item > y:
            y = item * item * 0.7
        else:
            y = y - item * 0.1
    return y


@program(0.9)
def index_used_after_the_loop(x):
    for i in range(4):
        x = math.cos(x)
    return x * i


@program(0.9)
def loop_variable_rebound(x):
    total = 0.0
    for i in range(4):
        i = i * 2
        total += x**i
    return total


@program(X)
def last_item_used_after_the_loop(x):
    total = 0.0
    for item in x:
        total += math.sin(item)
    return total * item


@program(X, np.array([2, 0, 3, 2]))
def over_an_integer_array(x, order):
    y = 1.0
    for i in order:
        y = y + y * x[i]
    return y


@program(X)
def slices_in_a_loop(x):
    total = 0.0
    for i in range(1, 4):
        total += np.prod(x[:i])
    return total


@program(X)
def over_a_strided_range_of_halves(x):
    y = x
    while len(y) > 1:
        y = y[::2] * y[1::2]
    return y[0]


@program(X)
def user_list_is_a_tape(x):
    seen = []
    h = x[0]
    for i in range(4):
        seen.append(h)
        h = np.sin(h) * x[i]
    for i in reversed(range(4)):
        h = h * seen.pop() + x[i]
    return h


@program(X)
def list_is_emptied_in_the_order_it_was_filled_backwards(x):
    seen = [x[1], x[2]]
    h = x[0]
    for i in reversed(range(1, 4)):
        seen.append(h * x[i])
        h = np.sin(h) * x[i]
    for i in range(1, 4):
        h = h * seen.pop() + x[i]
    return h * seen[1]


@program(X, 3)
def list_filled_in_a_while_is_read_backwards(x, n):
    seen = []
    k = 0
    h = x[0]
    while k < n:
        seen.append(h)
        h = np.sin(h) * x[k]
        k += 1
    for i in reversed(range(k)):
        h = h * seen.pop() + x[i]
    return h


@program(X)
def list_is_emptied_by_half(x):
    seen = []
    h = x[0]
    for i in range(4):
        seen.append(h)
        h = np.sin(h) * x[i]
    for _ in range(2):
        h = h * seen.pop()
    return h + seen[0] * seen[1] * len(seen)
