"""The table of derivatives: one record per operator, written by a few decorators.

A rule holds calculus only.  Un-broadcasting, accumulation, activity and the real part
for real inputs of complex functions are done once, by the passes that use the table.

The text of a rule is what appears in generated code: a partial is an expression over
the operator's parameters and its result `y`; an adjoint or tangent is an ordinary
function whose body the frontend inlines at the place of use.  `if` on what is known
when compiling (`np.ndim(x)`, `axis is None`, `keepdims`) leaves no trace there.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import Any, Literal

Operator = Callable[..., Any]


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
    definition
        The operator in terms of others; beside another kind of rule it is for calls
        with arguments that the rule does not have.
    """

    kind: Literal[
        "partials", "linear", "multilinear", "general", "composed", "zero", "refused"
    ]
    operator: Operator
    parameters: tuple[inspect.Parameter, ...] = ()
    wrt: tuple[str, ...] = ()
    partials: dict[str, str | None] = field(default_factory=dict)
    adjoint: Operator | None = None
    tangent: Operator | None = None
    definition: Operator | None = None
    reason: str = ""

    def takes(self, count: int, names: Iterable[str]) -> bool:
        """Whether the rule has so many positional arguments, and these names."""
        kinds = [parameter.kind for parameter in self.parameters]
        known = {parameter.name for parameter in self.parameters}
        starred = inspect.Parameter.VAR_POSITIONAL in kinds
        positional = len(kinds) - kinds.count(inspect.Parameter.KEYWORD_ONLY)
        return (starred or count <= positional) and known.issuperset(names)


_RULES: dict[int, Rule] = {}


def rule_of(operator: Any) -> Rule | None:
    """The rule of an operator, found by identity; None where there is none."""
    found = _RULES.get(id(operator))
    return found if found is not None and found.operator is operator else None


def all_rules() -> list[Rule]:
    return list(_RULES.values())


def _each(operators: Operator | Iterable[Operator]) -> tuple[Operator, ...]:
    return (operators,) if callable(operators) else tuple(operators)


def _add(rule: Rule) -> None:
    _RULES[id(rule.operator)] = rule


def partials(
    operators: Operator | Iterable[Operator], **derivatives: str | None
) -> None:
    """Declare an elementwise operator by its partial derivatives.

    The keywords are the operator's parameters in their order; the value is the text of
    the partial derivative over these names and the result `y`, or None where it is
    zero.  Bare function names (`cos(x)`) mean the namespace that the operator is
    from: `math.cos` for `math.sin`, `np.cos` for `np.sin`.

    Examples
    --------
    >>> import numpy as np
    >>> partials(np.tanh, x="1 - y**2")
    >>> rule_of(np.tanh).partials
    {'x': '1 - y**2'}
    """
    names = tuple(
        inspect.Parameter(name, inspect.Parameter.POSITIONAL_OR_KEYWORD)
        for name in derivatives
    )
    wrt = tuple(name for name, text in derivatives.items() if text is not None)
    for operator in _each(operators):
        _add(Rule("partials", operator, names, wrt, partials=dict(derivatives)))


def _signature(function: Operator, own: Iterable[str]) -> tuple[inspect.Parameter, ...]:
    """The operator's parameters, as the rule function spells them, without `own`."""
    parameters = inspect.signature(function).parameters.values()
    return tuple(parameter for parameter in parameters if parameter.name not in own)


def parameter_names(function: Operator) -> tuple[str, ...]:
    return tuple(inspect.signature(function).parameters)


def linear(
    operators: Operator | Iterable[Operator], wrt: str
) -> Callable[[Operator], Operator]:
    """Declare an operator that is jointly linear in the parameters `wrt`.

    The decorated function is the adjoint: it takes `d_y`, then the operator's
    parameters with their names and defaults, and gives the adjoint of `wrt` (a tuple,
    in that order, for several names separated by spaces).  The tangent is the
    operator applied to the tangents of `wrt`.
    """
    return _with_adjoint("linear", operators, wrt)


def multilinear(
    operators: Operator | Iterable[Operator], wrt: str
) -> Callable[[Operator], Operator]:
    """Declare an operator that is linear in each parameter of `wrt` separately.

    As `linear`; the tangent follows by the product rule.
    """
    return _with_adjoint("multilinear", operators, wrt)


def _with_adjoint(
    kind: Literal["linear", "multilinear"],
    operators: Operator | Iterable[Operator],
    wrt: str,
) -> Callable[[Operator], Operator]:
    def declare(function: Operator) -> Operator:
        parameters = _signature(function, ("d_y", "y"))
        for operator in _each(operators):
            _add(Rule(kind, operator, parameters, tuple(wrt.split()), adjoint=function))
        return function

    return declare


def general(
    operators: Operator | Iterable[Operator], wrt: str, tangent: Operator
) -> Callable[[Operator], Operator]:
    """Declare an operator by its adjoint (the decorated function) and its tangent.

    The adjoint takes `d_y`, optionally `y` (the result), then the operator's
    parameters; it gives the adjoints of `wrt`.  The tangent takes optionally `y`,
    then the parameters, then `d_<name>` for each name in `wrt` (a zero tangent is passed as
    None-free zeros), and gives the tangent of the result.
    For an operator with several results, `y` and `d_y` are tuples.
    """

    def declare(function: Operator) -> Operator:
        parameters = _signature(function, ("d_y", "y"))
        for operator in _each(operators):
            _add(
                Rule(
                    "general",
                    operator,
                    parameters,
                    tuple(wrt.split()),
                    adjoint=function,
                    tangent=tangent,
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


def zero_derivative(*operators: Operator) -> None:
    """Declare operators whose derivative is zero (rounding, comparison, shapes)."""
    for operator in operators:
        _add(Rule("zero", operator))


def refused(operators: Operator | Iterable[Operator], reason: str) -> None:
    """Declare operators that we know and do not differentiate, with the reason."""
    for operator in _each(operators):
        _add(Rule("refused", operator, reason=reason))
