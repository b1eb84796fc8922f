"""The derivatives of all operators; importing this package fills the table."""

from autograd_compiler.rules import (
    elementwise,
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
    "helpers",
    "indexing",
    "linalg",
    "products",
    "reductions",
    "scalars",
    "shaping",
    "zero",
]
