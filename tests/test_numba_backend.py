from __future__ import annotations

import operator
import os
import subprocess
import sys
from collections import namedtuple
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from autograd_compiler import ir
from autograd_compiler.backend import load
from autograd_compiler.backend.flat import flat_module, flat_signature
from autograd_compiler.backend.load import load_module
from autograd_compiler.backend.numba import compile_numba, decorate
from autograd_compiler.errors import BackendError
from autograd_compiler.types import UNKNOWN, Scalar

pytest.importorskip("numba")

pytestmark = pytest.mark.numba

EMPTY = ir.Module(())


@pytest.fixture(autouse=True)
def cache(monkeypatch, tmp_path):
    monkeypatch.setenv("AUTOGRAD_COMPILER_CACHE", str(tmp_path))
    load._modules.clear()
    yield
    for name in [n for n in sys.modules if n.startswith(load._PREFIX)]:
        del sys.modules[name]


def both(text, entry, *args):
    """The results of Python and of Numba, on arguments of their own."""

    def fresh():
        return [np.copy(a) if isinstance(a, np.ndarray) else a for a in args]

    expected = getattr(load_module(text, entry), entry)(*fresh())
    actual = compile_numba(EMPTY, text, entry)(*fresh())
    return expected, actual


def agree(text, entry, *args):
    expected, actual = both(text, entry, *args)
    if not isinstance(expected, tuple):
        expected, actual = (expected,), (actual,)
    for one, other in zip(expected, actual, strict=True):
        np.testing.assert_allclose(other, one, rtol=1e-12)


LOGISTIC = '''"""The gradient of a logistic regression."""

import numpy as np


def sigmoid(x):
    return 1.0 / (1.0 + np.exp(-x))


def d_loss(w, x, y):
    z = x @ w
    p = sigmoid(z)
    value = -np.sum(y * np.log(p) + (1.0 - y) * np.log(1.0 - p))
    d_value = 1.0

    # value = -np.sum(y * np.log(p) + (1.0 - y) * np.log(1.0 - p))
    d_p = -d_value * (y / p - (1.0 - y) / (1.0 - p))
    # p = sigmoid(z)
    d_z = d_p * p * (1.0 - p)
    # z = x @ w
    d_w = x.T @ d_z
    return value, d_w
'''


def test_logistic_regression():
    generator = np.random.default_rng(0)
    x = generator.standard_normal((20, 3))
    y = (x[:, 0] > 0).astype(float)
    agree(LOGISTIC, "d_loss", np.array([0.1, -0.2, 0.3]), x, y)


HEAT = """import numpy as np


def d_heat(u, k, steps):
    u = u.copy()
    tape = []
    for _ in range(steps):
        tape.append(u.copy())
        u[1:-1] += k * (u[2:] - 2.0 * u[1:-1] + u[:-2]) * u[1:-1]
    value = np.sum(u**2)
    d_k = 0.0
    d_u = 2.0 * u
    for _ in range(steps - 1, -1, -1):
        u[:] = tape.pop()
        laplacian = u[2:] - 2.0 * u[1:-1] + u[:-2]
        d_new = d_u[1:-1].copy()
        d_k += np.sum(d_new * laplacian * u[1:-1])
        d_laplacian = d_new * k * u[1:-1]
        d_u[1:-1] += d_new * k * laplacian
        d_u[2:] += d_laplacian
        d_u[1:-1] += -2.0 * d_laplacian
        d_u[:-2] += d_laplacian
    return value, d_u, d_k
"""


def test_a_stencil_with_writes_and_a_tape():
    u = np.sin(np.linspace(0.0, 3.0, 12))
    agree(HEAT, "d_heat", u, 0.1, 5)


def test_the_stencil_is_a_gradient():
    u, k, eps = np.sin(np.linspace(0.0, 3.0, 12)), 0.1, 1e-6
    run = compile_numba(EMPTY, HEAT, "d_heat")
    _, _, d_k = run(u, k, 5)
    difference = (run(u, k + eps, 5)[0] - run(u, k - eps, 5)[0]) / (2 * eps)
    assert d_k == pytest.approx(difference, rel=1e-6)


NEWTON = """def d_root(a):
    x = a
    tape = []
    count = 0
    while abs(x * x - a) > 1e-12:
        tape.append(x)
        x = 0.5 * (x + a / x)
        count += 1
    d_x = 1.0
    d_a = 0.0
    for _ in range(count):
        x = tape.pop()
        d_a += 0.5 * d_x / x
        d_x = 0.5 * d_x * (1.0 - a / x**2)
    d_a += d_x
    return d_a
"""


def test_a_while_loop_over_scalars():
    agree(NEWTON, "d_root", 2.0)
    assert compile_numba(EMPTY, NEWTON, "d_root")(2.0) == pytest.approx(0.5 / 2**0.5)


def test_division_by_zero_is_infinite():
    text = "def f(x):\n    return 1.0 / x[0]\n"
    assert compile_numba(EMPTY, text, "f")(np.zeros(1)) == np.inf


