"""A cohort: runs of equal shape that train side by side, and what training changes of them.

R runs, P trained parameters of each.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from ablations.study import Budget, Setting, Variant
from ablations.study.factors import SIDE_BY_SIDE, SIZES, TRAINING
from ablations.study.seeds import generator
from ablations.study.space import HYPERPARAMETERS, Value
from ablations.train.optimisers import Moments

Buffers = dict[str, Tensor]
"""name -> (R, …): the buffers of R networks, as torch.nn.Module has them."""


@dataclass(frozen=True)
class Run:
    """One training: its hyperparameters, and which of its kind's seeds its data and its start come from.

    All trials have the same few seeds: they differ in nothing but their hyperparameters. Every replicate has a seed of
    its own. A transferred run has the hyperparameters of another variant, and the seed of the replicate of its number.
    `factors` are further ones by name, in order: those of the training that are not as usual, and flags of the model.
    """

    kind: Literal["trial", "replicate", "transferred"]
    number: int
    seed: int
    lr: float
    clip: float
    weight_decay: float
    factors: tuple[tuple[str, Value], ...] = ()

    def factor(self, name: str) -> Value:
        """A factor of the training by its name; its default where the run has none of its own."""
        return dict(self.factors).get(name, TRAINING[name].default)

    @property
    def stream(self) -> tuple[str, int]:
        """The first parts of the names of its random streams."""
        return "trial" if self.kind == "trial" else "replicate", self.seed


def run_of(
    kind: Literal["trial", "replicate", "transferred"], number: int, seed: int, factors: Mapping[str, Value]
) -> Run:
    """The run with these factors, `HYPERPARAMETERS` among them."""
    usual = {name: factors[name] for name in HYPERPARAMETERS}
    others = {name: value for name, value in factors.items() if name not in usual}
    return Run(kind, number, seed, **usual, factors=tuple(sorted(others.items())))  # type: ignore[arg-type]  # checked


@dataclass(frozen=True)
class Cohort:
    """Runs of equal shape that train side by side; `seed` is the study's, `curriculum` the source of their sequences."""

    setting: Setting
    budget: Budget
    optimiser: str
    seed: int
    runs: tuple[Run, ...]
    curriculum: str = "logarithmic"

    @property
    def shapes(self) -> list["Cohort"]:
        """The cohorts that its runs train in, in the order of their first runs: equal network, batch, optimiser, curriculum."""
        groups: dict[tuple[tuple[str, Value], ...], list[Run]] = {}
        for run in self.runs:
            groups.setdefault(self._shape(run), []).append(run)
        return [self._shaped(dict(shape)).with_runs(tuple(runs)) for shape, runs in groups.items()]

    def _shape(self, run: Run) -> tuple[tuple[str, Value], ...]:
        beside = {*SIDE_BY_SIDE, *self.setting.variant.network.start_flags}
        return tuple((name, value) for name, value in run.factors if name not in beside)

    def _shaped(self, factors: Mapping[str, Value]) -> "Cohort":
        flags = {name: value for name, value in factors.items() if name not in TRAINING or name in SIZES}
        batch = int(factors.get("batch") or self.budget.batch)
        own = {name: factors[name] for name in ("optimiser", "curriculum") if name in factors}
        return replace(
            self,
            setting=self.setting.with_factors(flags, self.budget.parameters),
            budget=replace(self.budget, batch=batch),
            **own,  # type: ignore[arg-type]  # `study.factors` checks them
        )

    def variant(self, run: Run) -> Variant:
        """The variant that a run's network starts as: the cohort's, with the run's own start."""
        variant = self.setting.variant
        return variant.with_flags({key: value for key, value in run.factors if key in variant.network.start_flags})

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
