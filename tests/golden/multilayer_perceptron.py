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

import numpy as np


def loss_grad(params, x, labels):
    """Gradient of loss."""
    hidden = np.tanh(x @ params["w1"] + params["b1"])
    logits = hidden @ params["w2"] + params["b2"]
    max_logits = np.max(logits, axis=1, keepdims=True)
    shifted = logits - max_logits
    exp_shifted = np.exp(shifted)

    # return -np.mean(np.sum(labels * log_p, axis=1))
    d_log_p = -1.0 / labels.shape[0] * labels
    # log_p = shifted - np.log(np.sum(np.exp(shifted), axis=1, keepdims=True))
    sum_d_log_p = np.sum(d_log_p, axis=1, keepdims=True)
    d_shifted = (
        d_log_p - sum_d_log_p / np.sum(exp_shifted, axis=1, keepdims=True) * exp_shifted
    )
    # shifted = logits - np.max(logits, axis=1, keepdims=True)
    t = logits == max_logits
    t_1 = np.sum(t, axis=1, dtype=np.float64, keepdims=True)
    d_logits = d_shifted - np.sum(d_shifted, axis=1, keepdims=True) / t_1 * t
    # logits = hidden @ params["w2"] + params["b2"]
    d_b2 = np.sum(d_logits, axis=0)
    d_hidden = d_logits @ params["w2"].T
    d_w2 = hidden.T @ d_logits
    # hidden = np.tanh(x @ params["w1"] + params["b1"])
    t_2 = d_hidden * (1 - hidden**2)
    d_b1 = np.sum(t_2, axis=0)
    d_w1 = x.T @ t_2
    return {"w1": d_w1, "b1": d_b1, "w2": d_w2, "b2": d_b2}
