"""Gates and memory of recurrent networks, step by step over one sequence."""

from collections.abc import Iterable, Iterator

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ablations.record.schema import RunRecord, SettingRecord
from reports.estimates import Estimates
from reports.figures.base import FigureKind, unique
from reports.figures.labels import POINTS, Label, coloured
from reports.figures.lines import finish
from reports.mechanisms import first_replicates
from reports.style import WIDTH

COLUMNS = ["task", "variant", "place", "step", "role", "quantity", "unit", "value", "low", "high"]
GATES = {"i": "input", "f": "forget", "o": "output", "r": "reset", "z": "update"}
"""What gates of the usual letters are called."""
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#000000")
ROLES = {"store": "#e3eefa", "answer": "#fdeedd"}
"""The ground of steps whose content is to be stored, and of those at which is answered."""
MOST_VARIANTS = 3
ABREAST = 24
"""The most steps of panels that stand abreast; longer sequences have a row of their own."""
HEIGHTS = (1.9, 1.5)
"""Inches; of the panel of gates and of that of memory."""


def table(estimates: Estimates) -> pd.DataFrame:
    """`COLUMNS` of the first replicates on the first task whose sequences have something to store, of up to three networks.

    A row for each step and quantity that the cell's equations name: its mean over units, and `low` and `high`, between which
    80 % of them are; and a row for each step and unit of its memory (`unit` counts from 0, and is −1 in a mean).
    """
    runs = [(s, run) for s, run in first_replicates(estimates.results, "memory") if "store" in _roles(run)]
    own = [(s, run) for s, run in runs if s.task == runs[0][0].task and not s.base]
    chosen = coloured([s.variant for s, _ in own])[:MOST_VARIANTS]
    return table_of((s, run) for s, run in own if s.variant in chosen)


def table_of(runs: Iterable[tuple[SettingRecord, RunRecord]]) -> pd.DataFrame:
    """`COLUMNS` of some replicates."""
    return pd.DataFrame([row for setting, run in runs for row in _rows(setting, run)], columns=COLUMNS)


def _roles(run: RunRecord) -> list[str]:
    return list(run.mechanisms["memory"]["roles"])


def _rows(setting: SettingRecord, run: RunRecord) -> Iterator[list[object]]:
    memory = run.mechanisms["memory"]
    steps = list(enumerate(zip(memory["steps"], memory["roles"], strict=True)))
    for name, lines in memory["quantities"].items():
        for place, step in steps:
            values = [lines[each][place] for each in ("mean", "low", "high")]
            yield [setting.task, setting.variant, place, *step, name, -1, *values]
    for unit, values in enumerate(memory["units"]):
        for place, step in steps:
            yield [setting.task, setting.variant, place, *step, memory["state"], unit, *[values[place]] * 3]


def gates(table: pd.DataFrame) -> pd.DataFrame:
    """The rows of gates: of quantities other than the memory that stay from 0 to 1 in all units."""
    means = table[table["unit"] < 0]
    within = means.groupby(["variant", "quantity"])[["low", "high"]].agg({"low": "min", "high": "max"})
    is_gate = (within["low"] >= 0) & (within["high"] <= 1)
    keys = pd.MultiIndex.from_frame(means[["variant", "quantity"]])
    state = table[table["unit"] >= 0].drop_duplicates("variant").set_index("variant")["quantity"]
    other = ~means["quantity"].isin(["h", *state])
    return means[is_gate.reindex(keys).to_numpy() & other.to_numpy()]


def draw(table: pd.DataFrame) -> Figure:
    variants = unique(table["variant"])
    is_abreast = table["place"].max() < ABREAST
    rows, columns = (2, len(variants)) if is_abreast else (2 * len(variants), 1)
    heights = HEIGHTS if is_abreast else HEIGHTS * len(variants)
    figure = Figure(figsize=(WIDTH * (min(1, 0.42 * columns) if is_abreast else 1), sum(heights)))
    axes = figure.subplots(rows, columns, squeeze=False, height_ratios=heights)
    for index, variant in enumerate(variants):
        upper, lower = axes[:, index] if is_abreast else axes[2 * index : 2 * index + 2, 0]
        own = table[table["variant"] == variant]
        upper.set_title(variant)
        _draw_gates(upper, gates(own), own)
        _draw_memory(lower, own[own["unit"] >= 0])
    return figure


