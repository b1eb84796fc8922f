"""The command line: what is asked for is printed, what is wrong is said in one message."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from pathlib import Path

import pytest

from autograd_compiler import __version__
from autograd_compiler.__main__ import MODES, STAGES, main

MODEL = """\
import numpy as np
from autograd_compiler import grad, jacobian, value_and_grad

LENGTH = 3

def loss(w, x, scale=2.0):
    error = np.tanh(x @ w)
    return scale * np.sum(error**2)

def powers(x, n):
    for _ in range(n):
        x = x * np.sin(x)
    return x

@grad(argnums=("b", "a"))
def decorated(a, b):
    return np.sum(np.sin(a) * b)

@value_and_grad
def both(a):
    return np.sum(np.sin(a))

class Model:
    @staticmethod
    def energy(x):
        return np.sum(x * x)

def refused(a):
    return np.unique(a)[0]

number = 3

@jacobian
def doubled(x):
    return 2.0 * np.sin(x)
def stepped(x: float, n: int):
    for _ in range(n):
        x = x - 0.1 * np.sin(x)
    return x
"""

ARGS = {"loss": "np.ones(LENGTH), np.ones((2, 3))", "powers": "0.5, n=3"}


@pytest.fixture
def model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A file of functions; what `show` adds to the path and the modules goes again."""
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setattr(sys, "modules", dict(sys.modules))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "model.py").write_text(MODEL, encoding="utf-8")
    return "model.py"


@pytest.fixture
def show(model: str, capsys: pytest.CaptureFixture[str]):  # type: ignore[no-untyped-def]
    def run(target: str, *options: str) -> str:
        code = main(["show", f"{model}:{target}", *options])
        captured = capsys.readouterr()
        assert (code, captured.err) == (0, "")
        return captured.out

    return run


@pytest.fixture
def fail(model: str, capsys: pytest.CaptureFixture[str]):  # type: ignore[no-untyped-def]
    def run(target: str, *options: str) -> str:
        code = main(["show", target, *options])
        captured = capsys.readouterr()
        assert (code, captured.out) == (1, "")
        assert "Traceback" not in captured.err
        return captured.err.strip()

    return run


def heading(text: str) -> str:
    """The line of the last function's `def`."""
    return next(line for line in reversed(text.splitlines()) if line.startswith("def "))


# ---------------------------------------------------------------- what is shown


@pytest.mark.parametrize("target", ARGS)
@pytest.mark.parametrize("stage", STAGES)
def test_every_stage_is_shown_with_and_without_types(show, target, stage):
    if stage != "numba":  # which needs the types
        assert show(target, "--stage", stage).strip()
    assert show(target, "--stage", stage, "--args", ARGS[target]).strip()


def test_without_arguments_annotations_tell_the_types(show):
    assert "Assumed: x: float, n: int." in show("stepped", "--stage", "source")


@pytest.mark.parametrize("mode", MODES)
def test_every_mode_is_shown(show, mode):
    text = show("loss", "--mode", mode, "--args", ARGS["loss"])
    compile(text, "generated", "exec")
    assert heading(text).startswith(f"def loss_{mode}(w, x, scale")


def test_source_is_the_default_and_is_what_the_gradient_says(show):
    text = show("decorated", "--args", "np.ones(3), np.ones(3)")
    found = sys.modules["model"].decorated
    ones = sys.modules["model"].np.ones(3)
    assert text.strip() == found.lower(ones, ones).source.strip()


def test_wrt_takes_names_and_numbers(show):
    by_name = show("loss", "--wrt", "w, scale", "--args", ARGS["loss"])
    assert by_name == show("loss", "--wrt", "0,2", "--args", ARGS["loss"])
    assert by_name == show("loss", "--wrt", "0,-1", "--args", ARGS["loss"])
    assert "return d_w, " in by_name


def test_a_decorated_function_keeps_what_its_decorator_said(show):
    assert "return d_b, d_a" in show("decorated")
    assert heading(show("both")).startswith("def both_value_and_grad")
    assert heading(show("both", "--mode", "jvp")).startswith("def both_jvp")


def test_the_numba_backend_shows_what_numba_compiles(show):
    arguments = ("--args", ARGS["loss"])
    legal = show("loss", "--backend", "numba", *arguments)
    assert legal == show("loss", "--stage", "numba", *arguments)
    source = show("loss", "--backend", "numba", "--stage", "source", *arguments)
    assert source == show("loss", *arguments)


def test_types_make_the_source_shorter(show):
    generic = show("loss")
    assert len(show("loss", "--args", ARGS["loss"])) < len(generic)


def test_the_plan_tells_what_a_loop_keeps(show):
    assert "tape" in show("powers", "--stage", "plan", "--args", ARGS["powers"])
    plan = show("decorated", "--stage", "plan")
    assert plan == "The reverse sweep needs nothing to be stored.\n"


