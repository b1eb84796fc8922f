"""Benchmarks: each prints a table of ratios and checks that the gradients agree."""
