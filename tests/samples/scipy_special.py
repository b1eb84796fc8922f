"""Calls of SciPy's special functions, away from their poles and branch cuts."""

from __future__ import annotations

import numpy as np
from scipy import special

from autograd_compiler.rules.scipy import parameters
from samples import Sample, Special, spread

INF = np.inf


def complex_spread(n):
    return spread(n) + 1j * spread(n, seed=3)


def named(*names):
    """The functions of these names that the installed SciPy has."""
    return [getattr(special, name) for name in names if hasattr(special, name)]


def each(names, *args, **options):
    return [Sample(f, args, **options) for f in named(*names.split())]


positive = spread(3, low=0.3, high=2.5)
above = spread(3, low=1.2, high=3.5, seed=2)
inside = spread(3, low=0.1, high=0.9)
column = spread(2, 1, low=0.4, high=2.0, seed=4)

SAMPLES = [
    # powers, logarithms
    *each("cbrt exprel", positive),
    *each("exp2 exp10 expm1 expit log_expit softplus cosm1", spread(3)),
    *each("log1p entr", positive),
    *each("xlogy xlog1py rel_entr kl_div powm1", positive, column),
    *each("huber pseudo_huber", column, 3 * spread(3)),
    *each("boxcox boxcox1p", positive, column),
    Sample(special.boxcox, (positive, 0.0), smooth=False, name="at zero"),
    *each("inv_boxcox inv_boxcox1p", positive, 0.3 * column, single=False),
    Sample(special.logit, (inside,)),
    *each("sindg cosdg tandg cotdg", 30 * positive),
    Sample(special.radian, (spread(3), 1.5, column)),
    # error functions
    *each("erf erfc erfi erfcx dawsn ndtr log_ndtr erfinv", 0.9 * spread(3)),
    *each("erfcx dawsn", np.array([24.0, 26.0, 60.0]), name="far out"),
    *each("erf erfc erfi wofz fresnel", complex_spread(3)),
    *each("log_ndtr", np.array([-30.0, -5.0, 4.0]), name="in the tails"),
    *each("erfcinv ndtri", inside),
    *each("ndtri_exp", -positive),
    Sample(special.owens_t, (spread(3), column)),
    Sample(special.fresnel, (spread(3),)),
    # the gamma function
    *each("gamma rgamma gammaln psi factorial", positive),
    *each("gamma rgamma loggamma", complex_spread(3) + 2.0, smooth=False),
    Sample(special.gammaln, (-positive + 0.05,), name="negative"),
    Sample(special.polygamma, (2, positive)),
    Sample(special.multigammaln, (3.3, 3)),
    Sample(special.multigammaln, (above, 2)),
    *each("beta betaln poch", positive, column),
    *each("binom comb perm", above + 2.0, 0.5 * column),
    *each("gammainc gammaincc", 1.7, positive, single=False),
    *each("gammaincinv gammainccinv", column, inside, single=False),
    *each("betainc betaincc", 1.7, column, inside, single=False),
    *each("betaincinv betainccinv", 1.7, 2.5, inside, single=False),
    Sample(special.zeta, (2.3, positive), wrt=(1,)),
    # integrals
    *each("exp1 expi sici shichi", positive),
    *each("exp1 sici", complex_spread(3) + 1.5),
    *each("expn", np.array([0, 1, 4]), positive),
    Sample(special.spence, (np.array([0.2, 0.8, 1.0, 1.3, 1.7, 4.0]),), single=False),
    # elliptic integrals
    *each("ellipk ellipkm1 ellipe", inside, single=False),
    *each("ellipk ellipe", np.array([0.0, -2.0]), single=False, name="negative"),
    *each("ellipkinc ellipeinc", 4.0 * spread(3, seed=1), inside, single=False),
    Sample(special.ellipj, (2.0 * spread(3), inside), single=False),
    *each("elliprf elliprd", positive, column, 3.1),
    # Bessel functions
    *each("j0 j1 y0 y1 i0 i1 k0 k1 i0e i1e k0e k1e", positive),
    *each("j0 j1 i0 i1", np.array([0.0, -1.3]), name="zero"),
    *each("yn kn", np.array([0, 1, 3]), positive),
    *each("jv yv iv kv jve yve ive kve", 1.3, positive, wrt=(1,)),
    *each("jv iv kv hankel1 hankel2", 1.3, complex_spread(3) + 1.5, wrt=(1,)),
    *each("hankel1e hankel2e", 1.3, complex_spread(3) + 1.5, wrt=(1,)),
    *each("spherical_jn spherical_yn spherical_in spherical_kn", 2, positive),
    *each("spherical_jn spherical_yn spherical_in spherical_kn", 0, 1.3),
    *each("struve modstruve", 0.7, positive, wrt=(1,)),
    *each("ber bei ker kei berp beip kerp keip", positive),
    Sample(special.airy, (spread(3),)),
    Sample(special.airy, (complex_spread(3),)),
    # hypergeometric functions
    *each("hyp0f1", 1.3, spread(3), wrt=(1,)),
    *each("hyp1f1 hyperu", 1.3, 2.2, positive, wrt=(2,)),
    *each("hyp2f1", 1.3, 0.4, 2.2, 0.8 * spread(3), wrt=(3,)),
    # polynomials
    *each(
        "eval_legendre eval_chebyt eval_chebyu eval_chebyc eval_chebys", 3, spread(3)
    ),
    *each("eval_hermite eval_hermitenorm eval_laguerre", 3, spread(3)),
    *each("eval_legendre eval_chebyt eval_hermite eval_laguerre", 0, spread(3)),
    *each("eval_sh_legendre eval_sh_chebyt eval_sh_chebyu", 3, inside),
    *each("eval_genlaguerre eval_gegenbauer", 3, 1.5, spread(3), wrt=(2,)),
    *each("eval_jacobi", 3, 1.5, 0.5, spread(3), wrt=(3,)),
    *each("eval_sh_jacobi", 3, 2.5, 1.5, inside, wrt=(3,)),
    # distributions
    *each("pdtr pdtrc", 2.0, positive, wrt=(1,), single=False),
    *each("chdtr chdtrc", 3.0, positive, single=False),
    *each("chdtri", 3.0, inside, single=False),
    *each("gdtr gdtrc", 0.7, column, positive, single=False),
    *each("fdtr fdtrc", 3.5, column, positive, single=False),
    *each("stdtr", 3.0, spread(3), single=False),
    *each("stdtrit", 3.0, inside, single=False),
    # what the derivatives in parameters are made of
    Sample(parameters.gamma_moment, (1, 1.7, positive), single=False),
    Sample(parameters.beta_moment, (0, 2, 1.7, column, inside, 1 - inside), wrt=(2, 3)),
    Sample(parameters.von_mises_moment, (2, 1.7, spread(3)), single=False),
    # inverse functions
    Sample(special.wrightomega, (spread(3),)),
    Sample(special.lambertw, (positive,)),
    Sample(special.lambertw, (complex_spread(3), -1)),
    # sums of exponentials
    Sample(special.logsumexp, (spread(4),)),
    Sample(special.logsumexp, (spread(2, 3), 1)),
    Sample(special.logsumexp, (spread(2, 3),), {"axis": 0, "keepdims": True}),
    Sample(special.logsumexp, (spread(2, 3, 2), (0, -1))),
    Sample(special.logsumexp, (spread(2, 3), 1, spread(2, 3, low=0.5, high=2.0))),
    *each("softmax log_softmax", spread(2, 3)),
    *each("softmax log_softmax", spread(2, 3), 1),
    *each("softmax log_softmax", spread(2, 3), -2),
]


