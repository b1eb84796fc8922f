"""Objects of the user's classes: made inside, inherited, with operators."""

import enum
import math
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import numpy as np

from corpus import program


class Layer:
    scale = 2.0

    def __init__(self, weight, bias=0.0):
        self.weight = weight
        self.bias = bias
        self.seen = []

    def __call__(self, x):
        y = self.activate(self.weight * x + self.bias)
        self.seen.append(y)
        return y

    def activate(self, x):
        return np.tanh(x) * self.scale

    @property
    def norm(self):
        return math.sqrt(self.weight**2 + self.bias**2)

    @norm.setter
    def norm(self, value):
        self.weight = value * 0.5

    @classmethod
    def small(cls, weight):
        return cls(weight * 0.1)

    @staticmethod
    def damped(x):
        return 0.5 * x


class Shifted(Layer):
    scale = 3.0

    def __init__(self, weight):
        super().__init__(weight, bias=0.5)
        self.shift = weight**2

    def activate(self, x):
        return super().activate(x) + self.shift


@program(0.7)
def object_made_inside(x):
    layer = Layer(x, 0.3)
    y = layer(2.0)
    layer.bias = x * 3.0
    layer.bias += y
    return layer(1.0) * layer.norm + layer.seen[0] * len(layer.seen)


@program(0.7)
def inherited_methods(x):
    layers = [Shifted(x), Layer.small(x), Shifted.small(2.0)]
    y = Layer.damped(x)
    for layer in layers:
        y = layer(y)
    return y


@program(0.7)
def object_in_a_loop(x):
    layer = Layer(x)
    for k in range(4):
        layer.bias = layer.activate(0.1 * k + layer.bias)
    layer.norm = layer.bias
    return layer.weight


class Vector:
    def __init__(self, x, y):
        self.x, self.y = x, y

    def __add__(self, other):
        return Vector(self.x + other.x, self.y + other.y)

    def __sub__(self, other):
        return self + (-other)

    def __neg__(self):
        return Vector(-self.x, -self.y)

    def __mul__(self, other):
        if isinstance(other, Vector):
            return self.x * other.x + self.y * other.y
        if not isinstance(other, (int, float)):
            return NotImplemented
        return Vector(self.x * other, self.y * other)

    __rmul__ = __mul__

    def __iadd__(self, other):
        self.x = self.x + other.x
        return self

    def __abs__(self):
        return math.hypot(self.x, self.y)

    def __len__(self):
        return 2

    def __getitem__(self, place):
        return self.x if place == 0 else self.y

    def __setitem__(self, place, value):
        if place == 0:
            self.x = value
        else:
            self.y = value

    def __iter__(self):
        return iter((self.x, self.y))

    def __contains__(self, value):
        return value == 3

    def __bool__(self):
        return True

    def __lt__(self, other):
        return abs(self) < abs(other)


@program(0.7)
def operators_of_a_class(x):
    a, b = Vector(x, 2.0), Vector(1.0, x * x)
    c = a + b * 2.0 - 3.0 * a
    c[1] = c[0] * x
    c += b
    return c * b + abs(-c) * len(c)


@program(0.7)
def protocols_of_a_class(x):
    a, b = Vector(x, 2.0), Vector(1.0, x * x)
    first, second = a
    total = first * second + sum(item**2 for item in b)
    if a and b < a and 3 in a:
        total *= 1.0 + x
    return total


class Dual:
    def __init__(self, value, slope=0.0):
        self.value, self.slope = value, slope

    def __add__(self, other):
        other = other if isinstance(other, Dual) else Dual(other)
        return Dual(self.value + other.value, self.slope + other.slope)

    def __mul__(self, other):
        slope = self.value * other.slope + self.slope * other.value
        return Dual(self.value * other.value, slope)


@program(0.7)
def dual_numbers_in_a_loop(x):
    step, total = Dual(x, 1.0), Dual(1.0)
    for _ in range(5):
        total = total * step + 1.0
    return total.slope


@dataclass
class Spring:
    stiffness: float
    rest: float = 1.0
    forces: list = field(default_factory=list)
    double: float = field(init=False)

    def __post_init__(self):
        self.double = self.stiffness * 2.0

    def force(self, x):
        self.forces.append(-self.stiffness * (x - self.rest))
        return self.forces[-1]


@program(0.7)
def dataclass_made_inside(x):
    spring = Spring(x, rest=0.1 * x)
    stiffer = replace(spring, stiffness=x**2, forces=[])
    return spring.force(2.0) * stiffer.force(0.3) + spring.double * len(stiffer.forces)


class Point(NamedTuple):
    x: float
    y: float = 2.0

    @property
    def norm(self):
        return math.hypot(self.x, self.y)


@program(Point(0.3, 0.4))
def methods_of_a_namedtuple(point):
    moved = point._replace(x=point.y * 2.0)
    made = Point._make([point.x, 3.0])
    return moved.norm * point.norm + made.norm + sum(point) + moved._asdict()["y"]


class Shape(enum.Enum):
    ROUND = 1
    FLAT = 2


@program(0.7, Shape.FLAT)
def members_of_an_enum(x, shape):
    factors = {Shape.ROUND: x, Shape.FLAT: x * x}
    if shape is Shape.ROUND:
        return x
    return factors[shape] * shape.value


class Recorder:
    def __enter__(self):
        self.depth = 1
        return self

    def __exit__(self, *reason):
        self.depth += 1


@program(0.7)
def context_of_a_class(x):
    with Recorder() as recorder:
        y = x * x * recorder.depth
    return y * recorder.depth
