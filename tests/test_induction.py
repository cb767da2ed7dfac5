"""Induction: the layout, and readers of the symbols that score what the references say."""

from collections import Counter
from itertools import product
from statistics import mean

import numpy as np
import pytest
from builders.readers import detector_score, error, ngrams, rows, score

from tasks import TASKS
from tasks.induction import Induction, highest_count

N = 8000
TASK = TASKS["induction"](length=12, symbols=5)
TRIGGER = 5
each_task = pytest.mark.parametrize("task", [TASK, TASK.mixture()])


@each_task
def test_who_remembers_what_followed_the_trigger_makes_no_error(task: Induction) -> None:
    batch = task.sample(np.random.default_rng(0), 500)
    sequences = rows(batch)
    assert all(row.count(TRIGGER) == 2 and row[-1] == TRIGGER != row[-2] for row in sequences)
    assert score(task, batch, [row[row.index(TRIGGER) + 1] for row in sequences]) == 1
    steps = [row.index(TRIGGER) + 1 for row in sequences]
    assert task.cue(batch).tolist() == steps


def test_the_trigger_is_at_all_places_equally_often() -> None:
    places = Counter(row.index(TRIGGER) for row in rows(TASK.sample(np.random.default_rng(0), N)))
    assert set(places) == set(range(10))
    assert all(count / N == pytest.approx(0.1, abs=error(0.1, N)) for count in places.values())


@each_task
def test_less_than_the_trigger_scores_what_the_references_say(task: Induction) -> None:
    batch = task.sample(np.random.default_rng(0), N)
    sequences = rows(batch)
    bags = [Counter(token for token in row if token != TRIGGER) for row in sequences]
    readers = {
        "chance": [0] * N,
        "last symbol": [row[-2] for row in sequences],
        "bag of symbols": [bag.most_common(1)[0][0] for bag in bags],
    }
    for name, answers in readers.items():
        reference = task.references()[name]
        assert score(task, batch, answers) == pytest.approx(reference, abs=error(reference, N)), name


@pytest.mark.parametrize(("draws", "symbols"), [(1, 2), (2, 3), (5, 2), (6, 4), (7, 3)])
def test_the_highest_count_is_that_of_all_draws(draws: int, symbols: int) -> None:
    expected = mean(max(Counter(draw).values()) for draw in product(range(symbols), repeat=draws))
    assert highest_count(draws, symbols) == pytest.approx(expected, abs=1e-9)


def test_the_highest_count_of_very_many_draws_is_a_little_above_an_even_share() -> None:
    draws = np.random.default_rng(0).multinomial(1000, [1 / 16] * 16, size=4000).max(axis=1)
    assert highest_count(1000, 16) == pytest.approx(draws.mean(), abs=4 * draws.std() / 4000**0.5)


@pytest.mark.slow
@pytest.mark.parametrize("longest", [1, 2])
def test_a_detector_of_single_symbols_knows_as_much_as_a_bag_and_one_of_pairs_all(longest: int) -> None:
    batches = [TASK.sample(np.random.default_rng(seed), 4000) for seed in (0, 1)]
    (train, classes), (test, right) = ((ngrams(batch, 6, longest), batch.targets.numpy()) for batch in batches)
    reached = detector_score(train, classes, test, right)
    if longest == 1:
        bag = TASK.references()["bag of symbols"]
        assert 0.8 * bag < reached < bag + error(bag, 4000)
    else:
        assert reached > 0.99
        assert TASK.references()["neighbours"] == 1
