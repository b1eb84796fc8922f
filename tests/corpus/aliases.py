"""One buffer under several names: views, swaps, and arrays in containers."""

from __future__ import annotations

import math

import numpy as np

from corpus import program

X = np.array([0.7, -1.2, 0.4, 1.9])
M = np.array([[0.3, 0.8, -0.6], [-0.5, 0.9, 1.1]])


@program(X, numba=False)
def buffers_swapped_in_a_branch_of_a_loop(x):
    a = np.zeros(4)
    b = np.ones(4)
    for i in range(3):
        a[i] = x[i] * b[0] + 1
        b[i] = a[i] * x[0]
        if x[i] > 0:
            a, b = b, a
    return a.sum() * 2 + b.sum()


@program(X, numba=False)
def buffers_swapped_after_an_inner_loop(x):
    a = x.copy()
    b = np.zeros(4)
    for i in range(3):
        for j in range(4):
            b[j] = a[j] * x[i] + a[0]
        a, b = b, a
    return a.sum() * 2 + b.sum()


@program(X, numba=False)
def three_buffers_rotate(x):
    a = x.copy()
    b = x * 2
    c = np.zeros(4)
    for n in range(4):
        c[1:-1] = a[2:] - b[:-2] * x[0]
        c[0] = n
        a, b, c = b, c, a
    return a.sum() + 2 * b.sum() * c[1]


@program(X, numba=False)
def buffers_swapped_in_a_while(x):
    a = x.copy()
    b = x * 2
    n = 0
    while n < 3:
        b[1:] = a[:-1] * x[0]
        b[0] = a[3]
        a, b = b, a
        n += 1
    return a.sum() + 2 * b.sum()


@program(X, numba=False)
def buffers_swapped_in_a_branch_then_written(x):
    a = x.copy()
    b = x * 2
    for i in range(4):
        if x[i] > 0:
            a, b = b, a
        a[i] = x[1] ** 2 * b[0]
    return (a * b).sum()


@program(X)
def view_from_before_a_loop_is_written_in_it(x):
    a = x.copy()
    v = a[1:]
    for i in range(3):
        v[i] *= a[i]
    return (a * a).sum()


@program(X)
def view_from_before_a_loop_is_read_in_it(x):
    a = x.copy()
    v = a[1:]
    s = 0.0
    for i in range(3):
        a[i + 1] = a[i] * x[i]
        s += v[i] * v.sum()
    return s


@program(X)
def two_names_of_one_buffer_in_a_loop(x):
    a = x.copy()
    b = a
    for i in range(4):
        a[i] = a[i] * x[0]
        b[i] += b[0]
    return a.sum() * b[1]


@program(X)
def two_names_and_an_update_in_a_loop(x):
    a = x * 1.0
    b = a
    for i in range(3):
        a += x * b[0]
    return (b * x).sum()


@program(X, numba=False)
def one_array_twice_in_a_list(x):
    a = x.copy()
    l = [a, a]
    l[0][1] = x[0] * 3
    return (l[1] * x).sum()


@program(X, numba=False)
def one_array_three_times_in_a_list(x):
    rows = [x * 1.0] * 3
    rows[0][1] = x[0] * x[2]
    return (rows[0] * rows[2]).sum()


@program(X, numba=False)
def copies_of_a_changing_array_in_a_list(x):
    l = []
    a = x.copy()
    for i in range(3):
        l.append(a.copy())
        a[i] = a[i] * x[i] * 2
    return (l[0] * x).sum() + l[1][1]


@program(X)
def update_through_a_second_name(x):
    a = x * 1.0
    b = a
    b += 1
    b *= x
    return (a * a).sum()


@program(X)
def one_buffer_of_two_targets_in_a_loop(x):
    a = b = np.zeros(4)
    for i in range(4):
        a[i] = x[i]
        b[i] *= a[0]
    return (a * b).sum()


