"""The page with the table of operators is as `docs/make_operators.py` writes it."""

from __future__ import annotations

import runpy
from pathlib import Path

import numpy as np
import pytest

SCRIPT = Path(__file__).parent.parent / "docs" / "make_operators.py"


def test_table_of_operators_is_current() -> None:
    made = runpy.run_path(str(SCRIPT))
    written = made["PAGE"].read_text(encoding="utf-8")
    if f"with NumPy {'.'.join(np.__version__.split('.')[:2])}." not in written:
        pytest.skip("the page was written with another release of NumPy")
    assert made["table"]() == written, "run python docs/make_operators.py"
