"""Summary of one setting for MLflow: a description, aggregates over its replicates, and a figure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ablations.record.schema import RunRecord, SettingRecord
from reports.result_tables import ResultTables
from reports.statistics import Estimate, mean
from reports.style import as_svg, style_of, styled

MARGINS = {"left": 0.08, "right": 0.99, "bottom": 0.18, "top": 0.9, "wspace": 0.06}
"""Around and between the two panels, as shares of the figure."""


@dataclass(frozen=True)
class Summary:
    """A description in Markdown, the aggregates as metrics, and a figure as SVG."""

    setting: SettingRecord
    text: str
    metrics: Mapping[str, float]
    svg: str


def summaries(results: ResultTables, seed: int) -> Iterator[Summary]:
    """The summary of each setting that has replicates; each one's intervals are drawn from a generator of that seed."""
    with styled():
        panels = _Panels()
    for setting in results.study.settings:
        runs = [run for run in results.study.replicates if run.setting == setting.identity]
        if runs:
            yield _summary(results, setting, runs[0], panels, np.random.default_rng(seed))


def _summary(
    results: ResultTables, setting: SettingRecord, run: RunRecord, panels: "_Panels", rng: np.random.Generator
) -> Summary:
    rows = results.replicates
    rows = rows[(rows["task"] == setting.task) & (rows["variant"] == setting.variant)]
    estimates = {name: mean(rows[name], rng) for name in ("score", "skill")}
    metrics = {
        f"{name}{end}": value
        for name, estimate in estimates.items()
        for end, value in (("", estimate.value), ("_low", estimate.low), ("_high", estimate.high))
        if np.isfinite(value)
    }
    return Summary(setting, _text(setting, run, estimates), metrics, panels.svg(results, setting))


def _text(setting: SettingRecord, run: RunRecord, estimates: Mapping[str, Estimate]) -> str:
    factors = ", ".join(f"{name} {value:.4g}" for name, value in run.factors.items() if isinstance(value, float))
    references = ", ".join(f"{name} {value:.4g}" for name, value in setting.references.items())
    return "\n".join(
        [
            f"**{setting.variant} on {setting.task}** ({setting.difficulty} {setting.nominal})",
            "",
            f"- test score {estimates['score']}; references: {references}",
            f"- skill {estimates['skill']}",
            f"- best hyperparameters: {factors}",
            f"- hidden size {setting.hidden}, {setting.parameters} parameters",
        ]
    )


class _Panels:
    """The figure of one setting after the other. To make new axes and ticks for each would take most of the time."""

    def __init__(self) -> None:
        self._figure = Figure(figsize=(7.2, 2.6), dpi=72)  # the dpi of an SVG
        self._figure.set_layout_engine("none")  # the margins are known
        self._left, self._right = self._figure.subplots(1, 2, sharey=True, gridspec_kw=MARGINS)
        self._left.set(xlabel="sequences seen", ylabel="score", title="validation, each replicate", ylim=(-0.04, 1.04))
        self._right.set(title="test, each replicate")

    def svg(self, results: ResultTables, setting: SettingRecord) -> str:
        """The scores of each replicate, while it was trained and at each difficulty."""
        self._right.set_xlabel(setting.difficulty)
        with styled():
            self._draw(self._left, results.curves, "sequences", results, setting)
            self._draw(self._right, results.difficulty, "difficulty", results, setting)
            return as_svg(self._figure)

    def _draw(self, axis: Axes, frame: pd.DataFrame, x: str, results: ResultTables, setting: SettingRecord) -> None:
        for line in [*axis.lines]:
            line.remove()
        style = style_of(setting.variant, results.variants) | {"alpha": 0.6}
        rows = frame[(frame["task"] == setting.task) & (frame["variant"] == setting.variant)]
        for _, run in rows.groupby("seed"):
            axis.plot(run[x], run["score"], **style)
        axis.axhline(setting.references["chance"], color="#444444", linestyle=":", linewidth=1)
        axis.relim()
        axis.autoscale(axis="x")