@program(X)
def writes_through_slices_of_slices(x):
    a = x.copy()
    b = a[1:]
    c = b[1:]
    c[0] = x[0] * x[1]
    b[0] = c[0] * 2
    a[3] = b[0]
    return (a * a).sum() + c.sum()


@program(M, numba=False)
def writes_through_a_transpose(m):
    a = m.copy()
    t = a.T
    t[0, 1] = m[0, 0] * m[1, 1]
    t[1] *= 2
    return (a * a).sum() + t[2, 1]


def itself(a):
    return a


@program(X)
def helper_returns_its_argument(x):
    a = x.copy()
    b = itself(a)
    b[0] = x[1] * x[1]
    return (a * x).sum()


@program(X, numba=False)
def array_in_a_dict_written_under_two_names(x):
    d = {"a": x.copy()}
    a = d["a"]
    d["a"] += 1
    a *= x
    return (d["a"] * a).sum()


@program(X, numba=False)
def out_is_an_operand(x):
    a = x.copy()
    np.multiply(a, x, out=a)
    np.sin(a, a)
    np.add(a[1:], a[:-1], out=a[1:])
    return (a * x).sum()


@program(X, numba=False)
def updates_of_overlapping_slices(x):
    a = x.copy()
    a[1:] *= a[:-1]
    a[:-1] -= a[1:]
    a[::2] /= a[1::2]
    return (a * a).sum()


@program(X, numba=False)
def array_written_to_its_own_reverse(x):
    a = x.copy()
    a[::-1] = a
    return (a * a * x).sum()


@program(X, numba=False)
def array_written_to_slices_of_itself(x):
    a = x.copy()
    a[::-1] = a
    a[1:] = a[:-1]
    a[0] = a[3]
    return (a * a * x).sum()


@program(X, numba=False)
def updates_by_its_own_reverse(x):
    a = x.copy()
    a += a[::-1]
    a *= a[::-1]
    return (a * x).sum()


@program(M, numba=False)
def updates_by_its_own_transpose(m):
    a = m @ m.T
    a += a.T
    a *= a.T
    a[0] += a[:, 1]
    return (a * a).sum()


@program(M, X, numba=False)
def updates_that_broadcast(m, x):
    a = m.copy()
    a += x[:3]
    a *= x[1]
    a[0] -= x[0]
    a[:, 1] += x[:2]
    a /= x[1:4]
    return (a * a).sum()


@program(X, numba=False)
def integer_counters_weight_a_sum(x):
    c = np.zeros(3, dtype=int)
    s = 0.0
    for i in range(4):
        c[i % 3] += 1
        s += x[i] * c[i % 3]
    return s


@program(X, numba=False)
def row_view_carried_through_a_loop(x):
    a = np.zeros((3, 4))
    row = a[0]
    row[:] = x
    for i in range(1, 3):
        new = a[i]
        new[:] = row * x[0]
        row = new
    return (a * a).sum()


@program(X, numba=False)
def carried_row_is_written_after_it_was_taken(x):
    a = np.zeros((3, 4))
    a[0] = x
    row = a[0]
    s = 0.0
    for i in range(1, 3):
        a[i] = row * x[0]
        row = a[i]
        a[i, 1] = x[2]
        s = s + (row * x).sum()
    return s + (row * row).sum()


@program(X, numba=False)
def view_written_after_it_was_taken_leaves_a_loop(x):
    a = np.zeros((3, 4))
    a[0] = x
    row = a[0]
    for i in range(1, 3):
        row = a[i]
        a[i, 1] = x[2]
    return (row * x).sum()


@program(M, numba=False)
def rows_written_while_they_are_gone_through(m):
    a = m.copy()
    for r in a:
        r *= m[0]
    return (a * a).sum()


@program(M, numba=False)
def rows_of_two_arrays_written_together(m):
    a = m.copy()
    b = m * 2
    for r, q in zip(a, b):
        r += q
        q[0] = r[1]
    return (a * b).sum()


