"""Calls of linear algebra, of single matrices, of stacks, and of complex ones."""

from __future__ import annotations

import numpy as np

from autograd_compiler.rules.static import existing
from samples import Sample, Special


def random(*shape, seed=0):
    """Normal numbers: matrices of them have full rank and distinct singular values."""
    return np.random.default_rng(seed).normal(size=shape)


def invertible(*shape):
    return random(*shape) + 2.0 * np.eye(shape[-1])


def invertible_complex(n):
    return invertible(n, n) + 1j * random(n, n, seed=3)


def positive(*shape):
    root = random(*shape)
    return root @ np.swapaxes(root, -1, -2) + np.eye(shape[-1])


def hermitian(n):
    root = random(n, n) + 1j * random(n, n, seed=3)
    return root @ root.conj().T


def complex_matrix(m, n):
    return random(m, n) + 1j * random(m, n, seed=3)


SAMPLES = [
    Sample(np.linalg.solve, (invertible(3, 3), random(3))),
    Sample(np.linalg.solve, (invertible(3, 3), random(3, 2))),
    Sample(np.linalg.solve, (invertible(2, 3, 3), random(3))),
    Sample(np.linalg.solve, (invertible(2, 3, 3), random(2, 3, 2))),
    Sample(np.linalg.solve, (invertible(2, 3, 3), random(3, 2))),
    Sample(np.linalg.solve, (invertible(3, 3), random(2, 3, 2))),
    Sample(np.linalg.solve, (invertible_complex(3), complex_matrix(3, 2))),
    Sample(np.linalg.inv, (invertible(3, 3),)),
    Sample(np.linalg.inv, (invertible(2, 3, 3),)),
    Sample(np.linalg.inv, (invertible_complex(3),)),
    Sample(np.linalg.pinv, (random(3, 2),)),
    Sample(np.linalg.pinv, (random(2, 3),)),
    Sample(np.linalg.pinv, (random(2, 4, 3),)),
    Sample(np.linalg.pinv, (complex_matrix(3, 2),)),
    Sample(np.linalg.pinv, (random(3, 3),), {"hermitian": True}),
    Sample(np.linalg.pinv, (random(3, 2), 1e-9), wrt=(0,)),
    Sample(np.linalg.det, (invertible(3, 3),)),
    Sample(np.linalg.det, (invertible(2, 3, 3),)),
    Sample(np.linalg.det, (invertible_complex(3),)),
    Sample(np.linalg.slogdet, (invertible(3, 3),)),
    Sample(np.linalg.slogdet, (-invertible(2, 3, 3),)),
    Sample(np.linalg.slogdet, (invertible_complex(3),)),
    Sample(np.linalg.cholesky, (positive(3, 3),)),
    Sample(np.linalg.cholesky, (positive(2, 3, 3),)),
    Sample(np.linalg.cholesky, (hermitian(3),)),
    Sample(np.linalg.eigh, (positive(3, 3),)),
    Sample(np.linalg.eigh, (positive(3, 3), "U")),
    Sample(np.linalg.eigh, (positive(2, 3, 3),)),
    Sample(np.linalg.eigvalsh, (positive(3, 3),)),
    Sample(np.linalg.eigvalsh, (positive(2, 3, 3), "U")),
    Sample(np.linalg.eigvalsh, (hermitian(3),)),
    Sample(np.linalg.svd, (random(3, 3), False)),
    Sample(np.linalg.svd, (random(4, 3), False)),
    Sample(np.linalg.svd, (random(3, 4),), {"full_matrices": False}),
    Sample(np.linalg.svd, (random(2, 3, 2),), {"full_matrices": False}),
    Sample(np.linalg.svd, (random(3, 4),), {"compute_uv": False}),
    Sample(np.linalg.svd, (random(3, 3),)),
    # The one vector beyond has no choice but its sign.
    Sample(np.linalg.svd, (random(4, 3),)),
    Sample(np.linalg.svd, (random(2, 3),)),
    Sample(np.linalg.svd, (random(2, 3, 2),)),
    Sample(np.linalg.svd, (random(3, 3),), {"compute_uv": False, "hermitian": True}),
    Sample(np.linalg.svd, (positive(3, 3),), {"hermitian": True}),
    # Their first derivative needs the singular vectors, which have none.
    Sample(np.linalg.svd, (complex_matrix(3, 2),), {"compute_uv": False}, smooth=False),
    Sample(np.linalg.eig, (random(3, 3),)),
    Sample(np.linalg.eig, (random(4, 4, seed=5),)),
    Sample(np.linalg.eig, (positive(3, 3),)),
    Sample(np.linalg.eig, (random(2, 3, 3),)),
    Sample(np.linalg.eig, (invertible_complex(3),)),
    Sample(np.linalg.eigvals, (random(3, 3),)),
    Sample(np.linalg.eigvals, (invertible_complex(3),)),
    Sample(np.linalg.lstsq, (random(4, 2), random(4, seed=1))),
    Sample(np.linalg.lstsq, (random(4, 2), random(4, 3, seed=1))),
    Sample(np.linalg.lstsq, (random(2, 4), random(2, seed=1))),
    Sample(np.linalg.lstsq, (random(3, 3), random(3, 2, seed=1)), {"rcond": 1e-9}),
    Sample(np.linalg.lstsq, (complex_matrix(4, 2), complex_matrix(4, 2))),
    Sample(np.linalg.tensorsolve, (random(2, 3, 6), random(2, 3, seed=1))),
    Sample(np.linalg.tensorsolve, (random(2, 6, 3), random(2, 3, seed=1), (1,))),
    Sample(np.linalg.tensorinv, (random(2, 3, 6),)),
    Sample(np.linalg.tensorinv, (random(6, 2, 3),), {"ind": 1}),
    Sample(np.linalg.multi_dot, ([random(3), random(3, 2), random(2)],), wrt=(0,)),
    Sample(np.linalg.multi_dot, ([random(2, 3), random(3, 2), random(2)],), wrt=(0,)),
    Sample(np.linalg.multi_dot, ([random(2), random(2, 3)],), wrt=(0,)),
    Sample(np.linalg.qr, (random(3, 3),)),
    Sample(np.linalg.qr, (random(4, 3),)),
    Sample(np.linalg.qr, (random(2, 4),)),
    Sample(np.linalg.qr, (random(2, 4, 2),)),
    Sample(np.linalg.qr, (random(4, 3), "r")),
    Sample(np.linalg.qr, (complex_matrix(3, 3),)),
    Sample(np.linalg.qr, (complex_matrix(4, 3),)),
    Sample(np.linalg.qr, (complex_matrix(2, 3), "r")),
    Sample(np.linalg.matrix_power, (invertible(3, 3), 0)),
    Sample(np.linalg.matrix_power, (invertible(3, 3), 1)),
    Sample(np.linalg.matrix_power, (invertible(3, 3), 3)),
    Sample(np.linalg.matrix_power, (invertible(2, 3, 3), 4)),
    Sample(np.linalg.matrix_power, (invertible(3, 3), -2)),
    Sample(np.linalg.matrix_power, (invertible_complex(3), 3)),
    # norms
    Sample(np.linalg.norm, (random(3),)),
    Sample(np.linalg.norm, (random(3, 4),)),
    Sample(np.linalg.norm, (random(2, 3, 4),)),
    Sample(np.linalg.norm, (complex_matrix(3, 2),)),
    Sample(np.linalg.norm, (random(3, 4), None, 0)),
    Sample(np.linalg.norm, (random(3, 4),), {"axis": -1, "keepdims": True}),
    Sample(np.linalg.norm, (random(3, 4),), {"keepdims": True}),
    Sample(np.linalg.norm, (random(2, 3, 4), "fro", (0, 2))),
    *[
        Sample(np.linalg.norm, (random(4), ord), wrt=(0,))
        for ord in (2, 1, np.inf, -np.inf, 3, 2.5, 0.5, -1)
    ],
    *[
        Sample(np.linalg.norm, (random(3, 4), ord, axis), wrt=(0,))
        for ord, axis in ((1, 0), (2, 1), (np.inf, 0), (3, -1))
    ],
    *[
        Sample(np.linalg.norm, (random(3, 4), ord), wrt=(0,))
        for ord in ("fro", "nuc", 1, -1, 2, -2, np.inf, -np.inf)
    ],
    *[
        Sample(np.linalg.norm, (random(3, 2, 4), ord, (2, 0)), wrt=(0,))
        for ord in ("nuc", 1, -1, 2, -2, np.inf, -np.inf)
    ],
    *[
        Sample(np.linalg.norm, (complex_matrix(3, 2), ord), wrt=(0,), smooth=smooth)
        for ord, smooth in (("nuc", False), (1, True), (2, False), (np.inf, True))
    ],
    Sample(np.linalg.norm, (complex_matrix(3, 2), 3, 0)),
    *[
        Sample(np.linalg.cond, (invertible(3, 3), p), wrt=(0,))
        for p in (None, 2, -2, "fro", 1, np.inf)
    ],
    Sample(np.linalg.cond, (random(3, 4),)),
    Sample(np.linalg.cond, (invertible(2, 3, 3), 1), wrt=(0,)),
]

