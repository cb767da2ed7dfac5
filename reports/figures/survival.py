"""The share of runs that have not reached the criterion, against the sequences seen."""

import pandas as pd
from matplotlib.figure import Figure

from reports.estimates import Estimates
from reports.figures.base import FigureKind, compact, counts, panels, several, unique
from reports.figures.lines import draw_lines, finish
from reports.prose import in_a_row
from reports.statistics.survival import survival

HEIGHT = 2.2
"""Inches; that of a panel."""
MOST_TASKS = 4
"""The most tasks that a title names."""


def table(estimates: Estimates) -> pd.DataFrame:
    """task, variant, sequences, share, low, high: the survival curve of each network; n, and the criterion."""
    plan, end = estimates.results.study.plan, float(estimates.training_sequences)
    frames = [
        survival(times, end).assign(
            task=setting.task, variant=setting.variant, n=len(times), criterion=plan["solved_at"]
        )
        for setting in estimates.results.study.settings
        if len(times := estimates.sequences_to_criterion(setting.task, setting.variant))
    ]
    columns = ["task", "variant", "sequences", "share", "low", "high", "n", "criterion"]
    return pd.concat(frames, ignore_index=True)[columns] if frames else pd.DataFrame(columns=columns)


def draw(table: pd.DataFrame) -> Figure:
    tasks, variants = unique(table["task"]), unique(table["variant"])
    figure, axes = panels(tasks, HEIGHT)
    for axis, task in zip(axes, tasks, strict=True):
        labels = draw_lines(axis, table[table["task"] == task], "sequences", variants, "share", "steps-post")
        axis.set(xlabel="sequences seen", ylabel="share not there yet", xlim=(0, None), ylim=(-0.04, 1.04))
        counts(axis.xaxis)
        finish(axis, labels, HEIGHT)
    return figure


def finding(table: pd.DataFrame) -> str:
    """Who is the first on each task to have half of its seeds at the criterion, and after how many sequences."""
    half = table[table["share"] <= 0.5].groupby(["task", "variant"], sort=False)["sequences"].min()
    firsts: list[str] = []
    for task, times in half.groupby("task", sort=False):
        names = [variant for _, variant in times[times == times.min()].index]
        firsts.append(f"{several(names)} on {task} ({_after(times.min(), not firsts)})")
    criterion = f"{table['criterion'].iloc[0]:g}"
    if not firsts:
        return f"No network has half of its seeds at {criterion} within the budget"
    more = f" and on {len(firsts) - MOST_TASKS} more" if len(firsts) > MOST_TASKS else ""
    return f"Half of the seeds reach {criterion} first with {', '.join(firsts[:MOST_TASKS])}{more}"


def _after(sequences: float, is_first: bool) -> str:
    """A number of sequences; the first in a row says of what."""
    return f"after {compact(sequences)} sequences" if is_first else compact(sequences)


def caption(table: pd.DataFrame) -> str:
    last = table.groupby(["task", "variant"], sort=False).last().reset_index()
    never = last[last["share"] == 1.0].groupby("task", sort=False)["variant"].agg(list)
    tasks = [task for task in unique(table["task"]) if len(never.get(task, ())) == (last["task"] == task).sum()]
    by_none = f" On {in_a_row(tasks)} no seed of any network did." if tasks else ""
    return (
        "The share of seeds whose validation score at the nominal difficulty has not yet reached "
        f"{table['criterion'].iloc[0]:g}, against the training sequences seen (Kaplan and Meier). A curve that falls early "
        "belongs to a network that learns fast. Seeds that a curve has left at its right end did not reach the criterion "
        f"within the budget; how many more sequences they would need is not known. Lines beyond six in a panel are grey."
        f"{by_none}"
    )


SURVIVAL = FigureKind("Sequences until a task is learnt", table, finding, draw, caption)