@program(X, numba=False)
def row_written_under_the_name_of_the_array(x):
    a = np.outer(x, x)
    s = 0.0
    for i, r in enumerate(a):
        a[i] = a[i] * 2
        s += (r * x).sum()
    return s


@program(X, numba=False)
def previous_row_is_a_view(x):
    a = np.outer(x, x)
    cur = a[0]
    for i in range(1, 4):
        nxt = a[i]
        nxt += cur * x[i]
        cur = nxt
    return (a * a).sum() + cur.sum()


@program(X, numba=False)
def elements_swapped(x):
    a = x.copy()
    a[0], a[1] = a[1], a[0] * a[2]
    a[[0, 2]] = a[[2, 0]]
    return (a * x).sum()


@program(X, numba=False)
def overlapping_slices_swapped(x):
    a = x.copy()
    a[:2], a[2:] = a[2:], a[:2]
    return (a * x).sum()


@program(X, numba=False)
def closure_writes_into_a_buffer(x):
    a = x.copy()

    def put(i, v):
        a[i] = v * a[0]

    put(1, x[2])
    put(2, x[1])
    return (a * a).sum()


@program(X)
def helper_gets_one_array_twice(x):
    def upd(p, q):
        p[0] = q[1] * 2
        q[1] = p[0] * x[0]
        return p

    a = x.copy()
    r = upd(a, a)
    return (r * a).sum()


@program(X, numba=False)
def helper_gets_overlapping_views(x):
    def upd(p, q):
        p[:] = q * x[0]

    a = x.copy()
    upd(a[1:], a[:-1])
    return (a * a).sum()


@program(X, numba=False)
def writes_through_new_axes(x):
    a = x.copy()
    c = a[:, None]
    c *= 2
    c[1, 0] = x[0] * x[0]
    d = a[None]
    d[0, 2] = x[1]
    return (a * x).sum()


@program(X, numba=False)
def view_taken_in_a_branch_and_written(x):
    a = x.copy()
    if x[0] > 0:
        b = a[1:]
        b[0] = x[1] * 3
        a[1] *= 2
    else:
        b = a[:3] * 2
    return (a.sum() * b).sum()


@program(X, numba=False)
def view_taken_in_a_with_and_written(x):
    a = x.copy()
    with np.errstate(all="ignore"):
        b = a[1:]
        b[0] = x[1] * 3
        a[1] *= 2
    return (a.sum() * b).sum()


@program(X, numba=False)
def add_at_adds_an_array_to_itself(x):
    a = x.copy()
    np.add.at(a, [0, 0, 1, 2], a)
    return (a * a * x).sum()


@program(0.9, numba=False)
def walrus_in_the_condition_and_a_break(x):
    total = 0.0
    while (y := math.cos(x)) > 0.1:
        total += y * x
        if total > 1.5:
            break
        x = x + 0.2
    return total + y * 2


@program(X, numba=False)
def walrus_in_nested_conditions(x):
    t = 0.0
    i = 0
    while (v := x[i]) < 1.5:
        j = 0
        while (w := x[j]) < 0.5 or j < 1:
            t += v * w
            j += 1
        t += w
        i += 1
    return t * v


@program(X, numba=False)
def condition_takes_from_a_list(x):
    s = [v * v for v in x]
    t = 0.0
    while len(s) > 1 and s.pop() < 3.9:
        t += s[-1] * x[0]
    return t


@program(X, numba=False)
def condition_writes_into_a_buffer(x):
    a = x.copy()
    t = 0.0

    def step():
        a[0] = a[0] * 0.7
        return a[0]

    while step() > 0.1:
        t += a[0] * a[1]
    return t


@program(X, numba=False)
def row_replaced_in_each_iteration(x):
    a = np.ones((4, 4)) * x
    row = a[0]
    s = 0.0
    for i in range(3):
        row = a[i]
        s += row.sum() * x[1]
        a[i + 1] = row * x[0]
    return s + row.sum()


