"""A record names the version of its schema: an older one is read as if it were new, a newer one is refused."""

import json
from pathlib import Path

import pytest
from builders.small_study import empty_store
from builders.written_record import counts, one_setting, runs_of, setting_of, write
from mlflow import MlflowClient

from ablations.record.long_tags import read_json
from ablations.record.migration import migrated_plan
from ablations.record.reader import read
from ablations.record.schema import RecordError
from ablations.record.writer import MlflowRecorder
from ablations.study import Plan, Study


@pytest.fixture
def plan(study: Study) -> Plan:
    return one_setting(study)


@pytest.fixture
def uri(plan: Plan, tmp_path: Path) -> str:
    """A store that holds the plan's record."""
    uri = empty_store(tmp_path)
    write(MlflowRecorder(uri, plan, tmp_path), setting_of(plan))
    return uri


def _experiment_id(uri: str) -> str:
    return MlflowClient(uri).get_experiment_by_name("small-smoke").experiment_id


def test_a_record_names_its_version(uri: str) -> None:
    assert MlflowClient(uri).get_experiment(_experiment_id(uri)).tags["schema_version"] == "2"


@pytest.mark.parametrize("version", ["3", "10", "two", ""])
def test_a_version_that_is_not_known_is_one_line_and_left_alone(
    version: str, uri: str, plan: Plan, tmp_path: Path
) -> None:
    client = MlflowClient(uri)
    client.set_experiment_tag(_experiment_id(uri), "schema_version", version)
    before = client.get_experiment(_experiment_id(uri)).tags
    for opened in (lambda: read(uri, plan.name, plan.scale), lambda: MlflowRecorder(uri, plan, tmp_path)):
        with pytest.raises(RecordError, match=f"has schema version '{version}'; this version of ablate reads 1 and 2"):
            opened()
    assert client.get_experiment(_experiment_id(uri)).tags == before


def _to_version_1(uri: str) -> None:
    """The record as it was written before: no version, and the names of that time."""
    client, experiment_id = MlflowClient(uri), _experiment_id(uri)
    plan = read_json(client.get_experiment(experiment_id).tags, "plan")
    del plan["runs"]
    plan["criterion"] = plan.pop("solved_at")
    plan["budget"]["group"] = plan["budget"].pop("trials_per_round")
    client.set_experiment_tag(experiment_id, "plan", json.dumps(plan))
    client.delete_experiment_tag(experiment_id, "schema_version")
    (parent,) = client.search_runs([experiment_id], "tags.kind = 'setting'")
    setting = json.loads(parent.data.tags["setting"])
    setting["equations"] = [{**equation, "latex": "h"} for equation in setting["equations"]]
    client.set_tag(parent.info.run_id, "setting", json.dumps(setting))


def test_a_record_of_version_1_is_read_as_one_of_today(uri: str, plan: Plan) -> None:
    before = read(uri, plan.name, plan.scale)
    _to_version_1(uri)
    after = read(uri, plan.name, plan.scale)
    assert after.plan == before.plan
    assert counts(after) == counts(before)
    assert after.replicates == before.replicates
    assert [e["text"] for e in after.settings[0].equations] == [e["text"] for e in before.settings[0].equations]


def test_a_record_that_names_no_sizes_has_those_of_its_budget_and_every_variant_on_every_task(
    uri: str, plan: Plan
) -> None:
    before = read(uri, plan.name, plan.scale)
    assert before.settings[0].size_rule == "1,100 parameters"
    client, experiment_id = MlflowClient(uri), _experiment_id(uri)
    (parent,) = client.search_runs([experiment_id], "tags.kind = 'setting'")
    setting = json.loads(parent.data.tags["setting"])
    del setting["size_rule"], setting["base"]
    client.set_tag(parent.info.run_id, "setting", json.dumps(setting))
    data = read_json(client.get_experiment(experiment_id).tags, "plan")
    del data["settings"]
    client.set_experiment_tag(experiment_id, "plan", json.dumps(data))
    after = read(uri, plan.name, plan.scale)
    assert after.settings == before.settings
    assert after.plan == before.plan


def test_runs_of_version_1_have_the_names_of_today(uri: str, plan: Plan, tmp_path: Path) -> None:
    setting = setting_of(plan)
    recorder = MlflowRecorder(uri, plan, tmp_path)
    run = runs_of(setting)[-1]
    names = {"path": "reference", "trial": 1, "seed": 0}
    old = type(run)(**{**vars(run), "identity": "old", "kind": "transferred", "number": 0, "factors": names})
    recorder.add(old, setting)
    (written,) = recorder.client.search_runs([recorder.experiment_id], "tags.identity = 'old'")
    recorder.client.set_tag(written.info.run_id, "kind", "frozen")
    (parent,) = recorder.client.search_runs([recorder.experiment_id], "tags.kind = 'setting'")
    recorder.client.set_tag(
        parent.info.run_id, "setting", json.dumps({**json.loads(parent.data.tags["setting"]), "parent": "lstm"})
    )
    (transferred,) = read(uri, plan.name, plan.scale).transferred
    assert transferred.kind == "transferred"
    assert transferred.factors["backend"] == "eager"
    assert "path" not in transferred.factors


def test_a_run_that_was_once_called_solved_is_read_as_finished(uri: str, plan: Plan) -> None:
    before, client = read(uri, plan.name, plan.scale), MlflowClient(uri)
    client.set_tag(before.replicates[0].run_id, "status", "solved")
    assert read(uri, plan.name, plan.scale) == before


def test_the_runs_of_a_variant_are_counted_where_version_1_did_not(study: Study) -> None:
    data = study.at("smoke").data
    old = {key: value for key, value in data.items() if key not in ("runs", "solved_at")} | {"criterion": 0.99}
    assert migrated_plan(old, "1")["runs"] == data["runs"]
    with_parent = {**old, "parents": {"lstm": "rnn"}}
    replicates = data["budget"]["replicates"]
    assert migrated_plan(with_parent, "1")["runs"]["lstm"] == data["runs"]["lstm"] + replicates
    assert migrated_plan({k: v for k, v in old.items() if k != "parents"}, "1")["parents"] == {}


def test_what_a_later_setting_may_know_more_is_passed_over(uri: str, plan: Plan) -> None:
    client = MlflowClient(uri)
    before = read(uri, plan.name, plan.scale)
    (parent,) = client.search_runs([_experiment_id(uri)], "tags.kind = 'setting'")
    setting = {**json.loads(parent.data.tags["setting"]), "colour": "blue"}
    client.set_tag(parent.info.run_id, "setting", json.dumps(setting))
    assert read(uri, plan.name, plan.scale) == before


def test_a_record_of_version_1_is_carried_on(uri: str, plan: Plan, tmp_path: Path) -> None:
    before = read(uri, plan.name, plan.scale)
    _to_version_1(uri)
    write(MlflowRecorder(uri, plan, tmp_path), setting_of(plan))
    assert read(uri, plan.name, plan.scale) == before
    test_a_record_names_its_version(uri)
