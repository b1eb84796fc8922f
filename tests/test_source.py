"""Finding the source of whatever a user may pass as a function."""

from __future__ import annotations

import ast
import builtins
import functools
import importlib.util
import linecache
import math
import os
import symtable
import textwrap
import types
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from autograd_compiler.errors import ArgumentError, SourceError, UnsupportedError
from autograd_compiler.frontend.resolve import (
    free_names,
    local_names,
    nonlocal_or_global_writes,
    resolve_global,
)
from autograd_compiler.frontend.source import read_source, span_of, unparse

SCALE = 3.0


def body_of(fun: Callable[..., Any]) -> str:
    """The text of the last statement of a function."""
    return unparse(read_source(fun).node.body[-1])


def plain(x, y=2.0, *, z=1.0):
    """A docstring."""
    return x * y * z  # and a comment


class Model:
    def __init__(self, w):
        self.w = w

    def predict(self, x):
        return self.w * x

    def __call__(self, x):
        return self.predict(x) + 1

    @staticmethod
    def fixed(x):
        return x - 1

    @classmethod
    def of_class(cls, x):
        return x + 2

    @property
    def private(self):
        return self.__secret(self.w)

    def __secret(self, x):
        self.__count = x
        return self.__count


def named(text: str, name: str = "<typed in a test>") -> str:
    """Register text as notebooks and consoles do, under a name that is no file."""
    linecache.cache[name] = (len(text), None, text.splitlines(True), name)
    return name


def defined(text: str, name: str, **values: Any) -> dict[str, Any]:
    exec(compile(text, name, "exec"), values)
    return values


def module_from(path: Path, text: str) -> ModuleType:
    path.write_text(text, encoding="utf-8")
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    exec(compile(text, str(path), "exec"), vars(module))
    return module


# ---------------------------------------------------------------- what is found


def test_plain_function() -> None:
    source = read_source(plain)
    assert source.function is plain and source.name == "plain"
    assert source.filename == __file__
    assert source.node.lineno == plain.__code__.co_firstlineno
    assert source.defaults == (2.0,) and source.kwdefaults == {"z": 1.0}
    assert source.globals is globals() and source.closure == {}
    assert str(source.signature) == "(x, y=2.0, *, z=1.0)"
    assert source.bound_self is None and source.bound_args == ()


def test_columns_are_those_of_the_file() -> None:
    def nested(x):
        return x * SCALE

    node = read_source(nested).node
    line = linecache.getline(__file__, node.body[0].lineno)
    assert node.col_offset == 4
    assert line[node.body[0].col_offset :].startswith("return x * SCALE")


def test_closure_is_read_when_asked() -> None:
    factor = 2.0

    def nested(x):
        return factor * x

    source = read_source(nested)
    assert resolve_global("factor", source) == 2.0
    factor = 5.0
    assert resolve_global("factor", source) == 5.0


def test_recursive_closure() -> None:
    def power(x, n):
        return x * power(x, n - 1) if n else 1.0

    assert resolve_global("power", read_source(power)) is power


def test_lambda_has_the_name_it_is_assigned_to() -> None:
    cube = lambda x: x**3
    source = read_source(cube)
    assert source.name == source.node.name == "cube"
    assert unparse(source.node) == "def cube(x):\n    return x ** 3"
    assert source.node.body[0].lineno == cube.__code__.co_firstlineno


def test_lambda_without_a_name() -> None:
    assert read_source([lambda x: x][0]).name == "function"


# fmt: off
def test_lambdas_on_one_line() -> None:
    a, b, c = lambda x: x + 1, lambda x: x + 2, lambda y: y + 1
    assert [body_of(f) for f in (a, b, c)] == ["return x + 1", "return x + 2", "return y + 1"]


def test_lambdas_that_differ_in_the_type_of_a_constant() -> None:
    a, b, c = lambda x: x * 1, lambda x: x * 1.0, lambda x: x * True
    assert [body_of(f) for f in (a, b, c)] == ["return x * 1", "return x * 1.0", "return x * True"]


