"""The user's functions as functions of the generated module, instead of inlined.

A callee is lowered once per kind of arguments and called by an `ir.Call` whose
arguments and results are leaves: containers are taken apart by the caller and put
together again.  What the callee captures from outside becomes trailing parameters,
which every caller passes on from its own captures.

Note [Recursion].  The result of a recursive call has a type before it is known.  In
the first round such a call has no value, and the code behind it is dead: that leaves
the base case.  In each further round it has the type that the round before ended
with, until nothing changes.  Functions that call each other settle together: what was
lowered on an assumption is lowered again when the assumption changes.

Note [Nested results].  A recursive function may return a tuple that holds the same tuple
of the call before: what it keeps for its reverse sweep is such a tuple, and derivatives
are differentiated again.  Taken apart, it would never end.  So if a result cannot be
taken apart, the tuples in it are passed whole, with a type that may refer to itself.

Functions are inlined wherever a call would change what they mean: if they write into
their arguments, if arguments or results are containers that can change, functions, or
objects, or if a result may be one of the arguments.
"""

from __future__ import annotations

import ast
import functools
import types
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, TypeAlias

from autograd_compiler import ir, runtime
from autograd_compiler.analysis.effects import changes_state
from autograd_compiler.checkpointing import is_checkpoint
from autograd_compiler.errors import (
    AutogradCompilerError,
    MutationError,
    UnsupportedError,
)
from autograd_compiler.frontend import calls, names, results, user_calls
from autograd_compiler.frontend import lower as lowering_module
from autograd_compiler.frontend.passing import Passing, is_number
from autograd_compiler.frontend.resolve import local_names
from autograd_compiler.frontend.results import Container, Inline, Leaf, Result
from autograd_compiler.frontend.rule_calls import is_open
from autograd_compiler.frontend.source import FunctionSource, span_of
from autograd_compiler.frontend.values import (
    Capture,
    Frame,
    NoResultYet,
    Ref,
    Value,
)
from autograd_compiler.names import RESERVED, Names
from autograd_compiler.operands import type_of_operand
from autograd_compiler.types import (
    MEMORY,
    Array,
    Bottom,
    Nested,
    Opaque,
    Scalar,
    Type,
    join,
    type_of,
)

if TYPE_CHECKING:
    from autograd_compiler.frontend.lower import Lowering


MAX_ROUNDS = 6
# A recursion that is specialised anew at each level would never end.
MAX_VERSIONS = 8

Key: TypeAlias = tuple[Any, ...]
Source: TypeAlias = tuple[FunctionSource, ast.FunctionDef]


# Helpers keep their names in generated code, next to the functions of the user.
_TAKEN = RESERVED | {
    name
    for name, value in vars(runtime).items()
    if isinstance(value, types.FunctionType)
}


# ---------------------------------------------------------------- callees


@dataclass(eq=False)
class Callee:
    """A function of the generated module.

    Attributes
    ----------
    captures
        Where the trailing parameters come from, by the key of the capture.
    result
        The structure of what it returns; None while that is not known at all.
    shared
        For each leaf of the result, the positions of the parameters whose memory it
        may share; captures are counted as parameters.
    """

    name: str
    params: tuple[ir.Var, ...] = ()
    captures: dict[Any, tuple[Capture, ir.Var]] = field(default_factory=dict)
    guards: dict[Any, tuple[Capture, Any]] = field(default_factory=dict)
    result: Result | None = None
    shared: tuple[frozenset[int], ...] = ()
    body: ir.Block = ir.Block(())
    span: ir.Span = ir.NOWHERE
    doc: str = ""
    shares: dict[ir.Var, tuple[ir.Var, ...]] = field(default_factory=dict)
    # Tuples in the result that are passed whole, by their place in it; see Note
    # [Nested results].  None where results are taken apart.
    nested: dict[tuple[int, ...], Nested] | None = None
    # The place on the stack of the outermost function that this one's types wait for.
    lowest: int | None = None
    called: bool = False  # while it was being lowered
    checkpoint: bool = False

    @property
    def function(self) -> ir.Function:
        taken = Names()
        params = [*self.params, *(var for _, var in self.captures.values())]
        named = tuple(ir.Param(taken.fresh(var.name), var) for var in params)
        return ir.Function(
            self.name, named, self.body, self.span, self.doc, self.checkpoint
        )


