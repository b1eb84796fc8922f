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

import numpy as np


def evolve_grad(u, steps):
    """Gradient of evolve."""
    old = u.copy()
    new = u.copy()
    difference_tape = []
    product_tape = []
    for _ in range(steps):
        for i in range(1, len(u) - 1):
            product = 0.2 * old[i]
            product_tape.append(product)
            difference = old[i] - old[i - 1]
            difference_tape.append(difference)
            new[i] = old[i] - product * difference
        new, old = old, new

    # return np.sum(old**2)
    d_old = 2 * old
    # for _ in range(steps):
    d_new = np.zeros_like(new)
    d_u = np.zeros_like(u)
    for _ in reversed(range(steps)):
        # for i in range(1, len(u) - 1):
        d_new, d_old = d_old, d_new
        for i in reversed(range(1, len(u) - 1)):
            difference = difference_tape.pop()
            product = product_tape.pop()
            # new[i] = old[i] - 0.2 * old[i] * (old[i] - old[i - 1])
            t = d_new[i]
            d_new[i] = 0.0
            t_1 = t * product
            d_old[i - 1] += t_1
            d_old[i] += t - t_1 - t * difference * 0.2
    # new = u.copy()
    d_u += d_new
    # old = u.copy()
    d_u += d_old
    return d_u
