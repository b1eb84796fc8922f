"""The definition in a file that a code object was compiled from."""

from __future__ import annotations
import __future__

import ast
import dis
import functools
import linecache
import types
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any, TypeAlias, TypeVar

from autograd_compiler.errors import SourceError

FunctionNode: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
Tree = TypeVar("Tree", bound=ast.AST)

FIRST_MARK = 10_000_000  # further down than the end of any file

# ---------------------------------------------------------------- finding


@dataclass(frozen=True, eq=False)
class Found:
    """A definition in a file, with what its surroundings say about it."""

    node: FunctionNode
    owner: str = ""  # the class whose private names it uses
    target: str = ""  # the variable that a lambda is assigned to


def definition(function: types.FunctionType) -> Found:
    code = function.__code__
    filename = code.co_filename
    fresh = False
    while True:
        lines = linecache.getlines(filename, function.__globals__)
        found = search("".join(lines), code) if lines else None
        if found is not None:
            return found
        if fresh:
            break
        # The cached text can be older than the function, after a reload.
        linecache.checkcache(filename)
        fresh = True
    name = describe(function)
    if lines:
        raise SourceError(
            f"the source of {name} in {filename} is not what the function was made "
            "from; import it again if the file was edited, and put lambdas that "
            "cannot be told apart on lines of their own"
        )
    raise SourceError(
        f"the source of {name} cannot be found: {filename!r} is not a file that can "
        "be read; define the function in a file or a notebook cell"
    )


def search(text: str, code: types.CodeType) -> Found | None:
    """The definition in a text that a code object was compiled from."""
    future = sum(
        code.co_flags & getattr(__future__, name).compiler_flag
        for name in __future__.all_feature_names
        if name not in ("nested_scopes", "generators")
    )
    try:
        statements = _parse(text, future)
    except (SyntaxError, ValueError):
        return None
    line, filename = code.co_firstlineno, code.co_filename
    near = tuple(
        number
        for number, stmt in enumerate(statements)
        if _first_line(stmt) <= line <= (stmt.end_lineno or stmt.lineno)
    )
    pairs = [
        (found, compiled)
        for found, compiled in _compiled(text, filename, future, near)
        if compiled.co_name == code.co_name and _first_line(found.node) == line
    ]
    exact = [found for found, compiled in pairs if _same_code(compiled, code)]
    if exact:
        # Lambdas that are the same in all but their place: take the right place.
        return next((found for found in exact if _covers(found.node, code)), exact[0])
    rewritten = [found for found, other in pairs if _same_but_asserts(other, code)]
    if len(rewritten) == 1:
        return rewritten[0]
    # An edit elsewhere in the file has moved the definition.
    every = tuple(range(len(statements)))
    moved = [
        found
        for found, compiled in _compiled(text, filename, future, every)
        if compiled.co_name == code.co_name and _same_code(compiled, code)
    ]
    return moved[0] if len(moved) == 1 else None


@functools.lru_cache(maxsize=64)
def _parse(text: str, future: int) -> list[ast.stmt]:
    """The statements of a file; shared, so nothing may change them."""
    # Notebooks allow `await` outside functions.
    flags = ast.PyCF_ONLY_AST | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT | future
    tree = compile(text, "<source>", "exec", flags, dont_inherit=True)
    assert isinstance(tree, ast.Module)
    return tree.body


def _first_line(node: ast.stmt | ast.Lambda) -> int:
    """The first line as code objects count it: that of the first decorator."""
    decorators: list[ast.expr] = getattr(node, "decorator_list", [])
    return decorators[0].lineno if decorators else node.lineno


def _definitions(node: ast.AST, owner: str = "", target: str = "") -> Iterator[Found]:
    """The functions and lambdas in a tree, in an order that only the tree decides."""
    match node:
        case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.Lambda():
            yield Found(node, owner, target)
        case ast.ClassDef(name=name):
            owner = name
    match node:
        case ast.Assign(targets=[ast.Name(id=target)]):
            pass
        case ast.AnnAssign(target=ast.Name(id=target)):
            pass
        case _:
            target = ""
    for child in ast.iter_child_nodes(node):
        yield from _definitions(child, owner, target)


@functools.lru_cache(maxsize=64)
def _compiled(
    text: str, filename: str, future: int, chosen: tuple[int, ...]
) -> list[tuple[Found, types.CodeType]]:
    """The functions in statements of a file, each with the code that Python makes.

    A copy of the tree is compiled in which each function starts on a line of its own
    number: that is how its code object is recognised.
    """
    statements = _parse(text, future)
    module = ast.Module([statements[number] for number in chosen], [])
    marked = copied(module)
    for number, found in enumerate(_definitions(marked), start=FIRST_MARK):
        _mark(found.node, number)
    # Python compiles `np.sin(x)` differently where it sees that `np` is a module.
    names = [ast.alias(name) for name in _imported(statements)]
    imports = [ast.Import([name]) for name in names]
    whole = ast.fix_missing_locations(ast.Module([*imports, *marked.body], []))
    flags = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT | future
    code = compile(whole, filename, "exec", flags, dont_inherit=True)
    by_line = {inner.co_firstlineno: inner for inner in _code_objects(code)}
    pairs = zip(_definitions(module), map(by_line.get, count(FIRST_MARK)), strict=False)
    return [(found, inner) for found, inner in pairs if inner is not None]


