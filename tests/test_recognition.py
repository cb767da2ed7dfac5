"""Languages: the words that belong and the faults of those that do not, and readers that score what the references say."""

import re
from collections import Counter
from functools import partial
from itertools import pairwise
from math import comb, log

import numpy as np
import pytest
import torch
from builders.readers import detector_score, error, ngrams, rows, score
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks import TASKS, Batch
from tasks.recognition import NONE, OF_COUNT, OF_ORDER, Recognition, balanced

N = 8000
ANBN, DYCK, LONG = TASKS["anbn"](pairs=12), TASKS["dyck"](pairs=12), TASKS["dyck"](pairs=50)
each_task = pytest.mark.parametrize("task", [ANBN, DYCK, ANBN.mixture(), DYCK.mixture()])


def texts(task: Recognition, batch: Batch) -> list[str]:
    return ["".join(task.symbols[token] for token in row) for row in rows(batch)]


def is_in_order(word: str) -> bool:
    """No a after a b; no bracket that closes what is not open."""
    if set(word) <= {"a", "b"}:
        return "ba" not in word
    depths = np.cumsum([1 if symbol == "(" else -1 for symbol in word])
    return bool((depths >= 0).all())


def has_equal_counts(word: str) -> bool:
    one, other = "ab" if word[0] in "ab" else "()"
    return word.count(one) == word.count(other)


def belongs(word: str) -> bool:
    """Takes away pairs until nothing is left: the outermost letters, or brackets with nothing between them."""
    remove = partial(re.sub, r"^a(.*)b$", r"\1") if word[0] in "ab" else partial(re.sub, r"\(\)", "")
    while word != (word := remove(word)):
        pass
    return not word


@each_task
def test_who_takes_away_pairs_makes_no_error(task: Recognition) -> None:
    batch = task.sample(np.random.default_rng(0), 500)
    words = texts(task, batch)
    assert score(task, batch, [int(belongs(word)) for word in words]) == 1
    assert all(len(word) % 2 == 0 and 2 * task.min_difficulty <= len(word) <= 2 * task.pairs for word in words)


@each_task
@pytest.mark.parametrize("reader", [has_equal_counts, is_in_order])
def test_who_sees_only_one_kind_of_fault_scores_three_quarters(task: Recognition, reader) -> None:  # type: ignore[no-untyped-def]
    batch = task.sample(np.random.default_rng(0), N)
    reference = task.references()["counts"]
    assert reference == task.references()["order"]
    answers = [int(reader(word)) for word in texts(task, batch)]
    assert score(task, batch, answers) == pytest.approx(reference, abs=error(reference, N))


@each_task
def test_every_word_has_one_fault_at_most_and_half_of_them_none(task: Recognition) -> None:
    batch = task.sample(np.random.default_rng(0), N)
    kinds = Counter((has_equal_counts(word), is_in_order(word)) for word in texts(task, batch))
    assert set(kinds) == {(True, True), (True, False), (False, True)}
    for kind, share in {(True, True): 1 / 2, (True, False): 1 / 4, (False, True): 1 / 4}.items():
        assert kinds[kind] / N == pytest.approx(share, abs=error(share, N))
    assert score(task, batch, [1] * N) == pytest.approx(task.references()["chance"], abs=error(0.5, N))


@each_task
def test_the_reader_of_counts_loses_what_the_references_say(task: Recognition) -> None:
    batch = task.sample(np.random.default_rng(0), N)
    equal = torch.tensor([has_equal_counts(word) for word in texts(task, batch)])[:, None]
    outputs = torch.where(equal, torch.tensor([1 / 3, 2 / 3]), torch.tensor([1 - 1e-9, 1e-9])).log()
    assert float(task.loss(outputs, batch)) == pytest.approx(task.loss_references()["counts"], abs=0.03)


