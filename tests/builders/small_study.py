"""Carrying out a study in this process, recorded in databases or in memory, and what came of it."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from optuna.storages import BaseStorage, InMemoryStorage

from ablations.record.memory import MemoryRecorder
from ablations.record.protocol import Recorder
from ablations.record.reader import read
from ablations.record.schema import RunRecord, StudyRecord
from ablations.record.store import connect
from ablations.record.writer import MlflowRecorder
from ablations.run.checkpoints import Checkpoints
from ablations.run.cohort_runner import States
from ablations.run.context import RunContext
from ablations.run.control import KeepModels
from ablations.run.executors import Executor, SerialExecutor
from ablations.run.jobs import JobFailed
from ablations.run.scheduler import run_plan
from ablations.search import storage_at
from ablations.sqlite import sqlite_url
from ablations.study import Study

UNTIMED = {"seconds"}
"""The metrics that are no numbers of the study, but times."""


class Silent:
    """A watch that counts, and can stop everything after some segments."""

    def __init__(self, stop_after: int | None = None) -> None:
        self.segments, self.runs, self.failures, self.stop_after = 0, 0, 0, stop_after

    def on_setting_start(self, name: str) -> None: ...

    def on_segment_end(self, name: str, states: States) -> None:
        self.segments += 1
        if self.segments == self.stop_after:
            raise KeyboardInterrupt

    def on_run_end(self, name: str, run: RunRecord) -> None:
        self.runs += 1

    def on_setting_end(self, name: str) -> None: ...

    def on_setting_failure(self, name: str, error: JobFailed) -> None:
        self.failures += 1


@cache
def _empty_store() -> bytes:
    with TemporaryDirectory() as folder:
        connect(sqlite_url(Path(folder) / "mlflow.db"), create=True)
        return (Path(folder) / "mlflow.db").read_bytes()


def empty_store(folder: Path) -> str:
    """The URI of an MLflow store in a folder, at first a copy of an empty one: it takes a second to create another."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "mlflow.db"
    if not file.exists():
        file.write_bytes(_empty_store())
    return sqlite_url(file)


class Databases:
    """A results folder, as `ablate run` leaves it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def recorder(self, study: Study) -> Recorder:
        return MlflowRecorder(empty_store(self.folder), study.at("smoke"), self.folder / "artifacts")

    def storage(self) -> BaseStorage:
        return storage_at(sqlite_url(self.folder / "optuna.db"))

    def read(self, study: Study) -> StudyRecord:
        return read(sqlite_url(self.folder / "mlflow.db"), study.name, "smoke")


class Memory:
    """The same in memory; on disk are checkpoints alone."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._storage = InMemoryStorage()
        self._recorder: MemoryRecorder | None = None

    def recorder(self, study: Study) -> MemoryRecorder:
        self._recorder = MemoryRecorder(study.at("smoke"), self._recorder)
        return self._recorder

    def storage(self) -> BaseStorage:
        return self._storage

    def read(self, study: Study) -> StudyRecord:
        return MemoryRecorder(study.at("smoke"), self._recorder).study()


Stores = Path | Databases | Memory


def _stores(where: Stores) -> Databases | Memory:
    return Databases(where) if isinstance(where, Path) else where


def open_record(study: Study, where: Stores) -> Recorder:
    return _stores(where).recorder(study)


def carry_out(
    study: Study,
    where: Stores,
    executor: Executor | None = None,
    watch: Silent | None = None,
    keep_models: KeepModels = "best",
    provenance: Mapping[str, str] | None = None,
) -> Silent:
    stores, watch = _stores(where), watch or Silent()
    record = stores.recorder(study)
    context = RunContext(record, stores.storage(), Checkpoints(stores.folder / "checkpoints"), watch, keep_models)
    record.set_provenance(provenance or {})
    run_plan(study.at("smoke"), context, executor or SerialExecutor(), at_once=2)
    return watch


def recorded(study: Study, where: Stores) -> StudyRecord:
    return _stores(where).read(study)


def numbers(study: Study, where: Stores) -> dict[str, Any]:
    record = recorded(study, where)
    return {
        run.identity: (
            run.status,
            dict(run.factors),
            {name: value for name, value in run.metrics.items() if name not in UNTIMED},
            dict(run.history),
        )
        for run in record.trials + record.replicates + record.transferred
    }
