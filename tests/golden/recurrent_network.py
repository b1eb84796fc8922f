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

import numpy as np


def loss_grad(w, u, inputs, target):
    """Gradient of loss."""
    h = np.zeros(w.shape[0])
    h_tape = []
    for t in range(inputs.shape[0]):
        h_tape.append(h)
        h = np.tanh(w @ h + u @ inputs[t])

    # return np.sum((h - target) ** 2)
    d_h = 2 * (h - target)
    # for t in range(inputs.shape[0]):
    d_w = np.zeros_like(w)
    d_u = np.zeros_like(u)
    for t in reversed(range(inputs.shape[0])):
        h_1 = h_tape.pop()
        # h = np.tanh(w @ h + u @ inputs[t])
        temp = d_h * (1 - h**2)
        d_u += np.outer(temp, inputs[t])
        d_h = w.T @ temp
        d_w += np.outer(temp, h_1)
        h = h_1
    return d_w, d_u
