"""The type of an operation's result, found by running it on small stand-ins.

A NumPy call needs no typing rule: it is run on arrays whose symbolic sizes are small
numbers, twice, with two different assignments of numbers to symbols; a size of the
result that equals the same `symbol + offset` both times has that size.  The second
assignment reverses the order of the sizes, so that a result that depends on which of
two is larger (`max(n, m)`) is not mistaken for one of them.

A call that fails on these sizes (of two symbols that must be equal, of a size that must
be a multiple of three) is run again with one number for all symbols; that tells the
dtype and the number of dimensions, and nothing of sizes.
"""

from __future__ import annotations

import builtins
import copy
import inspect
import itertools
import operator
import random
import types
import warnings
from collections.abc import Callable, Collection, Hashable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from autograd_compiler import ir
from autograd_compiler.analysis.slices import with_slices
from autograd_compiler.rules.registry import HasRule, Rule, rule_of
from autograd_compiler.types import (
    BOTTOM,
    UNKNOWN,
    Array,
    Bottom,
    DictOf,
    Dim,
    ListOf,
    Opaque,
    Scalar,
    TupleOf,
    Type,
    Unknown,
    found_size,
    same_size,
)

_MAX_OFFSET = 8

# The symbols of one call, by name; None for the size of an unknown dimension.
Symbols = dict[str, Dim | None]

# One number for all symbols: small, and with many divisors.
_UNIFORM = (4, 12, 60)


@dataclass(frozen=True)
class Result:
    """What is known of a call's result.

    `types` has one entry per result (several for a tuple result, then `unpacks`);
    `aliases` are the positions of the operands whose memory the result may share.
    """

    types: tuple[Type, ...]
    unpacks: bool = False
    aliases: tuple[int, ...] = ()
    known: bool = True


NOT_KNOWN = Result((UNKNOWN,), known=False)


class _Absent(Exception):
    """An operand for which there is no stand-in."""


class Sizes:
    """Numbers for the symbols of one call."""

    number = 0.5  # stands in for any float

    def __init__(
        self,
        symbols: Collection[str],
        run: int = 0,
        uniform: int | None = None,
        taken: int = 0,
    ) -> None:
        count = len(symbols)
        self.layout = "F"  # of arrays that are not known to be C-contiguous
        # A whole number that may be a size: what comes out of the size must change.
        self.integer = 1 + run
        # So must what comes out of an array of counts or of a mask.
        self.count = run
        self.length = 2 + run  # of lists
        self.numbers: dict[str, int] = {}
        for position, symbol in enumerate(symbols):
            if uniform is not None:
                self.numbers[symbol] = uniform
            elif run == 0:
                self.numbers[symbol] = taken + 5 + 4 * position
            else:
                self.numbers[symbol] = taken + 7 + 4 * (count - 1 - position)

    def of(self, dim: Dim) -> int:
        if not dim.symbol:
            return dim.offset
        return max(0, self.numbers[dim.symbol] + dim.offset)


class _Ones(Sizes):
    """Size 1 for everything, also where the size is known."""

    number = 1.5  # where 0.5 is not in the domain: `acosh`

    def __init__(self, symbols: Collection[str]) -> None:
        super().__init__(symbols, uniform=1)

    def of(self, dim: Dim) -> int:
        return 1


def infer_call(
    fn: Callable[..., Any],
    args: tuple[ir.Operand, ...],
    kwargs: tuple[tuple[str, ir.Operand], ...] = (),
    fix_sizes: bool = False,
) -> Result:
    """The types of `fn(*args, **kwargs)`.

    Raises
    ------
    SizesCoincide
        With `fix_sizes`, where sizes that do not fit together are equal in the call that
        is compiled for: Note [Fixed sizes] in `types.py`.
    """
    found = _tried_out(fn, args, kwargs, fix_sizes)
    if fn is operator.getitem and isinstance(args[0], ir.Var):
        base, kind = args[0].type, found.types[0]
        if isinstance(base, Array) and isinstance(kind, Array):
            found = replace(found, types=(with_slices(kind, base, args[1]),))
    return found


