"""The passes that clean the IR up: same results, no more operations, no new sharing."""

from __future__ import annotations

import itertools
import math
import operator
import time
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from ir_interpreter import run

from autograd_compiler import ir
from autograd_compiler.operands import identity
from autograd_compiler.passes.cse import share_common_subexpressions
from autograd_compiler.passes.dce import eliminate_dead_code
from autograd_compiler.passes.hoist import hoist_invariants
from autograd_compiler.passes.simplify import simplify
from autograd_compiler.passes.updates import merge_updates
from autograd_compiler.pipeline import clean
from autograd_compiler.types import UNKNOWN, Array, Dim, ListOf, Opaque, Scalar, Type
from autograd_compiler.verify import verify_function

FLOAT = Scalar("float64")
NUMPY_FLOAT = Scalar("float64", weak=False)
INT = Scalar("int64")
BOOL = Scalar("bool")
SIZE = Dim("n", 0)
VECTOR = Array("float64", (SIZE,), True)
MATRIX = Array("float64", (SIZE, Dim("m", 0)), True)

PASSES = [
    simplify,
    share_common_subexpressions,
    eliminate_dead_code,
    hoist_invariants,
    merge_updates,
    clean,
]


class Writer:
    """Appends operations to the innermost open block."""

    def __init__(self) -> None:
        self.ops: list[ir.Operation] = []

    def apply(
        self,
        fn: Any,
        *args: Any,
        type: Type = FLOAT,
        name: str = "",
        adjoint: bool = False,
        **kwargs: Any,
    ) -> ir.Var:
        target = ir.Var(name, type)
        named = tuple((key, operand(value)) for key, value in kwargs.items())
        given = tuple(map(operand, args))
        op = ir.Apply(ir.NOWHERE, (target,), fn, given, named, adjoint=adjoint)
        self.ops.append(op)
        return target

    def load(self, base: ir.Var, *path: Any, type: Type, name: str = "") -> ir.Var:
        target = ir.Var(name, type)
        steps = tuple(ir.Index(operand(step)) for step in path)
        self.ops.append(ir.Load(ir.NOWHERE, target, base, steps))
        return target

    def store(
        self, base: ir.Var, path: tuple[Any, ...], value: Any, **options: Any
    ) -> ir.Var:
        target = ir.Var(base.name, base.type)
        steps = tuple(ir.Index(operand(step)) for step in path)
        op = ir.Store(ir.NOWHERE, target, base, steps, operand(value), **options)
        self.ops.append(op)
        return target

    def effect(self, fn: Callable[..., Any], *args: Any) -> None:
        given = tuple(map(operand, args))
        self.ops.append(ir.Effect(ir.NOWHERE, "call", given, fn))

    def block(self, write: Callable[[], tuple[Any, ...]]) -> ir.Block:
        outer, self.ops = self.ops, []
        results = write()
        block = ir.Block(tuple(self.ops), tuple(map(operand, results)))
        self.ops = outer
        return block

    def branch(
        self,
        cond: Any,
        then: Callable[[], tuple[Any, ...]],
        orelse: Callable[[], tuple[Any, ...]],
        *targets: ir.Var,
    ) -> None:
        blocks = self.block(then), self.block(orelse)
        self.ops.append(ir.If(ir.NOWHERE, targets, operand(cond), *blocks))

    def loop(
        self,
        bounds: tuple[Any, Any, Any],
        inits: tuple[Any, ...],
        write: Callable[..., tuple[Any, ...]],
        **options: Any,
    ) -> tuple[ir.Var, ...]:
        index = ir.Var("i", INT)
        params, targets = self._slots(inits), self._slots(inits)
        body = self.block(lambda: write(index, *params))
        given = tuple(map(operand, inits))
        bounds = tuple(map(operand, bounds))
        self.ops.append(
            ir.For(ir.NOWHERE, targets, index, *bounds, params, given, body, **options)
        )
        return targets

    def while_loop(
        self,
        inits: tuple[Any, ...],
        cond: Callable[..., tuple[Any, ...]],
        write: Callable[..., tuple[Any, ...]],
    ) -> tuple[ir.Var, ...]:
        params, targets = self._slots(inits), self._slots(inits)
        blocks = self.block(lambda: cond(*params)), self.block(lambda: write(*params))
        given = tuple(map(operand, inits))
        self.ops.append(ir.While(ir.NOWHERE, targets, params, given, *blocks))
        return targets

    def _slots(self, inits: tuple[Any, ...]) -> tuple[ir.Var, ...]:
        return tuple(
            ir.Var(init.name, init.type) if isinstance(init, ir.Var) else ir.Var("")
            for init in inits
        )

    def function(self, params: tuple[ir.Var, ...], result: Any) -> ir.Function:
        body = ir.Block(tuple(self.ops), (operand(result),))
        named = tuple(ir.Param(var.name, var) for var in params)
        return ir.Function("f", named, body, ir.NOWHERE)


def operand(value: Any) -> ir.Operand:
    if isinstance(value, (ir.Var, ir.Const, ir.Pack, ir.Slice)):
        return value
    if isinstance(value, slice):
        return ir.Slice(*map(operand, (value.start, value.stop, value.step)))
    if isinstance(value, tuple):
        return ir.Pack(tuple(map(operand, value)))
    return ir.Const(value)


def count(function: ir.Function) -> int:
    return sum(1 for _ in ir.walk(function.body))


def calls(function: ir.Function) -> list[Any]:
    return [op.fn for op in ir.walk(function.body) if isinstance(op, ir.Apply)]


def kinds(function: ir.Function) -> list[str]:
    return [type(op).__name__ for op in ir.walk(function.body)]


# ---------------------------------------------------------------- generated programs

TRACE: list[Any] = []


def record(value: Any) -> None:
    TRACE.append(float(value))


@dataclass
class Scope:
    """What may be read here: numbers, the arrays' current versions, views of them."""

    numbers: list[ir.Var]
    arrays: dict[int, ir.Var]
    views: list[tuple[ir.Var, int]] = field(default_factory=list)

    def copy(self) -> Scope:
        return Scope(list(self.numbers), dict(self.arrays), list(self.views))

    def write(self, root: int, version: ir.Var) -> None:
        self.arrays[root] = version
        self.views = [view for view in self.views if view[1] != root]

    def readable(self) -> set[ir.Var]:
        views = (view for view, _ in self.views)
        return {*self.numbers, *self.arrays.values(), *views}


