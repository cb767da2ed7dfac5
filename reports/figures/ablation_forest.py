"""Forest plot of the ablations: each variant's difference to its parent, on each task and over all tasks, in three views.

The views: tuned at equal parameters; tuned at equal hidden size; and at equal parameters with the parent's
hyperparameters. The second one is left out of a variant whose hidden size is its parent's in the first one too.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from reports.claims.comparison import MARGIN
from reports.document import as_text
from reports.estimates import Estimates
from reports.figures.base import FigureKind, panels, shared_legend, unique
from reports.prose import in_a_row
from reports.statistics.decision import FEWEST
from reports.statistics.intervals import mean, mean_over_tasks, probability_of_improvement
from reports.statistics.sample import Sample, sample

ALL = "all tasks"
TUNED, HIDDEN, TRANSFERRED = "equal parameters", "equal hidden size", "parent's hyperparameters"
VIEWS = {
    TUNED: ("#0072b2", "o", "#0072b2", -0.24),
    HIDDEN: ("#009e73", "s", "#009e73", 0.0),
    TRANSFERRED: ("#d55e00", "D", "white", 0.24),
}
"""Colour, marker, colour of its face, and vertical shift of each view."""
LABELS = {
    TUNED: "equal parameters, tuned",
    HIDDEN: "equal hidden size, tuned",
    TRANSFERRED: "equal parameters, parent's hyperparameters",
}

MOST_NAMED = 3
"""The most variants of a kind that a title names."""

COLUMNS = [
    "task", "variant", "parent", "view", "difference", "low", "high", "P(better)", "P low", "P high", "ties", "n",
]  # fmt: skip


def table(estimates: Estimates) -> pd.DataFrame:
    """`COLUMNS`: the paired difference in skill to the parent, on each task and pooled; empty if there are no ablations."""
    results = estimates.results
    if not results.study.plan["parents"]:
        return pd.DataFrame(columns=COLUMNS)
    rows = [
        row
        for variant, parent in results.compared_to.items()
        for view in VIEWS
        for row in _rows(estimates, variant, parent, view)
    ]
    return pd.DataFrame(rows, columns=COLUMNS)


def _differences(estimates: Estimates, variant: str, parent: str, view: str) -> Mapping[str, Sample]:
    """task -> the paired differences in skill of one view; without tasks that have none."""
    if view != HIDDEN:
        return estimates.differences(variant, parent, transferred=view == TRANSFERRED)
    results = estimates.results
    names = {task: results.at_hidden_of(variant, parent, task) for task in results.tasks}
    if set(names.values()) <= {variant, None}:
        return {}
    pairs = ((task, estimates.difference(name, parent, task)) for task, name in names.items() if name)
    return {task: by_seed for task, by_seed in pairs if by_seed}


def _rows(estimates: Estimates, variant: str, parent: str, view: str) -> Iterator[list[object]]:
    by_task = _differences(estimates, variant, parent, view)
    effects = [(task, mean(differences), differences) for task, differences in by_task.items()]
    # The same mean as in the claims: over the tasks that were learnt.
    if learnt := [each for task, each in by_task.items() if estimates.was_solved(task, variant, parent)]:
        everything = sample(np.concatenate([each.values for each in learnt]))
        effects.append((ALL, mean_over_tasks(learnt), everything))
    for task, effect, differences in effects:
        better = probability_of_improvement(differences)
        yield [task, variant, parent, view, effect.value, effect.low, effect.high,
               better.value, better.low, better.high, differences.n - better.n, effect.n]  # fmt: skip


def draw(table: pd.DataFrame) -> Figure:
    tasks, variants = unique(table["task"]), unique(table["variant"])
    tasks = [*(task for task in tasks if task != ALL), ALL]
    figure, axes = panels(tasks, height=0.38 * len(variants) + 1.2, columns=len(tasks), sharey=True)
    for axis, task in zip(axes, tasks, strict=True):
        rows = table[table["task"] == task]
        axis.axvspan(-MARGIN, MARGIN, color="#e6e6e6", linewidth=0, zorder=0)
        axis.axvline(0, color="#444444", linewidth=1)
        for view in (view for view in VIEWS if view in set(rows["view"])):
            _draw_view(axis, rows[rows["view"] == view], view, variants)
        axis.set_xlabel("difference in skill")
    first = table.drop_duplicates("variant").set_index("variant")["parent"]
    labels = [f"{variant}\nagainst {first[variant]}" for variant in variants]
    axes[0].set_yticks(range(len(variants)), labels)
    axes[0].set_ylim(len(variants) - 0.5, -0.5)
    _write_chances(axes[-1], table[(table["task"] == ALL) & (table["view"] == TUNED)], variants)
    shared_legend(figure, axes)
    return figure


def _draw_view(axis: Axes, rows: pd.DataFrame, view: str, variants: list[str]) -> None:
    colour, marker, face, shift = VIEWS[view]
    places = [variants.index(variant) + shift for variant in rows["variant"]]
    axis.hlines(places, rows["low"], rows["high"], color=colour, linewidth=3.5, alpha=0.4, capstyle="butt")
    style: dict[str, Any] = {"marker": marker, "markersize": 3.5, "markerfacecolor": face, "markeredgecolor": colour}
    axis.plot(rows["difference"], places, linestyle="none", label=LABELS[view], **style)


def _write_chances(axis: Axes, rows: pd.DataFrame, variants: list[str]) -> None:
    """Writes P(better) and n of the first view to the right of a panel."""
    right = axis.get_yaxis_transform()
    axis.text(1.04, -0.6, "P(better), n", transform=right, fontsize=7, va="bottom")
    for variant, chance, n in zip(rows["variant"], rows["P(better)"], rows["n"], strict=True):
        axis.text(
            1.04, variants.index(variant), f"{as_text(round(chance, 2))}, {n}", transform=right, fontsize=7, va="center"
        )


def decided(table: pd.DataFrame) -> tuple[list[str], list[str]]:
    """The variants that are clearly worse than their parent over all tasks, the worst first, and those clearly better."""
    tuned = table[table["view"] == TUNED]
    fewest = tuned.groupby("variant")["n"].min()
    rows = tuned[(tuned["task"] == ALL) & (tuned["variant"].map(fewest) >= FEWEST)].sort_values("difference")
    worse, better = rows[rows["high"] < -MARGIN], rows[rows["low"] > MARGIN]
    return worse["variant"].tolist(), better["variant"].tolist()[::-1]


def finding(table: pd.DataFrame) -> str:
    """Which changes cost most skill over all tasks, and which gain some."""
    worse, better = decided(table)
    all_tasks = table[(table["task"] == ALL) & (table["view"] == TUNED)].set_index("variant")["difference"]
    if not worse and not better:
        return f"No change is clearly better or worse than its parent by more than {MARGIN} over all tasks"
    costs = [f"{name} ({as_text(round(all_tasks[name], 2))})" for name in worse[:MOST_NAMED]]
    gains = [f"{name} (+{as_text(round(all_tasks[name], 2))})" for name in better[:MOST_NAMED]]
    parts = ([f"clearly worse are {in_a_row(costs)}"] if costs else []) + (
        [f"clearly better {in_a_row(gains)}"] if gains else []
    )
    return f"Against their parents, over all tasks, {'; '.join(parts)}"


def caption(table: pd.DataFrame) -> str:
    worse, better = (", ".join(names) or "none" for names in decided(table))
    return (
        "Skill of each variant minus skill of its parent (of the study's baseline if it has none), paired by seed, with 95 % "
        "intervals as bars: the mean on each task, and the mean of the tasks' means over all tasks that were learnt. Each "
        f"panel has its own scale. The grey band, ±{MARGIN}, holds differences without practical importance. Each view holds "
        "something else fixed. Filled circles: equal parameters, both tuned with the same budget; the hidden sizes can "
        "differ. Filled squares: equal hidden size, both tuned with the same budget; the numbers of parameters can differ. A "
        "variant without squares has its parent's hidden size at equal parameters, or was not trained at it. Open diamonds: "
        "equal parameters, the variant transferred, with its parent's hyperparameters; the hidden sizes can differ. P(better) "
        "is the share of seeds in which the variant at equal parameters, tuned, is better, of those that are not tied. Over "
        f"all tasks clearly worse: {worse}; clearly better: {better} (in that view, the whole interval beyond the band, at "
        f"least {FEWEST} runs on each task)."
    )


ABLATION_FOREST = FigureKind("Ablations", table, finding, draw, caption)