def test_a_function_in_a_class_is_found(show):
    assert "d_x" in show("Model.energy")


def test_a_module_is_found_by_its_name(model, capsys):
    assert main(["show", "model:loss"]) == 0
    assert heading(capsys.readouterr().out).startswith("def loss_grad(")


def test_a_file_named_like_a_loaded_module_is_read_itself(model, capsys):
    Path("json.py").write_text(MODEL, encoding="utf-8")
    import json

    assert main(["show", "json.py:loss"]) == 0
    assert sys.modules["json"] is json


# ---------------------------------------------------------------- colour


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("options, coloured", [((), True), (("--no-color",), False)])
def test_a_terminal_gets_colour_unless_told_not_to(
    model, monkeypatch, options, coloured
):
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    terminal = Terminal()
    monkeypatch.setattr(sys, "stdout", terminal)
    assert main(["show", f"{model}:loss", *options]) == 0
    assert ("\033[" in terminal.getvalue()) == coloured


# ---------------------------------------------------------------- what is wrong


def test_a_refusal_names_the_line(fail):
    lines = fail("model.py:refused").splitlines()
    assert lines[0].endswith("cannot differentiate `np.unique`")
    assert "model.py:29:12: " in lines[0]
    assert lines[1].endswith("return np.unique(a)[0]")
    assert set(lines[2].split("|")[1].strip()) == {"^"}
    assert lines[3].startswith("hint: ")


@pytest.mark.parametrize(
    "target, message",
    [
        ("loss", "'loss' names no function: write FILE.py:function or "),
        ("model.py:nothing", "there is no `nothing` in model.py"),
        ("missing.py:loss", "there is no file 'missing.py'"),
        ("no_such_module:loss", "there is no module `no_such_module`"),
        ("model.py:number", "a function is needed, and 3 is not callable"),
    ],
)
def test_a_target_that_is_not_there_is_one_message(fail, target, message):
    assert fail(target).startswith(message)


@pytest.mark.parametrize(
    "options, message",
    [
        (("--args", "np.one(3)"), "--args cannot be evaluated: AttributeError: "),
        (("--args", "1, ("), "--args cannot be evaluated: SyntaxError: "),
        (("--args", "np.ones(3)"), "loss: missing a required argument: 'x'"),
        (("--args", "1, np.ones((2, 3))"), "loss: `w` is int"),
        (("--wrt", "q"), "argnums='q': `loss` has no argument of that name"),
        (("--wrt", "0,0"), "argnums selects an argument twice"),
    ],
)
def test_options_that_cannot_be_are_one_message(fail, options, message):
    assert fail("model.py:loss", *options).startswith(message)


def test_an_import_that_fails_inside_of_a_module_is_not_hidden(model):
    Path("broken.py").write_text("import no_such_module\n", encoding="utf-8")
    with pytest.raises(ModuleNotFoundError, match="no_such_module"):
        main(["show", "broken:loss"])


def test_an_unknown_command_or_stage_is_a_usage_error(model, capsys):
    for arguments in (["draw"], ["show", "model.py:loss", "--stage", "none"], []):
        with pytest.raises(SystemExit) as exit:
            main(arguments)
        assert exit.value.code == 2
        assert "usage: " in capsys.readouterr().err


# ---------------------------------------------------------------- as a process

ENVIRONMENT = {**os.environ, "PYTHONPATH": str(Path(__file__).parent.parent)}


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "autograd_compiler", *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        env=ENVIRONMENT,
    )


def test_version(capsys):
    with pytest.raises(SystemExit) as exit:
        main(["--version"])
    assert exit.value.code == 0
    assert capsys.readouterr().out.strip() == __version__


def test_show_as_a_process(model):
    done = run("show", f"{model}:loss", "--args", ARGS["loss"])
    assert (done.returncode, done.stderr) == (0, "")
    assert heading(done.stdout).startswith("def loss_grad(")


def test_a_refusal_as_a_process(model):
    done = run("show", f"{model}:refused")
    assert (done.returncode, done.stdout) == (1, "")
    assert "np.unique" in done.stderr and "Traceback" not in done.stderr


def test_a_reader_that_stops_early_is_no_error(model):
    text = f"def long(x):\n    assert x, '{'long' * 50_000}'\n    return x\n"
    Path("long.py").write_text(text, encoding="utf-8")
    command = f"{sys.executable} -m autograd_compiler show long.py:long --stage ast"
    done = subprocess.run(
        f"{command} | head -c 1",
        shell=True,
        capture_output=True,
        text=True,
        timeout=60,
        env=ENVIRONMENT,
    )
    assert (done.stdout, done.stderr) == ("d", "")


def test_decorated_jacobian_is_shown_for_its_arguments(show, fail) -> None:  # type: ignore[no-untyped-def]
    assert "def doubled_jacobian(x):" in show("doubled", "--args", "np.ones(2)")
    assert "--args" in fail("model.py:doubled")
