"""What a pickled function needs on arrival: the text that it was written in.

A pickle names a function of a module, and the other process reads its file.  Functions
of notebooks and interactive sessions have no file: `cloudpickle` sends their code, and
this sends the text, from which the gradient is compiled again.
"""

from __future__ import annotations

import contextlib
import functools
import inspect
import linecache
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any


def texts_of(fun: Any) -> dict[str, str]:
    """The texts without a file that a function and its helpers were written in."""
    texts: dict[str, str] = {}
    seen: set[int] = set()
    waiting = [fun]
    while waiting:
        found = waiting.pop()
        if id(found) in seen:
            continue
        seen.add(id(found))
        waiting += _parts(found)
        if isinstance(found, types.FunctionType):
            filename = found.__code__.co_filename
            if filename not in texts and not Path(filename).is_file():
                lines = linecache.getlines(filename, found.__globals__)
                if lines:
                    texts[filename] = "".join(lines)
    return texts


def _parts(found: Any) -> Iterator[Any]:
    """The functions that a callable is made of, or calls by a global or captured name."""
    match found:
        case types.FunctionType():
            named = (found.__globals__.get(name) for name in _names(found.__code__))
            for value in (*named, *_captured(found)):
                if isinstance(value, (types.FunctionType, functools.partial)) or (
                    hasattr(value, "__autograd_compiler_call__")
                ):
                    yield value
        case types.MethodType():
            yield found.__func__
        case functools.partial():
            yield found.func
        case _ if hasattr(found, "__autograd_compiler_call__"):
            yield found.primal
        case _:
            call = inspect.getattr_static(type(found), "__call__", None)
            if isinstance(call, types.FunctionType):
                yield call


def _names(code: types.CodeType) -> Iterator[str]:
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from _names(constant)


def _captured(fun: types.FunctionType) -> Iterator[Any]:
    for cell in fun.__closure__ or ():
        with contextlib.suppress(ValueError):  # a variable that has no value yet
            yield cell.cell_contents


def restore_texts(texts: dict[str, str]) -> None:
    """Let `linecache` know texts from another process, where it has none itself."""
    for filename, text in texts.items():
        if not linecache.getlines(filename):
            lines = text.splitlines(keepends=True)
            linecache.cache[filename] = (len(text), None, lines, filename)