def test_lambdas_that_differ_in_a_name() -> None:
    a, b = lambda x: math.sin(x), lambda x: math.cos(x)
    assert [body_of(f) for f in (a, b)] == ["return math.sin(x)", "return math.cos(x)"]


def test_equal_lambdas_on_one_line() -> None:
    a, b = lambda x: x + SCALE, lambda x: x + SCALE
    first, second = (read_source(f).node for f in (a, b))
    assert unparse(first.body[0]) == unparse(second.body[0])
    if hasattr(a.__code__, "co_positions"):
        assert first.col_offset < second.col_offset


def test_lambda_in_a_lambda() -> None:
    outer = lambda x: (lambda y: x + y)
    assert body_of(outer) == "return lambda y: x + y"
    assert body_of(outer(1.0)) == "return x + y"
# fmt: on


def test_lambda_over_several_lines() -> None:
    wide = (
        lambda x,
        y=SCALE: x
        + y
    )  # fmt: skip
    assert body_of(wide) == "return x + y"


def test_lambda_in_a_call() -> None:
    found = functools.reduce(lambda f, g: f, [lambda x: x * 7], lambda x: x * 9)
    assert body_of(found) == "return x * 9"


def test_function_with_asserts() -> None:
    # pytest rewrites the asserts of test modules.
    def checked(x):
        assert x > 0, "positive"
        return x * SCALE

    assert body_of(checked) == "return x * SCALE"


def test_function_with_asserts_in_a_function() -> None:
    def outer(x):
        def inner(y):
            assert y
            return y

        return inner(x)

    assert body_of(outer) == "return inner(x)"


def test_bound_method() -> None:
    model = Model(2.0)
    source = read_source(model.predict)
    assert source.bound_self is model and source.bound_args == ()
    assert source.function is Model.predict
    assert str(source.signature) == "(x)"
    assert body_of(model.predict) == "return self.w * x"


def test_unbound_method() -> None:
    assert str(read_source(Model.predict).signature) == "(self, x)"


def test_static_and_class_methods() -> None:
    assert body_of(Model.fixed) == "return x - 1"
    assert body_of(vars(Model)["fixed"]) == "return x - 1"
    source = read_source(Model.of_class)
    assert source.bound_self is Model and str(source.signature) == "(x)"


def test_callable_object() -> None:
    model = Model(2.0)
    source = read_source(model)
    assert source.bound_self is model
    assert body_of(model) == "return self.predict(x) + 1"


def test_private_names_are_spelled_out() -> None:
    source = read_source(Model(1.0)._Model__secret)
    assert source.name == "__secret"
    assert unparse(source.node.body[-1]) == "return self._Model__count"


def test_partial() -> None:
    source = read_source(functools.partial(plain, 1.0, z=4.0))
    assert source.bound_args == (1.0,) and source.bound_kwargs == {"z": 4.0}
    assert str(source.signature) == "(y=2.0, *, z=4.0)"


def test_nested_partial() -> None:
    class Partial(functools.partial):  # is not merged with what it holds
        pass

    inner = Partial(plain, 1.0, z=4.0)
    inner.note = "kept apart"
    source = read_source(functools.partial(inner, 2.0, z=5.0))
    assert source.bound_args == (1.0, 2.0) and source.bound_kwargs == {"z": 5.0}


def test_partial_of_a_method() -> None:
    model = Model(2.0)
    source = read_source(functools.partial(model.predict, 3.0))
    assert source.bound_self is model and source.bound_args == (3.0,)
    assert str(source.signature) == "()"


def test_method_made_of_a_partial() -> None:
    model = Model(2.0)
    source = read_source(types.MethodType(functools.partial(plain, 1.0), model))
    assert source.bound_self is None and source.bound_args == (1.0, model)


