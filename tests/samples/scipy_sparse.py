"""Calls with sparse matrices, which are fixed."""

from __future__ import annotations

import numpy as np
from scipy import sparse
from scipy.sparse import linalg

from autograd_compiler.rules.scipy import sparse as rules
from samples import Sample, spread

matrix = sparse.csc_array(np.array([[4.0, 2, 0], [0, 3, 3], [1, 0, 5]]))
ROWS, COLUMNS = np.array([0, 1, 2, 2]), np.array([1, 2, 0, 2])

SAMPLES = [
    Sample(linalg.spsolve, (matrix, spread(3)), wrt=(1,), name="vector"),
    Sample(linalg.spsolve, (matrix, spread(3, 2)), wrt=(1,), name="matrix"),
    # matrices by their elements
    Sample(rules.sparse_product, (spread(4), ROWS, COLUMNS, 3, spread(3, seed=1))),
    Sample(rules.sparse_product, (spread(4), ROWS, COLUMNS, 4, spread(3, 2, seed=1))),
    Sample(rules.sparse_solution, (spread(4) + 2.0, ROWS, COLUMNS, spread(3, seed=1))),
    Sample(rules.sparse_solution, (spread(4) + 2.0, ROWS, COLUMNS, spread(3, 2))),
]
