"""What is said where the library of an adapter is missing."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

import pytest

import autograd_compiler.interop
from autograd_compiler.errors import AutogradCompilerError, MissingLibraryError
from autograd_compiler.interop.library import require

FOLDER = Path(autograd_compiler.interop.__file__).parent
SHARED = {"__init__", "library", "flat_functions", "elementwise_loss"}
ADAPTERS = sorted({file.stem for file in FOLDER.glob("*.py")} - SHARED)


@pytest.mark.parametrize("name", ADAPTERS)
def test_missing_library_is_named_with_the_command(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    adapter = f"autograd_compiler.interop.{name}"
    monkeypatch.delitem(sys.modules, adapter, raising=False)
    for module in [name, *sys.modules]:
        if module.partition(".")[0] == name:
            monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(MissingLibraryError, match=f"pip install {name}$") as caught:
        importlib.import_module(adapter)
    assert isinstance(caught.value, (AutogradCompilerError, ImportError))


def test_library_that_is_broken_is_not_called_missing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "broken_library.py").write_text("import what_it_needs\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ModuleNotFoundError, match="what_it_needs") as caught:
        require("broken_library")
    assert not isinstance(caught.value, MissingLibraryError)
