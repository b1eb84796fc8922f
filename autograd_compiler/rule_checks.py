"""`check_rule`: the rule of one operator, against differences and against itself."""

from __future__ import annotations

import functools
import inspect
import itertools
import linecache
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from autograd_compiler.analysis.infer import form_of_result
from autograd_compiler.errors import (
    ArgumentError,
    GradientCheckError,
    RuleCheckError,
)
from autograd_compiler.expand import spelling
from autograd_compiler.rules.registry import Rule, rule_of
from autograd_compiler.testing import (
    _check,
    _inner,
    _is_inexact,
    _precision,
    _random_like,
    _Tolerance,
)
from autograd_compiler.transforms.products import jvp, vjp
from autograd_compiler.tree import flatten, map_leaves

_number = itertools.count()


def check_rule(
    operator: Callable[..., Any],
    *args: Any,
    order: int = 1,
    modes: Sequence[str] | None = None,
    atol: float | None = None,
    rtol: float | None = None,
    seed: int = 0,
    **kwargs: Any,
) -> None:
    """Check the rule of an operator at one point.

    Both modes are compared with central differences, and with each other by the inner
    product `<ct, J t> = <J^T ct, t>`; adjoints must have the shape and dtype of their
    arguments, a declared form of the result must be the form of the result; all of it
    again in single precision, and for elementwise operators with operands that are
    broadcast.

    Parameters
    ----------
    operator : callable
        The operator, or a function with a custom derivative.
    *args, **kwargs
        Its arguments.  Those that the rule has a derivative in are varied.
    order : int
        With 2, the derivatives are differentiated and checked as well, and so on.
    modes : sequence of "fwd", "rev", optional
        By default those that the rule is for: a rule without a tangent is for "rev".
    atol, rtol : float, optional
        Tolerances; by default they follow from the coarsest dtype that takes part.
    seed : int
        The seed of the random directions.

    Raises
    ------
    RuleCheckError
        With the operator, the parameter, the mode and the two numbers.
    ArgumentError
        If the operator has no rule, or no argument that can be varied.

    Examples
    --------
    >>> import numpy as np
    >>> check_rule(np.hypot, np.array([3.0, 5.0]), np.array([4.0, 12.0]), order=2)
    """
    rule = rule_of(operator)
    name = spelling(operator)
    if rule is None or rule.kind == "refused":
        reason = "" if rule is None else f": {rule.reason}"
        raise ArgumentError(f"there is no derivative rule for `{name}`{reason}")
    if modes is None:
        reverse_only = rule.kind == "general" and rule.tangent is None
        modes = ("rev",) if reverse_only else ("fwd", "rev")
    tolerance = _Tolerance(atol, rtol)
    call = _Call(operator, name, rule, args, kwargs)
    point = call.program()
    call.check_form()
    point.check(modes, order, tolerance, seed)
    for other, where in call.variations():
        other.program().check(modes, 1, tolerance, seed, where)


