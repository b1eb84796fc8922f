"""`if`, conditional expressions, `and`/`or`/`not` and chained comparisons."""

from __future__ import annotations

import math

import numpy as np

from corpus import program

X = np.array([0.7, -1.2, 0.4, 1.9])


@program(0.7)
def if_without_else(x):
    y = x * x
    if y < 1.0:
        y = math.sin(y)
    return y * 3.0


@program(0.7)
def if_else(x):
    if x > 0.0:
        y = x**3
    else:
        y = -x
    return y + x


@program(-0.7)
def if_else_other_side(x):
    if x > 0.0:
        y = x**3
    else:
        y = math.exp(x)
    return y * x


@program(1.6)
def elif_chain(x):
    if x < 0.0:
        y = x
    elif x < 1.0:
        y = x * x
    elif x < 2.0:
        y = math.log(x) * x
    else:
        y = 0.0
    return y


@program(0.4, 1.3, argnums=(0, 1))
def nested_branches(x, y):
    if x < y:
        if x * y > 1.0:
            z = x
        else:
            z = x * math.sin(y)
    else:
        z = y
    return z * z


@program(0.4, 1.3, argnums=(0, 1))
def two_variables_per_branch(x, y):
    if x < y:
        x, y = y * y, x
    else:
        x = x * 2.0
    return x * math.cos(y)


@program(0.8)
def branch_overwrites_what_it_reads(x):
    y = math.sin(x)
    if y > 0.2:
        y = y * y * x
        y = math.exp(y)
    return y / x


@program(0.8)
def conditional_expression(x):
    return (x * x if x > 0.5 else x) + (1.0 if x < 0.0 else math.tanh(x))


@program(0.8, 0.3, argnums=(0, 1))
def nested_conditional_expression(x, y):
    return x * y if x < y else x / y if x > 5.0 else math.exp(x - y)


@program(0.8, 0.3, argnums=(0, 1))
def short_circuit_and(x, y):
    if x > 0.5 and y > 0.1:
        return x * y
    return x + y


@program(0.8, 0.3, argnums=(0, 1))
def short_circuit_or(x, y):
    if x < 0.5 or y / x > 0.1:
        return x * y * y
    return x + y


@program(0.8)
def short_circuit_guards_the_second_test(x):
    items = []
    if items and items[0] > x:
        return x
    return x**2.5


@program(0.8)
def negation(x):
    if not (x < 0.5 or not x < 2.0):
        return math.sqrt(x)
    return x


@program(0.8, 1.1, argnums=(0, 1))
def chained_comparison(x, y):
    if 0.0 < x < y <= 2.0:
        return x * x * y
    return x


@program(0.8)
def comparison_kept_in_a_variable(x):
    large = x > 0.5
    y = x * 2.0 if large else x
    if not large:
        y = 0.0
    return y * x


@program(0.8)
def or_gives_a_value(x):
    scale = 0.0 or 2.0
    return math.sin(x) * scale


@program(0.8, 0.3)
def and_gives_a_value(x, y):
    z = x > 0.5 and x * y
    return z * x


@program(X)
def branch_on_an_array_reduction(x):
    if x.sum() > 1.0:
        return np.sum(x**3)
    return np.sum(x)


@program(X)
def branch_gives_different_arrays(x):
    if x[0] > 0.5:
        y = np.sin(x)
    else:
        y = x
    return np.sum(y * x)


@program(X)
def where_selects(x):
    return np.sum(np.where(x > 0.5, x**3, np.sin(x)))


@program(X)
def where_with_mask_variable(x):
    positive = x > 0.0
    return np.sum(np.where(positive, x, 0.1 * x) * x)


@program(X)
def maximum_and_minimum(x):
    return np.sum(np.maximum(x, 0.5) ** 2 * np.minimum(x, 1.5))


@program(0.8, 0.3, argnums=(0, 1))
def builtin_max_and_min(x, y):
    return max(x, y) ** 2 * min(x, y, 4.0)


@program(X)
def clip_inside_and_outside(x):
    return np.sum(np.clip(x, -1.0, 1.0) ** 2)


@program(-0.8)
def absolute_value(x):
    return abs(x) ** 3 + math.fabs(x)


@program(X, "cube")
def branch_on_a_string(x, kind):
    if kind == "square":
        y = x * x
    elif kind in ("cube", "third"):
        y = x**3
    else:
        y = x
    return np.sum(y)


@program(X, True)
def branch_on_a_flag(x, squared):
    y = x * x if squared else x
    return np.sum(y * x)


@program(X, None)
def branch_on_none(x, weight):
    if weight is None:
        weight = np.ones(4)
    return np.sum(x**2 * weight)


@program(X)
def branch_on_a_shape(x):
    if x.ndim == 1 and x.shape[0] > 3 and len(x) != 7:
        return np.dot(x, x) * x[0]
    return x[0]


@program(0.8)
def empty_branch(x):
    if x > 0.5:
        pass
    else:
        x = 0.0
    return x**2


@program(X)
def any_and_all_as_conditions(x):
    if np.any(x < -1.0) and not np.all(x > 0.0):
        return np.sum(x**2)
    return 0.0


@program(0.8, 0.3, argnums=(0, 1))
def branch_result_depends_on_one_side_only(x, y):
    if x > 0.5:
        z = x * x
    else:
        z = y
    return z * 2.0


@program(X, numba=False)
def shape_of_an_array_or_numbers(x):
    if x.shape[0] % 2 == 0:
        part = 2.0 * x[1::2]
        shape = part.shape
        total = np.sum(part**2)
    else:
        shape = (0,)
        total = 0.0
    return total + shape[0] * np.sum(x)


@program(X, numba=False)
def array_made_and_written_under_one_test(x):
    s = x[1] ** 2
    for i in range(4):
        if x[i] > 0:
            z = np.sin(x) * 2
        if x[i] > 0:
            s = s + (z * z).sum()
            z[0] = s
            s = s * 0.1 * z[1] + z[0]
    return s
