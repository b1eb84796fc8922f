"""The pipeline that leaves of a function what it needs, and no more."""

from __future__ import annotations

from functools import partial

from autograd_compiler import ir
from autograd_compiler.passes.cse import share_common_subexpressions
from autograd_compiler.passes.dce import eliminate_dead_code
from autograd_compiler.passes.simplify import simplify

# Each round can uncover work for the next; in practice three are enough.
MOST_ROUNDS = 8


def clean(
    function: ir.Function, pure_calls: frozenset[str] = frozenset()
) -> ir.Function:
    """Simplify, share and remove until nothing changes any more.

    Parameters
    ----------
    pure_calls
        The functions of the module whose calls may be dropped if not used.

    Examples
    --------
    Before: `a = x * 1; b = a + a; c = a + a; return b * c`.  After:
    `b = x + x; return b * b`.

    >>> import operator
    >>> from autograd_compiler.types import Scalar
    >>> x, a, b, c, y = (ir.Var(name, Scalar("float64")) for name in ("x", *[""] * 4))
    >>> ops = (
    ...     ir.Apply(ir.NOWHERE, (a,), operator.mul, (x, ir.Const(1))),
    ...     ir.Apply(ir.NOWHERE, (b,), operator.add, (a, a)),
    ...     ir.Apply(ir.NOWHERE, (c,), operator.add, (a, a)),
    ...     ir.Apply(ir.NOWHERE, (y,), operator.mul, (b, c)),
    ... )
    >>> function = ir.Function(
    ...     "f", (ir.Param("x", x),), ir.Block(ops, (y,)), ir.NOWHERE
    ... )
    >>> [op.fn.__name__ for op in clean(function).body.ops]
    ['add', 'mul']
    """
    passes = (
        simplify,
        share_common_subexpressions,  # after algebra has made equal things alike
        partial(eliminate_dead_code, pure_calls=pure_calls),
    )
    for _ in range(MOST_ROUNDS):
        before = function
        for run in passes:
            function = run(function)
        if function is before:
            break
    return function
