def power(x, n):
    if n == 0:
        return 1.0
    half = power(x, n // 2)
    if n % 2 == 0:
        return half * half
    return half * half * x


ARGUMENTS = (0.9, 11)


# ---- generated ----

def power_forward(x, n):
    """Result of power, and what its reverse sweep needs."""
    if n == 0:
        result = 1.0
        t = False
        half = 0.0
        t_1 = 0.0
        power_residuals = ()
    else:
        half, power_residuals = power_forward(x, n // 2)
        t = n % 2 == 0
        if t:
            result = half * half
            t_1 = 0.0
        else:
            t_1 = half * half
            result = t_1 * x
    residuals = n == 0, t, half, x, t_1, power_residuals
    return result, residuals


def power_backward(residuals, d_result):
    """Adjoints of the arguments of power."""
    t, t_1, half, x, t_2, power_residuals = residuals

    # if n == 0:
    if t:
        d_x = 0.0
    else:
        # if n % 2 == 0:
        if t_1:
            # return half * half
            d_half = 2 * d_result * half
            d_x = 0.0
        else:
            # return half * half * x
            d_x = d_result * t_2
            d_half = 2 * d_result * x * half
        # half = power(x, n // 2)
        d_x += power_backward(power_residuals, d_half)
    return d_x


def power_grad(x, n):
    """Gradient of power."""
    _, power_residuals = power_forward(x, n)
    return power_backward(power_residuals, 1.0)
