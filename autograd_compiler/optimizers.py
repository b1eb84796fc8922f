"""First-order optimisers, as small conveniences: `sgd`, `momentum` and `adam`.

They have the call shape of those in HIPS autograd: `grad(x, i)` gives the gradient in
step `i`, and `callback(x, i, gradient)` is called before the step is made.  `x` may be
any container of real floats.  For a cost that is the same in each step the methods of
SciPy need fewer evaluations; see `autograd_compiler.interop.scipy`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from autograd_compiler.errors import ArgumentError
from autograd_compiler.flat import FlatArray, flatten

Callback = Callable[[Any, int, Any], object]
Update = Callable[[int, FlatArray], FlatArray]


def sgd(
    grad: Callable[[Any, int], Any],
    x0: Any,
    callback: Callback | None = None,
    num_iters: int = 200,
    step_size: float = 0.1,
) -> Any:
    """Stochastic gradient descent: `x - step_size * gradient`.

    Parameters
    ----------
    grad : callable
        `grad(x, i)`: the gradient at `x` in step `i`, in the form of `x`.
    x0
        The parameters to start from; they are not written.
    callback : callable, optional
        Called as `callback(x, i, gradient)` before each step.
    num_iters : int
        How many steps are made.
    step_size : float
        The factor of the gradient.

    Returns
    -------
    x
        The parameters after the last step, in the form of `x0`.

    Raises
    ------
    ArgumentError
        If the parameters are not real floats, or a gradient has another form.

    Examples
    --------
    >>> from autograd_compiler import grad
    >>> gradient = grad(lambda p, i: (p["x"] - 3.0) ** 2 + p["y"] ** 2)
    >>> found = sgd(gradient, {"x": 0.0, "y": 1.0})
    >>> {name: round(value, 6) for name, value in found.items()}
    {'x': 3.0, 'y': 0.0}
    """
    return _descend(grad, x0, callback, num_iters, lambda i, g: -step_size * g)


def momentum(
    grad: Callable[[Any, int], Any],
    x0: Any,
    callback: Callback | None = None,
    num_iters: int = 200,
    step_size: float = 0.1,
    mass: float = 0.9,
) -> Any:
    """Stochastic gradient descent with momentum.

    `velocity = mass * velocity - (1 - mass) * gradient`, and the step is
    `step_size * velocity`: what HIPS autograd calls `sgd`.

    Parameters
    ----------
    grad, x0, callback, num_iters, step_size
        As for `sgd`.
    mass : float
        How much of the velocity is kept in each step, from 0 to 1.

    Returns
    -------
    x
        The parameters after the last step, in the form of `x0`.

    Raises
    ------
    ArgumentError
        If the parameters are not real floats, or a gradient has another form.

    Examples
    --------
    >>> from autograd_compiler import grad
    >>> gradient = grad(lambda x, i: (x - 3.0) ** 2)
    >>> round(momentum(gradient, 0.0), 4)
    3.0
    """
    velocity: Any = 0.0

    def update(i: int, gradient: FlatArray) -> FlatArray:
        nonlocal velocity
        velocity = mass * velocity - (1.0 - mass) * gradient
        return np.asarray(step_size * velocity)

    return _descend(grad, x0, callback, num_iters, update)


def adam(
    grad: Callable[[Any, int], Any],
    x0: Any,
    callback: Callback | None = None,
    num_iters: int = 100,
    step_size: float = 0.001,
    b1: float = 0.9,
    b2: float = 0.999,
    eps: float = 1e-8,
) -> Any:
    """Adam (D. P. Kingma and J. Ba, Adam: a method for stochastic optimization, 2015).

    Parameters
    ----------
    grad, x0, callback, num_iters, step_size
        As for `sgd`.
    b1, b2 : float
        How much is kept in each step of the means of the gradient and of its square.
    eps : float
        What is added to the root of the second mean.

    Returns
    -------
    x
        The parameters after the last step, in the form of `x0`.

    Raises
    ------
    ArgumentError
        If the parameters are not real floats, or a gradient has another form.

    Examples
    --------
    >>> from autograd_compiler import grad
    >>> gradient = grad(lambda x, i: (x - 3.0) ** 2)
    >>> round(adam(gradient, 0.0, num_iters=500, step_size=0.1), 2)
    3.0
    """
    first: Any = 0.0
    second: Any = 0.0

    def update(i: int, gradient: FlatArray) -> FlatArray:
        nonlocal first, second
        first = b1 * first + (1.0 - b1) * gradient
        second = b2 * second + (1.0 - b2) * gradient**2
        unbiased = first / (1.0 - b1 ** (i + 1))
        scale = np.sqrt(second / (1.0 - b2 ** (i + 1))) + eps
        return np.asarray(-step_size * unbiased / scale)

    return _descend(grad, x0, callback, num_iters, update)


def _descend(
    grad: Callable[[Any, int], Any],
    x0: Any,
    callback: Callback | None,
    num_iters: int,
    update: Update,
) -> Any:
    """Add what `update` makes of each gradient."""
    x, unflatten = flatten(x0)
    if x.dtype.kind == "c":
        raise ArgumentError(
            "optimisers take real numbers; pass the real and the imaginary part as two "
            "arrays"
        )
    for i in range(num_iters):
        gradient = grad(unflatten(x), i)
        if callback is not None:
            callback(unflatten(x), i, gradient)
        x = x + update(i, unflatten.flatten(gradient))
    return unflatten(x)