class Program:
    """The functions that one entry calls, directly or not.

    Parameters
    ----------
    recursion
        Whether recursive functions may be called; if not, recursion is inlined as far
        as it is known to go.
    fixed_sizes
        Sizes of arrays that are known as numbers: Note [Fixed sizes] in `types.py`.
    """

    def __init__(
        self, recursion: bool = True, fixed_sizes: Collection[int] = ()
    ) -> None:
        self.fixed_sizes = frozenset(fixed_sizes)
        self._recursion = recursion
        self._known: dict[Key, Callee | None] = {}
        self._stack: list[tuple[Key, Callee]] = []
        # Done, but on an assumption about a function further out; with their places.
        self._waiting: list[tuple[int, Key, Callee]] = []
        self._named: dict[str, Key] = {}
        self._edges: dict[types.FunctionType, tuple[types.FunctionType, ...]] = {}
        self._finished: list[Callee] = []
        # Why a recursive function could not be called.
        self.failure: AutogradCompilerError | None = None

    @property
    def callees(self) -> tuple[Callee, ...]:
        return tuple(self._finished)

    # ------------------------------------------------------------ calling

    def call(
        self,
        low: Lowering,
        fn: types.FunctionType,
        source: Source,
        args: tuple[Value, ...],
        kwargs: dict[str, Value],
        node: ast.AST,
    ) -> Value | None:
        """The value of a call, or None for a function that is to be inlined."""
        recursive = self.is_recursive(fn)
        known = not any(map(is_open, (*args, *kwargs.values())))
        again = is_checkpoint(fn) and known and not recursive
        if low.in_rule or recursive and not self._recursion:
            return None
        inlined = low.depth == 0 or _is_short(source[0].node)
        if not recursive and not again and inlined:
            return None
        defaults = user_calls.defaults_of(low, source[0], node)
        bound = user_calls.bind(low, source[1], defaults, args, kwargs, node)
        passing = Passing(low, recursive)
        try:
            described = tuple(
                (name, passing.describe(value, name)) for name, value in bound.items()
            )
        except Inline:
            return self._not_again(low, fn, node) if again else None
        key = (fn, recursive, described)
        callee = self._callee(key, source, bound, passing, recursive)
        if callee is None:
            return self._not_again(low, fn, node) if again else None
        if again:
            self._check_same_each_time(low, callee, node)
            callee.checkpoint = True
        return self._emit(low, callee, passing, node)

    @staticmethod
    def _not_again(low: Lowering, fn: types.FunctionType, node: ast.AST) -> None:
        raise low.refuse(
            node,
            f"`{fn.__name__}` cannot be a checkpoint here",
            "let it take and give numbers, arrays and tuples of them, and write none of "
            "its arguments; or take `checkpoint` away",
        )

    @staticmethod
    def _check_same_each_time(low: Lowering, callee: Callee, node: ast.AST) -> None:
        for op in ir.walk(callee.body):
            if isinstance(op, ir.Apply) and changes_state(op):
                raise low.refuse(
                    node,
                    f"`{callee.name}` may give another result when it is run again, and "
                    "is a checkpoint",
                    "draw random numbers outside of it, and pass them",
                )

    def is_recursive(self, fn: types.FunctionType) -> bool:
        """Whether a function may come to call itself, as far as names tell."""
        seen: set[types.FunctionType] = set()
        waiting = [*self._callees_of(fn)]
        while waiting:
            found = waiting.pop()
            if found is fn:
                return True
            if found not in seen:
                seen.add(found)
                waiting.extend(self._callees_of(found))
        return False

    def _callees_of(self, fn: types.FunctionType) -> tuple[types.FunctionType, ...]:
        if fn not in self._edges:
            self._edges[fn] = tuple(_functions_named_in(fn))
        return self._edges[fn]

    # ------------------------------------------------------------ lowering

    def _callee(
        self,
        key: Key,
        source: Source,
        bound: dict[str, Value],
        passing: Passing,
        recursive: bool,
    ) -> Callee | None:
        for position, (other, pending) in enumerate(self._stack):
            if other == key:
                self._wait_for(position)
                pending.called = True
                return pending
        if key in self._known:
            found = self._known[key]
            if found is not None and found.lowest is not None:
                self._wait_for(found.lowest)
            return found
        versions = sum(1 for other, _ in self._stack if other[0] is key[0])
        if versions >= MAX_VERSIONS:
            return None
        callee = Callee("")
        self._stack.append((key, callee))
        try:
            callee.name = self._name(source[0].name, key)
            try:
                done = self._settle(callee, source, bound, passing)
            except (Inline, UnsupportedError):
                if not callee.called:
                    raise
                self._forget(len(self._stack) - 1)
                callee = Callee(callee.name, nested={})
                self._stack[-1] = (key, callee)
                done = self._settle(callee, source, bound, passing)
        except Inline as reason:
            done = False
            if recursive and callee.called and self.failure is None:
                self.failure = UnsupportedError(
                    f"`{source[0].name}` calls itself and cannot be compiled: {reason}",
                    span_of(source[0].node, source[0].filename),
                    "make it a function of numbers, arrays and tuples of them, which "
                    "has a case without recursion",
                )
        except AutogradCompilerError as error:
            done = False
            if recursive and callee.called and self.failure is None:
                self.failure = error
        finally:
            self._stack.pop()
        if not done:
            self._forget(len(self._stack))
            self._named.pop(callee.name, None)
            self._known[key] = None
            return None
        self._finish(key, callee)
        return callee

    def _wait_for(self, position: int) -> None:
        for _, pending in self._stack[position:]:
            if pending.lowest is None or position < pending.lowest:
                pending.lowest = position

    def _forget(self, position: int) -> None:
        """Drop what was lowered on assumptions inside of a function on the stack."""
        for place, key, _ in self._waiting:
            if place > position:
                self._known.pop(key, None)
        self._waiting = [entry for entry in self._waiting if entry[0] <= position]

    def _name(self, wanted: str, key: Key) -> str:
        wanted = wanted if wanted.isidentifier() else "function"
        name, number = wanted, 0
        while name in _TAKEN or self._named.setdefault(name, key) != key:
            number += 1
            name = f"{wanted}_{number}"
        return name

    def _settle(
        self, callee: Callee, source: Source, bound: dict[str, Value], passing: Passing
    ) -> bool:
        """Lower until the assumed result is the result; whether a call can be made."""
        nested: list[tuple[Type, ...]] = []
        for _ in range(MAX_ROUNDS):
            assumed = callee.result
            self._forget(len(self._stack) - 1)
            low, found, tree = self._lower(callee, source, bound, passing)
            result = found if assumed is None else results.joined(assumed, found)
            settled = assumed is not None and results.same(assumed, result)
            inside = [item.items for item in (callee.nested or {}).values()]
            settled, nested = settled and inside == nested, inside
            if not callee.called or settled:
                callee.result = result
                return self._complete(callee, low, tree, passing)
            callee.result = result
        return False

    def _complete(
        self, callee: Callee, low: Lowering, tree: ir.Operand, passing: Passing
    ) -> bool:
        assert callee.result is not None
        leaves = [*results.operands(callee.result, tree)]
        callee.shared = tuple(_shared(low, callee, leaf) for leaf in leaves)
        if not leaves or not passing.recursive and any(callee.shared):
            return False  # a view, whose writes the caller must see
        returned = leaves[0] if len(leaves) == 1 else ir.Pack(tuple(leaves))
        callee.body = ir.Block(tuple(low.builder.ops), (returned,))
        callee.shares = low.builder.shares
        return True

    def _lower(
        self, callee: Callee, source: Source, bound: dict[str, Value], passing: Passing
    ) -> tuple[Lowering, Result, ir.Operand]:
        found, definition = source
        low = lowering_module.Lowering(program=self)
        low.filename = found.filename
        params: list[ir.Var] = []
        inside = {
            name: passing.inside(low, value, name, params)
            for name, value in bound.items()
        }
        cells = dict(low.state.cells)
        for var in params:
            low.learn_sizes(var.type)
        frame = Frame(
            inside,
            found.globals,
            found.closure,
            found.filename,
            frozenset(local_names(definition)),
            first=user_calls.first_parameter(definition),
        )
        span = span_of(found.node, found.filename)
        low.builder.span = span
        try:
            value = lowering_module.lower_body(low, definition, inside, frame)
        except NoResultYet:
            raise Inline("it has no case without recursion") from None
        if low.state.dead:
            raise Inline("it never returns")
        if any(low.state.cells.get(cell) is not items for cell, items in cells.items()):
            raise self._written(callee, span, "a list or dict that is an argument")
        for origin, place in low.mutated.items():
            if origin in params:
                raise self._written(callee, place, f"`{origin.name}`")
        callee.params = tuple(params)
        callee.captures, callee.guards = low.captures, low.guards
        callee.span, callee.doc = span, _first_line(found.function)
        returned = low.read(value)
        if callee.nested is not None and isinstance(returned, ir.Pack):
            items = tuple(
                _kept_whole(low, low.read(item), (k,), callee.nested)
                for k, item in enumerate(returned.items)
            )
            returned = ir.Pack(items, returned.form)
        result, tree = self._result(low, returned, set(cells), passing)
        return low, result, tree

    def _written(self, callee: Callee, span: ir.Span, what: str) -> MutationError:
        return MutationError(
            f"{what} is written by a recursive function",
            span,
            "work on a copy, and return it",
        )

    def _result(
        self, low: Lowering, value: Value, given: set[int], passing: Passing
    ) -> tuple[Result, ir.Operand]:
        """The structure of a result, and what stands in its places."""
        match value:
            case ir.Var(type=kind):
                passable = isinstance(kind, (Array, Scalar))
                if passing.recursive:
                    passable = not isinstance(kind, (Bottom, Opaque))
                if not passable:
                    raise Inline("its result is no number or array")
                return Leaf(passing.known_outside(kind)), value
            case ir.Const(constant):
                if passing.recursive and is_number(constant):
                    return Leaf(results.without_sizes(type_of_operand(value))), value
                return value, value
            case ir.Pack(items, form):
                if form.kind != "tuple" and not passing.recursive:
                    raise Inline("its result is a container that can change")
                return self._container(low, form, items, given, passing, False)
            case Ref(cell) if passing.recursive and cell not in given:
                content = low.content(value)
                if isinstance(content, ir.Var):
                    return self._result(low, content, given, passing)
                return self._container(
                    low, content.form, content.items, given, passing, True
                )
        raise Inline("its result is a function, an object, or its argument")

    def _container(
        self,
        low: Lowering,
        form: ir.Form,
        items: tuple[Value, ...],
        given: set[int],
        passing: Passing,
        fresh: bool,
    ) -> tuple[Result, ir.Operand]:
        pairs = [self._result(low, low.read(item), given, passing) for item in items]
        return (
            Container(form, tuple(result for result, _ in pairs), fresh),
            ir.Pack(tuple(tree for _, tree in pairs), form),
        )

    def _finish(self, key: Key, callee: Callee) -> None:
        """Complete a function, and all that waited for it."""
        self._known[key] = callee
        position = len(self._stack)
        if callee.lowest is not None and callee.lowest < position:
            for place, _, other in self._waiting:
                if place > position and other.lowest is not None:
                    other.lowest = min(other.lowest, callee.lowest)
            self._waiting.append((position, key, callee))
            return
        members = [other for place, _, other in self._waiting if place > position]
        self._waiting = [entry for entry in self._waiting if entry[0] <= position]
        members.append(callee)
        if callee.lowest is not None:
            _share_captures(members)
        for member in members:
            member.lowest = None
            self._finished.append(member)

    # ------------------------------------------------------------ the call itself

    def _emit(
        self, low: Lowering, callee: Callee, passing: Passing, node: ast.AST
    ) -> Value:
        if callee.result is None:
            raise NoResultYet
        low.guards.update(callee.guards)
        builder = low.builder
        targets = tuple(
            ir.Var("", builder._sized(passing.outside(leaf.type)))
            for leaf in results.leaves(callee.result)
        )
        args = list(passing.args)
        pending = callee.lowest is not None
        if not pending:
            args += [
                _captured(low, key, capture, var)
                for key, (capture, var) in callee.captures.items()
            ]
        builder.append(
            ir.Call(
                builder.span, targets, callee.name, tuple(args), adjoint=builder.adjoint
            )
        )
        everything = frozenset(range(len(args)))
        for k, target in enumerate(targets):
            if not isinstance(target.type, MEMORY):
                continue
            shared = everything if pending else callee.shared[k]
            self._note_sharing(low, target, [args[i] for i in sorted(shared)])
            if pending or shared:
                for other in targets[:k]:
                    low.memory.add_hazard(target, other)
        found = iter(targets)
        return results.rebuilt(low, callee.result, found)

    @staticmethod
    def _note_sharing(low: Lowering, target: ir.Var, args: list[ir.Operand]) -> None:
        shared = tuple(
            var
            for arg in args
            for var in ir.leaves(arg)
            if isinstance(var.type, MEMORY)
        )
        if not shared:
            return
        low.builder.shares[target] = shared
        for var in shared:
            low.memory.add_hazard(target, var)
            root = low.memory.root(var)[0]
            if root in low.captured_origins:
                low.captured_origins[target] = low.captured_origins[root]


