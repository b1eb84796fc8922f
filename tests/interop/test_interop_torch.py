"""Functions as parts of PyTorch models: their gradients, and an optimum reached."""

from __future__ import annotations

import importlib

import numpy as np
import pytest

from autograd_compiler import grad
from autograd_compiler.errors import ArgumentError

torch = pytest.importorskip(
    "torch", reason='PyTorch is not installed: pip install "autograd_compiler[interop]"'
)
adapter = importlib.import_module("autograd_compiler.interop.torch")
torch_function = adapter.torch_function


def heat(conductivity, start, steps):
    u = start.copy()
    for _ in range(steps):
        u[1:-1] += conductivity * (u[2:] - 2.0 * u[1:-1] + u[:-2])
    return u


def test_gradients_are_those_that_pytorch_finds_numerically() -> None:
    def several(p, x):
        return {"a": np.tanh(x @ p["w"]), "b": (np.sum(x) * p["s"], 3)}

    bridged = torch_function(several)

    def leaves(w, s, x):
        out = bridged({"w": w, "s": s}, x)
        return out["a"], out["b"][0]

    w = torch.randn(3, 2, dtype=torch.float64, requires_grad=True)
    s = torch.tensor(1.5, dtype=torch.float64, requires_grad=True)
    x = torch.randn(4, 3, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(leaves, (w, s, x))
    constant = bridged({"w": w, "s": s}, x)["b"][1]
    assert not constant.requires_grad and int(constant) == 3


def test_function_in_a_model_is_trained_to_the_optimum() -> None:
    bridged = torch_function(heat)
    start = torch.sin(torch.linspace(0.0, torch.pi, 12, dtype=torch.float64))
    target = bridged(torch.tensor(0.2, dtype=torch.float64), start, 10)
    parameter = torch.tensor(0.05, dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.LBFGS([parameter], line_search_fn="strong_wolfe")

    def closure():
        optimizer.zero_grad()
        loss = ((bridged(parameter, start, 10) - target) ** 2).sum()
        loss.backward()
        return loss

    for _ in range(5):
        optimizer.step(closure)
    assert parameter.item() == pytest.approx(0.2, rel=1e-4)


def test_forward_pass_is_run_once_and_only_what_is_needed(monkeypatch) -> None:
    runs = []
    inner = adapter.pullback_at

    def counted(specialiser, wrt, values):
        runs.append(wrt)
        return inner(specialiser, wrt, values)

    monkeypatch.setattr(adapter, "pullback_at", counted)
    bridged = torch_function(heat)
    start = torch.ones(5)
    conductivity = torch.tensor(0.1, requires_grad=True)
    loss = bridged(conductivity, start, 3).sum()
    loss.backward()
    assert runs == [("conductivity",)]
    with torch.no_grad():
        bridged(conductivity, start, 3)
    bridged(conductivity.detach(), start, 3)
    assert len(runs) == 1


def test_dtypes_and_memory() -> None:
    def shift(x):
        x += 1.0
        return x * x

    x = torch.ones(3, requires_grad=True)
    y = torch_function(shift)(x)
    y.sum().backward()
    assert y.dtype == x.grad.dtype == torch.float32
    np.testing.assert_array_equal(x.detach().numpy(), 1.0)
    np.testing.assert_array_equal(x.grad.numpy(), 4.0)


def test_second_derivative_is_refused() -> None:
    x = torch.tensor(2.0, requires_grad=True)
    (first,) = torch.autograd.grad(
        torch_function(lambda x: x**3)(x), x, create_graph=True
    )
    with pytest.raises(ArgumentError, match="once only"):
        torch.autograd.grad(first + x**2, x)


def test_bridged_derivative_can_be_differentiated() -> None:
    x = torch.tensor(2.0, requires_grad=True)
    torch_function(grad(lambda x: x**3))(x).backward()
    assert x.grad.item() == pytest.approx(12.0)
