"""A source-to-source gradient compiler for Python and NumPy.

>>> from autograd_compiler import grad
>>> @grad
... def square(x):
...     return x * x
>>> square(3.0)
6.0
"""

from autograd_compiler import custom
from autograd_compiler.checkpointing import checkpoint
from autograd_compiler.custom import (
    custom_jvp,
    custom_vjp,
    fixed_point,
    implicit_root,
    stop_gradient,
)
from autograd_compiler.errors import AutogradCompilerError
from autograd_compiler.flat import flatten
from autograd_compiler.rule_checks import check_rule
from autograd_compiler.surgery import grad_of
from autograd_compiler.testing import check_grads
from autograd_compiler.transforms import (
    Gradient,
    Hessian,
    Jacobian,
    elementwise_grad,
    fisher,
    gauss_newton,
    grad,
    hessian,
    hvp,
    jacfwd,
    jacobian,
    jacrev,
    jvp,
    linearize,
    value_and_grad,
    vhp,
    vjp,
)
from autograd_compiler.version import __version__

__all__ = [
    "AutogradCompilerError",
    "Gradient",
    "Hessian",
    "Jacobian",
    "__version__",
    "check_grads",
    "checkpoint",
    "elementwise_grad",
    "fisher",
    "flatten",
    "check_rule",
    "custom",
    "custom_jvp",
    "custom_vjp",
    "fixed_point",
    "gauss_newton",
    "grad",
    "grad_of",
    "hessian",
    "hvp",
    "implicit_root",
    "jacfwd",
    "jacobian",
    "jacrev",
    "jvp",
    "linearize",
    "stop_gradient",
    "value_and_grad",
    "vhp",
    "vjp",
]
