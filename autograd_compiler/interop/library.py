"""Libraries that adapters are for, and that need not be installed."""

from __future__ import annotations

import importlib
from typing import Any

from autograd_compiler.errors import MissingLibraryError


def require(module: str, package: str | None = None) -> Any:
    """The module of a library; if it is missing, the error says how to install it.

    `package` is its name for pip, where that is another one.

    Examples
    --------
    >>> require("no_such_library")
    Traceback (most recent call last):
    ...
    autograd_compiler.errors.MissingLibraryError: this adapter needs no_such_library, which is not installed: pip install no_such_library
    """
    root = module.partition(".")[0]
    try:
        importlib.import_module(root)
    except ModuleNotFoundError as error:
        if error.name != root:
            raise  # the library is there, and lacks something itself
        raise MissingLibraryError(
            f"this adapter needs {root}, which is not installed: "
            f"pip install {package or root}"
        ) from None
    return importlib.import_module(module)
