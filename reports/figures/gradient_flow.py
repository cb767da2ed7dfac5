"""The gradient's norm against the distance of the input from the answer."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from reports.estimates import Estimates
from reports.figures.base import FigureKind, in_a_row, panels, powers_of_ten, shared_legend, unique
from reports.style import style_of

MAIN_VARIANTS = ("rnn", "lstm", "gru", "reservoir", "tcn")
"""The variants of this figure in a study without ablations. With ablations, all are in it, but for their other sizes."""
TITLES = {"initial": "before training", "trained": "after training"}


def table(estimates: Estimates) -> pd.DataFrame:
    """task, when, variant, distance, mean, n: the geometric mean over seeds of the norm relative to its largest."""
    results = estimates.results
    variants = [s.variant for s in results.study.settings if not s.base]
    variants = variants if results.study.plan["parents"] else [*MAIN_VARIANTS]
    frame = results.gradient[results.gradient["variant"].isin(variants) & (results.gradient["norm"] > 0)]
    logs = frame.assign(log=np.log(frame["relative"]))
    means = (
        logs.groupby(["task", "when", "variant", "distance"], sort=False)["log"].agg(["mean", "count"]).reset_index()
    )
    return means.assign(mean=np.exp(means["mean"])).rename(columns={"count": "n"})


def draw(table: pd.DataFrame) -> Figure:
    keys = list(dict.fromkeys(zip(table["task"], table["when"], strict=True)))
    variants = unique(table["variant"])
    figure, axes = panels([f"{task}, {TITLES[when]}" for task, when in keys], height=2.2, sharey=True)
    for axis, (task, when) in zip(axes, keys, strict=True):
        rows = table[(table["task"] == task) & (table["when"] == when)]
        for variant in variants:
            line = rows[rows["variant"] == variant].sort_values("distance")
            axis.plot(line["distance"], line["mean"], label=variant, **(style_of(variant, variants) | {"markevery": 4}))
        axis.set(xlabel="steps before the answer", ylabel="relative gradient norm", yscale="log")
        powers_of_ten(axis.yaxis)
        axis.xaxis.set_major_locator(MaxNLocator("auto", integer=True))
        axis.set_ylim(max(1e-10, table["mean"].min() / 2), 2)
    shared_legend(figure, axes)
    return figure


def caption(table: pd.DataFrame) -> str:
    tasks = unique(table["task"])
    return (
        "Norm of the gradient of the loss with respect to each input, against the number of steps between that input and the "
        "answer. It is relative to the largest norm over all steps, a geometric mean over replicates, on "
        f"{in_a_row(tasks)}, on a logarithmic axis. A straight line downwards is a gradient that vanishes exponentially. A "
        "line that stays high shows that the gradient reaches inputs far back."
    )


GRADIENT_FLOW = FigureKind("Gradient over distance", table, draw, caption)
