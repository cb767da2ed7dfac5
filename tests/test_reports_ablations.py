"""Ablations in the report: the forest, the papers' findings, and their verdicts."""

import numpy as np
import pytest
from builders.fake_record import World, fake_study

from reports.claims import CLAIMS, claims_of
from reports.claims.findings import FINDINGS, RULES
from reports.estimates import Estimates
from reports.figures import FIGURES
from reports.figures.ablation_forest import ALL
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
    row = table.loc[("lstm-no-forget-gate", ALL, "tuned")]
    assert row[["difference", "low", "high"]].to_list() == [estimate.value, estimate.low, estimate.high]


def test_the_forest_can_be_drawn_and_says_who_is_worse() -> None:
    kind = FIGURES["ablation_forest"]
    table = kind.table(results())
    kind.draw(table)
    assert "clearly worse: lstm-no-forget-gate;" in kind.caption(table)


def test_gradients_are_those_of_all_ablations_but_else_of_some_variants_only() -> None:
    kind = FIGURES["gradient_flow"]
    assert set(kind.table(results())["variant"]) == set(VARIANTS)
    assert set(kind.table(results(parents={}))["variant"]) == {"lstm"}


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
