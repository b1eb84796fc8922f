"""Functions that must be refused, each with what its error must say.

The error marks a place: `marks` is the text of the source line that begins under the
first caret.
"""

from __future__ import annotations

import contextlib
import json
import operator
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
from scipy import special

from autograd_compiler import errors

F = TypeVar("F", bound=Callable[..., Any])

X = np.array([0.7, -1.2, 0.4, 1.9])
M = np.array([[0.3, 0.8], [-0.5, 0.9]])
BUFFER = np.zeros(4)
HISTORY: list[Any] = []
COUNT = 0

first = operator.itemgetter(0)
cube = np.frompyfunc(lambda item: item**3, 1, 1)


@dataclass(frozen=True)
class Refused:
    """A function and what must be said of it.

    Attributes
    ----------
    error
        The type of the error.
    fragments
        What its text must contain, in any case of letters.
    marks
        The source text from the first caret on; "" where the error has no place.
    """

    function: Callable[..., Any]
    args: tuple[Any, ...]
    error: type[errors.AutogradCompilerError]
    fragments: tuple[str, ...] = ()
    marks: str = ""
    argnums: Any = 0


ALL: list[Refused] = []


def refused(
    *args: Any,
    error: type[errors.AutogradCompilerError] = errors.UnsupportedError,
    says: tuple[str, ...] = (),
    marks: str = "",
    argnums: Any = 0,
) -> Callable[[F], F]:
    def register(function: F) -> F:
        ALL.append(Refused(function, args, error, says, marks, argnums))
        return function

    return register


# ---------------------------------------------------------------- arguments


@refused(3, error=errors.ArgumentError, says=("x", "int", "float"))
def integer_argument(x):
    return x * x


@refused(True, error=errors.ArgumentError, says=("x", "bool"))
def boolean_argument(x):
    return x * 2.0


@refused(np.arange(3), error=errors.ArgumentError, says=("x", "int64", "float"))
def integer_array_argument(x):
    return np.sum(x * x)


@refused("text", error=errors.ArgumentError, says=("x", "str"))
def string_argument(x):
    return len(x) * 1.0


@refused(0.7, error=errors.ArgumentError, says=("argnums", "3"), argnums=3)
def position_out_of_range(x):
    return x * x


@refused(0.7, error=errors.ArgumentError, says=("argnums", "weight"), argnums="weight")
def unknown_name(x):
    return x * x


@refused(error=errors.ArgumentError, says=("x",))
def missing_argument(x):
    return x * x


@refused(0.7, 0.3, error=errors.ArgumentError)
def too_many_arguments(x):
    return x * x


@refused(X, error=errors.ArgumentError, says=("scalar", "jacobian", "vjp"))
def result_is_an_array(x):
    return x * x


@refused(X, error=errors.ArgumentError, says=("scalar", "vjp"))
def result_is_a_tuple(x):
    return np.sum(x), x[0]


@refused(0.7, error=errors.ArgumentError, says=("None",))
def result_is_none(x):
    y = x * x
    y = y + 1.0


@refused(0.7, error=errors.ArgumentError, says=("None",))
def result_is_none_at_the_end(x):
    if x < 0.0:
        return x * x


overlapping = X.copy()


@refused(
    overlapping,
    overlapping[1:],
    error=errors.ArgumentError,
    says=("overlap", "x", "y"),
)
def overlapping_arguments_are_written(x, y):
    x[1] = x[0] * 2.0
    return np.sum(x[1:] * y)


# ---------------------------------------------------------------- constructs


@refused(0.7, says=("generator",), marks="yield x")
def generator_function(x):
    yield x * x


@refused(0.7, says=("async",))
async def coroutine(x):
    return x * x


@refused(0.7, says=("try",), marks="try:")
def active_code_in_try(x):
    try:
        y = x * x
    except ZeroDivisionError:
        y = 0.0
    return y


@refused(0.7, says=("global", "COUNT"), marks="global COUNT")
def global_written(x):
    global COUNT
    COUNT = x * x
    return COUNT * x


@refused(0.7, says=("nonlocal", "total"), marks="nonlocal total")
def nonlocal_written(x):
    total = 0.0

    def add(y):
        nonlocal total
        total += y
        return total

    return add(x * x)


@refused(0.7, says=("class",), marks="class Point")
def class_in_a_function(x):
    class Point:
        pass

    p = Point()
    return x * x if p else x


