"""Functions of SciPy that are known and not differentiated, by library."""