def _kept_whole(
    low: Lowering,
    value: Value,
    place: tuple[int, ...],
    nested: dict[tuple[int, ...], Nested],
) -> ir.Operand:
    """The tuples in a result as single values; see Note [Nested results]."""
    if not isinstance(value, ir.Pack) or value.form != ir.TUPLE:
        return low.operand(value)
    items = tuple(
        low.materialise(item) if isinstance(item, Ref) else item for item in value.items
    )
    pack = low.operand(ir.Pack(items))
    assert isinstance(pack, ir.Pack)
    kind = nested.setdefault(place, Nested())
    types = tuple(results.without_sizes(type_of_operand(item)) for item in pack.items)
    if not kind.items:
        kind.items = types
    elif types:
        if len(types) != len(kind.items):
            raise Inline("it returns tuples of different lengths")
        kind.items = tuple(map(join, kind.items, types))
    target = low.builder.as_var(pack)
    target.type = kind
    for var in ir.leaves(pack):
        if not isinstance(var.type, Scalar):
            low.memory.add_hazard(target, var)
    return target


def _captured(low: Lowering, key: Any, capture: Capture, var: ir.Var) -> ir.Var:
    if key in low.captures:
        return low.fresh(low.captures[key][1])
    kind = var.type
    if isinstance(kind, (Array, Scalar)):
        kind = type_of(capture.fetch(), low.sizes)
    return names.capture_leaf(low, capture, kind)


