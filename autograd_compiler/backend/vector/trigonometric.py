"""Sine, cosine and arctangent without branches, so that LLVM vectorises them.

The multiple of pi/2 is subtracted in three parts, as Cody and Waite do (Software Manual
for the Elementary Functions, 1980): that is exact up to a million.  Beyond, some hundred
digits of pi would have to be looked up, which costs more than vectors save.  Sine and
cosine are then those of a number that differs from x in the last place, and from 2**50
on those of 0.  So they are for `fastmath=True` alone; the C library's are right for all
numbers.  `tools/minimax.py` has the coefficients.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd_compiler.backend.vector.inlined import inlined


@inlined("contract")
def sin_or_cos(x: Any, quarters: Any) -> Any:
    """sin(x + quarters * pi / 2)."""
    # From 2**50 on, no whole number of quarters is found.
    y = x if abs(x) < 1125899906842624.0 else x - x
    shifted = y * 0.6366197723675814 + 6755399441055744.0
    k = shifted - 6755399441055744.0
    reduced = y - k * 1.5707963267341256
    below = k * 6.077100506303966e-11
    last = k * 2.0222662487959506e-21
    middle = reduced - below
    r = middle - last
    tail = ((middle - r) - last) + ((reduced - middle) - below)
    z = r * r
    p = 1.5896811697386744e-10
    p = -2.5050758382251443e-08 + z * p
    p = 2.755731369355535e-06 + z * p
    p = -0.00019841269829812313 + z * p
    p = 0.008333333333322418 + z * p
    p = -0.16666666666666632 + z * p
    sine = r + (r * z * p + tail * (1.0 - 0.5 * z))
    p = -1.1359658960080918e-11
    p = 2.0875723481389044e-09 + z * p
    p = -2.7557314353806936e-07 + z * p
    p = 2.4801587289487073e-05 + z * p
    p = -0.0013888888888874131 + z * p
    p = 0.0416666666666666 + z * p
    cosine = 1.0 - (0.5 * z - (z * z * p - r * tail))
    turns = np.float64(shifted).view(np.int64) + quarters
    value = cosine if turns & 1 else sine
    sign = (turns & 2) << 62
    return np.int64(np.float64(value).view(np.int64) ^ sign).view(np.float64)


@inlined("contract")
def vector_sin(x: Any) -> Any:
    """sin(x), within 2 units in the last place for |x| < 1e6."""
    return x if abs(x) < 1e-8 else sin_or_cos(x, 0)


@inlined("contract")
def vector_cos(x: Any) -> Any:
    """cos(x), within 2 units in the last place for |x| < 1e6."""
    return sin_or_cos(x, 1)


@inlined("contract")
def vector_arctan(x: Any) -> Any:
    """arctan(x), within 2 units in the last place."""
    y = abs(x)
    # arctan(y) - arctan(c) = arctan((y - c) / (1 + c y)), with c = 0, 1 or infinity.
    small = y < 0.6
    large = y > 1.6666666666666667
    above = -1.0 if large else y - 1.0
    above = y if small else above
    below = y if large else y + 1.0
    below = 1.0 if small else below
    head = 1.5707963267948966 if large else 0.7853981633974483
    head = 0.0 if small else head
    tail = 6.123233995736766e-17 if large else 3.061616997868383e-17
    tail = 0.0 if small else tail
    t = above / below
    z = t * t
    p = 0.0037120908822597695
    p = -0.013978393493514875 + z * p
    p = 0.027197346391500087 + z * p
    p = -0.0382734958638818 + z * p
    p = 0.046066527110201795 + z * p
    p = -0.052291167218120785 + z * p
    p = 0.05876885184777587 + z * p
    p = -0.06666030353569428 + z * p
    p = 0.07692255142584493 + z * p
    p = -0.09090906114400717 + z * p
    p = 0.11111111001578373 + z * p
    p = -0.1428571428331822 + z * p
    p = 0.1999999999997346 + z * p
    p = -0.3333333333333323 + z * p
    value = head + (t + (t * z * p + tail))
    sign = np.float64(x).view(np.int64) & -9223372036854775808
    return np.int64(np.float64(value).view(np.int64) | sign).view(np.float64)
