"""Which values have equal shapes, where their types do not tell.

A value of unknown type is a number or an array.  An elementwise operator broadcasts its
operands, so that the shape of its result is known in terms of theirs.  A shape is
written here as the set of *atoms* that are broadcast together: `x` has {x}, `2 * x` and
`np.exp(x)` have {x}, `x * y` has {x, y}, a number has {}.  Equal sets are equal shapes;
a set that holds another one is what that one broadcasts to.

Whether a value may be complex is followed in the same way, by the set of those that it
could have it from.
"""

from __future__ import annotations

import operator
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from autograd_compiler import ir, runtime
from autograd_compiler.rules.registry import rule_of
from autograd_compiler.types import Array, Scalar, Unknown

Atoms = frozenset[Any]
NONE: Atoms = frozenset()
COMPLEX: Atoms = frozenset(("complex",))


@dataclass(frozen=True)
class Form:
    """A shape, and what could make the value complex."""

    shape: Atoms
    kind: Atoms


NUMBER = Form(NONE, NONE)

_ELEMENTWISE = frozenset(
    (
        *(operator.add, operator.sub, operator.mul, operator.truediv, operator.pow),
        *(operator.floordiv, operator.mod, operator.neg, operator.pos, operator.abs),
        *(operator.lt, operator.le, operator.gt, operator.ge, operator.eq, operator.ne),
        *(operator.and_, operator.or_, operator.xor, operator.invert, operator.not_),
        *(np.where, np.clip, np.round, np.real, np.imag, np.angle, np.sinc, np.i0),
        *(np.nan_to_num, np.isclose, abs),
    )
)
_REAL = frozenset(
    (
        *(np.real, np.imag, np.angle, np.absolute, abs, operator.abs, np.linalg.norm),
        *(np.shape, np.size, np.ndim, len, int, float, np.argsort, np.isnan),
    )
)
_FACTS = frozenset(("shape", "size", "ndim"))
# The result has the shape of the first operand.
_LIKE_FIRST = frozenset(
    (
        *(np.copy, np.zeros_like, np.ones_like, np.empty_like, np.full_like),
        *(np.flip, np.flipud, np.fliplr, np.roll, runtime.zeros_like, runtime.copied),
    )
)
_REDUCTIONS = frozenset(
    (
        *(np.sum, np.mean, np.prod, np.max, np.min, np.var, np.std, np.median),
        *(np.nansum, np.nanmean, np.nanprod, np.nanmax, np.nanmin, np.ptp),
        *(np.any, np.all, np.argmax, np.argmin, np.average, np.count_nonzero),
    )
)
_NUMBERS = frozenset((np.size, np.ndim, np.vdot, len, float, int, bool, min, max))


def is_elementwise(fn: Any) -> bool:
    """Whether a function gives one number for each of its broadcast operands."""
    if isinstance(fn, np.ufunc):
        return fn.signature is None and fn.nout == 1
    rule = rule_of(fn)
    if rule is not None and rule.kind == "partials":
        return True
    try:
        return fn in _ELEMENTWISE
    except TypeError:
        return False


def _is_of_numbers(fn: Any) -> bool:
    """Whether a function takes numbers only: `math.sin`."""
    rule = rule_of(fn) if getattr(fn, "__module__", "") == "math" else None
    return rule is not None and rule.kind == "partials"


# Functions of numbers and arrays whose results are in memory of their own, apart from
# the elementwise ones.
_NEW_MEMORY = frozenset(
    (
        *(operator.matmul, np.matmul, np.dot, np.inner, np.outer, np.vdot, np.kron),
        *(np.tensordot, np.cross, np.convolve, np.copy, np.concatenate, np.stack),
        *(np.vstack, np.hstack, np.zeros_like, np.ones_like, np.full_like, np.repeat),
        *(np.empty_like, np.tile, np.roll, np.take, np.sort, np.cumsum, np.cumprod),
        *(np.sum, np.mean, np.prod, np.max, np.min, np.var, np.std, np.trace, np.diff),
        *(np.zeros, np.ones, np.empty, np.full, np.eye, np.arange, np.linspace),
        *(np.linalg.solve, np.linalg.inv, np.linalg.det, np.linalg.cholesky),
        *(np.linalg.norm, np.argsort, np.argmax, np.argmin, np.any, np.all, len),
        *(runtime.copied, runtime.zeros_like),
    )
)
_MAY_BE_VIEWS = frozenset((np.real, np.imag))


