"""Every operator through the whole compiler: from source text to derivatives.

Each sample becomes a function with source text, `def f(x0, x1): return op(x0, x1)`.
Complex arguments come as two real ones, and complex results are given back as two, so
that central differences judge all of them alike.
"""

from __future__ import annotations

import copy
import functools
import math
import operator
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from harness import define
from numeric import (
    arrays,
    assert_close,
    assert_same_form,
    directional_difference,
    flatten,
    gradient_by_differences,
    leaves,
    random_like,
    unflatten,
)
from samples import ALL, SPECIAL, Sample, Special, full_name, is_inexact, spread

from autograd_compiler import jvp, vjp
from autograd_compiler.errors import (
    AutogradCompilerError,
    UnsupportedError,
)
from autograd_compiler.rules import registry
from autograd_compiler.specialise import Specialiser

SYMBOLS = {
    operator.add: "{} + {}",
    operator.sub: "{} - {}",
    operator.mul: "{} * {}",
    operator.truediv: "{} / {}",
    operator.mod: "{} % {}",
    operator.pow: "{} ** {}",
    operator.matmul: "{} @ {}",
    operator.neg: "-{}",
    operator.pos: "+{}",
}

# These round what they are given: differences cannot judge them.
COARSE = {np.float16, np.float32, np.complex64}


class Case:
    """A call as a function of its differentiated numbers and arrays.

    Attributes
    ----------
    text
        The source of the function.
    args
        Its arguments: floats and arrays of floats.
    """

    def __init__(
        self,
        function: Callable[..., Any],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        positions: tuple[int, ...],
        spelling: str = "",
    ) -> None:
        self.args: tuple[Any, ...] = ()
        self.scope: dict[str, Any] = {"np": np, "op": function}
        spelled = [self._spell(arg, k in positions) for k, arg in enumerate(args)]
        named = [f"{key}={self._spell(arg, False)}" for key, arg in kwargs.items()]
        if spelling:
            call = spelling.format(*spelled)
        elif function in SYMBOLS:
            call = SYMBOLS[function].format(*spelled)
        else:
            call = f"op({', '.join([*spelled, *named])})"
        result = function(*copy.deepcopy(args), **kwargs)
        parameters = ", ".join(f"x{k}" for k in range(len(self.args)))
        self.text = (
            f"def f({parameters}):\n    y = {call}\n    return {_real('y', result)}\n"
        )
        name = f"<operator {full_name(function)} {id(self)}>"
        self.function = define(self.text, name, self.scope)["f"]

    def _spell(self, value: Any, active: bool) -> str:
        if isinstance(value, (list, tuple)) and not _is_fixed(value):
            inner = ", ".join(self._spell(item, active) for item in value)
            if isinstance(value, list):
                return f"[{inner}]"
            return f"({inner},)"
        if active and is_inexact(value):
            if np.iscomplexobj(value):
                real, imag = self._parameter(value.real), self._parameter(value.imag)
                return f"({real} + 1j * {imag})"
            return self._parameter(value)
        if isinstance(value, (int, str, tuple, list, type(None))):
            return repr(value)
        if isinstance(value, float):
            return repr(value).replace("inf", "np.inf")
        name = f"c{len(self.scope)}"
        self.scope[name] = value
        return name

    def _parameter(self, value: Any) -> str:
        self.args += (copy.deepcopy(value),)
        return f"x{len(self.args) - 1}"


def _is_fixed(value: Any) -> bool:
    """Whether a container holds integers and the like only: an axis, a shape."""
    return all(
        (
            _is_fixed(item)
            if isinstance(item, (list, tuple))
            else isinstance(item, (int, str, type(None)))
        )
        for item in value
    )


def _real(name: str, result: Any) -> str:
    """The text of a result in real numbers."""
    if isinstance(result, (tuple, list)):
        if not any(map(np.iscomplexobj, result)):
            return name
        parts = [_real(f"{name}[{k}]", item) for k, item in enumerate(result)]
        return ", ".join(parts)
    if np.iscomplexobj(result):
        return f"np.real({name}), np.imag({name})"
    return name


