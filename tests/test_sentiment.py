"""Sentiment: readers that know the whole grammar, and see all of a sentence, its words without order, or its last clause."""

from collections.abc import Callable
from functools import cache
from itertools import permutations, product
from math import log, sqrt

import numpy as np
import pytest
import torch

from tasks import Batch
from tasks.sentiment import FILLER, PAIRS, SCALES, STRONG, WEAK, WORDS, Sentiment, Split

N = 10_000
END = {word: -1 if place < 2 else 1 for scale in SCALES for place, word in enumerate(scale.split())}
COMPARATIVES = {word for scale in SCALES for word in scale.split()[1::2]}
STRENGTH = dict.fromkeys(WEAK.split(), 1) | dict.fromkeys(STRONG.split(), 3)
SPLITS: tuple[Split, Split] = ("training", "test")


def value(clause: str) -> int:
    """What a clause says of the film."""
    words = clause.split()
    (sign,) = (END[word] for word in words if word in END)
    (strength,) = [STRENGTH[word] for word in words if word in STRENGTH] or [2]
    film_is_last = "than" in words and words[-1] == "film"
    return strength * sign * (-1) ** ("not" in words) * (-1) ** film_is_last


def whole(sentence: str) -> float:
    """The probability of a positive label, for a reader of the whole sentence: 0 or 1."""
    first, second = sentence.split(" , ")
    if first.startswith("although "):
        return float(value(second) > 0)
    join, _, second = second.partition(" ")
    values = {"but": value(second), "although": value(first), "and": value(first) + value(second)}
    return float(values[join] > 0)


def last_clause(sentence: str) -> float:
    """… for a reader of what follows the comma; all six values of the first clause are equally probable to it."""
    first, second = sentence.split(" , ")
    join, _, rest = second.partition(" ")
    if first.startswith("although ") or join == "but":
        return float(value(second) > 0)
    if join == "although":
        return 0.5
    sums = [total for other in (-3, -2, -1, 1, 2, 3) if (total := other + value(rest))]
    return sum(total > 0 for total in sums) / len(sums)


def bag_of_words(sentence: str) -> float:
    """… for a reader of the words in alphabetical order, who makes of them all sentences that there are."""
    skipped = {"the", "was", "than", ",", "film", *FILLER.split()}
    return _of_words(tuple(sorted(word for word in sentence.split() if word not in skipped)))


@cache
def _of_words(words: tuple[str, ...]) -> float:
    ends = [word for word in words if word in END]
    nots = ["not"] * words.count("not") + [""] * (2 - words.count("not"))
    strengths = [word for word in words if word in STRENGTH]
    strengths += [""] * (2 - len(strengths))
    orders = [("film", "x"), ("x", "film")]
    labels = []
    for two, negations, intensifiers in product(permutations(ends), permutations(nots), permutations(strengths)):
        nouns = [orders if word in COMPARATIVES else [("plot", "")] for word in two]
        for pairs in product(*nouns):
            first, second = (
                f"{noun} {negation} {intensifier} {end} {'than' if other else ''} {other}"
                for (noun, other), negation, intensifier, end in zip(pairs, negations, intensifiers, two, strict=True)
            )
            sums = value(first) + value(second)
            labels += (
                [value(second)] if "but" in words else [value(first), value(second)] if "although" in words else []
            )
            labels += [sums] if "and" in words and sums else []
    return sum(label > 0 for label in labels) / len(labels)


READERS: dict[str, Callable[[str], float]] = {
    "chance": lambda sentence: 0.5,
    "bag of words": bag_of_words,
    "last clause": last_clause,
    "perfect": whole,
}


def sentences(batch: Batch) -> list[str]:
    return [WORDS.text(row[real].tolist()) for row, real in zip(batch.inputs, batch.mask, strict=True)]


def answers(task: Sentiment, reader: Callable[[str], float], seed: int = 0) -> tuple[Batch, torch.Tensor]:
    """A large batch, and a reader's probability of a positive label for each of its sentences."""
    batch = task.sample(np.random.default_rng(seed), N)
    return batch, torch.tensor([reader(sentence) for sentence in sentences(batch)])


@pytest.mark.parametrize("name", READERS)
@pytest.mark.parametrize("split", SPLITS)
def test_the_best_reader_of_a_view_scores_what_the_references_say(name: str, split: Split) -> None:
    task = Sentiment(distance=2, split=split)
    batch, positive = answers(task, READERS[name])
    expected = task.references()[name]
    score = float(task.score(torch.stack([1 - positive, positive], dim=1), batch))
    assert score == pytest.approx(expected, abs=4 * sqrt(expected * (1 - expected) / N) + 1e-6)