class Programs:
    """Writes a random program; adjoint writes go to arrays of its own alone."""

    def __init__(self, draw: Any, typed: bool, adjoint: bool) -> None:
        self.draw, self.typed, self.adjoint = draw, typed, adjoint
        self.writer = Writer()
        self.roots = itertools.count()
        self.external: set[int] = set()
        self.made: list[tuple[Any, tuple[Any, ...], Type]] = []

    def pick(self, choices: Any) -> Any:
        return self.draw(st.sampled_from(list(choices)))

    def type(self, known: Type) -> Type:
        return known if self.typed else UNKNOWN

    def name(self) -> str:
        return self.pick(["", "", "", "p", "q"])

    def flag(self) -> bool:
        return self.adjoint and self.pick([True, False])

    def apply(self, fn: Any, *args: Any, type: Type) -> ir.Var:
        self.made.append((fn, args, type))
        return self.writer.apply(
            fn,
            *args,
            type=type,
            name=self.name(),
            adjoint=self.flag(),
        )

    def function(self) -> ir.Function:
        params = tuple(
            ir.Var(name, self.type(kind))
            for name, kind in (("x", FLOAT), ("y", FLOAT), ("a", VECTOR), ("b", VECTOR))
        )
        scope = Scope(list(params[:2]), {})
        for array in params[2:]:
            root = next(self.roots)
            self.external.add(root)
            scope.arrays[root] = array
        self.statements(scope, 0)
        found = [*scope.numbers[-3:], *list(scope.arrays.values())[-3:]]
        found += [view for view, _ in scope.views[-1:]]
        return self.writer.function(params, tuple(found))

    def statements(self, scope: Scope, depth: int) -> None:
        simple = [
            *([self.number, self.array] * 2),
            *(self.again, self.again, self.read, self.view, self.write, self.write),
            *(self.create, self.effect),
        ]
        nested = [self.branch, self.repeat, self.repeat_while] if depth < 2 else []
        for _ in range(self.draw(st.integers(1, 7 if depth == 0 else 4))):
            statement = self.pick(simple + nested)
            if statement in nested:
                statement(scope, depth)
            else:
                statement(scope)

    # ------------------------------------------------------------ simple ones

    def number_type(self, *operands: Any) -> Type:
        types = [var.type for var in operands if isinstance(var, ir.Var)]
        return self.type(FLOAT if all(t == FLOAT for t in types) else NUMPY_FLOAT)

    def number(self, scope: Scope) -> None:
        x, y = self.pick(scope.numbers), self.pick(scope.numbers)
        constant = self.pick([0, 1, -1, 2, 0.0, 1.0, 0.5])
        if self.pick([True, False]):
            y = constant
        kind = self.pick(["add", "add", "sub", "mul", "neg", "one", "sin", "same"])
        both = self.number_type(x, y)
        if kind == "mul" and y is not constant:
            # Kept small: a product is squashed at once.
            product = self.apply(operator.mul, x, y, type=both)
            result = self.apply(math.tanh, product, type=self.type(FLOAT))
        elif kind in ("add", "sub", "mul"):
            first, second = (x, y) if self.pick([True, False]) else (y, x)
            result = self.apply(getattr(operator, kind), first, second, type=both)
        elif kind == "one":
            fn = self.pick([operator.truediv, operator.pow])
            result = self.apply(fn, x, self.pick([1, 1.0]), type=self.number_type(x))
        elif kind == "sin":
            result = self.apply(np.sin, x, type=self.type(NUMPY_FLOAT))
        else:
            fn = identity if kind == "same" else operator.neg
            result = self.apply(fn, x, type=self.number_type(x))
        scope.numbers.append(result)

    def array(self, scope: Scope) -> None:
        root = self.pick(scope.arrays)
        x, y = scope.arrays[root], self.pick(scope.arrays.values())
        kind = self.pick(["add", "sub", "scale", "neg", "one", "sin", "copy", "full"])
        number = self.pick([*scope.numbers[-3:], 0, 1, -1])
        vector = self.type(VECTOR)
        if kind in ("add", "sub"):
            fn = getattr(operator, kind)
            second = self.pick([y, number])
            result = self.apply(fn, x, second, type=vector)
        elif kind == "scale":
            number = self.pick([0, 1, -1, 1.0, 0.5])
            result = self.apply(
                self.pick([operator.mul, np.multiply]), x, number, type=vector
            )
        elif kind == "one":
            result = self.apply(operator.truediv, x, 1, type=vector)
        elif kind == "full":
            if self.pick([True, False]):
                number = self.pick(scope.numbers)
            full = self.apply(np.broadcast_to, number, (4,), type=vector)
            product = self.apply(operator.add, full, x, type=vector)
            result = self.apply(np.tanh, product, type=vector)
        else:
            fns = {"neg": operator.neg, "sin": np.sin, "copy": np.copy}
            result = self.apply(fns[kind], x, type=vector)
        if self.pick([True, False]):
            scope.write(root, result)  # another array under the old name
            if root in self.external:
                return
        else:
            scope.arrays[next(self.roots)] = result

    def again(self, scope: Scope) -> None:
        """The same call once more, if what it reads is still there."""
        readable = scope.readable()
        for fn, args, kind in reversed(self.made[-6:]):
            used = {var for arg in args for var in ir.leaves(operand(arg))}
            if used and used <= readable and fn not in (np.broadcast_to, identity):
                result = self.apply(fn, *args, type=kind)
                if kind in (VECTOR,):
                    scope.arrays[next(self.roots)] = result
                elif kind in (FLOAT, NUMPY_FLOAT):
                    scope.numbers.append(result)
                return

    def read(self, scope: Scope) -> None:
        array = self.pick(scope.arrays.values())
        position = self.pick([0, 1, -1])
        kind = self.type(NUMPY_FLOAT)
        number = self.writer.load(array, position, type=kind, name=self.name())
        scope.numbers.append(number)

    def view(self, scope: Scope) -> None:
        if scope.views and self.pick([True, False]):
            view, _ = self.pick(scope.views)
            total = self.apply(np.sum, view, type=self.type(NUMPY_FLOAT))
            scope.numbers.append(self.apply(np.sin, total, type=self.type(NUMPY_FLOAT)))
            return
        root = self.pick(scope.arrays)
        part = Array("float64", (Dim("", 2),))
        index = slice(1, 3)
        view = self.writer.load(
            scope.arrays[root], index, type=self.type(part), name=self.name()
        )
        scope.views.append((view, root))

    def create(self, scope: Scope) -> None:
        array = self.apply(np.zeros, 4, type=self.type(VECTOR))
        scope.arrays[next(self.roots)] = array

    def write(self, scope: Scope) -> None:
        root = self.pick(scope.arrays)
        path = self.pick([(0,), (slice(1, 3),), ()])
        value = self.pick([*scope.numbers[-3:], 0.25])
        mode = self.pick(["set", "add"])
        adjoint = root not in self.external and self.flag()
        version = self.writer.store(
            scope.arrays[root], path, value, mode=mode, adjoint=adjoint
        )
        scope.write(root, version)

    def effect(self, scope: Scope) -> None:
        self.writer.effect(record, self.pick(scope.numbers))

    # ------------------------------------------------------------ nested ones

    def branch(self, scope: Scope, depth: int) -> None:
        tested = self.pick(scope.numbers)
        cond: Any = self.pick([True, False, None, None])
        if cond is None:
            cond = self.writer.apply(operator.gt, tested, 0.1, type=self.type(BOOL))
        inner = []

        def write() -> tuple[Any, ...]:
            inside = scope.copy()
            self.statements(inside, depth + 1)
            inner.append(inside)
            return ()

        then, orelse = self.writer.block(write), self.writer.block(write)
        first, second = inner
        targets, results = [], []
        for root, before in scope.arrays.items():
            ends = first.arrays[root], second.arrays[root]
            if ends != (before, before) or self.pick([True, False, False]):
                target = ir.Var("", self.type(VECTOR))
                targets.append((root, target))
                results.append(ends)
        number = ir.Var(self.name(), self.type(NUMPY_FLOAT))
        ends = self.pick(first.numbers), self.pick(second.numbers)
        if self.typed and ends[0].type == ends[1].type:
            number.type = ends[0].type
        elif self.typed:
            number.type = UNKNOWN
        results.append(ends)
        blocks = (
            ir.Block(block.ops, tuple(pair[k] for pair in results))
            for k, block in enumerate((then, orelse))
        )
        found = (*(target for _, target in targets), number)
        self.writer.ops.append(ir.If(ir.NOWHERE, found, operand(cond), *blocks))
        for root, target in targets:
            scope.write(root, target)
        scope.numbers.append(number)

    def carried(self, scope: Scope) -> tuple[list[int], list[int], tuple[ir.Var, ...]]:
        """What a loop carries: all arrays and two numbers; some swap their places."""
        roots = list(scope.arrays)
        order = list(roots)
        if len(roots) >= 2 and self.pick([True, False, False]):
            i, j = self.pick([(0, 1), (-1, -2), (0, -1)])
            order[i], order[j] = order[j], order[i]
            if {roots[i], roots[j]} & self.external:
                self.external |= {roots[i], roots[j]}
        numbers = scope.numbers[:2]
        inits = (*(scope.arrays[root] for root in roots), *numbers)
        return roots, order, inits

    def body(
        self, scope: Scope, depth: int, roots: list[int], order: list[int]
    ) -> Callable[..., tuple[Any, ...]]:
        def write(*params: ir.Var) -> tuple[Any, ...]:
            inside = Scope(list(scope.numbers), dict(zip(roots, params, strict=False)))
            inside.numbers[:2] = params[len(roots) :]
            self.statements(inside, depth + 1)
            arrays = (inside.arrays[root] for root in order)
            last = [inside.numbers[self.pick([0, 1])] for _ in range(2)]
            if self.pick([True, False]):
                new = self.writer.apply(np.sin, self.pick(inside.numbers), type=UNKNOWN)
                last[0] = new
            return (*arrays, *last)

        return write

    def finish(
        self, scope: Scope, roots: list[int], targets: tuple[ir.Var, ...]
    ) -> None:
        for root, target in zip(roots, targets, strict=False):
            scope.write(root, target)
        scope.numbers[:2] = targets[len(roots) : len(roots) + 2]

    def loosen(self, op: ir.For | ir.While, numbers: int) -> None:
        # A Python number may become NumPy's in a loop.
        for var in (*op.params[-numbers:], *op.targets[-numbers:]):
            var.type = UNKNOWN

    def repeat(self, scope: Scope, depth: int) -> None:
        roots, order, inits = self.carried(scope)
        bounds = self.pick([(0, 3, 1), (2, -1, -1), (2, 2, 1), (0, 1, 1)])
        write = self.body(scope, depth, roots, order)
        writer = self.writer
        breaks = self.pick([False, False, True])

        def body(index: ir.Var, *params: ir.Var) -> tuple[Any, ...]:
            for var in params[len(roots) :]:
                var.type = UNKNOWN
            leave = ()
            if breaks:
                leave = (writer.apply(operator.ge, index, 1, type=BOOL),)
            return (*leave, *write(*params))

        reverse = self.pick([True, False])
        targets = writer.loop(bounds, inits, body, breaks=breaks, reverse=reverse)
        for var in targets[len(roots) :]:
            var.type = UNKNOWN
        self.finish(scope, roots, targets)

    def repeat_while(self, scope: Scope, depth: int) -> None:
        roots, order, inits = self.carried(scope)
        write = self.body(scope, depth, roots, order)
        writer = self.writer

        def cond(*params: ir.Var) -> tuple[Any, ...]:
            for var in params[len(roots) :]:
                var.type = UNKNOWN
            return (writer.apply(operator.lt, params[-1], 2, type=BOOL),)

        def body(*params: ir.Var) -> tuple[Any, ...]:
            results = write(*params[:-1])
            return (*results, writer.apply(operator.add, params[-1], 1, type=UNKNOWN))

        targets = writer.while_loop((*inits, 0), cond, body)
        for var in targets[len(roots) :]:
            var.type = UNKNOWN
        self.finish(scope, roots, targets[:-1])


