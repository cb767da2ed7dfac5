"""Every instant of a small study at which a crash could matter, and what the next call makes of it.

Before each commit of a database, each rename and deletion of a file, and after each answer of a worker, the results folder is
copied as it lies on the disk. A copy is what a process leaves that ends there, by kill -9 or by os._exit. It is carried on in
a process of its own, a fork of one that has loaded everything and opened nothing.
"""

import hashlib
import json
import os
import random
import shutil
import signal
import sqlite3
import sys
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import event
from sqlalchemy.engine import Engine

from ablations.models.variant import Variant
from ablations.record.reader import read
from ablations.record.store import MlflowClient
from ablations.record.writer import MlflowRecorder
from ablations.run.checkpoints import Checkpoints
from ablations.run.context import RunContext
from ablations.run.executors import Executor, SerialExecutor
from ablations.run.scheduler import run_plan
from ablations.search import storage_at
from ablations.sqlite import sqlite_url
from ablations.study import Budget, Range, Scale, Study
from builders.small_study import Silent
from reports.result_tables import ResultTables
from tasks import TASKS

BUDGET = Budget(trials=4, trials_per_round=2, search_seeds=1, replicates=2, steps=2, segments=2, batch=2, parameters=200,
                validation=4, test=4)  # fmt: skip
STUDY = Study(
    name="small",
    question="What is left of a crash?",
    variants=(Variant("lstm", "recurrent", {"cell": "lstm"}),),
    baseline="lstm",
    scales={"smoke": Scale(tasks={"adding": TASKS["adding"](length=4)}, budget=BUDGET)},
    nuisance={"lr": Range(1e-3, 1e-1), "clip": Range(0.1, 10.0)},
    fixed={"weight_decay": 0.0},
)
TABLES = ("settings", "replicates", "transferred", "curves", "difficulty", "gradient", "trials")
UNEQUAL = {"run_id", "seconds", "seconds_per_sequence"}
"""The columns that no two runs of a study share."""

Point = Callable[[str], None]


def store(home: Path) -> str:
    """The URI of the record in a results folder."""
    return sqlite_url(home / "mlflow.db")


def carry_out(
    home: Path,
    point: Point = lambda _: None,
    uri: str | None = None,
    storage_url: str | None = None,
    executor: Executor | None = None,
) -> None:
    """What `ablate run` does, in this process; `point` is called with the name of each point that it comes to.

    uri, storage_url: the stores, where they are not in the results folder. executor: where jobs run, if not here.
    """
    home.mkdir(exist_ok=True)
    with points(point) as come_to:
        record = MlflowRecorder(uri or store(home), STUDY.at("smoke"), home / "artifacts")
        storage = storage_at(storage_url or sqlite_url(home / "optuna.db"))
        checkpoints = Checkpoints(home / "checkpoints")
        record.set_provenance({"commit": "0"})
        context = RunContext(record, storage, checkpoints, Silent())
        assert run_plan(STUDY.at("smoke"), context, executor or Answering(come_to), at_once=2) == 0
        record.set_provenance({"commit": "0", "wall_seconds": 1.0})


class Answering(SerialExecutor):
    """Comes to a point with each answer."""

    def __init__(self, point: Point) -> None:
        super().__init__()
        self._point = point

    def next_result(self) -> tuple[int, Any]:
        result = super().next_result()
        self._point("answer")
        return result


@contextmanager
def points(point: Point) -> Iterator[Point]:
    is_at_point = False

    def come_to(name: str) -> None:
        nonlocal is_at_point
        if not is_at_point:  # what is done there is no part of the study
            is_at_point = True
            point(name)
            is_at_point = False

    def before_commit(connection: Any) -> None:
        come_to(f"commit to {Path(connection.engine.url.database).name}")

    originals = {name: getattr(os, name) for name in ("replace", "rename", "unlink")}

    def watched(name: str) -> Callable[..., Any]:
        def call(path: Any, *others: Any, **more: Any) -> Any:
            if not str(path).endswith(".lock"):
                come_to(f"{name} of {Path(path).name}")
            return originals[name](path, *others, **more)

        return call

    event.listen(Engine, "commit", before_commit)
    for name in originals:
        setattr(os, name, watched(name))
    try:
        yield come_to
    finally:
        event.remove(Engine, "commit", before_commit)
        for name, original in originals.items():
            setattr(os, name, original)


def tables_hash(uri: str) -> str:
    """A hash of the report's tables, without times."""
    results = ResultTables(read(uri, STUDY.name, "smoke"))
    frames = [getattr(results, name) for name in TABLES]
    texts = [frame.drop(columns=[c for c in frame if c in UNEQUAL]).to_csv() for frame in frames]
    return hashlib.sha256("".join(texts).encode()).hexdigest()


