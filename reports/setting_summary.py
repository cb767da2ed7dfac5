"""Summary of one setting for MLflow: a description, aggregates over its replicates, and a figure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from ablations.record.links import view_page
from ablations.record.schema import RunRecord, SettingRecord
from reports.estimates import Estimates
from reports.result_tables import ResultTables
from reports.search_factors import size
from reports.statistics.intervals import mean
from reports.statistics.sample import Estimate
from reports.style import as_svg, style_of, styled

MARGINS = {"left": 0.08, "right": 0.99, "bottom": 0.18, "top": 0.9, "wspace": 0.06}
"""Around and between the two panels, as shares of the figure."""

SIZE, DPI = (7.2, 2.6), 72
"""Inches, and the dots of an inch in an SVG."""

METRICS = {"score": "test_score", "skill": "test_skill"}
"""Columns of the replicates, and the metrics of a setting that their means are."""


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
    figures: dict[str, _TaskFigure] = {}
    for setting in study.settings:
        runs = [run for run in study.replicates if run.setting == setting.identity]
        if runs:
            if setting.task not in figures:
                figures[setting.task] = _TaskFigure(estimates.results, setting)
            yield _summary(estimates, setting, runs[0], figures[setting.task])


def _summary(estimates: Estimates, setting: SettingRecord, run: RunRecord, figure: "_TaskFigure") -> Summary:
    means = {name: found for name in METRICS if (found := estimates.mean(setting.task, setting.variant, name))}
    differences = _differences(estimates, setting)
    named = {METRICS[name]: estimate for name, estimate in means.items()}
    best = _best(estimates, setting.task)
    if best in differences:
        named["behind_best"] = _reversed(differences[best])
    metrics = {
        f"{name}{end}": value
        for name, estimate in named.items()
        for end, value in (("", estimate.value), ("_low", estimate.low), ("_high", estimate.high))
        if np.isfinite(value)
    }
    text = _text(estimates.results, setting, run, means)
    return Summary(setting, text + _table(differences), metrics, figure.svg(setting))


def _differences(estimates: Estimates, setting: SettingRecord) -> dict[str, Estimate]:
    """The setting's mean paired difference in skill from each other variant on its task."""
    others = [s.variant for s in estimates.results.study.settings if s.task == setting.task and s is not setting]
    samples = {other: estimates.difference(setting.variant, other, setting.task) for other in others}
    return {other: mean(found) for other, found in samples.items() if found}


def _best(estimates: Estimates, task: str) -> str:
    """The variant with the highest mean score on a task; of equal ones the first."""
    means = {
        s.variant: estimates.mean(task, s.variant, "score") for s in estimates.results.study.settings if s.task == task
    }
    return max(means, key=lambda variant: -np.inf if (found := means[variant]) is None else found.value)


def _reversed(difference: Estimate) -> Estimate:
    return Estimate(-difference.value, -difference.high, -difference.low, difference.n)


def _table(differences: Mapping[str, Estimate]) -> str:
    """The differences as Markdown, the network that is farthest ahead first."""
    rows = [
        f"| {other} | {found.value:+.3f} | {found.low:+.3f} to {found.high:+.3f} | {found.n} |"
        for other, found in sorted(differences.items(), key=lambda item: item[1].value)
    ]
    head = [
        "",
        "",
        "Its skill minus that of the others, paired by seed:",
        "",
        "| against | difference | 95 % interval | n |",
    ]
    return "\n".join([*head, "|---|---|---|---|", *rows]) if rows else ""


def _text(results: ResultTables, setting: SettingRecord, run: RunRecord, means: Mapping[str, Estimate]) -> str:
    searched, experiment_id = results.study.plan["nuisance"], results.study.experiment_id
    factors = ", ".join(
        f"{name} {value:.4g}" if isinstance(value, float) else f"{name} {value}"
        for name, value in run.factors.items()
        if isinstance(value, float) or name in searched
    )
    hidden, parameters = size(results.study, setting)
    references = ", ".join(f"{name} {value:.4g}" for name, value in setting.references.items())
    return "\n".join(
        [
            f"**{setting.variant} on {setting.task}** ({setting.difficulty} {setting.nominal})",
            "",
            f"- test score {means['score']}; references: {references}",
            f"- skill {means['skill']}",
            f"- best hyperparameters: {factors}",
            f"- hidden size {hidden}, {parameters} parameters",
            f"- [what the search tried]({view_page(experiment_id, f'search-{setting.run_id}', is_chart=True)})",
            f'- its best replicate by validation, unless no models were kept: `ablations.load("runs:/{setting.run_id}")`',
        ]
    )


class _TaskFigure:
    """The scores of each replicate of a setting, while it was trained and at each difficulty, as SVG.

    All settings of a task have the same axes. Matplotlib draws them once: to do so for each setting would take most of
    the time of a report. The lines of a setting are written into their SVG.
    """

    def __init__(self, results: ResultTables, setting: SettingRecord) -> None:
        """The axes of a setting's task, which has replicates."""
        self._results = results
        self._tables = (results.curves, "sequences"), (results.difficulty, "difficulty")
        figure = Figure(figsize=SIZE, dpi=DPI)
        with styled():
            self._axes: list[Axes] = figure.subplots(1, 2, sharey=True, gridspec_kw=MARGINS).tolist()
            figure.set_layout_engine("none")  # the margins are known
            for axis, (table, x) in zip(self._axes, self._tables, strict=True):
                axis.axhline(setting.references["chance"], color="#444444", linestyle=":", linewidth=1)
                axis.update_datalim([(value, 0.0) for value in table[table["task"] == setting.task][x]])
                axis.autoscale(axis="x")
            left, right = self._axes
            left.set(xlabel="sequences seen", ylabel="score", title="validation, each replicate", ylim=(-0.04, 1.04))
            right.set(xlabel=setting.difficulty, title="test, each replicate")
            self._start = as_svg(figure).rpartition("</svg>")[0]

    def svg(self, setting: SettingRecord) -> str:
        """The figure of a setting of this task."""
        colour = style_of(setting.variant, self._results.variants)["color"]
        lines = []
        for axis, (table, x) in zip(self._axes, self._tables, strict=True):
            rows = table[(table["task"] == setting.task) & (table["variant"] == setting.variant)].dropna(subset="score")
            points = axis.transData.transform(rows[[x, "score"]].to_numpy())
            lines += [_line(points[places]) for places in rows.groupby("seed").indices.values()]
        group = f'<g fill="none" stroke="{colour}" stroke-width="1.4" stroke-opacity="0.6" stroke-linecap="round">'
        return "\n".join([f"{self._start}{group}", *lines, "</g>\n</svg>\n"])


def _line(points: NDArray[np.float64]) -> str:
    """A line through points, which are given in dots from the lower left corner. One point alone is a dot."""
    ends = "L".join(f"{x:.2f} {SIZE[1] * DPI - y:.2f}" for x, y in points)
    return f'<path d="M{ends}h0"/>'
