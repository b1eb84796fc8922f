"""Stores into arrays, views, aliases, and what is written over."""

from __future__ import annotations

import numpy as np

from corpus import program

X = np.array([0.7, -1.2, 0.4, 1.9])
Y = np.array([0.2, 0.9, -0.6, 0.5])
M = np.array([[0.3, 0.8], [-0.5, 0.9], [1.1, -0.4]])
U = np.array([0.1, 0.7, 1.2, 0.6, -0.3, 0.4])


@program(X)
def element_store(x):
    y = np.zeros(3)
    y[0] = x[0] * x[1]
    y[2] = np.sin(x[2])
    return np.sum(y**2)


@program(X)
def element_store_with_negative_index(x):
    y = np.zeros_like(x)
    y[-1] = x[0] * x[-2]
    y[0] = x[-1] ** 2
    return y[3] * y[0]


@program(X)
def element_store_in_a_loop(x):
    y = np.empty(4)
    y[0] = x[0]
    for i in range(1, 4):
        y[i] = np.sin(y[i - 1]) * x[i]
    return np.sum(y)


@program(M)
def element_store_in_two_dimensions(m):
    y = np.zeros((2, 3))
    for i in range(3):
        for j in range(2):
            y[j, i] = m[i, j] ** 2
            y[j][i] += m[i, j]
    return np.sum(y * y)


@program(X)
def slice_store(x):
    y = np.ones(6)
    y[1:5] = x * x
    return np.sum(y**2)


@program(X)
def slice_store_of_a_scalar(x):
    y = np.ones(6)
    y[1:4] = x[0] * x[1]
    return np.sum(y**2) * y[2]


@program(X)
def slice_store_with_step(x):
    y = x * x
    y[::2] = x[1::2] * 3.0
    y[::-1] += x
    return np.sum(y**2)


@program(M)
def row_and_column_stores(m):
    y = np.zeros((3, 3))
    y[0] = 2.0 * m[:, 0] ** 2
    y[:, 1] = m[:, 1]
    y[1:, 2] = m[0]
    return np.sum(y**2)


@program(M)
def store_with_ellipsis_and_newaxis(m):
    y = np.zeros((3, 2))
    y[...] = m**2
    y[..., 0] += m[:, 1]
    return np.sum(y[:, np.newaxis, :] * m[None, :, :])


@program(M)
def store_broadcasts(m):
    y = np.zeros((3, 2))
    y[:] = m[0]
    y[1:, :] *= m[1:, :1]
    return np.sum(y**2)


@program(X)
def whole_array_store(x):
    y = np.ones(4)
    y[:] = x
    y[:] = y * y * x
    return np.sum(y)


@program(X)
def overwritten_value_was_used_nonlinearly(x):
    y = x * x
    z = y[1] * y[1]
    y[1] = np.sin(y[1]) * x[0]
    z += y[1] ** 3
    y[1] = 2.0
    return z * np.sum(y)


@program(X)
def overwritten_slice_was_used_nonlinearly(x):
    y = np.sin(x)
    z = np.sum(y**2)
    y[:2] = y[2:] * y[:2]
    z = z + np.sum(y**3)
    y[:] = 0.0
    return z + np.sum(y)


@program(X)
def overwritten_in_a_loop(x):
    y = np.array([0.5, 0.5])
    for item in x:
        y[0] = np.sin(y[0] * item) + y[1]
        y[1] = y[0] * y[1] * item
    return y[0] * y[1]


@program(X)
def store_kills_the_dependence(x):
    y = x * x
    y[1:3] = 1.5
    y[0] = 0.5
    return np.sum(y**2)


@program(X)
def augmented_slice_stores(x):
    y = np.ones(4)
    y[1:3] += x[:2]
    y[:2] *= x[2:]
    y[2:] -= x[:2] * x[1:3]
    y[:3] /= 2.0 + x[1:] ** 2
    y[3:] **= 2
    return np.sum(y**2)


@program(X)
def augmented_store_reads_itself(x):
    y = x.copy()
    y[1:] += y[:-1]
    y[0] *= y[3]
    return np.sum(y**2)


@program(X)
def power_in_place(x):
    y = x + 3.0
    y **= 1.5
    y *= y
    return np.sum(y) * 0.01


