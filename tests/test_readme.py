"""The README does what it says: its code runs, its commands are those that CI runs."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from markdown_code import check_document, code_blocks

ROOT = Path(__file__).parent.parent
README = ROOT / "README.md"

COMMANDS = (
    "pip install -e . && python -m autograd_compiler demo",
    'pip install -e ".[test]" && pytest',
)


def test_readme_code_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert check_document(README, tmp_path) >= 5


def test_readme_gives_the_two_commands() -> None:
    shell = [block.text for block in code_blocks(README) if block.words == ("sh",)]
    lines = "\n".join(shell).splitlines()
    for command in COMMANDS:
        assert command in lines


def test_ci_runs_what_the_readme_says() -> None:
    script = ROOT / ".ci" / "run"
    assert os.access(script, os.X_OK)
    lines = script.read_text(encoding="utf-8").splitlines()
    said = [_without_options(line) for line in lines if not line.startswith("say ")]
    for command in COMMANDS:
        for part in command.split(" && "):
            assert any(line.endswith(part) for line in said), part


def _without_options(line: str) -> str:
    return " ".join(word for word in line.split() if not word.startswith("--"))


def test_readme_links_lead_somewhere() -> None:
    for target in re.findall(r"\]\(([^)#]+)", README.read_text(encoding="utf-8")):
        if "://" not in target:
            assert (ROOT / target).exists(), target
