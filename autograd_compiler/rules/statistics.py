"""Order statistics, covariances, counts."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd_compiler.rules.registry import composed, linear
from autograd_compiler.rules.static import as_tuple, axes_range, static

# ---------------------------------------------------------------- order statistics

# The derivative goes to the elements that the value is made of, whatever their order
# among equal ones.


def sorted_first(a: Any, axis: Any) -> Any:
    """Sorted along the first axis, which is made of the axes that are reduced."""
    if axis is None:
        return np.sort(np.ravel(a))
    if isinstance(axis, (tuple, list)):
        moved = np.moveaxis(a, axis, axes_range(0, len(axis)))
        rest = np.shape(moved)[len(axis) :]
        return np.sort(np.reshape(moved, (-1,) + rest), 0)
    if axis == 0:
        return np.sort(a, 0)
    return np.sort(np.moveaxis(a, axis, 0), 0)


@static
def inexact(dtype: Any) -> Any:
    """The type of floats that numbers of this type are interpolated in."""
    return dtype if np.dtype(dtype).kind in "fc" else np.dtype(float)


@static
def at_least_double(dtype: Any) -> Any:
    return np.result_type(dtype, np.float64)


@static
def kept_axes(axis: Any, ndim: int, before: int) -> tuple[int, ...]:
    """The axes of size 1 that `keepdims` leaves, after some new axes.

    Examples
    --------
    >>> kept_axes(-1, 2, 1)
    (2,)
    """
    axes = range(ndim) if axis is None else as_tuple(axis)
    return tuple(before + own % ndim for own in axes)


def with_axes(reduced: Any, a: Any, axis: Any, keepdims: Any, before: Any) -> Any:
    if keepdims:
        return np.expand_dims(reduced, kept_axes(axis, np.ndim(a), before))
    return reduced


def nan_if_any(value: Any, rows: Any) -> Any:
    """Sorted last, a nan makes the whole result nan."""
    return np.where(np.isnan(rows[-1]), rows[-1], value)


@composed(np.median)
def median(
    a: Any, axis: Any = None, *, overwrite_input: Any = False, keepdims: Any = False
) -> Any:
    rows = sorted_first(a, axis)
    n = np.shape(rows)[0]
    middle = (rows[(n - 1) // 2] + rows[n // 2]) / 2
    return with_axes(nan_if_any(middle, rows), a, axis, keepdims, 0)


@static
def plotting_position(method: str) -> tuple[float, float] | None:
    """What the methods differ in, after Hyndman and Fan (1996): alpha and beta."""
    known = {
        "linear": (1.0, 1.0),
        "interpolated_inverted_cdf": (0.0, 1.0),
        "hazen": (0.5, 0.5),
        "weibull": (0.0, 0.0),
        "median_unbiased": (1 / 3, 1 / 3),
        "normal_unbiased": (3 / 8, 3 / 8),
    }
    return known.get(method)


def place_of(q: Any, n: Any, method: Any) -> Any:
    """Where in `n` sorted numbers a quantile lies, counted from 0."""
    if method == "lower":
        return np.floor((n - 1) * q)
    if method == "higher":
        return np.ceil((n - 1) * q)
    if method == "midpoint":
        return (np.floor((n - 1) * q) + np.ceil((n - 1) * q)) / 2
    if method == "nearest":
        return np.round((n - 1) * q)
    if method == "linear":
        return (n - 1) * q
    parameters = plotting_position(method)
    if parameters is None:
        raise TypeError(
            "np.quantile: this method is a step function of q; write linear"
        )
    alpha, beta = parameters
    return np.clip(n * q + (alpha + q * (1 - alpha - beta)) - 1, 0, n - 1)


@composed(np.quantile)
def quantile(
    a: Any,
    q: Any,
    axis: Any = None,
    *,
    overwrite_input: Any = False,
    method: Any = "linear",
    keepdims: Any = False,
    weights: Any = None,
) -> Any:
    if weights is not None:
        raise TypeError("np.quantile: weights are not differentiated")
    rows = sorted_first(a, axis)
    n = np.shape(rows)[0]
    place = place_of(np.asarray(q) if np.ndim(q) else q, n, method)
    if np.ndim(q) > 0:
        low = np.floor(place).astype(int)
        part = (place - low).astype(inexact(rows.dtype))
    else:
        low = int(np.floor(place))
        part = place - low
    high = np.minimum(low + 1, n - 1)
    if np.ndim(q) > 0 and np.ndim(rows) > 1:
        part = np.expand_dims(
            part, axes_range(np.ndim(q), np.ndim(q) + np.ndim(rows) - 1)
        )
    value = rows[low] + (rows[high] - rows[low]) * part
    return with_axes(nan_if_any(value, rows), a, axis, keepdims, np.ndim(q))


@composed(np.percentile)
def percentile(
    a: Any,
    q: Any,
    axis: Any = None,
    *,
    overwrite_input: Any = False,
    method: Any = "linear",
    keepdims: Any = False,
    weights: Any = None,
) -> Any:
    hundredth = np.asarray(q) / 100 if np.ndim(q) else q / 100
    return quantile(
        a, hundredth, axis, method=method, keepdims=keepdims, weights=weights
    )


@composed(np.nanquantile)
def nanquantile(
    a: Any,
    q: Any,
    axis: Any = None,
    *,
    overwrite_input: Any = False,
    method: Any = "linear",
    keepdims: Any = False,
    weights: Any = None,
) -> Any:
    if weights is not None:
        raise TypeError("np.nanquantile: weights are not differentiated")
    rows = sorted_first(a, axis)
    # Sorted, the numbers stand first: as many as there are in each column.
    n = np.sum(~np.isnan(rows), 0, inexact(rows.dtype))
    if np.ndim(q) == 0:
        value = between(rows, np.expand_dims(place_of(q, n, method), 0), n)[0]
    elif np.ndim(q) == 1:
        fractions = np.expand_dims(np.asarray(q), axes_range(1, np.ndim(rows)))
        value = between(rows, place_of(fractions, n, method), n)
    else:
        raise TypeError("np.nanquantile: q is a number or has one dimension")
    return with_axes(value, a, axis, keepdims, np.ndim(q))


def between(rows: Any, place: Any, n: Any) -> Any:
    """The numbers of each column at a place of its own, interpolated."""
    low = np.maximum(np.floor(place), 0)
    high = np.maximum(np.minimum(low + 1, n - 1), 0).astype(int)
    lower = np.take_along_axis(rows, low.astype(int), 0)
    return lower + (np.take_along_axis(rows, high, 0) - lower) * (place - low)


@composed(np.nanpercentile)
def nanpercentile(
    a: Any,
    q: Any,
    axis: Any = None,
    *,
    overwrite_input: Any = False,
    method: Any = "linear",
    keepdims: Any = False,
    weights: Any = None,
) -> Any:
    hundredth = np.asarray(q) / 100 if np.ndim(q) else q / 100
    return nanquantile(
        a, hundredth, axis, method=method, keepdims=keepdims, weights=weights
    )


@composed(np.nanmedian)
def nanmedian(
    a: Any, axis: Any = None, *, overwrite_input: Any = False, keepdims: Any = False
) -> Any:
    return nanquantile(a, 0.5, axis, keepdims=keepdims)


# ---------------------------------------------------------------- covariance


@composed(np.cov)
def cov(
    m: Any,
    y: Any = None,
    rowvar: Any = True,
    bias: Any = False,
    ddof: Any = None,
    fweights: Any = None,
    aweights: Any = None,
    *,
    dtype: Any = None,
) -> Any:
    rows = as_rows(m, rowvar)
    if y is not None:
        rows = np.concatenate((rows, as_rows(y, rowvar)))
    if ddof is None:
        freedom = 0 if bias else 1
    else:
        freedom = ddof
    if dtype is not None:
        rows = rows.astype(dtype)
    elif rows.dtype != at_least_double(rows.dtype):
        rows = rows.astype(at_least_double(rows.dtype))
    products = products_of_deviations(rows, freedom, fweights, aweights)
    if np.ndim(m) == 1 and y is None:
        return products[0, 0]
    return np.squeeze(products)


def as_rows(m: Any, rowvar: Any) -> Any:
    """One row for each variable."""
    if np.ndim(m) == 1:
        return np.expand_dims(m, 0)
    return m if rowvar else m.T


def products_of_deviations(rows: Any, ddof: Any, fweights: Any, aweights: Any) -> Any:
    if fweights is None and aweights is None:
        apart = rows - np.mean(rows, 1, keepdims=True)
        return apart @ conjugate_transpose(apart) / (np.shape(rows)[1] - ddof)
    if fweights is None:
        w = np.asarray(aweights)
    elif aweights is None:
        w = np.asarray(fweights)
    else:
        w = np.asarray(fweights) * np.asarray(aweights)
    total = np.sum(w)
    apart = rows - np.expand_dims(rows @ w / total, 1)
    if aweights is None:
        divisor = total - ddof
    else:
        divisor = total - ddof * np.sum(w * np.asarray(aweights)) / total
    return (apart * w) @ conjugate_transpose(apart) / divisor


def conjugate_transpose(a: Any) -> Any:
    return np.conj(a.T) if np.iscomplexobj(a) else a.T


@composed(np.corrcoef)
def corrcoef(x: Any, y: Any = None, rowvar: Any = True, *, dtype: Any = None) -> Any:
    c = cov(x, y, rowvar, dtype=dtype)
    if np.ndim(c) == 0:
        return c / c
    spread = np.sqrt(np.real(np.diag(c)))
    return c / (spread[:, None] * spread)


# ---------------------------------------------------------------- counts


@linear(np.bincount, wrt="weights")
def bincount_adjoint(d_y: Any, x: Any, weights: Any = None, minlength: Any = 0) -> Any:
    return d_y[x]