@functools.lru_cache(maxsize=None)
def case_of(sample: Sample) -> Case:
    return Case(sample.operator, sample.args, sample.kwargs, sample.positions)


def identifiers(samples: list[Sample]) -> list[str]:
    """Distinct names, in an order that does not depend on what is installed."""
    seen: dict[str, int] = {}
    names = []
    for sample in samples:
        name = str(sample)
        seen[name] = seen.get(name, 0) + 1
        names.append(name if seen[name] == 1 else f"{name}-{seen[name]}")
    return names


def parametrized(
    samples: list[Sample], slow: Callable[[Sample], bool] = lambda sample: False
) -> Any:
    """One test for each sample; some, and those marked so, are slow tests."""
    marked = [
        pytest.param(
            sample, marks=pytest.mark.slow if sample.slow or slow(sample) else ()
        )
        for sample in samples
    ]
    return pytest.mark.parametrize("sample", marked, ids=identifiers(samples))


def of_scipy(sample: Sample) -> bool:
    return full_name(sample.operator).startswith(("scipy.", "autograd_compiler.rules."))


def one_of_each(samples: list[Sample]) -> list[Sample]:
    """For each operator its sample with the most dimensions."""

    def dimensions(sample: Sample) -> int:
        return sum(array.ndim for array in arrays(sample.args))

    found: dict[Any, Sample] = {}
    for sample in samples:
        best = found.get(sample.operator)
        if best is None or dimensions(sample) > dimensions(best):
            found[sample.operator] = sample
    return list(found.values())


def plain(value: Any) -> Any:
    """Numbers instead of arrays without dimensions, as the compiler gives them."""
    if isinstance(value, tuple):
        return tuple(map(plain, value))
    return value[()] if isinstance(value, np.ndarray) and value.ndim == 0 else value


def check(case: Case) -> None:
    """Value, pullback and tangent of a case."""
    args = copy.deepcopy(case.args)
    expected = case.function(*copy.deepcopy(case.args))
    out, pullback = vjp(case.function, *args)
    assert_close(flatten(out), flatten(expected), 1e-14)
    cotangent = random_like(out, 1)
    gradient = pullback(cotangent)
    for mine, theirs in zip(gradient, args, strict=True):
        assert_same_form(mine, theirs)
        assert not any(np.shares_memory(mine, array) for array in arrays(args))
    assert_close(
        flatten(gradient), gradient_by_differences(case.function, args, cotangent), 1e-7
    )

    direction = random_like(args, 2)
    again, tangent = jvp(case.function, args, direction)
    assert_close(flatten(again), flatten(expected), 1e-14)
    along = flatten(cotangent) @ flatten(tangent)
    against = flatten(gradient) @ flatten(direction)
    assert along == pytest.approx(against, rel=1e-10, abs=1e-10)
    assert_same(args, case.args)


def assert_same(given: Any, expected: Any) -> None:
    assert np.array_equal(flatten(given), flatten(expected), equal_nan=True)


FIRST_ORDER = [s for s in ALL if s.positions and s.operator not in COARSE]


_FIRST_OF_EACH = {id(sample) for sample in one_of_each(FIRST_ORDER)}


def is_one_more_of_scipy(sample: Sample) -> bool:
    return of_scipy(sample) and id(sample) not in _FIRST_OF_EACH


@parametrized(FIRST_ORDER, slow=is_one_more_of_scipy)
def test_derivatives_of(sample: Sample) -> None:
    check(case_of(sample))


SECOND_ORDER = one_of_each([s for s in FIRST_ORDER if s.smooth])


# What has its second derivatives by those of other operators.
SIMPLE = ("partials", "composed")


def is_simple_of_scipy(sample: Sample) -> bool:
    rule = registry.rule_of(sample.operator)
    return of_scipy(sample) and rule is not None and rule.kind in SIMPLE


