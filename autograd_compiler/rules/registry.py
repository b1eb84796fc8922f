"""The table of derivatives: one record per operator, written by a few decorators.

A rule holds calculus only.  Un-broadcasting, accumulation, activity and the real part
for real inputs of complex functions are done once, by the passes that use the table.

The text of a rule is what appears in generated code: a partial is an expression over
the operator's parameters and its result `y`; an adjoint or tangent is an ordinary
function whose body the frontend inlines at the place of use.  `if` on what is known
when compiling (`np.ndim(x)`, `axis is None`, `keepdims`) leaves no trace there.
"""

from __future__ import annotations

import importlib
import inspect
import sys
import types
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from autograd_compiler.errors import ArgumentError

Operator = Callable[..., Any]

NO_TANGENT = "give its rule a tangent: `general(f, wrt, tangent=...)`"

# The text of a partial derivative; None where it is zero, `...` where it has no formula.
Partial = str | None | types.EllipsisType


@dataclass(frozen=True)
class Rule:
    """How one operator is differentiated.

    Attributes
    ----------
    kind
        "partials": elementwise, `partials[p]` is the text of the derivative in `p`.
        "linear": jointly linear in `wrt`; the tangent is the operator on tangents.
        "multilinear": linear in each of `wrt` alone; the tangent is a product rule.
        "general": tangent and adjoint are both given.
        "composed": `definition` is the operator in terms of others, which is lowered in
        its place.
        "zero": the derivative is zero everywhere that it exists.
        "refused": known, and not differentiable here; `reason` says why.
    parameters
        The operator's parameter names, for binding positional arguments.
    wrt
        The parameters that a derivative is taken in.
    names
        What names in the text of partials mean besides NumPy's.
    definition
        The operator in terms of others; beside another kind of rule it is for calls
        with arguments that the rule does not have.
    reason
        Of what is refused; of a general rule without a tangent, what forward mode says.
    result
        What has the form of the result: the name of a parameter, or a function of the
        operator's arguments.  Without it, the operator is run on small stand-ins.
    """

    kind: Literal[
        "partials", "linear", "multilinear", "general", "composed", "zero", "refused"
    ]
    operator: Operator
    parameters: tuple[inspect.Parameter, ...] = ()
    wrt: tuple[str, ...] = ()
    partials: dict[str, Partial] = field(default_factory=dict)
    adjoint: Operator | None = None
    tangent: Operator | None = None
    definition: Operator | None = None
    reason: str = ""
    names: dict[str, Any] = field(default_factory=dict)
    result: Operator | str | None = None

    def takes(self, count: int, names: Iterable[str]) -> bool:
        """Whether the rule has so many positional arguments, and these names."""
        kinds = [parameter.kind for parameter in self.parameters]
        known = {parameter.name for parameter in self.parameters}
        starred = inspect.Parameter.VAR_POSITIONAL in kinds
        positional = len(kinds) - kinds.count(inspect.Parameter.KEYWORD_ONLY)
        return (starred or count <= positional) and known.issuperset(names)


class HasRule:
    """An operator that carries its rule, and needs no entry in the table."""

    rule: Rule


class Unhashable:
    """Stands in programs for an operator that no set can hold: a function of ctypes."""

    def __init__(self, operator: Operator) -> None:
        self.operator = operator
        self.__name__ = str(getattr(operator, "__name__", "function"))
        self.__module__ = str(getattr(operator, "__module__", ""))

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.operator(*args, **kwargs)


_RULES: dict[Hashable, Rule] = {}

# By identity; each keeps its operator alive, so that identities stay what they are.
_UNHASHABLE: dict[int, Unhashable] = {}

# Modules of rules for libraries that a program may do without, by the library's module.
_WAITING: dict[str, tuple[str, ...]] = {}


def rule_of(operator: Any) -> Rule | None:
    """The rule of an operator, found by identity; None where there is none."""
    if isinstance(operator, HasRule):
        return operator.rule
    if isinstance(operator, Unhashable):
        operator = operator.operator
    found = _RULES.get(_key(operator))
    if found is None and _load():
        found = _RULES.get(_key(operator))
    if found is None or isinstance(operator, types.MethodType):
        return found
    return found if found.operator is operator else None


