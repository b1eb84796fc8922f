"""Exported modules run without the package, and say when they are stale."""

from __future__ import annotations

import copy
import importlib
import inspect
import linecache
import pickle
import subprocess
import sys
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import black
import numpy as np
import pytest
from corpus import ALL, Program
from harness import is_scalar, run
from numeric import assert_same

from autograd_compiler import (
    __version__,
    elementwise_grad,
    grad,
    hessian,
    hvp,
    jacfwd,
    value_and_grad,
)
from autograd_compiler.__main__ import main
from autograd_compiler.errors import ExportError, UnsupportedError
from autograd_compiler.specialise import Specialiser
from autograd_compiler.transforms.exporting import exported
from autograd_compiler.transforms.products import tangent_at


def entry(text: str, filename: str = "<exported>") -> Callable[..., Any]:
    """The one public function of an exported module: the last one."""
    module = types.ModuleType("exported")
    exec(compile(text, filename, "exec"), module.__dict__)
    names = [line[4:].split("(")[0] for line in text.splitlines() if line[:4] == "def "]
    found: Callable[..., Any] = getattr(module, names[-1])
    return found


# ---------------------------------------------------------------- the corpus

# Objects that are neither literals nor defined in a module.
REFUSED = ("effects.logging_a_value", "objects.members_of_an_enum")
SCALAR = [item for item in ALL if is_scalar(run(item)) and item.name not in REFUSED]
EVERY_TWELFTH = SCALAR[::12]


def given(program: Program) -> tuple[list[Any], dict[str, Any]]:
    return copy.deepcopy(list(program.args)), copy.deepcopy(program.kwargs)


def check_program(
    program: Program, backend: str = "python", filename: str = "<exported>"
) -> str:
    """The exported text of a program, which gives what the gradient object gives."""
    gradient = grad(program.function, program.argnums, backend=backend)
    args, kwargs = given(program)
    text = gradient.exported(*args, again="the test", **kwargs)
    assert black.format_str(text, mode=black.Mode()) == text
    args, kwargs = given(program)
    want = gradient(*args, **kwargs)
    args, kwargs = given(program)
    assert_same(entry(text, filename)(*args, **kwargs), want)
    return text


@pytest.mark.parametrize("program", EVERY_TWELFTH, ids=lambda item: item.name)
def test_exported_gradient_is_that_of_the_object(program: Program) -> None:
    check_program(program)


@pytest.mark.slow
@pytest.mark.parametrize("program", SCALAR, ids=lambda item: item.name)
def test_every_exported_gradient_is_that_of_the_object(program: Program) -> None:
    check_program(program)


@pytest.mark.numba
@pytest.mark.slow
@pytest.mark.parametrize(
    "program", [item for item in SCALAR if item.numba][::20], ids=lambda item: item.name
)
def test_exported_numba_gradient_is_that_of_the_object(
    program: Program, tmp_path: Path
) -> None:
    pytest.importorskip("numba")
    file = tmp_path / "exported.py"  # Numba caches next to a file
    file.touch()
    assert "@numba.njit" in check_program(program, "numba", str(file))


@pytest.mark.parametrize(
    "program",
    [item for item in SCALAR if item.forward][::25],
    ids=lambda item: item.name,
)
def test_exported_forward_derivative_is_that_of_jvp(program: Program) -> None:
    specialiser = Specialiser(program.function, "jvp")
    wrt = specialiser.wrt(program.argnums)
    args, kwargs = given(program)
    values = specialiser.bind(tuple(args), kwargs)
    if not all(name.isidentifier() for name in wrt):
        return
    tangents = [copy.deepcopy(values[name]) for name in wrt]
    function = entry(exported(specialiser, wrt, values, "the test"))
    named = [
        name
        for name, parameter in inspect.signature(function).parameters.items()
        if name not in specialiser.signature.parameters
        and parameter.kind is parameter.KEYWORD_ONLY
    ]
    args, kwargs = given(program)
    got = function(*args, **kwargs, **dict(zip(named, tangents, strict=True)))
    out, tangent, _ = tangent_at(specialiser, wrt, copy.deepcopy(values), tangents)
    assert_same(got, (out, tangent))


# ---------------------------------------------------------------- without the package

