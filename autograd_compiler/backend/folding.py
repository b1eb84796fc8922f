"""Which temporaries are written where they are used, as part of a larger expression.

Lowering gives every intermediate result a variable.  A temporary that is used once, in
the same block, goes back into the expression that uses it: the forward sweep then reads
as the user wrote it.

Note [Moving an expression].  To fold an operation is to evaluate it later, where its
result is used.  In between nothing may write memory that it reads, print, raise, or
draw a random number that it draws too; and no variable that it reads may be given a new
value under the same name, which would cost a copy and a number in a name.
"""

from __future__ import annotations

import operator
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from autograd_compiler import ir
from autograd_compiler.analysis import effects
from autograd_compiler.analysis.effects import is_exact_view
from autograd_compiler.backend import stores
from autograd_compiler.names import Namespace
from autograd_compiler.printer import Expressions
from autograd_compiler.types import Array, Scalar, TupleOf

LONGEST = 88  # characters of an expression of the user's that folding may build
_LONGEST_ADJOINT = 66  # and of one of ours, which should fit on its line
_LONGEST_SUM = 300  # each term has a line
_LONGEST_CONDITIONAL = 60
_TESTS = (operator.lt, operator.le, operator.gt, operator.ge, operator.eq, operator.ne)
_FORMS = (len, np.shape, np.size, np.transpose)
_SHORTEST = 20  # characters of a read that is written again instead of named


@dataclass(frozen=True)
class Folding:
    """What is written as part of something else.

    Attributes
    ----------
    params
        One variable for each parameter; that of a container stands for its name.
    folded
        Variables and the operations that are written in their place.  The parts of a
        container are here too, as the path that leads to them.
    expressions
        Conditionals that are written `a if c else b`, folded or not.
    count
        How often each variable is read.
    """

    params: tuple[ir.Var, ...]
    folded: Mapping[ir.Var, ir.Operation]
    expressions: frozenset[ir.Operation]
    count: Mapping[ir.Var, int]


def fold(function: ir.Function) -> Folding:
    """Decide what is folded; the function stays as it is.

    Before::

        t = np.matmul(X, w)
        t_1 = t + b
        z = np.tanh(t_1)

    After::

        z = np.tanh(np.matmul(X, w) + b)
    """
    folder = _Folder(function)
    folder.block(function.body)
    return Folding(
        folder.params, folder.folded, frozenset(folder.expressions), folder.count
    )


