"""What a session does of a plan: some settings, for some time, in some memory, while there is space."""

import re
import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from builders.small_study import Memory, Silent, numbers, recorded
from click.testing import CliRunner

from ablations.cli import cli
from ablations.errors import UserError
from ablations.run import control as control_module
from ablations.run.checkpoints import Checkpoints
from ablations.run.context import RunContext
from ablations.run.control import Control, TimeLimitReached, check_patterns, seconds_of
from ablations.run.executors import SerialExecutor
from ablations.run.memory import COHORT_MEMORY, GIGA, check_memory, most_runs, run_memory
from ablations.run.scheduler import run_plan
from ablations.run.session import _chosen_runs
from ablations.run.space import check_before, check_on_the_way, needed_space
from ablations.studies import STUDIES
from ablations.study import Study


def _run(study: Study, stores: Memory, control: Control | None = None, memory: float = COHORT_MEMORY) -> Silent:
    record, watch = stores.recorder(study), Silent()
    context = RunContext(record, stores.storage(), Checkpoints(stores.folder / "checkpoints"), watch, memory)
    run_plan(study.at("smoke"), context, SerialExecutor(), 2, control)
    return watch


def test_some_settings_first_and_the_others_later_give_the_numbers_of_all_at_once(study: Study, tmp_path: Path) -> None:
    whole, parted = Memory(tmp_path / "whole"), Memory(tmp_path / "parted")
    _run(study, whole)
    _run(study, parted, Control(only=("adding/*",)))
    assert {(s.task, s.variant) for s in recorded(study, parted).settings} == {("adding", "rnn"), ("adding", "lstm")}
    _run(study, parted, Control(only=("*/rnn", "*/lstm")))
    assert numbers(study, parted) == numbers(study, whole)


def test_a_pattern_that_names_no_setting_is_one_line(study: Study) -> None:
    plan = study.at("smoke")
    check_patterns(plan, ["adding/rnn", "*"])
    with pytest.raises(
        UserError, match=r"no setting is called 'adding/gru'; did you mean 'adding/rnn'\? There are 4: adding/rnn, "
    ):
        check_patterns(plan, ["adding/rnn", "adding/gru"])
    for given, meant in (("adding", "adding/*"), ("lstm", "*/lstm")):
        with pytest.raises(UserError, match=rf"called '{given}'; did you mean '{re.escape(meant)}'\?"):
            check_patterns(plan, [given])


@pytest.mark.parametrize(("text", "seconds"), [("45s", 45), ("90m", 5400), ("1h30m", 5400), ("2h0m5s", 7205)])
def test_a_time_is_read(text: str, seconds: float) -> None:
    assert seconds_of(text) == seconds


@pytest.mark.parametrize("text", ["", "5", "0s", "-1m", "1m1h", "soon", "1.5h", "٣m "])
def test_what_is_no_time_is_one_line(text: str) -> None:
    with pytest.raises(UserError, match="is no time"):
        seconds_of(text)


