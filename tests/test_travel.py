"""Derivatives in other processes and threads."""

from __future__ import annotations

import multiprocessing
import pickle
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from harness import define

from autograd_compiler import (
    elementwise_grad,
    fisher,
    gauss_newton,
    grad,
    hessian,
    hvp,
    jacfwd,
    jacobian,
    jacrev,
    jvp,
    value_and_grad,
    vhp,
    vjp,
)
from autograd_compiler.specialise import Specialiser

X = np.array([1.0, 2.0])
THREADS = 16


def cube(x):
    return np.sum(x**3)


def squares(x):
    return x * x


@grad
def decorated(x):
    return np.sum(x**4)


OF_NUMBERS = [grad, value_and_grad, hessian, hvp, vhp]
OF_ARRAYS = [jacrev, jacfwd, jacobian, elementwise_grad, gauss_newton, fisher]
PRODUCTS = (hvp, vhp, gauss_newton, fisher)


@pytest.mark.parametrize("transform", [*OF_NUMBERS, *OF_ARRAYS])
def test_pickled_transformations_compute_the_same(transform) -> None:
    made = transform(cube if transform in OF_NUMBERS else squares)
    args = (X, X) if transform in PRODUCTS else (X,)
    again = pickle.loads(pickle.dumps(made))
    assert type(again) is type(made)
    np.testing.assert_equal(again(*args), made(*args))


def test_pickled_options_are_kept() -> None:
    made = jacobian(squares, (0,), sparsity=None, has_aux=False)
    (result,) = pickle.loads(pickle.dumps(made))(X)
    np.testing.assert_array_equal(result, np.diag(2 * X))
    pytest.importorskip("scipy")
    made = jacobian(squares, sparsity=np.eye(2))
    np.testing.assert_array_equal(
        pickle.loads(pickle.dumps(made))(X).toarray(), np.diag(2 * X)
    )
    nested = pickle.loads(pickle.dumps(jacfwd(grad(cube))))
    np.testing.assert_allclose(nested(X), np.diag(6 * X))


def test_text_of_what_cannot_be_imported_goes_along() -> None:
    text = "def helper(x):\n    return x * x\n\ndef f(x):\n    return helper(x) * x\n"
    scope = define(text, "<cell 1>", {})
    _, _, _, texts = grad(scope["f"]).__reduce__()[1]
    assert texts == {"<cell 1>": text}
    _, _, _, texts = grad(lambda x: x).__reduce__()[1]
    assert texts == {__file__: Path(__file__).read_text(encoding="utf-8")}
    _, _, _, texts = grad(cube).__reduce__()[1]
    assert texts == {}


def test_code_that_has_forgotten_its_file_is_told_of_its_text() -> None:
    text = "def helper(x):\n    return x * x\n\ndef f(x):\n    return helper(x) * x\n"
    scope = define(text, "<cell 2>", {})
    rebuild, (cls, fun, options, texts) = grad(scope["f"]).__reduce__()
    for name in ("helper", "f"):  # as `cloudpickle` leaves them
        code = scope[name].__code__
        scope[name].__code__ = code.replace(co_filename="<dynamic-code>")
    assert rebuild(cls, fun, options, texts)(2.0) == 12.0
    assert fun.__code__.co_filename == "<cell 2>"


SCRIPT = """
import pickle, sys
import cloudpickle
import numpy as np
from autograd_compiler import grad, jacobian

def helper(x):
    return x * x

def f(x):
    return helper(x) * x

made = [grad(f), jacobian(lambda x: helper(x))]
open(sys.argv[1], "wb").write(cloudpickle.dumps(made))
"""


