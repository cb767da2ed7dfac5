"""One call of `ablate run`: opens what a study is carried out with, and closes it whatever happens."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import NoReturn

from rich.console import Console

from ablations.errors import UserError
from ablations.record.writer import Record
from ablations.run.checkpoints import Checkpoints
from ablations.run.context import RunContext
from ablations.run.executors import Executor, ProcessExecutor, SerialExecutor
from ablations.run.jobs import Job
from ablations.run.progress import Reporter
from ablations.run.provenance import provenance
from ablations.run.scheduler import run_plan
from ablations.search import storage_at
from ablations.study import Plan


@dataclass(frozen=True)
class Place:
    """Where a session keeps what it makes: the results folder, and the two stores."""

    home: Path
    tracking_uri: str
    storage: str


def run_session(
    plan: Plan,
    place: Place,
    command: str,
    workers: int,
    executor: str,
    console: Console,
    prepare: Job | None = None,
) -> int:
    """Carries out what is missing of a plan; returns how many settings failed. Each worker calls `prepare` at first.

    Raises `UserError` where the results folder or a store cannot be written, and KeyboardInterrupt on Ctrl-C or SIGTERM,
    after everything has been closed; the next call carries on from there.
    """
    make_writable(place.home)
    record = Record(place.tracking_uri, plan, place.home / "artifacts")
    known, others = record.count_existing()
    if others > int(plan.costs is not None):
        console.print("The record also keeps settings of another plan; status and report speak of this one.")
    with Reporter(console, plan.runs, known) as callback, _executor(executor, workers, prepare) as pool:
        context = RunContext(record, storage_at(place.storage), Checkpoints(place.home / "checkpoints"), callback)
        with _timed(record, {**provenance(command), "workers": workers}):
            return run_plan(plan, context, pool, at_once=workers + 1)


def make_writable(folder: Path) -> None:
    """Makes the folder where it is missing. Raises `UserError` where it cannot be written to."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / ".writable"
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise UserError(f"the results folder {folder} cannot be written to: {error.strerror}") from error


@contextmanager
def _executor(name: str, workers: int, prepare: Job | None) -> Iterator[Executor]:
    executor: Executor = SerialExecutor() if name == "serial" else ProcessExecutor(workers, prepare)
    before = signal.signal(signal.SIGTERM, _interrupt)
    try:
        yield executor
    finally:
        signal.signal(signal.SIGTERM, before)
        executor.close()


def _interrupt(_signal: int, _frame: object) -> NoReturn:
    raise KeyboardInterrupt


@contextmanager
def _timed(record: Record, made_with: dict[str, object]) -> Iterator[None]:
    """Keeps the provenance, with the wall time of all sessions that the study has taken so far."""
    before = record.provenance
    spent, first = before.get("wall_seconds", 0.0), before.get("started", made_with["started"])
    began = monotonic()
    record.set_provenance({**made_with, "started": first, "wall_seconds": spent})
    try:
        yield
    finally:
        record.set_provenance({**made_with, "started": first, "wall_seconds": spent + monotonic() - began})