def keeps_arrays(fn: Any) -> bool:
    """Whether the result is an array if an operand, or the first one, is one."""
    try:
        return fn in _LIKE_FIRST or is_elementwise(fn)
    except TypeError:
        return False


def makes_new_memory(fn: Any) -> bool:
    """Whether a result shares no memory with operands that are numbers or arrays."""
    try:
        return fn in _NEW_MEMORY or (is_elementwise(fn) and fn not in _MAY_BE_VIEWS)
    except TypeError:
        return False


class Forms:
    """The forms of the values that some operations make; others are atoms."""

    def __init__(self) -> None:
        self._made: dict[ir.Var, ir.Operation] = {}
        self._found: dict[ir.Var, Form] = {}
        # What the shapes of some atoms are broadcast to: those of sums with keepdims.
        self._within: dict[Any, Atoms] = {}
        # What atoms are known to be in terms of others.
        self._same_shape: dict[Any, Atoms] = {}
        self._same_kind: dict[Any, Atoms] = {}

    def note(self, op: ir.Operation) -> None:
        """Take an operation into account."""
        if isinstance(op, (ir.Apply, ir.Load, ir.Store)):
            for target in ir.targets(op):
                self._made[target] = op

    def learn(self, block: ir.Block, own: frozenset[ir.Var] | None = None) -> None:
        """Take the operations of a block into account, and of the blocks inside.

        What an operation tells of its operands holds for `own`, the variables of the
        block itself: others may be there without the block being run.
        """
        for op in block.ops:
            self.note(op)
            self._learn_operands(op, own)
            own = own if own is None else own | {*ir.targets(op)}
            match op:
                case ir.If(targets=targets, then=then, orelse=orelse):
                    self.learn(then, frozenset())
                    self.learn(orelse, frozenset())
                    sides = zip(targets, then.results, orelse.results, strict=True)
                    for target, first, second in sides:
                        self._merge(target, first, second)
                case ir.With(targets=targets, body=body):
                    self.learn(body, frozenset())
                    for target, result in zip(targets, body.results, strict=True):
                        self._take_over(target, result)
                case ir.For() | ir.While():
                    self._learn_loop(op)
                case _:
                    for target in ir.targets(op):
                        self.of(target)

    def _learn_operands(self, op: ir.Operation, own: frozenset[ir.Var] | None) -> None:
        """`math.sin(x)` tells that `x` is a real number."""
        if not isinstance(op, ir.Apply) or not _is_of_numbers(op.fn):
            return
        for operand in op.args:
            if own is None or (self.shape(operand) | self.kind(operand)) <= own:
                self.declare_number(operand)
                self.declare_real(operand)

    def _learn_loop(self, op: ir.For | ir.While) -> None:
        """Carried values that keep their form, found by taking all to do so at first."""
        nexts = op.body.results[1:] if op.breaks else op.body.results
        carried = list(zip(op.params, op.inits, nexts, op.targets, strict=True))
        size = -1
        changing: set[tuple[ir.Var, str]] = set()
        while size != len(changing):
            size = len(changing)
            for var in _defined(op):
                self._found.pop(var, None)
            for param, init, _, target in carried:
                for var in (param, target):
                    self._found[var] = self._carried(var, init, param, changing)
            for inner in ir.blocks(op):
                self.learn(inner, frozenset(ir.inner_vars(op)))
            for param, init, following, _ in carried:
                before, after = self._found[param], self.of(following)
                if init is ir.UNDEFINED or before.shape != after.shape:
                    changing.add((param, "shape"))
                if init is ir.UNDEFINED or not after.kind <= before.kind:
                    changing.add((param, "kind"))

    def _carried(
        self,
        var: ir.Var,
        init: ir.Operand,
        param: ir.Var,
        changing: set[tuple[ir.Var, str]],
    ) -> Form:
        """The form of a carried value, that of its first one where it stays so."""
        own: Atoms = frozenset((var,))
        if not isinstance(var.type, Unknown):
            return self._of_variable(var)
        first = Form(own, own) if init is ir.UNDEFINED else self.of(init)
        return Form(
            own if (param, "shape") in changing else first.shape,
            own if (param, "kind") in changing else first.kind,
        )

    def _merge(self, target: ir.Var, first: ir.Operand, second: ir.Operand) -> None:
        """The result of a branch has what both sides have alike."""
        if not isinstance(target.type, Unknown):
            return
        own: Atoms = frozenset((target,))
        if first is ir.UNDEFINED or second is ir.UNDEFINED:
            return
        a, b = self.of(first), self.of(second)
        self._found[target] = Form(
            a.shape if a.shape == b.shape else own,
            a.kind if a.kind == b.kind else own,
        )

    def _take_over(self, var: ir.Var, like: ir.Operand) -> None:
        if isinstance(var.type, Unknown) and like is not ir.UNDEFINED:
            self._found[var] = self.of(like)

    # ------------------------------------------------------------ facts from outside

    def declare_number(self, operand: ir.Operand) -> None:
        """A value is known to be a number: then all that is broadcast in it are."""
        for atom in self.shape(operand):
            if isinstance(atom, ir.Var):
                self._same_shape[atom] = NONE

    def declare_real(self, operand: ir.Operand) -> None:
        """A value is known to be real: then all that it would be complex from are."""
        for atom in self.kind(operand):
            if isinstance(atom, ir.Var):
                self._same_kind[atom] = NONE

    def declare_like(self, value: ir.Operand, like: ir.Operand) -> None:
        """A value that was made for another one, its adjoint, has its form."""
        if like is ir.UNDEFINED or not isinstance(like, ir.Var):
            return
        if isinstance(value, ir.Var) and self.of(value).shape == {value}:
            self._found[value] = self.of(like)

    @contextmanager
    def in_branch(
        self, pairs: Iterable[tuple[ir.Operand, ir.Operand]]
    ) -> Iterator[None]:
        """While a side of a branch is looked at, its results are those of the branch.

        The pairs are a result of the branch, and the one of the side.
        """
        with self._assuming():
            for target, result in pairs:
                if isinstance(target, ir.Var) and result is not ir.UNDEFINED:
                    form = self.of(target)
                    if self.is_number(target):
                        self.declare_number(result)
                    elif form.shape == {target}:
                        self._same_shape[target] = self.of(result).shape
                    if not self.kind(target):
                        self.declare_real(result)
                    elif form.kind == {target}:
                        self._same_kind[target] = self.of(result).kind
            yield

    @contextmanager
    def in_loop(
        self, carried: Iterable[tuple[ir.Var, ir.Var, ir.Operand]]
    ) -> Iterator[None]:
        """While the body of a loop is looked at, which then has been run.

        What is carried is given as the last value, the one before an iteration and the
        one after it.  If the last one is a real number, and the one after is made of
        the one before, then all are real numbers.
        """
        with self._assuming():
            for target, param, following in carried:
                form = self.of(following)
                if self.is_number(target) and param in form.shape:
                    self.declare_number(following)
                if not self.kind(target) and param in form.kind:
                    self.declare_real(following)
            yield

    @contextmanager
    def _assuming(self) -> Iterator[None]:
        shapes, kinds = dict(self._same_shape), dict(self._same_kind)
        try:
            yield
        finally:
            self._same_shape, self._same_kind = shapes, kinds

    # ------------------------------------------------------------ questions

    def shape(self, operand: ir.Operand) -> Atoms:
        return self._reduced(self.of(operand).shape)

    def _reduced(self, atoms: Atoms) -> Atoms:
        """The atoms without those that are broadcast to others of them anyway."""
        atoms = _expanded(atoms, self._same_shape)
        for atom in atoms & self._within.keys():
            if self._reduced(self._within[atom]) <= atoms - {atom}:
                atoms -= {atom}
        return atoms

    def kind(self, operand: ir.Operand) -> Atoms:
        return _expanded(self.of(operand).kind, self._same_kind)

    def is_number(self, operand: ir.Operand) -> bool:
        return not self.shape(operand)

    def same_shape(self, first: ir.Operand, second: ir.Operand) -> bool:
        return self.shape(first) == self.shape(second)

    def no_more_complex(self, value: ir.Operand, than: ir.Operand) -> bool:
        return self.kind(value) <= self.kind(than)

    def of(self, operand: ir.Operand) -> Form:
        match operand:
            case ir.Var():
                if operand not in self._found:
                    self._found[operand] = self._of_variable(operand)
                return self._found[operand]
            case ir.Const(bool() | int() | float() | np.number()):
                return NUMBER
            case ir.Const(complex()):
                return Form(NONE, COMPLEX)
            case ir.Const(None | str() | type() | np.dtype()):
                return NUMBER
        kinds = [self.of(leaf).kind for leaf in ir.leaves(operand)]
        return Form(frozenset((operand,)), NONE.union(*kinds))

    def _of_variable(self, var: ir.Var) -> Form:
        own: Atoms = frozenset((var,))
        match var.type:
            case Scalar(dtype):
                return Form(NONE, _complex(dtype))
            case Array(dtype, dims):
                if all(dim is not None for dim in dims):
                    own = frozenset((dims,)) if dims else NONE
                return Form(own, _complex(dtype))
            case Unknown():
                op = self._made.get(var)
                form = Form(own, own)
                if isinstance(op, ir.Apply) and len(op.targets) == 1:
                    form = self._of_call(op, own)
                elif isinstance(op, ir.Load):
                    base = self.of(op.base)
                    form = Form(_shape_of_part(base.shape, op.path) or own, base.kind)
                elif isinstance(op, ir.Store):
                    form = self.of(op.base)
                return Form(form.shape, NONE) if var.type.real else form
        return Form(own, own)

    def _of_call(self, op: ir.Apply, own: Atoms) -> Form:
        fn, args = op.fn, op.args
        if isinstance(fn, (ir.Method, ir.CallValue)) or not args:
            return Form(own, own)
        if getattr(fn, "__module__", "") == "math":
            return NUMBER
        kinds = NONE.union(*(self.of(operand).kind for operand in ir.operands(op)))
        if any(key == "dtype" for key, _ in op.kwargs):
            kinds |= own
        shape = self._shape_of_call(op, own)
        if fn is runtime.unbroadcast:
            return Form(shape, self.of(args[1]).kind)
        if fn in _REAL:
            return Form(shape, NONE)
        if fn is getattr and getattr(args[1], "value", None) in _FACTS:
            return Form(shape, NONE)
        return Form(shape, kinds if _keeps_real(fn) else own)

    def _shape_of_call(self, op: ir.Apply, own: Atoms) -> Atoms:
        fn, args = op.fn, op.args
        if is_elementwise(fn):
            return NONE.union(*(self.of(item).shape for item in ir.operands(op)))
        if getattr(fn, "__name__", "") == "identity" or fn in _LIKE_FIRST:
            return self.of(args[0]).shape
        if fn is getattr(np, "astype", None):
            return self.of(args[0]).shape
        if fn is runtime.unbroadcast:
            return self.of(args[1]).shape
        if fn in (np.broadcast_to, np.reshape) and len(args) == 2 and not op.kwargs:
            owner = self._shape_owner(args[1])
            return own if owner is None else self.of(owner).shape
        if fn in _NUMBERS or getattr(fn, "__module__", "") == "cmath":
            return NONE
        if fn in _REDUCTIONS and _reduces_all(op):
            return NONE
        if fn in _REDUCTIONS and _is_true(dict(op.kwargs).get("keepdims")):
            self._within[op.target] = self.of(args[0]).shape
        if fn is np.linalg.norm and len(args) == 1 and not op.kwargs:
            return NONE
        return own

    def _shape_owner(self, shape: ir.Operand) -> ir.Operand | None:
        """x, for the shape of x."""
        op = self._made.get(shape) if isinstance(shape, ir.Var) else None
        if not isinstance(op, ir.Apply):
            return None
        if op.fn is np.shape:
            return op.args[0]
        if op.fn is getattr and isinstance(op.args[1], ir.Const):
            return op.args[0] if op.args[1].value == "shape" else None
        return None


