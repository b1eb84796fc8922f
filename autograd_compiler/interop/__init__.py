"""Adapters: gradients in the form that other libraries take them.

One module per library, named like it, and imported only by those who have it:
`from autograd_compiler.interop.scipy import objective`.
"""
