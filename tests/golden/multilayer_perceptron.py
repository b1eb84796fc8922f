import numpy as np


def loss(params, x, labels):
    hidden = np.tanh(x @ params["w1"] + params["b1"])
    logits = hidden @ params["w2"] + params["b2"]
    shifted = logits - np.max(logits, axis=1, keepdims=True)
    log_p = shifted - np.log(np.sum(np.exp(shifted), axis=1, keepdims=True))
    return -np.mean(np.sum(labels * log_p, axis=1))


ARGUMENTS = (
    {
        "w1": np.array([[0.5, -0.3, 0.8], [0.2, 0.9, -0.4]]),
        "b1": np.array([0.1, -0.2, 0.3]),
        "w2": np.array([[0.7, -0.5], [0.3, 0.6], [-0.8, 0.4]]),
        "b2": np.array([0.05, -0.1]),
    },
    np.array([[0.6, -1.1], [1.3, 0.2], [-0.4, 0.9], [0.8, 0.7]]),
    np.array([[1.0, 0.0], [0.0, 1.0], [0.0, 1.0], [1.0, 0.0]]),
)


# ---- generated ----
