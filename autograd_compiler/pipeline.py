"""From a Python function to generated source: the stages in order.

Every stage can be printed (`Lowered.ir(stage)`, `show --stage`); the last one is the
emitted text, which is itself in the supported language.
"""

from __future__ import annotations

import ast
import itertools
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

import autograd_compiler.rules  # noqa: F401  (fills the table)
from autograd_compiler import ir
from autograd_compiler.analysis.effects import called_functions, pure_functions
from autograd_compiler.backend.emit import emit, emit_with_objects
from autograd_compiler.backend.load import load_module
from autograd_compiler.errors import ArgumentError
from autograd_compiler.frontend.program import (
    Argument,
    Primal,
    fixing_sizes,
    lower_function,
)
from autograd_compiler.frontend.source import unparse
from autograd_compiler.passes import (
    cse,
    dce,
    debug_nans,
    hoist,
    simplify,
    unstack,
    updates,
)
from autograd_compiler.passes.derivative import (
    Derivative,
    forward_derivative,
    reverse_derivative,
)
from autograd_compiler.passes.storage import Stored
from autograd_compiler.printer import print_module

if TYPE_CHECKING:
    from autograd_compiler.backend.flat import Recipe

Mode = Literal["grad", "value_and_grad", "vjp", "pullback", "jvp", "value"]
MAX_ROUNDS = 8

# What is gone before reversal need not be stored, so the primal is cleaned first, and
# the derivative again.
CLEAN: tuple[Callable[[ir.Function], ir.Function], ...] = (
    simplify.simplify,
    updates.merge_updates,
    cse.share_common_subexpressions,
    dce.eliminate_dead_code,
    hoist.hoist_invariants,
)


def clean(
    function: ir.Function,
    pure_calls: frozenset[str] = frozenset(),
    derived: bool = False,
) -> ir.Function:
    """Apply the clean-up passes until none of them changes anything.

    `derived` says that no part of the function is shown as the user wrote it.
    """
    unchanged = 0
    for step in itertools.islice(itertools.cycle(CLEAN), MAX_ROUNDS * len(CLEAN)):
        before = function
        if step is dce.eliminate_dead_code:
            function = dce.eliminate_dead_code(function, pure_calls)
        elif step is hoist.hoist_invariants:
            function = hoist.hoist_invariants(function, derived)
        else:
            function = step(function)
        unchanged = unchanged + 1 if function is before else 0
        if unchanged == len(CLEAN):
            break
    return function


def clean_module(
    module: ir.Module, entries: Collection[str] = (), derived: bool = False
) -> ir.Module:
    """Clean every function, and leave out those that no entry comes to call."""
    pure = pure_functions(module)
    functions = tuple(clean(function, pure, derived) for function in module.functions)
    if not entries:
        return ir.Module(functions)
    every = {function.name: function for function in functions}
    called: set[str] = set()
    waiting = [name for name in entries if name]
    while waiting:
        name = waiting.pop()
        if name not in called:
            called.add(name)
            waiting += called_functions(every[name])
    return ir.Module(tuple(f for f in functions if f.name in called))


@dataclass(frozen=True)
class Request:
    """What is asked for: which derivative, of which arguments, compiled how."""

    mode: Mode
    wrt: tuple[str, ...]
    has_aux: bool = False
    backend: str = "python"
    simplify: bool = True
    holomorphic: bool = False
    debug_nans: bool = False
    fastmath: bool = False