def _imported(statements: Sequence[ast.stmt]) -> Iterator[str]:
    """The names that a module imports, outside its functions and classes."""
    for stmt in statements:
        match stmt:
            case ast.Import(names) | ast.ImportFrom(names=names):
                for alias in names:
                    if alias.name != "*":
                        yield alias.asname or alias.name.partition(".")[0]
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                pass
            case _:
                for part in (stmt, *getattr(stmt, "handlers", ())):
                    for body in ("body", "orelse", "finalbody"):
                        yield from _imported(getattr(part, body, ()))


def _mark(node: FunctionNode, line: int) -> None:
    node.lineno = node.end_lineno = line
    node.col_offset = node.end_col_offset = 0
    if not isinstance(node, ast.Lambda) and node.decorator_list:
        first = node.decorator_list[0]
        first.lineno = first.end_lineno = line
        first.col_offset = first.end_col_offset = 0


def _code_objects(code: types.CodeType) -> Iterator[types.CodeType]:
    yield code
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from _code_objects(constant)


# ---------------------------------------------------------------- comparing


def _same_code(first: types.CodeType, second: types.CodeType) -> bool:
    """Whether two code objects do the same; line numbers do not count."""
    return (
        _same_names(first, second)
        and first.co_names == second.co_names
        and first.co_varnames == second.co_varnames
        and _same_constants(first.co_consts, second.co_consts)
        and (
            first.co_code == second.co_code
            or _instructions(first) == _instructions(second)
        )
    )


def _instructions(code: types.CodeType) -> list[tuple[str, int | None]]:
    """The instructions, without those that only hold the place of a line."""
    found: list[dis.Instruction] = []
    index_at: dict[int, int] = {}
    for instruction in dis.get_instructions(code):
        index_at[instruction.offset] = len(found)
        if instruction.opname not in ("NOP", "EXTENDED_ARG"):
            found.append(instruction)
    jumps = {*dis.hasjrel, *dis.hasjabs}
    return [
        (each.opname, index_at[each.argval] if each.opcode in jumps else each.arg)
        for each in found
    ]


def _same_names(first: types.CodeType, second: types.CodeType) -> bool:
    """Whether two code objects have the same parameters and captured variables."""
    return all(
        getattr(first, attribute) == getattr(second, attribute)
        for attribute in (
            "co_name",
            "co_argcount",
            "co_posonlyargcount",
            "co_kwonlyargcount",
            "co_freevars",
            "co_cellvars",
            "co_flags",
        )
    )


def _same_constants(first: object, second: object) -> bool:
    if isinstance(first, types.CodeType) and isinstance(second, types.CodeType):
        return _same_code(first, second)
    if isinstance(first, tuple) and isinstance(second, tuple):
        return len(first) == len(second) and all(map(_same_constants, first, second))
    if isinstance(first, frozenset):
        return first == second
    # By text: 1, 1.0 and True are equal, and nan is not equal to itself.
    return type(first) is type(second) and repr(first) == repr(second)


def _same_but_asserts(ours: types.CodeType, running: types.CodeType) -> bool:
    """Whether code may differ from ours only in that pytest rewrote its asserts.

    That adds names and constants and takes none away.
    """
    parts = list(_code_objects(running))
    if not any("@pytest_ar" in part.co_names for part in parts):
        return False
    own = [name for name in running.co_varnames if not name.startswith("@py")]
    return (
        _same_names(ours, running)
        and list(ours.co_varnames) == own
        and set(ours.co_names) <= set(running.co_names)
        and all(
            any(_alike(constant, other) for other in running.co_consts)
            for constant in ours.co_consts
        )
    )


def _alike(ours: object, running: object) -> bool:
    if isinstance(ours, types.CodeType) and isinstance(running, types.CodeType):
        return _same_code(ours, running) or _same_but_asserts(ours, running)
    return _same_constants(ours, running)


def _covers(node: FunctionNode, code: types.CodeType) -> bool:
    """Whether the instructions of a code object stand where a node stands."""
    if not hasattr(code, "co_positions"):  # Python 3.10 knows lines only
        return False
    start = (node.lineno, node.col_offset)
    end = (node.end_lineno, node.end_col_offset)
    for line, end_line, column, end_column in code.co_positions():
        if None not in (line, end_line, column, end_column) and end_column:
            return start <= (line, column) and (end_line, end_column) <= end
    return False


def describe(fun: Any) -> str:
    name = getattr(fun, "__qualname__", None) or getattr(fun, "__name__", None)
    if not isinstance(name, str):
        return f"an object of type `{type(fun).__qualname__}`"
    module = getattr(fun, "__module__", None)
    hidden = module in (None, "builtins", "__main__") or "<" in name
    return f"`{name}`" if hidden else f"`{module}.{name}`"


def copied(node: Tree) -> Tree:
    """A copy of a syntax tree; `copy.deepcopy` takes five times as long."""
    made = type(node).__new__(type(node))
    for name, value in vars(node).items():
        if isinstance(value, list):
            value = [copied(v) if isinstance(v, ast.AST) else v for v in value]
        elif isinstance(value, ast.AST):
            value = copied(value)
        setattr(made, name, value)
    return made
