"""The helpers of generated code, which is differentiated in its turn."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd_compiler import runtime
from autograd_compiler.rules.registry import linear, zero_derivative

zero_derivative(runtime.zeros_like, runtime.stop_gradient)


@linear(runtime.copied, wrt="value")
def copied_adjoint(d_y: Any, value: Any) -> Any:
    return d_y


@linear(runtime.unbroadcast, wrt="adjoint value")
def unbroadcast_adjoint(d_y: Any, adjoint: Any, value: Any) -> Any:
    # Of the value only the shape counts, and its tangent has that shape, too.
    return np.broadcast_to(d_y, np.shape(adjoint)), 0.0


@linear(runtime.deep_copy, wrt="value")
def deep_copy_adjoint(d_y: Any, value: Any) -> Any:
    return d_y


@linear(runtime.add, wrt="first second")
def add_adjoint(d_y: Any, first: Any, second: Any) -> Any:
    return d_y, d_y
