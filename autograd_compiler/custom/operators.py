"""Functions of the user that carry their own rule: one operation in a program.

A call of one is not looked into by the passes, and stands in generated code as a call
of the object itself.  So its derivative is always that of the rule, in code that is
differentiated again, too.
"""

from __future__ import annotations

import functools
import inspect
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from autograd_compiler import ir
from autograd_compiler.errors import ArgumentError, AutogradCompilerError
from autograd_compiler.frontend import names, user_calls
from autograd_compiler.frontend.lower import INTERNAL
from autograd_compiler.frontend.values import Capture, Undecided
from autograd_compiler.operands import type_of_operand
from autograd_compiler.rules.registry import HasRule
from autograd_compiler.types import Array, TupleOf, Type, Unknown

_PLAIN = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)


class CustomOperator(HasRule):
    """A function with a rule of its own; what the rule says is for the subclasses.

    Attributes
    ----------
    primal : callable
        The original function.
    signature : inspect.Signature
        How it is called.
    rule : Rule
        Its derivative.
    """

    __qualname__: str
    kind = ""  # a program of one is called like its function
    decorator = ""  # in messages

    def __init__(self, fun: Callable[..., Any]) -> None:
        if not callable(fun):
            raise ArgumentError(f"{self.decorator} takes a function, not {fun!r}")
        self.primal: Any = fun
        functools.update_wrapper(self, fun, updated=())
        self.__dict__.pop("__wrapped__", None)
        self.signature = inspect.signature(fun)
        self.__signature__ = self.signature
        for name, parameter in self.signature.parameters.items():
            if parameter.kind not in _PLAIN:
                raise ArgumentError(
                    f"{self.decorator}: `{self.name}` has the parameter `{parameter}`, "
                    f"and a rule is for a fixed number of parameters: pass `{name}` as "
                    "one tuple or dict, by position"
                )

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """The function itself."""
        return self.primal(*args, **kwargs)

    def __repr__(self) -> str:
        return f"<{self.decorator} of {self.name}>"

    def __reduce__(self) -> Any:
        found: Any = sys.modules.get(self.__module__ or "")
        for name in self.__qualname__.split("."):
            found = getattr(found, name, None)
        return self.__qualname__ if found is self else super().__reduce__()

    @property
    def name(self) -> str:
        return str(getattr(self.primal, "__name__", type(self.primal).__name__))

    @property
    def parameters(self) -> tuple[inspect.Parameter, ...]:
        return tuple(self.signature.parameters.values())

    def positions(self, selected: int | Sequence[int]) -> tuple[int, ...]:
        """The selected parameters, counted from the first."""
        numbers = (selected,) if isinstance(selected, int) else tuple(selected)
        count = len(self.parameters)
        for number in numbers:
            if not -count <= number < count:
                raise ArgumentError(
                    f"{self.decorator}: `{self.name}` has no argument {number}"
                )
        return tuple(sorted(number % count for number in numbers))

    def rule_parameters(self, *others: str) -> tuple[inspect.Parameter, ...]:
        """The parameters under names that nothing else in a rule has."""
        names = [parameter.name for parameter in self.parameters]
        taken = {"d_y", *others, *(f"d_{name}" for name in names)}
        return tuple(
            (
                parameter.replace(name=f"{parameter.name}_argument")
                if parameter.name in taken
                else parameter
            )
            for parameter in self.parameters
        )

    # ------------------------------------------------------------ in a program

    def __autograd_compiler_call__(
        self, low: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any], node: Any
    ) -> Any:
        try:
            bound = self.signature.bind(*args, **kwargs)
        except TypeError as error:
            raise low.refuse(
                node, f"`{self.name}` is called wrongly: {error}"
            ) from None
        if bound.kwargs:  # a default in front of what is given by keyword
            for name, parameter in self.signature.parameters.items():
                if name not in bound.arguments:
                    capture = Capture(name, parameter.default, id(parameter.default))
                    bound.arguments[name] = names.captured(
                        low, capture, parameter.default, node
                    )
        given = tuple(low.operand(value, node) for value in bound.args)
        if self.rule.result is None:
            kinds = self._kinds(low, bound.args, node)
            if kinds is not None:
                return self._apply(low, given, kinds)
        return low.apply(self, *given)

    def _apply(
        self,
        low: Any,
        given: tuple[ir.Operand, ...],
        kinds: tuple[tuple[Type, ...], bool],
    ) -> ir.Operand:
        targets = tuple(ir.Var("", kind) for kind in kinds[0])
        builder = low.builder
        memory = tuple(
            leaf
            for operand in given
            for leaf in ir.leaves(operand)
            if isinstance(leaf.type, (Array, Unknown))
        )
        for target in targets:
            if kinds[1] and memory and isinstance(target.type, (Array, Unknown)):
                builder.shares[target] = memory
        builder.append(
            ir.Apply(builder.span, targets, self, given, adjoint=builder.adjoint)
        )
        for target in targets:
            if target in builder.shares:
                for var in memory:
                    low.memory.add_hazard(target, var)
        return targets[0] if len(targets) == 1 else ir.Pack(targets)

    def _kinds(
        self, low: Any, args: tuple[Any, ...], node: Any
    ) -> tuple[tuple[Type, ...], bool] | None:
        """The types of the results, and whether they may share the arguments' memory.

        The function is lowered for it and what comes out is thrown away; None where
        that cannot be done, since the function need not be in the language.
        """
        builder, state = low.builder, low.state.copy()
        views, captures = low.memory.views(), dict(low.captures)
        mutated = dict(low.mutated)
        try:
            with builder.block():
                source = user_calls.source_of(low, self.primal, node)
                found = user_calls.inline(low, source, args, {}, node)
                result = low.operand(found, node)
                kinds = _kinds_of(result)
                leaves = ir.leaves(result)
                before = {
                    leaf
                    for value in args
                    for leaf in ir.leaves(low.operand(value, node))
                }
                aliases = any(
                    low.memory.may_share(leaf, other)
                    for leaf in leaves
                    for other in before
                )
                writes = low.mutated.keys() - mutated.keys() or any(
                    low.state.current.get(origin) is not version
                    for origin, version in state.current.items()
                )
        except (AutogradCompilerError, Undecided, RecursionError, *INTERNAL):
            return None
        finally:
            low.state = state
            low.memory.forget_views(views)
            low.captures, low.mutated = captures, mutated
        if writes:
            raise low.refuse(
                node,
                f"`{self.name}` writes into its arguments, and has a rule of its own",
                "let it work on a copy",
            )
        return None if kinds is None else (kinds, aliases)


def _kinds_of(result: ir.Operand) -> tuple[Type, ...] | None:
    if isinstance(result, ir.Pack):
        kinds = tuple(map(type_of_operand, result.items))
        if result.form.kind != "tuple" or len(kinds) < 2:
            return None
        return None if any(isinstance(kind, TupleOf) for kind in kinds) else kinds
    return (type_of_operand(result),)


def as_rule(function: Any, name: str, names: Sequence[str]) -> None:
    """Let a function of starred arguments say that it is part of a rule, and of what."""
    function.__name__ = name
    function.__autograd_compiler_rule__ = True
    kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
    parameters = [inspect.Parameter(name, kind) for name in names]
    function.__signature__ = inspect.Signature(parameters)
