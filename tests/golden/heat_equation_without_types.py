import numpy as np


def energy(u, steps):
    u = u.copy()
    for _ in range(steps):
        u[1:-1] = u[1:-1] + 0.1 * (u[2:] - 2.0 * u[1:-1] + u[:-2])
    return np.sum(u**2)


ARGUMENTS = (np.array([0.1, 0.7, 1.2, 0.6, -0.3, 0.4]), 5)
WITHOUT_TYPES = True


# ---- generated ----

import numpy as np


def energy_grad(u, steps):
    """Gradient of energy."""
    u = u.copy()
    for _ in range(steps):
        u[1:-1] = u[1:-1] + 0.1 * (u[2:] - 2.0 * u[1:-1] + u[:-2])

    # return np.sum(u**2)
    d_u = 2 * u
    # for _ in range(steps):
    for _ in reversed(range(steps)):
        # u[1:-1] = u[1:-1] + 0.1 * (u[2:] - 2.0 * u[1:-1] + u[:-2])
        t = np.copy(d_u[1:-1])
        d_u[1:-1] = 0.0
        t_1 = t * 0.1
        d_u[:-2] += t_1
        d_u[1:-1] += -t_1 * 2.0
        d_u[2:] += t_1
        d_u[1:-1] += t
    return d_u
