"""Calls of the user's own functions, in all the ways Python has."""

from __future__ import annotations

import functools
import math
from functools import partial

import numpy as np
from numpy import tanh

import corpus.helpers_one as one
from corpus import helpers_two as two
from corpus import program
from corpus.helpers_one import outer as outer_one
from corpus.helpers_two import outer as outer_two

X = np.array([0.7, -1.2, 0.4, 1.9])
GAIN = 1.7
WEIGHTS = np.array([0.5, 1.5, -0.5, 1.0])


def square(x):
    return x * x


def affine(x, scale=2.0, *, shift=0.5):
    return x * scale + shift


def sine_and_cosine(x):
    return np.sin(x), np.cos(x)


def total(*items):
    result = 0.0
    for item in items:
        result = result + item * item
    return result


def weighted(x, **options):
    return x * options["weight"] + options.get("offset", 0.0)


def clipped(x):
    if x < 0.0:
        return 0.1 * x
    y = x * x
    if y > 1.0:
        return math.log(y)
    return y


def power(x, n):
    if n == 0:
        return 1.0
    return x * power(x, n - 1)


def even_steps(x, n):
    return x if n == 0 else odd_steps(math.sin(x), n - 1)


def odd_steps(x, n):
    return x if n == 0 else even_steps(x * x + 0.3, n - 1)


def tree_sum(x):
    if len(x) == 1:
        return x[0] * x[0]
    half = len(x) // 2
    return tree_sum(x[:half]) * 0.5 + math.sin(tree_sum(x[half:]))


def double_in_place(y):
    y *= 2.0
    y[0] = y[1] * y[0]


def fill_from(target, source):
    for i in range(len(source)):
        target[i] = source[i] ** 2
    return target


def apply_twice(f, x):
    return f(f(x))


def scaled(factor):
    def decorate(f):
        @functools.wraps(f)
        def wrapper(*args, **kwargs):
            return factor * f(*args, **kwargs)

        return wrapper

    return decorate


@scaled(3.0)
def tripled_sine(x):
    return np.sin(x)


class Model:
    def __init__(self, scale):
        self.scale = scale
        self.weights = np.array([0.5, 1.5, -0.5, 1.0])

    def predict(self, x):
        return np.tanh(x * self.weights) * self.scale

    def loss(self, x):
        return np.sum(self.predict(x) ** 2)

    @staticmethod
    def cube(x):
        return x**3


class Activation:
    def __init__(self, slope):
        self.slope = slope

    def __call__(self, x):
        return np.where(x > 0.0, x, self.slope * x)


model = Model(0.8)
leaky = Activation(0.1)


@program(0.7)
def helper_called_twice(x):
    return square(x) * square(math.sin(x))


@program(0.7)
def helper_of_a_helper(x):
    return affine(square(affine(x)))


@program(0.7)
def defaults_and_keywords(x):
    return affine(x) * affine(x, 3.0) * affine(x, scale=0.5, shift=x)


@program(X)
def tuple_returned(x):
    s, c = sine_and_cosine(x)
    return np.sum(s * c**2)


@program(X)
def one_of_a_tuple_returned(x):
    return np.sum(sine_and_cosine(x)[0] * x)


@program(0.7, 0.4, argnums=(0, 1))
def variable_positional_arguments(x, y):
    return total(x, y, x * y) + total()


@program(X)
def star_call(x):
    items = (x[0], x[1], x[2])
    return total(*items, x[3])


@program(0.7)
def variable_keyword_arguments(x):
    return weighted(x, weight=x) * weighted(x, weight=2.0, offset=x)


@program(0.7)
def double_star_call(x):
    options = {"scale": x, "shift": 2.0}
    return affine(x, **options)


@program(0.7)
def early_return_in_a_helper(x):
    return clipped(x) + clipped(-x) * clipped(x + 1.0)


@program(0.7)
def recursion(x):
    return power(x, 4) + x


@program(0.7, 5, numba=False)
def recursion_of_an_argument(x, n):
    return power(math.sin(x), n)


@program(0.7)
def mutual_recursion(x):
    return even_steps(x, 5)


@program(X, numba=False)
def tree_recursion(x):
    return tree_sum(x)


@program(X)
def helper_changes_its_argument(x):
    y = np.sin(x)
    double_in_place(y)
    return np.sum(y**2)


@program(X)
def helper_changes_a_view(x):
    y = np.sin(x)
    double_in_place(y[1:])
    return np.sum(y**2)


@program(X)
def helper_fills_and_returns_its_argument(x):
    y = np.zeros(4)
    z = fill_from(y, x)
    z[0] = x[1]
    return np.sum(y * z)


@program(X)
def helper_in_a_loop(x):
    y = 0.5
    for item in x:
        y = clipped(y * item + 0.3)
    return y