def hashable(operator: Any) -> Any:
    """The operator, or what stands for it where it cannot be hashed.

    Examples
    --------
    >>> import ctypes
    >>> hashable(len) is len, type(hashable(ctypes.pythonapi.Py_IsInitialized)).__name__
    (True, 'Unhashable')
    """
    if not callable(operator):
        return operator
    try:
        hash(operator)
    except TypeError:
        return _UNHASHABLE.setdefault(id(operator), Unhashable(operator))
    return operator


def all_rules() -> list[Rule]:
    _load()
    return list(_RULES.values())


def when_imported(library: str, *rules: str) -> None:
    """Declare that modules of rules are for a library that is optional.

    They are imported at the first look-up after the program has imported the library:
    an operator of it cannot be met before.
    """
    _WAITING[library] = rules


class _Generation:
    """Counts what has been declared: code that was compiled before may be outdated."""

    number = 0


def generation() -> int:
    """Another number after each declaration of a rule."""
    return _Generation.number


def new_generation() -> None:
    """Note that a rule has been declared."""
    _Generation.number += 1


def _load() -> bool:
    """Import the rules for what has been imported; whether there were any."""
    before = _Generation.number
    found = [library for library in _WAITING if library in sys.modules]
    for library in found:
        for rules in _WAITING.pop(library, ()):
            importlib.import_module(rules)
    _Generation.number = before  # no program has met these operators yet
    return bool(found)


def _key(operator: Any) -> Hashable:
    """What a rule is found by: a method belongs to all objects of one class."""
    if isinstance(operator, types.MethodType):
        return type(operator.__self__), operator.__func__
    return id(operator)


def _each(operators: Operator | Iterable[Operator]) -> tuple[Operator, ...]:
    return (operators,) if callable(operators) else tuple(operators)


def _add(rule: Rule) -> None:
    new_generation()
    _RULES[_key(rule.operator)] = rule


def partials(
    operators: Operator | Iterable[Operator],
    /,
    *,
    result: Operator | str | None = None,
    **derivatives: Partial,
) -> None:
    """Declare an elementwise operator by its partial derivatives.

    The keywords are the operator's parameters in their order; the value is the text of
    the partial derivative over these names and the result `y`, None where it is zero,
    or `...` where it exists and has no formula, and is refused.  Bare function names
    (`cos(x)`) mean the namespace that the operator is from: `math.cos` for `math.sin`,
    `np.cos` for `np.sin`.

    Parameters
    ----------
    operators : callable or iterable of callables
        The operator, or several with the same derivatives.
    result : str or callable, optional
        What has the form of the result: a parameter, or a function of the arguments.
        Without it the operator is run on small stand-ins of the arguments to find out.
    **derivatives : str, None or ...
        The partial derivative in each parameter.

    Raises
    ------
    ArgumentError
        If a text is not an expression.

    Examples
    --------
    >>> import numpy as np
    >>> partials(np.tanh, x="1 - y**2")
    >>> rule_of(np.tanh).partials
    {'x': '1 - y**2'}
    """
    _partials(operators, derivatives, {}, {}, result)


def partials_with(
    names: dict[str, Any], defaults: dict[str, Any] | None = None
) -> Callable[..., None]:
    """The function `partials` for texts in which these names mean these things.

    Parameters with these names have these defaults.

    Examples
    --------
    >>> import math
    >>> partials = partials_with({"math": math})
    >>> partials(np.cbrt, x="1 / (3 * math.cbrt(x) ** 2)")  # doctest: +SKIP
    """

    def partials(
        operators: Operator | Iterable[Operator],
        /,
        *,
        result: Operator | str | None = None,
        **derivatives: Partial,
    ) -> None:
        _partials(operators, derivatives, names, defaults or {}, result)

    return partials


