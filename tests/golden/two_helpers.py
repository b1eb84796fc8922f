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

import numpy as np


def normalise_forward(x, eps):
    """Result of normalise, and what its reverse sweep needs."""
    centred = x - np.mean(x)
    t = centred**2
    variance = np.mean(t)
    sqrt = np.sqrt(variance + eps)
    t_1 = centred / sqrt
    residuals = sqrt, t_1, t, centred, x
    return t_1, residuals


def normalise_backward(residuals, d_out):
    """Adjoints of the arguments of normalise."""
    t, t_1, t_2, centred, x = residuals

    # return centred / np.sqrt(variance + eps)
    d_centred = d_out / t
    d_variance = -0.5 * np.sum(d_out * (t_1 / t)) / t
    # variance = np.mean(centred**2)
    d_centred += d_variance / t_2.size * (2 * centred)
    # centred = x - np.mean(x)
    d_x = d_centred - np.sum(d_centred) / x.size
    return d_x


def score_grad(x, w):
    """Gradient of score."""
    y, normalise_residuals = normalise_forward(x, 1e-6)
    exp = np.exp(-w * y)
    t = 1.0 + exp
    t_1 = 1.0 / t
    t_2, normalise_residuals_1 = normalise_forward(w, 1e-6)

    # return np.sum(sigmoid(w * y) * normalise(w))
    d_w = normalise_backward(normalise_residuals_1, t_1)
    # return 1.0 / (1.0 + np.exp(-x))
    t_3 = t_2 * (t_1 / t) * exp
    # return np.sum(sigmoid(w * y) * normalise(w))
    d_y = t_3 * w
    d_w += t_3 * y
    return normalise_backward(normalise_residuals, d_y), d_w
