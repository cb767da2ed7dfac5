"""The figure: the layers beside torch.nn, their share of the processor's peak, and ablated cells beside the Python loop."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, NullLocator, ScalarFormatter

from benchmarks.layers import Row
from reports.style import style_of, styled

CELLS = ("rnn", "gru", "lstm")
SIZES = {32: ("#e69f00", "o"), 64: ("#56b4e9", "s"), 128: ("#000000", "^")}
"""Colour and marker of a hidden size, where the figure compares cells."""
BESIDE = {"rnn": 0.95, "gru": 1.0, "lstm": 1.05}
"""The points of one size stand side by side."""


def draw(layers: Sequence[Row], ablations: Sequence[Row]) -> Figure:
    """The figure of the two tables, either of which may be empty."""
    with styled():
        figure = Figure(figsize=(9.5, 6.2))
        left, right = figure.subfigures(1, 2, squeeze=False, width_ratios=(1, 1.15))[0]
        above, below = left.subplots(2, 1)
        _by_size(above, layers, "ratio", "torch.nn time / ours")
        above.axhline(1, color="#555555", linewidth=1, linestyle="--")
        above.set_title("Training step beside torch.nn")
        above.legend(frameon=False, ncols=3, loc="upper right")
        _by_size(below, layers, "percent_of_peak", "% of sgemm peak, one thread")
        below.set_title("Share of the processor's peak")
        below.set_ylim(0, 100)
        _ablated(right.subplots(), ablations)
        return figure


def save(figure: Figure, folder: Path) -> None:
    """Writes bench.png and bench.svg to the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    with styled():
        figure.savefig(folder / "bench.png", dpi=200, facecolor="white")
        figure.savefig(folder / "bench.svg", facecolor="white", metadata={"Date": None})


def _by_size(axes: Axes, rows: Sequence[Row], column: str, label: str) -> None:
    """A point for each length and batch, and a line through the geometric means, by hidden size."""
    table = pd.DataFrame(rows, columns=["cell", "H", column])
    for cell in CELLS:
        own = table[table["cell"] == cell]
        style: dict[str, Any] = style_of(cell, CELLS)
        axes.plot(own["H"] * BESIDE[cell], own[column], color=style["color"], marker=style["marker"], markersize=4,
                  linestyle="none", alpha=0.6)  # fmt: skip
        middle = own.groupby("H")[column].agg(lambda values: values.prod() ** (1 / len(values)))
        axes.plot(middle.index.to_numpy() * BESIDE[cell], middle.to_numpy(), **style, label=cell)
    _logarithmic(axes, sorted(set(table["H"])))
    axes.set_xlabel("hidden units H (each point one T and B)")
    axes.set_ylabel(label)
    axes.set_ylim(bottom=0)
    axes.margins(y=0.2)


def _logarithmic(axes: Axes, ticks: Sequence[int]) -> None:
    axes.set_xscale("log")
    axes.xaxis.set_major_locator(FixedLocator(ticks or [1]))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(ScalarFormatter())


def _ablated(axes: Axes, rows: Sequence[Row]) -> None:
    """One line of points for each cell: how many times faster than the Python loop it is, at each size."""
    names = list(dict.fromkeys(row["cell"] for row in rows))
    for size, (colour, marker) in SIZES.items():
        own = {row["cell"]: row["ratio"] for row in rows if row["H"] == size}
        if not own:
            continue
        axes.plot(list(own.values()), [names.index(cell) for cell in own], color=colour, marker=marker, markersize=6,
                  linestyle="none", label=f"H = {size}")  # fmt: skip
    axes.axvline(1, color="#555555", linewidth=1, linestyle="--")
    axes.set_yticks(range(len(names)), names)
    axes.invert_yaxis()
    _logarithmic(axes, [1, 2, 5, 10, 20, 50, 100])
    axes.set_xlabel("Python loop time / ours (logarithmic)")
    axes.set_title("Ablated cells beside the Python loop")
    if rows:
        axes.legend(frameon=False, loc="upper center", bbox_to_anchor=(0.5, -0.09), ncols=3)
