"""Exceptions with a place in the user's source.

Every error that the package raises on purpose is an `AutogradCompilerError`.  Errors
of the compiler carry a `Span` and render like this::

    model.py:12:9: cannot differentiate through `np.linalg.eig`
      12 |     w = np.linalg.eig(a)
         |         ^^^^^^^^^^^^^^^^
    hint: for symmetric matrices write np.linalg.eigh(a)
"""

from __future__ import annotations

import linecache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from autograd_compiler.ir import Span


class AutogradCompilerError(Exception):
    """The root of all errors raised by autograd_compiler."""


class ArgumentError(AutogradCompilerError, TypeError):
    """A call of the public interface with arguments that it cannot take."""


class MissingLibraryError(AutogradCompilerError, ModuleNotFoundError):
    """An adapter whose library is not installed; says what to install."""


class SourceError(AutogradCompilerError):
    """The source of a function cannot be found or read."""


class CompileError(AutogradCompilerError):
    """A program that cannot be differentiated; knows where and what to do instead.

    Parameters
    ----------
    message : str
        One sentence: what is wrong.
    span : Span or None
        The place in the user's source.
    hint : str
        One sentence: what to write instead.
    """

    def __init__(self, message: str, span: Span | None = None, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.span = span
        self.hint = hint

    def __str__(self) -> str:
        return render(self.message, self.span, self.hint)


class UnsupportedError(CompileError):
    """Python that is not in the supported language, or an operator without a rule."""


class MutationError(CompileError):
    """A write whose effect on other names cannot be tracked."""


class BackendError(CompileError):
    """A program that the chosen backend cannot compile."""


class ExportError(AutogradCompilerError):
    """A derivative that cannot be written as a module, or a written one that is stale."""


class NonFiniteError(AutogradCompilerError, FloatingPointError):
    """A NaN or an infinity, found by the checks of `debug_nans`."""


class GradientCheckError(AutogradCompilerError, AssertionError):
    """A derivative that disagrees with finite differences."""


class RuleCheckError(GradientCheckError):
    """A rule that disagrees with its operator, or with itself."""


def render(message: str, span: Span | None, hint: str = "") -> str:
    """The error as text: place, message, source line with carets, hint."""
    if span is None or not span.line:
        return f"{message}\nhint: {hint}" if hint else message
    lines = [f"{span.filename}:{span.line}:{span.column + 1}: {message}"]
    source = linecache.getline(span.filename, span.line).rstrip("\n")
    if source.strip():
        number = str(span.line)
        end = span.end_column if span.end_line == span.line else len(source)
        width = max(1, end - span.column)
        lines.append(f"  {number} | {source}")
        lines.append(f"  {' ' * len(number)} | {' ' * span.column}{'^' * width}")
    if hint:
        lines.append(f"hint: {hint}")
    return "\n".join(lines)
