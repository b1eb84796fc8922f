import numpy as np


def loss(w, X, y):
    z = X @ w
    return np.mean(np.logaddexp(0.0, -y * z)) + 0.5 * np.dot(w, w)


ARGUMENTS = (
    np.array([0.3, -0.7]),
    np.array([[0.5, 1.2], [-0.8, 0.4], [1.1, -0.6]]),
    np.array([1.0, -1.0, 1.0]),
)
WITHOUT_TYPES = True


# ---- generated ----

import numpy as np


def transposed(a):
    """A matrix, or each matrix of a stack, with rows and columns exchanged."""
    if np.ndim(a) == 2:
        return a.T
    return np.swapaxes(a, -1, -2)


def matmul_left(d_y, a, b):
    """The adjoint of `a` in `a @ b`."""
    if np.ndim(a) == 1:
        if np.ndim(b) == 1:
            return d_y * b
        if np.ndim(b) == 2:
            return b @ d_y
        return np.squeeze(b @ np.expand_dims(d_y, -1), -1)
    if np.ndim(b) == 1:
        if np.ndim(a) == 2:
            return np.outer(d_y, b)
        return np.expand_dims(d_y, -1) * b
    if np.ndim(a) == 2 and np.ndim(b) > 2:
        summed = other_axes(-2, np.ndim(b))
        return np.tensordot(d_y, b, (summed, summed))
    return d_y @ transposed(b)


def matmul_right(d_y, a, b):
    """The adjoint of `b` in `a @ b`."""
    if np.ndim(a) == 1:
        if np.ndim(b) == 1:
            return d_y * a
        if np.ndim(b) == 2:
            return np.outer(a, d_y)
        return np.expand_dims(a, -1) * np.expand_dims(d_y, -2)
    if np.ndim(b) == 1:
        if np.ndim(a) == 2:
            return a.T @ d_y
        return np.tensordot(d_y, a, np.ndim(d_y))
    if np.ndim(b) == 2 and np.ndim(a) > 2:
        summed = axes_range(0, np.ndim(a) - 1)
        return np.tensordot(a, d_y, (summed, summed))
    return transposed(a) @ d_y


def dot_left(d_y, a, b):
    """The adjoint of `a` in `np.dot(a, b)`."""
    if np.ndim(a) == 0 or np.ndim(b) == 0:
        return d_y * b
    if np.ndim(a) <= 2 and np.ndim(b) <= 2:
        return matmul_left(d_y, a, b)
    if np.ndim(b) == 1:
        return np.expand_dims(d_y, -1) * b
    return np.tensordot(d_y, np.moveaxis(b, -2, -1), np.ndim(b) - 1)


def dot_right(d_y, a, b):
    """The adjoint of `b` in `np.dot(a, b)`."""
    if np.ndim(a) == 0 or np.ndim(b) == 0:
        return d_y * a
    if np.ndim(a) <= 2 and np.ndim(b) <= 2:
        return matmul_right(d_y, a, b)
    if np.ndim(b) == 1:
        return np.tensordot(d_y, a, np.ndim(d_y))
    return np.moveaxis(np.tensordot(np.moveaxis(a, -1, 0), d_y, np.ndim(a) - 1), 0, -2)


def as_tuple(axes):
    """One axis or several, as a tuple."""
    return tuple(axes) if isinstance(axes, (tuple, list)) else (axes,)


def axes_range(start, stop):
    """The axes from `start` up to `stop`."""
    return tuple(range(start, stop))


def other_axes(axis, ndim):
    """All axes but one, or but some."""
    left_out = [own % ndim for own in as_tuple(axis)]
    return tuple(axis for axis in range(ndim) if axis not in left_out)


def unbroadcast(adjoint, value):
    """Sum an adjoint over the axes along which a value was broadcast."""
    if np.iscomplexobj(adjoint) and not np.iscomplexobj(value):
        adjoint = np.real(adjoint)
    shape = np.shape(value)
    if np.shape(adjoint) == shape:
        return adjoint
    extra = np.ndim(adjoint) - len(shape)
    adjoint = np.sum(adjoint, axis=tuple(range(extra)))
    for axis in range(len(shape)):
        if shape[axis] == 1:
            adjoint = np.sum(adjoint, axis=axis, keepdims=True)
    return adjoint


def loss_grad(w, X, y):
    """Gradient of loss."""
    z = X @ w
    t = -y
    t_1 = t * z
    logaddexp = np.logaddexp(0.0, t_1)

    # return np.mean(np.logaddexp(0.0, -y * z)) + 0.5 * np.dot(w, w)
    d_w = unbroadcast(dot_left(0.5, w, w), w)
    d_w = d_w + unbroadcast(dot_right(0.5, w, w), w)
    d_z = unbroadcast(1.0 / np.size(logaddexp) * np.exp(t_1 - logaddexp) * t, z)
    # z = X @ w
    d_w = d_w + unbroadcast(matmul_right(d_z, X, w), w)
    return d_w
