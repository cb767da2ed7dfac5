"""Disambiguation: what can be told from the word, from its left, and from its right, learnt from counts alone."""

from collections import Counter, defaultdict
from collections.abc import Callable
from functools import cache
from math import log, sqrt

import numpy as np
import pytest
import torch
from torch.nn.functional import one_hot

from tasks import IGNORED, Batch
from tasks.disambiguation import BETWEEN, CUES, READINGS, SENSES, SENSES_OF, SPEAKERS, WORDS, Disambiguation, Split

N = 20_000
View = Callable[[list[str], int], tuple[str, ...]]
VIEWS: dict[str, View] = {
    "constant": lambda words, place: (),
    "chance": lambda words, place: (words[place],),
    "causal": lambda words, place: tuple(words[: place + 1]),
    "perfect": lambda words, place: (words[place], *(cue for cue in words[place + 1 :] if cue in SENSE_OF_CUE)),
}
"""What each reader sees of a sentence that asks at one place."""
SENSE_OF_CUE = {cue: sense for sense, cues in CUES.items() for cue in cues}
SPLITS: tuple[Split, Split] = ("training", "test")
each_view = pytest.mark.parametrize("name", VIEWS)
each_split = pytest.mark.parametrize("split", SPLITS)
each_left_cue = pytest.mark.parametrize("left_cue", [0.0, 0.25, 0.6, 1.0])


def questions(batch: Batch) -> list[tuple[list[str], int, int]]:
    """Each sentence's words without padding, the place that is asked about, and the sense there."""
    rows, columns = (batch.targets != IGNORED).nonzero(as_tuple=True)
    assert rows.tolist() == list(range(len(batch.targets)))
    words = [WORDS.text(row[real].tolist()).split() for row, real in zip(batch.inputs, batch.mask, strict=True)]
    return list(zip(words, columns.tolist(), batch.targets[rows, columns].tolist(), strict=True))


@cache
def drawn(task: Disambiguation, seed: int) -> tuple[Batch, list[tuple[list[str], int, int]]]:
    """A large batch and its questions."""
    batch = task.sample(np.random.default_rng(seed), N)
    return batch, questions(batch)


def counted(task: Disambiguation, view: View) -> dict[tuple[str, ...], Counter[int]]:
    """How often each sense came with each thing seen."""
    counts: dict[tuple[str, ...], Counter[int]] = defaultdict(Counter)
    for words, place, sense in drawn(task, 0)[1]:
        counts[view(words, place)][sense] += 1
    return counts


@each_view
@each_split
@each_left_cue
def test_the_best_reader_of_a_view_scores_what_the_references_say(name: str, split: Split, left_cue: float) -> None:
    """The best reader says what was most frequent in other sequences that look alike to it."""
    task, view = Disambiguation(left_cue=left_cue, split=split, lookahead=2), VIEWS[name]
    best = {seen: senses.most_common(1)[0][0] for seen, senses in counted(task, view).items()}
    batch, asked = drawn(task, 1)
    answers = torch.zeros_like(batch.targets)
    places = [place for _, place, _ in asked]
    answers[range(N), places] = torch.tensor([best[view(words, place)] for words, place, _ in asked])
    score = float(task.score(one_hot(answers, len(SENSES)).float(), batch))
    expected = task.references()[name]
    assert score == pytest.approx(expected, abs=4 * sqrt(expected * (1 - expected) / N) + 1e-6)


@pytest.mark.parametrize("name", ["chance", "causal"])
@each_left_cue
def test_the_ideal_log_probabilities_lose_what_the_references_say(name: str, left_cue: float) -> None:
    task, view = Disambiguation(left_cue=left_cue), VIEWS[name]
    ideal = {
        seen: [log(senses[k] / senses.total() + 1e-9) for k in range(len(SENSES))]
        for seen, senses in counted(task, view).items()
    }
    batch, asked = drawn(task, 1)
    outputs = torch.zeros(*batch.targets.shape, len(SENSES))
    places = [place for _, place, _ in asked]
    outputs[range(N), places] = torch.tensor([ideal[view(words, place)] for words, place, _ in asked])
    share = sqrt(left_cue * (1 - left_cue) / N)  # standard error of the share of sentences whose left says nothing
    counting = 6e-3  # what is lost by estimating the 125 contexts' odds from N sentences, and some
    assert float(task.loss(outputs, batch)) == pytest.approx(
        task.loss_references()[name], abs=4 * log(2) * share + counting
    )


