"""Every public function of NumPy, SciPy and `math` is known: to a rule, or as refused.

A new release fails here with the names that it adds.
"""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import types
import warnings
from typing import Any

import numpy as np
import pytest

from autograd_compiler.rules import registry

MODULES = ("numpy", "numpy.linalg", "numpy.fft", "math")
OF_SCIPY = (
    *("scipy.special", "scipy.linalg", "scipy.fft", "scipy.signal", "scipy.stats"),
    *("scipy.interpolate", "scipy.ndimage", "scipy.sparse", "scipy.sparse.linalg"),
)

# Arguments of NumPy's functions that no rule takes; a call with one is refused by name.
# `out` is a write, for all functions.
NOT_TAKEN = {
    *(("fromfunction", "like"), ("arange", "device"), ("arange", "like")),
    *(("linspace", "device"), ("fftfreq", "device"), ("rfftfreq", "device")),
    ("partition", "order"),
}


def public_functions(module: types.ModuleType) -> dict[str, Any]:
    """The functions and ufuncs of a module, without its classes, modules and objects."""
    found = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name in sorted(dir(module)):
            value = getattr(module, name)
            if name.startswith("_") or isinstance(value, (type, types.ModuleType)):
                continue
            # What is called a distribution is an object with methods of its own.
            if callable(value) and hasattr(value, "__name__"):
                found[name] = value
    return found


def cases() -> list[Any]:
    found = [importlib.import_module(name) for name in MODULES]
    if importlib.util.find_spec("scipy") is not None:
        found += [importlib.import_module(name) for name in OF_SCIPY]
    return [
        pytest.param(value, id=f"{module.__name__}.{name}")
        for module in found
        for name, value in public_functions(module).items()
    ]


@pytest.mark.parametrize("function", cases())
def test_function_is_known(function: Any) -> None:
    rule = registry.rule_of(function)
    assert rule is not None, "give it a rule, or a reason among the refusals"
    assert rule.kind != "refused" or rule.reason


def parameters(function: Any) -> dict[str, inspect.Parameter]:
    try:
        return dict(inspect.signature(function).parameters)
    except (ValueError, TypeError):  # written in C, without a signature
        return {}


def test_documented_arguments_are_taken() -> None:
    """By the rule, or by the definition for calls that the rule is not for."""
    starred = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    missing = set()
    for rule in registry.all_rules():
        module = getattr(rule.operator, "__module__", None) or ""
        if rule.kind in ("zero", "refused") or isinstance(
            rule.operator, (np.ufunc, type)
        ):
            continue
        if module.split(".")[0] != "numpy":
            continue
        known = {parameter.name for parameter in rule.parameters}
        known |= set(parameters(rule.definition)) if rule.definition else set()
        for position, (name, own) in enumerate(parameters(rule.operator).items()):
            by_place = (
                own.default is own.empty and position < len(rule.parameters)
            ) or own.kind in (own.POSITIONAL_ONLY, *starred)
            if name not in known and name != "out" and not by_place:
                missing.add((rule.operator.__name__, name))
    assert missing <= NOT_TAKEN
