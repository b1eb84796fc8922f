"""The version of the package; generated files are named by it among other things."""

__version__ = "0.1.0"
