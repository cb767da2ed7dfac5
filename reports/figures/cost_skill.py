"""Each variant's skill against its training time."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from reports.estimates import Estimates
from reports.figures.base import FigureKind, panels, plain_log, unique
from reports.figures.labels import GREY, Label, coloured, label_points
from reports.style import WIDTH, style_of

NEAR = 0.05
"""A mean skill within this of the best one is near it."""
HEIGHT = 2.3
"""Inches; that of a panel."""
MOST_TASKS = 5
"""The most tasks that a title names."""


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
    figure, axes = panels(tasks, HEIGHT)
    for axis, task in zip(axes, tasks, strict=True):
        _draw_points(axis, table[table["task"] == task], variants)
    return figure


def _draw_points(axis: Axes, rows: pd.DataFrame, variants: list[str]) -> None:
    front = coloured(rows["variant"].tolist())
    labels = []
    for row in rows.itertuples():
        style = style_of(row.variant, variants) | {"linestyle": "none", "markersize": 4}
        style |= {} if row.variant in front else {"color": GREY}
        axis.plot(
            [row.microseconds] * 2,
            [row.low, row.high],
            color=style["color"],
            linewidth=4,
            alpha=0.35,
            solid_capstyle="butt",
        )
        axis.plot(row.microseconds, row.mean, zorder=3, **style)
        labels.append(Label(row.microseconds, row.mean, row.variant, style["color"]))
    axis.set(xlabel="µs per training sequence (log)", ylabel="skill", xscale="log")
    axis.set_ylim(min(-0.05, rows["low"].min()), 1.08)
    axis.set_xlim(rows["microseconds"].min() / 1.25, rows["microseconds"].max() * 1.5)
    plain_log(axis.xaxis)
    labels.sort(key=lambda label: label.colour == GREY)  # those in colour first
    label_points(axis, labels, WIDTH / 2 - 0.55, 0.66 * HEIGHT)


def finding(table: pd.DataFrame) -> str:
    """The cheapest network of those near the best skill on each task."""
    cheapest = []
    for task, rows in table.groupby("task", sort=False):
        near = rows[rows["mean"] >= rows["mean"].max() - NEAR]
        cheapest.append(f"{task} {near.loc[near['microseconds'].idxmin(), 'variant']}")
    more = f" and {len(cheapest) - MOST_TASKS} more" if len(cheapest) > MOST_TASKS else ""
    return f"Cheapest within {NEAR} of the best skill: {', '.join(cheapest[:MOST_TASKS])}{more}"


def caption(table: pd.DataFrame) -> str:
    return (
        "Skill at the nominal difficulty against the training time per sequence in a cohort. Up and to the left is better. Marks "
        "are means over replicates, bars 95 % intervals; networks beyond six in a panel are grey. The variants' sizes are in the "
        "table of settings. Other workers ran at the same time, so read these times as orders of magnitude; the cost measurement "
        "gives ratios."
    )


COST_SKILL = FigureKind("Cost against skill", table, finding, draw, caption)
