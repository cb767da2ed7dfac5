"""The multiplication problem: multiply the two marked numbers of a sequence."""

from math import log
from typing import Annotated, ClassVar

import numpy as np
import torch
from pydantic import Field, model_validator
from pydantic.dataclasses import dataclass
from torch import Tensor

from tasks.adding import TOLERANCE, Adding
from tasks.task import STRICT, Batch, DifficultySampling, Task, TaskSpec


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Multiplication(Task):
    """The multiplication problem of Hochreiter & Schmidhuber (1997), section 5.5.

    Rule: the sequences are those of `adding` with protocol "hochreiter", but for their values: these are uniform in
    [0, 1], and if the first step is marked, its value is 1. The target is the product X1 · X2 of the marked values. The
    paper's length is 100.

    Worked example (length 12):

        value     0.54  0.94  0.82  0.00  0.86  0.03  0.73  0.18  0.86  0.54  0.30  0.42
        mark        -1     .     1     .     .     .     .     .     1     .     .    -1
        target   0.82 · 0.86 = 0.70

    Shapes: inputs (n, T, 2) of value and mark; targets (n,). Loss: squared error. Score: share within 0.04.
    Products are mostly small: the best constant, 0.04, is right for all those below 0.08. It is also the best answer of
    who knows one factor, whichever value that has, so that only the loss tells whether one factor is known.

    >>> {name: round(value, 3) for name, value in Multiplication().references().items()}
    {'chance': 0.258, 'perfect': 1.0}
    """

    length: Annotated[int, Field(ge=12)] = (
        100  # as in adding: ten steps before the last, and two marks in the first half
    )
    shortest: int | None = None
    difficulty_sampling: DifficultySampling = "uniform"

    difficulty: ClassVar[str] = "length"
    min_difficulty: ClassVar[int] = 12

    @model_validator(mode="after")
    def _check(self) -> "Multiplication":
        self.check_shortest()
        return self

    @property
    def adding(self) -> Adding:
        """The task whose sequences these are, but for their values."""
        return Adding(**self.parameters, protocol="hochreiter")

    @property
    def spec(self) -> TaskSpec:
        return self.adding.spec

    def sample(self, rng: np.random.Generator, n: int) -> Batch:
        inputs, _, mask = self.adding.sample(rng, n)
        values, marks = inputs.unbind(-1)
        values = torch.where(mask, (1 + values) / 2, 0)
        values[:, 0] = torch.where(marks[:, 0] == 1, 1, values[:, 0])
        targets = torch.where(marks == 1, values, 1).prod(1)
        return Batch(torch.stack([values, marks], dim=-1), targets, mask)

    def loss(self, outputs: Tensor, batch: Batch) -> Tensor:
        return self.adding.loss(outputs, batch)

    def score(self, outputs: Tensor, batch: Batch) -> Tensor:
        return self.adding.score(outputs, batch)

    def references(self) -> dict[str, float]:
        """`chance`: the score of the best constant answer, half the width of what is right from 0 on."""
        width = 2 * TOLERANCE
        both = width - width * log(width)  # the distribution function of the product of two uniforms
        first = 0.1 + self._second_first
        return {"chance": (1 - first) * both + first * width, "perfect": 1.0}

    def loss_references(self) -> dict[str, float]:
        """The squared error of answering the `mean`, and, for `one factor`, half of the factor that is drawn first."""
        first, second_first = 0.1 + self._second_first, self._second_first
        mean, square = (1 - first) / 4 + first / 2, (1 - first) / 9 + first / 3
        half = 0.1 / 12 + (0.9 - second_first) / 36 + second_first / 12
        return {"mean": square - mean**2, "one factor": half}

    @property
    def _second_first(self) -> float:
        """The probability that the mark that is drawn second is on the first step. That of the other one is 0.1."""
        return self.mean_over_difficulties(lambda length: 0.9 / (length // 2 - 1))

    def read(self, batch: Batch, index: int) -> str:
        values, marks = batch.inputs[index][batch.mask[index]].T.tolist()
        factors = " · ".join(f"{value:.2f}" for value, mark in zip(values, marks, strict=True) if mark == 1)
        rows, _, _ = self.adding.read(batch, index).rpartition("\n")
        return f"{rows}\ntarget   {factors} = {batch.targets[index].item():.2f}"
