"""How much each searched factor matters, beside what chance alone would show."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from reports.estimates import Estimates
from reports.figures.base import FigureKind, panels, shared_legend, unique
from reports.importance import importance, warning
from reports.style import style_of

ROW = 0.7
"""The part of a factor's row over which its variants are spread."""

GREY = "#bbbbbb"


def table(estimates: Estimates) -> pd.DataFrame:
    """task, variant, factor, importance, by_chance, trials."""
    return importance(estimates)


def draw(table: pd.DataFrame) -> Figure:
    tasks, variants, factors = (unique(table[column]) for column in ("task", "variant", "factor"))
    order = table.groupby("factor")["importance"].mean().sort_values().index.tolist()
    offsets = dict(zip(variants, np.linspace(ROW / 2, -ROW / 2, len(variants) + 2)[1:-1], strict=True))
    height = max(1.6, 0.6 + 0.13 * len(factors) * (len(variants) + 1))
    figure, axes = panels(tasks, height=height, sharey=True)
    largest = max(1.0, float(table["by_chance"].max()))
    for axis, task in zip(axes, tasks, strict=True):
        rows = table[table["task"] == task]
        for variant in unique(rows["variant"]):
            own = rows[rows["variant"] == variant]
            places = [order.index(factor) + offsets[variant] for factor in own["factor"]]
            axis.hlines(places, 0, own["by_chance"], color=GREY, linewidth=3, zorder=1, label="reached by chance")
            style = {**style_of(variant, variants), "linestyle": "none"}
            axis.plot(own["importance"], places, label=variant, zorder=2, **style)
        axis.set_yticks(range(len(order)), order)
        axis.set(xlabel="share of importance", xlim=(-0.02 * largest, 1.02 * largest), ylim=(-0.6, len(order) - 0.4))
    shared_legend(figure, axes)
    return figure


def caption(table: pd.DataFrame) -> str:
    words = (
        "How much each searched factor tells the best trials of a setting from the others (PED-ANOVA), as its share of that of "
        "all factors. The grey bar ends where the factor ends in 19 of 20 shuffles of the objectives among the trials: a mark "
        "within its bar shows nothing. A factor matters in the ranges that were searched, and for the "
        "trials that were drawn."
    )
    return f"{words} {warning(table)}".rstrip()


def finding(table: pd.DataFrame) -> str:
    """For each factor, in how many settings it matters more than chance lets a factor seem to."""
    passed = table.assign(passed=table["importance"] > table["by_chance"]).groupby("factor", sort=False)["passed"]
    counts = passed.agg(["sum", "size"]).sort_values("sum", ascending=False, kind="stable")
    clear = [f"{name} in {own['sum']} of {own['size']}" for name, own in counts.iterrows() if own["sum"]]
    if not clear:
        return "No factor matters more than chance would let it seem"
    return f"What matters more than by chance: {', '.join(clear)} settings"


IMPORTANCE = FigureKind("Which factors matter", table, finding, draw, caption)
