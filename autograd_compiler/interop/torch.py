"""PyTorch: a NumPy function as a part of a model, with its own gradient."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from autograd_compiler import tree
from autograd_compiler.errors import ArgumentError
from autograd_compiler.interop.library import require
from autograd_compiler.transforms.base import specialiser_of
from autograd_compiler.transforms.products import pullback_at

torch: Any = require("torch")


def torch_function(f: Callable[..., Any]) -> Callable[..., Any]:
    """The function of tensors that a function of numbers and arrays is.

    What the forward pass computes is kept, and the backward pass is the generated
    pullback: `f` is not run again.  The computation is done by NumPy, on the CPU.  The
    gradient cannot be differentiated by PyTorch once more.

    Parameters
    ----------
    f : callable
        A function of numbers and arrays, or containers of them.

    Returns
    -------
    callable
        It takes tensors where `f` takes numbers and arrays, and gives tensors, in the
        containers that `f` gives; dtypes are those that NumPy gives.

    Raises
    ------
    UnsupportedError
        In the forward pass, if the function cannot be differentiated.

    Examples
    --------
    >>> import numpy as np
    >>> import torch
    >>> energy = torch_function(lambda p: np.sum(p["w"] ** 2) * p["scale"])
    >>> w = torch.tensor([1.0, 2.0], requires_grad=True)
    >>> energy({"w": w, "scale": 3.0}).backward()
    >>> w.grad
    tensor([ 6., 12.])
    """

    @functools.wraps(f)
    def call(*args: Any) -> Any:
        one = _Call(f, args)
        results = _Bridge.apply(one, *one.tensors)
        return tree.unflatten(one.results, results)

    return call


class _Bridge(torch.autograd.Function):
    """A call as PyTorch records it: tensors one by one go in and come out."""

    @staticmethod
    def forward(ctx: Any, call: _Call, *tensors: Any) -> Any:
        ctx.call = call
        ctx.save_for_backward(*tensors)
        device = tensors[0].device if tensors else None
        made = [torch.tensor(leaf, device=device) for leaf in call.forward(tensors)]
        ctx.mark_non_differentiable(*[item for item in made if not _has_gradient(item)])
        return tuple(made)

    @staticmethod
    def backward(ctx: Any, *cotangents: Any) -> Any:
        gradients = _Pullback.apply(ctx.call, *cotangents, *ctx.saved_tensors)
        return None, *gradients


class _Pullback(torch.autograd.Function):
    """The backward pass, so that PyTorch sees that it depends on the tensors, too.

    Without that, a second derivative would be short of what comes from here.
    """

    @staticmethod
    def forward(ctx: Any, call: _Call, *given: Any) -> Any:
        count = call.results.leaf_count
        return tuple(call.backward([_array(item) for item in given[:count]]))

    @staticmethod
    def backward(ctx: Any, *cotangents: Any) -> Any:
        raise ArgumentError(
            "PyTorch differentiates a `torch_function` once only; bridge the derivative "
            "itself, `torch_function(grad(f))`"
        )


class _Call:
    """One call of a function: which of its arguments are tensors, and its pullback."""

    def __init__(self, f: Callable[..., Any], args: tuple[Any, ...]) -> None:
        self._function = f
        self._leaves, self._arguments = tree.flatten(args)
        tensor = torch.Tensor
        self._places = [i for i, x in enumerate(self._leaves) if isinstance(x, tensor)]
        self.tensors = [self._leaves[place] for place in self._places]
        recorded = torch.is_grad_enabled()
        self._needed = recorded and any(item.requires_grad for item in self.tensors)
        self.results = tree.LEAF

    def forward(self, tensors: tuple[Any, ...]) -> list[Any]:
        """The leaves of the result; the pullback is kept if it will be needed."""
        leaves = list(self._leaves)
        for place, tensor in zip(self._places, tensors, strict=True):
            leaves[place] = _array(tensor)
        args = tree.unflatten(self._arguments, leaves)
        if self._needed:
            specialiser = specialiser_of(self._function, "pullback", has_aux=False)
            self._selected = tuple(
                number
                for number, child in enumerate(_split(self._arguments, self._leaves))
                if any(isinstance(x, torch.Tensor) and x.requires_grad for x in child)
            )
            wrt, values = specialiser.wrt(self._selected), specialiser.bind(args, {})
            out, self._pullback, _ = pullback_at(specialiser, wrt, values)
        else:
            out = self._function(*args)
        found, self.results = tree.flatten(out)
        for leaf in found:
            if np.asarray(leaf).dtype.kind not in "biufc":
                raise ArgumentError(f"{leaf!r} in the result cannot become a tensor")
        return found

    def backward(self, cotangents: list[Any]) -> list[Any]:
        """A gradient or None for each tensor."""
        parts = self._pullback(tree.unflatten(self.results, cotangents))
        by_argument: list[list[Any]] = [
            [None] * child.leaf_count for child in self._arguments.children
        ]
        for number, part in zip(self._selected, parts, strict=True):
            by_argument[number] = tree.flatten(part)[0]
        gradients = [leaf for leaves in by_argument for leaf in leaves]
        return [
            _like(gradients[place], tensor)
            for place, tensor in zip(self._places, self.tensors, strict=True)
        ]


def _split(arguments: tree.Structure, leaves: list[Any]) -> list[list[Any]]:
    """The leaves of each argument."""
    parts = []
    start = 0
    for child in arguments.children:
        parts.append(leaves[start : start + child.leaf_count])
        start += child.leaf_count
    return parts


def _has_gradient(tensor: Any) -> bool:
    return bool(tensor.is_floating_point() or tensor.is_complex())


def _array(tensor: Any) -> Any:
    """A copy, which the function may write into; a number if it has no dimensions."""
    return np.array(tensor.detach().cpu().numpy(), order="C")[()]


def _like(gradient: Any, tensor: Any) -> Any:
    if gradient is None:
        return None
    return torch.tensor(gradient, dtype=tensor.dtype, device=tensor.device)
