"""France: the grammar, and readers of the words that score what the references say."""

from collections import Counter
from math import log, sqrt

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.nn.functional import cross_entropy, one_hot

from ablations.models.convolution import CNN
from tasks import Batch
from tasks.france import ASIDE, COUNTRIES, FILLER, LANGUAGES, NAMES, OPENING, WORDS, France

N = 5000
each_number = pytest.mark.parametrize("distractors", [0, 1, 2, 3])


def sentences(batch: Batch) -> list[list[str]]:
    """The words of each sequence, without its padding."""
    return [WORDS.text(row[real].tolist()).split() for row, real in zip(batch.inputs, batch.mask, strict=True)]


def clauses(words: list[str]) -> list[tuple[str, str]]:
    """Who grew up where, in the order told; the name is the last one before "grew up in"."""
    told = [k for k in range(len(words)) if words[k : k + 3] == ["grew", "up", "in"]]
    return [(next(word for word in reversed(words[:k]) if word in NAMES), words[k + 3]) for k in told]


def accuracy(task: France, countries: list[str], batch: Batch) -> float:
    """The score of answering these countries."""
    answers = torch.tensor([COUNTRIES.index(country) for country in countries])
    return float(task.score(one_hot(answers, len(COUNTRIES)).float(), batch))


def error(score: float, n: int = N) -> float:
    """Four standard errors of a score over n sequences."""
    return 4 * sqrt(score * (1 - score) / n)


@given(st.integers(1, 12), st.integers(0, 3), st.integers(0, 99))
@settings(max_examples=30, deadline=None)
def test_a_sentence_is_an_opening_clauses_filler_words_and_the_question(gap: int, distractors: int, seed: int) -> None:
    task = France(gap=gap, distractors=distractors)
    batch = task.sample(np.random.default_rng(seed), 10)
    for words, target in zip(sentences(batch), batch.targets.tolist(), strict=True):
        told = clauses(words)
        name = words[1]
        assert (words[0], words[2]) == ("About", ":")
        assert words[-3:] == [name, "speaks", "fluent"]
        assert dict(told)[name] == COUNTRIES[target]
        assert len({who for who, _ in told}) == len({where for _, where in told}) == len(told) == 1 + distractors
        assert words[-3 - gap - 1] == told[-1][1]
        first = next(k for k in range(3, len(words)) if words[k] in NAMES)
        assert first == 3 + min(gap, OPENING)
        said = [f"{who} grew up in {where}" for who, where in told]
        filler = Counter(words) - Counter(f"About {name} : {' '.join(said)} {name} speaks fluent".split())
        asides = filler.total() - gap - min(gap, OPENING)
        assert 0 <= asides <= ASIDE * len(told)
        assert set(filler) <= set(FILLER.split())


@each_number
def test_the_reader_who_listens_for_the_name_makes_no_error(distractors: int) -> None:
    task = France(gap=6, distractors=distractors)
    for difficulty in task.grid():
        batch = task.at(difficulty).sample(np.random.default_rng(difficulty), 100)
        own = [dict(clauses(words))[words[-3]] for words in sentences(batch)]
        assert accuracy(task, own, batch) == 1


@each_number
def test_a_country_named_at_any_place_is_right_as_often_as_the_references_say(distractors: int) -> None:
    """The last one, and with it any other rule that knows the countries and their order, but not the names."""
    task = France(gap=6, distractors=distractors)
    batch = task.sample(np.random.default_rng(0), N)
    named = [[country for _, country in clauses(words)] for words in sentences(batch)]
    references = task.references()
    assert references["last country"] == references["named countries"] == 1 / (1 + distractors)
    for place in range(1 + distractors):
        score = accuracy(task, [countries[place] for countries in named], batch)
        assert score == pytest.approx(references["last country"], abs=error(references["last country"]) + 1e-6)


@each_number
def test_even_odds_on_the_named_countries_lose_what_the_references_say(distractors: int) -> None:
    task = France(gap=3, distractors=distractors)
    batch = task.sample(np.random.default_rng(0), 200)
    outputs = torch.full((200, len(COUNTRIES)), -99.0)
    for row, words in zip(outputs, sentences(batch), strict=True):
        row[[COUNTRIES.index(country) for _, country in clauses(words)]] = 0
    assert float(task.loss(outputs, batch)) == pytest.approx(task.loss_references()["named countries"], abs=1e-6)


def test_where_and_in_what_words_the_clauses_stand_is_the_same_whoever_is_asked_for() -> None:
    """The order in which the two clauses come, and the words of the asides, say nothing of who is meant."""
    batch = France(gap=4).sample(np.random.default_rng(0), N)
    first = [clauses(words)[0][0] == words[1] for words in sentences(batch)]
    assert np.mean(first) == pytest.approx(0.5, abs=error(0.5))
    lengths = (batch.mask.sum(1) - batch.mask.sum(1).min()).numpy()
    for length in range(2 * ASIDE + 1):
        chosen = np.array(first)[lengths == length]
        assert np.mean(chosen) == pytest.approx(0.5, abs=error(0.5, len(chosen)))