@program(X)
def changing_helper_in_a_loop(x):
    y = np.sin(x) + 1.0
    for _ in range(3):
        double_in_place(y)
        y = np.sqrt(np.abs(y) + 1.0)
    return np.sum(y)


@program(0.7)
def captured_number(x):
    return math.sin(x * GAIN)


@program(X)
def captured_array(x):
    return np.sum(np.sin(x * WEIGHTS))


@program(X)
def captured_name_of_an_operator(x):
    return np.sum(tanh(x) ** 2)


def make_closure(factor, weights, f):
    def closure(x):
        return np.sum(f(x * factor) * weights)

    return closure


closure_of_everything = program(X)(make_closure(1.3, WEIGHTS, np.sin))
closure_of_everything.__name__ = "closure_of_everything"


@program(0.7, 0.4, argnums=(0, 1))
def nested_function(x, y):
    def inner(z):
        return z * y + x

    return inner(x) * inner(2.0)


@program(0.7)
def nested_function_sees_later_values(x):
    y = x

    def inner(z):
        return z * y

    y = x * x
    return inner(x)


@program(0.7)
def function_returned_by_a_function(x):
    def scale_by(factor):
        return lambda z: z * factor

    double = scale_by(2.0)
    by_x = scale_by(x)
    return double(x) * by_x(math.sin(x))


@program(0.7)
def lambda_in_a_variable(x):
    f = lambda z, w=2.0: math.sin(z) * w
    return f(x) * f(x, x)


@program(0.7)
def lambda_called_in_place(x):
    return (lambda z: z**3)(x) + x


@program(0.7)
def function_as_argument(x):
    return apply_twice(math.sin, x) * apply_twice(square, x)


@program(0.7)
def lambda_as_argument(x):
    return apply_twice(lambda z: z * x + 1.0, x)


@program(0.7, math.sin)
def function_given_by_the_caller(x, f):
    return f(x) * apply_twice(f, x)


@program(0.7)
def functions_in_a_tuple(x):
    y = x
    for f in (math.sin, square, math.exp):
        y = f(y) * 0.5
    return y


@program(0.7)
def function_chosen_by_a_branch(x):
    f = square if x > 0.5 else clipped
    return f(x) * x


@program(X)
def method_of_a_global_object(x):
    return model.loss(x) + np.sum(model.predict(x))


@program(X, Model(0.6))
def method_of_an_argument(x, m):
    return m.loss(x) * m.scale


@program(X)
def static_method_and_class_attribute(x):
    return np.sum(Model.cube(x)) + model.cube(x[0])


@program(X)
def attributes_of_a_global_object(x):
    return np.sum((x * model.weights) ** 2) * model.scale


@program(X)
def callable_object(x):
    return np.sum(leaky(x) ** 2)


loss_of_the_model = program(X)(lambda x: model.loss(x) * 2.0)
loss_of_the_model.__name__ = "loss_of_the_model"


@program(0.7)
def partial_of_a_helper(x):
    f = partial(affine, scale=3.0)
    return f(x) * f(x, shift=x)


steep = partial(affine, scale=4.0, shift=0.1)


@program(0.7)
def global_partial(x):
    return steep(x) ** 2


@program(X)
def decorated_helper(x):
    return np.sum(tripled_sine(x) * x)


@program(X)
def same_names_in_two_modules(x):
    return np.sum(one.transform(x) * two.transform(x))


@program(0.7)
def same_private_names_in_two_modules(x):
    return outer_one(x) * outer_two(x)


@program(X)
def methods_of_arrays(x):
    return x.dot(x) + (x**2).mean() * x.max() + x.reshape(2, 2).T.sum(axis=0)[0]


@program(X)
def helper_gets_a_mixture(x):
    def mix(scale, items, options):
        return scale * np.sum(items[0] * items[1]) * options["power"]

    return mix(x[0], (x, np.sin(x)), {"power": x[1]})


@program(X)
def helper_returns_its_argument(x):
    def same(z):
        return z

    y = same(x * x)
    y[0] = x[3]
    return np.sum(y**2)


@program(X, numba=False)
def helper_returns_none_for_some(x):
    def maybe(z):
        if z > 0.0:
            return z * z
        return None

    y = maybe(x[0])
    if y is None:
        y = 0.0
    return y * x[1]


@program(0.7)
def recursion_in_a_nested_function(x):
    def iterate(y, n):
        if n == 0:
            return y
        return iterate(math.sin(y) * x, n - 1)

    return iterate(x, 4)


@program(0.7)
def helper_with_unused_active_argument(x):
    def first(a, b):
        return a * a

    return first(x, math.sin(x)) + first(2.0, x)


@program(0.7)
def sum_and_map(x):
    return sum(map(square, [x, math.sin(x), 2.0]))


@program(0.7)
def reduce_with_a_lambda(x):
    return functools.reduce(lambda a, b: a * b + 1.0, [x, x * x, 2.0 * x])