def test_a_study_stopped_by_its_time_limit_gives_the_numbers_of_one_that_was_not(
    study: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, stopped = Memory(tmp_path / "whole"), Memory(tmp_path / "stopped")
    _run(study, whole)
    for jobs in (0, 3, 10):
        clock = iter([0.0] * jobs + [9.0] * 1000)
        monkeypatch.setattr(control_module, "monotonic", partial(next, clock))
        with pytest.raises(TimeLimitReached):
            _run(study, stopped, Control(deadline=5.0))
    monkeypatch.undo()
    assert numbers(study, stopped).items() < numbers(study, whole).items()
    _run(study, stopped, Control(deadline=float("inf")))
    assert numbers(study, stopped) == numbers(study, whole)


def test_a_limit_that_is_over_stops_no_study_that_is_complete(study: Study, tmp_path: Path) -> None:
    stores = Memory(tmp_path)
    _run(study, stores)
    assert _run(study, stores, Control(deadline=0.0)).segments == 0


def test_only_what_has_failed_is_tried_again(study: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Failing(SerialExecutor):
        def submit(self, key: int, job: Callable[[], Any]) -> None:
            super().submit(key, _fail if key == 1 else job)

    stores = Memory(tmp_path)
    record = stores.recorder(study)
    context = RunContext(record, stores.storage(), Checkpoints(tmp_path / "checkpoints"), Silent())
    only = Control(only=("adding/*",))
    assert run_plan(study.at("smoke"), context, Failing(), 2, only) == 1
    _run(study, stores, Control(retry_failed=True))
    record_now = recorded(study, stores)
    assert {(s.task, s.failure) for s in record_now.settings} == {("adding", None)}
    assert len(record_now.replicates) == 2 * 2
    assert _run(study, stores, Control(retry_failed=True)).segments == 0


def _fail() -> None:
    raise ArithmeticError("no")


def test_a_cohort_in_parts_gives_the_same_runs_with_numbers_that_agree(study: Study, tmp_path: Path) -> None:
    whole, parted = Memory(tmp_path / "whole"), Memory(tmp_path / "parted")
    plan = study.at("smoke")
    watch = _run(study, whole)
    one = max(run_memory(setting, plan.budget) for setting in plan.settings) / GIGA
    assert [most_runs(setting, plan.budget, one * 1.01) for setting in plan.settings][-1] == 1
    assert _run(study, parted, memory=one * 1.01).segments == watch.segments
    here, there = numbers(study, whole), numbers(study, parted)
    assert here.keys() == there.keys()
    for identity, (status, factors, metrics, _) in here.items():
        assert (status, factors) == there[identity][:2]
        assert metrics == pytest.approx(there[identity][2], rel=1e-4, abs=1e-5)


def test_what_cannot_be_allocated_is_refused_before_anything_is_trained(study: Study) -> None:
    huge = study.with_changes("smoke", {"batch": 10**12}).at("smoke")
    with pytest.raises(
        UserError, match=r"adding/rnn needs about [\d,.]+ GB of memory for one run; a job may take 4 GB"
    ):
        check_memory(huge, COHORT_MEMORY)
    check_memory(study.at("smoke"), COHORT_MEMORY)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["claims", "attention", "state_tracking", "tasks"])
def test_no_cohort_of_a_built_in_study_below_the_scale_paper_is_in_parts(name: str) -> None:
    for scale in STUDIES[name].scales.keys() - {"paper"}:
        plan = STUDIES[name].at(scale)
        budget = plan.budget
        runs = max(budget.trials_per_round * budget.search_seeds, budget.replicates)
        assert all(most_runs(setting, budget) >= runs for setting in plan.settings), scale


class Usage(NamedTuple):
    total: int
    used: int
    free: int


def test_a_disk_that_is_too_small_is_refused_at_the_start(
    study: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    needed = needed_space(study.at("smoke"), 1000, 4)
    check_before(tmp_path, needed)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(0, 0, 30_000_000))
    with pytest.raises(UserError, match=r"has 30 MB free; what is left of this study needs about 6\d MB"):
        check_before(tmp_path, needed)
    assert needed_space(study.at("smoke"), 0, 4) < needed_space(study.at("smoke"), 1000, 4)


def test_a_disk_that_fills_on_the_way_ends_the_session_and_keeps_what_is_finished(
    study: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, stopped = Memory(tmp_path / "whole"), Memory(tmp_path / "stopped")
    _run(study, whole)
    free = iter([10**10] * 9 + [1000] * 100)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(0, 0, next(free)))
    with pytest.raises(UserError, match="the disk is almost full: 0 MB are free"):
        _run(study, stopped, Control(folder=tmp_path))
    monkeypatch.undo()
    check_on_the_way(tmp_path)
    _run(study, stopped, Control(folder=tmp_path))
    assert numbers(study, stopped) == numbers(study, whole)


def test_to_try_again_what_has_not_failed_says_so_and_writes_nothing(home: Path) -> None:
    done = CliRunner().invoke(cli, ["run", "claims", "--scale", "smoke", "--retry-failed"])
    assert done.exit_code == 0
    assert "has failed: nothing to try again" in done.output
    assert not home.exists()


def test_with_a_part_of_a_plan_its_runs_are_counted_and_no_others(
    study: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stores = Memory(tmp_path)
    _run(study, stores, Control(only=("adding/rnn",)))
    record, plan = stores.recorder(study), study.at("smoke")
    runs = plan.runs_of("rnn")
    assert _chosen_runs(plan, Control(only=("adding/*",)), record) == (2 * runs, runs)
    assert _chosen_runs(plan, Control(retry_failed=True), record) == (0, 0)
    assert _chosen_runs(plan, Control(), record) == (plan.runs, runs)


def test_bad_control_ends_with_one_line_and_leaves_nothing(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for options, words in (
        (["--only", "copying/transformer"], "no setting is called 'copying/transformer'"),
        (["--time-limit", "soon"], "'soon' is no time"),
        (["--batch", "1000000000000"], "GB of memory for one run"),
        (["--cohort-memory", "0"], "Invalid value for '--cohort-memory'"),
    ):
        done = CliRunner().invoke(cli, ["run", "claims", "--scale", "smoke", "--dry-run", *options])
        assert done.exit_code != 0
        assert words in f"{done.output} {done.exception}"
        assert not home.exists()
