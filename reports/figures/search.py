"""The search over nuisance factors: its best value after each trial."""

import pandas as pd
import seaborn as sns
from matplotlib.figure import Figure

from reports.estimates import Estimates
from reports.figures.base import FigureKind, panels, unique
from reports.search_summary import trials

MOST_ANNOTATED = 8
"""The most trials per row whose values are printed into the cells; with more they would overlap."""

MOST_TASKS = 6
"""The most tasks whose panels are large enough for such values."""


def table(estimates: Estimates) -> pd.DataFrame:
    """task, variant, trial, nuisance factors, proposed_by, status, objective (mean over seeds), best_so_far, is_best."""
    frame = trials(estimates.results).drop(columns="skill")
    best = frame.groupby(["task", "variant"])["objective"].cummax()
    # A trial that diverged has no objective and does not change the best value so far.
    frame.insert(
        frame.columns.get_loc("is_best"), "best_so_far", best.groupby([frame["task"], frame["variant"]]).ffill()
    )
    return frame


def draw(table: pd.DataFrame) -> Figure:
    tasks = unique(table["task"])
    figure, axes = panels(tasks, height=2.4)
    for axis, task in zip(axes, tasks, strict=True):
        rows = table[table["task"] == task]
        steps = rows.pivot(index="variant", columns="trial", values="best_so_far").reindex(unique(rows["variant"]))
        has_room = steps.shape[1] <= MOST_ANNOTATED and len(tasks) <= MOST_TASKS
        sns.heatmap(
            steps,
            ax=axis,
            vmin=0,
            vmax=1,
            cmap="cividis",
            annot=has_room,
            fmt=".2f",
            annot_kws={"size": 6},
            yticklabels=True,
        )
        axis.set(xlabel="trial", ylabel="", title=task)
        axis.tick_params(axis="y", rotation=0, labelsize=8 if len(tasks) <= MOST_TASKS else 6)
    return figure


def caption(table: pd.DataFrame) -> str:
    return (
        "Best value after each trial of the search's objective, which is the validation score over the mixture of "
        "difficulties. Each row is a setting. A row that still changes at its right end would gain from more trials."
    )


SEARCH = FigureKind("Search", table, draw, caption)
