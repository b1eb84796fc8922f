"""Imports go downwards only; files of one layer do not know of each other."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "autograd_compiler"

# From the bottom to the top: a module may import what stands in a row above its own.
# A name stands for the module, or for all of a folder; the longest match counts.
LAYERS: tuple[tuple[str, ...], ...] = (
    ("types", "version"),
    ("ir", "runtime", "show", "surgery"),
    ("errors",),
    ("checkpointing",),
    ("names", "tree", "contract", "nonfinite"),
    ("printer", "verify", "rules.registry"),
    ("rules",),
    ("analysis",),
    ("operands",),
    ("subscripts",),
    ("builder",),
    ("frontend",),
    ("expand",),
    ("passes.unstack",),  # lists that a loop fills
    ("passes.storage", "passes.forms"),  # what the reverse sweep needs, and keeps
    ("passes.masks",),
    ("passes.adjoints", "passes.recompute"),  # sums of adjoints; what is computed twice
    ("passes.keeping",),  # making values available
    ("passes.worker",),
    ("passes.reverse_branch", "passes.reverse_loop", "passes.reverse_memory"),
    ("passes",),
    ("passes.pairs",),  # derivatives of the functions that are called
    ("passes.derivative",),  # the sweeps behind a signature
    ("backend",),
    ("pipeline",),
    ("export.wrapper",),
    ("export.module",),
    ("export.files",),
    ("export",),
    ("specialise",),
    ("nested",),
    ("flat",),  # a container as one array
    (
        "transforms.results",
        "transforms.repeated",
        "transforms.travel",
        "transforms.exporting",
    ),  # what goes in and comes out
    ("transforms.base",),
    ("transforms.gradient", "transforms.products"),
    ("transforms.sparsity", "transforms.direct", "transforms.unit_vectors"),
    ("transforms.jacobian", "transforms.curvature", "transforms.elementwise"),
    ("transforms.hessian",),
    ("transforms",),
    ("interop.library", "interop.flat_functions", "interop.elementwise_loss"),
    ("custom.operators",),  # functions that carry their rule
    ("custom.derivatives", "custom.implicit"),
    ("custom",),
    ("testing", "interop", "optimizers"),
    ("rule_checks",),
    ("__init__",),
    ("demo",),
    ("__main__",),
)

# In these folders the files of one layer build on each other, without cycles; in all
# others a file knows nothing of its neighbours.
BUILDS_ON_NEIGHBOURS = ("frontend", "backend", "rules", "analysis", "passes.simplify")

# Lowering is one recursive walk in several files: an expression holds a call, a call
# inlines a body, a body holds expressions.
ONE_WALK = tuple(
    f"frontend.{name}"
    for name in (
        "assignment",
        "attributes",
        "branches",
        "blocks",
        "builtin_calls",
        "calls",
        "operator_calls",
        "user_calls",
        "carrying",
        "classes",
        "comprehensions",
        "expressions",
        "functions",
        "indexing",
        "iteration",
        "loops",
        "lower",
        "methods",
        "rule_calls",
        "settling",
        "stores",
        "ways",
    )
)


def module_name(file: Path) -> str:
    parts = file.relative_to(PACKAGE).with_suffix("").parts
    if len(parts) > 1 and parts[-1] == "__init__":
        parts = parts[:-1]
    return ".".join(parts)


MODULES = {module_name(file): file for file in sorted(PACKAGE.rglob("*.py"))}


def layer(module: str) -> int:
    for length in range(module.count(".") + 1, 0, -1):
        prefix = ".".join(module.split(".")[:length])
        for number, names in enumerate(LAYERS):
            if prefix in names:
                return number
    raise AssertionError(f"{module} stands in no layer: add it to LAYERS")


def imports(module: str) -> Iterator[tuple[str, int]]:
    """The modules of the package that a module imports, with the line, types left out."""
    tree = ast.parse(MODULES[module].read_text(encoding="utf-8"))
    for node in _run_time_nodes(tree):
        match node:
            case ast.Import(names):
                for alias in names:
                    yield from _ours(alias.name, None, node.lineno)
            case ast.ImportFrom(base, names, level):
                assert level == 0, f"{module}:{node.lineno}: write the import in full"
                for alias in names:
                    yield from _ours(base or "", alias.name, node.lineno)


def _neighbours(module: str) -> str:
    """The folder of a module, if its files build on each other."""
    return next((f for f in BUILDS_ON_NEIGHBOURS if module.startswith(f"{f}.")), "")


def _run_time_nodes(node: ast.AST) -> Iterator[ast.AST]:
    if isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING"):
        return
    yield node
    for child in ast.iter_child_nodes(node):
        yield from _run_time_nodes(child)


def _ours(base: str, name: str | None, line: int) -> Iterator[tuple[str, int]]:
    package, _, rest = base.partition(".")
    if package != PACKAGE.name:
        return
    inner = ".".join(part for part in (rest, name) if part)
    if inner in MODULES:
        yield inner, line
    else:
        yield rest or "__init__", line


@pytest.mark.parametrize("module", MODULES)
def test_imports_go_downwards(module: str) -> None:
    own = layer(module)
    for other, line in imports(module):
        same = layer(other) == own
        if same and _neighbours(module) and _neighbours(module) == _neighbours(other):
            continue
        # A folder's __init__ gathers what the folder has.
        if MODULES[module].name == "__init__.py" and other.startswith(f"{module}."):
            continue
        assert layer(other) < own, f"{module}:{line} imports {other}"


def test_no_cycles() -> None:
    done: set[str] = set()

    def visit(module: str, path: tuple[str, ...]) -> None:
        assert module not in path, " -> ".join((*path, module))
        if module not in done:
            for other, _ in imports(module):
                if not (module in ONE_WALK and other in ONE_WALK):
                    visit(other, (*path, module))
            done.add(module)

    for module in MODULES:
        visit(module, ())


def test_nothing_below_the_walk_imports_it() -> None:
    below: set[str] = set()

    def visit(module: str) -> None:
        if module not in below:
            below.add(module)
            for other, _ in imports(module):
                visit(other)

    for module in ONE_WALK:
        for other, _ in imports(module):
            if other not in ONE_WALK:
                visit(other)
    assert not below & set(ONE_WALK)


def test_layers_name_each_module_once() -> None:
    names = [name for names in LAYERS for name in names]
    assert len(names) == len(set(names))
