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

import numpy as np


def roughness_grad(x, steps):
    """Gradient of roughness."""
    states = []
    sin_state_tape = []
    state_tape = []
    state = x
    for _ in range(steps):
        state_tape.append(state)
        sin_state = np.sin(state)
        sin_state_tape.append(sin_state)
        state = sin_state * x
        states.append(state)
    path = np.stack(states)

    # return np.sum((path[1:] - path[:-1]) ** 2)
    t = 2 * (path[1:] - path[:-1])
    d_path = np.zeros_like(path)
    d_path[:-1] -= t
    d_path[1:] += t
    # path = np.stack(states)
    d_states = [d_path[k] for k in range(len(states))]
    # for _ in range(steps):
    d_state = np.zeros_like(state)
    d_x = np.zeros_like(x)
    for _ in reversed(range(steps)):
        sin_state = sin_state_tape.pop()
        state = state_tape.pop()
        # states.append(state)
        d_state += d_states.pop()
        # state = np.sin(state) * x
        d_x += d_state * sin_state
        d_state = d_state * x * np.cos(state)
    d_x += d_state
    return d_x