def test_users_exceptions_come_through():
    text = """def f(x):
    assert x < 5.0, "too large"
    if x < 0.0:
        raise ValueError("negative")
    return x
"""
    compiled = compile_numba(EMPTY, text, "f")
    assert compiled(1.0) == 1.0
    with pytest.raises(ValueError, match="negative"):
        compiled(-1.0)
    with pytest.raises(AssertionError, match="too large"):
        compiled(6.0)


def test_bounds_are_checked_on_request():
    text = "def f(x, i):\n    return x[i]\n"
    compiled = compile_numba(EMPTY, text, "f", boundscheck=True)
    with pytest.raises(IndexError):
        compiled(np.ones(3), 5)


def test_objects_are_constants_that_no_cache_keeps():
    text = "def f(x):\n    return x * factor\n"
    for factor in (2.0, 3.0):
        compiled = compile_numba(EMPTY, text, "f", objects={"factor": factor})
        assert compiled(1.0) == factor
        assert not compiled.dispatcher.stats.cache_path


def test_decorators_come_after_the_header():
    assert decorate(LOGISTIC).startswith(
        '"""The gradient of a logistic regression."""\n\nimport numpy as np\nimport numba\n'
    )
    assert decorate(LOGISTIC).count("@numba.njit(cache=True, error_model='numpy')") == 2


# ---------------------------------------------------------------- errors

UNSUPPORTED = """import numpy as np


def d_f(x):
    y = np.sin(x)

    # y = np.gradient(np.sin(x)) * 2
    d_y = np.gradient(y)
    return d_y
"""


def module_with(span):
    x, y = ir.Var("x"), ir.Var("y")
    op = ir.Apply(span, (y,), np.sin, (x,))
    function = ir.Function("f", (ir.Param("x", x),), ir.Block((op,), (y,)), span)
    return ir.Module((function,))


def test_what_cannot_be_compiled_names_the_users_line():
    span = ir.Span("model.py", 7, 4, statement="y = np.gradient(np.sin(x)) * 2")
    compiled = compile_numba(module_with(span), UNSUPPORTED, "d_f")
    with pytest.raises(BackendError) as caught:
        compiled(np.ones(3))
    assert caught.value.span is span
    assert "numpy.gradient" in caught.value.message
    assert "d_y = np.gradient(y)" in caught.value.message
    assert "python" in caught.value.hint


def test_a_line_of_the_forward_sweep_is_found_by_its_text():
    span = ir.Span("model.py", 7, 4, statement="y = np.gradient(x)")
    text = "import numpy as np\n\n\ndef f(x):\n    y = np.gradient(x)\n    return y\n"
    with pytest.raises(BackendError) as caught:
        compile_numba(module_with(span), text, "f")(np.ones(3))
    assert caught.value.span is span


def test_without_a_line_the_reason_is_there():
    with pytest.raises(BackendError, match="unify|type"):
        compile_numba(EMPTY, "def f(x):\n    return [x, None, 'a']\n", "f")(1.0)


def test_an_argument_that_is_no_number():
    with pytest.raises(BackendError):
        compile_numba(EMPTY, "def f(x):\n    return 1.0\n", "f")(object())


def test_a_missing_numba_says_how_to_get_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "numba.core.errors", None)
    with pytest.raises(BackendError, match=r"autograd_compiler\[numba\]"):
        compile_numba(EMPTY, NEWTON, "d_root")


# ---------------------------------------------------------------- the cache


def test_the_next_process_finds_the_compiled_code(tmp_path):
    code = f"""
from autograd_compiler import ir
from autograd_compiler.backend.numba import compile_numba

compiled = compile_numba(ir.Module(()), {NEWTON!r}, "d_root")
compiled(2.0)
stats = compiled.dispatcher.stats
print(sum(stats.cache_hits.values()), sum(stats.cache_misses.values()))
"""
    environment = {
        **os.environ,
        "NUMBA_CACHE_DIR": str(tmp_path / "numba"),
        "PYTHONPATH": str(Path(load.__file__).parents[2]),
    }
    outputs = [
        subprocess.run(
            [sys.executable, "-c", code],
            env=environment,
            capture_output=True,
            text=True,
            check=True,
        ).stdout.split()
        for _ in range(2)
    ]
    assert outputs == [["0", "1"], ["1", "0"]]


# ---------------------------------------------------------------- containers

Layer = namedtuple("Layer", "w b")


@dataclass
class Model:
    scale: float
    shift: float


def container_function():
    """`f(params, x)` of `{"w-1": …, "layer": Layer, "m": Model}` and the same back."""
    scalar = Scalar("float64")
    w, lw, lb, scale, shift = (ir.Var("", scalar) for _ in range(5))
    x = ir.Var("x", scalar)
    tree = ir.Pack(
        (
            w,
            ir.Pack((lw, lb), ir.Form("record", ("w", "b"), Layer)),
            ir.Pack((scale, shift), ir.Form("record", ("scale", "shift"), Model)),
        ),
        ir.Form("dict", ("w-1", "layer", "m")),
    )
    outputs = [ir.Var(f"y{k}", Scalar("float32", weak=False)) for k in range(5)]
    ops = tuple(
        ir.Apply(ir.NOWHERE, (out,), operator.mul, (leaf, x))
        for out, leaf in zip(outputs, (w, lw, lb, scale, shift), strict=True)
    )
    result = ir.Pack(
        (
            outputs[0],
            ir.Pack(tuple(outputs[1:3]), tree.items[1].form),
            ir.Pack(tuple(outputs[3:]), tree.items[2].form),
        ),
        tree.form,
    )
    params = (ir.Param("params", tree), ir.Param("x", x))
    return ir.Function("f", params, ir.Block(ops, (result,)), ir.NOWHERE)


