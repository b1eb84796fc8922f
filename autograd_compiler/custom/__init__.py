"""Derivatives that the user gives: rules for operators, and functions with their own.

The decorators for operators are those that the built-in table is written with; see
`rules/registry.py`.
"""

from autograd_compiler.custom.derivatives import (
    CustomJvp,
    CustomVjp,
    custom_jvp,
    custom_vjp,
)
from autograd_compiler.custom.implicit import (
    FixedPoint,
    ImplicitRoot,
    fixed_point,
    implicit_root,
)
from autograd_compiler.rules.registry import (
    composed,
    general,
    linear,
    multilinear,
    partials,
    partials_with,
    refused,
    zero_derivative,
)
from autograd_compiler.runtime import stop_gradient

__all__ = [
    "CustomJvp",
    "CustomVjp",
    "FixedPoint",
    "ImplicitRoot",
    "composed",
    "custom_jvp",
    "custom_vjp",
    "fixed_point",
    "general",
    "implicit_root",
    "linear",
    "multilinear",
    "partials",
    "partials_with",
    "refused",
    "stop_gradient",
    "zero_derivative",
]
