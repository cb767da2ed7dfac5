"""Training: the runs of a cohort advance side by side, segment by segment, as one stack of parameters.

Everything here is a pure function of its arguments, and knows no tracker, no tuner and no process.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from time import perf_counter
from typing import Literal

import numpy as np
import torch
from torch import Tensor
from torch.func import functional_call, vmap

from ablations.lab.batches import pieces, stack, training_batches
from ablations.lab.optimisers import OPTIMISERS, Moments, clip_by_norm
from ablations.lab.seeds import generator, integer
from ablations.models import Network
from ablations.study import HYPERPARAMETERS, Budget, Setting
from tasks import Batch, Task

EXPLODED = 1e6
"""A training loss above this counts as diverged, as a loss that is not a number does."""

PIECE = 128
"""Sequences a run in one evaluation pass; bounds the memory."""


@dataclass(frozen=True)
class Run:
    """One training: its hyperparameters, and which of its kind's seeds its data and its start come from.

    All trials have the same few seeds, so that they differ in nothing but the draw; every replicate has its own, and
    a frozen run, with the hyperparameters of another variant, has that of the replicate of the same number.
    """

    kind: Literal["trial", "replicate", "frozen"]
    number: int
    seed: int
    lr: float
    clip: float
    weight_decay: float

    @property
    def stream(self) -> tuple[str, int]:
        """What its random streams are named by."""
        return "trial" if self.kind == "trial" else "replicate", self.seed


@dataclass(frozen=True)
class Cohort:
    """Runs of equal shape that train side by side; `seed` is the study's."""

    setting: Setting
    budget: Budget
    optimiser: str
    seed: int
    runs: tuple[Run, ...]

    def generator(self, run: Run, purpose: str, part: int = 0) -> np.random.Generator:
        """The run's stream for a purpose; the variant has no say in it, so that replicates are paired."""
        return generator(self.seed, self.setting.label, *run.stream, purpose, part)

    def only(self, indices: Sequence[int]) -> "Cohort":
        """The cohort of some of its runs."""
        return replace(self, runs=tuple(self.runs[index] for index in indices))


@dataclass(frozen=True)
class State:
    """What training changes: parameters (R, P), the optimiser's moments, each (R, P), and the steps taken."""

    theta: Tensor
    moments: Moments = field(default_factory=dict)
    step: int = 0

    def rows(self, indices: Sequence[int]) -> "State":
        """A copy of the state of some runs."""
        return State(self.theta[indices], {name: moment[indices] for name, moment in self.moments.items()}, self.step)

    def updated(self, indices: Sequence[int], part: "State") -> "State":
        """The state with the rows of some runs replaced by those of `part`."""
        moments = {name: self.moments.get(name, torch.zeros_like(self.theta)) for name in part.moments}
        put = {name: _put(moments[name], indices, part.moments[name]) for name in moments}
        return State(_put(self.theta, indices, part.theta), put, part.step)


@dataclass(frozen=True)
class Progress:
    """How one run did in a segment, and its share of the time.

    Mean training loss; validation score and loss at the nominal difficulty; validation score over the mixture that it
    is trained on, which still tells runs apart that have learnt the easy part only.
    """

    train_loss: float
    score: float
    loss: float
    mixed_score: float
    seconds: float

    @property
    def diverged(self) -> bool:
        return not (np.isfinite(self.loss) and self.train_loss < EXPLODED)


