"""Calls of the operators that reshape, reorder, join, split, repeat and copy."""

from __future__ import annotations

import numpy as np

from autograd_compiler.rules.static import existing
from samples import Sample, Special, spread

VECTOR = spread(6)
MATRIX = spread(3, 4)
CUBE = spread(2, 3, 4)
COMPLEX = MATRIX + 1j * spread(3, 4, seed=1)

SAMPLES = [
    Sample(np.pad, (spread(3), 2, "constant"), {"constant_values": 0.3}),
    Sample(np.asarray_chkfinite, (spread(2, 3),)),
    Sample(np.require, (spread(2, 3),), {"requirements": "F"}),
    Sample(np.reshape, (VECTOR, (2, 3))),
    Sample(np.reshape, (CUBE, -1)),
    Sample(np.reshape, (CUBE, (4, 6)), {"order": "F"}),
    Sample(np.reshape, (COMPLEX, (2, 6))),
    Sample(np.ravel, (MATRIX,)),
    Sample(np.ravel, (MATRIX, "F")),
    Sample(np.transpose, (MATRIX,)),
    Sample(np.transpose, (CUBE,)),
    Sample(np.transpose, (CUBE, (1, 2, 0))),
    Sample(np.transpose, (CUBE, (-1, 0, 1))),
    Sample(np.swapaxes, (CUBE, 0, -1)),
    Sample(np.moveaxis, (CUBE, 0, -1)),
    Sample(np.moveaxis, (CUBE, (0, 1), (-1, 0))),
    Sample(np.rollaxis, (CUBE, 2)),
    Sample(np.rollaxis, (CUBE, 0, 3)),
    Sample(np.rollaxis, (CUBE, -1, -2)),
    Sample(np.expand_dims, (VECTOR, 0)),
    Sample(np.expand_dims, (MATRIX, (0, -1))),
    Sample(np.squeeze, (spread(1, 3, 1),)),
    Sample(np.squeeze, (spread(1, 3, 1), 0)),
    Sample(np.squeeze, (spread(1, 3, 1), (0, -1))),
    Sample(np.atleast_1d, (1.5,)),
    Sample(np.atleast_1d, (VECTOR,)),
    Sample(np.atleast_2d, (VECTOR,)),
    Sample(np.atleast_2d, (VECTOR, MATRIX)),
    Sample(np.atleast_3d, (VECTOR,)),
    Sample(np.atleast_3d, (MATRIX,)),
    Sample(np.broadcast_to, (1.5, (2, 3))),
    Sample(np.broadcast_to, (spread(3), (2, 3))),
    Sample(np.broadcast_to, (spread(3, 1), (2, 3, 4))),
    Sample(np.broadcast_arrays, (spread(3), spread(2, 1))),
    Sample(np.meshgrid, (spread(3), spread(2))),
    Sample(np.meshgrid, (spread(3), spread(2), spread(4))),
    Sample(np.meshgrid, (spread(3), spread(2)), {"indexing": "ij", "sparse": True}),
    # order
    Sample(np.roll, (VECTOR, 2)),
    Sample(np.roll, (MATRIX, 1)),
    Sample(np.roll, (MATRIX, -1, 0)),
    Sample(np.roll, (MATRIX, (1, -2), (0, 1))),
    Sample(np.flip, (MATRIX,)),
    Sample(np.flip, (MATRIX, 0)),
    Sample(np.flip, (CUBE, (0, -1))),
    Sample(np.fliplr, (MATRIX,)),
    Sample(np.flipud, (MATRIX,)),
    Sample(np.rot90, (MATRIX,)),
    Sample(np.rot90, (CUBE, 3, (1, 2))),
    # joining
    Sample(np.concatenate, ((VECTOR, spread(2), spread(4)),), wrt=(0,)),
    Sample(np.concatenate, ([MATRIX, spread(2, 4)], 0), wrt=(0,)),
    Sample(np.concatenate, ((MATRIX, spread(3, 2)), 1), wrt=(0,)),
    Sample(np.concatenate, ((MATRIX, spread(3, 2)),), {"axis": -1}, wrt=(0,)),
    Sample(np.concatenate, ((MATRIX, VECTOR), None), wrt=(0,)),
    Sample(np.concatenate, (CUBE,)),
    Sample(np.concatenate, (CUBE, 1)),
    Sample(np.stack, ((VECTOR, spread(6, seed=1)),), wrt=(0,)),
    Sample(np.stack, ([0.5, 1.5, 2.5],), wrt=(0,)),
    Sample(np.stack, ((MATRIX, spread(3, 4, seed=1)), 1), wrt=(0,)),
    Sample(np.stack, ((MATRIX, spread(3, 4, seed=1)), -1), wrt=(0,)),
    Sample(np.stack, (MATRIX, 1)),
    Sample(np.vstack, ((spread(4), MATRIX),), wrt=(0,)),
    Sample(np.vstack, ([VECTOR, spread(6, seed=1)],), wrt=(0,)),
    Sample(np.vstack, (CUBE,)),
    Sample(np.hstack, ((VECTOR, spread(2)),), wrt=(0,)),
    Sample(np.hstack, ((0.5, VECTOR),), wrt=(0,)),
    Sample(np.hstack, ((MATRIX, spread(3, 2)),), wrt=(0,)),
    Sample(np.hstack, (CUBE,)),
    Sample(np.hstack, (MATRIX,)),
    Sample(np.dstack, ((VECTOR, spread(6, seed=1)),), wrt=(0,)),
    Sample(np.dstack, ((MATRIX, spread(3, 4, 2)),), wrt=(0,)),
    Sample(np.column_stack, ((spread(3), MATRIX),), wrt=(0,)),
    Sample(np.column_stack, ([VECTOR, spread(6, seed=1)],), wrt=(0,)),
    Sample(
        np.block,
        ([[spread(2, 2), spread(2, 3)], [spread(1, 2), spread(1, 3)]],),
        wrt=(0,),
    ),
    Sample(np.block, ([VECTOR, 0.5],), wrt=(0,)),
    Sample(np.append, (VECTOR, 0.5)),
    Sample(np.append, (MATRIX, spread(2, 2))),
    Sample(np.append, (MATRIX, spread(1, 4), 0)),
    Sample(np.append, (MATRIX, spread(3, 2)), {"axis": 1}),
    Sample(np.insert, (VECTOR, 2, 0.5)),
    Sample(np.insert, (VECTOR, [4, 1], spread(2))),
    Sample(np.insert, (MATRIX, 1, spread(4), 0)),
    Sample(np.insert, (MATRIX, [0, 3], 0.5, 1)),
    Sample(np.delete, (VECTOR, 2)),
    Sample(np.delete, (MATRIX, [0, 2], 1)),
    # splitting
    Sample(np.split, (VECTOR, 3)),
    Sample(np.split, (MATRIX, [1, 3], 1)),
    Sample(np.array_split, (VECTOR, 4)),
    Sample(np.hsplit, (VECTOR, 2)),
    Sample(np.hsplit, (MATRIX, 2)),
    Sample(np.vsplit, (MATRIX, [1])),
    Sample(np.dsplit, (CUBE, 2)),
    # repetition
    Sample(np.tile, (1.5, 3)),
    Sample(np.tile, (VECTOR, 3)),
    Sample(np.tile, (VECTOR, (2, 3))),
    Sample(np.tile, (MATRIX, 2)),
    Sample(np.tile, (MATRIX, (2, 3))),
    Sample(np.tile, (CUBE, (3, 1))),
    Sample(np.repeat, (1.5, 3)),
    Sample(np.repeat, (VECTOR, 2)),
    Sample(np.repeat, (MATRIX, 2)),
    Sample(np.repeat, (VECTOR, 2, 0)),
    Sample(np.repeat, (MATRIX, 3, 0)),
    Sample(np.repeat, (CUBE, 3, -1)),
    Sample(np.repeat, (VECTOR, [1, 0, 2, 1, 3, 0])),
    Sample(np.repeat, (MATRIX, np.array([2, 0, 1]), 0)),
    Sample(np.resize, (VECTOR, (3, 3))),
    Sample(np.resize, (MATRIX, 5)),
    # padding
    Sample(np.pad, (VECTOR, 2)),
    Sample(np.pad, (VECTOR, (0, 2))),
    Sample(np.pad, (MATRIX, 1)),
    Sample(np.pad, (MATRIX, ((1, 0), (2, 3)))),
    Sample(np.pad, (CUBE, ((1, 2),)), {"constant_values": 5}),
    Sample(np.pad, (VECTOR, 2), {"mode": "edge"}),
    Sample(np.pad, (MATRIX, ((1, 2), (0, 3)), "reflect")),
    Sample(np.pad, (MATRIX, 2, "symmetric")),
    Sample(np.pad, (MATRIX, (7, 5), "wrap")),
    # diagonals
    Sample(np.diag, (spread(3),)),
    Sample(np.diag, (spread(3), 1)),
    Sample(np.diag, (spread(3), -2)),
    Sample(np.diag, (MATRIX,)),
    Sample(np.diag, (MATRIX, 2)),
    Sample(np.diag, (MATRIX, -1)),
    Sample(np.diagonal, (MATRIX,)),
    Sample(np.diagonal, (MATRIX, 1)),
    Sample(np.diagonal, (CUBE,)),
    Sample(np.diagonal, (CUBE, -1, 2, 0)),
    Sample(np.diagflat, (VECTOR,)),
    Sample(np.diagflat, (spread(2, 2), 1)),
    Sample(np.tril, (MATRIX,)),
    Sample(np.tril, (CUBE, 1)),
    Sample(np.tril, (spread(3),)),
    Sample(np.triu, (MATRIX, -1)),
    # copies
    Sample(np.array, (MATRIX,)),
    Sample(np.array, (1.5,)),
    Sample(np.array, ([0.5, 1.5, 2.5],), wrt=(0,)),
    Sample(np.array, ([[0.5, 1.5], (2.5, 3.5)],), wrt=(0,), name="nested"),
    Sample(np.array, ([VECTOR, spread(6, seed=1)],), wrt=(0,)),
    Sample(np.array, (VECTOR,), {"ndmin": 2}),
    Sample(np.asarray, (MATRIX,)),
    Sample(np.asarray, (MATRIX,), {"dtype": float}, name="dtype"),
    Sample(np.asarray, ([0.5, 1.5],), wrt=(0,)),
    Sample(np.asanyarray, (MATRIX,)),
    Sample(np.ascontiguousarray, (MATRIX.T,)),
    Sample(np.asfortranarray, (MATRIX,)),
    Sample(np.copy, (MATRIX,)),
    Sample(np.copy, (COMPLEX,)),
]

