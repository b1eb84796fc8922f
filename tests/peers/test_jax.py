"""The same derivatives as JAX, where it is installed: `pip install -e ".[peers]"`."""

from __future__ import annotations

import numpy as np
import pytest

import autograd_compiler as ours
from autograd_compiler.errors import ArgumentError
from autograd_compiler.tree import flatten

jax = pytest.importorskip(
    "jax", reason='JAX is not installed: pip install "autograd_compiler[peers]"'
)
jnp = jax.numpy
jax.config.update("jax_enable_x64", True)

pytestmark = pytest.mark.peers

RANDOM = np.random.default_rng(0)
A = RANDOM.normal(size=(4, 3))
X = RANDOM.normal(size=3)
V = RANDOM.normal(size=3)
W = RANDOM.normal(size=4)
Z = RANDOM.normal(size=3) + 1j * RANDOM.normal(size=3)


def layer(np):
    return lambda x: np.tanh(np.asarray(A) @ x)


def two_results(np):
    return lambda x: {"a": np.outer(x, x), "b": (np.sum(x**2), np.sin(x[:2]))}


def with_containers(np):
    return lambda p: [p["w"] * p["s"], np.sum(p["w"]) * p["s"] ** 2]


def energy(np):
    return lambda x: np.sum(np.cos(np.asarray(A) @ x) * np.asarray(W)) * x[0]


def complex_cubes(np):
    return lambda z: np.exp(z) * z**3


PARAMETERS = {"w": X, "s": 1.5}


def assert_same(got, wanted) -> None:
    """Leaves and their shapes agree, and so does the order of the leaves."""
    found, _ = flatten(got)
    expected = jax.tree_util.tree_leaves(wanted)
    # JAX sorts the keys of dicts; those above are given in order, but for `w` and `s`.
    assert len(found) == len(expected)
    for one in expected:
        assert any(
            np.shape(other) == one.shape and np.allclose(other, one) for other in found
        )


@pytest.mark.parametrize("name", ["jacrev", "jacfwd", "hessian"])
@pytest.mark.parametrize(
    "make, x",
    [(layer, X), (two_results, X), (with_containers, PARAMETERS), (energy, X)],
    ids=lambda item: getattr(item, "__name__", ""),
)
def test_jacobians(name, make, x) -> None:
    assert_same(getattr(ours, name)(make(np))(x), getattr(jax, name)(make(jnp))(x))


@pytest.mark.parametrize("name", ["jacrev", "jacfwd", "hessian"])
def test_holomorphic(name) -> None:
    got = getattr(ours, name)(complex_cubes(np), holomorphic=True)(Z)
    wanted = getattr(jax, name)(complex_cubes(jnp), holomorphic=True)(Z)
    np.testing.assert_allclose(got, wanted, rtol=1e-9)


def test_complex_arguments_of_real_functions() -> None:
    def make(np):
        return lambda z: np.abs(z) ** 2 * np.real(z)

    got, wanted = ours.jacrev(make(np))(Z), jax.jacrev(make(jnp))(Z)
    np.testing.assert_allclose(got, wanted, rtol=1e-9)


@pytest.mark.parametrize(
    "name, x, options",
    [
        ("jacrev", Z, {}),
        ("jacfwd", Z, {}),
        ("jacrev", X, {"holomorphic": True}),
        ("jacfwd", X, {"holomorphic": True}),
        ("jacrev", np.arange(3), {}),
        ("jacfwd", np.arange(3), {}),
    ],
)
def test_what_one_refuses_the_other_refuses(name, x, options) -> None:
    with pytest.raises(TypeError):
        getattr(jax, name)(lambda x: x * x, **options)(x)
    with pytest.raises(ArgumentError):
        getattr(ours, name)(lambda x: x * x, **options)(x)


