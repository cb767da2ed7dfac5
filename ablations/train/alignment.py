"""Where attention looks while an answer is written, against what is known to determine each of its symbols.

n pairs, U symbols of an answer, T steps of a source.
"""

from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from ablations.models import Network
from ablations.train.cohort import Cohort, TrainState
from ablations.train.stacked import StackedNetworks
from tasks import Batch, Task
from tasks.task import UNALIGNED, steps_mean

PAIRS = 256
"""The number of test pairs whose weights are scored."""

DIGITS = 3
"""Of the weights in the record's example."""


@dataclass(frozen=True)
class Attended:
    """The attention of one run: its scores under the names of the record, and one pair with its weights.

    example: `source` and `answer` as texts, and `weights`, for each character of the answer and its end those of the
        source's characters.
    """

    scores: dict[str, float] = field(default_factory=dict)
    example: dict[str, Any] = field(default_factory=dict)


def attention_on_pairs(cohort: Cohort, networks: StackedNetworks, state: TrainState) -> list[Attended]:
    """What each run attends to on its own test pairs, told the right symbols before each; nothing where it cannot be scored."""
    return [_attended(cohort, networks, state, index) for index in range(len(cohort.runs))]


@torch.no_grad()
def _attended(cohort: Cohort, networks: StackedNetworks, state: TrainState, index: int) -> Attended:
    task, run = cohort.setting.task, cohort.runs[index]
    aligned = task.at(task.nominal).aligned_sample(cohort.generator(run, "test", task.nominal), PAIRS)
    if aligned is None:
        return Attended()
    batch, spans = aligned
    weights = networks.with_run(state.theta, state.buffers, index, lambda model: _weights(model, batch))
    if weights is None:
        return Attended()
    return Attended(scores_of(weights, spans, batch.mask), _example(task, batch, weights))


def _weights(model: Network, batch: Batch) -> Tensor | None:
    return model.attention(batch.inputs, batch.mask, **model.told(batch.targets))


def scores_of(weights: Tensor, spans: Tensor, mask: Tensor) -> dict[str, float]:
    """The scores of weights (n, U, T) by the names of the record, given spans (n, U, 2) and the sources' mask (n, T)."""
    return {
        "attention_aligned": share_on_spans(weights, spans),
        "attention_chance": share_on_spans(mask.unsqueeze(1).expand_as(weights).float(), spans),
        "attention_permuted": share_on_spans(weights.roll(1, dims=0), spans),
    }


def share_on_spans(weights: Tensor, spans: Tensor) -> float:
    """The share of symbols whose largest weight lies on their span: the mean over pairs, each of equal weight.

    weights (n, U, T), spans (n, U, 2). Symbols without a span do not count. Of k equally large weights each is a k-th.
    """
    steps = torch.arange(weights.shape[-1])
    is_on_span = (steps >= spans[..., :1]) & (steps < spans[..., 1:])
    is_largest = weights == weights.amax(-1, keepdim=True)
    hit = (is_largest & is_on_span).sum(-1) / is_largest.sum(-1)
    return float(steps_mean(hit, spans[..., 0] != UNALIGNED))


def _example(task: Task, batch: Batch, weights: Tensor) -> dict[str, Any]:
    source, _, answer = task.read(batch, 0).partition(" → ")
    own = weights[0, : len(answer) + 1, : len(source)]
    return {"source": source, "answer": answer, "weights": [[round(w, DIGITS) for w in row] for row in own.tolist()]}
