"""Every run says in MLflow where it comes from, how long it trained, and why it ended early."""

from dataclasses import replace
from pathlib import Path

import pytest
from builders.small_study import empty_store
from builders.written_record import one_setting, runs_of, setting_of, write
from mlflow.entities import Run

from ablations.record.reader import read
from ablations.record.report_run import log_report
from ablations.record.schema import RunRecord
from ablations.record.writer import MlflowRecorder
from ablations.run.outcomes import end_reason
from ablations.study import Plan, Study
from ablations.train.metrics import SegmentMetrics

PROVENANCE = {"commit": "0123abc with changes", "command": "ablate run small --seed 3", "started": "2026-01-02"}


@pytest.fixture
def plan(study: Study) -> Plan:
    return one_setting(study)


@pytest.fixture
def recorder(plan: Plan, tmp_path: Path) -> MlflowRecorder:
    recorder = MlflowRecorder(empty_store(tmp_path), plan, tmp_path)
    recorder.set_provenance(PROVENANCE)
    return recorder


def _runs(recorder: MlflowRecorder) -> list[Run]:
    return list(recorder.client.search_runs([recorder.experiment_id]))


def _timed(run: RunRecord, seconds: float) -> RunRecord:
    return replace(run, metrics={**run.metrics, "seconds": seconds})


def test_every_run_names_its_source_command_commit_and_seed(recorder: MlflowRecorder, plan: Plan) -> None:
    write(recorder, setting_of(plan))
    runs = _runs(recorder)
    assert len(runs) == 6
    for run in runs:
        tags = run.data.tags
        assert (tags["command"], tags["commit"]) == (PROVENANCE["command"], PROVENANCE["commit"])
        assert tags["mlflow.source.git.commit"] == "0123abc"
        assert (tags["mlflow.source.name"], tags["mlflow.source.type"]) == ("ablate", "LOCAL")
        assert tags["study_seed"] == str(plan.seed)


def test_a_runs_duration_is_its_time_of_training_and_a_settings_is_that_of_its_runs(
    recorder: MlflowRecorder, plan: Plan
) -> None:
    runs = [_timed(run, 10.0 + number) for number, run in enumerate(runs_of(setting_of(plan)))]
    write(recorder, setting_of(plan), runs)
    for run in _runs(recorder):
        seconds = run.data.metrics.get("seconds", sum(each.metrics["seconds"] for each in runs))
        assert run.info.end_time - run.info.start_time == pytest.approx(1000 * seconds, abs=1)


def test_the_reason_of_an_early_end_is_a_tag_and_is_read_again(recorder: MlflowRecorder, plan: Plan) -> None:
    setting = setting_of(plan)
    reason = "diverged within 8 sequences: the training loss is not finite"
    runs = [
        replace(run, status="diverged", reason=reason) if run.kind == "replicate" else run for run in runs_of(setting)
    ]
    write(recorder, setting, runs)
    for run in _runs(recorder):
        assert run.data.tags.get("reason", "") == (reason if run.data.tags["kind"] == "replicate" else "")
    record = read(recorder.client.tracking_uri, plan.name, plan.scale)
    assert {run.reason for run in record.replicates} == {reason}
    assert {run.reason for run in record.trials} == {""}


@pytest.mark.parametrize(
    ("train_loss", "loss", "text"),
    [
        (float("nan"), 0.5, "the training loss is not finite"),
        (float("inf"), 0.5, "the training loss is not finite"),
        (2e6, 0.5, "the training loss is 2e+06, above the limit of 1,000,000"),
        (0.5, float("nan"), "the validation loss is nan"),
        (0.5, float("inf"), "the validation loss is inf"),
    ],
)
def test_whatever_counts_as_diverged_has_its_reason(train_loss: float, loss: float, text: str) -> None:
    assert SegmentMetrics(train_loss, 0.5, loss, 0.5, 1.0).diverged
    curves = {"train_loss": ((1600, 0.1), (3200, train_loss)), "validation_loss": ((1600, 0.1), (3200, loss))}
    assert end_reason(curves, "diverged") == f"diverged within 3,200 sequences: {text}"
    assert end_reason(curves, "finished") == ""
    assert end_reason(curves, "pruned").startswith("pruned after 3,200 sequences")


def test_what_a_model_refused_is_a_tag_of_its_run(recorder: MlflowRecorder, plan: Plan) -> None:
    setting = setting_of(plan)
    refused = {"refused_by_difficulty": ((6, 1.0), (8000, 1.0))}
    runs = [
        replace(run, history={**run.history, **refused}, metrics={**run.metrics, "refusals": 2.0})
        if run.kind == "replicate" else run
        for run in runs_of(setting)
    ]  # fmt: skip
    write(recorder, setting, runs)
    found = recorder.client.search_runs([recorder.experiment_id], "metrics.refusals > 0")
    assert [run.data.tags["refused"] for run in found] == ["length 6, 8,000"] * 3


def test_a_report_is_a_run_of_its_own_kind_that_readers_pass_over(
    recorder: MlflowRecorder, plan: Plan, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    write(recorder, setting_of(plan))
    uri, client = recorder.client.tracking_uri, recorder.client
    before = read(uri, plan.name, plan.scale)
    folder = tmp_path / "report"
    (folder / "figures").mkdir(parents=True)
    for name in ("report.html", "figures/old.svg"):
        (folder / name).write_text("old")
    run_id = log_report(client, recorder.experiment_id, "what was found", folder)
    (folder / "figures" / "old.svg").rename(folder / "figures" / "new.svg")
    (folder / "report.html").write_text("new")
    assert log_report(client, recorder.experiment_id, "what was found now", folder) == run_id
    assert {each.path for each in client.list_artifacts(run_id)} == {"figures", "report.html"}
    assert [each.path for each in client.list_artifacts(run_id, "figures")] == ["figures/new.svg"]
    run = client.get_run(run_id)
    assert (run.info.status, run.data.tags["mlflow.note.content"]) == ("FINISHED", "what was found now")
    assert read(uri, plan.name, plan.scale) == before
    assert MlflowRecorder(uri, plan, tmp_path).count_existing() == (5, 0)
    assert not caplog.records
