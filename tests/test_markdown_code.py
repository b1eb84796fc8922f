"""Blocks of documents that need a library which may be missing."""

from __future__ import annotations

from pathlib import Path

from markdown_code import check_document

DOCUMENT = """
```python needs {module}
import {module}
print("ran")
```

```text output
{shown}
```

```python
print("always")
```

```text output
always
```
"""


def test_block_with_its_output_is_passed_over_without_the_library(
    tmp_path: Path,
) -> None:
    document = tmp_path / "page.md"
    document.write_text(DOCUMENT.format(module="no_such_library", shown="anything"))
    assert check_document(document, tmp_path) == 1


def test_block_is_run_with_the_library(tmp_path: Path) -> None:
    document = tmp_path / "page.md"
    document.write_text(DOCUMENT.format(module="json", shown="ran"))
    assert check_document(document, tmp_path) == 2
