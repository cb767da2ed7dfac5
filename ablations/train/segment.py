"""Training: the runs of a cohort train side by side, segment by segment, as one stack of parameters.

R runs, P trained parameters of each, n sequences of each run, T steps.

`train_segment` is a pure function of its arguments. Nothing here knows a tracker, a tuner or a process.
"""

from functools import partial
from time import perf_counter

import torch
from torch import Tensor
from torch.func import vmap

from ablations.study.space import HYPERPARAMETERS
from ablations.train.batches import pieces, stack, training_batches
from ablations.train.cohort import Buffers, Cohort, TrainState
from ablations.train.metrics import SegmentMetrics
from ablations.train.optimisers import OPTIMISERS, Moments, clip_by_norm
from ablations.train.schedule import rate_factor
from ablations.train.stacked import StackedNetworks
from tasks import Batch, Task

PIECE = 128
"""Sequences of each run in one pass of an evaluation. It bounds the memory."""


def train_segment(cohort: Cohort, state: TrainState | None, steps: int) -> tuple[TrainState, list[SegmentMetrics]]:
    """Trains all runs of a cohort for some more steps and evaluates them. Without a state they are at their start.

    `state` itself stays as it is.
    """
    start = perf_counter()
    networks = StackedNetworks(cohort)
    state = state or TrainState(networks.initial, buffers=networks.initial_buffers)
    theta = state.theta.clone().requires_grad_()
    moments = {name: moment.clone() for name, moment in state.moments.items()}
    buffers = dict(state.buffers)
    streams = {run.stream: partial(cohort.generator, run, "train") for run in cohort.runs}
    data = training_batches(
        cohort.setting.task,
        [streams[run.stream] for run in cohort.runs],
        state.step,
        steps,
        cohort.budget.batch,
    )
    total = torch.zeros(len(cohort.runs))
    for step, batch in enumerate(data, start=state.step):
        total += train_step(cohort, networks, theta, moments, buffers, step, batch)
    reached = TrainState(theta.detach(), moments, state.step + steps, buffers)
    task = cohort.setting.task
    score, loss = evaluate(cohort, networks, reached, _validation(cohort, task.at(task.nominal)))
    mixed_score, _ = evaluate(cohort, networks, reached, _validation(cohort, task.mixture()))
    seconds = (perf_counter() - start) / len(cohort.runs)
    rows: list[list[float]] = torch.stack([total / steps, score, loss, mixed_score], dim=1).tolist()
    return reached, [SegmentMetrics(a, b, c, d, seconds) for a, b, c, d in rows]


def train_step(
    cohort: Cohort,
    networks: StackedNetworks,
    theta: Tensor,
    moments: Moments,
    buffers: Buffers,
    step: int,
    batch: Batch,
) -> Tensor:
    """One optimiser step of every run; returns the losses (R,) before it. Changes theta, moments and buffers.

    The learning rate falls linearly from the run's own to zero over the budget's steps.
    """
    outputs, after = networks.outputs(theta, buffers, batch, training=True)
    buffers.update(after)
    losses = vmap(cohort.setting.task.loss)(outputs, batch)
    (gradient,) = torch.autograd.grad(losses.sum(), theta)
    lr, limit, decay = (torch.tensor([getattr(run, key) for run in cohort.runs]) for key in HYPERPARAMETERS)
    with torch.no_grad():
        gradient = clip_by_norm(gradient, limit) + decay.unsqueeze(1) * theta
        direction = OPTIMISERS[cohort.optimiser](theta, gradient, moments, step + 1)
        theta -= rate_factor(step, cohort.budget.steps) * lr.unsqueeze(1) * direction
    return losses.detach()


@torch.no_grad()
def evaluate(cohort: Cohort, networks: StackedNetworks, state: TrainState, batch: Batch) -> tuple[Tensor, Tensor]:
    """Score and loss of every run, each (R,), on its own part of a stacked batch (R, n, …)."""
    task, n = cohort.setting.task, batch.mask.shape[1]
    total = torch.zeros(2, len(cohort.runs))
    for piece in pieces(batch, PIECE):
        outputs, _ = networks.outputs(state.theta, state.buffers, piece, training=False)
        share = piece.mask.shape[1] / n
        total += share * torch.stack([vmap(task.score)(outputs, piece), vmap(task.loss)(outputs, piece)])
    return total[0], total[1]


def _validation(cohort: Cohort, task: Task) -> Batch:
    return stack([task.sample(cohort.generator(run, "validation"), cohort.budget.validation) for run in cohort.runs])
