"""Theorem beside measurement: which statements are about a study, and the seeds that are counted for them."""

import re
from dataclasses import replace

import pandas as pd
import pytest
from builders.fake_record import World, fake_study
from scipy import stats

from ablations.record.schema import RunRecord, SettingRecord, StudyRecord
from reports.compose import compose
from reports.document import Paragraph, Table
from reports.theorems import CARDS, measured, theorem_blocks
from reports.theorems.section import as_counts

FAR = (100, 1000, 10_000)
N = 10

Scores = dict[tuple[str, str], dict[int, list[float]]]
"""(task, variant) -> difficulty -> the score of each seed; a list that is empty stands for a refusal."""


def tracked(scores: Scores, far: tuple[int, ...] = FAR, diverged: tuple[int, ...] = ()) -> StudyRecord:
    """A record with these test scores and no others; seeds `diverged` of all settings were not tested."""
    base = fake_study(World(tasks=("adding",), variants=("lstm",), replicates=1, costs=False, diverged=()))
    settings = tuple(_setting(base.settings[0], task, variant) for task, variant in scores)
    runs = tuple(
        _run(base.replicates[0], f"{task}/{variant}", seed, {d: s[seed] if s else None for d, s in by.items()}, far)
        for (task, variant), by in scores.items()
        for seed in range(max(len(s) for s in by.values()))
    )
    runs = tuple(
        replace(r, status="diverged", history={"validation_score": ()}) if r.number in diverged else r for r in runs
    )
    budget = {**base.plan["budget"], "replicates": N, **({"far": list(far), "far_sequences": 32} if far else {})}
    return replace(base, settings=settings, replicates=runs, plan={**base.plan, "budget": budget})


def _setting(like: SettingRecord, task: str, variant: str) -> SettingRecord:
    return replace(like, identity=f"{task}/{variant}", task=task, variant=variant, model=variant, nominal=40, base=None)


def _run(like: RunRecord, setting: str, seed: int, scores: dict[int, float | None], far: tuple[int, ...]) -> RunRecord:
    curves: dict[str, tuple[tuple[int, float], ...]] = {}
    for difficulty, score in scores.items():
        name = "refused" if score is None else "far_test_score" if difficulty in far else "test_score"
        name = f"{name}_by_difficulty"
        curves[name] = (*curves.get(name, ()), (difficulty, 1.0 if score is None else score))
    return replace(like, identity=f"{setting}/{seed}", number=seed, setting=setting, status="finished", history=curves)


def seeds(solved: int, score: float = 0.5) -> list[float]:
    return [1.0] * solved + [score] * (N - solved)


PARITY: Scores = {
    ("parity", "mingru"): {20: seeds(0), 40: seeds(0), 80: seeds(0), 100: seeds(0), 1000: seeds(0), 10_000: seeds(0)},
    ("parity", "mingru-signed"): {
        20: seeds(10), 40: seeds(10), 80: seeds(10), 100: seeds(9), 1000: seeds(7), 10_000: seeds(4, 0.96875),
    },
    ("parity", "feedforward"): {20: seeds(10), 40: seeds(10), 80: [], 100: [], 1000: [], 10_000: []},
    ("anbn", "lstm"): {40: seeds(10), 80: seeds(8), 100: seeds(7), 1000: seeds(3), 10_000: seeds(0)},
}  # fmt: skip


def row(frame: pd.DataFrame, card: str, variant: str, difficulty: int) -> pd.Series:
    (found,) = (
        r for _, r in frame.iterrows() if (r["card"], r["variant"], r["difficulty"]) == (card, variant, difficulty)
    )
    return found


def test_solved_seeds_are_counted_with_their_exact_interval() -> None:
    found = row(measured(tracked(PARITY)), "positive-gates", "mingru-signed", 10_000)
    interval = stats.binomtest(4, N).proportion_ci(0.95, method="exact")
    assert (found["solved"], found["n"], found["theorem"]) == (4, N, "can")
    assert (found["share"], found["low"], found["high"]) == pytest.approx((0.4, interval.low, interval.high))


def test_a_seed_with_one_of_32_far_sequences_wrong_has_not_solved_them() -> None:
    scores: Scores = {("parity", "mingru"): {100: [31 / 32, 1.0]}}
    assert row(measured(tracked(scores)), "positive-gates", "mingru", 100)["solved"] == 1


def test_what_is_shown_is_the_length_of_training_twice_that_and_the_far_lengths() -> None:
    frame = measured(tracked(PARITY))
    assert list(frame[frame["variant"] == "mingru"]["difficulty"].unique()) == [40, 80, *FAR]
    near = {key: {d: s for d, s in by.items() if d <= 80} for key, by in PARITY.items()}
    assert list(measured(tracked(near, far=()))["difficulty"].unique()) == [40, 80]


