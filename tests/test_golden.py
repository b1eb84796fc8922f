"""The generated code of a few programs, compared with what was reviewed.

A file holds a program, a line, and the gradient code that is expected for it.  The
program is the last function of its part; it is called with `ARGUMENTS` and
differentiated in `ARGNUMS` (0 where the file does not say).  With `WITHOUT_TYPES` it is
the source that is shown before any call.  After a change that is meant, `pytest
--update-golden` writes the expected parts anew; read the difference.
"""

from __future__ import annotations

import ast
import copy
import importlib.util
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from harness import define
from numeric import assert_close, flatten, gradient_by_differences, random_like

from autograd_compiler import grad, vjp

FOLDER = Path(__file__).parent / "golden"
LINE = "# ---- generated ----\n"
FILES = sorted(FOLDER.glob("*.py"))


def entry(text: str, filename: str) -> tuple[Callable[..., Any], dict[str, Any]]:
    """The last function of a text, and all that the text defines."""
    names = [
        node.name for node in ast.parse(text).body if isinstance(node, ast.FunctionDef)
    ]
    scope = define(text, filename, {"__name__": Path(filename).stem})
    return scope[names[-1]], scope


def halves(path: Path) -> tuple[str, str]:
    program, line, expected = path.read_text().partition(LINE)
    assert line, f"{path.name} has no line {LINE!r}"
    return program, expected.lstrip("\n")


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_generated_text(path: Path, update_golden: bool) -> None:
    program, expected = halves(path)
    function, scope = entry(program, f"<{path.stem}>")
    gradient = grad(function, scope.get("ARGNUMS", 0))
    untyped = scope.get("WITHOUT_TYPES", False)
    text = (gradient if untyped else gradient.lower(*scope["ARGUMENTS"])).source
    actual = text.rstrip("\n") + "\n"
    if update_golden:
        path.write_text(f"{program}{LINE}\n{actual}")
        return
    assert expected.strip(), "nothing is expected yet: run with --update-golden"
    assert actual == expected


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_expected_text_is_a_gradient(path: Path) -> None:
    program, expected = halves(path)
    assert expected.strip(), "nothing is expected yet: run with --update-golden"
    function, scope = entry(program, f"<{path.stem}>")
    generated, _ = entry(expected, f"<gradient of {path.stem}>")
    arguments = scope["ARGUMENTS"]
    argnums = scope.get("ARGNUMS", 0)
    chosen = argnums if isinstance(argnums, tuple) else (argnums,)

    def of_chosen(*values: Any) -> Any:
        full = list(copy.deepcopy(arguments))
        for i, value in zip(chosen, values, strict=True):
            full[i] = value
        return float(function(*full))

    differences = gradient_by_differences(
        of_chosen, tuple(arguments[i] for i in chosen), 1.0
    )
    result = generated(*copy.deepcopy(arguments))
    assert_close(flatten(result), differences, 1e-6)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_expected_text_is_differentiated_when_it_is_imported(
    path: Path, tmp_path: Path
) -> None:
    """Generated code is code like any other, wherever it is."""
    program, expected = halves(path)
    _, scope = entry(program, f"<{path.stem}>")
    file = tmp_path / f"{path.stem}_gradient.py"
    file.write_text(expected)
    spec = importlib.util.spec_from_file_location(file.stem, file)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    names = [
        node.name
        for node in ast.parse(expected).body
        if isinstance(node, ast.FunctionDef)
    ]
    generated = getattr(module, names[-1])
    arguments = scope["ARGUMENTS"]
    argnums = scope.get("ARGNUMS", 0)
    chosen = argnums if isinstance(argnums, tuple) else (argnums,)
    differentiated = tuple(arguments[i] for i in chosen)
    weights = random_like(generated(*copy.deepcopy(arguments)), 4)

    def of_chosen(*values: Any) -> Any:
        full = list(copy.deepcopy(arguments))
        for i, value in zip(chosen, values, strict=True):
            full[i] = value
        return generated(*full)

    expected_slopes = gradient_by_differences(of_chosen, differentiated, weights)
    _, pullback = vjp(generated, *copy.deepcopy(arguments))
    found = pullback(weights)
    assert_close(flatten([found[i] for i in chosen]), expected_slopes, 1e-6)