@st.composite
def programs(draw: Any) -> ir.Function:
    typed = draw(st.sampled_from([True, True, False]))
    adjoint = draw(st.booleans())
    function = Programs(draw, typed, adjoint).function()
    verify_function(function)
    return function


def arguments() -> tuple[Any, ...]:
    return (
        0.7,
        -0.3,
        np.array([0.5, -0.25, 1.5, 2.0]),
        np.array([-1.0, 0.125, 3.0, 0.5]),
    )


def outcome(function: ir.Function) -> tuple[Any, ...]:
    TRACE.clear()
    args = arguments()
    with np.errstate(all="ignore"):
        results = run(function, *args)
    arrays = [value for value in (*args, *results) if isinstance(value, np.ndarray)]
    sharing = {
        (i, j)
        for (i, a), (j, b) in itertools.combinations(enumerate(arrays), 2)
        if np.shares_memory(a, b)
    }
    return results, args, list(TRACE), sharing


def check_same(before: ir.Function, after: ir.Function) -> None:
    verify_function(after)
    results, args, trace, sharing = outcome(before)
    new_results, new_args, new_trace, new_sharing = outcome(after)
    for old, new in zip((*results, *args), (*new_results, *new_args), strict=True):
        assert type(old) is type(new)
        np.testing.assert_array_equal(new, old, strict=isinstance(old, np.ndarray))
    assert new_trace == trace
    assert new_sharing <= sharing
    assert count(after) <= count(before)


@pytest.mark.parametrize("transform", PASSES)
@given(function=programs())
def test_generated_programs_give_the_same(
    transform: Any, function: ir.Function
) -> None:
    check_same(function, transform(function))


@given(function=programs())
def test_cleaning_is_done_when_it_is_done(function: ir.Function) -> None:
    cleaned = clean(function)
    check_same(function, hoist_invariants(cleaned))
    assert clean(cleaned) is cleaned


# ---------------------------------------------------------------- dead code


def test_unused_operations_go() -> None:
    x, w = ir.Var("x", FLOAT), Writer()
    unused = w.apply(operator.neg, x)
    w.apply(math.sin, unused)
    function = w.function((x,), x)
    assert not eliminate_dead_code(function).body.ops


def test_nothing_to_remove_gives_the_same_function() -> None:
    x, w = ir.Var("x", FLOAT), Writer()
    function = w.function((x,), w.apply(operator.neg, x))
    for transform in PASSES:
        assert transform(function) is function


def test_carried_variable_that_computes_only_itself_is_dead() -> None:
    x, w = ir.Var("x", FLOAT), Writer()

    def body(index: ir.Var, s: ir.Var, p: ir.Var, q: ir.Var) -> tuple[Any, ...]:
        # p and q keep each other alive, and nothing else reads them.
        p_next = w.apply(operator.mul, q, 2.0)
        q_next = w.apply(operator.add, p, index)
        return w.apply(operator.add, s, x), p_next, q_next

    total, *_ = w.loop((0, 3, 1), (0.0, x, x), body)
    function = w.function((x,), total)
    after = eliminate_dead_code(function)
    (loop,) = after.body.ops
    assert isinstance(loop, ir.For)
    assert len(loop.params) == 1
    assert len(loop.body.ops) == 1
    assert run(after, 2.0) == run(function, 2.0) == 6.0


