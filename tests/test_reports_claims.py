"""Every claim driven to every verdict that it can have, by records in which the answer is known."""

from dataclasses import replace

import pytest
from builders.fake_record import BOTH_WAYS, CAUSAL_SKILL, TEXTS, VARIANTS, World, fake_study

from reports.claim_pages import claim_blocks
from reports.claims import CLAIMS
from reports.claims.comparison import Comparison
from reports.document import Paragraph
from reports.estimates import Estimates
from reports.result_tables import ResultTables
from reports.statistics.sample import sample

MEMORY = ("copying", "adding", "france")
ALL_TASKS = (*MEMORY, "disambiguation")


def judge(claim, world=None, study=None):
    return CLAIMS[claim].judge(Estimates(ResultTables(study or fake_study(world))))


def everywhere(variant, skill):
    return {(task, variant): skill for task in ALL_TASKS}


def texts(without, lost=None, noise=0.01):
    """A world of translation and sentiment analysis, with the skill without attention on each; that with it is 0.99."""
    skill = {(task, variant): each for task, each in without.items() for variant in ("lstm", "bilstm")}
    with_attention = {(task, "bilstm-attention"): 0.99 for task in TEXTS}
    return World(
        tasks=tuple(TEXTS),
        variants=("lstm", "bilstm", "bilstm-attention"),
        skill=skill | with_attention,
        lost=lost or {},
        noise=noise,
        diverged=(),
        replicates=10,
    )


