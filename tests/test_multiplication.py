"""Multiplication: the paper's layout, and readers of the values that score what the references say."""

import numpy as np
import pytest
import torch
from builders.readers import error

from tasks import TASKS

N = 40_000
FORMS = [TASKS["multiplication"](), TASKS["multiplication"](length=14), TASKS["multiplication"](length=40).mixture()]
each_task = pytest.mark.parametrize("task", FORMS)


@each_task
def test_the_target_is_the_product_of_the_two_marked_values(task) -> None:  # type: ignore[no-untyped-def]
    batch = task.sample(np.random.default_rng(0), 300)
    for (values, marks), target in zip(batch.inputs.transpose(1, 2).tolist(), batch.targets.tolist(), strict=True):
        one, other = (value for value, mark in zip(values, marks, strict=True) if mark == 1)
        assert target == pytest.approx(one * other)
        assert 0 <= min(values) <= max(values) <= 1
        assert (values[0] == 1) == (marks[0] == 1)
    assert task.score(batch.targets[:, None], batch) == 1


def test_values_are_uniform_and_marks_are_those_of_adding() -> None:
    task = FORMS[0]
    batch = task.sample(np.random.default_rng(0), 2000)
    adding = task.adding.sample(np.random.default_rng(0), 2000)
    assert torch.equal(batch.inputs[..., 1], adding.inputs[..., 1])
    assert torch.equal(batch.mask, adding.mask)
    assert set(batch.mask.sum(1).tolist()) == set(range(100, 111))
    values = batch.inputs[:, 1:100, 0].flatten().sort().values  # without the first step, which may be set
    assert float((values - torch.linspace(0, 1, len(values))).abs().max()) < 0.01


@each_task
def test_no_constant_scores_more_than_chance_and_the_best_one_scores_it(task) -> None:  # type: ignore[no-untyped-def]
    batch = task.sample(np.random.default_rng(0), N)
    scores = [float(task.score(torch.full((N, 1), constant), batch)) for constant in np.arange(0, 1, 0.01)]
    chance = task.references()["chance"]
    assert float(task.score(torch.full((N, 1), 0.04), batch)) == pytest.approx(chance, abs=error(chance, N))
    assert max(scores) < chance + error(chance, N)


@each_task
def test_constant_answers_and_half_a_factor_lose_what_the_references_say(task) -> None:  # type: ignore[no-untyped-def]
    """The factor that is drawn first is the one of the first ten steps where only one is."""
    batch = task.sample(np.random.default_rng(0), N)
    references = task.loss_references()
    mean = batch.targets.mean()
    assert float(task.loss(torch.full((N, 1), float(mean)), batch)) == pytest.approx(references["mean"], rel=0.03)
    if task.length == 100:
        values, marks = batch.inputs.unbind(-1)
        place = (marks == 1).int().argmax(1)
        other = marks.shape[1] - 1 - (marks == 1).flip(1).int().argmax(1)
        sure = other >= 10
        factor = values.gather(1, place[:, None])
        losses = (factor / 2 - batch.targets[:, None]).square()[sure]
        assert float(losses.mean()) == pytest.approx(references["one factor"], rel=0.1)


def test_knowing_one_factor_is_of_no_use_for_the_score() -> None:
    """For any factor x, products are right below 0.08 with probability min(1, 0.08 / x), and nowhere more densely."""
    task = FORMS[0]
    batch = task.sample(np.random.default_rng(0), N)
    values, marks = batch.inputs.unbind(-1)
    first = values.gather(1, (marks == 1).int().argmax(1)[:, None])
    best = max(float(task.score(share * first, batch)) for share in np.arange(0.05, 1, 0.05))
    assert best < task.references()["chance"] + error(task.references()["chance"], N)
