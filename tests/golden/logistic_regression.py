import numpy as np


def loss(w, x, y):
    p = 1 / (1 + np.exp(-x @ w))
    return -np.mean(y * np.log(p) + (1 - y) * np.log(1 - p))


ARGUMENTS = (
    np.array([0.3, -0.7]),
    np.array([[0.5, 1.2], [-0.8, 0.4], [1.1, -0.6]]),
    np.array([1.0, 0.0, 1.0]),
)


# ---- generated ----
