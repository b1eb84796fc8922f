"""Distributions of `scipy.stats` with their parameters given: `norm(loc, scale).pdf(x)`.

A frozen distribution stands for its distribution and the parameters; a call of one of
its methods is that of the distribution, which has a rule.
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any

from autograd_compiler.frontend import names
from autograd_compiler.frontend.values import Bound, Object

if TYPE_CHECKING:
    from autograd_compiler.frontend.lower import Lowering


def can_freeze(value: Any) -> bool:
    """Whether calling this object gives parameters to a distribution."""
    return _is_of_stats(value) and hasattr(value, "freeze")


def captured(low: Lowering, owner: Object, node: ast.AST) -> Bound | None:
    """A frozen distribution from outside of the function; None for other objects."""
    value = owner.value
    if not _is_of_stats(value) or not hasattr(value, "kwds"):
        return None
    given: list[Any] = [
        names.captured(low, owner.capture.step("attribute", name), found, node)
        for name, found in (("args", tuple(value.args)), ("kwds", dict(value.kwds)))
    ]
    distribution = Object(value.dist, owner.capture.step("attribute", "dist"))
    keywords = tuple(zip(given[1].form.keys, given[1].items, strict=True))
    return Bound(distribution, tuple(given[0].items), keywords)


def _is_of_stats(value: Any) -> bool:
    return type(value).__module__.startswith("scipy.stats.")
