"""Ablations in the report: the forest, the papers' findings, and their verdicts."""

from dataclasses import replace

import numpy as np
import pytest
from builders.fake_record import World, fake_study

from reports.claims import CLAIMS, claims_of
from reports.claims.findings import FINDINGS, RULES
from reports.compose import compose
from reports.document import Note, Paragraph
from reports.estimates import Estimates
from reports.figures import FIGURES
from reports.figures.ablation_forest import ALL, HIDDEN, LABELS, TRANSFERRED, TUNED
from reports.literature import literature_blocks
from reports.result_tables import ResultTables
from reports.style import style_of
from reports.verdicts import judge_claims

VARIANTS = ("lstm", "lstm-no-forget-gate", "lstm-coupled", "mgu", "gru-reset-before")
PARENTS = {"lstm-no-forget-gate": "lstm", "lstm-coupled": "lstm", "mgu": "gru-reset-before"}
TASKS = ("copying", "adding", "france")
SKILL = {(task, name): 0.6 if name == "lstm-no-forget-gate" else 0.9 for task in TASKS for name in VARIANTS}


def world(**changes: object) -> World:
    known = {"skill": SKILL, "tasks": TASKS, "variants": VARIANTS, "parents": PARENTS, "costs": False, "diverged": ()}
    return World(**{**known, "replicates": 8, **changes})  # type: ignore[arg-type]


def results(**changes: object) -> Estimates:
    return Estimates(ResultTables(fake_study(world(**changes), "lstm_ablation")))


def test_every_ablation_is_compared_to_its_parent_on_each_task_and_over_all_in_both_views() -> None:
    table = FIGURES["ablation_forest"].table(results())
    assert len(table) == 2 * (len(PARENTS) + 0) * 4 + 4  # gru-reset-before is tuned only, against the baseline
    assert dict(zip(table["variant"], table["parent"], strict=True)) == {**PARENTS, "gru-reset-before": "lstm"}
    worse = table[(table["variant"] == "lstm-no-forget-gate") & (table["task"] == ALL)]
    assert worse["difference"].to_list() == pytest.approx([-0.3, -0.3], abs=0.02)
    assert (worse["high"] < -0.2).all()
    assert worse["P(better)"].to_list() == [0, 0]
    assert worse["n"].to_list() == [24, 24]


SAME = "mgu-same-hidden"
TWO_SIZES: dict[str, object] = {
    "variants": (*VARIANTS, SAME),
    "parents": {**PARENTS, SAME: "gru-reset-before"},
    "bases": {SAME: "mgu"},
    "size_rules": {SAME: "hidden size of gru-reset-before"},
    "hidden": {("copying", "mgu"): 30, ("adding", "mgu"): 30},  # on france it has its parent's size anyway
    "unplanned": (("france", SAME),),
    "skill": {**SKILL, **{(task, SAME): 0.7 for task in TASKS}, ("france", "mgu"): 0.8},
}


def test_the_second_view_is_of_the_runs_that_have_the_parents_hidden_size() -> None:
    table = FIGURES["ablation_forest"].table(results(**TWO_SIZES))
    assert set(table["variant"]) == {*PARENTS, "gru-reset-before"}
    rows = table[table["view"] == HIDDEN].set_index("task")
    assert set(rows["variant"]) == {"mgu"}
    expected = {"copying": -0.2, "adding": -0.2, "france": -0.1, ALL: -0.5 / 3}
    for task, difference in expected.items():
        assert rows.loc[task, "difference"] == pytest.approx(difference, abs=0.03 if task == ALL else 0.02)
    tuned = table[(table["view"] == TUNED) & (table["variant"] == "mgu")].set_index("task")
    assert tuned.loc["adding", "difference"] == pytest.approx(0, abs=0.02)
    assert set(table[table["view"] == TRANSFERRED]["variant"]) == PARENTS.keys()


