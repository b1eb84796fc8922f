"""Gradients derived by hand, as a careful person writes them: the limit to compare with.

Each takes the arguments of the workload and gives its gradients.  `numpy_*` are written
with array operations, `numba_*` with loops.
"""
