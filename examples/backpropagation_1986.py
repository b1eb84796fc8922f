"""The network of 1986 that detects mirror symmetry, trained by a generated gradient.

Rumelhart, Hinton and Williams, "Learning representations by back-propagating errors",
Nature 323 (1986): six inputs, two hidden units, one output that says whether the input
is its own mirror image. Trained by sweeps over all 64 patterns, it finds weights that
are opposite on the two sides, in the ratio 1 : 2 : 4, so that each pattern of one half
is cancelled by its mirror image only. The paper derives the backward pass by hand; here
the compiler writes it from the forward pass.
"""

import numpy as np

from autograd_compiler import grad


def sigmoid(x):
    return 1.0 / (1.0 + np.exp(-x))


def network(weights, patterns):
    hidden = sigmoid(patterns @ weights["hidden"] + weights["hidden_bias"])
    return sigmoid(hidden @ weights["output"] + weights["output_bias"])


@grad
def error(weights, patterns, wanted):
    """Half the sum of squares over all patterns."""
    return 0.5 * np.sum((network(weights, patterns) - wanted) ** 2)


def main():
    patterns = np.array(
        [[(n >> bit) & 1 for bit in range(6)] for n in range(64)], float
    )
    wanted = np.all(patterns == patterns[:, ::-1], axis=1).astype(float)

    random = np.random.default_rng(10)
    weights = {
        "hidden": random.uniform(-0.3, 0.3, (6, 2)),
        "hidden_bias": random.uniform(-0.3, 0.3, 2),
        "output": random.uniform(-0.3, 0.3, 2),
        "output_bias": float(random.uniform(-0.3, 0.3)),
    }
    change = dict.fromkeys(weights, 0.0)
    for sweep in range(1, 2001):
        value, d_weights = error.value_and_grad(weights, patterns, wanted)
        for name, d in d_weights.items():
            change[name] = -0.1 * d + 0.9 * change[name]
            weights[name] = weights[name] + change[name]
        if sweep % 250 == 0:
            print(f"sweep {sweep:5}  error {value:.4f}")

    print("\nweights from the six inputs to each hidden unit:")
    print(np.round(weights["hidden"].T, 1))
    right = np.mean((network(weights, patterns) > 0.5) == (wanted > 0.5))
    left, mirrored = weights["hidden"][:3], weights["hidden"][:2:-1]
    print(f"{right:.0%} of the 64 patterns are classified correctly")
    assert right == 1.0
    # What the network found: opposite weights at mirrored places, growing by about 2.
    assert np.max(np.abs(left + mirrored)) < 0.05 * np.max(np.abs(left))
    sizes = np.sort(np.abs(left), axis=0)
    assert np.all(np.abs(sizes[1:] / sizes[:-1] - 2.0) < 0.3)


if __name__ == "__main__":
    main()
