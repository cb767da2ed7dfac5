"""The time of one training sequence against the size of the network."""

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator, ScalarFormatter

from reports.estimates import Estimates
from reports.figures.base import FigureKind, draw_lines, panels, plain_log, shared_legend, unique


def table(estimates: Estimates) -> pd.DataFrame:
    """view, variant (the cell), row (the LSTM's hidden size), mean, low, high, n of µs per sequence; hidden; kFLOP."""
    costs = estimates.results.costs.rename(columns={"cell": "variant"})
    costs["microseconds"] = costs["seconds_per_sequence"] * 1e6
    frame = estimates.means_by(costs, ["view", "variant", "row"], "microseconds")
    fixed = costs.groupby(["view", "variant", "row"])[["hidden", "parameters", "flops_per_sequence"]].first()
    values = fixed.reindex(pd.MultiIndex.from_frame(frame[["view", "variant", "row"]])).to_numpy()
    frame["hidden"], frame["parameters"], frame["kflop"] = values[:, 0], values[:, 1], values[:, 2] / 1e3
    return frame


def draw(table: pd.DataFrame) -> Figure:
    views, cells = unique(table["view"]), unique(table["variant"])
    figure, axes = panels(views, height=2.5, sharey=True)
    for axis, view in zip(axes, views, strict=True):
        draw_lines(axis, table[table["view"] == view], "row", cells)
        axis.set(xlabel="hidden size (of the LSTM where parameters are equal)", xscale="log", yscale="log")
        axis.set_xticks(sorted(table["row"].unique()))
        axis.xaxis.set_major_formatter(ScalarFormatter())
        axis.xaxis.set_minor_locator(NullLocator())
        plain_log(axis.yaxis)
    axes[0].set_ylabel("µs per training sequence")
    shared_legend(figure, axes)
    return figure


def caption(table: pd.DataFrame) -> str:
    return (
        "Time of the forward pass, backward pass and optimiser step per sequence, on one thread. In each round all cells are "
        "timed one after the other; lines are means over rounds, bands 95 % intervals. Both axes are logarithmic. Left, all "
        "cells have the same hidden size; right, the same number of parameters."
    )


COST_GROWTH = FigureKind("Cost against size", table, draw, caption)
