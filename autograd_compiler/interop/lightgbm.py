"""LightGBM: a loss of each sample as the objective of `train` and of estimators."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from autograd_compiler.flat import FlatArray
from autograd_compiler.interop.elementwise_loss import derivatives_of
from autograd_compiler.interop.library import require

require("lightgbm")

Pair = tuple[FlatArray, FlatArray]


def objective(
    loss: Callable[..., Any], *, backend: str = "python"
) -> Callable[[Any, Any], Pair]:
    """The objective for `lightgbm.train({"objective": ...}, data)`.

    Gradient and diagonal Hessian come from one run of generated code; the weights of
    the data are taken into account.  LightGBM starts from a score of 0 for objectives
    that are not its own: give the data an `init_score` if the labels are far from it.

    Parameters
    ----------
    loss : callable
        `loss(prediction, label)`, which works on each element alone.
    backend : {"python", "numba", "auto"}
        What runs the generated code.

    Examples
    --------
    >>> import lightgbm
    >>> import numpy as np
    >>> def log_cosh(p, y):
    ...     return np.log(np.cosh(p - y))
    >>> x = np.linspace(0.0, 1.0, 200)[:, None]
    >>> y = np.sin(6.0 * x[:, 0])
    >>> options = {"objective": objective(log_cosh), "verbose": -1}
    >>> booster = lightgbm.train(options, lightgbm.Dataset(x, y), num_boost_round=100)
    >>> bool(np.mean(np.abs(booster.predict(x) - y)) < 0.05)
    True
    """
    derivatives = derivatives_of(loss, backend)

    def objective(predictions: Any, data: Any) -> Pair:
        return derivatives(predictions, data.get_label(), data.get_weight())

    return objective


def estimator_objective(
    loss: Callable[..., Any], *, backend: str = "python"
) -> Callable[..., Pair]:
    """The objective for `lightgbm.LGBMRegressor(objective=...)` and its kin.

    As `objective`, for the interface that scikit-learn has.
    """
    derivatives = derivatives_of(loss, backend)

    def objective(labels: Any, predictions: Any, weight: Any) -> Pair:
        return derivatives(predictions, labels, weight)

    return objective
