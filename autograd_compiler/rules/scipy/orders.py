"""Special functions with an order or a degree: `scipy.special`, continued.

The formulas are those of the NIST Digital Library of Mathematical Functions (DLMF).  An
order or degree is `...` where no formula for its derivative is known, and None where it
is a whole number.  Bessel functions go down and up by one order instead of through
`y / x`, which has no value at zero.
"""

from __future__ import annotations

from typing import Any

from scipy import special

from autograd_compiler.rules.registry import general, partials_with
from autograd_compiler.rules.scipy.special import real_argument

partials = partials_with({"special": special, "real_argument": real_argument})

# ---------------------------------------------------------------- Bessel functions

# DLMF 10.6.1 and 10.29.1, with 10.29.3 for the scaled ones.
partials(special.j0, x="-special.j1(x)")
partials(special.j1, x="(special.j0(x) - special.jv(2, x)) / 2")
partials(special.y0, x="-special.y1(x)")
partials(special.y1, x="(special.y0(x) - special.yv(2, x)) / 2")
partials(special.yn, n=None, x="(special.yv(n - 1, x) - special.yv(n + 1, x)) / 2")
partials(special.i0, x="special.i1(x)")
partials(special.i1, x="(special.i0(x) + special.iv(2, x)) / 2")
partials(special.k0, x="-special.k1(x)")
partials(special.k1, x="-(special.k0(x) + special.kv(2, x)) / 2")
partials(special.kn, n=None, x="-(special.kv(n - 1, x) + special.kv(n + 1, x)) / 2")
partials(special.jv, v=..., z="(special.jv(v - 1, z) - special.jv(v + 1, z)) / 2")
partials(special.yv, v=..., z="(special.yv(v - 1, z) - special.yv(v + 1, z)) / 2")
partials(special.iv, v=..., z="(special.iv(v - 1, z) + special.iv(v + 1, z)) / 2")
partials(special.kv, v=..., z="-(special.kv(v - 1, z) + special.kv(v + 1, z)) / 2")
partials(
    special.hankel1,
    v=...,
    z="(special.hankel1(v - 1, z) - special.hankel1(v + 1, z)) / 2",
)
partials(
    special.hankel2,
    v=...,
    z="(special.hankel2(v - 1, z) - special.hankel2(v + 1, z)) / 2",
)
partials(
    special.hankel1e,
    v=...,
    z="(special.hankel1e(v - 1, z) - special.hankel1e(v + 1, z)) / 2 - 1j * y",
)
partials(
    special.hankel2e,
    v=...,
    z="(special.hankel2e(v - 1, z) - special.hankel2e(v + 1, z)) / 2 + 1j * y",
)
partials(special.i0e, x="special.i1e(x) - sign(x) * y")
partials(special.i1e, x="(special.i0e(x) + special.ive(2, x)) / 2 - sign(x) * y")
partials(special.k0e, x="y - special.k1e(x)")
partials(special.k1e, x="y - (special.k0e(x) + special.kve(2, x)) / 2")
partials(
    special.jve,
    v=...,
    z="(special.jve(v - 1, real_argument(z)) - special.jve(v + 1, z)) / 2",
)
partials(
    special.yve,
    v=...,
    z="(special.yve(v - 1, real_argument(z)) - special.yve(v + 1, z)) / 2",
)
partials(
    special.ive,
    v=...,
    z="(special.ive(v - 1, real_argument(z)) + special.ive(v + 1, z)) / 2"
    " - sign(z) * y",
)
partials(
    special.kve,
    v=...,
    z="y - (special.kve(v - 1, z) + special.kve(v + 1, z)) / 2",
)
# DLMF 10.51.2 and 10.51.5; the factor n takes the order below zero away.
partials(
    special.spherical_jn,
    n=None,
    z="(n * special.spherical_jn(abs(n - 1), z)"
    " - (n + 1) * special.spherical_jn(n + 1, z)) / (2 * n + 1)",
)
partials(
    special.spherical_yn,
    n=None,
    z="(n * special.spherical_yn(abs(n - 1), z)"
    " - (n + 1) * special.spherical_yn(n + 1, z)) / (2 * n + 1)",
)
partials(
    special.spherical_in,
    n=None,
    z="(n * special.spherical_in(abs(n - 1), z)"
    " + (n + 1) * special.spherical_in(n + 1, z)) / (2 * n + 1)",
)
partials(
    special.spherical_kn,
    n=None,
    z="-(n * special.spherical_kn(abs(n - 1), z)"
    " + (n + 1) * special.spherical_kn(n + 1, z)) / (2 * n + 1)",
)
# DLMF 11.4.27, 11.4.28 and the two before them; 2 * 0.564… is 2 / sqrt(pi).
partials(
    special.struve,
    v=...,
    x="(special.struve(v - 1, x) - special.struve(v + 1, x)) / 2"
    " + 0.28209479177387814 * (x / 2) ** v * special.rgamma(v + 1.5)",
)
partials(
    special.modstruve,
    v=...,
    x="(special.modstruve(v - 1, x) + special.modstruve(v + 1, x)) / 2"
    " + 0.28209479177387814 * (x / 2) ** v * special.rgamma(v + 1.5)",
)
# DLMF 10.61.3: x**2 * w'' + x * w' = 1j * x**2 * w for w = ber + 1j * bei, ker + 1j * kei.
partials(special.ber, x="special.berp(x)")
partials(special.bei, x="special.beip(x)")
partials(special.ker, x="special.kerp(x)")
partials(special.kei, x="special.keip(x)")
partials(special.berp, x="-special.bei(x) - y / x")
partials(special.beip, x="special.ber(x) - y / x")
partials(special.kerp, x="-special.kei(x) - y / x")
partials(special.keip, x="special.ker(x) - y / x")


