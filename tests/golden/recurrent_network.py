import numpy as np


def loss(w, u, inputs, target):
    h = np.zeros(w.shape[0])
    for t in range(inputs.shape[0]):
        h = np.tanh(w @ h + u @ inputs[t])
    return np.sum((h - target) ** 2)


ARGNUMS = (0, 1)
ARGUMENTS = (
    np.array([[0.5, -0.3, 0.8], [0.2, 0.9, -0.4], [0.1, -0.6, 0.3]]),
    np.array([[0.7, -0.5], [0.3, 0.6], [-0.8, 0.4]]),
    np.array([[0.6, -1.1], [1.3, 0.2], [-0.4, 0.9], [0.8, 0.7]]),
    np.array([0.2, -0.1, 0.4]),
)


# ---- generated ----
