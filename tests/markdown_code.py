"""Run the code of a Markdown document as a reader would: block after block.

What the fence says decides:

- ```` ```python ````           is run, in one namespace per document;
- ```` ```python needs NAME ```` is run if that module is installed; if not, it is passed
  over, with what it prints;
- ```` ```python refused ````   must raise a `CompileError`;
- ```` ```text output ````      is what the last block printed, exactly;
- ```` ```text refused ````     is the message of that error, but for file and line;
- ```` ```python generated EXPRESSION ```` is the source that the expression gives. It must
  parse and is not compared: it changes whenever the compiler writes better code.

``python tests/markdown_code.py README.md docs/tutorial.md`` runs documents and writes
what came out into these blocks.
"""

from __future__ import annotations

import contextlib
import importlib.util
import io
import itertools
import os
import re
import sys
import tempfile
import types
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from autograd_compiler.errors import CompileError

_number = itertools.count()


@dataclass(frozen=True)
class CodeBlock:
    """A fenced block: the words after the fence, its text, and where the text begins."""

    words: tuple[str, ...]
    text: str
    line: int

    @property
    def runs(self) -> bool:
        return self.words in (("python",), ("python", "refused")) or bool(self.needs)

    @property
    def needs(self) -> tuple[str, ...]:
        """Modules without which the block is not run."""
        return self.words[2:] if self.words[:2] == ("python", "needs") else ()

    @property
    def lacks(self) -> bool:
        return any(importlib.util.find_spec(name) is None for name in self.needs)


def code_blocks(document: Path) -> Iterator[CodeBlock]:
    lines = document.read_text(encoding="utf-8").splitlines()
    opened: int | None = None
    words: tuple[str, ...] = ()
    for number, line in enumerate(lines, start=1):
        if not line.startswith("```"):
            continue
        if opened is None:
            opened, words = number, tuple(line[3:].split())
        else:
            yield CodeBlock(words, "\n".join(lines[opened : number - 1]), opened + 1)
            opened = None
    assert opened is None, f"{document}:{opened}: this fence is never closed"


def check_document(document: Path, folder: Path) -> int:
    """Run a document's code and compare what it shows; the number of blocks that ran."""
    ran = 0
    for block, actual in run_document(document, folder):
        where = f"{document.name}:{block.line}"
        match block.words:
            case ("python",) | ("python", "refused") | ("python", "needs", *_):
                ran += 1
            case ("python", "generated", *_):
                compile(block.text, where, "exec")
            case ("text", "output"):
                assert block.text == actual, f"{where}: not what it prints"
            case ("text", "refused"):
                assert _placeless(block.text) == _placeless(actual), where
            case ("python", *others):
                raise AssertionError(f"{where}: what is a block of {others}?")
    return ran


def run_document(document: Path, folder: Path) -> Iterator[tuple[CodeBlock, str]]:
    """Run a document's code; give each block with the text that it should have.

    Each block stands in a real file in `folder`, like a cell of a notebook, at the line
    numbers of the document: the compiler finds the source, and an error tells the line
    to look at.
    """
    name = f"document_{next(_number)}_{re.sub(r'[^a-z]', '_', document.stem.lower())}"
    module = types.ModuleType(name)
    sys.modules[name] = module
    printed, error = "", ""
    script = folder / f"{name}.py"
    passed_over = False
    for block in code_blocks(document):
        if block.runs:
            passed_over = block.lacks
        if passed_over:
            continue
        actual = block.text
        if block.runs:
            script = folder / f"{name}_{block.line}.py"
            script.write_text(_placed(block), encoding="utf-8")
            module.__file__ = str(script)
        match block.words:
            case ("python",) | ("python", "needs", *_):
                printed = _run(block, script, module)
            case ("python", "refused"):
                error = _refusal(block, script, module)
            case ("python", "generated", *expression):
                if expression:
                    actual = eval(" ".join(expression), module.__dict__).strip("\n")
            case ("text", "output"):
                actual = printed.rstrip("\n")
            case ("text", "refused"):
                actual = error.replace(str(script), "example.py")
        yield block, actual


def update_document(document: Path) -> None:
    """Write what came out into the document, from the end so that lines stay valid."""
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        results = list(run_document(document, Path(folder)))
    lines = document.read_text(encoding="utf-8").splitlines()
    for block, actual in reversed(results):
        end = block.line - 1 + len(block.text.splitlines())
        lines[block.line - 1 : end] = actual.splitlines()
    document.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _placed(block: CodeBlock) -> str:
    """The code of a block, on the lines where it stands in its document."""
    return "\n" * (block.line - 1) + block.text + "\n"


def _run(block: CodeBlock, script: Path, module: types.ModuleType) -> str:
    with contextlib.redirect_stdout(io.StringIO()) as output:
        exec(compile(_placed(block), str(script), "exec"), module.__dict__)
    return output.getvalue()


def _refusal(block: CodeBlock, script: Path, module: types.ModuleType) -> str:
    try:
        _run(block, script, module)
    except CompileError as error:
        return str(error)
    raise AssertionError(f"line {block.line}: this was to be refused, and was not")


def _placeless(message: str) -> str:
    """The message without the name of the file and the line numbers."""
    message = re.sub(r"^\S+?:\d+:(\d+): ", r"<file>:<line>:\1: ", message)
    message = re.sub(r"^ +\d+ \| ", "<line> | ", message, flags=re.MULTILINE)
    return re.sub(r"^ +\| +(?=\^)", "", message, flags=re.MULTILINE)


if __name__ == "__main__":
    # Absolute first: running a document changes the directory.
    for file in [Path(argument).resolve() for argument in sys.argv[1:]]:
        update_document(file)
