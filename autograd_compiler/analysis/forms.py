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
        *(np.flip, np.flipud, np.fliplr, np.roll, runtime.zeros_like),
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


class Forms:
    """The forms of the values that some operations make; others are atoms."""

    def __init__(self) -> None:
        self._made: dict[ir.Var, ir.Operation] = {}
        self._found: dict[ir.Var, Form] = {}
        self._numbers: set[ir.Var] = set()

    def note(self, op: ir.Operation) -> None:
        """Take an operation into account."""
        if isinstance(op, (ir.Apply, ir.Load, ir.Store)):
            for target in ir.targets(op):
                self._made[target] = op

    def learn(self, block: ir.Block) -> None:
        """Take the operations of a block into account, and of the blocks inside."""
        for op in ir.walk(block):
            self.note(op)
            if isinstance(op, (ir.Apply, ir.Load, ir.Store)):
                for target in ir.targets(op):
                    self.of(target)

    def declare_number(self, operand: ir.Operand) -> None:
        """A value is known to be a number: then all that is broadcast in it are."""
        self._numbers |= {a for a in self.shape(operand) if isinstance(a, ir.Var)}

    def declare_like(self, value: ir.Operand, like: ir.Var) -> None:
        """A value that was made for another one, its adjoint, has its form."""
        if isinstance(value, ir.Var) and self.of(value).shape == {value}:
            self._found[value] = self.of(like)

    def shape(self, operand: ir.Operand) -> Atoms:
        return self.of(operand).shape - self._numbers

    def is_number(self, operand: ir.Operand) -> bool:
        return not self.shape(operand)

    def same_shape(self, first: ir.Operand, second: ir.Operand) -> bool:
        return self.shape(first) == self.shape(second)

    def no_more_complex(self, value: ir.Operand, than: ir.Operand) -> bool:
        return self.of(value).kind <= self.of(than).kind

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
                    form = Form(own, self.of(op.base).kind)
                elif isinstance(op, ir.Store):
                    form = self.of(op.base)
                return Form(form.shape, NONE) if var.type.real else form
        return Form(own, own)

    def _of_call(self, op: ir.Apply, own: Atoms) -> Form:
        fn, args = op.fn, op.args
        if isinstance(fn, (ir.Method, ir.CallValue)) or not args:
            return Form(own, own)
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
        if fn in _NUMBERS or getattr(fn, "__module__", "") in ("math", "cmath"):
            return NONE
        if fn in _REDUCTIONS and _reduces_all(op):
            return NONE
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


def _complex(dtype: str) -> Atoms:
    return COMPLEX if np.dtype(dtype).kind == "c" else NONE


def _keeps_real(fn: Any) -> bool:
    """Whether the results for real operands are real."""
    if fn in (np.asarray, np.array, np.full, getattr(np, "astype", None)):
        return False
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


def _is_none(operand: ir.Operand) -> bool:
    return isinstance(operand, ir.Const) and operand.value is None
