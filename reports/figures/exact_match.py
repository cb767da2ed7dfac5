"""The share of written answers that are right in every symbol, against difficulty."""

import pandas as pd
from matplotlib.figure import Figure

from reports.estimates import Estimates
from reports.figures.base import FigureKind, unique
from reports.figures.difficulty import by_difficulty, draw_panels


def table(estimates: Estimates) -> pd.DataFrame:
    """task, variant, difficulty, mean, low, high, n of the exact match, and the nominal difficulty."""
    return by_difficulty(estimates, "exact_match")


def draw(table: pd.DataFrame) -> Figure:
    return draw_panels(table, "exact match")


def caption(table: pd.DataFrame) -> str:
    return (
        f"Share of the test answers of {' and '.join(unique(table['task']))} that are right in every symbol, mean over "
        "replicates with its 95 % interval. Right of the vertical line, sequences are harder than any in training. An answer of "
        "many symbols is seldom right as a whole where each symbol often is: compare the skill above, which counts symbols."
    )


EXACT_MATCH = FigureKind("Whole answers against difficulty", table, draw, caption)
