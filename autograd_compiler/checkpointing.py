"""`@checkpoint`: a function that is run again in the reverse sweep, to save memory."""

from __future__ import annotations

import functools
import types
from collections.abc import Callable
from typing import Any, TypeVar, cast

from autograd_compiler.errors import ArgumentError

Fun = TypeVar("Fun", bound=Callable[..., Any])

_MARK = "__autograd_compiler_checkpoint__"


def checkpoint(fun: Fun) -> Fun:
    """Keep nothing of what a function computes for the reverse sweep but its arguments.

    Where a differentiated function calls `fun`, the reverse sweep runs `fun` once more,
    and has then what it needs of it.  That costs its time again, and saves the memory
    of all that it computes: of a loop with `n` steps, each of them a checkpoint, the
    state of each step is kept, and what is inside of one step only.

    Parameters
    ----------
    fun : function
        A function of numbers, arrays and tuples of them, that gives such, writes none
        of its arguments, and gives the same each time.

    Returns
    -------
    function
        The same function; `fun` itself stays as it is.

    Raises
    ------
    ArgumentError
        If `fun` is not a Python function.
    UnsupportedError
        When compiling: if the function cannot be run again.

    Notes
    -----
    What the function prints is printed twice.  A gradient of a gradient keeps what it
    needs, and so does the text without types, `.source` before any call.  A. Griewank, A. Walther, "Evaluating Derivatives", 2nd ed., SIAM 2008, ch. 12.

    Examples
    --------
    >>> import numpy as np
    >>> from autograd_compiler import grad
    >>> @checkpoint
    ... def step(h, w):
    ...     return np.tanh(w * h + 0.1)
    >>> def last(w, h):
    ...     for _ in range(3):
    ...         h = step(h, w)
    ...     return h
    >>> round(grad(last)(0.5, 1.0), 4)
    0.6896
    """
    if not isinstance(fun, types.FunctionType):
        raise ArgumentError(f"`checkpoint` is for Python functions, and not {fun!r}")
    made = types.FunctionType(
        fun.__code__, fun.__globals__, fun.__name__, fun.__defaults__, fun.__closure__
    )
    for name in functools.WRAPPER_ASSIGNMENTS:
        if hasattr(fun, name):
            setattr(made, name, getattr(fun, name))
    made.__dict__.update(fun.__dict__)
    made.__kwdefaults__ = fun.__kwdefaults__
    setattr(made, _MARK, True)
    return cast(Fun, made)


def is_checkpoint(fun: Any) -> bool:
    """Whether a function was marked by `checkpoint`."""
    return getattr(fun, _MARK, False) is True
