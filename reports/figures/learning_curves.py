"""The validation score against the sequences seen."""

from collections import Counter

import pandas as pd
from matplotlib.figure import Figure

from reports.estimates import Estimates
from reports.figures.base import FigureKind, compact, counts, panels, unique
from reports.figures.lines import draw_lines, finish

HEIGHT = 2.3
"""Inches; that of a panel."""

RISE = 0.02
"""The gain in score in the last quarter of the budget above which a curve counts as still rising."""

MOST_NAMED = 12
"""The most curves that a caption names; of more it says how many each task has."""


def table(estimates: Estimates) -> pd.DataFrame:
    """task, variant, sequences, mean, low, high, n of the validation score."""
    validation = estimates.results.study.plan["budget"]["validation"]
    return estimates.means_by(estimates.results.curves, ["task", "variant", "sequences"], "score", validation)


def draw(table: pd.DataFrame) -> Figure:
    tasks, variants = unique(table["task"]), unique(table["variant"])
    figure, axes = panels(tasks, HEIGHT)
    for axis, task in zip(axes, tasks, strict=True):
        labels = draw_lines(axis, table[table["task"] == task], "sequences", variants)
        axis.set(xlabel="sequences seen", ylabel="validation score", xlim=(0, None), ylim=(-0.04, 1.04))
        counts(axis.xaxis)
        finish(axis, labels, HEIGHT)
    return figure


def finding(table: pd.DataFrame) -> str:
    """How many curves still rise at the end."""
    there, still = len(table.groupby(["task", "variant"])), len(rising(table))
    return f"{still} of {there} curves still rise when the budget of {compact(table['sequences'].max())} sequences ends"


def rising(table: pd.DataFrame) -> list[str]:
    """task/variant of the curves whose mean rose by more than `RISE` in the last quarter of the budget."""
    curves = table.set_index("sequences").groupby(["task", "variant"], sort=False)["mean"]
    return [
        f"{task}/{variant}"
        for (task, variant), curve in curves
        if curve.iloc[-1] - curve[curve.index <= 0.75 * curve.index[-1]].iloc[-1] > RISE
    ]


def caption(table: pd.DataFrame) -> str:
    there, still = len(table.groupby(["task", "variant"])), rising(table)
    per_task = Counter(name.partition("/")[0] for name in still)
    listed = still if len(still) <= MOST_NAMED else [f"{task} {count}" for task, count in per_task.items()]
    names = f": {', '.join(listed)}" if still else ""
    return (
        "Validation score of the replicates against the training sequences seen, mean and 95 % interval; lines beyond "
        "six in a panel are grey. "
        f"{len(still)} of {there} curves rose by more than {RISE} in the last quarter of the budget, and would gain from a "
        f"larger one{names}."
    )


LEARNING_CURVES = FigureKind("Learning curves", table, finding, draw, caption)
