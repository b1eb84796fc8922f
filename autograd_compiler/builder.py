"""Making IR: one place that appends operations and gives each result its type.

The frontend, the reverse pass and the forward pass all build through this.  The
builder folds what is known when compiling (arithmetic on constants, `np.ndim(x)` of a
known type) so that code which tests such facts leaves nothing behind.
"""

from __future__ import annotations

import operator
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import numpy as np

from autograd_compiler import ir, runtime
from autograd_compiler.analysis.forms import (
    Forms,
    is_elementwise,
    keeps_arrays,
    makes_new_memory,
)
from autograd_compiler.analysis.infer import (
    Result,
    infer_call,
    infer_reshape,
    infer_unbroadcast,
)
from autograd_compiler.errors import UnsupportedError
from autograd_compiler.operands import (
    class_of,
    constant_value,
    dict_type,
    has_dimensions,
    hashable,
    identity,
    inexact,
    is_number,
    is_value,
    is_zero,
    list_type,
    ndim_of,
    operand_of,
    same_object,
    type_of_operand,
)
from autograd_compiler.subscripts import is_copy_index, load_type, shape_type
from autograd_compiler.types import (
    CONTAINERS,
    UNKNOWN,
    Array,
    DictOf,
    Dim,
    ListOf,
    LongTuple,
    Nested,
    Scalar,
    Type,
    Unknown,
    dtype_of,
    found_size,
    ndim,
)

FOLDABLE = {
    operator.add,
    operator.sub,
    operator.mul,
    operator.truediv,
    operator.floordiv,
    operator.mod,
    operator.pow,
    operator.neg,
    operator.pos,
    operator.not_,
    operator.lt,
    operator.le,
    operator.eq,
    operator.ne,
    operator.gt,
    operator.ge,
    operator.is_,
    operator.is_not,
    operator.contains,
    operator.and_,
    operator.or_,
    isinstance,
    len,
    abs,
    min,
    max,
    int,
    float,
    bool,
    str,
    sorted,
    range,
}

_SIZE_ARITHMETIC = {
    id(fn)
    for fn in (
        operator.add,
        operator.sub,
        operator.mul,
        operator.floordiv,
        operator.mod,
        min,
        max,
    )
}

# Helpers of generated code whose result has the form of their argument.
_FORM_KEPT = (runtime.zeros_like, runtime.deep_copy, runtime.add)

_SMALL = (
    int,
    float,
    bool,
    str,
    type(None),
    type(Ellipsis),
    tuple,
    complex,
    type,
    range,
)