def _tried_out(
    fn: Callable[..., Any],
    args: tuple[ir.Operand, ...],
    kwargs: tuple[tuple[str, ir.Operand], ...],
    fix_sizes: bool,
) -> Result:
    harmless = _harmless(fn)
    if harmless is None:
        return NOT_KNOWN
    if fn is np.linalg.eig:  # complex or real, as the numbers of a real matrix are
        return Result((UNKNOWN, UNKNOWN), unpacks=True)
    every = (*args, *(value for _, value in kwargs))
    names: Symbols = {}
    offsets: list[int] = [0]
    constants: dict[int, None] = {}
    for operand in every:
        for var in ir.leaves(operand):
            if isinstance(var.type, Bottom):
                return Result((BOTTOM,))
            _collect(var.type, names, offsets, constants, var)
    sized = bool(names) or any(map(_may_be_a_size, every))
    # Large enough for what was taken off: of `u[9:]` something must be left.
    exact = [Sizes(names, run, taken=-min(offsets)) for run in (0, 1)]
    exact = exact if sized else [Sizes(())]
    uniform = [[Sizes(names, uniform=size)] for size in (*_UNIFORM, *constants)]
    last = [[_Ones(names)]] if _has_sure_rank(fn) else []
    for attempt in (exact, *(uniform if names else ()), *last):
        try:
            with np.errstate(all="ignore"), warnings.catch_warnings():
                warnings.simplefilter("ignore")
                runs = [_run(harmless, args, kwargs, sizes) for sizes in attempt]
                found = _describe(runs, names, attempt if attempt is exact else None)
                if not _layout_matters(every):
                    return found
                for layout in ("C", "strided"):
                    attempt[0].layout = layout
                    other = _describe(
                        [_run(harmless, args, kwargs, attempt[0])], names, None
                    )
                    found = _in_any_layout(found, other)
                return found
        except _Absent:
            return NOT_KNOWN
        except Exception:  # errors of the user's surface at run time, in NumPy's words
            if fix_sizes and attempt is exact:
                _note_coincidence(every)
    return NOT_KNOWN


# Functions whose results have a rank and a dtype that depend on no size: where no
# stand-ins fit together, as in `y[:2] * y[k:]`, arrays of size 1 always do.
_SURE_RANK = frozenset(
    (
        *(
            operator.add,
            operator.sub,
            operator.mul,
            operator.truediv,
            operator.floordiv,
        ),
        *(operator.mod, operator.pow, operator.neg, operator.pos, operator.abs),
        *(operator.lt, operator.le, operator.gt, operator.ge, operator.eq, operator.ne),
        *(operator.and_, operator.or_, operator.xor, operator.invert, operator.matmul),
        *(np.dot, np.inner, np.vdot, np.outer, np.tensordot, np.einsum, np.convolve),
        *(np.where, np.clip, np.concatenate, np.stack, np.linalg.solve),
    )
)


def _may_be_a_size(operand: ir.Operand) -> bool:
    return any(_has_a_size(var.type) for var in ir.leaves(operand))


def _has_a_size(kind: Type) -> bool:
    match kind:
        case Scalar(dtype):
            return np.dtype(dtype).kind == "i"
        case Array(dtype):
            return np.dtype(dtype).kind in "ib"  # counts, or a mask
        case ListOf():
            return True  # of a length that is not known
        case TupleOf(items):
            return any(map(_has_a_size, items))
    return False


def _has_sure_rank(fn: Callable[..., Any]) -> bool:
    if isinstance(fn, np.ufunc) or getattr(fn, "__module__", "") == "math":
        return True
    return isinstance(fn, Hashable) and fn in _SURE_RANK


def _layout_matters(operands: Sequence[ir.Operand]) -> bool:
    """Whether an operand may be in any order of memory: then so may the result."""
    return any(
        isinstance(var.type, Array) and var.type.ndim and not var.type.contiguous
        for operand in operands
        for var in ir.leaves(operand)
    )


def _in_any_layout(first: Result, second: Result) -> Result:
    """What holds of a result whatever the order of its operands in memory."""
    if len(first.types) != len(second.types):
        return NOT_KNOWN
    types = tuple(
        (
            replace(
                a, contiguous=a.contiguous and isinstance(b, Array) and b.contiguous
            )
            if isinstance(a, Array)
            else a
        )
        for a, b in zip(first.types, second.types, strict=True)
    )
    aliases = tuple(sorted({*first.aliases, *second.aliases}))
    return replace(first, types=types, aliases=aliases)


