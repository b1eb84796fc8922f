"""Small programs from machine learning, physics, statistics and linear algebra."""

from __future__ import annotations

import math

import numpy as np

from corpus import program

_random = np.random.default_rng(7)


def normal(*shape, scale=0.7):
    return _random.normal(size=shape) * scale


SPD = np.array([[2.0, 0.3, -0.4], [0.3, 1.5, 0.2], [-0.4, 0.2, 1.8]])
B3 = np.array([0.5, -0.8, 0.3])


@program(normal(3), normal(5, 3), np.array([1.0, 0.0, 0.0, 1.0, 1.0]))
def logistic_regression(w, x, y):
    p = 1.0 / (1.0 + np.exp(-(x @ w)))
    return -np.mean(y * np.log(p) + (1.0 - y) * np.log(1.0 - p))


@program(
    {"w1": normal(3, 4), "b1": normal(4), "w2": normal(4, 2), "b2": normal(2)},
    normal(5, 3),
    normal(5, 2),
)
def multilayer_perceptron(p, x, y):
    hidden = np.tanh(x @ p["w1"] + p["b1"])
    output = hidden @ p["w2"] + p["b2"]
    return np.mean((output - y) ** 2)


@program(normal(4, 3), np.array([0, 2, 1, 1]))
def softmax_cross_entropy(logits, labels):
    shifted = logits - np.max(logits, axis=1, keepdims=True)
    logsum = np.log(np.sum(np.exp(shifted), axis=1))
    return np.mean(logsum - shifted[np.arange(4), labels])


@program(normal(3, 3), normal(3, 2), normal(5, 2), argnums=(0, 1, 2))
def recurrent_network(w, u, inputs):
    h = np.zeros(3)
    for x in inputs:
        h = np.tanh(w @ h + u @ x)
    return np.sum(h**2)


def sigmoid(x):
    return 1.0 / (1.0 + np.exp(-x))


@program(normal(12, 5), normal(4, 2))
def lstm(w, inputs):
    h, c = np.zeros(3), np.zeros(3)
    for x in inputs:
        z = w @ np.concatenate((h, x))
        c = sigmoid(z[:3]) * c + sigmoid(z[3:6]) * np.tanh(z[6:9])
        h = sigmoid(z[9:]) * np.tanh(c)
    return np.sum(h**2)


@program(normal(2), np.eye(2) * 0.5, normal(3), argnums=(0, 1, 2))
def kalman_filter(m, p, observations):
    a, h = np.array([[1.0, 0.1], [0.0, 1.0]]), np.array([1.0, 0.0])
    loss = 0.0
    for y in observations:
        m, p = a @ m, a @ p @ a.T + 0.01 * np.eye(2)
        s = h @ p @ h + 0.2
        gain = p @ h / s
        residual = y - h @ m
        m, p = m + gain * residual, p - np.outer(gain, h @ p)
        loss += residual**2 / s + np.log(s)
    return loss


@program(normal(8))
def heat_equation(u):
    u = u.copy()
    for _ in range(5):
        u[1:-1] = u[1:-1] + 0.2 * (u[2:] - 2.0 * u[1:-1] + u[:-2])
    return np.sum(u**2)


@program(normal(4, 5))
def heat_equation_in_two_dimensions(u):
    for _ in range(3):
        v = u.copy()
        v[1:-1, 1:-1] += 0.1 * (u[2:, 1:-1] + u[:-2, 1:-1] - 2.0 * u[1:-1, 1:-1])
        v[1:-1, 1:-1] += 0.1 * (u[1:-1, 2:] + u[1:-1, :-2] - 2.0 * u[1:-1, 1:-1])
        u = v
    return np.sum(u**3)


@program(normal(6), 0.4, argnums=(0, 1))
def wave_equation(u, c):
    old, now = u.copy(), u.copy()
    for _ in range(4):
        new = np.zeros_like(now)
        new[1:-1] = 2.0 * now[1:-1] - old[1:-1]
        new[1:-1] += c**2 * (now[2:] - 2.0 * now[1:-1] + now[:-2])
        old, now = now, new
    return np.sum(now**2)


@program(normal(6))
def burgers_equation(u):
    u = u.copy()
    for _ in range(3):
        flux = 0.5 * u * u
        u[1:] -= 0.2 * (flux[1:] - flux[:-1])
        u[0] = u[-1]
    return np.sum(u**2)


