"""Benchmarks: each prints a table of ratios and checks that the gradients agree."""

import os

# Threads are pinned before anything that starts them is imported.
for _name in ("OMP", "OPENBLAS", "MKL", "NUMBA"):
    os.environ[f"{_name}_NUM_THREADS"] = "1"
os.environ["XLA_FLAGS"] = (
    "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
)
