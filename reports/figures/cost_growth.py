"""How the time of a training sequence grows with the size of the network."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator, ScalarFormatter

from reports.figures.base import FigureKind, draw_lines, panels, plain_log, shared_legend, summarised, unique
from reports.result_tables import ResultTables


def table(results: ResultTables, rng: np.random.Generator) -> pd.DataFrame:
    """view, variant (the cell), row (the reference's hidden size), mean, low, high, n of µs per sequence; hidden; kFLOP."""
    costs = results.costs.rename(columns={"cell": "variant"})
    costs["microseconds"] = costs["seconds_per_sequence"] * 1e6
    frame = summarised(costs, ["view", "variant", "row"], "microseconds", rng)
    fixed = costs.groupby(["view", "variant", "row"])[["hidden", "parameters", "flops_per_sequence"]].first()
    found = fixed.reindex(pd.MultiIndex.from_frame(frame[["view", "variant", "row"]])).to_numpy()
    frame["hidden"], frame["parameters"], frame["kflop"] = found[:, 0], found[:, 1], found[:, 2] / 1e3
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
        "Seconds of forward, backward and optimiser step per sequence on one thread, measured in turn round by round, "
        "mean and 95 % interval over rounds; both axes logarithmic. Left all cells have the same hidden size, right "
        "the same number of parameters."
    )


COST_GROWTH = FigureKind("Cost against size", table, draw, caption)
