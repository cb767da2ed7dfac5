"""Adding: both protocols' layout, and the losses and scores of readers who know nothing, one addend, or both."""

from math import sqrt

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from tasks import Batch
from tasks.adding import TOLERANCE, Adding

N = 20_000
PROTOCOLS = ("arjovsky", "hochreiter")
FORMS = [
    *(Adding(length=20, protocol=protocol) for protocol in PROTOCOLS),
    *(Adding(length=20, protocol=protocol).mixture() for protocol in PROTOCOLS),
]
each_form = pytest.mark.parametrize("task", FORMS, ids=[*PROTOCOLS, *(f"{name} mixture" for name in PROTOCOLS)])


def adder(task: Adding, inputs: Tensor) -> Tensor:
    """Adds up what is marked 1."""
    sums = (inputs[..., 0] * (inputs[..., 1] == 1)).sum(1, keepdim=True)
    return sums if task.protocol == "arjovsky" else 0.5 + sums / 4


def places(task: Adding) -> list[tuple[float, int, int]]:
    """Every (probability, first drawn place, second drawn place) of the 1997 protocol, by enumeration."""
    lengths, weights = task.difficulties()
    table = []
    for length, weight in zip(lengths.tolist(), weights.tolist(), strict=True):
        for first in range(10):
            unmarked = [step for step in range(length) if step != first][: length // 2 - 1]
            table += [(weight / 10 / len(unmarked), first, second) for second in unmarked]
    return table


def errors(outputs: Tensor, batch: Batch) -> tuple[float, float]:
    """The mean squared error and its standard error."""
    squares = (outputs[:, 0] - batch.targets).square()
    return float(squares.mean()), float(squares.std()) / sqrt(len(squares))


@each_form
def test_the_adder_makes_no_error(task: Adding) -> None:
    batch = task.sample(np.random.default_rng(0), 500)
    assert float(task.score(adder(task, batch.inputs), batch)) == 1
    assert float(task.loss(adder(task, batch.inputs), batch)) < 1e-10


@given(st.integers(2, 40), st.integers(0, 99))
@settings(max_examples=30, deadline=None)
def test_arjovsky_marks_one_step_of_each_half(length: int, seed: int) -> None:
    inputs, _, mask = Adding(length=length).sample(np.random.default_rng(seed), 20)
    values, marks = inputs.unbind(-1)
    assert mask.shape == (20, length)
    assert set(marks.unique().tolist()) <= {0, 1}
    assert bool((marks[:, : length // 2].sum(1) == 1).all() and (marks[:, length // 2 :].sum(1) == 1).all())
    assert 0 <= float(values.min()) <= float(values.max()) <= 1


@given(st.integers(12, 40), st.integers(0, 99))
@settings(max_examples=30, deadline=None)
def test_hochreiter_marks_the_ends_and_two_early_steps(length: int, seed: int) -> None:
    inputs, targets, mask = Adding(length=length, protocol="hochreiter").sample(np.random.default_rng(seed), 50)
    assert -1 <= float(inputs.min()) <= float(inputs.max()) <= 1
    assert 0 <= float(targets.min()) <= float(targets.max()) <= 1
    for row, real in zip(inputs, mask, strict=True):
        assert length <= int(real.sum()) <= length * 11 // 10
        values, marks = row[real].T.tolist()
        first, second = (step for step, mark in enumerate(marks) if mark == 1)
        assert min(first, second) < 10
        assert max(first, second) < max(10, length // 2)
        assert [step for step, mark in enumerate(marks) if mark == -1] == [0, len(marks) - 1][first == 0 :]
        assert first != 0 or values[0] == 0


@pytest.mark.parametrize("length", [12, 14, 20, 41])
def test_hochreiter_draws_every_place_as_often_as_it_should(length: int) -> None:
    task = Adding(length=length, protocol="hochreiter")
    marks = task.sample(np.random.default_rng(0), N).inputs[..., 1] == 1
    expected = torch.zeros(marks.shape[1])
    for probability, *both in places(task):
        expected[both] += probability
    assert float((marks.float().mean(0) - expected).abs().max()) < 4 * sqrt(0.25 / N)


@each_form
def test_the_best_constant_of_all_scores_chance(task: Adding) -> None:
    """Every constant on a fine grid is tried on one batch, and the best of them is scored on another."""
    search, batch = (task.sample(np.random.default_rng(seed), N) for seed in (0, 1))
    best = max(np.linspace(0, 2, 81), key=lambda x: float(task.score(torch.full((N, 1), x), search)))
    chance = task.references()["chance"]
    scores = [float(task.score(torch.full((N, 1), x), batch)) for x in (best, 1.0 if "arj" in task.protocol else 0.5)]
    assert max(scores) == pytest.approx(chance, abs=4 * sqrt(chance * (1 - chance) / N))


@each_form
def test_the_mean_loses_what_the_references_say(task: Adding) -> None:
    batch = task.sample(np.random.default_rng(1), N)
    loss, error = errors(torch.full((N, 1), 1.0 if task.protocol == "arjovsky" else 0.5), batch)
    assert float(task.loss(batch.targets.mean().expand(N, 1), batch)) == pytest.approx(loss, abs=4 * error)
    assert loss == pytest.approx(task.loss_references()["mean"], abs=4 * error)


@pytest.mark.parametrize("place", [0, 1])
def test_either_addend_alone_loses_one_twelfth(place: int) -> None:
    task = Adding(length=20)
    batch = task.sample(np.random.default_rng(1), N)
    values, marks = batch.inputs.unbind(-1)
    known = values[marks == 1].reshape(N, 2)[:, place, None]
    loss, error = errors(known + 0.5, batch)
    assert loss == pytest.approx(task.loss_references()["one addend"], abs=4 * error)


@pytest.mark.parametrize("length", [12, 20, 41])
@pytest.mark.parametrize("mixed", [False, True])
def test_the_1997_losses_are_those_of_every_pair_of_places(length: int, mixed: bool) -> None:
    """A quarter of U[−1, 1] has variance 1/48, the first step's zero has none."""
    task = Adding(length=length, protocol="hochreiter")
    task = task.mixture() if mixed else task
    table = places(task)
    expected = {
        "mean": sum(p * ((first != 0) + (second != 0)) / 48 for p, first, second in table),
        "one addend": sum(p * (second != 0) / 48 for p, _, second in table),
    }
    assert task.loss_references() == pytest.approx(expected)


def test_below_the_tolerance_is_right_and_above_is_wrong() -> None:
    task = Adding(length=5)
    batch = task.sample(np.random.default_rng(0), 4)
    off = torch.tensor([[0.98], [-0.98], [1.02], [-1.02]]) * TOLERANCE
    assert float(task.score(batch.targets[:, None] + off, batch)) == 0.5


@each_form
def test_the_lengths_are_those_asked_for(task: Adding) -> None:
    lengths = task.sample(np.random.default_rng(0), 3000).mask.sum(1)
    longest = task.nominal if task.protocol == "arjovsky" else task.nominal * 11 // 10
    assert set(lengths.tolist()) == set(range(task.shortest or task.nominal, longest + 1))
    assert task.spec.length == longest


@each_form
def test_the_worked_example_adds_up(task: Adding) -> None:
    batch = task.sample(np.random.default_rng(0), 5)
    for index in range(5):
        value, mark, target = (line.split()[1:] for line in task.read(batch, index).splitlines())
        marked = [float(v) for v, m in zip(value, mark, strict=True) if m == "1"]
        total = sum(marked) if task.protocol == "arjovsky" else 0.5 + sum(marked) / 4
        assert float(target[-1]) == pytest.approx(total, abs=0.015)  # three numbers rounded to hundredths
        assert all(f"{addend:.2f}" in " ".join(target) for addend in marked)