class _Folder:
    def __init__(self, function: ir.Function) -> None:
        self.count = Counter(ir.block_uses(function.body))
        self.folded: dict[ir.Var, ir.Operation] = {}
        self.expressions: set[ir.Operation] = set()
        self.params = tuple(self._param(param) for param in function.params)
        self._versions = Counter(var.name for var in _variables(function))
        self._memory = effects.memory_of(function)
        self._numbers = stores.whole_numbers(function)
        self._printer = Expressions(
            lambda var: var.name or "t", Namespace(), self.folded
        )

    def _param(self, param: ir.Param) -> ir.Var:
        if isinstance(param.tree, ir.Var):
            return param.tree
        root = ir.Var(param.name)
        for leaf, path in _leaf_paths(param.tree, ()):
            self.folded[leaf] = ir.Load(ir.NOWHERE, leaf, root, path)
        return root

    # ------------------------------------------------------------ a block

    def block(self, block: ir.Block, loop: ir.For | ir.While | None = None) -> None:
        for op in block.ops:
            for inner in ir.blocks(op):
                inside = isinstance(op, (ir.For, ir.While)) and inner is op.body
                self.block(inner, op if inside else None)  # type: ignore[arg-type]
            if isinstance(op, ir.If) and self._is_expression(op):
                self.expressions.add(op)
        self._move(block)
        if loop is not None:
            self._rotate(block, loop)
        self._shorten(block)

    def _is_expression(self, op: ir.If) -> bool:
        if len(op.targets) != 1 or op.targets[0].name:
            return False
        for block in (op.then, op.orelse):
            if block.results[0] is ir.UNDEFINED:
                return False
            for inner in block.ops:
                found = ir.targets(inner)
                if not found or any(var not in self.folded for var in found):
                    return False
        return len(self._printer.operation(op).text) <= _LONGEST_CONDITIONAL

    def _move(self, block: ir.Block) -> None:
        """Fold what may be evaluated later, last operations first."""
        ops = block.ops
        user = _users(block)
        # Where the text of each operation will stand: at a later one, or at its own.
        place = list(range(len(ops)))
        for number in reversed(range(len(ops))):
            op = ops[number]
            target = self._temporary(op)
            anywhere = self._is_test(op) or self._is_index(op)
            if target is not None and anywhere and self._is_settled(op):
                place[number] = len(ops)
                self.folded[target] = op
                continue
            if target is None or len(user.get(target, ())) != self.count[target]:
                continue
            if any(
                at < len(ops) and target in self._kept(ops[at]) for at in user[target]
            ):
                continue
            at = max(place[at] if at < len(ops) else at for at in user[target])
            between = range(number + 1, min(at, len(ops)))
            if not any(
                self._hinders(op, ops[other], place[other] != other)
                for other in between
            ):
                place[number] = at
                self.folded[target] = op

    def _temporary(self, op: ir.Operation) -> ir.Var | None:
        """The result of an operation that folding may be asked for."""
        match op:
            case ir.Apply(targets=(target,)) | ir.Load(target=target):
                pass
            case ir.If(targets=(target,)) if op in self.expressions:
                pass
            case ir.Pop(value=value) if op.adjoint and value.name.startswith("d_"):
                return value if self.count[value] == 1 else None
            case ir.Call(targets=(target,)) if op.adjoint:
                named = target.name.startswith("d_")
                return target if named and self.count[target] == 1 else None
            case _:
                return None
        if target.name or not self.count[target]:
            return None
        return target if self.count[target] == 1 or self._is_short_read(op) else None

    def _is_short_read(self, op: ir.Operation) -> bool:
        """Whether to write an operation as often as it is used: `u[1:-1]`, `x.shape`.

        The user wrote it that often; it costs no more than the name of a temporary.
        """
        match op:
            case ir.Load(base=base):
                held = isinstance(base.type, (Array, TupleOf))
                if not held or not is_exact_view(op):
                    return False
            case ir.Apply(fn=fn, args=(_, ir.Const(attribute))) if fn is getattr:
                if attribute not in ("shape", "size", "T"):
                    return False
            case ir.Apply(fn=fn, args=(ir.Var(),)) if fn in _FORMS:
                pass
            case ir.Apply() if self._is_index(op):
                pass
            case ir.Apply(fn=fn, target=ir.Var(type=Scalar("bool"))):
                return self._is_test(op) and self._is_short(op)
            case _:
                return False
        return self._is_short(op)

    def _is_short(self, op: ir.Operation) -> bool:
        return len(self._printer.operation(op).text) <= _SHORTEST

    def _kept(self, op: ir.Operation) -> Iterable[ir.Var]:
        """The variables that must stay variables where this operation reads them."""
        match op:
            case ir.Append(base=base) | ir.Pop(base=base):
                return (base,)
            case ir.Store(base=base, path=path):
                if stores.spelling(op, self._numbers) != "rebind":
                    return (base,)
                # The path is written twice.
                inside = (ir.leaves(operand) for operand in ir.path_operands(path))
                return (base, *(var for found in inside for var in found))
        return ()

    def _hinders(self, op: ir.Operation, other: ir.Operation, folded: bool) -> bool:
        """Whether `op` must not be evaluated after `other`, which follows it."""
        if isinstance(op, ir.Call):
            return True
        folded = folded and not isinstance(other, ir.Call)
        if self._is_fixed(op):
            inside = [found for block in ir.blocks(other) for found in ir.walk(block)]
            assigned = {
                var.name
                for found in (other, *inside)
                for var in (*ir.targets(found), *ir.inner_vars(found))
            }
            return not assigned.isdisjoint(v.name for v in ir.uses(op) if v.name)
        opaque = isinstance(op, ir.Apply) and effects.changes_state(op)
        if isinstance(other, ir.Apply) and effects.changes_state(other) and opaque:
            return True
        if folded:
            return False
        if isinstance(other, (ir.Effect, ir.For, ir.While, ir.With)):
            return True
        if isinstance(other, ir.If) and other not in self.expressions:
            return True
        if isinstance(other, ir.Call) and opaque:
            return True
        reads = list(_reads(op))
        if isinstance(op, ir.Pop):
            touched = [*self._memory.buffers(_reads(other))]
            if self._share([*self._memory.buffers(reads)], touched):
                return True
        names = {var.name for var in reads if var.name}
        if any(target.name in names for target in ir.targets(other)):
            return True
        return self._share([*self._memory.buffers(reads)], [*effects.writes(other)])

    def _is_fixed(self, op: ir.Operation) -> bool:
        """Whether an operation gives the same as long as its names mean the same."""
        match op:
            case ir.Apply(fn=fn, args=(_, ir.Const("shape" | "size"))):
                return fn is getattr
            case ir.Apply(fn=fn, args=(ir.Var(type=Array()),)) if fn in _FORMS:
                return fn is not np.transpose
            case ir.Load(
                base=ir.Var(type=TupleOf(items)), path=(ir.Index(ir.Const()),)
            ):
                return all(isinstance(item, Scalar) for item in items)
        return self._is_test(op) or self._is_index(op)

    @staticmethod
    def _is_index(op: ir.Operation) -> bool:
        """Whether this is `n + 1`, or the like, of an integer."""
        match op:
            case ir.Apply(
                targets=(ir.Var(type=Scalar("int64")),),
                fn=operator.add | operator.sub,
                args=(ir.Var(type=Scalar("int64")), ir.Const()),
            ):
                return True
        return False

    @staticmethod
    def _is_test(op: ir.Operation) -> bool:
        """Whether an operation compares numbers that have names."""
        if not isinstance(op, ir.Apply) or op.fn not in _TESTS:
            return False
        numbers = (isinstance(var.type, Scalar) and var.name for var in ir.uses(op))
        return all(numbers)

    def _is_settled(self, op: ir.Operation) -> bool:
        """Whether nothing else has the name of a variable that is read."""
        return all(self._versions[var.name] == 1 for var in ir.uses(op))

    def _share(self, first: list[ir.Var], second: list[ir.Var]) -> bool:
        aliases = self._memory.aliases
        if {aliases.find(var) for var in first} & {aliases.find(var) for var in second}:
            return True
        # Two arguments may be one array.
        return all(
            any(aliases.has(var, effects.Fact.EXTERNAL) for var in group)
            for group in (first, second)
        )

    # ------------------------------------------------------------ loops

    def _rotate(self, block: ir.Block, loop: ir.For | ir.While) -> None:
        """Fold the last operations of a body into `a, b = b, a + b`.

        That is for a new value that would need another name, since the old value is
        read in the same assignment.
        """
        results = block.results[1:] if loop.breaks else block.results
        later = set(ir.leaves(block.results[0])) if loop.breaks else set()
        slots = {
            result: param
            for param, result in zip(loop.params, results, strict=True)
            if isinstance(result, ir.Var)
        }
        for op in reversed(block.ops):
            (target,) = ir.targets(op) if len(ir.targets(op)) == 1 else (None,)
            if target is None or not isinstance(op, (ir.Apply, ir.Load)):
                return
            if target in self.folded:
                continue
            param = slots.get(target)
            if param is None or self.count[target] != 1 or not target.name:
                return
            if target.name != param.name or not isinstance(target.type, Scalar):
                return
            read = {var for result in results for var in self._expanded(result)}
            if param not in read | later:
                return
            self.folded[target] = op

    def _expanded(self, operand: ir.Operand) -> Iterator[ir.Var]:
        for var in ir.leaves(operand):
            if var in self.folded:
                for inner in _reads(self.folded[var]):
                    yield from self._expanded(inner)
            else:
                yield var

    # ------------------------------------------------------------ length

    def _shorten(self, block: ir.Block) -> None:
        """Give the longest parts of long expressions their variables back."""
        for op in block.ops:
            if isinstance(op, (ir.Apply, ir.Load)) or op in self.expressions:
                direct = [*ir.uses(op)]
                longest = _LONGEST_ADJOINT if op.adjoint else LONGEST
                if _is_sum(op):
                    longest = _LONGEST_SUM
                while len(self._printer.operation(op).text) > longest:
                    if not self._unfold_longest(direct):
                        break
            else:
                for operand in ir.operands(op):
                    self._shorten_operand(operand)
        for result in block.results:
            self._shorten_operand(result)

    def _shorten_operand(self, operand: ir.Operand) -> None:
        parts = [*ir.leaves(operand)]
        if operand is ir.UNDEFINED or not any(part in self.folded for part in parts):
            return
        alone = self.folded.get(operand) if isinstance(operand, ir.Var) else None
        longest = _LONGEST_SUM if _is_sum(alone) else LONGEST
        while len(self._printer.text(operand)) > longest:
            if not self._unfold_longest(parts):
                return

    def _unfold_longest(self, candidates: list[ir.Var]) -> bool:
        """Take the longest folded variable out again; False if there is none."""
        sizes = {
            var: len(self._printer.text(var))
            for var in candidates
            if not isinstance(self.folded.get(var, None), (ir.Load, type(None)))
        }
        if not sizes:
            return False
        del self.folded[max(sizes, key=lambda var: sizes[var])]
        return True


