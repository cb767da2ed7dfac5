"""Associative recall: keys, values and queries, and readers of the tokens that score what the references say."""

from math import log

import numpy as np
import pytest
import torch
from builders.readers import error
from torch.nn.functional import one_hot

from tasks import IGNORED, TASKS
from tasks.recall import FILLERS, Recall

N = 3000
SMALL = TASKS["recall"](pairs=4, alphabet=9, fillers=2)
each_task = pytest.mark.parametrize("task", [SMALL, SMALL.mixture(), TASKS["recall"](pairs=5, alphabet=5, fillers=0)])


@each_task
def test_who_keeps_a_dictionary_makes_no_error(task: Recall) -> None:
    inputs, targets, mask = task.sample(np.random.default_rng(0), 300)
    for row, answer, real in zip(inputs.tolist(), targets.tolist(), mask.sum(1).tolist(), strict=True):
        count = real // (3 + task.fillers)
        shown, rest = row[: 2 * count], row[2 * count : real]
        values = dict(zip(shown[::2], [token - task.alphabet for token in shown[1::2]], strict=True))
        assert len(values) == len(set(values.values())) == count
        assert all(0 <= part < task.alphabet for pair in values.items() for part in pair)
        assert sorted(token for token in rest if token < task.alphabet) == sorted(values)
        fillers = [token for token in rest if token >= task.alphabet]
        assert len(fillers) == task.fillers * count
        assert all(2 * task.alphabet <= token < 2 * task.alphabet + FILLERS for token in fillers)
        assert answer[: 2 * count] == [IGNORED] * 2 * count
        assert answer[2 * count : real] == [values.get(token, IGNORED) for token in rest]


@each_task
def test_a_value_that_is_shown_at_any_place_is_right_as_often_as_the_references_say(task: Recall) -> None:
    inputs, targets, _ = batch = task.sample(np.random.default_rng(0), N)
    references = task.references()
    last = (inputs[:, ::1] * ((inputs >= task.alphabet) & (inputs < 2 * task.alphabet))).numpy()
    for place in ("first", "last"):
        shown = [row[row > 0][0 if place == "first" else -1] - task.alphabet for row in last]
        answers = torch.tensor(shown)[:, None].expand(targets.shape)
        reached = float(task.score(one_hot(answers, task.alphabet).float(), batch))
        # each sequence has one query with this value among its pairs: the score of a sequence is fixed by their number
        assert reached == pytest.approx(references["shown values"], abs=error(0.5, N) if task.shortest else 1e-6)
    constant = torch.zeros_like(targets)
    reached = float(task.score(one_hot(constant, task.alphabet).float(), batch))
    assert reached == pytest.approx(references["chance"], abs=error(references["chance"], N))


def test_even_odds_on_the_values_that_are_shown_lose_what_the_references_say() -> None:
    batch = SMALL.sample(np.random.default_rng(0), 50)
    outputs = torch.full((*batch.inputs.shape, 9), -99.0)
    for row, tokens in zip(outputs, batch.inputs.tolist(), strict=True):
        row[:, [token - 9 for token in tokens[1:8:2]]] = 0
    assert float(SMALL.loss(outputs, batch)) == pytest.approx(SMALL.loss_references()["shown values"], abs=1e-5)
    assert SMALL.loss_references() == {"chance": log(9), "shown values": pytest.approx(log(4))}


def test_queries_come_at_all_places_in_all_orders() -> None:
    _, targets, _ = SMALL.sample(np.random.default_rng(0), N)
    asked = (targets != IGNORED).float().mean(0)
    assert float(asked[:8].max()) == 0
    assert float((asked[8:] - 1 / 3).abs().max()) < error(1 / 3, N)
    inputs = SMALL.sample(np.random.default_rng(0), N).inputs.numpy()
    first = [next(token for token in row[8:] if token < 9) for row in inputs]
    for pair in range(4):
        assert np.mean(inputs[:, 2 * pair] == first) == pytest.approx(1 / 4, abs=error(1 / 4, N))


def test_the_grid_ends_where_there_are_no_more_keys() -> None:
    assert TASKS["recall"](pairs=8, alphabet=16).grid()[-1] == 16
    assert TASKS["recall"](pairs=8, alphabet=11).grid() == (1, 2, 4, 8, 11)
    assert TASKS["recall"](pairs=8, alphabet=8).grid()[-1] == 8
