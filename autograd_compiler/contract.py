"""What a derivative promises to its caller, and what it asks of its arguments.

Calls of the public functions go by this, and so do exported modules: the source of these
functions is written out there, so they use NumPy and the standard library alone.
"""

from __future__ import annotations

import collections
import dataclasses
from typing import Any

import numpy as np

# ---------------------------------------------------------------- results


def owned(gradient: Any, argument: Any) -> Any:
    """A gradient in the form of its argument, in memory of its own."""
    if type(argument) is float:
        return float(gradient)
    if isinstance(argument, np.ndarray):
        return owned_array(gradient, argument)
    if isinstance(argument, np.generic):
        return argument.dtype.type(gradient) if argument.dtype.kind in "fc" else None
    if isinstance(argument, (bool, int)):
        return None
    if isinstance(argument, float):
        return float(gradient)
    if isinstance(argument, complex):
        return complex(gradient)
    items = items_of(argument)
    if items is None:
        return None
    parts = items_of(gradient)
    return rebuilt(argument, {key: owned(parts[key], items[key]) for key in items})


def owned_array(gradient: Any, argument: np.ndarray[Any, Any]) -> Any:
    """A gradient in the form of an array, in memory of its own."""
    if (
        type(gradient) is np.ndarray
        and gradient.dtype == argument.dtype
        and gradient.shape == argument.shape
        and (flags := gradient.flags).owndata
        and flags.c_contiguous
        and flags.writeable
        and gradient is not argument
    ):
        return gradient
    if argument.dtype.kind not in "fc":
        return None
    made = np.empty(argument.shape, argument.dtype)
    made[...] = gradient
    return made


def items_of(container: Any) -> Any:
    """The parts of a container by key, position or field; None of anything else."""
    if isinstance(container, dict):
        return container
    if isinstance(container, (tuple, list)):
        return dict(enumerate(container))
    if dataclasses.is_dataclass(container) and not isinstance(container, type):
        names = [field.name for field in dataclasses.fields(container)]
        return {name: getattr(container, name) for name in names}
    return None


def rebuilt(container: Any, items: Any) -> Any:
    """A container like another one, with other parts."""
    if isinstance(container, collections.defaultdict):
        return collections.defaultdict(container.default_factory, items)
    if isinstance(container, dict):
        kinds = (dict.__init__, collections.OrderedDict.__init__)
        return type(container)(items) if type(container).__init__ in kinds else items
    if isinstance(container, (tuple, list)):
        make = getattr(container, "_make", type(container))
        return make(items.values())
    # `__init__` and `__post_init__` are passed by: what they check and convert is true
    # of the parameters of a model and need not be true of their gradients.
    made = object.__new__(type(container))
    for name, item in items.items():
        object.__setattr__(made, name, item)
    return made


def arrays_in(value: Any) -> list[Any]:
    """The arrays in a container, or the array that the value is."""
    if isinstance(value, np.ndarray):
        return [value]
    items = items_of(value)
    if items is None:
        return []
    return [array for item in items.values() for array in arrays_in(item)]


def independent(value: Any, others: Any) -> Any:
    """The value in memory of its own: nothing is shared with others or within it."""
    return apart_from(value, arrays_in(tuple(others)))


def apart_from(value: Any, taken: list[Any]) -> Any:
    """The value with copies of arrays that share memory with those that are taken."""
    if isinstance(value, np.ndarray):
        if value.ndim == 0:
            return value[()]
        flags = value.flags
        if not (flags.c_contiguous and flags.writeable) or any(
            np.may_share_memory(value, other) for other in taken
        ):
            value = value.copy(order="C")
        taken.append(value)
        return value
    items = items_of(value)
    if items is None:
        return value
    return rebuilt(value, {key: apart_from(items[key], taken) for key in items})


def plain_value(value: Any) -> Any:
    """A number instead of an array without dimensions."""
    if isinstance(value, np.ndarray) and value.ndim == 0:
        return value[()]
    return value


def as_float(value: Any) -> Any:
    """What an optimiser takes for a value, where a function returns `0` or `len(x)`."""
    value = plain_value(value)
    return float(value) if isinstance(value, (int, np.integer)) else value


# ---------------------------------------------------------------- arguments


def check_argument(
    name: str,
    value: Any,
    dtype: str,
    shape: tuple[Any, ...],
    sizes: dict[str, int],
    contiguous: bool = True,
) -> None:
    """Refuse an argument that this code was not written for.

    A size is a number, a name that stands for one number of at least 2, or None.
    """
    found = np.asarray(value)
    kind = np.dtype(dtype).kind
    fits = found.ndim == len(shape)
    if shape:
        fits = fits and isinstance(value, np.ndarray) and found.dtype == dtype
    else:
        fits = fits and (found.dtype.kind == kind or found.dtype.kind + kind == "ui")
    for size, wanted in zip(found.shape, shape, strict=False):
        if isinstance(wanted, str):
            fits = fits and size > 1 and size == sizes.setdefault(wanted, size)
        else:
            fits = fits and wanted in (None, size)
    if not fits:
        needed = f"an array of {dtype} of shape {shape}" if shape else f"a {dtype}"
        given = f"{type(value).__name__} of {found.dtype} of shape {found.shape}"
        known = f"; sizes here are {sizes}" if shape and sizes else ""
        raise TypeError(f"`{name}` must be {needed}, and is a {given}{known}")
    if shape and contiguous and not found.flags.c_contiguous:
        raise TypeError(f"`{name}` must be contiguous: pass np.ascontiguousarray(...)")


def check_items(name: str, value: Any, keys: list[Any]) -> None:
    """Refuse a container of other parts than this code was written for."""
    found = items_of(value)
    if found is None or set(found) != set(keys):
        given = type(value).__name__ if found is None else list(found)
        raise TypeError(f"`{name}` must have the parts {keys}, and {given} is given")


def check_class(name: str, value: Any, wanted: str) -> None:
    """Refuse an object of another class, whose methods may be others."""
    found = type(value).__qualname__
    if found != wanted:
        raise TypeError(f"`{name}` must be a {wanted}, and a {found} is given")


def check_fixed(name: str, value: Any, fixed: Any) -> None:
    """Refuse another value than the one that this code was written for."""
    if value is not fixed and (type(value) is not type(fixed) or value != fixed):
        raise TypeError(f"`{name}` must be {fixed!r}, and {value!r} is given")


def check_apart(name: str, value: Any, other_name: str, other: Any) -> None:
    """Refuse arrays that share memory where one of them is written."""
    both = isinstance(value, np.ndarray) and isinstance(other, np.ndarray)
    if both and np.shares_memory(value, other):
        raise TypeError(
            f"`{name}` is written by the function and overlaps with `{other_name}`: "
            "they share memory; pass a copy of one of them"
        )