def airy_tangent(y: Any, z: Any, d_z: Any) -> Any:
    ai, aip, bi, bip = y
    return aip * d_z, z * ai * d_z, bip * d_z, z * bi * d_z


@general(special.airy, wrt="z", tangent=airy_tangent)
def airy_adjoint(d_y: Any, y: Any, z: Any) -> Any:
    ai, aip, bi, bip = y
    return d_y[0] * aip + d_y[2] * bip + z * (d_y[1] * ai + d_y[3] * bi)


# ---------------------------------------------------------------- hypergeometric functions

# DLMF 15.5.1, 13.3.15, 13.3.22, 16.3.1.
partials(special.hyp0f1, v=..., z="special.hyp0f1(v + 1, z) / v")
partials(special.hyp1f1, a=..., b=..., x="a / b * special.hyp1f1(a + 1, b + 1, x)")
partials(special.hyperu, a=..., b=..., x="-a * special.hyperu(a + 1, b + 1, x)")
partials(
    special.hyp2f1,
    a=...,
    b=...,
    c=...,
    z="a * b / c * special.hyp2f1(a + 1, b + 1, c + 1, z)",
)

# ---------------------------------------------------------------- polynomials

# DLMF 18.9.15 to 18.9.26; a derivative lowers the degree.
partials(
    special.eval_legendre, n=..., x="(n + 1) / 2 * special.eval_jacobi(n - 1, 1, 1, x)"
)
partials(special.eval_chebyt, n=..., x="n * special.eval_chebyu(n - 1, x)")
partials(special.eval_chebyu, n=..., x="2 * special.eval_gegenbauer(n - 1, 2, x)")
partials(special.eval_chebyc, n=..., x="n * special.eval_chebys(n - 1, x)")
partials(special.eval_chebys, n=..., x="special.eval_gegenbauer(n - 1, 2, x / 2)")
partials(
    special.eval_hermite, n=None, x="2 * n * special.eval_hermite(maximum(n - 1, 0), x)"
)
partials(
    special.eval_hermitenorm,
    n=None,
    x="n * special.eval_hermitenorm(maximum(n - 1, 0), x)",
)
partials(special.eval_laguerre, n=..., x="-special.eval_genlaguerre(n - 1, 1, x)")
partials(
    special.eval_genlaguerre,
    n=...,
    alpha=...,
    x="-special.eval_genlaguerre(n - 1, alpha + 1, x)",
)
partials(
    special.eval_gegenbauer,
    n=...,
    alpha=...,
    x="2 * alpha * special.eval_gegenbauer(n - 1, alpha + 1, x)",
)
partials(
    special.eval_jacobi,
    n=...,
    alpha=...,
    beta=...,
    x="(n + alpha + beta + 1) / 2 * special.eval_jacobi(n - 1, alpha + 1, beta + 1, x)",
)
partials(
    special.eval_sh_legendre,
    n=...,
    x="(n + 1) * special.eval_jacobi(n - 1, 1, 1, 2 * x - 1)",
)
partials(special.eval_sh_chebyt, n=..., x="2 * n * special.eval_sh_chebyu(n - 1, x)")
partials(
    special.eval_sh_chebyu, n=..., x="4 * special.eval_gegenbauer(n - 1, 2, 2 * x - 1)"
)
partials(
    special.eval_sh_jacobi,
    n=...,
    p=...,
    q=...,
    x="n * special.eval_sh_jacobi(n - 1, p + 2, q + 1, x)",
)
