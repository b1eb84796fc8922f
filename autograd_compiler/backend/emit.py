"""IR becomes readable Python.

Four questions are answered one after the other, each in a file of its own: what is part
of a larger expression (`folding`), which statements there are (`statements`), what the
variables are called (`naming`), and how it is all written down (here, with
`printer.Expressions`).
"""

from __future__ import annotations

import operator
from collections.abc import Iterable, Iterator

import black
import numpy as np

from autograd_compiler import ir
from autograd_compiler.backend.folding import fold
from autograd_compiler.backend.helpers import helper_sources, is_helper
from autograd_compiler.backend.naming import assign_names
from autograd_compiler.backend.statements import (
    Body,
    Branch,
    Break,
    Copy,
    Do,
    Loop,
    Repeat,
    Return,
    Scope,
    Statement,
    expanded,
    statements_of,
)
from autograd_compiler.backend.stores import spelling, whole_numbers
from autograd_compiler.names import Namespace
from autograd_compiler.printer import (
    BINARY,
    SUM,
    Expression,
    Expressions,
    has_operator,
)
from autograd_compiler.rules.registry import Unhashable
from autograd_compiler.types import Array, ListOf, Scalar, Type, dtype_of

_LINE = black.Mode().line_length
_COMMENT = 80
_AUGMENTED = ("+", "-", "*", "/")


def emit(module: ir.Module, over_items: bool = True) -> str:
    """The text of a module, formatted by black.

    `over_items` allows `for x in xs` where the IR counts.  It can be executed wherever NumPy is installed, given the objects that
    `required_objects` names; the same module always gives the same text.

    Examples
    --------
    >>> import operator
    >>> x, square = ir.Var("x"), ir.Var()
    >>> op = ir.Apply(ir.NOWHERE, (square,), operator.mul, (x, x))
    >>> body = ir.Block((op,), (square,))
    >>> function = ir.Function("f", (ir.Param("x", x),), body, ir.NOWHERE)
    >>> print(emit(ir.Module((function,))), end="")
    def f(x):
        return x * x
    """
    return emit_with_objects(module, over_items)[0]


def required_objects(module: ir.Module) -> dict[str, object]:
    """Objects that the text of a module uses and cannot import, by name.

    Classes of records, functions of the user that are called as they are, objects that
    have no literal.
    """
    _, namespace = _write(module)
    return _required(namespace)


def emit_with_objects(
    module: ir.Module, over_items: bool = True
) -> tuple[str, dict[str, object]]:
    """The text of a module, and the objects that it requires, at one go."""
    functions, namespace = _write(module, over_items)
    helpers = helper_sources(namespace.helpers, namespace)
    parts = ["\n".join(sorted(namespace.imports)), *helpers, *functions]
    text = "\n\n\n".join(part for part in parts if part)
    return formatted(text), _required(namespace)


def _required(namespace: Namespace) -> dict[str, object]:
    return {
        name: value.operator if isinstance(value, Unhashable) else value
        for name, value in namespace.required.items()
    }


def formatted(text: str) -> str:
    """The text as black would have it.

    Only where to break long lines has to be asked of black; all else is written so.
    """
    lines = text.splitlines()
    if any(len(line) > _LINE for line in lines):
        return black.format_str(text, mode=black.Mode())
    return f"{text}\n" if lines else ""


def _write(module: ir.Module, over_items: bool = True) -> tuple[list[str], Namespace]:
    """The text of each function, and the global names that they use."""
    avoid = {function.name for function in module.functions}
    # Parameters keep their names, so helpers must have others.
    params = {param.name for function in module.functions for param in function.params}
    taken = avoid | params
    while True:
        namespace = Namespace(taken, is_helper)
        texts: list[str] = []
        local: set[str] = set()
        for function in module.functions:
            body = statements_of(function, fold(function), over_items)
            names = assign_names(function, body, avoid)
            texts.append(_Writer(function, body, names, namespace).text())
            local.update(names.values())
        # Seldom: a variable hides a helper, or a parameter a builtin.
        hidden = (namespace.used & local) - avoid
        if not hidden:
            return texts, namespace
        avoid |= hidden


def _copies(statements: Iterable[Statement]) -> Iterator[Copy]:
    """Every copy among statements, and in the blocks that they hold."""
    for statement in statements:
        match statement:
            case Copy():
                yield statement
            case Branch(_, _, then, orelse):
                yield from _copies(then)
                yield from _copies(orelse)
            case Loop(_, body) | Repeat(_, _, body) | Scope(_, body):
                yield from _copies(body)


