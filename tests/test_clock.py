"""A clock that is set back by a day, in mid-study and between two reports."""

import time
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import optuna.storages._rdb.storage as optuna_storage
import pytest
from builders.small_study import Databases, Memory, Silent, carry_out, numbers, open_record, recorded

from ablations.record.store import connect
from ablations.record.writer import MlflowRecorder, describe
from ablations.sqlite import sqlite_url
from ablations.study import Study

DAY = timedelta(days=1)


class Yesterday(datetime):
    """What Optuna asks for the time."""

    @classmethod
    def now(cls, tz: Any = None) -> datetime:
        return datetime.now(tz) - DAY


@pytest.fixture
def set_back(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Sets the clock of this process back, as far as Python, MLflow and Optuna ask for it."""
    real = time.time

    def change() -> None:
        monkeypatch.setattr(time, "time", lambda: real() - DAY.total_seconds())
        monkeypatch.setattr(optuna_storage, "datetime", Yesterday)

    return change


class SetBack(Silent):
    """Sets the clock back after some segments, while the study goes on."""

    def __init__(self, change: Callable[[], None], after: int) -> None:
        super().__init__()
        self._change, self._after = change, after

    def on_segment_end(self, name: str, states: Any) -> None:
        super().on_segment_end(name, states)
        if self.segments == self._after:
            self._change()


@pytest.mark.long
def test_in_mid_study_it_changes_no_number_and_no_duration(
    study: Study, tmp_path: Path, set_back: Callable[[], None]
) -> None:
    undisturbed, stores = Memory(tmp_path / "a"), Databases(tmp_path / "b")
    carry_out(study, undisturbed)
    watch = SetBack(set_back, 9)
    carry_out(study, stores, watch=watch)
    assert watch.segments > 9
    assert numbers(study, stores) == numbers(study, undisturbed)
    assert carry_out(study, stores).runs == 0
    client = connect(sqlite_url(tmp_path / "b" / "mlflow.db"))
    (experiment,) = [each for each in client.search_experiments() if each.name == "small-smoke"]
    runs = client.search_runs([experiment.experiment_id], max_results=1000)
    assert len(runs) > len(recorded(study, stores).replicates)
    assert all(run.info.end_time >= run.info.start_time for run in runs)


@pytest.mark.long
def test_between_two_reports_the_later_one_is_what_mlflow_shows(
    study: Study, tmp_path: Path, set_back: Callable[[], None]
) -> None:
    carry_out(study, tmp_path)
    recorder = open_record(study, tmp_path)
    assert isinstance(recorder, MlflowRecorder)
    run_id = recorded(study, tmp_path).settings[0].run_id
    describe(recorder.client, run_id, "a report", {"test_score": 0.9, "test_score_low": 0.8}, {})
    set_back()
    describe(recorder.client, run_id, "a later one", {"test_score": 0.5, "test_score_low": 0.8}, {})
    run = recorder.client.get_run(run_id)
    assert (run.data.metrics["test_score"], run.data.metrics["test_score_low"]) == (0.5, 0.8)
    assert run.data.tags["mlflow.note.content"] == "a later one"
