"""The data of a cohort: every run's own stream of fresh sequences, side by side in one padded batch.

R runs, n sequences of each run, T steps, D features of a step.
"""

from collections.abc import Callable, Iterator, Sequence

import numpy as np
import torch
from torch.nn.functional import pad

from tasks import IGNORED, Batch, Task

CHUNK = 16
"""Training steps sampled from one generator. Changing it changes every run's data."""


def stack(batches: Sequence[Batch]) -> Batch:
    """R batches as one whose tensors are (R, n, …), padded to the longest."""
    longest = max(batch.mask.shape[1] for batch in batches)
    padded = [_pad_steps(batch, longest) for batch in batches]
    return Batch(*map(torch.stack, zip(*padded, strict=True)))


def training_batches(
    task: Task, streams: Sequence[Callable[[int], np.random.Generator]], first: int, steps: int, size: int
) -> Iterator[Batch]:
    """The stacked batches (R, size, …) of the training steps `first` to `first + steps`.

    Difficulties are mixed, up to the task's nominal one. A stream maps k to the generator of its k-th chunk of steps: the
    data of any step can be sampled without those before it. Equal streams are sampled once.
    """
    mixture = task.mixture()
    for chunk in range(first // CHUNK, (first + steps - 1) // CHUNK + 1):
        batches = {stream: mixture.sample(stream(chunk), CHUNK * size) for stream in dict.fromkeys(streams)}
        together = stack([batches[stream] for stream in streams])
        for step in range(max(first, chunk * CHUNK), min(first + steps, (chunk + 1) * CHUNK)):
            start = (step - chunk * CHUNK) * size
            yield trim(_slice(together, start, size))


def pieces(batch: Batch, size: int) -> Iterator[Batch]:
    """A stacked batch (R, n, …) in pieces of at most `size` sequences a run."""
    for start in range(0, batch.mask.shape[1], size):
        yield trim(_slice(batch, start, size))


def trim(batch: Batch) -> Batch:
    """A stacked batch without the last steps that are padding in all its sequences."""
    longest = int(batch.mask.sum(-1).max())
    per_step = batch.targets.dim() == batch.mask.dim()
    targets = batch.targets[:, :, :longest] if per_step else batch.targets
    parts = batch.inputs[:, :, :longest], targets, batch.mask[:, :, :longest]
    return Batch(*(part.contiguous() for part in parts))  # equal shapes then have equal strides


def _slice(batch: Batch, start: int, size: int) -> Batch:
    return Batch(*(part[:, start : start + size] for part in batch))


def _pad_steps(batch: Batch, longest: int) -> Batch:
    more = longest - batch.mask.shape[1]
    features = batch.inputs.dim() == 3
    inputs = pad(batch.inputs, (0, 0, 0, more) if features else (0, more))
    per_step = batch.targets.dim() == 2
    targets = pad(batch.targets, (0, more), value=IGNORED) if per_step else batch.targets
    return Batch(inputs, targets, pad(batch.mask, (0, more)))