class _Writer:
    """Writes the statements of one function; a line is its text and its depth."""

    def __init__(
        self,
        function: ir.Function,
        body: Body,
        names: dict[ir.Var, str],
        namespace: Namespace,
    ) -> None:
        self._function = function
        self._body = body
        self._names = names
        self._numbers = whole_numbers(function)
        self._namespace = namespace
        self._write = Expressions(names.__getitem__, namespace, body.folded)

    def text(self) -> str:
        function = self._function
        params = ", ".join(self._names[var] for var in self._body.params)
        lines = [f"def {function.name}({params}):"]
        if function.doc:
            lines += [f"    {line}" for line in _docstring(function.doc).split("\n")]
        inside = self.block(self._body.statements)
        inside = [f"{name} = None" for name in self.unassigned()] + inside
        lines += [f"    {line}" if line else "" for line in inside]
        if not any(_is_code(line) for line in inside):
            lines.append("    pass")
        return "\n".join(lines)

    # ------------------------------------------------------------ blocks

    def block(
        self, statements: Iterable[Statement], holder: ir.Operation | None = None
    ) -> list[str]:
        """The lines of statements in order, adjoints under their comments.

        The comment of `holder`, whose block it is, already stands above.
        """
        lines: list[str] = []
        reversing = False
        shown = _comment(holder) if holder is not None else ""
        for statement in statements:
            written = [*self.statement(statement)]
            if not written:
                continue
            op = holder if isinstance(statement, Return) else statement.op
            if op is not None and op is not holder and op.adjoint:
                comment = _comment(op)
                if lines and not reversing:
                    lines.append("")
                reversing = True
                said = comment in (f"# {written[0]}", f"# el{written[0]}")
                if comment and comment != shown and not said:
                    lines.append(comment)
                shown = comment
            if reversing and lines and (listed := _listed(lines[-1], written)):
                lines[-1], written = listed, []
            lines += written
        return lines

    def inner(self, statements: Iterable[Statement], op: ir.Operation) -> list[str]:
        return [f"    {line}" if line else "" for line in self.block(statements, op)]

    def statement(self, statement: Statement) -> Iterator[str]:
        match statement:
            case Do(op):
                yield from self.simple(op)
            case Copy():
                yield from self.copy(statement)
            case Branch():
                yield from self.branch(statement)
            case Loop(op, body):
                yield f"for {self.head(statement)}:"
                yield from _or_pass(self.inner(body, op))
            case Repeat(op, cond, body):
                yield f"while {self._write.text(cond)}:"
                yield from _or_pass(self.inner(body, op))
            case Scope(op, body):
                yield f"with {self._write.text(op.context)}:"
                yield from _or_pass(self.inner(body, op))
            case Break():
                yield "break"
            case Return(value):
                yield f"return {self._write.bare(value)}"

    def head(self, loop: Loop) -> str:
        index = self._names[loop.op.index] if loop.used else "_"
        if loop.items is None:
            return f"{index} in {self.range(loop.op)}"
        read = loop.items.op
        assert isinstance(read, ir.Load)
        item, base = self._names[read.target], self._write.text(read.base)
        return (
            f"{index}, {item} in enumerate({base})"
            if loop.used
            else f"{item} in {base}"
        )

    def range(self, op: ir.For) -> str:
        parts = [op.start, op.stop, op.step]
        if _is_number(op.step, 1):
            parts.pop()
            if _is_number(op.start, 0):
                parts.pop(0)
        text = f"range({', '.join(map(self._write.text, parts))})"
        return f"reversed({text})" if op.reverse else text

    def branch(self, statement: Branch) -> Iterator[str]:
        then = self.inner(statement.then, statement.op)
        orelse = self.inner(statement.orelse, statement.op)
        if not any(map(_is_code, then)):
            if any(map(_is_code, orelse)):
                yield f"if {self._write.negation(statement.cond).text}:"
                yield from orelse
            return
        yield f"if {self._write.text(statement.cond)}:"
        yield from then
        if not any(map(_is_code, orelse)):
            return
        if _is_chain(orelse):
            yield f"el{orelse[0][4:]}"
            yield from (line[4:] for line in orelse[1:])
        else:
            yield "else:"
            yield from orelse

    # ------------------------------------------------------------ copies

    def unassigned(self) -> list[str]:
        """Names that are copied to others while they may have no value yet.

        What a loop carries may be unassigned at first.  That costs nothing, except
        where two names of it meet: `y_1 = y` must not fail, though nothing reads `y_1`
        then.  What a branch leaves unassigned is read under the same test only.
        """
        copies = list(_copies(self._body.statements))
        pairs = [
            (target, source)
            for copy in copies
            for target, source in copy.pairs
            if isinstance(source, ir.Var)
        ]
        maybe = {
            target
            for copy in copies
            if isinstance(copy.op, (ir.For, ir.While))
            for target in copy.undefined
        }
        size = -1
        while size != len(maybe):
            size = len(maybe)
            maybe.update(target for target, source in pairs if source in maybe)
        params = {self._names[var] for var in self._body.params}
        found = {
            self._names[source]
            for target, source in pairs
            if source in maybe
            and source in self._names
            and self._names[source] != self._names.get(target)
        }
        return sorted(found - params)

    def copy(self, statement: Copy) -> Iterator[str]:
        """Assignments with the meaning of `a, b = b, a`, one by one where that works."""
        waiting = [
            (self._names[target], target, source)
            for target, source in statement.pairs
            if self._write.text(source) != self._names[target]
        ]
        while waiting:
            for entry in waiting:
                others = (other[2] for other in waiting if other is not entry)
                if entry[0] not in self.names_in(others):
                    waiting.remove(entry)
                    yield from self.assignment(*entry)
                    break
            else:
                names = ", ".join(name for name, _, _ in waiting)
                values = ", ".join(self._write.text(source) for _, _, source in waiting)
                yield f"{names} = {values}"
                return

    def names_in(self, operands: Iterable[ir.Operand]) -> set[str]:
        return {
            self._names[var]
            for operand in operands
            for var in expanded(operand, self._body.folded)
        }

    def assignment(
        self, name: str, target: ir.Var, source: ir.Operand
    ) -> Iterator[str]:
        op = self._body.folded.get(source) if isinstance(source, ir.Var) else None
        if op is not None and (augmented := self.augmented(name, target, op)):
            yield augmented
        else:
            yield f"{name} = {self._write.bare(source)}"

    def augmented(self, name: str, target: ir.Var, op: ir.Operation) -> str:
        """`s += e` for `s = s + e`, of scalars only: arrays would change in place."""
        if not isinstance(op, ir.Apply) or not has_operator(op.fn) or len(op.args) != 2:
            return ""
        sign, _ = BINARY.get(op.fn, ("", 0))
        first, second = op.args
        if sign in ("+", "*") and self._write.text(second) == name:
            first, second = second, first
        if sign not in _AUGMENTED or not isinstance(first, ir.Var):
            return ""
        if not isinstance(target.type, Scalar) or not isinstance(first.type, Scalar):
            return ""
        if self._write.text(first) != name:
            return ""
        return f"{name} {sign}= {self._write.text(second)}"

    # ------------------------------------------------------------ simple statements

    def simple(self, op: ir.Operation) -> Iterator[str]:
        write = self._write
        match op:
            case ir.Apply(targets=()):
                yield write.operation(op).text
            case ir.Apply(targets=(target,)):
                name = self._names[target]
                augmented = self.augmented(name, target, op)
                yield augmented or f"{name} = {self.value(op)}"
            case ir.Load(target=target) | ir.If(targets=(target,)):
                yield f"{self._names[target]} = {self.value(op)}"
            case ir.Apply(targets=targets):
                yield f"{self.targets(targets)} = {self.value(op)}"
            case ir.Store():
                yield self.store(op)
            case ir.Append(target=target, value=value):
                yield f"{write.text(target)}.append({write.text(value)})"
            case ir.Pop(target=target, value=value):
                pop = f"{write.text(target)}.pop()"
                yield f"{self._names[value]} = {pop}" if self.is_read(value) else pop
            case ir.Effect():
                yield self.effect(op)
            case ir.Call(targets=targets, function=function, args=args):
                call = f"{function}({', '.join(map(write.text, args))})"
                yield f"{self.targets(targets)} = {call}" if targets else call

    def value(self, op: ir.Operation) -> str:
        return self._write.operation(op).text

    def is_read(self, var: ir.Var) -> bool:
        return var in self._body.read

    def targets(self, targets: tuple[ir.Var, ...]) -> str:
        names = [self._names[var] if self.is_read(var) else "_" for var in targets]
        return names[0] if len(names) == 1 else ", ".join(names)

    def effect(self, op: ir.Effect) -> str:
        match op.kind, op.args:
            case "assert", (cond, ir.Const(None)) | (cond,):
                return f"assert {self._write.text(cond)}"
            case "assert", (cond, message):
                return f"assert {self._write.text(cond)}, {self._write.text(message)}"
            case "raise", args:
                return " ".join(["raise", *map(self._write.text, args)])
        call = ir.Apply(op.span, (), op.fn, op.args, op.kwargs)
        return self._write.operation(call).text

    def store(self, op: ir.Store) -> str:
        write = self._write
        base = write.operand(op.target)
        value = write.text(op.value)
        kind = spelling(op, self._numbers)
        if kind == "scatter":
            last = op.path[-1]
            assert isinstance(last, ir.Index)
            owner = write.place(base, op.path[:-1]).text
            scatter = self._namespace.spell(np.add.at)
            return f"{scatter}({owner}, {write.text(last.index)}, {value})"
        place = self.place(op, base)
        if kind == "rebind":
            added = write.operand(op.value).at(SUM + 1)
            return f"{place} = {place} + {added}"
        if kind == "set":
            return self.updated(op, base) or f"{place} = {value}"
        negated = self.negated(op.value)
        if negated is not None:
            return f"{place} -= {write.text(negated)}"
        return f"{place} += {value}"

    def negated(self, value: ir.Operand) -> ir.Operand | None:
        """x, where the value is written `-x`."""
        op = self._body.folded.get(value) if isinstance(value, ir.Var) else None
        if not isinstance(op, ir.Apply) or op.fn is not operator.neg:
            return None
        # Minus True is a number, and unsigned numbers have no minus.
        return op.args[0] if _dtype_kind(op.target.type) in ("f", "c") else None

    def updated(self, op: ir.Store, base: Expression) -> str:
        """`a[i] *= e` for `a[i] = a[i] * e`, where it is sure to mean the same."""
        made = self._body.folded.get(op.value) if isinstance(op.value, ir.Var) else None
        if not isinstance(made, ir.Apply) or len(made.args) != 2 or made.kwargs:
            return ""
        sign, _ = BINARY.get(made.fn, ("", 0)) if has_operator(made.fn) else ("", 0)
        first, second = made.args
        if sign not in _AUGMENTED or not isinstance(first, ir.Var):
            return ""
        place = self._write.place(base, op.path).text
        if self._write.text(first) != place or not self._same_kind(op, made, second):
            return ""
        return f"{place} {sign}= {self._write.text(second)}"

    def _same_kind(self, op: ir.Store, made: ir.Apply, second: ir.Operand) -> bool:
        """Whether an update in place computes in the same type, element by element."""
        if not isinstance(op.base.type, Array):
            return False
        kept = dtype_of(made.target.type) == op.base.type.dtype
        alone = isinstance(second, ir.Const) or (
            isinstance(second, ir.Var) and isinstance(second.type, Scalar)
        )
        return kept and (alone or isinstance(made.target.type, Scalar))

    def place(self, op: ir.Store, base: Expression) -> str:
        """The left side of a store; the whole array is `x[...]`, or `x` before `+=`."""
        place = self._write.place(base, op.path)
        if op.path and not isinstance(op.path[-1], ir.View):
            return place.text
        if isinstance(op.base.type, Scalar):
            return place.text
        if isinstance(op.base.type, ListOf):
            return f"{place.text}[:]"
        named = not op.path and op.target not in self._body.folded
        return place.text if op.mode == "add" and named else f"{place.text}[...]"


