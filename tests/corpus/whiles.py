"""`while` with counters, with data-dependent tests, with `else`."""

from __future__ import annotations

import math

import numpy as np

from corpus import program

X = np.array([0.7, -1.2, 0.4, 1.9])


@program(0.9)
def counted(x):
    i = 0
    while i < 4:
        x = math.sin(x) + i * x
        i += 1
    return x


@program(1.4)
def until_large(x):
    y = x
    while y < 10.0:
        y = y * x + 0.1
    return y


@program(1.3)
def compound_condition(x):
    y, i = x, 0
    while y < 100.0 and i < 3:
        y = y * y
        i += 1
    return math.log(y) * x


@program(2.3)
def float_countdown(x):
    total = 0.0
    while x > 0.5:
        total += math.sin(x)
        x = x - 0.7
    return total * x


@program(X)
def array_state(x):
    y = x
    while np.sum(np.abs(y)) > 0.5:
        y = 0.5 * np.sin(y)
    return np.sum(y * x)


@program(0.9)
def nested_whiles(x):
    i = 0
    while i < 3:
        j = 0
        while j < i:
            x = x * math.cos(x)
            j += 1
        i += 1
    return x


@program(0.9)
def while_inside_for(x):
    total = 0.0
    for i in range(1, 4):
        y = x * i
        while y > 1.0:
            y = y / 2.0
        total += y * y
    return total


@program(1.3)
def loop_with_the_only_exit_in_the_middle(x):
    y = x
    last = 0.0
    while True:
        last = y * y
        if y > 5.0:
            break
        y = y * 1.5
    return last * y


@program(1.1)
def variable_assigned_on_the_exit_path(x):
    result = 0.0
    while True:
        if x > 5.0:
            result = x * x
            break
        x = x * 1.4
        result = -x
    return result


@program(1.3)
def return_from_an_endless_loop(x):
    n = 0
    while True:
        if x > 6.0:
            return x / (n + 1)
        x = x * x * 0.9 + 0.3
        n += 1


@program(0.9)
def walrus_in_the_condition(x):
    total = 0.0
    while (y := math.cos(x)) > 0.1:
        total += y * x
        x = x + 0.2
    return total


@program(0.9)
def while_else(x):
    i = 0
    while i < 3:
        x = math.sin(x)
        i += 1
    else:
        x = x * x
    return x


@program(1.7)
def condition_on_a_stored_element(x):
    a = np.array([x, x * x])
    while a[0] < 4.0:
        a[0] = a[0] * a[1]
    return a[0] + a[1]


@program(X)
def pointer_walk(x):
    low, high, total = 0, 3, 0.0
    while low < high:
        total += x[low] * x[high]
        low, high = low + 1, high - 1
    return total**2
