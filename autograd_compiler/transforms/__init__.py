"""The public transformations: functions made of functions.

Names and meaning are JAX's where JAX has them.  There is no compiler logic here: a
transformation binds arguments, asks for compiled code of their kind, and hands out
results that are the caller's own.
"""

from autograd_compiler.transforms.curvature import fisher, gauss_newton, hvp, vhp
from autograd_compiler.transforms.elementwise import elementwise_grad
from autograd_compiler.transforms.gradient import Gradient, grad, value_and_grad
from autograd_compiler.transforms.hessian import Hessian, hessian
from autograd_compiler.transforms.jacobian import (
    Jacobian,
    jacfwd,
    jacobian,
    jacrev,
)
from autograd_compiler.transforms.products import jvp, linearize, vjp

__all__ = [
    "Gradient",
    "Hessian",
    "Jacobian",
    "elementwise_grad",
    "fisher",
    "gauss_newton",
    "grad",
    "hessian",
    "hvp",
    "jacfwd",
    "jacobian",
    "jacrev",
    "jvp",
    "linearize",
    "value_and_grad",
    "vhp",
    "vjp",
]
