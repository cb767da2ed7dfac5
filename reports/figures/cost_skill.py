"""Each variant's skill against its training time."""

import pandas as pd
from matplotlib.figure import Figure

from reports.estimates import Estimates
from reports.figures.base import FigureKind, panels, plain_log, shared_legend, unique
from reports.style import style_of


def table(estimates: Estimates) -> pd.DataFrame:
    """task, variant, mean, low, high, n of skill, and the mean microseconds and kFLOP per training sequence."""
    results = estimates.results
    frame = estimates.means_by(results.replicates, ["task", "variant"], "skill")
    costs = results.replicates.groupby(["task", "variant"])[["seconds_per_sequence", "flops_per_sequence"]].mean()
    values = costs.reindex(pd.MultiIndex.from_frame(frame[["task", "variant"]])).to_numpy()
    frame["microseconds"], frame["kflop"] = values[:, 0] * 1e6, values[:, 1] / 1e3
    return frame


def draw(table: pd.DataFrame) -> Figure:
    tasks, variants = unique(table["task"]), unique(table["variant"])
    figure, axes = panels(tasks, height=2.2)
    for axis, task in zip(axes, tasks, strict=True):
        for row in table[table["task"] == task].itertuples():
            style = style_of(row.variant, variants) | {"linestyle": "none"}
            axis.vlines(row.microseconds, row.low, row.high, color=style["color"], linewidth=1)
            axis.plot(row.microseconds, row.mean, label=row.variant, **style)
        axis.set(xlabel="µs per training sequence (log)", ylabel="skill", xscale="log")
        plain_log(axis.xaxis)
    shared_legend(figure, axes)
    return figure


def caption(table: pd.DataFrame) -> str:
    return (
        "Skill at the nominal difficulty against the training time per sequence in a cohort. Up and to the left is "
        "better. The variants' sizes are in the table of settings. Other workers ran at the same time, so read these times as "
        "orders of magnitude; the cost measurement gives ratios."
    )


COST_SKILL = FigureKind("Cost against skill", table, draw, caption)