def test_break_result_stays_in_front() -> None:
    x, w = ir.Var("x", FLOAT), Writer()

    def body(index: ir.Var, s: ir.Var, dead: ir.Var) -> tuple[Any, ...]:
        leave = w.apply(operator.ge, index, 1, type=BOOL)
        return leave, w.apply(operator.add, s, x), w.apply(operator.neg, dead)

    total, _ = w.loop((0, 5, 1), (0.0, x), body, breaks=True)
    function = w.function((x,), total)
    after = eliminate_dead_code(function)
    assert len(after.body.ops[0].params) == 1
    assert run(after, 2.0) == 4.0


def test_unread_results_of_branches_go() -> None:
    x, w = ir.Var("x", FLOAT), Writer()
    y, unread = ir.Var("y", FLOAT), ir.Var("unread", FLOAT)
    w.branch(
        w.apply(operator.gt, x, 0.0, type=BOOL),
        lambda: (w.apply(operator.neg, x), w.apply(math.sin, x)),
        lambda: (x, ir.UNDEFINED),
        y,
        unread,
    )
    after = eliminate_dead_code(w.function((x,), y))
    branch = after.body.ops[-1]
    assert isinstance(branch, ir.If)
    assert branch.targets == (y,)
    assert len(branch.then.ops) == 1


def test_writes_to_a_local_buffer_that_nobody_reads_go() -> None:
    x, w = ir.Var("x", FLOAT), Writer()
    buffer = w.apply(np.zeros, 3, type=VECTOR)
    buffer = w.store(buffer, (0,), x)
    (buffer,) = w.loop((0, 3, 1), (buffer,), lambda i, b: (w.store(b, (i,), x),))
    assert not eliminate_dead_code(w.function((x,), x)).body.ops


def test_writes_to_a_list_that_nobody_reads_go() -> None:
    x, w = ir.Var("x", FLOAT), Writer()
    items = w.apply(identity, ir.Pack((), ir.LIST), type=ListOf(FLOAT))
    longer, shorter = ir.Var("items", ListOf(FLOAT)), ir.Var("items", ListOf(FLOAT))
    w.ops.append(ir.Append(ir.NOWHERE, longer, items, x))
    popped = ir.Var("popped", FLOAT)
    w.ops.append(ir.Pop(ir.NOWHERE, shorter, popped, longer))
    assert not eliminate_dead_code(w.function((x,), x)).body.ops
    used = w.function((x,), popped)
    assert eliminate_dead_code(used) is used


def test_write_of_the_primal_to_an_argument_stays() -> None:
    a, w = ir.Var("a", VECTOR), Writer()
    w.store(a, (0,), 1.0)
    function = w.function((a,), 0.0)
    assert eliminate_dead_code(function) is function


def test_write_of_the_adjoint_to_an_argument_goes() -> None:
    a, w = ir.Var("a", VECTOR), Writer()
    w.store(a, (0,), 1.0, adjoint=True)
    assert not eliminate_dead_code(w.function((a,), 0.0)).body.ops


@pytest.mark.parametrize("adjoint", [False, True])
def test_write_through_a_view_stays(adjoint: bool) -> None:
    a, w = ir.Var("a", VECTOR), Writer()
    view = w.load(a, slice(1, None), type=VECTOR)
    w.store(view, (0,), 1.0, adjoint=adjoint)
    function = w.function((a,), 0.0)
    assert eliminate_dead_code(function) is function


def test_write_to_what_may_be_an_argument_stays() -> None:
    a, w = ir.Var("a", VECTOR), Writer()
    local = w.apply(np.zeros, 4, type=VECTOR)

    def swap(index: ir.Var, first: ir.Var, second: ir.Var) -> tuple[Any, ...]:
        return second, w.store(first, (index,), 1.0)

    w.loop((0, 3, 1), (local, a), swap)
    function = w.function((a,), 0.0)
    after = eliminate_dead_code(function)
    assert "Store" in kinds(after)
    given = np.zeros(4)
    run(after, given)
    assert given.tolist() == [0.0, 1.0, 0.0, 0.0]


def test_write_to_a_captured_array_stays() -> None:
    captured, w = ir.Var("table", VECTOR), Writer()
    w.store(captured, (0,), 1.0)
    function = w.function((), 0.0)
    assert eliminate_dead_code(function) is function


def test_write_to_what_a_list_holds_stays() -> None:
    x, w = ir.Var("x", FLOAT), Writer()
    items = w.apply(identity, ir.Pack((), ir.LIST), type=ListOf(VECTOR))
    row = w.apply(np.zeros, 3, type=VECTOR)
    longer = ir.Var("items", ListOf(VECTOR))
    w.ops.append(ir.Append(ir.NOWHERE, longer, items, row))
    w.store(row, (0,), x)
    total = w.apply(np.sum, longer, type=NUMPY_FLOAT)
    after = eliminate_dead_code(w.function((x,), total))
    assert run(after, 2.0) == 2.0


def test_effects_stay_with_what_they_need() -> None:
    x, w = ir.Var("x", FLOAT), Writer()
    cond = w.apply(operator.gt, x, 0.0, type=BOOL)

    def then() -> tuple[Any, ...]:
        w.effect(record, w.apply(operator.neg, x))
        return ()

    w.branch(cond, then, lambda: ())
    function = w.function((x,), x)
    assert eliminate_dead_code(function) is function


@pytest.mark.parametrize("adjoint", [False, True])
def test_calls_on_opaque_objects_stay_in_the_primal(adjoint: bool) -> None:
    rng, w = ir.Var("rng", Opaque(np.random.Generator)), Writer()
    w.apply(ir.Method("normal"), rng, adjoint=adjoint)
    after = eliminate_dead_code(w.function((rng,), 0.0))
    assert len(after.body.ops) == (0 if adjoint else 1)


def test_random_numbers_are_neither_removed_nor_shared() -> None:
    w = Writer()
    first = w.apply(np.random.standard_normal, type=UNKNOWN)
    second = w.apply(np.random.standard_normal, type=UNKNOWN)
    w.apply(np.random.standard_normal, type=UNKNOWN)
    function = w.function((), w.apply(operator.sub, first, second, type=UNKNOWN))
    assert clean(function) is function


def test_calls_go_only_if_they_are_said_to_be_pure() -> None:
    x, w = ir.Var("x", FLOAT), Writer()
    w.ops.append(ir.Call(ir.NOWHERE, (ir.Var("y"),), "helper", (x,)))
    function = w.function((x,), x)
    assert eliminate_dead_code(function) is function
    assert not clean(function, frozenset({"helper"})).body.ops


# ---------------------------------------------------------------- common subexpressions


def sharing_of(write: Callable[[Writer, ir.Var, ir.Var], Any]) -> ir.Function:
    w, x, a = Writer(), ir.Var("x", FLOAT), ir.Var("a", VECTOR)
    return share_common_subexpressions(w.function((x, a), write(w, x, a)))


