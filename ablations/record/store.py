"""Opening an MLflow store. Every import of MLflow in this project goes through here."""

import logging
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

# MLflow looks up its telemetry host while it is imported. Subprocesses, such as the UI, inherit this.
os.environ |= {"MLFLOW_DISABLE_TELEMETRY": "true", "DO_NOT_TRACK": "true"}

from mlflow import MlflowClient
from mlflow.entities import Experiment, Metric, Param, Run, RunTag, ViewType
from mlflow.exceptions import MlflowException
from sqlalchemy.exc import SQLAlchemyError

from ablations.record.schema import RecordError, is_ours
from ablations.sqlite import create_once, database_file, is_database, is_missing

__all__ = ["Experiment", "Metric", "MlflowClient", "MlflowException", "Param", "Run", "RunTag", "all_runs", "connect"]


class NoStore(RecordError):
    """There is no database file at a tracking URI."""


def connect(uri: str, create: bool = False) -> MlflowClient:
    """An MLflow client on a tracking URI. With `create`, a database file that is missing is created.

    Raises `RecordError` where the store cannot be opened. The artifacts of an SQLite store lie beside it, in the folder
    artifacts/; after it was moved or copied, they are looked for and written there.
    """
    for noisy in ("mlflow", "alembic"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    file = database_file(uri)
    try:
        if file:
            _check_file(file, uri, create)
        client = MlflowClient(tracking_uri=uri)
        client.search_experiments(max_results=1)
        if file:
            _follow_moved_artifacts(client, file)
    except (MlflowException, SQLAlchemyError, sqlite3.Error, OSError) as error:
        raise RecordError(f"cannot open the MLflow store {uri}: {str(error).splitlines()[0]}") from error
    return client


def artifact_location(uri: str, name: str, folder: Path) -> str | None:
    """Where a new experiment keeps its artifacts: beside an SQLite store, where a tracking server says, else in `folder`."""
    if uri.startswith(("http://", "https://")):
        return None
    file = database_file(uri)
    return _beside(file, name) if file else (folder.absolute() / name).as_uri()


def experiment_named(client: MlflowClient, name: str) -> Experiment | None:
    """The experiment of that name, if there is one. Raises `RecordError` where it was deleted in the MLflow UI."""
    experiment = client.get_experiment_by_name(name)
    if experiment and experiment.lifecycle_stage == "deleted":
        number = experiment.experiment_id
        raise RecordError(
            f"the experiment {name} was deleted in MLflow. After export MLFLOW_TRACKING_URI='{client.tracking_uri}', "
            f"mlflow experiments restore -x {number} restores it, and mlflow gc --backend-store-uri "
            f'"$MLFLOW_TRACKING_URI" --experiment-ids {number} deletes it for good'
        )
    return experiment


def all_runs(client: MlflowClient, experiment_id: str) -> Iterator[Run]:
    """Every run of an experiment that is not deleted, page by page, the earliest first."""
    token = None
    while True:
        page = client.search_runs([experiment_id], max_results=1000, order_by=["start_time ASC"], page_token=token)
        yield from page
        if not (token := page.token):
            return


def _check_file(file: Path, uri: str, create: bool) -> None:
    """Creates the database where that is asked for, and refuses what MLflow would try to open for minutes."""
    if is_missing(file):
        if not create:
            raise NoStore(f"cannot open the MLflow store {uri}: there is no such file; `ablate run` comes first")
        create_once(file, lambda url: _create_tables(url, file))
    if not is_database(file):
        raise RecordError(f"cannot open the MLflow store {uri}: {file} is no SQLite database")


def _create_tables(url: str, file: Path) -> None:
    from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

    SqlAlchemyStore(url, _beside(file, "")).engine.dispose()  # type: ignore[no-untyped-call]


def _beside(file: Path, name: str) -> str:
    return (file.resolve().parent / "artifacts" / name).as_uri()


def _follow_moved_artifacts(client: MlflowClient, file: Path) -> None:
    """MLflow keeps absolute paths of artifacts: those of our experiments are rewritten once the folder has moved."""
    if not os.access(file, os.W_OK):
        return  # it can be read; and nothing will be written
    for experiment in client.search_experiments(view_type=ViewType.ALL):
        old, new = str(experiment.artifact_location), _beside(file, experiment.name)
        is_beside_a_store = old.endswith(f"/artifacts/{quote(experiment.name)}")
        if is_ours(experiment.tags) and is_beside_a_store and old != new:
            _rewrite_artifacts(file, experiment.experiment_id, old, new)


def _rewrite_artifacts(file: Path, experiment_id: str, old: str, new: str) -> None:
    with closing(sqlite3.connect(file)) as database, database:
        database.execute(
            "UPDATE experiments SET artifact_location = ? WHERE experiment_id = ?", (new, int(experiment_id))
        )
        database.execute(
            "UPDATE runs SET artifact_uri = ? || substr(artifact_uri, ?) "
            "WHERE experiment_id = ? AND substr(artifact_uri, 1, ?) = ?",
            (new, len(old) + 1, int(experiment_id), len(old) + 1, old + "/"),
        )
