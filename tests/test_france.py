"""France: the grammar, and readers of the words that score what the references say."""

from collections import Counter
from math import log, sqrt

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn.functional import one_hot

from tasks import Batch
from tasks.france import COUNTRIES, FILLER, LANGUAGES, OTHERS, WORDS, France

N = 20_000
each_number = pytest.mark.parametrize("distractors", [0, 1, 2, 3])


def sentences(batch: Batch) -> list[list[str]]:
    """The words of each sequence, without its padding."""
    return [WORDS.text(row[real].tolist()).split() for row, real in zip(batch.inputs, batch.mask, strict=True)]


def clauses(words: list[str]) -> list[tuple[str, str]]:
    """Who grew up where, in the order told."""
    return [(words[k - 1], words[k + 3]) for k in range(1, len(words)) if words[k : k + 3] == ["grew", "up", "in"]]


def accuracy(task: France, countries: list[str], batch: Batch) -> float:
    """The score of answering these countries."""
    answers = torch.tensor([COUNTRIES.index(country) for country in countries])
    return float(task.score(one_hot(answers, len(COUNTRIES)).float(), batch))


@given(st.integers(1, 12), st.integers(0, 3), st.integers(0, 99))
@settings(max_examples=30, deadline=None)
def test_a_sentence_is_clauses_among_filler_words_and_the_question(gap: int, distractors: int, seed: int) -> None:
    task = France(gap=gap, distractors=distractors)
    batch = task.sample(np.random.default_rng(seed), 10)
    for words, target in zip(sentences(batch), batch.targets.tolist(), strict=True):
        told = clauses(words)
        own = [country for who, country in told if who == "I"]
        others = [country for who, country in told if who in OTHERS]
        assert own == [COUNTRIES[target]]
        assert len(others) == distractors
        assert own[0] not in others
        assert words[-3:] == ["I", "speak", "fluent"]
        assert len(words) == 5 * len(told) + gap + 3
        apart = Counter(words) - Counter(word for who, where in told for word in (who, "grew", "up", "in", where))
        filler = apart - Counter(["I", "speak", "fluent"])
        assert filler.total() == gap
        assert set(filler) <= set(FILLER.split())


@each_number
def test_the_reader_who_listens_for_the_first_person_makes_no_error(distractors: int) -> None:
    task = France(gap=6, distractors=distractors)
    for difficulty in task.grid():
        batch = task.at(difficulty).sample(np.random.default_rng(difficulty), 100)
        own = [dict(clauses(words))["I"] for words in sentences(batch)]
        assert accuracy(task, own, batch) == 1


@each_number
def test_the_country_named_last_is_right_as_often_as_the_references_say(distractors: int) -> None:
    task = France(gap=6, distractors=distractors)
    batch = task.sample(np.random.default_rng(0), N)
    named = [clauses(words)[-1][1] for words in sentences(batch)]
    expected = task.references()["last country"]
    assert accuracy(task, named, batch) == pytest.approx(expected, abs=4 * sqrt(expected * (1 - expected) / N))


@pytest.mark.parametrize("countries", [2, 7, len(COUNTRIES)])
def test_every_language_is_as_frequent_as_the_others(countries: int) -> None:
    """So a constant answer, whichever it is, scores chance, and equal probabilities lose its logarithm."""
    task = France(countries=countries)
    batch = task.sample(np.random.default_rng(0), N)
    chance = task.references()["chance"]
    assert chance == 1 / countries
    for country in COUNTRIES[:countries]:
        assert accuracy(task, [country] * N, batch) == pytest.approx(chance, abs=4 * sqrt(chance * (1 - chance) / N))
    assert float(task.loss(torch.zeros(N, countries), batch)) == pytest.approx(log(countries), rel=1e-5)
    assert task.loss_references()["chance"] == pytest.approx(log(countries))


def test_the_mixture_has_every_gap_and_a_fixed_one_only_its_own() -> None:
    def gaps(task: France) -> set[int]:
        return set((task.sample(np.random.default_rng(0), 2000).mask.sum(1) - 13).tolist())

    task = France(gap=12)
    assert gaps(task.mixture()) == set(range(1, 13))
    assert all(gaps(task.at(gap)) == {gap} for gap in task.grid())


def test_distractors_stand_anywhere_among_the_filler_words() -> None:
    batch = France(gap=4).sample(np.random.default_rng(0), 2000)
    starts = [next(k for k, word in enumerate(words) if word in OTHERS) for words in sentences(batch)]
    assert set(starts) == {0, *range(5, 10)}


def test_the_worked_example_holds_its_own_answer() -> None:
    task = France(gap=5, distractors=2).mixture()
    batch = task.sample(np.random.default_rng(0), 5)
    for index in range(5):
        sentence, language = task.read(batch, index).split(" → ")
        assert LANGUAGES[dict(clauses(sentence.split()))["I"]] == language
