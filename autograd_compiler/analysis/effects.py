"""What operations do to memory, and which variables may share a buffer.

Note [Buffers].  A variable denotes the contents of a buffer when it was defined, but at
run time it is the buffer.  A pass that lets a value be read later, or earlier, than the
program did must know that nothing is written in between.  Two tables tell:

* aliases: variables that may share memory, by views and by containers that hold arrays.
  Coarse on purpose: what is not known to give a fresh result is taken to share.
* versions: variables that are one buffer under several names: what a write gives and
  what it was given, what a loop carries, what the branches of an `If` give.

Both are union-find forests, so they cost next to nothing and forget directions: `v` may
share with `a` as soon as some path of views, loops and branches joins them.
"""

from __future__ import annotations

import math
import operator
import types
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import Flag, auto
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np

from autograd_compiler import ir, runtime
from autograd_compiler.rules.registry import rule_of
from autograd_compiler.types import (
    CONTAINERS,
    Array,
    Opaque,
    Scalar,
)


class Fact(Flag):
    """What is known of a group of variables, because it is so for one of them."""

    NOTHING = 0
    WRITTEN = auto()  # some operation writes the buffer
    EXTERNAL = auto()  # a parameter or captured: the caller sees what is written
    ESCAPES = auto()  # may be part of what the function gives back or passes on
    HELD = auto()  # a view of another buffer, or held by a container


class Groups:
    """Disjoint groups of variables, with facts about each."""

    def __init__(self) -> None:
        self._parent: dict[ir.Var, ir.Var] = {}
        self._facts: dict[ir.Var, Fact] = {}

    def find(self, var: ir.Var) -> ir.Var:
        parent = self._parent
        while (above := parent.get(var, var)) is not var:
            parent[var] = parent.get(above, above)
            var = above
        return var

    def join(self, first: ir.Var, second: ir.Var) -> None:
        first, second = self.find(first), self.find(second)
        if first is not second:
            self._parent[second] = first
            moved = self._facts.pop(second, Fact.NOTHING)
            self._facts[first] = self._facts.get(first, Fact.NOTHING) | moved

    def mark(self, var: ir.Var, fact: Fact) -> None:
        root = self.find(var)
        self._facts[root] = self._facts.get(root, Fact.NOTHING) | fact

    def has(self, var: ir.Var, fact: Fact) -> bool:
        return bool(self._facts.get(self.find(var), Fact.NOTHING) & fact)


@dataclass(frozen=True)
class Memory:
    """Which variables of a function may share a buffer; see Note [Buffers]."""

    aliases: Groups
    versions: Groups
    indices: frozenset[ir.Var]

    def has_buffer(self, var: ir.Var) -> bool:
        """Whether writes can change what the variable stands for: not a number."""
        return var not in self.indices and not _is_immutable(var)

    def buffers(self, operands: Iterable[ir.Operand]) -> Iterator[ir.Var]:
        for operand in operands:
            for var in ir.leaves(operand):
                if self.has_buffer(var):
                    yield var

    def may_stand_for(self, source: ir.Var, copy: ir.Var) -> bool:
        """Whether `source` can be used where the program has an equal fresh `copy`.

        Neither may be written, and the caller must not get the same buffer twice, or
        get its own argument back.
        """
        if not self.has_buffer(source) and not self.has_buffer(copy):
            return True
        aliases = self.aliases
        if aliases.has(source, Fact.WRITTEN) or aliases.has(copy, Fact.WRITTEN):
            return False
        if not aliases.has(copy, Fact.ESCAPES):
            return True
        return not aliases.has(source, Fact.ESCAPES | Fact.EXTERNAL)


def memory_of(function: ir.Function) -> Memory:
    """The sharing of buffers in a function.

    Examples
    --------
    >>> import operator
    >>> a, view, total = ir.Var("a"), ir.Var("view"), ir.Var("total")
    >>> index = ir.Index(ir.Slice(ir.Const(1), ir.Const(None), ir.Const(None)))
    >>> ops = (
    ...     ir.Load(ir.NOWHERE, view, a, (index,)),
    ...     ir.Apply(ir.NOWHERE, (total,), operator.add, (view, ir.Const(1.0))),
    ... )
    >>> function = ir.Function(
    ...     "f", (ir.Param("a", a),), ir.Block(ops, (total,)), ir.NOWHERE
    ... )
    >>> memory = memory_of(function)
    >>> memory.aliases.find(view) is memory.aliases.find(a)
    True
    >>> memory.aliases.find(total) is memory.aliases.find(a)
    False
    """
    known = _known.get(function)
    if known is None:
        known = _known[function] = _memory_of(function)
    return known


