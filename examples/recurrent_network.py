"""A recurrent network that learns to add: parameters in a dict, a loop over time.

At each step the network sees a number and a mark. After the last step it is to give the
sum of the marked numbers, so the gradient has to travel back through the whole sequence.
"""

import numpy as np

from autograd_compiler import grad

HIDDEN = 24
LENGTH = 12


def run(params, inputs):
    """The outputs for a batch of sequences: (batch, time, 2) -> (batch,)."""
    state = np.zeros((inputs.shape[0], HIDDEN))
    for t in range(inputs.shape[1]):
        state = np.tanh(
            state @ params["recurrent"]
            + inputs[:, t] @ params["input"]
            + params["bias"]
        )
    return state @ params["output"]


@grad
def loss(params, inputs, wanted):
    return np.mean((run(params, inputs) - wanted) ** 2)


def sequences(random, count):
    """Random numbers, two of them marked, and the sum of these two."""
    numbers = random.uniform(-0.5, 0.5, size=(count, LENGTH))
    marks = np.zeros((count, LENGTH))
    rows = np.arange(count)
    marks[rows, random.integers(0, LENGTH // 2, count)] = 1.0
    marks[rows, random.integers(LENGTH // 2, LENGTH, count)] = 1.0
    return np.stack([numbers, marks], axis=2), np.sum(numbers * marks, axis=1)


def adam(params, random, steps=1500, rate=3e-3, decay=(0.9, 0.999)):
    mean = {name: np.zeros_like(value) for name, value in params.items()}
    square = {name: np.zeros_like(value) for name, value in params.items()}
    for step in range(1, steps + 1):
        value, d_params = loss.value_and_grad(params, *sequences(random, 64))
        for name, d in d_params.items():
            mean[name] += (1 - decay[0]) * (d - mean[name])
            square[name] += (1 - decay[1]) * (d**2 - square[name])
            unbiased = mean[name] / (1 - decay[0] ** step)
            spread = np.sqrt(square[name] / (1 - decay[1] ** step))
            params[name] = params[name] - rate * unbiased / (spread + 1e-8)
        if step % 250 == 0:
            print(f"step {step:5}  mean squared error {value:.5f}")


def main():
    random = np.random.default_rng(0)
    params = {
        "input": random.normal(size=(2, HIDDEN)) * 0.5,
        "recurrent": np.linalg.qr(random.normal(size=(HIDDEN, HIDDEN)))[0],
        "bias": np.zeros(HIDDEN),
        "output": random.normal(size=HIDDEN) * 0.2,
    }
    adam(params, random)
    inputs, wanted = sequences(random, 1000)
    error = np.mean((run(params, inputs) - wanted) ** 2)
    print(
        f"on new sequences {error:.5f}; always saying 0 gives {np.mean(wanted**2):.5f}"
    )
    assert error < 0.1 * np.mean(wanted**2)


if __name__ == "__main__":
    main()