LSTM_FIRST = everywhere("lstm", 0.95) | everywhere("gru", 0.85)
LSTM_LAST = everywhere("lstm", 0.85) | everywhere("gru", 0.95)
ALIKE = everywhere("lstm", 0.95) | everywhere("gru", 0.95)
BOTH = ("feedforward", "cnn")
CASES = [
    ("fixed-length", World(refusing=BOTH), "supported"),
    ("fixed-length", World(), "mixed, 7 of 8"),  # a CNN takes any length
    ("fixed-length", World(refusing=BOTH, skill=everywhere("cnn", 0.99)), "mixed, 5 of 8"),
    ("fixed-length", World(refusing=(), skill=everywhere("cnn", 0.99) | everywhere("feedforward", 0.99)), "contradicted"),
    ("fixed-length", World(refusing=BOTH, skill=everywhere("cnn", 0.9) | everywhere("lstm", 0.92), noise=0.05),
     "inconclusive"),
    ("vanishing", World(), "supported"),
    ("vanishing", World(arriving={("rnn", "trained"): 0.0, ("lstm", "trained"): -9.0}), "supported"),  # of the start
    ("vanishing", World(skill={("france", "rnn"): 0.95}, lost={("france", "rnn"): 0.0}), "contradicted"),
    ("vanishing", World(arriving={("rnn", "initial"): -0.2}), "contradicted"),
    ("vanishing", World(arriving={("lstm", "initial"): -8.0}), "contradicted"),
    ("vanishing", World(skill={("france", "rnn"): 0.5}, noise=0.1), "inconclusive"),
    ("vanishing", World(skill={("france", "rnn"): 0.2}, lost={("france", "rnn"): 0.0}), "supported"),  # never knew it
    ("vanishing", World(lost={("copying", "rnn"): 0.0}, skill={("copying", "rnn"): 0.9}), "contradicted"),
    ("vanishing", World(skill={(task, "rnn"): 0.2 for task in MEMORY}, lost={(task, "rnn"): 0.1 for task in MEMORY}),
     "inconclusive"),
    ("lstm-remembers", World(), "supported"),
    ("lstm-remembers", World(lost={("copying", "lstm"): 0.4}), "mixed, 3 of 4"),
    ("lstm-remembers", World(lost={(task, "lstm"): 0.4 for task in MEMORY}, skill=everywhere("lstm", 0.5)), "contradicted"),
    ("lstm-remembers", World(skill={("france", "lstm"): 0.9}, noise=0.05), "inconclusive"),
    ("lstm-slow", World(microseconds={"lstm": 6.0, "rnn": 2.0}), "supported"),
    ("lstm-slow", World(microseconds={"lstm": 2.2, "rnn": 2.0}), "contradicted"),
    ("lstm-slow", World(microseconds={"lstm": 2.5, "rnn": 2.0}, jitter=0.3), "inconclusive"),
    ("gru-cheaper", World(), "supported"),
    ("gru-cheaper", World(microseconds={"gru": 9.0}), "contradicted"),
    ("gru-cheaper", World(flops={"gru": 5e4}), "contradicted"),
    ("gru-cheaper", World(microseconds={"gru": 6.0}, jitter=0.3), "inconclusive"),
    ("gru-worse", World(skill=LSTM_FIRST), "supported"),
    ("gru-worse", World(skill=LSTM_LAST), "contradicted"),
    ("gru-worse", World(skill=ALIKE, noise=0.001), "contradicted"),
    ("gru-worse", World(skill=LSTM_FIRST | {("france", "lstm"): 0.6, ("france", "gru"): 0.95}), "mixed, 3 of 4"),
    ("gru-worse", World(skill=everywhere("lstm", 0.95) | everywhere("gru", 0.93), noise=0.1), "inconclusive"),
    ("bilstm-attention", World(), "not run"),
    ("bilstm-attention", texts({"dates": 0.5, "numbers": 0.4, "sentiment": 0.5}), "supported"),
    ("bilstm-attention", texts({"dates": 0.5, "numbers": 0.4, "sentiment": 0.99}), "mixed, 4 of 6"),
    ("bilstm-attention", texts({"dates": 0.99, "numbers": 0.99, "sentiment": 0.99}), "contradicted"),
    ("bilstm-attention", texts({"dates": 0.5, "numbers": 0.99, "sentiment": 0.5}), "mixed, 4 of 6"),
    ("bilstm-attention", texts({"dates": 0.9, "numbers": 0.9, "sentiment": 0.9}, noise=0.2), "inconclusive"),
    ("attention-length", texts({}, lost={("numbers", "bilstm"): 0.4}), "supported"),
    ("attention-length", texts({}, lost={}), "contradicted"),
    ("attention-length", texts({}, lost={("numbers", v): 0.4 for v in ("bilstm", "bilstm-attention")}), "contradicted"),
    ("attention-length", texts({}, lost={("numbers", "bilstm"): 0.1}, noise=0.2), "inconclusive"),
    ("future-context", World(), "supported"),
    ("future-context", World(skill={("disambiguation", "gru"): 0.9}), "contradicted"),
    ("future-context", World(skill={("disambiguation", "birnn"): CAUSAL_SKILL}), "contradicted"),
    ("future-context", World(skill={("disambiguation", "birnn"): 0.9}, noise=0.05), "inconclusive"),
    ("any-cell", World(), "supported"),
    ("any-cell", World(skill={("disambiguation", "bigru"): 0.6}), "mixed, 2 of 3"),
    ("any-cell", World(skill={("disambiguation", cell): 0.6 for cell in BOTH_WAYS}), "contradicted"),
    ("any-cell", World(skill={("disambiguation", "bilstm"): 0.9}, noise=0.05), "inconclusive"),
]  # fmt: skip


@pytest.mark.parametrize(("claim", "world", "word"), CASES)
def test_the_verdict_follows_from_what_is_true(claim, world, word):
    assert judge(claim, replace(world, replicates=10)).word == word


def test_a_collapse_on_one_task_of_four_is_never_pooled_away():
    """The mean over the tasks is far above the margin; on one task the LSTM collapses."""
    collapse = {(task, "lstm"): 0.95 for task in MEMORY} | {(task, "gru"): 0.15 for task in MEMORY}
    world = World(skill=collapse | {("france", "lstm"): 0.1, ("france", "gru"): 0.95}, tasks=MEMORY, replicates=10)
    (part,) = judge("gru-worse", world).parts
    assert part.estimate.low > 0.1
    assert judge("gru-worse", world).word == "mixed, 2 of 3"
    few = judge("gru-worse", replace(world, replicates=6))  # the mean would decide, and no task can by Holm's rule
    assert few.label == "inconclusive"
    assert "france goes the other way" in few.reason


