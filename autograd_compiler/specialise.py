"""From a call with real arguments to compiled code, once per kind of arguments."""

from __future__ import annotations

import inspect
import logging
import textwrap
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np

from autograd_compiler import ir, tree
from autograd_compiler.errors import (
    ArgumentError,
    AutogradCompilerError,
    BackendError,
    UnsupportedError,
)
from autograd_compiler.frontend.annotations import assumptions, described
from autograd_compiler.frontend.names import Structure
from autograd_compiler.frontend.program import (
    LONG_LIST,
    Argument,
    describe,
    of_any_size,
    sizes_now,
)
from autograd_compiler.frontend.source import read_source, span_of
from autograd_compiler.pipeline import Lowered, Mode, Request, lower
from autograd_compiler.rules.registry import generation
from autograd_compiler.types import Dim, type_of

_LOG = logging.getLogger("autograd_compiler")

# One thread compiles at a time.  A lock for each specialiser would not do: compiling one
# function may ask for the derivative of another, and two threads would wait for each
# other.
_COMPILING = threading.RLock()

BACKENDS = ("python", "numba", "auto")
MAX_EXACT = 256  # kinds of calls, sizes included, that one function remembers

# So many times code is made for fixed sizes, then for all sizes.
MAX_FIXED = 8


@dataclass(frozen=True)
class Specialised:
    """Compiled code for one kind of arguments, and where its captures come from."""

    lowered: Lowered
    run: Callable[..., Any]
    kinds: tuple[Any, ...] = ()  # of the captures when this was compiled
    # What symbols of sizes must be: Note [Fixed sizes] in `types.py`.
    fixed: tuple[tuple[str, int], ...] = ()
    # Of the table of rules when this was compiled.
    generation: int = field(default_factory=generation)

    def fits(self, arguments: Mapping[str, Argument]) -> bool:
        """Whether the code holds for the sizes of these arguments."""
        if not self.fixed:
            return True
        now = sizes_now(arguments.values())
        return all(now.get(symbol) == size for symbol, size in self.fixed)

    @cached_property
    def _names(self) -> list[tuple[dict[str, Any], str, Any]]:
        """The guards on what a name of a module is bound to: most are, and quick."""
        return [
            (capture.namespace, capture.name, value)
            for capture, value in self.lowered.primal.guards
            if isinstance(capture.namespace, dict) and not capture.path
        ]

    def pullback(self) -> Callable[..., Any]:
        """The function that takes residuals and a cotangent."""
        found: Callable[..., Any] = self.run.__globals__[
            self.lowered.derivative.pullback
        ]
        return found

    def call(self, values: Mapping[str, Any]) -> Any:
        """The result for arguments, which may have to be apart in memory."""
        self.check_overlap(values)
        return self.run(*values.values(), *self.captured())

    def check_overlap(self, values: Mapping[str, Any]) -> None:
        """Refuse arguments that share memory when one of them is written."""
        written = self.lowered.primal.written
        if not written:
            return
        arrays = [
            (leaf, var)
            for name, value in values.items()
            for leaf, var in zip(
                tree.flatten(value)[0],
                ir.leaves(self.lowered.primal.arguments[name]),
                strict=False,
            )
            if isinstance(leaf, np.ndarray)
        ]
        for leaf, var in arrays:
            if var not in written:
                continue
            for other, second in arrays:
                if second is not var and np.shares_memory(leaf, other):
                    raise ArgumentError(
                        f"`{var.name}` is written by the function and overlaps with "
                        f"`{second.name}`: they share memory; pass a copy of one of them"
                    )

    def captured(self) -> list[Any]:
        return [capture.fetch() for capture in self.lowered.primal.captures]

    def is_current(self) -> bool:
        """Whether all that was taken as fixed when compiling is still the same."""
        if self.generation != generation():
            return False
        for namespace, name, value in self._names:
            if namespace.get(name) is not value:
                break
        else:
            if len(self._names) == len(self.lowered.primal.guards):
                return self._captures_are_alike()
        for capture, value in self.lowered.primal.guards:
            try:
                now = capture.fetch()
            except (KeyError, ValueError, AttributeError):
                return False
            if isinstance(value, Structure):
                if Structure.of(now) != value:
                    return False
            elif now is not value and not _same_fixed(now, value):
                return False
        return self._captures_are_alike()

    def _captures_are_alike(self) -> bool:
        if not self.lowered.primal.captures:
            return True
        return capture_kinds(self.lowered) == self.kinds


