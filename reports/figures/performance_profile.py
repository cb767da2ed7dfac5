"""The share of runs whose skill is above each value: how often a network does well, and not only its mean."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from reports.comparison import WAYS
from reports.estimates import SOLVED, Estimates
from reports.figures.base import FigureKind, panels, percent, unique
from reports.figures.labels import coloured, foremost
from reports.figures.lines import draw_lines, finish
from reports.prose import in_a_row
from reports.statistics.intervals import proportion

COLUMNS = ["reads", "tasks", "variant", "skill", "share", "low", "high", "n"]
VALUES = np.round(np.linspace(0, 0.98, 50), 2)
"""The skills at which the shares are taken."""
MOST_NAMED = 4
"""The most networks that a title names, the foremost ones."""
HEIGHT = 2.8
"""Inches; that of a panel."""


def table(estimates: Estimates) -> pd.DataFrame:
    """`COLUMNS`: of those who read in one way, over the tasks that most of them share, the share of runs above each skill."""
    runs, rows = estimates.results.replicates, []
    for causal, reads in WAYS.items():
        variants = dict.fromkeys(s.variant for s in estimates.results.study.settings if s.causal == causal)
        members, tasks = shared(runs[runs["variant"].isin([*variants])])
        for variant in members:
            skills = runs[(runs["variant"] == variant) & runs["task"].isin(tasks)]["skill"].to_numpy()
            for value in VALUES.tolist():
                share = proportion(int((skills > value).sum()), len(skills))
                rows.append([reads, in_a_row(tasks), variant, value, share.value, share.low, share.high, share.n])
    return pd.DataFrame(rows, columns=COLUMNS)


def shared(runs: pd.DataFrame) -> tuple[list[str], list[str]]:
    """Variants that were all run on some tasks, and these tasks: so that there are as many pairs of both as can be."""
    own = {str(variant): set(tasks) for variant, tasks in runs.groupby("variant", sort=False)["task"]}
    best: tuple[list[str], list[str]] = [], []
    for tasks in own.values():
        members = [variant for variant, its in own.items() if tasks <= its]
        if len(members) * len(tasks) > len(best[0]) * len(best[1]):
            best = members, [task for task in unique(runs["task"]) if task in tasks]
    return best


def draw(table: pd.DataFrame) -> Figure:
    ways = unique(table["reads"])
    figure, axes = panels([f"{reads}: {_tasks(table, reads)}" for reads in ways], HEIGHT)
    for axis, reads in zip(axes, ways, strict=True):
        rows = table[table["reads"] == reads]
        labels = draw_lines(axis, rows, "skill", unique(table["variant"]), "share", "steps-post")
        axis.axvline(SOLVED, color="#444444", linewidth=0.9, linestyle=":")
        axis.set(xlabel="skill", ylabel="share of runs above it", xlim=(0, 1), ylim=(-0.03, 1.03))
        at = rows[np.isclose(rows["skill"], SOLVED)].set_index("variant")["share"]
        finish(axis, [label._replace(x=SOLVED, y=float(at[label.text])) for label in labels], HEIGHT)
    return figure


def _tasks(table: pd.DataFrame, reads: str) -> str:
    return str(table[table["reads"] == reads]["tasks"].iloc[0])


def finding(table: pd.DataFrame) -> str:
    """How many runs solve, of the networks that read from left to right; or of all, where none does."""
    reads = unique(table["reads"])[0]
    rows = table[np.isclose(table["skill"], SOLVED) & (table["reads"] == reads)]
    named = rows[rows["variant"].isin(foremost(coloured(rows["variant"].tolist()), MOST_NAMED))].sort_values(
        "share", ascending=False, kind="stable"
    )
    shares = ", ".join(f"{row.variant} {percent(row.share)}" for row in named.itertuples())
    return f"Share of runs with a skill above {SOLVED}, {reads}: {shares}"


def caption(table: pd.DataFrame) -> str:
    return (
        "For each skill, the share of a network's runs that lie above it, over all tasks in a panel's title; each counts the "
        "same. A line that stays high to the right belongs to a network that does well in nearly all runs; a step down is a "
        f"group of runs that fail alike. The dotted line is {SOLVED}, where a task counts as solved. Only networks that were "
        "run on all of these tasks are in a panel; lines beyond six are grey. Exact intervals of each share are in the table."
    )


PERFORMANCE_PROFILE = FigureKind("How often a network does well", table, finding, draw, caption)
