"""A record names the version of its schema: an older one is read as if it were new, a newer one is refused."""

import json
import sqlite3
from contextlib import closing
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
from ablations.sqlite import database_file
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
    assert MlflowClient(uri).get_experiment(_experiment_id(uri)).tags["schema_version"] == "3"


@pytest.mark.parametrize("version", ["4", "10", "two", ""])
def test_a_version_that_is_not_known_is_one_line_and_left_alone(
    version: str, uri: str, plan: Plan, tmp_path: Path
) -> None:
    client = MlflowClient(uri)
    client.set_experiment_tag(_experiment_id(uri), "schema_version", version)
    before = client.get_experiment(_experiment_id(uri)).tags
    for opened in (lambda: read(uri, plan.name, plan.scale), lambda: MlflowRecorder(uri, plan, tmp_path)):
        with pytest.raises(RecordError, match=f"has schema version '{version}'; this version of ablate reads 1, 2, 3"):
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


def _to_version_2(uri: str) -> None:
    """The runs as they were written before: each metric under the name of that time."""
    client, experiment_id = MlflowClient(uri), _experiment_id(uri)
    client.set_experiment_tag(experiment_id, "schema_version", "2")
    names = {
        "validation_score": "score", "validation_loss": "loss", "validation_mixture_score": "mixed_score",
        "test_score_by_difficulty": "test_score", "test_loss_by_difficulty": "test_loss",
        "test_exact_match_by_difficulty": "test_exact_match", "far_test_score_by_difficulty": "far_score",
        "refused_by_difficulty": "refused", "best_validation_score": "best_score",
    }  # fmt: skip
    with closing(sqlite3.connect(database_file(uri) or "")) as database, database:
        for run in client.search_runs([experiment_id], "tags.status != ''"):
            is_trial = run.data.tags["kind"] == "trial"
            ends = {"validation": "final"} if is_trial else {"test": "final"}
            own = {f"{old}_{end}": f"{new}_{end}" for old, new in ends.items() for end in ("score", "loss")}
            own = {f"final_{old}" if is_trial else old: new for old, new in own.items()}
            for table in ("metrics", "latest_metrics"):
                query = f"update {table} set key = ? where key = ? and run_uuid = ?"
                if not is_trial:  # there was no such metric
                    database.execute(
                        f"delete from {table} where key like 'final_%' and run_uuid = ?", (run.info.run_id,)
                    )
                for new, old in (own | names).items():
                    database.execute(query, (old, new, run.info.run_id))


@pytest.mark.parametrize("curves", [True, False])
def test_a_record_of_version_2_is_read_under_the_names_of_today(uri: str, plan: Plan, curves: bool) -> None:
    before = read(uri, plan.name, plan.scale, curves)
    _to_version_2(uri)
    stored = {key for run in MlflowClient(uri).search_runs([_experiment_id(uri)]) for key in run.data.metrics}
    assert {"score", "test_score", "final_score"} <= stored
    assert not {"validation_score", "test_score_by_difficulty"} & stored
    after = read(uri, plan.name, plan.scale, curves)
    assert [run.history for run in after.replicates] == [run.history for run in before.replicates]
    for was, now in zip(before.trials + before.replicates, after.trials + after.replicates, strict=True):
        lost = {"final_validation_loss"} if was.kind == "replicate" else set()  # it had no curve to end
        assert now.metrics == {name: value for name, value in was.metrics.items() if name not in lost}
    assert after.replicates[0].metrics["test_score"] == 0.7
    assert "test_score" not in after.trials[0].metrics


def test_a_record_of_version_2_is_carried_on_beside_its_old_runs(uri: str, plan: Plan, tmp_path: Path) -> None:
    before = read(uri, plan.name, plan.scale)
    _to_version_2(uri)
    recorder = MlflowRecorder(uri, plan, tmp_path)
    assert recorder.finished.keys() == {run.identity for run in before.trials + before.replicates}
    first = before.replicates[0]
    recorder.client.delete_run(first.run_id)
    assert write(MlflowRecorder(uri, plan, tmp_path), setting_of(plan)) == 1
    after = read(uri, plan.name, plan.scale)
    assert {run.number: run.history for run in after.replicates} == {
        run.number: run.history for run in before.replicates
    }
    assert {run.metrics["test_score"] for run in after.replicates} == {0.7}


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
