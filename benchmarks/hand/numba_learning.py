"""Adjoints of the losses by loops around products of matrices."""

from __future__ import annotations

import math

import numpy as np
from numba import njit


@njit(error_model="numpy")
def logistic_regression(w, x, y):
    n = len(y)
    d_z = x @ w
    for i in range(n):
        d_z[i] = -y[i] / (1.0 + math.exp(y[i] * d_z[i])) / n
    d_w = x.T @ d_z
    for k in range(len(w)):
        d_w[k] += 0.02 * w[k]
    return d_w


@njit(error_model="numpy")
def multilayer_perceptron(w1, b1, w2, b2, x, labels):
    n = len(x)
    hidden = x @ w1
    for i in range(n):
        for j in range(len(b1)):
            hidden[i, j] = math.tanh(hidden[i, j] + b1[j])
    d_logits = hidden @ w2
    d_b1, d_b2 = np.zeros_like(b1), np.zeros_like(b2)
    for i in range(n):
        row = d_logits[i]
        top = -np.inf
        for j in range(len(b2)):
            row[j] += b2[j]
            top = max(top, row[j])
        total = 0.0
        for j in range(len(b2)):
            row[j] = math.exp(row[j] - top)
            total += row[j]
        for j in range(len(b2)):
            row[j] = (row[j] / total - labels[i, j]) / n
            d_b2[j] += row[j]
    d_hidden = d_logits @ w2.T
    for i in range(n):
        for j in range(len(b1)):
            d_hidden[i, j] *= 1.0 - hidden[i, j] * hidden[i, j]
            d_b1[j] += d_hidden[i, j]
    return x.T @ d_hidden, d_b1, hidden.T @ d_logits, d_b2


@njit(error_model="numpy")
def lstm(w, b, xs, targets):
    steps, inputs = xs.shape
    size = len(b) // 4
    joined = np.empty((steps + 1, inputs + size))
    joined[0, inputs:] = 0.0
    gates = np.empty((steps, 4 * size))
    cells = np.zeros((steps + 1, size))
    shown = np.empty((steps, size))
    for t in range(steps):
        joined[t, :inputs] = xs[t]
        z = w @ joined[t]
        gate = gates[t]
        for i in range(3 * size):
            gate[i] = 1.0 / (1.0 + math.exp(-z[i] - b[i]))
        for i in range(3 * size, 4 * size):
            gate[i] = math.tanh(z[i] + b[i])
        for i in range(size):
            cells[t + 1, i] = (
                gate[size + i] * cells[t, i] + gate[i] * gate[3 * size + i]
            )
            shown[t, i] = math.tanh(cells[t + 1, i])
            joined[t + 1, inputs + i] = gate[2 * size + i] * shown[t, i]
    d_z = np.empty((steps, 4 * size))
    d_h, d_c, d_b = np.zeros(size), np.zeros(size), np.zeros_like(b)
    transposed = np.ascontiguousarray(w[:, inputs:].T)
    for t in range(steps - 1, -1, -1):
        gate = gates[t]
        for i in range(size):
            add, keep = gate[i], gate[size + i]
            show, new = gate[2 * size + i], gate[3 * size + i]
            dh = d_h[i] + 2.0 * (joined[t + 1, inputs + i] - targets[t, i])
            dc = d_c[i] + dh * show * (1.0 - shown[t, i] * shown[t, i])
            d_z[t, i] = dc * new * add * (1.0 - add)
            d_z[t, size + i] = dc * cells[t, i] * keep * (1.0 - keep)
            d_z[t, 2 * size + i] = dh * shown[t, i] * show * (1.0 - show)
            d_z[t, 3 * size + i] = dc * add * (1.0 - new * new)
            d_c[i] = dc * keep
        for i in range(4 * size):
            d_b[i] += d_z[t, i]
        d_h = transposed @ d_z[t]
    return d_z.T @ joined[:steps], d_b


@njit(error_model="numpy")
def gaussian_mixture(alphas, means, log_diagonals, lowers, x):
    n, d = x.shape
    k = len(alphas)
    diagonals = np.exp(log_diagonals)
    weights = np.empty((n, k))
    centred, scaled = np.empty(d), np.empty((k, n, d))
    for j in range(k):
        constant = alphas[j]
        for p in range(d):
            constant += log_diagonals[j, p]
        for i in range(n):
            square = 0.0
            for p in range(d):
                centred[p] = x[i, p] - means[j, p]
                s = diagonals[j, p] * centred[p]
                for q in range(p):
                    s += lowers[j, p, q] * centred[q]
                scaled[j, i, p] = s
                square += s * s
            weights[i, j] = constant - 0.5 * square
    peak = np.max(alphas)
    total = 0.0
    for j in range(k):
        total += math.exp(alphas[j] - peak)
    d_alphas = np.empty(k)
    for j in range(k):
        d_alphas[j] = -n * math.exp(alphas[j] - peak) / total
    d_means = np.zeros_like(means)
    d_log_diagonals = 1.0 - diagonals * diagonals
    d_lowers = np.zeros_like(lowers)
    for i in range(n):
        top = weights[i, 0]
        for j in range(1, k):
            top = max(top, weights[i, j])
        total = 0.0
        for j in range(k):
            weights[i, j] = math.exp(weights[i, j] - top)
            total += weights[i, j]
        for j in range(k):
            weights[i, j] /= total
            d_alphas[j] += weights[i, j]
    for j in range(k):
        for i in range(n):
            weight = weights[i, j]
            for p in range(d):
                centred[p] = x[i, p] - means[j, p]
                ws = weight * scaled[j, i, p]
                d_means[j, p] += ws * diagonals[j, p]
                d_log_diagonals[j, p] += weight - ws * centred[p] * diagonals[j, p]
                for q in range(p):
                    d_means[j, q] += ws * lowers[j, p, q]
                    d_lowers[j, p, q] -= ws * centred[q]
        for p in range(d):
            for q in range(p):
                d_lowers[j, p, q] -= lowers[j, p, q]
    return d_alphas, d_means, d_log_diagonals, d_lowers
