"""Trials of any factors: alike ones side by side, all as if alone, and no number depends on who ran them when."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import optuna
import pytest
import torch
from builders.small_study import Databases, Memory, Silent, carry_out, numbers, open_record, recorded
from optuna.storages import BaseStorage

from ablations.models.sizes import count_parameters
from ablations.models.variant import Variant
from ablations.record.schema import RunRecord
from ablations.run.checkpoints import Checkpoints
from ablations.run.cohort_runner import initial_state, train
from ablations.run.context import RunContext
from ablations.run.executors import ProcessExecutor
from ablations.run.setting_runner import SettingRunner
from ablations.search import Search
from ablations.study import Choice, Range, Study
from ablations.study.space import Value
from ablations.train.cohort import Cohort, Run, run_of

LR = Range(1e-3, 1e-1)
USUAL = {"lr": 0.01, "clip": 1.0, "weight_decay": 0.0}


@pytest.fixture
def searched(study: Study) -> Study:
    """Factors of three kinds, most of which change a network's shape; one of them under a condition."""
    tasks = {"adding": study.scales["smoke"].tasks["adding"]}
    budget = replace(study.scales["smoke"].budget, trials=8, trials_per_round=4, search_seeds=1)
    return replace(
        study,
        name="searched",
        variants=study.variants[1:],
        scales={"smoke": replace(study.scales["smoke"], tasks=tasks, budget=budget)},
        nuisance={
            "lr": LR,
            "layers": Range(1, 2, log=False),
            "dropout": Range(0.1, 0.5, log=False, where={"layers": 2}),
            "optimiser": Choice(["adam", "adamw", "sgd"]),
            "momentum": Range(0.5, 0.9, where={"optimiser": "sgd"}),
            "batch": Choice([4, 6]),
            "forget_bias": Range(0.0, 2.0, log=False),
            "initialisation": Choice([None, "orthogonal"]),
            "schedule": Choice(["linear", "cosine"]),
        },
    )


def runs_of(*factors: dict[str, Value]) -> tuple[Run, ...]:
    return tuple(run_of("trial", number, 0, {**USUAL, **own}) for number, own in enumerate(factors))


def finished(cohort: Cohort) -> dict[int, dict[str, Any]]:
    """The curves of each run of a round, trained to its end in this process."""
    steps = train(tuple(map(initial_state, cohort.shapes)), lambda states: None)
    try:
        job = next(steps)
        while True:
            job = steps.send(job())
    except StopIteration as done:
        return {
            run.number: curves
            for state in done.value
            for run, curves in zip(state.cohort.runs, state.curves, strict=True)
        }


def test_alike_trials_train_side_by_side_and_others_beside_them(cohort: Callable[..., Cohort]) -> None:
    factors: list[dict[str, Value]] = [
        {},
        {"layers": 2},
        {"forget_bias": 2.0, "initialisation": "orthogonal"},
        {"schedule": "cosine", "warmup": 0.2, "momentum": 0.0},
        {"layers": 2, "forget_bias": 1.0},
        {"batch": 8},
        {"hidden": 7},
        {"optimiser": "adamw"},
        {"curriculum": "nominal"},
        {"layers": 2, "dropout": 0.2},
    ]
    shapes = cohort(0.01).with_runs(runs_of(*factors)).shapes
    assert [[run.number for run in each.runs] for each in shapes] == [[0, 2, 3], [1, 4], [5], [6], [7], [8], [9]]
    assert [each.budget.batch for each in shapes] == [4, 4, 8, 4, 4, 4, 4]
    assert [each.optimiser for each in shapes] == ["adam"] * 4 + ["adamw", "adam", "adam"]
    assert [each.setting.size for each in shapes][3] == 7
    assert shapes[5].curriculum == "nominal"
    assert {each.setting.name for each in shapes} == {"france/lstm"}


def test_the_size_follows_from_the_flags_where_it_is_not_searched_itself(cohort: Callable[..., Cohort]) -> None:
    base = cohort(0.01)
    spec, budget = base.setting.task.spec, base.budget.parameters
    for flags in ({"layers": 2}, {"layers": 3}):
        setting = base.setting.with_factors(flags, budget)
        sizes = [count_parameters(setting.variant, spec, setting.size + k) for k in (-1, 0, 1)]
        assert abs(sizes[1] - budget) <= min(abs(sizes[0] - budget), abs(sizes[2] - budget))
    wide = base.setting.with_factors({"parameters": 5000}, budget)
    assert count_parameters(wide.variant, spec, wide.size) == pytest.approx(5000, rel=0.1)


