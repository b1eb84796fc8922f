"""The text of an exported module."""

from __future__ import annotations

import ast
import hashlib
import inspect
import sys
import textwrap
import types
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import black
import numpy as np

from autograd_compiler import ir
from autograd_compiler.backend.emit import emit_with_objects
from autograd_compiler.backend.flat import Recipe
from autograd_compiler.backend.helpers import helper_sources, is_helper
from autograd_compiler.backend.numba import decorate
from autograd_compiler.errors import ExportError, NonFiniteError
from autograd_compiler.export.wrapper import Contract, Wrapper
from autograd_compiler.frontend.source import unparse
from autograd_compiler.names import Names, Namespace
from autograd_compiler.pipeline import Lowered, legal_module
from autograd_compiler.printer import Expressions
from autograd_compiler.version import __version__

MAX_CONSTANT = 1000  # elements of an array that is written down

# Lines of the header by which a stale file is told from a current one.
WRITTEN_BY = "written by autograd_compiler "
SOURCES = "The source of these was read (with its hash):"


def module_text(
    lowered: Lowered, promised: Contract, again: str, name: str = ""
) -> str:
    """The text of a module with a derivative as its one public function.

    Parameters
    ----------
    lowered : Lowered
        The derivative.
    promised : Contract
        Its signature, and the arguments that it was lowered for.
    again : str
        How the text is written anew: a command, or a call.
    name : str
        What the function is called; by default `loss_grad` and the like.

    Raises
    ------
    ExportError
        If the text needs something that it can neither write down nor import.
    """
    lowered = replace(lowered, module=_without_records(lowered), _compiled=None)
    name = name or lowered.module.entry.name
    if not name.isidentifier():
        raise ExportError(f"{name!r} is no name for a function")
    doc = _doc(lowered)
    generated, module, recipe = _generated(lowered, name)
    imports, body = _split(generated[0])
    functions = _defined(body)
    avoid = {*functions, *promised.signature.parameters, name}
    namespace = Namespace(avoid | _imported(imports), _of_this_package)
    writer = _Constants(namespace)
    for needed, value in generated[1].items():
        writer.importing(needed, value)
    constants = writer.captures(lowered, avoid | set(namespace.required))
    arguments = (namespace, writer.text, tuple(constants), recipe)
    wrapper = Wrapper(lowered, module, promised, name, *arguments).text(doc)
    helpers = helper_sources(dict(namespace.helpers), namespace)
    imports = sorted({*imports, *namespace.imports, *writer.imports})
    told = "\n".join(f"{key} = {text}" for key, text in constants.items())
    if told:
        told = f"# What the function reads from outside, as it is now.\n{told}"
    head = _header(doc, again, lowered)
    parts = [head, "\n".join(imports), told, *writer.classes, *helpers, body, wrapper]
    text = "\n\n\n".join(part for part in parts if part)
    return black.format_str(text, mode=black.Mode(magic_trailing_comma=False))


# ---------------------------------------------------------------- the generated part


def _without_records(lowered: Lowered) -> ir.Module:
    """The module without classes of the user in gradients, and with zeros for None.

    The public function builds a gradient like the argument, whose class is at hand.
    """
    entry = lowered.module.entry
    result, *rest = entry.body.results
    mode, has_aux = lowered.request.mode, lowered.request.has_aux
    if mode == "value_and_grad" or mode == "jvp":
        assert isinstance(result, ir.Pack)
        first, gradient, *aux = result.items
        result = ir.Pack((first, _plain(gradient), *aux), result.form)
    elif mode == "grad" and has_aux:
        assert isinstance(result, ir.Pack)
        gradient, aux_value = result.items
        result = ir.Pack((_plain(gradient), aux_value), result.form)
    elif mode == "grad":
        result = _plain(result)
    entry = replace(entry, body=ir.Block(entry.body.ops, (result, *rest)))
    return ir.Module((*lowered.module.functions[:-1], entry))