@program(X, numba=False)
def list_grows_in_a_loop_in_a_branch(x):
    xs = []
    if x[0] > 0:
        for i in range(4):
            xs.append(x[i] ** 2)
    else:
        xs.append(1.0)
    return sum(xs)


@program(X, numba=False)
def list_grows_in_a_branch_and_after_it(x):
    xs = [1.0]
    if x[0] > 0:
        for i in range(4):
            xs.append(x[i] ** 2)
    xs.append(x[2])
    return sum(xs) * xs[-1]


@program(X, numba=False)
def slice_of_a_list_is_a_copy(x):
    xs = [v * v for v in x]
    ys = xs[1:]
    ys[0] = x[0]
    return sum(ys) * xs[1]


@program(X, numba=False)
def arrays_of_a_list_written_in_place(x):
    xs = []
    for i in range(3):
        xs.append(x * i)
    for i in range(3):
        xs[i] *= x
        xs[i][0] = x[1]
    return (xs[0] + xs[1] * xs[2]).sum()


@program(X, numba=False)
def item_of_a_list_replaced_after_it_was_read(x):
    xs = []
    for i in range(3):
        xs.append(x * i)
    y = xs[1]
    xs[1] = x * x
    return (y * xs[1]).sum()


@program(X, numba=False)
def item_of_a_list_written_under_its_own_name(x):
    xs = []
    for i in range(3):
        xs.append(x * i)
    y = xs[1]
    y[0] = x[3] ** 2
    return (y * xs[1]).sum()


@program(X, numba=False)
def list_and_its_copy(x):
    xs = [v * v for v in x]
    ys = xs
    zs = list(xs)
    ys.append(x[0])
    zs[0] = x[3]
    return sum(xs) * zs[0] * len(ys)


@program(X, numba=False)
def lists_added(x):
    xs = [v * v for v in x]
    ys = xs + [x[0]] + xs
    xs[0] = x[2]
    return ys[0] * ys[4] * 3 + xs[0] * sum(ys)


@program(X, numba=False)
def list_repeated(x):
    xs = [v * v for v in x]
    ys = xs * 2
    xs[0] = x[2]
    return ys[0] * ys[4] * 3 + xs[0] * sum(ys)


@program(X, numba=False)
def arrays_of_a_dict_updated(x):
    d = {}
    for i in range(3):
        d[i] = x * i
    for i in range(3):
        d[i] += d[(i + 1) % 3]
    return (d[0] * d[2]).sum()


@program(X, numba=False)
def dict_rebuilt_and_written_in_a_loop(x):
    params = {"w": x.copy(), "v": np.zeros(4)}
    for i in range(3):
        params["w"][i] *= x[0]
        params = {"w": params["w"] + x, "v": params["w"]}
    return np.sum(params["w"] ** 2) + np.sum(params["v"] * x)


@program(X, numba=False)
def items_of_a_dict_replaced_and_written(x):
    params = {"w": x.copy(), "v": np.zeros(4)}
    for i in range(3):
        params["w"] = params["w"] * x[i]
        params["v"][i] += params["w"][i]
    return np.sum(params["w"] ** 2) + np.sum(params["v"] * x)


@program(X, numba=False)
def dict_comprehension_in_a_loop(x):
    params = {"w": x.copy(), "v": x * 2}
    for i in range(3):
        params = {k: v * x[i] for k, v in params.items()}
    return np.sum(params["w"] ** 2) + np.sum(params["v"] * x)


@program(X, numba=False)
def list_rebuilt_in_a_loop(x):
    ps = [x, x * 2]
    for i in range(3):
        ps = [p * x[i] + ps[0] for p in ps]
    return (ps[0] * ps[1]).sum()


