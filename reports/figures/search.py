"""The search over nuisance factors: its best value after each trial, and best values at the edge of a range."""

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.figure import Figure

from reports.estimates import Estimates
from reports.figures.base import FigureKind, panels, unique

EDGE = 0.05
"""A best value is at the edge if its distance to an end of the range is below this share of the (log) range."""

MOST_ANNOTATED = 8
"""The most trials per row whose values are printed into the cells; with more they would overlap."""


def table(estimates: Estimates) -> pd.DataFrame:
    """task, variant, trial, nuisance factors, objective (mean over seeds), best_so_far, is_best, and the best's edge."""
    results = estimates.results
    nuisance = list(results.study.plan["nuisance"])
    keys = ["task", "variant", "trial", *nuisance, "is_best"]
    frame = results.trials.groupby(keys, sort=False, as_index=False)["objective"].agg(_mean_unless_diverged)
    best = frame.groupby(["task", "variant"])["objective"].cummax()
    # A trial that diverged has no objective and does not change the best value so far.
    frame = frame.assign(best_so_far=best.groupby([frame["task"], frame["variant"]]).ffill())
    ranges = results.study.plan["nuisance"]
    frame["edge"] = [_edge(row, ranges) if row["is_best"] else "" for _, row in frame.iterrows()]
    return frame[["task", "variant", "trial", *nuisance, "objective", "best_so_far", "is_best", "edge"]]


def _mean_unless_diverged(objectives: pd.Series) -> float:
    return float(objectives.mean(skipna=False))


def _edge(row: pd.Series, ranges: dict[str, dict[str, float]]) -> str:
    edges = []
    for name, range_ in ranges.items():
        scale = np.log if range_["log"] else float
        low, high, value = (scale(x) for x in (range_["low"], range_["high"], row[name]))
        share = (value - low) / (high - low)
        if share < EDGE or share > 1 - EDGE:
            edges.append(f"{name} {'low' if share < EDGE else 'high'}")
    return ", ".join(edges)


def draw(table: pd.DataFrame) -> Figure:
    tasks = unique(table["task"])
    figure, axes = panels(tasks, height=2.4)
    for axis, task in zip(axes, tasks, strict=True):
        rows = table[table["task"] == task]
        steps = rows.pivot(index="variant", columns="trial", values="best_so_far").reindex(unique(rows["variant"]))
        has_room = steps.shape[1] <= MOST_ANNOTATED
        sns.heatmap(steps, ax=axis, vmin=0, vmax=1, cmap="cividis", annot=has_room, fmt=".2f", annot_kws={"size": 6})
        axis.set(xlabel="trial", ylabel="", title=task)
        axis.tick_params(axis="y", rotation=0)
    return figure


def caption(table: pd.DataFrame) -> str:
    at_edge = table[table["edge"] != ""]
    names = "; ".join(f"{row.task}/{row.variant} ({row.edge})" for row in at_edge.itertuples())
    warning = f" The best value is at the edge of its range in: {names}." if names else " No best value is at an edge."
    return (
        "Best value after each trial of the search's objective, which is the validation score over the mixture of "
        "difficulties. Each row is a setting. A row that still changes at its right end would gain from more trials."
        + warning
    )


SEARCH = FigureKind("Search", table, draw, caption)