@parametrized(SECOND_ORDER, slow=is_simple_of_scipy)
def test_second_derivatives_of(sample: Sample) -> None:
    """The pullback of the tangent, against differences of the pullback."""
    case = case_of(sample)
    args = copy.deepcopy(case.args)
    direction = random_like(args, 2)
    out, pullback = vjp(case.function, *args)
    cotangent = random_like(out, 1)

    specialiser = Specialiser(case.function, "jvp")
    values = specialiser.bind(args, {})
    names = tuple(values)
    found = specialiser.specialise(names, values)
    given = (*values.values(), *found.captured(), *direction)
    pair, second = vjp(found.run, *given)
    zero = unflatten(0.0 * flatten(out), out, True)
    gradient = second((zero, cotangent))[: len(args)]

    def pulled(x: np.ndarray) -> np.ndarray:
        _, pull = vjp(case.function, *unflatten(x, args))
        return flatten(pull(cotangent))

    expected = directional_difference(pulled, flatten(args), flatten(direction))
    assert_close(flatten(gradient), expected, 1e-6)


# ---------------------------------------------------------------- precision, layout


def changed(case: Case, change: Callable[[Any], Any]) -> Case:
    """The case with other arguments for the same function."""
    other = copy.copy(case)
    other.args = tuple(map(change, case.args))
    return other


def single(value: Any) -> Any:
    return value.astype(np.float32) if isinstance(value, np.ndarray) else value


ARRAYS = [
    s for s in FIRST_ORDER if any(a.dtype.kind == "f" for a in arrays(case_of(s).args))
]


@parametrized(one_of_each(ARRAYS), slow=of_scipy)
def test_single_precision_of(sample: Sample) -> None:
    case = case_of(sample)
    for name, value in case.scope.items():
        if isinstance(value, np.ndarray) and value.dtype == np.float64:
            pytest.skip(f"{name} is of double precision")
    args = tuple(map(single, case.args))
    expected = case.function(*args)
    out, pullback = vjp(case.function, *args)
    for mine, theirs in zip(leaves(out), leaves(plain(expected)), strict=True):
        assert_same_form(mine, theirs)
    assert_close(flatten(out), flatten(expected), 1e-6)
    cotangent = random_like(out, 1)
    gradient = pullback(cotangent)
    for mine, theirs in zip(gradient, args, strict=True):
        assert_same_form(mine, theirs)
    if sample.single and all(
        np.asarray(leaf).dtype == np.float32 for leaf in leaves(out)
    ):
        # Nothing was computed in double precision, and cast at the end.
        specialiser = Specialiser(case.function, "pullback")
        values = specialiser.bind(args, {})
        source = specialiser.specialise(tuple(values), values).lowered.source
        assert "astype(np.dtype(" not in source
    _, double = vjp(case.function, *case.args)
    assert_close(flatten(gradient), flatten(double(random_like(out, 1))), 2e-4)
    _, tangent = jvp(case.function, args, random_like(args, 2))
    for mine, theirs in zip(leaves(tangent), leaves(out), strict=True):
        assert_same_form(mine, theirs)


def strided(value: Any) -> Any:
    """The same numbers in every second row of a longer array in Fortran's order."""
    if not isinstance(value, np.ndarray) or value.ndim == 0:
        return value
    longer = np.zeros((2 * value.shape[0], *value.shape[1:]), order="F")
    longer[::2] = value
    return longer[::2]


@parametrized(one_of_each(ARRAYS), slow=of_scipy)
def test_layout_makes_no_difference_to(sample: Sample) -> None:
    case = case_of(sample)
    _, pullback = vjp(case.function, *case.args)
    args = tuple(map(strided, case.args))
    out, other = vjp(case.function, *args)
    cotangent = random_like(out, 1)
    assert_close(flatten(other(cotangent)), flatten(pullback(cotangent)), 1e-13)
    assert_same(args, case.args)


