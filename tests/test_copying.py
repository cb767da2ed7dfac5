"""Copying: the papers' layout and loss, and readers of the raw tokens that score what the references say."""

from dataclasses import replace
from math import log, sqrt

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.nn.functional import cross_entropy, one_hot

from tasks.copying import Copying

BLANK, DELIMITER = 8, 9  # with the papers' 8 symbols
VARIABLE = Copying(delay=12, shortest=1)  # as in Tallec & Ollivier (2018): each delay is equally probable
each_task = pytest.mark.parametrize(
    "task", [Copying(delay=12), VARIABLE, Copying(delay=12).mixture()], ids=["fixed", "variable", "mixture"]
)


def queueing_reader(inputs: Tensor) -> Tensor:
    """Goes from left to right: queues up the symbols, and after the delimiter says one a step."""
    answers = torch.full_like(inputs, BLANK)
    for row, tokens in enumerate(inputs.tolist()):
        queue: list[int] = []
        recalling = False
        for step, token in enumerate(tokens):
            if recalling and queue:
                answers[row, step] = queue.pop(0)
            elif token < BLANK and not recalling:
                queue.append(token)
            recalling |= token == DELIMITER
    return answers


def recall_steps(inputs: Tensor) -> Tensor:
    """The steps after the delimiter: all that a reader who keeps nothing but the time knows."""
    delimiters = (inputs == DELIMITER).int()
    return (delimiters.cumsum(1) - delimiters).bool()


@given(st.integers(1, 9), st.integers(1, 5), st.integers(2, 9), st.integers(0, 99))
@settings(max_examples=30, deadline=None)
def test_a_sequence_is_symbols_blanks_delimiter_blanks(delay: int, items: int, symbols: int, seed: int) -> None:
    task = Copying(delay=delay, items=items, symbols=symbols)
    inputs, targets, mask = task.sample(np.random.default_rng(seed), 4)
    blank, delimiter = symbols, symbols + 1
    assert bool(mask.all())
    for row, answer in zip(inputs.tolist(), targets.tolist(), strict=True):
        head = row[:items]
        assert max(head) < symbols
        assert row == [*head, *[blank] * (delay - 1), delimiter, *[blank] * items]
        assert answer == [*[blank] * (items + delay), *head]


def test_the_mixture_has_every_delay_and_a_fixed_one_only_its_own() -> None:
    def delays(task: Copying) -> set[int]:
        inputs = task.sample(np.random.default_rng(0), 2000).inputs
        return set(((inputs == DELIMITER).int().argmax(1) - task.items + 1).tolist())

    task = Copying(delay=12)
    assert delays(task.mixture()) == set(range(1, 13))
    assert all(delays(task.at(delay)) == {delay} for delay in task.grid())


def test_every_symbol_is_as_frequent_as_the_others() -> None:
    inputs = Copying().sample(np.random.default_rng(0), 2000).inputs[:, :10]
    frequencies = torch.bincount(inputs.flatten()) / inputs.numel()
    assert float((frequencies - 1 / 8).abs().max()) < 4 * sqrt(1 / 8 * 7 / 8 / inputs.numel())


@each_task
def test_a_causal_reader_with_a_queue_makes_no_error(task: Copying) -> None:
    batch = task.sample(np.random.default_rng(0), 200)
    outputs = 99.0 * one_hot(queueing_reader(batch.inputs), 9)
    assert float(task.score(outputs, batch)) == pytest.approx(1)
    assert float(task.loss(outputs, batch)) == pytest.approx(0, abs=1e-6)


@each_task
@pytest.mark.parametrize("symbol", [0, 5])
def test_saying_one_symbol_all_the_time_scores_chance(task: Copying, symbol: int) -> None:
    batch = task.sample(np.random.default_rng(0), 2000)
    outputs = one_hot(torch.full_like(batch.inputs, symbol), 9).float()
    error = sqrt(1 / 8 * 7 / 8 / (2000 * 10))
    assert abs(float(task.score(outputs, batch)) - task.references()["chance"]) < 4 * error


@each_task
def test_the_ideal_memoryless_reader_loses_what_the_references_say(task: Copying) -> None:
    """It knows when to answer, and that all symbols are alike; its loss is that of its log-probabilities."""
    batch = task.sample(np.random.default_rng(0), 4000)
    symbol = recall_steps(batch.inputs)[..., None]
    probability = torch.cat([symbol / 8.0 * torch.ones(8), 1.0 - symbol.float()], dim=-1)
    loss = float(task.loss(probability.clamp(min=1e-30).log(), batch))
    difficulty_sampling = np.std([10 * log(8) / (delay + 20) for delay in range(1, 13)]) if task.shortest else 0
    assert loss == pytest.approx(task.loss_references()["memoryless"], abs=4 * difficulty_sampling / sqrt(4000) + 1e-5)


@each_task
def test_the_recall_loss_is_that_of_the_recalled_symbols_alone(task: Copying) -> None:
    recall = replace(task, loss_over="recall")
    batch = task.sample(np.random.default_rng(0), 200)
    outputs = torch.randn(*batch.inputs.shape, 9, generator=torch.Generator().manual_seed(0))
    recalled = recall_steps(batch.inputs) & batch.mask
    expected = cross_entropy(outputs[recalled], batch.targets[recalled])  # each sequence recalls equally many
    torch.testing.assert_close(recall.loss(outputs, batch), expected)
    assert recall.score(outputs, batch) == task.score(outputs, batch)
    even = torch.tensor([0.0] * 8 + [-99.0]).expand(outputs.shape)
    assert float(recall.loss(even, batch)) == pytest.approx(recall.loss_references()["memoryless"], rel=1e-5)


def test_the_published_loss_is_the_default() -> None:
    assert Copying().loss_over == "all steps"


@pytest.mark.parametrize(("delay", "loss"), [(100, 0.1733), (200, 0.0945), (300, 0.0650), (500, 0.0400)])
def test_the_memoryless_loss_is_the_papers(delay: int, loss: float) -> None:
    assert Copying(delay=delay).loss_references()["memoryless"] == pytest.approx(loss, abs=5e-5)


@pytest.mark.parametrize("task", [Copying(delay=4, items=3), Copying(delay=2, items=2, symbols=40).mixture()])
def test_the_worked_example_holds_its_own_answer(task: Copying) -> None:
    batch = task.sample(np.random.default_rng(3), 5)
    for index in range(5):
        (label, *shown), (answers, *recalled) = (line.split() for line in task.read(batch, index).splitlines())
        assert (label, answers) == ("input", "target")
        assert shown.index(":") == len(shown) - task.items - 1
        assert recalled == ["_"] * (len(shown) - task.items) + shown[: task.items]