@dataclass(frozen=True)
class _Call:
    """An operator and its arguments."""

    operator: Callable[..., Any]
    name: str
    rule: Rule
    args: tuple[Any, ...]
    kwargs: Mapping[str, Any]

    def run(self) -> Any:
        return self.operator(*self.args, **self.kwargs)

    @functools.cached_property
    def names(self) -> list[str]:
        """The parameters that the positional arguments are for."""
        found: list[str] = []
        for parameter in self.rule.parameters:
            if parameter.kind is parameter.VAR_POSITIONAL:
                found += [
                    f"{parameter.name}_{k}" for k in range(len(self.args) - len(found))
                ]
            elif parameter.kind is not parameter.KEYWORD_ONLY:
                found.append(parameter.name)
        if self.rule.kind in ("zero", "composed") or len(found) < len(self.args):
            found = [f"x{k}" for k in range(len(self.args))]
        return found[: len(self.args)]

    def _varies(self, name: str, value: Any) -> bool:
        if self.rule.partials.get(name) is ...:  # no formula is known
            return False
        declared = self.rule.kind not in ("zero", "composed")
        base = re.sub(r"_\d+$", "", name)
        if declared and not {name, base} & set(self.rule.wrt):
            return False
        return any(map(_is_inexact, flatten(value)[0]))

    def program(self) -> _Program:
        """A function of the varied arguments, as if written by hand."""
        given = [*zip(self.names, self.args, strict=True), *self.kwargs.items()]
        varied = {name: value for name, value in given if self._varies(name, value)}
        if not varied:
            raise ArgumentError(
                f"no argument of `{self.name}` is a float that its rule has a "
                "derivative in"
            )
        passed = [*self.names, *(f"{name}={name}" for name in self.kwargs)]
        text = (
            f"def program({', '.join(varied)}):\n"
            f"    return operator({', '.join(passed)})\n"
        )
        scope = {name: value for name, value in given if name not in varied}
        scope["operator"] = self.operator
        scope["__name__"] = "check_rule"
        filename = f"<check of {self.name} {next(_number)}>"
        linecache.cache[filename] = (len(text), None, text.splitlines(True), filename)
        exec(compile(text, filename, "exec"), scope)
        return _Program(self, scope["program"], varied)

    def check_form(self) -> None:
        """The form that the rule says that the result has must be that of the result."""
        if self.rule.result is None:
            return
        told = form_of_result(self.rule)(*self.args, **self.kwargs)
        got = self.run()
        for one, other in zip(_forms(told), _forms(got), strict=False):
            if one != other:
                raise RuleCheckError(
                    f"rule of `{self.name}`: the result is declared to be {one}, and "
                    f"it is {other}"
                )
        if len(_forms(told)) != len(_forms(got)):
            raise RuleCheckError(
                f"rule of `{self.name}`: the result is declared to be "
                f"{len(_forms(told))} values, and it is {len(_forms(got))}"
            )

    def variations(self) -> Iterator[tuple[_Call, str]]:
        """The same call in single precision, and with operands that are broadcast."""
        single = tuple(map(_single, self.args))
        if any(a is not b for a, b in zip(single, self.args, strict=True)):
            named = {name: _single(value) for name, value in self.kwargs.items()}
            yield from self._if_it_runs(single, named, "in single precision")
        if self.rule.kind != "partials":
            return
        for k, value in enumerate(self.args):
            if (
                len(self.args) < 2
                or not isinstance(value, np.ndarray)
                or not value.ndim
            ):
                continue
            for part in (value[..., :1], value.flat[0] if value.size else value):
                args = (*self.args[:k], part, *self.args[k + 1 :])
                where = f"with `{self.names[k]}` broadcast from shape {np.shape(part)}"
                yield from self._if_it_runs(args, self.kwargs, where)

    def _if_it_runs(
        self, args: tuple[Any, ...], kwargs: Mapping[str, Any], where: str
    ) -> Iterator[tuple[_Call, str]]:
        other = _Call(self.operator, self.name, self.rule, args, kwargs)
        try:
            other.run()
        except Exception:  # whatever it raises, it is not for such arguments
            return
        yield other, where


@dataclass(frozen=True)
class _Program:
    """A call as a function of its varied arguments, by their names."""

    call: _Call
    function: Callable[..., Any]
    varied: dict[str, Any]

    def check(
        self,
        modes: Sequence[str],
        order: int,
        tolerance: _Tolerance,
        seed: int,
        where: str = "",
    ) -> None:
        args = tuple(self.varied.values())
        generator = np.random.default_rng(seed)
        try:
            self._check_adjoints(generator)
            _check(
                self.function,
                args,
                jvp,
                vjp,
                order=order,
                modes=modes,
                tolerance=tolerance,
                generator=generator,
            )
            if {"fwd", "rev"} <= set(modes):
                self._check_inner_product(generator)
        except GradientCheckError as error:
            text = re.sub(r"args\[(\d+)\]", self._named, str(error))
            text = re.sub(r"^rule of `.*?`: ", "", text)
            place = f", {where}" if where else ""
            raise RuleCheckError(f"rule of `{self.call.name}`{place}: {text}") from None

    def _named(self, match: re.Match[str]) -> str:
        return f"`{list(self.varied)[int(match[1])]}`"

    def _check_adjoints(self, generator: np.random.Generator) -> None:
        """What the rule's own function gives, as it is called without types."""
        rule = self.call.rule
        if rule.adjoint is None or self.call.kwargs.keys() - {
            parameter.name for parameter in rule.parameters
        }:
            return
        bound = inspect.Signature(rule.parameters).bind(
            *self.call.args, **self.call.kwargs
        )
        bound.apply_defaults()
        values = dict(bound.arguments)
        y = self.call.run()
        d_y = _random_like(y, generator)
        given, starred = _passed(rule.adjoint, {"d_y": d_y, "y": y, **values})
        try:
            adjoints = rule.adjoint(*given, **starred)
        except GradientCheckError:
            raise
        except Exception as error:
            raise RuleCheckError(
                f"its adjoint fails when it is called as it is: "
                f"{type(error).__name__}: {error}"
            ) from error
        parts = (adjoints,) if len(rule.wrt) == 1 else tuple(adjoints)
        if len(parts) != len(rule.wrt):
            raise RuleCheckError(
                f"its adjoint gives {len(parts)} values for {len(rule.wrt)} parameters"
            )
        for name, part in zip(rule.wrt, parts, strict=True):
            _check_like(name, part, values.get(name))

    def _check_inner_product(self, generator: np.random.Generator) -> None:
        args = tuple(self.varied.values())
        out, pullback = vjp(self.function, *args)
        weight = _random_like(out, generator)
        adjoints = pullback(weight)
        for k, name in enumerate(self.varied):
            along = tuple(
                (
                    _random_like(value, generator)
                    if k == position
                    else map_leaves(_zero, value)
                )
                for position, value in enumerate(args)
            )
            _, tangent = jvp(self.function, args, along)
            forward = _product(weight, tangent)
            reverse = _product(adjoints[k], along[k])
            leaves = [*flatten(args)[0], *flatten(out)[0]]
            precision = max(map(_precision, leaves))
            size = max(abs(forward), abs(reverse), 1.0)
            if not abs(forward - reverse) <= 1e4 * precision * size:
                raise RuleCheckError(
                    f"forward and reverse mode disagree in `{name}`: "
                    f"<ct, J t> is {forward:.10g} and <J^T ct, t> is {reverse:.10g}"
                )