def _plain(operand: ir.Operand) -> ir.Operand:
    if isinstance(operand, ir.Const) and operand.value is None:
        return ir.Const(0.0)
    if not isinstance(operand, ir.Pack):
        return operand
    items = tuple(map(_plain, operand.items))
    form = operand.form
    if form.kind == "record":
        named = form.cls is not None and issubclass(form.cls, tuple)
        form = ir.TUPLE if named else ir.Form("dict", form.keys)
    return ir.Pack(items, form)


def _generated(
    lowered: Lowered, name: str
) -> tuple[tuple[str, dict[str, object]], ir.Module, Recipe | None]:
    """The text of the derivative and the objects that it needs; it is private here."""
    functions = lowered.module.functions
    taken = {function.name for function in functions}
    entry = replace(functions[-1], name=Names({name, *taken}).fresh(f"_{name}"), doc="")
    module = ir.Module((*functions[:-1], entry))
    if lowered.request.backend != "numba":
        return emit_with_objects(module), module, None
    fastmath = lowered.request.fastmath
    legal, recipe = legal_module(module, fastmath)
    text, objects = emit_with_objects(legal, over_items=False)
    decorated = decorate(text, fastmath=fastmath)
    return (decorated, objects), legal, recipe


def _split(text: str) -> tuple[list[str], str]:
    """The import statements at the head of a text, and the rest."""
    lines = text.splitlines()
    count = 0
    for node in ast.parse(text).body:
        if not isinstance(node, (ast.Import, ast.ImportFrom)):
            break
        count = node.end_lineno or count
    imports = [line for line in lines[:count] if line]
    return imports, "\n".join(lines[count:]).strip("\n")


def _defined(text: str) -> set[str]:
    body = ast.parse(text).body
    return {node.name for node in body if isinstance(node, ast.FunctionDef)}


def _imported(imports: list[str]) -> set[str]:
    return {line.split()[-1].partition(".")[0] for line in imports}


def _of_this_package(value: Any) -> bool:
    """Whether a function's source is written out; the user's are imported."""
    module = getattr(value, "__module__", None) or ""
    return module.startswith("autograd_compiler.") and is_helper(value)


# ---------------------------------------------------------------- constants


_ERROR = '''\
class {name}(FloatingPointError):
    """A NaN or an infinity, found by a check."""'''


class _Constants:
    """Writes down what the code needs from outside: as literals and imports."""

    def __init__(self, namespace: Namespace) -> None:
        self.imports: set[str] = set()
        self.classes: list[str] = []
        self._namespace = namespace
        self._write = Expressions(lambda var: var.name, namespace, {})

    def text(self, name: str, value: object) -> str:
        """The text of a value, which belongs to the name."""
        if isinstance(value, np.ndarray) and type(value) is np.ndarray:
            return self._array(name, value)
        known = set(self._namespace.required)
        written = self._write.constant(value).text
        for needed in set(self._namespace.required) - known:
            self.importing(needed, self._namespace.required[needed], name)
        return written

    def _array(self, name: str, value: np.ndarray[Any, Any]) -> str:
        if value.dtype.kind not in "biufc" or value.dtype.itemsize > 16:
            raise ExportError(
                f"`{name}` is an array of {value.dtype}: it has no literal"
            )
        if value.size > MAX_CONSTANT:
            raise ExportError(
                f"`{name}` is an array of {value.size} numbers, which is too many to be "
                "written into a module; pass it as an argument"
            )
        dtype = self._namespace.spell(value.dtype.type)
        numpy = self._namespace.module("numpy")
        items = self._write.constant(value.tolist()).text
        made = f"{numpy}.array({items}, dtype={dtype})"
        return made if value.size else f"{made}.reshape({value.shape})"

    def importing(self, name: str, value: Any, owner: str = "") -> None:
        """Import an object from where it is defined, or refuse."""
        if value is NonFiniteError:
            self.classes.append(_ERROR.format(name=name))
            return
        said = f"`{owner or name}`"
        module = getattr(value, "__module__", None) or ""
        qualname = getattr(value, "__qualname__", "")
        found: Any = sys.modules.get(module)
        if found is None or module == "__main__" or not qualname.isidentifier():
            raise ExportError(
                f"{said} cannot be exported: {_described(value)} has neither a literal "
                "nor a place in a module to import it from; pass it as an argument, or "
                "define it in a module"
            )
        if getattr(found, qualname, None) is not value:
            raise ExportError(
                f"{said} cannot be exported: `{module}.{qualname}` is something else"
            )
        if _needs_this_package(found):
            raise ExportError(
                f"{said} cannot be exported: it would be imported from `{module}`, which "
                "itself imports autograd_compiler; define it in a module that does not"
            )
        renamed = "" if name == qualname else f" as {name}"
        self.imports.add(f"from {module} import {qualname}{renamed}")

    def captures(self, lowered: Lowered, avoid: set[str]) -> dict[str, str]:
        """What the primal reads from outside at each call, as it is now."""
        primal = lowered.primal
        names = Names(avoid)
        params = primal.function.params[len(primal.arguments) :]
        found: dict[str, str] = {}
        for param, capture in zip(params, primal.captures, strict=True):
            value = capture.fetch()
            # Without a number an object cannot be told from another of its class.
            found[names.fresh(param.name)] = self.text(capture.name, value)
        return found


