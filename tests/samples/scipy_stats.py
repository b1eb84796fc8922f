"""Calls of SciPy's distributions, inside of their supports."""

from __future__ import annotations

import numpy as np
from scipy import stats

from samples import Sample, Special

# Standard arguments of the density, and the shape parameters.
LINE = np.array([-1.3, 0.4, 2.1])
HALF = np.array([0.3, 0.9, 2.2])
BEYOND = np.array([1.3, 2.2, 4.1])
UNIT = np.array([0.2, 0.5, 0.85])
PROBABILITIES = np.array([0.15, 0.45, 0.8])

CONTINUOUS = {
    "norm": (LINE,),
    "logistic": (LINE,),
    "laplace": (LINE,),
    "cauchy": (LINE,),
    "hypsecant": (LINE,),
    "gumbel_r": (LINE,),
    "gumbel_l": (LINE,),
    "moyal": (LINE,),
    "t": (LINE, 3.5),
    "genlogistic": (LINE, 1.7),
    "gennorm": (LINE, 1.7),
    "skewnorm": (LINE, 0.8),
    "johnsonsu": (LINE, 0.6, 1.7),
    "vonmises": (LINE, 1.3),
    "expon": (HALF,),
    "rayleigh": (HALF,),
    "maxwell": (HALF,),
    "halfnorm": (HALF,),
    "halfcauchy": (HALF,),
    "halflogistic": (HALF,),
    "levy": (HALF,),
    "gamma": (HALF, 2.3),
    "erlang": (HALF, 2),
    "chi2": (HALF, 3.5),
    "chi": (HALF, 2.5),
    "invgamma": (HALF, 2.3),
    "f": (HALF, 3.5, 4.5),
    "betaprime": (HALF, 2.3, 3.5),
    "lognorm": (HALF, 0.8),
    "weibull_min": (HALF, 1.7),
    "weibull_max": (-HALF, 1.7),
    "fisk": (HALF, 1.7),
    "loglaplace": (HALF, 1.7),
    "lomax": (HALF, 1.7),
    "pareto": (BEYOND, 1.7),
    "gompertz": (HALF, 0.7),
    "invgauss": (HALF, 0.7),
    "genpareto": (HALF, 0.3),
    "genextreme": (LINE, 0.3),
    "uniform": (UNIT,),
    "semicircular": (UNIT,),
    "arcsine": (UNIT,),
    "cosine": (LINE,),
    "anglit": (0.5 * UNIT,),
    "beta": (UNIT, 2.3, 1.6),
    "powerlaw": (UNIT, 1.7),
    "loguniform": (BEYOND, 0.7, 5.5),
    "reciprocal": (BEYOND, 0.7, 5.5),
    "truncnorm": (UNIT, -1.2, 2.3),
    "wrapcauchy": (BEYOND, 0.3),
}
DISCRETE = {
    "poisson": (2.3,),
    "bernoulli": (0.3,),
    "geom": (0.3,),
    "binom": (6, 0.3),
    "nbinom": (3.5, 0.3),
}
# One of each kind; the others are left to the slow tests.
REPRESENTATIVE = ("norm", "gamma")

LOC, SCALE = 0.25, 1.6


def continuous():
    """Each method of each distribution once, those of a density smooth."""
    for name, (z, *shapes) in CONTINUOUS.items():
        distribution = getattr(stats, name)
        every = tuple(range(len(shapes) + 3))
        args = (LOC + SCALE * z, *shapes, LOC, SCALE)
        slow = name not in REPRESENTATIVE
        for method in ("logpdf", "pdf"):
            yield Sample(
                getattr(distribution, method),
                args,
                wrt=every,
                single=False,
                slow=slow,
            )
        for method in ("cdf", "sf", "logcdf", "logsf"):
            yield Sample(
                getattr(distribution, method),
                args,
                wrt=every,
                smooth=name in ("norm", "gumbel_r"),
                single=False,
                slow=slow,
            )
        for method in ("ppf", "isf"):
            yield Sample(
                getattr(distribution, method),
                (PROBABILITIES, *args[1:]),
                wrt=every,
                smooth=False,
                single=False,
                slow=slow,
            )


def discrete():
    for name, shapes in DISCRETE.items():
        distribution = getattr(stats, name)
        k = np.array([0, 1]) if name == "bernoulli" else np.array([1, 2, 4])
        wrt = tuple(n for n, shape in enumerate(shapes, 1) if shape != 6)
        for method in ("logpmf", "pmf", "cdf", "sf"):
            yield Sample(
                getattr(distribution, method), (k, *shapes), wrt=wrt, single=False
            )


COV = np.array([[2.0, 0.3], [0.3, 1.1]])
POINTS = np.array([[0.2, 1.1], [-0.7, 0.4], [1.3, 0.9]])


def of_several_variables():
    normal = stats.multivariate_normal
    for method in (normal.logpdf, normal.pdf):
        yield Sample(method, (POINTS, np.array([0.1, 0.5]), COV))
        yield Sample(method, (POINTS[0], np.array([0.1, 0.5]), COV))
    yield Sample(normal.entropy, (POINTS[0], COV), wrt=(1,))
    # SciPy takes nothing but points of the simplex, where differences cannot step.
    point, alpha = np.array([0.2, 0.3, 0.5]), np.array([1.5, 2.0, 0.8])
    yield Sample(stats.dirichlet.logpdf, (point, alpha), wrt=(1,), smooth=False)
    yield Sample(stats.dirichlet.pdf, (point, alpha), wrt=(1,), smooth=False)


SAMPLES = [*continuous(), *discrete(), *of_several_variables()]


def vector(*numbers):
    return np.array(numbers)


SPECIAL = [
    Special(
        "gamma density outside", stats.gamma.pdf, (vector(-1.0), 2.0), (vector(0), 0)
    ),
    Special(
        "expon log density outside",
        stats.expon.logpdf,
        (vector(-1.0, 1.0),),
        ([0, -1],),
    ),
    Special("uniform density", stats.uniform.pdf, (vector(0.5, 2.0),), (vector(0, 0),)),
    Special("norm logcdf far left", stats.norm.logcdf, (-30.0,), (30.033259667433677,)),
]
