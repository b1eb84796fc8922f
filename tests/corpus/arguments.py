"""Kinds of arguments: containers, scalars, dtypes, integers, keywords."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from corpus import program

X = np.array([0.7, -1.2, 0.4, 1.9])
W = np.array([[0.3, 0.8, -0.2, 0.5], [-0.5, 0.9, 0.1, 0.7]])


class Pair(NamedTuple):
    left: Any
    right: Any


@dataclass
class Layer:
    w: np.ndarray
    b: np.ndarray


@dataclass(frozen=True)
class Network:
    first: Layer
    scale: float


@program({"w": W, "b": np.array([0.1, -0.2])}, X)
def dict_of_arrays(params, x):
    return np.sum(np.tanh(params["w"] @ x + params["b"]) ** 2)


@program((0.4, X))
def tuple_of_mixed(params):
    scale, x = params
    return scale * np.sum(np.sin(x * scale))


@program([X, 0.5 * X, 0.3])
def list_of_mixed(params):
    return np.sum(params[0] * params[1]) * params[-1]


@program([(W, np.array([0.1, -0.2])), (W[:, :2], np.array([0.3, 0.4]))], X)
def list_of_layers(layers, x):
    for w, b in layers:
        x = np.tanh(w @ x + b)
    return np.sum(x**2)


@program(Pair(0.4, X))
def named_tuple(pair):
    return np.sum(np.sin(pair.left * pair.right))


@program(Pair(0.4, X))
def named_tuple_unpacked(pair):
    left, right = pair
    return left**2 * np.sum(right * pair[1])


@program(Layer(W, np.array([0.1, -0.2])), X)
def dataclass_of_arrays(layer, x):
    return np.sum((layer.w @ x + layer.b) ** 2)


@program(Network(Layer(W, np.array([0.1, -0.2])), 0.7), X)
def nested_dataclasses(network, x):
    layer = network.first
    return network.scale * np.sum(np.tanh(layer.w @ x + layer.b))


@program({"a": [0.3, (X, {"b": 0.8})], "c": Pair(0.2, 0.5)})
def deeply_nested(params):
    x, inner = params["a"][1]
    pair = params["c"]
    return params["a"][0] * np.sum(x**2) * inner["b"] + pair.left * pair.right


@program({0: 0.4, 1: 0.9})
def dict_with_integer_keys(params):
    return params[0] ** 2 * params[1]


@program({"w": X, "unused": 0.3})
def part_of_a_container_unused(params):
    return np.sum(params["w"] ** 2)


@program({"w": X, "v": X + 0.5})
def container_passed_on(params):
    def norm(p, name):
        return np.sum(p[name] ** 2)

    return norm(params, "w") * norm(params, "v")


@program({"w": X, "b": 0.3})
def container_of_arrays_written(params):
    w = params["w"] * 1.0
    w[0] = params["b"]
    return np.sum(w**2)


@program((X, 0.4))
def container_returned_as_is(params):
    return {"a": params[0] * params[1], "b": params}


@program(0.4, 3)
def integer_beside(x, n):
    return x**n * n


@program(X, 2, 0.3, argnums=(0, 2))
def two_arguments_around_an_integer(x, power, shift):
    return np.sum((x + shift) ** power)


@program(X, 0.3, argnums="shift")
def argument_selected_by_name(x, shift):
    return np.sum(np.sin(x * shift))


@program(X, 0.3, 0.6, argnums=("scale", "x"))
def arguments_selected_by_names(x, shift, scale):
    return np.sum(np.sin(x * shift) * scale)


@program(X, 0.3, argnums=1)
def second_argument(x, scale):
    return np.sum(np.exp(x * scale))


@program(X, 0.3, argnums=-1)
def last_argument(x, scale):
    return np.sum(np.exp(x * scale) * scale)


@program(X, 0.3, argnums=(1, 0))
def selected_in_another_order(x, scale):
    return np.sum(x**3 * scale**2)


@program(X, kwargs={"power": 3, "scale": 0.5})
def keyword_only_arguments(x, *, power, scale=1.0):
    return np.sum(x**power) * scale


@program(X)
def default_used(x, scale=0.5, items=(1.0, 2.0)):
    return np.sum(x**2) * scale + items[1] * x[0]


@program(0.4, 0.9, 1.3, argnums=(0, 1, 2))
def star_parameters(*items):
    result = 1.0
    for i, item in enumerate(items):
        result = result * np.sin(item * (i + 1))
    return result


@program(0.4, kwargs={"weight": 2.0})
def double_star_parameters(x, **options):
    return np.sin(x) * options["weight"]


@program(0.4, 0.9, argnums=(0, 1))
def positional_only(x, y, /):
    return x * y * y


@program(np.float64(0.4))
def numpy_scalar(x):
    return np.sin(x) * x


@program(np.float32(0.4))
def single_precision_scalar(x):
    return np.sin(x) * x


@program(X.astype(np.float32))
def single_precision_array(x):
    return np.sum(np.sin(x) * 2.0 * x)


@program(X.astype(np.float32), X, argnums=(0, 1))
def single_and_double_precision(x, y):
    return np.sum(x * y * y)


@program(X.astype(np.float32))
def single_precision_in_place(x):
    y = np.zeros(4, dtype=np.float32)
    y[1:] = x[1:] * x[:-1]
    y[0] += x[0] ** 2
    return np.sum(y**2)


@program(X.astype(np.float32))
def single_precision_made_double(x):
    return np.sum(x.astype(np.float64) ** 2 * 0.1)


@program(X, np.arange(4))
def integer_array_beside(x, n):
    return np.sum(x**2 * n)


@program(X, np.array([True, False, True, True]))
def boolean_array_beside(x, mask):
    return np.sum(np.where(mask, x**2, x)) + np.sum(x * mask)


@program(np.array(0.6))
def array_without_dimensions(x):
    return np.sin(x) * x


@program(np.array([0.6]))
def array_of_one(x):
    return x[0] ** 3 + np.sum(x)


@program(W.T)
def array_in_fortran_order(w):
    return np.sum(w @ w.T) + np.sum(w[:, 0] ** 3)


@program(np.array([[0.7, 9.0], [0.4, 9.0]])[:, 0])
def strided_array(x):
    return np.sum(x**3) * x[0]


@program(np.array([0.7, 0.4, -0.3])[::-1])
def array_with_negative_strides(x):
    return x[0] * x[1] ** 2 + x[2]


@program(np.random.default_rng(1).normal(size=(2, 3, 2)))
def three_dimensions(x):
    return np.sum(np.tanh(x).sum(axis=1) ** 2) + np.sum(x[:, 1, :] * x[1, 0])


@program(0.4, (X, {"w": 2.0 * X}))
def inactive_container_beside(x, data):
    return np.sum(np.sin(x * data[0]) * data[1]["w"])


@program(X, slice(1, 3), numba=False)
def slice_given_by_the_caller(x, part):
    return np.sum(x[part] ** 2)


@program(X, "sum")
def string_beside(x, reduction):
    y = x**2
    return np.sum(y) if reduction == "sum" else np.mean(y)