def _draw_gates(axis: Axes, rows: pd.DataFrame, all_rows: pd.DataFrame) -> None:
    steps = all_rows.drop_duplicates("place")
    _shade(axis, steps)
    labels = []
    for name, colour in zip(unique(rows["quantity"]), COLOURS, strict=False):
        line = rows[rows["quantity"] == name]
        axis.plot(line["place"], line["value"], color=colour, linewidth=1.5)
        axis.fill_between(line["place"], line["low"], line["high"], color=colour, alpha=0.08, linewidth=0)
        labels.append(Label(line["place"].iloc[-1], line["value"].iloc[-1], GATES.get(name, name), colour))
    if not labels:
        axis.text(0.5, 0.5, "no gates", transform=axis.transAxes, ha="center", color="#666666", fontsize=POINTS)
    axis.set(ylim=(-0.03, 1.03), ylabel="gate, mean of units")
    axis.grid(visible=False, axis="x")
    _label_steps(axis, steps, with_texts=False)
    finish(axis, labels, HEIGHTS[0])


def _shade(axis: Axes, steps: pd.DataFrame) -> None:
    for row in steps.itertuples():
        if row.role in ROLES:
            axis.axvspan(row.place - 0.5, row.place + 0.5, color=ROLES[row.role], linewidth=0, zorder=0)


def _draw_memory(axis: Axes, rows: pd.DataFrame) -> None:
    values = rows.pivot(index="unit", columns="place", values="value").to_numpy()
    # Units that are highest early stand above those that are so late: what is stored when can be followed.
    values = values[np.argsort(np.abs(values).argmax(1), kind="stable")]
    most = np.abs(values).max() or 1.0
    axis.imshow(values, aspect="auto", cmap="RdBu_r", vmin=-most, vmax=most, interpolation="nearest")
    axis.set_yticks([])
    axis.grid(visible=False)
    axis.set_ylabel(f"units of {rows['quantity'].iloc[0]}")
    _label_steps(axis, rows.drop_duplicates("place"), with_texts=True)


def _label_steps(axis: Axes, steps: pd.DataFrame, with_texts: bool) -> None:
    axis.set_xlim(-0.5, len(steps) - 0.5)
    texts = steps["step"].tolist() if any(steps["step"]) else [str(place) for place in steps["place"]]
    is_long = max(map(len, texts)) > 2
    axis.set_xticks(steps["place"], texts if with_texts else [], fontsize=POINTS - 0.5, rotation=90 if is_long else 0)
    axis.tick_params(axis="x", length=2)


def by_role(table: pd.DataFrame) -> pd.DataFrame:
    """The mean of each gate over the steps of each role: a row for each variant and gate, columns `store`, `` and `answer`."""
    return gates(table).pivot_table(index=["variant", "quantity"], columns="role", values="value", sort=False)


def finding(table: pd.DataFrame) -> str:
    """The gate that differs most between steps that are stored and steps that are waited through."""
    means = by_role(table)
    if means.empty or not {"store", ""} <= set(means):
        return f"What {unique(table['variant'])[0]} holds in its memory, step by step"
    variant, name = (means["store"] - means[""]).abs().idxmax()
    one = means.loc[(variant, name)]
    end = f", {one['answer']:.2f} while it answers" if "answer" in one else ""
    gate = f"{GATES.get(name, name)} gate of {variant}"
    return f"The {gate} is at {one['store']:.2f} while it stores, {one['']:.2f} while it waits{end}"


def caption(table: pd.DataFrame) -> str:
    letters = [name for name in unique(gates(table)["quantity"]) if name in GATES]
    update = " An update gate near 1 keeps the state as it is." if "z" in letters else ""
    return (
        f"The first replicates over one sequence of {unique(table['task'])[0]}, the same for all, whose steps are on the axis. "
        "On blue ground something is to be stored, on orange it is answered. Above, each gate from 0 (shut) to 1 (open): the "
        f"mean over units, and the band that holds 80 % of them.{update} Below, the memory of those units that change most, "
        "one a row, red above zero and blue below: a row that keeps its colour from a blue step to the end holds something. "
        "Of a bidirectional network it is the half that reads from left to right, of several layers the first."
    )


GATES_AND_MEMORY = FigureKind("Gates and memory", table, finding, draw, caption)