def test_vjp_jvp_linearize_with_their_aux() -> None:
    def make(np):
        return lambda x: (np.sin(x) * x[0], {"aux": x[1]})

    for got, wanted in [
        (ours.vjp(make(np), X, has_aux=True), jax.vjp(make(jnp), X, has_aux=True)),
    ]:
        np.testing.assert_allclose(got[0], wanted[0])
        np.testing.assert_allclose(got[1](V)[0], wanted[1](V)[0])
        assert float(got[2]["aux"]) == float(wanted[2]["aux"])
    got = ours.jvp(make(np), (X,), (V,), has_aux=True)
    wanted = jax.jvp(make(jnp), (X,), (V,), has_aux=True)
    np.testing.assert_allclose(got[1], wanted[1])
    _, got = ours.linearize(layer(np), X)
    _, wanted = jax.linearize(layer(jnp), X)
    np.testing.assert_allclose(got(V), wanted(V))


def test_products_with_hessians() -> None:
    wanted = jax.hessian(energy(jnp))(X) @ V
    np.testing.assert_allclose(ours.hvp(energy(np))(X, V), wanted)
    np.testing.assert_allclose(ours.vhp(energy(np))(X, V), wanted)


def test_fourth_derivative() -> None:
    def make(np):
        return lambda x: np.exp(np.sin(x)) / (1.0 + x**2)

    got, wanted = make(np), make(jnp)
    for _ in range(4):
        got, wanted = ours.grad(got), jax.grad(wanted)
        assert got(0.7) == pytest.approx(float(wanted(0.7)))


def test_several_arguments() -> None:
    def make(np):
        return lambda x, y: np.outer(x, y) + np.sum(y)

    got = ours.jacrev(make(np), (0, 1))(X, W)
    wanted = jax.jacrev(make(jnp), (0, 1))(X, W)
    for one, other in zip(got, wanted):
        np.testing.assert_allclose(one, other)


# ---------------------------------------------------------------- custom derivatives


def with_custom_vjp(module, np):
    @module.custom_vjp
    def f(x, y):
        return np.sin(x) * y

    def fwd(x, y):
        return f(x, y), (np.cos(x), x, y)

    def bwd(residuals, d_out):
        cos_x, x, y = residuals
        return 3.0 * cos_x * d_out * y, np.sin(x) * d_out

    f.defvjp(fwd, bwd)
    return lambda x: np.sum(f(x, x**2) ** 2)


def with_custom_jvp(module, np):
    @module.custom_jvp
    def f(x, y):
        return np.sin(x) * y

    @f.defjvp
    def f_jvp(primals, tangents):
        x, y = primals
        d_x, d_y = tangents
        return f(x, y), 3.0 * np.cos(x) * d_x * y + np.sin(x) * d_y

    return lambda x: np.sum(f(x, x**2) ** 2)


@pytest.mark.parametrize("make", [with_custom_vjp, with_custom_jvp])
def test_custom_derivatives_mean_the_same(make):
    # Three times the true derivative in x: each place where the rule is used shows.
    mine, theirs = make(ours, np), make(jax, jnp)
    assert np.allclose(ours.grad(mine)(X), jax.grad(theirs)(X))
    second = ours.jacrev(ours.grad(mine))(X)
    assert np.allclose(second, jax.jacrev(jax.grad(theirs))(X))


def test_custom_jvp_in_forward_mode_is_the_same():
    mine, theirs = with_custom_jvp(ours, np), with_custom_jvp(jax, jnp)
    assert np.allclose(ours.jvp(mine, (X,), (V,))[1], jax.jvp(theirs, (X,), (V,))[1])
    assert np.allclose(ours.hessian(mine)(X), jax.hessian(theirs)(X))


def test_stop_gradient_is_the_same_to_second_order():
    def mine(x):
        return np.sum(x**2 * ours.stop_gradient(np.sin(x)))

    def theirs(x):
        return jnp.sum(x**2 * jax.lax.stop_gradient(jnp.sin(x)))

    assert np.allclose(ours.grad(mine)(X), jax.grad(theirs)(X))
    assert np.allclose(ours.hessian(mine)(X), jax.hessian(theirs)(X))


def test_custom_vjp_is_refused_in_forward_mode_by_both():
    with pytest.raises(ours.AutogradCompilerError, match="forward mode"):
        ours.jvp(with_custom_vjp(ours, np), (X,), (V,))
    with pytest.raises(TypeError, match="forward-mode"):
        jax.jvp(with_custom_vjp(jax, jnp), (X,), (V,))
