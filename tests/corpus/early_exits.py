"""`break`, `continue`, `return` and `else` of loops, in all nestings."""

from __future__ import annotations

import math

import numpy as np

from corpus import program

X = np.array([0.7, -1.2, 0.4, 1.9])
M = np.array([[0.3, 0.8], [-0.5, 0.9], [1.1, -0.4]])


@program(0.9)
def break_on_a_counter(x):
    for i in range(10):
        if i == 3:
            break
        x = math.sin(x)
    return x * i


@program(0.5)
def break_in_a_range_with_steps(x):
    for i in range(1, 9, 2):
        if x > 0.0:
            x = math.sin(x * i)
        else:
            x = math.tanh(x - 0.3)
        if x < -0.2:
            break
    return x


@program(X)
def break_on_a_value(x):
    total = 0.0
    for item in x:
        total += item * item
        if total > 1.0:
            break
    return total


@program(X)
def break_with_work_before_and_after(x):
    y = 1.0
    for i in range(4):
        y = y * (2.0 + x[i])
        if x[i] < -1.0:
            y = y * y
            break
        y = math.sin(y)
    return y


@program(X)
def continue_on_a_value(x):
    total = 0.0
    for item in x:
        if item < 0.0:
            continue
        total += item**3
    return total


@program(X)
def break_and_continue(x):
    total = 0.0
    for i, item in enumerate(x):
        if item < 0.0:
            continue
        if i == 3:
            break
        total += math.exp(item)
    return total


@program(0.9)
def continue_in_a_while(x):
    i = 0
    while i < 6:
        i += 1
        if i % 3 == 0:
            continue
        x = math.sin(x * i)
    return x


@program(1.3)
def break_in_a_while(x):
    i = 0
    while i < 20:
        x = x * 1.3
        if x > 3.0:
            break
        i += 1
    return x * i


@program(X)
def for_else_taken(x):
    for item in x:
        if item > 5.0:
            y = item
            break
    else:
        y = np.sum(x**2)
    return y * x[0]


@program(X)
def for_else_not_taken(x):
    for item in x:
        if item < 0.0:
            y = item * item
            break
    else:
        y = 0.0
    return y * x[0]


@program(1.3)
def while_else_with_break(x):
    i = 0
    while i < 4:
        x = x * x * 0.8
        if x < 0.3:
            break
        i += 1
    else:
        x = math.sqrt(x)
    return x


@program(0.9)
def return_at_once(x):
    return x * x * x
    x = 0.0
    return x


@program(0.9)
def return_in_a_branch(x):
    if x > 0.5:
        return math.sin(x)
    y = x * x
    return y


@program(0.3)
def return_past_a_branch(x):
    if x > 0.5:
        return math.sin(x)
    y = x * x
    return y


@program(1.4)
def returns_in_every_branch(x):
    if x < 0.0:
        return -x
    elif x < 1.0:
        return x * x
    else:
        y = math.log(x)
        return y * x


@program(X)
def return_in_a_loop(x):
    y = 1.0
    for item in x:
        y = y * item
        if y < 0.0:
            return y * y
    return y


@program(X)
def return_in_a_loop_not_reached(x):
    y = 1.0
    for item in x:
        y = y * item
        if y > 100.0:
            return y * y
    return y * 3.0


@program(1.3)
def return_in_a_while(x):
    while x < 50.0:
        x = x * x
        if x > 4.0:
            return math.log(x)
    return x


@program(M)
def return_from_two_loops(m):
    total = 0.1
    for i in range(3):
        for j in range(2):
            total += m[i, j]
            if total > 1.0:
                return total * m[i, j]
    return total


@program(M)
def break_of_the_inner_loop_only(m):
    total = 0.0
    for row in m:
        for item in row:
            if item < 0.0:
                break
            total += item * item
        total = total * 1.5
    return total


@program(M)
def break_of_the_outer_loop_after_the_inner(m):
    total = 0.0
    for row in m:
        for item in row:
            total += item**3
        if row[0] < 0.0:
            break
    return total


@program(M)
def continue_outer_by_inner_else(m):
    total = 0.0
    for row in m:
        for item in row:
            if item < 0.0:
                break
        else:
            total += row[0] * row[1]
            continue
        total += row[0] ** 2 * 0.5
    return total


@program(M)
def continue_in_nested_loops(m):
    total = 1.0
    for i in range(3):
        if i == 1:
            continue
        for j in range(2):
            if i == j:
                continue
            total *= m[i, j] + 2.0
    return total


@program(X)
def break_inside_two_branches(x):
    y = 0.0
    for item in x:
        if item < 1.0:
            if item < -1.0:
                y = y * item
                break
            y += item
        y += 0.5 * item
    return y


@program(X)
def return_in_the_else_of_a_loop(x):
    for item in x:
        if item > 9.0:
            break
    else:
        return np.sum(np.sin(x))
    return x[0]


@program(X)
def break_after_an_inplace_write(x):
    y = np.ones(4)
    for i in range(4):
        y[i] = x[i] * x[i]
        if y[i] > 1.0:
            break
        y[i] *= x[0]
    return np.sum(y**2)


@program(X)
def return_from_a_branch_after_a_loop(x):
    y = 0.0
    for item in x:
        y += item
    if y > 1.0:
        return y * y
    return y


@program(X)
def different_arrays_returned(x):
    if x[0] > 0.0:
        return np.sin(x)
    return x


@program(X)
def containers_returned_early(x):
    if x[0] > 0.0:
        return {"y": x * x, "z": x[0]}
    return {"y": x, "z": 0.0}