@program(X)
def mask_store_of_a_scalar(x):
    y = x * x
    y[x < 0.0] = 0.3
    return np.sum(y**2)


@program(X)
def mask_store_of_an_array(x):
    y = x * x
    mask = x > 0.5
    y[mask] = np.sin(x[mask]) * x[1]
    return np.sum(y**2)


@program(X)
def mask_augmented_store(x):
    y = x * x
    y[x > 0.5] *= x[0]
    y[x < 0.0] += x[2]
    return np.sum(y**2)


@program(X)
def mask_read(x):
    return np.sum(x[x > 0.5] ** 3) + np.prod(x[x < 0.5])


@program(X)
def fancy_read_with_repeats(x):
    return np.sum(x[[0, 2, 2, 0, 2]] ** 2 * np.array([1.0, 2.0, 3.0, 4.0, 5.0]))


@program(X, np.array([3, 1, 1]))
def fancy_read_by_an_argument(x, index):
    y = np.sin(x)[index]
    return np.prod(y)


@program(M, np.array([0, 2, 2]), np.array([1, 0, 1]))
def fancy_read_in_two_dimensions(m, rows, columns):
    return np.sum(m[rows, columns] ** 2) + np.sum(m[rows, 0] ** 3)


@program(X)
def fancy_store(x):
    y = np.ones(5)
    y[[3, 0]] = x[:2] * x[2:]
    return np.sum(y**2)


@program(X)
def fancy_store_last_writer_wins(x):
    y = x * 2.0
    y[[1, 1, 3]] = x[:3] * x[:3]
    return np.sum(y**2)


@program(X)
def fancy_augmented_store_counts_repeats_once(x):
    y = x * 2.0
    y[[1, 1, 3]] += x[:3]
    return np.sum(y**2)


@program(X)
def add_at_with_repeats(x):
    y = np.zeros(3)
    np.add.at(y, [0, 2, 2, 0], x * x)
    return np.sum(y**2)


@program(X, Y, argnums=(0, 1))
def out_of_an_operator(x, y):
    z = np.empty(4)
    np.multiply(x, y, out=z)
    np.sin(z, out=z)
    return np.sum(z * x)


@program(X)
def out_into_a_slice(x):
    y = np.ones(6)
    np.exp(x, out=y[1:5])
    return np.sum(y**2)


@program(X)
def slice_view_read(x):
    y = x[1:]
    z = y[:2]
    return np.sum(z**2) * y[2]


@program(X)
def write_through_a_slice(x):
    y = x * x
    z = y[1:3]
    z[0] = x[0]
    z[1] *= x[1]
    return np.sum(y**2)


@program(X)
def write_to_the_base_seen_in_a_view(x):
    y = x * x
    z = y[1:]
    y[2] = np.sin(x[0])
    return np.sum(z**2)


@program(X)
def write_through_a_view_of_a_view(x):
    y = x * x
    z = y[::2][::-1]
    z[0] += y[1]
    z *= x[:2]
    return np.sum(y**3)


@program(X)
def two_overlapping_views(x):
    y = x * x
    left = y[:3]
    right = y[1:]
    left += x[:3]
    right *= x[1:]
    return np.sum(left) * np.sum(right**2)


@program(M)
def write_through_a_transpose(m):
    y = m * m
    t = y.T
    t[0, 1] = m[0, 0]
    t[1] *= m[:, 0]
    return np.sum(y**2)


@program(X)
def write_through_a_reshape_of_a_fresh_array(x):
    y = np.zeros(4)
    square = y.reshape(2, 2)
    square[0] = x[:2] ** 2
    square[1, 0] = x[2] * x[3]
    return np.sum(np.exp(y))


@program(X)
def reshape_of_a_copy(x):
    y = np.array(x).reshape((2, 2))
    y[0, 0] *= x[3]
    return np.sum(y @ y)


@program(X)
def copy_is_no_alias(x):
    y = x * x
    z = y.copy()
    z[0] = x[3]
    return np.sum(y * z)


@program(X)
def alias_of_a_local_array(x):
    y = np.sin(x)
    z = y
    z[1] = x[0] * x[2]
    z += x
    return np.sum(y * z)