def test_equal_calls_are_shared_also_into_blocks() -> None:
    def write(w: Writer, x: ir.Var, a: ir.Var) -> Any:
        outer = w.apply(math.sin, x)
        y = ir.Var("y", FLOAT)
        w.branch(
            w.apply(operator.gt, outer, 0.0, type=BOOL),
            lambda: (w.apply(math.sin, x),),
            lambda: (w.apply(math.cos, x),),
            y,
        )
        after = w.apply(math.cos, x)  # computed in one branch only: not in scope here
        return w.apply(operator.add, y, after)

    assert calls(sharing_of(write)).count(math.sin) == 1
    assert calls(sharing_of(write)).count(math.cos) == 2


def test_constants_are_told_apart_by_type() -> None:
    def write(w: Writer, x: ir.Var, a: ir.Var) -> Any:
        values = (1, 1.0, True, 0.0, -0.0)
        return tuple(w.apply(operator.mul, x, value) for value in values)

    assert len(sharing_of(write).body.ops) == 5


def test_written_buffers_are_not_shared() -> None:
    def write(w: Writer, x: ir.Var, a: ir.Var) -> Any:
        first = w.apply(np.zeros_like, a, type=VECTOR)
        second = w.apply(np.zeros_like, a, type=VECTOR)
        third = w.apply(np.zeros_like, a, type=VECTOR)
        (second,) = w.loop((0, 2, 1), (second,), lambda i, b: (w.store(b, (i,), x),))
        return w.apply(np.sum, (first, second, third), type=NUMPY_FLOAT)

    after = sharing_of(write)
    # The first and the third are only read.
    assert calls(after).count(np.zeros_like) == 2
    assert run(after, 1.5, np.zeros(3)) == 3.0


def test_copy_before_a_write_is_not_the_copy_after_it() -> None:
    def write(w: Writer, x: ir.Var, a: ir.Var) -> Any:
        before = w.apply(
            np.sum, w.load(a, slice(1, None), type=VECTOR), type=NUMPY_FLOAT
        )
        now = w.store(a, (1,), x)
        after = w.apply(
            np.sum, w.load(now, slice(1, None), type=VECTOR), type=NUMPY_FLOAT
        )
        return before, after

    assert run(sharing_of(write), 5.0, np.zeros(3)) == (0.0, 5.0)


def test_reads_of_memory_that_was_written_through_an_alias_are_not_shared() -> None:
    # The frontend reads `a` anew after the write; nothing is lost by being careful.
    def write(w: Writer, x: ir.Var, a: ir.Var) -> Any:
        view = w.load(a, slice(0, None), type=VECTOR)
        first = w.apply(np.sum, view, type=NUMPY_FLOAT)
        w.store(a, (0,), x)
        return first, w.apply(np.sum, view, type=NUMPY_FLOAT)

    assert run(sharing_of(write), 5.0, np.zeros(3)) == (0.0, 5.0)


def test_reads_in_a_loop_that_writes_are_not_shared_with_reads_before_it() -> None:
    def write(w: Writer, x: ir.Var, a: ir.Var) -> Any:
        view = w.load(a, slice(0, None), type=VECTOR)
        first = w.apply(np.sum, view, type=NUMPY_FLOAT)

        def body(index: ir.Var, b: ir.Var, s: ir.Var) -> tuple[Any, ...]:
            again = w.apply(np.sum, view, type=NUMPY_FLOAT)
            return w.store(b, (index,), x), w.apply(operator.add, s, again)

        _, total = w.loop((0, 3, 1), (a, first), body)
        return total

    assert run(sharing_of(write), 1.0, np.zeros(3)) == 3.0


def test_views_between_two_writes_are_shared() -> None:
    def write(w: Writer, x: ir.Var, a: ir.Var) -> Any:
        now = w.store(a, (0,), x)
        parts = [w.load(now, slice(1, None), type=VECTOR) for _ in range(2)]
        product = w.apply(operator.mul, *parts, type=VECTOR)
        last = w.store(now, (1,), w.apply(np.sum, product, type=NUMPY_FLOAT))
        return w.load(last, 1, type=NUMPY_FLOAT)

    after = sharing_of(write)
    assert kinds(after).count("Load") == 2
    assert run(after, 5.0, np.array([1.0, 2.0, 3.0])) == 13.0


def test_two_results_of_the_caller_stay_two_buffers() -> None:
    def write(w: Writer, x: ir.Var, a: ir.Var) -> Any:
        return tuple(w.apply(np.sin, a, type=VECTOR) for _ in range(2))

    first, second = run(sharing_of(write), 0.0, np.ones(3))
    assert not np.shares_memory(first, second)


def test_names_of_the_user_survive() -> None:
    def write(w: Writer, x: ir.Var, a: ir.Var) -> Any:
        temporary = w.apply(math.sin, x)
        first = w.apply(math.sin, x, name="first")
        other = w.apply(math.sin, x, name="other")
        more = w.apply(operator.add, temporary, first)
        return w.apply(operator.add, more, other)

    after = simplify(sharing_of(write))
    made = [op.target.name for op in after.body.ops if op.fn is math.sin]
    assert made == ["first", "other"]
    assert run(after, 0.5, None) == pytest.approx(3 * math.sin(0.5))
    verify_function(after)


def test_index_arithmetic_is_left_where_it_is_read() -> None:
    def write(w: Writer, x: ir.Var, a: ir.Var) -> Any:
        def body(index: ir.Var, s: ir.Var) -> tuple[Any, ...]:
            for _ in range(2):
                left = w.apply(operator.sub, index, 1, type=INT)
                item = w.load(a, left, type=NUMPY_FLOAT)
                s = w.apply(operator.add, s, item, type=NUMPY_FLOAT)
            return (s,)

        return w.loop((1, 3, 1), (x,), body)[0]

    after = sharing_of(write)
    assert calls(after).count(operator.sub) == 2
    assert kinds(after).count("Load") == 1  # the same element, nevertheless
    assert run(after, 0.0, np.array([1.0, 2.0, 3.0])) == 6.0


# ---------------------------------------------------------------- algebra


def simplified(
    write: Callable[..., Any], *types: Type
) -> tuple[ir.Function, list[ir.Var]]:
    w = Writer()
    params = [ir.Var(name, kind) for name, kind in zip("xyz", types, strict=False)]
    return simplify(w.function(tuple(params), write(w, *params))), params


@pytest.mark.parametrize(
    "fn, args",
    [
        (operator.mul, ("x", 1)),
        (operator.mul, (1.0, "x")),
        (operator.truediv, ("x", 1)),
        (operator.pow, ("x", 1)),
        (operator.sub, ("x", 0.0)),
    ],
)
@pytest.mark.parametrize("kind", [FLOAT, NUMPY_FLOAT, Scalar("float32", weak=False)])
def test_neutral_operations_on_numbers_go(fn: Any, args: Any, kind: Type) -> None:
    def write(w: Writer, x: ir.Var) -> Any:
        return w.apply(fn, *(x if arg == "x" else arg for arg in args), type=kind)

    function, (x,) = simplified(write, kind)
    assert function.body.results == (x,)


