"""Lists, tuples and dicts: built, changed, nested, unpacked."""

from __future__ import annotations

import math

import numpy as np

from corpus import program

X = np.array([0.7, -1.2, 0.4, 1.9])
M = np.array([[0.3, 0.8], [-0.5, 0.9], [1.1, -0.4]])


@program(0.7)
def append_then_sum(x):
    items = []
    for i in range(4):
        items.append(math.sin(x * i))
    return sum(items) * items[2]


@program(0.7)
def append_reads_the_last(x):
    items = [x]
    for _ in range(3):
        items.append(math.sin(items[-1]) + x)
    return items[3] * items[1]


@program(X)
def append_arrays_then_stack(x):
    states = []
    state = x
    for _ in range(3):
        state = np.sin(state) * x
        states.append(state)
    return np.sum(np.stack(states) ** 2)


@program(X)
def append_scalars_then_array(x):
    items = []
    for item in x:
        items.append(item * item)
    return np.sum(np.array(items) ** 2)


@program(X)
def append_in_a_branch(x):
    items = []
    for item in x:
        if item > 0.0:
            items.append(item**3)
    return sum(items) / len(items)


@program(X)
def pop_from_a_stack(x):
    items = [x[0], x[1], x[2], x[3]]
    while len(items) > 1:
        a = items.pop()
        b = items.pop()
        items.append(math.sin(a * b))
    return items[0]


@program(X)
def pop_in_a_loop(x):
    stack = []
    for item in x:
        stack.append(item * item)
    total = 1.0
    while stack:
        total = total * 0.5 + stack.pop()
    return total


@program(X)
def comprehension(x):
    squares = [item * item for item in x]
    return sum(squares) * squares[1]


@program(X)
def comprehension_with_condition(x):
    items = [math.exp(item) for item in x if item > 0.0]
    return sum(items) * len(items)


@program(M)
def comprehension_with_two_loops(m):
    items = [m[i, j] ** 2 for i in range(3) for j in range(2) if i != j]
    return sum(items) * items[0]


@program(M)
def nested_comprehension(m):
    rows = [[item * item for item in row] for row in m]
    return rows[0][1] * rows[2][0] + sum(rows[1])


@program(M)
def comprehension_of_arrays(m):
    rows = [np.sin(row) for row in m]
    return np.sum(np.array(rows) ** 2)


@program(0.7, 0.4, argnums=(0, 1))
def list_literal_and_indexing(x, y):
    items = [x, y, x * y]
    items[1] = items[1] * items[0]
    return items[0] + items[-1] * items[1]


@program(0.7)
def list_store_in_a_loop(x):
    items = [x] * 3
    for i in range(1, 3):
        items[i] = items[i - 1] * x + i
    return items[2] * items[1]


@program(0.7, 0.4, argnums=(0, 1))
def list_concatenation(x, y):
    items = [x, y] + [x * y]
    items = items + [2.0]
    return sum(items) * items[2]


@program(0.7)
def list_slices(x):
    items = [x**i for i in range(5)]
    return sum(items[1:4]) * sum(items[::-2]) + len(items[2:])


@program(0.7)
def list_extend(x):
    items = [x]
    items.extend([x * x, math.sin(x)])
    items += [2.0 * x]
    return items[1] * items[2] * items[3]


@program(0.7)
def list_alias(x):
    items = [x]
    same = items
    same.append(x * x)
    return items[0] * items[1]


@program(X)
def list_of_arrays_summed(x):
    parts = [x * x, np.sin(x), x]
    return np.sum(sum(parts) ** 2)


@program(X)
def concatenate_list(x):
    parts = [x[:2] ** 2, x[1:]]
    return np.sum(np.concatenate(parts) ** 2)


@program(X, numba=False)
def list_of_pairs(x):
    pairs = []
    for i in range(3):
        pairs.append((x[i], x[i + 1] * x[i]))
    total = 0.0
    for a, b in pairs:
        total += a * b
    return total


@program(X)
def list_of_lists(x):
    rows = []
    for i in range(3):
        rows.append([x[i], x[i + 1] ** 2])
    return rows[0][1] * rows[2][0] + rows[1][0]


@program(X)
def array_of_nested_lists(x):
    rotation = np.array([[np.cos(x[0]), -np.sin(x[0])], [x[1], x[2]]])
    return np.sum(rotation @ x[:2])


@program(X)
def array_of_mixed_constants(x):
    return np.sum(np.array([1.0, x[0], 2, x[1] * x[2]]) ** 2)


@program(X)
def dict_literal(x):
    parts = {"a": x * x, "b": np.sin(x)}
    return np.sum(parts["a"] * parts["b"])


@program(0.7)
def dict_store(x):
    parts = {}
    parts["a"] = x * x
    parts["b"] = parts["a"] * x
    parts["a"] = math.sin(parts["a"])
    return parts["a"] * parts["b"]


