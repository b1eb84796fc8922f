"""What all functions made of functions have in common, whatever they compute."""

from __future__ import annotations

import abc
import functools
import inspect
import logging
import os
import sys
import threading
import types
from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Any

from autograd_compiler import nested
from autograd_compiler.contract import independent
from autograd_compiler.errors import ArgumentError, CompileError
from autograd_compiler.export import files
from autograd_compiler.frontend.handlers import handles
from autograd_compiler.frontend.program import describe
from autograd_compiler.pipeline import Lowered, Mode
from autograd_compiler.specialise import Specialised, Specialiser
from autograd_compiler.transforms.exporting import exported_program, try_compiled
from autograd_compiler.transforms.travel import restore_texts, texts_of
from autograd_compiler.types import Dim

_LOG = logging.getLogger("autograd_compiler")

Argnums = int | str | tuple[int | str, ...]


class Recent:
    """The values that were made last, by key; safe to use from several threads.

    An entry keeps alive what its key speaks of, so that identities stay what they are.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._found: OrderedDict[Any, tuple[Any, Any]] = OrderedDict()
        self._lock = threading.RLock()  # what is made may ask for what it is made of

    def get(self, key: Any, alive: Any, make: Callable[[], Any]) -> Any:
        """The value of a key; it is made once, and kept with what must stay alive."""
        with self._lock:
            if key in self._found:
                self._found.move_to_end(key)
                return self._found[key][0]
            made = make()
            self._found[key] = (made, alive)
            while len(self._found) > self._size:
                self._found.popitem(last=False)
            return made


_SPECIALISERS = Recent(512)
_BOUND = Recent(256)  # transformations of methods


def identity_of(fun: Any) -> Any:
    """A key for a function; a method is another object each time that it is read."""
    if isinstance(fun, types.MethodType):
        return (id(fun.__self__), id(fun.__func__))
    return id(fun)


def specialiser_of(fun: Callable[..., Any], mode: Mode, **options: Any) -> Specialiser:
    """The specialiser of a function for a mode: one for all who ask."""
    key = (identity_of(fun), mode, tuple(sorted(options.items())))
    found: Specialiser = _SPECIALISERS.get(
        key, fun, lambda: Specialiser(fun, mode, **options)
    )
    return found


class Transformation(abc.ABC):
    """A function made of a function: it looks like it, binds like it, and pickles.

    Attributes
    ----------
    primal : callable
        The original function.
    kind : str
        What follows the name of the function in the name of the generated one.
    title : str
        What is computed, in the words of a docstring.
    """

    kind: str
    title: str
    __signature__: inspect.Signature

    def __init__(self, fun: Callable[..., Any], options: Mapping[str, Any]) -> None:
        """`options` are the keywords that make the same of another function."""
        self.primal = fun
        self._options = dict(options)
        self._method_of: tuple[Transformation, Any] | None = None
        functools.update_wrapper(self, fun, updated=())
        self.__dict__.pop("__wrapped__", None)

    @abc.abstractmethod
    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """The derivative at a point."""

    def _call_text(self, method: str, first: str, more: bool) -> str:
        """How a method of this is called, for the header of a file."""
        place = getattr(self, "__module__", "")
        name = f"{place}.{getattr(self, '__qualname__', self._function_name)}"
        made = name if _named(self) is self else f"{self.kind}({name}, ...)"
        return f"{made}.{method}({first}{', ...' if more else ''})"

    def __repr__(self) -> str:
        return f"<{self.title.lower()} of {self._function_name}>"

    @property
    def _function_name(self) -> str:
        return getattr(self.primal, "__name__", type(self.primal).__name__)

    @property
    def signature(self) -> inspect.Signature:
        return self.__signature__

    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        """As a method, it is bound to its object; argnums count after `self`."""
        if instance is None:
            return self

        def make() -> Transformation:
            found = type(self)(self.primal.__get__(instance), **self._options)
            found._method_of = (self, instance)
            return found

        return _BOUND.get((id(self), id(instance)), (self, instance), make)

    def __reduce__(self) -> Any:
        if self._method_of is not None:
            method, instance = self._method_of
            return getattr, (instance, method._function_name)
        if _named(self) is self:  # `@grad def f`: the name means this object
            return self.__qualname__
        texts = texts_of(self.primal)
        return _rebuild, (type(self), self.primal, self._options, texts)


def _named(made: Transformation) -> Any:
    """What the module of a transformation has under its name."""
    found: Any = sys.modules.get(getattr(made, "__module__", ""))
    for name in getattr(made, "__qualname__", "").split("."):
        found = getattr(found, name, None)
    return found


def _rebuild(
    cls: type[Transformation], fun: Any, options: Any, texts: dict[str, str]
) -> Transformation:
    restore_texts(fun, texts)
    return cls(fun, **options)


class Compiled(Transformation):
    """A transformation that is a program of gradients, pullbacks and tangents.

    It is lowered like a function that the user has written with `vjp` and `jvp` in it,
    and so the same few lines serve a call, a call inside of a differentiated function,
    and both backends.

    Attributes
    ----------
    source : str
        The generated Python, for the argument types of the last call.
    """

    def __init__(
        self, fun: Callable[..., Any], options: Mapping[str, Any], backend: str
    ) -> None:
        super().__init__(fun, options)
        self.__signature__ = self._signature()
        self._program = Specialiser(self, "value", backend=backend)
        self._unreadable: set[Any] = set()  # kinds of arguments; see `_readable`

    def _signature(self) -> inspect.Signature:
        """How it is called: as the function is, if nothing else is said."""
        return specialiser_of(self.primal, "value").signature

    @abc.abstractmethod
    def __autograd_compiler_call__(
        self, low: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any], node: Any
    ) -> Any:
        """A call of this, in the program that is being lowered."""

    def _check(self, values: Mapping[str, Any]) -> None:
        """Refuse run-time arguments that cannot be differentiated."""

    def _specialised(
        self, args: Any, kwargs: Any
    ) -> tuple[Specialised, dict[str, Any]]:
        values = self._program.bind(args, kwargs)
        self._check(values)
        return self._program_for(values), values

    def _program_for(self, values: dict[str, Any]) -> Specialised:
        return self._program.specialise((), values)

    def _readable(self, values: dict[str, Any]) -> Specialised | None:
        """The program, or None where generated code runs but cannot be read again.

        What code keeps for its reverse sweep may be aliased in a way that cannot be
        followed twice, for example.
        """
        if self._unreadable and kinds_of(values) in self._unreadable:
            return None
        try:
            return self._program_for(values)
        except CompileError as error:
            if self._program.backend == "numba":
                raise
            _LOG.info("%r: its parts are called one by one: %s", self, error)
            self._unreadable.add(kinds_of(values))
            return None

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        found, values = self._specialised(args, kwargs)
        return independent(found.call(values), (*values.values(), *found.captured()))

    def lower(self, *args: Any, **kwargs: Any) -> Lowered:
        """The program specialised to the types of these arguments."""
        return self._specialised(args, kwargs)[0].lowered

    def export(
        self, path: str | os.PathLike[str], /, *args: Any, name: str = "", **kwargs: Any
    ) -> None:
        """Write the program as a module that needs NumPy and not this package.

        The parameters are those of `Gradient.export`; example arguments are needed.
        """
        called = self._call_text("export", repr(os.fspath(path)), True)
        files.write(path, self.exported(*args, name=name, again=called, **kwargs))

    def exported(
        self, *args: Any, name: str = "", again: str = "", **kwargs: Any
    ) -> str:
        """The text that `export` writes; `again` is how its header says to renew it."""
        found, values = self._specialised(args, kwargs)
        text = exported_program(found.lowered, self._program, values, again, name)
        try_compiled(found, (), values)
        return text

    @property
    def source(self) -> str:
        """The generated source for the types of the last call."""
        last = self._program.last
        if last is None:
            raise ArgumentError(
                f"{self!r} has no source yet: it depends on the types of the arguments; "
                "call it, or ask for `lower(*args).source`"
            )
        return last.lowered.source


def kinds_of(values: Mapping[str, Any]) -> Any:
    """What compiled code of these arguments depends on."""
    sizes: dict[int, Dim] = {}
    return tuple(describe(value, sizes).key for value in values.values())


def inside_of_programs(maker: Callable[..., Any]) -> None:
    """Let `maker(f, ...)` be written in a function that is differentiated itself.

    The function may be one that is defined there; the options must be known when
    compiling.
    """
    parameters = list(inspect.signature(maker).parameters)
    name = maker.__name__

    def lower(low: Any, args: Any, kwargs: Any, node: Any) -> Any:
        given = dict(zip(parameters, args, strict=False)) | kwargs
        if len(args) > len(parameters) or not given.keys() <= set(parameters):
            raise low.refuse(node, f"this call of `{name}`", f"write `{name}(f)`")
        if "fun" not in given:
            raise low.refuse(node, f"`{name}` without a function", f"write `{name}(f)`")
        function = given.pop("fun")
        known = {key: nested.constant(low, item, node) for key, item in given.items()}
        return nested.on_function(low, function, lambda fun: maker(fun, **known), node)

    handles(maker)(lower)