def infer_reshape(array: Array, shape: ir.Operand) -> Array | None:
    """The type of `array.reshape(shape)`, where the shape has a known length."""
    if isinstance(shape, ir.Var) and isinstance(shape.type, TupleOf):
        kinds: tuple[Type, ...] = shape.type.items  # `other.shape`
        return Array(array.dtype, tuple(map(_size_of, kinds)), contiguous=True)
    items = shape.items if isinstance(shape, ir.Pack) else (shape,)
    dims: list[Dim | None] = []
    for item in items:
        match item:
            case ir.Const(int() as size):
                dims.append(Dim("", size) if size >= 0 else None)
            case ir.Var(type=Scalar("int64") as kind):
                # A number that is not the size of an argument may be -1.
                dim = _size_of(kind)
                dims.append(dim if dim is not None and dim.is_not_one else None)
            case _:
                return None
    return Array(array.dtype, tuple(dims), contiguous=True)


def infer_unbroadcast(adjoint: Type, value: Type) -> Result:
    """An adjoint in the shape of its value, which may be the adjoint itself.

    No stand-ins can tell: those of different sizes are no broadcast of each other.
    """
    match adjoint, value:
        case (Bottom(), _) | (_, Bottom()):
            return Result((BOTTOM,))
        case (Scalar() | Array()) as first, (Scalar() | Array()) as second:
            dtype = np.dtype(first.dtype)
            if dtype.kind == "c" and np.dtype(second.dtype).kind != "c":
                dtype = np.empty(0, dtype).real.dtype
            if isinstance(second, Array):
                return Result((Array(dtype.name, second.dims),), aliases=(0,))
            weak = isinstance(first, Scalar) and first.weak
            return Result((Scalar(dtype.name, weak),), aliases=(0,))
    return NOT_KNOWN


def _size_of(kind: Type) -> Dim | None:
    return kind.size if isinstance(kind, Scalar) else None


def _note_coincidence(operands: Sequence[ir.Operand]) -> None:
    """Ask for fixed sizes where those of operands that do not fit together are equal."""
    sizes = [
        dim
        for operand in operands
        for var in ir.leaves(operand)
        if isinstance(var.type, Array)
        for dim in var.type.dims
    ]
    for position, dim in enumerate(sizes):
        for other in sizes[:position]:
            same_size(dim, other)


def _collect(
    type: Type,
    symbols: Symbols,
    offsets: list[int],
    constants: dict[int, None],
    owner: object,
) -> None:
    match type:
        case Array(_, dims):
            for position, dim in enumerate(dims):
                if dim is None:
                    symbols[f"?{id(owner)}.{position}"] = None
                elif dim.symbol:
                    symbols[dim.symbol] = dim.plus(-dim.offset)
                    offsets.append(dim.offset)
                elif dim.offset > 1:
                    constants[dim.offset] = None
        case Opaque(_, example):
            for size in getattr(example, "shape", ()):
                constants[size] = None
        case Scalar(size=size):
            if size is not None and size.symbol:
                symbols[size.symbol] = size.plus(-size.offset)
                offsets.append(size.offset)
        case ListOf(item):
            _collect(item, symbols, offsets, constants, owner)
        case TupleOf(items):
            for item in items:
                _collect(item, symbols, offsets, constants, owner)


# Modules whose functions compute and do nothing else, with the exceptions.
_COMPUTING = ("autograd_compiler", "builtins", "cmath", "math", "numpy", "_operator")
_EFFECTS = frozenset(
    id(getattr(module, name))
    for module, names in (
        (builtins, "breakpoint delattr eval exec input next open print setattr"),
        (np, "fromfile genfromtxt load loadtxt memmap save savetxt savez"),
        (
            np,
            "savez_compressed fromregex set_printoptions setbufsize seterr seterrcall",
        ),
        (
            np,
            "show_config show_runtime info test copyto put place putmask fill_diagonal",
        ),
        (np, "put_along_axis printoptions"),
        (np.linalg, "test"),
        (np.fft, "test"),
    )
    for name in names.split()
)
_RANDOM = (np.random.RandomState, np.random.Generator, random.Random)


def _harmless(fn: Callable[..., Any]) -> Callable[..., Any] | None:
    """The function, to be run on stand-ins; None if running it may have an effect."""
    owner = getattr(fn, "__self__", None)
    if isinstance(owner, _RANDOM):  # the program's own numbers must not be used up
        found: Callable[..., Any] = getattr(copy.deepcopy(owner), fn.__name__)
        return found
    if id(fn) in _EFFECTS:
        return None
    rule = rule_of(fn)
    if rule is not None and rule.result is not None:
        return form_of_result(rule)
    if isinstance(fn, HasRule):  # it may be anything: it is not run
        return None
    if rule is not None or np.ufunc in (type(fn), type(owner)):
        return fn
    if not (owner is None or isinstance(owner, (types.ModuleType, type))):
        return None
    module = getattr(fn, "__module__", None) or ""
    return fn if module.partition(".")[0] in _COMPUTING else None


