"""The bar chart of a result file: `python -m benchmarks --plot results.json chart.svg`."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

SHOWN = ("numba", "python", "jax", "torch", "autograd")
COLOURS = ("#1b6ca8", "#7fb2d9", "#c96b2c", "#8a8a8a", "#c7c7c7")


def plot(results: Path, chart: Path) -> None:
    """Draw the time of each gradient as a multiple of that of the function.

    Parameters
    ----------
    results : Path
        What `python -m benchmarks --json` has written.
    chart : Path
        The picture; its ending says which kind.
    """
    import matplotlib

    matplotlib.use("Agg")
    # The same picture for the same numbers.
    matplotlib.rcParams["svg.hashsalt"] = "autograd_compiler"
    from matplotlib import pyplot

    content = json.loads(results.read_text())
    workloads = list(content["seconds"])
    figure, axes = pyplot.subplots(figsize=(9.0, 4.5), layout="constrained")
    width = 0.8 / len(SHOWN)
    for k, (name, colour) in enumerate(zip(SHOWN, COLOURS, strict=True)):
        heights = [
            (
                times[name]["median"] / times["primal"]["median"]
                if name in times
                else np.nan
            )
            for times in content["seconds"].values()
        ]
        places = np.arange(len(workloads)) + (k - (len(SHOWN) - 1) / 2) * width
        axes.bar(places, heights, width, color=colour, label=name)
    axes.set_yscale("log")
    axes.axhline(1.0, color="black", linewidth=0.7)
    axes.set_ylabel("time / that of the function in NumPy")
    axes.set_xticks(np.arange(len(workloads)), workloads, rotation=40, ha="right")
    axes.legend(ncols=len(SHOWN), frameon=False)
    axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(chart, metadata={"Date": None} if chart.suffix == ".svg" else None)
