"""A cohort: runs of equal shape that train side by side, and what training changes of them."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from ablations.study import Budget, Setting
from ablations.study.seeds import generator
from ablations.train.optimisers import Moments


@dataclass(frozen=True)
class Run:
    """One training: its hyperparameters, and which of its kind's seeds its data and its start come from.

    All trials have the same few seeds, so that they differ in nothing but the draw; every replicate has its own, and
    a transferred run, with the hyperparameters of another variant, has that of the replicate of the same number.
    """

    kind: Literal["trial", "replicate", "transferred"]
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
class TrainState:
    """What training changes: parameters (R, P), the optimiser's moments, each (R, P), and the steps taken."""

    theta: Tensor
    moments: Moments = field(default_factory=dict)
    step: int = 0

    def rows(self, indices: Sequence[int]) -> "TrainState":
        """A copy of the state of some runs."""
        return TrainState(
            self.theta[indices], {name: moment[indices] for name, moment in self.moments.items()}, self.step
        )

    def updated(self, indices: Sequence[int], part: "TrainState") -> "TrainState":
        """The state with the rows of some runs replaced by those of `part`."""
        moments = {name: self.moments.get(name, torch.zeros_like(self.theta)) for name in part.moments}
        put = {name: _put(moments[name], indices, part.moments[name]) for name in moments}
        return TrainState(_put(self.theta, indices, part.theta), put, part.step)


def _put(whole: Tensor, indices: Sequence[int], rows: Tensor) -> Tensor:
    whole = whole.clone()
    whole[list(indices)] = rows
    return whole
