"""The search over nuisance factors: each value that was tried, what came of it, and the range that was searched."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, NullLocator

from reports.estimates import Estimates
from reports.figures.base import FigureKind, panels, plain_log, unique
from reports.figures.labels import POINTS, coloured
from reports.figures.lines import BACKGROUND
from reports.search_factors import is_numeric
from reports.search_summary import TOO_FEW, trials, windows
from reports.style import style_of

NAMES = {"lr": "learning rate", "clip": "clip norm", "weight_decay": "weight decay"}
"""What factors are called on an axis."""
BAR = 0.115
"""The distance of two windows, in units of the objective."""
HEIGHT = 2.7
"""Inches; that of a panel."""


def table(estimates: Estimates) -> pd.DataFrame:
    """task, variant, trial, factor, value, low, high, log, proposed_by, status, objective, best_so_far, is_best, and window.

    A row for each trial and each factor that was searched from `low` to `high` and drawn for it. The objective is a mean over
    seeds. Factors that are one of several values are in the table of best values.
    `window_low` and `window_high` are the ends of its setting's window of that factor, and `edge` says where the best value
    lies at an end, as `search_summary.windows` has them.
    """
    frame = trials(estimates.results).drop(columns="skill")
    best = frame.groupby(["task", "variant"])["objective"].cummax()
    # A trial that diverged has no objective and does not change the best value so far.
    frame["best_so_far"] = best.groupby([frame["task"], frame["variant"]]).ffill()
    ranges = estimates.results.study.plan["nuisance"]
    keys = [column for column in frame if column not in ranges]
    parts = [
        frame[keys].assign(factor=name, value=frame[name], low=each["low"], high=each["high"], log=bool(each["log"]))
        for name, each in ranges.items()
        if is_numeric(each)
    ]
    ends = windows(estimates.results)[["task", "variant", "factor", "window_low", "window_high", "edge"]]
    whole = pd.concat(parts, ignore_index=True) if parts else frame[keys].iloc[:0].assign(factor="", value=0.0)
    return whole[whole["value"].notna()].merge(ends, how="left", on=["task", "variant", "factor"])


def draw(table: pd.DataFrame) -> Figure:
    keys = list(dict.fromkeys(zip(table["task"], table["factor"], strict=True)))
    several = table["factor"].nunique() > 1
    variants = unique(table["variant"])
    figure, axes = panels(
        [f"{task}, {NAMES.get(factor, factor)}" if several else task for task, factor in keys], HEIGHT
    )
    for axis, (task, factor) in zip(axes, keys, strict=True):
        rows = table[(table["task"] == task) & (table["factor"] == factor)]
        _draw_panel(axis, rows, variants, "none" if several else "-")
        axis.set_xlabel(NAMES.get(factor, factor) + (" (log)" if rows["log"].iloc[0] else ""))
    return figure


def _draw_panel(axis: Axes, rows: pd.DataFrame, variants: list[str], line: str) -> None:
    """Above, what came of each value; below, the window of each network in colour, with its best value.

    line: the style that joins the values; none where other factors differ between them.
    """
    front = coloured(unique(rows["variant"]))
    for variant in unique(rows["variant"]):
        own = rows[rows["variant"] == variant].sort_values("value")
        style = style_of(variant, variants) | {"markersize": 3.5, "linewidth": 0.9}
        plain = BACKGROUND if line != "none" else BACKGROUND | {"marker": ".", "linestyle": line}
        joined = style if line != "none" else style | {"linestyle": line, "clip_on": False}
        axis.plot(own["value"], own["objective"], **(joined if variant in front else plain))
        if variant in front:
            _draw_window(axis, own, -BAR * (1.2 + front.index(variant)), variant, style["color"])
    axis.axhline(-0.04, color="#444444", linewidth=0.6)
    low, high = rows["low"].iloc[0], rows["high"].iloc[0]
    axis.set(xscale="log" if rows["log"].iloc[0] else "linear", ylabel="objective")
    axis.set_xlim(low, high)
    if rows["log"].iloc[0]:
        plain_log(axis.xaxis)
        axis.xaxis.set_minor_locator(NullLocator())
        axis.set_xlim(low, high)
    elif (rows["value"] % 1 == 0).all():
        axis.xaxis.set_major_locator(MaxNLocator(integer=True))
    axis.set_ylim(-BAR * (len(front) + 0.9), 1.04)
    axis.set_yticks([0, 0.25, 0.5, 0.75, 1])


def _draw_window(axis: Axes, own: pd.DataFrame, place: float, variant: str, colour: str) -> None:
    first, best = own.iloc[0], own[own["is_best"]]
    if not np.isnan(first["window_low"]):
        axis.plot(
            [first["window_low"], first["window_high"]],
            [place] * 2,
            color=colour,
            linewidth=4,
            alpha=0.4,
            solid_capstyle="butt",
        )
    if len(best):  # an empty line that is not clipped takes the whole room
        style: dict[str, Any] = {"markersize": 4, "markerfacecolor": "white", "clip_on": False, "zorder": 4}
        axis.plot(best["value"], [place] * len(best), "o", color=colour, **style)
    axis.text(1.03, place, variant, transform=axis.get_yaxis_transform(), color=colour, fontsize=POINTS, va="center")


def finding(table: pd.DataFrame) -> str:
    """In how many settings the best value is at an end of what was tried or may be tried."""
    best = table[table["is_best"]]
    if len(best) and (best["edge"] == TOO_FEW).all():
        return "Too few values were tried to say where the best ones lie"
    best = best[best["edge"] != TOO_FEW]
    at_edge = (best["edge"].fillna("") != "").groupby(best["factor"], sort=False).agg(["sum", "size"])
    names = [NAMES.get(str(factor), str(factor)) for factor in at_edge.index]
    counts = [f"{own['sum']} of {own['size']}" for _, own in at_edge.iterrows()]
    if len(names) > 1:
        parts = ", ".join(f"{name} {count}" for name, count in zip(names, counts, strict=True))
        return f"Best values that are the lowest or highest tried, or near an end: {parts} settings"
    if names:
        return f"The best {names[0]} is the lowest or highest tried, or near an end, in {counts[0]} settings"
    return "No setting has a best trial yet"


def caption(table: pd.DataFrame) -> str:
    several = table["factor"].nunique() > 1
    return (
        "Above, the search's objective for each value that was tried: the validation score over the mixture of difficulties, "
        "mean over the search seeds. A trial that diverged has none; one that was pruned has its last. A panel is as wide as "
        "the range that was searched. Lines are the networks named below; all others are grey. Below, the window of each: the "
        "values around its best one (circle) up to which every finished trial has less than 10 % less skill. Wide windows say "
        "that the value hardly matters; a circle at the end of its line's values says that a better one may lie outside of "
        f"what was tried.{' No line joins the trials: they differ in other factors too.' if several else ''}"
    )


SEARCH = FigureKind("Search", table, finding, draw, caption)
