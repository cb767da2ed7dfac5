"""Schedules equal torch's own, curricula draw the difficulties that they say, and layers start and drop as torch.nn's."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import nn

from ablations.errors import UserError
from ablations.models import Recurrent
from ablations.models.recurrent_models import RecurrentModel
from ablations.train.curriculum import training_task
from ablations.train.optimisers import update
from ablations.train.schedule import rate_factor
from tasks import TASKS

STEPS = 12


def rates(schedule: Callable[[torch.optim.Optimizer], torch.optim.lr_scheduler.LRScheduler]) -> list[float]:
    """The learning rates of a run of torch's own optimiser, from 1."""
    optimiser = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
    own, seen = schedule(optimiser), []
    for _ in range(STEPS):
        seen.append(optimiser.param_groups[0]["lr"])
        optimiser.step()
        own.step()
    return seen


def test_schedules_equal_those_of_torch() -> None:
    lr = torch.optim.lr_scheduler
    theirs = {
        "linear": rates(lambda o: lr.LinearLR(o, 1.0, 0.0, STEPS)),
        "cosine": rates(lambda o: lr.CosineAnnealingLR(o, STEPS)),
        "constant": [1.0] * STEPS,
    }
    for name, expected in theirs.items():
        assert [rate_factor(step, STEPS, name) for step in range(STEPS)] == pytest.approx(expected)


def test_a_warm_up_rises_to_the_whole_rate_and_then_follows_the_schedule() -> None:
    warm = [rate_factor(step, STEPS, "linear", 0.25) for step in range(STEPS)]
    assert warm[:4] == pytest.approx([0.25, 0.5, 0.75, 1.0])
    assert warm[3:] == pytest.approx([rate_factor(step, STEPS - 3) for step in range(STEPS - 3)])


def lengths(curriculum: str, share: float) -> np.ndarray:
    """The lengths of 4,000 sequences of the adding problem, nominal length 20, at a share of training."""
    task = training_task(TASKS["adding"](length=20), curriculum, share)
    return task.sample(np.random.default_rng(0), 4000).mask.sum(1).numpy()


def test_curricula_draw_the_difficulties_that_they_say() -> None:
    easiest = int(lengths("logarithmic", 0.0).min())
    assert set(lengths("nominal", 0.3)) == {20}
    uniform, logarithmic = lengths("uniform", 0.3), lengths("logarithmic", 0.3)
    assert {*uniform} == {*logarithmic} == {*range(easiest, 21)}
    assert uniform.mean() == pytest.approx((easiest + 20) / 2, abs=0.4)
    assert logarithmic.mean() < uniform.mean() - 2
    hardest = [int(lengths("growing", share).max()) for share in (0.0, 0.1, 0.25, 0.4, 0.5, 0.9)]
    assert hardest == sorted(hardest)
    assert (hardest[0], hardest[2], hardest[-2:]) == (easiest, easiest + (20 - easiest) // 2, [20, 20])


@pytest.mark.parametrize("task", sorted(set(TASKS) - {"reviews"}))  # its texts are no part of the project
def test_every_task_has_every_curriculum_with_the_shapes_of_its_spec(task: str) -> None:
    own = TASKS[task]()
    for curriculum in ("uniform", "nominal", "growing"):
        for share in (0.0, 0.3, 1.0):
            batch = training_task(own, curriculum, share).sample(np.random.default_rng(0), 20)
            assert batch.mask.sum(1).max() <= own.spec.length
            if own.spec.vocabulary:
                assert batch.inputs.max() < own.spec.vocabulary


@pytest.mark.parametrize("name", ["sgd", "rmsprop"])
def test_momentum_equals_torch_run_by_run(name: str) -> None:
    momenta, lr, stacked = (0.0, 0.5, 0.9), 0.01, torch.randn(3, 8)
    alone = [row.clone().requires_grad_() for row in stacked]
    optimiser = {"sgd": torch.optim.SGD, "rmsprop": torch.optim.RMSprop}[name]
    theirs = [optimiser([row], lr=lr, momentum=momentum) for row, momentum in zip(alone, momenta, strict=True)]
    moments: dict[str, torch.Tensor] = {}
    for step in range(20):
        gradient = torch.randn(3, 8)
        for row, own, each in zip(alone, gradient, theirs, strict=True):
            row.grad = own.clone()
            each.step()
        same = torch.full((3,), lr), torch.full((3,), torch.inf), torch.zeros(3)
        update(name, stacked, gradient, moments, step + 1, *same, torch.tensor(momenta))
    torch.testing.assert_close(stacked, torch.stack([row.detach() for row in alone]), rtol=1e-5, atol=1e-6)


def test_dropout_acts_between_layers_in_training_alone_as_in_torch() -> None:
    torch.manual_seed(0)
    layer = Recurrent("lstm", 3, 4, layers=2, dropout=0.5)
    x = torch.randn(2, 5, 3)
    first, second = layer.layers[0][0], layer.layers[1][0]  # type: ignore[index]
    seen: list[torch.Tensor] = []
    second.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    layer.train()(x)
    outputs, _ = first(x)
    is_kept = seen[0] != 0
    assert 0 < is_kept.sum() < is_kept.numel()
    torch.testing.assert_close(seen[0][is_kept], 2 * outputs[is_kept])
    layer.eval()(x)
    torch.testing.assert_close(seen[1], outputs)
    with pytest.raises(UserError, match="dropout acts between layers"):
        Recurrent("lstm", 3, 4, dropout=0.5)


def test_initialisations_are_what_their_names_say() -> None:
    spec, H = TASKS["adding"]().spec, 6
    for name in ("orthogonal", "identity", "xavier"):
        layer = RecurrentModel(spec, H, cell="gru", initialisation=name).recurrent.layers[0][0]  # type: ignore[index]
        for block in layer.recurrent_weight.chunk(3):
            if name == "xavier":
                assert block.abs().max() <= (6 / (2 * H)) ** 0.5
            else:
                expected = torch.eye(H)
                torch.testing.assert_close(block @ block.T, expected, rtol=1e-5, atol=1e-5)
                assert torch.equal(block, expected) == (name == "identity")
    usual, own = (RecurrentModel(spec, H, initialisation=name) for name in (None, "orthogonal"))
    assert {*usual.state_dict()} == {*own.state_dict()}
    assert isinstance(own, nn.Module)
