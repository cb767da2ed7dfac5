"""A failure costs its setting, is told in one line, and its traceback is kept where the line says."""

import io
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from builders.small_study import Silent, carry_out, recorded
from rich.console import Console

from ablations.models.variants import VARIANTS
from ablations.record.schema import RunRecord
from ablations.record.status import describe_status
from ablations.run.context import COSTS
from ablations.run.executors import SerialExecutor
from ablations.run.jobs import JobFailed
from ablations.run.progress import Reporter
from ablations.study import Study
from tasks import Batch
from tasks.adding import Adding


@dataclass(frozen=True, kw_only=True)
class Misshapen(Adding):
    """A task with a mistake that NumPy finds while it draws."""

    def sample(self, rng: np.random.Generator, n: int) -> Batch:
        np.zeros(3) + np.zeros(n + 4)
        return super().sample(rng, n)


class Watch(Silent):
    def __init__(self) -> None:
        super().__init__()
        self.errors: dict[str, JobFailed] = {}

    def on_setting_failure(self, name: str, error: JobFailed) -> None:
        super().on_setting_failure(name, error)
        self.errors[name] = error


class FailingTransfers(SerialExecutor):
    """Fails each job of transferred runs."""

    def submit(self, key: int, job: Any) -> None:
        kinds = {run.kind for run in job.args[0].runs}
        super().submit(key, fail if kinds == {"transferred"} else job)


def fail() -> None:
    raise MemoryError("no memory left")


def failures(folder: Path) -> dict[str, tuple[str, str, str]]:
    """setting -> status, reason and traceback in the record."""
    from mlflow import MlflowClient

    client = MlflowClient(f"sqlite:///{folder / 'mlflow.db'}")
    (experiment,) = (each for each in client.search_experiments() if each.name != "Default")
    parents = client.search_runs([experiment.experiment_id], "tags.kind = 'setting'")
    rows = {}
    for run in parents:
        files = list((folder / "artifacts").glob(f"**/{run.info.run_id}/**/failure.txt"))
        details = "".join(file.read_text() for file in files)
        rows[run.info.run_name] = (run.info.status, run.data.tags.get("reason", ""), details)
    return rows


def test_an_error_of_numpy_in_a_users_task_fails_its_setting_with_its_traceback(
    study: Study, changed: Callable[..., Study], tmp_path: Path
) -> None:
    tasks = {"bad": Misshapen(length=4), **study.scales["smoke"].tasks}
    bad = changed(study, scales={"smoke": replace(study.scales["smoke"], tasks=tasks)})
    watch = Watch()
    carry_out(bad, tmp_path, watch=watch)
    assert watch.errors.keys() == {"bad/rnn", "bad/lstm"}
    status = "\n".join(describe_status(recorded(bad, tmp_path)))
    assert status.count("failed: ValueError") == 2
    rows = failures(tmp_path)
    assert {name: status for name, (status, _, _) in rows.items()} == {
        name: "FAILED" if name.startswith("bad") else "FINISHED" for name in rows
    }
    for name in watch.errors:
        assert watch.errors[name].reason.startswith("ValueError: operands could not be broadcast together")
        assert rows[name][1] == watch.errors[name].reason
        assert "np.zeros(3) + np.zeros(n + 4)" in rows[name][2]


def test_the_status_of_a_study_with_another_seed_and_budget_names_these(study: Study, tmp_path: Path) -> None:
    carry_out(study, tmp_path, provenance={"changes": {"seed": 2, "search_seeds": 1}})  # type: ignore[dict-item]
    assert next(describe_status(recorded(study, tmp_path))).startswith(
        "small at scale smoke, --seed 2 --search-seeds 1: "
    )