def _share_captures(members: list[Callee]) -> None:
    """Functions that call each other all take what any of them captures."""
    every: dict[Any, tuple[Capture, ir.Var]] = {}
    guards: dict[Any, tuple[Capture, Any]] = {}
    for member in members:
        guards.update(member.guards)
        for key, entry in member.captures.items():
            every.setdefault(key, entry)
    called = {member.name for member in members}
    for member in members:
        member.guards = guards
        own = {
            key: member.captures.get(
                key, (capture, ir.Var(var.name, results.without_sizes(var.type)))
            )
            for key, (capture, var) in every.items()
        }
        member.captures = own
        more = tuple(var for _, var in own.values())
        member.body = _with_arguments(member.body, called, more)


def _with_arguments(
    block: ir.Block, called: set[str], more: tuple[ir.Var, ...]
) -> ir.Block:
    def change(op: ir.Operation) -> ir.Operation:
        op = ir.rebuild_op(op, lambda var: var, inside)
        if isinstance(op, ir.Call) and op.function in called:
            return replace(op, args=(*op.args, *more))
        return op

    def inside(block: ir.Block) -> ir.Block:
        return ir.Block(tuple(map(change, block.ops)), block.results)

    return inside(block)


# ---------------------------------------------------------------- small helpers


def _is_short(node: ast.FunctionDef | ast.Lambda) -> bool:
    """Whether a body is a single return, which reads best where it is called."""
    if isinstance(node, ast.Lambda):
        return True
    body = [
        item
        for item in node.body
        if not (isinstance(item, ast.Expr) and isinstance(item.value, ast.Constant))
    ]
    return len(body) == 1 and isinstance(body[0], ast.Return)


