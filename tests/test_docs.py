"""The code in docs/ runs and its links lead somewhere."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from markdown_code import check_document

from autograd_compiler.rules import registry

DOCS = Path(__file__).parent.parent / "docs"
DOCUMENTS = sorted(DOCS.rglob("*.md"))


def _name(document: Path) -> str:
    return str(document.relative_to(DOCS))


@pytest.mark.parametrize("document", DOCUMENTS, ids=_name)
def test_document_code_runs(
    document: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    pytest.importorskip("scipy.stats")
    registry.all_rules()  # SciPy's, too, which are loaded once
    # What a document adds to the table of rules stays with the document.
    monkeypatch.setattr(registry, "_RULES", dict(registry._RULES))
    check_document(document, tmp_path)


@pytest.mark.parametrize("document", DOCUMENTS, ids=_name)
def test_document_links_lead_somewhere(document: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)", document.read_text(encoding="utf-8")):
        if "://" not in target:
            assert (document.parent / target).exists(), target
