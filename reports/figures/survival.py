"""The share of runs that have not reached the criterion, against the sequences seen."""

import pandas as pd
from matplotlib.figure import Figure

from reports.estimates import Estimates
from reports.figures.base import FigureKind, counts, in_a_row, panels, shared_legend, unique
from reports.statistics.survival import survival
from reports.style import style_of


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
    figure, axes = panels(tasks, height=2.2, sharey=True)
    for axis, task in zip(axes, tasks, strict=True):
        rows = table[table["task"] == task]
        for variant in unique(rows["variant"]):
            line = rows[rows["variant"] == variant]
            axis.plot(
                line["sequences"], line["share"], drawstyle="steps-post", label=variant, **style_of(variant, variants)
            )
        axis.set(xlabel="sequences seen", ylim=(-0.04, 1.04))
        counts(axis.xaxis)
    for axis in axes:
        if axis.get_subplotspec().is_first_col():  # type: ignore[union-attr]  # panels are of a grid
            axis.set_ylabel("not there yet")
    shared_legend(figure, axes)
    return figure


def caption(table: pd.DataFrame) -> str:
    last = table.groupby(["task", "variant"], sort=False).last().reset_index()
    never = last[last["share"] == 1.0].groupby("task", sort=False)["variant"].agg(list)
    tasks = [task for task in unique(table["task"]) if len(never.get(task, ())) == (last["task"] == task).sum()]
    by_none = f" On {in_a_row(tasks)} no seed of any network did." if tasks else ""
    return (
        "The share of seeds whose validation score at the nominal difficulty has not yet reached "
        f"{table['criterion'].iloc[0]:g}, against the training sequences seen (Kaplan and Meier). A curve that falls early "
        "belongs to a network that learns fast. Seeds that a curve has left at its right end did not reach the criterion "
        f"within the budget; how many more sequences they would need is not known.{by_none}"
    )


SURVIVAL = FigureKind("Sequences until a task is learnt", table, draw, caption)
