"""Calls of the products: each by the numbers of dimensions of its operands."""

from __future__ import annotations

import operator

import numpy as np

from autograd_compiler.rules.static import existing
from samples import Sample, Special, spread


def real(*shape):
    return spread(*shape, seed=len(shape))


def complex_numbers(*shape):
    return spread(*shape, seed=2) + 1j * spread(*shape, seed=5)


SAMPLES = [
    Sample(np.dot, (1.5, 2.5)),
    Sample(np.dot, (1.5, real(3))),
    Sample(np.dot, (real(2, 3), 1.5)),
    Sample(np.dot, (real(3), spread(3))),
    Sample(np.dot, (real(2, 3), real(3))),
    Sample(np.dot, (real(3), real(3, 2))),
    Sample(np.dot, (real(2, 3), real(3, 4))),
    Sample(np.dot, (real(2, 3, 4), real(4))),
    Sample(np.dot, (real(3), real(2, 3, 4))),
    Sample(np.dot, (real(2, 3, 4), real(4, 5))),
    Sample(np.dot, (real(5, 3), real(2, 3, 4))),
    Sample(np.dot, (real(2, 3, 4), real(3, 4, 2))),
    Sample(np.dot, (complex_numbers(2, 3), complex_numbers(3, 2))),
    Sample(np.inner, (real(3), spread(3))),
    Sample(np.inner, (1.5, real(2, 3))),
    Sample(np.inner, (real(2, 3), real(4, 3))),
    Sample(np.inner, (real(2, 3), real(3))),
    Sample(np.inner, (real(3), real(2, 3))),
    Sample(np.inner, (real(2, 4, 3), real(5, 3))),
    Sample(np.inner, (real(3), real(2, 4, 3))),
    Sample(np.outer, (real(3), real(4))),
    Sample(np.outer, (real(2, 3), real(4))),
    Sample(np.outer, (1.5, real(4))),
    Sample(np.outer, (complex_numbers(2), complex_numbers(3))),
    Sample(np.vdot, (real(3), spread(3))),
    Sample(np.vdot, (real(2, 3), real(2, 3))),
    Sample(np.vdot, (real(2, 3), real(6))),
    Sample(np.vdot, (complex_numbers(3), complex_numbers(3) + 1)),
    Sample(np.kron, (real(2), real(3))),
    Sample(np.kron, (real(2, 3), real(4, 2))),
    Sample(np.kron, (real(2), real(3, 2))),
    Sample(np.kron, (real(2, 2, 3), real(2, 2))),
    Sample(np.kron, (1.5, real(2, 2))),
    Sample(np.kron, (complex_numbers(2, 1), complex_numbers(1, 2))),
    Sample(np.cross, (real(3), spread(3))),
    Sample(np.cross, (real(4, 3), real(3))),
    Sample(np.cross, (real(3, 4), spread(3, 4)), {"axis": 0}),
    Sample(np.cross, (real(3, 4), real(2, 4, 3), 0, 2, 1)),
    # tensordot
    Sample(np.tensordot, (real(2, 3), real(2, 3))),
    Sample(np.tensordot, (real(2, 3), real(3, 4), 1)),
    Sample(np.tensordot, (real(2), real(3), 0)),
    Sample(np.tensordot, (real(2, 3, 4), real(3, 4, 5))),
    Sample(np.tensordot, (real(2, 3, 4), real(4, 2, 5), ((0, 2), (1, 0)))),
    Sample(np.tensordot, (real(2, 3, 4), real(5, 3), (1, 1))),
    Sample(np.tensordot, (real(2, 3), real(4, 3), ([-1], [-1]))),
    Sample(np.tensordot, (real(2, 3, 4), real(4, 3, 2), ((0, 1, 2), (2, 1, 0)))),
    Sample(np.tensordot, (complex_numbers(2, 3), complex_numbers(3, 2), 1)),
    # einsum
    Sample(np.einsum, ("i,i->", real(3), spread(3))),
    Sample(np.einsum, ("ij,jk->ik", real(2, 3), real(3, 4))),
    Sample(np.einsum, ("ij, jk", real(2, 3), real(3, 4))),
    Sample(np.einsum, ("ji,kj", real(2, 3), real(4, 2))),
    Sample(np.einsum, ("ij,ij->", real(2, 3), spread(2, 3))),
    Sample(np.einsum, ("ij,kj->i", real(2, 3), real(4, 3))),
    Sample(np.einsum, ("ij->j", real(2, 3))),
    Sample(np.einsum, ("ij->ji", real(2, 3))),
    Sample(np.einsum, ("ij->", real(2, 3))),
    Sample(np.einsum, ("ii", real(3, 3))),
    Sample(np.einsum, ("ii->i", real(3, 3))),
    Sample(np.einsum, ("iij->j", real(3, 3, 2))),
    Sample(np.einsum, ("iii->i", real(3, 3, 3))),
    Sample(np.einsum, ("iij,jk->k", real(3, 3, 2), real(2, 4))),
    Sample(np.einsum, ("i,j->ij", real(3), real(2))),
    Sample(np.einsum, (",i->i", 1.5, real(3))),
    Sample(np.einsum, ("ij,j,jk->ik", real(2, 3), real(3), real(3, 2))),
    Sample(np.einsum, ("bij,bjk,k->bi", real(2, 3, 2), real(2, 2, 3), real(3))),
    Sample(np.einsum, ("...ij,...jk->...ik", real(2, 2, 3), real(3, 2))),
    Sample(np.einsum, ("...i,...i", real(2, 3), real(4, 1, 3))),
    Sample(np.einsum, ("i...->...", real(3, 2))),
    Sample(np.einsum, ("...,...", real(2, 3), real(3))),
    Sample(np.einsum, ("...ii->...i", real(2, 3, 3))),
    Sample(
        np.einsum,
        ("ij,jk,kl->il", real(2, 3), real(3, 4), real(4, 2)),
        {"optimize": True},
    ),
    Sample(np.einsum, ("ij,jk->ik", complex_numbers(2, 3), complex_numbers(3, 2))),
    Sample(np.linalg.multi_dot, ([real(2, 3), real(3, 4)],), wrt=(0,)),
    Sample(np.linalg.multi_dot, ([real(2, 3), real(3, 4), real(4, 2)],), wrt=(0,)),
    Sample(
        np.linalg.multi_dot,
        ([real(2, 3), real(3, 4), real(4, 2), real(2, 3)],),
        wrt=(0,),
    ),
]

