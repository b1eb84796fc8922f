"""Whole Jacobians and Hessians: `jacrev`, `jacfwd`, `jacobian`, `hessian`.

A Jacobian is a loop over unit vectors, written in the language that the compiler reads
(`unit_vectors`), around a pullback or a tangent.  The forward sweep of the pullback
stands before the loop, so all rows share it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from autograd_compiler import ir, nested, tree
from autograd_compiler.contract import independent
from autograd_compiler.errors import ArgumentError
from autograd_compiler.frontend.program import describe
from autograd_compiler.nested import positions
from autograd_compiler.operands import type_of_operand
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
from autograd_compiler.transforms.results import copied
from autograd_compiler.transforms.sparsity import SparseJacobian
from autograd_compiler.transforms.unit_vectors import (
    Column,
    Row,
    columns_text,
    first_of,
    kind_of,
    looped,
    ndim_of,
    one_for,
    packed,
    rows_text,
    size_of,
)
from autograd_compiler.types import Dim, dtype_of, is_complex

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
        self._wrt = self._value.wrt(argnums)
        self._alone = not isinstance(argnums, (tuple, list))
        self._mode_of: dict[Any, str] = {}
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
        self._check(values)
        found = self._readable(values)
        if found is None:
            return self._by_calls(values)
        result = found.call(values)
        taken = (*values.values(), *found.captured())
        if not self._has_aux:
            return independent(result, taken)
        jacobian, aux = result
        return independent(jacobian, (*taken, aux)), aux

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

    def _program_for(self, values: dict[str, Any]) -> Specialised:
        if self._mode != "auto":
            return super()._program_for(values)
        program = self._modes[self._mode_for(values)]._program
        self._program.last = program.specialise((), values)
        return self._program.last

    def _mode_for(self, values: dict[str, Any]) -> str:
        """The mode for arguments of these sizes."""
        sizes: dict[int, Dim] = {}
        kinds = tuple(describe(value, sizes).key for value in values.values())
        key = (kinds, tuple(sizes))
        mode = self._mode_of.get(key)
        if mode is None:
            numbers = {dim.symbol: size for size, dim in sizes.items()}
            value = self._value.specialise((), values)
            arguments = tuple(selected(values, name) for name in self._wrt)
            inputs = tree.flatten(arguments)[0]
            outputs = [
                size_of(leaf, numbers)
                for leaf in positions(first_of(value, self._has_aux))
            ]
            if None in outputs and first_effect(value) is None:
                # What is not known beforehand is seen by running the function once.
                out = value.call(copied(values))
                out = out[0] if self._has_aux else out
                outputs = [np.size(leaf) for leaf in tree.flatten(out)[0]]
            has_complex = any(map(np.iscomplexobj, inputs))
            size = sum(map(np.size, inputs))
            mode = self._chosen(value, size, has_complex, outputs)
            self._mode_of[key] = mode
        return mode

    def _chosen(
        self,
        value: Specialised,
        inputs: int | None,
        has_complex: bool,
        outputs: list[int | None],
    ) -> str:
        """Forward for fewer inputs than outputs, else reverse: it shares its sweep.

        Both are sizes, and None where one is not known.
        """
        if has_complex and not self._holomorphic or first_effect(value) is not None:
            return "rev"
        results = positions(first_of(value, self._has_aux))
        if any(is_complex(type_of_operand(leaf)) for leaf in results):
            return "rev" if self._holomorphic else "fwd"
        if inputs is None:
            return "rev"
        if None in outputs:  # an array, which has more elements than a number
            return "fwd" if inputs == 1 else "rev"
        return "fwd" if inputs < sum(size or 0 for size in outputs) else "rev"

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
        """The choice when the sizes of arrays are not known: only numbers are."""
        inputs = [
            leaf
            for name in self._wrt
            for leaf in positions(low.operand(nested.selected(low, values, name), node))
        ]
        sizes = [size_of(leaf, {}) for leaf in inputs]
        size = None if None in sizes else sum(size or 0 for size in sizes)
        has_complex = any(is_complex(type_of_operand(leaf)) for leaf in inputs)
        outputs = [
            size_of(leaf, {}) for leaf in positions(first_of(value, self._has_aux))
        ]
        return self._chosen(value, size, has_complex, outputs)

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
            row = Row(pullback, out, number)
            if not ndim_of(leaf):
                rows = row.own(low, ir.Const(1.0), node)
            else:
                template = rows_text(
                    kind_of(leaf), tuple(kind_of(item) for item in inputs)
                )
                given = (ir.Const(row), leaf, *inputs)
                rows = looped(low, template, given, node)
            found = iter(rows)
            trees = tuple(packed(low, argument, found) for argument in arguments)
            made.append(trees[0] if self._alone else ir.Pack(trees))
        return packed(low, out, iter(made)), aux

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

                column = Column(along, argument, number)
                if not ndim_of(leaf):
                    blocks.append(column.own(low, one_for(leaf), outputs, node))
                    continue
                template = columns_text(kind_of(leaf), tuple(map(kind_of, outputs)))
                given = (ir.Const(column), leaf, *outputs)
                blocks.append(looped(low, template, given, node))
            columns.append(
                [
                    packed(low, argument, iter([block[number] for block in blocks]))
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
        return packed(low, out, iter(made)), aux

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


# ---------------------------------------------------------------- the functions


def made(cls: type[Jacobian], fun: Any, argnums: Argnums, options: Any) -> Any:
    if fun is None:
        return lambda found: cls(found, argnums, **options)
    return cls(fun, argnums, **options)


def made_sparse(
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
    return made(Jacobian, fun, argnums, {**options, "mode": "rev"})


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
    return made(Jacobian, fun, argnums, {**options, "mode": "fwd"})


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
    and `jacrev` otherwise, also if the function may give another result each time.
    Parameters, results and errors are
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
        return made_sparse(fun, argnums, sparsity, options, second=False)
    return made(Jacobian, fun, argnums, options)


for _maker in (jacrev, jacfwd, jacobian):
    inside_of_programs(_maker)
