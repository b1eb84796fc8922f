"""HIPS autograd: the primal itself, with its `np` replaced, where nothing is written."""

from __future__ import annotations

import types

import autograd
import autograd.numpy


def gradient(function, argnums):
    """The gradient of a function that writes into no array, or None."""
    names = dict(function.__globals__)
    names["np"] = autograd.numpy
    for name, value in list(names.items()):
        if isinstance(value, types.FunctionType):
            names[name] = types.FunctionType(value.__code__, names, name)
    traced = types.FunctionType(function.__code__, names, function.__name__)
    return autograd.grad(traced, argnums)
