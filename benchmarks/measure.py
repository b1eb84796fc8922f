"""Timing: candidates that take turns in one process, and agree before they are timed."""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

Call = Callable[[], Any]
TOLERANCE = 1e-8


@dataclass(frozen=True)
class Time:
    """Seconds of one call."""

    median: float
    least: float
    first: float  # of the first call, with all that is compiled for it


class Disagreement(Exception):
    """Two gradients of one function differ."""


def flat(gradient: Any) -> np.ndarray:
    """All numbers of a gradient in a row."""
    if isinstance(gradient, (tuple, list)):
        return np.concatenate([flat(part) for part in gradient])
    return np.asarray(gradient, dtype=np.float64).ravel()


def check(gradients: Mapping[str, Any], tolerance: float = TOLERANCE) -> None:
    """All gradients agree, relative to their largest entry.

    Examples
    --------
    >>> check({"one": np.array([1.0, 2.0]), "other": (1.0, 2.0)})
    >>> check({"one": np.array([1.0, 2.0]), "other": (1.0, 2.1)})
    Traceback (most recent call last):
        ...
    benchmarks.measure.Disagreement: one and other differ by 4.8e-02
    """
    (first, reference), *others = ((k, flat(g)) for k, g in gradients.items())
    for name, found in others:
        if found.shape != reference.shape:
            raise Disagreement(f"{first} and {name} have different sizes")
        scale = max(np.max(np.abs(found)), 1e-300)
        error = np.max(np.abs(found - reference)) / scale
        if not error <= tolerance:
            raise Disagreement(f"{first} and {name} differ by {error:.1e}")


def first_calls(calls: Mapping[str, Call]) -> tuple[dict[str, Any], dict[str, float]]:
    """The result and the time of the first call of each."""
    results, times = {}, {}
    for name, call in calls.items():
        start = time.perf_counter()
        results[name] = call()
        times[name] = time.perf_counter() - start
    return results, times


def interleaved(
    calls: Mapping[str, Call],
    first: Mapping[str, float],
    seconds: float = 0.3,
    repeats: int = 9,
) -> dict[str, Time]:
    """The time of each; they take turns, so that all see the machine in the same state.

    `seconds` is about what each candidate is given in all; a repeat of what is fast
    measures many calls.
    """
    counts = {}
    for name, call in calls.items():
        call()
        start = time.perf_counter()
        call()
        once = max(time.perf_counter() - start, 1e-7)
        counts[name] = max(1, round(seconds / repeats / once))
    found: dict[str, list[float]] = {name: [] for name in calls}
    collecting = gc.isenabled()
    gc.disable()
    try:
        for _ in range(repeats):
            for name, call in calls.items():
                count = counts[name]
                start = time.perf_counter()
                for _ in range(count):
                    call()
                found[name].append((time.perf_counter() - start) / count)
            gc.collect()
    finally:
        if collecting:
            gc.enable()
    return {
        name: Time(statistics.median(times), min(times), first[name])
        for name, times in found.items()
    }
