"""Which Python variable holds which value.

Two values may have one name if neither is needed any more when the other is assigned.
So: find what is live where, note which values are in each other's way, let the two
sides of a copy have the same name if they are not (the copy then disappears), and let
the versions of one user variable share its name.  What is left gets a number.

Values with different names of the user's never share one, even across a copy: `y = x`
stays as the user wrote it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from autograd_compiler import ir
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
    expanded_uses,
)
from autograd_compiler.names import Names, result_name
from autograd_compiler.printer import has_operator

# The variables that are live somewhere, in an order that does not change from run to
# run, as that of a set would.
Live = dict[ir.Var, None]


def assign_names(
    function: ir.Function, body: Body, avoid: Iterable[str]
) -> dict[ir.Var, str]:
    """A name for every variable of a function that is not written as an expression.

    Parameters
    ----------
    function : Function
    body : Body
        Its statements.
    avoid : iterable of str
        Names that mean something else in the module.
    """
    lives = _Lifetimes(body)
    classes = _Classes(lives)
    fixed = dict(
        zip(body.params, (param.name for param in function.params), strict=True)
    )
    for var, name in fixed.items():
        classes.names[classes.find(var)] = name
    # Copies between versions of one variable first, then those of temporaries, then
    # versions that no copy joins.
    for same in (True, False):
        for target, source in lives.copies:
            if same == (classes.name(target) == classes.name(source)):
                classes.join(target, source)
    hints = _hints(classes, lives.order, body.statements)
    _join_versions(classes, lives.order)
    return _spell(classes, lives.order, fixed, set(avoid), hints)


def _join_versions(classes: _Classes, order: Live) -> None:
    versions: dict[str, list[ir.Var]] = {}
    for var in order:
        name = classes.name(var)
        if not name:
            continue
        for other in versions.setdefault(name, []):
            if classes.join(other, var):
                break
        else:
            versions[name].append(var)


def _spell(
    classes: _Classes,
    order: Live,
    fixed: Mapping[ir.Var, str],
    avoid: set[str],
    hints: Mapping[ir.Var, str],
) -> dict[ir.Var, str]:
    names = Names(avoid, (classes.name(var) for var in order))
    spelled: dict[ir.Var, str] = {}
    for var, name in fixed.items():
        # Callers may name the argument; only what the module itself needs is stronger.
        usable = name.isidentifier() and name not in avoid and name not in _NEEDED
        spelled[classes.find(var)] = (
            names.reserve(name) if usable else names.fresh(name)
        )
    # The user's names first: no temporary may take one of them away.
    for named in (True, False):
        for var in order:
            root = classes.find(var)
            if root not in spelled and bool(classes.name(root)) is named:
                wanted = classes.name(root) or hints.get(root, "")
                spelled[root] = names.fresh(wanted or names.temporary)
    return {var: spelled[classes.find(var)] for var in order}


def _hints(
    classes: _Classes, order: Live, statements: Iterable[Statement]
) -> dict[ir.Var, str]:
    """What to call temporaries that a function gives: `exp_z` for `np.exp(z)`.

    A counter that the user did not name is `i`, or another letter if `i` is taken.
    """
    found: dict[ir.Var, str] = {}
    taken = {classes.name(var) for var in order}
    counter = next((name for name in ("i", "k", "place") if name not in taken), "")
    for op in _done(statements):
        match op:
            case ir.For(index=index) if not classes.name(index):
                classes.names[classes.find(index)] = counter
            case ir.Apply(
                targets=(target,), fn=fn, args=(first, *_)
            ) if not target.name:
                named = first.name if isinstance(first, ir.Var) else ""
                if not has_operator(fn) and (name := result_name(fn, named)):
                    found.setdefault(classes.find(target), name)
    return found


def _done(statements: Iterable[Statement]) -> Iterator[ir.Operation]:
    for statement in statements:
        match statement:
            case Do(op):
                yield op
            case Branch(_, _, then, orelse):
                yield from _done(then)
                yield from _done(orelse)
            case Loop(op, body):
                yield op
                yield from _done(body)
            case Repeat(body=body) | Scope(body=body):
                yield from _done(body)


# What the emitter writes without being asked to by an operation.
_NEEDED = frozenset(
    [
        "enumerate",
        "range",
        "reversed",
        "slice",
        "complex",
        "getattr",
        "bool",
        "np",
        "math",
        "cmath",
        "operator",
        "scipy",
        "_",
    ]
)


# ---------------------------------------------------------------- who is in whose way


class _Classes:
    """Variables that have one name: a union-find forest."""

    def __init__(self, lives: _Lifetimes) -> None:
        self._parent: dict[ir.Var, ir.Var] = {}
        self._members: dict[ir.Var, list[ir.Var]] = {}
        self._conflicts = lives.conflicts
        self.names: dict[ir.Var, str] = {}

    def find(self, var: ir.Var) -> ir.Var:
        parent = self._parent
        while (above := parent.get(var, var)) is not var:
            parent[var] = parent.get(above, above)
            var = above
        return var

    def name(self, var: ir.Var) -> str:
        root = self.find(var)
        return self.names.get(root, root.name)

    def members(self, root: ir.Var) -> list[ir.Var]:
        return self._members.get(root, [root])

    def join(self, first: ir.Var, second: ir.Var) -> bool:
        """Give two classes one name, if they can have it."""
        first, second = self.find(first), self.find(second)
        if first is second:
            return True
        name, other = self.name(first), self.name(second)
        if name and other and name != other:
            return False
        if self._conflict(first, second):
            return False
        self._parent[second] = first
        self._members[first] = self.members(first) + self.members(second)
        self.names[first] = name or other
        return True

    def _conflict(self, first: ir.Var, second: ir.Var) -> bool:
        smaller, larger = sorted(
            (self.members(first), self.members(second)), key=lambda found: len(found)
        )
        those = set(larger)
        return any(
            not those.isdisjoint(self._conflicts.get(var, ())) for var in smaller
        )


class _Lifetimes:
    """What is live together, and what copies would like to have one name.

    Works from the end of the statements to their beginning; a loop is gone through
    until what is live at its head no longer grows.

    Attributes
    ----------
    order
        All variables, in the order of the text.
    conflicts
        Variables that must not have the same name.
    copies
        The two sides of each copy.
    """

    def __init__(self, body: Body) -> None:
        self.order: Live = dict.fromkeys(body.params)
        self.conflicts: dict[ir.Var, set[ir.Var]] = {}
        self.copies: list[tuple[ir.Var, ir.Var]] = []
        self._folded = body.folded
        for var in _in_order(body.statements, body.folded):
            self.order[var] = None
        live = self._block(body.statements, {}, {})
        self._define(body.params, live | self._set(body.params))
        self._note_copies(body.statements)

    def _set(self, found: Iterable[ir.Var]) -> Live:
        return dict.fromkeys(found)

    def _reads(self, *operands: ir.Operand) -> Live:
        return self._set(
            var for operand in operands for var in expanded(operand, self._folded)
        )

    def _define(
        self, targets: Iterable[ir.Var], live: Live, source: ir.Operand | None = None
    ) -> None:
        """Targets get a value while others are live; their source has the same one."""
        for target in targets:
            conflicts = self.conflicts.setdefault(target, set())
            for var in live:
                if var is not target and var is not source:
                    conflicts.add(var)
                    self.conflicts.setdefault(var, set()).add(target)

    def _block(self, statements: Iterable[Statement], live: Live, exit: Live) -> Live:
        """What is live before the statements; `exit` is live where a break leads."""
        for statement in reversed(tuple(statements)):
            live = self._statement(statement, live, exit)
        return live

    def _statement(self, statement: Statement, live: Live, exit: Live) -> Live:
        match statement:
            case Do(op):
                return self._do(op, live)
            case Copy(_, pairs, undefined):
                targets = self._set(target for target, _ in pairs)
                live = _without(live, undefined)
                together = live | targets
                for target, source in pairs:
                    # In a swap the source gets another value in the same moment.
                    same = isinstance(source, ir.Var) and source not in targets
                    self._define((target,), together, source if same else None)
                return _without(live, targets) | self._reads(*(s for _, s in pairs))
            case Branch(_, cond, then, orelse):
                first = self._block(then, live, exit)
                second = self._block(orelse, live, exit)
                return first | second | self._reads(cond)
            case Scope(op, body):
                return self._block(body, live, exit) | self._reads(op.context)
            case Break():
                return dict(exit)
            case Return(value):
                return self._reads(value)
            case Loop(op, body, items=items):
                if items is not None:
                    body = (items, *body)
                head = self._loop(op.index, body, live, self._set(()))
                # The counter starts over in each iteration: it must not be the name of
                # something carried, however briefly that lives.
                self._define((op.index,), self._set(op.params) | head)
                return head | self._reads(op.start, op.stop, op.step)
            case Repeat(_, cond, body):
                return self._loop(None, body, live, self._reads(cond))

    def _loop(
        self,
        index: ir.Var | None,
        body: tuple[Statement, ...],
        after: Live,
        cond: Live,
    ) -> Live:
        head = after | cond
        while True:
            inside = self._block(body, head, after)
            if index is not None:
                self._define((index,), inside)
                inside = _without(inside, (index,))
            if inside.keys() <= head.keys():
                return head
            head = head | inside

    def _do(self, op: ir.Operation, live: Live) -> Live:
        match op:
            # The copy before a write has given the buffer its new name.
            case ir.Store(target=target, path=path, value=value):
                return live | self._reads(target, *ir.path_operands(path), value)
            case ir.Append(target=target, value=value):
                return live | self._reads(target, value)
            case ir.Pop(target=target, value=popped):
                self._define((popped,), live | self._reads(target))
                return _without(live, (popped,)) | self._reads(target)
        reads = self._set(expanded_uses(op, self._folded))
        found = ir.targets(op)
        self._define(found, live | self._set(found))
        return _without(live, found) | reads

    def _note_copies(self, statements: Iterable[Statement]) -> None:
        for statement in statements:
            match statement:
                case Copy(_, pairs):
                    for target, source in pairs:
                        if isinstance(source, ir.Var) and source not in self._folded:
                            self.copies.append((target, source))
                case Branch(_, _, then, orelse):
                    self._note_copies(then)
                    self._note_copies(orelse)
                case Loop(body=body) | Repeat(body=body) | Scope(body=body):
                    self._note_copies(body)


def _without(live: Live, gone: Iterable[ir.Var]) -> Live:
    left = dict(live)
    for var in gone:
        left.pop(var, None)
    return left


def _in_order(
    statements: Iterable[Statement], folded: Mapping[ir.Var, ir.Operation]
) -> Iterator[ir.Var]:
    """Every variable of the text, in its order."""
    for statement in statements:
        match statement:
            case Do(op):
                yield from (var for var in ir.targets(op) if var not in folded)
                yield from expanded_uses(op, folded)
            case Copy(_, pairs):
                for target, source in pairs:
                    yield target
                    yield from expanded(source, folded)
            case Branch(_, cond, then, orelse):
                yield from expanded(cond, folded)
                yield from _in_order(then, folded)
                yield from _in_order(orelse, folded)
            case Loop(op, body, items=items):
                yield op.index
                if items is not None:
                    yield from ir.targets(items.op)
                    yield from expanded_uses(items.op, folded)
                for operand in (op.start, op.stop, op.step):
                    yield from expanded(operand, folded)
                yield from _in_order(body, folded)
            case Repeat(_, cond, body):
                yield from expanded(cond, folded)
                yield from _in_order(body, folded)
            case Scope(op, body):
                yield from expanded(op.context, folded)
                yield from _in_order(body, folded)
            case Return(value):
                yield from expanded(value, folded)