def test_partial_with_too_many_arguments() -> None:
    with pytest.raises(ArgumentError, match="bound"):
        read_source(functools.partial(plain, 1, 2, 3))


def test_wrapper_stands_for_itself() -> None:
    def doubled(fun):
        @functools.wraps(fun)
        def wrapper(*args):
            return 2 * fun(*args)

        return wrapper

    wrapped = doubled(plain)
    source = read_source(wrapped)
    assert source.name == "wrapper"
    assert unparse(source.node.body[-1]) == "return 2 * fun(*args)"
    assert str(source.signature) == "(*args)"
    assert resolve_global("fun", source) is plain


def test_decorators_are_left_out() -> None:
    def keep(fun):
        return fun

    @keep
    @keep
    def decorated(x):
        return x

    source = read_source(decorated)
    assert source.node.decorator_list == []
    assert unparse(source.node) == "def decorated(x):\n    return x"


def test_function_that_defines_decorated_functions() -> None:
    def outer(x):
        @functools.lru_cache
        def inner(n=(1, 2)):
            return n

        return x * inner()[0]

    assert body_of(outer) == "return x * inner()[0]"


def test_methods_of_imported_modules() -> None:
    # Python compiles these differently where it can see the import.
    def both(x):
        return np.exp(x) + math.sqrt(2.0)

    assert body_of(both) == "return np.exp(x) + math.sqrt(2.0)"


def test_typed_source() -> None:
    name = named("def f(x):\n    return 2 * x\n\ng = lambda x: 3 * x\n")
    space = defined("".join(linecache.getlines(name)), name)
    assert body_of(space["f"]) == "return 2 * x"
    assert body_of(space["g"]) == "return 3 * x"
    assert read_source(space["f"]).node.lineno == 1


def test_doctest_source() -> None:
    """
    >>> def f(x):
    ...     return 4 * x
    >>> body_of(f)
    'return 4 * x'
    """


def test_future_flags_are_kept() -> None:
    name = named("def f(x: 'float') -> int:\n    y: float = x\n    return y\n")
    text = "".join(linecache.getlines(name))
    space: dict[str, Any] = {}
    exec(compile(text, name, "exec", dont_inherit=True), space)
    assert read_source(space["f"]).signature.parameters["x"].annotation == "float"


def test_the_tree_may_be_changed() -> None:
    read_source(plain).node.body.clear()
    assert body_of(plain) == "return x * y * z"


def test_numba_function() -> None:
    numba = pytest.importorskip("numba")
    assert body_of(numba.njit(plain)) == "return x * y * z"


# ---------------------------------------------------------------- what is not


def test_source_that_is_nowhere() -> None:
    space = defined("def f(x):\n    return x\n", "<string>")
    with pytest.raises(SourceError, match="'<string>' is not a file.*notebook"):
        read_source(space["f"])


@pytest.mark.parametrize("fun", [math.sin, np.sin, len, np.array([1.0]).sum])
def test_not_written_in_python(fun: Any) -> None:
    with pytest.raises(SourceError, match="not written in Python"):
        read_source(fun)


@pytest.mark.parametrize("fun", [Model, 3, "f", vars(Model)["of_class"]])
def test_not_a_function(fun: Any) -> None:
    with pytest.raises(UnsupportedError, match="is not a function"):
        read_source(fun)


def test_generator_function() -> None:
    def generator(x):
        yield x

    with pytest.raises(UnsupportedError, match="generator") as caught:
        read_source(generator)
    assert caught.value.span is not None and caught.value.hint
    assert caught.value.span.line == generator.__code__.co_firstlineno + 1  # yield


def test_asynchronous_function() -> None:
    async def coroutine(x):
        return x

    with pytest.raises(UnsupportedError, match="asynchronous") as caught:
        read_source(coroutine)
    assert caught.value.span is not None and caught.value.hint


