"""A figure of your own in the report: the best learning rates of each network, one mark for each trial.

    ablate run examples/own_figure.py
    ablate report examples/own_figure.py

A figure is two functions: one computes a small table from the record, which is written as CSV too, and one draws it.
"""

import pandas as pd
import seaborn as sns
from matplotlib.figure import Figure

from ablations.study import VARIANTS, Budget, Range, Scale, Study
from reports.estimates import Estimates
from reports.figures import FIGURES
from reports.figures.base import FigureKind
from tasks import TASKS


def table(estimates: Estimates) -> pd.DataFrame:
    """variant, lr, skill: a row for each replicate, with the learning rate that its search has chosen."""
    replicates = estimates.results.replicates
    rates = {run.run_id: run.factors["lr"] for run in estimates.results.study.replicates}
    return replicates[["variant", "skill"]].assign(lr=replicates["run_id"].map(rates))


def draw(table: pd.DataFrame) -> Figure:
    figure = Figure(figsize=(7, 2.5))
    axis = figure.subplots()
    sns.stripplot(table, x="skill", y="variant", hue="variant", legend=False, ax=axis)
    for place, (_, rows) in enumerate(table.groupby("variant", sort=False)):
        axis.annotate(f"learning rate {rows['lr'].iloc[0]:.2g}", (0.01, place), va="bottom", fontsize=8)
    axis.set(xlim=(-0.2, 1.05), ylabel="")
    return figure


def finding(table: pd.DataFrame) -> str:
    """What the numbers say, as the figure's title."""
    means = table.groupby("variant", sort=False)["skill"].mean()
    return f"The highest mean skill, {means.max():.2f}, is that of {means.idxmax()}"


def caption(table: pd.DataFrame) -> str:
    return f"The skill of each of {len(table)} replicates, and the learning rate that the search of its network has chosen."


FIGURES["own_rates"] = FigureKind("Skill and the learning rate behind it", table, finding, draw, caption)

SMOKE = Budget(  # some seconds, to see that it runs; its numbers mean nothing
    trials=2,
    trials_per_round=1,
    search_seeds=1,
    replicates=2,
    steps=20,
    segments=2,
    batch=8,
    parameters=1500,
    validation=32,
    test=64,
)
DEMO = Budget(  # about a minute on two cores
    trials=6,
    trials_per_round=3,
    search_seeds=2,
    replicates=6,
    steps=900,
    segments=9,
    batch=32,
    parameters=3000,
)

STUDY = Study(
    name="own_figure",
    question="Which learning rates do the cells want?",
    variants=(VARIANTS["rnn"], VARIANTS["gru"], VARIANTS["lstm"]),
    baseline="lstm",
    nuisance={"lr": Range(1e-3, 1e-1)},
    scales={
        "smoke": Scale(tasks={"adding": TASKS["adding"](length=6)}, budget=SMOKE),
        "demo": Scale(tasks={"adding": TASKS["adding"](length=20)}, budget=DEMO),
    },
)
