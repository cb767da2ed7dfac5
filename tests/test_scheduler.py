"""A study's numbers depend on the study alone: not on workers, interruptions, or order."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from builders.small_study import Databases, Memory, Silent, carry_out, numbers, recorded

from ablations.record.memory import MemoryRecorder
from ablations.record.schema import CURVES, VALUES
from ablations.run.cohort_runner import CohortState
from ablations.run.executors import ProcessExecutor, SerialExecutor
from ablations.run.jobs import LESS_MEMORY
from ablations.run.outcomes import run_metrics
from ablations.studies import find
from ablations.study import Study

OWN = """
from dataclasses import replace
from ablations.studies.claims import SMOKE, STUDY as CLAIMS
scale = replace(SMOKE, tasks={"adding": SMOKE.tasks["adding"]}, costs=None)
STUDY = replace(CLAIMS, name="own", variants=CLAIMS.variants[4:6], scales={"smoke": scale})
STUDY = STUDY.with_changes("smoke", {"steps": 400, "segments": 20})
"""


def test_everything_planned_is_recorded(study: Study, tmp_path: Path) -> None:
    stores = Databases(tmp_path)
    watch = carry_out(study, stores)
    record = recorded(study, stores)
    assert [(s.task, s.variant) for s in record.settings] == [
        (task, variant) for task in ("adding", "disambiguation") for variant in ("rnn", "lstm")
    ]
    assert (len(record.trials), len(record.replicates)) == (4 * 4 * 2, 4 * 2)
    assert watch.runs == 4 * study.at("smoke").budget.runs
    for setting in record.settings:
        assert setting.best_trial is not None
    for run in record.trials + record.replicates:
        assert set(run.metrics) <= set(VALUES)
        assert set(run.history) <= set(CURVES)
    for run in record.replicates:
        assert {"test_score", "flops_per_sequence", "sequences", "seconds"} <= set(run.metrics)
        assert run.history["test_score_by_difficulty"]


def test_nobody_stops_early_by_solving_its_task(study: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Any score solves a task here, and a study may not say that."""
    monkeypatch.setattr("ablations.run.entries.run_metrics", lambda *given: run_metrics(*given[:-1], 0.0))
    stores, solved = Memory(tmp_path), study
    carry_out(solved, stores)
    record, budget = recorded(solved, stores), solved.at("smoke").budget
    first, last = budget.steps * budget.batch // budget.segments, budget.steps * budget.batch
    for run in record.replicates + record.trials:
        assert run.status == "finished"
        assert (run.metrics["sequences_to_criterion"], run.metrics["sequences"]) == (first, last)