@each_split
def test_the_answer_is_asked_at_the_ambiguous_word_and_its_cue_comes_as_late_as_said(split: Split) -> None:
    for lookahead in Disambiguation(lookahead=4).grid():
        task = Disambiguation(lookahead=lookahead, split=split)
        batch = task.sample(np.random.default_rng(0), 50)
        asked = questions(batch)
        for words, place, sense in asked:
            assert SENSES[sense] in SENSES_OF[words[place]]
            assert SENSE_OF_CUE[words[place + lookahead]] == SENSES[sense]
            assert set(words[place + 1 : place + lookahead]) <= set(BETWEEN[split].split())
        assert task.cue(batch).tolist() == [place + lookahead for _, place, _ in asked]


def test_the_mixture_has_every_lookahead() -> None:
    batch = Disambiguation(lookahead=8).mixture().sample(np.random.default_rng(0), 2000)
    lookaheads = (
        cue - place for cue, (_, place, _) in zip(Disambiguation().cue(batch).tolist(), questions(batch), strict=True)
    )
    assert set(lookaheads) == set(range(1, 9))


def test_the_mixture_is_what_is_trained_on_and_a_single_difficulty_is_tested() -> None:
    task = Disambiguation()
    assert (task.mixture().split, task.mixture().at(2).split, task.split) == ("training", "test", "test")


def test_no_test_sentence_and_no_pair_of_word_and_cue_in_it_occurs_in_training() -> None:
    """Not even with lookahead 1, where there are fewest; so a table of the training sentences knows none of the test's."""
    seen: dict[Split, set[tuple[str, ...]]] = {}
    for split in SPLITS:
        asked = questions(Disambiguation(lookahead=1, split=split).sample(np.random.default_rng(0), N))
        seen[split] = {tuple(words[place : place + 2]) for words, place, _ in asked}
        assert len(seen[split]) == len(READINGS[split])
    assert not seen["training"] & seen["test"]
    assert (len(seen["training"]), len(seen["test"])) == (60, 20)
    for words in (SPEAKERS, BETWEEN):
        assert not set(words["training"].split()) & set(words["test"].split())


@each_split
def test_all_readings_of_a_word_are_balanced_in_both_splits(split: Split) -> None:
    """So that neither the word nor knowledge of which pairs are kept for the test tells the sense."""
    counts = Counter((word, sense) for word, sense, _ in READINGS[split])
    assert counts.keys() == {(word, sense) for word, senses in SENSES_OF.items() for sense in senses}
    assert len(set(counts.values())) == 1


def test_what_every_cue_means_can_be_learnt_from_other_words() -> None:
    learnt = {cue for _, _, cue in READINGS["training"]}
    assert learnt == SENSE_OF_CUE.keys()
    assert len(SENSE_OF_CUE) == sum(map(len, CUES.values()))


def test_the_worked_example_holds_its_own_answer() -> None:
    task = Disambiguation(lookahead=3).mixture()
    batch = task.sample(np.random.default_rng(0), 5)
    for index in range(5):
        sentence, answer = task.read(batch, index).splitlines()
        start = len(answer) - len(answer.lstrip())
        _, *later = sentence[start:].split()
        assert answer.strip() == next(SENSE_OF_CUE[cue] for cue in later if cue in SENSE_OF_CUE)


@pytest.mark.parametrize("lookahead", [1, 3, 5])
def test_a_minimal_pair_is_alike_up_to_the_cue_and_of_the_tests(lookahead: int) -> None:
    task = Disambiguation(lookahead=lookahead)
    batch, asked, classes, known = task.minimal_pair()
    cue = asked + lookahead
    assert task.cue(batch).tolist() == [cue, cue]
    assert (batch.inputs[0, :cue] == batch.inputs[1, :cue]).all()
    assert batch.inputs[0, cue] != batch.inputs[1, cue]
    first, second = batch.targets[:, asked].tolist()
    assert {classes[first], classes[second]} == set(SENSES_OF[task.read_steps(batch, 0)[asked].text])
    words = [{step.text for step in task.read_steps(batch, index)} for index in range(2)]
    assert not any(set(BETWEEN["training"].split()) & each for each in words)
    # Up to the cue a left-to-right reader guesses one of two, from it on it knows.
    assert known[:, asked:cue, [first, second]].eq(0.5).all()
    assert known[[0, 1], cue:, [first, second]].eq(1).all()
    assert known[:, asked:].sum(-1).eq(1).all()