class Builder:
    """Appends operations to the block under construction.

    Attributes
    ----------
    span
        The place that new operations get.
    adjoint
        Whether new operations belong to the reverse sweep.
    """

    def __init__(self, span: ir.Span = ir.NOWHERE) -> None:
        self.span = span
        self.adjoint = False
        self.deriving = False  # derivative code may be simplified, the user's not
        self.ops: list[ir.Operation] = []
        self.depth = 0  # of blocks under construction around the current one
        # Slices with the same bounds, and reads by the same mask, have the same size.
        self.slice_sizes: dict[Any, Dim] = {}
        # Operands whose memory a value may share, as found by running the call.
        self.shares: dict[ir.Var, tuple[ir.Var, ...]] = {}
        # Shapes of values of unknown type, in terms of each other.
        self.forms = Forms()

    @contextmanager
    def block(self) -> Iterator[list[ir.Operation]]:
        """Collect operations in a new list instead of the current one."""
        outer, self.ops = self.ops, []
        self.depth += 1
        try:
            yield self.ops
        finally:
            self.ops = outer
            self.depth -= 1

    @contextmanager
    def at(self, span: ir.Span) -> Iterator[None]:
        outer, self.span = self.span, span
        try:
            yield
        finally:
            self.span = outer

    def append(self, op: ir.Operation) -> None:
        self.ops.append(op)
        self.forms.note(op)

    # -------------------------------------------------------------- calls

    def apply(
        self,
        fn: Any,
        *args: ir.Operand,
        name: str = "",
        style: str = "function",
        **kwargs: ir.Operand,
    ) -> ir.Operand:
        """`fn(*args, **kwargs)`; a `Pack` when the call has several results."""
        named = tuple(kwargs.items())
        folded = self._fold(fn, args, named)
        if folded is not None:
            return folded
        result = self._infer(fn, args, named)
        targets = tuple(ir.Var(name, self._sized(type)) for type in result.types)
        operands = (*args, *(value for _, value in named))
        shared = tuple(
            var for position in result.aliases for var in ir.leaves(operands[position])
        )
        if not result.known and not makes_new_memory(fn):
            shared = tuple(
                var
                for operand in operands
                for var in ir.leaves(operand)
                if isinstance(var.type, (Array, ListOf, Unknown))
            )
        for target in targets:
            if shared and isinstance(target.type, (Array, ListOf, Unknown)):
                self.shares[target] = shared
        self.append(
            ir.Apply(
                self.span,
                targets,
                fn,
                args,
                named,
                "method" if style == "method" else "function",
                adjoint=self.adjoint,
            )
        )
        return ir.Pack(targets) if result.unpacks else targets[0]

    def apply_several(
        self,
        fn: Any,
        count: int,
        args: tuple[ir.Operand, ...],
        kwargs: dict[str, ir.Operand],
    ) -> ir.Pack:
        """A call with several results of unknown types."""
        targets = tuple(ir.Var("") for _ in range(count))
        operands = (*args, *kwargs.values())
        shared = tuple(var for operand in operands for var in ir.leaves(operand))
        self.shares.update((target, shared) for target in targets)
        named = tuple(kwargs.items())
        self.append(ir.Apply(self.span, targets, fn, args, named, adjoint=self.adjoint))
        return ir.Pack(targets)

    def var(self, fn: Any, *args: ir.Operand, **kwargs: Any) -> ir.Var:
        """`apply` for calls whose result must be a variable."""
        result = self.apply(fn, *args, **kwargs)
        return self.as_var(result)

    def as_var(self, operand: ir.Operand, name: str = "") -> ir.Var:
        """A variable that holds the operand."""
        if isinstance(operand, ir.Var):
            return operand
        target = ir.Var(name, self._pack_type(operand))
        copy = self._constructor(operand)
        self.append(
            ir.Apply(self.span, (target,), copy, (operand,), adjoint=self.adjoint)
        )
        return target

    def _constructor(self, operand: ir.Operand) -> Any:
        return identity

    def _pack_type(self, operand: ir.Operand) -> Type:
        if isinstance(operand, ir.Pack) and operand.form.kind == "list":
            return list_type(operand)
        if isinstance(operand, ir.Pack) and operand.form.kind == "dict":
            return dict_type(operand)
        return type_of_operand(operand)

    def _infer(
        self,
        fn: Any,
        args: tuple[ir.Operand, ...],
        kwargs: tuple[tuple[str, ir.Operand], ...],
    ) -> Result:
        if isinstance(fn, (ir.Method, ir.CallValue)):
            return Result((UNKNOWN,))
        if id(fn) in _SIZE_ARITHMETIC and len(args) == 2:
            size = self._size_arithmetic(fn, args)
            if size is not None:
                return Result((size,))
        if fn is identity or isinstance(fn, ir.GradOf):
            return Result((type_of_operand(args[0]),))
        if fn is len and len(args) == 1:
            measured = type_of_operand(args[0])
            if isinstance(measured, Array) and measured.dims and measured.dims[0]:
                return Result((Scalar("int64", size=measured.dims[0]),))
        if fn is tuple and len(args) == 1:
            given = type_of_operand(args[0])
            if isinstance(given, ListOf):
                return Result((LongTuple(given.item),), aliases=(0,))
        if fn in (list, sorted) and args:
            match type_of_operand(args[0]):
                case DictOf(_, key):
                    return Result((ListOf(key),))  # the keys, not the values
                case Nested() as nested:
                    return Result((nested,))
        if fn is np.shape or fn is getattr and is_value(args[1], "shape"):
            if isinstance(base := type_of_operand(args[0]), Array):
                return Result((shape_type(base),))
        if fn is getattr and isinstance(args[1], ir.Const):
            attribute = str(args[1].value)
            return infer_call(lambda x: getattr(x, attribute), args[:1])
        if fn in _FORM_KEPT:
            given = type_of_operand(args[0])
            if isinstance(given, CONTAINERS):
                return Result((given,))
        if fn is runtime.unbroadcast:
            return infer_unbroadcast(*map(type_of_operand, args))
        result = infer_call(fn, args, kwargs, fix_sizes=True)
        if not result.known and keeps_arrays(fn):
            operands = args if is_elementwise(fn) else args[:1]
            if any(map(has_dimensions, operands)):
                return Result((Unknown(array=True),))
        if not result.known and fn is np.reshape and len(args) == 2:
            # Fixed sizes may not fit the stand-ins; the result may be a view or a copy.
            base = type_of_operand(args[0])
            kind = infer_reshape(base, args[1]) if isinstance(base, Array) else None
            if kind is not None:
                return Result((kind,), aliases=(0,))
        return result

    def _size_arithmetic(self, fn: Any, args: tuple[ir.Operand, ...]) -> Type | None:
        first, second = map(type_of_operand, args)
        match first, second:
            case Scalar("int64", size=Dim() as size), Scalar("int64"):
                if isinstance(args[1], ir.Const) and fn in (operator.add, operator.sub):
                    amount = int(args[1].value)
                    return Scalar(
                        "int64",
                        size=size.plus(amount if fn is operator.add else -amount),
                    )
            case Scalar("int64"), Scalar("int64", size=Dim() as size):
                if isinstance(args[0], ir.Const) and fn is operator.add:
                    return Scalar("int64", size=size.plus(int(args[0].value)))
        return _computed_size(fn, args)

    def _sized(self, type: Type) -> Type:
        """The type with a fresh symbol for each size that is not known."""
        match type:
            case Array(dtype, dims, contiguous) if None in dims:
                dims = tuple(found_size() if d is None else d for d in dims)
                return Array(dtype, dims, contiguous)
            case Scalar("int64", size=None):
                return replace(type, size=found_size())
        return type

    # -------------------------------------------------------------- folding

    def _fold(
        self,
        fn: Any,
        args: tuple[ir.Operand, ...],
        kwargs: tuple[tuple[str, ir.Operand], ...],
    ) -> ir.Operand | None:
        if getattr(fn, "__static__", False):
            values = [constant_value(arg) for arg in args]
            if all(value is not None for value in values):
                named = {key: constant_value(value) for key, value in kwargs}
                if all(value is not None for value in named.values()):
                    result = fn(
                        *(value.value for value in values if value),
                        **{key: value.value for key, value in named.items() if value},
                    )
                    return operand_of(result)
            return None
        if kwargs:
            return None
        if fn is np.ndim or (fn is getattr and is_value(args[1], "ndim")):
            known = ndim_of(args[0])
            if known is not None:
                return ir.Const(known)
        if fn is np.shape or (fn is getattr and is_value(args[1], "shape")):
            if ndim(type_of_operand(args[0])) == 0:
                return ir.Pack(())
        if fn is getattr and is_value(args[1], "dtype"):
            dtype = dtype_of(type_of_operand(args[0]))
            if dtype is not None:
                return ir.Const(np.dtype(dtype))
        if fn is np.iscomplexobj:
            dtype = dtype_of(type_of_operand(args[0]))
            if dtype is not None:
                return ir.Const(np.dtype(dtype).kind == "c")
        if fn is isinstance and isinstance(args[1], (ir.Const, ir.Pack)):
            return self._fold_isinstance(args)
        if fn is len and isinstance(args[0], ir.Pack):
            return ir.Const(len(args[0].items))
        if fn in (operator.is_, operator.is_not) and len(args) == 2:
            same = same_object(args[0], args[1])
            if same is not None:
                return ir.Const(same if fn is operator.is_ else not same)
        if callable(fn) and hashable(fn) and fn in FOLDABLE:
            values = [constant_value(arg) for arg in args]
            if all(value is not None for value in values):
                plain = [value.value for value in values if value is not None]
                if all(isinstance(value, _SMALL) for value in plain):
                    try:
                        return operand_of(fn(*plain))
                    except Exception:
                        return None
        if self.deriving:
            return self._simplify(fn, args)
        return None

    def _fold_isinstance(self, args: tuple[ir.Operand, ...]) -> ir.Operand | None:
        classes = constant_value(args[1])
        if classes is None:
            return None
        match args[0]:
            case ir.Const(value):
                return ir.Const(isinstance(value, classes.value))
            case ir.Pack(_, form):
                kind = {"tuple": tuple, "list": list, "dict": dict}.get(
                    form.kind, form.cls
                )
                return ir.Const(issubclass(kind or tuple, classes.value))
            case ir.Var(type=Array()):
                return ir.Const(issubclass(np.ndarray, classes.value))
            case ir.Var(type=Scalar() as type):
                return ir.Const(issubclass(class_of(type), classes.value))
            case ir.Var(type=ListOf()):
                return ir.Const(issubclass(list, classes.value))
            case ir.Var(type=Unknown()) if self.deriving:
                found = classes.value
                names = found if isinstance(found, tuple) else (found,)
                if all(name in (tuple, list, dict) for name in names):
                    return ir.Const(False)  # a number or an array; see `Unknown`
            case ir.Var(type=DictOf()):
                return ir.Const(issubclass(dict, classes.value))
        return None

    def _simplify(self, fn: Any, args: tuple[ir.Operand, ...]) -> ir.Operand | None:
        """Algebra on derivative code, whose values are never written in place."""
        match fn, args:
            case operator.and_, (_, ir.Const(False)) | (ir.Const(False), _):
                return ir.Const(False)
            case operator.add, (other, ir.Const(value)) if is_zero(value):
                return other if inexact(other) else None
            case operator.add, (ir.Const(value), other) if is_zero(value):
                return other if inexact(other) else None
            case operator.sub, (other, ir.Const(value)) if is_zero(value):
                return other if inexact(other) else None
            case operator.pow, (other, ir.Const(1 | 1.0)) if inexact(other):
                return other
            case operator.neg, (ir.Var() as var,):
                return self._double_negation(var)
            case np.transpose, (ir.Var() as var,):
                return self._double_transpose(var)
            case operator.mul, (ir.Const(value), other) if is_number(value):
                return self._times(value, other)
            case operator.mul, (other, ir.Const(value)) if is_number(value):
                return self._times(value, other)
            case operator.truediv, (other, ir.Const(1 | 1.0)) if inexact(other):
                return other
            case operator.mul, (first, second):
                return self._without_broadcast(fn, first, second)
            case operator.truediv, (first, second):
                return self._without_broadcast(fn, first, second)
        return None

    def _times(self, value: Any, other: ir.Operand) -> ir.Operand | None:
        if not inexact(other):
            return None
        if value == 1:
            return other
        if value == -1:
            return self.apply(operator.neg, other)
        return None

    def _definition(self, var: ir.Var) -> ir.Apply | None:
        """The operation of this block that made a value, if it is near."""
        for op in reversed(self.ops[-20:]):
            if isinstance(op, ir.Apply) and var in op.targets:
                return op
        return None

    def _double_negation(self, var: ir.Var) -> ir.Operand | None:
        made = self._definition(var)
        if made is not None and made.fn is operator.neg and not var.name:
            return made.args[0]
        return None

    def _double_transpose(self, var: ir.Var) -> ir.Operand | None:
        made = self._definition(var)
        if made is not None and made.fn is np.transpose and len(made.args) == 1:
            return made.args[0]
        return None

    def _without_broadcast(
        self, fn: Any, first: ir.Operand, second: ir.Operand
    ) -> ir.Operand | None:
        """`broadcast_to(s, shape) * p` is `s * p` where `p` has that shape already."""
        small = self.broadcast_source(first)
        if small is not None and self._has_shape(second, first):
            return self.apply(fn, small, second)
        small = self.broadcast_source(second)
        if small is not None and self._has_shape(first, second):
            return self.apply(fn, first, small)
        return None

    def _has_shape(self, full: ir.Operand, like: ir.Operand) -> bool:
        """Whether an operand is sure to have the shape of another one, an array."""
        first, second = type_of_operand(full), type_of_operand(like)
        if isinstance(first, Array) and isinstance(second, Array):
            return len(first.dims) == len(second.dims) and all(
                a is not None and a.same(b)
                for a, b in zip(first.dims, second.dims, strict=True)
            )
        return isinstance(second, Unknown) and self.forms.same_shape(full, like)

    def broadcast_source(self, operand: ir.Operand) -> ir.Operand | None:
        if not isinstance(operand, ir.Var):
            return None
        made = self._definition(operand)
        return made.args[0] if made is not None and made.fn is np.broadcast_to else None

    # -------------------------------------------------------------- memory

    def load(
        self, base: ir.Operand, path: tuple[ir.Index, ...], name: str = ""
    ) -> ir.Var:
        base = self.as_var(base)
        self._check_path(path)
        target = ir.Var(name, self._sized(load_type(base.type, path, self)))
        self.append(ir.Load(self.span, target, base, path, adjoint=self.adjoint))
        if isinstance(target.type, (Array, Unknown)) and not is_copy_index(path):
            self.shares[target] = (base,)
        return target

    def store(
        self, base: ir.Var, path: ir.Path, value: ir.Operand, mode: str = "set"
    ) -> ir.Var:
        self._check_path(path)
        target = ir.Var(base.name, base.type)
        self.append(
            ir.Store(
                self.span,
                target,
                base,
                path,
                value,
                "add" if mode == "add" else "set",
                adjoint=self.adjoint,
            )
        )
        return target

    def _check_path(self, path: ir.Path) -> None:
        """Refuse `x[tuple(indices)]` where only run time knows how many there are."""
        for step in path:
            if isinstance(step, ir.Index) and isinstance(step.index, ir.Var):
                if isinstance(step.index.type, LongTuple):
                    raise UnsupportedError(
                        "the subscript is a tuple whose length only run time knows",
                        self.span,
                        "write the indices out, as in `x[i, j]`",
                    )


def _computed_size(fn: Any, args: tuple[ir.Operand, ...]) -> Type | None:
    """An integer that follows from sizes: what it is now is known: Note [Fixed sizes]."""
    values: list[int] = []
    due_to: frozenset[int] = frozenset()
    for arg in args:
        match type_of_operand(arg):
            case _ if isinstance(arg, ir.Const) and type(arg.value) is int:
                values.append(arg.value)
            case Scalar("int64", size=Dim() as size) if size.number is not None:
                values.append(size.number)
                due_to |= size.due_to
            case _:
                return None
    if fn in (operator.floordiv, operator.mod) and not values[1]:
        return None
    now = fn(*values)
    if now < 0:
        return None
    return Scalar("int64", size=found_size(now, due_to) if due_to else Dim("", now))