def lotka_volterra(y, p):
    prey, predator = y[0], y[1]
    growth = prey * (p[0] - p[1] * predator)
    return np.array([growth, predator * (p[2] * prey - p[3])])


@program(np.array([1.1, 0.4, 0.3, 0.6]), np.array([1.2, 0.8]), argnums=(0, 1))
def runge_kutta(p, y):
    h = 0.1
    for _ in range(4):
        k1 = lotka_volterra(y, p)
        k2 = lotka_volterra(y + 0.5 * h * k1, p)
        k3 = lotka_volterra(y + 0.5 * h * k2, p)
        k4 = lotka_volterra(y + h * k3, p)
        y = y + h / 6.0 * (k1 + 2.0 * k2 + 2.0 * k3 + k4)
    return np.sum(y**2)


@program(normal(3), 0.1, argnums=(0, 1))
def gradient_descent_inside(w, rate):
    for _ in range(5):
        gradient = SPD @ w - B3 + 0.4 * w**3
        w = w - rate * gradient
    return 0.5 * w @ SPD @ w - B3 @ w


@program(SPD)
def power_iteration(a):
    v = np.ones(3)
    for _ in range(8):
        v = a @ v
        v = v / np.sqrt(np.sum(v * v))
    return v @ a @ v


@program(SPD)
def cholesky_by_loops(a):
    lower = np.zeros((3, 3))
    for i in range(3):
        for j in range(i + 1):
            rest = a[i, j] - np.sum(lower[i, :j] * lower[j, :j])
            if i == j:
                lower[i, i] = np.sqrt(rest)
            else:
                lower[i, j] = rest / lower[j, j]
    return np.sum(np.log(np.diag(lower))) + np.sum(lower)


@program(SPD, B3, argnums=(0, 1))
def elimination(a, b):
    a, b = a.copy(), b.copy()
    for k in range(2):
        for i in range(k + 1, 3):
            factor = a[i, k] / a[k, k]
            a[i, k:] -= factor * a[k, k:]
            b[i] -= factor * b[k]
    return b[2] / a[2, 2] + b[1]


@program(SPD)
def determinant_by_elimination(a):
    a = a.copy()
    determinant = 1.0
    for k in range(3):
        determinant *= a[k, k]
        for i in range(k + 1, 3):
            a[i] -= a[k] * (a[i, k] / a[k, k])
    return determinant


@program(SPD)
def lu_in_place(a):
    a = a.copy()
    n = a.shape[0]
    for k in range(n - 1):
        a[k + 1 :, k] /= a[k, k]
        a[k + 1 :, k + 1 :] -= np.outer(a[k + 1 :, k], a[k, k + 1 :])
    return np.sum(a**2)


@program(normal(4) + 3.0, normal(3), normal(3), normal(4), argnums=(0, 1, 2, 3))
def thomas_algorithm(diagonal, lower, upper, b):
    d, x = diagonal.copy(), b.copy()
    for i in range(1, 4):
        factor = lower[i - 1] / d[i - 1]
        d[i] -= factor * upper[i - 1]
        x[i] -= factor * x[i - 1]
    x[3] /= d[3]
    for i in range(2, -1, -1):
        x[i] = (x[i] - upper[i] * x[i + 1]) / d[i]
    return np.sum(x**2)


@program(normal(3), normal(7), argnums=(0, 1))
def filter_by_windows(taps, signal):
    output = np.zeros(5)
    for i in range(5):
        output[i] = np.dot(taps, signal[i : i + 3])
    return np.sum(np.tanh(output) ** 2)


@program(normal(5))
def cumulative_product(x):
    y = np.ones(6)
    for i in range(5):
        y[i + 1] = y[i] * (1.0 + x[i])
    return np.sum(np.cumsum(y) ** 2) * 0.1


@program(np.array([[0.0, 0.1], [2.0, 1.8]]), normal(5, 2))
def k_means_cost(centers, points):
    cost = 0.0
    for point in points:
        distances = np.sum((centers - point) ** 2, axis=1)
        cost += np.min(distances)
    return cost


