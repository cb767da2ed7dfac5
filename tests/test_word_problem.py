"""Word problems: groups by their axioms, and readers of the symbols that score what the references say."""

from collections import Counter
from itertools import permutations, product

import numpy as np
import pytest
import torch
from builders.readers import detector_score, error, ngrams
from sympy.combinatorics.named_groups import AlternatingGroup, CyclicGroup, SymmetricGroup
from torch import Tensor
from torch.nn.functional import one_hot

from tasks import TASKS, Batch
from tasks.word_problem import WordProblem

ALL = {
    "parity": (TASKS["parity"](length=12), CyclicGroup(2)),
    "modulo": (TASKS["modulo"](length=12, modulus=6), CyclicGroup(6)),
    "s3": (TASKS["s3"](length=12), SymmetricGroup(3)),
    "a5": (TASKS["a5"](length=12), AlternatingGroup(5)),
}
N = 4000
each_task = pytest.mark.parametrize("task", [task for task, _ in ALL.values()], ids=ALL)


def answers_of(task: WordProblem, batch: Batch, classes: Tensor) -> float:
    """The score of answering these classes (n, T)."""
    return float(task.score(one_hot(classes.clamp(min=0), task.spec.outputs).float(), batch))


@each_task
def test_the_symbols_are_a_group_whose_first_element_is_neutral(task: WordProblem) -> None:
    table, order = task.group.table, len(task.group.names)
    assert np.array_equal(table[0], np.arange(order))
    assert np.array_equal(table[:, 0], np.arange(order))
    assert np.array_equal(table[table], table[:, table])  # (ab)c = a(bc)
    assert all(sorted(line) == list(range(order)) for line in [*table, *table.T])  # so all have an inverse
    assert len(set(task.group.names)) == order


@pytest.mark.parametrize("name", ALL)
def test_groups_and_commutators_are_as_many_as_sympy_counts(name: str) -> None:
    task, group = ALL[name]
    assert isinstance(task, WordProblem)
    assert len(task.group.names) == group.order()
    assert task.commutators == group.derived_subgroup().order()
    table = task.group.table
    assert np.array_equal(table, table.T) == group.is_abelian
    orders = [next(k for k in range(1, 99) if power(table, element, k) == 0) for element in range(len(table))]
    assert Counter(orders) == Counter(element.order() for element in group.elements)


@each_task
def test_the_first_symbol_is_any_element_and_the_later_ones_are_moves_that_reach_all(task: WordProblem) -> None:
    names, table = task.group.names, task.group.table
    moves = {names.index(move) for move in task.moves}
    reached, new = set(moves), set(moves)
    while new := {int(table[a, b]) for a in new for b in moves} - reached:
        reached |= new
    assert reached == set(range(len(names)))
    symbols = task.sample(np.random.default_rng(0), N).inputs
    first, later = (Counter(part.flatten().tolist()) for part in (symbols[:, 0], symbols[:, 1:]))
    assert first.keys() == reached
    assert later.keys() == moves
    for counts in (first, later):  # each as often as the others
        share, total = 1 / len(counts), sum(counts.values())
        assert all(count / total == pytest.approx(share, abs=error(share, total)) for count in counts.values())


@pytest.mark.parametrize(("length", "most"), [(25, 2.0), (100, 1.2)])
def test_a_bag_of_the_symbols_of_a5_tells_little_more_than_chance_of_long_words(length: int, most: float) -> None:
    """Of the words with one first symbol and one number of each move, no product has a much greater share than the others."""
    task = TASKS["a5"](length=length)
    assert isinstance(task, WordProblem)
    table, one, other = task.group.table, *(task.group.names.index(move) for move in task.moves)
    words = np.zeros((length, 60))  # number of the one move -> of all such words, the share of those with each product
    words[0, 0] = 1
    for _ in range(length - 1):
        longer = np.zeros_like(words)
        longer[:, table[:, other]] += words / 2
        longer[1:, table[:, one]] += words[:-1] / 2
        words = longer
    assert words.sum() == pytest.approx(1)
    assert 1 < words.max(1).sum() * 60 < most


def power(table: np.ndarray, element: int, exponent: int) -> int:
    result = 0
    for _ in range(exponent):
        result = int(table[result, element])
    return result


@pytest.mark.parametrize("name", ["parity", "modulo"])
def test_who_adds_up_the_digits_makes_no_error(name: str) -> None:
    task = ALL[name][0].mixture()
    batch = task.sample(np.random.default_rng(0), 200)
    assert answers_of(task, batch, batch.inputs.cumsum(1) % task.spec.outputs) == 1


