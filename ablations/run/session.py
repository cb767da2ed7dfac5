"""One call of `ablate run`: opens what a plan is run with, and closes it whatever happens."""

import signal
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from time import monotonic
from typing import Literal, NoReturn

from optuna.storages import BaseStorage
from rich.console import Console

from ablations.collection import without_collection
from ablations.errors import UserError
from ablations.outages import Outage, check_apart, check_database, without_patience
from ablations.record.lock import make_writable, sole_writer
from ablations.record.protocol import Recorder
from ablations.record.schema import experiment_name
from ablations.run.checkpoints import Checkpoints
from ablations.run.completion import is_complete
from ablations.run.context import RunContext
from ablations.run.control import Control
from ablations.run.executors import Executor, ProcessExecutor, SerialExecutor
from ablations.run.jobs import Job
from ablations.run.progress import Reporter
from ablations.run.provenance import of_study_file, provenance
from ablations.run.scheduler import run_plan
from ablations.run.space import check_before, needed_space
from ablations.search import storage_at
from ablations.stages import Stages
from ablations.studies import find
from ablations.study import Plan

Executors = Literal["processes", "serial", "ray"]
"""Where jobs run: in worker processes, in this process, or in tasks of Ray."""

SETTINGS_OF_A_WORKER = 2
"""One whose job runs and one whose job waits, so that no worker waits while this process writes to the record."""


ENDING = (signal.SIGTERM, signal.SIGHUP)
"""The signals that are answered like Ctrl-C: SIGHUP comes when a terminal or a connection is closed."""


@dataclass(frozen=True)
class Place:
    """Where a session keeps its results: the results folder, and the two stores."""

    home: Path
    tracking_uri: str
    storage: str


@dataclass(frozen=True)
class Origin:
    """Where a plan comes from: the command, the study's file if it has one, and the seed and the parts of the budget that
    the command sets."""

    command: str
    study_file: str | None
    changes: Mapping[str, int]


def run_session(
    plan: Plan,
    place: Place,
    workers: int,
    executor: Executors,
    console: Console,
    origin: Origin,
    prepare: Job | None = None,
    control: Control | None = None,
    address: str | None = None,
) -> tuple[int, int]:
    """Runs what is missing of a plan; returns how many settings failed, and how many runs `control` has left out.

    prepare: what each worker does first; without it, it loads the study's file if there is one.
    address: that of a Ray cluster; with the executor "ray" alone.

    Raises `UserError` where the results folder or a store cannot be written, or a run would not fit into memory or onto the
    disk, `TimeLimitReached` where the time that `control` gives is over, and KeyboardInterrupt on Ctrl-C, SIGTERM or
    SIGHUP, after everything has been closed. The next call goes on from there.
    """
    control = replace(control or Control(), folder=place.home)
    control.check(plan)
    check_apart(place.tracking_uri, place.storage)
    check_database("the Optuna storage", place.storage)  # before any worker starts
    make_writable(place.home)
    with without_collection():
        if is_complete(plan, place.tracking_uri):
            return 0, 0  # workers would start, and MLflow be imported, for nothing
    name = experiment_name(plan.name, plan.scale)
    if prepare is None and origin.study_file:
        prepare = partial(find, origin.study_file)  # it may define tasks and models
    # The workers start first, and MLflow is imported while they do: each of the two takes seconds.
    with sole_writer(place.home, name, origin.command), _executor(executor, workers, prepare, address) as pool:
        record, storage = _opened(plan, place, console)
        _, others = record.count_existing()
        planned, existing = _chosen_runs(plan, control, record)
        at_once = SETTINGS_OF_A_WORKER * pool.workers
        check_before(place.home, needed_space(plan, max(0, planned - existing), at_once))
        if others > int(plan.costs is not None):
            console.print(
                "Older runs of this study, of other code or other settings, stay in MLflow and are left out.",
                soft_wrap=True,
            )
        checkpoints = Checkpoints(place.home / "checkpoints" / name)
        with Reporter(console, planned, existing) as callback:
            context = RunContext(record, storage, checkpoints, callback, control.keep_models, control.cohort_memory)
            with _timed(record, {**provenance(origin.command), **_recorded(origin), "workers": pool.workers}):
                failures = run_plan(plan, context, pool, at_once, control)
                missing = max(0, plan.runs - record.count_existing()[0]) if control.is_partial else 0
                return failures, missing


def _chosen_runs(plan: Plan, control: Control, record: Recorder) -> tuple[int, int]:
    """How many runs the chosen settings need, and how many of these are recorded."""
    chosen = control.chosen(plan, record.failed)
    own = {plan.identities[setting.name] for setting in chosen}
    existing = sum(end.parent in own for end in record.finished.values())
    return sum(plan.runs_of(setting.variant.name) for setting in chosen), existing


def _opened(plan: Plan, place: Place, console: Console) -> tuple[Recorder, BaseStorage]:
    """The record and the search's storage, which are created where they are missing."""
    with Stages(console, "starting") as say, without_patience(), without_collection():
        say("opening the databases", "MLflow")
        from ablations.record.writer import MlflowRecorder

        record = MlflowRecorder(place.tracking_uri, plan, place.home / "artifacts")
        say("opening the databases", "Optuna")
        return record, storage_at(place.storage)


@contextmanager
def _executor(name: Executors, workers: int, prepare: Job | None, address: str | None) -> Iterator[Executor]:
    executor = _new_executor(name, workers, prepare, address)
    heeded = [each for each in ENDING if signal.getsignal(each) != signal.SIG_IGN]  # nohup means it
    before = {each: signal.signal(each, _interrupt) for each in heeded}
    try:
        yield executor
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)
        executor.close()


def _new_executor(name: Executors, workers: int, prepare: Job | None, address: str | None) -> Executor:
    if address and name != "ray":
        raise UserError("--address is that of a Ray cluster; it goes with --executor ray")
    if name == "serial":
        return SerialExecutor()
    if name == "processes":
        return ProcessExecutor(workers, prepare)
    try:
        from ablations.run.ray_executor import RayExecutor
    except ModuleNotFoundError as error:
        raise UserError("Ray is not installed; first: pip install 'recurrent-ablations[cluster]'") from error
    return RayExecutor(workers, address, prepare)


def _interrupt(_signal: int, _frame: object) -> NoReturn:
    raise KeyboardInterrupt


def _recorded(origin: Origin) -> dict[str, object]:
    own = of_study_file(origin.study_file) if origin.study_file else {}
    return {**own, "changes": dict(origin.changes)}


@contextmanager
def _timed(record: Recorder, facts: dict[str, object]) -> Iterator[None]:
    """Records the provenance, with the wall time of all sessions of the study so far."""
    before = record.provenance
    seconds, first = before.get("wall_seconds", 0.0), before.get("started", facts["started"])
    start = monotonic()
    record.set_provenance({**facts, "started": first, "wall_seconds": seconds})

    def end() -> None:
        record.set_provenance({**facts, "started": first, "wall_seconds": seconds + monotonic() - start})

    try:
        yield
    except BaseException:
        with without_patience(), suppress(Outage):  # an outage may be why it ends, or Ctrl-C in the midst of one
            end()
        raise
    end()
