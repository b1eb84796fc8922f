"""Logarithms without branches, so that LLVM puts them into vector instructions.

`x = 2**k * (1 + f)` with 1 + f between sqrt(1/2) and sqrt(2), by bits.  With `s = f / (2
+ f)`, `log(1 + f) = log((1 + s) / (1 - s))` is a polynomial in s, of which the first terms
are computed as `f - f**2 / 2`: then nothing is lost where f is small (Tang, ACM TOMS 16,
1990; Muller, Elementary Functions, chapter 11).  `tools/minimax.py` has the coefficients.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd_compiler.backend.vector.inlined import inlined


@inlined("contract")
def log_tail(f: Any) -> Any:
    """log(1 + f) - f + f**2 / 2, for 1 + f from sqrt(1/2) to sqrt(2)."""
    s = f / (2.0 + f)
    z = s * s
    p = 0.14795949478481474
    p = 0.15314050623490924 + z * p
    p = 0.18183564320816914 + z * p
    p = 0.22222198573351978 + z * p
    p = 0.2857142874238511 + z * p
    p = 0.3999999999941469 + z * p
    p = 0.6666666666666734 + z * p
    return s * (0.5 * f * f + z * p)


@inlined("contract")
def split_normal(x: Any) -> Any:
    """k and f, where x is 2**k * (1 + f), 1 + f from sqrt(1/2) to sqrt(2)."""
    bits = np.float64(x).view(np.int64)
    biased = (bits + 0x9_5F61_9980_C433) >> 52  # k + 1023
    # k as a float: its bits behind those of 2**52.
    k = np.int64(biased | 0x4330_0000_0000_0000).view(np.float64) - 4503599627371519.0
    return k, np.int64(bits - ((biased - 1023) << 52)).view(np.float64) - 1.0


@inlined("contract")
def split(x: Any) -> Any:
    """The same, of subnormal numbers too."""
    subnormal = x < 2.2250738585072014e-308
    k, f = split_normal(x * 18014398509481984.0 if subnormal else x)
    return k - 54.0 if subnormal else k, f


@inlined("contract")
def vector_log(x: Any) -> Any:
    """log(x), within 2 units in the last place."""
    k, f = split(x)
    low = log_tail(f) + k * 1.9082149292705877e-10
    y = k * 0.6931471803691238 - ((0.5 * f * f - low) - f)
    return log_at_limits(x, y)


@inlined("contract")
def log_at_limits(x: Any, y: Any) -> Any:
    """y, but what a logarithm is of numbers that are not positive or not finite."""
    y = y if x < np.inf else x
    y = -np.inf if x == 0.0 else y
    return np.nan if x < 0.0 else y


@inlined("contract")
def vector_log1p(x: Any) -> Any:
    """log(1 + x), within 2 units in the last place."""
    y = 1.0 + x
    k, f = split_normal(y)
    lost = x - (y - 1.0) if x < 1.0 else 1.0 - (y - x)
    low = log_tail(f) + (k * 1.9082149292705877e-10 + lost / y)
    z = k * 0.6931471803691238 - ((0.5 * f * f - low) - f)
    z = x if abs(x) < 5.551115123125783e-17 else z
    return log_at_limits(y, z)


@inlined("contract")
def vector_log2(x: Any) -> Any:
    """log2(x), within 2 units in the last place; exact for powers of 2."""
    k, f = split(x)
    head = upper_half(f - 0.5 * f * f)
    tail = ((f - head) - 0.5 * f * f) + log_tail(f)
    # log2(e), with a head short enough for an exact product.
    high = head * 1.4426950407214463
    low = (tail + head) * 1.6751713164886512e-10 + tail * 1.4426950407214463
    y = k + high
    return log_at_limits(x, y + (((k - y) + high) + low))


@inlined("contract")
def vector_log10(x: Any) -> Any:
    """log10(x), within 2 units in the last place."""
    k, f = split(x)
    head = upper_half(f - 0.5 * f * f)
    tail = ((f - head) - 0.5 * f * f) + log_tail(f)
    high = head * 0.4342944818781689
    low = (tail + head) * 2.5082946711645275e-11 + tail * 0.4342944818781689
    whole = k * 0.30102999566383914
    y = whole + high
    low = low + k * 1.42050232272661e-13
    return log_at_limits(x, y + (((whole - y) + high) + low))


@inlined("contract")
def upper_half(x: Any) -> Any:
    """x without the last 32 bits of its significand."""
    return np.int64(np.float64(x).view(np.int64) & -4294967296).view(np.float64)
