"""Studies refuse what makes no sense, and say what is allowed."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from pydantic import ValidationError

from ablations import studies
from ablations.models.sizes import count_parameters
from ablations.models.variant import HiddenSizeOf, Parameters, Variant
from ablations.models.variants import VARIANTS
from ablations.studies import STUDIES
from ablations.study import Budget, Range, Study
from ablations.train.cohort import Cohort
from tasks import TASKS


def test_every_file_with_a_study_is_listed_under_the_name_of_its_study() -> None:
    files = Path(str(studies.__file__)).parent.glob("*.py")
    assert {file.stem for file in files if "\nSTUDY = " in file.read_text(encoding="utf-8")} == {*STUDIES}
    assert [study.name for study in STUDIES.values()] == list(STUDIES)


@pytest.mark.parametrize("scale", ["smoke", "demo"])
@pytest.mark.parametrize("name", STUDIES)
def test_every_setting_follows_its_size_rule(name: str, scale: str) -> None:
    plan = STUDIES[name].at(scale)
    sizes = {(setting.label, setting.variant.name): setting.size for setting in plan.settings}
    for setting in plan.settings:
        variant = setting.variant
        if isinstance(variant.size, HiddenSizeOf):
            assert setting.size == sizes[setting.label, str(variant.parent)]
        else:
            wanted = variant.size.number if variant.size else plan.budget.parameters
            count = count_parameters(variant, setting.task.spec, setting.size)
            assert abs(count - wanted) < 0.12 * wanted, setting.name


@pytest.mark.parametrize("scale", STUDIES["tasks"].scales)
def test_the_study_of_tasks_has_every_task_whose_sequences_are_made(scale: str) -> None:
    plan = STUDIES["tasks"].at(scale)
    assert set(TASKS) - set(plan.tasks) == {"reviews"}
    assert all(type(task) is TASKS[label] for label, task in plan.tasks.items())
    assert {setting.label for setting in plan.settings if setting.variant.name == plan.baseline} == set(plan.tasks)


def test_a_study_has_every_task_with_every_variant(study: Study) -> None:
    assert names(study) == ["adding/rnn", "adding/lstm", "disambiguation/rnn", "disambiguation/lstm"]


def names(study: Study) -> list[str]:
    return [setting.name for setting in study.at("smoke").settings]


def limited(study: Study, **variants: tuple[str, ...]) -> Study:
    """The study with some variants alone on some tasks."""
    return replace(study, scales={"smoke": replace(study.scales["smoke"], variants=variants)})


def test_a_task_may_have_variants_of_its_own(study: Study) -> None:
    one = limited(study, adding=("lstm",))
    assert names(one) == ["adding/lstm", "disambiguation/rnn", "disambiguation/lstm"]
    plan = one.at("smoke")
    assert plan.data["settings"] == {"adding": ["lstm"], "disambiguation": ["rnn", "lstm"]}
    assert plan.runs == 3 * plan.budget.runs
    assert plan.identities == {name: study.at("smoke").identities[name] for name in names(one)}


def test_a_variant_that_no_task_has_is_no_part_of_the_plan(study: Study) -> None:
    data = limited(study, adding=("lstm",), disambiguation=("lstm",)).at("smoke").data
    assert data["variants"].keys() == data["runs"].keys() == {"lstm"}


def test_variants_of_a_task_that_make_no_sense_are_refused(study: Study) -> None:
    for variants, complaint in (
        ({"addin": ("lstm",)}, "unknown task with variants of its own 'addin'; did you mean 'adding'"),
        ({"adding": ("lstm", "gru")}, "unknown variant of 'adding' 'gru'"),
        ({"adding": ("rnn",)}, "'adding' has the variant 'rnn' and needs 'lstm'"),
    ):
        with pytest.raises(ValueError, match=complaint):
            limited(study, **variants)
    ablation = Variant("no-forget", "recurrent", {"cell": "lstm-no-forget-gate"}, "lstm", "no forget gate")
    with_ablation = replace(study, variants=(*study.variants, ablation), baseline="rnn")
    with pytest.raises(ValueError, match="'adding' has the variant 'no-forget' and needs 'lstm'"):
        limited(with_ablation, adding=("rnn", "no-forget"))


def test_a_second_size_stands_beside_the_first_and_changes_nothing_of_it(study: Study) -> None:
    two = replace(study, variants=(*study.variants, *(variant.sized(2000) for variant in study.variants)))
    before, after = study.at("smoke"), two.at("smoke")
    assert {name: after.identities[name] for name in before.identities} == before.identities
    sizes = {setting.name: setting.size for setting in after.settings}
    assert sizes["adding/lstm-2k"] > sizes["adding/lstm"]
    assert after.data["variants"]["lstm-2k"] == {"model": "recurrent", "cell": "lstm", "size": "2,000 parameters"}


def test_two_sizes_of_a_variant_see_the_same_data(cohort: Callable[..., Cohort]) -> None:
    lstm = Variant("lstm", "recurrent", {"cell": "lstm"})
    draws = []
    for variant in (lstm, lstm.sized(10_000), lstm.at_hidden_of(Variant("rnn", "recurrent", {"cell": "rnn"}))):
        one = cohort(0.01, variant=variant)
        draws.append([one.generator(one.runs[0], purpose).random() for purpose in ("train", "validation", "test")])
    assert draws[0] == draws[1] == draws[2]


def ablated(study: Study, *ablations: Variant) -> Study:
    return replace(study, variants=(*study.variants, *ablations), transferred=True)


def test_an_ablation_at_its_parents_hidden_size_is_tuned_only(study: Study) -> None:
    lstm, coupled = VARIANTS["lstm"], VARIANTS["lstm-coupled"]
    plan = ablated(study, coupled, coupled.at_hidden_of(lstm)).at("smoke")
    assert plan.parents == {"lstm-coupled": "lstm"}
    runs = plan.data["runs"]
    assert runs["lstm-coupled-same-hidden"] == runs["lstm"] == runs["lstm-coupled"] - plan.budget.replicates


def test_what_has_its_parents_hidden_size_anyway_is_not_trained_twice(study: Study) -> None:
    lstm, wider, equal = (VARIANTS[name] for name in ("lstm", "lstm-coupled", "lstm-forget-bias-0"))
    both = ablated(study, wider, equal, wider.at_hidden_of(lstm), equal.at_hidden_of(lstm))
    sizes = {setting.name: setting.size for setting in both.at("smoke").settings}
    assert sizes["adding/lstm-coupled-same-hidden"] == sizes["adding/lstm"] < sizes["adding/lstm-coupled"]
    assert not any(name.endswith("lstm-forget-bias-0-same-hidden") for name in sizes)
    assert "lstm-forget-bias-0-same-hidden" not in both.at("smoke").data["variants"]


@pytest.mark.parametrize("name", [name for name, study in STUDIES.items() if study.transferred])
@pytest.mark.parametrize("scale", ["smoke", "paper"])
def test_every_ablation_has_its_parents_hidden_size_once_on_every_task(name: str, scale: str) -> None:
    plan = STUDIES[name].at(scale)
    own = {variant.name for variant in plan.variants}
    for variant in plan.variants:
        if variant.parent in own and variant.base is None:
            for label in plan.tasks:
                settings = [setting for setting in plan.settings if setting.label == label]
                (size,) = (setting.size for setting in settings if setting.variant.name == variant.parent)
                hits = [s for s in settings if variant.name in (s.variant.name, s.variant.base) and s.size == size]
                assert len(hits) == 1


def test_an_ablation_of_another_size_than_its_parents_is_refused(study: Study) -> None:
    lstm, coupled = VARIANTS["lstm"], VARIANTS["lstm-coupled"]
    gru = VARIANTS["gru"]
    for size in (Parameters(2000), HiddenSizeOf(gru)):
        with pytest.raises(
            ValueError, match="'lstm-coupled' needs the size rule or the hidden size of its parent 'lstm'"
        ):
            ablated(study, replace(coupled, size=size))
    ablated(study, lstm.sized(2000), coupled.sized(2000))
    with pytest.raises(ValueError, match="unknown parent of 'lstm-coupled-2k' 'lstm-2k'; did you mean 'lstm'"):
        ablated(study, coupled.sized(2000))


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"baseline": "gru"}, "baseline 'gru'"),
        (
            {"nuisance": {"lr": Range(1e-3, 1e-1), "clip": Range(1, 2)}, "fixed": {"clip": 1.0}},
            "'clip' is among both, nuisance and fixed factors",
        ),
        ({"nuisance": {}}, "need a learning rate, 'lr'"),
        ({"optimiser": "lion"}, "adam"),
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
        study.with_changes("smoke", {part: 0})


def test_steps_have_to_fit_the_segments(study: Study) -> None:
    with pytest.raises(ValidationError, match="multiple of segments"):
        study.with_changes("smoke", {"steps": 7})


def test_trials_have_to_fit_the_rounds(study: Study) -> None:
    with pytest.raises(ValidationError, match=r"trials \(5\) must be a multiple of trials_per_round \(2\)"):
        study.with_changes("smoke", {"trials": 5})


def test_a_search_with_tpe_has_a_round_to_propose_from(study: Study, changed: Callable[..., Study]) -> None:
    one_round = {"trials": 4, "trials_per_round": 4}
    with pytest.raises(ValueError, match=r"scale 'smoke': trials \(4\) must be at least twice trials_per_round \(4\)"):
        study.with_changes("smoke", one_round)
    assert changed(study, sampler="random").with_changes("smoke", one_round)
    assert study.with_changes("smoke", {"trials": 1, "trials_per_round": 1})  # no search at all


def test_tpe_proposes_half_of_the_trials_or_more_at_every_scale() -> None:
    for study in STUDIES.values():
        for scale in study.scales.values():
            assert 2 * scale.budget.trials_per_round <= scale.budget.trials


def test_a_changed_budget_changes_one_scale_and_nothing_else(study: Study) -> None:
    more = study.with_changes("smoke", {"trials": 10})
    assert more.at("smoke").budget.trials == 10
    apart = {"budget": 0, "runs": 0}
    assert more.at("smoke").data | apart == study.at("smoke").data | apart


def test_another_seed_trains_everything_anew(study: Study) -> None:
    other = study.with_changes("smoke", {"seed": 3}).at("smoke")
    assert other.seed == 3
    assert not set(other.identities.values()) & set(study.at("smoke").identities.values())


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


def with_far(study: Study, *far: int) -> Study:
    scale = study.scales["smoke"]
    return replace(study, scales={"smoke": replace(scale, budget=replace(scale.budget, far=far))})


def test_far_difficulties_change_the_plan_of_the_study_that_has_them_alone(study: Study) -> None:
    plain, far = study.at("smoke"), with_far(study, 100, 1000).at("smoke")
    assert "far" not in plain.data["budget"]
    assert far.data["budget"] == {**plain.data["budget"], "far": (100, 1000), "far_sequences": 32}
    assert not set(far.identities.values()) & set(plain.identities.values())
    assert with_far(study).at("smoke").identity == plain.identity


@pytest.mark.parametrize("far", [(1000, 100), (100, 100), (8, 100)])
def test_far_difficulties_that_do_not_rise_beyond_the_other_tests_are_refused(
    study: Study, far: tuple[int, ...]
) -> None:
    with pytest.raises(ValueError, match=r"must rise, and lie beyond the other tests of 'adding', which end at 8"):
        with_far(study, *far)


def test_far_difficulties_of_a_task_that_has_a_hardest_form_are_refused(study: Study) -> None:
    smoke = study.scales["smoke"]
    tasks = {**smoke.tasks, "dates": TASKS["dates"](languages=2)}
    with pytest.raises(ValueError, match=r"far \(100,\) is impossible: 'dates' has no difficulty above 10"):
        replace(smoke, tasks=tasks, budget=replace(smoke.budget, far=(100,)))
