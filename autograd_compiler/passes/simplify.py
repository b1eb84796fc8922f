"""Local algebra: operations that their operands make simpler or superfluous.

Note [What may be folded].  A rewrite must give the same numbers of the same dtype and
shape, and it must not change which buffers are whose.  So `x * 1` is `x` only where the
types say that x is a float, or an integer multiplied by an integer; where x is an array
it is a *copy* of x, and is dropped only if neither is written and the caller cannot tell
(`Memory.may_stand_for`).  Where an operand of an operand is read later than it was, as y
is in `x + (-y) -> x - y`, nothing may have written it in between (`WriteClock`).
`x + 0` turns -0.0 into 0.0 and `x * 0` keeps infinities: for floats they are folded in
derivative code alone.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from autograd_compiler import ir
from autograd_compiler.analysis.effects import Fact, WriteClock, is_fresh, memory_of
from autograd_compiler.builder import identity
from autograd_compiler.types import Array, Dim, Scalar, TupleOf, Type, Unknown, dtype_of


def simplify(function: ir.Function) -> ir.Function:
    """Fold constants, apply identities of algebra, and undo what control flow hides.

    Covered: arithmetic with 1, 0 and -1; double negation; sums with negatives; views
    that cancel; broadcasts that the other operand makes superfluous; copies `y = x`;
    branches on constants; loops that never run; carried variables that do not change.

    Examples
    --------
    Before: `t = -y; z = x + t; return z * 1`.  After: `t = -y; z = x - y; return z`.

    >>> from autograd_compiler.types import Scalar
    >>> number = Scalar("float64")
    >>> x, y, t, z, r = (ir.Var(name, number) for name in "xytzr")
    >>> ops = (
    ...     ir.Apply(ir.NOWHERE, (t,), operator.neg, (y,)),
    ...     ir.Apply(ir.NOWHERE, (z,), operator.add, (x, t)),
    ...     ir.Apply(ir.NOWHERE, (r,), operator.mul, (z, ir.Const(1))),
    ... )
    >>> params = (ir.Param("x", x), ir.Param("y", y))
    >>> function = ir.Function("f", params, ir.Block(ops, (r,)), ir.NOWHERE)
    >>> body = simplify(function).body
    >>> [op.fn.__name__ for op in body.ops], body.results
    (['neg', 'sub'], (%z,))
    """
    work = _Simplifier(function)
    body = work.block(function.body)
    if not work.changed:
        return function
    if work.names:
        body = _rename(body, work.names)
    return replace(function, body=body)


class _Simplifier:
    def __init__(self, function: ir.Function) -> None:
        self._memory = memory_of(function)
        self._clock = WriteClock(self._memory)
        self._replaced: dict[ir.Var, ir.Operand] = {}
        self._made: dict[ir.Var, tuple[ir.Apply, tuple[int, ...]]] = {}
        # Variables that are read from or written to, which a constant cannot be.
        self._bases = {
            op.base
            for op in ir.walk(function.body)
            if isinstance(op, (ir.Load, ir.Store, ir.Append, ir.Pop))
        }
        # What reads each variable: operations, and None for the results of blocks.
        self._readers: dict[ir.Var, list[ir.Operation | None]] = _readers(function.body)
        # Operations that a rewrite asks for in front of its own.
        self._before: list[ir.Apply] = []
        # Temporaries, and those that the forward sweep computes.
        self._nameless: set[ir.Var] = set()
        self._primal: set[ir.Var] = set()
        self.names: dict[ir.Var, ir.Var] = {}
        self.changed = False

    def block(self, block: ir.Block) -> ir.Block:
        ops: list[ir.Operation] = []
        for old in block.ops:
            self._operation(old, ops)
        return ir.Block(tuple(ops), tuple(map(self._current, block.results)))

    def _operation(self, old: ir.Operation, ops: list[ir.Operation]) -> None:
        op = ir.rebuild_op(old, self._current_var, lambda inner: inner)
        match op:
            case ir.Apply() if len(op.targets) == 1:
                self._apply(op, ops)
            case ir.If():
                self._branch(op, ops)
            case ir.For() | ir.While():
                self._loop(op, ops)
            case ir.With():
                ops.append(replace(op, body=self.block(op.body)))
            case ir.Store() if (merged := self._merged(op)) is not None:
                self.changed = True
                self._apply(merged, ops)
            case _:
                if isinstance(op, ir.Load) and not op.target.name:
                    self._nameless.add(op.target)
                    if not op.adjoint:
                        self._primal.add(op.target)
                ops.append(op)
        self._clock.passed(op)

    # ---------------------------------------------------------- replacing

    def _current_var(self, var: ir.Var) -> ir.Operand:
        return self._replaced.get(var, var)

    def _current(self, operand: ir.Operand) -> ir.Operand:
        return ir.rebuild(operand, self._current_var)

    def _can_replace(self, var: ir.Var, operand: ir.Operand) -> bool:
        match operand:
            case ir.Var():
                return True
            case ir.Const():
                return var not in self._bases and _is_literal(operand)
        return False  # a container written out once would be written out again

    def _replace(self, var: ir.Var, operand: ir.Operand) -> None:
        self._replaced[var] = operand
        self.changed = True
        if not isinstance(operand, ir.Var):
            return
        if var in self._bases:
            self._bases.add(operand)
        self._readers.setdefault(operand, []).extend(self._readers.get(var, ()))
        memory = self._memory
        if memory.has_buffer(var) and memory.has_buffer(operand):
            memory.aliases.join(operand, var)
            memory.versions.join(operand, var)
        if operand in self._primal and var.name.startswith("d_"):
            return  # the forward sweep shall not speak of adjoints
        if var.name and operand in self._nameless:
            self._nameless.remove(operand)
            self.names[operand] = ir.Var(var.name, operand.type)

    # ---------------------------------------------------------- calls

    def _apply(self, op: ir.Apply, ops: list[ir.Operation]) -> None:
        for _ in range(8):  # each rewrite is simpler; the bound is for safety alone
            better = self._rewrite(op)
            for extra in self._before:
                self._append(extra, ops)
            self._before = []
            if better is None:
                break
            if not isinstance(better, ir.Apply):
                if self._can_replace(op.target, better):
                    self._replace(op.target, better)
                    return
                break
            op, self.changed = better, True
        if op.adjoint and op.target.name:
            self._continues(op)
        self._append(op, ops)

    def _continues(self, op: ir.Apply) -> None:
        """Take the name from `d = a` before `d = d + b` of the same statement."""
        for var in ir.uses(op):
            if var.name != op.target.name or self._readers.get(var) is None:
                continue
            made = self._definition(var)
            if made is None or not made.adjoint or not isinstance(var.type, Scalar):
                continue
            alone = len({*self._readers[var]}) == 1
            same = made.span.statement == op.span.statement
            if alone and same and sum(map(self._weight, op.args)) < _MERGED:
                self.names[var] = ir.Var("", var.type)
                self.changed = True

    def _append(self, op: ir.Apply, ops: list[ir.Operation]) -> None:
        stamp = self._clock.stamp((*op.args, *(value for _, value in op.kwargs)))
        self._made[op.target] = (op, stamp)
        if not op.adjoint:
            self._primal.add(op.target)
        if not op.target.name:
            self._nameless.add(op.target)
        ops.append(op)

    def _rewrite(self, op: ir.Apply) -> ir.Apply | ir.Operand | None:
        if op.fn is identity and not op.kwargs:
            return op.args[0]
        folded = _fold(op)
        if folded is not None:
            return folded
        rules = [self._arithmetic, self._signs, self._views, self._broadcasts]
        if op.adjoint:
            rules += [self._adjoint_sign, self._products, self._sizes]
            rules += [self._filled, self._finite, self._choices]
        for rule in rules:
            better = rule(op)
            if better is not None:
                return better
        return None

    def _arithmetic(self, op: ir.Apply) -> ir.Apply | ir.Operand | None:
        """Arithmetic with one constant: 1, 0 or -1."""
        match _kind(op), op.args:
            case "mul", (ir.Const(number), ir.Var() as x) if _is_number(number):
                return self._times(op, x, number)
            case "mul", (ir.Var() as x, ir.Const(number)) if _is_number(number):
                return self._times(op, x, number)
            case "pow", (ir.Var() as x, ir.Const(number)) if _is_number(number):
                if number == 1:
                    return self._unchanged(op, x, number)
            case "truediv", (ir.Var() as x, ir.Const(number)) if _is_number(number):
                # A division of integers gives a float.
                if number == 1 and _dtype_kind(x.type) == "f":
                    return self._unchanged(op, x, number)
            case "add", (ir.Const(number), ir.Var() as x) if _is_number(number):
                if number == 0 and self._adds_nothing(op, x):
                    return self._unchanged(op, x, number)
            case "add", (ir.Var() as x, ir.Const(number)) if _is_number(number):
                if number == 0 and self._adds_nothing(op, x):
                    return self._unchanged(op, x, number)
            case "sub", (ir.Var() as x, ir.Const(number)) if _is_number(number):
                if number == 0 and math.copysign(1, number) > 0:
                    return self._unchanged(op, x, number)
        return None

    def _times(
        self, op: ir.Apply, x: ir.Var, number: int | float
    ) -> ir.Apply | ir.Operand | None:
        if number == 1:
            return self._unchanged(op, x, number)
        if not _keeps_type(x.type, number):
            return None
        kind = _dtype_kind(x.type)
        if number == -1 and kind != "u":
            return replace(op, fn=operator.neg, args=(x,), style="function")
        if number == 0 and isinstance(x.type, Scalar) and x.type.weak:
            if kind == "i":
                return ir.Const(0)
            if op.adjoint:
                return ir.Const(0.0)
        return None

    def _unchanged(
        self, op: ir.Apply, x: ir.Var, number: int | float
    ) -> ir.Operand | None:
        if _keeps_type(x.type, number) and self._memory.may_stand_for(x, op.target):
            return x
        return None

    def _adds_nothing(self, op: ir.Apply, x: ir.Var) -> bool:
        return op.adjoint or _dtype_kind(x.type) != "f"

    def _signs(self, op: ir.Apply) -> ir.Apply | ir.Operand | None:
        match _kind(op), op.args:
            case "neg", (x,):
                y = self._negated(x)
                if y is not None and not _is_single(y.type):
                    return y if self._memory.may_stand_for(y, op.target) else None
            case "add", (x, y):
                if (negated := self._negated(y)) is not None:
                    return replace(op, fn=operator.sub, args=(x, negated))
                if (negated := self._negated(x)) is not None:
                    return replace(op, fn=operator.sub, args=(y, negated))
            case "sub", (x, y):
                if (negated := self._negated(y)) is not None:
                    return replace(op, fn=operator.add, args=(x, negated))
        return None

    def _views(self, op: ir.Apply) -> ir.Apply | ir.Operand | None:
        """Views of views: the same memory, so that nothing else can change."""
        inner = self._definition(op.args[0]) if op.args else None
        if inner is None or not inner.args or not isinstance(inner.args[0], ir.Var):
            return None
        x = inner.args[0]
        if not isinstance(x.type, Array) or not x.type.ndim:
            return None
        first, second = _permutation(inner, x.type.ndim), _permutation(op, x.type.ndim)
        if first is not None and second is not None:
            undone = tuple(first[axis] for axis in second) == tuple(range(x.type.ndim))
            return x if undone else None
        axis = _axis(op)
        fns = (op.fn, inner.fn)
        if _are(fns, np.expand_dims, np.squeeze) or _are(
            fns, np.squeeze, np.expand_dims
        ):
            return x if axis is not None and axis == _axis(inner) else None
        # The inner reshape may be a copy, of which the outer one then is a view.
        reshapes = _are(fns, np.reshape, np.reshape)
        if not reshapes or not _only_two(op) or not _only_two(inner):
            return None
        same = self._memory.may_stand_for(x, op.target)
        return replace(op, args=(x, op.args[1])) if same else None

    def _broadcasts(self, op: ir.Apply) -> ir.Apply | None:
        """`broadcast_to(s, shape) * p` is `s * p` where p has that shape already."""
        if _kind(op) not in ("add", "sub", "mul", "truediv") or len(op.args) != 2:
            return None
        for position, other in ((0, op.args[1]), (1, op.args[0])):
            inner = self._definition(op.args[position])
            spread = op.args[position]
            while inner is not None and inner.fn is np.expand_dims:
                spread, inner = inner.args[0], self._definition(inner.args[0])
            if inner is None or inner.fn is not np.broadcast_to or len(inner.args) != 2:
                continue
            small, full = inner.args[0], _type(other)
            if spread is not op.args[position] and not _is_dimensionless(small):
                continue
            shape = op.target.type if _is_dimensionless(small) else inner.target.type
            if _fills(full, shape) and _same_dtype(small, full):
                args = list(op.args)
                args[position] = small
                return replace(op, args=tuple(args))
        return None

    def _choices(self, op: ir.Apply) -> ir.Apply | None:
        """`where(mask, broadcast_to(s, shape), 0)` is `where(mask, s, 0)`."""
        if op.fn is not np.where or len(op.args) != 3 or op.kwargs:
            return None
        if not _fills(_type(op.args[0]), op.target.type):
            return None
        if dtype_of(op.target.type) != "float64":
            return None
        for position in (1, 2):
            inner = self._definition(op.args[position])
            if inner is None or inner.fn is not np.broadcast_to or not _only_two(inner):
                continue
            if _is_dimensionless(inner.args[0]):
                args = list(op.args)
                args[position] = inner.args[0]
                return replace(op, args=tuple(args))
        return None

    # ---------------------------------------------------------- derivative code

    def _new(self, op: ir.Apply, *args: ir.Operand) -> ir.Var:
        """The result of an operation like `op` of other arguments, put before it."""
        made = ir.Var("", op.target.type)
        self._before.append(replace(op, targets=(made,), args=args))
        return made

    def _adjoint_sign(self, op: ir.Apply) -> ir.Apply | None:
        """`-a * b` is `-(a * b)`: the sign moves out, to become that of a sum."""
        if _dtype_kind(op.target.type) not in ("f", "c"):
            return None
        if _kind(op) == "neg":
            return self._absorbed(op)
        if not (_kind(op) in ("mul", "truediv") or op.fn in (operator.matmul, np.sum)):
            return None
        for position, arg in enumerate(op.args):
            positive = self._without_sign(arg)
            if positive is not None:
                args = list(op.args)
                args[position] = positive
                product = self._new(op, *args)
                return replace(
                    op, fn=operator.neg, args=(product,), kwargs=(), style="function"
                )
        return None

    def _without_sign(self, operand: ir.Operand) -> ir.Var | None:
        """y, where the operand is a temporary -y, and y.T where it is (-y).T."""
        if not isinstance(operand, ir.Var) or operand.name or _is_single(operand.type):
            return None
        op = self._definition(operand)
        if op is not None and op.fn is np.transpose and len(op.args) == 1:
            inner = self._without_sign(op.args[0])
            if inner is None or not op.adjoint or op.kwargs:
                return None
            view = self._new(op, inner)
            self._memory.aliases.join(inner, view)
            self._memory.versions.mark(view, Fact.HELD)
            return view
        positive = self._negated(operand)
        if positive is None or _dtype_kind(positive.type) not in ("f", "c"):
            return None
        return positive

    def _absorbed(self, op: ir.Apply) -> ir.Apply | None:
        """`-(2 * x * y)` as `-2 * x * y`, unless a sum takes the sign away."""
        for reader in self._readers.get(op.target, ()):
            if isinstance(reader, ir.Store) and reader.mode == "add":
                return None
            if isinstance(reader, ir.Apply) and (
                _kind(reader) or reader.fn in (operator.matmul, np.sum, np.transpose)
            ):
                return None
        opposite = self._opposite(op.args[0])
        if opposite is None:
            return None
        return replace(opposite, targets=op.targets, span=op.span)

    def _opposite(self, operand: ir.Operand) -> ir.Apply | None:
        """The operation that gives minus the operand, a number in it changing sign."""
        if not isinstance(operand, ir.Var) or operand.name:
            return None
        op = self._definition(operand)
        if op is None or not op.adjoint or len(self._readers.get(operand, ())) > 1:
            return None
        kind = _kind(op)
        if kind == "sub":
            return replace(op, args=op.args[::-1])
        if kind not in ("mul", "truediv"):
            return None
        for position, arg in enumerate(op.args):
            if isinstance(arg, ir.Const) and _is_number(arg.value) and arg.value:
                args = list(op.args)
                args[position] = ir.Const(-arg.value)
                return replace(op, args=tuple(args))
        inner = self._opposite(op.args[0])
        if inner is None or _kind(inner) == "sub":
            return None
        made = self._new(inner, *inner.args)
        return replace(op, args=(made, op.args[1]))

    def _products(self, op: ir.Apply) -> ir.Apply | None:
        """Twice the same is `2 * x`; numbers stand in front and are multiplied."""
        if _dtype_kind(op.target.type) not in ("f", "c"):
            return None
        match _kind(op), op.args:
            case "add", (ir.Var() as x, y) if x is y and _same_type(x, op.target):
                return replace(op, fn=operator.mul, args=(ir.Const(2), x))
            case "mul", (ir.Var() as x, ir.Const(number)) if _is_number(number):
                inner = self._definition(x)
                product = inner is not None and _kind(inner) in ("mul", "truediv")
                if not product or x.name or len({*self._readers.get(x, ())}) > 1:
                    return replace(op, args=(op.args[1], x))
            case "mul", (ir.Const(number), ir.Var() as x) if _is_number(number):
                if (
                    number == 1
                    and isinstance(x.type, Array)
                    and _same_type(x, op.target)
                ):
                    return replace(op, fn=np.copy, args=(x,), style="function")
                return self._scaled(op, x, number)
        return None

    def _scaled(self, op: ir.Apply, x: ir.Var, number: int | float) -> ir.Apply | None:
        """`2 * (0.5 * x)` is `1.0 * x`: with a power of two no digit is lost."""
        inner = self._definition(x)
        if inner is None or _kind(inner) != "mul" or not inner.adjoint or x.name:
            return None
        if len(self._readers.get(x, ())) > 1 or math.frexp(number)[0] not in (
            0.5,
            -0.5,
        ):
            return None
        first, second = inner.args
        if isinstance(first, ir.Const) and _is_number(first.value):
            return replace(op, args=(ir.Const(number * first.value), second))
        if not isinstance(first, ir.Var) or not _same_type(first, op.target):
            return None
        return replace(op, args=(self._new(op, op.args[0], first), second))

    def _sizes(self, op: ir.Apply) -> ir.Apply | None:
        """The size of a temporary, asked of an operand of the same shape instead."""
        asked = (
            op.fn is getattr and len(op.args) == 2 and isinstance(op.args[1], ir.Const)
        )
        if asked and op.args[1].value not in ("shape", "size"):  # type: ignore[union-attr]
            return None
        if not asked and not (op.fn in (np.shape, np.size) and len(op.args) == 1):
            return None
        var = op.args[0]
        if not isinstance(var, ir.Var) or var.name:
            return None
        source = self._same_shape(var, 6)
        if source is not None:
            return replace(op, args=(source, *op.args[1:]))
        if op.fn is np.size and isinstance(var.type, Array) and var.type.ndim == 1:
            return self._length(op, var, var.type.dims[0])
        return None

    def _length(self, op: ir.Apply, var: ir.Var, dim: Dim | None) -> ir.Apply | None:
        """The length of a vector, as that of an axis of what it is made from."""
        waiting = [var]
        while waiting and dim is not None:
            made, _ = self._made.get(waiting.pop(0), (None, ()))
            for arg in made.args if made is not None else ():
                if not isinstance(arg, ir.Var) or not isinstance(arg.type, Array):
                    continue
                waiting.append(arg)
                axes = [k for k, size in enumerate(arg.type.dims) if dim.same(size)]
                written = self._memory.aliases.has(arg, Fact.WRITTEN)
                if arg.name and axes and not written:
                    lengths = TupleOf((Scalar("int64"),) * arg.type.ndim)
                    shape = replace(
                        op,
                        targets=(ir.Var("", lengths),),
                        fn=getattr,
                        args=(arg, ir.Const("shape")),
                    )
                    self._before.append(shape)
                    return replace(
                        op, fn=operator.getitem, args=(shape.target, ir.Const(axes[0]))
                    )
        return None

    def _same_shape(self, var: ir.Var, depth: int) -> ir.Var | None:
        """A variable with a name and the shape of a temporary that is made from it."""
        if var not in self._made or not depth:
            return None
        op, _ = self._made[var]
        for arg in op.args:
            if not isinstance(arg, ir.Var) or not _fills(arg.type, var.type):
                continue
            if arg.name and not self._memory.aliases.has(arg, Fact.WRITTEN):
                return arg
            found = self._same_shape(arg, depth - 1)
            if found is not None:
                return found
        return None

    def _finite(self, op: ir.Apply) -> ir.Var | None:
        """`logaddexp` of a finite number is not minus infinity."""
        if op.fn is not np.nan_to_num or len(op.args) != 1 or op.kwargs:
            return None
        inner = self._definition(op.args[0])
        if inner is None or inner.fn not in (np.logaddexp, np.logaddexp2):
            return None
        for arg in inner.args:
            if isinstance(arg, ir.Const) and _is_number(arg.value):
                same = self._memory.may_stand_for(inner.target, op.target)
                return inner.target if same and math.isfinite(arg.value) else None
        return None

    def _filled(self, op: ir.Apply) -> ir.Apply | None:
        """A copy of a number that was broadcast is an array filled with it."""
        if op.fn is not np.copy or len(op.args) != 1 or op.kwargs:
            return None
        inner = self._definition(op.args[0])
        if inner is None or inner.fn is not np.broadcast_to or not _only_two(inner):
            return None
        number, shape = inner.args
        if not _is_dimensionless(number):
            return None
        asked = self._definition(shape)
        if isinstance(number, ir.Const) and number.value == 1 and asked is not None:
            match asked.args[0]:
                case ir.Var(type=Array("float64", contiguous=True)) as like if (
                    asked.fn is np.shape or asked.fn is getattr
                ):
                    return replace(op, fn=np.ones_like, args=(like,), style="function")
        return replace(op, fn=np.full, args=(shape, number), style="function")

    def _merged(self, op: ir.Store) -> ir.Apply | None:
        """`d = a; d += b` as `d = a + b`, where one statement asks for both."""
        if op.mode != "add" or op.path or not op.adjoint:
            return None
        first = self._definition(op.base)
        if first is None or not first.adjoint or not is_fresh(first):
            return None
        if len(self._readers.get(op.base, ())) != 1 or not isinstance(op.value, ir.Var):
            return None
        second = self._definition(op.value)
        if second is None or not _same_type(op.base, op.value):
            return None
        if first.span.statement != op.span.statement:
            return None
        made = ir.Apply(
            op.span, (op.target,), operator.add, (op.base, op.value), adjoint=True
        )
        if _equal_calls(first, second):
            return replace(made, args=(op.value, op.value))
        if self._weight(op.base) + self._weight(op.value) > _MERGED:
            return None
        self.names[op.base] = ir.Var("", op.base.type)
        return made

    def _weight(self, operand: ir.Operand, depth: int = 8) -> int:
        """About how many operators the text of an operand will have."""
        op = self._definition(operand)
        if op is None or not depth or len(self._readers.get(op.target, ())) > 1:
            return 0
        return 1 + sum(self._weight(arg, depth - 1) for arg in op.args)

    # ---------------------------------------------------------- definitions

    def _definition(self, operand: ir.Operand) -> ir.Apply | None:
        """The call that made the operand, if what it read is still the same."""
        if not isinstance(operand, ir.Var) or operand not in self._made:
            return None
        op, stamp = self._made[operand]
        operands = (*op.args, *(value for _, value in op.kwargs))
        return op if self._clock.stamp(operands) == stamp else None

    def _negated(self, operand: ir.Operand) -> ir.Var | None:
        """y, where the operand is -y."""
        op = self._definition(operand)
        if op is None or _kind(op) != "neg" or not isinstance(op.args[0], ir.Var):
            return None
        # Minus True is an integer, and adds otherwise than True does.
        numeric = isinstance(op.args[0].type, Unknown)
        numeric = numeric or _dtype_kind(op.args[0].type) in tuple("iufc")
        return op.args[0] if numeric else None

    # ---------------------------------------------------------- control flow

    def _branch(self, op: ir.If, ops: list[ir.Operation]) -> None:
        then, orelse = self.block(op.then), self.block(op.orelse)
        if isinstance(op.cond, ir.Const) and _is_plain(op.cond.value):
            taken = then if op.cond.value else orelse
            if self._can_replace_all(op.targets, taken.results):
                ops.extend(taken.ops)
                self.changed = True
                for target, result in zip(op.targets, taken.results, strict=True):
                    self._replace(target, result)
                return
        if not then.ops and not orelse.ops and not op.targets:
            self.changed = True
            return
        keep = []
        again: list[ir.Apply] = []
        for position, target in enumerate(op.targets):
            first, second = then.results[position], orelse.results[position]
            if _same(first, second) and self._can_replace(target, first):
                self._replace(target, first)
            elif (
                test := self._test_again(target, first, second, then, orelse)
            ) is not None:
                again.append(test)
                self.changed = True
            else:
                keep.append(position)
        ops.append(
            replace(
                op,
                targets=tuple(op.targets[k] for k in keep),
                then=ir.Block(then.ops, tuple(then.results[k] for k in keep)),
                orelse=ir.Block(orelse.ops, tuple(orelse.results[k] for k in keep)),
            )
        )
        for test in again:
            self._append(test, ops)

    def _test_again(
        self,
        target: ir.Var,
        first: ir.Operand,
        second: ir.Operand,
        *branches: ir.Block,
    ) -> ir.Apply | None:
        """A comparison that one branch made and the reverse sweep asks for again.

        `x < 1` reads better than a variable for it, and numbers compare at no cost.
        """
        found = second if first is ir.UNDEFINED else first
        if (first is ir.UNDEFINED) == (second is ir.UNDEFINED) or target.name:
            return None
        op = self._definition(found)
        if op is None or op.fn not in _TESTS or not all(map(_is_real_number, op.args)):
            return None
        inside = {
            var
            for block in branches
            for made in ir.walk(block)
            for var in ir.targets(made)
        }
        if not inside.isdisjoint(ir.uses(op)):
            return None
        return replace(op, targets=(target,))

    def _loop(self, op: ir.For | ir.While, ops: list[ir.Operation]) -> None:
        if _never_runs(op) and self._can_replace_all(op.targets, op.inits):
            self.changed = True
            for target, init in zip(op.targets, op.inits, strict=True):
                self._replace(target, init)
            return
        results = op.body.results[op.breaks :]
        keep = []
        for position, (param, result) in enumerate(
            zip(op.params, results, strict=True)
        ):
            init, target = op.inits[position], op.targets[position]
            constant = result is param or _same(self._current(result), init)
            if constant and self._can_replace_all((param, target), (init, init)):
                self._replace(param, init)
                self._replace(target, init)
            else:
                keep.append(position)
        self._clock.enters(op)
        kept = tuple(results[k] for k in keep)
        body = ir.Block(op.body.ops, (*op.body.results[: op.breaks], *kept))
        changed = replace(
            op,
            targets=tuple(op.targets[k] for k in keep),
            params=tuple(op.params[k] for k in keep),
            inits=tuple(op.inits[k] for k in keep),
        )
        if isinstance(changed, ir.While):
            # In the order in which they run, for what the clock counts.
            cond = self.block(changed.cond)
            ops.append(replace(changed, cond=cond, body=self.block(body)))
        else:
            ops.append(replace(changed, body=self.block(body)))

    def _can_replace_all(
        self, found: tuple[ir.Var, ...], operands: tuple[ir.Operand, ...]
    ) -> bool:
        return all(map(self._can_replace, found, operands))


# ---------------------------------------------------------------- facts about calls


def _table(names: str) -> dict[int, str]:
    table = {id(getattr(operator, name)): name for name in names.split()}
    ufuncs = {
        "add": np.add,
        "sub": np.subtract,
        "mul": np.multiply,
        "truediv": np.true_divide,
        "pow": np.power,
        "neg": np.negative,
    }
    return table | {id(ufunc): name for name, ufunc in ufuncs.items()}


_KINDS = _table("add sub mul truediv pow neg")

_FOLDABLE = {
    id(fn)
    for fn in (
        *(operator.add, operator.sub, operator.mul, operator.truediv, operator.mod),
        *(operator.floordiv, operator.pow, operator.neg, operator.pos, operator.not_),
        *(operator.lt, operator.le, operator.eq, operator.ne, operator.gt, operator.ge),
        *(operator.is_, operator.is_not),
    )
}


def _kind(op: ir.Apply) -> str:
    """The arithmetic that a call does, by operator or by NumPy function; "" if none.

    NumPy's functions of Python numbers give NumPy's numbers, which promote otherwise
    than the operators' results do: with them, the result must be an array.
    """
    kind = _KINDS.get(id(op.fn), "")
    if op.kwargs or (
        isinstance(op.fn, np.ufunc) and not isinstance(op.target.type, Array)
    ):
        return ""
    return kind if len(op.args) == (1 if kind == "neg" else 2) else ""


def _fold(op: ir.Apply) -> ir.Const | None:
    """The value of a call of Python operators on literals, where it reads as well."""
    if id(op.fn) not in _FOLDABLE or op.kwargs:
        return None
    values = [arg.value for arg in op.args if isinstance(arg, ir.Const)]
    if len(values) < len(op.args) or any(map(_is_undefined, op.args)):
        return None
    if op.fn not in (operator.is_, operator.is_not):
        if not all(type(value) in (int, float, bool) for value in values):
            return None
        if op.fn is operator.pow and any(abs(value) > 64 for value in values):
            return None
    elif not all(value is None or isinstance(value, bool) for value in values):
        return None
    try:
        result = op.fn(*values)
    except ArithmeticError:
        return None  # at run time, where it belongs
    if type(result) not in (int, float, bool) or not math.isfinite(result):
        return None
    # `1 / 6` says more than 0.16666666666666666.
    return ir.Const(result) if len(repr(result)) <= 8 else None


def _is_undefined(operand: ir.Operand) -> bool:
    return operand is ir.UNDEFINED


def _is_literal(operand: ir.Const) -> bool:
    """Whether each mention of the constant is the same: not of a list or an array."""
    mutable = (list, dict, set, np.ndarray)
    return operand is not ir.UNDEFINED and not isinstance(operand.value, mutable)


def _is_number(value: object) -> bool:
    return type(value) in (int, float)


def _type(operand: ir.Operand) -> Type | None:
    return operand.type if isinstance(operand, ir.Var) else None


def _dtype_kind(kind: Type) -> str:
    match kind:
        case Scalar(dtype) | Array(dtype):
            return np.dtype(dtype).kind
    return ""


def _keeps_type(kind: Type, number: int | float) -> bool:
    """Whether arithmetic with the literal gives the operand's own type and shape."""
    if _is_single(kind):
        return False
    letter = _dtype_kind(kind)
    return letter == "f" or (letter in ("i", "u") and type(number) is int)


