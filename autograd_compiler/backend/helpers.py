"""The source of the functions that generated code calls, emitted along with it.

These are the helpers of `runtime.py`, the functions of rules that are called because
what they ask for is not known when compiling, and what these use in their turn.
"""

from __future__ import annotations

import ast
import builtins
import dis
import functools
import inspect
import re
import sys
import textwrap
import types
from collections.abc import Iterator, Mapping
from typing import Any

import black

from autograd_compiler.backend.vector.inlined import OPTIONS
from autograd_compiler.errors import AutogradCompilerError
from autograd_compiler.names import Namespace, public_name
from autograd_compiler.printer import Expressions
from autograd_compiler.rules.registry import generation, rule_of

_LITERALS = (int, float, complex, str, bool, type(None))


def is_helper(value: Any) -> bool:
    """Whether the source of a function can be emitted along with what calls it.

    Examples
    --------
    >>> from autograd_compiler import runtime
    >>> is_helper(runtime.unbroadcast), is_helper(len), is_helper(textwrap.dedent)
    (True, False, False)
    """
    return isinstance(value, types.FunctionType) and _is_complete(value, generation())


def _has_own_rule(function: types.FunctionType) -> bool:
    """Whether the user gave the function a rule, which a copy would be without."""
    module = (getattr(function, "__module__", None) or "").partition(".")[0]
    return module != "autograd_compiler" and rule_of(function) is not None


@functools.lru_cache(maxsize=1024)
def _is_complete(function: types.FunctionType, generation: int) -> bool:
    """Whether a function and all that it uses can be written down.

    It depends on the rules that there are, of which `generation` tells the cache.
    """
    waiting, seen = [function], {function}
    while waiting:
        current = waiting.pop()
        module = (getattr(current, "__module__", None) or "").partition(".")[0]
        if module in sys.stdlib_module_names or current.__closure__:
            return False
        if _has_own_rule(current):
            return False
        if current.__name__ == "<lambda>" or hasattr(current, "__wrapped__"):
            return False
        try:
            definition = ast.parse(_text(current)).body
        except (OSError, TypeError, SyntaxError):
            return False
        if len(definition) != 1 or not isinstance(definition[0], ast.FunctionDef):
            return False
        for _, value in _globals_used(current):
            if isinstance(value, types.FunctionType) and public_name(value) is None:
                if value not in seen:
                    seen.add(value)
                    waiting.append(value)
            # Numbers of the user are read anew at each call, and so never written down.
            elif not _is_spelled(value, literals=module == "autograd_compiler"):
                return False
    return True


def _is_spelled(value: Any, literals: bool) -> bool:
    if isinstance(value, types.ModuleType):
        return True
    if isinstance(value, type) and issubclass(value, AutogradCompilerError):
        return True  # the module is given it
    if isinstance(value, _LITERALS):
        return literals
    if isinstance(value, (tuple, frozenset)):
        return all(_is_spelled(item, literals) for item in value)
    return public_name(value) is not None


def helper_sources(helpers: Mapping[str, Any], namespace: Namespace) -> list[str]:
    """The source of helpers and of what they use, in the order of their definition.

    Modules that they use are added to the imports of the namespace.
    """
    texts: dict[tuple[str, int], str] = {}
    waiting = list(helpers.items())
    done: set[str] = set()
    while waiting:
        name, helper = waiting.pop()
        if name in done:
            continue
        done.add(name)
        spellings = {
            inner: _spelling(value, namespace) for inner, value in _globals_used(helper)
        }
        place = (helper.__module__, helper.__code__.co_firstlineno)
        texts[place] = _source(helper, name, spellings)
        if options := getattr(helper, OPTIONS, ""):
            numba = namespace.module("numba")
            texts[place] = f"@{numba}.njit({options})\n{texts[place]}"
        waiting.extend(namespace.helpers.items())
    return [text for _, text in sorted(texts.items())]


def _spelling(value: Any, namespace: Namespace) -> str:
    if isinstance(value, types.ModuleType):
        return namespace.module(value.__name__)
    if isinstance(value, (tuple, frozenset, *_LITERALS)):
        write = Expressions(lambda var: var.name, namespace, {})
        return write.constant(value).text
    return namespace.spell(value)


def _globals_used(function: types.FunctionType) -> Iterator[tuple[str, Any]]:
    """The global names that a function reads, builtins left out."""
    for name in sorted(_names_read(function.__code__)):
        if name in function.__globals__:
            yield name, function.__globals__[name]
        elif not hasattr(builtins, name):
            yield name, _Absent()


class _Absent:
    """The value of a global that is not defined yet."""


def _names_read(code: types.CodeType) -> set[str]:
    """The names of globals that code reads, those of attributes left out."""
    found = {
        instruction.argval
        for instruction in dis.get_instructions(code)
        if instruction.opname in ("LOAD_GLOBAL", "LOAD_NAME")
    }
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            found |= _names_read(constant)
    return found


# ---------------------------------------------------------------- the text


def _text(function: types.FunctionType) -> str:
    return textwrap.dedent(inspect.getsource(function))


Edit = tuple[int, int, str]  # from, to, what stands there instead


def _source(function: types.FunctionType, name: str, spellings: dict[str, str]) -> str:
    """The source under a name, as it reads among generated code.

    Without decorators and annotations, which would need imports of their own, and with
    the first paragraph of its docstring; global names are spelled as given.
    """
    text = _text(function)
    (definition,) = ast.parse(text).body
    assert isinstance(definition, ast.FunctionDef)
    starts = [0]
    for line in text.splitlines(keepends=True):
        starts.append(starts[-1] + len(line))
    lines = text.splitlines(keepends=True)

    def place(line: int, column: int) -> int:
        # Columns count bytes.
        prefix = lines[line - 1].encode()[:column].decode()
        return starts[line - 1] + len(prefix)

    def start(node: Any) -> int:
        return place(node.lineno, node.col_offset)

    def end(node: Any) -> int:
        return place(node.end_lineno, node.end_col_offset)

    edits: list[Edit] = [(0, start(definition), "")]
    definition.decorator_list = []  # which are left out as a whole
    at = text.index("def", start(definition)) + 3
    edits.append((at, text.index("(", at), f" {name}"))
    for node in ast.walk(definition):
        match node:
            case ast.FunctionDef(returns=returns):
                if returns is not None:
                    arrow = text.rindex("->", 0, start(returns))
                    before = len(text[:arrow].rstrip())
                    edits.append((before, end(returns), ""))
            case ast.arg(arg=own, annotation=annotation) if annotation is not None:
                edits.append((start(node) + len(own), end(annotation), ""))
            case ast.AnnAssign(target=target, annotation=annotation):
                edits.append((end(target), end(annotation), ""))
            case ast.Name(id=found) if spellings.get(found, found) != found:
                edits.append((start(node), end(node), spellings[found]))
    documented = definition.body[0]
    if ast.get_docstring(definition) is not None and len(definition.body) > 1:
        shown = text[start(documented) : end(documented)]
        summary = re.split(r"\n\s*\n", shown, maxsplit=1)[0]
        if summary != shown:
            edits.append((start(documented), end(documented), f'{summary}"""'))
    for first, last, changed in sorted(edits, reverse=True):
        text = text[:first] + changed + text[last:]
    return _formatted(text)


@functools.cache
def _formatted(text: str) -> str:
    return black.format_str(text, mode=black.Mode()).rstrip()
