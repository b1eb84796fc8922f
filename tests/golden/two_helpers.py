import numpy as np


def sigmoid(x):
    return 1.0 / (1.0 + np.exp(-x))


def normalise(x, eps=1e-6):
    centred = x - np.mean(x)
    variance = np.mean(centred**2)
    return centred / np.sqrt(variance + eps)


def score(x, w):
    y = normalise(x)
    return np.sum(sigmoid(w * y) * normalise(w))


ARGNUMS = (0, 1)
ARGUMENTS = (np.array([0.7, -1.2, 0.4, 1.9]), np.array([0.3, 0.8, -0.5, 0.9]))


# ---- generated ----
