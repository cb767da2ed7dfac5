"""A study's numbers depend on the study alone: not on workers, interruptions, or order."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch

from ablations.lab.cohorts import Checkpoints, Course
from ablations.lab.conduct import conduct
from ablations.lab.execution import Executor, Inline, Processes
from ablations.lab.laboratory import JobFailed, Laboratory
from ablations.lab.record import Record
from ablations.lab.search import storage_at
from ablations.lab.setting import setting_identity
from ablations.lab.tracking import CURVES, VALUES, RunRecord, StudyRecord, read
from ablations.lab.training import Cohort, Run, advance
from ablations.models.cells import CELLS
from ablations.models.variants import VARIANTS
from ablations.studies import find
from ablations.study import Study

UNTIMED = {"seconds"}
OWN = """
from dataclasses import replace
from ablations.studies.claims import SMOKE, STUDY as CLAIMS
scale = replace(SMOKE, tasks={"adding": SMOKE.tasks["adding"]}, costs=None)
STUDY = replace(CLAIMS, name="own", variants=CLAIMS.variants[4:6], scales={"smoke": scale})
STUDY = STUDY.with_budget("smoke", {"steps": 400, "segments": 20})
"""


class Silent:
    """A watch that counts, and can stop everything after some segments."""

    def __init__(self, stop_after: int | None = None) -> None:
        self.segments, self.runs, self.failures, self.stop_after = 0, 0, 0, stop_after

    def began(self, name: str) -> None: ...

    def advanced(self, name: str, course: Course) -> None:
        self.segments += 1
        if self.segments == self.stop_after:
            raise KeyboardInterrupt

    def ended(self, name: str, run: RunRecord) -> None:
        self.runs += 1

    def closed(self, name: str) -> None: ...

    def failed(self, name: str, error: JobFailed) -> None:
        self.failures += 1


def _record(study: Study, folder: Path) -> Record:
    settings = [setting_identity(study, "smoke", setting) for setting in study.settings("smoke")]
    return Record(f"sqlite:///{folder / 'mlflow.db'}", study.plan("smoke"), settings, folder / "artifacts")


def _carry_out(study: Study, folder: Path, executor: Executor | None = None, watch: Silent | None = None) -> Silent:
    folder.mkdir(exist_ok=True)
    watch = watch or Silent()
    record = _record(study, folder)
    storage = storage_at(f"sqlite:///{folder / 'optuna.db'}")
    laboratory = Laboratory(record, storage, Checkpoints(folder / "checkpoints"), watch)
    record.set_provenance({})
    conduct(study, "smoke", laboratory, executor or Inline(), at_once=2)
    return watch


def _numbers(study: Study, folder: Path) -> dict[str, Any]:
    record: StudyRecord = read(f"sqlite:///{folder / 'mlflow.db'}", study.name, "smoke")
    return {
        run.identity: (
            run.status,
            dict(run.factors),
            {name: value for name, value in run.metrics.items() if name not in UNTIMED},
            dict(run.history),
        )
        for run in record.trials + record.replicates + record.frozen
    }


def test_everything_planned_is_recorded(study: Study, tmp_path: Path) -> None:
    watch = _carry_out(study, tmp_path / "a")
    record = read(f"sqlite:///{tmp_path / 'a' / 'mlflow.db'}", study.name, "smoke")
    assert [(s.task, s.variant) for s in record.settings] == [
        (task, variant) for task in ("adding", "disambiguation") for variant in ("rnn", "lstm")
    ]
    assert (len(record.trials), len(record.replicates)) == (4 * 3 * 2, 4 * 2)
    assert watch.runs == 4 * study.at("smoke").budget.runs
    for setting in record.settings:
        assert setting.best_trial is not None
    for run in record.trials + record.replicates:
        assert set(run.metrics) <= set(VALUES)
        assert set(run.history) <= set(CURVES)
    for run in record.replicates:
        assert {"final_score", "flops_per_sequence", "sequences", "seconds"} <= set(run.metrics)
        assert run.history["test_score"]


def test_the_same_study_gives_the_same_numbers(study: Study, tmp_path: Path) -> None:
    for name in "ab":
        _carry_out(study, tmp_path / name)
    assert _numbers(study, tmp_path / "a") == _numbers(study, tmp_path / "b")


@pytest.mark.slow
def test_workers_change_no_number(study: Study, tmp_path: Path) -> None:
    _carry_out(study, tmp_path / "inline")
    for workers in (1, 2):
        executor = Processes(workers)
        _carry_out(study, tmp_path / str(workers), executor)
        executor.close()
        assert _numbers(study, tmp_path / str(workers)) == _numbers(study, tmp_path / "inline")


@pytest.mark.parametrize("segments", [2, 7])
def test_a_study_that_was_stopped_gives_the_numbers_of_one_that_was_not(
    study: Study, tmp_path: Path, segments: int
) -> None:
    _carry_out(study, tmp_path / "whole")
    with pytest.raises(KeyboardInterrupt):
        _carry_out(study, tmp_path / "stopped", watch=Silent(stop_after=segments))
    _carry_out(study, tmp_path / "stopped")
    assert _numbers(study, tmp_path / "stopped") == _numbers(study, tmp_path / "whole")


def test_a_study_stopped_between_two_writes_of_a_cohort_gives_the_same_numbers(
    study: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _carry_out(study, tmp_path / "whole")
    add, calls = Record.add, iter(range(100))

    def add_and_die(*arguments: Any) -> None:
        add(*arguments)
        if next(calls) == 4:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Record, "add", add_and_die)
        with pytest.raises(KeyboardInterrupt):
            _carry_out(study, tmp_path / "stopped")
    _carry_out(study, tmp_path / "stopped")
    assert _numbers(study, tmp_path / "stopped") == _numbers(study, tmp_path / "whole")


def test_a_finished_study_trains_nothing_again(study: Study, tmp_path: Path) -> None:
    _carry_out(study, tmp_path / "a")
    again = _carry_out(study, tmp_path / "a")
    assert (again.segments, again.runs) == (0, 0)


def test_more_replicates_go_on_from_those_there_are(study: Study, tmp_path: Path) -> None:
    _carry_out(study, tmp_path / "a")
    before = _numbers(study, tmp_path / "a")
    more = study.with_budget("smoke", {"replicates": 4})
    assert _carry_out(more, tmp_path / "a").runs == 4 * 2
    after = _numbers(more, tmp_path / "a")
    assert before.items() <= after.items()
    assert len(after) == len(before) + 4 * 2


def test_a_lost_optuna_storage_is_made_again_from_the_record(study: Study, tmp_path: Path) -> None:
    _carry_out(study, tmp_path / "a")
    before = _numbers(study, tmp_path / "a")
    (tmp_path / "a" / "optuna.db").unlink()
    assert _carry_out(study, tmp_path / "a").runs == 0
    assert _numbers(study, tmp_path / "a") == before


def test_a_failing_job_costs_its_setting_only_and_is_tried_again(
    study: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Failing(Inline):
        def submit(self, key: int, job: Callable[[], Any]) -> None:
            super().submit(key, partial(_fail) if key == 1 else job)

    watch = _carry_out(study, tmp_path / "a", Failing())
    assert watch.failures == 1
    record = read(f"sqlite:///{tmp_path / 'a' / 'mlflow.db'}", study.name, "smoke")
    assert {setting.best_trial is None for setting in record.settings} == {True, False}
    _carry_out(study, tmp_path / "whole")
    _carry_out(study, tmp_path / "a")
    assert _numbers(study, tmp_path / "a") == _numbers(study, tmp_path / "whole")


def _fail() -> None:
    raise MemoryError("no memory left")


def _heed_interrupts() -> None:
    """What a shell starts in the background ignores Ctrl-C, and so would all that is started by that."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@pytest.mark.slow
