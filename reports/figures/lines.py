"""Curves of several variants in one panel: at most a few in colour, each labelled at its end."""

from collections.abc import Sequence

import pandas as pd
from matplotlib.axes import Axes

from reports.figures.labels import GREY, Label, coloured, label_ends
from reports.style import style_of

MOST_MARKS = 8
"""The most marks on a curve."""
BACKGROUND = {"color": "#b8b8b8", "linestyle": "-", "linewidth": 0.9, "zorder": 1.5}
"""How a curve is drawn that has no colour."""


def draw_lines(
    axis: Axes, table: pd.DataFrame, x: str, variants: Sequence[str], y: str = "mean", drawstyle: str = "default"
) -> list[Label]:
    """One line per variant, and of those in colour their interval as a band; `table` has x, variant, y, low, high.

    Returns the labels of their ends, for `label_ends`.
    """
    lines = {str(variant): line for variant, line in table.groupby("variant", sort=False)}
    present = [variant for variant in variants if variant in lines]
    front = coloured(present)
    labels = []
    for variant in present:
        line = lines[variant].sort_values(x, kind="stable")
        marks = {"markersize": 3, "markevery": -(-len(line) // MOST_MARKS)}
        style = style_of(variant, variants) | marks if variant in front else BACKGROUND
        style |= {"marker": ""} if drawstyle != "default" else {}
        axis.plot(line[x], line[y], label=variant, drawstyle=drawstyle, **style)
        if variant in front and drawstyle == "default" and {"low", "high"} <= set(line):
            axis.fill_between(line[x], line["low"], line["high"], color=style["color"], alpha=0.14, linewidth=0)
        labels.append(
            Label(
                float(line[x].iloc[-1]),
                float(line[y].iloc[-1]),
                variant,
                str(style["color"] if variant in front else GREY),
            )
        )
    return labels


def finish(axis: Axes, labels: Sequence[Label], height: float) -> None:
    """Writes the labels of a panel of that height whose limits are set."""
    axis.set_xlim(axis.get_xlim())
    axis.set_ylim(axis.get_ylim())
    label_ends(axis, labels, height)