def form_of_result(rule: Rule) -> Callable[..., Any]:
    """What gives a value of the form of an operator's result, in new memory."""

    def form(*args: Any, **kwargs: Any) -> Any:
        if not isinstance(rule.result, str):
            assert rule.result is not None
            return copy.deepcopy(rule.result(*args, **kwargs))
        bound = inspect.Signature(rule.parameters).bind(*args, **kwargs)
        bound.apply_defaults()
        return copy.deepcopy(bound.arguments[rule.result])

    return form


def _run(
    fn: Callable[..., Any],
    args: tuple[ir.Operand, ...],
    kwargs: tuple[tuple[str, ir.Operand], ...],
    sizes: Sizes,
) -> tuple[Any, list[Any]]:
    given = [_stand_in(arg, sizes) for arg in args]
    named = {key: _stand_in(value, sizes) for key, value in kwargs}
    return fn(*given, **named), [*given, *named.values()]


def _stand_in(operand: ir.Operand, sizes: Sizes) -> Any:
    match operand:
        case ir.Const(value):
            return value
        case ir.Pack(items, form):
            values = [_stand_in(item, sizes) for item in items]
            if form.kind == "tuple":
                return tuple(values)
            if form.kind == "list":
                return values
            if form.kind == "dict":
                return dict(zip(form.keys, values, strict=True))
            raise _Absent
        case ir.Slice(start, stop, step):
            return slice(*(_stand_in(part, sizes) for part in (start, stop, step)))
        case ir.Var():
            return _sample(operand.type, sizes, operand)


def _sample(type: Type, sizes: Sizes, owner: object) -> Any:
    match type:
        case Scalar(dtype, weak, size):
            kind = np.dtype(dtype).kind
            number: Any
            if size is not None:
                number = sizes.of(size)
            else:
                number = {
                    "b": True,
                    "i": sizes.integer,
                    "u": 1,
                    "f": sizes.number,
                    "c": 0.5 + 0.25j,
                }[kind]
            return number if weak else np.dtype(dtype).type(number)
        case Array(dtype, dims, contiguous):
            shape = tuple(
                (
                    sizes.numbers[f"?{id(owner)}.{position}"]
                    if dim is None
                    else sizes.of(dim)
                )
                for position, dim in enumerate(dims)
            )
            layout = "C" if contiguous else sizes.layout
            return _array(dtype, shape, layout, sizes.count)
        case ListOf(item):
            return [_sample(item, sizes, owner) for _ in range(sizes.length)]
        case TupleOf(items):
            return tuple(_sample(item, sizes, owner) for item in items)
        case Opaque(_, example) if example is not None:
            return example
    raise _Absent


def _array(dtype: str, shape: tuple[int, ...], layout: str, count: int) -> Any:
    kind = np.dtype(dtype).kind
    if kind in "fc":
        size = int(np.prod(shape))
        values: Any = (0.3 + 0.02 * (np.arange(size) % 5)).reshape(shape)
        if len(shape) >= 2 and shape[-1] == shape[-2]:
            values = values + 2.0 * np.eye(shape[-1])  # regular, positive definite
        if kind == "c":
            values = values + 0.1j
        array = values.astype(dtype)
    else:
        array = np.full(shape, count, dtype)
        if kind == "b":
            array[...] = True
            array.flat[:count] = False
    if layout == "C" or not shape:
        return array
    if layout == "strided" or len(shape) == 1:
        return np.repeat(array, 2, axis=-1)[..., ::2]
    return np.asfortranarray(array)