def test_a_flat_signature_has_a_parameter_per_leaf():
    flat, recipe = flat_signature(container_function())
    assert [param.name for param in flat.params] == [
        "params_w_1",
        "params_layer_w",
        "params_layer_b",
        "params_m_scale",
        "params_m_shift",
        "x",
    ]
    assert all(isinstance(param.tree, ir.Var) for param in flat.params)
    read = {var for op in flat.body.ops for var in ir.uses(op)}
    assert read == {param.tree for param in flat.params}
    params = {"w-1": 1.0, "layer": Layer(2.0, 3.0), "m": Model(4.0, 5.0)}
    assert recipe.arguments((params, 10.0)) == [1.0, 2.0, 3.0, 4.0, 5.0, 10.0]


def test_containers_come_back_as_they_were():
    _, recipe = flat_signature(container_function())
    call = recipe.wrap(lambda *leaves: tuple(leaf * leaves[-1] for leaf in leaves[:-1]))
    params = {"w-1": 1.0, "layer": Layer(2.0, 3.0), "m": Model(4.0, 5.0)}
    result = call(params, 10.0)
    assert result == {"w-1": 10.0, "layer": Layer(20.0, 30.0), "m": Model(40.0, 50.0)}
    assert type(result["m"].scale) is np.float32


def test_a_function_of_containers_compiles():
    from autograd_compiler.backend.emit import emit
    from autograd_compiler.backend.legalise import legalise

    flat, recipe = flat_module(ir.Module((container_function(),)))
    module = legalise(flat)
    call = recipe.wrap(compile_numba(module, emit(module), "f"))
    params = {"w-1": 1.0, "layer": Layer(2.0, 3.0), "m": Model(4.0, 5.0)}
    result = call(params, 10.0)
    assert result == {"w-1": 10.0, "layer": Layer(20.0, 30.0), "m": Model(40.0, 50.0)}


def test_names_of_leaves_do_not_collide():
    scalar = Scalar("float64")
    a, b, c = (ir.Var("", scalar) for _ in range(3))
    tree = ir.Pack((a, b), ir.Form("dict", ("w 1", "w-1")))
    function = ir.Function(
        "f",
        (ir.Param("p", tree), ir.Param("p_w_1", c)),
        ir.Block((), (a,)),
        ir.NOWHERE,
    )
    flat, _ = flat_signature(function)
    assert [param.name for param in flat.params] == ["p_w_1_2", "p_w_1_3", "p_w_1"]


def test_a_plain_function_stays_as_it_is():
    x, y = ir.Var("x"), ir.Var("y")
    op = ir.Apply(ir.NOWHERE, (y,), np.sin, (x,))
    function = ir.Function("f", (ir.Param("x", x),), ir.Block((op,), (y,)), ir.NOWHERE)
    flat, recipe = flat_signature(function)
    assert flat.params == function.params
    assert recipe.wrap(lambda x: x + 1)(1.0) == 2.0


def caller_of(function, argument, targets):
    call = ir.Call(ir.Span("model.py", 2, 0), targets, "f", argument)
    params = tuple(
        ir.Param(f"p{k}", ir.Pack(tuple(ir.leaves(a))) if isinstance(a, ir.Pack) else a)
        for k, a in enumerate(argument)
    )
    entry = ir.Function("g", params, ir.Block((call,), targets), ir.NOWHERE)
    return ir.Module((function, entry))


def test_calls_inside_of_a_module_pass_leaves():
    a, b = ir.Var("a"), ir.Var("b")
    tree = ir.Pack((a, b), ir.Form("dict", ("a", "b")))
    callee = ir.Function(
        "f", (ir.Param("p", tree),), ir.Block((), (ir.Pack((b, a)),)), ir.NOWHERE
    )
    one, two = ir.Var("one"), ir.Var("two")
    argument = ir.Pack((one, two), tree.form)
    module, _ = flat_module(caller_of(callee, (argument,), (ir.Var(), ir.Var())))
    (call,) = module.entry.body.ops
    assert [operand.name for operand in call.args] == ["p0_0", "p0_1"]
    assert len(module.functions[0].params) == 2


def test_a_call_with_an_unknown_container_is_refused():
    a = ir.Var("a")
    callee = ir.Function(
        "f", (ir.Param("p", ir.Pack((a,))),), ir.Block((), (a,)), ir.NOWHERE
    )
    module = caller_of(callee, (ir.Var("q", UNKNOWN),), (ir.Var(),))
    with pytest.raises(BackendError, match="model.py:2"):
        flat_module(module)
