"""Transformations of the IR, each a pure function from function to function.

One file holds one pass, named by its verb; `clean` is the literal pipeline of those
that make a function smaller.  Passes take their facts from `autograd_compiler.analysis`
and never change what they are given.
"""
