"""How fast the gradients are: `python -m benchmarks`.

Ratios, all measured in one process with one thread: to the function in plain NumPy, to
adjoints derived by hand, and to other tools where they are installed.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import platform
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import candidates as field
from benchmarks.measure import Time, check, first_calls, interleaved
from benchmarks.plot import plot
from benchmarks.workloads import SIZES, Workload
from benchmarks.workloads.dynamics import WORKLOADS as DYNAMICS
from benchmarks.workloads.learning import WORKLOADS as LEARNING
from benchmarks.workloads.scalars import WORKLOADS as SCALARS
from benchmarks.workloads.stencils import WORKLOADS as STENCILS

WORKLOADS = (*STENCILS, *LEARNING, *DYNAMICS, *SCALARS)
GRADIENTS = (*field.OURS, *field.HANDS, *field.PEERS)


def run(
    workload: Workload, size: str, names: tuple[str, ...], seconds: float
) -> dict[str, Time]:
    """Measure one workload, once all gradients agree."""
    args = workload.make(size)
    calls = field.candidates(workload, args, names)
    results, first = first_calls(calls)
    check({name: found for name, found in results.items() if name != "primal"})
    return interleaved(calls, first, seconds)


def row(name: str, times: Mapping[str, Time], names: tuple[str, ...]) -> str:
    """The time of the primal, and of each gradient as a multiple of it."""
    primal = times["primal"].median
    cells = [
        f"{times[each].median / primal:11.2f}×" if each in times else f"{'–':>12}"
        for each in names
    ]
    return f"{name:22}{_time(primal):>10}" + "".join(cells)


def _time(seconds: float) -> str:
    if seconds >= 1.0:
        return f"{seconds:.3g} s"
    return f"{seconds * 1e3:.3g} ms" if seconds >= 1e-3 else f"{seconds * 1e6:.3g} µs"


def geometric_mean(values: list[float]) -> float:
    """
    >>> geometric_mean([1.0, 4.0])
    2.0
    """
    return float(np.exp(np.mean(np.log(values))))


def summary(every: Mapping[str, Mapping[str, Time]], names: tuple[str, ...]) -> str:
    """Geometric means of ratios of ours to the others', and the worst cases."""
    lines = []
    for ours in field.OURS:
        for other in ("primal", *names):
            ratios = {
                workload: times[ours].median / times[other].median
                for workload, times in every.items()
                if ours in times and other in times and other != ours
            }
            if ratios:
                worst = max(ratios, key=lambda name: ratios[name])
                lines.append(
                    f"{ours:8} to {other:11}{geometric_mean([*ratios.values()]):8.2f}×"
                    f"   worst {ratios[worst]:.2f}× ({worst})"
                )
    return "\n".join(lines)


def machine() -> dict[str, str]:
    """The machine and the versions that a result was measured with."""
    found = {"machine": platform.processor() or platform.machine()}
    cpu = Path("/proc/cpuinfo")
    if cpu.exists():
        models = [s for s in cpu.read_text().split("\n") if s.startswith("model name")]
        if models:
            found["machine"] = models[0].split(":")[1].strip()
    found["python"] = platform.python_version()
    for package in ("numpy", "numba", "jax", "torch", "autograd"):
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    made.add_argument("workloads", nargs="*", help="names or parts of names; all")
    made.add_argument("--size", choices=SIZES, default="medium")
    made.add_argument(
        "--only", default="", help=f"some of: {', '.join(GRADIENTS)} (with commas)"
    )
    made.add_argument("--seconds", type=float, default=0.3, help="for each candidate")
    made.add_argument("--json", type=Path, help="write all times here")
    made.add_argument(
        "--plot",
        type=Path,
        nargs=2,
        metavar=("RESULTS", "CHART"),
        help="measure nothing: draw the chart of a file that --json has written",
    )
    return made


def main() -> None:
    """Print the table."""
    options = parser().parse_args()
    if options.plot:
        plot(*options.plot)
        return
    names = tuple(
        name
        for name in GRADIENTS
        if not options.only or name in options.only.split(",")
    )
    chosen = [
        workload
        for workload in WORKLOADS
        if not options.workloads
        or any(part in workload.name for part in options.workloads)
    ]
    print(f"{options.size:22}{'primal':>10}" + "".join(f"{n:>12}" for n in names))
    every: dict[str, Mapping[str, Time]] = {}
    for workload in chosen:
        every[workload.name] = run(workload, options.size, names, options.seconds)
        print(row(workload.name, every[workload.name], names), flush=True)
    print(f"\nGeometric means of ratios\n{summary(every, names)}")
    if options.json:
        content: dict[str, Any] = {
            "about": machine(),
            "size": options.size,
            "seconds": {
                name: {each: asdict(time) for each, time in times.items()}
                for name, times in every.items()
            },
        }
        options.json.write_text(json.dumps(content, indent=1) + "\n")


if __name__ == "__main__":
    main()
