"""What is compared on a workload: ours, by hand, and other tools where installed."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

from autograd_compiler import grad
from benchmarks.workloads import Workload

OURS = ("python", "numba")
HANDS = ("hand numpy", "hand numba")
PEERS = ("jax", "torch", "autograd")

_FAMILIES = ("stencils", "learning", "dynamics")


def candidates(
    workload: Workload, args: tuple[Any, ...], names: tuple[str, ...]
) -> dict[str, Callable[[], Any]]:
    """Calls without arguments, by name, of those that exist here; the primal first."""
    found: dict[str, Callable[[], Any]] = {"primal": lambda: workload.primal(*args)}
    for name in OURS:
        if name in names:
            gradient = grad(workload.primal, workload.argnums, backend=name)
            found[name] = _bound(gradient, args)
    for name in HANDS:
        if name in names and (hand := _by_hand(workload.name, name)):
            found[name] = _bound(hand, args)
    for name in PEERS:
        if name in names and (call := _by_peer(name, workload, args)):
            found[name] = call
    return found


def _bound(function: Callable[..., Any], args: tuple[Any, ...]) -> Callable[[], Any]:
    return lambda: function(*args)


def _by_hand(name: str, kind: str) -> Callable[..., Any] | None:
    for module in _hand_modules(kind):
        if hasattr(module, name):
            return getattr(module, name)  # type: ignore[no-any-return]
    scalars = importlib.import_module("benchmarks.hand.scalars")
    function = getattr(scalars, name, None)
    if function is None or kind == "hand numpy":
        return function
    import numba

    return numba.njit(error_model="numpy")(function)  # type: ignore[no-any-return]


def _hand_modules(kind: str) -> Iterator[ModuleType]:
    for family in _FAMILIES:
        yield importlib.import_module(f"benchmarks.hand.{kind.split()[1]}_{family}")


def _by_peer(
    name: str, workload: Workload, args: tuple[Any, ...]
) -> Callable[[], Any] | None:
    try:
        module = importlib.import_module(f"benchmarks.peers.with_{name}")
    except ImportError:
        return None
    if name == "autograd":
        if not workload.traceable:
            return None
        return _bound(module.gradient(workload.primal, workload.argnums), args)
    return module.gradient(workload.name, workload.argnums, args)  # type: ignore[no-any-return]