@refused(0.7, {"a": 1}, says=("pattern",), marks='{"a": 1')
def rest_of_a_mapping_in_a_pattern(x, options):
    match options:
        case {"a": 1, **rest}:
            return x * x * len(rest)
    return x


class Holder:
    value = 0.0


holder = Holder()


@refused(0.7, says=("attribute",), marks="holder.value")
def attribute_written(x):
    holder.value = x * x
    return holder.value * x


# ---------------------------------------------------------------- operators


@refused(X, says=("cube",), marks="cube(x)")
def operator_without_a_rule(x):
    return np.sum(cube(x))


@refused(X, says=("mathieu_a",), marks="special.mathieu_a")
def special_function_without_a_rule(x):
    return np.sum(special.mathieu_a(1, x))


@refused(X, says=("where",), marks="np.sin(x, where")
def keyword_where(x):
    return np.sum(np.sin(x, where=x > 0.0))


@refused(X, says=("first",), marks="first(x)")
def unknown_callee(x):
    return first(x) * x[1]


@refused(X, says=("as_strided",), marks="np.lib.stride_tricks.as_strided")
def strides_made_by_hand(x):
    y = np.lib.stride_tricks.as_strided(x, (2, 2), (8, 8))
    return np.sum(y**2)


@refused(X, says=("set",), marks="{x[0], x[1]}")
def set_of_active_values(x):
    return sum({x[0], x[1]})


@refused(X, says=("str",), marks="float(")
def number_from_text(x):
    return float(f"{x[0]}")


@refused(X, says=("object",), marks="dtype=object")
def array_of_objects(x):
    y = np.array([x[0], x], dtype=object)
    return y[0]


# ---------------------------------------------------------------- mutation


@refused(0.7, error=errors.MutationError, says=("int",), marks="a[0]")
def active_float_into_an_integer_array(x):
    a = np.zeros(3, dtype=int)
    a[0] = x
    return np.sum(a) * x


@refused(M, error=errors.MutationError, says=("alias", "copy"), marks="y[0]")
def write_through_reshape_of_a_transpose(m):
    y = m.T.reshape(4)
    y[0] = m[1, 1] * 2.0
    return np.sum(y) * np.sum(m)


@refused(X, error=errors.MutationError, says=("list", "copy"), marks="y[0]")
def array_in_a_list_written(x):
    items = []
    y = x * x
    for _ in range(2):
        items.append(y)
        y[0] = y[1] * y[0]
    return np.sum(items[0] * items[1])


@refused(X, error=errors.MutationError, says=("BUFFER", "global"), marks="BUFFER[0]")
def global_array_written(x):
    BUFFER[0] = x[0] * x[1]
    return np.sum(BUFFER * x)


@refused(X, error=errors.MutationError, says=("HISTORY", "global"), marks="HISTORY")
def global_list_grows(x):
    HISTORY.append(x[0])
    return np.sum(x**2)


def _with_a_cell() -> Callable[..., Any]:
    cell = np.zeros(4)

    def closure_array_written(x):
        cell[1] = x[0] * x[1]
        return np.sum(cell * x)

    return closure_array_written


refused(X, error=errors.MutationError, says=("cell",), marks="cell[1]")(_with_a_cell())


@refused(X, error=errors.MutationError, says=("alias", "copy"), marks="y[0]")
def write_to_one_of_two_arrays(x):
    a = x * x
    b = np.sin(x)
    y = a if x[0] > 0.0 else b
    y[0] = x[1]
    return np.sum(a * b * y)


# ---------------------------------------------------------------- no source


_scope: dict[str, Any] = {}
exec("def without_source(x):\n    return x * x\n", _scope)
refused(0.7, error=errors.SourceError, says=("source", "without_source"))(
    _scope["without_source"]
)

refused(0.7, error=errors.SourceError, says=("hash", "source"))(hash)


@refused(0.7, says=("without_source",), marks="without_source(x)")
def calls_what_has_no_source(x):
    return without_source(x) * x


without_source = _scope["without_source"]


# ---------------------------------------------------------------- aliases


@refused(X, error=errors.MutationError, says=("alias", "a"))
def array_chosen_by_a_branch_is_written(x):
    a, b = x.copy(), x * 2.0
    c = a if x[0] > 0.0 else b
    c[0] = x[1] * x[2]
    return np.sum(a) * x[0]


@refused(X, error=errors.MutationError, says=("same array", "best", "copy"))
def second_name_of_a_written_array_is_rebound(x):
    a = x.copy()
    best = a
    for i in range(3):
        if x[i] > 0.5:
            best = x * 2.0
        a[i] = x[i] ** 2
    return np.sum(best * x)


