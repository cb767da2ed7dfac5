"""Summary of one setting for MLflow: a description, aggregates over its replicates, and a figure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ablations.record.schema import RunRecord, SettingRecord
from reports.estimates import Estimates
from reports.result_tables import ResultTables
from reports.statistics.sample import Estimate
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


def summaries(estimates: Estimates) -> Iterator[Summary]:
    """The summary of each setting that has replicates."""
    study = estimates.results.study
    with styled():
        panels = _Panels()
    for setting in study.settings:
        runs = [run for run in study.replicates if run.setting == setting.identity]
        if runs:
            yield _summary(estimates, setting, runs[0], panels)


def _summary(estimates: Estimates, setting: SettingRecord, run: RunRecord, panels: "_Panels") -> Summary:
    means = {
        name: found for name in ("score", "skill") if (found := estimates.mean(setting.task, setting.variant, name))
    }
    metrics = {
        f"{name}{end}": value
        for name, estimate in means.items()
        for end, value in (("", estimate.value), ("_low", estimate.low), ("_high", estimate.high))
        if np.isfinite(value)
    }
    return Summary(setting, _text(setting, run, means), metrics, panels.svg(estimates.results, setting))


def _text(setting: SettingRecord, run: RunRecord, means: Mapping[str, Estimate]) -> str:
    factors = ", ".join(f"{name} {value:.4g}" for name, value in run.factors.items() if isinstance(value, float))
    references = ", ".join(f"{name} {value:.4g}" for name, value in setting.references.items())
    return "\n".join(
        [
            f"**{setting.variant} on {setting.task}** ({setting.difficulty} {setting.nominal})",
            "",
            f"- test score {means['score']}; references: {references}",
            f"- skill {means['skill']}",
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
