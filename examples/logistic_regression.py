"""Logistic regression: a generated gradient handed to SciPy's L-BFGS.

`value_and_grad` returns the pair (value, gradient), which is what
`scipy.optimize.minimize` takes with `jac=True`: no adapter is needed.
"""

import numpy as np
from scipy.optimize import check_grad, minimize

from autograd_compiler import grad


@grad
def loss(weights, features, labels, penalty):
    """Mean negative log-likelihood with a quadratic penalty; labels are -1 or +1."""
    margins = labels * (features @ weights)
    return np.mean(np.logaddexp(0.0, -margins)) + 0.5 * penalty * weights @ weights


def main():
    random = np.random.default_rng(0)
    true_weights = np.array([2.0, -1.0, 0.5, 0.0, 1.5])
    features = random.normal(size=(2000, 5))
    chance = 1.0 / (1.0 + np.exp(-features @ true_weights))
    labels = np.where(random.random(2000) < chance, 1.0, -1.0)
    args = (features, labels, 1e-3)

    result = minimize(
        loss.value_and_grad, np.zeros(5), args=args, jac=True, method="L-BFGS-B"
    )
    print(f"converged: {result.success} after {result.nit} iterations")
    print("true weights ", true_weights)
    print("found weights", np.round(result.x, 2))

    error = check_grad(loss.primal, loss, result.x, *args)
    print(f"SciPy's own gradient check: {error:.1e}")
    assert result.success
    assert np.max(np.abs(result.x - true_weights)) < 0.3
    assert error < 1e-5


if __name__ == "__main__":
    main()
