"""What the search over nuisance factors found, and whether it looked far enough."""

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.figure import Figure

from reports.figures.base import FigureKind, panels, unique
from reports.result_tables import ResultTables

EDGE = 0.05
"""A best value within this share of the (log) range's length from an end counts as at the edge."""

MOST_PRINTED = 8
"""Up to so many trials a row's values are printed into it; more would overlap."""


def table(results: ResultTables, rng: np.random.Generator) -> pd.DataFrame:
    """task, variant, trial, nuisance factors, objective (mean over seeds), best_so_far, is_best, and the best's edge."""
    nuisance = list(results.study.plan["nuisance"])
    keys = ["task", "variant", "trial", *nuisance, "is_best"]
    frame = results.trials.groupby(keys, sort=False, as_index=False)["objective"].agg(_mean_unless_diverged)
    best = frame.groupby(["task", "variant"])["objective"].cummax()
    # A trial that diverged has no value, and leaves the best so far as it was.
    frame = frame.assign(best_so_far=best.groupby([frame["task"], frame["variant"]]).ffill())
    ranges = results.study.plan["nuisance"]
    frame["edge"] = [_edge(row, ranges) if row["is_best"] else "" for _, row in frame.iterrows()]
    return frame[["task", "variant", "trial", *nuisance, "objective", "best_so_far", "is_best", "edge"]]


def _mean_unless_diverged(objectives: pd.Series) -> float:
    return float(objectives.mean(skipna=False))


def _edge(row: pd.Series, ranges: dict[str, dict[str, float]]) -> str:
    found = []
    for name, range_ in ranges.items():
        scale = np.log if range_["log"] else float
        low, high, value = (scale(x) for x in (range_["low"], range_["high"], row[name]))
        share = (value - low) / (high - low)
        if share < EDGE or share > 1 - EDGE:
            found.append(f"{name} {'low' if share < EDGE else 'high'}")
    return ", ".join(found)


def draw(table: pd.DataFrame) -> Figure:
    tasks = unique(table["task"])
    figure, axes = panels(tasks, height=2.4)
    for axis, task in zip(axes, tasks, strict=True):
        rows = table[table["task"] == task]
        steps = rows.pivot(index="variant", columns="trial", values="best_so_far").reindex(unique(rows["variant"]))
        has_room = steps.shape[1] <= MOST_PRINTED
        sns.heatmap(steps, ax=axis, vmin=0, vmax=1, cmap="cividis", annot=has_room, fmt=".2f", annot_kws={"size": 6})
        axis.set(xlabel="trial", ylabel="", title=task)
        axis.tick_params(axis="y", rotation=0)
    return figure


def caption(table: pd.DataFrame) -> str:
    at_edge = table[table["edge"] != ""]
    names = "; ".join(f"{row.task}/{row.variant} ({row.edge})" for row in at_edge.itertuples())
    warning = (
        f" The best value lies at the edge of its range in: {names}." if names else " No best value is at an edge."
    )
    return (
        "Best value so far of what the search maximises, the validation score over the mixture of difficulties, after each "
        "trial, setting by setting. A row that still changes at "
        "its right end would have gained from more trials." + warning
    )


SEARCH = FigureKind("Search", table, draw, caption)
