"""Every variant's score on every task, with the task's reference scores."""

from collections.abc import Mapping
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from reports.estimates import Estimates
from reports.figures.base import FigureKind, panels, several, unique
from reports.figures.labels import POINTS
from reports.style import style_of

BAR: dict[str, Any] = {"linewidth": 5, "alpha": 0.35, "clip_on": False, "solid_capstyle": "butt"}
"""How an interval is drawn: as long as it is, behind the mark of its mean."""
LEVEL = 0.01
"""Means within this of the highest one are level with it in the title."""
MOST_TASKS = 6
"""The most tasks whose best networks a title names."""
COLUMNS = ["task", "variant", "mean", "low", "high", "n"]


def table(estimates: Estimates) -> pd.DataFrame:
    """`COLUMNS` of the test score at nominal difficulty, and a column for each reference score that some task has."""
    results = estimates.results
    frame = estimates.means_by(results.replicates, COLUMNS[:2], "score")
    references = {setting.task: setting.references for setting in results.study.settings}
    for name in dict.fromkeys(name for each in references.values() for name in each):
        values = {task: each.get(name, float("nan")) for task, each in references.items()}
        column = f"reference {name}" if name in COLUMNS else name
        frame[column] = frame["task"].map(values).astype(float)
    return frame


def draw(table: pd.DataFrame) -> Figure:
    tasks, variants = unique(table["task"]), unique(table["variant"])
    figure, axes = panels(tasks, height=0.22 * len(variants) + 1.5, columns=4, sharey=True)
    references = {task: _references(table[table["task"] == task]) for task in tasks}
    longest = max((len(name) for each in references.values() for names in each.values() for name in names), default=0)
    for axis, task in zip(axes, tasks, strict=True):
        rows = table[table["task"] == task]
        axis.set_title(axis.get_title(), pad=6 + 4.1 * longest)  # above the upright names of the references
        _draw_references(axis, references[task])
        for row in rows.itertuples():
            style = style_of(row.variant, variants)
            place = variants.index(row.variant)
            axis.plot([row.low, row.high], [place] * 2, color=style["color"], **BAR)
            style |= {"linestyle": "none", "marker": "|", "markersize": 8, "markeredgewidth": 1.4}
            axis.plot(row.mean, place, **style, clip_on=False, zorder=3)
        axis.set_xlim(-0.02, 1.02)
        axis.set_xticks([0, 0.5, 1], ["0", ".5", "1"])
        axis.set_xlabel("test score")
    axes[0].set_yticks(range(len(variants)), variants)
    axes[0].set_ylim(len(variants) - 0.5, -0.5)
    return figure


def _references(rows: pd.DataFrame) -> dict[float, list[str]]:
    """The names of a task's reference scores by their values, perfection left out, which is the right end of each axis."""
    names: dict[float, list[str]] = {}
    for name in [column for column in rows if column not in COLUMNS and column != "perfect"]:
        if rows[name].notna().any():
            names.setdefault(round(float(rows[name].iloc[0]), 3), []).append(str(name))
    return names


def _draw_references(axis: Axes, references: Mapping[float, list[str]]) -> None:
    """A dotted line for each, with its names upright above the panel; names whose lines would touch share a place."""
    above = axis.get_xaxis_transform()
    last = float("-inf")
    for value, names in sorted(references.items()):
        axis.axvline(value, color="#444444", linestyle=":", linewidth=1, zorder=1)
        place = max(value, last + APART)
        text = ",\n".join(names)
        axis.text(
            place,
            1.01,
            text,
            transform=above,
            rotation=90,
            fontsize=POINTS - 0.5,
            color="#444444",
            va="bottom",
            ha="center",
        )
        last = place + APART * (len(names) - 1) / 2


APART = 0.13
"""The distance of two upright names, as a share of an axis of the narrowest panel."""


def finding(table: pd.DataFrame) -> str:
    """Who has the highest mean on each task, and who is level with it; of many tasks, who is so most often."""
    leaders = {
        task: rows[rows["mean"] >= rows["mean"].max() - LEVEL]["variant"].tolist()
        for task, rows in table.groupby("task", sort=False)
    }
    if len(leaders) <= MOST_TASKS:
        return "Best: " + "; ".join(f"{task} {several(names, 2)}" for task, names in leaders.items())
    counts = pd.Series([name for names in leaders.values() for name in names]).value_counts(sort=False)
    best = counts[counts == counts.max()].index.tolist()
    verb = "is" if len(best) == 1 else "are each"
    return f"{several(best)} {verb} best, or level with the best, on {counts.max()} of {len(leaders)} tasks"


def caption(table: pd.DataFrame) -> str:
    best = table.loc[table.groupby("task", sort=False)["mean"].idxmax()]
    leaders = "; ".join(f"{row.task}: {row.variant} ({row.mean:.2f})" for row in best.itertuples())
    return (
        "Test score at the nominal difficulty: a stroke for the mean over replicates, on a bar for its 95 % interval. Dotted "
        "lines are the task's exact reference scores, their names above; the right end is perfect. In the title, networks "
        f"within {LEVEL} of the highest mean are level. Highest mean on each task: {leaders}."
    )


SCORE_MATRIX = FigureKind("Scores", table, finding, draw, caption)