SIZES: dict[str, Callable[[Any], Any]] = {
    "size 1": lambda a: a[(slice(1),) * a.ndim],
    "no elements": lambda a: a[:0],
    "no dimensions": lambda a: np.array(a.flat[0]),
}
# Operators whose derivative raises an error for arrays of a size, where they have none.
RAISES = {
    "size 1": ("roots", "irfft2", "irfftn"),
    "no elements": (
        *("polyval", "poly", "roots", "amax", "ediff1d", "tuple", "resize"),
        *("lu_factor", "lu", "toeplitz", "hankel", "circulant"),
        *("UnivariateSpline.__call__", "polar"),
    ),
    "no dimensions": (
        "polyval",
        "poly",
        "roots",
        "nancumprod",
        "tuple",
        "repeat",
        *("laplace", "fiedler"),
    ),
}
OF_MATRICES = ("cholesky", "cho_factor", "lu_factor", "expm", "sqrtm")
ONE_ARRAY = [
    s for s in FIRST_ORDER if len(arrays(s.args)) == 1 and arrays(s.args)[0].ndim
]


@pytest.mark.slow
@pytest.mark.parametrize("size", SIZES)
@parametrized(one_of_each(ONE_ARRAY))
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_small_arrays_of(sample: Sample, size: str) -> None:
    """Arrays of one element, of none, and without dimensions, where they are taken."""

    def small(value: Any) -> Any:
        if isinstance(value, (tuple, list)):
            return type(value)(map(small, value))
        return SIZES[size](value) if isinstance(value, np.ndarray) else value

    name = getattr(sample.operator, "__qualname__", sample.operator.__name__)
    args = small(sample.args)
    try:
        result = sample.operator(*copy.deepcopy(args), **sample.kwargs)
    except (ValueError, TypeError, IndexError, ZeroDivisionError) as error:
        pytest.skip(f"{full_name(sample.operator)}: {type(error).__name__}")
    except np.linalg.LinAlgError:
        pytest.skip(f"{full_name(sample.operator)}: no such matrix")
    if not np.isfinite(flatten(plain(result))).all():
        pytest.skip(f"{full_name(sample.operator)}: nan")
    case = Case(sample.operator, args, sample.kwargs, sample.positions)
    if name in RAISES[size]:
        with pytest.raises((ValueError, IndexError, TypeError, AutogradCompilerError)):
            check(case)
        return
    if name in OF_MATRICES and of_scipy(sample) and size == "no dimensions":
        with pytest.raises(UnsupportedError, match="of a matrix"):
            check(case)
        return
    check(case)


@pytest.mark.slow
@parametrized([s for s in FIRST_ORDER if s.smooth])
def test_second_derivatives_of_all(sample: Sample) -> None:
    test_second_derivatives_of(sample)


# ---------------------------------------------------------------- special points


@pytest.mark.parametrize("special", SPECIAL, ids=str)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_convention(special: Special) -> None:
    positions = tuple(k for k, arg in enumerate(special.args) if is_inexact(arg))
    case = Case(special.function, special.args, {}, positions)
    out, pullback = vjp(case.function, *case.args)
    gradient = pullback(unflatten(np.ones(flatten(out).size), out, True))
    assert len(gradient) == len(special.expected)
    for mine, expected in zip(gradient, special.expected, strict=True):
        np.testing.assert_allclose(mine, expected, rtol=1e-10, atol=1e-15)
    _, tangent = jvp(case.function, case.args, random_like(case.args, 2))
    if np.isfinite(flatten(gradient)).all():
        against = flatten(gradient) @ flatten(random_like(case.args, 2))
        assert flatten(tangent).sum() == pytest.approx(against, rel=1e-10, abs=1e-12)


# ---------------------------------------------------------------- spellings

