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

def activation_grad(x, slope):
    """Gradient of activation."""
    if x < 0.0:
        d_slope = x
        d_x = slope
    else:
        y = x * x
        if y > 1.0:
            # return 1.0 + math.log(y)
            d_y = 1.0 / y
        else:
            d_y = 1.0
        # y = x * x
        d_x = 2 * d_y * x
        d_slope = 0.0
    return d_x, d_slope
