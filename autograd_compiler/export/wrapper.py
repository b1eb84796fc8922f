"""The public function of an exported module.

It has the signature of the user's function.  It refuses arguments that the code below it
was not written for, and gives results as the derivative object does.
"""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from autograd_compiler import contract, ir
from autograd_compiler.backend.flat import Recipe
from autograd_compiler.frontend.program import Argument
from autograd_compiler.names import Names, Namespace, adjoint_name
from autograd_compiler.pipeline import Lowered
from autograd_compiler.types import Array, DictOf, Dim, ListOf, Scalar, Type, Unknown


@dataclass(frozen=True)
class Contract:
    """What the caller of an exported function gives and gets.

    Attributes
    ----------
    signature
        That of the user's function.
    arguments
        What the code was compiled for.
    alone
        Whether one argument is selected, and its gradient is not in a tuple.
    """

    signature: inspect.Signature
    arguments: Mapping[str, Argument]
    alone: bool = True


class Wrapper:
    """Writes the public function around the generated one.

    Parameters
    ----------
    literal : callable
        The text of a constant: of a default, or of a value that code was compiled for.
    constants : sequence of str
        The names of what the primal captures, in the order of its parameters.
    recipe : Recipe or None
        How a function of leaves is called; None where containers are passed whole.
    """

    def __init__(
        self,
        lowered: Lowered,
        module: ir.Module,
        promised: Contract,
        name: str,
        namespace: Namespace,
        literal: Callable[[str, object], str],
        constants: tuple[str, ...],
        recipe: Recipe | None,
    ) -> None:
        self._lowered = lowered
        self._entry = module.entry
        self._promised = promised
        self._name = name
        self._spell = namespace.spell
        self._literal = literal
        self._constants = constants
        self._recipe = recipe
        self._mode = lowered.request.mode
        self._wrt = lowered.request.wrt
        self._names = Names({*promised.signature.parameters, *constants, name})
        self._sizes = self._names.fresh("sizes")

    def text(self, doc: str) -> str:
        """The function, its docstring first."""
        end = "\n" if "\n" in doc else ""
        lines = [f'"""{doc}{end}"""', *self._checks(), *self._call()]
        body = "\n".join(
            f"    {line}" if line else "" for part in lines for line in part.split("\n")
        )
        return f"def {self._name}({self._parameters()}):\n{body}"

    # ------------------------------------------------------------ the signature

    def _parameters(self) -> str:
        """The user's parameters and defaults; tangents are given by keyword."""
        found: list[str] = []
        rest: list[str] = []
        starred = False
        parameters = list(self._promised.signature.parameters.values())
        for position, parameter in enumerate(parameters):
            text = parameter.name
            if parameter.default is not parameter.empty:
                text += f"={self._literal(parameter.name, parameter.default)}"
            match parameter.kind:
                case parameter.VAR_POSITIONAL:
                    starred = True
                    text = f"*{text}"
                case parameter.KEYWORD_ONLY if not starred:
                    starred = True
                    found.append("*")
                case parameter.VAR_KEYWORD:
                    rest.append(f"**{text}")
                    continue
            found.append(text)
            following = parameters[position + 1 : position + 2]
            if parameter.kind is parameter.POSITIONAL_ONLY and not (
                following and following[0].kind is parameter.POSITIONAL_ONLY
            ):
                found.append("/")
        if self._tangents:
            found += ([] if starred else ["*"]) + list(self._tangents)
        return ", ".join([*found, *rest])

    @property
    def _tangents(self) -> tuple[str, ...]:
        if self._mode != "jvp":
            return ()
        params = self._lowered.module.entry.params[-len(self._wrt) :]
        return tuple(param.name for param in params)

    # ------------------------------------------------------------ arguments

    def _checks(self) -> Iterator[str]:
        arguments = dict(self._promised.arguments)
        for name, tangent in zip(self._wrt, self._tangents, strict=False):
            arguments[tangent] = self._selected(name)
        checks = [
            line
            for name, argument in arguments.items()
            for line in self._check(name, argument)
        ]
        if any(f", {self._sizes}" in line for line in checks):
            known = ", ".join(
                f"{key!r}: {size}"
                for key, size in self._known_sizes()
                if any(f"{key!r}" in line for line in checks)
            )
            yield f"{self._sizes} = {{{known}}}"
        yield from checks
        yield from self._apart()

    def _selected(self, name: str) -> Argument:
        """The argument of a name, or `args[2]` of the starred ones."""
        if not name.endswith("]"):
            return self._promised.arguments[name]
        starred, position = name[:-1].split("[")
        return self._promised.arguments[starred].items[int(position)]

    def _known_sizes(self) -> Iterator[tuple[str, int]]:
        """The sizes of what is written down: arguments of equal sizes rely on these."""
        seen = set()
        for param in self._lowered.primal.function.params:
            kind = param.tree.type if isinstance(param.tree, ir.Var) else None
            if param.name in self._promised.arguments or not isinstance(kind, Array):
                continue
            for dim in kind.dims:
                if dim and dim.symbol.startswith("n") and dim.now is not None:
                    if dim.symbol not in seen:
                        seen.add(dim.symbol)
                        yield dim.symbol, dim.now - dim.offset

    def _check(self, place: str, argument: Argument) -> Iterator[str]:
        if argument.form is not None:
            keys = argument.form.keys or tuple(range(len(argument.items)))
            if argument.form.kind == "record" and argument.form.cls is not None:
                check = self._spell(contract.check_class)
                cls = argument.form.cls.__qualname__
                yield f"{check}({place!r}, {place}, {cls!r})"
            if (found := _items(argument.form, keys)) is not None:
                check = self._spell(contract.check_items)
                yield f"{check}({place!r}, {place}, {self._literal(place, found)})"
            for key, item in zip(keys, argument.items, strict=True):
                yield from self._check(self._step(place, argument.form, key), item)
        elif argument.type is not None:
            yield from self._check_type(place, place, argument.type)
        else:
            fixed = self._literal(place, argument.fixed)
            check = self._spell(contract.check_fixed)
            yield f"{check}({place!r}, {place}, {fixed})"

    def _check_type(self, said: str, place: str, kind: Type) -> Iterator[str]:
        match kind:
            case Array(dtype, dims, contiguous):
                shape = repr(tuple(map(_size, dims)))
                given = f"{said!r}, {place}, {dtype!r}, {shape}, {self._sizes}"
                given += "" if contiguous or not dims else ", contiguous=False"
                yield f"{self._spell(contract.check_argument)}({given})"
            case Scalar(dtype):
                given = f"{said!r}, {place}, {dtype!r}, (), {self._sizes}"
                yield f"{self._spell(contract.check_argument)}({given})"
            case ListOf(item) | DictOf(item):
                values = f"{place}.values()" if isinstance(kind, DictOf) else place
                name = self._names.fresh("item")
                inside = list(self._check_type(f"{said}[...]", name, item))
                if inside:
                    yield f"for {name} in {values}:"
                    yield from (f"    {line}" for line in inside)

    def _step(self, place: str, form: ir.Form, key: object) -> str:
        if form.kind == "record":
            return f"{place}.{key}"
        return f"{place}[{self._literal(place, key)}]"

    def _apart(self) -> Iterator[str]:
        """Arguments that are written must not overlap with others."""
        primal = self._lowered.primal
        leaves = [
            (place, var)
            for name, argument in primal.arguments.items()
            for place, var in self._leaves(name, argument)
            if isinstance(var, ir.Var) and isinstance(var.type, (Array, Unknown))
        ]
        done: set[frozenset[str]] = set()
        for place, var in leaves if primal.written else ():
            for other, second in leaves:
                if var in primal.written and second is not var:
                    if frozenset((place, other)) not in done:
                        done.add(frozenset((place, other)))
                        check = self._spell(contract.check_apart)
                        yield f"{check}({place!r}, {place}, {other!r}, {other})"

    def _leaves(
        self, place: str, operand: ir.Operand
    ) -> Iterator[tuple[str, ir.Operand]]:
        """The leaves of a container, with the text that reads them."""
        if not isinstance(operand, ir.Pack):
            yield place, operand
            return
        keys = operand.form.keys or tuple(range(len(operand.items)))
        for key, item in zip(keys, operand.items, strict=True):
            yield from self._leaves(self._step(place, operand.form, key), item)

    # ------------------------------------------------------------ the call

    def _call(self) -> Iterator[str]:
        names = [*self._promised.arguments, *self._constants, *self._tangents]
        if self._recipe is not None:
            names = [
                place
                for name, tree in zip(names, self._recipe.params, strict=True)
                for place, leaf in self._leaves(name, tree)
                if isinstance(leaf, ir.Var)
            ]
        call = f"{self._entry.name}({', '.join(names)})"
        parts = self._parts()
        if self._recipe is None:
            target, values = _nested(parts), [name for name, _ in _flat(parts)]
        else:
            target, values = self._leaf_targets(parts)
        if len(values) == 1 and target == values[0]:
            values = [call]
        else:
            yield f"{target} = {call}"
        if self._mode == "jvp" and values[0].isidentifier():
            yield f"{values[0]} = {self._spell(contract.plain_value)}({values[0]})"
        yield f"return {self._returned(values)}"

    def _parts(self) -> _Parts:
        """The parts of the result, in the form in which the code returns them."""
        result = self._lowered.module.entry.body.results[0]
        if self._mode == "value":
            return (self._names.fresh("result"), result)
        has_aux = self._lowered.request.has_aux
        if self._mode == "jvp":
            assert isinstance(result, ir.Pack)
            named = ("value", "d_value", "aux")
            return [
                (self._names.fresh(name), item)
                for name, item in zip(named, result.items, strict=False)
            ]
        first: ir.Operand | None = None
        if self._mode == "value_and_grad":
            assert isinstance(result, ir.Pack)
            first, result = result.items
        elif has_aux:
            assert isinstance(result, ir.Pack)
            result, first = result.items
        gradient: _Parts
        names = [self._names.fresh(adjoint_name(_identifier(n))) for n in self._wrt]
        if len(names) == 1:
            gradient = (names[0], result)
        else:
            assert isinstance(result, ir.Pack)
            gradient = list(zip(names, result.items, strict=True))
        if first is None:
            return gradient
        if self._mode == "grad":
            return [gradient, (self._names.fresh("aux"), first)]
        name = self._names.fresh("value")
        if not has_aux:
            return [(name, first), gradient]
        assert isinstance(first, ir.Pack)
        value, aux = first.items
        return [[(name, value), (self._names.fresh("aux"), aux)], gradient]

    def _leaf_targets(self, parts: _Parts) -> tuple[str, list[str]]:
        """Names for all leaves of the result, and the text of each part in these."""
        targets: list[str] = []
        values: list[str] = []
        for name, operand in _flat(parts):
            if not isinstance(operand, ir.Pack):
                targets.append(name)
                values.append(name)
                continue
            values.append(self._packed(name, operand, targets))
        whole = self._lowered.module.entry.body.results[0]
        if not isinstance(whole, ir.Pack):
            return targets[0], values
        return f"{', '.join(targets)}{',' if len(targets) == 1 else ''}", values

    def _packed(self, name: str, operand: ir.Operand, targets: list[str]) -> str:
        if not isinstance(operand, ir.Pack):
            wanted = operand.name if isinstance(operand, ir.Var) else ""
            targets.append(self._names.fresh(wanted or f"{name}_part"))
            return targets[-1]
        texts = [self._packed(name, item, targets) for item in operand.items]
        form = operand.form
        if form.kind == "record":
            fields = zip(form.keys, texts, strict=True)
            given = ", ".join(f"{key}={text}" for key, text in fields)
            return f"{self._literal(name, form.cls)}({given})"
        if form.kind == "dict":
            keys = [self._literal(name, key) for key in form.keys]
            return f"{{{', '.join(map(': '.join, zip(keys, texts, strict=True)))}}}"
        if form.kind == "list":
            return f"[{', '.join(texts)}]"
        return f"({', '.join(texts)}{',' if len(texts) == 1 else ''})"

    def _returned(self, values: list[str]) -> str:
        """The results as the caller gets them."""
        has_aux = self._lowered.request.has_aux
        if self._mode == "value":
            taken = _tuple([*self._promised.arguments, *self._constants])
            return f"{self._spell(contract.independent)}({values[0]}, {taken})"
        if self._mode == "jvp":
            result, tangent, *more = values
            owned = f"{self._spell(contract.owned)}({tangent}, {result})"
            return ", ".join([result, owned, *more])
        value, aux = "", ""
        if self._mode == "value_and_grad":
            value = f"{self._spell(contract.as_float)}({values.pop(0)})"
            aux = values.pop(0) if has_aux else ""
        elif has_aux:
            aux = values.pop()
        gradients = list(map(self._owned, values, self._wrt))
        gradient = gradients[0] if self._promised.alone else _tuple(gradients)
        if value:
            first = f"({value}, {aux})" if has_aux else value
            return f"{first}, {gradient}"
        return f"{gradient}, {aux}" if has_aux else gradient

    def _owned(self, gradient: str, name: str) -> str:
        """A gradient in the form of the argument."""
        match self._selected(name).type:
            case Array():
                return f"{self._spell(contract.owned_array)}({gradient}, {name})"
            case Scalar("float64", weak=True):
                return f"float({gradient})"
        return f"{self._spell(contract.owned)}({gradient}, {name})"