_NUMBERS = frozenset(
    {float, int, complex}
    | {np.dtype(name).type for name in ("float64", "float32", "int64", "complex128")}
)
_FIXED = frozenset({bool, str, type(None)})


def exact_key(args: Iterable[Any]) -> tuple[Any, ...] | None:
    """What tells calls apart: equal keys, and the same compiled code is right.

    It is quick rather than general: None where an argument is of no common kind.  It
    tells sizes apart that share compiled code.
    """
    key: list[Any] = []
    for arg in args:
        kind = type(arg)
        if kind in _NUMBERS:
            key.append(kind)
        elif kind is np.ndarray:
            key.append((arg.dtype.char, arg.shape, arg.flags.c_contiguous))
        elif kind in _FIXED:
            key.append((kind, arg))
        elif kind is dict:
            inner = exact_key(arg.values())
            if inner is None:
                return None
            key.append((kind, tuple(arg), inner))
        elif (kind is tuple or kind is list) and len(arg) <= LONG_LIST:
            inner = exact_key(arg)
            if inner is None:
                return None
            key.append((kind, inner))
        else:
            return None
    return tuple(key)


def capture_kinds(lowered: Lowered) -> tuple[Any, ...] | None:
    """The types of captured values: compiled code holds for these."""
    sizes = {size: Dim("", size) for size in lowered.fixed_sizes}
    try:
        return tuple(
            _kind(capture.fetch(), sizes) for capture in lowered.primal.captures
        )
    except (LookupError, ValueError, AttributeError):
        return None  # no longer there: compiling anew says so


def _kind(value: Any, sizes: dict[int, Dim]) -> Any:
    if isinstance(value, (bool, int, float, complex, np.generic, np.ndarray)):
        return type_of(value, sizes)
    if isinstance(value, (list, tuple, dict)):
        return describe(value, sizes).key
    return type(value)


def _same_fixed(first: Any, second: Any) -> bool:
    if isinstance(second, (str, bytes, bool, type(None), np.dtype, range)):
        return type(first) is type(second) and bool(first == second)
    self = getattr(second, "__self__", None)
    return self is not None and first == second


