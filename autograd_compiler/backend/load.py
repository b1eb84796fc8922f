"""Generated text becomes a module that lives in a real file.

The file is named by a hash of all that the text depends on and lies in a private
cache directory.  That one decision gives tracebacks with source lines, breakpoints,
`inspect.getsource` and Numba's on-disk cache.

The file is for tools to read.  What is executed is the text itself, so a file that
somebody has tampered with is rewritten and never run.
"""

from __future__ import annotations

import atexit
import functools
import hashlib
import linecache
import os
import re
import shutil
import stat
import sys
import tempfile
import threading
import types
import weakref
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from autograd_compiler.version import __version__

_PREFIX = "autograd_compiler_generated_"
_NO_OBJECTS: Mapping[str, object] = types.MappingProxyType({})

# One lock for all: loading is rare, and compiling a text twice is what it prevents.
_lock = threading.Lock()
_modules: weakref.WeakValueDictionary[tuple[object, ...], types.ModuleType] = (
    weakref.WeakValueDictionary()
)


def load_module(
    text: str,
    name: str,
    *,
    objects: Mapping[str, object] = _NO_OBJECTS,
    cache_dir: str | os.PathLike[str] | None = None,
    register: bool = False,
) -> types.ModuleType:
    """The module that a generated text defines.

    The same text gives the same module for as long as somebody holds it.

    Parameters
    ----------
    text : str
        Python source.
    name : str
        What the file is called in front of its hash, so that tracebacks read well.
    objects : mapping
        Names that the text uses and that cannot be imported.
    cache_dir : path, optional
        Where the file goes; by default `$AUTOGRAD_COMPILER_CACHE`, or the user's
        cache directory.  A directory that cannot be written to is passed over for a
        temporary one, and without that the module lives in memory only.
    register : bool
        Put the module in `sys.modules`, where pickle looks functions up.

    Returns
    -------
    module
    """
    digest = text_hash(text)
    directory = cache_directory(cache_dir)
    identities = tuple(sorted((key, id(value)) for key, value in objects.items()))
    key = (digest, name, str(directory), identities)
    with _lock:
        module = _modules.get(key)
        if module is None:
            module = _execute(text, name, digest, objects, directory)
            _modules[key] = module
        if register:
            sys.modules[module.__name__] = module
    return module


def text_hash(text: str) -> str:
    """The hash of a text and of the versions that it runs with."""
    versions = (
        str(__version__),
        sys.implementation.cache_tag or sys.version,
        np.__version__,
    )
    return hashlib.sha256("\0".join((*versions, text)).encode()).hexdigest()[:20]


def cache_directory(chosen: str | os.PathLike[str] | None = None) -> Path | None:
    """A private directory that can be written to, or None where there is none."""
    candidates = [chosen, os.environ.get("AUTOGRAD_COMPILER_CACHE")]
    for candidate in (*(c for c in candidates if c), _user_cache()):
        directory = Path(candidate)
        if _make_private(directory):
            return directory
    return _temporary_directory()


def _user_cache() -> Path:
    if sys.platform == "win32":
        root = os.environ.get("LOCALAPPDATA") or "~/AppData/Local"
    elif sys.platform == "darwin":
        root = "~/Library/Caches"
    else:
        root = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(root).expanduser() / "autograd_compiler"


def _make_private(directory: Path) -> bool:
    """Create the directory for its owner alone; whether it is ours and writable."""
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        status = directory.stat()
    except (OSError, RuntimeError):
        return False
    if os.name == "posix":
        if status.st_uid != os.geteuid():
            return False
        if stat.S_IMODE(status.st_mode) & 0o022:  # others could plant files
            return False
    return os.access(directory, os.W_OK | os.X_OK)


@functools.cache
def _temporary_directory() -> Path | None:
    try:
        directory = tempfile.mkdtemp(prefix="autograd_compiler_")
    except OSError:
        return None
    atexit.register(shutil.rmtree, directory, ignore_errors=True)
    return Path(directory)


def _execute(
    text: str,
    name: str,
    digest: str,
    objects: Mapping[str, object],
    directory: Path | None,
) -> types.ModuleType:
    stem = re.sub(r"\W", "_", name)[:60] + "_" + digest
    filename = _write(text, directory / f"{stem}.py") if directory else None
    filename = filename or f"<{stem}>"
    # No modification time: `linecache.checkcache` then keeps the entry, even if the
    # file is deleted while the process runs.
    lines = text.splitlines(keepends=True)
    linecache.cache[filename] = (len(text), None, lines, filename)
    module = types.ModuleType(_PREFIX + digest)
    module.__file__ = filename
    module.__dict__.update(objects)
    exec(compile(text, filename, "exec", dont_inherit=True), module.__dict__)
    return module


def _write(text: str, path: Path) -> str | None:
    """Make the file hold the text, and give its name; None if that cannot be done.

    A file that holds it already is left alone: Numba's cache goes by its time stamp.
    """
    content = text.encode()
    try:
        if path.is_file() and not path.is_symlink() and path.read_bytes() == content:
            return str(path)
        handle, temporary = tempfile.mkstemp(dir=path.parent, suffix=".tmp")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(content)
            os.replace(temporary, path)
        except BaseException:
            os.unlink(temporary)
            raise
    except OSError:
        return None
    return str(path)
