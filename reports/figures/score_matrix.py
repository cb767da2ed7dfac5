"""Every variant's score on every task, with the task's reference scores."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from reports.estimates import Estimates
from reports.figures.base import FigureKind, panels, shared_legend, unique
from reports.style import style_of

REFERENCE_LINES = {"chance": ":", "causal": "--", "last country": "-."}


def table(estimates: Estimates) -> pd.DataFrame:
    """task, variant, mean, low, high, n of the test score at nominal difficulty, and a column for each reference."""
    results = estimates.results
    frame = estimates.means_by(results.replicates, ["task", "variant"], "score")
    for name in REFERENCE_LINES:
        references = {s.task: s.references.get(name, float("nan")) for s in results.study.settings}
        frame[name] = frame["task"].map(references).astype(float)
    return frame


def draw(table: pd.DataFrame) -> Figure:
    tasks, variants = unique(table["task"]), unique(table["variant"])
    figure, axes = panels(tasks, height=0.22 * len(variants) + 1.0, columns=4, sharey=True)
    for axis, task in zip(axes, tasks, strict=True):
        rows = table[table["task"] == task]
        for row in rows.itertuples():
            style = style_of(row.variant, variants) | {"linestyle": "-"}
            place = variants.index(row.variant)
            axis.plot([row.low, row.high], [place, place], **(style | {"marker": "|"}))
            axis.plot(row.mean, place, **style)
        for name, line in REFERENCE_LINES.items():
            value = rows[name].iloc[0]
            if not np.isnan(value):
                axis.axvline(value, color="#444444", linestyle=line, linewidth=1, label=name)
        axis.set_xlim(-0.04, 1.04)
        axis.set_xlabel("test score")
    axes[0].set_yticks(range(len(variants)), variants)
    axes[0].set_ylim(len(variants) - 0.5, -0.5)
    shared_legend(figure, axes)
    return figure


def caption(table: pd.DataFrame) -> str:
    best = table.loc[table.groupby("task", sort=False)["mean"].idxmax()]
    leaders = "; ".join(f"{row.task}: {row.variant} ({row.mean:.2f})" for row in best.itertuples())
    return (
        "Test score at the nominal difficulty, mean over replicates with its 95 % interval. Vertical lines are the reference "
        "scores: of guessing, and of the best reader that cannot see the future, or that believes the country named last. "
        f"Highest mean on each task: {leaders}."
    )


SCORE_MATRIX = FigureKind("Scores", table, draw, caption)
