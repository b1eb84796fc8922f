from __future__ import annotations

import inspect
import linecache
import os
import stat
import subprocess
import sys
import threading
import traceback
from pathlib import Path

import pytest

from autograd_compiler.backend import load
from autograd_compiler.backend.load import load_module

TEXT = """import numpy as np


def double(x):
    # twice
    return 2.0 * np.asarray(x)


def fail(x):
    raise ValueError("from generated code")
"""


@pytest.fixture(autouse=True)
def fresh(monkeypatch, tmp_path):
    """Each test has its own cache directory and starts with nothing loaded."""
    monkeypatch.setenv("AUTOGRAD_COMPILER_CACHE", str(tmp_path / "cache"))
    load._modules.clear()


def test_the_module_runs_and_its_source_is_found():
    module = load_module(TEXT, "double")
    assert module.double(4.0) == 8.0
    assert module.__name__.startswith("autograd_compiler_generated_")
    assert "# twice" in inspect.getsource(module.double)
    assert os.path.basename(module.__file__).startswith("double_")
    with open(module.__file__) as file:
        assert file.read() == TEXT


def test_the_same_text_gives_the_same_module_and_name():
    first = load_module(TEXT, "double")
    assert load_module(TEXT, "double") is first
    other = load_module(TEXT + "\nthree = 3\n", "double")
    assert other.__name__ != first.__name__


def test_a_traceback_shows_the_generated_line():
    with pytest.raises(ValueError) as caught:
        load_module(TEXT, "fail").fail(1.0)
    text = "".join(traceback.format_exception(caught.value))
    assert 'raise ValueError("from generated code")' in text


def test_the_source_survives_the_file():
    module = load_module(TEXT, "double")
    os.remove(module.__file__)
    linecache.checkcache()
    assert "# twice" in inspect.getsource(module.double)


def test_the_directory_is_private(tmp_path):
    load_module(TEXT, "double")
    mode = stat.S_IMODE((tmp_path / "cache").stat().st_mode)
    assert mode == 0o700


def test_a_file_that_was_tampered_with_is_rewritten_and_not_run():
    path = load_module(TEXT, "double").__file__
    with open(path, "w") as file:
        file.write("def double(x): return 'wrong'\n")
    load._modules.clear()
    assert load_module(TEXT, "double").double(1.0) == 2.0
    with open(path) as file:
        assert file.read() == TEXT


def test_a_file_that_is_right_is_left_alone():
    path = load_module(TEXT, "double").__file__
    os.utime(path, (1, 1))
    load._modules.clear()
    load_module(TEXT, "double")
    assert os.stat(path).st_mtime == 1


@pytest.mark.skipif(os.name != "posix", reason="modes are POSIX")
def test_a_directory_that_others_can_write_to_is_not_used(tmp_path):
    shared = tmp_path / "shared"
    shared.mkdir()
    shared.chmod(0o777)
    module = load_module(TEXT, "double", cache_dir=shared)
    assert not list(shared.iterdir())
    assert module.double(1.0) == 2.0


def test_without_any_directory_the_module_lives_in_memory(monkeypatch):
    monkeypatch.setattr(load, "_make_private", lambda directory: False)
    monkeypatch.setattr(load, "_temporary_directory", lambda: None)
    module = load_module(TEXT, "double")
    assert module.__file__.startswith("<double_")
    assert module.double(1.0) == 2.0
    assert "# twice" in inspect.getsource(module.double)


def test_an_unwritable_directory_falls_back_to_a_temporary_one(monkeypatch, tmp_path):
    blocked = tmp_path / "file"
    blocked.write_text("not a directory")
    monkeypatch.setenv("AUTOGRAD_COMPILER_CACHE", str(blocked / "cache"))
    monkeypatch.setattr(load, "_user_cache", lambda: blocked / "user")
    module = load_module(TEXT, "double")
    assert module.double(1.0) == 2.0
    assert os.path.exists(module.__file__)


def test_objects_are_in_the_namespace_and_tell_modules_apart():
    class Local:
        pass

    class Other:
        pass

    text = "def make():\n    return cls()\n"
    first = load_module(text, "make", objects={"cls": Local})
    second = load_module(text, "make", objects={"cls": Other})
    assert type(first.make()) is Local
    assert type(second.make()) is Other


def test_a_module_is_registered_only_on_request():
    module = load_module(TEXT, "double")
    assert module.__name__ not in sys.modules
    try:
        load_module(TEXT, "double", register=True)
        assert sys.modules[module.__name__] is module
    finally:
        del sys.modules[module.__name__]


def test_threads_get_one_module():
    found = []
    start = threading.Barrier(8)

    def work():
        start.wait()
        found.append(load_module(TEXT, "double"))

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8
    assert len(set(map(id, found))) == 1


def test_processes_share_the_file(tmp_path):
    path = load_module(TEXT, "double").__file__
    code = (
        "from autograd_compiler.backend.load import load_module\n"
        f"print(load_module({TEXT!r}, 'double').__file__)"
    )
    runs = [
        subprocess.Popen(
            [sys.executable, "-c", code],
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": str(Path(load.__file__).parents[2])},
        )
        for _ in range(2)
    ]
    assert {run.communicate()[0].strip() for run in runs} == {path}
    assert [file.name for file in (tmp_path / "cache").iterdir()] == [
        os.path.basename(path)
    ]


def test_a_syntax_error_names_the_file():
    with pytest.raises(SyntaxError) as caught:
        load_module("def broken(:\n", "broken")
    assert "broken_" in str(caught.value.filename)
