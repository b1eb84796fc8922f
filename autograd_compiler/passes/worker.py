"""What the files of the reverse pass share: the scope of adjoints, and what is kept."""

from __future__ import annotations

import abc

from autograd_compiler import ir
from autograd_compiler.passes.adjoints import Adjoints
from autograd_compiler.passes.keeping import Keeper


class Worker(Adjoints, abc.ABC):
    """What reverses a block; `reverse.py` has the one there is."""

    keeper: Keeper

    @abc.abstractmethod
    def sweep(self, ops: tuple[ir.Operation, ...], in_loop: bool) -> list[ir.Operation]:
        """Emit the reverse of operations; give the operations of the forward sweep."""
