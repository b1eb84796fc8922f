import numpy as np


def roughness(x, steps):
    states = []
    state = x
    for _ in range(steps):
        state = np.sin(state) * x
        states.append(state)
    path = np.stack(states)
    return np.sum((path[1:] - path[:-1]) ** 2)


ARGUMENTS = (np.array([0.7, -1.2, 0.4, 1.9]), 4)


# ---- generated ----
