"""The derivatives of all operators; importing this package fills the table."""

from autograd_compiler.rules import (
    decompositions,
    elementwise,
    fft,
    helpers,
    indexing,
    linalg,
    norms,
    products,
    reductions,
    scalars,
    shaping,
    zero,
)

__all__ = [
    "decompositions",
    "elementwise",
    "fft",
    "helpers",
    "indexing",
    "linalg",
    "norms",
    "products",
    "reductions",
    "scalars",
    "shaping",
    "zero",
]
