"""What a process keeps of a cohort between its segments: networks, recorded steps, validation data.

R runs, P trained parameters of each, n sequences of each run, T steps.
"""

from functools import cached_property, partial
from typing import Any

import torch
from torch import Tensor

from ablations.study.seeds import integer
from ablations.study.space import HYPERPARAMETERS
from ablations.train.batches import stack
from ablations.train.cohort import Cohort, TrainState
from ablations.train.noise import Noise
from ablations.train.optimisers import Moments, update
from ablations.train.replay import Replayed
from ablations.train.schedule import rate_factor
from ablations.train.stacked import StackedNetworks, is_padded
from tasks import Batch, Task

KEPT = 4
"""The cohorts that a process keeps; with two settings for each worker side by side, those that it may be asked for next."""


class Training:
    """A cohort in training. `load` puts it into a state; a step changes that in place."""

    def __init__(self, cohort: Cohort) -> None:
        self.cohort = cohort
        self.networks = StackedNetworks(cohort)
        self.step = 0
        self._theta = self.networks.initial.clone().requires_grad_()
        self._moments: Moments = {}
        self._buffers = dict(self.networks.initial_buffers)
        self._noise = Noise()
        self._replays = {
            has_padding: Replayed(partial(self._differentiate, has_padding), self._noise, self.networks.is_stackable)
            for has_padding in (False, True)
        }
        self._take_hyperparameters()

    @property
    def state(self) -> TrainState:
        """A copy of what training has changed so far."""
        moments = {name: moment.clone() for name, moment in self._moments.items()}
        return TrainState(self._theta.detach().clone(), moments, self.step, dict(self._buffers))

    def load(self, cohort: Cohort, state: TrainState | None) -> None:
        """Takes on a state, or without one the start; and the runs' hyperparameters, which may be others than before."""
        state = state or TrainState(self.networks.initial, buffers=self.networks.initial_buffers)
        self.cohort, self.step = cohort, state.step
        with torch.no_grad():
            self._theta.copy_(state.theta)  # in place: recordings know the memory
        self._moments = {name: moment.clone() for name, moment in state.moments.items()}
        self._buffers = dict(state.buffers)
        self._take_hyperparameters()

    def train_step(self, batch: Batch) -> Tensor:
        """One optimiser step of every run; returns the losses (R,) before it.

        The learning rate follows the run's schedule over the budget's steps.
        """
        step, self.step = self.step, self.step + 1
        self._noise.start(lambda: [self._seed(run, step) for run in range(len(self.cohort.runs))])
        losses, gradient, *buffers = self._replays[is_padded(batch)](*batch, *self._buffers.values())
        self._buffers = dict(zip(self._buffers, buffers, strict=True))
        lr, limit, decay = self._hyperparameters
        factors = [rate_factor(step, self.cohort.budget.steps, *schedule) for schedule in self._schedules]
        lr = lr * torch.tensor(factors)
        theta, optimiser = self._theta.detach(), self.cohort.optimiser
        update(optimiser, theta, gradient, self._moments, step + 1, lr, limit, decay, self._momentum)
        return losses

    @cached_property
    def nominal(self) -> Batch:
        """The validation data of nominal difficulty, stacked."""
        return self._validation(self.cohort.setting.task.at(self.cohort.setting.task.nominal))

    @cached_property
    def mixture(self) -> Batch:
        """The validation data with difficulties mixed as in training, stacked."""
        return self._validation(self.cohort.setting.task.mixture())

    def _validation(self, task: Task) -> Batch:
        cohort, task = self.cohort, task.validation()
        return stack(
            [task.sample(cohort.generator(run, "validation"), cohort.budget.validation) for run in cohort.runs]
        )

    def _differentiate(self, has_padding: bool, *tensors: Tensor) -> tuple[Tensor, ...]:
        """The losses (R,) for the tensors of a batch and the buffers; their gradient (R, P), and the buffers after that."""
        batch, buffers = Batch(*tensors[:3]), dict(zip(self._buffers, tensors[3:], strict=True))
        outputs, after = self.networks.outputs(self._theta, buffers, batch, has_padding)
        losses = self.networks.losses(outputs, batch)
        (gradient,) = torch.autograd.grad(losses, self._theta, torch.ones_like(losses))
        return losses.detach(), gradient, *after.values()

    def _take_hyperparameters(self) -> None:
        """Stacks those of the cohort's runs, each (R,); without any momentum there is none."""
        runs = self.cohort.runs
        self._hyperparameters = [torch.tensor([getattr(run, name) for run in runs]) for name in HYPERPARAMETERS]
        self._schedules: list[Any] = [(run.factor("schedule"), run.factor("warmup")) for run in runs]
        momentum: Any = [run.factor("momentum") for run in runs]
        self._momentum = torch.tensor(momentum) if any(momentum) else None

    def _seed(self, run: int, step: int) -> int:
        cohort = self.cohort
        return integer(cohort.seed, cohort.setting.label, *cohort.runs[run].stream, "noise", step)


_kept: list[Training] = []


def training_of(cohort: Cohort, state: TrainState | None) -> Training:
    """The training of a cohort from that state, by what this process has kept of an earlier segment, if it has."""
    fitting = next((training for training in _kept if _is_same(training.cohort, cohort)), None)
    if fitting is None:
        fitting = Training(cohort)
    else:
        _kept.remove(fitting)
    fitting.load(cohort, state)
    _kept.insert(0, fitting)
    del _kept[KEPT:]
    return fitting


def _is_same(a: Cohort, b: Cohort) -> bool:
    """Whether two cohorts have the same networks, starts and data. They may differ in their hyperparameters."""
    starts = ([(run.stream, cohort.variant(run)) for run in cohort.runs] for cohort in (a, b))
    return (a.setting, a.budget, a.seed, next(starts)) == (b.setting, b.budget, b.seed, next(starts))
