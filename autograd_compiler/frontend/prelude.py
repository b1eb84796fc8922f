"""Functions of the standard library, written in the language that is compiled.

A call of `functools.reduce` is lowered as a call of `reduce` below: loops and branches
that every part of the compiler knows already.  What gives an iterator in Python gives
a list here, made at once.  `iteration.py` says which function stands for which; errors
inside of one are shown at the user's call.
"""

from __future__ import annotations

import operator
from typing import Any

import numpy as np

# ---------------------------------------------------------------- builtins


def filtered(function: Any, items: Any) -> Any:
    if function is None:
        return [item for item in items if item]
    return [item for item in items if function(item)]


def largest(items: Any, key: Any) -> Any:
    best, *others = items
    best_key = key(best)
    for item in others:
        item_key = key(item)
        if item_key > best_key:
            best = item
            best_key = item_key
    return best


def smallest(items: Any, key: Any) -> Any:
    best, *others = items
    best_key = key(best)
    for item in others:
        item_key = key(item)
        if item_key < best_key:
            best = item
            best_key = item_key
    return best


def in_order(items: Any, keys: Any) -> Any:
    order = np.argsort(np.array(keys), kind="stable")
    return [items[place] for place in order]


def in_falling_order(items: Any, keys: Any) -> Any:
    # Equal items stay in the order in which they are.
    order = np.argsort(np.array(keys[::-1]), kind="stable")
    last = len(items) - 1
    return [items[last - place] for place in order[::-1]]


def repeated(items: Any, count: Any) -> Any:
    return [item for _ in range(count) for item in items]


def items_between(items: Any, start: Any, stop: Any) -> Any:
    return [items[place] for place in range(start, stop)]


# ---------------------------------------------------------------- methods of lists


def insert(items: Any, position: Any, value: Any) -> None:
    count = len(items)
    if position < 0:
        position = max(position + count, 0)
    position = min(position, count)
    items.append(value)
    for place in range(count, position, -1):
        items[place] = items[place - 1]
    items[position] = value


def pop_at(items: Any, position: Any) -> Any:
    if position < 0:
        position = position + len(items)
    value = items[position]
    for place in range(position, len(items) - 1):
        items[place] = items[place + 1]
    items.pop()
    return value


def reverse(items: Any) -> None:
    last = len(items) - 1
    for place in range(len(items) // 2):
        item = items[place]
        items[place] = items[last - place]
        items[last - place] = item


def overwrite(items: Any, values: Any) -> None:
    for place in range(len(values)):
        items[place] = values[place]


def clear(items: Any) -> None:
    for _ in range(len(items)):
        items.pop()


# ---------------------------------------------------------------- functools, itertools


def reduce(function: Any, items: Any) -> Any:
    result, *others = items
    for item in others:
        result = function(result, item)
    return result


def reduce_from(function: Any, items: Any, result: Any) -> Any:
    for item in items:
        result = function(result, item)
    return result


def accumulate(items: Any, function: Any = operator.add, *, initial: Any = None) -> Any:
    if initial is None:
        total, *others = items
    else:
        total = initial
        others = items
    totals = [total]
    for item in others:
        total = function(total, item)
        totals.append(total)
    return totals


def chain(*sources: Any) -> Any:
    result = []
    for source in sources:
        for item in source:
            result.append(item)
    return result


def chain_from_iterable(sources: Any) -> Any:
    return [item for source in sources for item in source]


def pairwise(items: Any) -> Any:
    items = list(items)
    return [(items[place], items[place + 1]) for place in range(len(items) - 1)]


def product(first: Any, second: Any) -> Any:
    return [(a, b) for a in first for b in second]


def product_of_three(first: Any, second: Any, third: Any) -> Any:
    return [(a, b, c) for a in first for b in second for c in third]


def combinations(items: Any) -> Any:
    items = list(items)
    count = len(items)
    return [(items[i], items[j]) for i in range(count) for j in range(i + 1, count)]


def combinations_of_three(items: Any) -> Any:
    items = list(items)
    count = len(items)
    return [
        (items[i], items[j], items[k])
        for i in range(count)
        for j in range(i + 1, count)
        for k in range(j + 1, count)
    ]


def combinations_with_replacement(items: Any) -> Any:
    items = list(items)
    count = len(items)
    return [(items[i], items[j]) for i in range(count) for j in range(i, count)]


def permutations(items: Any) -> Any:
    items = list(items)
    count = len(items)
    return [(items[i], items[j]) for i in range(count) for j in range(count) if i != j]


def islice(items: Any, cut: Any) -> Any:
    return list(items)[cut]


def starmap(function: Any, items: Any) -> Any:
    return [function(*item) for item in items]


def takewhile(function: Any, items: Any) -> Any:
    result = []
    for item in items:
        if not function(item):
            break
        result.append(item)
    return result


def dropwhile(function: Any, items: Any) -> Any:
    result = []
    dropping = True
    for item in items:
        dropping = dropping and function(item)
        if not dropping:
            result.append(item)
    return result


# ---------------------------------------------------------------- NumPy


def ndindex(*shape: Any) -> Any:
    sizes = shape
    if len(shape) == 1 and isinstance(shape[0], tuple):
        sizes = shape[0]
    places: Any = [()]
    for size in sizes:
        places = [(*place, k) for place in places for k in range(size)]
    return places


def ndenumerate(values: Any) -> Any:
    return [(place, values[place]) for place in ndindex(*values.shape)]
