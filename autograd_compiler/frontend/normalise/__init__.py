"""Rewrite the jumps of a function, one desugaring per file.

What is left has one `return`, at its end; no `continue` and no loop `else`; and a
`break` only as the last statement of a loop body, in the form `if flag: break`, where
the body begins with `flag = False`.  Each pass is a function from syntax tree to
syntax tree that shares the parts it does not change and modifies nothing.

Statements that a pass invents carry the location of the jump that they stand for, so
that errors and comments show what the user wrote there.
"""

from __future__ import annotations

import ast

from autograd_compiler.frontend.normalise.breaks import canonical_breaks
from autograd_compiler.frontend.normalise.continues import without_continue
from autograd_compiler.frontend.normalise.dead_code import without_dead_code
from autograd_compiler.frontend.normalise.loop_else import without_loop_else
from autograd_compiler.frontend.normalise.matches import without_match
from autograd_compiler.frontend.normalise.refuse import mark_jumps, refuse_unsupported
from autograd_compiler.frontend.normalise.returns import single_return

PASSES = (
    without_match,  # first: the others know `if`
    without_dead_code,
    without_loop_else,  # an else may hold jumps of the loop around it
    single_return,  # a return in a loop becomes a break
    without_continue,
    canonical_breaks,  # last: all other jumps are gone or have become breaks
)


def normalise(node: ast.FunctionDef, filename: str) -> ast.FunctionDef:
    """The function without jumps; functions nested in it are left as they are.

    Parameters
    ----------
    node : ast.FunctionDef
        A function as `read_source` gives it; not modified.
    filename : str
        The user's file, for the place of an error.

    Returns
    -------
    ast.FunctionDef
        A function with the same behaviour.

    Raises
    ------
    UnsupportedError
        For a statement that is not in the supported language.

    Examples
    --------
    >>> source = '''
    ... def first_power_above(x, limit):
    ...     y = x
    ...     for power in range(1, 100):
    ...         if y > limit:
    ...             return power
    ...         y = y * x
    ...     return 0
    ... '''
    >>> print(ast.unparse(normalise(ast.parse(source).body[0], "power.py")))
    def first_power_above(x, limit):
        y = x
        returned = False
        for power in range(1, 100):
            returned = False
            if y > limit:
                result = power
                returned = True
            else:
                y = y * x
            if returned:
                break
        if returned:
            pass
        else:
            result = 0
        return result
    """
    refuse_unsupported(node, filename)
    mark_jumps(node)
    for rewrite in PASSES:
        node = rewrite(node)
    return node
