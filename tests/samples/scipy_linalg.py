"""Calls of SciPy's linear algebra."""

from __future__ import annotations

import numpy as np
from scipy import linalg

from samples import Sample
from samples.linalg import (
    complex_matrix,
    invertible,
    invertible_complex,
    positive,
    random,
)

BANDS = random(4, 5, seed=2) + 4.0 * np.eye(4, 1, -1)
SYMMETRIC_BANDS = np.stack([0.3 * random(4), random(4, seed=1) + 3.0])
lower_factor = np.tril(random(3, 3)) + 2.0 * np.eye(3)
# The factors with the rows exchanged in a fixed way, so that differences see one branch.
PIVOTS = np.array([2, 2, 2])


def each(functions, *args, **options):
    return [Sample(f, args, **options) for f in functions]


SAMPLES = [
    # solving
    Sample(linalg.solve, (invertible(3, 3), random(3))),
    Sample(linalg.solve, (invertible(3, 3), random(3, 2))),
    Sample(linalg.solve, (positive(3, 3), random(3)), {"assume_a": "pos"}),
    Sample(linalg.solve, (positive(3, 3), random(3, 2), True), {"assume_a": "sym"}),
    Sample(linalg.solve, (invertible_complex(3), complex_matrix(3, 2))),
    Sample(linalg.solve_triangular, (invertible(3, 3), random(3))),
    Sample(linalg.solve_triangular, (invertible(3, 3), random(3, 2), 1, True)),
    Sample(
        linalg.solve_triangular,
        (invertible(3, 3), random(3)),
        {"trans": "T", "unit_diagonal": True},
    ),
    Sample(
        linalg.solve_sylvester, (positive(3, 3), positive(2, 2), random(3, 2, seed=5))
    ),
    Sample(linalg.solve_continuous_lyapunov, (positive(3, 3), random(3, 3, seed=5))),
    Sample(linalg.solve_discrete_lyapunov, (0.3 * random(3, 3), random(3, 3, seed=5))),
    Sample(linalg.solve_banded, ((2, 1), BANDS, random(5))),
    Sample(linalg.solve_banded, ((1, 2), BANDS, random(5, 2)), name="of two"),
    # factors, to solve with
    Sample(linalg.cholesky, (positive(3, 3),)),
    Sample(linalg.cholesky, (positive(3, 3), True)),
    Sample(linalg.cho_factor, (positive(3, 3),)),
    Sample(linalg.cho_factor, (positive(3, 3), True)),
    Sample(linalg.cho_solve, ((lower_factor, True), random(3, 2))),
    Sample(linalg.cho_solve, ((invertible(3, 3), False), random(3))),
    Sample(linalg.lu_factor, (random(3, 3),)),
    Sample(linalg.lu_solve, ((invertible(3, 3), PIVOTS), random(3))),
    Sample(linalg.lu_solve, ((invertible(3, 3), PIVOTS), random(3, 2))),
    Sample(linalg.lu_solve, ((invertible(3, 3), PIVOTS), random(3), 1)),
    Sample(linalg.lu_solve, ((invertible(3, 3), PIVOTS), random(3, 2), 1)),
    # factors
    Sample(linalg.lu, (random(3, 3),)),
    Sample(linalg.polar, (random(3, 3),)),
    Sample(linalg.polar, (random(4, 3), "right")),
    Sample(linalg.polar, (random(2, 3), "left")),
    Sample(linalg.pinvh, (positive(3, 3),), single=False),
    Sample(linalg.eigvals, (random(3, 3),)),
    Sample(linalg.qr, (random(4, 3),), {"mode": "economic"}),
    Sample(linalg.svd, (random(4, 3), False)),
    Sample(linalg.svd, (random(3, 4),), {"compute_uv": False}),
    Sample(linalg.svdvals, (random(3, 4),)),
    # The vectors' signs change from call to call; they are tested in test_scipy.py.
    Sample(linalg.eigh, (positive(3, 3),), {"eigvals_only": True}),
    Sample(linalg.eigvalsh, (positive(3, 3),)),
    # numbers, inverses
    Sample(linalg.inv, (invertible(3, 3),)),
    Sample(linalg.pinv, (random(3, 2),)),
    Sample(linalg.det, (invertible(3, 3),)),
    Sample(linalg.norm, (random(3, 2),)),
    Sample(linalg.norm, (random(3, 2), 1)),
    Sample(linalg.norm, (random(3, 2), None, 1)),
    # functions of matrices
    # The derivative of `expm` is of double precision in SciPy.
    Sample(linalg.expm, (random(3, 3),), single=False),
    Sample(linalg.expm, (random(2, 3, 3),), single=False),
    *each((linalg.cosm, linalg.sinm), random(3, 3)),
    *each((linalg.coshm, linalg.sinhm), random(3, 3)),
    *each((linalg.tanm, linalg.tanhm), 0.3 * random(3, 3)),
    *each((linalg.logm, linalg.sqrtm), positive(3, 3)),
    Sample(linalg.sqrtm, (positive(3, 3) + 0.2j * random(3, 3, seed=3),)),
    Sample(
        linalg.expm_frechet,
        (random(3, 3), random(3, 3, seed=4)),
        {"compute_expm": False},
    ),
    Sample(linalg.expm_frechet, (random(3, 3), random(3, 3, seed=4))),
    # special matrices
    Sample(linalg.toeplitz, (random(4),)),
    Sample(linalg.toeplitz, (random(4), random(3, seed=1))),
    Sample(linalg.hankel, (random(4),)),
    Sample(linalg.hankel, (random(4), random(3, seed=1))),
    Sample(linalg.circulant, (random(4),)),
    Sample(linalg.companion, (random(4) + 2.0,)),
    Sample(linalg.leslie, (random(4), random(3, seed=1))),
    Sample(linalg.fiedler, (random(4),)),
    Sample(linalg.diagsvd, (random(3), 4, 3), single=False),
    Sample(linalg.khatri_rao, (random(3, 2), random(2, 2, seed=1))),
    *(
        Sample(linalg.convolution_matrix, (random(3), 5, mode), single=False)
        for mode in ("full", "same", "valid")
    ),
    Sample(linalg.convolution_matrix, (random(4), 3, "same"), single=False),
    Sample(
        linalg.solve_toeplitz,
        (random(4) + 4.0 * np.eye(4)[0], random(4, seed=1)),
        single=False,
    ),
    Sample(linalg.matmul_toeplitz, (random(4), random(4, 2, seed=1)), single=False),
    Sample(linalg.matmul_toeplitz, ((random(4), random(3, seed=2)), random(3, seed=1))),
    Sample(linalg.solve_circulant, (random(4) + 4.0 * np.eye(4)[0], random(4, seed=1))),
    Sample(linalg.solveh_banded, (SYMMETRIC_BANDS, random(4))),
    Sample(
        linalg.solveh_banded, (SYMMETRIC_BANDS[::-1], random(4, 2)), {"lower": True}
    ),
    Sample(linalg.eigvalsh_tridiagonal, (3.0 * random(4), random(3, seed=1))),
    Sample(
        linalg.eigh_tridiagonal,
        (3.0 * random(4), random(3, seed=1)),
        {"eigvals_only": True},
    ),
    Sample(linalg.block_diag, (random(2, 3), random(1, 2), random(3)), wrt=(0, 1, 2)),
]
