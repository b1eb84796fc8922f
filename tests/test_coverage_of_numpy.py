"""Every public function of NumPy and `math` is known: to a rule, or as refused.

A new release of NumPy fails here with the names that it adds.
"""

from __future__ import annotations

import math
import types
import warnings
from typing import Any

import numpy as np
import pytest

from autograd_compiler.rules import registry

MODULES: tuple[types.ModuleType, ...] = (np, np.linalg, np.fft, math)

# Methods of arrays that are written out below; all others are functions of the array.
METHODS_THAT_WRITE = {"fill", "sort"}


def public_functions(module: types.ModuleType) -> dict[str, Any]:
    """The functions and ufuncs of a module, without its classes and modules."""
    found = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name in sorted(dir(module)):
            value = getattr(module, name)
            if name.startswith("_") or isinstance(value, (type, types.ModuleType)):
                continue
            if callable(value):
                found[name] = value
    return found


def cases() -> list[Any]:
    return [
        pytest.param(value, id=f"{module.__name__}.{name}")
        for module in MODULES
        for name, value in public_functions(module).items()
    ]


@pytest.mark.parametrize("function", cases())
def test_function_is_known(function: Any) -> None:
    rule = registry.rule_of(function)
    assert rule is not None, "give it a rule, or a reason among the refusals"
    assert rule.kind != "refused" or rule.reason