@program(0.7, numba=False)
def dict_augmented_store(x):
    totals = {"even": 0.0, "odd": 1.0}
    for i in range(4):
        key = "odd" if i % 2 else "even"
        totals[key] += x**i
    return totals["even"] * totals["odd"]


@program(X, numba=False)
def dict_with_integer_keys(x):
    parts = {i: x[i] ** 2 for i in range(4)}
    return parts[0] * parts[3]


@program(X, numba=False)
def dict_comprehension_and_items(x):
    parts = {i: x[i] ** 2 for i in range(3)}
    total = 0.0
    for i, value in parts.items():
        total += (i + 1) * value * x[3]
    return total


@program(X)
def dict_in_a_dict(x):
    params = {"layer": {"w": x[:2], "b": x[2]}, "scale": x[3]}
    layer = params["layer"]
    return np.sum(layer["w"] ** 2) * layer["b"] * params["scale"]


@program(X)
def dict_membership_and_get(x):
    params = {"w": x * x}
    bias = params["b"] if "b" in params else 0.5
    return np.sum(params["w"] * x) + bias * len(params)


@program(0.7, numba=False)
def dict_read_by_a_computed_key(x):
    values = {"low": x, "high": x * x}
    return values["HIGH".lower()] * values["LOW".lower()]


@program(X)
def dict_rebuilt_in_a_loop(x):
    params = {"w": x, "v": np.zeros(4)}
    for _ in range(3):
        v = 0.9 * params["v"] - 0.1 * np.sin(params["w"])
        params = {"w": params["w"] + v, "v": v}
    return np.sum(params["w"] ** 2)


@program(X)
def tuple_state_in_a_loop(x):
    state = (x, np.ones(4))
    for _ in range(3):
        a, b = state
        state = (a * b, np.sin(a))
    return np.sum(state[0] * state[1])


@program(X)
def containers_returned(x):
    return {"y": x * x, "z": (x[0] * x[1], [np.sum(x), 2.0 * x])}


@program(X)
def list_returned(x):
    return [item * item for item in x]


@program(X)
def list_carried_through_a_branch(x):
    items = [x[0]]
    if x[1] < 0.0:
        items.append(x[1] * x[0])
    else:
        items.append(x[2])
    return items[0] * items[1] * len(items)


@program(X)
def list_of_arrays_indexed_by_time(x):
    history = [x]
    for t in range(3):
        history.append(history[t] * np.cos(history[t - 1]))
    return np.sum(history[-1] * history[1])


@program(X)
def zip_of_lists(x):
    left = [item**2 for item in x]
    right = [math.sin(item) for item in x]
    return sum([a * b for a, b in zip(left, right, strict=True)])


@program(X)
def insert_of_rows_from_a_list(x):
    rows = [x, x * x]
    table = np.zeros((2, 4))
    for i, row in enumerate(rows):
        table[i] = row
    return np.sum(table[0] * table[1])


@program(X)
def unpack_a_list_into_a_call(x):
    items = [x[0], x[1] * x[2]]
    return math.hypot(*items) * x[3]


@program(0.7, numba=False)
def list_grows_after_its_last_use(x):
    xs = []
    for i in range(3):
        xs.append(x * (i + 1))
    s = xs[0] ** 2
    for _ in range(2):
        xs.append(1.0)
    return s * len(xs)


@program(0.7, numba=False)
def list_shrinks_after_its_last_use(x):
    xs = []
    for i in range(3):
        xs.append(x * (i + 1))
    s = xs[0] ** 2
    for _ in range(2):
        xs.pop()
    return s * len(xs)


@program(0.7, numba=False)
def list_grows_in_a_branch_after_its_last_use(x):
    xs = []
    for i in range(3):
        xs.append(x * (i + 1))
    s = xs[0] ** 2 * xs[1]
    if s > 0:
        xs.pop()
        t = xs[0] * len(xs)
    else:
        xs.append(2.0)
        t = len(xs)
    return s * t


@program(0.7, numba=False)
def item_changes_its_shape_after_its_last_use(x):
    xs = []
    for i in range(3):
        xs.append(np.array([x, 1.0]) * (i + 1))
    s = (xs[0] ** 2).sum() * xs[1][0]
    for i in range(2):
        xs[i] = np.ones(3)
    return s * len(xs) * xs[0].sum()


@program(X, numba=False)
def keys_of_a_dict_are_whole_numbers(x):
    parts = {}
    for i in range(3):
        parts[i] = x[i] ** 2
    total = 0.0
    for key in parts:
        parts[key] = parts[key] * x[key + 1]
    for key, part in parts.items():
        total += (key + 1) * part * x[key]
    return total


@program(X)
def rest_of_an_array_and_of_a_list(x):
    pair = [x[0] * 2.0, x[1]]
    first, *others = x
    for item in x:
        first += sum(others)
        last, *others = pair
        others.append(item * last)
    return first + sum(others)