def _expanded(atoms: Atoms, same: dict[Any, Atoms]) -> Atoms:
    """The atoms, with those that are others in terms of these."""
    while found := atoms & same.keys():
        atoms = (atoms - found).union(*(same[atom] - {atom} for atom in found))
    return atoms


def _defined(op: ir.Operation) -> Iterator[ir.Var]:
    """The variables that an operation defines for itself and in its blocks."""
    yield from ir.inner_vars(op)
    for block in ir.blocks(op):
        for inner in block.ops:
            yield from ir.targets(inner)
            yield from _defined(inner)


def _shape_of_part(base: Atoms, path: tuple[ir.Index, ...]) -> Atoms | None:
    """The shape of `x[1:-1]`, that of `x` less two, as is that of `x[2:]`."""
    if len(path) != 1 or path[0].attribute:
        return None
    index = path[0].index
    parts = index.items if isinstance(index, ir.Pack) else (index,)
    cuts = [_cut(part) for part in parts]
    while cuts and cuts[-1] == 0:
        cuts.pop()
    if None in cuts:
        return None
    return frozenset((("cut", base, *cuts),)) if cuts else base


def _cut(part: ir.Operand) -> int | None:
    """By how much a slice makes an axis shorter, but not shorter than empty."""
    match part:
        case ir.Slice(ir.Const(start), ir.Const(stop), ir.Const(None | 1)):
            first = 0 if start is None else start
            last = 0 if stop is None else -stop
            if type(first) is type(last) is int and first >= 0:
                return first + last if last > 0 or stop is None else None
    return None