# Each pass asks, and most leave most functions as they are.
_known: WeakKeyDictionary[ir.Function, Memory] = WeakKeyDictionary()


def _memory_of(function: ir.Function) -> Memory:
    ops = list(ir.walk(function.body))
    indices = frozenset(op.index for op in ops if isinstance(op, ir.For))
    memory = Memory(Groups(), Groups(), indices)
    for var in _defined_outside(function, ops):
        memory.aliases.mark(var, Fact.EXTERNAL)
        memory.versions.mark(var, Fact.EXTERNAL)
    for op in ops:
        _note(memory, op)
    for var in memory.buffers(function.body.results):
        memory.aliases.mark(var, Fact.ESCAPES)
    return memory


def _defined_outside(
    function: ir.Function, ops: list[ir.Operation]
) -> Iterator[ir.Var]:
    defined = {var for op in ops for var in (*ir.targets(op), *ir.inner_vars(op))}
    for param in function.params:
        yield from ir.leaves(param.tree)
    for var in ir.block_uses(function.body):
        if var not in defined:
            yield var


def _note(memory: Memory, op: ir.Operation) -> None:
    """Add what one operation says; blocks inside are noted on their own."""
    for var in writes(op):
        if memory.has_buffer(var):
            memory.aliases.mark(var, Fact.WRITTEN)
            memory.versions.mark(var, Fact.WRITTEN)
    match op:
        case ir.Apply():
            _note_apply(memory, op)
        case ir.Load(target=target, base=base):
            _view(memory, target, (base,))
        case ir.Store(target=target, base=base, value=value):
            _same(memory, target, base)
            if not isinstance(base.type, Array):
                _contained(memory, target, (value,))
        case ir.Append(target=target, base=base, value=value):
            _same(memory, target, base)
            _contained(memory, target, (value,))
        case ir.Pop(target=target, value=value, base=base):
            _same(memory, target, base)
            _view(memory, value, (base,))
        case ir.Effect():
            for var in memory.buffers(ir.operands(op)):
                memory.aliases.mark(var, Fact.ESCAPES)
        case ir.Call(targets=targets, args=args):
            _opaque(memory, targets, args)
        case ir.If(targets=targets) | ir.With(targets=targets):
            for block in ir.blocks(op):
                for target, result in zip(targets, block.results, strict=True):
                    _same(memory, target, result)
        case ir.For() | ir.While():
            results = op.body.results[1:] if op.breaks else op.body.results
            slots = zip(op.targets, op.params, op.inits, results, strict=True)
            for target, param, init, result in slots:
                for operand in (param, init, result):
                    _same(memory, target, operand)


def _note_apply(memory: Memory, op: ir.Apply) -> None:
    operands = (*op.args, *(value for _, value in op.kwargs))
    if isinstance(op.fn, ir.GradOf):
        _same(memory, op.target, op.args[0])
    elif changes_state(op):
        _opaque(memory, op.targets, operands)
    elif not is_fresh(op):
        for target in op.targets:
            _view(memory, target, operands)
        if id(op.fn) not in _VIEWS:
            # A container, or a function of which we know nothing.
            for var in memory.buffers(operands):
                memory.versions.mark(var, Fact.HELD)


def _same(memory: Memory, target: ir.Var, operand: ir.Operand) -> None:
    if not memory.has_buffer(target):
        return
    if isinstance(operand, ir.Var):
        if memory.has_buffer(operand):
            memory.aliases.join(target, operand)
            memory.versions.join(target, operand)
    else:
        _contained(memory, target, (operand,))


def _view(memory: Memory, target: ir.Var, operands: Iterable[ir.Operand]) -> None:
    if memory.has_buffer(target):
        for var in memory.buffers(operands):
            memory.aliases.join(target, var)
            memory.versions.mark(target, Fact.HELD)


def _contained(memory: Memory, holder: ir.Var, operands: Iterable[ir.Operand]) -> None:
    for var in memory.buffers(operands):
        memory.aliases.join(holder, var)
        memory.versions.mark(var, Fact.HELD)


