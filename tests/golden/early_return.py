import math


def activation(x, slope):
    if x < 0.0:
        return slope * x
    y = x * x
    if y > 1.0:
        return 1.0 + math.log(y)
    return y


ARGNUMS = (0, 1)
ARGUMENTS = (1.7, 0.1)


# ---- generated ----
