"""The source that is shown before any call: it runs alone and gives the gradient.

Nothing is known of the arguments' types then, or what annotations and defaults tell.
"""

from __future__ import annotations

import ast
import copy
import dataclasses
import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pytest
from corpus import Program
from harness import define, is_single_precision, primals
from numeric import assert_close, flatten, gradient_by_differences, random_like
from samples import Sample
from test_corpus import SCALAR, plain
from test_operators import FIRST_ORDER, case_of, of_scipy, one_of_each

from autograd_compiler import grad, jvp, value_and_grad, vjp
from autograd_compiler.backend import emit
from autograd_compiler.contract import owned
from autograd_compiler.errors import (
    AutogradCompilerError,
    MutationError,
    UnsupportedError,
)
from autograd_compiler.pipeline import Lowered
from autograd_compiler.rules import registry
from autograd_compiler.specialise import Specialiser

BATCH = 40
ALLOWED = {"numpy", "math", "cmath", "operator", "scipy"}


def alone(text: str, **given: Any) -> dict[str, Any]:
    """What a text defines when it is executed with only this around it."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            modules = {alias.name.partition(".")[0] for alias in node.names}
            assert modules <= ALLOWED
        assert not isinstance(node, ast.ImportFrom)
    scope: dict[str, Any] = {"__name__": "alone", **given}
    exec(compile(text, "<alone>", "exec"), scope)
    return scope


@pytest.fixture
def unformatted(monkeypatch: pytest.MonkeyPatch) -> None:
    """The text as it is before it is formatted, which takes half of the time."""
    monkeypatch.setattr(emit.black, "format_str", lambda text, mode: text)


def batches(items: list[Any]) -> list[list[Any]]:
    return [items[k : k + BATCH] for k in range(0, len(items), BATCH)]


def each_batch(items: list[Any]) -> Callable[[Any], Any]:
    parts = batches(items)
    return pytest.mark.parametrize("batch", parts, ids=range(len(parts)))


def in_turn(batch: list[Any], check: Callable[[Any], None]) -> None:
    """Check the items of a batch, all of them, and tell which ones fail."""
    failures = []
    for item in batch:
        try:
            check(item)
        except Exception as error:
            failures.append(f"{item}: {type(error).__name__}: {error}")
    assert not failures, "\n".join(failures)


def captured(lowered: Lowered) -> list[Any]:
    return [capture.fetch() for capture in lowered.primal.captures]


# ---------------------------------------------------------------- operators


def generic(function: Callable[..., Any], mode: Any) -> Lowered:
    specialiser = Specialiser(function, mode)
    return specialiser.generic(tuple(specialiser.signature.parameters))


def check_operator(sample: Sample) -> None:
    """The pullback against differences, and the tangent against the pullback."""
    case = case_of(sample)
    rule = registry.rule_of(sample.operator)
    try:
        lowered = generic(case.function, "pullback")
    except UnsupportedError as error:  # its definition is chosen by the types
        assert rule is not None and rule.definition is not None
        assert "give the types" in error.hint
        return
    scope = alone(lowered.source)
    forward = scope[lowered.module.entry.name]
    out, residuals = forward(*copy.deepcopy(case.args), *captured(lowered))
    cotangent = random_like(out, 1)
    untyped = scope[lowered.derivative.pullback](residuals, cotangent)
    found = flatten(tuple(map(owned, untyped, case.args)))
    expected = gradient_by_differences(case.function, case.args, cotangent)
    assert_close(found, expected, 1e-6)

    lowered = generic(case.function, "jvp")
    run = alone(lowered.source)[lowered.module.entry.name]
    direction = random_like(case.args, 2)
    _, tangent = run(*copy.deepcopy(case.args), *captured(lowered), *direction)
    along = flatten(cotangent) @ numbers(tangent, out)
    assert_close(along, found @ flatten(direction), 1e-9)


def numbers(tangent: Any, out: Any) -> np.ndarray:
    """The tangents of the floats in a result as one vector."""
    if isinstance(out, (tuple, list)):
        return np.concatenate([np.zeros(0), *map(numbers, tangent, out)])
    if np.asarray(out).dtype.kind != "f":
        return np.zeros(0)
    return np.asarray(tangent, dtype=float).ravel()


@each_batch([s for s in one_of_each(FIRST_ORDER) if not of_scipy(s)])
@pytest.mark.usefixtures("unformatted")
def test_operators(batch: list[Sample]) -> None:
    in_turn(batch, check_operator)


@pytest.mark.slow
@each_batch(FIRST_ORDER)
def test_every_sample_of_operators(batch: list[Sample]) -> None:
    in_turn(batch, check_operator)


def vector(n: int) -> np.ndarray:
    return 0.3 + 0.1 * np.arange(1.0, n + 1.0)


def array(*shape: int) -> np.ndarray:
    return vector(int(np.prod(shape))).reshape(shape)


BROADCAST = [
    (0.4, 0.7),
    (0.4, vector(3)),
    (vector(3), 0.4),
    (array(2, 3), vector(3)),
    (array(2, 1), array(1, 3)),
    (array(1), array(2, 3)),
]
PRODUCTS = [
    (vector(3), vector(3)),
    (array(2, 3), vector(3)),
    (vector(2), array(2, 3)),
    (array(2, 3), array(3, 4)),
    (array(2, 2, 3), array(3, 4)),
    (array(2, 3), array(4, 3, 2)),
    (array(2, 1, 2, 3), array(4, 3, 2)),
    (array(2, 2, 3), vector(3)),
    (vector(3), array(4, 3, 2)),
]
OF_TWO = [
    *((text, BROADCAST) for text in ("x + y", "x - y", "x * y", "x / y", "x**y")),
    *((f"np.{name}(x, y)", BROADCAST) for name in ("hypot", "logaddexp", "arctan2")),
    ("np.where(x < 0.45, x, x * y * y)", BROADCAST),
    ("np.maximum(x, 3.0 * y)", BROADCAST),
    ("np.exp(-x) * y + np.tanh(x * y)", BROADCAST),
    ("x @ y", PRODUCTS),
    (
        "np.dot(x, y)",
        [case for case in PRODUCTS if np.ndim(case[0]) < 4] + BROADCAST[:3],
    ),
    ("np.outer(x, y)", BROADCAST[:4]),
    (
        "np.inner(x, y)",
        [(vector(3), array(2, 3)), (array(2, 3), array(4, 2, 3)), *BROADCAST[:3]],
    ),
    ("np.inner(y, x)", [(vector(3), array(2, 3)), (array(2, 3), array(4, 2, 3))]),
    ("np.tensordot(x, y, 1)", [case for case in PRODUCTS if np.ndim(case[1]) < 3]),
]


@pytest.mark.parametrize(
    ("expression", "cases"), OF_TWO, ids=[text for text, _ in OF_TWO]
)
def test_one_text_serves_arguments_of_many_types(
    expression: str, cases: list[tuple[Any, Any]]
) -> None:
    program = f"def f(x, y):\n    return np.sum(({expression}) ** 2)\n"
    f = define(program, f"<{expression}>", {"np": np})["f"]
    gradient = alone(grad(f, (0, 1)).source)["f_grad"]
    for case in cases:
        found = gradient(*copy.deepcopy(case))
        assert_close(flatten(found), gradient_by_differences(f, case, 1.0), 1e-7)
        assert [np.shape(part) for part in found] == [np.shape(part) for part in case]


def test_operands_may_be_complex() -> None:
    def f(x, c):
        return np.sum(np.abs(x * c) ** 2) + np.real(np.sum(x * c))

    x, c = vector(3), vector(3) + 1j
    found = alone(grad(f).source)["f_grad"](x, c)
    assert found.dtype == float
    assert_close(found, grad(f)(x, c), 1e-12)


# ---------------------------------------------------------------- programs

# What needs the types is refused and said so; all other programs are run.

# Without types an argument is a number or an array, and so is what is read from it: for
# these programs, whose arguments hold or become lists, that is not so, and fails loudly.
# In the first one, what stands for an array in the branch not taken is a number.
ITEMS_ARE_TAKEN_FOR_ARRAYS = {
    "branches.array_made_and_written_under_one_test",
    "python_library.hidden_and_last_layer",
    "python_library.sorted_by_key",
    "python_library.keys_made_of_numbers",
    "python_library.match_on_structure",
}


def source_of(program: Program) -> str:
    gradient = grad(program.function, program.argnums)
    return gradient.source


def check_program(program: Program) -> bool:
    gradient = grad(program.function, program.argnums)
    try:
        lowered = gradient._main.generic(gradient._wrt)
    except AutogradCompilerError as error:
        assert "the compiler fails" not in str(error)
        return False
    run = alone(lowered.source)[lowered.module.entry.name]
    values = gradient._main.bind(copy.deepcopy(program.args), program.kwargs)
    if program.name in ITEMS_ARE_TAKEN_FOR_ARRAYS:
        with pytest.raises((TypeError, ValueError)):
            run(*values.values(), *captured(lowered))
        return False
    found = run(*values.values(), *captured(lowered))
    found = found if len(gradient._wrt) > 1 else (found,)
    expected = gradient_by_differences(plain(program), primals(program), 1.0)
    of_form = tuple(map(owned, found, primals(program)))
    double = 2e-3 if is_single_precision(program) else 1e-6
    assert_close(flatten(of_form), expected, double)
    return True


@each_batch(SCALAR)
@pytest.mark.usefixtures("unformatted")
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_programs(batch: list[Program]) -> None:
    run: list[bool] = []
    in_turn(batch, lambda program: run.append(check_program(program)))
    assert run.count(True) >= len(run) // 2  # most of those about aliases need types


def test_a_program_that_needs_the_types_says_how_to_give_them() -> None:
    def f(x):
        y = x
        y += 1.0
        return np.sum(x * y)

    with pytest.raises(MutationError, match=r"give the types: `lower\(\*args\)`"):
        _ = grad(f).source
    assert alone(grad(f).lower(vector(3)).source)

    def annotated(x: float):
        y = x
        y += 1.0
        return np.sum(x * y)

    assert alone(grad(annotated).source)["annotated_grad"](2.0) == 5.0


def test_an_update_is_no_write_into_another_name() -> None:
    def f(x: np.ndarray):
        y = x * 1.0
        z = y
        y += x
        return np.sum(z * z)

    found = alone(grad(f).source)["f_grad"](vector(3))
    assert_close(found, 8.0 * vector(3), 1e-12)


# ---------------------------------------------------------------- annotations


@dataclasses.dataclass
class Layer:
    weights: np.ndarray
    bias: float


class Pair(NamedTuple):
    left: float
    right: npt.NDArray[np.float64]


def annotated(
    x: npt.NDArray[np.float64],
    rate: float,
    steps: int,
    flag: bool,
    name: str,
    factors: list[float],
    table: "dict[str, float]",
    pair: "tuple[float, np.ndarray]",
    scale=2.0,
    count=3,
    bias=None,
) -> float:
    total = scale * np.sum(x) + rate
    for _ in range(steps):
        total = total * rate
    for factor in factors:
        total += factor * table["a"]
    if flag:
        total = total * count
    return total * pair[0] + np.sum(pair[1])


def test_annotations_and_defaults_give_facts() -> None:
    text = grad(annotated, ("x", "rate", "factors")).source
    head = " ".join(text[text.index("Assumed") :].partition('"""')[0].split())
    assert head == (
        "Assumed: x: np.ndarray of reals, rate: float, steps: int, flag: bool, "
        "name: str, factors: list[float], table: dict[..., float], "
        "pair: tuple[float, np.ndarray], scale: float, count: int, bias=None."
    )
    given = (vector(3), 1.2, 2, True, "n", [0.5, 0.7], {"a": 1.1}, (0.3, vector(2)))
    found = alone(text)["annotated_grad"](*given, 2.0, 3, None)
    assert_close(
        flatten(found),
        flatten(grad(annotated, ("x", "rate", "factors"))(*given)),
        1e-12,
    )


