"""Calls with sparse matrices, which are fixed."""

from __future__ import annotations

import numpy as np
from scipy import sparse
from scipy.sparse import linalg

from samples import Sample, spread

matrix = sparse.csc_array(np.array([[4.0, 2, 0], [0, 3, 3], [1, 0, 5]]))

SAMPLES = [
    Sample(linalg.spsolve, (matrix, spread(3)), wrt=(1,), name="vector"),
    Sample(linalg.spsolve, (matrix, spread(3, 2)), wrt=(1,), name="matrix"),
]
