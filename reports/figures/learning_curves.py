"""The validation score against the sequences seen."""

import pandas as pd
from matplotlib.figure import Figure

from reports.estimates import Estimates
from reports.figures.base import FigureKind, draw_lines, panels, shared_legend, unique


def table(estimates: Estimates) -> pd.DataFrame:
    """task, variant, sequences, mean, low, high, n of the validation score."""
    validation = estimates.results.study.plan["budget"]["validation"]
    return estimates.means_by(estimates.results.curves, ["task", "variant", "sequences"], "score", validation)


def draw(table: pd.DataFrame) -> Figure:
    tasks, variants = unique(table["task"]), unique(table["variant"])
    figure, axes = panels(tasks, height=2.3)
    for axis, task in zip(axes, tasks, strict=True):
        draw_lines(axis, table[table["task"] == task], "sequences", variants)
        axis.set(xlabel="sequences seen", ylabel="validation score", ylim=(-0.04, 1.04))
    shared_legend(figure, axes)
    return figure


def caption(table: pd.DataFrame) -> str:
    return (
        "Validation score of the replicates against the training sequences seen, mean and 95 % interval. A run that stopped "
        "early at the criterion keeps its last score. A curve that still rises at its right end would gain from a larger "
        "budget."
    )


LEARNING_CURVES = FigureKind("Learning curves", table, draw, caption)
