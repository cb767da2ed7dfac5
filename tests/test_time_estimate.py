"""The estimate of a plan's time: it counts what is recorded, and times only what is not."""

from dataclasses import replace
from pathlib import Path

import pytest
from builders.small_study import empty_store
from builders.written_record import one_setting, runs_of, setting_of, write

from ablations.describe import describe_plan
from ablations.record.reader import ended_runs
from ablations.record.schema import RunRecord
from ablations.record.writer import MlflowRecorder
from ablations.run import time_estimate
from ablations.run.time_estimate import RECORD, START, Work, remaining_work, total_seconds
from ablations.study import Plan, Study
from ablations.train.cohort import Cohort


@pytest.fixture
def plan(study: Study) -> Plan:
    return one_setting(study)


def _recorded(plan: Plan, seconds: float = 5.0) -> list[RunRecord]:
    """Two trials and three replicates: all that the plan has."""
    runs = runs_of(setting_of(plan))
    return [replace(run, metrics={**run.metrics, "seconds": seconds}) for run in runs]


def _fail(*_: object) -> None:
    pytest.fail("something was trained")


def test_what_is_recorded_is_neither_counted_nor_timed(plan: Plan, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time_estimate, "train_segment", _fail)
    work = remaining_work(plan, plan.settings[0], _recorded(plan), workers=2)
    assert work == Work(recorded=5, left=0, seconds=0)
    assert total_seconds(plan, [work], 2, costs_recorded=True) == 0


def test_recorded_runs_say_how_long_the_others_of_their_kind_take(plan: Plan, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time_estimate, "train_segment", _fail)
    trials, replicates = _recorded(plan, 3.0)[:2], _recorded(plan, 7.0)[2:]
    work = remaining_work(plan, plan.settings[0], [*trials[:1], *replicates[:1]], workers=2)
    assert work == Work(recorded=2, left=3, seconds=pytest.approx(3.0 + 2 * 7.0 + 3 * RECORD))
    costs = time_estimate.COST_POINT * (plan.costs.points if plan.costs else 0)
    assert total_seconds(plan, [work], 2, costs_recorded=False) == pytest.approx(START + work.seconds / 2 + costs)


def test_steps_are_timed_where_nothing_is_recorded(plan: Plan, monkeypatch: pytest.MonkeyPatch) -> None:
    clock, calls = [0.0], [0]

    def train(_cohort: object, _state: object, steps: int) -> tuple[None, None]:
        calls[0] += 1
        clock[0] += 0.5 + 0.25 * steps + (0.125 if calls[0] == 1 else 0)  # the first loads a kernel
        return None, None

    def test(cohort: Cohort, _state: object) -> None:
        clock[0] += 2.0 + 2.0**-7 * cohort.budget.test

    monkeypatch.setattr(time_estimate, "perf_counter", lambda: clock[0])
    monkeypatch.setattr(time_estimate, "train_segment", train)
    monkeypatch.setattr(time_estimate, "evaluate_test", test)
    budget = replace(plan.budget, steps=40, segments=4, trials=2, trials_per_round=2, test=512)
    work = remaining_work(replace(plan, budget=budget), plan.settings[0], [], workers=2)
    training = 4 * 0.5 + 40 * 0.25  # of each of the two cohorts
    assert (work.recorded, work.left) == (0, 5)
    load = 2 * (1 - 0.5**4) * 0.125  # of the first cohort: by two workers, of which each may train any of four segments
    test = 2.0 + 1 / 128 + 4 * 127 / 128  # of one sequence, and four times what 127 more of them take
    assert work.seconds == pytest.approx(load + 2 * training + test + 5 * RECORD)


def test_a_plan_is_described_with_what_is_recorded_and_what_is_left(plan: Plan, tmp_path: Path) -> None:
    uri = empty_store(tmp_path)
    assert ended_runs(uri, plan.name, plan.scale) == {}
    for runs, text in (
        (_recorded(plan)[:4], "4 are recorded and 1 are left; about"),
        (_recorded(plan), "nothing is left"),
    ):
        write(MlflowRecorder(uri, plan, tmp_path), setting_of(plan), runs)
        *_, last = describe_plan(plan, 2, ended_runs(uri, plan.name, plan.scale))
        assert text in last


def test_a_store_that_is_not_there_holds_no_runs(tmp_path: Path) -> None:
    assert ended_runs(f"sqlite:///{tmp_path / 'mlflow.db'}", "claims", "demo") == {}
    assert not list(tmp_path.iterdir())
