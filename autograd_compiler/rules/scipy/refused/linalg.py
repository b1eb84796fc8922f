"""Functions of `scipy.linalg` that are known and not differentiated."""

from __future__ import annotations

import scipy.linalg

from autograd_compiler.rules.registry import refused
from autograd_compiler.rules.static import those_of

refused(
    those_of(scipy.linalg, "test"),
    "it is about SciPy itself and not about numbers",
)
refused(
    those_of(scipy.linalg, "eig"),
    "write np.linalg.eig, which has a rule",
)
refused(
    those_of(scipy.linalg, "lstsq"),
    "write np.linalg.lstsq, which has a rule",
)
refused(
    those_of(scipy.linalg, "cdf2rdf cossin hessenberg ordqz qz rsf2csf schur"),
    "its factors have no rule; for a symmetric matrix write scipy.linalg.eigh",
)
refused(
    those_of(
        scipy.linalg, "cho_solve_banded cholesky_banded eig_banded eigvals_banded"
    ),
    "bands have no rule here; write scipy.linalg.solveh_banded, or the whole matrix",
)
refused(
    those_of(scipy.linalg, "ldl qr_delete qr_insert qr_multiply qr_update rq"),
    "its factors have no rule; write scipy.linalg.qr or cholesky",
)
refused(
    those_of(scipy.linalg, "fractional_matrix_power funm signm"),
    "write scipy.linalg.expm and logm: a power is expm(t * logm(A))",
)
refused(
    those_of(scipy.linalg, "solve_continuous_are solve_discrete_are"),
    "put it into a function with `@implicit_root(residual)`: its result satisfies an equation",
)
refused(
    those_of(
        scipy.linalg,
        "matrix_balance null_space orth orthogonal_procrustes subspace_angles",
    ),
    "write scipy.linalg.svd, which has a rule",
)
refused(
    those_of(scipy.linalg, "clarkson_woodruff_transform expm_cond fiedler_companion"),
    "it has no rule; declare one with `custom.partials` or `custom.composed`",
)
