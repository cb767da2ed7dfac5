"""Summary of one setting for MLflow: a description, aggregates over its replicates, and a figure."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure

from ablations.record.schema import RunRecord, SettingRecord
from reports.estimates import Estimates
from reports.result_tables import ResultTables
from reports.statistics.sample import Estimate
from reports.style import as_svg, style_of, styled


@dataclass(frozen=True)
class Summary:
    """A description in Markdown, the aggregates as metrics, and a figure as SVG."""

    setting: SettingRecord
    text: str
    metrics: Mapping[str, float]
    svg: str


def summarise(estimates: Estimates, setting: SettingRecord) -> Summary | None:
    """The summary of a setting's replicates; None if there are none."""
    results = estimates.results
    runs = [run for run in results.study.replicates if run.setting == setting.identity]
    if not runs:
        return None
    means = {
        name: found for name in ("score", "skill") if (found := estimates.mean(setting.task, setting.variant, name))
    }
    metrics = {
        f"{name}{end}": value
        for name, estimate in means.items()
        for end, value in (("", estimate.value), ("_low", estimate.low), ("_high", estimate.high))
        if np.isfinite(value)
    }
    with styled():
        svg = as_svg(_draw(results, setting))
    return Summary(setting, _text(setting, runs[0], means), metrics, svg)


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


def _draw(results: ResultTables, setting: SettingRecord) -> Figure:
    figure = Figure(figsize=(7.2, 2.6))
    left, right = figure.subplots(1, 2, sharey=True)
    columns = {left: (results.curves, "sequences"), right: (results.difficulty, "difficulty")}
    style = style_of(setting.variant, results.variants)
    for axis, (frame, x) in columns.items():
        rows = frame[(frame["task"] == setting.task) & (frame["variant"] == setting.variant)]
        for _, run in rows.groupby("seed"):
            axis.plot(run[x], run["score"], **(style | {"alpha": 0.6}))
        axis.axhline(setting.references["chance"], color="#444444", linestyle=":", linewidth=1)
    left.set(xlabel="sequences seen", ylabel="score", title="validation, each replicate", ylim=(-0.04, 1.04))
    right.set(xlabel=setting.difficulty, title="test, each replicate")
    return figure