@pytest.mark.parametrize("name", ["s3", "a5"])
def test_who_rearranges_the_letters_one_symbol_after_another_makes_no_error(name: str) -> None:
    task = ALL[name][0].mixture()
    batch = task.sample(np.random.default_rng(0), 100)
    for index in range(100):
        (_, *symbols), (_, *products) = (line.split() for line in task.read(batch, index).splitlines())
        word = "".join(sorted(symbols[0]))
        for symbol, right in zip(symbols, products, strict=True):
            word = "".join(word["abcde".index(letter)] for letter in symbol)
            assert word == right


@each_task
def test_every_product_is_as_frequent_as_the_others_so_that_a_constant_scores_chance(task: WordProblem) -> None:
    batch = task.sample(np.random.default_rng(0), N)
    chance = task.references()["chance"]
    assert chance == 1 / task.spec.outputs
    for constant in range(task.spec.outputs):
        assert answers_of(task, batch, torch.full_like(batch.targets, constant)) == pytest.approx(
            chance, abs=error(chance, N)
        )


@each_task
@pytest.mark.parametrize("mixed", [False, True])
def test_the_last_symbol_as_an_answer_scores_and_loses_what_the_references_say(task: WordProblem, mixed: bool) -> None:
    """Given the last symbol, all products are equally probable, for the table is a Latin square: nothing is better."""
    task = task.mixture() if mixed else task
    batch = task.sample(np.random.default_rng(0), N)
    reference = task.references()["last symbol"]
    assert answers_of(task, batch, batch.inputs) == pytest.approx(reference, abs=error(reference, N))
    outputs = torch.zeros(*batch.mask.shape, task.spec.outputs)
    outputs[:, 0] = 99.0 * one_hot(batch.inputs[:, 0], task.spec.outputs)
    spread = 4 * np.log(task.spec.outputs) * 0.5 / np.sqrt(N) if mixed else 1e-5
    assert float(task.loss(outputs, batch)) == pytest.approx(task.loss_references()["last symbol"], abs=spread)


@each_task
def test_only_the_last_answer_counts_for_the_score_and_all_for_the_loss(task: WordProblem) -> None:
    batch = task.mixture().sample(np.random.default_rng(0), 200)
    last = torch.arange(batch.mask.shape[1]) == batch.mask.sum(1, keepdim=True) - 1
    right_at_the_end = torch.where(last, batch.targets, (batch.targets + 1) % task.spec.outputs)
    assert answers_of(task, batch, right_at_the_end) == 1
    right_before = torch.where(last, (batch.targets + 1) % task.spec.outputs, batch.targets)
    assert answers_of(task, batch, right_before) == 0
    outputs = 9.0 * one_hot(right_at_the_end.clamp(min=0), task.spec.outputs)
    assert float(task.loss(outputs, batch)) > 1


def test_all_orders_of_all_symbols_of_s3_have_as_products_half_the_group_in_like_numbers() -> None:
    """So `order-blind` is what a bag of symbols tells: one of three products remains."""
    table = ALL["s3"][0].group.table
    products = Counter()
    for order in permutations(range(6)):
        result = 0
        for symbol in order:
            result = table[result, symbol]
        products[result] += 1
    assert len(products) == 3 == ALL["s3"][0].commutators
    assert max(products.values()) / 720 == pytest.approx(1 / 3, abs=0.05)


def test_pairs_of_symbols_of_s3_have_two_products_unless_they_commute() -> None:
    table = ALL["s3"][0].group.table
    assert sum(table[a, b] == table[b, a] for a, b in product(range(6), repeat=2)) == 18


@pytest.mark.slow
@pytest.mark.parametrize(("name", "longest"), [("parity", 4), ("modulo", 2), ("s3", 2), ("a5", 1)])
def test_a_detector_of_ngrams_knows_no_more_than_who_is_blind_to_order(name: str, longest: int) -> None:
    """Where ab = ba, that one knows all, by counting; the detector, a sum of features, cannot do so and knows nothing."""
    task = TASKS[name](length=20)
    batches = [task.sample(np.random.default_rng(seed), 2000) for seed in (0, 1)]
    (train, classes), (test, right) = (
        (ngrams(batch, task.spec.outputs, longest), batch.targets[:, -1].numpy()) for batch in batches
    )
    references = task.references()
    limit = references["chance"] if references["order-blind"] == 1 else references["order-blind"]
    assert detector_score(train, classes, test, right) < limit + error(limit, 2000)
