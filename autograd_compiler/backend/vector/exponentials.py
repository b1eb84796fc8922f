"""exp and its kin without branches, so that LLVM puts them into vector instructions.

`x = k log(2) + r` with |r| <= log(2) / 2: `exp(r)` is a polynomial, `2**k` is made of
bits.  The multiple of log(2) is subtracted in two parts, as Cody and Waite do (Software
Manual for the Elementary Functions, 1980); where the difference is from 1, and not the
exponential, what the second part leaves over is kept in a correction.  The sums of head
and tail are Dekker's (1971).  `tools/minimax.py` has the coefficients.

A number is rounded by adding 1.5 * 2**52, which leaves no bits behind the point, and
stands in the last bits of the sum.  NaN goes through all comparisons unharmed.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd_compiler.backend.vector.inlined import inlined


@inlined("contract")
def exp_tail(r: Any) -> Any:
    """exp(r) - 1 - r, for |r| <= log(2) / 2."""
    p = 2.091812988660952e-09
    p = 2.5100377213783225e-08 + r * p
    p = 2.755726433630858e-07 + r * p
    p = 2.755726847699201e-06 + r * p
    p = 2.4801587333933664e-05 + r * p
    p = 0.00019841269863043036 + r * p
    p = 0.0013888888888880949 + r * p
    p = 0.008333333333330063 + r * p
    p = 0.04166666666666667 + r * p
    p = 0.16666666666666669 + r * p
    return r * r * (0.5 + r * p)


@inlined("contract")
def two_to(k: Any) -> Any:
    """2.0**k, for an integer k from -1022 to 1023."""
    return np.int64((k + 1023) << 52).view(np.float64)


@inlined("contract")
def vector_exp(x: Any) -> Any:
    """exp(x), within 2 units in the last place."""
    x = 710.0 if x > 710.0 else x
    x = -746.0 if x < -746.0 else x
    shifted = x * 1.4426950408889634 + 6755399441057792.0
    k = shifted - 6755399441057792.0
    r = (x - k * 0.6931471803691238) - k * 1.9082149292705877e-10
    # In two steps, since 2**k may lie beyond the normal numbers.
    bits = np.float64(shifted).view(np.int64) & 4095
    half = bits >> 1
    y = 1.0 + (r + exp_tail(r))
    return y * two_to(half - 1024) * two_to(bits - half - 1024)


@inlined("contract")
def vector_exp2(x: Any) -> Any:
    """2**x, within 2 units in the last place."""
    x = 1025.0 if x > 1025.0 else x
    x = -1076.0 if x < -1076.0 else x
    shifted = x + 6755399441057792.0
    r = (x - (shifted - 6755399441057792.0)) * 0.6931471805599453
    bits = np.float64(shifted).view(np.int64) & 4095
    half = bits >> 1
    y = 1.0 + (r + exp_tail(r))
    return y * two_to(half - 1024) * two_to(bits - half - 1024)


@inlined("contract")
def reduced(x: Any) -> Any:
    """k + 2048, r and exp(r) - 1 - r, where x is k log(2) + r, with r's own rest."""
    # 2048 more, so that the last 12 bits are no negative number.
    shifted = x * 1.4426950408889634 + 6755399441057792.0
    k = shifted - 6755399441057792.0
    first = x - k * 0.6931471803691238
    second = k * 1.9082149292705877e-10
    r = first - second
    tail = exp_tail(r) + ((first - r) - second)
    return np.float64(shifted).view(np.int64) & 4095, r, tail


@inlined("contract")
def vector_expm1(x: Any) -> Any:
    """exp(x) - 1, within 2 units in the last place."""
    tiny = abs(x) < 5.551115123125783e-17
    y = 710.0 if x > 710.0 else x
    y = -50.0 if y < -50.0 else y
    bits, r, tail = reduced(y)
    # Half of it, since 2**k may be infinite where 2**k * exp(r) - 1 is not.
    scale = two_to(bits - 2049)
    head = (scale - 0.5) + scale * r
    rest = scale * r - (head - (scale - 0.5))
    return x if tiny else 2.0 * (head + (rest + scale * tail))


@inlined("contract")
def vector_tanh(x: Any) -> Any:
    """tanh(x), within 2 units in the last place."""
    # (exp(y) - 1) / (exp(y) + 1), above and below as the sum of head and tail.
    y = 2.0 * abs(x)
    y = 44.0 if y > 44.0 else y
    bits, r, tail = reduced(y)
    scale = two_to(bits - 2048)
    high = (scale - 1.0) + scale * r
    low = (scale * r - (high - (scale - 1.0))) + scale * tail
    above = high + low
    above_tail = low - (above - high)
    high = (scale + 1.0) + scale * r
    low = (scale * r - (high - (scale + 1.0))) + scale * tail
    below = high + low
    below_tail = low - (below - high)
    inverse = 1.0 / below
    t = above * inverse
    t = t + ((above - t * below) + (above_tail - t * below_tail)) * inverse
    return with_sign(t, x)


@inlined("contract")
def vector_sinh(x: Any) -> Any:
    """sinh(x), within 2 units in the last place."""
    y = abs(x)
    tiny = y < 1e-9
    y = 710.5 if y > 710.5 else y
    bits, r, tail = reduced(y)
    # A quarter of exp(y) - 1, which is finite where the result is.
    scale = two_to(bits - 2050)
    high = (scale - 0.25) + scale * r
    low = (scale * r - (high - (scale - 0.25))) + scale * tail
    quarter = high + low
    rest = low - (quarter - high)
    t = 2.0 * (quarter + (rest + quarter / (4.0 * quarter + 1.0)))
    return x if tiny else with_sign(t, x)


@inlined("contract")
def vector_cosh(x: Any) -> Any:
    """cosh(x), within 2 units in the last place."""
    y = abs(x)
    y = 710.5 if y > 710.5 else y
    shifted = y * 1.4426950408889634 + 6755399441057792.0
    k = shifted - 6755399441057792.0
    r = (y - k * 0.6931471803691238) - k * 1.9082149292705877e-10
    scale = two_to((np.float64(shifted).view(np.int64) & 4095) - 2050)
    quarter = scale + scale * (r + exp_tail(r))
    return 2.0 * (quarter + 0.0625 / quarter)


@inlined("contract")
def with_sign(y: Any, x: Any) -> Any:
    """y >= 0 with the sign of x."""
    sign = np.float64(x).view(np.int64) & -9223372036854775808
    return np.int64(np.float64(y).view(np.int64) | sign).view(np.float64)