def test_a_trial_among_others_is_the_trial_alone(cohort: Callable[..., Cohort]) -> None:
    factors: list[dict[str, Value]] = [
        {"forget_bias": 2.0},
        {"layers": 2, "dropout": 0.3},
        {"initialisation": "orthogonal", "schedule": "cosine", "warmup": 0.5},
        {"batch": 6, "optimiser": "sgd", "momentum": 0.9},
        {"curriculum": "growing"},
    ]
    base = cohort(0.01)
    together = finished(base.with_runs(runs_of(*factors)))
    for run in runs_of(*factors):
        alone = finished(base.with_runs((run,)))[run.number]
        assert alone.keys() == together[run.number].keys()
        for name, curve in alone.items():
            assert [x for x, _ in curve] == [x for x, _ in together[run.number][name]]
            assert [y for _, y in curve] == pytest.approx([y for _, y in together[run.number][name]], abs=1e-6)


def test_every_factor_changes_what_is_learnt(cohort: Callable[..., Cohort]) -> None:
    changes: list[dict[str, Value]] = [
        {}, {"layers": 2}, {"layers": 2, "dropout": 0.5}, {"forget_bias": 3.0}, {"initialisation": "orthogonal"},
        {"initialisation": "identity"}, {"schedule": "cosine"}, {"warmup": 0.5}, {"optimiser": "adamw", "weight_decay": 1.0},
        {"weight_decay": 1.0}, {"optimiser": "sgd"}, {"optimiser": "sgd", "momentum": 0.9}, {"batch": 6}, {"hidden": 7},
        {"parameters": 900}, {"curriculum": "nominal"}, {"curriculum": "uniform"}, {"curriculum": "growing"},
    ]  # fmt: skip
    curves = finished(cohort(0.01).with_runs(runs_of(*changes)))
    losses = [curves[number]["validation_loss"][-1] for number in range(len(changes))]
    assert len(set(losses)) == len(changes)


def test_conditional_factors_are_recorded_where_they_were_drawn(searched: Study, tmp_path: Path) -> None:
    stores = Databases(tmp_path)
    carry_out(searched, stores)
    record = recorded(searched, stores)
    assert len(record.trials) == 8
    spaces = record.plan["nuisance"]
    for run in record.trials:
        assert (run.factors["layers"] == 2) == ("dropout" in run.factors)
        assert (run.factors["optimiser"] == "sgd") == ("momentum" in run.factors)
        assert run.factors["initialisation"] in ("None", "orthogonal")
        assert run.factors["batch"] in (4, 6)
        for name, space in spaces.items():
            if "low" in space and name in run.factors:
                assert space["low"] <= float(run.factors[name]) <= space["high"]
    assert {run.factors["layers"] for run in record.trials} == {1, 2}
    best = record.settings[0].best_trial
    chosen = next(run for run in record.trials if run.number == best)
    for run in record.replicates:
        assert all(run.factors.get(name) == chosen.factors.get(name) for name in (*spaces, "hidden"))
        assert run.metrics["parameters"] == chosen.metrics["parameters"]


def test_a_searched_hidden_size_is_the_one_that_is_recorded(searched: Study, tmp_path: Path) -> None:
    own = replace(searched, nuisance={"lr": LR, "hidden": Range(3, 9)})
    stores = Memory(tmp_path)
    carry_out(own, stores)
    record, spec = recorded(own, stores), own.at("smoke").settings[0].task.spec
    assert record.settings[0].size_rule == "hidden searched"
    assert len({run.factors["hidden"] for run in record.trials}) > 2
    for run in record.trials + record.replicates:
        assert run.metrics["parameters"] == count_parameters(own.variants[0], spec, int(run.factors["hidden"]))


@pytest.fixture
def whole(searched: Study, tmp_path: Path) -> dict[str, Any]:
    stores = Memory(tmp_path / "whole")
    carry_out(searched, stores)
    return numbers(searched, stores)


@pytest.mark.parametrize("segments", [1, 3, 6])
def test_a_round_of_several_cohorts_that_was_stopped_gives_the_same_numbers(
    searched: Study, whole: dict[str, Any], tmp_path: Path, segments: int
) -> None:
    stopped = Memory(tmp_path / "stopped")
    with pytest.raises(KeyboardInterrupt):
        carry_out(searched, stopped, watch=Silent(stop_after=segments))
    carry_out(searched, stopped)
    assert numbers(searched, stopped) == whole


@pytest.mark.long
def test_workers_change_no_number_of_such_a_round(searched: Study, whole: dict[str, Any], tmp_path: Path) -> None:
    executor, stores = ProcessExecutor(2), Memory(tmp_path / "two")
    carry_out(searched, stores, executor)
    executor.close()
    assert numbers(searched, stores) == whole


