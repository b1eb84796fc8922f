"""Functions of `scipy.fft` that are known and not differentiated."""

from __future__ import annotations

import scipy.fft

from autograd_compiler.rules.registry import refused, zero_derivative
from autograd_compiler.rules.static import those_of

refused(
    those_of(
        scipy.fft,
        "get_workers register_backend set_backend "
        "set_global_backend set_workers skip_backend test",
    ),
    "it is about SciPy itself and not about numbers",
)
refused(
    those_of(scipy.fft, "hfft2 hfftn ihfft2 ihfftn"),
    "write scipy.fft.irfftn of the conjugate, or rfftn",
)
refused(
    those_of(scipy.fft, "fht ifht"),
    "it has no rule; declare one with `custom.partials` or `custom.composed`",
)

# Of whole numbers, or whole numbers themselves.
zero_derivative(*those_of(scipy.fft, "fhtoffset prev_fast_len"))
