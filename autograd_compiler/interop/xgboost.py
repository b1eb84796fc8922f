"""XGBoost: a loss of each sample as the objective of `train` and of estimators."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from autograd_compiler.flat import FlatArray
from autograd_compiler.interop.elementwise_loss import derivatives_of
from autograd_compiler.interop.library import require

require("xgboost")

Pair = tuple[FlatArray, FlatArray]


def objective(
    loss: Callable[..., Any], *, backend: str = "python"
) -> Callable[[Any, Any], Pair]:
    """The objective for `xgboost.train(..., obj=...)`.

    Gradient and diagonal Hessian come from one run of generated code; the weights of
    the data are taken into account.  Where the second derivative is zero or negative,
    XGBoost finds no good step: that is so for any loss that is not convex.

    Parameters
    ----------
    loss : callable
        `loss(prediction, label)`, which works on each element alone.
    backend : {"python", "numba", "auto"}
        What runs the generated code.

    Examples
    --------
    >>> import numpy as np
    >>> import xgboost
    >>> def log_cosh(p, y):
    ...     return np.log(np.cosh(p - y))
    >>> x = np.linspace(0.0, 1.0, 50)[:, None]
    >>> data = xgboost.DMatrix(x, label=np.sin(6.0 * x[:, 0]))
    >>> booster = xgboost.train({}, data, num_boost_round=30, obj=objective(log_cosh))
    >>> error = booster.predict(data) - np.sin(6.0 * x[:, 0])
    >>> bool(np.max(np.abs(error)) < 0.1)
    True
    """
    derivatives = derivatives_of(loss, backend)

    def objective(predictions: Any, data: Any) -> Pair:
        return derivatives(predictions, data.get_label(), data.get_weight())

    return objective


def estimator_objective(
    loss: Callable[..., Any], *, backend: str = "python"
) -> Callable[..., Pair]:
    """The objective for `xgboost.XGBRegressor(objective=...)` and its kin.

    As `objective`, for the interface that scikit-learn has.
    """
    derivatives = derivatives_of(loss, backend)

    def objective(labels: Any, predictions: Any, sample_weight: Any = None) -> Pair:
        return derivatives(predictions, labels, sample_weight)

    return objective