@program(
    {"mean": np.array([-0.5, 0.8]), "log_sigma": normal(2), "logits": normal(2)},
    normal(6),
)
def gaussian_mixture(p, x):
    weights = np.exp(p["logits"]) / np.sum(np.exp(p["logits"]))
    z = (x[:, None] - p["mean"]) / np.exp(p["log_sigma"])
    density = weights * np.exp(-0.5 * z**2 - p["log_sigma"])
    return -np.mean(np.log(np.sum(density, axis=1)))


@program(normal(2), normal(5, 2), normal(5))
def nearest_neighbours_softly(query, keys, values):
    distances = np.sqrt(np.sum((keys - query) ** 2, axis=-1))
    weights = np.exp(-distances)
    return np.sum(weights * values) / np.sum(weights)


@program(normal(4, 3), normal(4, 3), normal(4, 2), argnums=(0, 1, 2))
def attention(q, k, v):
    scores = q @ k.T / np.sqrt(q.shape[-1])
    scores = scores - scores.max(axis=-1, keepdims=True)
    weights = np.exp(scores)
    weights /= weights.sum(axis=-1, keepdims=True)
    return np.sum((weights @ v) ** 2)


@program(normal(5, 5), normal(2, 2), argnums=(0, 1))
def convolution_by_loops(image, kernel):
    output = np.zeros((4, 4))
    for i in range(4):
        for j in range(4):
            output[i, j] = np.sum(image[i : i + 2, j : j + 2] * kernel)
    return np.sum(np.maximum(output, 0.01) ** 2)


@program(normal(4, 2))
def distance_matrix(x):
    difference = x[:, None, :] - x[None, :, :]
    squared = np.sum(difference**2, axis=2)
    return np.sum(np.sqrt(squared + 0.1)) * 0.1


@program(normal(3, 2), normal(3, 2, scale=0.1), argnums=(0, 1))
def many_bodies(position, velocity):
    for _ in range(2):
        force = np.zeros((3, 2))
        for i in range(3):
            for j in range(i):
                away = position[i] - position[j]
                pull = away / (np.sum(away**2) + 0.5) ** 1.5
                force[i] -= pull
                force[j] += pull
        velocity = velocity + 0.1 * force
        position = position + 0.1 * velocity
    return np.sum(position**2) + np.sum(velocity**2)


def normal_distribution(x):
    return 0.5 * (1.0 + math.erf(x / math.sqrt(2.0)))


@program(1.1, 1.0, 0.5, 0.02, 0.3, argnums=(0, 1, 2, 3, 4))
def black_scholes(spot, strike, time, rate, sigma):
    spread = sigma * math.sqrt(time)
    d1 = (math.log(spot / strike) + (rate + 0.5 * sigma**2) * time) / spread
    discounted = strike * math.exp(-rate * time)
    return spot * normal_distribution(d1) - discounted * normal_distribution(
        d1 - spread
    )


@program(np.array([0.4, 0.3, 0.2]))
def rosenbrock(x):
    return np.sum(100.0 * (x[1:] - x[:-1] ** 2) ** 2 + (1.0 - x[:-1]) ** 2)


@program(normal(3))
def complex_exponential(x):
    z = np.exp(1j * x) + 0.5 * x
    return np.sum(np.abs(z) ** 2)


@program(normal(4))
def fourier_transform_by_a_matrix(x):
    n = np.arange(4)
    dft = np.exp(-2j * np.pi * np.outer(n, n) / 4)
    spectrum = dft @ x
    return np.sum(np.real(spectrum * np.conj(spectrum)) * (n + 1))


@program(normal(2))
def real_and_imaginary_parts(x):
    z = (x[0] + 1j * x[1]) ** 3
    return z.real * x[0] + np.imag(z)


@program(normal(2))
def mandelbrot_potential(x):
    z, c = 0j, 0.4 * x[0] + 0.4j * x[1]
    for _ in range(5):
        z = z * z + c
    return abs(z)


@program(normal(3, 3))
def shifts_and_reductions(x):
    y = x - x.mean(axis=0)
    variance = (y**2).sum(axis=0) / 3
    z = y / np.sqrt(variance + 0.1)
    return np.sum(z[0] * z[1]) + x.std()


@program(normal(4))
def log_sum_exp(x):
    largest = np.max(x)
    return largest + np.log(np.sum(np.exp(x - largest)))


