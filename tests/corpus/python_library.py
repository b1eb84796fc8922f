"""Python's own functions and containers: iterators, sorting, itertools, functools."""

import collections
import contextlib
import copy
import functools
import itertools
import math
import operator

import numpy as np

from corpus import program

x4 = np.array([0.5, -0.3, 1.2, 0.9])


@program(x4)
def first_and_the_rest(x):
    first, *rest = x
    total = first
    for item in rest:
        total = total * item + first
    return total


@program(x4)
def around_the_middle(x):
    first, *middle, last = x * x
    return first * last + sum(middle) * len(middle)


@program(np.array([[0.5, -0.3], [1.2, 0.9], [0.4, 0.2]]))
def rest_of_the_rows(m):
    top, *others = m
    for row in others:
        top = top * row
    return np.sum(top)


@program([(np.full((2, 2), 0.3), 0.1), (np.full((1, 2), 0.7), 0.2)], x4[:2])
def hidden_and_last_layer(layers, x):
    *hidden, (weights, bias) = layers
    for w, b in hidden:
        x = np.tanh(w @ x + b)
    return (weights @ x)[0] + bias


@program(x4)
def largest_by_square(x):
    return max(x, key=lambda item: item**2) ** 3 + min([x[0], x[1]], key=abs)


@program(x4, numba=False)  # lists of tuples
def sorted_by_key(x):
    ordered = sorted(x, key=lambda item: -item)
    pairs = sorted(zip(x, x**2), key=lambda pair: pair[1], reverse=True)
    return ordered[0] * ordered[1] ** 2 + pairs[0][0] * pairs[3][1]


@program({"w": np.array([0.4, 0.2]), "b": 0.3})
def sorted_keys_of_a_dict(params):
    total = 0.0
    for place, (_, value) in enumerate(sorted(params.items()), start=1):
        total += place * np.sum(value**2)
    return total


@program(x4)
def methods_of_run_time_lists(x):
    items = []
    for item in x:
        items.append(item * item)
    items.insert(1, x[0])
    items.reverse()
    last = items.pop(0)
    items.sort()
    items.extend([last, last])
    return items[0] * items[1] + items[2] * items[-1] ** 2


@program(x4, 3)
def list_of_zeros(x, n):
    found = [0.0] * n
    for k in range(n):
        found[k] += x[k] ** 2
    return sum(found) * found[1]


@program(x4)
def deleted_items(x):
    items = [x[0], x[1], x[2]]
    table = {"a": x[0], "b": x[1] ** 2}
    del items[1], table["a"]
    return items[0] * items[1] + sum(table.values())


@program(0.8)
def methods_of_dicts(x):
    table = {"a": x} | {"b": x * x}
    table.update(c=x**3)
    table.setdefault("d", 2.0 * x)
    popped = table.pop("b") + table.pop("missing", 1.0)
    return popped * sum(table.values()) + table.get("nothing", x)


# A limit of second order, refused: the adjoint of a run-time dict is copied by `dict`.
@program(x4, smooth=False, numba=False)  # a dict that grows
def default_dict(x):
    table = collections.defaultdict(float)
    for name, item in zip("abab", x):
        table[name] += item * item
    return table["a"] * table["b"] + table["c"]


@program(x4)
def double_ended_queue(x):
    queue = collections.deque(x)
    total = 0.0
    while queue:
        total = total * 0.5 + queue.popleft() ** 2
    return total


@program(x4)
def next_of_an_iterator(x):
    items = iter(x)
    total = next(items)
    for item in items:
        total = total * item + 1.0
    return total + next((item for item in x if item < 0.0), 0.0) ** 2


@program(x4)
def reduced(x):
    product = functools.reduce(operator.mul, x)
    return functools.reduce(lambda a, b: a * b + 1.0, [x[0], x[1]], product)


@program(x4)
def filtered_and_mapped(x):
    kept = filter(lambda item: item > 0.0, x)
    return sum(map(lambda a, b: a * math.sin(b), kept, x))


@program(x4, numba=False)  # lists of tuples
def pairs_of_items(x):
    total = sum(a * b for a, b in itertools.combinations(x, 2))
    for a, b in itertools.pairwise(x):
        total += a * b**2
    for i, j in itertools.product(range(2), repeat=2):
        total += x[i] * x[j] * (i + 1)
    return total


@program(x4)
def chained_and_accumulated(x):
    total = 0.0
    for item in itertools.chain([x[0], 2.0], x[1:], (x[0] ** 2,)):
        total = 0.5 * total + item**2
    return total + list(itertools.accumulate(x, operator.mul))[2]


@program(np.array([[0.5, -0.3], [1.2, 0.9]]), numba=False)  # lists of tuples
def enumerated_places(m):
    total = 0.0
    for (i, j), item in np.ndenumerate(m):
        total += item**2 * (i + 2 * j)
    for place in np.ndindex(*m.shape):
        total += m[place]
    return total


@program(x4, numba=False)  # `math.fsum`
def numpy_of_lists(x):
    items = [item * item for item in x]
    fixed = (x[0], x[1])
    return (
        np.dot(items, items) + np.mean(items) * np.linalg.norm(fixed) + math.fsum(items)
    )


@functools.lru_cache(maxsize=None)
def cached_square(x, n):
    return x * x * n


@program(0.8)
def cached_helper(x):
    return cached_square(x, 2) + cached_square(1.0, 3) * x


@program(
    {"w0": np.full((3, 2), 0.2), "w1": np.full((1, 3), 0.4)}, x4[:2], numba=False
)  # a dict of arrays whose keys are made
def keys_made_of_numbers(params, x):
    for layer in range(2):
        x = np.tanh(params[f"w{layer}"] @ x)
    return x[0]


@program(0.8)
def functions_made_in_a_loop(x):
    powers = [lambda value, k=k: value**k for k in range(4)]
    return sum(power(x) for power in powers)


@program(x4)
def copies_of_containers(x):
    nested = [[x * 1.0], 2.0]
    other = copy.deepcopy(nested)
    other[0][0][1] = x[0]
    return np.sum(nested[0][0] * other[0][0])


@program(0.8)
def contexts_with_names(x):
    with contextlib.nullcontext(x * x) as square, np.errstate(all="ignore") as _:
        y = square * x
    return y + square


@program(0.8, "cube")
def match_on_text(x, kind):
    match kind:
        case "square" | "second":
            return x * x
        case "cube" if x > 0.0:
            return x**3
        case _:
            return x


@program((0.8, [0.3, 0.2]))
def match_on_structure(pair):
    match pair:
        case (first, [second, *rest]) if len(rest) == 1:
            return first * second + rest[0] ** 2
        case (first, second):
            return first
    return 0.0


@program(0.8)
def try_around_what_is_known(x):
    try:
        import a_module_that_is_not_there as library
    except ImportError:
        library = None
    try:
        power = int("3")
    finally:
        power = power + 1
    return x**power if library is None else x
