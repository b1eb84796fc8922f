"""Mathematics that LLVM vectorises inside of the loops that Numba compiles.

`substitute.py` is the pass that puts these functions in the place of NumPy's; their
source is emitted along with what calls them.
"""
