def square_root(a):
    x = a
    while abs(x * x - a) > 1e-12:
        x = 0.5 * (x + a / x)
    return x


ARGUMENTS = (2.0,)


# ---- generated ----

def square_root_grad(a):
    """Gradient of square_root."""
    x_tape = []
    x = a
    trips = 0
    while abs(x * x - a) > 1e-12:
        x_tape.append(x)
        x = 0.5 * (x + a / x)
        trips += 1

    # while abs(x * x - a) > 1e-12:
    d_x = 1.0
    d_a = 0.0
    for _ in reversed(range(trips)):
        x = x_tape.pop()
        # x = 0.5 * (x + a / x)
        d_x *= 0.5
        d_a += d_x / x
        d_x -= d_x * (a / x / x)
    d_a += d_x
    return d_a
