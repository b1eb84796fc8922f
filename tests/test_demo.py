"""The demonstration learns, checks its gradient, and prints well on both streams."""

from __future__ import annotations

import io

import numpy as np
import pytest

from autograd_compiler import demo


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_demo_reaches_its_accuracy_and_prints_the_gradient() -> None:
    stream = io.StringIO()
    result = demo.run_demo(stream=stream)
    assert result.passed
    assert result.accuracy >= 0.95
    assert result.max_relative_error <= 1e-6
    text = stream.getvalue()
    assert "d_" in text.split("The generated gradient:")[1]
    assert "\x1b" not in text and "\r" not in text


def test_demo_fails_if_it_does_not_learn(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    result = demo.DemoResult(accuracy=0.5, max_relative_error=1e-9, seconds=1.0)
    monkeypatch.setattr(demo, "run_demo", lambda: result)
    assert demo.main() == 1
    assert "FAILED" in capsys.readouterr().err


def test_demo_fails_if_the_gradient_is_wrong() -> None:
    assert not demo.DemoResult(0.99, 1e-2, 1.0).passed


def test_terminal_gets_a_redrawn_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    stream = Terminal()
    demo.run_demo(epochs=2, stream=stream)
    assert "\x1b[" in stream.getvalue()
    assert stream.getvalue().count("\r") == 2


def test_no_color_is_respected(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    stream = Terminal()
    demo.run_demo(epochs=1, stream=stream)
    assert "\x1b[" not in stream.getvalue()


def test_digits_are_all_there_and_split_the_same_way_each_time() -> None:
    (train_images, train_labels), (test_images, test_labels) = demo.load_digits()
    assert train_images.shape == (1437, 64)
    assert test_images.shape == (360, 64)
    assert len(train_labels) + len(test_labels) == 1797
    assert train_images.min() == 0.0 and train_images.max() == 1.0
    assert set(np.unique(test_labels)) == set(range(10))
    again = demo.load_digits()[1][1]
    assert np.array_equal(test_labels, again)
