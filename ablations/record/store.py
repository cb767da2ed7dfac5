"""Opening an MLflow store. Every import of MLflow in this project goes through here."""

import logging
import os
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, cast
from urllib.parse import quote

# MLflow looks up its telemetry host while it is imported. Subprocesses, such as the UI, inherit this.
os.environ |= {"MLFLOW_DISABLE_TELEMETRY": "true", "DO_NOT_TRACK": "true"}
# MLflow would try again without a word for four minutes; `outages.ride_out` says so.
os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
# At the end of each run it would print a link with the password of the server's URI.
os.environ["MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT"] = "true"
os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")  # a kept network is a few small files

from mlflow import MlflowClient
from mlflow.entities import Experiment as MlflowExperiment
from mlflow.entities import LoggedModelOutput, Metric, Param, RunTag, ViewType
from mlflow.entities import Run as MlflowRun
from mlflow.exceptions import MlflowException
from mlflow.store.artifact.artifact_repo import ArtifactRepository
from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository
from sqlalchemy.exc import SQLAlchemyError

from ablations.credentials import is_web
from ablations.outages import TO_CONNECT, check_database, driver_url, reason
from ablations.record.database import check_file
from ablations.record.schema import INTERRUPTED, RecordError, is_ours
from ablations.record.server import PatientClient
from ablations.record.source import Experiment, Run, as_curve
from ablations.sqlite import create_once, database_file
from ablations.train.metrics import Curve

__all__ = [
    "ClientSource",
    "LoggedModelOutput",
    "Metric",
    "MlflowClient",
    "MlflowException",
    "MlflowRun",
    "Param",
    "RunTag",
    "artifact_location",
    "connect",
    "delete_artifacts",
    "download_artifacts",
    "download_model",
]


def connect(uri: str, create: bool = False) -> MlflowClient:
    """An MLflow client on a tracking URI. With `create`, a database file that is missing is created.

    Raises `RecordError` where the store cannot be opened. The artifacts of an SQLite store lie beside it, in the folder
    artifacts/; after it was moved or copied, they are looked for and written there.
    """
    for noisy in ("mlflow", "alembic"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    logging.getLogger("mlflow.store.db.utils").setLevel(logging.CRITICAL)  # what it logs as an error it raises too
    uri, file = driver_url(uri), database_file(uri)
    check_database("the MLflow store", uri)
    try:
        if file:
            if create:
                create_once(file, lambda url: _create_tables(url, file))
            check_file(file, uri)
        client = MlflowClient(tracking_uri=uri)
        with _soon():
            client.search_experiments(max_results=1)
        if file:
            _follow_moved_artifacts(client, file)
    except (MlflowException, SQLAlchemyError, sqlite3.Error, OSError, ImportError) as error:
        raise RecordError(f"cannot open the MLflow store {uri}: {reason(error)}") from error
    return client if file else cast("MlflowClient", PatientClient(client))


@contextmanager
def _soon() -> Iterator[None]:
    """Inside, a tracking server has to answer within seconds."""
    name = "MLFLOW_HTTP_REQUEST_TIMEOUT"
    before = os.environ.get(name)
    os.environ[name] = str(TO_CONNECT)
    try:
        yield
    finally:
        del os.environ[name]
        if before is not None:
            os.environ[name] = before


def end_interrupted(client: MlflowClient, run_ids: Iterable[str]) -> None:
    """Ends runs that a killed writer has left, as what they are."""
    for run_id in run_ids:
        client.set_tag(run_id, "status", INTERRUPTED)
        client.set_terminated(run_id, "KILLED")


def set_changed_tags(
    client: MlflowClient, experiment_id: str, existing: Mapping[str, str], tags: Mapping[str, str]
) -> None:
    """Sets, in their order, those tags of an experiment that it has not as they are: each is a transaction."""
    for key, value in tags.items():
        if existing.get(key) != value:
            client.set_experiment_tag(experiment_id, key, value)


def artifact_location(uri: str, name: str, folder: Path) -> str | None:
    """Where a new experiment keeps its artifacts: beside an SQLite store, where a tracking server says, else in `folder`."""
    if is_web(uri):
        return None
    file = database_file(uri)
    return _beside(file, name) if file else (folder.absolute() / name).as_uri()


def download_model(client: MlflowClient, model_id: str, folder: Path) -> Path:
    """Copies the files of a logged model into a folder; returns where they are then. MLflow's `models:/…` asks one store only."""
    location = client.get_logged_model(model_id).artifact_location
    repository: Any = _artifacts(client, location)
    return Path(repository.download_artifacts("", dst_path=str(folder)))


def download_artifacts(client: MlflowClient, run: MlflowRun, folder: Path) -> bool:
    """Copies all artifacts of a run into a folder; False where it has none."""
    repository: Any = _artifacts(client, run.info.artifact_uri)
    if not repository.list_artifacts():
        return False
    repository.download_artifacts("", dst_path=str(folder))
    return True


def delete_artifacts(client: MlflowClient, run_id: str) -> None:
    """Deletes all artifacts of a run."""
    repository = _artifacts(client, client.get_run(run_id).info.artifact_uri)
    for artifact in repository.list_artifacts():
        repository.delete_artifacts(artifact.path)  # type: ignore[no-untyped-call]


def _artifacts(client: MlflowClient, location: str) -> ArtifactRepository:
    return get_artifact_repository(location, tracking_uri=client.tracking_uri)


class ClientSource:
    """A `Source` that MLflow's client reads: a tracking server, or another kind of database."""

    def __init__(self, client: MlflowClient) -> None:
        self._client = client

    def experiments(self) -> list[Experiment]:
        return [_experiment(each) for each in self._client.search_experiments()]

    def experiment(self, name: str) -> Experiment | None:
        experiment = self._client.get_experiment_by_name(name)
        return _experiment(experiment) if experiment else None

    def runs(self, experiment_id: str) -> list[Run]:
        return [
            Run(run.info.run_id, run.info.run_name or "", run.info.status, run.info.start_time or 0,
                run.data.tags, run.data.params, run.data.metrics)
            for run in self._pages(experiment_id)
        ]  # fmt: skip

    def curves(self, experiment_id: str, wanted: Mapping[str, Sequence[str]]) -> Mapping[str, Mapping[str, Curve]]:
        return {run_id: {name: self._curve(run_id, name) for name in names} for run_id, names in wanted.items()}

    def _pages(self, experiment_id: str) -> Iterator[MlflowRun]:
        """Every run, page by page."""
        token = None
        while True:
            page = self._client.search_runs([experiment_id], max_results=1000, page_token=token)
            yield from page
            if not (token := page.token):
                return

    def _curve(self, run_id: str, name: str) -> Curve:
        return as_curve((point.step, point.value) for point in self._client.get_metric_history(run_id, name))


def _experiment(each: MlflowExperiment) -> Experiment:
    return Experiment(each.experiment_id, each.name, each.lifecycle_stage == "deleted", each.tags)


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
        database.execute(
            "UPDATE logged_models SET artifact_location = ? || substr(artifact_location, ?) "
            "WHERE experiment_id = ? AND substr(artifact_location, 1, ?) = ?",
            (new, len(old) + 1, int(experiment_id), len(old) + 1, old + "/"),
        )
