"""Training: the runs of a cohort train side by side, segment by segment, as one stack of parameters.

R runs, n sequences of each run.

`train_segment` is a pure function of its arguments. Nothing here knows a tracker, a tuner or a process.
"""

from functools import partial
from time import perf_counter

import torch
from torch import Tensor

from ablations.train.batches import pieces, training_batches
from ablations.train.cohort import Cohort, TrainState
from ablations.train.curriculum import training_task
from ablations.train.metrics import SegmentMetrics
from ablations.train.stacked import StackedNetworks
from ablations.train.training import training_of
from tasks import Batch

PIECE = 128
"""Sequences of each run in one pass of an evaluation. It bounds the memory."""


def train_segment(cohort: Cohort, state: TrainState | None, steps: int) -> tuple[TrainState, list[SegmentMetrics]]:
    """Trains all runs of a cohort for some more steps and evaluates them. Without a state they are at their start.

    `state` itself stays as it is.
    """
    start = perf_counter()
    training = training_of(cohort, state)
    streams = {run.stream: partial(cohort.generator, run, "train") for run in cohort.runs}
    data = training_batches(
        cohort.setting.task,
        [streams[run.stream] for run in cohort.runs],
        training.step,
        steps,
        cohort.budget.batch,
        lambda step: training_task(cohort.setting.task, cohort.curriculum, step / cohort.budget.steps),
    )
    total = torch.zeros(len(cohort.runs))
    for batch in data:
        total += training.train_step(batch)
    reached = training.state
    nominal = evaluate(training.networks, reached, training.nominal)
    mixture = evaluate(training.networks, reached, training.mixture)
    seconds = (perf_counter() - start) / len(cohort.runs)
    values = [total / steps, nominal["score"], nominal["loss"], mixture["score"]]
    rows: list[list[float]] = torch.stack(values, dim=1).tolist()
    return reached, [SegmentMetrics(a, b, c, d, seconds) for a, b, c, d in rows]


@torch.no_grad()
def evaluate(networks: StackedNetworks, state: TrainState, batch: Batch, piece_size: int = PIECE) -> dict[str, Tensor]:
    """ "score", "loss" and the task's further scores of every run, each (R,), on its own part of a stacked batch (R, n, …).

    It is evaluated in pieces of so many sequences.
    """
    total: dict[str, Tensor] = {}
    for piece in pieces(batch, piece_size, networks.task.spec):
        outputs = networks.answers(state.theta, state.buffers, piece)
        share = piece.mask.shape[1] / batch.mask.shape[1]
        for name, values in {**networks.scores(outputs, piece), "loss": networks.losses(outputs, piece)}.items():
            total[name] = total.get(name, 0) + share * values
    return total