class Stack:
    """The networks of a cohort as one: a structure to call, and the runs' parameters as rows."""

    def __init__(self, cohort: Cohort) -> None:
        setting = cohort.setting
        seeds = [integer(cohort.seed, setting.name, *run.stream, "start") for run in cohort.runs]
        built = {seed: setting.variant.build(setting.task.interface, setting.size, seed) for seed in set(seeds)}
        networks = [built[seed] for seed in seeds]
        self.model: Network = networks[0]
        trained = {name: p.shape for name, p in self.model.named_parameters() if p.requires_grad}
        self.shapes: Mapping[str, torch.Size] = trained
        self.frozen = {
            name: torch.stack([network.get_parameter(name).detach() for network in networks])
            for name, p in self.model.named_parameters()
            if not p.requires_grad
        }
        rows = [[network.get_parameter(name).detach().flatten() for name in trained] for network in networks]
        self.initial = torch.stack([torch.cat(row) for row in rows])

    def parameters(self, theta: Tensor) -> dict[str, Tensor]:
        """Rows theta (R, P) as stacked parameters by name, the frozen ones included."""
        parts = theta.split([shape.numel() for shape in self.shapes.values()], dim=1)
        named = zip(self.shapes.items(), parts, strict=True)
        return {name: part.unflatten(1, shape) if shape else part for (name, shape), part in named} | self.frozen

    def outputs(self, theta: Tensor, batch: Batch) -> Tensor:
        """Every run's network on its own part of a stacked batch: (R, n, …)."""
        arguments = (batch.inputs,) if bool(batch.mask.all()) else (batch.inputs, batch.mask)
        return vmap(partial(functional_call, self.model))(self.parameters(theta), arguments)


def advance(cohort: Cohort, state: State | None, steps: int) -> tuple[State, list[Progress]]:
    """Trains all runs of a cohort for some more steps, from their start where there is no state, and evaluates them.

    `state` itself stays as it is.
    """
    began = perf_counter()
    networks = Stack(cohort)
    state = state or State(networks.initial)
    theta = state.theta.clone().requires_grad_()
    moments = {name: moment.clone() for name, moment in state.moments.items()}
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
        total += train_step(cohort, networks, theta, moments, step, batch)
    reached = State(theta.detach(), moments, state.step + steps)
    task = cohort.setting.task
    score, loss = evaluate(cohort, networks, reached.theta, _validation(cohort, task.at(task.nominal)))
    mixed_score, _ = evaluate(cohort, networks, reached.theta, _validation(cohort, task.mixture()))
    seconds = (perf_counter() - began) / len(cohort.runs)
    rows: list[list[float]] = torch.stack([total / steps, score, loss, mixed_score], dim=1).tolist()
    return reached, [Progress(a, b, c, d, seconds) for a, b, c, d in rows]


def train_step(cohort: Cohort, networks: Stack, theta: Tensor, moments: Moments, step: int, batch: Batch) -> Tensor:
    """One optimiser step of every run, in place; returns the losses (R,) before it.

    The learning rate falls linearly from the run's own to zero over the budget's steps.
    """
    losses = vmap(cohort.setting.task.loss)(networks.outputs(theta, batch), batch)
    (gradient,) = torch.autograd.grad(losses.sum(), theta)
    lr, limit, decay = (torch.tensor([getattr(run, key) for run in cohort.runs]) for key in HYPERPARAMETERS)
    with torch.no_grad():
        gradient = clip_by_norm(gradient, limit) + decay.unsqueeze(1) * theta
        direction = OPTIMISERS[cohort.optimiser](theta, gradient, moments, step + 1)
        remaining = 1 - step / cohort.budget.steps
        theta -= remaining * lr.unsqueeze(1) * direction
    return losses.detach()


@torch.no_grad()
def evaluate(cohort: Cohort, networks: Stack, theta: Tensor, batch: Batch) -> tuple[Tensor, Tensor]:
    """Score and loss of every run, each (R,), on its own part of a stacked batch (R, n, …)."""
    task, n = cohort.setting.task, batch.mask.shape[1]
    total = torch.zeros(2, len(cohort.runs))
    for piece in pieces(batch, PIECE):
        outputs = networks.outputs(theta, piece)
        share = piece.mask.shape[1] / n
        total += share * torch.stack([vmap(task.score)(outputs, piece), vmap(task.loss)(outputs, piece)])
    return total[0], total[1]


def _validation(cohort: Cohort, task: Task) -> Batch:
    return stack([task.sample(cohort.generator(run, "validation"), cohort.budget.validation) for run in cohort.runs])


def _put(whole: Tensor, indices: Sequence[int], rows: Tensor) -> Tensor:
    whole = whole.clone()
    whole[list(indices)] = rows
    return whole