def test_trials_of_a_round_are_pruned_together_whatever_their_shape(
    searched: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A pruner that stops all but the best of a round leaves one of each, though some cohorts hold one trial alone."""

    def all_but_the_best(state: Any, segment: int) -> set[int]:
        scores = [curves["validation_mixture_score"][-1][1] + index / 1000 for index, curves in enumerate(state.curves)]
        assert len(scores) == 4
        return set(range(4)) - {scores.index(max(scores))}

    monkeypatch.setattr("ablations.run.setting_runner.unpromising_runs", all_but_the_best)
    stores = Memory(tmp_path)
    carry_out(searched, stores)
    ends: dict[int, list[str]] = {}
    for run in recorded(searched, stores).trials:
        ends.setdefault(run.number // 4, []).append(run.status)
    assert all(sorted(own) == ["finished", "pruned", "pruned", "pruned"] for own in ends.values())


def test_a_finished_setting_is_known_by_its_record_with_values_as_they_were_drawn(
    searched: Study, tmp_path: Path
) -> None:
    carry_out(searched, tmp_path)
    record, plan = open_record(searched, tmp_path), searched.at("smoke")
    context = RunContext(record, Databases(tmp_path).storage(), Checkpoints(tmp_path / "checkpoints"), Silent())
    for setting in plan.settings:
        found = SettingRunner(plan, setting, context).recorded_best()
        assert found is not None
        number, values = found
        search = Search(context.storage, _name(context.storage, setting.name), setting.name, plan, setting)
        drawn = search.hyperparameters(number)
        assert dict(values) == drawn
        assert {name: type(value) for name, value in values.items()} == {n: type(v) for n, v in drawn.items()}


def _name(storage: BaseStorage, setting: str) -> str:
    (name,) = (study.study_name for study in storage.get_all_studies() if f" {setting} " in study.study_name)
    return name


def test_a_pruner_of_optunas_stops_what_it_says(searched: Study, tmp_path: Path) -> None:
    """One with a threshold that no score can reach stops every trial after its first segment."""
    stores, own = Memory(tmp_path), replace(searched, pruner=optuna.pruners.ThresholdPruner(lower=2.0))
    carry_out(own, stores)
    trials = recorded(own, stores).trials
    assert {run.status for run in trials} == {"pruned"}
    assert {len(run.history["validation_mixture_score"]) for run in trials} == {1}


def test_an_ablation_takes_those_of_its_parents_factors_that_it_has(searched: Study, tmp_path: Path) -> None:
    zero = Variant("lstm-zero", "recurrent", {"cell": "lstm", "forget_bias": 0.0}, "lstm", "bias 0")
    own = replace(searched, variants=(*searched.variants, zero), transferred=True)
    stores = Memory(tmp_path)
    carry_out(own, stores)
    record = recorded(own, stores)
    names = {setting.identity: setting.variant for setting in record.settings}
    parent = next(run for run in record.replicates if names[run.setting] == "lstm")
    assert record.transferred
    for run in record.transferred:
        assert "forget_bias" not in run.factors
        same = {*own.nuisance} - {"forget_bias"}
        assert all(run.factors.get(name) == parent.factors.get(name) for name in same)


def test_a_search_over_shapes_repeats_in_a_lost_storage(searched: Study, tmp_path: Path) -> None:
    carry_out(searched, tmp_path)
    before = numbers(searched, tmp_path)
    (tmp_path / "optuna.db").unlink()
    assert carry_out(searched, tmp_path).runs == 0
    assert numbers(searched, tmp_path) == before


def test_values_of_every_kind_are_text_or_numbers_in_the_record(searched: Study, tmp_path: Path) -> None:
    databases, memory = Databases(tmp_path / "a"), Memory(tmp_path / "b")
    for stores in (databases, memory):
        carry_out(searched, stores)
    assert numbers(searched, databases) == numbers(searched, memory)
    runs: tuple[RunRecord, ...] = recorded(searched, databases).trials
    assert all(isinstance(value, float | str) for run in runs for value in run.factors.values())


def test_the_noise_of_dropout_is_each_runs_own(cohort: Callable[..., Cohort]) -> None:
    flags: dict[str, Value] = {"layers": 2, "dropout": 0.5}
    runs = tuple(run_of("replicate", number, number, {**USUAL, **flags}) for number in range(2))
    (both,) = cohort(0.01).with_runs(runs).shapes
    first, second = (finished(both.with_runs(each)) for each in (runs, runs[1:]))
    torch.testing.assert_close(
        torch.tensor(first[1]["validation_loss"]), torch.tensor(second[1]["validation_loss"]), rtol=0, atol=1e-6
    )
    assert not torch.isclose(
        torch.tensor(first[0]["validation_loss"][-1][1]), torch.tensor(first[1]["validation_loss"][-1][1])
    )
