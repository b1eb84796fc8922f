"""Exported modules as files: written, and compared with what would be written now."""

from __future__ import annotations

import os
from pathlib import Path

from autograd_compiler.errors import ExportError
from autograd_compiler.export.module import SOURCES, WRITTEN_BY


def write(path: str | os.PathLike[str], text: str) -> None:
    """Put a text into a file.

    Raises
    ------
    ExportError
        If the file cannot be written.
    """
    try:
        Path(path).write_text(text, encoding="utf-8")
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise ExportError(f"{os.fspath(path)!r} cannot be written: {reason}") from None


def check(path: str | os.PathLike[str], text: str) -> None:
    """Refuse a file that is not what would be written now.

    Raises
    ------
    ExportError
        If the file is stale or cannot be read; it says what differs.
    """
    name = os.fspath(path)
    try:
        found = Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or type(error).__name__
        raise ExportError(f"{name!r} cannot be read: {reason}") from None
    if found != text:
        raise ExportError(
            f"{name!r} is stale: {'; '.join(differences(found, text))}\n"
            "hint: write it anew, without --check"
        )


def differences(found: str, wanted: str) -> list[str]:
    """What tells a file from the text that would be written now, in words."""
    old, new = found.splitlines(), wanted.splitlines()
    told: list[str] = []
    before, now = _version(old), _version(new)
    if before != now:
        by = f"autograd_compiler {before}" if before else "something else"
        told.append(f"it was written by {by}, and this is autograd_compiler {now}")
    command, wanted_command = _after(old, WRITTEN_BY), _after(new, WRITTEN_BY)
    if before and command != wanted_command:
        told.append(f"it was written by `{command}`")
    hashes, current = _sources(old), _sources(new)
    for name in {**hashes, **current} if before else ():
        if name not in current:
            told.append(f"`{name}` is not used any more")
        elif name not in hashes:
            told.append(f"`{name}` is used now")
        elif hashes[name] != current[name]:
            told.append(f"the source of `{name}` has changed")
    if not told:
        number = next(
            (
                n
                for n, pair in enumerate(zip(old, new, strict=False))
                if len(set(pair)) > 1
            ),
            min(len(old), len(new)),
        )
        lines = [
            (text[number].strip() if number < len(text) else "") for text in (old, new)
        ]
        told.append(f"line {number + 1} is `{lines[0]}` and would be `{lines[1]}`")
    return told


def _version(lines: list[str]) -> str:
    for line in lines:
        _, found, rest = line.partition(WRITTEN_BY)
        if found:
            return rest.partition(";")[0]
    return ""


def _after(lines: list[str], marker: str) -> str:
    """What a header says two lines below a line with the marker."""
    for number, line in enumerate(lines[:-2]):
        if marker in line:
            return lines[number + 2].strip()
    return ""


def _sources(lines: list[str]) -> dict[str, str]:
    """The hashes in a header, by name."""
    found: dict[str, str] = {}
    if SOURCES in lines:
        for line in lines[lines.index(SOURCES) + 2 :]:
            name, _, digest = line.strip().rpartition(" ")
            if not name:
                break
            found[name.strip()] = digest
    return found
