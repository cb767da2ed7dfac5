"""A cohort: runs of equal shape that train side by side, and what training changes of them.

R runs, P trained parameters of each.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from ablations.study import Budget, Setting
from ablations.study.seeds import generator
from ablations.train.optimisers import Moments

Buffers = dict[str, Tensor]
"""name -> (R, …): the buffers of R networks, as torch.nn.Module has them."""


@dataclass(frozen=True)
class Run:
    """One training: its hyperparameters, and which of its kind's seeds its data and its start come from.

    All trials have the same few seeds: they differ in nothing but their hyperparameters. Every replicate has a seed of
    its own. A transferred run has the hyperparameters of another variant, and the seed of the replicate of its number.
    """

    kind: Literal["trial", "replicate", "transferred"]
    number: int
    seed: int
    lr: float
    clip: float
    weight_decay: float

    @property
    def stream(self) -> tuple[str, int]:
        """The first parts of the names of its random streams."""
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
        """The run's stream for a purpose. It does not depend on the variant: replicates of all variants are paired."""
        return generator(self.seed, self.setting.label, *run.stream, purpose, part)

    def only(self, indices: Sequence[int]) -> "Cohort":
        """The cohort of some of its runs."""
        return self.with_runs(tuple(self.runs[index] for index in indices))

    def with_runs(self, runs: tuple[Run, ...]) -> "Cohort":
        """The same setting and budget with other runs."""
        return replace(self, runs=runs)


@dataclass(frozen=True)
class TrainState:
    """What training changes: parameters (R, P), the optimiser's moments, each (R, P), the steps taken, and buffers."""

    theta: Tensor
    moments: Moments = field(default_factory=dict)
    step: int = 0
    buffers: Buffers = field(default_factory=dict)

    def rows(self, indices: Sequence[int]) -> "TrainState":
        """A copy of the state of some runs."""
        moments = {name: moment[indices] for name, moment in self.moments.items()}
        buffers = {name: buffer[indices] for name, buffer in self.buffers.items()}
        return TrainState(self.theta[indices], moments, self.step, buffers)

    def updated(self, indices: Sequence[int], part: "TrainState") -> "TrainState":
        """The state with the rows of some runs replaced by those of `part`."""
        before = {name: self.moments.get(name, torch.zeros_like(self.theta)) for name in part.moments}
        moments = {name: _put(before[name], indices, part.moments[name]) for name in before}
        buffers = {name: _put(buffer, indices, part.buffers[name]) for name, buffer in self.buffers.items()}
        return TrainState(_put(self.theta, indices, part.theta), moments, part.step, buffers)


def joined(states: Sequence[TrainState]) -> TrainState:
    """The states of several groups of runs, which have taken as many steps, as one."""
    first, *others = states
    if not others:
        return first
    theta = torch.cat([state.theta for state in states])
    moments = {name: torch.cat([state.moments[name] for state in states]) for name in first.moments}
    buffers = {name: torch.cat([state.buffers[name] for state in states]) for name in first.buffers}
    return TrainState(theta, moments, first.step, buffers)


def _put(whole: Tensor, indices: Sequence[int], rows: Tensor) -> Tensor:
    whole = whole.clone()
    whole[list(indices)] = rows
    return whole
