"""A derivative as a module of its own, which needs NumPy and not this package.

`module.py` writes its text, `wrapper.py` the function in it that callers see, and
`files.py` puts it into a file or tells whether a file is stale.
"""
