"""Solvers: `scipy.optimize`.

What a solver finds does not depend on how it got there, so none is differentiated
through; `implicit_root` differentiates the equation that the result satisfies.  The form
of a result is known where it is a number or an array.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import optimize

from autograd_compiler.rules.registry import refused

_ROOT = (
    "put it into a function with `@implicit_root(residual)`, which differentiates the "
    "equation that the result satisfies"
)
_MINIMUM = (
    "put it into a function with `@implicit_root(gradient)`, where `gradient` is that "
    "of the objective, which is zero at a minimum inside of the bounds"
)


def number_found(
    f: Any,
    a: Any,
    b: Any,
    args: Any = (),
    xtol: Any = None,
    rtol: Any = None,
    maxiter: Any = 100,
    full_output: Any = False,
    disp: Any = True,
) -> Any:
    if full_output is not False:
        raise TypeError("a number and a report")
    return 0.5


refused(
    (optimize.brentq, optimize.brenth, optimize.ridder, optimize.bisect),
    _ROOT,
    result=number_found,
)


def vector_found(func: Any, x0: Any, args: Any = (), **options: Any) -> Any:
    if "full_output" in options:
        raise TypeError("an array and a report")
    return np.ravel(x0).astype(float)


refused(optimize.fsolve, _ROOT, result=vector_found)
refused(
    (
        *(optimize.newton, optimize.root, optimize.root_scalar, optimize.toms748),
        *(optimize.fixed_point, optimize.broyden1, optimize.broyden2),
        *(optimize.newton_krylov, optimize.anderson),
    ),
    _ROOT,
)
refused(
    (
        *(optimize.minimize, optimize.minimize_scalar, optimize.least_squares),
        *(optimize.curve_fit, optimize.fmin, optimize.fmin_bfgs, optimize.fmin_cg),
        *(optimize.fmin_l_bfgs_b, optimize.leastsq, optimize.nnls, optimize.lsq_linear),
        *(optimize.linprog, optimize.differential_evolution, optimize.basinhopping),
        *(optimize.dual_annealing, optimize.shgo, optimize.brute, optimize.milp),
    ),
    _MINIMUM,
)
