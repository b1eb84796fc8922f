"""Sparse Jacobians and Hessians, compressed by colouring.

Columns that have no row in common are found by one product with the sum of their unit
vectors, and read off by the pattern (A. R. Curtis, M. J. D. Powell and J. K. Reid, On
the estimation of sparse Jacobian matrices, IMA J. Appl. Math. 13, 1974).  Which columns
go together is a colouring problem, solved greedily by what SciPy uses for its finite
differences; rows are grouped the same way for reverse mode.

Note [Patterns].  A pattern that lacks an entry would give wrong numbers without a word:
the entry would be added to another of its row.  So each call carries one product more,
with a random vector, and compares it with the product of the result.  A pattern that
was detected at other values is then detected anew; one that was given is refused.
"""

from __future__ import annotations

import inspect
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from autograd_compiler import ir, nested
from autograd_compiler.errors import ArgumentError
from autograd_compiler.frontend import calls
from autograd_compiler.frontend.program import describe
from autograd_compiler.operands import type_of_operand
from autograd_compiler.specialise import Specialised
from autograd_compiler.transforms.base import Compiled, Transformation, specialiser_of
from autograd_compiler.transforms.gradient import Gradient
from autograd_compiler.transforms.products import pullback_in, tangent_in
from autograd_compiler.transforms.repeated import again, refuse_effects
from autograd_compiler.types import Array, dtype_of

Mode = Literal["fwd", "rev"]
BLOCK = 64  # unit vectors at a time while a pattern is detected


@dataclass(frozen=True)
class Compression:
    """A pattern in CSR form, and which of its rows or columns go together."""

    pattern: Any
    rows: np.ndarray[Any, Any]  # of each entry
    columns: np.ndarray[Any, Any]
    groups: np.ndarray[Any, Any]  # of each column (forward) or row (reverse)
    mode: Mode

    def seeds(self, dtype: Any) -> np.ndarray[Any, Any]:
        """One vector per group, and a random one to check the result with."""
        count = int(self.groups.max(initial=-1)) + 1
        seeds = np.zeros((count + 1, len(self.groups)), dtype)
        seeds[self.groups, np.arange(len(self.groups))] = 1.0
        seeds[-1] = np.random.default_rng(0).uniform(0.5, 1.5, len(self.groups))
        return seeds

    def expanded(self, products: np.ndarray[Any, Any]) -> Any:
        """The matrix whose products with the groups are given."""
        from scipy import sparse

        if self.mode == "fwd":
            data = products[self.groups[self.columns], self.rows]
        else:
            data = products[self.groups[self.rows], self.columns]
        matrix = (data, self.pattern.indices.copy(), self.pattern.indptr.copy())
        return sparse.csr_array(matrix, shape=self.pattern.shape)

    def is_right(self, matrix: Any, vector: Any, product: Any) -> bool:
        """Whether the product of the result and a vector is what it should be."""
        if self.mode == "rev":
            matrix = matrix.T
        got, size = matrix @ vector, abs(matrix) @ abs(vector)
        with np.errstate(invalid="ignore"):
            wrong = abs(got - product) > np.sqrt(np.finfo(product.dtype).eps) * (
                size + abs(product)
            )
        return not np.any(wrong & np.isfinite(product) & np.isfinite(got))