@program(X)
def alias_rebound(x):
    y = x * x
    z = y
    z = z * 2.0
    z[0] = x[1]
    return np.sum(y * z)


@program(X)
def alias_made_in_a_branch(x):
    y = x * x
    z = np.ones(4)
    if x[0] > 0.0:
        z[1:] = y[1:]
    z[2] = x[0]
    return np.sum(y * z**2)


@program(U)
def swap_of_two_buffers(u):
    old = u.copy()
    new = np.zeros_like(u)
    for _ in range(3):
        for i in range(1, 5):
            new[i] = old[i] * old[i - 1] - 0.2 * old[i + 1]
        old, new = new, old
    return np.sum(old**2)


@program(U)
def swap_of_two_buffers_with_slices(u):
    old = u.copy()
    new = u.copy()
    for _ in range(4):
        new[1:-1] = old[1:-1] + 0.1 * (old[2:] - old[1:-1] * old[:-2])
        old, new = new, old
    return np.sum(old**2)


@program(U)
def linear_stencil_in_place(u):
    u = u.copy()
    for _ in range(3):
        u[1:-1] += 0.1 * (u[2:] - 2.0 * u[1:-1] + u[:-2])
    return np.sum(u**2)


@program(U)
def nonlinear_stencil_in_place(u):
    u = u.copy()
    for _ in range(2):
        for i in range(1, len(u) - 1):
            u[i] = np.sin(u[i - 1] * u[i]) + u[i + 1]
    return np.sum(u**2)


@program(M)
def rows_as_views_written(m):
    y = m.copy()
    for row in y:
        row[0] = row[1] * row[0]
        row += 0.5
    return np.sum(y**2)


@program(M)
def row_view_by_index(m):
    y = m * m
    for i in range(1, 3):
        row = y[i]
        row[0] += y[i - 1, 1]
        row[1] *= row[0]
    return np.sum(y)


@program(M)
def history_written_once(m):
    history = np.zeros((4, 2))
    history[0] = m[0]
    for t in range(3):
        history[t + 1] = np.tanh(history[t] * m[t]) + m[t]
    return np.sum(history**2)


@program(X)
def store_of_a_slice_of_itself(x):
    y = x * x
    y[:2] = y[2:]
    y[1:] = y[:-1] * x[0]
    return np.sum(y**2)


@program(X)
def store_conditionally(x):
    y = np.ones(4)
    for i in range(4):
        if x[i] > 0.5:
            y[i] = x[i] ** 2
        else:
            y[i] *= x[i]
    return np.sum(y**2)


@program(X)
def argument_written_in_place(x):
    x[0] = x[1] * x[2]
    x *= x
    return np.sum(x)


@program(X, np.zeros(4))
def inactive_argument_takes_active_values(x, work):
    work[:] = x * x
    work[1] *= x[0]
    return np.sum(work**2)


@program(X)
def fill_and_full(x):
    y = np.full(3, x[0] * x[1])
    z = np.empty(2)
    z.fill(x[2])
    return np.sum(y**2) * np.sum(z**3)


@program(X)
def full_like_and_ones(x):
    y = np.full_like(x, 2.0)
    y[1:3] = np.ones(2) * x[0]
    return np.sum(y * x)


@program(X)
def accumulation_over_a_window(x):
    y = np.zeros(6)
    for i in range(4):
        y[i : i + 3] += x[i] * np.array([1.0, 2.0, 3.0]) * x[0]
    return np.sum(y**2)


@program(X)
def array_returned_after_writes(x):
    y = np.zeros(5)
    y[1:] = x * x
    y[0] = y[1] * x[3]
    return y


@program(X)
def view_returned(x):
    y = x * x
    return y[1:]


@program(X)
def argument_returned(x):
    return x


@program(X)
def view_of_the_argument_returned(x):
    return x[::-1]


@program(0.7)
def array_built_from_a_scalar(x):
    y = np.zeros(3)
    for i in range(3):
        y[i] = x**i
    y[1:] *= y[:-1]
    return np.sum(y)


@program(X)
def written_and_made_anew_in_a_loop(x):
    v1 = x * 1.5
    for i in range(3):
        v1[0:1] *= x[i]
        v1 = np.sin(v1)
    return np.sum(v1 * x)
