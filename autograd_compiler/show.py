"""Generated source in colour, for terminals."""

from __future__ import annotations

import builtins
import io
import keyword
import os
import tokenize
from typing import TextIO

_RESET = "\033[0m"
_COMMENT = "\033[2;3m"
_KEYWORD = "\033[1;34m"
_STRING = "\033[32m"
_NUMBER = "\033[36m"
_DEFINITION = "\033[1;33m"
_BUILTIN = "\033[35m"
# Adjoints and tangents are what one looks for in generated code.
_DERIVATIVE = "\033[31m"

_BUILTINS = frozenset(name for name in dir(builtins) if not name.startswith("_"))


def wants_colour(stream: TextIO) -> bool:
    """Whether a stream is a terminal whose user has not said NO_COLOR."""
    if os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        return False
    return bool(getattr(stream, "isatty", lambda: False)())


def highlight(source: str, stream: TextIO) -> str:
    """The source with ANSI colours if the stream shows them, else as it is.

    Parameters
    ----------
    source : str
        Python source; what cannot be tokenised is given back unchanged.
    stream : text stream
        Where the source is going to be written.
    """
    if not wants_colour(stream):
        return source
    try:
        tokens = list(tokenize.generate_tokens(io.StringIO(source).readline))
    except (tokenize.TokenError, SyntaxError):
        return source
    lines = source.splitlines(keepends=True)
    pieces: list[str] = []
    place = (1, 0)
    before = ""
    for token in tokens:
        if token.type in (tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER):
            continue
        pieces.append(_between(lines, place, token.start))
        colour = _colour_of(token, before)
        text = _between(lines, token.start, token.end)
        pieces.append(f"{colour}{text}{_RESET}" if colour else text)
        place = token.end
        before = token.string
    pieces.append(_between(lines, place, (len(lines) + 1, 0)))
    return "".join(pieces)


def _colour_of(token: tokenize.TokenInfo, before: str) -> str:
    match token.type:
        case tokenize.COMMENT:
            return _COMMENT
        case tokenize.STRING:
            return _STRING
        case tokenize.NUMBER:
            return _NUMBER
        case tokenize.NAME:
            if keyword.iskeyword(token.string):
                return _KEYWORD
            if before in ("def", "class"):
                return _DEFINITION
            if before == ".":
                return ""
            if token.string.startswith("d_"):
                return _DERIVATIVE
            if token.string in _BUILTINS:
                return _BUILTIN
    return ""


def _between(lines: list[str], start: tuple[int, int], end: tuple[int, int]) -> str:
    """The text from one place (line from 1, column from 0) up to another."""
    (first, from_column), (last, to_column) = start, end
    if first > len(lines):
        return ""
    if first == last:
        return lines[first - 1][from_column:to_column]
    middle = "".join(lines[first : last - 1])
    tail = lines[last - 1][:to_column] if last <= len(lines) else ""
    return lines[first - 1][from_column:] + middle + tail