class SparseJacobian(Transformation):
    """A Jacobian or Hessian as a sparse matrix; made with `sparsity=`.

    Attributes
    ----------
    primal : callable
        The original function.
    """

    def __init__(
        self,
        fun: Callable[..., Any],
        argnums: int | str = 0,
        *,
        sparsity: Any,
        second: bool = False,
        backend: str = "python",
    ) -> None:
        options = {
            "argnums": argnums,
            "sparsity": sparsity,
            "second": second,
            "backend": backend,
        }
        super().__init__(fun, options)
        if isinstance(argnums, (tuple, list)):
            raise ArgumentError(
                "sparsity is for one argument: argnums must not be a tuple"
            )
        if isinstance(sparsity, str) and sparsity != "detect":
            raise ArgumentError(
                f'sparsity is a matrix or "detect", and not {sparsity!r}'
            )
        _scipy()
        self.title = "Sparse Hessian" if second else "Sparse Jacobian"
        self.kind = "sparse"
        self._second = second
        self._value = specialiser_of(fun, "value")
        self.__signature__ = self._value.signature
        self._wrt = self._value.wrt(argnums)
        if self._wrt[0] not in self._value.signature.parameters:
            raise ArgumentError("sparsity is for an argument with a name of its own")
        function = Gradient(fun, argnums) if second else fun
        (name,) = self._wrt
        self._products = {
            "fwd": Products(function, name, "fwd", backend=backend),
            "rev": Products(function, name, "rev", backend=backend),
        }
        self._given = (
            None if isinstance(sparsity, str) else _compressed(sparsity, second)
        )
        self._detected: dict[Any, Compression] = {}
        self._lock = threading.Lock()
        self._last: Mode = "fwd"

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """The matrix, of shape `(out.size, x.size)`, as a `scipy.sparse.csr_array`."""
        values = self._checked(args, kwargs)
        compression = self._given or self._pattern_at(values, args, kwargs)
        matrix = self._matrix(compression, values, args, kwargs)
        if matrix is None and self._given is None:
            compression = self._pattern_at(values, args, kwargs, anew=True)
            matrix = self._matrix(compression, values, args, kwargs)
        if matrix is None:
            raise ArgumentError(
                f"{self._function_name}: the sparsity pattern lacks an entry that is "
                "not zero here; the matrix would be wrong"
            )
        return matrix

    def pattern(self, *args: Any, **kwargs: Any) -> Any:
        """The pattern that a call with these arguments uses, as a sparse matrix."""
        values = self._checked(args, kwargs)
        compression = self._given or self._pattern_at(values, args, kwargs)
        return compression.pattern.copy()

    @property
    def source(self) -> str:
        """The generated source of the products, for the types of the last call."""
        return self._products[self._last].source

    # ------------------------------------------------------------ steps

    def _checked(self, args: Any, kwargs: Any) -> dict[str, Any]:
        values: dict[str, Any] = self._value.bind(args, kwargs)
        self._value.check_selected(self._wrt, values)
        argument = values[self._wrt[0]]
        if not isinstance(argument, np.ndarray) or argument.dtype.kind != "f":
            raise ArgumentError(
                f"{self._function_name}: with sparsity, `{self._wrt[0]}` must be an "
                "array of floats"
            )
        return values

    def _matrix(
        self,
        compression: Compression,
        values: Mapping[str, Any],
        args: Any,
        kwargs: Any,
    ) -> Any:
        argument = values[self._wrt[0]]
        _, columns = compression.pattern.shape
        if columns != argument.size:
            raise ArgumentError(
                f"{self._function_name}: the sparsity pattern has {columns} columns, "
                f"and `{self._wrt[0]}` has {argument.size} elements"
            )
        seeds = compression.seeds(argument.dtype)
        products = self._run(compression.mode, seeds, args, kwargs)
        wanted = compression.pattern.shape[0 if compression.mode == "fwd" else 1]
        if products.shape[1] != wanted:
            raise ArgumentError(
                f"{self._function_name}: the sparsity pattern has "
                f"{compression.pattern.shape[0]} rows, and the result has "
                f"{products.shape[1]} elements"
            )
        matrix = compression.expanded(products)
        right = compression.is_right(matrix, seeds[-1], products[-1])
        return matrix if right else None

    def _run(self, mode: Mode, seeds: Any, args: Any, kwargs: Any) -> Any:
        self._last = mode
        products = self._products[mode](seeds, *args, **kwargs)
        return products.reshape(len(seeds), -1)

    def _pattern_at(
        self, values: Mapping[str, Any], args: Any, kwargs: Any, anew: bool = False
    ) -> Compression:
        key = tuple(_shapes(value) for value in values.values())
        with self._lock:
            known = self._detected.get(key)
        if known is not None and not anew:
            return known
        found = self._detect(values, args, kwargs)
        if known is not None:
            found = found + known.pattern
        made = _compressed(found, self._second)
        with self._lock:
            self._detected[key] = made
        return made

    def _detect(self, values: Mapping[str, Any], args: Any, kwargs: Any) -> Any:
        """Where the dense matrix is not zero, here or at a point near by."""
        from scipy import sparse

        name = self._wrt[0]
        point = values[name]
        random = np.random.default_rng(0)
        noise = random.uniform(-1.0, 1.0, point.shape)
        near = point + 1e-3 * noise * np.where(point == 0, 1.0, point)
        found = None
        for place in (point, near.astype(point.dtype)):
            bound = self.__signature__.bind(*args, **kwargs)
            bound.arguments[name] = place
            blocks = []
            for start in range(0, point.size, BLOCK):
                count = min(BLOCK, point.size - start)
                seeds = np.zeros((count, point.size), point.dtype)
                seeds[np.arange(count), start + np.arange(count)] = 1.0
                columns = self._run("fwd", seeds, bound.args, bound.kwargs)
                blocks.append(sparse.csr_array(columns != 0))
            here = sparse.vstack(blocks).T if blocks else sparse.csr_array((0, 0))
            found = here if found is None else found + here
        return found

    # ------------------------------------------------------------ inside of programs

    def __autograd_compiler_call__(
        self, low: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any], node: Any
    ) -> Any:
        raise low.refuse(
            node,
            "a sparse matrix in a function that is differentiated",
            "leave `sparsity` out there, or use `hvp`, `jvp` and `vjp`",
        )