@pytest.mark.parametrize(
    "fn, args, kind",
    [
        (operator.mul, ("x", 1), UNKNOWN),
        (operator.mul, ("x", 1), BOOL),
        (operator.mul, ("x", 1.0), INT),
        (operator.mul, ("x", True), FLOAT),
        (operator.mul, ("x", np.float64(1.0)), FLOAT),
        (operator.truediv, ("x", 1), INT),
        (operator.mul, ("x", 1), Array("float64", ())),
        (operator.mul, ("x", 0), FLOAT),
        (operator.add, ("x", 0), FLOAT),
        (np.multiply, ("x", 1), FLOAT),
        (operator.pow, ("x", 2), FLOAT),
    ],
)
def test_operations_that_change_the_value_stay(fn: Any, args: Any, kind: Type) -> None:
    def write(w: Writer, x: ir.Var) -> Any:
        given = tuple(x if isinstance(arg, str) else arg for arg in args)
        return w.apply(fn, *given, type=kind)

    function, _ = simplified(write, kind)
    assert calls(function) == [fn]


def test_zeros_are_folded_where_they_are_exact() -> None:
    def write(w: Writer, k: ir.Var, d: ir.Var) -> Any:
        return (
            w.apply(operator.mul, k, 0, type=INT),
            w.apply(operator.mul, 0, d, adjoint=True),
            w.apply(operator.add, 0, d, adjoint=True),
        )

    function, (_, d) = simplified(write, INT, FLOAT)
    (pack,) = function.body.results
    zero, zero_float, same = pack.items
    assert (zero.value, zero_float.value, same) == (0, 0.0, d)
    assert type(zero.value) is int and type(zero_float.value) is float


def test_array_times_one_is_a_copy_for_whom_it_matters() -> None:
    def inside(w: Writer, a: ir.Var) -> Any:
        same = w.apply(operator.mul, a, 1, type=VECTOR)
        return w.apply(np.sum, same, type=NUMPY_FLOAT)

    def returned(w: Writer, a: ir.Var) -> Any:
        return w.apply(operator.mul, a, 1, type=VECTOR)

    def written(w: Writer, a: ir.Var) -> Any:
        copy = w.apply(operator.mul, a, 1, type=VECTOR)
        copy = w.store(copy, (0,), 5.0)
        return w.apply(np.sum, copy, type=NUMPY_FLOAT)

    def snapshot(w: Writer, a: ir.Var) -> Any:
        copy = w.apply(operator.mul, a, 1, type=VECTOR)
        w.store(a, (0,), 5.0)
        return w.apply(np.sum, copy, type=NUMPY_FLOAT)

    def local(w: Writer, a: ir.Var) -> Any:
        fresh = w.apply(np.sin, a, type=VECTOR)
        return w.apply(operator.mul, fresh, 1, type=VECTOR)

    for write, gone in (
        (inside, True),
        (returned, False),
        (written, False),
        (snapshot, False),
        (local, True),
    ):
        function, _ = simplified(write, VECTOR)
        assert (operator.mul not in calls(function)) is gone, write.__name__


def test_signs() -> None:
    def write(w: Writer, x: ir.Var, y: ir.Var) -> Any:
        minus_x, minus_y = w.apply(operator.neg, x), w.apply(operator.neg, y)
        return (
            w.apply(operator.neg, minus_x),
            w.apply(operator.add, x, minus_y),
            w.apply(operator.add, minus_x, y),
            w.apply(operator.sub, x, minus_y),
            w.apply(operator.mul, x, -1),
            w.apply(operator.mul, -1.0, minus_x),
        )

    function, (x, _) = simplified(write, FLOAT, FLOAT)
    assert calls(eliminate_dead_code(function)) == [
        *(operator.sub, operator.sub, operator.add, operator.neg)
    ]
    assert run(function, 2.0, 3.0) == (2.0, -1.0, 1.0, 5.0, -2.0, 2.0)


def test_negated_array_that_is_written_later_is_not_read_later() -> None:
    def write(w: Writer, a: ir.Var) -> Any:
        minus = w.apply(operator.neg, a, type=VECTOR)
        now = w.store(a, (0,), 9.0)
        total = w.apply(operator.add, now, minus, type=VECTOR)
        return w.apply(np.sum, total, type=NUMPY_FLOAT)

    function, _ = simplified(write, VECTOR)
    assert operator.add in calls(function)
    assert run(function, np.array([1.0, 2.0])) == 8.0


def test_negated_array_that_a_loop_writes_is_not_read_in_the_loop() -> None:
    def write(w: Writer, a: ir.Var) -> Any:
        minus = w.apply(operator.neg, a, type=VECTOR)

        def body(index: ir.Var, b: ir.Var, s: ir.Var) -> tuple[Any, ...]:
            s = w.apply(operator.add, s, minus, type=VECTOR)
            return w.store(b, (index,), 9.0), s

        zeros = w.apply(np.zeros_like, a, type=VECTOR)
        _, total = w.loop((0, 2, 1), (a, zeros), body)
        return w.apply(np.sum, total, type=NUMPY_FLOAT)

    function, _ = simplified(write, VECTOR)
    assert run(function, np.array([1.0, 2.0])) == -6.0


def test_views_that_cancel() -> None:
    def write(w: Writer, x: ir.Var) -> Any:
        turned = w.apply(np.transpose, x, type=MATRIX)
        back = w.apply(getattr, turned, "T", type=MATRIX)
        turned = w.apply(np.transpose, back, (1, 0), type=MATRIX)
        back = w.apply(np.transpose, turned, axes=(-1, 0), type=MATRIX)
        wide = w.apply(np.expand_dims, back, 0, type=UNKNOWN)
        narrow = w.apply(np.squeeze, wide, axis=0, type=MATRIX)
        flat = w.apply(np.reshape, narrow, (-1,), type=VECTOR)
        again = w.apply(np.reshape, flat, (3, 2), type=MATRIX)
        return w.apply(np.sum, again, type=NUMPY_FLOAT)

    function, (x,) = simplified(write, MATRIX)
    after = eliminate_dead_code(function)
    assert calls(after) == [np.reshape, np.sum]
    assert after.body.ops[0].args[0] is x
    assert run(after, np.ones((2, 3))) == 6.0


def test_views_that_do_not_cancel() -> None:
    def write(w: Writer, x: ir.Var) -> Any:
        wide = w.apply(np.expand_dims, x, 0, type=UNKNOWN)
        first = w.apply(np.squeeze, wide, type=UNKNOWN)  # all sizes of one
        cube = Array("float64", (SIZE,) * 3)
        turned = w.apply(np.transpose, x, (1, 0), type=MATRIX)
        other = w.apply(np.sum, turned, type=cube)
        return first, other

    function, _ = simplified(write, MATRIX)
    assert len(function.body.ops) == 4


def test_broadcast_that_the_other_operand_does_goes() -> None:
    def write(w: Writer, a: ir.Var, s: ir.Var, f: ir.Var) -> Any:
        full = w.apply(np.broadcast_to, s, (3,), type=VECTOR)
        kept = w.apply(operator.mul, full, f, type=VECTOR)  # f is of float32
        return w.apply(operator.mul, full, a, type=VECTOR), kept

    single = Array("float32", (SIZE,))
    function, (a, s, f) = simplified(write, VECTOR, FLOAT, single)
    _, kept, changed = function.body.ops
    assert changed.args == (s, a)
    assert kept.args[0] is not s


