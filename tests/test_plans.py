"""What is read of a record is what belongs to the plan: its budget, its cells, its ablations."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from builders.small_study import Memory, carry_out, numbers, open_record, recorded

from ablations.models.cells import CELLS
from ablations.models.variants import VARIANTS
from ablations.study import Study
from ablations.train.cohort import Cohort, Run
from ablations.train.segment import train_segment


def test_a_smaller_budget_reads_as_if_it_had_been_the_only_one(study: Study, tmp_path: Path) -> None:
    stores, only = Memory(tmp_path / "a"), Memory(tmp_path / "only")
    less = study.with_changes("smoke", {"replicates": 1})
    carry_out(study.with_changes("smoke", {"trials": 6}), stores)
    assert carry_out(less, stores).runs <= 4  # a replicate of another best trial, at most, is new
    carry_out(less, only)
    assert numbers(less, stores).keys() == numbers(less, only).keys()


def test_runs_of_another_budget_are_kept_and_not_counted(study: Study, tmp_path: Path) -> None:
    stores = Memory(tmp_path)
    carry_out(study, stores)
    other = study.with_changes("smoke", {"steps": 4})
    assert open_record(other, stores).count_existing() == (0, 4)
    assert open_record(study, stores).count_existing() == (4 * study.at("smoke").budget.runs, 0)


def test_runs_of_a_cell_before_it_was_edited_are_not_read(
    study: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stores = Memory(tmp_path)
    carry_out(study, stores)
    before = numbers(study, stores)

    class Edited(CELLS["lstm"]):  # type: ignore[misc]
        step = staticmethod(lambda f, a, s, v: {"c": a.i * a.g + f.sigmoid(a.f) * s.c, "h": a.o * f.tanh(s.c)})

    monkeypatch.setitem(CELLS, "lstm", Edited)
    carry_out(study, stores)
    record = recorded(study, stores)
    assert len(record.settings) == 4
    assert len(record.replicates) == 4 * study.at("smoke").budget.replicates
    assert len(numbers(study, stores).keys() & before.keys()) == len(before) / 2  # the other cell's
    monkeypatch.undo()
    assert carry_out(study, stores).runs == 0
    assert numbers(study, stores) == before


def _ablated(study: Study) -> Study:
    """The study's LSTM and its ablation without a forget gate, which needs another learning rate."""
    return replace(
        study, name="ablated", variants=tuple(VARIANTS[name] for name in PAIR), baseline="lstm", transferred=True
    )


def test_a_study_with_second_sizes_and_tasks_of_their_own_variants_is_carried_out_whole(
    study: Study, tmp_path: Path
) -> None:
    ablated = _ablated(study)
    lstm, ablation = ablated.variants
    budget = replace(ablated.scales["smoke"].budget, parameters=3000)
    scale = replace(ablated.scales["smoke"], budget=budget, variants={"adding": ("lstm", "lstm-2k")})
    variants = (lstm, ablation, ablation.at_hidden_of(lstm), lstm.sized(2000))
    sizes = replace(ablated, variants=variants, scales={"smoke": scale})
    stores = Memory(tmp_path)
    assert carry_out(sizes, stores).runs == sizes.at("smoke").runs
    record = recorded(sizes, stores)
    assert [f"{setting.task}/{setting.variant}" for setting in record.settings] == [*sizes.at("smoke").identities]
    rules = {setting.variant: (setting.size_rule, setting.base) for setting in record.settings}
    assert rules == {
        "lstm": ("3,000 parameters", None),
        "lstm-no-forget-gate": ("3,000 parameters", None),
        "lstm-no-forget-gate-same-hidden": ("hidden size of lstm", "lstm-no-forget-gate"),
        "lstm-2k": ("2,000 parameters", "lstm"),
    }
    assert len(record.transferred) == sizes.at("smoke").budget.replicates
    assert carry_out(sizes, stores).runs == 0


PAIR = ("lstm", "lstm-no-forget-gate")


def test_an_ablation_is_trained_again_with_the_hyperparameters_of_its_parent(study: Study, tmp_path: Path) -> None:
    ablated = _ablated(study)
    stores = Memory(tmp_path)
    watch = carry_out(ablated, stores)
    assert watch.runs == ablated.at("smoke").runs
    record = recorded(ablated, stores)
    settings = {setting.identity: setting for setting in record.settings}
    assert {settings[run.setting].variant for run in record.transferred} == {"lstm-no-forget-gate"}
    for run in record.transferred:
        parents = [r for r in record.replicates if settings[r.setting].variant == "lstm"]
        parent = next(r for r in parents if settings[r.setting].task == settings[run.setting].task)
        assert all(run.factors[key] == parent.factors[key] for key in ("lr", "clip", "trial"))
    assert len(record.transferred) == len(ablated.at("smoke").tasks) * ablated.at("smoke").budget.replicates
    assert carry_out(ablated, stores).runs == 0


def test_a_transferred_run_with_its_own_hyperparameters_is_the_replicate(study: Study, tmp_path: Path) -> None:
    """Nothing but the hyperparameters tells the two apart: data and start are the same."""
    setting = study.at("smoke").settings[0]
    cohorts = [
        Cohort(setting, study.at("smoke").budget, "adam", 0, (Run(kind, 1, 1, lr=0.01, clip=1.0, weight_decay=0.0),))
        for kind in ("replicate", "transferred")
    ]
    (first, _), (second, _) = (train_segment(cohort, None, 3) for cohort in cohorts)
    assert torch.equal(first.theta, second.theta)


def test_the_path_that_computed_a_run_is_in_its_record(study: Study, tmp_path: Path) -> None:
    stores = Memory(tmp_path)
    carry_out(study, stores)
    record = recorded(study, stores)
    cells = {setting.identity: bool(setting.equations) for setting in record.settings}
    for run in record.trials + record.replicates:
        assert run.factors.get("backend") == ("kernel" if cells[run.setting] else None)