def _complex(dtype: str) -> Atoms:
    return COMPLEX if np.dtype(dtype).kind == "c" else NONE


def _keeps_real(fn: Any) -> bool:
    """Whether the results for real operands are real."""
    if fn in (np.asarray, np.array, np.full, getattr(np, "astype", None)):
        return False
    if isinstance(fn, type):  # a conversion
        return fn is float or issubclass(fn, (np.floating, np.integer, np.bool_))
    if getattr(fn, "__module__", "") in ("numpy.fft", "cmath"):
        return False
    if is_elementwise(fn) or fn in _LIKE_FIRST or fn in _REDUCTIONS:
        return True
    if getattr(fn, "__name__", "") == "identity":
        return True
    rule = rule_of(fn)
    return rule is not None and rule.kind in ("linear", "multilinear")


def _reduces_all(op: ir.Apply) -> bool:
    """Whether a reduction is one to a number: no axis is given or kept."""
    if len(op.args) > 1 and not _is_none(op.args[1]):
        return False
    for key, value in op.kwargs:
        if key == "axis" and not _is_none(value):
            return False
        if key == "keepdims" and not (
            isinstance(value, ir.Const) and value.value is False
        ):
            return False
    return True


def _is_true(operand: ir.Operand | None) -> bool:
    return isinstance(operand, ir.Const) and operand.value is True


def _is_none(operand: ir.Operand) -> bool:
    return isinstance(operand, ir.Const) and operand.value is None
