"""`hessian`: second derivatives, forward over reverse."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from autograd_compiler.transforms.base import Argnums, inside_of_programs
from autograd_compiler.transforms.jacobian import Jacobian, made, made_sparse


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
        return made_sparse(fun, argnums, sparsity, options, second=True)
    return made(Hessian, fun, argnums, options)


inside_of_programs(hessian)
