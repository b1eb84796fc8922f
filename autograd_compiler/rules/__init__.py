"""The derivatives of all operators; importing this package fills the table."""

from autograd_compiler.rules import (
    elementwise,
    fft,
    helpers,
    indexing,
    linalg,
    products,
    reductions,
    scalars,
    shaping,
    zero,
)

__all__ = [
    "elementwise",
    "fft",
    "helpers",
    "indexing",
    "linalg",
    "products",
    "reductions",
    "scalars",
    "shaping",
    "zero",
]