def _is_single(kind: Type) -> bool:
    """An array without dimensions, of which arithmetic makes a number."""
    return isinstance(kind, Array) and not kind.dims


def _are(fns: tuple[Any, Any], first: Any, second: Any) -> bool:
    return fns[0] is first and fns[1] is second


def _only_two(op: ir.Apply) -> bool:
    return len(op.args) == 2 and not op.kwargs


def _permutation(op: ir.Apply, ndim: int) -> tuple[int, ...] | None:
    """The axes of a transposition, None for other calls."""
    match op.fn, op.args, op.kwargs:
        case (fn, (_, ir.Const("T")), ()) if fn is getattr:
            return tuple(reversed(range(ndim)))
        case (np.transpose, (_,), ()):
            return tuple(reversed(range(ndim)))
        case (np.transpose, (_, axes), ()) | (np.transpose, (_,), (("axes", axes),)):
            return _literal_axes(axes, ndim)
    return None


def _literal_axes(axes: ir.Operand, ndim: int) -> tuple[int, ...] | None:
    found: list[Any] = []
    match axes:
        case ir.Const(value) if isinstance(value, (tuple, list)):
            found = list(value)
        case ir.Pack(items):
            found = [item.value for item in items if isinstance(item, ir.Const)]
    if len(found) != ndim or not all(type(axis) is int for axis in found):
        return None
    return tuple(axis % ndim for axis in found)


