"""Adapters of libraries that are not installed have no doctests to run."""

import importlib.util
from pathlib import Path

_ADAPTERS = Path(__file__).parent / "autograd_compiler" / "interop"
collect_ignore = [
    str(_ADAPTERS / f"{library}.py")
    for library in (
        *("iminuit", "jax", "lightgbm", "lmfit", "nlopt", "pymanopt", "pytensor"),
        *("torch", "xgboost"),
    )
    if importlib.util.find_spec(library) is None
]