def test_each_view_is_drawn_with_a_label_of_its_own_and_says_what_it_holds_fixed() -> None:
    kind = FIGURES["ablation_forest"]
    table = kind.table(results(**TWO_SIZES))
    (legend,) = kind.draw(table).legends
    labels = [text.get_text() for text in legend.get_texts()]
    assert labels == [*LABELS.values()]
    for words in ("equal parameters, both tuned", "equal hidden size, both tuned", "with its parent's hyperparameters"):
        assert words in kind.caption(table)


def test_a_view_without_runs_is_not_in_the_legend() -> None:
    kind = FIGURES["ablation_forest"]
    (legend,) = kind.draw(kind.table(results())).legends
    assert [text.get_text() for text in legend.get_texts()] == [LABELS[TUNED], LABELS[TRANSFERRED]]


def test_a_study_of_two_sizes_compares_each_variant_to_one_of_its_own_size() -> None:
    sizes = dict.fromkeys(("lstm-10k", "gru-10k", "gru-no-reset-10k"), "10,000 parameters")
    compared = results(
        variants=("lstm", "gru", "gru-no-reset", *sizes, "rnn-30k"),
        parents={"gru-no-reset": "gru", "gru-no-reset-10k": "gru-10k"},
        bases={**{name: name.removesuffix("-10k") for name in sizes}, "rnn-30k": "rnn"},
        size_rules={**sizes, "rnn-30k": "30,000 parameters"},
    ).results.compared_to
    expected = {"gru": "lstm", "gru-no-reset": "gru", "gru-10k": "lstm-10k", "gru-no-reset-10k": "gru-10k"}
    assert compared == expected  # there is nothing of the size of rnn-30k


@pytest.mark.long
def test_settings_that_were_not_planned_are_not_missing() -> None:
    whole = fake_study(world(**TWO_SIZES), "lstm_ablation")
    document, _ = compose(whole)
    words = " ".join(block.text for block in document.blocks if isinstance(block, Paragraph | Note))
    assert "0 planned runs are missing" in words
    assert "These results are partial" not in words
    less = replace(whole, transferred=whole.transferred[:-2])
    words = " ".join(block.text for block in compose(less)[0].blocks if isinstance(block, Paragraph | Note))
    assert "Missing runs with the parent's hyperparameters: 2" in words


def test_the_method_says_what_each_view_holds_fixed_and_who_has_another_size() -> None:
    document, tables = compose(fake_study(world(**TWO_SIZES), "lstm_ablation"))
    words = " ".join(block.text for block in document.blocks if isinstance(block, Paragraph))
    assert "about 3,000 parameters" in words
    assert "but for mgu-same-hidden (hidden size of gru-reset-before)" in words
    assert "At equal hidden size it is tuned too: its number of parameters can differ" in words
    assert "differs from its parent in one thing" not in words
    sizes = tables["settings"].set_index(["task", "variant"])["size"]
    assert sizes["adding", SAME] == "hidden size of gru-reset-before"
    assert sizes["adding", "mgu"] == "3,000 parameters"


def test_another_size_has_the_colour_and_the_marker_of_its_variant_and_a_line_and_fill_of_its_own() -> None:
    variants = ["lstm", "feedforward", "mgu", "other", "lstm-10k", "lstm-30k", "mgu-same-hidden", "feedforward-30k"]
    for variant in variants[4:]:
        base, own = style_of(variant.rpartition("-")[0].removesuffix("-same"), variants), style_of(variant, variants)
        assert (base["color"], base["marker"]) == (own["color"], own["marker"])
        assert base["linestyle"] != own["linestyle"]
        assert own["fillstyle"] != base.get("fillstyle", "full")
    assert style_of("lstm-10k", variants) != style_of("lstm-30k", variants)
    assert style_of("other", variants) == style_of("other", ["lstm", "mgu", "other"])
    assert style_of("mine-10k", ["mine-10k"])["linestyle"] == "-"  # of no variant that there is


def test_pairs_are_those_of_the_same_seed() -> None:
    whole = results()
    runs = whole.results.replicates.pivot(index=["task", "seed"], columns="variant", values="skill").loc["adding"]
    expected = (runs["mgu"] - runs["gru-reset-before"]).to_numpy()
    np.testing.assert_allclose(whole.results.paired_differences("mgu", "gru-reset-before", "adding"), expected)


