"""Names: which are local to a function, and what the others stand for."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterable, Iterator

from autograd_compiler.errors import UnsupportedError
from autograd_compiler.frontend.source import FunctionSource, span_of

Function = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)


def resolve_global(
    name: str, source: FunctionSource, node: ast.AST | None = None
) -> object:
    """The object that a free name of a function stands for, at this moment.

    Parameters
    ----------
    name : str
        A name that is not local to the function.
    source : FunctionSource
        The function.
    node : ast.AST, optional
        Where the name is used, for the place of an error.

    Raises
    ------
    UnsupportedError
        If the name is bound nowhere.
    """
    if name in source.closure:
        try:
            return source.closure[name].cell_contents
        except ValueError:
            pass  # assigned later, or never: an error as in Python
    elif name in source.globals:
        return source.globals[name]
    elif hasattr(builtins, name):
        found: object = getattr(builtins, name)
        return found
    raise UnsupportedError(
        f"the name `{name}` is not defined",
        span_of(node or source.node, source.filename),
        "define it before the function is differentiated",
    )


def local_names(node: Function) -> set[str]:
    """The names that a function binds: parameters, and what its body assigns.

    As in Python, the variables of comprehensions and the bodies of nested functions
    have scopes of their own, and `:=` in a comprehension binds in the function.

    Examples
    --------
    >>> node = ast.parse("def f(x):\\n for i in x: y = [k for k in g(i)]").body[0]
    >>> sorted(local_names(node))
    ['i', 'x', 'y']
    """
    found = {arg.arg for arg in _parameters(node.args)}
    declared: set[str] = set()
    for part in _scope(_body(node)):
        match part:
            case ast.Name(id=name, ctx=ast.Store() | ast.Del()):
                found.add(name)
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                found.add(part.name)
            case ast.alias(name=name, asname=asname):
                found.add(asname or name.partition(".")[0])
            case ast.ExceptHandler(name=str(name)) | ast.MatchAs(name=str(name)):
                found.add(name)
            case ast.MatchStar(name=str(name)) | ast.MatchMapping(rest=str(name)):
                found.add(name)
            case ast.Global(names=names) | ast.Nonlocal(names=names):
                declared.update(names)
    return found - declared


def nonlocal_or_global_writes(node: Function) -> list[ast.Name]:
    """The places where a function assigns names that it declares not to be its own.

    Examples
    --------
    >>> node = ast.parse("def f(x):\\n global count\\n count += 1").body[0]
    >>> [(name.id, name.lineno) for name in nonlocal_or_global_writes(node)]
    [('count', 3)]
    """
    parts = list(_scope(_body(node)))
    declared = {
        name
        for part in parts
        if isinstance(part, ast.Global | ast.Nonlocal)
        for name in part.names
    }
    return [
        part
        for part in parts
        if isinstance(part, ast.Name)
        and not isinstance(part.ctx, ast.Load)
        and part.id in declared
    ]


def free_names(node: Function) -> set[str]:
    """The names that a function reads from outside, nested functions included.

    Its defaults, decorators and annotations are left out: they are evaluated where it
    is defined.

    Examples
    --------
    >>> node = ast.parse("def f(x):\\n return [a * k for k in g(x)]").body[0]
    >>> sorted(free_names(node))
    ['a', 'g']
    """
    return set(_reads(_body(node))) - local_names(node)


def _reads(nodes: Iterable[ast.AST]) -> Iterator[str]:
    for node in nodes:
        match node:
            case ast.Name(id=name, ctx=ast.Load()):
                yield name
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.Lambda():
                yield from _reads(_evaluated(node))
                yield from free_names(node)
            case ast.AnnAssign(target=target, value=value):
                yield from _reads([target, *([value] if value else [])])
            case ast.AugAssign(target=ast.Name(id=name), value=value):
                yield name
                yield from _reads([value])
            case ast.ListComp() | ast.SetComp() | ast.DictComp() | ast.GeneratorExp():
                yield from _comprehension_reads(node)
            case ast.ClassDef():
                yield from _reads(ast.iter_child_nodes(node))
            case _:
                yield from _reads(ast.iter_child_nodes(node))


def _comprehension_reads(node: ast.AST) -> Iterator[str]:
    parts = list(ast.iter_child_nodes(node))
    generators = [part for part in parts if isinstance(part, ast.comprehension)]
    own = {
        part.id
        for generator in generators
        for part in ast.walk(generator.target)
        if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store)
    }
    # The first iterable is evaluated outside, where `x` in `[x for x in x]` is free.
    first = generators[0].iter
    yield from _reads([first])
    inner: list[ast.AST] = [part for part in parts if part not in generators]
    for generator in generators:
        inner += [generator.target, *generator.ifs]
        inner += [generator.iter] if generator.iter is not first else []
    yield from (name for name in _reads(inner) if name not in own)


def _body(node: Function) -> list[ast.AST]:
    return [node.body] if isinstance(node, ast.Lambda) else list(node.body)


def _parameters(args: ast.arguments) -> Iterator[ast.arg]:
    yield from (*args.posonlyargs, *args.args, *args.kwonlyargs)
    yield from (arg for arg in (args.vararg, args.kwarg) if arg is not None)


def _evaluated(node: ast.AST) -> list[ast.AST]:
    """The parts of a nested function or class that the scope around it evaluates."""
    match node:
        case ast.ClassDef():
            return [*node.decorator_list, *node.bases, *node.keywords]
        case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.Lambda():
            defaults = [*node.args.defaults, *filter(None, node.args.kw_defaults)]
            return [*getattr(node, "decorator_list", ()), *defaults]
    raise AssertionError(type(node).__name__)


def _scope(nodes: Iterable[ast.AST]) -> Iterator[ast.AST]:
    """The nodes of one scope, outer ones first."""
    for node in nodes:
        if isinstance(node, _COMPREHENSIONS):
            yield node
            yield from _comprehension_scope(node)
        elif isinstance(
            node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | ast.ClassDef
        ):
            yield node
            yield from _scope(_evaluated(node))
        else:
            yield node
            yield from _scope(ast.iter_child_nodes(node))


def _comprehension_scope(node: ast.AST) -> Iterator[ast.AST]:
    """What a comprehension shares with the scope around it: targets of `:=`."""
    targets = {
        id(part)
        for generator in ast.walk(node)
        if isinstance(generator, ast.comprehension)
        for part in ast.walk(generator.target)
    }
    for part in _scope(ast.iter_child_nodes(node)):
        if id(part) not in targets:
            yield part