def _partials(
    operators: Operator | Iterable[Operator],
    derivatives: dict[str, Partial],
    names: dict[str, Any],
    defaults: dict[str, Any],
    result: Operator | str | None,
) -> None:
    if "y" in derivatives:
        raise ArgumentError(
            "`y` is the result in the text of a derivative: give the parameter another "
            "name in the rule"
        )
    for name, text in derivatives.items():
        if isinstance(text, str):
            _check_text(name, text)
    parameters = tuple(
        inspect.Parameter(
            name,
            inspect.Parameter.POSITIONAL_OR_KEYWORD,
            default=defaults.get(name, inspect.Parameter.empty),
        )
        for name in derivatives
    )
    wrt = tuple(name for name, text in derivatives.items() if text is not None)
    for operator in _each(operators):
        _add(
            Rule(
                "partials",
                operator,
                parameters,
                wrt,
                partials=dict(derivatives),
                names=names,
                result=_form(result, parameters),
            )
        )


def _check_text(name: str, text: str) -> None:
    try:
        compile(text, "<rule>", "eval")
    except SyntaxError as error:
        raise ArgumentError(
            f"the derivative in `{name}` is not an expression: {text!r} ({error.msg})"
        ) from None


def _form(
    result: Operator | str | None, parameters: tuple[inspect.Parameter, ...]
) -> Operator | str | None:
    if isinstance(result, str):
        _check_names((result,), parameters, "result")
    return result


def _check_names(
    names: Iterable[str], parameters: tuple[inspect.Parameter, ...], what: str
) -> None:
    known = [parameter.name for parameter in parameters]
    for name in names:
        if name not in known:
            raise ArgumentError(
                f"{what}={name!r} is no parameter of the rule, which has "
                f"({', '.join(known)})"
            )


def _signature(function: Operator, own: Iterable[str]) -> tuple[inspect.Parameter, ...]:
    """The operator's parameters, as the rule function spells them, without `own`."""
    parameters = inspect.signature(function).parameters.values()
    return tuple(parameter for parameter in parameters if parameter.name not in own)


def parameter_names(function: Operator) -> tuple[str, ...]:
    return tuple(inspect.signature(function).parameters)


def linear(
    operators: Operator | Iterable[Operator],
    wrt: str,
    *,
    result: Operator | str | None = None,
) -> Callable[[Operator], Operator]:
    """Declare an operator that is jointly linear in the parameters `wrt`.

    The decorated function is the adjoint: it takes `d_y`, then the operator's
    parameters with their names and defaults, and gives the adjoint of `wrt` (a tuple,
    in that order, for several names separated by spaces).  The tangent is the
    operator applied to the tangents of `wrt`.

    Parameters
    ----------
    operators : callable or iterable of callables
        The operator, or several with the same derivative.
    wrt : str
        The names of the parameters that a derivative is taken in.
    result : str or callable, optional
        What has the form of the result, as for `partials`.

    Raises
    ------
    ArgumentError
        If a name in `wrt` is no parameter.

    Examples
    --------
    >>> def halved(m):
    ...     return m / 2
    >>> @linear(halved, wrt="m")
    ... def halved_adjoint(d_y, m):
    ...     return d_y / 2
    """
    return _with_adjoint("linear", operators, wrt, None, result)


def multilinear(
    operators: Operator | Iterable[Operator],
    wrt: str,
    *,
    result: Operator | str | None = None,
) -> Callable[[Operator], Operator]:
    """Declare an operator that is linear in each parameter of `wrt` separately.

    As `linear`; the tangent follows by the product rule.
    """
    return _with_adjoint("multilinear", operators, wrt, None, result)


