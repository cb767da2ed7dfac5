"""The estimate of a plan's time: it counts what is recorded, trains nothing that is known, and says what a cold start costs."""

from dataclasses import replace
from pathlib import Path

import pytest
from builders.small_study import empty_store
from builders.written_record import one_setting, runs_of, setting_of, write

from ablations.plan_text import describe_plan
from ablations.record.reader import ended_runs
from ablations.record.schema import RunRecord
from ablations.record.writer import MlflowRecorder
from ablations.run import rates, time_estimate
from ablations.run.rates import Rates, training_sequences
from ablations.run.time_estimate import COHORT, RECORD, START, Work, compile_seconds, remaining_works, total_seconds
from ablations.studies import STUDIES
from ablations.studies.claims import VARIANTS
from ablations.study import Plan, Setting, Study
from ablations.train.cohort import Cohort, Run
from ablations.train.evaluation import count_flops
from ablations.train.operations import operations
from tasks import TASKS

NETWORKS = {variant.name: variant for variant in VARIANTS}


@pytest.fixture
def plan(study: Study) -> Plan:
    return one_setting(study)


@pytest.fixture(autouse=True)
def _nothing_trains(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rates, "train_segment", _fail)
    monkeypatch.setattr(time_estimate, "_is_cached", lambda cell: True)


def _fail(*_: object) -> None:
    pytest.fail("something was trained")


def _recorded(plan: Plan, seconds: float = 5.0) -> list[RunRecord]:
    """Two trials and three replicates: all that the plan has."""
    runs = runs_of(setting_of(plan))
    return [replace(run, metrics={**run.metrics, "seconds": seconds}) for run in runs]


def _ended(plan: Plan, runs: list[RunRecord]) -> dict[str, list[RunRecord]]:
    return {plan.identities[plan.settings[0].name]: runs}


def test_what_is_recorded_is_neither_counted_nor_timed(plan: Plan, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rates, "yardstick", _fail)
    works = remaining_works(plan, _ended(plan, _recorded(plan)))
    assert works == {plan.settings[0].name: Work(recorded=5, left=0, seconds=0)}
    assert total_seconds(plan, works, 2, costs_recorded=True) == 0


def test_recorded_runs_say_how_long_the_others_of_their_kind_take(plan: Plan, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rates, "yardstick", _fail)
    trials, replicates = _recorded(plan, 3.0)[:2], _recorded(plan, 7.0)[2:]
    works = remaining_works(plan, _ended(plan, [*trials[:1], *replicates[:1]]))
    (work,) = works.values()
    assert (work.recorded, work.left) == (2, 3)
    bare = 3.0 + 2 * 7.0 + 3 * RECORD + 2 * COHORT
    assert bare < work.seconds < 2 * bare  # the replicates are tested too
    assert total_seconds(plan, works, 2, costs_recorded=True) == pytest.approx(START + work.seconds / 2)


def test_a_setting_without_record_is_scaled_by_operations_from_the_same_variant(
    study: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rates, "yardstick", _fail)
    plan = study.at("smoke")
    one, other = (setting for setting in plan.settings if setting.variant.name == "lstm")
    runs = runs_of(replace(setting_of(plan), identity=plan.identities[one.name]))
    timed = [replace(run, metrics={**run.metrics, "seconds": 9.0}) for run in runs]
    found = Rates(plan, [other], {plan.identities[one.name]: timed})
    share = found.amount(other) / found.amount(one)
    assert found.seconds(other) == pytest.approx(9.0 / training_sequences(plan.budget) * share)


def test_an_unknown_kind_of_network_is_timed_once_and_not_for_long(plan: Plan, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[int] = []
    monkeypatch.setattr(rates, "PICOSECONDS", {})
    monkeypatch.setattr(rates, "train_segment", lambda _cohort, _state, steps: calls.append(steps))
    (work,) = remaining_works(plan, {}).values()
    assert calls == [2, rates.STEPS]
    assert work.left == 5
    calls.clear()
    monkeypatch.setattr(rates, "TIMING", -1.0)
    monkeypatch.setattr(rates, "yardstick", lambda: rates.REFERENCE)
    remaining_works(plan, {})
    assert not calls


def test_a_slower_machine_needs_proportionally_longer(plan: Plan, monkeypatch: pytest.MonkeyPatch) -> None:
    seconds = []
    for slower in (1, 3):
        monkeypatch.setattr(rates, "yardstick", lambda slower=slower: slower * rates.REFERENCE)
        seconds.append(Rates(plan, plan.settings, {}).seconds(plan.settings[0]))
    assert seconds[1] == pytest.approx(3 * seconds[0])


def test_cells_that_are_not_compiled_yet_cost_their_compilation(study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    plan = study.at("smoke")
    assert compile_seconds(plan.settings, 2) == 0
    monkeypatch.setattr(time_estimate, "_is_cached", lambda cell: False)
    assert compile_seconds(plan.settings, 1) == 2 * time_estimate.COMPILE  # two cells, each once for all of its tasks
    assert compile_seconds(plan.settings, 2) == time_estimate.COMPILE


@pytest.mark.parametrize("variant", ["feedforward", "cnn", "tcn", "reservoir", "lstm", "bigru", "bilstm-attention"])
@pytest.mark.parametrize("task", ["adding", "france"])
def test_operations_read_from_shapes_are_about_those_that_are_counted(plan: Plan, variant: str, task: str) -> None:
    setting = Setting(task, TASKS[task](), NETWORKS[variant], 12)
    run = Run("replicate", 0, 0, 1e-3, 1.0, 0.0)
    counted = count_flops(Cohort(setting, plan.budget, "adam", 0, (run,)))
    assert 0.6 < operations(setting) / counted < 2.1


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


def test_the_demo_of_the_claims_takes_some_minutes_of_two_cores_of_the_reference_machine(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It took 7 min 33 s on two quiet cores, from the start of the first worker to the last record."""
    monkeypatch.setattr(rates, "yardstick", lambda: rates.REFERENCE)
    plan = STUDIES["claims"].at("demo")
    said = total_seconds(plan, remaining_works(plan, {}), 2, costs_recorded=False)
    assert 0.8 < said / 453 < 1.25
