"""An SQLite store is read directly: all that MLflow's client reads, in a number of queries that does not grow."""

import sqlite3
import subprocess
import sys
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from builders.small_study import empty_store
from builders.written_record import one_setting, runs_of, setting_of, write
from mlflow import MlflowClient
from mlflow.entities import Metric, Param, RunTag

from ablations.record.database import Database
from ablations.record.opening import open_source
from ablations.record.reader import read
from ablations.record.source import Source
from ablations.record.store import ClientSource, connect
from ablations.record.writer import MlflowRecorder
from ablations.run.provenance import provenance
from ablations.study import Plan, Study


@pytest.fixture
def plan(study: Study) -> Plan:
    return one_setting(study)


def _everything(source: Source) -> list[Any]:
    """All that a source can be asked for, in an order of its own."""
    content: list[Any] = []
    for experiment in sorted(source.experiments(), key=lambda each: each.name):
        runs = sorted(source.runs(experiment.experiment_id), key=lambda run: run.run_id)
        wanted = {run.run_id: sorted(run.metrics) for run in runs}
        content.append((experiment, runs, source.curves(experiment.experiment_id, wanted)))
    return content


def test_a_database_holds_what_mlflow_reads_from_it(plan: Plan, tmp_path: Path) -> None:
    uri = empty_store(tmp_path)
    write(MlflowRecorder(uri, plan, tmp_path), setting_of(plan))
    client = MlflowClient(uri)
    for name in ("foreign", "deleted"):
        experiment = client.create_experiment(name, tags={"a": "b"})
        for value in (float("nan"), float("inf"), -1.5):
            run_id = client.create_run(experiment).info.run_id
            points = [Metric("score", value, 7, 0), Metric("score", 0.5, 5, 3), Metric("score", 0.25, 6, 3)]
            client.log_batch(run_id, points, [Param("x", "1")], [RunTag("empty", "")])
        client.delete_run(run_id)
    client.delete_experiment(experiment)
    database, other = Database(tmp_path / "mlflow.db"), ClientSource(client)
    assert repr(_everything(database)) == repr(_everything(other))  # as text, in which NaN equals itself
    for name in ("deleted", "none", "foreign"):
        assert database.experiment(name) == other.experiment(name)


def test_queries_do_not_grow_with_the_runs(plan: Plan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recorder, setting = MlflowRecorder(empty_store(tmp_path), plan, tmp_path), setting_of(plan)
    uri, connect_to = f"sqlite:///{tmp_path / 'mlflow.db'}", sqlite3.connect
    statements: list[str] = []

    def traced(*arguments: Any, **options: Any) -> sqlite3.Connection:
        connection = connect_to(*arguments, **options)
        connection.set_trace_callback(statements.append)
        return connection

    numbers = []
    for runs in (runs_of(setting)[:1], runs_of(setting)):
        write(recorder, setting, runs)
        with monkeypatch.context() as patch:
            patch.setattr(sqlite3, "connect", traced)
            record = read(uri, plan.name, plan.scale)
        numbers.append((len(record.trials) + len(record.replicates), len(statements)))
        statements.clear()
    (few, queries), (many, more_queries) = numbers
    assert (few, many) == (1, 5)
    assert 0 < queries == more_queries < 30


def test_a_record_without_curves_has_the_same_values(plan: Plan, tmp_path: Path) -> None:
    uri = empty_store(tmp_path)
    write(MlflowRecorder(uri, plan, tmp_path), setting_of(plan))
    whole, values = (read(uri, plan.name, plan.scale, curves) for curves in (True, False))
    assert [run.identity for run in whole.replicates] == [run.identity for run in values.replicates]
    assert all(run.history for run in whole.replicates)
    assert not any(run.history for run in values.replicates)
    assert {**values.replicates[0].metrics, **whole.replicates[0].metrics} == dict(values.replicates[0].metrics)


def test_tables_that_are_not_known_are_left_to_mlflow(tmp_path: Path) -> None:
    uri = empty_store(tmp_path)
    connect(uri)
    assert isinstance(open_source(uri).source, Database)
    with closing(sqlite3.connect(tmp_path / "mlflow.db")) as database, database:
        database.execute("alter table latest_metrics rename column is_nan to is_no_number")
    assert isinstance(open_source(uri).source, ClientSource)


@pytest.mark.parametrize(
    ("command", "absent"),
    [
        ("status", ("torch", "mlflow", "numpy", "pandas", "matplotlib", "optuna", "sympy")),
        ("report", ("torch", "optuna", "sympy", "numba")),
    ],
)
def test_a_command_loads_no_library_that_it_does_not_need(
    command: str, absent: tuple[str, ...], study: Study, tmp_path: Path
) -> None:
    plan = one_setting(study)
    recorder, setting = MlflowRecorder(empty_store(tmp_path), plan, tmp_path), setting_of(plan)
    times = {"seconds": 1.0, "sequences": 8.0}
    write(recorder, setting, [replace(run, metrics={**run.metrics, **times}) for run in runs_of(setting)])
    recorder.set_provenance({**provenance("ablate run"), "wall_seconds": 1.0})
    script = f"""
import os, sys
os.environ["ABLATIONS_HOME"] = {str(tmp_path)!r}
from ablations.cli import cli
cli([{command!r}, {plan.name!r}, "--scale", {plan.scale!r}], standalone_mode=False)
assert not sys.modules.keys() & {set(absent)!r}, sys.modules.keys() & {set(absent)!r}
"""
    subprocess.run([sys.executable, "-c", script], check=True, stdout=subprocess.DEVNULL)
