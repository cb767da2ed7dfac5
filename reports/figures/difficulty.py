"""Skill against difficulty, beyond the difficulties of training."""

import pandas as pd
from matplotlib.figure import Figure

from reports.estimates import Estimates
from reports.figures.base import FigureKind, draw_lines, in_a_row, panels, shared_legend, unique

KEYS = ["task", "variant", "difficulty"]


def table(estimates: Estimates) -> pd.DataFrame:
    """task, variant, difficulty, mean, low, high, n of skill; the difficulty's name, its nominal value, and refusals.

    `half_life` is that of the variant's typical run. `exact_match`, `exact_low` and `exact_high` are of the share of answers
    right in every symbol; NaN where none is written.
    """
    results = estimates.results
    frame = by_difficulty(estimates, "skill")
    refused = results.difficulty.groupby(["task", "variant"])["refused"].sum()
    frame["refused"] = refused.reindex(pd.MultiIndex.from_frame(frame[["task", "variant"]])).to_numpy()
    keys = zip(frame["task"], frame["variant"], strict=True)
    frame["half_life"] = [life.value if (life := estimates.half_life(*key)) else float("nan") for key in keys]
    exact = by_difficulty(estimates, "exact_match").set_index(KEYS)[["mean", "low", "high"]].astype(float)
    frame[["exact_match", "exact_low", "exact_high"]] = exact.reindex(pd.MultiIndex.from_frame(frame[KEYS])).to_numpy()
    return frame


def by_difficulty(estimates: Estimates, column: str) -> pd.DataFrame:
    """task, variant, difficulty, mean, low, high, n of a column of the replicates' tests; what the difficulty is, and its
    nominal value.
    """
    results = estimates.results
    frame = estimates.means_by(results.difficulty, KEYS, column)
    first = {setting.task: setting for setting in reversed(results.study.settings)}
    frame["difficulty_is"] = [first[task].difficulty for task in frame["task"]]
    frame["nominal"] = [float(first[task].nominal) for task in frame["task"]]
    return frame


def draw(table: pd.DataFrame) -> Figure:
    return draw_panels(table, "skill")


def draw_panels(table: pd.DataFrame, quantity: str) -> Figure:
    """A panel per task with a line per variant; `table` has task, variant, difficulty, mean, low, high, nominal."""
    tasks, variants = unique(table["task"]), unique(table["variant"])
    figure, axes = panels(tasks, height=2.3)
    for axis, task in zip(axes, tasks, strict=True):
        rows = table[table["task"] == task]
        draw_lines(axis, rows, "difficulty", variants)
        axis.axvline(rows["nominal"].iloc[0], color="#444444", linewidth=1, label="longest in training")
        axis.set(xlabel=rows["difficulty_is"].iloc[0], ylabel=quantity, ylim=(min(-0.1, rows["low"].min()), 1.05))
        axis.set_xticks(sorted(rows["difficulty"].unique()))
    shared_legend(figure, axes)
    return figure


def caption(table: pd.DataFrame) -> str:
    refusing = unique(table[table["refused"] > 0]["variant"])
    refusals = f" Lines that end there belong to models that refuse longer sequences: {', '.join(refusing)}."
    return (
        "Skill (0 = guessing, 1 = perfect) on test sequences of one difficulty each. Right of the vertical line, sequences are "
        f"harder than any in training. Difficulty is {_names(table)}." + (refusals if refusing else "")
    )


def _names(table: pd.DataFrame) -> str:
    """What is called difficulty in each task, as in "the delay in copying, the length in adding and parity"."""
    names = table.drop_duplicates("task").groupby("difficulty_is", sort=False)["task"].agg(list)
    return ", ".join(f"the {name} in {in_a_row(tasks)}" for name, tasks in names.items())


DIFFICULTY = FigureKind("Skill against difficulty", table, draw, caption)