@dataclass
class Lowered:
    """A function specialised to the types of its arguments.

    Attributes
    ----------
    source : str
        The generated Python.
    plan : tuple of Stored
        What the reverse sweep keeps: name, line of the primal, kind, type and reason.
    fixed_sizes : frozenset of int
        The sizes of arguments and captures that the code holds for alone: Note [Fixed
        sizes] in `types.py`.
    """

    primal: Primal
    request: Request
    derivative: Derivative
    module: ir.Module
    fixed_sizes: frozenset[int] = frozenset()
    _compiled: Callable[..., Any] | None = field(default=None, repr=False)

    @property
    def source(self) -> str:
        return self._written[0]

    @cached_property
    def _written(self) -> tuple[str, dict[str, object]]:
        return emit_with_objects(self.module)

    @property
    def plan(self) -> tuple[Stored, ...]:
        return self.derivative.stored

    def ir(self, stage: str = "adjoint") -> str:
        """A stage of the pipeline as text.

        Stages are "ast", "ssa", "adjoint", "final", "plan", "source", and "numba": the
        source as Numba compiles it.
        """
        match stage:
            case "ast":
                return unparse(ast.fix_missing_locations(self.primal.source.node))
            case "ssa":
                return print_module(
                    ir.Module((*self.primal.helpers, self.primal.function))
                )
            case "adjoint" | "tangent":
                return print_module(self.derivative.module)
            case "final":
                return print_module(self.module)
            case "plan":
                return "\n".join(
                    f"{item.name}: {item.kind}, {item.type}, line {item.line}: {item.why}"
                    for item in self.plan
                )
            case "source":
                return self.source
            case "numba":
                legal, _ = legal_module(self.module, self.request.fastmath)
                return emit(legal, over_items=False)
        raise ArgumentError(
            f"there is no stage {stage!r}: choose from "
            "ast, ssa, adjoint, final, plan, source, numba"
        )

    def compile(self) -> Callable[..., Any]:
        """The generated function, loaded (and compiled by Numba if so asked)."""
        if self._compiled is None:
            self._compiled = self._load()
        return self._compiled

    def _load(self) -> Callable[..., Any]:
        if self.request.backend == "numba":
            from autograd_compiler.backend.numba import compile_numba

            legal, recipe = legal_module(self.module, self.request.fastmath)
            text, objects = emit_with_objects(legal, over_items=False)
            run = compile_numba(
                legal,
                text,
                legal.entry.name,
                objects=objects,
                fastmath=self.request.fastmath,
            )
            return recipe.wrap(run)
        text, objects = self._written
        module = load_module(text, self.module.entry.name, objects=objects)
        compiled: Callable[..., Any] = getattr(module, self.module.entry.name)
        return compiled


def legal_module(module: ir.Module, fastmath: bool = False) -> tuple[ir.Module, Recipe]:
    """The module as Numba compiles it, and how it is called."""
    from autograd_compiler.backend.flat import flat_module
    from autograd_compiler.backend.legalise import legalise
    from autograd_compiler.backend.loops.lower import lower_loops
    from autograd_compiler.backend.tapes import preallocate_tapes
    from autograd_compiler.backend.vector.substitute import vectorise

    flat, recipe = flat_module(module)
    legal = lower_loops(legalise(preallocate_tapes(flat)))
    return vectorise(legal, fastmath), recipe


def lower(
    fun: Callable[..., Any], arguments: Mapping[str, Argument], request: Request
) -> Lowered:
    """Run the pipeline up to the final IR."""
    return fixing_sizes(
        arguments, lambda given, fixed: _lower(fun, given, request, fixed)
    )


def _lower(
    fun: Callable[..., Any],
    arguments: Mapping[str, Argument],
    request: Request,
    fixed: frozenset[int],
) -> Lowered:
    # Numba cannot type what recursive functions keep for their reverse sweep.
    recursion = request.backend != "numba"
    primal = lower_function(fun, arguments, recursion, fixed)
    function, helpers = primal.function, primal.helpers
    if request.simplify:
        *cleaned, function = clean_module(ir.Module((*helpers, function))).functions
        helpers = tuple(map(unstack.read_by_index, cleaned))
        function = unstack.read_by_index(function)
    if request.mode == "value":
        title = getattr(fun, "title", "")
        if title:
            doc = f"{title} of {primal.source.name}."
            function = replace(function, doc=doc)
        if any(helper.name == function.name for helper in helpers):  # it calls itself
            function = replace(function, name=f"{function.name}_value")
        derivative = Derivative(ir.Module((*helpers, function)))
    elif request.mode == "jvp":
        derivative = forward_derivative(
            primal, function, request.wrt, request.has_aux, helpers
        )
    else:
        derivative = reverse_derivative(
            primal,
            function,
            request.wrt,
            request.mode,
            request.has_aux,
            helpers,
            request.holomorphic,
            compiled=request.backend == "numba",
        )
    module = derivative.module
    if request.simplify:
        entries = {module.entry.name, derivative.pullback}
        module = clean_module(module, entries, derived=request.mode == "value")
    if request.debug_nans:  # last, for no pass is to work around the checks
        params = primal.function.params[len(primal.arguments) :]
        outside = {param.name for param in params}
        entries = {module.entry.name, derivative.pullback}
        module = debug_nans.check_nans(module, entries, outside)
    return Lowered(primal, request, derivative, module, fixed)
