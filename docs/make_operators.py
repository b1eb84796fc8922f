"""Writes `operators.md`, the table of operators, from the rules and the test samples.

python docs/make_operators.py
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "tests"))

from samples import ALL, Sample  # noqa: E402

from autograd_compiler.rules import registry  # noqa: E402

PAGE = HERE / "operators.md"

HEAD = """\
# Operators

Written by `docs/make_operators.py` from the rules and their tests, with NumPy {version}.
All operators that have a derivative have it in both modes and at any order.  "Derivative
in" names the arguments that a derivative is taken in, "with" the further arguments that
are understood; one that is not named is refused with an error at its place. "Complex"
says that derivatives of complex numbers are tested.  Methods and attributes of arrays
(`x.sum()`, `x.T`), operators (`+`, `@`) and aliases (`np.abs`) are the functions.

"""

LIBRARIES = ("numpy", "numpy.linalg", "numpy.fft", "math")


def names() -> dict[int, str]:
    """The public name of each function of the libraries."""
    found: dict[int, str] = {}
    for library in LIBRARIES:
        module = sys.modules.get(library) or __import__(library)
        for name in dir(module):
            if not name.startswith("_"):
                shown = f"{library.replace('numpy', 'np')}.{name}"
                value = getattr(module, name)
                is_own = getattr(value, "__name__", "") == name
                if id(value) not in found or is_own:
                    found[id(value)] = shown
    return found


def is_complex(sample: Sample) -> bool:
    return any(np.iscomplexobj(leaf) for leaf in leaves(sample.args))


def leaves(value: Any) -> Iterable[Any]:
    if isinstance(value, (tuple, list)):
        for item in value:
            yield from leaves(item)
    elif isinstance(value, (np.ndarray, complex)):
        yield value


def row(name: str, rule: registry.Rule, samples: list[Sample]) -> str:
    parameters = {parameter.name: None for parameter in rule.parameters}
    if rule.definition is not None:
        parameters.update(dict.fromkeys(registry.parameter_names(rule.definition)))
    wrt = rule.wrt or tuple(active(rule, samples))
    rest = [parameter for parameter in parameters if parameter not in wrt]
    complex_too = "yes" if any(map(is_complex, samples)) else ""
    return f"| `{name}` | {listed(wrt)} | {listed(rest)} | {complex_too} |"


def active(rule: registry.Rule, samples: list[Sample]) -> Iterable[str]:
    """The arguments of a composed operator that derivatives are tested in."""
    positional = [p.name for p in rule.parameters if p.kind is not p.KEYWORD_ONLY]
    tested = {k for sample in samples for k in sample.positions}
    return [name for k, name in enumerate(positional) if k in tested]


def listed(words: Iterable[str]) -> str:
    return ", ".join(f"`{word}`" for word in words)


def table() -> str:
    known = names()
    rules = sorted(
        (known[id(rule.operator)], rule)
        for rule in registry.all_rules()
        if id(rule.operator) in known
    )
    parts = [HEAD.format(version=".".join(np.__version__.split(".")[:2]))]
    parts.append("| Operator | Derivative in | With | Complex |\n|---|---|---|---|\n")
    for name, rule in rules:
        if rule.kind not in ("zero", "refused"):
            own = [sample for sample in ALL if sample.operator is rule.operator]
            parts.append(row(name, rule, own) + "\n")
    parts.append("\n## Derivative zero\n\nSteps, comparisons, positions, new arrays:\n")
    zero = [f"`{name}`" for name, rule in rules if rule.kind == "zero"]
    parts.append(wrapped(zero))
    parts.append("\n## Refused\n\n| Operator | Because |\n|---|---|\n")
    for name, rule in rules:
        if rule.kind == "refused":
            parts.append(f"| `{name}` | {rule.reason} |\n")
    return "".join(parts)


def wrapped(words: list[str]) -> str:
    lines = [""]
    for word in words:
        if len(lines[-1]) + len(word) > 86:
            lines.append("")
        lines[-1] += ("" if not lines[-1] else " ") + word + ","
    return "\n".join(lines).rstrip(",") + ".\n"


if __name__ == "__main__":
    PAGE.write_text(table(), encoding="utf-8")