def test_functions_sent_by_value_are_compiled_on_arrival(tmp_path: Path) -> None:
    pytest.importorskip("cloudpickle")
    script, sent = tmp_path / "script.py", tmp_path / "sent.pickle"
    script.write_text(SCRIPT)
    subprocess.run([sys.executable, script, sent], check=True)
    script.unlink()
    program = (
        "import pickle, sys; f, g = pickle.load(open(sys.argv[1], 'rb')); "
        "print(f(2.0), g(3.0))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, sent],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.strip() == "12.0 6.0", done.stderr


def test_spawned_processes() -> None:
    context = multiprocessing.get_context("spawn")
    with context.Pool(1) as pool:
        results = pool.map(_called, [decorated, grad(cube), hvp(cube)], chunksize=3)
    np.testing.assert_allclose(results[0], 4 * X**3)
    np.testing.assert_allclose(results[1], 3 * X**2)
    np.testing.assert_allclose(results[2], 6 * X * X)


def _called(made):
    return made(X, X) if made.kind == "hvp" else made(X)


# ---------------------------------------------------------------- threads


def at_once(call):
    """What `call` gives in many threads that begin together."""
    gate = threading.Barrier(THREADS)

    def run(number):
        gate.wait()
        return call(number)

    with ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(run, range(THREADS)))


@pytest.fixture
def compiled(monkeypatch):
    """The modes in which functions were compiled."""
    modes: list[str] = []
    original = Specialiser._compile

    def counting(self, wrt, arguments):
        modes.append(self.mode)
        return original(self, wrt, arguments)

    monkeypatch.setattr(Specialiser, "_compile", counting)
    return modes


def test_first_calls_from_many_threads_compile_once(compiled) -> None:
    gradient = grad(lambda x: np.sum(np.sin(x) * x))
    expected = np.cos(X) * X + np.sin(X)
    for result in at_once(lambda _: gradient(X)):
        np.testing.assert_allclose(result, expected)
    assert compiled == ["grad"]


def test_first_pullbacks_and_tangents_from_many_threads_compile_once(compiled) -> None:
    def f(x):
        return np.sin(x) * x

    at_once(lambda _: vjp(f, X)[1](X))
    assert compiled == ["pullback"]
    at_once(lambda _: jvp(f, (X,), (X,)))
    assert compiled == ["pullback", "jvp"]


def test_first_jacobians_from_many_threads_compile_once(compiled) -> None:
    made = jacobian(lambda x: np.sin(x) * x)
    for result in at_once(lambda _: made(X)):
        np.testing.assert_allclose(result, np.diag(np.cos(X) * X + np.sin(X)))
    assert sorted(compiled) == ["pullback", "value", "value"]


def test_sparse_jacobians_in_many_threads() -> None:
    pytest.importorskip("scipy")
    made = jacobian(lambda x: np.sin(x) * x, sparsity="detect")
    for result in at_once(lambda _: made(X)):
        np.testing.assert_allclose(result.toarray(), np.diag(np.cos(X) * X + np.sin(X)))


def test_threads_that_need_each_others_gradients_do_not_wait_for_each_other() -> None:
    inner = [grad(lambda x: x**3), grad(lambda x: x * x)]

    def first(x):
        return inner[0](x) * inner[1](x)

    def second(x):
        return inner[1](x) + inner[0](x)

    outer = [grad(first), grad(second)]
    made = [*outer, *inner]
    results = at_once(lambda number: made[number % 4](2.0))
    # 3 x**2 * 2 x, 2 x + 3 x**2, and what they are made of
    assert results == [72.0, 14.0, 12.0, 4.0] * (THREADS // 4)


def test_calls_with_different_arguments_do_not_mix() -> None:
    gradient = grad(lambda x: np.sum(x**2))
    for number, result in enumerate(at_once(lambda number: gradient(np.ones(number)))):
        np.testing.assert_array_equal(result, np.full(number, 2.0))


# ---------------------------------------------------------------- one in another


def test_compiling_while_compiling() -> None:
    """An object whose attribute takes a gradient when the compiler reads it."""

    class Lazy:
        @property
        def slope(self):
            return grad(lambda x: x**3)(2.0)

    lazy = Lazy()
    assert grad(lambda x: lazy.slope * x)(1.0) == 12.0


def test_calling_while_calling() -> None:
    def inner(x):
        return x**3

    def outer(x):
        assert grad(inner)(2.0) == 12.0
        return x * grad(inner)(x)

    assert grad(outer)(2.0) == 36.0