def _opaque(
    memory: Memory, targets: tuple[ir.Var, ...], operands: Iterable[ir.Operand]
) -> None:
    """A call that may write its arguments, keep them, and give them back."""
    together = [*memory.buffers(operands), *filter(memory.has_buffer, targets)]
    for var in together:
        memory.aliases.join(together[0], var)
        memory.aliases.mark(var, Fact.ESCAPES)
        memory.versions.mark(var, Fact.HELD)


def _is_immutable(var: ir.Var) -> bool:
    match var.type:
        case Scalar():
            return True
        case Opaque(cls):
            return cls in (str, bytes, type(None), np.dtype)
    return False


# ---------------------------------------------------------------- operations


def writes(op: ir.Operation) -> Iterator[ir.Var]:
    """The variables whose buffers an operation itself may write."""
    match op:
        case ir.Store(base=base) | ir.Append(base=base) | ir.Pop(base=base):
            yield base
        case ir.Call():
            yield from ir.uses(op)
        case ir.Effect(kind="call", fn=fn) if fn is not print:
            yield from ir.uses(op)
        case ir.Apply() if changes_state(op):
            yield from ir.uses(op)


def changes_state(op: ir.Apply) -> bool:
    """Whether a call may do more than compute its result from its arguments.

    So do calls on objects that the compiler does not look into, random numbers, clocks
    and what reads a stream.
    """
    if isinstance(op.fn, (ir.Method, ir.CallValue)) or id(op.fn) in _WRITERS:
        return True
    if any(key == "out" for key, _ in op.kwargs):
        return True
    owner = getattr(op.fn, "__self__", None)
    if isinstance(owner, np.ufunc):
        return getattr(op.fn, "__name__", "") == "at"
    if owner is None or isinstance(owner, (types.ModuleType, type)):
        module = getattr(op.fn, "__module__", None) or ""
        return f"{module}.".startswith(_STATEFUL_MODULES)
    return rule_of(op.fn) is None  # `scipy.stats.norm.pdf` has one


def is_fresh(op: ir.Apply) -> bool:
    """Whether the results are numbers or new buffers that share no memory."""
    if op.fn is getattr and len(op.args) == 2 and isinstance(op.args[1], ir.Const):
        return op.args[1].value in _FACTS_OF_ARRAYS
    if id(op.fn) in _CONTAINER_OPERATORS:
        return not any(_is_container(arg) for arg in op.args)
    if op.style == "method" and op.fn in (np.conj, np.conjugate):
        return False  # `x.conj()` gives x itself where x is real
    if any(key == "copy" for key, _ in op.kwargs):
        return False
    return isinstance(op.fn, np.ufunc) or id(op.fn) in _FRESH


def _is_container(operand: ir.Operand) -> bool:
    if isinstance(operand, ir.Var):
        return isinstance(operand.type, (*CONTAINERS, Opaque))
    return isinstance(operand, ir.Pack)


def is_exact_view(op: ir.Operation) -> bool:
    """Whether reading twice gives the same element, or views of the same memory."""
    match op:
        case ir.Load(base=base, path=path):
            whole = isinstance(base.type, Array)
            return all(step.attribute or _is_basic(step.index, whole) for step in path)
        case ir.Apply(fn=fn, args=args):
            return fn is np.transpose and isinstance(_type(args[0]), Array)
    return False


def _type(operand: ir.Operand) -> Any:
    return operand.type if isinstance(operand, ir.Var) else None


def _is_basic(index: ir.Operand, in_array: bool) -> bool:
    match index:
        case ir.Const(value):
            # A key of a record or dictionary, a position, a new axis, an ellipsis.
            plain = value is None or value is Ellipsis
            return plain or type(value) in (int, str)
        case ir.Var(type=Scalar(dtype)):
            return dtype != "bool"
        case ir.Slice():
            return in_array  # a slice of a list is a copy
        case ir.Pack(items, form):
            return form.kind == "tuple" and all(_is_basic(i, in_array) for i in items)
    return False