# The parts of a result: a name and what it stands for, or a tuple of such.
_Parts = tuple[str, ir.Operand] | list["_Parts"]


def _flat(parts: _Parts) -> list[tuple[str, ir.Operand]]:
    if isinstance(parts, tuple):
        return [parts]
    return [found for part in parts for found in _flat(part)]


def _nested(parts: _Parts, outermost: bool = True) -> str:
    if isinstance(parts, tuple):
        return parts[0]
    texts = ", ".join(_nested(part, False) for part in parts)
    return texts if outermost else f"({texts})"


def _tuple(texts: list[str]) -> str:
    return f"({', '.join(texts)}{',' if len(texts) == 1 else ''})"


def _items(form: ir.Form, keys: Sequence[object]) -> list[object] | None:
    """The keys that `items_of` gives for a container; None of an object of a class."""
    cls = form.cls
    if form.kind != "record" or cls is not None and dataclasses.is_dataclass(cls):
        return list(keys)
    named = cls is not None and issubclass(cls, tuple)
    return list(range(len(keys))) if named else None


def _identifier(name: str) -> str:
    """`args_0` for `args[0]`."""
    return name.rstrip("]").replace("[", "_")


def _size(dim: Dim | None) -> object:
    """A number, the symbol of a size of an argument, or None."""
    if (
        dim is None
        or (dim.symbol and not dim.symbol.startswith("n"))
        or (dim.symbol and dim.offset)
    ):
        return None
    return dim.symbol or dim.offset