def test_a_ranking_is_judged_at_each_size_of_a_study():
    skill = LSTM_LAST | everywhere("lstm-3k", 0.95) | everywhere("gru-3k", 0.85)
    variants = ("lstm", "gru", "lstm-3k", "gru-3k")
    verdict = judge("gru-worse", World(skill=skill, tasks=MEMORY, variants=variants, replicates=10))
    assert verdict.word == "mixed, 3 of 6"
    assert [part.verdict for part in verdict.parts] == ["contradicted", "supported"]


def test_a_task_that_nobody_has_solved_at_its_easiest_decides_nothing():
    skill = {("copying", variant): 0.3 for variant in VARIANTS}
    verdict = judge("gru-worse", World(skill=LSTM_FIRST | skill, replicates=10))
    assert list(verdict.parts[0].samples) == ["adding", "france", "disambiguation"]
    assert verdict.parts[0].unlearnt == ("copying",)
    assert "Copying is left out: no network of this kind learnt its easiest form" in verdict.reason
    skill |= {("france", variant): 0.1 for variant in VARIANTS}
    verdict = judge("gru-worse", World(skill=LSTM_FIRST | skill, replicates=10))
    assert "Copying and france are left out: no network of this kind learnt their easiest form" in verdict.reason


def test_a_claim_that_is_not_run_says_each_part_that_was_not_and_each_that_was_not_learnt():
    skill = {("sentiment", variant): 0.1 for variant in VARIANTS}
    world = World(tasks=("sentiment",), variants=("lstm", "bilstm", "bilstm-attention"), replicates=10, skill=skill)
    verdict = judge("bilstm-attention", world)
    assert verdict.label == "not run"
    absent = [part.label for part in verdict.parts if part.verdict == "not run"]
    unlearnt = [part.label for part in verdict.parts if part.verdict == "inconclusive"]
    assert len(absent) == len(unlearnt) == 2
    assert verdict.reason.startswith(f"Not run: {'; '.join(absent)}. Left out")
    assert all(f"Left out, since its easiest form was not learnt: {label}" in verdict.reason for label in unlearnt)


def test_a_part_that_is_missing_supports_nothing():
    without = World(replicates=10, variants=tuple(v for v in VARIANTS if v != "tcn"))
    verdict = judge("future-context", without)
    assert {part.verdict for part in verdict.parts} == {"supported", "not run"}
    assert (verdict.word, verdict.reason) == ("not run", "Not run: the score from left to right of tcn.")
    unlearnt = World(replicates=10, skill={("adding", "lstm"): 0.2})
    verdict = judge("lstm-remembers", unlearnt)
    assert [part.verdict for part in verdict.parts] == ["supported", "inconclusive", "supported", "supported"]
    assert verdict.word == "inconclusive"
    assert "was not learnt: the skill lost from the shortest to the nominal difficulty of adding" in verdict.reason


def test_an_undecided_claim_says_how_many_runs_would_decide_it():
    verdict = judge("any-cell", World(skill={("disambiguation", "bilstm"): 0.9}, noise=0.05, replicates=10))
    assert verdict.label == "inconclusive"
    assert "would, with a power of 80 %" in verdict.reason


def test_a_claim_that_cannot_come_out_otherwise_says_so():
    verdict = judge("fixed-length", World(replicates=10))
    assert {chances["mixed"] for chances in verdict.chances.values()} == {1.0}
    words = [block.text for block in claim_blocks({"fixed-length": verdict}) if isinstance(block, Paragraph)]
    assert (
        "1 claim is tested here, at the level of 2.5 % on either side: if it lay exactly at its limit, at most 0.05"
        in words[0]
    )
    assert any("comes out mixed in each case" in text for text in words)


def test_another_claim_moves_no_number(monkeypatch):
    world = World(replicates=10)
    alone = judge("gru-worse", world)
    estimates = Estimates(ResultTables(fake_study(world)))
    together = [claim.judge(estimates) for claim in reversed(CLAIMS.values())]
    assert alone.chances in [verdict.chances for verdict in together]