def _axis(op: ir.Apply) -> int | None:
    match op.args, op.kwargs:
        case ((_, ir.Const(axis)), ()) | ((_,), (("axis", ir.Const(axis)),)):
            return axis if type(axis) is int else None
    return None


_TESTS = (operator.lt, operator.le, operator.gt, operator.ge, operator.eq, operator.ne)


def _is_real_number(operand: ir.Operand) -> bool:
    match operand:
        case ir.Const(value):
            return _is_number(value)
        case ir.Var(type=Scalar(dtype)):
            return np.dtype(dtype).kind in "fiu"
    return False


_MERGED = 6  # operators in a sum that is worth one line


def _readers(block: ir.Block) -> dict[ir.Var, list[ir.Operation | None]]:
    found: dict[ir.Var, list[ir.Operation | None]] = {}

    def visit(block: ir.Block) -> None:
        for op in block.ops:
            for var in ir.uses(op):
                found.setdefault(var, []).append(op)
            for inner in ir.blocks(op):
                visit(inner)
        for result in block.results:
            for var in ir.leaves(result):
                found.setdefault(var, []).append(None)

    visit(block)
    return found


def _equal_calls(first: ir.Apply, second: ir.Apply) -> bool:
    same = first.fn is second.fn and not first.kwargs and not second.kwargs
    return (
        same
        and len(first.args) == len(second.args)
        and all(map(_same, first.args, second.args))
    )