def test_a_failure_of_transferred_runs_marks_their_setting_until_they_are_trained(
    study: Study, changed: Callable[..., Study], tmp_path: Path
) -> None:
    variants = tuple(VARIANTS[name] for name in ("lstm", "lstm-no-forget-gate"))
    ablated = changed(study, variants=variants, transferred=True)
    watch = Watch()
    carry_out(ablated, tmp_path, FailingTransfers(), watch)
    assert watch.errors.keys() == {"adding/lstm-no-forget-gate", "disambiguation/lstm-no-forget-gate"}
    rows = failures(tmp_path)
    for name in watch.errors:
        assert rows[name][:2] == (
            "FAILED",
            f"MemoryError: no memory left (test_failures.py, line {fail.__code__.co_firstlineno + 1}); "
            "fewer --workers or a smaller --cohort-memory need less memory",
        )
        assert "in fail" in rows[name][2]
    carry_out(ablated, tmp_path)
    assert {status for status, _, _ in failures(tmp_path).values()} == {"FINISHED"}


def test_an_error_in_this_process_is_not_taken_for_a_failed_setting(
    study: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any) -> None:
        raise ZeroDivisionError("a bug")

    monkeypatch.setattr(Silent, "on_run_end", broken)
    with pytest.raises(ZeroDivisionError):
        carry_out(study, tmp_path)


def test_a_failed_setting_is_one_line_and_is_not_counted_as_a_run() -> None:
    console = Console(width=60, record=True, force_terminal=False, file=io.StringIO())
    with Reporter(console, planned=10, existing=3) as reporter:
        reporter.on_setting_start("adding/lstm")
        reporter.on_run_end("adding/lstm", RunRecord("i", "trial", 0, "finished", {}, {}))
        reporter.on_setting_failure("adding/lstm", JobFailed("ValueError: " + "long " * 20, "Traceback …"))
        reporter.on_setting_end("adding/lstm")
        reporter.on_setting_start(COSTS)
    start, failure, last = console.export_text().splitlines()
    assert start.startswith("3 of 10 runs · elapsed: 0 s")
    assert failure.startswith("adding/lstm failed: ValueError: long")
    assert failure.endswith("(traceback: the artifact failure.txt of the MLflow run adding/lstm)")
    assert last.startswith("4 of 10 runs · 1 finished · settings failed: 1 · elapsed: 0 s · left: not known yet")


BROKEN_FILE = """
from dataclasses import dataclass
from multiprocessing import parent_process
import numpy as np
from ablations.models.variants import VARIANTS
from ablations.study import Budget, Range, Scale, Study
from tasks.adding import Adding

@dataclass(frozen=True, kw_only=True)
class Broken(Adding):
    def sample(self, rng, n):
        if parent_process() is None:  # as it is tried before training
            return super().sample(rng, n)
        return np.zeros(3) + np.zeros(n + 4)  # the mistake

budget = Budget(trials=1, trials_per_round=1, search_seeds=1, replicates=1, steps=2, segments=2, batch=4, parameters=99,
                validation=8, test=8)
STUDY = Study(name="broken", question="?", variants=(VARIANTS["rnn"],), baseline="rnn", nuisance={"lr": Range(1e-3, 1e-1)},
              scales={"smoke": Scale(tasks={"sum": Broken(length=4), "adding": Adding(length=4)}, budget=budget)})
"""


@pytest.mark.long
def test_the_command_tells_a_failed_setting_in_one_line_and_ends_with_1(tmp_path: Path) -> None:
    (tmp_path / "broken.py").write_text(BROKEN_FILE)
    command = [
        sys.executable,
        "-m",
        "ablations",
        "run",
        str(tmp_path / "broken.py"),
        "--scale",
        "smoke",
        "--workers",
        "1",
    ]
    environment = os.environ | {"ABLATIONS_HOME": str(tmp_path / "results")}
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert done.returncode == 1
    (line,) = (line for line in done.stdout.splitlines() if "failed" in line and "·" not in line)
    assert line.startswith("sum/rnn failed: ValueError: operands could not be broadcast together")
    assert "settings failed: 1. To try them again: python -m ablations run" in done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    (details,) = (tmp_path / "results").glob("artifacts/**/failure.txt")
    assert "# the mistake" in details.read_text()
    assert failures(tmp_path / "results")["adding/rnn"][0] == "FINISHED"
