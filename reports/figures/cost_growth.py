"""The time of one training sequence against the size of the network."""

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

from reports.estimates import Estimates
from reports.figures.base import FigureKind, compact, panels, plain_log, unique
from reports.figures.lines import draw_lines, finish
from reports.prose import in_a_row
from reports.statistics.intervals import geometric_mean
from reports.statistics.sample import sample

HEIGHT = 2.6
"""Inches; that of a panel."""
SIZES = {
    "equal hidden size": ("row", "hidden size (log)"),
    "equal parameters": ("parameters", "parameters, about (log)"),
}
"""Of each view the column that is equal for all cells, and its name on an axis."""


def table(estimates: Estimates) -> pd.DataFrame:
    """view, variant (the cell), row (the LSTM's hidden size), mean, low, high, n of µs per sequence; hidden; kFLOP.

    The mean over rounds is geometric: on a logarithmic axis an interval of its own scale has no end below zero.
    """
    costs = estimates.results.costs.rename(columns={"cell": "variant"})
    costs["microseconds"] = costs["seconds_per_sequence"] * 1e6
    rows = []
    for key, each in costs.groupby(["view", "variant", "row"], sort=False):
        time = geometric_mean(sample(each["microseconds"]))
        rows.append([*key, time.value, time.low, time.high, time.n])
    frame = pd.DataFrame(rows, columns=["view", "variant", "row", "mean", "low", "high", "n"])
    fixed = costs.groupby(["view", "variant", "row"])[["hidden", "parameters", "flops_per_sequence"]].first()
    values = fixed.reindex(pd.MultiIndex.from_frame(frame[["view", "variant", "row"]])).to_numpy()
    frame["hidden"], frame["parameters"], frame["kflop"] = values[:, 0], values[:, 1], values[:, 2] / 1e3
    return frame


def draw(table: pd.DataFrame) -> Figure:
    views, cells = unique(table["view"]), unique(table["variant"])
    figure, axes = panels(views, HEIGHT)
    for axis, view in zip(axes, views, strict=True):
        rows = table[table["view"] == view]
        # The cells of one row share its x: their hidden size, or about so many parameters.
        x, label = SIZES.get(view, ("row", "size"))
        rows = rows.assign(size=rows.groupby("row")[x].transform("mean").round())
        labels = draw_lines(axis, rows, "size", cells)
        axis.set(xlabel=label, ylabel="µs per training sequence", xscale="log", yscale="log")
        sizes = sorted(rows["size"].unique())
        axis.set_xticks(sizes, [compact(size) for size in sizes])
        axis.xaxis.set_minor_locator(NullLocator())
        axis.set_ylim(0.9 * table["low"].fillna(table["mean"]).min(), 1.1 * table["high"].fillna(table["mean"]).max())
        plain_log(axis.yaxis)
        finish(axis, labels, HEIGHT)
    return figure


def finding(table: pd.DataFrame) -> str:
    """The time of each cell at the largest size, relative to the dearest one there, in each view."""
    first, *others = [_ratios(view, rows) for view, rows in table.groupby("view", sort=False)]
    return "; ".join([first, *(each.replace("At", "at", 1) for each in others)])


def _ratios(view: str, rows: pd.DataFrame) -> str:
    largest = rows[rows["row"] == rows["row"].max()].set_index("variant")["mean"].sort_values()
    dearest = str(largest.idxmax())
    ratios = [f"{cell} {time / largest[dearest]:.2f}" for cell, time in largest.items() if cell != dearest]
    size = f" {rows['row'].max():.0f}" if view == "equal hidden size" else ""
    return f"At {view}{size} the times are {in_a_row(ratios) or 'none'} of the time of {dearest}"


def caption(table: pd.DataFrame) -> str:
    return (
        "Time of the forward pass, backward pass and optimiser step per sequence, on one thread. In each round all cells are "
        "timed one after the other; lines are geometric means over rounds, bands 95 % intervals. Both axes are "
        "logarithmic. Each panel says in what the cells are equal."
    )


COST_GROWTH = FigureKind("Cost against size", table, finding, draw, caption)
