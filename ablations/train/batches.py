"""The data of a cohort: every run's own stream of fresh sequences, side by side in one padded batch.

R runs, n sequences of each run, T steps, D features of a step.
"""

from collections.abc import Callable, Iterator, Sequence

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import pad

from tasks import IGNORED, Batch, Task, TaskSpec

FILLINGS = (0, IGNORED, False)
"""What stands after the end of a sequence in each part of a batch: inputs, targets, mask."""

CHUNK = 16
"""Training steps sampled from one generator. Changing it changes every run's data."""


def stack(batches: Sequence[Batch]) -> Batch:
    """R batches as one whose tensors are (R, n, …), padded to the longest."""
    parts = zip(*batches, strict=True)
    return Batch(*(torch.stack(_padded(part, filling)) for part, filling in zip(parts, FILLINGS, strict=True)))


def training_batches(
    task: Task,
    streams: Sequence[Callable[[int], np.random.Generator]],
    first: int,
    steps: int,
    size: int,
    curriculum: Callable[[int], Task] | None = None,
) -> Iterator[Batch]:
    """The stacked batches (R, size, …) of the training steps `first` to `first + steps`.

    Difficulties are mixed, up to the task's nominal one, or come from the task that `curriculum` gives for a step. A stream
    maps k to the generator of its k-th chunk of steps: the data of any step can be sampled without those before it. Equal
    streams are sampled once.
    """
    source = curriculum or (lambda step: task.mixture())
    for chunk in range(first // CHUNK, (first + steps - 1) // CHUNK + 1):
        mixture = source(chunk * CHUNK)
        batches = {stream: mixture.sample(stream(chunk), CHUNK * size) for stream in dict.fromkeys(streams)}
        together = stack([batches[stream] for stream in streams])
        for step in range(max(first, chunk * CHUNK), min(first + steps, (chunk + 1) * CHUNK)):
            start = (step - chunk * CHUNK) * size
            yield trim(_slice(together, start, size), task.spec)


def pieces(batch: Batch, size: int, spec: TaskSpec) -> Iterator[Batch]:
    """A stacked batch (R, n, …) in pieces of at most `size` sequences a run."""
    for start in range(0, batch.mask.shape[1], size):
        yield trim(_slice(batch, start, size), spec)


def trim(batch: Batch, spec: TaskSpec) -> Batch:
    """A stacked batch without the last steps, and the last symbols of answers, that are padding in all its sequences."""
    inputs, targets, mask = batch
    longest = int(mask.sum(-1).max())
    if spec.per_step:
        targets = targets[:, :, :longest]
    elif spec.symbols:
        targets = targets[:, :, : int((targets != IGNORED).sum(-1).max())]
    parts = inputs[:, :, :longest], targets, mask[:, :, :longest]
    return Batch(*(part.contiguous() for part in parts))  # equal shapes then have equal strides


def _slice(batch: Batch, start: int, size: int) -> Batch:
    return Batch(*(part[:, start : start + size] for part in batch))


def _padded(parts: Sequence[Tensor], filling: float) -> list[Tensor]:
    """Parts (n, …) of several batches, with the filling after the end of what is shorter along the second axis."""
    longest = max(part.shape[1] for part in parts) if parts[0].dim() > 1 else 0
    return [
        pad(part, (0, 0) * (part.dim() - 2) + (0, longest - part.shape[1]), value=filling) if longest else part
        for part in parts
    ]