@pytest.mark.parametrize(
    "edited",
    [
        "x * y",  # an operator
        "x + 2",  # a constant
        "x + 1.0",  # its type
        "y + x",
        "g(x)",
    ],
)
def test_file_that_was_edited(tmp_path: Path, edited: str) -> None:
    text = "def f(x, y=0):\n    return {}\n"
    path = tmp_path / "edited.py"
    module = module_from(path, text.format("x + 1" if edited != "x * y" else "x + y"))
    path.write_text(text.format(edited), encoding="utf-8")
    with pytest.raises(SourceError, match="is not what the function was made from"):
        read_source(module.f)


def test_file_whose_other_lines_were_edited(tmp_path: Path) -> None:
    path = tmp_path / "moved.py"
    text = "def f(x):\n    return x + 1\n"
    module = module_from(path, text)
    path.write_text("import math\n\n\n" + text, encoding="utf-8")
    assert read_source(module.f).node.lineno == 4


def test_file_that_was_edited_and_loaded_again(tmp_path: Path) -> None:
    path = tmp_path / "again.py"
    module_from(path, "def f(x):\n    return x + 1\n")
    linecache.getlines(str(path))
    module = module_from(path, "\n\ndef f(x):\n    return x * 222\n")
    os.utime(path, (1, 1))
    assert body_of(module.f) == "return x * 222"


def test_file_that_was_broken(tmp_path: Path) -> None:
    path = tmp_path / "broken.py"
    module = module_from(path, "def f(x):\n    return x + 1\n")
    path.write_text("def f(x:\n", encoding="utf-8")
    with pytest.raises(SourceError):
        read_source(module.f)


# ---------------------------------------------------------------- spans


def statements(text: str, name: str) -> list[ast.stmt]:
    named(text, name)
    function = ast.parse(text).body[0]
    assert isinstance(function, ast.FunctionDef)
    return function.body


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("y = x # a comment", "y = x"),
        ("y   =  x*2 ;  z = 1", "y = x*2"),
        ("y = 'a  # b' # c", "y = 'a  # b'"),
        ("y = (x +\n   1) # c", "y = x + 1"),
        ("y = g(\n   x,  # first\n   2,\n)", "y = g(x, 2)"),
        ("if x > 1:  # c\n  y = 2\nelse:\n  pass", "if x > 1:"),
        ("if  x: y = 2", "if x:"),
        ("if (x and\n y): y = 2", "if x and y:"),
        ("if (x): pass", "if (x):"),
        ("if x[1:2]: pass", "if x[1:2]:"),
        ("while x < {1: 2}[1]: pass", "while x < {1: 2}[1]:"),
        ("for i in range(3): # c\n  pass", "for i in range(3):"),
        ("for i in (\n 1, 2): pass", "for i in (1, 2):"),
        ("with a as b, c: pass", "with a as b, c:"),
        ("with (a as b): pass", "with (a as b):"),
        ("def g(a: int = 1) -> int:\n  return a", "def g(a: int=1) -> int:"),
        ("y = 'é' + x # c", "y = 'é' + x"),
        ("return x  # c", "return x"),
    ],
)
def test_statement_text(given: str, expected: str) -> None:
    name = "<statement>"
    first, *_ = statements("def f(x):\n" + textwrap.indent(given, "    "), name)
    assert span_of(first, name).statement == expected


def test_statement_text_of_elif() -> None:
    name = "<elif>"
    (first,) = statements("def f(x):\n  if x:\n    a\n  elif x > 1: # c\n    b", name)
    assert isinstance(first, ast.If)
    assert span_of(first.orelse[0], name).statement == "elif x > 1:"


def test_span_of_an_expression() -> None:
    name = "<expression>"
    (statement,) = statements("def f(x):\n    return 'éé' + x", name)
    assert isinstance(statement, ast.Return)
    assert isinstance(statement.value, ast.BinOp)
    span = span_of(statement.value.right, name)
    assert (span.line, span.column, span.end_line, span.end_column) == (2, 18, 2, 19)
    assert span.statement == ""
    span = span_of(statement.value.right, name, statement)
    assert span.statement == "return 'éé' + x"