def vector(*numbers):
    return np.array(numbers)


LARGE = vector(-1000.0, 0.0, 1000.0)

SPECIAL = [
    Special(
        "logsumexp of large numbers", special.logsumexp, (LARGE,), (vector(0, 0, 1),)
    ),
    Special(
        "logsumexp of small numbers",
        special.logsumexp,
        (vector(-1000.0, -1000.0),),
        (vector(0.5, 0.5),),
    ),
    Special(
        "logsumexp of zeros", special.logsumexp, (vector(-INF, -INF),), (vector(0, 0),)
    ),
    Special("softmax far apart", special.softmax, (LARGE,), (vector(0, 0, 0),)),
    Special(
        "log_softmax far apart", special.log_softmax, (LARGE,), (vector(1, 1, -2),)
    ),
    Special("expit far out", special.expit, (LARGE,), (vector(0, 0.25, 0),)),
    Special(
        "expit keeps small slopes", special.expit, (50.0,), (1.9287498479639178e-22,)
    ),
    Special("xlogy at zero", special.xlogy, (0.0, 2.0), (np.log(2.0), 0.0)),
    Special("xlogy at zero, both", special.xlogy, (0.0, 0.0), (-INF, 0.0)),
    Special("xlog1py at zero, both", special.xlog1py, (0.0, -1.0), (-INF, 0.0)),
    Special("entr at zero", special.entr, (0.0,), (INF,)),
    Special(
        "gammaln near a pole", special.gammaln, (1e-12,), (-1e12 - np.euler_gamma,)
    ),
    Special(
        "erfcx far out",
        special.erfcx,
        (1e6,),
        (-0.5641895835477563e-12 * (1 - 1.5e-12),),
    ),
    Special("dawsn far out", special.dawsn, (1e6,), (-5e-13 * (1 + 1.5e-12),)),
    Special(
        "log_ndtr far left", special.log_ndtr, (-1000.0,), (1000.000999998000009999926,)
    ),
    Special("log_ndtr far right", special.log_ndtr, (50.0,), (0.0,)),
    Special("spence at one", special.spence, (1.0,), (-1.0,)),
    Special("exprel at zero", special.exprel, (0.0,), (0.5,)),
    Special("ellipk at zero", special.ellipk, (0.0,), (np.pi / 8,)),
]