def _product(first: Any, second: Any) -> float:
    pairs = zip(flatten(first)[0], flatten(second)[0], strict=True)
    return sum(_inner(a, b) for a, b in pairs)


def _passed(
    function: Callable[..., Any], values: Mapping[str, Any]
) -> tuple[list[Any], dict[str, Any]]:
    """The arguments of a rule's function, which takes those values that it names."""
    given: list[Any] = []
    named: dict[str, Any] = {}
    for name, parameter in inspect.signature(function).parameters.items():
        if name not in values:
            continue
        if parameter.kind is parameter.VAR_POSITIONAL:
            given += values[name]
        elif parameter.kind is parameter.KEYWORD_ONLY or named:
            named[name] = values[name]
        else:
            given.append(values[name])
    return given, named


def _check_like(name: str, adjoint: Any, argument: Any) -> None:
    """An adjoint has the shape of its argument, or one that a broadcast gave it."""
    if adjoint is None or isinstance(argument, (tuple, list, dict)):
        return
    got, wanted = np.shape(adjoint), np.shape(argument)
    try:
        fits = not got or np.broadcast_shapes(got, wanted) == got
    except ValueError:
        fits = False
    if not fits:
        raise RuleCheckError(
            f"its adjoint of `{name}` has shape {got}, and the argument has {wanted}"
        )
    if not isinstance(argument, np.ndarray) or not isinstance(adjoint, np.ndarray):
        return
    if argument.dtype.kind == "f" and adjoint.dtype.kind == "f":
        if adjoint.dtype.itemsize > argument.dtype.itemsize:
            raise RuleCheckError(
                f"its adjoint of `{name}` is of {adjoint.dtype}, and the argument of "
                f"{argument.dtype}"
            )


def _forms(value: Any) -> list[str]:
    def form(leaf: Any) -> str:
        if isinstance(leaf, np.ndarray):
            return f"an array of {leaf.dtype} of shape {leaf.shape}"
        return f"a number of {np.result_type(leaf)}"

    return [form(leaf) for leaf in flatten(value)[0]]


def _single(value: Any) -> Any:
    leaves = flatten(value)[0]
    double = (np.dtype("float64"), np.dtype("complex128"))
    if not any(isinstance(x, np.ndarray) and x.dtype in double for x in leaves):
        return value
    single = {"f": np.float32, "c": np.complex64}
    return map_leaves(
        lambda x: (
            x.astype(single[x.dtype.kind])
            if isinstance(x, np.ndarray) and x.dtype in double
            else x
        ),
        value,
    )


def _zero(leaf: Any) -> Any:
    if isinstance(leaf, np.ndarray):
        return np.zeros_like(leaf)
    return type(leaf)(0) if _is_inexact(leaf) else leaf
