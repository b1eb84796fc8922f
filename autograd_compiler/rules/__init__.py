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

_OF_SCIPY = {
    "scipy.special": ("special", "orders", "incomplete"),
    "scipy.stats": ("stats",),
    "scipy.linalg": ("linalg", "factors", "structured"),
    "scipy.fft": ("fft",),
    "scipy.signal": ("signal", "spectra"),
    "scipy.integrate": ("integrate",),
    "scipy.interpolate": ("interpolate", "splines"),
    "scipy.optimize": ("optimize",),
    "scipy.ndimage": ("ndimage", "resampling"),
    "scipy.sparse": ("sparse",),
}
_REFUSED = (
    *("special", "linalg", "fft", "signal", "interpolate", "ndimage", "stats"),
    *("sparse", "sparse.linalg"),
)
for _library in _REFUSED:
    _file = f"refused.{_library.replace('.', '_')}"
    _known = _OF_SCIPY.get(f"scipy.{_library}", ())
    _OF_SCIPY[f"scipy.{_library}"] = (*_known, _file)
for _library, _files in _OF_SCIPY.items():
    registry.when_imported(_library, *(f"{__name__}.scipy.{_file}" for _file in _files))

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