def test_nothing_is_asked_of_numbers() -> None:
    def f(x: float, n: int, rate=0.5):
        for _ in range(n):
            x = x - rate * np.sin(x)
        return x

    text = grad(f).source
    assert "unbroadcast" not in text and "zeros_like" not in text


def test_slices_that_are_cut_alike_have_one_shape() -> None:
    def f(u):
        inner = u[1:-1] + 0.1 * (u[2:] - 2.0 * u[1:-1] + u[:-2])
        return np.sum(inner**2)

    text = grad(f).source
    assert "unbroadcast" not in text
    run = alone(text)["f_grad"]
    for size in range(5):
        u = vector(size)
        assert_close(run(u), gradient_by_differences(f, (u,), 1.0), 1e-8)


def test_a_branch_tells_nothing_of_what_the_other_one_has() -> None:
    def f(x):
        if np.ndim(x) == 0:
            return math.sin(x)
        return np.sum(np.sin(x))

    run = alone(grad(f).source)["f_grad"]
    assert_close(run(0.5), np.cos(0.5), 1e-12)
    assert_close(run(vector(3)), np.cos(vector(3)), 1e-12)

    def g(x, c):
        if np.iscomplexobj(c):
            return np.sum(np.abs(x * c) ** 2)
        return np.sum(x * c)

    run = alone(grad(g).source)["g_grad"]
    for c in (vector(3), vector(3) * 1j):
        assert_close(run(vector(3), c), grad(g)(vector(3), c), 1e-12)