class Specialiser:
    """Compiles one function for one mode, and keeps what it compiled."""

    def __init__(
        self,
        fun: Callable[..., Any],
        mode: Mode,
        *,
        has_aux: bool = False,
        backend: str = "python",
        simplify: bool = True,
        holomorphic: bool = False,
        debug_nans: bool = False,
        fastmath: bool = False,
    ) -> None:
        if not callable(fun):
            raise ArgumentError(f"a function is needed, and {fun!r} is not callable")
        if backend not in BACKENDS:
            raise ArgumentError(
                f"there is no backend {backend!r}: choose from {', '.join(BACKENDS)}"
            )
        if debug_nans and backend == "numba":
            raise ArgumentError(
                "debug_nans=True checks code of the Python backend: leave "
                'backend="numba" out while you look for the NaN'
            )
        if fastmath and backend == "python":
            raise ArgumentError(
                "fastmath=True is for what Numba compiles: choose "
                'backend="numba" or "auto"'
            )
        self.fun = fun
        self.mode = mode
        self.has_aux = has_aux
        self.backend = "python" if debug_nans else backend
        self.debug_nans = debug_nans
        self.fastmath = fastmath
        self.simplify = simplify
        self.holomorphic = holomorphic
        try:
            self.signature = inspect.signature(fun)
        except (TypeError, ValueError):
            raise ArgumentError(
                f"the signature of {fun!r} is not known: only functions written in "
                "Python can be differentiated, and a partial must fit its function"
            ) from None
        # By the types of arguments; each entry for other numbers of fixed sizes.
        self._known: dict[Any, tuple[Specialised, ...]] = {}
        self.arguments: dict[Any, Mapping[str, Argument]] = {}
        self._exact: dict[Any, Specialised] = {}
        self._positional = sum(
            p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)
            for p in self.signature.parameters.values()
        )
        self.last: Specialised | None = None

    # ------------------------------------------------------------ arguments

    def bind(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> dict[str, Any]:
        try:
            bound = self.signature.bind(*args, **kwargs)
        except TypeError as error:
            raise ArgumentError(f"{self.name}: {error}") from None
        bound.apply_defaults()
        return dict(bound.arguments)

    @property
    def name(self) -> str:
        return getattr(self.fun, "__name__", type(self.fun).__name__)

    def wrt(self, argnums: Any) -> tuple[str, ...]:
        """The names of the selected arguments."""
        chosen = argnums if isinstance(argnums, (tuple, list)) else (argnums,)
        if not chosen:
            raise ArgumentError("argnums selects no argument")
        names = [self._selected(item) for item in chosen]
        if len(set(names)) != len(names):
            raise ArgumentError(f"argnums selects an argument twice: {chosen}")
        return tuple(names)

    def _selected(self, item: Any) -> str:
        parameters = list(self.signature.parameters.values())
        names = [p.name for p in parameters]
        if isinstance(item, str):
            if item not in names:
                raise ArgumentError(
                    f"argnums={item!r}: `{self.name}` has no argument of that name; "
                    f"its arguments are {', '.join(names)}"
                )
            return item
        if isinstance(item, bool) or not isinstance(item, (int, np.integer)):
            raise ArgumentError(f"argnums must be numbers or names, not {item!r}")
        positional = [
            p
            for p in parameters
            if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)
        ]
        starred = [p for p in parameters if p.kind is p.VAR_POSITIONAL]
        number = int(item)
        if starred and number >= len(positional):
            return f"{starred[0].name}[{number - len(positional)}]"
        if not -len(positional) <= number < len(positional):
            raise ArgumentError(
                f"argnums={number}: `{self.name}` has {len(positional)} positional "
                "arguments, counted from 0"
            )
        return positional[number].name

    def check_selected(self, wrt: tuple[str, ...], values: Mapping[str, Any]) -> None:
        """Refuse selected arguments that have no derivative."""
        for name in wrt:
            value = selected(values, name)

            def check(path: Any, leaf: Any, name: str = name) -> Any:
                dtype = np.asarray(leaf).dtype if not isinstance(leaf, str) else None
                if dtype is None or dtype.kind not in "fc":
                    where = tree.path_text(path, name)
                    kind = type(leaf).__name__
                    if isinstance(leaf, np.ndarray):
                        kind = f"an array of {leaf.dtype}"
                    hint = "pass a float: write `2.0` for `2`"
                    if isinstance(leaf, np.ndarray):
                        hint = "convert it with .astype(float)"
                    if dtype is None or dtype.kind == "O":
                        hint = "select another argument with argnums"
                    raise ArgumentError(
                        f"{self.name}: `{where}` is {kind}, and derivatives are taken "
                        f"in floats only; {hint}"
                    )
                return leaf

            tree.map_with_path(check, value)

    # ------------------------------------------------------------ calling

    def run(
        self, wrt: tuple[str, ...], args: tuple[Any, ...], kwargs: Mapping[str, Any]
    ) -> tuple[Any, Mapping[str, Any] | None]:
        """The result of compiled code, and the arguments by name.

        A call with arguments like those of an earlier one takes a short way, on which
        they need no names: None is given for them.
        """
        key: tuple[Any, ...] | None = None
        found = None
        if not kwargs:
            kinds = tuple(map(type, args))  # enough where all are numbers
            key = kinds if _NUMBERS.issuperset(kinds) else exact_key(args)
            key = None if key is None else (wrt, *key)
            found = self._exact.get(key)
        if found is not None and found.is_current():
            self.last = found
            if found.lowered.primal.captures:
                return found.run(*args, *found.captured()), None
            return found.run(*args), None
        values = self.bind(args, kwargs)
        self.check_selected(wrt, values)
        found = self.specialise(wrt, values)
        plain = len(args) == self._positional == len(self.signature.parameters)
        if key is not None and plain and not found.lowered.primal.written:
            if len(self._exact) >= MAX_EXACT:
                self._exact.clear()
            self._exact[key] = found
        return found.call(values), values

    # ------------------------------------------------------------ compiling

    def specialise(
        self, wrt: tuple[str, ...], values: Mapping[str, Any]
    ) -> Specialised:
        sizes: dict[int, Dim] = {}
        arguments = {}
        for name, value in values.items():
            try:
                arguments[name] = describe(value, sizes)
            except ArgumentError as error:
                raise ArgumentError(f"{self.name}: `{name}`: {error}") from None
        return self.for_arguments(wrt, arguments)

    def for_arguments(
        self, wrt: tuple[str, ...], arguments: Mapping[str, Argument]
    ) -> Specialised:
        key = self._key(wrt, arguments)
        found = self._fitting(key, arguments)
        if found is None:
            with _COMPILING:
                found = self._fitting(key, arguments)
                if found is None:
                    found = self._compile(wrt, arguments)
                    others = self._known.get(key, ())
                    kept = tuple(item for item in others if not item.fits(arguments))
                    self._known[key] = (*kept, found)
                    self.arguments[key] = dict(arguments)
        self.last = found
        return found

    @staticmethod
    def _key(wrt: tuple[str, ...], arguments: Mapping[str, Argument]) -> Any:
        return (wrt, tuple((name, item.key) for name, item in arguments.items()))

    def _fitting(
        self, key: Any, arguments: Mapping[str, Argument]
    ) -> Specialised | None:
        for found in self._known.get(key, ()):
            if found.fits(arguments) and found.is_current():
                return found
        return None

    def _request(self, wrt: tuple[str, ...]) -> Request:
        backend = "python" if self.backend == "auto" else self.backend
        return Request(
            self.mode,
            wrt,
            self.has_aux,
            backend,
            self.simplify,
            self.holomorphic,
            self.debug_nans,
            self.fastmath,
        )

    def lower(self, wrt: tuple[str, ...], arguments: Mapping[str, Argument]) -> Lowered:
        try:
            return lower(self.fun, arguments, self._request(wrt))
        except AutogradCompilerError:
            raise
        except RecursionError as error:
            raise UnsupportedError(
                f"`{self.name}` is nested or recurses too deeply for the compiler",
                _place(self.fun),
                "split it into smaller functions, or write the recursion as a loop",
            ) from error
        except Exception as error:
            raise UnsupportedError(
                f"the compiler fails on `{self.name}` ({type(error).__name__}: {error})",
                _place(self.fun),
                "a report of the program would be welcome",
            ) from error

    def _compile(
        self, wrt: tuple[str, ...], arguments: Mapping[str, Argument]
    ) -> Specialised:
        key = self._key(wrt, arguments)
        if len(self._known.get(key, ())) >= MAX_FIXED:
            arguments = {name: of_any_size(item) for name, item in arguments.items()}
        lowered = self.lower(wrt, arguments)
        now = sizes_now(arguments.values()) if lowered.fixed_sizes else {}
        fixed = tuple(
            (symbol, size)
            for symbol, size in now.items()
            if size in lowered.fixed_sizes and symbol.startswith("n")
        )
        kinds = capture_kinds(lowered) or ()
        if self.backend == "auto":
            fast = replace(lowered, request=replace(lowered.request, backend="numba"))
            try:
                return Specialised(fast, _falling_back(fast, lowered), kinds, fixed)
            except BackendError as error:
                _LOG.info("%s: the Python backend is used: %s", self.name, error)
        return Specialised(lowered, lowered.compile(), kinds, fixed)

    def generic(self, wrt: tuple[str, ...]) -> Lowered:
        """Lowered without arguments: with what annotations and defaults tell of them."""
        arguments = described(self.fun, self.signature, wrt)
        lowered = self.lower(wrt, arguments)
        assumed = assumptions(arguments)
        if not assumed:
            return lowered
        *helpers, entry = lowered.module.functions
        wrapped = "\n".join(textwrap.wrap(assumed, 84))
        entry = replace(entry, doc=f"{entry.doc}\n\n{wrapped}\n")
        return replace(lowered, module=ir.Module((*helpers, entry)))


def _place(fun: Any) -> ir.Span | None:
    while hasattr(fun, "__autograd_compiler_call__"):
        fun = fun.primal
    try:
        source = read_source(fun)
    except AutogradCompilerError:
        return None
    return span_of(source.node, source.filename)


def _falling_back(fast: Lowered, slow: Lowered) -> Callable[..., Any]:
    """Run by Numba; what it cannot compile shows at the first call only."""
    compiled = fast.compile()

    def run(*args: Any) -> Any:
        nonlocal compiled
        try:
            return compiled(*args)
        except BackendError as error:
            _LOG.info("the Python backend is used: %s", error)
            compiled = slow.compile()
            return compiled(*args)

    return run


def selected(values: Mapping[str, Any], name: str) -> Any:
    """The argument of a name, or `args[2]` of the starred ones."""
    if name.endswith("]"):
        starred, position = name[:-1].split("[")
        try:
            return values[starred][int(position)]
        except IndexError:
            raise ArgumentError(
                f"argnums selects `{name}`, which is not given"
            ) from None
    return values[name]
