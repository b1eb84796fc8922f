"""Losses of statistics and machine learning: whole-array expressions and products."""

from __future__ import annotations

import numpy as np

from benchmarks.workloads import Workload, sized


def logistic_regression(w, x, y):
    """A regularised loss, labels -1 and 1."""
    z = x @ w
    return np.mean(np.log1p(np.exp(-y * z))) + 0.01 * np.sum(w**2)


def multilayer_perceptron(w1, b1, w2, b2, x, labels):
    """Cross-entropy of a network with one hidden layer on a minibatch."""
    hidden = np.tanh(x @ w1 + b1)
    logits = hidden @ w2 + b2
    shifted = logits - np.max(logits, axis=1, keepdims=True)
    log_sum = np.log(np.sum(np.exp(shifted), axis=1, keepdims=True))
    return -np.mean(np.sum(labels * (shifted - log_sum), axis=1))


def sigmoid(x):
    return 1.0 / (1.0 + np.exp(-x))


def lstm(w, b, xs, targets):
    """A recurrent network with gates, over one sequence."""
    size = len(b) // 4
    h = np.zeros(size)
    c = np.zeros(size)
    loss = 0.0
    for t in range(len(xs)):
        z = w @ np.concatenate((xs[t], h)) + b
        add = sigmoid(z[:size])
        keep = sigmoid(z[size : 2 * size])
        show = sigmoid(z[2 * size : 3 * size])
        c = keep * c + add * np.tanh(z[3 * size :])
        h = show * np.tanh(c)
        loss += np.sum((h - targets[t]) ** 2)
    return loss


def gaussian_mixture(alphas, means, log_diagonals, lowers, x):
    """Log-likelihood of a Gaussian mixture with a Wishart prior."""
    n, k = len(x), len(alphas)
    terms = np.empty((n, k))
    for j in range(k):
        centred = x - means[j]
        scaled = np.exp(log_diagonals[j]) * centred + centred @ np.tril(lowers[j], -1).T
        terms[:, j] = (
            alphas[j] + np.sum(log_diagonals[j]) - 0.5 * np.sum(scaled**2, axis=1)
        )
    top = np.max(terms, axis=1)
    likelihood = np.sum(top + np.log(np.sum(np.exp(terms - top[:, None]), axis=1)))
    peak = np.max(alphas)
    likelihood -= n * (peak + np.log(np.sum(np.exp(alphas - peak))))
    prior = 0.5 * np.sum(np.exp(log_diagonals) ** 2) - np.sum(log_diagonals)
    for j in range(k):
        prior += 0.5 * np.sum(np.tril(lowers[j], -1) ** 2)
    return likelihood - prior


def _points(random, size):
    n, d = size
    y = np.sign(random.normal(size=n))
    return random.normal(size=d), random.normal(size=(n, d)), y


def _network(random, size):
    batch, inputs, hidden = size
    labels = np.eye(10)[random.integers(0, 10, batch)]
    return (
        random.normal(size=(inputs, hidden)) / np.sqrt(inputs),
        np.zeros(hidden),
        random.normal(size=(hidden, 10)) / np.sqrt(hidden),
        np.zeros(10),
        random.normal(size=(batch, inputs)),
        labels,
    )


def _sequence(random, size):
    steps, inputs, hidden = size
    return (
        random.normal(size=(4 * hidden, inputs + hidden)) / np.sqrt(hidden),
        np.zeros(4 * hidden),
        random.normal(size=(steps, inputs)),
        random.normal(size=(steps, hidden)),
    )


def _mixture(random, size):
    n, d, k = size
    return (
        random.normal(size=k),
        random.normal(size=(k, d)),
        0.1 * random.normal(size=(k, d)),
        0.1 * random.normal(size=(k, d, d)),
        random.normal(size=(n, d)),
    )


WORKLOADS = (
    Workload(
        logistic_regression, (0,), _points, sized((100, 10), (2000, 50), (20_000, 100))
    ),
    Workload(
        multilayer_perceptron,
        (0, 1, 2, 3),
        _network,
        sized((8, 16, 8), (64, 64, 64), (256, 784, 256)),
    ),
    Workload(lstm, (0, 1), _sequence, sized((10, 8, 8), (50, 32, 32), (100, 64, 128))),
    Workload(
        gaussian_mixture,
        (0, 1, 2, 3),
        _mixture,
        sized((50, 2, 3), (1000, 10, 5), (10_000, 20, 10)),
        False,
    ),
)