def doubles(uri: str) -> list[str]:
    """The identities that more than one ended run of the record has."""
    client = MlflowClient(uri)
    experiment = client.get_experiment_by_name("small-smoke")
    assert experiment is not None
    runs = client.search_runs([experiment.experiment_id])
    counts = Counter(run.data.tags["identity"] for run in runs if run.data.tags.get("status") != "interrupted")
    return [identity for identity, count in counts.items() if count > 1]


def in_fork(work: Callable[[], None]) -> bool:
    """Does some work in a fork of this process; whether it came to its end."""
    if child := os.fork():
        return os.waitpid(child, 0)[1] == 0
    code = 1
    try:
        work()
        code = 0
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def states(home: Path, copies: Path) -> list[tuple[str, Path]]:
    """Carries the study out and copies the folder at each point whose state differs from all before: (point, copy)."""
    seen: set[str] = set()
    kept: list[tuple[str, Path]] = []
    number = 0

    def keep(name: str) -> None:
        nonlocal number
        number += 1
        copy = copies / f"{number:04}"
        shutil.copytree(home, copy)
        if (key := _state(copy, copies / "scratch")) in seen:
            shutil.rmtree(copy)
        else:
            seen.add(key)
            kept.append((name, copy))

    carry_out(home, keep)
    print(f"{number} points, {len(kept)} states", flush=True)
    return kept


def _state(copy: Path, scratch: Path) -> str:
    """What the next process finds in a folder: SQLite takes back what was not committed. A half-made database is one state."""
    shutil.rmtree(scratch, ignore_errors=True)
    shutil.copytree(copy, scratch)
    for file in scratch.glob("*.db"):
        with closing(sqlite3.connect(file)) as database:
            database.execute("select count(*) from sqlite_master").fetchone()
    parts = []
    for file in sorted(path for path in scratch.rglob("*") if path.is_file()):
        parts += [str(file.relative_to(scratch)), "" if ".new" in str(file.parent) else _digest(file)]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def _digest(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def explore(folder: Path) -> int:
    """Carries the study on from each state, and compares with the one that was not disturbed; the number of failures."""
    whole, copies, listed = folder / "whole", folder / "copies", folder / "states.json"
    copies.mkdir(parents=True)
    assert in_fork(lambda: listed.write_text(json.dumps([(n, str(c)) for n, c in states(whole, copies)])))
    expected = _expected(folder)
    failures = 0
    for name, copy in json.loads(listed.read_text()):
        if not _goes_on(Path(copy), expected):
            failures += 1
            print(f"failed: before {name} ({copy})", flush=True)
        shutil.rmtree(copy)
    print(f"{failures} failures", flush=True)
    return failures


def kill(folder: Path, times: int) -> int:
    """Kills the study at random instants, carries it on, and compares; the number of failures."""
    folder.mkdir(parents=True)
    start = time.monotonic()
    assert in_fork(lambda: carry_out(folder / "whole"))
    seconds, expected = time.monotonic() - start, _expected(folder)
    rng, failures = random.Random(0), 0
    for number in range(times):
        home = folder / str(number)
        child = os.fork()
        if not child:
            carry_out(home)
            os._exit(0)
        instant = rng.uniform(0, seconds)
        time.sleep(instant)
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        home.mkdir(exist_ok=True)  # it was killed before there was any
        if not _goes_on(home, expected):
            failures += 1
            print(f"failed: killed after {instant:.2f} s of {seconds:.2f}", flush=True)
        shutil.rmtree(home)
    print(f"{times} kills, {failures} failures", flush=True)
    return failures


def _expected(folder: Path) -> str:
    """The hash of the study that was not disturbed."""
    file = folder / "expected"
    assert in_fork(lambda: file.write_text(tables_hash(store(folder / "whole"))))
    return file.read_text()


def _goes_on(home: Path, expected: str) -> bool:
    """Whether the study goes on from there to the same tables, with no run twice and nothing left lying about."""

    def go_on() -> None:
        carry_out(home)
        assert tables_hash(store(home)) == expected, "other tables"
        assert not doubles(store(home)), "a run was trained twice"
        left = [str(path) for path in home.rglob("*") if path.suffix in (".pt", ".new") or path.name.startswith(".")]
        assert not left, left

    return in_fork(go_on)


if __name__ == "__main__":
    work = {"explore": explore, "kill": partial(kill, times=20)}[sys.argv[1]]
    sys.exit(1 if work(Path(sys.argv[2])) else 0)
