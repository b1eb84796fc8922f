"""One call or more of each operator, that the operator's derivatives are tested with.

A file of this package belongs to the rules' file of the same name and holds a list
`SAMPLES`, and a list `SPECIAL` where the family has points with a convention (ties,
zeros, `x**0`).  `ALL` and `SPECIAL` of the package are all of these together.

Samples lie inside of the operators' domains and away from kinks, so that central
differences are a fair judge; their numbers are the same at each run.
"""

from __future__ import annotations

import importlib
import pkgutil
import types
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np


@dataclass(frozen=True, eq=False)
class Sample:
    """A call `operator(*args, **kwargs)`.

    Attributes
    ----------
    wrt
        The positions of the arguments to differentiate in; by default all that are
        floats, complex numbers or arrays of these.
    smooth
        Second derivatives are checked too.
    slow
        It takes long, or is one of many alike: left to the slow tests.
    single
        The derivative of single precision is computed in single precision.
    name
        What tells the operator's samples apart, where the arguments' shapes do not.
    """

    operator: Callable[..., Any]
    args: tuple[Any, ...]
    kwargs: dict[str, Any] = field(default_factory=dict)
    wrt: tuple[int, ...] | None = None
    smooth: bool = True
    slow: bool = False
    single: bool = True
    name: str = ""

    @property
    def positions(self) -> tuple[int, ...]:
        """The positions of the arguments to differentiate in."""
        if self.wrt is not None:
            return self.wrt
        return tuple(k for k, arg in enumerate(self.args) if is_inexact(arg))

    def __str__(self) -> str:
        named = [f"{key}={value}" for key, value in self.kwargs.items()]
        shown = self.name or ", ".join([*map(_shown, self.args), *named])
        return f"{full_name(self.operator)}({shown})".replace(" ", "")


@dataclass(frozen=True, eq=False)
class Special:
    """A point where the derivative is a convention, or where it is easily lost.

    `expected` holds the gradient of the sum of `function(*args)`, one entry for each
    argument that is a float or an array of floats.
    """

    name: str
    function: Callable[..., Any]
    args: tuple[Any, ...]
    expected: tuple[Any, ...]

    def __str__(self) -> str:
        return self.name.replace(" ", "_")


def is_inexact(value: Any) -> bool:
    """Whether a value is a number or an array that can carry a derivative."""
    if isinstance(value, (np.ndarray, np.generic)):
        return value.dtype.kind in "fc"
    return isinstance(value, (float, complex))


def full_name(operator: Callable[..., Any]) -> str:
    if isinstance(operator, np.ufunc):
        known = getattr(np, operator.__name__, None) is operator
        return f"{'numpy' if known else 'scipy.special'}.{operator.__name__}"
    if isinstance(operator, types.MethodType):
        owner: Any = operator.__self__
        name = getattr(owner, "name", type(owner).__name__.removesuffix("_gen"))
        return f"scipy.stats.{name}.{operator.__name__}"
    return f"{operator.__module__.lstrip('_')}.{operator.__name__}"


def _shown(value: Any) -> str:
    if isinstance(value, np.ndarray):
        shape = "x".join(map(str, value.shape))
        return f"{value.dtype.char}{shape}"
    if isinstance(value, (list, tuple)):
        return f"[{','.join(map(_shown, value))}]"
    if callable(value):
        return str(value.__name__)
    return str(value)


def spread(*shape: int, low: float = -1.0, high: float = 1.0, seed: int = 0) -> Any:
    """Distinct numbers between `low` and `high` in no order; a float for no shape.

    They are multiples of the golden ratio modulo one, which are never close.
    """
    count = int(np.prod(shape))
    steps = (np.arange(1, count + 1) + 7.0 * seed) * 0.6180339887498949
    values = low + (high - low) * (steps % 1.0)
    return values.reshape(shape) if shape else float(values[0])


ALL: list[Sample] = []
SPECIAL: list[Special] = []

for _found in pkgutil.iter_modules(__path__):
    _module = importlib.import_module(f"{__name__}.{_found.name}")
    ALL.extend(getattr(_module, "SAMPLES", []))
    SPECIAL.extend(getattr(_module, "SPECIAL", []))