def test_span_without_source() -> None:
    node = ast.parse("y = f(x)").body[0]
    span = span_of(node, "<nowhere>")
    assert (span.line, span.column, span.statement) == (1, 0, "y = f(x)")
    assert span_of(ast.Pass(), "<nowhere>").line == 0


def test_unparse_gives_valid_code() -> None:
    text = "x[1:-1, ::2] = y[..., None] + x[:, 0:1][a, *b]"
    if not hasattr(ast, "TryStar"):  # Python 3.10 has no star in an index
        text = "x[1:-1, ::2] = y[..., None] + x[:, 0:1]"
    tree = ast.parse(text)
    assert ast.dump(ast.parse(unparse(tree))) == ast.dump(tree)


# ---------------------------------------------------------------- names


def function(text: str) -> ast.FunctionDef:
    node = ast.parse(textwrap.dedent(text)).body[0]
    assert isinstance(node, ast.FunctionDef)
    return node


def test_resolve_global() -> None:
    source = read_source(plain)
    assert resolve_global("SCALE", source) is SCALE
    assert resolve_global("len", source) is builtins.len
    with pytest.raises(UnsupportedError, match="`missing` is not defined") as caught:
        resolve_global("missing", source, source.node.body[-1])
    assert caught.value.span is not None
    assert caught.value.span.line == source.node.body[-1].lineno


def test_resolve_a_cell_that_is_empty() -> None:
    def nested(x):
        return x * later

    with pytest.raises(UnsupportedError, match="`later` is not defined"):
        resolve_global("later", read_source(nested))
    later = 1.0
    assert resolve_global("later", read_source(nested)) is later


SCOPES = """
    def f(a, /, b, *c, d=outside, **e):
        global g
        g = h = 1
        for i, (j, *k) in a:
            m += 1
        with open(b) as (n, o):
            p: int = 2
        q: float
        if (r := s):
            import t.u, v as w
            from x import y as z
        [aa for aa in ab if (ac := aa)]
        def ad(ae=af):
            ag = ah + b
            return ag
        ai[0] = aj.ak = 1
        lambda al: (al, am, b)
        del an
        return {ao: ap for ao, ap in aq.items()}
"""


def test_local_names() -> None:
    expected = "a b c d e h i j k m n o p q r t w z ac ad an"
    assert local_names(function(SCOPES)) == set(expected.split())


def test_free_names() -> None:
    expected = "open s ab af ah ai aj am aq"
    assert free_names(function(SCOPES)) == set(expected.split())


def test_names_agree_with_python() -> None:
    text = textwrap.dedent(SCOPES)
    table = symtable.symtable(text, "<test>", "exec").get_children()[0]
    theirs = {symbol.get_name() for symbol in table.get_symbols() if symbol.is_local()}
    # Python 3.12 counts the variables of comprehensions among those of the function.
    assert theirs - {"aa", "ao", "ap"} == local_names(function(SCOPES))


def test_first_iterable_of_a_comprehension_is_outside() -> None:
    assert free_names(function("def f():\n    return [x for x in x]")) == {"x"}
    assert free_names(function("def f():\n    return [y for x in a for y in x]")) == {
        "a"
    }


def test_nested_writes_are_not_ours() -> None:
    node = function("""
        def f():
            total = 0
            def g():
                nonlocal total
                total += 1
            return total
    """)
    assert nonlocal_or_global_writes(node) == []
    inner = node.body[1]
    assert isinstance(inner, ast.FunctionDef)
    (write,) = nonlocal_or_global_writes(inner)
    assert write.id == "total"


def test_names_of_a_lambda() -> None:
    node = ast.parse("lambda x, y=z: x + y + w").body[0]
    assert isinstance(node, ast.Expr) and isinstance(node.value, ast.Lambda)
    assert local_names(node.value) == {"x", "y"}
    assert free_names(node.value) == {"w"}
