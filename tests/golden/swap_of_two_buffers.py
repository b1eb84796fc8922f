import numpy as np


def evolve(u, steps):
    old = u.copy()
    new = u.copy()
    for _ in range(steps):
        for i in range(1, len(u) - 1):
            new[i] = old[i] - 0.2 * old[i] * (old[i] - old[i - 1])
        old, new = new, old
    return np.sum(old**2)


ARGUMENTS = (np.array([0.1, 0.7, 1.2, 0.6, 0.3, 0.4]), 5)


# ---- generated ----