def _first_line(function: Any) -> str:
    doc = getattr(function, "__doc__", None) or ""
    return str(doc).strip().split("\n")[0]


def _shared(low: Lowering, callee: Callee, leaf: ir.Operand) -> frozenset[int]:
    """The parameters whose memory a result may share, captures counted after them."""
    if not isinstance(leaf, ir.Var) or isinstance(leaf.type, Scalar):
        return frozenset()
    every = [*callee.params, *(var for _, var in callee.captures.values())]
    position = {var: k for k, var in enumerate(every)}
    found: set[int] = set()
    seen: set[ir.Var] = set()
    waiting = [leaf]
    while waiting:
        var = waiting.pop()
        if var in seen:
            continue
        seen.add(var)
        if var in position:
            found.add(position[var])
        root = low.memory.root(var)[0]
        waiting += [root, *low.memory.hazards(root), *low.builder.shares.get(var, ())]
    return frozenset(found)


def _functions_named_in(fn: types.FunctionType) -> Iterator[types.FunctionType]:
    """The user's functions that the code of a function names."""
    codes = [fn.__code__]
    words: set[str] = set()
    while codes:
        code = codes.pop()
        words.update(code.co_names)
        codes += [item for item in code.co_consts if isinstance(item, types.CodeType)]
    for word in sorted(words):
        if word in fn.__globals__:
            yield from _functions_in(fn.__globals__[word], words)
    for cell in fn.__closure__ or ():
        try:
            yield from _functions_in(cell.cell_contents, words)
        except ValueError:
            continue
    if "." in fn.__qualname__ and "<locals>" not in fn.__qualname__:
        if fn.__name__ in words:
            yield fn  # a method that calls one of its own name


def _functions_in(value: Any, words: set[str]) -> Iterator[types.FunctionType]:
    if isinstance(value, types.ModuleType):
        if not calls.is_library(types.SimpleNamespace(__module__=value.__name__)):
            for word in sorted(words):
                found = getattr(value, word, None)
                if not isinstance(found, types.ModuleType):
                    yield from _functions_in(found, words)
        return
    if isinstance(value, functools._lru_cache_wrapper):
        value = value.__wrapped__
    if isinstance(value, types.FunctionType) and not calls.is_library(value):
        yield value