def test_a_seed_that_diverged_counts_and_has_solved_nothing() -> None:
    scores: Scores = {("parity", "mingru"): {40: seeds(10)}}
    found = row(measured(tracked(scores, diverged=(0, 3))), "positive-gates", "mingru", 40)
    assert (found["solved"], found["n"]) == (8, 10)


def test_a_refusal_is_shown_as_one() -> None:
    frame = measured(tracked(PARITY))
    assert row(frame, "limited-window", "feedforward", 1000)["refused"]
    table = as_counts(frame[(frame["card"] == "limited-window") & (frame["task"] == "parity")])
    (cells,) = (r for r in table.to_dict("records") if r["network"] == "feedforward")
    assert cells["1,000"] == "refused"
    assert cells["40 (trained)"] == "10 of 10 [0.69, 1.00]"


def test_a_card_appears_where_the_study_has_a_network_that_it_bounds_on_its_tasks() -> None:
    assert set(measured(tracked(PARITY))["card"]) == {
        "positive-gates",
        "limited-window",
    }  # no GRU beside the LSTM on anbn
    assert set(measured(fake_study())["card"]) == {"causal-ceiling"}
    assert list(theorem_blocks(fake_study(), measured(fake_study()).iloc[:0])) == []


def test_a_network_of_another_size_is_the_same_network() -> None:
    study = tracked({("parity", "mingru-10k"): {40: seeds(3)}})
    study = replace(study, settings=tuple(replace(s, base="mingru") for s in study.settings))
    assert list(measured(study)["variant"].unique()) == ["mingru-10k"]


def test_counting_modulo_two_is_within_a_diagonal_recurrence() -> None:
    study = tracked({("modulo", "mingru-signed"): {40: seeds(10)}})
    for modulus, cards in ((2, set()), (3, {"diagonal-recurrence"})):
        settings = tuple(replace(s, task_parameters={"modulus": modulus}) for s in study.settings)
        assert set(measured(replace(study, settings=settings))["card"]) == cards


def test_the_card_says_what_was_measured_at_the_greatest_length() -> None:
    study = tracked(PARITY)
    blocks = list(theorem_blocks(study, measured(study)))
    texts = [block.text for block in blocks if isinstance(block, Paragraph)]
    assert any(
        "On parity at length 10,000, must fail somewhere: mingru 0 of 10 [0.00, 0.31]; "
        "need not fail: mingru-signed 4 of 10 [0.12, 0.74]." in text
        for text in texts
    )
    assert all(CARDS["positive-gates"].source in " ".join(texts) for _ in texts)
    assert all(
        re.match(r"Seeds that solve \S+, by (length|pairs): k of n", b.caption) for b in blocks if isinstance(b, Table)
    )
    assert {block.name for block in blocks if isinstance(block, Table)} == {
        "theorem_positive-gates_parity",
        "theorem_limited-window_parity",
    }


def test_a_task_that_nobody_has_learnt_says_nothing() -> None:
    scores: Scores = {("a5", "mingru"): {40: seeds(0)}, ("a5", "rnn"): {40: seeds(0)}}
    study = tracked(scores, far=())
    text = " ".join(b.text for b in theorem_blocks(study, measured(study)) if isinstance(b, Paragraph))
    assert "Of those that need not fail, none has learnt it as it was trained: this says nothing." in text


def test_far_refusals_are_no_part_of_the_curve_over_difficulty() -> None:
    from reports.result_tables import ResultTables

    rows = ResultTables(tracked(PARITY)).difficulty
    assert set(rows[rows["variant"] == "feedforward"]["difficulty"]) == {20, 40, 80}


def test_a_report_has_the_cards_and_their_table() -> None:
    document, data = compose(fake_study(World(costs=False)))
    assert any(
        isinstance(block, Table) and block.name == "theorem_causal-ceiling_disambiguation" for block in document.blocks
    )
    assert set(data["theorems"]["theorem"]) == {"cannot", "can"}


def test_no_card_says_of_a_network_what_another_denies() -> None:
    tasks, networks = (
        ("parity", "modulo", "s3", "a5", "anbn", "dyck"),
        ("rnn", "lstm", "gru", "mingru", "mingru-signed", "tcn"),
    )
    for setting in tracked({(task, network): {40: seeds(1)} for task in tasks for network in networks}).settings:
        assert len({card.side(setting) for card in CARDS.values()} - {None}) <= 1, setting.identity