def test_constants_fold_where_they_read_as_well() -> None:
    def write(w: Writer, x: ir.Var) -> Any:
        return (
            w.apply(operator.sub, 2, 1, type=INT),
            w.apply(operator.truediv, 1, 2),
            w.apply(operator.truediv, 1, 6),
            w.apply(operator.truediv, 1, 0),
            w.apply(operator.mul, 1e308, 10.0),
            w.apply(operator.pow, 10, 100, type=INT),
        )

    function, _ = simplified(write, FLOAT)
    one, half, *others = function.body.results[0].items
    assert (one.value, half.value) == (1, 0.5)
    assert all(isinstance(other, ir.Var) for other in others)


def test_copies_are_resolved_in_favour_of_the_name() -> None:
    def write(w: Writer, x: ir.Var) -> Any:
        temporary = w.apply(math.sin, x)
        y = w.apply(identity, temporary, name="y")
        return w.apply(operator.add, y, temporary)

    function, _ = simplified(write, FLOAT)
    sine, total = function.body.ops
    assert sine.target.name == "y"
    assert total.args == (sine.target, sine.target)


def test_container_written_out_stays_where_it_is_made() -> None:
    def write(w: Writer, x: ir.Var) -> Any:
        pack = ir.Pack((x,), ir.LIST)
        items = w.apply(identity, pack, type=ListOf(FLOAT))
        longer = ir.Var("items", ListOf(FLOAT))
        w.ops.append(ir.Append(ir.NOWHERE, longer, items, x))
        return longer

    function, _ = simplified(write, FLOAT)
    assert run(function, 1.0) == [1.0, 1.0]


# ---------------------------------------------------------------- control flow


def test_branch_on_a_constant_is_spliced() -> None:
    def write(w: Writer, x: ir.Var) -> Any:
        y = ir.Var("y", FLOAT)
        cond = w.apply(operator.gt, 2, 1, type=BOOL)
        w.branch(cond, lambda: (w.apply(operator.neg, x),), lambda: (ir.UNDEFINED,), y)
        return w.apply(math.sin, y)

    function, _ = simplified(write, FLOAT)
    assert calls(function) == [operator.neg, math.sin]


def test_undefined_is_not_a_value() -> None:
    def write(w: Writer, x: ir.Var) -> Any:
        y, z = ir.Var("y", FLOAT), ir.Var("z", FLOAT)
        w.branch(True, lambda: (ir.UNDEFINED,), lambda: (x,), y)
        cond = w.apply(operator.gt, x, 0, type=BOOL)
        w.branch(cond, lambda: (ir.UNDEFINED,), lambda: (ir.UNDEFINED,), z)
        return y, z

    function, _ = simplified(write, FLOAT)
    assert kinds(function).count("If") == 2


def test_branches_that_give_the_same() -> None:
    def write(w: Writer, x: ir.Var) -> Any:
        y, z = ir.Var("y", FLOAT), ir.Var("z", FLOAT)
        cond = w.apply(operator.gt, x, 0, type=BOOL)
        w.branch(cond, lambda: (x, 1.0), lambda: (x, 1.0), y, z)
        return y, z

    function, (x,) = simplified(write, FLOAT)
    first, second = function.body.results[0].items
    assert first is x and second.value == 1.0
    assert not clean(function).body.ops


def test_loops_that_never_run() -> None:
    def write(w: Writer, x: ir.Var) -> Any:
        (y,) = w.loop((3, 3, 1), (x,), lambda i, p: (w.apply(operator.neg, p),))
        negate = lambda p: (w.apply(operator.neg, p),)
        (z,) = w.while_loop((y,), lambda p: (False,), negate)
        return z

    function, (x,) = simplified(write, FLOAT)
    assert function.body.ops == () and function.body.results == (x,)


def test_carried_variables_that_do_not_change_are_not_carried() -> None:
    def write(w: Writer, x: ir.Var, y: ir.Var) -> Any:
        def body(index: ir.Var, p: ir.Var, q: ir.Var, r: ir.Var) -> tuple[Any, ...]:
            leave = w.apply(operator.gt, q, 100.0, type=BOOL)
            return leave, p, w.apply(operator.mul, q, p), y

        return w.loop((0, 3, 1), (x, y, y), body, breaks=True)

    function, _ = simplified(lambda w, x, y: tuple(write(w, x, y)), FLOAT, FLOAT)
    (loop,) = function.body.ops
    assert len(loop.params) == 1
    assert run(function, 2.0, 1.0) == (2.0, 8.0, 1.0)


def test_swapped_variables_stay_carried() -> None:
    def write(w: Writer, x: ir.Var, y: ir.Var) -> Any:
        return tuple(w.loop((0, 3, 1), (x, y), lambda i, p, q: (q, p)))

    function, _ = simplified(write, FLOAT, FLOAT)
    assert run(clean(function), 1.0, 2.0) == (2.0, 1.0)


def test_with_blocks_are_entered() -> None:
    x, w = ir.Var("x", FLOAT), Writer()
    context, y = w.apply(nullcontext, type=UNKNOWN), ir.Var("y", FLOAT)
    body = w.block(lambda: (w.apply(operator.mul, w.apply(math.sin, x), 1),))
    w.ops.append(ir.With(ir.NOWHERE, (y,), context, body))
    after = clean(w.function((x,), y))
    assert calls(after) == [nullcontext, math.sin]
    assert run(after, 0.5) == math.sin(0.5)


# ---------------------------------------------------------------- hoisting


def hoisted(write: Callable[..., Any], **options: Any) -> ir.Function:
    w, x, a = Writer(), ir.Var("x", FLOAT), ir.Var("a", VECTOR)
    body = lambda index, s: (write(w, x, a, index, s),)
    (total,) = w.loop((0, x, 1), (a,), body)
    return hoist_invariants(w.function((x, a), total))


@pytest.mark.parametrize(
    "fn, operands, options, moves",
    [
        (operator.mul, "xx", {"type": FLOAT}, True),
        (operator.mul, "xa", {"type": VECTOR}, True),
        (np.tanh, "a", {"type": VECTOR}, True),
        (operator.mul, "sa", {"type": VECTOR}, False),  # varies
        (operator.truediv, "xx", {"type": FLOAT}, False),  # may be 0 / 0
        (operator.mul, "xx", {"type": FLOAT, "name": "kept"}, False),
        (operator.mul, "xx", {"type": FLOAT, "adjoint": False}, False),
        (np.transpose, "a", {"type": VECTOR}, False),  # costs nothing
        (np.linalg.inv, "a", {"type": VECTOR}, False),  # may fail
    ],
)
def test_hoisting(fn: Any, operands: str, options: Any, moves: bool) -> None:
    def write(w: Writer, x: ir.Var, a: ir.Var, index: ir.Var, s: ir.Var) -> Any:
        found = {"x": x, "a": a, "s": s}
        settings = {"adjoint": True, **options}
        moving = w.apply(fn, *(found[name] for name in operands), **settings)
        return w.apply(operator.add, s, moving, type=VECTOR)

    first = hoisted(write).body.ops[0]
    assert isinstance(first, ir.Apply) is moves


