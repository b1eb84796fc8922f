"""Find the conductivity of a rod from its temperature: the gradient of a time loop.

The simulation is written as such code is written: a loop that overwrites the
temperature in place. The compiler reverses it; nothing is rewritten for it.
"""

import numpy as np
from scipy.optimize import minimize

from autograd_compiler import grad

POINTS = 41
STEPS = 300


def simulate(conductivity, start, steps):
    """Explicit finite differences; the ends of the rod are kept at their temperature."""
    temperature = start.copy()
    between = 0.5 * (conductivity[1:] + conductivity[:-1])
    for _ in range(steps):
        flux = between * (temperature[1:] - temperature[:-1])
        temperature[1:-1] += flux[1:] - flux[:-1]
    return temperature


@grad
def misfit(log_conductivity, starts, measured, steps):
    """How far the simulated final temperatures are from the measured ones."""
    conductivity = np.exp(log_conductivity)
    total = 0.0
    for k in range(len(starts)):
        final = simulate(conductivity, starts[k], steps)
        total += np.sum((final - measured[k]) ** 2)
    roughness = np.sum((log_conductivity[1:] - log_conductivity[:-1]) ** 2)
    return total + 1e-4 * roughness


def main():
    x = np.linspace(0.0, 1.0, POINTS)
    true_conductivity = 0.15 + 0.2 * np.exp(-(((x - 0.6) / 0.15) ** 2))
    starts = np.array([np.sin(k * np.pi * x) for k in range(1, 6)])
    measured = np.array([simulate(true_conductivity, u, STEPS) for u in starts])
    args = (starts, measured, STEPS)

    guess = np.full(POINTS, np.log(0.2))
    result = minimize(
        misfit.value_and_grad,
        guess,
        args=args,
        jac=True,
        method="L-BFGS-B",
        options={"maxiter": 200},
    )
    found = np.exp(result.x)
    print(f"misfit {misfit.primal(guess, *args):.2e} -> {result.fun:.2e}")
    print("   x   true  found")
    for i in range(4, POINTS - 4, 4):
        print(f"{x[i]:5.2f} {true_conductivity[i]:6.3f} {found[i]:6.3f}")

    error = np.max(np.abs(found - true_conductivity)[4:-4] / true_conductivity[4:-4])
    print(f"largest error away from the ends: {error:.0%}")
    assert error < 0.15


if __name__ == "__main__":
    main()
