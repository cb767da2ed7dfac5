"""A recorder in MLflow and one in memory keep the same; nothing is cut off or lost at MLflow's limits."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from builders.small_study import empty_store
from builders.written_record import counts, one_setting, runs_of, setting_of, write

from ablations.record.memory import MemoryRecorder
from ablations.record.protocol import Recorder
from ablations.record.reader import read
from ablations.record.schema import StudyRecord
from ablations.record.writer import MlflowRecorder
from ablations.study import Plan, Study

Opened = Callable[[Plan], Recorder]
Reading = Callable[[Plan], StudyRecord]


@pytest.fixture(params=["mlflow", "memory"])
def stores(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Opened, Reading]:
    """How a record is opened for writing, and read; opened again it holds what it held."""
    if request.param == "mlflow":
        uri = empty_store(tmp_path)
        return lambda plan: MlflowRecorder(uri, plan, tmp_path), lambda plan: read(uri, plan.name, plan.scale)
    recorders: list[MemoryRecorder] = []

    def opened(plan: Plan) -> MemoryRecorder:
        recorders.append(MemoryRecorder(plan, recorders[-1] if recorders else None))
        return recorders[-1]

    return opened, lambda plan: recorders[-1].study()


def _without_ids(record: StudyRecord) -> StudyRecord:
    parts = {name: getattr(record, name) for name in ("settings", "trials", "replicates", "costs", "transferred")}
    cleared = {name: tuple(replace(each, run_id="") for each in part) for name, part in parts.items()}
    return replace(record, experiment_id="", uri="", **cleared)


def test_both_recorders_give_the_same_record(study: Study, tmp_path: Path) -> None:
    plan, uri = one_setting(study), empty_store(tmp_path)
    memory = MemoryRecorder(plan)
    for recorder in (memory, MlflowRecorder(uri, plan, tmp_path)):
        write(recorder, setting_of(plan))
    assert _without_ids(memory.study()) == _without_ids(read(uri, plan.name, plan.scale))


def test_what_was_written_is_read_and_not_written_again(study: Study, stores: tuple[Opened, Reading]) -> None:
    opened, reading = stores
    plan = one_setting(study)
    setting, recorder = setting_of(plan), opened(plan)
    assert recorder.provenance == {}
    assert write(recorder, setting) == 5
    assert recorder.count_existing() == (5, 0)
    again = opened(plan)
    assert write(again, setting) == 0
    assert again.count_existing() == (5, 0)
    assert again.provenance["commit"] == "0123"
    record = reading(plan)
    assert counts(record) == (1, 2, 3)
    written = {run.identity: run for run in runs_of(setting)}
    for run in record.trials + record.replicates:
        assert run.history == written[run.identity].history
        assert run.metrics == written[run.identity].metrics
        assert written[run.identity].factors.items() <= run.factors.items()
    assert replace(record.settings[0], run_id="", best_trial=None, equations=()) == replace(setting, equations=())


def test_the_runs_of_another_plan_are_kept_and_not_counted(study: Study, stores: tuple[Opened, Reading]) -> None:
    opened, reading = stores
    plan, other = one_setting(study), one_setting(study.with_changes("smoke", {"steps": 4}))
    write(opened(plan), setting_of(plan))
    assert opened(other).count_existing() == (0, 1)
    write(opened(other), setting_of(other))
    assert counts(reading(other)) == (1, 2, 3)
    assert opened(plan).count_existing() == (5, 1)


def test_a_failure_is_told_until_the_setting_succeeds(study: Study, stores: tuple[Opened, Reading]) -> None:
    opened, reading = stores
    plan = one_setting(study)
    setting, recorder = setting_of(plan), opened(plan)
    recorder.set_provenance({"commit": "0123"})
    recorder.open_setting(setting)
    recorder.fail_parent(setting.identity, "MemoryError: none left\nin two lines", "Traceback: …")
    assert reading(plan).settings[0].failure == "MemoryError: none left"
    write(opened(plan), setting)
    assert reading(plan).settings[0].failure is None


def test_the_traceback_of_a_failure_is_an_artifact_of_its_parent(study: Study, tmp_path: Path) -> None:
    plan, uri = one_setting(study), empty_store(tmp_path)
    recorder = MlflowRecorder(uri, plan, tmp_path)
    run_id = recorder.open_setting(setting_of(plan))
    recorder.fail_parent(setting_of(plan).identity, "MemoryError", "Traceback (most recent call last): …")
    (file,) = tmp_path.glob(f"artifacts/*/{run_id}/artifacts/failure.txt")
    assert file.read_text("utf-8") == "Traceback (most recent call last): …"
    assert recorder.client.get_run(run_id).info.status == "FAILED"
    write(MlflowRecorder(uri, plan, tmp_path), setting_of(plan))
    assert "reason" not in recorder.client.get_run(run_id).data.tags


def test_numpys_numbers_in_a_plan_are_numbers(study: Study, stores: tuple[Opened, Reading]) -> None:
    opened, reading = stores
    plan = replace(one_setting(study), seed=np.int64(3))  # type: ignore[arg-type]
    write(opened(plan), replace(setting_of(plan), task_parameters={"length": np.int64(4), "share": np.float32(0.5)}))
    record = reading(plan)
    assert record.plan["seed"] == 3
    assert record.settings[0].task_parameters == {"length": 4, "share": 0.5}


def test_long_equations_many_parameters_and_long_curves_are_read_whole(study: Study, tmp_path: Path) -> None:
    plan, uri = one_setting(study), empty_store(tmp_path)
    setting = replace(
        setting_of(plan),
        equations=[{"name": f"h{k}", "text": "x" * 900, "mathml": "é" * 900, "typst": "y"} for k in range(20)],
        task_parameters={f"parameter {k}": float(k) for k in range(250)},
    )
    curve = tuple((step, step / 7) for step in range(2500))
    runs = [replace(run, history={"validation_score": curve}) for run in runs_of(setting)]
    for _ in range(2):  # a setting is written again when it is opened again
        write(MlflowRecorder(uri, plan, tmp_path), setting, runs)
    record = read(uri, plan.name, plan.scale)
    assert record.settings[0].equations == setting.equations
    assert record.settings[0].task_parameters == setting.task_parameters
    assert record.replicates[0].factors["parameter 249"] == 249.0
    assert all(run.history["validation_score"] == curve for run in record.trials + record.replicates)
