"""Functions of `scipy.sparse.linalg` that are known and not differentiated."""

from __future__ import annotations

import scipy.sparse.linalg

from autograd_compiler.rules.registry import refused, zero_derivative
from autograd_compiler.rules.static import those_of

refused(
    those_of(scipy.sparse.linalg, "test use_solver"),
    "it is about SciPy itself and not about numbers",
)
refused(
    those_of(
        scipy.sparse.linalg,
        "bicg bicgstab cg cgs factorized gcrotmk gmres "
        "inv lgmres lsmr lsqr minres qmr spilu splu "
        "spsolve_triangular tfqmr",
    ),
    "write scipy.sparse.linalg.spsolve, or `implicit_root` of the equation",
)
refused(
    those_of(
        scipy.sparse.linalg,
        "aslinearoperator eigs eigsh expm expm_multiply "
        "funm_multiply_krylov lobpcg matrix_power norm "
        "onenormest svds",
    ),
    "write it of the whole matrix, with scipy.linalg",
)

# Of whole numbers, or whole numbers themselves.
zero_derivative(*those_of(scipy.sparse.linalg, "is_sptriangular spbandwidth"))