@pytest.mark.parametrize("countries", [2, 7, len(COUNTRIES)])
def test_every_language_is_as_frequent_as_the_others(countries: int) -> None:
    """So a constant answer, whichever it is, scores chance, and equal probabilities lose its logarithm."""
    task = France(countries=countries)
    batch = task.sample(np.random.default_rng(0), N)
    chance = task.references()["chance"]
    assert chance == 1 / countries
    for country in COUNTRIES[:countries]:
        assert accuracy(task, [country] * N, batch) == pytest.approx(chance, abs=error(chance))
    assert float(task.loss(torch.zeros(N, countries), batch)) == pytest.approx(log(countries), rel=1e-5)
    assert task.loss_references()["chance"] == pytest.approx(log(countries))


def test_the_mixture_has_every_gap_and_a_fixed_one_only_its_own() -> None:
    def gaps(task: France) -> set[int]:
        words = sentences(task.sample(np.random.default_rng(0), 2000))
        return {next(k for k, word in enumerate(reversed(row[:-3])) if word in COUNTRIES) for row in words}

    task = France(gap=12)
    assert gaps(task.mixture()) == set(range(1, 13))
    assert all(gaps(task.at(gap)) == {gap} for gap in task.grid())


def test_the_cue_is_the_country_of_the_person_who_is_asked_for() -> None:
    task = France(gap=5, distractors=3)
    batch = task.mixture().sample(np.random.default_rng(0), 100)
    for words, step in zip(sentences(batch), task.cue(batch).tolist(), strict=True):
        assert words[step] == dict(clauses(words))[words[1]]


def test_no_window_of_the_cnn_sees_a_clause_and_the_name_that_is_asked_for() -> None:
    batch = France(gap=CNN.receptive_field, distractors=2).sample(np.random.default_rng(0), 500)
    for words in sentences(batch):
        countries = [k for k, word in enumerate(words) if word in COUNTRIES]
        opening, question = 1, len(words) - 3
        assert all(k - opening + 1 > CNN.receptive_field for k in countries)
        assert all(question - k + 1 > CNN.receptive_field for k in countries)


BUCKETS = 1024


def ngrams(batch: Batch, longest: int) -> Tensor:
    """Which n-grams of up to `longest` words occur, and who grew up where: (n, features). Long ones share buckets."""
    features = torch.zeros(len(batch.inputs), BUCKETS + len(NAMES) * len(COUNTRIES))
    for row, words in zip(features, sentences(batch), strict=True):
        tokens = [WORDS.words.index(word) for word in words]
        for length in range(1, longest + 1):
            for start in range(len(tokens) - length + 1):
                row[hash((length, *tokens[start : start + length])) % BUCKETS] = 1
        for who, where in clauses(words):
            row[BUCKETS + NAMES.index(who) * len(COUNTRIES) + COUNTRIES.index(where)] = 1
    return features


def fitted_score(task: France, longest: int) -> float:
    """The score on fresh sequences of a logistic regression on n-grams."""
    train, test = (task.sample(np.random.default_rng(seed), n) for seed, n in ((0, 2000), (1, 1000)))
    features = ngrams(train, longest)
    weights = torch.zeros(features.shape[1], len(COUNTRIES), requires_grad=True)
    optimiser = torch.optim.Adam([weights], lr=0.05)
    for _ in range(40):
        optimiser.zero_grad()
        (cross_entropy(features @ weights, train.targets) + 1e-3 * weights.square().sum()).backward()
        optimiser.step()
    return float(task.score(ngrams(test, longest) @ weights.detach(), test))


@pytest.mark.slow
@pytest.mark.parametrize("longest", [1, 4])
def test_a_detector_of_ngrams_tells_no_more_than_which_countries_were_named(longest: int) -> None:
    """Even one that is told who grew up where: the name that is asked for and the clause would have to be multiplied."""
    named = France().references()["named countries"]
    assert 0.8 * named < fitted_score(France(), longest) < named + error(named, 1000)
    assert fitted_score(France(distractors=0), longest) > 0.95


def test_the_worked_example_holds_its_own_answer() -> None:
    task = France(gap=5, distractors=2).mixture()
    batch = task.sample(np.random.default_rng(0), 5)
    for index in range(5):
        sentence, language = task.read(batch, index).split(" → ")
        assert LANGUAGES[dict(clauses(sentence.split()))[sentence.split()[1]]] == language