def test_records_are_known_by_their_annotations() -> None:
    def f(layer: Layer, pair: Pair):
        return np.sum(layer.weights * pair.right) + layer.bias * pair.left

    text = grad(f, (0, 1)).source
    scope: dict[str, Any] = {"Layer": Layer, "Pair": Pair}
    exec(text, scope)
    given = Layer(vector(3), 2.0), Pair(0.5, 2.0 * vector(3))
    layer, pair = scope["f_grad"](*given)
    assert_close(layer.weights, given[1].right, 1e-12)
    assert (layer.bias, pair.left) == (0.5, 2.0)


def test_a_wrong_annotation_makes_no_call_wrong() -> None:
    def f(x: float, y: int):
        return np.sum(x * y)

    gradient = grad(f, (0, 1))
    before = gradient.source
    found = gradient(vector(3), 2.0 * vector(3))
    assert_close(flatten(found), np.concatenate([2.0 * vector(3), vector(3)]), 1e-12)
    assert gradient.source != before


STRINGS = """
from __future__ import annotations
import numpy as np

def effect():
    raise RuntimeError("an annotation was run")

def f(x: Missing, y: effect(), z: [effect() for _ in range(3)], w: np.ndarray | None):
    return np.sum(x * y * z * w)

def g(x: "float", y: np.float32, n: int):
    return x * y * n
"""


