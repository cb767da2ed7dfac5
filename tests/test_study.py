"""Studies refuse what makes no sense, and say what is allowed."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from pydantic import ValidationError

from ablations.models.variant import Variant, count_parameters
from ablations.studies import STUDIES
from ablations.study import Budget, Range, Study


def test_every_setting_comes_near_the_parameter_count() -> None:
    for study in STUDIES.values():
        for scale in ("smoke", "demo"):
            wanted = study.at(scale).budget.parameters
            for setting in study.at(scale).settings:
                count = count_parameters(setting.variant, setting.task.spec, setting.size)
                assert abs(count - wanted) < 0.12 * wanted, setting.name


def test_a_study_has_every_task_with_every_variant(study: Study) -> None:
    names = {setting.name for setting in study.at("smoke").settings}
    assert names == {"adding/rnn", "adding/lstm", "disambiguation/rnn", "disambiguation/lstm"}


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"baseline": "gru"}, "baseline 'gru'"),
        ({"nuisance": {"lr": Range(1e-3, 1e-1), "clip": Range(1, 2)}}, "nuisance and fixed factors"),
        ({"nuisance": {}}, "nuisance and fixed factors"),
        ({"optimiser": "adamw"}, "adam"),
        ({"seed": -1}, "seed"),
        ({"name": "a/b"}, "name"),
    ],
)
def test_an_impossible_study_is_refused(
    study: Study, changed: Callable[..., Study], changes: dict[str, object], complaint: str
) -> None:
    with pytest.raises(ValidationError, match=complaint):
        changed(study, **changes)


def test_an_unknown_scale_names_the_known_ones(study: Study) -> None:
    with pytest.raises(ValueError, match="did you mean 'smoke'"):
        study.at("smok")


@pytest.mark.parametrize("part", ["trials", "replicates", "steps", "batch"])
def test_a_budget_without_anything_in_it_is_refused(study: Study, part: str) -> None:
    with pytest.raises(ValidationError, match=part):
        study.with_budget("smoke", {part: 0})


def test_steps_have_to_fit_the_segments(study: Study) -> None:
    with pytest.raises(ValidationError, match="multiple of segments"):
        study.with_budget("smoke", {"steps": 7})


def test_trials_have_to_fit_the_rounds(study: Study) -> None:
    with pytest.raises(ValidationError, match=r"trials \(5\) must be a multiple of trials_per_round \(2\)"):
        study.with_budget("smoke", {"trials": 5})


def test_a_search_with_tpe_has_a_round_to_propose_from(study: Study, changed: Callable[..., Study]) -> None:
    one_round = {"trials": 4, "trials_per_round": 4}
    with pytest.raises(ValueError, match=r"scale 'smoke': trials \(4\) must be at least twice trials_per_round \(4\)"):
        study.with_budget("smoke", one_round)
    assert changed(study, sampler="random").with_budget("smoke", one_round)
    assert study.with_budget("smoke", {"trials": 1, "trials_per_round": 1})  # no search at all


def test_tpe_proposes_half_of_the_trials_or_more_at_every_scale() -> None:
    for study in STUDIES.values():
        for scale in study.scales.values():
            assert 2 * scale.budget.trials_per_round <= scale.budget.trials


def test_a_changed_budget_changes_one_scale_and_nothing_else(study: Study) -> None:
    more = study.with_budget("smoke", {"trials": 10})
    assert more.at("smoke").budget.trials == 10
    apart = {"budget": 0, "runs": 0}
    assert more.at("smoke").data | apart == study.at("smoke").data | apart


def test_a_range_needs_an_order() -> None:
    with pytest.raises(ValidationError, match="low < high"):
        Range(1.0, 0.1)


def test_budget_refuses_unknown_parts() -> None:
    with pytest.raises(ValidationError, match="epochs"):
        Budget(epochs=3)  # type: ignore[call-arg]


def test_an_ablation_of_a_study_differs_from_its_parent_in_one_flag(study: Study) -> None:
    parent = Variant("parent", "recurrent", {"cell": "lstm"})
    for flags in ({"cell": "lstm"}, {"cell": "gru", "layers": 2}):
        ablation = Variant("ablation", "recurrent", flags, "parent", "something")
        with pytest.raises(ValueError, match=r"'ablation' differs from 'parent' in \d flags, not in one"):
            replace(study, variants=(parent, ablation), baseline="parent")
