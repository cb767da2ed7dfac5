"""How much of the gradient arrives at inputs far back."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from reports.figures.base import FigureKind, panels, powers_of_ten, shared_legend, unique
from reports.result_tables import ResultTables
from reports.style import style_of

SHOWN = ("rnn", "lstm", "gru", "reservoir", "tcn")
"""Of a study without ablations; of one with them all are."""
TITLES = {"initial": "before training", "trained": "after training"}


def table(results: ResultTables, rng: np.random.Generator) -> pd.DataFrame:
    """task, when, variant, distance, mean: the geometric mean over seeds of the norm relative to its largest."""
    shown = results.variants if results.study.plan["parents"] else SHOWN
    frame = results.gradient[results.gradient["variant"].isin(shown) & (results.gradient["norm"] > 0)]
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
        "Norm of the loss's gradient with respect to the input so many steps before the answer, relative to the largest "
        f"over all steps, geometric mean over replicates, on {' and '.join(tasks)}; logarithmic. A straight fall is a "
        "gradient that vanishes exponentially; a line that stays up has kept a path to what was read long ago."
    )


GRADIENT_FLOW = FigureKind("Gradient over distance", table, draw, caption)
