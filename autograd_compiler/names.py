"""Every name in generated code that the user did not write comes from here.

The scheme: the user's names stay; a variable that cannot share its name with another
version of itself gets a number, `x_1`; the adjoint (or tangent) of `x` is `d_x`; a
temporary for `np.exp(x)` is `exp_x`, any other is `t`, `t_1`, or `temp` where the user
has a `t`.  Functions of NumPy and of the standard library are written as their
documentation writes them: `np.linalg.solve`, `math.sin`, `len`.
"""

from __future__ import annotations

import builtins
import cmath
import keyword
import math
import operator
import sys
import types
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from typing import Any

import numpy as np

RESERVED = frozenset(keyword.kwlist) | {
    *dir(builtins),
    *("_", "np", "math", "cmath", "operator", "scipy"),
}


def adjoint_name(name: str) -> str:
    """The name of the adjoint or tangent of a variable; "" of a temporary.

    >>> adjoint_name("x")
    'd_x'
    """
    return f"d_{name}" if name else ""


class Names:
    """The names of one scope.

    Parameters
    ----------
    avoid : iterable of str
        Names that must not be given away at all.
    expected : iterable of str
        Names that will be asked for: no numbered name may be one of these.

    Examples
    --------
    >>> names = Names(expected=["x", "x_1"])
    >>> [names.fresh(name) for name in ("x", "x", "x_1", "len", "")]
    ['x', 'x_2', 'x_1', 'len_1', 't']
    """

    def __init__(self, avoid: Iterable[str] = (), expected: Iterable[str] = ()) -> None:
        self._taken = {*RESERVED, *avoid}
        self._expected = set(expected)

    @property
    def temporary(self) -> str:
        """What temporaries are called: `t`, unless a variable has that name."""
        return next((n for n in ("t", "temp") if n not in self._expected), "value")

    def reserve(self, name: str) -> str:
        """Take a name as it is: that of a parameter."""
        self._taken.add(name)
        return name

    def fresh(self, wanted: str = "") -> str:
        """The wanted name, with a number if it is taken."""
        wanted = wanted if wanted.isidentifier() else "t"
        name, number = wanted, 0
        while name in self._taken or (number and name in self._expected):
            number += 1
            name = f"{wanted}_{number}"
        return self.reserve(name)


class Namespace:
    """The global names of one generated module, collected while it is printed.

    Attributes
    ----------
    imports : dict
        The import statements that the text needs, as keys.
    helpers : dict
        Functions by name whose source is emitted along.
    required : dict
        Objects by name that cannot be imported: the module must be given them.
    used : set
        All global names that the text refers to.

    Parameters
    ----------
    avoid : iterable of str
        Names that no helper or required object may get.
    is_helper : callable
        Whether the source of an object can be emitted along.
    """

    def __init__(
        self,
        avoid: Iterable[str] = (),
        is_helper: Callable[[Any], bool] = lambda value: False,
    ) -> None:
        self._is_helper = is_helper
        self.imports: dict[str, None] = {}
        self.helpers: dict[str, Any] = {}
        self.required: dict[str, Any] = {}
        self.used: set[str] = set()
        self._names = Names(avoid)
        self._by_identity: dict[int, str] = {}

    def spell(self, value: Any) -> str:
        """How the text refers to an object; what that needs is remembered."""
        text = self._spelling(value)
        self.used.add(text.partition(".")[0])
        return text

    def _spelling(self, value: Any) -> str:
        public = public_name(value)
        if public is not None:
            statement, text = public
            if statement:
                self.imports[statement] = None
            return text
        name = str(getattr(value, "__name__", "") or "value")
        if id(value) not in self._by_identity:
            given = self._names.fresh(name)
            self._by_identity[id(value)] = given
            kind = self.helpers if self._is_helper(value) else self.required
            kind[given] = value
        return self._by_identity[id(value)]

    def module(self, name: str) -> str:
        """The name by which a module is known in the text, imported there."""
        statement = "import numpy as np" if name == "numpy" else f"import {name}"
        self.imports[statement] = None
        return "np" if name == "numpy" else name