@pytest.mark.parametrize("pairs", [1, 2, 5, 12, 50])
def test_faults_of_count_go_both_ways_in_anbn_and_the_smallest_are_the_most_frequent(pairs: int) -> None:
    task, bound = TASKS["anbn"](pairs=pairs), min(pairs, 13)
    differences = Counter(
        word.count("a") - word.count("b") for word in texts(task, task.sample(np.random.default_rng(0), N))
    )
    faults = N - differences.pop(0)
    assert set(differences) <= {sign * 2 * s for s in range(1, max(2, bound)) for sign in (-1, 1)}
    for s in range(1, max(2, bound)):
        share = log(1 + 1 / s) / log(bound) if bound > 1 else 1.0
        for sign in (-1, 1):
            assert differences[sign * 2 * s] / faults == pytest.approx(share / 2, abs=error(share / 2, faults))


@pytest.mark.parametrize(("modulus", "most"), [(2, 0.76), (3, 0.95), (4, 0.91), (6, 0.95)])
@pytest.mark.parametrize("pairs", [12, 50, 1000])
def test_who_counts_modulo_a_small_number_does_not_solve_anbn(modulus: int, most: float, pairs: int) -> None:
    task = TASKS["anbn"](pairs=pairs)
    batch = task.sample(np.random.default_rng(1), 2000)
    words = texts(task, batch)
    answers = [int(is_in_order(w) and (w.count("a") - w.count("b")) % modulus == 0) for w in words]
    assert score(task, batch, answers) < most


@given(st.lists(st.integers(1, 9), min_size=1, max_size=9), st.integers(0, 99))
@settings(max_examples=40, deadline=None)
def test_balanced_words_are_balanced(pairs: list[int], seed: int) -> None:
    for row, count in zip(balanced(np.random.default_rng(seed), np.array(pairs)).tolist(), pairs, strict=True):
        assert all(token == -1 for token in row[2 * count :])
        assert belongs("".join("()"[token] for token in row[: 2 * count]))


def test_balanced_words_of_a_length_are_equally_frequent() -> None:
    words = Counter(map(tuple, balanced(np.random.default_rng(0), np.full(N, 4)).tolist()))
    catalan = comb(8, 4) // 5
    assert len(words) == catalan == 14
    for count in words.values():
        assert count / N == pytest.approx(1 / catalan, abs=error(1 / catalan, N))


@pytest.mark.parametrize("fault", [OF_ORDER, OF_COUNT])
def test_a_fault_of_brackets_is_one_bracket_or_two_and_leaves_the_ends_alone(fault: int) -> None:
    pairs = np.random.default_rng(1).integers(4, 12, size=300)
    without, with_fault = (DYCK.words(np.random.default_rng(0), pairs, np.full(300, kind)) for kind in (NONE, fault))
    assert ((without != with_fault).sum(1) == (2 if fault == OF_ORDER else 1)).all()
    assert (with_fault[:, 0] == 0).all()
    assert all(row[row >= 0][-1] == 1 for row in with_fault)


def test_a_fault_of_order_of_brackets_leaves_all_neighbours_as_many_as_they_were() -> None:
    pairs = np.random.default_rng(1).integers(4, 12, size=300)
    kinds = []
    for fault in (NONE, OF_ORDER):
        words = DYCK.words(np.random.default_rng(0), pairs, np.full(300, fault))
        kinds.append([Counter(pairwise(row)) for row in (word[word >= 0].tolist() for word in words)])
    assert kinds[0] == kinds[1]


@pytest.mark.slow
@pytest.mark.parametrize(("task", "longest", "more"), [(ANBN, 3, 0), (DYCK, 3, 0), (DYCK, 5, 0.1), (LONG, 4, 0.02)])
def test_a_detector_of_ngrams_knows_one_kind_of_fault(task: Recognition, longest: int, more: float) -> None:
    """Even one that is told whether there are equally many brackets; of aⁿbⁿ it sees "ba", and then only cannot count.

    Of brackets, four in a row tell a bit `more`, the less the longer the word is.
    """
    batches = [task.sample(np.random.default_rng(seed), 4000) for seed in (0, 1)]
    features = [ngrams(batch, 2, longest) for batch in batches]
    if task is not ANBN:
        equal = [np.array([[has_equal_counts(word)] for word in texts(task, batch)], dtype=float) for batch in batches]
        features = [np.concatenate(parts, axis=1) for parts in zip(features, equal, strict=True)]
    (train, test), (classes, right) = features, [batch.targets.numpy() for batch in batches]
    assert 0.7 < detector_score(train, classes, test, right) < 0.75 + more + error(0.75, 4000)
