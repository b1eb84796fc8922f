"""Calls that Numba lacks, written with calls that it has."""
