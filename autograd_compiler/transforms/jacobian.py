"""Whole Jacobians and Hessians: `jacrev`, `jacfwd`, `jacobian`, `hessian`.

A Jacobian is a loop over unit vectors, written in the language that the compiler reads
(`_rows`, `_columns`), around a pullback or a tangent.  The forward sweep of the pullback
stands before the loop, so all rows share it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from math import prod
from typing import Any

import numpy as np

from autograd_compiler import ir, nested, tree
from autograd_compiler.builder import type_of_operand
from autograd_compiler.errors import ArgumentError, CompileError
from autograd_compiler.frontend import calls
from autograd_compiler.frontend.program import describe
from autograd_compiler.nested import positions
from autograd_compiler.specialise import Specialised, selected
from autograd_compiler.transforms import direct
from autograd_compiler.transforms.base import (
    Argnums,
    Compiled,
    inside_of_programs,
    specialiser_of,
)
from autograd_compiler.transforms.products import (
    pullback_in,
    tangent_in,
    tangent_specialised,
)
from autograd_compiler.transforms.repeated import (
    again,
    first_effect,
    refusal,
    refuse_effects,
)
from autograd_compiler.transforms.results import independent, run
from autograd_compiler.transforms.sparsity import SparseJacobian
from autograd_compiler.types import Array, Dim, Scalar, dtype_of, is_complex, type_of

Values = Mapping[str, Any]


class Jacobian(Compiled):
    """All derivatives of a function's results in the selected arguments.

    Made by `jacrev`, `jacfwd` and `jacobian`.

    Attributes
    ----------
    primal : callable
        The original function.
    source : str
        The generated Python, for the argument types of the last call.
    """

    kind = "jacobian"
    title = "Jacobian"

    def __init__(
        self,
        fun: Callable[..., Any],
        argnums: Argnums = 0,
        *,
        mode: str = "auto",
        has_aux: bool = False,
        holomorphic: bool = False,
        backend: str = "python",
    ) -> None:
        options: dict[str, Any] = {
            "argnums": argnums,
            "mode": mode,
            "has_aux": has_aux,
            "holomorphic": holomorphic,
            "backend": backend,
        }
        super().__init__(fun, options, backend)
        self._mode = mode
        self._has_aux = has_aux
        self._holomorphic = holomorphic
        self._backend = backend
        self._unreadable: set[Any] = set()  # kinds of arguments for `_by_calls`
        self._wrt = self._value.wrt(argnums)
        self._alone = not isinstance(argnums, (tuple, list))
        if mode == "auto":
            self._modes = {
                mode: Jacobian(fun, **{**options, "mode": mode})
                for mode in ("fwd", "rev")
            }

    @property
    def _value(self) -> Any:
        return specialiser_of(self._function, "value")

    @property
    def _function(self) -> Any:
        """What is differentiated."""
        return self.primal

    # ------------------------------------------------------------ calling

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """The Jacobian; with `has_aux` the pair of it and aux."""
        values = self._program.bind(args, kwargs)
        key = self._unreadable and self._kind_of(values)
        if key and key in self._unreadable:
            return self._by_calls(values)
        try:
            found, values = self._specialised(args, kwargs)
        except CompileError:
            if self._backend == "numba":
                raise
            result = self._by_calls(values)
            self._unreadable.add(self._kind_of(values))
            return result
        result = run(found, values)
        taken = (*values.values(), *found.captured())
        if not self._has_aux:
            return independent(result, taken)
        jacobian, aux = result
        return independent(jacobian, (*taken, aux)), aux

    @staticmethod
    def _kind_of(values: Values) -> Any:
        sizes: dict[int, Dim] = {}
        return tuple(describe(value, sizes).key for value in values.values())

    def _by_calls(self, values: dict[str, Any]) -> Any:
        """The same without a program around the pullback or tangent; see `direct`."""

        def check(leaf: Any) -> None:
            complaint = self._complaint(np.asarray(leaf).dtype)
            if complaint is not None:
                raise ArgumentError("; ".join(complaint))

        by_calls = direct.columns if self._mode == "fwd" else direct.rows
        jacobian, aux = by_calls(
            self._function, self._wrt, self._alone, self._has_aux, values, check
        )
        return (jacobian, *aux) if self._has_aux else jacobian

    def _check(self, values: Values) -> None:
        self._value.check_selected(self._wrt, values)

    def _specialised(
        self, args: Any, kwargs: Any
    ) -> tuple[Specialised, dict[str, Any]]:
        if self._mode != "auto":
            return super()._specialised(args, kwargs)
        values = self._program.bind(args, kwargs)
        self._check(values)
        sizes: dict[int, Dim] = {}
        for leaf in tree.flatten(tuple(values.values()))[0]:
            type_of(leaf, sizes)
        numbers = {dim.symbol: size for size, dim in sizes.items()}
        inputs = [
            leaf
            for name in self._wrt
            for leaf in tree.flatten(selected(values, name))[0]
        ]
        value = self._value.specialise((), values)
        mode = self._chosen(value, [np.size(leaf) for leaf in inputs], numbers)
        self._program.last = self._modes[mode]._program.specialise((), values)
        return self._program.last, values

    def _chosen(
        self, value: Specialised, inputs: list[int], numbers: Mapping[str, int]
    ) -> str:
        """Forward for fewer inputs than outputs, else reverse: it shares its sweep."""
        outputs = 0
        for leaf in positions(_first(value, self._has_aux)):
            size = _size(leaf, numbers)
            if size is None:
                return "rev"
            outputs += size
        if sum(inputs) < outputs and first_effect(value) is None:
            return "fwd"
        return "rev"

    # ------------------------------------------------------------ as part of a program

    def __autograd_compiler_call__(
        self, low: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any], node: Any
    ) -> Any:
        values = nested.bind(low, self.signature, args, kwargs, node)
        for name in self._wrt:
            argument = nested.selected(low, values, name)
            nested.check_floats(low, argument, self._function_name, name, node)
            self._check_arguments(low, argument, name, node)
        mode = self._mode
        if mode == "auto":
            value = nested.specialise(low, self._value, (), values, node)
            mode = self._chosen_in(low, value, values, node)
        jacobian, aux = (self._reverse if mode == "rev" else self._forward)(
            low, values, node
        )
        return ir.Pack((jacobian, *aux)) if self._has_aux else jacobian

    def _chosen_in(
        self, low: Any, value: Specialised, values: Values, node: Any
    ) -> str:
        """The choice when no size is known: only numbers are fewer than arrays."""
        inputs = [
            leaf
            for name in self._wrt
            for leaf in positions(low.operand(nested.selected(low, values, name), node))
        ]
        if any(_size(leaf, {}) is None for leaf in inputs):
            return "rev"
        outputs = positions(_first(value, self._has_aux))
        if any(_size(leaf, {}) is None for leaf in outputs):
            return "fwd" if first_effect(value) is None else "rev"
        return self._chosen(value, [_size(leaf, {}) or 0 for leaf in inputs], {})

    def _reverse(self, low: Any, values: Values, node: Any) -> tuple[Any, Any]:
        out, pullback, aux = pullback_in(
            low, self._function, self._wrt, values, node, self._has_aux
        )
        arguments = [
            low.operand(nested.selected(low, values, name), node) for name in self._wrt
        ]
        inputs = [leaf for argument in arguments for leaf in positions(argument)]
        made: list[Any] = []
        for number, leaf in enumerate(positions(out)):
            self._check_result(low, leaf, node)
            row = _Row(pullback, out, number)
            if not _ndim(leaf):
                rows = row.own(low, ir.Const(1.0), node)
            else:
                template = _rows(_kind(leaf), tuple(_kind(item) for item in inputs))
                given = (ir.Const(row), leaf, *inputs)
                rows = _looped(low, template, given, node)
            found = iter(rows)
            trees = tuple(_packed(low, argument, found) for argument in arguments)
            made.append(trees[0] if self._alone else ir.Pack(trees))
        return _packed(low, out, iter(made)), aux

    def _forward(self, low: Any, values: Values, node: Any) -> tuple[Any, Any]:
        fun = self._function
        value = nested.specialise(low, self._value, (), values, node)
        refuse_effects(low, value, self._function_name, "once for each column", node)
        fresh = again(low, value, node)
        out = nested.run(low, value, fresh(values), (), node)
        aux: tuple[Any, ...] = ()
        if self._has_aux:
            parts = out.items if isinstance(out, ir.Pack) else ()
            if len(parts) != 2:
                raise low.refuse(
                    node,
                    f"`{self._function_name}` must return (value, aux) for has_aux=True",
                )
            out, aux = parts[0], parts[1:]
        out = low.operand(out, node)
        outputs = list(positions(out))
        for leaf in outputs:
            self._check_result(low, leaf, node)
        columns: list[list[Any]] = []  # for each result, what belongs to each argument
        for name in self._wrt:
            argument = low.operand(nested.selected(low, values, name), node)
            tangent_specialised(low, fun, (name,), values, node, self._has_aux)
            blocks: list[tuple[Any, ...]] = []
            for number, leaf in enumerate(positions(argument)):

                def along(low: Any, seed: Any, node: Any, name: str = name) -> Any:
                    given = fresh(values)
                    found = tangent_in(
                        low, fun, (name,), given, (seed,), node, self._has_aux, True
                    )
                    return found.items[1]

                column = _Column(along, argument, number)
                if not _ndim(leaf):
                    blocks.append(column.own(low, _one(leaf), outputs, node))
                    continue
                template = _columns(_kind(leaf), tuple(map(_kind, outputs)))
                given = (ir.Const(column), leaf, *outputs)
                blocks.append(_looped(low, template, given, node))
            columns.append(
                [
                    _packed(low, argument, iter([block[number] for block in blocks]))
                    for number in range(len(outputs))
                ]
            )
        made = [
            (
                columns[0][number]
                if self._alone
                else ir.Pack(tuple(column[number] for column in columns))
            )
            for number in range(len(outputs))
        ]
        return _packed(low, out, iter(made)), aux

    # ------------------------------------------------------------ what is refused

    def _check_arguments(self, low: Any, argument: Any, name: str, node: Any) -> None:
        for leaf in positions(low.operand(argument, node)):
            complex_ = is_complex(type_of_operand(leaf))
            if self._holomorphic and not complex_:
                raise refusal(
                    low,
                    node,
                    f"`{name}` is real, and holomorphic=True needs complex arguments",
                    "convert it with complex(x) or x.astype(complex)",
                )
            if self._mode == "fwd" and complex_ and not self._holomorphic:
                raise refusal(
                    low,
                    node,
                    f"`{name}` is complex, and jacfwd needs real arguments",
                    "pass holomorphic=True for the complex derivative of a holomorphic "
                    "function; `jvp` takes any function of complex arguments",
                )

    def _check_result(self, low: Any, leaf: ir.Operand, node: Any) -> None:
        dtype = dtype_of(type_of_operand(leaf))
        if dtype is None:
            raise low.refuse(
                node,
                f"a result of `{self._function_name}` is not known to be a number or "
                "array",
                "return arrays, numbers, and containers of known length of them; "
                "has_aux=True is for values that are only passed on",
            )
        complaint = self._complaint(np.dtype(dtype))
        if complaint is not None:
            raise refusal(low, node, *complaint)

    def _complaint(self, dtype: np.dtype[Any]) -> tuple[str, str] | None:
        """What is wrong with a result of a dtype, and what to do."""
        result = f"a result of `{self._function_name}` is"
        if dtype.kind not in "fc":
            return (
                f"{result} of {dtype}, and only floats have derivatives",
                "has_aux=True is for values that are only passed on",
            )
        if self._holomorphic and dtype.kind != "c":
            return (
                f"{result} real, and holomorphic=True needs complex ones",
                "leave holomorphic=True out",
            )
        if self._mode != "fwd" and dtype.kind == "c" and not self._holomorphic:
            return (
                f"{result} complex, and jacrev needs real ones",
                "pass holomorphic=True for the complex derivative of a holomorphic "
                "function; `vjp` takes any function with complex results",
            )
        return None


class Hessian(Jacobian):
    """Second derivatives: the Jacobian, by columns, of the Jacobian by rows."""

    kind = "hessian"
    title = "Hessian"

    def __init__(
        self,
        fun: Callable[..., Any],
        argnums: Argnums = 0,
        *,
        has_aux: bool = False,
        holomorphic: bool = False,
        backend: str = "python",
    ) -> None:
        options: Any = {"has_aux": has_aux, "holomorphic": holomorphic}
        self._rows = Jacobian(fun, argnums, mode="rev", **options)
        super().__init__(fun, argnums, mode="fwd", backend=backend, **options)
        self._options = {**options, "argnums": argnums, "backend": backend}

    @property
    def _function(self) -> Any:
        return self._rows


# ---------------------------------------------------------------- the loops


@dataclass(frozen=True)
class _Kind:
    """What the text of a loop depends on."""

    ndim: int
    dtype: str

    def shape(self, name: str) -> list[str]:
        if self.ndim == 1:
            return [f"{name}.size"]
        return [f"{name}.shape[{axis}]" for axis in range(self.ndim)]

    def allocate(self, shape: list[str]) -> str:
        dtype = "" if self.dtype == "float64" else f", dtype=np.{self.dtype}"
        return f"np.empty({_tuple(shape)}{dtype})"

    def seed(self, name: str, index: str) -> list[str]:
        """A unit vector, in the shape of the array of that name."""
        dtype = "" if self.dtype == "float64" else f", dtype=np.{self.dtype}"
        return [
            f"        seed = np.zeros({name}.size{dtype})",
            f"        seed[{index}] = 1.0",
        ]

    def shaped(self, name: str) -> str:
        return "seed" if self.ndim == 1 else f"seed.reshape({_tuple(self.shape(name))})"


def _tuple(items: list[str]) -> str:
    return f"({items[0]},)" if len(items) == 1 else f"({', '.join(items)})"


@lru_cache(maxsize=256)
def _rows(out: _Kind, inputs: tuple[_Kind, ...]) -> Callable[..., Any]:
    """The loop over the elements of a result: one pullback for each.

    >>> import inspect
    >>> print(inspect.getsource(_rows(_Kind(1, "float64"), (_Kind(1, "float64"),))))
    def rows(pullback, out, x):
        jac = np.empty((out.size, x.size))
        for i in range(out.size):
            seed = np.zeros(out.size)
            seed[i] = 1.0
            (jac[i],) = pullback(seed)
        return (jac,)
    <BLANKLINE>
    """
    names = _numbered("x", inputs)
    jacs = _numbered("jac", inputs)
    lines = [f"def rows(pullback, out, {', '.join(names)}):"]
    for jac, x, kind in zip(jacs, names, inputs, strict=True):
        lines.append(f"    {jac} = {kind.allocate(['out.size', *kind.shape(x)])}")
    lines.append("    for i in range(out.size):")
    lines += out.seed("out", "i")
    parts = _tuple([f"{jac}[i]" for jac in jacs])
    lines.append(f"        {parts} = pullback({out.shaped('out')})")
    results = [
        (
            jac
            if out.ndim == 1
            else f"{jac}.reshape({_tuple(out.shape('out') + kind.shape(x))})"
        )
        for jac, x, kind in zip(jacs, names, inputs, strict=True)
    ]
    lines.append(f"    return {_tuple(results)}")
    made: Callable[..., Any] = nested.defined("rows", "\n".join(lines) + "\n")
    return made


@lru_cache(maxsize=256)
def _columns(x: _Kind, outputs: tuple[_Kind, ...]) -> Callable[..., Any]:
    """The loop over the elements of an argument: one tangent for each.

    >>> import inspect
    >>> print(inspect.getsource(_columns(_Kind(1, "float64"), (_Kind(1, "float64"),))))
    def columns(tangent, x, out):
        jac = np.empty((out.size, x.size))
        for j in range(x.size):
            seed = np.zeros(x.size)
            seed[j] = 1.0
            (jac[:, j],) = tangent(seed)
        return (jac,)
    <BLANKLINE>
    """
    names = _numbered("out", outputs)
    jacs = _numbered("jac", outputs)
    lines = [f"def columns(tangent, x, {', '.join(names)}):"]
    for jac, out, kind in zip(jacs, names, outputs, strict=True):
        lines.append(f"    {jac} = {kind.allocate([*kind.shape(out), 'x.size'])}")
    lines.append("    for j in range(x.size):")
    lines += x.seed("x", "j")
    parts = [
        f"{jac}[{':, ' * kind.ndim}j]" for jac, kind in zip(jacs, outputs, strict=True)
    ]
    lines.append(f"        {_tuple(parts)} = tangent({x.shaped('x')})")
    results = [
        (
            jac
            if x.ndim == 1
            else f"{jac}.reshape({_tuple(kind.shape(out) + x.shape('x'))})"
        )
        for jac, out, kind in zip(jacs, names, outputs, strict=True)
    ]
    lines.append(f"    return {_tuple(results)}")
    made: Callable[..., Any] = nested.defined("columns", "\n".join(lines) + "\n")
    return made


def _looped(low: Any, template: Any, given: Any, node: Any) -> tuple[Any, ...]:
    result = calls.call(low, ir.Const(template), given, {}, node)
    assert isinstance(result, ir.Pack)
    return result.items


def _numbered(name: str, items: tuple[Any, ...]) -> list[str]:
    if len(items) == 1:
        return [name]
    return [f"{name}_{number}" for number in range(len(items))]


@dataclass(eq=False)
class _Row:
    """The pullback of one leaf of a result: a tuple of the leaves of the arguments."""

    pullback: nested.Pullback
    out: ir.Operand
    number: int

    def __autograd_compiler_call__(
        self, low: Any, args: Any, kwargs: Any, node: Any
    ) -> Any:
        cotangent = _one_of(low, self.out, self.number, args[0], node)
        adjoints = self.pullback.adjoints(low, cotangent, node, inline=True)
        return ir.Pack(tuple(positions(low.operand(adjoints, node))))

    def own(self, low: Any, cotangent: Any, node: Any) -> tuple[Any, ...]:
        """The adjoints in memory of their own, and in the shapes of the arguments."""
        cotangent = _one_of(low, self.out, self.number, cotangent, node)
        found = calls.call(low, ir.Const(self.pullback), (cotangent,), {}, node)
        return tuple(positions(low.operand(found, node)))


@dataclass(eq=False)
class _Column:
    """The tangent along one leaf of an argument: a tuple of the leaves of the result."""

    along: Callable[[Any, Any, Any], Any]
    argument: ir.Operand
    number: int

    def __autograd_compiler_call__(
        self, low: Any, args: Any, kwargs: Any, node: Any
    ) -> Any:
        seed = _one_of(low, self.argument, self.number, args[0], node)
        return ir.Pack(tuple(positions(low.operand(self.along(low, seed, node), node))))

    def own(
        self, low: Any, seed: Any, outputs: list[ir.Operand], node: Any
    ) -> tuple[Any, ...]:
        """The tangents in memory of their own, and in the shapes of the results."""
        found = self.__autograd_compiler_call__(low, (seed,), {}, node).items
        taken: list[ir.Var] = [var for leaf in outputs for var in ir.leaves(leaf)]
        return tuple(
            nested.filled(low, nested.owned(low, part, leaf, taken, node), leaf, node)
            for part, leaf in zip(found, outputs, strict=True)
        )


# ---------------------------------------------------------------- small things


def _first(value: Specialised, has_aux: bool) -> ir.Operand:
    """What the function returns, without aux."""
    result: ir.Operand = value.lowered.primal.function.body.results[0]
    if has_aux and isinstance(result, ir.Pack) and result.items:
        return result.items[0]
    return result


def _size(leaf: ir.Operand, numbers: Mapping[str, int]) -> int | None:
    found = type_of_operand(leaf)
    if isinstance(found, Scalar):
        return 1
    if not isinstance(found, Array):
        return None
    sizes = []
    for dim in found.dims:
        if dim is None or dim.symbol and dim.symbol not in numbers:
            return None
        sizes.append(numbers.get(dim.symbol, 0) + dim.offset)
    return prod(sizes)


def _ndim(leaf: ir.Operand) -> int:
    found = type_of_operand(leaf)
    return found.ndim if isinstance(found, Array) else 0


def _kind(leaf: ir.Operand) -> _Kind:
    found = type_of_operand(leaf)
    assert isinstance(found, (Scalar, Array))
    return _Kind(_ndim(leaf), found.dtype)


def _one(leaf: ir.Operand) -> ir.Operand:
    """The unit tangent of a number."""
    found = type_of_operand(leaf)
    if isinstance(found, Scalar) and not found.weak:
        return ir.Const(np.dtype(found.dtype).type(1.0))
    return ir.Const(1.0)


def _one_of(low: Any, model: ir.Operand, number: int, seed: Any, node: Any) -> Any:
    """A (co)tangent that is a seed at one leaf and zero at the others."""
    leaves: list[Any] = []
    for position, leaf in enumerate(positions(model)):
        if position == number:
            leaves.append(seed)
        elif _ndim(leaf):
            leaves.append(low.apply(np.zeros_like, leaf))
        else:
            leaves.append(ir.Const(0.0))
    return _packed(low, model, iter(leaves))


def _packed(low: Any, model: ir.Operand, leaves: Any) -> Any:
    """A container of the form of another one, with other leaves."""
    if not isinstance(model, ir.Pack):
        return next(leaves)
    items = tuple(_packed(low, item, leaves) for item in model.items)
    if model.form.kind in ("list", "dict"):
        return low.new_ref(model.form, items)
    return ir.Pack(items, model.form)


# ---------------------------------------------------------------- the functions


def _made(cls: type[Jacobian], fun: Any, argnums: Argnums, options: Any) -> Any:
    if fun is None:
        return lambda found: cls(found, argnums, **options)
    return cls(fun, argnums, **options)


def _made_sparse(
    fun: Any, argnums: Any, sparsity: Any, options: Any, second: bool
) -> Any:
    if options["has_aux"] or options["holomorphic"]:
        raise ArgumentError("sparsity goes neither with has_aux nor with holomorphic")
    options = {"backend": options["backend"], "sparsity": sparsity, "second": second}
    if fun is None:
        return lambda found: SparseJacobian(found, argnums, **options)
    return SparseJacobian(fun, argnums, **options)


def jacrev(
    fun: Callable[..., Any] | None = None,
    argnums: Argnums = 0,
    *,
    has_aux: bool = False,
    holomorphic: bool = False,
    backend: str = "python",
) -> Any:
    """Make the Jacobian of a function, row by row in reverse mode.

    The function runs once; each element of its result costs one reverse sweep.

    Parameters
    ----------
    fun : callable
        A function of numbers, arrays and containers of them, that gives such.
    argnums : int, str or tuple of these
        The arguments to differentiate in, by position or name.
    has_aux : bool
        Whether `fun` returns `(value, aux)`; the result is then `(jacobian, aux)`.
    holomorphic : bool
        Whether `fun` is a complex function of complex numbers that has a complex
        derivative, which is then the result.
    backend : {"python", "numba", "auto"}
        What runs the generated code.

    Returns
    -------
    Jacobian
        A callable.  For a result of shape `s` and an argument of shape `t` it gives an
        array of shape `s + t`; if they are containers, a container like the result of
        containers like the argument; for several argnums a tuple in the place of each
        leaf of the result.

    Raises
    ------
    ArgumentError
        If a selected argument is not of floats, or a result is not real, or (with
        `holomorphic`) not complex.
    UnsupportedError
        If the function cannot be differentiated; it names the line.

    Examples
    --------
    >>> import numpy as np
    >>> jacrev(lambda x: x[1:] * x[:-1])(np.array([1.0, 2.0, 3.0]))
    array([[2., 1., 0.],
           [0., 3., 2.]])
    """
    options = {"has_aux": has_aux, "holomorphic": holomorphic, "backend": backend}
    return _made(Jacobian, fun, argnums, {**options, "mode": "rev"})


def jacfwd(
    fun: Callable[..., Any] | None = None,
    argnums: Argnums = 0,
    *,
    has_aux: bool = False,
    holomorphic: bool = False,
    backend: str = "python",
) -> Any:
    """Make the Jacobian of a function, column by column in forward mode.

    Each element of the arguments costs one run of the function with its tangent.
    Parameters, results and errors are those of `jacrev`, with two differences: the
    results may be complex if the arguments are real; and a function that may give
    another result each time, as with random numbers, is refused.

    Examples
    --------
    >>> import numpy as np
    >>> jacfwd(lambda t: np.array([np.cos(t), np.sin(t)]))(0.0)
    array([-0.,  1.])
    """
    options = {"has_aux": has_aux, "holomorphic": holomorphic, "backend": backend}
    return _made(Jacobian, fun, argnums, {**options, "mode": "fwd"})


def jacobian(
    fun: Callable[..., Any] | None = None,
    argnums: Argnums = 0,
    *,
    has_aux: bool = False,
    holomorphic: bool = False,
    backend: str = "python",
    sparsity: Any = None,
) -> Any:
    """Make the Jacobian of a function in the mode that is cheaper.

    It is `jacfwd` where the selected arguments have fewer elements than the results,
    and `jacrev` otherwise, also where the size of a result is not known beforehand, or
    the function may give another result each time.  Parameters, results and errors are
    those of `jacrev`; in addition:

    Parameters
    ----------
    sparsity : matrix or "detect", optional
        Where the Jacobian may be other than zero, as an array or sparse matrix of shape
        `(out.size, x.size)`; or `"detect"`: at the first call with arguments of some
        shapes the pattern is found from the whole Jacobian.  The result is then a
        `scipy.sparse.csr_array`, from as few products as a colouring of the pattern
        needs (Curtis, Powell and Reid 1974).  Each call checks the pattern by one
        product more: a given one that lacks an entry is an error, a detected one is
        detected anew.  For one argument that is an array; needs SciPy.

    Raises
    ------
    ArgumentError
        Also if the pattern has another shape or lacks an entry.

    Examples
    --------
    >>> import numpy as np
    >>> jacobian(lambda x: x**2)(np.array([1.0, 2.0]))
    array([[2., 0.],
           [0., 4.]])
    """
    options: Any = {"has_aux": has_aux, "holomorphic": holomorphic, "backend": backend}
    if sparsity is not None:
        return _made_sparse(fun, argnums, sparsity, options, second=False)
    return _made(Jacobian, fun, argnums, options)


def hessian(
    fun: Callable[..., Any] | None = None,
    argnums: Argnums = 0,
    *,
    has_aux: bool = False,
    holomorphic: bool = False,
    backend: str = "python",
    sparsity: Any = None,
) -> Any:
    """Make the second derivatives of a function, forward over reverse.

    Each element of the selected arguments costs one gradient with its tangent.
    Parameters and errors are those of `jacrev`; `sparsity` is as for `jacobian`.

    Returns
    -------
    Hessian
        A callable.  For a result of shape `s` and an argument of shape `t` it gives an
        array of shape `s + t + t`; for several argnums a tuple of tuples of such: the
        element `[i][j]` belongs to arguments `i` and `j`.

    Examples
    --------
    >>> import numpy as np
    >>> hessian(lambda x: x[0] ** 2 * x[1])(np.array([1.0, 2.0]))
    array([[4., 2.],
           [2., 0.]])
    """
    options: Any = {"has_aux": has_aux, "holomorphic": holomorphic, "backend": backend}
    if sparsity is not None:
        return _made_sparse(fun, argnums, sparsity, options, second=True)
    return _made(Hessian, fun, argnums, options)


for _maker in (jacrev, jacfwd, jacobian, hessian):
    inside_of_programs(_maker)
