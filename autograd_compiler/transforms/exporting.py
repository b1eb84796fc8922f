"""`export`: from a derivative and example arguments to the text of a module."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

from autograd_compiler.errors import ExportError
from autograd_compiler.export.module import module_text
from autograd_compiler.export.wrapper import Contract
from autograd_compiler.frontend.annotations import described
from autograd_compiler.frontend.program import describe, with_fixed_sizes
from autograd_compiler.pipeline import Lowered
from autograd_compiler.specialise import Specialised, Specialiser, selected
from autograd_compiler.types import Dim

Values = Mapping[str, Any]


def exported(
    specialiser: Specialiser,
    wrt: tuple[str, ...],
    values: Values | None,
    again: str,
    *,
    alone: bool = True,
    name: str = "",
) -> str:
    """The text for arguments of these kinds; without any, for what is known of them."""
    if values is None:
        if specialiser.backend == "numba":
            raise ExportError(
                "compiled code is for arguments of given types: export with example "
                "arguments for the backend 'numba'"
            )
        arguments = described(specialiser.fun, specialiser.signature, wrt)
        lowered = specialiser.generic(wrt)
    else:
        specialiser.check_selected(wrt, values)
        sizes: dict[int, Dim] = {}
        arguments = {key: describe(value, sizes) for key, value in values.items()}
        lowered = specialiser.lower(wrt, arguments)
        fixed = lowered.fixed_sizes
        arguments = {k: with_fixed_sizes(item, fixed) for k, item in arguments.items()}
    promised = Contract(specialiser.signature, arguments, alone)
    return module_text(lowered, promised, again, name)


def exported_program(
    lowered: Lowered, specialiser: Specialiser, values: Values, again: str, name: str
) -> str:
    """The text of what is a program of derivatives, such as a Jacobian."""
    sizes: dict[int, Dim] = {}
    fixed = lowered.fixed_sizes
    arguments = {
        key: with_fixed_sizes(describe(value, sizes), fixed)
        for key, value in values.items()
    }
    promised = Contract(specialiser.signature, arguments)
    return module_text(lowered, promised, again, name)


def try_compiled(found: Specialised, wrt: tuple[str, ...], values: Values) -> None:
    """Run compiled code once: what Numba cannot compile shows at a call."""
    if found.lowered.request.backend != "numba":
        return
    given = copy.deepcopy(dict(values))
    tangents = (
        [selected(given, name) for name in wrt]
        if found.lowered.request.mode == "jvp"
        else []
    )
    found.run(*given.values(), *found.captured(), *tangents)
