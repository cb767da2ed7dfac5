"""Every claim driven to every verdict that it can have, by records in which the answer is known."""

from dataclasses import replace

import numpy as np
import pytest
from builders.fake_record import CAUSAL_SKILL, VARIANTS, World, fake_study

from reports.claims import CLAIMS
from reports.result_tables import ResultTables

MEMORY = ("copying", "adding", "france")
ALL_TASKS = (*MEMORY, "disambiguation")


def judge(claim, world=None, study=None):
    return CLAIMS[claim].judge(ResultTables(study or fake_study(world)), np.random.default_rng(0))


def everywhere(variant, skill):
    return {(task, variant): skill for task in ALL_TASKS}


LSTM_FIRST = everywhere("lstm", 0.9) | everywhere("gru", 0.8)
LSTM_LAST = everywhere("lstm", 0.8) | everywhere("gru", 0.9)
CASES = [
    ("fixed-length", World(refusing=("feedforward", "cnn"), skill=everywhere("lstm", 0.99)), "supported"),
    ("fixed-length", World(skill=everywhere("lstm", 0.99)), "contradicted"),  # a CNN takes any length
    ("fixed-length", World(refusing=("feedforward", "cnn"), skill=everywhere("cnn", 0.99)), "contradicted"),
    ("fixed-length", World(refusing=("feedforward", "cnn"), skill=everywhere("cnn", 0.9) | everywhere("lstm", 0.92),
                           noise=0.05), "inconclusive"),
    ("vanishing", World(), "supported"),
    ("vanishing", World(skill={("france", "rnn"): 0.95}, lost={("france", "rnn"): 0.0}), "contradicted"),
    ("vanishing", World(arriving={("rnn", "initial"): -0.2}), "contradicted"),
    ("vanishing", World(arriving={("rnn", "trained"): 0.0, ("lstm", "trained"): -3.0}), "contradicted"),
    ("vanishing", World(skill={("france", "rnn"): 0.5}, noise=0.1), "inconclusive"),
    ("lstm-remembers", World(), "supported"),
    ("lstm-remembers", World(skill={("france", "lstm"): 0.5}), "contradicted"),
    ("lstm-remembers", World(lost={("copying", "lstm"): 0.4}), "contradicted"),
    ("lstm-remembers", World(skill={("france", "lstm"): 0.9}, noise=0.05), "inconclusive"),
    ("lstm-slow", World(microseconds={"lstm": 6.0, "rnn": 2.0}), "supported"),
    ("lstm-slow", World(microseconds={"lstm": 2.2, "rnn": 2.0}), "contradicted"),
    ("lstm-slow", World(microseconds={"lstm": 2.9, "rnn": 2.0}, jitter=0.3), "inconclusive"),
    ("gru-cheaper", World(), "supported"),
    ("gru-cheaper", World(microseconds={"gru": 9.0}), "contradicted"),
    ("gru-cheaper", World(flops={"gru": 5e4}), "contradicted"),
    ("gru-cheaper", World(microseconds={"gru": 6.0}, jitter=0.3), "inconclusive"),
    ("gru-worse", World(skill=LSTM_FIRST), "supported"),
    ("gru-worse", World(skill=LSTM_LAST), "contradicted"),
    ("gru-worse", World(skill=everywhere("lstm", 0.9) | everywhere("gru", 0.9), noise=0.001), "contradicted"),
    ("gru-worse", World(skill=everywhere("lstm", 0.92) | everywhere("gru", 0.9), noise=0.1), "inconclusive"),
    ("future-context", World(), "supported"),
    ("future-context", World(skill={("disambiguation", "gru"): 0.9}), "contradicted"),
    ("future-context", World(skill={("disambiguation", "birnn"): CAUSAL_SKILL}), "contradicted"),
    ("future-context", World(skill={("disambiguation", "birnn"): 0.9}, noise=0.05), "inconclusive"),
    ("any-cell", World(), "supported"),
    ("any-cell", World(skill={("disambiguation", "bigru"): 0.6}), "contradicted"),
    ("any-cell", World(skill={("disambiguation", "bilstm"): 0.9}, noise=0.05), "inconclusive"),
]  # fmt: skip


@pytest.mark.parametrize(("claim", "world", "label"), CASES)
def test_the_verdict_follows_from_what_is_true(claim, world, label):
    assert judge(claim, world).label == label


@pytest.mark.parametrize("claim", CLAIMS)
def test_an_empty_record_is_not_run_and_raises_nothing(claim):
    nothing = replace(fake_study(), settings=(), trials=(), replicates=(), costs=())
    verdict = judge(claim, study=nothing)
    assert verdict.label == "not run"
    assert verdict.runs == ()
    assert verdict.reason


@pytest.mark.parametrize("claim", [name for name in CLAIMS if name != "bilstm-attention"])
def test_too_few_runs_decide_nothing(claim):
    variants = dict.fromkeys((*VARIANTS, *CLAIMS[claim].variants))
    study = fake_study(World(replicates=1, diverged=(), variants=tuple(variants)))
    one_round = tuple(
        replace(c, history={"seconds_per_sequence": c.history["seconds_per_sequence"][:1]}) for c in study.costs
    )
    parts = judge(claim, study=replace(study, costs=one_round)).parts
    assert {part.verdict for part in parts} == {"inconclusive"}


@pytest.mark.parametrize("claim", ["lstm-slow", "gru-cheaper"])
def test_a_claim_on_cost_is_not_run_without_cost_measurements(claim):
    assert judge(claim, World(costs=False)).label == "not run"


def test_the_reason_names_what_is_missing():
    assert "bidirectional RNN" in judge("future-context", World(variants=("rnn", "lstm", "gru", "tcn"))).reason


def test_diverged_replicates_count_against_a_claim():
    """Were they left out, five that survived of eight would carry it."""
    diverged = tuple(("france", "lstm", seed) for seed in range(3))
    assert judge("lstm-remembers", World(replicates=8, diverged=())).label == "supported"
    verdict = judge("lstm-remembers", World(replicates=8, diverged=diverged))
    assert verdict.label == "contradicted"
    assert {part.estimate.n for part in verdict.parts} == {8}


def test_cost_is_judged_at_the_largest_hidden_size():
    study = fake_study()
    cheap = tuple(
        replace(c, history={"seconds_per_sequence": tuple((k, 1e-9) for k in range(5))})
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


def test_the_same_record_and_seed_give_the_same_verdict():
    assert judge("gru-worse") == judge("gru-worse")