@program(normal(2, 3), normal(3, 2), argnums=(0, 1))
def matrix_products(a, b):
    c = a @ b
    return np.trace(c @ c) + np.sum(np.einsum("ij,jk->ik", a, b) * np.dot(a, b))


@program(SPD, B3, argnums=(0, 1))
def linear_solve(a, b):
    x = np.linalg.solve(a, b)
    return np.sum(x**2)


@program(normal(6))
def polynomial_fit_residual(y):
    t = np.linspace(-1.0, 1.0, 6)
    a = np.stack([np.ones(6), t, t**2], axis=1)
    coefficients = np.linalg.solve(a.T @ a, a.T @ y)
    return np.sum((a @ coefficients - y) ** 2) + np.sum(coefficients**2)


@program(normal(5))
def sorted_weights(x):
    return np.sum(np.sort(x) ** 2 * np.arange(5.0))


@program(np.array([0.3, 0.1, 0.6, 0.2]))
def entropy(p):
    p = p / p.sum()
    return -np.sum(p * np.log(p))


@program(normal(4, 4))
def ising_like_sweep(x):
    s = np.tanh(x)
    for i in range(4):
        for j in range(4):
            around = s[(i + 1) % 4, j] + s[i - 1, j] + s[i, (j + 1) % 4]
            s[i, j] = np.tanh(0.5 * around + x[i, j])
    return np.sum(s)


@program(np.array([0.2, 0.5, 0.3]), normal(3, 3), np.array([0, 2, 1, 1]))
def hidden_markov_model(start, logits, symbols):
    emission = np.exp(logits) / 3.0
    belief = start * emission[:, symbols[0]]
    for symbol in symbols[1:]:
        belief = (belief * 0.6 + np.sum(belief) * 0.1) * emission[:, symbol]
    return np.log(np.sum(belief))


@program(normal(6), normal(3), argnums=(0, 1))
def conjugate_gradient(entries, b):
    a = np.outer(entries[:3], entries[3:]) * 0.1
    a = a + a.T + 2.0 * np.eye(3)
    x, r = np.zeros(3), b
    p = r
    for _ in range(2):
        alpha = (r @ r) / (p @ a @ p)
        x, new = x + alpha * p, r - alpha * (a @ p)
        p, r = new + (new @ new) / (r @ r) * p, new
    return np.sum(x**2)


@program(normal(5), normal(4), argnums=(0, 1))
def dynamic_time_warping_softly(a, b):
    table = np.full((6, 5), 3.0)
    table[0, 0] = 0.0
    for i in range(5):
        for j in range(4):
            costs = np.array([table[i, j], table[i, j + 1], table[i + 1, j]])
            least = -np.log(np.sum(np.exp(-costs)))
            table[i + 1, j + 1] = (a[i] - b[j]) ** 2 + least
    return table[5, 4]


@program(normal(4, 2))
def polygon_area(points):
    x, y = points.T
    return 0.5 * np.sum(x * np.roll(y, 1) - y * np.roll(x, 1)) ** 2


@program(normal(3), normal(3), argnums=(0, 1))
def cosine_similarity(a, b):
    return a @ b / (np.linalg.norm(a) * np.linalg.norm(b))


@program(normal(8))
def haar_wavelet(x):
    y = x.copy()
    n = 8
    while n > 1:
        half = n // 2
        left, right = y[:n:2] + y[1:n:2], y[:n:2] - y[1:n:2]
        y[:half] = left * 0.7
        y[half:n] = right * 0.7
        n = half
    return np.sum(np.sqrt(y**2 + 0.1))


@program(B3)
def columns_joined_by_a_subscript(x):
    table = np.c_[x, x**2, np.outer(x, x)[:, :2]]
    return np.sum(np.c_[table[None], 2.0 * table[None]] ** 3) + np.sum(np.c_[x[0], 2.0])


@program(B3)
def rows_joined_by_a_subscript(x):
    line = np.r_[x, x[0], 1.0, x[1:] ** 2, 0:3, 0:1:3j]
    return np.sum(line**3) + np.sum(np.r_[np.outer(x, x), x[None]] ** 2)


@program(B3, numba=False)
def ufunc_where_it_is_told(x):
    y = np.sqrt(x + 1.5, out=np.zeros(3), where=x > -0.4)
    return np.sum(np.add(y, x, out=x * x, where=[True, False, True]) ** 2)