def public_name(value: Any) -> tuple[str, str] | None:
    """The import statement and the spelling of an object, if it is a public one.

    Examples
    --------
    >>> public_name(np.linalg.solve), public_name(len)
    (('import numpy as np', 'np.linalg.solve'), ('', 'len'))
    >>> public_name(np.add.at)
    ('import numpy as np', 'np.add.at')
    >>> from scipy import stats
    >>> public_name(stats.norm.pdf)
    ('import scipy.stats', 'scipy.stats.norm.pdf')
    """
    # By identity: what a table names lives as long as its module.
    found = _public_names(()).get(id(value))
    if found is None and "scipy" in sys.modules:
        found = _public_names(_scipy_modules()).get(id(value))
    if found is not None:
        return found
    owner = getattr(value, "__self__", None)
    if isinstance(owner, np.ufunc) or isinstance(value, types.MethodType):
        of_owner = public_name(owner)
        return of_owner and (of_owner[0], f"{of_owner[1]}.{value.__name__}")
    return None


_WORDS = {
    operator.add: "total",
    operator.sub: "difference",
    operator.mul: "product",
    operator.matmul: "product",
    operator.truediv: "quotient",
    operator.floordiv: "quotient",
    operator.mod: "remainder",
    operator.pow: "power",
    operator.neg: "opposite",
    operator.lt: "test",
    operator.le: "test",
    operator.gt: "test",
    operator.ge: "test",
    operator.eq: "test",
    operator.ne: "test",
}
_SAY_LITTLE = ("copy", "array", "asarray", "broadcast_to", "expand_dims", "getattr")


def result_name(fn: Any, first: str = "", words: bool = False) -> str:
    """What to call the result of a function of an argument called `first`.

    Operators have names only where `words` is set; "" where there is none.

    Examples
    --------
    >>> result_name(np.exp, "z"), result_name(operator.mul, words=True)
    ('exp_z', 'product')
    """
    try:
        word = _WORDS.get(fn, "")
    except TypeError:  # not hashable
        return ""
    if word:
        return word if words else ""
    public = public_name(fn)
    if public is None:
        return ""
    name = public[1].rpartition(".")[2]
    if name in _SAY_LITTLE or public[1].startswith("operator."):
        return ""
    name = f"{name}_{first}" if first else name
    return "" if name in RESERVED else name


# Where an object has several names, this one is what people write.
_USUAL = {
    "absolute": "abs",
    "conjugate": "conj",
    "remainder": "mod",
    "bool": "bool_",
}


@cache
def _public_names(scipy: tuple[str, ...]) -> dict[int, tuple[str, str]]:
    found: dict[int, tuple[str, str]] = {}
    for module, prefix, statement in _modules(scipy):
        members: dict[int, list[str]] = {}
        for name in _public_members(module):
            value = vars(module).get(name)
            if callable(value):
                members.setdefault(id(value), []).append(name)
        for key, names in members.items():
            own = getattr(vars(module)[names[0]], "__name__", "")
            if prefix:
                own = _USUAL.get(own, own)
            name = own if own in names else min(names, key=lambda n: (len(n), n))
            found.setdefault(key, (statement, prefix + name))
    return found


def _public_members(module: types.ModuleType) -> Iterable[str]:
    if module.__name__.startswith("scipy."):
        return getattr(module, "__all__", ())
    return sorted(name for name in vars(module) if not name.startswith("_"))


def _modules(scipy: tuple[str, ...]) -> Iterator[tuple[types.ModuleType, str, str]]:
    yield builtins, "", ""
    numpy = "import numpy as np"
    yield np, "np.", numpy
    yield np.linalg, "np.linalg.", numpy
    yield np.fft, "np.fft.", numpy
    yield np.random, "np.random.", numpy
    yield np.polynomial.polynomial, "np.polynomial.polynomial.", numpy
    yield np.lib.stride_tricks, "np.lib.stride_tricks.", numpy
    for module in (math, cmath, operator):
        yield module, f"{module.__name__}.", f"import {module.__name__}"
    for name in scipy:
        yield sys.modules[name], f"{name}.", f"import {name}"


def _scipy_modules() -> tuple[str, ...]:
    """The public modules of SciPy that the program has imported."""
    names = [
        name
        for name in tuple(sys.modules)
        if name.startswith("scipy.")
        and "._" not in name
        and name.count(".") <= 2
        and "__all__" in vars(sys.modules[name])
    ]
    return tuple(sorted(names, key=lambda name: (name.count("."), name)))