MODEL = """\
from dataclasses import dataclass

import numpy as np
from layers import Layer, activation

SCALE = 2.0
OFFSETS = np.array([0.5, -0.5, 0.25])

def made_with(factor):
    def captured(w):
        return factor * np.sum(w**3)
    return captured

captured = made_with(1.5)

def loss(w, x, y=0.5, *, steps: int = 2):
    for _ in range(steps):
        w = SCALE * activation(w) + OFFSETS
    return np.mean((x @ w - y) ** 2)

def of_layer(layer, x):
    hidden = x @ layer.weights + layer.bias
    return np.sum(np.tanh(hidden))

def of_parameters(params, x):
    return np.sum(activation(x @ params["w"]) * params["scale"][0])

def starred(*items, factor=2.0, **more):
    return factor * np.sum(items[0] * items[1]) * more["power"]

def product(x, y):
    return np.sum(x * y)

def written(x, y):
    x[0] = x[1] * y[0]
    return np.sum(x * y)

def recursive(x, n: int):
    if n == 0:
        return np.sum(x)
    return np.sum(np.sin(x)) * recursive(x, n - 1)
"""
LAYERS = """\
from dataclasses import dataclass

import numpy as np

@dataclass(frozen=True)
class Layer:
    weights: np.ndarray
    bias: float

def activation(x):
    return np.tanh(x)
"""

# Refuses the package, then calls what it is told to and passes the results back.
ALONE = """\
import importlib, pickle, sys

class Refusing:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == "autograd_compiler":
            raise ImportError("exported modules must not need the package")

sys.meta_path.insert(0, Refusing())
folder = sys.argv[1]
sys.path.insert(0, folder)
with open(folder + "/calls.pickle", "rb") as file:
    calls = pickle.load(file)
results = []
for module, function, args, kwargs in calls:
    results.append(getattr(importlib.import_module(module), function)(*args, **kwargs))
with open(folder + "/results.pickle", "wb") as file:
    pickle.dump(results, file)
print(sorted(name for name in sys.modules if "autograd" in name))
"""


@pytest.fixture
def model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> types.ModuleType:
    """A module of functions, in a folder that is the current one."""
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    for name in ("model", "layers"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "model.py").write_text(MODEL, encoding="utf-8")
    (tmp_path / "layers.py").write_text(LAYERS, encoding="utf-8")
    importlib.invalidate_caches()
    yield importlib.import_module("model")
    for name in ("model", "layers"):
        sys.modules.pop(name, None)