def _described(value: Any) -> str:
    name = getattr(value, "__qualname__", None)
    return f"`{name}`" if name else f"an object of {type(value).__qualname__}"


def _needs_this_package(module: types.ModuleType) -> bool:
    for value in tuple(vars(module).values()):
        owner = value.__name__ if isinstance(value, types.ModuleType) else None
        owner = owner or getattr(value, "__module__", None) or type(value).__module__
        for found in (owner, type(value).__module__):
            if (
                isinstance(found, str)
                and found.partition(".")[0] == "autograd_compiler"
            ):
                return True
    return False


# ---------------------------------------------------------------- the header


def _doc(lowered: Lowered) -> str:
    title, *rest = (lowered.module.entry.doc or lowered.module.entry.name).split("\n\n")
    if lowered.request.wrt:
        title = f"{title.rstrip('.')} in {', '.join(lowered.request.wrt)}."
    return "\n\n".join([title, *rest]).rstrip().replace("\\", "\\\\")


def _header(doc: str, again: str, lowered: Lowered) -> str:
    title = doc.split("\n")[0]
    sources = dict(sorted(_sources(lowered)))
    width = max(map(len, sources))
    listed = [f"    {label:{width}} {digest}" for label, digest in sources.items()]
    lines = [
        f'"""{title}',
        "",
        f"This file is {WRITTEN_BY}{__version__}; changes are lost when it is written anew:",
        "",
        textwrap.indent(again.replace("\\", "\\\\").replace('"""', r"\"\"\""), "    "),
        "",
        SOURCES,
        "",
        *listed,
        '"""',
    ]
    return "\n".join(lines)


def _sources(lowered: Lowered) -> Iterator[tuple[str, str]]:
    """The names of what the program is made of, each with a hash of its source."""
    primal = lowered.primal.source
    text = _source_of(primal.function) or unparse(primal.node)
    yield _label(primal.function), _digest(text)
    found: Mapping[int, Any] = {id(value): value for _, value in lowered.primal.guards}
    for value in found.values():
        while hasattr(value, "__autograd_compiler_call__") and hasattr(value, "primal"):
            value = value.primal
        if not isinstance(value, (types.FunctionType, type)) or _is_library(value):
            continue
        source = _source_of(value)
        if source:
            yield _label(value), _digest(source)


def _is_library(value: Any) -> bool:
    top = (getattr(value, "__module__", None) or "").partition(".")[0]
    libraries = ("numpy", "scipy", "numba", "autograd_compiler", "builtins")
    return top in libraries or top in sys.stdlib_module_names and top != "__main__"


def _label(value: Any) -> str:
    return f"{value.__module__}.{value.__qualname__}"


def _source_of(value: Any) -> str:
    try:
        return textwrap.dedent(inspect.getsource(value))
    except (OSError, TypeError):
        return ""


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]
