"""Stacking, cutting and trimming batches loses nothing."""

import numpy as np
import pytest
import torch
from builders.tasks import of_difficulty
from builders.tasks_with_data import EACH_TASK

from ablations.train.batches import CHUNK, pieces, stack, training_batches, trim
from tasks import TASKS, Batch


def _stream(chunk: int) -> np.random.Generator:
    return np.random.default_rng([7, chunk])


@pytest.mark.parametrize("name", EACH_TASK)
def test_stacking_pads_without_changing_loss_or_score(name: str) -> None:
    task, rng = of_difficulty(name, 9), np.random.default_rng(0)
    short, long = task.sample(rng, 6), task.at(max(task.grid())).sample(rng, 6)
    padded = Batch(*(part[0] for part in stack([short, long])))
    outputs = torch.randn(*padded.targets.shape, task.spec.outputs)
    own = outputs[:, : short.targets.shape[1]] if short.targets.dim() > 1 else outputs
    torch.testing.assert_close(task.loss(outputs, padded), task.loss(own, short))
    torch.testing.assert_close(task.score(outputs, padded), task.score(own, short))


@pytest.mark.parametrize("name", EACH_TASK)
def test_any_step_has_its_own_data_wherever_training_starts(name: str) -> None:
    task = of_difficulty(name, 9)
    whole = list(training_batches(task, [_stream], 0, CHUNK + 3, 4))
    later = list(training_batches(task, [_stream], CHUNK - 2, 5, 4))
    for expected, found in zip(whole[CHUNK - 2 :], later, strict=True):
        assert all(torch.equal(a, b) for a, b in zip(expected, found, strict=True))


def test_pieces_are_the_whole() -> None:
    batch = stack([TASKS["france"](gap=5).mixture().sample(np.random.default_rng(k), 10) for k in range(2)])
    cut = list(pieces(batch, 4, TASKS["france"]().spec))
    assert [piece.mask.shape[1] for piece in cut] == [4, 4, 2]
    assert torch.equal(torch.cat([piece.targets for piece in cut], dim=1), batch.targets)
    assert sum(int(piece.mask.sum()) for piece in cut) == int(batch.mask.sum())


def test_trim_drops_only_what_all_share() -> None:
    batch = stack([TASKS["copying"](delay=4).sample(np.random.default_rng(0), 2)])
    wide = Batch(*(torch.nn.functional.pad(part, (0, 3)) for part in batch))
    assert all(torch.equal(a, b) for a, b in zip(trim(wide, TASKS["copying"]().spec), batch, strict=True))
