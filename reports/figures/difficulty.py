"""Skill against difficulty, beyond the difficulties of training."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from reports.estimates import Estimates
from reports.figures.base import FigureKind, few_ticks, panels, several, unique
from reports.figures.labels import GREY, Label
from reports.figures.lines import draw_lines, finish
from reports.prose import in_a_row

HEIGHT = 2.3
"""Inches; that of a panel."""
HARDER = "#f1f1f1"
"""The ground of a panel where sequences are harder than any in training."""
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
    """A panel per task with a line per variant; `table` has task, variant, difficulty, mean, low, high, nominal.

    Where it has half-lives, those within the panel are marked on the lines in colour.
    """
    tasks, variants = unique(table["task"]), unique(table["variant"])
    figure, axes = panels(tasks, HEIGHT)
    for axis, task in zip(axes, tasks, strict=True):
        rows = table[table["task"] == task]
        labels = draw_lines(axis, rows, "difficulty", variants)
        nominal, hardest = rows["nominal"].iloc[0], rows["difficulty"].max()
        axis.set(xlabel=rows["difficulty_is"].iloc[0], ylabel=quantity, ylim=(min(-0.1, rows["low"].min()), 1.06))
        margin = 0.02 * (hardest - rows["difficulty"].min())
        axis.set_xlim(rows["difficulty"].min() - margin, hardest + margin)
        if nominal < hardest:
            axis.axvspan(nominal, hardest + margin, color=HARDER, linewidth=0, zorder=0)
        axis.set_xticks(few_ticks(rows["difficulty"].tolist()))
        if "half_life" in rows:
            _mark_half_lives(axis, rows, [label for label in labels if label.colour != GREY])
        finish(axis, labels, HEIGHT)
    return figure


def _mark_half_lives(axis: Axes, rows: pd.DataFrame, labels: Sequence[Label]) -> None:
    """A hollow diamond on a line at the half-life of its variant."""
    for label in labels:
        line = rows[rows["variant"] == label.text].sort_values("difficulty")
        life = line["half_life"].iloc[0]
        if line["difficulty"].iloc[0] <= life <= line["difficulty"].iloc[-1]:
            height = np.interp(life, line["difficulty"], line["mean"])
            style: dict[str, Any] = {
                "markeredgecolor": label.colour,
                "markerfacecolor": "white",
                "markeredgewidth": 1.3,
            }
            axis.plot(life, height, marker="D", markersize=6, linestyle="none", zorder=4, **style)


def finding(table: pd.DataFrame) -> str:
    """Who keeps half of its skill longest and who loses it first, on the task where that differs most."""
    spans = {task: _half_lives(rows) for task, rows in table.groupby("task", sort=False)}
    losing = {task: lives for task, lives in spans.items() if any(np.isfinite(life) for life in lives.values())}
    if not losing:
        learnt = any(spans.values())
        return (
            f"No network {'loses half of its skill' if learnt else 'has learnt what it could lose'} on the tests here"
        )

    def ratio(task: str) -> float:
        return _reach(table, task, losing[task])[0] / min(losing[task].values())

    task = max(losing, key=ratio)
    lives, name = losing[task], table[table["task"] == task]["difficulty_is"].iloc[0]
    longest, keepers = _reach(table, task, lives)
    shortest = min(lives, key=lives.__getitem__)
    if shortest in keepers:
        return f"On {task}, {shortest} keeps half of its skill to {name} {_short(lives[shortest])}"
    beyond = " and beyond" if np.isinf(lives[keepers[0]]) else ""
    keep = "keeps" if len(keepers) == 1 else "keep"
    return (
        f"On {task}, {several(keepers)} {keep} half of the skill to {name} {_short(longest)}{beyond}, "
        f"{shortest} to {_short(lives[shortest])}"
    )


def _short(difficulty: float) -> str:
    """A difficulty in two digits, or as a whole number.

    >>> _short(3.53), _short(40.0), _short(123.4)
    ('3.5', '40', '123')
    """
    return f"{difficulty:.2g}" if difficulty < 100 else f"{difficulty:.0f}"


def _half_lives(rows: pd.DataFrame) -> dict[str, float]:
    """The half-lives of the variants that have learnt something, and refuse nothing."""
    first = rows[rows["refused"] == 0].drop_duplicates("variant").set_index("variant")["half_life"]
    return {str(variant): life for variant, life in first.items() if life > 0}


def _reach(table: pd.DataFrame, task: str, lives: Mapping[str, float]) -> tuple[float, list[str]]:
    """The difficulty to which most skill is kept, up to the hardest tested, and by whom."""
    hardest = float(table[table["task"] == task]["difficulty"].max())
    longest = max(lives.values())
    return min(longest, hardest), [variant for variant, life in lives.items() if life == longest]


def caption(table: pd.DataFrame) -> str:
    refusing = unique(table[table["refused"] > 0]["variant"])
    refusals = f" Lines that end early belong to models that refuse longer sequences: {', '.join(refusing)}."
    marked = " A hollow diamond is the half-life: the difficulty at which the typical run has half of its skill left."
    return (
        "Skill (0 = guessing, 1 = perfect) on test sequences of one difficulty each, mean over replicates, with 95 % intervals "
        "as bands; lines beyond six in a panel are grey. On the grey ground, sequences are harder than any in training."
        f"{marked} Difficulty is {_names(table)}." + (refusals if refusing else "")
    )


def _names(table: pd.DataFrame) -> str:
    """What is called difficulty in each task, as in "the delay in copying, the length in adding and parity"."""
    names = table.drop_duplicates("task").groupby("difficulty_is", sort=False)["task"].agg(list)
    return ", ".join(f"the {name} in {in_a_row(tasks)}" for name, tasks in names.items())


DIFFICULTY = FigureKind("Skill against difficulty", table, finding, draw, caption)
