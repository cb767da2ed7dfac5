"""Selective copying: symbols at all places, and readers of the tokens that score what the references say."""

from collections import Counter
from itertools import combinations

import numpy as np
import pytest
import torch
from builders.readers import error
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn.functional import one_hot

from tasks import TASKS
from tasks.selective_copying import SelectiveCopying

N = 4000


@given(st.integers(1, 9), st.integers(1, 5), st.integers(2, 9), st.integers(0, 99))
@settings(max_examples=30, deadline=None)
def test_who_leaves_out_the_blanks_makes_no_error(delay: int, items: int, symbols: int, seed: int) -> None:
    task = TASKS["selective-copying"](delay=delay, items=items, symbols=symbols).mixture()
    inputs, targets, mask = task.sample(np.random.default_rng(seed), 5)
    blank, delimiter = symbols, symbols + 1
    for row, answer, real in zip(inputs.tolist(), targets.tolist(), mask.tolist(), strict=True):
        end = row.index(delimiter)
        kept = [token for token in row[:end] if token != blank]
        assert len(kept) == items
        assert row[end + 1 : sum(real)] == [blank] * items
        assert answer[: sum(real)] == [*[blank] * (end + 1), *kept]


def test_all_choices_of_places_are_equally_frequent() -> None:
    task = TASKS["selective-copying"](delay=4, items=2)
    inputs = task.sample(np.random.default_rng(0), N).inputs[:, :5]
    counts = Counter(tuple(np.flatnonzero(row < task.symbols)) for row in inputs.numpy())
    assert set(counts) == set(combinations(range(5), 2))
    assert all(count / N == pytest.approx(0.1, abs=error(0.1, N)) for count in counts.values())


def places_of(task: SelectiveCopying) -> list[int]:
    """For each answer the step at which its symbol stands in most of all equally probable choices of places."""
    choices = list(combinations(range(task.items + task.delay - 1), task.items))
    return [Counter(choice[k] for choice in choices).most_common(1)[0][0] for k in range(task.items)]


@pytest.mark.parametrize("parameters", [(1, 3, 8), (5, 3, 8), (7, 1, 2), (6, 4, 3), (12, 2, 8)])
def test_who_looks_at_fixed_places_scores_what_the_references_say(parameters: tuple[int, int, int]) -> None:
    delay, items, symbols = parameters
    task = TASKS["selective-copying"](delay=delay, items=items, symbols=symbols)
    batch = task.sample(np.random.default_rng(0), N)
    answers = torch.zeros_like(batch.inputs)
    looked_at = batch.inputs[:, places_of(task)]
    answers[:, -items:] = torch.where(looked_at < symbols, looked_at, 0)
    reference = task.references()["fixed places"]
    reached = float(task.score(one_hot(answers, symbols + 1).float(), batch))
    assert reached == pytest.approx(reference, abs=error(reference, N))  # answers of a sequence are nearly independent
    choices = list(combinations(range(items + delay - 1), items))
    most = sum(Counter(choice[k] for choice in choices).most_common(1)[0][1] for k in range(items))
    right = most / (items * len(choices))
    assert reference == pytest.approx(right + (1 - right) / symbols)


def test_with_delay_one_and_in_its_loss_it_is_the_copying_task() -> None:
    selective, copying = TASKS["selective-copying"](delay=1), TASKS["copying"](delay=1, loss_over="recall")
    for one, other in zip(*(task.sample(np.random.default_rng(0), 5) for task in (selective, copying)), strict=True):
        assert torch.equal(one, other)
    assert selective.loss_references() == copying.loss_references()