for _operator in existing("linalg.svdvals"):
    SAMPLES += [
        Sample(_operator, (random(3, 4),)),
        Sample(_operator, (random(2, 3, 2),)),
    ]
for _operator in existing("linalg.vector_norm"):
    SAMPLES += [
        Sample(_operator, (random(3, 4),)),
        Sample(_operator, (random(3, 4),), {"ord": 1, "axis": 0}),
        Sample(_operator, (random(2, 3, 4),), {"ord": 3, "axis": (0, 2)}),
        Sample(_operator, (random(3, 4),), {"ord": np.inf, "keepdims": True}),
    ]
for _operator in existing("linalg.matrix_norm"):
    SAMPLES += [
        Sample(_operator, (random(3, 4),)),
        Sample(_operator, (random(2, 3, 4),), {"ord": "nuc"}),
        Sample(_operator, (random(2, 3, 4),), {"ord": 1, "keepdims": True}),
    ]
if existing("matvec"):  # cholesky's `upper` is as old as NumPy 2
    SAMPLES += [
        Sample(np.linalg.cholesky, (positive(3, 3),), {"upper": True}),
        Sample(np.linalg.cholesky, (positive(2, 3, 3),), {"upper": True}),
        Sample(np.linalg.cholesky, (hermitian(3),), {"upper": True}),
    ]


