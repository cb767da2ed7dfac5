"""A store is opened where it is: nothing is created by looking, and artifacts follow a folder that was moved."""

import shutil
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from builders.small_study import empty_store
from builders.written_record import one_setting, setting_of, write
from mlflow import MlflowClient

from ablations.record.reader import read
from ablations.record.schema import RecordError
from ablations.record.store import artifact_location, connect
from ablations.record.writer import MlflowRecorder, describe
from ablations.sqlite import sqlite_url
from ablations.study import Plan, Study


@pytest.fixture
def plan(study: Study) -> Plan:
    return one_setting(study)


def _written(plan: Plan, home: Path) -> str:
    """A record in a results folder, with an artifact; returns the run id of its setting."""
    recorder = MlflowRecorder(empty_store(home), plan, home / "artifacts")
    write(recorder, setting_of(plan))
    run_id = recorder.open_setting(setting_of(plan))
    describe(recorder.client, run_id, "a setting", {}, {"old.txt": "old"})
    return run_id


def _forget_artifact_places() -> None:
    """As another process does: MLflow remembers where each run's artifacts are."""
    from mlflow.tracking._tracking_service import utils

    utils._artifact_repos_cache.clear()


@pytest.mark.parametrize("look", [connect, lambda uri: read(uri, "claims", "demo")])
def test_looking_at_a_store_that_is_not_there_is_one_line_and_creates_nothing(
    look: Callable[[str], object], tmp_path: Path
) -> None:
    with pytest.raises(RecordError, match="there is no such file; `ablate run` comes first"):
        look(sqlite_url(tmp_path / "mlflow.db"))
    assert not list(tmp_path.iterdir())


def test_a_file_that_is_no_database_is_one_line_at_once(tmp_path: Path) -> None:
    (tmp_path / "mlflow.db").write_text("what is this?")
    began = time.monotonic()
    for create in (False, True):
        with pytest.raises(RecordError, match="is no SQLite database"):
            connect(sqlite_url(tmp_path / "mlflow.db"), create)
    assert time.monotonic() - began < 5
    assert (tmp_path / "mlflow.db").read_text() == "what is this?"


def test_a_store_that_was_left_half_made_is_one_line(tmp_path: Path) -> None:
    import sqlite3
    from contextlib import closing

    with closing(sqlite3.connect(tmp_path / "mlflow.db")) as database, database:
        database.execute("create table experiments (x int)")
    with pytest.raises(RecordError, match="cannot open the MLflow store"):
        connect(sqlite_url(tmp_path / "mlflow.db"))


def test_artifacts_of_a_moved_folder_are_read_and_written_where_it_is_now(plan: Plan, tmp_path: Path) -> None:
    old, new = tmp_path / "old", tmp_path / "new place 100%"
    run_id = _written(plan, old)
    shutil.move(old, new)
    _forget_artifact_places()
    client = connect(sqlite_url(new / "mlflow.db"))
    describe(client, run_id, "a setting", {}, {"new.txt": "new"})
    assert not old.exists()
    assert {artifact.path for artifact in client.list_artifacts(run_id)} == {"old.txt", "new.txt"}
    assert (new / "artifacts" / "small-smoke" / run_id / "artifacts" / "new.txt").read_text() == "new"
    recorder = MlflowRecorder(sqlite_url(new / "mlflow.db"), plan, new / "artifacts")
    own = recorder.client.create_run(recorder.experiment_id)
    assert own.info.artifact_uri.startswith((new / "artifacts").as_uri())


def test_a_copy_of_a_folder_leaves_the_original_as_it_is(plan: Plan, tmp_path: Path) -> None:
    old, new = tmp_path / "old", tmp_path / "new"
    run_id = _written(plan, old)
    shutil.copytree(old, new)
    _forget_artifact_places()
    describe(connect(sqlite_url(new / "mlflow.db")), run_id, "a setting", {}, {"new.txt": "new"})
    assert not list(old.rglob("new.txt"))
    assert len(list(new.rglob("new.txt"))) == 1
    assert MlflowClient(sqlite_url(old / "mlflow.db")).get_run(run_id).info.artifact_uri.startswith(old.as_uri())


def test_artifacts_of_other_experiments_stay_where_they_are(tmp_path: Path) -> None:
    uri = empty_store(tmp_path / "here")
    elsewhere = (tmp_path / "elsewhere" / "artifacts" / "foreign").as_uri()
    MlflowClient(uri).create_experiment("foreign", elsewhere)
    assert connect(uri).get_experiment_by_name("foreign").artifact_location == elsewhere


def test_a_tracking_server_chooses_where_artifacts_go(tmp_path: Path) -> None:
    assert artifact_location("http://host:5000", "claims-demo", tmp_path) is None
    assert artifact_location("postgresql://host/db", "e", tmp_path) == (tmp_path / "e").as_uri()