def test_every_rule_of_the_suite_is_dated_and_says_that_it_was_changed():
    for claim in CLAIMS.values():
        assert claim.version >= 1
        assert claim.date == "2026-11-27"
        assert "after numbers" in claim.changed


@pytest.mark.parametrize("claim", CLAIMS)
def test_an_empty_record_is_not_run_and_raises_nothing(claim):
    nothing = replace(fake_study(), settings=(), trials=(), replicates=(), costs=())
    verdict = judge(claim, study=nothing)
    assert verdict.label == "not run"
    assert verdict.runs == ()
    assert verdict.reason


@pytest.mark.parametrize("claim", CLAIMS)
def test_too_few_runs_decide_nothing(claim):
    variants = dict.fromkeys((*VARIANTS, *CLAIMS[claim].variants))
    study = fake_study(World(replicates=5, diverged=(), variants=tuple(variants), tasks=(*ALL_TASKS, *TEXTS)))
    five_rounds = tuple(
        replace(c, history={"seconds_per_sequence": c.history["seconds_per_sequence"][:5]}) for c in study.costs
    )
    parts = judge(claim, study=replace(study, costs=five_rounds)).parts
    assert {part.verdict for part in parts if not part.fixed} == {"inconclusive"}


def test_length_takes_no_toll_where_all_trained_numbers_are_of_one_length():
    study = fake_study(texts({}, lost={("numbers", "bilstm"): 0.4}))
    of_three_digits = tuple(replace(s, nominal=3) if s.task == "numbers" else s for s in study.settings)
    assert judge("attention-length", study=study).label == "supported"
    assert judge("attention-length", study=replace(study, settings=of_three_digits)).label == "not run"


@pytest.mark.parametrize("claim", ["lstm-slow", "gru-cheaper"])
def test_a_claim_on_cost_is_not_run_without_cost_measurements(claim):
    assert judge(claim, World(costs=False)).label == "not run"


def test_the_reason_names_what_is_missing():
    assert "bidirectional RNN" in judge("future-context", World(variants=("rnn", "lstm", "gru", "tcn"))).reason


def test_diverged_replicates_count_against_a_claim():
    """Were they left out, seven that survived of ten would carry it."""
    diverged = tuple(("france", "lstm", seed) for seed in range(3))
    assert judge("lstm-remembers", World(replicates=10, diverged=())).label == "supported"
    verdict = judge("lstm-remembers", World(replicates=10, diverged=diverged))
    assert verdict.label == "inconclusive"
    assert {part.estimate.n for part in verdict.parts if part.samples} == {10}


def test_cost_is_judged_at_the_largest_hidden_size():
    study = fake_study()
    cheap = tuple(
        replace(c, history={"seconds_per_sequence": tuple((k, 1e-9) for k in range(7))})
        if c.factors["cell"] == "lstm" and c.factors["row"] < 128
        else c
        for c in study.costs
    )
    assert judge("lstm-slow", study=replace(study, costs=cheap)).label == "supported"


def test_the_runs_behind_a_verdict_are_in_the_record():
    study = fake_study()
    known = {run.run_id for run in (*study.replicates, *study.costs)}
    for name in CLAIMS:
        assert set(judge(name, study=study).runs) <= known
    assert len(judge("any-cell", study=study).runs) == 3 * 5


def test_the_same_record_gives_the_same_verdict():
    first, second = judge("gru-worse"), judge("gru-worse")
    assert (first.word, first.chances, str(first.parts[0].estimate)) == (
        second.word,
        second.chances,
        str(second.parts[0].estimate),
    )


def test_no_number_of_seeds_reconciles_tasks_that_disagree():
    """Nine of ten runs of one task are above the limit, all runs of the two others below: the mean decides nothing."""
    above, below = sample([0.1] * 9 + [-0.1]), sample([-0.2 - 0.01 * run for run in range(10)])
    part = Comparison("the difference", 0.02, "above", {"copying": above, "adding": below, "france": below})
    assert (part.dissenting, part.verdict) == (["copying"], "inconclusive")
    assert part.seeds_needed == float("inf")
