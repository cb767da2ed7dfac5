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
from tasks.disambiguation import BETWEEN, READINGS, SENSES, WORDS, Disambiguation

N = 20_000
View = Callable[[list[str], int], tuple[str, ...]]
VIEWS: dict[str, View] = {
    "constant": lambda words, place: (),
    "chance": lambda words, place: (words[place],),
    "causal": lambda words, place: tuple(words[: place + 1]),
    "perfect": lambda words, place: (words[place], *(cue for cue in words[place + 1 :] if cue in CUES)),
}
"""What each reader sees of a sentence that asks at one place."""
CUES = {cue for _, _, cue in READINGS}
each_view = pytest.mark.parametrize("name", VIEWS)
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
@each_left_cue
def test_the_best_reader_of_a_view_scores_what_the_references_say(name: str, left_cue: float) -> None:
    """The best reader says what was most frequent in other sequences that look alike to it."""
    task, view = Disambiguation(left_cue=left_cue), VIEWS[name]
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
    difficulty_sampling = log(2) * sqrt(
        left_cue * (1 - left_cue) / N
    )  # of the share of sentences whose left says nothing
    loss = float(task.loss(outputs, batch))
    assert loss == pytest.approx(
        task.loss_references()[name], abs=4 * difficulty_sampling + 2e-3
    )  # + counting's own error


def test_the_answer_is_asked_at_the_ambiguous_word_and_its_cue_comes_as_late_as_said() -> None:
    cues = {(word, SENSES.index(sense)): cue for word, sense, cue in READINGS}
    for lookahead in Disambiguation(lookahead=4).grid():
        for words, place, sense in questions(Disambiguation(lookahead=lookahead).sample(np.random.default_rng(0), 50)):
            assert words[place + lookahead] == cues[words[place], sense]
            assert set(words[place + 1 : place + lookahead]) <= set(BETWEEN.split())


def test_the_mixture_has_every_lookahead() -> None:
    batch = Disambiguation(lookahead=8).mixture().sample(np.random.default_rng(0), 2000)
    found = {next(k for k, word in enumerate(words[place:]) if word in CUES) for words, place, _ in questions(batch)}
    assert found == set(range(1, 9))


def test_every_word_has_two_senses_with_cues_of_their_own() -> None:
    assert all(count == 2 for count in Counter(word for word, _, _ in READINGS).values())
    assert len({(word, sense) for word, sense, _ in READINGS}) == len(CUES) == len(READINGS)


def test_the_worked_example_holds_its_own_answer() -> None:
    senses = {(word, cue): sense for word, sense, cue in READINGS}
    task = Disambiguation(lookahead=3).mixture()
    batch = task.sample(np.random.default_rng(0), 5)
    for index in range(5):
        sentence, answer = task.read(batch, index).splitlines()
        start = len(answer) - len(answer.lstrip())
        word, *later = sentence[start:].split()
        assert answer.strip() == senses[word, next(cue for cue in later if cue in CUES)]