def _describe(
    runs: list[tuple[Any, list[Any]]], names: Symbols, exact: Sequence[Sizes] | None
) -> Result:
    value, given = runs[0]
    results = [run[0] for run in runs]
    aliases = tuple(
        position for position, arg in enumerate(given) if shares_memory(value, arg)
    )
    if (
        isinstance(value, tuple)
        and type(value) is not tuple
        and not hasattr(value, "_fields")
    ):
        return NOT_KNOWN
    if isinstance(value, (tuple, list)) and not value:
        return Result((TupleOf(()),)) if isinstance(value, tuple) else NOT_KNOWN
    if isinstance(value, list) and any(isinstance(arg, list) for arg in given):
        return Result(
            (ListOf(_merge([r[0] for r in results], names, exact)),), False, aliases
        )
    if isinstance(value, (tuple, list)):
        if value and all(type(item) is int for item in value):
            return Result((_merge(results, names, exact),), False)
        if len({len(result) for result in results}) != 1:
            if isinstance(value, list) and value:
                return Result((ListOf(_merge([r[0] for r in results], names, exact)),))
            return NOT_KNOWN
        types = tuple(
            _merge([result[k] for result in results], names, exact)
            for k in range(len(value))
        )
        if len(types) == 1:  # one target would stand for the tuple itself
            whole = TupleOf(types) if isinstance(value, tuple) else ListOf(types[0])
            return Result((whole,), False, aliases)
        return Result(types, True, aliases)
    return Result((_merge(results, names, exact),), False, aliases)


def shares_memory(value: Any, arg: Any) -> bool:
    """Whether two run-time values share array memory."""
    if isinstance(value, (tuple, list)):
        return any(shares_memory(item, arg) for item in value)
    if isinstance(arg, (tuple, list)):
        return any(shares_memory(value, item) for item in arg)
    if isinstance(value, np.ndarray) and isinstance(arg, np.ndarray):
        return value is arg or np.may_share_memory(value, arg)
    return False


def _merge(values: list[Any], names: Symbols, exact: Sequence[Sizes] | None) -> Type:
    value = values[0]
    if isinstance(value, np.ndarray) and value.dtype.kind in "fciub":
        if any(other.ndim != value.ndim for other in values):
            return UNKNOWN
        dims = tuple(
            _dim([v.shape[axis] for v in values], names, exact)
            for axis in range(value.ndim)
        )
        return Array(value.dtype.name, dims, all(v.flags.c_contiguous for v in values))
    if isinstance(value, np.generic) and value.dtype.kind in "fciub":
        return Scalar(value.dtype.name, weak=False)
    if isinstance(value, bool):
        return Scalar("bool")
    if isinstance(value, int):
        size = _dim(list(values), names, exact) if names else None
        return Scalar("int64", size=size)
    if isinstance(value, float):
        return Scalar("float64")
    if isinstance(value, complex):
        return Scalar("complex128")
    if isinstance(value, (tuple, list)):
        lengths = {len(v) for v in values}
        if len(lengths) == 1:
            items = tuple(
                _merge([v[k] for v in values], names, exact) for k in range(len(value))
            )
            return TupleOf(items)
        return UNKNOWN
    return Opaque(type(value), value if is_sparse(value) else None)


def is_sparse(value: Any) -> bool:
    """Whether a value is a sparse matrix or array of SciPy's."""
    return type(value).__module__.startswith("scipy.sparse.")


def _dim(
    numbers: list[int], names: Symbols, exact: Sequence[Sizes] | None
) -> Dim | None:
    if exact is None:
        return None
    if min(numbers) == max(numbers):
        return Dim("", numbers[0])
    first, second = exact
    for name, symbol in names.items():
        offset = numbers[0] - first.numbers[name]
        if offset == numbers[1] - second.numbers[name] and abs(offset) <= _MAX_OFFSET:
            return None if symbol is None else symbol.plus(offset)
    return _guess(numbers, names, (first, second))


def _guess(numbers: list[int], names: Symbols, runs: tuple[Sizes, Sizes]) -> Dim | None:
    """What a size that has no name may be now: `n + 7`, `n + m` or `n * m`.

    That is not known for sure, and serves as a hint only: see Note [Fixed sizes].
    """
    known = {
        name: symbol
        for name, symbol in names.items()
        if symbol is not None and symbol.now is not None
    }
    for name, symbol in known.items():
        offsets = {n - run.numbers[name] for n, run in zip(numbers, runs, strict=True)}
        if len(offsets) == 1:
            now = symbol.plus(offsets.pop()).now
            return found_size(now, symbol.due_to)
    for one, two in itertools.combinations_with_replacement(known, 2):
        for combine in (operator.add, operator.mul):
            given = [combine(run.numbers[one], run.numbers[two]) for run in runs]
            if given == numbers:
                now = combine(known[one].now, known[two].now)
                return found_size(now, known[one].due_to | known[two].due_to)
    return None


__all__ = ["Result", "infer_call", "shares_memory", "Unknown", "DictOf"]
