"""Saved views: which runs, columns and charts the MLflow UI shows behind a link.

A view is a tag of its experiment, `mlflow.sharedViewState.<key>`, as the UI itself writes it: JSON with a name, a time, and
as text the state. One without a name is found by its link alone and is not in the UI's list of views.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ablations.record.links import view_page
from ablations.record.schema import PARENT

TAG = "mlflow.sharedViewState."
FIRST = 1_767_225_600_000
"""The time of the first view, 2026-01-01 in milliseconds. The UI lists the latest first, so each next one is earlier."""

METRICS = ("test_score", "test_score_low", "test_score_high")
BEHIND = ("behind_best", "behind_best_low", "behind_best_high")
"""The mean paired difference in skill from the best of the task to a setting, with its interval."""

TASK, VARIANT, KIND, REASON, REFUSED = (f"tags.`{name}`" for name in ("task", "variant", "kind", "reason", "refused"))
SCORES = tuple(f"metrics.`{name}`" for name in (*METRICS, *BEHIND))
START = "attributes.`start_time`"
DURATION, MODELS = "attributes.`Duration`", "attributes.`Models`"
WIDTHS = dict.fromkeys(SCORES, 122) | {REASON: 640, REFUSED: 240}
"""Pixels of columns that need more than the UI gives them."""


@dataclass(frozen=True)
class View:
    """The runs that match `conditions`, in the order of `order`, the highest first, with `columns` in a table.

    axes: parameters and metrics of a chart of parallel coordinates; without them there is the table alone.
    """

    key: str
    name: str
    conditions: tuple[str, ...]
    order: str
    columns: tuple[str, ...]
    axes: tuple[Sequence[str], Sequence[str]] | None = None
    is_listed: bool = True

    def page(self, experiment_id: str) -> str:
        """The page of the UI that shows it."""
        return view_page(experiment_id, self.key, is_chart=self.axes is not None)

    def tag(self, place: int) -> tuple[str, str]:
        """Its tag, key and value; `place` is its place in the UI's list."""
        state = json.dumps(self._state)
        listed = json.dumps({"name": self.name, "createdAt": FIRST - 60_000 * place, "state": state})
        return f"{TAG}{self.key}", listed if self.is_listed else state

    @property
    def _state(self) -> dict[str, Any]:
        """Names and values are those of the UI's own state."""
        return {
            "searchFilter": " and ".join(self.conditions),
            "orderByKey": self.order,
            "orderByAsc": False,
            "startTime": "ALL",
            "lifecycleFilter": "Active",
            "selectedColumns": list(self.columns),
            "columnOrder": list(self.columns),
            "columnWidths": {column: WIDTHS[column] for column in self.columns if column in WIDTHS},
            "runsHiddenMode": "SHOW_ALL",
            "autoRefreshEnabled": False,
            **({} if self.axes is None else _parallel_coordinates(*self.axes)),
        }


def study_views(plan: Mapping[str, Any], networks: str = "variant") -> Iterator[View]:
    """The views of a study, given its plan: of all settings, of each task, of what went wrong, of the report.

    networks: the parameter that tells networks apart in a chart. A run without it would be left out of the chart, and up to
    version 2 of the schema runs had no `variant`, but `hidden`.
    """
    yield View(
        "report", "the report, its tables and figures", (_is("kind", "report"),), START, ("attributes.`Duration`",)
    )
    settings = _is("kind", "setting")
    yield View("settings", "all settings, best first", (settings,), "metrics.`test_skill`", (TASK, VARIANT, *SCORES))
    for task in plan["tasks"]:
        of_task = _is("task", task)
        yield View(
            f"task-{task}",
            f"{task}: networks, best first",
            (settings, of_task),
            SCORES[0],
            (VARIANT, *SCORES, DURATION),
        )
        yield View(
            f"replicates-{task}", f"{task}: every replicate", (_is("kind", "replicate"), of_task), SCORES[0],
            (VARIANT, "params.`seed`", SCORES[0], "metrics.`final_validation_score`", REFUSED, MODELS, DURATION),
        )  # fmt: skip
        yield _search_view(f"search-{task}", f"{task}: what the search tried", plan, of_task, (networks,))
    failed = ("attributes.status = 'FAILED'",)
    yield View("failed", "failed and diverged, and why", failed, START, (KIND, TASK, VARIANT, REASON))
    refusals = ("metrics.refusals > 0",)
    yield View("refused", "sequences too long for the model", refusals, "metrics.`refusals`", (TASK, VARIANT, REFUSED))


def setting_view(plan: Mapping[str, Any], run_id: str) -> View:
    """The view of what the search of one setting tried, given the setting's run."""
    return _search_view(f"search-{run_id}", "", plan, f"tags.`{PARENT}` = '{run_id}'", ())


def _search_view(key: str, name: str, plan: Mapping[str, Any], condition: str, first: Sequence[str]) -> View:
    searched, objective = list(plan["nuisance"]), "metrics.`objective`"
    columns = (VARIANT, objective, *(f"params.`{each}`" for each in searched), "params.`proposed_by`", REASON)
    axes = [*first, *searched], ["objective"]
    return View(key, name, (_is("kind", "trial"), condition), objective, columns, axes, is_listed=bool(name))


def _parallel_coordinates(parameters: Sequence[str], metrics: Sequence[str]) -> dict[str, Any]:
    """A section with one chart."""
    made_by_hand = {"deleted": False, "isGenerated": False}
    section = {"uuid": "search", "name": "What was tried", "display": True, "isReordered": False, **made_by_hand}
    chart = {
        "type": "PARALLEL", "uuid": "tried", "metricSectionId": "search", "showAllRuns": True,
        "selectedParams": list(parameters), "selectedMetrics": list(metrics), **made_by_hand,
    }  # fmt: skip
    return {"compareRunSections": [{**section, "columns": 1, "cardHeight": 400}], "compareRunCharts": [chart]}


def _is(tag: str, value: str) -> str:
    """A condition on a tag. MLflow's filters know no escapes, but either kind of quotation mark."""
    mark = '"' if "'" in value else "'"
    return f"tags.{tag} = {mark}{value}{mark}"
