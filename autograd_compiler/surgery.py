"""`with grad_of(h) as d_h:`: what happens to a gradient on its way back, said in place."""

from __future__ import annotations

import sys
from types import FrameType, TracebackType
from typing import Any


class grad_of:
    """A block for the reverse sweep, in the program that is differentiated.

    In a gradient, the block runs where the reverse sweep comes past it: `d_h` is the
    derivative of the result with respect to `h`, as far as it comes from what follows
    the block, and what `d_h` is at its end goes on.  So a gradient is clipped inside of
    a recurrent loop, printed, or looked at in a debugger.  The function itself, and its
    forward-mode derivatives, pass the block by.

    Parameters
    ----------
    value : float or array
        A name, of a number or an array.

    Raises
    ------
    UnsupportedError
        When compiling: if `value` is no name, or the block does what a gradient cannot.

    Notes
    -----
    The block sees the values of the function's other names at that place.  Names that
    it assigns are its own.  If nothing that follows depends on `h`, it does not run.

    Python has no way to leave out the block of a `with`, so a function that is run as
    it is leaves it by an exception from a trace function, which is put back at once.
    The block begins on a line of its own.

    The idea is that of `insert_grad_of` in B. van Merriënboer, D. Moldovan, A. Wiltschko,
    "Tangent: automatic differentiation using source-code transformation for dynamically
    typed array programming", NeurIPS 2018.

    Examples
    --------
    >>> from autograd_compiler import grad
    >>> def steep(x):
    ...     y = x**3
    ...     with grad_of(y) as d_y:
    ...         d_y = min(d_y, 1.0)
    ...     return 100.0 * y
    >>> steep(2.0), grad(steep)(2.0)
    (800.0, 12.0)
    """

    def __init__(self, value: Any) -> None:
        self._trace: Any = None
        self._frame: FrameType | None = None
        self._frame_trace: Any = None

    def __enter__(self) -> None:
        self._frame = sys._getframe(1)
        self._trace, self._frame_trace = sys.gettrace(), self._frame.f_trace
        sys.settrace(lambda *_: None)  # without one, those of frames are not called
        self._frame.f_trace = self._leave

    def _leave(self, *_: Any) -> None:
        raise _PassedBy  # which ends all tracing: `__exit__` puts it back

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool:
        if self._frame is not None:
            self._frame.f_trace = self._frame_trace
        sys.settrace(self._trace)
        return kind is _PassedBy


class _PassedBy(BaseException):
    """The block of a `with grad_of(...)` is not for this run."""
