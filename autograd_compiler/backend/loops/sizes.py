"""Symbolic sizes as operands: `u.shape[0] - 2`."""

from __future__ import annotations

import operator

from autograd_compiler import ir
from autograd_compiler.types import Array, Dim, Scalar

_INTEGER = Scalar("int64")
_NAMES = ("n", "m", "p", "q")


class Sizes:
    """Where each symbol of a function can be read."""

    def __init__(self, function: ir.Function) -> None:
        self.opening: list[ir.Operation] = []
        self._scopes: list[dict[str, ir.Operand]] = [{}]
        self._sources: list[dict[str, tuple[ir.Var, int]]] = [{}]
        self._made = 0
        for param in function.params:
            for var in ir.leaves(param.tree):
                self.saw(var)
        self._read_before(function.body.ops)

    def _read_before(self, ops: tuple[ir.Operation, ...]) -> None:
        """Sizes that the function reads first of all, because a pass has put it so."""
        for shape, size in zip(ops[::2], ops[1::2], strict=False):
            match shape, size:
                case (
                    ir.Apply(targets=(made,), fn=fn, args=(ir.Var() as var, _)),
                    ir.Load(base=base, path=(ir.Index(ir.Const(axis)),), target=target),
                ) if (
                    fn is getattr and base is made and isinstance(var.type, Array)
                ):
                    dim = var.type.dims[axis]
                    if dim is not None and not dim.offset:
                        self._scopes[0][dim.symbol] = target
                        self._made += 1
                case _:
                    return

    def enter(self) -> None:
        self._scopes.append({})
        self._sources.append({})

    def leave(self) -> None:
        self._scopes.pop()
        self._sources.pop()

    def saw(self, var: ir.Var) -> None:
        """A variable has a value from here on."""
        if isinstance(var.type, Array):
            for axis, dim in enumerate(var.type.dims):
                if dim is not None and dim.symbol and not dim.offset:
                    self._sources[-1].setdefault(dim.symbol, (var, axis))

    def symbols(self) -> set[str]:
        """The symbols that can be read here."""
        return {symbol for known in self._sources for symbol in known}

    def of(self, dim: Dim, more: int, ops: list[ir.Operation]) -> ir.Operand:
        """`dim + more`, computed by operations that are appended."""
        amount = dim.offset + more
        if not dim.symbol:
            return ir.Const(amount)
        size = self._size(dim.symbol, ops)
        if not amount:
            return size
        target = ir.Var("", _INTEGER)
        fn = operator.add if amount > 0 else operator.sub
        args = (size, ir.Const(abs(amount)))
        ops.append(ir.Apply(ir.NOWHERE, (target,), fn, args))
        return target

    def _size(self, symbol: str, ops: list[ir.Operation]) -> ir.Operand:
        # Sizes of arguments never change; what is found on the way may, in each
        # iteration, and is looked for in the innermost block.
        fixed = symbol.startswith("n")
        depths = range(len(self._scopes))
        depth = next(
            depth
            for depth in (depths if fixed else reversed(depths))
            if symbol in self._scopes[depth] or symbol in self._sources[depth]
        )
        if symbol in self._scopes[depth]:
            return self._scopes[depth][symbol]
        var, axis = self._sources[depth][symbol]
        outermost = depth == 0 and fixed
        shape = ir.Var("")
        name = _NAMES[self._made] if outermost and self._made < len(_NAMES) else ""
        self._made += outermost
        size = ir.Var(name, _INTEGER)
        made: list[ir.Operation] = [
            ir.Apply(ir.NOWHERE, (shape,), getattr, (var, ir.Const("shape"))),
            ir.Load(ir.NOWHERE, size, shape, (ir.Index(ir.Const(axis)),)),
        ]
        if outermost:
            self.opening += made
            self._scopes[0][symbol] = size
        else:
            ops += made
            if not fixed:
                self._scopes[-1][symbol] = size
        return size
