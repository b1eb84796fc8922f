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

import numpy as np


def loss_grad(w, x, y):
    """Gradient of loss."""
    exp = np.exp(-x @ w)
    t = 1 + exp
    p = 1 / t

    # return -np.mean(y * np.log(p) + (1 - y) * np.log(1 - p))
    t_1 = -1.0 / y.size
    d_p = t_1 * y / p - t_1 * (1 - y) / (1 - p)
    # p = 1 / (1 + np.exp(-x @ w))
    d_w = x.T @ (d_p * (p / t) * exp)
    return d_w