@pytest.mark.parametrize("whom", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM])
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
    while not list((tmp_path / "killed").glob("checkpoints/*.pickle")) and time.monotonic() < deadline:
        time.sleep(0.01)
    os.kill(process.pid, whom)
    _, said = process.communicate(timeout=60)
    assert process.returncode == (130 if whom != signal.SIGKILL else -9)
    assert ("To go on: ablate run" in said) == (whom != signal.SIGKILL)
    subprocess.run(command, env=stores["killed"], check=True, capture_output=True)
    study = find(str(file))
    assert _numbers(study, tmp_path / "killed") == _numbers(study, tmp_path / "whole")


def test_a_smaller_budget_reads_as_if_it_had_been_the_only_one(study: Study, tmp_path: Path) -> None:
    _carry_out(study, tmp_path / "a")
    less = study.with_budget("smoke", {"trials": 2, "replicates": 1})
    assert _carry_out(less, tmp_path / "a").runs <= 4  # a replicate of another best trial, at most, is new
    _carry_out(less, tmp_path / "only")
    assert _numbers(less, tmp_path / "a").keys() == _numbers(less, tmp_path / "only").keys()


def test_runs_of_another_budget_are_kept_and_not_counted(study: Study, tmp_path: Path) -> None:
    _carry_out(study, tmp_path / "a")
    other = study.with_budget("smoke", {"steps": 4})
    assert _record(other, tmp_path / "a").holdings() == (0, 4)
    assert _record(study, tmp_path / "a").holdings() == (4 * study.at("smoke").budget.runs, 0)


