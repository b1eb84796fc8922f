"""Numba's compiler behind the generated text.

The text that is compiled is the text that Python runs, with a decorator on each
function.  It lives in a file (see `load`), so Numba finds its cache again in the next
process.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from autograd_compiler import ir
from autograd_compiler.backend.load import load_module
from autograd_compiler.errors import BackendError

_INSTALL = "install it with: pip install 'autograd_compiler[numba]'"
_HINT = 'use backend="python" for this function'


def compile_numba(
    module: ir.Module,
    text: str,
    entry: str,
    *,
    objects: Mapping[str, object] | None = None,
    boundscheck: bool = False,
    fastmath: bool = False,
) -> Callable[..., Any]:
    """The entry function of a generated text, compiled when it is first called.

    Parameters
    ----------
    module : ir.Module
        The legalised module that the text was emitted from: errors find the user's
        statements in it.
    text : str
        Python source of the module.
    entry : str
        The name of the function to return.
    objects : mapping, optional
        Names that the text uses and that cannot be imported.  They are constants to
        Numba, and so a text that needs any is compiled anew in each process.
    boundscheck : bool
        Check indices, as NumPy does and Numba does not.
    fastmath : bool
        Allow what is right for real numbers: other orders of sums, no care for NaN.

    Returns
    -------
    callable
        Its `dispatcher` is Numba's, for callers that do without the translation of
        errors.

    Raises
    ------
    BackendError
        Here if Numba is not installed; from the call for what it cannot compile, at
        the user's line where that is known.
    """
    errors = _numba_errors()
    given = dict(objects or {})
    checks = {"boundscheck": boundscheck, "fastmath": fastmath}
    decorated = decorate(text, cache=not given, **checks)
    try:
        loaded = load_module(decorated, entry, objects=given, register=not given)
        dispatcher = getattr(loaded, entry)
    except RuntimeError as error:
        # There is no directory for the cache; compiling works without.
        if "cannot cache" not in str(error):
            raise
        decorated = decorate(text, cache=False, **checks)
        loaded = load_module(decorated, entry, objects=given)
        dispatcher = getattr(loaded, entry)
    filename = str(loaded.__file__)

    def call(*args: Any) -> Any:
        try:
            return dispatcher(*args)
        except errors as error:
            raise _located(error, module, decorated, filename) from error
        except Exception as error:
            if _is_from_compiler(error):
                raise _located(error, module, decorated, filename) from error
            raise

    call.__name__ = call.__qualname__ = entry
    call.__doc__ = dispatcher.__doc__
    call.dispatcher = dispatcher  # type: ignore[attr-defined]
    return call


def decorate(
    text: str,
    *,
    cache: bool = True,
    boundscheck: bool = False,
    fastmath: bool = False,
) -> str:
    """The text with Numba's decorator on each function, and the import of Numba.

    Helpers that come with a decorator of their own keep it.

    Division by zero is NumPy's infinity and not an exception, as it is in array code.

    Examples
    --------
    >>> print(decorate("def f(x):\\n    return 2 * x\\n"))
    import numba
    <BLANKLINE>
    @numba.njit(cache=True, error_model='numpy')
    def f(x):
        return 2 * x
    <BLANKLINE>
    """
    options = [f"cache={cache}"] if cache else []
    options.append("error_model='numpy'")
    if boundscheck:
        options.append("boundscheck=True")
    if fastmath:
        options.append("fastmath=True")
    decorator = f"@numba.njit({', '.join(options)})"
    lines = text.split("\n")
    body = ast.parse(text).body
    functions = [node for node in body if isinstance(node, ast.FunctionDef)]
    for node in reversed(functions):
        if not node.decorator_list:
            lines.insert(node.lineno - 1, decorator)
    place = _end_of_header(body)
    if "import numba" not in lines[:place]:
        lines[place:place] = ["import numba"] if place else ["import numba", ""]
    return "\n".join(lines)


def _end_of_header(body: list[ast.stmt]) -> int:
    """The line after the docstring and the imports."""
    end = 0
    for node in body:
        docstring = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        if not docstring and not isinstance(node, (ast.Import, ast.ImportFrom)):
            break
        end = node.end_lineno or end
    return end


def _numba_errors() -> tuple[type[Exception], ...]:
    try:
        from numba.core.errors import NumbaError
    except ImportError as error:
        raise BackendError('backend="numba" needs Numba', None, _INSTALL) from error
    return (NumbaError,)


# ---------------------------------------------------------------- errors


def _is_from_compiler(error: Exception) -> bool:
    """Whether Numba raised it while it compiled; compiled code has no frames."""
    import numba

    root = str(Path(numba.__file__).parent)
    trace = error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename.startswith(root):
            return True
        trace = trace.tb_next
    return False


def _located(
    error: Exception, module: ir.Module, text: str, filename: str
) -> BackendError:
    message = re.sub(r"\x1b\[[0-9;]*m", "", str(error))
    reason = _reason(message) or type(error).__name__
    line = _line_in(message, filename)
    if line is None:
        return BackendError(f"Numba cannot compile this: {reason}", None, _HINT)
    lines = text.split("\n")
    span = _span_of(lines, line, module)
    generated = lines[line - 1].strip()
    return BackendError(f"Numba cannot compile `{generated}`: {reason}", span, _HINT)


_TELLING = re.compile(
    r"(No implementation of function .*|Use of unsupported .*|Unknown attribute .*|"
    r"Cannot unify .*|Untyped global name .*|Cannot determine .*|Unsupported .*|"
    r"cannot .*|No conversion .*|Invalid use of .*|Cannot .*)"
)


def _reason(message: str) -> str:
    lines = [line.strip() for line in message.split("\n") if line.strip()]
    for line in lines:
        found = _TELLING.match(line.lstrip(">- "))
        if found:
            return found.group(1).rstrip(":.")
    useful = [line for line in lines if not line.startswith("Failed in nopython")]
    return useful[0].rstrip(":.") if useful else ""


def _line_in(message: str, filename: str) -> int | None:
    """The line of the generated file that the message speaks of, the innermost one."""
    quoted = re.escape(filename)
    for pattern in (rf'File "{quoted}", line (\d+)', rf"at {quoted} \((\d+)\)"):
        found = re.findall(pattern, message)
        if found:
            return int(found[-1])
    short = re.escape(Path(filename).name)
    found = re.findall(rf'File "[^"]*{short}", line (\d+)', message)
    return int(found[-1]) if found else None


def _span_of(lines: list[str], line: int, module: ir.Module) -> ir.Span | None:
    """The user's statement that a generated line computes or reverses.

    The line is the statement itself, or it stands below a comment that is.
    """
    spans: dict[str, ir.Span] = {}
    for function in module.functions:
        for op in ir.walk(function.body):
            if op.span.line and op.span.statement:
                spans.setdefault(" ".join(op.span.statement.split()), op.span)
    for text in reversed(lines[:line]):
        words = " ".join(text.split())
        span = spans.get(words.removeprefix("# "))
        if span is not None:
            return span
        if words.startswith(("#", "def ")):
            break
    return _span_of_function(lines, line, module)


def _span_of_function(lines: list[str], line: int, module: ir.Module) -> ir.Span | None:
    """The user's function that the line is a part of; decorators stand above."""
    around = [*reversed(lines[:line]), *lines[line:]]
    if lines[line - 1].startswith("@"):
        around = lines[line:]
    name = next((text for text in around if text.startswith("def ")), "")
    for function in module.functions:
        if name.startswith(f"def {function.name}(") and function.span.line:
            return function.span
    return None