METHODS = [
    "x.sum()",
    "x.sum(axis=0)",
    "x.sum(1, keepdims=True)",
    "x.prod(axis=1)",
    "x.mean()",
    "x.mean(axis=-1)",
    "x.var(axis=0)",
    "x.std(ddof=1)",
    "x.max()",
    "x.max(axis=0)",
    "x.min(1)",
    "x.cumsum()",
    "x.cumsum(axis=0)",
    "x.cumprod(1)",
    "x.trace()",
    "x.diagonal()",
    "x.T",
    "x.mT",
    "x.transpose()",
    "x.transpose(1, 0)",
    "x.transpose((1, 0))",
    "x.swapaxes(0, 1)",
    "x.squeeze()",
    "x.reshape(-1)",
    "x.reshape(4, 3)",
    "x.reshape((2, 6))",
    "x.reshape(x.shape[1], x.shape[0])",
    "x.reshape(12, order='F')",
    "x.ravel()",
    "x.flatten()",
    "x.repeat(2)",
    "x.repeat(2, axis=1)",
    "x.take([0, 2, 2], axis=0)",
    "x.clip(-0.4, 0.7)",
    "x.clip(min=-0.5)",
    "x.dot(x.T)",
    "x.round()",
    "x.conj()",
    "x.conjugate()",
    "x.real",
    "x.imag",
    "x.copy()",
    "x.astype(float)",
    "x.astype(np.float32)",
    "x.compress([True, False, True], axis=0)",
    "x.item(3)",
    "x.argmax() * x",
    "x.size * x.ndim * x.shape[0] * x",
    "x[x[:, 0].argsort()]",
    "-x @ x.T",
    "(x + 1j * x).real",
    "(x * (1 + 2j)).imag",
    "(x * (1 + 2j)).conj().imag",
    "(x * (1 + 2j)).conjugate().imag",
    "abs(x * (1 + 2j))",
    "(x[0, 0] * (1 + 2j)).conjugate().imag",
    "x[0, 0].item() ** 2",
    "float(x[0, 0]) ** 2",
    "np.add.reduce(x)",
    "np.multiply.reduce(x, 1, keepdims=True)",
    "np.maximum.reduce(x, axis=None)",
    "np.add.accumulate(x)",
    "np.multiply.accumulate(x, axis=1)",
    "np.subtract.outer(x[0], x)",
    "np.multiply.outer(x, 2.0)",
    "x.nonzero()[0].sum() * x",
    "np.split(x, 1)[0] * 2",
    "np.pad(x, 1, constant_values=x[0, 0])",
    "np.pad(x, 1, constant_values=(x[0, 0], 2.0))",
    "np.pad(x, ((1, 2), (0, 1)), constant_values=((x[0, 0], x[1, 1]), (3.0, x[2, 0])))",
    "np.mean(x, where=x > 0)",
    "x.max(initial=0.3)",
]


@pytest.mark.parametrize("expression", METHODS)
@pytest.mark.filterwarnings("ignore::numpy.exceptions.ComplexWarning")
def test_spelling(expression: str) -> None:
    text = f"def f(x):\n    return {expression}\n"
    case = Case.__new__(Case)
    case.args = (np.linspace(-1.0, 1.3, 12).reshape(3, 4) ** 3 + 0.3,)
    case.function = define(text, f"<spelling {expression}>", {"np": np})["f"]
    if "float32" in expression:
        out, pullback = vjp(case.function, *case.args)
        assert out.dtype == np.float32
        (gradient,) = pullback(np.ones_like(out))
        assert gradient.dtype == np.float64
        assert np.all(gradient == 1.0)
        return
    check(case)


# ---------------------------------------------------------------- programs


def program(text: str) -> Callable[..., Any]:
    return define(text, f"<program {hash(text)}>", {"np": np, "math": math})["f"]


def check_program(text: str, *args: Any) -> None:
    case = Case.__new__(Case)
    case.args, case.function = args, program(text)
    check(case)


def test_sign_of_a_complex_number_is_refused() -> None:
    f = program("def f(x):\n    return np.real(np.sign(x * (1 + 2j)))\n")
    with pytest.raises(UnsupportedError, match="np.sign"):
        vjp(f, np.ones(3))
    with pytest.raises(UnsupportedError, match="np.sign"):
        jvp(f, (np.ones(3),), (np.ones(3),))


