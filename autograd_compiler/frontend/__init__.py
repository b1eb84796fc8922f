"""From a Python function to structured SSA.

`source` finds the syntax tree of a function, `resolve` says which object a name
stands for, `normalise` rewrites jumps into plain branches and loops, and `lower`
makes the IR.
"""
