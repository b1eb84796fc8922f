"""Array statements become loops over elements: what Numba compiles to the fastest code.

`lower.py` is the pass; `expressions.py`, `access.py` and `elementwise.py` say what an
element of an array expression is; `plan.py` turns the operations of a block into
statements on whole regions, `nests.py` decides which of them share loops, and
`build.py` writes the loops.
"""
