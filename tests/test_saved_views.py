"""Views of the MLflow UI: written as the UI writes them, of metrics and tags that a record has, and stable."""

import json
from pathlib import Path
from typing import Any

import pytest
from builders.small_study import empty_store
from builders.written_record import one_setting, setting_of, write

from ablations.record.database import Database
from ablations.record.saved_views import TAG, View, setting_view, study_views
from ablations.record.schema import VALUES
from ablations.record.source import Experiment
from ablations.record.ui import pages, write_views
from ablations.record.writer import MlflowRecorder
from ablations.study import Plan, Study
from reports.setting_summary import METRICS

OF_SETTINGS = {f"{name}{end}" for name in (*METRICS.values(), "behind_best") for end in ("", "_low", "_high")}


@pytest.fixture
def plan(study: Study) -> Plan:
    return one_setting(study)


def _state(tag: tuple[str, str]) -> dict[str, Any]:
    return json.loads(json.loads(tag[1])["state"])


def test_a_listed_view_is_an_envelope_of_name_time_and_state_as_the_ui_writes_it(plan: Plan) -> None:
    views = list(study_views(plan.data))
    tags = [view.tag(place) for place, view in enumerate(views)]
    for view, (key, value) in zip(views, tags, strict=True):
        envelope = json.loads(value)
        assert key == f"{TAG}{view.key}"
        assert {name: type(part) for name, part in envelope.items()} == {"name": str, "createdAt": int, "state": str}
    times = [json.loads(value)["createdAt"] for _, value in tags]
    assert times == sorted(times, reverse=True)  # the UI lists the latest first
    assert len({view.key for view in views}) == len({view.name for view in views}) == len(views)


def test_a_view_of_one_setting_is_found_by_its_link_alone(plan: Plan) -> None:
    key, value = setting_view(plan.data, "0123").tag(0)
    assert key == f"{TAG}search-0123"
    state = json.loads(value)
    assert "name" not in state
    assert state["searchFilter"] == "tags.kind = 'trial' and tags.`mlflow.parentRunId` = '0123'"
    (chart,) = state["compareRunCharts"]
    assert (chart["type"], chart["selectedParams"], chart["selectedMetrics"]) == ("PARALLEL", ["lr"], ["objective"])
    assert chart["metricSectionId"] == state["compareRunSections"][0]["uuid"]


def test_every_metric_of_a_view_is_one_that_a_record_has(plan: Plan) -> None:
    for view in study_views(plan.data):
        state = _state(view.tag(0))
        names = [column for column in (*state["selectedColumns"], state["orderByKey"]) if column.startswith("metrics.")]
        for name in names:
            assert name.removeprefix("metrics.").strip("`") in VALUES.keys() | OF_SETTINGS


def test_scores_are_among_the_columns_of_a_tasks_networks(plan: Plan) -> None:
    view = next(view for view in study_views(plan.data) if view.key == "task-adding")
    state = _state(view.tag(0))
    assert {f"metrics.`{name}`" for name in ("test_score", "test_score_low", "test_score_high", "behind_best")} <= {
        *state["selectedColumns"]
    }
    assert (state["orderByKey"], state["orderByAsc"]) == ("metrics.`test_score`", False)
    assert "workflowType=machine_learning" in view.page("1")
    assert "searchFilter" not in view.page("1")  # with a filter in the link, the UI passes over the saved view


def test_a_task_with_a_quotation_mark_is_filtered_for(plan: Plan) -> None:
    data = {**plan.data, "tasks": {"bob's": {}}}
    states = [_state(view.tag(0)) for view in study_views(data) if view.key.endswith("bob's")]
    assert len(states) == 3
    assert all('tags.task = "bob\'s"' in state["searchFilter"] for state in states)


def _experiment(folder: Path) -> Experiment:
    experiment = Database(folder / "mlflow.db").experiment("small-smoke")
    assert experiment
    return experiment


def test_views_are_there_as_soon_as_a_study_runs_and_are_not_written_again(plan: Plan, tmp_path: Path) -> None:
    recorder = MlflowRecorder(empty_store(tmp_path), plan, tmp_path)
    run_id = recorder.open_setting(setting_of(plan))
    before = _experiment(tmp_path)
    expected = {f"{TAG}{view.key}" for view in [*study_views(plan.data), setting_view(plan.data, run_id)]}
    assert {key for key in before.tags if key.startswith(TAG)} == expected
    write(recorder, setting_of(plan))
    write_views(recorder.client, before)
    after = {key: value for key, value in _experiment(tmp_path).tags.items() if key.startswith(TAG)}
    assert after.items() <= dict(before.tags).items()


def test_a_record_without_views_gets_them_when_it_is_opened(plan: Plan, tmp_path: Path) -> None:
    recorder = MlflowRecorder(empty_store(tmp_path), plan, tmp_path)
    write(recorder, setting_of(plan))
    before = _experiment(tmp_path).tags
    for key in before:
        if key.startswith(TAG):
            recorder.client.delete_experiment_tag(recorder.experiment_id, key)
    links = pages(recorder.client)
    assert _experiment(tmp_path).tags == before
    names = [view.name for view in study_views(plan.data)]
    assert list(links) == ["small-smoke"]
    assert list(links["small-smoke"]) == names


def test_charts_of_a_record_whose_runs_name_no_variant_tell_networks_apart_by_size(plan: Plan, tmp_path: Path) -> None:
    def axes(view: View) -> list[str]:
        return _state(view.tag(0))["compareRunCharts"][0]["selectedParams"]

    recorder = MlflowRecorder(empty_store(tmp_path), plan, tmp_path)
    write(recorder, setting_of(plan))
    search = {view.key: view for view in write_views(recorder.client, _experiment(tmp_path))}["search-adding"]
    assert axes(search) == ["variant", "lr"]
    old = recorder.client.create_run(recorder.experiment_id, tags={"kind": "trial"})
    assert "variant" not in old.data.params
    search = {view.key: view for view in write_views(recorder.client, _experiment(tmp_path))}["search-adding"]
    assert axes(search) == ["hidden", "lr"]
