"""The validation score against the sequences seen."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from reports.figures.base import FigureKind, draw_lines, means_by, panels, shared_legend, unique
from reports.result_tables import ResultTables


def table(results: ResultTables, rng: np.random.Generator) -> pd.DataFrame:
    """task, variant, sequences, mean, low, high, n of the validation score."""
    return means_by(results.curves, ["task", "variant", "sequences"], "score", rng)


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