@pytest.mark.parametrize("name", ["chance", "bag of words", "last clause"])
def test_the_ideal_log_probabilities_lose_what_the_references_say(name: str) -> None:
    task = Sentiment(distance=1)
    batch, positive = answers(task, READERS[name])
    outputs = torch.stack([1 - positive, positive], dim=1).clamp(min=1e-9).log()
    losses = torch.nn.functional.cross_entropy(outputs, batch.targets, reduction="none")
    assert float(task.loss(outputs, batch)) == pytest.approx(
        task.loss_references()[name], abs=4 * float(losses.std()) / sqrt(N) + 1e-6
    )


@pytest.mark.parametrize("distance", [1, 6, 12])
def test_whoever_knows_the_rules_makes_no_mistake_at_any_distance(distance: int) -> None:
    batch, positive = answers(Sentiment(distance=distance), whole)
    assert torch.equal(positive.long(), batch.targets)


def test_no_word_alone_tells_the_label() -> None:
    task = Sentiment(distance=1).mixture()
    batch = task.sample(np.random.default_rng(0), 40_000)
    for token, word in enumerate(WORDS.words):
        labels = batch.targets[((batch.inputs == token) & batch.mask).any(1)].float()
        assert len(labels) > 500, word
        assert float(labels.mean()) == pytest.approx(0.5, abs=4.5 * 0.5 / sqrt(len(labels))), word


def test_the_filler_words_stand_before_the_adjective_of_each_clause() -> None:
    fillers = set(FILLER.split())
    for sentence in sentences(Sentiment(distance=5).sample(np.random.default_rng(0), 200)):
        for clause in sentence.split(" , "):
            words = clause.split()
            (place,) = (place for place, word in enumerate(words) if word in END)
            assert set(words[place - 5 : place]) <= fillers
            assert not (set(words[: place - 5]) | set(words[place:])) & fillers


def test_the_mixture_has_every_distance() -> None:
    batch = Sentiment(distance=8).mixture().sample(np.random.default_rng(0), 2000)
    fillers = set(FILLER.split())
    assert {sum(word in fillers for word in sentence.split()) for sentence in sentences(batch)} == set(range(2, 17, 2))


def test_the_mixture_is_what_is_trained_on_and_a_single_difficulty_is_tested() -> None:
    task = Sentiment()
    assert (task.mixture().split, task.mixture().at(2).split, task.split) == ("training", "test", "test")


def test_no_two_scales_of_a_test_sentence_stand_together_in_training() -> None:
    scale_of = {word: number for number, scale in enumerate(SCALES) for word in scale.split()}
    seen: dict[Split, set[frozenset[int]]] = {}
    for split in SPLITS:
        batch = Sentiment(distance=1, split=split).sample(np.random.default_rng(0), 5000)
        pairs = {frozenset(scale_of[word] for word in sentence.split() if word in END) for sentence in sentences(batch)}
        seen[split] = pairs
        assert len(pairs) == len(PAIRS[split])
    assert not seen["training"] & seen["test"]
    assert all(len(pair) == 2 for pair in seen["training"] | seen["test"])
    assert len(seen["training"] | seen["test"]) == len(SCALES) * (len(SCALES) - 1) / 2


@pytest.mark.parametrize("split", SPLITS)
def test_every_scale_occurs_in_both_splits(split: Split) -> None:
    assert set(PAIRS[split].ravel()) == set(range(len(SCALES)))


def test_the_worked_example_holds_its_own_answer() -> None:
    task = Sentiment(distance=3)
    batch = task.sample(np.random.default_rng(0), 20)
    for index in range(20):
        sentence, answer = task.read(batch, index).splitlines()
        assert answer == ("→ positive" if whole(sentence) else "→ negative")


def test_the_example_of_the_documentation_is_a_sentence_with_its_label() -> None:
    lines = [line.strip() for line in str(Sentiment.__doc__).splitlines()]
    place = lines.index("Worked example (distance 2):")
    sentence, answer = lines[place + 2 : place + 4]
    assert WORDS.text(WORDS.tokens(sentence).tolist()) == sentence
    assert answer == ("→ positive" if whole(sentence) else "→ negative")


def test_guessing_loses_a_bit() -> None:
    assert Sentiment().loss_references()["chance"] == log(2)