def _is_sum(op: ir.Operation | None) -> bool:
    return isinstance(op, ir.Apply) and op.fn in (operator.add, operator.sub)


def _variables(function: ir.Function) -> dict[ir.Var, None]:
    found = dict.fromkeys(var for p in function.params for var in ir.leaves(p.tree))
    for op in ir.walk(function.body):
        found.update(dict.fromkeys((*ir.targets(op), *ir.inner_vars(op))))
    return found


def _leaf_paths(
    tree: ir.Operand, path: tuple[ir.Index, ...]
) -> Iterator[tuple[ir.Var, tuple[ir.Index, ...]]]:
    """The variables in the tree of a parameter, each with the path that leads to it."""
    match tree:
        case ir.Var():
            yield tree, path
        case ir.Pack(items, form):
            keys = form.keys or range(len(items))
            for key, item in zip(keys, items, strict=True):
                step = ir.Index(ir.Const(key), attribute=form.kind == "record")
                yield from _leaf_paths(item, (*path, step))


def _users(block: ir.Block) -> dict[ir.Var, list[int]]:
    """Which operations of a block read a variable themselves; its length for results."""
    user: dict[ir.Var, list[int]] = {}
    for number, op in enumerate(block.ops):
        for var in ir.uses(op):
            user.setdefault(var, []).append(number)
    for result in block.results:
        for var in ir.leaves(result):
            user.setdefault(var, []).append(len(block.ops))
    return user


def _reads(op: ir.Operation) -> Iterator[ir.Var]:
    """What an expression reads, the branches of a conditional included."""
    yield from ir.uses(op)
    for block in ir.blocks(op):
        yield from ir.free_vars(block)