def test_what_never_reaches_the_criterion_is_censored(
    study: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ablations.run.entries.run_metrics", lambda *given: run_metrics(*given[:-1], 2.0))
    stores = Memory(tmp_path)
    carry_out(study, stores)
    assert not any("sequences_to_criterion" in run.metrics for run in recorded(study, stores).replicates)


def test_each_trial_says_what_proposed_it(study: Study, tmp_path: Path) -> None:
    stores = Memory(tmp_path)
    carry_out(study, stores)
    for run in recorded(study, stores).trials:
        assert run.factors["proposed_by"] == ("start-up" if run.number < 2 else "tpe")


def _stop_the_worst(state: CohortState, segment: int) -> set[int]:
    """A pruner that stops one run of each cohort, so that it matters who is in it."""
    scores = [curves["validation_mixture_score"][-1][1] + index / 1000 for index, curves in enumerate(state.curves)]
    return {scores.index(min(scores))}


def test_a_round_whose_checkpoint_is_lost_is_pruned_as_it_would_have_been(
    study: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ablations.run.setting_runner.unpromising_runs", _stop_the_worst)
    whole, stopped = Memory(tmp_path / "whole"), Memory(tmp_path / "stopped")
    carry_out(study, whole)
    assert any(run.status == "pruned" for run in recorded(study, whole).trials)
    _die_at_a_write(study, stopped, 2, monkeypatch)
    for file in tmp_path.glob("stopped/checkpoints/*"):
        file.unlink()
    carry_out(study, stopped)
    assert numbers(study, stopped) == numbers(study, whole)


def test_the_same_study_gives_the_same_numbers(study: Study, tmp_path: Path) -> None:
    first, second = Memory(tmp_path / "a"), Memory(tmp_path / "b")
    for stores in (first, second):
        carry_out(study, stores)
    assert numbers(study, first) == numbers(study, second)


def test_a_record_in_memory_holds_what_one_in_a_database_does(study: Study, tmp_path: Path) -> None:
    memory, databases = Memory(tmp_path / "a"), Databases(tmp_path / "b")
    for stores in (memory, databases):
        carry_out(study, stores)
    assert numbers(study, memory) == numbers(study, databases)


@pytest.mark.slow
def test_workers_change_no_number(study: Study, tmp_path: Path) -> None:
    serial = Memory(tmp_path / "serial")
    carry_out(study, serial)
    for workers in (1, 2):
        executor, stores = ProcessExecutor(workers), Memory(tmp_path / str(workers))
        carry_out(study, stores, executor)
        executor.close()
        assert numbers(study, stores) == numbers(study, serial)


@pytest.mark.parametrize("segments", [2, 7])
def test_a_study_that_was_stopped_gives_the_numbers_of_one_that_was_not(
    study: Study, tmp_path: Path, segments: int
) -> None:
    whole, stopped = Memory(tmp_path / "whole"), Memory(tmp_path / "stopped")
    carry_out(study, whole)
    with pytest.raises(KeyboardInterrupt):
        carry_out(study, stopped, watch=Silent(stop_after=segments))
    carry_out(study, stopped)
    assert numbers(study, stopped) == numbers(study, whole)


def test_a_study_stopped_between_two_writes_of_a_cohort_gives_the_same_numbers(
    study: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, stopped = Memory(tmp_path / "whole"), Memory(tmp_path / "stopped")
    carry_out(study, whole)
    _die_at_a_write(study, stopped, 4, monkeypatch)
    carry_out(study, stopped)
    assert numbers(study, stopped) == numbers(study, whole)


def _die_at_a_write(study: Study, stores: Memory, after: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Carries out the study until so many runs and one more are written."""
    add, calls = MemoryRecorder.add, iter(range(100))

    def add_and_die(*arguments: Any) -> None:
        add(*arguments)
        if next(calls) == after:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(MemoryRecorder, "add", add_and_die)
        with pytest.raises(KeyboardInterrupt):
            carry_out(study, stores)


def test_a_finished_study_trains_nothing_again(study: Study, tmp_path: Path) -> None:
    carry_out(study, tmp_path / "a")
    again = carry_out(study, tmp_path / "a")
    assert (again.segments, again.runs) == (0, 0)


def test_more_replicates_go_on_from_those_there_are(study: Study, tmp_path: Path) -> None:
    stores = Memory(tmp_path)
    carry_out(study, stores)
    before = numbers(study, stores)
    more = study.with_changes("smoke", {"replicates": 4})
    assert carry_out(more, stores).runs == 4 * 2
    after = numbers(more, stores)
    assert before.items() <= after.items()
    assert len(after) == len(before) + 4 * 2


def test_a_lost_optuna_storage_is_made_again_from_the_record(study: Study, tmp_path: Path) -> None:
    carry_out(study, tmp_path / "a")
    before = numbers(study, tmp_path / "a")
    (tmp_path / "a" / "optuna.db").unlink()
    assert carry_out(study, tmp_path / "a").runs == 0
    assert numbers(study, tmp_path / "a") == before


def test_a_failing_job_costs_its_setting_only_and_is_tried_again(
    study: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Failing(SerialExecutor):
        def submit(self, key: int, job: Callable[[], Any]) -> None:
            super().submit(key, partial(_fail) if key == 1 else job)

    failed, whole = Memory(tmp_path / "failed"), Memory(tmp_path / "whole")
    watch = carry_out(study, failed, Failing())
    assert watch.failures == 1
    settings = recorded(study, failed).settings
    reason = f"MemoryError: no memory left (test_scheduler.py, line {_fail.__code__.co_firstlineno + 1}); {LESS_MEMORY}"
    assert [(s.failure, s.best_trial is None) for s in settings if s.failure] == [(reason, True)]
    carry_out(study, whole)
    carry_out(study, failed)
    assert numbers(study, failed) == numbers(study, whole)
    assert all(setting.failure is None for setting in recorded(study, failed).settings)


def _fail() -> None:
    raise MemoryError("no memory left")


def _heed_interrupts() -> None:
    """What a shell starts in the background ignores Ctrl-C, and so would all that is started by that."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@pytest.mark.long
@pytest.mark.parametrize("whom", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_killed_command_carries_on_where_it_was(tmp_path: Path, whom: signal.Signals) -> None:
    file = tmp_path / "own.py"
    file.write_text(OWN)
    command = [sys.executable, "-m", "ablations", "run", str(file), "--scale", "smoke", "--workers", "2"]
    stores = {name: os.environ | {"ABLATIONS_HOME": str(tmp_path / name)} for name in ("whole", "killed")}
    subprocess.run(command, env=stores["whole"], check=True, capture_output=True)
    process = subprocess.Popen(
        command,
        env=stores["killed"],
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        preexec_fn=_heed_interrupts,
    )
    deadline = time.monotonic() + 60
    while not list((tmp_path / "killed").glob("checkpoints/*/*.pt")) and time.monotonic() < deadline:
        time.sleep(0.01)
    os.kill(process.pid, whom)
    _, said = process.communicate(timeout=60)
    assert process.returncode == (130 if whom != signal.SIGKILL else -9)
    assert ("To go on: python -m ablations run" in said) == (whom != signal.SIGKILL)
    subprocess.run(command, env=stores["killed"], check=True, capture_output=True)
    study = find(str(file))
    assert numbers(study, tmp_path / "killed") == numbers(study, tmp_path / "whole")
