"""Sparse systems of equations: `scipy.sparse.linalg`, for a fixed matrix.

The product `A @ x` needs no rule of its own: it is that of dense matrices.
"""

from __future__ import annotations

from typing import Any

from scipy.sparse import linalg

from autograd_compiler.rules.registry import linear


@linear(linalg.spsolve, wrt="b")
def spsolve_adjoint(d_y: Any, A: Any, b: Any) -> Any:
    return linalg.spsolve(A.T, d_y)
