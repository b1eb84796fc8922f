"""The other of two modules with the same names in them."""

from __future__ import annotations

import numpy as np

SCALE = 3.0


def transform(x):
    return np.cos(x) * SCALE * x


def _inner(x):
    return x * x * x


def outer(x):
    return _inner(x) * SCALE