class Products(Compiled):
    """Products of a Jacobian with given vectors: `(seeds, *args)` gives one row each."""

    kind = "products"
    title = "Products of the Jacobian with given vectors"

    def __init__(
        self, fun: Callable[..., Any], wrt: str, mode: Mode, *, backend: str
    ) -> None:
        self._wrt = wrt
        self._mode = mode
        super().__init__(fun, {"wrt": wrt, "mode": mode, "backend": backend}, backend)

    def _signature(self) -> inspect.Signature:
        signature: inspect.Signature = specialiser_of(self.primal, "value").signature
        parameters = list(signature.parameters.values())
        self._seeds = "seeds"
        while self._seeds in signature.parameters:
            self._seeds += "_"
        kind = inspect.Parameter.POSITIONAL_ONLY
        first = inspect.Parameter(self._seeds, kind)
        return signature.replace(parameters=[first, *parameters])

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        found, values = self._specialised(args, kwargs)
        return found.call(values)

    def __autograd_compiler_call__(
        self, low: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any], node: Any
    ) -> Any:
        values = nested.bind(low, self.signature, args, kwargs, node)
        seeds = values.pop(self._seeds)
        fun, wrt = self.primal, (self._wrt,)
        argument = low.operand(values[self._wrt], node)
        value: Specialised = nested.specialise(
            low, specialiser_of(fun, "value"), (), values, node
        )
        if self._mode == "rev":
            out, pullback, _ = pullback_in(low, fun, wrt, values, node)
            _check_array(low, out, self._function_name, node)

            def product(low: Any, given: Any, kwargs: Any, node: Any) -> Any:
                return pullback.adjoints(low, given[0], node, inline=True).items[0]

            given, like = low.operand(out, node), argument
        else:
            refuse_effects(
                low, value, self._function_name, "once for each vector", node
            )
            fresh = again(low, value, node)
            out = nested.run(low, value, fresh(values), (), node)
            _check_array(low, out, self._function_name, node)

            def product(low: Any, given: Any, kwargs: Any, node: Any) -> Any:
                found = tangent_in(
                    low, fun, wrt, fresh(values), (given[0],), node, inline=True
                )
                return found.items[1]

            given, like = argument, low.operand(out, node)
        dtype = dtype_of(type_of_operand(like)) or "float64"
        loop = _loop(_ndim(given), _ndim(like), dtype)
        callee = ir.Const(nested.Direct(product))
        return calls.call(low, ir.Const(loop), (callee, seeds, given, like), {}, node)


def _loop(given: int, like: int, dtype: str) -> Any:
    shape = ", ".join(f"like.shape[{axis}]" for axis in range(like))
    seed = "seeds[k]"
    if given != 1:
        seed += (
            f".reshape({', '.join(f'given.shape[{axis}]' for axis in range(given))})"
        )
    kind = "" if dtype == "float64" else f", dtype=np.{dtype}"
    return nested.defined(
        "products",
        "def products(product, seeds, given, like):\n"
        f"    rows = np.empty((len(seeds), {shape}){kind})\n"
        "    for k in range(len(seeds)):\n"
        f"        rows[k] = product({seed})\n"
        "    return rows\n",
    )


def _check_array(low: Any, out: Any, name: str, node: Any) -> None:
    if not _ndim(low.operand(out, node)):
        raise low.refuse(
            node,
            f"`{name}` does not return an array, and a sparse matrix is of one",
            "leave `sparsity` out",
        )


def _ndim(operand: ir.Operand) -> int:
    found = type_of_operand(operand) if not isinstance(operand, ir.Pack) else None
    return found.ndim if isinstance(found, Array) else 0


def _shapes(value: Any) -> Any:
    """What of an argument a pattern surely depends on; its values may matter as well."""
    if isinstance(value, np.ndarray):
        return value.shape
    return describe(value, {}).key


def _compressed(pattern: Any, forward: bool) -> Compression:
    """The pattern with the grouping, of columns or of rows, that needs fewer products."""
    from scipy import sparse

    if not sparse.issparse(pattern):
        pattern = np.asarray(pattern)
        if pattern.ndim != 2:
            raise ArgumentError(
                f"a sparsity pattern is a matrix, and has {pattern.ndim} dimensions"
            )
    entries = sparse.csr_array(pattern)
    entries = sparse.csr_array(entries != 0)
    entries.sort_indices()
    rows, columns = entries.nonzero()
    groups, mode = _groups(entries), "fwd"
    if not forward:
        by_rows = _groups(entries.T)
        if by_rows.max(initial=-1) < groups.max(initial=-1):
            groups, mode = by_rows, "rev"
    return Compression(entries, rows, columns, groups, mode)  # type: ignore[arg-type]


def _groups(pattern: Any) -> np.ndarray[Any, Any]:
    """A group for each column, such that no two of a group have a row in common."""
    if 0 in pattern.shape:
        return np.zeros(pattern.shape[1], int)
    found: np.ndarray[Any, Any] = _scipy()(pattern.tocsc())
    return found


def _scipy() -> Any:
    """SciPy's greedy colouring, with which it compresses its finite differences."""
    try:
        from scipy.optimize._numdiff import group_columns
    except ImportError as error:
        raise ArgumentError(
            "sparsity needs SciPy; install it with: pip install scipy"
        ) from error
    return group_columns