for _operator in (np.matmul, operator.matmul, *existing("linalg.matmul")):
    SAMPLES += [
        Sample(_operator, (real(2, 3), real(3, 4))),
        Sample(_operator, (real(5, 2, 3), real(5, 3, 4))),
        Sample(_operator, (complex_numbers(2, 3), complex_numbers(3, 2))),
    ]
for _operator in (np.matmul, operator.matmul):
    SAMPLES += [
        Sample(_operator, (real(3), spread(3))),
        Sample(_operator, (real(2, 3), real(3))),
        Sample(_operator, (real(3), real(3, 2))),
        Sample(_operator, (real(5, 2, 3), real(3))),
        Sample(_operator, (real(3), real(5, 3, 2))),
        Sample(_operator, (real(5, 2, 3), real(3, 4))),
        Sample(_operator, (real(2, 3), real(5, 3, 4))),
        Sample(_operator, (real(2, 1, 2, 3), real(5, 3, 2))),
        Sample(_operator, (real(2, 4, 2, 3), real(3))),
    ]
for _operator in existing("linalg.outer"):
    SAMPLES += [Sample(_operator, (real(3), real(4)))]
for _operator in existing("linalg.cross"):
    SAMPLES += [
        Sample(_operator, (real(3), spread(3))),
        Sample(_operator, (real(3, 4), spread(3, 4)), {"axis": 0}),
    ]
for _operator in existing("linalg.tensordot"):
    SAMPLES += [Sample(_operator, (real(2, 3), real(3, 4)), {"axes": 1})]
for _operator in existing("vecdot", "linalg.vecdot"):
    SAMPLES += [
        Sample(_operator, (real(3), spread(3))),
        Sample(_operator, (real(2, 3), real(3))),
        Sample(_operator, (real(3, 2), spread(3, 2)), {"axis": 0}),
        Sample(_operator, (complex_numbers(2, 3), complex_numbers(3))),
    ]
for _operator in existing("matvec"):
    SAMPLES += [
        Sample(_operator, (real(2, 3), real(3))),
        Sample(_operator, (real(5, 2, 3), real(3))),
        Sample(_operator, (real(2, 3), real(5, 3))),
    ]
for _operator in existing("vecmat"):
    SAMPLES += [
        Sample(_operator, (real(3), real(3, 2))),
        Sample(_operator, (real(5, 3), real(3, 2))),
        Sample(_operator, (complex_numbers(3), complex_numbers(3, 2))),
    ]


def _squared_length(x):
    return x @ x


def _gram(x):
    return np.trace(x.T @ x)


SPECIAL = [
    Special(
        "one vector as both operands", _squared_length, (spread(3),), (2 * spread(3),)
    ),
    Special("one matrix as both operands", _gram, (spread(2, 3),), (2 * spread(2, 3),)),
]
