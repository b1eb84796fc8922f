"""Adjoints of the losses by array operations."""

from __future__ import annotations

import numpy as np


def logistic_regression(w, x, y):
    z = x @ w
    d_z = -y / (1.0 + np.exp(y * z)) / len(y)
    return x.T @ d_z + 0.02 * w


def multilayer_perceptron(w1, b1, w2, b2, x, labels):
    hidden = np.tanh(x @ w1 + b1)
    logits = hidden @ w2 + b2
    d_logits = np.exp(logits - np.max(logits, axis=1, keepdims=True))
    d_logits /= np.sum(d_logits, axis=1, keepdims=True)
    d_logits -= labels
    d_logits /= len(x)
    d_hidden = (d_logits @ w2.T) * (1.0 - hidden**2)
    return (
        x.T @ d_hidden,
        d_hidden.sum(axis=0),
        hidden.T @ d_logits,
        d_logits.sum(axis=0),
    )


def lstm(w, b, xs, targets):
    steps, inputs = xs.shape
    size = len(b) // 4
    joined = np.empty((steps, inputs + size))
    joined[:, :inputs] = xs
    gates = np.empty((steps, 4 * size))
    cells = np.zeros((steps + 1, size))
    shown = np.empty((steps, size))
    h = np.zeros(size)
    errors = np.empty((steps, size))
    for t in range(steps):
        joined[t, inputs:] = h
        z = w @ joined[t] + b
        gate = gates[t]
        gate[: 3 * size] = 1.0 / (1.0 + np.exp(-z[: 3 * size]))
        gate[3 * size :] = np.tanh(z[3 * size :])
        add, keep, show, new = np.split(gate, 4)
        cells[t + 1] = keep * cells[t] + add * new
        shown[t] = np.tanh(cells[t + 1])
        h = show * shown[t]
        errors[t] = h - targets[t]
    d_z = np.empty((steps, 4 * size))
    d_h, d_c = np.zeros(size), np.zeros(size)
    for t in reversed(range(steps)):
        add, keep, show, new = np.split(gates[t], 4)
        d_h = d_h + 2.0 * errors[t]
        d_c = d_c + d_h * show * (1.0 - shown[t] ** 2)
        d_z[t, :size] = d_c * new * add * (1.0 - add)
        d_z[t, size : 2 * size] = d_c * cells[t] * keep * (1.0 - keep)
        d_z[t, 2 * size : 3 * size] = d_h * shown[t] * show * (1.0 - show)
        d_z[t, 3 * size :] = d_c * add * (1.0 - new**2)
        d_h = w[:, inputs:].T @ d_z[t]
        d_c = d_c * keep
    return d_z.T @ joined, d_z.sum(axis=0)


def gaussian_mixture(alphas, means, log_diagonals, lowers, x):
    n, k = len(x), len(alphas)
    diagonals = np.exp(log_diagonals)
    factors = [
        np.tril(lower, -1) + np.diag(diagonal)
        for lower, diagonal in zip(lowers, diagonals, strict=True)
    ]
    scaled = [
        (x - mean) @ factor.T for mean, factor in zip(means, factors, strict=True)
    ]
    terms = np.stack(
        [
            alphas[j] + np.sum(log_diagonals[j]) - 0.5 * np.sum(scaled[j] ** 2, axis=1)
            for j in range(k)
        ],
        axis=1,
    )
    weights = np.exp(terms - np.max(terms, axis=1, keepdims=True))
    weights /= np.sum(weights, axis=1, keepdims=True)
    shares = np.exp(alphas - np.max(alphas))
    totals = weights.sum(axis=0)
    d_alphas = totals - n * shares / shares.sum()
    d_means, d_lowers = np.empty_like(means), np.empty_like(lowers)
    d_log_diagonals = totals[:, None] - diagonals**2 + 1.0
    for j in range(k):
        weighted = weights[:, j : j + 1] * scaled[j]
        d_means[j] = weighted.sum(axis=0) @ factors[j]
        d_factor = weighted.T @ (x - means[j])
        d_log_diagonals[j] -= np.diag(d_factor) * diagonals[j]
        d_lowers[j] = -np.tril(d_factor + lowers[j], -1)
    return d_alphas, d_means, d_log_diagonals, d_lowers
