"""The derivatives of SciPy, in one file for each of its parts."""