def test_sign_of_an_inactive_complex_number_is_not_refused() -> None:
    check_program(
        "def f(x):\n    return np.real(np.sign(np.ones(3) * (1 + 2j)) * x)\n",
        np.ones(3),
    )


def test_argument_with_zero_partial_carries_nothing() -> None:
    f = program("def f(x):\n    return np.copysign(2.0, x)\n")
    _, pullback = vjp(f, np.ones(3))
    assert np.array_equal(pullback(np.ones(3))[0], np.zeros(3))
    _, tangent = jvp(f, (np.ones(3),), (np.ones(3),))
    assert np.array_equal(tangent, np.zeros(3))


def test_shape_of_full_like_carries_nothing() -> None:
    check_program(
        "def f(x):\n    return np.sum(np.full_like(x, 2.0) * x) + x[0]\n", np.ones(3)
    )


def test_python_base_of_a_power_leaves_single_precision() -> None:
    x = np.array([0.5, -1.5], np.float32)
    f = program("def f(b, x):\n    return b**x + 2.0**x\n")
    _, pullback = vjp(f, 3.0, x)
    base, exponent = pullback(np.ones_like(x))
    assert exponent.dtype == np.float32
    expected = 3.0**x * np.log(3.0) + 2.0**x * np.log(2.0)
    np.testing.assert_allclose(exponent, expected, rtol=1e-6)
    np.testing.assert_allclose(base, np.sum(x * 3.0 ** (x - 1.0)), rtol=1e-6)


@pytest.mark.parametrize("x", [np.arange(1.0, 4.0), np.arange(1.0, 7.0).reshape(3, 2)])
@pytest.mark.parametrize("copy", ["list(xs)", "tuple(xs)", "xs.copy()"])
def test_copy_of_a_list_of_unknown_length(copy: str, x: Any) -> None:
    check_program(
        "def f(x):\n"
        "    xs = []\n"
        "    for i in range(x.shape[0]):\n"
        "        xs.append(x[i] * 2)\n"
        f"    ys = {copy}\n"
        "    return np.sum(np.array(ys) ** 2) + np.sum(xs[0] * ys[1]), ys\n",
        x,
    )


@pytest.mark.parametrize(
    "result",
    [
        "np.linalg.eigh(x + x.T).eigenvalues",
        "np.linalg.slogdet(x).logabsdet",
        "np.linalg.qr(x).R",
        "np.linalg.svd(x, full_matrices=False).S",
        "np.linalg.svd(x, full_matrices=False)[1]",
    ],
)
@pytest.mark.skipif(
    np.lib.NumpyVersion(np.__version__) < "1.25.0", reason="plain tuples in old NumPy"
)
def test_fields_of_a_named_result(result: str) -> None:
    check_program(
        f"def f(x):\n    y = {result}\n    return y**2\n",
        spread(3, 3) + 2.0 * np.eye(3),
    )


def test_gradient_of_complex_arguments_pairs_without_conjugates() -> None:
    """The change of the result is the real part of `sum(gradient * change)`."""
    f = program(
        "def f(z):\n"
        "    return np.sum(np.abs(z) ** 2 * z.real) + np.imag(np.vdot(z, z * z))\n"
    )
    z = spread(4) + 1j * spread(4, seed=3)
    change = spread(4, seed=5) - 1j * spread(4, seed=7)
    _, pullback = vjp(f, z)
    (gradient,) = pullback(1.0)
    assert gradient.dtype == np.complex128
    expected = directional_difference(
        lambda t: np.array([f(z + t[0] * change)]), np.zeros(1), np.ones(1)
    )
    found = np.real(np.sum(gradient * change))
    assert found == pytest.approx(expected[0], rel=1e-7)
    _, tangent = jvp(f, (z,), (change,))
    assert tangent == pytest.approx(found, rel=1e-12)