def _norm(x):
    return np.linalg.norm(x)


def _norms_of_rows(x):
    return np.linalg.norm(x, axis=1)


def _largest(x):
    return np.linalg.norm(x, np.inf)


def _sum_of_singular_values(x):
    return np.linalg.norm(x, "nuc")


def _sum_of_eigenvalues(a):
    return np.linalg.eigvalsh(a)


def _spectral_norm(x):
    return np.linalg.norm(x, 2)


def _norm_1(x):
    return np.linalg.norm(x, 1)


def _norm_3(x):
    return np.linalg.norm(x, 3)


def _norm_inf(x):
    return np.linalg.norm(x, np.inf)


SPECIAL = [
    Special("the norm of zero", _norm, (np.zeros(3),), (np.zeros(3),)),
    Special("the sum of magnitudes of zeros", _norm_1, (np.zeros(3),), (np.zeros(3),)),
    Special("the cubic norm of zero", _norm_3, (np.zeros(3),), (np.zeros(3),)),
    Special("the largest of zeros", _norm_inf, (np.zeros(3),), (np.zeros(3),)),
    Special(
        "the norm of a zero matrix", _norm, (np.zeros((2, 3)),), (np.zeros((2, 3)),)
    ),
    Special(
        "the norm of one zero row",
        _norms_of_rows,
        (np.array([[3.0, 4.0], [0.0, 0.0]]),),
        (np.array([[0.6, 0.8], [0.0, 0.0]]),),
    ),
    Special(
        "a tie of largest elements",
        _largest,
        (np.array([2.0, 1.0, -2.0]),),
        (np.array([0.5, 0.0, -0.5]),),
    ),
    Special(
        "the nuclear norm of zero",
        _sum_of_singular_values,
        (np.zeros((2, 3)),),
        (np.zeros((2, 3)),),
    ),
    Special(
        "the spectral norm of zero",
        _spectral_norm,
        (np.zeros((2, 3)),),
        (np.zeros((2, 3)),),
    ),
    Special(
        "the sum of equal eigenvalues",
        _sum_of_eigenvalues,
        (np.eye(3),),
        (np.eye(3),),
    ),
]
