"""Functions inside of JAX programs: jitted, differentiated, mapped."""

from __future__ import annotations

import importlib

import numpy as np
import pytest

jax = pytest.importorskip(
    "jax", reason='JAX is not installed: pip install "autograd_compiler[interop]"'
)
adapter = importlib.import_module("autograd_compiler.interop.jax")
jax_function = adapter.jax_function
jnp = jax.numpy

X = np.array([0.3, -0.4, 0.9], np.float32)


def energy(p, x, power):
    for i in range(len(x) - 1):
        x[i + 1] += p["s"] * x[i] ** power
    return np.sum(p["w"] * x)


def energy_in_jax(p, x, power):
    for i in range(len(x) - 1):
        x = x.at[i + 1].add(p["s"] * x[i] ** power)
    return jnp.sum(p["w"] * x)


PARAMETERS = {"w": jnp.array([1.0, 2.0, 3.0]), "s": 0.5}


def assert_close(got, wanted) -> None:
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-5), got, wanted)


@pytest.mark.parametrize("transform", [lambda f: f, jax.jit], ids=["eager", "jit"])
def test_value_and_gradient_are_those_of_jax(transform) -> None:
    ours = transform(jax.value_and_grad(jax_function(energy), argnums=(0, 1)))
    theirs = jax.value_and_grad(energy_in_jax, argnums=(0, 1))
    x = jnp.asarray(X)
    assert_close(ours(PARAMETERS, x, 2), theirs(PARAMETERS, x, 2))
    np.testing.assert_array_equal(x, X)


def test_function_is_one_link_of_a_chain() -> None:
    bridged = jax_function(energy)

    def chain(f):
        return lambda w: jnp.exp(-f({"w": jnp.sin(w), "s": w[0]}, w**2, 3))

    w = jnp.array([0.4, 0.2, -0.3])
    assert_close(jax.grad(chain(bridged))(w), jax.grad(chain(energy_in_jax))(w))


def test_value_and_gradient_are_one_run(monkeypatch) -> None:
    runs = []
    inner = adapter.pullback_at
    monkeypatch.setattr(
        adapter, "pullback_at", lambda *args: runs.append(1) or inner(*args)
    )
    derivative = jax.jit(jax.value_and_grad(jax_function(energy)))
    jax.block_until_ready(derivative(PARAMETERS, jnp.asarray(X), 2))
    assert len(runs) == 1


def test_results_in_a_container() -> None:
    def polar(x, y):
        return {"r": np.sqrt(x * x + y * y), "angle": np.arctan2(y, x)}

    def polar_in_jax(x, y):
        return {"r": jnp.sqrt(x * x + y * y), "angle": jnp.arctan2(y, x)}

    example = {"r": np.zeros(3), "angle": np.zeros(3)}
    bridged = jax_function(polar, example)
    x, y = jnp.asarray(X), jnp.asarray(X[::-1].copy()) + 0.2
    assert_close(bridged(x, y), polar_in_jax(x, y))
    got, theirs = jax.jit(jax.jacrev(bridged, (0, 1))), jax.jacrev(polar_in_jax, (0, 1))
    assert_close(got(x, y), theirs(x, y))


def test_function_is_mapped() -> None:
    bridged = jax_function(energy)
    rows = jnp.stack([jnp.asarray(X), 2.0 * jnp.asarray(X)])

    def slopes(f):
        return jax.vmap(lambda x: jax.grad(f, 1)(PARAMETERS, x, 2))(rows)

    assert_close(slopes(bridged), slopes(energy_in_jax))


def test_optimum_is_reached() -> None:
    bridged = jax_function(lambda p, x: np.mean((p[0] * x + p[1] - 3.0 * x + 1.0) ** 2))
    step = jax.jit(lambda p: p - 0.5 * jax.grad(bridged)(p, jnp.asarray(X)))
    p = jnp.zeros(2)
    for _ in range(150):
        p = step(p)
    np.testing.assert_allclose(p, [3.0, -1.0], atol=1e-3)


def test_result_of_another_shape_than_the_example_is_an_error() -> None:
    bridged = jax_function(lambda x: x * 2.0)
    with pytest.raises(Exception, match=r"example of the result has shape \(\)"):
        jax.block_until_ready(bridged(jnp.ones(3)))