def test_subscript_of_unknown_length_is_refused() -> None:
    f = program(
        "def f(x):\n"
        "    index = []\n"
        "    for k in range(x.ndim):\n"
        "        index.append(0 * int(x[0, 0]))\n"
        "    for k in range(int(x[0, 1])):\n"
        "        index.append(0)\n"
        "    return x[tuple(index)]\n"
    )
    with pytest.raises(UnsupportedError, match="length only run time knows"):
        vjp(f, np.zeros((2, 2)))


def test_reshape_to_fixed_sizes_stays_real_beside_complex_numbers() -> None:
    """The type of the result is known although the stand-ins' sizes do not fit."""
    check_program(
        "def f(x, y):\n    return np.imag(np.reshape(x, (2, 3)) + 1j * y)\n",
        spread(6),
        spread(2, 3),
    )


def test_operands_whose_sizes_seem_to_differ() -> None:
    """A literal size that is the argument's at run time."""
    check_program(
        "def f(x):\n    return np.stack([np.ones(6), np.linspace(0.0, 1.0, 6)]) @ x\n",
        spread(6),
    )


def test_stepped_rows_beside_listed_columns() -> None:
    """`x[::10, [0, 1]]` has one row for small arrays, and more for others."""
    check_program(
        "def f(x, y):\n    return x[::10, [0, 1]] * y + x[::10, [2, 0]]\n",
        spread(25, 3),
        spread(1, 2),
    )


def test_parts_of_a_split_that_divides_the_array() -> None:
    check_program(
        "def f(x):\n    a, b, c = np.split(x, 3)\n    return a * b - c\n", spread(12)
    )


def test_write_into_a_result_that_may_be_a_view() -> None:
    """A reshape to literal sizes is a view of contiguous arrays, and written as one."""
    check_program(
        "def f(x):\n"
        "    y = x * 1.0\n"
        "    z = np.reshape(y, (2, 3))\n"
        "    z[0, 0] = 0.5\n"
        "    return y * y\n",
        spread(6),
    )


# ---------------------------------------------------------------- nothing is dropped


@pytest.mark.parametrize(
    ("expression", "argument"),
    [
        ("np.nan_to_num(x, nan=x[0])", "nan"),
        ("np.linalg.norm(x, x[0])", "ord"),
        ("np.unwrap(x, period=x[0])", "period"),
        ("np.var(x, ddof=x[0])", "ddof"),
    ],
)
def test_argument_without_derivative_is_refused(expression: str, argument: str) -> None:
    f = program(f"def f(x):\n    return {expression}\n")
    with pytest.raises(UnsupportedError, match=f"no derivative in `{argument}`"):
        vjp(f, np.ones(3))
    with pytest.raises(UnsupportedError, match=f"no derivative in `{argument}`"):
        jvp(f, (np.ones(3),), (np.ones(3),))


ATTRIBUTES_AND_METHODS = [name for name in dir(np.ndarray) if not name.startswith("_")]


@pytest.mark.parametrize("name", ATTRIBUTES_AND_METHODS)
def test_attribute_of_an_array_is_known_or_refused_in_its_place(name: str) -> None:
    f = program(f"def f(x):\n    return x.{name}\n")
    if callable(getattr(np.ndarray, name)):
        f = program(f"def f(x):\n    y = x.{name}()\n    return x * 2\n")
    try:
        vjp(f, np.ones((2, 2)))
    except AutogradCompilerError as error:
        assert f".{name}" in str(error) or "this fails with" in str(error)
    except TypeError as error:
        assert "argument" in str(error)


# ---------------------------------------------------------------- no rule is forgotten

DIFFERENTIABLE = [
    rule for rule in registry.all_rules() if rule.kind not in ("zero", "refused")
]


SAMPLED = {sample.operator for sample in ALL}


@pytest.mark.parametrize(
    "rule", DIFFERENTIABLE, ids=[full_name(rule.operator) for rule in DIFFERENTIABLE]
)
def test_rule_has_a_sample(rule: registry.Rule) -> None:
    assert rule.operator in SAMPLED