def test_runs_of_a_cell_before_it_was_edited_are_not_read(
    study: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _carry_out(study, tmp_path)
    before = _numbers(study, tmp_path)

    class Edited(CELLS["lstm"]):  # type: ignore[misc]
        step = staticmethod(lambda f, a, s, v: {"c": f.tanh(a.g) + s.c, "h": f.sigmoid(a.o) * f.tanh(s.c)})

    monkeypatch.setitem(CELLS, "lstm", Edited)
    _carry_out(study, tmp_path)
    record = read(f"sqlite:///{tmp_path / 'mlflow.db'}", study.name, "smoke")
    assert len(record.settings) == 4
    assert len(record.replicates) == 4 * study.at("smoke").budget.replicates
    assert len(_numbers(study, tmp_path).keys() & before.keys()) == len(before) / 2  # the other cell's
    monkeypatch.undo()
    assert _carry_out(study, tmp_path).runs == 0
    assert _numbers(study, tmp_path) == before


def _ablated(study: Study) -> Study:
    """The study's LSTM and its ablation without a forget gate, which needs another learning rate."""
    return replace(study, name="ablated", variants=tuple(VARIANTS[name] for name in PAIR), baseline="lstm", frozen=True)


PAIR = ("lstm", "lstm-no-forget-gate")


def test_an_ablation_is_trained_again_with_the_hyperparameters_of_its_parent(study: Study, tmp_path: Path) -> None:
    ablated = _ablated(study)
    watch = _carry_out(ablated, tmp_path)
    assert watch.runs == ablated.runs("smoke")
    record = read(f"sqlite:///{tmp_path / 'mlflow.db'}", "ablated", "smoke")
    settings = {setting.identity: setting for setting in record.settings}
    assert {settings[run.setting].variant for run in record.frozen} == {"lstm-no-forget-gate"}
    for run in record.frozen:
        parents = [r for r in record.replicates if settings[r.setting].variant == "lstm"]
        parent = next(r for r in parents if settings[r.setting].task == settings[run.setting].task)
        assert all(run.factors[key] == parent.factors[key] for key in ("lr", "clip", "trial"))
    assert len(record.frozen) == len(ablated.at("smoke").tasks) * ablated.at("smoke").budget.replicates
    assert _carry_out(ablated, tmp_path).runs == 0


def test_a_frozen_run_with_its_own_hyperparameters_is_the_replicate(study: Study, tmp_path: Path) -> None:
    """Nothing but the hyperparameters tells the two apart: data and start are the same."""
    setting = next(study.settings("smoke"))
    cohorts = [
        Cohort(setting, study.at("smoke").budget, "adam", 0, (Run(kind, 1, 1, lr=0.01, clip=1.0, weight_decay=0.0),))
        for kind in ("replicate", "frozen")
    ]
    (first, _), (second, _) = (advance(cohort, None, 3) for cohort in cohorts)
    assert torch.equal(first.theta, second.theta)


def test_the_path_that_computed_a_run_is_in_its_record(study: Study, tmp_path: Path) -> None:
    _carry_out(study, tmp_path)
    record = read(f"sqlite:///{tmp_path / 'mlflow.db'}", study.name, "smoke")
    cells = {setting.identity: bool(setting.equations) for setting in record.settings}
    for run in record.trials + record.replicates:
        assert run.factors.get("path") == ("kernel" if cells[run.setting] else None)
