"""The command line: `show` prints a stage, `compile` writes a module, `demo` is a demo.

python -m autograd_compiler show model.py:loss --args "np.ones(3), 2.0"
python -m autograd_compiler show package.module:loss --wrt w --stage ssa
python -m autograd_compiler compile package.module:loss -o loss_grad.py
python -m autograd_compiler demo
"""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import math
import os
import shlex
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from autograd_compiler.errors import ArgumentError, AutogradCompilerError
from autograd_compiler.export import files
from autograd_compiler.frontend.program import describe
from autograd_compiler.pipeline import Lowered, Mode
from autograd_compiler.show import highlight
from autograd_compiler.specialise import BACKENDS, Specialiser
from autograd_compiler.transforms.base import Compiled, Transformation
from autograd_compiler.transforms.exporting import exported
from autograd_compiler.transforms.gradient import Gradient
from autograd_compiler.types import Dim
from autograd_compiler.version import __version__

STAGES = ("ast", "ssa", "adjoint", "final", "plan", "source", "numba")
MODES: tuple[Mode, ...] = ("grad", "value_and_grad", "jvp", "vjp")


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; gives the exit code."""
    options = _parser().parse_args(argv)
    try:
        if options.command == "demo":
            from autograd_compiler import demo

            return demo.main()
        if options.command == "compile":
            _compile(options)
        else:
            _show(options)
        sys.stdout.flush()
    except AutogradCompilerError as error:
        print(error, file=sys.stderr)
        return 1
    except BrokenPipeError:  # `show … | head` has read enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="autograd-compiler",
        description="A source-to-source gradient compiler for Python and NumPy.",
    )
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    show = commands.add_parser(
        "show",
        help="print the generated derivative of a function, or a stage before it",
        description="Print the generated derivative of a function, or a stage before it.",
    )
    show.add_argument(
        "target", metavar="FILE.py:FUNCTION", help="or package.module:FUNCTION"
    )
    show.add_argument(
        "--stage",
        choices=STAGES,
        help='default: source; numba if the backend is "numba"',
    )
    show.add_argument(
        "--args",
        metavar="EXPRESSIONS",
        help='example arguments that give the types, as in "np.ones(3), steps=10"; '
        "without them nothing is known of the types",
    )
    show.add_argument(
        "--wrt",
        metavar="ARGUMENTS",
        help='the arguments to differentiate in: "w", "0,1" (default: the first one; '
        "all for jvp and vjp)",
    )
    show.add_argument("--mode", choices=MODES, help="default: grad")
    show.add_argument("--backend", choices=BACKENDS, help="default: python")
    show.add_argument("--no-color", action="store_true", help="never print in colour")
    _add_compile(commands)
    commands.add_parser(
        "demo", help="train a network on handwritten digits with a generated gradient"
    )
    return parser


def _add_compile(commands: Any) -> None:
    compiling = commands.add_parser(
        "compile",
        help="write the derivative of a function as a module that needs NumPy alone",
        description="Write the derivative of a function as a module that needs NumPy "
        "alone, or check that a written one is up to date.",
    )
    compiling.add_argument(
        "target", metavar="FILE.py:FUNCTION", help="or package.module:FUNCTION"
    )
    compiling.add_argument("-o", "--output", required=True, metavar="FILE")
    compiling.add_argument(
        "--args",
        metavar="EXPRESSIONS",
        help="example arguments: the code is for arguments of their kinds, and refuses "
        "others; without them it is for numbers and arrays of any dimensions",
    )
    compiling.add_argument(
        "--wrt",
        metavar="ARGUMENTS",
        help='the arguments to differentiate in: "w", "0,1" (default: the first one)',
    )
    compiling.add_argument(
        "--mode",
        choices=("reverse", "forward"),
        help="reverse: the gradient; forward: the value, and the derivative along "
        "tangents that are given by keyword (default: reverse)",
    )
    compiling.add_argument(
        "--value", action="store_true", help="give (value, gradient)"
    )
    compiling.add_argument("--backend", choices=("python", "numba"))
    compiling.add_argument("--name", default="", help="of the function in the module")
    compiling.add_argument(
        "--check",
        action="store_true",
        help="write nothing, and fail if the file is not what would be written",
    )


# ---------------------------------------------------------------- show


def _show(options: argparse.Namespace) -> None:
    lowered = _lowered(options)
    stage = options.stage or (
        "numba" if lowered.request.backend == "numba" else "source"
    )
    text = lowered.ir(stage).strip("\n")
    if stage == "plan":
        print(text or "The reverse sweep needs nothing to be stored.")
    elif options.no_color:
        print(text)
    else:
        print(highlight(text, sys.stdout))


def _lowered(options: argparse.Namespace) -> Lowered:
    target = _target(options.target)
    fun, argnums, has_aux = target.fun, None, False
    mode: Mode = options.mode or "grad"
    backend: str = options.backend or "python"
    if isinstance(fun, Compiled) and not (options.mode or options.wrt):
        if options.args is None:
            raise ArgumentError(
                f"the source of {fun!r} depends on its arguments: give some with --args"
            )
        args, kwargs = _arguments(options.args, target.module)
        return fun.lower(*args, **kwargs)
    if isinstance(fun, Gradient):  # what the decorator was told holds
        mode = options.mode or ("value_and_grad" if fun._with_value else "grad")
        backend = options.backend or fun._backend
        argnums, has_aux, fun = fun._options["argnums"], fun._has_aux, fun.primal
    specialiser = Specialiser(fun, mode, has_aux=has_aux, backend=backend)
    of_number = mode in ("grad", "value_and_grad")
    if options.wrt is not None:
        argnums = tuple(_argnum(item) for item in options.wrt.split(","))
    elif not of_number:
        argnums = tuple(specialiser.signature.parameters)
    elif argnums is None:
        argnums = 0
    wrt = specialiser.wrt(argnums)
    if options.args is None:
        return specialiser.generic(wrt)
    args, kwargs = _arguments(options.args, target.module)
    values = specialiser.bind(args, kwargs)
    if of_number:
        specialiser.check_selected(wrt, values)
    sizes: dict[int, Dim] = {}
    arguments = {name: describe(value, sizes) for name, value in values.items()}
    return specialiser.lower(wrt, arguments)


# ---------------------------------------------------------------- compile


def _compile(options: argparse.Namespace) -> None:
    text = _exported(options)
    if options.check:
        files.check(options.output, text)
    else:
        files.write(options.output, text)


def _exported(options: argparse.Namespace) -> str:
    """The text of the module that is asked for."""
    target = _target(options.target)
    fun, again = target.fun, _command(options)
    given = None
    if options.args is not None:
        given = _arguments(options.args, target.module)
    chosen = options.mode or options.wrt or options.value
    if isinstance(fun, Compiled) and not chosen:
        args, kwargs = given or ((), {})
        if given is None:
            raise ArgumentError(
                f"{fun!r} depends on its arguments: give some with --args"
            )
        return fun.exported(*args, name=options.name, again=again, **kwargs)
    settings: dict[str, Any] = {"argnums": 0, "backend": "python"}
    if isinstance(fun, Gradient):  # what the decorator was told holds
        settings, fun = dict(fun._options), fun.primal
    elif isinstance(fun, Transformation):
        raise ArgumentError(
            f"{fun!r} cannot be written as a module: name the function that it is made of"
        )
    if options.wrt is not None:
        found = tuple(_argnum(item) for item in options.wrt.split(","))
        settings["argnums"] = found if len(found) > 1 else found[0]
    if options.backend:
        settings["backend"] = options.backend
    if options.mode == "forward":
        kept = {key: settings[key] for key in ("backend", "has_aux") if key in settings}
        specialiser = Specialiser(fun, "jvp", **kept)
        wrt = specialiser.wrt(settings["argnums"])
        values = None if given is None else specialiser.bind(*given)
        return exported(specialiser, wrt, values, again, name=options.name)
    settings["with_value"] = settings.get("with_value", False) or options.value
    gradient = Gradient(fun, **settings)
    args, kwargs = given or ((), {})
    return gradient.exported(*args, name=options.name, again=again, **kwargs)


def _command(options: argparse.Namespace) -> str:
    """The command line that writes the same file."""
    words = ["python", "-m", "autograd_compiler", "compile", options.target]
    words += ["-o", options.output]
    for name in ("args", "wrt", "mode", "backend", "name"):
        value = getattr(options, name)
        if value:
            words += [f"--{name}", value]
    if options.value:
        words.append("--value")
    return shlex.join(words)


# ---------------------------------------------------------------- what the options name


@dataclass(frozen=True)
class _Target:
    """A function, and where it was found."""

    fun: Any
    module: ModuleType


def _argnum(text: str) -> int | str:
    text = text.strip()
    return int(text) if text.removeprefix("-").isdigit() else text


def _arguments(text: str, module: ModuleType) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """What the text between the parentheses of a call stands for."""

    def call(*args: Any, **kwargs: Any) -> tuple[tuple[Any, ...], dict[str, Any]]:
        return args, kwargs

    namespace = {"np": np, "numpy": np, "math": math, **vars(module), "call": call}
    try:
        code = compile(f"call({text}\n)", "<--args>", "eval")
        found: tuple[tuple[Any, ...], dict[str, Any]]
        found = eval(code, namespace)
    except Exception as error:
        kind = type(error).__name__
        raise ArgumentError(f"--args cannot be evaluated: {kind}: {error}") from None
    return found


def _target(text: str) -> _Target:
    place, _, name = text.rpartition(":")
    if not place or not name:
        raise ArgumentError(
            f"{text!r} names no function: write FILE.py:function or "
            "package.module:function"
        )
    module = _file(Path(place)) if place.endswith(".py") else _module(place)
    found: Any = module
    for part in name.split("."):
        try:
            found = getattr(found, part)
        except AttributeError:
            raise ArgumentError(f"there is no `{name}` in {place}") from None
    return _Target(found, module)


def _module(name: str) -> ModuleType:
    sys.path.insert(0, os.getcwd())
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{name}.".startswith(f"{error.name}."):
            raise  # the module is there; what it imports is not
        raise ArgumentError(f"there is no module `{name}`") from None


def _file(path: Path) -> ModuleType:
    """The module of a file, imported as if from its folder."""
    if not path.is_file():
        raise ArgumentError(f"there is no file {str(path)!r}")
    sys.path.insert(0, str(path.resolve().parent))
    name = path.stem
    if name in sys.modules:  # another module of that name must stay what it is
        name = f"{name} of {path.resolve().parent}"
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


if __name__ == "__main__":
    sys.exit(main())