def general(
    operators: Operator | Iterable[Operator],
    wrt: str,
    tangent: Operator | None = None,
    *,
    result: Operator | str | None = None,
) -> Callable[[Operator], Operator]:
    """Declare an operator by its adjoint (the decorated function) and its tangent.

    The adjoint takes `d_y`, optionally `y` (the result), then the operator's
    parameters; it gives the adjoints of `wrt`, a tuple if there are several.  The
    tangent takes optionally `y`, the parameters, and `d_<name>` for each name in `wrt`
    (zeros where an argument does not vary), and gives the tangent of the result.
    For an operator with several results, `y` and `d_y` are tuples.

    Parameters
    ----------
    operators : callable or iterable of callables
        The operator, or several with the same derivative.
    wrt : str
        The names of the parameters that a derivative is taken in.
    tangent : callable, optional
        Without it, forward mode through the operator is refused.
    result : str or callable, optional
        What has the form of the result, as for `partials`.

    Raises
    ------
    ArgumentError
        If a name in `wrt` is no parameter.
    """
    return _with_adjoint("general", operators, wrt, tangent, result)


def _with_adjoint(
    kind: Literal["linear", "multilinear", "general"],
    operators: Operator | Iterable[Operator],
    wrt: str,
    tangent: Operator | None,
    result: Operator | str | None,
) -> Callable[[Operator], Operator]:
    def declare(function: Operator) -> Operator:
        parameters = _signature(function, ("d_y", "y"))
        names = tuple(wrt.split())
        _check_names(names, parameters, "wrt")
        for operator in _each(operators):
            _add(
                Rule(
                    kind,
                    operator,
                    parameters,
                    names,
                    adjoint=function,
                    tangent=tangent,
                    reason=NO_TANGENT,
                    result=_form(result, parameters),
                )
            )
        return function

    return declare


def composed(
    operators: Operator | Iterable[Operator],
) -> Callable[[Operator], Operator]:
    """Declare an operator by its definition: a function that uses other operators.

    A call is lowered as a call of that function.  For an operator that has a rule
    already, the definition is for the calls with arguments that the rule does not take;
    it may call the operator itself, without these.
    """

    def declare(function: Operator) -> Operator:
        for operator in _each(operators):
            known = rule_of(operator)
            if known is None:
                parameters = _signature(function, ())
                _add(Rule("composed", operator, parameters, definition=function))
            else:
                _add(replace(known, definition=function))
        return function

    return declare


@dataclass(frozen=True)
class StandIn:
    """What is lowered in the place of an object or a function of a library.

    Attributes
    ----------
    replacement
        A class or function of a file of rules, that does the same.
    applies
        Whether it can, for arguments of these types: of a tuple a tuple of types, of an
        object its class, of what is known the value.
    """

    replacement: Any
    applies: Callable[..., bool]


_STAND_INS: dict[Hashable, StandIn] = {}
_PARTS: set[Any] = set()  # the functions of which stand-ins are made


def stands_in(
    operators: Operator | Iterable[Operator], applies: Callable[..., bool]
) -> Callable[[Any], Any]:
    """Declare a class or function to be lowered in the place of operators.

    An object of a library holds its numbers where no rule sees them; one of a class in
    the rules holds them in attributes, which are differentiated like a user's.
    """

    def declare(replacement: Any) -> Any:
        for operator in _each(operators):
            _STAND_INS[_key(operator)] = StandIn(replacement, applies)
        members = vars(replacement).values() if isinstance(replacement, type) else ()
        for member in (replacement, *members):
            function = member.fget if isinstance(member, property) else member
            if isinstance(function, types.FunctionType):
                _PARTS.add(function)
        return replacement

    return declare


def stand_in_for(operator: Any) -> StandIn | None:
    """What is lowered in the place of an operator, if anything is."""
    if _load() or _key(operator) in _STAND_INS:
        return _STAND_INS.get(_key(operator))
    return None


def is_of_stand_in(function: Any) -> bool:
    """Whether a function is a stand-in, or a method of one."""
    return function in _PARTS


def zero_derivative(*operators: Operator) -> None:
    """Declare operators whose derivative is zero (rounding, comparison, shapes)."""
    for operator in operators:
        _add(Rule("zero", operator))


def refused(
    operators: Operator | Iterable[Operator],
    reason: str,
    *,
    result: Operator | None = None,
) -> None:
    """Declare operators that are known and not differentiated, with the reason.

    `result` gives what has the form of the result, of the operator's arguments.
    """
    for operator in _each(operators):
        _add(Rule("refused", operator, reason=reason, result=result))