@refused(X, error=errors.MutationError, says=("twice", "copies"))
def array_that_is_twice_in_a_list_is_written(x):
    a = x * 1.0
    items = []
    for _ in range(2):
        items.append(a)
    items[0][1] = x[0] * 5.0
    return np.sum(items[1] * x)


@refused(X, error=errors.MutationError, says=("list", "changed", "copy"))
def item_is_written_after_its_list_has_grown(x):
    items = [x * 1.0]
    for i in range(3):
        last = items[-1]
        items.append(np.sin(last) * x[i])
        last *= x[0]
    return np.sum(items[-1])


@refused(X, says=("branch", "another name"))
def list_with_two_names_is_chosen_by_a_branch(x):
    ps, qs = [x, x * 2.0], [x * 3.0, x * 4.0]
    r = ps if x[0] > 0.0 else qs
    r[0] = x * x
    return np.sum(ps[0] * qs[1])


def collect(value, found=[]):  # noqa: B006
    found.append(value)
    return found


@refused(X, says=("list", "outside"))
def mutable_default_is_written(x):
    return collect(x[0])[-1] * x[1]


@refused(X, says=("slice of a list", "one by one"))
def slice_of_a_list_is_written(x):
    items = [v * v for v in x]
    items[1:3] = [x[0], x[0] * 2.0]
    return sum(items)


@refused(X, says=("gone through already", "list"), marks="sum(pairs)")
def iterator_used_twice(x):
    pairs = map(np.sin, x)
    total = sum(pairs)
    return total + sum(pairs)


@refused(X, says=("gone through already",), marks="pairs:")
def iterator_used_in_each_pass(x):
    pairs, total = zip(x, x), 0.0
    for _ in range(9):
        for a, b in pairs:
            total += a * b
    return total


@refused(0.7, says=("TypeError", "NoneType"), marks="x + y")
def number_plus_none(x):
    y = None
    return x + y


@refused(0.7, says=("cannot be subscripted",), marks="x[0]")
def number_subscripted(x):
    return x[0]


@refused(0.7, says=("no attribute", "did you mean `sin`"), marks="np.sinn")
def misspelt_function(x):
    return np.sinn(x)


def two_parameters(a, b):
    return a * b


@refused(0.7, says=("needs a value for `b`", "(a, b)"), marks="two_parameters(x)")
def helper_without_an_argument(x):
    return two_parameters(x)


@refused(X, says=("one array or container",), marks="[x] * n")
def one_array_many_times(x, n=3):
    rows = [x] * n
    return np.sum(rows[0])


@refused(X, says=("loses its derivative",))
def number_from_joined_text(x):
    return float(",".join(str(item) for item in x).split(",")[0])


@refused(0.7, says=("only run time knows", "`if`"), marks="functions[k % 2](x)")
def function_chosen_by_number(x):
    functions = [np.sin, np.cos]
    total = 0.0
    for k in range(20):
        total += functions[k % 2](x)
    return total


@refused(0.7, says=("suppress", "try"), marks="contextlib.suppress")
def suppressed_exceptions(x):
    with contextlib.suppress(ValueError):
        x = x * x
    return x


@refused(0.7, says=("boolean",), error=errors.ArgumentError, marks="return x > 0.0")
def boolean_result(x):
    return x > 0.0


@refused(0.7, says=("raises",), error=errors.ArgumentError)
def result_never_reached(x):
    raise ValueError(x)


@refused(
    X,
    np.ma.masked_array(X, X > 1.0),
    says=("MaskedArray", "`weights`"),
    error=errors.ArgumentError,
)
def masked_argument(x, weights):
    return np.sum(x * weights)


class Masked(np.ndarray):
    """A kind of array whose operators may mean something else."""


@refused(X.view(Masked), says=("Masked",), error=errors.ArgumentError)
def argument_of_another_kind_of_array(x):
    return np.sum(x)


@refused(X, says=("json.dumps",), marks="json.dumps(x[0])")
def standard_library_of_values(x):
    return len(json.dumps(x[0])) * x[0]


@refused(X, says=("a string", "np.stack"), marks='np.r_["0,2", x]')
def joined_as_a_string_says(x):
    return np.sum(np.r_["0,2", x])


@refused(X, says=("subscript", "derivative in the index"), marks="np.s_[x]")
def values_as_a_subscript_of_an_object(x):
    return np.sum(np.s_[x])