@program(X, numba=False)
def list_rebuilt_in_a_branch(x):
    ps = [x, x * 2]
    if x[0] > 0:
        ps = [x * x, ps[0]]
    return (ps[0] * ps[1]).sum()


@program(X, numba=False)
def array_in_a_tuple_written_in_a_loop(x):
    st = (x.copy(), 0.0)
    for i in range(3):
        b, s = st
        b[i] *= x[0]
        st = (b, s + b.sum())
    return (st[0]).sum() * st[1]


@program(X, numba=False)
def one_of_two_closures(x):
    def g(v):
        return v * v

    f = g if x[0] < 0 else (lambda v: v * x[1])
    return (f(x) * f(x * 2)).sum()


@program(X, numba=False)
def function_and_number_chosen_by_a_branch(x):
    if x[0] > 0:
        f = np.sin
        k = 2
    else:
        f = np.cos
        k = 3
    return f(x * k).sum()


@program(X, numba=False)
def rows_appended_then_written(x):
    rows = []
    for i in range(2):
        row = []
        for j in range(3):
            row.append(x[i] * x[j])
        rows.append(row)
    rows[0][1] = x[3]
    return rows[0][1] * rows[1][2]


@program(X, numba=False)
def table_of_lists_filled_in_loops(x):
    rows = [[0.0, 0.0, 0.0] for _ in range(3)]
    for i in range(3):
        for j in range(3):
            rows[i][j] = x[i] * x[j]
    return rows[0][1] * rows[1][2]


@program(X, numba=False)
def last_item_read_before_an_append(x):
    hs = [x * 1.0]
    s = 0.0
    for i in range(3):
        h = hs[-1]
        hs.append(np.sin(h) * x[i])
        s += h.sum()
    return s + hs[-1].sum() + hs[-2][0]


@program(X, numba=False)
def arrays_of_a_list_swapped(x):
    d = [x * (i + 1) for i in range(3)]
    for i in range(2):
        d[i], d[i + 1] = d[i + 1], d[i]
    return (d[0] * d[1] ** 2).sum()


@program(X, numba=False)
def helper_appends_and_returns_the_list(x):
    l = []

    def put(l, v):
        l.append(v)
        return l

    for i in range(3):
        put(l, x[i] ** 2)
    q = put(l, x[0])
    q[0] = x[3]
    return sum(l) * l[0]


@program(X, numba=False)
def list_extended_under_a_second_name(x):
    l = [x[0]]
    q = l
    for i in range(3):
        l += [x[i] ** 2]
    return sum(q) * len(q)


@program(X, numba=False)
def list_added_to_under_a_second_name(x):
    l = [x[0]]
    q = l
    for i in range(3):
        l = l + [x[i] ** 2]
    return sum(q) * len(l) + sum(l) * l[1]


# ---------------------------------------------------------------- items written in place


@program(X, M, numba=False)
def array_of_a_list_whose_items_were_written(x, u):
    xs = []
    for i in range(2):
        xs.append(x * (i + 1))
    for i in range(2):
        xs[i][0] = x[1]
    y = np.array(xs)[:, :3]
    return ((y + u) ** 2).sum() + (y * u).sum()


@program(X, numba=False)
def popped_array_is_added_to_one_written_later(x):
    xs = [x * 1.0 for _ in range(3)]
    a = x * 2
    for i in range(3):
        b = xs.pop()
        a += b
        a[i] = a[i] * a[i]
    return a.sum()


@program(X, numba=False)
def item_is_written_after_its_array_was_read(x):
    xs = []
    a = x**2
    b = (a * a).sum()
    for i in range(2):
        xs.append(x + i)
    xs.append(a)
    for i in range(3):
        xs[i][0] = 3.0 * x[1]
    return (xs[0] * xs[1] * x * xs[2]).sum() + b