def _listed(made: str, loop: list[str]) -> str:
    """`x = []` and a loop that only appends to it, as `x = [… for … in …]`."""
    name, equals, _ = made.partition(" = []")
    appends = f"    {name}.append("
    if not equals or made != f"{name} = []" or len(loop) != 2:
        return ""
    if not loop[0].startswith("for ") or not loop[1].startswith(appends):
        return ""
    return f"{name} = [{loop[1][len(appends):-1]} {loop[0][:-1]}]"


def _is_chain(lines: list[str]) -> bool:
    """Whether the lines of an else branch are one `if`: then they become an `elif`."""
    if not lines[0].startswith("    if "):
        return False
    outer = (line for line in lines[1:] if line and not line.startswith("     "))
    return all(line.startswith(("    elif ", "    else:")) for line in outer)


def _dtype_kind(kind: Type) -> str:
    dtype = dtype_of(kind)
    return np.dtype(dtype).kind if dtype is not None else ""


def _is_code(line: str) -> bool:
    return bool(line.strip()) and not line.lstrip().startswith("#")


def _or_pass(lines: list[str]) -> list[str]:
    return lines if any(map(_is_code, lines)) else [*lines, "    pass"]


def _is_number(operand: ir.Operand, number: int) -> bool:
    if not isinstance(operand, ir.Const) or type(operand.value) is not int:
        return False
    return operand.value == number


def _comment(op: ir.Operation) -> str:
    """The primal statement that an adjoint operation reverses, on one line."""
    text = " ".join(op.span.statement.split()) if op.adjoint else ""
    if len(text) > _COMMENT:
        text = f"{text[: _COMMENT - 3].rstrip()}..."
    return f"# {text}" if text else ""


def _docstring(text: str) -> str:
    if "\\" in text or '"""' in text or text.endswith('"'):
        return repr(text)
    return f'"""{text}"""'
