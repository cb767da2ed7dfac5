"""The share of written answers that are right in every symbol, against difficulty."""

import pandas as pd
from matplotlib.figure import Figure

from reports.estimates import Estimates
from reports.figures.base import FigureKind, percent, unique
from reports.figures.difficulty import by_difficulty, draw_panels


def table(estimates: Estimates) -> pd.DataFrame:
    """task, variant, difficulty, mean, low, high, n of the exact match, and the nominal difficulty."""
    return by_difficulty(estimates, "exact_match")


def finding(table: pd.DataFrame) -> str:
    """Who writes most answers right as a whole, on each task at its nominal difficulty."""
    nominal = table[table["difficulty"] == table["nominal"]]
    best = nominal.loc[nominal.groupby("task", sort=False)["mean"].idxmax()]
    return "Most answers right as a whole: " + ", ".join(
        f"{row.variant} {percent(row.mean)} on {row.task}" for row in best.itertuples()
    )


def draw(table: pd.DataFrame) -> Figure:
    return draw_panels(table, "exact match")


def caption(table: pd.DataFrame) -> str:
    return (
        f"Share of the test answers of {' and '.join(unique(table['task']))} that are right in every symbol, mean over "
        "replicates with its 95 % interval. On the grey ground, sequences are harder than any in training. An answer of "
        "many symbols is seldom right as a whole where each symbol often is: compare the skill above, which counts symbols."
    )


EXACT_MATCH = FigureKind("Whole answers against difficulty", table, finding, draw, caption)