def test_a_study_without_ablations_has_no_forest() -> None:
    assert FIGURES["ablation_forest"].table(results(parents={})).empty


def test_a_forest_of_tasks_that_nobody_learnt_has_no_mean_over_them() -> None:
    kind = FIGURES["ablation_forest"]
    table = kind.table(results(skill={(task, name): 0.2 for task in TASKS for name in VARIANTS}))
    assert set(table["task"]) == set(TASKS)
    kind.draw(table)
    assert "clearly worse: none" in kind.caption(table)


def test_the_mean_over_tasks_is_that_of_the_claim() -> None:
    whole = results()
    table = FIGURES["ablation_forest"].table(whole).set_index(["variant", "task", "view"])
    estimate = judge_claims(whole)["forget-gate"].parts[0].estimate
    assert estimate is not None
    row = table.loc[("lstm-no-forget-gate", ALL, TUNED)]
    assert row[["difference", "low", "high"]].to_list() == [estimate.value, estimate.low, estimate.high]


def test_the_forest_can_be_drawn_and_says_who_is_worse() -> None:
    kind = FIGURES["ablation_forest"]
    table = kind.table(results())
    kind.draw(table)
    assert "clearly worse: lstm-no-forget-gate;" in kind.caption(table)


def test_gradients_are_those_of_all_networks() -> None:
    whole = results(**TWO_SIZES)
    assert set(FIGURES["gradient_flow"].table(whole)["variant"]) == set(whole.results.variants)


def test_many_variants_without_a_style_of_their_own_differ_in_colour_or_line() -> None:
    variants = ["lstm", *(f"variant-{number}" for number in range(20))]
    styles = [style_of(variant, variants) for variant in variants]
    assert len({(style["color"], style["linestyle"]) for style in styles}) == len(variants)


@pytest.mark.parametrize(("skill", "label"), [(0.6, "supported"), (0.9, "contradicted"), (0.95, "contradicted")])
def test_the_verdict_on_a_finding_follows_from_what_is_true(skill: float, label: str) -> None:
    changed = {**SKILL, **{(task, "lstm-no-forget-gate"): skill for task in TASKS}}
    assert judge_claims(results(skill=changed))["forget-gate"].label == label


def test_a_finding_of_a_variant_that_is_not_there_is_not_run() -> None:
    assert judge_claims(results())["peepholes"].label == "not run"


def test_a_study_is_asked_its_own_claims_and_no_others() -> None:
    assert claims_of("lstm_ablation").keys() == {
        n for n, finding in FINDINGS.items() if finding.study == "lstm_ablation"
    }
    assert not claims_of("one of somebody's own")
    assert not claims_of("claims").keys() & FINDINGS.keys()
    assert FINDINGS.keys() <= CLAIMS.keys()


def test_a_study_of_ones_own_is_asked_the_claims_that_it_has_the_numbers_for() -> None:
    whole = Estimates(ResultTables(fake_study(World(variants=("rnn", "lstm", "gru"), costs=False), "own")))
    assert judge_claims(whole).keys() == {"vanishing", "lstm-remembers", "gru-worse"}


def test_the_papers_findings_stand_beside_what_was_measured() -> None:
    whole = results()
    (table,) = [block for block in literature_blocks(whole.results, judge_claims(whole)) if hasattr(block, "frame")]
    rows = table.frame.set_index("variant")
    assert rows.loc["lstm-no-forget-gate", ["paper_says", "direction", "verdict"]].to_list() == [
        "worse",
        "agrees",
        "supported",
    ]
    assert rows.loc["lstm-coupled", "direction"] == "agrees"
    assert rows.loc["lstm-chrono", "direction"] == "not run"


@pytest.mark.parametrize("finding", FINDINGS.values(), ids=FINDINGS)
def test_every_finding_names_variants_of_its_study(finding) -> None:
    from ablations.studies import STUDIES

    names = {variant.name for variant in STUDIES[finding.study].variants}
    assert {finding.variant, finding.against} <= names
    assert finding.effect in RULES
