"""Well-formedness of the IR, checked after every pass in tests.

Note [Linearity].  A write gives a new version of a buffer, and the old version is gone.
So once `target = Store(base)` has happened, neither `base` nor anything that is the
same buffer by way of loop parameters and branch results may be read.  In a loop
"later" includes the next iteration: a loop that writes a buffer must carry it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from autograd_compiler import ir, runtime
from autograd_compiler.errors import AutogradCompilerError


class VerifyError(AutogradCompilerError):
    """IR that a pass left malformed: always a defect of the compiler."""


def verify_module(module: ir.Module, linear: bool = True) -> None:
    """Check every function of a module, and that calls find their function."""
    found = {function.name: function for function in module.functions}
    if len(found) != len(module.functions):
        raise VerifyError("two functions of the module have the same name")
    for function in module.functions:
        verify_function(function, linear)
        for op in ir.walk(function.body):
            if not isinstance(op, ir.Call):
                continue
            callee = found.get(op.function)
            if callee is None:
                raise VerifyError(
                    f"{_place(op)} calls {op.function}, which is not there"
                )
            if len(callee.params) != len(op.args):
                raise VerifyError(
                    f"{_place(op)} gives {op.function} {len(op.args)} arguments "
                    f"for {len(callee.params)} parameters"
                )


def verify_function(function: ir.Function, linear: bool = True) -> None:
    """Check that a function is well-formed.

    Every variable is defined once and used only where it is in scope, blocks have as
    many results as what holds them asks for, and no version of a buffer is used after
    a write has replaced it.

    Parameters
    ----------
    function : Function
    linear : bool
        Whether to check writes, too; see Note [Linearity].

    Raises
    ------
    VerifyError
        Names the variable and the operation.
    """
    params = [var for param in function.params for var in ir.leaves(param.tree)]
    _Scopes(function).check(params)
    if linear:
        _Linearity(function.name).check(function.body, params)


def _name(var: ir.Var) -> str:
    return f"%{var.name}" if var.name else "a temporary"


def _place(op: ir.Operation) -> str:
    text = type(op).__name__
    if op.span.line:
        text += f" at {op.span.filename}:{op.span.line}"
    if op.span.statement:
        text += f" (`{op.span.statement}`)"
    return text


# ---------------------------------------------------------------- scopes and counts


class _Scopes:
    def __init__(self, function: ir.Function) -> None:
        self._function = function
        self._defined: set[ir.Var] = set()

    def check(self, params: list[ir.Var]) -> None:
        scope: set[ir.Var] = set()
        self._define(params, scope, "the parameters")
        body = self._function.body
        self._block(body, scope, None, f"the body of {self._function.name}")
        if len(body.results) > 1:
            raise VerifyError(f"{self._function.name} returns more than one value")

    def _define(self, found: Iterable[ir.Var], scope: set[ir.Var], place: str) -> None:
        for var in found:
            if var in self._defined:
                raise VerifyError(f"{_name(var)} is defined a second time in {place}")
            self._defined.add(var)
            scope.add(var)

    def _use(self, operands: Iterable[Any], scope: set[ir.Var], place: str) -> None:
        for operand in operands:
            if operand is ir.UNDEFINED:
                raise VerifyError(f"an undefined value is used in {place}")
            if not isinstance(operand, (ir.Var, ir.Const, ir.Pack, ir.Slice)):
                raise VerifyError(f"{operand!r} in {place} is no operand")
            match operand:
                case ir.Var() if operand not in scope:
                    known = operand in self._defined
                    reason = "out of scope" if known else "not defined"
                    raise VerifyError(f"{_name(operand)} is {reason} in {place}")
                case ir.Pack(items, form):
                    if form.keys and len(form.keys) != len(items):
                        raise VerifyError(f"keys and items differ in number in {place}")
                    self._use(items, scope, place)
                case ir.Slice(start, stop, step):
                    self._use((start, stop, step), scope, place)

    def _block(
        self, block: ir.Block, outer: set[ir.Var], count: int | None, place: str
    ) -> None:
        scope = set(outer)
        for op in block.ops:
            self._operation(op, scope)
        given = (result for result in block.results if result is not ir.UNDEFINED)
        self._use(given, scope, f"the results of {place}")
        if count is not None and len(block.results) != count:
            raise VerifyError(
                f"{place} gives {len(block.results)} results where {count} are wanted"
            )

    def _operation(self, op: ir.Operation, scope: set[ir.Var]) -> None:
        place = _place(op)
        loop = isinstance(op, (ir.For, ir.While))
        self._use(
            (x for x in ir.operands(op) if not (loop and x is ir.UNDEFINED)),
            scope,
            place,
        )
        inside = set(scope)
        self._define(ir.inner_vars(op), inside, place)
        match op:
            case ir.For() | ir.While():
                if not len(op.targets) == len(op.params) == len(op.inits):
                    raise VerifyError(
                        f"{place} has {len(op.targets)} targets, {len(op.params)} "
                        f"parameters and {len(op.inits)} first values"
                    )
                if isinstance(op, ir.While):
                    self._block(op.cond, inside, 1, f"the condition of {place}")
                count = len(op.params) + op.breaks
                self._block(op.body, inside, count, f"the body of {place}")
            case ir.If() | ir.With():
                for block in ir.blocks(op):
                    self._block(block, inside, len(op.targets), f"a block of {place}")
            case ir.Store(base=base, target=target):
                if base is target:
                    raise VerifyError(f"{place} defines its own base {_name(base)}")
        self._define(ir.targets(op), scope, place)


# ---------------------------------------------------------------- linearity

# The loops around a place, outermost first.
_Nest = tuple[ir.Operation, ...]


class _Linearity:
    def __init__(self, name: str) -> None:
        self._function = name
        self._gone: dict[ir.Var, ir.Operation] = {}  # variable -> what replaced it
        self._nest: dict[ir.Var, _Nest] = {}
        # Variables that a variable may be the same buffer as, and was before.
        self._before: dict[ir.Var, list[ir.Var]] = {}

    def check(self, body: ir.Block, params: list[ir.Var]) -> None:
        self._nest.update((var, ()) for var in params)
        self._block(body, ())

    def _block(self, block: ir.Block, nest: _Nest) -> None:
        for op in block.ops:
            self._operation(op, nest)
        place = f"the results of a block of {self._function}"
        for result in block.results:
            self._use(ir.leaves(result), place)

    def _use(self, found: Iterable[ir.Var], place: str) -> None:
        for var in found:
            if var in self._gone:
                raise VerifyError(
                    f"{_name(var)} is used in {place} after {_place(self._gone[var])} "
                    "has written it"
                )

    def _operation(self, op: ir.Operation, nest: _Nest) -> None:
        if not (isinstance(op, ir.Apply) and runtime.looks_at_form(op.fn)):
            self._use(ir.uses(op), _place(op))
        match op:
            case ir.Store(base=base) | ir.Append(base=base) | ir.Pop(base=base):
                self._consume(base, op, nest)
            case ir.If():
                self._branches(op, nest)
            case ir.For() | ir.While():
                self._loop(op, nest)
            case ir.With():
                self._block(op.body, nest)
                self._link(op.targets, op.body.results)
        self._nest.update((var, nest) for var in ir.targets(op))

    def _consume(self, var: ir.Var, op: ir.Operation, nest: _Nest) -> None:
        """A write replaces a variable, and all that it may have been before."""
        own = self._nest.get(var, nest)
        if len(own) < len(nest):
            raise VerifyError(
                f"{_name(var)} is written by {_place(op)} in each iteration of "
                f"{_place(nest[len(own)])}, which does not carry it"
            )
        self._gone.setdefault(var, op)
        # The first value of a parameter is from outside of its loop.
        outer = own[:-1] if own and var in ir.inner_vars(own[-1]) else own
        for earlier in self._before.get(var, ()):
            if earlier not in self._gone:
                self._consume(earlier, op, outer)

    def _link(self, targets: Iterable[ir.Var], sources: Iterable[ir.Operand]) -> None:
        for target, source in zip(targets, sources, strict=True):
            if isinstance(source, ir.Var):
                self._before.setdefault(target, []).append(source)

    def _branches(self, op: ir.If, nest: _Nest) -> None:
        """What one branch writes the other may still use; what follows may not."""
        before = dict(self._gone)
        after = dict(before)
        for block in (op.then, op.orelse):
            self._gone = dict(before)
            self._block(block, nest)
            after.update(self._gone)
            self._link(op.targets, block.results)
        self._gone = after

    def _loop(self, op: ir.For | ir.While, nest: _Nest) -> None:
        inside = (*nest, op)
        self._nest.update((var, inside) for var in ir.inner_vars(op))
        self._link(op.params, op.inits)
        for block in ir.blocks(op):
            self._block(block, inside)
        results = op.body.results[1:] if op.breaks else op.body.results
        own = set(ir.inner_vars(op))
        for block in ir.blocks(op):
            # The next iteration would read what this one has written.
            outside = (var for var in ir.free_vars(block) if var not in own)
            self._use(outside, f"the next iteration of {_place(op)}")
        for param, init, result in zip(op.params, op.inits, results, strict=True):
            if param not in self._gone:
                continue
            if isinstance(init, ir.Var) and op.inits.count(init) > 1:
                raise VerifyError(
                    f"{_name(init)} is the first value of two variables of {_place(op)}, "
                    f"and {_place(self._gone[param])} writes one of them"
                )
            if isinstance(result, ir.Var) and result not in self._gone:
                # The next iteration writes it.
                self._consume(result, self._gone[param], inside)
        self._link(op.targets, results)
        self._link(op.targets, op.params)
