"""The gradient's norm against the distance of the input from the answer."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, MaxNLocator, NullLocator

from reports.estimates import Estimates
from reports.figures.base import FigureKind, panels, power_of_ten, powers_of_ten, unique
from reports.figures.labels import POINTS, foremost
from reports.figures.lines import draw_lines, finish
from reports.prose import in_a_row

TITLES = {"initial": "before training", "trained": "after training"}
HEIGHT = 2.2
"""Inches; that of a panel."""
MOST_NAMED = 3
"""The networks, the foremost ones, of which a title names that with the least and that with the most gradient."""
LOWEST = 1e-10
"""Gradients below this share of the largest are drawn there."""


def table(estimates: Estimates) -> pd.DataFrame:
    """task, when, variant, distance, mean, n, cue: the geometric mean over seeds of the norm relative to its largest.

    `cue` is the mean distance of the step that decides the answer; NaN where a task has none, or the record does not say.
    """
    results = estimates.results
    frame = results.gradient[results.gradient["norm"] > 0]
    logs = frame.assign(log=np.log(frame["relative"]))
    means = (
        logs.groupby(["task", "when", "variant", "distance"], sort=False)["log"].agg(["mean", "count"]).reset_index()
    )
    cues: dict[str, list[float]] = {}
    for run, setting in results.runs("replicates"):
        cues.setdefault(setting.task, []).append(run.metrics.get("cue_distance", float("nan")))
    cue = means["task"].map({task: float(np.mean(each)) for task, each in cues.items()})
    return means.assign(mean=np.exp(means["mean"]), cue=cue.astype(float)).rename(columns={"count": "n"})


def draw(table: pd.DataFrame) -> Figure:
    keys = list(dict.fromkeys(zip(table["task"], table["when"], strict=True)))
    variants = unique(table["variant"])
    figure, axes = panels([f"{task}, {TITLES[when]}" for task, when in keys], HEIGHT)
    for axis, (task, when) in zip(axes, keys, strict=True):
        both, rows = table[table["task"] == task], table[(table["task"] == task) & (table["when"] == when)]
        labels = draw_lines(axis, rows, "distance", variants)
        lowest = max(LOWEST, both["mean"].min())  # the same before and after training, so that the two compare
        axis.set(xlabel="steps before the answer", ylabel="relative gradient norm", yscale="log", ylim=(lowest / 2, 2))
        axis.xaxis.set_major_locator(MaxNLocator("auto", integer=True))
        _few_powers(axis)
        cue = rows["cue"].iloc[0]
        if not np.isnan(cue):
            axis.axvline(cue, color="#444444", linewidth=0.9, linestyle=":", zorder=1)
            axis.text(cue, 0.04, " cue", transform=axis.get_xaxis_transform(), fontsize=POINTS, color="#444444")
        finish(axis, labels, HEIGHT)
    return figure


def _few_powers(axis: Axes) -> None:
    axis.yaxis.set_major_locator(LogLocator(numticks=6))
    axis.yaxis.set_minor_locator(NullLocator())
    powers_of_ten(axis.yaxis)


def finding(table: pd.DataFrame) -> str:
    """What of the gradient arrives from the cue (or the first step) in the network where least does and where most does."""
    first = at_cue(table[table["when"] == "initial"])
    if first.empty:
        return "The gradient over distance, after training"
    named = first[first.index.get_level_values(1).isin(foremost(unique(table["variant"]), MOST_NAMED))]
    task = named.idxmin()[0]
    before, after = named[task], at_cue(table[(table["when"] == "trained") & (table["task"] == task)])
    least, most = str(before.idxmin()), str(before.idxmax())
    place = "the cue" if table[table["task"] == task]["cue"].notna().all() else "the first step"
    told = f"On {task}, {_power(before[least])} of the gradient of {least} reaches {place} before training"
    told += f" and {_power(before[most])} of that of {most}" if most != least else ""
    trained = [_power(after[task, name]) for name in dict.fromkeys((least, most)) if (task, name) in after.index]
    return f"{told}; after it {in_a_row(trained)}" if trained else told


def at_cue(table: pd.DataFrame) -> pd.Series:
    """(task, variant) -> the mean at the cue, between two distances by their logarithms; without a cue at the largest one."""
    values = {}
    for key, line in table.sort_values("distance").groupby(["task", "variant"], sort=False):
        place = line["cue"].iloc[0] if not np.isnan(line["cue"].iloc[0]) else line["distance"].iloc[-1]
        values[key] = float(np.exp(np.interp(place, line["distance"], np.log(line["mean"]))))
    return pd.Series(values, dtype=float)


def _power(share: float) -> str:
    """A share in few characters, small ones as a power of ten.

    >>> _power(0.234), _power(2e-7)
    ('0.23', '10⁻⁷')
    """
    return f"{share:.2f}" if share >= 0.01 else power_of_ten(share)


def caption(table: pd.DataFrame) -> str:
    tasks = unique(table["task"])
    has_cue = table["cue"].notna().any()
    cue = "The dotted line is the mean distance of the cue, the step that decides the answer. " if has_cue else ""
    return (
        "Norm of the gradient of the loss with respect to each input, against the number of steps between that input and the "
        "answer. It is relative to the largest norm over all steps, a geometric mean over replicates, on "
        f"{in_a_row(tasks)}, on a logarithmic axis. {cue}A straight line downwards is a gradient that vanishes exponentially. A "
        "line that stays high shows that the gradient reaches inputs far back. Lines beyond six in a panel are grey."
    )


GRADIENT_FLOW = FigureKind("Gradient over distance", table, finding, draw, caption)
