"""XGBoost and LightGBM with our losses train like with their own."""

from __future__ import annotations

import importlib

import numpy as np
import pytest

from autograd_compiler.errors import ArgumentError
from autograd_compiler.interop import elementwise_loss
from autograd_compiler.interop.elementwise_loss import derivatives_of

RANDOM = np.random.default_rng(0)
X = RANDOM.uniform(size=(400, 3))
Y = np.sin(6.0 * X[:, 0]) + X[:, 1] ** 2
W = RANDOM.uniform(0.5, 2.0, size=400)


def half_square(p, y):
    return 0.5 * (p - y) ** 2


def logistic(p, y):
    return np.log1p(np.exp(p)) - y * p


# ---------------------------------------------------------------- the derivatives


def test_derivatives_are_single_and_have_the_shape_of_the_predictions() -> None:
    p = RANDOM.normal(size=(5, 1)).astype(np.float32)
    y = np.array([0.0, 1.0, 1.0, 0.0, 1.0], np.float32)
    first, second = derivatives_of(logistic)(p, y)
    probability = 1.0 / (1.0 + np.exp(-p.astype(float)))
    assert first.dtype == second.dtype == np.float32
    assert first.shape == second.shape == (5, 1)
    np.testing.assert_allclose(first, probability - y[:, None], rtol=1e-6)
    np.testing.assert_allclose(second, probability * (1 - probability), rtol=1e-6)


def test_derivatives_that_are_constant_fill_an_array() -> None:
    first, second = derivatives_of(half_square)(np.zeros(3), np.ones(3), W[:3])
    np.testing.assert_allclose(first, -W[:3], rtol=1e-6)
    np.testing.assert_allclose(second, W[:3], rtol=1e-6)
    _, second = derivatives_of(lambda p, y: p * y)(np.zeros(3), np.ones(3))
    np.testing.assert_array_equal(second, np.zeros(3))


def test_both_derivatives_are_one_run(monkeypatch) -> None:
    runs = []
    inner = elementwise_loss.tangent_at
    monkeypatch.setattr(
        elementwise_loss, "tangent_at", lambda *args: runs.append(1) or inner(*args)
    )
    derivatives = derivatives_of(logistic)
    derivatives(np.zeros(3), np.ones(3))
    assert len(runs) == 1


def test_a_prediction_for_each_class_is_refused() -> None:
    with pytest.raises(ArgumentError, match="6 predictions and 3 labels"):
        derivatives_of(logistic)(np.zeros((3, 2)), np.zeros(3))


# ---------------------------------------------------------------- XGBoost


def xgboost():
    library = pytest.importorskip(
        "xgboost",
        reason='xgboost is not installed: pip install "autograd_compiler[interop]"',
    )
    return library, importlib.import_module("autograd_compiler.interop.xgboost")


@pytest.mark.parametrize("weight", [None, W], ids=["", "weights"])
def test_xgboost_trains_as_with_its_own_square_error(weight) -> None:
    library, adapter = xgboost()
    data = library.DMatrix(X, label=Y, weight=weight)
    options = {"base_score": 0.5, "max_depth": 3, "nthread": 1}
    ours = library.train(options, data, 20, obj=adapter.objective(half_square))
    theirs = library.train({**options, "objective": "reg:squarederror"}, data, 20)
    np.testing.assert_allclose(ours.predict(data), theirs.predict(data), atol=1e-4)


def test_xgboost_estimator() -> None:
    library, adapter = xgboost()
    pytest.importorskip("sklearn", reason="scikit-learn is not installed")
    options = {"n_estimators": 20, "base_score": 0.5, "n_jobs": 1}
    objective = adapter.estimator_objective(half_square)
    ours = library.XGBRegressor(objective=objective, **options)
    theirs = library.XGBRegressor(**options)
    ours.fit(X, Y, sample_weight=W)
    theirs.fit(X, Y, sample_weight=W)
    np.testing.assert_allclose(ours.predict(X), theirs.predict(X), atol=1e-4)


# ---------------------------------------------------------------- LightGBM


def lightgbm():
    library = pytest.importorskip(
        "lightgbm",
        reason='lightgbm is not installed: pip install "autograd_compiler[interop]"',
    )
    return library, importlib.import_module("autograd_compiler.interop.lightgbm")


OPTIONS = {"verbose": -1, "num_threads": 1, "boost_from_average": False}


@pytest.mark.parametrize("weight", [None, W], ids=["", "weights"])
def test_lightgbm_trains_as_with_its_own_square_error(weight) -> None:
    library, adapter = lightgbm()
    boosters = [
        library.train(
            {**OPTIONS, "objective": objective},
            library.Dataset(X, Y, weight=weight),
            20,
        )
        for objective in (adapter.objective(half_square), "l2")
    ]
    ours, theirs = (booster.predict(X) for booster in boosters)
    np.testing.assert_allclose(ours, theirs, atol=1e-4)


def test_lightgbm_estimator() -> None:
    library, adapter = lightgbm()
    pytest.importorskip("sklearn", reason="scikit-learn is not installed")
    objective = adapter.estimator_objective(half_square)
    options = {"n_estimators": 20, **OPTIONS}
    ours = library.LGBMRegressor(objective=objective, **options)
    theirs = library.LGBMRegressor(objective="l2", **options)
    ours.fit(X, Y, sample_weight=W)
    theirs.fit(X, Y, sample_weight=W)
    np.testing.assert_allclose(ours.predict(X), theirs.predict(X), atol=1e-4)