def _same_type(first: ir.Var, second: ir.Var) -> bool:
    """Whether two variables surely have one dtype and one shape."""
    if _dtype_kind(first.type) != _dtype_kind(second.type):
        return False
    match first.type, second.type:
        case Scalar(a), Scalar(b):
            return a == b
        case Array(a), Array(b):
            return a == b and _fills(first.type, second.type)
    return False


def _is_dimensionless(operand: ir.Operand) -> bool:
    match operand:
        case ir.Const(value):
            return _is_number(value)
        case ir.Var(type=Scalar()):
            return True
    return False


def _fills(full: Type | None, result: Type) -> bool:
    if not isinstance(full, Array) or not isinstance(result, Array) or not full.dims:
        return False
    return full.ndim == result.ndim and all(
        isinstance(dim, Dim) and dim.same(other)
        for dim, other in zip(full.dims, result.dims, strict=True)
    )


def _same_dtype(small: ir.Operand, full: Type | None) -> bool:
    """Whether the dtype of the result is the same without the broadcast.

    A Python number becomes a float64 array by it, and would not be one without.
    """
    match small:
        case ir.Var(type=Array() | Scalar(weak=False)):
            return True
        case ir.Pack() | ir.Slice():
            return False
    return isinstance(full, Array) and full.dtype in ("float64", "complex128")


