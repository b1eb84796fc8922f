"""The coefficients of `autograd_compiler/backend/vector`, computed anew.

`python tools/minimax.py` prints, for each kernel, the polynomial whose largest error on
its interval is least, rounded to double precision, and that error. The exchange is that
of Remez, done with mpmath to 60 digits.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from mpmath import (
    atan,
    cos,
    factorial,
    log,
    lu_solve,
    matrix,
    mp,
    mpf,
    sin,
    sqrt,
)
from mpmath import pi as PI

mp.dps = 60


@dataclass(frozen=True)
class Kernel:
    """A function that a polynomial stands for on an interval.

    `scale` is what an error of the polynomial is multiplied by in the relative error of
    the result.
    """

    function: Callable[[mpf], mpf]
    scale: Callable[[mpf], mpf]
    interval: tuple[mpf, mpf]
    degree: int


def _atanh_tail(z: mpf) -> mpf:
    """(log((1 + s) / (1 - s)) - 2 s) / s, with z = s**2."""
    s = sqrt(z)
    return log((1 + s) / (1 - s)) / s - 2


def _exp_tail(r: mpf, first: int) -> mpf:
    """The series of exp from a term on, divided by that power of r."""
    return sum(r**k / factorial(k + first) for k in range(50))


_HALF_LOG2 = log(2) / 2
_S = (sqrt(2) - 1) / (sqrt(2) + 1)

KERNELS = {
    # exp(r) = 1 + r + r**2 / 2 + r**3 * p(r)
    "exp": Kernel(
        lambda r: _exp_tail(r, 3),
        lambda r: _HALF_LOG2**2,
        (-_HALF_LOG2, _HALF_LOG2),
        9,
    ),
    # log((1 + s) / (1 - s)) = 2 * s + s * z * p(z), with z = s**2
    "log": Kernel(
        lambda z: _atanh_tail(z) / z, lambda z: z / 2, (mpf("1e-12"), _S**2), 6
    ),
    # sin(r) = r + r * z * p(z), with z = r**2
    "sin": Kernel(
        lambda z: (sin(sqrt(z)) / sqrt(z) - 1) / z,
        lambda z: z,
        (mpf("1e-12"), (PI / 4) ** 2 * mpf("1.0001")),
        5,
    ),
    # cos(r) = 1 - z / 2 + z**2 * p(z), with z = r**2
    "cos": Kernel(
        lambda z: (cos(sqrt(z)) - 1 + z / 2) / z**2,
        lambda z: z**2,
        (mpf("1e-9"), (PI / 4) ** 2 * mpf("1.0001")),
        5,
    ),
    # arctan(t) = t + t * z * p(z), with z = t**2
    "arctan": Kernel(
        lambda z: (atan(sqrt(z)) / sqrt(z) - 1) / z,
        lambda z: z,
        (mpf("1e-12"), mpf("0.36")),
        13,
    ),
}


def minimax(kernel: Kernel, rounds: int = 12) -> tuple[list[mpf], mpf]:
    """Coefficients, lowest first, and the largest relative error."""
    low, high = kernel.interval
    count = kernel.degree + 2
    points = [
        (low + high) / 2 - (high - low) / 2 * cos(PI * k / (count - 1))
        for k in range(count)
    ]
    grid = [(low + high) / 2 - (high - low) / 2 * cos(PI * k / 600) for k in range(601)]
    values = [(kernel.function(x), kernel.scale(x)) for x in grid]
    coefficients: list[mpf] = []
    worst = mpf(0)
    for _ in range(rounds):
        system = matrix(count, count)
        right = matrix(count, 1)
        for row, x in enumerate(points):
            for column in range(count - 1):
                system[row, column] = x**column
            system[row, count - 1] = (-1) ** row / kernel.scale(x)
            right[row] = kernel.function(x)
        *coefficients, _ = lu_solve(system, right)
        errors = [
            (_polynomial(coefficients, x) - f) * s
            for x, (f, s) in zip(grid, values, strict=True)
        ]
        worst = max(map(abs, errors))
        points = _extremes(grid, errors, count) or points
    return coefficients, worst


def _polynomial(coefficients: list[mpf], x: mpf) -> mpf:
    total = mpf(0)
    for coefficient in reversed(coefficients):
        total = total * x + coefficient
    return total


def _extremes(grid: list[mpf], errors: list[mpf], count: int) -> list[mpf]:
    """The largest error of each run of one sign; the `count` neighbours that are largest."""
    found: list[tuple[mpf, mpf]] = []
    for x, error in zip(grid, errors, strict=True):
        if found and found[-1][1] * error > 0:
            if abs(error) > abs(found[-1][1]):
                found[-1] = (x, error)
        elif error:
            found.append((x, error))
    while len(found) > count:
        found.pop(0 if abs(found[0][1]) < abs(found[-1][1]) else -1)
    return [x for x, _ in found] if len(found) == count else []


def main() -> None:
    for name, kernel in KERNELS.items():
        coefficients, worst = minimax(kernel)
        print(f"{name}: error 2**{float(log(worst, 2)):.1f}")
        for coefficient in coefficients:
            print(f"    {float(coefficient)!r}")


if __name__ == "__main__":
    main()
