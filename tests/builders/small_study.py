"""Carrying out a study in a folder, in this process, and what came of it."""

from pathlib import Path
from typing import Any

from ablations.record.reader import read
from ablations.record.schema import RunRecord, StudyRecord
from ablations.record.writer import Record
from ablations.run.checkpoints import Checkpoints
from ablations.run.cohort_state import CohortState
from ablations.run.context import RunContext
from ablations.run.executors import Executor, SerialExecutor
from ablations.run.jobs import JobFailed
from ablations.run.scheduler import run_plan
from ablations.search import storage_at
from ablations.study import Study

UNTIMED = {"seconds"}
"""The metrics that are no numbers of the study, but times."""


class Silent:
    """A watch that counts, and can stop everything after some segments."""

    def __init__(self, stop_after: int | None = None) -> None:
        self.segments, self.runs, self.failures, self.stop_after = 0, 0, 0, stop_after

    def on_setting_start(self, name: str) -> None: ...

    def on_segment_end(self, name: str, state: CohortState) -> None:
        self.segments += 1
        if self.segments == self.stop_after:
            raise KeyboardInterrupt

    def on_run_end(self, name: str, run: RunRecord) -> None:
        self.runs += 1

    def on_setting_end(self, name: str) -> None: ...

    def on_setting_failure(self, name: str, error: JobFailed) -> None:
        self.failures += 1


def open_record(study: Study, folder: Path) -> Record:
    return Record(f"sqlite:///{folder / 'mlflow.db'}", study.at("smoke"), folder / "artifacts")


def carry_out(study: Study, folder: Path, executor: Executor | None = None, watch: Silent | None = None) -> Silent:
    folder.mkdir(exist_ok=True)
    watch = watch or Silent()
    record = open_record(study, folder)
    storage = storage_at(f"sqlite:///{folder / 'optuna.db'}")
    context = RunContext(record, storage, Checkpoints(folder / "checkpoints"), watch)
    record.set_provenance({})
    run_plan(study.at("smoke"), context, executor or SerialExecutor(), at_once=2)
    return watch


def numbers(study: Study, folder: Path) -> dict[str, Any]:
    record: StudyRecord = read(f"sqlite:///{folder / 'mlflow.db'}", study.name, "smoke")
    return {
        run.identity: (
            run.status,
            dict(run.factors),
            {name: value for name, value in run.metrics.items() if name not in UNTIMED},
            dict(run.history),
        )
        for run in record.trials + record.replicates + record.transferred
    }