for _operator in existing("matrix_transpose", "linalg.matrix_transpose"):
    SAMPLES += [Sample(_operator, (MATRIX,)), Sample(_operator, (CUBE,))]
for _operator in existing("linalg.diagonal", "linalg.trace"):
    SAMPLES += [
        Sample(_operator, (MATRIX,)),
        Sample(_operator, (MATRIX,), {"offset": 1}),
        Sample(_operator, (CUBE,), {"offset": -1}),
    ]
for _operator in existing("unstack"):
    SAMPLES += [Sample(_operator, (MATRIX,)), Sample(_operator, (CUBE,), {"axis": 1})]
for _operator in existing("astype"):
    SAMPLES += [Sample(_operator, (MATRIX, np.float64), name="same")]


def _halves_joined(x):
    return np.concatenate((x[:2], x[:2], x[2:]))


def _repeated_none(x):
    return np.repeat(x, [0, 1, 2])


def _padded_by_zero(x):
    return np.pad(x, ((0, 0), (1, 0)))


SPECIAL = [
    Special(
        "an element joined twice", _halves_joined, (spread(3),), ([2.0, 2.0, 1.0],)
    ),
    Special("an element repeated no time", _repeated_none, (spread(3),), ([0, 1, 2],)),
    Special("a width of zero", _padded_by_zero, (spread(2, 2),), (np.ones((2, 2)),)),
]
