"""Local algebra; see `walk.py`."""

from autograd_compiler.passes.simplify.walk import simplify

__all__ = ["simplify"]