def test_exported_modules_run_without_the_package(
    model: types.ModuleType, tmp_path: Path
) -> None:
    w, x = np.array([0.1, -0.2, 0.3]), np.arange(6.0).reshape(2, 3)
    layer = model.Layer(np.array([0.3, 0.1, -0.2]), 0.5)
    params = {"w": w, "scale": (2.0,)}
    cases: list[tuple[Any, tuple[Any, ...], dict[str, Any]]] = [
        (grad(model.loss), (w, x), {}),
        (grad(model.loss), (w, x, 0.25), {"steps": 3}),
        (value_and_grad(model.loss, ("w", "y")), (w, x, 0.25), {}),
        (grad(model.captured), (w,), {}),
        (grad(model.of_layer), (layer, x), {}),
        (value_and_grad(model.of_parameters, (0, 1)), (params, x), {}),
        (grad(model.starred, (1,)), (w, w + 1.0), {"factor": 3.0, "power": 2.0}),
        (grad(model.written, (0, 1)), (w.copy(), w + 1.0), {}),
        (grad(model.recursive), (w, 3), {}),
        (hessian(model.loss), (w, x), {}),
        (jacfwd(model.activation), (w,), {}),
        (hvp(model.loss), (w, w + 1.0, x), {}),
        (elementwise_grad(model.activation), (w,), {}),
    ]
    calls, wanted = [], []
    for number, (derivative, args, kwargs) in enumerate(cases):
        path = tmp_path / f"exported_{number}.py"
        derivative.export(path, *args, name="exported", **kwargs)
        calls.append((path.stem, "exported", args, kwargs))
    # Without example arguments: what has no containers.
    for number in (0, 3):
        derivative, args, kwargs = cases[number]
        path = tmp_path / f"generic_{number}.py"
        derivative.export(path, name="exported")
        calls.append((path.stem, "exported", args, kwargs))
    (tmp_path / "calls.pickle").write_bytes(pickle.dumps(calls))
    for derivative, args, kwargs in [*cases, cases[0], cases[3]]:
        given_args, given_kwargs = copy.deepcopy((args, kwargs))
        wanted.append(derivative(*given_args, **given_kwargs))
    done = subprocess.run(
        [sys.executable, "-I", "-c", ALONE, str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, "[]\n"), done.stderr
    results = pickle.loads((tmp_path / "results.pickle").read_bytes())
    for got, want in zip(results, wanted, strict=True):
        assert_same(got, want)


@pytest.mark.numba
def test_an_exported_numba_module_compiles_and_agrees(model: types.ModuleType) -> None:
    pytest.importorskip("numba")
    w, x = np.array([0.1, -0.2, 0.3]), np.arange(6.0).reshape(2, 3)
    layer = model.Layer(np.array([0.3, 0.1, -0.2]), 0.5)
    for name, derivative, args in (
        ("compiled_loss", value_and_grad(model.loss, backend="numba"), (w, x)),
        ("compiled_layer", grad(model.of_layer, backend="numba"), (layer, x)),
    ):
        derivative.export(f"{name}.py", *args, name="exported")
        found = importlib.import_module(name)
        assert_same(found.exported(*args), derivative(*args))
        assert "import numba" in Path(f"{name}.py").read_text(encoding="utf-8")


# ---------------------------------------------------------------- the public function


def test_signature_and_defaults_are_the_original_ones(model: types.ModuleType) -> None:
    w, x = np.ones(3), np.ones((2, 3))
    function = entry(grad(model.loss).exported(w, x, again="…"))
    assert str(inspect.signature(function)) == "(w, x, y=0.5, *, steps=2)"
    function = entry(grad(model.starred).exported(w, w, power=2.0, again="…"))
    assert str(inspect.signature(function)) == "(*items, factor=2.0, **more)"

    def positional(a: Any, b: Any = np.float64(1.0), /, c: Any = None) -> Any:
        return a * b

    function = entry(grad(positional).exported(2.0, again="…"))
    parameters = inspect.signature(function).parameters
    assert [str(p.kind) for p in parameters.values()] == [
        "positional-only",
        "positional-only",
        "positional or keyword",
    ] or list(parameters) == ["a", "b", "c"]
    assert function(2.0) == 1.0


def test_results_are_the_caller_s_own(model: types.ModuleType) -> None:
    x, y = np.ones(3), np.arange(3.0)
    function = entry(grad(model.product).exported(x, y, again="…"))
    result = function(x, y)
    assert not np.shares_memory(result, y)
    function = entry(grad(lambda x: x * x).exported(1.0, again="…"))
    assert type(function(1.0)) is float


def test_arguments_of_other_kinds_are_refused(model: types.ModuleType) -> None:
    function = entry(grad(model.loss).exported(np.ones(3), np.ones((2, 3)), again="…"))
    for args, told in (
        (
            (np.ones(4), np.ones((2, 4))),
            r"`w` must be an array of float64 of shape \(3,\)",
        ),
        ((np.ones(3), np.ones(3)), "`x` must be"),
        ((np.ones(3), np.ones((2, 3), np.float32)), "float32"),
        ((np.ones(3), np.ones((3, 2)).T), "must be contiguous"),
        ((np.ones(3), np.ones((2, 3)), np.ones(2)), "`y` must be a float64"),
        (([1.0, 2.0, 3.0], np.ones((2, 3))), "`w` must be"),
    ):
        with pytest.raises(TypeError, match=told):
            function(*args)
    function = entry(
        grad(model.of_parameters).exported(
            {"w": np.ones(3), "scale": (1.0,)}, np.ones((2, 3)), again="…"
        )
    )
    with pytest.raises(TypeError, match="must have the parts"):
        function({"w": np.ones(3)}, np.ones((2, 3)))
    with pytest.raises(TypeError, match="must have the parts"):
        function({"w": np.ones(3), "scale": (1.0, 2.0)}, np.ones((2, 3)))


def test_a_fixed_argument_of_another_value_is_refused() -> None:
    def powered(x: Any, how: Any = "square") -> Any:
        return x**2 if how == "square" else x**3

    for text in (
        grad(powered).exported(2.0, again="…"),
        grad(powered).exported(again="…"),
    ):
        function = entry(text)
        assert function(3.0) == 6.0
        with pytest.raises(TypeError, match="`how` must be 'square'"):
            function(3.0, "cube")


def test_overlapping_arguments_are_refused_where_one_is_written(
    model: types.ModuleType,
) -> None:
    function = entry(grad(model.written).exported(np.ones(3), np.ones(3), again="…"))
    x = np.ones(3)
    with pytest.raises(TypeError, match="overlaps"):
        function(x, x)


class Pair(NamedTuple):
    left: Any
    right: float


def test_named_tuples_come_back_as_named_tuples() -> None:
    def weighted(pair: Any) -> Any:
        return np.sum(pair.left) * pair.right

    gradient = grad(weighted)
    pair = Pair(np.ones(2), 3.0)
    assert_same(entry(gradient.exported(pair, again="…"))(pair), gradient(pair))


def test_an_object_of_another_class_is_refused(model: types.ModuleType) -> None:
    layer = model.Layer(np.array([0.3, 0.1, -0.2]), 0.5)
    x = np.arange(6.0).reshape(2, 3)
    function = entry(grad(model.of_layer).exported(layer, x, again="…"))

    class Other(model.Layer):
        pass

    function(layer, x)
    with pytest.raises(
        TypeError, match="`layer` must be a Layer, and a .*Other is given"
    ):
        function(Other(layer.weights, 0.5), x)


def test_aux_and_value_come_as_from_the_object() -> None:
    def with_aux(x: Any) -> Any:
        return np.sum(x**2), {"largest": np.max(x)}

    x = np.arange(3.0)
    for derivative in (
        grad(with_aux, has_aux=True),
        value_and_grad(with_aux, has_aux=True),
    ):
        assert_same(entry(derivative.exported(x, again="…"))(x), derivative(x))
    derivative = grad(with_aux, has_aux=True)
    function = entry(derivative.exported(x, value=True, again="…"))
    assert function.__name__ == "with_aux_value_and_grad"
    assert_same(function(x), derivative.value_and_grad(x))


def test_names_that_collide_stay_apart() -> None:
    owned, sizes = 2.0, 3.0

    def value(value: Any, np_: Any, check_argument: Any) -> Any:
        return np.sum(value) * owned * sizes + np_ * check_argument

    args = (np.ones(2), 1.0, 2.0)
    gradient = value_and_grad(value, (0, 1))
    assert_same(entry(gradient.exported(*args, again="…"))(*args), gradient(*args))


def test_checks_for_nans_are_exported_too() -> None:
    def rooted(x: Any) -> Any:
        return np.sum(np.sqrt(x))

    checked = grad(rooted, debug_nans=True)
    function = entry(checked.exported(np.ones(2), again="…"))
    assert_same(function(np.ones(2)), checked(np.ones(2)))
    with np.errstate(all="ignore"), pytest.raises(FloatingPointError, match="infinity"):
        function(np.zeros(2))


# ---------------------------------------------------------------- what is refused


def test_what_cannot_be_written_down_is_refused_by_name(
    model: types.ModuleType,
) -> None:
    generator = np.random.default_rng(0)
    table = np.zeros(2000)

    def noisy(x: Any) -> Any:
        return x * generator.normal()

    def long(x: Any) -> Any:
        return np.sum(x * table)

    with pytest.raises(ExportError, match="`generator` cannot be exported"):
        grad(noisy).exported(2.0)
    with pytest.raises(ExportError, match="`table` is an array of 2000 numbers"):
        grad(long).exported(2.0)
    with pytest.raises(ExportError, match="example arguments"):
        grad(model.loss, backend="numba").exported()
    with pytest.raises(ExportError, match="no name for a function"):
        grad(model.loss).exported(name="two words")
    with pytest.raises(UnsupportedError, match=r"unique"):
        grad(lambda x: np.unique(x)[0]).exported()


def test_a_path_that_cannot_be_written_is_our_error(model: types.ModuleType) -> None:
    with pytest.raises(ExportError, match="cannot be written: No such file"):
        grad(model.loss).export("no/such/folder.py")
    assert main(["compile", "model.py:loss", "-o", "."]) == 1


# ---------------------------------------------------------------- the command line


def compiled(*options: str) -> int:
    return main(["compile", "model:loss", "-o", "loss_grad.py", *options])


ARGS = ("--args", "np.ones(3), np.ones((2, 3))")


def test_compile_writes_a_decorated_function_as_it_is_told(
    model: types.ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    text = """\
import numpy as np
from autograd_compiler import hessian, jacobian, value_and_grad

@value_and_grad(argnums=1)
def both(a, b):
    return np.sum(a * np.sin(b))

@hessian
def curved(x):
    return np.sum(np.sin(x))

def plain(x):
    return np.sin(x)

sparse = jacobian(plain, sparsity=np.eye(3))
"""
    Path("decorated.py").write_text(text, encoding="utf-8")
    x = np.array([0.1, 0.2])
    assert main(["compile", "decorated.py:both", "-o", "both.py"]) == 0
    value, slope = entry(Path("both.py").read_text(encoding="utf-8"))(x, x)
    assert_same((value, slope), (np.sum(x * np.sin(x)), x * np.cos(x)))
    assert (
        main(["compile", "decorated.py:curved", "-o", "c.py", "--args", "np.ones(2)"])
        == 0
    )
    assert_same(entry(Path("c.py").read_text(encoding="utf-8"))(x), np.diag(-np.sin(x)))
    assert main(["compile", "decorated.py:curved", "-o", "c.py"]) == 1
    assert "give some with --args" in capsys.readouterr().err
    assert main(["compile", "decorated.py:sparse", "-o", "s.py"]) == 1
    assert "cannot be written as a module" in capsys.readouterr().err


def reload_sources() -> None:
    """As a new process would find them."""
    for name in ("model", "layers"):
        linecache.cache.pop(str(Path(f"{name}.py").resolve()), None)
        sys.modules.pop(name, None)
    importlib.invalidate_caches()


def test_compile_writes_a_module_that_says_how(model: types.ModuleType) -> None:
    assert compiled(*ARGS, "--value", "--wrt", "w,y") == 0
    text = Path("loss_grad.py").read_text(encoding="utf-8")
    assert "python -m autograd_compiler compile model:loss -o loss_grad.py" in text
    assert __version__ in text
    assert "model.loss " in text and "layers.activation " in text
    w, x = np.array([0.1, -0.2, 0.3]), np.arange(6.0).reshape(2, 3)
    value, (d_w, d_y) = entry(text)(w, x)
    want = value_and_grad(model.loss, ("w", "y"))(w, x)
    assert_same((value, (d_w, d_y)), want)


def test_compile_forward_takes_tangents_by_keyword(model: types.ModuleType) -> None:
    assert compiled(*ARGS, "--mode", "forward") == 0
    function = entry(Path("loss_grad.py").read_text(encoding="utf-8"))
    w, x = np.array([0.1, -0.2, 0.3]), np.arange(6.0).reshape(2, 3)
    value, slope = function(w, x, d_w=np.array([1.0, 0.0, 0.0]))
    assert abs(slope - grad(model.loss)(w, x)[0]) < 1e-12
    assert value == model.loss(w, x)


def test_check_succeeds_while_nothing_has_changed(model: types.ModuleType) -> None:
    for options in ((), ARGS, (*ARGS, "--mode", "forward")):
        assert compiled(*options) == 0
        before = Path("loss_grad.py").stat().st_mtime_ns
        assert compiled(*options, "--check") == 0
        assert Path("loss_grad.py").stat().st_mtime_ns == before


@pytest.mark.parametrize(
    ("file", "old", "new", "told"),
    [
        (
            "model.py",
            "x @ w - y",
            "x @ w + y",
            "the source of `model.loss` has changed",
        ),
        ("layers.py", "np.tanh", "np.sin", "the source of `layers.activation` has"),
        ("model.py", "SCALE = 2.0", "SCALE = 3.0", "is `SCALE = 2.0` and would be"),
        ("loss_grad.py", "np.tanh", "np.sinh", "line "),
        (
            "loss_grad.py",
            __version__,
            "0.0.0",
            "was written by autograd_compiler 0.0.0",
        ),
        ("loss_grad.py", "--args", "--wrt y --args", "it was written by `python -m"),
    ],
)
def test_check_tells_what_is_stale(
    model: types.ModuleType,
    capsys: pytest.CaptureFixture[str],
    file: str,
    old: str,
    new: str,
    told: str,
) -> None:
    assert compiled(*ARGS) == 0
    text = Path(file).read_text(encoding="utf-8")
    assert old in text
    Path(file).write_text(text.replace(old, new, 1), encoding="utf-8")
    reload_sources()
    capsys.readouterr()
    assert compiled(*ARGS, "--check") == 1
    error = capsys.readouterr().err
    assert "is stale" in error and told in error


def test_check_of_a_missing_file_fails(
    model: types.ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    assert compiled("--check") == 1
    assert "cannot be read: No such file" in capsys.readouterr().err
    assert main(["compile", "model:lossy", "-o", "x.py"]) == 1
    assert "there is no `lossy`" in capsys.readouterr().err
