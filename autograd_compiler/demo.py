"""The demonstration: train a network on handwritten digits with a generated gradient.

Run it with ``python -m autograd_compiler demo``.  It shows the function and the
gradient that was generated from it, checks that gradient against finite differences,
trains, and measures the accuracy on images that were held out.
"""

from __future__ import annotations

import inspect
import io
import sys
import time
from dataclasses import dataclass
from importlib import resources
from typing import Any, TextIO, TypeAlias

import numpy as np
from numpy.typing import NDArray

from autograd_compiler import grad
from autograd_compiler.show import highlight

Array: TypeAlias = NDArray[Any]
Params: TypeAlias = dict[str, Array]
Digits: TypeAlias = tuple[Array, Array]

HIDDEN = 32
BATCH = 64
HELD_OUT = 360
REQUIRED_ACCURACY = 0.95
TOLERATED_ERROR = 1e-6


def loss(params: Params, images: Array, labels: Array) -> Any:
    """The mean cross-entropy of a network with one hidden layer."""
    hidden = np.tanh(images @ params["W1"] + params["b1"])
    scores = hidden @ params["W2"] + params["b2"]
    shifted = scores - np.max(scores, axis=1, keepdims=True)
    log_norm = np.log(np.sum(np.exp(shifted), axis=1))
    chosen = shifted[np.arange(len(labels)), labels]
    return np.mean(log_norm - chosen)


@dataclass(frozen=True)
class DemoResult:
    """What the demonstration measured.

    Attributes
    ----------
    accuracy : float
        The share of held-out images that the trained network names correctly.
    max_relative_error : float
        The largest relative disagreement between the generated gradient and central
        differences.
    seconds : float
        The time that everything took.
    """

    accuracy: float
    max_relative_error: float
    seconds: float

    @property
    def passed(self) -> bool:
        return (
            self.accuracy >= REQUIRED_ACCURACY
            and self.max_relative_error <= TOLERATED_ERROR
        )


def run_demo(epochs: int = 30, stream: TextIO | None = None) -> DemoResult:
    """Run the demonstration and print it to `stream` (standard output if None)."""
    started = time.perf_counter()
    stream = sys.stdout if stream is None else stream
    (train_images, train_labels), (test_images, test_labels) = load_digits()
    random = np.random.default_rng(0)
    params = initial_params(random)
    gradient = grad(loss)

    print(
        f"A 64-{HIDDEN}-10 network, {len(train_labels)} images to train on,"
        f" {len(test_labels)} held out.",
        file=stream,
    )
    example = (params, train_images[:BATCH], train_labels[:BATCH])
    _show("The function, plain NumPy:", inspect.getsource(loss), stream)
    _show("The generated gradient:", gradient.lower(*example).source, stream)

    error = gradient_error(gradient, example, random)
    print(
        "Gradient check against central differences in 8 random directions:"
        f" max relative error {error:.1e} (must be <= {TOLERATED_ERROR:.0e})\n",
        file=stream,
    )
    train(gradient, params, train_images, train_labels, epochs, random, stream)
    accuracy = float(np.mean(predict(params, test_images) == test_labels))
    seconds = time.perf_counter() - started
    print(
        f"\nTest accuracy {accuracy:.1%} (must be >= {REQUIRED_ACCURACY:.0%}),"
        f" in {seconds:.1f} s altogether.",
        file=stream,
    )
    return DemoResult(accuracy, error, seconds)


def main() -> int:
    """Run the demonstration; the exit code is 1 if it falls short."""
    result = run_demo()
    if not result.passed:
        print("The demonstration FAILED: see the limits above.", file=sys.stderr)
        return 1
    return 0


def load_digits() -> tuple[Digits, Digits]:
    """The images (rows of 64 numbers in 0..1) and labels: training part, test part."""
    file = resources.files("autograd_compiler") / "data" / "digits.npz"
    with np.load(io.BytesIO(file.read_bytes())) as digits:
        images = digits["images"] / 16.0
        labels = digits["labels"].astype(np.int64)
    order = np.random.default_rng(1998).permutation(len(labels))
    test, train = order[:HELD_OUT], order[HELD_OUT:]
    return (images[train], labels[train]), (images[test], labels[test])


def initial_params(random: np.random.Generator) -> Params:
    return {
        "W1": random.normal(size=(64, HIDDEN)) / 8.0,
        "b1": np.zeros(HIDDEN),
        "W2": random.normal(size=(HIDDEN, 10)) / np.sqrt(HIDDEN),
        "b2": np.zeros(10),
    }


def predict(params: Params, images: Array) -> Array:
    hidden = np.tanh(images @ params["W1"] + params["b1"])
    digits: Array = np.argmax(hidden @ params["W2"] + params["b2"], axis=1)
    return digits


def train(
    gradient: Any,
    params: Params,
    images: Array,
    labels: Array,
    epochs: int,
    random: np.random.Generator,
    stream: TextIO,
    rate: float = 0.3,
    momentum: float = 0.9,
) -> None:
    """Gradient descent with momentum on small batches; changes `params` in place."""
    velocity = {name: np.zeros_like(value) for name, value in params.items()}
    for epoch in range(1, epochs + 1):
        order = random.permutation(len(labels))
        losses = []
        for start in range(0, len(order), BATCH):
            batch = order[start : start + BATCH]
            value, d_params = gradient.value_and_grad(
                params, images[batch], labels[batch]
            )
            losses.append(float(value))
            for name in params:
                velocity[name] *= momentum
                velocity[name] -= rate * (1.0 - momentum) * d_params[name]
                params[name] += velocity[name]
        _progress(epoch, epochs, float(np.mean(losses)), stream)


def gradient_error(
    gradient: Any, args: tuple[Any, ...], random: np.random.Generator
) -> float:
    """The largest relative error of eight directional derivatives."""
    params, images, labels = args
    d_params = gradient(params, images, labels)
    step = 1e-4
    errors = []
    for _ in range(8):
        direction = {name: random.normal(size=d.shape) for name, d in d_params.items()}
        norm = np.sqrt(sum(np.sum(part**2) for part in direction.values()))

        def along(
            distance: float, direction: Params = direction, norm: float = norm
        ) -> float:
            moved = {
                name: value + distance / norm * direction[name]
                for name, value in params.items()
            }
            return float(loss(moved, images, labels))

        expected = (along(step) - along(-step)) / (2 * step)
        found = sum(np.sum(d_params[name] * direction[name]) for name in params) / norm
        errors.append(abs(found - expected) / max(abs(found), abs(expected)))
    return float(max(errors))


# ---------------------------------------------------------------- printing


def _show(title: str, source: str, stream: TextIO) -> None:
    print(f"\n{title}\n", file=stream)
    print(highlight(source.strip("\n"), stream), end="\n\n", file=stream)


def _progress(done: int, total: int, value: float, stream: TextIO) -> None:
    """A bar that redraws itself on a terminal, ten lines at most elsewhere."""
    filled = 30 * done // total
    line = (
        f"[{'#' * filled}{'.' * (30 - filled)}] epoch {done}/{total}  loss {value:.4f}"
    )
    if stream.isatty():
        print(f"\r{line}", end="\n" if done == total else "", flush=True, file=stream)
    elif done == total or done % max(1, total // 10) == 0:
        print(line, file=stream)
