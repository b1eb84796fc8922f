from __future__ import annotations

import io
import re

import pytest

from autograd_compiler.show import highlight


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture(autouse=True)
def colours_allowed(monkeypatch):
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")


SOURCE = '''def d_loss(w, x):
    """The gradient.

    Of two lines.
    """
    # y = np.sum(w * x)
    d_w = 1.0 * x  \\
        + max(0, 2)
\tif_ = f"{w}"
    return d_w
'''.replace("\tif_", "    if_")


def without_colours(text):
    return re.sub(r"\033\[[0-9;]*m", "", text)


def test_only_colours_are_added():
    text = highlight(SOURCE, Terminal())
    assert text != SOURCE
    assert without_colours(text) == SOURCE


@pytest.mark.parametrize("source", ["", "x", "x = 1", "\n\n# only\n", "a\r\nb\r\n"])
def test_odd_sources(source):
    assert without_colours(highlight(source, Terminal())) == source


def test_a_pipe_gets_plain_text():
    assert highlight(SOURCE, io.StringIO()) == SOURCE


def test_no_color_is_respected(monkeypatch):
    monkeypatch.setenv("NO_COLOR", "1")
    assert highlight(SOURCE, Terminal()) == SOURCE


def test_what_is_not_python_is_given_back():
    assert highlight("def (((", Terminal()) == "def ((("
