"""Reading an MLflow store that is an SQLite file, by a few queries for a whole experiment."""

import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from ablations.record.schema import NoStore, RecordError
from ablations.record.source import Experiment, Run, as_curve
from ablations.sqlite import is_database, is_missing
from ablations.train.metrics import Curve

WAIT = 60.0
"""Seconds to wait for a writer that holds the database."""

OF_RUNS = "join runs using (run_uuid) where runs.experiment_id = ? and runs.lifecycle_stage = 'active'"
NUMBER = "case when is_nan then null else {table}.value end"
"""MLflow keeps not-a-number as a flag, since SQLite has none."""

EXPERIMENTS = "select experiment_id, name, lifecycle_stage from experiments order by experiment_id"
EXPERIMENT_TAGS = "select experiment_id, key, value from experiment_tags"
RUNS = (
    "select run_uuid, coalesce(name, ''), status, coalesce(start_time, 0) from runs "
    "where experiment_id = ? and lifecycle_stage = 'active'"
)
TAGS = f"select run_uuid, tags.key, coalesce(tags.value, '') from tags {OF_RUNS}"
PARAMS = f"select run_uuid, params.key, params.value from params {OF_RUNS}"
LATEST = f"select run_uuid, key, {NUMBER.format(table='latest_metrics')} from latest_metrics {OF_RUNS}"
POINTS = f"select run_uuid, key, step, {NUMBER.format(table='metrics')} from metrics {OF_RUNS} and key in "


class Database:
    """A `Source` that is an SQLite file. Raises sqlite3.Error where it has not the tables that are known here."""

    def __init__(self, file: Path) -> None:
        self._uri = f"{file.resolve().as_uri()}?mode=ro"
        self._read(f"{EXPERIMENTS} limit 0", f"{EXPERIMENT_TAGS} limit 0")
        self._read(*(f"{query} limit 0" for query in (RUNS, TAGS, PARAMS, LATEST, f"{POINTS} ('')")), values=[0])

    def experiments(self) -> list[Experiment]:
        return [each for each in self._all() if not each.is_deleted]

    def experiment(self, name: str) -> Experiment | None:
        return next((each for each in self._all() if each.name == name), None)

    def runs(self, experiment_id: str) -> list[Run]:
        rows, *parts, latest = self._read(RUNS, TAGS, PARAMS, LATEST, values=[int(experiment_id)])
        tags, params = map(_nested, parts)
        metrics = _nested((run_id, key, _float(value)) for run_id, key, value in latest)
        return [
            Run(run_id, name, status, start, tags[run_id], params[run_id], metrics[run_id])
            for run_id, name, status, start in rows
        ]

    def curves(self, experiment_id: str, wanted: Mapping[str, Sequence[str]]) -> Mapping[str, Mapping[str, Curve]]:
        names = sorted({name for names in wanted.values() for name in names})
        points: dict[tuple[str, str], list[tuple[int, float]]] = defaultdict(list)
        query = f"{POINTS} ({', '.join('?' * len(names))})"
        (rows,) = self._read(query, values=[int(experiment_id), *names])
        for run, name, step, value in rows:
            points[run, name].append((step, _float(value)))
        return {run: {name: as_curve(points[run, name]) for name in names} for run, names in wanted.items()}

    def _all(self) -> list[Experiment]:
        rows, tag_rows = self._read(EXPERIMENTS, EXPERIMENT_TAGS)
        tags = _nested(tag_rows)
        return [Experiment(str(number), name, stage == "deleted", tags[number]) for number, name, stage in rows]

    def _read(self, *queries: str, values: Sequence[Any] = ()) -> list[list[Any]]:
        """The rows of each query, all of one moment: a run that has ended has its metrics too."""
        with closing(sqlite3.connect(self._uri, uri=True, timeout=WAIT)) as database:
            database.execute("begin")
            return [database.execute(query, values).fetchall() for query in queries]


def check_file(file: Path, uri: str) -> None:
    """Raises `RecordError` where a file is no SQLite database: MLflow would try to open it for minutes."""
    if is_missing(file):
        raise NoStore(f"cannot open the MLflow store {uri}: there is no such file; `ablate run` comes first")
    if not is_database(file):
        raise RecordError(f"cannot open the MLflow store {uri}: {file} is no SQLite database")


def _nested(rows: Iterable[tuple[Any, str, Any]]) -> defaultdict[Any, dict[str, Any]]:
    """Rows of (outer key, inner key, value) as outer key -> inner key -> value."""
    nested: defaultdict[Any, dict[str, Any]] = defaultdict(dict)
    for outer, inner, value in rows:
        nested[outer][inner] = value
    return nested


def _float(value: float | None) -> float:
    return float("nan") if value is None else float(value)
