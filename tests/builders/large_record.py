"""The record of a large study, written in seconds: the project's own writer, on a client that writes whole tables at once."""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np

from ablations.record.schema import RunRecord
from ablations.record.store import MlflowClient
from ablations.record.writer import MlflowRecorder
from ablations.run.provenance import provenance
from ablations.run.setting_runner import SettingRunner
from ablations.search import first_draws
from ablations.sqlite import database_file
from ablations.study import Plan, Study
from ablations.train.cohort import Run
from builders.large_study import SCALE
from builders.small_study import empty_store

DISTANCES = 24
"""The points of a curve of gradients, about as many as in a study of four tasks."""


def write_large(study: Study, home: Path) -> Plan:
    """Writes every run of the study's plan, with made-up numbers, into a results folder; returns the plan."""
    plan = study.at(SCALE)
    recorder = MlflowRecorder(empty_store(home), plan, home / "artifacts")
    file = database_file(recorder.client.tracking_uri)
    assert file
    client: Any = _TableClient(recorder.client)
    recorder.client = client
    context: Any = SimpleNamespace(record=recorder)
    for number, setting in enumerate(plan.settings):
        runner = SettingRunner(plan, setting, context)
        recorder.open_setting(runner.entry)
        for run in _runs(plan, runner, np.random.default_rng(number)):
            recorder.add(run, runner.entry)
        recorder.close_parent(runner.entry.identity, {"best_trial": 0})
    recorder.set_provenance({**provenance("ablate run large"), "changes": {}, "workers": 2, "wall_seconds": 7200.0})
    client.flush(file)
    return plan


def _runs(plan: Plan, runner: SettingRunner, rng: np.random.Generator) -> Iterator[RunRecord]:
    budget = plan.budget
    draws = first_draws(plan, budget.trials)
    skill = rng.uniform(0.2, 0.95)
    for number in range(budget.trials):
        for seed in range(budget.search_seeds):
            run = runner.run_of("trial", number, seed, draws[number])
            yield _record(plan, runner, run, skill - 0.02 * number, rng, {"proposed_by": "start-up"})
    for number in range(budget.replicates):
        run = runner.run_of("replicate", number, number, draws[0])
        yield _record(plan, runner, run, skill, rng, {"trial": 0})


CURVES = ("validation_score", "validation_mixture_score", "train_loss", "validation_loss")


def _record(
    plan: Plan, runner: SettingRunner, run: Run, skill: float, rng: np.random.Generator, factors: dict[str, Any]
) -> RunRecord:
    budget, entry = plan.budget, runner.entry
    chance = entry.references["chance"]
    score = chance + (1 - chance) * float(np.clip(skill + rng.normal(0, 0.02), 0.0, 1.0))
    steps = [budget.steps * budget.batch // budget.segments * (k + 1) for k in range(budget.segments)]
    curve = tuple((step, chance + (score - chance) * (k + 1) / len(steps)) for k, step in enumerate(steps))
    history = dict.fromkeys(CURVES, curve)
    metrics = {
        "sequences": float(steps[-1]), "best_validation_score": score, "objective": score, "final_validation_score": score,
        "final_validation_loss": 1 - score, "seconds": 1.0 + 0.01 * run.number, "parameters": float(entry.parameters),
    }  # fmt: skip
    if run.kind == "replicate":
        grid = runner.setting.task.grid()
        history |= {f"{name}_by_difficulty": tuple((d, score) for d in grid) for name in ("test_score", "test_loss")}
        metrics |= {"test_score": score, "test_loss": 1 - score}
        distances = [(d, 10.0 ** (-0.1 * d)) for d in range(DISTANCES)]
        history |= {f"gradient_{when}": tuple(distances) for when in ("initial", "trained")}
        metrics["flops_per_sequence"] = 1e6
    hyperparameters = {name: getattr(run, name) for name in ("lr", "clip", "weight_decay", "seed")}
    return RunRecord(
        identity=runner.identity(run),
        kind=run.kind,
        number=run.number,
        status="finished",
        factors={**hyperparameters, "backend": "kernel", **factors},
        metrics=metrics,
        history=history,
        setting=entry.identity,
    )


@dataclass
class _TableClient:
    """What a recorder asks of MLflow's client, kept in lists; `flush` writes them as the tables of an SQLite store."""

    client: MlflowClient
    rows: dict[str, dict[str, Any]] = field(default_factory=dict)
    tags: dict[tuple[str, str], str] = field(default_factory=dict)
    params: list[tuple[str, str, str]] = field(default_factory=list)
    metrics: list[tuple[str, float, int, str, int]] = field(default_factory=list)
    _ids: Iterator[int] = field(default_factory=lambda: count(1))

    def __getattr__(self, name: str) -> Any:
        return getattr(self.client, name)  # experiments

    def create_run(self, experiment_id: str, run_name: str, tags: dict[str, str], start_time: int | None = None) -> Any:
        run_id, now = f"{next(self._ids):032x}", start_time or 1_767_322_000_000 + len(self.rows)
        self.rows[run_id] = {"experiment_id": int(experiment_id), "name": run_name, "status": "RUNNING", "start": now}
        self._set_tags(run_id, {**tags, "mlflow.runName": run_name})
        return SimpleNamespace(info=SimpleNamespace(run_id=run_id, start_time=now))

    def log_batch(
        self, run_id: str, metrics: Sequence[Any] = (), params: Sequence[Any] = (), tags: Sequence[Any] = ()
    ) -> None:
        self.metrics += [(each.key, each.value, each.timestamp, run_id, each.step) for each in metrics]
        self.params += [(each.key, each.value, run_id) for each in params]
        self._set_tags(run_id, {each.key: each.value for each in tags})

    def set_tag(self, run_id: str, key: str, value: str) -> None:
        self._set_tags(run_id, {key: value})

    def set_terminated(self, run_id: str, status: str = "FINISHED", end_time: int | None = None) -> None:
        self.rows[run_id]["status"] = status

    def flush(self, file: Path) -> None:
        latest = {(key, run_id): (key, value, time, step, run_id) for key, value, time, run_id, step in self.metrics}
        runs = [
            (
                run_id,
                row["name"],
                row["status"],
                row["start"],
                row["start"] + 1000,
                row["experiment_id"],
                (file.parent / "artifacts" / run_id).as_uri(),
            )
            for run_id, row in self.rows.items()
        ]
        with closing(sqlite3.connect(file)) as database, database:
            for query, values in (
                (
                    "insert into runs (run_uuid, name, status, start_time, end_time, experiment_id, lifecycle_stage, "
                    "source_type, source_name, entry_point_name, source_version, user_id, artifact_uri) "
                    "values (?, ?, ?, ?, ?, ?, 'active', 'UNKNOWN', '', '', '', 'test', ?)",
                    runs,
                ),
                ("insert into tags values (?, ?, ?)", [(key, text, run) for (run, key), text in self.tags.items()]),
                ("insert into params values (?, ?, ?)", self.params),
                ("insert into metrics values (?, ?, ?, ?, ?, 0)", self.metrics),
                (
                    "insert into latest_metrics (key, value, timestamp, step, run_uuid, is_nan) values (?, ?, ?, ?, ?, 0)",
                    [(key, value, time, step, run) for key, value, time, step, run in latest.values()],
                ),
            ):
                database.executemany(query, values)

    def _set_tags(self, run_id: str, tags: dict[str, str]) -> None:
        self.tags |= {(run_id, key): text for key, text in tags.items()}