def _same(first: ir.Operand, second: ir.Operand) -> bool:
    match first, second:
        case ir.Const(a), ir.Const(b):
            if first is ir.UNDEFINED or second is ir.UNDEFINED:
                return False
            return a is b or (
                _is_plain(a) and type(a) is type(b) and repr(a) == repr(b)
            )
    return first is second


def _is_plain(value: object) -> bool:
    return type(value) in (int, float, bool, str, type(None))


def _never_runs(op: ir.For | ir.While) -> bool:
    match op:
        case ir.For(
            start=ir.Const(start), stop=ir.Const(stop), step=ir.Const(step)
        ) if (all(type(bound) is int for bound in (start, stop, step)) and step):
            return not range(start, stop, step)
        case ir.While(cond=ir.Block(ops=(), results=(ir.Const(value),))):
            return not value
    return False


def _rename(block: ir.Block, names: dict[ir.Var, ir.Var]) -> ir.Block:
    """The block with calls and loads giving, and all reading, the renamed variables."""
    change: Callable[[ir.Var], ir.Operand] = lambda var: names.get(var, var)

    def rebuilt(old: ir.Operation) -> ir.Operation:
        op = ir.rebuild_op(old, change, lambda inner: _rename(inner, names))
        match op:
            case ir.Apply(targets=targets):
                return replace(
                    op, targets=tuple(names.get(var, var) for var in targets)
                )
            case ir.Load(target=target):
                return replace(op, target=names.get(target, target))
        return op

    return ir.Block(
        tuple(map(rebuilt, block.ops)),
        tuple(ir.rebuild(result, change) for result in block.results),
    )
