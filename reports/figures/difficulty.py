"""Skill against difficulty, beyond the difficulties of training."""

import pandas as pd
from matplotlib.figure import Figure

from reports.estimates import Estimates
from reports.figures.base import FigureKind, draw_lines, panels, shared_legend, unique
from reports.skill import half_life

KEYS = ["task", "variant", "difficulty"]


def table(estimates: Estimates) -> pd.DataFrame:
    """task, variant, difficulty, mean, low, high, n of skill, the nominal difficulty, and the number of refusals.

    `half_life` is the difficulty at which the variant's mean skill falls to one half; infinite if it does not.
    `exact_match`, `exact_low` and `exact_high` are of the share of answers right in every symbol; NaN where none is written.
    """
    frame = by_difficulty(estimates, "skill")
    refused = estimates.results.difficulty.groupby(["task", "variant"])["refused"].sum()
    keys = pd.MultiIndex.from_frame(frame[["task", "variant"]])
    frame["refused"] = refused.reindex(keys).to_numpy()
    lives = {key: half_life(rows["difficulty"], rows["mean"]) for key, rows in frame.groupby(["task", "variant"])}
    frame["half_life"] = [lives[key] for key in keys]
    exact = by_difficulty(estimates, "exact_match").set_index(KEYS)[["mean", "low", "high"]].astype(float)
    frame[["exact_match", "exact_low", "exact_high"]] = exact.reindex(pd.MultiIndex.from_frame(frame[KEYS])).to_numpy()
    return frame


def by_difficulty(estimates: Estimates, column: str) -> pd.DataFrame:
    """task, variant, difficulty, mean, low, high, n of a column of the replicates' tests, and the nominal difficulty."""
    results = estimates.results
    frame = estimates.means_by(results.difficulty, KEYS, column)
    frame["nominal"] = frame["task"].map({s.task: s.nominal for s in results.study.settings}).astype(float)
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
        axis.set(xlabel="difficulty", ylabel=quantity, ylim=(min(-0.1, rows["low"].min()), 1.05))
        axis.set_xticks(sorted(rows["difficulty"].unique()))
    shared_legend(figure, axes)
    return figure


def caption(table: pd.DataFrame) -> str:
    refusing = unique(table[table["refused"] > 0]["variant"])
    refusals = f" Lines that end there belong to models that refuse longer sequences: {', '.join(refusing)}."
    return (
        "Skill (0 = guessing, 1 = perfect) on test sequences of one difficulty each. Right of the vertical line, sequences are "
        "harder than any in training. Difficulty is the delay in copying, the length in adding, the gap in france, and the "
        "lookahead in disambiguation." + (refusals if refusing else "")
    )


DIFFICULTY = FigureKind("Skill against difficulty", table, draw, caption)
