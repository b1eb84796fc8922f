"""What a pickled function needs on arrival: the text that it was written in.

A pickle names a function of a module, and the other process reads its file.  Functions
of scripts, notebooks and functions in functions have no such name: `cloudpickle` sends
their code, which has forgotten its file.  The text goes along, and the code is told of
it on arrival.
"""

from __future__ import annotations

import contextlib
import functools
import inspect
import linecache
import sys
import types
from collections.abc import Iterator
from typing import Any

from autograd_compiler.frontend.source import is_written_in


def texts_of(fun: Any) -> dict[str, str]:
    """The texts, by file, of a function and its helpers that go by no name."""
    texts: dict[str, str] = {}
    for found in _functions(fun):
        filename = found.__code__.co_filename
        if filename not in texts and not _goes_by_name(found):
            lines = linecache.getlines(filename, found.__globals__)
            if lines:
                texts[filename] = "".join(lines)
    return texts


def restore_texts(fun: Any, texts: dict[str, str]) -> None:
    """Tell functions whose text is not known here which of the texts is theirs."""
    for found in _functions(fun) if texts else ():
        code = found.__code__
        if linecache.getlines(code.co_filename, found.__globals__):
            continue
        for filename, text in texts.items():
            if is_written_in(text, code):
                found.__code__ = _placed(code, _registered(filename, text))
                break


def _registered(filename: str, text: str) -> str:
    """The name under which `linecache` has the text."""
    while (known := linecache.getlines(filename)) and "".join(known) != text:
        filename = f"<{filename} from another process>"
    if not known:
        lines = text.splitlines(keepends=True)
        linecache.cache[filename] = (len(text), None, lines, filename)
    return filename


def _placed(code: types.CodeType, filename: str) -> types.CodeType:
    constants = tuple(
        _placed(item, filename) if isinstance(item, types.CodeType) else item
        for item in code.co_consts
    )
    return code.replace(co_filename=filename, co_consts=constants)


def _goes_by_name(fun: types.FunctionType) -> bool:
    """Whether another process can import the function."""
    if fun.__module__ == "__main__":
        return False
    found: Any = sys.modules.get(fun.__module__ or "")
    for name in fun.__qualname__.split("."):
        found = getattr(found, name, None)
    while hasattr(found, "__autograd_compiler_call__"):  # `@grad def f`
        found = found.primal
    return found is fun


def _functions(fun: Any) -> Iterator[types.FunctionType]:
    """The plain functions that a callable is made of, and those they call by name."""
    seen: set[int] = set()
    waiting = [fun]
    while waiting:
        found = waiting.pop()
        if id(found) not in seen:
            seen.add(id(found))
            waiting += _parts(found)
            if isinstance(found, types.FunctionType):
                yield found


def _parts(found: Any) -> Iterator[Any]:
    if isinstance(found, types.FunctionType):
        named = (found.__globals__.get(name) for name in _names(found.__code__))
        for value in (*named, *_captured(found)):
            if isinstance(value, (types.FunctionType, functools.partial)) or (
                hasattr(value, "__autograd_compiler_call__")
            ):
                yield value
    elif isinstance(found, types.MethodType):
        yield found.__func__
    elif isinstance(found, functools.partial):
        yield found.func
    elif hasattr(found, "__autograd_compiler_call__"):
        yield found.primal
    else:
        yield inspect.getattr_static(type(found), "__call__", None)


def _names(code: types.CodeType) -> Iterator[str]:
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from _names(constant)


def _captured(fun: types.FunctionType) -> Iterator[Any]:
    for cell in fun.__closure__ or ():
        with contextlib.suppress(ValueError):  # a variable that has no value yet
            yield cell.cell_contents
