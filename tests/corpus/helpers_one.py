"""One of two modules with the same names in them; see `calls.py`."""

from __future__ import annotations

import numpy as np

SCALE = 2.0


def transform(x):
    return np.sin(x) * SCALE


def _inner(x):
    return x * x


def outer(x):
    return _inner(x) + SCALE