def test_annotations_that_are_strings_are_never_run() -> None:
    scope = define(STRINGS, "<annotations>", {})
    assert "Assumed" not in grad(scope["f"]).source
    assert "Assumed: x: float, y: np.float32, n: int." in grad(scope["g"]).source


# ---------------------------------------------------------------- the text itself


def test_a_helper_gives_way_to_names_of_the_user() -> None:
    def f(matmul_right, unbroadcast):
        return np.sum(unbroadcast @ matmul_right)

    given = vector(3), array(2, 3)
    found = alone(grad(f).source)["f_grad"](*given)
    assert_close(
        found, gradient_by_differences(lambda x: f(x, given[1]), given[:1], 1.0), 1e-8
    )


def test_a_rule_of_the_user_is_emitted_along_and_its_operator_is_not() -> None:
    # Of a copy of the operator nobody would know the rule.
    scope = alone(grad(with_own_rule).source, own_cube=own_cube)
    found = scope["with_own_rule_grad"](vector(3))
    assert_close(found, 3.0 * vector(3) ** 2, 1e-12)


def own_cube(x):
    return x * x * x


def twice(x):
    return x + x


@registry.general(own_cube, wrt="x", tangent=lambda x, d_x: 3.0 * x * x * d_x)
def own_cube_adjoint(d_y, x):
    if np.ndim(x) == 0:
        return 3.0 * x * x * d_y
    return (twice(x) + x) * x * d_y


def with_own_rule(x):
    return np.sum(own_cube(x))


def test_the_text_is_in_the_supported_language() -> None:
    def f(w, x):
        y = np.tensordot(np.tanh(x @ w), np.prod(x, axis=1), ([0], [0]))
        return y**2 + np.dot(w, w)

    text = grad(f).source
    generated = define(text, "<gradient of f>", {})["f_grad"]
    given = vector(3), array(2, 3)
    direction = vector(3) ** 2
    _, found = jvp(generated, given, (direction, np.zeros((2, 3))))
    _, expected = jvp(grad(f), given, (direction, np.zeros((2, 3))))
    assert_close(found, expected, 1e-10)
    _, pullback = vjp(generated, *given)
    _, reference = vjp(grad(f), *given)
    assert_close(flatten(pullback(direction)), flatten(reference(direction)), 1e-10)


def test_what_is_returned_belongs_to_the_caller() -> None:
    def f(x, y):
        return np.sum(x * y) + np.sum(x + y)

    x, y = vector(3), array(2, 3)
    for part in alone(grad(lambda x: np.sum(x)).source)["function_grad"](x), *alone(
        grad(f, (0, 1)).source
    )["f_grad"](x, y):
        assert part.flags.writeable
        assert not np.shares_memory(part, x) and not np.shares_memory(part, y)


def test_numbers_give_numbers() -> None:
    f = value_and_grad(lambda x: np.mean(x))
    assert alone(f.source)["function_value_and_grad"](2.0) == (2.0, 1.0)
    gradient = alone(grad(lambda x: np.sum(x)).source)["function_grad"](2.0)
    assert np.ndim(gradient) == 0 and not isinstance(gradient, np.ndarray)
