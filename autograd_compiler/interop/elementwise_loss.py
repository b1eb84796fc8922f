"""Gradient and diagonal Hessian of a loss of each sample, as boosting wants them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from autograd_compiler.errors import ArgumentError
from autograd_compiler.flat import FlatArray
from autograd_compiler.transforms import elementwise_grad
from autograd_compiler.transforms.base import specialiser_of
from autograd_compiler.transforms.products import tangent_at

Derivatives = Callable[..., tuple[FlatArray, FlatArray]]


def derivatives_of(loss: Callable[..., Any], backend: str = "python") -> Derivatives:
    """First and second derivatives in the prediction, by one run of generated code.

    `loss(prediction, label)` works on each element alone.  The result is a function of
    predictions, labels and weights (one per sample, or none), and gives arrays of single
    precision in the shape of the predictions; they are computed in double precision.

    Examples
    --------
    >>> derivatives = derivatives_of(lambda p, y: (p - y) ** 4)
    >>> derivatives(np.array([1.0, 2.0]), np.array([0.0, 0.0]))
    (array([ 4., 32.], dtype=float32), array([12., 48.], dtype=float32))
    """
    slope = elementwise_grad(loss)
    tangent = specialiser_of(slope, "jvp", has_aux=False, backend=backend)
    wrt = tangent.wrt(0)

    def derivatives(
        prediction: Any, label: Any, weight: Any = None
    ) -> tuple[FlatArray, FlatArray]:
        p, y = np.array(prediction, float), np.array(label, float)
        if p.size != y.size:
            raise ArgumentError(
                "a loss of each sample needs one prediction per label, and there are "
                f"{p.size} predictions and {y.size} labels"
            )
        values = tangent.bind((p.ravel(), y.ravel()), {})
        first, second, _ = tangent_at(tangent, wrt, values, [np.ones(p.size)])
        if weight is not None and np.size(weight):
            # One weight per row, if there are several predictions for a sample.
            weights = np.repeat(weight, p.size // np.size(weight))
            first, second = first * weights, second * weights
        return _single(first, p.shape), _single(second, p.shape)

    return derivatives


def _single(values: Any, shape: tuple[int, ...]) -> FlatArray:
    return np.ascontiguousarray(np.reshape(values, shape), np.float32)