def test_hoisting_reads_nothing_that_is_written() -> None:
    def write(w: Writer, x: ir.Var, a: ir.Var, index: ir.Var, s: ir.Var) -> Any:
        twice = w.apply(operator.mul, a, 2.0, type=VECTOR, adjoint=True)
        return w.store(s, (index,), w.load(twice, 0, type=NUMPY_FLOAT))

    function = hoisted(write)
    assert kinds(function) == ["For", "Apply", "Load", "Store"]


# ---------------------------------------------------------------- speed


def test_long_functions_take_no_time() -> None:
    x, a, w = ir.Var("x", FLOAT), ir.Var("a", VECTOR), Writer()
    total = x
    for step in range(500):
        sine = w.apply(math.sin, total if step % 3 else x)
        scaled = w.apply(operator.mul, sine, 1)
        a = w.store(a, (step % 4,), scaled)
        total = w.apply(operator.add, total, w.load(a, 0, type=NUMPY_FLOAT))
    params = (x, next(op.base for op in w.ops if isinstance(op, ir.Store)))
    function = w.function(params, (total, a))
    assert count(function) > 2000
    for transform in (simplify, share_common_subexpressions, eliminate_dead_code):
        start = time.process_time()
        transform(function)
        # A tenth of a second is typical; the rest is for a busy machine.
        assert time.process_time() - start < 0.5, transform.__name__


def test_spans_and_sweeps_are_kept() -> None:
    span = ir.Span("model.py", 3, 4, statement="y = x + -x")
    x, w = ir.Var("x", FLOAT), Writer()
    minus = w.apply(operator.neg, x)
    y = w.apply(operator.add, x, minus, adjoint=True)
    w.ops[-1] = replace(w.ops[-1], span=span)
    (op,) = clean(w.function((x,), y)).body.ops
    assert op.span is span and op.adjoint


# ---------------------------------------------------------------- derivative code


def test_sign_of_a_product_moves_out_to_the_sum() -> None:
    x, y, d = (ir.Var(name, VECTOR) for name in ("x", "y", "d"))
    w = Writer()
    minus = w.apply(operator.neg, x, type=VECTOR, adjoint=True)
    product = w.apply(operator.mul, minus, y, type=VECTOR, adjoint=True)
    total = w.apply(operator.add, d, product, type=VECTOR, adjoint=True)
    function = clean(w.function((x, y, d), total))
    assert calls(function) == [operator.mul, operator.sub]


def test_sign_that_no_sum_takes_goes_to_a_number() -> None:
    x, y = (ir.Var(name, VECTOR) for name in ("x", "y"))
    w = Writer()
    minus = w.apply(operator.neg, y, type=VECTOR, adjoint=True)
    twice = w.apply(operator.mul, 2, x, type=VECTOR, adjoint=True)
    product = w.apply(operator.mul, twice, minus, type=VECTOR, adjoint=True)
    function = clean(w.function((x, y), product))
    assert calls(function) == [operator.mul, operator.mul]
    first = function.body.ops[0]
    assert isinstance(first, ir.Apply) and isinstance(first.args[0], ir.Const)
    assert first.args[0].value == -2


def test_signs_of_the_primal_stay_where_they_are() -> None:
    x, y = (ir.Var(name, VECTOR) for name in ("x", "y"))
    w = Writer()
    minus = w.apply(operator.neg, x, type=VECTOR)
    product = w.apply(operator.mul, minus, y, type=VECTOR)
    function = w.function((x, y), product)
    assert clean(function) is function


def test_two_equal_contributions_are_twice_one() -> None:
    w, d = ir.Var("w", VECTOR), Writer()
    first = d.apply(operator.mul, 0.25, w, type=VECTOR, name="d_w", adjoint=True)
    second = d.apply(operator.mul, 0.25, w, type=VECTOR, adjoint=True)
    total = d.store(first, (), second, mode="add", adjoint=True)
    function = clean(d.function((w,), total))
    (op,) = function.body.ops
    assert isinstance(op, ir.Apply) and isinstance(op.args[0], ir.Const)
    assert op.fn is operator.mul and op.args[0].value == 0.5


def test_contribution_that_something_else_reads_is_not_merged() -> None:
    w, d = ir.Var("w", VECTOR), Writer()
    first = d.apply(operator.mul, 0.25, w, type=VECTOR, name="d_w", adjoint=True)
    kept = d.apply(np.copy, first, type=VECTOR, adjoint=True)
    second = d.apply(operator.mul, 0.5, w, type=VECTOR, adjoint=True)
    total = d.store(first, (), second, mode="add", adjoint=True)
    function = clean(d.function((w,), (total, kept)))
    assert "Store" in kinds(function)


def test_size_of_a_temporary_is_that_of_what_it_is_made_from() -> None:
    x, w = ir.Var("x", VECTOR), Writer()
    made = w.apply(np.exp, x, type=VECTOR)
    size = w.apply(np.size, made, type=INT, adjoint=True)
    share = w.apply(operator.truediv, 1.0, size, adjoint=True)
    function = clean(w.function((x,), share))
    assert calls(function) == [np.size, operator.truediv]
    assert list(ir.uses(function.body.ops[0])) == [x]


def test_size_of_a_temporary_is_not_asked_of_a_written_array() -> None:
    x, w = ir.Var("x", VECTOR), Writer()
    u = w.apply(np.copy, x, type=VECTOR, name="u")
    made = w.apply(np.exp, u, type=VECTOR)
    u = w.store(u, (0,), 1.0)
    size = w.apply(np.size, made, type=INT, adjoint=True)
    function = clean(w.function((x,), (u, size)))
    (asked,) = [op for op in function.body.ops if getattr(op, "fn", None) is np.size]
    assert u not in ir.uses(asked) and next(ir.uses(asked)).name != "u"


def test_copy_of_a_broadcast_number_is_a_filled_array() -> None:
    x, s, w = ir.Var("x", VECTOR), ir.Var("s", FLOAT), Writer()
    shape = w.apply(np.shape, x, type=UNKNOWN, adjoint=True)
    ones = w.apply(np.broadcast_to, 1.0, shape, type=VECTOR, adjoint=True)
    many = w.apply(np.broadcast_to, s, shape, type=VECTOR, adjoint=True)
    ones = w.apply(np.copy, ones, type=VECTOR, adjoint=True)
    many = w.apply(np.copy, many, type=VECTOR, adjoint=True)
    function = clean(w.function((x, s), (ones, many)))
    assert {*calls(function)} == {np.shape, np.ones_like, np.full}


@pytest.mark.parametrize("kind", [FLOAT, UNKNOWN])
def test_comparison_of_a_branch_is_made_again_only_for_numbers(kind: Type) -> None:
    x, w = ir.Var("x", kind), Writer()
    flag = ir.Var("", BOOL)

    def then() -> tuple[Any, ...]:
        w.effect(record, 1.0)
        return (w.apply(operator.lt, x, 1.0, type=BOOL),)

    cond = w.apply(operator.lt, x, 2.0, type=BOOL)
    w.branch(cond, then, lambda: (ir.UNDEFINED,), flag)
    function = clean(w.function((x,), flag))
    (branch,) = [op for op in function.body.ops if isinstance(op, ir.If)]
    assert len(branch.targets) == (0 if kind is FLOAT else 1)