@program(X, numba=False)
def item_of_a_tuple_in_a_list_written(x):
    xs = []
    for i in range(3):
        a = x**2
        xs.append((a, x[i]))
        b = (a * a).sum()
        xs[i][0][1] = b
    s = 0.0
    for u, v in xs:
        s += (u * v).sum()
    return s


@program(X, numba=False)
def array_in_a_dict_written_after_it_was_read(x):
    d = {}
    for i in range(3):
        a = x**2
        d[i] = a
        d[i][1] = (a * a).sum()
    return (d[0] * d[1]).sum()


@program(X, numba=False)
def items_of_a_dict_written_and_replaced(x):
    d = {}
    for i in range(3):
        d[i] = x * (i + 1)
    a = x * 2
    for i in range(3):
        a += d[i]
        d[i][0] = a[1]
        a[i] = a[i] * a[i]
        d[i] = d[i] + a
    return a.sum() + d[1].sum()


@program(X, numba=False)
def item_replaced_by_one_of_another_size(x):
    xs = [x[:1] * 1, x * 2]
    for _ in range(0):
        xs.append(x * 1)
    for i in range(2):
        xs[i] = xs[i] * x
    return (xs[0] * xs[1]).sum()


@program(X, numba=False)
def item_of_a_dict_replaced_by_one_of_another_size(x):
    d = {}
    s = 0.0
    for i in range(3):
        d[i] = x[: i + 1] * 2
        s += d[i][0] * d[i][i] * x[3]
        d[i] = d[i].sum() * x
        s += d[i][2]
    return s


@program(X, numba=False)
def item_replaced_by_a_constant(x):
    xs = []
    for i in range(3):
        xs.append(np.outer(x, x) * i)
    for i in range(2):
        xs[i] = np.ones((4, 4))
    return (x @ xs[0] @ xs[2].T).sum()


@program(X, numba=False)
def array_put_into_a_list_before_its_item_is_replaced(x):
    xs = [x * i for i in range(3)]
    seen = []
    for i in range(3):
        seen.append(xs[i])
        xs[i] = np.sin(xs[i]) * x
    return (seen[1] * xs[1]).sum() + xs[2][0]


# ---------------------------------------------------------------- forms


@program(X)
def view_made_in_a_branch_before_a_write(x):
    a = x * 2
    s = 0.0
    if x[0] > 0:
        b = a[1:]
        s = b.sum() ** 2
    a[1] = a[2] * x[0]
    return s + (a * a).sum()


@program(X)
def shapes_differ_in_each_iteration(x):
    s = 0.0
    for i in range(1, 4):
        b = x[:i].copy()
        b[0] = x[1]
        s += b.sum() ** 2 * b.mean() + b.reshape(1, -1).sum()
    return s


@program(X, numba=False)
def rows_of_lists_in_two_nested_loops(x):
    tape = []
    for i in range(3):
        for j in range(2):
            pair = (x[i], x[j])
            tape.append(pair)
    total = 0.0
    for _ in range(3):
        for _ in range(2):
            pair = tape.pop()
            total += pair[0] * pair[1]
    return total


@program(X)
def size_of_the_carried_array_grows(x):
    previous = x[:1]
    s = 0.0
    for i in range(1, 4):
        c = x[:i] * 2
        if i > 1:
            s = s + (c[:1] * x[:i]).sum() + (previous[:1] * c).sum()
        previous = c
    return s


@program(X, numba=False)
def written_after_a_branch_that_makes_it_anew(x):
    v = x * x[0]
    if x[1] > 0.0:
        v = np.exp(-np.tanh(x))
    if x[0] > 0.0:
        v[1] = math.sin(x[2])
    return np.sum(np.sin(v))


@program(X, numba=False, smooth=False)  # a residual that is read for its size
def size_after_a_write_through_another_name(x):
    v = x * x[0]
    w = v
    if x[1] > 0.0:
        w = np.exp(-np.tanh(x))
    w[1] = math.sin(x[2])
    return np.sum(np.sin(w)) * v.size + v.shape[0]