class WriteClock:
    """Counts the writes to each group of aliases while a pass walks a function.

    Two equal stamps of the same operands mean that nothing wrote their buffers between
    the two places, on whatever path control takes from the first to the second.
    """

    def __init__(self, memory: Memory) -> None:
        self._memory = memory
        self._counts: dict[ir.Var, int] = {}

    def stamp(self, operands: Iterable[ir.Operand]) -> tuple[int, ...]:
        find, counts = self._memory.aliases.find, self._counts
        return tuple(counts.get(find(var), 0) for var in self._memory.buffers(operands))

    def passed(self, op: ir.Operation) -> None:
        """The walk has passed an operation; its blocks are walked on their own."""
        for var in writes(op):
            root = self._memory.aliases.find(var)
            self._counts[root] = self._counts.get(root, 0) + 1

    def enters(self, loop: ir.For | ir.While) -> None:
        """The walk enters a loop: any iteration follows the writes of an earlier one."""
        for block in ir.blocks(loop):
            for op in ir.walk(block):
                self.passed(op)


# ---------------------------------------------------------------- tables


def _ids(module: Any, names: str) -> frozenset[int]:
    # By identity, as rules are: not all callables can be hashed.
    return frozenset(
        id(getattr(module, name)) for name in names.split() if hasattr(module, name)
    )


_STATEFUL_MODULES = ("random.", "numpy.random.", "time.", "secrets.", "datetime.")

_WRITERS = _ids(np, "copyto put place putmask fill_diagonal put_along_axis") | {
    id(fn) for fn in (next, input, open, setattr, delattr, print)
}

_FACTS_OF_ARRAYS = ("shape", "ndim", "size", "dtype", "itemsize", "nbytes")

# Sums and repetitions of lists hold the items; those of numbers and arrays are new.
_CONTAINER_OPERATORS = _ids(operator, "add mul or_")

_FRESH = (
    _ids(
        operator,
        "sub truediv floordiv mod pow neg pos abs matmul invert lshift rshift and_ xor "
        "lt le eq ne gt ge not_ truth is_ is_not contains",
    )
    | _ids(
        np,
        "array zeros ones empty full zeros_like ones_like empty_like full_like arange linspace "
        "logspace geomspace eye identity copy tri vander sum prod mean var std max min "
        "amax amin nansum nanmean nanmax nanmin median average ptp argmax argmin any all "
        "argsort sort searchsorted count_nonzero cumsum cumprod dot vdot inner outer "
        "tensordot kron cross where concatenate stack vstack hstack dstack column_stack "
        "tile repeat roll pad take take_along_axis trace clip round around tril triu "
        "diff gradient convolve correlate interp isclose allclose array_equal ndim shape "
        "size iscomplexobj isrealobj result_type triu_indices tril_indices sinc "
        "trapezoid trapz logaddexp append insert delete unique",
    )
    | _ids(
        np.linalg,
        "norm det slogdet inv pinv solve lstsq cholesky qr svd eigh eigvalsh eig eigvals "
        "matrix_power matrix_rank cond multi_dot",
    )
    | _ids(runtime, "zeros_like deep_copy add last_writes")
    | frozenset(id(value) for value in vars(math).values() if callable(value))
    | frozenset(
        id(fn)
        for fn in (abs, float, int, bool, complex, len, round, pow, range, sum, str)
    )
    | frozenset((id(isinstance), id(hasattr), id(type)))
)

_VIEWS = _ids(
    np,
    "transpose reshape ravel squeeze expand_dims broadcast_to swapaxes moveaxis rollaxis "
    "atleast_1d atleast_2d atleast_3d diagonal diag real imag flip fliplr flipud rot90 "
    "asarray asanyarray ascontiguousarray einsum split array_split hsplit vsplit "
    "matrix_transpose permute_dims conj conjugate",
) | {id(getattr)}


# ---------------------------------------------------------------- calls of functions


def called_functions(function: ir.Function) -> list[str]:
    """The functions of the module that a function calls."""
    return [op.function for op in ir.walk(function.body) if isinstance(op, ir.Call)]


def pure_functions(module: ir.Module) -> frozenset[str]:
    """The functions that do nothing but compute their result."""
    pure = {
        function.name
        for function in module.functions
        if not any(_acts(op) for op in ir.walk(function.body))
    }
    while True:
        kept = {
            function.name
            for function in module.functions
            if function.name in pure and pure.issuperset(called_functions(function))
        }
        if kept == pure:
            return frozenset(pure)
        pure = kept


def _acts(op: ir.Operation) -> bool:
    """Whether an operation may change what the caller sees.

    A function that is called writes only what it has made itself, except that the
    reverse sweep uses up the tapes that it is given.
    """
    match op:
        case ir.Effect():
            return True
        case ir.Apply():
            return changes_state(op)
        case ir.Pop():
            return op.adjoint
    return False
