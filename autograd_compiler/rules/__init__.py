"""The derivatives of all operators; importing this package fills the table.

Rules for SciPy follow when the program has imported the part of SciPy that they are for.
"""

from autograd_compiler.rules import (
    applying,
    calculus,
    decompositions,
    elementwise,
    fft,
    helpers,
    indexing,
    joining,
    linalg,
    norms,
    options,
    products,
    ranges,
    reductions,
    refusals,
    registry,
    scalars,
    shaping,
    statistics,
    zero,
)

for _part in (
    *("special", "linalg", "stats", "fft", "signal"),
    *("integrate", "interpolate", "ndimage"),
):
    registry.when_imported(f"scipy.{_part}", f"autograd_compiler.rules.scipy.{_part}")

registry.when_imported("scipy.sparse.linalg", "autograd_compiler.rules.scipy.sparse")

__all__ = [
    "applying",
    "calculus",
    "decompositions",
    "elementwise",
    "fft",
    "helpers",
    "indexing",
    "joining",
    "linalg",
    "norms",
    "options",
    "products",
    "ranges",
    "reductions",
    "refusals",
    "registry",
    "scalars",
    "shaping",
    "statistics",
    "zero",
]
